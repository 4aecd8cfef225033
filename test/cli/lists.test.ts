import { describe, expect, it } from 'vitest';
import { DhcpKind } from '../../src/cli/dhcp.js';
import { PingKind } from '../../src/cli/ping.js';
import { StatsReport } from '../../src/cli/stats.js';
import { fixture, listed, printedBy, recorded } from './printed.js';

const leases = (options = {}) => listed(fixture('dhcp.pcap'), () => new DhcpKind(), options);
const words = (lines: readonly string[]) => lines.map((line) => line.trim().replace(/ {2,}/g, ' | '));

describe('netlens dhcp', () => {
  it('tells the story of a station: lease, renewal, refusal, another lease, release', async () => {
    const lines = words(await leases());
    expect(lines.map((line) => line.replace(/^\d+\.\d+ \| /, '').replace(/ \| [\d.]+ (ms|µs)$/, ''))).toEqual([
      'time | client | server | messages | outcome | took',
      '02:00:00:00:02:01 station | 10.99.2.2 | discover offer request ack | 10.99.2.56 for 2 min 0 s',
      '02:00:00:00:02:01 station | 10.99.2.2 | request ack | 10.99.2.56 for 2 min 0 s',
      '02:00:00:00:02:01 station | 10.99.2.2 | request nak | refused 10.99.2.56: address not available',
      '02:00:00:00:02:01 station | 10.99.2.2 | discover offer request ack | 10.99.2.76 for 2 min 0 s',
      '02:00:00:00:02:01 | release | released 10.99.2.76',
      '5 transactions: 3 leased, 1 refused, 1 released · 13 messages · 0 frames cut short · drops by the kernel not recorded',
    ]);
  });

  it('chooses and sorts', async () => {
    const slowest = words(await leases({ sort: 'took' }));
    expect(slowest.slice(1, 4).map((line) => line.split(' | ').at(-2))).toEqual([
      'release',
      '10.99.2.76 for 2 min 0 s',
      '10.99.2.56 for 2 min 0 s',
    ]);
    const errors = await recorded(fixture('dhcp.pcap'), () => new DhcpKind(), { errors: true });
    expect(errors).toMatchObject([
      { type: 'dhcp_transaction', outcome: 'refused', reason: 'address not available', steps: [{ name: 'request' }, { name: 'nak' }] },
      { type: 'dhcp_coverage', leased: 3, refused: 1, messages: 13, dropped_by_kernel: null },
    ]);
    expect(await leases({ displayFilter: 'dhcp.option.dhcp == 7' })).toHaveLength(3);
  });
});

describe('netlens ping', () => {
  it('prints a line an echo, a line a target, and what it saw', async () => {
    expect(words(await listed(fixture('ping.pcap'), () => new PingKind()))).toEqual([
      'time | source | target | request | answer | took',
      '0.000022 | 10.99.2.1 | 10.99.2.2 | echo 1, 56 B | reply, ttl 64 | 57 µs',
      '0.212809 | 10.99.2.1 | 10.99.2.2 | echo 2, 56 B | reply, ttl 64 | 23 µs',
      '0.413298 | 10.99.2.1 | 10.99.2.2 | echo 3, 56 B | reply, ttl 64 | 22 µs',
      '',
      'target | sent | answered | errors | lost | min | median | max | jitter',
      '10.99.2.2 | 3 | 3 | 0 | 0 % | 22 µs | 23 µs | 57 µs | 17.5 µs',
      '3 requests: 3 answered, 0 failed, 0 unanswered · 0 frames cut short · drops by the kernel not recorded',
    ]);
  });

  it('ties ICMP errors to what they are about', async () => {
    const records = await recorded(fixture('traceroute.pcap'), () => new PingKind());
    expect(records[0]).toMatchObject({
      type: 'icmp_error',
      from: '10.99.0.254',
      protocol: 'udp',
      source: '10.99.0.1',
      target: '10.99.1.2',
      target_port: 33434,
      community_id: expect.stringMatching(/^1:/) as string,
    });
  });
});

describe('netlens stats', () => {
  it('fits into 80 columns and says what was seen', async () => {
    const lines = await printedBy(fixture('redis.pcap'), {}, (options, sink) => new StatsReport({ ...options, top: 3 }, sink));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.filter((line) => /^\w/.test(line))).toEqual([
      'Capture',
      'Rates, a step 14 ms',
      'Protocols',
      'Frame lengths',
      'Ethernet endpoints',
      'Ethernet conversations',
      'IP endpoints',
      'IP conversations',
      'TCP endpoints, the 3 largest of 12',
      'TCP conversations, the 3 largest of 11',
      '114 frames seen · 0 cut short · 0 malformed · drops by the kernel not recorded',
    ]);
  });
});
