/**
 * Times. A point in time is (seconds, nanoseconds) since 1970 UTC; a duration is a count of nanoseconds, a number while
 * that is exact (104 days) and a bigint beyond, so that nothing is rounded and the common case allocates nothing.
 */

import { FixedText } from './fixed-text.js';
import type { TextBuffer } from './text.js';

/** Nanoseconds: a number up to 2^53, else a bigint. Both compare with `<` and `===` of like kinds. */
export type Nanoseconds = number | bigint;

const EXACT_SECONDS = 9_007_199;

/** Nanoseconds from point b to point a. */
export function between(aSeconds: number, aNanoseconds: number, bSeconds: number, bNanoseconds: number): Nanoseconds {
  const seconds = aSeconds - bSeconds;
  if (seconds < EXACT_SECONDS && seconds > -EXACT_SECONDS) return seconds * 1e9 + (aNanoseconds - bNanoseconds);
  return BigInt(seconds) * 1_000_000_000n + BigInt(aNanoseconds - bNanoseconds);
}

/**
 * The same as a number, which is exact for as long as between() yields one. Counted by a number that is no small integer:
 * else the engine takes it for one until more than two seconds passed, and compiles all that asks for it anew.
 */
export const elapsed = (aSeconds: number, aNanoseconds: number, bSeconds: number, bNanoseconds: number): number =>
  ((aSeconds - bSeconds) * 4e9) / 4 + (aNanoseconds - bNanoseconds);

/** Seconds with nine decimals, as tshark prints durations: `-0.001000000`. */
export function secondsText(time: Nanoseconds): string {
  const negative = time < 0;
  const n = typeof time === 'bigint' ? (negative ? -time : time) : Math.abs(time);
  const whole = typeof n === 'bigint' ? n / 1_000_000_000n : Math.floor(n / 1e9);
  const rest = typeof n === 'bigint' ? Number(n % 1_000_000_000n) : n % 1e9;
  return `${negative ? '-' : ''}${whole}.${String(Math.round(rest)).padStart(9, '0')}`;
}

/** A duration for people: three digits and the unit that fits: `61 µs`, `1.48 s`, `203 ms`, `4 min 12 s`. */
export function durationText(time: Nanoseconds): string {
  const n = Number(time);
  if (n < 0) return `−${durationText(-n)}`;
  if (n === 0) return '0';
  if (n < 1e3) return `${n} ns`;
  const unit = unitOf(n);
  if (unit !== undefined) {
    const decimals = decimalsOf(n, unit.nanoseconds);
    return `${threeDigits(n, unit.nanoseconds, decimals) / 10 ** decimals}${unit.name}`;
  }
  const s = Math.round(n / 1e9);
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

/** What {@link durationText} says, into a buffer; without a string in between for what is told in µs, ms or s. */
export function writeDuration(out: TextBuffer, time: Nanoseconds): void {
  const unit = typeof time === 'number' && time >= 1e3 ? unitOf(time) : undefined;
  if (unit === undefined || out.asciiOnly) return out.unicode(durationText(time));
  const decimals = decimalsOf(time as number, unit.nanoseconds);
  const digits = threeDigits(time as number, unit.nanoseconds, decimals);
  out.room(MANTISSA + unit.text.length + 8);
  out.length = unit.text.put(out.view, putMantissa(out.view, out.length, digits, decimals));
}

interface Unit {
  readonly nanoseconds: number;
  readonly name: string;
  readonly text: FixedText;
}

const unit = (nanoseconds: number, name: string): Unit => ({ nanoseconds, name, text: new FixedText(name) });
const MICROSECONDS = unit(1e3, ' µs');
const MILLISECONDS = unit(1e6, ' ms');
const SECONDS = unit(1e9, ' s');

/** The unit for `n` nanoseconds. Rounding may carry into the next one (999.6 µs is 1 ms), so the bounds are on the rounded value. */
function unitOf(n: number): Unit | undefined {
  return n < 999.5e3 ? MICROSECONDS : n < 999.5e6 ? MILLISECONDS : n < 99.95e9 ? SECONDS : undefined;
}

/** How many of three digits of `n / scale` stand behind the point; the same carry as above. */
const decimalsOf = (n: number, scale: number): 0 | 1 | 2 => (n < 9.995 * scale ? 2 : n < 99.95 * scale ? 1 : 0);

/** Those three digits, rounded: 100 to 999. */
const threeDigits = (n: number, scale: number, decimals: 0 | 1 | 2): number =>
  Math.floor((n * (decimals === 2 ? 100 : decimals === 1 ? 10 : 1)) / scale + 0.5);

/** Octets of three digits and a point. */
const MANTISSA = 4;
const ZERO = 0x30;
const POINT = 0x2e;

/** Write three digits of which so many stand behind the point, without zeros at the end: `1.5`. */
function putMantissa(view: DataView, at: number, digits: number, decimals: 0 | 1 | 2): number {
  const a = (digits / 100) | 0;
  const b = ((digits / 10) | 0) - 10 * a;
  const c = digits - 100 * a - 10 * b;
  const first = ZERO + a;
  const last = (ZERO + c) << 24;
  if (decimals === 2) {
    view.setInt32(at, first | (POINT << 8) | ((ZERO + b) << 16) | last, true);
    return at + (c > 0 ? 4 : b > 0 ? 3 : 1);
  }
  if (decimals === 1) {
    view.setInt32(at, first | ((ZERO + b) << 8) | (POINT << 16) | last, true);
    return at + (c > 0 ? 4 : 2);
  }
  view.setInt32(at, first | ((ZERO + b) << 8) | ((ZERO + c) << 16), true);
  return at + 3;
}

const two = (n: number) => String(n).padStart(2, '0');

/** ISO 8601 in UTC with nanoseconds: `2026-11-21T11:09:00.123456789Z`. */
export function isoText(seconds: number, nanoseconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `${seconds}.${String(nanoseconds).padStart(9, '0')}`;
  return `${date.toISOString().slice(0, -5)}.${String(nanoseconds).padStart(9, '0')}Z`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** As tshark prints absolute times in UTC: `Nov 21, 2026 11:09:00.123456789 UTC`. */
export function utcText(seconds: number, nanoseconds: number): string {
  const d = new Date(seconds * 1000);
  const day = String(d.getUTCDate()).padStart(2, ' ');
  return `${MONTHS[d.getUTCMonth()]} ${day}, ${d.getUTCFullYear()} ${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}.${String(nanoseconds).padStart(9, '0')} UTC`;
}

/** Seconds since 1970 UTC with nine decimals. */
export const epochText = (seconds: number, nanoseconds: number): string => `${seconds}.${String(nanoseconds).padStart(9, '0')}`;
