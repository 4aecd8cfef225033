/** What the reassembler of byte streams is asked, and what it tells: sides, limits, sinks, counters. */
import type { Layer } from '../core/layer.js';
import type { Registry } from '../core/registry.js';
import type { StreamNotes } from '../dissectors/tcp-stream.js';

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

/** Limits that bound the memory of any capture. */
export const LIMITS: StreamLimits = { message: 32 << 20, held: 4 << 20, total: 256 << 20, holeSeconds: 60, tries: 32 };

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
  /** Octets that came again and differ from the first version. With it, the direction's last 64 KiB are remembered to be compared. */
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
  /** Only lines are shown of frames (`SessionOptions.brief`): what they do not tell is counted instead of held. Default false. */
  readonly brief?: boolean;
  /** Octets of messages may be borrowed from the frames' own until {@link Streams.gather} (`AnalysisOptions.lends`). Default false. */
  readonly lends?: boolean;
}

/** What happened to octets that could not be used in the ordinary way. */
export interface StreamCounters {
  /** Holes given up, and the octets missing in them. */
  holes: number;
  missing: number;
  /** Octets that were not gathered because a message was larger than allowed, or there was no room in all. */
  unread: number;
  /** Segments that repeat octets in another version; of a brief session, where those octets are held. */
  conflicts: number;
}
