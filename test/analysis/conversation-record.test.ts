/** Conversations as a whole: who opened, how it ended, in which state each endpoint is left. */
import { expect, test } from 'vitest';
import { recordOf } from '../../src/analysis/conversation-record.js';
import { directionOf } from '../../src/analysis/conversations.js';
import { Tcp } from '../../src/dissectors/tcp.js';
import { HANDSHAKE, run } from './run.js';

const record = (lines: readonly string[]) => recordOf(directionOf(run(lines).at(-1)!.get(Tcp)!)!.conversation);

test.each<[string, readonly string[], string, string, string]>([
  ['running', HANDSHAKE, 'opened by client in 10 ms', 'open at the end of the capture', 'ESTABLISHED ESTABLISHED'],
  [
    'closed by the server',
    [...HANDSHAKE, '20 < FA seq=5001 ack=1001', '21 > FA seq=1001 ack=5002', '22 < A seq=5002 ack=1002'],
    'opened by client in 10 ms',
    'closed by server, TIME-WAIT at server',
    'CLOSED TIME-WAIT',
  ],
  [
    'both at once',
    [...HANDSHAKE, '20 > FA seq=1001 ack=5001', '20 < FA seq=5001 ack=1001', '21 > A seq=1002 ack=5002', '21 < A seq=5002 ack=1002'],
    'opened by client in 10 ms',
    'closed by both at once, TIME-WAIT at client and server',
    'TIME-WAIT TIME-WAIT',
  ],
  [
    'half closed',
    [...HANDSHAKE, '20 > FA seq=1001 ack=5001', '21 < A seq=5001 ack=1002', '22 < PA seq=5001 ack=1002 len=50'],
    'opened by client in 10 ms',
    'half closed by client',
    'FIN-WAIT-2 CLOSE-WAIT',
  ],
  [
    'the last ACK is missing',
    [...HANDSHAKE, '20 > FA seq=1001 ack=5001', '21 < FA seq=5001 ack=1002'],
    'opened by client in 10 ms',
    'closed by client, TIME-WAIT at client',
    'TIME-WAIT LAST-ACK',
  ],
  [
    'refused by somebody else, as what follows shows',
    [
      '0 > S seq=1000',
      '1 < R seq=0',
      '9 < SA seq=5000 ack=1001',
      '10 > A seq=1001 ack=5001',
      '20 > PA seq=1001 ack=5001 len=10',
      '21 < R seq=5001',
    ],
    'opened by client in 10 ms',
    'reset by server after data in #5',
    'CLOSED CLOSED',
  ],
  ['refused', ['0 > S seq=1000', '1 < RA seq=0 ack=1001'], 'refused', 'refused', 'CLOSED CLOSED'],
  [
    'never answered',
    [0, 1000, 3000, 7000].map((ms) => `${ms} > S seq=1000`),
    'never answered',
    'SYN unanswered, 4 tries over 7 s',
    'SYN-SENT LISTEN',
  ],
  [
    'reset by the server after data',
    [...HANDSHAKE, '20 > PA seq=1001 ack=5001 len=10', '21 < R seq=5001'],
    'opened by client in 10 ms',
    'reset by server after data in #4',
    'CLOSED CLOSED',
  ],
  [
    'both open',
    ['0 > S seq=1000', '1 < S seq=5000', '2 > SA seq=1000 ack=5001', '2 < SA seq=5000 ack=1001'],
    'opened by both at once',
    'open at the end of the capture',
    'ESTABLISHED SYN-RECEIVED',
  ],
  [
    'begun before',
    ['0 > PA seq=1001 ack=5001 len=10'],
    'begun before the capture',
    'open at the end of the capture',
    'ESTABLISHED ESTABLISHED',
  ],
  [
    'the path is gone',
    [...HANDSHAKE, ...[20, 250, 700, 1600].map((ms) => `${ms} > PA seq=1001 ack=5001 len=10`)],
    'opened by client in 10 ms',
    'lost: client unanswered through 3 timeouts',
    'ESTABLISHED ESTABLISHED',
  ],
])('%s', (_title, lines, opened, ended, states) => {
  const r = record(lines);
  expect([r.opened, r.ended, `${r.client.state} ${r.server.state}`]).toEqual([opened, ended, states]);
});

test('numbers: fresh octets, repeats, round trips, stalls', () => {
  const r = record([
    ...HANDSHAKE,
    '20 > PA seq=1001 ack=5001 win=502 len=100',
    '30 < A seq=5001 ack=1101 win=510',
    '40 > PA seq=1101 ack=5001 win=502 len=100',
    '300 > PA seq=1101 ack=5001 win=502 len=100',
    '320 < A seq=5001 ack=1201 win=0',
    '1010 < A seq=5001 ack=1201 win=510',
  ]);
  expect(r.client).toMatchObject({ segments: 5, octets: 300, fresh: 200, goodput: 198, retransmissions: 1, port: 40000 });
  // The repeated segment's ACK measures nothing (Karn).
  expect(r.client.rtt).toEqual({ minimum: 10e6, median: 10e6, maximum: 10e6, count: 1 });
  expect(r.server).toMatchObject({ zeroWindows: 1, stalled: 690e6, octets: 0 });
  expect(r).toMatchObject({ clientKnown: true, duration: 1010e6, handshake: 10e6, handshakeServer: 9.95e6, handshakeClient: 0.05e6 });
});

test('data in a SYN is data that was seen, on either side', () => {
  const client = record(['0 > S seq=1000 len=40', '5 < SA seq=5000 ack=1041', '10 > A seq=1041 ack=5001', '20 > FA seq=1041 ack=5001']);
  expect([client.client.missing, client.handshake, client.client.octets]).toEqual([0, 10e6, 40]);
  const server = record(['0 > S seq=1000', '5 < SA seq=5000 ack=1001 len=40', '10 > A seq=1001 ack=5041', '20 < FA seq=5041 ack=1001']);
  expect([server.server.missing, server.handshake]).toEqual([0, 10e6]);
});

test('who has the FIN of the other side needs no room', () => {
  const closed = record([...HANDSHAKE, '20 > FA seq=1001 ack=5001', '21 < FA seq=5001 ack=1002', '22 > A seq=1002 ack=5002 win=0']);
  expect(closed.client.zeroWindows).toBe(0);
});

test('an answer that was captured before its SYN does not make the handshake shorter than nothing', () => {
  const swapped = record(['0 < SA seq=5000 ack=1001', '1 > S seq=1000', '10 > A seq=1001 ack=5001']);
  expect([swapped.handshake, swapped.handshakeServer, swapped.simultaneousOpen]).toEqual([10e6, 0, false]);
});
