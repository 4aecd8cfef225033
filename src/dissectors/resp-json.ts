/** The JSON of the messages that Redis traffic is made of, straight from their octets. */
import { DIGITS_ROOM, plainNumber, putHex, putSeconds, putWhole } from '../core/digits.js';
import { FixedText } from '../core/fixed-text.js';
import type { Answer } from '../core/frame.js';
import type { TextBuffer } from '../core/text.js';
import { COLON, CR, LF, MINUS, PLUS } from './resp-elements.js';
import type { BulkStrings } from './resp-strings.js';

const COMMA = 0x2c;
const QUOTE = 0x22;
/** A quote with a comma behind it, as they are stored. */
const QUOTE_COMMA = QUOTE | (COMMA << 8);
const END_LIST = 0x5d;
const END_OBJECT = 0x7d;

const BULK = new FixedText(',"bulk_string":{"length":[');
const VALUE = new FixedText(',"value":[');
const ARRAY = new FixedText(',"array":{"length":[');
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
 * Write the JSON of a single string, error or number, as what Resp's walk finds would be written; false, and nothing
 * written, when `[start, end)` is none of them and nothing else.
 */
export function writeLine(out: TextBuffer, b: Uint8Array, start: number, end: number): boolean {
  const line = lineOf(b, start, end);
  if (line < 0 || line + 2 !== end) return false;
  const type = b[start]!;
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

/** Where the CR LF of the line at `from` stands, or -1. */
function lineOf(b: Uint8Array, from: number, end: number): number {
  const stop = Math.min(end - 1, from + MOST_LINE);
  for (let i = from; i < stop; i++)
    if (b[i] === LF) return -1;
    else if (b[i] === CR) return b[i + 1] === LF ? i : -1;
  return -1;
}

/** Write the lengths and the octets of bulk strings, and that they are an array if they are one. */
export function writeStrings(out: TextBuffer, b: Uint8Array, { count, places }: BulkStrings, isArray: boolean): void {
  const last = 2 * count - 1;
  out.room(BULK.length + VALUE.length + ARRAY.length + count * (DIGITS_ROOM + 4) + 2 * (places[last]! - places[0]!) + 2 * DIGITS_ROOM);
  const { view } = out;
  let at = BULK.put(view, out.length);
  let any = false;
  for (let i = 0; i < last; i += 2) {
    if (i > 0) view.setUint8(at++, COMMA);
    const length = places[i + 1]! - places[i]!;
    at = putWhole(view, at, length);
    any ||= length > 0;
  }
  view.setUint8(at++, END_LIST);
  if (any) {
    at = VALUE.put(view, at);
    for (let i = 0; i < last; i += 2) {
      const from = places[i]!;
      const to = places[i + 1]!;
      if (to === from) continue;
      view.setUint8(at, QUOTE);
      at = putHex(view, at + 1, b, from, to);
      view.setUint16(at, QUOTE_COMMA, true);
      at += 2;
    }
    // Over the last comma.
    view.setUint8(at - 1, END_LIST);
  }
  view.setUint8(at++, END_OBJECT);
  if (isArray) {
    at = ARRAY.put(view, at);
    at = putWhole(view, at, count);
    at = END.put(view, at);
  }
  out.length = at;
}

/** Write what a reply says about its command. */
export function writeAnswer(out: TextBuffer, { request, time }: Answer): void {
  out.room(RESPONSE_TO.length + TIME.length + 3 * DIGITS_ROOM);
  const { view } = out;
  let at = RESPONSE_TO.put(view, out.length);
  at = putWhole(view, at, request);
  at = TIME.put(view, at);
  out.length = putSeconds(view, at, time as number);
}
