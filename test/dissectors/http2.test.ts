import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type HttpTransaction, HttpTransactions } from '../../src/analysis/http-transactions.js';
import { KeyLog } from '../../src/analysis/tls-keylog.js';
import { openCapture } from '../../src/capture/open.js';
import type { Frame } from '../../src/core/frame.js';
import { TextBuffer } from '../../src/core/text.js';
import { Http2 } from '../../src/dissectors/http2-layer.js';
import { createSession, framesOf, open } from '../../src/frames.js';
import { httpRecord, httpRow, isHttpError } from '../../src/report/http.js';
import { fieldsOf, hex, readAll, values } from '../packets.js';
import { octets, Talk } from '../reassembly/talk.js';

const MAGIC = octets('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const join = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));
/** A frame of HTTP/2 in octets. */
function h2(type: number, flags: number, stream: number, payload: string | Uint8Array = ''): Uint8Array {
  const data = typeof payload === 'string' ? hex(payload) : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(data.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return join(head, data);
}
const SETTINGS = h2(4, 0, 0, '0003 00000064 | 0005 00008000');
/** `GET http://a.test/x`, with :authority entering the table. */
const GET = h2(1, 0x05, 1, '82 86 04 02 2f78 41 06 612e74657374');
/** `200`, `text/plain`. */
const OK = h2(1, 0x04, 1, '88 5f 0a 746578742f706c61696e');
const HELLO = h2(0, 0x01, 1, octets('hello'));

const lines = (frame: Frame) =>
  frame.all(Http2).map((layer) => {
    const out = new TextBuffer(64);
    layer.line(out);
    return out.toString();
  });

/** A connection on a port that nothing is known of, after both sides' SETTINGS. */
function begun(port = 9000): Talk {
  const talk = new Talk(port).open();
  talk.client(0, join(MAGIC, SETTINGS));
  talk.server(0, SETTINGS, 24 + SETTINGS.length);
  return talk;
}
const CLIENT = 24 + SETTINGS.length;
const SERVER = SETTINGS.length;

test('a request: every field', () => {
  const frame = begun().client(CLIENT, GET);
  expect(frame.info).toBe('HEADERS[1]: GET /x');
  expect(fieldsOf(frame, 'http2')).toEqual({
    'http2.stream': '1',
    'http2.length': '14',
    'http2.type': '1',
    'http2.flags': '0x05',
    'http2.flags.unused_headers': '0x00',
    'http2.flags.priority': '0',
    'http2.flags.padded': '0',
    'http2.flags.eh': '1',
    'http2.flags.end_stream': '1',
    'http2.r': '0x00000000',
    'http2.streamid': '1',
    'http2.pad_length': '0',
    'http2.headers': '828604022f784106612e74657374',
    'http2.headers.method': 'GET',
    'http2.headers.scheme': 'http',
    'http2.headers.path': '/x',
    'http2.headers.authority': 'a.test',
    'http2.header.length': '76',
    'http2.header.count': '4',
    'http2.header': '1,1,1,1',
    'http2.header.name.length': '7,7,5,10',
    'http2.header.name': ':method,:scheme,:path,:authority',
    'http2.header.value.length': '3,4,2,6',
    'http2.header.value': 'GET,http,/x,a.test',
    'http2.header.repr':
      'Indexed Header Field,Indexed Header Field,Literal Header Field without Indexing - Indexed Name,Literal Header Field with Incremental Indexing - Indexed Name',
    'http2.header.index': '2,6,4,1',
    'http2.request.full_uri': 'http://a.test/x',
  });
});

test('a response, and the request that it answers', () => {
  const talk = begun();
  talk.client(CLIENT, GET);
  const frame = talk.server(SERVER, join(OK, HELLO), CLIENT + GET.length);
  expect(frame.info).toBe('HEADERS[1]: 200 OK, DATA[1] (text/plain) · 1 s after #6');
  expect(values(frame, 'http2.headers.status')).toBe('200');
  expect(values(frame, 'http2.data.data')).toBe('68656c6c6f');
  expect(values(frame, 'netlens.http2.request_in')).toBe('6');
  expect(values(frame, 'netlens.http2.time')).toBe('1.000000000');
});

describe('frames', () => {
  const REQUEST = '82 86 84 41 06 612e74657374';
  test.each<[string, Uint8Array, string, Record<string, string>]>([
    [
      'DATA with padding',
      h2(0, 0x08, 3, '02 6869 0000'),
      'DATA[3]',
      { 'http2.padding': '0x02', 'http2.pad_length': '2', 'http2.data.data': '6869', 'http2.data.padding': '0000' },
    ],
    [
      'HEADERS with padding and priority',
      h2(1, 0x2d, 3, `01 80000001 0f ${REQUEST} 00`),
      'HEADERS[3]: GET /',
      {
        'http2.exclusive': '1',
        'http2.stream_dependency': '1',
        'http2.headers.weight': '15',
        'http2.headers.weight_real': '16',
        'http2.headers.padding': '00',
        'http2.headers.path': '/',
      },
    ],
    ['PRIORITY', h2(2, 0, 3, '00000001 ff'), 'PRIORITY[3]', { 'http2.stream_dependency': '1', 'http2.headers.weight_real': '256' }],
    ['RST_STREAM', h2(3, 0, 3, '00000008'), 'RST_STREAM[3]: CANCEL', { 'http2.rst_stream.error': '8' }],
    [
      'SETTINGS',
      h2(4, 0, 0, '0001 00001000 0002 00000000 0004 0000ffff 0006 00004000 0008 00000001 0f0f 00000007'),
      'SETTINGS[0]',
      {
        'http2.settings.id': '1,2,4,6,8,3855',
        'http2.settings.header_table_size': '4096',
        'http2.settings.enable_push': '0',
        'http2.settings.initial_window_size': '65535',
        'http2.settings.max_header_list_size': '16384',
        'http2.settings.extended_connect': '1',
        'http2.settings.unknown': '7',
      },
    ],
    ['SETTINGS acknowledged', h2(4, 1, 0), 'SETTINGS[0] ACK', { 'http2.flags.ack.settings': '1' }],
    [
      'PUSH_PROMISE',
      h2(5, 0x04, 1, `00000002 ${REQUEST}`),
      'PUSH_PROMISE[1]: GET /',
      { 'http2.push_promise.promised_stream_id': '2', 'http2.push_promise.header': REQUEST.replaceAll(' ', '') },
    ],
    ['PING', h2(6, 0, 0, '0102030405060708'), 'PING[0]', { 'http2.ping': '0102030405060708' }],
    ['PING answered', h2(6, 1, 0, '0102030405060708'), 'PING[0] ACK', { 'http2.pong': '0102030405060708' }],
    [
      'GOAWAY',
      h2(7, 0, 0, '00000005 0000000b 627965'),
      'GOAWAY[0]: ENHANCE_YOUR_CALM',
      { 'http2.goaway.last_stream_id': '5', 'http2.goaway.error': '11', 'http2.goaway.addata': '627965' },
    ],
    [
      'WINDOW_UPDATE',
      h2(8, 0, 3, '80000400'),
      'WINDOW_UPDATE[3]',
      { 'http2.window_update.window_size_increment': '1024', 'http2.window_update.r': '0x00000001' },
    ],
    ['ALTSVC', h2(10, 0, 0, '0001 61 6832'), 'ALTSVC[0]', { 'http2.altsvc.origin': 'a', 'http2.altsvc.field_value': 'h2' }],
    ['ORIGIN', h2(12, 0, 0, '0001 61 0002 6262'), 'ORIGIN[0]', { 'http2.origin.origin': 'a,bb' }],
    [
      'PRIORITY_UPDATE',
      h2(16, 0, 0, '00000003 753d30'),
      'PRIORITY_UPDATE[0]',
      { 'http2.priority_update_stream_id': '3', 'http2.priority_update_field_value': 'u=0' },
    ],
    ['a type of the future', h2(0xbb, 0, 7, '010203'), 'UNKNOWN 187[7]', { 'http2.unknown': '010203' }],
  ])('%s', (_name, octets, line, fields) => {
    const frame = begun().client(CLIENT, octets);
    expect(lines(frame)).toEqual([line]);
    expect(fieldsOf(frame, 'http2')).toMatchObject(fields);
  });

  test('CONTINUATION ends what HEADERS began', () => {
    const talk = begun();
    const first = talk.client(CLIENT, h2(1, 0x01, 1, '82 86 84'));
    const last = talk.client(CLIENT + 12, h2(9, 0x04, 1, '41 06 612e74657374'));
    expect([first, last].map((frame) => [frame.info, values(frame, 'http2.header.name')])).toEqual([
      ['HEADERS[1]', ''],
      ['CONTINUATION[1]: GET /', ':method,:scheme,:path,:authority'],
    ]);
  });

  test.each([
    ['padding longer than the frame', h2(0, 0x08, 1, '05 6869')],
    ['a PING of seven octets', h2(6, 0, 0, '01020304050607')],
    ['half a setting', h2(4, 0, 0, '000100')],
    ['a GOAWAY without an error', h2(7, 0, 0, '00000001')],
  ])('%s is malformed, and the next frame is read', (_name, wrong) => {
    const frame = begun().client(CLIENT, join(wrong, GET));
    expect(frame.stopped?.reason).toBe('malformed');
    expect(lines(frame)[1]).toBe('HEADERS[1]: GET /x');
  });
});

test('on a port of HTTP/1, by prior knowledge, one octet a segment, either side first', () => {
  for (const serverFirst of [false, true]) {
    const talk = new Talk(80).open();
    const seen: string[] = [];
    const say = (who: 'client' | 'server', all: Uint8Array) => {
      for (let i = 0; i < all.length; i++) seen.push(...lines(talk[who](i, all.subarray(i, i + 1))));
    };
    const client = join(MAGIC, SETTINGS, GET);
    const server = join(SETTINGS, OK, HELLO);
    if (serverFirst) talk.server(0, SETTINGS);
    else say('client', client);
    if (serverFirst) say('client', client);
    say('server', server);
    expect(seen).toEqual([
      'Magic',
      'SETTINGS[0]',
      'HEADERS[1]: GET /x',
      ...(serverFirst ? [] : ['SETTINGS[0]']),
      'HEADERS[1]: 200 OK',
      'DATA[1] (text/plain)',
    ]);
  }
});

test('after Upgrade: h2c the request of HTTP/1 is answered on stream 1', () => {
  const talk = new Talk(80).open();
  const request = 'GET /x HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';
  talk.client(0, request);
  const agreed = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';
  talk.server(0, join(octets(agreed), SETTINGS), request.length);
  talk.client(request.length, join(MAGIC, SETTINGS), agreed.length);
  const frame = talk.server(agreed.length + SETTINGS.length, join(OK, HELLO), request.length);
  expect(frame.info).toBe('HEADERS[1]: 200 OK, DATA[1] (text/plain) · 3 s after #4');
});

test('a capture that begins in mid-connection says what it does not know', () => {
  const talk = new Talk(9000);
  // :authority is an entry that nobody saw being made.
  const frame = talk.client(1000, h2(1, 0x05, 7, '82 86 84 be'));
  expect(frame.info).toBe('HEADERS[7]: GET /');
  expect(values(frame, 'netlens.http2.unknown_entry')).toBe('1');
  expect(values(frame, 'http2.header.name')).toBe(':method,:scheme,:path,<unknown>');
  expect(values(frame, 'http2.headers.authority')).toBe('');
});

test('after a hole the table is not known, and the frames that follow are found', () => {
  const talk = begun();
  talk.client(CLIENT, GET);
  const lost = CLIENT + GET.length + 40;
  talk.client(lost, join(h2(8, 0, 0, '00000001'), h2(1, 0x05, 5, '82 86 84 be'), h2(8, 0, 0, '00000001')));
  talk.serverAcknowledges(lost + 1);
  const frame = talk.client(lost + 13 + 13 + 13, h2(8, 0, 0, '00000001'));
  expect(lines(frame)).toEqual(['WINDOW_UPDATE[0]', 'HEADERS[5]: GET /', 'WINDOW_UPDATE[0]', 'WINDOW_UPDATE[0]']);
  expect(values(frame, 'netlens.http2.unknown_entry')).toBe('1');
});

test('a hole inside DATA hides nothing else', () => {
  const talk = begun();
  talk.client(CLIENT, GET);
  const data = h2(0, 0, 1, new Uint8Array(3000));
  talk.server(SERVER, join(OK, data).subarray(0, 500), CLIENT + GET.length);
  const rest = join(OK, data, h2(0, 1, 1));
  talk.server(SERVER + 2000, rest.subarray(2000), CLIENT + GET.length);
  talk.send('A', 'client', CLIENT + GET.length, '', SERVER + 2001);
  const frame = talk.server(SERVER + rest.length, h2(6, 0, 0, '0000000000000000'), CLIENT + GET.length);
  expect(lines(frame)).toContain('DATA[1] (text/plain)');
  expect(lines(frame)).toContain('PING[0]');
});

test('transactions: a push, a stream given up by the client, and one without an answer', () => {
  const found: HttpTransaction[] = [];
  const httpTransactions = new HttpTransactions((transaction) => found.push(transaction));
  const talk = new Talk(9000, { httpTransactions }).open();
  talk.client(0, join(MAGIC, SETTINGS));
  const ask = (id: number, path: string) => h2(1, 0x05, id, `82 86 04 02 ${Buffer.from(path).toString('hex')} 41 06 612e74657374`);
  const asked = join(ask(1, '/a'), ask(3, '/b'), ask(5, '/c'));
  talk.client(24 + SETTINGS.length, asked);
  const push = h2(5, 0x04, 1, '00000002 82 86 04 02 2f70 41 06 612e74657374');
  const answers = join(SETTINGS, push, OK, HELLO, h2(1, 0x05, 2, '89'), h2(1, 0x04, 3, '88'), h2(0, 0, 3, 'abcd'));
  talk.server(0, answers, 24 + SETTINGS.length + asked.length);
  talk.client(24 + SETTINGS.length + asked.length, join(h2(3, 0, 3, '00000008'), h2(3, 0, 5, '00000008')), answers.length);
  talk.session.hooks.end?.();
  expect(found.map((t) => [t.client, t.method, t.path, t.status, t.body, t.outcome, t.pushed, t.cut, t.reset])).toEqual([
    ['192.0.2.1', 'GET', '/a', 200, 5, 'answered', false, false, undefined],
    ['192.0.2.1', 'GET', '/p', 204, 0, 'answered', true, false, undefined],
    ['192.0.2.1', 'GET', '/b', 200, 2, 'answered', false, true, 'CANCEL'],
    ['192.0.2.1', 'GET', '/c', undefined, 0, 'unanswered', false, false, 'CANCEL'],
  ]);
});

test('transactions: an answer that begins before the request has ended', () => {
  const found: HttpTransaction[] = [];
  const httpTransactions = new HttpTransactions((transaction) => found.push(transaction));
  const talk = new Talk(9000, { httpTransactions }).open();
  talk.client(0, join(MAGIC, SETTINGS));
  const ask = h2(1, 0x04, 1, '83 86 04 02 2f61 41 06 612e74657374');
  const begin = 24 + SETTINGS.length;
  talk.client(begin, ask);
  talk.server(0, join(SETTINGS, OK), begin + ask.length);
  talk.client(begin + ask.length, h2(0, 1, 1, 'abcd'), SETTINGS.length + OK.length);
  talk.server(SETTINGS.length + OK.length, HELLO, begin + ask.length + 11);
  // Segments are a second apart.
  expect(found).toMatchObject([{ method: 'POST', requestBody: 2, body: 5, latency: undefined, duration: 1e9 }]);
});

describe('gRPC', () => {
  /** A header without the table. */
  const header = (name: string, value: string) =>
    [name, value].map((text) => Buffer.from([text.length]).toString('hex') + Buffer.from(text, 'latin1').toString('hex')).join('');
  const fields = (...headers: [name: string, value: string][]) => headers.map((h) => `00${header(...h)}`).join('');
  const TYPE: [string, string] = ['content-type', 'application/grpc'];
  const message = h2(0, 0, 1, '00 00000002 0801');
  const call = (...answer: Uint8Array[]) => {
    const found: HttpTransaction[] = [];
    const talk = new Talk(9000, { httpTransactions: new HttpTransactions((t) => found.push(t)) }).open();
    const asked = join(MAGIC, SETTINGS, h2(1, 0x04, 1, `83 86 04 04 2f612f62 ${fields(TYPE)}`), h2(0, 1, 1, '00 00000000'));
    talk.client(0, asked);
    const frame = talk.server(0, join(SETTINGS, ...answer), asked.length);
    talk.session.hooks.end?.();
    return { found, lines: lines(frame).slice(1) };
  };
  const head = h2(1, 0x04, 1, `88 ${fields(TYPE)}`);

  test.each<[string, Uint8Array[], object | undefined, string]>([
    ['in trailers', [head, message, h2(1, 5, 1, fields(['grpc-status', '0'], ['grpc-message', '']))], { code: 0, message: '' }, 'grpc OK'],
    [
      'with a message in UTF-8',
      [head, h2(1, 5, 1, fields(['grpc-status', '5'], ['grpc-message', 'no Gr%C3%BC%C3%9Fe%21 %zz %ff']))],
      { code: 5, message: 'no Grüße! %zz %ff' },
      'grpc NOT_FOUND: no Grüße! %zz %ff',
    ],
    [
      'in the only headers',
      [h2(1, 5, 1, `88 ${fields(TYPE, ['grpc-status', '16'])}`)],
      { code: 16, message: '' },
      '200 OK, grpc UNAUTHENTICATED',
    ],
    ['a code without a name', [head, h2(1, 5, 1, fields(['grpc-status', '99']))], { code: 99, message: '' }, 'grpc 99'],
    ['no number', [head, h2(1, 5, 1, fields(['grpc-status', 'x']))], undefined, ''],
  ])('%s', (_, answer, grpc, said) => {
    const { found, lines } = call(...answer);
    expect(found).toMatchObject([{ method: 'POST', path: '/a/b', status: 200, cut: false }]);
    expect(found[0]!.grpc).toEqual(grpc);
    expect(lines.at(-1)).toBe(`HEADERS[1]${said === '' ? '' : `: ${said}`} (application/grpc)`);
  });

  test('is the status of the call in lists, and failures are errors', () => {
    const { found } = call(head, h2(1, 5, 1, fields(['grpc-status', '9'], ['grpc-message', 'sold%20out'])));
    const text = (row: readonly (string | { readonly text: string })[]) => row.map((cell) => (typeof cell === 'string' ? cell : cell.text));
    expect(text(httpRow(found[0]!, [0, 0])).slice(4)).toEqual(['grpc FAILED_PRECONDITION', '0 B', '1 s', '1 s', 'sold out, 5 B sent']);
    expect(text(httpRow(found[0]!, [0, 0], undefined, true))[4]).toBe('grpc 9');
    expect(httpRecord(found[0]!)).toMatchObject({
      status: 200,
      grpc_status: 9,
      grpc_status_name: 'FAILED_PRECONDITION',
      grpc_message: 'sold out',
    });
    expect(found.map(isHttpError)).toEqual([true]);
    expect(call(head, h2(1, 5, 1, fields(['grpc-status', '0']))).found.map(isHttpError)).toEqual([false]);
  });

  test('what a client says in its trailers is no outcome', () => {
    const found: HttpTransaction[] = [];
    const talk = new Talk(9000, { httpTransactions: new HttpTransactions((t) => found.push(t)) }).open();
    const asked = join(MAGIC, SETTINGS, h2(1, 0x04, 1, `83 86 04 04 2f612f62`), h2(1, 5, 1, fields(['grpc-status', '5'])));
    talk.client(0, asked);
    talk.server(0, join(SETTINGS, OK, HELLO), asked.length);
    expect(found.map((t) => t.grpc)).toEqual([undefined]);
  });
});

describe('recorded', () => {
  const told = async (path: string, keys?: string) => {
    const found: string[] = [];
    const keyLog = new KeyLog();
    if (keys !== undefined) keyLog.add(readFileSync(keys, 'latin1'));
    for await (const frame of open(path, { keyLog })) for (const layer of frame.all(Http2)) if (layer.says !== '') found.push(layer.says);
    return found;
  };

  test('nginx, nghttpd and nghttpx: priority, push, padding, trailers, continuation, upgrade', async () => {
    const found = await told('fixtures/http2.pcap');
    expect(found.join(', ')).toBe(
      [
        'GET /, GET /numbers.txt, GET /missing, GET /old, GET /x.txt, 200 OK, 200 OK, 404 Not Found, 301 Moved Permanently, 200 OK',
        'GET /numbers.txt, 200 OK',
        'HEAD /x.txt, 200 OK',
        'POST /echo, 200 OK',
        'GET /slow/x.txt, 200 OK',
        // CONTINUATION; then a push beside the answer, twice; then the upgrade, whose request came over HTTP/1.
        'GET /numbers.txt, 200 OK',
        'POST /index.html, GET /numbers.txt, 200 OK, 200 OK',
        'GET /index.html, GET /numbers.txt, 200 OK, 200 OK',
        '200 OK, GET /index.html, 200 OK',
      ].join(', '),
    );
  });
  test('inside TLS, with its key log', async () => {
    expect(await told('fixtures/http2-tls.pcap', 'fixtures/http2-tls.keys')).toEqual([
      'GET /',
      '200 OK',
      'GET /numbers.txt',
      '200 OK',
      'GET /x.txt',
      '200 OK',
    ]);
  });
  test('bodies are gathered and decompressed for who wants them', async () => {
    const session = createSession();
    const bodies: string[] = [];
    session.hooks.httpBodies = true;
    session.hooks.http = (_frame, message) => {
      const { head, content } = message as { head: { code: number }; content: Uint8Array | undefined };
      if (head.code === 200) bodies.push(`${content?.length ?? 0}`);
    };
    for await (const _ of framesOf(await openCapture('fixtures/http2.pcap'), session));
    expect(bodies.slice(0, 4)).toEqual(['15', '171', '40000', '171']);
  });
});

test('survives every cut and lying lengths', () => {
  const client = join(MAGIC, SETTINGS, GET, h2(1, 0x2d, 3, '01 80000001 0f 82 86 84 41 06 612e74657374 00'));
  for (let cut = 0; cut < client.length; cut++) readAll(new Talk(9000).open().client(0, client, 0, cut));
  for (let at = 24; at < client.length; at++)
    for (const octet of [0, 0x7f, 0xff]) {
      const lying = client.slice();
      lying[at] = octet;
      const talk = new Talk(9000).open();
      readAll(talk.client(0, lying));
      readAll(talk.client(lying.length, GET));
    }
});

describe('in linear time', () => {
  /** Milliseconds of processor time that a connection takes whose client sends this, in segments of 1 400 octets. */
  const took = (all: Uint8Array): number => {
    const talk = begun();
    const before = process.cpuUsage();
    for (let at = 0; at < all.length; at += 1400) talk.client(CLIENT + at, all.subarray(at, at + 1400));
    return process.cpuUsage(before).user / 1000;
  };
  const repeat = (part: Uint8Array, times: number) => join(...Array.from({ length: times }, () => part));
  const big = h2(1, 0x04, 1, `40 01 61 7f a1 5d ${'62'.repeat(12_000)}`);
  test.each<[string, (n: number) => Uint8Array]>([
    ['empty CONTINUATIONs without end', (n) => join(h2(1, 0, 1, '82'), repeat(h2(9, 0, 1), 3000 * n))],
    ['CONTINUATIONs of an octet', (n) => join(h2(1, 0, 1, '82'), repeat(h2(9, 0, 1, '82'), 3000 * n))],
    ['references to a long entry', (n) => join(big, repeat(h2(1, 0x05, 3, 'be'.repeat(4000)), 4 * n))],
    ['a new stream with each frame', (n) => join(...Array.from({ length: 3000 * n }, (_, i) => h2(1, 0x04, 2 * i + 1, '82')))],
    ['octets that are no frames', (n) => new Uint8Array(60_000 * n).fill(0x41)],
    ['a table that is filled again and again', (n) => repeat(h2(1, 0x05, 1, '40 01 61 01 62'.repeat(300)), 10 * n)],
  ])('%s', (_name, make) => {
    took(make(1));
    const once = Math.min(took(make(2)), took(make(2)), took(make(2)));
    const eight = Math.min(took(make(16)), took(make(16)));
    // Eight times as much; quadratic would be 64.
    expect(eight).toBeLessThan(Math.max(once, 10) * 30);
  });
});
