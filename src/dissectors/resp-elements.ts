/**
 * Elements of the Redis protocol as octets: what the first octet announces, numbers, and where an element ends. Fields and
 * commands are in resp.ts.
 */
import { latin1Of } from '../core/octets.js';
import { ALIEN, MORE } from '../core/stream.js';

/** Longest line: Redis refuses inline commands beyond 64 KiB; error texts and the like are far below. */
const MAX_LINE = 65_536;
/** Deepest nesting that is followed, as often as it costs memory: the last element of an aggregate is free. */
const MAX_DEPTH = 65_536;
export const CR = 13;
export const LF = 10;
export const STAR = 0x2a;
export const MAP = 0x25;
export const SET = 0x7e;
export const PUSH = 0x3e;
export const DOLLAR = 0x24;
export const PLUS = 0x2b;
export const MINUS = 0x2d;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const DOT = 0x2e;
export const QUESTION = 0x3f;

/** An aggregate whose end is marked instead of counted. */
export const STREAMED = -1;

/** What the first octet of an element announces. */
export enum Kind {
  None = 0,
  Line = 1,
  Bulk = 2,
  Aggregate = 3,
  Chunk = 4,
  End = 5,
}

export const KIND = new Uint8Array(256);
for (const c of '+-:_#,(') KIND[c.charCodeAt(0)] = Kind.Line;
for (const c of '$!=') KIND[c.charCodeAt(0)] = Kind.Bulk;
for (const c of '*~>%|') KIND[c.charCodeAt(0)] = Kind.Aggregate;
KIND[SEMICOLON] = Kind.Chunk;
KIND[DOT] = Kind.End;

export const isMapLike = (type: number): boolean => type === MAP || type === ATTRIBUTE;
export const ATTRIBUTE = 0x7c;

/** Index behind the LF that ends the line at `from`, or -1. */
export function lineEnd(b: Uint8Array, from: number, end: number): number {
  for (let i = from; i < end; i++) if (b[i] === LF) return i + 1;
  return -1;
}

/** The decimal number in `[from, to)`; NaN when there is none. Exact up to 2^53, and of the right size beyond. */
export function decimal(b: Uint8Array, from: number, to: number): number {
  let at = from;
  const negative = b[at] === MINUS;
  if (negative || b[at] === PLUS) at++;
  if (at >= to) return Number.NaN;
  let n = 0;
  for (; at < to; at++) {
    const digit = b[at]! - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    n = n * 10 + digit;
  }
  return negative ? -n : n;
}

const MAX_INT64 = 0x7fff_ffff_ffff_ffffn;

/** The 64-bit number in `[from, to)`, the largest there is when it does not fit, 0 when it is none. */
export function integer(b: Uint8Array, from: number, to: number): bigint {
  if (to - from < 16) {
    const n = decimal(b, from, to);
    return Number.isNaN(n) ? 0n : BigInt(n);
  }
  const text = latin1Of(b, from, Math.min(to, from + 4096));
  if (!/^[+-]?\d+$/.test(text)) return 0n;
  // More digits than 64 bits can hold are not worth converting.
  const n = text.length > 40 ? (text[0] === '-' ? -MAX_INT64 - 1n : MAX_INT64) : BigInt(text.replace('+', ''));
  return n > MAX_INT64 ? MAX_INT64 : n < -MAX_INT64 - 1n ? -MAX_INT64 - 1n : n;
}

/** Where the element at `start` ends, or -1. */
export function behind(b: Uint8Array, start: number, end: number): number {
  const parser = new Elements();
  // Without what follows an attribute, whose own elements are what is asked for.
  return parser.measure(b, start, end, true) > 0 ? start + parser.length : -1;
}

/**
 * The length of the message at `start` if it is one of those that nearly all are, and whole: a line, a bulk string or none
 * (`$-1`), or an array, map, set or push of bulk strings, all lengths without leading zeros. 0 where {@link Elements} has to
 * look closely.
 */
export function plainLength(b: Uint8Array, start: number, end: number): number {
  let at = start;
  let left = 1;
  switch (b[start]) {
    case STAR:
    case MAP:
    case SET:
    case PUSH:
      left = 0;
      for (at++; at < end && b[at] !== CR; at++) {
        const digit = b[at]! - 48;
        if (digit < 0 || digit > 9 || left > MAX_PLAIN || (left === 0 && at > start + 1)) return 0;
        left = left * 10 + digit;
      }
      at += 2;
      if (left === 0 || at >= end || b[at - 1] !== LF) return 0;
      if (b[start] === MAP) left *= 2;
      break;
    case DOLLAR:
      if (b[at + 1] === MINUS) return at + 5 <= end && b[at + 2] === 0x31 && b[at + 3] === CR && b[at + 4] === LF ? 5 : 0;
      break;
    case PLUS:
    case MINUS:
    case COLON:
      for (at++; at < end && b[at] !== LF; at++);
      return at < end && at - start > 1 && b[at - 1] === CR ? at + 1 - start : 0;
    default:
      return 0;
  }
  // Each string takes octets, so this ends.
  for (; left > 0; left--) {
    if (at + 1 >= end || b[at] !== DOLLAR) return 0;
    let length = b[at + 1]! - 48;
    if (length < 0 || length > 9) return 0;
    for (at += 2; at < end && b[at] !== CR; at++) {
      const digit = b[at]! - 48;
      if (digit < 0 || digit > 9 || length > MAX_PLAIN || length === 0) return 0;
      length = length * 10 + digit;
    }
    const stop = at + length + 4;
    if (stop > end || b[at + 1] !== LF || b[stop - 2] !== CR || b[stop - 1] !== LF) return 0;
    at = stop;
  }
  return at - start;
}

/** Largest number that {@link plainLength} believes before its last digit. */
const MAX_PLAIN = 100_000_000;

/** Finds the end of an element, step by step. */
export class Elements {
  /** Octets of whole elements so far. */
  length = 0;
  /** Octets that are known to hold no end of a line, beyond {@link length}. */
  private looked = 0;
  /** Elements still to come of each open aggregate; those from {@link depth} on are left over from earlier messages. */
  private readonly open: number[] = [];
  private depth = 0;
  /** Octets that are missing, where a length says so. */
  need = 0;

  /** Nothing was looked at since the last message. */
  get untouched(): boolean {
    return this.looked === 0 && this.length === 0;
  }

  /** Nothing of the message was taken but, perhaps, a bulk string in part. */
  get flat(): boolean {
    return this.depth === 0;
  }

  reset(): void {
    this.length = 0;
    this.looked = 0;
    this.depth = 0;
    this.need = 0;
  }

  /** As {@link StreamParser.measure}; with `single` an attribute is an element of its own. Each octet is looked at once. */
  measure(b: Uint8Array, start: number, end: number, single = false): number {
    const { open } = this;
    let at = start + this.length;
    for (;;) {
      const line = lineEnd(b, Math.max(at, start + this.looked), end);
      if (line < 0) {
        this.looked = end - start;
        this.length = at - start;
        this.need = 0;
        return end - at > MAX_LINE ? ALIEN : MORE;
      }
      const type = b[at]!;
      const kind = KIND[type]!;
      let leaf = true;
      if (kind === Kind.None) {
        // A line by itself is a command, if it is text; within an aggregate it is nothing.
        if (this.depth > 0 || !isText(b, at, line)) return ALIEN;
        at = line;
      } else {
        if (b[line - 2] !== CR || line - 2 <= at - (type === DOT ? 0 : 1)) return ALIEN;
        if (kind === Kind.Line) at = line;
        else if (kind === Kind.End) {
          if (this.depth === 0 || open[this.depth - 1] !== STREAMED) return ALIEN;
          this.depth--;
          at = line;
        } else if (b[at + 1] === QUESTION && line === at + 4 && type !== SEMICOLON) {
          this.count();
          if (this.depth >= MAX_DEPTH) return ALIEN;
          open[this.depth++] = STREAMED;
          at = line;
          continue;
        } else {
          const n = decimal(b, at + 1, line - 2);
          if (Number.isNaN(n)) return ALIEN;
          if (kind === Kind.Aggregate) {
            at = line;
            if (n > 0) {
              leaf = false;
              if (type !== ATTRIBUTE) this.count();
              else if (this.depth === 0 && !single) open[this.depth++] = 1;
              if (this.depth >= MAX_DEPTH) return ALIEN;
              open[this.depth++] = isMapLike(type) ? 2 * n : n;
            } else if (type === ATTRIBUTE && !single) leaf = false;
          } else if (kind === Kind.Chunk && n <= 0) {
            if (this.depth === 0 || open[this.depth - 1] !== STREAMED) return ALIEN;
            this.depth--;
            at = line;
          } else if (n < 0) at = line;
          else {
            const stop = line + n + 2;
            if (stop > end) {
              this.looked = this.length = at - start;
              this.need = stop - end;
              return MORE;
            }
            if (b[stop - 2] !== CR || b[stop - 1] !== LF) return ALIEN;
            at = stop;
            if (kind === Kind.Chunk) leaf = false;
          }
        }
      }
      if (leaf) this.count();
      if (this.depth === 0 && (leaf || single)) {
        this.length = at - start;
        return this.length;
      }
    }
  }

  /** An element is there: count it in the aggregate it stands in, which is closed with its last one. */
  private count(): void {
    const { open } = this;
    const top = this.depth - 1;
    if (top >= 0 && open[top]! > 0 && --open[top]! === 0) this.depth = top;
  }
}

function isText(b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (b[i]! < 0x20 && b[i] !== CR && b[i] !== LF && b[i] !== 9) return false;
  return true;
}
