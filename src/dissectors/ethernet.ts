/**
 * Ethernet: frames between two stations of one link.
 *
 * IEEE 802.3 (length and LLC), Ethernet II (type).
 *
 *     0             6             12            14
 *     | destination |   source    | type/length | payload …
 */
import { computed, ether, flag, group, uint16 } from '../core/field.js';
import { layer } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { type Dissect, etherTypes, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';

export const ETHERTYPE: Readonly<Record<number, string>> = {
  2048: 'IPv4',
  2054: 'ARP',
  32821: 'RARP',
  33024: '802.1Q Virtual LAN',
  34525: 'IPv6',
  34887: 'MPLS label switched packet',
  34888: 'MPLS multicast',
  34915: 'PPPoE Discovery',
  34916: 'PPPoE Session',
  34984: '802.1ad Provider Bridge',
};

const HEADER_LENGTH = 14;
/** Up to this the field is a length (IEEE 802.3 section 3.2.6), from 0x0600 on a type. */
const MOST_LENGTH = 1500;

const LG = { flags: ['Locally administered address', 'Globally unique address'] } as const;
const IG = { flags: ['Group address', 'Individual address'] } as const;

export class Ethernet extends layer(
  'eth',
  'Ethernet',
  {
    ...group(
      { destination: ether('eth.dst', 'Destination', 0, { also: ['eth.addr'] }) },
      {
        destinationLg: flag('eth.dst.lg', 'LG bit', 0, 0x020000, 24, LG),
        destinationIg: flag('eth.dst.ig', 'IG bit', 0, 0x010000, 24, IG),
      },
    ),
    ...group(
      { source: ether('eth.src', 'Source', 6, { also: ['eth.addr'] }) },
      {
        sourceLg: flag('eth.src.lg', 'LG bit', 6, 0x020000, 24, LG),
        sourceIg: flag('eth.src.ig', 'IG bit', 6, 0x010000, 24, IG),
      },
    ),
    type: uint16('eth.type', 'Type', 12, {
      base: 'hex',
      values: ETHERTYPE,
      when: (l) => u16(l.bytes, l.start + 12) > MOST_LENGTH,
      pure: [12, 14],
    }),
    length: computed(
      'uint16',
      'eth.len',
      'Length',
      (l) => {
        const n = u16(l.bytes, l.start + 12);
        return l.start + HEADER_LENGTH <= l.captured && n <= MOST_LENGTH ? n : undefined;
      },
      { pure: [12, 14] },
    ),
  },
  'Ethernet',
) {
  override get chain(): string {
    return u16(this.bytes, this.start + 12) > MOST_LENGTH ? 'eth:ethertype' : 'eth';
  }
  writeSource(out: TextBuffer): void {
    out.ether(this.bytes, this.start + 6);
  }
  writeDestination(out: TextBuffer): void {
    out.ether(this.bytes, this.start);
  }
  override summary(out: TextBuffer): void {
    out.ascii('Ethernet type 0x');
    out.hex(u16(this.bytes, this.start + 12), 4);
  }
}

export const dissectEthernet: Dissect = (frame, start, end) => {
  const eth = new Ethernet(frame, start, end);
  if (!frame.add(eth, HEADER_LENGTH)) return;
  frame.addressing = eth;
  const type = u16(eth.bytes, start + 12);
  if (type > MOST_LENGTH) frame.dispatch(etherTypes, type, start + HEADER_LENGTH, end);
  else frame.data(start + HEADER_LENGTH, end);
};

export const ethernet: ProtocolEntry = {
  name: 'eth',
  layers: [Ethernet],
  dissect: dissectEthernet,
  on: [linkTypes.at(1, dissectEthernet)],
};
