/**
 * Internet Group Management Protocol, versions 0 to 3, and multicast traceroute.
 *
 * RFC 988 (version 0), RFC 1112 (1), RFC 2236 (2), RFC 3376 (3), draft-ietf-idmr-traceroute-ipm (traceroute).
 *
 *     0      1          2          4       8
 *     | type | max resp | checksum | group | version 3 query: flags, interval, number of sources, sources …
 *     | type | reserved | checksum | reserved, number of records | version 3 report: records …
 */
import { foldChecksum, sumWords } from '../core/checksum.js';
import { bits, bytes, computed, expert, flag, group, ipv4, list, many, uint8, uint16, uint24, uint32 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { type Dissect, ipProtocols, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { CHECKSUM_STATUS } from './ip-protocols.js';

const QUERY = 0x11;
const REPORT_1 = 0x12;
const DVMRP = 0x13;
const PIM = 0x14;
const REPORT_2 = 0x16;
const LEAVE = 0x17;
const TRACE_RESPONSE = 0x1e;
const TRACE = 0x1f;
const REPORT_3 = 0x22;

const TYPE: Readonly<Record<number, string>> = {
  1: 'Create Group Request',
  2: 'Create Group Reply',
  3: 'Join Group Request',
  4: 'Join Group Reply',
  5: 'Leave Group Request',
  6: 'Leave Group Reply',
  7: 'Confirm Group Request',
  8: 'Confirm Group Reply',
  [QUERY]: 'Membership Query',
  [REPORT_1]: 'Membership Report',
  [DVMRP]: 'DVMRP Protocol',
  [PIM]: 'PIM Routing Message',
  [REPORT_2]: 'Membership Report',
  [LEAVE]: 'Leave Group',
  [TRACE_RESPONSE]: 'Traceroute Response',
  [TRACE]: 'Traceroute Query or Request',
  [REPORT_3]: 'Membership Report',
};

const RECORD: Readonly<Record<number, string>> = {
  1: 'Mode Is Include',
  2: 'Mode Is Exclude',
  3: 'Change To Include Mode',
  4: 'Change To Exclude Mode',
  5: 'Allow New Sources',
  6: 'Block Old Sources',
};

const FORWARDING: Readonly<Record<number, string>> = {
  0: 'NO_ERROR',
  1: 'WRONG_IF',
  2: 'PRUNE_SENT',
  3: 'PRUNE_RCVD',
  4: 'SCOPED',
  5: 'NO_ROUTE',
  6: 'WRONG_LAST_HOP',
  7: 'NOT_FORWARDING',
  8: 'REACHED_RP',
  9: 'RPF_IF',
  10: 'NO_MULTICAST',
  11: 'INFO_HIDDEN',
  129: 'NO_SPACE',
  130: 'OLD_ROUTER',
  131: 'ADMIN_PROHIB',
};

const typeOf = (l: Layer): number => l.bytes[l.start]!;
const sizeOf = (l: Layer): number => l.end - l.start;

/** What the version is told by: the type, and for queries length and code (RFC 3376 section 7.1). */
function versionOf(l: Layer): number | undefined {
  if (l.captured <= l.start) return undefined;
  const type = typeOf(l);
  switch (type) {
    case QUERY:
      if (sizeOf(l) >= 12) return 3;
      return l.captured > l.start + 1 ? (l.bytes[l.start + 1] === 0 ? 1 : 2) : undefined;
    case REPORT_1:
      return 1;
    case REPORT_2:
    case LEAVE:
      return 2;
    case REPORT_3:
      return 3;
    default:
      return type >= 1 && type <= 8 ? 0 : undefined;
  }
}

/** Is it a message whose form is known? All of those have a checksum in the third and fourth octet. */
const isKnown = (l: Layer): boolean => {
  const type = typeOf(l);
  return type === TRACE || type === TRACE_RESPONSE || versionOf(l) !== undefined;
};

/** Codes from 128 on are a mantissa and an exponent (RFC 3376 section 4.1.1). */
const decode = (code: number): number => (code < 128 ? code : ((code & 15) | 16) << (((code >> 4) & 7) + 3));

const record = {
  type: uint8('igmp.record_type', 'Record Type', { values: RECORD }),
  auxLength: uint8('igmp.aux_data_len', 'Aux Data Len'),
  sources: uint16('igmp.num_src', 'Num Src'),
  group: ipv4('igmp.maddr', 'Multicast Address'),
  addresses: many(ipv4('igmp.saddr', 'Source Address')),
  aux: bytes('igmp.aux_data', 'Aux Data'),
};
const records = list('igmp.records', 'Group Records', record);

const hop = {
  arrival: uint32('igmp.mtrace.q_arrival', 'Query Arrival'),
  incoming: ipv4('igmp.mtrace.q_inaddr', 'In itf addr'),
  outgoing: ipv4('igmp.mtrace.q_outaddr', 'Out itf addr'),
  previous: ipv4('igmp.mtrace.q_prevrtr', 'Previous rtr addr'),
  inPackets: uint32('igmp.mtrace.q_inpkt', 'In pkts'),
  outPackets: uint32('igmp.mtrace.q_outpkt', 'Out pkts'),
  total: uint32('igmp.mtrace.q_total', 'S,G pkt count'),
  routing: uint8('igmp.mtrace.q_rtg_proto', 'Rtg Protocol'),
  ttl: uint8('igmp.mtrace.q_fwd_ttl', 'FwdTTL'),
  zero: bits('igmp.mtrace.q_mbz', 'MBZ', undefined, 8, 0x80, { base: 'hex' }),
  networkCount: bits('igmp.mtrace.q_s', 'S', undefined, 8, 0x40, { base: 'hex' }),
  mask: bits('igmp.mtrace.q_src_mask', 'Src Mask', undefined, 8, 0x3f, { base: 'hex' }),
  code: uint8('igmp.mtrace.q_fwd_code', 'Forwarding Code', { base: 'hex', values: FORWARDING }),
};
const hops = list('igmp.mtrace.hops', 'Response data blocks', hop);

const rows = {
  version: computed('uint8', 'igmp.version', 'IGMP Version', versionOf),
  type: uint8('igmp.type', 'Type', 0, { base: 'hex', values: TYPE }),
  groupType: uint8('igmp.group_type', 'Type Of Group', { values: { 0: 'Public Group', 1: 'Private Group' } }),
  reply: uint8('igmp.reply', 'Reply'),
  ...group(
    { maxResponse: uint8('igmp.max_resp', 'Max Resp Time') },
    {
      exponent: bits('igmp.max_resp.exp', 'Exponent', undefined, 8, 0x70, { base: 'hex' }),
      mantissa: bits('igmp.max_resp.mant', 'Mantissa', undefined, 8, 0x0f, { base: 'hex' }),
    },
  ),
  maxHops: uint8('igmp.mtrace.max_hops', '# hops'),
  ...group(
    { checksum: uint16('igmp.checksum', 'Checksum', 2, { base: 'hex', when: isKnown }) },
    {
      checksumStatus: computed('uint8', 'igmp.checksum.status', 'Checksum Status', (l) => checksumStatus(l), { values: CHECKSUM_STATUS }),
      checksumBad: expert('warn', 'checksum', 'igmp.bad_checksum', 'Bad checksum', (l) => checksumStatus(l) === 0),
    },
  ),
  reserved: many(bytes('igmp.reserved', 'Reserved')),
  identifier: uint32('igmp.identifier', 'Identifier'),
  group: ipv4('igmp.maddr', 'Multicast Address'),
  accessKey: bytes('igmp.access_key', 'Access Key'),
  suppress: flag('igmp.s', 'S', undefined, 0x08),
  robustness: bits('igmp.qrv', 'QRV', undefined, 8, 0x07),
  interval: uint8('igmp.qqic', 'QQIC'),
  sources: uint16('igmp.num_src', 'Num Src'),
  addresses: many(ipv4('igmp.saddr', 'Source Address')),
  recordCount: uint16('igmp.num_grp_recs', 'Num Group Records'),
  records,
  traceSource: ipv4('igmp.mtrace.saddr', 'Source Address'),
  traceReceiver: ipv4('igmp.mtrace.raddr', 'Receiver Address'),
  traceResponse: ipv4('igmp.mtrace.rspaddr', 'Response Address'),
  traceTtl: uint8('igmp.mtrace.resp_ttl', 'Response TTL'),
  traceId: uint24('igmp.mtrace.q_id', 'Query ID'),
  hops,
  data: bytes('igmp.data', 'Data'),
};

/** An IGMP message of any version. */
export class Igmp extends layer('igmp', 'Internet Group Management Protocol', rows) {
  override get shortName(): string {
    const version = versionOf(this);
    return version === undefined ? 'IGMP' : `IGMPv${version}`;
  }

  override walk(tree: Tree): void {
    const { start, captured } = this;
    if (captured <= start) return;
    const type = typeOf(this);
    switch (versionOf(this)) {
      case 0:
        if (type === 1) tree.add(rows.groupType, start + 1);
        else if ((type & 1) === 0) tree.add(rows.reply, start + 1);
        tree.add(rows.identifier, start + 4);
        tree.add(rows.group, start + 8);
        tree.add(rows.accessKey, start + 12, 8);
        return;
      case 1:
        tree.add(rows.reserved, start + 1, 1);
        tree.add(rows.group, start + 4);
        return this.walkRest(tree, start + 8);
      case 2:
        tree.add(rows.maxResponse, start + 1);
        tree.add(rows.group, start + 4);
        return this.walkRest(tree, start + 8);
      case 3:
        if (type === QUERY) this.walkQuery(tree);
        else this.walkReport(tree);
        return;
    }
    if (type === TRACE || type === TRACE_RESPONSE) this.walkTrace(tree);
    else if (captured > start + 1) tree.add(rows.data, start + 1, captured - start - 1);
  }

  private walkRest(tree: Tree, at: number): void {
    if (this.captured > at) tree.add(rows.data, at, this.captured - at);
  }

  private walkQuery(tree: Tree): void {
    const { bytes: b, start, captured } = this;
    const code = b[start + 1]!;
    tree.openPut(rows.maxResponse, decode(code), start + 1, 1);
    if (code >= 128) {
      tree.add(rows.exponent, start + 1, 1);
      tree.add(rows.mantissa, start + 1, 1);
    }
    tree.close();
    tree.add(rows.group, start + 4);
    tree.add(rows.suppress, start + 8, 1);
    tree.add(rows.robustness, start + 8, 1);
    tree.add(rows.interval, start + 9);
    if (!tree.add(rows.sources, start + 10)) return;
    let at = start + 12;
    for (let n = u16(b, start + 10); n > 0 && at + 4 <= captured; n--, at += 4) tree.add(rows.addresses, at);
    this.walkRest(tree, at);
  }

  private walkReport(tree: Tree): void {
    const { bytes: b, start } = this;
    const end = Math.min(this.captured, this.end);
    tree.add(rows.reserved, start + 1, 1);
    tree.add(rows.reserved, start + 4, 2);
    if (!tree.add(rows.recordCount, start + 6)) return;
    let at = start + 8;
    // Each record takes eight octets at least.
    for (let n = u16(b, start + 6); n > 0 && at + 8 <= end; n--) {
      const size = recordSize(b, at);
      tree.item(records, at, size, `Group Record: ${RECORD[b[at]!] ?? `type ${b[at]}`}`);
      tree.add(record.type, at);
      tree.add(record.auxLength, at + 1);
      tree.add(record.sources, at + 2);
      tree.add(record.group, at + 4);
      const aux = at + 8 + 4 * u16(b, at + 2);
      for (let i = at + 8; i < aux && i + 4 <= end; i += 4) tree.add(record.addresses, i);
      if (b[at + 1]! > 0) tree.add(record.aux, aux, 4 * b[at + 1]!);
      tree.close();
      at += size;
    }
    this.walkRest(tree, at);
  }

  private walkTrace(tree: Tree): void {
    const { start } = this;
    tree.add(rows.maxHops, start + 1);
    tree.add(rows.group, start + 4);
    tree.add(rows.traceSource, start + 8);
    tree.add(rows.traceReceiver, start + 12);
    tree.add(rows.traceResponse, start + 16);
    tree.add(rows.traceTtl, start + 20);
    tree.add(rows.traceId, start + 21);
    for (let at = start + 24; at + 32 <= this.captured; at += 32) {
      tree.item(hops, at, 32);
      tree.add(hop.arrival, at);
      tree.add(hop.incoming, at + 4);
      tree.add(hop.outgoing, at + 8);
      tree.add(hop.previous, at + 12);
      tree.add(hop.inPackets, at + 16);
      tree.add(hop.outPackets, at + 20);
      tree.add(hop.total, at + 24);
      tree.add(hop.routing, at + 28);
      tree.add(hop.ttl, at + 29);
      tree.add(hop.zero, at + 30, 1);
      tree.add(hop.networkCount, at + 30, 1);
      tree.add(hop.mask, at + 30, 1);
      tree.add(hop.code, at + 31);
      tree.close();
    }
  }

  override summary(out: TextBuffer): void {
    const { bytes: b, start, captured } = this;
    const type = typeOf(this);
    const name = TYPE[type];
    if (name === undefined) {
      out.ascii('Unknown Type:0x');
      out.hex(type, 2);
      return;
    }
    out.ascii(name);
    if (captured < start + 8) return;
    if (!versionOf(this)) return;
    if (type === REPORT_3) return this.writeRecords(out);
    const to = u32(b, start + 4);
    if (type !== QUERY) {
      out.ascii(type === LEAVE ? ' ' : ' group ');
      out.ipv4(to);
    } else if (to === 0) out.ascii(', general');
    else {
      out.ascii(', specific for group ');
      out.ipv4(to);
      if (versionOf(this) === 3 && captured >= start + 12) writeSources(out, b, start + 12, u16(b, start + 10), captured, ', source');
    }
  }

  /** What each record asks for, in words; a record of a mode with no sources is a join or a leave. */
  private writeRecords(out: TextBuffer): void {
    const { bytes: b, start } = this;
    const end = Math.min(this.captured, this.end);
    let at = start + 8;
    for (let n = u16(b, start + 6); n > 0 && at + 8 <= end; n--) {
      const type = b[at]!;
      const sources = u16(b, at + 2);
      const group = u32(b, at + 4);
      const includes = type === 1 || type === 3;
      out.ascii(' / ');
      if (type === 5 || type === 6) {
        writeSources(out, b, at + 8, sources, end, type === 5 ? 'New source' : 'Blocked source');
        out.ascii(' for group ');
        out.ipv4(group);
      } else if (sources > 0) {
        out.ascii('Join group ');
        out.ipv4(group);
        writeSources(out, b, at + 8, sources, end, includes ? ' for source' : ', not for source');
      } else {
        out.ascii(includes ? 'Leave group ' : 'Join group ');
        out.ipv4(group);
        if (!includes) out.ascii(' for any sources');
      }
      at += recordSize(b, at);
    }
  }
}

/** ` {192.0.2.1, 192.0.2.2}` after `before`, as many as were captured. */
function writeSources(out: TextBuffer, b: Uint8Array, start: number, count: number, end: number, before: string): void {
  if (count === 0) return;
  out.ascii(before);
  out.ascii(' {');
  for (let i = 0, at = start; i < count && at + 4 <= end; i++, at += 4) {
    if (i > 0) out.ascii(', ');
    out.ipv4(u32(b, at));
  }
  out.ascii('}');
}

/** Octets of a version 3 report's record. */
const recordSize = (b: Uint8Array, at: number): number => 8 + 4 * u16(b, at + 2) + 4 * b[at + 1]!;

/** Always verified: the messages are few and short. */
function checksumStatus(l: Layer): number | undefined {
  if (l.start + 4 > l.captured || !isKnown(l)) return undefined;
  if (l.end > l.captured) return 2;
  return foldChecksum(sumWords(l.bytes, l.start, l.end)) === 0 ? 1 : 0;
}

/** DVMRP and PIM version 1 travel as IGMP messages; nothing but the type is IGMP's in them. */
class Foreign extends layer('igmp', 'Internet Group Management Protocol', {}) {
  override summary(out: TextBuffer): void {
    out.text(TYPE[typeOf(this)] ?? '');
  }
}

export const dissectIgmp: Dissect = (frame, start, end) => {
  const type = start < frame.captured ? frame.bytes[start]! : 0;
  if (type === DVMRP || type === PIM) {
    frame.add(new Foreign(frame, start, end), 4);
    return;
  }
  const igmp = new Igmp(frame, start, end);
  if (!frame.add(igmp, 4)) return;
  if (versionOf(igmp) !== undefined) frame.require(igmp, 8);
};

export const igmp: ProtocolEntry = { name: 'igmp', layers: [Igmp], dissect: dissectIgmp, on: [ipProtocols.at(2, dissectIgmp)] };
