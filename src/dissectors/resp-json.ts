/** The JSON of the messages that Redis traffic is made of, straight from their octets. */
import { DIGITS_ROOM, plainNumber, putHex, putSeconds, putWhole } from '../core/digits.js';
import { FixedText } from '../core/fixed-text.js';
import type { Answer } from '../core/frame.js';
import type { TextBuffer } from '../core/text.js';

const CR = 13;
const LF = 10;
const STAR = 0x2a;
const DOLLAR = 0x24;
const PLUS = 0x2b;
const MINUS = 0x2d;
const COLON = 0x3a;
const COMMA = 0x2c;
const QUOTE = 0x22;
/** A quote with a comma behind it, as they are stored. */
const QUOTE_COMMA = QUOTE | (COMMA << 8);
const END_LIST = 0x5d;
const END_OBJECT = 0x7d;

const ARRAY = new FixedText(',"array":{"length":[');
const BULK = new FixedText(',"bulk_string":{"length":[');
const VALUE = new FixedText(',"value":[');
const END = new FixedText(']}');
const INTEGER = new FixedText(',"integer":[');
const STRING = new FixedText(',"string":[');
const ERROR = new FixedText(',"error":[');
const RESPONSE_TO = new FixedText(',"response_to":');
const TIME = new FixedText(',"time":');

/** A number has so many digits at most; what has more is no common form. */
const MOST_DIGITS = 9;
/** A line has so many octets at most. */
const MOST_LINE = 256;

/**
 * Write the JSON of an array of bulk strings, or of a single string, error, number or bulk string, as what Resp's walk
 * finds would be written; false, and nothing written, when `[start, end)` is none of them and nothing else.
 */
export function writePlainMessage(out: TextBuffer, b: Uint8Array, start: number, end: number): boolean {
  const type = b[start]!;
  if (type === DOLLAR) return writeBulk(out, b, start, end, 1);
  const line = lineOf(b, start, end);
  if (line < 0) return false;
  if (type === STAR) {
    const count = plainNumber(b, start + 1, line, MOST_DIGITS);
    if (!(count > 0) || !writeBulk(out, b, line + 2, end, count)) return false;
    out.fixed(ARRAY);
    out.number(count);
    out.fixed(END);
    return true;
  }
  if (line + 2 !== end) return false;
  if (type === COLON) {
    const n = plainNumber(b, start + 1, line, MOST_DIGITS);
    if (n < 0) return false;
    out.fixed(INTEGER);
    out.number(n);
  } else if (type === PLUS || type === MINUS) {
    out.fixed(type === PLUS ? STRING : ERROR);
    out.jsonText(b, start + 1, line);
  } else return false;
  out.byte(END_LIST);
  return true;
}

/** Write what a reply says about its command. */
export function writeAnswer(out: TextBuffer, { request, time }: Answer): void {
  out.fixed(RESPONSE_TO);
  out.number(request);
  out.fixed(TIME);
  out.room(2 * DIGITS_ROOM);
  out.length = putSeconds(out.view, out.length, time as number);
}

/** Where the CR LF of the line at `from` stands, or -1. */
function lineOf(b: Uint8Array, from: number, end: number): number {
  const stop = Math.min(end - 1, from + MOST_LINE);
  for (let i = from; i < stop; i++)
    if (b[i] === LF) return -1;
    else if (b[i] === CR) return b[i + 1] === LF ? i : -1;
  return -1;
}

/** Octets that a bulk string takes at least: `$0`, its line end, and the one behind nothing. */
const LEAST_BULK = 6;

/** Where the bulk strings of a message begin and end, in turn; as many as there were at most in one. */
let places = new Int32Array(64);

/** Write the lengths and the octets of `count` bulk strings; false, and nothing written, when `[from, end)` is not just those. */
function writeBulk(out: TextBuffer, b: Uint8Array, from: number, end: number, count: number): boolean {
  if (count > (end - from) / LEAST_BULK) return false;
  if (2 * count > places.length) places = new Int32Array(4 * count);
  const mark = out.length;
  out.room(BULK.length + VALUE.length + count * (DIGITS_ROOM + 4) + 2 * (end - from) + DIGITS_ROOM);
  const { view } = out;
  let at = BULK.put(view, mark);
  let next = from;
  let any = false;
  for (let i = 0; i < count; i++) {
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
    if (i > 0) view.setUint8(at++, COMMA);
    at = putWhole(view, at, length);
    any ||= length > 0;
    places[2 * i] = next;
    places[2 * i + 1] = next + length;
    next += length + 2;
  }
  if (next !== end) return false;
  view.setUint8(at++, END_LIST);
  if (any) {
    at = VALUE.put(view, at);
    for (let i = 0; i < count; i++) {
      const to = places[2 * i + 1]!;
      const begin = places[2 * i]!;
      if (to === begin) continue;
      view.setUint8(at, QUOTE);
      at = putHex(view, at + 1, b, begin, to);
      view.setUint16(at, QUOTE_COMMA, true);
      at += 2;
    }
    // Over the last comma.
    view.setUint8(at - 1, END_LIST);
  }
  view.setUint8(at++, END_OBJECT);
  out.length = at;
  return true;
}
