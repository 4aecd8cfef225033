/** Where octets come from before they are frames: files, pipes, and what decompresses them. */
import { close as closeDescriptor, fstat, open as openDescriptor, read as readDescriptor, readSync as readNow, type Stats } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import { NetlensError } from '../core/errors.js';

/** A stream of octets that is asked for more. */
export interface OctetSource {
  /** Put up to `length` octets into `into` at `offset`; resolves with how many came, 0 at the end. Never called twice at a time. */
  read(into: Uint8Array, offset: number, length: number): Promise<number>;
  close(): Promise<void>;
  /** Why the source ended before its time, if it did: compressed data that is damaged or cut. */
  readonly problem: { readonly code: 'cut-short' | 'damaged'; readonly message: string } | undefined;
}

const open = promisify(openDescriptor);
const stat = promisify(fstat) as (descriptor: number) => Promise<Stats>;
const close = promisify(closeDescriptor);

/** Most octets that one read of a pipe takes; as much as Linux lets a user's pipe hold. */
const PIPE_READ = 1024 * 1024;
/** Octets of a file after which timers, signals and writes get their turn. */
const TURN = 4 * 1024 * 1024;

/**
 * Opens a file, a named pipe, a device, or standard input for `-`.
 * @throws NetlensError `unreadable`
 */
export async function openOctets(path: string, label: string): Promise<{ source: OctetSource; size: number | undefined }> {
  let descriptor = 0;
  let status: Stats;
  try {
    if (path !== '-') descriptor = await open(path, 'r');
    status = await stat(descriptor);
  } catch (error) {
    throw unreadable(label, error);
  }
  if (status.isDirectory()) {
    await close(descriptor);
    throw new NetlensError('unreadable', `${label}: is a directory, not a capture`);
  }
  if (path === '-' && process.stdin.isTTY) {
    throw new NetlensError('unreadable', 'standard input: is a terminal; send a capture through a pipe: `netlens read - < capture.pcap`');
  }
  if (status.isFIFO() || status.isSocket()) return { source: new PipeSource(descriptor), size: undefined };
  if (!status.isFile()) return { source: new DeviceSource(descriptor, label), size: undefined };
  return { source: new FileSource(descriptor, label), size: status.size };
}

/**
 * A file on disk, read in place: what is asked for is in the page cache, by the system's own reading ahead if not by
 * chance, and fetching it costs less than the way to another thread and back, and leaves it in this processor's cache.
 * Now and then others get their turn.
 */
class FileSource implements OctetSource {
  readonly problem = undefined;
  private closed = false;
  private sinceTurn = 0;

  constructor(
    private readonly descriptor: number,
    private readonly label: string,
  ) {}

  async read(into: Uint8Array, offset: number, length: number): Promise<number> {
    if (this.sinceTurn >= TURN) {
      this.sinceTurn = 0;
      await new Promise(setImmediate);
    }
    if (this.closed) return 0;
    try {
      const count = readNow(this.descriptor, into, offset, length, null);
      this.sinceTurn += count;
      return count;
    } catch (error) {
      throw unreadable(this.label, error);
    }
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    if (this.descriptor !== 0) await close(this.descriptor);
  }
}

/** Something that is neither a file nor a pipe and may keep its reader waiting; read off the main thread. */
class DeviceSource implements OctetSource {
  readonly problem = undefined;
  private closed = false;

  constructor(
    private readonly descriptor: number,
    private readonly label: string,
  ) {}

  read(into: Uint8Array, offset: number, length: number): Promise<number> {
    return new Promise((resolve, reject) => {
      readDescriptor(this.descriptor, into, offset, length, null, (error, count) => {
        if (error) reject(unreadable(this.label, error));
        else resolve(count);
      });
    });
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    if (this.descriptor !== 0) await close(this.descriptor);
  }
}

/**
 * A pipe or a socket, read as it comes. Not through the thread pool: a read that waits for a quiet pipe would hold a
 * thread for as long, and the process could not end.
 */
class PipeSource implements OctetSource {
  readonly problem = undefined;
  private readonly staging = new Uint8Array(PIPE_READ);
  private readonly socket: Socket;
  /** Octets staged and not yet taken: `staging[taken..staged)`. */
  private taken = 0;
  private staged = 0;
  private ended = false;
  private failure: Error | undefined;
  private wake: (() => void) | undefined;

  constructor(descriptor: number) {
    const options = {
      fd: descriptor,
      readable: true,
      writable: false,
      // One buffer for the life of the pipe; returning false stops the reading until it was taken.
      onread: {
        buffer: this.staging,
        callback: (count: number): boolean => {
          this.taken = 0;
          this.staged = count;
          this.wake?.();
          return false;
        },
      },
    };
    this.socket = new Socket(options);
    const end = (): void => {
      this.ended = true;
      this.wake?.();
    };
    this.socket.on('end', end).on('close', end);
    this.socket.on('error', (error) => {
      this.failure = error;
      end();
    });
  }

  async read(into: Uint8Array, offset: number, length: number): Promise<number> {
    while (this.taken === this.staged) {
      if (this.failure) throw unreadable('pipe', this.failure);
      if (this.ended) return 0;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        this.socket.resume();
      });
      this.wake = undefined;
    }
    const count = Math.min(length, this.staged - this.taken);
    into.set(this.staging.subarray(this.taken, this.taken + count), offset);
    this.taken += count;
    return count;
  }

  close(): Promise<void> {
    this.ended = true;
    this.socket.destroy();
    this.wake?.();
    return Promise.resolve();
  }
}

/** A failed system call, in words. */
export function unreadable(label: string, error: unknown): NetlensError {
  if (error instanceof NetlensError) return error;
  return new NetlensError('unreadable', `${label}: ${systemReason(error)}`);
}

/** Why a system call failed, without the path and the name of the call that Node adds. */
export function systemReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  switch (code) {
    case 'ENOENT':
      return 'no such file';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return 'is a directory';
    case 'ENOSPC':
      return 'no space left on the device';
    case 'EMFILE':
      return 'too many open files';
    case undefined:
      return printable(String(error));
    default:
      return printable((error as Error).message.replace(/^[A-Z0-9]+: /, '').replace(/, \w+( '.*')?$/, ''));
  }
}

/** Text from outside that is safe on a terminal: control and direction characters are written as `\xNN`. */
export function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}
