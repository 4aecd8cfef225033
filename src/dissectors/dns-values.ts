/** Names of DNS numbers: record types, classes, codes (IANA's "Domain Name System (DNS) Parameters"). */

const TYPES =
  '1 A,2 NS,3 MD,4 MF,5 CNAME,6 SOA,7 MB,8 MG,9 MR,10 NULL,11 WKS,12 PTR,13 HINFO,14 MINFO,15 MX,16 TXT,17 RP,18 AFSDB,19 X25,20 ISDN,' +
  '21 RT,22 NSAP,23 NSAP-PTR,24 SIG,25 KEY,26 PX,27 GPOS,28 AAAA,29 LOC,30 NXT,31 EID,32 NIMLOC,33 SRV,34 ATMA,35 NAPTR,36 KX,37 CERT,' +
  '38 A6,39 DNAME,40 SINK,41 OPT,42 APL,43 DS,44 SSHFP,45 IPSECKEY,46 RRSIG,47 NSEC,48 DNSKEY,49 DHCID,50 NSEC3,51 NSEC3PARAM,52 TLSA,' +
  '53 SMIMEA,55 HIP,56 NINFO,57 RKEY,58 TALINK,59 CDS,60 CDNSKEY,61 OPENPGPKEY,62 CSYNC,63 ZONEMD,64 SVCB,65 HTTPS,66 DSYNC,99 SPF,' +
  '100 UINFO,101 UID,102 GID,103 UNSPEC,104 NID,105 L32,106 L64,107 LP,108 EUI48,109 EUI64,128 NXNAME,249 TKEY,250 TSIG,251 IXFR,' +
  '252 AXFR,253 MAILB,254 MAILA,255 ANY,256 URI,257 CAA,258 AVC,259 DOA,260 AMTRELAY,261 RESINFO,262 WALLET,32768 TA,32769 DLV,' +
  '65281 WINS,65282 WINS-R,65422 XPF';

/** Numbers of record types by which the dissector decides. */
export const A = 1;
export const NS = 2;
export const CNAME = 5;
export const SOA = 6;
export const PTR = 12;
export const MX = 15;
export const TXT = 16;
export const AAAA = 28;
export const OPT = 41;
export const DS = 43;
export const SSHFP = 44;
export const TLSA = 52;
export const SRV = 33;
export const NAPTR = 35;
export const SVCB = 64;
export const HTTPS = 65;
export const IXFR = 251;
export const AXFR = 252;
export const ANY = 255;
export const URI = 256;
export const CAA = 257;

export const TYPE: Readonly<Record<number, string>> = {
  0: 'Unused',
  ...Object.fromEntries(TYPES.split(',').map((entry) => entry.split(' ') as [string, string])),
};

/** The EDNS option that clients and servers know each other by (RFC 7873). */
export const COOKIE = 10;

/** `A`, or `Unknown (4711)`. */
export const typeName = (type: number): string => TYPE[type] ?? `Unknown (${type})`;

export const CLASS: Readonly<Record<number, string>> = { 1: 'IN', 2: 'CS', 3: 'CH', 4: 'HS', 254: 'NONE', 255: 'ANY' };

export const OPCODE: Readonly<Record<number, string>> = {
  0: 'Standard query',
  1: 'Inverse query',
  2: 'Server status request',
  4: 'Zone change notification',
  5: 'Dynamic update',
  6: 'DNS Stateful operations (DSO)',
};
/** As programs name them. */
export const OPCODE_NAME: Readonly<Record<number, string>> = { 1: 'IQUERY', 2: 'STATUS', 4: 'NOTIFY', 5: 'UPDATE', 6: 'DSO' };
export const QUERY = 0;
export const INVERSE_QUERY = 1;
export const NOTIFY = 4;
export const UPDATE = 5;
export const STATEFUL = 6;

/** Response codes in words. */
export const RCODE: Readonly<Record<number, string>> = {
  0: 'No error',
  1: 'Format error',
  2: 'Server failure',
  3: 'No such name',
  4: 'Not implemented',
  5: 'Refused',
  6: 'Name exists',
  7: 'RRset exists',
  8: 'RRset does not exist',
  9: 'Not authoritative',
  10: 'Name out of zone',
  11: 'DSO-Type not implemented',
  16: 'Bad OPT version or TSIG signature failure',
  17: 'Key not recognized',
  18: 'Signature out of time window',
  19: 'Bad TKEY mode',
  20: 'Duplicate key name',
  21: 'Algorithm not supported',
  22: 'Bad truncation',
  23: 'Bad or missing server cookie',
};

/** Response codes as zone operators write them. */
export const RCODE_NAME: Readonly<Record<number, string>> = {
  0: 'NOERROR',
  1: 'FORMERR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  4: 'NOTIMP',
  5: 'REFUSED',
  6: 'YXDOMAIN',
  7: 'YXRRSET',
  8: 'NXRRSET',
  9: 'NOTAUTH',
  10: 'NOTZONE',
  11: 'DSOTYPENI',
  16: 'BADVERS',
  17: 'BADKEY',
  18: 'BADTIME',
  19: 'BADMODE',
  20: 'BADNAME',
  21: 'BADALG',
  22: 'BADTRUNC',
  23: 'BADCOOKIE',
};

/** DNSSEC algorithms. */
export const ALGORITHM: Readonly<Record<number, string>> = {
  1: 'RSA/MD5',
  2: 'Diffie-Hellman',
  3: 'DSA/SHA-1',
  5: 'RSA/SHA-1',
  6: 'DSA-NSEC3-SHA1',
  7: 'RSASHA1-NSEC3-SHA1',
  8: 'RSA/SHA-256',
  10: 'RSA/SHA-512',
  12: 'GOST R 34.10-2001',
  13: 'ECDSA P-256 with SHA-256',
  14: 'ECDSA P-384 with SHA-384',
  15: 'Ed25519',
  16: 'Ed448',
  252: 'indirect',
  253: 'private, by domain name',
  254: 'private, by OID',
};

/** Digests of DS records. */
export const DIGEST: Readonly<Record<number, string>> = { 1: 'SHA-1', 2: 'SHA-256', 3: 'GOST R 34.11-94', 4: 'SHA-384' };
