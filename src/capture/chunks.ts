/** The buffer that readers parse in: it holds what came and was not yet used, and asks its source for more. */
import type { OctetSource } from './octets.js';

/** Octets of a chunk: large enough that one `await` a chunk costs nothing, small enough to stay warm. */
export const CHUNK = 4 * 1024 * 1024;

/** One reusable buffer over a source. `bytes[position..end)` is held and not yet used. */
export class Chunks {
  bytes: Uint8Array;
  /** Over all of {@link bytes}. */
  view: DataView;
  position = 0;
  end = 0;
  /** Where `bytes[0]` stands in the source. */
  base = 0;
  private ended = false;

  /** `capacity`: octets to hold at a time; grows only for a record that needs it, and only as its octets come. */
  constructor(
    readonly source: OctetSource,
    capacity: number,
  ) {
    this.bytes = allocate(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Where {@link position} stands in the source. */
  get offset(): number {
    return this.base + this.position;
  }

  /**
   * Waits until `need` octets are held from {@link position} on; false if the source ends before.
   * What was before `position` is gone afterwards.
   */
  async more(need: number): Promise<boolean> {
    this.compact();
    while (this.end < need) {
      if (this.ended) return false;
      // Doubling what is full, not allocating what is claimed: a lying length costs at most twice what really came.
      if (this.end === this.bytes.length) this.resize(this.bytes.length * 2);
      const count = await this.source.read(this.bytes, this.end, this.bytes.length - this.end);
      if (count === 0) this.ended = true;
      this.end += count;
    }
    return true;
  }

  /** Hold more at a time from now on. */
  resize(capacity: number): void {
    if (capacity <= this.bytes.length) return;
    this.moveTo(allocate(capacity));
  }

  /** Hold octets there from now on, if what is held fits in. */
  moveTo(octets: Uint8Array): void {
    if (this.end - this.position > octets.length) return;
    octets.set(this.bytes.subarray(this.position, this.end));
    this.base += this.position;
    this.end -= this.position;
    this.position = 0;
    this.bytes = octets;
    this.view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  }

  /** Let go of the buffer; nothing more will be read. */
  release(): void {
    this.bytes = new Uint8Array(0);
    this.view = new DataView(this.bytes.buffer);
    this.position = this.end = 0;
    this.ended = true;
  }

  private compact(): void {
    if (this.position === 0) return;
    this.bytes.copyWithin(0, this.position, this.end);
    this.base += this.position;
    this.end -= this.position;
    this.position = 0;
  }
}

/** A plain Uint8Array (not a Buffer, so that code over it stays monomorphic) whose octets are not cleared first. */
function allocate(length: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
}
