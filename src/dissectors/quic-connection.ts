/** What is known of the QUIC connections between two ends: their identifiers, their first keys, and the handshake so far. */
import type { Cryptography } from '../core/cryptography.js';
import type { Frame } from '../core/frame.js';
import { hexOf } from '../core/octets.js';
import { CryptoStream } from './quic-crypto-stream.js';
import { type InitialKeys, initialKeys, type OpenPacket, openPacket } from './quic-protection.js';
import { type QuicVersion, quicVersion } from './quic-versions.js';
import { TlsConnection } from './tls-connection.js';

/** Most identifiers of a side that are kept. */
const MAX_IDS = 32;
/** Connections between the same ends whose packets may mix. */
const MAX_CONNECTIONS = 8;
/** Packets between the same ends for which keys were made in vain before no more are made. */
const MAX_FAILURES = 32;

/** Identifiers that a side chose for itself. */
class Ids {
  private readonly known = new Set<string>();
  /** Their lengths, each once. */
  readonly lengths: number[] = [];

  add(id: Uint8Array): void {
    if (this.known.size >= MAX_IDS) return;
    this.known.add(hexOf(id));
    if (!this.lengths.includes(id.length)) this.lengths.push(id.length);
  }

  has(b: Uint8Array, from: number, to: number): boolean {
    return this.known.has(hexOf(b, from, to));
  }
}

/** One connection. */
export class QuicConnection {
  /** By the side that chose them: the client's, the server's. */
  readonly ids = [new Ids(), new Ids()] as const;
  /** Where the client sent its first packet to; a Retry leaves it as it is. */
  readonly original: Uint8Array;
  /** What a Retry told the client to send to. */
  retried: Uint8Array | undefined = undefined;
  /** Octets of CRYPTO frames in Initial packets, of the client and of the server. */
  readonly crypto = [new CryptoStream(), new CryptoStream()] as const;
  readonly tls: TlsConnection;
  /** Largest packet number so far, of either side. */
  private readonly largest = [-1, -1];
  /** By version and destination: a server may answer in another version (RFC 9368). */
  private readonly keys = new Map<string, InitialKeys>();

  constructor(
    /** From 0, in the order of the capture. */
    readonly number: number,
    frame: Frame,
    readonly clientPort: number,
    serverPort: number,
    /** Of the first packet. */
    public version: number,
    private secretId: Uint8Array,
    /** Which of the salts of its version it took. */
    private readonly salt: number,
  ) {
    this.original = secretId;
    this.tls = new TlsConnection(frame, 'q', clientPort, serverPort);
  }

  private keysOf(crypto: Cryptography, number: number, version: QuicVersion): InitialKeys | undefined {
    const id = `${number} ${hexOf(this.secretId)}`;
    let keys = this.keys.get(id);
    if (keys === undefined) {
      const salt = version.salts[Math.min(this.salt, version.salts.length - 1)];
      if (salt === undefined || this.keys.size >= 8) return undefined;
      keys = initialKeys(crypto, version, salt, this.secretId);
      this.keys.set(id, keys);
    }
    return keys;
  }

  /** After a Retry the client begins again, with keys from the server's word. */
  restart(destination: Uint8Array): void {
    this.secretId = destination;
    this.retried = undefined;
  }

  /** Open an Initial packet of this connection. */
  open(crypto: Cryptography, fromServer: boolean, b: Uint8Array, packet: PacketPlace): OpenPacket | undefined {
    const version = quicVersion(packet.version);
    const keys = version && this.keysOf(crypto, packet.version, version);
    if (keys === undefined) return undefined;
    const side = fromServer ? 1 : 0;
    const opened = openPacket(crypto, keys[side], b, packet.at, packet.numberAt, packet.end, this.largest[side]!);
    if (opened !== undefined && opened.number > this.largest[side]!) this.largest[side] = opened.number;
    return opened;
  }
}

/** Where a packet with a long header stands. */
export interface PacketPlace {
  readonly version: number;
  readonly at: number;
  /** Where its number begins. */
  readonly numberAt: number;
  readonly end: number;
  /** Destination and source. */
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
}

/** An Initial packet that was opened. */
export interface OpenInitial {
  readonly connection: QuicConnection;
  readonly fromServer: boolean;
  readonly packet: OpenPacket;
}

/** What goes on between two ends. */
export class QuicTalk {
  /** The newest first. */
  private connections: QuicConnection[] = [];
  private failures = 0;

  constructor(private readonly nextNumber: () => number) {}

  /** All connections, the newest first. */
  get all(): readonly QuicConnection[] {
    return this.connections;
  }

  /** The connection that speaks now. */
  get current(): QuicConnection | undefined {
    return this.connections[0];
  }

  /** Open an Initial packet of either side. */
  initial(frame: Frame, b: Uint8Array, place: PacketPlace, srcPort: number, dstPort: number): OpenInitial | undefined {
    const { cryptography: crypto } = frame.session;
    if (crypto === undefined) return undefined;
    for (const connection of this.connections) {
      if (connection.retried !== undefined && hexOf(connection.retried) === hexOf(place.destination)) connection.restart(place.destination);
      const guess = srcPort !== connection.clientPort;
      const packet = connection.open(crypto, guess, b, place);
      if (packet !== undefined) return this.opened(connection, guess, packet, place);
      if (srcPort !== dstPort) continue;
      const other = connection.open(crypto, !guess, b, place);
      if (other !== undefined) return this.opened(connection, !guess, other, place);
    }
    const version = quicVersion(place.version);
    if (version === undefined) return undefined;
    for (let salt = 0; salt < version.salts.length && this.failures < MAX_FAILURES; salt++) {
      const keys = initialKeys(crypto, version, version.salts[salt]!, place.destination);
      if (openPacket(crypto, keys[0], b, place.at, place.numberAt, place.end, -1) === undefined) {
        this.failures++;
        continue;
      }
      const connection = new QuicConnection(this.nextNumber(), frame, srcPort, dstPort, place.version, place.destination.slice(), salt);
      if (this.connections.length >= MAX_CONNECTIONS) this.connections.pop();
      this.connections.unshift(connection);
      const packet = connection.open(crypto, false, b, place);
      return packet && this.opened(connection, false, packet, place);
    }
    return undefined;
  }

  private opened(connection: QuicConnection, fromServer: boolean, packet: OpenPacket, { source, version }: PacketPlace): OpenInitial {
    connection.ids[fromServer ? 1 : 0].add(source);
    if (fromServer) connection.version = version;
    return { connection, fromServer, packet };
  }

  /** The connection that a packet of which nothing can be opened belongs to: by where it goes, else the one that speaks now. */
  of(destination: Uint8Array | undefined, fromServer: (connection: QuicConnection) => boolean): QuicConnection | undefined {
    if (destination !== undefined && this.connections.length > 1)
      for (const connection of this.connections)
        if (connection.ids[fromServer(connection) ? 0 : 1].has(destination, 0, destination.length)) return connection;
    return this.current;
  }
}
