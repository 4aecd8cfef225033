/**
 * What follows the payload in a link-layer frame: padding up to the least length of an Ethernet frame, octets that
 * someone appended, the frame check sequence.
 *
 *     | header | payload (ends where IP, ARP, … say) | padding: zeros up to octet 60 | trailer | FCS |
 *
 * IEEE 802.3 sections 3.2.8 (pad) and 3.2.9 (FCS). Nothing in a frame says which of these are there, so the same
 * guesses as Wireshark's are made: a pad is zeros only, and a frame of 64 octets or more needs none, so four
 * octets at the end of such a frame's trailer are its FCS unless the capture says that it has no FCS.
 */
import { expert, type Field } from '../core/field.js';
import type { Layer, Tree } from '../core/layer.js';

/** Octets of an Ethernet frame without FCS at the least. */
const LEAST_FRAME = 60;
/** The same with FCS. */
const LEAST_FRAME_WITH_FCS = 64;
const FCS_LENGTH = 4;

/** Rows of a layer that shows its trailer. */
export interface TrailerRows {
  readonly padding: Field;
  readonly trailer: Field;
  /** The mark that padding could not be told from a trailer. */
  readonly paddingBad?: Field;
  readonly fcs?: Field;
  readonly fcsStatus?: Field;
}

/** The row of that mark. */
export const paddingBad = (): Field<true | undefined> =>
  expert(
    'note',
    'protocol',
    'eth.padding_bad',
    "Didn't find padding of zeros, and an undecoded trailer exists. There may be padding of non-zeros.",
  );

/** The FCS was there and nobody checked it. */
const UNVERIFIED = 2;

/**
 * Where what `layer` carries ends: where the next layer says (an IP packet knows its length), at most `end`.
 * Worked out when asked for, so that it costs dissection nothing.
 */
export function payloadEnd(layer: Layer, end: number): number {
  const { layers, stopped } = layer.frame;
  const child = layers[layers.indexOf(layer) + 1];
  // A child that contradicts itself is not believed.
  if (stopped !== undefined && stopped.layer === child && stopped.reason === 'malformed') return end;
  return child !== undefined && child.bytes === layer.bytes && child.start > layer.start && child.end < end ? child.end : end;
}

/**
 * Add what stands between `from`, the end of the payload, and `end`, the end of the frame.
 * `fcsLength`: 4 when there is an FCS, 0 when there is none, undefined when nobody knows.
 */
export function walkTrailer(tree: Tree, layer: Layer, from: number, end: number, fcsLength: number | undefined, rows: TrailerRows): void {
  if (from >= end || from < layer.start) return;
  const { frame, captured } = layer;
  let at = from;
  let uncertain = false;
  // Octets are counted from the start of the whole frame: a frame inside a tunnel was not padded for a wire.
  const first = layer.bytes === frame.own ? frame.start : layer.start;
  const pad = Math.min(first + LEAST_FRAME, end);
  if (at < pad && frame.end - frame.start >= LEAST_FRAME) {
    const seen = Math.min(pad, captured);
    while (at < seen && layer.bytes[at] === 0) at++;
    if (at < seen) {
      at = from;
      uncertain = true;
    } else if (pad > captured) return;
    else tree.add(rows.padding, from, pad - from);
  }
  const fcs =
    rows.fcs !== undefined &&
    (fcsLength === FCS_LENGTH || (fcsLength === undefined && end - layer.start >= LEAST_FRAME_WITH_FCS && end - at >= FCS_LENGTH));
  const last = fcs ? end - FCS_LENGTH : end;
  const trailerEnd = Math.min(last, captured);
  if (trailerEnd > at) {
    tree.add(rows.trailer, at, trailerEnd - at);
    if (uncertain && rows.paddingBad) tree.put(rows.paddingBad, true, at, trailerEnd - at);
  }
  if (!fcs || !tree.add(rows.fcs!, last)) return;
  if (rows.fcsStatus) tree.put(rows.fcsStatus, UNVERIFIED, last, FCS_LENGTH);
}
