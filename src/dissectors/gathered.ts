/** Octets that come piece by piece, in one place of their own. */

const NOTHING = new Uint8Array(0);

/** Grows with what came, twofold, so that each octet is copied a bounded number of times. */
export class Gathered {
  private buffer = NOTHING;
  length = 0;

  /** Put `[from, to)` of `bytes` behind what is there. */
  append(bytes: Uint8Array, from: number, to: number): void {
    const length = this.length + to - from;
    if (length > this.buffer.length) {
      const bigger = new Uint8Array(Math.max(2 * this.length, length));
      bigger.set(this.buffer.subarray(0, this.length));
      this.buffer = bigger;
    }
    this.buffer.set(bytes.subarray(from, to), this.length);
    this.length = length;
  }

  /** All of them; shares memory with what is gathered on. */
  get octets(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }
}
