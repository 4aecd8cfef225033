/**
 * Percentiles of durations in bounded memory: a histogram whose buckets grow with the value, so that any percentile is right
 * to within 1 % however many values came. The largest value is kept exactly.
 */

/** Buckets for each doubling: 2^(1/64) is 1.1 %, and the middle of a bucket is half of that away at most. */
const PER_DOUBLING = 64;

export class Latencies {
  /** Values counted. */
  count = 0;
  /** Nanoseconds. */
  max = 0;
  private readonly buckets: number[] = [];

  /** Count a duration in nanoseconds. */
  add(nanoseconds: number): void {
    const value = Math.max(0, nanoseconds);
    this.count++;
    if (value > this.max) this.max = value;
    const bucket = value < 1 ? 0 : 1 + Math.floor(Math.log2(value) * PER_DOUBLING);
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
  }

  /** The duration that `share` (0 to 1) of all values do not exceed, in nanoseconds; undefined without values. */
  percentile(share: number): number | undefined {
    if (this.count === 0) return undefined;
    let left = Math.max(1, Math.ceil(share * this.count));
    for (let bucket = 0; bucket < this.buckets.length; bucket++) {
      left -= this.buckets[bucket] ?? 0;
      if (left > 0) continue;
      // Where the largest value is known to be, it is the better answer: it makes few values exact.
      if (bucket === this.buckets.length - 1) return this.max;
      return bucket === 0 ? 0 : Math.min(this.max, Math.round(2 ** ((bucket - 0.5) / PER_DOUBLING)));
    }
    return this.max;
  }
}
