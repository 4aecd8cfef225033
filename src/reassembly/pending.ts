/** The octets of the message under way that earlier segments brought, gathered until it is whole. */
import { Parts } from '../dissectors/tcp-stream.js';
import type { Streams } from './streams.js';

const NOTHING = new Uint8Array(0);
/** Never filled. */
const NO_PARTS = new Parts();
/**
 * {@link Pending.told}, {@link Pending.wanted}: no end to them. A whole number, unlike `Infinity`: of a property that has
 * once held another kind of number the engine makes an object each time it is read or written, and then of every place in
 * a frame that is computed from it.
 */
export const ALL = 0x7fff_ffff;
/** Most parts of one message that are listed: an octet a segment would make the list larger than the message. */
const MAX_PARTS = 65_536;

export class Pending {
  bytes: Uint8Array = NOTHING;
  length = 0;
  /** When the first of them came. */
  seconds = 0;
  nanoseconds = 0;
  /** Which frames brought them. */
  parts = NO_PARTS;
  /** Octets that must be there before the parser is asked again; 0: with the next segment. */
  wanted = 0;
  /** Octets from the start that are looked at; those behind them and before {@link wanted} are only counted. */
  told = ALL;

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
    if (length > told && length <= this.wanted) this.put(bytes, start, Math.max(start, end - (length - told)), Math.min(length, told));
    else this.put(bytes, start, end, length);
    streams.buffered += end - start;
    this.length = length;
    if (from >= 0) this.part(frame, from, length, differs);
  }

  /** Copy octets to where they belong; with them the buffer is in use up to `length`. */
  private put(bytes: Uint8Array, start: number, end: number, length: number): void {
    if (start >= end) return;
    if (length > this.bytes.length) this.grow(length);
    this.bytes.set(bytes.subarray(start, end), this.length);
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
    streams.buffers.giveBack(this.bytes);
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
