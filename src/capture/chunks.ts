/** The buffer that readers parse in: it holds what came and was not yet used, and asks its source for more. */
import type { OctetSource } from './octets.js';

/** Octets of a chunk: large enough that one `await` a chunk costs nothing, small enough to stay warm. */
export const CHUNK = 2 * 1024 * 1024;
/** Room before a chunk that is read ahead, for what the one before it left over: the largest record that tools write. */
const MARGIN = 512 * 1024;

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
  /** What is read into while {@link bytes} is parsed, from {@link MARGIN} on; none where nothing is read ahead. */
  private spare: Uint8Array | undefined;
  /** The octets that come into {@link spare}. */
  private coming: Promise<number> | undefined;

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
    if (this.spare !== undefined) return this.turn(need);
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
    const bytes = allocate(capacity);
    bytes.set(this.bytes.subarray(this.position, this.end));
    this.base += this.position;
    this.end -= this.position;
    this.position = 0;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  /** From now on read the next octets while those that are held are parsed; for files, which have them at once. */
  readAhead(): void {
    this.resize(MARGIN + CHUNK);
    this.spare = allocate(MARGIN + CHUNK);
    this.ask(this.spare);
  }

  /** Go on with what was read ahead. */
  private async turn(need: number): Promise<boolean> {
    while (this.end - this.position < need) {
      if (this.ended) return false;
      const count = await this.coming!;
      if (count === 0) {
        this.ended = true;
        return false;
      }
      const { bytes, position, end, spare } = this;
      const rest = end - position;
      if (rest <= MARGIN) {
        const from = MARGIN - rest;
        spare!.set(bytes.subarray(position, end), from);
        this.hold(spare!, from, MARGIN + count, position);
        this.spare = bytes;
      } else {
        // A record larger than any that tools write: gathered in a buffer that grows with what came.
        const larger = allocate(2 * (rest + count));
        larger.set(bytes.subarray(position, end));
        larger.set(spare!.subarray(MARGIN, MARGIN + count), rest);
        this.hold(larger, 0, rest + count, position);
      }
      this.ask(this.spare!);
    }
    return true;
  }

  /** What stood at `before` in the buffer until now stands at `position` in another one. */
  private hold(bytes: Uint8Array, position: number, end: number, before: number): void {
    this.base += before - position;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
    this.position = position;
    this.end = end;
  }

  private ask(into: Uint8Array): void {
    this.coming = this.source.read(into, MARGIN, into.length - MARGIN);
    // Who waits for it is told of a failure; until then nobody has to know.
    this.coming.catch(() => undefined);
  }

  /** Nothing more will be asked for: wait for what is on its way, and close the source. */
  async close(): Promise<void> {
    await this.coming?.catch(() => undefined);
    await this.source.close();
    this.release();
  }

  /** Let go of the buffer; nothing more will be read. */
  private release(): void {
    this.bytes = new Uint8Array(0);
    this.view = new DataView(this.bytes.buffer);
    this.spare = this.coming = undefined;
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
