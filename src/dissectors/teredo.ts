/**
 * Teredo: IPv6 in UDP, for hosts behind address translators.
 *
 * RFC 4380 section 5.1.1.
 *
 *     | authentication: 0x0001, lengths (1, 1), client id, value, nonce (8), confirmation (1) |        may be absent
 *     | origin: 0x0000, obscured port (2), obscured address (4) |                                     may be absent
 *     | IPv6 packet …
 */
import { bytes, computed, uint8 } from '../core/field.js';
import { type Layer, layer } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { type Dissect, ipProtocols, type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';

const AUTHENTICATION = 0x0001;
const ORIGIN = 0x0000;
const IPV6 = 41;

const hasAuthentication = (l: Layer): boolean => l.start + 4 <= l.captured && u16(l.bytes, l.start) === AUTHENTICATION;
const idLength = (l: Layer): number => l.bytes[l.start + 2]!;
const valueLength = (l: Layer): number => l.bytes[l.start + 3]!;

/** Octets of the authentication, 0 without one. */
const authenticationLength = (l: Layer): number => (hasAuthentication(l) ? 4 + idLength(l) + valueLength(l) + 9 : 0);
/** Where the origin indication is, if there is one. */
const originAt = (l: Layer): number | undefined => {
  const at = l.start + authenticationLength(l);
  return at + 8 <= l.captured && u16(l.bytes, at) === ORIGIN ? at : undefined;
};

/** What Teredo puts before an IPv6 packet: authentication, origin indication. */
export class Teredo extends layer(
  'teredo',
  'Teredo IPv6 over UDP tunneling',
  {
    idLength: uint8('teredo.auth.idlen', 'Client identifier length', 2, { when: hasAuthentication }),
    valueLength: uint8('teredo.auth.aulen', 'Authentication value length', 3, { when: hasAuthentication }),
    id: bytes('teredo.auth.id', 'Client identifier', 4, idLength, { when: (l: Layer) => hasAuthentication(l) && idLength(l) > 0 }),
    value: bytes('teredo.auth.value', 'Authentication value', (l) => 4 + idLength(l), valueLength, {
      when: (l: Layer) => hasAuthentication(l) && valueLength(l) > 0,
    }),
    nonce: bytes('teredo.auth.nonce', 'Nonce value', (l) => 4 + idLength(l) + valueLength(l), 8, { when: hasAuthentication }),
    confirmation: uint8('teredo.auth.conf', 'Confirmation byte', (l) => 12 + idLength(l) + valueLength(l), {
      base: 'hex',
      when: hasAuthentication,
    }),
    originPort: computed('uint16', 'teredo.orig.port', 'Origin UDP port', (l) => {
      const at = originAt(l);
      return at === undefined ? undefined : u16(l.bytes, at + 2) ^ 0xffff;
    }),
    originAddress: computed('ipv4', 'teredo.orig.addr', 'Origin IPv4 address', (l) => {
      const at = originAt(l);
      return at === undefined ? undefined : ~u32(l.bytes, at + 4) >>> 0;
    }),
  },
  'Teredo',
) {
  override summary(out: TextBuffer): void {
    out.ascii('Teredo IPv6 over UDP tunneling');
  }
}

export const dissectTeredo: Dissect = (frame, start, end) => {
  const teredo = new Teredo(frame, start, end);
  if (!frame.add(teredo, 4)) return;
  let from = start + authenticationLength(teredo);
  if (!frame.require(teredo, from - start)) return;
  if (originAt(teredo) !== undefined) from += 8;
  if (from < end) frame.dispatch(ipProtocols, IPV6, from, end);
};

export const teredo: ProtocolEntry = { name: 'teredo', layers: [Teredo], dissect: dissectTeredo, on: [udpPorts.at(3544, dissectTeredo)] };
