/**
 * Next Hop Resolution Protocol: behind which address of the transport network is the host that I am looking for? Hubs and
 * spokes of multipoint tunnels (DMVPN) ask each other so.
 *
 * RFC 2332 sections 5.1 (fixed part), 5.2 (mandatory part), 5.2.0.1 (client entries), 5.3 (extensions). Message 8 is
 * Cisco's traffic indication, with the packet that caused it where an error indication has the packet in error.
 *
 *     0     2      4      9      10     12       14      16   17   18     19
 *     | afn | type | snap | hops | size | checksum | ext | v  | op | shtl | sstl |
 *     20       21       22      24           28
 *     | splen  | dplen  | flags | request id | NBMA address, subaddress, source, destination, client entries …
 *                       | unused | code | offset |  … the packet         in indications
 */
import { foldChecksum, sumWords } from '../core/checksum.js';
import { bits, bytes, computed, type Field, flag, group, ipv4, list, uint8, uint16, uint32 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { type Dissect, etherTypes, ipProtocols, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectCopy } from './copied.js';
import { ETHERTYPE } from './ethertypes.js';
import { greProtocols } from './gre.js';
import { CHECKSUM_STATUS } from './ip-protocols.js';

const NHRP = 0x2001;
const IP_PROTOCOL = 54;
const FIXED_LENGTH = 20;
/** Octets of the mandatory part before its addresses. */
const MANDATORY_LENGTH = 8;
const ENTRY_LENGTH = 12;

const MESSAGE: Readonly<Record<number, string>> = {
  1: 'NHRP Resolution Request',
  2: 'NHRP Resolution Reply',
  3: 'NHRP Registration Request',
  4: 'NHRP Registration Reply',
  5: 'NHRP Purge Request',
  6: 'NHRP Purge Reply',
  7: 'NHRP Error Indication',
  8: 'NHRP Traffic Indication',
};
const ERROR_INDICATION = 7;
const TRAFFIC_INDICATION = 8;

/** Section 5.2.0.1. */
const CODE: Readonly<Record<number, string>> = {
  0: 'Success',
  4: 'Administratively Prohibited',
  5: 'Insufficient Resources',
  12: 'No Internetworking Layer Address to NBMA Address Binding Exists',
  13: 'Binding Exists But Is Not Unique',
  14: 'Unique Internetworking Layer Address Already Registered',
};
/** Section 5.2.7. */
const ERROR: Readonly<Record<number, string>> = {
  1: 'Unrecognized Extension',
  3: 'NHRP Loop Detected',
  6: 'Protocol Address Unreachable',
  7: 'Protocol Error',
  8: 'NHRP SDU Size Exceeded',
  9: 'Invalid Extension',
  10: 'Invalid NHRP Resolution Reply Received',
  11: 'Authentication Failure',
  15: 'Hop Count Exceeded',
};
/** Section 5.3. */
const EXTENSION: Readonly<Record<number, string>> = {
  0: 'End of Extension',
  3: 'Responder Address Extension',
  4: 'Forward Transit NHS Record Extension',
  5: 'Reverse Transit NHS Record Extension',
  7: 'NHRP Authentication Extension',
  8: 'NHRP Vendor Private Extension',
  9: 'Cisco NAT Address Extension',
};

const messageOf = (l: Layer): number => l.bytes[l.start + 17]!;
const isIndication = (l: Layer): boolean => messageOf(l) === ERROR_INDICATION || messageOf(l) === TRAFFIC_INDICATION;
const hasMandatory = (l: Layer): boolean => l.start + FIXED_LENGTH + MANDATORY_LENGTH <= l.captured;
const ASKS = { when: (l: Layer) => hasMandatory(l) && !isIndication(l) } as const;
const INDICATES = { when: (l: Layer) => hasMandatory(l) && messageOf(l) === ERROR_INDICATION } as const;

const entry = {
  code: uint8('nhrp.code', 'Code', { values: CODE }),
  prefix: uint8('nhrp.prefix', 'Prefix Length'),
  unused: uint16('nhrp.unused', 'Unused'),
  mtu: uint16('nhrp.mtu', 'Max Transmission Unit'),
  holdTime: uint16('nhrp.htime', 'Holding Time (s)'),
  addressLength: uint8('nhrp.cli.addr_tl', 'Client Address Type/Len'),
  subaddressLength: uint8('nhrp.cli.saddr_tl', 'Client Sub Address Type/Len'),
  protocolLength: uint8('nhrp.prot.len', 'Client Protocol Length'),
  preference: uint8('nhrp.pref', 'CIE Preference Value'),
  nbma: ipv4('nhrp.client.nbma.addr', 'Client NBMA Address'),
  nbmaOctets: bytes('nhrp.client.nbma.addr_bytes', 'Client NBMA Address'),
  nbmaSub: bytes('nhrp.client.nbma.saddr', 'Client NBMA Sub Address'),
  address: ipv4('nhrp.client.prot.addr', 'Client Protocol Address'),
  addressOctets: bytes('nhrp.client.prot.addr_bytes', 'Client Protocol Address'),
};
const entries = list('netlens.nhrp.client', 'Client Information Entries', entry);

const extension = {
  compulsory: flag('nhrp.ext.c', 'Compulsory Flag', undefined, 0x8000, 16),
  type: bits('nhrp.ext.type', 'Extension Type', undefined, 16, 0x3fff, { base: 'hex', values: EXTENSION }),
  length: uint16('nhrp.ext.len', 'Extension length'),
  value: bytes('nhrp.unknown_ext.value', 'Extension Value'),
};
const extensions = list('netlens.nhrp.extension', 'Extensions', extension);

const fields = {
  family: uint16('nhrp.hdr.afn', 'Address Family Number', 0, { base: 'hex' }),
  protocolType: uint16('nhrp.hdr.pro.type', 'Protocol Type (short form)', 2, { base: 'hex', values: ETHERTYPE }),
  longType: bytes('nhrp.protocol_type', 'Protocol Type (long form)', 4, 5),
  hops: uint8('nhrp.hdr.hopcnt', 'Hop Count', 9),
  size: uint16('nhrp.hdr.pktsz', 'Packet Length', 10),
  ...group(
    { checksum: uint16('nhrp.hdr.chksum', 'NHRP Packet Checksum', 12, { base: 'hex' }) },
    {
      checksumStatus: computed('uint8', 'nhrp.hdr.chksum.status', 'NHRP Packet Checksum Status', (l) => checksumStatus(l), {
        values: CHECKSUM_STATUS,
      }),
    },
  ),
  extensionOffset: uint16('nhrp.hdr.extoff', 'Extension Offset', 14),
  version: uint8('nhrp.hdr.version', 'Version', 16),
  message: uint8('nhrp.hdr.op.type', 'NHRP Packet Type', 17, { values: MESSAGE }),
  ...group(
    { addressLength: uint8('nhrp.hdr.shtl', 'Source Address Type/Len', 18) },
    {
      addressType: bits('nhrp.hdr.shtl.type', 'Type', 18, 8, 0x40),
      addressOctets: bits('nhrp.hdr.shtl.len', 'Length', 18, 8, 0x3f),
    },
  ),
  ...group(
    { subaddressLength: uint8('nhrp.hdr.sstl', 'Source SubAddress Type/Len', 19) },
    {
      subaddressType: bits('nhrp.hdr.sstl.type', 'Type', 19, 8, 0x40),
      subaddressOctets: bits('nhrp.hdr.sstl.len', 'Length', 19, 8, 0x3f),
    },
  ),
  sourceLength: uint8('nhrp.src.prot.len', 'Source Protocol Len', FIXED_LENGTH),
  destinationLength: uint8('nhrp.dst.prot.len', 'Destination Protocol Len', FIXED_LENGTH + 1),
  flags: uint16('nhrp.flags', 'Flags', FIXED_LENGTH + 2, { ...ASKS, base: 'hex' }),
  requestId: uint32('nhrp.reqid', 'Request ID', FIXED_LENGTH + 4, { ...ASKS, base: 'hex' }),
  errorCode: uint16('nhrp.err.code', 'Error Code', FIXED_LENGTH + 4, { ...INDICATES, values: ERROR }),
  errorOffset: uint16('nhrp.err.offset', 'Error Offset', FIXED_LENGTH + 6, INDICATES),
  nbma: ipv4('nhrp.src.nbma.addr', 'Source NBMA Address'),
  nbmaOctets: bytes('nhrp.src.nbma.addr_bytes', 'Source NBMA Address'),
  nbmaSub: bytes('nhrp.src.nbma.saddr', 'Source NBMA Sub Address'),
  source: ipv4('nhrp.src.prot.addr', 'Source Protocol Address'),
  sourceOctets: bytes('nhrp.src.prot.addr_bytes', 'Source Protocol Address'),
  destination: ipv4('nhrp.dst.prot.addr', 'Destination Protocol Address'),
  destinationOctets: bytes('nhrp.dst.prot.addr_byets', 'Destination Protocol Address'),
  entries,
  extensions,
};

/** Octets of the addresses in the mandatory part, one after the other. */
function addressLengths(l: Layer): readonly [nbma: number, sub: number, source: number, destination: number] {
  const { bytes: b, start } = l;
  return [b[start + 18]! & 0x3f, b[start + 19]! & 0x3f, b[start + 20]!, b[start + 21]!];
}

/** Where the mandatory part's addresses end. */
const behindAddresses = (l: Layer): number =>
  addressLengths(l).reduce((at, length) => at + length, l.start + FIXED_LENGTH + MANDATORY_LENGTH);

/** Where the extensions begin, or the message ends for want of them. */
function extensionsAt(l: Layer): number {
  const offset = u16(l.bytes, l.start + 14);
  return offset === 0 ? l.end : Math.min(l.end, l.start + offset);
}

function checksumStatus(l: Layer): number | undefined {
  if (l.start + FIXED_LENGTH > l.captured) return undefined;
  if (l.end > l.captured) return 2;
  return foldChecksum(sumWords(l.bytes, l.start, l.end)) === 0 ? 1 : 0;
}

/** An address of `length` octets: those of four are IPv4's. */
function addAddress(tree: Tree, at: number, length: number, four: Field, other: Field): number {
  if (length === 4) tree.add(four, at);
  else if (length > 0) tree.add(other, at, length);
  return at + length;
}

/** An NHRP message. */
export class Nhrp extends layer('nhrp', 'Next Hop Resolution Protocol', fields) {
  override walk(tree: Tree): void {
    if (!hasMandatory(this)) return;
    const [nbma, sub, source, destination] = addressLengths(this);
    let at = addAddress(tree, this.start + FIXED_LENGTH + MANDATORY_LENGTH, nbma, fields.nbma, fields.nbmaOctets);
    if (sub > 0) tree.add(fields.nbmaSub, at, sub);
    at = addAddress(tree, at + sub, source, fields.source, fields.sourceOctets);
    at = addAddress(tree, at, destination, fields.destination, fields.destinationOctets);
    const from = extensionsAt(this);
    if (!isIndication(this)) this.walkEntries(tree, at, Math.min(from, this.captured));
    this.walkExtensions(tree, Math.max(at, from));
  }

  /** Each entry takes twelve octets at least. */
  private walkEntries(tree: Tree, from: number, end: number): void {
    const { bytes: b } = this;
    for (let at = from; at + ENTRY_LENGTH <= end; ) {
      const nbma = b[at + 8]! & 0x3f;
      const sub = b[at + 9]! & 0x3f;
      const address = b[at + 10]!;
      tree.item(entries, at, ENTRY_LENGTH + nbma + sub + address);
      tree.add(entry.code, at);
      tree.add(entry.prefix, at + 1);
      tree.add(entry.unused, at + 2);
      tree.add(entry.mtu, at + 4);
      tree.add(entry.holdTime, at + 6);
      tree.add(entry.addressLength, at + 8);
      tree.add(entry.subaddressLength, at + 9);
      tree.add(entry.protocolLength, at + 10);
      tree.add(entry.preference, at + 11);
      at = addAddress(tree, at + ENTRY_LENGTH, nbma, entry.nbma, entry.nbmaOctets);
      if (sub > 0) tree.add(entry.nbmaSub, at, sub);
      at = addAddress(tree, at + sub, address, entry.address, entry.addressOctets);
      tree.close();
    }
  }

  /** Each extension takes four octets at least; one of type 0 is the last. */
  private walkExtensions(tree: Tree, from: number): void {
    for (let at = from; at + 4 <= this.captured; ) {
      const type = u16(this.bytes, at) & 0x3fff;
      const length = u16(this.bytes, at + 2);
      tree.item(extensions, at, 4 + length, EXTENSION[type] ?? `Extension ${type}`);
      tree.add(extension.compulsory, at, 2);
      tree.add(extension.type, at, 2);
      tree.add(extension.length, at + 2);
      if (length > 0) tree.add(extension.value, at + 4, length);
      tree.close();
      if (type === 0) return;
      at += 4 + length;
    }
  }

  override summary(out: TextBuffer): void {
    out.ascii(MESSAGE[messageOf(this)] ?? `NHRP message ${messageOf(this)}`);
    if (ASKS.when(this)) {
      out.ascii(', ID=');
      out.number(this.requestId ?? 0);
    } else if (INDICATES.when(this)) {
      out.ascii(', ');
      out.ascii(ERROR[this.errorCode ?? 0] ?? `Error ${this.errorCode}`);
    }
  }
}

export const dissectNhrp: Dissect = (frame, start, end) => {
  const nhrp = new Nhrp(frame, start, end);
  if (!frame.add(nhrp, FIXED_LENGTH)) return;
  const size = u16(nhrp.bytes, start + 10);
  if (size < FIXED_LENGTH) return frame.malformed(nhrp, FIXED_LENGTH);
  if (start + size < end) nhrp.end = start + size;
  if (!isIndication(nhrp) || !frame.require(nhrp, FIXED_LENGTH + MANDATORY_LENGTH)) return;
  const type = u16(nhrp.bytes, start + 2);
  dissectCopy(frame, nhrp, behindAddresses(nhrp), extensionsAt(nhrp), (inner, from, to) => {
    // A packet in error is an NHRP message, one that caused traffic is of the protocol that the addresses are of.
    if (messageOf(nhrp) === TRAFFIC_INDICATION) inner.dispatch(etherTypes, type, from, to);
    else inner.data(from, to);
  });
};

export const nhrp: ProtocolEntry = {
  name: 'nhrp',
  layers: [Nhrp],
  dissect: dissectNhrp,
  on: [greProtocols.at(NHRP, dissectNhrp), etherTypes.at(NHRP, dissectNhrp), ipProtocols.at(IP_PROTOCOL, dissectNhrp)],
};
