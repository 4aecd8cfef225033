/** What the parts of TCP ask of a layer, and what they know of it beyond its octets. */
import type { Layer } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import type { TcpFacts } from './tcp-facts.js';
import type { StreamNotes } from './tcp-stream.js';

/** Octets of a header without options. */
export const FIXED_LENGTH = 20;

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;
export const URG = 0x20;

/** A TCP layer as its rows see it. */
export interface TcpLayer extends Layer {
  readonly direction: TcpDirection | undefined;
  readonly facts: TcpFacts | undefined;
  readonly partial: boolean;
  readonly assembly: StreamNotes | undefined;
}

/** One direction of a conversation as the analysis keeps it (analysis/conversations.ts), seen from its segments. */
export interface TcpDirection {
  readonly conversation: {
    readonly number: number;
    readonly startSeconds: number;
    readonly startNanoseconds: number;
    /** Nanoseconds; 0 while not known. */
    readonly initialRtt: number;
    readonly initialRttFrame: number;
  };
  readonly peer: TcpDirection;
  /** The sequence number shown as 0. */
  readonly base: number;
  readonly baseKnown: boolean;
}

/** Octets of header, options included, as it says itself. */
export const headerLength = (l: Layer) => (l.bytes[l.start + 12]! >> 4) * 4;

/** True when the analysis put one of these marks on it (tcp-facts.ts). */
export const marked = (l: TcpLayer, mark: number): boolean => l.facts !== undefined && (l.facts.marks & mark) !== 0;

/** The flags octet when it was captured, else 0. */
export const flagsOf = (l: Layer): number => (l.start + 14 <= l.captured ? l.bytes[l.start + 13]! : 0);

/** Nothing beyond the length is said of a header shorter than the shortest. */
export const whole = (l: Layer): boolean => headerLength(l) >= FIXED_LENGTH;

/** Octets of payload; below 0 where nothing tells, or the header claims more than the segment has. */
export const lengthOf = (l: TcpLayer): number => (l.facts === undefined ? l.end - l.start - headerLength(l) : l.facts.length);

/** True when a datagram says how many octets of payload there are. */
export const measured = (l: TcpLayer): boolean => !l.partial && l.start + 13 <= l.captured && lengthOf(l) >= 0;

/** Octets of payload, or undefined when no datagram says how many there are. */
export const payloadLength = (l: TcpLayer): number | undefined => (measured(l) ? lengthOf(l) : undefined);

/** The window in octets, where the scale is known. */
export function scaledWindow(l: TcpLayer): number {
  const { facts } = l;
  return facts === undefined ? u16(l.bytes, l.start + 14) : facts.window;
}

/** Numbers of a segment that the analysis has seen, and whose header is whole. */
export const numbersOf = {
  length: (l: TcpLayer): number => l.facts!.length,
  sequence: (l: TcpLayer): number => l.facts!.sequence,
  acknowledgment: (l: TcpLayer): number => l.facts!.acknowledgment,
  window: (l: TcpLayer): number => l.facts!.window,
};
