/** HTTP transactions for people and programs: a row each, statistics by method and path, and what was seen of it all. */
import type { HttpCounts, HttpOutcome, HttpTransaction } from '../analysis/http-transactions.js';
import { safeText } from '../core/text.js';
import { durationText, isoText } from '../core/time.js';
import { grpcName, isGrpcFailure } from '../dissectors/grpc.js';
import type { Tone } from '../output/theme.js';
import { communityId } from './community-id.js';
import { type Losses, lossRecord, lossTexts } from './coverage.js';
import { type Group, Groups, PERCENTILES } from './groups.js';
import { Latencies } from './latency.js';
import { sizeText } from './quantities.js';
import { keyPattern } from './redis.js';
import type { Cell, Giving } from './rolling-table.js';
import { cut, endpoint, inSeconds, plural, relativeTime, type Signs, UNICODE_SIGNS, withoutMu } from './signs.js';

export const HTTP_HEADINGS = ['time', 'client', 'server', 'request', 'status', 'size', 'first', 'last', ''] as const;
/** The columns that stand at the right. */
export const HTTP_RIGHT: ReadonlySet<number> = new Set([0, 5, 6, 7]);

/** On a narrow terminal long requests make room, then who was asked, which is mostly the same, and the size. */
export const HTTP_GIVES: readonly Giving[] = [
  { column: 3, least: 24 },
  { column: 2, least: 0 },
  { column: 3, least: 16 },
  { column: 5, least: 0 },
  { column: 1, least: 12 },
];

/** Characters of a request on a line; `--json` has all of it. */
const MOST_REQUEST = 60;
/** Characters of a status: `grpc FAILED_PRECONDITION` just fits. */
const MOST_STATUS = 24;
/** Characters of what a server of gRPC says of a failure. */
const MOST_MESSAGE = 60;

/** True when the server refused or failed, nothing came, or not all of it. */
export const isHttpError = (t: HttpTransaction): boolean =>
  t.outcome === 'unanswered' || t.cut || (t.status ?? 0) >= 400 || (t.grpc?.code ?? 0) !== 0;

/** The row of a transaction; `start` is the time of the first frame. `narrow`: few columns are there for it. */
export function httpRow(
  t: HttpTransaction,
  start: readonly [seconds: number, nanoseconds: number],
  signs: Signs = UNICODE_SIGNS,
  narrow = false,
): Cell[] {
  const tone = toneOf(t);
  // On a narrow terminal the code and the path say enough, so that the times are seen.
  const shown = cut(narrow ? codeText(t) : statusText(t), MOST_STATUS, signs);
  const time = (value: HttpTransaction['latency']) => (value === undefined ? '' : withoutMu(durationText(value), signs));
  return [
    { text: relativeTime(t, start), tone: 'name' },
    { text: endpoint(t.client, t.clientPort), tone: 'client' },
    { text: t.serverPort === 80 ? t.server : endpoint(t.server, t.serverPort), tone: 'server' },
    cut(requestText(t, narrow), MOST_REQUEST, signs),
    tone === undefined ? shown : { text: shown, tone },
    t.status === undefined ? '' : sizeText(t.body),
    time(t.latency),
    time(t.duration),
    { text: notes(t, signs).join(', '), tone: 'name' },
  ];
}

/** `GET example.test/path?query`; the host is not said again where the path has it. */
function requestText({ method, host, path }: HttpTransaction, narrow: boolean): string {
  if (method === '') return '';
  return safeText(`${method} ${!narrow && host !== undefined && path.startsWith('/') ? host : ''}${path}`);
}

/** gRPC's calls have a status of their own, whatever became of them: HTTP's is 200. */
const grpcCode = ({ status, grpc }: HttpTransaction): number | undefined => (status === 200 ? grpc?.code : undefined);

/** `200 OK`, `grpc NOT_FOUND`, or why there is none. */
function statusText(t: HttpTransaction): string {
  if (t.status === undefined) return codeText(t);
  const code = grpcCode(t);
  return code === undefined ? `${t.status} ${safeText(t.reason)}` : `grpc ${grpcName(code)}`;
}

/** The same in short: `200`, `grpc 5`. */
function codeText(t: HttpTransaction): string {
  if (t.status === undefined) return t.outcome === 'lost' ? 'not captured' : 'no answer';
  const code = grpcCode(t);
  return code === undefined ? String(t.status) : `grpc ${code}`;
}

function toneOf(t: HttpTransaction): Tone | undefined {
  const code = t.grpc?.code ?? 0;
  if (t.outcome === 'unanswered' || (t.status ?? 0) >= 500 || isGrpcFailure(code)) return 'resets';
  if (t.cut || (t.status ?? 0) >= 400 || code !== 0) return 'trouble';
  return t.outcome === 'answered' ? undefined : 'name';
}

/** What is said of responses without a request. */
const NO_REQUEST: Readonly<Partial<Record<HttpOutcome, string>>> = {
  unasked: 'request not captured',
  foreign: 'request is not HTTP',
  unprompted: 'no request before it',
};

function notes(t: HttpTransaction, signs: Signs): string[] {
  const found: string[] = [];
  if (t.grpc !== undefined && t.grpc.message !== '') found.push(cut(safeText(t.grpc.message), MOST_MESSAGE, signs));
  if (t.contentEncoding !== '') found.push(safeText(t.contentEncoding));
  if (t.requestBody > 0) found.push(`${sizeText(t.requestBody)} sent`);
  for (const code of t.interim) found.push(String(code));
  if (t.pushed) found.push('pushed');
  if (t.cut) found.push('broken off');
  if (t.reset !== undefined) found.push(`reset: ${t.reset}`);
  const instead = NO_REQUEST[t.outcome];
  if (instead !== undefined) found.push(instead);
  return found;
}

/** A transaction as a JSON record: durations in seconds, sizes in octets. */
export function httpRecord(t: HttpTransaction): object {
  const asked = t.method !== '';
  return {
    type: 'http',
    time: isoText(t.seconds, t.nanoseconds),
    time_epoch: `${t.seconds}.${String(t.nanoseconds).padStart(9, '0')}`,
    stream: t.overQuic ? undefined : t.stream,
    udp_stream: t.overQuic ? t.stream : undefined,
    community_id: communityId(t.overQuic ? 17 : 6, t.client, t.clientPort, t.server, t.serverPort),
    client: t.client,
    client_port: t.clientPort,
    server: t.server,
    server_port: t.serverPort,
    ...(asked && { method: t.method, host: t.host, path: t.path, version: t.requestVersion, request_body_octets: t.requestBody }),
    pushed: t.pushed || undefined,
    outcome: t.outcome,
    status: t.status,
    reason: t.status === undefined ? undefined : t.reason,
    grpc_status: t.grpc?.code,
    grpc_status_name: t.grpc && grpcName(t.grpc.code),
    grpc_message: t.grpc?.message || undefined,
    interim: t.interim.length > 0 ? t.interim : undefined,
    content_type: t.contentType || undefined,
    content_encoding: t.contentEncoding || undefined,
    body_octets: t.status === undefined ? undefined : t.body,
    broken_off: t.cut || undefined,
    reset: t.reset,
    saved: t.saved,
    latency: inSeconds(t.latency),
    duration: inSeconds(t.duration),
    ...(asked && { request_frame: t.frame }),
    response_frames: t.responseFrames,
  };
}

// Statistics ---------------------------------------------------------------------------------------------------------

/** Requests of one method for paths of one pattern. */
export interface HttpGroup extends Group {
  readonly method: string;
  readonly path: string;
  errors: number;
  unanswered: number;
  octets: number;
}

const OTHERS = '(others)';

export class HttpStatistics {
  private readonly groups = new Groups<HttpGroup>(
    (into, from) => {
      into.errors += from.errors;
      into.unanswered += from.unanswered;
      into.octets += from.octets;
    },
    () => group(OTHERS, ''),
  );
  readonly total: HttpGroup = group('(all)', '');

  add(t: HttpTransaction): void {
    if (t.method === '') return;
    const path = keyPattern(t.path.split('?', 1)[0]!);
    const found = this.groups.of(`${t.method} ${path}`, () => group(t.method, path));
    for (const counted of [found, this.total]) {
      counted.count++;
      if (t.outcome === 'unanswered') counted.unanswered++;
      else if (isHttpError(t)) counted.errors++;
      counted.octets += t.body;
      if (t.latency !== undefined) counted.latencies.add(Number(t.latency));
    }
  }

  /** All groups, the most frequent first; with `slowest` those with the highest 95th percentile. */
  sorted(slowest: boolean): HttpGroup[] {
    return this.groups.sorted(slowest, (g) => `${g.path} ${g.method}`);
  }
}

const group = (method: string, path: string): HttpGroup => ({
  method,
  path,
  count: 0,
  errors: 0,
  unanswered: 0,
  octets: 0,
  latencies: new Latencies(),
});

export const HTTP_STATISTICS_HEADINGS = ['method', 'path', 'count', 'errors', 'unanswered', 'p50', 'p95', 'p99', 'max', 'size'] as const;
/** On a narrow terminal long paths make room, then what tells least. */
export const HTTP_STATISTICS_GIVES: readonly Giving[] = [
  { column: 1, least: 24 },
  { column: 7, least: 0 },
  { column: 4, least: 0 },
  { column: 1, least: 12 },
];
export const HTTP_STATISTICS_RIGHT: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 7, 8, 9]);

export function httpStatisticsRow(g: HttpGroup, signs: Signs = UNICODE_SIGNS): Cell[] {
  const times = [...PERCENTILES.map((share) => g.latencies.percentile(share)), g.latencies.count > 0 ? g.latencies.max : undefined];
  return [
    safeText(g.method),
    safeText(g.path),
    String(g.count),
    g.errors > 0 ? { text: String(g.errors), tone: 'trouble' } : '0',
    g.unanswered > 0 ? { text: String(g.unanswered), tone: 'resets' } : '0',
    ...times.map((time) => (time === undefined ? signs.dash : withoutMu(durationText(time), signs))),
    sizeText(g.octets),
  ];
}

/** A group as a JSON record: durations in seconds. */
export function httpStatisticsRecord(g: HttpGroup): object {
  const [p50, p95, p99] = PERCENTILES.map((share) => inSeconds(g.latencies.percentile(share)));
  const max = g.latencies.count > 0 ? g.latencies.max / 1e9 : undefined;
  const { method, path, count, errors, unanswered, octets } = g;
  return { type: 'http_statistics', method, path_pattern: path, count, errors, unanswered, p50, p95, p99, max, body_octets: octets };
}

// Coverage -----------------------------------------------------------------------------------------------------------

/** `12 requests: 10 answered, 2 unanswered · 1 response broken off`. */
export function httpCoverageText(counts: HttpCounts, losses: Losses, signs: Signs = UNICODE_SIGNS, shown?: number): string {
  const parts = [`${plural(counts.requests, 'request')}: ${counts.answered} answered, ${counts.unanswered} unanswered`];
  if (shown !== undefined) parts.push(`${shown} shown`);
  if (counts.cut > 0) parts.push(`${plural(counts.cut, 'response')} broken off`);
  if (counts.lost > 0) parts.push(`${plural(counts.lost, 'response')} lost in holes`);
  if (counts.unasked > 0) parts.push(`${plural(counts.unasked, 'response')} without a captured request`);
  if (counts.foreign > 0) parts.push(`${plural(counts.foreign, 'response')} to what is not HTTP`);
  if (counts.unprompted > 0) parts.push(`${plural(counts.unprompted, 'response')} without a request`);
  if (counts.evicted > 0) parts.push(`${plural(counts.evicted, 'request')} given up: too many at once`);
  return [...parts, ...lossTexts(losses)].join(` ${signs.dot} `);
}

/** The same as a JSON record. */
export const httpCoverageRecord = (counts: HttpCounts, losses: Losses): object => ({
  type: 'http_coverage',
  requests: counts.requests,
  answered: counts.answered,
  unanswered: counts.unanswered,
  broken_off: counts.cut,
  lost_responses: counts.lost,
  stray_responses: counts.unasked,
  foreign_requests: counts.foreign,
  unprompted_responses: counts.unprompted,
  evicted: counts.evicted,
  ...lossRecord(losses),
});
