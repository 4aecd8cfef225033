/**
 * Router renumbering: new prefixes for the routers of a site.
 *
 * RFC 2894, within ICMPv6.
 *
 *     0                      4          8         9       10          12         16
 *     | type, code, checksum | sequence | segment | flags | max delay | reserved | operations or results …
 */
import { bits, flag, group, ipv6, many, uint8, uint16, uint32 } from '../core/field.js';
import type { Tree } from '../core/layer.js';

const COMMAND = 0;
const RESULT = 1;

const OPERATION: Readonly<Record<number, string>> = { 1: 'Add', 2: 'Change', 3: 'Set Global' };

export const renumberingRows = {
  renumberSequence: uint32('icmpv6.rr.sequence_number', 'Sequence Number'),
  renumberSegment: uint8('icmpv6.rr.segment_number', 'Segment Number'),
  ...group(
    { renumberFlags: uint8('icmpv6.rr.flag', 'Flags', { base: 'hex' }) },
    {
      renumberTest: flag('icmpv6.rr.flag.t', 'Test Command', undefined, 0x80),
      renumberResult: flag('icmpv6.rr.flag.r', 'Result requested', undefined, 0x40),
      renumberAll: flag('icmpv6.rr.flag.a', 'All Interfaces', undefined, 0x20),
      renumberSite: flag('icmpv6.rr.flag.s', 'Site-specific', undefined, 0x10),
      renumberPrevious: flag('icmpv6.rr.flag.p', 'Processed previously', undefined, 0x08),
      renumberReserved: bits('icmpv6.rr.flag.rsv', 'Reserved', undefined, 8, 0x07),
    },
  ),
  /** Milliseconds. */
  renumberDelay: uint16('icmpv6.rr.maxdelay', 'Max Delay'),
  matchCode: many(uint8('icmpv6.rr.pco.mp.opcode', 'OpCode', { values: OPERATION })),
  matchWords: many(uint8('icmpv6.rr.pco.mp.oplength', 'OpLength')),
  matchOrdinal: many(uint8('icmpv6.rr.pco.mp.ordinal', 'Ordinal', { base: 'hex' })),
  matchLength: many(uint8('icmpv6.rr.pco.mp.matchlen', 'MatchLen')),
  matchLeast: many(uint8('icmpv6.rr.pco.mp.minlen', 'MinLen')),
  matchMost: many(uint8('icmpv6.rr.pco.mp.maxlen', 'MaxLen')),
  matchPrefix: many(ipv6('icmpv6.rr.pco.mp.matchprefix', 'MatchPrefix')),
  useLength: many(uint8('icmpv6.rr.pco.up.uselen', 'UseLen')),
  keepLength: many(uint8('icmpv6.rr.pco.up.keeplen', 'KeepLen')),
  useMask: many(uint8('icmpv6.rr.pco.up.flagmask', 'FlagMask', { base: 'hex' })),
  useFlags: many(uint8('icmpv6.rr.pco.up.raflags', 'RAFlags', { base: 'hex' })),
  /** Seconds. */
  useValid: many(uint32('icmpv6.rr.pco.up.validlifetime', 'Valid Lifetime')),
  /** Seconds. */
  usePreferred: many(uint32('icmpv6.rr.pco.up.preferredlifetime', 'Preferred Lifetime')),
  usePrefix: many(ipv6('icmpv6.rr.pco.up.useprefix', 'UsePrefix')),
  resultFlags: many(uint16('icmpv6.rr.rm.flag', 'Flags', { base: 'hex' })),
  resultOrdinal: many(uint8('icmpv6.rr.rm.ordinal', 'Ordinal', { base: 'hex' })),
  resultLength: many(uint8('icmpv6.rr.rm.matchedlen', 'MatchedLen')),
  resultInterface: many(uint32('icmpv6.rr.rm.interfaceindex', 'InterfaceIndex')),
  resultPrefix: many(ipv6('icmpv6.rr.rm.matchedprefix', 'MatchedPrefix')),
};

const FLAGS = [
  renumberingRows.renumberTest,
  renumberingRows.renumberResult,
  renumberingRows.renumberAll,
  renumberingRows.renumberSite,
  renumberingRows.renumberPrevious,
  renumberingRows.renumberReserved,
];

/** A message in `[start, end)`. */
export function walkRenumbering(
  tree: Tree,
  code: number,
  start: number,
  end: number,
  reserved: (at: number, length: number) => void,
): void {
  const rows = renumberingRows;
  tree.add(rows.renumberSequence, start + 4);
  tree.add(rows.renumberSegment, start + 8);
  tree.word(rows.renumberFlags, start + 9, FLAGS);
  tree.add(rows.renumberDelay, start + 10);
  reserved(start + 12, 4);
  if (code === COMMAND) walkOperations(tree, start + 16, end, reserved);
  else if (code === RESULT) walkResults(tree, start + 16, end);
}

/** Prefix control operations: a match part of 24 octets, then use parts of 32; each says its length in words of 8 octets. */
function walkOperations(tree: Tree, start: number, end: number, reserved: (at: number, length: number) => void): void {
  const rows = renumberingRows;
  for (let at = start; at + 24 <= end && at + 24 <= tree.limit; ) {
    const words = tree.bytes[at + 1]!;
    tree.add(rows.matchCode, at);
    tree.add(rows.matchWords, at + 1);
    tree.add(rows.matchOrdinal, at + 2);
    tree.add(rows.matchLength, at + 3);
    tree.add(rows.matchLeast, at + 4);
    tree.add(rows.matchMost, at + 5);
    reserved(at + 6, 2);
    tree.add(rows.matchPrefix, at + 8);
    if (words === 0) return;
    const stop = Math.min(at + words * 8, end);
    for (let use = at + 24; use + 32 <= stop; use += 32) {
      tree.add(rows.useLength, use);
      tree.add(rows.keepLength, use + 1);
      tree.add(rows.useMask, use + 2);
      tree.add(rows.useFlags, use + 3);
      tree.add(rows.useValid, use + 4);
      tree.add(rows.usePreferred, use + 8);
      tree.add(rows.usePrefix, use + 16);
    }
    at += words * 8;
  }
}

/** What a router made of a match, 24 octets each (section 3.3). */
function walkResults(tree: Tree, start: number, end: number): void {
  const rows = renumberingRows;
  for (let at = start; at + 24 <= end && at + 24 <= tree.limit; at += 24) {
    tree.add(rows.resultFlags, at);
    tree.add(rows.resultOrdinal, at + 2);
    tree.add(rows.resultLength, at + 3);
    tree.add(rows.resultInterface, at + 4);
    tree.add(rows.resultPrefix, at + 8);
  }
}
