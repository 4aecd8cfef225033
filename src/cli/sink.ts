/** Where output goes: standard output in large writes, one line at a time where it must be seen at once. */
import { write } from 'node:fs';
import { TextBuffer } from '../core/text.js';

/** Octets to gather before they are written. */
const BATCH = 1 << 18;

/** Standard output as a buffer. A reader that went away ends the output quietly, as it does for every Unix tool. */
export class Sink {
  readonly out = new TextBuffer(BATCH * 2);
  /** The reader is gone: nothing more needs to be made. */
  closed = false;

  constructor(
    private readonly descriptor = 1,
    private readonly batch = BATCH,
  ) {}

  /** True when enough was gathered; then `await flush()`. */
  get full(): boolean {
    return this.out.length >= this.batch;
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

  /** A JSON record on a line of its own; octets that could steer a terminal are escaped in it. */
  record(value: object): void {
    this.out.unicode(
      JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)).replace(
        /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
        (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
      ),
    );
    this.out.byte(10);
  }

  /** Write what was gathered. */
  async flush(): Promise<void> {
    const { out } = this;
    let from = 0;
    while (from < out.length && !this.closed) {
      try {
        from += await writeOnce(this.descriptor, out.bytes, from, out.length - from);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EAGAIN') await new Promise((resolve) => setTimeout(resolve, 2));
        else if (code === 'EPIPE') this.closed = true;
        else throw error;
      }
    }
    out.clear();
  }
}

const writeOnce = (descriptor: number, bytes: Uint8Array, from: number, length: number) =>
  new Promise<number>((resolve, reject) => {
    write(descriptor, bytes, from, length, null, (error, written) => (error ? reject(error) : resolve(written)));
  });
