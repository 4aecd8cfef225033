/** What is known of the QUIC connections between two ends: their identifiers, their keys, and the handshake so far. */
import type { Cryptography } from '../core/cryptography.js';
import type { Frame } from '../core/frame.js';
import { hexOf } from '../core/octets.js';
import { Http3Connection } from './http3.js';
import { CryptoStream } from './quic-crypto-stream.js';
import { DnsOverQuic } from './quic-doq.js';
import { Ids, type KnownIds } from './quic-ids.js';
import { QuicKeys } from './quic-keys.js';
import { reachableIn, TOKEN } from './quic-parameters.js';
import { type InitialKeys, initialKeys, type OpenPacket, openPacket } from './quic-protection.js';
import { type Held, type QuicApplication, QuicStreams } from './quic-streams.js';
import { type QuicVersion, quicVersion } from './quic-versions.js';
import { TlsConnection } from './tls-connection.js';

/** Connections between the same ends whose packets may mix. */
const MAX_CONNECTIONS = 8;
/** Packets between the same ends for which keys were made in vain before no more are made. */
const MAX_FAILURES = 32;

/** Most tokens of stateless resets that are kept. */
const MAX_TOKENS = 64;
/** The draft of DNS over QUIC since which messages have their length before them. */
const FIRST_PREFIXED_DOQ = 3;

/** What all connections share. */
export interface QuicWorld {
  readonly ids: KnownIds;
  /** The number of the next connection. */
  next(): number;
  /** What waits in streams. */
  readonly held: Held;
}

/** One connection. */
export class QuicConnection {
  /** By the side that chose them: the client's, the server's. */
  readonly ids: readonly [Ids, Ids];
  /** Where the client sent its first packet to; a Retry leaves it as it is. */
  readonly original: Uint8Array;
  /** What a Retry told the client to send to. */
  retried: Uint8Array | undefined = undefined;
  /** Octets of CRYPTO frames in Initial, Handshake and 1-RTT packets, of the client and of the server. */
  readonly crypto = [pair(), pair(), pair()] as const;
  readonly tls: TlsConnection;
  /** What opens all packets but Initial ones. */
  readonly secret: QuicKeys;
  readonly streams: QuicStreams;
  private spoken: QuicApplication | undefined = undefined;
  /** Tokens that either side may end it with. */
  private readonly tokens = new Set<string>();
  /** Largest number of an Initial packet so far, of either side. */
  private readonly largest = [-1, -1];
  /** By version and destination: a server may answer in another version (RFC 9368). */
  private readonly keys = new Map<string, InitialKeys>();

  constructor(
    /** From 0, in the order of the capture. */
    readonly number: number,
    world: QuicWorld,
    frame: Frame,
    /** At first: it may go on from another. */
    readonly clientPort: number,
    serverPort: number,
    /** Of the server's last Initial packet, else of the first packet. */
    public version: number,
    private secretId: Uint8Array,
    /** Which of the salts of its version it took. */
    private readonly salt: number,
  ) {
    this.original = secretId;
    this.tls = new TlsConnection(frame, 'q', clientPort, serverPort);
    this.secret = new QuicKeys(this.tls);
    this.streams = new QuicStreams(world.held);
    this.ids = [new Ids(world.ids, this, 0), new Ids(world.ids, this, 1)];
    // The client sends here until it hears of others.
    this.ids[1].add(secretId);
  }

  /** What is spoken over it: as agreed on, else as the client offers, whose early data comes before the answer. */
  get application(): QuicApplication | undefined {
    if (this.spoken === undefined) {
      const name = this.tls.agreedProtocol ?? this.tls.offeredProtocols[0] ?? '';
      const draft = /^doq(?:-i(\d\d))?$/.exec(name);
      if (draft) this.spoken = new DnsOverQuic(this.number, draft[1] === undefined || Number(draft[1]) >= FIRST_PREFIXED_DOQ);
      else if (/^h3(?:-\d\d)?$/.test(name)) this.spoken = new Http3Connection();
    }
    return this.spoken;
  }

  /** The server's Encrypted Extensions, their body in `[from, end)`. */
  encryptedExtensions(b: Uint8Array, from: number, end: number): void {
    for (const { id, token } of reachableIn(b, from, end)) {
      if (id !== undefined) this.ids[1].add(id);
      this.addToken(token);
    }
  }

  /** A token that ends the connection when a packet that cannot be opened ends in it (RFC 9000 section 10.3.1). */
  addToken(token: Uint8Array): void {
    if (this.tokens.size < MAX_TOKENS) this.tokens.add(hexOf(token));
  }

  /** Does a packet that ends at `end` say that the connection is forgotten? */
  isReset(b: Uint8Array, end: number): boolean {
    return this.tokens.size > 0 && this.tokens.has(hexOf(b, end - TOKEN, end));
  }

  /** Nothing of it is expected any more. */
  forget(): void {
    for (const ids of this.ids) ids.forget();
    this.streams.close();
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
  /** The client's port, of those that came from other addresses. */
  private readonly moved = new Map<QuicConnection, number>();
  private failures = 0;

  constructor(private readonly world: QuicWorld) {}

  /** All connections, the newest first. */
  get all(): readonly QuicConnection[] {
    return this.connections;
  }

  /** The connection that speaks now. */
  get current(): QuicConnection | undefined {
    return this.connections[0];
  }

  /** Is what comes from `srcPort` the server's, by its port alone? */
  isFromServer(connection: QuicConnection, srcPort: number): boolean {
    return srcPort !== (this.moved.get(connection) ?? connection.clientPort);
  }

  private add(connection: QuicConnection): void {
    if (this.connections.length >= MAX_CONNECTIONS) this.drop(this.connections.pop()!);
    this.connections.unshift(connection);
  }

  private drop(connection: QuicConnection): void {
    // One that came from elsewhere is known there.
    if (!this.moved.delete(connection)) connection.forget();
  }

  /** Nobody asks for these ends any more. */
  forget(): void {
    for (const connection of this.connections) this.drop(connection);
    this.connections = [];
  }

  /**
   * The connection that `[at, end)` names, from another address (RFC 9000 section 9), and whether it comes from the server; it goes
   * on here. Only as long as it is not known here.
   */
  adopt(
    b: Uint8Array,
    at: number,
    end: number,
    srcPort: number,
    dstPort: number,
  ): { connection: QuicConnection; fromServer: boolean } | undefined {
    const found = this.world.ids.find(b, at, end);
    if (found === undefined) return undefined;
    const { connection, side } = found;
    const fromServer = side === 0;
    if (!this.connections.includes(connection)) {
      this.moved.set(connection, fromServer ? dstPort : srcPort);
      this.add(connection);
    }
    return { connection, fromServer };
  }

  /** Open an Initial packet of either side. */
  initial(frame: Frame, b: Uint8Array, place: PacketPlace, srcPort: number, dstPort: number): OpenInitial | undefined {
    const { cryptography: crypto } = frame.session;
    if (crypto === undefined) return undefined;
    for (const connection of this.connections) {
      if (connection.retried !== undefined && hexOf(connection.retried) === hexOf(place.destination))
        connection.restart(connection.retried);
      const guess = this.isFromServer(connection, srcPort);
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
      const { world } = this;
      const destination = place.destination.slice();
      const connection = new QuicConnection(world.next(), world, frame, srcPort, dstPort, place.version, destination, salt);
      this.add(connection);
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

const pair = (): readonly [CryptoStream, CryptoStream] => [new CryptoStream(), new CryptoStream()];
