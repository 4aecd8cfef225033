/** `netlens dns`: every question with its answer. */
import { Command } from 'commander';
import { type DnsTransaction, DnsTransactions } from '../analysis/dns-transactions.js';
import type { CaptureReader } from '../capture/source.js';
import type { Frame } from '../core/frame.js';
import type { Dns } from '../dissectors/dns.js';
import {
  ASCII_SIGNS,
  coverageRecord,
  coverageText,
  DNS_HEADINGS,
  DNS_RIGHT,
  DnsStatistics,
  dnsRecord,
  dnsRow,
  isDnsError,
  STATISTICS_HEADINGS,
  STATISTICS_RIGHT,
  statisticsRecord,
  statisticsRow,
  UNICODE_SIGNS,
} from '../report/dns.js';
import { RollingTable } from '../report/rolling-table.js';
import { TimeOrder } from '../report/time-order.js';
import { type ExchangeOptions, type ExchangeReport, exchangeOptions, runExchanges } from './exchanges.js';
import { Sink } from './sink.js';
import { isUnicodeLocale, terminalWidth, themeFor } from './terminal.js';

/** Lines that are kept to be sorted by how long they took; beyond it the quickest are left out, and that is said. */
const MOST_SORTED = 100_000;
/** What addresses, names and answers mostly take. */
const LIVE_WIDTHS = [9, 14, 14, 32, 36, 7];
/** Frames that passed the display filter and whose lookup is not over. */
const MOST_MATCHED = 1_000_000;

export function dnsCommand(): Command {
  return exchangeOptions(new Command('dns'), 'lookup')
    .description('show DNS lookups: each question with its answer and how long it took; over UDP, TCP, mDNS and LLMNR')
    .action(async (files: string[], options: ExchangeOptions) => {
      const sink = new Sink();
      await runExchanges(files, options, new DnsReport(options, sink), sink);
    });
}

/** From DNS messages to lines, as the options ask. */
export class DnsReport implements ExchangeReport {
  readonly analysis = {
    dnsTransactions: { see: (frame: Frame, dns: Dns) => void this.messages.push({ frame, dns }), finish: () => undefined },
  };
  private readonly transactions = new DnsTransactions((transaction) => this.take(transaction));
  /** Messages of the frame under way, until the display filter has spoken. */
  private readonly messages: { readonly frame: Frame; readonly dns: Dns }[] = [];
  /** Numbers of the frames that passed the display filter. */
  private readonly matched = new Set<number>();
  private shown = 0;
  private readonly statistics = new DnsStatistics();
  private readonly order: TimeOrder<DnsTransaction>;
  private readonly signs = isUnicodeLocale() ? UNICODE_SIGNS : ASCII_SIGNS;
  private readonly table: RollingTable;
  private sorted: DnsTransaction[] = [];
  private leftOut = 0;
  /** Time of the first frame. */
  private start: readonly [seconds: number, nanoseconds: number] = [0, 0];

  constructor(
    private readonly options: ExchangeOptions,
    private readonly sink: Sink,
  ) {
    const live = options.interface !== undefined;
    this.order = new TimeOrder((transaction) => this.show(transaction));
    this.table = new RollingTable((line) => sink.unicodeLine(line), {
      theme: themeFor(options.color),
      right: options.stats ? STATISTICS_RIGHT : DNS_RIGHT,
      width: terminalWidth(),
      live,
      // Live, no row is held back to measure others by.
      ...(live && !options.stats && { least: LIVE_WIDTHS }),
      ...(this.signs === ASCII_SIGNS && { ellipsis: '...' }),
    });
    if (!options.json) this.table.row((options.stats ? STATISTICS_HEADINGS : DNS_HEADINGS).map((text) => ({ text, tone: 'heading' })));
  }

  frame(frame: Frame): void {
    if (this.options.displayFilter !== undefined && this.messages.length > 0) {
      // Frames of answers that came again are never asked for; without them this holds little.
      if (this.matched.size > MOST_MATCHED) this.matched.clear();
      this.matched.add(frame.number);
    }
    this.look(frame);
  }

  skipped(frame: Frame): void {
    this.look(frame);
  }

  private look(frame: Frame): void {
    this.start = [frame.session.firstSeconds, frame.session.firstNanoseconds];
    for (const { frame: of, dns } of this.messages) this.transactions.see(of, dns);
    this.messages.length = 0;
    const open = this.options.interface === undefined ? this.transactions.oldestOpen : undefined;
    this.order.settled(open?.seconds, open?.nanoseconds);
  }

  finish(_reader: CaptureReader): void {
    for (const { frame, dns } of this.messages) this.transactions.see(frame, dns);
    this.transactions.finish();
    this.order.settled();
    const { counts } = this.transactions;
    const { stats, json, sort } = this.options;
    if (stats) {
      const groups = this.statistics.sorted(sort === 'took');
      if (json) for (const group of [...groups, this.statistics.total]) this.sink.record(statisticsRecord(group));
      else for (const group of [...groups, this.statistics.total]) this.table.row(statisticsRow(group, this.signs));
    }
    for (const transaction of this.sorted.sort(slowestFirst).slice(0, MOST_SORTED)) this.print(transaction);
    if (json) return this.sink.record(coverageRecord(counts));
    this.table.release();
    const left = this.leftOut > 0 ? ` ${this.signs.dot} the ${this.leftOut} quickest left out` : '';
    const { slow, errors, displayFilter } = this.options;
    const chosen = slow !== undefined || errors || displayFilter !== undefined;
    this.sink.unicodeLine(coverageText(counts, this.signs, chosen ? this.shown : undefined) + left);
  }

  private take(transaction: DnsTransaction): void {
    if (!this.wanted(transaction)) return;
    this.shown++;
    if (this.options.stats) return this.statistics.add(transaction);
    this.order.add(transaction, transaction.seconds, transaction.nanoseconds);
  }

  private wanted(transaction: DnsTransaction): boolean {
    const { slow, errors, displayFilter } = this.options;
    if (displayFilter !== undefined) {
      let any = false;
      for (const frames of [transaction.question_frames, transaction.answer_frames])
        for (const number of frames) any = this.matched.delete(number) || any;
      if (!any) return false;
    }
    if (errors && !isDnsError(transaction)) return false;
    if (slow === undefined || transaction.outcome === 'unanswered') return true;
    return transaction.latency !== undefined && Number(transaction.latency) >= slow * 1e9;
  }

  private show(transaction: DnsTransaction): void {
    if (this.options.sort === 'time') return this.print(transaction);
    this.sorted.push(transaction);
    if (this.sorted.length < 2 * MOST_SORTED) return;
    this.sorted.sort(slowestFirst).length = MOST_SORTED;
    this.leftOut += MOST_SORTED;
  }

  private print(transaction: DnsTransaction): void {
    if (this.options.json) this.sink.record(dnsRecord(transaction));
    else this.table.row(dnsRow(transaction, this.start, this.signs));
  }
}

/** Those that were never answered first, then by how long the answer took. */
function slowestFirst(a: DnsTransaction, b: DnsTransaction): number {
  const weight = (t: DnsTransaction) => (t.outcome === 'unanswered' ? Number.POSITIVE_INFINITY : Number(t.latency ?? -1));
  const [x, y] = [weight(a), weight(b)];
  return x === y ? 0 : y - x;
}
