/**
 * Cisco ISL: an Ethernet frame with its FCS behind a header that names the VLAN, from before 802.1Q.
 *
 *     0             5            6         12       14       17    20     22      24         26
 *     | destination | type, user | source  | length | aaaa03 | HSA | VLAN | index | reserved | Ethernet frame … | FCS |
 *
 * The first five octets of the destination, 01000c0000 or 0c000c0000, tell it from 802.3.
 */
import { bits, bytes, ether, flag, uint16, uint24 } from '../core/field.js';
import { layer } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import type { Dissect, ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectEthernet } from './ethernet.js';

const HEADER_LENGTH = 26;

/** An ISL header. */
export class Isl extends layer('isl', 'ISL', {
  destination: bytes('isl.dst', 'Destination', 0, 5),
  type: bits('isl.type', 'Type', 5, 8, 0xf0, { values: { 0: 'Ethernet', 1: 'Token-Ring', 2: 'FDDI', 3: 'ATM' } }),
  user: bits('isl.user', 'User', 5, 8, 0x0f, { base: 'hex' }),
  source: ether('isl.src', 'Source', 6, { also: ['isl.addr'] }),
  length: uint16('isl.len', 'Length', 12, { unit: 'bytes' }),
  organisation: uint24('isl.hsa', 'HSA', 17, { base: 'hex' }),
  vlan: bits('isl.vlan_id', 'VLAN ID', 20, 16, 0xfffe),
  control: flag('isl.bpdu', 'BPDU/CDP/VTP', 20, 0x0001, 16),
  index: uint16('isl.index', 'Index', 22),
}) {
  writeSource(out: TextBuffer): void {
    out.ether(this.bytes, this.start + 6);
  }
  writeDestination(out: TextBuffer): void {
    out.ether(this.bytes, this.start);
  }
  override summary(out: TextBuffer): void {
    out.ascii('VLAN ID: ');
    out.number(u16(this.bytes, this.start + 20) >> 1);
  }
}

/** Does an 802.3 frame begin as ISL's do? The caller has checked that its header is there. */
export const isIsl = (b: Uint8Array, at: number): boolean =>
  (b[at] === 0x01 || b[at] === 0x0c) && b[at + 1] === 0 && b[at + 2] === 0x0c && b[at + 3] === 0 && b[at + 4] === 0;

export const dissectIsl: Dissect = (frame, start, end) => {
  const isl = new Isl(frame, start, end);
  if (!frame.add(isl, HEADER_LENGTH)) return;
  frame.addressing = isl;
  if (isl.bytes[start + 5]! >> 4 !== 0) return frame.data(start + HEADER_LENGTH, end);
  // The length counts from the SNAP header to the FCS of the frame inside.
  const stop = Math.min(end, start + 14 + u16(isl.bytes, start + 12));
  if (start + HEADER_LENGTH < stop) dissectEthernet(frame, start + HEADER_LENGTH, stop);
};

export const isl: ProtocolEntry = { name: 'isl', layers: [Isl], dissect: dissectIsl };
