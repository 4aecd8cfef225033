/** `netlens dns`: every question with its answer. */
import { Command } from 'commander';
import { type DnsTransaction, DnsTransactions } from '../analysis/dns-transactions.js';
import type { Frame } from '../core/frame.js';
import type { Nanoseconds } from '../core/time.js';
import { Dns } from '../dissectors/dns.js';
import type { Losses } from '../report/coverage.js';
import {
  coverageRecord,
  coverageText,
  DNS_GIVES,
  DNS_HEADINGS,
  DNS_RIGHT,
  DnsStatistics,
  dnsRecord,
  dnsRow,
  isDnsError,
  STATISTICS_GIVES,
  STATISTICS_HEADINGS,
  STATISTICS_RIGHT,
  statisticsRecord,
  statisticsRow,
} from '../report/dns.js';
import type { Signs, Start } from '../report/signs.js';
import { type ExchangeKind, exchangeCommand } from './exchange-lines.js';

export const dnsCommand = (): Command =>
  exchangeCommand(
    new Command('dns').description(
      'show DNS lookups: each question with its answer and how long it took; over UDP, TCP, HTTPS, QUIC, mDNS and LLMNR',
    ),
    'lookup',
    () => new DnsKind(),
  );

export class DnsKind implements ExchangeKind<DnsTransaction> {
  readonly headings = DNS_HEADINGS;
  readonly right = DNS_RIGHT;
  readonly gives = DNS_GIVES;
  readonly liveWidths = [9, 14, 14, 32, 36, 7];
  readonly statisticsHeadings = STATISTICS_HEADINGS;
  readonly statisticsRight = STATISTICS_RIGHT;
  readonly statisticsGives = STATISTICS_GIVES;
  emit: ((exchange: DnsTransaction) => void) | undefined = undefined;
  private readonly transactions = new DnsTransactions((exchange) => this.emit?.(exchange));
  readonly analysis = { dnsTransactions: this.transactions };
  private readonly groups = new DnsStatistics();

  get oldestOpen() {
    return this.transactions.oldestOpen;
  }
  row(t: DnsTransaction, start: Start, signs: Signs) {
    return dnsRow(t, start, signs);
  }
  record(t: DnsTransaction): object {
    return dnsRecord(t);
  }
  isError(t: DnsTransaction): boolean {
    return isDnsError(t);
  }
  took(t: DnsTransaction): Nanoseconds | undefined {
    return t.outcome === 'unanswered' ? Number.POSITIVE_INFINITY : t.latency;
  }
  frames(t: DnsTransaction): readonly number[] {
    return [...t.question_frames, ...t.answer_frames];
  }
  untimed(t: DnsTransaction): DnsTransaction {
    return { ...t, latency: undefined, asked_for: 0 };
  }
  concerns(frame: Frame): boolean {
    return frame.get(Dns) !== undefined;
  }
  count(t: DnsTransaction): void {
    this.groups.add(t);
  }
  statistics(slowest: boolean) {
    const groups = [...this.groups.sorted(slowest), this.groups.total];
    return {
      rows: (signs: Signs) => groups.map((group) => statisticsRow(group, signs)),
      records: () => groups.map(statisticsRecord),
    };
  }
  coverageText(losses: Losses, signs: Signs, shown: number | undefined): string {
    return coverageText(this.transactions.counts, losses, signs, shown);
  }
  coverageRecord(losses: Losses): object {
    return coverageRecord(this.transactions.counts, losses);
  }
}
