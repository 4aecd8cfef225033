/**
 * Dynamic Host Configuration Protocol, and the Bootstrap Protocol that it grew from: an address for this host, please.
 *
 * RFC 951 (BOOTP), RFC 2131 (DHCP), RFC 2132 (options), RFC 3396 (long options), RFC 3004 (user class), RFC 3046 (relay
 * agents), RFC 3361 (SIP), RFC 3397 (domain search), RFC 3442 (routes), RFC 3925 (vendors), RFC 4361 (client identifier),
 * RFC 4388 (lease query), RFC 4702 (FQDN), RFC 5859 (TFTP), RFC 6704 (nonce), RFC 8910 (captive portal).
 *
 *     0    1       2      3      4     8      10      12       16       20       24       28       44      108    236      240
 *     | op | htype | hlen | hops | xid | secs | flags | ciaddr | yiaddr | siaddr | giaddr | chaddr | sname | file | cookie | options …
 */
import { colonText } from '../core/addresses.js';
import {
  bits,
  bytes,
  computed,
  ether,
  type Field,
  flag,
  group,
  guid,
  ipv4,
  ipv6,
  many,
  string,
  uint8,
  uint16,
  uint32,
} from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { hexOf, textOf, u16, u32 } from '../core/octets.js';
import { type Dissect, type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import {
  CLASSLESS_ROUTES,
  CLIENT_ID,
  DOMAIN_SEARCH,
  END,
  FQDN,
  MESSAGE,
  MESSAGE_TYPE,
  OPTION,
  OVERLOAD,
  PAD,
  RELAY_AGENT,
  SIP_SERVERS,
  SIX_RD,
  simple,
  USER_CLASS,
  VENDOR_CLASSES,
  VENDOR_OPTIONS,
} from './dhcp-options.js';
import { readLabels } from './domain-labels.js';

const OPERATION: Readonly<Record<number, string>> = { 1: 'Boot Request', 2: 'Boot Reply' };
const HARDWARE: Readonly<Record<number, string>> = { 1: 'Ethernet', 6: 'IEEE 802', 24: 'IEEE 1394', 32: 'InfiniBand' };
const DUID_TYPE: Readonly<Record<number, string>> = {
  1: 'link-layer address plus time',
  2: 'assigned by vendor based on Enterprise number',
  3: 'link-layer address',
  4: 'Universally Unique Identifier (UUID)',
};

const HEADER_LENGTH = 236;
const CHADDR = 28;
const CHADDR_LENGTH = 16;
const SNAME = 44;
const FILE = 108;
const COOKIE = 0x63825363;
const OPTIONS = 240;
const ETHERNET = 1;

const hardwareLength = (l: Layer): number => Math.min(l.bytes[l.start + 2]!, CHADDR_LENGTH);
const hasMac = (l: Layer): boolean => l.bytes[l.start + 1] === ETHERNET && l.bytes[l.start + 2] === 6;
const hasOtherAddress = (l: Layer): boolean => !hasMac(l) && l.bytes[l.start + 2]! > 0;
const hasCookie = (l: Layer): boolean =>
  l.start + OPTIONS <= Math.min(l.end, l.captured) && u32(l.bytes, l.start + HEADER_LENGTH) === COOKIE;

/** RFC 3046 section 3.1 and its successors. */
/** Preboot Execution Environment, section 2.2.3. */
const PXE: Readonly<Record<number, string>> = {
  1: 'MTFTP IP address',
  2: 'MTFTP client port',
  3: 'MTFTP server port',
  4: 'MTFTP timeout',
  5: 'MTFTP delay',
  6: 'Discovery control',
  7: 'Discovery multicast address',
  8: 'Boot servers',
  9: 'Boot menu',
  10: 'Menu prompt',
  11: 'Multicast addresses allocation',
  12: 'Credential types',
  71: 'Boot item',
  255: 'End',
};
/** Enterprise numbers. */
const BROADBAND_FORUM = 3561;
const CABLE_LABS = 4491;
const AGENT: Readonly<Record<number, string>> = {
  1: 'Agent Circuit ID',
  2: 'Agent Remote ID',
  4: 'DOCSIS Device Class',
  5: 'Link selection',
  6: 'Subscriber ID',
  7: 'RADIUS Attributes',
  8: 'Authentication',
  9: 'Vendor-Specific Information',
  10: 'Flags',
  11: 'Server ID Override',
  12: 'Relay agent identifier',
  19: 'Relay source port',
  151: 'VSS',
  152: 'VSS control',
};

/** What the rows read of a message beyond its octets. */
interface Message extends Layer {
  readonly message: number | undefined;
  fixedText(at: number, length: number, overload: number): string | undefined;
}

const fields = {
  isBootp: computed<'bool', Message>('bool', 'dhcp.bootp', 'BOOTP', (l) =>
    l.start + HEADER_LENGTH <= l.captured && l.message === undefined ? true : undefined,
  ),
  operation: uint8('dhcp.type', 'Message type', 0, { values: OPERATION }),
  hardwareType: uint8('dhcp.hw.type', 'Hardware type', 1, { base: 'hex', values: HARDWARE }),
  hardwareLength: uint8('dhcp.hw.len', 'Hardware address length', 2),
  hops: uint8('dhcp.hops', 'Hops', 3),
  transactionId: uint32('dhcp.id', 'Transaction ID', 4, { base: 'hex' }),
  /** Seconds. */
  seconds: uint16('dhcp.secs', 'Seconds elapsed', 8),
  ...group(
    { flags: uint16('dhcp.flags', 'Bootp flags', 10, { base: 'hex' }) },
    {
      broadcasts: flag('dhcp.flags.bc', 'Broadcast flag', 10, 0x8000, 16, { flags: ['Broadcast', 'Unicast'] }),
      reservedFlags: bits('dhcp.flags.reserved', 'Reserved flags', 10, 16, 0x7fff, { base: 'hex' }),
    },
  ),
  clientAddress: ipv4('dhcp.ip.client', 'Client IP address', 12),
  yourAddress: ipv4('dhcp.ip.your', 'Your (client) IP address', 16),
  serverAddress: ipv4('dhcp.ip.server', 'Next server IP address', 20),
  relayAddress: ipv4('dhcp.ip.relay', 'Relay agent IP address', 24),
  clientHardware: bytes('dhcp.hw.addr', 'Client hardware address', CHADDR, hardwareLength, { when: hasOtherAddress }),
  clientMac: ether('dhcp.hw.mac_addr', 'Client MAC address', CHADDR, { when: hasMac }),
  hardwarePadding: bytes(
    'dhcp.hw.addr_padding',
    'Client hardware address padding',
    (l) => CHADDR + hardwareLength(l),
    (l) => CHADDR_LENGTH - hardwareLength(l),
    { when: (l) => hardwareLength(l) < CHADDR_LENGTH },
  ),
  serverName: computed<'string', Message>('string', 'dhcp.server', 'Server host name', (l) => l.fixedText(SNAME, FILE - SNAME, 2)),
  bootFile: computed<'string', Message>('string', 'dhcp.file', 'Boot file name', (l) => l.fixedText(FILE, HEADER_LENGTH - FILE, 1)),
  cookie: ipv4('dhcp.cookie', 'Magic cookie', HEADER_LENGTH, { when: hasCookie }),
  optionTypes: many(uint8('dhcp.option.type', 'Option', { values: (type) => OPTION[type]?.[0] })),
  optionLengths: many(uint8('dhcp.option.length', 'Length')),
  optionValues: many(bytes('dhcp.option.value', 'Value', { quiet: true })),
  ...simple,
  policyAddress: many(ipv4('dhcp.option.policy_filter.ip', 'IP Address')),
  policyMask: many(ipv4('dhcp.option.policy_filter.subnet_mask', 'Subnet Mask')),
  staticRoute: many(ipv4('dhcp.option.static_route.ip', 'Static Route')),
  staticRouter: many(ipv4('dhcp.option.static_route.router', 'Router')),
  identifierHardware: uint8('dhcp.hw.type', 'Hardware type', { base: 'hex', values: HARDWARE, quiet: true }),
  identifierMac: ether('dhcp.hw.mac_addr', 'Client MAC address', { quiet: true }),
  identifier: bytes('dhcp.client_id', 'Client Identifier'),
  identifierType: uint8('dhcp.client_id.type', 'Type'),
  identifierText: string('dhcp.client_id.undef', 'Client Identifier (Undefined)'),
  identifierUuid: guid('dhcp.client_id.uuid', 'Client Identifier (UUID)'),
  association: string('dhcp.client_id.iaid', 'IAID'),
  duidType: uint16('dhcp.client_id.duid_type', 'DUID Type', { values: DUID_TYPE }),
  duidTimedHardware: uint16('dhcp.client_id.duid_llt_hw_type', 'Hardware type', { values: HARDWARE }),
  /** Seconds since 2000-01-01 UTC. */
  duidTime: uint32('dhcp.client_id.time', 'Time'),
  duidHardware: uint16('dhcp.client_id.duid_ll_hw_type', 'Hardware type', { values: HARDWARE }),
  duidLink: string('dhcp.client_id.link_layer_address', 'Link layer address'),
  duidEnterprise: uint32('dhcp.client_id.enterprise_num', 'Enterprise-number'),
  userClasses: many(uint8('dhcp.option.user_class', 'Instance of User Class')),
  userClassLengths: many(uint8('dhcp.option.user_class.length', 'User Class Length')),
  userClassData: many(bytes('dhcp.option.user_class.data', 'User Class Data')),
  userClassText: string('dhcp.option.user_class.text', 'User Class'),
  ...group(
    { fqdnFlags: uint8('dhcp.fqdn.flags', 'Flags', { base: 'hex' }) },
    {
      fqdnReserved: bits('dhcp.fqdn.mbz', 'Reserved flags', undefined, 8, 0xf0, { base: 'hex' }),
      fqdnNoUpdate: flag('dhcp.fqdn.n', 'Server DDNS', undefined, 0x08),
      fqdnEncoded: flag('dhcp.fqdn.e', 'Encoding', undefined, 0x04),
      fqdnOverridden: flag('dhcp.fqdn.o', 'Server overrides', undefined, 0x02),
      fqdnServer: flag('dhcp.fqdn.s', 'Server', undefined, 0x01),
    },
  ),
  fqdnResultA: uint8('dhcp.fqdn.rcode1', 'A-RR result'),
  fqdnResultPtr: uint8('dhcp.fqdn.rcode2', 'PTR-RR result'),
  fqdnName: string('dhcp.fqdn.name', 'Client name'),
  agentOptions: many(uint8('dhcp.option.agent_information_option.suboption', 'Option 82 Suboption', { values: AGENT })),
  suboptionLengths: many(uint8('dhcp.option.suboption_length', 'Length')),
  agentValues: many(bytes('dhcp.option.agent_information_option.value', 'Value')),
  pxeOptions: many(uint8('dhcp.option.vendor.pxeclient.suboption', 'Option 43 Suboption', { values: PXE })),
  vendorSpecific: many(bytes('dhcp.option.vendor.value', 'Value')),
  searchList: many(string('dhcp.option.dhcp_dns_domain_search_list_fqdn', 'FQDN')),
  sipEncoding: uint8('dhcp.option.sip_server.encoding', 'SIP Server Encoding', {
    values: { 0: 'Fully Qualified Domain Name', 1: 'IPv4 Address' },
  }),
  sipNames: many(string('dhcp.option.sip_server.name', 'SIP Server Name')),
  sipAddresses: many(ipv4('dhcp.option.sip_server.address', 'SIP Server Address')),
  classlessRoutes: many(bytes('dhcp.option.classless_static_route', 'Classless Static Route')),
  classEnterprise: many(uint32('dhcp.option.vi_class.enterprise', 'Enterprise')),
  classLengths: many(uint8('dhcp.option.vi_class.length', 'Option data length')),
  classData: many(string('dhcp.option.vi_class.data', 'Vendor Class data')),
  vendorEnterprise: many(uint32('dhcp.option.vi.enterprise', 'Enterprise')),
  vendorLengths: many(uint8('dhcp.option.vi.length', 'Option data length')),
  broadbandOptions: many(uint8('dhcp.option.vi.tr111.suboption', 'Option 125 Suboption')),
  cableOptions: many(uint8('dhcp.option.vi.cl.suboption', 'Option 125 Suboption')),
  vendorValues: many(bytes('dhcp.option.vi.value', 'Value')),
  sixRdMask: uint8('dhcp.option.6RD.ipv4_mask_len', '6RD IPv4 Mask Length'),
  sixRdLength: uint8('dhcp.option.6RD.prefix_len', '6RD Prefix Length'),
  sixRdPrefix: ipv6('dhcp.option.6RD.prefix', '6RD Prefix'),
  sixRdRelays: many(ipv4('dhcp.option.6RD.border_relay_ip', 'Border Relay IPv4')),
  networkMajor: uint8('dhcp.client_network_id_major', 'Major Version'),
  networkMinor: uint8('dhcp.client_network_id_minor', 'Minor Version'),
  arubaController: string('dhcp.option.vendor.arubaap.controllerip', 'Aruba Controller IP'),
  padding: many(bytes('dhcp.option.padding', 'Padding')),
  optionEnd: many(uint8('dhcp.option.end', 'Option End')),
};

const FQDN_FLAGS = [fields.fqdnReserved, fields.fqdnNoUpdate, fields.fqdnEncoded, fields.fqdnOverridden, fields.fqdnServer];

/** An option where it stands: its value is `[at, end)`. */
interface Place {
  readonly type: number;
  readonly at: number;
  readonly end: number;
}

/** Options from `start`, one by one, up to End or `end`; each is at least one octet long. Stops before one that does not fit. */
function* optionsOf(octets: Uint8Array, start: number, end: number): Generator<Place> {
  for (let at = start; at < end; ) {
    const type = octets[at]!;
    if (type === PAD) {
      let stop = at + 1;
      while (stop < end && octets[stop] === PAD) stop++;
      yield { type, at, end: stop };
      at = stop;
      continue;
    }
    if (type === END) return yield { type, at: at + 1, end: at + 1 };
    if (at + 2 > end || at + 2 + octets[at + 1]! > end) return;
    const stop = at + 2 + octets[at + 1]!;
    yield { type, at: at + 2, end: stop };
    at = stop;
  }
}

/** A DHCP or BOOTP message. */
export class Dhcp extends layer('dhcp', 'Dynamic Host Configuration Protocol', fields) {
  /** Where the octets end that are both the message's and captured. */
  private get stop(): number {
    return Math.min(this.end, this.captured);
  }

  /** The value of an option with at least one octet: the first that there is. */
  private find(type: number): Place | undefined {
    if (!hasCookie(this)) return undefined;
    for (const option of optionsOf(this.bytes, this.start + OPTIONS, this.stop))
      if (option.type === type && option.end > option.at) return option;
    return undefined;
  }

  override get shortName(): string {
    return this.find(MESSAGE_TYPE) ? 'DHCP' : 'BOOTP';
  }

  /** A text of fixed length that ends with its first zero; undefined when it is empty or holds options instead. */
  fixedText(at: number, length: number, overload: number): string | undefined {
    const start = this.start + at;
    if (start + length > this.captured || this.bytes[start] === 0) return undefined;
    const option = this.find(OVERLOAD);
    if (option && this.bytes[option.at]! & overload) return undefined;
    return textUntilZero(this.bytes, start, start + length);
  }

  override walk(tree: Tree): void {
    if (!hasCookie(this)) return;
    this.walkOptions(tree, this.start + OPTIONS, this.stop, true);
    const overload = this.find(OVERLOAD);
    const held = overload ? this.bytes[overload.at]! : 0;
    if (held & 1) this.walkOptions(tree, this.start + FILE, this.start + HEADER_LENGTH, false);
    if (held & 2) this.walkOptions(tree, this.start + SNAME, this.start + FILE, false);
  }

  private walkOptions(tree: Tree, start: number, end: number, isMain: boolean): void {
    const places = [...optionsOf(this.bytes, start, end)];
    const last = new Map<number, Place>();
    for (const place of places) last.set(place.type, place);
    for (const place of places) {
      const { type, at, end: stop } = place;
      if (type === PAD) {
        tree.add(fields.padding, at, stop - at);
        continue;
      }
      const head = type === END ? at - 1 : at - 2;
      tree.heading(`Option: (${type}) ${OPTION[type]?.[0] ?? 'Unknown'}`, head, stop - head);
      // Wireshark gives 0 for the type of End, and 255 in dhcp.option.end; filters and scripts count on both.
      if (type === END) {
        tree.put(fields.optionTypes, 0, head, 1);
        tree.add(fields.optionEnd, head);
      } else {
        tree.add(fields.optionTypes, head);
        tree.add(fields.optionLengths, head + 1);
        if (stop > at || this.bytes[head + 1] === 0) tree.add(fields.optionValues, at, stop - at);
        const parts = LONG.has(type) ? places.filter((other) => other.type === type) : [place];
        if (parts.length === 1) this.walkValue(tree, type, at, stop);
        else if (last.get(type) === place) this.walkJoined(tree, type, parts);
      }
      tree.close();
    }
    const tail = places[places.length - 1];
    if (isMain && tail?.type === END && tail.end < end) tree.add(fields.padding, tail.end, end - tail.end);
  }

  /** A value in several options of one type (RFC 3396): it is what their octets are in a row. */
  private walkJoined(tree: Tree, type: number, parts: readonly Place[]): void {
    const joined = new Uint8Array(parts.reduce((length, part) => length + part.end - part.at, 0));
    let to = 0;
    for (const part of parts) {
      joined.set(this.bytes.subarray(part.at, part.end), to);
      to += part.end - part.at;
    }
    const { bytes: octets, limit } = tree;
    tree.bytes = joined;
    tree.limit = joined.length;
    this.walkValue(tree, type, 0, joined.length);
    tree.bytes = octets;
    tree.limit = limit;
  }

  private walkValue(tree: Tree, type: number, at: number, end: number): void {
    const b = tree.bytes;
    const row = OPTION[type]?.[1];
    if (row) return walkSimple(tree, row, at, end);
    switch (type) {
      case 21:
      case 33:
        for (let i = at; i + 8 <= end; i += 8) {
          tree.add(type === 21 ? fields.policyAddress : fields.staticRoute, i);
          tree.add(type === 21 ? fields.policyMask : fields.staticRouter, i + 4);
        }
        break;
      case 43:
        if (this.vendorClass === 'ArubaAP') tree.put(fields.arubaController, textUntilZero(b, at, end), at, end - at);
        else if (this.vendorClass?.startsWith('PXEClient')) walkSuboptions(tree, at, end, fields.pxeOptions, fields.vendorSpecific);
        else tree.add(fields.vendorSpecific, at, end - at);
        break;
      case CLIENT_ID:
        walkIdentifier(tree, at, end);
        break;
      case USER_CLASS:
        walkUserClass(tree, at, end);
        break;
      case FQDN:
        if (at + 3 > end) break;
        tree.word(fields.fqdnFlags, at, FQDN_FLAGS);
        tree.add(fields.fqdnResultA, at + 1);
        tree.add(fields.fqdnResultPtr, at + 2);
        if (b[at]! & 0x04 && end > at + 3) {
          // A partial name has no root label at its end (RFC 4702 section 2.3.1).
          const name = readLabels(b, at + 3, end) ?? readLabels(Uint8Array.of(...b.subarray(at + 3, end), 0), 0, end - at - 2);
          if (name) tree.put(fields.fqdnName, name.name || '<Root>', at + 3, end - at - 3);
        } else if (end > at + 3) tree.put(fields.fqdnName, textUntilZero(b, at + 3, end), at + 3, end - at - 3);
        break;
      case RELAY_AGENT:
        walkSuboptions(tree, at, end, fields.agentOptions, fields.agentValues);
        break;
      case 94:
        if (at + 3 > end) break;
        tree.add(fields.networkMajor, at + 1);
        tree.add(fields.networkMinor, at + 2);
        break;
      case 97:
        if (end - at === 17) tree.add(fields.identifierUuid, at + 1);
        break;
      case DOMAIN_SEARCH:
        walkNames(tree, fields.searchList, at, end);
        break;
      case SIP_SERVERS:
        if (at >= end) break;
        tree.add(fields.sipEncoding, at);
        if (b[at] === 1) walkSimple(tree, fields.sipAddresses, at + 1, end);
        else walkNames(tree, fields.sipNames, at + 1, end);
        break;
      case CLASSLESS_ROUTES:
      case 249:
        walkRoutes(tree, at, end);
        break;
      case VENDOR_CLASSES:
      case VENDOR_OPTIONS: {
        const isClass = type === VENDOR_CLASSES;
        for (let i = at; i + 5 <= end && i + 5 + b[i + 4]! <= end; i += 5 + b[i + 4]!) {
          tree.add(isClass ? fields.classEnterprise : fields.vendorEnterprise, i);
          tree.add(isClass ? fields.classLengths : fields.vendorLengths, i + 4);
          if (isClass) {
            if (b[i + 4]! > 0) tree.add(fields.classData, i + 5, b[i + 4]!);
            continue;
          }
          const code = u32(b, i) === BROADBAND_FORUM ? fields.broadbandOptions : u32(b, i) === CABLE_LABS ? fields.cableOptions : undefined;
          walkSuboptions(tree, i + 5, i + 5 + b[i + 4]!, code, fields.vendorValues);
        }
        break;
      }
      case SIX_RD:
        if (at + 18 > end) break;
        tree.add(fields.sixRdMask, at);
        tree.add(fields.sixRdLength, at + 1);
        tree.add(fields.sixRdPrefix, at + 2);
        walkSimple(tree, fields.sixRdRelays, at + 18, end);
        break;
    }
  }

  /** `DHCP Discover - Transaction ID 0x3d1d`. */
  override summary(out: TextBuffer): void {
    const { bytes: b, start } = this;
    if (start + HEADER_LENGTH > this.captured) return out.ascii('DHCP');
    const option = this.find(MESSAGE_TYPE);
    if (option) {
      const from = out.length;
      out.ascii('DHCP ');
      out.ascii(MESSAGE[b[option.at]!] ?? `type ${b[option.at]}`);
      out.pad(from, 13);
      out.ascii(' - Transaction ID 0x');
      out.hex(u32(b, start + 4), 1);
      return;
    }
    out.ascii(OPERATION[b[start]!] ?? `Unknown BOOTP message type (${b[start]})`);
    if (b[start] !== 1) return;
    out.ascii(' from ');
    out.ether(b, start + CHADDR, hardwareLength(this));
  }
}

/** Options that may be longer than 255 octets, and so come in parts. */
const LONG: ReadonlySet<number> = new Set([DOMAIN_SEARCH, SIP_SERVERS, CLASSLESS_ROUTES, VENDOR_CLASSES, VENDOR_OPTIONS]);

/** Text up to its first zero, if it has one. */
function textUntilZero(octets: Uint8Array, start: number, end: number): string {
  let stop = start;
  while (stop < end && octets[stop] !== 0) stop++;
  return textOf(octets, start, stop);
}

/** Suboptions of a type and a length each, so of two octets at least; what one that is cut off claims is told. */
function walkSuboptions(tree: Tree, start: number, end: number, type: Field | undefined, value: Field): void {
  const { bytes: b } = tree;
  for (let at = start; at + 2 <= end; at += 2 + b[at + 1]!) {
    if (type) tree.add(type, at);
    tree.add(fields.suboptionLengths, at + 1);
    if (at + 2 + b[at + 1]! > end) return;
    tree.add(value, at + 2, b[at + 1]!);
  }
}

/**
 * A value of the length that its kind has (RFC 2132 states it option by option), or values side by side, of which one
 * that is cut off is left out.
 */
function walkSimple(tree: Tree, row: Field, at: number, end: number): void {
  if (row.type === 'string') {
    if (end > at) tree.put(row, textUntilZero(tree.bytes, at, end), at, end - at);
    return;
  }
  const length = row.length as number;
  if (!row.many) {
    if (end - at === length) tree.add(row, at);
    return;
  }
  for (let i = at; i + length <= end; i += length) tree.add(row, i);
}

/** Domain names whose pointers count from the option's first octet (RFC 3397). */
function walkNames(tree: Tree, row: Field, start: number, end: number): void {
  for (let at = start; at < end; ) {
    const name = readLabels(tree.bytes, at, end, start);
    if (name === undefined) return;
    tree.put(row, name.name, at, name.next - at);
    at = name.next;
  }
}

/** Who the client is: a hardware address, a DUID with the interface's number (RFC 4361), or what the client likes. */
function walkIdentifier(tree: Tree, at: number, end: number): void {
  const { bytes: b } = tree;
  const length = end - at;
  if (length === 0) return;
  if (length === 7 && b[at]! > 0 && b[at]! < 48) {
    tree.add(fields.identifierHardware, at);
    tree.add(b[at] === ETHERNET || b[at] === 6 ? fields.identifierMac : fields.identifier, at + 1, 6);
  } else if (length === 17 && b[at] === 0) tree.add(fields.identifierUuid, at + 1);
  else if (b[at] === 255 && length >= 7) {
    tree.put(fields.association, hexOf(b, at + 1, at + 5), at + 1, 4);
    tree.add(fields.duidType, at + 5);
    const kind = u16(b, at + 5);
    if (kind === 1 && length > 13) {
      tree.add(fields.duidTimedHardware, at + 7);
      tree.add(fields.duidTime, at + 9);
      tree.put(fields.duidLink, colonText(b, at + 13, end - at - 13), at + 13, end - at - 13);
    } else if (kind === 2 && length >= 11) {
      tree.add(fields.duidEnterprise, at + 7);
      if (length > 11) tree.add(fields.identifier, at + 11, length - 11);
    } else if (kind === 3 && length > 9) {
      tree.add(fields.duidHardware, at + 7);
      tree.put(fields.duidLink, colonText(b, at + 9, length - 9), at + 9, length - 9);
    } else if (kind === 4 && length === 23) tree.add(fields.identifierUuid, at + 7);
  } else if (b[at] === 0 && length > 1) {
    tree.add(fields.identifierType, at);
    tree.put(fields.identifierText, textUntilZero(b, at + 1, end), at + 1, length - 1);
  } else tree.add(fields.identifier, at, length);
}

/** Classes with a length before each (RFC 3004), or, as many clients have it, one text. */
function walkUserClass(tree: Tree, at: number, end: number): void {
  const { bytes: b } = tree;
  let next = at;
  while (next < end && b[next]! > 0) next += 1 + b[next]!;
  if (next !== end) {
    if (end > at) tree.put(fields.userClassText, textOf(b, at, end), at, end - at);
    return;
  }
  let index = 0;
  for (let i = at; i < end; i += 1 + b[i]!) {
    tree.openPut(fields.userClasses, index++, i, 1 + b[i]!);
    tree.add(fields.userClassLengths, i);
    tree.add(fields.userClassData, i + 1, b[i]!);
    tree.close();
  }
}

/** Routes: bits of the prefix, as many of its octets as they need, the router (RFC 3442). */
function walkRoutes(tree: Tree, start: number, end: number): void {
  const { bytes: b } = tree;
  for (let at = start; at < end; ) {
    const octets = Math.ceil(b[at]! / 8);
    const next = at + 1 + octets + 4;
    if (octets > 4 || next > end) return;
    tree.put(fields.classlessRoutes, b.subarray(at, next), at, next - at);
    at = next;
  }
}

export const dissectDhcp: Dissect = (frame, start, end) => {
  frame.add(new Dhcp(frame, start, end), HEADER_LENGTH);
};

export const dhcp: ProtocolEntry = {
  name: 'dhcp',
  layers: [Dhcp],
  dissect: dissectDhcp,
  on: [udpPorts.at([67, 68], dissectDhcp)],
};
