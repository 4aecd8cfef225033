/** Captures that do not say when a frame came: pcapng's Simple Packet Blocks. */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { DhcpKind } from '../../src/cli/dhcp.js';
import { DnsKind } from '../../src/cli/dns.js';
import type { ExchangeKind } from '../../src/cli/exchange-lines.js';
import { HttpKind } from '../../src/cli/http.js';
import { PingKind } from '../../src/cli/ping.js';
import { RedisKind } from '../../src/cli/redis.js';
import { StatsReport } from '../../src/cli/stats.js';
import { listConversations, type TcpOptions } from '../../src/cli/tcp.js';
import { TlsKind } from '../../src/cli/tls.js';
import { open } from '../../src/frames.js';
import { concat, scratch } from '../capture/octets.js';
import { written } from '../written.js';
import { fixture, listed, printedBy, recorded } from './printed.js';

const folder = scratch();
afterAll(() => folder[Symbol.dispose]());

function words(...values: number[]): Uint8Array {
  return new Uint8Array(new Uint32Array(values).buffer);
}

/** A block of pcapng. */
function block(type: number, body: Uint8Array): Uint8Array {
  const padded = concat(body, new Uint8Array(-body.length & 3));
  const length = 12 + padded.length;
  return concat(words(type, length), padded, words(length));
}

/** A fixture as pcapng, in which only frames that `timed` holds for have a time. */
function withoutTimes(name: string, timed: (number: number) => boolean): string {
  const octets = readFileSync(fixture(name));
  const blocks = [block(0x0a0d0d0a, words(0x1a2b3c4d, 1, 0xffffffff, 0xffffffff)), block(1, words(octets.readUInt32LE(20), 0))];
  let number = 0;
  for (let at = 24; at < octets.length; ) {
    const [seconds, fraction, captured, length] = [0, 4, 8, 12].map((i) => octets.readUInt32LE(at + i)) as [number, number, number, number];
    const packet = octets.subarray(at + 16, at + 16 + captured);
    const time = BigInt(seconds) * 1_000_000n + BigInt(octets.readUInt32LE(0) === 0xa1b23c4d ? Math.floor(fraction / 1000) : fraction);
    blocks.push(
      timed(++number)
        ? block(6, concat(words(0, Number(time >> 32n), Number(time & 0xffffffffn), captured, length), packet))
        : block(3, concat(words(length), packet)),
    );
    at += 16 + captured;
  }
  return folder.file(`${name}ng`, concat(...blocks));
}

// biome-ignore lint/suspicious/noExplicitAny: kinds of all exchanges stand in one table
const KINDS: readonly (readonly [string, () => ExchangeKind<any>])[] = [
  ['dns', () => new DnsKind()],
  ['http', () => new HttpKind()],
  ['redis', () => new RedisKind({ sort: 'time', color: 'never' })],
  ['tls', () => new TlsKind()],
  ['ping', () => new PingKind()],
  ['dhcp', () => new DhcpKind()],
];

describe('frames without a time', () => {
  it.each(KINDS)('leave times and durations out of netlens %s', async (name, kind) => {
    const capture = withoutTimes(`${name}.pcap`, () => false);
    const lines = await listed(capture, kind);
    expect(lines[1]).toMatch(/^ +\S/);
    expect(lines.join('\n').replaceAll('for 2 min 0 s', '')).not.toMatch(/\d [µnm]?s\b|1970|0\.0000/);
    const records = (await recorded(capture, kind)).filter((record) => 'client' in record || 'source' in record);
    expect(records.length).toBeGreaterThan(2);
    for (const key of ['time', 'time_epoch', 'latency', 'duration', 'handshake'])
      expect(records.filter((record) => record[key] !== undefined)).toEqual([]);
  });

  it('leave time and rates out of netlens stats', async () => {
    const capture = withoutTimes('http.pcap', () => false);
    const lines = await printedBy(capture, {}, (options, sink) => new StatsReport({ ...options, top: 3 }, sink));
    expect(lines.filter((line) => /^Rates|^ +time|1970|\/s\b/.test(line))).toEqual([]);
    expect(lines.find((line) => line.includes('frames '))).toMatch(/^ +frames +80$/);
  });

  it('leave times and durations out of netlens tcp: the table, its records, and ladders', async () => {
    const printed = async (capture: string, options: Partial<TcpOptions>) =>
      (await written((sink) => listConversations([capture], { sort: 'number', color: 'never', ...options }, sink))).trimEnd().split('\n');
    for (const name of ['http', 'unanswered', 'reorder', 'zero-window']) {
      const capture = withoutTimes(`${name}.pcap`, () => false);
      const shown = [...(await printed(capture, {})), ...(await printed(capture, { stream: 0, all: true }))].join('\n');
      expect(shown).not.toMatch(/\d [µnm]?s\b|0\.00| (after|over|waited) 0|established in|handshake 0|0\/0/);
      const [record] = (await printed(capture, { json: true })).map((line) => JSON.parse(line) as Record<string, unknown>);
      for (const key of ['start', 'duration', 'handshake', 'handshake_server']) expect(record).not.toHaveProperty(key);
      for (const key of ['rtt', 'goodput', 'zero_window_time']) expect(record!['client']).not.toHaveProperty(key);
      expect(JSON.stringify(record)).not.toMatch(/\d [µnm]?s\b| (after|in|over) 0/);
    }
    // One frame with a time is enough for the others' to be told from it.
    const [, row] = await printed(
      withoutTimes('http.pcap', (number) => number < 20),
      {},
    );
    expect(row).toMatch(/ 0\.000 .* µs/);
  });

  it('leave durations out of the lines of TCP', async () => {
    const infos: string[] = [];
    for (const name of ['http', 'unanswered', 'reorder'])
      for await (const frame of open(withoutTimes(`${name}.pcap`, () => false))) infos.push(frame.info);
    expect(infos.filter((info) => /^(retransmission of #\d+ \(|out of order|\[SYN\]|\[ACK\])/.test(info)).length).toBeGreaterThan(10);
    expect(infos.filter((info) => /after 0|handshake 0|by 0/.test(info))).toEqual([]);
  });

  it('leave the times of the others', async () => {
    const whole = await listed(fixture('dns.pcap'), KINDS[0]![1]);
    // The third question and its answer.
    const lines = await listed(
      withoutTimes('dns.pcap', (number) => number !== 5 && number !== 6),
      KINDS[0]![1],
    );
    expect(lines.length).toBe(whole.length);
    expect(lines.filter((line, i) => line !== whole[i])).toEqual([
      expect.stringMatching(/^ {10}10\.99\.2\.1 .* MX {4}example\.test .* {3}authoritative$/),
    ]);
  });
});
