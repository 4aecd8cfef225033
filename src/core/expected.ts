/**
 * Datagrams that an earlier one announced: answers that come from or to a port which no table knows, as TFTP's do, and the rest
 * of UDP streams whose protocol is told by their first datagram alone, as QUIC's is.
 */
import type { Dissect } from './registry.js';

/** Ends that are expected to talk at once; beyond it the oldest is given up. */
const MOST = 16_384;

/** What is to come to or from an address and port, of either side, in a session. */
export class Expected {
  private readonly ends = new Map<string, Dissect>();

  /** What `address` receives at `port` or sends from it is dissected so. Said again, it is as new. */
  add(address: string, port: number, dissect: Dissect): void {
    const key = `${port} ${address}`;
    this.ends.delete(key);
    if (this.ends.size >= MOST) this.ends.delete(this.ends.keys().next().value!);
    this.ends.set(key, dissect);
  }

  private readonly streams = new Map<number, Dissect>();

  /** The UDP stream with this number is dissected so from now on. */
  claim(stream: number, dissect: Dissect): void {
    if (this.streams.has(stream)) return;
    if (this.streams.size >= MOST) this.streams.delete(this.streams.keys().next().value!);
    this.streams.set(stream, dissect);
  }

  /** How to dissect a UDP stream that was claimed. */
  claimed(stream: number): Dissect | undefined {
    return this.streams.size === 0 ? undefined : this.streams.get(stream);
  }

  /** False when nothing is expected, as in almost all captures: then no address needs to be made into text. */
  get any(): boolean {
    return this.ends.size > 0;
  }

  /** How to dissect what goes from one end to the other. */
  find(source: string, srcPort: number, destination: string, dstPort: number): Dissect | undefined {
    return this.ends.get(`${dstPort} ${destination}`) ?? this.ends.get(`${srcPort} ${source}`);
  }
}
