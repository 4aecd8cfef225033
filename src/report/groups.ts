/**
 * Exchanges summed up by what they have in common, in bounded memory: when there are too many groups, those that hold least
 * are folded into one, so that all sums stay right and the largest groups stay apart.
 */
import type { Latencies } from './latency.js';

/** What is counted of a group of exchanges. */
export interface Group {
  /** Exchanges in it. */
  count: number;
  readonly latencies: Latencies;
}

/** Groups told apart; half as many are left after folding. */
const MOST_GROUPS = 20_000;

/** Shares of a group's exchanges for which the time is told that they did not exceed. */
export const PERCENTILES = [0.5, 0.95, 0.99] as const;

export class Groups<G extends Group> {
  private readonly groups = new Map<string, G>();
  /** Groups that were folded. One that comes again afterwards is counted as another one. */
  folded = 0;
  /** What was folded into one. */
  others: G | undefined;

  constructor(
    /** Add what one group counted to another one; counts and latencies are seen to. */
    private readonly merge: (into: G, from: G) => void,
    private readonly makeOthers: () => G,
    private readonly most = MOST_GROUPS,
  ) {}

  /** The group of this key, made by `make` when it is new. */
  of(key: string, make: () => G): G {
    let group = this.groups.get(key);
    if (group === undefined) {
      if (this.groups.size >= this.most) this.fold();
      this.groups.set(key, (group = make()));
    }
    return group;
  }

  private fold(): void {
    this.others ??= this.makeOthers();
    const ordered = [...this.groups].sort((a, b) => b[1].count - a[1].count);
    for (const [key, group] of ordered.slice(this.most >> 1)) {
      this.groups.delete(key);
      this.folded++;
      this.others.count += group.count;
      this.others.latencies.merge(group.latencies);
      this.merge(this.others, group);
    }
  }

  /** All groups, those with most exchanges first, or with `slowest` those with the highest 95th percentile; what was folded comes last. */
  sorted(slowest: boolean, name: (group: G) => string): G[] {
    const ordered = [...this.groups.values()].map((group) => ({
      group,
      weight: slowest ? (group.latencies.percentile(0.95) ?? -1) : group.count,
      name: name(group),
    }));
    ordered.sort((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    const groups = ordered.map(({ group }) => group);
    return this.others === undefined ? groups : [...groups, this.others];
  }
}
