/** What the functions have in common that json-compile.ts and json-plain.ts make from a protocol's table: pieces of text, and the writer behind them. */
import { DIGITS_ROOM } from '../core/digits.js';
import type { Field } from '../core/field.js';
import type { FixedText } from '../core/fixed-text.js';
import type { Frame } from '../core/frame.js';
import type { Layer } from '../core/layer.js';
import type { TextBuffer } from '../core/text.js';
import type { Found } from './json-found.js';
import type { JsonNode, Layout } from './json-layout.js';

/** Writes the object of a layer under `key`, which has a comma before it. */
export type WriteLayer = (out: TextBuffer, layer: Layer, key: FixedText) => void;

/** What the functions leave to the writer. */
export interface RowWriter {
  /** One key with its value, if it has one. */
  member(out: TextBuffer, node: JsonNode, layer: Layer, found: Found | undefined): void;
  /** Everything that the walk of a layer found. */
  scopeOf(layer: Layer): Found;
  /** The keys that only a walk finds. */
  walkedKeys(out: TextBuffer, layout: Layout, layer: Layer): void;
  /** The Info column and a quote behind it; it stands in the frame's own object. */
  info(out: TextBuffer, frame: Frame): void;
  /** `frame.protocols` of the frame under way. */
  protocols(out: TextBuffer): void;
}

/** Octets that the value of a row takes at most, where it is written in place. */
export const VALUE_ROOM = 2 * DIGITS_ROOM;

/** Longest text of a run that is kept; octets that a run takes at most. */
export const MOST_RUN_TEXT = 2048;

/** Octets that the number of a protocol that occurs again takes at most. */
export const KEY_ROOM = 16;

/** Types whose values are unsigned and have 32 bits at most. */
export const UNSIGNED = /^uint(8|16|24|32)$|^frame$/;

/** `octets` octets behind `p` as a word, the first one highest; 0 for none. */
export function wordAt(p: string, from: number, octets: number): string {
  if (octets <= 0) return '0';
  const parts = Array.from({ length: octets }, (_, i) => {
    const shift = 8 * (octets - 1 - i);
    const octet = `bytes[${p}${from + i === 0 ? '' : ` + ${from + i}`}]`;
    return shift === 0 ? octet : `(${octet} << ${shift})`;
  });
  return parts.length === 1 ? parts[0]! : `(${parts.join(' | ')})`;
}

/** How a value is written: an unsigned or a signed number of 32 bits, a flag, an address, nanoseconds as seconds. */
export type ValueKind = 'word' | 'int' | 'bool' | 'ipv4' | 'seconds';

/** One to four octets, so many behind the first of their layer. */
export interface Octets {
  readonly from: number;
  readonly count: number;
}

/** A value at a fixed place: octets, the first one highest, of which `mask` says which bits, down to bit `shift`. */
export interface InPlace {
  readonly how: ValueKind;
  readonly octets: Octets;
  readonly mask: number | undefined;
  readonly shift: number;
}

/** How the value of a row at a fixed place is found. Undefined where there is more to it. */
export function inPlace({ offset, length, type, options: { mask, little }, shift }: Field): InPlace | undefined {
  if (typeof offset !== 'number' || offset < 0 || typeof length !== 'number' || length < 1 || length > 4 || little) return undefined;
  const octets = { from: offset, count: length };
  if (type === 'ipv4') return mask === undefined ? { how: 'ipv4', octets, mask, shift: 0 } : undefined;
  if (type !== 'bool' && !/^uint(8|16|24|32)$/.test(type)) return undefined;
  if (mask !== undefined && (mask <= 0 || mask > 0x7fff_ffff)) return undefined;
  return { how: type === 'bool' ? 'bool' : 'word', octets, mask, shift: mask === undefined ? 0 : shift };
}

/** The same, read from the octets at `p`. */
export function readInPlace(row: Field): { readonly how: ValueKind; readonly value: string } | undefined {
  const found = inPlace(row);
  if (found === undefined) return undefined;
  const { how, octets, mask, shift } = found;
  const word = wordAt('p', 0, octets.count);
  const masked = mask === undefined ? word : `(${word} & ${mask}) >>> ${shift}`;
  return how === 'bool' ? { how, value: `(${masked}) !== 0` } : { how, value: masked };
}

const decoder = new TextDecoder();

/**
 * Stores of octets known beforehand, from `from` octets behind `at` on: eight at a time, the last of them with some that are
 * then overwritten.
 */
export function storesOf(octets: Uint8Array, from = 0): string {
  const padded = new DataView(new ArrayBuffer((octets.length + 7) & ~7));
  new Uint8Array(padded.buffer).set(octets);
  let stores = '';
  for (let i = 0; i < octets.length; i += 8) {
    const place = from + i === 0 ? 'at' : `at + ${from + i}`;
    // A short rest as a number that the reader of the code can tell; neither kind of number is changed on its way.
    if (octets.length - i <= 4) stores += `view.setInt32(${place}, ${padded.getInt32(i, true)}, true); `;
    else stores += `view.setFloat64(${place}, ${padded.getFloat64(i, true)}, true); `;
  }
  return stores;
}

/** A comment that shows octets. */
export const shown = (octets: Uint8Array): string => `// ${decoder.decode(octets)}`;
