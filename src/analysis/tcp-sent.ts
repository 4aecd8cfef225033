/**
 * What one direction of a conversation has sent: ranges of its sequence space in order, each with the frames that
 * carried it. It answers what a segment repeats, and what is missing before it. Ranges stay after they were acknowledged
 * for as long as there is room, so that a needless repeat finds what it repeats.
 */
import type { TcpFacts } from '../dissectors/tcp-facts.js';

/** Ints of a range. */
const WIDTH = 10;
const START = 0;
const END = 1;
/** Frames that carried it first and last. */
const FIRST = 2;
const LAST = 3;
/** When it was last sent. */
const SECONDS = 4;
const NANOSECONDS = 5;
/** Timeouts in a row in which it was sent again. */
const TIMEOUTS = 6;
/** IP identification (high half) and TCP checksum of the last segment that carried it. */
const IDENTITY = 7;
/** Time stamp of the segment that sent it again first; of the first one until then. */
const TSVAL = 8;
/** The bits below. */
const MARKS = 9;

export const SACKED = 1;
export const RESENT = 2;
/** It was found that sending it again was needless. */
export const NEEDLESS = 4;

/** Acknowledged ranges that are kept in any case. */
const HISTORY = 16;
const LIMIT = 16384;
/** A segment farther ahead than any window reaches (RFC 7323: 2^30) belongs to no stream that we follow. */
export const FARTHEST = 1 << 30;

/** How a stretch of sequence numbers relates to what was sent before. */
export type Relation = 'next' | 'ahead' | 'repeat' | 'fills' | 'forgotten';

export class SentLog {
  // What every segment asks about comes first, side by side in memory.
  private data = new Int32Array(4 * WIDTH);
  /** Ranges that there is room for, a power of two, less one. */
  private mask = 3;
  private head = 0;
  count = 0;
  /** Ranges at the front that are acknowledged in whole. */
  unacknowledged = 0;
  /** One past the highest octet sent. */
  high = this.from;
  /** All before it was acknowledged. */
  acked = this.from;
  /** How the repair began: 0 not at all, 1 with duplicate ACKs or SACK, 2 with a timeout. */
  recovery: 0 | 1 | 2 = 0;
  /** Duplicate ACKs in a row, and the frame of the ACK that they repeat. */
  duplicates = 0;
  ackFrame = 0;
  /** Smoothed round trip and its variation in nanoseconds (RFC 6298); 0 before the first measurement. */
  smoothedRtt = 0;
  rttVariation = 0;
  /** Round trips measured from segments sent once: how many, the extremes, and a sample for the median. */
  rttCount = 0;
  rttMinimum = 0;
  rttMaximum = 0;
  rttSample: number[] | undefined = undefined;

  /** Where what is remembered begins: nothing is known of what comes before. */
  private floor = this.from;
  /** One past the highest octet that the receiver reported by SACK, and the frame of the last report. */
  sackHigh = this.from;
  sackFrame = 0;
  /** A loss is being repaired until all below this is acknowledged. */
  recoverHigh = this.from;
  recoveryFrame = 0;
  /** The highest octet when a probe for a lost tail was sent last. */
  probedHigh = this.from - 1;

  /** `from`: the first octet that is sent. */
  constructor(private readonly from: number) {}

  /** The place of the i-th range in {@link data}. */
  private place(i: number): number {
    return ((this.head + i) & this.mask) * WIDTH;
  }

  relation(start: number): Relation {
    const distance = (start - this.high) | 0;
    if (distance === 0) return 'next';
    if (distance > 0) return distance > FARTHEST ? 'forgotten' : 'ahead';
    if (distance < -FARTHEST) return 'forgotten';
    if (this.find(start) >= 0) return 'repeat';
    return ((start - this.floor) | 0) >= 0 && this.count > 0 ? 'fills' : 'forgotten';
  }

  /** The range that holds an octet; -1 when none does. */
  find(octet: number): number {
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const at = this.place(middle);
      if (((octet - this.data[at + START]!) | 0) < 0) high = middle - 1;
      else if (((octet - this.data[at + END]!) | 0) >= 0) low = middle + 1;
      else return middle;
    }
    return -1;
  }

  /** The first range that starts after an octet; {@link count} when none does. */
  after(octet: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (((this.data[this.place(middle) + START]! - octet) | 0) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  start(i: number): number {
    return this.data[this.place(i) + START]!;
  }
  end(i: number): number {
    return this.data[this.place(i) + END]!;
  }
  /** When it was last sent. */
  seconds(i: number): number {
    return this.data[this.place(i) + SECONDS]!;
  }
  nanoseconds(i: number): number {
    return this.data[this.place(i) + NANOSECONDS]!;
  }
  firstFrame(i: number): number {
    return this.data[this.place(i) + FIRST]!;
  }
  lastFrame(i: number): number {
    return this.data[this.place(i) + LAST]!;
  }
  timeouts(i: number): number {
    return this.data[this.place(i) + TIMEOUTS]!;
  }
  identity(i: number): number {
    return this.data[this.place(i) + IDENTITY]!;
  }
  tsval(i: number): number {
    return this.data[this.place(i) + TSVAL]!;
  }
  marks(i: number): number {
    return this.data[this.place(i) + MARKS]!;
  }
  /** True when there is such a range, and it was sent again. */
  isResent(i: number): boolean {
    return i < this.count && (this.marks(i) & RESENT) !== 0;
  }
  /** Tell of the i-th range as of one that was acknowledged. */
  tell(i: number, facts: TcpFacts): void {
    const { data } = this;
    const at = this.place(i);
    facts.acksFrame = data[at + FIRST]!;
    facts.acksSeconds = data[at + SECONDS]!;
    facts.acksNanoseconds = data[at + NANOSECONDS]!;
  }
  mark(i: number, bit: number): void {
    this.data[this.place(i) + MARKS]! |= bit;
  }
  countTimeout(i: number): number {
    return ++this.data[this.place(i) + TIMEOUTS]!;
  }

  /** Nanoseconds since a range was last sent. */
  since(i: number, seconds: number, nanoseconds: number): number {
    const at = this.place(i);
    return (seconds - this.data[at + SECONDS]!) * 1e9 + (nanoseconds - this.data[at + NANOSECONDS]!);
  }

  /** Ranges that are not acknowledged in whole. */
  get waiting(): number {
    return this.count - this.unacknowledged;
  }

  /** Octets from the first that is not acknowledged to the last; some must be {@link waiting}. */
  span(): number {
    const start = this.start(this.unacknowledged);
    return (this.high - (((this.acked - start) | 0) > 0 ? this.acked : start)) | 0;
  }

  /**
   * True when octets `[start, end)` come after all others, and what is {@link waiting} lies with them within reach of what
   * was acknowledged and on one side of the seam of numbers relative to `base`.
   */
  isExtendedBy(start: number, end: number, base: number): boolean {
    const distance = (start - this.high) | 0;
    if (distance < 0 || distance > FARTHEST || (start - this.acked) >>> 0 > FARTHEST) return false;
    const first = this.waiting > 0 ? this.start(this.unacknowledged) : start;
    return (end - base) >>> 0 >= (first - base) >>> 0;
  }

  /** Octets that were never seen are sent: at the end, or into a hole. */
  add(start: number, end: number, frame: number, seconds: number, nanoseconds: number, identity: number, tsval: number): void {
    if (this.count > this.mask) this.makeRoom();
    const at = ((end - this.high) | 0) > 0 ? this.place(this.count) : this.open(start);
    this.count++;
    const { data } = this;
    data[at + START] = start;
    data[at + END] = end;
    data[at + FIRST] = data[at + LAST] = frame;
    data[at + SECONDS] = seconds;
    data[at + NANOSECONDS] = nanoseconds;
    data[at + TIMEOUTS] = 0;
    data[at + IDENTITY] = identity;
    data[at + TSVAL] = tsval;
    data[at + MARKS] = 0;
    if (((end - this.high) | 0) > 0) this.high = end;
  }

  /** Make a free place for a range that starts at `start`, moving those before it or those after it, whichever are fewer. */
  private open(start: number): number {
    const index = this.after(start);
    if (index < this.unacknowledged) this.unacknowledged++;
    if (2 * index < this.count) {
      this.head = (this.head - 1) & this.mask;
      for (let i = 0; i < index; i++) this.move(this.place(i + 1), this.place(i));
    } else for (let i = this.count; i > index; i--) this.move(this.place(i - 1), this.place(i));
    return this.place(index);
  }

  private move(from: number, to: number): void {
    const { data } = this;
    for (let k = 0; k < WIDTH; k++) data[to + k] = data[from + k]!;
  }

  /** Ranges `[from, to)` by index are sent again. */
  resend(from: number, to: number, frame: number, seconds: number, nanoseconds: number, identity: number, tsval: number): void {
    const { data } = this;
    for (let i = from; i < to; i++) {
      const at = this.place(i);
      data[at + LAST] = frame;
      data[at + SECONDS] = seconds;
      data[at + NANOSECONDS] = nanoseconds;
      data[at + IDENTITY] = identity;
      if ((data[at + MARKS]! & RESENT) === 0) data[at + TSVAL] = tsval;
      data[at + MARKS]! |= RESENT;
    }
  }

  /** Mark what a SACK block covers; from its right end, where it grows, and no farther than `most` ranges. */
  sack(left: number, right: number, most: number): void {
    let i = this.find((right - 1) | 0);
    for (let left_ = most; i >= 0 && left_ > 0; i--, left_--) {
      const at = this.place(i);
      if (((this.data[at + START]! - left) | 0) < 0) return;
      if (((this.data[at + END]! - right) | 0) <= 0) this.data[at + MARKS]! |= SACKED;
    }
  }

  /**
   * Everything before `ack` arrived; the round trip is that of the last range it covers, if it was sent once (Karn). Which
   * range ends there; -1 when none of those that it covers does.
   */
  acknowledge(ack: number, seconds: number, nanoseconds: number): number {
    const { count } = this;
    const { data, unacknowledged } = this;
    let i = unacknowledged;
    while (i < count && ((data[this.place(i) + END]! - ack) | 0) <= 0) i++;
    this.acked = ack;
    if (i === unacknowledged) return -1;
    this.unacknowledged = i;
    const at = this.place(--i);
    if (data[at + END] !== ack) return -1;
    if ((data[at + MARKS]! & (RESENT | SACKED)) === 0)
      this.measured((seconds - data[at + SECONDS]!) * 1e9 + (nanoseconds - data[at + NANOSECONDS]!));
    return i;
  }

  /** A round trip of a segment that was sent once. */
  private measured(rtt: number): void {
    if (rtt < 0) return;
    if (this.smoothedRtt === 0) {
      this.smoothedRtt = rtt;
      this.rttVariation = rtt / 2;
    } else {
      this.rttVariation += (Math.abs(rtt - this.smoothedRtt) - this.rttVariation) / 4;
      this.smoothedRtt += (rtt - this.smoothedRtt) / 8;
    }
    const count = this.rttCount++;
    if (count === 0 || rtt < this.rttMinimum) this.rttMinimum = rtt;
    if (rtt > this.rttMaximum) this.rttMaximum = rtt;
    // Of many, one in eight is enough.
    if ((count & 7) === 0 || count < SAMPLE) this.sample(rtt, count);
  }

  /** Those in the sample had the same chance each, by a fixed scramble, so that a run can be repeated. */
  private sample(rtt: number, count: number): void {
    const sample = (this.rttSample ??= []);
    if (count < SAMPLE) sample.push(rtt);
    else if ((scramble(count) >>> 0) % (count >>> 3) < SAMPLE) sample[(scramble(count * 31 + 7) >>> 0) % SAMPLE] = rtt;
  }

  /** The median of the sampled round trips. */
  get rttMedian(): number {
    const { rttSample } = this;
    if (rttSample === undefined) return 0;
    const sorted = rttSample.toSorted((a, b) => a - b);
    return sorted[sorted.length >> 1]!;
  }

  /** Drop what was acknowledged long ago, or grow; at the limit the oldest goes whatever it is. */
  private makeRoom(): void {
    const old = this.unacknowledged;
    if (old > HISTORY || this.mask >= LIMIT - 1) {
      // Some at once, so that a full ring does not look for room at every segment.
      const drop = Math.max(1, old >> 1);
      this.unacknowledged = Math.max(0, old - drop);
      this.head = (this.head + drop) & this.mask;
      this.count -= drop;
      if (this.count > 0) this.floor = this.start(0);
      return;
    }
    const mask = 2 * this.mask + 1;
    const bigger = new Int32Array((mask + 1) * WIDTH);
    for (let i = 0; i < this.count; i++) {
      const at = this.place(i);
      bigger.set(this.data.subarray(at, at + WIDTH), i * WIDTH);
    }
    this.data = bigger;
    this.mask = mask;
    this.head = 0;
  }
}

const SAMPLE = 41;

const scramble = (n: number): number => {
  let x = Math.imul(n ^ (n >>> 16), 0x45d9f3b);
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  return x ^ (x >>> 16);
};
