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
 *     octets were not handed on, and the difference is noted. Octets that wait are compared always; those that were handed
 *     on are remembered only where somebody listens for conflicts (recent.ts), as copying all octets costs a tenth of the
 *     time of reading.
 *
 * All octets that wait are counted, a direction and in all, and bounded.
 */
import type { Frame } from '../core/frame.js';
import { i32 } from '../core/octets.js';
import type { Registry } from '../core/registry.js';
import { Buffers } from './buffers.js';
import type { Pending } from './pending.js';
import {
  LIMITS,
  type OverlapPolicy,
  type SegmentLayer,
  type Side,
  type StreamCounters,
  type StreamLimits,
  type StreamSink,
  type StreamsOptions,
} from './stream-options.js';
import { StreamReader } from './stream-reader.js';

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;

/** All byte streams of a session. */
export class Streams {
  readonly registry: Registry;
  readonly overlap: OverlapPolicy;
  readonly limits: StreamLimits;
  readonly sinkOf: ((side: Side) => StreamSink | undefined) | undefined;
  readonly counters: StreamCounters;
  readonly brief: boolean;
  /** Nobody asks for octets of messages behind those that their parsers tell: they may be left where the capture is read. */
  readonly lends: boolean;
  /** The octets that frames of the capture stand in, where they are lent, and the same under another name: layers in them are of earlier frames. */
  window: Uint8Array | undefined = undefined;
  view: Uint8Array = new Uint8Array(0);
  /** Who may have borrowed some of them. */
  private readonly borrowers: Pending[] = [];
  /** Octets that wait. */
  buffered = 0;
  readonly buffers = new Buffers();
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
    this.brief = options.brief === true && options.sink === undefined;
    this.lends = options.lends === true;
    this.counters = options.counters ?? { holes: 0, missing: 0, unread: 0, conflicts: 0 };
  }

  /** Octets of the {@link window} stay there for `pending`, until {@link gather}. */
  borrows(pending: Pending): void {
    if (pending.isListed) return;
    pending.isListed = true;
    this.borrowers.push(pending);
  }

  /** Copy what is borrowed: where the capture is read will be written over. */
  gather(): void {
    for (let pending = this.borrowers.pop(); pending !== undefined; pending = this.borrowers.pop()) {
      pending.isListed = false;
      pending.gather();
    }
  }

  /** The capture is read to other octets than before. */
  private moveTo(window: Uint8Array): void {
    this.gather();
    this.window = window;
    this.view = window.subarray();
  }

  /** A segment with its payload `[start, end)` of `frame.bytes`; at least 20 octets of `tcp` were captured. */
  segment(frame: Frame, tcp: SegmentLayer, side: Side, start: number, end: number): void {
    const { bytes: b, start: at } = tcp;
    this.buffers.renew(frame.number);
    this.seconds = frame.seconds;
    this.nanoseconds = frame.nanoseconds;
    if (this.lends && frame.own !== this.window) this.moveTo(frame.own);
    const flags = b[at + 13]!;
    const acknowledgment = i32(b, at + 8);
    if (flags & ACK) (side.peer.reader as StreamReader | undefined)?.acknowledge(acknowledgment);
    // What only few segments need is apart, where its first use is no surprise to what the engine made for the others.
    if (flags & (SYN | FIN | RST)) return this.edge(frame, tcp, side, start, end, flags);
    if (start < end) this.data(frame, tcp, side, i32(b, at + 4), start, end, flags);
  }

  /** A segment that opens or closes its direction. */
  private edge(frame: Frame, tcp: SegmentLayer, side: Side, start: number, end: number, flags: number): void {
    const { bytes: b, start: at } = tcp;
    const reader = side.reader as StreamReader | undefined;
    // What a reset carries is a reason in words (RFC 9293 section 3.5.2), no part of the stream.
    if (flags & RST) {
      reader?.reset(frame, tcp);
      return;
    }
    const sequence = flags & SYN ? (i32(b, at + 4) + 1) | 0 : i32(b, at + 4);
    if (start < end) this.data(frame, tcp, side, sequence, start, end, flags);
    // Who follows a direction wants to know what was not captured of it, though it be all.
    else if (flags & FIN && reader === undefined && side.baseKnown && this.sinkOf?.(side) !== undefined)
      side.reader = new StreamReader(this, side, (side.base + 1) | 0);
    if (flags & FIN) (side.reader as StreamReader | undefined)?.close(frame, tcp, (sequence + Math.max(0, end - start)) | 0);
  }

  /** Octets `[start, end)`, the first of which has the number `sequence`. */
  private data(frame: Frame, tcp: SegmentLayer, side: Side, sequence: number, start: number, end: number, flags: number): void {
    const reader = (side.reader ?? this.begin(side, sequence)) as StreamReader;
    if (reader.plain) {
      const beyond = ((sequence - reader.next) | 0) + (end - start);
      if (beyond > 0) reader.next = (reader.next + beyond) | 0;
      frame.data(start, end);
      return;
    }
    if (flags & ACK) reader.messages.acknowledgment = i32(tcp.bytes, tcp.start + 8);
    reader.receive(frame, tcp, sequence, start, end);
  }

  /** The first data of a direction. */
  private begin(side: Side, sequence: number): StreamReader {
    const next = side.baseKnown && side.conversation.opener !== undefined ? (side.base + 1) | 0 : sequence;
    const reader = new StreamReader(this, side, next);
    side.reader = reader;
    return reader;
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
