/** Packets of QUIC, protected: those of RFC 9001 and RFC 9369, and others made with their keys. */
import { createCipheriv } from 'node:crypto';
import { cryptography } from '../src/capture/cryptography.js';
import { initialKeys, type PacketKeys } from '../src/dissectors/quic-protection.js';
import { quicVersion } from '../src/dissectors/quic-versions.js';
import { hex } from './packets.js';

/** Where the client of RFC 9001 appendix A and RFC 9369 appendix A sends its first packet. */
export const DESTINATION = hex('8394c8f03e515708');
/** RFC 9001 appendix A.2: a CRYPTO frame with a Client Hello; PADDING follows. */
export const CLIENT_CRYPTO = `060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c0
  00000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e0005000501000000000033
  00260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e04030503
  06030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff08011001048000753009
  01100f088394c8f03e51570806048000ffff`;
/** RFC 9001 appendix A.3: the server's answer, ACK and CRYPTO. */
export const SERVER_INITIAL = `cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5e
  de4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f
  58891850abbdca3d20398c276456cbc42158407dd074ee`;
/** RFC 9369 appendix A.3: the same in version 2. */
export const SERVER_INITIAL_2 = `dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698baeea26b91eb761d9b89237bbf872630179153582300
  35f7fd3945d88965cf17f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e42757507698075b2c984c707f0a0812d8cd5a6881eaf21ceda
  98f4bd23f6fe1a3e2c43edd9ce7ca84bed8521e2e140`;
/** RFC 9001 appendix A.4 and RFC 9369 appendix A.4. */
export const RETRY = 'ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba';
export const RETRY_2 = 'cf6b3343cf0008f067a5502a4262b5746f6b656ec8646ce8bfe33952d955543665dcc7b6';

export const padded = (octets: Uint8Array, length: number): Uint8Array =>
  Uint8Array.from([...octets, ...new Uint8Array(length - octets.length)]);
export const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

/** Protect a packet: `header` as it is before, its last octets the packet number, of which there are as many as it says. */
export function seal(header: Uint8Array, plain: Uint8Array, fromServer = false, destination = DESTINATION): Uint8Array {
  const version = quicVersion(Buffer.from(header).readUInt32BE(1))!;
  return sealWith(initialKeys(cryptography, version, version.salts[0]!, destination)[fromServer ? 1 : 0], header, plain);
}

/** The same with keys of any kind. */
export function sealWith({ suite, key, iv, mask: hp }: PacketKeys, header: Uint8Array, plain: Uint8Array): Uint8Array {
  const digits = (header[0]! & 3) + 1;
  const numberAt = header.length - digits;
  const nonce = iv.slice();
  for (let i = 0; i < digits; i++) nonce[12 - digits + i]! ^= header[numberAt + i]!;
  const cipher = createCipheriv(suite.aead as 'aes-128-gcm', key, nonce, { authTagLength: 16 } as object);
  cipher.setAAD(header);
  const packet = join(header, cipher.update(plain), cipher.final(), cipher.getAuthTag());
  const sample = packet.subarray(numberAt + 4, numberAt + 20);
  const mask =
    suite.aead === 'chacha20-poly1305' ? cryptography.chaCha20(hp, sample, new Uint8Array(5))! : cryptography.encryptBlock(hp, sample)!;
  packet[0]! ^= mask[0]! & ((header[0]! & 0x80) !== 0 ? 0x0f : 0x1f);
  for (let i = 0; i < digits; i++) packet[numberAt + i]! ^= mask[1 + i]!;
  return packet;
}

const CLIENT_HEADER = 'c300000001 08 8394c8f03e515708 00 00 449e 00000002';
export const CLIENT_INITIAL = seal(hex(CLIENT_HEADER), padded(hex(CLIENT_CRYPTO), 1162));
export const CLIENT_INITIAL_2 = seal(hex('d36b3343cf 08 8394c8f03e515708 00 00 449e 00000002'), padded(hex(CLIENT_CRYPTO), 1162));
