/**
 * Raw DEFLATE: octets that were compressed, as they were before.
 *
 * RFC 1951. Bits are taken from the lowest of an octet on; codes are read bit by bit against the counts of codes of each
 * length, which needs no tables beyond the lengths themselves.
 */

const MOST_BITS = 15;
const END_OF_BLOCK = 256;
const LITERAL_CODES = 286;
const DISTANCE_CODES = 30;

/** Section 3.2.5: what a length code begins with, and the bits that are added. */
const LENGTH_BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385,
  24577,
];
const DISTANCE_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
/** Section 3.2.7: the order of the lengths of the code of lengths. */
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** A canonical Huffman code (section 3.2.2): codes of each length, and the symbols in the order of their codes. */
interface Code {
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
}

function codeOf(lengths: Uint8Array): Code {
  const counts = new Uint16Array(MOST_BITS + 1);
  for (const length of lengths) counts[length]!++;
  counts[0] = 0;
  const places = new Uint16Array(MOST_BITS + 2);
  for (let bits = 1; bits <= MOST_BITS; bits++) places[bits + 1] = places[bits]! + counts[bits]!;
  const symbols = new Uint16Array(lengths.length);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]!;
    if (length !== 0) symbols[places[length]!++] = symbol;
  }
  return { counts, symbols };
}

let fixed: readonly [literals: Code, distances: Code] | undefined;

/** Section 3.2.6. */
function fixedCodes(): readonly [literals: Code, distances: Code] {
  if (fixed !== undefined) return fixed;
  const lengths = new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280);
  return (fixed = [codeOf(lengths), codeOf(new Uint8Array(DISTANCE_CODES).fill(5))]);
}

/** What is wrong shows as a number below 0, which ends each loop: there is nothing to tell but that it cannot be read. */
const BROKEN = -1;

class Bits {
  private at: number;
  private held = 0;
  private count = 0;

  constructor(
    private readonly bytes: Uint8Array,
    start: number,
    private readonly end: number,
  ) {
    this.at = start;
  }

  take(need: number): number {
    while (this.count < need) {
      if (this.at >= this.end) return BROKEN;
      this.held |= this.bytes[this.at++]! << this.count;
      this.count += 8;
    }
    const value = this.held & ((1 << need) - 1);
    this.held >>>= need;
    this.count -= need;
    return value;
  }

  /** The next symbol; each turn takes a bit, and no code has more than fifteen. */
  symbol({ counts, symbols }: Code): number {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= MOST_BITS; length++) {
      const bit = this.take(1);
      if (bit < 0) return BROKEN;
      code |= bit;
      const count = counts[length]!;
      if (code - count < first) return symbols[index + (code - first)]!;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    return BROKEN;
  }

  /** Stored octets begin on an octet of their own (section 3.2.4). */
  stored(): { readonly from: number; readonly to: number } | undefined {
    this.held = this.count = 0;
    if (this.at + 4 > this.end) return undefined;
    const length = this.bytes[this.at]! | (this.bytes[this.at + 1]! << 8);
    const check = this.bytes[this.at + 2]! | (this.bytes[this.at + 3]! << 8);
    const from = this.at + 4;
    if ((length ^ check) !== 0xffff || from + length > this.end) return undefined;
    this.at = from + length;
    return { from, to: this.at };
  }
}

/** Section 3.2.7: a block's own codes, their lengths compressed in turn. */
function ownCodes(bits: Bits): readonly [literals: Code, distances: Code] | undefined {
  const literals = bits.take(5) + 257;
  const distances = bits.take(5) + 1;
  const lengths = bits.take(4) + 4;
  if (literals > LITERAL_CODES || distances > DISTANCE_CODES || lengths < 4) return undefined;
  const order = new Uint8Array(19);
  for (let i = 0; i < lengths; i++) {
    const length = bits.take(3);
    if (length < 0) return undefined;
    order[LENGTH_ORDER[i]!] = length;
  }
  const code = codeOf(order);
  const all = new Uint8Array(literals + distances);
  // Each turn fills in one length at least.
  for (let i = 0; i < all.length; ) {
    const symbol = bits.symbol(code);
    if (symbol < 0) return undefined;
    if (symbol < 16) {
      all[i++] = symbol;
      continue;
    }
    if (symbol === 16 && i === 0) return undefined;
    const length = symbol === 16 ? all[i - 1]! : 0;
    const more = symbol === 16 ? bits.take(2) : symbol === 17 ? bits.take(3) : bits.take(7);
    const times = more + (symbol === 18 ? 11 : 3);
    if (more < 0 || i + times > all.length) return undefined;
    all.fill(length, i, i + times);
    i += times;
  }
  return all[END_OF_BLOCK] === 0 ? undefined : [codeOf(all.subarray(0, literals)), codeOf(all.subarray(literals))];
}

/**
 * What the octets `[start, end)` are inflated; undefined when they are no whole DEFLATE stream, or inflate to more than
 * `most` octets.
 */
export function inflate(bytes: Uint8Array, start: number, end: number, most: number): Uint8Array | undefined {
  const bits = new Bits(bytes, start, end);
  let out = new Uint8Array(Math.min(most, 1024));
  let at = 0;
  const room = (more: number): boolean => {
    if (at + more > most) return false;
    if (at + more > out.length) {
      const wider = new Uint8Array(Math.min(most, Math.max(at + more, out.length * 2)));
      wider.set(out);
      out = wider;
    }
    return true;
  };
  for (;;) {
    const last = bits.take(1);
    const kind = bits.take(2);
    if (last < 0 || kind < 0 || kind === 3) return undefined;
    if (kind === 0) {
      const stored = bits.stored();
      if (stored === undefined || !room(stored.to - stored.from)) return undefined;
      out.set(bytes.subarray(stored.from, stored.to), at);
      at += stored.to - stored.from;
    } else {
      const codes = kind === 1 ? fixedCodes() : ownCodes(bits);
      if (codes === undefined) return undefined;
      const [literals, distances] = codes;
      for (let symbol = bits.symbol(literals); symbol !== END_OF_BLOCK; symbol = bits.symbol(literals)) {
        if (symbol < 0) return undefined;
        if (symbol < END_OF_BLOCK) {
          if (!room(1)) return undefined;
          out[at++] = symbol;
          continue;
        }
        const code = symbol - END_OF_BLOCK - 1;
        if (code >= LENGTH_BASE.length) return undefined;
        const extra = bits.take(LENGTH_BITS[code]!);
        const far = bits.symbol(distances);
        if (extra < 0 || far < 0 || far >= DISTANCE_BASE.length) return undefined;
        const back = bits.take(DISTANCE_BITS[far]!);
        const length = LENGTH_BASE[code]! + extra;
        const distance = DISTANCE_BASE[far]! + back;
        if (back < 0 || distance > at || !room(length)) return undefined;
        // Octet by octet, as a copy may read what it writes.
        for (let i = 0; i < length; i++, at++) out[at] = out[at - distance]!;
      }
    }
    if (last === 1) return out.subarray(0, at);
  }
}
