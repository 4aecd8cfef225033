/**
 * ATA over Ethernet: the commands of a disk's bus, in Ethernet frames, to a shelf (major) and a slot in it (minor).
 *
 * Coraid, "AoE (ATA over Ethernet)", revision 11: section 2 (header), section 3.1 (ATA commands). Numbers stand in network
 * order, but for the address of the first sector.
 *
 *     0               1       2       4       5         6     10
 *     | version flags | error | major | minor | command | tag | …
 *     10      11            12      13               14               20         22
 *     | flags | err/feature | count | command/status | first sector   | reserved | data …
 */
import { bits, computed, flag, uint8, uint16, uint32 } from '../core/field.js';
import { type Layer, layer } from '../core/layer.js';
import { u8, u16le, u32le } from '../core/octets.js';
import { type Dissect, etherTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';

const AOE = 0x88a2;
/** The version that there is. */
const VERSION = 1;
const RESPONSE = 0x08;
const FLAGS_ERROR = 0x04;
/** Set for commands with 48 bits of sector address. */
const EXTENDED = 0x40;
const WRITE = 0x01;
const ATA = 0;
const HEADER_LENGTH = 10;
const ATA_LENGTH = 22;

const COMMAND: Readonly<Record<number, string>> = {
  0: 'Issue ATA Command',
  1: 'Query Config Information',
  2: 'MAC Mask List',
  3: 'Reserve/Release',
};
const ERROR: Readonly<Record<number, string>> = {
  1: 'Unrecognized command code',
  2: 'Bad argument parameter',
  3: 'Device unavailable',
  4: 'Config string present',
  5: 'Unsupported version',
  6: 'Target is reserved',
};
/** ATA/ATAPI command set, those that disks are sent over a network. */
const ATA_COMMAND: Readonly<Record<number, string>> = {
  32: 'Read',
  36: 'Read ext',
  37: 'Read DMA ext',
  48: 'Write',
  52: 'Write ext',
  53: 'Write DMA ext',
  176: 'SMART',
  200: 'Read DMA',
  202: 'Write DMA',
  229: 'Check power mode',
  231: 'Flush cache',
  234: 'Flush cache ext',
  236: 'Identify Device',
  239: 'Set features',
};

const version = (l: Layer): number => u8(l.bytes, l.start) >> 4;
const isKnown = (l: Layer): boolean => l.start < l.captured && version(l) === VERSION;
const isResponse = (l: Layer): boolean => isKnown(l) && (u8(l.bytes, l.start) & RESPONSE) !== 0;
const hasError = (l: Layer): boolean => isResponse(l) && (u8(l.bytes, l.start) & FLAGS_ERROR) !== 0;
const isAta = (l: Layer): boolean => isKnown(l) && l.start + HEADER_LENGTH <= l.captured && u8(l.bytes, l.start + 5) === ATA;
const isExtended = (l: Layer): boolean => isAta(l) && l.start + HEADER_LENGTH < l.captured && (u8(l.bytes, l.start + 10) & EXTENDED) !== 0;

const isWrite = (l: Layer): boolean => isAta(l) && l.start + HEADER_LENGTH < l.captured && (u8(l.bytes, l.start + 10) & WRITE) !== 0;

/** A message of ATA over Ethernet. */
export class Aoe extends layer(
  'aoe',
  'ATA over Ethernet',
  {
    version: bits('aoe.version', 'Version', 0, 8, 0xf0),
    response: flag('aoe.response', 'Response flag', 0, RESPONSE, 8, { when: isKnown }),
    failed: flag('aoe.flags_error', 'Error flag', 0, FLAGS_ERROR, 8, { when: isKnown }),
    error: uint8('aoe.error', 'Error', 1, { values: ERROR, when: hasError }),
    major: uint16('aoe.major', 'Major', 2, { base: 'hex', when: isKnown }),
    minor: uint8('aoe.minor', 'Minor', 4, { base: 'hex', when: isKnown }),
    command: uint8('aoe.cmd', 'Command', 5, { values: COMMAND, when: isKnown }),
    tag: uint32('aoe.tag', 'Tag', 6, { base: 'hex', when: isKnown }),
    extended: flag('aoe.aflags.e', 'E', 10, EXTENDED, 8, { when: isAta }),
    device: flag('aoe.aflags.d', 'D', 10, 0x10, 8, { when: isExtended }),
    asynchronous: flag('aoe.aflags.a', 'A', 10, 0x02, 8, { when: isWrite }),
    write: flag('aoe.aflags.w', 'W', 10, WRITE, 8, { when: isAta }),
    feature: uint8('aoe.err_feature', 'Err/Feature', 11, { base: 'hex', when: isAta }),
    sectors: uint8('aoe.sector_count', 'Sector Count', 12, { when: isAta }),
    ataCommand: uint8('aoe.ata.cmd', 'ATA Cmd', 13, { base: 'hex', values: ATA_COMMAND, when: (l) => isAta(l) && !isResponse(l) }),
    ataStatus: uint8('aoe.ata.status', 'ATA Status', 13, { base: 'hex', when: (l) => isAta(l) && isResponse(l) }),
    /** The first sector: 28 or 48 bits, in two parts with the least significant octet first. */
    sector: computed(
      'uint64',
      'aoe.lba',
      'Lba',
      (l) =>
        isAta(l) && l.start + 20 <= l.captured
          ? BigInt(u32le(l.bytes, l.start + 14)) | (BigInt(u16le(l.bytes, l.start + 18)) << 32n)
          : undefined,
      { base: 'hex' },
    ),
  },
  'AoE',
) {
  /** `Issue ATA Command Request ATA:Identify Device`. */
  override summary(out: TextBuffer): void {
    const { bytes: b, start } = this;
    if (!isKnown(this)) {
      out.ascii('Version ');
      out.number(version(this));
      return;
    }
    if (start + HEADER_LENGTH > this.captured) return out.ascii('AoE');
    const command = u8(b, start + 5);
    out.ascii(COMMAND[command] ?? `Command ${command}`);
    out.ascii(isResponse(this) ? ' Response' : ' Request');
    if (command === ATA && !isResponse(this) && start + ATA_LENGTH <= this.captured) {
      const ata = u8(b, start + 13);
      out.ascii(` ATA:${ATA_COMMAND[ata] ?? `0x${ata.toString(16).padStart(2, '0')}`}`);
    }
    if (hasError(this)) out.ascii(` (${ERROR[u8(b, start + 1)] ?? `error ${u8(b, start + 1)}`})`);
  }
}

export const dissectAoe: Dissect = (frame, start, end) => {
  const aoe = new Aoe(frame, start, end);
  if (!frame.add(aoe, HEADER_LENGTH)) return;
  if (isAta(aoe)) frame.require(aoe, ATA_LENGTH);
};

export const aoe: ProtocolEntry = { name: 'aoe', layers: [Aoe], dissect: dissectAoe, on: [etherTypes.at(AOE, dissectAoe)] };
