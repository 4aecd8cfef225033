import { describe, expect, it } from 'vitest';
import { type DnsTransaction, DnsTransactions } from '../../src/analysis/dns-transactions.js';
import { createSession } from '../../src/frames.js';
import { dissect, hex } from '../packets.js';
import { ASK, answer, datagram, type Endpoints, labels, question, REPLY } from './dns-messages.js';

const word = (n: number) => n.toString(16).padStart(4, '0');
const data = (type: number, octets: string, owner = 'c00c') => `${owner} ${word(type)} 0001 0000003c ${word(hex(octets).length)} ${octets}`;

type Line = readonly [seconds: number, octets: Uint8Array];

function transactionsOf(lines: readonly Line[], most = 100): { told: DnsTransaction[]; counts: DnsTransactions['counts'] } {
  const told: DnsTransaction[] = [];
  const transactions = new DnsTransactions((transaction) => told.push(transaction), { most, mostDone: 100, patience: 30, tcpPatience: 10 });
  const session = createSession({ dnsTransactions: transactions });
  for (const [time, octets] of lines) {
    const seconds = Math.floor(time);
    dissect(octets, { session, seconds, nanoseconds: Math.round((time - seconds) * 1e9) });
  }
  session.hooks.end?.();
  return { told, counts: transactions.counts };
}

/** A TCP segment from 40000 to 53 or back with whole messages in it. */
function segment(message: string, { from, to, srcPort, dstPort }: Endpoints, sequence: number): Uint8Array {
  const octets = hex(message);
  const payload = octets.length ? `${word(octets.length)} ${message}` : '';
  const tcp = `${word(srcPort)} ${word(dstPort)} ${sequence.toString(16).padStart(8, '0')} 00000001 5018 ffff 0000 0000`;
  const length = word(40 + hex(payload).length);
  return hex(
    `020000000002 020000000001 0800 | 45 00 ${length} 0001 0000 40 06 0000 c00002${from.toString(16).padStart(2, '0')} c00002${to.toString(16).padStart(2, '0')} | ${tcp} | ${payload}`,
  );
}

const over = (message: string, endpoints: Endpoints) => datagram(message, endpoints);

describe('dns transactions', () => {
  it('tells a question with its answer, and follows aliases to the addresses', () => {
    const records = [
      data(5, `03636472 c012`),
      data(1, 'c0000207', `03636472 c012`),
      data(1, 'c0000208', `03636472 c012`),
      data(1, 'c6336401', '0178 00'),
    ];
    const { told, counts } = transactionsOf([
      [10, over(question(7, 'www.a.test'), ASK)],
      [10.0121, over(answer(7, 'www.a.test', { records }), REPLY)],
    ]);
    expect(told).toEqual([
      {
        seconds: 10,
        nanoseconds: 0,
        transport: 'udp',
        client: '192.0.2.1',
        client_port: 40000,
        server: '192.0.2.53',
        server_port: 53,
        id: 7,
        question: { name: 'www.a.test', type: 'A', class: 'IN' },
        outcome: 'answered',
        error: undefined,
        rcode: 'NOERROR',
        answers: [
          { name: 'www.a.test', type: 'CNAME', ttl: 60, data: 'cdr.test' },
          { name: 'cdr.test', type: 'A', ttl: 60, data: '192.0.2.7' },
          { name: 'cdr.test', type: 'A', ttl: 60, data: '192.0.2.8' },
          { name: 'x', type: 'A', ttl: 60, data: '198.51.100.1' },
        ],
        aliases: ['cdr.test'],
        addresses: ['192.0.2.7', '192.0.2.8'],
        zone: undefined,
        recursion_desired: true,
        recursion_available: true,
        authoritative: false,
        truncated: false,
        latency: 12_100_000,
        asked_for: 0,
        question_frames: [1],
        answer_frames: [2],
        retries: 0,
      },
    ]);
    expect(counts).toMatchObject({ messages: 2, answered: 1, unanswered: 0 });
  });

  it('counts a question asked again as one, and gives it up after a while', () => {
    const { told } = transactionsOf([
      [0, over(question(1, 'b', 28), ASK)],
      [5, over(question(1, 'b', 28), ASK)],
      [10, over(question(1, 'b', 28), ASK)],
      [41, over(question(2, 'c'), ASK)],
    ]);
    expect(told).toMatchObject([
      { outcome: 'unanswered', question: { name: 'b', type: 'AAAA' }, retries: 2, asked_for: 10e9, question_frames: [1, 2, 3] },
      { outcome: 'unanswered', question: { name: 'c' }, retries: 0 },
    ]);
  });

  it('takes the latency from the first asking', () => {
    const { told } = transactionsOf([
      [0, over(question(1), ASK)],
      [5, over(question(1), ASK)],
      [5.5, over(answer(1), REPLY)],
    ]);
    expect(told).toMatchObject([{ outcome: 'answered', latency: 5.5e9, retries: 1, question_frames: [1, 2], answer_frames: [3] }]);
  });

  it('knows why there is no address', () => {
    const soa = `${labels('test')} 0006 0001 0000003c 0016 00 00 ${'00000001'.repeat(5)}`;
    const extended = '00 0029 04d0 01 00 0000 0000';
    const { told } = transactionsOf([
      [0, over(question(1, 'no.test'), ASK)],
      [1, over(answer(1, 'no.test', { flags: 0x8583, records: [], authorities: [soa] }), REPLY)],
      [2, over(question(2, 'bad.test'), ASK)],
      [3, over(`0002 8180 0001 0000 0000 0001 ${labels('bad.test')} 0001 0001 ${extended}`, REPLY)],
    ]);
    expect(told).toMatchObject([{ rcode: 'NXDOMAIN', zone: 'test', authoritative: true, addresses: [] }, { rcode: 'BADVERS' }]);
  });

  it('joins a truncated answer with the question over TCP', () => {
    const { told, counts } = transactionsOf([
      [0, over(question(1, 'big'), ASK)],
      [0.25, over(answer(1, 'big', { flags: 0x8380, records: [] }), REPLY)],
      [0.5, segment(question(9, 'big'), { ...ASK, srcPort: 41000 }, 1)],
      [1, segment(answer(9, 'big'), { ...REPLY, dstPort: 41000 }, 1)],
    ]);
    expect(told).toMatchObject([
      { transport: 'tcp', truncated: true, latency: 1e9, question_frames: [1, 3], answer_frames: [2, 4], addresses: ['1.2.3.4'] },
    ]);
    expect(counts.answered).toBe(1);
  });

  it('tells a truncated answer alone when TCP never follows', () => {
    const { told } = transactionsOf([
      [0, over(question(1, 'big'), ASK)],
      [0.25, over(answer(1, 'big', { flags: 0x8380, records: [] }), REPLY)],
      [20, over(question(2, 'later'), ASK)],
    ]);
    expect(told[0]).toMatchObject({ transport: 'udp', truncated: true, latency: 0.25e9, outcome: 'answered' });
  });

  it('tells answers that nobody asked for, and counts those that come again', () => {
    const { told, counts } = transactionsOf([
      [0, over(answer(5), REPLY)],
      [1, over(question(6), ASK)],
      [2, over(answer(6), REPLY)],
      [3, over(answer(6), REPLY)],
      [4, over(question(8, 'a'), ASK)],
      [5, over(answer(8, 'z'), REPLY)],
    ]);
    expect(told.map(({ outcome, question }) => `${outcome} ${question?.name}`)).toEqual([
      'unasked a',
      'answered a',
      'unasked z',
      'unanswered a',
    ]);
    expect(counts).toMatchObject({ unasked: 2, repeated: 1 });
  });

  it('lets anybody answer a multicast question', () => {
    const multicast = { from: 1, to: 251, srcPort: 5353, dstPort: 5353 };
    const { told, counts } = transactionsOf([
      [0, over(`0000 0000 0002 0000 0000 0000 ${labels('h.local')} 0001 8001 ${labels('i.local')} 001c 0001`, multicast)],
      [0.5, over(`0000 8400 0000 0001 0000 0000 ${data(1, 'c0000209', labels('H.local'))}`, { ...multicast, from: 9 })],
      [1, over(`0000 8400 0000 0001 0000 0000 ${data(1, 'c000020a', labels('new.local'))}`, { ...multicast, from: 10 })],
    ]);
    expect(told).toMatchObject([
      { transport: 'mdns', client: '192.0.2.1', server: '192.0.2.9', question: { name: 'h.local', class: 'IN' }, addresses: ['192.0.2.9'] },
      { outcome: 'unanswered', question: { name: 'i.local', type: 'AAAA' } },
    ]);
    expect(counts.announced).toBe(1);
  });

  it('finds who answered over LLMNR', () => {
    const { told } = transactionsOf([
      [0, over(question(3, 'h'), { from: 1, to: 252, srcPort: 50000, dstPort: 5355 })],
      [0.5, over(answer(3, 'h'), { from: 9, to: 1, srcPort: 5355, dstPort: 50000 })],
    ]);
    expect(told).toMatchObject([{ transport: 'llmnr', client: '192.0.2.1', server: '192.0.2.9', outcome: 'answered', latency: 0.5e9 }]);
  });

  it('knows of an ICMP error that the question met', () => {
    const sent = over(question(4), ASK);
    const quote = Buffer.from(sent.subarray(14)).toString('hex');
    const length = word(28 + sent.length - 14);
    const error = hex(
      `020000000001 020000000002 0800 | 45 00 ${length} 0001 0000 40 01 0000 c0000235 c0000201 | 0303 0000 00000000 ${quote}`,
    );
    const { told, counts } = transactionsOf([
      [0, sent],
      [0.1, error],
    ]);
    expect(told).toMatchObject([{ outcome: 'unanswered', error: 'Destination unreachable (Port unreachable)' }]);
    expect(counts.messages).toBe(1);
  });

  it('gives up the oldest when there are too many', () => {
    const { told, counts } = transactionsOf(
      Array.from({ length: 50 }, (_, i) => [0, over(question(i, 'q'), ASK)] as const),
      10,
    );
    expect(counts).toMatchObject({ evicted: 40, unanswered: 50 });
    expect(told.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });
});
