/** A display filter's text as words, strings and signs. */
import { FilterError, type Span } from './errors.js';

/**
 * - `word`: a name, a number, an address, bare octets: what it is depends on where it stands;
 * - `string`: between double quotes, escapes resolved, as octets; `char`: between single quotes, the same;
 * - `range`: what stands in square brackets after a field; `layer`: what follows `#`;
 * - `sign`: an operator or bracket.
 */
export interface Token extends Span {
  readonly kind: 'word' | 'string' | 'char' | 'range' | 'layer' | 'sign' | 'end';
  /** As written; the inside of brackets for ranges. */
  readonly text: string;
  /** The octets of strings and characters. */
  readonly octets: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** Longest first. */
const SIGNS = [
  '===',
  '!==',
  '==',
  '!=',
  '~=',
  '>=',
  '<=',
  '&&',
  '||',
  '^^',
  '..',
  '(',
  ')',
  '{',
  '}',
  ',',
  '>',
  '<',
  '!',
  '~',
  '&',
  '+',
  '-',
  '*',
  '/',
  '%',
];

/** Characters of a word after its first; `-` stands in hardware addresses, so `a-b` is one word, as in Wireshark. */
const INSIDE = /[\p{L}\p{N}_.:-]/u;
/** A minus sign is an operator where a word could begin. */
const FIRST = /[\p{L}\p{N}_:]/u;

const IPV4_TEXT = /^\d{1,3}(\.\d{1,3}){3}$/;

const ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '"': 34, "'": 39, '\\': 92 };

const utf8 = new TextEncoder();

/** Split `text` into tokens; the last is `end`. */
export function lex(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const push = (kind: Token['kind'], from: number, to: number, content = text.slice(from, to), octets = NOTHING) => {
    tokens.push({ kind, from, to, text: content, octets });
    at = to;
  };

  while (at < text.length) {
    const c = text[at]!;
    if (/\s/.test(c)) {
      at++;
      continue;
    }
    if (c === '"' || c === "'") {
      quoted(at, at, false);
      continue;
    }
    if ((c === 'r' || c === 'R') && text[at + 1] === '"') {
      quoted(at, at + 1, true);
      continue;
    }
    if (c === '[') {
      const close = text.indexOf(']', at);
      if (close < 0) throw new FilterError('this bracket is not closed', { from: at, to: text.length });
      push('range', at, close + 1, text.slice(at + 1, close));
      continue;
    }
    if (c === '#') {
      const digits = /^(\d+|\[[^\]]*\])/.exec(text.slice(at + 1));
      if (!digits) throw new FilterError('a layer number or [range] must follow #', { from: at, to: at + 2 });
      push('layer', at, at + 1 + digits[0].length, digits[0].replace(/[[\]]/g, ''));
      continue;
    }
    if (c === '$') {
      const close = text.indexOf('}', at);
      throw new FilterError(
        'a reference to a field (dollar and braces) means the frame selected in a window; on a command line there is none',
        {
          from: at,
          to: close < 0 ? text.length : close + 1,
        },
      );
    }
    if (c === '@')
      throw new FilterError('@ (the raw octets of a field) is not supported; take a slice of its protocol, e.g. ip[8]', {
        from: at,
        to: at + 1,
      });
    if (FIRST.test(c)) {
      push('word', at, wordEnd(at));
      continue;
    }
    const sign = SIGNS.find((s) => text.startsWith(s, at));
    if (sign === undefined) {
      const hint = c === '=' ? 'to compare, write ==' : c === '|' ? 'for "or", write ||' : undefined;
      throw new FilterError(`${c} means nothing here${hint ? `; ${hint}` : ''}`, { from: at, to: at + 1 });
    }
    push('sign', at, at + sign.length);
  }
  push('end', text.length, text.length, '');
  return tokens;

  /** Where a word that begins at `from` ends: before `..`, and with a prefix length if it is an address. */
  function wordEnd(from: number): number {
    let to = from + 1;
    while (to < text.length && INSIDE.test(text[to]!)) {
      if (text[to] === '.' && (text[to + 1] === '.' || !INSIDE.test(text[to + 1] ?? ''))) break;
      to++;
    }
    const word = text.slice(from, to);
    if (text[to] === '/' && (IPV4_TEXT.test(word) || /^[0-9a-f.]*:[0-9a-f:.]*$/i.test(word))) {
      const prefix = /^\/\d+/.exec(text.slice(to));
      if (prefix) to += prefix[0].length;
    }
    return to;
  }

  /** A string or character that begins at `from`, with its quote at `open`. */
  function quoted(from: number, open: number, raw: boolean): void {
    const quote = text[open]!;
    const what = quote === '"' ? 'string' : 'character';
    const octets: number[] = [];
    let i = open + 1;
    for (;;) {
      const c = text[i];
      if (c === undefined) throw new FilterError(`this ${what} has no closing ${quote}`, { from, to: text.length });
      if (c === quote) break;
      if (c !== '\\') {
        const point = String.fromCodePoint(text.codePointAt(i)!);
        octets.push(...utf8.encode(point));
        i += point.length;
        continue;
      }
      if (raw) {
        // The backslash stays, and keeps a quote from ending the string.
        octets.push(92);
        i++;
        if (text[i] === '"') {
          octets.push(34);
          i++;
        }
        continue;
      }
      i = escaped(i, octets, what);
    }
    if (quote === "'" && octets.length === 0) throw new FilterError('there is no character between these quotes', { from, to: i + 1 });
    if (quote === "'" && octets.length > 1)
      throw new FilterError('a character is one octet; write a string in double quotes', { from, to: i + 1 });
    push(quote === '"' ? 'string' : 'char', from, i + 1, text.slice(open + 1, i), Uint8Array.from(octets));
  }

  /** Resolve the escape at `at` into octets; yields where it ends. */
  function escaped(from: number, octets: number[], what: string): number {
    const rest = text.slice(from + 1);
    const letter = rest[0] ?? '';
    const simple = ESCAPES[letter];
    if (simple !== undefined) {
      octets.push(simple);
      return from + 2;
    }
    const number = /^(?:x([0-9a-f]{1,2})|([0-7]{1,3}))/i.exec(rest);
    if (number) {
      const value = number[1] !== undefined ? Number.parseInt(number[1], 16) : Number.parseInt(number[2]!, 8);
      const to = from + 1 + number[0].length;
      if (value > 255) throw new FilterError(`\\${number[0]} is more than an octet holds`, { from, to });
      octets.push(value);
      return to;
    }
    const point = /^(?:u([0-9a-f]{4})|U([0-9a-f]{8}))/i.exec(rest);
    if (point) {
      const value = Number.parseInt(point[1] ?? point[2]!, 16);
      const to = from + 1 + point[0].length;
      if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) throw new FilterError(`\\${point[0]} is no character`, { from, to });
      octets.push(...utf8.encode(String.fromCodePoint(value)));
      return to;
    }
    throw new FilterError(
      `\\${letter} is no escape of a ${what}; for a backslash write \\\\${what === 'string' ? ', or a raw string r"..."' : ''}`,
      { from, to: from + 2 },
    );
  }
}
