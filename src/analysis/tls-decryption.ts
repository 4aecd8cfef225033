/**
 * Decrypting TLS 1.0 to 1.3 and DTLS 1.0 to 1.2 with the secrets of a key log: AES in GCM, CCM and CBC mode, ChaCha20.
 *
 * RFC 8446 sections 5.2 and 7 (TLS 1.3), RFC 5246 sections 5, 6.2.3 and 6.3 (1.2), RFC 2246 section 5 (the older PRF),
 * RFC 5288 (GCM), RFC 6655 (CCM), RFC 7905 (ChaCha20), RFC 7366 (encrypt, then MAC), RFC 6347 section 4.1.2 (DTLS).
 */
import type { AeadCipher, Cryptography, Hash } from '../core/cryptography.js';
import type { Agreement, Decryption, PlainRecord } from '../core/decryption.js';
import { ascii, expandLabel, join } from '../core/key-derivation.js';
import { cipherSuiteName } from '../dissectors/tls-cipher-suites.js';
import type { KeyLog } from './tls-keylog.js';

const TLS_1_0 = 0x0301;
const TLS_1_2 = 0x0303;
const TLS_1_3 = 0x0304;
const DTLS_1_0 = 0xfeff;
/** Records that a hole may have swallowed: so many numbers are tried behind it. */
const MAX_LOST = 64;
/** Records in a row that could not be decrypted before the connection is given up. */
const MAX_FAILURES = 16;

/** How a cipher suite protects records. */
interface Suite {
  readonly aead: AeadCipher | undefined;
  readonly keyLength: number;
  /** Of the PRF or of HKDF. */
  readonly hash: Hash;
  /** Of the MAC, for CBC. */
  readonly mac: Hash | undefined;
  readonly macLength: number;
}

/** What {@link Suite} a number stands for; undefined for ciphers that nobody should use, and for none. */
function suiteOf(number: number): Suite | undefined {
  const name = cipherSuiteName(number) ?? '';
  const hash: Hash = name.endsWith('SHA384') ? 'sha384' : 'sha256';
  if (name.includes('CHACHA20_POLY1305')) return { aead: 'chacha20-poly1305', keyLength: 32, hash, mac: undefined, macLength: 0 };
  const aes = /AES_(128|256)_(GCM|CCM_8|CCM|CBC)/.exec(name);
  if (!aes) return undefined;
  const bits = aes[1]!;
  const keyLength = Number(bits) / 8;
  if (aes[2] !== 'CBC') {
    const aead = `aes-${bits}-${aes[2]!.toLowerCase().replace('_', '')}` as AeadCipher;
    return { aead, keyLength, hash, mac: undefined, macLength: 0 };
  }
  if (name.endsWith('SHA')) return { aead: undefined, keyLength, hash, mac: 'sha1', macLength: 20 };
  return { aead: undefined, keyLength, hash, mac: hash, macLength: hash === 'sha384' ? 48 : 32 };
}

/** P_hash of RFC 5246 section 5: `length` octets. */
function expand(crypto: Cryptography, hash: Hash, secret: Uint8Array, seed: Uint8Array, length: number): Uint8Array {
  let a = seed;
  let out: Uint8Array = new Uint8Array(0);
  while (out.length < length) {
    a = crypto.hmac(hash, secret, a);
    out = join(out, crypto.hmac(hash, secret, join(a, seed)));
  }
  return out.subarray(0, length);
}

/** The number of a record in the 8 octets that are authenticated. */
function sequenceOctets(sequence: number): Uint8Array {
  const octets = new Uint8Array(8);
  let rest = sequence;
  for (let i = 7; i >= 0 && rest > 0; i--) {
    octets[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return octets;
}

/** `iv` with the number of the record added without carry to its end. */
function nonceOf(iv: Uint8Array, number: Uint8Array): Uint8Array {
  const nonce = iv.slice();
  for (let i = 0; i < 8; i++) nonce[nonce.length - 8 + i]! ^= number[i]!;
  return nonce;
}

/** Keys of one direction. */
interface Keys {
  readonly suite: Suite;
  readonly key: Uint8Array;
  iv: Uint8Array;
  readonly macKey: Uint8Array;
  /** TLS 1.3: what the next keys come from. */
  readonly secret: Uint8Array | undefined;
}

/** One direction. */
class Side {
  keys: Keys | undefined = undefined;
  sequence = 0;
  /** TLS 1.3: which of {@link LABELS} comes next. */
  stage = 0;
  /** Records may have been lost since the last one. */
  gap = false;
  failures = 0;
  /** Says Change Cipher Spec before {@link keys} could be made. */
  changed = false;
  /** Secrets in the log when keys were looked for last. */
  asked = -1;
}

/** TLS 1.3 goes through these, the client and the server. */
const LABELS = [
  ['CLIENT_EARLY_TRAFFIC_SECRET', 'CLIENT_HANDSHAKE_TRAFFIC_SECRET', 'CLIENT_TRAFFIC_SECRET_0'],
  ['SERVER_HANDSHAKE_TRAFFIC_SECRET', 'SERVER_TRAFFIC_SECRET_0'],
] as const;

const NOTHING = new Uint8Array(0);

/** The keys of one connection, made from a key log when they are needed. */
export class TlsDecryption implements Decryption {
  private agreement: Agreement | undefined = undefined;
  private random = NOTHING as Uint8Array;
  private offers: readonly number[] = [];
  private readonly sides = [new Side(), new Side()] as const;

  constructor(
    private readonly log: KeyLog,
    private readonly crypto: Cryptography,
  ) {}

  offered(clientRandom: Uint8Array, cipherSuites: readonly number[]): void {
    this.random = clientRandom;
    this.offers = cipherSuites;
  }

  agreed(agreement: Agreement): void {
    this.agreement = agreement;
    for (const side of this.sides) side.failures = 0;
  }

  changed(fromServer: boolean): void {
    const side = this.sides[fromServer ? 1 : 0];
    side.keys = undefined;
    side.changed = true;
    side.sequence = 0;
    side.asked = -1;
  }

  updated(fromServer: boolean): void {
    const side = this.sides[fromServer ? 1 : 0];
    const { keys } = side;
    if (keys?.secret === undefined) return;
    const { suite } = keys;
    side.keys = this.keysFrom(suite, expandLabel(this.crypto, suite.hash, keys.secret, 'traffic upd', keys.secret.length));
    side.sequence = 0;
  }

  gap(fromServer: boolean): void {
    this.sides[fromServer ? 1 : 0].gap = true;
  }

  record(fromServer: boolean, b: Uint8Array, at: number, header: number, end: number): PlainRecord | undefined {
    const { log } = this;
    log.refresh?.();
    if (log.count === 0) return undefined;
    const side = this.sides[fromServer ? 1 : 0];
    if (side.failures >= MAX_FAILURES) return undefined;
    const version = this.agreement?.version ?? TLS_1_3;
    const plain =
      version === TLS_1_3 ? this.newer(side, fromServer, b, at, header, end) : this.older(side, fromServer, b, at, header, end, version);
    if (plain === undefined) {
      // Without keys nothing was tried.
      if (side.keys !== undefined) side.failures++;
      return undefined;
    }
    side.failures = 0;
    side.gap = false;
    return plain;
  }

  // TLS 1.3 ----------------------------------------------------------------------------------------------------------

  private keysFrom(suite: Suite, secret: Uint8Array): Keys {
    const { crypto } = this;
    return {
      suite,
      key: expandLabel(crypto, suite.hash, secret, 'key', suite.keyLength),
      iv: expandLabel(crypto, suite.hash, secret, 'iv', 12),
      macKey: NOTHING,
      secret,
    };
  }

  private newer(side: Side, fromServer: boolean, b: Uint8Array, at: number, header: number, end: number): PlainRecord | undefined {
    if (side.keys !== undefined) {
      const tries = side.gap ? MAX_LOST : 1;
      for (let i = 0; i < tries; i++) {
        const plain = this.inner(side.keys, side.sequence + i, b, at, header, end);
        if (plain === undefined) continue;
        side.sequence += i + 1;
        return plain;
      }
    } else if (side.asked === this.log.count) return undefined;
    side.asked = this.log.count;
    // The tag tells which keys a record is for, so nobody has to follow the handshake.
    const labels = LABELS[fromServer ? 1 : 0];
    for (let stage = side.stage; stage < labels.length; stage++) {
      const secret = this.log.find(labels[stage]!, this.random);
      if (secret === undefined) continue;
      const numbers = this.agreement === undefined ? this.offers.filter((n) => n >> 8 === 0x13) : [this.agreement.cipherSuite];
      for (const number of numbers.slice(0, 8)) {
        const suite = suiteOf(number);
        if (suite?.aead === undefined) continue;
        const keys = this.keysFrom(suite, secret);
        const tries = side.gap ? MAX_LOST : 1;
        for (let i = 0; i < tries; i++) {
          const plain = this.inner(keys, i, b, at, header, end);
          if (plain === undefined) continue;
          side.keys = keys;
          side.stage = stage + 1;
          side.sequence = i + 1;
          return plain;
        }
      }
    }
    return undefined;
  }

  private inner(
    { suite, key, iv }: Keys,
    sequence: number,
    b: Uint8Array,
    at: number,
    header: number,
    end: number,
  ): PlainRecord | undefined {
    const from = at + header;
    const plain = this.crypto.open(suite.aead!, key, nonceOf(iv, sequenceOctets(sequence)), b.subarray(at, from), b.subarray(from, end));
    if (plain === undefined) return undefined;
    // RFC 8446 section 5.4: the type is the last octet that is not zero.
    let length = plain.length - 1;
    while (length >= 0 && plain[length] === 0) length--;
    return length < 0 ? undefined : { type: plain[length]!, content: plain.subarray(0, length) };
  }

  // Before TLS 1.3 ---------------------------------------------------------------------------------------------------

  /** The keys of a direction, from the master secret (RFC 5246 section 6.3). */
  private masterKeys(fromServer: boolean, version: number): Keys | undefined {
    const { agreement, crypto } = this;
    if (agreement === undefined) return undefined;
    const suite = suiteOf(agreement.cipherSuite);
    const master = this.log.find('CLIENT_RANDOM', agreement.clientRandom);
    if (suite === undefined || master === undefined || master.length !== 48) return undefined;
    const seed = join(ascii('key expansion'), agreement.serverRandom, agreement.clientRandom);
    const { macLength, keyLength } = suite;
    const ivLength = suite.aead === undefined ? 16 : suite.aead === 'chacha20-poly1305' ? 12 : 4;
    const length = 2 * (macLength + keyLength + ivLength);
    let block: Uint8Array;
    if (version >= TLS_1_2 && version !== DTLS_1_0) block = expand(crypto, suite.hash, master, seed, length);
    else {
      // RFC 2246 section 5: the halves of the secret, one through MD5 and one through SHA-1.
      block = expand(crypto, 'md5', master.subarray(0, 24), seed, length).slice();
      const other = expand(crypto, 'sha1', master.subarray(24), seed, length);
      for (let i = 0; i < length; i++) block[i]! ^= other[i]!;
    }
    const part = (offset: number, size: number) => block.slice(offset + (fromServer ? size : 0), offset + (fromServer ? 2 : 1) * size);
    return {
      suite,
      macKey: part(0, macLength),
      key: part(2 * macLength, keyLength),
      iv: part(2 * (macLength + keyLength), ivLength),
      secret: undefined,
    };
  }

  private older(
    side: Side,
    fromServer: boolean,
    b: Uint8Array,
    at: number,
    header: number,
    end: number,
    version: number,
  ): PlainRecord | undefined {
    if (!side.changed) return undefined;
    if (side.keys === undefined) {
      if (side.asked === this.log.count) return undefined;
      side.asked = this.log.count;
      side.keys = this.masterKeys(fromServer, version);
      if (side.keys === undefined) {
        side.sequence++;
        return undefined;
      }
    }
    const { keys } = side;
    const datagram = header > 5;
    const type = b[at]!;
    const open = keys.suite.aead === undefined ? this.openCbc : this.openAead;
    // DTLS says its number: epoch and sequence.
    if (datagram) {
      const content = open.call(this, keys, b.subarray(at + 3, at + 11), b, at, header, end, version);
      return content && { type, content };
    }
    const tries = side.gap ? MAX_LOST : 1;
    for (let i = 0; i < tries; i++) {
      const content = open.call(this, keys, sequenceOctets(side.sequence + i), b, at, header, end, version);
      if (content === undefined) continue;
      side.sequence += i + 1;
      return { type, content };
    }
    return undefined;
  }

  /** RFC 5246 section 6.2.3.3: number, type, version and length are authenticated. */
  private openAead(keys: Keys, number: Uint8Array, b: Uint8Array, at: number, header: number, end: number): Uint8Array | undefined {
    const { aead } = keys.suite;
    const explicit = aead === 'chacha20-poly1305' ? 0 : 8;
    const from = at + header + explicit;
    const length = end - from - (aead!.endsWith('ccm8') ? 8 : 16);
    if (length < 0) return undefined;
    const nonce = explicit === 0 ? nonceOf(keys.iv, number) : join(keys.iv, b.subarray(at + header, from));
    const additional = join(number, b.subarray(at, at + 3), Uint8Array.of(length >> 8, length & 255));
    return this.crypto.open(aead!, keys.key, nonce, additional, b.subarray(from, end));
  }

  /** RFC 5246 section 6.2.3.2, and before TLS 1.1 the last block of a record as the next one's initialisation vector. */
  private openCbc(
    keys: Keys,
    number: Uint8Array,
    b: Uint8Array,
    at: number,
    header: number,
    end: number,
    version: number,
  ): Uint8Array | undefined {
    const { suite } = keys;
    const after = this.agreement!.encryptThenMac;
    const explicit = version > TLS_1_0 ? 16 : 0;
    const from = at + header + explicit;
    const stop = after ? end - suite.macLength : end;
    if (stop - from < 16 || (stop - from) % 16 !== 0) return undefined;
    const plain = this.crypto.decryptCbc(keys.key, explicit > 0 ? b.subarray(at + header, from) : keys.iv, b.subarray(from, stop));
    if (plain === undefined) return undefined;
    const length = plain.length - 1 - plain[plain.length - 1]! - (after ? 0 : suite.macLength);
    if (length < 0) return undefined;
    const content = plain.subarray(0, length);
    const covered = after ? b.subarray(at + header, stop) : content;
    const head = join(number, b.subarray(at, at + 3), Uint8Array.of(covered.length >> 8, covered.length & 255));
    const mac = this.crypto.hmac(suite.mac!, keys.macKey, join(head, covered));
    const found = after ? b.subarray(stop, end) : plain.subarray(length, length + suite.macLength);
    for (let i = 0; i < suite.macLength; i++) if (mac[i] !== found[i]) return undefined;
    if (explicit === 0) keys.iv = b.slice(stop - 16, stop);
    return content;
  }
}
