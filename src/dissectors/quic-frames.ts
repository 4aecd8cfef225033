/**
 * Frames inside QUIC packets, as far as Initial packets may have them (RFC 9000 section 12.4).
 *
 * RFC 9000 section 19.
 *
 *     PADDING 0   PING 1   ACK 2, 3   CRYPTO 6   CONNECTION_CLOSE 0x1c
 */
import { expert, frameNumber, many, mark, string, uint8, uint32, uint64 } from '../core/field.js';
import type { Tree } from '../core/layer.js';
import { textOf } from '../core/octets.js';
import { bigVarint, varint, varintLength } from './quic-varint.js';
import { ALERTS } from './tls-names.js';

const PADDING = 0;
const PING = 1;
const ACK = 2;
const ACK_ECN = 3;
const CRYPTO = 6;
const CONNECTION_CLOSE = 0x1c;
/** The first of 256 error codes that carry an alert of TLS (RFC 9001 section 4.8). */
const CRYPTO_ERROR = 0x100;
/** Most frames that are looked at in a packet. */
const MAX_FRAMES = 1024;

const TYPES: Readonly<Record<number, string>> = {
  0: 'PADDING',
  1: 'PING',
  2: 'ACK',
  3: 'ACK',
  4: 'RESET_STREAM',
  5: 'STOP_SENDING',
  6: 'CRYPTO',
  7: 'NEW_TOKEN',
  8: 'STREAM or CRYPTO',
  16: 'MAX_DATA',
  17: 'MAX_STREAM_DATA',
  28: 'CONNECTION_CLOSE (Transport)',
  29: 'CONNECTION_CLOSE (Application)',
  30: 'HANDSHAKE_DONE',
};
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
  frameType: many(uint64('quic.frame_type', 'Frame Type', { values: (type) => TYPES[Number(type)] })),
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
  retransmission: many(expert('note', 'quic.retransmission', 'This QUIC frame has a reused stream offset (retransmission?)')),
  errorCode: many(uint64('quic.cc.error_code', 'Error code', { values: (code) => quicErrorName(Number(code)) })),
  tlsAlert: many(uint8('quic.cc.error_code.tls_alert', 'TLS Alert Description', { values: ALERTS })),
  closeFrameType: many(uint64('quic.cc.frame_type', 'Frame Type')),
  reasonLength: many(uint64('quic.cc.reason_phrase.length', 'Reason phrase Length')),
  reason: many(string('quic.cc.reason_phrase', 'Reason phrase')),
  unknownFrame: many(expert('warn', 'quic.ft.unknown', 'Unknown Frame Type')),
};

/** A frame and where it stands in the plain text. */
export interface QuicFrame {
  readonly type: number;
  readonly at: number;
  readonly end: number;
  /** Where its content begins, behind the type. */
  readonly body: number;
  /** Of CRYPTO: where its octets go in the stream, and where they stand. */
  readonly offset: number;
  readonly data: number;
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
    let end = body;
    switch (type) {
      case PADDING:
        while (end < stop && plain[end] === 0) end++;
        break;
      case PING:
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
        end = numbers.at;
        break;
      }
      case CRYPTO: {
        offset = numbers.next();
        const length = numbers.next();
        data = numbers.at;
        end = data + length;
        break;
      }
      case CONNECTION_CLOSE:
        numbers.next();
        numbers.next();
        data = numbers.at;
        end = numbers.next();
        end += numbers.at;
        break;
      default:
        numbers.failed = true;
    }
    if (numbers.failed || end > stop) {
      frames.push({ type: TYPES[type] === undefined ? -1 : type, at, end: stop, body, offset: -1, data: stop });
      break;
    }
    frames.push({ type, at, end, body, offset, data });
    at = end;
  }
  return frames;
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
export const frameName = (frame: QuicFrame): string => (frame.type === CONNECTION_CLOSE ? 'CC' : (TYPES[frame.type] ?? 'Unknown frame'));

/** What is known of a CRYPTO frame beyond its octets. */
export interface CryptoNote {
  readonly again: boolean;
  /** Pieces that it completed: the frames that brought them; one for octets that came in order. */
  readonly pieces: readonly number[];
}

/** Show the frames of a packet; `tree.bytes` is its plain text. */
export function walkFrames(tree: Tree, frames: readonly QuicFrame[], notes: ReadonlyMap<QuicFrame, CryptoNote>): void {
  const { bytes: b } = tree;
  const r = frameRows;
  for (const frame of frames) {
    const { type, at, end, body } = frame;
    tree.openPut(r.frameMark, true, at, end - at).text = frameName(frame);
    tree.put(r.frameType, bigVarint(b, at), at, body - at);
    let from = body;
    const number = (row: (typeof r)['ackLargest']): void => {
      tree.put(row, bigVarint(b, from), from, varintLength(b, from));
      from += varintLength(b, from);
    };
    if (frame.offset < 0) tree.put(r.unknownFrame, true, at, end - at);
    else if (type === PADDING) tree.put(r.paddingLength, end - at, at, end - at);
    else if (type === ACK || type === ACK_ECN) {
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
    } else if (type === CRYPTO) {
      number(r.cryptoOffset);
      number(r.cryptoLength);
      tree.add(r.cryptoData, from, end - from);
      const note = notes.get(frame);
      if (note?.again) tree.put(r.retransmission, true, at, end - at);
      if (note !== undefined && note.pieces.length > 1) {
        tree.openPut(r.cryptoFragments, true);
        for (const piece of note.pieces) tree.put(r.cryptoFragment, piece);
        tree.put(r.cryptoFragmentCount, note.pieces.length);
        tree.close();
      }
    } else if (type === CONNECTION_CLOSE) {
      const code = varint(b, from);
      const codeAt = from;
      number(r.errorCode);
      if (code >= CRYPTO_ERROR && code < CRYPTO_ERROR + 256) tree.put(r.tlsAlert, code - CRYPTO_ERROR, codeAt, from - codeAt);
      number(r.closeFrameType);
      number(r.reasonLength);
      tree.add(r.reason, from, end - from);
    }
    tree.close();
  }
}
