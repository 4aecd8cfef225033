/**
 * ARCNET: frames between stations that are numbered in one octet.
 *
 * RFC 1201 (IP and ARP, with a split flag and a sequence number), RFC 1051 (without); LINKTYPE_ARCNET_BSD, _LINUX.
 *
 *     0        1             2          3            4          6
 *     | source | destination | protocol | split flag | sequence | payload …          RFC 1201
 *     | source | destination | protocol | payload …                                  RFC 1051, BACnet
 *
 * Linux puts two octets of offset before the protocol.
 */
import { uint8, uint16 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer } from '../core/layer.js';
import { type Dissect, etherTypes, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectLlc } from './llc.js';

const RFC_1051_IP = 0xf0;
const RFC_1051_ARP = 0xf1;
const BACNET = 0xcd;
const PROTOCOL: Readonly<Record<number, string>> = {
  5: 'Network bootstrap',
  128: 'Diagnose',
  [BACNET]: 'BACnet',
  212: 'IP (RFC 1201)',
  213: 'ARP (RFC 1201)',
  214: 'RARP (RFC 1201)',
  196: 'IPv6',
  221: 'AppleTalk',
  247: 'NetWare',
  [RFC_1051_IP]: 'IP (RFC 1051)',
  [RFC_1051_ARP]: 'ARP (RFC 1051)',
};
const ETHERTYPE_OF: Readonly<Record<number, number>> = {
  212: 0x0800,
  213: 0x0806,
  214: 0x8035,
  196: 0x86dd,
  [RFC_1051_IP]: 0x0800,
  [RFC_1051_ARP]: 0x0806,
};
const SPLIT = new Set([0xd4, 0xd5, 0xd6, 0xc4, 0xdd, 0xf7]);
/** The flags octet of an exception packet, which has three octets more. */
const EXCEPTION = 0xff;

const protocolAt = (l: Layer): number => ((l as Arcnet).linux ? 4 : 2);
const protocolOf = (l: Layer): number => l.bytes[l.start + protocolAt(l)]!;
const splits = (l: Layer): boolean => l.start + protocolAt(l) < l.captured && SPLIT.has(protocolOf(l));

/** An ARCNET header. */
export class Arcnet extends layer('arcnet', 'ARCNET', {
  source: uint8('arcnet.src', 'Source', 0, { base: 'hex' }),
  destination: uint8('arcnet.dst', 'Dest', 1, { base: 'hex' }),
  protocolId: uint8('arcnet.protID', 'Protocol ID', protocolAt, { base: 'hex', values: PROTOCOL }),
  splitFlag: uint8('arcnet.split_flag', 'Split Flag', (l) => protocolAt(l) + 1, { when: splits }),
  sequence: uint16('arcnet.sequence', 'Sequence', (l) => protocolAt(l) + 2, { when: splits }),
}) {
  /** As Linux captures it; set when the layer is made. */
  declare linux: boolean;

  writeSource(out: TextBuffer): void {
    out.ether(this.bytes, this.start, 1);
  }
  writeDestination(out: TextBuffer): void {
    out.ether(this.bytes, this.start + 1, 1);
  }
  override summary(out: TextBuffer): void {
    const protocol = protocolOf(this);
    out.text(PROTOCOL[protocol] ?? `protocol 0x${protocol.toString(16).padStart(2, '0')}`);
  }
}

function dissect(frame: Frame, start: number, end: number, linux: boolean): void {
  const arcnet = new Arcnet(frame, start, end);
  arcnet.linux = linux;
  let header = protocolAt(arcnet) + 1;
  if (!frame.add(arcnet, header)) return;
  frame.addressing = arcnet;
  const protocol = protocolOf(arcnet);
  if (SPLIT.has(protocol)) {
    if (!frame.require(arcnet, header + 3)) return;
    header += arcnet.bytes[start + header] === EXCEPTION ? 7 : 3;
  }
  const etherType = ETHERTYPE_OF[protocol];
  if (protocol === BACNET) dissectLlc(frame, start + header, end);
  else if (etherType === undefined || !frame.tryDispatch(etherTypes, etherType, start + header, end))
    frame.data(start + header, end, PROTOCOL[protocol]);
}

export const dissectArcnet: Dissect = (frame, start, end) => dissect(frame, start, end, false);
export const dissectArcnetLinux: Dissect = (frame, start, end) => dissect(frame, start, end, true);

export const arcnet: ProtocolEntry = {
  name: 'arcnet',
  layers: [Arcnet],
  dissect: dissectArcnet,
  on: [linkTypes.at(7, dissectArcnet), linkTypes.at(129, dissectArcnetLinux)],
};
