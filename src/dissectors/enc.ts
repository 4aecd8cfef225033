/**
 * BSD's encapsulating interface: packets of IPsec after they were opened, or before they are closed.
 *
 * LINKTYPE_ENC of the pcap link types; enc(4). The numbers are in the byte order of the machine that captured, but for
 * the SPI.
 *
 *     0        4     8       12
 *     | family | SPI | flags | payload …
 */
import { computed, group, uint32 } from '../core/field.js';
import { type Layer, layer } from '../core/layer.js';
import { u32, u32le } from '../core/octets.js';
import { type Dissect, etherTypes, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';

const HEADER_LENGTH = 12;
const FAMILY: Readonly<Record<number, string>> = { 2: 'IPv4', 24: 'IPv6', 28: 'IPv6', 30: 'IPv6' };

/** The family fits into 16 bits, so the order of the octets can be told. */
const isLittle = (l: Layer): boolean => u32le(l.bytes, l.start) < 0x10000;
const hostNumber = (l: Layer, at: number): number => (isLittle(l) ? u32le : u32)(l.bytes, l.start + at);
const familyOf = (l: Layer): number => hostNumber(l, 0);
const flagsOf = (l: Layer): number | undefined => (l.start + HEADER_LENGTH <= l.captured ? hostNumber(l, 8) : undefined);
const flagged = (name: string, label: string, mask: number) =>
  computed('bool', name, label, (l: Layer) => {
    const flags = flagsOf(l);
    return flags === undefined ? undefined : (flags & mask) !== 0;
  });

/** The header of a packet on an enc interface. */
export class Enc extends layer(
  'enc',
  'Encapsulating interface',
  {
    family: computed('uint32', 'enc.af', 'Address Family', (l) => (l.start + 4 <= l.captured ? familyOf(l) : undefined), {
      values: FAMILY,
    }),
    spi: uint32('enc.spi', 'SPI', 4, { base: 'hex' }),
    ...group(
      { flags: computed('uint32', 'enc.flags', 'Flags', flagsOf, { base: 'hex' }) },
      {
        encrypted: flagged('enc.flags.payload_enc', 'Payload encrypted', 0x400),
        authenticated: flagged('enc.flags.payload_auth', 'Payload authenticated', 0x800),
        compressed: flagged('enc.flags.payload_compress', 'Payload compressed', 0x1000),
        headerAuthenticated: flagged('enc.flags.header_auth', 'Header authenticated', 0x2000),
      },
    ),
  },
  'ENC',
) {
  override summary(out: TextBuffer): void {
    out.ascii('SPI 0x');
    out.hex(u32(this.bytes, this.start + 4), 8);
  }
}

export const dissectEnc: Dissect = (frame, start, end) => {
  const enc = new Enc(frame, start, end);
  if (!frame.add(enc, HEADER_LENGTH)) return;
  const family = FAMILY[familyOf(enc)];
  const type = family === 'IPv4' ? 0x0800 : family === 'IPv6' ? 0x86dd : -1;
  const from = start + HEADER_LENGTH;
  if (type < 0 || !frame.tryDispatch(etherTypes, type, from, end)) frame.data(from, end);
};

export const enc: ProtocolEntry = { name: 'enc', layers: [Enc], dissect: dissectEnc, on: [linkTypes.at([13, 109], dissectEnc)] };
