/** Which connection of DTLS a datagram belongs to: one a UDP conversation, begun anew by each first Client Hello. */
import type { Frame } from '../core/frame.js';
import type { DtlsTalk } from '../dissectors/dtls.js';
import { TlsConnection } from '../dissectors/tls-connection.js';
import { Udp } from '../dissectors/udp.js';

/** Most connections that are followed; the one that was quiet longest is forgotten first. */
const MAX_CONNECTIONS = 10_000;

export class DtlsConnections {
  private readonly talks = new Map<number, DtlsTalk>();

  /** The connection of the datagram under dissection; a quoted one belongs to none. */
  of(frame: Frame): DtlsTalk | undefined {
    const udp = frame.transport;
    if (!(udp instanceof Udp) || udp.stream < 0 || frame.quoted > 0) return undefined;
    let talk = this.talks.get(udp.stream);
    if (talk === undefined) {
      const { srcPort, dstPort } = udp;
      talk = { connection: new TlsConnection(frame, 'd', srcPort, dstPort), clientPort: Math.max(srcPort, dstPort), clientKnown: false };
      if (this.talks.size >= MAX_CONNECTIONS) this.talks.delete(this.talks.keys().next().value!);
    } else this.talks.delete(udp.stream);
    // A map keeps the order of insertion, so the first is the one that was used longest ago.
    this.talks.set(udp.stream, talk);
    return talk;
  }
}
