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
import { type Dissect, etherTypes, linkTypes, pppProtocols, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectCiscoHdlc } from './chdlc.js';

/** Protocol numbers, IANA "PPP DLL Protocol Numbers". */
export const PPP_PROTOCOL: Readonly<Record<number, string>> = {
  0x0001: 'Padding Protocol',
  0x0021: 'Internet Protocol version 4',
  0x0023: 'OSI Network Layer',
  0x0025: 'Xerox NS IDP',
  0x0027: 'DECnet Phase IV',
  0x0029: 'AppleTalk',
  0x002b: 'Novell IPX',
  0x002d: 'Van Jacobson Compressed TCP/IP',
  0x002f: 'Van Jacobson Uncompressed TCP/IP',
  0x0031: 'Bridging PDU',
  0x0033: 'Stream Protocol',
  0x0035: 'Banyan Vines',
  0x003d: 'Multi-Link',
  0x003f: 'NetBIOS Framing',
  0x0041: 'Cisco Systems',
  0x0049: 'Serial Data Transport Protocol',
  0x004b: 'SNA over 802.2',
  0x004d: 'SNA',
  0x0053: 'Encryption',
  0x0055: 'Individual Link Encryption',
  0x0057: 'Internet Protocol version 6',
  0x0059: 'PPP Multiplexing',
  0x0061: 'RTP IPHC Full Header',
  0x0063: 'RTP IPHC Compressed TCP',
  0x0065: 'RTP IPHC Compressed non TCP',
  0x0067: 'RTP IPHC Compressed UDP 8',
  0x0069: 'RTP IPHC Compressed RTP 8',
  0x00cf: 'PPP NLPID',
  0x00fb: 'Single-link compression in multilink',
  0x00fd: 'Compressed datagram',
  0x0207: 'Cisco Discovery Protocol',
  0x0281: 'MPLS Unicast',
  0x0283: 'MPLS Multicast',
  0x4025: 'IBM Session Tracking',
  0x8021: 'Internet Protocol Control Protocol',
  0x8023: 'OSI Network Layer Control Protocol',
  0x8029: 'AppleTalk Control Protocol',
  0x802b: 'Novell IPX Control Protocol',
  0x8031: 'Bridging Control Protocol',
  0x803f: 'NetBIOS Framing Control Protocol',
  0x8041: 'Cisco Systems Control Protocol',
  0x804b: 'SNA over 802.2 Control Protocol',
  0x804d: 'SNA Control Protocol',
  0x8053: 'Encryption Control Protocol',
  0x8057: 'IPv6 Control Protocol',
  0x80fb: 'Single-link compression in multilink control',
  0x80fd: 'Compression Control Protocol',
  0x8207: 'Cisco Discovery Protocol Control Protocol',
  0x8281: 'MPLS Control Protocol',
  0xc021: 'Link Control Protocol',
  0xc023: 'Password Authentication Protocol',
  0xc025: 'Link Quality Report',
  0xc029: 'CallBack Control Protocol',
  0xc02b: 'Bandwidth Allocation Control Protocol',
  0xc02d: 'Bandwidth Allocation Protocol',
  0xc223: 'Challenge Handshake Authentication Protocol',
  0xc227: 'Extensible Authentication Protocol',
};

/** Network protocols by the EtherType that they have elsewhere. */
const ETHERTYPE_OF: Readonly<Record<number, number>> = { 0x0021: 0x0800, 0x0057: 0x86dd, 0x0281: 0x8847, 0x0283: 0x8848 };

const ALL_STATIONS = 0xff;
/** Cisco HDLC's addresses, which end up under PPP's link types too. */
const CISCO_UNICAST = 0x0f;
const CISCO_MULTICAST = 0x8f;

const addressed = (l: Layer): boolean => (l as Ppp).framed && l.bytes[l.start] === ALL_STATIONS;
const protocolAt = (l: Layer): number => l.start + (addressed(l) ? 2 : 0);
const protocolLength = (l: Layer): number => (l.bytes[protocolAt(l)]! & 1 ? 1 : 2);
const protocolOf = (l: Layer): number =>
  protocolLength(l) === 1 ? l.bytes[protocolAt(l)]! : u16(l.bytes, protocolAt(l));

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
    const protocol = protocolOf(this);
    out.text(PPP_PROTOCOL[protocol] ?? `PPP protocol 0x${protocol.toString(16).padStart(4, '0')}`);
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
/** One octet for the direction (0 received, else sent) before the frame: LINKTYPE_PPP_WITH_DIR. */
const dissectPppWithDirection: Dissect = (frame, start, end) => dissectPppHdlc(frame, start + DIRECTION_LENGTH, end);

export const ppp: ProtocolEntry = {
  name: 'ppp',
  layers: [Ppp],
  dissect: dissectPpp,
  on: [linkTypes.at([9, 50], dissectPppHdlc), linkTypes.at(166, dissectPppWithDirection), etherTypes.at(0x880b, dissectPpp)],
};
