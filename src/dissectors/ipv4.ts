/**
 * Internet Protocol version 4.
 *
 * RFC 791 (header, options), RFC 2474 (DSCP), RFC 3168 (ECN). Options are in ipv4-options.ts.
 *
 *     0     1     2        4    6              8     9       10         12    16    20
 *     | v,h | dsf | length | id | flags,offset | ttl | proto | checksum | src | dst | options …
 */
import { foldChecksum, sumWords } from '../core/checksum.js';
import { bits, computed, expert, flag, gated, group, ipv4, uint8, uint16 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer, type Tree, type TreeNode } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import type { Plain } from '../core/plain.js';
import { type Dissect, etherTypes, ipProtocols, linkTypes, llcSaps, type ProtocolEntry } from '../core/registry.js';
import type { Datagram, FragmentLayer } from '../core/session.js';
import type { TextBuffer } from '../core/text.js';
import { ipv4FragmentRows, walkDatagram } from './ip-fragments.js';
import { CHECKSUM_STATUS, dscpName, ECN, IP_PROTOCOL, ipProtocolName } from './ip-protocols.js';
import { finalDestination, optionRows, optionsRow, walkOptions } from './ipv4-options.js';

const FIXED_LENGTH = 20;
/** Its first octet. */
const VERSION_4_NO_OPTIONS = 0x45;
const MORE_FRAGMENTS = 0x2000;
const OFFSET = 0x1fff;
const IPV6 = 41;

const headerLength = (l: Layer): number => (l.bytes[l.start]! & 0x0f) * 4;
const version = (l: Layer): number => l.bytes[l.start]! >> 4;

/** What a row may know of its layer besides the octets. */
interface Carried extends Layer {
  readonly quoted: true | undefined;
  readonly datagram: Datagram | undefined;
}

const reassembly = ipv4FragmentRows();

const fields = {
  version: bits('ip.version', 'Version', 0, 8, 0xf0),
  bogusVersion: expert('error', 'protocol', 'ip.bogus_ip_version', 'Bogus IPv4 version', (l) => l.start < l.captured && version(l) !== 4, {
    pure: [0, 1],
  }),
  headerLength: computed(
    'uint8',
    'ip.hdr_len',
    'Header Length',
    (l) => (l.start < l.captured && version(l) === 4 ? headerLength(l) : undefined),
    { unit: 'bytes', pure: [0, 1] },
  ),
  bogusHeaderLength: expert(
    'error',
    'protocol',
    'ip.bogus_header_length',
    'Bogus IP header length',
    (l) => l.start < l.captured && version(l) === 4 && headerLength(l) < FIXED_LENGTH,
    { pure: [0, 1], message: (l: Layer) => `Bogus IP header length (${headerLength(l)}, must be at least ${FIXED_LENGTH})` },
  ),
  ...group(
    { dsField: uint8('ip.dsfield', 'Differentiated Services Field', 1, { base: 'hex' }) },
    {
      dscp: bits('ip.dsfield.dscp', 'Differentiated Services Codepoint', 1, 8, 0xfc, { values: dscpName }),
      ecn: bits('ip.dsfield.ecn', 'Explicit Congestion Notification', 1, 8, 0x03, { values: ECN }),
    },
  ),
  ...group(
    { totalLength: uint16('ip.len', 'Total Length', 2, { unit: 'bytes' }) },
    {
      bogusLength: expert('error', 'protocol', 'ip.bogus_ip_length', 'Bogus IP length', (l: Carried) => isBogusLength(l), {
        message: bogusLengthText,
      }),
    },
  ),
  id: uint16('ip.id', 'Identification', 4, { base: 'hex' }),
  ...group(
    { flags: bits('ip.flags', 'Flags', 6, 8, 0xe0, { base: 'hex' }) },
    {
      reserved: flag('ip.flags.rb', 'Reserved bit', 6, 0x80),
      dontFragment: flag('ip.flags.df', "Don't fragment", 6, 0x40),
      moreFragments: flag('ip.flags.mf', 'More fragments', 6, 0x20),
    },
  ),
  fragmentOffset: bits('ip.frag_offset', 'Fragment Offset', 6, 16, OFFSET),
  ...group(
    { ttl: uint8('ip.ttl', 'Time to Live', 8) },
    gated((l: Layer) => ttlProblem(l) !== undefined, {
      ttlTooSmall: expert('note', 'sequence', 'ip.ttl.too_small', 'Time To Live', (l) => ttlProblem(l) === 'small', {
        message: (l: Layer) => `"Time To Live" only ${l.bytes[l.start + 8]}`,
      }),
      ttlLocal: expert('note', 'sequence', 'ip.ttl.lncb', 'Time To Live', (l) => ttlProblem(l) === 'local', { message: localTtlText }),
    }),
  ),
  protocolNumber: uint8('ip.proto', 'Protocol', 9, { values: IP_PROTOCOL }),
  ...group(
    { checksum: uint16('ip.checksum', 'Header Checksum', 10, { base: 'hex' }) },
    {
      checksumStatus: computed('uint8', 'ip.checksum.status', 'Header checksum status', (l) => checksumStatus(l), {
        values: CHECKSUM_STATUS,
      }),
      checksumCalculated: computed(
        'uint16',
        'ip.checksum_calculated',
        'Calculated Checksum',
        (l) => ((checksumStatus(l) ?? 2) < 2 ? calculatedChecksum(l) : undefined),
        { base: 'hex', quiet: true },
      ),
      checksumBad: expert('error', 'checksum', 'ip.checksum_bad.expert', 'Bad checksum', (l) => checksumStatus(l) === 0),
    },
  ),
  source: ipv4('ip.src', 'Source Address', 12, { also: ['ip.addr'] }),
  destination: ipv4('ip.dst', 'Destination Address', 16, { also: ['ip.addr'] }),
  ...optionRows,
  options: optionsRow,
  ...reassembly,
};

/** A packet that is whole and no fragment that completed one, without options and without anything to remark. */
const plain: Plain<Carried> = {
  when: (l) => {
    const { bytes: b, start } = l;
    if (start + FIXED_LENGTH > l.captured || b[start] !== VERSION_4_NO_OPTIONS || l.datagram !== undefined) return false;
    const total = l.end - start;
    if (total < FIXED_LENGTH || u16(b, start + 2) !== total || l.frame.session.checksums) return false;
    return b[start + 8]! >= LOW_TTL && b[start + 16] !== LOCAL_CONTROL;
  },
  octets: FIXED_LENGTH,
  values: [
    [fields.checksumStatus, 2],
    [fields.checksumCalculated, undefined],
  ],
};

/** An IPv4 header with its options. */
export class Ipv4 extends layer('ip', 'Internet Protocol Version 4', fields, 'IPv4', plain) {
  /** The datagram that this fragment completed. */
  declare datagram: Datagram | undefined;
  /** Part of what an ICMP error quotes: its length tells of a datagram that is not here. */
  declare quoted: true | undefined;

  /**
   * Where the address of the last destination stands, in octets from the start: with a source route, the header's address
   * is only the next stop.
   */
  get destinationOffset(): number {
    return headerLength(this) > FIXED_LENGTH ? finalDestination(this) : 16;
  }
  writeSource(out: TextBuffer): void {
    out.ipv4(u32(this.bytes, this.start + 12));
  }
  writeDestination(out: TextBuffer): void {
    out.ipv4(u32(this.bytes, this.start + 16));
  }
  override get nodes(): readonly TreeNode[] {
    return headerLength(this) <= FIXED_LENGTH && this.datagram === undefined ? NO_NODES : super.nodes;
  }
  override get bare(): boolean {
    return this.bytes[this.start] === VERSION_4_NO_OPTIONS && this.datagram === undefined;
  }
  override walk(tree: Tree): void {
    const header = headerLength(this);
    if (version(this) === 4 && header > FIXED_LENGTH)
      walkOptions(tree, this.start + FIXED_LENGTH, Math.min(this.start + header, this.captured), this.bytes[this.start + 8]!);
    if (this.datagram) walkDatagram(tree, reassembly, this.datagram);
  }
  override summary(out: TextBuffer): void {
    const { bytes, start } = this;
    if (version(this) !== 4) {
      out.ascii('Bogus IP version (');
      out.number(version(this));
      out.ascii(', must be 4)');
      return;
    }
    const header = headerLength(this);
    if (header < FIXED_LENGTH) {
      out.ascii('Bogus IP header length (');
      out.number(header);
      out.ascii(', must be at least 20)');
      return;
    }
    const total = u16(bytes, start + 2);
    if (total > 0 && total < header) {
      out.ascii('Bogus IP length (');
      out.number(total);
      out.ascii(', less than header length ');
      out.number(header);
      out.ascii(')');
      return;
    }
    const protocol = bytes[start + 9]!;
    const fragment = u16(bytes, start + 6) & (MORE_FRAGMENTS | OFFSET);
    if (fragment !== 0) {
      out.ascii('Fragmented IP protocol (proto=');
      out.ascii(ipProtocolName(protocol));
      out.ascii(' ');
      out.number(protocol);
      out.ascii(', off=');
      out.number((fragment & OFFSET) * 8);
      out.ascii(', ID=');
      out.hex(u16(bytes, start + 4), 4);
    } else {
      out.ascii(ipProtocolName(protocol));
      out.ascii(' (');
      out.number(protocol);
    }
    out.ascii(')');
  }
}

const NO_NODES: readonly TreeNode[] = [];

/** Shorter than its own header, or longer than what carries it. Length 0 leaves the cutting up to the network card. */
function bogusLengthText(l: Carried): string {
  const total = u16(l.bytes, l.start + 2);
  const header = headerLength(l);
  return total < header
    ? `Bogus IP length (${total}, less than header length ${header})`
    : `IPv4 total length exceeds packet length (${l.end - l.start} bytes)`;
}

function isBogusLength(l: Carried): boolean {
  if (l.start + 4 > l.captured || version(l) !== 4) return false;
  const header = headerLength(l);
  const total = u16(l.bytes, l.start + 2);
  if (header < FIXED_LENGTH) return false;
  return total < header ? total !== 0 : l.quoted === undefined && total > l.end - l.start;
}

/** From here on a TTL is large enough for any way. */
const LOW_TTL = 5;
/** First octet of 224.0.0.0/24. */
const LOCAL_CONTROL = 224;
/** Groups of the local network control block that are sent to with TTL 255: VRRP, GLBP, mDNS (RFC 6762 section 11). */
const FULL_TTL = new Set([0xe0000012, 0xe0000066, 0xe00000fb]);
/** Groups where any TTL is right: LLMNR. */
const ANY_TTL = new Set([0xe00000fc]);
const IGMP = 2;
const PIM = 103;
const OSPF = 89;

function localTtlText({ bytes, start }: Layer): string {
  const ttl = localTtl(u32(bytes, start + 16), bytes[start + 9]!);
  return `"Time To Live" != ${ttl} for a packet sent to the Local Network Control Block (see RFC 3171)`;
}

/** What protocols agreed on for a group of their own; who is in it is told by IGMP, whose messages have a TTL of 1 (RFC 3376 section 4). */
const localTtl = (destination: number, protocol: number): number => (FULL_TTL.has(destination) && protocol !== IGMP ? 255 : 1);

/** RFC 5771 section 4: what goes to 224.0.0.0/24 is never forwarded, so it needs no TTL but 1. */
function ttlProblem(l: Layer): 'small' | 'local' | undefined {
  if (l.start + FIXED_LENGTH > l.captured) return undefined;
  const { bytes, start } = l;
  const ttl = bytes[start + 8]!;
  if (ttl >= LOW_TTL && bytes[start + 16] !== LOCAL_CONTROL) return undefined;
  const destination = u32(bytes, start + 16);
  if (destination >>> 8 === 0xe00000) {
    if (ANY_TTL.has(destination)) return undefined;
    return ttl === localTtl(destination, bytes[start + 9]!) ? undefined : 'local';
  }
  if (ttl >= LOW_TTL || destination >>> 28 === 14) return undefined;
  const protocol = bytes[start + 9]!;
  return protocol === PIM || protocol === OSPF ? undefined : 'small';
}

const checksumStatus = (l: Layer): number | undefined => {
  const end = l.start + headerLength(l);
  if (l.start + 12 > l.captured) return undefined;
  if (!l.frame.session.checksums || end > l.captured) return 2;
  return foldChecksum(sumWords(l.bytes, l.start, end)) === 0 ? 1 : 0;
};

/** What the checksum should be. */
const calculatedChecksum = (l: Layer): number =>
  foldChecksum(sumWords(l.bytes, l.start + 12, l.start + headerLength(l), sumWords(l.bytes, l.start, l.start + 10)));

export const dissectIpv4: Dissect = (frame, start, end) => {
  const { bytes, captured } = frame;
  const first = start < captured ? bytes[start]! : 0x45;
  const header = (first & 0x0f) * 4;
  // Some carriers say IPv4 for both versions.
  if (first >> 4 === 6) return frame.dispatch(ipProtocols, IPV6, start, end);
  if (first >> 4 !== 4 || header < FIXED_LENGTH) {
    // Nothing else can be believed, so nothing else is shown.
    const ip = new Ipv4(frame, start, start + 1);
    frame.add(ip, 1);
    return frame.malformed(ip, FIXED_LENGTH);
  }
  const total = start + 4 <= captured ? u16(bytes, start + 2) : 0;
  if (total !== 0 && total < header) {
    const ip = new Ipv4(frame, start, start + 4);
    frame.add(ip, 4);
    return frame.malformed(ip, header);
  }
  // 0: the network card was to cut the packet up (segmentation offload), so the length is what was captured.
  const stop = total !== 0 && start + total <= end ? start + total : end;
  const ip = new Ipv4(frame, start, stop);
  if (frame.quoted > 0) ip.quoted = true;
  if (!frame.add(ip, header, ip.captured - start)) return;
  frame.addressing = ip;
  const place = u16(bytes, start + 6) & (MORE_FRAGMENTS | OFFSET);
  if (place !== 0) return dissectFragment(frame, ip, start + header, stop, place);
  frame.dispatch(ipProtocols, bytes[start + 9]!, start + header, stop);
};

/** A fragment: put it to the others, or, if that is not to be, show what the first one begins. */
function dissectFragment(frame: Frame, ip: Ipv4 & FragmentLayer, start: number, end: number, place: number): void {
  const { bytes } = ip;
  const protocol = bytes[ip.start + 9]!;
  const offset = (place & OFFSET) * 8;
  const { fragment } = frame.session.hooks;
  // A fragment that claims more than its frame holds has lost its end and cannot become part of a whole.
  const whole = end <= ip.captured && ip.start + u16(bytes, ip.start + 2) <= end;
  if (fragment && frame.quoted === 0 && end > start && whole) {
    const identification = u16(bytes, ip.start + 4);
    const more = (place & MORE_FRAGMENTS) !== 0;
    const key = String.fromCharCode(
      4,
      u16(bytes, ip.start + 12),
      u16(bytes, ip.start + 14),
      u16(bytes, ip.start + 16),
      u16(bytes, ip.start + 18),
      identification,
      protocol,
      vlanOf(frame),
    );
    if (!fragment(frame, { layer: ip, start, end, offset, more, identification, protocol, key })) frame.data(start, end);
    return;
  }
  if (offset !== 0) return frame.data(start, end);
  const outer = frame.fragment;
  frame.fragment = true;
  frame.dispatch(ipProtocols, protocol, start, end);
  frame.fragment = outer;
}

/** The innermost VLAN identifier, 0 without one. */
function vlanOf(frame: Frame): number {
  const { layers } = frame;
  for (let i = layers.length - 1; i > 0; i--) {
    const { protocol, bytes, start } = layers[i]!;
    if (protocol.name === 'vlan') return u16(bytes, start) & 0x0fff;
  }
  return 0;
}

export const ipv4Protocol: ProtocolEntry = {
  name: 'ip',
  layers: [Ipv4],
  dissect: dissectIpv4,
  on: [
    etherTypes.at(0x0800, dissectIpv4),
    ipProtocols.at([4, 94], dissectIpv4),
    linkTypes.at(228, dissectIpv4),
    llcSaps.at(6, dissectIpv4),
  ],
};
