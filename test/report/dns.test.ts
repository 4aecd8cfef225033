import { describe, expect, it } from 'vitest';
import type { DnsTransaction } from '../../src/analysis/dns-transactions.js';
import { coverageText, DnsStatistics, dnsRow, isDnsError, statisticsRow } from '../../src/report/dns.js';
import { ASCII_SIGNS } from '../../src/report/signs.js';

const BASE: DnsTransaction = {
  seconds: 10,
  nanoseconds: 500000000,
  transport: 'udp',
  client: '192.0.2.1',
  client_port: 40000,
  server: '192.0.2.53',
  server_port: 53,
  id: 1,
  opcode: undefined,
  question: { name: 'www.x.test', type: 'A', class: 'IN' },
  outcome: 'answered',
  error: undefined,
  rcode: 'NOERROR',
  answers: [],
  transferred: undefined,
  aliases: [],
  addresses: [],
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
};
const NOTHING = { outcome: 'unanswered', rcode: undefined, latency: undefined } as const;
const cells = (changes: Partial<DnsTransaction>, signs?: typeof ASCII_SIGNS) =>
  dnsRow({ ...BASE, ...changes }, [10, 0], signs).map((cell) => (typeof cell === 'string' ? cell : cell.text));

describe('dns rows', () => {
  it.each<[Partial<DnsTransaction>, string, string]>([
    [{ addresses: ['192.0.2.7', '192.0.2.8'], aliases: ['cdn.test'] }, 'CNAME cdn.test → 192.0.2.7, 192.0.2.8', 'recursive'],
    [{ addresses: ['192.0.2.7'], aliases: ['a', 'b', 'c', 'd'] }, 'CNAME a → … → d → 192.0.2.7', 'recursive'],
    [
      { addresses: Array.from({ length: 8 }, (_, i) => `192.0.2.${i}`) },
      '192.0.2.0, 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, 192.0.2.5, 2 more',
      'recursive',
    ],
    [{ rcode: 'NXDOMAIN', zone: 'x.test', authoritative: true }, 'NXDOMAIN (SOA x.test)', 'authoritative'],
    [{ zone: 'x.test' }, 'no such record (SOA x.test)', 'recursive'],
    [
      { answers: [{ name: 'x', type: 'MX', ttl: 1, data: '10 mx' }], question: { name: 'x', type: 'MX', class: 'IN' } },
      '10 mx',
      'recursive',
    ],
    [{ ...NOTHING, recursion_available: false, retries: 2, asked_for: 10e9 }, 'no answer, asked 3 times over 10 s', ''],
    [
      { ...NOTHING, recursion_available: false, error: 'Destination unreachable (Port unreachable)' },
      'no answer: Destination unreachable (Port unreachable)',
      '',
    ],
    [
      { transport: 'tcp', truncated: true, retries: 1, addresses: ['192.0.2.7'] },
      '192.0.2.7',
      'recursive, truncated, then TCP, asked 2 times',
    ],
    [
      { outcome: 'unasked', transport: 'llmnr', latency: undefined, recursion_available: false },
      'no such record',
      'question not captured, LLMNR',
    ],
    [{ question: { name: 'x', type: 'AXFR', class: 'IN' }, transferred: 6011, transport: 'tcp' }, '6011 records', 'recursive, TCP'],
    [{ question: { name: 'x', type: 'IXFR', class: 'IN' }, transferred: 1, transport: 'tcp' }, 'nothing new', 'recursive, TCP'],
    [{ opcode: 'UPDATE', recursion_available: false }, 'NOERROR', ''],
    // What comes from the wire never steers a terminal.
    [{ rcode: 'NXDOMAIN', zone: 'x\u001b[31m' }, 'NXDOMAIN (SOA x\\x1b[31m)', 'recursive'],
  ])('%o', (changes, answer, notes) => {
    const row = cells(changes);
    expect([row[4], row[6]]).toEqual([answer, notes]);
  });

  it('has time, both ends, the question and how long it took', () => {
    expect(cells({ server_port: 8053 })).toEqual([
      '0.500000',
      '192.0.2.1',
      '192.0.2.53:8053',
      'A     www.x.test',
      'no such record',
      '12.1 ms',
      'recursive',
    ]);
    expect(cells({ aliases: ['b'], latency: 12_000 }, ASCII_SIGNS).slice(4, 6)).toEqual(['CNAME b -> no such record', '12 us']);
  });
});

describe('dns statistics', () => {
  it('counts by name and type, whatever the case of letters', () => {
    const statistics = new DnsStatistics();
    for (let i = 1; i <= 100; i++)
      statistics.add({ ...BASE, latency: i * 1e6, question: { name: i % 2 ? 'A.test' : 'a.TEST', type: 'A', class: 'IN' } });
    statistics.add({ ...BASE, rcode: 'SERVFAIL', latency: 5e9, question: { name: 'b.test', type: 'AAAA', class: 'IN' } });
    statistics.add({ ...BASE, ...NOTHING, question: { name: 'b.test', type: 'AAAA', class: 'IN' } });
    const rows = statistics.sorted(false).map((g) => statisticsRow(g).map((cell) => (typeof cell === 'string' ? cell : cell.text)));
    expect(rows).toEqual([
      [
        'a.test',
        'A',
        '100',
        '0',
        '0',
        expect.stringMatching(/^(49|50)/),
        expect.stringMatching(/^(94|95)/),
        expect.stringMatching(/^(98|99)/),
        '100 ms',
      ],
      ['b.test', 'AAAA', '2', '1', '1', '5 s', '5 s', '5 s', '5 s'],
    ]);
    expect(statistics.sorted(true)[0]!.name).toBe('b.test');
    expect(statistics.total).toMatchObject({ count: 102, errors: 1, unanswered: 1 });
    statistics.add({ ...BASE, opcode: 'UPDATE', question: { name: 'b.test', type: 'SOA', class: 'IN' } });
    expect(statistics.sorted(false).map((g) => g.type)).toEqual(['A', 'AAAA', 'UPDATE']);
  });

  it('knows what an error is', () => {
    expect([BASE, { ...BASE, rcode: 'REFUSED' }, { ...BASE, ...NOTHING }].map(isDnsError)).toEqual([false, true, true]);
  });

  it('says what was seen', () => {
    const counts = { messages: 9, answered: 3, unanswered: 1, unasked: 2, repeated: 1, announced: 0, unreadable: 0, evicted: 0 };
    const losses = { holes: 2, missing: 4000, cut: 1, dropped: 7 };
    expect(coverageText(counts, losses)).toBe(
      '4 questions: 3 answered, 1 unanswered · 2 answers without a captured question · 1 answer sent again · 9 messages · ' +
        '2 holes in byte streams (4 kB not captured) · 1 frame cut short · 7 dropped by the kernel',
    );
    expect(coverageText(counts, { ...losses, holes: 0, cut: 0, dropped: undefined })).toMatch(
      / · no holes · 0 frames cut short · drops by the kernel not recorded$/,
    );
  });
});
