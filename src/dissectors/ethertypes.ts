/**
 * EtherTypes: their names, and handing a payload to what its EtherType says.
 *
 * IANA "IEEE 802 Numbers".
 */
import { Data } from '../core/data.js';
import type { Frame } from '../core/frame.js';
import { u16 } from '../core/octets.js';
import { etherTypes } from '../core/registry.js';

/** Up to this a type field is a length (IEEE 802.3 section 3.2.6). */
export const MOST_LENGTH = 1500;
/** From here on it is a type; between the two it is neither. */
export const LEAST_TYPE = 0x0600;

/** EtherTypes by number. */
export const ETHERTYPE: Readonly<Record<number, string>> = {
  512: 'Xerox PUP',
  1280: 'Sprite',
  1536: 'Xerox NS IDP',
  2048: 'IPv4',
  2049: 'X.75 Internet',
  2053: 'X.25 Layer 3',
  2054: 'ARP',
  2114: 'Wake on LAN',
  2989: 'VINES IP',
  2990: 'VINES Echo',
  8947: 'TRILL',
  8948: 'L2-IS-IS',
  8960: 'TTE Protocol Control Frame',
  9728: 'VSS Monitoring',
  24577: 'DEC DNA Dump/Load',
  24578: 'DEC DNA Remote Console',
  24579: 'DEC DNA Routing',
  24580: 'DEC LAT',
  24584: 'DEC LANBridge',
  24832: 'Customer protocol',
  25944: 'Transparent Ethernet Bridging',
  25945: 'Raw Frame Relay',
  32821: 'RARP',
  32823: 'Novell NetWare NCP',
  32923: 'AppleTalk (EtherTalk)',
  33011: 'AppleTalk ARP',
  33024: '802.1Q Virtual LAN',
  33079: 'IPX',
  33100: 'SNMP',
  33169: 'VRRP',
  34058: 'Slow TCP/IP header compression',
  34525: 'IPv6',
  34827: 'PPP',
  34824: 'MAC Control',
  34825: 'Slow Protocols',
  34826: 'Slow Protocols test',
  34828: 'General Switch Management Protocol',
  34887: 'MPLS label switched packet',
  34888: 'MPLS multicast',
  34892: 'MAC-in-MAC OAM',
  34902: 'Jumbo Frames',
  34915: 'PPPoE Discovery',
  34916: 'PPPoE Session',
  34939: 'Intel ANS probe',
  34958: '802.1X Authentication',
  34960: 'Microsoft NLB heartbeat',
  34962: 'PROFINET',
  34970: 'HyperSCSI',
  34978: 'ATA over Ethernet',
  34980: 'EtherCAT',
  34984: '802.1ad Provider Bridge',
  34985: 'Link Layer Discovery Protocol',
  34987: 'SERCOS III',
  34989: 'WSMP',
  34994: 'CESoE',
  35006: 'FCoE',
  35010: 'IEC 61850 GOOSE',
  35011: 'IEC 61850 GSE management',
  35012: 'IEC 61850 Sampled Values',
  35020: 'Link Layer Discovery Protocol',
  35021: 'SERCOS III',
  35041: 'HomePlug AV',
  35043: 'Media Redundancy Protocol',
  35045: '802.1AE MACsec',
  35047: '802.1ah Provider Backbone Bridge',
  35049: 'RoCE',
  35061: 'MVRP',
  35062: 'MMRP',
  35063: 'PTPv2',
  35064: 'NC-SI',
  35067: 'Parallel Redundancy Protocol',
  35074: 'Connectivity Fault Management',
  35078: 'FCoE Initialization',
  35081: 'Cisco MetaData',
  35093: 'RoCE version 1',
  35113: 'TTE',
  35119: 'High-availability Seamless Redundancy',
  35075: 'Cisco FabricPath',
  35110: 'VN-Tag',
  35143: 'CAPWAP',
  35361: 'MikroTik RoMON',
  36864: 'Loopback',
  36865: 'DNS over Ethernet',
  37120: '802.1Q-in-802.1Q (old)',
  38014: 'Geonetworking',
  65535: 'Reserved',
};

const SHORT: Readonly<Record<number, string>> = {
  2114: 'WOL',
  24578: 'DEC MOP',
  24579: 'DEC DNA',
  24580: 'LAT',
  32821: 'RARP',
  32923: 'DDP',
  33011: 'AARP',
  33079: 'IPX',
  34525: 'IPv6',
  34824: 'MAC CTRL',
  34825: 'Slow Protocols',
  34958: 'EAPOL',
  34962: 'PROFINET',
  34978: 'AoE',
  34980: 'EtherCAT',
  35000: 'GOOSE',
  35002: 'IEC61850 SV',
  35020: 'LLDP',
  35041: 'HomePlug AV',
  35045: 'MACSEC',
  35061: 'MVRP',
  35063: 'PTPv2',
  35067: 'PRP',
  35074: 'CFM',
  35075: 'FabricPath',
  36864: 'LOOP',
};

/** What the protocol column says of an EtherType that nobody dissects: `LLDP`, `0x88b5`. */
export const etherTypeShort = (type: number): string => SHORT[type] ?? `0x${type.toString(16).padStart(4, '0')}`;

/**
 * Where a payload ends that nobody dissects but whose length is easily told, so that what follows it is seen as padding:
 * EAPOL (IEEE 802.1X), PTP (IEEE 1588), LLDP (IEEE 802.1AB: elements of 7 bits type and 9 bits length up to one of type 0).
 */
function ownEnd(frame: Frame, type: number, start: number, end: number): number {
  const { bytes } = frame;
  const limit = Math.min(end, frame.captured);
  if (start + 4 > limit) return end;
  if (type === 0x888e) return Math.min(end, start + 4 + u16(bytes, start + 2));
  if (type === 0x88f7) return Math.min(end, start + u16(bytes, start + 2));
  if (type !== 0x88cc) return end;
  for (let at = start; at + 2 <= limit; ) {
    const element = u16(bytes, at);
    at += 2 + (element & 0x1ff);
    if (element >> 9 === 0) return Math.min(at, end);
  }
  return end;
}

/** Hand `[start, end)` to what the EtherType says; what nobody dissects becomes data under the type's name. */
export function dispatchEtherType(frame: Frame, type: number, start: number, end: number): void {
  if (frame.tryDispatch(etherTypes, type, start, end)) return;
  const before = frame.depth;
  frame.data(start, ownEnd(frame, type, start, end), etherTypeShort(type));
  const data = frame.at(before);
  if (data instanceof Data) data.title = ETHERTYPE[type] ?? 'Ethernet II';
}
