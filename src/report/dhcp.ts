/** DHCP transactions for people and programs: a row each, and counts by outcome. */
import type { Lease, LeaseCounts, LeaseOutcome } from '../analysis/leases.js';
import { safeText } from '../core/text.js';
import { durationText, epochText, isoText } from '../core/time.js';
import { type Losses, lossRecord, lossTexts } from './coverage.js';
import { type Group, Groups, PERCENTILES } from './groups.js';
import { Latencies } from './latency.js';
import { counted, countText } from './quantities.js';
import type { Cell, Giving } from './rolling-table.js';
import { inSeconds, relativeTime, type Start } from './signs.js';

export const DHCP_HEADINGS = ['time', 'client', 'server', 'messages', 'outcome', 'took'] as const;
export const DHCP_RIGHT: ReadonlySet<number> = new Set([0]);
/** On a narrow terminal steps and names make room, then who answered, so that what came of it is seen. */
export const DHCP_GIVES: readonly Giving[] = [
  { column: 3, least: 16 },
  { column: 1, least: 18 },
  { column: 2, least: 0 },
  { column: 3, least: 8 },
  { column: 4, least: 12 },
];

/** A lease that never ends (RFC 2131 section 3.3). */
const FOREVER = 0xffffffff;

const durationOf = (seconds: number): string => (seconds === FOREVER ? 'ever' : durationText(seconds * 1e9));

/** True when the client did not get what it asked for. */
export const isDhcpError = ({ outcome }: Lease): boolean =>
  outcome === 'refused' || outcome === 'unanswered' || outcome === 'declined' || outcome === 'offered';

function outcomeText({ outcome, address, prefix, duration, reason }: Lease): string {
  const given = [address, prefix].filter((text) => text !== undefined).join(' and ');
  const what = given === '' ? '' : ` ${given}`;
  const why = reason === undefined ? '' : `: ${safeText(reason)}`;
  switch (outcome) {
    case 'leased':
      return `${given || 'leased'}${duration === undefined ? '' : ` for ${durationOf(duration)}`}`;
    case 'refused':
      return `refused${what}${why}`;
    case 'unanswered':
      return `no answer${what === '' ? '' : `, asked for${what}`}`;
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

/** DUIDs of Ethernet: by link-layer address with a time, and without (RFC 8415 sections 11.2 and 11.4). */
const ETHERNET_DUID = /^(?:00010001.{8}|00030001)(.{12})$/;

/** What tells a client from others: a hardware address, else the last octets. */
function duidText(duid: string): string {
  const address = ETHERNET_DUID.exec(duid)?.[1];
  if (address !== undefined) return address.match(/../g)!.join(':');
  return duid.length > 20 && !duid.includes(':') ? duid.slice(-12) : duid;
}

export function dhcpRow(lease: Lease, start: Start): Cell[] {
  const { client, version, hostname, server, steps, retries, outcome, latency } = lease;
  const name = version === 6 ? duidText(client) : client;
  const text = outcomeText(lease);
  return [
    { text: relativeTime(lease, start), tone: 'name' },
    { text: hostname === undefined ? name : `${name} ${safeText(hostname)}`, tone: 'client' },
    { text: server ?? '', tone: 'server' },
    `${steps.map((step) => step.name).join(' ')}${retries > 0 ? `, ${retries} again` : ''}`,
    isDhcpError(lease) ? { text, tone: outcome === 'offered' ? 'trouble' : 'resets' } : text,
    latency === undefined || outcome === 'unasked' ? '' : durationText(latency),
  ];
}

/** A JSON record: times in seconds. */
export function dhcpRecord(lease: Lease): object {
  const { seconds, nanoseconds, version, client, hostname, server, address, prefix, duration, reason, steps, retries, outcome, latency } =
    lease;
  return {
    type: 'dhcp_transaction',
    time: isoText(seconds, nanoseconds),
    time_epoch: epochText(seconds, nanoseconds),
    version,
    client,
    hostname,
    server,
    address,
    prefix,
    lease_time: duration,
    outcome,
    reason,
    retries,
    latency: latency === undefined ? undefined : latency / 1e9,
    steps: steps.map(({ name, frame, after }) => ({ name, frame, after: after / 1e9 })),
  };
}

/** Transactions of one outcome. */
export interface LeaseGroup extends Group {
  readonly outcome: LeaseOutcome;
}

export class LeaseStatistics {
  // There are fewer outcomes than would ever be folded.
  private readonly groups = new Groups<LeaseGroup>(
    () => undefined,
    () => group('unasked'),
  );

  add({ outcome, latency }: Lease): void {
    const found = this.groups.of(outcome, () => group(outcome));
    found.count++;
    if (latency !== undefined && outcome !== 'unasked') found.latencies.add(latency);
  }

  /** Most frequent first; with `slowest` those with the highest 95th percentile. */
  sorted(slowest: boolean): LeaseGroup[] {
    return this.groups.sorted(slowest, ({ outcome }) => outcome);
  }
}

const group = (outcome: LeaseOutcome): LeaseGroup => ({ outcome, count: 0, latencies: new Latencies() });

export const OUTCOME_HEADINGS = ['outcome', 'count', 'p50', 'p95', 'p99', 'max'] as const;
export const OUTCOME_RIGHT: ReadonlySet<number> = new Set([1, 2, 3, 4, 5]);

const timesOf = ({ latencies }: LeaseGroup): (number | undefined)[] => [
  ...PERCENTILES.map((share) => latencies.percentile(share)),
  latencies.count > 0 ? latencies.max : undefined,
];

export const outcomeRow = (g: LeaseGroup): Cell[] => [
  g.outcome,
  countText(g.count),
  ...timesOf(g).map((time) => (time === undefined ? '–' : durationText(time))),
];

/** A group as a JSON record: durations in seconds. */
export function outcomeRecord(g: LeaseGroup): object {
  const [p50, p95, p99, max] = timesOf(g).map(inSeconds);
  return { type: 'dhcp_statistics', outcome: g.outcome, count: g.count, p50, p95, p99, max };
}

/** `4 transactions: 2 leased, 1 refused, 1 unanswered · 12 messages · 0 frames cut short · …`. */
export function dhcpCoverage({ outcomes, messages, unreadable }: LeaseCounts, losses: Losses, shown?: number): string {
  const all = Object.entries(outcomes).filter(([, count]) => count > 0);
  const sum = all.reduce((total, [, count]) => total + count, 0);
  const kinds = all.map(([outcome, count]) => `${countText(count)} ${outcome}`).join(', ');
  const parts = [`${counted(sum, 'transaction')}${kinds === '' ? '' : `: ${kinds}`}`];
  if (shown !== undefined) parts.push(`${shown} shown`);
  parts.push(counted(messages, 'message'));
  if (unreadable > 0) parts.push(`${countText(unreadable)} unreadable`);
  return [...parts, ...lossTexts(losses)].join(' · ');
}

/** The same as a JSON record. */
export const dhcpCoverageRecord = ({ outcomes, ...rest }: LeaseCounts, losses: Losses): object => ({
  type: 'dhcp_coverage',
  ...outcomes,
  ...rest,
  ...lossRecord(losses),
});
