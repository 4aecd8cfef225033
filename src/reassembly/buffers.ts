/** Octets to gather messages in, used again and again: a message is complete a moment after it began, as a rule. */

/** Powers of two: the octets of the smallest buffer, and of the largest that is kept. */
const LEAST = 9;
const MOST_SPARE = 20;
/** Octets that are kept at most, in buffers of each size. */
const SPARE = 1 << 22;
/** Buffers of each size that are kept at most. */
const SPARES = 64;

export class Buffers {
  /** Buffers to be filled again, by their size. */
  private readonly spare: Uint8Array[][] = Array.from({ length: MOST_SPARE - LEAST + 1 }, () => []);
  /** Those that layers of the frame under way still stand in. */
  private readonly inUse: Uint8Array[] = [];
  private frame = 0;

  /** A buffer of at least `length` octets; what is in it is of no meaning. */
  take(length: number): Uint8Array {
    // Powers of two, so that few sizes go round. Past 2³⁰ shifts end.
    const size = length <= 1 << LEAST ? LEAST : length > 1 << 30 ? Math.ceil(Math.log2(length)) : 32 - Math.clz32(length - 1);
    return this.spare[size - LEAST]?.pop() ?? new Uint8Array(2 ** size);
  }

  /** A buffer that nobody fills any more. It is used again for a later frame, so what outlives its frame copies from it. */
  giveBack(buffer: Uint8Array): void {
    if (buffer.length > 0 && buffer.length <= 1 << MOST_SPARE && this.inUse.length < SPARES) this.inUse.push(buffer);
  }

  /** Frame number `frame` is under way: what layers of earlier frames stood in may be used again. */
  renew(frame: number): void {
    if (this.inUse.length === 0 || frame === this.frame) return;
    this.frame = frame;
    while (this.inUse.length > 0) {
      const buffer = this.inUse.pop()!;
      const those = this.spare[31 - Math.clz32(buffer.length) - LEAST]!;
      if (those.length < SPARES && those.length * buffer.length < SPARE) those.push(buffer);
    }
  }
}
