/**
 * Puts what comes out of order back in the order of its time. An exchange is known when its answer has come or will not come
 * any more, but it is to be listed where its request was: so each is held back until nothing earlier is to be expected.
 */

interface Held<T> {
  readonly thing: T;
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** Seconds for which things are held: longer than any analysis waits for an answer. */
const HOLD = 45;
/** Most things held; beyond it the earliest goes, in order or not. */
const MOST = 50_000;

export class TimeOrder<T> {
  /** Latest first, so that the next to go is at the end. */
  private held: Held<T>[] = [];

  constructor(
    /** Seconds of packet time to hold things for; 0 lets them pass at once. */
    private readonly hold: number = HOLD,
    private readonly emit: (thing: T) => void,
  ) {}

  add(thing: T, seconds: number, nanoseconds: number): void {
    if (this.hold === 0) return this.emit(thing);
    let from = 0;
    let to = this.held.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (isLater(this.held[middle]!, seconds, nanoseconds)) from = middle + 1;
      else to = middle;
    }
    this.held.splice(from, 0, { thing, seconds, nanoseconds });
    if (this.held.length > MOST) this.emit(this.held.pop()!.thing);
  }

  /** It is now so late: whatever is old enough goes. */
  now(seconds: number): void {
    for (let last = this.held.at(-1); last !== undefined && last.seconds + this.hold < seconds; last = this.held.at(-1))
      this.emit(this.held.pop()!.thing);
  }

  /** Nothing more comes. */
  finish(): void {
    for (let last = this.held.pop(); last !== undefined; last = this.held.pop()) this.emit(last.thing);
  }
}

const isLater = (held: { readonly seconds: number; readonly nanoseconds: number }, seconds: number, nanoseconds: number) =>
  held.seconds > seconds || (held.seconds === seconds && held.nanoseconds > nanoseconds);
