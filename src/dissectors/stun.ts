/**
 * Session Traversal Utilities for NAT, and TURN, which relays on top of it: what address do others see me under?
 *
 * RFC 8489 (STUN), RFC 8656 (TURN), RFC 8445 (ICE), RFC 5780 (NAT behaviour), RFC 3489 (classic STUN, without a cookie).
 *
 *     0      2        4        8    20              an attribute:  0      2        4
 *     | type | length | cookie | id | attributes …                 | type | length | value, padded to 4
 *
 *     channel data:  0         2        4
 *                    | channel | length | data …
 */

import { ipv4Text, ipv6Text } from '../core/addresses.js';
import {
  bits,
  bytes,
  computed,
  expert,
  type Field,
  flag,
  ipv4,
  ipv6,
  many,
  mark,
  string,
  uint8,
  uint16,
  uint32,
  uint64,
} from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { type Dissect, type ProtocolEntry, tcpPorts, udpPorts } from '../core/registry.js';
import { ALIEN, MORE, type StreamParser, type StreamProtocol } from '../core/stream.js';
import type { TextBuffer } from '../core/text.js';
import type { Nanoseconds } from '../core/time.js';
import { Udp } from './udp.js';

const CLASS: Readonly<Record<number, string>> = { 0: 'Request', 1: 'Indication', 16: 'Success Response', 17: 'Error Response' };
const METHOD: Readonly<Record<number, string>> = {
  1: 'Binding',
  2: 'SharedSecret',
  3: 'Allocate',
  4: 'Refresh',
  6: 'Send',
  7: 'Data',
  8: 'CreatePermission',
  9: 'Channel-Bind',
  10: 'Connect',
  11: 'ConnectionBind',
  12: 'ConnectionAttempt',
};
const MAPPED_ADDRESS = 0x0001;
const USERNAME = 0x0006;
const ERROR_CODE = 0x0009;
const CHANNEL_NUMBER = 0x000c;
const LIFETIME = 0x000d;
const XOR_PEER_ADDRESS = 0x0012;
const REALM = 0x0014;
const XOR_RELAYED_ADDRESS = 0x0016;
const REQUESTED_TRANSPORT = 0x0019;
const XOR_MAPPED_ADDRESS = 0x0020;
const RESERVATION_TOKEN = 0x0022;
const FINGERPRINT = 0x8028;
/** What Microsoft and old servers send instead of the one of RFC 5389. */
const OLD_XOR_MAPPED_ADDRESS = 0x8020;

/** IANA, "STUN Attributes", and those of Google and Microsoft that are seen. */
const ATTRIBUTE: Readonly<Record<number, string>> = {
  [MAPPED_ADDRESS]: 'MAPPED-ADDRESS',
  2: 'RESPONSE_ADDRESS',
  3: 'CHANGE_REQUEST',
  4: 'SOURCE_ADDRESS',
  5: 'CHANGED_ADDRESS',
  [USERNAME]: 'USERNAME',
  7: 'PASSWORD',
  8: 'MESSAGE-INTEGRITY',
  [ERROR_CODE]: 'ERROR-CODE',
  10: 'UNKNOWN-ATTRIBUTES',
  11: 'REFLECTED-FROM',
  [CHANNEL_NUMBER]: 'CHANNEL-NUMBER',
  [LIFETIME]: 'LIFETIME',
  14: 'MS-ALTERNATE-SERVER',
  15: 'MAGIC-COOKIE',
  16: 'BANDWIDTH',
  17: 'DESTINATION-ADDRESS',
  [XOR_PEER_ADDRESS]: 'XOR-PEER-ADDRESS',
  19: 'DATA',
  [REALM]: 'REALM',
  21: 'NONCE',
  [XOR_RELAYED_ADDRESS]: 'XOR-RELAYED-ADDRESS',
  23: 'REQUESTED-ADDRESS-FAMILY',
  24: 'EVEN-PORT',
  [REQUESTED_TRANSPORT]: 'REQUESTED-TRANSPORT',
  26: 'DONT-FRAGMENT',
  27: 'ACCESS-TOKEN',
  28: 'MESSAGE-INTEGRITY-SHA256',
  29: 'PASSWORD-ALGORITHM',
  30: 'USERHASH',
  [XOR_MAPPED_ADDRESS]: 'XOR-MAPPED-ADDRESS',
  [RESERVATION_TOKEN]: 'RESERVATION-TOKEN',
  36: 'PRIORITY',
  37: 'USE-CANDIDATE',
  38: 'PADDING',
  /** XOR-RESPONSE-TARGET before RFC 5780 had a number for RESPONSE-PORT. */
  39: 'RESPONSE-PORT',
  40: 'XOR-REFLECTED-FROM',
  42: 'CONNECTION-ID',
  48: 'ICMP (draft)',
  32768: 'ADDITIONAL-ADDRESS-FAMILY',
  32769: 'ADDRESS-ERROR-CODE',
  32770: 'PASSWORD-ALGORITHMS',
  32771: 'ALTERNATE-DOMAIN',
  32772: 'ICMP',
  32774: 'Unknown8006',
  32776: 'MS-VERSION',
  [OLD_XOR_MAPPED_ADDRESS]: 'XOR-MAPPED-ADDRESS',
  32802: 'SOFTWARE',
  32803: 'ALTERNATE-SERVER',
  32805: 'TRANSACTION_TRANSMIT_COUNTER',
  32807: 'CACHE-TIMEOUT',
  [FINGERPRINT]: 'FINGERPRINT',
  32809: 'ICE-CONTROLLED',
  32810: 'ICE-CONTROLLING',
  32811: 'RESPONSE-ORIGIN',
  32812: 'OTHER-ADDRESS',
  32813: 'ECN-CHECK-STUN',
  32818: 'MS-ALTERNATE-HOST-NAME',
  32823: 'MS-APP-ID',
  32848: 'MS-SEQUENCE-NUMBER',
  32852: 'CANDIDATE-IDENTIFIER',
  32853: 'SERVICE-QUALITY',
  32854: 'MS-BANDWIDTH-ADMISSION-CONTROL-MESSAGE',
  32855: 'MS-BANDWIDTH-RESERVATION-IDENTIFIER',
  32856: 'MS-BANDWIDTH-RESERVATION-AMOUNT',
  32857: 'MS-REMOTE-SITE-ADDRESS',
  32858: 'MS-REMOTE-RELAY-SITE-ADDRESS',
  32859: 'MS-LOCAL-SITE-ADDRESS',
  32860: 'MS-LOCAL-RELAY-SITE-ADDRESS',
  32865: 'MS-SIP-DIALOG-ID',
  32866: 'MS-SIP-CALL-ID',
  32872: 'MS-LOCATION-PROFILE',
  32880: 'MS-IMPLEMENTATION-VERSION',
  32912: 'MS-ALTERNATE-MAPPED-ADDRESS',
  32917: 'MS-MULTIPLEXED-TURN-SESSION-ID',
  49152: 'CISCO-STUN-FLOWDATA',
  49153: 'ENF-FLOW-DESCRIPTION',
  49154: 'ENF-NETWORK-STATUS',
  49239: 'GOOG-NETWORK-INFO',
  49240: 'GOOG-LAST-ICE-CHECK-RECEIVED',
  49241: 'GOOG-MISC-INFO',
  49242: 'GOOG-OBSOLETE-1',
  49243: 'GOOG-CONNECTION-ID',
  49244: 'GOOG-DELTA',
  49245: 'GOOG-DELTA-ACK',
  49248: 'GOOG-MESSAGE-INTEGRITY-32',
  65285: 'GOOG-LOGGING-ID',
};
const FAMILY: Readonly<Record<number, string>> = { 1: 'IPv4', 2: 'IPv6' };
const TRANSPORT: Readonly<Record<number, string>> = { 6: 'TCP', 17: 'UDP' };
const NETWORK_COST: Readonly<Record<number, string>> = {
  0: 'Min',
  10: 'Low',
  50: 'Unknown',
  250: 'Cellular5G',
  500: 'Cellular4G',
  900: 'Cellular',
  910: 'Cellular3G',
  980: 'Cellular2G',
  999: 'Max',
};
/** RFC 8489 section 14.8, RFC 8656 section 19. */
const ERROR: Readonly<Record<number, string>> = {
  300: 'Try Alternate',
  400: 'Bad Request',
  401: 'Unauthenticated',
  403: 'Forbidden',
  420: 'Unknown Attribute',
  437: 'Allocation Mismatch',
  438: 'Stale Nonce',
  440: 'Address Family not Supported',
  441: 'Wrong Credentials',
  442: 'Unsupported Transport Protocol',
  443: 'Peer Address Family Mismatch',
  446: 'Connection Already Exists',
  447: 'Connection Timeout or Failure',
  486: 'Allocation Quota Reached',
  487: 'Role Conflict',
  500: 'Server Error',
  508: 'Insufficient Capacity',
};

const HEADER_LENGTH = 20;
const CHANNEL_HEADER_LENGTH = 4;
const COOKIE = 0x2112a442;
/** XORed onto the CRC-32 so that it differs from that of protocols inside (RFC 8489 section 14.7): "STUN". */
const FINGERPRINT_MASK = 0x5354554e;

/** Microsoft's own channel, whose data begins with the number of the session it is multiplexed for (MS-TURN section 2.2.3). */
const MULTIPLEXED = 0xff10;
const isMultiplexed = (l: Layer): boolean => l.bytes[l.start] === 0xff && l.bytes[l.start + 1] === 0x10;
/** Channels are numbered from 0x4000, up to 0x7fff (RFC 5766 section 11) or 0x4fff (RFC 8656 section 12). */
const isChannelAt = (octets: Uint8Array, at: number): boolean => (octets[at]! & 0xc0) === 0x40;
const isChannel = (l: Layer): boolean => isChannelAt(l.bytes, l.start) || isMultiplexed(l);
const isMessage = (l: Layer): boolean => !isChannel(l);
const hasCookie = (l: Layer): boolean => u32(l.bytes, l.start + 4) === COOKIE;

/** The exchange that a message belongs to, as far as earlier frames tell. */
export interface StunExchange {
  /** The frame of the request that this response answers. */
  readonly request: number | undefined;
  /** The frame of the response to this (repeated) request. */
  readonly response: number | undefined;
  /** The frame that brought the same message before. */
  readonly original: number | undefined;
  /** Nanoseconds since the request. */
  readonly time: Nanoseconds | undefined;
}

interface Message extends Layer {
  readonly exchange: StunExchange | undefined;
  readonly framed: number | undefined;
}

const fields = {
  frameLength: computed<'uint16', Message>('uint16', 'stun.tcp_frame_length', 'TCP Frame Length', (l) => l.framed),
  channel: uint16('stun.channel', 'Channel Number', 0, { base: 'hex', when: isChannel }),
  type: uint16('stun.type', 'Message Type', 0, { base: 'hex', when: isMessage }),
  messageClass: bits('stun.type.class', 'Message Class', 0, 16, 0x0110, { base: 'hex', values: CLASS, when: isMessage }),
  method: bits('stun.type.method', 'Message Method', 0, 16, 0x3eef, { base: 'hex', values: METHOD, when: isMessage }),
  methodAssignment: bits('stun.type.method-assignment', 'Message Method Assignment', 0, 16, 0x2000, { base: 'hex', when: isMessage }),
  length: uint16('stun.length', 'Message Length', 2),
  turnSession: uint64('stun.att.ms.turn_session_id', 'MS TURN Session Id', 4, { base: 'hex', when: isMultiplexed }),
  cookie: bytes('stun.cookie', 'Message Cookie', 4, 4, { when: (l) => isMessage(l) && hasCookie(l) }),
  id: bytes(
    'stun.id',
    'Message Transaction ID',
    (l) => (hasCookie(l) ? 8 : 4),
    (l) => (hasCookie(l) ? 12 : 16),
    { when: isMessage },
  ),
  responseTo: computed<'frame', Message>('frame', 'stun.response-to', 'Request In', (l) => l.exchange?.request),
  responseIn: computed<'frame', Message>('frame', 'stun.response-in', 'Response In', (l) => l.exchange?.response),
  time: computed<'duration', Message>('duration', 'stun.time', 'Time', (l) => l.exchange?.time, { unit: 'seconds' }),
  original: computed<'frame', Message>('frame', 'stun.reqduplicate', 'Duplicated original message in', (l) => l.exchange?.original),
  networkVersion: computed('uint8', 'stun.network_version', 'STUN Network Version', (l) =>
    isMessage(l) && l.start + HEADER_LENGTH <= l.captured && u16(l.bytes, l.start + 2) > 0 ? (hasCookie(l) ? 3 : 2) : undefined,
  ),
  wrongLength: expert(
    'error',
    'protocol',
    'stun.wrong_msglen',
    'Packet length is not multiple of 4 bytes',
    (l) => l.start + HEADER_LENGTH <= l.captured && isMessage(l) && u16(l.bytes, l.start + 2) % 4 !== 0,
  ),
  attributes: mark('stun.attributes', 'Attributes'),
  attribute: many(uint16('stun.attribute', 'Attribute Type', { base: 'hex', values: ATTRIBUTE })),
  attributeType: many(uint16('stun.att.type', 'Attribute Type', { base: 'hex', values: ATTRIBUTE })),
  comprehension: many(bits('stun.att.type.comprehension', 'Attribute Type Comprehension', undefined, 16, 0x8000, { base: 'hex' })),
  assignment: many(bits('stun.att.type.assignment', 'Attribute Type Assignment', undefined, 16, 0x4000, { base: 'hex' })),
  attributeLength: many(uint16('stun.att.length', 'Attribute Length')),
  unknown: many(expert('warn', 'undecoded', 'stun.unknown_attribute', 'Attribute unknown')),
  value: many(bytes('stun.value', 'Value')),
  algorithm: many(uint16('stun.att.pw_alg', 'Password Algorithm', { values: { 1: 'MD5', 2: 'SHA-256' } })),
  algorithmLength: many(uint16('stun.att.pw_alg_len', 'Password Algorithm Length')),
  algorithmData: many(bytes('stun.att.pw_alg_data', 'Password Algorithm Data')),
  icmpType: uint8('stun.att.icmp.type', 'ICMP type'),
  icmpCode: uint8('stun.att.icmp.code', 'ICMP code'),
  reserved: many(bytes('stun.att.reserved', 'Reserved')),
  family: many(uint8('stun.att.family', 'Protocol Family', { base: 'hex', values: FAMILY })),
  xorPort: many(bytes('stun.att.port-xord', 'Port (XOR-d)')),
  port: many(uint16('stun.att.port', 'Port')),
  xorIpv4: many(bytes('stun.att.ipv4-xord', 'IP (XOR-d)')),
  ipv4: many(ipv4('stun.att.ipv4', 'IP')),
  xorIpv6: many(bytes('stun.att.ipv6-xord', 'IP (XOR-d)')),
  ipv6: many(ipv6('stun.att.ipv6', 'IP')),
  username: string('stun.att.username', 'Username'),
  password: bytes('stun.att.password', 'Password'),
  integrity: many(bytes('stun.att.hmac', 'HMAC-SHA1')),
  crc: many(uint32('stun.att.crc32', 'CRC-32', { base: 'hex' })),
  crcStatus: many(uint8('stun.att.crc32.status', 'CRC-32 Status', { values: { 0: 'Bad', 1: 'Good', 2: 'Unverified' } })),
  crcBad: many(expert('warn', 'checksum', 'stun.att.crc32.bad', 'Bad Fingerprint')),
  errorClass: bits('stun.att.error.class', 'Error Class', undefined, 8, 0x07),
  error: uint8('stun.att.error', 'Error Code'),
  reason: string('stun.att.error.reason', 'Error Reason Phrase'),
  realm: string('stun.att.realm', 'Realm'),
  nonce: string('stun.att.nonce', 'Nonce'),
  unknownTypes: many(uint16('stun.att.unknown', 'Unknown Attribute', { base: 'hex' })),
  software: string('stun.att.software', 'Software'),
  priority: uint32('stun.att.priority', 'Priority'),
  tieBreaker: bytes('stun.att.tie-breaker', 'Tie breaker'),
  /** Seconds. */
  lifetime: uint32('stun.att.lifetime', 'Lifetime'),
  changeIp: flag('stun.att.change-ip', 'Change IP', undefined, 0x04),
  changePort: flag('stun.att.change-port', 'Change Port', undefined, 0x02),
  reserveNext: bits('stun.att.even-port.reserve-next', 'Reserve next', undefined, 8, 0x80),
  token: many(bytes('stun.att.token', 'Token')),
  transport: many(uint8('stun.att.transp', 'Transport', { base: 'hex', values: TRANSPORT })),
  channelNumber: uint16('stun.att.channelnum', 'Channel-Number', { base: 'hex' }),
  /** Seconds. */
  cacheTimeout: uint32('stun.att.cache-timeout', 'Cache timeout'),
  oldCookie: uint32('stun.att.magic_cookie', 'Magic Cookie', { base: 'hex' }),
  /** kbit/s. */
  bandwidth: uint32('stun.port.bandwidth', 'Bandwidth'),
  unknown8006: bytes('stun.att.unknown8006', 'Unknown8006'),
  microsoftVersion: uint32('stun.att.ms.version', 'MS Version'),
  microsoftIce: uint32('stun.att.ms.version.ice', 'MS ICE Version'),
  connectionId: bytes('stun.att.ms.connection_id', 'Connection ID'),
  sequenceNumber: uint32('stun.att.ms.sequence_number', 'Sequence Number'),
  foundation: string('stun.att.ms.foundation', 'Foundation'),
  streamType: uint16('stun.att.ms.stream_type', 'Stream Type'),
  serviceQuality: uint16('stun.att.ms.service_quality', 'Service Quality'),
  multiplexedSession: uint64('stun.att.ms.multiplexed_turn_session_id', 'MS Multiplexed TURN Session Id', { base: 'hex' }),
  networkId: uint16('stun.att.google.network_id', 'Google Network ID'),
  networkCost: uint16('stun.att.google.network_cost', 'Google Network Cost', { values: NETWORK_COST }),
  padding: many(uint16('stun.att.padding', 'Padding')),
};

/** Attributes whose value is one row. */
const SIMPLE: Readonly<Record<number, Field>> = {
  [USERNAME]: fields.username,
  7: fields.password,
  8: fields.integrity,
  [LIFETIME]: fields.lifetime,
  15: fields.oldCookie,
  16: fields.bandwidth,
  [REALM]: fields.realm,
  21: fields.nonce,
  36: fields.priority,
  32774: fields.unknown8006,
  32776: fields.microsoftVersion,
  32802: fields.software,
  32807: fields.cacheTimeout,
  32809: fields.tieBreaker,
  32810: fields.tieBreaker,
  32852: fields.foundation,
  32880: fields.microsoftIce,
  32917: fields.multiplexedSession,
};
const PLAIN_ADDRESSES: ReadonlySet<number> = new Set([MAPPED_ADDRESS, 2, 4, 5, 0x0b, 0x0e, 0x11, 0x8023, 0x802b, 0x802c, 0x8090]);
const XOR_ADDRESSES: ReadonlySet<number> = new Set([
  XOR_PEER_ADDRESS,
  XOR_RELAYED_ADDRESS,
  XOR_MAPPED_ADDRESS,
  0x0028,
  OLD_XOR_MAPPED_ADDRESS,
  0x8059,
  0x805a,
  0x805b,
  0x805c,
]);
/** Attributes that are there or not. */
const FLAGS: ReadonlySet<number> = new Set([0x001a, 0x0025]);

/** A STUN or TURN message. */
export class Stun extends layer('stun', 'Session Traversal Utilities for NAT', fields) {
  /** What analysis/stun-exchanges knows of its request or response. */
  declare exchange: StunExchange | undefined;
  /** The length before a message that shares its TCP connection with RTP (RFC 4571). */
  declare framed: number | undefined;

  override walk(tree: Tree): void {
    if (isChannel(this)) return;
    const end = Math.min(this.end, this.captured);
    const from = this.start + HEADER_LENGTH;
    if (from + 4 > end) return;
    tree.openPut(fields.attributes, true, from, end - from);
    // Each attribute is at least four octets long.
    for (let at = from; at + 4 <= end; ) {
      const type = u16(this.bytes, at);
      const length = u16(this.bytes, at + 2);
      const value = at + 4;
      // As in Wireshark, only attributes that are known are listed by type.
      if (ATTRIBUTE[type] === undefined) {
        tree.heading(`Unknown attribute 0x${type.toString(16).padStart(4, '0')}`, at, 4);
        tree.put(fields.unknown, true, at, 2);
      } else {
        tree.open(fields.attribute, at);
        tree.add(fields.attributeType, at);
        tree.add(fields.comprehension, at);
        tree.add(fields.assignment, at);
      }
      tree.add(fields.attributeLength, at + 2);
      if (value + length > end) break;
      this.walkValue(tree, type, value, value + length);
      const padding = hasCookie(this) ? -length & 3 : 0;
      if (padding > 0) tree.put(fields.padding, padding, value + length, Math.min(padding, end - value - length));
      tree.close();
      at = value + length + padding;
    }
  }

  private walkValue(tree: Tree, type: number, at: number, end: number): void {
    const length = end - at;
    const row = SIMPLE[type];
    if (row) {
      const needs = row.length as number;
      if (needs === 0 ? length > 0 : length >= needs) tree.add(row, at, needs === 0 ? length : needs);
    } else if (PLAIN_ADDRESSES.has(type)) walkAddress(tree, at, end);
    else if (XOR_ADDRESSES.has(type)) this.walkXorAddress(tree, at, end);
    else if (type === FINGERPRINT && length >= 4) {
      tree.add(fields.crc, at);
      const good = (crc32(this.bytes, this.start, at - 4) ^ FINGERPRINT_MASK) >>> 0 === u32(this.bytes, at);
      tree.put(fields.crcStatus, good ? 1 : 0);
      if (!good) tree.put(fields.crcBad, true);
    } else if (type === ERROR_CODE && length >= 4) {
      tree.add(fields.reserved, at, 2);
      tree.add(fields.errorClass, at + 2);
      tree.add(fields.error, at + 3);
      if (length > 4) tree.add(fields.reason, at + 4, length - 4);
    } else if (type === REQUESTED_TRANSPORT && length >= 4) {
      tree.add(fields.transport, at);
      tree.add(fields.reserved, at + 1, 3);
    } else if (type === CHANNEL_NUMBER && length >= 4) {
      tree.add(fields.channelNumber, at);
      tree.add(fields.reserved, at + 2, 2);
    } else if (type === 0x0017 && length >= 4) {
      tree.add(fields.family, at);
      tree.add(fields.reserved, at + 1, 3);
    } else if (type === RESERVATION_TOKEN && length >= 8) tree.add(fields.token, at, 8);
    else if (type === 0x0018 && length >= 1) tree.add(fields.reserveNext, at);
    else if (type === 0x0003 && length >= 4) {
      tree.add(fields.changeIp, at + 3);
      tree.add(fields.changePort, at + 3);
    } else if (type === 0x000a) for (let i = at; i + 2 <= end; i += 2) tree.add(fields.unknownTypes, i);
    else if (type === 0xc057 && length >= 4) {
      tree.add(fields.networkId, at);
      tree.add(fields.networkCost, at + 2);
    } else if (type === 0x8050 && length >= 24) {
      tree.add(fields.connectionId, at, 20);
      tree.add(fields.sequenceNumber, at + 20);
    } else if (type === 0x001d || type === 0x8002) {
      // Each algorithm takes four octets and its parameters, padded (RFC 8489 section 14.11).
      for (let i = at; i + 4 <= end; i += 4 + ((u16(this.bytes, i + 2) + 3) & ~3)) {
        const parameters = u16(this.bytes, i + 2);
        tree.add(fields.algorithm, i);
        tree.add(fields.algorithmLength, i + 2);
        if (parameters > 0 && i + 4 + parameters <= end) tree.add(fields.algorithmData, i + 4, parameters);
      }
    } else if ((type === 0x0030 || type === 0x8004) && length >= 4) {
      tree.add(fields.icmpType, at);
      tree.add(fields.icmpCode, at + 1);
    } else if (type === 0x8055 && length >= 4) {
      tree.add(fields.streamType, at);
      tree.add(fields.serviceQuality, at + 2);
    } else if (!FLAGS.has(type)) {
      if (length > 0) tree.add(fields.value, at, length);
    }
  }

  /** An address with the cookie and the transaction's number laid over it (RFC 8489 section 14.2). */
  private walkXorAddress(tree: Tree, at: number, end: number): void {
    const { bytes: b, start } = this;
    if (at + 4 > end) return;
    tree.add(fields.reserved, at, 1);
    tree.add(fields.family, at + 1);
    tree.add(fields.xorPort, at + 2, 2);
    tree.put(fields.port, u16(b, at + 2) ^ u16(b, start + 4), at + 2, 2);
    if (b[at + 1] === 1 && at + 8 <= end) {
      tree.add(fields.xorIpv4, at + 4, 4);
      tree.put(fields.ipv4, (u32(b, at + 4) ^ u32(b, start + 4)) >>> 0, at + 4, 4);
    } else if (b[at + 1] === 2 && at + 20 <= end) {
      tree.add(fields.xorIpv6, at + 4, 16);
      tree.put(fields.ipv6, this.clear(at + 4), at + 4, 16);
    }
  }

  /** The 16 octets at `at` without what is laid over them. */
  private clear(at: number): Uint8Array {
    return Uint8Array.from({ length: 16 }, (_, i) => this.bytes[at + i]! ^ this.bytes[this.start + 4 + i]!);
  }

  /** `Binding Success Response XOR-MAPPED-ADDRESS: 192.0.2.1:50006`. */
  override summary(out: TextBuffer): void {
    const { bytes: b, start } = this;
    if (start + CHANNEL_HEADER_LENGTH > this.captured) return out.ascii('STUN');
    if (isChannel(this)) {
      out.ascii('ChannelData TURN Message');
      return;
    }
    const type = u16(b, start);
    out.ascii(METHOD[type & 0x3eef] ?? `Unknown method 0x${(type & 0x3eef).toString(16)}`);
    out.ascii(' ');
    out.ascii(CLASS[(type & 0x0110) >> 4]!);
    const end = Math.min(this.end, this.captured);
    for (let at = start + HEADER_LENGTH; at + 4 <= end; ) {
      const length = u16(b, at + 2);
      if (at + 4 + length > end) return;
      this.writeAttribute(out, u16(b, at), at + 4, at + 4 + length);
      at += 4 + length + (hasCookie(this) ? -length & 3 : 0);
    }
  }

  private writeAttribute(out: TextBuffer, type: number, at: number, end: number): void {
    const { bytes: b } = this;
    const isXor = XOR_ADDRESSES.has(type);
    if (isXor || PLAIN_ADDRESSES.has(type)) {
      const isV4 = b[at + 1] === 1 && at + 8 <= end;
      if (!isV4 && (b[at + 1] !== 2 || at + 20 > end)) return;
      out.ascii(` ${ATTRIBUTE[type]}: `);
      if (isV4) out.ascii(ipv4Text((u32(b, at + 4) ^ (isXor ? u32(b, this.start + 4) : 0)) >>> 0));
      else {
        out.ascii('[');
        out.ascii(isXor ? ipv6Text(this.clear(at + 4), 0) : ipv6Text(b, at + 4));
        out.ascii(']');
      }
      out.ascii(':');
      out.number(u16(b, at + 2) ^ (isXor ? u16(b, this.start + 4) : 0));
    } else if (type === USERNAME) out.text(` user: ${this.username ?? ''}`);
    else if (type === REALM) out.text(` realm: ${this.realm ?? ''}`);
    else if (type === 0x0015) out.ascii(' with nonce');
    else if (type === LIFETIME && at + 4 <= end) out.ascii(` lifetime: ${u32(b, at)}`);
    else if (type === 0x0010 && at + 4 <= end) out.ascii(` bandwidth: ${u32(b, at)}`);
    else if (type === CHANNEL_NUMBER && at + 4 <= end) out.ascii(` ChannelNumber=0x${u16(b, at).toString(16)}`);
    else if (type === REQUESTED_TRANSPORT && at < end) out.ascii(` ${TRANSPORT[b[at]!] ?? `protocol ${b[at]}`}`);
    else if (type === ERROR_CODE && at + 4 <= end) {
      const code = (b[at + 2]! & 7) * 100 + b[at + 3]!;
      out.ascii(` error-code: ${code} (${ERROR[code] ?? 'Unknown error code'})`);
      if (this.reason !== undefined) out.text(` ${this.reason}`);
    }
  }
}

/** An address in the clear. */
function walkAddress(tree: Tree, at: number, end: number): void {
  if (at + 4 > end) return;
  tree.add(fields.reserved, at, 1);
  tree.add(fields.family, at + 1);
  tree.add(fields.port, at + 2);
  if (tree.bytes[at + 1] === 1 && at + 8 <= end) tree.add(fields.ipv4, at + 4);
  else if (tree.bytes[at + 1] === 2 && at + 20 <= end) tree.add(fields.ipv6, at + 4);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, octet) => {
  let crc = octet;
  for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 of ITU V.42, as FINGERPRINT uses it. */
function crc32(octets: Uint8Array, start: number, end: number): number {
  let crc = 0xffffffff;
  for (let i = start; i < end; i++) crc = CRC_TABLE[(crc ^ octets[i]!) & 255]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const hasMethod = (octets: Uint8Array, at: number): boolean => octets[at]! < 0x40 && METHOD[u16(octets, at) & 0x3eef] !== undefined;

/** On any port: a message with the cookie whose length is that of the datagram; nothing else has both. */
export function isStun(octets: Uint8Array, start: number, end: number): boolean {
  return (
    end - start >= HEADER_LENGTH &&
    u32(octets, start + 4) === COOKIE &&
    u16(octets, start + 2) === end - start - HEADER_LENGTH &&
    (end - start) % 4 === 0 &&
    hasMethod(octets, start)
  );
}

/** On STUN's port: also messages of RFC 3489, which have no cookie, and channel data of TURN. */
function isStunHere(octets: Uint8Array, start: number, end: number, captured: number): boolean {
  if (start + CHANNEL_HEADER_LENGTH > captured) return false;
  const rest = end - start - CHANNEL_HEADER_LENGTH - u16(octets, start + 2);
  if (isChannelAt(octets, start) || u16(octets, start) === MULTIPLEXED) return rest >= 0 && rest <= 3;
  if (start + HEADER_LENGTH > captured) return false;
  const beyond = rest - (HEADER_LENGTH - CHANNEL_HEADER_LENGTH);
  // The cookie tells a message also where its method is unknown; from 0x100 on none will be assigned (RFC 8489 section 18.2).
  if (u32(octets, start + 4) === COOKIE) return octets[start]! < 0x04 && beyond >= 0;
  if (!hasMethod(octets, start)) return false;
  // Without a cookie, others on the port are told by their first attribute.
  const first = start + HEADER_LENGTH;
  return beyond === 0 && (first === end || (first + 2 <= captured && ATTRIBUTE[u16(octets, first)] !== undefined));
}

/** STUN wherever it was recognised or asked for. */
export const dissectStun: Dissect = (frame: Frame, start, end) => {
  const stun = new Stun(frame, start, end);
  if (!frame.add(stun, CHANNEL_HEADER_LENGTH)) return;
  const length = u16(stun.bytes, start + 2);
  if (isChannel(stun)) {
    const stop = Math.min(end, start + CHANNEL_HEADER_LENGTH + length);
    stun.end = stop;
    return frame.data(start + CHANNEL_HEADER_LENGTH + (isMultiplexed(stun) ? 8 : 0), stop);
  }
  if (!frame.require(stun, HEADER_LENGTH)) return;
  stun.end = Math.min(end, start + HEADER_LENGTH + length);
  if (frame.quoted > 0) return;
  frame.session.hooks.stun?.(frame, stun);
  const { transport } = frame;
  if (transport instanceof Udp && transport.stream >= 0) frame.session.expected.claim(transport.stream, dissectAfter);
};

/** Channel data of TURN that fills its datagram, but for padding to whole words; channels are 0x4000 to 0x4fff (RFC 8656 section 12). */
function isChannelData(octets: Uint8Array, start: number, end: number): boolean {
  if (end - start < CHANNEL_HEADER_LENGTH || octets[start]! >> 4 !== 4) return false;
  const rest = end - start - CHANNEL_HEADER_LENGTH - u16(octets, start + 2);
  return rest >= 0 && rest <= 3;
}

/** Where messages were seen, channel data follows, and what peers found each other by them for. */
const dissectAfter: Dissect = (frame, start, end) => {
  if (start + CHANNEL_HEADER_LENGTH <= frame.captured && isChannelData(frame.bytes, start, end)) return dissectStun(frame, start, end);
  recognised(frame, start, end);
};

/** As if no port said anything. */
function recognised(frame: Frame, start: number, end: number): void {
  for (const { recognise, dissect } of frame.session.registry.udpRecognisers)
    if (recognise(frame.bytes, start, Math.min(end, frame.captured), frame)) return dissect(frame, start, end);
  frame.data(start, end);
}

/** STUN's port also carries what peers found each other by it for: DTLS, RTP. Those are told by their own first octets. */
const dissectOnPort: Dissect = (frame, start, end) => {
  if (isStunHere(frame.bytes, start, end, frame.captured)) return dissectStun(frame, start, end);
  recognised(frame, start, end);
};

/** Octets of a length before a message (RFC 4571 section 2). */
const FRAME_LENGTH = 2;

/** The cookie of a message at `at`, whose method is known. */
const isMessageAt = (octets: Uint8Array, at: number): boolean => hasMethod(octets, at) && u32(octets, at + 4) === COOKIE;

/**
 * Messages and channel data one after the other (RFC 8656 section 12.5: padded to 4 octets), or each with its length before it.
 */
class StunParser implements StreamParser {
  /** A message came: what looks like text may be a channel's number. */
  private settled = false;

  measure(octets: Uint8Array, start: number, end: number): number {
    const have = end - start;
    if (have < CHANNEL_HEADER_LENGTH) return MORE;
    if (this.isChannel(octets, start)) return this.whole(CHANNEL_HEADER_LENGTH + ((u16(octets, start + 2) + 3) & ~3), have);
    if (have < FRAME_LENGTH + 8) return MORE;
    if (isMessageAt(octets, start)) return this.whole(HEADER_LENGTH + u16(octets, start + 2), have);
    return isMessageAt(octets, start + FRAME_LENGTH) ? this.whole(FRAME_LENGTH + u16(octets, start), have) : ALIEN;
  }

  private isChannel(octets: Uint8Array, start: number): boolean {
    return octets[start]! >> 4 === 4 || (this.settled && isChannelAt(octets, start));
  }

  private whole(length: number, have: number): number {
    return length <= have ? length : MORE;
  }

  dissect(frame: Frame, start: number, end: number): void {
    const isFramed = !this.isChannel(frame.bytes, start) && !isMessageAt(frame.bytes, start);
    this.settled = true;
    if (!isFramed) return dissectStun(frame, start, end);
    const first = frame.depth;
    dissectStun(frame, start + FRAME_LENGTH, end);
    const message = frame.at(first);
    if (message instanceof Stun) message.framed = u16(frame.bytes, start);
  }
}

/** A message with the cookie and a whole number of words at `at`. */
const beginsAt = (octets: Uint8Array, at: number, end: number): boolean =>
  end - at >= HEADER_LENGTH && isMessageAt(octets, at) && u16(octets, at + 2) % 4 === 0;

const stream: StreamProtocol = {
  name: 'stun',
  sized: true,
  parser: () => new StunParser(),
  recognise: (octets, start, end) => {
    const framed = start + FRAME_LENGTH;
    if (beginsAt(octets, start, end)) return true;
    return beginsAt(octets, framed, end) && u16(octets, start) === HEADER_LENGTH + u16(octets, framed + 2);
  },
};

export const stun: ProtocolEntry = {
  name: 'stun',
  layers: [Stun],
  dissect: dissectStun,
  stream,
  on: [udpPorts.at(3478, dissectOnPort), tcpPorts.at(3478, stream)],
  recogniser: { over: 'udp', order: 0, recognise: isStun },
};
