/**
 * BSD loopback: an address family in the byte order of the machine that captured, or, for OpenBSD, in network order.
 *
 * LINKTYPE_NULL and LINKTYPE_LOOP of the pcap link types.
 *
 *     0        4
 *     | family | payload …
 */
import { computed } from '../core/field.js';
import { type Layer, layer } from '../core/layer.js';
import { u16, u32, u32le } from '../core/octets.js';
import { type Dissect, etherTypes, linkTypes, type ProtocolEntry, pppProtocols } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dispatchEtherType, ETHERTYPE, MOST_LENGTH } from './ethertypes.js';
import { dissectPppHdlc } from './ppp.js';

const HEADER_LENGTH = 4;

/** IPv6 has a number of its own on every BSD. */
const FAMILY: Readonly<Record<number, string>> = {
  2: 'IP',
  7: 'OSI',
  10: 'IPv6',
  16: 'AppleTalk',
  23: 'IPX',
  24: 'IPv6',
  28: 'IPv6',
  30: 'IPv6',
};
const IPX = 23;
const OSI = 7;

/**
 * The family. It fits into 16 bits, so the order of the octets can be told: where the upper half of one reading is not
 * zero, the other reading is meant; IRIX kept only a half of the word.
 */
function familyOf(l: Layer): number {
  const little = u32le(l.bytes, l.start);
  if (little < 0x10000) return little;
  const swapped = u32(l.bytes, l.start);
  return swapped < 0x10000 ? swapped : little >>> 16;
}

const present = (l: Layer): boolean => l.start + HEADER_LENGTH <= l.captured;

/** The header of a BSD loopback capture. */
export class Null extends layer(
  'null',
  'Null/Loopback',
  {
    family: computed('uint32', 'null.family', 'Family', (l) => (present(l) && familyOf(l) <= MOST_LENGTH ? familyOf(l) : undefined), {
      values: FAMILY,
    }),
    type: computed('uint16', 'null.type', 'Type', (l) => (present(l) && familyOf(l) > MOST_LENGTH ? familyOf(l) : undefined), {
      base: 'hex',
      values: ETHERTYPE,
    }),
  },
  'Null/Loopback',
) {
  override summary(out: TextBuffer): void {
    const family = familyOf(this);
    out.text(FAMILY[family] ?? `address family ${family}`);
  }
}

export const dissectNull: Dissect = (frame, start, end) => {
  // PPP frames under the wrong link type, as some systems write them.
  if (start + 2 <= frame.captured && u16(frame.bytes, start) === 0xff03) return dissectPppHdlc(frame, start, end);
  const layer = new Null(frame, start, end);
  if (!frame.add(layer, HEADER_LENGTH)) return;
  const family = familyOf(layer);
  const from = start + HEADER_LENGTH;
  if (family > MOST_LENGTH) return dispatchEtherType(frame, family, from, end);
  const type = family === 2 ? 0x0800 : FAMILY[family] === 'IPv6' ? 0x86dd : -1;
  if (type >= 0 && frame.tryDispatch(etherTypes, type, from, end)) return;
  if (family === OSI && frame.tryDispatch(pppProtocols, 0x0023, from, end)) return;
  frame.data(from, end, family === IPX ? 'IPX' : FAMILY[family]);
};

export const nullLoopback: ProtocolEntry = {
  name: 'null',
  layers: [Null],
  dissect: dissectNull,
  on: [linkTypes.at([0, 108], dissectNull)],
};
