import { describe, expect, it } from 'vitest';
import { DhcpKind } from '../../src/cli/dhcp.js';
import { PingKind } from '../../src/cli/ping.js';
import { StatsReport } from '../../src/cli/stats.js';
import { TlsKind } from '../../src/cli/tls.js';
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

describe('netlens tls', () => {
  const connections = (options = {}) => listed(fixture('tls.pcap'), () => new TlsKind(), options);

  it('lists connections with their versions, ciphers and ends', async () => {
    const lines = words(await connections());
    expect(lines[0]).toBe('time | client | server | name | version | protocol | result | took | cipher');
    expect(lines).toContain('0.207510 | 10.99.2.1:44484 | 10.99.2.2 | tls.example.test | (http/1.1) | server: Protocol Version');
    expect(lines).toContain(
      '5.835037 | 10.99.2.1:58546 | 10.99.2.2:4443 | tls.example.test | TLSv1.3 | ok | 560 µs | AES_256_GCM_SHA384 | resumed',
    );
    expect(lines[lines.length - 1]).toMatch(/^9 connections: 8 ok, 1 refused by an alert/);
  });

  it('chooses', async () => {
    expect(await connections({ errors: true })).toHaveLength(3);
    // The one that was refused took for ever.
    expect(words(await connections({ slow: 0.003, sort: 'took' })).slice(1, -1)).toEqual([
      expect.stringContaining('server: Protocol Version'),
      expect.stringContaining('3.54 ms'),
    ]);
    expect(await connections({ displayFilter: 'tls.resumed || frame.number == 1' })).toHaveLength(2);
  });

  it('sums up by server name, versions and cipher suites', async () => {
    const lines = words(await connections({ stats: true }));
    expect(lines[1]).toMatch(/^name \| tls\.example\.test \| 9 \| 1 \| 1 \| /);
    expect(lines).toContainEqual(expect.stringMatching(/^version \| TLSv1\.2 \| 4 \| 0 \| /));
    expect(lines).toContainEqual(expect.stringMatching(/^cipher \| CHACHA20_POLY1305_SHA256 \| 1 \| 0 \| /));
  });

  it('writes JSON with fingerprints and the certificate', async () => {
    const records = await recorded(fixture('tls.pcap'), () => new TlsKind());
    expect(records[2]).toMatchObject({
      type: 'tls',
      carrier: 'tcp',
      server_name: 'tls.example.test',
      version: 'TLSv1.2',
      alpn: 'http/1.1',
      outcome: 'ok',
      resumed: false,
      ja4: expect.stringMatching(/^t12d/),
      certificate: { names: expect.arrayContaining(['tls.example.test']) },
    });
    expect(records[records.length - 1]).toMatchObject({ type: 'tls_coverage', connections: 9, ok: 8, alert: 1 });
  });
});
