/**
 * A TCP header as the analysis sees it: numbers and places in octets, wherever they come from. Dissected layers fill one
 * ({@link Segment.ofLayers}) and so does the road for plain packets (plain-road.ts), so that there is one analysis for both.
 */
import type { Frame } from '../core/frame.js';
import type { Layer } from '../core/layer.js';
import { i32, u16 } from '../core/octets.js';
import { FIXED_LENGTH } from '../dissectors/tcp-header.js';
import { NOPS_AND_TIMESTAMPS, WITH_TIMESTAMPS } from '../dissectors/tcp-option-kinds.js';

/** One object serves all segments of a session, filled anew for each. */
export class Segment {
  /** Of the frame: from 1, and its time. */
  number = 0;
  seconds = 0;
  nanoseconds = 0;

  /** Where the header stands, and one past the last octet that was captured; 16 octets of it at least. */
  bytes: Uint8Array = NOTHING;
  start = 0;
  captured = 0;
  /** Octets of header, as it claims. */
  header = 0;
  flags = 0;
  /**
   * All of the header was captured, and it says nothing but what nearly all do: ACK, with PSH and FIN or without, nothing
   * urgent, nothing reserved, no options but time stamps.
   */
  isPlain = false;
  /** Signed 32-bit integers. */
  sequence = 0;
  ack = 0;
  window = 0;
  /**
   * Octets of payload, also those that were not captured; -1 when nobody says how many: quoted in an ICMP error, an
   * incomplete datagram, or a header that its datagram has no room for. Such a segment cannot be analysed.
   */
  length = -1;
  /** IP identification (high half; 0 where there is none) and TCP checksum. */
  identity = 0;

  /** Version of the IP header in front, and where it stands; 0 when there is none. */
  version = 0;
  ipBytes: Uint8Array = NOTHING;
  ipStart = 0;

  /** True when {@link length} is known. */
  get sized(): boolean {
    return this.length >= 0;
  }

  /** The header at `start`, of which 16 octets were captured; `end` is where its datagram ends, negative when nobody says. */
  read(bytes: Uint8Array, start: number, captured: number, end: number, identification: number): void {
    this.bytes = bytes;
    this.start = start;
    this.captured = captured;
    this.sequence = i32(bytes, start + 4);
    this.ack = i32(bytes, start + 8);
    const word = u16(bytes, start + 12);
    const header = (word >> 12) * 4;
    this.header = header;
    this.flags = word & 0xff;
    this.window = u16(bytes, start + 14);
    this.length = end - start >= header ? end - start - header : -1;
    this.identity = (identification << 16) | (start + 18 <= captured ? u16(bytes, start + 16) : 0);
    this.isPlain =
      (word & NOT_PLAIN) === ACK &&
      start + header <= captured &&
      (header === FIXED_LENGTH || (header === WITH_TIMESTAMPS && i32(bytes, start + FIXED_LENGTH) === NOPS_AND_TIMESTAMPS)) &&
      u16(bytes, start + 18) === 0;
  }

  /** A dissected header; `sized` when the end of its layer is that of the segment. */
  ofLayers(frame: Frame, tcp: Layer, sized: boolean): this {
    this.number = frame.number;
    this.seconds = frame.seconds;
    this.nanoseconds = frame.nanoseconds;
    const ip = frame.addressing as unknown as Layer | undefined;
    const name = ip === undefined ? '' : ip.protocol.name;
    this.version = name === 'ip' ? 4 : name === 'ipv6' ? 6 : 0;
    this.ipBytes = this.version === 0 ? NOTHING : ip!.bytes;
    this.ipStart = this.version === 0 ? 0 : ip!.start;
    this.read(tcp.bytes, tcp.start, tcp.captured, sized ? tcp.end : -1, this.version === 4 ? u16(this.ipBytes, this.ipStart + 4) : 0);
    return this;
  }
}

const NOTHING = new Uint8Array(0);

const ACK = 0x10;
/** Bits beside the length of a header, but for PSH and FIN. */
const NOT_PLAIN = 0x0ff6;
