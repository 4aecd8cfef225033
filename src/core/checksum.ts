/** The Internet checksum. RFC 1071. */

/** Ones-complement sum of `[from, to)`, not yet folded; an odd last octet counts as the high half of a word. `sum` carries on an earlier one. */
export function sumWords(bytes: Uint8Array, from: number, to: number, sum = 0): number {
  let total = sum;
  let i = from;
  for (; i + 1 < to; i += 2) total += (bytes[i]! << 8) | bytes[i + 1]!;
  if (i < to) total += bytes[i]! << 8;
  return total;
}

/** Fold a sum to the 16-bit checksum that makes it come out as 0; 0 when the summed octets include a right checksum. */
export function foldChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}
