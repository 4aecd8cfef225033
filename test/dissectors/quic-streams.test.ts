import { expect, test } from 'vitest';
import { type DnsTransaction, DnsTransactions } from '../../src/analysis/dns-transactions.js';
import type { Frame } from '../../src/core/frame.js';
import { Dns } from '../../src/dissectors/dns.js';
import { DnsOverQuic } from '../../src/dissectors/quic-doq.js';
import { Held, QuicStreams } from '../../src/dissectors/quic-streams.js';
import { createSession } from '../../src/frames.js';
import { dissect, hex, IPV4, udpMessage, values } from '../packets.js';

/** A frame for what reads streams; it stands in no capture. */
const frameOf = (session = createSession()): Frame => dissect(udpMessage(1, 2, hex('00')), { session, linkType: IPV4 });

/** What comes of pieces, each its offset and its octets, the last octet of all being at `end`. */
function read(end: number, ...pieces: (readonly [offset: number, length: number])[]) {
  const said: (number | string)[] = [];
  const held = new Held();
  const streams = new QuicStreams(held);
  const reader = {
    read: (_: Frame, octets: Uint8Array, final: boolean) =>
      void said.push(...(octets.length > 9 ? [`${octets.length} octets`] : octets), ...(final ? ['end'] : [])),
    hole: (length: number) => void said.push(`hole ${length}`),
    reset: (_: Frame, error: number) => void said.push(`reset ${error}`),
  };
  const application = { readers: () => [reader, reader] as const };
  const frame = frameOf();
  const again = pieces.map(([offset, length]) => {
    const octets = Uint8Array.from({ length }, (_, i) => offset + i);
    return streams.add(frame, 4, false, offset, octets, offset + length === end, application);
  });
  return { said, again, held, streams, frame, application };
}

test('octets in order, whatever order they come in, each once, and the end', () => {
  const all = [0, 1, 2, 3, 4, 5, 'end'];
  expect(read(6, [0, 6]).said).toEqual(all);
  expect(read(6, [0, 2], [2, 4]).said).toEqual(all);
  expect(read(6, [4, 2], [0, 2], [2, 2]).said).toEqual(all);
  expect(read(6, [1, 3], [3, 3], [0, 4]).said).toEqual(all);
  expect(read(6, [0, 6], [6, 0]).said).toEqual(all);
  expect(read(-1, [0, 4], [0, 4], [2, 1]).again).toEqual([false, true, true]);
});

test('what waits is bounded, and what is missing is a hole', () => {
  const { said, streams, frame, application, held } = read(-1, [0, 1]);
  const large = new Uint8Array(1 << 20);
  for (let i = 0; i < 6; i++) streams.add(frame, 4, false, 10 + i * large.length, large, false, application);
  expect(said).toEqual([0, 'hole 9', ...new Array(6).fill(`${large.length} octets`)]);
  expect(held.octets).toBe(0);
  for (let i = 0; i < 100_000; i++) streams.add(frame, 8, false, 10 + 2 * i, large.subarray(0, 1), false, application);
  expect(held.octets).toBeLessThan(5000);
  streams.close();
  expect(held.octets).toBe(0);
});

test('a stream that was forgotten does not begin again', () => {
  const { said, streams, frame, application } = read(-1, [0, 1]);
  for (let i = 2; i < 2000; i++) streams.add(frame, 4 * i, false, 0, Uint8Array.of(9), false, application);
  said.length = 0;
  streams.add(frame, 4, false, 0, Uint8Array.of(7), false, application);
  expect(said).toEqual([]);
  streams.reset(frame, 8000, true, 5, application);
  expect(said).toEqual(['reset 5']);
});

/** A question for the A record of a.test, and its answer: the id is 0. */
const QUESTION = '0000 0100 0001 0000 0000 0000 01 61 04 74657374 00 0001 0001';
const ANSWER = '0000 8180 0001 0001 0000 0000 01 61 04 74657374 00 0001 0001 c00c 0001 0001 0000003c 0004 c0000207';

test('DNS over QUIC: a stream says which answer belongs to which question', () => {
  const done: DnsTransaction[] = [];
  const transactions = new DnsTransactions((transaction) => done.push(transaction));
  const session = createSession({ dnsTransactions: transactions });
  const doq = new DnsOverQuic(3, true);
  const streams = new QuicStreams(new Held());
  const send = (id: number, fromServer: boolean, offset: number, octets: string, fin = true): Frame => {
    const frame = frameOf(session);
    streams.add(frame, id, fromServer, offset, hex(octets), fin, doq);
    return frame;
  };
  const [first, second] = [send(0, false, 0, `0018 ${QUESTION}`), send(4, false, 0, `0018 ${QUESTION}`)];
  expect(first.get(Dns)?.queries[0]?.name).toBe('a.test');
  expect(values(second, 'dns.length')).toBe('24');
  // In pieces, and in the other order.
  expect(send(4, true, 0, `0028 ${ANSWER.slice(0, 20)}`, false).get(Dns)).toBeUndefined();
  const answers = [send(4, true, 10, ANSWER.slice(20)), send(0, true, 0, `0028 ${ANSWER}`)];
  expect(answers.map((frame) => values(frame, 'dns.response_to'))).toEqual([String(second.number), String(first.number)]);
  expect(done.map(({ transport, outcome, addresses }) => [transport, outcome, addresses])).toEqual([
    ['quic', 'answered', ['192.0.2.7']],
    ['quic', 'answered', ['192.0.2.7']],
  ]);
});

test('messages of the first drafts have no length; one that is cut off is shown as far as it goes', () => {
  const session = createSession();
  const read = (prefixed: boolean, octets: string): Frame => {
    const frame = frameOf(session);
    new QuicStreams(new Held()).add(frame, 0, false, 0, hex(octets), true, new DnsOverQuic(0, prefixed));
    return frame;
  };
  expect(read(false, QUESTION).get(Dns)?.queries[0]?.name).toBe('a.test');
  expect(read(true, `0030 ${QUESTION}`).get(Dns)?.id).toBe(0);
  expect(read(true, '00').layers.some((layer) => layer instanceof Dns)).toBe(true);
  expect(read(true, '0000 0000').get(Dns)).toBeUndefined();
});
