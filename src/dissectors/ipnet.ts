/**
 * Solaris ipnet and IP over InfiniBand: headers of two captures that name a family or an EtherType.
 *
 * LINKTYPE_IPNET and LINKTYPE_IPOIB of the pcap link types; RFC 4391 section 6.
 *
 *     0         1        2           4        8           12          16       20
 *     | version | family | hook type | length | interface | group     | zone   | zone   | packet …
 *
 *     0                          20             40     42
 *     | global route (often 0)   | destination  | type | reserved | packet …
 */
import { ipv6, uint8, uint16, uint24, uint32 } from '../core/field.js';
import { layer } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { type Dissect, etherTypes, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dispatchEtherType, ETHERTYPE } from './ethertypes.js';

const IPNET_LENGTH = 24;
const IPV4_FAMILY = 2;
const IPV6_FAMILY = 26;
const HOOK: Readonly<Record<number, string>> = { 0: 'Inbound', 1: 'Outbound', 2: 'Local' };

/** The header of a Solaris ipnet capture. */
export class Ipnet extends layer('ipnet', 'Solaris IPNET', {
  version: uint8('ipnet.version', 'Header version', 0),
  family: uint8('ipnet.family', 'Address family', 1, { values: { [IPV4_FAMILY]: 'IPv4', [IPV6_FAMILY]: 'IPv6' } }),
  hook: uint16('ipnet.htype', 'Hook type', 2, { values: HOOK }),
  length: uint32('ipnet.pktlen', 'Data length', 4, { unit: 'bytes' }),
  interfaceIndex: uint32('ipnet.ifindex', 'Interface index', 8),
  groupIndex: uint32('ipnet.grifindex', 'Group interface index', 12),
  sourceZone: uint32('ipnet.zsrc', 'Source Zone ID', 16),
  destinationZone: uint32('ipnet.zdst', 'Destination Zone ID', 20),
}) {
  override summary(out: TextBuffer): void {
    out.ascii(HOOK[u16(this.bytes, this.start + 2)] ?? 'Unknown hook type');
  }
}

export const dissectIpnet: Dissect = (frame, start, end) => {
  const ipnet = new Ipnet(frame, start, end);
  if (!frame.add(ipnet, IPNET_LENGTH)) return;
  const family = ipnet.bytes[start + 1];
  const etherType = family === IPV4_FAMILY ? 0x0800 : family === IPV6_FAMILY ? 0x86dd : -1;
  const from = start + IPNET_LENGTH;
  if (etherType < 0 || !frame.tryDispatch(etherTypes, etherType, from, end)) frame.data(from, end);
};

const IPOIB_LENGTH = 44;

/** The header of an IP over InfiniBand capture. */
export class Ipoib extends layer('ipoib', 'IP over Infiniband', {
  queuePair: uint24('ipoib.daddr.qpn', 'Destination QPN', 21, { base: 'hex' }),
  destination: ipv6('ipoib.dgid', 'Destination GID', 24),
  type: uint16('ipoib.type', 'Type', 40, { base: 'hex', values: ETHERTYPE }),
  reserved: uint16('ipoib.reserved', 'Reserved', 42, { base: 'hex' }),
}) {
  override summary(out: TextBuffer): void {
    out.ascii('Type 0x');
    out.hex(u16(this.bytes, this.start + 40), 4);
  }
}

export const dissectIpoib: Dissect = (frame, start, end) => {
  const ipoib = new Ipoib(frame, start, end);
  if (frame.add(ipoib, IPOIB_LENGTH)) dispatchEtherType(frame, u16(ipoib.bytes, start + 40), start + IPOIB_LENGTH, end);
};

export const ipnet: ProtocolEntry = { name: 'ipnet', layers: [Ipnet], dissect: dissectIpnet, on: [linkTypes.at(226, dissectIpnet)] };
export const ipoib: ProtocolEntry = { name: 'ipoib', layers: [Ipoib], dissect: dissectIpoib, on: [linkTypes.at(242, dissectIpoib)] };
