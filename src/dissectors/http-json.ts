/** The JSON of plain messages of HTTP/1, straight from their octets: what Http's walk finds, without the tree. */
import { DIGITS_ROOM, plainNumber, putNumeral, putSeconds } from '../core/digits.js';
import type { Field } from '../core/field.js';
import { FixedText } from '../core/fixed-text.js';
import type { TextBuffer } from '../core/text.js';
import { eachChunk } from './http-chunks.js';
import type { HttpExchange } from './http-exchange.js';
import { fullUri, type Head } from './http-head.js';
import { COLON, eachPiece, isBlank, lineEnd, SPACE, tokenEnd, trimmed, wordEnd } from './http-lines.js';
import { headerRow, rows, STATUS } from './http-rows.js';

/** What is written of a message: its octets from `start`, of which those up to `captured` are there. */
export interface PlainHttp {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly captured: number;
  readonly head: Head;
  readonly exchange: HttpExchange | undefined;
}

const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const AMPERSAND = 0x26;
const QUESTION = 0x3f;
const TAB = 9;
const END_LIST = 0x5d;
const END_OBJECT = 0x7d;

const REQUEST = new FixedText(',"chat":[true],"request":{"value":true,"method":');
const URI = new FixedText(',"uri":{"value":');
const PATH = new FixedText(',"path":');
const QUERY = new FixedText(',"query":{"value":');
const PARAMETERS = new FixedText(',"parameter":[');
const REQUEST_VERSION = new FixedText('},"version":');
const FULL_URI = new FixedText(',"full_uri":');
const RESPONSE = new FixedText(',"chat":[true],"response":{"value":true,"version":');
const CODE = new FixedText(',"code":{"value":');
const DESCRIPTION = new FixedText(',"desc":');
const PHRASE = new FixedText('},"phrase":');
const CONTENT_LENGTH = new FixedText(',"content_length":[');
const COOKIE_PAIRS = new FixedText(',"cookie_pair":[');
const REQUEST_NUMBER = new FixedText(',"request_number":');
const RESPONSE_NUMBER = new FixedText(',"response_number":');
const PREVIOUS_REQUEST = new FixedText(',"prev_request_in":');
const PREVIOUS_RESPONSE = new FixedText(',"prev_response_in":');
const REQUEST_IN = new FixedText(',"request_in":');
const TIME = new FixedText(',"time":');
const RESPONSE_FOR = new FixedText(',"response_for":{"uri":');
const CHUNK_SIZES = new FixedText(',"chunk_size":[');

/** `,"host":[` and its like, by the index of the header's row. */
const headerKeys: (FixedText | undefined)[] = [];

/**
 * Write the JSON of a request or response whose head is whole and has nothing unusual in it (folded lines, names that are
 * no tokens, credentials, a coded body); false, and nothing written, for all others.
 */
export function writePlainHttp(out: TextBuffer, http: PlainHttp): boolean {
  const { bytes: b, start, captured, head, exchange } = http;
  const bodyFrom = start + head.length;
  if (bodyFrom > captured || head.kind === 'notification' || head.method === 'CONNECT' || typeof exchange?.time === 'bigint') return false;
  if (head.contentEncoding !== '' && bodyFrom < captured) return false;
  const line = start + head.line;
  const stop = trimmed(b, start, line);
  const first = wordEnd(b, start, stop);
  const second = wordEnd(b, Math.min(first + 1, stop), stop);
  if (head.kind === 'request' ? second >= stop : head.code < 0) return false;
  if (!headers.read(b, line, bodyFrom)) return false;
  const mark = out.length;
  if (head.kind === 'request') writeRequestLine(out, head, b, start, first, second, stop);
  else writeStatusLine(out, head, b, start, first, second, stop);
  headers.write(out, b);
  if (exchange !== undefined) writeExchange(out, head, exchange);
  if (head.framing !== 'chunked' || writeChunks(out, b, bodyFrom, captured)) return true;
  out.length = mark;
  return false;
}

function writeRequestLine(out: TextBuffer, head: Head, b: Uint8Array, start: number, first: number, second: number, stop: number): void {
  out.fixed(REQUEST);
  out.jsonText(b, start, first);
  out.fixed(URI);
  out.jsonText(b, first + 1, second);
  let question = first + 1;
  while (question < second && b[question] !== QUESTION) question++;
  if (question < second) {
    out.fixed(PATH);
    out.jsonText(b, first + 1, question);
    out.fixed(QUERY);
    out.jsonText(b, question + 1, second);
    const list = new TextList(out, PARAMETERS);
    eachPiece(b, question + 1, second, AMPERSAND, (at, end) => list.add(b, at, end));
    list.end();
    out.byte(END_OBJECT);
  }
  out.fixed(REQUEST_VERSION);
  out.jsonText(b, second + 1, stop);
  if (head.host !== undefined) {
    out.fixed(FULL_URI);
    out.json(fullUri(head));
  }
  out.byte(END_OBJECT);
}

function writeStatusLine(out: TextBuffer, head: Head, b: Uint8Array, start: number, first: number, second: number, stop: number): void {
  out.fixed(RESPONSE);
  out.jsonText(b, start, first);
  out.fixed(CODE);
  writeNumber(out, head.code);
  out.fixed(DESCRIPTION);
  out.json(STATUS[head.code] ?? `Unknown (${head.code})`);
  if (second + 1 < stop) {
    out.fixed(PHRASE);
    out.jsonText(b, second + 1, stop);
  } else out.byte(END_OBJECT);
  out.byte(END_OBJECT);
}

function writeExchange(out: TextBuffer, { kind }: Head, exchange: HttpExchange): void {
  const { number, previousRequest, previousResponse, request, time } = exchange;
  writeFact(out, kind === 'response' ? RESPONSE_NUMBER : REQUEST_NUMBER, number);
  if (previousRequest !== undefined) writeFact(out, PREVIOUS_REQUEST, previousRequest);
  if (previousResponse !== undefined) writeFact(out, PREVIOUS_RESPONSE, previousResponse);
  const asked = request !== undefined && request.frame > 0 ? request : undefined;
  if (asked !== undefined) writeFact(out, REQUEST_IN, asked.frame);
  if (time !== undefined) {
    out.fixed(TIME);
    out.room(2 * DIGITS_ROOM);
    out.length = putSeconds(out.view, out.length, time as number);
  }
  if (asked !== undefined) {
    out.fixed(RESPONSE_FOR);
    out.json(asked.uri);
    out.byte(END_OBJECT);
  }
}

/** Write the sizes of a body's chunks; false where trailers follow them. */
function writeChunks(out: TextBuffer, b: Uint8Array, from: number, captured: number): boolean {
  let any = false;
  const end = eachChunk(b, from, captured, (_at, _line, _data, _stop, size) => {
    if (any) out.byte(COMMA);
    else out.fixed(CHUNK_SIZES);
    any = true;
    writeNumber(out, Math.min(size, 0xffff_ffff));
  });
  if (any) out.byte(END_LIST);
  const next = lineEnd(b, end, captured);
  return next < 0 || isBlank(b, end, next);
}

function writeFact(out: TextBuffer, key: FixedText, n: number): void {
  out.fixed(key);
  writeNumber(out, n);
}

function writeNumber(out: TextBuffer, n: number): void {
  out.room(DIGITS_ROOM);
  out.length = putNumeral(out.view, out.length, n);
}

/** An array of texts under a key; neither is there when there are none. */
class TextList {
  private any = false;

  constructor(
    private readonly out: TextBuffer,
    private readonly key: FixedText,
  ) {}

  add(b: Uint8Array, from: number, to: number): void {
    if (this.any) this.out.byte(COMMA);
    else this.out.fixed(this.key);
    this.any = true;
    this.out.jsonText(b, from, to);
  }

  end(): void {
    if (this.any) this.out.byte(END_LIST);
  }
}

/** Headers with a field of their own that a message has at most; one with more is read by the walk. */
const MOST_HEADERS = 64;
/** Digits of a length that is a plain number. */
const MOST_DIGITS = 15;

/** The headers of a message that have a field of their own, in the order of the fields. */
class Headers {
  private count = 0;
  private readonly rows: Field[] = [];
  private readonly starts = new Int32Array(MOST_HEADERS);
  private readonly ends = new Int32Array(MOST_HEADERS);

  /** Take in the lines `[from, end)`, up to an empty one; false when there is something unusual. */
  read(b: Uint8Array, from: number, end: number): boolean {
    this.count = 0;
    for (let at = from; at < end; ) {
      const colon = tokenEnd(b, at, end);
      if (b[colon] !== COLON || colon === at) {
        const next = lineEnd(b, at, end);
        return next >= 0 && isBlank(b, at, next);
      }
      let value = colon + 1;
      while (value < end && (b[value] === SPACE || b[value] === TAB)) value++;
      const next = lineEnd(b, value, end);
      const isFolded = next < end && (b[next] === SPACE || b[next] === TAB);
      if (next < 0 || isFolded) return false;
      const row = headerNames.rowOf(b, at, colon);
      if (row !== undefined) {
        const stop = trimmed(b, value, next);
        if (row === rows.authorization || row === rows.proxyAuthorization) return false;
        if (row === rows.contentLengthHeader && plainNumber(b, value, stop, MOST_DIGITS) < 0) return false;
        if (!this.add(row, value, stop)) return false;
      }
      at = next;
    }
    return true;
  }

  /** Put a value behind those of its own row and of the rows before it. */
  private add(row: Field, start: number, end: number): boolean {
    const { rows: known, starts, ends } = this;
    if (this.count === MOST_HEADERS) return false;
    let i = this.count++;
    for (; i > 0 && known[i - 1]!.index > row.index; i--) {
      known[i] = known[i - 1]!;
      starts[i] = starts[i - 1]!;
      ends[i] = ends[i - 1]!;
    }
    known[i] = row;
    starts[i] = start;
    ends[i] = end;
    return true;
  }

  /** Write what was read. */
  write(out: TextBuffer, b: Uint8Array): void {
    const { rows: known, starts, ends, count } = this;
    for (let i = 0; i < count; ) {
      const row = known[i]!;
      const first = i;
      out.fixed((headerKeys[row.index] ??= new FixedText(`,"${row.name.slice('http.'.length)}":[`)));
      for (; i < count && known[i] === row; i++) {
        if (i > first) out.byte(COMMA);
        out.jsonText(b, starts[i]!, ends[i]!);
      }
      out.byte(END_LIST);
      if (row === rows.contentLengthHeader) this.writeLengths(out, b, first, i);
      else if (row === rows.cookie) this.writeCookies(out, b, first, i);
    }
  }

  private writeLengths(out: TextBuffer, b: Uint8Array, first: number, end: number): void {
    out.fixed(CONTENT_LENGTH);
    for (let i = first; i < end; i++) {
      if (i > first) out.byte(COMMA);
      writeNumber(out, plainNumber(b, this.starts[i]!, this.ends[i]!, MOST_DIGITS));
    }
    out.byte(END_LIST);
  }

  private writeCookies(out: TextBuffer, b: Uint8Array, first: number, end: number): void {
    const list = new TextList(out, COOKIE_PAIRS);
    for (let i = first; i < end; i++) eachPiece(b, this.starts[i]!, this.ends[i]!, SEMICOLON, (at, stop) => list.add(b, at, stop));
    list.end();
  }
}

const headers = new Headers();

/** Names that are kept at most, a power of two; a name has so many octets at most. */
const KEPT_NAMES = 256;
const LONGEST_NAME = 64;

/** Names of headers as they were written, each with its row: found by their octets, without a text. */
class HeaderNames {
  private readonly octets = new Array<Uint8Array | undefined>(KEPT_NAMES).fill(undefined);
  private readonly rows = new Array<Field | undefined>(KEPT_NAMES).fill(undefined);

  /** The row of the header whose name stands in `[from, to)`; undefined when it has none. */
  rowOf(b: Uint8Array, from: number, to: number): Field | undefined {
    const length = to - from;
    if (length > LONGEST_NAME) return headerRow(b, from, to);
    // What tells names apart is how long they are, how they begin, and how they end.
    const slot = (length ^ (b[from]! << 1) ^ (b[to - 1]! << 4) ^ (b[from + (length >> 1)]! << 2)) & (KEPT_NAMES - 1);
    const known = this.octets[slot];
    if (known !== undefined && known.length === length) {
      let same = 0;
      while (same < length && known[same] === b[from + same]) same++;
      if (same === length) return this.rows[slot];
    }
    const row = headerRow(b, from, to);
    this.octets[slot] = b.slice(from, to);
    this.rows[slot] = row;
    return row;
  }
}

const headerNames = new HeaderNames();
