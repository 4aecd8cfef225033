/**
 * One direction of a conversation: its segments put in order. What comes early waits (early.ts), holes are given up when
 * nothing will fill them, what comes twice is compared (recent.ts). The octets in order go to whoever follows the
 * direction, and to be read as messages (messages.ts).
 */
import type { Frame } from '../core/frame.js';
import { agree, Early } from './early.js';
import { Messages } from './messages.js';
import { notesOf } from './notes.js';
import { Recent } from './recent.js';
import type { SegmentLayer, Side, StreamSink } from './stream-options.js';
import type { Streams } from './streams.js';

/** One direction. */
export class StreamReader {
  /** Sequence number of the next octet in order. */
  next: number;
  /** True once nobody cares what the octets are: no parser, no sink. */
  plain = false;
  readonly messages: Messages;

  private readonly sink: StreamSink | undefined;
  private recent: Recent | undefined = undefined;
  /** What came early; undefined while nothing waits, which is nearly always. */
  private early: Early | undefined = undefined;
  private acked = 0;
  private anyAck = false;
  /** The sequence number behind the last octet, once a FIN said so. */
  private last = 0;
  private closed = false;
  private ended = false;

  constructor(
    private readonly streams: Streams,
    private readonly side: Side,
    next: number,
  ) {
    this.next = next;
    this.messages = new Messages(streams, side);
    this.sink = streams.sinkOf?.(side);
    if (this.sink?.conflict !== undefined && streams.buffered < streams.limits.total) {
      this.recent = new Recent();
      streams.buffered += this.recent.size;
    }
  }

  /** The receiver says that it has everything before `sequence`. */
  acknowledge(sequence: number): void {
    if (this.anyAck && ((sequence - this.acked) | 0) <= 0) return;
    this.acked = sequence;
    this.anyAck = true;
  }

  /** Where the octet with this sequence number stands in the stream. */
  positionOf(sequence: number): number {
    return this.messages.position + ((sequence - this.next) | 0);
  }

  /** A segment with data. */
  receive(frame: Frame, tcp: SegmentLayer, sequence: number, start: number, end: number): void {
    this.messages.differs = false;
    // So are nearly all: the next in order, whole, and nothing waits for it.
    if (sequence === this.next && this.early === undefined && this.sink === undefined && end <= frame.captured) {
      this.step(end - start);
      this.read(frame, tcp, start, end, this.messages.pending.length);
      return;
    }
    // Holes that were known to be real when this segment came do not wait for it.
    if (this.early !== undefined && this.hopeless(this.early.first.sequence, frame)) this.giveUp(frame, tcp, this.early);
    let ahead = (sequence - this.next) | 0;
    if (ahead > 0 && this.early === undefined && this.hopeless(sequence, frame)) {
      this.lose(frame, ahead);
      ahead = 0;
    }
    if (ahead > 0) {
      this.hold(frame, tcp, sequence, start, end);
      while (this.early?.isTooMuch) this.giveUp(frame, tcp, this.early);
      return;
    }
    // Not `-ahead`: of 0 that is -0, a fraction to the engine, as which it would keep all positions computed from it.
    const old = Math.min(0 - ahead, end - start);
    if (old > 0) this.again(frame, tcp, sequence, start, start + old, start + old === end);
    if (start + old < end) this.advance(frame, tcp, sequence, start + old, end);
  }

  /** A FIN that stands at `sequence`. */
  close(frame: Frame, tcp: SegmentLayer, sequence: number): void {
    if (!this.closed) {
      this.closed = true;
      this.last = sequence;
    }
    if (this.early !== undefined && this.hopeless(this.early.first.sequence, frame)) this.giveUp(frame, tcp, this.early);
    this.end(frame, tcp);
    if (this.lacksEnd) this.streams.waiting.add(this);
  }

  /** Somebody follows the direction, and the octets before its FIN did not come. */
  private get lacksEnd(): boolean {
    return this.sink !== undefined && this.closed && ((this.last - this.next) | 0) > 0;
  }

  /** The sender gave up: nothing fills a hole any more, and the message under way stays as it is. */
  reset(frame: Frame, tcp: SegmentLayer): void {
    while (this.early !== undefined) this.giveUp(frame, tcp, this.early);
    if (this.messages.isUnderWay) this.messages.cut(frame, 0);
  }

  /** Has everything come? Then nothing completes the message under way. */
  private end(frame: Frame, tcp: SegmentLayer): void {
    if (!this.closed || this.ended || ((this.next - this.last) | 0) < 0) return;
    this.ended = true;
    this.messages.finish(frame, tcp);
    this.settle();
  }

  /** Once nothing that we know is spoken, nobody follows, and nothing is held, octets are only counted. */
  private settle(): void {
    if (this.messages.isForeign) this.plain = this.sink === undefined && this.early === undefined;
  }

  /** A hole before `sequence` will not be filled: its receiver has what follows, or nothing filled it for long. */
  private hopeless(sequence: number, frame: Frame): boolean {
    if (this.anyAck && ((this.acked - sequence) | 0) >= 0) return true;
    return this.early !== undefined && frame.seconds - this.early.first.seconds > this.streams.limits.holeSeconds;
  }

  /** Keep octets that came early. */
  private hold(frame: Frame, tcp: SegmentLayer, sequence: number, start: number, end: number): void {
    const { messages } = this;
    const stop = Math.min(end, frame.captured);
    if (stop <= start) return;
    const { wanted, length } = messages.pending;
    // Where the message under way ends may be known, in spite of the hole in it.
    const ends = wanted > length ? start + ((this.next + wanted - length - sequence) | 0) : start;
    if (ends > start && ends < end) {
      messages.stretch(tcp, start, ends);
      messages.stretch(tcp, ends, end);
    } else messages.stretch(tcp, start, end);
    this.early ??= new Early(this.streams);
    this.early.add(frame, sequence, frame.bytes.slice(start, stop), messages.received, (from, first, last) =>
      this.conflict(frame, tcp, this.positionOf(from), first, last),
    );
    this.streams.waiting.add(this);
  }

  /** Note both versions of octets that came twice and differ. */
  private conflict(frame: Frame, tcp: SegmentLayer, position: number, first: Uint8Array, last: Uint8Array): void {
    this.messages.differs = true;
    notesOf(tcp).conflict ??= { position, first, last };
    this.streams.counters.conflicts++;
    this.sink?.conflict?.(this.side, position, first, last, frame.number);
  }

  /** Octets `[start, end)` that are not after {@link next}: compare them with what came first. `whole`: the segment brings nothing else. */
  private again(frame: Frame, tcp: SegmentLayer, sequence: number, start: number, end: number, whole: boolean): void {
    const { recent, messages } = this;
    const { pending } = messages;
    if (whole) messages.stretch(tcp, start, end);
    if (pending.length === 0 && recent === undefined) return;
    pending.gather();
    const stop = Math.min(end, frame.captured);
    const waits = messages.position - pending.length;
    const position = this.positionOf(sequence);
    const known = Math.max(position, recent === undefined ? waits : recent.from);
    const to = position + stop - start;
    // A keep-alive may carry an octet that means nothing (RFC 9293 section 3.8.4).
    const isProbe = whole && end - start === 1 && to === messages.position;
    const last = Math.min(to, waits + pending.held);
    if (known < last && !isProbe) {
      const earlier = recent === undefined ? pending.bytes.subarray(known - waits, last - waits) : recent.slice(known, last);
      const shift = start - position;
      if (!agree(earlier, 0, frame.bytes, known + shift, last + shift)) {
        this.conflict(frame, tcp, known, earlier.slice(), frame.bytes.slice(known + shift, last + shift));
        const open = Math.max(known, waits);
        if (this.streams.overlap === 'last' && open < last)
          pending.bytes.set(frame.bytes.subarray(open + shift, last + shift), open - waits);
      }
    }
    // What waits for its protocol to be recognised was shown as data, and is no message yet.
    if (!whole || position < waits || !messages.isUnderWay) return;
    pending.part(frame.number, position - waits, to - waits, messages.differs);
  }

  /** Octets `[start, end)` of a segment that begins at `sequence`: the next ones in order. */
  private advance(frame: Frame, tcp: SegmentLayer, sequence: number, start: number, end: number): void {
    const { early, messages } = this;
    const { length } = messages.pending;
    const stop = end < frame.captured ? end : frame.captured;
    const offset = length - ((this.next - sequence) | 0);
    const from = offset >= 0 ? offset : length;
    let { bytes } = frame;
    /** What is to be added to a position in `bytes` to have one in `frame.bytes`. */
    let shift = 0;
    if (early !== undefined && ((early.first.sequence - this.next) | 0) < stop - start) {
      bytes = bytes.slice(start, stop);
      shift = start;
      early.reconcile(this.next, bytes, (position, first, last) => this.conflict(frame, tcp, this.positionOf(position), first, last));
    }
    if (stop > start) {
      if (this.sink !== undefined) this.handOn(bytes, start - shift, stop - shift, frame.number, frame.seconds, frame.nanoseconds);
      this.step(stop - start);
    }
    if (stop < end) this.truncated(frame, tcp, from, start, stop, end);
    else if (early !== undefined && ((early.first.sequence - this.next) | 0) <= 0) {
      const skipped = messages.skipOver(frame, start, end);
      const begin = offset >= 0 ? start - (length - offset) : start;
      messages.pending.append(bytes, start + skipped - shift, end - shift, frame.number, skipped > 0 ? length : from, messages.differs);
      this.join(frame, tcp, early);
      // What fills a hole belongs to what waited behind it, whether that is whole now or not.
      if (messages.isKnown && skipped < end - start) messages.stretch(tcp, begin + skipped, end);
      this.end(frame, tcp);
    } else return this.read(frame, tcp, start, end, from);
    this.settle();
  }

  /** Octets that are in order and were counted. */
  private read(frame: Frame, tcp: SegmentLayer, start: number, end: number, from: number): void {
    const { messages } = this;
    messages.feed(frame, tcp, start + messages.skipOver(frame, start, end), end, from);
    if (this.closed) this.end(frame, tcp);
    if (!messages.isSure) this.settle();
  }

  /** A segment of which only `[start, stop)` of `[start, end)` was captured; the octets up to `stop` are counted already. */
  private truncated(frame: Frame, tcp: SegmentLayer, from: number, start: number, stop: number, end: number): void {
    const { messages } = this;
    const missing = end - Math.max(stop, start);
    if (messages.pending.length > 0) {
      messages.feedCut(frame, tcp, from, start, stop, missing);
      this.missed(missing);
      return;
    }
    const at = start + messages.skipOver(frame, start, end);
    this.missed(missing);
    messages.parseCut(frame, tcp, at, stop, end, missing);
  }

  /** The next octets in order, for whoever follows the direction. */
  private handOn(bytes: Uint8Array, start: number, end: number, frame: number, seconds: number, nanoseconds: number): void {
    const { recent, streams } = this;
    const { position } = this.messages;
    this.sink!.octets(this.side, bytes, start, end, position, frame, seconds, nanoseconds);
    if (recent === undefined) return;
    streams.buffered -= recent.size;
    recent.put(bytes, start, end, position, streams.limits.total - streams.buffered);
    streams.buffered += recent.size;
  }

  private step(octets: number): void {
    this.next = (this.next + octets) | 0;
    this.messages.position += octets;
  }

  /** `length` octets from {@link next} on are not there. */
  private missed(length: number): void {
    this.sink?.hole(this.side, length, this.messages.position);
    this.step(length);
  }

  /** `length` octets from {@link next} on will not come. */
  private lose(frame: Frame, length: number): void {
    const { counters } = this.streams;
    counters.holes++;
    counters.missing += length;
    this.missed(length);
    this.messages.hole(frame, length);
  }

  /** Give up the hole before the octets that are held, and read on behind it. */
  private giveUp(frame: Frame, tcp: SegmentLayer, early: Early): void {
    const length = (early.first.sequence - this.next) | 0;
    if (length > 0) this.lose(frame, length);
    this.join(frame, tcp, early);
  }

  /** Take the held octets that are next in order, and have all that wait read. */
  private join(frame: Frame, tcp: SegmentLayer, early: Early): void {
    const { messages } = this;
    early.release(
      () => this.next,
      ({ sequence, bytes, frame: number, seconds, nanoseconds, differs, received }) => {
        const old = Math.min((this.next - sequence) | 0, bytes.length);
        const fresh = bytes.length - old;
        if (fresh > 0 && this.sink !== undefined) this.handOn(bytes, old, bytes.length, number, seconds, nanoseconds);
        messages.queue(bytes, old, number, differs, received);
        this.step(fresh);
      },
    );
    if (early.isEmpty) {
      this.early = undefined;
      if (!this.lacksEnd) this.streams.waiting.delete(this);
    }
    messages.readHeld(frame, tcp);
    this.settle();
  }

  /** Over, with no frame to show anything in: the sink alone gets what is held. */
  abandon(): void {
    const { streams, messages } = this;
    messages.abandon();
    for (const { sequence, bytes, frame, seconds, nanoseconds } of this.early?.clear() ?? []) {
      const gap = (sequence - this.next) | 0;
      if (gap > 0) {
        streams.counters.holes++;
        streams.counters.missing += gap;
        this.missed(gap);
      }
      const old = (this.next - sequence) | 0;
      if (old < bytes.length) {
        this.sink?.octets(this.side, bytes, old, bytes.length, messages.position, frame, seconds, nanoseconds);
        this.step(bytes.length - old);
      }
    }
    // The receiver has them, so they were sent: a FIN far off alone proves nothing.
    if (this.lacksEnd && this.anyAck && ((this.acked - this.last) | 0) >= 0)
      this.sink!.hole(this.side, (this.last - this.next) | 0, messages.position);
    streams.buffered -= this.recent?.size ?? 0;
    this.recent = undefined;
    streams.waiting.delete(this);
  }
}
