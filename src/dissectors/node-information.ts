/**
 * Node information: names and addresses of a host, from itself.
 *
 * RFC 4620, within ICMPv6.
 *
 *     0                      4       6       8       16
 *     | type, code, checksum | qtype | flags | nonce | subject or answer …
 */
import { bits, flag, group, ipv4, ipv6, many, string, uint16, uint32, uint64 } from '../core/field.js';
import type { Tree } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { readLabels } from './domain-labels.js';

/** Section 5. */
const QUERY_TYPE: Readonly<Record<number, string>> = {
  0: 'NOOP',
  1: 'Supported query types (Obsolete)',
  2: 'Node Name',
  3: 'Node addresses',
  4: 'IPv4 node addresses',
};
const BY_IPV6 = 0;
const BY_NAME = 1;
const SUCCESSFUL = 0;
const NODE_NAME = 2;
const NODE_ADDRESSES = 3;
const IPV4_ADDRESSES = 4;

export const nodeRows = {
  queryType: uint16('icmpv6.ni.qtype', 'Qtype', { values: QUERY_TYPE }),
  ...group(
    { queryFlags: uint16('icmpv6.ni.flag', 'Flags', { base: 'hex' }) },
    {
      queryGlobal: flag('icmpv6.ni.flag.g', 'Global-scope addresses', undefined, 0x0020, 16),
      querySite: flag('icmpv6.ni.flag.s', 'Site-local addresses', undefined, 0x0010, 16),
      queryLink: flag('icmpv6.ni.flag.l', 'Link-local addresses', undefined, 0x0008, 16),
      queryCompression: flag('icmpv6.ni.flag.c', 'Compression', undefined, 0x0004, 16),
      queryUnicast: flag('icmpv6.ni.flag.a', 'Unicast Addresses', undefined, 0x0002, 16),
      queryTruncated: flag('icmpv6.ni.flag.t', 'Truncated', undefined, 0x0001, 16),
      queryReserved: bits('icmpv6.ni.flag.rsv', 'Reserved', undefined, 16, 0xffc0, { base: 'hex' }),
    },
  ),
  queryNonce: uint64('icmpv6.ni.nonce', 'Nonce', { base: 'hex' }),
  subjectIpv6: many(ipv6('icmpv6.ni.query.subject_ipv6', 'IPv6 subject address')),
  subjectName: string('icmpv6.ni.query.subject_fqdn', 'FQDN subject'),
  subjectIpv4: many(ipv4('icmpv6.ni.query.subject_ipv4', 'IPv4 subject address')),
  /** Seconds. */
  nodeTtl: many(uint32('icmpv6.ni.reply.node_ttl', 'TTL')),
  nodeName: many(string('icmpv6.ni.reply.node_name', 'Name Node')),
  nodeIpv6: many(ipv6('icmpv6.ni.reply.node_address', 'IPv6 Node address')),
  nodeIpv4: many(ipv4('icmpv6.ni.reply.ipv4_address', 'IPv4 Node address')),
};

const FLAGS = [
  nodeRows.queryGlobal,
  nodeRows.querySite,
  nodeRows.queryLink,
  nodeRows.queryCompression,
  nodeRows.queryUnicast,
  nodeRows.queryTruncated,
  nodeRows.queryReserved,
];

/** A query or a reply in `[start, end)`. */
export function walkNode(tree: Tree, isQuery: boolean, code: number, start: number, end: number): void {
  tree.add(nodeRows.queryType, start + 4);
  tree.word(nodeRows.queryFlags, start + 6, FLAGS);
  tree.add(nodeRows.queryNonce, start + 8);
  if (isQuery) walkSubject(tree, code, start + 16, end);
  else if (code === SUCCESSFUL && start + 16 <= tree.limit) walkAnswer(tree, u16(tree.bytes, start + 4), start + 16, end);
}

/** Whom the query is about; the code says how it is named. */
function walkSubject(tree: Tree, code: number, start: number, end: number): void {
  if (code === BY_NAME) {
    const name = readLabels(tree.bytes, start, Math.min(end, tree.limit));
    if (name) tree.put(nodeRows.subjectName, name.name, start, name.next - start);
    return;
  }
  const row = code === BY_IPV6 ? nodeRows.subjectIpv6 : nodeRows.subjectIpv4;
  const length = code === BY_IPV6 ? 16 : 4;
  for (let at = start; at + length <= end; at += length) if (!tree.add(row, at)) return;
}

function walkAnswer(tree: Tree, kind: number, start: number, end: number): void {
  if (kind === NODE_NAME) {
    tree.add(nodeRows.nodeTtl, start);
    const limit = Math.min(end, tree.limit);
    let at = start + 4;
    // A name is at least one octet long.
    for (let name = readLabels(tree.bytes, at, limit); name !== undefined && name.next > at; name = readLabels(tree.bytes, at, limit)) {
      if (name.name !== '') tree.put(nodeRows.nodeName, name.name, at, name.next - at);
      at = name.next;
    }
  } else if (kind === NODE_ADDRESSES || kind === IPV4_ADDRESSES) {
    const length = kind === NODE_ADDRESSES ? 16 : 4;
    for (let at = start; at + 4 + length <= end; at += 4 + length) {
      if (!tree.add(nodeRows.nodeTtl, at)) return;
      tree.add(kind === NODE_ADDRESSES ? nodeRows.nodeIpv6 : nodeRows.nodeIpv4, at + 4);
    }
  }
}
