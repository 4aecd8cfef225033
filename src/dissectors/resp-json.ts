/** The JSON of the messages that Redis traffic is made of, straight from their octets. */
import { DIGITS_ROOM, putNumeral, putSeconds } from '../core/digits.js';
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

const ARRAY = new FixedText(',"array":{"length":[');
const BULK = new FixedText(',"bulk_string":{"length":[');
const VALUE = new FixedText(',"value":[');
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
  const line = lineOf(b, start, end);
  if (line < 0) return false;
  const type = b[start]!;
  switch (type) {
    case STAR: {
      const count = numberIn(b, start + 1, line);
      if (!(count > 0) || !areBulk(b, line + 2, end, count)) return false;
      writeBulk(out, b, line + 2, count);
      out.fixed(ARRAY);
      out.number(count);
      out.byte(0x5d);
      out.byte(0x7d);
      return true;
    }
    case DOLLAR:
      if (!areBulk(b, start, end, 1)) return false;
      writeBulk(out, b, start, 1);
      return true;
  }
  if (line + 2 !== end) return false;
  if (type === COLON) {
    const n = numberIn(b, start + 1, line);
    if (n < 0) return false;
    out.fixed(INTEGER);
    out.number(n);
  } else if (type === PLUS || type === MINUS) {
    out.fixed(type === PLUS ? STRING : ERROR);
    out.jsonText(b, start + 1, line);
  } else return false;
  out.byte(0x5d);
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

/** The number in `[from, to)`; -1 when it is none, has a sign or too many digits. */
function numberIn(b: Uint8Array, from: number, to: number): number {
  if (to === from || to - from > MOST_DIGITS) return -1;
  let n = 0;
  for (let i = from; i < to; i++) {
    const digit = b[i]! - 48;
    if (digit < 0 || digit > 9) return -1;
    n = n * 10 + digit;
  }
  return n;
}

/** True when `[from, end)` is `count` bulk strings, each whole. */
function areBulk(b: Uint8Array, from: number, end: number, count: number): boolean {
  let at = from;
  for (let i = 0; i < count; i++) {
    const line = b[at] === DOLLAR ? lineOf(b, at, end) : -1;
    if (line < 0) return false;
    const length = numberIn(b, at + 1, line);
    at = line + 2 + length + 2;
    if (length < 0 || at > end) return false;
  }
  return at === end;
}

/** Write the lengths and the octets of `count` bulk strings that {@link areBulk} has seen. */
function writeBulk(out: TextBuffer, b: Uint8Array, from: number, count: number): void {
  out.fixed(BULK);
  let any = false;
  for (let i = 0, at = from; i < count; i++) {
    const line = lineOf(b, at, b.length);
    const length = numberIn(b, at + 1, line);
    if (i > 0) out.byte(COMMA);
    out.room(DIGITS_ROOM);
    out.length = putNumeral(out.view, out.length, length);
    any ||= length > 0;
    at = line + length + 4;
  }
  out.byte(0x5d);
  if (any) {
    out.fixed(VALUE);
    let first = true;
    for (let i = 0, at = from; i < count; i++) {
      const line = lineOf(b, at, b.length);
      const length = numberIn(b, at + 1, line);
      if (length > 0) {
        if (!first) out.byte(COMMA);
        out.byte(0x22);
        out.hexOctets(b, line + 2, line + 2 + length);
        out.byte(0x22);
        first = false;
      }
      at = line + length + 4;
    }
    out.byte(0x5d);
  }
  out.byte(0x7d);
}
