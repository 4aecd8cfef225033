/** `netlens ping`: every echo request with its reply, and ICMP errors with what they are about. */
import { Command } from 'commander';
import { type PingEvent, Pings } from '../analysis/pings.js';
import type { CaptureReader } from '../capture/source.js';
import type { Frame } from '../core/frame.js';
import {
  PING_HEADINGS,
  PING_RIGHT,
  PingStatistics,
  pingCoverage,
  pingRecord,
  pingRow,
  TARGET_HEADINGS,
  TARGET_RIGHT,
  targetRecord,
  targetRow,
} from '../report/ping.js';
import { RollingTable } from '../report/rolling-table.js';
import { EntryList } from './entry-list.js';
import { droppedByKernel, dropsText, type ExchangeOptions, type ExchangeReport, exchangeOptions, runExchanges } from './exchanges.js';
import { Sink } from './sink.js';
import { terminalWidth, themeFor } from './terminal.js';

export function pingCommand(): Command {
  return exchangeOptions(new Command('ping'), 'ping')
    .description('show pings: each echo request with its reply and how long it took; and ICMP errors with what they are about')
    .action(async (files: string[], options: ExchangeOptions) => {
      const sink = new Sink();
      await runExchanges(files, options, new PingReport(options, sink), sink);
    });
}

/** From echoes to lines, as the options ask. */
export class PingReport implements ExchangeReport {
  readonly analysis = { streams: false };
  private readonly pings = new Pings((event) => this.take(event));
  private readonly statistics = new PingStatistics();
  private readonly list: EntryList<PingEvent>;

  constructor(
    private readonly options: ExchangeOptions,
    private readonly sink: Sink,
  ) {
    this.list = new EntryList(options, sink, {
      headings: PING_HEADINGS,
      right: PING_RIGHT,
      row: pingRow,
      record: pingRecord,
      frames: (event) => (event.kind === 'ping' ? [event.frame, event.replyFrame, event.error?.frame] : [event.frame]),
      isError: (event) => event.kind === 'complaint' || event.outcome !== 'answered',
      latency: (event) => (event.kind === 'ping' ? event.latency : undefined),
    });
  }

  frame(frame: Frame): void {
    this.list.match(frame.number);
    this.skipped(frame);
  }

  skipped(frame: Frame): void {
    const { session } = frame;
    this.list.start = [session.firstSeconds, session.firstNanoseconds];
    this.pings.see(frame);
    this.list.settled(this.pings.oldest ?? frame);
  }

  finish(reader: CaptureReader): void {
    this.pings.finish();
    const left = this.list.finish();
    const { sink, options, statistics } = this;
    const dropped = droppedByKernel(reader);
    const targets = statistics.sorted();
    if (options.json) {
      for (const target of targets) sink.record(targetRecord(target));
      return sink.record({ type: 'ping_coverage', ...this.pings.counts, dropped_by_kernel: dropped ?? null });
    }
    if (targets.length > 0) {
      if (!options.stats) sink.unicodeLine('');
      const theme = themeFor(options.color);
      const table = new RollingTable((line) => sink.unicodeLine(line), { theme, right: TARGET_RIGHT, width: terminalWidth() });
      table.row(TARGET_HEADINGS.map((text) => ({ text, tone: 'heading' })));
      for (const target of targets) table.row(targetRow(target));
      table.release();
    }
    const shown = this.list.chooses ? ` · ${this.list.shown} shown` : '';
    sink.unicodeLine(`${pingCoverage(this.pings.counts)}${shown}${left} · ${dropsText(dropped)}`);
  }

  private take(event: PingEvent): void {
    if (this.list.add(event)) this.statistics.add(event);
  }
}
