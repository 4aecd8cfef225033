/**
 * Capturing through the npm package `cap`, an optional dependency: where libpcap cannot be called directly.
 *
 * It gives neither times nor lengths on the wire nor counters: frames are stamped when they are delivered.
 */
import { createRequire } from 'node:module';
import { NetlensError } from '../core/errors.js';
import { CHUNK, Chunks } from './chunks.js';
import type { LiveOptions, LiveSource, LiveStatistics } from './live.js';
import { type OctetSource, printable } from './octets.js';
import { readPcap } from './pcap.js';
import type { CaptureInterface, CaptureProblem, CaptureReader, CaptureRecord, InterfaceStatistics } from './source.js';

/** What is used of the package. */
interface Cap {
  open(device: string, filter: string, bufferSize: number, buffer: Buffer): string;
  close(): void;
  on(event: 'packet', listener: (length: number, truncated: boolean) => void): void;
}

/** LINKTYPE_ by the names that the package uses. */
const LINK_TYPES: Readonly<Record<string, number>> = { NULL: 0, ETHERNET: 1, IEEE802_11_RADIO: 127, LINKTYPE_LINUX_SLL: 113, RAW: 101 };

/** Octets of frames that wait to be read; what comes beyond is dropped and counted. */
const MAX_WAITING = 64 * 1024 * 1024;
/** The package always asks libpcap for this many. */
const PACKAGE_SNAP_LENGTH = 65_535;

/** @throws NetlensError `interface` or, for the filter, `usage` */
export async function openCap(device: string, options: LiveOptions & { snapLength: number; bufferSize: number }): Promise<LiveSource> {
  const Constructor = loadCap();
  const cap = new Constructor();
  const buffer = Buffer.alloc(PACKAGE_SNAP_LENGTH);
  let link: string;
  try {
    link = cap.open(device, options.filter ?? '', options.bufferSize, buffer);
  } catch (error) {
    throw openError(device, options.filter, error instanceof Error ? error.message : String(error));
  }
  const linkType = LINK_TYPES[link] ?? Number(/^Unknown linktype (\d+)$/.exec(link)?.[1] ?? -1);
  if (linkType < 0) {
    cap.close();
    throw new NetlensError('interface', `${printable(device)}: link type ${printable(link)} is not known; use \`--driver libpcap\``);
  }
  const snapLength = Math.min(options.snapLength, PACKAGE_SNAP_LENGTH);
  const frames = new CapFrames(cap, buffer, linkType, snapLength);
  const reader = await readPcap(new Chunks(frames, CHUNK), printable(device), false, { name: device });
  return new CapSource(frames, reader, options.promiscuous === false);
}

/** Is the optional package there, and was it built? */
export function isCapInstalled(): boolean {
  try {
    loadCap();
    return true;
  } catch {
    return false;
  }
}

function loadCap(): new () => Cap {
  try {
    return (createRequire(import.meta.url)('cap') as { Cap: new () => Cap }).Cap;
  } catch {
    throw new NetlensError(
      'interface',
      'the package cap is not installed or could not be built: `npm install cap` needs libpcap-dev and a compiler; `--driver libpcap` needs only libpcap0.8',
    );
  }
}

function openError(device: string, filter: string | undefined, reason: string): NetlensError {
  const name = printable(device);
  if (/permission|not permitted/i.test(reason)) {
    return new NetlensError('interface', `${name}: no permission: capturing needs CAP_NET_RAW: run \`sudo netlens live ${name}\``);
  }
  if (/no such device|does not exist/i.test(reason))
    return new NetlensError('interface', `${name}: no such interface; \`netlens interfaces\` lists them`);
  if (filter && /syntax|parse|filter|expression|unknown/i.test(reason))
    return new NetlensError('usage', `filter "${printable(filter)}": ${printable(reason)}`);
  return new NetlensError('interface', `${name}: ${printable(reason)}`);
}

/** Frames as they are delivered, made into the pcap stream that the one reader reads. */
class CapFrames implements OctetSource {
  readonly problem = undefined;
  received = 0;
  dropped = 0;
  private readonly pieces: Uint8Array[] = [];
  private waiting = 0;
  private wake: (() => void) | undefined;
  private stopped = false;

  /** `buffer` is held here as long as the capture runs: the package writes into it but does not keep it alive. */
  constructor(
    private readonly cap: Cap,
    readonly buffer: Buffer,
    linkType: number,
    private readonly snapLength: number,
  ) {
    const header = new Uint8Array(24);
    const view = new DataView(header.buffer);
    view.setUint32(0, 0xa1b23c4d, true);
    view.setUint16(4, 2, true);
    view.setUint16(6, 4, true);
    view.setUint32(16, snapLength, true);
    view.setUint32(20, linkType, true);
    this.put(header);
    cap.on('packet', (length) => this.packet(length));
  }

  private packet(length: number): void {
    this.received++;
    if (this.waiting > MAX_WAITING) {
      this.dropped++;
      return;
    }
    const captured = Math.min(length, this.snapLength);
    const now = performance.timeOrigin + performance.now();
    const seconds = Math.floor(now / 1000);
    const piece = new Uint8Array(16 + captured);
    const view = new DataView(piece.buffer);
    view.setUint32(0, seconds, true);
    view.setUint32(4, Math.min(999_999_999, Math.floor((now - seconds * 1000) * 1e6)), true);
    view.setUint32(8, captured, true);
    view.setUint32(12, length, true);
    piece.set(this.buffer.subarray(0, captured), 16);
    this.put(piece);
  }

  private put(piece: Uint8Array): void {
    this.pieces.push(piece);
    this.waiting += piece.length;
    this.wake?.();
  }

  async read(into: Uint8Array, offset: number, length: number): Promise<number> {
    while (this.waiting === 0) {
      if (this.stopped) return 0;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      this.wake = undefined;
    }
    let at = offset;
    let taken = 0;
    while (taken < this.pieces.length) {
      const piece = this.pieces[taken]!;
      const room = offset + length - at;
      if (piece.length > room) {
        into.set(piece.subarray(0, room), at);
        this.pieces[taken] = piece.subarray(room);
        at += room;
        break;
      }
      into.set(piece, at);
      at += piece.length;
      taken++;
    }
    this.pieces.splice(0, taken);
    this.waiting -= at - offset;
    return at - offset;
  }

  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.cap.close();
    this.wake?.();
  }

  close(): Promise<void> {
    this.stop();
    return Promise.resolve();
  }
}

class CapSource implements LiveSource {
  readonly driver = 'cap';
  readonly warnings: readonly string[];
  readonly secrets = [];
  readonly names = [];

  constructor(
    private readonly frames: CapFrames,
    private readonly reader: CaptureReader,
    wantsOwnOnly: boolean,
  ) {
    const warnings = ['driver cap: times are those of delivery, lengths those captured, and the kernel tells no drops'];
    if (wantsOwnOnly) warnings.push('driver cap: always captures in promiscuous mode');
    this.warnings = warnings;
  }

  next(record: CaptureRecord): boolean {
    return this.reader.next(record);
  }

  fill(): Promise<boolean> {
    return this.reader.fill();
  }

  stop(): void {
    this.frames.stop();
  }

  close(): Promise<void> {
    return this.reader.close();
  }

  stats(): LiveStatistics {
    return { received: this.frames.received, dropped: this.frames.dropped || undefined, droppedByInterface: undefined };
  }

  get problems(): readonly CaptureProblem[] {
    return this.reader.problems;
  }

  get interfaces(): readonly CaptureInterface[] {
    return this.reader.interfaces;
  }

  get format(): string {
    return this.reader.format;
  }

  get statistics(): readonly InterfaceStatistics[] {
    return [];
  }
}
