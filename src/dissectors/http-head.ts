/** The head of an HTTP/1 message: what kind it is, and what its headers say about its body (RFC 9112 sections 3 to 6). */
import { latin1Of, Texts } from '../core/octets.js';
import { isToken, lineEnd, named, SPACE, trimmed, wordEnd } from './http-lines.js';

/** Methods that begin a request: of HTTP, WebDAV, UPnP and RTSP-like kin. Others are believed when the line ends in a version. */
const METHODS = new Set(
  'GET PUT POST HEAD LOCK MOVE COPY POLL BIND BCOPY MKCOL TRACE LABEL MERGE PATCH DELETE SEARCH UNLOCK REPORT UPDATE NOTIFY BDELETE CONNECT OPTIONS CHECKIN PROPFIND CHECKOUT M-SEARCH SUBSCRIBE PROPPATCH BPROPFIND UNCHECKOUT MKACTIVITY MKWORKSPACE UNSUBSCRIBE RPC_CONNECT VERSION-CONTROL BASELINE-CONTROL CCM_POST RPC_IN_DATA RPC_OUT_DATA SUBSCRIBE_NOTIFY'.split(
    ' ',
  ),
);

export type Kind = 'request' | 'response' | 'notification';

/** How the end of a body is found. */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

/** What the head of a message says, in any version of the protocol. */
export interface MessageHead {
  readonly kind: Kind;
  readonly method: string;
  /** Path and query, or whatever stands in their place. */
  readonly uri: string;
  /** Of a response; -1 when it is none. */
  readonly code: number;
  readonly version: string;
  readonly host: string | undefined;
  /** Without its parameters. */
  readonly contentType: string;
  readonly contentEncoding: string;
  readonly upgrade: string;
}

/** The same with what matters for the parsing of HTTP/1. Offsets count from its first octet. */
export interface Head extends MessageHead {
  /** Octets of the first line, its end included, and of the whole head. */
  readonly line: number;
  readonly length: number;
  readonly framing: Framing;
  readonly contentLength: number;
}

/** Switching to HTTP/2 leaves the request to be answered there (RFC 7540 section 3.2). */
export const HTTP2_UPGRADE = 'h2c';

/** Does another response to the same request follow (RFC 9110 section 15.2)? */
export const isInterim = ({ code, upgrade }: MessageHead): boolean =>
  code >= 100 && code < 200 && (code !== 101 || upgrade === HTTP2_UPGRADE);

/** The URI with scheme and host, where the host is known. */
export const fullUri = (head: MessageHead): string => (lacksHost(head) ? `http://${head.host}${head.uri}` : head.uri);

/** The host that was asked stands in a header, not in the request's URI. */
export function lacksHost({ host, method, uri }: MessageHead): boolean {
  return host !== undefined && method !== 'CONNECT' && (uri.startsWith('/') || !/^(https?|about):/i.test(uri));
}

const isVersion = (b: Uint8Array, at: number): boolean =>
  b[at] === 0x48 && b[at + 1] === 0x54 && b[at + 2] === 0x54 && b[at + 3] === 0x50 && b[at + 4] === 0x2f;

/** What stands in `[from, to)`: `HTTP/1.1`, as a rule. */
function versionOf(b: Uint8Array, from: number, to: number): string {
  if (to - from === 8 && isVersion(b, from) && b[from + 5] === 0x31 && b[from + 6] === 0x2e) {
    if (b[from + 7] === 0x31) return 'HTTP/1.1';
    if (b[from + 7] === 0x30) return 'HTTP/1.0';
  }
  return texts.of(b, from, to);
}

/** The status code in the three octets at `at`; NaN when it is none. */
function codeAt(b: Uint8Array, at: number): number {
  let code = 0;
  for (let i = at; i < at + 3; i++) {
    const digit = b[i]! - 0x30;
    // Signs, blanks and other forms of a number.
    if (digit < 0 || digit > 9) return Number(texts.of(b, at, at + 3));
    code = code * 10 + digit;
  }
  return code;
}

/** Does the request line `[start, next)` tell a version? */
export function hasVersion(b: Uint8Array, start: number, next: number): boolean {
  const stop = trimmed(b, start, next);
  // It stands at the end in all but the odd one.
  if (stop - start > 9 && b[stop - 9] === SPACE && isVersion(b, stop - 8)) return true;
  return / HTTP\/\d/.test(latin1Of(b, start, next));
}

/** What the first line at `start` begins: undefined when nothing of HTTP. `end` may be before the end of the line. */
export function kindOf(b: Uint8Array, start: number, end: number): Kind | undefined {
  if (end - start >= 5 && isVersion(b, start)) return 'response';
  const word = wordEnd(b, start, Math.min(end, start + 24));
  if (word - start < 3 || word >= Math.min(end, start + 24)) return undefined;
  const c = b[start]!;
  if (c < 0x41 || c > 0x5a || !isToken(b, start, word)) return undefined;
  const method = texts.of(b, start, word);
  if (METHODS.has(method)) return method === 'NOTIFY' ? 'notification' : 'request';
  const line = lineEnd(b, start, Math.min(end, start + 4096));
  if (line < 0) return undefined;
  return / HTTP\/1\.[01]$/.test(latin1Of(b, start, trimmed(b, start, line))) ? 'request' : undefined;
}

const texts = new Texts(1024);

/** Where the value of the header `[at, next)` begins whose name has `name` octets, behind the blanks before it. */
function valueStart(b: Uint8Array, at: number, next: number, name: number): number {
  let from = at + name + 1;
  while (from < next && (b[from] === SPACE || b[from] === 9)) from++;
  return from;
}

/** Where a value that begins at `from` ends, without the blanks behind it; at most 2 KiB behind the start of its line. */
function valueEnd(b: Uint8Array, at: number, next: number, from: number): number {
  let to = Math.min(trimmed(b, at, next), at + 2048);
  while (to > from && (b[to - 1] === SPACE || b[to - 1] === 9)) to--;
  return to;
}

/** The value of the header `[at, next)` whose name has `name` octets, without the blanks around it; its first 2 KiB. */
function headerValue(b: Uint8Array, at: number, next: number, name: number): string {
  const from = valueStart(b, at, next, name);
  return texts.of(b, from, valueEnd(b, at, next, from));
}

/** The value of such a header as a number: digits, at most 15 behind leading zeros; -1 when it is none. */
function headerNumber(b: Uint8Array, at: number, next: number, name: number): number {
  let from = valueStart(b, at, next, name);
  const to = valueEnd(b, at, next, from);
  if (from >= to) return -1;
  while (from < to && b[from] === 0x30) from++;
  if (to - from > 15) return -1;
  let n = 0;
  for (let i = from; i < to; i++) {
    const digit = b[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    n = n * 10 + digit;
  }
  return n;
}

const octetsOf = (name: string): Uint8Array => new TextEncoder().encode(name);
const HOST = octetsOf('host');
const UPGRADE = octetsOf('upgrade');
const CONTENT_TYPE = octetsOf('content-type');
const CONTENT_LENGTH = octetsOf('content-length');
const CONTENT_ENCODING = octetsOf('content-encoding');
const TRANSFER_ENCODING = octetsOf('transfer-encoding');

/** Most lines of a head that are remembered from the search for its end. */
const MOST_LINES = 64;

/** Where the lines of a head end, from its start, so that they are not searched for twice. */
class HeadLines {
  private readonly ends = new Int32Array(MOST_LINES);
  private count = 0;

  /** A search begins: `whole` when it does at the start of the head. */
  begin(whole: boolean): void {
    this.count = whole ? 0 : MOST_LINES + 1;
  }

  /** The next line ends there. */
  add(end: number): void {
    if (this.count < MOST_LINES) this.ends[this.count] = end;
    this.count++;
  }

  /** Where line `i` ends. */
  end(i: number): number {
    return this.ends[i]!;
  }

  /** True when all of the head's lines are known. */
  isWhole(length: number): boolean {
    return this.count > 0 && this.count <= MOST_LINES && this.ends[this.count - 1] === length;
  }
}

/** The lines of the head whose end was searched for last. */
export const headLines = new HeadLines();

/**
 * Read the head `[start, start + length)`. `method` is that of the request which a response answers, `lines` what the
 * search for its end came by.
 */
export function readHead(
  b: Uint8Array,
  start: number,
  length: number,
  kind: Kind,
  method: string | undefined,
  lines?: typeof headLines,
): Head {
  const end = start + length;
  const known = lines?.isWhole(length) ? lines : undefined;
  let index = 1;
  let line = known === undefined ? lineEnd(b, start, end) : start + known.end(0);
  if (line < 0) line = end;
  const stop = trimmed(b, start, line);
  const first = wordEnd(b, start, stop);
  const second = wordEnd(b, Math.min(first + 1, stop), stop);
  let host: string | undefined;
  let contentLength = -1;
  let chunked = false;
  let contentType = '';
  let contentEncoding = '';
  let upgrade = '';
  for (let at = line; at < end; ) {
    let next = known === undefined ? lineEnd(b, at, end) : start + known.end(index++);
    if (next < 0) next = end;
    // The first letter rules out most.
    switch (b[at]! | 0x20) {
      case 0x68:
        if (host === undefined && named(b, at, HOST)) host = headerValue(b, at, next, 4);
        break;
      case 0x75:
        if (named(b, at, UPGRADE)) upgrade = headerValue(b, at, next, 7).toLowerCase();
        break;
      case 0x63:
        if (named(b, at, CONTENT_TYPE)) {
          contentType = headerValue(b, at, next, 12);
          const semicolon = contentType.indexOf(';');
          if (semicolon >= 0) contentType = contentType.slice(0, semicolon).trim();
        } else if (named(b, at, CONTENT_LENGTH)) {
          const value = headerNumber(b, at, next, 14);
          if (value >= 0) contentLength = value;
        } else if (named(b, at, CONTENT_ENCODING)) contentEncoding = headerValue(b, at, next, 16).toLowerCase();
        break;
      case 0x74:
        if (named(b, at, TRANSFER_ENCODING)) chunked = /chunked/i.test(headerValue(b, at, next, 17));
    }
    at = next;
  }
  const isResponse = kind === 'response';
  const version = isResponse ? versionOf(b, start, first) : versionOf(b, Math.min(second + 1, stop), stop);
  const code = isResponse && second - first === 4 ? codeAt(b, first + 1) : -1;
  let framing: Framing = 'none';
  if (isResponse) {
    const bodiless =
      (code >= 100 && code < 200) || code === 204 || code === 304 || method === 'HEAD' || (method === 'CONNECT' && code < 300);
    if (!bodiless) framing = chunked ? 'chunked' : contentLength >= 0 ? 'length' : 'close';
  } else if (chunked) framing = 'chunked';
  else if (contentLength > 0) framing = 'length';
  return {
    kind,
    line: line - start,
    length,
    method: isResponse ? '' : texts.of(b, start, first),
    uri: isResponse ? '' : texts.of(b, Math.min(first + 1, stop), second),
    code: Number.isNaN(code) ? -1 : code,
    version,
    host,
    framing,
    contentLength,
    contentType,
    contentEncoding,
    upgrade,
  };
}
