/** `netlens ping`: every echo request with its reply, and ICMP errors with what they are about. */
import { Command } from 'commander';
import { type PingEvent, Pings } from '../analysis/pings.js';
import type { Frame } from '../core/frame.js';
import { Icmp } from '../dissectors/icmp.js';
import { Icmpv6 } from '../dissectors/icmpv6.js';
import type { Losses } from '../report/coverage.js';
import {
  PING_GIVES,
  PING_HEADINGS,
  PING_RIGHT,
  PingStatistics,
  pingCoverage,
  pingCoverageRecord,
  pingRecord,
  pingRow,
  TARGET_HEADINGS,
  TARGET_RIGHT,
  targetRecord,
  targetRow,
} from '../report/ping.js';
import type { Signs, Start } from '../report/signs.js';
import { type ExchangeKind, exchangeCommand } from './exchange-lines.js';

export const pingCommand = (): Command =>
  exchangeCommand(
    new Command('ping').description(
      'show pings: each echo request with its reply and how long it took; and ICMP errors with what they are about',
    ),
    'ping',
    () => new PingKind(),
  );

export class PingKind implements ExchangeKind<PingEvent> {
  readonly headings = PING_HEADINGS;
  readonly right = PING_RIGHT;
  readonly gives = PING_GIVES;
  // A duration.
  readonly rest = 8;
  readonly liveWidths = [9, 15, 15, 18, 14];
  readonly statisticsHeadings = TARGET_HEADINGS;
  readonly statisticsRight = TARGET_RIGHT;
  readonly summarised = true;
  readonly analysis = { streams: false };
  emit: ((exchange: PingEvent) => void) | undefined = undefined;
  private readonly pings = new Pings((event) => this.emit?.(event));
  private readonly targets = new PingStatistics();

  get oldestOpen() {
    return this.pings.oldest;
  }
  see(frame: Frame): void {
    this.pings.see(frame);
  }
  finish(): void {
    this.pings.finish();
  }
  row(event: PingEvent, start: Start) {
    return pingRow(event, start);
  }
  record(event: PingEvent): object {
    return pingRecord(event);
  }
  isError(event: PingEvent): boolean {
    return event.kind === 'complaint' || event.outcome !== 'answered';
  }
  took(event: PingEvent): number | undefined {
    if (event.kind === 'complaint' || event.outcome !== 'answered') return Number.POSITIVE_INFINITY;
    return event.latency;
  }
  frames(event: PingEvent): readonly (number | undefined)[] {
    return event.kind === 'ping' ? [event.frame, event.replyFrame, event.error?.frame] : [event.frame];
  }
  untimed(event: PingEvent): PingEvent {
    if (event.kind === 'ping') event.latency = undefined;
    return event;
  }
  concerns(frame: Frame): boolean {
    return frame.get(Icmp) !== undefined || frame.get(Icmpv6) !== undefined;
  }
  count(event: PingEvent): void {
    this.targets.add(event);
  }
  statistics(slowest: boolean) {
    const targets = this.targets.sorted(slowest);
    return { rows: () => targets.map(targetRow), records: () => targets.map(targetRecord) };
  }
  coverageText(losses: Losses, _signs: Signs, shown: number | undefined): string {
    return pingCoverage(this.pings.counts, losses, shown);
  }
  coverageRecord(losses: Losses): object {
    return pingCoverageRecord(this.pings.counts, losses);
  }
}
