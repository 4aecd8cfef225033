/**
 * DNS over QUIC: a question and its answers on a stream of their own, each with its length before it as over TCP.
 *
 * RFC 9250 section 4.2 (the id is 0, as the stream says which question an answer is for); drafts before the third had no
 * length, as there was one message in each direction.
 */
import type { Frame } from '../core/frame.js';
import { u16 } from '../core/octets.js';
import { Dns, dissectDnsMessage } from './dns.js';
import { Gathered } from './gathered.js';
import { isBidirectional, NO_READERS, type QuicApplication, type StreamReader, type StreamReaders } from './quic-streams.js';

/** Most octets of messages that are gathered. */
const MAX_MESSAGE = 2 + 0xffff;

/** One direction of a stream. */
class DoqReader implements StreamReader {
  private gathered: Gathered | undefined = undefined;
  /** Octets are missing: where a message begins is not known. */
  private lost = false;

  constructor(
    private readonly lane: readonly [connection: number, stream: number],
    private readonly prefixed: boolean,
  ) {}

  read(frame: Frame, octets: Uint8Array, final: boolean): void {
    if (this.lost) return;
    let bytes = octets;
    if (this.gathered !== undefined) {
      this.gathered.append(octets, 0, octets.length);
      bytes = this.gathered.octets;
      // Its layers keep the octets.
      this.gathered = undefined;
    }
    let at = 0;
    const { length } = bytes;
    // Each message takes an octet at least.
    while (at < length) {
      const from = at + (this.prefixed ? 2 : 0);
      const to = this.prefixed ? (from <= length ? from + u16(bytes, at) : from + 1) : final ? length : length + 1;
      if (to > length && !final) break;
      if (to > from) this.message(frame, bytes, at, from, to);
      at = to;
    }
    if (at >= length || final) return;
    if (length - at > MAX_MESSAGE) {
      this.lost = true;
      return;
    }
    this.gathered = new Gathered();
    this.gathered.append(bytes, at, length);
  }

  private message(frame: Frame, bytes: Uint8Array, at: number, from: number, to: number): void {
    frame.within(bytes, from, to, (f, start, end) => {
      const dns = new Dns(f, start, end);
      if (this.prefixed) dns.prefixed = u16(bytes, at);
      dns.lane = this.lane;
      dissectDnsMessage(f, dns, start, end);
    });
  }

  hole(): void {
    this.lost = true;
  }

  reset(): void {
    this.lost = true;
  }
}

/** DNS over the QUIC connection with this number. */
export class DnsOverQuic implements QuicApplication {
  constructor(
    private readonly connection: number,
    /** Messages have their length before them. */
    private readonly prefixed: boolean,
  ) {}

  readers(id: number): StreamReaders {
    if (!isBidirectional(id)) return NO_READERS;
    const lane = [this.connection, id] as const;
    return [new DoqReader(lane, this.prefixed), new DoqReader(lane, this.prefixed)];
  }
}
