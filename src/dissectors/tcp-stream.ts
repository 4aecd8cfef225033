/** What putting byte streams in order says about a segment: rows of the Tcp layer, filled by reassembly/streams.ts. */
import { bytes, frameNumber, gated, group, many, mark, uint32 } from '../core/field.js';
import type { Layer, Tree } from '../core/layer.js';

/** Octets that one frame brought for a message. */
export interface Part {
  readonly frame: number;
  /** Where they go in the message's octets. */
  readonly from: number;
  readonly to: number;
  /** Differs from what another frame brought for the same place. */
  readonly conflict: boolean;
}

/** Which frames brought the octets of a message. Numbers in a row, so that a part leaves nothing to collect. */
export class Parts implements Iterable<Part> {
  length = 0;
  /** Three a part: its frame, below 0 where there is a conflict, and where its octets begin and end. */
  private readonly numbers: number[] = [];

  add(frame: number, from: number, to: number, conflict: boolean): void {
    const { numbers } = this;
    const at = 3 * this.length++;
    numbers[at] = conflict ? -frame : frame;
    numbers[at + 1] = from;
    numbers[at + 2] = to;
  }

  /** Number `frame` brought octets up to `to`: more of the last part, if they follow on those that it brought before; false if not. */
  extend(frame: number, from: number, to: number): boolean {
    const { numbers } = this;
    const last = 3 * this.length - 3;
    if (last < 0 || Math.abs(numbers[last]!) !== frame || numbers[last + 2] !== from || to <= from) return false;
    numbers[last + 2] = to;
    return true;
  }

  frame(part: number): number {
    return Math.abs(this.numbers[3 * part]!);
  }
  from(part: number): number {
    return this.numbers[3 * part + 1]!;
  }
  to(part: number): number {
    return this.numbers[3 * part + 2]!;
  }
  conflict(part: number): boolean {
    return this.numbers[3 * part]! < 0;
  }

  *[Symbol.iterator](): Iterator<Part> {
    for (let i = 0; i < this.length; i++) yield { frame: this.frame(i), from: this.from(i), to: this.to(i), conflict: this.conflict(i) };
  }

  /** Put them in the order in which their octets begin; of those that begin alike the first comes first. */
  sort(): void {
    let isSorted = true;
    for (let i = 1; i < this.length && isSorted; i++) isSorted = this.from(i) >= this.from(i - 1);
    if (isSorted) return;
    const parts = [...this].sort((a, b) => a.from - b.from);
    this.clear();
    for (const { frame, from, to, conflict } of parts) this.add(frame, from, to, conflict);
  }

  clear(): void {
    this.length = 0;
  }

  copy(): Parts {
    const copy = new Parts();
    for (const { frame, from, to, conflict } of this) copy.add(frame, from, to, conflict);
    return copy;
  }
}

/** Messages that came in several segments, in the segment that completed them. */
export interface Reassembled {
  readonly bytes: Uint8Array;
  readonly length: number;
  /** In the order of their octets. */
  readonly parts: Pick<Parts, 'length' | 'frame' | 'from' | 'to' | 'conflict' | 'copy'> & Iterable<Part>;
}

/** What is known of a segment beyond its header. Positions are absolute in the layer's octets. */
export interface StreamNotes {
  reassembled: Reassembled | undefined;
  /** Stretches that belong to a message of which more segments tell, [from, to). */
  readonly segmentData: readonly (readonly [from: number, to: number])[];
  /** Lengths of the messages that it completes, of protocols that announce them. */
  readonly sizes: readonly number[];
  /** Octets that came again and differ: where in the stream, what came first and what came later. */
  conflict: { readonly position: number; readonly first: Uint8Array; readonly last: Uint8Array } | undefined;
}

const notesOf = (l: Layer): StreamNotes | undefined => (l as Layer & { assembly?: StreamNotes }).assembly;

const reassembledRows = {
  ...group(
    { segments: mark('tcp.segments', 'Reassembled TCP Segments') },
    {
      segment: many(frameNumber('tcp.segment', 'TCP Segment')),
      segmentError: many(frameNumber('tcp.segment.error', 'Reassembling error')),
      segmentOverlap: many(mark('tcp.segment.overlap', 'Segment overlap')),
      segmentConflict: many(mark('tcp.segment.overlap.conflict', 'Conflicting data in segment overlap')),
      segmentCount: uint32('tcp.segment.count', 'Segment count'),
      reassembledLength: uint32('tcp.reassembled.length', 'Reassembled TCP length', { unit: 'bytes' }),
      reassembledData: bytes('tcp.reassembled.data', 'Reassembled TCP Data', { quiet: true }),
    },
  ),
};

export const streamRows = {
  ...gated((l: Layer) => (notesOf(l)?.sizes.length ?? 0) > 0, {
    pduSize: many(uint32('tcp.pdu.size', 'PDU Size', { unit: 'bytes' })),
  }),
  ...gated((l: Layer) => notesOf(l) !== undefined, {
    segmentData: many(bytes('tcp.segment_data', 'TCP segment data', { quiet: true })),
  }),
  ...gated((l: Layer) => notesOf(l)?.reassembled !== undefined, reassembledRows),
};

/** Write {@link streamRows}; part of the Tcp layer's walk. */
export function walkStream(tree: Tree, notes: StreamNotes): void {
  const { bytes: own, limit } = tree;
  for (const size of notes.sizes) tree.put(streamRows.pduSize, size);
  for (const [from, to] of notes.segmentData) tree.add(streamRows.segmentData, from, Math.min(to, limit) - from);
  const { reassembled } = notes;
  if (reassembled === undefined) return;
  tree.bytes = reassembled.bytes;
  tree.limit = reassembled.length;
  tree.openPut(streamRows.segments, true, 0, reassembled.length);
  let covered = 0;
  for (const part of reassembled.parts) {
    tree.openPut(part.conflict ? streamRows.segmentError : streamRows.segment, part.frame, part.from, part.to - part.from);
    if (part.from < covered) tree.put(streamRows.segmentOverlap, true);
    if (part.conflict) tree.put(streamRows.segmentConflict, true);
    tree.close();
    if (part.to > covered) covered = part.to;
  }
  tree.put(streamRows.segmentCount, reassembled.parts.length);
  tree.put(streamRows.reassembledLength, reassembled.length);
  tree.add(streamRows.reassembledData, 0, reassembled.length);
  tree.close();
  tree.bytes = own;
  tree.limit = limit;
}
