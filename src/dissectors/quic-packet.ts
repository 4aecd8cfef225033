/**
 * Packets of QUIC in a datagram: where each of them and its parts stand, whose it is, and what it holds without its
 * protection (RFC 9000 section 17, RFC 9001 section 5).
 */
import type { Frame } from '../core/frame.js';
import { u32 } from '../core/octets.js';
import type { QuicConnection, QuicTalk } from './quic-connection.js';
import { closeOf, type QuicClose, type QuicFrame, readFrames, type StreamNote } from './quic-frames.js';
import { MAX_ID } from './quic-ids.js';
import type { Level } from './quic-keys.js';
import type { OpenPacket } from './quic-protection.js';
import { varint, varintLength } from './quic-varint.js';
import { type QuicKind, quicVersion } from './quic-versions.js';

/** Octets up to the length of the first identifier. */
export const FIXED_LENGTH = 6;
/** The shortest stateless reset (RFC 9000 section 10.3). */
const MIN_RESET = 21;
/** Octets of an identifier that do not come again by chance. */
const SURE_ID = 8;

/** Bits of the first octet: a long header, and the one that is always set. */
export const LONG = 0x80;
export const FIXED = 0x40;

/** A packet of a datagram. Positions are those of the layer's octets. */
export interface QuicPacket {
  readonly kind: QuicKind;
  readonly at: number;
  end: number;
  /** 0 for short headers and negotiations. */
  readonly version: number;
  destination: Span;
  readonly source: Span;
  /** Where the token stands, of Initial packets; behind it the length, then {@link numberAt}. */
  readonly token: Span;
  /** Where the packet number begins, under its mask. */
  numberAt: number;
  connection: QuicConnection | undefined;
  /** Who sent it, where that is known. */
  fromServer: boolean | undefined;
  /** Without its protection. */
  opened: OpenPacket | undefined;
  frames: readonly QuicFrame[];
  notes: Map<QuicFrame, StreamNote>;
  /** What the handshake messages that end in it are. */
  hellos: string;
  badRetry: boolean;
  /** It does not claim more octets than the datagram has. */
  readonly whole: boolean;
  /** Nothing but the end of the connection (RFC 9000 section 10.3). */
  isReset: boolean;
}

/** Octets from one position up to another. */
export type Span = readonly [from: number, to: number];

const NO_FRAMES: readonly QuicFrame[] = [];

/** The packet with a long header at `at`; undefined when there is none, or less than its fixed part. */
export function readLong(b: Uint8Array, at: number, end: number, captured: number): QuicPacket | undefined {
  const held = Math.min(end, captured);
  if (at + FIXED_LENGTH >= held) return undefined;
  const version = u32(b, at + 1);
  const known = quicVersion(version);
  // The fixed bit may be anything once both ends agreed on it (RFC 9287).
  if (version !== 0 && known === undefined) return undefined;
  const destinationEnd = at + FIXED_LENGTH + b[at + 5]!;
  if (b[at + 5]! > MAX_ID || destinationEnd >= held || b[destinationEnd]! > MAX_ID) return undefined;
  const sourceEnd = destinationEnd + 1 + b[destinationEnd]!;
  if (sourceEnd > held) return undefined;
  const packet = (kind: QuicKind, stop: number, token: Span, numberAt: number): QuicPacket => ({
    kind,
    at,
    end: Math.min(stop, end),
    version,
    destination: [at + FIXED_LENGTH, destinationEnd],
    source: [destinationEnd + 1, sourceEnd],
    token,
    numberAt,
    connection: undefined,
    fromServer: undefined,
    opened: undefined,
    frames: NO_FRAMES,
    notes: new Map(),
    hellos: '',
    badRetry: false,
    whole: stop <= end,
    isReset: false,
  });
  if (known === undefined) return packet('Version Negotiation', end, [sourceEnd, sourceEnd], end);
  const kind = known.types[(b[at]! >> 4) & 3]!;
  if (kind === 'Retry') return packet(kind, end, [sourceEnd, sourceEnd], end);
  let from = sourceEnd;
  let token: Span = [from, from];
  if (kind === 'Initial') {
    if (from >= held || from + varintLength(b, from) > held) return undefined;
    const tokenAt = from + varintLength(b, from);
    token = [tokenAt, tokenAt + varint(b, from)];
    from = token[1];
  }
  if (from >= held || from + varintLength(b, from) > held) return undefined;
  const numberAt = from + varintLength(b, from);
  return packet(kind, numberAt + varint(b, from), token, numberAt);
}

/** The rest of a datagram as a packet with a short header: whose it is, as its destination says. */
export function readShort(
  frame: Frame,
  talk: QuicTalk | undefined,
  at: number,
  end: number,
  srcPort: number,
  dstPort: number,
  first: QuicPacket | undefined,
): QuicPacket {
  const b = frame.bytes;
  const held = Math.min(end, frame.captured);
  let connection: QuicConnection | undefined;
  let fromServer: boolean | undefined;
  let destination: Span = [at + 1, at + 1];
  if (talk !== undefined) {
    for (const candidate of talk.all) {
      const guess = talk.isFromServer(candidate, srcPort);
      const length = lengthOf(candidate, guess, b, at, held);
      if (length === undefined) continue;
      connection = candidate;
      fromServer = guess;
      destination = [at + 1, at + 1 + length];
      break;
    }
    if (connection === undefined) {
      const found = talk.adopt(b, at + 1, held, srcPort, dstPort);
      connection = found?.connection;
      fromServer = found?.fromServer;
      const length = found && lengthOf(found.connection, found.fromServer, b, at, held);
      if (length !== undefined) destination = [at + 1, at + 1 + length];
    }
  }
  connection ??= first?.connection ?? talk?.current;
  fromServer ??= connection && talk?.isFromServer(connection, srcPort);
  return {
    kind: 'Protected Payload',
    at,
    end,
    version: 0,
    destination,
    source: [at, at],
    token: [at, at],
    numberAt: end,
    connection,
    fromServer,
    opened: undefined,
    frames: NO_FRAMES,
    notes: new Map(),
    hellos: '',
    badRetry: false,
    whole: true,
    isReset: false,
  };
}

/** Octets of the identifier, chosen by the receiver, that stands behind the first octet of a short header; undefined for none. */
function lengthOf(connection: QuicConnection, fromServer: boolean, b: Uint8Array, at: number, held: number): number | undefined {
  const ids = connection.ids[fromServer ? 0 : 1];
  return ids.lengths.find((n) => n > 0 && at + 1 + n <= held && ids.has(b, at + 1, at + 1 + n));
}

/** Octets behind a packet that are none: RFC 9000 section 12.2 lets only packets for the same connection follow. */
export function isPadding(b: Uint8Array, at: number, first: QuicPacket): boolean {
  if ((b[at]! & LONG) !== 0) return u32(b, at + 1) !== first.version;
  const [from, to] = first.destination;
  if (from === to) return (b[at]! & FIXED) === 0;
  for (let i = 0; i < to - from; i++) if (b[at + 1 + i] !== b[from + i]) return true;
  return false;
}

/** A packet without its protection, with the frames in it; undefined: it stays closed. */
export function setOpen(packet: QuicPacket, opened: OpenPacket | undefined): void {
  packet.opened = opened;
  const version = quicVersion(packet.version || (packet.connection?.version ?? 0));
  if (opened !== undefined && version !== undefined) packet.frames = readFrames(opened.plain, version.cryptoFrame);
}

/** Open a packet with the secrets of a key log, where there are any. */
export function openWithSecrets(
  frame: Frame,
  connection: QuicConnection,
  packet: QuicPacket,
  number: number,
  level: Level,
  fromServer: boolean,
): OpenPacket | undefined {
  const { cryptography, hooks } = frame.session;
  const version = quicVersion(number);
  if (cryptography === undefined || hooks.keyLog === undefined || version === undefined) return undefined;
  if (!packet.whole || packet.end > frame.captured) return undefined;
  return connection.secret.open(cryptography, hooks.keyLog, version, level, fromServer, frame.bytes, packet);
}

/** Open a packet with a short header. `eitherWay`: ports do not tell who sent it. */
export function openShort(frame: Frame, packet: QuicPacket, eitherWay: boolean): void {
  const { connection, at, end } = packet;
  if (connection === undefined) return;
  const { bytes: b, captured } = frame;
  const isNamed = packet.destination[0] < packet.destination[1];
  const guess = packet.fromServer === true;
  for (const fromServer of eitherWay && !isNamed ? [guess, !guess] : [guess]) {
    // An identifier that nobody told of is as long as the others.
    const [length = 0] = connection.ids[fromServer ? 0 : 1].lengths;
    const destination: Span = isNamed ? packet.destination : [at + 1, at + 1 + length];
    packet.numberAt = destination[1];
    const opened = openWithSecrets(frame, connection, packet, connection.version, 'data', fromServer);
    if (opened === undefined) continue;
    packet.fromServer = fromServer;
    if (!isNamed) connection.ids[fromServer ? 0 : 1].add(b.subarray(destination[0], destination[1]));
    packet.destination = destination;
    return setOpen(packet, opened);
  }
  packet.numberAt = end;
  packet.isReset = end <= captured && end - at >= MIN_RESET && connection.isReset(b, end);
}

/**
 * Datagrams that the sender's system was to cut to the size of the network, captured before that (Linux: UDP_SEGMENT): packets of
 * the same length, each of which begins with the same destination. Open the first of them, which then ends where it should; says
 * whether that could be done.
 */
export function openSegment(frame: Frame, packet: QuicPacket): boolean {
  const { at, end } = packet;
  const [from, to] = packet.destination;
  const { connection } = packet;
  if (to - from < SURE_ID || end > frame.captured || !connection?.secret.opens(packet.fromServer === true)) return false;
  const b = frame.bytes.subarray(0, end);
  for (let start = b.indexOf(b[from]!, to); start > 0 && start + to - from <= end; start = b.indexOf(b[from]!, start + 1)) {
    let i = 1;
    while (i < to - from && b[start + i] === b[from + i]) i++;
    if (i < to - from) continue;
    packet.end = start - (from - at);
    openShort(frame, packet, false);
    if (packet.opened !== undefined) return true;
    packet.end = end;
    break;
  }
  return false;
}

/** What ended a connection, if a packet of this datagram says so. */
export function closeIn(packet: QuicPacket): QuicClose | undefined {
  return packet.opened && closeOf(packet.opened.plain, packet.frames);
}
