/** `netlens redis`: every command with its reply. */
import { Command, Option } from 'commander';
import { type RespTransaction, RespTransactions } from '../analysis/resp-transactions.js';
import { SentinelStory } from '../analysis/sentinel-story.js';
import type { Frame } from '../core/frame.js';
import type { Nanoseconds } from '../core/time.js';
import { Resp } from '../dissectors/resp.js';
import type { AnalysisOptions } from '../frames.js';
import type { Losses } from '../report/coverage.js';
import {
  isRedisError,
  REDIS_GIVES,
  REDIS_HEADINGS,
  REDIS_RIGHT,
  REDIS_STATISTICS_GIVES,
  REDIS_STATISTICS_HEADINGS,
  REDIS_STATISTICS_RIGHT,
  RedisStatistics,
  redisCoverageRecord,
  redisCoverageText,
  redisRecord,
  redisRow,
  redisStatisticsRecord,
  redisStatisticsRow,
} from '../report/redis.js';
import type { Cell, Giving } from '../report/rolling-table.js';
import { primaryRecord, primaryText, SENTINEL_HEADINGS, SENTINEL_RIGHT, sentinelRecord, sentinelRow } from '../report/sentinel.js';
import type { Signs, Start } from '../report/signs.js';
import { type ExchangeKind, exchangeCommand } from './exchange-lines.js';
import type { ExchangeOptions } from './exchanges.js';

export interface RedisOptions extends ExchangeOptions {
  readonly showSecrets?: boolean;
  readonly sentinel?: boolean;
}

export const redisCommand = (): Command =>
  exchangeCommand(
    new Command('redis')
      .description('show Redis commands: each with its reply and how long it took; RESP2, RESP3, pub/sub, Sentinel, replication')
      .option('--show-secrets', 'passwords as they are instead of (secret)')
      .addOption(
        new Option(
          '--sentinel',
          'the story that Redis Sentinels tell: where the primary is, who takes it for down, votes, who replaces it',
        ).conflicts(['stats', 'sort', 'slow', 'errors']),
      ),
    'command',
    (options: RedisOptions) => (options.sentinel ? new SentinelKind(options) : new RedisKind(options)),
  );

export class RedisKind implements ExchangeKind<RespTransaction> {
  readonly headings: readonly string[] = REDIS_HEADINGS;
  readonly right = REDIS_RIGHT;
  readonly gives: readonly Giving[] = REDIS_GIVES;
  readonly liveWidths: readonly number[] = [9, 21, 14, 32, 24, 7];
  readonly statisticsHeadings = REDIS_STATISTICS_HEADINGS;
  readonly statisticsRight = REDIS_STATISTICS_RIGHT;
  readonly statisticsGives = REDIS_STATISTICS_GIVES;
  readonly analysis: AnalysisOptions;
  emit: ((exchange: RespTransaction) => void) | undefined = undefined;
  private readonly transactions: RespTransactions;
  private readonly groups = new RedisStatistics();

  constructor({ json, stats, showSecrets, sentinel }: RedisOptions) {
    const wants = sentinel ? { lines: false, values: true } : { lines: !json && !stats, values: Boolean(json && !stats) };
    this.transactions = new RespTransactions((exchange) => this.emit?.(exchange), wants);
    this.analysis = { respObserver: this.transactions, showSecrets: showSecrets ?? false, brief: true };
  }

  get oldestOpen(): RespTransaction | undefined {
    return this.transactions.oldestOpen;
  }
  row(t: RespTransaction, start: Start, signs: Signs): Cell[] | undefined {
    return redisRow(t, start, signs);
  }
  record(t: RespTransaction): object | undefined {
    return redisRecord(t);
  }
  isError(t: RespTransaction): boolean {
    return isRedisError(t);
  }
  /** What waits on purpose is not slow. */
  took(t: RespTransaction): Nanoseconds | undefined {
    return t.blocking ? undefined : t.outcome === 'unanswered' ? Number.POSITIVE_INFINITY : t.latency;
  }
  frames(t: RespTransaction): readonly number[] {
    return t.octets > 0 ? [t.frame, ...t.replyFrames] : t.replyFrames;
  }
  untimed(t: RespTransaction): RespTransaction {
    t.latency = undefined;
    return t;
  }
  concerns(frame: Frame): boolean {
    return frame.get(Resp) !== undefined;
  }
  count(t: RespTransaction): void {
    this.groups.add(t);
  }
  statistics(slowest: boolean) {
    const groups = [...this.groups.sorted(slowest), this.groups.total];
    return {
      rows: (signs: Signs) => groups.map((group) => redisStatisticsRow(group, signs)),
      records: () => groups.map(redisStatisticsRecord),
    };
  }
  coverageText(losses: Losses, signs: Signs, shown: number | undefined): string {
    return redisCoverageText(this.transactions.counts, losses, signs, shown);
  }
  coverageRecord(losses: Losses): object {
    return redisCoverageRecord(this.transactions.counts, losses);
  }
}

/** `--sentinel`: of all that was said, what tells where the primaries are and how they were replaced. */
export class SentinelKind extends RedisKind {
  override readonly headings = SENTINEL_HEADINGS;
  override readonly right = SENTINEL_RIGHT;
  // The step says what happened, where it has to be in short.
  override readonly gives = [{ column: 2, least: 20 }];
  readonly rest = 40;
  override readonly liveWidths = [9, 21, 16];
  private readonly story = new SentinelStory();
  private start: Start = [0, 0];

  override row(t: RespTransaction, start: Start, signs: Signs): Cell[] | undefined {
    this.start = start;
    const step = this.story.see(t);
    return step && sentinelRow(t, step, start, signs);
  }
  override record(t: RespTransaction): object | undefined {
    const step = this.story.see(t);
    return step && sentinelRecord(t, step);
  }
  override coverageText(losses: Losses, signs: Signs, shown: number | undefined): string {
    const primaries = [...this.story.primaries.values()].map((primary) => primaryText(primary, this.start, signs));
    const none = primaries.length === 0 ? ['no Sentinel told of a primary'] : primaries;
    return [...none, super.coverageText(losses, signs, shown)].join('\n');
  }
  override coverageRecord(losses: Losses): object {
    return { ...super.coverageRecord(losses), primaries: [...this.story.primaries.values()].map(primaryRecord) };
  }
}
