/** Compressed captures: gzip, zstd and lz4, told by their magic, with bounded memory. */
import { once } from 'node:events';
import { createGunzip, type Gunzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import type { Chunks } from './chunks.js';
import { FramedSource, isSkippable } from './framed-source.js';
import { isLz4, Lz4Source } from './lz4.js';
import type { OctetSource } from './octets.js';

/** Octets of compressed input held at a time by gzip. */
const PIECE = 256 * 1024;
/** Octets of output that zlib makes at a time. */
const OUTPUT = 1024 * 1024;

/** What `chunks` holds once it is decompressed; undefined if it is not compressed. At least 12 octets are to be held, if there are. */
export function decompressed(chunks: Chunks): { readonly source: OctetSource; readonly name: string } | undefined {
  if (chunks.end >= 3 && chunks.bytes[0] === 0x1f && chunks.bytes[1] === 0x8b && chunks.bytes[2] === 8) {
    return { source: new GzipSource(chunks), name: 'gzip' };
  }
  if (chunks.end < 4) return undefined;
  const magic = chunks.view.getUint32(0, true);
  if (magic === ZSTD_FRAME) return { source: new ZstdSource(chunks), name: 'zstd' };
  if (isLz4(magic)) return { source: new Lz4Source(chunks), name: 'lz4' };
  // Both zstd and lz4 may begin with a skippable frame; pzstd writes one. What follows it decides.
  if (isSkippable(magic) && chunks.end >= 12) {
    const next = 8 + chunks.view.getUint32(4, true);
    const isLz4Next = next + 4 <= chunks.end && isLz4(chunks.view.getUint32(next, true));
    return isLz4Next ? { source: new Lz4Source(chunks), name: 'lz4' } : { source: new ZstdSource(chunks), name: 'zstd' };
  }
  return undefined;
}

type Problem = OctetSource['problem'];

/** RFC 1952, through zlib; several members one after another are one stream. */
class GzipSource implements OctetSource {
  problem: Problem;
  private readonly gunzip: Gunzip = createGunzip({ chunkSize: OUTPUT });
  private piece: Uint8Array = new Uint8Array(0);
  private writing = false;
  private inputEnded = false;
  private outputEnded = false;
  private out: Uint8Array = new Uint8Array(0);

  constructor(private readonly input: Chunks) {
    this.gunzip.on('end', () => {
      this.outputEnded = true;
    });
    this.gunzip.on('error', (error: NodeJS.ErrnoException) => {
      this.outputEnded = true;
      const cut = error.code === 'Z_BUF_ERROR';
      this.problem = {
        code: cut ? 'cut-short' : 'damaged',
        message: cut ? 'the gzip data ends early' : `the gzip data is damaged: ${error.message}`,
      };
    });
  }

  async read(into: Uint8Array, offset: number, length: number): Promise<number> {
    while (this.out.length === 0) {
      const out: unknown = this.gunzip.read();
      if (out instanceof Uint8Array) this.out = out;
      else if (this.outputEnded) return 0;
      else await this.feed();
    }
    const count = Math.min(length, this.out.length);
    into.set(this.out.subarray(0, count), offset);
    this.out = this.out.subarray(count);
    return count;
  }

  /**
   * Hands over the next piece, or waits for zlib. Input goes in only when all output is taken: so little is held, and
   * an error (which makes a stream forget its output) comes after everything that could be decompressed.
   */
  private async feed(): Promise<void> {
    if (!this.writing && !this.inputEnded) {
      const { input } = this;
      if (input.position === input.end && !(await input.more(1))) {
        this.inputEnded = true;
        this.gunzip.end();
      } else {
        const stop = Math.min(input.end, input.position + PIECE);
        // zlib reads it later, on another thread, when the input buffer may have been used again.
        this.piece = input.bytes.slice(input.position, stop);
        input.position = stop;
        this.writing = true;
        this.gunzip.write(this.piece, () => {
          this.writing = false;
          this.gunzip.emit('fed');
        });
      }
    }
    if (this.outputEnded || this.gunzip.readableLength > 0) return;
    const signal = new AbortController();
    const options = { signal: signal.signal };
    const events = ['readable', 'fed', 'end', 'close'].map((event) => once(this.gunzip, event, options).catch(() => undefined));
    await Promise.race(events);
    signal.abort();
  }

  async close(): Promise<void> {
    this.gunzip.destroy();
    await this.input.source.close();
  }
}

const ZSTD_FRAME = 0xfd2fb528;
/** Largest window, as the zstd tool itself allows without being asked. */
const MAX_WINDOW = 128 * 1024 * 1024;
/** Block_Maximum_Size, RFC 8878 section 3.1.1.2.4. */
const MAX_ZSTD_BLOCK = 128 * 1024;

/**
 * RFC 8878. The library decompresses; this walks the frames and hands it one block at a time, so that no more than a
 * block of output waits, and so that a window is checked before it is allocated.
 */
class ZstdSource extends FramedSource {
  private frame: Decompress | undefined;
  private checksum = false;

  constructor(input: Chunks) {
    super(input, 'zstd');
  }

  protected advance(): Promise<boolean> {
    return this.frame ? this.block(this.frame) : this.header();
  }

  /** Reads a frame header or a skippable frame; false at the end. */
  private async header(): Promise<boolean> {
    const { input } = this;
    if (!(await input.more(1))) return false;
    if (!(await input.more(8))) return this.cut();
    const magic = input.view.getUint32(input.position, true);
    if (isSkippable(magic)) return this.skipFrame();
    if (magic !== ZSTD_FRAME) return this.damaged('a frame expected');
    const flags = input.bytes[input.position + 4]!;
    const single = (flags & 0x20) !== 0;
    const dictionary = [0, 1, 2, 4][flags & 3]!;
    const contentSize = [single ? 1 : 0, 2, 4, 8][flags >> 6]!;
    const length = 5 + (single ? 0 : 1) + dictionary + contentSize;
    if (dictionary !== 0) return this.damaged('it needs a dictionary');
    if (!(await input.more(length))) return this.cut();
    const { view, bytes, position } = input;
    let window: number;
    if (single) {
      const at = position + 5;
      const sizes = [
        () => bytes[at]!,
        () => view.getUint16(at, true) + 256,
        () => view.getUint32(at, true),
        () => Number(view.getBigUint64(at, true)),
      ];
      window = sizes[flags >> 6]!();
    } else {
      const descriptor = bytes[position + 5]!;
      const base = 2 ** (10 + (descriptor >> 3));
      window = base + (base / 8) * (descriptor & 7);
    }
    if (window > MAX_WINDOW) return this.damaged(`it needs a window of ${window} octets, more than ${MAX_WINDOW}`);
    this.checksum = (flags & 4) !== 0;
    this.frame = new Decompress((block) => {
      if (block.length > 0) this.out = this.out.length === 0 ? block : joined(this.out, block);
    });
    return this.push(this.frame, length);
  }

  /** Reads one block, and the checksum after the last; false if it cannot be had. */
  private async block(frame: Decompress): Promise<boolean> {
    const { input } = this;
    if (!(await input.more(3))) return this.cut();
    const { bytes, position } = input;
    const header = bytes[position]! | (bytes[position + 1]! << 8) | (bytes[position + 2]! << 16);
    const last = (header & 1) !== 0;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === 3 || size > MAX_ZSTD_BLOCK) return this.damaged(`block of type ${type} and ${size} octets`);
    const length = 3 + (type === 1 ? 1 : size) + (last && this.checksum ? 4 : 0);
    if (!(await input.more(length))) return this.cut();
    if (last) this.frame = undefined;
    return this.push(frame, length);
  }

  private push(frame: Decompress, length: number): boolean {
    const { input } = this;
    // A copy, because the library keeps what it cannot use yet.
    const piece = input.bytes.slice(input.position, input.position + length);
    input.position += length;
    try {
      frame.push(piece);
      return true;
    } catch (error) {
      return this.damaged(error instanceof Error ? error.message : String(error));
    }
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
