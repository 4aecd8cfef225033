/**
 * pcapng, the format of Wireshark: blocks that each say their type and length, in sections of either byte order.
 *
 * draft-ietf-opsawg-pcapng. Sections 4.1 (section header), 4.2 (interface), 4.3 (enhanced packet), 4.4 (simple
 * packet), 4.5 (names), 4.6 (statistics), 4.7 (secrets), appendix A (obsolete packet block).
 *
 *     0: type 4 | 4: length 4 | 8: body | length - 4: length again 4
 */
import { NetlensError } from '../core/errors.js';
import type { Chunks } from './chunks.js';
import { pseudoHeaderLength } from './link-types.js';
import { ReaderBase } from './reader.js';
import { type CaptureInterface, type CaptureRecord, type RecordNotes, TIMELESS } from './source.js';

/** Type of the Section Header Block; reads the same in both byte orders. */
export const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE = 1;
const OBSOLETE_PACKET = 2;
const SIMPLE_PACKET = 3;
const NAME_RESOLUTION = 4;
const STATISTICS = 5;
const ENHANCED_PACKET = 6;
const DECRYPTION_SECRETS = 10;
const CUSTOM = 0x0bad;
/** A custom block that is not to be copied into other files. */
const CUSTOM_PRIVATE = 0x40000bad;

const BYTE_ORDER = 0x1a2b3c4d;
const BYTE_ORDER_SWAPPED = 0x4d3c2b1a;

/** Most octets of one block. The largest true ones are packets of 128 MiB (D-Bus, USB) and key logs. */
const MAX_BLOCK = 132 * 1024 * 1024;
/** Most names and secrets that are kept, so that a hostile file cannot fill the memory. */
const MAX_KEPT_ENTRIES = 65_536;
const MAX_KEPT_OCTETS = 16 * 1024 * 1024;
/** Most interfaces of a section: EPBs can number more, true captures have a few. */
const MAX_INTERFACES = 65_536;

const utf8 = new TextDecoder();

/** How an interface counts time: a timestamp is `units` a second, from `offset` seconds on. */
interface Clock {
  readonly units: number;
  /** Nanoseconds in a unit, where that is a whole number; 0 otherwise. */
  readonly nanosecondsPerUnit: number;
  readonly exact: bigint;
  readonly offset: number;
}

/** Where custom blocks come from. */
const NO_PACKET: CaptureInterface = {
  id: undefined,
  linkType: -1,
  snapLength: 0,
  name: undefined,
  description: undefined,
  section: undefined,
  fcsLength: undefined,
};

const MICROSECONDS: Clock = { units: 1e6, nanosecondsPerUnit: 1000, exact: 1_000_000n, offset: 0 };

/**
 * Reads the first section header and makes a reader.
 * @throws NetlensError `unknown-format`
 */
export async function readPcapng(chunks: Chunks, label: string): Promise<ReaderBase> {
  const reader = new PcapngReader(chunks, label);
  if (!(await reader.start())) {
    throw new NetlensError('unknown-format', `${label}: ends within its pcapng section header: ${chunks.end} octets found`, chunks.end);
  }
  return reader;
}

class PcapngReader extends ReaderBase {
  readonly format = 'pcapng';
  private little = true;
  private section = 0;
  private noPacket = NO_PACKET;
  /** Interfaces of this section and their clocks, by number. */
  private sectionInterfaces: CaptureInterface[] = [];
  private clocks: Clock[] = [];
  private blocks = 0;
  private keptOctets = 0;

  /** Reads up to the end of the first section header; false if the source ends before. */
  async start(): Promise<boolean> {
    if (!(await this.chunks.more(28))) return false;
    const view = this.chunks.view;
    const order = view.getUint32(this.chunks.position + 8);
    if (order !== BYTE_ORDER && order !== BYTE_ORDER_SWAPPED) {
      const found = order.toString(16).padStart(8, '0');
      throw new NetlensError('unknown-format', `${this.label}: pcapng byte-order magic 1a2b3c4d expected at octet 8, ${found} found`, 8);
    }
    const little = order === BYTE_ORDER_SWAPPED;
    const version = unknownVersion(view.getUint16(12, little), view.getUint16(14, little));
    if (version) throw new NetlensError('unknown-format', `${this.label}: ${version} at octet 12; only 1.0 is known`, 12);
    const length = view.getUint32(4, little);
    if (length < 28 || length > MAX_BLOCK) {
      throw new NetlensError('unknown-format', `${this.label}: pcapng section header of ${length} octets at octet 4`, 4);
    }
    return true;
  }

  next(record: CaptureRecord): boolean {
    const chunks = this.chunks;
    for (;;) {
      const position = chunks.position;
      if (position + 12 > chunks.end) {
        this.need = 12;
        return false;
      }
      const view = chunks.view;
      const type = view.getUint32(position, this.little);
      if (type === SECTION_HEADER && !this.orderOf(position)) return false;
      const length = view.getUint32(position + 4, this.little);
      // The length counts whole words; some writers leave the padding out of it, so it is rounded up.
      const whole = (length + 3) & ~3;
      const stop = position + whole;
      if (length < 12 || length > MAX_BLOCK) {
        return this.damaged(`${this.what()} at octet ${chunks.offset} claims ${length} octets; 12 to ${MAX_BLOCK} can be true`);
      }
      if (stop > chunks.end) {
        this.need = whole;
        return false;
      }
      const trailer = view.getUint32(stop - 4, this.little);
      if (trailer !== length) {
        return this.damaged(`${this.what()} at octet ${chunks.offset} says ${length} octets at its head and ${trailer} at its end`);
      }
      if (type === ENHANCED_PACKET) {
        if (!this.enhanced(record, position, stop)) return false;
        this.advance(stop);
        return true;
      }
      if (type === OBSOLETE_PACKET || type === SIMPLE_PACKET) {
        if (!(type === SIMPLE_PACKET ? this.simple(record, position, stop) : this.obsolete(record, position, stop))) return false;
        this.advance(stop);
        return true;
      }
      if ((type === CUSTOM || type === CUSTOM_PRIVATE) && stop - position >= 16) {
        this.custom(record, position, stop);
        this.advance(stop);
        return true;
      }
      if (type === SECTION_HEADER && !this.sectionHeader(position)) return false;
      if (type === INTERFACE && !this.interfaceBlock(position, stop)) return false;
      if (type === NAME_RESOLUTION) this.nameBlock(position + 8, stop - 4);
      if (type === STATISTICS) this.statisticsBlock(position, stop);
      if (type === DECRYPTION_SECRETS) this.secretsBlock(position, stop);
      // Every other block is skipped: the format is made so that it can be.
      this.advance(stop);
    }
  }

  protected what(): string {
    return `block ${this.blocks + 1}`;
  }

  private advance(stop: number): void {
    this.chunks.position = stop;
    this.blocks++;
  }

  /** Takes the byte order from a section header; false if it has none. */
  private orderOf(position: number): boolean {
    const order = this.chunks.view.getUint32(position + 8);
    if (order === BYTE_ORDER_SWAPPED) this.little = true;
    else if (order === BYTE_ORDER) this.little = false;
    else return this.damaged(`section header at octet ${this.chunks.offset} has byte-order magic ${order.toString(16).padStart(8, '0')}`);
    return true;
  }

  private sectionHeader(position: number): boolean {
    const { view } = this.chunks;
    const version = unknownVersion(view.getUint16(position + 12, this.little), view.getUint16(position + 14, this.little));
    if (version) return this.damaged(`section header at octet ${this.chunks.offset} has ${version}`);
    this.section++;
    this.noPacket = { ...NO_PACKET, section: this.section };
    this.sectionInterfaces = [];
    this.clocks = [];
    return true;
  }

  private interfaceBlock(position: number, stop: number): boolean {
    const { view, bytes } = this.chunks;
    if (stop - position < 20) return this.damaged(`${this.what()} at octet ${this.chunks.offset}: interface of ${stop - position} octets`);
    if (this.sectionInterfaces.length >= MAX_INTERFACES) return this.damaged(`more than ${MAX_INTERFACES} interfaces in a section`);
    let name: string | undefined;
    let description: string | undefined;
    let fcsLength: number | undefined;
    let resolution = 6;
    let offset = 0;
    this.options(position + 16, stop - 4, (code, start, end) => {
      if (code === 2) name = text(bytes, start, end);
      else if (code === 3) description = text(bytes, start, end);
      else if (code === 9 && end - start >= 1) resolution = bytes[start]!;
      else if (code === 13 && end - start >= 1) fcsLength = bytes[start]!;
      else if (code === 14 && end - start >= 8) offset = Number(view.getBigInt64(start, this.little));
    });
    const linkType = view.getUint16(position + 8, this.little);
    const added: CaptureInterface = {
      id: this.sectionInterfaces.length,
      linkType,
      snapLength: view.getUint32(position + 12, this.little),
      name,
      description,
      section: this.section,
      fcsLength,
      pseudoHeader: pseudoHeaderLength(linkType),
    };
    this.sectionInterfaces.push(added);
    this.clocks.push(clockOf(resolution, offset));
    this.interfaces.push(added);
    return true;
  }

  /** 8: interface 4 | 12: time high 4 | 16: time low 4 | 20: captured 4 | 24: wire 4 | 28: octets, padding, options */
  private enhanced(record: CaptureRecord, position: number, stop: number): boolean {
    return this.packet(record, position, stop, this.chunks.view.getUint32(position + 8, this.little));
  }

  /** 8: interface 2 | 10: drops 2 | the rest as in an enhanced one */
  private obsolete(record: CaptureRecord, position: number, stop: number): boolean {
    const { view } = this.chunks;
    if (!this.packet(record, position, stop, view.getUint16(position + 8, this.little))) return false;
    const drops = view.getUint16(position + 10, this.little);
    // 0xffff: not known.
    if (drops !== 0 && drops !== 0xffff) record.notes = { ...record.notes, dropCount: BigInt(drops) };
    return true;
  }

  /** What blocks of packets with a time have in common, from octet 12 on. */
  private packet(record: CaptureRecord, position: number, stop: number, id: number): boolean {
    const { view, bytes } = this.chunks;
    const little = this.little;
    if (stop - position < 32)
      return this.damaged(`${this.what()} at octet ${this.chunks.offset}: packet block of ${stop - position} octets`);
    const captured = view.getUint32(position + 20, little);
    const start = position + 28;
    const end = start + captured;
    if (end > stop - 4) return this.lyingPacket(captured);
    const itself = this.sectionInterfaces[id];
    if (itself === undefined) return this.unknownInterface(id);
    setTime(record, view.getUint32(position + 12, little), view.getUint32(position + 16, little), this.clocks[id]!);
    record.bytes = bytes;
    record.start = start;
    record.captured = end;
    record.wireLength = view.getUint32(position + 24, little);
    record.interface = itself;
    const options = start + ((captured + 3) & ~3);
    record.notes = options + 4 <= stop - 4 ? this.notes(options, stop - 4) : undefined;
    return true;
  }

  /** 8: wire 4 | 12: octets. No time, no interface: the first of the section. */
  private simple(record: CaptureRecord, position: number, stop: number): boolean {
    const { view, bytes } = this.chunks;
    const itself = this.sectionInterfaces[0];
    if (itself === undefined) return this.unknownInterface(0);
    if (stop - position < 16)
      return this.damaged(`${this.what()} at octet ${this.chunks.offset}: packet block of ${stop - position} octets`);
    const wire = view.getUint32(position + 8, this.little);
    const captured = itself.snapLength === 0 ? wire : Math.min(wire, itself.snapLength);
    if (position + 12 + captured > stop - 4) return this.lyingPacket(captured);
    record.bytes = bytes;
    record.start = position + 12;
    record.captured = position + 12 + captured;
    record.wireLength = wire;
    withoutTime(record);
    record.interface = itself;
    return true;
  }

  /** 8: enterprise number 4 | 12: whatever the enterprise likes. A record of its own, as in Wireshark, that is no packet. */
  private custom(record: CaptureRecord, position: number, stop: number): void {
    record.bytes = this.chunks.bytes;
    record.start = position + 12;
    record.captured = stop - 4;
    record.wireLength = record.captured - record.start;
    // The seconds stay those of the record before: what is no packet does not stand between two that are.
    record.hasTime = false;
    record.notes = TIMELESS;
    record.interface = this.noPacket;
  }

  private lyingPacket(captured: number): false {
    return this.damaged(`${this.what()} at octet ${this.chunks.offset} claims a packet of ${captured} octets, more than the block holds`);
  }

  private unknownInterface(id: number): false {
    const count = this.sectionInterfaces.length;
    return this.damaged(`${this.what()} at octet ${this.chunks.offset} names interface ${id}; the section has ${count}`);
  }

  private notes(start: number, end: number): Notes | undefined {
    const { view, bytes } = this.chunks;
    const little = this.little;
    let notes: Notes | undefined;
    this.options(start, end, (code, from, to) => {
      const length = to - from;
      if (code === 1) {
        notes ??= {};
        notes.comments = [...(notes.comments ?? []), text(bytes, from, to)];
      } else if (code === 2 && length >= 4) (notes ??= {}).flags = view.getUint32(from, little);
      else if (code === 4 && length >= 8) (notes ??= {}).dropCount = view.getBigUint64(from, little);
      else if (code === 5 && length >= 8) (notes ??= {}).packetId = view.getBigUint64(from, little);
      else if (code === 6 && length >= 4) (notes ??= {}).queue = view.getUint32(from, little);
    });
    return notes;
  }

  /** Calls `each` for every option; each takes four octets at least, so that the walk ends. */
  private options(start: number, end: number, each: (code: number, start: number, end: number) => void): void {
    const { view } = this.chunks;
    let position = start;
    while (position + 4 <= end) {
      const code = view.getUint16(position, this.little);
      const stop = position + 4 + view.getUint16(position + 2, this.little);
      if (code === 0 || stop > end) return;
      each(code, position + 4, stop);
      position = (stop + 3 - start) & ~3;
      position += start;
    }
  }

  /** Records of type 2, length 2, value, padded; type 0 ends them. */
  private nameBlock(start: number, end: number): void {
    const { view, bytes } = this.chunks;
    let position = start;
    while (position + 4 <= end && this.names.length < MAX_KEPT_ENTRIES) {
      const type = view.getUint16(position, this.little);
      const length = view.getUint16(position + 2, this.little);
      const value = position + 4;
      if (type === 0 || value + length > end) return;
      const size = ADDRESS_LENGTHS[type];
      if (size !== undefined && length > size) {
        const address = addressText(bytes.subarray(value, value + size));
        const names = utf8
          .decode(bytes.subarray(value + size, value + length))
          .split('\0')
          .filter((name) => name !== '');
        if (names.length > 0) this.names.push({ address, names });
      }
      position = value + ((length + 3) & ~3);
    }
  }

  /** 8: interface 4 | 12: time 8 | 20: options */
  private statisticsBlock(position: number, stop: number): void {
    const { view } = this.chunks;
    if (stop - position < 24 || this.statistics.length >= MAX_KEPT_ENTRIES) return;
    const itself = this.sectionInterfaces[view.getUint32(position + 8, this.little)];
    if (itself === undefined) return;
    const counters = new Map<number, bigint>();
    this.options(position + 20, stop - 4, (code, start, end) => {
      if (end - start >= 8) counters.set(code, view.getBigUint64(start, this.little));
    });
    this.statistics.push({
      interface: itself,
      received: counters.get(4),
      dropped: counters.get(5),
      accepted: counters.get(6),
      droppedBySystem: counters.get(7),
    });
  }

  /** 8: type 4 | 12: length 4 | 16: octets */
  private secretsBlock(position: number, stop: number): void {
    const { view, bytes } = this.chunks;
    if (stop - position < 20) return;
    const length = Math.min(view.getUint32(position + 12, this.little), stop - 4 - (position + 16));
    if (this.keptOctets + length > MAX_KEPT_OCTETS) return;
    this.keptOctets += length;
    this.secrets.push({ type: view.getUint32(position + 8, this.little), data: bytes.slice(position + 16, position + 16 + length) });
  }
}

/** {@link RecordNotes} while they are put together. */
type Notes = { -readonly [Key in keyof RecordNotes]: RecordNotes[Key] };

/** 1.2 was written by mistake and means 1.0. */
function unknownVersion(major: number, minor: number): string | undefined {
  return major === 1 && (minor === 0 || minor === 2) ? undefined : `pcapng version ${major}.${minor}`;
}

/** if_tsresol: the top bit chooses powers of 2 over powers of 10; the rest is the negative exponent. */
function clockOf(resolution: number, offset: number): Clock {
  const exponent = resolution & 0x7f;
  const exact = resolution & 0x80 ? 2n ** BigInt(exponent) : 10n ** BigInt(exponent);
  const units = Number(exact);
  if (units === 1e6 && offset === 0) return MICROSECONDS;
  const nanosecondsPerUnit = exact <= 1_000_000_000n && 1_000_000_000n % exact === 0n ? 1e9 / units : 0;
  return { units, nanosecondsPerUnit, exact, offset };
}

function withoutTime(record: CaptureRecord): void {
  record.seconds = 0;
  record.nanoseconds = 0;
  record.hasTime = false;
  record.notes = TIMELESS;
}

/** Splits a 64-bit count of units into seconds and nanoseconds, exactly. */
function setTime(record: CaptureRecord, high: number, low: number, clock: Clock): void {
  const { units, nanosecondsPerUnit } = clock;
  record.hasTime = true;
  if (nanosecondsPerUnit === 0) {
    const count = (BigInt(high) << 32n) | BigInt(low);
    record.seconds = Number(count / clock.exact) + clock.offset;
    record.nanoseconds = Number(((count % clock.exact) * 1_000_000_000n) / clock.exact);
    return;
  }
  // Long division with digits of 16 bits: units is at most 10^9, so every step stays below 2^53.
  const seconds2 = Math.floor(high / units);
  const middle = (high - seconds2 * units) * 65536 + (low >>> 16);
  const seconds1 = Math.floor(middle / units);
  const last = (middle - seconds1 * units) * 65536 + (low & 0xffff);
  const seconds0 = Math.floor(last / units);
  const seconds = seconds2 * 4294967296 + seconds1 * 65536 + seconds0 + clock.offset;
  // What comes of a division the engine keeps in a box, as it would in all that is made of the record, unless told that it is small.
  const small = seconds | 0;
  record.seconds = small === seconds ? small : seconds;
  record.nanoseconds = ((last - seconds0 * units) * nanosecondsPerUnit) | 0;
}

/** Octets of the address in a name record, by its type: IPv4, IPv6, EUI-48, EUI-64. */
const ADDRESS_LENGTHS: Readonly<Record<number, number>> = { 1: 4, 2: 16, 3: 6, 4: 8 };

function addressText(address: Uint8Array): string {
  if (address.length === 4) return address.join('.');
  const hex = Array.from(address, (octet) => octet.toString(16).padStart(2, '0'));
  if (address.length !== 16) return hex.join(':');
  return Array.from({ length: 8 }, (_, group) => hex[group * 2]! + hex[group * 2 + 1]!).join(':');
}

/** Text of an option; some writers end it with a zero octet although its length is known. */
function text(bytes: Uint8Array, start: number, end: number): string {
  let stop = end;
  while (stop > start && bytes[stop - 1] === 0) stop--;
  return utf8.decode(bytes.subarray(start, stop));
}
