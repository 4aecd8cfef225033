/**
 * Taking the protection off QUIC packets: the mask over the header and the cipher over the payload.
 *
 * RFC 9001 sections 5.1 to 5.4, 5.8 (Retry) and 6 (key update), RFC 9000 section 17.1 and appendix A.3 (packet numbers).
 */
import type { AeadCipher, Cryptography, Hash } from '../core/cryptography.js';
import { expandLabel, extract, join } from '../core/key-derivation.js';
import type { QuicVersion } from './quic-versions.js';

/** Octets of a sample of the payload that masks the header. */
const SAMPLE = 16;
/** Octets of the tag behind the payload. */
const TAG = 16;

/** How a cipher suite of TLS 1.3 protects packets. */
export interface PacketSuite {
  readonly aead: AeadCipher;
  readonly keyLength: number;
  readonly hash: Hash;
  /** Octets of a secret. */
  readonly secretLength: number;
}

/** What Initial packets have. */
const AES_128_GCM: PacketSuite = { aead: 'aes-128-gcm', keyLength: 16, hash: 'sha256', secretLength: 32 };

/** By number (RFC 8446 appendix B.4). RFC 9001 section 5.3 leaves the suite with tags of 8 octets out. */
const SUITES: Readonly<Record<number, PacketSuite>> = {
  4865: AES_128_GCM,
  4866: { aead: 'aes-256-gcm', keyLength: 32, hash: 'sha384', secretLength: 48 },
  4867: { aead: 'chacha20-poly1305', keyLength: 32, hash: 'sha256', secretLength: 32 },
  4868: { aead: 'aes-128-ccm', keyLength: 16, hash: 'sha256', secretLength: 32 },
};

/** What a cipher suite's number stands for; undefined where QUIC has no use for it. */
export const packetSuite = (number: number): PacketSuite | undefined => SUITES[number];

/** Keys of one direction. */
export interface PacketKeys {
  readonly suite: PacketSuite;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  /** Masks headers. */
  readonly mask: Uint8Array;
}

/** The keys that follow from a secret (RFC 9001 section 5.1); `mask` where it stays what it was (section 6.1). */
export function packetKeys(
  crypto: Cryptography,
  version: QuicVersion,
  suite: PacketSuite,
  secret: Uint8Array,
  mask?: Uint8Array,
): PacketKeys {
  const { hash, keyLength } = suite;
  return {
    suite,
    key: expandLabel(crypto, hash, secret, `${version.prefix}key`, keyLength),
    iv: expandLabel(crypto, hash, secret, `${version.prefix}iv`, 12),
    mask: mask ?? expandLabel(crypto, hash, secret, `${version.prefix}hp`, keyLength),
  };
}

/** The secret behind `secret` (RFC 9001 section 6.1). */
export const nextSecret = (crypto: Cryptography, version: QuicVersion, suite: PacketSuite, secret: Uint8Array): Uint8Array =>
  expandLabel(crypto, suite.hash, secret, `${version.prefix}ku`, secret.length);

/** The keys of Initial packets, the client's and the server's, from the destination that the client chose first. */
export type InitialKeys = readonly [client: PacketKeys, server: PacketKeys];

/** Derive {@link InitialKeys} (RFC 9001 section 5.2). */
export function initialKeys(crypto: Cryptography, version: QuicVersion, salt: Uint8Array, destination: Uint8Array): InitialKeys {
  const secret = extract(crypto, 'sha256', salt, destination);
  const keysOf = (label: string): PacketKeys => packetKeys(crypto, version, AES_128_GCM, expandLabel(crypto, 'sha256', secret, label, 32));
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

/** A header without its mask. */
export interface OpenHeader {
  readonly first: number;
  /** What the packet number ends in, and its octets. */
  readonly truncated: number;
  readonly numberLength: number;
  /** All of it, which the tag protects. */
  readonly octets: Uint8Array;
}

/**
 * The header of the packet in `[at, end)` whose number begins at `numberAt` (RFC 9001 section 5.4); undefined when the packet is
 * too short to be one.
 */
export function openHeader(
  crypto: Cryptography,
  { suite, mask: key }: PacketKeys,
  b: Uint8Array,
  at: number,
  numberAt: number,
  end: number,
): OpenHeader | undefined {
  // As if the number took four octets (RFC 9001 section 5.4.2).
  const from = numberAt + 4;
  if (from + SAMPLE > end) return undefined;
  const sample = b.subarray(from, from + SAMPLE);
  const mask = suite.aead === 'chacha20-poly1305' ? crypto.chaCha20(key, sample, NO_MASK) : crypto.encryptBlock(key, sample);
  if (mask === undefined) return undefined;
  const first = b[at]! ^ (mask[0]! & ((b[at]! & 0x80) !== 0 ? 0x0f : 0x1f));
  const numberLength = (first & 3) + 1;
  const octets = b.slice(at, numberAt + numberLength);
  octets[0] = first;
  let truncated = 0;
  for (let i = 0; i < numberLength; i++) {
    const position = numberAt - at + i;
    octets[position]! ^= mask[1 + i]!;
    truncated = truncated * 256 + octets[position]!;
  }
  return { first, truncated, numberLength, octets };
}

const NO_MASK = new Uint8Array(5);

/** The payload of a packet whose header was opened, and which ends at `end`; undefined when these are not its keys. */
export function openPayload(
  crypto: Cryptography,
  { suite, key, iv }: PacketKeys,
  b: Uint8Array,
  numberAt: number,
  end: number,
  { first, numberLength, octets }: OpenHeader,
  number: number,
): OpenPacket | undefined {
  const nonce = iv.slice();
  let rest = number;
  for (let i = 11; rest > 0; i--) {
    nonce[i]! ^= rest % 256;
    rest = Math.floor(rest / 256);
  }
  const plain = crypto.open(suite.aead, key, nonce, octets, b.subarray(numberAt + numberLength, end));
  return plain && { first, number, numberLength, plain };
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
  const header = openHeader(crypto, keys, b, at, numberAt, end);
  if (header === undefined) return undefined;
  const number = packetNumber(header.truncated, header.numberLength, largest);
  return openPayload(crypto, keys, b, numberAt, end, header, number);
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
