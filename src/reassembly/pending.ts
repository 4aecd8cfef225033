/** The octets of the message under way that earlier segments brought, gathered until it is whole. */
import { Parts } from '../dissectors/tcp-stream.js';
import type { Streams } from './streams.js';

/** No octets. */
export const NOTHING = new Uint8Array(0);
/** Never filled. */
const NO_PARTS = new Parts();
/**
 * {@link Pending.told}, {@link Pending.wanted}: no end to them. A whole number, unlike `Infinity`: of a property that has
 * once held another kind of number the engine makes an object each time it is read or written, and then of every place in
 * a frame that is computed from it.
 */
export const ALL = 0x7fff_ffff;
/** Most pieces of one message that are left where the capture is read. */
const MOST_PIECES = 256;
/** Most parts of one message that are listed: an octet a segment would make the list larger than the message. */
const MAX_PARTS = 65_536;

export class Pending {
  bytes: Uint8Array = NOTHING;
  /** Where in {@link bytes} they begin: 0 but while they are borrowed. */
  start = 0;
  length = 0;
  /** When the first of them came. */
  seconds = 0;
  nanoseconds = 0;
  /** Which frames brought them. */
  parts = NO_PARTS;
  /** Octets that must be there before the parser is asked again; 0: with the next segment. */
  wanted = 0;
  /** Octets from the start that are looked at; those behind them and before {@link wanted} are only counted or borrowed. */
  told = ALL;
  /** Some of them are left where the capture is read: behind the first {@link row}, those of the {@link pieces}. */
  isBorrowed = false;
  private row = 0;
  /** Two numbers a piece: where it begins and ends. {@link used} of them count. */
  private readonly pieces: number[] = [];
  private used = 0;
  /** {@link Streams} knows that some may be borrowed. */
  isListed = false;

  constructor(private readonly streams: Streams) {}

  /** Put octets behind those that wait. A `from` below 0 lists no part. `differs`: another segment brought other octets. */
  append(bytes: Uint8Array, start: number, end: number, frame: number, from: number, differs: boolean): void {
    const { streams } = this;
    const length = this.length + end - start;
    if (this.length === 0) {
      this.seconds = streams.seconds;
      this.nanoseconds = streams.nanoseconds;
    }
    const { told } = this;
    if (length <= told || length > this.wanted) this.put(bytes, start, end, length);
    else if (bytes === streams.window && this.mayBorrow(end - start)) this.borrow(start, end);
    else if (streams.brief) this.put(bytes, start, Math.max(start, end - (length - told)), Math.min(length, told));
    else this.put(bytes, start, end, length);
    streams.buffered += end - start;
    this.length = length;
    if (from >= 0) this.part(frame, from, length, differs);
  }

  /** Copy octets to where they belong; with them the buffer is in use up to `length`. */
  private put(bytes: Uint8Array, start: number, end: number, length: number): void {
    if (start >= end) return;
    if (this.isBorrowed) this.gather();
    if (length > this.bytes.length) this.grow(length);
    this.bytes.set(bytes.subarray(start, end), this.length);
  }

  /** Are those that are looked at in a row, so that `more` may stand elsewhere? */
  private mayBorrow(more: number): boolean {
    return (this.length > 0 ? this.length : more) >= this.told && this.used < 2 * MOST_PIECES;
  }

  /** Leave octets where the capture is read, until the message is whole or they are about to be written over. */
  private borrow(start: number, end: number): void {
    const { streams, pieces } = this;
    if (!this.isBorrowed) {
      this.isBorrowed = true;
      streams.borrows(this);
      if (this.length === 0) {
        this.bytes = streams.view;
        this.start = start;
        this.row = end - start;
        return;
      }
      this.row = this.length;
    }
    pieces[this.used++] = start;
    pieces[this.used++] = end;
  }

  /** Have all of them in a row: they may be looked at, or what is borrowed is about to be written over. Those that follow are put behind them. */
  gather(): void {
    if (!this.isBorrowed) return;
    const { streams, bytes, start, row, pieces, used } = this;
    const { buffers, view } = streams;
    const own = buffers.take(this.length);
    own.set(bytes.subarray(start, start + row));
    for (let i = 0, at = row; i < used; i += 2) {
      own.set(view.subarray(pieces[i]!, pieces[i + 1]!), at);
      at += pieces[i + 1]! - pieces[i]!;
    }
    this.giveBack();
    this.bytes = own;
    this.told = ALL;
  }

  /** Let go of what they stand in. */
  private giveBack(): void {
    const { buffers, view } = this.streams;
    if (this.bytes !== view) buffers.giveBack(this.bytes);
    this.isBorrowed = false;
    this.start = this.used = 0;
  }

  /** Of those that wait, how many can be read: the others were only counted. */
  get held(): number {
    return this.streams.brief ? Math.min(this.told, this.length) : this.length;
  }

  /** Make room for `length` octets: twofold, so that each octet is copied a bounded number of times, or for all that are wanted, where that is at hand. */
  private grow(length: number): void {
    const { buffers } = this.streams;
    const wanted = Math.min(this.wanted, this.told);
    const isNear = wanted >= length && wanted <= 4 * length;
    const ready = wanted > 4 * length ? buffers.takeReady(wanted) : undefined;
    const bigger = ready ?? buffers.take(isNear ? wanted : Math.max(2 * length, 512));
    if (this.length > 0) {
      bigger.set(this.bytes.subarray(0, this.length));
      buffers.giveBack(this.bytes);
    }
    this.bytes = bigger;
  }

  /** Frame number `frame` brought the octets `[from, to)`. */
  part(frame: number, from: number, to: number, conflict: boolean): void {
    if (this.parts === NO_PARTS) this.parts = this.streams.buffers.takeParts();
    const { parts } = this;
    if (!parts.extend(frame, from, to) && parts.length < MAX_PARTS) parts.add(frame, from, to, conflict);
  }

  /** Forget the octets; layers of the frame under way may still stand in them. */
  drop(): void {
    const { streams, parts } = this;
    streams.buffered -= this.length;
    this.giveBack();
    if (parts !== NO_PARTS) streams.buffers.giveBackParts(parts);
    this.bytes = NOTHING;
    this.length = 0;
    this.told = ALL;
    this.parts = NO_PARTS;
  }

  /** More than may be held, of one message or of all. */
  get isTooLarge(): boolean {
    const { limits, buffered } = this.streams;
    return this.length > limits.message || buffered > limits.total;
  }
}
