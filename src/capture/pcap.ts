/**
 * pcap, the format of tcpdump: a file header, then records one after another.
 *
 * draft-ietf-opsawg-pcap (the format, link type and FCS bits), pcap-savefile(5).
 *
 *     0: magic 4 | 4: major 2, minor 2 | 8: zone 4 | 12: accuracy 4 | 16: snapLength 4 | 20: linkType 4
 *     record: seconds 4 | fraction 4 | captured 4 | wire 4 | octets
 */
import { NetlensError } from '../core/errors.js';
import type { Chunks } from './chunks.js';
import { pseudoHeaderLength } from './link-types.js';
import { ReaderBase } from './reader.js';
import type { CaptureInterface, CaptureRecord } from './source.js';

/** Octets before the first record. */
const FILE_HEADER = 24;

/** How a magic number is read. */
interface Variant {
  /** Nanoseconds in one unit of a record's fraction. */
  readonly unit: 1 | 1000;
  /** Octets before a record's frame. */
  readonly header: number;
  /** Octets between the file header and the first record. */
  readonly extra?: number;
}

/** By magic number, as a big-endian reader sees it. */
const VARIANTS: Readonly<Record<number, Variant>> = {
  2712847316: { unit: 1000, header: 16 }, // a1b2c3d4
  2712812621: { unit: 1, header: 16 }, // a1b23c4d, nanoseconds
  2712849716: { unit: 1000, header: 24 }, // a1b2cd34, Kuznetzov: interface index, protocol and packet type follow the lengths
  469762475: { unit: 1000, header: 16, extra: 4 }, // 1c0001ab, IXIA software: the octets of all records stand before the first
  469762476: { unit: 1, header: 16, extra: 4 }, // 1c0001ac, IXIA hardware
};

/** Relatives whose records are laid out otherwise; named, so that the user knows what the file is. */
const KNOWN_UNREAD: Readonly<Record<number, string>> = {
  2712810701: 'the pcap variant of F. Mesquita', // a1b234cd
  2703965261: 'the pcap variant of Navtel', // a12b3c4d
  2712847307: 'a BPF program saved by libpcap', // a1b2c3cb
};

/** Most octets of one frame; libpcap's and Wireshark's bound, above any snapshot length in use. */
const MAX_FRAME = 262_144;
/** D-Bus messages and USB transfers may be larger. */
const MAX_LARGE_FRAME = 128 * 1024 * 1024;
const LARGE_LINK_TYPES = new Set([231, 249, 279]);

/** Is this a pcap magic number (as read big-endian) in either byte order? */
export function isPcapMagic(magic: number): boolean {
  return known(magic) || known(swap32(magic));
}

function known(magic: number): boolean {
  return magic in VARIANTS || magic in KNOWN_UNREAD;
}

function swap32(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

/** Names for what the format cannot say itself, for captures that come from an interface. */
export interface PcapNaming {
  readonly name: string;
  readonly description?: string | undefined;
}

/**
 * Reads the file header and makes a reader.
 * `whole`: the source is a file; looking ahead in it waits for nobody.
 * @throws NetlensError `unknown-format` for versions and variants that cannot be read
 */
export async function readPcap(chunks: Chunks, label: string, whole: boolean, naming?: PcapNaming): Promise<ReaderBase> {
  if (!(await chunks.more(FILE_HEADER))) {
    throw new NetlensError('unknown-format', `${label}: ends within its pcap header: 24 octets expected, ${chunks.end} found`, chunks.end);
  }
  const view = chunks.view;
  const magic = view.getUint32(0);
  const little = !known(magic);
  const standard = little ? swap32(magic) : magic;
  const variant = VARIANTS[standard];
  if (variant === undefined) {
    throw new NetlensError('unknown-format', `${label}: is ${KNOWN_UNREAD[standard]}, which netlens does not read`, 0);
  }
  const major = view.getUint16(4, little);
  const minor = view.getUint16(6, little);
  // 543.0 was written by the tcpdump of DG/UX.
  if (major !== 2 && !(major === 543 && minor === 0)) {
    throw new NetlensError('unknown-format', `${label}: pcap version ${major}.${minor} at octet 4; only 2.x is known`, 4);
  }
  const network = view.getUint32(20, little);
  // Bits 28-31: length of the FCS in 16-bit units if bit 26 says so; bits 16-25 and 27 are reserved.
  if ((network & 0x03ff0000) !== 0) {
    const found = `0x${network.toString(16).padStart(8, '0')}`;
    throw new NetlensError('unknown-format', `${label}: link type with reserved bits set at octet 20: ${found}`, 20);
  }
  const linkType = network & 0xffff;
  const itself: CaptureInterface = {
    id: naming ? 0 : undefined,
    linkType,
    snapLength: view.getUint32(16, little),
    name: naming?.name,
    description: naming?.description,
    section: undefined,
    fcsLength: network & 0x04000000 ? (network >>> 28) * 2 : undefined,
    pseudoHeader: pseudoHeaderLength(linkType),
  };
  chunks.position = FILE_HEADER + (variant.extra ?? 0);
  const limit = LARGE_LINK_TYPES.has(linkType) ? MAX_LARGE_FRAME : MAX_FRAME;
  const header = whole ? await recordHeaderLength(chunks, little, limit, standard) : variant.header;
  // libpcap before 2.3 stored the two lengths the other way round; 2.3 did both.
  const lengths = major === 543 || minor < 3 ? 'swapped' : minor === 3 ? 'either' : 'normal';
  return new PcapReader(chunks, label, itself, little, variant.unit, header, limit, lengths);
}

/** Reads records; the two lengths are checked against each other and against the bound, never trusted. */
class PcapReader extends ReaderBase {
  readonly format = 'pcap';
  private records = 0;

  constructor(
    chunks: Chunks,
    label: string,
    private readonly itself: CaptureInterface,
    private readonly little: boolean,
    private readonly unit: number,
    private readonly headerLength: number,
    private readonly limit: number,
    private readonly lengths: 'normal' | 'swapped' | 'either',
  ) {
    super(chunks, label);
    this.interfaces.push(itself);
  }

  next(record: CaptureRecord): boolean {
    const chunks = this.chunks;
    const position = chunks.position;
    const start = position + this.headerLength;
    if (start > chunks.end) {
      this.need = this.headerLength;
      return false;
    }
    const view = chunks.view;
    const little = this.little;
    let captured = view.getUint32(position + 8, little);
    let wire = view.getUint32(position + 12, little);
    if (this.lengths !== 'normal' && (this.lengths === 'swapped' || captured > wire)) {
      const first = captured;
      captured = wire;
      wire = first;
    }
    const stop = start + captured;
    if (stop > chunks.end) {
      if (captured > this.limit) {
        return this.damaged(
          `record ${this.records + 1} at octet ${chunks.offset} claims ${captured} octets; at most ${this.limit} can be true`,
        );
      }
      this.need = this.headerLength + captured;
      return false;
    }
    const fraction = view.getUint32(position + 4, little) * this.unit;
    record.bytes = chunks.bytes;
    record.start = start;
    record.captured = stop;
    record.wireLength = wire;
    record.seconds = view.getUint32(position, little);
    record.nanoseconds = fraction;
    if (fraction >= 1e9) carry(record);
    record.hasTime = true;
    record.interface = this.itself;
    record.notes = undefined;
    chunks.position = stop;
    this.records++;
    return true;
  }

  protected what(): string {
    return `record ${this.records + 1}`;
  }
}

/** A fraction of a second and more: bring it into range. */
function carry(record: CaptureRecord): void {
  const seconds = Math.floor(record.nanoseconds / 1e9);
  record.seconds += seconds;
  record.nanoseconds -= seconds * 1e9;
}

/** How many records in a row must look right before a layout is believed. */
const TRIAL_RECORDS = 4;
/** Seconds from the first to the last of them. */
const TRIAL_SECONDS = 30 * 86_400;
/** Octets to look at for them. */
const TRIAL_OCTETS = 8192;

/**
 * Octets before each frame: those of the magic number, unless the records only make sense with another layout. Patched
 * libpcaps wrote more under the same magic numbers: under the ordinary one 24 (Red Hat 6.1) and 20 (Nokia's firewalls),
 * under Kuznetzov's 28 (SuSE 6.3).
 */
async function recordHeaderLength(chunks: Chunks, little: boolean, limit: number, magic: number): Promise<number> {
  const usual = VARIANTS[magic]!.header;
  const others = magic === 0xa1b2c3d4 ? [24, 20] : magic === 0xa1b2cd34 ? [28] : [];
  if (others.length === 0) return usual;
  const isAll = !(await chunks.more(TRIAL_OCTETS));
  if (isProven(chunks, usual, little, limit, isAll)) return usual;
  return others.find((header) => isProven(chunks, header, little, limit, isAll)) ?? usual;
}

/**
 * Do the records that are held read as records: several in a row, or all up to the very end? Zeros read as anything,
 * so that more than possible values are wanted: octets in every frame, and times that are near each other.
 */
function isProven(chunks: Chunks, header: number, little: boolean, limit: number, isAll: boolean): boolean {
  const { view, end } = chunks;
  let position = chunks.position;
  let records = 0;
  let first = 0;
  while (records < TRIAL_RECORDS && position + header <= end) {
    const seconds = view.getUint32(position, little);
    const captured = view.getUint32(position + 8, little);
    if (captured === 0 || captured > limit || captured > view.getUint32(position + 12, little)) return false;
    if (records === 0) first = seconds;
    if (view.getUint32(position + 4, little) >= 1_000_000 || Math.abs(seconds - first) > TRIAL_SECONDS) return false;
    position += header + captured;
    records++;
  }
  return records === TRIAL_RECORDS || (isAll && records > 1 && position === end);
}
