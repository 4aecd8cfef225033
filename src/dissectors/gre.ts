/**
 * Generic Routing Encapsulation, its PPTP variant, and what is carried in no other way: ERSPAN, WCCP's redirect header.
 *
 * RFC 1701 (routing), RFC 2784, RFC 2890 (key, sequence number), RFC 2637 section 4 (version 1), draft-foschiano-erspan.
 *
 *     0       2       4
 *     | flags | type | checksum, offset (4) | key (4) | sequence (4) | routing …        each only where its flag says so
 */
import { foldChecksum, sumWords } from '../core/checksum.js';
import { bits, bytes, computed, expert, flag, group, list, uint8, uint16, uint32 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { type Dissect, etherTypes, ipProtocols, linkTypes, type ProtocolEntry, Table, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { ETHERTYPE } from './ethertypes.js';
import { CHECKSUM_STATUS } from './ip-protocols.js';
import { dissectRaw } from './raw.js';

/** Types that mean something else than EtherTypes inside GRE. */
export const greProtocols = new Table('gre.proto', 65536);

const CHECKSUM = 0x8000;
const ROUTING = 0x4000;
const KEY = 0x2000;
const SEQUENCE = 0x1000;
const ACKNOWLEDGMENT = 0x0080;
const FIXED_LENGTH = 4;

const ETHERNET_BRIDGED = 0x6558;
const ERSPAN_2 = 0x88be;
const ERSPAN_3 = 0x22eb;
const PPP = 0x880b;
const WCCP = 0x883e;
/** Access points of Aruba send 802.11 frames to their controller; a type for each queue. */
const ARUBA = Array.from({ length: 24 }, (_, queue) => 0x8200 + 16 * queue);

const TYPE: Readonly<Record<number, string>> = {
  ...ETHERTYPE,
  [ETHERNET_BRIDGED]: 'Transparent Ethernet bridging',
  [ERSPAN_2]: 'ERSPAN',
  [ERSPAN_3]: 'ERSPAN Type III',
  [PPP]: 'PPP',
  [WCCP]: 'WCCP',
};

const flagsOf = (l: Layer): number => u16(l.bytes, l.start);
/** Version 1 is PPTP's with PPP alone (RFC 2637 section 4.1); under other numbers its key is one. */
const isPptpAt = (b: Uint8Array, at: number): boolean => (u16(b, at) & 7) === 1 && u16(b, at + 2) === PPP;
const isPptp = (l: Layer): boolean => l.start + FIXED_LENGTH <= l.captured && isPptpAt(l.bytes, l.start);

const entry = {
  family: uint16('gre.routing.address_family', 'Address Family'),
  offset: uint8('gre.routing.sre_offset', 'SRE Offset'),
  length: uint8('gre.routing.src_length', 'SRE Length'),
  information: bytes('gre.routing.information', 'Routing Information'),
};
const routing = list('gre.routing', 'Routing', entry);

const rows = {
  ...group(
    { flags: uint16('gre.flags_and_version', 'Flags and Version', 0, { base: 'hex' }) },
    {
      hasChecksum: flag('gre.flags.checksum', 'Checksum Bit', 0, CHECKSUM, 16),
      hasRouting: flag('gre.flags.routing', 'Routing Bit', 0, ROUTING, 16),
      hasKey: flag('gre.flags.key', 'Key Bit', 0, KEY, 16),
      hasSequence: flag('gre.flags.sequence_number', 'Sequence Number Bit', 0, SEQUENCE, 16),
      strictRoute: flag('gre.flags.strict_source_route', 'Strict Source Route Bit', 0, 0x0800, 16),
      recursion: bits('gre.flags.recursion_control', 'Recursion control', 0, 16, 0x0700),
      hasAcknowledgment: flag('gre.flags.ack', 'Acknowledgment', 0, ACKNOWLEDGMENT, 16, { when: isPptp }),
      reserved: computed('uint16', 'gre.flags.reserved', 'Flags (Reserved)', (l) =>
        l.start + 2 <= l.captured ? (flagsOf(l) & (isPptp(l) ? 0x78 : 0xf8)) >> 3 : undefined,
      ),
      version: bits('gre.flags.version', 'Version', 0, 16, 0x0007, { values: { 0: 'GRE', 1: 'Enhanced GRE' } }),
    },
  ),
  type: uint16('gre.proto', 'Protocol Type', 2, { base: 'hex', values: TYPE }),
  ...group(
    { checksum: uint16('gre.checksum', 'Checksum', { base: 'hex' }) },
    {
      checksumStatus: computed('uint8', 'gre.checksum.status', 'Checksum Status', (l) => checksumStatus(l), { values: CHECKSUM_STATUS }),
      checksumWrong: expert('warn', 'checksum', 'gre.checksum.incorrect', 'Incorrect GRE Checksum', (l) => checksumStatus(l) === 0),
    },
  ),
  offset: uint16('gre.offset', 'Offset'),
  key: uint32('gre.key', 'Key', { base: 'hex' }),
  payloadLength: uint16('gre.key.payload_length', 'Payload Length'),
  callId: uint16('gre.key.call_id', 'Call ID'),
  sequence: uint32('gre.sequence_number', 'Sequence Number'),
  acknowledgment: uint32('gre.ack_number', 'Acknowledgment Number'),
  routing,
  dynamicService: flag('gre.wccp.dynamic_service', 'Dynamic Service', undefined, 0x01),
  alternativeUsed: flag('gre.wccp.alternative_bucket_used', 'Alternative bucket used', undefined, 0x02),
  redirectValid: flag('gre.wccp.redirect_header_valid', 'WCCP Redirect header is valid', undefined, 0x04),
  serviceId: uint8('gre.wccp.service_id', 'Service ID'),
  alternativeBucket: uint8('gre.wccp.alternative_bucket', 'Alternative Bucket'),
  primaryBucket: uint8('gre.wccp.primary_bucket', 'Primary Bucket'),
};

/** A GRE header of version 0 or 1. */
export class Gre extends layer('gre', 'Generic Routing Encapsulation', rows) {
  override walk(tree: Tree): void {
    const { bytes: b, start, captured } = this;
    const flags = flagsOf(this);
    const pptp = isPptp(this);
    let at = start + FIXED_LENGTH;
    if (flags & (CHECKSUM | ROUTING)) {
      if (flags & CHECKSUM) tree.add(rows.checksum, at);
      tree.add(rows.offset, at + 2);
      at += 4;
    }
    if (flags & KEY) {
      if (pptp) {
        tree.add(rows.payloadLength, at);
        tree.add(rows.callId, at + 2);
      } else tree.add(rows.key, at);
      at += 4;
    }
    if (flags & SEQUENCE) {
      tree.add(rows.sequence, at);
      at += 4;
    }
    if (pptp && flags & ACKNOWLEDGMENT) {
      tree.add(rows.acknowledgment, at);
      at += 4;
    }
    if (flags & ROUTING) {
      // Each entry takes four octets at least; one of family and length 0 is the last (RFC 1701).
      while (at + 4 <= captured) {
        const size = b[at + 3]!;
        tree.item(routing, at, 4 + size);
        tree.add(entry.family, at);
        tree.add(entry.offset, at + 2);
        tree.add(entry.length, at + 3);
        if (size > 0) tree.add(entry.information, at + 4, size);
        tree.close();
        if (u16(b, at) === 0 && size === 0) {
          at += 4;
          break;
        }
        at += 4 + size;
      }
    }
    if (u16(b, start + 2) === WCCP && hasRedirect(b, at, captured)) {
      for (const row of [rows.dynamicService, rows.alternativeUsed, rows.redirectValid]) tree.add(row, at, 1);
      tree.add(rows.serviceId, at + 1);
      tree.add(rows.alternativeBucket, at + 2);
      tree.add(rows.primaryBucket, at + 3);
    }
  }

  override summary(out: TextBuffer): void {
    const type = u16(this.bytes, this.start + 2);
    out.ascii('Encapsulated ');
    const name = TYPE[type];
    if (name) out.ascii(name);
    else {
      out.ascii('0x');
      out.hex(type, 4);
      out.ascii(' (unknown)');
    }
  }
}

/** WCCP version 2 puts four octets before the packet; they cannot be taken for an IPv4 header. */
const hasRedirect = (b: Uint8Array, at: number, captured: number): boolean => at < captured && b[at]! >> 4 !== 4;

function checksumStatus(l: Layer): number | undefined {
  if (l.start + 6 > l.captured || (flagsOf(l) & CHECKSUM) === 0) return undefined;
  if (l.end > l.captured) return 2;
  return foldChecksum(sumWords(l.bytes, l.start, l.end)) === 0 ? 1 : 0;
}

/** Octets of the header with what its flags add; the layer's octets need not all be there. */
function headerLength(b: Uint8Array, start: number, captured: number): number {
  const flags = u16(b, start);
  let at = start + FIXED_LENGTH;
  if (flags & (CHECKSUM | ROUTING)) at += 4;
  if (flags & KEY) at += 4;
  if (flags & SEQUENCE) at += 4;
  if (isPptpAt(b, start) && flags & ACKNOWLEDGMENT) at += 4;
  if (flags & ROUTING)
    while (at + 4 <= captured) {
      const last = u32(b, at) === 0 || (u16(b, at) === 0 && b[at + 3] === 0);
      at += 4 + b[at + 3]!;
      if (last) break;
    }
  if (u16(b, start + 2) === WCCP && hasRedirect(b, at, captured)) at += 4;
  return at - start;
}

export const dissectGre: Dissect = (frame, start, end) => {
  const gre = new Gre(frame, start, end);
  if (!frame.add(gre, FIXED_LENGTH)) return;
  const { bytes: b } = gre;
  const header = headerLength(b, start, gre.captured);
  if (!frame.require(gre, header)) return;
  const type = u16(b, start + 2);
  // A PPTP acknowledgment by itself carries nothing.
  const from = start + header;
  if (from >= end) return;
  if (!frame.tryDispatch(greProtocols, type, from, end)) frame.dispatch(etherTypes, type, from, end);
};

const ENCAPSULATION = {
  0: 'Originally without VLAN tag',
  1: 'Originally ISL encapsulated',
  2: 'Originally 802.1Q encapsulated',
  3: 'VLAN tag preserved in frame',
};
const INTEGRITY = { 0: 'Good or unknown integrity', 1: 'Short frame', 2: 'Oversized frame', 3: 'CRC or alignment error' };

const isVersion3 = (l: Layer): boolean => l.bytes[l.start]! >> 4 === 2;
const isVersion2 = (l: Layer): boolean => !isVersion3(l);

/** An ERSPAN header; a mirrored Ethernet frame follows. */
export class Erspan extends layer('erspan', 'Encapsulated Remote Switch Packet ANalysis', {
  version: bits('erspan.version', 'Version', 0, 16, 0xf000, { values: { 1: 'Type II', 2: 'Type III' } }),
  vlan: bits('erspan.vlan', 'Vlan', 0, 16, 0x0fff),
  cos: bits('erspan.cos', 'COS', 2, 16, 0xe000),
  encapsulation: bits('erspan.encap', 'Encap', 2, 16, 0x1800, { values: ENCAPSULATION, when: isVersion2 }),
  integrity: bits('erspan.bso', 'Bad/Short/Oversized', 2, 16, 0x1800, { values: INTEGRITY, when: isVersion3 }),
  truncated: bits('erspan.truncated', 'Truncated', 2, 16, 0x0400, { values: { 0: 'Not truncated', 1: 'Truncated' } }),
  session: bits('erspan.spanid', 'SpanID', 2, 16, 0x03ff),
  reserved: bits('erspan.reserved', 'Reserved', 4, 32, 0xfff00000, { when: isVersion2 }),
  index: bits('erspan.index', 'Index', 4, 32, 0x000fffff, { when: isVersion2 }),
  timestamp: uint32('erspan.timestamp', 'Timestamp', 4, { when: isVersion3 }),
  groupTag: uint16('erspan.sgt', 'Security Group Tag', 8, { when: isVersion3 }),
  hasEthernet: bits('erspan.p', 'Has Ethernet PDU', 10, 16, 0x8000, { when: isVersion3 }),
  frameType: bits('erspan.ft', 'Frame Type', 10, 16, 0x7c00, { values: { 0: 'Ethernet', 2: 'IP' }, when: isVersion3 }),
  hardware: bits('erspan.hw', 'Hardware ID', 10, 16, 0x03f0, { when: isVersion3 }),
  direction: flag('erspan.direction', 'Direction', 10, 0x0008, 16, { flags: ['Egress', 'Ingress'], when: isVersion3 }),
  granularity: bits('erspan.gra', 'Timestamp granularity', 10, 16, 0x0006, { when: isVersion3 }),
  optional: bits('erspan.o', 'Optional Sub headers', 10, 16, 0x0001, { when: isVersion3 }),
  platform: bits('erspan.platid', 'Platform ID', 12, 32, 0xfc000000, {
    when: (l: Layer) => isVersion3(l) && (l.bytes[l.start + 11]! & 1) === 1,
  }),
}) {
  override summary(out: TextBuffer): void {
    out.ascii('ERSPAN session ');
    out.number(u16(this.bytes, this.start + 2) & 0x03ff);
  }
}

const ETHERNET = 1;
/** Frame type of ERSPAN Type III for a packet without a link layer. */
const IP_PACKET = 2;
const IEEE_802_11 = 105;
/** PPTP leaves address and control there (RFC 2637 section 4.1). */
const PPP_FRAMES = 9;

export const dissectErspan: Dissect = (frame, start, end) => {
  const erspan = new Erspan(frame, start, end);
  if (!frame.add(erspan, 8)) return;
  let header = 8;
  if (isVersion3(erspan)) {
    if (!frame.require(erspan, 12)) return;
    header = erspan.bytes[start + 11]! & 1 ? 20 : 12;
    if (!frame.require(erspan, header)) return;
  }
  const from = start + header;
  // A Type III header tells what was mirrored: a frame, or a packet without one (section 4.3 of the draft).
  const frameType = isVersion3(erspan) ? (erspan.bytes[start + 10]! >> 2) & 0x1f : 0;
  if (frameType === IP_PACKET) dissectRaw(frame, from, end);
  else if (frameType !== 0 || !frame.tryDispatch(linkTypes, ETHERNET, from, end)) frame.data(from, end);
};

const asLink =
  (linkType: number): Dissect =>
  (frame, start, end) => {
    if (!frame.tryDispatch(linkTypes, linkType, start, end)) frame.data(start, end);
  };

/** ERSPAN type I has no header of its own; it is told by the absence of GRE's sequence number. */
const dissectErspan2: Dissect = (frame, start, end) => {
  const gre = frame.get(Gre);
  if (gre && (flagsOf(gre) & SEQUENCE) === 0) asLink(ETHERNET)(frame, start, end);
  else dissectErspan(frame, start, end);
};

const dissectWccp: Dissect = (frame, start, end) => frame.dispatch(etherTypes, 0x0800, start, end);

export const gre: ProtocolEntry = {
  name: 'gre',
  layers: [Gre],
  dissect: dissectGre,
  on: [
    ipProtocols.at(47, dissectGre),
    // RFC 8086.
    udpPorts.at(4754, dissectGre),
    greProtocols.at(ETHERNET_BRIDGED, asLink(ETHERNET)),
    greProtocols.at(PPP, asLink(PPP_FRAMES)),
    greProtocols.at(ARUBA, asLink(IEEE_802_11)),
    greProtocols.at(WCCP, dissectWccp),
  ],
};

export const erspan: ProtocolEntry = {
  name: 'erspan',
  layers: [Erspan],
  dissect: dissectErspan,
  on: [greProtocols.at(ERSPAN_2, dissectErspan2), greProtocols.at(ERSPAN_3, dissectErspan)],
};
