/**
 * Times. A point in time is (seconds, nanoseconds) since 1970 UTC; a duration is a count of nanoseconds, a number while
 * that is exact (104 days) and a bigint beyond, so that nothing is rounded and the common case allocates nothing.
 */

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
  // Rounding may carry into the next unit (999.6 µs is 1 ms), so the bound is on the rounded value.
  if (n < 999.5e3) return `${threeDigits(n / 1e3)} µs`;
  if (n < 999.5e6) return `${threeDigits(n / 1e6)} ms`;
  if (n < 99.95e9) return `${threeDigits(n / 1e9)} s`;
  const s = Math.round(n / 1e9);
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

function threeDigits(n: number): string {
  const text = n < 9.995 ? n.toFixed(2) : n < 99.95 ? n.toFixed(1) : n.toFixed(0);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
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
