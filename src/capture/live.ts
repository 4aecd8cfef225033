/** Live captures: two drivers, one contract. What libpcap sees reaches us as the pcap stream that a file would hold. */
import { networkInterfaces } from 'node:os';
import { NetlensError } from '../core/errors.js';
import { isCapInstalled, openCap } from './cap-driver.js';
import { CHUNK, Chunks } from './chunks.js';
import {
  type BpfInstruction,
  type InterfaceAddress,
  type Libpcap,
  type LiveHandle,
  loadLibpcap,
  type NetworkInterface,
} from './libpcap.js';
import { printable } from './octets.js';
import { readPcap } from './pcap.js';
import type { CaptureInterface, CaptureProblem, CaptureReader, CaptureRecord, InterfaceStatistics } from './source.js';

export type { BpfInstruction, InterfaceAddress, NetworkInterface };

/** How to capture. */
export interface LiveOptions {
  /** pcap-filter(7) expression; the kernel drops what does not match. */
  readonly filter?: string;
  /** Octets kept of a frame; 262 144 unless told. */
  readonly snapLength?: number;
  /** Also see what is for others; true unless told. */
  readonly promiscuous?: boolean;
  /** Octets of the kernel's buffer; 64 MiB unless told. */
  readonly bufferSize?: number;
  /** `auto` takes libpcap where it loads, else the npm package `cap`. */
  readonly driver?: 'auto' | 'libpcap' | 'cap';
  /** Deliver every frame at once instead of up to {@link DELAY} later; costs much at high rates. */
  readonly immediate?: boolean;
}

/** Counters of a live capture since it was opened. */
export interface LiveStatistics {
  /** Frames that passed the filter, as the kernel counted them, dropped ones included. */
  readonly received: number;
  /** Frames that the kernel (or, for `cap`, netlens) had no room for; undefined where the driver does not know. */
  readonly dropped: number | undefined;
  /** Frames that the network card or its driver dropped, where it says. */
  readonly droppedByInterface: number | undefined;
}

/** A capture that goes on until it is stopped. The first frame is read by the first `fill()`: give up root before it. */
export interface LiveSource extends CaptureReader {
  readonly driver: 'libpcap' | 'cap';
  /** What the user should know about how this capture works, e.g. that the device knows no promiscuous mode. */
  readonly warnings: readonly string[];
  stats(): LiveStatistics;
  /** Ends the capture: what the kernel holds still comes out, then `fill()` is false. May be called at any time. */
  stop(): void;
}

/** Milliseconds that a frame may wait in the kernel for company. */
const DELAY = 40;
const SNAP_LENGTH = 262_144;
const BUFFER_SIZE = 64 * 1024 * 1024;

/**
 * Starts to capture on an interface; `any` is all of them (Linux cooked v2).
 * @throws NetlensError `interface` (no such interface, no permission, no driver), `usage` (filter)
 * @example
 * const source = await openLive('lo', { filter: 'tcp port 6379' });
 * console.log(source.driver, source.stats().received);
 * await source.close();
 */
export async function openLive(device: string, options: LiveOptions = {}): Promise<LiveSource> {
  const driver = options.driver ?? 'auto';
  if (driver === 'cap') return openCap(device, capOptions(options));
  let libpcap: Libpcap;
  try {
    libpcap = await loadLibpcap();
  } catch (error) {
    if (driver === 'libpcap') throw error;
    // What helps is the same for most: libpcap, not a package that needs it and a compiler too.
    if (!isCapInstalled()) throw error;
    return openCap(device, capOptions(options));
  }
  return openLibpcap(libpcap, device, options);
}

function capOptions(options: LiveOptions): LiveOptions & { snapLength: number; bufferSize: number } {
  return { ...options, snapLength: options.snapLength ?? SNAP_LENGTH, bufferSize: options.bufferSize ?? BUFFER_SIZE };
}

async function openLibpcap(libpcap: Libpcap, device: string, options: LiveOptions): Promise<LiveSource> {
  const handle = libpcap.activate(device, {
    snapLength: options.snapLength ?? SNAP_LENGTH,
    promiscuous: options.promiscuous ?? true,
    bufferSize: options.bufferSize ?? BUFFER_SIZE,
    timeout: DELAY,
    immediate: options.immediate ?? false,
    filter: options.filter,
  });
  const reader = await readPcap(new Chunks(handle, CHUNK), printable(device), false, { name: device });
  return new LibpcapSource(device, handle, reader);
}

/** The pcap reader over the octets that libpcap writes. */
class LibpcapSource implements LiveSource {
  readonly driver = 'libpcap';
  readonly warnings: readonly string[];
  readonly secrets = [];
  readonly names = [];
  private lastStats: LiveStatistics = { received: 0, dropped: 0, droppedByInterface: 0 };
  private readonly totals = new Totals();

  constructor(
    private readonly device: string,
    private readonly handle: LiveHandle,
    private readonly reader: CaptureReader,
  ) {
    this.warnings = handle.warnings;
  }

  next(record: CaptureRecord): boolean {
    return this.reader.next(record);
  }

  fill(): Promise<boolean> {
    return this.reader.fill();
  }

  stop(): void {
    this.handle.stop(DELAY + 10);
  }

  async close(): Promise<void> {
    this.stats();
    await this.reader.close();
  }

  stats(): LiveStatistics {
    const raw = this.handle.stats();
    if (raw) this.lastStats = this.totals.add(raw);
    return this.lastStats;
  }

  get problems(): readonly CaptureProblem[] {
    const { failure } = this.handle;
    if (failure === undefined) return this.reader.problems;
    return [...this.reader.problems, { code: 'cut-short', message: `${printable(this.device)}: ${failure}`, offset: 0 }];
  }

  get interfaces(): readonly CaptureInterface[] {
    return this.reader.interfaces;
  }

  get format(): string {
    return this.reader.format;
  }

  get statistics(): readonly InterfaceStatistics[] {
    const { received, dropped, droppedByInterface } = this.stats();
    const itself = this.interfaces[0];
    if (!itself) return [];
    const count = (value: number | undefined): bigint | undefined => (value === undefined ? undefined : BigInt(value));
    return [
      {
        interface: itself,
        received: count(received),
        dropped: count(droppedByInterface),
        accepted: undefined,
        droppedBySystem: count(dropped),
      },
    ];
  }
}

/** libpcap counts in 32 bits; a long capture has more. */
class Totals {
  private readonly last = { received: 0, dropped: 0, droppedByInterface: 0 };
  private readonly sum = { received: 0, dropped: 0, droppedByInterface: 0 };

  add(now: { received: number; dropped: number; droppedByInterface: number }): LiveStatistics {
    for (const key of ['received', 'dropped', 'droppedByInterface'] as const) {
      this.sum[key] += (now[key] - this.last[key]) >>> 0;
      this.last[key] = now[key];
    }
    return { ...this.sum };
  }
}

/** The interfaces of this machine: from libpcap, or where there is none from the system, with what that knows. */
export async function listInterfaces(): Promise<readonly NetworkInterface[]> {
  try {
    return (await loadLibpcap()).interfaces();
  } catch (error) {
    if (!(error instanceof NetlensError)) throw error;
    return Object.entries(networkInterfaces()).map(([name, found = []]) => ({
      name,
      description: undefined,
      addresses: found.map((one): InterfaceAddress => {
        const prefix = one.cidr?.split('/')[1];
        return { family: one.family, address: one.address, prefixLength: prefix === undefined ? undefined : Number(prefix) };
      }),
      // The system lists here only what is up and running.
      flags: { up: true, running: true, loopback: found.some((one) => one.internal), wireless: false, connected: undefined },
    }));
  }
}

/**
 * Compiles a pcap-filter(7) expression with libpcap, for frames of a LINKTYPE_ value.
 * @throws NetlensError `usage` with libpcap's words, `interface` where there is no libpcap
 * @example
 * const program = await compileFilter('tcp port 443', 1);
 */
export async function compileFilter(expression: string, linkType: number, snapLength = SNAP_LENGTH): Promise<readonly BpfInstruction[]> {
  return (await loadLibpcap()).compile(expression, linkType, snapLength);
}
