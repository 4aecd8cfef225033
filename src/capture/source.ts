/**
 * Where frames come from: one contract for files, pipes and interfaces.
 *
 *     const record = new CaptureRecord();
 *     do {
 *       while (reader.next(record)) use(record);
 *     } while (await reader.fill());
 *
 * One `await` a chunk, never a packet. The octets that a record points into are valid until the next `fill()`.
 */

/** One captured frame as it stands in the source: where its octets are, when it came, how long it was. */
export class CaptureRecord {
  /** The chunk that holds the octets; shared by many records, reused by `fill()`. */
  bytes: Uint8Array = EMPTY;
  /** First octet of the frame in {@link bytes}. */
  start = 0;
  /** One past the last octet that was captured. */
  captured = 0;
  /** Octets the frame had on the wire. */
  wireLength = 0;
  /** Whole seconds since 1970-01-01 UTC; may be negative in broken captures. */
  seconds = 0;
  /** Nanoseconds after {@link seconds}, 0 to 999 999 999. */
  nanoseconds = 0;
  /** False where the source gives no time (pcapng Simple Packet Block: both are 0; Custom Block: both are of no meaning). */
  hasTime = true;
  /** The interface it came in on; one object an interface, so that it can be compared by identity. */
  interface: CaptureInterface = NO_INTERFACE;
  /** Facts that few frames have; `undefined` for almost all. */
  notes: RecordNotes | undefined = undefined;
}

/** An interface (pcapng IDB) or, for formats that know none, the whole file. */
export interface CaptureInterface {
  /** Number within its section, as `frame.interface_id`; `undefined` where the format has no interfaces. */
  readonly id: number | undefined;
  /** LINKTYPE_ value of the pcap registry, e.g. 1 for Ethernet; -1 for octets that are no packet (pcapng Custom Block). */
  readonly linkType: number;
  /** Most octets kept of a frame; 0 means no limit was stated. */
  readonly snapLength: number;
  readonly name: string | undefined;
  readonly description: string | undefined;
  /** Number of the section it belongs to, from 1; `undefined` where the format has no sections. */
  readonly section: number | undefined;
  /** Octets of frame check sequence that end each frame (pcapng if_fcslen, or the pcap header's FCS bits); `undefined` when not stated. */
  readonly fcsLength: number | undefined;
  /** Octets before the link layer that the format itself adds, e.g. an ERF or pseudo header; usually 0. */
  readonly pseudoHeader?: number;
}

/** What a pcapng packet block, or another rich format, says beyond octets and time. */
export interface RecordNotes {
  /** opt_comment, in order. */
  readonly comments?: readonly string[];
  /** epb_flags; bits 0-1 are the direction: 1 inbound, 2 outbound. */
  readonly flags?: number;
  /** epb_dropcount: packets lost between this one and the one before. */
  readonly dropCount?: bigint;
  readonly packetId?: bigint;
  readonly queue?: number;
  /** The source gives no time for it. Said here also, so that what is kept of every frame need not say it. */
  readonly timeless?: true;
}

/** The notes of a record without a time. */
export const TIMELESS: RecordNotes = { timeless: true };

/** A running source of records. */
export interface CaptureReader {
  /** Put the next whole record into `record`; false when more octets are needed. */
  next(record: CaptureRecord): boolean;
  /** Wait for more octets; false at the end of the source. */
  fill(): Promise<boolean>;
  /**
   * Hold in `octets` what is read from now on, as far as it fits in: whoever shows frames may have octets that it reads most
   * quickly from. What was found before is not to be looked at any more.
   */
  holdIn?(octets: Uint8Array): void;
  /** Stop early and let go of files and devices. */
  close(): Promise<void>;
  /** What is wrong with the source so far, in the user's words, e.g. that it ends in mid-record. */
  readonly problems: readonly CaptureProblem[];
  /** All interfaces seen so far. */
  readonly interfaces: readonly CaptureInterface[];
  /** The name of the format: `pcap`, `pcapng`, `snoop`. */
  readonly format: string;
  /** Secrets that came with the capture (pcapng Decryption Secrets Blocks), such as TLS key logs. */
  readonly secrets: readonly Secrets[];
  /** Names that came with the capture (pcapng Name Resolution Blocks). */
  readonly names: readonly NameRecord[];
  /** What the capturing program counted (pcapng Interface Statistics Blocks). */
  readonly statistics: readonly InterfaceStatistics[];
}

/** Keys to decrypt the capture with, as they stand in it. */
export interface Secrets {
  /** Secrets type of the pcapng registry, e.g. 0x544c534b for a TLS key log. */
  readonly type: number;
  readonly data: Uint8Array;
}

/** An address and what it is called. */
export interface NameRecord {
  /** IPv4 as dotted text, IPv6 as eight groups in hex, an EUI as octets in hex joined by `:`. */
  readonly address: string;
  readonly names: readonly string[];
}

/** Counters of one interface over the whole capture; `undefined` where the capturing program did not say. */
export interface InterfaceStatistics {
  readonly interface: CaptureInterface;
  /** Frames received by the interface. */
  readonly received: bigint | undefined;
  /** Frames dropped by the interface for want of room. */
  readonly dropped: bigint | undefined;
  /** Frames accepted by the filter. */
  readonly accepted: bigint | undefined;
  /** Frames dropped by the operating system. */
  readonly droppedBySystem: bigint | undefined;
}

/** Something wrong that did not stop the reading of what came before it. */
export interface CaptureProblem {
  /** `cut-short`: the source ends in mid-record. `damaged`: a record cannot be true, reading stopped there. */
  readonly code: 'cut-short' | 'damaged';
  readonly message: string;
  /** Octet of the (uncompressed) source. */
  readonly offset: number;
}

const EMPTY = new Uint8Array(0);
const NO_INTERFACE: CaptureInterface = {
  id: undefined,
  linkType: -1,
  snapLength: 0,
  name: undefined,
  description: undefined,
  section: undefined,
  fcsLength: undefined,
};
