/** What messages are gathered in, used again and again: a message is complete a moment after it began, as a rule. */
import { Parts } from '../dissectors/tcp-stream.js';

/** Powers of two: the octets of the smallest buffer, and of the largest that is kept. */
const LEAST = 9;
const MOST_SPARE = 20;
/** Octets that are kept at most, in buffers of each size. */
const SPARE = 1 << 22;
/** Buffers of each size that are kept at most. */
const SPARES = 64;
/** Parts of the longest list that is kept. */
const MOST_PARTS = 256;

export class Buffers {
  /** Buffers to be filled again, by their size. */
  private readonly spare: Uint8Array[][] = Array.from({ length: MOST_SPARE - LEAST + 1 }, () => []);
  /** Those that layers of the frame under way still stand in. */
  private readonly inUse: Uint8Array[] = [];
  private readonly spareParts: Parts[] = [];
  private readonly partsInUse: Parts[] = [];
  private frame = 0;

  /** A buffer of at least `length` octets; what is in it is of no meaning. */
  take(length: number): Uint8Array {
    const size = sizeOf(length);
    return this.spare[size - LEAST]?.pop() ?? new Uint8Array(2 ** size);
  }

  /** The same if one lies ready: none is made for a length that was only announced. */
  takeReady(length: number): Uint8Array | undefined {
    return this.spare[sizeOf(length) - LEAST]?.pop();
  }

  /** A buffer that nobody fills any more. It is used again for a later frame, so what outlives its frame copies from it. */
  giveBack(buffer: Uint8Array): void {
    if (buffer.length > 0 && buffer.length <= 1 << MOST_SPARE && this.inUse.length < SPARES) this.inUse.push(buffer);
  }

  /** An empty list of parts. */
  takeParts(): Parts {
    return this.spareParts.pop() ?? new Parts();
  }

  /** A list that nobody adds to any more; as {@link giveBack}. */
  giveBackParts(parts: Parts): void {
    if (parts.length <= MOST_PARTS && this.partsInUse.length < SPARES) this.partsInUse.push(parts);
  }

  /** Frame number `frame` is under way: what layers of earlier frames stood in may be used again. */
  renew(frame: number): void {
    const { inUse, partsInUse, spareParts } = this;
    if (inUse.length + partsInUse.length === 0 || frame === this.frame) return;
    this.frame = frame;
    while (partsInUse.length > 0) {
      const parts = partsInUse.pop()!;
      parts.clear();
      if (spareParts.length < SPARES) spareParts.push(parts);
    }
    while (inUse.length > 0) {
      const buffer = inUse.pop()!;
      const those = this.spare[31 - Math.clz32(buffer.length) - LEAST]!;
      if (those.length < SPARES && those.length * buffer.length < SPARE) those.push(buffer);
    }
  }
}

/** Powers of two, so that few sizes go round. Past 2³⁰ shifts end. */
function sizeOf(length: number): number {
  if (length <= 1 << LEAST) return LEAST;
  return length > 1 << 30 ? Math.ceil(Math.log2(length)) : 32 - Math.clz32(length - 1);
}
