import { expect, test } from 'vitest';
import { type DnsTransaction, DnsTransactions } from '../../src/analysis/dns-transactions.js';
import { DnsOverHttps } from '../../src/dissectors/doh.js';
import { hex, values } from '../packets.js';
import { octets, Talk } from '../reassembly/talk.js';

const join = (...parts: readonly (string | Uint8Array)[]): Uint8Array =>
  Uint8Array.from(Buffer.concat(parts.map((part) => (typeof part === 'string' ? octets(part) : part))));

/** `A a.test`, and its answer 192.0.2.7; ids are 0 (RFC 8484 section 4.1). */
const QUESTION = hex('0000 0100 0001 0000 0000 0000 | 0161 0474657374 00 0001 0001');
const ANSWER = hex('0000 8180 0001 0001 0000 0000 | 0161 0474657374 00 0001 0001 | c00c 0001 0001 0000003c 0004 c0000207');
/** `AAAA b.test`, and that there is none. */
const OTHER = hex('0000 0100 0001 0000 0000 0000 | 0162 0474657374 00 001c 0001');
const NONE = hex('0000 8183 0001 0000 0000 0000 | 0162 0474657374 00 001c 0001');

const TYPE = 'Content-Type: application/dns-message\r\n';
const post = (message: Uint8Array): Uint8Array =>
  join(`POST /dns-query HTTP/1.1\r\nHost: d.test\r\n${TYPE}Content-Length: ${message.length}\r\n\r\n`, message);
const get = (message: Uint8Array | string): string =>
  `GET /q?x=1&dns=${typeof message === 'string' ? message : Buffer.from(message).toString('base64url')} HTTP/1.1\r\nHost: d.test\r\n\r\n`;
const answer = (message: Uint8Array): Uint8Array => join(`HTTP/1.1 200 OK\r\n${TYPE}Content-Length: ${message.length}\r\n\r\n`, message);

function watched(port: number, brief = false): { talk: Talk; told: () => string[]; found: DnsTransaction[] } {
  const found: DnsTransaction[] = [];
  const talk = new Talk(port, { dnsTransactions: new DnsTransactions((t) => void found.push(t)), brief }).open();
  const told = () => {
    talk.session.hooks.end?.();
    return found.map((t) => `${t.transport} ${t.question?.type} ${t.question?.name} ${t.outcome} ${t.rcode} ${Number(t.latency) / 1e9}`);
  };
  return { talk, told, found };
}

test('in the body of a POST, in the address of a GET, and in chunks', () => {
  const { talk, told, found } = watched(80);
  const first = post(QUESTION);
  const asked = talk.client(0, first);
  expect([asked.top.shortName, asked.info, asked.protocols]).toEqual(['DoH', 'Standard query 0x0000 A a.test', 'ip:tcp:http:dns']);
  const reply = answer(ANSWER);
  const answered = talk.server(0, reply, first.length);
  expect(answered.info).toBe('Standard query response 0x0000 A a.test A 192.0.2.7 · 1 s after #4');
  expect(['dns.qry.name', 'dns.a', 'dns.response_to', 'http.response.code'].map((name) => values(answered, name))).toEqual([
    'a.test',
    '192.0.2.7',
    '4',
    '200',
  ]);
  const second = get(OTHER);
  expect(talk.client(first.length, second, reply.length).info).toBe('Standard query 0x0000 AAAA b.test');
  const begun = join(`HTTP/1.1 200 OK\r\n${TYPE}Transfer-Encoding: chunked\r\n\r\n8\r\n`, NONE.subarray(0, 8), '\r\n10\r\n');
  talk.server(reply.length, begun, first.length + second.length);
  talk.server(reply.length + begun.length, join(NONE.subarray(8), '\r\n0\r\n\r\n'), first.length + second.length);
  expect(told()).toEqual(['https A a.test answered NOERROR 1', 'https AAAA b.test answered NXDOMAIN 2']);
  expect(found.map((t) => [t.client, t.server_port, t.question_frames, t.answer_frames])).toEqual([
    ['192.0.2.1', 80, [4], [5]],
    ['192.0.2.1', 80, [6], [8]],
  ]);
});

test('pipelined: each answer goes to its request, though all ids are 0; a body over segments, where only lines are told', () => {
  const { talk, told } = watched(80, true);
  const asked = join(post(QUESTION), get(OTHER));
  talk.client(0, asked);
  const replies = join(answer(ANSWER), answer(NONE));
  talk.server(0, replies.subarray(0, 100), asked.length);
  expect(talk.server(100, replies.subarray(100), asked.length).info).toMatch(/No such name AAAA b\.test/);
  expect(told()).toEqual(['https A a.test answered NOERROR 2', 'https AAAA b.test answered NXDOMAIN 2']);
});

test('on streams of HTTP/2 side by side', () => {
  const field = (name: string, value: string) => join(Uint8Array.of(0, name.length), name, Uint8Array.of(value.length), value);
  const frame = (type: number, flags: number, stream: number, payload: Uint8Array) =>
    join(Uint8Array.of(0, 0, payload.length, type, flags, 0, 0, 0, stream), payload);
  const NOTHING = new Uint8Array(0);
  const type = field('content-type', 'application/dns-message');
  const { talk, told } = watched(9000);
  const hello = join('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', frame(4, 0, 0, NOTHING));
  // :method POST and GET, :scheme https, :path /q
  const asks = join(
    frame(1, 4, 1, join(hex('83 87 04 02 2f71'), type)),
    frame(0, 0, 1, QUESTION.subarray(0, 5)),
    frame(1, 5, 3, join(hex('82 87'), field(':path', `/q?dns=${Buffer.from(OTHER).toString('base64url')}`))),
    frame(0, 1, 1, QUESTION.subarray(5)),
  );
  const asked = talk.client(0, join(hello, asks));
  expect(asked.all(DnsOverHttps).map((dns) => values(asked, 'dns.qry.name') && dns.lane?.[1])).toEqual([3, 1]);
  const head = (stream: number) => frame(1, 4, stream, join(hex('88'), type));
  const answers = join(frame(4, 0, 0, NOTHING), head(1), head(3), frame(0, 0, 1, ANSWER), frame(0, 1, 3, NONE), frame(0, 1, 1, NOTHING));
  talk.server(0, answers, hello.length + asks.length);
  expect(told().sort()).toEqual(['https A a.test answered NOERROR 1', 'https AAAA b.test answered NXDOMAIN 1']);
});

test('what is no question, or not whole, is left to HTTP', () => {
  for (const request of [get('1.1.1.1'), get('AAAA'), get(Buffer.from(QUESTION.subarray(0, 15)).toString('base64url')), get('')])
    expect(new Talk(80).open().client(0, request).get(DnsOverHttps)).toBeUndefined();
  // Not of any use, but a message by its type.
  const short = new Talk(80).open().client(0, post(Uint8Array.of(1, 2, 3)));
  expect(short.info).toMatch(/malformed DoH/);
  const { talk, told } = watched(80);
  const asked = post(QUESTION);
  talk.client(0, asked);
  talk.server(0, answer(ANSWER).subarray(0, 90), asked.length);
  expect(talk.send('R', 'server', 90, '').get(DnsOverHttps)).toBeUndefined();
  expect(told()).toEqual(['https A a.test unanswered undefined NaN']);
});
