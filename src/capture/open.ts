/** Opens captures: what a source holds is found from its first octets, never from its name. */
import { NetlensError } from '../core/errors.js';
import { CHUNK, Chunks } from './chunks.js';
import { decompressed } from './compressed.js';
import { type OctetSource, openOctets, printable } from './octets.js';
import { isPcapMagic, readPcap } from './pcap.js';
import { readPcapng, SECTION_HEADER } from './pcapng.js';
import type { ReaderBase } from './reader.js';
import { isSnoop, readSnoop } from './snoop.js';
import type { CaptureInterface, CaptureProblem, CaptureReader, CaptureRecord, InterfaceStatistics, NameRecord, Secrets } from './source.js';

/** Octets held while the format is found out, and of compressed input. */
const SNIFF = 64 * 1024;
/** Octets of a file to hold at a time: what was just read is still in the processor's cache when it is looked at. */
export const FILE_CHUNK = 256 * 1024;
/** Octets that tell every format. */
const MAGIC = 12;

/**
 * Opens a capture for reading: pcap, pcapng or snoop, as it is or compressed with gzip, zstd or lz4. `-` is standard input.
 * @throws NetlensError `unreadable` when there is no such file or it may not be read, `unknown-format` when it is not a capture
 * @example
 * const reader = await openCapture('fixtures/ping.pcap');
 */
export function openCapture(path: string): Promise<CaptureReader> {
  return open(path);
}

async function open(path: string): Promise<ReaderBase> {
  const label = path === '-' ? 'standard input' : printable(path);
  const { source, size } = await openOctets(path, label);
  try {
    return await identify(source, size, label);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Reads captures one after another as if they were one. Opens each when the one before has ended; the first at once. */
export async function openCaptures(paths: readonly string[]): Promise<CaptureReader> {
  const [first, ...rest] = paths;
  if (first === undefined) throw new NetlensError('usage', 'no capture to read');
  const reader = await open(first);
  return rest.length === 0 ? reader : new ChainedReader(reader, rest);
}

async function identify(source: OctetSource, size: number | undefined, label: string): Promise<ReaderBase> {
  const capacity = size === undefined ? CHUNK : Math.min(FILE_CHUNK, Math.max(SNIFF, size + 1));
  let chunks = new Chunks(source, SNIFF);
  await chunks.more(MAGIC);
  const inner = decompressed(chunks);
  if (inner === undefined) chunks.resize(capacity);
  else {
    chunks = new Chunks(inner.source, CHUNK);
    await chunks.more(MAGIC);
  }
  const problem = chunks.source.problem;
  const held = chunks.end;
  if (held === 0 && problem) throw new NetlensError('unreadable', `${label}: ${problem.message}`, 0);
  if (held === 0) throw new NetlensError('unknown-format', `${label}: is empty${inner ? ` inside ${inner.name}` : ''}`, 0);
  const whole = size !== undefined;
  if (held >= 4) {
    const magic = chunks.view.getUint32(0);
    if (isPcapMagic(magic)) return readPcap(chunks, label, whole);
    if (magic === SECTION_HEADER) return readPcapng(chunks, label);
    if (held >= 8 && isSnoop(chunks.view)) return readSnoop(chunks, label);
  }
  throw new NetlensError(
    'unknown-format',
    `${label}: not a capture: pcap, pcapng or snoop expected at octet 0, found ${found(chunks, inner?.name)}`,
    0,
  );
}

/** The first octets as hex and, where they are text, as text. */
function found(chunks: Chunks, container: string | undefined): string {
  const first = chunks.bytes.subarray(0, Math.min(4, chunks.end));
  const hex = Array.from(first, (octet) => octet.toString(16).padStart(2, '0')).join(' ');
  const isText = first.every((octet) => octet >= 0x20 && octet < 0x7f);
  const text = isText ? ` ("${String.fromCharCode(...first)}")` : '';
  return `${hex}${text}${container ? ` inside ${container}` : ''}`;
}

/** Several readers, one after another. */
class ChainedReader implements CaptureReader {
  private isClosed = false;
  private octets: Uint8Array | undefined = undefined;

  constructor(
    private current: ReaderBase,
    private readonly waiting: string[],
  ) {}

  next(record: CaptureRecord): boolean {
    return this.current.next(record);
  }

  async fill(): Promise<boolean> {
    if (this.isClosed) return false;
    if (await this.current.fill()) return true;
    const path = this.waiting.shift();
    if (path === undefined) return false;
    await this.current.close();
    const following = await open(path);
    following.follow(this.current);
    if (this.octets !== undefined) following.holdIn(this.octets);
    this.current = following;
    return true;
  }

  holdIn(octets: Uint8Array): void {
    this.octets = octets;
    this.current.holdIn(octets);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.current.close();
  }

  get format(): string {
    return this.current.format;
  }

  get problems(): readonly CaptureProblem[] {
    return this.current.problems;
  }

  get interfaces(): readonly CaptureInterface[] {
    return this.current.interfaces;
  }

  get secrets(): readonly Secrets[] {
    return this.current.secrets;
  }

  get names(): readonly NameRecord[] {
    return this.current.names;
  }

  get statistics(): readonly InterfaceStatistics[] {
    return this.current.statistics;
  }
}
