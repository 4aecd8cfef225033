/**
 * OpenBSD's packet filter log: which rule passed or blocked a packet, on which interface. FreeBSD and the firewalls made
 * of it (OPNsense, pfSense) log in this form, too.
 *
 * LINKTYPE_PFLOG of the pcap link types; pflog(4).
 *
 *     0        1    2        3        4        20        36     40       44    48    52         56         60    61
 *     | length | af | action | reason | ifname | ruleset | rule | subrule| uid | pid | rule uid | rule pid | dir | …
 *
 * The length leaves out the padding to a multiple of four octets. Users and processes are in the byte order of the
 * machine that logged, which is little-endian on all that are left. Headers below 61 octets are older, without them, and
 * have the direction at 44. From 100 octets on the header also has what the packet was rewritten to: 61 rewritten,
 * 64 source, 80 destination, 96 source port, 98 destination port.
 */
import { computed, ipv4, ipv6, string, uint8, uint16 } from '../core/field.js';
import { type Layer, layer } from '../core/layer.js';
import { u32, u32le } from '../core/octets.js';
import { type Dissect, etherTypes, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';

/** Octets of the oldest header, without padding. */
const FIXED_LENGTH = 45;
/** The length with users and processes. */
const OWNED_LENGTH = 61;
/** The length with addresses and ports. */
const REWRITTEN_LENGTH = 100;
const NAME_LENGTH = 16;

const FAMILY: Readonly<Record<number, string>> = { 2: 'IPv4', 24: 'IPv6', 28: 'IPv6', 30: 'IPv6' };
const ACTION: Readonly<Record<number, string>> = {
  0: 'pass',
  1: 'block',
  2: 'scrub',
  3: 'noscrub',
  4: 'nat',
  5: 'nonat',
  6: 'binat',
  7: 'nobinat',
  8: 'rdr',
  9: 'nordr',
  10: 'synproxy-drop',
};
const REASON: Readonly<Record<number, string>> = {
  0: 'match',
  1: 'bad-offset',
  2: 'fragment',
  3: 'short',
  4: 'normalize',
  5: 'memory',
  6: 'timestamp',
  7: 'congestion',
  8: 'ip-option',
  9: 'proto-cksum',
  10: 'state-mismatch',
  11: 'state-ins-fail',
  12: 'max-states',
  13: 'srcnode-limit',
  14: 'syn-proxy',
};
const DIRECTION: Readonly<Record<number, string>> = { 0: 'in', 1: 'in', 2: 'out' };

const lengthOf = (l: Layer): number => l.bytes[l.start]!;
const owned = (l: Layer): boolean => l.start < l.captured && lengthOf(l) >= OWNED_LENGTH;
const familyOf = (l: Layer): number => l.bytes[l.start + 1]!;
const rewritten = (l: Layer): boolean => l.start < l.captured && lengthOf(l) >= REWRITTEN_LENGTH;
const rewritten4 = (l: Layer): boolean => rewritten(l) && familyOf(l) === 2;
const rewritten6 = (l: Layer): boolean => rewritten(l) && FAMILY[familyOf(l)] === 'IPv6';

/** Octets of a name up to its first zero. */
function nameLength(l: Layer, at: number): number {
  const end = Math.min(l.start + at + NAME_LENGTH, l.captured);
  let stop = l.start + at;
  while (stop < end && l.bytes[stop] !== 0) stop++;
  return stop - l.start - at;
}

/** A signed number: -1 stands for none. */
const int32 = (name: string, label: string, at: number) =>
  computed('int32', name, label, (l: Layer) => (l.start + at + 4 <= l.captured ? u32(l.bytes, l.start + at) | 0 : undefined));
const owner = (name: string, label: string, at: number) =>
  computed('int32', name, label, (l: Layer) => (owned(l) && l.start + at + 4 <= l.captured ? u32le(l.bytes, l.start + at) | 0 : undefined));

/** The header of a packet that pf logged. */
export class Pflog extends layer(
  'pflog',
  'OpenBSD Packet Filter log file',
  {
    length: uint8('pflog.length', 'Header Length', 0, { unit: 'bytes' }),
    family: uint8('pflog.af', 'Address Family', 1, { values: FAMILY }),
    action: uint8('pflog.action', 'Action', 2, { values: ACTION }),
    reason: uint8('pflog.reason', 'Reason', 3, { values: REASON }),
    interfaceName: string('pflog.ifname', 'Interface', 4, (l) => nameLength(l, 4)),
    ruleset: string('pflog.ruleset', 'Ruleset', 20, (l) => nameLength(l, 20)),
    rule: int32('pflog.rulenr', 'Rule Number', 36),
    subRule: int32('pflog.subrulenr', 'Sub Rule Number', 40),
    uid: owner('pflog.uid', 'UID', 44),
    pid: owner('pflog.pid', 'PID', 48),
    ruleUid: owner('pflog.rule_uid', 'Rule UID', 52),
    rulePid: owner('pflog.rule_pid', 'Rule PID', 56),
    direction: uint8('pflog.dir', 'Direction', (l) => (owned(l) ? 60 : 44), { values: DIRECTION }),
    rewritten: uint8('pflog.rewritten', 'Rewritten', 61, { when: rewritten }),
    sourceIp: ipv4('pflog.saddr.ipv4', 'Source Address', 64, { when: rewritten4 }),
    destinationIp: ipv4('pflog.daddr.ipv4', 'Destination Address', 80, { when: rewritten4 }),
    sourceIp6: ipv6('pflog.saddr.ipv6', 'Source Address', 64, { when: rewritten6 }),
    destinationIp6: ipv6('pflog.daddr.ipv6', 'Destination Address', 80, { when: rewritten6 }),
    srcPort: uint16('pflog.sport', 'Source Port', 96, { when: rewritten }),
    dstPort: uint16('pflog.dport', 'Destination Port', 98, { when: rewritten }),
  },
  'PFLOG',
) {
  override summary(out: TextBuffer): void {
    const { bytes: b, start } = this;
    out.ascii('[');
    out.text(ACTION[b[start + 2]!] ?? `action ${b[start + 2]}`);
    out.ascii(' ');
    out.text(this.interfaceName ?? '');
    out.ascii('/');
    out.text(`${this.rule}`);
    out.ascii(']');
  }
}

export const dissectPflog: Dissect = (frame, start, end) => {
  const pflog = new Pflog(frame, start, end);
  if (!frame.add(pflog, FIXED_LENGTH)) return;
  const header = (lengthOf(pflog) + 3) & ~3;
  if (!frame.require(pflog, Math.max(header, FIXED_LENGTH))) return;
  const family = FAMILY[familyOf(pflog)];
  const type = family === 'IPv4' ? 0x0800 : family === 'IPv6' ? 0x86dd : -1;
  if (type < 0 || !frame.tryDispatch(etherTypes, type, start + header, end)) frame.data(start + header, end);
};

export const pflog: ProtocolEntry = { name: 'pflog', layers: [Pflog], dissect: dissectPflog, on: [linkTypes.at(117, dissectPflog)] };
