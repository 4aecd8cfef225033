/**
 * Extension headers of IPv6: hop-by-hop options, destination options, routing, fragment, mobility.
 *
 * RFC 8200 section 4, RFC 5095 (routing type 0 withdrawn), RFC 6275 (type 2, mobility), RFC 6554 (type 3), RFC 8754
 * (segment routing), RFC 9631 (compact routing headers).
 *
 *     0      1        2
 *     | next | length | …        length in units of 8 octets, the first not counted
 */
import { bits, bytes, computed, expert, flag, ipv6, many, uint8, uint16, uint32 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { type Dissect, ipProtocols, type ProtocolEntry } from '../core/registry.js';
import type { Datagram } from '../core/session.js';
import type { TextBuffer } from '../core/text.js';
import { ipv6FragmentRows, walkDatagram } from './ip-fragments.js';
import { IP_PROTOCOL } from './ip-protocols.js';
import { Ipv6, writeNextHeader } from './ipv6.js';
import { optionsRow, walkOptions } from './ipv6-options.js';

/** Octets of an extension header. */
const lengthOf = (l: Layer): number => (l.bytes[l.start + 1]! + 1) * 8;

const headerRows = (prefix: string) => ({
  nextHeader: uint8(`${prefix}.nxt`, 'Next Header', 0, { values: IP_PROTOCOL }),
  length: uint8(`${prefix}.len`, 'Length', 1),
  lengthOctets: computed('uint16', `${prefix}.len_oct`, 'Length', (l) => (l.start + 2 <= l.captured ? lengthOf(l) : undefined), {
    unit: 'bytes',
    quiet: true,
  }),
});

const hopOptions = optionsRow();
/** A hop-by-hop options header. */
export class HopByHop extends layer(
  'ipv6.hopopts',
  'IPv6 Hop-by-Hop Option',
  {
    ...headerRows('ipv6.hopopts'),
    notFirst: expert(
      'warn',
      'protocol',
      'ipv6.hopopts.not_first',
      'IPv6 Hop-by-Hop extension header must appear immediately after IPv6 header',
      (l) => !(l.frame.layers[l.frame.layers.indexOf(l) - 1] instanceof Ipv6),
    ),
    options: hopOptions,
  },
  'IPv6',
) {
  override walk(tree: Tree): void {
    walkOptions(tree, hopOptions, this.start + 2, Math.min(this.start + lengthOf(this), this.captured));
  }
  override summary(out: TextBuffer): void {
    writeNextHeader(out, this.bytes[this.start]!);
  }
}

const destinationOptions = optionsRow();
/** A destination options header. */
export class DestinationOptions extends layer(
  'ipv6.dstopts',
  'Destination Options for IPv6',
  { ...headerRows('ipv6.dstopts'), options: destinationOptions },
  'IPv6',
) {
  override walk(tree: Tree): void {
    walkOptions(tree, destinationOptions, this.start + 2, Math.min(this.start + lengthOf(this), this.captured));
  }
  override summary(out: TextBuffer): void {
    writeNextHeader(out, this.bytes[this.start]!);
  }
}

const SOURCE_ROUTE = 0;
const MOBILE = 2;
const RPL = 3;
const SEGMENTS = 4;
const COMPACT_16 = 5;
const COMPACT_32 = 6;
const ROUTING = {
  0: 'Source Route',
  1: 'Nimrod',
  2: 'Type 2 Routing',
  3: 'RPL Source Route',
  4: 'Segment Routing',
  5: 'Compact Routing Header 16',
  6: 'Compact Routing Header 32',
  253: 'Experiment 1',
  254: 'Experiment 2',
};

const routing = {
  ...headerRows('ipv6.routing'),
  type: uint8('ipv6.routing.type', 'Type', 2, { values: ROUTING }),
  deprecated: expert(
    'note',
    'deprecated',
    'ipv6.routing.deprecated',
    'Routing header type is deprecated',
    (l) => l.start + 3 <= l.captured && l.bytes[l.start + 2]! <= 1,
  ),
  segmentsLeft: uint8('ipv6.routing.segleft', 'Segments Left', 3),
  invalidSegmentsLeft: expert(
    'error',
    'protocol',
    'ipv6.routing.invalid_segleft',
    'IPv6 Routing Header segments left field must not exceed address count',
  ),
  invalidLength: expert('error', 'malformed', 'ipv6.routing.invalid_length', 'Invalid IPv6 Routing header length'),
  sourceReserved: bytes('ipv6.routing.src.reserved', 'Reserved'),
  sourceAddresses: many(ipv6('ipv6.routing.src.addr', 'Address', { also: ['ipv6.addr'] })),
  mobileReserved: bytes('ipv6.routing.mipv6.reserved', 'Reserved'),
  homeAddress: ipv6('ipv6.routing.mipv6.home_address', 'Home Address', { also: ['ipv6.addr'] }),
  compressedInner: bits('ipv6.routing.rpl.cmprI', 'Compressed Internal Octets (CmprI)', undefined, 32, 0xf0000000),
  compressedLast: bits('ipv6.routing.rpl.cmprE', 'Compressed Final Octets (CmprE)', undefined, 32, 0x0f000000),
  rplPadding: bits('ipv6.routing.rpl.pad', 'Padding Bytes', undefined, 32, 0x00f00000),
  rplReserved: bits('ipv6.routing.rpl.reserved', 'Reserved', undefined, 32, 0x000fffff),
  rplCount: uint32('ipv6.routing.rpl.addr_count', 'Total Address Count'),
  rplAddresses: many(bytes('ipv6.routing.rpl.address', 'Address')),
  rplFullAddresses: many(ipv6('ipv6.routing.rpl.full_address', 'Full Address', { also: ['ipv6.addr'] })),
  lastEntry: uint8('ipv6.routing.srh.last_entry', 'Last Entry'),
  segmentFlags: uint8('ipv6.routing.srh.flags', 'Flags', { base: 'hex' }),
  segmentTag: bytes('ipv6.routing.srh.tag', 'Tag'),
  segments: many(ipv6('ipv6.routing.srh.addr', 'Address', { also: ['ipv6.addr'] })),
  compact16: many(uint16('ipv6.routing.crh16.sid', 'Segment ID')),
  compact32: many(uint32('ipv6.routing.crh32.sid', 'Segment ID')),
  unknownData: bytes('ipv6.routing.unknown_data', 'Type-Specific Data'),
};

/** A routing header of any type. */
export class Routing extends layer('ipv6.routing', 'Routing Header for IPv6', routing, 'IPv6') {
  override walk(tree: Tree): void {
    const { bytes: b, start } = this;
    const end = Math.min(start + lengthOf(this), this.captured);
    if (start + 4 > this.captured) return;
    const left = b[start + 3]!;
    switch (b[start + 2]!) {
      case SOURCE_ROUTE: {
        tree.add(routing.sourceReserved, start + 4, 4);
        const count = b[start + 1]! >> 1;
        if (b[start + 1]! & 1) tree.put(routing.invalidLength, true, start + 1, 1);
        if (left > count) tree.put(routing.invalidSegmentsLeft, true, start + 3, 1);
        for (let at = start + 8; at + 16 <= end; at += 16) tree.add(routing.sourceAddresses, at);
        return;
      }
      case MOBILE:
        tree.add(routing.mobileReserved, start + 4, 4);
        if (b[start + 1] !== 2) tree.put(routing.invalidLength, true, start + 1, 1);
        else tree.add(routing.homeAddress, start + 8);
        return;
      case RPL:
        return this.walkRpl(tree, end);
      case SEGMENTS: {
        tree.add(routing.lastEntry, start + 4);
        tree.add(routing.segmentFlags, start + 5);
        tree.add(routing.segmentTag, start + 6, 2);
        // What follows the last entry are TLVs.
        const stop = Math.min(end, start + 8 + 16 * (b[start + 4]! + 1));
        for (let at = start + 8; at + 16 <= stop; at += 16) tree.add(routing.segments, at);
        return;
      }
      case COMPACT_16:
        for (let at = start + 4; at + 2 <= end; at += 2) tree.add(routing.compact16, at);
        return;
      case COMPACT_32:
        for (let at = start + 4; at + 4 <= end; at += 4) tree.add(routing.compact32, at);
        return;
      default:
        if (end > start + 4) tree.add(routing.unknownData, start + 4, end - start - 4);
    }
  }

  /** Addresses without the octets that they share with the destination (RFC 6554 section 3). */
  private walkRpl(tree: Tree, end: number): void {
    const { bytes: b, start } = this;
    for (const row of [routing.compressedInner, routing.compressedLast, routing.rplPadding, routing.rplReserved])
      tree.add(row, start + 4, 4);
    const inner = 16 - (b[start + 4]! >> 4);
    const last = 16 - (b[start + 4]! & 15);
    const room = end - start - 8 - (b[start + 5]! >> 4) - last;
    if (room < 0) return;
    const count = Math.floor(room / inner) + 1;
    tree.put(routing.rplCount, count);
    const ip = ipv6Below(this.frame, this);
    for (let i = 0; i < count; i++) {
      const size = i === count - 1 ? last : inner;
      const at = start + 8 + i * inner;
      tree.add(routing.rplAddresses, at, size);
      if (!ip || ip.captured < ip.start + 40) continue;
      const full = ip.bytes.slice(ip.start + 24, ip.start + 40);
      full.set(b.subarray(at, at + size), 16 - size);
      tree.put(routing.rplFullAddresses, full, at, size);
    }
  }

  override summary(out: TextBuffer): void {
    writeNextHeader(out, this.bytes[this.start]!);
  }
}

const reassembly = ipv6FragmentRows();

/** A fragment header. */
export class FragmentHeader extends layer(
  'ipv6.fraghdr',
  'Fragment Header for IPv6',
  {
    nextHeader: uint8('ipv6.fraghdr.nxt', 'Next header', 0, { values: IP_PROTOCOL }),
    reservedOctet: uint8('ipv6.fraghdr.reserved_octet', 'Reserved octet', 1, { base: 'hex' }),
    offset: bits('ipv6.fraghdr.offset', 'Offset', 2, 16, 0xfff8),
    reservedBits: bits('ipv6.fraghdr.reserved_bits', 'Reserved bits', 2, 16, 0x0006),
    more: flag('ipv6.fraghdr.more', 'More Fragments', 2, 0x0001, 16),
    identification: uint32('ipv6.fraghdr.ident', 'Identification', 4, { base: 'hex' }),
    ...reassembly,
  },
  'IPv6',
) {
  /** The datagram that this fragment completed. */
  declare datagram: Datagram | undefined;

  override walk(tree: Tree): void {
    if (this.datagram) walkDatagram(tree, reassembly, this.datagram);
  }
  override summary(out: TextBuffer): void {
    const { bytes: b, start } = this;
    const place = u16(b, start + 2);
    if ((place & 0xfff9) === 0) return writeNextHeader(out, b[start]!);
    out.ascii('IPv6 fragment (off=');
    out.number(place & 0xfff8);
    out.ascii(place & 1 ? ' more=y ident=0x' : ' more=n ident=0x');
    out.hex(u32(b, start + 4), 8);
    out.ascii(' nxt=');
    out.number(b[start]!);
    out.ascii(')');
  }
}

/** The IPv6 header that `layer` belongs to. */
function ipv6Below(frame: Frame, layer: Layer): Ipv6 | undefined {
  for (let i = frame.layers.lastIndexOf(layer) - 1; i > 0; i--) {
    const below = frame.layers[i];
    if (below instanceof Ipv6) return below;
  }
  return undefined;
}

const MOBILITY: Readonly<Record<number, string>> = {
  0: 'Binding Refresh Request',
  1: 'Home Test Init',
  2: 'Care-of Test Init',
  3: 'Home Test',
  4: 'Care-of Test',
  5: 'Binding Update',
  6: 'Binding Acknowledgement',
  7: 'Binding Error',
  8: 'Fast Binding Update',
  9: 'Fast Binding Acknowledgement',
  10: 'Fast Neighbor Advertisement',
  11: 'Experimental Mobility Header',
  12: 'Home Agent Switch',
  13: 'Heartbeat',
  14: 'Handover Initiate',
  15: 'Handover Acknowledge',
  16: 'Binding Revocation Message',
  17: 'Localized Routing Initiation',
  18: 'Localized Routing Acknowledgement',
  19: 'Update Notification',
  20: 'Update Notification Acknowledgement',
  21: 'Flow Binding Message',
};

/** A mobility header. */
export class Mobility extends layer(
  'mipv6',
  'Mobile IPv6',
  {
    nextHeader: uint8('mip6.proto', 'Payload protocol', 0, { values: IP_PROTOCOL }),
    length: uint8('mip6.hlen', 'Header length', 1),
    type: uint8('mip6.mhtype', 'Mobility Header Type', 2, { values: MOBILITY }),
    reserved: uint8('mip6.reserved', 'Reserved', 3, { base: 'hex' }),
    checksum: uint16('mip6.csum', 'Checksum', 4, { base: 'hex' }),
  },
  'MIPv6',
) {
  override summary(out: TextBuffer): void {
    const type = this.bytes[this.start + 2]!;
    out.text(MOBILITY[type] ?? `Mobility Header Type ${type}`);
  }
}

/** List an extension header; undefined when its octets are not all there. */
function addHeader<L extends Layer>(frame: Frame, header: L, end: number): L | undefined {
  if (!frame.add(header, 8)) return undefined;
  header.end = Math.min(end, header.start + lengthOf(header));
  return frame.require(header, lengthOf(header)) ? header : undefined;
}

const next = (frame: Frame, header: Layer, end: number): void =>
  frame.dispatch(ipProtocols, header.bytes[header.start]!, header.start + lengthOf(header), end);

export const dissectHopByHop: Dissect = (frame, start, end) => {
  const header = addHeader(frame, new HopByHop(frame, start, end), end);
  if (header) next(frame, header, end);
};

export const dissectDestinationOptions: Dissect = (frame, start, end) => {
  const header = addHeader(frame, new DestinationOptions(frame, start, end), end);
  if (header) next(frame, header, end);
};

export const dissectRouting: Dissect = (frame, start, end) => {
  const header = addHeader(frame, new Routing(frame, start, end), end);
  if (!header) return;
  const { bytes: b } = header;
  const ip = b[start + 3]! > 0 ? ipv6Below(frame, header) : undefined;
  if (ip && lengthOf(header) >= 24) {
    const type = b[start + 2]!;
    if (type === SOURCE_ROUTE) ip.route = { bytes: b, at: start + 8 + 16 * ((b[start + 1]! >> 1) - 1) };
    // Segment lists are in reverse order: the last stop comes first (RFC 8754 section 2).
    else if (type === MOBILE || type === SEGMENTS) ip.route = { bytes: b, at: start + 8 };
  }
  next(frame, header, end);
};

export const dissectFragmentHeader: Dissect = (frame, start, end) => {
  const header = new FragmentHeader(frame, start, Math.min(end, start + 8));
  if (!frame.add(header, 8)) return;
  const { bytes: b } = header;
  const protocol = b[start]!;
  const place = u16(b, start + 2);
  const from = start + 8;
  // A datagram in a single fragment (RFC 6946).
  if ((place & 0xfff9) === 0) return frame.dispatch(ipProtocols, protocol, from, end);
  const offset = place & 0xfff8;
  const more = (place & 1) !== 0;
  const identification = u32(b, start + 4);
  const { fragment } = frame.session.hooks;
  const ip = ipv6Below(frame, header);
  if (fragment && ip && frame.quoted === 0 && end > from && end <= frame.captured && !ip.lengthExceeds) {
    let key = String.fromCharCode(6, identification >>> 16, identification & 0xffff);
    for (let at = 8; at < 40; at += 2) key += String.fromCharCode(u16(ip.bytes, ip.start + at));
    if (!fragment(frame, { layer: header, start: from, end, offset, more, identification, protocol, key })) frame.data(from, end);
    return;
  }
  if (offset !== 0) return frame.data(from, end);
  const outer = frame.fragment;
  frame.fragment = true;
  frame.dispatch(ipProtocols, protocol, from, end);
  frame.fragment = outer;
};

export const dissectMobility: Dissect = (frame, start, end) => {
  const header = addHeader(frame, new Mobility(frame, start, end), end);
  if (header && header.bytes[start] !== 59) next(frame, header, end);
};

export const ipv6Extensions: readonly ProtocolEntry[] = [
  { name: 'ipv6.hopopts', layers: [HopByHop], dissect: dissectHopByHop, on: [ipProtocols.at(0, dissectHopByHop)] },
  { name: 'ipv6.routing', layers: [Routing], dissect: dissectRouting, on: [ipProtocols.at(43, dissectRouting)] },
  { name: 'ipv6.fraghdr', layers: [FragmentHeader], dissect: dissectFragmentHeader, on: [ipProtocols.at(44, dissectFragmentHeader)] },
  {
    name: 'ipv6.dstopts',
    layers: [DestinationOptions],
    dissect: dissectDestinationOptions,
    on: [ipProtocols.at(60, dissectDestinationOptions)],
  },
  { name: 'mipv6', layers: [Mobility], dissect: dissectMobility, on: [ipProtocols.at(135, dissectMobility)] },
];
