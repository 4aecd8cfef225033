/**
 * What Juniper routers put before a frame in captures of their own: the direction, and facts about the interface.
 *
 * LINKTYPE_JUNIPER_PPP, _ETHER, _FRELAY and _CHDLC of the pcap link types; the octets as JunOS writes them.
 *
 *     0                     3       4                  6
 *     | magic 0x4d4743      | flags | extension length | extensions: type, length, value … | frame …
 *                                     where flag 0x80 is set
 */
import { bits, bytes, expert, group, list, uint8, uint16, uint24 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16, u24 } from '../core/octets.js';
import { type Dissect, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectRaw } from './raw.js';

const MAGIC = 0x4d4743;
const FIXED_LENGTH = 4;
const WITHOUT_LINK = 0x02;
const EXTENDED = 0x80;
/** Octets of the protocol number before a packet without a link layer. */
const PROTOCOL_LENGTH = 4;

const isExtended = (l: Layer): boolean => l.start + FIXED_LENGTH <= l.captured && (l.bytes[l.start + 3]! & EXTENDED) !== 0;

const EXTENSION: Readonly<Record<number, string>> = {
  1: 'Device Interface Index',
  2: 'Device Interface Name',
  3: 'Device Media Type',
  4: 'Logical Interface Encapsulation',
  5: 'Logical Interface Index',
  6: 'Logical Unit Number',
  7: 'TTP derived Logical Interface Encapsulation',
  8: 'TTP derived Device Media Type',
};

const extension = {
  type: uint8('netlens.juniper.extension.type', 'Type', { values: EXTENSION }),
  length: uint8('netlens.juniper.extension.length', 'Length'),
  value: bytes('netlens.juniper.extension.value', 'Value'),
};
const extensions = list('netlens.juniper.extension', 'Extensions', extension);

/** The head of a frame that a Juniper router captured. */
export class Juniper extends layer(
  'juniper',
  'Juniper',
  {
    magic: uint24('juniper.magic-number', 'Magic Number', 0, { base: 'hex' }),
    noMagic: expert(
      'warn',
      'protocol',
      'juniper.magic-number.none',
      'No Magic-Number found!',
      (l) => l.start + 3 <= l.captured && u24(l.bytes, l.start) !== MAGIC,
    ),
    direction: bits('juniper.direction', 'Direction', 3, 8, 0x01, { base: 'hex', values: { 0: 'Out', 1: 'In' } }),
    ...group(
      {
        withoutLink: bits('juniper.l2hdr', 'L2 header presence', 3, 8, WITHOUT_LINK, {
          base: 'hex',
          values: { 0: 'Present', 1: 'not-Present' },
        }),
      },
      { extensionLength: uint16('juniper.ext_total_len', 'Extension(s) Total length', FIXED_LENGTH, { when: isExtended }) },
    ),
    extensions,
  },
  'Juniper',
) {
  override walk(tree: Tree): void {
    if (!isExtended(this) || this.start + FIXED_LENGTH + 2 > this.captured) return;
    const from = this.start + FIXED_LENGTH + 2;
    const end = Math.min(this.captured, from + u16(this.bytes, from - 2));
    // Each extension takes two octets at least.
    for (let at = from; at + 2 <= end; ) {
      const length = this.bytes[at + 1]!;
      tree.item(extensions, at, 2 + length, EXTENSION[this.bytes[at]!] ?? `Extension ${this.bytes[at]}`);
      tree.add(extension.type, at);
      tree.add(extension.length, at + 1);
      if (length > 0 && at + 2 + length <= end) tree.add(extension.value, at + 2, length);
      tree.close();
      at += 2 + length;
    }
  }

  override summary(out: TextBuffer): void {
    out.ascii(this.direction === 1 ? 'Juniper, in' : 'Juniper, out');
  }
}

/** A frame of link type `inner` behind the head. */
const dissectJuniper =
  (inner: number): Dissect =>
  (frame, start, end) => {
    const juniper = new Juniper(frame, start, end);
    if (!frame.add(juniper, FIXED_LENGTH)) return;
    const { bytes: b } = juniper;
    if (u24(b, start) !== MAGIC) return frame.data(start + FIXED_LENGTH, end);
    let from = start + FIXED_LENGTH;
    if (isExtended(juniper)) {
      if (!frame.require(juniper, FIXED_LENGTH + 2)) return;
      from += 2 + u16(b, from);
      if (!frame.require(juniper, from - start)) return;
    }
    if (b[start + 3]! & WITHOUT_LINK) dissectRaw(frame, from + PROTOCOL_LENGTH, end);
    else if (!frame.tryDispatch(linkTypes, inner, from, end)) frame.data(from, end);
  };

export const juniper: ProtocolEntry = {
  name: 'juniper',
  layers: [Juniper],
  dissect: dissectJuniper(1),
  // PPP, Ethernet, Frame Relay, Cisco HDLC.
  on: [
    linkTypes.at(179, dissectJuniper(9)),
    linkTypes.at(178, dissectJuniper(1)),
    linkTypes.at(180, dissectJuniper(107)),
    linkTypes.at(181, dissectJuniper(104)),
  ],
};
