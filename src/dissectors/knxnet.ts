/**
 * KNXnet/IP: building automation over UDP; the header, which says which service and how long.
 *
 * ISO 22510 (EN 13321-2).
 *
 *     0        1         2              4              6
 *     | hlen=6 | version | service type | total length | service's own structures …
 */
import { bits, group, uint8, uint16 } from '../core/field.js';
import { layer } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { type Dissect, type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { Udp } from './udp.js';

const HEADER_LENGTH = 6;
const PORT = 3671;

const SERVICE: Readonly<Record<number, string>> = {
  513: 'Search Request',
  514: 'Search Response',
  515: 'Description Request',
  516: 'Description Response',
  517: 'Connect Request',
  518: 'Connect Response',
  519: 'Connection State Request',
  520: 'Connection State Response',
  521: 'Disconnect Request',
  522: 'Disconnect Response',
  523: 'Search Request Extended',
  524: 'Search Response Extended',
  784: 'Device Configuration Request',
  785: 'Device Configuration Ack',
  1056: 'Tunneling Request',
  1057: 'Tunneling Ack',
  1058: 'Tunneling Feature Get',
  1059: 'Tunneling Feature Response',
  1060: 'Tunneling Feature Set',
  1061: 'Tunneling Feature Info',
  1328: 'Routing Indication',
  1329: 'Routing Lost Message',
  1330: 'Routing Busy',
};

/** A KNXnet/IP message. */
export class KnxNet extends layer(
  'knxip',
  'KNX/IP',
  {
    headerLength: uint8('knxip.headerlength', 'Header Length', 0),
    version: uint8('knxip.version', 'Protocol Version', 1, { base: 'hex' }),
    ...group(
      { service: uint16('knxip.service', 'Service Identifier', 2, { base: 'hex', values: SERVICE }) },
      { family: bits('knxip.service.family', 'Service Family', 2, 16, 0xff00, { base: 'hex' }) },
    ),
    totalLength: uint16('knxip.totallength', 'Total Length', 4, { unit: 'bytes' }),
  },
  'KNXnet/IP',
) {
  override summary(out: TextBuffer): void {
    const service = u16(this.bytes, this.start + 2);
    out.text(SERVICE[service] ?? `service 0x${service.toString(16).padStart(4, '0')}`);
  }
}

/** Header length and version of every message that there is. */
const isKnx = (bytes: Uint8Array, start: number, end: number): boolean =>
  end - start >= HEADER_LENGTH && bytes[start] === HEADER_LENGTH && (bytes[start + 1] === 0x10 || bytes[start + 1] === 0x20);

/** One message after the other, each as long as it says. */
const dissectKnx: Dissect = (frame, start, end) => {
  let at = start;
  while (at < end && isKnx(frame.bytes, at, Math.min(end, frame.captured))) {
    const length = Math.max(HEADER_LENGTH, u16(frame.bytes, at + 4));
    const knx = new KnxNet(frame, at, Math.min(at + length, end));
    if (!frame.add(knx, HEADER_LENGTH)) return;
    if (frame.transport instanceof Udp) frame.transport.messageLengths.push(length);
    at += length;
  }
  frame.data(at, end);
};

export const knxNet: ProtocolEntry = { name: 'knxip', layers: [KnxNet], dissect: dissectKnx, on: [udpPorts.at(PORT, dissectKnx)] };
