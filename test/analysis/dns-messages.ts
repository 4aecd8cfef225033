/** DNS messages in datagrams, for tests of what spans them. */
import { hex } from '../packets.js';

const word = (n: number) => n.toString(16).padStart(4, '0');

/** Labels of `www.x.test`. */
export const labels = (name: string): string =>
  name === ''
    ? '00'
    : `${name
        .split('.')
        .map((label) => label.length.toString(16).padStart(2, '0') + Buffer.from(label).toString('hex'))
        .join('')}00`;

export interface Endpoints {
  /** Last octet of 192.0.2.x. */
  readonly from: number;
  readonly to: number;
  readonly srcPort: number;
  readonly dstPort: number;
}

/** From a client's port 40000 to a server's 53, and back. */
export const ASK: Endpoints = { from: 1, to: 53, srcPort: 40000, dstPort: 53 };
export const REPLY: Endpoints = { from: 53, to: 1, srcPort: 53, dstPort: 40000 };

/** An Ethernet frame with a datagram that holds `message`. */
export function datagram(message: string, { from, to, srcPort, dstPort }: Endpoints): Uint8Array {
  const payload = hex(message);
  const address = (last: number) => `c00002${last.toString(16).padStart(2, '0')}`;
  return hex(
    `020000000002 020000000001 0800 | 45 00 ${word(28 + payload.length)} 0001 0000 40 11 0000 ${address(from)} ${address(to)} |
     ${word(srcPort)} ${word(dstPort)} ${word(8 + payload.length)} 0000 | ${Buffer.from(payload).toString('hex')}`,
  );
}

/** A question for a name's address. */
export const question = (id: number, name = 'a', type = 1): string =>
  `${word(id)} 0100 0001 0000 0000 0000 ${labels(name)} ${word(type)} 0001`;

/** An answer to it: flags beside the response bit, and records as hex. */
export const answer = (
  id: number,
  name = 'a',
  { flags = 0x8180, type = 1, records = ['c00c 0001 0001 0000003c 0004 01020304'], authorities = [] as string[] } = {},
): string =>
  `${word(id)} ${word(flags)} 0001 ${word(records.length)} ${word(authorities.length)} 0000 ${labels(name)} ${word(type)} 0001 ${records.join('')}${authorities.join('')}`;
