/** What a server's transport parameters say of where it may be reached (RFC 9000 section 18.2). */
import { u16 } from '../core/octets.js';
import { MAX_ID } from './quic-ids.js';
import { varint, varintLength } from './quic-varint.js';

/** Extensions of TLS that carry them: of RFC 9001, and of the drafts. */
const EXTENSIONS: ReadonlySet<number> = new Set([0x39, 0xffa5]);
const STATELESS_RESET_TOKEN = 0x02;
const PREFERRED_ADDRESS = 0x0d;
/** Two addresses with their ports, before the identifier. */
const ADDRESSES = 4 + 2 + 16 + 2;
/** Octets of a token of a stateless reset. */
export const TOKEN = 16;

/** An identifier and the token of its end, or a token alone. */
export interface Reachable {
  readonly id: Uint8Array | undefined;
  readonly token: Uint8Array;
}

/** Those in Encrypted Extensions, whose body is in `[from, end)`. Each extension and each parameter advances. */
export function reachableIn(b: Uint8Array, from: number, end: number): Reachable[] {
  const found: Reachable[] = [];
  if (from + 2 > end) return found;
  const stop = Math.min(end, from + 2 + u16(b, from));
  for (let at = from + 2; at + 4 <= stop; at += 4 + u16(b, at + 2))
    if (EXTENSIONS.has(u16(b, at))) readParameters(b, at + 4, Math.min(stop, at + 4 + u16(b, at + 2)), found);
  return found;
}

function readParameters(b: Uint8Array, from: number, end: number, found: Reachable[]): void {
  for (let at = from; at < end; ) {
    const lengthAt = at + varintLength(b, at);
    if (lengthAt >= end || lengthAt + varintLength(b, lengthAt) > end) return;
    const value = lengthAt + varintLength(b, lengthAt);
    const stop = value + varint(b, lengthAt);
    if (stop > end) return;
    const id = varint(b, at);
    if (id === STATELESS_RESET_TOKEN && stop - value === TOKEN) found.push({ id: undefined, token: b.slice(value, stop) });
    const idAt = value + ADDRESSES + 1;
    if (id === PREFERRED_ADDRESS && idAt <= stop && b[idAt - 1]! <= MAX_ID && idAt + b[idAt - 1]! + TOKEN === stop)
      found.push({ id: b.slice(idAt, stop - TOKEN), token: b.slice(stop - TOKEN, stop) });
    at = stop;
  }
}
