/** What tables of exchanges write alike: signs, times, endpoints, texts that are too long. */
import type { Nanoseconds } from '../core/time.js';

/** Signs of the table; the second set is for terminals without UTF-8. */
export interface Signs {
  readonly arrow: string;
  readonly times: string;
  readonly dot: string;
  readonly dash: string;
  readonly ellipsis: string;
}
export const UNICODE_SIGNS: Signs = { arrow: '→', times: '×', dot: '·', dash: '–', ellipsis: '…' };
export const ASCII_SIGNS: Signs = { arrow: '->', times: 'x', dot: '|', dash: '-', ellipsis: '...' };

/** Time of the first frame, which the times of a table count from. */
export type Start = readonly [seconds: number, nanoseconds: number];

/** Seconds with six decimals since `start`, rounded down as clocks are read. */
export function relativeTime(t: { readonly seconds: number; readonly nanoseconds: number }, [seconds, nanoseconds]: Start): string {
  let micros = Math.floor(t.nanoseconds / 1000) - Math.floor(nanoseconds / 1000);
  let whole = t.seconds - seconds;
  if (micros < 0) {
    whole--;
    micros += 1_000_000;
  }
  // Before the first frame: clocks do that.
  if (whole < 0 && micros > 0) return `-${-whole - 1}.${String(1_000_000 - micros).padStart(6, '0')}`;
  return `${whole}.${String(micros).padStart(6, '0')}`;
}

export const withoutMu = (text: string, signs: Signs): string => (signs === ASCII_SIGNS ? text.replace('µ', 'u').replace('−', '-') : text);

/** `192.0.2.1:80`, `[2001:db8::1]:80`, or the address alone where there is no port. */
export const endpoint = (address: string, port: number | undefined): string =>
  port === undefined ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

/** The first `most` characters of a text, the last of them a sign where it goes on. */
export function cut(text: string, most: number, signs: Signs): string {
  return text.length <= most ? text : text.slice(0, most - signs.ellipsis.length) + signs.ellipsis;
}

export const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** For JSON, which has durations in seconds. */
export const inSeconds = (time: Nanoseconds | undefined): number | undefined => (time === undefined ? undefined : Number(time) / 1e9);
