/**
 * Multicast Listener Discovery: which groups somebody on the link listens to. Its messages are ICMPv6.
 *
 * RFC 2710 (version 1), RFC 3810 (version 2).
 *
 *     query and version 1:   4          6          8       24        25     26         28
 *                            | max delay | reserved | group | s,qrv   | qqic | sources  | source …
 *     version 2 report:      4          6          8
 *                            | reserved | records | record …
 */
import { bits, bytes, flag, group, ipv6, list, many, uint8, uint16 } from '../core/field.js';
import type { Tree } from '../core/layer.js';
import { u16 } from '../core/octets.js';

const RECORD_TYPE: Readonly<Record<number, string>> = {
  1: 'Include',
  2: 'Exclude',
  3: 'Changed to include',
  4: 'Changed to exclude',
  5: 'Allow new sources',
  6: 'Block old sources',
};

/** Octets of a version 1 message; a longer query is of version 2. */
const VERSION_1_LENGTH = 24;
/** Type, lengths and group of a record. */
const RECORD_LENGTH = 20;

const recordRows = {
  recordType: uint8('icmpv6.mldr.mar.record_type', 'Record Type', { values: RECORD_TYPE }),
  auxiliaryLength: uint8('icmpv6.mldr.mar.aux_data_len', 'Aux Data Len'),
  sourceCount: uint16('icmpv6.mldr.mar.nb_sources', 'Number of Sources'),
  address: ipv6('icmpv6.mldr.mar.multicast_address', 'Multicast Address'),
  sources: many(ipv6('icmpv6.mldr.mar.source_address', 'Source Address')),
  auxiliary: bytes('icmpv6.mldr.mar.auxiliary_data', 'Auxiliary Data'),
};

export const listenerRows = {
  /** Milliseconds. */
  responseDelay: uint16('icmpv6.mld.maximum_response_delay', 'Maximum Response Delay [ms]'),
  responseCode: uint16('icmpv6.mld.maximum_response_code', 'Maximum Response Code'),
  listenedAddress: ipv6('icmpv6.mld.multicast_address', 'Multicast Address'),
  ...group(
    { listenerFlags: uint8('icmpv6.mld.flag', 'Flags', { base: 'hex' }) },
    {
      listenerSuppress: flag('icmpv6.mld.flag.s', 'Suppress Router-Side Processing', undefined, 0x08),
      listenerRobustness: bits('icmpv6.mld.flag.qrv', "QRV (Querier's Robustness Variable)", undefined, 8, 0x07),
      listenerReserved: bits('icmpv6.mld.flag.reserved', 'Reserved', undefined, 8, 0xf0),
    },
  ),
  queryInterval: uint8('icmpv6.mld.qqi', "QQIC (Querier's Query Interval Code)"),
  querySourceCount: uint16('icmpv6.mld.nb_sources', 'Number of Sources'),
  querySources: many(ipv6('icmpv6.mld.source_address', 'Source Address')),
  recordCount: uint16('icmpv6.mldr.nb_mcast_records', 'Number of Multicast Address Records'),
  records: list('icmpv6.mldr.mar', 'Multicast Address Record', recordRows),
};

/** A query, or a report or done of version 1, in `[start, end)`. */
export function walkListener(
  tree: Tree,
  start: number,
  end: number,
  isQuery: boolean,
  reserved: (at: number, length: number) => void,
): void {
  const rows = listenerRows;
  const isVersion2 = isQuery && end - start > VERSION_1_LENGTH;
  tree.add(isVersion2 ? rows.responseCode : rows.responseDelay, start + 4);
  reserved(start + 6, 2);
  tree.add(rows.listenedAddress, start + 8);
  if (!isVersion2) return;
  tree.word(rows.listenerFlags, start + 24, [rows.listenerSuppress, rows.listenerRobustness, rows.listenerReserved]);
  tree.add(rows.queryInterval, start + 25);
  if (!tree.add(rows.querySourceCount, start + 26)) return;
  const count = u16(tree.bytes, start + 26);
  for (let i = 0, at = start + 28; i < count && at + 16 <= end; i++, at += 16) if (!tree.add(rows.querySources, at)) return;
}

/** A report of version 2 in `[start, end)`. Each record is at least 20 octets long. */
export function walkReport(tree: Tree, start: number, end: number, reserved: (at: number, length: number) => void): void {
  const { records, recordCount } = listenerRows;
  reserved(start + 4, 2);
  if (!tree.add(recordCount, start + 6)) return;
  const count = u16(tree.bytes, start + 6);
  let at = start + 8;
  for (let i = 0; i < count && at + 4 <= end && at + 4 <= tree.limit; i++) {
    const sources = u16(tree.bytes, at + 2);
    const auxiliary = tree.bytes[at + 1]! * 4;
    const stop = at + RECORD_LENGTH + 16 * sources + auxiliary;
    tree.item(records, at, Math.min(stop, end) - at, RECORD_TYPE[tree.bytes[at]!] ?? `Type ${tree.bytes[at]}`);
    tree.add(recordRows.recordType, at);
    tree.add(recordRows.auxiliaryLength, at + 1);
    tree.add(recordRows.sourceCount, at + 2);
    if (at + RECORD_LENGTH <= end) tree.add(recordRows.address, at + 4);
    for (let j = 0, from = at + RECORD_LENGTH; j < sources && from + 16 <= end; j++, from += 16)
      if (!tree.add(recordRows.sources, from)) break;
    if (auxiliary > 0 && stop <= end) tree.add(recordRows.auxiliary, stop - auxiliary, auxiliary);
    tree.close();
    at = stop;
  }
}
