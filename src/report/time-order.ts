/**
 * Puts what comes out of order back in the order of its time. An exchange is known when its answer has come or will not come
 * any more, but it is to be listed where its request was: so each is held back while something earlier is still open.
 */

interface Held<T> {
  readonly thing: T;
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** Most things held; beyond it the earliest goes, whatever may still come. */
const MOST = 4096;

export class TimeOrder<T> {
  /** Earliest first, from {@link head} on; nothing before it, so that nobody keeps what was handed on. */
  private held: (Held<T> | undefined)[] = [];
  private head = 0;

  constructor(private readonly emit: (thing: T) => void) {}

  add(thing: T, seconds: number, nanoseconds: number): void {
    // Most come nearly in order, so the place is near the end.
    let from = this.head;
    let to = this.held.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (isAfter(this.held[middle]!, seconds, nanoseconds)) to = middle;
      else from = middle + 1;
    }
    const held = { thing, seconds, nanoseconds };
    if (from === this.held.length) this.held.push(held);
    else this.held.splice(from, 0, held);
    if (this.held.length - this.head > MOST) this.take();
  }

  /** Nothing that began before this time is open any more: what began before may go. Without a time, nothing is open at all. */
  settled(seconds = Number.POSITIVE_INFINITY, nanoseconds = 0): void {
    while (this.head < this.held.length && !isAfter(this.held[this.head]!, seconds, nanoseconds)) this.take();
  }

  private take(): void {
    const { thing } = this.held[this.head]!;
    this.held[this.head++] = undefined;
    if (this.head === this.held.length) {
      this.held = [];
      this.head = 0;
    } else if (this.head >= MOST) {
      this.held.splice(0, this.head);
      this.head = 0;
    }
    this.emit(thing);
  }
}

const isAfter = (held: { readonly seconds: number; readonly nanoseconds: number }, seconds: number, nanoseconds: number) =>
  held.seconds > seconds || (held.seconds === seconds && held.nanoseconds > nanoseconds);
