/**
 * Virtual eXtensible Local Area Network: Ethernet frames in UDP.
 *
 * RFC 7348, draft-smith-vxlan-group-policy (GBP), draft-ietf-nvo3-vxlan-gpe.
 *
 *     0       2              4     7          8
 *     | flags | group policy | VNI | reserved | Ethernet frame …        GPE: reserved, next protocol in place of the policy
 */
import { bits, flag, group, uint8, uint16, uint24 } from '../core/field.js';
import { layer } from '../core/layer.js';
import { u24 } from '../core/octets.js';
import { type Dissect, etherTypes, linkTypes, type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';

const HEADER_LENGTH = 8;
const ETHERNET = 1;

/** A VXLAN header. */
export class Vxlan extends layer('vxlan', 'Virtual eXtensible Local Area Network', {
  ...group(
    { flags: uint16('vxlan.flags', 'Flags', 0, { base: 'hex' }) },
    {
      policyExtension: flag('vxlan.flag_g', 'GBP Extension', 0, 0x8000, 16),
      hasNetwork: flag('vxlan.flag_i', 'VXLAN Network ID (VNI)', 0, 0x0800, 16),
      dontLearn: flag('vxlan.flag_d', "Don't Learn", 0, 0x0040, 16),
      policyApplied: flag('vxlan.flag_a', 'Policy Applied', 0, 0x0008, 16),
      flagsReserved: bits('vxlan.flags_reserved', 'Reserved(R)', 0, 16, 0x77b7, { base: 'hex' }),
    },
  ),
  policy: uint16('vxlan.gbp', 'Group Policy ID', 2),
  network: uint24('vxlan.vni', 'VXLAN Network Identifier (VNI)', 4),
  reserved: uint8('vxlan.reserved8', 'Reserved', 7),
}) {
  override summary(out: TextBuffer): void {
    out.ascii('VXLAN network ');
    out.number(u24(this.bytes, this.start + 4));
  }
}

const NEXT = { 1: 'IPv4', 2: 'IPv6', 3: 'Ethernet', 4: 'Network Service Header', 5: 'MPLS', 6: 'Group-Based Policy', 7: 'vBNG' };

/** The generic protocol extension, on a port of its own. */
export class VxlanGpe extends layer(
  'vxlan',
  'Virtual eXtensible Local Area Network',
  {
    ...group(
      { flags: uint8('vxlan.flags', 'Flags', 0, { base: 'hex' }) },
      {
        version: bits('vxlan.ver', 'Version', 0, 8, 0x30),
        instance: bits('vxlan.i_bit', 'Instance', 0, 8, 0x08),
        hasNext: bits('vxlan.p_bit', 'Next Protocol Bit', 0, 8, 0x04),
        oam: bits('vxlan.o_bit', 'OAM bit', 0, 8, 0x01),
        flagsReserved: bits('vxlan.flags_reserved', 'Reserved(R)', 0, 8, 0xc2, { base: 'hex' }),
      },
    ),
    reserved16: uint16('vxlan.reserved_16', 'Reserved', 1),
    next: uint8('vxlan.next_proto', 'Next Protocol', 3, { values: NEXT }),
    network: uint24('vxlan.vni', 'VXLAN Network Identifier (VNI)', 4),
    reserved: uint8('vxlan.reserved8', 'Reserved', 7),
  },
  'VXLAN-GPE',
) {
  override summary(out: TextBuffer): void {
    out.ascii('VXLAN network ');
    out.number(u24(this.bytes, this.start + 4));
  }
}

export const dissectVxlan: Dissect = (frame, start, end) => {
  const vxlan = new Vxlan(frame, start, end);
  if (!frame.add(vxlan, HEADER_LENGTH)) return;
  if (!frame.tryDispatch(linkTypes, ETHERNET, start + HEADER_LENGTH, end)) frame.data(start + HEADER_LENGTH, end);
};

const ETHERTYPES: Readonly<Record<number, number>> = { 1: 0x0800, 2: 0x86dd, 4: 0x894f, 5: 0x8847 };

export const dissectVxlanGpe: Dissect = (frame, start, end) => {
  const vxlan = new VxlanGpe(frame, start, end);
  if (!frame.add(vxlan, HEADER_LENGTH)) return;
  const from = start + HEADER_LENGTH;
  const next = vxlan.bytes[start + 3]!;
  const type = ETHERTYPES[next];
  if (type !== undefined) frame.dispatch(etherTypes, type, from, end);
  else if (next !== 3 || !frame.tryDispatch(linkTypes, ETHERNET, from, end)) frame.data(from, end);
};

export const vxlan: ProtocolEntry = { name: 'vxlan', layers: [Vxlan], dissect: dissectVxlan, on: [udpPorts.at(4789, dissectVxlan)] };

export const vxlanGpe: ProtocolEntry = {
  name: 'vxlan-gpe',
  layers: [VxlanGpe],
  dissect: dissectVxlanGpe,
  on: [udpPorts.at(4790, dissectVxlanGpe)],
};
