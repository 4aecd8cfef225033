/**
 * Transport Layer Security 1.0 to 1.3 and SSL 3.0, over TCP: records, and the handshake messages, alerts and data in them.
 *
 * RFC 8446 (TLS 1.3), RFC 5246 (1.2), RFC 4346 (1.1), RFC 2246 (1.0), RFC 6101 (SSL 3.0), RFC 6520 (heartbeat);
 * the Client Hello of SSL 2.0 that old clients begin with is in RFC 5246 appendix E.2.
 *
 *     0      1           3          5
 *     type   version     length     content: plain, or encrypted as the two sides agreed
 */
import { type Field, many, mark } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16, u24 } from '../core/octets.js';
import { type ProtocolEntry, tcpPorts } from '../core/registry.js';
import { ALIEN, MORE, type StreamContext, type StreamParser, type StreamProtocol } from '../core/stream.js';
import type { TextBuffer } from '../core/text.js';
import { TlsConnection, type TlsRecord } from './tls-connection.js';
import { isFragment, isNewest, messageName, TLS_HEADER, walkMessage } from './tls-handshake.js';
import { readHello } from './tls-hello.js';
import { ALERT_LEVELS, ALERTS, CONTENT_TYPES, HANDSHAKE_TYPES, shortVersion } from './tls-names.js';
import { type TlsRows, tlsRows } from './tls-rows.js';
import { writeTogether } from './together.js';

/** Ports of protocols that speak TLS from the start: there it is known also where the hello was not captured. */
const PORTS = [
  261, 443, 465, 563, 614, 636, 802, 853, 989, 990, 992, 993, 994, 995, 2221, 2376, 4433, 4843, 5061, 5671, 5986, 6514, 6679, 6697, 8443,
  8883, 9443,
];

/** Octets before a record's content. */
const HEADER = 5;
/** Octets of text by which the protocols that begin with it are told apart. */
const TEXT = 16;
const CR = 13;
/** Longest content: 2^14, and what encryption may add to it (RFC 5246 section 6.2.3). */
const MAX_CONTENT = 16_384 + 2048;

const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const HEARTBEAT = 24;

const rows = {
  ...tlsRows('tls'),
  unknownRecord: many(mark('tls.ignored_unknown_record', 'Ignored Unknown Record')),
};

/** Records that a segment completes. */
export class Tls extends layer('tls', 'Transport Layer Security', rows) {
  declare records: readonly TlsRecord[];
  /** What they belong to; none for octets that are no records. */
  declare connection: TlsConnection | undefined;
  /** The octets are a hello of SSL 2.0. */
  declare isOld: boolean;
  /** The octets are no record. */
  declare isUnknown: boolean;
  /** The rest of the last record was not captured. */
  declare incomplete: boolean;

  override get shortName(): string {
    if (this.isOld) return 'SSLv2';
    const last = this.records[this.records.length - 1];
    return (last && shortVersion(last.version)) ?? 'TLS';
  }

  override lasting(_copyOf: (octets: Uint8Array) => Uint8Array, shift: number): PropertyDescriptorMap {
    return { records: lastingRecords(this, this.records, shift) };
  }

  override walk(tree: Tree): void {
    if (this.isOld) return walkOld(tree, this);
    if (this.isUnknown) tree.add(rows.unknownRecord, this.start, this.captured - this.start);
    for (const record of this.records) {
      const { at, end } = record;
      if (record.header === 0) {
        // QUIC's CRYPTO frames have no records.
        tree.heading(`${shortVersion(record.version) ?? 'TLS'}: ${recordText(record, this)}`, at, end - at);
        walkContent(tree, rows, record, this, false);
        tree.close();
        continue;
      }
      tree.openPut(rows.record, true, at, Math.min(end, tree.limit) - at).text =
        `${shortVersion(record.version) ?? 'TLS'} Record Layer: ${recordText(record, this)}`;
      const isOpaque = record.type === APPLICATION_DATA && isNewest(record.version);
      tree.add(isOpaque ? rows.opaqueType : rows.contentType, at);
      tree.add(rows.recordVersion, at + 1);
      tree.add(rows.recordLength, at + 3);
      if (isOpaque && record.plain !== undefined) tree.put(rows.contentType, record.plainType);
      walkContent(tree, rows, record, this, false);
      tree.close();
    }
  }

  override summary(out: TextBuffer): void {
    writeTogether(out, this, Tls);
  }

  override line(out: TextBuffer): void {
    if (this.isOld) return out.ascii(this.bytes[this.start + 2] === 1 ? 'Client Hello' : 'Server Hello');
    if (this.isUnknown) return out.ascii('Ignored Unknown Record');
    writeRecords(out, this.records, this);
    if (this.incomplete) out.ascii(' [incomplete]');
  }
}

/** The records of a layer for a copy of it: what points into octets that are used again points into the copy's. */
export function lastingRecords(layer: Layer, records: readonly TlsRecord[], shift: number): PropertyDescriptor {
  const plains = records.map(({ plain }) => plain?.slice());
  let kept: readonly TlsRecord[] | undefined;
  const make = (octets: Uint8Array): readonly TlsRecord[] =>
    records.map((record, i) => ({
      ...record,
      at: record.at - shift,
      end: record.end - shift,
      plain: plains[i],
      messages: record.messages.map((message) => {
        if (message.bytes === record.plain) return { ...message, bytes: plains[i]! };
        if (message.bytes !== layer.bytes) return message;
        return { ...message, bytes: octets, start: message.start - shift, end: message.end - shift };
      }),
    }));
  // The copy's octets are known once it is made.
  return {
    get(this: Layer) {
      return (kept ??= make(this.bytes));
    },
  };
}

/** What the records are, for the Info column. */
export function writeRecords(out: TextBuffer, records: readonly TlsRecord[], layer: Layer): void {
  records.forEach((record, i) => {
    if (i > 0) out.ascii(', ');
    out.text(recordText(record, layer));
  });
}

/** What is in a record, in a few words. */
export function recordText(record: TlsRecord, layer: Layer): string {
  const { plain, plainType: type } = record;
  switch (type) {
    case CHANGE_CIPHER_SPEC:
      return 'Change Cipher Spec';
    case ALERT: {
      if (record.encrypted) return 'Encrypted Alert';
      const octets = plain ?? layer.bytes;
      const at = plain === undefined ? record.at + record.header : 0;
      if (at + 2 > (plain === undefined ? layer.captured : plain.length)) return 'Alert';
      const level = octets[at]!;
      const description = octets[at + 1]!;
      return `Alert (Level: ${ALERT_LEVELS[level] ?? level}, Description: ${ALERTS[description] ?? description})`;
    }
    case HANDSHAKE: {
      if (record.encrypted) return 'Encrypted Handshake Message';
      const datagram = record.header > HEADER;
      // The fragment that completes a message is followed by the whole.
      const shown = record.messages.filter((_, i) => !datagram || !((record.messages[i + 1]?.pieces.length ?? 0) > 1));
      const parts = shown.map((message) => {
        const name = messageName(message, datagram ? 12 : TLS_HEADER);
        if (datagram && message.pieces.length > 1) return `${name} (reassembled)`;
        if (datagram && isFragment(message)) return `${name} (fragment)`;
        if (message.type !== 1) return name;
        const host = readHello(message.bytes, message.start + (datagram ? 12 : TLS_HEADER), message.end, false, datagram)?.serverName;
        return host === undefined ? name : `${name} (SNI=${host})`;
      });
      if (record.fragment !== undefined) parts.push(`${HANDSHAKE_TYPES[record.fragment] ?? 'Handshake'} (fragment)`);
      return parts.length > 0 ? parts.join(', ') : 'Handshake';
    }
    case HEARTBEAT:
      if (record.encrypted) return 'Encrypted Heartbeat';
      return `Heartbeat ${layer.bytes[record.at + record.header] === 2 ? 'Response' : 'Request'}`;
    default:
      return CONTENT_TYPES[type] ?? `Content type ${type}`;
  }
}

/** What stands behind the header of a record. */
export function walkContent(tree: Tree, rows: TlsRows, record: TlsRecord, layer: Layer, datagram: boolean): void {
  const { plain, encrypted, end } = record;
  const from = record.at + record.header;
  const length = Math.max(0, Math.min(end, tree.limit) - from);
  if (record.type === APPLICATION_DATA) tree.add(rows.applicationData, from, length);
  const own = tree.bytes;
  const { limit } = tree;
  let at = from;
  let stop = from + length;
  if (plain !== undefined) {
    tree.bytes = plain;
    tree.limit = stop = plain.length;
    at = 0;
  }
  switch (record.plainType) {
    case CHANGE_CIPHER_SPEC:
      if (tree.open(rows.changeCipherSpec, at, Math.min(1, stop - at))) {
        if (record.resumed) tree.put(rows.resumed, true);
        tree.close();
      }
      break;
    case ALERT:
      tree.open(rows.alert, at, stop - at);
      if (!encrypted) {
        tree.add(rows.alertLevel, at);
        tree.add(rows.alertDescription, at + 1);
      }
      tree.close();
      break;
    case HANDSHAKE:
      if (encrypted) tree.openPut(rows.handshake, true, at, stop - at).text = 'Handshake Protocol: Encrypted Handshake Message';
      if (encrypted) tree.close();
      for (const message of record.messages) walkMessage(tree, rows, message, layer, datagram);
      if (record.fragment !== undefined && record.messages.length === 0) {
        tree.openPut(rows.handshake, true, at, stop - at).text = 'Handshake Protocol: part of a message';
        tree.close();
      }
      break;
    case APPLICATION_DATA:
      if (plain !== undefined) tree.add(rows.segment, 0, plain.length);
      if (record.application !== undefined) tree.put(rows.applicationProtocol, record.application);
      break;
    case HEARTBEAT:
      tree.open(rows.heartbeat, at, stop - at);
      if (!encrypted && tree.add(rows.heartbeatType, at) && tree.add(rows.heartbeatLength, at + 1)) {
        // RFC 6520 section 4: at least 16 octets of padding follow; who answers more than was sent bleeds.
        if (u16(tree.bytes, at + 1) + 19 > stop - at) tree.put(rows.heartbeatLie, true);
      }
      tree.close();
      break;
    default:
  }
  tree.bytes = own;
  tree.limit = limit;
}

/** A hello of SSL 2.0: length with its high bit set, type, version, then three lengths and what they count. */
function walkOld(tree: Tree, layer: Tls): void {
  const { bytes: b, start, captured } = layer;
  tree.openPut(rows.record, true, start, captured - start).text = 'SSLv2 Record Layer';
  tree.put(rows.recordVersion, 0x0002, start, 0);
  tree.put(rows.recordLength, u16(b, start) & 0x7fff, start, 2);
  tree.add(rows.type, start + 2);
  if (b[start + 2] === 1) {
    tree.add(rows.version, start + 3);
    const lengths: readonly Field[] = [rows.cipherSpecsLength, rows.sessionIdLength, rows.challengeLength];
    for (let i = 0; i < 3; i++) tree.add(lengths[i]!, start + 5 + 2 * i, 2);
    let at = start + 11;
    const specs = Math.min(captured, at + u16(b, start + 5));
    tree.open(rows.cipherSuites, at, Math.max(0, specs - at));
    for (; at + 3 <= specs; at += 3) tree.add(rows.cipherSpec, at);
    tree.close();
    const id = u16(b, start + 7);
    if (id > 0) tree.add(rows.sessionId, at, id);
    tree.add(rows.challenge, at + id, u16(b, start + 9));
  }
  tree.close();
}

/** The length of the record at `at` with its header, as far as three octets tell: 0 when it is none. */
function recordLength(b: Uint8Array, at: number): number {
  const type = b[at]!;
  if (type < CHANGE_CIPHER_SPEC || type > HEARTBEAT || b[at + 1] !== 3 || b[at + 2]! > 4) return 0;
  const length = u16(b, at + 3);
  return length <= MAX_CONTENT ? HEADER + length : 0;
}

/** The length of the hello of SSL 2.0 at `at`; 0 when it is none. Needs nine octets. */
function oldLength(b: Uint8Array, at: number): number {
  if ((b[at]! & 0x80) === 0) return 0;
  const length = (u16(b, at) & 0x7fff) + 2;
  if (b[at + 2] === 1 && length < 512) {
    const version = u16(b, at + 3);
    const specs = u16(b, at + 5);
    const parts = 11 + specs + u16(b, at + 7);
    return (version === 2 || version >> 8 === 3) && specs > 0 && specs % 3 === 0 && parts < length ? length : 0;
  }
  return 0;
}

const isPrintable = (octet: number): boolean => octet >= 0x20 && octet < 0x7f;

class TlsParser implements StreamParser {
  /** Octets that the record under way lacks. */
  need = 0;
  private first = true;
  private readonly fromServer: boolean;

  constructor(private readonly context: StreamContext) {
    this.fromServer = !context.fromClient;
  }

  measure(b: Uint8Array, start: number, end: number): number {
    this.need = 0;
    if (this.first && (b[start]! & 0x80) !== 0) {
      if (end - start < 9) return this.lacks(9 - (end - start));
      const old = oldLength(b, start);
      if (old === 0) return this.unknown(b, start, end);
      return start + old <= end ? old : this.lacks(start + old - end);
    }
    // All whole records are one message, so that a segment has one layer; each header is looked at once, or twice if it is the last.
    let at = start;
    for (;;) {
      if (at + HEADER > end) {
        if (at > start) return at - start;
        if (b[at]! < CHANGE_CIPHER_SPEC || b[at]! > HEARTBEAT || (at + 1 < end && b[at + 1] !== 3)) return this.unknown(b, at, end);
        return this.lacks(at + HEADER - end);
      }
      const length = recordLength(b, at);
      if (length === 0) return at > start ? at - start : this.unknown(b, at, end);
      if (at + length > end) return at > start ? at - start : this.lacks(at + length - end);
      at += length;
    }
  }

  /** No record begins at `start`. Where one may begin is not known before the next segment. */
  private unknown(b: Uint8Array, start: number, end: number): number {
    // Text on a port of TLS is another protocol, and FTP goes back to it (RFC 4217 section 12.3); anything else may be the
    // middle of a record, of which one in 2700 looks like that much text.
    const least = this.first ? 4 : 8;
    const most = start + TEXT;
    let at = start;
    while (at < most && at < end && isPrintable(b[at]!)) at++;
    // What text it is, a line or its beginning tells.
    if (this.first && at > start && at < most && (at === end || (b[at] === CR && at + 1 === end))) return MORE;
    const isText = at >= start + least;
    if (isText) this.context.become(undefined);
    return this.first || isText ? ALIEN : end - start;
  }

  private lacks(octets: number): number {
    this.need = octets;
    return MORE;
  }

  dissect(frame: Frame, start: number, end: number): void {
    this.add(frame, start, end, false);
  }

  partial(frame: Frame, start: number, end: number): number {
    const held = Math.min(end, frame.captured);
    if (held - start < HEADER || (this.first && (frame.bytes[start]! & 0x80) !== 0)) {
      frame.data(start, end);
      return 0;
    }
    this.add(frame, start, end, true);
    return Math.max(0, start + recordLength(frame.bytes, start) - end);
  }

  /** The layer of the records in `[start, end)`. */
  private add(frame: Frame, start: number, end: number, incomplete: boolean): void {
    const { bytes: b } = frame;
    const tls = new Tls(frame, start, end);
    tls.isOld = this.first && (b[start]! & 0x80) !== 0;
    tls.incomplete = incomplete;
    this.first = false;
    frame.push(tls);
    tls.isUnknown = !tls.isOld && recordLength(b, start) === 0;
    if (tls.isOld || tls.isUnknown) {
      tls.records = [];
      return;
    }
    const { context } = this;
    const connection = ((context.shared as TlsConnection | undefined) ??
      (context.shared = new TlsConnection(frame, 't', context.srcPort, context.tunnelPort ?? context.dstPort))) as TlsConnection;
    connection.frame = frame.number;
    tls.connection = connection;
    const records: TlsRecord[] = [];
    tls.records = records;
    for (let at = start; at + HEADER <= tls.captured; ) {
      const length = recordLength(b, at);
      // What is left of a record that was cut off begins with a good header, too.
      if (length === 0) break;
      records.push(connection.record(b, at, HEADER, at + length, tls.captured, this.fromServer));
      at += length;
    }
    for (const record of records) connection.deliver(frame, record, this.fromServer);
  }

  hole(): void {
    (this.context.shared as TlsConnection | undefined)?.gap(this.fromServer);
  }

  /** At the start of what came, if it looks like a record: inside encrypted octets nothing can be told. */
  resync(b: Uint8Array, start: number, end: number): number {
    return end - start >= HEADER && recordLength(b, start) > 0 ? start : end;
  }
}

/** A record of a likely length, behind which, if there is more, another begins; or a hello of SSL 2.0. */
function recognise(b: Uint8Array, start: number, end: number): boolean {
  if (end - start < 6) return false;
  if (b[start]! & 0x80) return end - start >= 11 && oldLength(b, start) > 0;
  const length = recordLength(b, start);
  if (length <= HEADER) return false;
  const at = start + HEADER;
  switch (b[start]) {
    case CHANGE_CIPHER_SPEC:
      if (length !== HEADER + 1 || b[at] !== 1) return false;
      break;
    case ALERT:
      if (length === HEADER + 2 && b[at] !== 1 && b[at] !== 2) return false;
      break;
    case HANDSHAKE:
      // A hello says what it is; later messages may be encrypted.
      if (b[at] === 1 && end - at >= 6 && (u24(b, at + 1) < 38 || b[at + 4] !== 3)) return false;
      break;
    default:
  }
  const next = start + length;
  return next + HEADER > end || recordLength(b, next) > 0;
}

export const tlsStream: StreamProtocol = { name: 'tls', parser: (context) => new TlsParser(context), recognise };

export const tls: ProtocolEntry = { name: 'tls', layers: [Tls], stream: tlsStream, on: [tcpPorts.at(PORTS, tlsStream)] };
