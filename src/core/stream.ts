/** Protocols over byte streams: what the reassembler and a protocol's parser say to each other. */
import type { Frame } from './frame.js';

/** {@link StreamParser.measure}: not whole yet, more octets are needed. */
export const MORE = 0;
/** {@link StreamParser.measure}: these octets are no message of the protocol. */
export const ALIEN = -1;

/** What a parser may know of the conversation it reads one direction of. */
export interface StreamContext {
  /** The parser of the other direction, once there is one. */
  readonly peer: StreamParser | undefined;
  /** True in the direction of the side that opened the connection, as far as is known. */
  readonly fromClient: boolean;
  /** State that both directions share; the protocol decides what it is. */
  shared: unknown;
  /** Where the message under dissection begins, in octets from the start of its stream; holes count. */
  readonly messageStart: number;
  /** Time of the segment that made its first octet readable: that brought it, or filled the hole before it. */
  readonly startSeconds: number;
  readonly startNanoseconds: number;
  /** Octets of the other direction that its sender had acknowledged by then: answers before them are no answers to it. */
  readonly received: number;
  /** Port numbers of sender and receiver. */
  readonly srcPort: number;
  readonly dstPort: number;
  /** The server's port behind the proxy that the connection goes through, once one was asked for. */
  readonly tunnelPort?: number | undefined;
  /** Only lines are shown of frames (`SessionOptions.brief`). */
  readonly brief?: boolean;
  /**
   * From the next octet on, both directions speak another protocol (HTTP after an upgrade or CONNECT); undefined: what it
   * is has to be recognised. Takes effect when {@link StreamParser.dissect} returns; the other direction changes at its
   * next message. `shared` is what the new protocol's parsers find in {@link shared}: what was agreed on before;
   * `tunnelPort` what they find under that name.
   */
  become(protocol: StreamProtocol | undefined, shared?: unknown, tunnelPort?: number): void;
}

/** Reads one direction of a conversation, message by message. */
export interface StreamParser {
  /**
   * How long the message at `start` is, when it ends at or before `end`; {@link MORE}, or {@link ALIEN}. Called again
   * with the same first octet and a later end as octets come in, so a parser remembers how far it has looked and each
   * octet is read once. `start` may move between calls (the octets were copied), `end - start` never shrinks before a
   * message was taken. With `final` no more will come.
   */
  measure(bytes: Uint8Array, start: number, end: number, final: boolean): number;
  /**
   * After {@link MORE}: how many octets beyond `end` the message needs at least. 0 or absent: unknown, ask again with the
   * next segment; Infinity: all until the sender closes.
   */
  readonly need?: number;
  /**
   * With {@link need}: octets of the message, from its start, that {@link measure} looks at, and all that looks at its layers
   * where nobody asks for octets: lines if they are shown alone ({@link StreamContext.brief}), else also their JSON. Those
   * behind them, as far as is needed, are not put in a row then: there is no telling what stands there.
   */
  readonly told?: number;
  /** Turn the whole message `[start, end)` of `frame.bytes` into layers. The parser begins a new message afterwards. */
  dissect(frame: Frame, start: number, end: number): void;
  /**
   * The rest of the message `[start, end)` of `frame.bytes` will not come (lost, cut off by the snapshot length) or is
   * too much to hold: turn into layers what is there, and say how many octets of the message follow `end`; 0 when that
   * is not known, Infinity when all that follows belongs to it. `frame.captured` may be before `end`.
   */
  partial?(frame: Frame, start: number, end: number): number;
  /** The conversation is over, with `length` octets of a message under way, and no frame to show it in. */
  abandoned?(length: number): void;
  /** Octets are missing: forget the message under way. `length` is undefined when it is not known how many. */
  hole?(length: number | undefined): void;
  /** What {@link measure} called {@link ALIEN} is of no other protocol either; what follows is told by {@link resync}. Absent: as {@link hole}. */
  alien?(): void;
  /** After a hole: where in `[start, end)` a message may begin; `end` when nowhere. Absent: at the start of a segment, if {@link StreamProtocol.recognise} agrees. */
  resync?(bytes: Uint8Array, start: number, end: number): number;
}

/** A protocol spoken over byte streams. */
export interface StreamProtocol {
  readonly name: string;
  /** A parser for one direction. */
  parser(context: StreamContext): StreamParser;
  /** Does a stream whose first octets are these speak it? Cheap and strict. */
  recognise?(bytes: Uint8Array, start: number, end: number): boolean;
  /** Its messages say how long they are; Wireshark then prints `tcp.pdu.size` for each. */
  readonly sized?: boolean;
}
