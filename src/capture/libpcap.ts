/**
 * The system's libpcap, called through koffi: every C function that netlens uses stands here.
 *
 * pcap(3PCAP) and the pages it names. Loaded only when it is wanted, so that reading files needs neither.
 */
import type { LibraryHandle } from 'koffi';
import { NetlensError } from '../core/errors.js';
import { type OctetSource, printable } from './octets.js';

type Koffi = typeof import('koffi')['default'];
type KoffiFunction = ReturnType<LibraryHandle['func']>;
/** A C pointer, as koffi hands it out. */
type Pointer = bigint;

/** One instruction of the BSD Packet Filter machine: `code`, jumps if true and false, operand. */
export interface BpfInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** An interface of this machine that can be captured on. */
export interface NetworkInterface {
  readonly name: string;
  readonly description: string | undefined;
  readonly addresses: readonly InterfaceAddress[];
  /** `connected` is unknown (undefined) where that makes no sense or cannot be told. */
  readonly flags: {
    readonly up: boolean;
    readonly running: boolean;
    readonly loopback: boolean;
    readonly wireless: boolean;
    readonly connected: boolean | undefined;
  };
}

/** An address of an interface. */
export interface InterfaceAddress {
  readonly family: 'IPv4' | 'IPv6' | 'hardware';
  readonly address: string;
  /** Bits of the address that name its network. */
  readonly prefixLength: number | undefined;
}

/** Counters of a live capture since it was opened; pcap_stats(3PCAP). */
export interface RawStatistics {
  readonly received: number;
  readonly dropped: number;
  readonly droppedByInterface: number;
}

/** What a live handle is opened with. */
export interface ActivateOptions {
  /** Octets kept of a frame. */
  readonly snapLength: number;
  readonly promiscuous: boolean;
  /** Octets of the kernel's buffer. */
  readonly bufferSize: number;
  /** Milliseconds that a frame may wait in the kernel for company. */
  readonly timeout: number;
  /** Deliver each frame at once; costs more. */
  readonly immediate: boolean;
  readonly filter: string | undefined;
}

export const LIBPCAP_NAMES =
  process.platform === 'darwin' ? ['libpcap.dylib', '/usr/lib/libpcap.A.dylib'] : ['libpcap.so.0.8', 'libpcap.so.1', 'libpcap.so'];

/** Octets of an error text: PCAP_ERRBUF_SIZE. */
const ERROR_TEXT = 256;
const PROMISCUOUS_REFUSED = -11;
const NO_PERMISSION = -8;
const NO_SUCH_DEVICE = -5;
const NOT_UP = -9;
const WARN_NO_PROMISCUOUS = 2;
const NANOSECONDS = 1;
/** DLT_LINUX_SLL, which `any` gives unless asked for its successor. */
const COOKED_1 = 113;
const COOKED_2 = 276;
/** Netmask unknown; only `ip broadcast` needs it, and then libpcap says so. */
const NO_NETMASK = 0xffffffff;

let loading: Promise<Libpcap> | undefined;

/**
 * Loads libpcap, once.
 * @throws NetlensError `interface` that names the package to install
 */
export function loadLibpcap(): Promise<Libpcap> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Libpcap> {
  let koffi: Koffi;
  try {
    koffi = (await import('koffi')).default;
  } catch {
    throw new NetlensError(
      'interface',
      `no libpcap: the package koffi, which calls it, does not load on ${process.platform} ${process.arch}`,
    );
  }
  for (const name of LIBPCAP_NAMES) {
    let library: LibraryHandle;
    try {
      library = koffi.load(name);
    } catch {
      continue; // the next name
    }
    return new Libpcap(koffi, library);
  }
  const help = process.platform === 'linux' ? ': run `sudo apt install libpcap0.8` (Fedora, Arch, Alpine: the package libpcap)' : '';
  throw new NetlensError('interface', `libpcap is not installed${help}`);
}

/** The functions of libpcap and of the C library that carry a capture. */
export class Libpcap {
  private readonly c: Functions;
  private readonly device;
  private readonly deviceAddress;
  /** The address of libpcap's own pcap_dump, which pcap_dispatch calls back: no octet passes through a JavaScript callback. */
  private readonly dump: Pointer;

  constructor(
    private readonly koffi: Koffi,
    pcap: LibraryHandle,
  ) {
    // Anonymous types: koffi's names are global, and this may be loaded more than once in tests.
    const program = koffi.struct({ length: 'uint32', instructions: 'void *' });
    const statistics = koffi.struct({ received: 'uint32', dropped: 'uint32', droppedByInterface: 'uint32' });
    this.device = koffi.struct({ next: 'void *', name: 'str', description: 'str', addresses: 'void *', flags: 'uint32' });
    this.deviceAddress = koffi.struct({ next: 'void *', address: 'void *', netmask: 'void *', broadcast: 'void *', destination: 'void *' });
    this.dump = pcap.symbol('pcap_dump') as Pointer;
    this.c = bind(koffi, pcap, program, statistics);
  }

  /** E.g. `libpcap version 1.10.3 (with TPACKET_V3)`. */
  get version(): string {
    return this.c.version() as string;
  }

  /** All interfaces that this user may capture on, as far as the system says. */
  interfaces(): NetworkInterface[] {
    const first: [Pointer | null] = [null];
    const message = Buffer.alloc(ERROR_TEXT);
    if (this.c.findAll(first, message) !== 0) throw new NetlensError('interface', `cannot list interfaces: ${cText(message)}`);
    const found: NetworkInterface[] = [];
    for (let next = first[0]; next && found.length < 65_536; ) {
      const entry = this.koffi.decode(next, this.device) as DeviceEntry;
      found.push({
        name: entry.name,
        description: entry.description ?? undefined,
        addresses: this.addresses(entry.addresses),
        flags: interfaceFlags(entry.flags),
      });
      next = entry.next;
    }
    this.c.freeAll(first[0]);
    return found;
  }

  private addresses(first: Pointer | null): InterfaceAddress[] {
    const found: InterfaceAddress[] = [];
    for (let next = first; next && found.length < 65_536; ) {
      const entry = this.koffi.decode(next, this.deviceAddress) as AddressEntry;
      if (entry.address) {
        const address = this.address(entry.address);
        const netmask = entry.netmask ? this.octets(entry.netmask) : undefined;
        if (address) found.push({ ...address, prefixLength: netmask && prefixLength(netmask, address.family) });
      }
      next = entry.next;
    }
    return found;
  }

  /** The octets of a struct sockaddr: 28 are in every one that is looked into. */
  private octets(address: Pointer): Uint8Array {
    return new Uint8Array(this.koffi.view(address, 28)).slice();
  }

  private address(pointer: Pointer): { family: InterfaceAddress['family']; address: string } | undefined {
    // A sockaddr of AF_INET has 16 octets: what follows them is not looked at.
    const octets = new Uint8Array(this.koffi.view(pointer, 16));
    const family = process.platform === 'darwin' ? octets[1]! : octets[0]! | (octets[1]! << 8);
    if (family === 2) return { family: 'IPv4', address: Array.from(octets.subarray(4, 8)).join('.') };
    if (family === (process.platform === 'darwin' ? 30 : 10))
      return { family: 'IPv6', address: ipv6Text(this.octets(pointer).subarray(8, 24)) };
    if (process.platform === 'linux' && family === 17) {
      const length = octets[11]!; // sll_halen
      if (length !== 6) return undefined;
      const hardware = new Uint8Array(this.koffi.view(pointer, 18)).subarray(12, 18);
      return { family: 'hardware', address: Array.from(hardware, (octet) => octet.toString(16).padStart(2, '0')).join(':') };
    }
    return undefined;
  }

  /**
   * Compiles a pcap-filter(7) expression for frames of a link type.
   * @throws NetlensError `usage` with libpcap's own words
   */
  compile(expression: string, linkType: number, snapLength: number): BpfInstruction[] {
    const handle = this.c.openDead(datalinkOf(linkType), snapLength) as Pointer | null;
    if (!handle) throw new NetlensError('usage', `no filter can be compiled for link type ${linkType}`);
    return this.instructionsOn(handle, expression, NO_NETMASK);
  }

  /**
   * The same for frames of a file, as `tcpdump -r` compiles it: what only a kernel knows (`inbound`) is refused, `ip broadcast`
   * means all ones and all zeros, and values in host order are looked for in the order of the file's writer.
   * @throws NetlensError `usage` with libpcap's own words
   */
  compileForFile(expression: string, linkType: number, snapLength: number, bigEndian = false): BpfInstruction[] {
    // The head of a pcap file tells libpcap all that it asks of one.
    const head = Buffer.alloc(24);
    const view = new DataView(head.buffer, head.byteOffset);
    view.setUint32(0, 0xa1b2c3d4, !bigEndian);
    view.setUint16(4, 2, !bigEndian);
    view.setUint16(6, 4, !bigEndian);
    view.setUint32(16, snapLength, !bigEndian);
    view.setUint32(20, linkType, !bigEndian);
    const message = Buffer.alloc(ERROR_TEXT);
    const file = this.c.readMemory(head, head.length, 'r') as Pointer | null;
    // pcap_close(3PCAP) closes the file with the handle.
    const handle = file && (this.c.openFile(file, message) as Pointer | null);
    if (!handle) throw new NetlensError('usage', `no filter can be compiled for link type ${linkType}: ${cText(message)}`);
    return this.instructionsOn(handle, expression, 0);
  }

  private instructionsOn(handle: Pointer, expression: string, netmask: number): BpfInstruction[] {
    try {
      const program = this.compileOn(handle, expression, netmask);
      const view = new DataView(this.koffi.view(program.instructions, program.length * 8));
      const instructions = Array.from({ length: program.length }, (_, index) => ({
        code: view.getUint16(index * 8, LITTLE),
        jt: view.getUint8(index * 8 + 2),
        jf: view.getUint8(index * 8 + 3),
        k: view.getUint32(index * 8 + 4, LITTLE),
      }));
      this.c.freeCode(program);
      return instructions;
    } finally {
      this.c.close(handle);
    }
  }

  private compileOn(handle: Pointer, expression: string, netmask = NO_NETMASK): BpfProgram {
    const program: BpfProgram = { length: 0, instructions: 0n };
    if (this.c.compile(handle, program, expression, 1, netmask) !== 0) {
      throw new NetlensError('usage', `filter "${printable(expression)}": ${printable(this.c.error(handle) as string)}`);
    }
    return program;
  }

  /**
   * Opens an interface and starts to capture into the kernel's buffer.
   * @throws NetlensError `interface` or, for the filter, `usage`
   */
  activate(device: string, options: ActivateOptions): LiveHandle {
    const message = Buffer.alloc(ERROR_TEXT);
    const handle = this.c.create(device, message) as Pointer | null;
    if (!handle) throw new NetlensError('interface', `${printable(device)}: ${cText(message)}`);
    try {
      const { c } = this;
      c.setSnapLength(handle, options.snapLength);
      c.setPromiscuous(handle, options.promiscuous ? 1 : 0);
      c.setTimeout(handle, options.timeout);
      c.setBufferSize(handle, options.bufferSize);
      c.setImmediate?.(handle, options.immediate ? 1 : 0);
      c.setPrecision?.(handle, NANOSECONDS); // refused by a few devices; then the stream says microseconds
      const status = c.activate(handle) as number;
      if (status < 0) throw this.activateError(device, status, c.error(handle) as string);
      const warnings = status > 0 ? [this.warning(device, status, c.error(handle) as string)] : [];
      if (device === 'any' && c.datalink(handle) === COOKED_1) c.setDatalink(handle, COOKED_2);
      if (options.filter) {
        const program = this.compileOn(handle, options.filter);
        const failed = c.setFilter(handle, program) !== 0;
        c.freeCode(program);
        if (failed)
          throw new NetlensError('interface', `${printable(device)}: filter not accepted: ${printable(c.error(handle) as string)}`);
      }
      if (c.setNonblocking(handle, 1, message) !== 0) throw new NetlensError('interface', `${printable(device)}: ${cText(message)}`);
      return new LiveHandle(this.koffi, c, handle, this.dump, options.bufferSize, warnings);
    } catch (error) {
      this.c.close(handle);
      throw error;
    }
  }

  private activateError(device: string, status: number, detail: string): NetlensError {
    const name = printable(device);
    if (status === NO_PERMISSION || status === PROMISCUOUS_REFUSED) {
      return new NetlensError('interface', `${name}: no permission: capturing needs CAP_NET_RAW: run \`sudo netlens live ${name}\``);
    }
    if (status === NO_SUCH_DEVICE) {
      const names = this.interfaces().map((one) => printable(one.name));
      return new NetlensError(
        'interface',
        `${name}: no such interface; there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ') || 'none'}`,
      );
    }
    if (status === NOT_UP) return new NetlensError('interface', `${name}: is down: run \`sudo ip link set ${name} up\``);
    return new NetlensError('interface', `${name}: ${printable(detail || (this.c.statusText(status) as string))}`);
  }

  private warning(device: string, status: number, detail: string): string {
    if (status === WARN_NO_PROMISCUOUS) return `${printable(device)}: knows no promiscuous mode; only its own traffic is seen`;
    return `${printable(device)}: ${printable(detail || (this.c.statusText(status) as string))}`;
  }
}

/**
 * Octets that a dispatch may move. It ends anyway when the kernel has no more; with a backlog, on a busy machine where
 * every change of threads takes milliseconds, a large batch is what catches up.
 */
const BATCH_OCTETS = 16 * 1024 * 1024;
/** Most frames of a dispatch; should all be far larger than those before, the kernel's buffer bounds what they hold. */
const BATCH_FRAMES = 65_536;

/**
 * Octets in memory of the C library that libpcap writes into as if it were a file (open_memstream(3)): it grows with
 * what is written, and is written over again when it was read.
 */
class MemoryStream {
  readonly file: Pointer;
  readonly dumper: Pointer;
  /** Where the C library says its buffer is, and how much stands in it; off the heap, so that it does not move. */
  private readonly place = Buffer.allocUnsafeSlow(16).fill(0);
  private read = 0;

  constructor(
    private readonly c: Functions,
    handle: Pointer,
  ) {
    this.file = c.openMemory(this.place, this.place.subarray(8)) as Pointer;
    this.dumper = c.dumpOpen(handle, this.file) as Pointer;
    c.dumpFlush(this.dumper);
  }

  /** Octets not yet taken; only after {@link settle}. */
  get left(): number {
    return this.size - this.read;
  }

  private get size(): number {
    return Number(this.word(8));
  }

  private word(offset: number): bigint {
    return LITTLE ? this.place.readBigUInt64LE(offset) : this.place.readBigUInt64BE(offset);
  }

  /** Makes what was written visible. */
  settle(): void {
    this.c.dumpFlush(this.dumper);
  }

  /** Forgets everything; the next octet is the first. */
  rewind(): void {
    this.c.seek(this.file, 0, 0);
    this.read = 0;
    this.place.fill(0, 8);
  }

  take(into: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.left);
    this.c.copy(into.subarray(offset, offset + count), this.word(0) + BigInt(this.read), count);
    this.read += count;
    return count;
  }

  close(): void {
    this.c.dumpClose(this.dumper);
    this.c.free(this.word(0)); // closing may have moved it
    this.place.fill(0);
  }
}

/**
 * An interface that is being captured on; its frames come out as the octets of a pcap file. While one stream is read
 * here, libpcap fills the other on a thread of the pool. Nothing is moved before the first {@link read}.
 */
export class LiveHandle implements OctetSource {
  readonly problem = undefined;
  /** Set when the device failed. */
  failure: string | undefined;
  private front: MemoryStream;
  private back: MemoryStream;
  /** Whether the back holds frames that wait for the front to be empty. */
  private isBackReady = false;
  private running: Promise<void> | undefined;
  private watch: { stop(): void; start(): void; close(): void } | undefined;
  private wake: (() => void) | undefined;
  private ending: Promise<void> | undefined;
  /** What is in the kernel still is all that is wanted. */
  private isDraining = false;
  private ended = false;
  private closed = false;
  /** Frames to ask for, from the size of the last ones. */
  private batch = 256;

  constructor(
    private readonly koffi: Koffi,
    private readonly c: Functions,
    private readonly handle: Pointer,
    private readonly dump: Pointer,
    /** Octets to move at most after the end: on a busy link new frames would never end. The size of the kernel's buffer. */
    private drainLimit: number,
    readonly warnings: readonly string[],
  ) {
    this.front = new MemoryStream(c, handle); // which holds the file header now
    this.back = new MemoryStream(c, handle);
    this.back.rewind();
  }

  async read(into: Uint8Array, offset: number, length: number): Promise<number> {
    for (;;) {
      if (this.closed) return 0;
      if (this.front.left > 0) return this.front.take(into, offset, length);
      if (this.isBackReady) {
        [this.front, this.back] = [this.back, this.front];
        this.back.rewind();
        this.isBackReady = false;
        this.move(); // there may be more, and it can be fetched while this is worked on
        continue;
      }
      if (this.ended) return 0;
      if (!this.running && !this.ending) {
        if (this.watch) this.watch.start();
        else this.watch = this.watchDevice();
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      this.wake = undefined;
    }
  }

  /** Fills the back from the kernel, off the main thread, unless that is being done or it is full. */
  private move(): void {
    if (this.running || this.isBackReady || this.ended || this.closed) return;
    this.watch?.stop();
    this.running = this.dispatch().then(() => {
      this.running = undefined;
      this.wake?.();
    });
  }

  private async dispatch(): Promise<void> {
    const { back } = this;
    const count = await called(this.c.dispatch, this.handle, this.batch, this.dump, back.dumper);
    back.settle();
    this.isBackReady = back.left > 0;
    if (count > 0) this.batch = Math.max(64, Math.min(BATCH_FRAMES, Math.floor((BATCH_OCTETS * count) / back.left)));
    if (count < 0) this.failure = printable(this.c.error(this.handle) as string);
    if (this.isDraining) this.drainLimit -= back.left;
    if (count < 0 || (this.isDraining && (count === 0 || this.drainLimit <= 0))) this.ended = true;
  }

  /** Calls {@link move} when frames wait. Where the system has nothing to wait on, looks every 10 ms. */
  private watchDevice(): { stop(): void; start(): void; close(): void } {
    const ready = (): void => this.move();
    const descriptor = this.c.selectable(this.handle) as number;
    if (descriptor < 0) {
      let timer: NodeJS.Timeout | undefined;
      const stop = (): void => clearInterval(timer);
      const start = (): void => {
        stop();
        timer = setInterval(ready, 10);
      };
      start();
      return { stop, start, close: stop };
    }
    const events = { readable: true, disconnect: true };
    const poll = this.koffi.node.poll(descriptor, events, ready);
    return { stop: () => poll.stop(), start: () => poll.start(events, ready), close: () => poll.close() };
  }

  stats(): RawStatistics | undefined {
    const counters = { received: 0, dropped: 0, droppedByInterface: 0 };
    return !this.closed && this.c.stats(this.handle, counters) === 0 ? counters : undefined;
  }

  /** Ends the stream once the kernel's last block, which it hands over after `delay` milliseconds, was read. */
  stop(delay: number): void {
    this.ending ??= this.finish(delay);
  }

  private async finish(delay: number): Promise<void> {
    this.watch?.stop();
    await new Promise((resolve) => setTimeout(resolve, delay));
    await this.running;
    this.isDraining = true;
    this.move();
    this.wake?.();
  }

  /** Closes the device; waits for a dispatch that runs. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.wake?.();
    this.watch?.close();
    await this.running;
    this.front.close();
    this.back.close();
    this.c.close(this.handle);
  }
}

const LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function called(function_: KoffiFunction, ...args: unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    function_.async(...args, (error: Error | null, result: number) => (error ? reject(error) : resolve(result)));
  });
}

interface BpfProgram {
  length: number;
  instructions: Pointer;
}

interface DeviceEntry {
  next: Pointer | null;
  name: string;
  description: string | null;
  addresses: Pointer | null;
  flags: number;
}

interface AddressEntry {
  next: Pointer | null;
  address: Pointer | null;
  netmask: Pointer | null;
}

type Functions = ReturnType<typeof bind>;

function bind(koffi: Koffi, pcap: LibraryHandle, program: ReturnType<Koffi['struct']>, statistics: ReturnType<Koffi['struct']>) {
  const libc = koffi.load(null);
  const optional = (name: string, args: string[]): KoffiFunction | undefined => {
    try {
      return pcap.func(name, 'int', args);
    } catch {
      return undefined; // older than libpcap 1.5
    }
  };
  return {
    version: pcap.func('pcap_lib_version', 'str', []),
    findAll: pcap.func('pcap_findalldevs', 'int', [koffi.out(koffi.pointer('void *')), 'void *']),
    freeAll: pcap.func('pcap_freealldevs', 'void', ['void *']),
    openDead: pcap.func('pcap_open_dead', 'void *', ['int', 'int']),
    compile: pcap.func('pcap_compile', 'int', ['void *', koffi.out(koffi.pointer(program)), 'str', 'int', 'uint32']),
    freeCode: pcap.func('pcap_freecode', 'void', [koffi.pointer(program)]),
    setFilter: pcap.func('pcap_setfilter', 'int', ['void *', koffi.pointer(program)]),
    error: pcap.func('pcap_geterr', 'str', ['void *']),
    statusText: pcap.func('pcap_statustostr', 'str', ['int']),
    create: pcap.func('pcap_create', 'void *', ['str', 'void *']),
    setSnapLength: pcap.func('pcap_set_snaplen', 'int', ['void *', 'int']),
    setPromiscuous: pcap.func('pcap_set_promisc', 'int', ['void *', 'int']),
    setTimeout: pcap.func('pcap_set_timeout', 'int', ['void *', 'int']),
    setBufferSize: pcap.func('pcap_set_buffer_size', 'int', ['void *', 'int']),
    setImmediate: optional('pcap_set_immediate_mode', ['void *', 'int']),
    setPrecision: optional('pcap_set_tstamp_precision', ['void *', 'int']),
    activate: pcap.func('pcap_activate', 'int', ['void *']),
    datalink: pcap.func('pcap_datalink', 'int', ['void *']),
    setDatalink: pcap.func('pcap_set_datalink', 'int', ['void *', 'int']),
    setNonblocking: pcap.func('pcap_setnonblock', 'int', ['void *', 'int', 'void *']),
    selectable: pcap.func('pcap_get_selectable_fd', 'int', ['void *']),
    dispatch: pcap.func('pcap_dispatch', 'int', ['void *', 'int', 'void *', 'void *']),
    stats: pcap.func('pcap_stats', 'int', ['void *', koffi.out(koffi.pointer(statistics))]),
    dumpOpen: pcap.func('pcap_dump_fopen', 'void *', ['void *', 'void *']),
    dumpFlush: pcap.func('pcap_dump_flush', 'int', ['void *']),
    dumpClose: pcap.func('pcap_dump_close', 'void', ['void *']),
    close: pcap.func('pcap_close', 'void', ['void *']),
    openFile: pcap.func('pcap_fopen_offline', 'void *', ['void *', 'void *']),
    readMemory: libc.func('fmemopen', 'void *', ['void *', 'size_t', 'str']),
    openMemory: libc.func('open_memstream', 'void *', ['void *', 'void *']),
    seek: libc.func('fseek', 'int', ['void *', 'long', 'int']),
    copy: libc.func('memcpy', 'void *', ['void *', 'void *', 'size_t']),
    free: libc.func('free', 'void', ['void *']),
  };
}

/** PCAP_IF_ flags of pcap_findalldevs(3PCAP). */
function interfaceFlags(flags: number): NetworkInterface['flags'] {
  const status = flags & 0x30;
  return {
    loopback: (flags & 1) !== 0,
    up: (flags & 2) !== 0,
    running: (flags & 4) !== 0,
    wireless: (flags & 8) !== 0,
    connected: status === 0x10 ? true : status === 0x20 ? false : undefined,
  };
}

/** Bits set in a netmask, which is a sockaddr like its address. */
function prefixLength(netmask: Uint8Array, family: InterfaceAddress['family']): number | undefined {
  if (family === 'hardware') return undefined;
  const mask = family === 'IPv4' ? netmask.subarray(4, 8) : netmask.subarray(8, 24);
  let bits = 0;
  for (const octet of mask) for (let rest = octet; rest > 0; rest &= rest - 1) bits++;
  return bits;
}

/** RFC 5952 text; the URL parser is the platform's own writer of it. */
function ipv6Text(octets: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, index) => ((octets[index * 2]! << 8) | octets[index * 2 + 1]!).toString(16));
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

/** The DLT_ value of this platform for a LINKTYPE_ value: they differ only where systems once disagreed. */
function datalinkOf(linkType: number): number {
  return { 100: 11, 101: process.platform === 'openbsd' ? 14 : 12, 102: 15, 103: 16, 106: 19 }[linkType] ?? linkType;
}

/** Text that C put into a buffer. */
function cText(buffer: Buffer): string {
  const end = buffer.indexOf(0);
  return printable(buffer.toString('utf8', 0, end < 0 ? buffer.length : end));
}
