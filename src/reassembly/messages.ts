/**
 * The messages of one direction of a conversation: its octets, which come in order (stream-reader.ts), handed to the
 * protocol's parser, one message after another.
 *
 * A message that lies in one segment is parsed where it stands. Of one that spans segments the octets wait (pending.ts)
 * until it is whole, or is given up because some of them are missing. Behind a hole in a message of unknown length, and
 * behind octets that are no message, the start of the next one has to be found.
 */
import type { Frame } from '../core/frame.js';
import { ALIEN, MORE, type StreamContext, type StreamParser, type StreamProtocol } from '../core/stream.js';
import { notesOf } from './notes.js';
import { ALL, NOTHING, Pending } from './pending.js';
import type { SegmentLayer, Side } from './stream-options.js';
import type { Streams } from './streams.js';
import { type Speaks, Talk } from './talk.js';

/** What is to be known of the other direction. */
interface Peer {
  readonly messages: Messages;
  positionOf(sequence: number): number;
}

/** The messages of one direction. */
export class Messages implements StreamContext {
  /** Where the next octet in order stands in the stream; holes count. */
  position = 0;
  messageStart = 0;
  /** The message under way began with the first of the octets that wait. */
  private waited = false;
  /** The acknowledgment field of the segment under way: signed, as all sequence numbers. */
  acknowledgment = 0;
  /** The parser of {@link speaks}. */
  parser: StreamParser | undefined = undefined;
  /** Octets of the message under way that earlier segments brought. */
  readonly pending: Pending;
  /** The octets that the segment under way repeats are not those that came first. */
  differs = false;
  /** {@link parser} reads what the conversation speaks. Both directions are told when that changes, so that no message asks what they share. */
  isSure = false;

  private readonly talk: Talk;
  /** Nobody asks which segments a message came in, nor for octets that no line tells. */
  readonly brief: boolean;
  /** What {@link parser} was made for; {@link Talk.protocol} may have moved on. */
  private speaks: Speaks = undefined;
  /** Lengths of its messages are noted. */
  private isSized = false;
  /** One of its messages came. */
  private settled = false;
  /** Octets to come that belong to a message which was given up. */
  private skip = 0;
  /** After a hole or octets that are no message: the start of a message has to be found. */
  private lost = false;
  /** What waits are the first octets of a stream whose protocol they are too few to tell; they were shown as data. */
  private opening = false;
  /** Of octets that were held, while they are parsed: where each segment begins, and what its sender had {@link received}. */
  private late: number[] | undefined = undefined;
  private lateAt = 0;
  private recalled: number | undefined = undefined;
  /** Where octets that were no message stood last. */
  private refused = -1;

  constructor(
    private readonly streams: Streams,
    private readonly side: Side,
  ) {
    this.pending = new Pending(streams);
    this.talk = this.other?.talk ?? new Talk();
    this.brief = streams.brief;
  }

  private get other(): Messages | undefined {
    return (this.side.peer.reader as Peer | undefined)?.messages;
  }

  get startSeconds(): number {
    return this.waited ? this.pending.seconds : this.streams.seconds;
  }
  get startNanoseconds(): number {
    return this.waited ? this.pending.nanoseconds : this.streams.nanoseconds;
  }

  /** Asked when a command begins, and by few others. */
  get received(): number {
    if (this.recalled !== undefined) return this.recalled;
    const { peer } = this.side;
    const reader = peer.reader as Peer | undefined;
    if (reader !== undefined) return reader.positionOf(this.acknowledgment);
    return peer.baseKnown ? (this.acknowledgment - peer.base - 1) | 0 : 0;
  }

  get peer(): StreamParser | undefined {
    return this.other?.parser;
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
    this.changed();
  }

  /** The conversation speaks another protocol than before. */
  private changed(): void {
    const { other } = this;
    this.isSure = this.settled = false;
    if (other !== undefined) other.isSure = other.settled = false;
  }

  /** It is known what the conversation speaks. */
  get isKnown(): boolean {
    return this.talk.protocol !== undefined && this.talk.protocol !== null;
  }

  /** The conversation speaks nothing that we know, and nobody looks any more. */
  get isForeign(): boolean {
    return this.speaks === null;
  }

  /** Octets wait that are the beginning of a message, not just of a stream of which more is needed to tell what it is. */
  get isUnderWay(): boolean {
    return this.pending.length > 0 && !this.opening;
  }

  /** Octets in order, all of which are in `frame.bytes`. */
  feed(frame: Frame, tcp: SegmentLayer, start: number, end: number, from: number): void {
    if (this.pending.length === 0) this.parseInPlace(frame, tcp, start, end);
    else this.goOn(frame, tcp, start, end, from);
  }

  /** Octets that wait go on in this segment. */
  private goOn(frame: Frame, tcp: SegmentLayer, start: number, end: number, from: number): void {
    const { pending } = this;
    let at = start;
    // A repeat that brings more is part of the message with all of its octets.
    const begin = start - (pending.length - from);
    if (this.opening && (this.talk.protocol !== undefined || this.choose(frame.bytes, start, end))) {
      // The other direction told the protocol, or this segment begins it: what was said before is over.
      this.opening = false;
      pending.drop();
    }
    const { opening } = this;
    while (at < end && pending.length > 0) {
      const { wanted, length } = pending;
      const take = wanted === 0 ? end - at : Math.min(end - at, wanted - length);
      const part = this.brief && !opening ? -1 : at === start ? from : length;
      pending.append(frame.bytes, at, at + take, frame.number, part, this.differs);
      at += take;
      if (pending.length < wanted) {
        this.stretch(tcp, begin, end);
        if (pending.isTooLarge) this.cut(frame, 0);
        return;
      }
      const complete = this.parsePending(frame, tcp, false);
      // Octets that are still too few to tell a protocol by, or turned out to be of none, were shown as data.
      const isData = opening && !this.talk.protocol;
      if (!isData && (complete || at >= end)) this.stretch(tcp, begin, complete ? at : end);
      if (pending.length > 0 && pending.isTooLarge) this.cut(frame, 0);
    }
    if (at < end) this.parseInPlace(frame, tcp, at + this.skipOver(frame, at, end), end);
  }

  /** Messages that begin in this segment. */
  private parseInPlace(frame: Frame, tcp: SegmentLayer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (!this.isSure) {
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
        this.want(parser, end - at);
        this.stretch(tcp, at, end);
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
    // It may be a message of another protocol, which looks at more of it.
    if (!this.isSure) pending.gather();
    const { bytes, start, length, parts } = pending;
    let at = 0;
    let more = false;
    let messages = 0;
    while (at < length) {
      if (this.late !== undefined) this.recall(this.late, this.position - (length - at));
      if (!this.isSure) {
        if (length > pending.told) {
          // Another protocol in the middle of a message of which not all octets are held.
          this.rest(frame, at, length);
          break;
        }
        if (!this.choose(bytes, start + at, start + length)) {
          // What waits to be recognised was shown when it came; at the end of the stream that is all of it.
          if (!this.opening) this.rest(frame, at, length);
          else if (!final) this.rest(frame, parts.from(parts.length - 1), length);
          if (this.opening && length < OPENING && this.talk.protocol === undefined) return false;
          this.opening = false;
          break;
        }
        this.opening = false;
        if (typeof this.speaks === 'function') {
          frame.within(bytes, start + at, start + length, this.speaks);
          break;
        }
      }
      const parser = this.parser!;
      if (this.lost) {
        const found = this.search(bytes, start + at, start + length) - start;
        if (found > at) this.rest(frame, at, found);
        at = found;
        if (at === length) break;
        this.lost = false;
      }
      const n = parser.measure(bytes, start + at, start + length, final);
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
      } else if (!this.alien(bytes, start + at, start + length, length - at)) {
        this.rest(frame, at, length);
        break;
      }
    }
    // Wireshark lists them in the order of their octets, and of their coming where they begin alike.
    if (messages > 0 && !this.brief && (parts.length !== 1 || parts.frame(0) !== frame.number)) {
      parts.sort();
      notesOf(tcp).reassembled ??= { bytes: pending.isBorrowed ? NOTHING : bytes, length, parts };
    }
    pending.drop();
    if (more) {
      pending.append(bytes, start + at, start + length, 0, -1, false);
      for (let i = 0; i < parts.length; i++) {
        const to = parts.to(i);
        if (to > at) pending.part(parts.frame(i), Math.max(parts.from(i), at) - at, to - at, parts.conflict(i));
      }
    }
    return true;
  }

  /** Dissect octets that wait. They are never written to again, as the layers keep them. */
  private message(frame: Frame, start: number, end: number): void {
    const { parser, pending } = this;
    this.begins(this.position - (pending.length - start), start === 0);
    // Not by `frame.within`: of octets that are not told there are fewer than were captured.
    const { bytes, captured } = frame;
    frame.bytes = pending.bytes;
    frame.captured = pending.start + end;
    parser!.dissect(frame, pending.start + start, pending.start + end);
    frame.bytes = bytes;
    frame.captured = captured;
  }

  private rest(frame: Frame, start: number, end: number): void {
    const { pending } = this;
    frame.within(pending.bytes, pending.start + start, pending.start + end, (f, s, e) => f.data(s, e));
  }

  /** A message is to be dissected that begins at `position`; `waited`: with the first of the octets that wait. */
  private begins(position: number, waited: boolean): void {
    this.messageStart = position;
    this.waited = waited;
  }

  private measured(tcp: SegmentLayer, length: number): void {
    if (!this.settled) this.settled = this.talk.settled = true;
    if (this.isSized) notesOf(tcp).sized(length);
  }

  /** `[from, to)` of a segment belongs to a message of which other segments tell, too. */
  stretch(tcp: SegmentLayer, from: number, to: number): void {
    if (!this.brief && this.pending.told === ALL) notesOf(tcp).add(from, to);
  }

  private want(parser: StreamParser, have: number): void {
    const need = parser.need ?? 0;
    this.pending.wanted = need > 0 ? Math.min(have + need, ALL) : 0;
    this.pending.told = (this.brief || this.streams.lends) && need > 0 ? (parser.told ?? ALL) : ALL;
  }

  /** Octets that were held come next: `bytes` from `old` on, what is before that came already. They wait until {@link readHeld}. */
  queue(bytes: Uint8Array, old: number, frame: number, differs: boolean, received: number): void {
    const { pending } = this;
    const first = pending.length - old;
    const fresh = bytes.length - old;
    if (fresh === 0) {
      if (first >= 0) pending.part(frame, first, first + bytes.length, differs);
      return;
    }
    (this.late ??= []).push(this.position, received);
    const skipped = Math.min(this.skip, fresh);
    this.skip -= skipped;
    if (skipped < fresh)
      pending.append(bytes, old + skipped, bytes.length, frame, skipped === 0 && first >= 0 ? first : pending.length, differs);
  }

  /** Parse all that wait, each message with what its sender had received then. */
  readHeld(frame: Frame, tcp: SegmentLayer): void {
    const { pending } = this;
    if (pending.length > 0 && !this.parsePending(frame, tcp, false) && this.isUnderWay && pending.isTooLarge) this.cut(frame, 0);
    this.recalled = this.late = undefined;
    this.lateAt = 0;
  }

  /** The octet at `position`, one of those that were held, comes next: what its sender had received when it sent it. */
  private recall(late: readonly number[], position: number): void {
    for (; this.lateAt < late.length && late[this.lateAt]! <= position; this.lateAt += 2) this.recalled = late[this.lateAt + 1];
  }

  /** Leave out octets of a message that was given up; says how many. */
  skipOver(frame: Frame, start: number, end: number): number {
    if (this.skip === 0) return 0;
    const count = Math.min(this.skip, end - start);
    this.skip -= count;
    frame.data(start, start + count);
    return count;
  }

  /** Everything has come: what becomes of the message under way. */
  finish(frame: Frame, tcp: SegmentLayer): void {
    const { pending } = this;
    if (pending.length === 0) return;
    // The frame with the FIN completes what lasts until the end, also when it brings no octet.
    const last = pending.parts.length - 1;
    if (last < 0 || pending.parts.frame(last) !== frame.number) pending.part(frame.number, pending.length, pending.length, false);
    this.parsePending(frame, tcp, true);
    if (pending.length > 0) this.cut(frame, 0);
  }

  /**
   * The message under way goes on in a segment of which `[start, stop)` was captured and the `missing` octets behind that
   * were not.
   */
  feedCut(frame: Frame, tcp: SegmentLayer, from: number, start: number, stop: number, missing: number): void {
    const { pending } = this;
    const { wanted } = pending;
    if (stop > start) pending.append(frame.bytes, start, stop, frame.number, from, this.differs);
    if (this.parsePending(frame, tcp, false) || pending.length === 0) return this.cut(frame, missing);
    const inside = wanted > 0 ? Math.max(0, Math.min(missing, wanted - pending.length)) : missing;
    this.cut(frame, inside);
    this.skip = Math.max(0, this.skip - (missing - inside));
  }

  /** Messages that begin in such a segment, from `start` on; its octets are counted already. */
  parseCut(frame: Frame, tcp: SegmentLayer, start: number, stop: number, end: number, missing: number): void {
    let at = start;
    while (at < end) {
      if (!this.isSure) {
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

  /** `length` octets are missing behind those that were read; they are counted already. */
  hole(frame: Frame, length: number): void {
    if (this.skip >= length) {
      this.skip -= length;
      return;
    }
    const { wanted, length: waiting } = this.pending;
    // A hole inside a message of known length does not hide where the next one begins.
    const inside = wanted > 0 ? Math.min(length, wanted - waiting) : 0;
    this.cut(frame, inside);
    const beyond = length - inside;
    if (this.skip >= beyond) this.skip -= beyond;
    else {
      this.skip = 0;
      this.lost = true;
      this.parser?.hole?.(beyond);
    }
  }

  /** The message under way stays incomplete: show what there is of it. `missing` octets behind it are lost. */
  cut(frame: Frame, missing: number): void {
    const { parser, pending } = this;
    const { length } = pending;
    this.lost = true;
    this.skip = 0;
    if (length > 0) {
      let left = 0;
      if (parser?.partial) {
        this.begins(this.position - length, true);
        const { bytes, captured } = frame;
        const { start } = pending;
        frame.bytes = pending.bytes;
        frame.captured = start + length;
        left = parser.partial(frame, start, start + length + missing);
        frame.bytes = bytes;
        frame.captured = captured;
      } else if (!this.opening) {
        pending.gather();
        this.rest(frame, 0, length);
      }
      this.opening = false;
      this.pending.drop();
      if (left > 0) {
        this.skip = left;
        this.lost = false;
      }
    }
    if (this.skip === 0) parser?.hole?.(missing);
  }

  /** Make the parser for what the conversation speaks; false when that is not known (yet). */
  private choose(bytes: Uint8Array, start: number, end: number): boolean {
    const { streams } = this;
    const protocol = this.talk.find(streams.registry, this.side, streams.limits.tries, bytes, start, end);
    if (protocol === null || protocol === undefined) {
      this.parser = undefined;
      this.speaks = protocol;
      return false;
    }
    if (this.speaks !== protocol || this.parser === undefined) {
      this.speaks = protocol;
      this.parser = typeof protocol === 'function' ? undefined : protocol.parser(this);
      this.isSized = !this.brief && typeof protocol !== 'function' && protocol.sized === true;
      // It began with a hole: the parser is told now that there is one.
      if (this.lost) this.parser?.hole?.(undefined);
    }
    this.isSure = this.parser !== undefined;
    return true;
  }

  /**
   * The octets `[at, end)` are no message. True when they may be one of another protocol, which {@link choose} finds: once
   * for each octet of the stream. Else the next segment in which one may begin is looked for.
   */
  private alien(bytes: Uint8Array, at: number, end: number, left: number): boolean {
    const place = this.position - left;
    if (place !== this.refused) {
      this.refused = place;
      if (!this.isSure) return true;
      if (this.talk.replace(this.streams.registry, this.side, bytes, at, end)) {
        this.changed();
        return true;
      }
    }
    this.lost = true;
    const { parser } = this;
    if (parser?.alien) parser.alien();
    else parser?.hole?.(undefined);
    return false;
  }

  /** Where a message may begin. */
  private search(bytes: Uint8Array, start: number, end: number): number {
    if (this.parser!.resync) return this.parser!.resync(bytes, start, end);
    const { recognise } = this.speaks as StreamProtocol;
    return recognise === undefined || recognise(bytes, start, end) ? start : end;
  }

  /** Over, with no frame to show anything in. */
  abandon(): void {
    if (this.isUnderWay) this.parser?.abandoned?.(this.pending.length);
    this.pending.drop();
  }
}

/** Octets by which every protocol can be told that has marks to be told by. */
const OPENING = 24;
