/** `netlens dhcp`: every lease with the messages that led to it. */
import { Command } from 'commander';
import { type Lease, Leases } from '../analysis/leases.js';
import type { CaptureReader } from '../capture/source.js';
import type { Frame } from '../core/frame.js';
import {
  DHCP_HEADINGS,
  DHCP_RIGHT,
  dhcpCoverage,
  dhcpRecord,
  dhcpRow,
  isDhcpError,
  LeaseStatistics,
  OUTCOME_HEADINGS,
  OUTCOME_RIGHT,
  outcomeRow,
} from '../report/dhcp.js';
import { RollingTable } from '../report/rolling-table.js';
import { EntryList } from './entry-list.js';
import { droppedByKernel, dropsText, type ExchangeOptions, type ExchangeReport, exchangeOptions, runExchanges } from './exchanges.js';
import { Sink } from './sink.js';
import { terminalWidth, themeFor } from './terminal.js';

export function dhcpCommand(): Command {
  return exchangeOptions(new Command('dhcp'), 'transaction')
    .description('show DHCP leases, of IPv4 and IPv6: who asked, who answered, what address for how long, and how long it took')
    .action(async (files: string[], options: ExchangeOptions) => {
      const sink = new Sink();
      await runExchanges(files, options, new DhcpReport(options, sink), sink);
    });
}

/** From leases to lines, as the options ask. */
export class DhcpReport implements ExchangeReport {
  readonly analysis = { streams: false };
  private readonly leases = new Leases((lease) => this.take(lease));
  private readonly statistics = new LeaseStatistics();
  private readonly list: EntryList<Lease>;

  constructor(
    private readonly options: ExchangeOptions,
    private readonly sink: Sink,
  ) {
    this.list = new EntryList(options, sink, {
      headings: DHCP_HEADINGS,
      right: DHCP_RIGHT,
      row: dhcpRow,
      record: dhcpRecord,
      frames: (lease) => lease.steps.map((step) => step.frame),
      isError: isDhcpError,
      latency: (lease) => lease.latency,
    });
  }

  frame(frame: Frame): void {
    this.list.match(frame.number);
    this.skipped(frame);
  }

  skipped(frame: Frame): void {
    const { session } = frame;
    this.list.start = [session.firstSeconds, session.firstNanoseconds];
    this.leases.see(frame);
    this.list.settled(this.leases.oldest ?? frame);
  }

  finish(reader: CaptureReader): void {
    this.leases.finish();
    const left = this.list.finish();
    const { sink, options } = this;
    const { counts } = this.leases;
    const dropped = droppedByKernel(reader);
    const groups = options.stats ? [...this.statistics.sorted()] : [];
    if (options.json) {
      for (const { outcome, count, times } of groups) {
        const [p50, p95, p99, max] = times.map((time) => (time === undefined ? undefined : time / 1e9));
        sink.record({ type: 'dhcp_statistics', outcome, count, p50, p95, p99, max });
      }
      const { outcomes, ...rest } = counts;
      return sink.record({ type: 'dhcp_coverage', ...outcomes, ...rest, dropped_by_kernel: dropped ?? null });
    }
    if (groups.length > 0) {
      const theme = themeFor(options.color);
      const table = new RollingTable((line) => sink.unicodeLine(line), { theme, right: OUTCOME_RIGHT, width: terminalWidth() });
      table.row(OUTCOME_HEADINGS.map((text) => ({ text, tone: 'heading' })));
      for (const { outcome, count, times } of groups) table.row(outcomeRow(outcome, count, times));
      table.release();
    }
    const shown = this.list.chooses ? ` · ${this.list.shown} shown` : '';
    sink.unicodeLine(`${dhcpCoverage(counts)}${shown}${left} · ${dropsText(dropped)}`);
  }

  private take(lease: Lease): void {
    if (this.list.add(lease)) this.statistics.add(lease);
  }
}
