/**
 * IP Payload Compression: what follows is compressed by an algorithm that the two ends agreed on.
 *
 * RFC 3173 section 3.3 (the header), RFC 2394 (DEFLATE), IANA "IPSEC IPCOMP Transform Identifiers".
 *
 *     0      1       2                            4
 *     | next | flags | Compression Parameter Index | compressed …
 */
import { uint8, uint16 } from '../core/field.js';
import { inflate } from '../core/inflate.js';
import { layer } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { type Dissect, ipProtocols, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { IP_PROTOCOL } from './ip-protocols.js';

const IPCOMP = 108;
const HEADER_LENGTH = 4;

/** Indices below 64 are those of algorithms; the others two hosts agreed on. */
const ALGORITHM: Readonly<Record<number, string>> = { 1: 'OUI', 2: 'DEFLATE', 3: 'LZS', 4: 'LZJH' };

const DEFLATE = 2;
/** From here on an index means what two hosts agreed on, which is DEFLATE as a rule: it is tried. */
const FIRST_AGREED = 256;
/** Octets that an IP datagram has at most. */
const MOST_LENGTH = 65535;

/** An IPComp header. */
export class IpComp extends layer(
  'ipcomp',
  'IP Payload Compression',
  {
    nextHeader: uint8('ipcomp.next_header', 'Next Header', 0, { base: 'hex', values: IP_PROTOCOL }),
    flags: uint8('ipcomp.flags', 'IPComp Flags', 1, { base: 'hex' }),
    index: uint16('ipcomp.cpi', 'IPComp CPI', 2, { base: 'hex', values: ALGORITHM }),
  },
  'IPComp',
) {
  override summary(out: TextBuffer): void {
    const index = u16(this.bytes, this.start + 2);
    out.ascii('IPComp (CPI=');
    const algorithm = ALGORITHM[index];
    if (algorithm !== undefined) out.ascii(algorithm);
    else {
      out.ascii('0x');
      out.hex(index, 4);
    }
    out.ascii(')');
  }
}

export const dissectIpComp: Dissect = (frame, start, end) => {
  const comp = new IpComp(frame, start, end);
  if (!frame.add(comp, HEADER_LENGTH)) return;
  const from = start + HEADER_LENGTH;
  const index = u16(comp.bytes, start + 2);
  frame.data(from, end, 'IPComp');
  if ((index !== DEFLATE && index < FIRST_AGREED) || end > frame.captured) return;
  const plain = inflate(comp.bytes, from, end, MOST_LENGTH);
  if (plain === undefined) return;
  const next = comp.bytes[start]!;
  frame.within(plain, 0, plain.length, (inner, at, to) => inner.dispatch(ipProtocols, next, at, to));
};

export const ipComp: ProtocolEntry = {
  name: 'ipcomp',
  layers: [IpComp],
  dissect: dissectIpComp,
  on: [ipProtocols.at(IPCOMP, dissectIpComp)],
};
