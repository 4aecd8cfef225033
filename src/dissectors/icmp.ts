/**
 * Internet Control Message Protocol: what went wrong with a datagram, and is anybody there?
 *
 * RFC 792 (base), RFC 950 (address mask), RFC 1191 (next-hop MTU), RFC 1256 (router discovery), RFC 4884 (extensions),
 * RFC 5944 (mobile IP advertisements), RFC 8335 (extended echo).
 *
 *     0      1      2          4                8
 *     | type | code | checksum | rest of header | …
 */
import { bits, bytes, computed, type Field, flag, int32, ipv4, many, uint8, uint16, uint32 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16, u16le, u32, u32le } from '../core/octets.js';
import { type Dissect, ipProtocols, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { between, type Nanoseconds } from '../core/time.js';
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
import { extensionRows, looksExtended, QUOTED_BEFORE_EXTENSIONS, walkExtensions } from './icmp-extensions.js';

const ECHO_REPLY = 0;
const UNREACHABLE = 3;
const REDIRECT = 5;
const ECHO_REQUEST = 8;
const ROUTER_ADVERTISEMENT = 9;
const TIME_EXCEEDED = 11;
const PARAMETER_PROBLEM = 12;
const TIMESTAMP_REQUEST = 13;
const TIMESTAMP_REPLY = 14;
const MASK_REQUEST = 17;
const MASK_REPLY = 18;
const EXTENDED_REQUEST = 42;
const EXTENDED_REPLY = 43;
const FRAGMENTATION_NEEDED = 4;

/** IANA, "ICMP Type Numbers". */
const TYPE: Readonly<Record<number, string>> = {
  0: 'Echo (ping) reply',
  1: 'Reserved',
  2: 'Reserved',
  3: 'Destination unreachable',
  4: 'Source quench (flow control)',
  5: 'Redirect',
  6: 'Alternate host address',
  8: 'Echo (ping) request',
  9: 'Router advertisement',
  10: 'Router solicitation',
  11: 'Time-to-live exceeded',
  12: 'Parameter problem',
  13: 'Timestamp request',
  14: 'Timestamp reply',
  15: 'Information request',
  16: 'Information reply',
  17: 'Address mask request',
  18: 'Address mask reply',
  19: 'Reserved (for security)',
  30: 'Traceroute',
  31: 'Datagram Conversion Error',
  32: 'Mobile Host Redirect',
  33: 'IPv6 Where-Are-You',
  34: 'IPv6 I-Am-Here',
  35: 'Mobile Registration Request',
  36: 'Mobile Registration Reply',
  37: 'Domain Name Request',
  38: 'Domain Name Reply',
  39: 'SKIP',
  40: 'Photuris',
  41: 'Experimental mobility protocols',
  42: 'Extended Echo request',
  43: 'Extended Echo reply',
};
const CODE: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  [UNREACHABLE]: {
    0: 'Network unreachable',
    1: 'Host unreachable',
    2: 'Protocol unreachable',
    3: 'Port unreachable',
    4: 'Fragmentation needed',
    5: 'Source route failed',
    6: 'Destination network unknown',
    7: 'Destination host unknown',
    8: 'Source host isolated',
    9: 'Network administratively prohibited',
    10: 'Host administratively prohibited',
    11: 'Network unreachable for TOS',
    12: 'Host unreachable for TOS',
    13: 'Communication administratively filtered',
    14: 'Host precedence violation',
    15: 'Precedence cutoff in effect',
  },
  [REDIRECT]: {
    0: 'Redirect for network',
    1: 'Redirect for host',
    2: 'Redirect for TOS and network',
    3: 'Redirect for TOS and host',
  },
  6: { 0: 'Alternate address for host' },
  [ROUTER_ADVERTISEMENT]: { 0: 'Normal router advertisement', 16: 'Does not route common traffic' },
  [TIME_EXCEEDED]: { 0: 'Time to live exceeded in transit', 1: 'Fragment reassembly time exceeded' },
  [PARAMETER_PROBLEM]: { 0: 'Pointer indicates the error', 1: 'Required option missing', 2: 'Bad length' },
  40: {
    0: 'Bad SPI',
    1: 'Authentication failed',
    2: 'Decompression failed',
    3: 'Decryption failed',
    4: 'Need authentication',
    5: 'Need authorization',
  },
  [EXTENDED_REQUEST]: { 0: 'No error' },
  [EXTENDED_REPLY]: EXTENDED_REPLY_CODE,
};
/** RFC 5944 section 2.1, RFC 4721 section 2. */
const MOBILE_EXTENSION: Readonly<Record<number, string>> = {
  0: 'One byte padding extension',
  16: 'Mobility Agent Advertisement Extension',
  19: 'Prefix Lengths Extension',
  24: 'Challenge Extension',
};

/** Words of the quoted datagram that make a length field believable: RFC 4884 section 5.5 pads to 128 octets. */
const LEAST_WORDS = QUOTED_BEFORE_EXTENSIONS / 4;

const type = (l: Layer) => l.bytes[l.start]!;
const code = (l: Layer) => l.bytes[l.start + 1]!;

/** Types with an identifier and a sequence number. */
const isQuery = (l: Layer) => {
  const t = type(l);
  return t === ECHO_REQUEST || t === ECHO_REPLY || (t >= TIMESTAMP_REQUEST && t <= MASK_REPLY);
};
const isExtendedEcho = (l: Layer) => type(l) === EXTENDED_REQUEST || type(l) === EXTENDED_REPLY;
const hasIdentifier = (l: Layer) => isQuery(l) || isExtendedEcho(l);
const isExtendedRequest = (l: Layer) => type(l) === EXTENDED_REQUEST;
const isExtendedReply = (l: Layer) => type(l) === EXTENDED_REPLY;
const hasTimestamps = (l: Layer) => type(l) === TIMESTAMP_REQUEST || type(l) === TIMESTAMP_REPLY;
const hasMask = (l: Layer) => type(l) === MASK_REQUEST || type(l) === MASK_REPLY;
const isRedirect = (l: Layer) => type(l) === REDIRECT;
const isRouterAdvertisement = (l: Layer) => type(l) === ROUTER_ADVERTISEMENT;
const isError = (t: number) => (t >= UNREACHABLE && t <= REDIRECT) || t === TIME_EXCEEDED || t === PARAMETER_PROBLEM;
/** Errors whose sixth octet may tell how long the quoted datagram is. */
const isSized = (t: number) => t === UNREACHABLE || t === TIME_EXCEEDED || t === PARAMETER_PROBLEM;

const SECONDS_OF_A_DAY = 86400;

/**
 * ping puts the time of sending first into its payload, as seconds and microseconds in its machine's byte order. Octets
 * that are within a day of the frame's time are taken for that. Yields nanoseconds since 1970.
 */
export function timeInPayload(l: Layer, at: number): bigint | undefined {
  if (at + 8 > Math.min(l.end, l.captured)) return undefined;
  const { bytes: octets, frame } = l;
  const isNear = (seconds: number) => Math.abs(frame.seconds - seconds) < SECONDS_OF_A_DAY;
  for (const read of [u32, u32le]) {
    const seconds = read(octets, at);
    const microseconds = read(octets, at + 4);
    if (microseconds < 1_000_000 && isNear(seconds)) return BigInt(seconds) * 1_000_000_000n + BigInt(microseconds) * 1000n;
  }
  return undefined;
}

const sentAt = (l: Layer): bigint | undefined =>
  l.start < l.captured && (type(l) === ECHO_REQUEST || type(l) === ECHO_REPLY) ? timeInPayload(l, l.start + HEADER_LENGTH) : undefined;

/** From the time in the payload to the frame's. */
const sinceSent = (l: Layer): Nanoseconds | undefined => {
  const sent = sentAt(l);
  if (sent === undefined) return undefined;
  return between(l.frame.seconds, l.frame.nanoseconds, Number(sent / 1_000_000_000n), Number(sent % 1_000_000_000n));
};

const extension = extensionRows();

const fields = {
  type: uint8('icmp.type', 'Type', 0, { values: TYPE }),
  code: uint8('icmp.code', 'Code', 1),
  ...checksumRows('icmp.checksum', 'icmp.checksum_bad', () => 0),
  identifier: uint16('icmp.ident', 'Identifier (BE)', 4, { when: hasIdentifier }),
  identifierLittle: uint16('icmp.ident_le', 'Identifier (LE)', 4, { when: hasIdentifier, little: true, quiet: true }),
  sequence: uint16('icmp.seq', 'Sequence Number (BE)', 6, { when: isQuery }),
  sequenceLittle: uint16('icmp.seq_le', 'Sequence Number (LE)', 6, { when: isQuery, little: true, quiet: true }),
  extendedSequence: uint8('icmp.ext.echo.seq', 'Sequence Number', 6, { when: isExtendedEcho }),
  requestReserved: bits('icmp.ext.echo.req.res', 'Reserved', 7, 8, 0xfe, { base: 'hex', when: isExtendedRequest }),
  requestLocal: flag('icmp.ext.echo.req.local', 'Local bit', 7, 0x01, 8, { when: isExtendedRequest }),
  replyState: bits('icmp.ext.echo.rsp.state', 'State', 7, 8, 0xe0, { values: NEIGHBOR_STATE, when: isExtendedReply }),
  replyReserved: bits('icmp.ext.echo.rsp.res', 'Reserved', 7, 8, 0x18, { base: 'hex', when: isExtendedReply }),
  replyActive: flag('icmp.ext.echo.rsp.active', 'Active bit', 7, 0x04, 8, { when: isExtendedReply }),
  replyIpv4: flag('icmp.ext.echo.rsp.ipv4', 'IPv4 bit', 7, 0x02, 8, { when: isExtendedReply }),
  replyIpv6: flag('icmp.ext.echo.rsp.ipv6', 'IPv6 bit', 7, 0x01, 8, { when: isExtendedReply }),
  ...responseRows('icmp', 'Request frame', 'Response time'),
  dataTime: computed('time', 'icmp.data_time', 'Timestamp from icmp data', sentAt),
  dataTimeRelative: computed('duration', 'icmp.data_time_relative', 'Timestamp from icmp data (relative)', sinceSent),
  /** Milliseconds since midnight UTC, as RFC 792 has it; not every sender keeps to that or to the byte order. */
  originateTimestamp: uint32('icmp.originate_timestamp', 'Originate Timestamp', 8, { when: hasTimestamps }),
  receiveTimestamp: uint32('icmp.receive_timestamp', 'Receive Timestamp', 12, { when: hasTimestamps }),
  transmitTimestamp: uint32('icmp.transmit_timestamp', 'Transmit Timestamp', 16, { when: hasTimestamps }),
  addressMask: ipv4('icmp.address_mask', 'Address Mask', 8, { when: hasMask }),
  gateway: ipv4('icmp.redir_gw', 'Gateway Address', 4, { when: isRedirect }),
  addressCount: uint8('icmp.num_addrs', 'Number of addresses', 4, { when: isRouterAdvertisement }),
  addressWords: uint8('icmp.addr_entry_size', 'Address entry size', 5, { when: isRouterAdvertisement }),
  /** Seconds. */
  lifetime: uint16('icmp.lifetime', 'Lifetime', 6, { unit: 'seconds', when: isRouterAdvertisement }),
  routers: many(ipv4('icmp.router_address', 'Router address')),
  preferences: many(int32('icmp.pref_level', 'Preference level')),
  mobileType: many(uint8('icmp.mip.type', 'Extension Type', { values: MOBILE_EXTENSION })),
  mobileLength: many(uint8('icmp.mip.length', 'Length')),
  mobileSequence: uint16('icmp.mip.seq', 'Sequence Number'),
  mobileLifetime: uint16('icmp.mip.life', 'Registration Lifetime'),
  mobileFlags: uint16('icmp.mip.flags', 'Flags', { base: 'hex' }),
  mobileRegistration: flag('icmp.mip.r', 'Registration Required', undefined, 0x8000, 16),
  mobileBusy: flag('icmp.mip.b', 'Busy', undefined, 0x4000, 16),
  mobileHome: flag('icmp.mip.h', 'Home Agent', undefined, 0x2000, 16),
  mobileForeign: flag('icmp.mip.f', 'Foreign Agent', undefined, 0x1000, 16),
  mobileMinimal: flag('icmp.mip.m', 'Minimal Encapsulation', undefined, 0x0800, 16),
  mobileGre: flag('icmp.mip.g', 'GRE', undefined, 0x0400, 16),
  mobileCompression: flag('icmp.mip.v', 'VJ Comp', undefined, 0x0200, 16),
  mobileReverse: flag('icmp.mip.rt', 'Reverse tunneling', undefined, 0x0100, 16),
  mobileUdp: flag('icmp.mip.u', 'UDP tunneling', undefined, 0x0080, 16),
  mobileRevocation: flag('icmp.mip.x', 'Revocation support', undefined, 0x0040, 16),
  mobileReserved: bits('icmp.mip.reserved', 'Reserved', undefined, 16, 0x003f, { base: 'hex' }),
  mobileAddresses: many(ipv4('icmp.mip.coa', 'Care-Of-Address')),
  mobilePrefixes: many(uint8('icmp.mip.prefixlength', 'Prefix Length')),
  mobileChallenge: many(bytes('icmp.mip.challenge', 'Challenge')),
  mobileContent: many(bytes('icmp.mip.content', 'Content')),
  pointer: uint32('icmp.pointer', 'Pointer'),
  unused: many(bytes('icmp.unused', 'Unused')),
  quotedWords: uint8('icmp.length', 'Length'),
  quotedLength: uint8('icmp.length.original_datagram', 'Length of original datagram'),
  /** Octets that fit the link that the datagram was too large for. */
  mtu: uint16('icmp.mtu', 'MTU of next hop'),
  ...extension,
  reserved: many(bytes('icmp.reserved', 'Reserved')),
};

const MOBILE_FLAGS: readonly Field[] = [
  fields.mobileRegistration,
  fields.mobileBusy,
  fields.mobileHome,
  fields.mobileForeign,
  fields.mobileMinimal,
  fields.mobileGre,
  fields.mobileCompression,
  fields.mobileReverse,
  fields.mobileUdp,
  fields.mobileRevocation,
  fields.mobileReserved,
];

/** An ICMP message; the layers of a datagram that it quotes follow. */
export class Icmp extends layer('icmp', 'Internet Control Message Protocol', fields) {
  /** The request that this echo reply answers, found by analysis/echo. */
  declare request: EchoRequest | undefined;
  /** Part of what another ICMP error quotes. */
  declare quoted: true | undefined;

  override walk(tree: Tree): void {
    const { start } = this;
    const t = type(this);
    if (isSized(t)) this.walkError(tree, t);
    else if (t === ROUTER_ADVERTISEMENT) this.walkAdvertisement(tree);
    else if (t === EXTENDED_REQUEST) walkExtensions(tree, extension, fields.reserved, start + HEADER_LENGTH, this.end);
  }

  /** The second word of an error, and what follows the datagram that it quotes. */
  private walkError(tree: Tree, t: number): void {
    const { start } = this;
    const words = this.bytes[start + 5]!;
    let at = start + 4;
    if (t === PARAMETER_PROBLEM) {
      if (at < tree.limit) tree.put(fields.pointer, this.bytes[at]!, at, 1);
      at++;
    }
    const hasMtu = t === UNREACHABLE && code(this) === FRAGMENTATION_NEEDED;
    const stop = hasMtu ? start + 6 : start + HEADER_LENGTH;
    if (words > 0 && start + 5 < tree.limit) {
      if (at < start + 5) tree.add(fields.unused, at, 1);
      tree.add(fields.quotedWords, start + 5);
      tree.put(fields.quotedLength, words * 4, start + 5, 1);
      if (stop > start + 6) tree.add(fields.unused, start + 6, 2);
    } else tree.add(fields.unused, at, stop - at);
    if (hasMtu) tree.add(fields.mtu, start + 6);
    const extended = extensionsAt(this);
    if (extended < this.end) walkExtensions(tree, extension, fields.reserved, extended, this.end);
  }

  /** Routers with their preference (RFC 1256 section 3), then extensions of mobile IP. */
  private walkAdvertisement(tree: Tree): void {
    const { bytes: b, start, end } = this;
    if (start + HEADER_LENGTH > this.captured) return;
    const entry = b[start + 5]! * 4;
    let at = start + HEADER_LENGTH;
    // At most 255 entries; one of no octets advances by none and is no entry.
    for (let i = 0; i < b[start + 4]! && entry >= 8 && at + entry <= end; i++, at += entry) {
      tree.add(fields.routers, at);
      tree.add(fields.preferences, at + 4);
    }
    // Each extension is at least one octet long.
    while (at < end && at < this.captured) {
      const kind = b[at]!;
      const length = kind === 0 ? 1 : 2 + (at + 1 < this.captured ? b[at + 1]! : 0);
      tree.heading(MOBILE_EXTENSION[kind] ?? 'Extension', at, length);
      tree.add(fields.mobileType, at);
      if (kind !== 0 && tree.add(fields.mobileLength, at + 1) && at + length <= end) this.walkMobile(tree, kind, at + 2, at + length);
      tree.close();
      at += length;
    }
  }

  private walkMobile(tree: Tree, kind: number, start: number, end: number): void {
    if (kind === 16 && start + 6 <= end) {
      tree.add(fields.mobileSequence, start);
      tree.add(fields.mobileLifetime, start + 2);
      tree.word(fields.mobileFlags, start + 4, MOBILE_FLAGS);
      for (let at = start + 6; at + 4 <= end; at += 4) tree.add(fields.mobileAddresses, at);
    } else if (kind === 19) for (let at = start; at < end; at++) tree.add(fields.mobilePrefixes, at);
    else if (end > start) tree.add(kind === 24 ? fields.mobileChallenge : fields.mobileContent, start, end - start);
  }

  /** `Echo (ping) request  id=0x0007, seq=1/256, ttl=64`, `Destination unreachable (Port unreachable)`. */
  override summary(out: TextBuffer): void {
    const { bytes: b, start } = this;
    if (start + 2 > this.captured) return out.ascii('ICMP');
    const t = type(this);
    const name = TYPE[t] ?? 'Unknown ICMP (obsolete or malformed?)';
    const from = out.length;
    out.ascii(name);
    if (start + HEADER_LENGTH > this.captured) return;
    const codes = CODE[t];
    if (isQuery(this)) {
      out.pad(from, 20);
      out.ascii(' id=0x');
      out.hex(u16(b, start + 4), 4);
      out.ascii(', seq=');
      out.number(u16(b, start + 6));
      out.ascii('/');
      out.number(u16le(b, start + 6));
      writeHops(out, this, ', ttl=');
    } else if (codes) {
      out.pad(from, 20);
      out.ascii(' (');
      out.ascii(codes[code(this)] ?? `Unknown code: ${code(this)}`);
      out.ascii(')');
    }
    writeAnswered(out, this);
  }
}

/** Where extensions begin: at the length that the error gives or, of old, after 128 octets; the end when there are none. */
function extensionsAt(l: Icmp): number {
  const { bytes: b, start, end } = l;
  if (!isSized(type(l)) || start + HEADER_LENGTH > l.captured) return end;
  const words = b[start + 5]!;
  const at = start + HEADER_LENGTH + Math.max(words, LEAST_WORDS) * 4;
  if (at + 4 > end || at + 4 > l.captured) return end;
  return words >= LEAST_WORDS || looksExtended(b, at, end) ? at : end;
}

const IPV4 = 0x0800;

export const dissectIcmp: Dissect = (frame, start, end) => {
  const icmp = new Icmp(frame, start, end);
  if (frame.quoted > 0) icmp.quoted = true;
  if (!frame.add(icmp, FIXED_LENGTH)) return;
  const t = type(icmp);
  if (isError(t)) {
    if (frame.require(icmp, HEADER_LENGTH)) dissectQuoted(frame, icmp, IPV4, start + HEADER_LENGTH, extensionsAt(icmp));
  } else if (t === ECHO_REQUEST || t === ECHO_REPLY) {
    if (!frame.require(icmp, HEADER_LENGTH)) return;
    if (frame.quoted === 0) frame.session.hooks.echo?.(frame, icmp, t === ECHO_REQUEST);
    frame.data(start + HEADER_LENGTH + (sentAt(icmp) === undefined ? 0 : 8), end);
  } else if (isQuery(icmp) || isRouterAdvertisement(icmp) || isExtendedEcho(icmp)) frame.require(icmp, HEADER_LENGTH);
};

export const icmp: ProtocolEntry = {
  name: 'icmp',
  layers: [Icmp],
  dissect: dissectIcmp,
  on: [ipProtocols.at(1, dissectIcmp)],
};
