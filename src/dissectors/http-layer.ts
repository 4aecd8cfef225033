/** A message of HTTP/1 as a layer: its body, its tree, its line. */
import type { Field } from '../core/field.js';
import { FixedText } from '../core/fixed-text.js';
import { layer, type Tree } from '../core/layer.js';
import { latin1Of, textOf } from '../core/octets.js';
import type { TextBuffer } from '../core/text.js';
import { eachChunk } from './http-chunks.js';
import type { HttpExchange, HttpMessage } from './http-exchange.js';
import type { Kind } from './http-first-line.js';
import { fullUri, type Head } from './http-head.js';
import { writePlainHttp } from './http-json.js';
import { COLON, eachPiece, isBlank, isToken, lineEnd, SPACE, trimmed, wordEnd } from './http-lines.js';
import { headerRow, rows, STATUS } from './http-rows.js';
import { writeTogether } from './together.js';

/** Most octets that a compressed body may grow to. */
const MAX_CONTENT = 16 << 20;

/** A request, a response, or an announcement of SSDP. */
export class Http extends layer('http', 'Hypertext Transfer Protocol', rows) implements HttpMessage {
  /** What its head says. */
  declare head: Head;
  exchange: HttpExchange | undefined = undefined;
  /** The rest of it was not captured. */
  incomplete = false;
  /** It came in a datagram. */
  datagram = false;

  override get shortName(): string {
    return this.datagram ? 'SSDP' : 'HTTP';
  }
  override get chain(): string {
    return this.datagram ? 'ssdp' : 'http';
  }

  /** Octets of the body as it came, chunk headers included. */
  get bodyLength(): number {
    return Math.max(0, this.end - this.start - this.head.length);
  }

  /** Those of them that were captured. */
  get bodyCaptured(): number {
    return Math.min(this.bodyLength, Math.max(0, this.captured - this.start - this.head.length));
  }

  /** The words behind the status code, as sent. */
  get reason(): string {
    const { bytes, start, captured, head } = this;
    const line = textOf(bytes, start, Math.min(captured, start + head.line, start + 256)).trimEnd();
    return line.split(' ').slice(2).join(' ');
  }

  get pushed(): boolean {
    return false;
  }

  /** The octets of the body that were captured, without what chunks add; undefined when there is none. */
  get body(): Uint8Array | undefined {
    const from = this.start + this.head.length;
    if (from >= this.captured) return undefined;
    if (this.head.framing !== 'chunked') return this.bytes.subarray(from, this.captured);
    const pieces: Uint8Array[] = [];
    let length = 0;
    eachChunk(this.bytes, from, this.captured, (_at, _line, data, stop) => {
      pieces.push(this.bytes.subarray(data, stop));
      length += stop - data;
    });
    const body = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      body.set(piece, at);
      at += piece.length;
    }
    return body;
  }

  /** The body as it was before it was compressed, as far as it was captured; at most 16 MiB. */
  get content(): Uint8Array | undefined {
    const { body } = this;
    const { contentEncoding } = this.head;
    if (body === undefined || contentEncoding === '' || contentEncoding === 'identity') return body;
    return this.frame.session.decompress?.(body, contentEncoding, MAX_CONTENT) ?? body;
  }

  override quickJson(out: TextBuffer): boolean {
    return writePlainHttp(out, this);
  }

  override walk(tree: Tree): void {
    const { bytes: b, start, captured, head, exchange } = this;
    const headEnd = Math.min(start + head.length, captured);
    this.walkFirstLine(tree);
    for (let at = start + head.line; at < headEnd; ) {
      let next = lineEnd(b, at, headEnd);
      if (next < 0) next = headEnd;
      // A line that begins with a blank belongs to the header above it (RFC 9112 section 5.2).
      while (next < headEnd && (b[next] === SPACE || b[next] === 9) && !isBlank(b, at, next)) {
        const more = lineEnd(b, next, headEnd);
        if (more < 0) break;
        next = more;
      }
      if (isBlank(b, at, next)) break;
      this.walkHeader(tree, at, next);
      at = next;
    }
    const { kind } = head;
    if (kind !== 'response' && head.host !== undefined) tree.put(rows.fullUri, fullUri(head));
    if (kind === 'notification') tree.put(rows.isNotification, true);
    else tree.put(kind === 'request' ? rows.isRequest : rows.isResponse, true);
    if (exchange !== undefined) {
      tree.put(kind === 'response' ? rows.responseNumber : rows.requestNumber, exchange.number);
      if (exchange.time !== undefined) tree.put(rows.time, exchange.time);
      if (exchange.previousRequest !== undefined) tree.put(rows.previousRequest, exchange.previousRequest);
      if (exchange.request !== undefined && exchange.request.frame > 0) {
        tree.put(rows.requestIn, exchange.request.frame);
        tree.put(rows.responseFor, exchange.request.uri);
      }
      if (exchange.previousResponse !== undefined) tree.put(rows.previousResponse, exchange.previousResponse);
    }
    if (start + head.length < captured) this.walkBody(tree, start + head.length);
  }

  /** Host and port that a proxy is asked for (RFC 9110 section 9.3.6). */
  private walkAuthority(tree: Tree, from: number, to: number): void {
    const parts = /^(.*):(\d{1,5})$/.exec(textOf(this.bytes, from, to));
    if (!parts || Number(parts[2]) > 65535) return;
    tree.openPut(rows.proxyHost, parts[1]!, from, parts[1]!.length);
    tree.put(rows.proxyPort, Number(parts[2]), from + parts[1]!.length + 1, parts[2]!.length);
    tree.close();
  }

  private walkFirstLine(tree: Tree): void {
    const { bytes: b, start, captured, head } = this;
    const end = Math.min(start + head.line, captured);
    const stop = trimmed(b, start, end);
    const node = tree.openPut(rows.chat, true, start, end - start);
    node.text = () => textOf(b, start, stop);
    const first = wordEnd(b, start, stop);
    const second = wordEnd(b, Math.min(first + 1, stop), stop);
    if (head.kind === 'response') {
      tree.add(rows.responseVersion, start, first - start);
      const { code } = head;
      if (code >= 0) {
        tree.openPut(rows.code, code, first + 1, second - first - 1);
        tree.put(rows.codeDescription, STATUS[code] ?? `Unknown (${code})`, first + 1, second - first - 1);
        tree.close();
      }
      if (second + 1 < stop) tree.add(rows.phrase, second + 1, stop - second - 1);
    } else {
      tree.add(rows.method, start, first - start);
      if (first < stop) this.walkUri(tree, first + 1, second);
      if (head.method === 'CONNECT') this.walkAuthority(tree, first + 1, second);
      if (second < stop) tree.add(rows.requestVersion, second + 1, stop - second - 1);
    }
    tree.close();
  }

  private walkUri(tree: Tree, from: number, to: number): void {
    const { bytes: b } = this;
    if (!tree.open(rows.uri, from, to - from)) return;
    let question = from;
    while (question < to && b[question] !== 0x3f) question++;
    if (question < to) {
      tree.add(rows.uriPath, from, question - from);
      tree.open(rows.uriQuery, question + 1, to - question - 1);
      eachPiece(b, question + 1, to, 0x26, (at, end) => tree.add(rows.uriParameter, at, end - at));
      tree.close();
    }
    tree.close();
  }

  /** The header line `[from, to)`, its end included. */
  private walkHeader(tree: Tree, from: number, to: number): void {
    const { bytes: b, head } = this;
    let colon = from;
    while (colon < to && b[colon] !== COLON) colon++;
    if (colon === to) {
      tree.add(lineRow(head.kind), from, to - from);
      return;
    }
    let name = colon;
    while (name > from && (b[name - 1] === SPACE || b[name - 1] === 9)) name--;
    let value = colon + 1;
    const stop = trimmed(b, from, to);
    while (value < stop && (b[value] === SPACE || b[value] === 9)) value++;
    // Blanks behind the value stay, as in Wireshark.
    const last = stop;
    const row = headerRow(b, from, name);
    if (!isToken(b, from, colon)) tree.put(rows.badHeaderName, true, from, name - from);
    if (row === undefined) {
      tree.add(lineRow(head.kind), from, to - from);
      return;
    }
    tree.open(row, value, last - value);
    switch (row) {
      case rows.contentLengthHeader: {
        const length = wholeNumber(b, value, last);
        if (length !== undefined) tree.put(rows.contentLength, length, value, last - value);
        break;
      }
      case rows.cookie:
        eachPiece(b, value, last, 0x3b, (at, end) => tree.add(rows.cookiePair, at, end - at));
        break;
      case rows.authorization:
      case rows.proxyAuthorization: {
        const basic = /^basic +([A-Za-z0-9+/=]+)$/i.exec(latin1Of(b, value, Math.min(last, value + 4096)));
        const credentials = basic ? decodeBase64(basic[1]!) : undefined;
        if (credentials !== undefined) tree.put(rows.authBasic, credentials, value, last - value);
        break;
      }
    }
    tree.close();
    if (head.kind !== 'notification') tree.add(lineRow(head.kind), from, to - from);
  }

  private walkBody(tree: Tree, from: number): void {
    const { bytes: b, captured, head } = this;
    if (head.framing === 'chunked') {
      const end = eachChunk(b, from, captured, (at, line, data, stop, size, whole) => {
        tree.put(rows.chunkSize, Math.min(size, 0xffff_ffff), at, line - at);
        if (stop > data) tree.add(rows.chunkData, data, stop - data);
        if (whole && size > 0) tree.add(rows.chunkBoundary, stop, 2);
      });
      for (let at = end; at < captured; ) {
        const next = lineEnd(b, at, captured);
        if (next < 0 || isBlank(b, at, next)) break;
        tree.add(rows.trailer, at, trimmed(b, at, next) - at);
        at = next;
      }
    }
    const { content, body } = this;
    const { contentEncoding } = head;
    const encoded = contentEncoding !== '' && contentEncoding !== 'identity' && body !== undefined && body.length > 0;
    if (encoded && content?.length === body.length && !this.incomplete && this.frame.session.decompress !== undefined)
      tree.put(rows.bodyFailed, true, from, captured - from);
    if (content !== undefined && content.length > 0) tree.put(rows.fileData, content, from, captured - from);
  }

  override summary(out: TextBuffer): void {
    const { frame } = this;
    const last = frame.depth - 1;
    const place = frame.at(last) === this ? last : frame.layers.lastIndexOf(this);
    // Requests that are pipelined share a segment, and so do their answers.
    if (frame.at(place - 1) instanceof Http) writeTogether(out, this, Http);
    else this.line(out);
  }

  override line(out: TextBuffer): void {
    const { head } = this;
    if (head.info !== undefined) out.fixed(head.info);
    else {
      const mark = out.length;
      this.firstLine(out);
      // In ASCII alone another text may come of it than elsewhere.
      if (head.words !== undefined && !out.asciiOnly) {
        const text = out.bytes.subarray(mark, out.length);
        if (text.every((octet) => octet < 0x80)) head.info = new FixedText(text);
      }
    }
    if (this.incomplete) out.ascii(' [incomplete]');
  }

  private firstLine(out: TextBuffer): void {
    const { bytes: b, start, captured, head } = this;
    const stop = trimmed(b, start, Math.min(start + head.line, captured));
    out.octets(b, start, Math.min(stop, start + 512));
    if (stop > start + 512) out.unicode('…');
    if (head.contentType !== '') {
      out.ascii(' (');
      out.text(head.contentType);
      out.byte(0x29);
    }
  }
}

const lineRow = (kind: Kind): Field<readonly string[]> =>
  kind === 'request' ? rows.requestLine : kind === 'response' ? rows.responseLine : rows.unknownHeader;

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The text of base64 (RFC 4648 section 4), or undefined. */
function decodeBase64(text: string): string | undefined {
  const octets: number[] = [];
  let bits = 0;
  let have = 0;
  for (const c of text) {
    if (c === '=') break;
    bits = ((bits << 6) | BASE64.indexOf(c)) & 0xffffff;
    have += 6;
    if (have >= 8) octets.push((bits >> (have -= 8)) & 255);
  }
  return octets.length > 0 ? textOf(Uint8Array.from(octets), 0, octets.length) : undefined;
}

/** The decimal number in `[from, to)`, of at most 19 digits behind leading zeros; undefined when it is none. */
function wholeNumber(b: Uint8Array, from: number, to: number): bigint | undefined {
  if (to - from > 15) {
    const text = latin1Of(b, from, to);
    return /^0*\d{1,19}$/.test(text) ? BigInt(text) : undefined;
  }
  let n = 0;
  for (let i = from; i < to; i++) {
    const digit = b[i]! - 48;
    if (digit < 0 || digit > 9) return undefined;
    n = n * 10 + digit;
  }
  return to > from ? BigInt(n) : undefined;
}
