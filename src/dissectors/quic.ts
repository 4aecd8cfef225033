/**
 * QUIC: a transport over UDP that is encrypted from its first packet; HTTP/3 and DNS over QUIC run on it.
 *
 * RFC 8999 (what all versions share), RFC 9000 (version 1), RFC 9001 (its protection), RFC 9369 (version 2), drafts from the
 * 22nd on.
 *
 *     0       1         5     6               6+d   7+d
 *     1 form  version   d     destination id  s     source id   by type                      long header
 *     0 form  destination id as long as both ends know          packet number, payload       short header
 *
 *     Initial               token length, token, length, packet number (1 to 4), payload
 *     0-RTT, Handshake      length, packet number, payload
 *     Retry                 token, integrity tag (16)
 *     Version Negotiation   version 0; the versions that the server speaks, 4 octets each
 *
 * Initial packets are protected by keys that follow from the destination that the client chose, so that what is in them
 * (the hellos of TLS) can be read by everybody. The others stay closed.
 */
import { bits, bytes, expert, flag, many, mark, uint8, uint32, uint64 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { layer, type Tree } from '../core/layer.js';
import { hexOf, u32 } from '../core/octets.js';
import type { Dissect, ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import type { QuicConnection, QuicTalk } from './quic-connection.js';
import {
  type CryptoNote,
  closeOf,
  frameName,
  frameRows,
  isCrypto,
  type QuicClose,
  type QuicFrame,
  readFrames,
  walkFrames,
} from './quic-frames.js';
import { isGenuineRetry, type OpenPacket } from './quic-protection.js';
import { varint, varintLength } from './quic-varint.js';
import { isReserved, type QuicKind, quicVersion, quicVersionName } from './quic-versions.js';
import { recordText, Tls } from './tls.js';
import { Udp } from './udp.js';

/** Octets up to the length of the first identifier. */
const FIXED_LENGTH = 6;
/** Longest identifier (RFC 9000 section 17.2). */
const MAX_ID = 20;
/** A client's first destination has so many octets at least (RFC 9000 section 7.2). */
const MIN_FIRST_ID = 8;
const RETRY_TAG = 16;
/** Packets in one datagram that are looked at. */
const MAX_PACKETS = 16;

const LONG = 0x80;
const FIXED = 0x40;

const PACKET_TYPES = { 0: 'Initial', 1: '0-RTT', 2: 'Handshake', 3: 'Retry' };
const PACKET_TYPES_2 = { 0: 'Retry', 1: 'Initial', 2: '0-RTT', 3: 'Handshake' };

const rows = {
  connectionNumber: many(uint32('quic.connection.number', 'Connection Number')),
  packetLength: many(uint32('quic.packet_length', 'Packet Length')),
  short: many(mark('quic.short', 'QUIC Short Header')),
  headerForm: many(bits('quic.header_form', 'Header Form', undefined, 8, LONG, { values: { 0: 'Short Header', 1: 'Long Header' } })),
  fixedBit: many(flag('quic.fixed_bit', 'Fixed Bit', undefined, FIXED)),
  packetType: many(bits('quic.long.packet_type', 'Packet Type', undefined, 8, 0x30, { values: PACKET_TYPES })),
  packetType2: many(bits('quic.long.packet_type_v2', 'Packet Type', undefined, 8, 0x30, { values: PACKET_TYPES_2 })),
  reserved: many(uint8('quic.long.reserved', 'Reserved')),
  numberLength: many(uint8('quic.packet_number_length', 'Packet Number Length')),
  spinBit: many(flag('quic.spin_bit', 'Spin Bit', undefined, 0x20)),
  unused: many(bits('quic.vn.unused', 'Unused', undefined, 8, 0x7f, { base: 'hex' })),
  version: many(uint32('quic.version', 'Version', { base: 'hex', values: quicVersionName })),
  destinationLength: many(uint8('quic.dcil', 'Destination Connection ID Length')),
  destination: many(bytes('quic.dcid', 'Destination Connection ID')),
  sourceLength: many(uint8('quic.scil', 'Source Connection ID Length')),
  source: many(bytes('quic.scid', 'Source Connection ID')),
  supportedVersion: many(uint32('quic.supported_version', 'Supported Version', { base: 'hex', values: quicVersionName })),
  originalLength: many(uint8('quic.odcil', 'Original Destination Connection ID Length')),
  original: many(bytes('quic.odcid', 'Original Destination Connection ID')),
  retryToken: many(bytes('quic.retry_token', 'Retry Token')),
  retryTag: many(bytes('quic.retry_integrity_tag', 'Retry Integrity Tag')),
  tokenLength: many(uint64('quic.token_length', 'Token Length')),
  token: many(bytes('quic.token', 'Token')),
  length: many(uint64('quic.length', 'Length')),
  number: many(uint64('quic.packet_number', 'Packet Number')),
  payload: many(bytes('quic.payload', 'Payload', { quiet: true })),
  remaining: many(bytes('quic.remaining_payload', 'Remaining Payload', { quiet: true })),
  ...frameRows,
  unknownConnection: many(
    expert('note', 'quic.connection.unknown', 'Unknown QUIC connection. Missing Initial Packet or migrated connection?'),
  ),
  closed: many(expert('warn', 'quic.decryption_failed', 'Failed to decrypt handshake')),
  badRetry: many(expert('warn', 'quic.bad_retry', 'Retry Integrity Tag verification failure')),
  coalescedPadding: many(expert('note', 'quic.coalesced_padding_data', 'Coalesced Padding Data')),
};

/** A packet of a datagram. Positions are those of the layer's octets. */
export interface QuicPacket {
  readonly kind: QuicKind;
  readonly at: number;
  readonly end: number;
  /** 0 for short headers and negotiations. */
  readonly version: number;
  readonly destination: Span;
  readonly source: Span;
  /** Where the token stands, of Initial packets; behind it the length, then {@link numberAt}. */
  readonly token: Span;
  /** Where the packet number begins, under its mask. */
  readonly numberAt: number;
  connection: QuicConnection | undefined;
  /** Who sent it, where that is known. */
  fromServer: boolean | undefined;
  /** Without its protection. */
  opened: OpenPacket | undefined;
  frames: readonly QuicFrame[];
  notes: Map<QuicFrame, CryptoNote>;
  /** What the handshake messages that end in it are. */
  hellos: string;
  badRetry: boolean;
  /** It does not claim more octets than the datagram has. */
  readonly whole: boolean;
}

type Span = readonly [from: number, to: number];

const NO_FRAMES: readonly QuicFrame[] = [];

/** The packets of a datagram. */
export class Quic extends layer('quic', 'QUIC IETF', rows, 'QUIC') {
  declare packets: readonly QuicPacket[];

  override walk(tree: Tree): void {
    const connection = this.packets?.find((packet) => packet.connection !== undefined)?.connection;
    if (connection !== undefined) tree.put(rows.connectionNumber, connection.number);
    for (const packet of this.packets ?? []) {
      tree.heading(`QUIC ${packet.kind}`, packet.at, Math.min(packet.end, tree.limit) - packet.at);
      walkPacket(tree, packet);
      tree.close();
    }
  }

  /** `Initial, DCID=…, PKN: 0, CRYPTO (Client Hello, SNI=example.com), PADDING`; packets of one datagram behind `|`. */
  override summary(out: TextBuffer): void {
    const shown = (this.packets ?? []).filter((packet) => packet.kind !== 'Padding');
    shown.forEach((packet, i) => {
      if (i > 0) out.ascii(' | ');
      writePacket(out, packet, this.bytes, this.captured);
    });
    if (shown.length === 0) out.ascii('QUIC');
  }
}

function writePacket(out: TextBuffer, packet: QuicPacket, b: Uint8Array, captured: number): void {
  out.ascii(packet.kind);
  const id = (name: string, [from, to]: Span): void => {
    if (from < to && to <= captured) out.ascii(`, ${name}=${hexOf(b, from, to)}`);
  };
  id('DCID', packet.destination);
  id('SCID', packet.source);
  if (packet.opened === undefined) return;
  out.ascii(`, PKN: ${packet.opened.number}`);
  const names = new Set<string>();
  for (const frame of packet.frames) {
    const name = frameName(frame);
    if (names.has(name)) continue;
    names.add(name);
    out.ascii(`, ${name}`);
    if (name === 'CRYPTO' && packet.hellos !== '') out.text(` (${packet.hellos})`);
  }
}

function walkPacket(tree: Tree, packet: QuicPacket): void {
  const { at, kind, opened } = packet;
  const end = Math.min(packet.end, tree.limit);
  if (kind === 'Padding') return tree.put(rows.coalescedPadding, true, at, end - at);
  tree.put(rows.packetLength, packet.end - at, at, end - at);
  const id = (row: (typeof rows)['destination'], [from, to]: Span): void => {
    if (from < to) tree.add(row, from, to - from);
  };
  if (kind === 'Protected Payload') {
    tree.openPut(rows.short, true, at, end - at);
    tree.add(rows.headerForm, at);
    tree.add(rows.fixedBit, at);
    tree.add(rows.spinBit, at);
    id(rows.destination, packet.destination);
    const from = Math.max(at + 1, packet.destination[1]);
    tree.close();
    if (packet.connection === undefined) tree.put(rows.unknownConnection, true);
    if (from < end) tree.add(rows.remaining, from, end - from);
    return;
  }
  tree.add(rows.headerForm, at);
  if (kind === 'Version Negotiation') tree.add(rows.unused, at);
  else {
    tree.add(rows.fixedBit, at);
    tree.add(quicVersion(packet.version)?.types[0] === 'Retry' ? rows.packetType2 : rows.packetType, at);
    if (opened !== undefined) {
      tree.put(rows.reserved, (opened.first >> 2) & 3, at, 1);
      tree.put(rows.numberLength, opened.first & 3, at, 1);
    }
  }
  tree.add(rows.version, at + 1);
  tree.add(rows.destinationLength, at + 5);
  id(rows.destination, packet.destination);
  tree.add(rows.sourceLength, packet.destination[1]);
  id(rows.source, packet.source);
  const behind = packet.source[1];
  if (kind === 'Version Negotiation') {
    for (let from = behind; from + 4 <= end; from += 4) tree.add(rows.supportedVersion, from);
    return;
  }
  if (kind === 'Retry') return walkRetry(tree, packet, end);
  if (kind === 'Initial') {
    tree.put(rows.tokenLength, BigInt(packet.token[1] - packet.token[0]), behind, packet.token[0] - behind);
    id(rows.token, packet.token);
  }
  const lengthAt = kind === 'Initial' ? packet.token[1] : behind;
  tree.put(rows.length, BigInt(varint(tree.bytes, lengthAt)), lengthAt, packet.numberAt - lengthAt);
  const { bytes: own, limit } = tree;
  if (opened === undefined) {
    if (packet.connection === undefined) tree.put(rows.unknownConnection, true);
    tree.put(rows.closed, true);
    if (packet.numberAt < end) tree.add(rows.remaining, packet.numberAt, end - packet.numberAt);
    return;
  }
  tree.put(rows.number, BigInt(opened.number), packet.numberAt, opened.numberLength);
  tree.add(rows.payload, packet.numberAt + opened.numberLength, end - packet.numberAt - opened.numberLength);
  tree.bytes = opened.plain;
  tree.limit = opened.plain.length;
  walkFrames(tree, packet.frames, packet.notes);
  tree.bytes = own;
  tree.limit = limit;
}

function walkRetry(tree: Tree, packet: QuicPacket, end: number): void {
  const [, behind] = packet.source;
  if (quicVersion(packet.version)?.retryKey !== undefined) {
    const tag = end - RETRY_TAG;
    if (tag > behind) tree.add(rows.retryToken, behind, tag - behind);
    tree.add(rows.retryTag, Math.max(behind, tag), RETRY_TAG);
    if (packet.badRetry) tree.put(rows.badRetry, true);
    return;
  }
  // Before draft 25: where the client sent its first packet.
  const length = tree.bytes[behind]!;
  if (!tree.add(rows.originalLength, behind)) return;
  if (length > 0) tree.add(rows.original, behind + 1, length);
  if (behind + 1 + length < end) tree.add(rows.retryToken, behind + 1 + length, end - behind - 1 - length);
}

/** The packet with a long header at `at`; undefined when there is none, or less than its fixed part. */
function readLong(b: Uint8Array, at: number, end: number, captured: number): QuicPacket | undefined {
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

/** The rest of a datagram as a packet with a short header. */
function readShort(
  frame: Frame,
  talk: QuicTalk | undefined,
  at: number,
  end: number,
  srcPort: number,
  first: QuicPacket | undefined,
): QuicPacket {
  const b = frame.bytes;
  const isFromServer = (connection: QuicConnection): boolean => srcPort !== connection.clientPort;
  let connection = first?.connection ?? talk?.current;
  let destination: Span = [at + 1, at + 1];
  for (const candidate of talk?.all ?? []) {
    const ids = candidate.ids[isFromServer(candidate) ? 0 : 1];
    const length = ids.lengths.find((n) => n > 0 && at + 1 + n <= Math.min(end, frame.captured) && ids.has(b, at + 1, at + 1 + n));
    if (length === undefined) continue;
    connection = candidate;
    destination = [at + 1, at + 1 + length];
    break;
  }
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
    fromServer: connection && isFromServer(connection),
    opened: undefined,
    frames: NO_FRAMES,
    notes: new Map(),
    hellos: '',
    badRetry: false,
    whole: true,
  };
}

/** Octets behind a packet that are none: RFC 9000 section 12.2 lets only packets for the same connection follow. */
function isPadding(b: Uint8Array, at: number, first: QuicPacket): boolean {
  if ((b[at]! & LONG) !== 0) return u32(b, at + 1) !== first.version;
  const [from, to] = first.destination;
  if (from === to) return (b[at]! & FIXED) === 0;
  for (let i = 0; i < to - from; i++) if (b[at + 1 + i] !== b[from + i]) return true;
  return false;
}

/** QUIC wherever it was recognised or asked for. */
export const dissectQuic: Dissect = (frame, start, end) => {
  const quic = new Quic(frame, start, end);
  if (!frame.add(quic, 1)) return;
  const packets: QuicPacket[] = [];
  quic.packets = packets;
  const { bytes: b, captured } = frame;
  const isLong = (b[start]! & LONG) !== 0;
  if (isLong && !frame.require(quic, FIXED_LENGTH + 1)) return;
  const talk = frame.session.hooks.quic?.(frame) as QuicTalk | undefined;
  const srcPort = frame.transport?.srcPort ?? 0;
  const dstPort = frame.transport?.dstPort ?? 0;
  for (let at = start; at < end && at < captured && packets.length < MAX_PACKETS; ) {
    const first = packets[0];
    let packet: QuicPacket | undefined;
    if (first !== undefined && isPadding(b, at, first))
      packet = { ...readShort(frame, talk, at, end, srcPort, first), kind: 'Padding', destination: [at, at] };
    else if ((b[at]! & LONG) === 0) packet = readShort(frame, talk, at, end, srcPort, first);
    else packet = readLong(b, at, end, captured);
    if (packet === undefined) {
      frame.malformed(quic, at - start + FIXED_LENGTH);
      break;
    }
    packets.push(packet);
    // A datagram that an ICMP error quotes is cut short as a rule.
    if (!packet.whole && frame.quoted === 0) frame.malformed(quic, end + 1 - start);
    if (talk !== undefined && packet.kind !== 'Padding' && (b[at]! & LONG) !== 0) learn(frame, talk, packet, srcPort, dstPort);
    at = packet.end;
  }
  if (packets.length === 0) return;
  frame.headline ??= quic;
  if (talk !== undefined && isLong && frame.transport instanceof Udp) frame.session.expected.claim(frame.transport.stream, dissectQuic);
  for (const packet of packets) deliver(frame, packet);
};

/** What a packet with a long header says of its connection. */
function learn(frame: Frame, talk: QuicTalk, packet: QuicPacket, srcPort: number, dstPort: number): void {
  const { bytes: b } = frame;
  const destination = b.subarray(packet.destination[0], packet.destination[1]);
  const source = b.subarray(packet.source[0], packet.source[1]);
  const { cryptography } = frame.session;
  if (packet.kind === 'Initial' && packet.whole && packet.end <= frame.captured) {
    const { version, at, numberAt, end } = packet;
    const found = talk.initial(frame, b, { version, at, numberAt, end, destination, source }, srcPort, dstPort);
    packet.connection = found?.connection;
    packet.fromServer = found?.fromServer;
    packet.opened = found?.packet;
    if (packet.opened !== undefined) packet.frames = readFrames(packet.opened.plain, quicVersion(version)!.cryptoFrame);
  }
  packet.connection ??= talk.of(destination, (connection) => srcPort !== connection.clientPort);
  const { connection } = packet;
  if (connection === undefined) return;
  packet.fromServer ??= srcPort !== connection.clientPort;
  if (packet.kind === 'Retry' && packet.fromServer) {
    const version = quicVersion(packet.version)!;
    if (version.retryKey === undefined) connection.retried = source.slice();
    else if (cryptography !== undefined && packet.end <= frame.captured) {
      packet.badRetry = !isGenuineRetry(cryptography, version, b, packet.at, packet.end, connection.original);
      if (!packet.badRetry) connection.retried = source.slice();
    }
  } else if (packet.kind === 'Handshake') connection.ids[packet.fromServer ? 1 : 0].add(source);
}

/** Put the CRYPTO frames of a packet in order, and what came in order to TLS. */
function deliver(frame: Frame, packet: QuicPacket): void {
  const { opened, connection, frames } = packet;
  if (opened === undefined || connection === undefined) return;
  const fromServer = packet.fromServer === true;
  const stream = connection.crypto[fromServer ? 1 : 0];
  const texts: string[] = [];
  for (const found of frames) {
    if (!isCrypto(found)) continue;
    const again = stream.has(found.offset, found.end - found.data);
    const run = again ? undefined : stream.add(found.offset, opened.plain.subarray(found.data, found.end), frame.number);
    packet.notes.set(found, { again, pieces: run?.frames ?? [] });
    if (run === undefined) continue;
    frame.within(run.octets, 0, run.octets.length, (f, from, to) => {
      const tls = new Tls(f, from, to);
      f.layers.push(tls);
      connection.tls.frame = f.number;
      const record = connection.tls.bare(run.octets, from, to, fromServer);
      tls.records = [record];
      tls.connection = connection.tls;
      texts.push(recordText(record, tls));
    });
  }
  packet.hellos = texts.join(', ');
}

/**
 * A long header of a known version whose lengths fit into the datagram; or a negotiation that offers a known version. A version
 * that nobody speaks counts with a first destination alone.
 */
function recognise(b: Uint8Array, start: number, end: number): boolean {
  if ((b[start]! & LONG) === 0 || end - start < FIXED_LENGTH + 1) return false;
  const version = u32(b, start + 1);
  if (version === 0) {
    const packet = readLong(b, start, end, end);
    if (packet === undefined) return false;
    const from = packet.source[1];
    if (from >= end || (end - from) % 4 !== 0) return false;
    for (let at = from; at < end; at += 4) if (quicVersion(u32(b, at)) !== undefined) return true;
    return false;
  }
  if ((b[start]! & FIXED) === 0 || quicVersion(version) === undefined) return false;
  const destination = b[start + 5]!;
  if (destination > MAX_ID || (isReserved(version) && destination < MIN_FIRST_ID)) return false;
  const source = start + FIXED_LENGTH + destination;
  return source >= end || b[source]! <= MAX_ID;
}

export const quic: ProtocolEntry = {
  name: 'quic',
  layers: [Quic],
  dissect: dissectQuic,
  recogniser: { over: 'udp', recognise },
};

/** What ended a connection, if a packet of this datagram says so. */
export function closeIn(packet: QuicPacket): QuicClose | undefined {
  return packet.opened && closeOf(packet.opened.plain, packet.frames);
}
