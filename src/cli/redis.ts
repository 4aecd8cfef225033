/** `netlens redis`: every command with its reply. */
import { Command } from 'commander';
import { type RespTransaction, RespTransactions } from '../analysis/resp-transactions.js';
import type { Frame } from '../core/frame.js';
import type { Nanoseconds } from '../core/time.js';
import { Resp } from '../dissectors/resp.js';
import type { AnalysisOptions } from '../frames.js';
import type { Signs } from '../report/dns.js';
import {
  isRedisError,
  type Losses,
  REDIS_HEADINGS,
  REDIS_RIGHT,
  REDIS_STATISTICS_HEADINGS,
  REDIS_STATISTICS_RIGHT,
  RedisStatistics,
  redisCoverageRecord,
  redisCoverageText,
  redisRecord,
  redisRow,
  redisStatisticsRecord,
  redisStatisticsRow,
  roomOn,
} from '../report/redis.js';
import { type ExchangeKind, ExchangeLines } from './exchange-lines.js';
import { type ExchangeOptions, exchangeOptions, runExchanges } from './exchanges.js';
import { Sink } from './sink.js';
import { terminalWidth } from './terminal.js';

/** Columns that time, endpoints and latency mostly take. */
const UNCUT = 59;

export interface RedisOptions extends ExchangeOptions {
  readonly showSecrets?: boolean;
}

export function redisCommand(): Command {
  return exchangeOptions(new Command('redis'), 'command')
    .description('show Redis commands: each with its reply and how long it took; RESP2, RESP3, pub/sub, Sentinel, replication')
    .option('--show-secrets', 'passwords as they are instead of (secret)')
    .action(async (files: string[], options: RedisOptions) => {
      const sink = new Sink();
      await runExchanges(files, options, new ExchangeLines(new RedisKind(options), options, sink), sink);
    });
}

export class RedisKind implements ExchangeKind<RespTransaction> {
  readonly headings = REDIS_HEADINGS;
  readonly right = REDIS_RIGHT;
  readonly liveWidths = [9, 21, 14, 32, 24, 7];
  readonly statisticsHeadings = REDIS_STATISTICS_HEADINGS;
  readonly statisticsRight = REDIS_STATISTICS_RIGHT;
  readonly analysis: AnalysisOptions;
  emit: ((exchange: RespTransaction) => void) | undefined = undefined;
  private readonly transactions: RespTransactions;
  private readonly groups = new RedisStatistics();
  private readonly room = roomOn(terminalWidth(), UNCUT);

  constructor({ json, stats, showSecrets }: RedisOptions) {
    const wants = { lines: !json && !stats, values: Boolean(json && !stats) };
    this.transactions = new RespTransactions((exchange) => this.emit?.(exchange), wants);
    this.analysis = { respObserver: this.transactions, showSecrets: showSecrets ?? false };
  }

  get oldestOpen(): RespTransaction | undefined {
    return this.transactions.oldestOpen;
  }
  row(t: RespTransaction, start: readonly [seconds: number, nanoseconds: number], signs: Signs) {
    return redisRow(t, start, signs, this.room);
  }
  record(t: RespTransaction): object {
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
