/**
 * Cisco HDLC: an EtherType after HDLC's two octets; and SLARP, by which its ends find their addresses and keep in touch.
 *
 * RFC 4349 section 4 (format), RFC 1547 section 4.3.1 (SLARP).
 *
 *     0         1         2          4
 *     | address | control | protocol | payload …
 *
 *     0             4         8          12            14         18
 *     | packet type | address | mask     |                                   request, reply
 *     | 2           | mine    | yours    | reliability |                     keepalive
 */
import { computed, ipv4, uint8, uint16, uint32 } from '../core/field.js';
import { type Layer, layer } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { type Dissect, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dispatchEtherType, ETHERTYPE } from './ethertypes.js';

const HEADER_LENGTH = 4;
const SLARP = 0x8035;
const CDP = 0x2000;
const OSI = 0xfefe;

const PROTOCOL: Readonly<Record<number, string>> = { ...ETHERTYPE, [SLARP]: 'SLARP', [CDP]: 'CDP', [OSI]: 'OSI' };
const ADDRESS = { 15: 'Unicast', 143: 'Multicast' };

/** The header of a Cisco HDLC frame. */
export class CiscoHdlc extends layer(
  'chdlc',
  'Cisco HDLC',
  {
    address: uint8('chdlc.address', 'Address', 0, { base: 'hex', values: ADDRESS }),
    control: uint8('chdlc.control', 'Control', 1, { base: 'hex' }),
    protocolNumber: uint16('chdlc.protocol', 'Protocol', 2, { base: 'hex', values: PROTOCOL }),
  },
  'CHDLC',
) {
  override summary(out: TextBuffer): void {
    const protocol = u16(this.bytes, this.start + 2);
    out.text(PROTOCOL[protocol] ?? `Protocol 0x${protocol.toString(16).padStart(4, '0')}`);
  }
}

const SLARP_LENGTH = 14;
const SLARP_TYPE: Readonly<Record<number, string>> = { 0: 'Request', 1: 'Reply', 2: 'Line keepalive' };
const KEEPALIVE = 2;
const typeOf = (l: Layer): number => u32(l.bytes, l.start);
const asks = (l: Layer): boolean => typeOf(l) < KEEPALIVE;
const keeps = (l: Layer): boolean => typeOf(l) === KEEPALIVE;

/** Serial Line Address Resolution Protocol. */
export class Slarp extends layer('slarp', 'Cisco SLARP', {
  type: uint32('slarp.ptype', 'Packet type', 0, { values: SLARP_TYPE }),
  address: ipv4('slarp.address', 'Address', 4, { when: asks }),
  mask: ipv4('slarp.netmask', 'Netmask', 8, { when: asks }),
  mine: uint32('slarp.mysequence', 'Outgoing sequence number', 4, { when: keeps }),
  yours: uint32('slarp.yoursequence', 'Returned sequence number', 8, { when: keeps }),
  reliability: computed('uint16', 'slarp.reliability', 'Reliability', (l) =>
    l.start + SLARP_LENGTH <= l.captured && keeps(l) ? u16(l.bytes, l.start + 12) : undefined,
  ),
}) {
  override summary(out: TextBuffer): void {
    out.ascii(SLARP_TYPE[typeOf(this)] ?? 'Unknown packet type');
    if (keeps(this)) {
      out.ascii(', outgoing sequence ');
      out.number(u32(this.bytes, this.start + 4));
      out.ascii(', returned sequence ');
      out.number(u32(this.bytes, this.start + 8));
    } else if (asks(this)) {
      out.ascii(', from ');
      out.ipv4(u32(this.bytes, this.start + 4));
      out.ascii(', mask ');
      out.ipv4(u32(this.bytes, this.start + 8));
    }
  }
}

export const dissectSlarp: Dissect = (frame, start, end) => {
  frame.add(new Slarp(frame, start, end), SLARP_LENGTH);
};

export const dissectCiscoHdlc: Dissect = (frame, start, end) => {
  const hdlc = new CiscoHdlc(frame, start, end);
  if (!frame.add(hdlc, HEADER_LENGTH)) return;
  const protocol = u16(hdlc.bytes, start + 2);
  const from = start + HEADER_LENGTH;
  if (protocol === SLARP) dissectSlarp(frame, from, end);
  else if (protocol === OSI || protocol === CDP) frame.data(from, end, PROTOCOL[protocol]);
  else dispatchEtherType(frame, protocol, from, end);
};

export const ciscoHdlc: ProtocolEntry = {
  name: 'chdlc',
  layers: [CiscoHdlc],
  dissect: dissectCiscoHdlc,
  // 112 is NetBSD's number for it.
  on: [linkTypes.at([104, 112], dissectCiscoHdlc)],
};

export const slarp: ProtocolEntry = { name: 'slarp', layers: [Slarp], dissect: dissectSlarp };
