/** Replies of Redis as values: what `--json` shows of them. */
import { textOf } from '../core/octets.js';

/** Within a reply: text, a number, a list, pairs of a map as lists of two; an error as `{ error }`. */
export type RespInner = string | number | boolean | null | { readonly error: string } | readonly RespInner[];

export interface RespValue {
  readonly type:
    | 'string'
    | 'error'
    | 'integer'
    | 'bulk_string'
    | 'verbatim_string'
    | 'null'
    | 'boolean'
    | 'double'
    | 'big_number'
    | 'array'
    | 'map'
    | 'set'
    | 'push'
    | 'cut short';
  readonly value: RespInner;
  /** Octets of a string, elements of an aggregate; also where only some of them are in {@link value}. */
  readonly length?: number;
}

/** Elements of a reply that are kept, in all; octets of each text; nesting. */
const MOST_ELEMENTS = 64;
const MOST_OCTETS = 1024;
const MOST_DEPTH = 8;

const LINE = new Map<number, RespValue['type']>([
  [0x2b, 'string'],
  [0x2d, 'error'],
  [0x3a, 'integer'],
  [0x5f, 'null'],
  [0x23, 'boolean'],
  [0x2c, 'double'],
  [0x28, 'big_number'],
]);
const AGGREGATE = new Map<number, RespValue['type']>([
  [0x2a, 'array'],
  [0x25, 'map'],
  [0x7e, 'set'],
  [0x3e, 'push'],
]);
const ATTRIBUTE = 0x7c;
const BANG = 0x21;
const EQUALS = 0x3d;
const QUESTION = 0x3f;
const SEMICOLON = 0x3b;
const DOT = 0x2e;

/** What is shown in place of the string `[from, to)`; undefined when that is no secret. */
type Instead = (from: number, to: number) => string | undefined;

/** The reply in `[start, end)`, without what an attribute says of it. Reads each octet once, and stops at what is kept. */
export function replyValue(bytes: Uint8Array, start: number, end: number, instead: Instead = nothing): RespValue {
  return new Reader(bytes, start, end, instead).value(0) ?? CUT;
}

const nothing: Instead = () => undefined;
const CUT: RespValue = { type: 'cut short', value: null };

class Reader {
  private left = MOST_ELEMENTS;

  constructor(
    private readonly b: Uint8Array,
    private at: number,
    private readonly end: number,
    private readonly instead: Instead,
  ) {}

  /** The next element; undefined when it is not whole or no more are kept. */
  value(depth: number): RespValue | undefined {
    const { b } = this;
    for (;;) {
      if (this.left-- <= 0) return undefined;
      const type = b[this.at]!;
      const from = this.at + 1;
      const to = this.line();
      if (to < 0) return undefined;
      const kind = LINE.get(type);
      if (kind !== undefined) return lineValue(kind, textOf(b, from, Math.min(to, from + MOST_OCTETS)));
      const streamed = b[from] === QUESTION;
      const length = streamed ? -1 : Number(textOf(b, from, Math.min(to, from + 20)));
      if (type === ATTRIBUTE) {
        // It says something of the element that follows; each round takes one of those that are kept.
        for (let i = 0; i < 2 * length; i++) if (this.value(depth + 1) === undefined) return undefined;
        continue;
      }
      const aggregate = AGGREGATE.get(type);
      if (aggregate !== undefined) return this.aggregate(aggregate, streamed ? Number.POSITIVE_INFINITY : length, depth);
      if (streamed) return this.chunks();
      return this.string(type, length);
    }
  }

  /** Goes behind the line at hand; where its text ends. */
  private line(): number {
    const { b, end } = this;
    for (let i = this.at; i < end; i++)
      if (b[i] === 10) {
        this.at = i + 1;
        return b[i - 1] === 13 ? i - 1 : i;
      }
    return -1;
  }

  private string(type: number, length: number): RespValue | undefined {
    if (!(length >= 0)) return { type: 'null', value: null };
    const from = this.at;
    if (from + length > this.end) return undefined;
    this.at = from + length + 2;
    const instead = this.instead(from, from + length);
    if (instead !== undefined) return { type: 'bulk_string', value: instead, length: instead.length };
    const skip = type === EQUALS ? 4 : 0;
    const text = textOf(this.b, from + skip, Math.min(from + length, from + skip + MOST_OCTETS));
    if (type === BANG) return { type: 'error', value: text };
    return { type: type === EQUALS ? 'verbatim_string' : 'bulk_string', value: text, length: length - skip };
  }

  /** `;4\r\nsome\r\n;0\r\n` */
  private chunks(): RespValue | undefined {
    let text = '';
    let total = 0;
    while (this.b[this.at] === SEMICOLON) {
      const from = this.at + 1;
      const to = this.line();
      const length = to < 0 ? Number.NaN : Number(textOf(this.b, from, to));
      if (length === 0) return { type: 'bulk_string', value: text, length: total };
      if (!(length > 0) || this.at + length > this.end) return undefined;
      if (text.length < MOST_OCTETS) text += textOf(this.b, this.at, this.at + Math.min(length, MOST_OCTETS));
      total += length;
      this.at += length + 2;
    }
    return undefined;
  }

  private aggregate(type: RespValue['type'], count: number, depth: number): RespValue | undefined {
    if (!(count >= 0)) return { type: 'null', value: null };
    const values: RespInner[] = [];
    const steps = type === 'map' ? 2 * count : count;
    let pair: RespInner | undefined;
    let whole = 0;
    // What is nested deeper is not looked at, so that nobody knows where what follows it begins.
    if (depth >= MOST_DEPTH && steps > 0) this.left = 0;
    for (let i = 0; i < steps; i++) {
      if (count === Number.POSITIVE_INFINITY && this.b[this.at] === DOT) {
        this.line();
        break;
      }
      const inner = this.value(depth + 1);
      if (inner === undefined) break;
      whole++;
      const shown = inner.type === 'error' ? { error: String(inner.value) } : inner.value;
      if (type !== 'map') values.push(shown);
      else if (i % 2 === 0) pair = shown;
      else values.push([pair!, shown]);
    }
    return { type, value: values, length: count === Number.POSITIVE_INFINITY ? whole : count };
  }
}

function lineValue(type: RespValue['type'], text: string): RespValue {
  switch (type) {
    case 'integer': {
      const n = Number(text);
      return { type, value: Number.isSafeInteger(n) ? n : text };
    }
    case 'double': {
      const n = Number(text);
      return { type, value: Number.isFinite(n) ? n : text };
    }
    case 'null':
      return { type, value: null };
    case 'boolean':
      return { type, value: text === 't' };
    default:
      return { type, value: text };
  }
}
