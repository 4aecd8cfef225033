/** `netlens tls`: every connection of TLS, over TCP, QUIC and datagrams, with its handshake. */
import { Command } from 'commander';
import { type TlsHandshake, TlsHandshakes } from '../analysis/tls-handshakes.js';
import type { Frame } from '../core/frame.js';
import type { Nanoseconds } from '../core/time.js';
import { Dtls } from '../dissectors/dtls.js';
import { Quic } from '../dissectors/quic.js';
import { Tls } from '../dissectors/tls.js';
import type { AnalysisOptions } from '../frames.js';
import type { Losses } from '../report/coverage.js';
import type { Signs, Start } from '../report/signs.js';
import {
  isTlsError,
  TLS_GIVES,
  TLS_HEADINGS,
  TLS_RIGHT,
  TLS_STATISTICS_GIVES,
  TLS_STATISTICS_HEADINGS,
  TLS_STATISTICS_RIGHT,
  TlsStatistics,
  tlsCoverageRecord,
  tlsCoverageText,
  tlsRecord,
  tlsRow,
  tlsStatisticsRecord,
  tlsStatisticsRow,
} from '../report/tls.js';
import { type ExchangeKind, exchangeCommand } from './exchange-lines.js';

const MEASURED = `
Took is the time of the handshake, from the Client Hello to the message that
ends it: before TLS 1.3 the later of the two Finished messages; in TLS 1.3,
which encrypts them, the client's first encrypted record after the Server Hello;
in QUIC the client's first packet with a short header. Protocols in brackets are
those that the client offered, where the choice is encrypted; --keylog shows it,
and the certificate of TLS 1.3.`;

export const tlsCommand = (): Command =>
  exchangeCommand(
    new Command('tls')
      .description('show TLS connections, over TCP, QUIC and DTLS: name, version, cipher, how long the handshake took, how it ended')
      .addHelpText('after', MEASURED),
    'connection',
    () => new TlsKind(),
  );

export class TlsKind implements ExchangeKind<TlsHandshake> {
  readonly headings = TLS_HEADINGS;
  readonly right = TLS_RIGHT;
  readonly gives = TLS_GIVES;
  readonly liveWidths = [9, 21, 14, 24, 8, 10, 6, 7, 20];
  readonly statisticsHeadings = TLS_STATISTICS_HEADINGS;
  readonly statisticsRight = TLS_STATISTICS_RIGHT;
  readonly statisticsGives = TLS_STATISTICS_GIVES;
  readonly analysis: AnalysisOptions = {};
  emit: ((exchange: TlsHandshake) => void) | undefined = undefined;
  private readonly handshakes = new TlsHandshakes((handshake) => this.emit?.(handshake));
  private readonly groups = new TlsStatistics();

  get oldestOpen() {
    return this.handshakes.oldest;
  }
  see(frame: Frame): void {
    this.handshakes.see(frame);
  }
  finish(): void {
    this.handshakes.finish();
  }
  row(t: TlsHandshake, start: Start, signs: Signs) {
    return tlsRow(t, start, signs);
  }
  record(t: TlsHandshake): object {
    return tlsRecord(t);
  }
  isError(t: TlsHandshake): boolean {
    return isTlsError(t);
  }
  took(t: TlsHandshake): Nanoseconds | undefined {
    return t.duration ?? (t.outcome === 'ok' ? undefined : Number.POSITIVE_INFINITY);
  }
  frames(t: TlsHandshake): readonly number[] {
    return t.frames;
  }
  untimed(t: TlsHandshake): TlsHandshake {
    t.duration = t.firstAnswer = undefined;
    return t;
  }
  concerns(frame: Frame): boolean {
    return frame.get(Tls) !== undefined || frame.get(Quic) !== undefined || frame.get(Dtls) !== undefined;
  }
  count(t: TlsHandshake): void {
    this.groups.add(t);
  }
  statistics(slowest: boolean) {
    const groups = this.groups.sorted(slowest);
    return {
      rows: (signs: Signs) => groups.map((group) => tlsStatisticsRow(group, signs)),
      records: () => groups.map(tlsStatisticsRecord),
    };
  }
  coverageText(losses: Losses, signs: Signs, shown: number | undefined): string {
    return tlsCoverageText(this.handshakes.counts, losses, signs, shown);
  }
  coverageRecord(losses: Losses): object {
    return tlsCoverageRecord(this.handshakes.counts, losses);
  }
}
