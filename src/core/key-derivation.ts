/** HKDF as TLS 1.3 and QUIC use it (RFC 5869; RFC 8446 section 7.1). */
import type { Cryptography, Hash } from './cryptography.js';

/** Octet strings, one behind the other. */
export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The octets of text that is ASCII. */
export const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** HKDF-Extract (RFC 5869 section 2.2). */
export const extract = (crypto: Cryptography, hash: Hash, salt: Uint8Array, material: Uint8Array): Uint8Array =>
  crypto.hmac(hash, salt, material);

/** HKDF-Expand-Label of RFC 8446 section 7.1, without a context: `length` octets. */
export function expandLabel(crypto: Cryptography, hash: Hash, secret: Uint8Array, label: string, length: number): Uint8Array {
  const full = ascii(`tls13 ${label}`);
  const info = join(Uint8Array.of(length >> 8, length & 255, full.length), full, Uint8Array.of(0));
  let block: Uint8Array = new Uint8Array(0);
  let out: Uint8Array = new Uint8Array(0);
  for (let i = 1; out.length < length; i++) {
    block = crypto.hmac(hash, secret, join(block, info, Uint8Array.of(i)));
    out = join(out, block);
  }
  return out.subarray(0, length);
}
