/** DHCP transactions for people and programs: a row each, and counts by outcome. */
import type { Lease, LeaseCounts, LeaseOutcome } from '../analysis/leases.js';
import { safeText } from '../core/text.js';
import { durationText, epochText, isoText } from '../core/time.js';
import { Latencies } from './latency.js';
import { counted, countText } from './quantities.js';
import type { Cell } from './rolling-table.js';

export const DHCP_HEADINGS = ['time', 'client', 'server', 'messages', 'outcome', 'took'] as const;
export const DHCP_RIGHT: ReadonlySet<number> = new Set([0]);

/** A lease that never ends (RFC 2131 section 3.3). */
const FOREVER = 0xffffffff;

const durationOf = (seconds: number): string => (seconds === FOREVER ? 'ever' : durationText(seconds * 1e9));

/** True when the client did not get what it asked for. */
export const isDhcpError = ({ outcome }: Lease): boolean =>
  outcome === 'refused' || outcome === 'unanswered' || outcome === 'declined' || outcome === 'offered';

function outcomeText({ outcome, address, duration, reason }: Lease): string {
  const what = address === undefined ? '' : ` ${address}`;
  const why = reason === undefined ? '' : `: ${safeText(reason)}`;
  switch (outcome) {
    case 'leased':
      return `${address ?? 'leased'}${duration === undefined ? '' : ` for ${durationOf(duration)}`}`;
    case 'refused':
      return `refused${what}${why}`;
    case 'unanswered':
      return `no answer${address === undefined ? '' : `, asked for${what}`}`;
    case 'offered':
      return `offered${what}, not taken`;
    case 'unasked':
      return `${what.trim()} (question not captured)`.trim();
    case 'informed':
      return `informed${what}`;
    default:
      return `${outcome}${what}${why}`;
  }
}

export function dhcpRow(lease: Lease, since: string): Cell[] {
  const { client, version, hostname, server, steps, retries, outcome, latency } = lease;
  const name = version === 6 && client.length > 20 ? `${client.slice(-12)}` : client;
  const text = outcomeText(lease);
  return [
    { text: since, tone: 'name' },
    { text: hostname === undefined ? name : `${name} ${safeText(hostname)}`, tone: 'client' },
    { text: server ?? '', tone: 'server' },
    `${steps.map((step) => step.name).join(' ')}${retries > 0 ? `, ${retries} again` : ''}`,
    isDhcpError(lease) ? { text, tone: outcome === 'offered' ? 'trouble' : 'resets' } : text,
    latency === undefined || outcome === 'unasked' ? '' : durationText(latency),
  ];
}

/** A JSON record: times in seconds. */
export function dhcpRecord(lease: Lease): object {
  const { seconds, nanoseconds, version, client, hostname, server, address, duration, reason, steps, retries, outcome, latency } = lease;
  return {
    type: 'dhcp_transaction',
    time: isoText(seconds, nanoseconds),
    time_epoch: epochText(seconds, nanoseconds),
    version,
    client,
    hostname,
    server,
    address,
    lease_time: duration,
    outcome,
    reason,
    retries,
    latency: latency === undefined ? undefined : latency / 1e9,
    steps: steps.map(({ name, frame, after }) => ({ name, frame, after: after / 1e9 })),
  };
}

/** Transactions of one outcome. */
export class LeaseStatistics {
  private readonly groups = new Map<LeaseOutcome, { count: number; readonly latencies: Latencies }>();

  add({ outcome, latency }: Lease): void {
    let group = this.groups.get(outcome);
    if (group === undefined) this.groups.set(outcome, (group = { count: 0, latencies: new Latencies() }));
    group.count++;
    if (latency !== undefined && outcome !== 'unasked') group.latencies.add(latency);
  }

  /** Most frequent first. */
  *sorted(): Generator<{ outcome: LeaseOutcome; count: number; times: readonly (number | undefined)[] }> {
    for (const [outcome, { count, latencies }] of [...this.groups].sort((a, b) => b[1].count - a[1].count)) {
      const times = [0.5, 0.95, 0.99].map((share) => latencies.percentile(share));
      yield { outcome, count, times: [...times, latencies.count > 0 ? latencies.max : undefined] };
    }
  }
}

export const OUTCOME_HEADINGS = ['outcome', 'count', 'p50', 'p95', 'p99', 'max'] as const;
export const OUTCOME_RIGHT: ReadonlySet<number> = new Set([1, 2, 3, 4, 5]);

export const outcomeRow = (outcome: LeaseOutcome, count: number, times: readonly (number | undefined)[]): Cell[] => [
  outcome,
  countText(count),
  ...times.map((time) => (time === undefined ? '–' : durationText(time))),
];

/** `4 transactions: 2 leased, 1 refused, 1 unanswered · 12 messages`. */
export function dhcpCoverage({ outcomes, messages, unreadable }: LeaseCounts): string {
  const all = Object.entries(outcomes).filter(([, count]) => count > 0);
  const sum = all.reduce((total, [, count]) => total + count, 0);
  const kinds = all.map(([outcome, count]) => `${countText(count)} ${outcome}`).join(', ');
  const parts = [`${counted(sum, 'transaction')}${kinds === '' ? '' : `: ${kinds}`}`, counted(messages, 'message')];
  if (unreadable > 0) parts.push(`${countText(unreadable)} unreadable`);
  return parts.join(' · ');
}
