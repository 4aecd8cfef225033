/** Pings for people and programs: a row each, and a summary for each target. */
import type { Ping, PingCounts, PingEvent } from '../analysis/pings.js';
import { durationText, epochText, isoText } from '../core/time.js';
import { communityId } from './community-id.js';
import { type Losses, lossRecord, lossTexts } from './coverage.js';
import { Groups } from './groups.js';
import { Latencies } from './latency.js';
import { counted, countText, shareText } from './quantities.js';
import type { Cell, Giving } from './rolling-table.js';
import { endpoint, relativeTime, type Start } from './signs.js';

export const PING_HEADINGS = ['time', 'source', 'target', 'request', 'answer', 'took'] as const;
export const PING_RIGHT: ReadonlySet<number> = new Set([0]);
/** On a narrow terminal answer and request make room for the rest. */
export const PING_GIVES: readonly Giving[] = [
  { column: 4, least: 20 },
  { column: 3, least: 12 },
  { column: 4, least: 10 },
];

export function pingRow(event: PingEvent, start: Start): Cell[] {
  const { error } = event;
  const problem = error && `${error.text} from ${error.from}`;
  const time: Cell = { text: relativeTime(event, start), tone: 'name' };
  if (event.kind === 'complaint')
    return [
      time,
      { text: endpoint(event.source, event.sourcePort), tone: 'client' },
      { text: endpoint(event.target, event.targetPort), tone: 'server' },
      event.protocol,
      { text: problem!, tone: 'resets' },
      '',
    ];
  const { sequence, octets, outcome, replyTtl, latency } = event;
  return [
    time,
    { text: event.source, tone: 'client' },
    { text: event.target, tone: 'server' },
    `echo ${sequence}, ${octets} B`,
    outcome === 'answered' ? `reply, ttl ${replyTtl}` : { text: problem ?? 'no answer', tone: 'resets' },
    latency === undefined ? '' : durationText(latency),
  ];
}

const at = (seconds: number, nanoseconds: number) => ({ time: isoText(seconds, nanoseconds), time_epoch: epochText(seconds, nanoseconds) });

/** Community ID has the types of request and reply in place of ports. */
const flowOf = ({ source, target }: Ping): string | undefined =>
  source.includes(':') ? communityId(58, source, 128, target, 129) : communityId(1, source, 8, target, 0);

/** A JSON record: `ping` or `icmp_error`; latency in seconds. */
export function pingRecord(event: PingEvent): object {
  const { seconds, nanoseconds, frame, error } = event;
  if (event.kind === 'complaint') {
    const { protocol, source, sourcePort, target, targetPort } = event;
    return {
      type: 'icmp_error',
      ...at(seconds, nanoseconds),
      error: error!.text,
      from: error!.from,
      frame,
      protocol,
      source,
      source_port: sourcePort,
      target,
      target_port: targetPort,
      ...(sourcePort !== undefined &&
        targetPort !== undefined && { community_id: communityId(protocol === 'tcp' ? 6 : 17, source, sourcePort, target, targetPort) }),
    };
  }
  return {
    type: 'ping',
    ...at(seconds, nanoseconds),
    community_id: flowOf(event),
    source: event.source,
    target: event.target,
    identifier: event.identifier,
    sequence: event.sequence,
    octets: event.octets,
    outcome: event.outcome,
    latency: event.latency === undefined ? undefined : event.latency / 1e9,
    reply_ttl: event.replyTtl,
    error: error?.text,
    error_from: error?.from,
    request_frame: frame,
    reply_frame: event.replyFrame ?? error?.frame,
  };
}

/** Pings of one target. */
export class PingTarget {
  count = 0;
  answered = 0;
  failed = 0;
  min = Number.POSITIVE_INFINITY;
  readonly latencies = new Latencies();
  private last: number | undefined;
  private changes = 0;
  private changed = 0;

  constructor(readonly name: string) {}

  add(event: PingEvent): void {
    if (event.kind === 'complaint') return;
    this.count++;
    if (event.outcome === 'error') this.failed++;
    const { latency } = event;
    if (event.outcome !== 'answered' || latency === undefined) return;
    this.answered++;
    this.latencies.add(latency);
    this.min = Math.min(this.min, latency);
    if (this.last !== undefined) {
      this.changes += Math.abs(latency - this.last);
      this.changed++;
    }
    this.last = latency;
  }

  /** Take over what another one counted, but for pings and times of answers. */
  merge(other: PingTarget): void {
    this.answered += other.answered;
    this.failed += other.failed;
    this.min = Math.min(this.min, other.min);
    this.changes += other.changes;
    this.changed += other.changed;
  }

  /** How much one round trip differs from the one before, in nanoseconds, on average. */
  get jitter(): number | undefined {
    return this.changed > 0 ? this.changes / this.changed : undefined;
  }
}

const OTHERS = '(other targets)';

export class PingStatistics {
  private readonly targets = new Groups<PingTarget>(
    (into, from) => into.merge(from),
    () => new PingTarget(OTHERS),
  );

  add(event: PingEvent): void {
    if (event.kind === 'complaint') return;
    this.targets.of(event.target, () => new PingTarget(event.target)).add(event);
  }

  /** Most pinged first; with `slowest` those with the highest 95th percentile. */
  sorted(slowest: boolean): PingTarget[] {
    return this.targets.sorted(slowest, (target) => target.name);
  }
}

export const TARGET_HEADINGS = ['target', 'sent', 'answered', 'errors', 'lost', 'min', 'median', 'max', 'jitter'] as const;
export const TARGET_RIGHT: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7, 8]);

export function targetRow(t: PingTarget): Cell[] {
  const lost = t.count - t.answered;
  const text = (time: number | undefined) => (time === undefined ? '–' : durationText(Math.round(time)));
  const any = t.answered > 0;
  return [
    { text: t.name, tone: 'server' },
    countText(t.count),
    countText(t.answered),
    countText(t.failed),
    lost > 0 ? { text: shareText(lost, t.count), tone: 'resets' } : '0 %',
    text(any ? t.min : undefined),
    text(t.latencies.percentile(0.5)),
    text(any ? t.latencies.max : undefined),
    text(t.jitter),
  ];
}

/** A target as a JSON record: times in seconds. */
export function targetRecord(t: PingTarget): object {
  const inSeconds = (time: number | undefined) => (time === undefined ? undefined : time / 1e9);
  const any = t.answered > 0;
  return {
    type: 'ping_statistics',
    target: t.name,
    sent: t.count,
    answered: t.answered,
    errors: t.failed,
    min: inSeconds(any ? t.min : undefined),
    median: inSeconds(t.latencies.percentile(0.5)),
    max: inSeconds(any ? t.latencies.max : undefined),
    jitter: inSeconds(t.jitter),
  };
}

/** `10 requests: 8 answered, 1 failed, 1 unanswered · 3 ICMP errors about other traffic · 0 frames cut short · …`. */
export function pingCoverage(counts: PingCounts, losses: Losses, shown?: number): string {
  const { answered, failed, unanswered, unasked, complaints } = counts;
  const parts = [`${counted(answered + failed + unanswered, 'request')}: ${answered} answered, ${failed} failed, ${unanswered} unanswered`];
  if (shown !== undefined) parts.push(`${shown} shown`);
  if (unasked > 0) parts.push(`${unasked} replies without a captured request, or sent again`);
  if (complaints > 0) parts.push(`${counted(complaints, 'ICMP error')} about other traffic`);
  return [...parts, ...lossTexts(losses)].join(' · ');
}

/** The same as a JSON record. */
export const pingCoverageRecord = (counts: PingCounts, losses: Losses): object => ({
  type: 'ping_coverage',
  ...counts,
  ...lossRecord(losses),
});
