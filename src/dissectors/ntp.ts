/**
 * Network Time Protocol: what time is it?
 *
 * RFC 5905 (version 4), RFC 1305 (version 3), RFC 7822 (extension fields), RFC 8915 (NTS), RFC 9327 (control messages).
 *
 *     0            1         2      3           4       8            12      16        24       32        40         48
 *     | li,vn,mode | stratum | poll | precision | delay | dispersion | refid | reftime | origin | receive | transmit | extensions, MAC
 */
import { bits, bytes, computed, group, list, uint8, uint16, uint32 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { type Dissect, type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';

const LEAP: Readonly<Record<number, string>> = {
  0: 'no warning',
  1: 'last minute of the day has 61 seconds',
  2: 'last minute of the day has 59 seconds',
  3: 'unknown (clock unsynchronized)',
};
const MODE: Readonly<Record<number, string>> = {
  0: 'reserved',
  1: 'symmetric active',
  2: 'symmetric passive',
  3: 'client',
  4: 'server',
  5: 'broadcast',
  6: 'control',
  7: 'private',
};
const CONTROL = 6;
const PRIVATE = 7;
const OPERATION: Readonly<Record<number, string>> = {
  1: 'read status',
  2: 'read variables',
  3: 'write variables',
  4: 'read clock variables',
  5: 'write clock variables',
  6: 'set trap address/port',
  7: 'trap response',
  8: 'runtime configuration',
  9: 'export configuration to file',
  10: 'retrieve MRU',
  11: 'retrieve ordered list',
  12: 'request client-specific nonce',
  31: 'unset trap address/port',
};
/** Requests of ntpd's own protocol, by their names in its sources; the ones that are seen. */
const REQUEST: Readonly<Record<number, string>> = {
  0: 'PEER_LIST',
  1: 'PEER_LIST_SUM',
  2: 'PEER_INFO',
  3: 'PEER_STATS',
  4: 'SYS_INFO',
  5: 'SYS_STATS',
  6: 'IO_STATS',
  7: 'MEM_STATS',
  8: 'LOOP_INFO',
  9: 'TIMER_STATS',
  10: 'CONFIG',
  11: 'UNCONFIG',
  16: 'GET_RESTRICT',
  20: 'MON_GETLIST',
  28: 'AUTHINFO',
  42: 'MON_GETLIST_1',
};
const STRATUM: Readonly<Record<number, string>> = { 0: 'unspecified or invalid', 1: 'primary reference', 16: 'unsynchronized' };
const EXTENSION: Readonly<Record<number, string>> = {
  260: 'Unique Identifier',
  516: 'NTS Cookie',
  772: 'NTS Cookie Placeholder',
  1028: 'NTS Authenticator and Encrypted Extension Fields',
  8197: 'Checksum Complement',
};

const HEADER_LENGTH = 48;
const CONTROL_LENGTH = 12;
const PRIVATE_LENGTH = 8;
/** RFC 7822 section 7.5. */
const SHORTEST_EXTENSION = 16;
/** Octets of a key's number and a digest by MD5 or SHA-1 (RFC 5905 section 7.3, RFC 7822 section 7.5.1.4). */
const SHORT_MAC = 20;
const LONG_MAC = 24;

/** From 1900-01-01, where NTP begins, to 1970-01-01, in seconds. */
const FROM_1900_TO_1970 = 2_208_988_800n;
const ERA = 0x1_0000_0000n;

const mode = (l: Layer): number => l.bytes[l.start]! & 7;
const version = (l: Layer): number => (l.bytes[l.start]! >> 3) & 7;
const isTime = (l: Layer): boolean => mode(l) < CONTROL;
const isControl = (l: Layer): boolean => mode(l) === CONTROL;
const isPrivate = (l: Layer): boolean => mode(l) === PRIVATE;
const isNotPrivate = (l: Layer): boolean => mode(l) !== PRIVATE;

/**
 * Nanoseconds since 1970 of the timestamp at `offset`: 32 bits of seconds, 32 bits of their fraction. Seconds without the
 * highest bit count from 2036-02-07 (RFC 5905 section 6). 0 means that there is none.
 */
const timestamp =
  (offset: number) =>
  (l: Layer): bigint | undefined => {
    const at = l.start + offset;
    if (at + 8 > Math.min(l.end, l.captured) || !isTime(l)) return undefined;
    const seconds = BigInt(u32(l.bytes, at));
    const fraction = BigInt(u32(l.bytes, at + 4));
    if (seconds === 0n && fraction === 0n) return 0n;
    const era = seconds < ERA / 2n ? ERA : 0n;
    return (era + seconds - FROM_1900_TO_1970) * 1_000_000_000n + ((fraction * 1_000_000_000n) >> 32n);
  };

const NO_TIME = { values: { 0: 'NULL' } } as const;

const extensionRows = {
  type: uint16('ntp.ext.type', 'Field Type', { base: 'hex', values: EXTENSION }),
  length: uint16('ntp.ext.length', 'Length'),
  value: bytes('ntp.ext.value', 'Value'),
};

const fields = {
  ...group(
    { flags: uint8('ntp.flags', 'Flags', 0, { base: 'hex' }) },
    {
      leap: bits('ntp.flags.li', 'Leap Indicator', 0, 8, 0xc0, { values: LEAP, when: isNotPrivate }),
      version: bits('ntp.flags.vn', 'Version number', 0, 8, 0x38),
      mode: bits('ntp.flags.mode', 'Mode', 0, 8, 0x07, { values: MODE }),
    },
  ),
  stratum: uint8('ntp.stratum', 'Peer Clock Stratum', 1, { values: STRATUM, when: isTime }),
  /** Binary logarithm of seconds. */
  poll: uint8('ntp.ppoll', 'Peer Polling Interval', 2, { when: isTime }),
  /** Binary logarithm of seconds, in two's complement. */
  precision: uint8('ntp.precision', 'Peer Clock Precision', 3, { when: isTime }),
  /** Seconds times 2^16. */
  rootDelay: uint32('ntp.rootdelay', 'Root Delay', 4, { when: isTime }),
  /** Seconds times 2^16. */
  rootDispersion: uint32('ntp.rootdispersion', 'Root Dispersion', 8, { when: isTime }),
  referenceId: bytes('ntp.refid', 'Reference ID', 12, 4, { when: isTime }),
  referenceTime: computed('time', 'ntp.reftime', 'Reference Timestamp', timestamp(16), NO_TIME),
  originTime: computed('time', 'ntp.org', 'Origin Timestamp', timestamp(24), NO_TIME),
  receiveTime: computed('time', 'ntp.rec', 'Receive Timestamp', timestamp(32), NO_TIME),
  transmitTime: computed('time', 'ntp.xmt', 'Transmit Timestamp', timestamp(40), NO_TIME),
  extensions: list('ntp.ext', 'Extension', extensionRows),
  keyId: bytes('ntp.keyid', 'Key ID'),
  mac: bytes('ntp.mac', 'Message Authentication Code'),
  ...group(
    { controlFlags: uint8('ntp.ctrl.flags2', 'Flags 2', 1, { base: 'hex', when: isControl }) },
    {
      controlResponse: bits('ntp.ctrl.flags2.r', 'Response bit', 1, 8, 0x80, { when: isControl }),
      controlError: bits('ntp.ctrl.flags2.error', 'Error bit', 1, 8, 0x40, { when: isControl }),
      controlMore: bits('ntp.ctrl.flags2.more', 'More bit', 1, 8, 0x20, { when: isControl }),
      controlOperation: bits('ntp.ctrl.flags2.opcode', 'Opcode', 1, 8, 0x1f, { values: OPERATION, when: isControl }),
    },
  ),
  controlSequence: uint16('ntp.ctrl.sequence', 'Sequence', 2, { when: isControl }),
  controlStatus: uint16('ntp.ctrl.status', 'Status', 4, { base: 'hex', when: isControl }),
  controlAssociation: uint16('ntp.ctrl.associd', 'AssociationID', 6, { when: isControl }),
  controlOffset: uint16('ntp.ctrl.offset', 'Offset', 8, { when: isControl }),
  controlCount: uint16('ntp.ctrl.count', 'Count', 10, { when: isControl }),
  privateResponse: bits('ntp.priv.flags.r', 'Response bit', 0, 8, 0x80, { when: isPrivate }),
  privateMore: bits('ntp.priv.flags.more', 'More bit', 0, 8, 0x40, { when: isPrivate }),
  privateAuthentication: bits('ntp.priv.auth', 'Auth bit', 1, 8, 0x80, { when: isPrivate }),
  privateSequence: bits('ntp.priv.seq', 'Sequence number', 1, 8, 0x7f, { when: isPrivate }),
  privateImplementation: uint8('ntp.priv.impl', 'Implementation', 2, { when: isPrivate }),
  privateRequest: uint8('ntp.priv.reqcode', 'Request code', 3, { values: REQUEST, when: isPrivate }),
  privateError: bits('ntp.priv.err', 'Err', 4, 8, 0xf0, { base: 'hex', when: isPrivate }),
  privateItems: bits('ntp.priv.numitems', 'Number of data items', 4, 16, 0x0fff, { when: isPrivate }),
};

const isMac = (length: number): boolean => length === SHORT_MAC || length === LONG_MAC;

/** An NTP message. */
export class Ntp extends layer('ntp', 'Network Time Protocol', fields) {
  /** What follows the timestamps: extensions of 16 octets at least, then a key and a digest. */
  override walk(tree: Tree): void {
    if (!isTime(this)) return;
    const end = Math.min(this.end, this.captured);
    let at = this.start + HEADER_LENGTH;
    // What has not the length of a MAC can only be an extension; older versions know none.
    while (version(this) >= 4 && end - at >= SHORTEST_EXTENSION && !isMac(end - at)) {
      const length = u16(this.bytes, at + 2);
      if (length < SHORTEST_EXTENSION || at + length > end) break;
      tree.item(fields.extensions, at, length, EXTENSION[u16(this.bytes, at)]);
      tree.add(extensionRows.type, at);
      tree.add(extensionRows.length, at + 2);
      tree.add(extensionRows.value, at + 4, length - 4);
      tree.close();
      at += length;
    }
    if (end - at >= 4) tree.add(fields.keyId, at, 4);
    if (end - at > 4) tree.add(fields.mac, at + 4, end - at - 4);
  }

  /** `NTP Version 4, client`. */
  override summary(out: TextBuffer): void {
    const { bytes: b, start } = this;
    if (start >= this.captured) return out.ascii('NTP');
    out.ascii('NTP Version ');
    out.number(version(this));
    out.ascii(', ');
    out.ascii(MODE[mode(this)]!);
    if (!isPrivate(this) || start + PRIVATE_LENGTH > this.captured) return;
    out.ascii(b[start]! & 0x80 ? ', Response, ' : ', Request, ');
    out.ascii(REQUEST[b[start + 3]!] ?? `code ${b[start + 3]}`);
  }
}

export const dissectNtp: Dissect = (frame, start, end) => {
  const ntp = new Ntp(frame, start, end);
  if (!frame.add(ntp, 1)) return;
  frame.require(ntp, isTime(ntp) ? HEADER_LENGTH : isControl(ntp) ? CONTROL_LENGTH : PRIVATE_LENGTH);
};

export const ntp: ProtocolEntry = { name: 'ntp', layers: [Ntp], dissect: dissectNtp, on: [udpPorts.at(123, dissectNtp)] };
