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
 * (the hellos of TLS) can be read by everybody. The others can be read with the secrets of a key log.
 */
import { bits, bytes, expert, flag, many, mark, uint8, uint32, uint64 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { hexOf, u32 } from '../core/octets.js';
import type { Dissect, ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import type { QuicTalk } from './quic-connection.js';
import { frameName, frameRows, isCrypto, isStream, newIdOf, resetOf, walkFrames } from './quic-frames.js';
import { MAX_ID } from './quic-ids.js';
import {
  FIXED,
  FIXED_LENGTH,
  isPadding,
  LONG,
  openSegment,
  openShort,
  openWithSecrets,
  type QuicPacket,
  readLong,
  readShort,
  type Span,
  setOpen,
} from './quic-packet.js';
import { TOKEN } from './quic-parameters.js';
import { isGenuineRetry, type OpenPacket } from './quic-protection.js';
import { varint } from './quic-varint.js';
import { isReserved, type QuicKind, quicVersion, quicVersionName } from './quic-versions.js';
import { recordText, Tls } from './tls.js';
import { TLS_HEADER } from './tls-handshake.js';
import { Udp } from './udp.js';

/** A client's first destination has so many octets at least (RFC 9000 section 7.2). */
const MIN_FIRST_ID = 8;
const RETRY_TAG = 16;
/** Packets in one datagram that are looked at, or in several that were captured as one. */
const MAX_PACKETS = 64;
const KEY_PHASE = 0x04;
/** A message of TLS. */
const ENCRYPTED_EXTENSIONS = 8;

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
  shortReserved: many(bits('quic.short.reserved', 'Reserved', undefined, 8, 0x18)),
  keyPhase: many(flag('quic.key_phase', 'Key Phase Bit', undefined, 0x04)),
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
  protectedPayload: many(bytes('quic.protected_payload', 'Protected Payload', { quiet: true })),
  unpredictable: many(bytes('quic.unpredictable_bits', 'Unpredictable Bits', { quiet: true })),
  resetToken: many(bytes('quic.stateless_reset_token', 'Stateless Reset Token')),
  remaining: many(bytes('quic.remaining_payload', 'Remaining Payload', { quiet: true })),
  ...frameRows,
  unknownConnection: many(
    expert('note', 'protocol', 'quic.connection.unknown', 'Unknown QUIC connection. Missing Initial Packet or migrated connection?'),
  ),
  closed: many(expert('warn', 'decryption', 'quic.decryption_failed', 'Failed to decrypt handshake')),
  badRetry: many(expert('warn', 'protocol', 'quic.bad_retry', 'Retry Integrity Tag verification failure')),
  coalescedPadding: many(expert('note', 'protocol', 'quic.coalesced_padding_data', 'Coalesced Padding Data')),
};

const NO_PIECES: readonly number[] = [];

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

  override lasting(_copyOf: (octets: Uint8Array) => Uint8Array, shift: number): PropertyDescriptorMap {
    const moved = ([from, to]: Span): Span => [from - shift, to - shift];
    const packets = (this.packets ?? []).map((packet) => ({
      ...packet,
      at: packet.at - shift,
      end: packet.end - shift,
      numberAt: packet.numberAt - shift,
      destination: moved(packet.destination),
      source: moved(packet.source),
      token: moved(packet.token),
    }));
    return { packets: { value: packets } };
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
  out.ascii(packet.isReset ? 'Stateless Reset' : packet.kind);
  if (packet.isReset) return;
  // The bit of the keys is under the mask; nobody who cannot take it off asks for it.
  if (packet.kind === 'Protected Payload') out.ascii(((packet.opened?.first ?? 0) & KEY_PHASE) === 0 ? ' (KP0)' : ' (KP1)');
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
  if (kind === 'Protected Payload') return walkShort(tree, packet, end);
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
  if (opened === undefined) {
    if (packet.connection === undefined) tree.put(rows.unknownConnection, true);
    tree.put(rows.closed, true);
    if (packet.numberAt < end) tree.add(rows.remaining, packet.numberAt, end - packet.numberAt);
    return;
  }
  tree.put(rows.number, BigInt(opened.number), packet.numberAt, opened.numberLength);
  tree.add(rows.payload, packet.numberAt + opened.numberLength, end - packet.numberAt - opened.numberLength);
  walkPlain(tree, packet, opened);
}

/** The frames of a packet that was opened. */
function walkPlain(tree: Tree, packet: QuicPacket, opened: OpenPacket): void {
  const { bytes: own, limit } = tree;
  tree.bytes = opened.plain;
  tree.limit = opened.plain.length;
  walkFrames(tree, packet.frames, packet.notes);
  tree.bytes = own;
  tree.limit = limit;
}

function walkShort(tree: Tree, packet: QuicPacket, end: number): void {
  const { at, opened, destination } = packet;
  if (packet.isReset) {
    tree.add(rows.headerForm, at);
    tree.add(rows.unpredictable, at + 1, end - TOKEN - at - 1);
    tree.add(rows.resetToken, end - TOKEN, TOKEN);
    return;
  }
  const header = tree.openPut(rows.short, true, at, end - at);
  tree.add(rows.headerForm, at);
  tree.add(rows.fixedBit, at);
  tree.add(rows.spinBit, at);
  if (opened !== undefined) {
    header.text = `QUIC Short Header DCID=${hexOf(tree.bytes, destination[0], destination[1])} PKN=${opened.number}`;
    tree.put(rows.shortReserved, (opened.first >> 3) & 3, at, 1);
    tree.put(rows.keyPhase, (opened.first & KEY_PHASE) !== 0, at, 1);
    tree.put(rows.numberLength, opened.first & 3, at, 1);
  }
  if (destination[0] < destination[1]) tree.add(rows.destination, destination[0], destination[1] - destination[0]);
  if (opened !== undefined) {
    const from = packet.numberAt + opened.numberLength;
    tree.put(rows.number, BigInt(opened.number), packet.numberAt, opened.numberLength);
    tree.add(rows.protectedPayload, from, end - from);
    tree.close();
    return walkPlain(tree, packet, opened);
  }
  const from = Math.max(at + 1, destination[1]);
  tree.close();
  if (packet.connection === undefined) tree.put(rows.unknownConnection, true);
  if (from < end) tree.add(rows.remaining, from, end - from);
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
  /** Octets of each datagram, where several were captured as one, and where the one under way begins. */
  let segment = 0;
  let datagram = start;
  for (let at = start; at < end && at < captured && packets.length < MAX_PACKETS; ) {
    const first = packets[0];
    let packet: QuicPacket | undefined;
    if ((b[at]! & LONG) === 0) {
      packet = readShort(frame, talk, at, segment > 0 ? Math.min(end, datagram + segment) : end, srcPort, dstPort, first);
      openShort(frame, packet, srcPort === dstPort);
      if (packet.opened === undefined && segment === 0 && openSegment(frame, packet)) segment = packet.end - datagram;
    }
    // What can be opened is no padding, though its fixed bit says so (RFC 9287).
    if (first !== undefined && packet?.opened === undefined && isPadding(b, at, first))
      packet = { ...readShort(frame, undefined, at, end, srcPort, dstPort, first), kind: 'Padding' };
    else packet ??= readLong(b, at, end, captured);
    if (packet === undefined) {
      frame.malformed(quic, at - start + FIXED_LENGTH);
      break;
    }
    packets.push(packet);
    // A datagram that an ICMP error quotes is cut short as a rule.
    if (!packet.whole && frame.quoted === 0) frame.malformed(quic, end + 1 - start);
    if (talk !== undefined && packet.kind !== 'Padding') {
      if ((b[at]! & LONG) !== 0) learn(frame, talk, packet, srcPort, dstPort);
      // What is in one packet may open the next.
      deliver(frame, packet);
    }
    at = packet.end;
    if (segment > 0 && at >= datagram + segment) datagram = at;
  }
  if (packets.length === 0) return;
  frame.headline ??= spokenIn(frame, quic) ?? quic;
  if (talk !== undefined && frame.transport instanceof Udp && (isLong || talk.current !== undefined))
    frame.session.expected.claim(frame.transport.stream, dissectQuic);
};

/** The last layer of what is spoken over the connection, if this frame has any: it says more than the packets. */
function spokenIn(frame: Frame, quic: Quic): Layer | undefined {
  const { layers } = frame;
  for (let i = layers.length - 1; layers[i] !== quic && i >= 0; i--) if (!(layers[i] instanceof Tls)) return layers[i];
  return undefined;
}

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
    setOpen(packet, found?.packet);
  }
  packet.connection ??= talk.of(destination, (connection) => talk.isFromServer(connection, srcPort));
  const { connection } = packet;
  if (connection === undefined) return;
  packet.fromServer ??= talk.isFromServer(connection, srcPort);
  if (packet.kind === 'Retry' && packet.fromServer) {
    const version = quicVersion(packet.version)!;
    if (version.retryKey === undefined) connection.retried = source.slice();
    else if (cryptography !== undefined && packet.end <= frame.captured) {
      packet.badRetry = !isGenuineRetry(cryptography, version, b, packet.at, packet.end, connection.original);
      if (!packet.badRetry) connection.retried = source.slice();
    }
    if (connection.retried !== undefined) connection.ids[1].add(source);
  } else if (packet.kind === 'Handshake' || packet.kind === '0-RTT') {
    if (packet.kind === 'Handshake') connection.ids[packet.fromServer ? 1 : 0].add(source);
    setOpen(
      packet,
      openWithSecrets(frame, connection, packet, packet.version, packet.kind === '0-RTT' ? 'early' : 'handshake', packet.fromServer),
    );
  }
}

const LEVEL: Partial<Record<QuicKind, number>> = { Initial: 0, Handshake: 1, 'Protected Payload': 2 };

/** Put the octets of a packet in order: those of CRYPTO frames for TLS, those of streams for what is spoken over them. */
function deliver(frame: Frame, packet: QuicPacket): void {
  const { opened, connection, frames } = packet;
  if (opened === undefined || connection === undefined) return;
  const fromServer = packet.fromServer === true;
  const level = LEVEL[packet.kind];
  const texts: string[] = [];
  for (const found of frames) {
    const fresh = newIdOf(opened.plain, found);
    if (fresh !== undefined) {
      connection.ids[fromServer ? 1 : 0].add(fresh.id);
      connection.addToken(fresh.token);
    }
    if (isStream(found)) {
      const { application } = connection;
      const octets = opened.plain.subarray(found.data, found.end);
      const again = connection.streams.add(frame, found.stream, fromServer, found.offset, octets, found.fin, application);
      if (again) packet.notes.set(found, { again, pieces: NO_PIECES });
      continue;
    }
    const error = resetOf(opened.plain, found);
    if (error !== undefined) connection.streams.reset(frame, found.stream, fromServer, error, connection.application);
    if (level === undefined || !isCrypto(found)) continue;
    const stream = connection.crypto[level]![fromServer ? 1 : 0];
    const again = stream.has(found.offset, found.end - found.data);
    const run = again ? undefined : stream.add(found.offset, opened.plain.subarray(found.data, found.end), frame.number);
    packet.notes.set(found, { again, pieces: run?.frames ?? [] });
    if (run === undefined) continue;
    frame.within(run.octets, 0, run.octets.length, (f, from, to) => {
      const tls = new Tls(f, from, to);
      f.push(tls);
      connection.tls.frame = f.number;
      const record = connection.tls.bare(run.octets, from, to, fromServer, level);
      tls.records = [record];
      for (const { type, bytes, start, end } of record.messages)
        if (type === ENCRYPTED_EXTENSIONS) connection.encryptedExtensions(bytes, start + TLS_HEADER, end);
      tls.connection = connection.tls;
      texts.push(recordText(record, tls));
    });
  }
  packet.hellos = texts.join(', ');
}

/**
 * A long header of a known version whose lengths fit into the datagram; or a negotiation that offers a known version. A version
 * that nobody speaks counts with a first destination alone. A short header with a destination that was seen.
 */
function recognise(b: Uint8Array, start: number, end: number, frame: Frame): boolean {
  // A short header says nothing but where it goes.
  if ((b[start]! & LONG) === 0) return frame.session.hooks.quicKnows?.(b, start, end) === true;
  if (end - start < FIXED_LENGTH + 1) return false;
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
