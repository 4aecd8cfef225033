/** TLS connections for people and programs: a row each, statistics by server name, and what was seen of it all. */
import type { TlsCounts, TlsHandshake } from '../analysis/tls-handshakes.js';
import { safeText } from '../core/text.js';
import { durationText, epochText, isoText } from '../core/time.js';
import { isReserved, quicVersionName } from '../dissectors/quic-versions.js';
import { cipherSuiteName } from '../dissectors/tls-cipher-suites.js';
import { isNewest } from '../dissectors/tls-handshake.js';
import { shortVersion } from '../dissectors/tls-names.js';
import type { Tone } from '../output/theme.js';
import { communityId } from './community-id.js';
import { type Losses, lossRecord, lossTexts } from './coverage.js';
import { Groups, PERCENTILES } from './groups.js';
import { Latencies } from './latency.js';
import { countText } from './quantities.js';
import type { Cell, Giving } from './rolling-table.js';
import { endpoint, inSeconds, plural, relativeTime, type Signs, type Start, UNICODE_SIGNS, withoutMu } from './signs.js';

export const TLS_HEADINGS = ['time', 'client', 'server', 'name', 'version', 'protocol', 'result', 'took', 'cipher', ''] as const;
/** The columns that stand at the right. */
export const TLS_RIGHT: ReadonlySet<number> = new Set([0, 7]);
/** On a narrow terminal cipher, protocol and name make room for the rest. */
export const TLS_GIVES: readonly Giving[] = [
  { column: 8, least: 12 },
  { column: 5, least: 0 },
  { column: 3, least: 20 },
  { column: 8, least: 0 },
  { column: 4, least: 0 },
  { column: 3, least: 12 },
  { column: 6, least: 12 },
];

/** True when there was no handshake to its end. */
export const isTlsError = ({ outcome }: TlsHandshake): boolean => outcome !== 'ok' && outcome !== 'unfinished';

/** `TLSv1.3`, `QUIC 1`: what was agreed on. */
export function tlsVersionText({ version, carrier, quicVersion }: TlsHandshake): string {
  if (carrier === 'q') return isReserved(quicVersion) ? 'QUIC' : `QUIC ${quicVersionName(quicVersion) ?? ''}`.trim();
  return version === 0 ? '' : (shortVersion(version) ?? `0x${version.toString(16)}`);
}

/** A cipher suite without the words that all of them have. */
const shortCipher = (name: string): string => name.replace(/^TLS_/, '').replace('_WITH_', ' ');
const cipherText = (suite: number): string => (suite < 0 ? '' : shortCipher(cipherSuiteName(suite) ?? `0x${suite.toString(16)}`));

/** The protocol inside; what was offered, in brackets, where the choice is encrypted or was not made. */
function protocolText({ alpn, offered, version }: TlsHandshake): string {
  if (alpn !== undefined) return alpn;
  return offered.length > 0 && (version === 0 || isNewest(version)) ? `(${offered.slice(0, 4).join(' ')})` : '';
}

/** How it ended: `ok`, `alert by server: Handshake Failure`. */
function resultText(t: TlsHandshake): string {
  switch (t.outcome) {
    case 'alert':
      return `${t.alertFromServer ? 'server' : 'client'}: ${safeText(t.alert ?? 'alert')}`;
    case 'negotiation':
      return 'other versions offered';
    case 'unanswered':
      return 'no answer';
    default:
      return t.outcome;
  }
}

function toneOf({ outcome }: TlsHandshake): Tone | undefined {
  if (outcome === 'ok') return undefined;
  return outcome === 'unfinished' || outcome === 'negotiation' ? 'trouble' : 'resets';
}

/** The row of a connection; `start` is the time of the first frame. */
export function tlsRow(t: TlsHandshake, start: Start, signs: Signs = UNICODE_SIGNS): Cell[] {
  const notes: string[] = [];
  if (t.resumed) notes.push('resumed');
  if (t.retried) notes.push('hello retried');
  const tone = toneOf(t);
  const result = resultText(t);
  return [
    { text: relativeTime(t, start), tone: 'name' },
    { text: endpoint(t.client, t.clientPort), tone: 'client' },
    { text: t.serverPort === 443 ? t.server : endpoint(t.server, t.serverPort), tone: 'server' },
    safeText(t.serverName ?? ''),
    tlsVersionText(t),
    safeText(protocolText(t)),
    tone === undefined ? result : { text: result, tone },
    t.duration === undefined ? '' : withoutMu(durationText(t.duration), signs),
    cipherText(t.cipherSuite),
    { text: notes.join(', '), tone: 'name' },
  ];
}

const CARRIERS = { t: 'tcp', q: 'quic', d: 'dtls' } as const;

const timeText = (time: bigint | undefined): string | undefined =>
  time === undefined ? undefined : isoText(Number(time / 1_000_000_000n), Number(time % 1_000_000_000n));

/** A connection as a JSON record: durations in seconds. */
export function tlsRecord(t: TlsHandshake): object {
  const { certificate } = t;
  return {
    type: 'tls',
    time: isoText(t.seconds, t.nanoseconds),
    time_epoch: epochText(t.seconds, t.nanoseconds),
    carrier: CARRIERS[t.carrier],
    stream: t.stream,
    community_id: communityId(t.carrier === 't' ? 6 : 17, t.client, t.clientPort, t.server, t.serverPort),
    client: t.client,
    client_port: t.clientPort,
    server: t.server,
    server_port: t.serverPort,
    server_name: t.serverName,
    version: t.version === 0 ? undefined : (shortVersion(t.version) ?? t.version),
    quic_version: t.quicVersion === 0 ? undefined : (quicVersionName(t.quicVersion) ?? t.quicVersion),
    alpn: t.alpn,
    alpn_offered: t.offered.length > 0 ? t.offered : undefined,
    cipher_suite: t.cipherSuite < 0 ? undefined : (cipherSuiteName(t.cipherSuite) ?? t.cipherSuite),
    resumed: t.resumed,
    hello_retried: t.retried || undefined,
    outcome: t.outcome,
    alert: t.alert,
    alert_by: t.alert === undefined ? undefined : t.alertFromServer ? 'server' : 'client',
    handshake: inSeconds(t.duration),
    first_answer: inSeconds(t.firstAnswer),
    ja3: t.ja3,
    ja3s: t.ja3s,
    ja4: t.ja4,
    certificate: certificate && {
      subject: certificate.subject,
      issuer: certificate.issuer,
      not_before: timeText(certificate.notBefore),
      not_after: timeText(certificate.notAfter),
      names: certificate.names,
    },
    frames: t.frames,
  };
}

// Statistics ---------------------------------------------------------------------------------------------------------

/** Connections to one name, or with one version or cipher suite. */
export interface TlsGroup {
  readonly by: 'name' | 'version' | 'cipher';
  readonly name: string;
  count: number;
  errors: number;
  resumed: number;
  readonly latencies: Latencies;
}

const groupsBy = (by: TlsGroup['by']): Groups<TlsGroup> =>
  new Groups(
    (into, from) => {
      into.errors += from.errors;
      into.resumed += from.resumed;
    },
    () => groupOf(by, '(others)'),
  );

export class TlsStatistics {
  private readonly groups = { name: groupsBy('name'), version: groupsBy('version'), cipher: groupsBy('cipher') };
  private readonly total = groupOf('name', '(all)');

  add(t: TlsHandshake): void {
    const counted = [this.total, this.group('name', t.serverName ?? t.server)];
    if (t.version !== 0) {
      counted.push(this.group('version', tlsVersionText(t)));
      counted.push(this.group('cipher', cipherSuiteName(t.cipherSuite) ?? `0x${t.cipherSuite.toString(16)}`));
    }
    for (const group of counted) {
      group.count++;
      if (isTlsError(t)) group.errors++;
      if (t.resumed) group.resumed++;
      if (t.duration !== undefined) group.latencies.add(Number(t.duration));
    }
  }

  private group(by: TlsGroup['by'], name: string): TlsGroup {
    return this.groups[by].of(name, () => groupOf(by, name));
  }

  /** All groups: names, versions, cipher suites; each the most frequent first, with `slowest` by their 95th percentile. */
  sorted(slowest: boolean): TlsGroup[] {
    const { name, version, cipher } = this.groups;
    const ordered = (those: Groups<TlsGroup>) => those.sorted(slowest, (group) => group.name);
    return [...ordered(name), this.total, ...ordered(version), ...ordered(cipher)];
  }
}

const groupOf = (by: TlsGroup['by'], name: string): TlsGroup => ({ by, name, count: 0, errors: 0, resumed: 0, latencies: new Latencies() });

export const TLS_STATISTICS_HEADINGS = ['by', '', 'count', 'errors', 'resumed', 'p50', 'p95', 'p99', 'max'] as const;
/** On a narrow terminal names and ciphers make room for the latencies, then what is rarely asked for. */
export const TLS_STATISTICS_GIVES: readonly Giving[] = [
  { column: 1, least: 32 },
  { column: 7, least: 0 },
  { column: 4, least: 0 },
  { column: 1, least: 12 },
];
export const TLS_STATISTICS_RIGHT: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 7, 8]);

export function tlsStatisticsRow({ by, name, count, errors, resumed, latencies }: TlsGroup, signs: Signs = UNICODE_SIGNS): Cell[] {
  const times = [...PERCENTILES.map((share) => latencies.percentile(share)), latencies.count > 0 ? latencies.max : undefined];
  return [
    by,
    by === 'cipher' ? shortCipher(name) : safeText(name),
    countText(count),
    errors > 0 ? { text: countText(errors), tone: 'trouble' } : '0',
    countText(resumed),
    ...times.map((time) => (time === undefined ? signs.dash : withoutMu(durationText(time), signs))),
  ];
}

/** A group as a JSON record: durations in seconds. */
export function tlsStatisticsRecord({ by, name, count, errors, resumed, latencies }: TlsGroup): object {
  const [p50, p95, p99] = PERCENTILES.map((share) => inSeconds(latencies.percentile(share)));
  const max = latencies.count > 0 ? latencies.max / 1e9 : undefined;
  return { type: 'tls_statistics', by, name, count, errors, resumed, p50, p95, p99, max };
}

// Coverage -----------------------------------------------------------------------------------------------------------

/** `12 connections: 10 ok, 2 unanswered · 1 without its Client Hello`. */
export function tlsCoverageText(counts: TlsCounts, losses: Losses, signs: Signs = UNICODE_SIGNS, shown?: number): string {
  const { connections, outcomes, headless, evicted } = counts;
  const kinds = Object.entries(outcomes).flatMap(([outcome, count]) =>
    count > 0 || outcome === 'ok' ? [`${countText(count)} ${WORDS[outcome] ?? outcome}`] : [],
  );
  const parts = [`${plural(connections, 'connection')}${connections > 0 ? `: ${kinds.join(', ')}` : ''}`];
  if (shown !== undefined) parts.push(`${shown} shown`);
  if (headless > 0) parts.push(`${headless} without a captured Client Hello`);
  if (evicted > 0) parts.push(`${evicted} given up: too many at once`);
  return [...parts, ...lossTexts(losses)].join(` ${signs.dot} `);
}

const WORDS: Readonly<Record<string, string>> = { alert: 'refused by an alert', negotiation: 'offered other versions' };

/** The same as a JSON record. */
export const tlsCoverageRecord = ({ connections, outcomes, headless, evicted }: TlsCounts, losses: Losses): object => ({
  type: 'tls_coverage',
  connections,
  ...outcomes,
  without_client_hello: headless,
  evicted,
  ...lossRecord(losses),
});
