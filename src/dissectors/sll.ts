/**
 * Linux cooked capture: what the kernel puts in place of a link-layer header, e.g. on the `any` device.
 *
 * LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2 of the pcap link types.
 *
 *     0             2         4         6              14         16
 *     | packet type | ARPHRD  | addrlen | address      | protocol | payload …           version 1
 *
 *     0          2          4           8        10            11        12             20
 *     | protocol | reserved | interface | ARPHRD | packet type | addrlen | address      | payload …
 */
import { bytes, computed, ether, ipv4, uint16, uint32 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { type Dissect, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectEthernet } from './ethernet.js';
import { dispatchEtherType, ETHERTYPE, LEAST_TYPE } from './ethertypes.js';
import { dissectLlc } from './llc.js';
import { paddingBad, payloadEnd, walkTrailer } from './trailer.js';

const LINK_TYPE_V2 = 276;
const V1_LENGTH = 16;
const V2_LENGTH = 20;
/** Octets of the address field, however long the address is. */
const ADDRESS_ROOM = 8;

const PACKET_TYPE: Readonly<Record<number, string>> = {
  0: 'Unicast to us',
  1: 'Broadcast',
  2: 'Multicast',
  3: 'Unicast to another host',
  4: 'Sent by us',
};
const HARDWARE: Readonly<Record<number, string>> = {
  1: 'Ethernet',
  32: 'InfiniBand',
  256: 'SLIP',
  512: 'PPP',
  768: 'IPIP',
  769: 'IPv6 in IPv6',
  772: 'Loopback',
  776: 'SIT',
  778: 'IPGRE',
  801: 'IEEE 802.11',
  803: 'IEEE 802.11 with radiotap',
  823: 'IPv6 GRE',
  824: 'Netlink',
  65534: 'none',
};
const ARPHRD_IPGRE = 778;
const ARPHRD_NETLINK = 824;

/** Protocol numbers below the EtherTypes that the kernel made up (if_ether.h). */
const LINUX_PROTOCOL: Readonly<Record<number, string>> = {
  1: '802.3 without LLC',
  3: 'Ethernet',
  4: '802.2 LLC',
  5: 'SNAP',
  9: 'PPP over ISDN',
  12: 'CAN',
  13: 'CAN FD',
};
const LINUX_RAW_802_3 = 1;
const LINUX_ETHERNET = 3;
const LINUX_LLC = 4;

const second = (l: Layer): boolean => (l as Sll).version === 2;
const headerLength = (l: Layer): number => (second(l) ? V2_LENGTH : V1_LENGTH);
const whole = (l: Layer): boolean => l.start + headerLength(l) <= l.captured;
const addressAt = (l: Layer): number => (second(l) ? 12 : 6);
const addressLength = (l: Layer): number => (second(l) ? l.bytes[l.start + 11]! : u16(l.bytes, l.start + 4));
const protocolAt = (l: Layer): number => (second(l) ? 0 : 14);
const protocolOf = (l: Layer): number => u16(l.bytes, l.start + protocolAt(l));
const hardwareOf = (l: Layer): number => u16(l.bytes, l.start + (second(l) ? 8 : 2));
const ordinary = (l: Layer): boolean => whole(l) && hardwareOf(l) !== ARPHRD_NETLINK && hardwareOf(l) !== ARPHRD_IPGRE;

const fields = {
  packetType: computed(
    'uint16',
    'sll.pkttype',
    'Packet type',
    (l) => (whole(l) ? (second(l) ? l.bytes[l.start + 10] : u16(l.bytes, l.start)) : undefined),
    { values: PACKET_TYPE },
  ),
  hardware: uint16('sll.hatype', 'Link-layer address type', (l) => (second(l) ? 8 : 2), { values: HARDWARE }),
  addressLength: computed('uint16', 'sll.halen', 'Link-layer address length', (l) => (whole(l) ? addressLength(l) : undefined)),
  interfaceIndex: uint32('sll.ifindex', 'Interface index', 4, { when: second }),
  source: ether('sll.src.eth', 'Source', addressAt, { when: (l) => whole(l) && addressLength(l) === 6 }),
  sourceIpv4: ipv4('sll.src.ipv4', 'Source', addressAt, { when: (l) => whole(l) && addressLength(l) === 4 }),
  sourceOther: bytes('sll.src.other', 'Source', addressAt, (l) => Math.min(addressLength(l), ADDRESS_ROOM), {
    when: (l) => whole(l) && addressLength(l) !== 0 && addressLength(l) !== 4 && addressLength(l) !== 6,
  }),
  unused: bytes(
    'sll.unused',
    'Unused',
    (l) => addressAt(l) + Math.min(addressLength(l), ADDRESS_ROOM),
    (l) => ADDRESS_ROOM - addressLength(l),
    { when: (l) => whole(l) && addressLength(l) < ADDRESS_ROOM },
  ),
  type: uint16('sll.etype', 'Protocol', protocolAt, {
    base: 'hex',
    values: ETHERTYPE,
    when: (l) => ordinary(l) && protocolOf(l) >= LEAST_TYPE,
  }),
  linuxType: uint16('sll.ltype', 'Protocol', protocolAt, {
    base: 'hex',
    values: LINUX_PROTOCOL,
    when: (l) => ordinary(l) && protocolOf(l) < LEAST_TYPE,
  }),
  greType: uint16('sll.gretype', 'Protocol', protocolAt, {
    base: 'hex',
    values: ETHERTYPE,
    when: (l) => whole(l) && hardwareOf(l) === ARPHRD_IPGRE,
  }),
  padding: bytes('eth.padding', 'Padding'),
  trailer: bytes('sll.trailer', 'Trailer'),
  paddingBad: paddingBad(),
};

/** A Linux cooked header, version 1 or 2. */
export class Sll extends layer('sll', 'Linux cooked capture', fields) {
  /** 1 or 2; set when the layer is made. */
  declare version: number;

  override get chain(): string {
    return ordinary(this) && protocolOf(this) >= LEAST_TYPE ? 'sll:ethertype' : 'sll';
  }

  writeSource(out: TextBuffer): void {
    const n = Math.min(addressLength(this), ADDRESS_ROOM);
    const at = this.start + addressAt(this);
    if (n === 4) out.ipv4(u32(this.bytes, at));
    else out.ether(this.bytes, at, n);
  }
  /** A cooked header has no destination. */
  writeDestination(_out: TextBuffer): void {}

  override walk(tree: Tree): void {
    // Frames under an EtherType alone are told from what follows them.
    if (ordinary(this) && protocolOf(this) >= LEAST_TYPE) walkTrailer(tree, this, payloadEnd(this, this.end), this.end, 0, fields);
  }

  override summary(out: TextBuffer): void {
    out.ascii(PACKET_TYPE[(this.packetType as number | undefined) ?? -1] ?? 'Unknown packet type');
  }
}

const dissect = (frame: Sll['frame'], start: number, end: number, version: number): void => {
  const sll = new Sll(frame, start, end);
  sll.version = version;
  const header = version === 2 ? V2_LENGTH : V1_LENGTH;
  if (!frame.add(sll, header)) return;
  frame.addressing = sll;
  const protocol = protocolOf(sll);
  const from = start + header;
  const hardware = hardwareOf(sll);
  if (hardware === ARPHRD_NETLINK) return frame.data(from, end, 'Netlink');
  if (hardware === ARPHRD_IPGRE || protocol >= LEAST_TYPE) dispatchEtherType(frame, protocol, from, end);
  else if (protocol === LINUX_LLC) dissectLlc(frame, from, end);
  else if (protocol === LINUX_ETHERNET) dissectEthernet(frame, from, end);
  else frame.data(from, end, protocol === LINUX_RAW_802_3 ? 'IPX' : LINUX_PROTOCOL[protocol]);
};

export const dissectSll: Dissect = (frame, start, end) => dissect(frame, start, end, 1);
export const dissectSll2: Dissect = (frame, start, end) => dissect(frame, start, end, 2);

export const sll: ProtocolEntry = {
  name: 'sll',
  layers: [Sll],
  dissect: dissectSll,
  on: [linkTypes.at(113, dissectSll), linkTypes.at(LINK_TYPE_V2, dissectSll2)],
};
