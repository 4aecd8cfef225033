/** The head of an HTTP/1 message: what kind it is, and what its headers say about its body (RFC 9112 sections 3 to 6). */
import type { FixedText } from '../core/fixed-text.js';
import { Texts } from '../core/octets.js';
import type { FirstLine, Kind } from './http-first-line.js';
import type { HeaderLines } from './http-header-lines.js';
import { lineEnd, named, SPACE, trimmed } from './http-lines.js';

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

/** Tells a head what one of its headers says. */
export type Saying = (head: Head) => void;

/** What the header `[at, next)` says of its message, if that matters for where it ends or what it is. */
export function sayingOf(b: Uint8Array, at: number, next: number): Saying | undefined {
  // The first letter rules out most.
  switch (b[at]! | 0x20) {
    case 0x68:
      if (named(b, at, HOST)) {
        const host = headerValue(b, at, next, 4);
        return (head) => {
          head.host ??= host;
        };
      }
      break;
    case 0x75:
      if (named(b, at, UPGRADE)) {
        const upgrade = headerValue(b, at, next, 7).toLowerCase();
        return (head) => {
          head.upgrade = upgrade;
        };
      }
      break;
    case 0x63:
      if (named(b, at, CONTENT_TYPE)) {
        const value = headerValue(b, at, next, 12);
        const semicolon = value.indexOf(';');
        const contentType = semicolon >= 0 ? value.slice(0, semicolon).trim() : value;
        return (head) => {
          head.contentType = contentType;
        };
      }
      if (named(b, at, CONTENT_LENGTH)) {
        const length = headerNumber(b, at, next, 14);
        if (length < 0) return undefined;
        return (head) => {
          head.contentLength = length;
        };
      }
      if (named(b, at, CONTENT_ENCODING)) {
        const contentEncoding = headerValue(b, at, next, 16).toLowerCase();
        return (head) => {
          head.contentEncoding = contentEncoding;
        };
      }
      break;
    case 0x74:
      if (named(b, at, TRANSFER_ENCODING)) {
        const isChunked = /chunked/i.test(headerValue(b, at, next, 17));
        return (head) => {
          head.isChunked = isChunked;
        };
      }
  }
  return undefined;
}

/** Of HTTP/1: the first line, and what the headers say of the message. Offsets count from its first octet. */
export class Head implements MessageHead {
  host: string | undefined = undefined;
  contentType = '';
  contentEncoding = '';
  upgrade = '';
  /** -1 when no header tells it. */
  contentLength = -1;
  isChunked = false;
  framing: Framing = 'none';
  /** Its message may carry one of DNS; undefined until somebody asked. */
  hasDns: boolean | undefined = undefined;
  /** By the clock of changed lines (http-header-lines.ts): when it was read; and how often it came again since. */
  since = 0;
  times = 0;
  /** Of one that comes often: its octets, and what writers make of it. */
  words: Float64Array | undefined = undefined;
  json: FixedText | undefined = undefined;
  info: FixedText | undefined = undefined;

  constructor(
    readonly first: FirstLine,
    /** Octets of it. */
    readonly length: number,
  ) {}

  get kind(): Kind {
    return this.first.kind;
  }
  /** Octets of the first line, its end included. */
  get line(): number {
    return this.first.length;
  }
  get method(): string {
    return this.first.method;
  }
  get uri(): string {
    return this.first.uri;
  }
  get code(): number {
    return this.first.code;
  }
  get version(): string {
    return this.first.version;
  }

  /** Is its body framed in the same way after a request of that method? */
  isFor(method: string | undefined): boolean {
    return this.framing === this.framingFor(method);
  }

  /** How the end of its body is found; `method` is that of the request which a response answers. */
  framingFor(method: string | undefined): Framing {
    const { kind, code } = this.first;
    if (kind !== 'response') return this.isChunked ? 'chunked' : this.contentLength > 0 ? 'length' : 'none';
    if ((code >= 100 && code < 200) || code === 204 || code === 304) return 'none';
    if (method === 'HEAD' || (method === 'CONNECT' && code < 300)) return 'none';
    return this.isChunked ? 'chunked' : this.contentLength >= 0 ? 'length' : 'close';
  }
}

/**
 * Read the head `[start, start + length)`, which begins with the `first` line. `method` is that of the request which a
 * response answers; `known`: its header lines, if they were read. Messages with the same head may share one.
 */
export function readHead(
  b: Uint8Array,
  start: number,
  length: number,
  first: FirstLine,
  method: string | undefined,
  known?: HeaderLines,
): Head {
  const again = known?.length === length ? known.again(b, start, first) : undefined;
  if (again?.isFor(method)) return again;
  const head = new Head(first, length);
  if (known?.length === length) known.tell(head);
  else {
    const end = start + length;
    for (let at = start + first.length; at < end; ) {
      let next = lineEnd(b, at, end);
      if (next < 0) next = end;
      sayingOf(b, at, next)?.(head);
      at = next;
    }
  }
  head.framing = head.framingFor(method);
  return head;
}
