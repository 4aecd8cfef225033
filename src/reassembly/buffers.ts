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

/** Things that lie ready. What was put there last is taken first, as it is near in memory. */
class Spares<T> {
  /** All places are there from the start: to the engine an array that grew from nothing is another kind of thing than one that did not. */
  private readonly places: (T | undefined)[];
  private count = 0;

  constructor(most: number) {
    this.places = new Array<T | undefined>(most).fill(undefined);
  }

  take(): T | undefined {
    return this.count > 0 ? this.places[--this.count] : undefined;
  }

  /** Beyond what there is room for, things are left to be collected. */
  put(thing: T): void {
    if (this.count < this.places.length) this.places[this.count++] = thing;
  }
}

export class Buffers {
  /** Buffers to be filled again, by their size. */
  private readonly spare = Array.from(
    { length: MOST_SPARE - LEAST + 1 },
    (_, i) => new Spares<Uint8Array>(Math.min(SPARES, SPARE >> (LEAST + i))),
  );
  private readonly spareParts = new Spares<Parts>(SPARES);
  /** Those that layers of the frame under way still stand in. */
  private readonly inUse = new Spares<Uint8Array>(SPARES);
  private readonly partsInUse = new Spares<Parts>(SPARES);
  private isAnyInUse = false;
  private frame = 0;

  /** A buffer of at least `length` octets; what is in it is of no meaning. */
  take(length: number): Uint8Array {
    return this.takeReady(length) ?? new Uint8Array(2 ** sizeOf(length));
  }

  /** The same if one lies ready: none is made for a length that was only announced. */
  takeReady(length: number): Uint8Array | undefined {
    const size = sizeOf(length);
    return size > MOST_SPARE ? undefined : this.spare[size - LEAST]!.take();
  }

  /** A buffer that nobody fills any more. It is used again for a later frame, so what outlives its frame copies from it. */
  giveBack(buffer: Uint8Array): void {
    if (buffer.length === 0 || buffer.length > 1 << MOST_SPARE) return;
    this.inUse.put(buffer);
    this.isAnyInUse = true;
  }

  /** An empty list of parts. */
  takeParts(): Parts {
    return this.spareParts.take() ?? new Parts();
  }

  /** A list that nobody adds to any more; as {@link giveBack}. */
  giveBackParts(parts: Parts): void {
    if (parts.length > MOST_PARTS) return;
    this.partsInUse.put(parts);
    this.isAnyInUse = true;
  }

  /** Frame number `frame` is under way: what layers of earlier frames stood in may be used again. */
  renew(frame: number): void {
    if (this.isAnyInUse && frame !== this.frame) this.free(frame);
  }

  private free(frame: number): void {
    this.frame = frame;
    this.isAnyInUse = false;
    for (let parts = this.partsInUse.take(); parts !== undefined; parts = this.partsInUse.take()) {
      parts.clear();
      this.spareParts.put(parts);
    }
    for (let buffer = this.inUse.take(); buffer !== undefined; buffer = this.inUse.take())
      this.spare[31 - Math.clz32(buffer.length) - LEAST]!.put(buffer);
  }
}

/** Powers of two, so that few sizes go round. Past 2³⁰ shifts end. */
function sizeOf(length: number): number {
  if (length <= 1 << LEAST) return LEAST;
  return length > 1 << 30 ? Math.ceil(Math.log2(length)) : 32 - Math.clz32(length - 1);
}
