/**
 * The road for plain packets: TCP over IPv4 or IPv6 over Ethernet, tagged or not, read straight from the chunk into a
 * {@link Segment}, without a frame and its layers. What it reads is what the dissectors would have found, and what is
 * not plain (options of IP, fragments, tunnels, quotes in ICMP errors, anything cut or contradictory) it leaves to them.
 */
import type { CaptureRecord } from '../capture/source.js';
import { u16 } from '../core/octets.js';
import type { Segment } from './tcp-segment.js';

/** What a frame is to those who ask about TCP alone: no TCP header is in it. */
export const NO_TCP = 0;
/** It is a TCP header with nothing unusual around it. */
export const SEGMENT = 1;
/** There is no telling without dissecting it. */
export const OTHER = 2;
export type Plain = typeof NO_TCP | typeof SEGMENT | typeof OTHER;

/** LINKTYPE_ETHERNET. */
const ETHERNET = 1;
const ETHERNET_HEADER = 14;
const TAG = 4;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const TCP_HEADER = 20;
const UDP_HEADER = 8;

const ARP = 0x0806;
const IPV4 = 0x0800;
const IPV6 = 0x86dd;

const HOP_BY_HOP = 0;
const ICMP = 1;
const TCP = 6;
const UDP = 17;
const ICMPV6 = 58;

/** More fragments, and the offset. */
const FRAGMENT = 0x3fff;
/** Octets of ICMPv6 without which a message has no room to quote an IPv4 header and the ports, sequence and window of TCP. */
const QUOTE = 8 + 20 + 16;

/** UDP ports under which IP travels: AYIYA, CAPWAP, ESP, Geneve, GRE, GTP, MPLS, sFlow, Teredo, VXLAN. */
export const TUNNEL_PORTS: ReadonlySet<number> = new Set([
  1701, 5072, 5246, 5247, 4500, 6081, 4754, 2123, 2152, 3386, 6635, 6343, 3544, 4789, 4790,
]);

/** Read a record as a plain packet. Fills `segment` when it is a {@link SEGMENT}; the frame's number is left to the caller. */
export function readPlain(record: CaptureRecord, segment: Segment): Plain {
  const { bytes: b, start, captured, interface: from } = record;
  if (from.linkType !== ETHERNET || from.fcsLength !== undefined || captured - start < ETHERNET_HEADER) return OTHER;
  let at = start + ETHERNET_HEADER;
  let type = u16(b, at - 2);
  // Two tags at most: an outer and an inner.
  for (let tags = 0; tags < 2 && (type === 0x8100 || type === 0x88a8) && at + TAG <= captured; tags++) {
    at += TAG;
    type = u16(b, at - 2);
  }
  const end = start + record.wireLength;
  if (type === IPV4) return readIpv4(record, segment, at, end);
  if (type === IPV6) return readIpv6(record, segment, at, end);
  return type === ARP ? NO_TCP : OTHER;
}

function readIpv4(record: CaptureRecord, segment: Segment, at: number, end: number): Plain {
  const { bytes: b, captured } = record;
  const total = u16(b, at + 2);
  const stop = at + total <= end ? at + total : end;
  const limit = stop < captured ? stop : captured;
  // Version 4 and no options, a length, no fragment, and room for the ports.
  if (at + IPV4_HEADER + UDP_HEADER > limit || b[at] !== 0x45 || total < IPV4_HEADER || (u16(b, at + 6) & FRAGMENT) !== 0) return OTHER;
  const payload = at + IPV4_HEADER;
  const protocol = b[at + 9]!;
  if (protocol === TCP) {
    if (payload + TCP_HEADER > limit) return OTHER;
    segment.version = 4;
    return fill(record, segment, at, payload, limit, stop, u16(b, at + 4));
  }
  if (protocol === UDP) return ofUdp(b, payload);
  // Echo is all that is common and quotes nobody.
  return protocol === ICMP && (b[payload] === 0 || b[payload] === 8) ? NO_TCP : OTHER;
}

function readIpv6(record: CaptureRecord, segment: Segment, at: number, end: number): Plain {
  const { bytes: b, captured } = record;
  if (at + IPV6_HEADER > captured || b[at]! >> 4 !== 6) return OTHER;
  const length = u16(b, at + 4);
  let payload = at + IPV6_HEADER;
  const stop = payload + length <= end ? payload + length : end;
  const limit = stop < captured ? stop : captured;
  if (length === 0 || payload + UDP_HEADER > limit) return OTHER;
  let next = b[at + 6]!;
  if (next === TCP) {
    if (payload + TCP_HEADER > limit) return OTHER;
    segment.version = 6;
    return fill(record, segment, at, payload, limit, stop, 0);
  }
  if (next === UDP) return ofUdp(b, payload);
  // Reports of multicast listeners have the shortest of hop-by-hop headers before them.
  if (next === HOP_BY_HOP && b[payload + 1] === 0 && payload + 2 * UDP_HEADER <= limit) {
    next = b[payload]!;
    payload += UDP_HEADER;
  }
  if (next !== ICMPV6) return OTHER;
  const message = b[payload]!;
  // Echo and reports of listeners quote nobody; neighbour discovery might.
  return (message >= 128 && message <= 132) || message === 143 || stop - payload < QUOTE ? NO_TCP : OTHER;
}

function ofUdp(b: Uint8Array, at: number): Plain {
  return TUNNEL_PORTS.has(u16(b, at)) || TUNNEL_PORTS.has(u16(b, at + 2)) ? OTHER : NO_TCP;
}

function fill(
  record: CaptureRecord,
  segment: Segment,
  ip: number,
  start: number,
  limit: number,
  stop: number,
  identification: number,
): Plain {
  segment.seconds = record.seconds;
  segment.nanoseconds = record.nanoseconds;
  segment.ipBytes = record.bytes;
  segment.ipStart = ip;
  segment.read(record.bytes, start, limit, stop, identification);
  return SEGMENT;
}
