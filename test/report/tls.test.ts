import { expect, test } from 'vitest';
import { Latencies } from '../../src/report/latency.js';
import { RollingTable } from '../../src/report/rolling-table.js';
import { TLS_STATISTICS_GIVES, TLS_STATISTICS_HEADINGS, TLS_STATISTICS_RIGHT, tlsStatisticsRow } from '../../src/report/tls.js';

test('statistics on a narrow terminal keep the latencies', () => {
  const latencies = new Latencies();
  latencies.add(2_000_000);
  const lines: string[] = [];
  const table = new RollingTable((line) => lines.push(line), {
    right: TLS_STATISTICS_RIGHT,
    width: 80,
    gives: TLS_STATISTICS_GIVES,
    rest: 8,
  });
  table.row(TLS_STATISTICS_HEADINGS);
  const counts = { count: 3, errors: 1, resumed: 0, latencies };
  table.row(tlsStatisticsRow({ by: 'cipher', name: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', ...counts }));
  table.row(tlsStatisticsRow({ by: 'name', name: `${'a'.repeat(60)}.example.test`, ...counts }));
  table.release();
  expect(lines).toEqual([
    'by                                        count  errors   p50   p95   max',
    'cipher  ECDHE_RSA AES_128_GCM_SHA256          3       1  2 ms  2 ms  2 ms',
    `name    ${'a'.repeat(31)}…      3       1  2 ms  2 ms  2 ms`,
  ]);
});
