/**
 * The largest of many counted things in bounded memory: when too many are held, those that count least are folded into one
 * sum, so that what is left is right in its sums and honest about the rest.
 */

/** Something that is counted in octets. */
export interface Counted {
  octets: number;
  frames: number;
}

/** Things held at most; half as many are left after folding. */
const MOST = 40_000;

export class TopTable<T extends Counted> {
  private readonly things = new Map<string, T>();
  /** What was folded. A thing that comes again after it was folded is counted as another one. */
  readonly folded = { things: 0, frames: 0, octets: 0 };

  constructor(private readonly most = MOST) {}

  /** The thing of this key, made by `make` when it is new. */
  get(key: string, make: () => T): T {
    let thing = this.things.get(key);
    if (thing === undefined) {
      if (this.things.size >= this.most) this.fold();
      this.things.set(key, (thing = make()));
    }
    return thing;
  }

  private fold(): void {
    const ordered = [...this.things].sort((a, b) => b[1].octets - a[1].octets);
    for (const [key, thing] of ordered.slice(this.most >> 1)) {
      this.things.delete(key);
      this.folded.things++;
      this.folded.frames += thing.frames;
      this.folded.octets += thing.octets;
    }
  }

  /** All things that came: held and folded. */
  get count(): number {
    return this.things.size + this.folded.things;
  }

  /** Those with most octets, most first. */
  top(n: number): T[] {
    return [...this.things.values()].sort((a, b) => b.octets - a.octets || b.frames - a.frames).slice(0, n);
  }
}
