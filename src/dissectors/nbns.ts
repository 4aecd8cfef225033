/**
 * NetBIOS Name Service: DNS messages about names of 16 octets, written as 32 letters.
 *
 * RFC 1002 section 4.2 (messages), RFC 1001 section 14.1 (how names are written), section 17 (adapter status).
 *
 *     0    2       4         6         8             10           12
 *     | id | flags | queries | answers | authorities | additional | names and records as in DNS …
 *
 *     a name:  | 32 | two letters A to P for each of 16 octets | labels of the scope … | 0 |
 */
import { bits, bytes, ether, expert, type Field, flag, group, ipv4, list, many, string, uint8, uint16, uint32 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer, type Mood, type Tree } from '../core/layer.js';
import { HEX, u16 } from '../core/octets.js';
import { type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { nameText, skipName } from './dns-names.js';

const HEADER_LENGTH = 12;
/** Octets of a record between its name and its data. */
const RECORD_FIXED = 10;
const NAME_OCTETS = 16;

const NB = 32;
const NBSTAT = 33;
const TYPE: Readonly<Record<number, string>> = { 1: 'A', 2: 'NS', 10: 'NULL', 32: 'NB', 33: 'NBSTAT' };
const OPCODE: Readonly<Record<number, string>> = {
  0: 'Name query',
  5: 'Registration',
  6: 'Release',
  7: 'WACK',
  8: 'Refresh',
  9: 'Refresh(altcode)',
  15: 'Multi-Homed Registration',
};
const WAIT = 7;
const RCODE: Readonly<Record<number, string>> = {
  0: 'No error',
  1: 'Request was invalidly formatted',
  2: 'Server failure',
  3: 'Requested name does not exist',
  4: 'Request is not implemented',
  5: 'Request was refused',
  6: 'Name is owned by another node',
  7: 'Name is in conflict',
};
const NODE: Readonly<Record<number, string>> = { 0: 'B-node', 1: 'P-node', 2: 'M-node', 3: 'H-node' };
/** What the last octet of a name says. */
const SUFFIX: Readonly<Record<number, string>> = {
  0: 'workstation',
  1: 'messenger',
  3: 'messenger',
  6: 'remote access server',
  27: 'domain master browser',
  28: 'domain controllers',
  29: 'local master browser',
  30: 'browser election',
  32: 'server',
  33: 'remote access client',
};

const GROUP = { flags: ['Group name', 'Unique name'] } as const;
const nbFlags = {
  group: flag('nbns.nb_flags.group', 'Name type', undefined, 0x8000, 16, GROUP),
  ont: bits('nbns.nb_flags.ont', 'Owner node type', undefined, 16, 0x6000, { values: NODE }),
};
const nameFlags = {
  nameGroup: flag('nbns.name_flags.group', 'Name type', undefined, 0x8000, 16, GROUP),
  nameOnt: bits('nbns.name_flags.ont', 'Owner node type', undefined, 16, 0x6000, { values: NODE }),
  deregistered: flag('nbns.name_flags.drg', 'Name is being deregistered', undefined, 0x1000, 16),
  conflict: flag('nbns.name_flags.cnf', 'Name is in conflict', undefined, 0x0800, 16),
  active: flag('nbns.name_flags.act', 'Name is active', undefined, 0x0400, 16),
  permanent: flag('nbns.name_flags.prm', 'Permanent node name', undefined, 0x0200, 16),
};

const queryRows = {
  name: string('nbns.name', 'Name'),
  type: uint16('nbns.type', 'Type', { values: TYPE }),
  class: uint16('nbns.class', 'Class', { values: { 1: 'IN' } }),
};
const addressRows = {
  ...group({ flags: uint16('nbns.nb_flags', 'Name flags', { base: 'hex' }) }, nbFlags),
  address: ipv4('nbns.addr', 'Addr'),
};
const statusRows = {
  name: string('nbns.netbios_name', 'Name'),
  ...group({ flags: uint16('nbns.name_flags', 'Name flags', { base: 'hex' }) }, nameFlags),
};
/** Numbers about the adapter, in the order in which they stand after the names. */
const statistics = {
  unitId: ether('nbns.unit_id', 'Unit ID'),
  jumpers: uint8('nbns.jumpers', 'Jumpers', { base: 'hex' }),
  testResult: uint8('nbns.test_result', 'Test result', { base: 'hex' }),
  version: uint16('nbns.version_number', 'Version number', { base: 'hex' }),
  period: uint16('nbns.period_of_statistics', 'Period of statistics', { base: 'hex' }),
  crcs: uint16('nbns.num_crcs', 'Number of CRCs'),
  alignmentErrors: uint16('nbns.num_alignment_errors', 'Number of alignment errors'),
  collisions: uint16('nbns.num_collisions', 'Number of collisions'),
  sendAborts: uint16('nbns.num_send_aborts', 'Number of send aborts'),
  goodSends: uint32('nbns.num_good_sends', 'Number of good sends'),
  goodReceives: uint32('nbns.num_good_receives', 'Number of good receives'),
  retransmits: uint16('nbns.numretransmits', 'Number of retransmits'),
  noResources: uint16('nbns.num_no_resource_conditions', 'Number of no resource conditions'),
  commandBlocks: uint16('nbns.numcommand_blocks', 'Number of command blocks'),
  pendingSessions: uint16('nbns.numpending_sessions', 'Number of pending sessions'),
  mostPending: uint16('nbns.max_num_pending_sessions', 'Max number of pending sessions'),
  mostSessions: uint16('nbns.max_total_sessions_possible', 'Max total sessions possible'),
  packetSize: uint16('nbns.session_data_packet_size', 'Session data packet size'),
};
const recordRows = {
  ...queryRows,
  ttl: uint32('nbns.ttl', 'Time to live', { unit: 'seconds' }),
  length: uint16('nbns.data_length', 'Data length', { unit: 'bytes' }),
  addresses: list('nbns.addresses', 'Addresses', addressRows),
  nameCount: uint8('nbns.number_of_names', 'Number of names'),
  names: list('nbns.names', 'Names', statusRows),
  ...statistics,
  incomplete: many(expert('note', 'protocol', 'nbns.incomplete_entry', 'An entry is not whole')),
  data: bytes('nbns.data', 'Data'),
};
const NB_BITS: readonly Field[] = Object.values(nbFlags);
const NAME_BITS: readonly Field[] = Object.values(nameFlags);
const STATISTICS: readonly Field[] = Object.values(statistics);

const isResponse = (l: Layer) => (l.bytes[l.start + 2]! & 0x80) !== 0;

const fields = {
  id: uint16('nbns.id', 'Transaction ID', 0, { base: 'hex' }),
  ...group(
    { flags: uint16('nbns.flags', 'Flags', 2, { base: 'hex' }) },
    {
      response: flag('nbns.flags.response', 'Response', 2, 0x8000, 16),
      opcode: bits('nbns.flags.opcode', 'Opcode', 2, 16, 0x7800, { values: OPCODE }),
      authoritative: flag('nbns.flags.authoritative', 'Authoritative', 2, 0x0400, 16, { when: isResponse }),
      truncated: flag('nbns.flags.truncated', 'Truncated', 2, 0x0200, 16),
      recursionDesired: flag('nbns.flags.recdesired', 'Recursion desired', 2, 0x0100, 16),
      recursionAvailable: flag('nbns.flags.recavail', 'Recursion available', 2, 0x0080, 16, { when: isResponse }),
      broadcast: flag('nbns.flags.broadcast', 'Broadcast', 2, 0x0010, 16),
      rcode: bits('nbns.flags.rcode', 'Reply code', 2, 16, 0x000f, { values: RCODE, when: isResponse }),
    },
  ),
  queryCount: uint16('nbns.count.queries', 'Questions', 4),
  answerCount: uint16('nbns.count.answers', 'Answer RRs', 6),
  authorityCount: uint16('nbns.count.auth_rr', 'Authority RRs', 8),
  additionalCount: uint16('nbns.count.add_rr', 'Additional RRs', 10),
  queries: list('nbns.queries', 'Queries', queryRows),
  answers: list('nbns.answers', 'Answers', recordRows),
  authorities: list('nbns.authorities', 'Authoritative nameservers', recordRows),
  additionals: list('nbns.additionals', 'Additional records', recordRows),
};

const SECTIONS: readonly Field[] = [fields.answers, fields.authorities, fields.additionals];

/** 16 octets as Windows shows them: the name without the blanks that fill it up, and its last octet in hex. */
function netbiosText(octet: (i: number) => number): string {
  let last = NAME_OCTETS - 1;
  while (last > 0 && octet(last - 1) === 0x20) last--;
  let text = '';
  for (let i = 0; i < last; i++) {
    const c = octet(i);
    text += c >= 0x20 && c < 0x7f ? String.fromCharCode(c) : `<${HEX[c]}>`;
  }
  return `${text}<${HEX[octet(NAME_OCTETS - 1)]}>`;
}

/** The name at `at`: decoded from its letters where it is written so, else as DNS has it. */
function readNetbiosName(b: Uint8Array, at: number, base: number, limit: number): string | undefined {
  const written = nameText(b, at, base, limit);
  if (written === undefined) return undefined;
  const letters = /^[A-P]{32}(?=\.|$)/.exec(written);
  if (letters === null) return written;
  const name = netbiosText((i) => ((written.charCodeAt(2 * i) - 65) << 4) | (written.charCodeAt(2 * i + 1) - 65));
  return name + written.slice(2 * NAME_OCTETS);
}

/** A NetBIOS Name Service message. */
export class Nbns extends layer('nbns', 'NetBIOS Name Service', fields) {
  override get mood(): Mood | undefined {
    return this.start + 4 <= this.captured && isResponse(this) && (this.bytes[this.start + 3]! & 15) !== 0 ? 'trouble' : undefined;
  }

  override walk(tree: Tree): void {
    const { bytes: b, start, captured } = this;
    if (start + HEADER_LENGTH > captured) return;
    let at = start + HEADER_LENGTH;
    // Each question and each record advances, or ends the walk.
    for (let left = u16(b, start + 4); left > 0; left--) {
      at = walkName(tree, fields.queries, at, start, captured, 4);
      if (at < 0) return;
      tree.close();
      at += 4;
    }
    for (let section = 0; section < 3; section++)
      for (let left = u16(b, start + 6 + 2 * section); left > 0; left--) {
        at = walkRecord(tree, SECTIONS[section]!, at, start, captured, (b[start + 2]! >> 3) & 15);
        if (at < 0) return;
      }
  }

  override summary(out: TextBuffer): void {
    const { bytes: b, start, captured } = this;
    if (start + 4 > captured) return out.ascii('NBNS');
    const opcode = (b[start + 2]! >> 3) & 15;
    out.ascii(OPCODE[opcode] ?? `Unknown operation (${opcode})`);
    if (isResponse(this)) {
      out.ascii(' response');
      const rcode = b[start + 3]! & 15;
      if (rcode !== 0) out.ascii(`, ${RCODE[rcode] ?? `Unknown error (${rcode})`}`);
    }
    if (start + HEADER_LENGTH > captured) return;
    let at = start + HEADER_LENGTH;
    for (let left = u16(b, start + 4); left > 0; left--) {
      const end = skipName(b, at, captured);
      if (end < 0 || end + 4 > captured) return;
      out.ascii(` ${typeName(u16(b, end))} `);
      out.text(readNetbiosName(b, at, start, captured) ?? '');
      at = end + 4;
    }
    for (let left = u16(b, start + 6); left > 0; left--) {
      const end = skipName(b, at, captured);
      if (end < 0 || end + RECORD_FIXED > captured) return;
      const type = u16(b, end);
      const data = end + RECORD_FIXED;
      out.ascii(` ${typeName(type)}`);
      at = data + u16(b, end + 8);
      if (type === NB && data + 6 <= Math.min(at, captured)) {
        out.byte(32);
        out.ipv4(((b[data + 2]! << 24) | (b[data + 3]! << 16) | (b[data + 4]! << 8) | b[data + 5]!) >>> 0);
      }
    }
  }
}

const typeName = (type: number) => TYPE[type] ?? `Unknown (${type})`;

/** Opens an item with its name, type and class; where the name ends, or -1 (and nothing opened) when `more` octets after it are not there. */
function walkName(tree: Tree, section: Field, start: number, base: number, limit: number, more: number): number {
  const b = tree.bytes;
  const at = skipName(b, start, limit);
  const name = at < 0 || at + more > limit ? undefined : readNetbiosName(b, start, base, limit);
  if (name === undefined) return -1;
  tree.item(section, start, at + more - start, `${name}: ${typeName(u16(b, at))}`);
  tree.put(queryRows.name, name, start, at - start);
  tree.add(queryRows.type, at);
  tree.add(queryRows.class, at + 2);
  return at;
}

function walkRecord(tree: Tree, section: Field, start: number, base: number, limit: number, opcode: number): number {
  const at = walkName(tree, section, start, base, limit, RECORD_FIXED);
  if (at < 0) return -1;
  const b = tree.bytes;
  const data = at + RECORD_FIXED;
  const end = data + u16(b, at + 8);
  tree.add(recordRows.ttl, at + 4);
  tree.add(recordRows.length, at + 8);
  tree.limit = Math.min(end, limit);
  const type = u16(b, at);
  if (type === NB && opcode === WAIT) tree.word(addressRows.flags, data, NB_BITS);
  else if (type === NB) walkAddresses(tree, data);
  else if (type === NBSTAT) walkStatus(tree, data);
  else if (data < tree.limit) tree.add(recordRows.data, data, tree.limit - data);
  tree.limit = limit;
  tree.close();
  return end <= limit ? end : -1;
}

function walkAddresses(tree: Tree, data: number): void {
  // Six octets each.
  let at = data;
  for (; at + 6 <= tree.limit; at += 6) {
    tree.item(recordRows.addresses, at, 6);
    tree.word(addressRows.flags, at, NB_BITS);
    tree.add(addressRows.address, at + 2);
    tree.close();
  }
  if (at < tree.limit) tree.put(recordRows.incomplete, true, at, tree.limit - at);
}

function walkStatus(tree: Tree, data: number): void {
  if (!tree.add(recordRows.nameCount, data)) return;
  let at = data + 1;
  for (let left = tree.bytes[data]!; left > 0 && at + NAME_OCTETS + 2 <= tree.limit; left--) {
    const here = at;
    const name = netbiosText((i) => tree.bytes[here + i]!);
    const suffix = SUFFIX[tree.bytes[at + NAME_OCTETS - 1]!];
    tree.item(recordRows.names, at, NAME_OCTETS + 2, suffix === undefined ? name : `${name} (${suffix})`);
    tree.put(statusRows.name, name, at, NAME_OCTETS);
    tree.word(statusRows.flags, at + NAME_OCTETS, NAME_BITS);
    tree.close();
    at += NAME_OCTETS + 2;
  }
  for (const row of STATISTICS) {
    if (!tree.add(row, at)) return;
    at += row.length as number;
  }
}

function dissectNbns(frame: Frame, start: number, end: number): void {
  frame.add(new Nbns(frame, start, end), HEADER_LENGTH);
}

export const nbns: ProtocolEntry = { name: 'nbns', layers: [Nbns], dissect: dissectNbns, on: [udpPorts.at(137, dissectNbns)] };
