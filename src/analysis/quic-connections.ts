/** Which connections of QUIC go on between two UDP ends. */
import type { Frame } from '../core/frame.js';
import { QuicTalk, type QuicWorld } from '../dissectors/quic-connection.js';
import { KnownIds } from '../dissectors/quic-ids.js';
import { Held } from '../dissectors/quic-streams.js';
import { Udp } from '../dissectors/udp.js';

/** Most pairs of ends that are followed; the one that was quiet longest is forgotten first. */
const MAX_TALKS = 10_000;

export class QuicConnections implements QuicWorld {
  readonly ids = new KnownIds();
  readonly held = new Held();
  private readonly talks = new Map<number, QuicTalk>();
  private count = 0;

  next(): number {
    return this.count++;
  }

  /** Is the UDP payload `[start, end)`, which has a short header, for an end of a connection that was seen? */
  knows(bytes: Uint8Array, start: number, end: number): boolean {
    return this.ids.find(bytes, start + 1, end) !== undefined;
  }

  /** What goes on between the ends of the datagram under dissection; a quoted one belongs to none. */
  of(frame: Frame): QuicTalk | undefined {
    const udp = frame.transport;
    if (!(udp instanceof Udp) || udp.stream < 0 || frame.quoted > 0) return undefined;
    let talk = this.talks.get(udp.stream);
    if (talk === undefined) {
      talk = new QuicTalk(this);
      if (this.talks.size >= MAX_TALKS) this.forgetOldest();
    } else this.talks.delete(udp.stream);
    // A map keeps the order of insertion, so the first is the one that was used longest ago.
    this.talks.set(udp.stream, talk);
    return talk;
  }

  private forgetOldest(): void {
    const [stream, talk] = this.talks.entries().next().value!;
    talk.forget();
    this.talks.delete(stream);
  }
}
