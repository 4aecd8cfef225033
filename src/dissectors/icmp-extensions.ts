/**
 * What may follow the datagram quoted in an ICMP error, and what an Extended Echo asks for: objects with a class.
 *
 * RFC 4884 (structure), RFC 4950 (MPLS label stack), RFC 5837 (interface information), RFC 8335 (interface identification).
 *
 *     0       2          4
 *     | v,res | checksum | objects …            an object:  0        2       3       4
 *                                                           | length | class | ctype | … length
 */
import { foldChecksum, sumWords } from '../core/checksum.js';
import { bits, bytes, expert, type Field, flag, ipv4, ipv6, many, mark, string, uint8, uint16, uint32 } from '../core/field.js';
import type { Tree } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { CHECKSUM_STATUS } from './icmp-common.js';

const OBJECT_CLASS: Readonly<Record<number, string>> = {
  1: 'MPLS Label Stack Class',
  2: 'Interface Information Object',
  3: 'Interface Identification Object',
};
const MPLS = 1;
/** The one C-Type of an MPLS object that is defined: the stack that the datagram came with (RFC 4950 section 3). */
const LABEL_STACK = 1;
const INTERFACE_INFORMATION = 2;
const INTERFACE_IDENTIFICATION = 3;

const ROLE: Readonly<Record<number, string>> = {
  0: 'arrived on this interface',
  1: 'arrived on this part of an interface',
  2: 'would leave by this interface',
  3: 'would go to this next hop',
};
const ADDRESS_FAMILY: Readonly<Record<number, string>> = { 1: 'IPv4', 2: 'IPv6', 16389: '48-bit MAC Address', 16390: '64-bit MAC Address' };

const HEADER_LENGTH = 4;
/** The least a datagram quoted before extensions is padded to (RFC 4884 section 5.5). */
export const QUOTED_BEFORE_EXTENSIONS = 128;

/** The rows of extensions: every protocol that carries them has its own set. */
export const extensionRows = () => ({
  extensions: mark('icmp.ext', 'ICMP Extensions'),
  extensionVersion: bits('icmp.ext.version', 'Version', undefined, 8, 0xf0),
  extensionReserved: bits('icmp.ext.res', 'Reserved', undefined, 16, 0x0fff, { base: 'hex' }),
  extensionChecksum: uint16('icmp.ext.checksum', 'Checksum', { base: 'hex' }),
  extensionChecksumStatus: uint8('icmp.ext.checksum.status', 'Checksum Status', { values: CHECKSUM_STATUS }),
  extensionChecksumBad: expert('warn', 'checksum', 'icmp.ext.checksum_bad', 'Bad checksum'),
  objectLength: many(uint16('icmp.ext.length', 'Length')),
  objectClass: many(uint8('icmp.ext.class', 'Class', { values: OBJECT_CLASS })),
  objectType: many(uint8('icmp.ext.ctype', 'C-Type')),
  objectData: many(bytes('icmp.ext.data', 'Data')),
  label: many(bits('icmp.mpls.label', 'Label', undefined, 24, 0xfffff0)),
  experimental: many(bits('icmp.mpls.exp', 'Experimental', undefined, 24, 0x0e)),
  bottomOfStack: many(flag('icmp.mpls.s', 'Stack bit', undefined, 0x01, 24)),
  labelTtl: many(uint8('icmp.mpls.ttl', 'Time to live')),
  interfaceRole: many(bits('icmp.int_info.role', 'Interface Role', undefined, 8, 0xc0, { values: ROLE })),
  interfaceReserved: many(bits('icmp.int_info.reserved', 'Reserved', undefined, 8, 0x30)),
  hasIndex: many(flag('icmp.int_info.ifindex', 'ifIndex', undefined, 0x08)),
  hasAddress: many(flag('icmp.int_info.ipaddr', 'IP Address', undefined, 0x04)),
  hasName: many(flag('icmp.int_info.name_present', 'Interface Name', undefined, 0x02)),
  hasMtu: many(flag('icmp.int_info.mtu_present', 'MTU', undefined, 0x01)),
  interfaceIndex: many(uint32('icmp.int_info.index', 'Interface Index')),
  interfaceFamily: many(uint16('icmp.int_info.afi', 'Address Family Identifier', { values: ADDRESS_FAMILY })),
  interfaceIpv4: many(ipv4('icmp.int_info.ipv4', 'Source')),
  interfaceIpv6: many(ipv6('icmp.int_info.ipv6', 'Source')),
  interfaceAddress: many(bytes('icmp.int_info.ipunknown', 'Source')),
  interfaceNameLength: many(uint8('icmp.int_info.name_length', 'Name Length')),
  interfaceName: many(string('icmp.int_info.name', 'Name')),
  interfaceMtu: many(uint32('icmp.int_info.mtu', 'Maximum Transmission Unit')),
  identName: string('icmp.int_ident.name', 'Name'),
  identIndex: uint32('icmp.int_ident.index', 'Interface Index'),
  identFamily: uint16('icmp.int_ident.afi', 'Address Family Identifier', { values: ADDRESS_FAMILY }),
  identAddressLength: uint8('icmp.int_ident.addr_length', 'Address Length'),
  identReserved: bytes('icmp.int_ident.reserved', 'Reserved'),
  identIpv4: ipv4('icmp.int_ident.ipv4', 'Address'),
  identIpv6: ipv6('icmp.int_ident.ipv6', 'Address'),
  identAddress: bytes('icmp.int_ident.address', 'Address'),
});

type Rows = { readonly [K in keyof ReturnType<typeof extensionRows>]: Field };

/** Do octets `[at, end)` begin like an extension structure: version 2 and no reserved bit set? */
export const looksExtended = (octets: Uint8Array, at: number, end: number): boolean =>
  at + HEADER_LENGTH <= end && u16(octets, at) === 0x2000;

/** The structure in `[start, end)`. Each object is at least 4 octets long, so the walk advances. */
export function walkExtensions(tree: Tree, rows: Rows, reserved: Field, start: number, end: number): void {
  if (start + HEADER_LENGTH > end) return;
  tree.openPut(rows.extensions, true, start, end - start);
  tree.add(rows.extensionVersion, start);
  tree.add(rows.extensionReserved, start);
  tree.add(rows.extensionChecksum, start + 2);
  const whole = end <= tree.limit;
  // 0 says that none was computed (RFC 4884 section 7).
  const known = start + HEADER_LENGTH <= tree.limit;
  const status = known && u16(tree.bytes, start + 2) === 0 ? 3 : !whole ? 2 : foldChecksum(sumWords(tree.bytes, start, end)) === 0 ? 1 : 0;
  tree.put(rows.extensionChecksumStatus, status);
  if (status === 0) tree.put(rows.extensionChecksumBad, true);
  for (let at = start + HEADER_LENGTH; at + HEADER_LENGTH <= end && at + HEADER_LENGTH <= tree.limit; ) {
    const length = u16(tree.bytes, at);
    const objectClass = tree.bytes[at + 2]!;
    const stop = at + length;
    tree.heading(OBJECT_CLASS[objectClass] ?? 'Unknown object', at, Math.min(length, end - at));
    tree.add(rows.objectLength, at);
    tree.add(rows.objectClass, at + 2);
    if (length < HEADER_LENGTH || stop > end) {
      // Where the next object is cannot be told.
      tree.close();
      break;
    }
    tree.add(rows.objectType, at + 3);
    const body = at + HEADER_LENGTH;
    if (objectClass === MPLS && tree.bytes[at + 3] === LABEL_STACK) walkLabels(tree, rows, body, stop);
    else if (objectClass === INTERFACE_INFORMATION) walkInterface(tree, rows, reserved, at + 3, stop);
    else if (objectClass === INTERFACE_IDENTIFICATION) walkIdentification(tree, rows, tree.bytes[at + 3]!, body, stop);
    else if (stop > body) tree.add(rows.objectData, body, stop - body);
    tree.close();
    at = stop;
  }
  tree.close();
}

function walkLabels(tree: Tree, rows: Rows, start: number, end: number): void {
  for (let at = start; at + 4 <= end && at + 4 <= tree.limit; at += 4) {
    tree.open(rows.label, at);
    tree.add(rows.experimental, at);
    tree.add(rows.bottomOfStack, at);
    tree.add(rows.labelTtl, at + 3);
    tree.close();
  }
}

/** `at` is where the C-Type stands: its bits say which parts follow, in this order. */
function walkInterface(tree: Tree, rows: Rows, reserved: Field, at: number, end: number): void {
  const present = tree.bytes[at]!;
  for (const row of [rows.interfaceRole, rows.interfaceReserved, rows.hasIndex, rows.hasAddress, rows.hasName, rows.hasMtu])
    tree.add(row, at);
  let next = at + 1;
  if (present & 0x08) {
    if (next + 4 > end) return;
    tree.add(rows.interfaceIndex, next);
    next += 4;
  }
  if (present & 0x04) {
    if (next + 4 > end || next + 4 > tree.limit) return;
    const family = u16(tree.bytes, next);
    tree.add(rows.interfaceFamily, next);
    tree.add(reserved, next + 2, 2);
    next += 4;
    const length = family === 1 ? 4 : family === 2 ? 16 : end - next;
    if (next + length > end) return;
    tree.add(family === 1 ? rows.interfaceIpv4 : family === 2 ? rows.interfaceIpv6 : rows.interfaceAddress, next, length);
    next += length;
  }
  if (present & 0x02) {
    if (next >= end || next >= tree.limit) return;
    // The length counts its own octet.
    const length = tree.bytes[next]!;
    tree.add(rows.interfaceNameLength, next);
    if (length < 1 || next + length > end) return;
    addName(tree, rows.interfaceName, next + 1, next + length);
    next += length;
  }
  if (present & 0x01 && next + 4 <= end) tree.add(rows.interfaceMtu, next);
}

function walkIdentification(tree: Tree, rows: Rows, by: number, start: number, end: number): void {
  if (by === 1) addName(tree, rows.identName, start, end);
  else if (by === 2 && start + 4 <= end) tree.add(rows.identIndex, start);
  else if (by === 3 && start + 4 <= end && start + 4 <= tree.limit) {
    const family = u16(tree.bytes, start);
    tree.add(rows.identFamily, start);
    tree.add(rows.identAddressLength, start + 2);
    tree.add(rows.identReserved, start + 3, 1);
    const length = tree.bytes[start + 2]!;
    if (start + 4 + length > end) return;
    if (family === 1 && length === 4) tree.add(rows.identIpv4, start + 4);
    else if (family === 2 && length === 16) tree.add(rows.identIpv6, start + 4);
    else tree.add(rows.identAddress, start + 4, length);
  }
}

/** A name padded with zeros. */
function addName(tree: Tree, row: Field, start: number, end: number): void {
  if (end > tree.limit) return;
  let stop = end;
  while (stop > start && tree.bytes[stop - 1] === 0) stop--;
  tree.add(row, start, stop - start);
}
