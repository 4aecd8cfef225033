/**
 * Options of neighbour discovery messages.
 *
 * RFC 4861 (base), RFC 3122 (address lists), RFC 3971 (SEND), RFC 4191 (routes), RFC 4389 (proxies), RFC 5175 (flags),
 * RFC 5268, 5269, 5271 (fast handover), RFC 5380 (MAP), RFC 6275 (mobile IP), RFC 6496 (proxy signature), RFC 6775
 * (6LoWPAN), RFC 7400 (capabilities), RFC 8106 (DNS), RFC 8781 (PREF64), RFC 8910 (captive portal).
 *
 *     0      1        2
 *     | type | length | …       length counts 8 octets
 */
import {
  bits,
  bytes,
  ether,
  eui64,
  expert,
  type Field,
  flag,
  ipv6,
  list,
  many,
  mark,
  string,
  time,
  uint8,
  uint16,
  uint32,
} from '../core/field.js';
import type { Tree } from '../core/layer.js';
import { u16, u32, u48 } from '../core/octets.js';
import { readLabels } from './domain-labels.js';

const OPTION: Readonly<Record<number, string>> = {
  1: 'Source link-layer address',
  2: 'Target link-layer address',
  3: 'Prefix information',
  4: 'Redirected header',
  5: 'MTU',
  6: 'NBMA Shortcut Limit Option',
  7: 'Advertisement Interval',
  8: 'Home Agent Information',
  9: 'Source Address List',
  10: 'Target Address List',
  11: 'CGA',
  12: 'RSA Signature',
  13: 'Timestamp',
  14: 'Nonce',
  15: 'Trust Anchor',
  16: 'Certificate',
  17: 'IP Address/Prefix Option',
  18: 'New Router Prefix Information',
  19: 'Link-layer Address',
  20: 'Neighbor Advertisement Acknowledgment',
  23: 'MAP',
  24: 'Route Information',
  25: 'Recursive DNS Server',
  26: 'RA Flags Extension',
  27: 'Handover Key Request',
  28: 'Handover Key Reply',
  29: 'Handover Assist Information',
  30: 'Mobile Node Identifier Option',
  31: 'DNS Search List Option',
  32: 'Proxy Signature (PS)',
  33: 'Address Registration Option',
  34: '6LoWPAN Context Option',
  35: 'Authoritative Border Router',
  36: '6LoWPAN Capability Indication Option',
  37: 'DHCP Captive-Portal',
  38: 'PREF64 Option',
  138: 'CARD Request',
  139: 'CARD Reply',
  253: 'RFC3692-style Experiment 1',
  254: 'RFC3692-style Experiment 2',
};
export const SOURCE_LINK_ADDRESS = 1;
export const TARGET_LINK_ADDRESS = 2;
export const REDIRECTED_HEADER = 4;

/** RFC 4191 section 2.1. */
export const PREFERENCE: Readonly<Record<number, string>> = { 0: 'Medium', 1: 'High', 2: 'Reserved', 3: 'Low' };
const INFINITY: Readonly<Record<number, string>> = { 4294967295: 'Infinity' };
export const REGISTRATION: Readonly<Record<number, string>> = { 0: 'Success', 1: 'Duplicate Exists', 2: 'Neighbor Cache Full' };
/** RFC 8781 section 4: bits of the prefix by its code. */
const PREFIX_LENGTH: Readonly<Record<number, number>> = { 0: 96, 1: 64, 2: 56, 3: 48, 4: 40, 5: 32 };
const NAME_TYPE: Readonly<Record<number, string>> = {
  1: 'DER Encoded X.501 Name',
  2: 'FQDN',
  3: 'SHA-1 Subject Key Identifier',
  4: 'SHA-224 Subject Key Identifier',
  5: 'SHA-256 Subject Key Identifier',
  6: 'SHA-384 Subject Key Identifier',
  7: 'SHA-512 Subject Key Identifier',
};

/** Seconds in all lifetimes, unless the row says otherwise. */
const rows = {
  type: uint8('icmpv6.opt.type', 'Type', { values: OPTION }),
  length: uint8('icmpv6.opt.length', 'Length', { unit: '* 8 bytes' }),
  invalidLength: expert('error', 'malformed', 'icmpv6.invalid_option_length', 'Invalid option length'),
  undecoded: expert('note', 'undecoded', 'icmpv6.undecoded.option', 'Undecoded option'),
  reserved: many(mark('icmpv6.opt.reserved', 'Reserved')),
  linkAddress: ether('icmpv6.opt.linkaddr', 'Link-layer address'),
  sourceLink: ether('icmpv6.opt.src_linkaddr', 'Source Link-layer address', { quiet: true }),
  targetLink: ether('icmpv6.opt.target_linkaddr', 'Target Link-layer address', { quiet: true }),
  linkOctets: bytes('icmpv6.opt.linkaddr', 'Link-layer address'),
  sourceLinkOctets: bytes('icmpv6.opt.src_linkaddr', 'Source Link-layer address', { quiet: true }),
  targetLinkOctets: bytes('icmpv6.opt.target_linkaddr', 'Target Link-layer address', { quiet: true }),
  linkEui64: eui64('icmpv6.opt.linkaddr_eui64', 'Link-layer address'),
  sourceLinkEui64: eui64('icmpv6.opt.src_linkaddr_eui64', 'Source Link-layer address', { quiet: true }),
  targetLinkEui64: eui64('icmpv6.opt.target_linkaddr_eui64', 'Target Link-layer address', { quiet: true }),
  prefixLength: uint8('icmpv6.opt.prefix.length', 'Prefix Length'),
  prefixFlags: uint8('icmpv6.opt.prefix.flag', 'Flag', { base: 'hex' }),
  prefixOnLink: flag('icmpv6.opt.prefix.flag.l', 'On-link flag(L)', undefined, 0x80),
  prefixAutonomous: flag('icmpv6.opt.prefix.flag.a', 'Autonomous address-configuration flag(A)', undefined, 0x40),
  prefixRouter: flag('icmpv6.opt.prefix.flag.r', 'Router address flag(R)', undefined, 0x20),
  prefixReserved: bits('icmpv6.opt.prefix.flag.reserved', 'Reserved', undefined, 8, 0x1f),
  validLifetime: uint32('icmpv6.opt.prefix.valid_lifetime', 'Valid Lifetime', { values: INFINITY }),
  preferredLifetime: uint32('icmpv6.opt.prefix.preferred_lifetime', 'Preferred Lifetime', { values: INFINITY }),
  prefix: ipv6('icmpv6.opt.prefix', 'Prefix'),
  redirected: mark('icmpv6.opt.redirected_packet', 'Redirected Packet'),
  mtu: uint32('icmpv6.opt.mtu', 'MTU'),
  shortcutLimit: uint8('icmpv6.opt.nbma.shortcut_limit', 'Shortcut Limit'),
  /** Milliseconds. */
  interval: uint32('icmpv6.opt.advertisement_interval', 'Advertisement Interval'),
  homePreference: uint16('icmpv6.opt.home_agent_preference', 'Home Agent Preference'),
  homeLifetime: uint16('icmpv6.opt.home_agent_lifetime', 'Home Agent Lifetime'),
  addresses: many(ipv6('icmpv6.opt.ipv6_address', 'IPv6 Address')),
  cgaPadLength: uint8('icmpv6.opt.cga.pad_length', 'Pad Length'),
  cgaModifier: bytes('icmpv6.opt.cga.modifier', 'Modifier'),
  cgaPrefix: bytes('icmpv6.opt.cga.subnet_prefix', 'Subnet Prefix'),
  cgaCount: bytes('icmpv6.opt.cga.count', 'Count'),
  cgaKey: mark('icmpv6.opt.cga.subject_public_key_info', 'Subject Public Key Info'),
  keyHash: bytes('icmpv6.opt.rsa.key_hash', 'Key Hash'),
  proxyKeyHash: bytes('icmpv6.opt.ps.key_hash', 'Key Hash'),
  signature: mark('icmpv6.opt.digital_signature_padding', 'Digital Signature and Padding'),
  timestamp: time('icmpv6.opt.timestamp', 'Timestamp'),
  nonce: bytes('icmpv6.opt.nonce', 'Nonce'),
  nameType: uint8('icmpv6.opt.name_type', 'Name Type', { values: NAME_TYPE }),
  distinguishedName: bytes('icmpv6.opt.name_x501', 'DER Encoded X.501 Name'),
  anchorName: string('icmpv6.opt.name_type.fqdn', 'FQDN'),
  certificate: mark('icmpv6.opt.certificate_padding', 'Certificate and Padding'),
  addressCode: uint8('icmpv6.opt.ipa.option_code', 'Option-code'),
  addressPrefixLength: uint8('icmpv6.opt.ipa.prefix_len', 'Prefix Length'),
  address: ipv6('icmpv6.opt.ipa.ipv6_address', 'IPv6 Address'),
  newRouterCode: uint8('icmpv6.opt.nrpi.option_code', 'Option-code'),
  newRouterLength: uint8('icmpv6.opt.nrpi.prefix_len', 'Prefix Length'),
  newRouterPrefix: ipv6('icmpv6.opt.nrpi.prefix', 'Prefix'),
  handoverLinkCode: uint8('icmpv6.opt.lla.option_code', 'Option-code'),
  handoverLink: bytes('icmpv6.opt.lla.bytes', 'Link-Layer Address'),
  acknowledgmentCode: uint8('icmpv6.opt.naack.option_code', 'Option-Code'),
  acknowledgmentStatus: uint8('icmpv6.opt.naack.status', 'Status'),
  suppliedAddress: ipv6('icmpv6.opt.naack.supplied_ncoa', 'Supplied NCoA'),
  mapDistance: bits('icmpv6.opt.map.distance', 'Distance', undefined, 8, 0xf0),
  mapPreference: bits('icmpv6.opt.map.preference', 'Preference', undefined, 8, 0x0f),
  mapFlags: uint8('icmpv6.opt.map.flag', 'Flag', { base: 'hex' }),
  mapRegional: flag('icmpv6.opt.map.flag.r', 'RCoA Flag', undefined, 0x80),
  mapReserved: bits('icmpv6.opt.map.flag.reserved', 'Reserved', undefined, 8, 0x7f),
  mapLifetime: uint32('icmpv6.opt.map.valid_lifetime', 'Valid Lifetime'),
  mapAddress: ipv6('icmpv6.opt.map.global_address', 'Global Address'),
  routeFlags: uint8('icmpv6.opt.route_info.flag', 'Flag', { base: 'hex' }),
  routePreference: bits('icmpv6.opt.route_info.flag.route_preference', 'Route Preference', undefined, 8, 0x18, { values: PREFERENCE }),
  routeReserved: bits('icmpv6.opt.route_info.flag.reserved', 'Reserved', undefined, 8, 0xe7),
  routeLifetime: uint32('icmpv6.opt.route_lifetime', 'Route Lifetime', { values: INFINITY }),
  serverLifetime: uint32('icmpv6.opt.rdnss.lifetime', 'Lifetime', { values: INFINITY }),
  servers: many(ipv6('icmpv6.opt.rdnss', 'Recursive DNS Servers')),
  moreFlags: uint16('icmpv6.opt.efo', 'Flags Expansion Option', { base: 'hex' }),
  moreManaged: flag('icmpv6.opt.efo.m', 'Managed address configuration', undefined, 0x8000, 16),
  moreOther: flag('icmpv6.opt.efo.o', 'Other configuration', undefined, 0x4000, 16),
  moreHome: flag('icmpv6.opt.efo.h', 'Home Agent', undefined, 0x2000, 16),
  morePreference: bits('icmpv6.opt.efo.prf', 'Prf (Default Router Preference)', undefined, 16, 0x1800, { values: PREFERENCE }),
  moreProxy: flag('icmpv6.opt.efo.p', 'Proxy', undefined, 0x0400, 16),
  moreReserved: bits('icmpv6.opt.efo.rsv', 'Reserved', undefined, 16, 0x03ff),
  searchLifetime: uint32('icmpv6.opt.dnssl.lifetime', 'Lifetime', { values: INFINITY }),
  searchList: many(string('icmpv6.opt.dnssl', 'Domain Names')),
  keyPadLength: uint8('icmpv6.opt.hkr.pad_length', 'Pad Length'),
  keyAlgorithm: bits('icmpv6.opt.hkr.at', 'AT', undefined, 8, 0xf0),
  keyReserved: bits('icmpv6.opt.hkr.reserved', 'Reserved', undefined, 8, 0x0f),
  keyLifetime: uint16('icmpv6.opt.hkr.lifetime', 'Lifetime'),
  publicKey: bytes('icmpv6.opt.hkr.encryption_public_key', 'Handover Key Encryption Public Key'),
  handoverKey: bytes('icmpv6.opt.hkr.encrypted_handover_key', 'Encrypted Handover Key'),
  keyPadding: bytes('icmpv6.opt.hkr.padding', 'Padding'),
  assistCode: uint8('icmpv6.opt.hai.option_code', 'Option-Code'),
  assistLength: uint8('icmpv6.opt.hai.length', 'HAI-Length'),
  assistValue: bytes('icmpv6.opt.hai.value', 'HAI-Value'),
  nodeCode: uint8('icmpv6.opt.mn.option_code', 'Option-Code'),
  nodeLength: uint8('icmpv6.opt.mn.length', 'MN-Length'),
  nodeValue: bytes('icmpv6.opt.mn.value', 'MN-Value'),
  registrationStatus: uint8('icmpv6.opt.aro.status', 'Status', { values: REGISTRATION }),
  /** Minutes. */
  registrationLifetime: uint16('icmpv6.opt.aro.registration_lifetime', 'Registration Lifetime'),
  registered: eui64('icmpv6.opt.aro.eui64', 'EUI-64'),
  contextLength: uint8('icmpv6.opt.6co.context_length', 'Context Length'),
  contextFlags: uint8('icmpv6.opt.6co.flag', 'Flag', { base: 'hex' }),
  contextCompression: flag('icmpv6.opt.6co.flag.c', 'Compression Flag', undefined, 0x10),
  contextId: bits('icmpv6.opt.6co.flag.cid', 'CID', undefined, 8, 0x0f),
  contextReserved: bits('icmpv6.opt.6co.flag.reserved', 'Reserved', undefined, 8, 0xe0),
  /** Minutes. */
  contextLifetime: uint16('icmpv6.opt.6co.valid_lifetime', 'Lifetime'),
  contextPrefix: ipv6('icmpv6.opt.6co.context_prefix', 'Context Prefix'),
  borderVersionLow: uint16('icmpv6.opt.abro.version_low', 'Version Low'),
  borderVersionHigh: uint16('icmpv6.opt.abro.version_high', 'Version'),
  /** Minutes. */
  borderLifetime: uint16('icmpv6.opt.abro.valid_lifetime', 'Valid Lifetime'),
  borderAddress: ipv6('icmpv6.opt.abro.6lbr_address', '6LBR Address'),
  capabilityUnassigned: bits('icmpv6.opt.6cio.unassigned1', 'Unassigned', undefined, 16, 0xfffe, { base: 'hex' }),
  capabilityGeneric: bits('icmpv6.opt.6cio.flag_g', 'G', undefined, 16, 0x0001, { base: 'hex' }),
  capabilityRest: uint32('icmpv6.opt.6cio.unassigned2', 'Unassigned', { base: 'hex' }),
  captivePortal: string('icmpv6.opt.captive_portal', 'Captive Portal'),
  /** In units of 8 seconds. */
  nat64Lifetime: bits('icmpv6.opt.pref64.scaled_lifetime', 'Scaled Lifetime', undefined, 16, 0xfff8),
  nat64Length: bits('icmpv6.opt.pref64.plc', 'PLC (Prefix Length Code)', undefined, 16, 0x0007, {
    base: 'hex',
    values: (plc) => (PREFIX_LENGTH[plc] === undefined ? undefined : `${PREFIX_LENGTH[plc]} bits prefix length`),
  }),
  nat64Prefix: ipv6('icmpv6.opt.pref64.prefix', 'Prefix'),
  padding: mark('icmpv6.opt.padding', 'Padding'),
  data: bytes('icmpv6.data', 'Data'),
};

/** The options of a message. */
export const optionList = list('icmpv6.opt', 'ICMPv6 Option', rows);

const PREFIX_FLAGS: readonly Field[] = [rows.prefixOnLink, rows.prefixAutonomous, rows.prefixRouter, rows.prefixReserved];
const EXPANSION_FLAGS: readonly Field[] = [
  rows.moreManaged,
  rows.moreOther,
  rows.moreHome,
  rows.morePreference,
  rows.moreProxy,
  rows.moreReserved,
];
const CONTEXT_FLAGS: readonly Field[] = [rows.contextCompression, rows.contextId, rows.contextReserved];

/** Options from `start` to `end`; each is at least 8 octets long, so the walk advances. */
export function walkOptions(tree: Tree, start: number, end: number): void {
  for (let at = start; at + 2 <= end && at + 2 <= tree.limit; ) {
    const type = tree.bytes[at]!;
    const stop = at + 8 * tree.bytes[at + 1]!;
    tree.item(optionList, at, stop - at, OPTION[type] ?? `Unknown ${type}`);
    tree.add(rows.type, at);
    tree.add(rows.length, at + 1);
    const isWhole = stop > at && stop <= end;
    if (stop === at) tree.put(rows.invalidLength, true, at + 1, 1);
    else if (isWhole && stop <= tree.limit) walkOption(tree, type, at + 2, stop);
    tree.close();
    if (!isWhole) return;
    at = stop;
  }
}

/** What stands in an option's octets `[at, end)`, after type and length. Rows that do not fit in are left out. */
function walkOption(tree: Tree, type: number, at: number, end: number): void {
  const { bytes: b } = tree;
  const add = (row: Field, from: number, length?: number): boolean => {
    const octets = length ?? (row.length as number);
    return octets >= 0 && from + octets <= end && tree.add(row, from, octets);
  };
  const rest = (row: Field, from: number): boolean => from < end && add(row, from, end - from);
  /** A prefix whose last octets are left out as zeros. */
  const shortened = (row: Field, from: number, octets: number): void => {
    const prefix = new Uint8Array(16);
    prefix.set(b.subarray(from, from + Math.max(0, Math.min(octets, 16))));
    tree.put(row, prefix, from, Math.max(0, octets));
  };
  const addresses = (row: Field, from: number): void => {
    for (let i = from; i + 16 <= end; i += 16) add(row, i);
  };
  switch (type) {
    case SOURCE_LINK_ADDRESS:
    case TARGET_LINK_ADDRESS: {
      const isSource = type === SOURCE_LINK_ADDRESS;
      if (end - at === 6) {
        add(rows.linkAddress, at);
        add(isSource ? rows.sourceLink : rows.targetLink, at);
        break;
      }
      // Two units hold the eight octets of an EUI-64 and six zeros (RFC 4944 section 8).
      const isEui64 = end - at === 14 && u16(b, at + 8) === 0 && u32(b, at + 10) === 0;
      const stop = isEui64 ? at + 8 : end;
      add(rows.linkOctets, at, stop - at);
      add(isSource ? rows.sourceLinkOctets : rows.targetLinkOctets, at, stop - at);
      if (!isEui64) break;
      add(rows.linkEui64, at);
      add(isSource ? rows.sourceLinkEui64 : rows.targetLinkEui64, at);
      rest(rows.padding, stop);
      break;
    }
    case 3:
      add(rows.prefixLength, at);
      tree.word(rows.prefixFlags, at + 1, PREFIX_FLAGS);
      add(rows.validLifetime, at + 2);
      add(rows.preferredLifetime, at + 6);
      add(rows.reserved, at + 10, 4);
      add(rows.prefix, at + 14);
      break;
    case REDIRECTED_HEADER:
      add(rows.reserved, at, 6);
      rest(rows.redirected, at + 6);
      break;
    case 5:
      add(rows.reserved, at, 2);
      add(rows.mtu, at + 2);
      break;
    case 6:
      add(rows.shortcutLimit, at);
      add(rows.reserved, at + 1, 1);
      add(rows.reserved, at + 2, 4);
      break;
    case 7:
      add(rows.reserved, at, 2);
      add(rows.interval, at + 2);
      break;
    case 8:
      add(rows.reserved, at, 2);
      add(rows.homePreference, at + 2);
      add(rows.homeLifetime, at + 4);
      break;
    case 9:
    case 10:
      add(rows.reserved, at, 6);
      addresses(rows.addresses, at + 6);
      break;
    case 11:
      add(rows.cgaPadLength, at);
      add(rows.reserved, at + 1, 1);
      add(rows.cgaModifier, at + 2, 16);
      add(rows.cgaPrefix, at + 18, 8);
      add(rows.cgaCount, at + 26, 1);
      add(rows.cgaKey, at + 27, end - at - 27 - b[at]!);
      if (b[at]! > 0) add(rows.padding, end - b[at]!, b[at]!);
      break;
    case 12:
    case 32:
      add(rows.reserved, at, 2);
      add(type === 12 ? rows.keyHash : rows.proxyKeyHash, at + 2, 16);
      rest(rows.signature, at + 18);
      break;
    case 13: {
      add(rows.reserved, at, 6);
      if (at + 14 > end) break;
      // 48 bits of seconds, 16 bits of their fraction (RFC 3971 section 5.3.1).
      const nanoseconds = BigInt(u48(b, at + 6)) * 1_000_000_000n + ((BigInt(u16(b, at + 12)) * 1_000_000_000n) >> 16n);
      tree.put(rows.timestamp, nanoseconds, at + 6, 8);
      break;
    }
    case 14:
      rest(rows.nonce, at);
      break;
    case 15: {
      add(rows.nameType, at);
      add(rows.cgaPadLength, at + 1);
      const stop = end - b[at + 1]!;
      if (stop <= at + 2) break;
      const name = b[at] === 2 ? readLabels(b, at + 2, stop) : undefined;
      if (name) tree.put(rows.anchorName, name.name, at + 2, name.next - at - 2);
      else add(b[at] === 1 ? rows.distinguishedName : rows.data, at + 2, stop - at - 2);
      if (stop < end) rest(rows.padding, stop);
      break;
    }
    case 16:
      add(rows.nameType, at);
      add(rows.reserved, at + 1, 1);
      rest(rows.certificate, at + 2);
      break;
    case 17:
    case 18:
      add(type === 17 ? rows.addressCode : rows.newRouterCode, at);
      add(type === 17 ? rows.addressPrefixLength : rows.newRouterLength, at + 1);
      add(rows.reserved, at + 2, 4);
      add(type === 17 ? rows.address : rows.newRouterPrefix, at + 6);
      break;
    case 19:
      add(rows.handoverLinkCode, at);
      rest(rows.handoverLink, at + 1);
      break;
    case 20:
      add(rows.acknowledgmentCode, at);
      add(rows.acknowledgmentStatus, at + 1);
      // The address follows four reserved octets (RFC 5568 section 6.4.5).
      if (end - at === 22) add(rows.suppliedAddress, at + 6);
      else rest(rows.reserved, at + 2);
      break;
    case 23:
      add(rows.mapDistance, at);
      add(rows.mapPreference, at);
      tree.word(rows.mapFlags, at + 1, [rows.mapRegional, rows.mapReserved]);
      add(rows.mapLifetime, at + 2);
      add(rows.mapAddress, at + 6);
      break;
    case 24:
      add(rows.prefixLength, at);
      tree.word(rows.routeFlags, at + 1, [rows.routePreference, rows.routeReserved]);
      add(rows.routeLifetime, at + 2);
      if (end > at + 6) shortened(rows.prefix, at + 6, end - at - 6);
      break;
    case 25:
      add(rows.reserved, at, 2);
      add(rows.serverLifetime, at + 2);
      addresses(rows.servers, at + 6);
      break;
    case 26:
      tree.word(rows.moreFlags, at, EXPANSION_FLAGS);
      rest(rows.reserved, at + 2);
      break;
    case 27:
    case 28: {
      add(rows.keyPadLength, at);
      add(rows.keyAlgorithm, at + 1);
      add(rows.keyReserved, at + 1);
      const from = type === 27 ? at + 2 : at + 4;
      if (type === 28) add(rows.keyLifetime, at + 2);
      add(type === 27 ? rows.publicKey : rows.handoverKey, from, end - from - b[at]!);
      if (b[at]! > 0 && end - b[at]! >= from) rest(rows.keyPadding, end - b[at]!);
      break;
    }
    case 29:
    case 30: {
      const isAssist = type === 29;
      add(isAssist ? rows.assistCode : rows.nodeCode, at);
      add(isAssist ? rows.assistLength : rows.nodeLength, at + 1);
      const stop = at + 2 + b[at + 1]!;
      if (stop > at + 2) add(isAssist ? rows.assistValue : rows.nodeValue, at + 2, stop - at - 2);
      if (stop < end) rest(rows.padding, stop);
      break;
    }
    case 31: {
      add(rows.reserved, at, 2);
      add(rows.searchLifetime, at + 2);
      let next = at + 6;
      // A name is at least one octet long; an empty one is padding.
      while (next < end && b[next] !== 0) {
        const name = readLabels(b, next, end);
        if (name === undefined) break;
        tree.put(rows.searchList, name.name, next, name.next - next);
        next = name.next;
      }
      if (next < end) rest(rows.padding, next);
      break;
    }
    case 33:
      add(rows.registrationStatus, at);
      add(rows.reserved, at + 1, 3);
      add(rows.registrationLifetime, at + 4);
      add(rows.registered, at + 6);
      break;
    case 34:
      add(rows.contextLength, at);
      tree.word(rows.contextFlags, at + 1, CONTEXT_FLAGS);
      add(rows.reserved, at + 2, 2);
      add(rows.contextLifetime, at + 4);
      if (end > at + 6) shortened(rows.contextPrefix, at + 6, end - at - 6);
      break;
    case 35:
      add(rows.borderVersionLow, at);
      add(rows.borderVersionHigh, at + 2);
      add(rows.borderLifetime, at + 4);
      add(rows.borderAddress, at + 6);
      break;
    case 36:
      add(rows.capabilityUnassigned, at);
      add(rows.capabilityGeneric, at);
      add(rows.capabilityRest, at + 2);
      break;
    case 37: {
      let stop = end;
      while (stop > at && b[stop - 1] === 0) stop--;
      add(rows.captivePortal, at, stop - at);
      break;
    }
    case 38: {
      add(rows.nat64Lifetime, at);
      add(rows.nat64Length, at);
      const octets = PREFIX_LENGTH[b[at + 1]! & 7];
      if (octets !== undefined && end - at === 14) shortened(rows.nat64Prefix, at + 2, 12);
      break;
    }
    default:
      tree.put(rows.undecoded, true);
      rest(rows.data, at);
  }
}

/** The link-layer address among the options in `[start, end)`, for the Info column: where it stands and how long it is. */
export function findLinkAddress(
  octets: Uint8Array,
  start: number,
  end: number,
  wanted: number,
): { readonly at: number; readonly length: number } | undefined {
  for (let at = start; at + 8 <= end; ) {
    const length = 8 * octets[at + 1]!;
    if (length === 0 || at + length > end) return undefined;
    if (octets[at] === wanted) return { at: at + 2, length: length === 16 ? 8 : length - 2 };
    at += length;
  }
  return undefined;
}

/** Where the packet that a redirect is about stands among the options in `[start, end)`. */
export function findRedirected(octets: Uint8Array, start: number, end: number): readonly [start: number, end: number] | undefined {
  for (let at = start; at + 8 <= end; ) {
    const length = 8 * octets[at + 1]!;
    if (length === 0) return undefined;
    if (octets[at] === REDIRECTED_HEADER) return [at + 8, Math.min(at + length, end)];
    at += length;
  }
  return undefined;
}
