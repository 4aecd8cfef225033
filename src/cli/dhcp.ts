/** `netlens dhcp`: every lease with the messages that led to it. */
import { Command } from 'commander';
import { type Lease, Leases } from '../analysis/leases.js';
import type { Frame } from '../core/frame.js';
import { Dhcp } from '../dissectors/dhcp.js';
import { Dhcpv6 } from '../dissectors/dhcpv6.js';
import type { Losses } from '../report/coverage.js';
import {
  DHCP_GIVES,
  DHCP_HEADINGS,
  DHCP_RIGHT,
  dhcpCoverage,
  dhcpCoverageRecord,
  dhcpRecord,
  dhcpRow,
  isDhcpError,
  LeaseStatistics,
  OUTCOME_HEADINGS,
  OUTCOME_RIGHT,
  outcomeRecord,
  outcomeRow,
} from '../report/dhcp.js';
import type { Signs, Start } from '../report/signs.js';
import { type ExchangeKind, exchangeCommand } from './exchange-lines.js';

export const dhcpCommand = (): Command =>
  exchangeCommand(
    new Command('dhcp').description(
      'show DHCP leases, of IPv4 and IPv6: who asked, who answered, what address for how long, and how long it took',
    ),
    'transaction',
    () => new DhcpKind(),
  );

export class DhcpKind implements ExchangeKind<Lease> {
  readonly headings = DHCP_HEADINGS;
  readonly right = DHCP_RIGHT;
  readonly gives = DHCP_GIVES;
  // A duration.
  readonly rest = 8;
  readonly liveWidths = [9, 26, 15, 26, 34];
  readonly statisticsHeadings = OUTCOME_HEADINGS;
  readonly statisticsRight = OUTCOME_RIGHT;
  readonly analysis = { streams: false };
  emit: ((exchange: Lease) => void) | undefined = undefined;
  private readonly leases = new Leases((lease) => this.emit?.(lease));
  private readonly groups = new LeaseStatistics();

  get oldestOpen() {
    return this.leases.oldest;
  }
  see(frame: Frame): void {
    this.leases.see(frame);
  }
  finish(): void {
    this.leases.finish();
  }
  row(lease: Lease, start: Start) {
    return dhcpRow(lease, start);
  }
  record(lease: Lease): object {
    return dhcpRecord(lease);
  }
  isError(lease: Lease): boolean {
    return isDhcpError(lease);
  }
  took(lease: Lease): number | undefined {
    return lease.latency ?? (lease.outcome === 'leased' ? undefined : Number.POSITIVE_INFINITY);
  }
  frames(lease: Lease): readonly number[] {
    return lease.steps.map((step) => step.frame);
  }
  untimed(lease: Lease): Lease {
    lease.latency = undefined;
    return lease;
  }
  concerns(frame: Frame): boolean {
    return frame.get(Dhcp) !== undefined || frame.get(Dhcpv6) !== undefined;
  }
  count(lease: Lease): void {
    this.groups.add(lease);
  }
  statistics(slowest: boolean) {
    const groups = this.groups.sorted(slowest);
    return { rows: () => groups.map(outcomeRow), records: () => groups.map(outcomeRecord) };
  }
  coverageText(losses: Losses, _signs: Signs, shown: number | undefined): string {
    return dhcpCoverage(this.leases.counts, losses, shown);
  }
  coverageRecord(losses: Losses): object {
    return dhcpCoverageRecord(this.leases.counts, losses);
  }
}
