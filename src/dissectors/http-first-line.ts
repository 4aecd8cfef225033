/** The first line of an HTTP/1 message (RFC 9112 sections 3 and 4): what it begins, and its three words. */
import type { FixedText } from '../core/fixed-text.js';
import { latin1Of, Recalled, Texts, textOf } from '../core/octets.js';
import { isToken, lineEnd, SPACE, trimmed, wordEnd } from './http-lines.js';

/** Methods that begin a request: of HTTP, WebDAV, UPnP and RTSP-like kin. Others are believed when the line ends in a version. */
const METHODS = new Set(
  'GET PUT POST HEAD LOCK MOVE COPY POLL BIND BCOPY MKCOL TRACE LABEL MERGE PATCH DELETE SEARCH UNLOCK REPORT UPDATE NOTIFY BDELETE CONNECT OPTIONS CHECKIN PROPFIND CHECKOUT M-SEARCH SUBSCRIBE PROPPATCH BPROPFIND UNCHECKOUT MKACTIVITY MKWORKSPACE UNSUBSCRIBE RPC_CONNECT VERSION-CONTROL BASELINE-CONTROL CCM_POST RPC_IN_DATA RPC_OUT_DATA SUBSCRIBE_NOTIFY'.split(
    ' ',
  ),
);

export type Kind = 'request' | 'response' | 'notification';

const texts = new Texts(1024);

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

/** The status code in the three octets at `at`; -1 when it is none. */
function codeAt(b: Uint8Array, at: number): number {
  let code = 0;
  for (let i = at; i < at + 3; i++) {
    const digit = b[i]! - 0x30;
    if (digit < 0 || digit > 9) {
      // Signs, blanks and other forms of a number.
      const number = Number(texts.of(b, at, at + 3));
      return Number.isNaN(number) ? -1 : number;
    }
    code = code * 10 + digit;
  }
  return code;
}

/** Does the request line `[start, next)` tell a version? */
function hasVersion(b: Uint8Array, start: number, next: number): boolean {
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

/** A text was written so often that it is worth keeping. */
const WORTH_KEEPING = 4;

/** A first line; offsets count from its first octet. */
export class FirstLine {
  /** Octets of it, its end included, and without that. */
  readonly length: number;
  readonly stop: number;
  /** Where its first and its second word end. */
  readonly first: number;
  readonly second: number;
  readonly method: string;
  /** Path and query, or whatever stands in their place. */
  readonly uri: string;
  /** Of a response; -1 when it is none. */
  readonly code: number;
  readonly version: string;
  /** It could be a request of HTTP/0.9, which tells no version. */
  readonly isSimple: boolean;
  /** What a writer makes of it. */
  text: FixedText | undefined = undefined;
  /** What a writer makes of its URI at the {@link host}. */
  uriText: FixedText | undefined = undefined;
  host: string | undefined = undefined;
  private written = 0;

  /** It ends before `end`. */
  constructor(
    b: Uint8Array,
    start: number,
    end: number,
    readonly kind: Kind,
  ) {
    const isResponse = kind === 'response';
    const stop = trimmed(b, start, end);
    const first = wordEnd(b, start, stop);
    const second = wordEnd(b, Math.min(first + 1, stop), stop);
    this.length = end - start;
    this.stop = stop - start;
    this.first = first - start;
    this.second = second - start;
    this.method = isResponse ? '' : texts.of(b, start, first);
    this.uri = isResponse ? '' : textOf(b, Math.min(first + 1, stop), second);
    this.code = isResponse && second - first === 4 ? codeAt(b, first + 1) : -1;
    this.version = isResponse ? versionOf(b, start, first) : versionOf(b, Math.min(second + 1, stop), stop);
    this.isSimple = b[start] !== 0x48 && stop > start && end - start < 8192 && !hasVersion(b, start, end);
  }

  /** A writer writes it once more: is its text worth keeping now? */
  get isSteady(): boolean {
    return ++this.written > WORTH_KEEPING;
  }
}

/** Octets of the longest line that is remembered. */
const LONGEST = 256;
const lines = new Recalled(
  1024,
  (b, from, to) => {
    const kind = kindOf(b, from, to);
    return kind && new FirstLine(b, from, to, kind);
  },
  LONGEST,
);

/** The whole first line `[start, next)`; undefined when it begins nothing of HTTP. */
export const firstLine = (b: Uint8Array, start: number, next: number): FirstLine | undefined => lines.of(b, start, next);
