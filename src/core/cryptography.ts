/** Cryptographic functions that dissectors may ask for; whoever makes the session hands them in. None of them throws. */

/** Ciphers that authenticate what they encrypt. */
export type AeadCipher =
  | 'aes-128-gcm'
  | 'aes-256-gcm'
  | 'chacha20-poly1305'
  | 'aes-128-ccm'
  | 'aes-256-ccm'
  | 'aes-128-ccm8'
  | 'aes-256-ccm8';
export type Hash = 'md5' | 'sha1' | 'sha256' | 'sha384';

export interface Cryptography {
  digest(hash: Hash, octets: Uint8Array): Uint8Array;
  hmac(hash: Hash, key: Uint8Array, octets: Uint8Array): Uint8Array;
  /** The plain text of `octets`, which end in the tag; undefined when key, nonce or text are wrong. */
  open(cipher: AeadCipher, key: Uint8Array, nonce: Uint8Array, additional: Uint8Array, octets: Uint8Array): Uint8Array | undefined;
  /** AES in CBC mode, padding included; undefined when the octets are no whole blocks. The key's length says which AES. */
  decryptCbc(key: Uint8Array, iv: Uint8Array, octets: Uint8Array): Uint8Array | undefined;
  /** One block of AES in ECB mode, encrypted: QUIC hides its packet numbers with it. */
  encryptBlock(key: Uint8Array, block: Uint8Array): Uint8Array | undefined;
  /** `octets` through ChaCha20 (RFC 8439 section 2.4); `start` is the counter, least octet first, and the nonce: 16 octets. */
  chaCha20(key: Uint8Array, start: Uint8Array, octets: Uint8Array): Uint8Array | undefined;
}
