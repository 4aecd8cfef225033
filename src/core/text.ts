/**
 * Text on its way out, written straight into octets. Whatever comes from the wire goes through {@link TextBuffer.text},
 * which lets no control character through, so that a capture can never drive the terminal it is shown on.
 */
import { DIGITS_ROOM, putHex, putIpv4, putNumeral } from './digits.js';
import { FixedText, type FixedTexts, type Labels } from './fixed-text.js';
import { textOf } from './octets.js';

const encoder = new TextEncoder();
const DIGITS = Uint8Array.from('0123456789abcdef', (c) => c.charCodeAt(0));
const BACKSLASH = 0x5c;

/** C0, DEL, C1, line separators, bidirectional controls and other characters without a glyph. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/;
const UNSAFE_ALL = new RegExp(UNSAFE, 'g');
const SHORT: Readonly<Record<number, string>> = { 9: '\\t', 10: '\\n', 13: '\\r' };

/** `text` with every character that could steer a terminal written as an escape: `\n`, `\x1b`, `\u202e`. */
export function safeText(text: string): string {
  if (!UNSAFE.test(text)) return text;
  return text.replace(UNSAFE_ALL, (c) => {
    const code = c.charCodeAt(0);
    return SHORT[code] ?? (code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`);
  });
}

const ASCII_SIGNS: Readonly<Record<string, string>> = {
  '→': '->',
  '←': '<-',
  '·': '-',
  '…': '...',
  µ: 'u',
  '−': '-',
  '×': 'x',
  '▶': '>',
  '◀': '<',
  '│': '|',
  '─': '-',
  '┆': ':',
  '✗': 'x',
  '▼': 'v',
  '▲': '^',
  '–': '-',
  '—': '-',
  '≥': '>=',
  '≤': '<=',
};

/** `text` in ASCII: our signs as their nearest, all else as `\\u` escapes. */
export function asciiText(text: string): string {
  let ascii = '';
  for (const c of text) ascii += c < '\u007f' ? c : (ASCII_SIGNS[c] ?? `\\u{${c.codePointAt(0)!.toString(16)}}`);
  return ascii;
}

const DOT = new FixedText(' · ');
const ASCII_DOT = new FixedText(asciiText(' · '));

/** Octets that are of a kind. */
export enum OctetKind {
  /** ASCII with a glyph, or a blank. */
  Printable,
  /** Those that stand for themselves in a string in quotes, of JSON too. */
  Plain,
  /** Those without blanks and apostrophes. */
  Word,
}

const isPrintable = (octet: number): boolean => octet >= 0x20 && octet <= 0x7e;
const isPlain = (octet: number): boolean => isPrintable(octet) && octet !== 34 && octet !== BACKSLASH;

/** Whether an octet is of a kind. */
export const OCTET_KINDS = [isPrintable, isPlain, (octet: number): boolean => isPlain(octet) && octet !== 0x20 && octet !== 0x27];

/** Of which kinds an octet is, the first in the lowest bit. */
const KINDS = Uint8Array.from({ length: 256 }, (_, octet) => OCTET_KINDS.reduce((kinds, isOf, i) => kinds | (isOf(octet) ? 1 << i : 0), 0));

/** What copies octets in its own way: by WebAssembly, where they and the buffer stand in its memory (output/json-texts.ts). */
export interface TextEngine {
  /**
   * Copy octets `[from, to)`, of which there is one at least, to a place in memory if all are of a kind; where they end
   * there, or 0 if not, or if they stand elsewhere. Up to {@link BEHIND} octets behind them are written over.
   */
  copy(kind: OctetKind, at: number, octets: Uint8Array, from: number, to: number): number;
}

/** So many octets are more than a call of a {@link TextEngine} costs. */
const WORTH_A_CALL = 8;

/** Octets that are written over behind what a {@link TextEngine} copies. */
const BEHIND = 16;

/** A growing buffer of octets with the few ways of writing that output needs. */
export class TextBuffer {
  private held: Uint8Array;
  /** The octets as a view, for writing several at once. Another one whenever {@link bytes} are others. */
  view: DataView;
  /** The buffer that {@link bytes} stand in, and where in it. */
  buffer: ArrayBufferLike;
  base: number;
  length = 0;
  private engine: TextEngine | undefined = undefined;
  /** For terminals without UTF-8: our own signs become ASCII, other characters escapes. */
  asciiOnly = false;

  constructor(size = 1 << 16) {
    this.held = new Uint8Array(size);
    this.buffer = this.held.buffer;
    this.base = this.held.byteOffset;
    this.view = new DataView(this.buffer, this.base, this.held.length);
  }

  /** What is written to; the first {@link length} octets are text. */
  get bytes(): Uint8Array {
    return this.held;
  }
  set bytes(octets: Uint8Array) {
    this.held = octets;
    this.buffer = octets.buffer;
    this.base = octets.byteOffset;
    this.view = new DataView(this.buffer, this.base, octets.length);
    this.engine = undefined;
  }

  /** Have `engine` write what it can, as long as {@link bytes} stay the same. */
  writeBy(engine: TextEngine): void {
    this.engine = engine;
  }

  /** Make room for `more` octets. */
  room(more: number): void {
    // Short enough for the engine to put it wherever it is called.
    if (this.length + more > this.held.length) this.grow(this.length + more);
  }

  private grow(need: number): void {
    let size = this.bytes.length * 2;
    while (size < need) size *= 2;
    const bigger = new Uint8Array(size);
    bigger.set(this.bytes.subarray(0, this.length));
    this.bytes = bigger;
  }

  /** One octet. */
  byte(octet: number): void {
    if (this.length === this.bytes.length) this.room(1);
    this.bytes[this.length++] = octet;
  }

  /** Octets as they are. */
  raw(octets: Uint8Array): void {
    const n = octets.length;
    this.room(n);
    // A loop is quicker than `set` for what is usually a key of a few octets.
    if (n < 64) {
      const { bytes } = this;
      let at = this.length;
      for (let i = 0; i < n; i++) bytes[at++] = octets[i]!;
      this.length = at;
      return;
    }
    this.bytes.set(octets, this.length);
    this.length += n;
  }

  /** Text that was made ready beforehand. */
  fixed(text: FixedText): void {
    this.room(text.length + 8);
    this.length = text.put(this.view, this.length);
  }

  /** One of several such texts. */
  chosen(texts: FixedTexts, which: number): void {
    this.room(texts.room);
    this.length = texts.put(this.view, this.length, which);
  }

  /** ` · `, between what a line says. */
  dot(): void {
    this.fixed(this.asciiOnly ? ASCII_DOT : DOT);
  }

  /** Our own text: ASCII only, no checks. */
  ascii(text: string): void {
    const n = text.length;
    this.room(n);
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < n; i++) bytes[at++] = text.charCodeAt(i);
    this.length = at;
  }

  /** Any text, made safe for a terminal. */
  text(text: string): void {
    const n = text.length;
    this.room(n);
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < n; i++) {
      const code = text.charCodeAt(i);
      if (code < 0x20 || code > 0x7e) {
        this.unicode(safeText(text));
        return;
      }
      bytes[at++] = code;
    }
    this.length = at;
  }

  /** Octets from the wire as UTF-8 text, made safe for a terminal; quicker than by way of a string. */
  octets(octets: Uint8Array, from: number, to: number): void {
    if (!this.octetsIf(OctetKind.Printable, octets, from, to)) this.text(textOf(octets, from, to));
  }

  /** Octets from the wire if all are of a kind; false, and nothing written, if not. */
  octetsIf(kind: OctetKind, octets: Uint8Array, from: number, to: number): boolean {
    if (to <= from) return true;
    this.room(to - from + BEHIND);
    const { bytes, engine } = this;
    if (engine !== undefined && to - from >= WORTH_A_CALL) {
      const end = engine.copy(kind, this.base + this.length, octets, from, to);
      if (end !== 0) {
        this.length = end - this.base;
        return true;
      }
    }
    let at = this.length;
    for (let i = from; i < to; i++) {
      const octet = octets[i]!;
      if ((KINDS[octet]! & (1 << kind)) === 0) return false;
      bytes[at++] = octet;
    }
    this.length = at;
    return true;
  }

  /** Text beyond ASCII that is known to be safe. */
  unicode(text: string): void {
    if (this.asciiOnly) {
      this.ascii(asciiText(text));
      return;
    }
    this.room(text.length * 3);
    this.length += encoder.encodeInto(text, this.bytes.subarray(this.length)).written;
  }

  /** A whole number in decimal; negative and fractional ones too. */
  number(n: number): void {
    this.room(DIGITS_ROOM);
    this.length = putNumeral(this.view, this.length, n);
  }

  /** Those of the numbers that stand in `labels` for which `which` has a bit, the first in the lowest. */
  labelled(labels: Labels, which: number): void {
    this.room(labels.room);
    this.length = labels.put(this.view, this.length, which);
  }

  /** A number with leading zeros: exactly `digits` of them. */
  padded(n: number, digits: number): void {
    this.room(digits);
    let rest = n;
    for (let at = this.length + digits - 1; at >= this.length; at--) {
      const next = Math.floor(rest / 10);
      this.bytes[at] = 48 + (rest - next * 10);
      rest = next;
    }
    this.length += digits;
  }

  /** A number in hex with leading zeros: `digits` of them at least. */
  hex(n: number, digits: number): void {
    if (n > 0xffffffff) {
      this.ascii(n.toString(16).padStart(digits, '0'));
      return;
    }
    let need = digits;
    while (need < 8 && n >>> (4 * need) !== 0) need++;
    this.room(need);
    for (let i = need - 1; i >= 0; i--) this.bytes[this.length++] = DIGITS[i > 7 ? 0 : (n >>> (4 * i)) & 15]!;
  }

  /** Octets in hex, two digits each. */
  hexOctets(octets: Uint8Array, from = 0, to = octets.length): void {
    this.room(2 * (to - from));
    this.length = putHex(this.view, this.length, octets, from, to);
  }

  /** A dotted IPv4 address. */
  ipv4(n: number): void {
    this.room(DIGITS_ROOM);
    this.length = putIpv4(this.view, this.length, n);
  }

  /** A hardware address with colons. */
  ether(octets: Uint8Array, at: number, count = 6): void {
    this.room(3 * count);
    for (let i = 0; i < count; i++) {
      if (i) this.bytes[this.length++] = 58;
      const octet = octets[at + i]!;
      this.bytes[this.length++] = DIGITS[octet >> 4]!;
      this.bytes[this.length++] = DIGITS[octet & 15]!;
    }
  }

  /** Spaces until `column` octets after `from`; for text of one octet a character. */
  pad(from: number, column: number): void {
    let missing = from + column - this.length;
    if (missing <= 0) return;
    this.room(missing);
    while (missing-- > 0) this.bytes[this.length++] = 32;
  }

  /** A JSON string with its quotes. */
  json(text: string): void {
    const n = text.length;
    this.room(n + 2);
    const { bytes } = this;
    let at = this.length;
    bytes[at++] = 34;
    for (let i = 0; i < n; i++) {
      const code = text.charCodeAt(i);
      if (code < 0x20 || code > 0x7e || code === 34 || code === BACKSLASH) {
        this.jsonSlow(text);
        return;
      }
      bytes[at++] = code;
    }
    bytes[at++] = 34;
    this.length = at;
  }

  private jsonSlow(text: string): void {
    // JSON.stringify escapes C0, quotes and lone surrogates; what else could steer a terminal is escaped here.
    this.unicode(JSON.stringify(text).replace(UNSAFE_ALL, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`));
  }

  /** A JSON string with its quotes, from octets of the wire: UTF-8 with U+FFFD for what is not. */
  jsonText(octets: Uint8Array, from: number, to: number): void {
    this.byte(34);
    if (this.octetsIf(OctetKind.Plain, octets, from, to)) return this.byte(34);
    this.length--;
    this.json(textOf(octets, from, to));
  }

  /** A JSON string from octets that are safe UTF-8 already: only quotes and backslashes are escaped. */
  jsonOctets(octets: Uint8Array, length: number): void {
    this.room(2 * length + 2);
    const { bytes } = this;
    let at = this.length;
    bytes[at++] = 34;
    for (let i = 0; i < length; i++) {
      const octet = octets[i]!;
      if (octet === 34 || octet === BACKSLASH) bytes[at++] = BACKSLASH;
      bytes[at++] = octet;
    }
    bytes[at++] = 34;
    this.length = at;
  }

  /** What was written, as text. */
  toString(from = 0): string {
    return decoder.decode(this.bytes.subarray(from, this.length));
  }

  clear(): void {
    this.length = 0;
  }
}

const decoder = new TextDecoder();
