/**
 * Internet Control Message Protocol for IPv6: errors, echo, and what makes a link work: neighbours, routers, groups.
 *
 * RFC 4443 (base), RFC 4861 (neighbour discovery), RFC 2710 and 3810 (multicast listeners, in mld.ts), RFC 2894 (router
 * renumbering), RFC 3122 (inverse discovery), RFC 3971 (SEND), RFC 4286 (multicast routers), RFC 4380 (Teredo's nonce),
 * RFC 4620 (node information), RFC 4884 (extensions), RFC 5568 (fast handover), RFC 6275 (mobility), RFC 6550 (RPL, in
 * rpl.ts), RFC 6743 (locators), RFC 6775 (6LoWPAN), RFC 7731 (MPL), RFC 8335 (extended echo).
 *
 *     0      1      2          4
 *     | type | code | checksum | body …
 */
import { bits, bytes, eui64, expert, type Field, flag, group, ipv6, many, uint8, uint16, uint32, uint64 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { type Dissect, ipProtocols, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import {
  checksumRows,
  dissectQuoted,
  type EchoRequest,
  EXTENDED_REPLY_CODE,
  FIXED_LENGTH,
  HEADER_LENGTH,
  NEIGHBOR_STATE,
  responseRows,
  writeAnswered,
  writeHops,
} from './icmp-common.js';
import { extensionRows, walkExtensions } from './icmp-extensions.js';
import { listenerRows, walkListener, walkReport } from './mld.js';
import {
  findLinkAddress,
  findRedirected,
  optionList,
  PREFERENCE,
  REGISTRATION,
  SOURCE_LINK_ADDRESS,
  TARGET_LINK_ADDRESS,
  walkOptions,
} from './nd-options.js';
import { nodeRows, walkNode } from './node-information.js';
import { pseudoHeaderSum } from './pseudo-header.js';
import { renumberingRows, walkRenumbering } from './router-renumbering.js';
import { RPL_MESSAGE, rplRows, walkRpl } from './rpl.js';

const UNREACHABLE = 1;
const TOO_BIG = 2;
const TIME_EXCEEDED = 3;
const PARAMETER_PROBLEM = 4;
const ECHO_REQUEST = 128;
const ECHO_REPLY = 129;
const LISTENER_QUERY = 130;
const LISTENER_DONE = 132;
const ROUTER_SOLICITATION = 133;
const ROUTER_ADVERTISEMENT = 134;
const NEIGHBOR_SOLICITATION = 135;
const NEIGHBOR_ADVERTISEMENT = 136;
const REDIRECT = 137;
const ROUTER_RENUMBERING = 138;
const NODE_QUERY = 139;
const NODE_REPLY = 140;
const INVERSE_SOLICITATION = 141;
const INVERSE_ADVERTISEMENT = 142;
const LISTENER_REPORT_2 = 143;
const AGENT_REQUEST = 144;
const AGENT_REPLY = 145;
const PREFIX_SOLICITATION = 146;
const PREFIX_ADVERTISEMENT = 147;
const PATH_SOLICITATION = 148;
const PATH_ADVERTISEMENT = 149;
const MULTICAST_ROUTER_ADVERTISEMENT = 151;
const MULTICAST_ROUTER_TERMINATION = 153;
const FAST_HANDOVER = 154;
const RPL = 155;
const LOCATOR_UPDATE = 156;
const DUPLICATE_REQUEST = 157;
const DUPLICATE_CONFIRMATION = 158;
const MPL = 159;
const EXTENDED_REQUEST = 160;
const EXTENDED_REPLY = 161;

/** IANA, "ICMPv6 type Numbers". */
const TYPE: Readonly<Record<number, string>> = {
  1: 'Destination Unreachable',
  2: 'Packet Too Big',
  3: 'Time Exceeded',
  4: 'Parameter Problem',
  100: 'Private experimentation',
  101: 'Private experimentation',
  127: 'Reserved for expansion of ICMPv6 error messages',
  128: 'Echo (ping) request',
  129: 'Echo (ping) reply',
  130: 'Multicast Listener Query',
  131: 'Multicast Listener Report',
  132: 'Multicast Listener Done',
  133: 'Router Solicitation',
  134: 'Router Advertisement',
  135: 'Neighbor Solicitation',
  136: 'Neighbor Advertisement',
  137: 'Redirect',
  138: 'Router Renumbering',
  139: 'Node Information Query',
  140: 'Node Information Reply',
  141: 'Inverse Neighbor Discovery Solicitation',
  142: 'Inverse Neighbor Discovery Advertisement',
  143: 'Multicast Listener Report Message v2',
  144: 'Home Agent Address Discovery Request',
  145: 'Home Agent Address Discovery Reply',
  146: 'Mobile Prefix Solicitation',
  147: 'Mobile Prefix Advertisement',
  148: 'Certification Path Solicitation',
  149: 'Certification Path Advertisement',
  150: 'Experimental Mobility',
  151: 'Multicast Router Advertisement',
  152: 'Multicast Router Solicitation',
  153: 'Multicast Router Termination',
  154: 'FMIPv6',
  155: 'RPL Control',
  156: 'Locator Update',
  157: 'Duplicate Address Request',
  158: 'Duplicate Address Confirmation',
  159: 'MPL Control Message',
  160: 'Extended Echo request',
  161: 'Extended Echo reply',
  200: 'Private experimentation',
  201: 'Private experimentation',
  255: 'Reserved for expansion of ICMPv6 informational messages',
};
const CODE: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  [UNREACHABLE]: {
    0: 'no route to destination',
    1: 'Administratively prohibited',
    2: 'Beyond scope of source address',
    3: 'Address unreachable',
    4: 'Port unreachable',
    5: 'Source address failed ingress/egress policy',
    6: 'Reject route to destination',
    7: 'Error in Source Routing Header',
    8: 'Headers too long',
  },
  [TIME_EXCEEDED]: { 0: 'hop limit exceeded in transit', 1: 'fragment reassembly time exceeded' },
  [PARAMETER_PROBLEM]: {
    0: 'erroneous header field encountered',
    1: 'unrecognized Next Header type encountered',
    2: 'unrecognized IPv6 option encountered',
    3: 'IPv6 First Fragment has incomplete IPv6 Header Chain',
    4: 'SR Upper-layer Header Error',
  },
  [ROUTER_RENUMBERING]: { 0: 'Command', 1: 'Result', 255: 'Sequence Number Reset' },
  [NODE_QUERY]: {
    0: 'Query subject = IPv6 addresses',
    1: 'Query subject = DNS name or empty',
    2: 'Query subject = IPv4 addresses',
  },
  [NODE_REPLY]: { 0: 'Successful', 1: 'Node refuses to answer', 2: 'Unknown query type' },
  [RPL]: RPL_MESSAGE,
  [EXTENDED_REQUEST]: { 0: 'No error' },
  [EXTENDED_REPLY]: EXTENDED_REPLY_CODE,
};
/** RFC 5568 section 6.1. */
const HANDOVER: Readonly<Record<number, string>> = {
  2: 'Router Solicitation for Proxy Advertisement',
  3: 'Proxy Router Advertisement',
  4: 'Handover Initiate',
  5: 'Handover Acknowledge',
};
const ICMPV6 = 58;
const IPV6 = 0x86dd;
const TEREDO_PORT = 3544;

/** Octets of each type up to its options or what else varies; 8 for the others. */
const LEAST: Readonly<Record<number, number>> = {
  [LISTENER_QUERY]: 24,
  131: 24,
  [LISTENER_DONE]: 24,
  [ROUTER_ADVERTISEMENT]: 16,
  [NEIGHBOR_SOLICITATION]: 24,
  [NEIGHBOR_ADVERTISEMENT]: 24,
  [REDIRECT]: 40,
  [ROUTER_RENUMBERING]: 16,
  [NODE_QUERY]: 16,
  [NODE_REPLY]: 16,
  152: 4,
  [MULTICAST_ROUTER_TERMINATION]: 4,
  [MPL]: 4,
  [RPL]: 4,
};

/** -1 where it was not captured. */
const type = (l: Layer) => (l.start < l.captured ? l.bytes[l.start]! : -1);
const code = (l: Layer) => l.bytes[l.start + 1]!;
const isEcho = (l: Layer) => type(l) === ECHO_REQUEST || type(l) === ECHO_REPLY;
const isExtendedEcho = (l: Layer) => type(l) === EXTENDED_REQUEST || type(l) === EXTENDED_REPLY;
const hasIdentifier = (l: Layer) => isEcho(l) || isExtendedEcho(l);

const extension = extensionRows();

const fields = {
  type: uint8('icmpv6.type', 'Type', 0, { values: TYPE }),
  code: uint8('icmpv6.code', 'Code', 1),
  ...checksumRows('icmpv6.checksum', 'icmpv6.checksum_bad.expert', (l) => pseudoHeaderSum(l, ICMPV6, l.end - l.start)),
  identifier: uint16('icmpv6.echo.identifier', 'Identifier', 4, { base: 'hex', when: hasIdentifier }),
  sequence: uint16('icmpv6.echo.sequence_number', 'Sequence', 6, { when: isEcho }),
  nonce: bytes('icmpv6.nonce', 'Nonce'),
  ...responseRows('icmpv6', 'Response To', 'Response Time'),
  quotedWords: uint8('icmpv6.length', 'Length of original datagram', { unit: '* 8 bytes' }),
  mtu: uint32('icmpv6.mtu', 'MTU'),
  pointer: uint32('icmpv6.pointer', 'Pointer'),
  hopLimit: uint8('icmpv6.nd.ra.cur_hop_limit', 'Cur hop limit'),
  ...group(
    { routerFlags: uint8('icmpv6.nd.ra.flag', 'Flags', { base: 'hex' }) },
    {
      managed: flag('icmpv6.nd.ra.flag.m', 'Managed address configuration', undefined, 0x80),
      other: flag('icmpv6.nd.ra.flag.o', 'Other configuration', undefined, 0x40),
      homeAgent: flag('icmpv6.nd.ra.flag.h', 'Home Agent', undefined, 0x20),
      preference: bits('icmpv6.nd.ra.flag.prf', 'Prf (Default Router Preference)', undefined, 8, 0x18, { values: PREFERENCE }),
      proxy: flag('icmpv6.nd.ra.flag.p', 'Proxy', undefined, 0x04),
      routerReserved: bits('icmpv6.nd.ra.flag.rsv', 'Reserved', undefined, 8, 0x03),
    },
  ),
  /** Seconds. */
  routerLifetime: uint16('icmpv6.nd.ra.router_lifetime', 'Router lifetime (s)'),
  /** Milliseconds. */
  reachableTime: uint32('icmpv6.nd.ra.reachable_time', 'Reachable time (ms)'),
  /** Milliseconds. */
  retransTimer: uint32('icmpv6.nd.ra.retrans_timer', 'Retrans timer (ms)'),
  solicitedTarget: ipv6('icmpv6.nd.ns.target_address', 'Target Address'),
  ...group(
    { neighborFlags: uint32('icmpv6.nd.na.flag', 'Flags', { base: 'hex' }) },
    {
      isRouter: flag('icmpv6.nd.na.flag.r', 'Router', undefined, 0x80000000, 32),
      isSolicited: flag('icmpv6.nd.na.flag.s', 'Solicited', undefined, 0x40000000, 32),
      overrides: flag('icmpv6.nd.na.flag.o', 'Override', undefined, 0x20000000, 32),
      neighborReserved: bits('icmpv6.nd.na.flag.rsv', 'Reserved', undefined, 32, 0x1fffffff),
    },
  ),
  advertisedTarget: ipv6('icmpv6.nd.na.target_address', 'Target Address'),
  redirectTarget: ipv6('icmpv6.nd.rd.target_address', 'Target Address'),
  redirectDestination: ipv6('icmpv6.rd.na.destination_address', 'Destination Address'),
  ...renumberingRows,
  ...nodeRows,
  ...listenerRows,
  mobileIdentifier: uint16('icmpv6.mip6.identifier', 'Identifier'),
  homeAgents: many(ipv6('icmpv6.mip6.home_agent_address', 'Home Agent Address')),
  ...group(
    { mobileFlags: uint16('icmpv6.mip6.flag', 'Flags', { base: 'hex' }) },
    {
      mobileManaged: flag('icmpv6.mip6.flag.m', 'Managed address configuration', undefined, 0x8000, 16),
      mobileOther: flag('icmpv6.mip6.flag.o', 'Other configuration', undefined, 0x4000, 16),
      mobileReserved: bits('icmpv6.mip6.flag.rsv', 'Reserved', undefined, 16, 0x3fff),
    },
  ),
  pathIdentifier: uint16('icmpv6.send.identifier', 'Identifier'),
  pathComponents: uint16('icmpv6.send.all_components', 'All Components'),
  pathComponent: uint16('icmpv6.send.component', 'Component'),
  /** Seconds. */
  routerQueryInterval: uint16('icmpv6.mcast_ra.query_interval', 'Query Interval'),
  routerRobustness: uint16('icmpv6.mcast_ra.robustness_variable', 'Robustness Variable'),
  handover: uint8('icmpv6.fmip6.subtype', 'Subtype', { values: HANDOVER }),
  ...group(
    { handoverFlags: uint8('icmpv6.fmip6.hi.flag', 'Flag', { base: 'hex' }) },
    {
      handoverAssigned: flag('icmpv6.fmip6.hi.flag.s', 'Assigned address configuration', undefined, 0x80),
      handoverBuffer: flag('icmpv6.fmip6.hi.flag.a', 'Buffer', undefined, 0x40),
      handoverReserved: bits('icmpv6.fmip6.hi.flag.reserved', 'Reserved', undefined, 8, 0x3f),
    },
  ),
  handoverIdentifier: uint16('icmpv6.fmip6.identifier', 'Identifier'),
  locatorCount: uint8('icmpv6.ilnp.nb_locs', 'Num of Locs'),
  locators: many(uint64('icmpv6.ilnp.nb_locator', 'Locator', { base: 'hex' })),
  locatorPreferences: many(uint32('icmpv6.ilnp.nb_preference', 'Preference')),
  /** Seconds. */
  locatorLifetimes: many(uint32('icmpv6.ilnp.nb_lifetime', 'Lifetime')),
  duplicateStatus: uint8('icmpv6.6lowpannd.da.status', 'Status', { values: REGISTRATION }),
  duplicateReserved: uint8('icmpv6.6lowpannd.da.rsv', 'Reserved'),
  /** Minutes. */
  duplicateLifetime: uint16('icmpv6.6lowpannd.da.lifetime', 'Lifetime'),
  duplicateEui64: eui64('icmpv6.6lowpannd.da.eui64', 'EUI-64'),
  duplicateAddress: ipv6('icmpv6.6lowpannd.da.reg_addr', 'Registered Address'),
  seedSequence: many(uint8('icmpv6.mpl.seed_info.min_sequence', 'MinSequence')),
  seedBuffered: many(bits('icmpv6.mpl.seed_info.bm_len', 'Buffered Messages Length', undefined, 8, 0xfc)),
  seedSize: many(bits('icmpv6.mpl.seed_info.s', 'Seed ID Length', undefined, 8, 0x03)),
  extendedSequence: uint8('icmpv6.ext.echo.seq', 'Sequence number', 6, { when: isExtendedEcho }),
  ...rplRows,
  requestReserved: bits('icmpv6.ext.echo.req.res', 'Reserved', undefined, 8, 0xfe, { base: 'hex' }),
  requestLocal: flag('icmpv6.ext.echo.req.local', 'Local bit', undefined, 0x01),
  replyState: bits('icmpv6.ext.echo.rsp.state', 'State', undefined, 8, 0xe0, { values: NEIGHBOR_STATE }),
  replyReserved: bits('icmpv6.ext.echo.rsp.res', 'Reserved', undefined, 8, 0x18, { base: 'hex' }),
  replyActive: flag('icmpv6.ext.echo.rsp.active', 'Active bit', undefined, 0x04),
  replyIpv4: flag('icmpv6.ext.echo.rsp.ipv4', 'IPv4 bit', undefined, 0x02),
  replyIpv6: flag('icmpv6.ext.echo.rsp.ipv6', 'IPv6 bit', undefined, 0x01),
  reserved: many(bytes('icmpv6.reserved', 'Reserved')),
  options: optionList,
  ...extension,
  /** Wireshark's name for it is ICMP's here, too. */
  extensionReservedOctets: many(bytes('icmp.reserved', 'Reserved')),
  undecoded: expert('note', 'undecoded', 'icmpv6.undecoded.type', 'Undecoded type'),
  data: many(bytes('icmpv6.data', 'Data')),
};

const ROUTER_FLAGS = [fields.managed, fields.other, fields.homeAgent, fields.preference, fields.proxy, fields.routerReserved];
const NEIGHBOR_FLAGS = [fields.isRouter, fields.isSolicited, fields.overrides, fields.neighborReserved];
/** An ICMPv6 message: errors, echo, neighbour discovery, MLD, RPL. */
export class Icmpv6 extends layer('icmpv6', 'Internet Control Message Protocol v6', fields, 'ICMPv6') {
  /** The request that this echo reply answers, found by analysis/echo. */
  declare request: EchoRequest | undefined;
  /** Part of what another ICMP error quotes. */
  declare quoted: true | undefined;
  /** An echo that comes out of a Teredo tunnel's server port, and so begins with a nonce (RFC 4380 section 5.2.9). */
  declare hasNonce: true | undefined;

  override walk(tree: Tree): void {
    const { start, end } = this;
    const t = type(this);
    const reserved = (at: number, length: number): void => void (at + length <= end && tree.add(fields.reserved, at, length));
    const add = (row: Field, at: number): boolean => at + (row.length as number) <= end && tree.add(row, at);
    switch (t) {
      case UNREACHABLE:
      case TIME_EXCEEDED:
      case TOO_BIG:
      case PARAMETER_PROBLEM:
        if (t === TOO_BIG) add(fields.mtu, start + 4);
        else if (t === PARAMETER_PROBLEM) add(fields.pointer, start + 4);
        else if (this.bytes[start + 4]! > 0 && add(fields.quotedWords, start + 4)) reserved(start + 5, 3);
        else reserved(start + 4, 4);
        if (extensionsAt(this) < end) walkExtensions(tree, extension, fields.extensionReservedOctets, extensionsAt(this), end);
        break;
      case ECHO_REQUEST:
      case ECHO_REPLY:
        if (this.hasNonce) tree.add(fields.nonce, start + HEADER_LENGTH, 4);
        break;
      case LISTENER_QUERY:
      case 131:
      case LISTENER_DONE:
        walkListener(tree, start, end, t === LISTENER_QUERY, reserved);
        break;
      case LISTENER_REPORT_2:
        walkReport(tree, start, end, reserved);
        break;
      case ROUTER_SOLICITATION:
      case INVERSE_SOLICITATION:
      case INVERSE_ADVERTISEMENT:
        reserved(start + 4, 4);
        walkOptions(tree, start + 8, end);
        break;
      case ROUTER_ADVERTISEMENT:
        add(fields.hopLimit, start + 4);
        if (start + 6 <= end) tree.word(fields.routerFlags, start + 5, ROUTER_FLAGS);
        add(fields.routerLifetime, start + 6);
        add(fields.reachableTime, start + 8);
        add(fields.retransTimer, start + 12);
        walkOptions(tree, start + 16, end);
        break;
      case NEIGHBOR_SOLICITATION:
        reserved(start + 4, 4);
        add(fields.solicitedTarget, start + 8);
        walkOptions(tree, start + 24, end);
        break;
      case NEIGHBOR_ADVERTISEMENT:
        if (start + 8 <= end) tree.word(fields.neighborFlags, start + 4, NEIGHBOR_FLAGS);
        add(fields.advertisedTarget, start + 8);
        walkOptions(tree, start + 24, end);
        break;
      case REDIRECT:
        reserved(start + 4, 4);
        add(fields.redirectTarget, start + 8);
        add(fields.redirectDestination, start + 24);
        walkOptions(tree, start + 40, end);
        break;
      case ROUTER_RENUMBERING:
        walkRenumbering(tree, code(this), start, end, reserved);
        break;
      case NODE_QUERY:
      case NODE_REPLY:
        walkNode(tree, t === NODE_QUERY, code(this), start, end);
        break;
      case AGENT_REQUEST:
      case AGENT_REPLY:
      case PREFIX_SOLICITATION:
        add(fields.mobileIdentifier, start + 4);
        reserved(start + 6, 2);
        if (t === AGENT_REPLY) for (let at = start + 8; add(fields.homeAgents, at); ) at += 16;
        break;
      case PREFIX_ADVERTISEMENT:
        add(fields.mobileIdentifier, start + 4);
        if (start + 8 <= end) tree.word(fields.mobileFlags, start + 6, [fields.mobileManaged, fields.mobileOther, fields.mobileReserved]);
        walkOptions(tree, start + 8, end);
        break;
      case PATH_SOLICITATION:
        add(fields.pathIdentifier, start + 4);
        add(fields.pathComponent, start + 6);
        walkOptions(tree, start + 8, end);
        break;
      case PATH_ADVERTISEMENT:
        add(fields.pathIdentifier, start + 4);
        add(fields.pathComponents, start + 6);
        add(fields.pathComponent, start + 8);
        reserved(start + 10, 2);
        walkOptions(tree, start + 12, end);
        break;
      case MULTICAST_ROUTER_ADVERTISEMENT:
        add(fields.routerQueryInterval, start + 4);
        add(fields.routerRobustness, start + 6);
        break;
      case 152:
      case MULTICAST_ROUTER_TERMINATION:
        break;
      case FAST_HANDOVER:
        add(fields.handover, start + 4);
        if (this.bytes[start + 4] === 4 && start + 6 <= end)
          tree.word(fields.handoverFlags, start + 5, [fields.handoverAssigned, fields.handoverBuffer, fields.handoverReserved]);
        else reserved(start + 5, 1);
        add(fields.handoverIdentifier, start + 6);
        walkOptions(tree, start + 8, end);
        break;
      case RPL:
        walkRpl(tree, code(this), start + 4, end, reserved);
        break;
      case LOCATOR_UPDATE: {
        add(fields.locatorCount, start + 4);
        reserved(start + 5, 1);
        reserved(start + 6, 2);
        const count = this.bytes[start + 4]!;
        for (let i = 0, at = start + 8; i < count && at + 16 <= end; i++, at += 16) {
          if (!add(fields.locators, at)) break;
          add(fields.locatorPreferences, at + 8);
          add(fields.locatorLifetimes, at + 12);
        }
        break;
      }
      case DUPLICATE_REQUEST:
      case DUPLICATE_CONFIRMATION:
        add(fields.duplicateStatus, start + 4);
        add(fields.duplicateReserved, start + 5);
        add(fields.duplicateLifetime, start + 6);
        add(fields.duplicateEui64, start + 8);
        add(fields.duplicateAddress, start + 16);
        break;
      case MPL:
        this.walkSeeds(tree, start + 4);
        break;
      case EXTENDED_REQUEST:
        add(fields.requestReserved, start + 7);
        add(fields.requestLocal, start + 7);
        walkExtensions(tree, extension, fields.extensionReservedOctets, start + HEADER_LENGTH, end);
        break;
      case EXTENDED_REPLY:
        for (const row of [fields.replyState, fields.replyReserved, fields.replyActive, fields.replyIpv4, fields.replyIpv6])
          add(row, start + 7);
        break;
      default:
        tree.put(fields.undecoded, true);
        if (end > start + FIXED_LENGTH) tree.add(fields.data, start + FIXED_LENGTH, end - start - FIXED_LENGTH);
    }
  }

  /** Seeds of two octets, an identifier of 0, 2, 8 or 16 octets, and the bits of the messages held (RFC 7731 section 6.4). */
  private walkSeeds(tree: Tree, start: number): void {
    for (let at = start; at + 2 <= this.end && at + 2 <= this.captured; ) {
      tree.add(fields.seedSequence, at);
      tree.add(fields.seedBuffered, at + 1);
      tree.add(fields.seedSize, at + 1);
      at += 2 + [0, 2, 8, 16][this.bytes[at + 1]! & 3]! + (this.bytes[at + 1]! >> 2);
    }
  }

  /** `Neighbor Solicitation for 2001:db8::5 from 02:00:00:00:00:01`. */
  override summary(out: TextBuffer): void {
    const { bytes: b, start } = this;
    const end = Math.min(this.end, this.captured);
    if (start + 2 > end) return out.ascii('ICMPv6');
    const t = type(this);
    out.ascii(TYPE[t] ?? `Unknown ICMPv6 type ${t}`);
    const codes = CODE[t];
    if (codes) {
      out.ascii(' (');
      out.ascii(codes[code(this)] ?? `unknown code ${code(this)}`);
      out.ascii(')');
    }
    if (start + HEADER_LENGTH > end) return;
    if (isEcho(this)) {
      out.ascii(' id=0x');
      out.hex(u16(b, start + 4), 4);
      out.ascii(', seq=');
      out.number(u16(b, start + 6));
      writeHops(out, this, ', hop limit=');
      writeAnswered(out, this);
    } else if (t === FAST_HANDOVER) {
      out.ascii(' (');
      out.ascii(HANDOVER[b[start + 4]!] ?? `unknown subtype ${b[start + 4]}`);
      out.ascii(')');
    } else if (t === ROUTER_SOLICITATION) this.writeLink(out, ' from ', start + 8, SOURCE_LINK_ADDRESS);
    else if (t === ROUTER_ADVERTISEMENT) this.writeLink(out, ' from ', start + 16, SOURCE_LINK_ADDRESS);
    else if (t === REDIRECT) this.writeLink(out, ' is at ', start + 40, TARGET_LINK_ADDRESS);
    else if ((t === NEIGHBOR_SOLICITATION || t === NEIGHBOR_ADVERTISEMENT) && start + 24 <= end) {
      out.ascii(t === NEIGHBOR_SOLICITATION ? ' for ' : ' ');
      out.ascii(t === NEIGHBOR_SOLICITATION ? (this.solicitedTarget ?? '') : (this.advertisedTarget ?? ''));
      if (t === NEIGHBOR_ADVERTISEMENT) {
        out.ascii(NEIGHBOR_TEXT[b[start + 4]! >> 5]!);
        this.writeLink(out, ' is at ', start + 24, TARGET_LINK_ADDRESS);
      } else this.writeLink(out, ' from ', start + 24, SOURCE_LINK_ADDRESS);
    }
  }

  private writeLink(out: TextBuffer, before: string, options: number, wanted: number): void {
    const address = findLinkAddress(this.bytes, options, Math.min(this.end, this.captured), wanted);
    if (address === undefined) return;
    out.ascii(before);
    out.ether(this.bytes, address.at, address.length);
  }
}

/** ` (rtr, sol, ovr)` for the three highest bits of the flags. */
const NEIGHBOR_TEXT: readonly string[] = Array.from({ length: 8 }, (_, flags) => {
  const set = ['rtr', 'sol', 'ovr'].filter((_name, i) => flags & (4 >> i));
  return ` (${set.length > 0 ? set.join(', ') : 'none'})`;
});

/** Where extensions begin: where the length in 8 octets says, which unreachable and time exceeded give; the end when there are none. */
function extensionsAt(l: Icmpv6): number {
  const { bytes: b, start, end } = l;
  const t = type(l);
  if ((t !== UNREACHABLE && t !== TIME_EXCEEDED) || start + HEADER_LENGTH > l.captured || b[start + 4] === 0) return end;
  const at = start + HEADER_LENGTH + b[start + 4]! * 8;
  return at + 4 <= end ? at : end;
}

export const dissectIcmpv6: Dissect = (frame, start, end) => {
  const icmpv6 = new Icmpv6(frame, start, end);
  if (frame.quoted > 0) icmpv6.quoted = true;
  if (!frame.add(icmpv6, FIXED_LENGTH)) return;
  const t = type(icmpv6);
  if (!frame.require(icmpv6, LEAST[t] ?? (TYPE[t] === undefined ? FIXED_LENGTH : HEADER_LENGTH))) return;
  if (t >= UNREACHABLE && t <= PARAMETER_PROBLEM) dissectQuoted(frame, icmpv6, IPV6, start + HEADER_LENGTH, extensionsAt(icmpv6));
  else if (isEcho(icmpv6)) {
    if (frame.quoted === 0) frame.session.hooks.echo?.(frame, icmpv6, t === ECHO_REQUEST);
    if (frame.transport?.dstPort === TEREDO_PORT) icmpv6.hasNonce = true;
    frame.data(start + HEADER_LENGTH + (icmpv6.hasNonce ? 4 : 0), end);
  } else if (t === REDIRECT) {
    const redirected = findRedirected(icmpv6.bytes, start + 40, Math.min(end, frame.captured));
    if (redirected) dissectQuoted(frame, icmpv6, IPV6, redirected[0], redirected[1]);
  }
};

export const icmpv6: ProtocolEntry = {
  name: 'icmpv6',
  layers: [Icmpv6],
  dissect: dissectIcmpv6,
  on: [ipProtocols.at(ICMPV6, dissectIcmpv6)],
};
