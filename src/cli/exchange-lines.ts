/**
 * The lines of commands that show requests with their answers over byte streams (`redis`, `http`): which are wanted, in which
 * order, as a table or as JSON, or summed up; and what the capture lost.
 */
import type { CaptureReader } from '../capture/source.js';
import type { Frame } from '../core/frame.js';
import type { Nanoseconds } from '../core/time.js';
import type { AnalysisOptions } from '../frames.js';
import type { StreamCounters } from '../reassembly/streams.js';
import { ASCII_SIGNS, type Signs, UNICODE_SIGNS } from '../report/dns.js';
import type { Losses } from '../report/redis.js';
import { type Cell, RollingTable } from '../report/rolling-table.js';
import { TimeOrder } from '../report/time-order.js';
import { droppedByKernel, type ExchangeOptions, type ExchangeReport } from './exchanges.js';
import type { Sink } from './sink.js';
import { isUnicodeLocale, terminalWidth, themeFor } from './terminal.js';

/** Lines that are kept to be sorted by how long they took; beyond it the quickest are left out, and that is said. */
const MOST_SORTED = 100_000;
/** Frames that passed the display filter and whose exchange is not over. */
const MOST_MATCHED = 1_000_000;

export interface Point {
  readonly seconds: number;
  readonly nanoseconds: number;
  /** Place among those of the same frame, from 0. */
  readonly place: number;
}

/** Nanoseconds that keep those of one frame in their order; a frame holds fewer than a million. */
const inOrder = ({ nanoseconds, place }: Point): number => nanoseconds + place * 1e-6;

/** What there is to know about one kind of exchange. */
export interface ExchangeKind<T extends Point> {
  readonly analysis: AnalysisOptions;
  readonly headings: readonly string[];
  readonly right: ReadonlySet<number>;
  /** Least widths of the columns when rows are written as they come. */
  readonly liveWidths: readonly number[];
  readonly statisticsHeadings: readonly string[];
  readonly statisticsRight: ReadonlySet<number>;
  /** The oldest exchange that is not over. */
  readonly oldestOpen: Point | undefined;
  /** Gets exchanges that are over. */
  emit: ((exchange: T) => void) | undefined;
  /** Its row; undefined when it has nothing to add to those before. */
  row(exchange: T, start: readonly [seconds: number, nanoseconds: number], signs: Signs): readonly Cell[] | undefined;
  record(exchange: T): object | undefined;
  isError(exchange: T): boolean;
  /** How long it took; Infinity when it was never answered, undefined when that says nothing. */
  took(exchange: T): Nanoseconds | undefined;
  frames(exchange: T): readonly number[];
  /** Does a frame hold a message of it? */
  concerns(frame: Frame): boolean;
  /** Count it for the statistics. */
  count(exchange: T): void;
  statistics(slowest: boolean): { readonly rows: (signs: Signs) => (readonly Cell[])[]; readonly records: () => object[] };
  coverageText(losses: Losses, signs: Signs, shown: number | undefined): string;
  coverageRecord(losses: Losses): object;
}

export class ExchangeLines<T extends Point> implements ExchangeReport {
  readonly analysis: AnalysisOptions;
  private readonly counters: StreamCounters = { holes: 0, missing: 0, unread: 0, conflicts: 0 };
  /** Exchanges that ended in the frame under way, until the display filter has spoken. */
  private ended: T[] = [];
  /** Numbers of the frames that passed the display filter. */
  private readonly matched = new Set<number>();
  private shown = 0;
  private readonly order: TimeOrder<T>;
  private readonly signs = isUnicodeLocale() ? UNICODE_SIGNS : ASCII_SIGNS;
  private readonly table: RollingTable;
  private sorted: T[] = [];
  private leftOut = 0;
  /** Time of the first frame. */
  private start: readonly [seconds: number, nanoseconds: number] = [0, 0];
  private readonly live: boolean;

  constructor(
    private readonly kind: ExchangeKind<T>,
    private readonly options: ExchangeOptions,
    private readonly sink: Sink,
  ) {
    this.live = options.interface !== undefined;
    this.analysis = { ...kind.analysis, streamCounters: this.counters };
    kind.emit = (exchange) => void this.ended.push(exchange);
    this.order = new TimeOrder((exchange) => this.print(exchange));
    this.table = new RollingTable((line) => sink.unicodeLine(line), {
      theme: themeFor(options.color),
      right: options.stats ? kind.statisticsRight : kind.right,
      width: terminalWidth(),
      live: this.live,
      ...(this.live && !options.stats && { least: kind.liveWidths }),
      ...(this.signs === ASCII_SIGNS && { ellipsis: '...' }),
    });
    if (!options.json) this.table.row((options.stats ? kind.statisticsHeadings : kind.headings).map((text) => ({ text, tone: 'heading' })));
  }

  frame(frame: Frame): void {
    if (this.options.displayFilter !== undefined && this.kind.concerns(frame)) {
      // Frames whose exchange was never told (repeats, strays) are never asked for; without them this holds little.
      if (this.matched.size > MOST_MATCHED) this.matched.clear();
      this.matched.add(frame.number);
    }
    this.look(frame);
  }

  skipped(frame: Frame): void {
    this.look(frame);
  }

  private look(frame: Frame): void {
    if (this.ended.length === 0) return;
    this.start = [frame.session.firstSeconds, frame.session.firstNanoseconds];
    this.takeEnded();
    if (this.live) return this.order.settled();
    const open = this.kind.oldestOpen;
    if (open === undefined) this.order.settled();
    else this.order.settled(open.seconds, inOrder(open));
  }

  private takeEnded(): void {
    const { ended } = this;
    for (let i = 0; i < ended.length; i++) this.take(ended[i]!);
    if (ended.length > 1024) this.ended = [];
    else ended.length = 0;
  }

  finish(reader: CaptureReader): void {
    this.takeEnded();
    this.order.settled();
    const { kind, sink, signs } = this;
    const { stats, json, sort } = this.options;
    if (stats) {
      const statistics = kind.statistics(sort === 'took');
      if (json) for (const record of statistics.records()) sink.record(record);
      else for (const row of statistics.rows(signs)) this.table.row(row);
    }
    for (const exchange of this.sorted.sort((a, b) => this.bySlowness(a, b)).slice(0, MOST_SORTED)) this.write(exchange);
    const losses: Losses = { holes: this.counters.holes, missing: this.counters.missing, dropped: droppedByKernel(reader) };
    if (json) return sink.record(kind.coverageRecord(losses));
    this.table.release();
    const left = this.leftOut > 0 ? ` ${signs.dot} the ${this.leftOut} quickest left out` : '';
    const { slow, errors, displayFilter } = this.options;
    const chosen = slow !== undefined || errors || displayFilter !== undefined;
    sink.unicodeLine(kind.coverageText(losses, signs, chosen ? this.shown : undefined) + left);
  }

  private take(exchange: T): void {
    if (!this.wanted(exchange)) return;
    this.shown++;
    if (this.options.stats) return this.kind.count(exchange);
    this.order.add(exchange, exchange.seconds, inOrder(exchange));
  }

  private wanted(exchange: T): boolean {
    const { slow, errors, displayFilter } = this.options;
    const { kind } = this;
    if (displayFilter !== undefined) {
      let any = false;
      for (const number of kind.frames(exchange)) any = this.matched.has(number) || any;
      if (!any) return false;
    }
    if (errors && !kind.isError(exchange)) return false;
    if (slow === undefined) return true;
    const took = kind.took(exchange);
    return took !== undefined && Number(took) >= slow * 1e9;
  }

  private print(exchange: T): void {
    if (this.options.sort === 'time') return this.write(exchange);
    this.sorted.push(exchange);
    if (this.sorted.length < 2 * MOST_SORTED) return;
    this.sorted.sort((a, b) => this.bySlowness(a, b)).length = MOST_SORTED;
    this.leftOut += MOST_SORTED;
  }

  private bySlowness(a: T, b: T): number {
    const [x, y] = [Number(this.kind.took(a) ?? -1), Number(this.kind.took(b) ?? -1)];
    return x === y ? 0 : y - x;
  }

  private write(exchange: T): void {
    if (this.options.json) {
      const record = this.kind.record(exchange);
      if (record !== undefined) this.sink.record(record);
    } else {
      const row = this.kind.row(exchange, this.start, this.signs);
      if (row !== undefined) this.table.row(row);
    }
  }
}
