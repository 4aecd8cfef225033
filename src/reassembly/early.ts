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
  /** Octets of the other direction that its sender had then. */
  readonly received: number;
}

/** Told of octets that came twice and differ: their sequence number and both versions. */
type OnConflict = (sequence: number, first: Uint8Array, last: Uint8Array) => void;

/** Held segments on either side of one that it is compared with. */
const MOST_COMPARED = 64;
/** Segments that wait at most: those of an octet each take far more than their octets. */
const MOST_SEGMENTS = 65_536;
/** Segments of a run at most, so that one is put between others without moving all behind it, whatever the order they come in. */
const MOST_IN_RUN = 128;

export class Early {
  /** In the order of their sequence numbers, in runs of which none is empty. They may overlap, and agree where they do. */
  private runs: Held[][] = [];
  private segments = 0;
  octets = 0;

  constructor(private readonly streams: Streams) {}

  get isEmpty(): boolean {
    return this.segments === 0;
  }

  /** More wait than may. */
  get isTooMuch(): boolean {
    const { limits, buffered } = this.streams;
    return this.segments > MOST_SEGMENTS || this.octets > limits.held || buffered > limits.total;
  }

  /** The first in order; there is one. */
  get first(): Held {
    return this.runs[0]![0]!;
  }

  /** Take the octets of a segment, and keep them. */
  add(frame: Frame, sequence: number, bytes: Uint8Array, received: number, onConflict: OnConflict): void {
    const { runs } = this;
    // Behind all that begin before it or with it: in the last run that begins so, else in the first.
    const index = Math.max(0, countBefore(runs, sequence, firstOf) - 1);
    const run = runs[index] ?? [];
    const at = countBefore(run, sequence, itself);
    const differs = this.reconcile(sequence, bytes, onConflict, index, at);
    const before = run[at - 1];
    // Repeats of what is held cost nothing, so that a loop of retransmissions cannot fill the memory.
    if (before !== undefined && before.sequence === sequence && before.bytes.length >= bytes.length) return;
    const { number, seconds, nanoseconds } = frame;
    run.splice(at, 0, { sequence, bytes, frame: number, seconds, nanoseconds, differs, received });
    if (runs.length === 0) runs.push(run);
    else if (run.length > MOST_IN_RUN) runs.splice(index + 1, 0, run.splice(MOST_IN_RUN / 2));
    this.segments++;
    this.octets += bytes.length;
    this.streams.buffered += bytes.length;
  }

  /**
   * Compare `bytes`, which are the caller's own and begin at `sequence`, with what is held of them (`at` in run `index`:
   * behind the segments that begin before or where they do). Afterwards all agree, as the policy says. True when they did not.
   */
  reconcile(sequence: number, bytes: Uint8Array, onConflict: OnConflict, index = 0, at = 0): boolean {
    const { runs } = this;
    let differs = false;
    let run = index;
    let i = at - MOST_COMPARED;
    // A run or two back, as each but the ends of a split has half of those that a run may have.
    while (i < 0 && run > 0) i += runs[--run]!.length;
    for (let left = 2 * MOST_COMPARED, next = Math.max(0, i); left > 0 && run < runs.length; left--, next++) {
      if (next >= runs[run]!.length) {
        if (++run === runs.length) break;
        next = 0;
      }
      const { bytes: earlier, sequence: begin } = runs[run]![next]!;
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
    const { runs } = this;
    let taken = 0;
    for (const run of runs) {
      let some = 0;
      while (some < run.length && ((run[some]!.sequence - next()) | 0) <= 0) {
        const one = run[some++]!;
        this.segments--;
        this.octets -= one.bytes.length;
        this.streams.buffered -= one.bytes.length;
        each(one);
      }
      if (some < run.length) {
        run.splice(0, some);
        break;
      }
      taken++;
    }
    runs.splice(0, taken);
  }

  /** Take out all of them. */
  clear(): readonly Held[] {
    const held = this.runs.flat();
    this.runs = [];
    this.segments = 0;
    this.streams.buffered -= this.octets;
    this.octets = 0;
    return held;
  }
}

const firstOf = (run: readonly Held[]): Held => run[0]!;
const itself = (held: Held): Held => held;

/** How many of `sorted` begin before `sequence` or with it. */
function countBefore<T>(sorted: readonly T[], sequence: number, held: (one: T) => Held): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (((held(sorted[middle]!).sequence - sequence) | 0) > 0) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** Are octets `[from, to)` of `b` those of `a` from `at` on? */
export function agree(a: Uint8Array, at: number, b: Uint8Array, from: number, to: number): boolean {
  const shift = at - from;
  for (let i = from; i < to; i++) if (a[i + shift] !== b[i]) return false;
  return true;
}
