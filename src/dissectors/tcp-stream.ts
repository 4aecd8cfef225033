/** What putting byte streams in order says about a segment: rows of the Tcp layer, filled by reassembly/streams.ts. */
import { bytes, frameNumber, gated, group, many, mark, uint32 } from '../core/field.js';
import type { Layer, Tree } from '../core/layer.js';

/** Octets that one frame brought for a message. */
export interface Part {
  readonly frame: number;
  /** Where they go in the message's octets. */
  readonly from: number;
  to: number;
  /** Differs from what another frame brought for the same place. */
  readonly conflict: boolean;
}

/** Messages that came in several segments, in the segment that completed them. */
export interface Reassembled {
  readonly bytes: Uint8Array;
  readonly length: number;
  /** In the order of their octets. */
  readonly parts: readonly Part[];
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
