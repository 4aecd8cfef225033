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

export function fullUri(head: MessageHead): string {
  const { uri, host } = head;
  return host === undefined || head.method === 'CONNECT' || /^(https?|about):/i.test(uri) ? uri : `http://${host}${uri}`;
}

const isVersion = (b: Uint8Array, at: number): boolean =>
  b[at] === 0x48 && b[at + 1] === 0x54 && b[at + 2] === 0x54 && b[at + 3] === 0x50 && b[at + 4] === 0x2f;

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

/** The value of the header `[at, next)` whose name has `name` octets, without the blanks around it; its first 2 KiB. */
function headerValue(b: Uint8Array, at: number, next: number, name: number): string {
  let from = at + name + 1;
  let to = Math.min(trimmed(b, at, next), at + 2048);
  while (from < to && (b[from] === SPACE || b[from] === 9)) from++;
  while (to > from && (b[to - 1] === SPACE || b[to - 1] === 9)) to--;
  return texts.of(b, from, to);
}

/** Read the head `[start, start + length)`. `method` is that of the request which a response answers. */
export function readHead(b: Uint8Array, start: number, length: number, kind: Kind, method: string | undefined): Head {
  const end = start + length;
  let line = lineEnd(b, start, end);
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
    let next = lineEnd(b, at, end);
    if (next < 0) next = end;
    // The first letter rules out most.
    switch (b[at]! | 0x20) {
      case 0x68:
        if (host === undefined && named(b, at, 'host')) host = headerValue(b, at, next, 4);
        break;
      case 0x75:
        if (named(b, at, 'upgrade')) upgrade = headerValue(b, at, next, 7).toLowerCase();
        break;
      case 0x63:
        if (named(b, at, 'content-type')) {
          contentType = headerValue(b, at, next, 12);
          const semicolon = contentType.indexOf(';');
          if (semicolon >= 0) contentType = contentType.slice(0, semicolon).trim();
        } else if (named(b, at, 'content-length')) {
          const text = headerValue(b, at, next, 14);
          if (/^0*\d{1,15}$/.test(text)) contentLength = Number(text);
        } else if (named(b, at, 'content-encoding')) contentEncoding = headerValue(b, at, next, 16).toLowerCase();
        break;
      case 0x74:
        if (named(b, at, 'transfer-encoding')) chunked = /chunked/i.test(headerValue(b, at, next, 17));
    }
    at = next;
  }
  const isResponse = kind === 'response';
  const version = isResponse ? texts.of(b, start, first) : texts.of(b, Math.min(second + 1, stop), stop);
  const code = isResponse && second - first === 4 ? Number(texts.of(b, first + 1, second)) : -1;
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
