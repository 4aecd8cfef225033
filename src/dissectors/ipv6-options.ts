/**
 * Options of IPv6's hop-by-hop and destination headers.
 *
 * RFC 8200 section 4.2 (padding), RFC 2473 (tunnel limit), RFC 2675 (jumbo), RFC 2711 (router alert), RFC 4782 (quick
 * start), RFC 5570 (CALIPSO), RFC 6275 (home address), RFC 6553 (RPL), RFC 6744 (ILNP), RFC 6788 (line), RFC 6971 (DFF),
 * RFC 7731 (MPL), RFC 8250 (PDM), RFC 9268 (path MTU).
 *
 *     0      1        2
 *     | type | length | data …        type: what to do when unknown (2 bits), may change (1), number (5); type 0 is one octet
 */
import { bits, bool, bytes, expert, flag, group, ipv6, list, mark, string, uint8, uint16, uint32 } from '../core/field.js';
import type { Tree } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';

const OPTION: Readonly<Record<number, string>> = {
  0: 'Pad1',
  1: 'PadN',
  4: 'Tunnel Encapsulation Limit',
  5: 'Router Alert',
  7: 'CALIPSO',
  8: 'SMF_DPD',
  15: 'Performance and Diagnostic Metrics',
  38: 'Quick-Start',
  48: 'Path MTU Option',
  49: 'IOAM Option',
  99: 'RPL Option',
  109: 'MPL Option',
  138: 'Endpoint Identification',
  139: 'ILNP Nonce',
  140: 'Line-Identification Option',
  194: 'Jumbo Payload',
  201: 'Home Address',
  238: 'IP_DFF',
};
const EXPERIMENTAL = [30, 62, 94, 126, 158, 190, 222, 254];
const ACTION = {
  0: 'Skip and continue',
  1: 'Discard',
  2: 'Discard and send ICMP Parameter Problem',
  3: 'Discard and send ICMP if not multicast',
};
const ALERT = { 0: 'MLD', 1: 'RSVP', 2: 'Active Network' };
const QUICK_START = { 0: 'Rate request', 8: 'Rate report' };

/** The rows of an option; each layer class that shows options has its own. */
const makeRows = () => ({
  ...group(
    { type: uint8('ipv6.opt.type', 'Type', { base: 'hex', values: OPTION }) },
    {
      action: bits('ipv6.opt.type.action', 'Action', undefined, 8, 0xc0, { values: ACTION }),
      change: flag('ipv6.opt.type.change', 'May Change', undefined, 0x20),
      rest: bits('ipv6.opt.type.rest', 'Low-Order Bits', undefined, 8, 0x1f, { base: 'hex' }),
    },
  ),
  length: uint8('ipv6.opt.length', 'Length'),
  invalidLength: expert('error', 'malformed', 'ipv6.opt.invalid_len', 'Invalid IPv6 option length'),
  pad1: mark('ipv6.opt.pad1', 'Pad1'),
  padN: bytes('ipv6.opt.padn', 'PadN', { empty: '<none>' }),
  tunnelLimit: uint8('ipv6.opt.tel', 'Tunnel Encapsulation Limit'),
  routerAlert: uint16('ipv6.opt.router_alert', 'Router Alert', { values: ALERT }),
  jumbo: uint32('ipv6.opt.jumbo', 'Payload Length'),
  jumboTruncated: expert('error', 'protocol', 'ipv6.opt.jumbo.truncated', 'Jumbo Payload option present and jumbo length < 65536'),
  calipsoDoi: uint32('ipv6.opt.calipso.doi', 'CALIPSO Domain of Interpretation'),
  calipsoLength: uint8('ipv6.opt.calipso.cmpt.length', 'Compartment Length'),
  calipsoLevel: uint8('ipv6.opt.calipso.sens_level', 'Sensitivity Level'),
  calipsoChecksum: uint16('ipv6.opt.calipso.checksum', 'Checksum', { base: 'hex' }),
  calipsoBitmap: bytes('ipv6.opt.calipso.cmpt_bitmap', 'Compartment Bitmap'),
  pdmScaleReceived: uint8('ipv6.opt.pdm.scale_dtlr', 'Scale DTLR'),
  pdmScaleSent: uint8('ipv6.opt.pdm.scale_dtls', 'Scale DTLS'),
  pdmThis: uint16('ipv6.opt.pdm.psn_this_pkt', 'PSN This Packet'),
  pdmLast: uint16('ipv6.opt.pdm.psn_last_recv', 'PSN Last Received'),
  pdmReceived: uint16('ipv6.opt.pdm.delta_last_recv', 'Delta Time Last Received'),
  pdmSent: uint16('ipv6.opt.pdm.delta_last_sent', 'Delta Time Last Sent'),
  quickFunction: bits('ipv6.opt.qs_func', 'Function', undefined, 8, 0xf0, { values: QUICK_START }),
  quickRate: bits('ipv6.opt.qs_rate', 'Rate', undefined, 8, 0x0f),
  quickTtl: uint8('ipv6.opt.qs_ttl', 'QS TTL'),
  quickUnused: uint8('ipv6.opt.qs_unused', 'Not Used'),
  quickNonce: bits('ipv6.opt.qs_nonce', 'QS Nonce', undefined, 32, 0xfffffffc, { base: 'hex' }),
  quickReserved: bits('ipv6.opt.qs_reserved', 'Reserved', undefined, 32, 0x3, { base: 'hex' }),
  pmtuMinimum: uint16('ipv6.opt.pmtu.min', 'Minimum Reported PMTU'),
  pmtuReturn: uint16('ipv6.opt.pmtu.rtn', 'Return Minimum PMTU'),
  pmtuFlag: bool('ipv6.opt.pmtu.r_flag', 'Return Flag'),
  homeAddress: ipv6('ipv6.opt.mipv6.home_address', 'MIPv6 Home Address', { also: ['ipv6.addr'] }),
  ...group(
    { rplFlag: uint8('ipv6.opt.rpl.flag', 'Flag', { base: 'hex' }) },
    {
      rplDown: flag('ipv6.opt.rpl.flag.o', 'Down', undefined, 0x80),
      rplRankError: flag('ipv6.opt.rpl.flag.r', 'Rank Error', undefined, 0x40),
      rplForwardingError: flag('ipv6.opt.rpl.flag.f', 'Forwarding Error', undefined, 0x20),
      rplReserved: bits('ipv6.opt.rpl.flag.rsv', 'Reserved', undefined, 8, 0x1f, { base: 'hex' }),
    },
  ),
  rplInstance: uint8('ipv6.opt.rpl.instance_id', 'RPLInstanceID', { base: 'hex' }),
  rplRank: uint16('ipv6.opt.rpl.sender_rank', 'Sender Rank', { base: 'hex' }),
  unknownData: bytes('ipv6.opt_unknown_data', 'Unknown Data'),
  ilnpNonce: bytes('ipv6.opt.ilnp_nonce', 'ILNP Nonce'),
  lineLength: uint8('ipv6.opt.lio.length', 'LineIDLen'),
  lineId: string('ipv6.opt.lio.line_id', 'Line ID'),
  ...group(
    { mplFlag: uint8('ipv6.opt.mpl.flag', 'Flag', { base: 'hex' }) },
    {
      mplSize: bits('ipv6.opt.mpl.flag.s', 'Seed ID Length', undefined, 8, 0xc0),
      mplLargest: flag('ipv6.opt.mpl.flag.m', 'Largest Sequence', undefined, 0x20),
      mplVersion: flag('ipv6.opt.mpl.flag.v', 'Version', undefined, 0x10),
      mplReserved: bits('ipv6.opt.mpl.flag.rsv', 'Reserved', undefined, 8, 0x0f, { base: 'hex' }),
    },
  ),
  mplSequence: uint8('ipv6.opt.mpl.sequence', 'Sequence', { base: 'hex' }),
  mplSeed: bytes('ipv6.opt.mpl.seed_id', 'Seed ID'),
  ...group(
    { dffFlags: uint8('ipv6.opt.dff.flags', 'Flags', { base: 'hex' }) },
    {
      dffVersion: bits('ipv6.opt.dff.flag.ver', 'Version (VER)', undefined, 8, 0xc0),
      dffDuplicate: flag('ipv6.opt.dff.flag.dup', 'Duplicate (DUP)', undefined, 0x20),
      dffReturn: flag('ipv6.opt.dff.flag.ret', 'Return (RET)', undefined, 0x10),
      dffReserved: bits('ipv6.opt.dff.flag.rsv', 'Reserved', undefined, 8, 0x0f, { base: 'hex' }),
    },
  ),
  dffSequence: uint16('ipv6.opt.dff.sequence_number', 'Sequence Number'),
  experimental: bytes('ipv6.opt.experimental', 'Experimental Option'),
  unknown: bytes('ipv6.opt.unknown', 'Unknown Option Payload'),
});

/** The options of a header, one item each; the rows of an item are its `of`. */
export const optionsRow = () => list('ipv6.opt', 'Options', makeRows());

/** Length of options by type, where it is fixed. */
const LENGTH: Readonly<Record<number, number>> = { 4: 1, 5: 2, 15: 10, 38: 6, 48: 4, 194: 4, 201: 16, 238: 3 };

/** The options in `[start, end)` of the tree's octets. */
export function walkOptions(tree: Tree, options: ReturnType<typeof optionsRow>, start: number, end: number): void {
  const rows = options.of;
  // Each turn takes an octet at least.
  for (let at = start; at < end; ) {
    const type = tree.bytes[at]!;
    if (type === 0) {
      tree.item(options, at, 1, 'Pad1');
      tree.add(rows.type, at);
      tree.put(rows.pad1, true, at, 1);
      tree.close();
      at++;
      continue;
    }
    const length = at + 1 < end ? tree.bytes[at + 1]! : -1;
    tree.item(options, at, 2 + Math.max(0, length), OPTION[type] ?? 'Unknown IPv6 Option');
    tree.word(rows.type, at, [rows.action, rows.change, rows.rest]);
    if (length >= 0) tree.add(rows.length, at + 1);
    const data = at + 2;
    if (length < 0 || data + length > end) {
      tree.put(rows.invalidLength, true, at + 1, 1);
      tree.close();
      return;
    }
    if (LENGTH[type] !== undefined && LENGTH[type] !== length) tree.put(rows.invalidLength, true, at + 1, 1);
    else walkOption(tree, rows, type, data, length);
    tree.close();
    at = data + length;
  }
}

function walkOption(tree: Tree, rows: ReturnType<typeof makeRows>, type: number, data: number, length: number): void {
  const b = tree.bytes;
  switch (type) {
    case 1:
      tree.add(rows.padN, data, length);
      return;
    case 4:
      tree.add(rows.tunnelLimit, data);
      return;
    case 5:
      tree.add(rows.routerAlert, data);
      return;
    case 7: {
      if (length < 8) break;
      tree.add(rows.calipsoDoi, data);
      tree.add(rows.calipsoLength, data + 4);
      tree.add(rows.calipsoLevel, data + 5);
      tree.add(rows.calipsoChecksum, data + 6);
      const map = 4 * b[data + 4]!;
      if (map > 0 && 8 + map <= length) tree.add(rows.calipsoBitmap, data + 8, map);
      return;
    }
    case 15:
      tree.add(rows.pdmScaleReceived, data);
      tree.add(rows.pdmScaleSent, data + 1);
      tree.add(rows.pdmThis, data + 2);
      tree.add(rows.pdmLast, data + 4);
      tree.add(rows.pdmReceived, data + 6);
      tree.add(rows.pdmSent, data + 8);
      return;
    case 38:
      tree.add(rows.quickFunction, data, 1);
      tree.add(rows.quickRate, data, 1);
      tree.add(b[data]! >> 4 === 0 ? rows.quickTtl : rows.quickUnused, data + 1);
      tree.add(rows.quickNonce, data + 2, 4);
      tree.add(rows.quickReserved, data + 2, 4);
      return;
    case 48:
      // The lowest bit of the second value is the return flag, not part of it (RFC 9268 section 5).
      tree.add(rows.pmtuMinimum, data);
      tree.put(rows.pmtuReturn, u16(b, data + 2) & 0xfffe, data + 2, 2);
      tree.put(rows.pmtuFlag, (b[data + 3]! & 1) !== 0, data + 3, 1);
      return;
    case 99:
      // Others may follow (RFC 6553 section 3).
      if (length < 4) break;
      tree.word(rows.rplFlag, data, [rows.rplDown, rows.rplRankError, rows.rplForwardingError, rows.rplReserved]);
      tree.add(rows.rplInstance, data + 1);
      tree.add(rows.rplRank, data + 2);
      if (length > 4) tree.add(rows.unknownData, data + 4, length - 4);
      return;
    case 109: {
      if (length < 2) break;
      tree.word(rows.mplFlag, data, [rows.mplSize, rows.mplLargest, rows.mplVersion, rows.mplReserved]);
      tree.add(rows.mplSequence, data + 1);
      if (length > 2) tree.add(rows.mplSeed, data + 2, length - 2);
      return;
    }
    case 139:
      tree.add(rows.ilnpNonce, data, length);
      return;
    case 140:
      if (length < 1) break;
      tree.add(rows.lineLength, data);
      tree.add(rows.lineId, data + 1, Math.min(b[data]!, length - 1));
      return;
    case 194:
      tree.add(rows.jumbo, data);
      if (u32(b, data) < 0x10000) tree.put(rows.jumboTruncated, true, data, 4);
      return;
    case 201:
      tree.add(rows.homeAddress, data);
      return;
    case 238:
      tree.word(rows.dffFlags, data, [rows.dffVersion, rows.dffDuplicate, rows.dffReturn, rows.dffReserved]);
      tree.add(rows.dffSequence, data + 1);
      return;
  }
  tree.add(EXPERIMENTAL.includes(type) ? rows.experimental : rows.unknown, data, length);
}
