import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Frame } from '../../src/core/frame.js';
import { httpStream } from '../../src/dissectors/http.js';
import { Http } from '../../src/dissectors/http-layer.js';
import { fieldsOf, readAll, values } from '../packets.js';
import { alone, octets, Talk } from '../reassembly/talk.js';

const lines = (...text: string[]) => `${text.join('\r\n')}\r\n\r\n`;
const GET = lines('GET /a/b?x=1&y=%20 HTTP/1.1', 'Host: www.example.org', 'User-Agent: test/1', 'Cookie: a=1; b=2', 'X-Own: yes');
const OK = `${lines('HTTP/1.1 200 OK', 'Content-Type: text/plain; charset=utf-8', 'Content-Length: 5')}hello`;

const infos = (frame: Frame) =>
  frame.all(Http).map((layer) => {
    frame.depth = 0;
    frame.push(layer);
    frame.remark = undefined;
    return frame.info;
  });
const bodies = (frame: Frame) => frame.all(Http).map((layer) => Buffer.from(layer.content ?? []).toString());

test('a request: every field', () => {
  expect(fieldsOf(new Talk(80).open().client(0, GET), 'http')).toEqual({
    'http.chat': '1',
    'http.request.method': 'GET',
    'http.request.uri': '/a/b?x=1&y=%20',
    'http.request.uri.path': '/a/b',
    'http.request.uri.query': 'x=1&y=%20',
    'http.request.uri.query.parameter': 'x=1,y=%20',
    'http.request.version': 'HTTP/1.1',
    'http.request.line': 'Host: www.example.org\r\n,User-Agent: test/1\r\n,Cookie: a=1; b=2\r\n,X-Own: yes\r\n',
    'http.host': 'www.example.org',
    'http.user_agent': 'test/1',
    'http.cookie': 'a=1; b=2',
    'http.cookie_pair': 'a=1,b=2',
    'http.request.full_uri': 'http://www.example.org/a/b?x=1&y=%20',
    'http.request': '1',
    'http.request_number': '1',
    'http.body_length': '0',
  });
});

test('a response: every field, and the request that it answers', () => {
  const talk = new Talk(80).open();
  talk.client(0, GET);
  talk.server(0, OK);
  talk.client(GET.length, GET, OK.length);
  const frame = talk.server(OK.length, OK, 2 * GET.length);
  expect(frame.info).toBe('HTTP/1.1 200 OK (text/plain) · 1 s after #6');
  expect(fieldsOf(frame, 'http')).toEqual({
    'http.chat': '1',
    'http.response.version': 'HTTP/1.1',
    'http.response.code': '200',
    'http.response.code.desc': 'OK',
    'http.response.phrase': 'OK',
    'http.response.line': 'Content-Type: text/plain; charset=utf-8\r\n,Content-Length: 5\r\n',
    'http.content_type': 'text/plain; charset=utf-8',
    'http.content_length_header': '5',
    'http.content_length': '5',
    'http.response': '1',
    'http.response_number': '2',
    'http.prev_request_in': '4',
    'http.prev_response_in': '5',
    'http.request_in': '6',
    'http.time': '1.000000000',
    'http.response_for.uri': 'http://www.example.org/a/b?x=1&y=%20',
    'http.body_length': '5',
    'http.file_data': '68656c6c6f',
  });
});

describe('where a message ends', () => {
  const answered = (request: string, response: string, more = '') => {
    const talk = new Talk(80).open();
    talk.client(0, request);
    return talk.server(0, response + more, request.length);
  };
  const next = OK.replace('hello', 'later');

  test.each([
    ['by its length', GET, OK, 'hello'],
    [
      'after its last chunk',
      GET,
      `${lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n`,
      'hello!',
    ],
    ['at its head, as an answer to HEAD', lines('HEAD / HTTP/1.1', 'Host: a'), lines('HTTP/1.1 200 OK', 'Content-Length: 500'), ''],
    ['at its head, without content', GET, lines('HTTP/1.1 204 No Content', 'Content-Length: 3'), ''],
    ['at its head, not modified', GET, lines('HTTP/1.1 304 Not Modified', 'Content-Length: 3'), ''],
  ])('%s', (_how, request, response, body) => {
    const frame = answered(request, response, next);
    expect(bodies(frame)).toEqual([body, 'later']);
  });

  test('with the connection, when it says nothing else', () => {
    const talk = new Talk(80).open();
    talk.client(0, GET);
    const response = `${lines('HTTP/1.0 200 OK')}all that comes`;
    expect(infos(talk.server(0, response))).toEqual([]);
    expect(bodies(talk.server(response.length, ' until the end'))).toEqual([]);
    const end = talk.send('FA', 'server', response.length + 14, '', GET.length);
    expect(bodies(end)).toEqual(['all that comes until the end']);
    expect(values(end, 'tcp.segment')).toBe('5,6,7');
  });

  test('chunks and trailers are told', () => {
    const frame = answered(GET, `${lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n`);
    expect(values(frame, 'http.chunk_size')).toBe('5,0');
    expect(values(frame, 'http.chunk_data')).toBe('68656c6c6f');
    expect(values(frame, 'http.chunk_boundary')).toBe('0d0a');
    expect(values(frame, 'http.trailer')).toBe('X-Sum: 1');
  });

  test('an interim answer leaves the request to the final one', () => {
    const talk = new Talk(80).open();
    talk.client(0, lines('POST / HTTP/1.1', 'Host: a', 'Expect: 100-continue', 'Content-Length: 2'));
    expect(values(talk.server(0, lines('HTTP/1.1 100 Continue')), 'http.request_in')).toBe('');
    talk.client(75, 'ab');
    expect(infos(talk.server(25, OK))).toEqual(['HTTP/1.1 200 OK (text/plain)']);
  });
});

test('pipelined requests are answered in their order', () => {
  const talk = new Talk(80).open();
  const asked = talk.client(0, GET.replace('/a/b', '/1') + GET.replace('/a/b', '/2'));
  expect(asked.info).toBe('GET /1?x=1&y=%20 HTTP/1.1, GET /2?x=1&y=%20 HTTP/1.1');
  const frame = talk.server(0, OK + OK.replace('200 OK', '404 Not Found'));
  expect(frame.info).toBe('HTTP/1.1 200 OK (text/plain), HTTP/1.1 404 Not Found (text/plain) · 1 s after #4');
  expect(values(frame, 'http.response_for.uri')).toBe('http://www.example.org/1?x=1&y=%20,http://www.example.org/2?x=1&y=%20');
});

test('of very many requests in a segment the first are told, and the others counted', () => {
  const frame = new Talk(80).open().client(0, lines('GET / HTTP/1.1').repeat(1000));
  expect(frame.info).toMatch(/^GET \/ HTTP\/1\.1, GET .* \(\+743 more\)$/);
});

test('compressed bodies are shown as they were, and a bomb is not', () => {
  const body = gzipSync('hello, world');
  const head = lines('HTTP/1.1 200 OK', 'Content-Encoding: gzip', `Content-Length: ${body.length}`);
  const frame = new Talk(80).open().server(0, Buffer.concat([Buffer.from(head), body]));
  expect(bodies(frame)).toEqual(['hello, world']);
  const bomb = gzipSync(Buffer.alloc(64 << 20));
  const talk = new Talk(80).open();
  const wire = Buffer.concat([Buffer.from(lines('HTTP/1.1 200 OK', 'Content-Encoding: gzip', `Content-Length: ${bomb.length}`)), bomb]);
  let last: Frame | undefined;
  for (let at = 0; at < wire.length; at += 60_000) last = talk.server(at, wire.subarray(at, at + 60_000));
  expect(last!.get(Http)!.content!.length).toBe(bomb.length);
});

test('what comes after CONNECT is recognised anew', () => {
  const talk = new Talk(8080).open();
  const connect = lines('CONNECT redis:6379 HTTP/1.1', 'Host: redis:6379');
  talk.client(0, connect);
  talk.server(0, lines('HTTP/1.1 200 Connection established'), connect.length);
  expect(values(talk.client(connect.length, '*1\r\n$4\r\nPING\r\n'), 'resp.command')).toBe('PING');
});

test('a lost segment of a body does not lose the answers after it', () => {
  const talk = new Talk(80).open();
  talk.client(0, GET + GET);
  const head = lines('HTTP/1.1 200 OK', 'Content-Length: 3000');
  talk.server(0, head + 'x'.repeat(1000));
  talk.send('A', 'client', 2 * GET.length, '', head.length + 3000);
  // The second thousand is missing.
  const frame = talk.server(head.length + 2000, 'y'.repeat(1000) + OK, 2 * GET.length);
  expect(frame.all(Http).map((layer) => [layer.head.code, layer.incomplete])).toEqual([
    [200, true],
    [200, false],
  ]);
  expect(values(frame, 'http.request_in')).toBe('4,4');
});

test('a lost answer does not shift the pairs after it', () => {
  const talk = new Talk(80).open();
  const answers = (frame: Frame) => values(frame, 'http.request_in');
  talk.client(0, GET);
  talk.server(0, OK, GET.length);
  talk.client(GET.length, GET, OK.length);
  // The second answer is not in the capture.
  talk.client(2 * GET.length, GET, 2 * OK.length);
  const frame = talk.server(2 * OK.length, OK, 3 * GET.length);
  expect(answers(frame)).toBe('7');
  expect(values(frame, 'http.response_number')).toBe('3');
});

test('a request that waits behind a hole until its answer has come takes no other', () => {
  const talk = new Talk(80).open();
  talk.client(0, GET);
  talk.server(0, OK, GET.length);
  // The second request and its answer are not in the capture; the third waits for what is missing before it.
  const third = talk.client(2 * GET.length, GET, 2 * OK.length);
  const answer = talk.server(2 * OK.length, OK, 3 * GET.length);
  expect([values(third, 'http.request'), values(answer, 'http.response.code'), values(answer, 'http.request_in')]).toEqual(['', '200', '']);
  const half = GET.length >> 1;
  expect(values(talk.client(3 * GET.length, GET.slice(0, half), 3 * OK.length), 'http.request')).toBe('1');
  const fourth = talk.client(3 * GET.length + half, GET.slice(half), 3 * OK.length);
  const last = talk.server(3 * OK.length, OK, 4 * GET.length);
  expect([values(last, 'http.request_in'), values(last, 'http.time')]).toEqual([String(fourth.number), '1.000000000']);
});

test('credentials, and names that are none', () => {
  const frame = new Talk(80).open().client(0, lines('GET / HTTP/1.1', 'Authorization: Basic dGVzdDpmYWlsMg==', 'Bad Name: x'));
  expect(values(frame, 'http.authbasic')).toBe('test:fail2');
  expect(values(frame, 'http.bad_header_name')).toBe('1');
});

test('it is recognised on any port, by either side', () => {
  expect(values(new Talk(12345).open().client(0, GET), 'http.host')).toBe('www.example.org');
  expect(values(new Talk(12345).open().server(0, OK), 'http.response.code')).toBe('200');
  expect(values(new Talk(12345).open().client(0, 'GET OUT\r\n'), 'http.request')).toBe('');
});

const EVERYTHING = `${GET + lines('POST /x HTTP/1.1', 'Content-Length: 3')}abc${lines('PUT /y HTTP/1.1', 'Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n\r\n${GET}`;

test('one octet at a time gives what one segment gives', () => {
  const whole = new Talk(80).open().client(0, EVERYTHING);
  const talk = new Talk(80).open();
  const found: string[] = [];
  for (let i = 0; i < EVERYTHING.length; i++) found.push(...infos(talk.client(i, EVERYTHING[i]!)));
  expect(found).toEqual(infos(whole));
  expect(found.length).toBe(4);
});

test('every cut and every changed octet is survived', () => {
  const wire = octets(EVERYTHING);
  for (let i = 0; i <= wire.length; i++) readAll(new Talk(80).open().client(0, wire, 0, i));
  let state = 7;
  for (let round = 0; round < 1500; round++) {
    const changed = wire.slice();
    for (let i = 0; i <= round % 5; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      changed[(state >>> 8) % changed.length] = [0, 10, 13, 32, 48, 57, 58, 128, 255][(state >>> 4) % 9]!;
    }
    const talk = new Talk(80).open();
    const half = (round * 7) % changed.length;
    readAll(talk.client(0, changed.slice(0, half + 1)));
    readAll(talk.client(half + 1, changed.slice(half + 1)));
  }
});

test('a head without end and a chunk of 2^40 octets cost linear time and no memory', () => {
  const started = process.cpuUsage();
  const parser = httpStream.parser(alone(true));
  const endless = octets(`GET / HTTP/1.1\r\n${'A: b\r\n'.repeat(40_000)}`);
  for (let end = 1; end < endless.length; end += 3) expect(parser.measure(endless, 0, end, false)).toBe(0);
  const talk = new Talk(80).open();
  const head = `${lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}fffffffffff\r\n`;
  talk.server(0, head);
  talk.send('A', 'client', 0, '', 1_000_000);
  expect(infos(talk.server(500_000, OK)).at(-1)).toBe('HTTP/1.1 200 OK (text/plain)');
  expect(process.cpuUsage(started).user / 1000).toBeLessThan(5000);
});
