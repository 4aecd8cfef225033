/** Redis transactions for people and programs: a row each, statistics by command and key, and what was seen of it all. */
import type { RespCounts } from '../analysis/resp-exchanges.js';
import type { RespOutcome, RespTransaction } from '../analysis/resp-transactions.js';
import type { SentinelEvent } from '../analysis/sentinel.js';
import { safeText } from '../core/text.js';
import { durationText, isoText } from '../core/time.js';
import type { Tone } from '../output/theme.js';
import { communityId } from './community-id.js';
import { type Losses, lossRecord, lossTexts } from './coverage.js';
import { type Group, Groups, PERCENTILES } from './groups.js';
import { Latencies } from './latency.js';
import { sizeText } from './quantities.js';
import type { Cell, Giving } from './rolling-table.js';
import { cut, endpoint, inSeconds, plural, relativeTime, type Signs, type Start, UNICODE_SIGNS, withoutMu } from './signs.js';

export const REDIS_HEADINGS = ['time', 'client', 'server', 'command', 'reply', 'took', ''] as const;
/** The columns that stand at the right. */
export const REDIS_RIGHT: ReadonlySet<number> = new Set([0, 5]);

/** On a narrow terminal commands and replies make room, then who was asked, which is mostly the same. */
export const REDIS_GIVES: readonly Giving[] = [
  { column: 4, least: 24 },
  { column: 3, least: 24 },
  { column: 4, least: 12 },
  { column: 2, least: 0 },
  { column: 3, least: 12 },
  { column: 1, least: 12 },
];

/** Characters of a command, and of a reply, on a line; `--json` has more. */
const MOST_SHOWN = 60;
const USUAL_PORT = 6379;

/** True when the server refused, or nothing came. */
export const isRedisError = ({ outcome, error }: RespTransaction): boolean => outcome === 'unanswered' || error !== undefined;

/** The row of a transaction; `start` is the time of the first frame. */
export function redisRow(t: RespTransaction, start: Start, signs: Signs = UNICODE_SIGNS): Cell[] {
  const { connection } = t;
  const tone = toneOf(t);
  const answer = cut(t.event === undefined ? answerText(t) : eventText(t.event, signs), MOST_SHOWN, signs);
  return [
    { text: relativeTime(t, start), tone: 'name' },
    { text: endpoint(connection.client, connection.clientPort), tone: 'client' },
    {
      text: connection.serverPort === USUAL_PORT ? connection.server : endpoint(connection.server, connection.serverPort),
      tone: 'server',
    },
    cut(t.line, MOST_SHOWN, signs),
    tone === undefined ? answer : { text: answer, tone },
    t.latency === undefined ? '' : withoutMu(durationText(t.latency), signs),
    { text: notes(t).join(', '), tone: 'name' },
  ];
}

const NO_ANSWER: Readonly<Partial<Record<RespOutcome, string>>> = {
  unanswered: 'no reply',
  lost: 'reply not known',
  silent: 'no reply wanted',
};

function answerText(t: RespTransaction): string {
  // `array of 3: message news "hi"`: how it is wrapped says nothing about a message.
  if (t.outcome === 'pushed') return t.answer.replace(/^(array|push) of \d+: /, '');
  return NO_ANSWER[t.outcome] ?? t.answer;
}

function toneOf({ outcome, error, event }: RespTransaction): Tone | undefined {
  if (outcome === 'unanswered') return 'resets';
  if (error !== undefined) return 'trouble';
  if (event !== undefined && event.event !== 'hello') return 'trouble';
  return outcome === 'pushed' ? 'note' : outcome === 'answered' ? undefined : 'name';
}

/** `+switch-master mymaster: 10.0.0.1:6379 → 10.0.0.2:6379`, `+sdown slave 10.0.0.2:6379 of mymaster`. */
function eventText(e: SentinelEvent, signs: Signs): string {
  const at = e.address === undefined ? '' : endpoint(safeText(e.address), e.port!);
  const primary = e.primary === undefined ? '' : safeText(e.primary);
  const detail = e.detail === undefined ? '' : ` ${safeText(e.detail)}`;
  if (e.newAddress !== undefined) return `${e.event} ${primary}: ${at} ${signs.arrow} ${endpoint(safeText(e.newAddress), e.newPort!)}`;
  if (e.sentinel !== undefined)
    return `hello: sentinel ${endpoint(safeText(e.sentinel.address), e.sentinel.port)}, ${primary} is ${at} (epoch ${e.configEpoch})`;
  if (e.instance !== undefined)
    return `${e.event} ${safeText(e.instance.role)} ${endpoint(safeText(e.instance.address), e.instance.port)} of ${primary}${detail}`;
  return `${e.event}${primary === '' ? '' : ` ${primary} ${at}`}${detail}`;
}

function notes(t: RespTransaction): string[] {
  const found: string[] = [];
  if (t.db !== undefined && t.db !== 0) found.push(`db ${t.db}`);
  if (t.queued) found.push('MULTI');
  if (t.blocking) found.push('may wait');
  if (t.outcome === 'unasked') found.push('command not known');
  if (t.outcome === 'replicated') found.push('to replica');
  return found;
}

const communities = new WeakMap<object, string>();

/** A transaction as a JSON record: durations in seconds, sizes in octets. */
export function redisRecord(t: RespTransaction): object {
  const { connection } = t;
  let community = communities.get(connection);
  if (community === undefined) {
    community = communityId(6, connection.client, connection.clientPort, connection.server, connection.serverPort) ?? '';
    communities.set(connection, community);
  }
  const asked = t.command !== '' || t.octets > 0;
  return {
    type: 'redis',
    time: isoText(t.seconds, t.nanoseconds),
    time_epoch: `${t.seconds}.${String(t.nanoseconds).padStart(9, '0')}`,
    stream: connection.stream,
    community_id: community === '' ? undefined : community,
    client: connection.client,
    client_port: connection.clientPort,
    server: connection.server,
    server_port: connection.serverPort,
    protocol: t.version,
    db: t.db,
    ...(asked && { command: t.command, key: t.key, arguments: t.arguments, argument_count: t.argumentCount }),
    outcome: t.outcome,
    reply: t.reply,
    error: t.error,
    redirect: t.redirect,
    sentinel_event: t.event,
    blocking: t.blocking || undefined,
    queued: t.queued || undefined,
    latency: inSeconds(t.latency),
    ...(asked && { command_frame: t.frame, command_octets: t.octets }),
    reply_frames: t.replyFrames,
    reply_octets: t.replyOctets,
  };
}

// Statistics ---------------------------------------------------------------------------------------------------------

/** Commands of one name on keys of one pattern. */
export interface RedisGroup extends Group {
  readonly command: string;
  readonly pattern: string;
  errors: number;
  unanswered: number;
  octetsIn: number;
  octetsOut: number;
}

const OTHERS = '(others)';

/**
 * What keys have in common: numbers, UUIDs and long hexadecimal parts become `*`.
 *
 * @example keyPattern('user:1842:cart') // 'user:*:cart'
 */
export function keyPattern(key: string): string {
  return key
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '*')
    .replace(/(?<![a-z0-9])(?=[a-z]*[0-9])[0-9a-f]{8,}(?![a-z0-9])/gi, '*')
    .replace(/\d+/g, '*');
}

export class RedisStatistics {
  private readonly groups = new Groups<RedisGroup>(
    (into, from) => {
      into.errors += from.errors;
      into.unanswered += from.unanswered;
      into.octetsIn += from.octetsIn;
      into.octetsOut += from.octetsOut;
    },
    () => group(OTHERS, ''),
  );
  readonly total: RedisGroup = group('(all)', '');

  add(t: RespTransaction): void {
    if (t.command === '') return;
    const pattern = t.key === undefined ? '' : keyPattern(t.key);
    const found = this.groups.of(`${t.command} ${pattern}`, () => group(t.command, pattern));
    for (const counted of [found, this.total]) {
      counted.count++;
      if (t.outcome === 'unanswered') counted.unanswered++;
      else if (t.error !== undefined) counted.errors++;
      counted.octetsIn += t.octets;
      counted.octetsOut += t.replyOctets;
      // What waits on purpose would hide what is slow among all.
      if (t.latency !== undefined && (counted === found || !t.blocking)) counted.latencies.add(Number(t.latency));
    }
  }

  /** All groups, the most frequent first; with `slowest` those with the highest 95th percentile. */
  sorted(slowest: boolean): RedisGroup[] {
    return this.groups.sorted(slowest, (g) => `${g.command} ${g.pattern}`);
  }
}

const group = (command: string, pattern: string): RedisGroup => ({
  command,
  pattern,
  count: 0,
  errors: 0,
  unanswered: 0,
  octetsIn: 0,
  octetsOut: 0,
  latencies: new Latencies(),
});

export const REDIS_STATISTICS_HEADINGS = [
  'command',
  'key',
  'count',
  'errors',
  'unanswered',
  'p50',
  'p95',
  'p99',
  'max',
  'sent',
  'got',
] as const;
/** On a narrow terminal long keys make room, then what tells least. */
export const REDIS_STATISTICS_GIVES: readonly Giving[] = [
  { column: 1, least: 16 },
  { column: 7, least: 0 },
  { column: 9, least: 0 },
  { column: 4, least: 0 },
  { column: 1, least: 8 },
];
export const REDIS_STATISTICS_RIGHT: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 7, 8, 9, 10]);

export function redisStatisticsRow(g: RedisGroup, signs: Signs = UNICODE_SIGNS): Cell[] {
  const times = [...PERCENTILES.map((share) => g.latencies.percentile(share)), g.latencies.count > 0 ? g.latencies.max : undefined];
  return [
    safeText(g.command),
    safeText(g.pattern),
    String(g.count),
    g.errors > 0 ? { text: String(g.errors), tone: 'trouble' } : '0',
    g.unanswered > 0 ? { text: String(g.unanswered), tone: 'resets' } : '0',
    ...times.map((time) => (time === undefined ? signs.dash : withoutMu(durationText(time), signs))),
    sizeText(g.octetsIn),
    sizeText(g.octetsOut),
  ];
}

/** A group as a JSON record: durations in seconds. */
export function redisStatisticsRecord(g: RedisGroup): object {
  const [p50, p95, p99] = PERCENTILES.map((share) => inSeconds(g.latencies.percentile(share)));
  return {
    type: 'redis_statistics',
    command: g.command,
    key_pattern: g.pattern,
    count: g.count,
    errors: g.errors,
    unanswered: g.unanswered,
    p50,
    p95,
    p99,
    max: g.latencies.count > 0 ? g.latencies.max / 1e9 : undefined,
    command_octets: g.octetsIn,
    reply_octets: g.octetsOut,
  };
}

// Coverage -----------------------------------------------------------------------------------------------------------

/** `12 commands: 10 answered, 2 unanswered · 3 pushed · no holes · …`. */
export function redisCoverageText(counts: RespCounts, losses: Losses, signs: Signs = UNICODE_SIGNS, shown?: number): string {
  const { commands, paired, unanswered, silent, lostReplies, strayReplies, pushed, evicted } = counts;
  const parts = [
    `${plural(commands, 'command')}: ${paired} answered, ${unanswered} unanswered${silent > 0 ? `, ${silent} without a reply` : ''}`,
  ];
  if (shown !== undefined) parts.push(`${shown} shown`);
  if (pushed > 0) parts.push(`${pushed} pushed`);
  if (lostReplies > 0) parts.push(`${lostReplies === 1 ? '1 reply' : `${lostReplies} replies`} lost or not known`);
  if (strayReplies > 0) parts.push(`${strayReplies === 1 ? '1 reply' : `${strayReplies} replies`} to commands not known`);
  if (evicted > 0) parts.push(`${plural(evicted, 'command')} only counted: too many waited`);
  return [...parts, ...lossTexts(losses)].join(` ${signs.dot} `);
}

/** The same as a JSON record. */
export const redisCoverageRecord = (counts: RespCounts, losses: Losses): object => ({
  type: 'redis_coverage',
  commands: counts.commands,
  answered: counts.paired,
  unanswered: counts.unanswered,
  silent: counts.silent,
  pushed: counts.pushed,
  lost_replies: counts.lostReplies,
  stray_replies: counts.strayReplies,
  evicted: counts.evicted,
  ...lossRecord(losses),
});
