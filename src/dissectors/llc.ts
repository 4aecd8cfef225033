/**
 * Logical Link Control with the Subnetwork Access Protocol: what is carried where a length stands instead of a type.
 *
 * IEEE 802.2 (LLC), IEEE 802 section 9.4 (SNAP), RFC 1042 (IP over it), RFC 2684 (bridged frames).
 *
 *     0      1      2           3 or 4
 *     | DSAP | SSAP | control   | payload …
 *     | aa   | aa   | 03        | organisation (3) | protocol (2) | payload …
 *
 * A control field that ends in binary 11 is one octet (unnumbered), any other two, the first being the low one.
 */
import { bits, computed, flag, group, uint8, uint16, uint24 } from '../core/field.js';
import { type Layer, layer } from '../core/layer.js';
import { u16, u16le, u24 } from '../core/octets.js';
import { type Dissect, etherTypes, linkTypes, llcSaps, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectEthernet } from './ethernet.js';
import { dispatchEtherType, ETHERTYPE } from './ethertypes.js';

/** Service access points, the lowest bit (individual/group, command/response) left out. */
const SAP: Readonly<Record<number, string>> = {
  0: 'NULL LSAP',
  2: 'LLC Sub-Layer Management',
  4: 'SNA Path Control',
  6: 'TCP/IP',
  8: 'SNA',
  12: 'SNA',
  14: 'PROWAY Network Management',
  24: 'Texas Instruments',
  66: 'Spanning Tree BPDU',
  78: 'EIA RS-511',
  126: 'ISO 8208 (X.25 over 802.2)',
  128: 'XNS',
  130: 'BACnet',
  134: 'Nestar',
  142: 'PROWAY Active Station List',
  152: 'ARP',
  166: 'RDE (route determination entity)',
  170: 'SNAP',
  188: 'Banyan Vines',
  212: 'Resource Management',
  220: 'Name Management',
  224: 'NetWare',
  236: 'HPE NERF',
  240: 'NetBIOS',
  244: 'IBM Net Management',
  248: 'Remote Program Load / HP extended',
  250: 'Ungermann-Bass',
  252: 'Remote Program Load',
  254: 'ISO Network Layer',
};
const sapName = (sap: number): string => SAP[sap & 0xfe] ?? 'Unknown';

/** Protocol column for what stands on a service access point that nobody dissects. */
const SAP_SHORT: Readonly<Record<number, string>> = { 66: 'STP', 224: 'IPX', 240: 'NetBIOS', 254: 'OSI', 130: 'BACnet', 4: 'SNA' };

const COMMAND: Readonly<Record<number, string>> = {
  0: 'UI',
  3: 'DM',
  16: 'DISC',
  27: 'SABM',
  31: 'SABME',
  43: 'XID',
  56: 'TEST',
};
const RESPONSE: Readonly<Record<number, string>> = {
  0: 'UI',
  3: 'DM',
  16: 'RD',
  24: 'UA',
  33: 'FRMR',
  43: 'XID',
  56: 'TEST',
};
const SUPERVISORY: Readonly<Record<number, string>> = { 0: 'RR', 1: 'RNR', 2: 'REJ' };
const FRAME_TYPE = { 0: 'Information frame', 1: 'Supervisory frame', 3: 'Unnumbered frame' };

const ORGANISATION: Readonly<Record<number, string>> = {
  0: 'Encapsulated Ethernet',
  248: 'Cisco 802.1H',
  12: 'Cisco',
  129: 'Nortel',
  16534: 'Cisco Wireless',
  32962: 'IEEE 802.1',
  524295: 'Apple',
  57387: 'Extreme',
  57426: 'Foundry',
  524297: 'HP',
  6488: 'Bluetooth',
  94: 'IANA',
  6130: 'Apple',
  488: 'Force10',
  4240: 'Cimetrics',
};
/** Organisations whose protocol numbers are EtherTypes. */
const ENCAPSULATED_ETHERNET = 0x000000;
const CISCO_802_1H = 0x0000f8;
const CISCO = 0x00000c;
const NORTEL = 0x000081;
const CISCO_WIRELESS = 0x004096;
const IEEE_802_1 = 0x0080c2;

const CISCO_PROTOCOL: Readonly<Record<number, string>> = {
  258: 'DRiP',
  260: 'Port Aggregation Protocol',
  261: 'MLS Hello',
  267: 'PVSTP+',
  268: 'VLAN Bridge',
  273: 'UDLD',
  276: 'Transparent Interconnection',
  296: 'Cisco ACI LLDP',
  297: 'Cisco ACI DCBXP',
  8192: 'CDP',
  8193: 'CGMP',
  8195: 'VTP',
  8196: 'DTP',
  8202: 'STP Uplink Fast',
};
const NORTEL_PROTOCOL = { 417: 'SONMP segment hello', 418: 'SONMP flatnet hello' };
const SHORT_PROTOCOL: Readonly<Record<number, string>> = {
  [0x000c0102]: 'DRiP',
  [0x000c0104]: 'PAGP',
  [0x000c010b]: 'STP',
  [0x000c0111]: 'UDLD',
  [0x000c2000]: 'CDP',
  [0x000c2001]: 'CGMP',
  [0x000c2003]: 'VTP',
  [0x000c2004]: 'DTP',
  [0x008101a1]: 'NDP',
  [0x008101a2]: 'NDP',
  [0x40960000]: 'WLCCP',
};

const SNAP_SAP = 0xaa;
const SNAP_LENGTH = 5;

/** Octets up to the payload or to SNAP. */
const headerLength = (l: Layer): number => ((l.bytes[l.start + 2]! & 3) === 3 ? 3 : 4);
const unnumbered = (l: Layer): boolean => l.start + 3 <= l.captured && (l.bytes[l.start + 2]! & 3) === 3;
const numbered = (l: Layer): boolean => l.start + 4 <= l.captured && (l.bytes[l.start + 2]! & 3) !== 3;
const information = (l: Layer): boolean => numbered(l) && (l.bytes[l.start + 2]! & 1) === 0;
const supervisory = (l: Layer): boolean => numbered(l) && (l.bytes[l.start + 2]! & 3) === 1;
/** The source access point's lowest bit tells a response from a command. */
const response = (l: Layer): boolean => (l.bytes[l.start + 1]! & 1) === 1;
const control = (l: Layer): number => (unnumbered(l) ? l.bytes[l.start + 2]! : u16le(l.bytes, l.start + 2));
const pollFinal = (l: Layer): boolean => (unnumbered(l) ? (control(l) & 0x10) !== 0 : numbered(l) && (control(l) & 0x100) !== 0);
const snap = (l: Layer): boolean =>
  l.bytes[l.start] === SNAP_SAP && l.bytes[l.start + 1]! === SNAP_SAP && l.start + headerLength(l) + SNAP_LENGTH <= l.captured;
const organisation = (l: Layer): number => (snap(l) ? u24(l.bytes, l.start + headerLength(l)) : -1);
const protocolAt = (l: Layer): number => headerLength(l) + 3;
const etherTyped = (l: Layer): boolean => organisation(l) === ENCAPSULATED_ETHERNET || organisation(l) === CISCO_802_1H;

/** A protocol number under its organisation's own name. */
const pid = (name: string, of: (organisation: number) => boolean, values: Readonly<Record<number, string>> = {}) =>
  uint16(name, 'PID', protocolAt, { base: 'hex', values, when: (l: Layer) => of(organisation(l)) });
const NAMED: ReadonlySet<number> = new Set([-1, ENCAPSULATED_ETHERNET, CISCO_802_1H, CISCO, NORTEL, CISCO_WIRELESS]);

/** A service access point by its name, else by its number. */
function writeSap(out: TextBuffer, sap: number): void {
  const name = SAP[sap & 0xfe];
  if (name !== undefined) return out.ascii(name);
  out.ascii('0x');
  out.hex(sap & 0xfe, 2);
}

/** An LLC header with SNAP. */
export class Llc extends layer('llc', 'Logical-Link Control', {
  ...group(
    { dsap: uint8('llc.dsap', 'DSAP', 0, { base: 'hex', values: sapName }) },
    {
      dsapSap: bits('llc.dsap.sap', 'SAP', 0, 8, 0xfe, { base: 'hex', values: (sap) => sapName(sap << 1) }),
      dsapGroup: flag('llc.dsap.ig', 'IG Bit', 0, 0x01, 8, { flags: ['Group', 'Individual'] }),
    },
  ),
  ...group(
    { ssap: uint8('llc.ssap', 'SSAP', 1, { base: 'hex', values: sapName }) },
    {
      ssapSap: bits('llc.ssap.sap', 'SAP', 1, 8, 0xfe, { base: 'hex', values: (sap) => sapName(sap << 1) }),
      ssapResponse: flag('llc.ssap.cr', 'CR Bit', 1, 0x01, 8, { flags: ['Response', 'Command'] }),
    },
  ),
  ...group(
    {
      control: computed('uint16', 'llc.control', 'Control', (l) => (unnumbered(l) || numbered(l) ? control(l) : undefined), {
        base: 'hex',
      }),
    },
    {
      receiveNumber: computed('uint16', 'llc.control.n_r', 'N(R)', (l) => (numbered(l) ? control(l) >> 9 : undefined)),
      sendNumber: computed('uint16', 'llc.control.n_s', 'N(S)', (l) => (information(l) ? (control(l) >> 1) & 0x7f : undefined)),
      poll: computed('bool', 'llc.control.p', 'Poll', (l) => (!response(l) && pollFinal(l) ? true : undefined)),
      final: computed('bool', 'llc.control.f', 'Final', (l) => (response(l) && pollFinal(l) ? true : undefined)),
      supervisory: computed(
        'uint16',
        'llc.control.s_ftype',
        'Supervisory frame type',
        (l) => (supervisory(l) ? (control(l) >> 2) & 3 : undefined),
        { base: 'hex', values: SUPERVISORY },
      ),
      command: computed(
        'uint8',
        'llc.control.u_modifier_cmd',
        'Command',
        (l) => (unnumbered(l) && !response(l) ? (control(l) & 0xec) >> 2 : undefined),
        { base: 'hex', values: COMMAND },
      ),
      response: computed(
        'uint8',
        'llc.control.u_modifier_resp',
        'Response',
        (l) => (unnumbered(l) && response(l) ? (control(l) & 0xec) >> 2 : undefined),
        { base: 'hex', values: RESPONSE },
      ),
      frameType: computed(
        'uint16',
        'llc.control.ftype',
        'Frame type',
        (l) => (unnumbered(l) ? 3 : supervisory(l) ? 1 : information(l) ? 0 : undefined),
        { base: 'hex', values: FRAME_TYPE },
      ),
    },
  ),
  organisation: uint24('llc.oui', 'Organization Code', headerLength, { base: 'hex', values: ORGANISATION, when: snap }),
  type: uint16('llc.type', 'Type', protocolAt, { base: 'hex', values: ETHERTYPE, when: etherTyped }),
  ciscoProtocol: pid('llc.cisco_pid', (o) => o === CISCO, CISCO_PROTOCOL),
  nortelProtocol: pid('llc.nortel_pid', (o) => o === NORTEL, NORTEL_PROTOCOL),
  wirelessProtocol: pid('llc.wlccp_pid', (o) => o === CISCO_WIRELESS),
  protocolId: pid('llc.pid', (o) => !NAMED.has(o)),
}) {
  override summary(out: TextBuffer): void {
    if (unnumbered(this)) {
      const modifier = (control(this) & 0xec) >> 2;
      out.ascii(pollFinal(this) ? (response(this) ? 'U F, func=' : 'U P, func=') : 'U, func=');
      out.ascii((response(this) ? RESPONSE : COMMAND)[modifier] ?? 'Unknown');
    } else if (supervisory(this)) {
      out.ascii(pollFinal(this) ? (response(this) ? 'S F, func=' : 'S P, func=') : 'S, func=');
      out.ascii(SUPERVISORY[(control(this) >> 2) & 3] ?? 'Unknown');
      out.ascii(', N(R)=');
      out.number(control(this) >> 9);
    } else if (information(this)) {
      out.ascii(pollFinal(this) ? (response(this) ? 'I F, N(R)=' : 'I P, N(R)=') : 'I, N(R)=');
      out.number(control(this) >> 9);
      out.ascii(', N(S)=');
      out.number((control(this) >> 1) & 0x7f);
    }
    if (snap(this)) {
      const code = organisation(this);
      out.ascii('; SNAP, OUI 0x');
      out.hex(code, 6);
      out.ascii(` (${ORGANISATION[code] ?? 'Unknown'}), PID 0x`);
      out.hex(u16(this.bytes, this.start + protocolAt(this)), 4);
    } else if (this.start + 2 <= this.captured) {
      out.ascii('; DSAP ');
      writeSap(out, this.bytes[this.start]!);
      out.ascii(this.bytes[this.start]! & 1 ? ' Group, SSAP ' : ' Individual, SSAP ');
      writeSap(out, this.bytes[this.start + 1]!);
      out.ascii(response(this) ? ' Response' : ' Command');
    }
  }
}

export const dissectLlc: Dissect = (frame, start, end) => {
  const llc = new Llc(frame, start, end);
  if (!frame.add(llc, 3)) return;
  const header = headerLength(llc);
  if (!frame.require(llc, header)) return;
  const { bytes } = llc;
  if (bytes[start] === SNAP_SAP && bytes[start + 1] === SNAP_SAP) {
    if (frame.require(llc, header + SNAP_LENGTH)) dissectSnap(frame, llc, start + header, end);
    return;
  }
  // Only UI and information frames carry something; what XID and TEST carry belongs to LLC itself.
  if (supervisory(llc) || start + header >= end) return;
  if (unnumbered(llc) && (control(llc) & 0xec) !== 0) return frame.data(start + header, end);
  if (!frame.tryDispatch(llcSaps, bytes[start]!, start + header, end)) frame.data(start + header, end, SAP_SHORT[bytes[start]! & 0xfe]);
};

/** What an organisation's protocol number carries. `at` is where the organisation code stands. */
function dissectSnap(frame: Llc['frame'], llc: Llc, at: number, end: number): void {
  const code = u24(llc.bytes, at);
  const protocol = u16(llc.bytes, at + 3);
  const from = at + SNAP_LENGTH;
  if (code === ENCAPSULATED_ETHERNET || code === CISCO_802_1H) {
    if (from < end || frame.session.registry.get(etherTypes, protocol)) dispatchEtherType(frame, protocol, from, end);
  }
  // Bridged frames, RFC 2684 section 5.2: 1 with FCS, 7 without.
  else if (code === IEEE_802_1 && (protocol === 1 || protocol === 7)) dissectEthernet(frame, from, protocol === 1 ? end - 4 : end);
  else frame.data(from, end, SHORT_PROTOCOL[(code & 0xffff) * 0x10000 + protocol]);
}

export const llc: ProtocolEntry = {
  name: 'llc',
  layers: [Llc],
  dissect: dissectLlc,
  // LLC in ATM (RFC 2684) under the numbers of two systems.
  on: [etherTypes.at(0x8870, dissectLlc), linkTypes.at([11, 100], dissectLlc)],
};
