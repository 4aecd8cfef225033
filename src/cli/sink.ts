/** Where output goes: standard output in large writes, one line at a time where it must be seen at once. */
import { fstatSync, write, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { NetlensError } from '../core/errors.js';
import { TextBuffer } from '../core/text.js';

/** Octets to gather before they are written: handing a piece to the thread that writes takes longer than making 50 kB of it. */
const BATCH = 1 << 20;
/** The same where it is written at once: what was just gathered is still in the processor's cache. */
const QUICK_BATCH = 1 << 18;
/** Room for them, and for the frame that makes them full. */
const ROOM = BATCH + (BATCH >> 2);
/** Milliseconds without input after which what was gathered is written. */
const PATIENCE = 100;

/**
 * Standard output as a buffer. While one buffer is on its way the next is filled. A reader that went away ends the output
 * quietly, as it does for every Unix tool.
 */
export class Sink {
  readonly out = new TextBuffer(ROOM);
  /** The reader is gone: nothing more needs to be made. */
  closed = false;
  private spare: Uint8Array | undefined = undefined;
  private under: Promise<void> | undefined = undefined;
  /** What is written is taken at once, or may be waited for. */
  private readonly isQuick: boolean;
  private failure: NetlensError | undefined = undefined;
  /** Octets to gather before they are written. */
  private readonly batch: number;
  /** While input is awaited: what is to be done when it takes long. */
  private pause: (() => void) | undefined = undefined;
  /** Runs since input was awaited last; one for all waits, as a file makes one wait thousands of times. */
  private clock: NodeJS.Timeout | undefined = undefined;

  constructor(
    private readonly descriptor = 1,
    /** Packets come while something is written: nobody waits for a disk, then. */
    isLive = false,
  ) {
    this.isQuick = !isLive && takesAtOnce(descriptor);
    this.batch = this.isQuick ? QUICK_BATCH : BATCH;
  }

  /** True when enough was gathered; then `await flush()`. */
  get full(): boolean {
    return this.out.length >= this.batch;
  }

  /** Gather in octets of somebody else's, where there are any. */
  writeIn(room: (length: number) => Uint8Array | undefined): void {
    const [octets, spare] = [room(ROOM), room(ROOM)];
    if (octets === undefined || spare === undefined) return;
    this.out.bytes = octets;
    this.spare = spare;
  }

  /** A line of text, made safe for a terminal. */
  line(text: string): void {
    this.out.text(text);
    this.out.byte(10);
  }

  /** A line that was made safe already, and may have colours in it. */
  unicodeLine(text: string): void {
    this.out.unicode(text);
    this.out.byte(10);
  }

  /** A JSON record on a line of its own; what could steer a terminal is escaped in it. Integers above 2^53 become text. */
  record(value: object): void {
    const text = jsonOf(value);
    this.out.unicode(
      text.replace(
        /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
        (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
      ),
    );
    this.out.byte(10);
  }

  /** Start writing what was gathered; waits only for the write before it. */
  async flush(): Promise<void> {
    if (this.under !== undefined) await this.under;
    const { out } = this;
    if (out.length === 0) return;
    const { bytes, length } = out;
    if (this.isQuick) {
      this.sendNow(bytes, length);
      out.clear();
      return;
    }
    // Most commands print so little that one buffer does.
    out.bytes = this.spare ?? new Uint8Array(ROOM);
    out.clear();
    this.under = this.send(bytes, length).then(() => {
      this.spare = bytes;
      this.under = undefined;
    });
  }

  /**
   * Wait for what is to come. Where that takes a while, what was gathered is written meanwhile, as a slow pipe is to be seen;
   * `pause` may add to it what was held back.
   */
  async during<T>(coming: Promise<T>, pause: () => void): Promise<T> {
    this.pause = pause;
    this.clock = this.clock?.refresh() ?? setTimeout(() => this.paused(), PATIENCE).unref();
    try {
      return await coming;
    } finally {
      this.pause = undefined;
    }
  }

  private paused(): void {
    if (this.pause === undefined) return;
    this.pause();
    // While a write is under way, `flush` would wait for it, and meet the next one.
    if (this.under === undefined) void this.flush();
  }

  /** Write what was gathered, and wait until all of it is out. */
  async end(): Promise<void> {
    await this.flush();
    await this.under;
    if (this.failure !== undefined) throw this.failure;
  }

  private async send(bytes: Uint8Array, length: number): Promise<void> {
    let from = 0;
    while (from < length && !this.closed) {
      try {
        from += await writeOnce(this.descriptor, bytes, from, length - from);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') await new Promise((resolve) => setTimeout(resolve, 2));
        else this.fail(error as NodeJS.ErrnoException);
      }
    }
  }

  private sendNow(bytes: Uint8Array, length: number): void {
    try {
      for (let from = 0; from < length && !this.closed; ) from += writeSync(this.descriptor, bytes, from, length - from);
    } catch (error) {
      this.fail(error as NodeJS.ErrnoException);
    }
  }

  private fail({ code, message }: NodeJS.ErrnoException): void {
    this.closed = true;
    if (code !== 'EPIPE') this.failure = new NetlensError('unreadable', `what netlens prints could not be written: ${message}`);
  }
}

/** True for files and the like of /dev/null: handing pieces to the thread that writes would take longer than writing them. */
function takesAtOnce(descriptor: number): boolean {
  try {
    const status = fstatSync(descriptor);
    return status.isFile() || (status.isCharacterDevice() && !isatty(descriptor));
  } catch {
    return false;
  }
}

/** JSON with bigints as text. Records rarely hold one, and asking each value what it is takes longer than all the rest. */
function jsonOf(value: object): string {
  try {
    return JSON.stringify(value);
  } catch {
    return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner));
  }
}

const writeOnce = (descriptor: number, bytes: Uint8Array, from: number, length: number) =>
  new Promise<number>((resolve, reject) => {
    write(descriptor, bytes, from, length, null, (error, written) => (error ? reject(error) : resolve(written)));
  });
