/** Identifiers of QUIC connections (RFC 9000 section 5.1): each side chooses those that the other sends to. */
import { hexOf } from '../core/octets.js';
import type { QuicConnection } from './quic-connection.js';

/** Most identifiers of a side that are kept; the oldest are retired first, as a rule. */
const MAX_IDS = 32;
/** Most identifiers of all connections that packets from new addresses are looked up by. */
const MAX_KNOWN = 1 << 16;
/** Shorter ones say too little about a packet from an address that is not known. */
const MIN_KNOWN = 4;
/** Longest identifier (RFC 9000 section 17.2). */
export const MAX_ID = 20;

/** An end of a connection: packets that go to its identifiers are for it. */
interface End {
  readonly connection: QuicConnection;
  readonly side: 0 | 1;
}

/** The identifiers of all connections. */
export class KnownIds {
  private readonly ends = new Map<string, End>();
  /** How many there are of each length. */
  private readonly lengths = new Uint32Array(MAX_ID + 1);

  add(id: string, connection: QuicConnection, side: 0 | 1): void {
    if (id.length < 2 * MIN_KNOWN || this.ends.has(id)) return;
    if (this.ends.size >= MAX_KNOWN) this.remove(this.ends.keys().next().value!);
    this.ends.set(id, { connection, side });
    this.lengths[id.length / 2]!++;
  }

  /** `id` is no longer `connection`'s. */
  remove(id: string, connection?: QuicConnection): void {
    if (connection !== undefined && this.ends.get(id)?.connection !== connection) return;
    if (this.ends.delete(id)) this.lengths[id.length / 2]!--;
  }

  /** Whom the octets at `at` name, of those before `end`: the longest identifier that is known. */
  find(b: Uint8Array, at: number, end: number): End | undefined {
    if (this.ends.size === 0) return undefined;
    for (let length = MAX_ID; length >= MIN_KNOWN; length--) {
      if (this.lengths[length] === 0 || at + length > end) continue;
      const found = this.ends.get(hexOf(b, at, at + length));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** Identifiers that a side chose for itself. */
export class Ids {
  private readonly known = new Set<string>();
  /** Their lengths, each once. */
  readonly lengths: number[] = [];

  constructor(
    private readonly all: KnownIds,
    private readonly connection: QuicConnection,
    private readonly side: 0 | 1,
  ) {}

  add(octets: Uint8Array): void {
    if (octets.length > MAX_ID) return;
    const id = hexOf(octets);
    if (this.known.has(id)) return;
    if (this.known.size >= MAX_IDS) {
      const oldest = this.known.values().next().value!;
      this.known.delete(oldest);
      this.all.remove(oldest, this.connection);
    }
    this.known.add(id);
    this.all.add(id, this.connection, this.side);
    if (!this.lengths.includes(octets.length)) this.lengths.push(octets.length);
  }

  has(b: Uint8Array, from: number, to: number): boolean {
    return this.known.has(hexOf(b, from, to));
  }

  /** The connection is forgotten. */
  forget(): void {
    for (const id of this.known) this.all.remove(id, this.connection);
  }
}
