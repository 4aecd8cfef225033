/**
 * Segments that were sent and not acknowledged yet, in the order in which they were sent, as Wireshark keeps them: at most
 * 10 000, repeats listed again, an ACK within a segment moving its start.
 *
 * As long as each comes once, in order, and is acknowledged as it should be, the log of what was sent (tcp-sent.ts) tells
 * the same, and there is no list: {@link Direction.outstanding} is undefined. The first segment that is otherwise has one
 * made ({@link prepare}), which goes when it holds what the log holds ({@link acknowledgeListed}).
 */
import type { TcpFacts } from '../dissectors/tcp-facts.js';
import type { Direction } from './conversations.js';
import type { Segment } from './tcp-segment.js';
import { FARTHEST, type SentLog } from './tcp-sent.js';

/** Ints of a segment: frame, first sequence number, one past the last, seconds, nanoseconds. */
const WIDTH = 5;
const FRAME = 0;
const START = 1;
const END = 2;
const SECONDS = 3;
const NANOSECONDS = 4;

/** Segments that are listed at most; what is sent while there are so many is not found by its ACK. */
export const LIMIT = 10_000;

/** Longer lists are not compared with the log. */
const MOST_COMPARED = 256;

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;

export class Outstanding {
  /** A ring of `capacity` segments, a power of two; two are small enough for the engine to keep them beside the object. */
  private data = new Int32Array(2 * WIDTH);
  private capacity = 2;
  private head = 0;
  /** Segments listed. */
  count = 0;
  /** Each segment starts and ends after the one before it, as long as nothing is sent again or overtaken. */
  private ordered = true;
  /** While they are not in order: smallest start and largest end, relative to the start of the stream. */
  private low = 0;
  private high = 0;

  // What acknowledge() found: the segment that ends at the acknowledgment.
  foundFrame = 0;
  foundSeconds = 0;
  foundNanoseconds = 0;

  /** No room for more. */
  get full(): boolean {
    return this.count >= LIMIT;
  }

  /** Frame of the oldest segment. */
  get oldestFrame(): number {
    return this.data[this.head * WIDTH + FRAME]!;
  }
  get oldestSeconds(): number {
    return this.data[this.head * WIDTH + SECONDS]!;
  }
  get oldestNanoseconds(): number {
    return this.data[this.head * WIDTH + NANOSECONDS]!;
  }

  /** Sequence numbers are no longer relative to the number they were. */
  rebase(base: number): void {
    this.ordered = false;
    this.measure(base);
  }

  add(frame: number, start: number, end: number, seconds: number, nanoseconds: number, base: number): void {
    if (this.count === this.capacity) this.grow();
    const { data, count } = this;
    const mask = this.capacity - 1;
    const place = (this.head + count) & mask;
    const at = place * WIDTH;
    data[at + FRAME] = frame;
    data[at + START] = start;
    data[at + END] = end;
    data[at + SECONDS] = seconds;
    data[at + NANOSECONDS] = nanoseconds;
    this.count++;
    if (count === 0) {
      this.ordered = true;
      return;
    }
    if (this.ordered) {
      const before = ((place - 1) & mask) * WIDTH;
      const first = this.head * WIDTH;
      this.ordered =
        ((start - data[before + END]!) | 0) >= 0 &&
        ((end - data[before + END]!) | 0) > 0 &&
        // Comparisons hold for all only while they span less than half the number space, on one side of its seam.
        ((end - data[first + START]!) | 0) > 0 &&
        (start - base) >>> 0 >= (data[before + START]! - base) >>> 0 &&
        (end - base) >>> 0 >= (data[before + END]! - base) >>> 0;
      if (!this.ordered) this.measure(base);
    } else {
      this.low = Math.min(this.low, (start - base) >>> 0);
      this.high = Math.max(this.high, (end - base) >>> 0);
    }
  }

  /** Octets from the lowest start to the highest end. */
  span(): number {
    if (!this.ordered) return (this.high - this.low) >>> 0;
    const { data } = this;
    const last = (this.head + this.count - 1) & (this.capacity - 1);
    return (data[last * WIDTH + END]! - data[this.head * WIDTH + START]!) | 0;
  }

  /** Take off what `ack` covers; true when one of the segments ended there (the oldest such is in the found fields). */
  acknowledge(ack: number, base: number): boolean {
    const { data } = this;
    if (this.ordered) {
      const last = (this.head + this.count - 1) & (this.capacity - 1);
      const first = this.head * WIDTH;
      // Wild numbers (a SYN's 0) may lie before the first and after the last at once.
      if (((data[first + END]! - ack) | 0) <= 0 || ((data[last * WIDTH + END]! - ack) | 0) > 0) return this.popTo(ack);
    }
    let found = false;
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      const from = ((this.head + i) & (this.capacity - 1)) * WIDTH;
      const end = data[from + END]!;
      if (end === ack) {
        if (!found) this.remember(from);
        found = true;
        continue;
      }
      if (((end - ack) | 0) <= 0) continue;
      const to = ((this.head + kept++) & (this.capacity - 1)) * WIDTH;
      if (to !== from) for (let k = 0; k < WIDTH; k++) data[to + k] = data[from + k]!;
      if (((data[to + START]! - ack) | 0) < 0) data[to + START] = ack;
    }
    this.count = kept;
    if (kept === 0) this.ordered = true;
    else this.measure(base);
    return found;
  }

  /** The same where all are in order: those before `ack` stand at the head. */
  private popTo(ack: number): boolean {
    const { data } = this;
    let found = false;
    while (this.count > 0) {
      const at = this.head * WIDTH;
      const end = data[at + END]!;
      if (((end - ack) | 0) > 0) {
        if (((data[at + START]! - ack) | 0) < 0) data[at + START] = ack;
        break;
      }
      if (end === ack) {
        this.remember(at);
        found = true;
      }
      this.head = (this.head + 1) & (this.capacity - 1);
      this.count--;
    }
    return found;
  }

  /** True when the log tells the same and can go on telling it. */
  isThatOf(sent: SentLog, base: number): boolean {
    const { count } = this;
    if (sent.waiting !== count || count > MOST_COMPARED) return false;
    if (count === 0) return true;
    if ((sent.high - sent.acked) >>> 0 > FARTHEST) return false;
    if ((sent.high - base) >>> 0 < (sent.start(sent.unacknowledged) - base) >>> 0) return false;
    for (let i = 0; i < count; i++) if (!this.isRange(i, sent, sent.unacknowledged + i)) return false;
    return true;
  }

  /** True when the i-th segment is a range of the log that was sent once, and of which something is not acknowledged. */
  private isRange(i: number, sent: SentLog, range: number): boolean {
    const { data } = this;
    const at = ((this.head + i) & (this.capacity - 1)) * WIDTH;
    const start = sent.start(range);
    return (
      ((sent.end(range) - sent.acked) | 0) > 0 &&
      data[at + START] === (((sent.acked - start) | 0) > 0 ? sent.acked : start) &&
      data[at + END] === sent.end(range) &&
      data[at + FRAME] === sent.firstFrame(range) &&
      sent.lastFrame(range) === sent.firstFrame(range) &&
      data[at + SECONDS] === sent.seconds(range) &&
      data[at + NANOSECONDS] === sent.nanoseconds(range)
    );
  }

  private remember(at: number): void {
    this.foundFrame = this.data[at + FRAME]!;
    this.foundSeconds = this.data[at + SECONDS]!;
    this.foundNanoseconds = this.data[at + NANOSECONDS]!;
  }

  private measure(base: number): void {
    let low = 0xffffffff;
    let high = 0;
    for (let i = 0; i < this.count; i++) {
      const at = (this.head + i) & (this.capacity - 1);
      const start = (this.data[at * WIDTH + START]! - base) >>> 0;
      const end = (this.data[at * WIDTH + END]! - base) >>> 0;
      if (start < low) low = start;
      if (end > high) high = end;
    }
    this.low = low;
    this.high = high;
  }

  private grow(): void {
    const bigger = new Int32Array(this.capacity * 4 * WIDTH);
    for (let i = 0; i < this.count; i++) {
      const at = (this.head + i) & (this.capacity - 1);
      bigger.set(this.data.subarray(at * WIDTH, (at + 1) * WIDTH), i * WIDTH);
    }
    this.data = bigger;
    this.capacity *= 4;
    this.head = 0;
  }
}

/**
 * Before a segment is judged: lists for its direction and for the other one where the log will not tell of it what a list
 * would. `isCopy`: the capture made it of the segment before, so that no log is going to have it.
 */
export function prepare(segment: Segment, me: Direction, isCopy: boolean): void {
  const { peer } = me;
  const takesNumbers = segment.length > 0 || (segment.flags & (SYN | FIN)) !== 0;
  if (me.outstanding === undefined && takesNumbers && (isCopy || !isLogged(segment, me))) list(me);
  if (peer.outstanding === undefined && !isPlainAck(segment, peer, isCopy)) list(peer);
}

/** True when the log is going to have it last, once and in order. */
function isLogged({ sequence, length, flags }: Segment, me: Direction): boolean {
  if (flags & (SYN | RST) || (me.next !== 0 && ((sequence - me.next) | 0) < 0)) return false;
  const { sent, base } = me;
  const end = (sequence + length + (flags & FIN)) | 0;
  if (sent !== undefined) return sent.waiting < LIMIT && sent.isExtendedBy(sequence, end, base);
  // Without a log, it begins here or with the SYN; what the other side acknowledged may have told the base before.
  return (end - base) >>> 0 >= (sequence - base) >>> 0 && (me.synFrame === 0 || ((base + 1) | 0) === sequence);
}

/** True when it acknowledges nothing new of what the other side sent, or so that its log is going to have it. */
function isPlainAck({ ack, flags }: Segment, { sent }: Direction, isCopy: boolean): boolean {
  if (sent === undefined || sent.waiting === 0) return true;
  // Not beyond what was sent, nor so far back that numbers cannot be compared.
  if (((sent.high - ack) | 0) < 0) return false;
  return ((ack - sent.acked) | 0) <= 0 || ((flags & ACK) !== 0 && (flags & (SYN | RST)) !== SYN && !isCopy);
}

/** Make a list of what the log has. */
function list(me: Direction): void {
  const { sent, base } = me;
  const made = new Outstanding();
  me.outstanding = made;
  if (sent === undefined) return;
  for (let i = sent.unacknowledged; i < sent.count; i++) {
    const start = sent.start(i);
    const from = ((sent.acked - start) | 0) > 0 ? sent.acked : start;
    made.add(sent.firstFrame(i), from, sent.end(i), sent.seconds(i), sent.nanoseconds(i), base);
  }
}

/** Acknowledge what is listed up to `ack`, and do without the list where the log tells the same again. */
export function acknowledgeListed(sender: Direction, list: Outstanding, ack: number, facts: TcpFacts): void {
  const { sent, base } = sender;
  if (list.count > 0 && list.acknowledge(ack, base)) {
    facts.acksFrame = list.foundFrame;
    facts.acksSeconds = list.foundSeconds;
    facts.acksNanoseconds = list.foundNanoseconds;
  }
  if (sent === undefined ? list.count === 0 : sent.recovery === 0 && list.isThatOf(sent, base)) sender.outstanding = undefined;
}
