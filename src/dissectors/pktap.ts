/**
 * PKTAP: what macOS knows of a packet (interface, process), before a frame of any link type.
 *
 * LINKTYPE_PKTAP of the pcap link types; DLT_USER2 in files of the first systems that had it. Least significant octet
 * first.
 *
 *     0        4             8           12
 *     | length | record type | link type | interface name (24) | … | frame …
 */
import { string, uint32 } from '../core/field.js';
import { layer } from '../core/layer.js';
import { u32le } from '../core/octets.js';
import { type Dissect, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';

const HEADER_LENGTH = 108;
const NAME_AT = 12;
const NAME_ROOM = 24;
const LITTLE = { little: true } as const;

/** A PKTAP header. */
export class Pktap extends layer('pktap', 'PKTAP packet header', {
  length: uint32('pktap.hdrlen', 'Header length', 0, { ...LITTLE, unit: 'bytes' }),
  recordType: uint32('pktap.rectype', 'Record type', 4, LITTLE),
  linkType: uint32('pktap.dlt', 'DLT', 8, LITTLE),
  interfaceName: string('pktap.ifname', 'Interface name', NAME_AT, (l) => {
    let n = 0;
    while (n < NAME_ROOM && l.bytes[l.start + NAME_AT + n]) n++;
    return n;
  }),
  processId: uint32('pktap.pid', 'Process ID', 52, LITTLE),
}) {
  override summary(out: TextBuffer): void {
    out.text(this.interfaceName);
  }
}

export const dissectPktap: Dissect = (frame, start, end) => {
  const pktap = new Pktap(frame, start, end);
  if (!frame.add(pktap, HEADER_LENGTH)) return;
  const length = u32le(pktap.bytes, start);
  if (length < HEADER_LENGTH || length > end - start) return frame.malformed(pktap, length);
  const linkType = u32le(pktap.bytes, start + 8);
  if (linkType < linkTypes.size) frame.dispatch(linkTypes, linkType, start + length, end);
  else frame.data(start + length, end);
};

export const pktap: ProtocolEntry = {
  name: 'pktap',
  layers: [Pktap],
  dissect: dissectPktap,
  on: [linkTypes.at([149, 258], dissectPktap)],
};
