/**
 * Taking the protection off QUIC packets: the mask over the header and the cipher over the payload.
 *
 * RFC 9001 sections 5.1 to 5.4 and 5.8 (Retry), RFC 9000 section 17.1 and appendix A.3 (packet numbers).
 */
import type { Cryptography } from '../core/cryptography.js';
import { expandLabel, extract, join } from '../core/key-derivation.js';
import type { QuicVersion } from './quic-versions.js';

/** Octets of a sample of the payload that masks the header. */
const SAMPLE = 16;
/** Octets of the tag behind the payload. */
const TAG = 16;

/** Keys of one direction for AES-128-GCM, as all Initial packets have. */
export interface PacketKeys {
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  /** Masks headers. */
  readonly mask: Uint8Array;
}

/** The keys of Initial packets, the client's and the server's, from the destination that the client chose first. */
export type InitialKeys = readonly [client: PacketKeys, server: PacketKeys];

/** Derive {@link InitialKeys} (RFC 9001 section 5.2). */
export function initialKeys(crypto: Cryptography, version: QuicVersion, salt: Uint8Array, destination: Uint8Array): InitialKeys {
  const secret = extract(crypto, 'sha256', salt, destination);
  const keysOf = (label: string): PacketKeys => {
    const own = expandLabel(crypto, 'sha256', secret, label, 32);
    return {
      key: expandLabel(crypto, 'sha256', own, `${version.prefix}key`, 16),
      iv: expandLabel(crypto, 'sha256', own, `${version.prefix}iv`, 12),
      mask: expandLabel(crypto, 'sha256', own, `${version.prefix}hp`, 16),
    };
  };
  return [keysOf('client in'), keysOf('server in')];
}

/** A packet with its protection taken off. */
export interface OpenPacket {
  /** The first octet without its mask. */
  readonly first: number;
  readonly number: number;
  /** Octets that it stands in. */
  readonly numberLength: number;
  readonly plain: Uint8Array;
}

/** The packet number nearest to the one behind `largest` (-1 for none) that ends in the `octets` octets of `truncated`. */
export function packetNumber(truncated: number, octets: number, largest: number): number {
  const expected = largest + 1;
  const window = 256 ** octets;
  const candidate = expected - (expected % window) + truncated;
  if (candidate <= expected - window / 2 && candidate + window < 2 ** 62) return candidate + window;
  if (candidate > expected + window / 2 && candidate >= window) return candidate - window;
  return candidate;
}

/**
 * Open the packet with a long header in `[at, end)` whose number begins at `numberAt`; undefined when these are not its keys.
 * `largest` is the largest number so far in its space, -1 for none.
 */
export function openPacket(
  crypto: Cryptography,
  keys: PacketKeys,
  b: Uint8Array,
  at: number,
  numberAt: number,
  end: number,
  largest: number,
): OpenPacket | undefined {
  // As if the number took four octets (RFC 9001 section 5.4.2).
  const sample = numberAt + 4;
  if (sample + SAMPLE > end) return undefined;
  const mask = crypto.encryptBlock(keys.mask, b.subarray(sample, sample + SAMPLE));
  if (mask === undefined) return undefined;
  const first = b[at]! ^ (mask[0]! & 0x0f);
  const numberLength = (first & 3) + 1;
  const header = b.slice(at, numberAt + numberLength);
  header[0] = first;
  let truncated = 0;
  for (let i = 0; i < numberLength; i++) {
    const position = numberAt - at + i;
    header[position]! ^= mask[1 + i]!;
    truncated = truncated * 256 + header[position]!;
  }
  const number = packetNumber(truncated, numberLength, largest);
  const nonce = keys.iv.slice();
  let rest = number;
  for (let i = 11; rest > 0; i--) {
    nonce[i]! ^= rest % 256;
    rest = Math.floor(rest / 256);
  }
  const plain = crypto.open('aes-128-gcm', keys.key, nonce, header, b.subarray(numberAt + numberLength, end));
  return plain && { first, number, numberLength, plain };
}

/** True when the tag at the end of the Retry packet in `[at, end)` fits `destination`, where the client sent its first packet. */
export function isGenuineRetry(
  crypto: Cryptography,
  version: QuicVersion,
  b: Uint8Array,
  at: number,
  end: number,
  destination: Uint8Array,
): boolean {
  const { retryKey, retryNonce } = version;
  if (retryKey === undefined || retryNonce === undefined || end - at < TAG) return false;
  const packet = join(Uint8Array.of(destination.length), destination, b.subarray(at, end - TAG));
  return crypto.open('aes-128-gcm', retryKey, retryNonce, packet, b.subarray(end - TAG, end)) !== undefined;
}
