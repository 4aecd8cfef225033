/** `netlens http`: every request with its response. */
import { Command } from 'commander';
import { type HttpTransaction, HttpTransactions } from '../analysis/http-transactions.js';
import type { Frame } from '../core/frame.js';
import type { Nanoseconds } from '../core/time.js';
import { Http } from '../dissectors/http-layer.js';
import type { AnalysisOptions } from '../frames.js';
import type { Losses } from '../report/coverage.js';
import {
  HTTP_GIVES,
  HTTP_HEADINGS,
  HTTP_RIGHT,
  HTTP_STATISTICS_GIVES,
  HTTP_STATISTICS_HEADINGS,
  HTTP_STATISTICS_RIGHT,
  HttpStatistics,
  httpCoverageRecord,
  httpCoverageText,
  httpRecord,
  httpRow,
  httpStatisticsRecord,
  httpStatisticsRow,
  isHttpError,
} from '../report/http.js';
import { countText } from '../report/quantities.js';
import type { Signs } from '../report/signs.js';
import { BodyFiles } from './body-files.js';
import { type ExchangeKind, exchangeCommand } from './exchange-lines.js';
import type { ExchangeOptions } from './exchanges.js';
import { terminalWidth } from './terminal.js';

/** Columns of a terminal below which the code and the path say enough of a request. */
const NARROW = 130;

export interface HttpOptions extends ExchangeOptions {
  /** The folder that bodies are written to. */
  readonly save?: string;
}

export const httpCommand = (): Command =>
  exchangeCommand(
    new Command('http')
      .description('show HTTP requests: each with its status, size and time to the first and the last octet of the response')
      .option('--save <dir>', 'write the body of each response to a file of this folder, put together and decompressed'),
    'request',
    (options: HttpOptions) => new HttpKind(options),
  );

export class HttpKind implements ExchangeKind<HttpTransaction> {
  readonly headings = HTTP_HEADINGS;
  readonly right = HTTP_RIGHT;
  readonly gives = HTTP_GIVES;
  readonly liveWidths = [9, 21, 14, 36, 16, 7, 7, 7];
  readonly statisticsHeadings = HTTP_STATISTICS_HEADINGS;
  readonly statisticsRight = HTTP_STATISTICS_RIGHT;
  readonly statisticsGives = HTTP_STATISTICS_GIVES;
  emit: ((exchange: HttpTransaction) => void) | undefined = undefined;
  private readonly transactions: HttpTransactions;
  readonly analysis: AnalysisOptions;
  private readonly groups = new HttpStatistics();
  private readonly narrow = terminalWidth() > 0 && terminalWidth() < NARROW;

  /** Where bodies are written to, if anywhere. */
  private readonly bodies: BodyFiles | undefined;

  constructor({ save }: Pick<HttpOptions, 'save'> = {}) {
    this.bodies = save === undefined ? undefined : new BodyFiles(save);
    this.transactions = new HttpTransactions((exchange) => this.emit?.(exchange), save !== undefined);
    this.analysis = { httpTransactions: this.transactions, brief: save === undefined };
  }

  accept(t: HttpTransaction): void {
    const { bodies } = this;
    const { content } = t;
    t.content = undefined;
    if (bodies === undefined || content === undefined || content.length === 0) return;
    t.saved = bodies.save(t.method === '' ? t.responseFrames.at(-1)! : t.frame, t.path, content, !t.cut);
  }

  get remark(): string | undefined {
    const { bodies } = this;
    if (bodies === undefined) return undefined;
    const part = bodies.partial > 0 ? `, ${countText(bodies.partial)} of them in part (.part)` : '';
    return `${bodies.count === 1 ? '1 body' : `${countText(bodies.count)} bodies`} written to ${bodies.folder}${part}`;
  }

  get oldestOpen(): HttpTransaction | undefined {
    return this.transactions.oldestOpen;
  }
  row(t: HttpTransaction, start: readonly [seconds: number, nanoseconds: number], signs: Signs) {
    return httpRow(t, start, signs, this.narrow);
  }
  record(t: HttpTransaction): object {
    return httpRecord(t);
  }
  isError(t: HttpTransaction): boolean {
    return isHttpError(t);
  }
  /** Until the first octet: how long the rest takes is a matter of its size. */
  took(t: HttpTransaction): Nanoseconds | undefined {
    return t.outcome === 'unanswered' ? Number.POSITIVE_INFINITY : t.latency;
  }
  frames(t: HttpTransaction): readonly number[] {
    return [t.frame, ...t.responseFrames];
  }
  untimed(t: HttpTransaction): HttpTransaction {
    t.latency = t.duration = undefined;
    return t;
  }
  concerns(frame: Frame): boolean {
    return frame.get(Http) !== undefined;
  }
  count(t: HttpTransaction): void {
    this.groups.add(t);
  }
  statistics(slowest: boolean) {
    const groups = [...this.groups.sorted(slowest), this.groups.total];
    return {
      rows: (signs: Signs) => groups.map((group) => httpStatisticsRow(group, signs)),
      records: () => groups.map(httpStatisticsRecord),
    };
  }
  coverageText(losses: Losses, signs: Signs, shown: number | undefined): string {
    return httpCoverageText(this.transactions.counts, losses, signs, shown);
  }
  coverageRecord(losses: Losses): object {
    return httpCoverageRecord(this.transactions.counts, losses);
  }
}
