/** The list of what a command finds, as its options ask: chosen, in order, as a table or as JSON, in bounded memory. */
import { between } from '../core/time.js';
import { type Cell, RollingTable } from '../report/rolling-table.js';
import { TimeOrder } from '../report/time-order.js';
import type { ExchangeOptions } from './exchanges.js';
import type { Sink } from './sink.js';
import { isUnicodeLocale, terminalWidth, themeFor } from './terminal.js';

/** A thing with the time that it is listed at. */
export interface Entry {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** What the list has to know of its things. */
export interface EntryView<T extends Entry> {
  readonly headings: readonly string[];
  /** Columns that stand at the right. */
  readonly right: ReadonlySet<number>;
  /** `since` is the time since the first frame, in seconds with six decimals. */
  row(entry: T, since: string): Cell[];
  record(entry: T): object;
  /** The frames that made it. */
  frames(entry: T): readonly (number | undefined)[];
  isError(entry: T): boolean;
  /** Nanoseconds; undefined where there was no answer. */
  latency(entry: T): number | undefined;
}

/** Entries kept to be sorted; beyond it the quickest are left out, and that is said. */
const MOST_SORTED = 100_000;
/** Numbers of frames that passed the display filter. */
const MOST_MATCHED = 1_000_000;

export class EntryList<T extends Entry> {
  /** Entries that the options chose. */
  shown = 0;
  private readonly matched = new Set<number>();
  private readonly order: TimeOrder<T>;
  private readonly table: RollingTable;
  private sorted: T[] = [];
  private leftOut = 0;
  /** Time of the first frame. */
  start: readonly [seconds: number, nanoseconds: number] = [0, 0];

  constructor(
    private readonly options: ExchangeOptions,
    private readonly sink: Sink,
    private readonly view: EntryView<T>,
  ) {
    sink.out.asciiOnly = !isUnicodeLocale();
    this.order = new TimeOrder((entry) => this.show(entry));
    this.table = new RollingTable((line) => sink.unicodeLine(line), {
      theme: themeFor(options.color),
      right: view.right,
      width: terminalWidth(),
      live: options.interface !== undefined,
    });
    if (!options.json && !options.stats) this.table.row(view.headings.map((text) => ({ text, tone: 'heading' })));
  }

  /** True when the options leave entries out. */
  get chooses(): boolean {
    const { slow, errors, displayFilter } = this.options;
    return slow !== undefined || errors === true || displayFilter !== undefined;
  }

  /** A frame passed the display filter. */
  match(frame: number): void {
    if (this.options.displayFilter === undefined) return;
    if (this.matched.size > MOST_MATCHED) this.matched.clear();
    this.matched.add(frame);
  }

  /** List an entry, if the options choose it; says whether they do. */
  add(entry: T): boolean {
    if (!this.wanted(entry)) return false;
    this.shown++;
    if (!this.options.stats) this.order.add(entry, entry.seconds, entry.nanoseconds);
    return true;
  }

  /** Nothing that began before this entry is open any more; without one, nothing is. */
  settled(oldest: Entry | undefined): void {
    this.order.settled(oldest?.seconds, oldest?.nanoseconds);
  }

  /** Everything was listed; the remark goes to the last line. */
  finish(): string {
    this.order.settled();
    this.sorted.sort((a, b) => this.weight(b) - this.weight(a));
    for (const entry of this.sorted) this.print(entry);
    if (!this.options.json) this.table.release();
    return this.leftOut > 0 ? ` · the ${this.leftOut} quickest left out` : '';
  }

  private wanted(entry: T): boolean {
    const { slow, errors, displayFilter } = this.options;
    if (displayFilter !== undefined && !this.view.frames(entry).some((frame) => frame !== undefined && this.matched.has(frame)))
      return false;
    if (errors && !this.view.isError(entry)) return false;
    if (slow === undefined) return true;
    const latency = this.view.latency(entry);
    return latency === undefined || latency >= slow * 1e9;
  }

  /** Those without an answer first, then the slowest. */
  private weight(entry: T): number {
    return this.view.latency(entry) ?? Number.MAX_VALUE;
  }

  private show(entry: T): void {
    if (this.options.sort === 'time') return this.print(entry);
    this.sorted.push(entry);
    if (this.sorted.length < 2 * MOST_SORTED) return;
    this.sorted.sort((a, b) => this.weight(b) - this.weight(a)).length = MOST_SORTED;
    this.leftOut += MOST_SORTED;
  }

  private print(entry: T): void {
    if (this.options.json) return this.sink.record(this.view.record(entry));
    const since = Number(between(entry.seconds, entry.nanoseconds, this.start[0], this.start[1])) / 1e9;
    this.table.row(this.view.row(entry, since.toFixed(6)));
  }
}
