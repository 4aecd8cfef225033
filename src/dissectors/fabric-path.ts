/**
 * Cisco FabricPath: a whole Ethernet frame behind a header that looks like Ethernet's, with the numbers of switches in
 * place of addresses.
 *
 *     0             6        12     14           16
 *     | destination | source | 8903 | tree, TTL  | Ethernet frame … | FCS |
 *     switch: | end node (1) | flags and switch number (2) | sub-switch (1) | port (2) |
 */
import { bits, bytes, uint16, uint32 } from '../core/field.js';
import { layer } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import type { Dissect, ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectEthernet } from './ethernet.js';

/** The EtherType by which it is told. */
export const FABRIC_PATH = 0x8903;
const HEADER_LENGTH = 16;
const FCS_LENGTH = 4;

/** A FabricPath header. */
export class FabricPath extends layer(
  'cfp',
  'Cisco FabricPath',
  {
    destination: bytes('cfp.d_hmac', 'Destination HMAC', 0, 6),
    source: bytes('cfp.s_hmac', 'Source HMAC', 6, 6),
    type: uint16('cfp.etype', 'FP Ethertype', 12, { base: 'hex' }),
    tree: bits('cfp.ftag', 'FTAG', 14, 16, 0xffc0),
    timeToLive: bits('cfp.ttl', 'TTL', 14, 16, 0x003f),
    fcs: uint32('cfp.fcs', 'Frame check sequence', (l) => l.end - l.start - FCS_LENGTH, { base: 'hex' }),
  },
  'CFP',
) {
  override summary(out: TextBuffer): void {
    out.ascii('FTAG ');
    out.number(u16(this.bytes, this.start + 14) >> 6);
  }
}

export const dissectFabricPath: Dissect = (frame, start, end) => {
  if (frame.add(new FabricPath(frame, start, end), HEADER_LENGTH))
    dissectEthernet(frame, start + HEADER_LENGTH, Math.max(start + HEADER_LENGTH, end - FCS_LENGTH));
};

export const fabricPath: ProtocolEntry = { name: 'cfp', layers: [FabricPath], dissect: dissectFabricPath };
