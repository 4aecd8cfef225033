/**
 * `matches`: regular expressions over octets, in linear time.
 *
 * Wireshark hands patterns to PCRE2, which backtracks, so that `(a+)+$` on a hostile packet takes for ever. Here they run
 * on re2js, a port of RE2: an automaton that looks at each octet once. What only backtracking can do (lookahead,
 * backreferences, possessive quantifiers, atomic groups) is refused when the filter is read.
 * Octets are matched as characters U+0000 to U+00FF, so `\x80` is the octet 0x80 and a UTF-8 letter is the octets it is
 * made of, as with PCRE2 without UTF.
 */
import { RE2JS, RE2JSException } from 're2js';
import { FilterError } from './errors.js';
import type { Token } from './lex.js';

/** True when the pattern occurs in octets, given one to a character. */
export type Matcher = (subject: string) => boolean;

/** Longest pattern: an automaton of a long one costs memory, and no person writes it. */
const MAX_PATTERN = 2000;

export function compilePattern(token: Token): Matcher {
  if (token.octets.length > MAX_PATTERN) throw new FilterError(`the pattern is longer than ${MAX_PATTERN} octets`, token);
  const pattern = binaryText(token.octets, 0, token.octets.length);
  try {
    const compiled = RE2JS.compile(translate(pattern), RE2JS.CASE_INSENSITIVE | RE2JS.LOOKBEHINDS);
    return (subject) => compiled.test(subject);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    const reason = error.message.replace(/^error parsing regexp: /, '').replace('`(?i)', '`');
    const hint = /\(\?[=!>]|\\[1-9]|invalid nested repetition/.test(reason)
      ? ' (patterns run in linear time: no lookahead, backreference or possessive quantifier)'
      : '';
    throw new FilterError(`the pattern cannot be used: ${reason}${hint}`, token);
  }
}

/** What PCRE2 and RE2 write differently: `$` (also before a last line end), `\s` (also the vertical tab), `\h`, `\R`, `\N`, `\e`, `\Z`. */
function translate(pattern: string): string {
  const lines = /\(\?[a-z]*m/i.test(pattern);
  let out = '';
  let inClass = false;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '\\') {
      const next = pattern[++i] ?? '';
      if (next === 'Q') {
        const end = pattern.indexOf('\\E', i);
        const to = end < 0 ? pattern.length : end;
        out += pattern.slice(i + 1, to).replace(/[^a-z0-9]/gi, (ch) => `\\x${ch.charCodeAt(0).toString(16).padStart(2, '0')}`);
        i = end < 0 ? pattern.length : end + 1;
        continue;
      }
      out += (inClass ? IN_CLASS : OUTSIDE)[next] ?? c + next;
    } else if (inClass) {
      if (c === '[' && pattern[i + 1] === ':') {
        const end = pattern.indexOf(':]', i);
        if (end > 0) {
          out += pattern.slice(i, end + 2);
          i = end + 1;
          continue;
        }
      }
      if (c === ']') inClass = false;
      // In a class a bracket stands for itself.
      out += c === '[' ? '\\[' : c;
    } else if (c === '[') {
      inClass = true;
      out += c;
      if (pattern[i + 1] === '^') out += pattern[++i];
      if (pattern[i + 1] === ']') {
        out += '\\]';
        i++;
      }
    } else out += c === '$' && !lines ? END : c;
  }
  return out;
}

const END = '(?:\\n?\\z)';
const OUTSIDE: Readonly<Record<string, string>> = {
  s: '[\\t-\\r ]',
  S: '[^\\t-\\r ]',
  h: '[\\t \\xa0]',
  H: '[^\\t \\xa0]',
  R: '(?:\\r\\n|[\\n-\\r\\x85])',
  N: '[^\\n]',
  e: '\\x1b',
  Z: END,
};
const IN_CLASS: Readonly<Record<string, string>> = { s: '\\t-\\r ', h: '\\t \\xa0', e: '\\x1b', b: '\\x08' };

/** Octets as a string of characters U+0000 to U+00FF. */
export function binaryText(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  // Chunks, because every octet is an argument on the stack.
  for (let at = from; at < to; at += 4096)
    text += String.fromCharCode.apply(null, bytes.subarray(at, Math.min(at + 4096, to)) as unknown as number[]);
  return text;
}

const utf8 = new TextEncoder();

/** Text as the octets of its UTF-8, one to a character. */
export function binaryOfText(text: string): string {
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  const octets = utf8.encode(text);
  return binaryText(octets, 0, octets.length);
}
