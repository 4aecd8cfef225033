/** Arrays of bulk strings, and single ones: nearly all commands and many replies are nothing else. */
import { plainNumber } from '../core/digits.js';
import { CR, DOLLAR, LF, STAR } from './resp-elements.js';

/** A number has so many digits at most; what has more is no common form. */
const MOST_DIGITS = 9;
/** Octets that a bulk string takes at least: `$0`, its line end, and the one behind nothing. */
const LEAST_BULK = 6;

/** Where the bulk strings of one message stand; as many as there were at most in one. */
export class BulkStrings {
  count = 0;
  /** Where each begins and ends, in turn. */
  places = new Int32Array(64);

  /** Find the strings of the message `[start, end)`; false, and none found, when there is anything else in it. */
  read(b: Uint8Array, start: number, end: number): boolean {
    this.count = 0;
    if (b[start] === DOLLAR) return this.readSome(b, start, end, 1);
    if (b[start] !== STAR) return false;
    let line = start + 1;
    const stop = Math.min(end - 1, line + MOST_DIGITS);
    while (line < stop && b[line] !== CR) line++;
    if (line >= end - 1 || b[line] !== CR || b[line + 1] !== LF) return false;
    return this.readSome(b, line + 2, end, plainNumber(b, start + 1, line, MOST_DIGITS));
  }

  private readSome(b: Uint8Array, from: number, end: number, count: number): boolean {
    if (count <= 0 || count > (end - from) / LEAST_BULK) return false;
    if (2 * count > this.places.length) this.places = new Int32Array(4 * count);
    const { places } = this;
    let next = from;
    for (let i = 0; i < 2 * count; i += 2) {
      // `$16` and a line end. Strings are short, hence their lengths are read here, digit by digit.
      if (b[next] !== DOLLAR) return false;
      let length = b[++next]! - 48;
      if (!(length >= 0 && length <= 9)) return false;
      const least = next + MOST_DIGITS;
      for (next++; next < end && b[next] !== CR; next++) {
        const digit = b[next]! - 48;
        if (digit < 0 || digit > 9 || next >= least) return false;
        length = length * 10 + digit;
      }
      next += 2;
      if (b[next - 1] !== LF || next + length + 2 > end) return false;
      places[i] = next;
      places[i + 1] = next + length;
      next += length + 2;
    }
    if (next !== end) return false;
    this.count = count;
    return true;
  }
}
