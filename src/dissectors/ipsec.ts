/**
 * IPsec's two headers: Authentication Header, which can be looked through, and the visible part of Encapsulating Security
 * Payload, which cannot.
 *
 * RFC 4302 (AH), RFC 4303 (ESP), RFC 3948 (ESP in UDP).
 *
 *     AH:  0      1        2          4     8          12
 *          | next | length | reserved | SPI | sequence | ICV …        length in units of 4, two of them not counted
 *     ESP: 0     4          8
 *          | SPI | sequence | encrypted …
 */
import { bytes, uint8, uint32 } from '../core/field.js';
import { type Layer, layer } from '../core/layer.js';
import { u32 } from '../core/octets.js';
import { type Dissect, ipProtocols, type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { IP_PROTOCOL } from './ip-protocols.js';

const AH_FIXED = 12;
const ESP_FIXED = 8;

/** An IPsec Authentication Header. */
export class AuthenticationHeader extends layer(
  'ah',
  'Authentication Header',
  {
    nextHeader: uint8('ah.next_header', 'Next header', 0, { values: IP_PROTOCOL }),
    length: uint8('ah.length', 'Length', 1),
    reserved: bytes('ah.reserved', 'Reserved', 2, 2),
    spi: uint32('ah.spi', 'AH SPI', 4, { base: 'hex' }),
    sequence: uint32('ah.sequence', 'AH Sequence', 8),
    icv: bytes('ah.icv', 'AH ICV', AH_FIXED, (l) => (l.bytes[l.start + 1]! + 2) * 4 - AH_FIXED),
  },
  'AH',
) {
  override summary(out: TextBuffer): void {
    writeSpi(out, 'AH', u32(this.bytes, this.start + 4));
  }
}

/** The visible part of an IPsec Encapsulating Security Payload. */
export class Esp extends layer(
  'esp',
  'Encapsulating Security Payload',
  {
    spi: uint32('esp.spi', 'ESP SPI', 0, { base: 'hex' }),
    sequence: uint32('esp.sequence', 'ESP Sequence', 4),
    encrypted: bytes('esp.encrypted_data', 'ESP Encrypted Data', ESP_FIXED, (l) => l.captured - l.start - ESP_FIXED, { quiet: true }),
  },
  'ESP',
) {
  override summary(out: TextBuffer): void {
    writeSpi(out, 'ESP', u32(this.bytes, this.start));
  }
}

function writeSpi(out: TextBuffer, name: string, spi: number): void {
  out.ascii(name);
  out.ascii(' (SPI=0x');
  out.hex(spi, 8);
  out.ascii(')');
}

export const dissectAh: Dissect = (frame, start, end) => {
  const ah = new AuthenticationHeader(frame, start, end);
  if (!frame.add(ah, AH_FIXED)) return;
  const length = (ah.bytes[start + 1]! + 2) * 4;
  // Less than the fixed part is wrong (RFC 4302 section 2.2), yet what follows stands where the length says.
  if (!frame.require(ah, length)) return;
  frame.dispatch(ipProtocols, ah.bytes[start]!, start + length, end);
};

export const dissectEsp: Dissect = (frame, start, end) => {
  frame.add(new Esp(frame, start, end), ESP_FIXED);
};

/** What UDP port 4500 carries: a keep-alive of one octet 0xff, IKE behind four zero octets, or ESP (RFC 3948 section 2). */
export class UdpEncapsulation extends layer(
  'udpencap',
  'UDP Encapsulation of IPsec Packets',
  {
    keepAlive: uint8('udpencap.nat_keepalive', 'NAT-keepalive packet', 0, { base: 'hex', when: (l) => l.end - l.start === 1 }),
    nonEsp: bytes('udpencap.non_esp_marker', 'Non-ESP Marker', 0, 4, {
      when: (l: Layer) => l.end - l.start >= 4 && u32(l.bytes, l.start) === 0,
    }),
  },
  'UDPENCAP',
) {
  override summary(out: TextBuffer): void {
    out.ascii(this.end - this.start === 1 ? 'NAT-keepalive' : 'UDP encapsulation of IPsec');
  }
}

export const dissectUdpEncapsulation: Dissect = (frame, start, end) => {
  const layer = new UdpEncapsulation(frame, start, end);
  if (!frame.add(layer, 1) || end - start < 8) return;
  if (!frame.require(layer, 4)) return;
  if (u32(layer.bytes, start) === 0) frame.data(start + 4, end);
  else dissectEsp(frame, start, end);
};

export const ipsec: readonly ProtocolEntry[] = [
  { name: 'ah', layers: [AuthenticationHeader], dissect: dissectAh, on: [ipProtocols.at(51, dissectAh)] },
  { name: 'esp', layers: [Esp], dissect: dissectEsp, on: [ipProtocols.at(50, dissectEsp)] },
  {
    name: 'udpencap',
    layers: [UdpEncapsulation],
    dissect: dissectUdpEncapsulation,
    on: [udpPorts.at(4500, dissectUdpEncapsulation)],
  },
];
