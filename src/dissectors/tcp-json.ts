/** The JSON of what the walk of a plain segment finds: its options, and the message that it completes. */
import { DIGITS_ROOM, putNumeral } from '../core/digits.js';
import { FixedText } from '../core/fixed-text.js';
import type { Layer } from '../core/layer.js';
import { i32 } from '../core/octets.js';
import type { PlainWalk } from '../core/plain.js';
import type { TextBuffer } from '../core/text.js';
import { FIXED_LENGTH } from './tcp-header.js';
import { onlyTimestamps } from './tcp-options.js';
import type { Reassembled, StreamNotes } from './tcp-stream.js';

const COMMA = 0x2c;
const END_LIST = 0x5d;
const END_OBJECT = 0x7d;

const SIZES = new FixedText(',"pdu":{"size":[');
const SEGMENTS = new FixedText(',"segments":true,"segment":{"value":[');
const COUNT = new FixedText('],"count":');
const REASSEMBLED = new FixedText('},"reassembled":{"length":');

/** True for a whole header without options. */
const hasNoOptions = (l: Layer): boolean => l.bytes[l.start + 12]! >> 4 === FIXED_LENGTH / 4;

/** Timestamps after two octets of padding. */
export const timestampsJson: PlainWalk = {
  when: onlyTimestamps,
  json: [
    ',"options":[{"option_kind":1},{"option_kind":1},{"option_kind":8,"option_len":10,"timestamp":{"tsval":',
    (l) => i32(l.bytes, l.start + 24),
    ',"tsecr":',
    (l) => i32(l.bytes, l.start + 28),
    '}}]',
  ],
};

/** The same as text that is ready. */
const TIMESTAMPS = timestampsJson.json!.map((part) => (typeof part === 'string' ? new FixedText(part) : part));

/**
 * Write the JSON of a segment that has no options or only timestamps, and all of whose message came in order and once;
 * false, and nothing written, for all others.
 */
export function writePlainSegment(out: TextBuffer, l: Layer, notes: StreamNotes | undefined): boolean {
  if (l.start + FIXED_LENGTH > l.captured) return false;
  if (notes !== undefined && !isPlainStream(notes)) return false;
  if (onlyTimestamps(l)) writeTimestamps(out, l);
  else if (!hasNoOptions(l)) return false;
  if (notes !== undefined) writeStreamNotes(out, notes);
  return true;
}

function writeTimestamps(out: TextBuffer, l: Layer): void {
  for (const part of TIMESTAMPS)
    if (part instanceof FixedText) out.fixed(part);
    else if (typeof part === 'function') writeNumber(out, part(l) >>> 0);
}

/** True when the message that a segment completes, if any, came in order and once. */
export const isPlainStream = ({ reassembled }: StreamNotes): boolean => reassembled === undefined || isInOrder(reassembled);

/** Write the JSON of what is known of a segment's place in a plain stream. */
export function writeStreamNotes(out: TextBuffer, { sizes, reassembled }: StreamNotes): void {
  if (sizes.length > 0) {
    out.fixed(SIZES);
    writeNumbers(out, sizes.length, (i) => sizes[i]!);
    out.byte(END_LIST);
    out.byte(END_OBJECT);
  }
  if (reassembled !== undefined) writeReassembled(out, reassembled);
}

/** True when no octet of the message came twice. */
function isInOrder({ parts }: Reassembled): boolean {
  let covered = 0;
  for (const part of parts) {
    if (part.conflict || part.from < covered) return false;
    covered = part.to;
  }
  return parts.length > 0;
}

function writeReassembled(out: TextBuffer, { parts, length }: Reassembled): void {
  out.fixed(SEGMENTS);
  writeNumbers(out, parts.length, (i) => parts[i]!.frame);
  out.fixed(COUNT);
  writeNumber(out, parts.length);
  out.fixed(REASSEMBLED);
  writeNumber(out, length);
  out.byte(END_OBJECT);
}

function writeNumbers(out: TextBuffer, count: number, numberAt: (i: number) => number): void {
  for (let i = 0; i < count; i++) {
    if (i > 0) out.byte(COMMA);
    writeNumber(out, numberAt(i));
  }
}

function writeNumber(out: TextBuffer, n: number): void {
  out.room(DIGITS_ROOM);
  out.length = putNumeral(out.view, out.length, n);
}
