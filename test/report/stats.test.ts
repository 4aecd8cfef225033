import { describe, expect, it } from 'vitest';
import { createSession } from '../../src/frames.js';
import { bar, Rates, sparkline } from '../../src/report/rates.js';
import { CaptureStatistics } from '../../src/report/stats.js';
import { TopTable } from '../../src/report/top-table.js';
import { dissect, hex, IPV4, icmpMessage, udpMessage } from '../packets.js';

const datagram = udpMessage(40000, 9, hex('00'.repeat(100)));

describe('statistics of a capture', () => {
  it('counts protocols, endpoints, conversations, lengths, and what is missing', () => {
    const session = createSession();
    const statistics = new CaptureStatistics();
    const see = (octets: Uint8Array, seconds: number, wireLength = octets.length) =>
      dissect(octets, { session, linkType: IPV4, seconds, wireLength });
    statistics.add(see(datagram, 0));
    statistics.add(see(udpMessage(9, 40000, hex('01'), true), 1));
    statistics.add(see(icmpMessage(`0303 0000 00000000 ${Buffer.from(datagram).toString('hex')}`, true), 2));
    statistics.add(see(datagram.slice(0, 60), 3, 128));
    statistics.skip(see(datagram, 4));
    const records = [...statistics.records(10, 7)] as Record<string, unknown>[];
    const of = (type: string, layer?: string) => records.filter((r) => r.type === type && (layer === undefined || r.layer === layer));
    expect(of('stats')).toMatchObject([{ frames: 4, octets: 128 + 29 + 156 + 128, duration: 3 }]);
    expect(of('stats_protocol').map((r) => `${r.path} ${r.frames}`)).toEqual(['ip 4', 'ip:udp 3', 'ip:udp:data 3', 'ip:icmp 1']);
    expect(of('stats_conversation', 'udp')).toMatchObject([
      { a: '192.0.2.1:40000', b: '192.0.2.2:9', frames: 3, octets_from_a: 256, octets_from_b: 29, start: 0, duration: 3 },
    ]);
    expect(of('stats_endpoint', 'ip')).toMatchObject([
      { endpoint: '192.0.2.1', frames_sent: 2, frames_received: 2 },
      { endpoint: '192.0.2.2', frames_sent: 2, frames_received: 2 },
    ]);
    expect(of('stats_size').map((r) => r.frames)).toEqual([1, 0, 3, 0, 0, 0, 0]);
    expect(of('stats_coverage')).toEqual([
      { type: 'stats_coverage', seen: 5, cut_short: 1, malformed: 0, left_out: 1, dropped_by_kernel: 7 },
    ]);
    expect(statistics.coverageText(undefined)).toBe(
      '5 frames seen · 1 left out by the filter · 1 cut short · 0 malformed · drops by the kernel not recorded',
    );
    const widest = [...statistics.sections(10, true)].flatMap((s) =>
      s.rows.map((r) => r.map((c) => (typeof c === 'string' ? c : c.text)).join('  ').length),
    );
    expect(Math.max(...widest)).toBeLessThanOrEqual(78);
  });

  it('holds a bounded number of things, and says what it folded', () => {
    const table = new TopTable<{ frames: number; octets: number }>(100);
    for (let i = 0; i < 1000; i++) {
      const thing = table.get(String(i % 7 === 0 ? 0 : i), () => ({ frames: 0, octets: 0 }));
      thing.frames++;
      thing.octets += i;
    }
    expect(table.top(1000).length).toBeLessThanOrEqual(100);
    const kept = table.top(1000).reduce((sum, thing) => sum + thing.frames, 0);
    expect(kept + table.folded.frames).toBe(1000);
    expect(table.top(1)[0]!.frames).toBe(143);
  });

  it('keeps rates in a fixed number of steps, whatever time they span', () => {
    const rates = new Rates();
    for (let day = 0; day < 1000; day++) rates.add(day * 86_400e9, 10);
    const { steps, width } = rates.over(50);
    expect(steps.length).toBeLessThanOrEqual(50);
    expect(steps.length * width).toBeGreaterThan(999 * 86_400e9);
    expect(steps.reduce((sum, step) => sum + step.frames, 0)).toBe(1000);
  });

  it('draws', () => {
    expect(sparkline([0, 1, 4, 8])).toBe(' ▂▅█');
    expect(sparkline([0, 1, 4, 8], false)).toBe(' .=#');
    expect([bar(0, 8), bar(0.001, 8), bar(0.5, 8), bar(1, 8)]).toEqual(['', '▏', '████', '████████']);
  });
});
