/**
 * Things in the order in which they were last touched, to forget the oldest first. The first key of a Map would do, were it
 * not that V8 steps over every entry deleted before it: with 65 536 entries that took 20 µs each time.
 */
export interface Aged<T> {
  /** Neighbours; for {@link AgeOrder} alone. */
  older: T | undefined;
  newer: T | undefined;
}

export class AgeOrder<T extends Aged<T>> {
  oldest: T | undefined = undefined;
  private newest: T | undefined = undefined;

  /** Put in a thing that stands in no order yet, as the newest. */
  add(thing: T): void {
    thing.older = this.newest;
    thing.newer = undefined;
    if (this.newest === undefined) this.oldest = thing;
    else this.newest.newer = thing;
    this.newest = thing;
  }

  /** Take out a thing that stands in this order. */
  remove(thing: T): void {
    if (thing.older === undefined) this.oldest = thing.newer;
    else thing.older.newer = thing.newer;
    if (thing.newer === undefined) this.newest = thing.older;
    else thing.newer.older = thing.older;
    thing.older = thing.newer = undefined;
  }

  /** Make it the newest. */
  touch(thing: T): void {
    if (this.newest === thing) return;
    this.remove(thing);
    this.add(thing);
  }
}
