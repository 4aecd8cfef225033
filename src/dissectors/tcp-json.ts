/** The JSON of what the walk of a plain segment finds: its options, and the message that it completes. */
import { DIGITS_ROOM, putNumeral } from '../core/digits.js';
import { FixedText } from '../core/fixed-text.js';
import type { Layer } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import type { PlainWalk } from '../core/plain.js';
import type { TextBuffer } from '../core/text.js';
import { FIXED_LENGTH, headerLength, type TcpLayer } from './tcp-header.js';
import { END, isDsack, MSS, NOP, SACK, SACK_PERMITTED, TIMESTAMPS, WINDOW_SCALE } from './tcp-option-kinds.js';
import { ONLY_TIMESTAMPS, onlyTimestamps, peerBaseOf } from './tcp-options.js';
import type { Reassembled, StreamNotes } from './tcp-stream.js';

const COMMA = 0x2c;
const END_LIST = 0x5d;
const END_OBJECT = 0x7d;

const SIZES = new FixedText(',"pdu":{"size":[');
const SEGMENTS = new FixedText(',"segments":true,"segment":{"value":[');
const COUNT = new FixedText('],"count":');
const REASSEMBLED = new FixedText('},"reassembled":{"length":');

const OPTIONS = new FixedText(',"options":[');
const END_OPTION = new FixedText('{"option_kind":0}');
const NOP_OPTION = new FixedText('{"option_kind":1}');
const MSS_IS = new FixedText('{"option_kind":2,"option_len":4,"mss_val":');
const SHIFT_IS = new FixedText('{"option_kind":3,"option_len":3,"wscale":{"shift":');
const MULTIPLIER_IS = new FixedText(',"multiplier":');
const SACK_IS_PERMITTED = new FixedText('{"option_kind":4,"option_len":2}');
const SACK_LENGTH_IS = new FixedText('{"option_kind":5,"option_len":');
const LEFT_EDGES = new FixedText(',"sack_le":[');
const RIGHT_EDGES = new FixedText('],"sack_re":[');
const BLOCKS_ARE = new FixedText('],"sack":{"count":');
const DSACK_LEFT = new FixedText(',"dsack_le":');
const DSACK_RIGHT = new FixedText(',"dsack_re":');
const DSACK = new FixedText(',"dsack":true');
const VALUE_IS = new FixedText('{"option_kind":8,"option_len":10,"timestamp":{"tsval":');
const REPLY_IS = new FixedText(',"tsecr":');

/** True for a whole header without options. */
const hasNoOptions = (l: Layer): boolean => l.bytes[l.start + 12]! >> 4 === FIXED_LENGTH / 4;

/** Timestamps after two octets of padding. */
export const timestampsJson: PlainWalk = {
  when: ONLY_TIMESTAMPS,
  json: [
    ',"options":[{"option_kind":1},{"option_kind":1},{"option_kind":8,"option_len":10,"timestamp":{"tsval":',
    { from: 24, count: 4 },
    ',"tsecr":',
    { from: 28, count: 4 },
    '}}]',
  ],
};

/** Other options, all of them usual ({@link hasUsualOptions}). */
export const optionsJson: PlainWalk<TcpLayer> = {
  when: (l) => !hasNoOptions(l) && !onlyTimestamps(l),
  write: (l, out) => writeOptions(out, l),
};

/**
 * Write the JSON of a segment that has usual options or none, and all of whose message came in order and once; false, and
 * nothing written, for all others.
 */
export function writePlainSegment(out: TextBuffer, l: TcpLayer): boolean {
  const { assembly } = l;
  if (l.start + FIXED_LENGTH > l.captured) return false;
  if (assembly !== undefined && !isPlainStream(assembly)) return false;
  if (!hasNoOptions(l)) {
    if (!hasUsualOptions(l)) return false;
    writeOptions(out, l);
  }
  if (assembly !== undefined) writeStreamNotes(out, assembly);
  return true;
}

/** True when a header has options, and all of them are there, of kinds that nearly all segments have, and there is nothing to remark on them. */
export function hasUsualOptions(l: Layer): boolean {
  const { bytes: b, start } = l;
  const first = start + FIXED_LENGTH;
  const end = start + headerLength(l);
  if (end <= first || end > l.captured) return false;
  let nops = 0;
  for (let at = first; at < end; ) {
    const kind = b[at]!;
    nops = kind === NOP ? nops + 1 : 0;
    // The end is as often as not repeated up to the end of the header.
    if (nops === 4 || (kind === END && at + 1 < end && b[at + 1] !== END)) return false;
    const length = kind === NOP || kind === END ? 1 : at + 1 < end ? b[at + 1]! : 0;
    if (at + length > end || !isUsual(kind, length) || (kind === WINDOW_SCALE && b[at + 2]! > 14)) return false;
    at += length;
  }
  return true;
}

function isUsual(kind: number, length: number): boolean {
  switch (kind) {
    case END:
    case NOP:
      return true;
    case MSS:
      return length === 4;
    case WINDOW_SCALE:
      return length === 3;
    case SACK_PERMITTED:
      return length === 2;
    case SACK:
      return length >= 10 && length % 8 === 2;
    case TIMESTAMPS:
      return length === 10;
    default:
      return false;
  }
}

/** Write options that are usual. */
function writeOptions(out: TextBuffer, l: TcpLayer): void {
  const { bytes: b, start } = l;
  const first = start + FIXED_LENGTH;
  const end = start + headerLength(l);
  out.fixed(OPTIONS);
  for (let at = first; at < end; ) {
    if (at > first) out.byte(COMMA);
    const kind = b[at]!;
    if (kind === NOP || kind === END) {
      out.fixed(kind === NOP ? NOP_OPTION : END_OPTION);
      at++;
      continue;
    }
    writeOption(out, l, kind, at);
    at += b[at + 1]!;
  }
  out.byte(END_LIST);
}

function writeOption(out: TextBuffer, l: TcpLayer, kind: number, at: number): void {
  const { bytes: b } = l;
  switch (kind) {
    case MSS:
      writeNumberAfter(out, MSS_IS, u16(b, at + 2));
      break;
    case WINDOW_SCALE:
      writeNumberAfter(out, SHIFT_IS, b[at + 2]!);
      writeNumberAfter(out, MULTIPLIER_IS, 1 << b[at + 2]!);
      out.byte(END_OBJECT);
      break;
    case SACK_PERMITTED:
      out.fixed(SACK_IS_PERMITTED);
      return;
    case SACK:
      writeSack(out, l, at);
      break;
    case TIMESTAMPS:
      writeNumberAfter(out, VALUE_IS, u32(b, at + 2));
      writeNumberAfter(out, REPLY_IS, u32(b, at + 6));
      out.byte(END_OBJECT);
  }
  out.byte(END_OBJECT);
}

function writeSack(out: TextBuffer, l: TcpLayer, at: number): void {
  const { bytes: b } = l;
  const length = b[at + 1]!;
  const blocks = (length - 2) / 8;
  const base = peerBaseOf(l);
  const edge = (from: number) => (u32(b, from) - base) >>> 0;
  writeNumberAfter(out, SACK_LENGTH_IS, length);
  out.fixed(LEFT_EDGES);
  writeNumbers(out, blocks, (i) => edge(at + 2 + 8 * i));
  out.fixed(RIGHT_EDGES);
  writeNumbers(out, blocks, (i) => edge(at + 6 + 8 * i));
  writeNumberAfter(out, BLOCKS_ARE, blocks);
  if (isDsack(b, at, length, u32(b, l.start + 8))) {
    writeNumberAfter(out, DSACK_LEFT, edge(at + 2));
    writeNumberAfter(out, DSACK_RIGHT, edge(at + 6));
    out.fixed(DSACK);
  }
  out.byte(END_OBJECT);
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
  for (let i = 0; i < parts.length; i++) {
    if (parts.conflict(i) || parts.from(i) < covered) return false;
    covered = parts.to(i);
  }
  return parts.length > 0;
}

function writeReassembled(out: TextBuffer, { parts, length }: Reassembled): void {
  out.fixed(SEGMENTS);
  // Without `writeNumbers`, as such messages are many.
  for (let i = 0; i < parts.length; i++) {
    if (i > 0) out.byte(COMMA);
    writeNumber(out, parts.frame(i));
  }
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

function writeNumberAfter(out: TextBuffer, text: FixedText, n: number): void {
  out.fixed(text);
  writeNumber(out, n);
}

function writeNumber(out: TextBuffer, n: number): void {
  out.room(DIGITS_ROOM);
  out.length = putNumeral(out.view, out.length, n);
}
