import { describe, expect, it } from 'vitest';
import { RedisKind, type RedisOptions } from '../../src/cli/redis.js';
import { fixture, listed, recorded } from './printed.js';

const FIXTURE = fixture('redis.pcap');
const kind = (options: RedisOptions) => new RedisKind(options);
const printed = (options: Partial<RedisOptions>) => listed(FIXTURE, kind, options);

describe('netlens redis', () => {
  it('prints a line a command, in the order in which they were sent, and what it saw', async () => {
    const lines = await printed({});
    expect(lines[0]).toMatch(/^ +time {2}client +server +command +reply +took$/);
    expect(lines[1]).toMatch(/^0\.000203 {2}10\.99\.2\.1:58584 {2}10\.99\.2\.2 {2}SET user:1 "ada" +OK +215 µs$/);
    expect(lines.slice(-4, -1).map((line) => line.split(/ {2,}/)[3])).toEqual(['SET k1 "v1"', 'GET k1', 'PING']);
    expect(lines.at(-1)).toBe('15 commands: 15 answered, 0 unanswered · no holes · 0 frames cut short · drops by the kernel not recorded');
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
    const records = await recorded(FIXTURE, kind);
    expect(records[0]).toMatchObject({
      type: 'redis',
      client: '10.99.2.1',
      server_port: 6379,
      stream: 0,
      community_id: expect.stringMatching(/^1:/) as string,
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
