/** Numbers of variable length (RFC 9000 section 16): the two highest bits of the first octet say how many octets there are. */
import { u16, u32 } from '../core/octets.js';

/** Octets of the number at `at`: 1, 2, 4 or 8. */
export const varintLength = (b: Uint8Array, at: number): number => 1 << (b[at]! >> 6);

/** The number at `at`; above 2^53 the nearest that can be held. The caller has checked that its octets are there. */
export function varint(b: Uint8Array, at: number): number {
  switch (b[at]! >> 6) {
    case 0:
      return b[at]!;
    case 1:
      return u16(b, at) & 0x3fff;
    case 2:
      return u32(b, at) & 0x3fff_ffff;
    default:
      return (u32(b, at) & 0x3fff_ffff) * 0x1_0000_0000 + u32(b, at + 4);
  }
}

/** The same, exactly. */
export function bigVarint(b: Uint8Array, at: number): bigint {
  if (b[at]! >> 6 !== 3) return BigInt(varint(b, at));
  return (BigInt(u32(b, at) & 0x3fff_ffff) << 32n) | BigInt(u32(b, at + 4));
}
