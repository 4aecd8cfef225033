/**
 * Options of the IPv4 header.
 *
 * RFC 791 section 3.1 (security, routes, stream, timestamp), RFC 1063 (MTU), RFC 1108 (security), RFC 1393 (traceroute),
 * RFC 1770 (directed broadcast), RFC 2113 (router alert), RFC 4782 (quick start), FIPS 188 (CIPSO).
 *
 *     0      1        2
 *     | type | length | data …        type: copied (1 bit), class (2), number (5); types 0 and 1 are a single octet
 */
import { bits, bytes, expert, flag, group, ipv4, list, many, string, uint8, uint16, uint32 } from '../core/field.js';
import type { Layer, Tree } from '../core/layer.js';
import { u32 } from '../core/octets.js';

const OPTION: Readonly<Record<number, string>> = {
  0: 'End of Option List (EOL)',
  1: 'No-Operation (NOP)',
  2: 'Security',
  3: 'Loose source route',
  4: 'Time stamp',
  5: 'Extended security',
  6: 'Commercial IP security option',
  7: 'Record route',
  8: 'Stream identifier',
  9: 'Strict source route',
  10: 'Experimental Measurement',
  11: 'MTU probe',
  12: 'MTU Reply',
  13: 'Experimental Flow Control',
  14: 'Experimental Access Control',
  16: 'IMI Traffic Descriptor',
  17: 'Extended Internet Protocol',
  18: 'Traceroute',
  19: 'Address Extension',
  20: 'Router Alert',
  21: 'Selective Directed Broadcast',
  23: 'Dynamic Packet State',
  24: 'Upstream Multicast Packet',
  25: 'Quick-Start',
  30: 'RFC 3692-style experiment',
};

const CLASS = { 0: 'Control', 1: 'Reserved for future use', 2: 'Debugging and measurement', 3: 'Reserved for future use' };
const TIMESTAMPS = { 0: 'Time stamps only', 1: 'Time stamp and address', 3: 'Time stamps for prespecified addresses' };
const LEVEL = {
  1: 'Reserved 4',
  61: 'Top secret',
  90: 'Secret',
  102: 'Reserved 3',
  150: 'Confidential',
  171: 'Unclassified',
  204: 'Reserved 2',
  241: 'Reserved 1',
};
const QUICK_START = { 0: 'Rate request', 8: 'Rate report' };

const rows = {
  ...group(
    { type: uint8('ip.opt.type', 'Type') },
    {
      copy: flag('ip.opt.type.copy', 'Copy on fragmentation', undefined, 0x80),
      class: bits('ip.opt.type.class', 'Class', undefined, 8, 0x60, { values: CLASS }),
      number: bits('ip.opt.type.number', 'Number', undefined, 8, 0x1f, { values: OPTION }),
    },
  ),
  length: uint8('ip.opt.len', 'Length'),
  pointer: uint8('ip.opt.ptr', 'Pointer'),
  pointerBefore: expert('warn', 'protocol', 'ip.opt.ptr.before_address', 'Pointer points before first address'),
  pointerMiddle: expert('warn', 'protocol', 'ip.opt.ptr.middle_address', 'Pointer points to middle of address'),
  recorded: many(ipv4('ip.rec_rt', 'Recorded Route', { also: ['ip.addr'] })),
  current: many(ipv4('ip.cur_rt', 'Current Route', { also: ['ip.addr'] })),
  sourceRoute: many(ipv4('ip.src_rt', 'Source Route', { also: ['ip.addr'] })),
  emptyRoute: many(ipv4('ip.empty_rt', 'Empty Route')),
  suboptionTooLong: expert('warn', 'protocol', 'ip.subopt_too_long', 'Suboption would go past end of option'),
  overflow: bits('ip.opt.overflow', 'Overflow', undefined, 8, 0xf0),
  timestampFlag: bits('ip.opt.flag', 'Flag', undefined, 8, 0x0f, { base: 'hex', values: TIMESTAMPS }),
  timestampAddress: many(ipv4('ip.opt.time_stamp_addr', 'Address')),
  timestamp: many(uint32('ip.opt.time_stamp', 'Time stamp')),
  stream: uint16('ip.opt.sid', 'Stream Identifier'),
  mtu: uint16('ip.opt.mtu', 'MTU'),
  idNumber: uint16('ip.opt.id_number', 'ID Number'),
  outboundHops: uint16('ip.opt.ohc', 'Outbound Hop Count'),
  returnHops: uint16('ip.opt.rhc', 'Return Hop Count'),
  originator: ipv4('ip.opt.originator', 'Originator IP Address'),
  routerAlert: uint16('ip.opt.ra', 'Router Alert', { values: (value) => (value === 0 ? 'Router shall examine packet' : 'Reserved') }),
  addresses: many(ipv4('ip.opt.addr', 'IP Address')),
  quickFunction: bits('ip.opt.qs_func', 'Function', undefined, 8, 0xf0, { values: QUICK_START }),
  quickRate: bits('ip.opt.qs_rate', 'Rate', undefined, 8, 0x0f),
  quickTtl: uint8('ip.opt.qs_ttl', 'QS TTL'),
  quickTtlDifference: uint8('ip.opt.qs_ttl_diff', 'TTL Diff'),
  quickUnused: uint8('ip.opt.qs_unused', 'Not Used'),
  quickNonce: bits('ip.opt.qs_nonce', 'QS Nonce', undefined, 32, 0xfffffffc, { base: 'hex' }),
  quickReserved: bits('ip.opt.qs_reserved', 'Reserved', undefined, 32, 0x3, { base: 'hex' }),
  security: uint16('ip.opt.sec_rfc791_sec', 'Security', { base: 'hex' }),
  compartments: uint16('ip.opt.sec_rfc791_comp', 'Compartments'),
  handling: string('ip.opt.sec_rfc791_hr', 'Handling Restrictions'),
  transmissionControl: string('ip.opt.sec_rfc791_tcc', 'Transmission Control Code'),
  classification: uint8('ip.opt.sec_cl', 'Classification Level', { base: 'hex', values: LEVEL }),
  extendedFormat: uint8('ip.opt.ext_sec_add_sec_info_format_code', 'Additional Security Info Format Code', { base: 'hex' }),
  ...group(
    { authority: many(uint8('ip.opt.sec_prot_auth_flags', 'Protection Authority Flags', { base: 'hex' })) },
    {
      authorityGenser: many(flag('ip.opt.sec_prot_auth_genser', 'GENSER', undefined, 0x80)),
      authoritySiopEsi: many(flag('ip.opt.sec_prot_auth_siop_esi', 'SIOP-ESI', undefined, 0x40)),
      authoritySci: many(flag('ip.opt.sec_prot_auth_sci', 'SCI', undefined, 0x20)),
      authorityNsa: many(flag('ip.opt.sec_prot_auth_nsa', 'NSA', undefined, 0x10)),
      authorityDoe: many(flag('ip.opt.sec_prot_auth_doe', 'DOE', undefined, 0x08)),
      authorityUnassigned: many(bits('ip.opt.sec_prot_auth_unassigned', 'Unassigned', undefined, 8, 0x06, { base: 'hex' })),
      authorityMore: many(flag('ip.opt.sec_prot_auth_fti', 'Field Termination Indicator', undefined, 0x01)),
    },
  ),
  extendedInfo: bytes('ip.opt.ext_sec_add_sec_info', 'Additional Security Info'),
  cipsoDoi: uint32('ip.cipso.doi', 'DOI'),
  cipsoTag: many(uint8('ip.cipso.tag_type', 'Tag Type')),
  cipsoLevel: many(uint8('ip.cipso.sensitivity_level', 'Sensitivity Level')),
  cipsoCategories: many(string('ip.cipso.categories', 'Categories')),
  cipsoData: many(bytes('ip.cipso.tag_data', 'Tag data')),
  cipsoMalformed: expert('error', 'malformed', 'ip.cipso.malformed', 'Malformed CIPSO tag'),
  padding: bytes('ip.opt.padding', 'Padding'),
  invalidLength: expert('warn', 'protocol', 'ip.opt.len.invalid', 'Invalid length for option'),
};

/** Remarks on the options as a whole. */
export const optionRows = {
  manyNops: expert('warn', 'protocol', 'ip.nop', '4 NOP in a row - a router may have removed some options'),
};

/** The options of a header, one item each. */
export const optionsRow = list('ip.opt', 'Options', rows);

const AUTHORITY = [
  rows.authorityGenser,
  rows.authoritySiopEsi,
  rows.authoritySci,
  rows.authorityNsa,
  rows.authorityDoe,
  rows.authorityUnassigned,
  rows.authorityMore,
];

const LOOSE_ROUTE = 131;
const STRICT_ROUTE = 137;

/** Least length of options by type; a negative one is exact. Others need only type and length. */
const LENGTH: Readonly<Record<number, number>> = {
  7: 3,
  11: -4,
  12: -4,
  25: -8,
  68: 4,
  82: -12,
  130: 3,
  131: 3,
  133: 3,
  134: 10,
  136: -4,
  137: 3,
  148: -4,
  149: 6,
};

/**
 * Where the destination stands, in octets from the start of the header: in the last place of a source route that has
 * stops left (RFC 791 section 3.1), else in its own place.
 */
export function finalDestination(l: Layer): number {
  const end = Math.min(l.start + (l.bytes[l.start]! & 0x0f) * 4, l.captured);
  // Each turn takes an octet at least.
  for (let at = l.start + 20; at + 1 < end; ) {
    const type = l.bytes[at]!;
    if (type === 0) break;
    if (type === 1) {
      at++;
      continue;
    }
    const length = l.bytes[at + 1]!;
    if (length < 2 || at + length > end) break;
    if ((type === LOOSE_ROUTE || type === STRICT_ROUTE) && length >= 7) {
      const pointer = l.bytes[at + 2]!;
      const last = 3 + 4 * (((length - 3) >> 2) - 1);
      return pointer >= 4 && pointer <= last + 1 ? at + last - l.start : 16;
    }
    at += length;
  }
  return 16;
}

/** The options in `[start, end)` of the tree's octets, in a datagram with time to live `ttl`. */
export function walkOptions(tree: Tree, start: number, end: number, ttl: number): void {
  let nops = 0;
  // Each turn takes an octet at least.
  for (let at = start; at < end; ) {
    const type = tree.bytes[at]!;
    const single = type <= 1;
    const length = single ? 1 : at + 1 < end ? tree.bytes[at + 1]! : 0;
    const name = OPTION[type & 0x1f] ?? 'Unknown';
    if (!single && (length < 2 || at + length > end)) {
      tree.item(optionsRow, at, length, name);
      tree.put(rows.invalidLength, true, at, 1);
      tree.close();
      return;
    }
    tree.item(optionsRow, at, length, single ? name : `${name} (${length} bytes)`);
    tree.word(rows.type, at, [rows.copy, rows.class, rows.number]);
    if (!single) {
      tree.add(rows.length, at + 1);
      const least = LENGTH[type] ?? 2;
      // A length that this option cannot have tells where the next one begins all the same.
      if (least < 0 ? length !== -least : length < least) tree.put(rows.invalidLength, true, at, 1);
      if (length >= Math.abs(least)) walkOption(tree, type, at, length, ttl);
    }
    tree.close();
    nops = type === 1 ? nops + 1 : 0;
    if (nops === 4) tree.put(optionRows.manyNops, true, at, 1);
    if (type === 0) return;
    at += length;
  }
}

function walkOption(tree: Tree, type: number, at: number, length: number, ttl: number): void {
  const { bytes: b } = tree;
  const end = at + length;
  switch (type) {
    case 7:
    case LOOSE_ROUTE:
    case STRICT_ROUTE:
      return walkRoute(tree, type, at, end);
    case 11:
    case 12:
      tree.add(rows.mtu, at + 2);
      return;
    case 25: {
      tree.add(rows.quickFunction, at + 2, 1);
      tree.add(rows.quickRate, at + 2, 1);
      if (b[at + 2]! >> 4 === 0) {
        tree.add(rows.quickTtl, at + 3);
        tree.put(rows.quickTtlDifference, (ttl - b[at + 3]!) & 0xff);
      } else tree.add(rows.quickUnused, at + 3);
      tree.add(rows.quickNonce, at + 4, 4);
      tree.add(rows.quickReserved, at + 4, 4);
      return;
    }
    case 68:
      return walkTimestamps(tree, at, end);
    case 82:
      tree.add(rows.idNumber, at + 2);
      tree.add(rows.outboundHops, at + 4);
      tree.add(rows.returnHops, at + 6);
      tree.add(rows.originator, at + 8);
      return;
    case 130:
      if (length === 11) {
        tree.add(rows.security, at + 2);
        tree.add(rows.compartments, at + 4);
        tree.add(rows.handling, at + 6, 2);
        tree.add(rows.transmissionControl, at + 8, 3);
      } else {
        tree.add(rows.classification, at + 2);
        walkAuthority(tree, at + 3, end);
      }
      return;
    case 133:
      tree.add(rows.extendedFormat, at + 2);
      if (end > at + 3) tree.add(rows.extendedInfo, at + 3, end - at - 3);
      return;
    case 134:
      tree.add(rows.cipsoDoi, at + 2);
      return walkCipso(tree, at + 6, end);
    case 136:
      tree.add(rows.stream, at + 2);
      return;
    case 148:
      tree.add(rows.routerAlert, at + 2);
      return;
    case 149:
      for (let i = at + 2; i + 4 <= end; i += 4) tree.add(rows.addresses, i);
      return;
  }
}

/** Protection authorities: an octet each as long as its lowest bit says that more follow. */
function walkAuthority(tree: Tree, start: number, end: number): void {
  for (let at = start; at < end; at++) {
    tree.word(rows.authority, at, AUTHORITY);
    if ((tree.bytes[at]! & 1) !== 0) continue;
    if (at + 1 < end) tree.put(rows.invalidLength, true, at + 1, end - at - 1);
    return;
  }
}

function walkRoute(tree: Tree, type: number, at: number, end: number): void {
  tree.add(rows.pointer, at + 2);
  const pointer = tree.bytes[at + 2]!;
  if (pointer < 4) tree.put(rows.pointerBefore, true, at + 2, 1);
  else if (pointer & 3) tree.put(rows.pointerMiddle, true, at + 2, 1);
  const next = at + pointer - 1;
  let i = at + 3;
  for (; i + 4 <= end; i += 4) {
    if (i < next) tree.add(rows.recorded, i);
    else if (type === 7) tree.add(rows.emptyRoute, i);
    else tree.add(i === next ? rows.current : rows.sourceRoute, i);
  }
  if (i < end) tree.put(rows.suboptionTooLong, true, i, end - i);
}

function walkTimestamps(tree: Tree, at: number, end: number): void {
  tree.add(rows.pointer, at + 2);
  const pointer = tree.bytes[at + 2]!;
  if (pointer < 5) tree.put(rows.pointerBefore, true, at + 2, 1);
  else if ((pointer - 1) & 3) tree.put(rows.pointerMiddle, true, at + 2, 1);
  tree.add(rows.overflow, at + 3, 1);
  tree.add(rows.timestampFlag, at + 3, 1);
  const flag = tree.bytes[at + 3]! & 0x0f;
  const addressed = flag === 1 || flag === 3;
  const step = addressed ? 8 : 4;
  let i = at + 4;
  for (; i + step <= end; i += step) {
    if (addressed) tree.add(rows.timestampAddress, i);
    tree.add(rows.timestamp, i + step - 4);
  }
  if (i < end) tree.put(rows.suboptionTooLong, true, i, end - i);
}

function walkCipso(tree: Tree, start: number, end: number): void {
  // Each tag is two octets at least.
  for (let at = start; at + 1 < end; ) {
    const type = tree.bytes[at]!;
    const length = tree.bytes[at + 1]!;
    tree.add(rows.cipsoTag, at);
    if (length < 2 || at + length > end) {
      tree.put(rows.cipsoMalformed, true, at, end - at);
      return;
    }
    if ((type === 1 || type === 2 || type === 5) && length >= 4) {
      tree.add(rows.cipsoLevel, at + 3);
      const categories =
        type === 1
          ? bitmap(tree.bytes, at + 4, at + length)
          : type === 2
            ? numbers(tree.bytes, at + 4, at + length)
            : ranges(tree.bytes, at + 4, at + length);
      if (categories) tree.put(rows.cipsoCategories, categories, at + 4, length - 4);
    } else if (length > 2) tree.add(rows.cipsoData, at + 2, length - 2);
    at += length;
  }
}

const bitmap = (b: Uint8Array, from: number, to: number): string => {
  const set: number[] = [];
  for (let i = from; i < to; i++) for (let bit = 0; bit < 8; bit++) if (b[i]! & (0x80 >> bit)) set.push((i - from) * 8 + bit);
  return set.join(',');
};
const numbers = (b: Uint8Array, from: number, to: number): string => {
  const all: number[] = [];
  for (let i = from; i + 2 <= to; i += 2) all.push(u32(b, i) >>> 16);
  return all.join(',');
};
const ranges = (b: Uint8Array, from: number, to: number): string => {
  const all: string[] = [];
  for (let i = from; i + 2 <= to; i += 4) all.push(`${i + 4 <= to ? u32(b, i) & 0xffff : 0}-${u32(b, i) >>> 16}`);
  return all.join(',');
};
