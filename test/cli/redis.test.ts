import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExchangeLines } from '../../src/cli/exchange-lines.js';
import { runExchanges } from '../../src/cli/exchanges.js';
import { RedisKind, type RedisOptions } from '../../src/cli/redis.js';
import { Sink } from '../../src/cli/sink.js';

const FIXTURE = fileURLToPath(new URL('../../fixtures/redis.pcap', import.meta.url));
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

async function printed(options: Partial<RedisOptions>): Promise<string[]> {
  const path = join(folder, 'out');
  const descriptor = openSync(path, 'w');
  const sink = new Sink(descriptor);
  const all: RedisOptions = { sort: 'time', color: 'never', ...options };
  await runExchanges([FIXTURE], all, new ExchangeLines(new RedisKind(all), all, sink), sink);
  await sink.end();
  closeSync(descriptor);
  return readFileSync(path, 'utf8').trimEnd().split('\n');
}

describe('netlens redis', () => {
  it('prints a line a command, in the order in which they were sent, and what it saw', async () => {
    const lines = await printed({});
    expect(lines[0]).toMatch(/^ +time {2}client +server +command +reply +took$/);
    expect(lines[1]).toMatch(/^0\.000203 {2}10\.99\.2\.1:58584 {2}10\.99\.2\.2 {2}SET user:1 "ada" +OK +215 µs$/);
    expect(lines.slice(-4, -1).map((line) => line.split(/ {2,}/)[3])).toEqual(['SET k1 "v1"', 'GET k1', 'PING']);
    expect(lines.at(-1)).toBe('15 commands: 15 answered, 0 unanswered');
  });

  it('chooses by errors, by time taken, and by a display filter', async () => {
    const commands = async (options: Partial<RedisOptions>) => (await printed(options)).slice(1, -1).map((line) => line.split(/ {2,}/)[3]);
    expect(await commands({ errors: true })).toEqual(['NOSUCHCOMMAND']);
    expect(await commands({ slow: 0.00014 })).toEqual(['SET user:1 "ada"', 'LRANGE jobs 0 -1']);
    expect(await commands({ displayFilter: 'resp.time > 0.0002' })).toEqual(['SET user:1 "ada"']);
    expect((await commands({ sort: 'took' })).slice(0, 2)).toEqual(['SET user:1 "ada"', 'LRANGE jobs 0 -1']);
  });

  it('sums up by command and by what keys have in common', async () => {
    const lines = await printed({ stats: true });
    expect(lines.find((line) => line.startsWith('SET'))).toMatch(/^SET +k\* +1 +0 +0 +79 µs +79 µs +79 µs +79 µs +11 B +5 B$/);
    expect(lines.at(-2)).toMatch(/^\(all\) +15 +1 +0 /);
  });

  it('writes records', async () => {
    const records = (await printed({ json: true })).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records[0]).toMatchObject({
      type: 'redis',
      client: '10.99.2.1',
      server_port: 6379,
      stream: 0,
      db: 0,
      protocol: 2,
      command: 'SET',
      key: 'user:1',
      arguments: ['user:1', 'ada'],
      outcome: 'answered',
      reply: { type: 'string', value: 'OK' },
      latency: 0.000215,
      command_frame: 4,
      reply_frames: [6],
    });
    expect(records.find((record) => record.command === 'HGETALL')).toMatchObject({
      protocol: 3,
      reply: {
        type: 'map',
        length: 2,
        value: [
          ['apples', '3'],
          ['pears', '5'],
        ],
      },
    });
    expect(records.at(-1)).toMatchObject({ type: 'redis_coverage', commands: 15, answered: 15, lost_replies: 0 });
  });
});
