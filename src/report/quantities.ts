/** Numbers for people: sizes, rates, counts, shares. */
import { durationText } from '../core/time.js';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Octets with three digits and the unit that fits: `812 B`, `1.9 MB`. Decimal units. */
export function sizeText(octets: number): string {
  let n = octets;
  let unit = 0;
  // The bound is on the rounded value, so that 999 600 is 1 MB.
  while (n >= 999.5 && unit < UNITS.length - 1) {
    n /= 1000;
    unit++;
  }
  const digits = unit === 0 || n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2;
  const text = n.toFixed(digits);
  return `${text.includes('.') ? text.replace(/\.?0+$/, '') : text} ${UNITS[unit]}`;
}

/** Octets a second. */
export const rateText = (octets: number): string => (octets === 0 ? '–' : `${sizeText(octets)}/s`);

/** A whole number in groups of three: `1 842`. */
export const countText = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ' ');

/** `1 segment`, `12 segments`. */
export const counted = (n: number, what: string): string => `${countText(n)} ${what}${n === 1 ? '' : 's'}`;

/** `0.2 %`, `12 %`. */
export function shareText(part: number, whole: number): string {
  if (whole === 0) return '–';
  const share = (part / whole) * 100;
  return `${share >= 9.95 || share === 0 ? Math.round(share) : share < 0.1 ? '<0.1' : share.toFixed(1)} %`;
}

/** Least, median and most of a time, with units where they change: `21/34/212 µs`, `38/52 µs/9 ms`. */
export function spreadText(...times: readonly number[]): string {
  const parts = times.map((time) => durationText(time).split(' '));
  return parts
    .map(([number, ...unit], i) =>
      unit.length === 0 || unit.join(' ') === parts[i + 1]?.slice(1).join(' ') ? number : `${number} ${unit.join(' ')}`,
    )
    .join('/');
}
