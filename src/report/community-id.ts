/** Community ID v1: a name for a flow that Zeek, Suricata, Arkime and others agree on (Corelight's specification). */
import { createHash } from 'node:crypto';
import { parseIpv4, parseIpv6 } from '../core/addresses.js';

/**
 * `1:` and the SHA-1 of seed, addresses, protocol and ports in Base64, the lower endpoint first; undefined when an
 * address is none of IP. `protocol` is IP's number (TCP 6, UDP 17).
 *
 * @example communityId(6, '128.232.110.120', 34855, '66.35.250.204', 80) // '1:LQU9qZlK+B5F3KDmev6m5PMibrg='
 */
export function communityId(
  protocol: number,
  source: string,
  sourcePort: number,
  destination: string,
  destinationPort: number,
): string | undefined {
  const from = addressOctets(source);
  const to = addressOctets(destination);
  if (from === undefined || to === undefined) return undefined;
  const order = compareOctets(from, to) || sourcePort - destinationPort;
  const [low, lowPort, high, highPort] = order <= 0 ? [from, sourcePort, to, destinationPort] : [to, destinationPort, from, sourcePort];
  const hash = createHash('sha1')
    .update(Uint8Array.of(0, 0))
    .update(low)
    .update(high)
    .update(Uint8Array.of(protocol, 0, lowPort >> 8, lowPort & 255, highPort >> 8, highPort & 255));
  return `1:${hash.digest('base64')}`;
}

function addressOctets(text: string): Uint8Array | undefined {
  const n = parseIpv4(text);
  return n === undefined ? parseIpv6(text) : Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n);
}

function compareOctets(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
