/**
 * User Datagram Protocol.
 *
 * RFC 768.
 *
 *     0         2         4        6          8
 *     | srcport | dstport | length | checksum | payload …
 */
import { uint16 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { layer } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { type Dissect, ipProtocols, type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';

const HEADER_LENGTH = 8;

export class Udp extends layer('udp', 'User Datagram Protocol', {
  srcPort: uint16('udp.srcport', 'Source Port', 0, { also: ['udp.port'] }),
  dstPort: uint16('udp.dstport', 'Destination Port', 2, { also: ['udp.port'] }),
  length: uint16('udp.length', 'Length', 4),
  checksum: uint16('udp.checksum', 'Checksum', 6, { base: 'hex' }),
}) {
  override summary(out: TextBuffer): void {
    out.number(u16(this.bytes, this.start));
    out.unicode(' → ');
    out.number(u16(this.bytes, this.start + 2));
    out.ascii(' Len=');
    out.number(u16(this.bytes, this.start + 4) - HEADER_LENGTH);
  }
}

export const dissectUdp: Dissect = (frame, start, end) => {
  const udp = new Udp(frame, start, end);
  if (!frame.add(udp, HEADER_LENGTH)) return;
  frame.transport = udp;
  const length = u16(udp.bytes, start + 4);
  const stop = length >= HEADER_LENGTH && start + length < end ? start + length : end;
  frame.session.hooks.udp?.(frame, udp);
  dissectPayload(frame, u16(udp.bytes, start), u16(udp.bytes, start + 2), start + HEADER_LENGTH, stop);
};

/** The payload of a datagram by its ports, the lower first (the server's, as a rule), else by its first octets. */
function dissectPayload(frame: Frame, srcPort: number, dstPort: number, start: number, end: number): void {
  if (end <= start) return;
  const low = Math.min(srcPort, dstPort);
  if (frame.tryDispatch(udpPorts, low, start, end) || frame.tryDispatch(udpPorts, srcPort + dstPort - low, start, end)) return;
  const { udpRecognisers } = frame.session.registry;
  for (let i = 0; i < udpRecognisers.length; i++) {
    const { recognise, dissect } = udpRecognisers[i]!;
    if (recognise(frame.bytes, start, Math.min(end, frame.captured))) return dissect(frame, start, end);
  }
  frame.data(start, end);
}

export const udp: ProtocolEntry = { name: 'udp', layers: [Udp], dissect: dissectUdp, on: [ipProtocols.at(17, dissectUdp)] };
