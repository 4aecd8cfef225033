/** A TCP conversation for tests: segments with payload, and what netlens makes of each. */
import { CaptureRecord } from '../../src/capture/source.js';
import type { Frame } from '../../src/core/frame.js';
import type { Session } from '../../src/core/session.js';
import type { StreamContext } from '../../src/core/stream.js';
import { type AnalysisOptions, createSession } from '../../src/frames.js';
import { RAW_IP, segment } from '../analysis/segments.js';

export const octets = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** The first message of a side, for parsers that are asked without a conversation. */
export const alone = (fromClient: boolean, srcPort = 1, dstPort = 2): StreamContext => ({
  fromClient,
  peer: undefined,
  shared: undefined,
  messageStart: 0,
  startSeconds: 0,
  startNanoseconds: 0,
  received: 0,
  srcPort,
  dstPort,
  become: () => {},
});

/** Client 192.0.2.1:40000, server 192.0.2.2 at `port`; sequence numbers of data count from 1 on both sides. */
export class Talk {
  readonly session: Session;
  /** Time of the next segment. */
  seconds = 0;
  /** Where a segment's octets are put before they are dissected; absent: in octets of its own. */
  place: ((packet: Uint8Array) => { readonly bytes: Uint8Array; readonly start: number }) | undefined = undefined;

  constructor(
    private readonly port: number,
    options: AnalysisOptions = {},
    /** Initial sequence numbers of both sides. */
    private readonly initial = 1000,
  ) {
    this.session = createSession(options);
  }

  /** The three segments that open the connection. */
  open(): this {
    this.send('S', 'client', -1, '');
    this.send('SA', 'server', -1, '', 0);
    this.send('A', 'client', 0, '', 0);
    return this;
  }

  /**
   * One segment: flags, sender, position of its first octet in the sender's stream, payload, and how much of the other
   * stream it acknowledges. `captured` octets of the payload are in the capture.
   */
  send(
    flags: string,
    from: 'client' | 'server',
    position: number,
    payload: string | Uint8Array,
    acknowledges?: number,
    captured?: number,
  ): Frame {
    const ends = [`192.0.2.1:40000`, `192.0.2.2:${this.port}`];
    if (from === 'server') ends.reverse();
    const sequence = (this.initial + 1 + position) >>> 0;
    const ack = acknowledges === undefined ? 0 : (this.initial + 1 + acknowledges) >>> 0;
    const data = typeof payload === 'string' ? octets(payload) : payload;
    const packet = segment(`${ends[0]} > ${ends[1]} ${flags} seq=${sequence} ack=${ack} len=${data.length}`);
    packet.set(data, packet.length - data.length);
    const record = new CaptureRecord();
    const { bytes, start } = this.place?.(packet) ?? { bytes: packet, start: 0 };
    record.bytes = bytes;
    record.start = start;
    record.captured = start + packet.length - (captured === undefined ? 0 : data.length - captured);
    record.wireLength = packet.length;
    record.seconds = this.seconds++;
    record.interface = RAW_IP;
    const frame = this.session.dissect(record);
    if (frame.fault) throw frame.fault;
    return frame;
  }

  /** The client's octets from `position` on. */
  client(position: number, payload: string | Uint8Array, acknowledges = 0, captured?: number): Frame {
    return this.send('PA', 'client', position, payload, acknowledges, captured);
  }

  /** The server's. */
  server(position: number, payload: string | Uint8Array, acknowledges = 0, captured?: number): Frame {
    return this.send('PA', 'server', position, payload, acknowledges, captured);
  }

  /** The server acknowledges what the client sent up to `position`. */
  serverAcknowledges(position: number): Frame {
    return this.send('A', 'server', 0, '', position);
  }
}
