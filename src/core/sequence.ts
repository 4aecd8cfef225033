/**
 * Arithmetic of TCP sequence numbers, which live modulo 2^32 (RFC 9293 section 3.4): of two numbers the later one is
 * that reached by going less than 2^31 forward. Numbers may come signed or unsigned; only their 32 bits count.
 */

/** True when `a` comes before `b`. */
export const seqBefore = (a: number, b: number): boolean => ((a - b) | 0) < 0;

/** True when `a` comes after `b`. */
export const seqAfter = (a: number, b: number): boolean => ((a - b) | 0) > 0;

/** True when `a` is `b` or comes before it. */
export const seqAtOrBefore = (a: number, b: number): boolean => ((a - b) | 0) <= 0;

/** True when `a` is `b` or comes after it. */
export const seqAtOrAfter = (a: number, b: number): boolean => ((a - b) | 0) >= 0;

/** Octets from `b` to `a`: negative when `a` comes before `b`. Exact for distances below 2^31. */
export const seqDistance = (a: number, b: number): number => (a - b) | 0;

/** The number relative to a base, 0 to 2^32 - 1, as relative sequence numbers are shown. */
export const seqRelative = (a: number, base: number): number => (a - base) >>> 0;

/** The later of two. */
export const seqMax = (a: number, b: number): number => (((a - b) | 0) >= 0 ? a : b);
