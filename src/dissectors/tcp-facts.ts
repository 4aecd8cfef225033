/**
 * What is known of one TCP segment beyond its own octets. The dissector declares the fields that show it, the analysis
 * (analysis/tcp.ts) fills it in, one object a segment: plain numbers, so that a packet costs no texts and no bigints.
 */
import type { Nanoseconds } from '../core/time.js';

/** {@link TcpFacts.marks}: Wireshark's analysis flags. */
export const RETRANSMISSION = 1 << 0;
export const FAST_RETRANSMISSION = 1 << 1;
export const SPURIOUS_RETRANSMISSION = 1 << 2;
export const OUT_OF_ORDER = 1 << 3;
export const LOST_SEGMENT = 1 << 4;
export const ACK_LOST_SEGMENT = 1 << 5;
export const DUPLICATE_ACK = 1 << 6;
export const KEEP_ALIVE = 1 << 7;
export const KEEP_ALIVE_ACK = 1 << 8;
export const ZERO_WINDOW = 1 << 9;
export const ZERO_WINDOW_PROBE = 1 << 10;
export const ZERO_WINDOW_PROBE_ACK = 1 << 11;
export const WINDOW_UPDATE = 1 << 12;
export const WINDOW_FULL = 1 << 13;
export const REUSED_PORTS = 1 << 14;
/** Every flag that counts for tcp.analysis.flags. */
export const ANALYSIS_FLAGS = (1 << 15) - 1;

/** There is something to show under tcp.analysis. */
export const RECORD = 1 << 15;
export const FAST_OPEN_SYN = 1 << 18;
export const FAST_OPEN_ACK = 1 << 19;
export const FAST_OPEN_IGNORED = 1 << 20;
/** The three ECN bits are a counter (Accurate ECN). */
export const ACCURATE_ECN = 1 << 21;
export const FIN_ACTIVE = 1 << 22;
export const FIN_PASSIVE = 1 << 23;
/** The options could not be read to their end: what comes after them is not shown, as Wireshark does. */
export const BROKEN_OPTIONS = 1 << 24;
export const MULTIPATH = 1 << 25;

/** How a segment came to repeat octets that were sent before. The first six are retransmissions as the sender's kernel counts them. */
export type RepeatKind = 'timeout' | 'fast' | 'sack' | 'tlp' | 'spurious' | 'syn' | 'keep-alive' | 'window-probe' | 'duplicate-capture';

/** What netlens makes of a segment, with its evidence; few segments have one. */
export interface TcpVerdict {
  /** The segment repeats octets, SYN or FIN that were sent before, or fills a hole that their loss left. */
  readonly repeat?: {
    readonly kind: RepeatKind;
    /** The frame that carried them last; 0 when none was captured. */
    readonly of: number;
    /** The frame that carried them first; 0 when none was captured. */
    readonly first: number;
    /** Since {@link of}; since the hole was noticed when {@link of} is 0. */
    readonly after: Nanoseconds;
    /** For timeouts: which one in a row, from 1. */
    readonly timeout: number;
    readonly evidence: string;
  };
  /** The segment came after one that it should have come before, by this much. */
  readonly late?: Nanoseconds;
  /** The frame it should have come before. */
  readonly overtakenBy?: number;
  /** What shows that it was overtaken and not sent again. */
  readonly lateEvidence?: string;
  /** Octets before it that were not seen. */
  readonly missing?: number;
  /** It acknowledges nothing new while data is outstanding: which one in a row, and the frame of the first such ACK. */
  readonly duplicateAck?: number;
  readonly duplicateOf?: number;
  /** It completes the handshake, which took this long since the last SYN. */
  readonly handshake?: Nanoseconds;
  /** It shows that an earlier retransmission was not needed. */
  readonly needless?: number;
  readonly needlessEvidence?: string;
  /** What a reset answers, or that a connection was refused. */
  readonly note?: string;
}

/** Facts about one segment; sequence numbers as signed 32-bit integers relative to the start of their stream. */
export class TcpFacts {
  /** Octets of payload, also those that were not captured; -1 when not known. */
  length = -1;
  sequence = 0;
  acknowledgment = 0;
  /** Shift of the window: -1 not known, -2 not used. */
  scale = -1;
  /** The window, in octets where the shift is known. */
  window = 0;
  /** The header says nothing but what nearly all do (analysis/tcp-segment.ts). */
  isPlain = false;
  completeness = 0;
  /** Time of the previous segment of the conversation. */
  previousSeconds = 0;
  previousNanoseconds = 0;
  /** Nanoseconds since then, and since the first segment of the conversation, as precise as a number is. */
  sincePrevious = Number.NaN;
  sinceStart = Number.NaN;
  /** The bits above. */
  marks = 0;
  acksFrame = 0;
  /** Time of the segment that is acknowledged. */
  acksSeconds = 0;
  acksNanoseconds = 0;
  /** Nanoseconds since then, as precise as a number is. */
  sinceAcked = Number.NaN;
  bytesInFlight = 0;
  pushBytes = 0;
  /** The frame from which tcp.analysis.rto counts, or that a duplicate ACK repeats; 0 for none. */
  reference = 0;
  duplicateAckNumber = 0;
  /** `tcp.analysis.rto`. */
  timeout: Nanoseconds = 0;
  verdict: TcpVerdict | undefined = undefined;

  /** Nothing is found out yet: to be used again for another segment, of which all that stands before {@link marks} is set anew. */
  clear(): void {
    this.marks = this.acksFrame = this.acksSeconds = this.acksNanoseconds = this.bytesInFlight = this.pushBytes = 0;
    this.reference = this.duplicateAckNumber = 0;
    this.sinceAcked = Number.NaN;
    this.timeout = 0;
    this.verdict = undefined;
  }
}
