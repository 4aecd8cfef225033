/**
 * Echo requests and the replies to them, of ICMP and ICMPv6.
 *
 * A reply repeats the request's identifier, sequence number and payload (RFC 792, RFC 4443 section 4.2), so its checksum
 * differs by the type alone: that says cheaply whether the payload is the same.
 */
import type { Frame } from '../core/frame.js';
import type { Layer } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { between } from '../core/time.js';
import type { EchoRequest } from '../dissectors/icmp-common.js';
import { Ipv4 } from '../dissectors/ipv4.js';
import { networkOf } from '../dissectors/pseudo-header.js';

/** Requests that wait for a reply; beyond it the oldest is given up. */
const MOST_PENDING = 65536;

interface Pending {
  readonly frame: number;
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** What ones-complement arithmetic adds to a reply's checksum to make it the request's. */
const ICMP_DIFFERENCE = 0xffff - 0x0800;
const ICMPV6_DIFFERENCE = 0x0100;

/** Pairs of a capture, whatever VLAN or interface they came by. */
export class EchoPairs {
  private readonly pending = new Map<string, Pending>();

  /** Remember a request, or tell a reply of the one it answers: the latest with its key, once. */
  see(frame: Frame, echo: Layer & { request: EchoRequest | undefined }, isRequest: boolean): void {
    const ip = networkOf(echo);
    if (ip === undefined) return;
    const key = keyOf(ip, echo, isRequest);
    if (isRequest) {
      // Set anew, so that the map's order is that of time.
      this.pending.delete(key);
      if (this.pending.size >= MOST_PENDING) this.pending.delete(this.pending.keys().next().value!);
      this.pending.set(key, { frame: frame.number, seconds: frame.seconds, nanoseconds: frame.nanoseconds });
      return;
    }
    const request = this.pending.get(key);
    if (request === undefined) return;
    this.pending.delete(key);
    echo.request = {
      frame: request.frame,
      time: between(frame.seconds, frame.nanoseconds, request.seconds, request.nanoseconds),
    };
  }
}

/** The two addresses in the order of their octets, the words after the checksum, and the checksum as the request has it. */
function keyOf(ip: Layer, echo: Layer, isRequest: boolean): string {
  const isV4 = ip instanceof Ipv4;
  const length = isV4 ? 4 : 16;
  const source = ip.start + (isV4 ? 12 : 8);
  const { bytes } = ip;
  let swapped = false;
  for (let i = 0; i < length; i++) {
    const difference = bytes[source + i]! - bytes[source + length + i]!;
    if (difference === 0) continue;
    swapped = difference > 0;
    break;
  }
  let key = words(bytes, source + (swapped ? length : 0), length) + words(bytes, source + (swapped ? 0 : length), length);
  key += words(echo.bytes, echo.start + 4, 4);
  const difference = isRequest ? 0 : isV4 ? ICMP_DIFFERENCE : ICMPV6_DIFFERENCE;
  // 0 and 0xffff are the same number in ones-complement arithmetic.
  return key + String.fromCharCode((u16(echo.bytes, echo.start + 2) + difference) % 0xffff);
}

/** Octets as text of 16-bit characters: short, and quick to compare. */
function words(bytes: Uint8Array, at: number, length: number): string {
  let text = '';
  for (let i = 0; i < length; i += 2) text += String.fromCharCode(u16(bytes, at + i));
  return text;
}
