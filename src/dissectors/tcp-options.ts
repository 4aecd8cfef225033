/**
 * The options of a TCP header: kind, length, value.
 *
 * RFC 9293 section 3.1 (end, no-operation, MSS), RFC 7323 (window scale, timestamps), RFC 2018 and 2883 (SACK, D-SACK),
 * RFC 2385 (MD5), RFC 4782 (Quick-Start), RFC 5482 (user timeout), RFC 5925 (authentication), RFC 6994 (experiments),
 * RFC 7413 (Fast Open), RFC 8684 (MPTCP), draft-ietf-tcpm-accurate-ecn (172, 174).
 *
 *     0      1        2
 *     | kind | length | value …      kinds 0 and 1 are one octet
 */
import { bits, bytes, expert, type Field, flag, list, many, mark, uint8, uint16, uint24, uint32 } from '../core/field.js';
import { Labels } from '../core/fixed-text.js';
import type { Layer, Tree } from '../core/layer.js';
import { i32, u16, u32 } from '../core/octets.js';
import type { KnownOctets } from '../core/plain.js';
import type { TextBuffer } from '../core/text.js';
import { mptcpRows, walkMptcp } from './mptcp.js';
import { FIXED_LENGTH, type TcpLayer } from './tcp-header.js';
import {
  ACCURATE_ECN_0,
  ACCURATE_ECN_1,
  AUTHENTICATION,
  CC,
  CC_ECHO,
  CC_NEW,
  ECHO,
  ECHO_REPLY,
  END,
  EXPERIMENT_1,
  EXPERIMENT_2,
  FAST_OPEN,
  FAST_OPEN_EXPERIMENT,
  isDsack,
  MD5,
  MPTCP,
  MSS,
  NOP,
  NOPS_AND_TIMESTAMPS,
  QUICK_START,
  SACK,
  SACK_PERMITTED,
  TIMESTAMPS,
  USER_TIMEOUT,
  WINDOW_SCALE,
  WITH_TIMESTAMPS,
} from './tcp-option-kinds.js';

const KIND: Readonly<Record<number, string>> = {
  [END]: 'End of Option List',
  [NOP]: 'No-Operation',
  [MSS]: 'Maximum segment size',
  [WINDOW_SCALE]: 'Window scale',
  [SACK_PERMITTED]: 'SACK permitted',
  [SACK]: 'SACK',
  [ECHO]: 'Echo',
  [ECHO_REPLY]: 'Echo reply',
  [TIMESTAMPS]: 'Timestamps',
  [CC]: 'Connection count',
  [CC_NEW]: 'Connection count, new',
  [CC_ECHO]: 'Connection count, echo',
  [MD5]: 'MD5 signature',
  [QUICK_START]: 'Quick-Start',
  [USER_TIMEOUT]: 'User timeout',
  [AUTHENTICATION]: 'Authentication',
  [MPTCP]: 'Multipath TCP',
  [FAST_OPEN]: 'Fast Open',
  [ACCURATE_ECN_0]: 'Accurate ECN, order 0',
  [ACCURATE_ECN_1]: 'Accurate ECN, order 1',
  [EXPERIMENT_1]: 'Experiment 1',
  [EXPERIMENT_2]: 'Experiment 2',
};

const EXPERIMENT: Readonly<Record<number, string>> = { [FAST_OPEN_EXPERIMENT]: 'Fast Open' };

/** Lengths that a kind may have; 0 stands for any. */
const LENGTH: Readonly<Record<number, number>> = {
  [MSS]: 4,
  [WINDOW_SCALE]: 3,
  [SACK_PERMITTED]: 2,
  [ECHO]: 6,
  [ECHO_REPLY]: 6,
  [TIMESTAMPS]: 10,
  [CC]: 6,
  [CC_NEW]: 6,
  [CC_ECHO]: 6,
  [MD5]: 18,
  [QUICK_START]: 8,
  [USER_TIMEOUT]: 4,
};

/** What options of other lengths begin with at least (RFC 5925 section 2.2, RFC 6994 section 3). */
const LEAST: Readonly<Record<number, number>> = { [AUTHENTICATION]: 4, [EXPERIMENT_1]: 4, [EXPERIMENT_2]: 4 };

/** Options of several values: where the capture cut one, the values before the cut are shown. */
const READ_IN_PART: ReadonlySet<number> = new Set([
  SACK,
  TIMESTAMPS,
  QUICK_START,
  AUTHENTICATION,
  MPTCP,
  ACCURATE_ECN_0,
  ACCURATE_ECN_1,
  EXPERIMENT_1,
  EXPERIMENT_2,
]);

const rows = {
  kind: uint8('tcp.option_kind', 'Kind', { values: KIND }),
  length: uint8('tcp.option_len', 'Length', { unit: 'bytes' }),
  lengthInvalid: expert('note', 'sequence', 'tcp.option.len.invalid', 'Invalid length for option'),
  mss: uint16('tcp.options.mss_val', 'MSS Value', { unit: 'bytes' }),
  shift: uint8('tcp.options.wscale.shift', 'Shift count'),
  shiftInvalid: expert('error', 'protocol', 'tcp.options.wscale.shift.invalid', 'Window scale shift exceeds 14'),
  multiplier: uint16('tcp.options.wscale.multiplier', 'Multiplier'),
  sackLeft: many(uint32('tcp.options.sack_le', 'TCP SACK Left Edge')),
  sackRight: many(uint32('tcp.options.sack_re', 'TCP SACK Right Edge')),
  sackCount: uint8('tcp.options.sack.count', 'TCP SACK Count'),
  dsackLeft: uint32('tcp.options.sack.dsack_le', 'TCP D-SACK Left Edge'),
  dsackRight: uint32('tcp.options.sack.dsack_re', 'TCP D-SACK Right Edge'),
  subOptionMalformed: expert('error', 'malformed', 'tcp.suboption_malformed', 'suboption would go past end of option'),
  dsack: expert('warn', 'sequence', 'tcp.options.sack.dsack', 'D-SACK Sequence'),
  echoValue: uint32('tcp.options.echo_value', 'TCP Echo Option'),
  tsval: uint32('tcp.options.timestamp.tsval', 'Timestamp value'),
  tsecr: uint32('tcp.options.timestamp.tsecr', 'Timestamp echo reply'),
  ccValue: uint32('tcp.options.cc_value', 'TCP CC Option'),
  md5: bytes('tcp.options.md5.digest', 'MD5 digest'),
  quickStartRate: bits('tcp.options.qs.rate', 'QS Rate', undefined, 8, 0x0f),
  quickStartTtl: uint8('tcp.options.qs.ttl_diff', 'QS TTL difference'),
  timeoutGranularity: flag('tcp.options.user_to_granularity', 'Granularity', undefined, 0x8000, 16, { flags: ['Minutes', 'Seconds'] }),
  timeout: bits('tcp.options.user_to_val', 'User Timeout', undefined, 16, 0x7fff),
  keyId: uint8('tcp.options.ao.keyid', 'AO KeyID'),
  nextKeyId: uint8('tcp.options.ao.rnextkeyid', 'AO RNextKeyID'),
  authentication: bytes('tcp.options.ao.mac', 'AO MAC'),
  ...mptcpRows,
  ect0: uint24('tcp.options.acc_ecn.ee0b', 'Accurate ECN Echo ECT(0) Byte Counter'),
  congested: uint24('tcp.options.acc_ecn.eceb', 'Accurate ECN Echo CE Byte Counter'),
  ect1: uint24('tcp.options.acc_ecn.ee1b', 'Accurate ECN Echo ECT(1) Byte Counter'),
  experiment: uint16('tcp.options.experimental.exid', 'Experiment Identifier', { base: 'hex', values: EXPERIMENT }),
  experimentData: bytes('tcp.options.experimental.data', 'Data'),
  fastOpenRequest: mark('tcp.options.tfo.request', 'Fast Open Cookie Request'),
  fastOpenCookie: bytes('tcp.options.tfo.cookie', 'Fast Open Cookie'),
  unknown: bytes('tcp.options.unknown.payload', 'Payload'),
};

/** The options one by one. */
export const optionList = list('tcp.options', 'Options', rows);

/** What such a header has in common. */
export const ONLY_TIMESTAMPS: readonly KnownOctets[] = [
  { from: 12, count: 1, mask: 0xf0, is: (WITH_TIMESTAMPS / 4) << 4 },
  { from: FIXED_LENGTH, count: 4, is: NOPS_AND_TIMESTAMPS },
];

/** True for the header of most segments: NOP, NOP, timestamps, and nothing else. */
export function onlyTimestamps(l: Layer): boolean {
  const { bytes: b, start } = l;
  return b[start + 12]! >> 4 === WITH_TIMESTAMPS / 4 && start + WITH_TIMESTAMPS <= l.captured && u32(b, start + 20) === NOPS_AND_TIMESTAMPS;
}

export const optionExperts = {
  nonZeroPadding: expert('error', 'protocol', 'tcp.non_zero_bytes_after_eol', 'Non zero bytes in option space after EOL option'),
  fourNops: expert('warn', 'protocol', 'tcp.nop', '4 NOP in a row - a router may have removed some options'),
};

/** Numbers that the sequence numbers in options are relative to. */
export interface OptionContext {
  /** Start of the stream of octets that the segment acknowledges; 0 when not known. */
  readonly peerBase: number;
  /** The acknowledgment field as it stands in the header. */
  readonly acknowledgment: number;
}

/** Start of the stream of octets that a segment acknowledges; 0 when not known. */
export function peerBaseOf({ direction }: TcpLayer): number {
  const peer = direction?.peer;
  return peer?.baseKnown ? peer.base : 0;
}

/** Options `[from, end)`, of which octets up to `tree.limit` were captured. Each step goes at least one octet forward. */
export function walkOptions(tree: Tree, from: number, end: number, context: OptionContext): void {
  const { bytes: b, limit } = tree;
  const stop = Math.min(end, limit);
  let nops = 0;
  for (let at = from; at < stop; ) {
    const kind = b[at]!;
    if (kind === END) {
      tree.item(optionList, at, 1, KIND[END]);
      tree.add(rows.kind, at);
      tree.close();
      // What follows is padding; Wireshark lists its zeros as options too.
      if (at + 1 < stop && b[at + 1] !== END) {
        tree.put(optionExperts.nonZeroPadding, true, at + 1, stop - at - 1);
        return;
      }
      at++;
      continue;
    }
    if (kind === NOP) {
      tree.item(optionList, at, 1, KIND[NOP]);
      tree.add(rows.kind, at);
      tree.close();
      if (++nops === 4) {
        tree.put(optionExperts.fourNops, true, at - 3, 4);
        nops = 0;
      }
      at++;
      continue;
    }
    nops = 0;
    if (at + 1 === limit && limit < end) {
      tree.item(optionList, at, 1, KIND[kind] ?? `Option ${kind}`);
      tree.add(rows.kind, at);
      tree.close();
      return;
    }
    const length = at + 1 < stop ? b[at + 1]! : 0;
    if (length < 2 || at + length > end) {
      tree.put(rows.lengthInvalid, true, at, Math.min(2, stop - at));
      return;
    }
    const option = at;
    tree.item(optionList, at, length, () => optionText(b, option, length, stop));
    tree.add(rows.kind, at);
    tree.add(rows.length, at + 1);
    const expected = LENGTH[kind];
    if (expected === undefined ? length < (LEAST[kind] ?? 2) : length !== expected) tree.put(rows.lengthInvalid, true, at + 1, 1);
    else if (at + length <= limit || READ_IN_PART.has(kind)) walkOption(tree, kind, at, length, context);
    tree.close();
    at += length;
  }
}

function walkOption(tree: Tree, kind: number, at: number, length: number, context: OptionContext): void {
  const { bytes: b } = tree;
  switch (kind) {
    case MSS:
      tree.add(rows.mss, at + 2);
      return;
    case WINDOW_SCALE:
      tree.add(rows.shift, at + 2);
      if (b[at + 2]! > 14) tree.put(rows.shiftInvalid, true, at + 2, 1);
      tree.put(rows.multiplier, 1 << Math.min(b[at + 2]!, 14), at + 2, 1);
      return;
    case SACK_PERMITTED:
      return;
    case SACK:
      walkSack(tree, at, length, context);
      return;
    case ECHO:
    case ECHO_REPLY:
      tree.add(rows.echoValue, at + 2);
      return;
    case TIMESTAMPS:
      tree.add(rows.tsval, at + 2);
      tree.add(rows.tsecr, at + 6);
      return;
    case CC:
    case CC_NEW:
    case CC_ECHO:
      tree.add(rows.ccValue, at + 2);
      return;
    case MD5:
      tree.add(rows.md5, at + 2, 16);
      return;
    case QUICK_START:
      tree.add(rows.quickStartRate, at + 2);
      tree.add(rows.quickStartTtl, at + 3);
      return;
    case USER_TIMEOUT:
      tree.add(rows.timeoutGranularity, at + 2, 2);
      tree.add(rows.timeout, at + 2, 2);
      return;
    case AUTHENTICATION:
      tree.add(rows.keyId, at + 2);
      tree.add(rows.nextKeyId, at + 3);
      if (length > 4) tree.add(rows.authentication, at + 4, length - 4);
      return;
    case MPTCP:
      walkMptcp(tree, at, length);
      return;
    case FAST_OPEN:
      walkFastOpen(tree, at + 2, length - 2);
      return;
    case ACCURATE_ECN_0:
    case ACCURATE_ECN_1: {
      const order: readonly Field[] =
        kind === ACCURATE_ECN_0 ? [rows.ect0, rows.congested, rows.ect1] : [rows.ect1, rows.congested, rows.ect0];
      for (let i = 0; i < 3 && 2 + 3 * (i + 1) <= length; i++) tree.add(order[i]!, at + 2 + 3 * i);
      return;
    }
    case EXPERIMENT_1:
    case EXPERIMENT_2:
      if (!tree.add(rows.experiment, at + 2)) return;
      if (u16(b, at + 2) === FAST_OPEN_EXPERIMENT) walkFastOpen(tree, at + 4, length - 4);
      else if (length > 4) tree.add(rows.experimentData, at + 4, length - 4);
      return;
    default:
      if (length > 2) tree.add(rows.unknown, at + 2, length - 2);
  }
}

function walkFastOpen(tree: Tree, at: number, length: number): void {
  if (length === 0) tree.put(rows.fastOpenRequest, true);
  else tree.add(rows.fastOpenCookie, at, length);
}

/** SACK blocks, relative to the stream that they acknowledge. */
function walkSack(tree: Tree, at: number, length: number, { peerBase, acknowledgment }: OptionContext): void {
  const { bytes: b, limit } = tree;
  const end = at + length;
  const stop = Math.min(end, limit);
  let count = 0;
  for (let next = at + 2; next + 4 <= stop; next += 8) {
    tree.put(rows.sackLeft, (u32(b, next) - peerBase) >>> 0, next, 4);
    if (next + 8 > end) {
      tree.put(rows.subOptionMalformed, true, next, end - next);
      break;
    }
    if (next + 8 > stop) break;
    tree.put(rows.sackRight, (u32(b, next + 4) - peerBase) >>> 0, next + 4, 4);
    count++;
  }
  // How many blocks there were, and whether the first one tells of octets that came twice, is known of all of them.
  if (stop < end) return;
  tree.put(rows.sackCount, count);
  // Wireshark takes half a block alone for the first half of a D-SACK.
  if (count === 0 && length >= 6) tree.put(rows.dsackLeft, (u32(b, at + 2) - peerBase) >>> 0, at + 2, 4);
  if (isDsack(b, at, length, acknowledgment)) {
    tree.put(rows.dsackLeft, (u32(b, at + 2) - peerBase) >>> 0, at + 2, 4);
    tree.put(rows.dsackRight, (u32(b, at + 6) - peerBase) >>> 0, at + 6, 4);
    tree.put(rows.dsack, true, at + 2, 8);
  }
}

/** True when one of the options in `[from, end)` is of this kind. */
export function hasOption(b: Uint8Array, from: number, end: number, kind: number): boolean {
  for (let at = from; at < end; ) {
    if (b[at] === kind) return true;
    if (b[at] === END) return false;
    const length = b[at] === NOP ? 1 : at + 1 < end ? b[at + 1]! : 0;
    if (length < 1 || (length < 2 && b[at] !== NOP)) return false;
    at += length;
  }
  return false;
}

/** What an option says, in a few words. */
function optionText(b: Uint8Array, at: number, length: number, stop: number): string {
  const kind = b[at]!;
  const name = KIND[kind] ?? `Option ${kind}`;
  if (at + length > stop || (LENGTH[kind] !== undefined && LENGTH[kind] !== length)) return name;
  switch (kind) {
    case MSS:
      return `${name}: ${u16(b, at + 2)} octets`;
    case WINDOW_SCALE:
      return `${name}: ${b[at + 2]} (times ${1 << Math.min(b[at + 2]!, 14)})`;
    case TIMESTAMPS:
      return `${name}: ${u32(b, at + 2)}, echoes ${u32(b, at + 6)}`;
    default:
      return name;
  }
}

/**
 * Options `[from, end)` for the Info column, each with a space before it: ` MSS=1460 SACK_PERM TSval=1 TSecr=0 WS=128`. Where
 * the capture cut them at `captured`, whole SACK blocks before it are told.
 */
export function writeOptions(out: TextBuffer, b: Uint8Array, from: number, end: number, captured: number, peerBase: number): void {
  const stop = end <= captured ? end : captured;
  for (let at = from; at < stop; ) {
    const kind = b[at]!;
    if (kind === END) return;
    if (kind === NOP) {
      at++;
      continue;
    }
    const length = at + 1 < stop ? b[at + 1]! : 0;
    if (length < 2 || at + length > end) return;
    if (at + length > stop) {
      if (kind === SACK) writeBlocks(out, b, at + 2, stop, peerBase);
      return;
    }
    if (LENGTH[kind] === undefined || LENGTH[kind] === length) writeOption(out, b, at, kind, length, peerBase);
    at += length;
  }
}

const STAMPS = new Labels(' TSval=', ' TSecr=');
const BLOCK = new Labels(' SLE=', ' SRE=');

/** The SACK blocks that are whole in `[at, end)`. */
function writeBlocks(out: TextBuffer, b: Uint8Array, at: number, end: number, peerBase: number): void {
  for (let next = at; next + 8 <= end; next += 8) {
    BLOCK.numbers[0] = i32(b, next) - peerBase;
    BLOCK.numbers[1] = i32(b, next + 4) - peerBase;
    out.labelled(BLOCK, 0b11);
  }
}

function writeOption(out: TextBuffer, b: Uint8Array, at: number, kind: number, length: number, peerBase: number): void {
  switch (kind) {
    case TIMESTAMPS:
      STAMPS.numbers[0] = i32(b, at + 2);
      STAMPS.numbers[1] = i32(b, at + 6);
      out.labelled(STAMPS, 0b11);
      return;
    case MSS:
      out.ascii(' MSS=');
      out.number(u16(b, at + 2));
      return;
    case WINDOW_SCALE:
      out.ascii(' WS=');
      out.number(1 << Math.min(b[at + 2]!, 14));
      return;
    case SACK_PERMITTED:
      out.ascii(' SACK_PERM');
      return;
    case SACK:
      writeBlocks(out, b, at + 2, at + length, peerBase);
      return;
    case USER_TIMEOUT:
      out.ascii(' USER_TO=');
      out.number(u16(b, at + 2) & 0x7fff);
      return;
    case MD5:
      out.ascii(' MD5');
      return;
    case FAST_OPEN:
      out.ascii(length > 2 ? ' TFO=C' : ' TFO=R');
      return;
    case EXPERIMENT_1:
    case EXPERIMENT_2:
      if (length < 4) return;
      if (u16(b, at + 2) === FAST_OPEN_EXPERIMENT) out.ascii(length > 4 ? ' TFO=C' : ' TFO=R');
      else {
        out.ascii(' ExID=');
        out.hex(u16(b, at + 2), 4);
      }
      return;
    case MPTCP:
      out.ascii(' MPTCP');
      return;
  }
}
