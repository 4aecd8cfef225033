/**
 * RPL: routes in low-power networks. Its messages are ICMPv6.
 *
 * RFC 6550 section 6.
 *
 *     DIS  4       5          6            DIO  4          5         6      8             9      10      11         12
 *          | flags | reserved | options         | instance | version | rank | g,mop,prf   | dtsn | flags | reserved | DODAGID | options
 *     DAO  4          5       6          7            8          DAO-ACK  4          5   6          7        8
 *          | instance | k,d   | reserved | sequence | [DODAGID] | options | instance | d | sequence | status | [DODAGID] | options
 */
import { bits, bytes, expert, type Field, flag, group, ipv6, many, mark, uint8, uint16 } from '../core/field.js';
import type { Tree } from '../core/layer.js';

export const RPL_MESSAGE: Readonly<Record<number, string>> = {
  0: 'DODAG Information Solicitation',
  1: 'DODAG Information Object',
  2: 'Destination Advertisement Object',
  3: 'Destination Advertisement Object Acknowledgment',
  4: 'P2P Discovery Reply Object',
  5: 'P2P Discovery Reply Object Acknowledgement',
  128: 'Secure DODAG Information Solicitation',
  129: 'Secure DODAG Information Object',
  130: 'Secure Destination Advertisement Object',
  131: 'Secure Destination Advertisement Object Acknowledgment',
  132: 'Secure P2P Discovery Reply Object',
  133: 'Secure P2P Discovery Reply Object Acknowledgement',
  138: 'Consistency Check',
};
const OPTION: Readonly<Record<number, string>> = {
  0: '1-byte padding',
  1: 'n-byte padding',
  2: 'DAG Metric container',
  3: 'Routing Information',
  4: 'DODAG configuration',
  5: 'RPL Target',
  6: 'Transit Information',
  7: 'Solicited Information',
  8: 'Prefix Information',
  9: 'RPL Target Descriptor',
  10: 'P2P Route Discovery',
};
const MODE: Readonly<Record<number, string>> = {
  0: 'No Downward routes maintained by RPL',
  1: 'Non-Storing Mode of Operation',
  2: 'Storing Mode of Operation with no multicast support',
  3: 'Storing Mode of Operation with multicast support',
  4: 'P2P Route Discovery Mode of Operation',
};

export const rplRows = {
  rplSolicitation: uint8('icmpv6.rpl.dis.flags', 'Flags'),
  rplInstance: uint8('icmpv6.rpl.dio.instance', 'RPLInstanceID'),
  rplVersion: uint8('icmpv6.rpl.dio.version', 'Version'),
  rplRank: uint16('icmpv6.rpl.dio.rank', 'Rank'),
  ...group(
    { rplFlags: many(uint8('icmpv6.rpl.dio.flag', 'Flags', { base: 'hex' })) },
    {
      rplGrounded: flag('icmpv6.rpl.dio.flag.g', 'Grounded (G)', undefined, 0x80),
      rplZero: flag('icmpv6.rpl.dio.flag.0', 'Zero', undefined, 0x40),
      rplMode: bits('icmpv6.rpl.dio.flag.mop', 'Mode of Operation (MOP)', undefined, 8, 0x38, { base: 'hex', values: MODE }),
      rplPreference: bits('icmpv6.rpl.dio.flag.preference', 'DODAG Preference', undefined, 8, 0x07),
    },
  ),
  rplTrigger: uint8('icmpv6.rpl.dio.dtsn', 'Destination Advertisement Trigger Sequence Number (DTSN)'),
  rplGraph: ipv6('icmpv6.rpl.dio.dagid', 'DODAGID'),
  daoInstance: uint8('icmpv6.rpl.dao.instance', 'RPLInstanceID'),
  ...group(
    { daoFlags: uint8('icmpv6.rpl.dao.flag', 'Flags', { base: 'hex' }) },
    {
      daoAcknowledge: flag('icmpv6.rpl.dao.flag.k', 'DAO-ACK Request (K)', undefined, 0x80),
      daoHasGraph: flag('icmpv6.rpl.dao.flag.d', 'DODAGID Present (D)', undefined, 0x40),
      daoReserved: bits('icmpv6.rpl.dao.flag.rsv', 'Reserved', undefined, 8, 0x3f),
    },
  ),
  daoSequence: uint8('icmpv6.rpl.dao.sequence', 'DAO Sequence'),
  daoGraph: ipv6('icmpv6.rpl.dao.dodagid', 'DODAGID'),
  ackInstance: uint8('icmpv6.rpl.daoack.instance', 'RPLInstanceID'),
  ...group(
    { ackFlags: uint8('icmpv6.rpl.daoack.flag', 'Flag', { base: 'hex' }) },
    {
      ackHasGraph: flag('icmpv6.rpl.daoack.flag.d', 'DODAGID Present (D)', undefined, 0x80),
      ackReserved: bits('icmpv6.rpl.daoack.flag.rsv', 'Reserved', undefined, 8, 0x7f),
    },
  ),
  ackSequence: uint8('icmpv6.rpl.daoack.sequence', 'DAO-ACK Sequence'),
  ackStatus: uint8('icmpv6.rpl.daoack.status', 'Status'),
  ackGraph: ipv6('icmpv6.rpl.daoack.dodagid', 'DODAGID'),
  rplOption: many(uint8('icmpv6.rpl.opt.type', 'Type', { values: OPTION })),
  rplOptionLength: many(uint8('icmpv6.rpl.opt.length', 'Length')),
  rplPadding: many(mark('icmpv6.rpl.opt.padn', 'Padn')),
  configFlags: uint8('icmpv6.rpl.opt.config.flag', 'Flag', { base: 'hex' }),
  configDoublings: uint8('icmpv6.rpl.opt.config.interval_double', 'DIOIntervalDoublings'),
  configLeast: uint16('icmpv6.rpl.opt.config.interval_min', 'DIOIntervalMin'),
  configRedundancy: uint8('icmpv6.rpl.opt.config.redundancy', 'DIORedundancyConstant'),
  configMostRank: uint16('icmpv6.rpl.opt.config.max_rank_inc', 'MaxRankInc'),
  configLeastRank: uint16('icmpv6.rpl.opt.config.min_hop_rank_inc', 'MinHopRankInc'),
  configObjective: uint16('icmpv6.rpl.opt.config.ocp', 'OCP (Objective Code Point)'),
  configLifetime: uint8('icmpv6.rpl.opt.config.def_lifetime', 'Default Lifetime'),
  /** Seconds. */
  configUnit: uint16('icmpv6.rpl.opt.config.lifetime_unit', 'Lifetime Unit'),
  targetLength: many(uint8('icmpv6.rpl.opt.target.prefix_length', 'Target Length')),
  target: many(ipv6('icmpv6.rpl.opt.target.prefix', 'Target')),
  transitFlags: many(uint8('icmpv6.rpl.opt.transit.flag', 'Flags', { base: 'hex' })),
  transitControl: many(uint8('icmpv6.rpl.opt.transit.pathctl', 'Path Control')),
  transitSequence: many(uint8('icmpv6.rpl.opt.transit.pathseq', 'Path Sequence')),
  transitLifetime: many(uint8('icmpv6.rpl.opt.transit.pathlifetime', 'Path Lifetime')),
  transitParent: many(ipv6('icmpv6.rpl.opt.transit.parent', 'Parent Address')),
  rplUndecoded: many(expert('note', 'undecoded', 'icmpv6.undecoded.rpl_option', 'Undecoded RPL option')),
  rplData: many(bytes('icmpv6.data', 'Data')),
};

/** A message of kind `code` whose base object stands at `at`. */
export function walkRpl(tree: Tree, code: number, at: number, end: number, reserved: (at: number, length: number) => void): void {
  const rows = rplRows;
  const add = (row: Field, from: number): boolean => from + (row.length as number) <= end && tree.add(row, from);
  const word = (row: Field, from: number, children: readonly Field[]): void => void (from < end && tree.word(row, from, children));
  switch (code) {
    case 0:
      add(rows.rplSolicitation, at);
      reserved(at + 1, 1);
      return walkRplOptions(tree, at + 2, end);
    case 1:
      add(rows.rplInstance, at);
      add(rows.rplVersion, at + 1);
      add(rows.rplRank, at + 2);
      word(rows.rplFlags, at + 4, [rows.rplGrounded, rows.rplZero, rows.rplMode, rows.rplPreference]);
      add(rows.rplTrigger, at + 5);
      add(rows.rplFlags, at + 6);
      reserved(at + 7, 1);
      add(rows.rplGraph, at + 8);
      return walkRplOptions(tree, at + 24, end);
    case 2: {
      add(rows.daoInstance, at);
      word(rows.daoFlags, at + 1, [rows.daoAcknowledge, rows.daoHasGraph, rows.daoReserved]);
      reserved(at + 2, 1);
      add(rows.daoSequence, at + 3);
      const hasGraph = at + 1 < tree.limit && (tree.bytes[at + 1]! & 0x40) !== 0;
      if (hasGraph) add(rows.daoGraph, at + 4);
      return walkRplOptions(tree, at + 4 + (hasGraph ? 16 : 0), end);
    }
    case 3: {
      add(rows.ackInstance, at);
      word(rows.ackFlags, at + 1, [rows.ackHasGraph, rows.ackReserved]);
      add(rows.ackSequence, at + 2);
      add(rows.ackStatus, at + 3);
      const hasGraph = at + 1 < tree.limit && (tree.bytes[at + 1]! & 0x80) !== 0;
      if (hasGraph) add(rows.ackGraph, at + 4);
      return walkRplOptions(tree, at + 4 + (hasGraph ? 16 : 0), end);
    }
    default:
      if (end > at) tree.add(rows.rplData, at, end - at);
  }
}

/** Options from `start`; each is at least one octet long. */
function walkRplOptions(tree: Tree, start: number, end: number): void {
  const rows = rplRows;
  for (let at = start; at < end && at < tree.limit; ) {
    const type = tree.bytes[at]!;
    tree.heading(OPTION[type] ?? `Unknown option ${type}`, at, 1);
    tree.add(rows.rplOption, at);
    if (type === 0) {
      tree.close();
      at++;
      continue;
    }
    if (at + 2 > end || !tree.add(rows.rplOptionLength, at + 1)) return tree.close();
    const body = at + 2;
    const stop = body + tree.bytes[at + 1]!;
    if (stop <= end && stop <= tree.limit) walkRplOption(tree, type, body, stop);
    tree.close();
    at = stop;
  }
}

function walkRplOption(tree: Tree, type: number, at: number, end: number): void {
  const rows = rplRows;
  const length = end - at;
  if (type === 1) {
    if (length > 0) tree.add(rows.rplPadding, at, length);
  } else if (type === 4 && length >= 14) {
    tree.add(rows.configFlags, at);
    tree.add(rows.configDoublings, at + 1);
    tree.put(rows.configLeast, tree.bytes[at + 2]!, at + 2, 1);
    tree.add(rows.configRedundancy, at + 3);
    tree.add(rows.configMostRank, at + 4);
    tree.add(rows.configLeastRank, at + 6);
    tree.add(rows.configObjective, at + 8);
    tree.add(rows.configLifetime, at + 11);
    tree.add(rows.configUnit, at + 12);
  } else if (type === 5 && length >= 2) {
    tree.add(rows.targetLength, at + 1);
    const prefix = new Uint8Array(16);
    prefix.set(tree.bytes.subarray(at + 2, Math.min(end, at + 18)));
    tree.put(rows.target, prefix, at + 2, length - 2);
  } else if (type === 6 && length >= 4) {
    tree.add(rows.transitFlags, at);
    tree.add(rows.transitControl, at + 1);
    tree.add(rows.transitSequence, at + 2);
    tree.add(rows.transitLifetime, at + 3);
    if (length >= 20) tree.add(rows.transitParent, at + 4);
  } else {
    if (OPTION[type] === undefined) tree.put(rows.rplUndecoded, true);
    if (length > 0) tree.add(rows.rplData, at, length);
  }
}
