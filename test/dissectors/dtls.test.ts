import { expect, test } from 'vitest';
import type { Frame } from '../../src/core/frame.js';
import { createSession } from '../../src/frames.js';
import { dissect, everyCut, everyLie, fieldsOf, hex, IPV4, udpMessage, values } from '../packets.js';

const word = (n: number, octets: number) => n.toString(16).padStart(2 * octets, '0');
/** The octets `[from, to)` of the body of a handshake message in a record of their own. */
const fragment = (type: number, sequence: number, body: string, from = 0, to = body.length / 2): Uint8Array => {
  const header = word(type, 1) + word(body.length / 2, 3) + word(sequence, 2) + word(from, 3) + word(to - from, 3);
  return hex(`16 feff 0000 000000000000 ${word(12 + to - from, 2)} ${header} ${body.slice(2 * from, 2 * to)}`);
};
const COOKIE = '000102030405060708090a0b0c0d0e0f10111213';
/** A Hello Verify Request. */
const VERIFY = `feff14${COOKIE}`;

const sent = (...datagrams: Uint8Array[]): Frame[] => {
  const session = createSession();
  return datagrams.map((octets) => dissect(udpMessage(4433, 40000, octets), { linkType: IPV4, session }));
};

test('a record and the message in it', () => {
  const [frame] = sent(fragment(3, 0, VERIFY));
  expect(fieldsOf(frame!, 'dtls')).toEqual({
    'dtls.record': '1',
    'dtls.record.content_type': '22',
    'dtls.record.version': '0xfeff',
    'dtls.record.epoch': '0',
    'dtls.record.sequence_number': '0',
    'dtls.record.length': '35',
    'dtls.handshake': '1',
    'dtls.handshake.type': '3',
    'dtls.handshake.length': '23',
    'dtls.handshake.message_seq': '0',
    'dtls.handshake.fragment_offset': '0',
    'dtls.handshake.fragment_length': '23',
    'dtls.handshake.version': '0xfeff',
    'dtls.handshake.cookie_length': '20',
    'dtls.handshake.cookie': COOKIE,
  });
});

test.each([
  ['in order', [0, 1, 2]],
  ['the last one first', [2, 0, 1]],
  ['backwards', [2, 1, 0]],
  ['twice', [0, 1, 0, 1, 2]],
])('a message in fragments that come %s is whole with the one that it lacked', (_, order) => {
  const cuts = [0, 9, 15, 23];
  const frames = sent(...order.map((i) => fragment(3, 0, VERIFY, cuts[i], cuts[i + 1])));
  const last = frames.pop()!;
  for (const frame of frames) expect(values(frame, 'dtls.handshake.cookie')).toBe('');
  expect(values(last, 'dtls.handshake.cookie')).toBe(COOKIE);
  expect(values(last, 'dtls.handshake.fragment.count')).toBe('3');
  expect(last.info).toBe('Hello Verify Request (reassembled)');
});

test('fragments of two messages, one between those of the other, and some that overlap', () => {
  const other = VERIFY.replace('0001', 'ffff');
  const frames = sent(
    fragment(3, 0, VERIFY, 0, 12),
    fragment(3, 1, other, 10, 23),
    fragment(3, 0, VERIFY, 8, 23),
    fragment(3, 1, other, 0, 20),
  );
  expect(frames.map((frame) => values(frame, 'dtls.handshake.cookie'))).toEqual(['', '', COOKIE, COOKIE.replace('0001', 'ffff')]);
  expect(frames.map((frame) => values(frame, 'dtls.handshake.fragment'))).toEqual(['', '', '1,3', '4,2']);
});

test('a fragment that reaches beyond its message belongs to none', () => {
  const lie = fragment(3, 0, VERIFY, 9, 23);
  lie[13 + 3] = 22;
  const frames = sent(fragment(3, 0, VERIFY, 0, 9), lie, fragment(3, 0, VERIFY, 15, 23));
  for (const frame of frames) expect(values(frame, 'dtls.handshake.cookie')).toBe('');
});

test('every cut and every lie', () => {
  const datagram = udpMessage(4433, 40000, fragment(3, 0, VERIFY, 0, 9));
  everyCut(datagram, 28, IPV4);
  everyLie(datagram, 28, IPV4);
});
