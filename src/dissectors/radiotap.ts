/**
 * What a wireless card says about a frame, before the frame: radiotap, Prism and AVS headers, and PPI.
 *
 * radiotap.org (fields), LINKTYPE_IEEE802_11_RADIOTAP, _PRISM, _AVS and _PPI of the pcap link types.
 *
 *     0         1     2        4         8
 *     | version | pad | length | present | fields …                   radiotap; least significant octet first
 *
 * A bit of `present` says that the field of its number is there, aligned to its own size from the start of the header;
 * bit 31 says that another word of bits follows. A field of unknown size ends what can be read.
 */
import { computed, double, flag, group, int8, many, uint8, uint16, uint32, uint64 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16le, u32, u32le } from '../core/octets.js';
import { type Dissect, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectWlan, dissectWlanFrame } from './wlan.js';

const HEADER_LENGTH = 8;
const EXTENDED = 0x80000000;
const FLAGS_BIT = 1;
const FCS_AT_END = 0x10;
const DATA_PAD = 0x20;

const LITTLE = { little: true } as const;

/** Size and alignment of the fields by their bit; the first one that is not listed ends the walk. */
const SHAPE: readonly (readonly [size: number, align: number])[] = [
  [8, 8], // time
  [1, 1], // flags
  [1, 1], // rate
  [4, 2], // channel
  [2, 2], // hopping
  [1, 1], // signal
  [1, 1], // noise
  [2, 2], // lock quality
  [2, 2], // attenuation
  [2, 2], // attenuation in dB
  [1, 1], // power
  [1, 1], // antenna
  [1, 1], // signal in dB
  [1, 1], // noise in dB
  [2, 2], // receive flags
  [2, 2], // transmit flags
  [1, 1], // retries of RTS
  [1, 1], // retries
  [8, 4], // channel, extended
  [3, 1], // MCS
  [8, 4], // A-MPDU
  [12, 2], // VHT
  [12, 8], // timestamp
  [12, 2], // HE
  [12, 2], // HE, several users
  [6, 2], // HE, other user
  [1, 1], // no PSDU
  [4, 2], // L-SIG
];

const bit = (name: string, label: string, mask: number) => flag(name, label, undefined, mask);

const flagBits = {
  cfp: bit('radiotap.flags.cfp', 'CFP', 0x01),
  preamble: bit('radiotap.flags.preamble', 'Preamble', 0x02),
  wep: bit('radiotap.flags.wep', 'WEP', 0x04),
  fragmented: bit('radiotap.flags.frag', 'Fragmentation', 0x08),
  fcsAtEnd: bit('radiotap.flags.fcs', 'FCS at end', FCS_AT_END),
  dataPad: bit('radiotap.flags.datapad', 'Data Pad', DATA_PAD),
  badFcs: bit('radiotap.flags.badfcs', 'Bad FCS', 0x40),
  shortGuard: bit('radiotap.flags.shortgi', 'Short GI', 0x80),
};
const channelBits = {
  cck: flag('radiotap.channel.flags.cck', 'Complementary Code Keying (CCK)', undefined, 0x0020, 16, LITTLE),
  ofdm: flag('radiotap.channel.flags.ofdm', 'Orthogonal Frequency-Division Multiplexing (OFDM)', undefined, 0x0040, 16, LITTLE),
  band2: flag('radiotap.channel.flags.2ghz', '2 GHz spectrum', undefined, 0x0080, 16, LITTLE),
  band5: flag('radiotap.channel.flags.5ghz', '5 GHz spectrum', undefined, 0x0100, 16, LITTLE),
};

const fields = {
  version: uint8('radiotap.version', 'Header revision', 0),
  pad: uint8('radiotap.pad', 'Header pad', 1),
  length: uint16('radiotap.length', 'Header length', 2, { ...LITTLE, unit: 'bytes' }),
  present: many(uint32('radiotap.present.word', 'Present flags word', { ...LITTLE, base: 'hex' })),
  time: uint64('radiotap.mactime', 'MAC timestamp', LITTLE),
  ...group({ flags: uint8('radiotap.flags', 'Flags', { base: 'hex' }) }, flagBits),
  rate: double('radiotap.datarate', 'Data rate (Mb/s)'),
  frequency: uint16('radiotap.channel.freq', 'Channel frequency', { ...LITTLE, unit: 'MHz' }),
  ...group({ channelFlags: uint16('radiotap.channel.flags', 'Channel flags', { ...LITTLE, base: 'hex' }) }, channelBits),
  hopSet: uint8('radiotap.fhss.hopset', 'FHSS Hop Set'),
  hopPattern: uint8('radiotap.fhss.pattern', 'FHSS Pattern'),
  signal: many(int8('radiotap.dbm_antsignal', 'Antenna signal', { unit: 'dBm' })),
  noise: many(int8('radiotap.dbm_antnoise', 'Antenna noise', { unit: 'dBm' })),
  power: int8('radiotap.txpower', 'Transmit power', { unit: 'dBm' }),
  antenna: many(uint8('radiotap.antenna', 'Antenna')),
  receiveFlags: uint16('radiotap.rxflags', 'RX flags', { ...LITTLE, base: 'hex' }),
  mcsKnown: uint8('radiotap.mcs.known', 'Known MCS information', { base: 'hex' }),
  mcsIndex: uint8('radiotap.mcs.index', 'MCS index'),
};

/** Visit the fields that are present, with their bit and place. Bounded by the words of bits, 32 fields each. */
function eachField(l: Layer, visit: (bit: number, at: number) => void): void {
  const stop = Math.min(l.start + u16le(l.bytes, l.start + 2), l.captured);
  let words = 1;
  while (l.start + 4 + 4 * words <= stop && u32le(l.bytes, l.start + 4 * words) & EXTENDED) words++;
  let at = 4 + 4 * words;
  for (let word = 0; word < words; word++) {
    const wordAt = l.start + 4 + 4 * word;
    if (wordAt + 4 > stop) return;
    const present = u32le(l.bytes, wordAt);
    for (let number = 0; number < 29; number++) {
      if ((present & (1 << number)) === 0) continue;
      const shape = SHAPE[number];
      if (shape === undefined) return;
      const [size, align] = shape;
      at = (at + align - 1) & -align;
      if (l.start + at + size > stop) return;
      visit(number, l.start + at);
      at += size;
    }
    // Another name space follows: its fields are its vendor's.
    if (present & 0x40000000) return;
  }
}

/** A radiotap header. */
export class Radiotap extends layer('radiotap', 'Radiotap Header', fields, 'Radiotap') {
  override walk(tree: Tree): void {
    if (this.start + HEADER_LENGTH > this.captured) return;
    const stop = Math.min(this.start + u16le(this.bytes, this.start + 2), this.captured);
    for (let at = this.start + 4; at + 4 <= stop; at += 4) {
      tree.add(fields.present, at);
      if ((u32le(this.bytes, at) & EXTENDED) === 0) break;
    }
    eachField(this, (number, at) => {
      switch (number) {
        case 0:
          return tree.add(fields.time, at);
        case 1:
          return tree.word(fields.flags, at, Object.values(flagBits));
        case 2:
          return tree.put(fields.rate, this.bytes[at]! / 2, at, 1);
        case 3:
          tree.add(fields.frequency, at);
          return tree.word(fields.channelFlags, at + 2, Object.values(channelBits));
        case 4:
          tree.add(fields.hopSet, at);
          return tree.add(fields.hopPattern, at + 1);
        case 5:
          return tree.add(fields.signal, at);
        case 6:
          return tree.add(fields.noise, at);
        case 10:
          return tree.add(fields.power, at);
        case 11:
          return tree.add(fields.antenna, at);
        case 14:
          return tree.add(fields.receiveFlags, at);
        case 19:
          tree.add(fields.mcsKnown, at);
          return tree.add(fields.mcsIndex, at + 2);
      }
    });
  }
  override summary(out: TextBuffer): void {
    out.ascii('Radiotap Capture v');
    out.number(this.bytes[this.start]!);
    out.ascii(', Length ');
    out.number(u16le(this.bytes, this.start + 2));
  }
}

export const dissectRadiotap: Dissect = (frame, start, end) => {
  const radiotap = new Radiotap(frame, start, end);
  if (!frame.add(radiotap, HEADER_LENGTH)) return;
  const length = u16le(radiotap.bytes, start + 2);
  if (length < HEADER_LENGTH) return frame.malformed(radiotap, HEADER_LENGTH);
  if (!frame.require(radiotap, length)) return;
  let flags = 0;
  eachField(radiotap, (number, at) => {
    if (number === FLAGS_BIT) flags = radiotap.bytes[at]!;
  });
  dissectWlanFrame(frame, start + length, end, flags & FCS_AT_END ? 4 : 0, (flags & DATA_PAD) !== 0);
};

const AVS_MAGIC = 0x80211000;
const AVS_LENGTH = 8;
const PRISM_LENGTH = 144;

/** AVS header: version and length, most significant octet first, then what the card saw. */
export class Avs extends layer(
  'wlancap',
  'AVS WLAN Capture header',
  {
    version: uint32('wlancap.magic', 'Header magic', 0, { base: 'hex' }),
    length: uint32('wlancap.length', 'Header length', 4, { unit: 'bytes' }),
  },
  'WLAN',
) {
  override summary(out: TextBuffer): void {
    out.ascii('AVS WLAN capture');
  }
}

export const dissectAvs: Dissect = (frame, start, end) => {
  const avs = new Avs(frame, start, end);
  if (!frame.add(avs, AVS_LENGTH)) return;
  const length = u32(avs.bytes, start + 4);
  if (length < AVS_LENGTH || length > end - start) return frame.malformed(avs, length);
  dissectWlan(frame, start + length, end);
};

/** Prism header: what cards of that chip say, in the byte order of the capturing machine. */
export class Prism extends layer('prism', 'Prism capture header', {
  message: computed('uint32', 'prism.msgcode', 'Message Code', (l) => (l.start + 8 <= l.captured ? prismWord(l, 0) : undefined)),
  length: computed('uint32', 'prism.msglen', 'Message Length', (l) => (l.start + 8 <= l.captured ? prismWord(l, 4) : undefined), {
    unit: 'bytes',
  }),
}) {
  override summary(out: TextBuffer): void {
    out.ascii('Prism capture header');
  }
}

/** Message codes are small, so a large one was read in the wrong order. */
const prismWord = (l: Layer, at: number): number =>
  u32le(l.bytes, l.start) < 0x10000 ? u32le(l.bytes, l.start + at) : u32(l.bytes, l.start + at);

export const dissectPrism: Dissect = (frame, start, end) => {
  // AVS headers stand under Prism's link type too.
  if (start + 4 <= frame.captured && (u32(frame.bytes, start) & 0xfffff000) >>> 0 === AVS_MAGIC) return dissectAvs(frame, start, end);
  const prism = new Prism(frame, start, end);
  if (frame.add(prism, PRISM_LENGTH)) dissectWlan(frame, start + PRISM_LENGTH, end);
};

const PPI_LENGTH = 8;
const PPI_COMMON = 2;

/** Per-Packet Information: fields of several vendors before a frame of any link type. */
export class Ppi extends layer('ppi', 'PPI packet header', {
  version: uint8('ppi.version', 'Version', 0),
  flags: uint8('ppi.flags', 'Flags', 1, { base: 'hex' }),
  length: uint16('ppi.length', 'Header length', 2, { ...LITTLE, unit: 'bytes' }),
  linkType: uint32('ppi.dlt', 'DLT', 4, LITTLE),
}) {
  override summary(out: TextBuffer): void {
    out.ascii('PPI version ');
    out.number(this.bytes[this.start]!);
    out.ascii(', ');
    out.number(u16le(this.bytes, this.start + 2));
    out.ascii(' bytes');
  }
}

export const dissectPpi: Dissect = (frame, start, end) => {
  const ppi = new Ppi(frame, start, end);
  if (!frame.add(ppi, PPI_LENGTH)) return;
  const length = u16le(ppi.bytes, start + 2);
  if (length < PPI_LENGTH) return frame.malformed(ppi, PPI_LENGTH);
  if (!frame.require(ppi, length)) return;
  const linkType = u32le(ppi.bytes, start + 4);
  if (linkType !== 105)
    return linkType < linkTypes.size ? frame.dispatch(linkTypes, linkType, start + length, end) : frame.data(start + length, end);
  // The 802.11 common field begins with an 8-octet time; flags follow it, of which the lowest tells of an FCS.
  let fcs = 0;
  for (let at = start + PPI_LENGTH; at + 4 <= start + length; at += 4 + u16le(ppi.bytes, at + 2))
    if (u16le(ppi.bytes, at) === PPI_COMMON && at + 14 <= start + length) fcs = ppi.bytes[at + 12]! & 1 ? 4 : 0;
  dissectWlanFrame(frame, start + length, end, fcs, false);
};

export const radiotap: ProtocolEntry = {
  name: 'radiotap',
  layers: [Radiotap],
  dissect: dissectRadiotap,
  on: [linkTypes.at(127, dissectRadiotap)],
};
export const avs: ProtocolEntry = { name: 'wlancap', layers: [Avs], dissect: dissectAvs, on: [linkTypes.at(163, dissectAvs)] };
export const prism: ProtocolEntry = { name: 'prism', layers: [Prism], dissect: dissectPrism, on: [linkTypes.at(119, dissectPrism)] };
export const ppi: ProtocolEntry = { name: 'ppi', layers: [Ppi], dissect: dissectPpi, on: [linkTypes.at(192, dissectPpi)] };
