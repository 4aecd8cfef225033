/**
 * Reading numbers from octets. Every reader takes an absolute index and trusts its caller to have checked the bounds;
 * past the end it yields 0 bits, never an exception.
 */

/** Reads a number at a place; the caller has checked that its octets are there. */
export type Read<V> = (bytes: Uint8Array, at: number) => V;

/** One octet. */
export const u8: Read<number> = (b, at) => b[at]!;
/** Two octets in network order. */
export const u16: Read<number> = (b, at) => (b[at]! << 8) | b[at + 1]!;
/** Three octets in network order. */
export const u24: Read<number> = (b, at) => (b[at]! << 16) | (b[at + 1]! << 8) | b[at + 2]!;
/** Four octets in network order. */
export const u32: Read<number> = (b, at) => ((b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!) >>> 0;
/** The same as a signed number, which the engine holds without a box. */
export const i32: Read<number> = (b, at) => (b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!;
/** Six octets in network order. */
export const u48: Read<number> = (b, at) => u16(b, at) * 0x1_0000_0000 + u32(b, at + 2);
/** Eight octets in network order. */
export const u64: Read<bigint> = (b, at) => (BigInt(u32(b, at)) << 32n) | BigInt(u32(b, at + 4));

/** Two octets, the lowest first. */
export const u16le: Read<number> = (b, at) => b[at]! | (b[at + 1]! << 8);
/** Three octets, the lowest first. */
export const u24le: Read<number> = (b, at) => b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16);
/** Four octets, the lowest first. */
export const u32le: Read<number> = (b, at) => (b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24)) >>> 0;
/** Eight octets, the lowest first. */
export const u64le: Read<bigint> = (b, at) => (BigInt(u32le(b, at + 4)) << 32n) | BigInt(u32le(b, at));

/** Two lower-case hex digits for each octet value. */
export const HEX: readonly string[] = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'));

/** Octets as lower-case hex without separators: `0402`. */
export function hexOf(bytes: Uint8Array, from = 0, to = bytes.length, separator = ''): string {
  let text = '';
  for (let i = from; i < to; i++) text += (i > from ? separator : '') + HEX[bytes[i]!];
  return text;
}

const utf8 = new TextDecoder('utf-8');
const latin1 = new TextDecoder('latin1');

/** Below so many octets a loop beats the set-up of the decoder. */
const SHORT = 48;

/** Octets as text, UTF-8 with U+FFFD for what is not. */
export function textOf(bytes: Uint8Array, from: number, to: number): string {
  const length = to - from;
  if (length <= 0) return '';
  if (length < SHORT) {
    let text = '';
    for (let i = from; i < to; i++) {
      const octet = bytes[i]!;
      if (octet >= 0x80) return utf8.decode(bytes.subarray(from, to));
      text += String.fromCharCode(octet);
    }
    return text;
  }
  return utf8.decode(bytes.subarray(from, to));
}

/** Octets as ISO 8859-1 text: one character an octet, nothing lost. */
export function latin1Of(bytes: Uint8Array, from: number, to: number): string {
  if (to - from >= SHORT) return latin1.decode(bytes.subarray(from, to));
  let text = '';
  for (let i = from; i < to; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/**
 * What octets tell that come again and again in a capture, such as names and methods: each is made once and then found by
 * its octets, which costs less than making it and leaves nothing to collect. Holds so many at most as it has slots, and
 * nothing that came but once: what never comes again need not be put anywhere.
 */
export class Recalled<V> {
  private readonly octets: (Uint8Array | undefined)[];
  private readonly values: (V | undefined)[];
  /** Of what came last to each slot and was not found there. */
  private readonly hashes: Int32Array;

  /** `slots`: a power of two; `make`: what the octets `[from, to)` tell; more than `most` of them are not kept. */
  constructor(
    private readonly slots: number,
    private readonly make: (bytes: Uint8Array, from: number, to: number) => V,
    private readonly most = 64,
  ) {
    this.octets = new Array<Uint8Array | undefined>(slots).fill(undefined);
    this.values = new Array<V | undefined>(slots).fill(undefined);
    this.hashes = new Int32Array(slots);
  }

  of(bytes: Uint8Array, from: number, to: number): V {
    const length = to - from;
    if (length > this.most || length <= 0) return this.make(bytes, from, to);
    let hash = length;
    for (let i = from; i < to; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
    const slot = (hash ^ (hash >>> 9)) & (this.slots - 1);
    const known = this.octets[slot];
    if (known !== undefined && known.length === length) {
      let same = 0;
      while (same < length && known[same] === bytes[from + same]) same++;
      if (same === length) return this.values[slot]!;
    }
    const value = this.make(bytes, from, to);
    if (this.hashes[slot] !== hash) {
      this.hashes[slot] = hash;
      return value;
    }
    this.octets[slot] = bytes.slice(from, to);
    this.values[slot] = value;
    return value;
  }
}

/** Texts that come again and again, such as methods, versions and content types. */
export class Texts extends Recalled<string> {
  constructor(slots = 256) {
    super(slots, textOf);
  }
}

/** Order of two octet strings as of text: the first difference decides, then the length. */
export function compareOctets(a: Uint8Array, b: Uint8Array): number {
  const n = a.length < b.length ? a.length : b.length;
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
