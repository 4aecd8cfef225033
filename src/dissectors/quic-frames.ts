/**
 * Frames inside QUIC packets.
 *
 * RFC 9000 section 19, RFC 9221 (DATAGRAM), draft-ietf-quic-ack-frequency, draft-huitema-quic-ts (TIME_STAMP).
 *
 *     PADDING 0           PING 1               ACK 2, 3               RESET_STREAM 4       STOP_SENDING 5
 *     CRYPTO 6            NEW_TOKEN 7          STREAM 8 to 15         MAX_DATA 16          MAX_STREAM_DATA 17
 *     MAX_STREAMS 18, 19  DATA_BLOCKED 20      STREAM_DATA_BLOCKED 21 STREAMS_BLOCKED 22, 23
 *     NEW_CONNECTION_ID 24                     RETIRE_CONNECTION_ID 25
 *     PATH_CHALLENGE 26   PATH_RESPONSE 27     CONNECTION_CLOSE 28, 29                     HANDSHAKE_DONE 30
 */
import { bits, bytes, expert, flag, frameNumber, many, mark, string, uint8, uint32, uint64 } from '../core/field.js';
import type { Tree } from '../core/layer.js';
import { textOf } from '../core/octets.js';
import { bigVarint, varint, varintLength } from './quic-varint.js';
import { ALERTS } from './tls-names.js';

const PADDING = 0;
const PING = 1;
const ACK = 2;
const ACK_ECN = 3;
const RESET_STREAM = 4;
const STOP_SENDING = 5;
const CRYPTO = 6;
const NEW_TOKEN = 7;
/** The first of eight types; the bits say what a frame has. */
const STREAM = 8;
const FIN = 1;
const LENGTH = 2;
const OFFSET = 4;
const MAX_DATA = 0x10;
const MAX_STREAM_DATA = 0x11;
const MAX_STREAMS_BOTH = 0x12;
const MAX_STREAMS_ONE = 0x13;
const DATA_BLOCKED = 0x14;
const STREAM_DATA_BLOCKED = 0x15;
const STREAMS_BLOCKED_BOTH = 0x16;
const STREAMS_BLOCKED_ONE = 0x17;
const NEW_CONNECTION_ID = 0x18;
const RETIRE_CONNECTION_ID = 0x19;
const PATH_CHALLENGE = 0x1a;
const PATH_RESPONSE = 0x1b;
const CONNECTION_CLOSE = 0x1c;
const APPLICATION_CLOSE = 0x1d;
const HANDSHAKE_DONE = 0x1e;
const DATAGRAM = 0x30;
const DATAGRAM_LENGTH = 0x31;
const ACK_FREQUENCY = 0xaf;
const IMMEDIATE_ACK = 0xac;
const TIME_STAMP = 0x2f5;
/** Octets that PATH_CHALLENGE and PATH_RESPONSE have. */
const PATH_DATA = 8;
/** Octets of a token of a stateless reset (RFC 9000 section 10.3). */
const RESET_TOKEN = 16;
/** The first of 256 error codes that carry an alert of TLS (RFC 9001 section 4.8). */
const CRYPTO_ERROR = 0x100;
/** Most frames that are looked at in a packet. */
const MAX_FRAMES = 1024;

/** Names of types, and what the Info column has for them. */
const TYPES: Readonly<Record<number, readonly [name: string, short: string]>> = {
  0: ['PADDING', 'PADDING'],
  1: ['PING', 'PING'],
  2: ['ACK', 'ACK'],
  3: ['ACK', 'ACK_ECN'],
  4: ['RESET_STREAM', 'RS'],
  5: ['STOP_SENDING', 'SS'],
  6: ['CRYPTO', 'CRYPTO'],
  7: ['NEW_TOKEN', 'NT'],
  16: ['MAX_DATA', 'MD'],
  17: ['MAX_STREAM_DATA', 'MSD'],
  18: ['MAX_STREAMS (BIDI)', 'MS'],
  19: ['MAX_STREAMS (UNI)', 'MS'],
  20: ['DATA_BLOCKED', 'DB'],
  21: ['STREAM_DATA_BLOCKED', 'SDB'],
  22: ['STREAMS_BLOCKED (BIDI)', 'SB'],
  23: ['STREAMS_BLOCKED (UNI)', 'SB'],
  24: ['NEW_CONNECTION_ID', 'NCI'],
  25: ['RETIRE_CONNECTION_ID', 'RC'],
  26: ['PATH_CHALLENGE', 'PC'],
  27: ['PATH_RESPONSE', 'PR'],
  28: ['CONNECTION_CLOSE (Transport)', 'CC'],
  29: ['CONNECTION_CLOSE (Application)', 'CC'],
  30: ['HANDSHAKE_DONE', 'DONE'],
  48: ['DATAGRAM', 'DG'],
  49: ['DATAGRAM', 'DG'],
  172: ['IMMEDIATE_ACK', 'IA'],
  175: ['ACK_FREQUENCY', 'AF'],
  757: ['TIME_STAMP', 'TS'],
};

const isStreamType = (type: number): boolean => (type & ~7) === STREAM;
const typeName = (type: number): string | undefined => (isStreamType(type) ? 'STREAM' : TYPES[type]?.[0]);
/** RFC 9000 section 20.1. */
const ERRORS: Readonly<Record<number, string>> = {
  0: 'NO_ERROR',
  1: 'INTERNAL_ERROR',
  2: 'CONNECTION_REFUSED',
  3: 'FLOW_CONTROL_ERROR',
  4: 'STREAM_LIMIT_ERROR',
  5: 'STREAM_STATE_ERROR',
  6: 'FINAL_SIZE_ERROR',
  7: 'FRAME_ENCODING_ERROR',
  8: 'TRANSPORT_PARAMETER_ERROR',
  9: 'CONNECTION_ID_LIMIT_ERROR',
  10: 'PROTOCOL_VIOLATION',
  11: 'INVALID_TOKEN',
  12: 'APPLICATION_ERROR',
  13: 'CRYPTO_BUFFER_EXCEEDED',
  14: 'KEY_UPDATE_ERROR',
  15: 'AEAD_LIMIT_REACHED',
  16: 'NO_VIABLE_PATH',
  17: 'VERSION_NEGOTIATION_ERROR',
};

/** An error code in words: `CRYPTO_ERROR (Handshake Failure)`. */
export function quicErrorName(code: number): string | undefined {
  if (code >= CRYPTO_ERROR && code < CRYPTO_ERROR + 256) return `CRYPTO_ERROR (${ALERTS[code - CRYPTO_ERROR] ?? code - CRYPTO_ERROR})`;
  return ERRORS[code];
}

export const frameRows = {
  frameMark: many(mark('quic.frame', 'Frame')),
  frameType: many(uint64('quic.frame_type', 'Frame Type', { values: (type) => typeName(Number(type)) })),
  paddingLength: many(uint32('quic.padding_length', 'Padding Length')),
  ackLargest: many(uint64('quic.ack.largest_acknowledged', 'Largest Acknowledged')),
  ackDelay: many(uint64('quic.ack.ack_delay', 'ACK Delay')),
  ackRanges: many(uint64('quic.ack.ack_range_count', 'ACK Range Count')),
  ackFirst: many(uint64('quic.ack.first_ack_range', 'First ACK Range')),
  ackGap: many(uint64('quic.ack.gap', 'Gap')),
  ackRange: many(uint64('quic.ack.ack_range', 'ACK Range')),
  ect0: many(uint64('quic.ack.ect0_count', 'ECT(0) Count')),
  ect1: many(uint64('quic.ack.ect1_count', 'ECT(1) Count')),
  ce: many(uint64('quic.ack.ecn_ce_count', 'ECN-CE Count')),
  cryptoOffset: many(uint64('quic.crypto.offset', 'Offset')),
  cryptoLength: many(uint64('quic.crypto.length', 'Length')),
  cryptoData: many(mark('quic.crypto.crypto_data', 'Crypto Data')),
  cryptoFragments: many(mark('quic.crypto.fragments', 'Reassembled QUIC CRYPTO Data Fragments')),
  cryptoFragment: many(frameNumber('quic.crypto.fragment', 'QUIC CRYPTO Data Fragment')),
  cryptoFragmentCount: many(uint32('quic.crypto.fragment.count', 'Fragment count')),
  retransmission: many(expert('note', 'sequence', 'quic.retransmission', 'This QUIC frame has a reused stream offset (retransmission?)')),
  resetStream: many(uint64('quic.rsts.stream_id', 'Stream ID')),
  resetError: many(uint64('quic.rsts.application_error_code', 'Application Error code')),
  finalSize: many(uint64('quic.rsts.final_size', 'Final Size')),
  stopStream: many(uint64('quic.ss.stream_id', 'Stream ID')),
  stopError: many(uint64('quic.ss.application_error_code', 'Application Error code')),
  newTokenLength: many(uint64('quic.nt.length', '(Token) Length')),
  newToken: many(bytes('quic.nt.token', 'Token')),
  streamFin: many(flag('quic.stream.fin', 'Fin', undefined, FIN)),
  streamHasLength: many(flag('quic.stream.len', 'Len(gth)', undefined, LENGTH)),
  streamHasOffset: many(flag('quic.stream.off', 'Off(set)', undefined, OFFSET)),
  streamId: many(uint64('quic.stream.stream_id', 'Stream ID')),
  streamInitiator: many(uint64('quic.stream.initiator', 'Stream initiator', { values: { 0: 'Client-initiated', 1: 'Server-initiated' } })),
  streamDirection: many(uint64('quic.stream.direction', 'Stream direction', { values: { 0: 'Bidirectional', 1: 'Unidirectional' } })),
  streamOffset: many(uint64('quic.stream.offset', 'Offset')),
  streamLength: many(uint64('quic.stream.length', 'Length')),
  streamData: many(bytes('quic.stream_data', 'Stream Data', { quiet: true })),
  maxData: many(uint64('quic.md.maximum_data', 'Maximum Data')),
  maxStreamDataStream: many(uint64('quic.msd.stream_id', 'Stream ID')),
  maxStreamData: many(uint64('quic.msd.maximum_stream_data', 'Maximum Stream Data')),
  maxStreams: many(uint64('quic.ms.max_streams', 'Max Streams')),
  dataLimit: many(uint64('quic.sb.stream_data_limit', 'Stream Data Limit')),
  blockedStream: many(uint64('quic.sdb.stream_id', 'Stream ID')),
  streamLimit: many(uint64('quic.sib.stream_limit', 'Stream Limit')),
  newIdSequence: many(uint64('quic.nci.sequence', 'Sequence')),
  retirePriorTo: many(uint64('quic.nci.retire_prior_to', 'Retire Prior To')),
  newIdLength: many(uint8('quic.nci.connection_id.length', 'Connection ID Length')),
  newId: many(bytes('quic.nci.connection_id', 'Connection ID')),
  newIdToken: many(bytes('quic.nci.stateless_reset_token', 'Stateless Reset Token')),
  retiredSequence: many(uint64('quic.rci.sequence', 'Sequence')),
  challenge: many(bytes('quic.path_challenge.data', 'Data')),
  response: many(bytes('quic.path_response.data', 'Data')),
  datagramLength: many(uint64('quic.dg.length', 'Datagram Length')),
  datagram: many(bytes('quic.dg', 'Datagram')),
  frequencySequence: many(uint64('quic.af.sequence_number', 'Sequence Number')),
  frequencyThreshold: many(uint64('quic.af.ack_eliciting_threshold', 'Ack-Eliciting Threshold')),
  frequencyDelay: many(uint64('quic.af.request_max_ack_delay', 'Request Max Ack Delay')),
  frequencyOptions: many(uint8('quic.af.last_byte', 'Last Byte', { base: 'hex' })),
  frequencyReserved: many(bits('quic.af.reserved', 'Reserved', undefined, 8, 0xfc)),
  ignoreOrder: many(flag('quic.af.ignore_order', 'Ignore Order', undefined, 2)),
  ignoreCe: many(flag('quic.af.ignore_ce', 'Ignore CE', undefined, 1)),
  timeStamp: many(uint64('quic.ts', 'Time Stamp')),
  applicationError: many(uint64('quic.cc.error_code.app', 'Application Error code')),
  errorCode: many(uint64('quic.cc.error_code', 'Error code', { values: (code) => quicErrorName(Number(code)) })),
  tlsAlert: many(uint8('quic.cc.error_code.tls_alert', 'TLS Alert Description', { values: ALERTS })),
  closeFrameType: many(uint64('quic.cc.frame_type', 'Frame Type')),
  reasonLength: many(uint64('quic.cc.reason_phrase.length', 'Reason phrase Length')),
  reason: many(string('quic.cc.reason_phrase', 'Reason phrase')),
  unknownFrame: many(expert('warn', 'undecoded', 'quic.ft.unknown', 'Unknown Frame Type')),
};

/** A frame and where it stands in the plain text. */
export interface QuicFrame {
  readonly type: number;
  readonly at: number;
  readonly end: number;
  /** Where its content begins, behind the type. */
  readonly body: number;
  /** Of CRYPTO and STREAM: where its octets go in the stream; -1 for what is no whole frame. */
  readonly offset: number;
  /** Where its octets stand. */
  readonly data: number;
  /** Of STREAM and those that speak of a stream: which. */
  readonly stream: number;
  /** Of STREAM: it brings the last octets. */
  readonly fin: boolean;
}

/** A CONNECTION_CLOSE. */
export interface QuicClose {
  readonly code: number;
  readonly reason: string;
}

/** Walks over numbers of variable length. */
class Numbers {
  /** A number was not whole. */
  failed = false;
  constructor(
    private readonly b: Uint8Array,
    public at: number,
    private readonly end: number,
  ) {}

  next(): number {
    const { b, at, end } = this;
    if (at >= end || at + varintLength(b, at) > end) {
      this.failed = true;
      return 0;
    }
    this.at += varintLength(b, at);
    return varint(b, at);
  }
}

/** How many numbers follow the type, for frames that are nothing else; those of which the first is a stream are below 0. */
const PLAIN: Readonly<Record<number, number>> = {
  [PING]: 0,
  [RESET_STREAM]: -3,
  [STOP_SENDING]: -2,
  [MAX_DATA]: 1,
  [MAX_STREAM_DATA]: -2,
  [MAX_STREAMS_BOTH]: 1,
  [MAX_STREAMS_ONE]: 1,
  [DATA_BLOCKED]: 1,
  [STREAM_DATA_BLOCKED]: -2,
  [STREAMS_BLOCKED_BOTH]: 1,
  [STREAMS_BLOCKED_ONE]: 1,
  [RETIRE_CONNECTION_ID]: 1,
  [HANDSHAKE_DONE]: 0,
  [IMMEDIATE_ACK]: 0,
  [TIME_STAMP]: 1,
};

/**
 * The frames of a packet; they end at the first that is not known, or not whole. `cryptoType` is the type of CRYPTO frames in
 * this version.
 */
export function readFrames(plain: Uint8Array, cryptoType: number): QuicFrame[] {
  const frames: QuicFrame[] = [];
  const stop = plain.length;
  let at = 0;
  // Each frame has an octet at least.
  while (at < stop && frames.length < MAX_FRAMES) {
    const numbers = new Numbers(plain, at, stop);
    const wire = numbers.next();
    const type = wire === cryptoType ? CRYPTO : wire;
    const body = numbers.at;
    let offset = 0;
    let data = body;
    let end = -1;
    let stream = -1;
    let fin = false;
    const count = PLAIN[type];
    if (count !== undefined) {
      if (count < 0) stream = numbers.next();
      for (let i = count < 0 ? 1 : 0; i < Math.abs(count); i++) numbers.next();
    } else if (isStreamType(type)) {
      stream = numbers.next();
      if ((type & OFFSET) !== 0) offset = numbers.next();
      const length = (type & LENGTH) === 0 ? stop - numbers.at : numbers.next();
      data = numbers.at;
      end = data + length;
      fin = (type & FIN) !== 0;
    } else
      switch (type) {
        case PADDING:
          end = body;
          while (end < stop && plain[end] === 0) end++;
          break;
        case ACK:
        case ACK_ECN: {
          numbers.next();
          numbers.next();
          const ranges = numbers.next();
          numbers.next();
          for (let i = 0; i < ranges && !numbers.failed; i++) {
            numbers.next();
            numbers.next();
          }
          for (let i = 0; i < (type === ACK_ECN ? 3 : 0); i++) numbers.next();
          break;
        }
        case CRYPTO: {
          offset = numbers.next();
          const length = numbers.next();
          data = numbers.at;
          end = data + length;
          break;
        }
        case NEW_CONNECTION_ID:
          numbers.next();
          numbers.next();
          data = numbers.at;
          end = data < stop ? data + 1 + plain[data]! + RESET_TOKEN : stop + 1;
          break;
        case NEW_TOKEN:
        case DATAGRAM_LENGTH: {
          const length = numbers.next();
          data = numbers.at;
          end = data + length;
          break;
        }
        case DATAGRAM:
          end = stop;
          break;
        case PATH_CHALLENGE:
        case PATH_RESPONSE:
          end = body + PATH_DATA;
          break;
        case ACK_FREQUENCY:
          for (let i = 0; i < 3; i++) numbers.next();
          data = numbers.at;
          end = data + 1;
          break;
        case CONNECTION_CLOSE:
        case APPLICATION_CLOSE:
          numbers.next();
          if (type === CONNECTION_CLOSE) numbers.next();
          data = numbers.at;
          end = numbers.next();
          end += numbers.at;
          break;
        default:
          numbers.failed = true;
      }
    if (end < 0) end = numbers.at;
    if (numbers.failed || end > stop) {
      frames.push({ type: typeName(type) === undefined ? -1 : type, at, end: stop, body, offset: -1, data: stop, stream: -1, fin: false });
      break;
    }
    frames.push({ type, at, end, body, offset, data, stream, fin });
    at = end;
  }
  return frames;
}

/** True for a whole STREAM frame. */
export const isStream = (frame: QuicFrame): boolean => isStreamType(frame.type) && frame.offset >= 0;

/** The error that a whole RESET_STREAM frame gives its stream up with; undefined for others. */
export const resetOf = (plain: Uint8Array, { type, offset, body }: QuicFrame): number | undefined =>
  type === RESET_STREAM && offset >= 0 ? varint(plain, body + varintLength(plain, body)) : undefined;

/** The identifier and the token of a whole NEW_CONNECTION_ID frame; undefined for others. */
export function newIdOf(plain: Uint8Array, { type, offset, data, end }: QuicFrame): { id: Uint8Array; token: Uint8Array } | undefined {
  if (type !== NEW_CONNECTION_ID || offset < 0) return undefined;
  return { id: plain.slice(data + 1, end - RESET_TOKEN), token: plain.slice(end - RESET_TOKEN, end) };
}

/** True for a whole CRYPTO frame. */
export const isCrypto = (frame: QuicFrame): boolean => frame.type === CRYPTO && frame.offset >= 0;

/** What a CONNECTION_CLOSE says. */
export function closeOf(plain: Uint8Array, frames: readonly QuicFrame[]): QuicClose | undefined {
  const frame = frames.find((found) => found.type === CONNECTION_CLOSE && found.offset === 0);
  if (frame === undefined) return undefined;
  return { code: varint(plain, frame.body), reason: textOf(plain, frame.data + varintLength(plain, frame.data), frame.end) };
}

/** The name of a frame in the Info column. */
export function frameName({ type, stream }: QuicFrame): string {
  if (isStreamType(type)) return stream < 0 ? 'STREAM' : `STREAM(${stream})`;
  return TYPES[type]?.[1] ?? 'Unknown frame';
}

/** The heading of a frame in the tree. */
function heading(frame: QuicFrame): string {
  const { type, stream, fin, offset, end, data } = frame;
  if (!isStream(frame)) return (typeName(type) ?? 'Unknown frame').replace(/ \(.*/, '');
  const direction = (stream & 2) === 0 ? 'Bidirectional' : 'Unidirectional';
  const origin = (stream & 1) === 0 ? 'Client-initiated' : 'Server-initiated';
  return `STREAM id=${stream} fin=${fin ? 1 : 0} off=${offset} len=${end - data} dir=${direction} origin=${origin}`;
}

/** What is known of a CRYPTO or STREAM frame beyond its octets. */
export interface StreamNote {
  /** Its octets came before. */
  readonly again: boolean;
  /** Pieces that it completed: the frames that brought them; one for octets that came in order. */
  readonly pieces: readonly number[];
}

/** Show the frames of a packet; `tree.bytes` is its plain text. */
export function walkFrames(tree: Tree, frames: readonly QuicFrame[], notes: ReadonlyMap<QuicFrame, StreamNote>): void {
  for (const frame of frames) {
    const { at, end, body } = frame;
    tree.openPut(frameRows.frameMark, true, at, end - at).text = heading(frame);
    tree.put(frameRows.frameType, bigVarint(tree.bytes, at), at, body - at);
    if (frame.offset < 0) tree.put(frameRows.unknownFrame, true, at, end - at);
    else walkFrame(tree, frame, notes.get(frame));
    tree.close();
  }
}

/** The rows that are numbers, one after the other, of frames that are nothing else. */
const NUMBERS: Readonly<Record<number, readonly (typeof frameRows)['ackLargest'][]>> = {
  [RESET_STREAM]: [frameRows.resetStream, frameRows.resetError, frameRows.finalSize],
  [STOP_SENDING]: [frameRows.stopStream, frameRows.stopError],
  [MAX_DATA]: [frameRows.maxData],
  [MAX_STREAM_DATA]: [frameRows.maxStreamDataStream, frameRows.maxStreamData],
  [MAX_STREAMS_BOTH]: [frameRows.maxStreams],
  [MAX_STREAMS_ONE]: [frameRows.maxStreams],
  [DATA_BLOCKED]: [frameRows.dataLimit],
  [STREAM_DATA_BLOCKED]: [frameRows.blockedStream, frameRows.dataLimit],
  [STREAMS_BLOCKED_BOTH]: [frameRows.streamLimit],
  [STREAMS_BLOCKED_ONE]: [frameRows.streamLimit],
  [RETIRE_CONNECTION_ID]: [frameRows.retiredSequence],
  [TIME_STAMP]: [frameRows.timeStamp],
};

/** What stands behind the type of a whole frame. */
function walkFrame(tree: Tree, frame: QuicFrame, note: StreamNote | undefined): void {
  const { bytes: b } = tree;
  const { type, at, end, body } = frame;
  const r = frameRows;
  let from = body;
  const number = (row: (typeof r)['ackLargest']): void => {
    tree.put(row, bigVarint(b, from), from, varintLength(b, from));
    from += varintLength(b, from);
  };
  const noted = (): void => {
    if (note?.again) tree.put(r.retransmission, true, at, end - at);
  };
  if (isStreamType(type)) {
    for (const row of [r.streamFin, r.streamHasLength, r.streamHasOffset]) tree.add(row, body - 1, 1);
    const idAt = from;
    const low = b[from + varintLength(b, from) - 1]!;
    number(r.streamId);
    tree.put(r.streamInitiator, BigInt(low & 1), idAt, from - idAt);
    tree.put(r.streamDirection, BigInt((low >> 1) & 1), idAt, from - idAt);
    if ((type & OFFSET) !== 0) number(r.streamOffset);
    if ((type & LENGTH) !== 0) number(r.streamLength);
    noted();
    if (end > from) tree.add(r.streamData, from, end - from);
    return;
  }
  const rows = NUMBERS[type];
  if (rows !== undefined) {
    for (const row of rows) number(row);
    return;
  }
  switch (type) {
    case PADDING:
      tree.put(r.paddingLength, end - at, at, end - at);
      break;
    case ACK:
    case ACK_ECN: {
      number(r.ackLargest);
      number(r.ackDelay);
      const ranges = varint(b, from);
      number(r.ackRanges);
      number(r.ackFirst);
      for (let i = 0; i < ranges; i++) {
        number(r.ackGap);
        number(r.ackRange);
      }
      if (type === ACK_ECN) for (const row of [r.ect0, r.ect1, r.ce]) number(row);
      break;
    }
    case CRYPTO:
      number(r.cryptoOffset);
      number(r.cryptoLength);
      tree.add(r.cryptoData, from, end - from);
      noted();
      if (note !== undefined && note.pieces.length > 1) {
        tree.openPut(r.cryptoFragments, true);
        for (const piece of note.pieces) tree.put(r.cryptoFragment, piece);
        tree.put(r.cryptoFragmentCount, note.pieces.length);
        tree.close();
      }
      break;
    case NEW_TOKEN:
      number(r.newTokenLength);
      tree.add(r.newToken, from, end - from);
      break;
    case NEW_CONNECTION_ID:
      number(r.newIdSequence);
      number(r.retirePriorTo);
      tree.add(r.newIdLength, from);
      tree.add(r.newId, from + 1, end - RESET_TOKEN - from - 1);
      tree.add(r.newIdToken, end - RESET_TOKEN, RESET_TOKEN);
      break;
    case PATH_CHALLENGE:
      tree.add(r.challenge, from, PATH_DATA);
      break;
    case PATH_RESPONSE:
      tree.add(r.response, from, PATH_DATA);
      break;
    case DATAGRAM:
    case DATAGRAM_LENGTH:
      if (type === DATAGRAM_LENGTH) number(r.datagramLength);
      if (end > from) tree.add(r.datagram, from, end - from);
      break;
    case ACK_FREQUENCY:
      number(r.frequencySequence);
      number(r.frequencyThreshold);
      number(r.frequencyDelay);
      tree.word(r.frequencyOptions, from, [r.frequencyReserved, r.ignoreOrder, r.ignoreCe]);
      break;
    case CONNECTION_CLOSE:
    case APPLICATION_CLOSE: {
      const code = varint(b, from);
      const codeAt = from;
      if (type === APPLICATION_CLOSE) number(r.applicationError);
      else {
        number(r.errorCode);
        if (code >= CRYPTO_ERROR && code < CRYPTO_ERROR + 256) tree.put(r.tlsAlert, code - CRYPTO_ERROR, codeAt, from - codeAt);
        number(r.closeFrameType);
      }
      number(r.reasonLength);
      tree.add(r.reason, from, end - from);
      break;
    }
    default:
  }
}
