/** One direction of a conversation: its segments in order, and its messages handed to a parser. */
import type { Frame } from '../core/frame.js';
import { ALIEN, MORE, type StreamContext, type StreamParser, type StreamProtocol } from '../core/stream.js';
import type { Part } from '../dissectors/tcp-stream.js';
import { agree, Early } from './early.js';
import { notesOf } from './notes.js';
import { ALL, Pending } from './pending.js';
import { Recent } from './recent.js';
import type { SegmentLayer, Side, StreamSink } from './stream-options.js';
import type { Streams } from './streams.js';
import { type Speaks, Talk } from './talk.js';

/** One direction. */
export class StreamReader implements StreamContext {
  /** Sequence number of the next octet in order. */
  next: number;
  /** Where that octet stands in the stream; holes count. */
  position = 0;
  /** True once nobody cares what the octets are: no parser, no sink. */
  plain = false;
  messageStart = 0;
  startSeconds = 0;
  startNanoseconds = 0;
  received = 0;
  /** The parser of {@link speaks}. */
  parser: StreamParser | undefined = undefined;

  private readonly talk: Talk;
  private readonly sink: StreamSink | undefined;
  /** Nobody asks which segments a message came in, nor for octets that no line tells. */
  private readonly brief: boolean;
  private recent: Recent | undefined = undefined;
  /** What {@link parser} was made for; {@link Talk.protocol} may have moved on. */
  private speaks: Speaks = undefined;
  /** Octets of the message under way that earlier segments brought. */
  private readonly pending: Pending;
  private readonly early: Early;
  /** Octets to come that belong to a message which was given up. */
  private skip = 0;
  /** After a hole or octets that are no message: the start of a message has to be found. */
  private lost = false;
  /** What waits are the first octets of a stream whose protocol they are too few to tell; they were shown as data. */
  private opening = false;
  /** The octets that the segment under way repeats are not those that came first. */
  private differs = false;
  private acked = 0;
  private anyAck = false;
  /** The sequence number behind the last octet, once a FIN said so. */
  private last = 0;
  /** Of octets that were held, while they are parsed: where each segment begins, and what its sender had {@link received}. */
  private readonly late: number[] = [];
  private lateAt = 0;
  /** Where octets that were no message stood last. */
  private refused = -1;
  private closed = false;
  private ended = false;

  constructor(
    private readonly streams: Streams,
    private readonly side: Side,
    next: number,
  ) {
    this.next = next;
    const other = side.peer.reader as StreamReader | undefined;
    this.pending = new Pending(streams);
    this.early = new Early(streams);
    this.talk = other?.talk ?? new Talk();
    this.sink = streams.sinkOf?.(side);
    this.brief = streams.brief;
    if (this.sink?.conflict !== undefined && streams.buffered < streams.limits.total) {
      this.recent = new Recent();
      streams.buffered += this.recent.size;
    }
  }

  get peer(): StreamParser | undefined {
    return (this.side.peer.reader as StreamReader | undefined)?.parser;
  }
  get fromClient(): boolean {
    return this.side.fromClient;
  }
  get srcPort(): number {
    return this.side.srcPort;
  }
  get dstPort(): number {
    return this.side.dstPort;
  }
  get shared(): unknown {
    return this.talk.shared;
  }
  set shared(value: unknown) {
    this.talk.shared = value;
  }

  get tunnelPort(): number | undefined {
    return this.talk.tunnelPort;
  }

  become(protocol: StreamProtocol | undefined, shared?: unknown, tunnelPort?: number): void {
    this.talk.become(protocol, shared);
    this.talk.tunnelPort ??= tunnelPort;
  }

  /** The receiver says that it has everything before `sequence`. */
  acknowledge(sequence: number): void {
    if (this.anyAck && ((sequence - this.acked) | 0) <= 0) return;
    this.acked = sequence;
    this.anyAck = true;
  }

  /** Where the octet with this sequence number stands in the stream. */
  positionOf(sequence: number): number {
    return this.position + ((sequence - this.next) | 0);
  }

  /** A segment with data. */
  receive(frame: Frame, tcp: SegmentLayer, sequence: number, start: number, end: number): void {
    const { early } = this;
    // Holes that were known to be real when this segment came do not wait for it.
    if (!early.isEmpty && this.hopeless(early.first.sequence, frame)) this.giveUp(frame, tcp);
    let ahead = (sequence - this.next) | 0;
    if (ahead > 0 && early.isEmpty && this.hopeless(sequence, frame)) {
      this.lose(frame, tcp, ahead);
      ahead = 0;
    }
    if (ahead > 0) {
      this.hold(frame, tcp, sequence, start, end);
      while (!early.isEmpty && early.isTooMuch) this.giveUp(frame, tcp);
      return;
    }
    // Not `-ahead`: of 0 that is -0, a fraction to the engine, as which it would keep all positions computed from it.
    const old = Math.min(0 - ahead, end - start);
    this.differs = false;
    if (old > 0) this.again(frame, tcp, sequence, start, start + old, start + old === end);
    if (start + old < end) this.advance(frame, tcp, sequence, start + old, end);
  }

  /** A FIN that stands at `sequence`. */
  close(frame: Frame, tcp: SegmentLayer, sequence: number): void {
    if (!this.closed) {
      this.closed = true;
      this.last = sequence;
    }
    if (!this.early.isEmpty && this.hopeless(this.early.first.sequence, frame)) this.giveUp(frame, tcp);
    this.end(frame, tcp);
    if (this.lacksEnd) this.streams.waiting.add(this);
  }

  /** Somebody follows the direction, and the octets before its FIN did not come. */
  private get lacksEnd(): boolean {
    return this.sink !== undefined && this.closed && ((this.last - this.next) | 0) > 0;
  }

  /** The sender gave up: nothing fills a hole any more, and the message under way stays as it is. */
  reset(frame: Frame, tcp: SegmentLayer): void {
    while (!this.early.isEmpty) this.giveUp(frame, tcp);
    if (this.pending.length > 0 && !this.opening) this.cut(frame, 0);
  }

  /** What becomes of the message under way when everything has come. */
  private end(frame: Frame, tcp: SegmentLayer): void {
    if (!this.closed || this.ended || ((this.next - this.last) | 0) < 0) return;
    this.ended = true;
    if (this.pending.length === 0) return;
    // The frame with the FIN completes what lasts until the end, also when it brings no octet.
    if (this.pending.parts[this.pending.parts.length - 1]?.frame !== frame.number)
      this.pending.part(frame.number, this.pending.length, this.pending.length, false);
    this.parsePending(frame, tcp, true);
    if (this.pending.length > 0) this.cut(frame, 0);
  }

  /** A hole before `sequence` will not be filled: its receiver has what follows, or nothing filled it for long. */
  private hopeless(sequence: number, frame: Frame): boolean {
    if (this.anyAck && ((this.acked - sequence) | 0) >= 0) return true;
    return !this.early.isEmpty && frame.seconds - this.early.first.seconds > this.streams.limits.holeSeconds;
  }

  /** Keep octets that came early. */
  private hold(frame: Frame, tcp: SegmentLayer, sequence: number, start: number, end: number): void {
    const stop = Math.min(end, frame.captured);
    if (stop <= start) return;
    const { wanted, length } = this.pending;
    // Where the message under way ends may be known, in spite of the hole in it.
    const ends = wanted > length ? start + ((this.next + wanted - length - sequence) | 0) : start;
    if (ends > start && ends < end) {
      this.stretch(tcp, start, ends);
      this.stretch(tcp, ends, end);
    } else this.stretch(tcp, start, end);
    this.early.add(frame, sequence, frame.bytes.slice(start, stop), this.received, (from, first, last) =>
      this.conflict(frame, tcp, this.positionOf(from), first, last),
    );
    this.streams.waiting.add(this);
  }

  /** Note both versions of octets that came twice and differ. */
  private conflict(frame: Frame, tcp: SegmentLayer, position: number, first: Uint8Array, last: Uint8Array): void {
    this.differs = true;
    notesOf(tcp).conflict ??= { position, first, last };
    this.streams.counters.conflicts++;
    this.sink?.conflict?.(this.side, position, first, last, frame.number);
  }

  /** Octets `[start, end)` that are not after {@link next}: compare them with what came first. `whole`: the segment brings nothing else. */
  private again(frame: Frame, tcp: SegmentLayer, sequence: number, start: number, end: number, whole: boolean): void {
    const { recent, pending } = this;
    if (whole) this.stretch(tcp, start, end);
    if (pending.length === 0 && recent === undefined) return;
    const stop = Math.min(end, frame.captured);
    const waits = this.position - pending.length;
    const position = this.positionOf(sequence);
    const known = Math.max(position, recent === undefined ? waits : recent.from);
    const to = position + stop - start;
    // A keep-alive may carry an octet that means nothing (RFC 9293 section 3.8.4).
    const isProbe = whole && end - start === 1 && to === this.position;
    const last = Math.min(to, waits + pending.told);
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
    if (!whole || pending.length === 0 || position < waits || this.opening) return;
    this.pending.part(frame.number, position - waits, to - waits, this.differs);
  }

  /** Octets `[start, end)` of a segment that begins at `sequence`: the next ones in order. */
  private advance(frame: Frame, tcp: SegmentLayer, sequence: number, start: number, end: number): void {
    const { early } = this;
    const stop = end < frame.captured ? end : frame.captured;
    const offset = this.pending.length - ((this.next - sequence) | 0);
    const from = offset >= 0 ? offset : this.pending.length;
    let { bytes } = frame;
    /** What is to be added to a position in `bytes` to have one in `frame.bytes`. */
    let shift = 0;
    if (!early.isEmpty && ((early.first.sequence - this.next) | 0) < stop - start) {
      bytes = bytes.slice(start, stop);
      shift = start;
      early.reconcile(this.next, bytes, (from, first, last) => this.conflict(frame, tcp, this.positionOf(from), first, last));
    }
    if (stop > start) {
      if (this.sink !== undefined) this.handOn(bytes, start - shift, stop - shift, frame.number, frame.seconds, frame.nanoseconds);
      this.step(stop - start);
    }
    if (stop < end) return this.truncated(frame, tcp, from, start, stop, end);
    if (!early.isEmpty && ((early.first.sequence - this.next) | 0) <= 0) {
      const skipped = this.skipOver(frame, start, end);
      const begin = offset >= 0 ? start - (this.pending.length - offset) : start;
      this.pending.append(
        bytes,
        start + skipped - shift,
        end - shift,
        frame.number,
        skipped > 0 ? this.pending.length : from,
        this.differs,
      );
      this.join(frame, tcp);
      // What fills a hole belongs to what waited behind it, whether that is whole now or not.
      if (this.talk.protocol && skipped < end - start) this.stretch(tcp, begin + skipped, end);
      return this.end(frame, tcp);
    }
    this.feed(frame, tcp, start + this.skipOver(frame, start, end), end, from);
    if (this.closed) this.end(frame, tcp);
  }

  /** The next octets in order, for whoever follows the direction. */
  private handOn(bytes: Uint8Array, start: number, end: number, frame: number, seconds: number, nanoseconds: number): void {
    const { recent, streams } = this;
    this.sink!.octets(this.side, bytes, start, end, this.position, frame, seconds, nanoseconds);
    if (recent === undefined) return;
    streams.buffered -= recent.size;
    recent.put(bytes, start, end, this.position, streams.limits.total - streams.buffered);
    streams.buffered += recent.size;
  }

  private step(octets: number): void {
    this.next = (this.next + octets) | 0;
    this.position += octets;
  }

  /** Leave out octets of a message that was given up; says how many. */
  private skipOver(frame: Frame, start: number, end: number): number {
    if (this.skip === 0) return 0;
    const count = Math.min(this.skip, end - start);
    this.skip -= count;
    frame.data(start, start + count);
    return count;
  }

  /** Octets in order, all of which are in `frame.bytes`. */
  private feed(frame: Frame, tcp: SegmentLayer, start: number, end: number, from: number): void {
    let at = start;
    // A repeat that brings more is part of the message with all of its octets.
    const begin = start - (this.pending.length - from);
    if (this.opening && (this.talk.protocol !== undefined || this.choose(frame.bytes, start, end))) {
      // The other direction told the protocol, or this segment begins it: what was said before is over.
      this.opening = false;
      this.pending.drop();
    }
    const { opening } = this;
    while (at < end && this.pending.length > 0) {
      const take = this.pending.wanted === 0 ? end - at : Math.min(end - at, this.pending.wanted - this.pending.length);
      const part = this.brief && !opening ? -1 : at === start ? from : this.pending.length;
      this.pending.append(frame.bytes, at, at + take, frame.number, part, this.differs);
      at += take;
      if (this.pending.wanted !== 0 && this.pending.length < this.pending.wanted) {
        this.stretch(tcp, begin, end);
        if (this.pending.isTooLarge) this.cut(frame, 0);
        return;
      }
      const complete = this.parsePending(frame, tcp, false);
      // Octets that are still too few to tell a protocol by, or turned out to be of none, were shown as data.
      const isData = opening && !this.talk.protocol;
      if (!isData && (complete || at >= end)) this.stretch(tcp, begin, complete ? at : end);
      if (this.pending.length > 0 && this.pending.isTooLarge) this.cut(frame, 0);
    }
    if (at < end) this.parseInPlace(frame, tcp, at + this.skipOver(frame, at, end), end);
  }

  /** Messages that begin in this segment. */
  private parseInPlace(frame: Frame, tcp: SegmentLayer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.talk.protocol !== this.speaks || this.parser === undefined) {
        if (!this.choose(frame.bytes, at, end)) {
          // Kept, so that a protocol is recognised also when its first octets come one by one.
          if (this.talk.protocol === undefined && this.position === end - at && end - at < OPENING) {
            this.opening = true;
            this.pending.wanted = 0;
            this.pending.append(frame.bytes, at, end, frame.number, 0, this.differs);
          }
          return frame.data(at, end);
        }
        if (typeof this.speaks === 'function') return this.speaks(frame, at, end);
      }
      const parser = this.parser!;
      if (this.lost) {
        const found = this.search(frame.bytes, at, end);
        if (found > at) frame.data(at, found);
        at = found;
        if (at === end) return;
        this.lost = false;
      }
      const n = parser.measure(frame.bytes, at, end, false);
      if (n > 0) {
        this.measured(tcp, n);
        this.begins(this.position - (end - at), false);
        parser.dissect(frame, at, at + n);
        at += n;
      } else if (n === MORE) {
        this.stretch(tcp, at, end);
        this.want(parser, end - at);
        this.pending.append(frame.bytes, at, end, frame.number, this.brief ? -1 : 0, this.differs);
        if (this.pending.isTooLarge) this.cut(frame, 0);
        return;
      } else if (!this.alien(frame.bytes, at, end, end - at)) return frame.data(at, end);
    }
  }

  /**
   * Messages that are complete in the octets that wait; false when not even the first is. What is left of them begins a
   * new message.
   */
  private parsePending(frame: Frame, tcp: SegmentLayer, final: boolean): boolean {
    const { pending } = this;
    const { bytes, length, parts } = pending;
    let at = 0;
    let more = false;
    let messages = 0;
    while (at < length) {
      if (this.late.length > 0) this.recall(this.position - (length - at));
      if (this.talk.protocol !== this.speaks || this.parser === undefined) {
        if (length > pending.told) {
          // Another protocol in the middle of a message of which not all octets are held.
          this.rest(frame, at, length);
          break;
        }
        if (!this.choose(bytes, at, length)) {
          // What waits to be recognised was shown when it came; at the end of the stream that is all of it.
          if (!this.opening) this.rest(frame, at, length);
          else if (!final) this.rest(frame, parts[parts.length - 1]!.from, length);
          if (this.opening && length < OPENING && this.talk.protocol === undefined) return false;
          this.opening = false;
          break;
        }
        this.opening = false;
        if (typeof this.speaks === 'function') {
          frame.within(bytes, at, length, this.speaks);
          break;
        }
      }
      const parser = this.parser!;
      if (this.lost) {
        const found = this.search(bytes, at, length);
        if (found > at) this.rest(frame, at, found);
        at = found;
        if (at === length) break;
        this.lost = false;
      }
      const n = parser.measure(bytes, at, length, final);
      if (n > 0) {
        this.measured(tcp, n);
        this.message(frame, at, at + n);
        messages++;
        at += n;
      } else if (n === MORE) {
        this.want(parser, length - at);
        if (at === 0) return false;
        more = true;
        break;
      } else if (!this.alien(bytes, at, length, length - at)) {
        this.rest(frame, at, length);
        break;
      }
    }
    // Wireshark lists them in the order of their octets, and of their coming where they begin alike.
    if (messages > 0 && !this.brief && (parts.length > 1 || parts[0]?.frame !== frame.number))
      notesOf(tcp).reassembled ??= { bytes, length, parts: inOrder(parts) };
    pending.drop();
    if (more) {
      pending.append(bytes, at, length, 0, -1, false);
      for (const part of parts) if (part.to > at) pending.parts.push({ ...part, from: Math.max(part.from, at) - at, to: part.to - at });
    }
    return true;
  }

  /** Dissect octets that wait. They are never written to again, as the layers keep them. */
  private message(frame: Frame, start: number, end: number): void {
    const { parser } = this;
    this.begins(this.position - (this.pending.length - start), start === 0);
    // Not by `frame.within`: of octets that are not told there are fewer than were captured.
    const { bytes, captured } = frame;
    frame.bytes = this.pending.bytes;
    frame.captured = end;
    parser!.dissect(frame, start, end);
    frame.bytes = bytes;
    frame.captured = captured;
  }

  private rest(frame: Frame, start: number, end: number): void {
    frame.within(this.pending.bytes, start, end, (f, s, e) => f.data(s, e));
  }

  /** A message is to be dissected that begins at `position`; `waited`: with the first of the octets that wait. */
  private begins(position: number, waited: boolean): void {
    this.messageStart = position;
    this.startSeconds = waited ? this.pending.seconds : this.streams.seconds;
    this.startNanoseconds = waited ? this.pending.nanoseconds : this.streams.nanoseconds;
  }

  private measured(tcp: SegmentLayer, length: number): void {
    this.talk.settled = true;
    if (!this.brief && (this.speaks as StreamProtocol).sized) notesOf(tcp).sized(length);
  }

  /** `[from, to)` of a segment belongs to a message of which other segments tell, too. */
  private stretch(tcp: SegmentLayer, from: number, to: number): void {
    if (!this.brief) notesOf(tcp).add(from, to);
  }

  private want(parser: StreamParser, have: number): void {
    const need = parser.need ?? 0;
    this.pending.wanted = need > 0 ? Math.min(have + need, ALL) : 0;
    this.pending.told = this.brief && need > 0 ? (parser.told ?? ALL) : ALL;
  }

  /**
   * The octets `[at, end)` are no message. True when they may be one of another protocol, which {@link choose} finds: once
   * for each octet of the stream. Else the next segment in which one may begin is looked for.
   */
  private alien(bytes: Uint8Array, at: number, end: number, left: number): boolean {
    const place = this.position - left;
    if (place !== this.refused) {
      this.refused = place;
      if (this.talk.protocol !== this.speaks || this.talk.replace(this.streams.registry, this.side, bytes, at, end)) return true;
    }
    this.lost = true;
    this.parser?.hole?.(undefined);
    return false;
  }

  /** Where a message may begin. */
  private search(bytes: Uint8Array, start: number, end: number): number {
    if (this.parser!.resync) return this.parser!.resync(bytes, start, end);
    const { recognise } = this.speaks as StreamProtocol;
    return recognise === undefined || recognise(bytes, start, end) ? start : end;
  }

  /** The message under way stays incomplete: show what there is of it. `missing` octets behind it are lost. */
  private cut(frame: Frame, missing: number): void {
    const { parser, pending } = this;
    const { length } = pending;
    this.lost = true;
    this.skip = 0;
    if (length > 0) {
      let left = 0;
      if (parser?.partial) {
        this.begins(this.position - length, true);
        const { bytes, captured } = frame;
        frame.bytes = pending.bytes;
        frame.captured = length;
        left = parser.partial(frame, 0, length + missing);
        frame.bytes = bytes;
        frame.captured = captured;
      } else if (!this.opening) this.rest(frame, 0, length);
      this.opening = false;
      this.pending.drop();
      if (left > 0) {
        this.skip = left;
        this.lost = false;
      }
    }
    if (this.skip === 0) parser?.hole?.(missing);
  }

  /** `length` octets from {@link next} on will not come. */
  private lose(frame: Frame, tcp: SegmentLayer | undefined, length: number): void {
    const { counters } = this.streams;
    counters.holes++;
    counters.missing += length;
    this.sink?.hole(this.side, length, this.position);
    this.step(length);
    if (tcp === undefined) return;
    if (this.skip >= length) {
      this.skip -= length;
      return;
    }
    const { wanted, length: waiting } = this.pending;
    // A hole inside a message of known length does not hide where the next one begins.
    this.cut(frame, wanted > 0 ? Math.min(length, wanted - waiting) : 0);
    const inside = wanted > 0 ? Math.min(length, wanted - waiting) : 0;
    const beyond = length - inside;
    if (this.skip >= beyond) this.skip -= beyond;
    else {
      this.skip = 0;
      this.lost = true;
      this.parser?.hole?.(beyond);
    }
  }

  /** Give up the hole before the octets that are held, and read on behind it. */
  private giveUp(frame: Frame, tcp: SegmentLayer): void {
    const length = (this.early.first.sequence - this.next) | 0;
    if (length > 0) this.lose(frame, tcp, length);
    this.join(frame, tcp);
  }

  /** The octet at `position`, one of those that were held, comes next: what its sender had received when it sent it. */
  private recall(position: number): void {
    const { late } = this;
    for (; this.lateAt < late.length && late[this.lateAt]! <= position; this.lateAt += 2) this.received = late[this.lateAt + 1]!;
  }

  /** Take the held octets that are next in order, and parse all that wait, each message with what its sender knew then. */
  private join(frame: Frame, tcp: SegmentLayer): void {
    const { received } = this;
    this.joinHeld(frame, tcp);
    this.received = received;
    this.late.length = this.lateAt = 0;
  }

  private joinHeld(frame: Frame, tcp: SegmentLayer): void {
    const { early, pending } = this;
    early.release(
      () => this.next,
      ({ sequence, bytes, frame: number, seconds, nanoseconds, differs, received }) => {
        const old = Math.min((this.next - sequence) | 0, bytes.length);
        const first = pending.length - old;
        const fresh = bytes.length - old;
        if (fresh > 0) {
          if (this.sink !== undefined) this.handOn(bytes, old, bytes.length, number, seconds, nanoseconds);
          this.late.push(this.position, received);
          this.step(fresh);
          const skipped = Math.min(this.skip, fresh);
          this.skip -= skipped;
          if (skipped < fresh)
            pending.append(bytes, old + skipped, bytes.length, number, skipped === 0 && first >= 0 ? first : pending.length, differs);
        } else if (first >= 0) pending.part(number, first, first + bytes.length, differs);
      },
    );
    if (early.isEmpty && !this.lacksEnd) this.streams.waiting.delete(this);
    if (this.pending.length > 0) {
      if (this.parsePending(frame, tcp, false) || this.pending.length === 0 || this.opening) return;
      if (this.pending.isTooLarge) this.cut(frame, 0);
    }
  }

  /** A segment of which only `[start, stop)` of `[start, end)` was captured; the octets up to `stop` are counted already. */
  private truncated(frame: Frame, tcp: SegmentLayer, from: number, start: number, stop: number, end: number): void {
    const missing = end - Math.max(stop, start);
    if (this.pending.length > 0) {
      const { wanted } = this.pending;
      if (stop > start) this.pending.append(frame.bytes, start, stop, frame.number, from, this.differs);
      if (!this.parsePending(frame, tcp, false) && this.pending.length > 0) {
        const inside = wanted > 0 ? Math.max(0, Math.min(missing, wanted - this.pending.length)) : missing;
        this.cut(frame, inside);
        this.skip = Math.max(0, this.skip - (missing - inside));
      } else this.cut(frame, missing);
      this.missed(missing);
      return;
    }
    let at = start + this.skipOver(frame, start, end);
    this.missed(missing);
    while (at < end) {
      if (this.talk.protocol !== this.speaks || this.parser === undefined) {
        if (!this.choose(frame.bytes, at, Math.max(at, stop))) return frame.data(at, end);
        if (typeof this.speaks === 'function') return this.speaks(frame, at, end);
      }
      const parser = this.parser!;
      if (this.lost) {
        const found = at < stop ? this.search(frame.bytes, at, stop) : stop;
        if (found >= stop) return frame.data(at, end);
        if (found > at) frame.data(at, found);
        at = found;
        this.lost = false;
      }
      const n = at < stop ? parser.measure(frame.bytes, at, stop, false) : MORE;
      if (n > 0) {
        this.measured(tcp, n);
        this.begins(this.position - (end - at), false);
        parser.dissect(frame, at, at + n);
        at += n;
        continue;
      }
      if (n === MORE && at < stop && parser.need) this.measured(tcp, stop - at + parser.need);
      if (n === ALIEN) {
        if (this.alien(frame.bytes, at, stop, end - at)) continue;
        return frame.data(at, end);
      }
      if (!parser.partial) {
        this.lost = true;
        parser.hole?.(undefined);
        return frame.data(at, end);
      }
      this.begins(this.position - (end - at), false);
      this.skip = parser.partial(frame, at, end);
      this.lost = this.skip === 0;
      if (this.lost) parser.hole?.(missing);
      return;
    }
  }

  private missed(length: number): void {
    this.sink?.hole(this.side, length, this.position);
    this.step(length);
  }

  /** Make the parser for what the conversation speaks; false when that is not known (yet). */
  private choose(bytes: Uint8Array, start: number, end: number): boolean {
    const { streams } = this;
    const protocol = this.talk.find(streams.registry, this.side, streams.limits.tries, bytes, start, end);
    if (protocol === null || protocol === undefined) {
      this.parser = undefined;
      this.speaks = protocol;
      if (protocol === null) this.plain = this.sink === undefined && this.early.isEmpty;
      return false;
    }
    if (this.speaks !== protocol || this.parser === undefined) {
      this.speaks = protocol;
      this.parser = typeof protocol === 'function' ? undefined : protocol.parser(this);
      // It began with a hole: the parser is told now that there is one.
      if (this.lost) this.parser?.hole?.(undefined);
    }
    return true;
  }

  /** Over, with no frame to show anything in: the sink alone gets what is held. */
  abandon(): void {
    const { streams } = this;
    if (this.pending.length > 0 && !this.opening) this.parser?.abandoned?.(this.pending.length);
    for (const { sequence, bytes, frame, seconds, nanoseconds } of this.early.clear()) {
      const gap = (sequence - this.next) | 0;
      if (gap > 0) {
        streams.counters.holes++;
        streams.counters.missing += gap;
        this.sink?.hole(this.side, gap, this.position);
        this.step(gap);
      }
      const old = (this.next - sequence) | 0;
      if (old < bytes.length) {
        this.sink?.octets(this.side, bytes, old, bytes.length, this.position, frame, seconds, nanoseconds);
        this.step(bytes.length - old);
      }
    }
    // The receiver has them, so they were sent: a FIN far off alone proves nothing.
    if (this.lacksEnd && this.anyAck && ((this.acked - this.last) | 0) >= 0)
      this.sink!.hole(this.side, (this.last - this.next) | 0, this.position);
    streams.buffered -= this.recent?.size ?? 0;
    this.recent = undefined;
    this.pending.drop();
    streams.waiting.delete(this);
  }
}

/** Octets by which every protocol can be told that has marks to be told by. */
const OPENING = 24;

/** Parts by where their octets begin; they are so already in all but a few messages, and asking costs less than sorting. */
function inOrder(parts: Part[]): Part[] {
  for (let i = 1; i < parts.length; i++) if (parts[i]!.from < parts[i - 1]!.from) return parts.sort((a, b) => a.from - b.from);
  return parts;
}
