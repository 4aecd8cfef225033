/**
 * Protocol Independent Multicast: routers build the trees along which multicast traffic flows, and hand a source's first
 * packets to the rendezvous point inside Register messages.
 *
 * RFC 7761 sections 4.9 (header), 4.9.2 (Hello), 4.9.3 (Register), 4.9.4 (Register-Stop); IANA "PIM Message Types".
 *
 *     0              1          2          4
 *     | version,type | reserved | checksum | message …       Register: border, null bits (4), then the packet
 */
import { foldChecksum, sumWords } from '../core/checksum.js';
import { bits, bytes, computed, expert, flag, group, ipv4, ipv6, list, uint8, uint16, uint32 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { type Dissect, etherTypes, ipProtocols, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { CHECKSUM_STATUS } from './ip-protocols.js';
import { Ipv6 } from './ipv6.js';
import { networkOf, pseudoHeaderSum } from './pseudo-header.js';

const PIM = 103;
const FIXED_LENGTH = 4;
const REGISTER_LENGTH = 8;
const VERSION = 2;
const HELLO = 0;
const REGISTER = 1;
const REGISTER_STOP = 2;

const TYPE: Readonly<Record<number, string>> = {
  [HELLO]: 'Hello',
  [REGISTER]: 'Register',
  [REGISTER_STOP]: 'Register-stop',
  3: 'Join/Prune',
  4: 'Bootstrap',
  5: 'Assert',
  6: 'Graft',
  7: 'Graft-Ack',
  8: 'Candidate-RP-Advertisement',
  9: 'State-Refresh',
  10: 'DF election',
  11: 'ECMP redirect',
  12: 'PIM Flooding Mechanism',
};

const OPTION: Readonly<Record<number, string>> = {
  1: 'Hold Time',
  2: 'LAN Prune Delay',
  17: 'Hello Hash',
  19: 'DR Priority',
  20: 'Generation ID',
  21: 'State Refresh Capable',
  22: 'Bidirectional Capable',
  24: 'Address List',
  65001: 'Address List',
};

const versionOf = (l: Layer): number => l.bytes[l.start]! >> 4;
const typeOf = (l: Layer): number => l.bytes[l.start]! & 0x0f;
const isKind = (l: Layer, kind: number): boolean => l.start < l.captured && versionOf(l) === VERSION && typeOf(l) === kind;
const REGISTERS = { when: (l: Layer) => isKind(l, REGISTER) } as const;

const option = {
  type: uint16('pim.optiontype', 'Type', { values: OPTION }),
  length: uint16('pim.optionlength', 'Length'),
  holdTime: uint16('pim.holdtime', 'Holdtime', { unit: 'seconds' }),
  canDisable: flag('pim.t', 'T', undefined, 0x80),
  propagationDelay: bits('pim.propagation_delay', 'Propagation Delay', undefined, 16, 0x7fff, { unit: 'ms' }),
  overrideInterval: uint16('pim.override_interval', 'Override Interval', { unit: 'ms' }),
  priority: uint32('pim.dr_priority', 'DR Priority'),
  generation: uint32('pim.generation_id', 'Generation ID'),
  value: bytes('pim.optionvalue', 'Unknown'),
};
const options = list('pim.option', 'PIM Options', option);

const fields = {
  version: bits('pim.version', 'Version', 0, 8, 0xf0),
  type: bits('pim.type', 'Type', 0, 8, 0x0f, { values: TYPE }),
  reserved: bytes('pim.res_bytes', 'Reserved byte(s)', 1, 1),
  ...group(
    { checksum: uint16('pim.cksum', 'Checksum', 2, { base: 'hex' }) },
    {
      checksumStatus: computed('uint8', 'pim.cksum.status', 'Checksum Status', (l) => checksumStatus(l), { values: CHECKSUM_STATUS }),
      checksumBad: expert('error', 'checksum', 'pim.bad_checksum', 'Bad checksum', (l) => checksumStatus(l) === 0),
    },
  ),
  ...group(
    { registerFlags: uint32('pim.register_flag', 'Flags', FIXED_LENGTH, { ...REGISTERS, base: 'hex' }) },
    {
      border: flag('pim.register_flag.border', 'Border', FIXED_LENGTH, 0x80000000, 32, REGISTERS),
      nullRegister: flag('pim.register_flag.null_register', 'Null-Register', FIXED_LENGTH, 0x40000000, 32, REGISTERS),
    },
  ),
  ipVersion: bits('pim.ip_version', 'IP Version', REGISTER_LENGTH, 8, 0xf0, REGISTERS),
  options,
  group4: ipv4('pim.group', 'Group'),
  group6: ipv6('pim.group_ip6', 'Group'),
  source4: ipv4('pim.source', 'Source'),
  source6: ipv6('pim.source_ip6', 'Source'),
  maskLength: uint8('pim.mask_len', 'Mask Length'),
};

/** A PIM message of version 2. */
export class Pim extends layer('pim', 'Protocol Independent Multicast', fields) {
  override walk(tree: Tree): void {
    const from = this.start + FIXED_LENGTH;
    if (isKind(this, HELLO)) this.walkHello(tree, from);
    else if (isKind(this, REGISTER_STOP)) this.walkRegisterStop(tree, from);
  }

  /** RFC 7761 section 4.9.2. Each option takes four octets at least. */
  private walkHello(tree: Tree, from: number): void {
    const { bytes: b, captured } = this;
    for (let at = from; at + 4 <= captured; ) {
      const kind = u16(b, at);
      const length = u16(b, at + 2);
      tree.item(options, at, 4 + length, OPTION[kind] ?? `Option ${kind}`);
      tree.add(option.type, at);
      tree.add(option.length, at + 2);
      const value = at + 4;
      if (kind === 1 && length === 2) tree.add(option.holdTime, value);
      else if (kind === 2 && length === 4) {
        tree.add(option.canDisable, value, 1);
        tree.add(option.propagationDelay, value, 2);
        tree.add(option.overrideInterval, value + 2);
      } else if (kind === 19 && length === 4) tree.add(option.priority, value);
      else if (kind === 20 && length === 4) tree.add(option.generation, value);
      else if (length > 0) tree.add(option.value, value, length);
      tree.close();
      at = value + length;
    }
  }

  /** Encoded group and source (sections 4.9.1, 4.9.4): family, encoding, for the group flags and mask length, address. */
  private walkRegisterStop(tree: Tree, from: number): void {
    if (from + 4 > this.captured) return;
    const wide = this.bytes[from] === 2;
    tree.add(fields.maskLength, from + 3);
    if (!tree.add(wide ? fields.group6 : fields.group4, from + 4)) return;
    const source = from + 4 + (wide ? 16 : 4);
    if (source + 2 <= this.captured) tree.add(this.bytes[source] === 2 ? fields.source6 : fields.source4, source + 2);
  }

  override summary(out: TextBuffer): void {
    if (versionOf(this) !== VERSION) {
      out.ascii('PIM version ');
      out.number(versionOf(this));
      return;
    }
    out.ascii(TYPE[typeOf(this)] ?? 'Unknown');
    if (isKind(this, REGISTER) && this.nullRegister) out.ascii(', null');
  }
}

/** A Register's checksum covers its first eight octets alone; some routers take all of it (RFC 7761 section 4.9). */
function checksumStatus(l: Layer): number | undefined {
  if (l.start + FIXED_LENGTH > l.captured || versionOf(l) !== VERSION) return undefined;
  const isRight = (end: number): boolean => {
    const pseudo = networkOf(l) instanceof Ipv6 ? pseudoHeaderSum(l, PIM, end - l.start) : 0;
    return pseudo !== undefined && foldChecksum(sumWords(l.bytes, l.start, end, pseudo)) === 0;
  };
  if (typeOf(l) === REGISTER && l.start + REGISTER_LENGTH <= l.captured && isRight(l.start + REGISTER_LENGTH)) return 1;
  if (l.end > l.captured) return 2;
  return isRight(l.end) ? 1 : 0;
}

export const dissectPim: Dissect = (frame, start, end) => {
  const pim = new Pim(frame, start, end);
  if (!frame.add(pim, FIXED_LENGTH)) return;
  if (!isKind(pim, REGISTER)) return;
  if (!frame.require(pim, REGISTER_LENGTH)) return;
  const from = start + REGISTER_LENGTH;
  if (from >= end || from >= frame.captured) return;
  const version = pim.bytes[from]! >> 4;
  if (version === 4) frame.dispatch(etherTypes, 0x0800, from, end);
  else if (version === 6) frame.dispatch(etherTypes, 0x86dd, from, end);
  // A Null-Register of no packet has a dummy header whose version may be 0; what else there is nobody knows.
  else if ((u32(pim.bytes, start + 4) & 0x40000000) === 0) frame.data(from, end);
};

export const pim: ProtocolEntry = { name: 'pim', layers: [Pim], dissect: dissectPim, on: [ipProtocols.at(PIM, dissectPim)] };
