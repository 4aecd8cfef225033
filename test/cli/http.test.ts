import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { BodyFiles, safeName } from '../../src/cli/body-files.js';
import type { ExchangeOptions } from '../../src/cli/exchanges.js';
import { HttpKind } from '../../src/cli/http.js';
import { fixture, listed, recorded } from './printed.js';

const FIXTURE = fixture('http.pcap');
const kind = () => new HttpKind();
const printed = (options: Partial<ExchangeOptions>) => listed(FIXTURE, kind, options);
const folder = mkdtempSync(join(tmpdir(), 'netlens-'));
afterAll(() => rmSync(folder, { recursive: true }));

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

describe('netlens http --save', () => {
  const numbers = Array.from({ length: 60 }, (_, i) => `${i + 1}\n`).join('');

  it.each([
    ['http.pcap', undefined, ['16-numbers.txt', '36-x.txt', '4', '42-missing', '46-old', '8-numbers.txt']],
    ['http2-tls.pcap', 'http2-tls.keys', ['14', '20-numbers.txt', '22-x.txt']],
  ])('writes bodies, decompressed: %s', async (capture, keys, files) => {
    const to = join(folder, capture);
    const options = { ...(keys && { keylog: fixture(keys) }) };
    const kind = new HttpKind({ save: to });
    const records = await recorded(fixture(capture), () => kind, options);
    // The frames of the fixture may be others when it is recorded anew.
    const withoutFrame = (names: readonly string[]) => names.map((name) => name.replace(/^\d+/, '')).sort();
    expect(withoutFrame(readdirSync(to))).toEqual(withoutFrame(files));
    expect(kind.remark).toBe(`${files.length} bodies written to ${to}`);
    for (const record of records.filter(({ path }) => path === '/numbers.txt'))
      expect(readFileSync(record['saved'] as string, 'utf8')).toBe(numbers);
  });

  it.each([
    ['/a/logo.png?x=1', 'logo.png'],
    ['/../../etc/passwd', 'passwd'],
    ['/..%2f..%2fetc', '2f.._2fetc'],
    ['/.bashrc', 'bashrc'],
    ['/-rf', 'rf'],
    ['/a\\b:c|d\x1b[31m', 'a_b_c_d_31m'],
    ['/', ''],
    [`/${'x'.repeat(300)}.tar.gz`, `${'x'.repeat(73)}.tar.gz`],
  ])('calls the body of %j %j', (path, name) => {
    expect(safeName(path)).toBe(name);
  });

  it('writes over nothing, and through no link', () => {
    const to = join(folder, 'kept');
    mkdirSync(to);
    const own = join(folder, 'own');
    writeFileSync(own, 'mine');
    writeFileSync(join(to, '7-a.txt'), 'mine');
    symlinkSync(own, join(to, '7-a_2.txt'));
    const files = new BodyFiles(to);
    expect(files.save(7, '/a.txt', new Uint8Array([0x62]), true)).toBe(join(to, '7-a_3.txt'));
    expect(files.save(7, '/a.txt', new Uint8Array([0x62]), false)).toBe(join(to, '7-a.txt.part'));
    expect([readFileSync(own, 'utf8'), readFileSync(join(to, '7-a.txt'), 'utf8'), files.count, files.partial]).toEqual([
      'mine',
      'mine',
      2,
      1,
    ]);
  });

  it('says what is wrong with a folder that cannot be made', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => new BodyFiles(join(folder, 'file', 'in'))).toThrow(/--save .*file/);
  });
});

const missing = ['nginx', 'curl', 'wrk', 'nft', 'tcpdump', 'ip'].filter((program) => spawnSync('which', [program]).status !== 0);
const ready = process.getuid?.() === 0 && missing.length === 0;

describe.skipIf(!ready)(
  `real traffic over a link that loses segments${ready ? '' : ` (needs root${missing.map((m) => `, ${m}`).join('')})`}`,
  () => {
    it("every line of nginx's access log is told, and every body is the file served", { timeout: 120_000 }, () => {
      const script = fileURLToPath(new URL('../../bench/http-check.sh', import.meta.url));
      const { stdout, stderr, status } = spawnSync('bash', [script, '160', '1', '1'], { encoding: 'utf8' });
      const counts = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as {
        lines: number;
        bodies: number;
        differ: number;
        bodiesDiffer: number;
      };
      expect({ status, differ: counts.differ, bodiesDiffer: counts.bodiesDiffer, stderr: status === 0 ? '' : stderr }).toEqual({
        status: 0,
        differ: 0,
        bodiesDiffer: 0,
        stderr: '',
      });
      expect(counts.lines).toBeGreaterThan(160);
      expect(counts.bodies).toBeGreaterThan(80);
    });
  },
);
