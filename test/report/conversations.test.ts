/** The table of conversations, its JSON, and the packed store behind it. */
import { expect, test } from 'vitest';
import { recordOf } from '../../src/analysis/conversation-record.js';
import { directionOf } from '../../src/analysis/conversations.js';
import { Tcp } from '../../src/dissectors/tcp.js';
import { PLAIN } from '../../src/output/theme.js';
import { communityId } from '../../src/report/community-id.js';
import { ConversationTable, Coverage, conversationJson, sortedPlaces, storyOf } from '../../src/report/conversations.js';
import { RecordStore } from '../../src/report/record-store.js';
import { HANDSHAKE, run } from '../analysis/run.js';

const record = (lines: readonly string[]) => recordOf(directionOf(run(lines).at(-1)!.get(Tcp)!)!.conversation);

const CLOSED = record([
  ...HANDSHAKE,
  '20 > PA seq=1001 ack=5001 len=100',
  '31 < A seq=5001 ack=1101',
  '240 < PA seq=5001 ack=1101 len=1000',
  '450 < PA seq=5001 ack=1101 len=1000',
  '450.5 > A seq=1101 ack=6001',
  '500 > FA seq=1101 ack=6001',
  '511 < FA seq=6001 ack=1102',
  '511.5 > A seq=1102 ack=6002',
]);
const UNANSWERED = record([0, 1000, 3000].map((ms) => `${ms} > S seq=1000`));
const REFUSED = record(['0 > S seq=1000', '1 < RA seq=0 ack=1001']);
const STALLED = record([
  ...HANDSHAKE,
  '20 < PA seq=5001 ack=1001 len=1000',
  '21 > A seq=1001 ack=6001 win=0',
  '1521 > A seq=1001 ack=6001 win=500',
]);
const MIDDLE = record(['0 > PA seq=1001 ack=5001 len=10', '1 < A seq=5001 ack=1011']);
const ALL = [CLOSED, UNANSWERED, REFUSED, STALLED, MIDDLE];

test.each([
  ['closed', CLOSED, 'closed by client, TIME-WAIT at client'],
  ['unanswered', UNANSWERED, 'SYN unanswered, 3 tries over 3 s'],
  ['refused', REFUSED, 'refused'],
  ['stalled', STALLED, 'stalled 1.5 s by client (zero window), open at the end of the capture'],
  ['begun before', MIDDLE, 'begun before the capture, open at the end of the capture'],
] as const)('tells how it went: %s', (_name, which, story) => {
  expect(storyOf(which)).toBe(story);
});

test('packs records and gives them back as they were, however many', () => {
  const store = new RecordStore();
  const many = Array.from({ length: 20_000 }, (_, i) => ({
    ...ALL[i % ALL.length]!,
    number: i,
    duration: i * 1e12 - 5,
    ended: `text ${i}`,
  }));
  for (const one of many) store.add(one);
  for (const [i, one] of many.entries()) {
    const { client, server, ...rest } = store.get(i);
    const { client: c, server: s, ...expected } = one;
    expect(rest).toEqual(expected);
    // Goodput follows from the duration, which was made up.
    expect({ ...client, goodput: 0 }).toEqual({ ...c, goodput: 0 });
    expect({ ...server, goodput: 0 }).toEqual({ ...s, goodput: 0 });
  }
});

const table = (width: number) => {
  const made = new ConversationTable({ width, theme: PLAIN, unicode: true, startSeconds: 1_600_000_000, startNanoseconds: 0 });
  for (const one of ALL) made.measure(one);
  return [made.head(), ...ALL.map((one) => made.row(one))];
};

test('shows every column where there is room', () => {
  expect(table(0)).toMatchInlineSnapshot(`
    [
      "#  client              server        start  lasted  handshake  rtt min/med/max   sent  pkts  received  pkts    goodput    resent  zero windows  how it went",
      "0  192.0.2.1:40000  →  192.0.2.2:80  0.000  512 ms      10 ms      11/11/11 ms  100 B     6      2 kB     5  1.96 kB/s  1 (20 %)             0  closed by client, TIME-WAIT at client",
      "0  192.0.2.1:40000  →  192.0.2.2:80  0.000     3 s          –                –    0 B     3       0 B     0          –  2 (67 %)             0  SYN unanswered, 3 tries over 3 s",
      "0  192.0.2.1:40000  →  192.0.2.2:80  0.000    1 ms          –                –    0 B     1       0 B     1          –         0             0  refused",
      "0  192.0.2.1:40000  →  192.0.2.2:80  0.000  1.52 s      10 ms         1/1/1 ms    0 B     4      1 kB     2    657 B/s         0             1  stalled 1.5 s by client (zero window), open at the end of the capture",
      "0  192.0.2.1:40000  –  192.0.2.2:80  0.000    1 ms          –         1/1/1 ms   10 B     1       0 B     1    10 kB/s         0             0  begun before the capture, open at the end of the capture",
    ]
  `);
});

test('leaves columns out in a narrow terminal, and no line is longer', () => {
  const lines = table(80);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  expect(lines).toMatchInlineSnapshot(`
    [
      "#  client              server        lasted  how it went",
      "0  192.0.2.1:40000  →  192.0.2.2:80  512 ms  closed by client",
      "0  192.0.2.1:40000  →  192.0.2.2:80     3 s  SYN unanswered, 3 tries over 3 s",
      "0  192.0.2.1:40000  →  192.0.2.2:80    1 ms  refused",
      "0  192.0.2.1:40000  →  192.0.2.2:80  1.52 s  stalled 1.5 s by client, still open",
      "0  192.0.2.1:40000  –  192.0.2.2:80    1 ms  begun before, still open",
    ]
  `);
});

test('cuts what went before rather than how it ended', () => {
  const long = record([
    ...HANDSHAKE,
    '20 < PA seq=5001 ack=1001 len=1000',
    '21 > A seq=1001 ack=6001 win=0',
    '1521 > A seq=1001 ack=6001 win=500',
    '1522 < FA seq=6001 ack=1001',
    '1523 > FA seq=1001 ack=6002',
    '1524 < A seq=6002 ack=1002',
  ]);
  const drawn = new ConversationTable({ width: 74, theme: PLAIN, unicode: true, startSeconds: 0, startNanoseconds: 0 });
  drawn.measure(long);
  drawn.head();
  expect(drawn.row(long)).toBe('0  192.0.2.1:40000  →  192.0.2.2:80  1.52 s  …, closed by server');
});

test('sorts: the most first, those alike by number', () => {
  const records = { length: ALL.length, get: (i: number) => ({ ...ALL[i]!, number: i }) };
  expect([...sortedPlaces(records, 'resent')]).toEqual([1, 0, 2, 3, 4]);
  expect([...sortedPlaces(records, 'bytes')]).toEqual([0, 3, 4, 1, 2]);
  expect([...sortedPlaces(records, 'number')]).toEqual([0, 1, 2, 3, 4]);
});

test('says what there was to see', () => {
  const coverage = new Coverage();
  for (const one of ALL) coverage.add(one);
  expect(coverage.text({ cut: 1, dropped: 0, unlisted: 0 })).toBe(
    '5 conversations, 24 segments · seen whole 2, begun before the capture 1, open at its end 2, never answered 1' +
      ' · 1 frame cut short · 0 dropped by the kernel',
  );
  expect(coverage.json({ cut: 1, dropped: undefined, unlisted: 2 })).toMatchObject({
    not_listed: 2,
    cut_short: 1,
    dropped_by_kernel: null,
  });
});

test('gives JSON records in snake case, times in seconds', () => {
  expect(conversationJson(CLOSED)).toMatchObject({
    type: 'tcp',
    stream: 0,
    community_id: communityId(6, '192.0.2.1', 40000, '192.0.2.2', 80),
    start: '1600000000.000000000',
    duration: 0.5115,
    handshake: 0.01,
    client: {
      address: '192.0.2.1',
      port: 40000,
      state: 'TIME-WAIT',
      packets: 6,
      bytes: 100,
      retransmissions: 0,
      rtt: { min: 0.011, max: 0.011 },
    },
    server: { bytes: 2000, unique_bytes: 1000, retransmissions: 1 },
    ended: 'closed by client, TIME-WAIT at client',
    closed_first: 'client',
    time_wait: 'client',
  });
  expect(Object.keys(conversationJson(REFUSED)).every((key) => /^[a-z_]+$/.test(key))).toBe(true);
});

// From the reference implementation's baseline for the default seed, https://github.com/corelight/community-id-spec.
test('names flows as others do', () => {
  expect(communityId(6, '128.232.110.120', 34855, '66.35.250.204', 80)).toBe('1:LQU9qZlK+B5F3KDmev6m5PMibrg=');
  expect(communityId(6, '66.35.250.204', 80, '128.232.110.120', 34855)).toBe('1:LQU9qZlK+B5F3KDmev6m5PMibrg=');
  expect(communityId(6, '', 80, '128.232.110.120', 34855)).toBeUndefined();
});
