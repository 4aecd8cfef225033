/**
 * The keys of a QUIC connection behind its Initial packets, made from a key log when they are needed.
 *
 * RFC 9001 sections 4.1.4 (levels), 5.1 (keys) and 6 (key update: a bit of the header says which keys, and turns with them).
 */
import type { Cryptography } from '../core/cryptography.js';
import type { SecretLog } from '../core/decryption.js';
import {
  nextSecret,
  type OpenPacket,
  openHeader,
  openPacket,
  openPayload,
  type PacketKeys,
  packetKeys,
  packetNumber,
  packetSuite,
} from './quic-protection.js';
import type { QuicVersion } from './quic-versions.js';
import type { TlsConnection } from './tls-connection.js';

/** Suites that are tried while the server's choice is not known. */
const MAX_SUITES = 8;
/** The bit of a short header that turns with the keys. */
const KEY_PHASE = 0x04;

/** Which keys: those of 0-RTT, Handshake or 1-RTT packets. */
export type Level = 'early' | 'handshake' | 'data';

const LABELS: Readonly<Record<Level, readonly [client: string, server: string]>> = {
  early: ['CLIENT_EARLY_TRAFFIC_SECRET', ''],
  handshake: ['CLIENT_HANDSHAKE_TRAFFIC_SECRET', 'SERVER_HANDSHAKE_TRAFFIC_SECRET'],
  data: ['CLIENT_TRAFFIC_SECRET_0', 'SERVER_TRAFFIC_SECRET_0'],
};

/** Largest packet number of a space so far. */
class Space {
  largest = -1;

  saw(opened: OpenPacket | undefined): OpenPacket | undefined {
    if (opened !== undefined && opened.number > this.largest) this.largest = opened.number;
    return opened;
  }
}

/** One generation of keys. */
interface Generation {
  readonly keys: PacketKeys;
  readonly secret: Uint8Array;
}

/** Keys of one level and direction. */
class Keys {
  current: Generation | undefined = undefined;
  /** Those before, for packets that were overtaken. */
  before: PacketKeys | undefined = undefined;
  /** Those that the next update brings, once they were looked for. */
  next: Generation | undefined = undefined;
  /** The value of the bit for {@link current}. */
  phase = 0;
  /** The lowest packet number that {@link current} was seen with. */
  first = Number.POSITIVE_INFINITY;
  /** Secrets in the log when they were looked for last. */
  asked = -1;
  /** There was one then. */
  found = false;
}

/** A packet and where it stands. */
export interface ProtectedPacket {
  readonly at: number;
  readonly numberAt: number;
  readonly end: number;
}

export class QuicKeys {
  private readonly keys: Readonly<Record<Level, readonly [Keys, Keys]>> = {
    early: [new Keys(), new Keys()],
    handshake: [new Keys(), new Keys()],
    data: [new Keys(), new Keys()],
  };
  /** 0-RTT and 1-RTT packets are numbered together (RFC 9000 section 12.3). */
  private readonly handshakeSpaces = [new Space(), new Space()] as const;
  private readonly dataSpaces = [new Space(), new Space()] as const;

  constructor(private readonly tls: TlsConnection) {}

  /** Are there keys, or secrets to be tried, for what this side sends in 1-RTT packets? */
  opens(fromServer: boolean): boolean {
    const { current, found } = this.keys.data[fromServer ? 1 : 0];
    return found || current !== undefined;
  }

  /** Open a packet; undefined when there are no keys for it, or when it is none. */
  open(
    crypto: Cryptography,
    log: SecretLog,
    version: QuicVersion,
    level: Level,
    fromServer: boolean,
    b: Uint8Array,
    packet: ProtectedPacket,
  ): OpenPacket | undefined {
    const side = fromServer ? 1 : 0;
    const keys = this.keys[level][side];
    const space = (level === 'handshake' ? this.handshakeSpaces : this.dataSpaces)[side];
    if (keys.current === undefined) return space.saw(this.begin(crypto, log, version, level, side, keys, b, packet, space.largest));
    if (level === 'data') return space.saw(this.data(crypto, version, keys, b, packet, space.largest));
    return space.saw(openPacket(crypto, keys.current.keys, b, packet.at, packet.numberAt, packet.end, space.largest));
  }

  /** Look for the secret, and for the suite that it goes with: the tag tells. */
  private begin(
    crypto: Cryptography,
    log: SecretLog,
    version: QuicVersion,
    level: Level,
    side: 0 | 1,
    keys: Keys,
    b: Uint8Array,
    packet: ProtectedPacket,
    largest: number,
  ): OpenPacket | undefined {
    const { tls } = this;
    log.refresh?.();
    // Other packets may be the right ones for a secret that is there already.
    if (log.count === 0 || (keys.asked === log.count && !keys.found)) return undefined;
    keys.asked = log.count;
    const label = LABELS[level][side];
    const secret = tls.clientRandom.length > 0 && label !== '' ? log.find(label, tls.clientRandom) : undefined;
    keys.found = secret !== undefined;
    if (secret === undefined) return undefined;
    // A server that resumes a session has to take the suite of the session, whose 0-RTT packets come before it says so.
    const suites = tls.cipherSuite >= 0 && level !== 'early' ? [tls.cipherSuite] : tls.offeredSuites.slice(0, MAX_SUITES);
    for (const number of suites) {
      const suite = packetSuite(number);
      if (suite === undefined || suite.secretLength !== secret.length) continue;
      keys.current = { keys: packetKeys(crypto, version, suite, secret), secret };
      keys.next = undefined;
      const opened =
        level === 'data'
          ? this.data(crypto, version, keys, b, packet, largest)
          : openPacket(crypto, keys.current.keys, b, packet.at, packet.numberAt, packet.end, largest);
      if (opened !== undefined) return opened;
    }
    keys.current = keys.next = undefined;
    return undefined;
  }

  /** A 1-RTT packet, which may come with the keys before or after the current ones. */
  private data(
    crypto: Cryptography,
    version: QuicVersion,
    keys: Keys,
    b: Uint8Array,
    { at, numberAt, end }: ProtectedPacket,
    largest: number,
  ): OpenPacket | undefined {
    const current = keys.current!;
    // The mask of headers stays.
    const header = openHeader(crypto, current.keys, b, at, numberAt, end);
    if (header === undefined) return undefined;
    const number = packetNumber(header.truncated, header.numberLength, largest);
    if ((header.first & KEY_PHASE) >> 2 === keys.phase) {
      const opened = openPayload(crypto, current.keys, b, numberAt, end, header, number);
      if (opened !== undefined && number < keys.first) keys.first = number;
      return opened;
    }
    if (keys.before !== undefined && number < keys.first) return openPayload(crypto, keys.before, b, numberAt, end, header, number);
    const { suite, mask } = current.keys;
    if (keys.next === undefined) {
      const secret = nextSecret(crypto, version, suite, current.secret);
      keys.next = { keys: packetKeys(crypto, version, suite, secret, mask), secret };
    }
    const opened = openPayload(crypto, keys.next.keys, b, numberAt, end, header, number);
    if (opened === undefined) return undefined;
    keys.before = current.keys;
    keys.current = keys.next;
    keys.next = undefined;
    keys.phase ^= 1;
    keys.first = number;
    return opened;
  }
}
