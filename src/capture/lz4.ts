/**
 * lz4: frames of blocks, each decoded on its own or with the last 64 KiB before it.
 *
 * LZ4 Frame Format 1.6.3 and LZ4 Block Format of the lz4 project; the legacy frame of the Linux kernel as well.
 *
 *     frame: magic 4 | flags 1 | block size 1 | [content size 8] | [dictionary 4] | header checksum 1
 *     block: size 4 (top bit: stored) | data | [checksum 4]; size 0 ends, then [content checksum 4]
 */
import type { Chunks } from './chunks.js';
import { FramedSource, isSkippable } from './framed-source.js';

const FRAME = 0x184d2204;
const LEGACY_FRAME = 0x184c2102;
/** Octets before a block that its matches may reach back to. */
const HISTORY = 64 * 1024;
/** Octets of a block after decoding, by the size code of the frame. */
const BLOCK_SIZES: Readonly<Record<number, number>> = { 4: 64 * 1024, 5: 256 * 1024, 6: 1024 * 1024, 7: 4 * 1024 * 1024 };
const LEGACY_BLOCK = 8 * 1024 * 1024;

/** Is this the first word of an lz4 frame, read little-endian? */
export function isLz4(magic: number): boolean {
  return magic === FRAME || magic === LEGACY_FRAME;
}

interface Frame {
  readonly legacy: boolean;
  readonly blockSize: number;
  readonly independent: boolean;
  readonly blockChecksums: boolean;
  readonly contentChecksum: boolean;
}

/** Decompresses frame after frame, a block at a time. Checksums are not verified: the capture's own structure is checked. */
export class Lz4Source extends FramedSource {
  private frame: Frame | undefined;
  /** History, then the block, which ends at `filled`. */
  private output = new Uint8Array(0);
  private filled = 0;

  constructor(input: Chunks) {
    super(input, 'lz4');
  }

  protected advance(): Promise<boolean> {
    return this.frame ? this.block(this.frame) : this.header();
  }

  /** Reads a frame header or skips a skippable frame; false at the end. */
  private async header(): Promise<boolean> {
    const { input } = this;
    if (!(await input.more(1))) return false;
    if (!(await input.more(4))) return this.cut();
    const magic = input.view.getUint32(input.position, true);
    if (isSkippable(magic)) return (await input.more(8)) ? this.skipFrame() : this.cut();
    if (magic === LEGACY_FRAME) {
      input.position += 4;
      return this.begin({ legacy: true, blockSize: LEGACY_BLOCK, independent: true, blockChecksums: false, contentChecksum: false });
    }
    if (magic !== FRAME) return this.damaged('a frame expected');
    if (!(await input.more(7))) return this.cut();
    const flags = input.bytes[input.position + 4]!;
    const blockSize = BLOCK_SIZES[(input.bytes[input.position + 5]! >> 4) & 7];
    if (flags >> 6 !== 1 || blockSize === undefined) return this.damaged('unknown version or block size');
    if (flags & 1) return this.damaged('it needs a dictionary');
    const length = 7 + (flags & 8 ? 8 : 0);
    if (!(await input.more(length))) return this.cut();
    input.position += length;
    return this.begin({
      legacy: false,
      blockSize,
      independent: (flags & 0x20) !== 0,
      blockChecksums: (flags & 0x10) !== 0,
      contentChecksum: (flags & 4) !== 0,
    });
  }

  private begin(frame: Frame): true {
    this.frame = frame;
    if (this.output.length < HISTORY + frame.blockSize) this.output = new Uint8Array(HISTORY + frame.blockSize);
    this.filled = 0;
    return true;
  }

  private async block(frame: Frame): Promise<boolean> {
    const { input } = this;
    if (!(await input.more(4))) {
      if (!frame.legacy || input.position !== input.end) return this.cut();
      this.frame = undefined;
      return false;
    }
    const word = input.view.getUint32(input.position, true);
    if (frame.legacy && (isLz4(word) || isSkippable(word))) {
      this.frame = undefined;
      return true;
    }
    if (word === 0 && !frame.legacy) {
      const length = 4 + (frame.contentChecksum ? 4 : 0);
      if (!(await input.more(length))) return this.cut();
      input.position += length;
      this.frame = undefined;
      return true;
    }
    const stored = !frame.legacy && word >= 0x80000000;
    const size = stored ? word - 0x80000000 : word;
    // What does not shrink is stored, but a legacy block has no such mark and may grow a little.
    if (size > frame.blockSize + (frame.legacy ? frame.blockSize / 255 + 16 : 0)) return this.damaged(`block of ${size} octets`);
    const length = 4 + size + (frame.blockChecksums ? 4 : 0);
    // A block may hold megabytes: of one that is cut, what is there is decoded.
    const isWhole = await input.more(length);
    this.keepHistory(frame);
    const kept = this.filled;
    const start = input.position + 4;
    const end = Math.min(start + size, input.end);
    if (stored) {
      this.output.set(input.bytes.subarray(start, end), this.filled);
      this.filled += end - start;
    } else {
      const first = frame.independent ? this.filled : 0;
      const limit = this.filled + frame.blockSize;
      const stop = decodeBlock(input.bytes, start, end, this.output, this.filled, limit, first, end < start + size);
      if (stop < 0) return this.damaged('a block that does not decode');
      this.filled = stop;
    }
    this.out = this.output.subarray(kept, this.filled);
    if (!isWhole) {
      this.cut();
      return true;
    }
    input.position += length;
    return true;
  }

  /** Moves the last 64 KiB of output to the front, where the matches of a linked block find them. */
  private keepHistory(frame: Frame): void {
    const kept = frame.independent ? 0 : Math.min(HISTORY, this.filled);
    this.output.copyWithin(0, this.filled - kept, this.filled);
    this.filled = kept;
  }
}

/**
 * Decodes `from[position..end)` into `to` at `at`; returns where the output ends, -1 if it is damaged.
 * A sequence is a token (high half: literals, low half: match length - 4), literals, offset 2, more match length.
 * Every round takes a token, every length is checked against what is there and what fits, matches reach back to `first`.
 * `isCut`: the input is the beginning of a block, and its end no damage.
 */
function decodeBlock(
  from: Uint8Array,
  position: number,
  end: number,
  to: Uint8Array,
  at: number,
  limit: number,
  first: number,
  isCut: boolean,
): number {
  let input = position;
  let output = at;
  while (input < end) {
    const token = from[input++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let octet = 255;
      while (octet === 255) {
        if (input >= end) return isCut ? output : -1;
        octet = from[input++]!;
        literals += octet;
      }
    }
    if (literals > limit - output) return -1;
    if (literals > end - input) {
      if (!isCut) return -1;
      literals = end - input;
    }
    if (literals > 32) to.set(from.subarray(input, input + literals), output);
    else for (let index = 0; index < literals; index++) to[output + index] = from[input + index]!;
    input += literals;
    output += literals;
    if (input === end) return output; // the last sequence has literals only
    if (input + 2 > end) return isCut ? output : -1;
    const distance = from[input]! | (from[input + 1]! << 8);
    input += 2;
    let length = (token & 15) + 4;
    if (length === 19) {
      let octet = 255;
      while (octet === 255) {
        if (input >= end) return isCut ? output : -1;
        octet = from[input++]!;
        length += octet;
      }
    }
    const source = output - distance;
    if (distance === 0 || source < first || length > limit - output) return -1;
    // A match may overlap what it writes, which repeats it; then it is copied octet by octet.
    if (distance >= length && length > 32) to.copyWithin(output, source, source + length);
    else for (let index = 0; index < length; index++) to[output + index] = to[source + index]!;
    output += length;
  }
  return output;
}
