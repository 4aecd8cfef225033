/**
 * The lines of commands that show requests with their answers (`dns`, `redis`, `http`, `ping`, `dhcp`): which are wanted, in
 * which order, as a table or as JSON, or summed up; and what the capture lost.
 */
import type { Command } from 'commander';
import type { CaptureReader } from '../capture/source.js';
import type { Frame } from '../core/frame.js';
import type { Nanoseconds } from '../core/time.js';
import type { AnalysisOptions } from '../frames.js';
import type { StreamCounters } from '../reassembly/stream-options.js';
import { folded, type Losses } from '../report/coverage.js';
import { type Cell, type Giving, RollingTable } from '../report/rolling-table.js';
import { ASCII_SIGNS, type Signs, type Start, UNICODE_SIGNS } from '../report/signs.js';
import { TimeOrder } from '../report/time-order.js';
import { type ExchangeOptions, type ExchangeReport, exchangeOptions, runExchanges } from './exchanges.js';
import { droppedByKernel } from './limits.js';
import { Sink } from './sink.js';
import { isUnicodeLocale, say, terminalWidth, themeFor } from './terminal.js';

/** Lines that are kept to be sorted by how long they took; beyond it the quickest are left out, and that is said. */
const MOST_SORTED = 20_000;
/** More than those that are gathered before the quickest are left out again. */
const SPARE = 4000;
/** Frames that passed the display filter and are remembered at least, for exchanges that are not over. */
const MATCHED = 250_000;

/** Stretches of frames without a time that are remembered; beyond it the times of later exchanges are shown as they are. */
const MOST_TIMELESS = 65_536;

/** Where an exchange stands in the list. */
export interface Point {
  readonly seconds: number;
  readonly nanoseconds: number;
  /** Place among those of the same frame, from 0. */
  readonly place?: number;
}

/** Nanoseconds that keep those of one frame in their order; a frame holds fewer than a million. */
const inOrder = ({ nanoseconds, place = 0 }: Point): number => nanoseconds + place * 1e-6;

/** Rows of a table of statistics, and the records that say the same. */
export interface Summary {
  readonly rows: (signs: Signs) => (readonly Cell[])[];
  readonly records: () => object[];
}

/** Columns of a terminal for a latency at the end of a row. */
const LATENCY_WIDTH = 8;

/** What there is to know about one kind of exchange. */
export interface ExchangeKind<T extends Point> {
  readonly analysis: AnalysisOptions;
  readonly headings: readonly string[];
  readonly right: ReadonlySet<number>;
  /** Columns that make room on a narrow terminal, so that what matters most is seen. */
  readonly gives?: readonly Giving[];
  /** What they leave to the last column at least. */
  readonly rest?: number;
  /** Least widths of the columns when rows are written as they come. */
  readonly liveWidths: readonly number[];
  readonly statisticsHeadings: readonly string[];
  readonly statisticsRight: ReadonlySet<number>;
  /** Columns of the statistics that make room on a narrow terminal; the last one is kept. */
  readonly statisticsGives?: readonly Giving[];
  /** The list is followed by its statistics. */
  readonly summarised?: boolean;
  /** The oldest exchange that is not over. */
  readonly oldestOpen: Point | undefined;
  /** Gets exchanges that are over. */
  emit: ((exchange: T) => void) | undefined;
  /** Look at a frame, where {@link analysis} does not lead to what is wanted. */
  see?(frame: Frame): void;
  /** No more frames come: what is open is over. */
  finish?(): void;
  /** Its row; undefined when it has nothing to add to those before. */
  row(exchange: T, start: Start, signs: Signs): readonly Cell[] | undefined;
  record(exchange: T): object | undefined;
  isError(exchange: T): boolean;
  /** How long it took; Infinity when it was never answered, undefined when that says nothing. */
  took(exchange: T): Nanoseconds | undefined;
  frames(exchange: T): readonly (number | undefined)[];
  /** The same without what was measured: a frame of it has no time. */
  untimed(exchange: T): T;
  /** Does a frame hold a message of it? */
  concerns(frame: Frame): boolean;
  /** It is wanted, and the frame that ended it is still there. */
  accept?(exchange: T): void;
  /** What else is to be said at the end, beside the output. */
  readonly remark?: string | undefined;
  /** Count it for the statistics. */
  count(exchange: T): void;
  statistics(slowest: boolean): Summary;
  coverageText(losses: Losses, signs: Signs, shown: number | undefined): string;
  coverageRecord(losses: Losses): object;
}

/** A command that lists exchanges of one kind. `what` names one of them for the help: `lookup`, `command`. */
export function exchangeCommand<T extends Point, O extends ExchangeOptions>(
  command: Command,
  what: string,
  kindFor: (options: O) => ExchangeKind<T>,
): Command {
  return exchangeOptions(command, what).action(async (files: string[], options: O) => {
    const sink = new Sink();
    const kind = kindFor(options);
    await runExchanges(files, options, new ExchangeLines(kind, options, sink), sink);
    if (kind.remark !== undefined) say(kind.remark);
  });
}

export class ExchangeLines<T extends Point> implements ExchangeReport {
  readonly analysis: AnalysisOptions;
  private readonly counters: StreamCounters = { holes: 0, missing: 0, unread: 0, conflicts: 0 };
  /** Exchanges that ended in the frame under way, until the display filter has spoken. */
  private ended: T[] = [];
  /** Numbers of the frames that passed the display filter: the latest, and those before them. */
  private matched = new Set<number>();
  private matchedBefore = new Set<number>();
  private shown = 0;
  /** Frames that were captured in part. */
  private cut = 0;
  private readonly order: TimeOrder<T>;
  private readonly signs = isUnicodeLocale() ? UNICODE_SIGNS : ASCII_SIGNS;
  private readonly table: RollingTable;
  private readonly sorted: T[] = [];
  /** As quick as the quickest of {@link sorted} that is kept: what took no longer is left out at once. */
  private quickest = Number.NEGATIVE_INFINITY;
  private leftOut = 0;
  /** Time of the first frame that has one. */
  private start: Start | undefined = undefined;
  /** Stretches of frames without a time, as pcapng may have them: the first and the last frame of each, by turns. */
  private readonly timeless: number[] = [];
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
    if (!options.json) sink.out.asciiOnly = this.signs === ASCII_SIGNS;
    this.table = options.stats
      ? this.statisticsTable()
      : this.newTable(kind.headings, kind.right, this.live ? kind.liveWidths : undefined, kind);
  }

  /** A table with its headings. With `least`, rows are written as they come, in columns at least so wide. */
  private newTable(
    headings: readonly string[],
    right: ReadonlySet<number>,
    least: readonly number[] | undefined,
    { gives = [], rest }: Pick<ExchangeKind<T>, 'gives' | 'rest'> = {},
  ): RollingTable {
    const { options, sink, signs } = this;
    const table = new RollingTable((line) => sink.unicodeLine(line), {
      theme: themeFor(options.color),
      right,
      width: terminalWidth(),
      live: least !== undefined,
      gives,
      ...(rest !== undefined && { rest }),
      ...(least !== undefined && { least }),
      ...(signs === ASCII_SIGNS && { ellipsis: signs.ellipsis }),
    });
    if (!options.json) table.row(headings.map((text) => ({ text, tone: 'heading' })));
    return table;
  }

  private statisticsTable(): RollingTable {
    const { statisticsHeadings, statisticsRight, statisticsGives } = this.kind;
    return this.newTable(
      statisticsHeadings,
      statisticsRight,
      undefined,
      statisticsGives && { gives: statisticsGives, rest: LATENCY_WIDTH },
    );
  }

  frame(frame: Frame): void {
    if (this.options.displayFilter !== undefined && this.kind.concerns(frame)) {
      if (this.matched.size >= MATCHED) {
        this.matchedBefore = this.matched;
        this.matched = new Set();
      }
      this.matched.add(frame.number);
    }
    this.look(frame);
  }

  skipped(frame: Frame): void {
    this.look(frame);
  }

  private look(frame: Frame): void {
    if (frame.capturedLength < frame.wireLength) this.cut++;
    if (!frame.hasTime) this.noteTimeless(frame.number);
    else if (this.start === undefined) this.start = firstTime(frame);
    this.kind.see?.(frame);
    if (this.ended.length === 0) return;
    this.takeEnded();
    if (this.live) return this.order.settled();
    const open = this.kind.oldestOpen;
    if (open === undefined) this.order.settled();
    else this.order.settled(open.seconds, inOrder(open));
  }

  private noteTimeless(number: number): void {
    const { timeless } = this;
    if (timeless.at(-1) === number - 1) timeless[timeless.length - 1] = number;
    else if (timeless.length < 2 * MOST_TIMELESS) timeless.push(number, number);
  }

  /** Does a frame without a time stand in the stretch of the capture that an exchange takes? */
  private isTimeless(exchange: T): boolean {
    const { timeless } = this;
    if (timeless.length === 0) return false;
    let first = Number.POSITIVE_INFINITY;
    let last = 0;
    for (const number of this.kind.frames(exchange)) {
      if (number === undefined) continue;
      if (number < first) first = number;
      if (number > last) last = number;
    }
    // The first stretch that does not end before it.
    let from = 0;
    let to = timeless.length / 2;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (timeless[2 * middle + 1]! < first) from = middle + 1;
      else to = middle;
    }
    return from < timeless.length / 2 && timeless[2 * from]! <= last;
  }

  private takeEnded(): void {
    const { ended } = this;
    for (let i = 0; i < ended.length; i++) this.take(ended[i]!);
    if (ended.length > 1024) this.ended = [];
    else ended.length = 0;
  }

  finish(reader: CaptureReader): void {
    const { kind, sink, signs, options } = this;
    kind.finish?.();
    this.takeEnded();
    this.order.settled();
    this.keepSlowest();
    for (const exchange of this.sorted) this.write(exchange);
    if (!options.json && !options.stats) this.table.release();
    if (options.stats || kind.summarised) this.summarise(kind.statistics(options.sort === 'took'));
    const losses: Losses = {
      holes: this.analysis.streams === false ? undefined : this.counters.holes,
      missing: this.counters.missing,
      cut: this.cut,
      dropped: droppedByKernel(reader),
    };
    if (options.json) return sink.record(kind.coverageRecord(losses));
    const left = this.leftOut > 0 ? ` ${signs.dot} the ${this.leftOut} quickest left out` : '';
    const chosen = options.slow !== undefined || options.errors || options.displayFilter !== undefined;
    sink.unicodeLine(folded(kind.coverageText(losses, signs, chosen ? this.shown : undefined) + left, terminalWidth(), signs.dot));
  }

  private summarise(summary: Summary): void {
    const { sink, signs, options } = this;
    if (options.json) {
      for (const record of summary.records()) sink.record(record);
      return;
    }
    const rows = summary.rows(signs);
    if (rows.length === 0) return;
    let { table } = this;
    if (!options.stats) {
      sink.unicodeLine('');
      table = this.statisticsTable();
    }
    for (const row of rows) table.row(row);
    table.release();
  }

  private take(ended: T): void {
    const exchange = this.timeless.length > 0 && this.isTimeless(ended) ? this.kind.untimed(ended) : ended;
    if (!this.wanted(exchange)) return;
    this.shown++;
    this.kind.accept?.(exchange);
    if (this.options.stats || this.kind.summarised) this.kind.count(exchange);
    if (!this.options.stats) this.order.add(exchange, exchange.seconds, inOrder(exchange));
  }

  private wanted(exchange: T): boolean {
    const { slow, errors, displayFilter } = this.options;
    const { kind, matched, matchedBefore } = this;
    if (displayFilter !== undefined) {
      const passed = (frame: number | undefined) => frame !== undefined && (matched.has(frame) || matchedBefore.has(frame));
      if (!kind.frames(exchange).some(passed)) return false;
    }
    if (errors && !kind.isError(exchange)) return false;
    if (slow === undefined) return true;
    const took = kind.took(exchange);
    return took !== undefined && Number(took) >= slow * 1e9;
  }

  private print(exchange: T): void {
    if (this.options.sort === 'time') return this.write(exchange);
    // Of those that took as long, the first stay.
    if (this.slowness(exchange) <= this.quickest) {
      this.leftOut++;
      return;
    }
    this.sorted.push(exchange);
    if (this.sorted.length === MOST_SORTED + SPARE) this.keepSlowest();
  }

  private keepSlowest(): void {
    const { sorted } = this;
    sorted.sort((a, b) => this.bySlowness(a, b));
    if (sorted.length < MOST_SORTED) return;
    this.leftOut += sorted.length - MOST_SORTED;
    sorted.length = MOST_SORTED;
    this.quickest = this.slowness(sorted[MOST_SORTED - 1]!);
  }

  private slowness(exchange: T): number {
    return Number(this.kind.took(exchange) ?? -1);
  }

  private bySlowness(a: T, b: T): number {
    const x = this.slowness(a);
    const y = this.slowness(b);
    return x === y ? 0 : y - x;
  }

  private write(exchange: T): void {
    const timeless = this.timeless.length > 0 && this.isTimeless(exchange);
    if (this.options.json) {
      const record = this.kind.record(exchange);
      if (record !== undefined) this.sink.record(timeless ? { ...record, time: undefined, time_epoch: undefined } : record);
    } else {
      const row = this.kind.row(exchange, this.start ?? [0, 0], this.signs);
      // The time is the first column everywhere.
      if (row !== undefined) this.table.row(timeless ? ['', ...row.slice(1)] : row);
    }
  }
}

/** The time of the first frame of the capture, where it has one, else of this one. */
function firstTime({ session, seconds, nanoseconds }: Frame): Start {
  const { firstSeconds, firstNanoseconds } = session;
  return firstSeconds === 0 && firstNanoseconds === 0 ? [seconds, nanoseconds] : [firstSeconds, firstNanoseconds];
}
