/**
 * TCP byte streams: the octets of each direction in the order in which they were sent, handed to a protocol's parser
 * message by message.
 *
 *   - A message that lies in one segment is parsed where it stands; one that spans segments is gathered in octets of its
 *     own, which grow with what came, and is dissected in the frame that completes it.
 *   - What comes early is held. A hole is given up once the receiver has acknowledged what lies beyond it (it was not
 *     captured, then, and never will be), or when more would have to be held than may be, or when nothing has
 *     filled it for a while: the parser is told its length and begins anew behind it.
 *   - What comes twice is taken once. Where the second version differs, the policy says which one counts, as long as the
 *     octets were not handed on; the difference is noted in either case.
 *
 * All octets that wait are counted, a direction and in all, and bounded.
 */
import type { Frame } from '../core/frame.js';
import type { Layer } from '../core/layer.js';
import { u32 } from '../core/octets.js';
import { type Dissect, type Registry, tcpPorts } from '../core/registry.js';
import { ALIEN, MORE, type StreamContext, type StreamParser, type StreamProtocol } from '../core/stream.js';
import type { Part, StreamNotes } from '../dissectors/tcp-stream.js';

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;

/** One direction of a conversation, as the conversations' keeper has it. */
export interface Side {
  readonly peer: Side;
  /** The sequence number before that of the first octet of data. */
  readonly base: number;
  readonly baseKnown: boolean;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly fromClient: boolean;
  /** `opener` is undefined when no SYN was seen. */
  readonly conversation: { readonly opener: unknown };
  /** Ours. */
  reader: unknown;
}

/** A Tcp layer, which carries what is found out about its segment. */
export type SegmentLayer = Layer & { assembly: StreamNotes | undefined };

/** Which version counts of octets that came twice and differ. */
export type OverlapPolicy = 'first' | 'last';

export interface StreamLimits {
  /** Octets of one message. */
  readonly message: number;
  /** Octets of one direction that may wait behind a hole. */
  readonly held: number;
  /** Octets that wait in all directions together, of either kind. */
  readonly total: number;
  /** Seconds of packet time that a hole may stay open while more comes. */
  readonly holeSeconds: number;
  /** Segments with data of a conversation in which its protocol is looked for. */
  readonly tries: number;
}

const LIMITS: StreamLimits = { message: 32 << 20, held: 4 << 20, total: 256 << 20, holeSeconds: 60, tries: 32 };

/** Gets the ordered octets of a direction, e.g. to follow a conversation. */
export interface StreamSink {
  /**
   * The next octets `[start, end)` of `bytes`, valid during the call. `position` counts from the first octet of data; frame
   * and time are those of the segment that brought them.
   */
  octets(
    side: Side,
    bytes: Uint8Array,
    start: number,
    end: number,
    position: number,
    frame: number,
    seconds: number,
    nanoseconds: number,
  ): void;
  /** `length` octets are missing. */
  hole(side: Side, length: number, position: number): void;
  /** Octets that came again and differ from the first version. */
  conflict?(side: Side, position: number, first: Uint8Array, last: Uint8Array, frame: number): void;
}

export interface StreamsOptions {
  readonly registry: Registry;
  /** Default `first`. */
  readonly overlap?: OverlapPolicy;
  readonly limits?: Partial<StreamLimits>;
  /** Where what could not be used is counted, for those who want to look at it. */
  readonly counters?: StreamCounters;
  /** Asked once a direction, at its first data. */
  readonly sink?: (side: Side) => StreamSink | undefined;
}

/** What happened to octets that could not be used in the ordinary way. */
export interface StreamCounters {
  /** Holes given up, and the octets missing in them. */
  holes: number;
  missing: number;
  /** Octets that were not gathered because a message was larger than allowed, or there was no room in all. */
  unread: number;
  /** Segments that repeat octets in another version. */
  conflicts: number;
}

/** What a conversation speaks: a stream protocol, a dissector for each segment alone, not known yet, or nothing that we know. */
type Speaks = StreamProtocol | Dissect | undefined | null;

/** What both directions share. */
class Talk {
  protocol: Speaks = undefined;
  shared: unknown = undefined;
  tries = 0;
  /** Ports say nothing (any more): the conversation changed its protocol. */
  changed = false;
}

/** Octets that came early. */
interface Held {
  readonly sequence: number;
  readonly bytes: Uint8Array;
  readonly frame: number;
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** Octets of the smallest buffer that is kept, and of the largest. */
const LEAST_BUFFER = 2048;
const MOST_SPARE = 1 << 20;
/** Buffers kept at most. */
const SPARES = 32;
const NOTHING = new Uint8Array(0);

/** All byte streams of a session. */
export class Streams {
  readonly registry: Registry;
  readonly overlap: OverlapPolicy;
  readonly limits: StreamLimits;
  readonly sinkOf: ((side: Side) => StreamSink | undefined) | undefined;
  readonly counters: StreamCounters;
  /** Octets that wait. */
  buffered = 0;
  /** Buffers to be filled again, and those that layers of the frame under way still stand in. */
  private readonly spare: Uint8Array[] = [];
  private readonly inUse: Uint8Array[] = [];
  private frameNumber = 0;
  /** Time of the segment under way. */
  seconds = 0;
  nanoseconds = 0;
  /** Directions with octets behind a hole. */
  readonly waiting = new Set<StreamReader>();

  constructor(options: StreamsOptions) {
    this.registry = options.registry;
    this.overlap = options.overlap ?? 'first';
    this.limits = { ...LIMITS, ...options.limits };
    this.sinkOf = options.sink;
    this.counters = options.counters ?? { holes: 0, missing: 0, unread: 0, conflicts: 0 };
  }

  /** A buffer of at least `length` octets; what is in it is of no meaning. */
  take(length: number): Uint8Array {
    if (length < LEAST_BUFFER) return new Uint8Array(length);
    const { spare } = this;
    for (let i = spare.length - 1; i >= 0; i--) {
      const buffer = spare[i]!;
      if (buffer.length < length) continue;
      spare[i] = spare[spare.length - 1]!;
      spare.pop();
      return buffer;
    }
    // Powers of two, so that few sizes go round.
    return new Uint8Array(2 ** Math.ceil(Math.log2(length)));
  }

  /** A buffer that nobody fills any more. It is used again for a later frame, so what outlives its frame copies from it. */
  giveBack(buffer: Uint8Array): void {
    if (buffer.length >= LEAST_BUFFER && buffer.length <= MOST_SPARE && this.inUse.length < SPARES) this.inUse.push(buffer);
  }

  /** What layers of earlier frames stood in may be used again. */
  private renew(frame: Frame): void {
    if (frame.number === this.frameNumber) return;
    this.frameNumber = frame.number;
    while (this.inUse.length > 0) {
      const buffer = this.inUse.pop()!;
      if (this.spare.length < SPARES) this.spare.push(buffer);
    }
  }

  /** A segment with its payload `[start, end)` of `frame.bytes`; at least 20 octets of `tcp` were captured. */
  segment(frame: Frame, tcp: SegmentLayer, side: Side, start: number, end: number): void {
    const { bytes: b, start: at } = tcp;
    if (this.inUse.length > 0) this.renew(frame);
    this.seconds = frame.seconds;
    this.nanoseconds = frame.nanoseconds;
    const flags = b[at + 13]!;
    if (flags & ACK) {
      const other = side.peer.reader as StreamReader | undefined;
      if (other !== undefined) other.acknowledge(u32(b, at + 8) | 0);
    }
    let reader = side.reader as StreamReader | undefined;
    // What a reset carries is a reason in words (RFC 9293 section 3.5.2), no part of the stream.
    if (flags & RST) {
      reader?.reset(frame, tcp);
      return;
    }
    const sequence = flags & SYN ? (u32(b, at + 4) + 1) | 0 : u32(b, at + 4) | 0;
    if (end <= start) {
      if (flags & FIN && reader !== undefined) reader.close(frame, tcp, sequence);
      return;
    }
    if (reader === undefined) {
      const next = side.baseKnown && side.conversation.opener !== undefined ? (side.base + 1) | 0 : sequence;
      reader = side.reader = new StreamReader(this, side, next);
    }
    if (reader.plain) {
      const beyond = ((sequence - reader.next) | 0) + (end - start);
      if (beyond > 0) reader.next = (reader.next + beyond) | 0;
      frame.data(start, end);
      return;
    }
    if (flags & ACK) {
      const other = side.peer.reader as StreamReader | undefined;
      if (other !== undefined) reader.received = other.positionOf(u32(b, at + 8) | 0);
      else if (side.peer.baseKnown) reader.received = (u32(b, at + 8) - side.peer.base - 1) | 0;
    }
    reader.receive(frame, tcp, sequence, start, end);
    if (flags & FIN) reader.close(frame, tcp, (sequence + end - start) | 0);
  }

  /** A conversation is over: hand what waits behind holes to the sink, and let go of everything. */
  forget(side: Side): void {
    (side.reader as StreamReader | undefined)?.abandon();
    side.reader = undefined;
  }

  /** No more will come. */
  finish(): void {
    for (const reader of [...this.waiting]) reader.abandon();
  }
}

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
  /** What {@link parser} was made for; {@link Talk.protocol} may have moved on. */
  private speaks: Speaks = undefined;
  /** Octets of the message under way that earlier segments brought. */
  private pending: Uint8Array = NOTHING;
  private pendingLength = 0;
  /** When the first of them came. */
  private pendingSeconds = 0;
  private pendingNanoseconds = 0;
  private parts: Part[] = [];
  /** Octets that must be pending before the parser is asked again; 0: with the next segment. */
  private wanted = 0;
  /** In the order of their sequence numbers; may overlap. */
  private held: Held[] = [];
  private heldOctets = 0;
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
  private closed = false;
  private ended = false;

  constructor(
    private readonly streams: Streams,
    private readonly side: Side,
    next: number,
  ) {
    this.next = next;
    const other = side.peer.reader as StreamReader | undefined;
    this.talk = other?.talk ?? new Talk();
    this.sink = streams.sinkOf?.(side);
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

  become(protocol: StreamProtocol | undefined, shared?: unknown): void {
    this.talk.protocol = protocol;
    this.talk.shared = shared;
    this.talk.tries = 0;
    this.talk.changed = true;
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
    const { held } = this;
    // Holes that were known to be real when this segment came do not wait for it.
    if (held.length > 0 && this.hopeless(held[0]!.sequence, frame)) this.giveUp(frame, tcp);
    let ahead = (sequence - this.next) | 0;
    if (ahead > 0 && held.length === 0 && this.hopeless(sequence, frame)) {
      this.lose(frame, tcp, ahead);
      ahead = 0;
    }
    if (ahead > 0) {
      this.hold(frame, tcp, sequence, start, end);
      while (held.length > 0 && (this.heldOctets > this.streams.limits.held || this.streams.buffered > this.streams.limits.total))
        this.giveUp(frame, tcp);
      return;
    }
    const old = Math.min(-ahead, end - start);
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
    if (this.held.length > 0 && this.hopeless(this.held[0]!.sequence, frame)) this.giveUp(frame, tcp);
    this.end(frame, tcp);
  }

  /** The sender gave up: nothing fills a hole any more, and the message under way stays as it is. */
  reset(frame: Frame, tcp: SegmentLayer): void {
    while (this.held.length > 0) this.giveUp(frame, tcp);
    if (this.pendingLength > 0 && !this.opening) this.cut(frame, 0);
  }

  /** What becomes of the message under way when everything has come. */
  private end(frame: Frame, tcp: SegmentLayer): void {
    if (!this.closed || this.ended || ((this.next - this.last) | 0) < 0) return;
    this.ended = true;
    if (this.pendingLength === 0) return;
    // The frame with the FIN completes what lasts until the end, also when it brings no octet.
    if (this.parts[this.parts.length - 1]!.frame !== frame.number) this.part(frame.number, this.pendingLength, this.pendingLength, false);
    this.parsePending(frame, tcp, true);
    if (this.pendingLength > 0) this.cut(frame, 0);
  }

  /** A hole before `sequence` will not be filled: its receiver has what follows, or nothing filled it for long. */
  private hopeless(sequence: number, frame: Frame): boolean {
    if (this.anyAck && ((this.acked - sequence) | 0) >= 0) return true;
    return this.held.length > 0 && frame.seconds - this.held[0]!.seconds > this.streams.limits.holeSeconds;
  }

  /** Keep octets that came early. */
  private hold(frame: Frame, tcp: SegmentLayer, sequence: number, start: number, end: number): void {
    const { held, streams } = this;
    const stop = Math.min(end, frame.captured);
    if (stop <= start) return;
    notesOf(tcp).segmentData.push([start, end]);
    let at = held.length;
    while (at > 0 && ((held[at - 1]!.sequence - sequence) | 0) > 0) at--;
    const before = held[at - 1];
    // Repeats of what is held cost nothing, so that a loop of retransmissions cannot fill the memory.
    if (before !== undefined && before.sequence === sequence && before.bytes.length >= stop - start) return;
    const bytes = frame.bytes.slice(start, stop);
    held.splice(at, 0, { sequence, bytes, frame: frame.number, seconds: frame.seconds, nanoseconds: frame.nanoseconds });
    this.heldOctets += bytes.length;
    streams.buffered += bytes.length;
    streams.waiting.add(this);
  }

  /** Octets `[start, end)` that are not after {@link next}: compare them with what waits for its message. `whole`: the segment brings nothing else. */
  private again(frame: Frame, tcp: SegmentLayer, sequence: number, start: number, end: number, whole: boolean): void {
    const first = this.pendingLength - ((this.next - sequence) | 0);
    if (first < 0 || this.pendingLength === 0) return;
    const stop = Math.min(end, frame.captured);
    const { pending } = this;
    let conflict = false;
    for (let i = start; i < stop && !conflict; i++) conflict = pending[first + i - start] !== frame.bytes[i];
    if (conflict) {
      const earlier = pending.slice(first, first + stop - start);
      const later = frame.bytes.slice(start, stop);
      const position = this.position - this.pendingLength + first;
      notesOf(tcp).conflict = { position, first: earlier, last: later };
      this.streams.counters.conflicts++;
      this.sink?.conflict?.(this.side, position, earlier, later, frame.number);
      if (this.streams.overlap === 'last') pending.set(later, first);
    }
    this.differs = conflict;
    if (!whole) return;
    notesOf(tcp).segmentData.push([start, end]);
    this.part(frame.number, first, first + stop - start, conflict);
  }

  /** Octets `[start, end)` of a segment that begins at `sequence`: the next ones in order. */
  private advance(frame: Frame, tcp: SegmentLayer, sequence: number, start: number, end: number): void {
    const stop = end < frame.captured ? end : frame.captured;
    const offset = this.pendingLength - ((this.next - sequence) | 0);
    const from = offset >= 0 ? offset : this.pendingLength;
    if (stop > start) {
      this.sink?.octets(this.side, frame.bytes, start, stop, this.position, frame.number, frame.seconds, frame.nanoseconds);
      this.step(stop - start);
    }
    if (stop < end) return this.truncated(frame, tcp, from, start, stop, end);
    const { held } = this;
    if (held.length > 0 && ((held[0]!.sequence - this.next) | 0) <= 0) {
      const skipped = this.skipOver(frame, start, end);
      this.append(frame.bytes, start + skipped, end, frame.number, skipped > 0 ? this.pendingLength : from);
      this.join(frame, tcp);
      return this.end(frame, tcp);
    }
    this.feed(frame, tcp, start + this.skipOver(frame, start, end), end, from);
    if (this.closed) this.end(frame, tcp);
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
    if (this.opening && (this.talk.protocol !== undefined || this.choose(frame.bytes, start, end))) {
      // The other direction told the protocol, or this segment begins it: what was said before is over.
      this.opening = false;
      this.drop();
    }
    while (at < end && this.pendingLength > 0) {
      const take = this.wanted === 0 ? end - at : Math.min(end - at, this.wanted - this.pendingLength);
      this.append(frame.bytes, at, at + take, frame.number, at === start ? from : this.pendingLength);
      at += take;
      if (this.wanted !== 0 && this.pendingLength < this.wanted) {
        notesOf(tcp).segmentData.push([start, end]);
        if (this.tooLarge()) this.cut(frame, 0);
        return;
      }
      if (this.parsePending(frame, tcp, false)) notesOf(tcp).segmentData.push([start, at]);
      else if (at >= end) notesOf(tcp).segmentData.push([start, end]);
      if (this.pendingLength > 0 && this.tooLarge()) this.cut(frame, 0);
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
            this.wanted = 0;
            this.append(frame.bytes, at, end, frame.number, 0);
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
        notesOf(tcp).segmentData.push([at, end]);
        this.want(parser, end - at);
        this.append(frame.bytes, at, end, frame.number, 0);
        if (this.tooLarge()) this.cut(frame, 0);
        return;
      } else {
        this.alien();
        return frame.data(at, end);
      }
    }
  }

  /**
   * Messages that are complete in the octets that wait; false when not even the first is. What is left of them begins a
   * new message.
   */
  private parsePending(frame: Frame, tcp: SegmentLayer, final: boolean): boolean {
    const { pending, pendingLength: length, parts } = this;
    let at = 0;
    let more = false;
    let messages = 0;
    while (at < length) {
      if (this.talk.protocol !== this.speaks || this.parser === undefined) {
        if (!this.choose(pending, at, length)) {
          this.rest(frame, this.opening ? parts[parts.length - 1]!.from : at, length);
          if (this.opening && length < OPENING && this.talk.protocol === undefined) return false;
          this.opening = false;
          break;
        }
        this.opening = false;
        if (typeof this.speaks === 'function') {
          frame.within(pending, at, length, this.speaks);
          break;
        }
      }
      const parser = this.parser!;
      if (this.lost) {
        const found = this.search(pending, at, length);
        if (found > at) this.rest(frame, at, found);
        at = found;
        if (at === length) break;
        this.lost = false;
      }
      const n = parser.measure(pending, at, length, final);
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
      } else {
        this.alien();
        this.rest(frame, at, length);
        break;
      }
    }
    // Wireshark lists them in the order of their octets, and of their coming where they begin alike.
    if (messages > 0 && (parts.length > 1 || parts[0]?.frame !== frame.number))
      notesOf(tcp).reassembled ??= { bytes: pending, length, parts: parts.sort((a, b) => a.from - b.from) };
    this.drop();
    if (more) {
      this.append(pending, at, length, 0, -1);
      for (const part of parts) if (part.to > at) this.parts.push({ ...part, from: Math.max(part.from, at) - at, to: part.to - at });
    }
    return true;
  }

  /** Dissect octets that wait. They are never written to again, as the layers keep them. */
  private message(frame: Frame, start: number, end: number): void {
    const { parser } = this;
    this.begins(this.position - (this.pendingLength - start), start === 0);
    frame.within(this.pending, start, end, (f, s, e) => parser!.dissect(f, s, e));
  }

  private rest(frame: Frame, start: number, end: number): void {
    frame.within(this.pending, start, end, (f, s, e) => f.data(s, e));
  }

  /** A message is to be dissected that begins at `position`; `waited`: with the first of the octets that wait. */
  private begins(position: number, waited: boolean): void {
    this.messageStart = position;
    this.startSeconds = waited ? this.pendingSeconds : this.streams.seconds;
    this.startNanoseconds = waited ? this.pendingNanoseconds : this.streams.nanoseconds;
  }

  private measured(tcp: SegmentLayer, length: number): void {
    if ((this.speaks as StreamProtocol).sized) notesOf(tcp).sizes.push(length);
  }

  private want(parser: StreamParser, have: number): void {
    const need = parser.need ?? 0;
    this.wanted = need > 0 ? have + need : 0;
  }

  /** What came is no message: from the next segment on, look for one. */
  private alien(): void {
    this.lost = true;
    this.parser!.hole?.(undefined);
  }

  /** Where a message may begin. */
  private search(bytes: Uint8Array, start: number, end: number): number {
    if (this.parser!.resync) return this.parser!.resync(bytes, start, end);
    const { recognise } = this.speaks as StreamProtocol;
    return recognise === undefined || recognise(bytes, start, end) ? start : end;
  }

  /** Put octets behind those that wait. A `from` below 0 lists no part. */
  private append(bytes: Uint8Array, start: number, end: number, frame: number, from: number): void {
    const length = this.pendingLength + end - start;
    if (this.pendingLength === 0) {
      this.pendingSeconds = this.streams.seconds;
      this.pendingNanoseconds = this.streams.nanoseconds;
    }
    if (length > this.pending.length) {
      // Grows with what came, twofold, so that each octet is copied a bounded number of times.
      const wanted = this.wanted;
      const bigger = this.streams.take(wanted >= length && wanted <= 2 * length ? wanted : Math.max(2 * length, 512));
      bigger.set(this.pending.subarray(0, this.pendingLength));
      this.streams.giveBack(this.pending);
      this.pending = bigger;
    }
    if (end - start < 64) for (let i = start, to = this.pendingLength; i < end; i++) this.pending[to++] = bytes[i]!;
    else this.pending.set(bytes.subarray(start, end), this.pendingLength);
    this.streams.buffered += end - start;
    this.pendingLength = length;
    if (from >= 0) this.part(frame, from, length, this.differs);
  }

  private part(frame: number, from: number, to: number, conflict: boolean): void {
    const last = this.parts[this.parts.length - 1];
    if (last !== undefined && last.frame === frame && last.to === from && to > from) last.to = to;
    // An octet a segment would make the list larger than the message.
    else if (this.parts.length < MAX_PARTS) this.parts.push({ frame, from, to, conflict });
  }

  /** Forget the octets that wait for their message; layers may still hold them. */
  private drop(): void {
    this.streams.buffered -= this.pendingLength;
    this.streams.giveBack(this.pending);
    this.pending = NOTHING;
    this.pendingLength = 0;
    this.parts = [];
  }

  private tooLarge(): boolean {
    return this.pendingLength > this.streams.limits.message || this.streams.buffered > this.streams.limits.total;
  }

  /** The message under way stays incomplete: show what there is of it. `missing` octets behind it are lost. */
  private cut(frame: Frame, missing: number): void {
    const { parser, pendingLength: length, pending } = this;
    this.lost = true;
    this.skip = 0;
    if (length > 0) {
      let left = 0;
      if (parser?.partial) {
        const octets = pending.subarray(0, length);
        this.begins(this.position - length, true);
        frame.within(octets, 0, length + missing, (f, s, e) => {
          left = parser.partial!(f, s, e);
        });
      } else if (!this.opening) this.rest(frame, 0, length);
      this.opening = false;
      this.drop();
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
    const { wanted, pendingLength } = this;
    // A hole inside a message of known length does not hide where the next one begins.
    this.cut(frame, wanted > 0 ? Math.min(length, wanted - pendingLength) : 0);
    const inside = wanted > 0 ? Math.min(length, wanted - pendingLength) : 0;
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
    const length = (this.held[0]!.sequence - this.next) | 0;
    if (length > 0) this.lose(frame, tcp, length);
    this.join(frame, tcp);
  }

  /** Take the held octets that are next in order, and parse all that wait. */
  private join(frame: Frame, tcp: SegmentLayer): void {
    const { held, streams } = this;
    let taken = 0;
    while (taken < held.length && ((held[taken]!.sequence - this.next) | 0) <= 0) {
      const { sequence, bytes, frame: number, seconds, nanoseconds } = held[taken++]!;
      this.heldOctets -= bytes.length;
      streams.buffered -= bytes.length;
      const old = Math.min((this.next - sequence) | 0, bytes.length);
      const first = this.pendingLength - old;
      const fresh = bytes.length - old;
      if (fresh > 0) {
        this.sink?.octets(this.side, bytes, old, bytes.length, this.position, number, seconds, nanoseconds);
        this.step(fresh);
        const skipped = Math.min(this.skip, fresh);
        this.skip -= skipped;
        if (skipped < fresh)
          this.append(bytes, old + skipped, bytes.length, number, skipped === 0 && first >= 0 ? first : this.pendingLength);
      } else if (first >= 0) this.part(number, first, first + bytes.length, false);
    }
    held.splice(0, taken);
    if (held.length === 0) streams.waiting.delete(this);
    if (this.pendingLength > 0) {
      if (this.parsePending(frame, tcp, false) || this.pendingLength === 0) return;
      notesOf(tcp).segmentData.push([tcp.start + (tcp.bytes[tcp.start + 12]! >> 4) * 4, tcp.end]);
      if (this.tooLarge()) this.cut(frame, 0);
    }
  }

  /** A segment of which only `[start, stop)` of `[start, end)` was captured; the octets up to `stop` are counted already. */
  private truncated(frame: Frame, tcp: SegmentLayer, from: number, start: number, stop: number, end: number): void {
    const missing = end - Math.max(stop, start);
    if (this.pendingLength > 0) {
      const { wanted } = this;
      if (stop > start) this.append(frame.bytes, start, stop, frame.number, from);
      if (!this.parsePending(frame, tcp, false) && this.pendingLength > 0) {
        const inside = wanted > 0 ? Math.max(0, Math.min(missing, wanted - this.pendingLength)) : missing;
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
      if (n === ALIEN || !parser.partial) {
        this.alien();
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
    const { talk, streams } = this;
    if (talk.protocol === undefined) {
      if (talk.tries === 0 && !talk.changed) talk.protocol = this.byPort();
      if (talk.protocol === undefined) {
        for (const protocol of streams.registry.streams)
          if (protocol.recognise!(bytes, start, end)) {
            talk.protocol = protocol;
            break;
          }
      }
      if (talk.protocol === undefined && ++talk.tries >= streams.limits.tries) talk.protocol = null;
    }
    const { protocol } = talk;
    if (protocol === null || protocol === undefined) {
      this.parser = undefined;
      this.speaks = protocol;
      if (protocol === null) this.plain = this.sink === undefined && this.held.length === 0;
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

  /** What stands in the table of TCP ports, the lower port first: it is the server's as a rule. */
  private byPort(): Speaks {
    const { registry } = this.streams;
    const { srcPort, dstPort } = this.side;
    const low = Math.min(srcPort, dstPort);
    const high = srcPort + dstPort - low;
    if (registry.isOrdered(tcpPorts, high) && !registry.isOrdered(tcpPorts, low)) return registry.get(tcpPorts, high);
    return registry.get(tcpPorts, low) ?? registry.get(tcpPorts, high);
  }

  /** Over, with no frame to show anything in: the sink alone gets what is held. */
  abandon(): void {
    const { held, streams } = this;
    if (this.pendingLength > 0 && !this.opening) this.parser?.abandoned?.(this.pendingLength);
    for (const { sequence, bytes, frame, seconds, nanoseconds } of held) {
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
    this.held = [];
    streams.buffered -= this.heldOctets;
    this.heldOctets = 0;
    this.drop();
    streams.waiting.delete(this);
  }
}

/** Octets by which every protocol can be told that has marks to be told by. */
const OPENING = 24;
/** Most parts of one message that are listed. */
const MAX_PARTS = 65_536;

/** The notes of a segment. */
function notesOf(tcp: SegmentLayer): StreamNotes {
  return (tcp.assembly ??= { reassembled: undefined, segmentData: [], sizes: [], conflict: undefined });
}
