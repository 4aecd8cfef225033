import { describe, expect, it } from 'vitest';
import { type Ping, type PingEvent, Pings } from '../../src/analysis/pings.js';
import { createSession } from '../../src/frames.js';
import { PingTarget, pingRow } from '../../src/report/ping.js';
import { dissect, hex, IPV4, icmpMessage, ipv4, udpMessage } from '../packets.js';

const request = (sequence: number) => icmpMessage(`0800 0000 0007 000${sequence} 6162`);
const reply = (sequence: number) => icmpMessage(`0000 0000 0007 000${sequence} 6162`, true);
const quoting = (datagram: Uint8Array) => icmpMessage(`0301 0000 00000000 ${Buffer.from(datagram).toString('hex')}`, true);

/** Packets a second apart. */
function run(...packets: Uint8Array[]): { events: PingEvent[]; pings: Pings } {
  const events: PingEvent[] = [];
  const pings = new Pings((event) => events.push(event));
  const session = createSession();
  for (const [i, packet] of packets.entries()) pings.see(dissect(packet, { session, linkType: IPV4, seconds: i, nanoseconds: 500 }));
  pings.finish();
  return { events, pings };
}

const texts = (events: PingEvent[]) =>
  events.map((event) =>
    pingRow(event, [0, 0])
      .map((cell) => (typeof cell === 'string' ? cell : cell.text))
      .slice(1)
      .join(' | '),
  );

describe('pings', () => {
  it('says of each request what came of it', () => {
    const { events, pings } = run(request(1), reply(1), request(2), quoting(request(2)), request(3), reply(9));
    expect(texts(events)).toEqual([
      '192.0.2.1 | 192.0.2.2 | echo 1, 2 B | reply, ttl 64 | 1 s',
      '192.0.2.1 | 192.0.2.2 | echo 2, 2 B | Destination unreachable (Host unreachable) from 192.0.2.2 | 1 s',
      '192.0.2.1 | 192.0.2.2 | echo 3, 2 B | no answer | ',
    ]);
    expect(pings.counts).toEqual({ answered: 1, unanswered: 1, failed: 1, unasked: 1, complaints: 0 });
  });

  it('ties errors to the conversation that they are about', () => {
    const { events } = run(quoting(udpMessage(40000, 53, hex('00'))));
    expect(texts(events)).toEqual(['192.0.2.1:40000 | 192.0.2.2:53 | udp | Destination unreachable (Host unreachable) from 192.0.2.2 | ']);
  });

  it('names what is not dissected by its protocol number', () => {
    const { events } = run(quoting(ipv4(132, hex('00010203 04050607'))), quoting(ipv4(253, hex('00010203 04050607'))));
    expect(texts(events).map((text) => text.split(' | ')[2])).toEqual(['sctp', 'ip 253']);
  });

  it('does not count a request that sFlow sampled', () => {
    const echo = Buffer.from(request(1)).toString('hex');
    const word = (n: number) => n.toString(16).padStart(8, '0');
    const size = echo.length / 2;
    const record = `${word(1)}${word(16 + size)}${word(11)}${word(size)}${word(0)}${word(size)}${echo}`;
    const sample = `${word(1)}${word(32 + 24 + size)}${word(1).repeat(7)}${word(1)}${record}`;
    const sampled = udpMessage(40000, 6343, hex(`${word(5)}${word(1)}c0000201${word(0)}${word(1)}${word(0)}${word(1)}${sample}`));
    expect(dissect(sampled, { linkType: IPV4 }).protocols).toBe('ip:udp:sflow:ip:icmp:data');
    expect(run(sampled).events).toEqual([]);
  });

  it('gives up what waited for a minute, and what its number was used again for', () => {
    const { events, pings } = run(request(1), request(1), ...Array.from({ length: 61 }, (_, i) => reply(2 + (i % 7))));
    expect(events.map((event) => [event.frame, (event as Ping).outcome])).toEqual([
      [1, 'unanswered'],
      [2, 'unanswered'],
    ]);
    expect(pings.oldest).toBeUndefined();
  });

  it('sums a target up', () => {
    const target = new PingTarget('192.0.2.2');
    const [first] = run(request(1), reply(1)).events as [Ping];
    for (const latency of [1000, 3000, 2000]) target.add({ ...first, latency });
    target.add({ ...first, outcome: 'unanswered', latency: undefined });
    expect(target).toMatchObject({ count: 4, answered: 3, min: 1000, jitter: 1500 });
    expect(target.latencies.max).toBe(3000);
  });
});
