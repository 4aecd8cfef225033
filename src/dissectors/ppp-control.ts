/**
 * PPP's control and authentication protocols: how the two ends of a link agree on what it carries.
 *
 * RFC 1661 (LCP), RFC 1332 and RFC 1877 (IPCP), RFC 5072 (IPV6CP), RFC 1962 (CCP), RFC 1334 (PAP), RFC 1994 (CHAP).
 *
 *     0      1            2        4
 *     | code | identifier | length | options or data …
 *     option: | type | length | value … |
 */
import { bytes, expert, type Field, ipv4, many, string, uint8, uint16, uint32 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { type Dissect, type ProtocolEntry, pppProtocols } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { PPP_PROTOCOL } from './ppp.js';

const HEADER_LENGTH = 4;

const CODE: Readonly<Record<number, string>> = {
  0: 'Vendor Specific',
  1: 'Configuration Request',
  2: 'Configuration Ack',
  3: 'Configuration Nak',
  4: 'Configuration Reject',
  5: 'Termination Request',
  6: 'Termination Ack',
  7: 'Code Reject',
  8: 'Protocol Reject',
  9: 'Echo Request',
  10: 'Echo Reply',
  11: 'Discard Request',
  12: 'Identification',
  13: 'Time Remaining',
  14: 'Reset Request',
  15: 'Reset Ack',
};

/** An option: its name, the row of its value, and the length it must have with its header; 0 for any. */
interface Option {
  readonly name: string;
  readonly row?: Field;
  readonly length: number;
}

const codeRow = (name: string, values: Readonly<Record<number, string>>) => uint8(name, 'Code', 0, { values });
/** The rows that every one of these protocols begins with. */
const header = () => ({
  code: codeRow('ppp.code', CODE),
  identifier: uint8('ppp.identifier', 'Identifier', 1),
  length: uint16('ppp.length', 'Length', 2, { unit: 'bytes' }),
});
const optionHeader = (protocol: string, values: Readonly<Record<number, string>>) => ({
  optionType: many(uint8(`${protocol}.opt.type`, 'Type', { values })),
  optionLength: many(uint8(`${protocol}.opt.length`, 'Length', { unit: 'bytes' })),
});
const invalidLength = () => many(expert('error', 'protocol', 'ppp.opt.len.invalid', 'Invalid length for option'));

const names = (options: Readonly<Record<number, Option>>): Readonly<Record<number, string>> =>
  Object.fromEntries(Object.entries(options).map(([type, option]) => [type, option.name]));

/** Where the packet's own length says that it ends. */
const packetEnd = (l: Layer): number => Math.min(l.start + u16(l.bytes, l.start + 2), l.captured);

/** Configure-Request, -Ack, -Nak and -Reject carry options. Every option is at least 2 octets, so the walk advances. */
function walkOptions(
  l: Layer,
  tree: Tree,
  rows: { readonly optionType: Field; readonly optionLength: Field; readonly invalid: Field },
  options: Readonly<Record<number, Option>>,
): void {
  const end = packetEnd(l);
  for (let at = l.start + HEADER_LENGTH; at + 2 <= end; ) {
    const type = l.bytes[at]!;
    const length = l.bytes[at + 1]!;
    const option = options[type];
    const fits = length >= 2 && at + length <= end;
    tree.heading(option?.name ?? `Option ${type}`, at, fits ? length : end - at);
    tree.add(rows.optionType, at);
    tree.add(rows.optionLength, at + 1);
    const pastEnd = at + length > l.start + u16(l.bytes, l.start + 2);
    const wrong = length < 2 || pastEnd || (option !== undefined && option.length > 0 && length !== option.length);
    if (wrong) tree.put(rows.invalid, true, at + 1, 1);
    else if (fits && option?.row && length > 2) tree.add(option.row, at + 2, (option.row.length as number) || length - 2);
    tree.close();
    if (!fits) return;
    at += length;
  }
}

function writeCode(out: TextBuffer, l: Layer, values: Readonly<Record<number, string>>): void {
  const code = l.bytes[l.start]!;
  out.ascii(values[code] ?? `Unknown (0x${code.toString(16).padStart(2, '0')})`);
}

const configures = (l: Layer): boolean => l.start + HEADER_LENGTH <= l.captured && l.bytes[l.start]! >= 1 && l.bytes[l.start]! <= 4;

const lcpValues = {
  mru: many(uint16('lcp.opt.mru', 'Maximum Receive Unit')),
  asyncMap: many(uint32('lcp.opt.asyncmap', 'Async Control Character Map', { base: 'hex' })),
  authentication: many(uint16('lcp.opt.auth_protocol', 'Authentication Protocol', { base: 'hex', values: PPP_PROTOCOL })),
  quality: many(uint16('lcp.opt.quality_protocol', 'Quality Protocol', { base: 'hex', values: PPP_PROTOCOL })),
  optionMagic: many(uint32('lcp.opt.magic_number', 'Magic Number', { base: 'hex' })),
  fcsAlternatives: many(uint8('lcp.opt.fcs_alternatives', 'FCS Alternatives', { base: 'hex' })),
};
const LCP_OPTION: Readonly<Record<number, Option>> = {
  0: { name: 'Vendor Specific', length: 0 },
  1: { name: 'Maximum Receive Unit', row: lcpValues.mru, length: 4 },
  2: { name: 'Async Control Character Map', row: lcpValues.asyncMap, length: 6 },
  3: { name: 'Authentication Protocol', row: lcpValues.authentication, length: 0 },
  4: { name: 'Quality Protocol', row: lcpValues.quality, length: 0 },
  5: { name: 'Magic Number', row: lcpValues.optionMagic, length: 6 },
  7: { name: 'Protocol Field Compression', length: 2 },
  8: { name: 'Address and Control Field Compression', length: 2 },
  9: { name: 'FCS Alternatives', row: lcpValues.fcsAlternatives, length: 3 },
  10: { name: 'Self Describing Padding', length: 3 },
  11: { name: 'Numbered Mode', length: 0 },
  13: { name: 'Callback', length: 0 },
  15: { name: 'Compound Frames', length: 2 },
  17: { name: 'Multilink MRRU', length: 4 },
  18: { name: 'Multilink Short Sequence Number Header', length: 2 },
  19: { name: 'Multilink Endpoint Discriminator', length: 0 },
  23: { name: 'Link Discriminator for BAP', length: 4 },
};
const lcpRows = {
  ...header(),
  ...optionHeader('lcp', names(LCP_OPTION)),
  ...lcpValues,
  magic: uint32('lcp.magic_number', 'Magic Number', { base: 'hex' }),
  rejected: uint16('lcp.rej_proto', 'Rejected Protocol', { base: 'hex', values: PPP_PROTOCOL }),
  message: string('lcp.message', 'Message'),
  remaining: uint32('lcp.secs_remaining', 'Seconds Remaining', { unit: 'seconds' }),
  data: bytes('lcp.data', 'Data'),
  invalid: invalidLength(),
};

/** Link Control Protocol. */
export class Lcp extends layer('lcp', 'PPP Link Control Protocol', lcpRows, 'PPP LCP') {
  override walk(tree: Tree): void {
    if (configures(this)) return walkOptions(this, tree, lcpRows, LCP_OPTION);
    const code = this.bytes[this.start]!;
    const end = packetEnd(this);
    let at = this.start + HEADER_LENGTH;
    if (at >= end) return;
    // Echo, discard, identification and time remaining begin with the sender's magic number.
    if (code >= 9 && code <= 13) {
      if (at + 4 > end) return;
      tree.add(lcpRows.magic, at);
      at += 4;
      if (code === 13 && at + 4 <= end) {
        tree.add(lcpRows.remaining, at);
        at += 4;
      }
      if (code >= 12) {
        if (at < end) tree.add(lcpRows.message, at, end - at);
        return;
      }
    } else if (code === 8 && at + 2 <= end) {
      tree.add(lcpRows.rejected, at);
      at += 2;
    }
    if (at < end) tree.add(lcpRows.data, at, end - at);
  }
  override summary(out: TextBuffer): void {
    writeCode(out, this, CODE);
  }
}

const ipcpValues = {
  compression: many(uint16('ipcp.opt.compress_proto', 'IP Compression Protocol', { base: 'hex', values: PPP_PROTOCOL })),
  address: many(ipv4('ipcp.opt.ip_address', 'IP Address')),
  primaryDns: many(ipv4('ipcp.opt.pri_dns_address', 'Primary DNS Address')),
  primaryNbns: many(ipv4('ipcp.opt.pri_nbns_address', 'Primary NBNS Address')),
  secondaryDns: many(ipv4('ipcp.opt.sec_dns_address', 'Secondary DNS Address')),
  secondaryNbns: many(ipv4('ipcp.opt.sec_nbns_address', 'Secondary NBNS Address')),
};
const IPCP_OPTION: Readonly<Record<number, Option>> = {
  1: { name: 'IP Addresses', length: 10 },
  2: { name: 'IP Compression Protocol', row: ipcpValues.compression, length: 0 },
  3: { name: 'IP Address', row: ipcpValues.address, length: 6 },
  129: { name: 'Primary DNS Server IP Address', row: ipcpValues.primaryDns, length: 6 },
  130: { name: 'Primary NBNS Server IP Address', row: ipcpValues.primaryNbns, length: 6 },
  131: { name: 'Secondary DNS Server IP Address', row: ipcpValues.secondaryDns, length: 6 },
  132: { name: 'Secondary NBNS Server IP Address', row: ipcpValues.secondaryNbns, length: 6 },
};
const ipcpRows = { ...header(), ...optionHeader('ipcp', names(IPCP_OPTION)), ...ipcpValues, invalid: invalidLength() };

/** IP Control Protocol. */
export class Ipcp extends layer('ipcp', 'PPP IP Control Protocol', ipcpRows, 'PPP IPCP') {
  override walk(tree: Tree): void {
    if (configures(this)) walkOptions(this, tree, ipcpRows, IPCP_OPTION);
  }
  override summary(out: TextBuffer): void {
    writeCode(out, this, CODE);
  }
}

const ipv6cpValues = { identifierValue: many(bytes('ipv6cp.interface_identifier', 'Interface Identifier')) };
const IPV6CP_OPTION: Readonly<Record<number, Option>> = {
  1: { name: 'Interface Identifier', row: ipv6cpValues.identifierValue, length: 10 },
  2: { name: 'IPv6 Compression Protocol', length: 0 },
};
const ipv6cpRows = { ...header(), ...optionHeader('ipv6cp', names(IPV6CP_OPTION)), ...ipv6cpValues, invalid: invalidLength() };

/** IPv6 Control Protocol. */
export class Ipv6cp extends layer('ipv6cp', 'PPP IPv6 Control Protocol', ipv6cpRows, 'PPP IPV6CP') {
  override walk(tree: Tree): void {
    if (configures(this)) walkOptions(this, tree, ipv6cpRows, IPV6CP_OPTION);
  }
  override summary(out: TextBuffer): void {
    writeCode(out, this, CODE);
  }
}

const CCP_OPTION: Readonly<Record<number, Option>> = {
  0: { name: 'OUI', length: 0 },
  1: { name: 'Predictor type 1', length: 2 },
  2: { name: 'Predictor type 2', length: 2 },
  3: { name: 'Puddle Jumper', length: 2 },
  17: { name: 'Stac LZS', length: 0 },
  18: { name: 'Microsoft PPE/PPC', length: 6 },
  21: { name: 'BSD Compress', length: 3 },
  26: { name: 'Deflate', length: 4 },
};
const ccpRows = { ...header(), ...optionHeader('ccp', names(CCP_OPTION)), invalid: invalidLength() };

/** Compression Control Protocol. */
export class Ccp extends layer('ccp', 'PPP Compression Control Protocol', ccpRows, 'PPP CCP') {
  override walk(tree: Tree): void {
    if (configures(this)) walkOptions(this, tree, ccpRows, CCP_OPTION);
  }
  override summary(out: TextBuffer): void {
    writeCode(out, this, CODE);
  }
}

/** A control protocol of which only the code is told. */
export class OtherControl extends layer('ppp_cp', 'PPP Control Protocol', header(), 'PPP CP') {
  override summary(out: TextBuffer): void {
    writeCode(out, this, CODE);
  }
}

const PAP_CODE = { 1: 'Authenticate-Request', 2: 'Authenticate-Ack', 3: 'Authenticate-Nak' };
const papRows = {
  code: codeRow('pap.code', PAP_CODE),
  identifier: uint8('pap.identifier', 'Identifier', 1),
  length: uint16('pap.length', 'Length', 2, { unit: 'bytes' }),
  peerIdLength: uint8('pap.peer_id.length', 'Peer-ID-Length'),
  peerId: string('pap.peer_id', 'Peer-ID'),
  passwordLength: uint8('pap.password.length', 'Password-Length'),
  password: string('pap.password', 'Password'),
  messageLength: uint8('pap.message.length', 'Message-Length'),
  message: string('pap.message', 'Message'),
};

/** Password Authentication Protocol. */
export class Pap extends layer('pap', 'PPP Password Authentication Protocol', papRows, 'PPP PAP') {
  override walk(tree: Tree): void {
    if (this.start + HEADER_LENGTH > this.captured) return;
    let at = this.start + HEADER_LENGTH;
    const end = packetEnd(this);
    const pair = (lengthRow: Field, textRow: Field): void => {
      if (at >= end) return;
      const length = this.bytes[at]!;
      tree.add(lengthRow, at);
      if (length > 0 && at + 1 + length <= end) tree.add(textRow, at + 1, length);
      at += 1 + length;
    };
    if (this.bytes[this.start] === 1) {
      pair(papRows.peerIdLength, papRows.peerId);
      pair(papRows.passwordLength, papRows.password);
    } else pair(papRows.messageLength, papRows.message);
  }
  override summary(out: TextBuffer): void {
    writeCode(out, this, PAP_CODE);
    const { peerId, password, message } = this;
    if (peerId !== undefined) out.text(` (Peer-ID='${peerId}', Password='${password ?? ''}')`);
    if (message !== undefined) out.text(` (Message='${message}')`);
  }
}

const CHAP_CODE = { 1: 'Challenge', 2: 'Response', 3: 'Success', 4: 'Failure' };
const chapRows = {
  code: codeRow('chap.code', CHAP_CODE),
  identifier: uint8('chap.identifier', 'Identifier', 1),
  length: uint16('chap.length', 'Length', 2, { unit: 'bytes' }),
  valueSize: uint8('chap.value_size', 'Value Size'),
  value: bytes('chap.value', 'Value'),
  name: string('chap.name', 'Name'),
  message: string('chap.message', 'Message'),
};

/** Challenge Handshake Authentication Protocol. */
export class Chap extends layer('chap', 'PPP Challenge Handshake Authentication Protocol', chapRows, 'PPP CHAP') {
  override walk(tree: Tree): void {
    if (this.start + HEADER_LENGTH > this.captured) return;
    const at = this.start + HEADER_LENGTH;
    const end = packetEnd(this);
    if (at >= end) return;
    const code = this.bytes[this.start]!;
    if (code !== 1 && code !== 2) {
      tree.add(chapRows.message, at, end - at);
      return;
    }
    const size = this.bytes[at]!;
    tree.add(chapRows.valueSize, at);
    if (at + 1 + size > end) return;
    if (size > 0) tree.add(chapRows.value, at + 1, size);
    if (at + 1 + size < end) tree.add(chapRows.name, at + 1 + size, end - at - 1 - size);
  }
  override summary(out: TextBuffer): void {
    writeCode(out, this, CHAP_CODE);
    const { name, message } = this;
    if (name !== undefined) out.text(` (NAME='${name}')`);
    if (message !== undefined) out.text(` (MESSAGE='${message}')`);
  }
}

/** List the layer, and end it where its own length says; what follows is padding. */
function take(frame: Frame, l: Layer): void {
  if (!frame.add(l, HEADER_LENGTH)) return;
  const length = u16(l.bytes, l.start + 2);
  if (length < HEADER_LENGTH || l.start + length > l.end) frame.malformed(l, Math.max(length, HEADER_LENGTH));
  else l.end = l.start + length;
}

const dissectLcp: Dissect = (frame, start, end) => take(frame, new Lcp(frame, start, end));
const dissectIpcp: Dissect = (frame, start, end) => take(frame, new Ipcp(frame, start, end));
const dissectIpv6cp: Dissect = (frame, start, end) => take(frame, new Ipv6cp(frame, start, end));
const dissectCcp: Dissect = (frame, start, end) => take(frame, new Ccp(frame, start, end));
const dissectOther: Dissect = (frame, start, end) => take(frame, new OtherControl(frame, start, end));
const dissectPap: Dissect = (frame, start, end) => take(frame, new Pap(frame, start, end));
const dissectChap: Dissect = (frame, start, end) => take(frame, new Chap(frame, start, end));

export const pppControl: readonly ProtocolEntry[] = [
  { name: 'lcp', layers: [Lcp], dissect: dissectLcp, on: [pppProtocols.at(0xc021, dissectLcp)] },
  { name: 'ipcp', layers: [Ipcp], dissect: dissectIpcp, on: [pppProtocols.at(0x8021, dissectIpcp)] },
  { name: 'ipv6cp', layers: [Ipv6cp], dissect: dissectIpv6cp, on: [pppProtocols.at(0x8057, dissectIpv6cp)] },
  { name: 'ccp', layers: [Ccp], dissect: dissectCcp, on: [pppProtocols.at([0x80fd, 0x80fb], dissectCcp)] },
  {
    name: 'ppp_cp',
    layers: [OtherControl],
    dissect: dissectOther,
    // OSINLCP, IPXCP, ATCP, BCP, NBFCP, CDPCP, MPLSCP, ECP, CBCP, BACP.
    on: [pppProtocols.at([0x8023, 0x802b, 0x8029, 0x8031, 0x803f, 0x8207, 0x8281, 0x8053, 0x8059, 0xc029, 0xc02b], dissectOther)],
  },
  { name: 'pap', layers: [Pap], dissect: dissectPap, on: [pppProtocols.at(0xc023, dissectPap)] },
  { name: 'chap', layers: [Chap], dissect: dissectChap, on: [pppProtocols.at(0xc223, dissectChap)] },
];
