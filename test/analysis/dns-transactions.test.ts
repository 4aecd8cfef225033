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
        opcode: undefined,
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
        transferred: undefined,
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

  it('takes the messages of a zone transfer for one answer, until its SOA record comes again', () => {
    const soa = (serial: number) => data(6, `00 00 0000${word(serial)} 00000e10 00000258 00015180 0000003c`);
    const host = data(1, 'c0000207', '0178 c00c');
    const first = answer(3, 'x', { flags: 0x8400, type: 252, records: [soa(9), host, host] });
    // The question need not be said again (RFC 5936 section 2.2).
    const middle = `0003 8400 0000 0002 0000 0000 ${[host, host].join('').replaceAll('c00c', '0178 00')}`;
    const last = `0003 8400 0000 0002 0000 0000 ${host.replaceAll('c00c', '0178 00')}${soa(9).replace('c00c', '0178 00')}`;
    let sequence = 1;
    const reply = (message: string) => {
      const octets = segment(message, REPLY, sequence);
      sequence += hex(message).length + 2;
      return octets;
    };
    const { told, counts } = transactionsOf([
      [0, segment(question(3, 'x', 252), ASK, 1)],
      [1, reply(first)],
      [2, reply(middle)],
      [3, reply(last)],
      [4, segment(question(4, 'x', 251), ASK, 1 + hex(question(3, 'x', 252)).length + 2)],
      [5, reply(answer(4, 'x', { type: 251, records: [soa(9)] }))],
    ]);
    expect(told).toMatchObject([
      { question: { type: 'AXFR' }, outcome: 'answered', transferred: 7, latency: 3e9, answer_frames: [2, 3, 4] },
      { question: { type: 'IXFR' }, outcome: 'answered', transferred: 1, latency: 1e9 },
    ]);
    expect(told[0]!.answers).toHaveLength(7);
    expect(counts).toMatchObject({ answered: 2, repeated: 0, unasked: 0 });
  });

  it('says what is no question, and what records hold', () => {
    const record = (type: number, octets: string) => answer(2, 'x', { type, records: [data(type, octets)] });
    const records: readonly (readonly [type: number, octets: string, text: string])[] = [
      [
        65,
        '0001 00 0001 0006 02 6832 02 6833 0003 0002 20fb 0004 0004 c0000207 0005 0002 abcd',
        '1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.7 ech',
      ],
      [65, '0001 00 0003 0009 20fb', '1 .'],
      [52, '03 01 01 aabbcc', '3 1 1 aabbcc'],
      [44, '04 02 0102', '4 2 0102'],
      [43, '1234 0d 02 ffee', '4660 13 2 ffee'],
      [256, '000a 0001 68747470', '10 1 "http"'],
      [35, '0064 000a 01 75 03 737570 00 00', '100 10 "u" "sup" "" .'],
    ];
    for (const [type, octets, text] of records) {
      const { told } = transactionsOf([
        [0, over(question(2, 'x', type), ASK)],
        [1, over(record(type, octets), REPLY)],
      ]);
      expect(told[0]!.answers[0]!.data).toBe(text);
    }
    const update = `0005 2800 0001 0000 0000 0000 ${labels('x')} 0006 0001`;
    const { told } = transactionsOf([
      [0, over(update, ASK)],
      [1, over(update.replace('2800', 'a805'), REPLY)],
    ]);
    expect(told).toMatchObject([{ opcode: 'UPDATE', rcode: 'REFUSED', question: { name: 'x', type: 'SOA' } }]);
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

  it('pairs the answer of whoever knows with a multicast question of one who asks once', () => {
    // RFC 6762 section 6.7: from a port of its own, answered to that port.
    const group = { from: 1, to: 251, srcPort: 40000, dstPort: 5353 };
    const { told, counts } = transactionsOf([
      [0, over(question(6, 'box.local'), group)],
      [0.25, over(answer(6, 'box.local'), { from: 9, to: 1, srcPort: 5353, dstPort: 40000 })],
    ]);
    expect(told).toMatchObject([{ transport: 'mdns', client: '192.0.2.1', server: '192.0.2.9', outcome: 'answered', latency: 0.25e9 }]);
    expect(counts.unasked).toBe(0);
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
