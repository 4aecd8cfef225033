/**
 * Percentiles of durations in bounded memory. A few values are kept as they are; of more, a histogram whose buckets grow with
 * the value says any percentile to within 1 %, however many came. The largest value is kept exactly.
 */

/** Buckets for each doubling: 2^(1/36) is 1.9 %, and the middle of a bucket is half of that away at most. */
const PER_DOUBLING = 36;
/** Values kept as they are. Most names of a capture have fewer, and take no more room than these. */
const MOST_EXACT = 16;
/** Buckets that the histogram grows by at least, at the end where it has to. */
const GROWTH = 32;

export class Latencies {
  /** Values counted. */
  count = 0;
  /** Nanoseconds. */
  max = 0;
  /** The values, while they are few. */
  private few: number[] | undefined = [];
  /** Number of the bucket that {@link counts} begins with. */
  private first = 0;
  private counts: Uint32Array | undefined = undefined;

  /** Count a duration in nanoseconds. */
  add(nanoseconds: number): void {
    const value = Math.max(0, nanoseconds);
    this.count++;
    if (value > this.max) this.max = value;
    if (this.few === undefined) this.countIn(bucketOf(value), 1);
    else if (this.few.push(value) > MOST_EXACT) this.spread();
  }

  /** Count all that another one counted. */
  merge(other: Latencies): void {
    if (other.few !== undefined) {
      for (const value of other.few) this.add(value);
      return;
    }
    if (this.few !== undefined) this.spread();
    this.count += other.count;
    this.max = Math.max(this.max, other.max);
    const counts = other.counts!;
    for (let i = 0; i < counts.length; i++) if (counts[i]! > 0) this.countIn(other.first + i, counts[i]!);
  }

  /** The duration that `share` (0 to 1) of all values do not exceed, in nanoseconds; undefined without values. */
  percentile(share: number): number | undefined {
    if (this.count === 0) return undefined;
    let left = Math.max(1, Math.ceil(share * this.count));
    if (left === this.count) return this.max;
    if (this.few !== undefined) return this.few.toSorted((a, b) => a - b)[left - 1];
    const { counts, first } = this;
    for (let i = 0; i < counts!.length; i++) {
      left -= counts![i]!;
      if (left <= 0) return Math.min(this.max, middleOf(first + i));
    }
    return this.max;
  }

  /** Go over to the histogram. */
  private spread(): void {
    const few = this.few!;
    this.few = undefined;
    for (const value of few) this.countIn(bucketOf(value), 1);
  }

  private countIn(bucket: number, n: number): void {
    let { counts, first } = this;
    if (counts === undefined) {
      first = this.first = Math.max(0, bucket - (GROWTH >> 1));
      counts = this.counts = new Uint32Array(GROWTH);
    }
    if (bucket < first || bucket >= first + counts.length) {
      const from = Math.max(0, Math.min(first, bucket - GROWTH));
      const to = Math.max(first + counts.length, bucket + GROWTH);
      const wider = new Uint32Array(to - from);
      wider.set(counts, first - from);
      this.first = first = from;
      this.counts = counts = wider;
    }
    counts[bucket - first] = counts[bucket - first]! + n;
  }
}

/** Durations reach 2^64 ns at most, so there are no more than 36 × 64 buckets. */
const bucketOf = (value: number): number => (value < 1 ? 0 : 1 + Math.floor(Math.log2(value) * PER_DOUBLING));
const middleOf = (bucket: number): number => (bucket === 0 ? 0 : Math.round(2 ** ((bucket - 0.5) / PER_DOUBLING)));
