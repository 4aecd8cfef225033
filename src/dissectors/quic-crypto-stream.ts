/** The octets of CRYPTO frames in order (RFC 9000 section 19.6): they come in any order, and twice. */
import { u24 } from '../core/octets.js';

/** Most octets that wait for a gap before them to be filled; a Client Hello with large keys has two thousand. */
const MAX_WAITING = 1 << 17;
/** Most pieces that wait. */
const MAX_PIECES = 1024;
/** Octets before the body of a handshake message. */
const MESSAGE_HEADER = 4;

interface Piece {
  readonly offset: number;
  readonly octets: Uint8Array;
  /** Number of the frame that brought it. */
  readonly frame: number;
}

/** Octets that are in order now. */
export interface Run {
  readonly octets: Uint8Array;
  /** Numbers of the frames that its pieces came in, in the order of the octets. */
  readonly frames: readonly number[];
}

export class CryptoStream {
  /** Octets handed on so far. */
  private next = 0;
  /** By offset; each ends behind the one before it. */
  private waiting: Piece[] = [];
  private held = 0;

  /** True when octets `[offset, offset + length)` came before, all of them. */
  has(offset: number, length: number): boolean {
    if (length === 0 || offset + length <= this.next) return true;
    return this.waiting.some((piece) => piece.offset <= offset && offset + length <= piece.offset + piece.octets.length);
  }

  /**
   * Octets of `frame` that stand at `offset` in the stream; what is in order now. The start of the first message is kept
   * back while later octets wait for what is missing between, so that one which was sent in pieces and out of order is seen as
   * one.
   */
  add(offset: number, octets: Uint8Array, frame: number): Run | undefined {
    const { waiting } = this;
    if (offset + octets.length <= this.next) return undefined;
    this.wait({ offset, octets, frame });
    let count = 0;
    let end = this.next;
    while (count < waiting.length && waiting[count]!.offset <= end) {
      end = Math.max(end, waiting[count]!.offset + waiting[count]!.octets.length);
      count++;
    }
    if (count === 0) return undefined;
    const first = waiting[0]!;
    if (this.next === 0 && count < waiting.length) {
      const isWhole = first.octets.length >= MESSAGE_HEADER && MESSAGE_HEADER + u24(first.octets, 1) <= end;
      if (!isWhole) return undefined;
    }
    const pieces = waiting.splice(0, count);
    for (const piece of pieces) this.held -= piece.octets.length;
    const from = this.next;
    this.next = end;
    const frames = pieces.map((piece) => piece.frame);
    if (count === 1) return { octets: first.octets.subarray(from - first.offset), frames };
    const whole = new Uint8Array(end - from);
    for (const piece of pieces) {
      const skip = Math.max(0, from - piece.offset);
      whole.set(piece.octets.subarray(skip), piece.offset + skip - from);
    }
    return { octets: whole, frames };
  }

  private wait(piece: Piece): void {
    const { waiting } = this;
    const { offset, octets } = piece;
    if (this.held + octets.length > MAX_WAITING || waiting.length >= MAX_PIECES) return;
    let at = waiting.length;
    while (at > 0 && waiting[at - 1]!.offset > offset) at--;
    const before = waiting[at - 1];
    // What comes again does not wait twice.
    if (before !== undefined && before.offset + before.octets.length >= offset + octets.length) return;
    let covered = at;
    while (covered < waiting.length && waiting[covered]!.offset + waiting[covered]!.octets.length <= offset + octets.length) covered++;
    for (const gone of waiting.splice(at, covered - at, piece)) this.held -= gone.octets.length;
    this.held += octets.length;
  }
}
