/**
 * The octets of a direction that were handed on last, so that what comes again can be compared with what came first also
 * when its message is long complete. A ring, which grows with what came up to a bound.
 */

/** Octets that are remembered of a direction: more than most windows let a sender repeat. */
const MOST = 1 << 16;
/** Octets of the smallest ring. */
const LEAST = 1 << 11;

export class Recent {
  /** Positions in the stream of the first octet that is remembered, and of the one behind the last. */
  from = 0;
  to = 0;
  private ring = new Uint8Array(LEAST);

  /** Octets that the ring takes. */
  get size(): number {
    return this.ring.length;
  }

  /** Remember octets `[start, end)` of `bytes`, the first of which stands at `position`; the ring may grow by `room` octets. */
  put(bytes: Uint8Array, start: number, end: number, position: number, room: number): void {
    if (position !== this.to) this.from = position;
    this.to = position + end - start;
    const wanted = Math.min(MOST, this.to - this.from);
    if (wanted > this.ring.length) this.grow(wanted, room, position);
    const { length } = this.ring;
    if (this.to - this.from > length) this.from = this.to - length;
    const first = Math.max(position, this.from);
    this.write(this.ring, bytes, start + first - position, end, first);
  }

  /** A copy of the octets `[from, to)`, all of which are remembered. */
  slice(from: number, to: number): Uint8Array {
    const { ring } = this;
    const copy = new Uint8Array(to - from);
    const at = from % ring.length;
    const straight = Math.min(copy.length, ring.length - at);
    copy.set(ring.subarray(at, at + straight));
    copy.set(ring.subarray(0, copy.length - straight), straight);
    return copy;
  }

  /** A larger ring with the octets up to `to` in their new places. */
  private grow(wanted: number, room: number, to: number): void {
    const size = 2 ** Math.ceil(Math.log2(wanted));
    if (size - this.ring.length > room) return;
    const kept = this.slice(this.from, to);
    this.ring = new Uint8Array(size);
    this.write(this.ring, kept, 0, kept.length, this.from);
  }

  /** Octets `[start, end)`, at most a ring of them, to the place of `position`. */
  private write(ring: Uint8Array, bytes: Uint8Array, start: number, end: number, position: number): void {
    const at = position % ring.length;
    const straight = Math.min(end, start + ring.length - at);
    ring.set(bytes.subarray(start, straight), at);
    ring.set(bytes.subarray(straight, end), 0);
  }
}
