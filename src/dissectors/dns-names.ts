/**
 * Domain names on the wire: labels, pointers and how they are written down.
 *
 * RFC 1035 section 3.1 (labels), section 4.1.4 (compression), RFC 2673 (bit-string labels), RFC 2181 section 11 (any octet
 * may stand in a label).
 *
 *     | 3 | w w w | 4 | t e s t | 0 |          two labels and the root
 *     | 3 | w w w | 11…… | offset |            one label, then what stands at `offset` of the message
 */
import type { Field } from '../core/field.js';
import type { Tree } from '../core/layer.js';
import { HEX, u16 } from '../core/octets.js';
import type { TextBuffer } from '../core/text.js';

/** A name of 255 octets has at most 127 labels, so more pointers than that say nothing. */
const MAX_POINTERS = 128;
/** Most octets of a name as text; real ones have 253. */
const MAX_TEXT = 1024;

const LABEL = 0x00;
const POINTER = 0xc0;
const UNASSIGNED = 0x80;
const BIT_STRING = 0x41;

/** What stands in place of a name that is none. */
const ROOT = -1;
const TOO_LONG = -2;
const LOOP = -3;
const UNKNOWN_LABEL = -4;
const CUT = -5;
const INSTEAD = ['', '<Root>', '<Name too long>', '<Name contains a pointer that loops>', '<Unknown extended label>'];

/**
 * Where the name at `at` ends: after its zero octet or its first pointer. -1 when that is not before `limit`, or when a label
 * begins with the bits 10, which mean nothing. An extended label of unknown kind ends it too, as its length is not known.
 */
export function skipName(bytes: Uint8Array, at: number, limit: number): number {
  let pos = at;
  // Every turn advances by at least one octet.
  while (pos < limit) {
    const octet = bytes[pos]!;
    if (octet === 0) return pos + 1;
    const kind = octet & POINTER;
    if (kind === POINTER) return pos + 2 <= limit ? pos + 2 : -1;
    if (kind === LABEL) pos += octet + 1;
    else if (kind === UNASSIGNED) return -1;
    else if (octet === BIT_STRING && pos + 1 < limit) pos += 2 + bitOctets(bytes[pos + 1]!);
    else return pos + 1;
  }
  return -1;
}

/** Octets of a bit string; a count of 0 means 256 (RFC 2673 section 3.2). */
const bitOctets = (count: number) => ((count || 256) + 7) >> 3;

/** What octets need in text: none of it, a backslash in JSON, an escape of their own. */
const QUOTED = 1;
const ESCAPED = 2;
const NEEDS = Uint8Array.from({ length: 256 }, (_, c) => (c < 0x20 || c > 0x7e ? ESCAPED : c === 0x22 || c === 0x5c ? QUOTED : 0));

const DOT = 0x2e;
const QUOTE = 0x22;

/** The name written out without its zero octet, dots between labels; valid until the next call. */
const scratch = new Uint8Array(MAX_TEXT);
const scratchView = new DataView(scratch.buffer);
/** What its octets need, each bit for any of them. */
let needs = 0;

/**
 * Write the name at `at` of a message that starts at `base` into {@link scratch}; its length, or one of the negative
 * constants. Pointers go strictly backwards, each below where the part before it began, and there are at most
 * {@link MAX_POINTERS} of them, so the work is bounded whatever they say (RFC 1035 section 4.1.4: "a prior occurrence").
 */
function expand(bytes: Uint8Array, at: number, base: number, limit: number): number {
  let length = 0;
  let pos = at;
  let floor = at;
  needs = 0;
  for (let pointers = 0; pos < limit; ) {
    const octet = bytes[pos++]!;
    if (octet === 0) return length === 0 ? ROOT : length;
    switch (octet & POINTER) {
      case LABEL: {
        if (pos + octet > limit) return CUT;
        if (length + octet + 1 > MAX_TEXT) return TOO_LONG;
        if (length > 0) scratch[length++] = DOT;
        let any = 0;
        for (const end = pos + octet; pos < end; ) {
          const c = bytes[pos++]!;
          any |= NEEDS[c]!;
          scratch[length++] = c;
        }
        needs |= any;
        break;
      }
      case POINTER: {
        if (pos >= limit) return CUT;
        const target = base + (((octet & 0x3f) << 8) | bytes[pos]!);
        if (target >= limit) return CUT;
        if (target >= floor || ++pointers > MAX_POINTERS) return LOOP;
        floor = pos = target;
        break;
      }
      case UNASSIGNED:
        return CUT;
      default: {
        if (octet !== BIT_STRING) return UNKNOWN_LABEL;
        if (pos >= limit) return CUT;
        const count = bytes[pos++]!;
        const end = pos + bitOctets(count);
        if (end > limit) return CUT;
        needs |= QUOTED;
        let text = length > 0 ? '.\\[x' : '\\[x';
        while (pos < end) text += HEX[bytes[pos++]!];
        text += `/${count || 256}]`;
        if (length + text.length > MAX_TEXT) return TOO_LONG;
        for (let i = 0; i < text.length; i++) scratch[length++] = text.charCodeAt(i);
      }
    }
  }
  return CUT;
}

const utf8 = new TextDecoder('utf-8');
const SHORT: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
};

/** The text of octets of a name: UTF-8 where they are that, control characters as `\n` or three octal digits. */
function escaped(length: number): string {
  return utf8
    .decode(scratch.subarray(0, length))
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => SHORT[c] ?? `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

/** Write the name in {@link scratch} as it is, eight octets at a time: with an ASCII sign first no eight are a NaN, so none is changed. */
function copy(out: TextBuffer, length: number): void {
  out.room(length + 8);
  const { view } = out;
  const to = out.length;
  for (let i = 0; i < length; i += 8) view.setFloat64(to + i, scratchView.getFloat64(i));
  out.length = to + length;
}

/** A name and how it is built, of the message that starts at `base`. */
export interface Name {
  /** `www.example.com`, `<Root>`, or in angle brackets why it cannot be read. */
  readonly text: string;
  /** Octets of the labels with the dots between them, before escapes. */
  readonly length: number;
  /** Parts between dots; 0 for names of one octet and less, as Wireshark counts. */
  readonly labels: number;
}

/** Read the name at `at`; undefined when it is not all there. */
export function readName(bytes: Uint8Array, at: number, base: number, limit: number): Name | undefined {
  const n = expand(bytes, at, base, limit);
  if (n === CUT) return undefined;
  if (n < 0) {
    const text = INSTEAD[-n]!;
    return { text, length: text.length, labels: 1 };
  }
  const text = textOf(n);
  if (n <= 1) return { text, length: 0, labels: 0 };
  let labels = 1;
  for (let i = 0; i < n; i++) if (scratch[i] === DOT) labels++;
  return { text, length: n, labels };
}

/** The text of the name at `at`, or undefined when its octets were not all captured. */
export function nameText(bytes: Uint8Array, at: number, base: number, limit: number): string | undefined {
  const n = expand(bytes, at, base, limit);
  return n === CUT ? undefined : n < 0 ? INSTEAD[-n] : textOf(n);
}

/** The name read last: the records of an answer mostly belong to the name that was asked for. */
let latest = '';

function textOf(length: number): string {
  if (needs & ESCAPED) return escaped(length);
  if (!isScratch(latest, length)) latest = utf8.decode(scratch.subarray(0, length));
  return latest;
}

function isScratch(text: string, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== scratch[i]) return false;
  return true;
}

/** Write the name at `at` as text; false when its octets were not all captured. */
export function writeName(out: TextBuffer, bytes: Uint8Array, at: number, base: number, limit: number): boolean {
  const n = expand(bytes, at, base, limit);
  if (n === CUT) return false;
  if (n < 0) {
    out.ascii(INSTEAD[-n]!);
    return true;
  }
  if (needs & ESCAPED) out.text(escaped(n));
  else copy(out, n);
  return true;
}

/**
 * Write the name at `at` as a JSON string; {@link Name.length} of it, or -1, and nothing written, when its octets were not
 * all captured.
 */
export function writeJsonName(out: TextBuffer, bytes: Uint8Array, at: number, base: number, limit: number): number {
  const n = expand(bytes, at, base, limit);
  if (n === CUT) return -1;
  if (n < 0) {
    const instead = INSTEAD[-n]!;
    out.json(instead);
    return instead.length;
  }
  if (needs & ESCAPED) out.json(escaped(n));
  else if (needs & QUOTED) out.jsonText(scratch, 0, n);
  else {
    out.byte(QUOTE);
    copy(out, n);
    out.byte(QUOTE);
  }
  return n <= 1 ? 0 : n;
}

/**
 * Put the name at `at` into the tree as `row`; where it ends, or Infinity when it cannot be read, which makes every
 * later row of the record refuse itself. The part in place must end by `tree.limit`, what pointers lead to by `limit`.
 */
export function putName(tree: Tree, row: Field, at: number, base: number, limit: number): number {
  const end = at < tree.limit ? skipName(tree.bytes, at, tree.limit) : -1;
  if (end < 0) return Number.POSITIVE_INFINITY;
  const text = nameText(tree.bytes, at, base, limit);
  if (text === undefined) return Number.POSITIVE_INFINITY;
  tree.put(row, text, at, end - at);
  return end;
}

/** The same name without regard to case, by its text (RFC 4343). */
export const sameName = (a: string, b: string): boolean => a === b || (a.length === b.length && a.toLowerCase() === b.toLowerCase());

/** True when `[start, end)` begins with a plausible name: letters, digits, `-`, `_`, at most 255 octets, then its end. */
export function looksLikeName(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && at - start < 255) {
    const octet = bytes[at]!;
    if (octet === 0) return at + 1;
    if (octet > 63 || at + octet >= end) return -1;
    for (let i = at + 1; i <= at + octet; i++) if (!isHostOctet(bytes[i]!)) return -1;
    at += octet + 1;
  }
  return -1;
}

const isHostOctet = (c: number) =>
  (c >= 0x61 && c <= 0x7a) || (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x5a) || c === 0x2d || c === 0x5f;

/** Type numbers of a bitmap in `[at, end)` (RFC 4034 section 4.1.2), handed to `visit` with where each bit stands. */
export function eachTypeBit(bytes: Uint8Array, at: number, end: number, visit: (type: number, at: number) => void): void {
  // Each window advances by at least two octets.
  for (let pos = at; pos + 2 <= end; ) {
    const window = bytes[pos]!;
    const stop = Math.min(pos + 2 + bytes[pos + 1]!, end);
    for (let i = pos + 2; i < stop; i++)
      for (let bit = 0; bit < 8; bit++) if (bytes[i]! & (0x80 >> bit)) visit(window * 256 + (i - pos - 2) * 8 + bit, i);
    pos += 2 + bytes[pos + 1]!;
  }
}

/** DNSSEC's key tag of the DNSKEY record data `[start, end)`: a sum, not a checksum (RFC 4034 appendix B). */
export function keyTag(bytes: Uint8Array, start: number, end: number): number {
  // Algorithm 1 (RSA/MD5) takes two octets of the modulus instead.
  if (bytes[start + 3] === 1) return end - start >= 7 ? u16(bytes, end - 3) : 0;
  let sum = 0;
  for (let i = start; i < end; i++) sum += (i - start) & 1 ? bytes[i]! : bytes[i]! << 8;
  return (sum + (sum >>> 16)) & 0xffff;
}
