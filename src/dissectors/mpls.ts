/**
 * MPLS: a stack of labels before a packet.
 *
 * RFC 3032 (stack), RFC 5462 (traffic class, once "experimental"), RFC 4385 (control word of pseudowires).
 *
 *     0       20     23       24    32 bits
 *     | label | exp  | bottom | ttl |
 *
 * Nothing says what stands below the bottom. Its first four bits are taken for a version: 4 is IPv4, 6 IPv6, 1 an
 * associated channel; 0 is either the control word of a pseudowire or an Ethernet address.
 */
import { bits, type ValueNames } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { layer } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { type Dissect, etherTypes, ipProtocols, type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectEthernet } from './ethernet.js';
import { ETHERTYPE, MOST_LENGTH } from './ethertypes.js';
import { payloadEnd } from './trailer.js';

const LABEL_LENGTH = 4;
const BOTTOM = 0x100;
const ETHERNET_LENGTH = 14;

const LABEL: Readonly<Record<number, string>> = {
  0: 'IPv4 Explicit-Null',
  1: 'Router Alert',
  2: 'IPv6 Explicit-Null',
  3: 'Implicit-Null',
  7: 'Entropy Label Indicator',
  13: 'Generic Associated Channel Label',
  14: 'OAM Alert',
};
const labelName: ValueNames = (label) => LABEL[label];
const IPV4_NULL = 0;
const IPV6_NULL = 2;
const ASSOCIATED_CHANNEL = 13;

/** Channels beside a pseudowire that carry IP, by their type, with the EtherType that it has elsewhere. */
const CHANNEL: Readonly<Record<number, number>> = { 33: 0x0800, 87: 0x86dd };

/** One label of the stack. */
export class Mpls extends layer('mpls', 'MultiProtocol Label Switching Header', {
  label: bits('mpls.label', 'MPLS Label', 0, 32, 0xfffff000, { values: labelName }),
  experimental: bits('mpls.exp', 'MPLS Experimental Bits', 0, 32, 0x00000e00),
  bottom: bits('mpls.bottom', 'MPLS Bottom Of Label Stack', 0, 32, BOTTOM),
  timeToLive: bits('mpls.ttl', 'MPLS TTL', 0, 32, 0x000000ff),
}) {
  override summary(out: TextBuffer): void {
    out.ascii('MPLS Label Switched Packet');
  }
}

/** A label, and below it another or what the stack carries. */
export const dissectMpls: Dissect = (frame, start, end) => {
  const mpls = new Mpls(frame, start, end);
  if (!frame.add(mpls, LABEL_LENGTH)) return;
  const word = u32(mpls.bytes, start);
  const from = start + LABEL_LENGTH;
  const index = frame.depth;
  if (word & BOTTOM) dissectBelow(frame, word >>> 12, from, end);
  // One more label a call; the registry's limit on layers ends a stack without a bottom.
  else if (!frame.tryDispatch(etherTypes, 0x8847, from, end)) frame.data(from, end);
  // A label stack ends where the packet below it does, so that Ethernet can tell its trailer.
  if (frame.depth > index) mpls.end = payloadEnd(mpls, end);
};

function dissectBelow(frame: Frame, label: number, start: number, end: number): void {
  const { bytes } = frame;
  if (start >= frame.captured) return frame.data(start, end);
  const nibble = bytes[start]! >> 4;
  if (label === ASSOCIATED_CHANNEL) return frame.data(start, end, 'PW Associated Channel');
  if (label === IPV4_NULL && frame.tryDispatch(etherTypes, 0x0800, start, end)) return;
  if (label === IPV6_NULL && frame.tryDispatch(etherTypes, 0x86dd, start, end)) return;
  if (nibble === 4 && frame.tryDispatch(etherTypes, 0x0800, start, end)) return;
  if (nibble === 6 && frame.tryDispatch(etherTypes, 0x86dd, start, end)) return;
  if (nibble === 1) {
    // The type of the channel is PPP's number of what it carries (RFC 4385 section 5).
    const type = start + LABEL_LENGTH <= frame.captured ? CHANNEL[u16(bytes, start + 2)] : undefined;
    if (type === undefined || !frame.tryDispatch(etherTypes, type, start + LABEL_LENGTH, end))
      frame.data(start, end, 'PW Associated Channel');
    return;
  }
  if (looksLikeEthernet(frame, start)) return dissectEthernet(frame, start, end);
  if (nibble === 0 && looksLikeEthernet(frame, start + LABEL_LENGTH)) return dissectEthernet(frame, start + LABEL_LENGTH, end);
  frame.data(start, end);
}

/** A known EtherType, or a length that fits, after two addresses of which the second is no group's. */
function looksLikeEthernet(frame: Frame, at: number): boolean {
  if (at + ETHERNET_LENGTH > frame.captured || frame.bytes[at + 6]! & 1) return false;
  const type = u16(frame.bytes, at + 12);
  return type <= MOST_LENGTH ? type > 2 && at + ETHERNET_LENGTH + type <= frame.captured : ETHERTYPE[type] !== undefined;
}

export const mpls: ProtocolEntry = {
  name: 'mpls',
  layers: [Mpls],
  dissect: dissectMpls,
  // RFC 4023 (in IP), RFC 7510 (in UDP).
  on: [etherTypes.at([0x8847, 0x8848], dissectMpls), ipProtocols.at(137, dissectMpls), udpPorts.at(6635, dissectMpls)],
};
