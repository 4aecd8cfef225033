/**
 * Names of the numbers in TLS and DTLS.
 *
 * RFC 8446 and RFC 5246 (messages, alerts), RFC 8422 and RFC 7919 (groups), RFC 6066 and IANA's registries (extensions).
 */
import { isGrease } from './tls-cipher-suites.js';

const named =
  (names: Readonly<Record<number, string>>) =>
  (value: number): string | undefined =>
    names[value] ?? (isGrease(value) ? 'Reserved (GREASE)' : undefined);

export const CONTENT_TYPES: Readonly<Record<number, string>> = {
  20: 'Change Cipher Spec',
  21: 'Alert',
  22: 'Handshake',
  23: 'Application Data',
  24: 'Heartbeat',
  25: 'Connection ID',
  26: 'ACK',
};

const VERSIONS: Readonly<Record<number, string>> = {
  2: 'SSL 2.0',
  768: 'SSL 3.0',
  769: 'TLS 1.0',
  770: 'TLS 1.1',
  771: 'TLS 1.2',
  772: 'TLS 1.3',
  256: 'DTLS 1.0 (OpenSSL pre 0.9.8f)',
  65279: 'DTLS 1.0',
  65277: 'DTLS 1.2',
  65276: 'DTLS 1.3',
};

export function versionName(version: number): string | undefined {
  if (version >> 8 === 0x7f) return `TLS 1.3 (draft ${version & 0xff})`;
  if (version >> 8 === 0xfb) return `TLS 1.3 (Facebook draft ${version & 0xff})`;
  return VERSIONS[version] ?? (isGrease(version) ? 'Reserved (GREASE)' : undefined);
}

/** What the protocol column shows. */
const SHORT_VERSIONS: Readonly<Record<number, string>> = {
  2: 'SSLv2',
  768: 'SSLv3',
  769: 'TLSv1',
  770: 'TLSv1.1',
  771: 'TLSv1.2',
  772: 'TLSv1.3',
  65279: 'DTLSv1.0',
  65277: 'DTLSv1.2',
  65276: 'DTLSv1.3',
};
export const shortVersion = (version: number): string | undefined =>
  version >> 8 === 0x7f || version >> 8 === 0xfb ? 'TLSv1.3' : SHORT_VERSIONS[version];

export const HANDSHAKE_TYPES: Readonly<Record<number, string>> = {
  0: 'Hello Request',
  1: 'Client Hello',
  2: 'Server Hello',
  3: 'Hello Verify Request',
  4: 'New Session Ticket',
  5: 'End of Early Data',
  6: 'Hello Retry Request',
  8: 'Encrypted Extensions',
  11: 'Certificate',
  12: 'Server Key Exchange',
  13: 'Certificate Request',
  14: 'Server Hello Done',
  15: 'Certificate Verify',
  16: 'Client Key Exchange',
  20: 'Finished',
  21: 'Certificate URL',
  22: 'Certificate Status',
  23: 'Supplemental Data',
  24: 'Key Update',
  25: 'Compressed Certificate',
  67: 'Next Protocol',
};

export const ALERT_LEVELS: Readonly<Record<number, string>> = { 1: 'Warning', 2: 'Fatal' };

export const ALERTS: Readonly<Record<number, string>> = {
  0: 'Close Notify',
  1: 'End of Early Data',
  10: 'Unexpected Message',
  20: 'Bad Record MAC',
  21: 'Decryption Failed',
  22: 'Record Overflow',
  30: 'Decompression Failure',
  40: 'Handshake Failure',
  41: 'No Certificate',
  42: 'Bad Certificate',
  43: 'Unsupported Certificate',
  44: 'Certificate Revoked',
  45: 'Certificate Expired',
  46: 'Certificate Unknown',
  47: 'Illegal Parameter',
  48: 'Unknown CA',
  49: 'Access Denied',
  50: 'Decode Error',
  51: 'Decrypt Error',
  60: 'Export Restriction',
  70: 'Protocol Version',
  71: 'Insufficient Security',
  80: 'Internal Error',
  86: 'Inappropriate Fallback',
  90: 'User Canceled',
  100: 'No Renegotiation',
  109: 'Missing Extension',
  110: 'Unsupported Extension',
  111: 'Certificate Unobtainable',
  112: 'Unrecognized Name',
  113: 'Bad Certificate Status Response',
  114: 'Bad Certificate Hash Value',
  115: 'Unknown PSK Identity',
  116: 'Certificate Required',
  120: 'No application Protocol',
};

export const extensionName = named({
  0: 'server_name',
  1: 'max_fragment_length',
  2: 'client_certificate_url',
  3: 'trusted_ca_keys',
  4: 'truncated_hmac',
  5: 'status_request',
  6: 'user_mapping',
  7: 'client_authz',
  8: 'server_authz',
  9: 'cert_type',
  10: 'supported_groups',
  11: 'ec_point_formats',
  12: 'srp',
  13: 'signature_algorithms',
  14: 'use_srtp',
  15: 'heartbeat',
  16: 'application_layer_protocol_negotiation',
  17: 'status_request_v2',
  18: 'signed_certificate_timestamp',
  19: 'client_certificate_type',
  20: 'server_certificate_type',
  21: 'padding',
  22: 'encrypt_then_mac',
  23: 'extended_master_secret',
  24: 'token_binding',
  25: 'cached_info',
  27: 'compress_certificate',
  28: 'record_size_limit',
  34: 'delegated_credentials',
  35: 'session_ticket',
  41: 'pre_shared_key',
  42: 'early_data',
  43: 'supported_versions',
  44: 'cookie',
  45: 'psk_key_exchange_modes',
  47: 'certificate_authorities',
  48: 'oid_filters',
  49: 'post_handshake_auth',
  50: 'signature_algorithms_cert',
  51: 'key_share',
  53: 'connection_id (deprecated)',
  54: 'connection_id',
  57: 'quic_transport_parameters',
  13172: 'next_protocol_negotiation',
  17513: 'application_settings',
  30031: 'channel_id_old',
  30032: 'channel_id',
  65037: 'encrypted_client_hello',
  65281: 'renegotiation_info',
  65486: 'encrypted_server_name',
});

export const groupName = named({
  1: 'sect163k1',
  3: 'sect163r2',
  6: 'sect233k1',
  7: 'sect233r1',
  9: 'sect283k1',
  10: 'sect283r1',
  11: 'sect409k1',
  12: 'sect409r1',
  13: 'sect571k1',
  14: 'sect571r1',
  16: 'secp160r1',
  18: 'secp192k1',
  19: 'secp192r1',
  20: 'secp224k1',
  21: 'secp224r1',
  22: 'secp256k1',
  23: 'secp256r1',
  24: 'secp384r1',
  25: 'secp521r1',
  26: 'brainpoolP256r1',
  27: 'brainpoolP384r1',
  28: 'brainpoolP512r1',
  29: 'x25519',
  30: 'x448',
  256: 'ffdhe2048',
  257: 'ffdhe3072',
  258: 'ffdhe4096',
  259: 'ffdhe6144',
  260: 'ffdhe8192',
  4587: 'SecP256r1MLKEM768',
  4588: 'X25519MLKEM768',
  25497: 'X25519Kyber768Draft00',
});

export const signatureName = named({
  257: 'MD5 RSA',
  513: 'rsa_pkcs1_sha1',
  514: 'SHA1 DSA',
  515: 'ecdsa_sha1',
  769: 'SHA224 RSA',
  770: 'SHA224 DSA',
  771: 'SHA224 ECDSA',
  1025: 'rsa_pkcs1_sha256',
  1026: 'SHA256 DSA',
  1027: 'ecdsa_secp256r1_sha256',
  1281: 'rsa_pkcs1_sha384',
  1282: 'SHA384 DSA',
  1283: 'ecdsa_secp384r1_sha384',
  1537: 'rsa_pkcs1_sha512',
  1538: 'SHA512 DSA',
  1539: 'ecdsa_secp521r1_sha512',
  2052: 'rsa_pss_rsae_sha256',
  2053: 'rsa_pss_rsae_sha384',
  2054: 'rsa_pss_rsae_sha512',
  2055: 'ed25519',
  2056: 'ed448',
  2057: 'rsa_pss_pss_sha256',
  2058: 'rsa_pss_pss_sha384',
  2059: 'rsa_pss_pss_sha512',
});

export const HASHES: Readonly<Record<number, string>> = {
  0: 'None',
  1: 'MD5',
  2: 'SHA1',
  3: 'SHA224',
  4: 'SHA256',
  5: 'SHA384',
  6: 'SHA512',
};
export const SIGNATURES: Readonly<Record<number, string>> = { 0: 'Anonymous', 1: 'RSA', 2: 'DSA', 3: 'ECDSA', 7: 'Ed25519', 8: 'Ed448' };
export const POINT_FORMATS: Readonly<Record<number, string>> = {
  0: 'uncompressed',
  1: 'ansiX962_compressed_prime',
  2: 'ansiX962_compressed_char2',
};
export const CURVE_TYPES: Readonly<Record<number, string>> = { 1: 'explicit_prime', 2: 'explicit_char2', 3: 'named_curve' };
export const COMPRESSIONS: Readonly<Record<number, string>> = { 0: 'null', 1: 'DEFLATE', 64: 'LZS' };
export const CERTIFICATE_COMPRESSIONS: Readonly<Record<number, string>> = { 1: 'zlib', 2: 'brotli', 3: 'zstd' };
export const CERTIFICATE_TYPES: Readonly<Record<number, string>> = {
  1: 'RSA Sign',
  2: 'DSS Sign',
  3: 'RSA Fixed DH',
  4: 'DSS Fixed DH',
  64: 'ECDSA Sign',
  65: 'RSA Fixed ECDH',
  66: 'ECDSA Fixed ECDH',
};
export const PSK_MODES: Readonly<Record<number, string>> = {
  0: 'PSK-only key establishment (psk_ke)',
  1: 'PSK with (EC)DHE key establishment (psk_dhe_ke)',
};
export const STATUS_TYPES: Readonly<Record<number, string>> = { 1: 'OCSP', 2: 'OCSP Multi' };
export const HEARTBEAT_TYPES: Readonly<Record<number, string>> = { 1: 'Request', 2: 'Response' };
export const HEARTBEAT_MODES: Readonly<Record<number, string>> = {
  1: 'Peer allowed to send requests',
  2: 'Peer not allowed to send requests',
};

/** What is spoken inside, as Wireshark calls it: by the name that ALPN gives it. */
export const APPLICATIONS: Readonly<Record<string, string>> = {
  'http/1.0': 'Hypertext Transfer Protocol',
  'http/1.1': 'Hypertext Transfer Protocol',
  h2: 'HyperText Transfer Protocol 2',
  'h2-14': 'HyperText Transfer Protocol 2',
  'h2-16': 'HyperText Transfer Protocol 2',
  'spdy/2': 'SPDY',
  'spdy/3': 'SPDY',
  'spdy/3.1': 'SPDY',
  dot: 'Domain Name System',
};
/** The same by port. */
export const PORT_APPLICATIONS: Readonly<Record<number, string>> = {
  21: 'File Transfer Protocol (FTP)',
  25: 'Simple Mail Transfer Protocol',
  110: 'Post Office Protocol',
  143: 'Internet Message Access Protocol',
  389: 'Lightweight Directory Access Protocol',
  443: 'Hypertext Transfer Protocol',
  465: 'Simple Mail Transfer Protocol',
  587: 'Simple Mail Transfer Protocol',
  636: 'Lightweight Directory Access Protocol',
  802: 'Modbus/TCP',
  853: 'Domain Name System',
  993: 'Internet Message Access Protocol',
  995: 'Post Office Protocol',
  3306: 'MySQL Protocol',
  5222: 'XMPP Protocol',
  5432: 'PostgreSQL',
};
