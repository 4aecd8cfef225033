/**
 * Numbers as digits, several at a time from tables: JSON has thirty numbers a frame. Every function writes at `at` and
 * returns where the digits end; of decimal ones it may write up to {@link DIGITS_ROOM} octets, which the caller makes room
 * for.
 */

const HEX_DIGITS = Uint8Array.from('0123456789abcdef', (c) => c.charCodeAt(0));
/** The two hex digits of an octet, the first one in the lower octet. */
const HEX_PAIR = Uint16Array.from({ length: 256 }, (_, octet) => HEX_DIGITS[octet >> 4]! | (HEX_DIGITS[octet & 15]! << 8));

/** Octets that the functions here may write, including those behind what they are asked for. */
export const DIGITS_ROOM = 24;

/** The digits of 0 to 9999 with leading zeros, the first one in the lowest octet. */
export const FOUR = new Uint32Array(10_000);
/** The same of 0 to 99. */
const TWO = Uint16Array.from({ length: 100 }, (_, n) => (0x30 + ((n / 10) | 0)) | ((0x30 + (n % 10)) << 8));
for (let high = 0; high < 100; high++) for (let low = 0; low < 100; low++) FOUR[100 * high + low] = TWO[high]! | (TWO[low]! << 16);

/** A number below 10 000. Its digits are counted without a branch, which would be foretold wrongly every other time. */
export function putShort(view: DataView, at: number, n: number): number {
  const zeros = ((n - 10) >>> 31) + ((n - 100) >>> 31) + ((n - 1000) >>> 31);
  view.setUint32(at, FOUR[n]! >>> (zeros << 3), true);
  return at + 4 - zeros;
}

/** An unsigned 32-bit number. */
export function putWhole(view: DataView, at: number, n: number): number {
  return putWord(view, at, n | 0);
}

/** An unsigned 32-bit number, given as the signed one of the same bits: the engine hands those on without a box. */
export function putWord(view: DataView, at: number, word: number): number {
  if (word < 0 || word >= 100_000_000) {
    const n = word >>> 0;
    const top = (n / 100_000_000) | 0;
    return putEight(view, putShort(view, at, top), (n - top * 100_000_000) | 0);
  }
  // Eight digits, but for the zeros before the others, counted as above.
  const high = (word / 10_000) | 0;
  const low = word - high * 10_000;
  const above = ((high - 1) >>> 31) + ((high - 10) >>> 31) + ((high - 100) >>> 31) + ((high - 1000) >>> 31);
  const below = (((low - 10) >>> 31) + ((low - 100) >>> 31) + ((low - 1000) >>> 31)) & -(above >>> 2);
  view.setUint32(at, FOUR[high]! >>> (above << 3), true);
  const next = at + 4 - above;
  view.setUint32(next, FOUR[low]! >>> (below << 3), true);
  return next + 4 - below;
}

/** A number below 100 000 000, with leading zeros to eight digits. */
function putEight(view: DataView, at: number, n: number): number {
  const high = (n / 10_000) | 0;
  view.setUint32(at, FOUR[high]!, true);
  view.setUint32(at + 4, FOUR[n - high * 10_000]!, true);
  return at + 8;
}

/** A number below 1 000 000, with leading zeros to six digits: microseconds. */
export function putSix(view: DataView, at: number, n: number): number {
  const high = (n / 10_000) | 0;
  // Of the four digits of what stands above the lower four, the last two.
  view.setUint16(at, FOUR[high]! >>> 16, true);
  view.setUint32(at + 2, FOUR[n - high * 10_000]!, true);
  return at + 6;
}

/** By how many bits a number has: the digits of the largest such number. */
const MOST_DIGITS = Uint8Array.from({ length: 33 }, (_, bits) => String(2 ** bits - 1).length);
/** The smallest number with more digits than the index; with one digit there is no smaller than 0. */
const LEAST = Uint32Array.from({ length: 10 }, (_, digits) => (digits === 0 ? 0 : 10 ** digits));

/** How many digits {@link putWhole} writes. Without branches, each of which would have the code compiled anew when first taken. */
export function digitsOf(n: number): number {
  const most = MOST_DIGITS[32 - Math.clz32(n)]!;
  return n < LEAST[most - 1]! ? most - 1 : most;
}

/** Eight blanks, as one number. */
const BLANKS = new DataView(new Uint8Array(8).fill(32).buffer).getFloat64(0);

/** An unsigned 32-bit number with blanks before it, up to `width` columns, of which there may be many. */
export function putRight(view: DataView, at: number, n: number, width: number): number {
  const from = at + width - digitsOf(n);
  for (let to = at; to < from; to += 8) view.setFloat64(to, BLANKS, true);
  return putWhole(view, from > at ? from : at, n);
}

/** The digits of 0 to 255 with a dot behind them. */
const DOTTED = Uint32Array.from({ length: 256 }, (_, n) => {
  const zeros = n < 10 ? 24 : n < 100 ? 16 : 8;
  return ((FOUR[n]! >>> zeros) | (46 << (32 - zeros))) >>> 0;
});

/** An IPv4 address. */
export function putIpv4(view: DataView, at: number, address: number): number {
  const a = address >>> 24;
  const b = (address >>> 16) & 255;
  const c = (address >>> 8) & 255;
  view.setUint32(at, DOTTED[a]!, true);
  let next = at + (a < 10 ? 2 : a < 100 ? 3 : 4);
  view.setUint32(next, DOTTED[b]!, true);
  next += b < 10 ? 2 : b < 100 ? 3 : 4;
  view.setUint32(next, DOTTED[c]!, true);
  return putShort(view, next + (c < 10 ? 2 : c < 100 ? 3 : 4), address & 255);
}

/** A number below 1 000 000 000, with leading zeros to nine digits: nanoseconds. */
export function putNine(view: DataView, at: number, n: number): number {
  const top = (n / 100_000_000) | 0;
  view.setUint8(at, 0x30 + top);
  return putEight(view, at + 1, n - top * 100_000_000);
}

/** Any number, as JavaScript prints it. */
export function putNumeral(view: DataView, at: number, n: number): number {
  const word = n | 0;
  if (word === n ? word >= 0 : n === word >>> 0) return putWord(view, at, word);
  const text = String(n);
  for (let i = 0; i < text.length; i++) view.setUint8(at + i, text.charCodeAt(i));
  return at + text.length;
}

/** Nanoseconds as seconds with nine decimals: `-0.001000000`. Takes room twice. */
export function putSeconds(view: DataView, at: number, time: number): number {
  // Most are whole nanoseconds and less than a second.
  const whole = time | 0;
  if (whole === time && whole >= 0 && whole < 1_000_000_000) {
    view.setUint16(at, 0x2e30, true);
    return putNine(view, at + 2, whole);
  }
  let rest = Math.round(time);
  let next = at;
  if (rest < 0) {
    view.setUint8(next++, 45);
    rest = -rest;
  }
  const seconds = Math.floor(rest / 1e9);
  next = putNumeral(view, next, seconds);
  view.setUint8(next, 46);
  return putNine(view, next + 1, (rest - seconds * 1e9) | 0);
}

/** Octets `[from, to)` in hex, two digits each. */
export function putHex(view: DataView, at: number, octets: Uint8Array, from: number, to: number): number {
  let next = at;
  let i = from;
  for (; i + 1 < to; i += 2, next += 4) view.setInt32(next, HEX_PAIR[octets[i]!]! | (HEX_PAIR[octets[i + 1]!]! << 16), true);
  if (i === to) return next;
  view.setUint16(next, HEX_PAIR[octets[i]!]!, true);
  return next + 2;
}

/** The number that the digits in `[from, to)` are; -1 when there are none, more than `most`, or other octets among them. */
export function plainNumber(b: Uint8Array, from: number, to: number, most: number): number {
  if (to === from || to - from > most) return -1;
  let n = 0;
  for (let i = from; i < to; i++) {
    const digit = b[i]! - 48;
    if (digit < 0 || digit > 9) return -1;
    n = n * 10 + digit;
  }
  return n;
}
