import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExchangeLines } from '../../src/cli/exchange-lines.js';
import { type ExchangeOptions, runExchanges } from '../../src/cli/exchanges.js';
import { HttpKind } from '../../src/cli/http.js';
import { Sink } from '../../src/cli/sink.js';

const FIXTURE = fileURLToPath(new URL('../../fixtures/http.pcap', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'netlens-'));
const before = process.env.LC_ALL;
beforeAll(() => {
  process.env.LC_ALL = 'C.UTF-8';
});
afterAll(() => {
  if (before === undefined) delete process.env.LC_ALL;
  else process.env.LC_ALL = before;
  rmSync(folder, { recursive: true });
});

async function printed(options: Partial<ExchangeOptions>): Promise<string[]> {
  const path = join(folder, 'out');
  const descriptor = openSync(path, 'w');
  const sink = new Sink(descriptor);
  const all: ExchangeOptions = { sort: 'time', color: 'never', ...options };
  await runExchanges([FIXTURE], all, new ExchangeLines(new HttpKind(), all, sink), sink);
  await sink.end();
  closeSync(descriptor);
  return readFileSync(path, 'utf8').trimEnd().split('\n');
}

describe('netlens http', () => {
  it('prints a line a request, with the time to the first and to the last octet', async () => {
    const lines = await printed({});
    expect(lines[0]).toMatch(/^ +time {2}client +server +request +status +size +first +last$/);
    expect(lines[3]).toMatch(/GET 10\.99\.2\.2\/numbers\.txt {2}200 OK +118 B +133 µs +133 µs {2}gzip$/);
    expect(lines[5]).toMatch(/GET 10\.99\.2\.2\/x\.txt +200 OK +20 kB +82 µs +178 µs$/);
    expect(lines.at(-1)).toBe('7 requests: 7 answered, 0 unanswered');
  });

  it('chooses by errors, by time taken, and by a display filter', async () => {
    const paths = async (options: Partial<ExchangeOptions>) =>
      (await printed(options)).slice(1, -1).map((line) => /10\.99\.2\.2(\/\S*)/.exec(line)![1]);
    expect(await paths({ errors: true })).toEqual(['/missing']);
    expect(await paths({ slow: 0.0001 })).toEqual(['/', '/numbers.txt']);
    expect(await paths({ displayFilter: 'http.response.code == 301' })).toEqual(['/old']);
  });

  it('sums up, and writes records', async () => {
    expect((await printed({ stats: true })).at(-2)).toMatch(/^\(all\) +7 +1 +0 /);
    const records = (await printed({ json: true })).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records[3]).toMatchObject({
      type: 'http',
      method: 'HEAD',
      host: '10.99.2.2',
      path: '/x.txt',
      outcome: 'answered',
      status: 200,
      reason: 'OK',
      body_octets: 0,
      latency: 0.000066,
    });
    expect(records.at(-1)).toMatchObject({ type: 'http_coverage', requests: 7, answered: 7 });
  });
});
