/** Lines and words of HTTP's text (RFC 9112 section 2.2), found in octets without making text of them. */
const CR = 13;
export const LF = 10;
export const SPACE = 32;
export const COLON = 0x3a;

/** Index behind the LF that ends the line at `from`, or -1. */
export function lineEnd(b: Uint8Array, from: number, end: number): number {
  let i = from;
  // What the engine makes sure of in each turn, it does once for four octets.
  for (; i + 3 < end; i += 4) {
    if (b[i] === LF) return i + 1;
    if (b[i + 1] === LF) return i + 2;
    if (b[i + 2] === LF) return i + 3;
    if (b[i + 3] === LF) return i + 4;
  }
  for (; i < end; i++) if (b[i] === LF) return i + 1;
  return -1;
}

/** The end of a line without CR and LF. */
export function trimmed(b: Uint8Array, from: number, end: number): number {
  let stop = end;
  if (stop > from && b[stop - 1] === LF) stop--;
  if (stop > from && b[stop - 1] === CR) stop--;
  return stop;
}

export const isBlank = (b: Uint8Array, from: number, end: number): boolean => trimmed(b, from, end) === from;

export function wordEnd(b: Uint8Array, from: number, end: number): number {
  for (let i = from; i < end; i++) if (b[i] === SPACE) return i;
  return end;
}

/** RFC 9110 section 5.6.2. */
const TOKEN = new Uint8Array(256);
for (const c of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") TOKEN[c.charCodeAt(0)] = 1;

export function isToken(b: Uint8Array, from: number, to: number): boolean {
  return to > from && tokenEnd(b, from, to) === to;
}

/** Where the token at `from` ends. */
export function tokenEnd(b: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && TOKEN[b[at]!] === 1) at++;
  return at;
}

/** Call `found` for each piece of `[from, to)` between separators, without the spaces before it; empty ones are passed over. */
export function eachPiece(b: Uint8Array, from: number, to: number, separator: number, found: (at: number, end: number) => void): void {
  for (let at = from; at < to; ) {
    let next = at;
    while (next < to && b[next] !== separator) next++;
    while (at < next && b[at] === SPACE) at++;
    if (next > at) found(at, next);
    at = next + 1;
  }
}

/** Is the header at `at` called `name` (in lower case)? */
export function named(b: Uint8Array, at: number, name: Uint8Array): boolean {
  const n = name.length;
  if (b[at + n] !== COLON) return false;
  for (let i = 0; i < n; i++) if ((b[at + i]! | 0x20) !== name[i]) return false;
  return true;
}

/** Does what ends at `at`, begun at `start`, end in an empty line? */
export const isHeadEnd = (b: Uint8Array, start: number, at: number): boolean =>
  at - start >= 2 && b[at - 1] === LF && (b[at - 2] === LF || (b[at - 2] === CR && b[at - 3] === LF));
