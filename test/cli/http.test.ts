import { describe, expect, it } from 'vitest';
import type { ExchangeOptions } from '../../src/cli/exchanges.js';
import { HttpKind } from '../../src/cli/http.js';
import { fixture, listed, recorded } from './printed.js';

const FIXTURE = fixture('http.pcap');
const kind = () => new HttpKind();
const printed = (options: Partial<ExchangeOptions>) => listed(FIXTURE, kind, options);

describe('netlens http', () => {
  it('prints a line a request, with the time to the first and to the last octet', async () => {
    const lines = await printed({});
    expect(lines[0]).toMatch(/^ +time {2}client +server +request +status +size +first +last$/);
    expect(lines[3]).toMatch(/GET 10\.99\.2\.2\/numbers\.txt {2}200 OK +118 B +133 µs +133 µs {2}gzip$/);
    expect(lines[5]).toMatch(/GET 10\.99\.2\.2\/x\.txt +200 OK +20 kB +82 µs +178 µs$/);
    expect(lines.at(-1)).toBe('7 requests: 7 answered, 0 unanswered · no holes · 0 frames cut short · drops by the kernel not recorded');
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
    const records = await recorded(FIXTURE, kind);
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
