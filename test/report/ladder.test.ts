/** Conversations drawn as ladders. */
import { expect, test } from 'vitest';
import { recordOf } from '../../src/analysis/conversation-record.js';
import { directionOf } from '../../src/analysis/conversations.js';
import { Tcp } from '../../src/dissectors/tcp.js';
import { PLAIN } from '../../src/output/theme.js';
import { Ladder } from '../../src/report/ladder.js';
import { drawLadder } from '../../src/report/ladder-drawing.js';
import { textWidth } from '../../src/report/table.js';
import { HANDSHAKE, run } from '../analysis/run.js';
import { Talk } from '../reassembly/talk.js';

function ladder(lines: readonly string[], width = 120, unicode = true, all = false): string[] {
  const made = new Ladder(0, all);
  const frames = run(lines, (frame) => made.see(frame));
  const record = recordOf(directionOf(frames.at(-1)!.get(Tcp)!)!.conversation);
  return drawLadder(made, record, { width, theme: PLAIN, unicode });
}

const LOST = [
  ...HANDSHAKE,
  '20 > PA seq=1001 ack=5001 len=100',
  '230 > PA seq=1001 ack=5001 len=100',
  '650 > PA seq=1001 ack=5001 len=100',
  '660 < A seq=5001 ack=1101',
];

test('draws handshake, losses and what acknowledges what', () => {
  expect(ladder(LOST)).toMatchInlineSnapshot(`
    [
      " 192.0.2.1:40000 (client)                                             192.0.2.2:80 (server)",
      "             │                                                                  │",
      "#1  0.000000 │── SYN 0  mss 1460 sack scale 7  win 64240 ──────────────────────▶│  opens",
      "#2  0.009950 │◀────── SYN ACK 0  ack 1 (#1)  mss 1460 sack scale 8  win 65160 ──│  accepts",
      "#3  0.010000 │── ACK 1  ack 1 (#2)  win 64256 ─────────────────────────────────▶│  established in 10 ms",
      "#4  0.020000 │── PSH 1..101 (100)  ack 1  win 128000 ──────────────────✗        │  lost",
      "#5  0.230000 │╌╌ PSH 1..101 (100)  ack 1  win 128000 ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌✗        │  retransmission 1 of #4, waited 210 ms",
      "#6  0.650000 │╌╌ PSH 1..101 (100)  ack 1  win 128000 ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌▶│  retransmission 2 of #5, waited 420 ms",
      "#7  0.660000 │◀────────────────────────────── ACK 1  ack 101 (#4)  win 256000 ──│",
      "             │                                                                  │",
      "open at the end of the capture",
      "client 300 B in 5 segments · server 0 B in 2 segments · 660 ms · handshake 10 ms · 2 resent",
    ]
  `);
});

test.each([60, 80, 99, 100, 200])('fits %i columns, with ASCII signs alone where that is asked for', (width) => {
  for (const unicode of [true, false])
    for (const line of ladder(LOST, width, unicode)) {
      expect(textWidth(line)).toBeLessThanOrEqual(width);
      if (!unicode) expect(line.replaceAll('µ', 'u')).toMatch(/^[\x20-\x7e]*$/);
    }
});

test('a repeat that turns out to be in vain was no loss', () => {
  const drawn = ladder([
    ...HANDSHAKE,
    '20 > PA seq=1001 ack=5001 len=100',
    '230 > PA seq=1001 ack=5001 len=100',
    '231 < A seq=5001 ack=1101 opt=0101050a000003e90000044d',
  ]);
  expect(drawn.join('\n')).not.toContain('✗');
  expect(drawn.join('\n')).toContain('#5 was sent in vain');
});

test('folds long stretches of plain data, unless all is to be shown', () => {
  const bulk = [...HANDSHAKE];
  for (let i = 0; i < 400; i++)
    bulk.push(`${20 + i} < A seq=${5001 + i * 1000} ack=1001 len=1000`, `${20.5 + i} > A seq=1001 ack=${6001 + i * 1000}`);
  bulk.push('500 > FA seq=1001 ack=405001');
  const drawn = ladder(bulk);
  expect(drawn.length).toBeLessThan(25);
  expect(drawn.find((line) => line.includes('folded'))).toContain('793 segments folded, server 397 kB, 396 ms');
  expect(ladder(bulk, 120, true, true).length).toBeGreaterThan(800);
});

test('windows that change or stay shut keep nothing from being folded', () => {
  const shut = [...HANDSHAKE];
  for (let i = 0; i < 20; i++)
    shut.push(`${20 + i} < A seq=${5001 + i * 1000} ack=1001 len=1000`, `${20.5 + i} > A seq=1001 ack=6001 win=0`);
  for (let i = 1; i < 20; i++) shut.push(`${50 + i} > A seq=1001 ack=25001 win=${i}`);
  const said = ladder(shut).map((line) => line.replace(/^.*│ {2}/, ''));
  expect(said.filter((line) => /room|window update/.test(line))).toEqual([
    'no room left',
    ...Array(4).fill('still no room'),
    'room again, after 30.5 ms in all',
    ...Array(7).fill('window update'),
  ]);
  expect(ladder(shut, 80).filter((line) => line.includes('folded'))).toHaveLength(2);
});

test('numbers of data in a SYN are those of its octets', () => {
  const drawn = ladder(['0 > S seq=1000 len=40', '5 < SA seq=5000 ack=1041', '10 > A seq=1041 ack=5001']).join('\n');
  expect(drawn).toContain('SYN 1..41 (40)');
  expect(drawn).not.toContain('not seen');
});

test('of several messages in a segment the one that tells most is drawn, and how many there are', () => {
  const http2 = (type: number, payload: string) => `\0\0${String.fromCharCode(payload.length, type, 5, 0, 0, 0, type && 1)}${payload}`;
  const hello = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0';
  const drawn = (port: number, said: string, width: number) => {
    const talk = new Talk(port).open();
    const ladder = new Ladder(0, true);
    const frame = talk.client(0, said);
    ladder.see(frame);
    const record = recordOf(directionOf(frame.get(Tcp)!)!.conversation);
    return drawLadder(ladder, record, { width, theme: PLAIN, unicode: true })[2]!;
  };
  // :method GET, :scheme http, :path /
  expect(drawn(80, hello + http2(1, '\x82\x86\x84'), 120)).toContain('HTTP2 HEADERS[1]: GET / (+2 more)');
  const requests = 'GET /a/long/way HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n';
  expect(drawn(80, requests, 120)).toContain('HTTP GET /a/long/way HTTP/1.1 (+1 more)');
  expect(drawn(80, requests, 80)).toContain('HTTP GET /a/long/way HTT… (+1 more)');
  expect(drawn(502, '\0\x01\0\0\0\x06\x01\x03\0\0\0\x01', 120)).toContain('Query: Trans: 1');
});
