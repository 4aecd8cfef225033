/** The JSON of plain messages of HTTP/1, straight from their octets: what Http's walk finds, without the tree. */
import { DIGITS_ROOM, plainNumber, putNumeral, putSeconds } from '../core/digits.js';
import type { Field } from '../core/field.js';
import { FixedText } from '../core/fixed-text.js';
import type { TextBuffer } from '../core/text.js';
import { eachChunk } from './http-chunks.js';
import type { HttpExchange } from './http-exchange.js';
import type { FirstLine } from './http-first-line.js';
import { fullUri, type Head, lacksHost } from './http-head.js';
import { headers } from './http-header-lines.js';
import { eachPiece, isBlank, lineEnd } from './http-lines.js';
import { rows, STATUS } from './http-rows.js';

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
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const END_LIST = 0x5d;
const END_OBJECT = 0x7d;

const REQUEST = new FixedText(',"chat":[true],"request":{"value":true,"method":');
const URI = new FixedText(',"uri":{"value":');
const PATH = new FixedText(',"path":');
const QUERY = new FixedText(',"query":{"value":');
const PARAMETERS = new FixedText(',"parameter":[');
const REQUEST_VERSION = new FixedText('},"version":');
const FULL_URI = new FixedText(',"full_uri":');
const SCHEME = new FixedText('"http://');
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
/** What the numbers of an exchange take. */
const EXCHANGE_ROOM = 256 + 6 * DIGITS_ROOM;
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
  const { first } = head;
  if (first.kind === 'request' ? first.second >= first.stop : first.code < 0) return false;
  const mark = out.length;
  if (head.json !== undefined) out.fixed(head.json);
  else if (!headers.readAll(b, start, bodyFrom, head)) return false;
  else if (!writeHead(out, head, b, start)) {
    out.length = mark;
    return false;
  } else if (head.words !== undefined) head.json = new FixedText(out.bytes.subarray(mark, out.length));
  if (exchange !== undefined) writeExchange(out, first, exchange);
  if (head.framing !== 'chunked' || writeChunks(out, b, bodyFrom, captured)) return true;
  out.length = mark;
  return false;
}

/** Write what the lines of a head say, which {@link headers} have read; false where one of them is not plain. */
function writeHead(out: TextBuffer, head: Head, b: Uint8Array, start: number): boolean {
  const { first } = head;
  const mark = out.length;
  if (first.text !== undefined) out.fixed(first.text);
  else {
    if (first.kind === 'request') writeRequestLine(out, first, b, start);
    else writeStatusLine(out, first, b, start);
    if (first.isSteady) first.text = new FixedText(out.bytes.subarray(mark, out.length));
  }
  if (first.kind === 'request' && head.host !== undefined) {
    out.fixed(FULL_URI);
    writeUri(out, head);
  }
  out.byte(END_OBJECT);
  return writeHeaders(out, b, start);
}

/** Write what a request line says, in an object that stays open. */
function writeRequestLine(out: TextBuffer, { first, second, stop }: FirstLine, b: Uint8Array, start: number): void {
  const uri = start + first + 1;
  const uriEnd = start + second;
  out.fixed(REQUEST);
  out.jsonText(b, start, start + first);
  out.fixed(URI);
  out.jsonText(b, uri, uriEnd);
  let question = uri;
  while (question < uriEnd && b[question] !== QUESTION) question++;
  if (question < uriEnd) {
    out.fixed(PATH);
    out.jsonText(b, uri, question);
    out.fixed(QUERY);
    out.jsonText(b, question + 1, uriEnd);
    const list = new TextList(out, PARAMETERS);
    eachPiece(b, question + 1, uriEnd, AMPERSAND, (at, end) => list.add(b, at, end));
    list.end();
    out.byte(END_OBJECT);
  }
  out.fixed(REQUEST_VERSION);
  out.jsonText(b, uriEnd + 1, start + stop);
}

/** Write {@link fullUri} as a JSON string, without making one text of its parts if they are plain. */
function writeUri(out: TextBuffer, head: Head): void {
  const { first, host, uri } = head;
  if (first.uriText !== undefined && first.host === host) return out.fixed(first.uriText);
  const mark = out.length;
  if (!lacksHost(head)) out.json(uri);
  else {
    out.fixed(SCHEME);
    if (writePlain(out, host!) && writePlain(out, uri)) out.byte(QUOTE);
    else {
      out.length = mark;
      out.json(fullUri(head));
    }
  }
  // Like the line that it is of.
  if (first.text === undefined) return;
  first.uriText = first.host === host ? new FixedText(out.bytes.subarray(mark, out.length)) : undefined;
  first.host = host;
}

/** Write text that stands for itself in a JSON string; false when it does not. */
function writePlain(out: TextBuffer, text: string): boolean {
  const { length } = text;
  out.room(length);
  const { bytes } = out;
  let at = out.length;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) return false;
    bytes[at++] = code;
  }
  out.length = at;
  return true;
}

/** Write what a status line says, in an object that stays open. */
function writeStatusLine(out: TextBuffer, { first, second, stop, code }: FirstLine, b: Uint8Array, start: number): void {
  out.fixed(RESPONSE);
  out.jsonText(b, start, start + first);
  out.fixed(CODE);
  writeNumber(out, code);
  out.fixed(DESCRIPTION);
  out.json(STATUS[code] ?? `Unknown (${code})`);
  if (second + 1 < stop) {
    out.fixed(PHRASE);
    out.jsonText(b, start + second + 1, start + stop);
  } else out.byte(END_OBJECT);
}

function writeExchange(out: TextBuffer, { kind }: FirstLine, exchange: HttpExchange): void {
  const { number, previousRequest, previousResponse, request, time } = exchange;
  out.room(EXCHANGE_ROOM);
  const { view } = out;
  let at = putFact(view, out.length, kind === 'response' ? RESPONSE_NUMBER : REQUEST_NUMBER, number);
  if (previousRequest !== undefined) at = putFact(view, at, PREVIOUS_REQUEST, previousRequest);
  if (previousResponse !== undefined) at = putFact(view, at, PREVIOUS_RESPONSE, previousResponse);
  const asked = request !== undefined && request.frame > 0 ? request : undefined;
  if (asked !== undefined) at = putFact(view, at, REQUEST_IN, asked.frame);
  if (time !== undefined) at = putSeconds(view, TIME.put(view, at), time as number);
  out.length = at;
  if (asked === undefined) return;
  out.fixed(RESPONSE_FOR);
  if (asked.head !== undefined) writeUri(out, asked.head);
  else out.json(asked.uri);
  out.byte(END_OBJECT);
}

/** A key with a number; the caller has made room for both. */
const putFact = (view: DataView, at: number, key: FixedText, n: number): number => putNumeral(view, key.put(view, at), n);

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

/** Digits of a length that is a plain number. */
const MOST_DIGITS = 15;

/** Write the headers that have a field of their own; false where one is not plain. */
function writeHeaders(out: TextBuffer, b: Uint8Array, start: number): boolean {
  const { lines, order } = headers;
  for (let i = 0; i < order.length; ) {
    const line = lines[order[i]!]!;
    const row = line.row!;
    const first = i++;
    while (i < order.length && lines[order[i]!]!.row === row) i++;
    const isSingle = i === first + 1;
    if (isSingle && line.text !== undefined) out.fixed(line.text);
    else {
      const mark = out.length;
      if (!writeHeader(out, b, start, row, first, i)) return false;
      if (isSingle && line.isSteady) line.text = new FixedText(out.bytes.subarray(mark, out.length));
    }
  }
  return true;
}

/** Write the values of the lines `[first, end)`, which all have the same field. */
function writeHeader(out: TextBuffer, b: Uint8Array, start: number, row: Field, first: number, end: number): boolean {
  if (row === rows.authorization || row === rows.proxyAuthorization) return false;
  out.fixed((headerKeys[row.index] ??= new FixedText(`,"${row.name.slice('http.'.length)}":[`)));
  for (let i = first; i < end; i++) {
    if (i > first) out.byte(COMMA);
    out.jsonText(b, start + headers.startOf(i), start + headers.endOf(i));
  }
  out.byte(END_LIST);
  if (row === rows.contentLengthHeader) return writeLengths(out, b, start, first, end);
  if (row === rows.cookie) writeCookies(out, b, start, first, end);
  return true;
}

function writeLengths(out: TextBuffer, b: Uint8Array, start: number, first: number, end: number): boolean {
  out.fixed(CONTENT_LENGTH);
  for (let i = first; i < end; i++) {
    if (i > first) out.byte(COMMA);
    const length = plainNumber(b, start + headers.startOf(i), start + headers.endOf(i), MOST_DIGITS);
    if (length < 0) return false;
    writeNumber(out, length);
  }
  out.byte(END_LIST);
  return true;
}

function writeCookies(out: TextBuffer, b: Uint8Array, start: number, first: number, end: number): void {
  const list = new TextList(out, COOKIE_PAIRS);
  for (let i = first; i < end; i++)
    eachPiece(b, start + headers.startOf(i), start + headers.endOf(i), SEMICOLON, (at, stop) => list.add(b, at, stop));
  list.end();
}
