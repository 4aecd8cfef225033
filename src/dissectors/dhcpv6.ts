/**
 * Dynamic Host Configuration Protocol for IPv6: addresses, prefixes and settings for this host or this site.
 *
 * RFC 8415 (base, relays, prefixes), RFC 3319 (SIP), RFC 3646 (DNS), RFC 4649 (remote identifier), RFC 4704 (FQDN),
 * RFC 5007 (lease query), RFC 5908 (NTP), RFC 6334 (AFTR), RFC 6355 (DUID-UUID), RFC 8520 (MUD), RFC 8910 (captive portal).
 *
 *     client and server:  0      1     4              relay:  0      1      2      18     34
 *                         | type | xid | options …            | type | hops | link | peer | options …
 *
 *     an option:  0      2        4
 *                 | code | length | … length
 */
import { colonText } from '../core/addresses.js';
import { bytes, expert, type Field, flag, ipv6, many, string, time, uint8, uint16, uint24, uint32 } from '../core/field.js';
import { layer, type Tree } from '../core/layer.js';
import { hexOf, textOf, u16, u24, u32 } from '../core/octets.js';
import { type Dissect, type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { readLabels } from './domain-labels.js';

const MESSAGE: Readonly<Record<number, string>> = {
  1: 'Solicit',
  2: 'Advertise',
  3: 'Request',
  4: 'Confirm',
  5: 'Renew',
  6: 'Rebind',
  7: 'Reply',
  8: 'Release',
  9: 'Decline',
  10: 'Reconfigure',
  11: 'Information-request',
  12: 'Relay-forw',
  13: 'Relay-reply',
  14: 'Leasequery',
  15: 'Leasequery-reply',
  16: 'Leasequery-done',
  17: 'Leasequery-data',
  18: 'Reconfigure-request',
  19: 'Reconfigure-reply',
};
const RELAY_FORWARD = 12;
const RELAY_REPLY = 13;

/** IANA, "Option Codes" of DHCPv6. */
const OPTION: Readonly<Record<number, string>> = {
  1: 'Client Identifier',
  2: 'Server Identifier',
  3: 'Identity Association for Non-temporary Address',
  4: 'Identity Association for Temporary Address',
  5: 'IA Address',
  6: 'Option Request',
  7: 'Preference',
  8: 'Elapsed time',
  9: 'Relay Message',
  11: 'Authentication',
  12: 'Server unicast',
  13: 'Status code',
  14: 'Rapid Commit',
  15: 'User Class',
  16: 'Vendor Class',
  17: 'Vendor-specific Information',
  18: 'Interface-Id',
  19: 'Reconfigure Message',
  20: 'Reconfigure Accept',
  21: 'SIP Server Domain Name List',
  22: 'SIP Servers IPv6 Address List',
  23: 'DNS recursive name server',
  24: 'Domain Search List',
  25: 'Identity Association for Prefix Delegation',
  26: 'IA Prefix',
  27: 'Network Information Server',
  28: 'Network Information Server V2',
  29: 'Network Information Server Domain Name',
  30: 'Network Information Server V2 Domain Name',
  31: 'Simple Network Time Protocol Server',
  32: 'Lifetime',
  33: 'BCMCS Server Domain',
  34: 'BCMCS Servers IPv6 Address List',
  36: 'Geoconf Civic Address',
  37: 'Remote Identifier',
  38: 'Subscriber Identifier',
  39: 'Client Fully Qualified Domain Name',
  40: 'PANA Agents IPv6 Address List',
  41: 'Time Zone',
  42: 'Time Zone Database',
  43: 'Echo Request Option',
  44: 'Leasequery Query',
  45: 'Leasequery Client Data',
  46: 'Client Last Transaction Time',
  47: 'Leasequery Relay Data',
  48: 'Leasequery Client Link Address List',
  49: 'Home Network Identifier FQDN',
  50: 'Visited Home Network Information',
  51: 'LoST Server',
  52: 'CAPWAP Access Controllers',
  53: 'Relay-ID',
  54: 'MoS IPv6 Address',
  55: 'MoS Domain Name List',
  56: 'NTP Server',
  57: 'Access Network Domain Name',
  58: 'SIP User Agent Configuration Service Domains',
  59: 'Boot File URL',
  60: 'Boot File Parameters',
  61: 'Client System Architecture Type',
  62: 'Client Network Interface Identifier',
  63: 'Geolocation',
  64: 'Dual-Stack Lite AFTR Name',
  65: 'ERP Local Domain Name',
  66: 'Relay-Supplied Options',
  67: 'Prefix Exclude',
  68: 'Virtual Subnet Selection',
  69: 'Identified Home Network Information',
  70: 'Unrestricted Home Network Information',
  71: 'Home Network Prefix',
  72: 'Home Agent Address',
  73: 'Home Agent FQDN',
  74: 'RDNSS Selection',
  75: 'Kerberos Principal Name',
  76: 'Kerberos Realm Name',
  77: 'Kerberos Default Realm Name',
  78: 'Kerberos KDC',
  79: 'Client Link-Layer Address',
  80: 'Link Address',
  81: 'RADIUS',
  82: 'SOL_MAX_RT',
  83: 'INF_MAX_RT',
  84: 'Address Selection',
  85: 'Address Selection table',
  86: 'PCP Server',
  87: 'DHCPv4 Message',
  88: 'DHCP 4o6 Servers Address',
  89: 'S46 Rule',
  90: 'S46 BR',
  91: 'S46 DMR',
  92: 'S46 IPv4/IPv6 Address Binding',
  93: 'S46 Port Parameters',
  94: 'S46 MAP-E Container',
  95: 'S46 MAP-T Container',
  96: 'S46 Lightweight 4over6 Container',
  97: '4rd Options',
  98: '4rd Mapping Rule',
  99: '4rd Non-Mapping Rule',
  100: 'LQ Server Base Time',
  101: 'LQ Server Query Start Time',
  102: 'LQ Server Query End Time',
  103: 'Captive Portal',
  104: 'MPL Parameter Configuration',
  105: 'Access Technology Type',
  106: 'Access Network Name',
  107: 'Access Point Name',
  108: 'Access Point BSSID',
  109: 'Access Network Operator ID',
  110: 'Access Network Operator Realm',
  111: 'S46 Priority',
  112: 'Manufacturer Usage Description',
  113: 'IPv4/IPv6 Multicast Prefixes',
  114: 'Failover Binding Status',
  115: 'Failover Connect Flags',
  116: 'Failover DNS Removal Info',
  117: 'Failover DNS Hostname',
  118: 'Failover DNS Zone Name',
  119: 'Failover DNS Flags',
  120: 'Failover Expiration Time',
  121: 'Failover Maximum Number Unacked BNDUPD Messages',
  122: 'Failover Maximum Client Lead Time (MCLT)',
  123: 'Failover Partner Lifetime',
  124: 'Failover Partner Lifetime Sent',
  125: 'Failover Partner Down Time',
  126: 'Failover Partner Raw Client Time',
  127: 'Failover Protocol Version',
  128: 'Failover Keepalive Time',
  129: 'Failover Reconfigure Data',
  130: 'Failover Relationship Name',
  131: 'Failover Server Flags',
  132: 'Failover Server State',
  133: 'Failover Start Time of State',
  134: 'Failover State Expiration Time',
  135: 'Relay Source Port',
  136: 'SZTP Redirect',
  137: 'Softwire Source Binding Prefix Hint',
  143: 'ANDSF IPv6 Address',
  165: 'Mobile IPv6 Home Agent',
  166: 'Mobile IPv6 Home Address',
  167: 'Network Access Identifier',
};
const CLIENT_ID = 1;
const IA_NA = 3;
const IA_TA = 4;
const IA_ADDRESS = 5;
const RELAY_MESSAGE = 9;
const IA_PD = 25;
const IA_PREFIX = 26;

const HARDWARE: Readonly<Record<number, string>> = { 1: 'Ethernet', 6: 'IEEE 802', 27: 'EUI-64', 32: 'InfiniBand' };
const DUID_TYPE: Readonly<Record<number, string>> = {
  1: 'link-layer address plus time',
  2: 'assigned by vendor based on Enterprise number',
  3: 'link-layer address',
  4: 'Universally Unique IDentifier (UUID)',
};
const STATUS: Readonly<Record<number, string>> = {
  0: 'Success',
  1: 'UnspecFail',
  2: 'NoAddrsAvail',
  3: 'NoBinding',
  4: 'NotOnLink',
  5: 'UseMulticast',
  6: 'NoPrefixAvail',
};
const NTP_SUBOPTION: Readonly<Record<number, string>> = { 1: 'Server Address', 2: 'Multicast Address', 3: 'Server FQDN' };

const HEADER_LENGTH = 4;
const RELAY_LENGTH = 34;
/** Relays a message may pass (RFC 8415 section 7.6: HOP_COUNT_LIMIT), with room for the options inside options. */
const DEEPEST = 32;
/** 2000-01-01 UTC, which DUIDs count from, in seconds since 1970. */
const YEAR_2000 = 946_684_800n;

/** Lifetimes and other times are seconds, unless the row says otherwise. */
const fields = {
  message: many(uint8('dhcpv6.msgtype', 'Message type', { values: MESSAGE })),
  hops: many(uint8('dhcpv6.hopcount', 'Hopcount')),
  link: many(ipv6('dhcpv6.linkaddr', 'Link address')),
  peer: many(ipv6('dhcpv6.peeraddr', 'Peer address')),
  transactionId: many(uint24('dhcpv6.xid', 'Transaction ID', { base: 'hex' })),
  options: many(uint16('dhcpv6.option.type', 'Option', { values: OPTION })),
  optionNames: many(string('dhcpv6.option.type_str', 'Option name', { quiet: true })),
  optionLengths: many(uint16('dhcpv6.option.length', 'Length')),
  malformed: many(expert('error', 'malformed', 'dhcpv6.malformed_option', 'Malformed option')),
  duid: many(bytes('dhcpv6.duid.bytes', 'DUID')),
  duidType: many(uint16('dhcpv6.duid.type', 'DUID Type', { values: DUID_TYPE })),
  duidTimedHardware: many(uint16('dhcpv6.duidllt.hwtype', 'Hardware type', { values: HARDWARE })),
  duidTime: many(time('dhcpv6.duidllt.time', 'DUID Time')),
  duidTimedLink: many(string('dhcpv6.duidllt.link_layer_addr', 'Link-layer address')),
  duidHardware: many(uint16('dhcpv6.duidll.hwtype', 'Hardware type', { values: HARDWARE })),
  duidLink: many(string('dhcpv6.duidll.link_layer_addr', 'Link-layer address')),
  duidEnterprise: many(uint32('dhcpv6.duiden.enterprise', 'Enterprise ID')),
  duidIdentifier: many(bytes('dhcpv6.duiden.identifier', 'Identifier')),
  duidUuid: many(bytes('dhcpv6.duiduuid.bytes', 'UUID')),
  association: many(string('dhcpv6.iaid', 'IAID')),
  associationRenew: many(uint32('dhcpv6.iaid.t1', 'T1')),
  associationRebind: many(uint32('dhcpv6.iaid.t2', 'T2')),
  temporary: many(string('dhcpv6.iata', 'IATA')),
  address: many(ipv6('dhcpv6.iaaddr.ip', 'IPv6 address')),
  addressPreferred: many(uint32('dhcpv6.iaaddr.pref_lifetime', 'Preferred lifetime')),
  addressValid: many(uint32('dhcpv6.iaaddr.valid_lifetime', 'Valid lifetime')),
  requested: many(uint16('dhcpv6.requested_option_code', 'Requested Option code', { values: OPTION })),
  preference: many(uint8('dhcpv6.option_preference', 'Pref-value')),
  /** Milliseconds; on the wire hundredths of a second. */
  elapsed: many(uint16('dhcpv6.elapsed_time', 'Elapsed time', { unit: 'ms' })),
  authProtocol: many(uint8('dhcpv6.auth.protocol', 'Protocol')),
  authAlgorithm: many(uint8('dhcpv6.auth.algorithm', 'Algorithm')),
  authMethod: many(uint8('dhcpv6.auth.rdm', 'RDM')),
  authReplay: many(bytes('dhcpv6.auth.replay_detection', 'Replay Detection')),
  authInformation: many(bytes('dhcpv6.auth.info', 'Authentication Information')),
  unicast: many(ipv6('dhcpv6.unicast', 'IPv6 address')),
  status: many(uint16('dhcpv6.status_code', 'Status Code', { values: STATUS })),
  statusText: many(string('dhcpv6.status_msg', 'Status Message')),
  userClassLength: many(uint16('dhcpv6.userclass.length', 'Length')),
  userClass: many(bytes('dhcpv6.userclass.opaque_data', 'User Class')),
  vendorClassEnterprise: many(uint32('dhcpv6.vendorclass.enterprise', 'Enterprise ID')),
  vendorClass: many(string('dhcpv6.vendorclass.data', 'vendor-class-data')),
  vendorEnterprise: many(uint32('dhcpv6.vendoropts.enterprise', 'Enterprise ID')),
  vendorCode: many(uint16('dhcpv6.vendoropts.enterprise.option_code', 'Option code')),
  vendorLength: many(uint16('dhcpv6.vendoropts.enterprise.option_length', 'Option length')),
  vendorData: many(bytes('dhcpv6.vendoropts.enterprise.option_data', 'Option data')),
  cableCode: many(uint16('dhcpv6.cablelabs.opt', 'Suboption')),
  cableServer: many(ipv6('dhcpv6.cablelabs.ipv6_server', 'IPv6 address')),
  cableConfiguration: many(uint16('dhcpv6.packetcable.ccc.suboption', 'CableLabs client configuration suboption')),
  interfaceId: many(bytes('dhcpv6.interface_id', 'Interface-ID')),
  reconfigure: many(uint8('dhcpv6.reconf_msg', 'Reconfigure Message Type', { values: MESSAGE })),
  sipNames: many(string('dhcpv6.sip_server_domain_search_fqdn', 'SIP Server Domain Search FQDN')),
  sipServers: many(ipv6('dhcpv6.sip_server_a', 'SIP server address')),
  dnsServers: many(ipv6('dhcpv6.dns_server', 'DNS server address')),
  searchList: many(string('dhcpv6.search_list_entry', 'List entry')),
  nisServers: many(ipv6('dhcpv6.nis_server', 'NIS server address')),
  nisPlusServers: many(ipv6('dhcpv6.nisp_server', 'NISP server address')),
  nisDomain: many(string('dhcpv6.nis_fqdn', 'nis-domain-name')),
  nisPlusDomain: many(string('dhcpv6.nisp_fqdn', 'nisp-domain-name')),
  sntpServers: many(ipv6('dhcpv6.sntp_server', 'SNTP server address')),
  refresh: many(uint32('dhcpv6.lifetime', 'Lifetime')),
  broadcastServers: many(ipv6('dhcpv6.bcmcs_server_a', 'BCMCS server address')),
  remoteEnterprise: many(uint32('dhcpv6.remoteid.enterprise', 'Enterprise ID')),
  remoteId: many(bytes('dhcpv6.remoteid_enterprise_id', 'Remote-ID')),
  subscriber: many(string('dhcpv6.subscriber_id', 'Subscriber-ID')),
  fqdnFlags: many(uint8('dhcpv6.client_fqdn_flags', 'Flags', { base: 'hex' })),
  fqdnNoUpdate: many(flag('dhcpv6.clientfqdn.client.n', 'N bit', undefined, 0x04)),
  fqdnServer: many(flag('dhcpv6.clientfqdn.client.s', 'S bit', undefined, 0x01)),
  fqdnReplyNoUpdate: many(flag('dhcpv6.clientfqdn.server.n', 'N bit', undefined, 0x04)),
  fqdnReplyOverrides: many(flag('dhcpv6.clientfqdn.server.o', 'O bit', undefined, 0x02)),
  fqdnReplyServer: many(flag('dhcpv6.clientfqdn.server.s', 'S bit', undefined, 0x01)),
  fqdn: many(string('dhcpv6.client_domain', 'Client FQDN')),
  panaAgents: many(ipv6('dhcpv6.pana_agent', 'PANA agents IPv6 address')),
  timeZone: many(string('dhcpv6.timezone', 'Time zone')),
  timeZoneName: many(string('dhcpv6.tzdb', 'TZDB entry')),
  lastTransaction: many(uint32('dhcpv6.clt_time', 'Clt_time')),
  linkAddresses: many(ipv6('dhcpv6.lq_client_link', 'LQ client link address')),
  capwapControllers: many(ipv6('dhcpv6.capwap_ac_v6', 'CAPWAP Access Controllers address')),
  ntpType: many(uint16('dhcpv6.ntpserver.option.type', 'Suboption', { values: NTP_SUBOPTION })),
  ntpLength: many(uint16('dhcpv6.ntpserver.option.length', 'Length')),
  ntpServers: many(ipv6('dhcpv6.ntpserver.addr', 'NTP Server Address')),
  ntpGroups: many(ipv6('dhcpv6.ntpserver.mc_addr', 'NTP Multicast Address')),
  ntpNames: many(string('dhcpv6.ntpserver.fqdn', 'NTP Server FQDN')),
  aftrName: many(string('dhcpv6.aftr_name', 'DS-Lite AFTR Name')),
  prefixPreferred: many(uint32('dhcpv6.iaprefix.pref_lifetime', 'Preferred lifetime')),
  prefixValid: many(uint32('dhcpv6.iaprefix.valid_lifetime', 'Valid lifetime')),
  prefixLength: many(uint8('dhcpv6.iaprefix.pref_len', 'Prefix length')),
  prefix: many(ipv6('dhcpv6.iaprefix.pref_addr', 'Prefix address')),
  excludedLength: many(uint8('dhcpv6.pd_exclude.pref_len', 'Prefix length')),
  excludedSubnet: many(bytes('dhcpv6.pd_exclude.subnet_id', 'IPv6 subnet ID')),
  captivePortal: many(string('dhcpv6.captive_portal', 'Captive Portal')),
  mudUrl: many(string('dhcpv6.mudurl', 'Manufacturer Usage Description URL')),
  relayPort: many(uint16('dhcpv6.relay_port', 'Downstream source port')),
};

/** Options whose value is one kind through and through. */
const SIMPLE: Readonly<Record<number, Field>> = {
  6: fields.requested,
  43: fields.requested,
  7: fields.preference,
  12: fields.unicast,
  18: fields.interfaceId,
  19: fields.reconfigure,
  22: fields.sipServers,
  23: fields.dnsServers,
  27: fields.nisServers,
  28: fields.nisPlusServers,
  31: fields.sntpServers,
  32: fields.refresh,
  34: fields.broadcastServers,
  38: fields.subscriber,
  40: fields.panaAgents,
  41: fields.timeZone,
  42: fields.timeZoneName,
  46: fields.lastTransaction,
  48: fields.linkAddresses,
  52: fields.capwapControllers,
  103: fields.captivePortal,
  112: fields.mudUrl,
  135: fields.relayPort,
};
/** Options that are domain names. */
const NAMES: Readonly<Record<number, Field>> = {
  21: fields.sipNames,
  24: fields.searchList,
  29: fields.nisDomain,
  30: fields.nisPlusDomain,
  64: fields.aftrName,
};
const CABLE_LABS = 4491;

/** CableLabs' options that hold addresses of servers: TFTP, syslog, time (CL-SP-CANN-DHCP-Reg). */
const CABLE_SERVERS: ReadonlySet<number> = new Set([32, 34, 37]);
/** Client configuration for IPv4 and IPv6, each a list of suboptions. */
const CABLE_CONFIGURATION: ReadonlySet<number> = new Set([2170, 2171]);

function walkCableLabs(tree: Tree, code: number, at: number, end: number): void {
  if (CABLE_SERVERS.has(code)) for (let i = at; i + 16 <= end; i += 16) tree.add(fields.cableServer, i);
  if (CABLE_CONFIGURATION.has(code)) for (let i = at; i + 4 <= end; i += 4 + u16(tree.bytes, i + 2)) tree.add(fields.cableConfiguration, i);
}

/** A DHCPv6 message. */
export class Dhcpv6 extends layer('dhcpv6', 'DHCPv6', fields, 'DHCPv6') {
  override walk(tree: Tree): void {
    this.walkMessage(tree, this.start, Math.min(this.end, this.captured), 0);
  }

  private walkMessage(tree: Tree, at: number, end: number, depth: number): void {
    if (at >= end) return;
    const type = tree.bytes[at]!;
    tree.add(fields.message, at);
    if (type === RELAY_FORWARD || type === RELAY_REPLY) {
      if (at + RELAY_LENGTH > end) return;
      tree.add(fields.hops, at + 1);
      tree.add(fields.link, at + 2);
      tree.add(fields.peer, at + 18);
      this.walkOptions(tree, type, at + RELAY_LENGTH, end, depth);
    } else if (at + HEADER_LENGTH <= end) {
      tree.add(fields.transactionId, at + 1);
      this.walkOptions(tree, type, at + HEADER_LENGTH, end, depth);
    }
  }

  /** Options of a message of `type`, each at least four octets long. */
  private walkOptions(tree: Tree, type: number, start: number, end: number, depth: number): void {
    for (let at = start; at + 4 <= end; ) {
      const code = u16(tree.bytes, at);
      const stop = at + 4 + u16(tree.bytes, at + 2);
      const name = OPTION[code] ?? `DHCP option ${code}`;
      tree.heading(name, at, Math.min(stop, end) - at);
      tree.add(fields.options, at);
      tree.put(fields.optionNames, name, at, 2);
      tree.add(fields.optionLengths, at + 2);
      if (stop > end) tree.put(fields.malformed, true);
      else this.walkOption(tree, type, code, at + 4, stop, depth + 1);
      tree.close();
      at = stop;
    }
  }

  private walkOption(tree: Tree, type: number, code: number, at: number, end: number, depth: number): void {
    const { bytes: b } = tree;
    const length = end - at;
    const simple = SIMPLE[code];
    if (simple) return walkSimple(tree, simple, at, end);
    const names = NAMES[code];
    if (names) return walkNames(tree, names, at, end);
    const isShort = (least: number): boolean => {
      if (length < least) tree.put(fields.malformed, true, at, length);
      return length < least;
    };
    switch (code) {
      case CLIENT_ID:
      case 2:
      case 53:
        if (!isShort(2)) walkDuid(tree, at, end);
        break;
      case IA_NA:
      case IA_PD:
        if (isShort(12)) break;
        tree.put(fields.association, hexOf(b, at, at + 4), at, 4);
        tree.add(fields.associationRenew, at + 4);
        tree.add(fields.associationRebind, at + 8);
        if (depth < DEEPEST) this.walkOptions(tree, type, at + 12, end, depth);
        break;
      case IA_TA:
        if (isShort(4)) break;
        tree.put(fields.temporary, hexOf(b, at, at + 4), at, 4);
        if (depth < DEEPEST) this.walkOptions(tree, type, at + 4, end, depth);
        break;
      case IA_ADDRESS:
        if (isShort(24)) break;
        tree.add(fields.address, at);
        tree.add(fields.addressPreferred, at + 16);
        tree.add(fields.addressValid, at + 20);
        if (depth < DEEPEST) this.walkOptions(tree, type, at + 24, end, depth);
        break;
      case IA_PREFIX:
        if (isShort(25)) break;
        tree.add(fields.prefixPreferred, at);
        tree.add(fields.prefixValid, at + 4);
        tree.add(fields.prefixLength, at + 8);
        tree.add(fields.prefix, at + 9);
        if (depth < DEEPEST) this.walkOptions(tree, type, at + 25, end, depth);
        break;
      case 44:
        // A query about an address or a client (RFC 5007 section 4.1.2.1).
        if (isShort(17)) break;
        if (depth < DEEPEST) this.walkOptions(tree, type, at + 17, end, depth);
        break;
      case 45:
      case 66:
      case 94:
      case 95:
      case 96:
        // Options alone: client data, those for a relay, and containers of RFC 7598.
        if (depth < DEEPEST) this.walkOptions(tree, type, at, end, depth);
        break;
      case RELAY_MESSAGE:
        if (depth < DEEPEST) this.walkMessage(tree, at, end, depth);
        break;
      case 8:
        if (!isShort(2)) tree.put(fields.elapsed, u16(b, at) * 10, at, 2);
        break;
      case 11:
        if (isShort(11)) break;
        tree.add(fields.authProtocol, at);
        tree.add(fields.authAlgorithm, at + 1);
        tree.add(fields.authMethod, at + 2);
        tree.add(fields.authReplay, at + 3, 8);
        if (length > 11) tree.add(fields.authInformation, at + 11, length - 11);
        break;
      case 13:
        if (isShort(2)) break;
        tree.add(fields.status, at);
        if (length > 2) tree.add(fields.statusText, at + 2, length - 2);
        break;
      case 15:
        for (let i = at; i + 2 <= end && i + 2 + u16(b, i) <= end; i += 2 + u16(b, i)) {
          tree.add(fields.userClassLength, i);
          tree.add(fields.userClass, i + 2, u16(b, i));
        }
        break;
      case 16:
        if (isShort(4)) break;
        tree.add(fields.vendorClassEnterprise, at);
        for (let i = at + 4; i + 2 <= end && i + 2 + u16(b, i) <= end; i += 2 + u16(b, i))
          if (u16(b, i) > 0) tree.put(fields.vendorClass, textUntilZero(b, i + 2, i + 2 + u16(b, i)), i + 2, u16(b, i));
        break;
      case 17: {
        if (isShort(4)) break;
        tree.add(fields.vendorEnterprise, at);
        const isCable = u32(b, at) === CABLE_LABS;
        for (let i = at + 4; i + 4 <= end && i + 4 + u16(b, i + 2) <= end; i += 4 + u16(b, i + 2)) {
          if (isCable) {
            tree.add(fields.cableCode, i);
            walkCableLabs(tree, u16(b, i), i + 4, i + 4 + u16(b, i + 2));
            continue;
          }
          tree.add(fields.vendorCode, i);
          tree.add(fields.vendorLength, i + 2);
          if (u16(b, i + 2) > 0) tree.add(fields.vendorData, i + 4, u16(b, i + 2));
        }
        break;
      }
      case 37:
        if (isShort(4)) break;
        tree.add(fields.remoteEnterprise, at);
        if (length > 4) tree.add(fields.remoteId, at + 4, length - 4);
        break;
      case 39: {
        if (isShort(1)) break;
        // Only answers say whether the server overrode what the client asked for (RFC 4704 section 4.1).
        const isAnswer = type === 2 || type === 7;
        tree.word(
          fields.fqdnFlags,
          at,
          isAnswer
            ? [fields.fqdnReplyNoUpdate, fields.fqdnReplyOverrides, fields.fqdnReplyServer]
            : [fields.fqdnNoUpdate, fields.fqdnServer],
        );
        walkNames(tree, fields.fqdn, at + 1, end);
        break;
      }
      case 56:
        for (let i = at; i + 4 <= end && i + 4 + u16(b, i + 2) <= end; i += 4 + u16(b, i + 2)) {
          const stop = i + 4 + u16(b, i + 2);
          tree.add(fields.ntpType, i);
          tree.add(fields.ntpLength, i + 2);
          if (u16(b, i) === 1) walkSimple(tree, fields.ntpServers, i + 4, stop);
          else if (u16(b, i) === 2) walkSimple(tree, fields.ntpGroups, i + 4, stop);
          else if (u16(b, i) === 3) walkNames(tree, fields.ntpNames, i + 4, stop);
        }
        break;
      case 67:
        if (isShort(2)) break;
        tree.add(fields.excludedLength, at);
        tree.add(fields.excludedSubnet, at + 1, length - 1);
        break;
    }
  }

  /** `Solicit XID: 0x28b040 CID: 0003000102…`, after `Relay-forw L: 2001:db8::1` for each relay. */
  override summary(out: TextBuffer): void {
    const { bytes: b } = this;
    let at = this.start;
    let end = Math.min(this.end, this.captured);
    for (let relays = 0; relays <= DEEPEST && at < end; relays++) {
      if (relays > 0) out.ascii(' ');
      const type = b[at]!;
      out.ascii(MESSAGE[type] ?? `Unknown message type ${type}`);
      if (type !== RELAY_FORWARD && type !== RELAY_REPLY) {
        if (at + HEADER_LENGTH <= end) this.writeMessage(out, at, end);
        return;
      }
      if (at + RELAY_LENGTH > end) return;
      out.ascii(' L: ');
      out.ascii(this.link?.[relays] ?? '');
      const relayed = findOption(b, at + RELAY_LENGTH, end, RELAY_MESSAGE);
      if (relayed === undefined) return;
      [at, end] = relayed;
    }
  }

  private writeMessage(out: TextBuffer, at: number, end: number): void {
    out.ascii(' XID: 0x');
    out.hex(u24(this.bytes, at + 1), 6);
    const client = findOption(this.bytes, at + HEADER_LENGTH, end, CLIENT_ID);
    if (client) {
      out.ascii(' CID: ');
      out.hexOctets(this.bytes, client[0], client[1]);
    }
    for (const address of this.address ?? []) {
      out.ascii(' IAA: ');
      out.ascii(address);
    }
  }
}

/** The value of the first option with `code` in `[start, end)`. */
function findOption(octets: Uint8Array, start: number, end: number, code: number): [start: number, end: number] | undefined {
  for (let at = start; at + 4 <= end; ) {
    const stop = at + 4 + u16(octets, at + 2);
    if (stop > end) return undefined;
    if (u16(octets, at) === code) return [at + 4, stop];
    at = stop;
  }
  return undefined;
}

/** The client's DUID in hex, also behind relays; undefined when it has none. */
export function clientIdOf({ bytes: b, start, end, captured }: Dhcpv6): string | undefined {
  let [at, stop] = [start, Math.min(end, captured)];
  for (let relays = 0; relays <= DEEPEST && at < stop; relays++) {
    const isRelayed = b[at] === RELAY_FORWARD || b[at] === RELAY_REPLY;
    const found = findOption(b, at + (isRelayed ? RELAY_LENGTH : HEADER_LENGTH), stop, isRelayed ? RELAY_MESSAGE : CLIENT_ID);
    if (found === undefined) return undefined;
    if (!isRelayed) return hexOf(b, found[0], found[1]);
    [at, stop] = found;
  }
  return undefined;
}

function textUntilZero(octets: Uint8Array, start: number, end: number): string {
  let stop = start;
  while (stop < end && octets[stop] !== 0) stop++;
  return textOf(octets, start, stop);
}

/** Values side by side; texts and octets take all there is. */
function walkSimple(tree: Tree, row: Field, at: number, end: number): void {
  const length = row.type === 'string' || row.type === 'bytes' ? end - at : (row.length as number);
  if (length === 0) return;
  for (let i = at; i + length <= end; i += length) tree.add(row, i, length);
}

/** Names with a dot at their end, or, where the root label is missing, a part of one without. */
function walkNames(tree: Tree, row: Field, start: number, end: number): void {
  for (let at = start; at < end; ) {
    const name = readLabels(tree.bytes, at, end);
    if (name !== undefined) {
      if (name.name !== '') tree.put(row, `${name.name}.`, at, name.next - at);
      at = name.next;
      continue;
    }
    const labels: string[] = [];
    let i = at;
    for (; i < end && i + 1 + tree.bytes[i]! <= end; i += 1 + tree.bytes[i]!)
      labels.push(textOf(tree.bytes, i + 1, i + 1 + tree.bytes[i]!));
    if (i === end) tree.put(row, labels.join('.'), at, end - at);
    else tree.put(fields.malformed, true);
    return;
  }
}

/** A hardware address, with colons where it is Ethernet's. */
const linkText = (b: Uint8Array, at: number, length: number): string =>
  length === 6 ? colonText(b, at, length) : hexOf(b, at, at + length);

/** A DHCP unique identifier (RFC 8415 section 11) of at least two octets. */
function walkDuid(tree: Tree, at: number, end: number): void {
  const { bytes: b } = tree;
  const length = end - at;
  tree.add(fields.duid, at, length);
  tree.add(fields.duidType, at);
  switch (u16(b, at)) {
    case 1:
      if (length < 8) break;
      tree.add(fields.duidTimedHardware, at + 2);
      tree.put(fields.duidTime, (BigInt(u32(b, at + 4)) + YEAR_2000) * 1_000_000_000n, at + 4, 4);
      if (length > 8) tree.put(fields.duidTimedLink, linkText(b, at + 8, length - 8), at + 8, length - 8);
      break;
    case 2:
      if (length < 6) break;
      tree.add(fields.duidEnterprise, at + 2);
      if (length > 6) tree.add(fields.duidIdentifier, at + 6, length - 6);
      break;
    case 3:
      if (length < 4) break;
      tree.add(fields.duidHardware, at + 2);
      if (length > 4) tree.put(fields.duidLink, linkText(b, at + 4, length - 4), at + 4, length - 4);
      break;
    case 4:
      if (length > 2) tree.add(fields.duidUuid, at + 2, length - 2);
      break;
  }
}

export const dissectDhcpv6: Dissect = (frame, start, end) => {
  const message = new Dhcpv6(frame, start, end);
  if (!frame.add(message, HEADER_LENGTH)) return;
  const type = message.bytes[start]!;
  if (type === RELAY_FORWARD || type === RELAY_REPLY) frame.require(message, RELAY_LENGTH);
};

export const dhcpv6: ProtocolEntry = {
  name: 'dhcpv6',
  layers: [Dhcpv6],
  dissect: dissectDhcpv6,
  on: [udpPorts.at([546, 547], dissectDhcpv6)],
};
