/**
 * Writes captures: pcapng (draft-ietf-opsawg-pcapng) with everything that a record says, or pcap (draft-ietf-opsawg-pcap).
 *
 *     const writer = await openWriter('out.pcapng');
 *     do {
 *       while (reader.next(record)) writer.write(record);
 *       await writer.drain();
 *     } while (await reader.fill());
 *     await writer.close();
 */
import {
  close as closeDescriptor,
  constants,
  fstat,
  ftruncate,
  open as openDescriptor,
  type Stats,
  stat as statPath,
  write as writeDescriptor,
  writeSync as writeNow,
} from 'node:fs';
import { isatty } from 'node:tty';
import { promisify } from 'node:util';
import { NetlensError } from '../core/errors.js';
import { printable, systemReason } from './octets.js';
import {
  type CaptureInterface,
  type CaptureReader,
  type CaptureRecord,
  type InterfaceStatistics,
  type NameRecord,
  type RecordNotes,
  type Secrets,
  TIMELESS,
} from './source.js';

const open = promisify(openDescriptor);
const statOpen = promisify(fstat) as (descriptor: number) => Promise<Stats>;
const stat = promisify(statPath) as (path: string) => Promise<Stats>;
const truncate = promisify(ftruncate);
const closeFile = promisify(closeDescriptor);
const writeFile = promisify(writeDescriptor) as (
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
) => Promise<{ bytesWritten: number }>;

/** Octets that are put together before they are handed to the system. */
const BUFFER = 1024 * 1024;
/**
 * Buffers that may wait to be written while more is read. A disk that pauses for a tenth of a second must not make a
 * live capture drop frames; memory is taken only while it does.
 */
const MOST_WAITING = 48;
/** Buffers kept for reuse. */
const MOST_FREE = 6;
/** Nobody else needs to read what was overheard. */
const MODE = 0o600;

/** How a capture is written. */
export interface WriteOptions {
  /** `pcap` or `pcapng`; without it the suffix decides: `.pcap` and `.cap` are pcap, anything else pcapng. */
  readonly format?: 'pcap' | 'pcapng';
  /** Whether a pcap counts nanoseconds (the default) or microseconds, which very old programs need. pcapng always counts nanoseconds. */
  readonly resolution?: 'nanoseconds' | 'microseconds';
  /** The program to name in a pcapng, e.g. `netlens 1.0.0`. */
  readonly application?: string;
  /** Captures that are being read: to write over one of them is refused. */
  readonly inputs?: readonly string[];
  /**
   * Write in place instead of on another thread, which costs less where the records come from a file: then nothing is
   * lost while a disk pauses. Pipes are written off the main thread all the same. Default false.
   */
  readonly inPlace?: boolean;
}

/** Takes records; see the head of this file for how it is used. */
export interface CaptureWriter {
  readonly format: 'pcap' | 'pcapng';
  /** Records written so far. */
  readonly count: number;
  /** Copies the record into the buffer. @throws NetlensError `usage` if a pcap would need a second link type */
  write(record: CaptureRecord): void;
  /**
   * Hands what was written to the system, and waits while much is still on its way; to be called once a chunk.
   * @throws NetlensError for what went wrong since the last call; EPIPE as it came
   */
  drain(): Promise<void>;
  /** Names the reader that the records come from: a pcapng keeps its names and secrets, before the packets that follow them, and at the end its counters. */
  keep(reader: CaptureReader): void;
  /** Writes the rest and closes the file. @throws as {@link drain} */
  close(): Promise<void>;
}

/**
 * Opens a capture for writing; `-` is standard output. A new file can be read by its owner only. Whole blocks are
 * written at a time, so that a program that is killed leaves a file that ends between two records.
 * @throws NetlensError `usage` if it is one of the inputs, `unreadable` if it cannot be opened
 * @example
 * const writer = await openWriter('out.pcap');
 */
export async function openWriter(path: string, options: WriteOptions = {}): Promise<CaptureWriter> {
  const label = path === '-' ? 'standard output' : printable(path);
  const format = options.format ?? (/\.p?cap$/i.test(path) ? 'pcap' : 'pcapng');
  const descriptor = path === '-' ? 1 : await openFile(path, label, options.inputs ?? []);
  const sink = new Sink(descriptor, label, (options.inPlace ?? false) && (await isPatient(descriptor)));
  if (format === 'pcap') return new PcapWriter(sink, options.resolution ?? 'nanoseconds');
  return new PcapngWriter(sink, options.application);
}

async function openFile(path: string, label: string, inputs: readonly string[]): Promise<number> {
  try {
    // Emptied only once it is known to be no input: O_TRUNC would come too soon.
    const descriptor = await open(path, constants.O_WRONLY | constants.O_CREAT, MODE);
    const own = await statOpen(descriptor);
    if (!own.isFile()) return descriptor;
    for (const input of inputs) {
      const other = input === '-' ? await statOpen(0) : await stat(input).catch(() => undefined);
      if (other?.isFile() && other.dev === own.dev && other.ino === own.ino) {
        await closeFile(descriptor);
        throw new NetlensError('usage', `${label}: is being read; write to another file`);
      }
    }
    await truncate(descriptor, 0);
    return descriptor;
  } catch (error) {
    throw cannotWrite(label, error);
  }
}

/** True for what takes octets at once, as files do and /dev/null. */
async function isPatient(descriptor: number): Promise<boolean> {
  const status = await statOpen(descriptor);
  return status.isFile() || (status.isCharacterDevice() && !isatty(descriptor));
}

function cannotWrite(label: string, error: unknown): unknown {
  if (error instanceof NetlensError) return error;
  // A reader that went away is no error of ours: whoever runs the loop ends quietly.
  if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return error;
  const reason = error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'no such folder' : systemReason(error);
  return new NetlensError('unreadable', `${label}: cannot be written: ${reason}`);
}

/** Octets on their way to a file: filled here, written off the main thread, in order. */
class Sink {
  bytes: Uint8Array = new Uint8Array(BUFFER);
  view = new DataView(this.bytes.buffer);
  length = 0;
  /** Buffers that are full and not yet taken. */
  private waiting: { readonly bytes: Uint8Array; readonly length: number }[] = [];
  private free: Uint8Array[] = [];
  private running: Promise<void> | undefined;
  private taken: (() => void) | undefined;
  private failure: unknown;

  constructor(
    private readonly descriptor: number,
    private readonly label: string,
    private readonly inPlace: boolean,
  ) {}

  /** Makes room for `count` octets; returns where they go. The caller has filled them when it comes again. */
  take(count: number): number {
    if (this.length + count > this.bytes.length) this.turn(count);
    const at = this.length;
    this.length += count;
    return at;
  }

  /** Puts the buffer behind those that wait, and goes on with another. */
  private turn(room: number): void {
    if (this.inPlace) {
      this.writeHere();
      if (room <= this.bytes.length) return;
    }
    if (this.length > 0) this.waiting.push({ bytes: this.bytes, length: this.length });
    const bytes = (room <= BUFFER ? this.free.pop() : undefined) ?? new Uint8Array(Math.max(BUFFER, room));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
    this.length = 0;
    this.running ??= this.run();
  }

  private writeHere(): void {
    try {
      for (let done = 0; done < this.length && this.failure === undefined; )
        done += writeNow(this.descriptor, this.bytes, done, this.length - done);
    } catch (error) {
      this.failure = cannotWrite(this.label, error);
    }
    this.length = 0;
  }

  /** Writes what waits until nothing does. */
  private async run(): Promise<void> {
    // After the caller's own loop, so that a failure is thrown where somebody waits.
    await Promise.resolve();
    try {
      for (;;) {
        const next = this.waiting.shift();
        if (next === undefined) break;
        let done = 0;
        while (done < next.length) {
          try {
            done += (await writeFile(this.descriptor, next.bytes, done, next.length - done)).bytesWritten;
          } catch (error) {
            if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
            await new Promise((resolve) => setTimeout(resolve, 1)); // somebody made the pipe non-blocking
          }
        }
        this.taken?.();
        if (next.bytes.length === BUFFER && this.free.length < MOST_FREE) this.free.push(next.bytes);
      }
    } catch (error) {
      this.failure = cannotWrite(this.label, error);
      this.waiting = [];
    }
    this.running = undefined;
    this.taken?.();
  }

  async drain(): Promise<void> {
    if (this.length > 0) this.turn(0);
    while (this.running && this.waiting.length > MOST_WAITING) {
      await new Promise<void>((resolve) => {
        this.taken = resolve;
      });
    }
    if (this.failure !== undefined) throw this.failure;
  }

  async close(): Promise<void> {
    try {
      await this.drain();
      await this.running;
      if (this.failure !== undefined) throw this.failure;
    } finally {
      if (this.descriptor > 2) await closeFile(this.descriptor);
    }
  }
}

/** Most octets kept of a frame, as tcpdump states it. */
const SNAP_LENGTH = 262_144;

class PcapWriter implements CaptureWriter {
  readonly format = 'pcap';
  count = 0;
  private first: CaptureInterface | undefined;
  private readonly unit: number;
  private readonly copier = new Copier();

  constructor(
    private readonly sink: Sink,
    resolution: 'nanoseconds' | 'microseconds',
  ) {
    this.unit = resolution === 'nanoseconds' ? 1 : 1000;
  }

  write(record: CaptureRecord): void {
    if (record.interface !== this.first && !this.accept(record.interface)) return;
    const captured = record.captured - record.start;
    const { sink } = this;
    const at = sink.take(16 + captured);
    const { view } = sink;
    view.setUint32(at, record.seconds, true);
    view.setUint32(at + 4, this.unit === 1 ? record.nanoseconds : Math.floor(record.nanoseconds / 1000), true);
    view.setUint32(at + 8, captured, true);
    view.setUint32(at + 12, record.wireLength, true);
    this.copier.copy(record.bytes, record.start, record.captured, sink, at + 16);
    this.count++;
  }

  /** Takes the first interface for the file header, and others of the same link type; false for what is no packet. */
  private accept(added: CaptureInterface): boolean {
    if (added.linkType < 0) return false;
    if (this.first === undefined) {
      this.first = added;
      this.header(added);
    } else if (added.linkType !== this.first.linkType) {
      const types = `${this.first.linkType} and ${added.linkType}`;
      throw new NetlensError('usage', `a pcap holds one link type, and here are ${types}: write a pcapng (a name that ends in .pcapng)`);
    }
    return true;
  }

  private header(itself: CaptureInterface | undefined): void {
    const at = this.sink.take(24);
    const { view } = this.sink;
    const fcs = itself?.fcsLength;
    const fcsBits = fcs === undefined || fcs % 2 !== 0 || fcs > 30 ? 0 : ((fcs / 2) << 28) | 0x04000000;
    view.setUint32(at, this.unit === 1 ? 0xa1b23c4d : 0xa1b2c3d4, true);
    view.setUint16(at + 4, 2, true);
    view.setUint16(at + 6, 4, true);
    view.setUint32(at + 8, 0, true);
    view.setUint32(at + 12, 0, true);
    view.setUint32(at + 16, itself?.snapLength || SNAP_LENGTH, true);
    view.setUint32(at + 20, (itself?.linkType ?? 1) | fcsBits, true);
  }

  drain(): Promise<void> {
    return this.sink.drain();
  }

  keep(): void {
    // A pcap has no place for more than packets.
  }

  close(): Promise<void> {
    // A capture of nothing is a capture too; without a packet the link type is a guess.
    if (this.first === undefined) this.header(undefined);
    return this.sink.close();
  }
}

const utf8 = new TextEncoder();

class PcapngWriter implements CaptureWriter {
  readonly format = 'pcapng';
  count = 0;
  private readonly copier = new Copier();
  private readonly numbers = new Map<CaptureInterface, number>();
  private last: CaptureInterface | undefined;
  private lastNumber = 0;
  /** Time of the last record: the counters at the end are as of then. */
  private seconds = 0;
  private nanoseconds = 0;
  private from: CaptureReader | undefined;
  private secretsWritten = 0;
  private namesWritten = 0;

  constructor(
    private readonly sink: Sink,
    application: string | undefined,
  ) {
    const options = new Options();
    if (application) options.text(4, application);
    const body = new Uint8Array(16 + options.length);
    const view = new DataView(body.buffer);
    view.setUint32(0, 0x1a2b3c4d, true);
    view.setUint16(4, 1, true);
    view.setUint16(6, 0, true);
    view.setBigInt64(8, -1n, true); // the length of the section is not stated: it may go on
    options.copyTo(body, 16);
    this.block(0x0a0d0d0a, body);
  }

  write(record: CaptureRecord): void {
    const itself = record.interface;
    const { from } = this;
    if (from && (from.secrets.length > this.secretsWritten || from.names.length > this.namesWritten)) this.carry(from);
    if (itself !== this.last) {
      if (itself.linkType < 0) return; // no packet, and whether it may be copied only its maker knows
      this.lastNumber = this.numbers.get(itself) ?? this.describe(itself);
      this.last = itself;
    }
    if (!record.hasTime && this.writeSimple(record)) return;
    const options = hasNotes(record) ? noteOptions(record.notes!) : undefined;
    const captured = record.captured - record.start;
    const padded = (captured + 3) & ~3;
    const total = 32 + padded + (options?.length ?? 0);
    const { sink } = this;
    const at = sink.take(total);
    const { view, bytes } = sink;
    view.setUint32(at, 6, true);
    view.setUint32(at + 4, total, true);
    view.setUint32(at + 8, this.lastNumber, true);
    setNanoseconds(view, at + 12, (this.seconds = record.seconds), (this.nanoseconds = record.nanoseconds));
    view.setUint32(at + 20, captured, true);
    view.setUint32(at + 24, record.wireLength, true);
    this.copier.copy(record.bytes, record.start, record.captured, sink, at + 28);
    for (let index = at + 28 + captured; index < at + 28 + padded; index++) bytes[index] = 0;
    if (options) options.copyTo(bytes, at + 28 + padded);
    view.setUint32(at + total - 4, total, true);
    this.count++;
  }

  /** A Simple Packet Block, the only one without a time; false where it cannot say what the record says. */
  private writeSimple(record: CaptureRecord): boolean {
    const { snapLength } = record.interface;
    const captured = record.captured - record.start;
    const implied = snapLength === 0 ? record.wireLength : Math.min(record.wireLength, snapLength);
    if (this.lastNumber !== 0 || captured !== implied || hasNotes(record)) return false;
    const body = new Uint8Array(4 + captured);
    new DataView(body.buffer).setUint32(0, record.wireLength, true);
    body.set(record.bytes.subarray(record.start, record.captured), 4);
    this.block(3, body);
    this.count++;
    return true;
  }

  drain(): Promise<void> {
    return this.sink.drain();
  }

  close(): Promise<void> {
    if (this.from) {
      this.carry(this.from);
      for (const statistics of this.from.statistics) this.writeStatistics(statistics);
    }
    return this.sink.close();
  }

  keep(reader: CaptureReader): void {
    this.from = reader;
    this.secretsWritten = this.namesWritten = 0;
  }

  /** Writes names and secrets that came since the last record. */
  private carry(from: CaptureReader): void {
    for (; this.secretsWritten < from.secrets.length; this.secretsWritten++) this.writeSecrets(from.secrets[this.secretsWritten]!);
    this.writeNames(from.names.slice(this.namesWritten));
    this.namesWritten = from.names.length;
  }

  private writeSecrets(secrets: Secrets): void {
    const body = new Uint8Array(8 + secrets.data.length);
    const view = new DataView(body.buffer);
    view.setUint32(0, secrets.type, true);
    view.setUint32(4, secrets.data.length, true);
    body.set(secrets.data, 8);
    this.block(10, body);
  }

  private writeNames(names: readonly NameRecord[]): void {
    const records = new Options();
    for (const { address, names: called } of names) {
      const octets = addressOctets(address);
      const type = NAME_TYPES[octets.length];
      if (type === undefined) continue;
      const text = utf8.encode(called.map((name) => `${name}\0`).join(''));
      if (octets.length + text.length > 0xffff) continue;
      const value = new Uint8Array(octets.length + text.length);
      value.set(octets);
      value.set(text, octets.length);
      records.octets(type, value);
    }
    if (records.length === 0) return;
    const body = new Uint8Array(records.length);
    records.copyTo(body, 0);
    this.block(4, body);
  }

  private writeStatistics(statistics: InterfaceStatistics): void {
    const number = this.numbers.get(statistics.interface) ?? this.describe(statistics.interface);
    const options = new Options();
    const counters = [statistics.received, statistics.dropped, statistics.accepted, statistics.droppedBySystem];
    counters.forEach((value, index) => {
      if (value !== undefined) options.wide(4 + index, value);
    });
    const body = new Uint8Array(12 + options.length);
    const view = new DataView(body.buffer);
    view.setUint32(0, number, true);
    setNanoseconds(view, 4, this.seconds, this.nanoseconds);
    options.copyTo(body, 12);
    this.block(5, body);
  }

  /** Writes an Interface Description Block; returns the number that packets refer to. */
  private describe(added: CaptureInterface): number {
    const options = new Options();
    if (added.name !== undefined) options.text(2, added.name);
    if (added.description !== undefined) options.text(3, added.description);
    options.octets(9, Uint8Array.of(9)); // if_tsresol: nanoseconds
    if (added.fcsLength !== undefined) options.octets(13, Uint8Array.of(added.fcsLength));
    const body = new Uint8Array(8 + options.length);
    const view = new DataView(body.buffer);
    view.setUint16(0, added.linkType, true);
    view.setUint32(4, added.snapLength, true);
    options.copyTo(body, 8);
    this.block(1, body);
    const number = this.numbers.size;
    this.numbers.set(added, number);
    return number;
  }

  private block(type: number, body: Uint8Array): void {
    const padded = (body.length + 3) & ~3;
    const total = 12 + padded;
    const at = this.sink.take(total);
    const { view, bytes } = this.sink;
    view.setUint32(at, type, true);
    view.setUint32(at + 4, total, true);
    bytes.set(body, at + 8);
    bytes.fill(0, at + 8 + body.length, at + 8 + padded);
    view.setUint32(at + total - 4, total, true);
  }
}

/** Nanoseconds since 1970 as two words, high first. In halves of 16 bits: the product is above 2^53. */
function setNanoseconds(view: DataView, at: number, seconds: number, nanoseconds: number): void {
  const low = (seconds % 65536) * 1e9 + nanoseconds;
  const high = Math.floor(seconds / 65536) * 1e9 + Math.floor(low / 65536);
  view.setUint32(at, Math.floor(high / 65536), true);
  view.setUint32(at + 4, (high % 65536) * 65536 + (low % 65536), true);
}

/** From so many octets on the system's own copying beats a loop. */
const LONG = 256;

/** Copies frames out of chunks, four octets at a time: short ones, which are most, cost a fifth of what a call or octets would. */
class Copier {
  private from: DataView = new DataView(new ArrayBuffer(0));
  private bytes: Uint8Array | undefined;

  copy(bytes: Uint8Array, start: number, end: number, sink: Sink, at: number): void {
    if (end - start >= LONG) {
      sink.bytes.set(bytes.subarray(start, end), at);
      return;
    }
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.from = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    const { from } = this;
    const { view, bytes: into } = sink;
    let index = start;
    let target = at;
    for (; index + 16 <= end; index += 16, target += 16) {
      view.setUint32(target, from.getUint32(index, true), true);
      view.setUint32(target + 4, from.getUint32(index + 4, true), true);
      view.setUint32(target + 8, from.getUint32(index + 8, true), true);
      view.setUint32(target + 12, from.getUint32(index + 12, true), true);
    }
    for (; index < end; index++, target++) into[target] = bytes[index]!;
  }
}

/** Options or name records of a block, put together: type 2, length 2, value, padding; a zero word ends them. */
class Options {
  private readonly parts: { readonly code: number; readonly value: Uint8Array }[] = [];
  private size = 0;

  /** Octets of all, the end included; 0 if there are none. */
  get length(): number {
    return this.size === 0 ? 0 : this.size + 4;
  }

  octets(code: number, value: Uint8Array): void {
    const kept = value.length > 0xffff ? value.subarray(0, 0xffff) : value;
    this.parts.push({ code, value: kept });
    this.size += 4 + ((kept.length + 3) & ~3);
  }

  text(code: number, value: string): void {
    this.octets(code, utf8.encode(value));
  }

  word(code: number, value: number): void {
    const octets = new Uint8Array(4);
    new DataView(octets.buffer).setUint32(0, value, true);
    this.octets(code, octets);
  }

  wide(code: number, value: bigint): void {
    const octets = new Uint8Array(8);
    new DataView(octets.buffer).setBigUint64(0, value, true);
    this.octets(code, octets);
  }

  copyTo(bytes: Uint8Array, at: number): void {
    if (this.size === 0) return;
    bytes.fill(0, at, at + this.length);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    let position = at;
    for (const { code, value } of this.parts) {
      view.setUint16(position, code, true);
      view.setUint16(position + 2, value.length, true);
      bytes.set(value, position + 4);
      position += 4 + ((value.length + 3) & ~3);
    }
  }
}

/** Notes with anything in them to be written. */
const hasNotes = ({ notes }: CaptureRecord): boolean => notes !== undefined && notes !== TIMELESS;

function noteOptions(notes: RecordNotes): Options {
  const options = new Options();
  for (const comment of notes.comments ?? []) options.text(1, comment);
  if (notes.flags !== undefined) options.word(2, notes.flags);
  if (notes.dropCount !== undefined) options.wide(4, notes.dropCount);
  if (notes.packetId !== undefined) options.wide(5, notes.packetId);
  if (notes.queue !== undefined) options.word(6, notes.queue);
  return options;
}

/** Type of a name record by the octets of its address: IPv4, IPv6, EUI-48, EUI-64. */
const NAME_TYPES: Readonly<Record<number, number>> = { 4: 1, 16: 2, 6: 3, 8: 4 };

/** The octets of an address as {@link NameRecord} writes it. */
function addressOctets(address: string): Uint8Array {
  if (address.includes('.')) return Uint8Array.from(address.split('.'), Number);
  const hex = address.replaceAll(':', '');
  return Uint8Array.from({ length: hex.length / 2 }, (_, index) => Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16));
}
