/** The network layer under a transport: its addresses, and the pseudo-header that transport checksums cover. */
import { foldChecksum, sumWords } from '../core/checksum.js';
import type { Layer } from '../core/layer.js';
import { Ipv4 } from './ipv4.js';
import { Ipv6 } from './ipv6.js';

/** The IP header that carries `layer`; undefined when there is none. */
export function networkOf(layer: Layer): Ipv4 | Ipv6 | undefined {
  const { layers } = layer.frame;
  let i = layers.length - 1;
  while (i > 0 && layers[i] !== layer) i--;
  for (i--; i > 0; i--) {
    const below = layers[i]!;
    if (below instanceof Ipv4 || below instanceof Ipv6) return below;
  }
  return undefined;
}

/**
 * Sum of the pseudo-header (RFC 768, RFC 9293 section 3.1, RFC 8200 section 8.1) for `length` octets of `protocol`, to be
 * carried on by sumWords; undefined when no IP header is below `layer`.
 */
export function pseudoHeaderSum(layer: Layer, protocol: number, length: number): number | undefined {
  const ip = networkOf(layer);
  if (ip === undefined) return undefined;
  const { bytes, start } = ip;
  const size = (length & 0xffff) + Math.floor(length / 0x10000) + protocol;
  if (ip instanceof Ipv4) {
    const to = start + ip.destinationOffset;
    return sumWords(bytes, to, to + 4, sumWords(bytes, start + 12, start + 16, size));
  }
  // With stops left in a routing header, the checksum is that of the datagram as it arrives at the last one.
  const { route } = ip;
  if (route) return sumWords(route.bytes, route.at, route.at + 16, sumWords(bytes, start + 8, start + 24, size));
  return sumWords(bytes, start + 8, start + 40, size);
}

/**
 * Check the Internet checksum of `[start, end)` with its pseudo-header: 1 right, 0 wrong, 2 not checked (not asked for,
 * not all captured, no IP below). `length` is what the pseudo-header says where that is more than what is covered.
 */
export function transportChecksum(layer: Layer, protocol: number, start: number, end: number, length = end - start): 0 | 1 | 2 {
  if (!layer.frame.session.checksums || end > layer.captured) return 2;
  const sum = pseudoHeaderSum(layer, protocol, length);
  return sum === undefined ? 2 : foldChecksum(sumWords(layer.bytes, start, end, sum)) === 0 ? 1 : 0;
}
