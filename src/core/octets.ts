/**
 * Reading numbers from octets. Every reader takes an absolute index and trusts its caller to have checked the bounds;
 * past the end it yields 0 bits, never an exception.
 */

export type Read<V> = (bytes: Uint8Array, at: number) => V;

export const u8: Read<number> = (b, at) => b[at]!;
export const u16: Read<number> = (b, at) => (b[at]! << 8) | b[at + 1]!;
export const u24: Read<number> = (b, at) => (b[at]! << 16) | (b[at + 1]! << 8) | b[at + 2]!;
export const u32: Read<number> = (b, at) => ((b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!) >>> 0;
export const u48: Read<number> = (b, at) => u16(b, at) * 0x1_0000_0000 + u32(b, at + 2);
export const u64: Read<bigint> = (b, at) => (BigInt(u32(b, at)) << 32n) | BigInt(u32(b, at + 4));

export const u16le: Read<number> = (b, at) => b[at]! | (b[at + 1]! << 8);
export const u24le: Read<number> = (b, at) => b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16);
export const u32le: Read<number> = (b, at) => (b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24)) >>> 0;
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

/** Octets as text, UTF-8 with U+FFFD for what is not. */
export function textOf(bytes: Uint8Array, from: number, to: number): string {
  const length = to - from;
  if (length <= 0) return '';
  // Short ASCII is the common case, and a loop beats the decoder's set-up there.
  if (length < 24) {
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
export const latin1Of = (bytes: Uint8Array, from: number, to: number): string => latin1.decode(bytes.subarray(from, to));

/** True when two ranges hold the same octets. */
export function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Order of two octet strings as of text: the first difference decides, then the length. */
export function compareOctets(a: Uint8Array, b: Uint8Array): number {
  const n = a.length < b.length ? a.length : b.length;
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
