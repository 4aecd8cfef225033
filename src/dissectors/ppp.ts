/**
 * Point-to-Point Protocol, bare (in PPPoE, in L2TP) and in HDLC-like framing.
 *
 * RFC 1661 (PPP), RFC 1662 (HDLC-like framing; section 3.1: address and control may be left out, once agreed).
 *
 *     0        1         2            4
 *     | ff     | 03      | protocol   | information …          framed
 *     | protocol         | information …                       bare
 *
 * A protocol number whose first octet is odd is that octet alone (RFC 1661 section 6.5).
 */
import { computed, uint8 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { type Dissect, etherTypes, linkTypes, type ProtocolEntry, pppProtocols } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectCiscoHdlc } from './chdlc.js';

/** Protocol numbers, IANA "PPP DLL Protocol Numbers". */
export const PPP_PROTOCOL: Readonly<Record<number, string>> = {
  1: 'Padding Protocol',
  33: 'Internet Protocol version 4',
  35: 'OSI Network Layer',
  37: 'Xerox NS IDP',
  39: 'DECnet Phase IV',
  41: 'AppleTalk',
  43: 'Novell IPX',
  45: 'Van Jacobson Compressed TCP/IP',
  47: 'Van Jacobson Uncompressed TCP/IP',
  49: 'Bridging PDU',
  51: 'Stream Protocol',
  53: 'Banyan Vines',
  61: 'Multi-Link',
  63: 'NetBIOS Framing',
  65: 'Cisco Systems',
  73: 'Serial Data Transport Protocol',
  75: 'SNA over 802.2',
  77: 'SNA',
  83: 'Encryption',
  85: 'Individual Link Encryption',
  87: 'Internet Protocol version 6',
  89: 'PPP Multiplexing',
  97: 'RTP IPHC Full Header',
  99: 'RTP IPHC Compressed TCP',
  101: 'RTP IPHC Compressed non TCP',
  103: 'RTP IPHC Compressed UDP 8',
  105: 'RTP IPHC Compressed RTP 8',
  207: 'PPP NLPID',
  251: 'Single-link compression in multilink',
  253: 'Compressed datagram',
  519: 'Cisco Discovery Protocol',
  641: 'MPLS Unicast',
  643: 'MPLS Multicast',
  16421: 'IBM Session Tracking',
  32801: 'Internet Protocol Control Protocol',
  32803: 'OSI Network Layer Control Protocol',
  32809: 'AppleTalk Control Protocol',
  32811: 'Novell IPX Control Protocol',
  32817: 'Bridging Control Protocol',
  32831: 'NetBIOS Framing Control Protocol',
  32833: 'Cisco Systems Control Protocol',
  32843: 'SNA over 802.2 Control Protocol',
  32845: 'SNA Control Protocol',
  32851: 'Encryption Control Protocol',
  32855: 'IPv6 Control Protocol',
  33019: 'Single-link compression in multilink control',
  33021: 'Compression Control Protocol',
  33287: 'Cisco Discovery Protocol Control Protocol',
  33409: 'MPLS Control Protocol',
  49185: 'Link Control Protocol',
  49187: 'Password Authentication Protocol',
  49189: 'Link Quality Report',
  49193: 'CallBack Control Protocol',
  49195: 'Bandwidth Allocation Control Protocol',
  49197: 'Bandwidth Allocation Protocol',
  49699: 'Challenge Handshake Authentication Protocol',
  49703: 'Extensible Authentication Protocol',
};

/** Network protocols by the EtherType that they have elsewhere. */
const ETHERTYPE_OF: Readonly<Record<number, number>> = { 33: 0x0800, 87: 0x86dd, 641: 0x8847, 643: 0x8848 };

const ALL_STATIONS = 0xff;
/** Cisco HDLC's addresses, which end up under PPP's link types too. */
const CISCO_UNICAST = 0x0f;
const CISCO_MULTICAST = 0x8f;

const addressed = (l: Layer): boolean => (l as Ppp).framed && l.bytes[l.start] === ALL_STATIONS;
const protocolAt = (l: Layer): number => l.start + (addressed(l) ? 2 : 0);
const protocolLength = (l: Layer): number => (l.bytes[protocolAt(l)]! & 1 ? 1 : 2);
const protocolOf = (l: Layer): number => (protocolLength(l) === 1 ? l.bytes[protocolAt(l)]! : u16(l.bytes, protocolAt(l)));

/** A PPP header. */
export class Ppp extends layer('ppp', 'Point-to-Point Protocol', {
  address: uint8('ppp.address', 'Address', 0, { base: 'hex', when: addressed }),
  control: uint8('ppp.control', 'Control', 1, { base: 'hex', when: addressed }),
  protocolNumber: computed(
    'uint16',
    'ppp.protocol',
    'Protocol',
    (l) => (protocolAt(l) < l.captured && protocolAt(l) + protocolLength(l) <= l.captured ? protocolOf(l) : undefined),
    { base: 'hex', values: PPP_PROTOCOL },
  ),
}) {
  /** In HDLC-like framing, with address and control. Set when the layer is made. */
  declare framed: boolean;

  override summary(out: TextBuffer): void {
    const protocol = this.protocolNumber;
    if (protocol !== undefined) out.text(PPP_PROTOCOL[protocol] ?? `PPP protocol 0x${protocol.toString(16).padStart(4, '0')}`);
  }
}

function dissect(frame: Frame, start: number, end: number, framed: boolean): void {
  const ppp = new Ppp(frame, start, end);
  ppp.framed = framed;
  if (!frame.add(ppp, 1)) return;
  const header = protocolAt(ppp) - start;
  if (!frame.require(ppp, header + 1) || !frame.require(ppp, header + protocolLength(ppp))) return;
  const protocol = protocolOf(ppp);
  const from = start + header + protocolLength(ppp);
  if (frame.tryDispatch(pppProtocols, protocol, from, end)) return;
  const etherType = ETHERTYPE_OF[protocol];
  if (etherType === undefined || !frame.tryDispatch(etherTypes, etherType, from, end)) frame.data(from, end);
}

/** PPP as it stands in PPPoE or L2TP's session: from the protocol number on. */
export const dissectPpp: Dissect = (frame, start, end) => dissect(frame, start, end, false);

/** PPP in HDLC-like framing, or Cisco HDLC where its addresses say so. */
export const dissectPppHdlc: Dissect = (frame, start, end) => {
  const address = start < frame.captured ? frame.bytes[start] : undefined;
  if (address === CISCO_UNICAST || address === CISCO_MULTICAST) dissectCiscoHdlc(frame, start, end);
  else dissect(frame, start, end, true);
};

const DIRECTION_LENGTH = 1;
/** One octet for the direction (0 received, else sent) before the frame: LINKTYPE_PPP_PPPD, LINKTYPE_PPP_WITH_DIR. */
const dissectPppWithDirection: Dissect = (frame, start, end) => dissectPppHdlc(frame, start + DIRECTION_LENGTH, end);

export const ppp: ProtocolEntry = {
  name: 'ppp',
  layers: [Ppp],
  dissect: dissectPpp,
  on: [linkTypes.at([9, 50], dissectPppHdlc), linkTypes.at([166, 204], dissectPppWithDirection), etherTypes.at(0x880b, dissectPpp)],
};
