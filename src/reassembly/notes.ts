/** What is noted of a segment: which stretches of it belong to which messages. */
import type { Reassembled, StreamNotes } from '../dissectors/tcp-stream.js';
import type { SegmentLayer } from './stream-options.js';

type Stretch = readonly [from: number, to: number];

const NO_SIZES: readonly number[] = [];

/** Lists are made when there is something to be listed: nearly all segments have one stretch, and nobody asks for it. */
export class SegmentNotes implements StreamNotes {
  reassembled: Reassembled | undefined = undefined;
  sizes: readonly number[] = NO_SIZES;
  conflict: StreamNotes['conflict'] = undefined;
  /** The first stretch; none while `to` is 0. */
  private from = 0;
  private to = 0;
  private others: Stretch[] | undefined = undefined;

  get segmentData(): readonly Stretch[] {
    if (this.to === 0) return [];
    const first: Stretch = [this.from, this.to];
    return this.others === undefined ? [first] : [first, ...this.others];
  }

  /** `[from, to)` belongs to a message of which more segments tell. */
  add(from: number, to: number): void {
    if (this.to === 0) {
      this.from = from;
      this.to = to;
    } else if (this.others === undefined) this.others = [[from, to]];
    else this.others.push([from, to]);
  }

  /** The segment completes a message of so many octets. */
  sized(length: number): void {
    if (this.sizes === NO_SIZES) this.sizes = [length];
    else (this.sizes as number[]).push(length);
  }
}

/** The notes of a segment. */
export function notesOf(tcp: SegmentLayer): SegmentNotes {
  return (tcp.assembly ??= new SegmentNotes()) as SegmentNotes;
}
