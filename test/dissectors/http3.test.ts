import { describe, expect, test } from 'vitest';
import { type DnsTransaction, DnsTransactions } from '../../src/analysis/dns-transactions.js';
import { type HttpTransaction, HttpTransactions } from '../../src/analysis/http-transactions.js';
import type { Frame } from '../../src/core/frame.js';
import { Http3Connection } from '../../src/dissectors/http3.js';
import { Http3 } from '../../src/dissectors/http3-layer.js';
import { BLOCKED, QpackDecoder } from '../../src/dissectors/qpack.js';
import { Held, QuicStreams } from '../../src/dissectors/quic-streams.js';
import { createSession } from '../../src/frames.js';
import { dissect, fieldsOf, hex, IPV4, readAll, udpMessage, values } from '../packets.js';

const text = (what: string): string => Buffer.from(what).toString('hex');
/** The octets of names and values, as the examples of RFC 9204 have them. */
const PATH = text('/index.html');

describe('QPACK, by the examples of RFC 9204 appendix B', () => {
  const decoder = new QpackDecoder();
  const instruct = (octets: string) => decoder.instruct(hex(octets), 0, hex(octets).length);
  const decode = (octets: string) => {
    const found = decoder.decode(hex(octets), 0, hex(octets).length);
    return found === BLOCKED ? found : found.headers.map(({ name, value }) => `${name}: ${value}`);
  };
  decoder.limit = 220;

  test('names from the static table', () => {
    expect(decode(`0000 510b ${PATH}`)).toEqual([':path: /index.html']);
  });

  test('entries that come on a stream of their own, referred to before or after they came', () => {
    expect(decode('0381 10 11')).toBe(BLOCKED);
    expect(instruct(`3fbd01 c00f ${text('www.example.com')} c10c ${text('/sample/path')}`)).toBe(34);
    expect(decode('0381 10 11')).toEqual([':authority: www.example.com', ':path: /sample/path']);
    instruct(`4a ${text('custom-key')} 0c ${text('custom-value')}`);
    instruct('02');
    expect(decode('0500 80 c1 81')).toEqual([':authority: www.example.com', ':path: /', 'custom-key: custom-value']);
    // A name of the table, another value; the oldest entry goes.
    instruct(`810d ${text('custom-value2')}`);
    expect(decode('0600 80')).toEqual(['custom-key: custom-value2']);
    expect(decoder.decode(hex('0600 84'), 0, 3)).toMatchObject({ headers: [], broken: 2 });
  });

  test('an instruction that is not whole waits', () => {
    const whole = hex(`4a ${text('custom-key')} 0c ${text('custom-value')}`);
    for (let end = 0; end < whole.length; end++) expect(new QpackDecoder().instruct(whole, 0, end)).toBe(0);
  });

  test('what refers to octets that were lost is not known, and says so', () => {
    const lost = new QpackDecoder();
    lost.forget();
    const section = lost.decode(hex('0381 10 d1'), 0, 4);
    expect(section).toMatchObject({ unknown: true, broken: undefined });
    expect(section !== BLOCKED && section.headers.map(({ name }) => name)).toEqual([undefined, ':method']);
  });

  test('any octet wrong', () => {
    const block = hex(`0000 510b ${PATH} 23 616263 02 6869 c1 d7`);
    for (let at = 0; at < block.length; at++)
      for (let octet = 0; octet < 256; octet += 5) {
        const lying = block.slice();
        lying[at] = octet;
        expect(() => new QpackDecoder().decode(lying, 0, lying.length)).not.toThrow();
        expect(() => new QpackDecoder().instruct(lying, 0, lying.length)).not.toThrow();
      }
  });
});

/** A connection: what each side sends on its streams, a frame at a time. */
function connection(options: Parameters<typeof createSession>[0] = {}) {
  const session = createSession(options);
  const http3 = new Http3Connection();
  const streams = new QuicStreams(new Held());
  const offsets = new Map<string, number>();
  return (id: number, from: 'client' | 'server', octets: string, fin = false): Frame => {
    const fromServer = from === 'server';
    const payload = hex('00');
    const frame = dissect(fromServer ? udpMessage(443, 50_000, payload, true) : udpMessage(50_000, 443, payload), {
      session,
      linkType: IPV4,
    });
    const offset = offsets.get(`${id} ${from}`) ?? 0;
    const bytes = hex(octets);
    offsets.set(`${id} ${from}`, offset + bytes.length);
    streams.add(frame, id, fromServer, offset, bytes, fin, http3);
    return frame;
  };
}

const says = (frame: Frame): string[] => frame.info.replace(/ ·.*/, '').split(', ');

test('the frames of a control stream', () => {
  const send = connection();
  const frame = send(3, 'server', '00 | 04 06 01 50dc 07 40 64 | 07 01 04 | 80 0f0700 04 00 753d31 | 0d 01 09 | 21 02 aabb');
  expect(fieldsOf(frame, 'http3')).toEqual({
    'http3.stream_type': '0',
    'http3.frame_type': '4,7,984832,13,33',
    'http3.frame_length': '6,1,4,1,2',
    'http3.frame_payload': '0150dc074064,04,00753d31,09,aabb',
    'http3.settings': '1,1',
    'http3.settings.id': '1,7',
    'http3.settings.value': '4316,100',
    'http3.settings.qpack.max_table_capacity': '4316',
    'http3.settings.qpack.blocked_streams': '100',
    'netlens.http3.goaway_id': '4',
    'http3.priority_update_element_id': '0',
    'http3.priority_update_field_value': 'u=1',
    'http3.push_id': '9',
  });
  expect(says(frame)).toEqual(['Control Stream[3]', 'SETTINGS[3]', 'GOAWAY[3]', 'PRIORITY_UPDATE[3]', 'MAX_PUSH_ID[3]', 'Reserved[3]']);
});

test('a request and its response, in pieces', () => {
  const done: HttpTransaction[] = [];
  const transactions = new HttpTransactions((transaction) => done.push(transaction), true);
  const send = connection({ httpTransactions: Object.assign(transactions, { bodies: true }) });
  const request = send(4, 'client', `01 11 0000 d1 d7 5006 ${text('a.test')} 5103 ${text('/x1')}`, true);
  expect(request.info).toBe('HEADERS[4]: GET /x1');
  expect(values(request, 'netlens.http3.full_uri')).toBe('https://a.test/x1');
  expect(send(4, 'server', '01 04 0000').get(Http3)).toBeUndefined();
  const head = send(4, 'server', 'd9 f5 00 05');
  expect(head.info).toBe('HEADERS[4]: 200 OK');
  expect(values(head, 'http3.headers.content_type')).toBe('text/plain');
  send(4, 'server', text('he'));
  const body = send(4, 'server', text('llo'), true);
  expect(body.info).toMatch(/^DATA\[4\] · /);
  expect(values(body, 'netlens.http3.request_in')).toBe(String(request.number));
  transactions.finish();
  expect(
    done.map(({ method, host, path, status, body: octets, requestVersion, overQuic, clientPort }) => ({
      method,
      host,
      path,
      status,
      octets,
      requestVersion,
      overQuic,
      clientPort,
    })),
  ).toEqual([
    { method: 'GET', host: 'a.test', path: '/x1', status: 200, octets: 5, requestVersion: 'HTTP/3', overQuic: true, clientPort: 50_000 },
  ]);
  expect(Buffer.from(done[0]!.content!).toString()).toBe('hello');
});

test('DNS in requests and responses', () => {
  const found: DnsTransaction[] = [];
  const send = connection({ dnsTransactions: new DnsTransactions((t) => void found.push(t)) });
  const question = '000001000001000000000000 0161047465737400 0001 0001';
  // POST https /q, content-type: application/dns-message; then its body.
  const asked = send(4, 'client', `01 09 0000 d4 d7 5102 ${text('/q')} ec 00 18 ${question}`, true);
  expect(asked.info).toBe('Standard query 0x0000 A a.test');
  send(4, 'server', `01 04 0000 d9 ec 00 18 ${question.replace('00000100', '00008180')}`, true);
  expect(found.map((t) => [t.transport, t.question?.name, t.outcome, t.client_port])).toEqual([['http3', 'a.test', 'answered', 50_000]]);
});

test('what became of a call of gRPC', () => {
  const done: HttpTransaction[] = [];
  const send = connection({ httpTransactions: new HttpTransactions((transaction) => done.push(transaction)) });
  send(4, 'client', `01 08 0000 d4 d7 5102 ${text('/a')}`, true);
  const trailers = send(4, 'server', `01 03 0000 d9 | 01 11 0000 2704 ${text('grpc-status')} 01 ${text('5')}`, true);
  expect(trailers.info).toMatch(/^HEADERS\[4\]: 200 OK, HEADERS\[4\]: grpc NOT_FOUND · /);
  expect(done.map(({ method, grpc }) => [method, grpc])).toEqual([['POST', { code: 5, message: '' }]]);
});

test('headers wait for the entries that they need, and are shown where those come', () => {
  const send = connection();
  send(3, 'server', '00 04 03 01 4100');
  const early = send(0, 'client', '01 04 0381 10 11', true);
  expect(early.get(Http3)).toBeUndefined();
  const late = send(2, 'client', `02 3fe101 c006 ${text('a.test')} c103 ${text('/x1')}`);
  expect(values(late, 'http3.headers.authority')).toBe('a.test');
  expect(values(late, 'netlens.http3.waited')).toBe('1');
});

test('a long body is shown where it begins; frames that lie are no trouble', () => {
  const send = connection();
  const head = send(0, 'server', '01 03 0000 d9 00 80100000 aabb');
  expect(says(head)).toEqual(['HEADERS[0]: 200 OK', 'DATA[0]']);
  expect(values(head, 'http3.frame_payload')).toBe('0000d9,aabb');
  expect(send(0, 'server', '00'.repeat(100)).get(Http3)).toBeUndefined();
  const plain = hex('01 05 0000 d1 d7 c1 00 02 6869 05 04 01 0000 d1 07 01 04');
  for (let at = 0; at < plain.length; at++)
    for (const octet of [0, 1, 4, 5, 7, 0x3f, 0x7f, 0xbf, 0xff])
      for (const id of [0, 2, 6]) {
        const lying = plain.slice();
        lying[at] = octet;
        readAll(connection()(id, 'client', `${id === 2 ? '00' : id === 6 ? '02' : ''}${Buffer.from(lying).toString('hex')}`, true));
      }
});
