/**
 * Raw IP: packets without any link-layer header; the version in the first four bits tells which IP it is.
 *
 * LINKTYPE_RAW of the pcap link types (101; 12 and 14 are DLT_RAW of BSD and OpenBSD in files written by old programs), and
 * Classical IP over ATM as Linux hands it on, without its cells (LINKTYPE_ATM_CLIP, 106; 16, 18 and 19 in old files).
 */
import { u16 } from '../core/octets.js';
import { type Dissect, etherTypes, linkTypes, type ProtocolEntry } from '../core/registry.js';
import { dissectPppHdlc } from './ppp.js';

/** A packet by its IP version. There is no layer for no header. */
export const dissectRaw: Dissect = (frame, start, end) => {
  if (start >= frame.captured) return;
  const version = frame.bytes[start]! >> 4;
  if (version === 4 && frame.tryDispatch(etherTypes, 0x0800, start, end)) return;
  if (version === 6 && frame.tryDispatch(etherTypes, 0x86dd, start, end)) return;
  if (start + 2 <= frame.captured && u16(frame.bytes, start) === 0xff03) dissectPppHdlc(frame, start, end);
  else frame.data(start, end);
};

export const raw: ProtocolEntry = {
  name: 'raw',
  layers: [],
  dissect: dissectRaw,
  on: [linkTypes.at([12, 14, 16, 18, 19, 101, 106], dissectRaw)],
};
