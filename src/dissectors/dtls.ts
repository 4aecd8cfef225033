/**
 * Datagram Transport Layer Security 1.0 and 1.2, over UDP: TLS whose records say their number and whose handshake messages
 * come in fragments.
 *
 * RFC 6347 (DTLS 1.2), RFC 4347 (1.0).
 *
 *     0      1           3       5                 11         13
 *     type   version     epoch   sequence number   length     content
 */
import { many, uint16, uint48 } from '../core/field.js';
import { layer, type Tree } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { type Dissect, type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { lastingRecords, walkContent, writeRecords } from './tls.js';
import { TlsConnection, type TlsRecord } from './tls-connection.js';
import { shortVersion } from './tls-names.js';
import { tlsRows } from './tls-rows.js';

/** Octets before a record's content. */
const HEADER = 13;
const MAX_CONTENT = 16_384 + 2048;
/** CoAP over DTLS (RFC 7252). Elsewhere it is recognised. */
const COAPS = 5684;

const CHANGE_CIPHER_SPEC = 20;
const HANDSHAKE = 22;
const HEARTBEAT = 24;
const CLIENT_HELLO = 1;

const common = tlsRows('dtls');
const { record, contentType, opaqueType, recordVersion, recordLength, ...others } = common;
const rows = {
  record,
  contentType,
  opaqueType,
  recordVersion,
  epoch: many(uint16('dtls.record.epoch', 'Epoch')),
  sequenceNumber: many(uint48('dtls.record.sequence_number', 'Sequence Number')),
  recordLength,
  ...others,
};

/** A connection, and who began it. */
export interface DtlsTalk {
  readonly connection: TlsConnection;
  clientPort: number;
  clientKnown: boolean;
}

/** The records of a datagram. */
export class Dtls extends layer('dtls', 'Datagram Transport Layer Security', rows) {
  declare records: readonly TlsRecord[];
  /** What they belong to; undefined where an ICMP error quotes them. */
  declare connection: TlsConnection | undefined;

  override get shortName(): string {
    const last = this.records?.[this.records.length - 1];
    return (last && shortVersion(last.version)) ?? 'DTLS';
  }

  override lasting(_copyOf: (octets: Uint8Array) => Uint8Array, shift: number): PropertyDescriptorMap {
    return { records: lastingRecords(this, this.records ?? [], shift) };
  }

  override walk(tree: Tree): void {
    for (const found of this.records ?? []) {
      const { at, end } = found;
      tree.openPut(rows.record, true, at, Math.min(end, tree.limit) - at).text = `${shortVersion(found.version) ?? 'DTLS'} Record Layer`;
      tree.add(rows.contentType, at);
      tree.add(rows.recordVersion, at + 1);
      tree.add(rows.epoch, at + 3);
      tree.add(rows.sequenceNumber, at + 5);
      tree.add(rows.recordLength, at + 11);
      walkContent(tree, rows, found, this, true);
      tree.close();
    }
  }

  override summary(out: TextBuffer): void {
    writeRecords(out, this.records, this);
  }
}

/** Where the record at `at` ends, as its header says; 0 when it is none. */
function recordEnd(b: Uint8Array, at: number): number {
  const type = b[at]!;
  if (type < CHANGE_CIPHER_SPEC || type > HEARTBEAT) return 0;
  const version = u16(b, at + 1);
  if (version !== 0xfeff && version !== 0xfefd && version !== 0x0100) return 0;
  const length = u16(b, at + 11);
  return length <= MAX_CONTENT ? at + HEADER + length : 0;
}

export const dissectDtls: Dissect = (frame, start, end) => {
  const { bytes: b } = frame;
  const dtls = new Dtls(frame, start, end);
  if (!frame.add(dtls, HEADER)) return;
  const records: TlsRecord[] = [];
  dtls.records = records;
  const ports = frame.transport;
  const talk = frame.session.hooks.dtls?.(frame) as DtlsTalk | undefined;
  const connection = talk?.connection ?? new TlsConnection(frame, 'd', ports?.srcPort ?? 0, ports?.dstPort ?? 0);
  const srcPort = ports?.srcPort ?? 0;
  connection.frame = frame.number;
  if (frame.quoted === 0) dtls.connection = connection;
  if (talk !== undefined && !talk.clientKnown && b[start] === HANDSHAKE && b[start + HEADER] === CLIENT_HELLO) {
    talk.clientPort = srcPort;
    talk.clientKnown = true;
  }
  const fromServer = talk !== undefined && talk.clientPort !== srcPort;
  // Each record has thirteen octets at least.
  for (let at = start; at + HEADER <= dtls.captured; ) {
    const stop = recordEnd(b, at);
    if (stop === 0 || stop > end) {
      frame.malformed(dtls, stop - start);
      break;
    }
    records.push(connection.record(b, at, HEADER, stop, dtls.captured, fromServer));
    at = stop;
  }
  for (const found of records) connection.deliver(frame, found, fromServer);
};

/** Records with good headers, one behind the other, that fill the datagram. */
function recognise(b: Uint8Array, start: number, end: number): boolean {
  if (end - start <= HEADER || b[start + 1] !== 0xfe) return false;
  let at = start;
  while (at + HEADER <= end) {
    const stop = recordEnd(b, at);
    if (stop === 0) return false;
    at = stop;
  }
  // Of a datagram that the capture cut short the last record goes on.
  return at >= end;
}

export const dtls: ProtocolEntry = {
  name: 'dtls',
  layers: [Dtls],
  dissect: dissectDtls,
  on: [udpPorts.at(COAPS, dissectDtls)],
  recogniser: { over: 'udp', recognise },
};
