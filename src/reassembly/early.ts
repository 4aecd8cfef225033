/** Segments of a direction that came early and wait for what belongs before them. */
import type { Frame } from '../core/frame.js';
import type { Streams } from './streams.js';

/** Octets that came early. */
export interface Held {
  readonly sequence: number;
  readonly bytes: Uint8Array;
  readonly frame: number;
  readonly seconds: number;
  readonly nanoseconds: number;
  /** They differ from what another segment brought. */
  readonly differs: boolean;
}

/** Told of octets that came twice and differ: their sequence number and both versions. */
type OnConflict = (sequence: number, first: Uint8Array, last: Uint8Array) => void;

/** Held segments on either side of one that it is compared with. */
const MOST_COMPARED = 64;

export class Early {
  /** In the order of their sequence numbers. They may overlap, and agree where they do. */
  private held: Held[] = [];
  octets = 0;

  constructor(private readonly streams: Streams) {}

  get isEmpty(): boolean {
    return this.held.length === 0;
  }

  /** The first in order; there is one. */
  get first(): Held {
    return this.held[0]!;
  }

  /** Take the octets of a segment, and keep them. */
  add(frame: Frame, sequence: number, bytes: Uint8Array, onConflict: OnConflict): void {
    const { held } = this;
    let at = held.length;
    while (at > 0 && ((held[at - 1]!.sequence - sequence) | 0) > 0) at--;
    const differs = this.reconcile(sequence, bytes, onConflict, at);
    const before = held[at - 1];
    // Repeats of what is held cost nothing, so that a loop of retransmissions cannot fill the memory.
    if (before !== undefined && before.sequence === sequence && before.bytes.length >= bytes.length) return;
    held.splice(at, 0, { sequence, bytes, frame: frame.number, seconds: frame.seconds, nanoseconds: frame.nanoseconds, differs });
    this.octets += bytes.length;
    this.streams.buffered += bytes.length;
  }

  /**
   * Compare `bytes`, which are the caller's own and begin at `sequence`, with what is held of them (`at`: segments that begin
   * before or where they do). Afterwards all agree, as the policy says. True when they did not.
   */
  reconcile(sequence: number, bytes: Uint8Array, onConflict: OnConflict, at = 0): boolean {
    const { held } = this;
    let differs = false;
    for (let i = Math.max(0, at - MOST_COMPARED); i < held.length && i < at + MOST_COMPARED; i++) {
      const { bytes: earlier, sequence: begin } = held[i]!;
      const shift = (begin - sequence) | 0;
      if (shift >= bytes.length) break;
      const from = Math.max(shift, 0);
      const to = Math.min(shift + earlier.length, bytes.length);
      if (from >= to || agree(earlier, from - shift, bytes, from, to)) continue;
      differs = true;
      const first = earlier.slice(from - shift, to - shift);
      const last = bytes.slice(from, to);
      onConflict((sequence + from) | 0, first, last);
      if (this.streams.overlap === 'last') earlier.set(last, from - shift);
      else bytes.set(first, from);
    }
    return differs;
  }

  /** Take out the first ones, those with octets that stand before or at `next`; what `each` does may move `next`. */
  release(next: () => number, each: (held: Held) => void): void {
    const { held } = this;
    let taken = 0;
    while (taken < held.length && ((held[taken]!.sequence - next()) | 0) <= 0) {
      const one = held[taken++]!;
      this.octets -= one.bytes.length;
      this.streams.buffered -= one.bytes.length;
      each(one);
    }
    held.splice(0, taken);
  }

  /** Take out all of them. */
  clear(): readonly Held[] {
    const { held } = this;
    this.held = [];
    this.streams.buffered -= this.octets;
    this.octets = 0;
    return held;
  }
}

/** Are octets `[from, to)` of `b` those of `a` from `at` on? */
export function agree(a: Uint8Array, at: number, b: Uint8Array, from: number, to: number): boolean {
  const shift = at - from;
  for (let i = from; i < to; i++) if (a[i + shift] !== b[i]) return false;
  return true;
}
