/**
 * EDNS(0): what rides in the OPT record of a DNS message.
 *
 * RFC 6891 (OPT), RFC 5001 (NSID), RFC 6975 (DAU, DHU, N3U), RFC 7871 (client subnet), RFC 7873 (cookies),
 * RFC 7828 (TCP keepalive), RFC 7830 (padding), RFC 7901 (chain), RFC 8145 (key tags), RFC 8914 (extended errors).
 *
 *     0      2        4
 *     | code | length | data …          as many as the record's data holds
 */
import { bytes, ipv4, ipv6, list, many, string, uint8, uint16 } from '../core/field.js';
import type { Tree } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { nameText } from './dns-names.js';
import { ALGORITHM, DIGEST } from './dns-values.js';

/** Client subnet before it had a number (draft-vandergaast-edns-client-subnet). */
const OLD_CLIENT_SUBNET = 0x50fa;

const OPTION: Readonly<Record<number, string>> = {
  1: 'LLQ',
  2: 'UL',
  3: 'NSID',
  5: 'DAU',
  6: 'DHU',
  7: 'N3U',
  8: 'Client subnet',
  9: 'EDNS expire',
  10: 'Cookie',
  11: 'TCP keepalive',
  12: 'Padding',
  13: 'Chain',
  14: 'Key tag',
  15: 'Extended error',
  16: 'Client tag',
  17: 'Server tag',
  18: 'Report channel',
  19: 'Zone version',
  20292: 'Umbrella identity',
  26946: 'Device identity',
  [OLD_CLIENT_SUBNET]: 'Client subnet (experimental)',
};

/** RFC 8914 section 4 and the registry that it founded. */
export const EXTENDED_ERROR: Readonly<Record<number, string>> = {
  0: 'Other error',
  1: 'Unsupported DNSKEY algorithm',
  2: 'Unsupported DS digest type',
  3: 'Stale answer',
  4: 'Forged answer',
  5: 'DNSSEC indeterminate',
  6: 'DNSSEC bogus',
  7: 'Signature expired',
  8: 'Signature not yet valid',
  9: 'DNSKEY missing',
  10: 'RRSIGs missing',
  11: 'No zone key bit set',
  12: 'NSEC missing',
  13: 'Cached error',
  14: 'Not ready',
  15: 'Blocked',
  16: 'Censored',
  17: 'Filtered',
  18: 'Prohibited',
  19: 'Stale NXDOMAIN answer',
  20: 'Not authoritative',
  21: 'Not supported',
  22: 'No reachable authority',
  23: 'Network error',
  24: 'Invalid data',
  25: 'Signature expired before valid',
  26: 'Too early',
  27: 'Unsupported NSEC3 iterations value',
  28: 'Unable to conform to policy',
  29: 'Synthesized',
};

const ADDRESS_FAMILY = { 1: 'IPv4', 2: 'IPv6' };

const rows = {
  code: uint16('dns.opt.code', 'Option Code', { values: OPTION }),
  length: uint16('dns.opt.len', 'Option Length', { unit: 'bytes' }),
  data: bytes('dns.opt.data', 'Option Data'),
  dau: many(uint8('dns.opt.dau', 'DAU', { values: ALGORITHM })),
  dhu: many(uint8('dns.opt.dhu', 'DHU', { values: DIGEST })),
  n3u: many(uint8('dns.opt.n3u', 'N3U', { values: { 1: 'SHA-1' } })),
  family: uint16('dns.opt.client.family', 'Family', { values: ADDRESS_FAMILY }),
  sourceNetmask: uint8('dns.opt.client.netmask', 'Source Netmask'),
  scopeNetmask: uint8('dns.opt.client.scope', 'Scope Netmask'),
  subnet: bytes('dns.opt.client.addr', 'Client Subnet'),
  subnet4: ipv4('dns.opt.client.addr4', 'Client Subnet'),
  subnet6: ipv6('dns.opt.client.addr6', 'Client Subnet'),
  clientCookie: bytes('dns.opt.cookie.client', 'Client Cookie'),
  serverCookie: bytes('dns.opt.cookie.server', 'Server Cookie'),
  keepalive: uint16('dns.opt.edns_tcp_keepalive.timeout', 'Timeout', { unit: '100 ms' }),
  padding: bytes('dns.opt.padding', 'Padding'),
  chain: string('dns.opt.chain.fqdn', 'Closest Trust Point'),
  errorCode: uint16('dns.opt.ext_error.info_code', 'Info Code', { values: EXTENDED_ERROR }),
  errorText: string('dns.opt.ext_error.extra_text', 'Extra Text'),
};

export const ednsOptions = list('dns.opt', 'Option', rows);

/** The options in `[at, end)`; `tree.limit` is no further than `end`. */
export function walkOptions(tree: Tree, start: number, end: number): void {
  const b = tree.bytes;
  // Each option advances by at least its four octets.
  for (let at = start; at + 4 <= tree.limit; ) {
    const code = u16(b, at);
    const length = u16(b, at + 2);
    const from = at + 4;
    const to = Math.min(from + length, end);
    tree.item(ednsOptions, at, 4 + length, OPTION[code] ?? `Option ${code}`);
    tree.add(rows.code, at);
    tree.add(rows.length, at + 2);
    tree.add(rows.data, from, length);
    if (to <= tree.limit) walkOption(tree, code, from, to);
    tree.close();
    at = from + length;
  }
}

/** Prefix octets of a client subnet, filled up with zeros to a whole address. */
function address(b: Uint8Array, at: number, end: number, size: number): Uint8Array {
  const whole = new Uint8Array(size);
  whole.set(b.subarray(at, Math.min(end, at + size)));
  return whole;
}

function walkOption(tree: Tree, code: number, at: number, end: number): void {
  const b = tree.bytes;
  const length = end - at;
  switch (code) {
    case 5:
    case 6:
    case 7: {
      const row = code === 5 ? rows.dau : code === 6 ? rows.dhu : rows.n3u;
      for (let i = at; i < end; i++) tree.add(row, i, 1);
      return;
    }
    case 8:
    case OLD_CLIENT_SUBNET: {
      if (length < 4) return;
      const family = u16(b, at);
      tree.add(rows.family, at);
      tree.add(rows.sourceNetmask, at + 2);
      tree.add(rows.scopeNetmask, at + 3);
      if (family === 1 && length <= 8) tree.put(rows.subnet4, u32(address(b, at + 4, end, 4), 0), at + 4, length - 4);
      else if (family === 2 && length <= 20) tree.put(rows.subnet6, address(b, at + 4, end, 16), at + 4, length - 4);
      else tree.add(rows.subnet, at + 4, length - 4);
      return;
    }
    case 10:
      tree.add(rows.clientCookie, at, Math.min(8, length));
      if (length >= 8) tree.add(rows.serverCookie, at + 8, length - 8);
      return;
    case 11:
      if (length >= 2) tree.add(rows.keepalive, at);
      return;
    case 12:
      tree.add(rows.padding, at, length);
      return;
    case 13: {
      const name = nameText(b, at, at, end);
      if (name !== undefined) tree.put(rows.chain, name, at, length);
      return;
    }
    case 15:
      if (length < 2) return;
      tree.add(rows.errorCode, at);
      if (length > 2) tree.add(rows.errorText, at + 2, length - 2);
      return;
  }
}
