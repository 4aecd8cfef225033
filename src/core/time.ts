/**
 * Times. A point in time is (seconds, nanoseconds) since 1970 UTC; a duration is a count of nanoseconds, a number while
 * that is exact (104 days) and a bigint beyond, so that nothing is rounded and the common case allocates nothing.
 */

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
    const value = rounded(n, unit.nanoseconds);
    const decimals = value.digits === 0 ? '' : `.${String(value.fraction).padStart(value.digits, '0')}`;
    return `${value.whole}${decimals}${unit.name}`;
  }
  const s = Math.round(n / 1e9);
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

/** What {@link durationText} says, into a buffer; without a string in between for what is told in µs, ms or s. */
export function writeDuration(out: TextBuffer, time: Nanoseconds): void {
  const unit = typeof time === 'number' && time >= 1e3 ? unitOf(time) : undefined;
  if (unit === undefined) return out.unicode(durationText(time));
  const { whole, fraction, digits } = rounded(time as number, unit.nanoseconds);
  out.number(whole);
  if (digits > 0) {
    out.byte(0x2e);
    out.padded(fraction, digits);
  }
  if (out.asciiOnly) out.unicode(unit.name);
  else out.raw(unit.octets);
}

interface Unit {
  readonly nanoseconds: number;
  readonly name: string;
  readonly octets: Uint8Array;
}

const unit = (nanoseconds: number, name: string): Unit => ({ nanoseconds, name, octets: new TextEncoder().encode(name) });
const MICROSECONDS = unit(1e3, ' µs');
const MILLISECONDS = unit(1e6, ' ms');
const SECONDS = unit(1e9, ' s');

/** The unit for `n` nanoseconds. Rounding may carry into the next one (999.6 µs is 1 ms), so the bounds are on the rounded value. */
function unitOf(n: number): Unit | undefined {
  return n < 999.5e3 ? MICROSECONDS : n < 999.5e6 ? MILLISECONDS : n < 99.95e9 ? SECONDS : undefined;
}

/** The result of {@link rounded}, used again by the next call. */
const mantissa = { whole: 0, fraction: 0, digits: 0 };

/** `n / scale` to three digits, without zeros at the end: `whole` and `digits` decimals, which read as a number are `fraction`. */
function rounded(n: number, scale: number): typeof mantissa {
  let digits = n < 9.995 * scale ? 2 : n < 99.95 * scale ? 1 : 0;
  let power = digits === 2 ? 100 : digits === 1 ? 10 : 1;
  const value = Math.floor((n * power) / scale + 0.5);
  mantissa.whole = Math.floor(value / power);
  let fraction = value - mantissa.whole * power;
  while (digits > 0 && fraction % 10 === 0) {
    fraction /= 10;
    power /= 10;
    digits--;
  }
  mantissa.fraction = fraction;
  mantissa.digits = digits;
  return mantissa;
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
