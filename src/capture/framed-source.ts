/** What zstd and lz4 have in common: frames of blocks, with skippable frames between them. */
import type { Chunks } from './chunks.js';
import type { OctetSource } from './octets.js';

/** Is this the first word of a frame that decompressors pass over, read little-endian (RFC 8878 section 3.1.2)? */
export function isSkippable(magic: number): boolean {
  return magic >= 0x184d2a50 && magic <= 0x184d2a5f;
}

/** A source that decompresses a block at a time: little is held, and all before the damage is read. */
export abstract class FramedSource implements OctetSource {
  problem: OctetSource['problem'];
  /** Decompressed and not yet taken. */
  protected out: Uint8Array = new Uint8Array(0);

  constructor(
    protected readonly input: Chunks,
    private readonly format: string,
  ) {}

  /** Goes on by a frame's header, a skippable frame or a block, which adds to `out` if it holds anything; false at the end. */
  protected abstract advance(): Promise<boolean>;

  async read(into: Uint8Array, offset: number, length: number): Promise<number> {
    while (this.out.length === 0) {
      if (this.problem || !(await this.advance())) return 0;
    }
    const count = Math.min(length, this.out.length);
    into.set(this.out.subarray(0, count), offset);
    this.out = this.out.subarray(count);
    return count;
  }

  /** Passes over the skippable frame whose first eight octets are held. */
  protected async skipFrame(): Promise<boolean> {
    const { input } = this;
    let left = 8 + input.view.getUint32(input.position + 4, true);
    while (left > 0) {
      if (!(await input.more(1))) return this.cut();
      const step = Math.min(left, input.end - input.position);
      input.position += step;
      left -= step;
    }
    return true;
  }

  protected cut(): false {
    this.problem = { code: 'cut-short', message: `the ${this.format} data ends early` };
    return false;
  }

  protected damaged(why: string): false {
    this.problem = { code: 'damaged', message: `the ${this.format} data cannot be read at octet ${this.input.offset}: ${why}` };
    return false;
  }

  async close(): Promise<void> {
    await this.input.source.close();
  }
}
