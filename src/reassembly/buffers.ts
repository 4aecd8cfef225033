/** Octets to gather messages in, used again and again: a message is complete a moment after it began, as a rule. */

/** Octets of the smallest buffer that is kept, and of the largest. */
const LEAST_BUFFER = 2048;
const MOST_SPARE = 1 << 20;
/** Buffers kept at most. */
const SPARES = 32;

export class Buffers {
  /** Buffers to be filled again, and those that layers of the frame under way still stand in. */
  private readonly spare: Uint8Array[] = [];
  private readonly inUse: Uint8Array[] = [];
  private frame = 0;

  /** A buffer of at least `length` octets; what is in it is of no meaning. */
  take(length: number): Uint8Array {
    if (length < LEAST_BUFFER) return new Uint8Array(length);
    const { spare } = this;
    for (let i = spare.length - 1; i >= 0; i--) {
      const buffer = spare[i]!;
      if (buffer.length < length) continue;
      spare[i] = spare[spare.length - 1]!;
      spare.pop();
      return buffer;
    }
    // Powers of two, so that few sizes go round.
    return new Uint8Array(2 ** Math.ceil(Math.log2(length)));
  }

  /** A buffer that nobody fills any more. It is used again for a later frame, so what outlives its frame copies from it. */
  giveBack(buffer: Uint8Array): void {
    if (buffer.length >= LEAST_BUFFER && buffer.length <= MOST_SPARE && this.inUse.length < SPARES) this.inUse.push(buffer);
  }

  /** Frame number `frame` is under way: what layers of earlier frames stood in may be used again. */
  renew(frame: number): void {
    if (this.inUse.length === 0 || frame === this.frame) return;
    this.frame = frame;
    while (this.inUse.length > 0) {
      const buffer = this.inUse.pop()!;
      if (this.spare.length < SPARES) this.spare.push(buffer);
    }
  }
}
