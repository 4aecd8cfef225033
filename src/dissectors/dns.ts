/**
 * Domain Name System: which address, which mail server, which anything a name has; also its link-local kin, multicast DNS
 * and LLMNR.
 *
 * RFC 1035 section 4 (messages; over TCP with a length before each), RFC 2136 (update), RFC 8490 (stateful operations),
 * RFC 6762 (multicast DNS), RFC 4795 (LLMNR).
 *
 *     0    2       4         6         8             10           12
 *     | id | flags | queries | answers | authorities | additional | queries … | answers … | authorities … | additional …
 *
 *     flags:  response 1, opcode 4, authoritative 1, truncated 1, recursion desired 1, available 1, zero 1, authentic data 1,
 *             checking disabled 1, response code 4
 */
import { bits, bytes, computed, expert, type Field, type Fields, flag, group, list, string, uint16, uint32 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer, type Mood, type Tree } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import type { Plain } from '../core/plain.js';
import { type ProtocolEntry, tcpPorts, udpPorts } from '../core/registry.js';
import { ALIEN, MORE, type StreamParser, type StreamProtocol } from '../core/stream.js';
import type { TextBuffer } from '../core/text.js';
import type { Nanoseconds } from '../core/time.js';
import { writeRecord } from './dns-info.js';
import { writePlainDns } from './dns-json.js';
import { looksLikeName, readName, skipName, writeName } from './dns-names.js';
import { RECORD_FIXED, recordRows, walkRecord } from './dns-records.js';
import { CLASS, INVERSE_QUERY, IXFR, NOTIFY, OPCODE, QUERY, RCODE, SOA, STATEFUL, TYPE, typeName, UPDATE } from './dns-values.js';

export const HEADER_LENGTH = 12;
const MULTICAST_PORT = 5353;
const LLMNR_PORT = 5355;

/** How a message stands to others of its exchange. Found by what follows conversations. */
export interface DnsExchange {
  /** Frame of the question that a first answer belongs to, and the time between them. */
  readonly request?: number;
  readonly time?: Nanoseconds;
  /** Frame of the same question, or of the first answer, sent before. */
  readonly repeats?: number;
  /** An answer that nobody asked for, as far as was captured. */
  readonly unsolicited?: true;
}

const flagsOf = (l: Layer) => u16(l.bytes, l.start + 2);
const isResponse = (l: Layer) => (flagsOf(l) & 0x8000) !== 0;
const opcodeOf = (l: Layer) => (flagsOf(l) >> 11) & 15;
const isUpdate = (l: Layer) => opcodeOf(l) === UPDATE;
/** Operations stand in place of the sections, whose counts are then all 0 (RFC 8490 section 5.4). */
const isStateful = (l: Layer) => {
  if (opcodeOf(l) !== STATEFUL) return false;
  for (let i = l.start + 4; i < l.start + HEADER_LENGTH && i < l.captured; i++) if (l.bytes[i] !== 0) return false;
  return true;
};
const isNoUpdate = (l: Layer) => !isUpdate(l);
/** What a message was carried by, as far as it decides how to read it. */
export type DnsKind = 'dns' | 'mdns' | 'llmnr';

/** What the rows need to know of the class declared with them. */
interface Message extends Layer {
  readonly kind: DnsKind;
  readonly prefixed: number | undefined;
  readonly whole: boolean;
  readonly exchange: DnsExchange | undefined;
}

const isLlmnr = (l: Layer) => (l as Message).kind === 'llmnr';
const isPlain = (l: Layer) => !isLlmnr(l);
const isPlainResponse = (l: Layer) => isPlain(l) && isResponse(l);

const queryRows = {
  name: string('dns.qry.name', 'Name'),
  nameLength: uint16('dns.qry.name.len', 'Name Length', { unit: 'bytes' }),
  labels: uint16('dns.count.labels', 'Label Count'),
  type: uint16('dns.qry.type', 'Type', { values: TYPE }),
  class: uint16('dns.qry.class', 'Class', { base: 'hex', values: CLASS }),
  /** In mDNS the class's highest bit asks for a unicast answer (RFC 6762 section 5.4). */
  unicast: flag('dns.qry.qu', '"QU" question', undefined, 0x8000, 16),
};

const DSO_TYPE: Readonly<Record<number, string>> = {
  1: 'Keepalive',
  2: 'Retry delay',
  3: 'Encryption padding',
  64: 'Subscribe',
  65: 'Push',
  66: 'Unsubscribe',
  67: 'Reconfirm',
};
const dsoRows = {
  type: uint16('dns.dso.tlv.type', 'Type', { values: DSO_TYPE }),
  length: uint16('dns.dso.tlv.length', 'Length', { unit: 'bytes' }),
  inactivity: uint32('dns.dso.tlv.keepalive.inactivity', 'Inactivity Timeout', { unit: 'ms' }),
  interval: uint32('dns.dso.tlv.keepalive.interval', 'Keepalive Interval', { unit: 'ms' }),
  retryDelay: uint32('dns.dso.tlv.retrydelay.retrydelay', 'Retry Delay', { unit: 'ms' }),
  padding: bytes('dns.dso.tlv.encpad.padding', 'Padding'),
  data: bytes('dns.dso.tlv.data', 'Data'),
};

const exchange = (l: Layer) => (l as Message).exchange;
const isAnswer = (l: Layer) => exchange(l)?.request !== undefined;

const fields = {
  length: computed('uint16', 'dns.length', 'Length', (l: Message) => l.prefixed, { unit: 'bytes' }),
  id: uint16('dns.id', 'Transaction ID', 0, { base: 'hex' }),
  ...group(
    { flags: uint16('dns.flags', 'Flags', 2, { base: 'hex' }) },
    {
      response: flag('dns.flags.response', 'Response', 2, 0x8000, 16, { flags: ['Message is a response', 'Message is a query'] }),
      opcode: bits('dns.flags.opcode', 'Opcode', 2, 16, 0x7800, { values: OPCODE }),
      authoritative: flag('dns.flags.authoritative', 'Authoritative', 2, 0x0400, 16, { when: isPlainResponse }),
      conflict: flag('dns.flags.conflict', 'Conflict', 2, 0x0400, 16, { when: isLlmnr }),
      truncated: flag('dns.flags.truncated', 'Truncated', 2, 0x0200, 16),
      recursionDesired: flag('dns.flags.recdesired', 'Recursion desired', 2, 0x0100, 16, { when: isPlain }),
      tentative: flag('dns.flags.tentative', 'Tentative', 2, 0x0100, 16, { when: isLlmnr }),
      recursionAvailable: flag('dns.flags.recavail', 'Recursion available', 2, 0x0080, 16, { when: isPlainResponse }),
      zero: flag('dns.flags.z', 'Z', 2, 0x0040, 16, { when: isPlain }),
      // A question may set it to ask whether the answer is authentic (RFC 6840 section 5.7).
      authenticated: flag('dns.flags.authenticated', 'Answer authenticated', 2, 0x0020, 16, {
        when: (l) => isPlain(l) && (isResponse(l) || (flagsOf(l) & 0x20) !== 0),
      }),
      checkingDisabled: flag('dns.flags.checkdisable', 'Non-authenticated data', 2, 0x0010, 16, {
        when: isPlain,
        flags: ['Acceptable', 'Unacceptable'],
      }),
      rcode: bits('dns.flags.rcode', 'Reply code', 2, 16, 0x000f, { values: RCODE, when: isResponse }),
      deprecatedOpcode: expert(
        'note',
        'protocol',
        'dns.depr.opc',
        'Deprecated opcode',
        (l) => l.start + 4 <= l.captured && opcodeOf(l) === INVERSE_QUERY,
      ),
    },
  ),
  queryCount: uint16('dns.count.queries', 'Questions', 4, { when: isNoUpdate }),
  zoneCount: uint16('dns.count.zones', 'Zones', 4, { when: isUpdate }),
  answerCount: uint16('dns.count.answers', 'Answer RRs', 6, { when: isNoUpdate }),
  prerequisiteCount: uint16('dns.count.prerequisites', 'Prerequisites', 6, { when: isUpdate }),
  authorityCount: uint16('dns.count.auth_rr', 'Authority RRs', 8, { when: isNoUpdate }),
  updateCount: uint16('dns.count.updates', 'Updates', 8, { when: isUpdate }),
  additionalCount: uint16('dns.count.add_rr', 'Additional RRs', 10),
  queries: list('dns.queries', 'Queries', queryRows),
  answers: list('dns.answers', 'Answers', recordRows),
  authorities: list('dns.authorities', 'Authoritative nameservers', recordRows),
  additionals: list('dns.additionals', 'Additional records', recordRows),
  operations: list('dns.dso.tlv', 'DSO TLV', dsoRows),
  ...group(
    { extraneous: expert('chat', 'undecoded', 'dns.extraneous', 'Octets after the last record') },
    {
      extraneousData: bytes('dns.extraneous.data', 'Extraneous Data Bytes'),
      extraneousLength: uint32('dns.extraneous.length', 'Extraneous Data Length', { unit: 'bytes' }),
    },
  ),
  retransmission: computed('bool', 'dns.retransmission', 'Retransmission', (l) => (exchange(l)?.repeats === undefined ? undefined : true)),
  retransmitRequest: expert(
    'warn',
    'protocol',
    'dns.retransmit_request',
    'DNS query retransmission',
    (l) => exchange(l)?.repeats !== undefined && !isResponse(l),
    { message: (l: Layer) => `DNS query retransmission. Original request in frame ${exchange(l)?.repeats}` },
  ),
  retransmitRequestIn: computed('frame', 'dns.retransmit_request_in', 'Original request in', (l) =>
    isResponse(l) ? undefined : exchange(l)?.repeats,
  ),
  retransmitResponse: expert(
    'warn',
    'protocol',
    'dns.retransmit_response',
    'DNS response retransmission',
    (l) => exchange(l)?.repeats !== undefined && isResponse(l),
    { message: (l: Layer) => `DNS response retransmission. Original response in frame ${exchange(l)?.repeats}` },
  ),
  retransmitResponseIn: computed('frame', 'dns.retransmit_response_in', 'Original response in', (l) =>
    isResponse(l) ? exchange(l)?.repeats : undefined,
  ),
  request: computed('frame', 'dns.response_to', 'Request In', (l) => exchange(l)?.request, { when: isAnswer }),
  time: computed('duration', 'dns.time', 'Time', (l) => exchange(l)?.time, { when: isAnswer }),
  unsolicited: computed('bool', 'dns.unsolicited', 'Unsolicited', (l) => exchange(l)?.unsolicited),
} satisfies Fields;

const SECTIONS: readonly Field[] = [fields.answers, fields.authorities, fields.additionals];

/** A question or an answer by UDP that is neither repeated nor unsolicited. */
const plain: Plain<Message> = {
  when: (l) =>
    l.kind === 'dns' &&
    l.prefixed === undefined &&
    l.whole &&
    l.start + HEADER_LENGTH <= l.captured &&
    opcodeOf(l) === QUERY &&
    (l.exchange === undefined || l.exchange.request !== undefined),
  octets: HEADER_LENGTH,
  holds: [isPlain, isNoUpdate],
  fails: [isLlmnr, isUpdate],
  values: [fields.length, fields.retransmission, fields.retransmitRequestIn, fields.retransmitResponseIn, fields.unsolicited].map((row) => [
    row,
    undefined,
  ]),
  decided: { rows: [fields.flags], by: flagsOf },
  isQuick: true,
};

/** A DNS, multicast DNS or LLMNR message. */
export class Dns extends layer('dns', 'Domain Name System', fields, 'DNS', plain) {
  readonly kind: DnsKind = 'dns';
  /** Over TCP and QUIC: what the two octets before the message say. */
  prefixed: number | undefined = undefined;
  /** Over QUIC: the stream that its exchange has for itself. */
  lane: readonly [connection: number, stream: number] | undefined = undefined;
  exchange: DnsExchange | undefined = undefined;
  /** False when its sections run past its octets. */
  whole = true;
  /** It stands in an ICMP error. */
  quoted = false;
  /** It began in the first of several fragments, and the others never came. */
  fragment = false;

  override get mood(): Mood | undefined {
    return this.start + 4 <= this.captured && isResponse(this) && (flagsOf(this) & 15) !== 0 ? 'trouble' : undefined;
  }

  get multicast(): boolean {
    return this.kind === 'mdns';
  }

  override quickJson(out: TextBuffer): boolean {
    return !this.fragment && !isStateful(this) && writePlainDns(out, this);
  }

  override walk(tree: Tree): void {
    const { bytes: b, start, captured } = this;
    if (start + HEADER_LENGTH > captured) return;
    if (isStateful(this)) return walkOperations(tree, start + HEADER_LENGTH, this.end);
    const { multicast } = this;
    let at = start + HEADER_LENGTH;
    // Each question and each record advances by at least its fixed octets, or ends the walk.
    for (let left = u16(b, start + 4); left > 0; left--) {
      at = walkQuery(tree, at, start, captured, multicast);
      if (at < 0) return;
    }
    for (let section = 0; section < 3; section++)
      for (let left = u16(b, start + 6 + 2 * section); left > 0; left--) {
        // Half a record whose other half never came is none.
        if (this.fragment && endOfRecord(b, at, captured) < 0) return;
        at = walkRecord(tree, SECTIONS[section]!, at, start, captured, multicast);
        if (at < 0) return;
      }
    if (at < this.end && at < captured) {
      tree.openPut(fields.extraneous, true, at, this.end - at);
      tree.add(fields.extraneousData, at, captured - at);
      tree.put(fields.extraneousLength, this.end - at);
      tree.close();
    }
  }

  override summary(out: TextBuffer): void {
    const { bytes: b, start, captured } = this;
    if (start + 4 > captured) return out.ascii('DNS');
    const flags = flagsOf(this);
    const opcode = (flags >> 11) & 15;
    const { multicast } = this;
    const known = OPCODE[opcode];
    if (known !== undefined) out.ascii(known);
    else numbered(out, 'Unknown operation (', opcode);
    out.ascii(flags & 0x8000 ? ' response 0x' : ' 0x');
    out.hex(u16(b, start), 4);
    if (flags & 0x8000 && flags & 15) {
      out.byte(32);
      const reason = RCODE[flags & 15];
      if (reason !== undefined) out.ascii(reason);
      else numbered(out, 'Unknown error (', flags & 15);
    }
    if (start + HEADER_LENGTH > captured || isStateful(this)) return;
    let at = start + HEADER_LENGTH;
    for (let left = u16(b, start + 4); left > 0; left--) {
      const end = skipName(b, at, captured);
      if (end < 0 || end + 4 > captured) return;
      out.byte(32);
      out.ascii(typeName(u16(b, end)));
      out.byte(32);
      writeName(out, b, at, start, captured);
      if (multicast) out.ascii(b[end + 2]! & 0x80 ? ', "QU" question' : ', "QM" question');
      at = end + 4;
    }
    for (let left = u16(b, start + 6) + u16(b, start + 8) + u16(b, start + 10); left > 0; left--) {
      at = writeRecord(out, b, at, start, captured, multicast);
      if (at < 0) return;
    }
  }
}

function numbered(out: TextBuffer, text: string, n: number): void {
  out.ascii(text);
  out.number(n);
  out.byte(41);
}

/** Multicast DNS (RFC 6762). */
export class Mdns extends Dns {
  override readonly kind: DnsKind = 'mdns';
  override get shortName(): string {
    return 'MDNS';
  }
  override get chain(): string {
    return 'mdns';
  }
}

/** Link-local multicast name resolution (RFC 4795). */
export class Llmnr extends Dns {
  override readonly kind: DnsKind = 'llmnr';
  override get shortName(): string {
    return 'LLMNR';
  }
  override get chain(): string {
    return 'llmnr';
  }
}

function walkQuery(tree: Tree, start: number, base: number, limit: number, multicast: boolean): number {
  const b = tree.bytes;
  const at = skipName(b, start, limit);
  const name = at < 0 ? undefined : readName(b, start, base, limit);
  if (name === undefined) return -1;
  const type = at + 2 <= limit ? u16(b, at) : undefined;
  tree.item(fields.queries, start, at + 4 - start, type === undefined ? name.text : `${name.text}: ${typeName(type)}`);
  tree.put(queryRows.name, name.text, start, at - start);
  tree.put(queryRows.nameLength, name.length);
  tree.put(queryRows.labels, name.labels);
  tree.add(queryRows.type, at);
  const whole = at + 4 <= limit;
  if (multicast && whole) {
    tree.put(queryRows.class, u16(b, at + 2) & 0x7fff, at + 2, 2);
    tree.add(queryRows.unicast, at + 2);
  } else tree.add(queryRows.class, at + 2);
  tree.close();
  return whole ? at + 4 : -1;
}

/** RFC 8490 section 5.4: type, length, value. */
function walkOperations(tree: Tree, start: number, end: number): void {
  // Each advances by at least its four octets.
  for (let at = start; at + 4 <= tree.limit; ) {
    const type = u16(tree.bytes, at);
    const length = u16(tree.bytes, at + 2);
    const data = at + 4;
    tree.item(fields.operations, at, 4 + length, DSO_TYPE[type] ?? `Type ${type}`);
    tree.add(dsoRows.type, at);
    tree.add(dsoRows.length, at + 2);
    if (data + length <= end) {
      if (type === 1 && length >= 8) {
        tree.add(dsoRows.inactivity, data);
        tree.add(dsoRows.interval, data + 4);
      } else if (type === 2 && length >= 4) tree.add(dsoRows.retryDelay, data);
      else if (type === 3) tree.add(dsoRows.padding, data, length);
      else tree.add(dsoRows.data, data, length);
    }
    tree.close();
    at = data + length;
  }
}

/** Where the sections end as their counts say; -1 when they run past `end`. */
function endOfMessage(b: Uint8Array, start: number, end: number): number {
  let at = start + HEADER_LENGTH;
  for (let left = u16(b, start + 4); left > 0; left--) {
    at = skipName(b, at, end);
    if (at < 0 || at + 4 > end) return -1;
    at += 4;
  }
  for (let left = u16(b, start + 6) + u16(b, start + 8) + u16(b, start + 10); left > 0; left--) {
    at = endOfRecord(b, at, end);
    if (at < 0) return -1;
  }
  return at;
}

/** Where the record at `start` ends; -1 when that is past `end`. */
function endOfRecord(b: Uint8Array, start: number, end: number): number {
  const at = skipName(b, start, end);
  if (at < 0 || at + RECORD_FIXED > end) return -1;
  const next = at + RECORD_FIXED + u16(b, at + 8);
  return next <= end ? next : -1;
}

/** A message `[start, end)`, whose layer says what it is carried by. */
export function dissectDnsMessage(frame: Frame, dns: Dns, start: number, end: number): void {
  if (!frame.add(dns, HEADER_LENGTH)) return;
  const { bytes: b, captured } = dns;
  if (!isStateful(dns) && endOfMessage(b, start, captured) < 0) {
    dns.whole = false;
    dns.fragment = frame.fragment;
    if (captured < end) frame.require(dns, end - start);
    // In the first of several fragments it is not wrong that the rest is missing.
    else if (!frame.fragment) frame.malformed(dns, end - start);
  }
  dns.quoted = frame.quoted > 0;
  frame.session.hooks.dns?.(frame, dns);
}

export const dissectDns = (frame: Frame, start: number, end: number): void =>
  dissectDnsMessage(frame, new Dns(frame, start, end), start, end);

const dissectMdns = (frame: Frame, start: number, end: number): void => dissectDnsMessage(frame, new Mdns(frame, start, end), start, end);

const dissectLlmnr = (frame: Frame, start: number, end: number): void => dissectDnsMessage(frame, new Llmnr(frame, start, end), start, end);

/**
 * Strict enough for unknown traffic: a known opcode, one question with a plausible name, a known type and class, no
 * records in a question but those that its kind brings, all sections within the datagram and nothing after them.
 */
export function looksLikeDns(b: Uint8Array, start: number, end: number): boolean {
  if (end - start < HEADER_LENGTH + 5 || u16(b, start + 4) !== 1) return false;
  const flags = u16(b, start + 2);
  const opcode = (flags >> 11) & 15;
  if (flags & 0x0040 || (flags & 15) > 10 || (opcode !== QUERY && opcode !== NOTIFY && opcode !== UPDATE)) return false;
  const at = looksLikeName(b, start + HEADER_LENGTH, end);
  if (at < 0 || at + 4 > end || u16(b, at + 2) !== 1) return false;
  const type = u16(b, at);
  // 32 would be NetBIOS, which looks alike.
  if (TYPE[type] === undefined || type === 0 || type === 32) return false;
  // Changes are about a zone, which its SOA record stands for (RFC 1996 section 3.7, RFC 2136 section 2.3).
  if (opcode !== QUERY && type !== SOA) return false;
  if (!(flags & 0x8000)) {
    if (flags & 0x008f || (flags & 0x0400 && opcode !== NOTIFY)) return false;
    // EDNS and a signature of the message (RFC 8945) at most; who asks for changes alone says what it has (RFC 1995 section 3).
    if (u16(b, start + 10) > 2) return false;
    if (opcode === QUERY && (u16(b, start + 6) !== 0 || u16(b, start + 8) > (type === IXFR ? 1 : 0))) return false;
  }
  return endOfMessage(b, start, end) === end;
}

class DnsParser implements StreamParser {
  need = 0;

  measure(b: Uint8Array, start: number, end: number): number {
    this.need = 0;
    if (end - start < 2) return MORE;
    const length = u16(b, start);
    if (length < HEADER_LENGTH) return ALIEN;
    this.need = Math.max(0, start + 2 + length - end);
    return this.need > 0 ? MORE : 2 + length;
  }

  dissect(frame: Frame, start: number, end: number): void {
    const dns = new Dns(frame, start + 2, end);
    dns.prefixed = u16(frame.bytes, start);
    dissectDnsMessage(frame, dns, start + 2, end);
  }

  partial(frame: Frame, start: number, end: number): number {
    if (frame.captured - start < 2) {
      frame.data(start, end);
      return 0;
    }
    const stop = start + 2 + u16(frame.bytes, start);
    this.dissect(frame, start, stop);
    return Math.max(0, stop - end);
  }
}

/** Messages over TCP, each with its length before it (RFC 1035 section 4.2.2). */
export const dnsStream: StreamProtocol = {
  name: 'dns',
  sized: true,
  parser: () => new DnsParser(),
  // Others may follow the first in the same segment: questions are asked without waiting (RFC 7766 section 6.2.1.1).
  recognise: (b, start, end) => {
    if (end - start <= 2) return false;
    const first = start + 2 + u16(b, start);
    return first <= end && looksLikeDns(b, start + 2, first);
  },
};

export const dns: ProtocolEntry = {
  name: 'dns',
  layers: [Dns],
  dissect: dissectDns,
  stream: dnsStream,
  on: [udpPorts.at(53, dissectDns), tcpPorts.at([53, MULTICAST_PORT], dnsStream)],
  recogniser: { over: 'udp', recognise: looksLikeDns },
};

export const mdns: ProtocolEntry = { name: 'mdns', layers: [Dns], dissect: dissectMdns, on: [udpPorts.at(MULTICAST_PORT, dissectMdns)] };

export const llmnr: ProtocolEntry = { name: 'llmnr', layers: [Dns], dissect: dissectLlmnr, on: [udpPorts.at(LLMNR_PORT, dissectLlmnr)] };
