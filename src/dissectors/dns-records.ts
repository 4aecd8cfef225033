/**
 * Resource records of DNS: one walk a type through the record's data.
 *
 * RFC 1035 section 3.2 (format, A to WKS), RFC 3596 (AAAA), RFC 2782 (SRV), RFC 3403 (NAPTR), RFC 8659 (CAA), RFC 7553 (URI),
 * RFC 1876 (LOC), RFC 3123 (APL), RFC 6742 (NID, L32, L64, LP), RFC 1183 (RP, AFSDB, X25, ISDN, RT), RFC 2230 (KX),
 * RFC 2163 (PX), RFC 7043 (EUI48, EUI64), RFC 6891 (OPT), RFC 6762 section 10.2 (cache flush).
 *
 *     0       n      n+2     n+4   n+8      n+10
 *     | name … | type | class | ttl | length | data …
 */
import {
  bits,
  bool,
  bytes,
  ether,
  eui64,
  expert,
  type Field,
  flag,
  group,
  ipv4,
  ipv6,
  many,
  string,
  uint8,
  uint16,
  uint32,
} from '../core/field.js';
import type { Tree } from '../core/layer.js';
import { textOf, u8, u16, u32 } from '../core/octets.js';
import { DNSSEC_WALKS, dnssecRows } from './dns-dnssec.js';
import { ednsOptions, walkOptions } from './dns-edns.js';
import { nameText, putName, readName, skipName } from './dns-names.js';
import { svcbRows, walkSvcb } from './dns-svcb.js';
import { CLASS, OPT, SRV, TYPE, typeName } from './dns-values.js';

const FAMILY = { 1: 'IPv4', 2: 'IPv6' };
const OPT_FLAGS = {
  dnssecOk: flag('dns.resp.z.do', 'DO bit', undefined, 0x8000, 16, {
    flags: ['Accepts DNSSEC security RRs', 'Cannot handle DNSSEC security RRs'],
  }),
  optReserved: bits('dns.resp.z.reserved', 'Reserved', undefined, 16, 0x7fff, { base: 'hex' }),
};
const CAA_FLAGS = { issuerCritical: flag('dns.caa.flags.issuer_critical', 'Issuer Critical', undefined, 0x80) };

/** Rows of a record; answers, authorities and additional records share them. */
export const recordRows = {
  name: string('dns.resp.name', 'Name'),
  srvService: string('dns.srv.service', 'Service'),
  srvProtocol: string('dns.srv.proto', 'Protocol'),
  srvName: string('dns.srv.name', 'Name'),
  type: uint16('dns.resp.type', 'Type', { values: TYPE }),
  class: uint16('dns.resp.class', 'Class', { base: 'hex', values: CLASS }),
  /** In mDNS the class's highest bit says: forget what you have (RFC 6762 section 10.2). */
  cacheFlush: flag('dns.resp.cache_flush', 'Cache flush', undefined, 0x8000, 16),
  ttl: uint32('dns.resp.ttl', 'Time to live', { unit: 'seconds' }),
  ttlHighBit: expert('warn', 'protocol', 'dns.ttl.high_bit_set', 'The highest bit of the TTL is set (RFC 2181 section 8)'),
  udpPayloadSize: uint16('dns.rr.udp_payload_size', 'UDP payload size'),
  extendedRcode: uint8('dns.resp.ext_rcode', 'Higher bits in extended RCODE', { base: 'hex' }),
  ednsVersion: uint8('dns.resp.edns0_version', 'EDNS0 version'),
  ...group({ ednsFlags: uint16('dns.resp.z', 'Z', { base: 'hex' }) }, OPT_FLAGS),
  length: uint16('dns.resp.len', 'Data length', { unit: 'bytes' }),
  options: ednsOptions,
  a: ipv4('dns.a', 'Address'),
  aaaa: ipv6('dns.aaaa', 'AAAA Address'),
  ns: string('dns.ns', 'Name Server'),
  md: string('dns.md', 'Mail Destination'),
  mf: string('dns.mf', 'Mail Forwarder'),
  cname: string('dns.cname', 'CNAME'),
  soaName: string('dns.soa.mname', 'Primary name server'),
  soaMailbox: string('dns.soa.rname', "Responsible authority's mailbox"),
  soaSerial: uint32('dns.soa.serial_number', 'Serial Number'),
  soaRefresh: uint32('dns.soa.refresh_interval', 'Refresh Interval', { unit: 'seconds' }),
  soaRetry: uint32('dns.soa.retry_interval', 'Retry Interval', { unit: 'seconds' }),
  soaExpire: uint32('dns.soa.expire_limit', 'Expire limit', { unit: 'seconds' }),
  soaMinimum: uint32('dns.soa.minimum_ttl', 'Minimum TTL', { unit: 'seconds' }),
  mb: string('dns.mb', 'Mailbox'),
  mg: string('dns.mg', 'Mail Group member'),
  mr: string('dns.mr', 'Mail Rename domain'),
  null: bytes('dns.null', 'Null (data)'),
  wksAddress: ipv4('dns.wks.address', 'Address'),
  wksProtocol: uint8('dns.wks.protocol', 'Protocol', { values: { 6: 'TCP', 17: 'UDP' } }),
  wksBits: many(uint8('dns.wks.bits', 'Bits', { base: 'hex' })),
  ptr: string('dns.ptr.domain_name', 'Domain Name'),
  cpuLength: uint8('dns.hinfo.cpu_length', 'CPU Length'),
  cpu: string('dns.hinfo.cpu', 'CPU'),
  osLength: uint8('dns.hinfo.os_length', 'OS Length'),
  os: string('dns.hinfo.os', 'OS'),
  minfoResponsible: string('dns.minfo.r', 'Responsible Mailbox'),
  minfoError: string('dns.minfo.e', 'Error Mailbox'),
  mxPreference: uint16('dns.mx.preference', 'Preference'),
  mx: string('dns.mx.mail_exchange', 'Mail Exchange'),
  txtLength: many(uint8('dns.txt.length', 'TXT Length')),
  txt: many(string('dns.txt', 'TXT')),
  spfLength: many(uint8('dns.spf.length', 'SPF Length')),
  spf: many(string('dns.spf', 'SPF')),
  rpMailbox: string('dns.rp.mailbox', 'Mailbox'),
  rpText: string('dns.rp.txt_rr', 'TXT RR'),
  afsdbSubtype: uint16('dns.afsdb.subtype', 'Subtype'),
  afsdbHost: string('dns.afsdb.hostname', 'Hostname'),
  x25Length: uint8('dns.x25.length', 'Length'),
  x25: string('dns.x25.psdn_address', 'PSDN-Address'),
  isdnLength: uint8('dns.idsn.length', 'Length'),
  isdn: string('dns.idsn.address', 'ISDN Address'),
  isdnSubLength: uint8('dns.idsn.sa.length', 'Length'),
  isdnSub: string('dns.idsn.sa.address', 'Sub Address'),
  rtPreference: uint16('dns.rt.subtype', 'Preference'),
  rtHost: string('dns.rt.intermediate_host', 'Intermediate Hostname'),
  nsap: bytes('dns.nsap.rdata', 'NSAP Data'),
  nsapPointer: string('dns.nsap_ptr.owner', 'Owner'),
  pxPreference: uint16('dns.px.preference', 'Preference'),
  pxMap822: string('dns.px.map822', 'MAP822'),
  pxMapX400: string('dns.px.map400', 'MAPX400'),
  longitudeLength: uint8('dns.gpos.longitude_length', 'Longitude length'),
  longitude: string('dns.gpos.longitude', 'Longitude'),
  latitudeLength: uint8('dns.gpos.latitude_length', 'Latitude length'),
  latitude: string('dns.gpos.latitude', 'Latitude'),
  altitudeLength: uint8('dns.gpos.altitude_length', 'Altitude length'),
  altitude: string('dns.gpos.altitude', 'Altitude'),
  locVersion: uint8('dns.loc.version', 'Version'),
  locSize: uint8('dns.loc.size', 'Size'),
  locHorizontal: uint8('dns.loc.horizontal_precision', 'Horizontal Precision'),
  locVertical: uint8('dns.loc.vertical_precision', 'Vertical Precision'),
  locLatitude: uint32('dns.loc.latitude', 'Latitude'),
  locLongitude: uint32('dns.loc.longitude', 'Longitude'),
  locAltitude: uint32('dns.loc.altitude', 'Altitude'),
  locUnknown: bytes('dns.loc.unknown_data', 'Unknown data'),
  srvPriority: uint16('dns.srv.priority', 'Priority'),
  srvWeight: uint16('dns.srv.weight', 'Weight'),
  srvPort: uint16('dns.srv.port', 'Port'),
  srvTarget: string('dns.srv.target', 'Target'),
  naptrOrder: uint16('dns.naptr.order', 'Order'),
  naptrPreference: uint16('dns.naptr.preference', 'Preference'),
  naptrFlagsLength: uint8('dns.naptr.flags_length', 'Flags Length'),
  naptrFlags: string('dns.naptr.flags', 'Flags'),
  naptrServiceLength: uint8('dns.naptr.service_length', 'Service Length'),
  naptrService: string('dns.naptr.service', 'Service'),
  naptrRegexLength: uint8('dns.naptr.regex_length', 'Regex Length'),
  naptrRegex: string('dns.naptr.regex', 'Regex'),
  naptrReplacementLength: uint8('dns.naptr.replacement_length', 'Replacement Length'),
  naptrReplacement: string('dns.naptr.replacement', 'Replacement'),
  kxPreference: uint16('dns.kx.preference', 'Preference'),
  kx: string('dns.kx.key_exchange', 'Key Exchange'),
  a6PrefixLength: uint8('dns.a6.prefix_len', 'Prefix len'),
  a6Suffix: ipv6('dns.a6.address_suffix', 'Address Suffix'),
  a6PrefixName: string('dns.a6.prefix_name', 'Prefix name'),
  dname: string('dns.dname', 'Dname'),
  aplFamily: many(uint16('dns.apl.address_family', 'Address Family', { values: FAMILY })),
  aplPrefix: many(uint8('dns.apl.coded_prefix', 'Prefix Length')),
  aplNegation: many(flag('dns.apl.negation', 'Negation Flag', undefined, 0x80)),
  aplLength: many(bits('dns.apl.afdlength', 'Address Length', undefined, 8, 0x7f)),
  apl4: many(ipv4('dns.apl.afdpart.ipv4', 'Address')),
  apl6: many(ipv6('dns.apl.afdpart.ipv6', 'Address')),
  aplData: many(bytes('dns.apl.afdpart.data', 'Address')),
  dhcid: bytes('dns.dhcid.rdata', 'DHCID Data'),
  ...group({ caaFlags: uint8('dns.caa.flags', 'CAA Flags', { base: 'hex' }) }, CAA_FLAGS),
  caaIssue: string('dns.caa.issue', 'Issue'),
  caaIssueWild: string('dns.caa.issuewild', 'Issue Wildcard'),
  caaReport: string('dns.caa.iodef', 'Report URL'),
  caaUnknown: string('dns.caa.unknown', 'Unknown tag'),
  caaTagLength: uint8('dns.caa.tag_length', 'Tag length'),
  caaTag: string('dns.caa.tag', 'Tag'),
  caaValue: string('dns.caa.value', 'Value'),
  nidPreference: uint16('dns.ilnp.nid.preference', 'Preference'),
  nid: bytes('dns.ilnp.nid', 'NodeID'),
  l32Preference: uint16('dns.ilnp.l32.preference', 'Preference'),
  l32: ipv4('dns.ilnp.l32', 'Locator32'),
  l64Preference: uint16('dns.ilnp.l64.preference', 'Preference'),
  l64: bytes('dns.ilnp.l64', 'Locator64'),
  lpPreference: uint16('dns.ilnp.lp.preference', 'Preference'),
  lp: string('dns.ilnp.lp', 'Locator FQDN'),
  eui48: ether('dns.eui48', 'EUI48 Address'),
  eui64: eui64('dns.eui64', 'EUI64 Address'),
  uriPriority: uint16('dns.uri.priority', 'Priority'),
  uriWeight: uint16('dns.uri.weight', 'Weight'),
  uri: string('dns.uri.target', 'Target'),
  winsLocal: bool('dns.wins.local_flag', 'Local Flag'),
  winsLookup: uint32('dns.wins.lookup_timeout', 'Lookup timeout', { unit: 'seconds' }),
  winsCache: uint32('dns.wins.cache_timeout', 'Cache timeout', { unit: 'seconds' }),
  winsServers: uint32('dns.wins.nb_wins_servers', 'Number of WINS servers'),
  winsServer: many(ipv4('dns.wins.wins_server', 'WINS Server Address')),
  winsrLocal: bool('dns.winsr.local_flag', 'Local Flag'),
  winsrLookup: uint32('dns.winsr.lookup_timeout', 'Lookup timeout', { unit: 'seconds' }),
  winsrCache: uint32('dns.winsr.cache_timeout', 'Cache timeout', { unit: 'seconds' }),
  winsrDomain: string('dns.winsr.name_result_domain', 'Name Result Domain'),
  xpfVersion: uint16('dns.xpf.ip_version', 'IP Version'),
  xpfProtocol: uint8('dns.xpf.protocol', 'Protocol'),
  xpfSource4: ipv4('dns.xpf.source_ipv4', 'IPv4 Source'),
  xpfDestination4: ipv4('dns.xpf.destination_ipv4', 'IPv4 Destination'),
  xpfSource6: ipv6('dns.xpf.source_ipv6', 'IPv6 Source'),
  xpfDestination6: ipv6('dns.xpf.destination_ipv6', 'IPv6 Destination'),
  xpfSourcePort: uint16('dns.xpf.sport', 'Source port'),
  xpfDestinationPort: uint16('dns.xpf.dport', 'Destination port'),
  ...svcbRows,
  ...dnssecRows,
  undecoded: expert('chat', 'undecoded', 'dns.undecoded.type', 'No dissector for this record type'),
  data: bytes('dns.data', 'Data'),
};

const r = recordRows;
const OPT_BITS: readonly Field[] = Object.values(OPT_FLAGS);
const CAA_BITS: readonly Field[] = Object.values(CAA_FLAGS);

/** Octets of a record between its name and its data. */
export const RECORD_FIXED = 10;

/** Record data at `at`, which ends at `tree.limit`; names may point anywhere in the message `[base, limit)`. */
type Walk = (tree: Tree, at: number, base: number, limit: number) => void;

/** A record whose data is one name. */
const oneName =
  (row: Field): Walk =>
  (tree, at, base, limit) => {
    putName(tree, row, at, base, limit);
  };

/** A record whose data is a 16-bit preference and a name. */
const preferenceAndName =
  (preference: Field, row: Field): Walk =>
  (tree, at, base, limit) => {
    if (tree.add(preference, at)) putName(tree, row, at + 2, base, limit);
  };

/** A length octet and as much text; where it ends. */
function characterString(tree: Tree, length: Field, row: Field, at: number): number {
  if (!tree.add(length, at, 1)) return Number.POSITIVE_INFINITY;
  const n = tree.bytes[at]!;
  return tree.add(row, at + 1, n) ? at + 1 + n : Number.POSITIVE_INFINITY;
}

/** Such strings up to the end of the data; each advances by at least one octet. */
const strings =
  (length: Field, row: Field): Walk =>
  (tree, start) => {
    for (let at = start; at < tree.limit; ) at = characterString(tree, length, row, at);
  };

/** All of the data in one row. */
const whole =
  (row: Field): Walk =>
  (tree, at) => {
    if (at < tree.limit) tree.add(row, at, tree.limit - at);
  };

const soa: Walk = (tree, at, base, limit) => {
  const numbers = putName(tree, r.soaMailbox, putName(tree, r.soaName, at, base, limit), base, limit);
  tree.add(r.soaSerial, numbers);
  tree.add(r.soaRefresh, numbers + 4);
  tree.add(r.soaRetry, numbers + 8);
  tree.add(r.soaExpire, numbers + 12);
  tree.add(r.soaMinimum, numbers + 16);
};

const wks: Walk = (tree, at) => {
  tree.add(r.wksAddress, at);
  tree.add(r.wksProtocol, at + 4);
  for (let i = at + 5; i < tree.limit; i++) if (tree.bytes[i] !== 0) tree.add(r.wksBits, i, 1);
};

const srv: Walk = (tree, at, base, limit) => {
  tree.add(r.srvPriority, at);
  tree.add(r.srvWeight, at + 2);
  if (tree.add(r.srvPort, at + 4)) putName(tree, r.srvTarget, at + 6, base, limit);
};

const naptr: Walk = (tree, at, base, limit) => {
  tree.add(r.naptrOrder, at);
  tree.add(r.naptrPreference, at + 2);
  const service = characterString(tree, r.naptrFlagsLength, r.naptrFlags, at + 4);
  const regex = characterString(tree, r.naptrServiceLength, r.naptrService, service);
  const replacement = characterString(tree, r.naptrRegexLength, r.naptrRegex, regex);
  const name = replacement < tree.limit ? readName(tree.bytes, replacement, base, limit) : undefined;
  if (name === undefined) return;
  const end = skipName(tree.bytes, replacement, limit);
  tree.put(r.naptrReplacementLength, name.length, replacement, end - replacement);
  tree.put(r.naptrReplacement, name.text, replacement, end - replacement);
};

const a6: Walk = (tree, at, base, limit) => {
  if (!tree.add(r.a6PrefixLength, at)) return;
  const prefix = tree.bytes[at]!;
  const suffix = prefix > 128 ? 0 : 16 - (prefix >> 3);
  if (at + 1 + suffix > tree.limit) return;
  const address = new Uint8Array(16);
  address.set(tree.bytes.subarray(at + 1, at + 1 + suffix), 16 - suffix);
  tree.put(r.a6Suffix, address, at + 1, suffix);
  if (prefix > 0) putName(tree, r.a6PrefixName, at + 1 + suffix, base, limit);
};

const loc: Walk = (tree, at) => {
  tree.add(r.locVersion, at);
  if (u8(tree.bytes, at) !== 0) return whole(r.locUnknown)(tree, at + 1, 0, 0);
  tree.add(r.locSize, at + 1);
  tree.add(r.locHorizontal, at + 2);
  tree.add(r.locVertical, at + 3);
  tree.add(r.locLatitude, at + 4);
  tree.add(r.locLongitude, at + 8);
  tree.add(r.locAltitude, at + 12);
};

const apl: Walk = (tree, start) => {
  // Each entry advances by at least its four octets.
  for (let at = start; at + 4 <= tree.limit; ) {
    const family = u16(tree.bytes, at);
    const length = tree.bytes[at + 3]! & 0x7f;
    tree.add(r.aplFamily, at, 2);
    tree.add(r.aplPrefix, at + 2, 1);
    tree.add(r.aplNegation, at + 3, 1);
    tree.add(r.aplLength, at + 3, 1);
    const from = at + 4;
    at = from + length;
    if (at > tree.limit) return;
    if (family === 1 && length <= 4) {
      const address = new Uint8Array(4);
      address.set(tree.bytes.subarray(from, at));
      tree.put(r.apl4, u32(address, 0), from, length);
    } else if (family === 2 && length <= 16) {
      const address = new Uint8Array(16);
      address.set(tree.bytes.subarray(from, at));
      tree.put(r.apl6, address, from, length);
    } else tree.add(r.aplData, from, length);
  }
};

const caa: Walk = (tree, at) => {
  if (at + 2 > tree.limit) return;
  const tagEnd = at + 2 + tree.bytes[at + 1]!;
  tree.word(r.caaFlags, at, CAA_BITS);
  if (tagEnd > tree.limit) {
    tree.add(r.caaTagLength, at + 1);
    return;
  }
  const tag = textOf(tree.bytes, at + 2, tagEnd);
  const row = tag === 'issue' ? r.caaIssue : tag === 'issuewild' ? r.caaIssueWild : tag === 'iodef' ? r.caaReport : r.caaUnknown;
  const value = textOf(tree.bytes, tagEnd, tree.limit);
  tree.openPut(row, value, tagEnd, tree.limit - tagEnd);
  tree.add(r.caaTagLength, at + 1);
  tree.add(r.caaTag, at + 2, tagEnd - at - 2);
  tree.add(r.caaValue, tagEnd, tree.limit - tagEnd);
  tree.close();
};

const gpos: Walk = (tree, at) => {
  const latitude = characterString(tree, r.longitudeLength, r.longitude, at);
  const altitude = characterString(tree, r.latitudeLength, r.latitude, latitude);
  characterString(tree, r.altitudeLength, r.altitude, altitude);
};

const wins: Walk = (tree, at) => {
  if (tree.limit - at < 16) return;
  tree.put(r.winsLocal, (u32(tree.bytes, at) & 0x10000) !== 0, at, 4);
  tree.add(r.winsLookup, at + 4);
  tree.add(r.winsCache, at + 8);
  tree.add(r.winsServers, at + 12);
  const servers = Math.min(u32(tree.bytes, at + 12), (tree.limit - at - 16) >> 2);
  for (let i = 0; i < servers; i++) tree.add(r.winsServer, at + 16 + 4 * i, 4);
};

const winsReverse: Walk = (tree, at, base, limit) => {
  if (tree.limit - at < 12) return;
  tree.put(r.winsrLocal, (u32(tree.bytes, at) & 0x10000) !== 0, at, 4);
  tree.add(r.winsrLookup, at + 4);
  tree.add(r.winsrCache, at + 8);
  putName(tree, r.winsrDomain, at + 12, base, limit);
};

const xpf: Walk = (tree, at) => {
  if (at >= tree.limit) return;
  const version = tree.bytes[at]! & 15;
  tree.put(r.xpfVersion, version, at, 1);
  tree.add(r.xpfProtocol, at + 1);
  const size = version === 4 ? 4 : version === 6 ? 16 : 0;
  if (size === 0) return;
  tree.add(size === 4 ? r.xpfSource4 : r.xpfSource6, at + 2);
  tree.add(size === 4 ? r.xpfDestination4 : r.xpfDestination6, at + 2 + size);
  tree.add(r.xpfSourcePort, at + 2 + 2 * size);
  tree.add(r.xpfDestinationPort, at + 4 + 2 * size);
};

const uri: Walk = (tree, at) => {
  tree.add(r.uriPriority, at);
  if (tree.add(r.uriWeight, at + 2)) tree.add(r.uri, at + 4, tree.limit - at - 4);
};

const WALKS: Readonly<Record<number, Walk>> = {
  1: (tree, at) => tree.add(r.a, at),
  2: oneName(r.ns),
  3: oneName(r.md),
  4: oneName(r.mf),
  5: oneName(r.cname),
  6: soa,
  7: oneName(r.mb),
  8: oneName(r.mg),
  9: oneName(r.mr),
  10: whole(r.null),
  11: wks,
  12: oneName(r.ptr),
  13: (tree, at) => characterString(tree, r.osLength, r.os, characterString(tree, r.cpuLength, r.cpu, at)),
  14: (tree, at, base, limit) => putName(tree, r.minfoError, putName(tree, r.minfoResponsible, at, base, limit), base, limit),
  15: preferenceAndName(r.mxPreference, r.mx),
  16: strings(r.txtLength, r.txt),
  17: (tree, at, base, limit) => putName(tree, r.rpText, putName(tree, r.rpMailbox, at, base, limit), base, limit),
  18: preferenceAndName(r.afsdbSubtype, r.afsdbHost),
  19: (tree, at) => characterString(tree, r.x25Length, r.x25, at),
  20: (tree, at) => {
    const sub = characterString(tree, r.isdnLength, r.isdn, at);
    if (sub < tree.limit) characterString(tree, r.isdnSubLength, r.isdnSub, sub);
  },
  21: preferenceAndName(r.rtPreference, r.rtHost),
  22: whole(r.nsap),
  23: oneName(r.nsapPointer),
  26: (tree, at, base, limit) => {
    if (tree.add(r.pxPreference, at)) putName(tree, r.pxMapX400, putName(tree, r.pxMap822, at + 2, base, limit), base, limit);
  },
  27: gpos,
  28: (tree, at) => tree.add(r.aaaa, at),
  29: loc,
  33: srv,
  35: naptr,
  36: preferenceAndName(r.kxPreference, r.kx),
  38: a6,
  39: oneName(r.dname),
  41: (tree, at) => walkOptions(tree, at, tree.limit),
  42: apl,
  49: whole(r.dhcid),
  64: walkSvcb,
  65: walkSvcb,
  99: strings(r.spfLength, r.spf),
  104: (tree, at) => tree.add(r.nidPreference, at) && tree.add(r.nid, at + 2, 8),
  105: (tree, at) => tree.add(r.l32Preference, at) && tree.add(r.l32, at + 2),
  106: (tree, at) => tree.add(r.l64Preference, at) && tree.add(r.l64, at + 2, 8),
  107: preferenceAndName(r.lpPreference, r.lp),
  108: (tree, at) => tree.add(r.eui48, at),
  109: (tree, at) => tree.add(r.eui64, at),
  256: uri,
  257: caa,
  65281: wins,
  65282: winsReverse,
  65422: xpf,
  ...DNSSEC_WALKS,
};

/** The name of an SRV record in its three parts: `_ldap._tcp.example.com` (RFC 2782). As in Wireshark they stand in place of the name. */
function putService(tree: Tree, owner: string, at: number, length: number): void {
  const [service, protocol, ...name] = owner.split('.');
  tree.put(r.srvService, service!, at, length);
  if (protocol !== undefined) tree.put(r.srvProtocol, protocol, at, length);
  if (name.length > 0) tree.put(r.srvName, name.join('.'), at, length);
}

/**
 * The record at `start` as an item of `section`; where the next begins, or -1 when this one is cut. `limit` is where the
 * octets of the message end that we hold.
 */
export function walkRecord(tree: Tree, section: Field, start: number, base: number, limit: number, multicast: boolean): number {
  const b = tree.bytes;
  const at = skipName(b, start, limit);
  const owner = at < 0 ? undefined : nameText(b, start, base, limit);
  if (owner === undefined) return -1;
  const type = at + 2 <= limit ? u16(b, at) : 0;
  const dataStart = at + RECORD_FIXED;
  const length = dataStart <= limit ? u16(b, at + 8) : 0;
  const end = dataStart + length;
  tree.item(section, start, end - start, at + 2 <= limit ? `${owner}: ${typeName(type)}` : owner);
  if (type === SRV) putService(tree, owner, start, at - start);
  else tree.put(r.name, owner, start, at - start);
  tree.add(r.type, at);
  if (type === OPT) {
    if (at + 4 <= limit) tree.put(r.udpPayloadSize, u16(b, at + 2) & (multicast ? 0x7fff : 0xffff), at + 2, 2);
    if (multicast) tree.add(r.cacheFlush, at + 2);
    tree.add(r.extendedRcode, at + 4);
    tree.add(r.ednsVersion, at + 5);
    tree.word(r.ednsFlags, at + 6, OPT_BITS);
  } else {
    if (multicast && at + 4 <= limit) {
      tree.put(r.class, u16(b, at + 2) & 0x7fff, at + 2, 2);
      tree.add(r.cacheFlush, at + 2);
    } else tree.add(r.class, at + 2);
    if (tree.add(r.ttl, at + 4) && b[at + 4]! & 0x80) tree.put(r.ttlHighBit, true, at + 4, 4);
  }
  if (tree.add(r.length, at + 8) && length > 0) {
    tree.limit = Math.min(end, limit);
    const walk = WALKS[type];
    if (walk) walk(tree, dataStart, base, limit);
    else if (end <= limit) {
      tree.put(r.undecoded, true, dataStart, length);
      tree.add(r.data, dataStart, length);
    }
    tree.limit = limit;
  }
  tree.close();
  return end <= limit && dataStart <= limit ? end : -1;
}
