/** {@link Cryptography} by node:crypto. */
import { createCipheriv, createDecipheriv, createHash, createHmac, type Decipher } from 'node:crypto';
import type { AeadCipher, Cryptography } from '../core/cryptography.js';

/** Octets of the tag at the end of what a cipher yields. */
const tagLength = (cipher: AeadCipher): number => (cipher.endsWith('ccm8') ? 8 : 16);

export const cryptography: Cryptography = {
  digest: (hash, octets) => createHash(hash).update(octets).digest(),
  hmac: (hash, key, octets) => createHmac(hash, key).update(octets).digest(),
  open(cipher, key, nonce, additional, octets) {
    const tag = tagLength(cipher);
    const length = octets.length - tag;
    if (length < 0) return undefined;
    try {
      const decipher = createDecipheriv(cipher.replace('ccm8', 'ccm') as 'aes-128-ccm', key, nonce, { authTagLength: tag });
      decipher.setAuthTag(octets.subarray(length));
      decipher.setAAD(additional, { plaintextLength: length });
      return finish(decipher, octets.subarray(0, length));
    } catch {
      return undefined;
    }
  },
  decryptCbc(key, iv, octets) {
    try {
      const decipher = createDecipheriv(`aes-${key.length * 8}-cbc`, key, iv);
      decipher.setAutoPadding(false);
      return finish(decipher, octets);
    } catch {
      return undefined;
    }
  },
  encryptBlock(key, block) {
    try {
      return createCipheriv(`aes-${key.length * 8}-ecb`, key, null).update(block);
    } catch {
      return undefined;
    }
  },
  chaCha20(key, start, octets) {
    try {
      return createCipheriv('chacha20', key, start).update(octets);
    } catch {
      return undefined;
    }
  },
};

function finish(decipher: Decipher, octets: Uint8Array): Uint8Array {
  const plain = decipher.update(octets);
  const rest = decipher.final();
  return rest.length === 0 ? plain : Buffer.concat([plain, rest]);
}
