/**
 * Multipath TCP: the option that carries everything it says.
 *
 * RFC 8684 (version 1), RFC 6824 (version 0).
 *
 *     0    1      2                  3
 *     | 30 | len  | subtype, version | flags … | keys, tokens, numbers …
 */
import { flag as bit, bits, bytes, type Field, ipv4, ipv6, uint8, uint16, uint32, uint64 } from '../core/field.js';
import type { Tree } from '../core/layer.js';
import { u32 } from '../core/octets.js';
import { MPTCP_JOIN } from './tcp-option-kinds.js';

const SUBTYPE: Readonly<Record<number, string>> = {
  0: 'Multipath Capable',
  1: 'Join Connection',
  2: 'Data Sequence Signal',
  3: 'Add Address',
  4: 'Remove Address',
  5: 'Change Subflow Priority',
  6: 'TCP Fallback',
  7: 'Fast Close',
  8: 'TCP Reset',
};

const CAPABLE = 0;
const DATA_SEQUENCE = 2;
const ADD_ADDRESS = 3;
const REMOVE_ADDRESS = 4;
const PRIORITY = 5;
const FALLBACK = 6;
const FAST_CLOSE = 7;
const RESET = 8;

const uint8Bits = (name: string, label: string, mask: number): Field<number> => bits(name, label, undefined, 8, mask);

export const mptcpRows = {
  subtype: bits('tcp.options.mptcp.subtype', 'Multipath TCP subtype', undefined, 8, 0xf0, { values: SUBTYPE }),
  version: uint8Bits('tcp.options.mptcp.version', 'Multipath TCP version', 0x0f),
  ipVersion: uint8Bits('tcp.options.mptcp.ipver', 'IP version', 0x0f),
  echo: uint8Bits('tcp.options.mptcp.echo', 'Echo', 0x01),
  reserved: bits('tcp.options.mptcp.reserved', 'Reserved', undefined, 16, 0x0fff, { base: 'hex' }),
  flags: uint8('tcp.options.mptcp.flags', 'Multipath TCP flags', { base: 'hex' }),
  checksumRequired: uint8Bits('tcp.options.mptcp.checksumreq.flags', 'Checksum required', 0x80),
  extensibility: uint8Bits('tcp.options.mptcp.extensibility.flag', 'Extensibility', 0x40),
  noMoreSubflows: uint8Bits(
    'tcp.options.mptcp.nomoresubflows.flag',
    'Do not attempt to establish new subflows to this address and port',
    0x20,
  ),
  reservedFlags: bits('tcp.options.mptcp.reserved.flag', 'Reserved', undefined, 8, 0x3e, { base: 'hex' }),
  sha1: uint8Bits('tcp.options.mptcp.sha1.flag', 'Use HMAC-SHA1', 0x01),
  sha256: uint8Bits('tcp.options.mptcp.sha256.flag', 'Use HMAC-SHA256', 0x01),
  backup: uint8Bits('tcp.options.mptcp.backup.flag', 'Backup flag', 0x01),
  dataFin: uint8Bits('tcp.options.mptcp.datafin.flag', 'DATA_FIN', 0x10),
  sequence8: uint8Bits('tcp.options.mptcp.dseqn8.flag', 'Data Sequence Number is 8 octets', 0x08),
  sequencePresent: uint8Bits(
    'tcp.options.mptcp.dseqnpresent.flag',
    'Data Sequence Number, Subflow Sequence Number, Data-level Length, Checksum present',
    0x04,
  ),
  ack8: uint8Bits('tcp.options.mptcp.dataack8.flag', 'Data ACK is 8 octets', 0x02),
  ackPresent: uint8Bits('tcp.options.mptcp.dataackpresent.flag', 'Data ACK is present', 0x01),
  flagU: bit('tcp.options.mptcp.flag_U.flag', 'Flag U', undefined, 0x08),
  flagV: bit('tcp.options.mptcp.flag_V.flag', 'Flag V', undefined, 0x04),
  flagW: bit('tcp.options.mptcp.flag_W.flag', 'Flag W', undefined, 0x02),
  flagT: bit('tcp.options.mptcp.flag_T.flag', 'Transient', undefined, 0x01),
  resetReason: uint8('tcp.options.mptcp.rst_reason', 'TCPRST Reason', { base: 'hex' }),
  addressId: uint8('tcp.options.mptcp.addrid', 'Address ID'),
  senderKey: uint64('tcp.options.mptcp.sendkey', "Sender's Key"),
  receiverKey: uint64('tcp.options.mptcp.recvkey', "Receiver's Key"),
  receiverToken: uint32('tcp.options.mptcp.recvtok', "Receiver's Token"),
  senderRandom: uint32('tcp.options.mptcp.sendrand', "Sender's Random Number"),
  senderShortHmac: uint64('tcp.options.mptcp.sendtrunchmac', "Sender's Truncated HMAC"),
  senderHmac: bytes('tcp.options.mptcp.sendhmac', "Sender's HMAC"),
  addressHmac: uint64('tcp.options.mptcp.addaddrtrunchmac', 'Truncated HMAC'),
  rawDataAck: uint64('tcp.options.mptcp.rawdataack', 'Original MPTCP Data ACK'),
  rawDataSequence: uint64('tcp.options.mptcp.rawdataseqno', 'Data Sequence Number'),
  subflowSequence: uint32('tcp.options.mptcp.subflowseqno', 'Subflow Sequence Number'),
  dataLength: uint16('tcp.options.mptcp.datalvllen', 'Data-level Length'),
  dataChecksum: uint16('tcp.options.mptcp.checksum', 'Checksum', { base: 'hex' }),
  address4: ipv4('tcp.options.mptcp.ipv4', 'Advertised IPv4 Address'),
  address6: ipv6('tcp.options.mptcp.ipv6', 'Advertised IPv6 Address'),
  advertisedPort: uint16('tcp.options.mptcp.port', 'Advertised port'),
};

/** A key or a number of four or eight octets, shown in a field of eight. */
function wide(tree: Tree, row: Field, at: number, length: 4 | 8): void {
  if (length === 8) tree.add(row, at);
  else if (at + 4 <= tree.limit) tree.put(row, BigInt(u32(tree.bytes, at)), at, 4);
}

function flagWord(tree: Tree, at: number, rows: readonly Field[]): void {
  tree.word(mptcpRows.flags, at, rows);
}

/** The rows of the option at `at`, `length` octets long with kind and length, as far as it was captured. */
export function walkMptcp(tree: Tree, at: number, length: number): void {
  const r = mptcpRows;
  const end = at + length;
  if (length < 3 || at + 3 > tree.limit) return;
  tree.add(r.subtype, at + 2);
  switch (tree.bytes[at + 2]! >> 4) {
    case CAPABLE: {
      const version = tree.bytes[at + 2]! & 0x0f;
      tree.add(r.version, at + 2);
      flagWord(tree, at + 3, [
        r.checksumRequired,
        r.extensibility,
        ...(version === 1 ? [r.noMoreSubflows] : []),
        r.reservedFlags,
        version === 0 ? r.sha1 : r.sha256,
      ]);
      if (length >= 12) tree.add(r.senderKey, at + 4);
      if (length >= 20) tree.add(r.receiverKey, at + 12);
      // RFC 8684 section 3.1: a SYN's data comes with its length, and its checksum where both agreed on one.
      if (length >= 22) tree.add(r.dataLength, at + 20);
      if (length >= 24) tree.add(r.dataChecksum, at + 22);
      return;
    }
    case MPTCP_JOIN:
      switch (length) {
        case 12:
          flagWord(tree, at + 2, [r.backup]);
          tree.add(r.addressId, at + 3);
          tree.add(r.receiverToken, at + 4);
          tree.add(r.senderRandom, at + 8);
          return;
        case 16:
          flagWord(tree, at + 2, [r.backup]);
          tree.add(r.addressId, at + 3);
          tree.add(r.senderShortHmac, at + 4);
          tree.add(r.senderRandom, at + 12);
          return;
        case 24:
          tree.add(r.reserved, at + 2);
          tree.add(r.senderHmac, at + 4, 20);
          return;
      }
      return;
    case DATA_SEQUENCE: {
      if (length < 4 || at + 4 > tree.limit) return;
      flagWord(tree, at + 3, [r.dataFin, r.sequence8, r.sequencePresent, r.ack8, r.ackPresent]);
      const flags = tree.bytes[at + 3]!;
      let next = at + 4;
      if (flags & 1) {
        const size = flags & 2 ? 8 : 4;
        if (next + size > end) return;
        wide(tree, r.rawDataAck, next, size);
        next += size;
      }
      if (flags & 4) {
        const size = flags & 8 ? 8 : 4;
        if (next + size + 6 > end) return;
        wide(tree, r.rawDataSequence, next, size);
        tree.add(r.subflowSequence, next + size);
        tree.add(r.dataLength, next + size + 4);
        next += size + 6;
        if (next + 2 <= end) tree.add(r.dataChecksum, next);
      }
      return;
    }
    case ADD_ADDRESS: {
      // Version 0 says here whether it is IPv4 or IPv6, version 1 whether it echoes an advertisement.
      const nibble = tree.bytes[at + 2]! & 0x0f;
      const old = nibble === 4 || nibble === 6;
      tree.add(old ? r.ipVersion : r.echo, at + 2);
      tree.add(r.addressId, at + 3);
      let next = at + 4;
      const rest = length - 4;
      const six = old ? nibble === 6 : rest >= 16 && rest !== 14;
      if (rest < 4) return;
      if (six && rest >= 16) {
        tree.add(r.address6, next);
        next += 16;
      } else {
        tree.add(r.address4, next);
        next += 4;
      }
      if ((end - next) % 8 === 2) {
        tree.add(r.advertisedPort, next);
        next += 2;
      }
      if (end - next >= 8) tree.add(r.addressHmac, next);
      return;
    }
    case REMOVE_ADDRESS:
      for (let next = at + 3; next < end; next++) tree.add(r.addressId, next);
      return;
    case PRIORITY:
      flagWord(tree, at + 2, [r.backup]);
      if (length >= 4) tree.add(r.addressId, at + 3);
      return;
    case FALLBACK:
      tree.add(r.reserved, at + 2);
      if (length >= 12) tree.add(r.rawDataSequence, at + 4);
      return;
    case FAST_CLOSE:
      tree.add(r.reserved, at + 2);
      if (length >= 12) tree.add(r.receiverKey, at + 4);
      return;
    case RESET:
      flagWord(tree, at + 2, [r.flagU, r.flagV, r.flagW, r.flagT]);
      if (length >= 4) tree.add(r.resetReason, at + 3);
      return;
  }
}
