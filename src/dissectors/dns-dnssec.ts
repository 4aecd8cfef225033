/**
 * Records of DNS security: keys, signatures, proofs of absence, and those that bind certificates and keys to names.
 *
 * RFC 4034 (DNSKEY, RRSIG, NSEC, DS), RFC 5155 (NSEC3), RFC 7344 (CDS, CDNSKEY), RFC 6698 (TLSA), RFC 8162 (SMIMEA),
 * RFC 4255 (SSHFP), RFC 2535 (KEY, SIG, NXT), RFC 4398 (CERT), RFC 4025 (IPSECKEY), RFC 8005 (HIP), RFC 7929 (OPENPGPKEY),
 * RFC 7477 (CSYNC), RFC 8976 (ZONEMD), RFC 8945 (TSIG), RFC 2930 (TKEY).
 */
import {
  bits,
  bytes,
  expert,
  type Field,
  flag,
  group,
  ipv4,
  ipv6,
  many,
  mark,
  string,
  time,
  uint8,
  uint16,
  uint32,
} from '../core/field.js';
import type { Tree } from '../core/layer.js';
import { hexOf, u16, u32, u48 } from '../core/octets.js';
import { eachTypeBit, keyTag, putName } from './dns-names.js';
import { ALGORITHM, DIGEST, RCODE, TYPE, typeName } from './dns-values.js';

const TKEY_MODE = { 1: 'Server assigned', 2: 'Diffie-Hellman', 3: 'GSS-API', 4: 'Resolver assigned', 5: 'Delete' };
const SSHFP_ALGORITHM = { 1: 'RSA', 2: 'DSA', 3: 'ECDSA', 4: 'Ed25519', 6: 'Ed448' };
const TLSA_USAGE = { 0: 'PKIX-TA', 1: 'PKIX-EE', 2: 'DANE-TA', 3: 'DANE-EE', 255: 'Private' };
const TLSA_SELECTOR = { 0: 'Full certificate', 1: 'SubjectPublicKeyInfo', 255: 'Private' };
const TLSA_MATCHING = { 0: 'No hash used', 1: 'SHA-256', 2: 'SHA-512', 255: 'Private' };
const CERTIFICATE = {
  1: 'PKIX',
  2: 'SPKI',
  3: 'PGP',
  4: 'IPKIX',
  5: 'ISPKI',
  6: 'IPGP',
  7: 'ACPKIX',
  8: 'IACPKIX',
  253: 'URI',
  254: 'OID',
};
const GATEWAY = { 0: 'None', 1: 'IPv4', 2: 'IPv6', 3: 'Name' };
const YES = { flags: ['Yes', 'No'] } as const;

const dnskeyFlags = {
  zoneKey: flag('dns.dnskey.flags.zone_key', 'Zone Key', undefined, 0x0100, 16, YES),
  keyRevoked: flag('dns.dnskey.flags.key_revoked', 'Key Revoked', undefined, 0x0080, 16, YES),
  secureEntryPoint: flag('dns.dnskey.flags.secure_entry_point', 'Key Signing Key', undefined, 0x0001, 16, YES),
  keyReserved: bits('dns.dnskey.flags.reserved', 'Reserved', undefined, 16, 0xfe7e, { base: 'hex' }),
};
const keyFlags = {
  noAuthentication: flag('dns.key.flags.authentication', 'Prohibited for authentication', undefined, 0x8000, 16, YES),
  noConfidentiality: flag('dns.key.flags.confidentiality', 'Prohibited for confidentiality', undefined, 0x4000, 16, YES),
  keyRequired: flag('dns.key.flags.required', 'Required', undefined, 0x2000, 16, YES),
  ofUser: flag('dns.key.flags.associated_user', "A user's key", undefined, 0x0400, 16, YES),
  ofEntity: flag('dns.key.flags.associated_named_entity', "A named entity's key", undefined, 0x0200, 16, YES),
  forIpsec: flag('dns.key.flags.ipsec', 'For IPsec', undefined, 0x0080, 16, YES),
  forMime: flag('dns.key.flags.mime', 'For MIME security', undefined, 0x0040, 16, YES),
  signatory: bits('dns.key.flags.signatory', 'Signatory', undefined, 16, 0x000f),
};
const nsec3Flags = { optOut: flag('dns.nsec3.flags.opt_out', 'Opt-out', undefined, 0x01, 8, YES) };
const csyncFlags = {
  csyncImmediate: flag('dns.csync.flags.immediate', 'Immediate', undefined, 0x0001, 16, YES),
  csyncMinimum: flag('dns.csync.flags.soaminimum', 'SOA minimum', undefined, 0x0002, 16, YES),
};

export const dnssecRows = {
  /** Types of a bitmap, each with the name that Wireshark gives them: that of a record's own type. */
  bitmapType: many(uint16('dns.resp.type', 'RR type in bit map', { values: TYPE })),
  bitmap: string('dns.type_bitmap', 'Types'),
  typeCovered: uint16('dns.rrsig.type_covered', 'Type Covered', { values: TYPE }),
  signatureAlgorithm: uint8('dns.rrsig.algorithm', 'Algorithm', { values: ALGORITHM }),
  signatureLabels: uint8('dns.rrsig.labels', 'Labels'),
  originalTtl: uint32('dns.rrsig.original_ttl', 'Original TTL', { unit: 'seconds' }),
  signatureExpiration: time('dns.rrsig.signature_expiration', 'Signature Expiration'),
  signatureInception: time('dns.rrsig.signature_inception', 'Signature Inception'),
  signatureKeyTag: uint16('dns.rrsig.key_tag', 'Key Tag'),
  signer: string('dns.rrsig.signers_name', "Signer's name"),
  signature: bytes('dns.rrsig.signature', 'Signature'),
  ...group({ dnskeyFlags: uint16('dns.dnskey.flags', 'Flags', { base: 'hex' }) }, dnskeyFlags),
  dnskeyProtocol: uint8('dns.dnskey.protocol', 'Protocol'),
  dnskeyAlgorithm: uint8('dns.dnskey.algorithm', 'Algorithm', { values: ALGORITHM }),
  dnskeyTag: uint16('dns.dnskey.key_id', 'Key id'),
  dnskeyPublicKey: bytes('dns.dnskey.public_key', 'Public Key'),
  ...group({ keyFlags: uint16('dns.key.flags', 'Flags', { base: 'hex' }) }, keyFlags),
  keyProtocol: uint8('dns.key.protocol', 'Protocol'),
  keyAlgorithm: uint8('dns.key.algorithm', 'Algorithm', { values: ALGORITHM }),
  keyTag: uint16('dns.key.key_id', 'Key ID'),
  keyPublicKey: bytes('dns.key.public_key', 'Public Key'),
  dsKeyTag: uint16('dns.ds.key_id', 'Key id', { base: 'hex' }),
  dsAlgorithm: uint8('dns.ds.algorithm', 'Algorithm', { values: ALGORITHM }),
  dsDigestType: uint8('dns.ds.digest_type', 'Digest Type', { values: DIGEST }),
  dsDigest: bytes('dns.ds.digest', 'Digest'),
  nsecNext: string('dns.nsec.next_domain_name', 'Next Domain Name'),
  nxtNext: string('dns.nxt.next_domain_name', 'Next Domain Name'),
  nsec3Algorithm: uint8('dns.nsec3.algo', 'Hash algorithm', { values: { 1: 'SHA-1' } }),
  ...group({ nsec3Flags: uint8('dns.nsec3.flags', 'NSEC3 flags') }, nsec3Flags),
  nsec3Iterations: uint16('dns.nsec3.iterations', 'NSEC3 iterations'),
  nsec3SaltLength: uint8('dns.nsec3.salt_length', 'Salt length'),
  nsec3Salt: bytes('dns.nsec3.salt_value', 'Salt value'),
  nsec3HashLength: uint8('dns.nsec3.hash_length', 'Hash length'),
  nsec3Hash: string('dns.nsec3.hash_value', 'Next hashed owner'),
  tlsaUsage: uint8('dns.tlsa.certificate_usage', 'Certificate Usage', { values: TLSA_USAGE }),
  tlsaSelector: uint8('dns.tlsa.selector', 'Selector', { values: TLSA_SELECTOR }),
  tlsaMatching: uint8('dns.tlsa.matching_type', 'Matching Type', { values: TLSA_MATCHING }),
  tlsaData: bytes('dns.tlsa.certificate_association_data', 'Certificate Association Data'),
  sshAlgorithm: uint8('dns.sshfp.algorithm', 'Algorithm', { values: SSHFP_ALGORITHM }),
  sshFingerprintType: uint8('dns.sshfp.fingerprint.type', 'Fingerprint type', { values: { 1: 'SHA-1', 2: 'SHA-256' } }),
  sshFingerprint: bytes('dns.sshfp.fingerprint', 'Fingerprint'),
  certificateType: uint16('dns.cert.type', 'Type', { values: CERTIFICATE }),
  certificateKeyTag: uint16('dns.cert.key_tag', 'Key Tag', { base: 'hex' }),
  certificateAlgorithm: uint8('dns.cert.algorithm', 'Algorithm', { values: ALGORITHM }),
  certificate: bytes('dns.cert.certificate', 'Certificate (or CRL)'),
  gatewayPrecedence: uint8('dns.ipseckey.gateway_precedence', 'Gateway Precedence'),
  gatewayType: uint8('dns.ipseckey.gateway_type', 'Gateway Type', { values: GATEWAY }),
  gatewayAlgorithm: uint8('dns.ipseckey.gateway_algorithm', 'Gateway Algorithm', { values: { 1: 'DSA', 2: 'RSA' } }),
  gateway4: ipv4('dns.ipseckey.gateway_ipv4', 'IPv4 Gateway'),
  gateway6: ipv6('dns.ipseckey.gateway_ipv6', 'IPv6 Gateway'),
  gatewayName: string('dns.ipseckey.gateway_dns', 'DNS Gateway'),
  gatewayPublicKey: bytes('dns.ipseckey.public_key', 'Public Key'),
  hitLength: uint8('dns.hip.hit.length', 'HIT length'),
  hitAlgorithm: uint8('dns.hip.hit.pk.algo', 'Public key algorithm', { values: { 1: 'DSA', 2: 'RSA' } }),
  hipKeyLength: uint16('dns.hip.pk.length', 'PK length'),
  hit: bytes('dns.hip.hit', 'Host Identity Tag'),
  hipKey: bytes('dns.hip.pk', 'HIP Public Key'),
  rendezvous: many(string('dns.hip.rendezvous_server', 'Rendezvous Server')),
  pgpKey: string('dns.openpgpkey', 'OpenPGP Key'),
  csyncSoa: uint32('dns.csync.soa', 'SOA'),
  ...group({ csyncFlags: uint16('dns.csync.flags', 'Flags', { base: 'hex' }) }, csyncFlags),
  csyncBitmap: bytes('dns.csync.type_bitmap', 'Type Bitmap'),
  zonemdSerial: uint32('dns.zonemd.serial', 'Serial'),
  zonemdScheme: uint8('dns.zonemd.scheme', 'Scheme', { values: { 1: 'SIMPLE' } }),
  zonemdAlgorithm: uint8('dns.zonemd.hash_algo', 'Hash Algorithm', { values: { 1: 'SHA-384', 2: 'SHA-512' } }),
  zonemdDigest: bytes('dns.zonemd.digest', 'Digest'),
  tsigAlgorithm: string('dns.tsig.algorithm_name', 'Algorithm Name'),
  tsigTime: time('dns.tsig.time_signed', 'Time Signed'),
  tsigFudge: uint16('dns.tsig.fudge', 'Fudge', { unit: 'seconds' }),
  tsigMacSize: uint16('dns.tsig.mac_size', 'MAC Size'),
  tsigMac: mark('dns.tsig.mac', 'MAC'),
  tsigNoAlgorithm: expert('warn', 'undecoded', 'dns.tsig.noalg', 'The MAC cannot be verified: the key is not known'),
  tsigOriginalId: uint16('dns.tsig.original_id', 'Original Id'),
  tsigError: uint16('dns.tsig.error', 'Error', { values: RCODE }),
  tsigOtherLength: uint16('dns.tsig.other_len', 'Other Len'),
  tsigOther: bytes('dns.tsig.other_data', 'Other Data'),
  tkeyAlgorithm: string('dns.tkey.algo_name', 'Algorithm name'),
  tkeyInception: time('dns.tkey.signature_inception', 'Signature Inception'),
  tkeyExpiration: time('dns.tkey.signature_expiration', 'Signature Expiration'),
  tkeyMode: uint16('dns.tkey.mode', 'Mode', { values: TKEY_MODE }),
  tkeyError: uint16('dns.tkey.error', 'Error', { values: RCODE }),
  tkeyKeySize: uint16('dns.tkey.key_size', 'Key Size'),
  tkeyKey: bytes('dns.tkey.key_data', 'Key Data'),
  tkeyOtherSize: uint16('dns.tkey.other_size', 'Other Size'),
  tkeyOther: bytes('dns.tkey.other_data', 'Other Data'),
};

const r = dnssecRows;
const DNSKEY_BITS: readonly Field[] = Object.values(dnskeyFlags);
const KEY_BITS: readonly Field[] = Object.values(keyFlags);
const CSYNC_BITS: readonly Field[] = Object.values(csyncFlags);
const NSEC3_BITS: readonly Field[] = Object.values(nsec3Flags);

/** What is left of the record's data, as octets. */
function rest(tree: Tree, row: Field, at: number): void {
  if (at < tree.limit) tree.add(row, at, tree.limit - at);
}

/** Seconds since 1970 UTC in 32 bits. */
function seconds(tree: Tree, row: Field, at: number): void {
  if (at + 4 <= tree.limit) tree.put(row, BigInt(u32(tree.bytes, at)) * 1_000_000_000n, at, 4);
}

function typeBitmap(tree: Tree, at: number): void {
  if (at >= tree.limit) return;
  const names: string[] = [];
  eachTypeBit(tree.bytes, at, tree.limit, (type, where) => {
    tree.put(r.bitmapType, type, where, 1);
    names.push(typeName(type));
  });
  tree.put(r.bitmap, names.join(' '), at, tree.limit - at);
}

const BASE32HEX = '0123456789abcdefghijklmnopqrstuv';

/** Octets in base32 with the extended hex alphabet, without padding (RFC 5155 section 3.3). */
function base32(b: Uint8Array, start: number, end: number): string {
  let text = '';
  let word = 0;
  let bitsHeld = 0;
  for (let i = start; i < end; i++) {
    word = ((word << 8) | b[i]!) & 0xfff;
    bitsHeld += 8;
    for (; bitsHeld >= 5; bitsHeld -= 5) text += BASE32HEX[(word >> (bitsHeld - 5)) & 31];
  }
  return bitsHeld > 0 ? text + BASE32HEX[(word << (5 - bitsHeld)) & 31] : text;
}

/** Record data at `at`, which ends at `tree.limit`; names may point anywhere before `limit`. */
type Walk = (tree: Tree, at: number, base: number, limit: number) => void;

const rrsig: Walk = (tree, at, base, limit) => {
  tree.add(r.typeCovered, at);
  tree.add(r.signatureAlgorithm, at + 2);
  tree.add(r.signatureLabels, at + 3);
  tree.add(r.originalTtl, at + 4);
  seconds(tree, r.signatureExpiration, at + 8);
  seconds(tree, r.signatureInception, at + 12);
  tree.add(r.signatureKeyTag, at + 16);
  rest(tree, r.signature, putName(tree, r.signer, at + 18, base, limit));
};

const dnskey: Walk = (tree, at) => {
  tree.word(r.dnskeyFlags, at, DNSKEY_BITS);
  tree.add(r.dnskeyProtocol, at + 2);
  tree.add(r.dnskeyAlgorithm, at + 3);
  if (at + 4 > tree.limit) return;
  tree.put(r.dnskeyTag, keyTag(tree.bytes, at, tree.limit), at, tree.limit - at);
  rest(tree, r.dnskeyPublicKey, at + 4);
};

const key: Walk = (tree, at) => {
  tree.word(r.keyFlags, at, KEY_BITS);
  tree.add(r.keyProtocol, at + 2);
  tree.add(r.keyAlgorithm, at + 3);
  if (at + 4 > tree.limit) return;
  tree.put(r.keyTag, keyTag(tree.bytes, at, tree.limit), at, tree.limit - at);
  rest(tree, r.keyPublicKey, at + 4);
};

const ds: Walk = (tree, at) => {
  tree.add(r.dsKeyTag, at);
  tree.add(r.dsAlgorithm, at + 2);
  tree.add(r.dsDigestType, at + 3);
  rest(tree, r.dsDigest, at + 4);
};

/** What NSEC3 and NSEC3PARAM begin with; where it ends. Opt-out is a flag of NSEC3 alone (RFC 5155 section 4.1.2). */
function nsec3Parameters(tree: Tree, at: number, flags: readonly Field[]): number {
  tree.add(r.nsec3Algorithm, at);
  tree.word(r.nsec3Flags, at + 1, flags);
  tree.add(r.nsec3Iterations, at + 2);
  if (!tree.add(r.nsec3SaltLength, at + 4)) return Number.POSITIVE_INFINITY;
  const salt = tree.bytes[at + 4]!;
  tree.add(r.nsec3Salt, at + 5, salt);
  return at + 5 + salt;
}

const nsec3: Walk = (tree, at) => {
  const after = nsec3Parameters(tree, at, NSEC3_BITS);
  if (!tree.add(r.nsec3HashLength, after)) return;
  const end = after + 1 + tree.bytes[after]!;
  if (end > tree.limit) return;
  tree.put(r.nsec3Hash, base32(tree.bytes, after + 1, end), after + 1, end - after - 1);
  typeBitmap(tree, end);
};

const tlsa: Walk = (tree, at) => {
  tree.add(r.tlsaUsage, at);
  tree.add(r.tlsaSelector, at + 1);
  tree.add(r.tlsaMatching, at + 2);
  rest(tree, r.tlsaData, at + 3);
};

const sshfp: Walk = (tree, at) => {
  tree.add(r.sshAlgorithm, at);
  tree.add(r.sshFingerprintType, at + 1);
  rest(tree, r.sshFingerprint, at + 2);
};

const cert: Walk = (tree, at) => {
  tree.add(r.certificateType, at);
  tree.add(r.certificateKeyTag, at + 2);
  tree.add(r.certificateAlgorithm, at + 4);
  rest(tree, r.certificate, at + 5);
};

const ipseckey: Walk = (tree, at, base, limit) => {
  tree.add(r.gatewayPrecedence, at);
  if (!tree.add(r.gatewayType, at + 1) || !tree.add(r.gatewayAlgorithm, at + 2)) return;
  let after = at + 3;
  switch (tree.bytes[at + 1]) {
    case 1:
      tree.add(r.gateway4, after);
      after += 4;
      break;
    case 2:
      tree.add(r.gateway6, after);
      after += 16;
      break;
    case 3:
      after = putName(tree, r.gatewayName, after, base, limit);
      break;
  }
  rest(tree, r.gatewayPublicKey, after);
};

const hip: Walk = (tree, at, base, limit) => {
  if (!tree.add(r.hitLength, at) || !tree.add(r.hitAlgorithm, at + 1) || !tree.add(r.hipKeyLength, at + 2)) return;
  const hitLength = tree.bytes[at]!;
  const keyLength = u16(tree.bytes, at + 2);
  tree.add(r.hit, at + 4, hitLength);
  tree.add(r.hipKey, at + 4 + hitLength, keyLength);
  // Each name has at least one octet.
  for (let next = at + 4 + hitLength + keyLength; next < tree.limit; ) next = putName(tree, r.rendezvous, next, base, limit);
};

const csync: Walk = (tree, at) => {
  tree.add(r.csyncSoa, at);
  tree.word(r.csyncFlags, at + 4, CSYNC_BITS);
  rest(tree, r.csyncBitmap, at + 6);
  typeBitmap(tree, at + 6);
};

const zonemd: Walk = (tree, at) => {
  tree.add(r.zonemdSerial, at);
  tree.add(r.zonemdScheme, at + 4);
  tree.add(r.zonemdAlgorithm, at + 5);
  rest(tree, r.zonemdDigest, at + 6);
};

const tsig: Walk = (tree, at, base, limit) => {
  const time = putName(tree, r.tsigAlgorithm, at, base, limit);
  if (time + 6 > tree.limit) return;
  tree.put(r.tsigTime, BigInt(u48(tree.bytes, time)) * 1_000_000_000n, time, 6);
  tree.add(r.tsigFudge, time + 6);
  if (!tree.add(r.tsigMacSize, time + 8)) return;
  const size = u16(tree.bytes, time + 8);
  if (size > 0 && tree.open(r.tsigMac, time + 10, size)) {
    tree.put(r.tsigNoAlgorithm, true, time + 10, size);
    tree.close();
  }
  const after = time + 10 + size;
  tree.add(r.tsigOriginalId, after);
  tree.add(r.tsigError, after + 2);
  if (tree.add(r.tsigOtherLength, after + 4)) rest(tree, r.tsigOther, after + 6);
};

const tkey: Walk = (tree, at, base, limit) => {
  const after = putName(tree, r.tkeyAlgorithm, at, base, limit);
  seconds(tree, r.tkeyInception, after);
  seconds(tree, r.tkeyExpiration, after + 4);
  tree.add(r.tkeyMode, after + 8);
  tree.add(r.tkeyError, after + 10);
  if (!tree.add(r.tkeyKeySize, after + 12)) return;
  const size = u16(tree.bytes, after + 12);
  if (size > 0) tree.add(r.tkeyKey, after + 14, size);
  const other = after + 14 + size;
  if (!tree.add(r.tkeyOtherSize, other)) return;
  rest(tree, r.tkeyOther, other + 2);
};

/** RFC 2535 section 5.2: one bit a type from 0, unless the first bit says otherwise. */
const nxt: Walk = (tree, at, base, limit) => {
  const after = putName(tree, r.nxtNext, at, base, limit);
  for (let i = after; i < tree.limit; i++)
    for (let bit = 0; bit < 8; bit++) if (tree.bytes[i]! & (0x80 >> bit)) tree.put(r.bitmapType, (i - after) * 8 + bit, i, 1);
};

/** Record types that are dissected here. */
export const DNSSEC_WALKS: Readonly<Record<number, Walk>> = {
  24: rrsig,
  25: key,
  30: nxt,
  37: cert,
  43: ds,
  44: sshfp,
  45: ipseckey,
  46: rrsig,
  47: (tree, at, base, limit) => typeBitmap(tree, putName(tree, r.nsecNext, at, base, limit)),
  48: dnskey,
  50: nsec3,
  51: (tree, at) => nsec3Parameters(tree, at, []),
  52: tlsa,
  53: tlsa,
  55: hip,
  59: ds,
  60: dnskey,
  61: (tree, at) => tree.put(r.pgpKey, hexOf(tree.bytes, at, tree.limit), at, tree.limit - at),
  62: csync,
  63: zonemd,
  249: tkey,
  250: tsig,
  32769: ds,
};
