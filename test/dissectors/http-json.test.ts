import { gzipSync } from 'node:zlib';
import { afterEach, expect, test, vi } from 'vitest';
import { TextBuffer } from '../../src/core/text.js';
import { FirstLine } from '../../src/dissectors/http-first-line.js';
import { readHead } from '../../src/dissectors/http-head.js';
import { Http } from '../../src/dissectors/http-layer.js';
import { JsonWriter } from '../../src/output/json.js';
import { Talk } from '../reassembly/talk.js';

const lines = (...text: string[]) => `${text.join('\r\n')}\r\n\r\n`;
const REQUEST = lines('GET /a?b=1&c HTTP/1.1', 'Host: www.example.org', 'Accept: */*', 'Cookie: a=1; b=2', 'X-Own: yes');
const RESPONSE = `${lines('HTTP/1.1 200 OK', 'Server: own', 'Content-Length: 5', 'Set-Cookie: a=1', 'Server: other')}hello`;

/** The HTTP in a conversation: a request, then the answers. */
function messagesOf(request: string, answers: readonly string[] = []): Http[] {
  const talk = new Talk(80).open();
  const frames = [talk.client(0, request).keep()];
  let at = 0;
  for (const answer of answers) {
    frames.push(talk.server(at, answer, request.length).keep());
    at += answer.length;
  }
  return frames.flatMap((frame) => frame.all(Http));
}

/** The same message with `held` octets of it captured. */
function cut({ frame, bytes, start, end, head, exchange }: Http, held: number): Http {
  frame.captured = start + held;
  const layer = new Http(frame, start, end);
  const line = new FirstLine(bytes, start, start + Math.min(held, head.line), head.kind);
  layer.head = held < head.length ? readHead(bytes, start, held, line, undefined) : head;
  layer.exchange = exchange;
  layer.incomplete = held < end - start;
  layer.datagram = false;
  return layer;
}

function jsonOf(layer: Http, octets = false): string {
  const { frame } = layer;
  frame.depth = 0;
  frame.push(layer);
  const out = new TextBuffer(64);
  new JsonWriter({ octets }).write(out, frame);
  return out.toString();
}

afterEach(() => {
  vi.restoreAllMocks();
});

const REQUESTS = [
  REQUEST,
  lines('GET / HTTP/1.0'),
  'GET /\r\n',
  lines('GET /? HTTP/1.1'),
  lines('GET ?&&a=&=b& HTTP/1.1', 'Host:'),
  lines('GET http://www.example.org/x HTTP/1.1', 'Host: other'),
  lines('GET /ü"\\ HTTP/1.1 more', 'Host: \u001b[2Jü'),
  lines('GET  / HTTP/1.1', 'Host: x'),
  lines('CONNECT www.example.org:443 HTTP/1.1', 'Host: www.example.org:443'),
  lines('OPTIONS * HTTP/1.1', 'Host: a', 'Host: b', 'host: c', 'User-Agent:\t two words \t'),
  lines('GET / HTTP/1.1', 'Host: folded', '  once', '\tand again', 'Accept: x'),
  lines('GET / HTTP/1.1', ' Host: folded', 'Accept: x'),
  lines('GET / HTTP/1.1', 'Host : blank', 'Bad Name: x', ': none', 'no colon', 'Accept: x'),
  lines('GET / HTTP/1.1', 'Authorization: Basic YTpi', 'Proxy-Authorization: Bearer x'),
  lines('GET / HTTP/1.1', 'Cookie: ;', 'Cookie:', 'Cookie:  a=1;;  b ; '),
  lines('GET / HTTP/1.1', ...Array.from({ length: 70 }, (_, i) => `X-Forwarded-For: 192.0.2.${i}`)),
  lines('GET / HTTP/1.1', `${'x'.repeat(40)}: long name`, 'Sec-WebSocket-Extensions-And-More: x', 'Sec-WebSocket-Extensions: x'),
  `GET / HTTP/1.1\nHost: x\nAccept: y\n\n`,
  `${lines('POST /form HTTP/1.1', 'Content-Type: text/plain', 'Content-Length: 3')}a=b`,
  lines('NOTIFY * HTTP/1.1', 'Host: 239.255.255.250:1900', 'NTS: ssdp:alive'),
];

const RESPONSES = [
  RESPONSE,
  lines('HTTP/1.1 204 No Content'),
  lines('HTTP/1.1 200'),
  lines('HTTP/1.1 200 '),
  lines('HTTP/1.1 299 Own words'),
  lines('HTTP/1.1 2000 OK'),
  lines('HTTP/1.1  200 OK'),
  lines('HTTP/1.1 x OK'),
  lines('HTTP/1.1 200 OK', 'Content-Length: 0', 'Content-Length: 000', 'Date: today'),
  `${lines('HTTP/1.1 200 OK', 'Content-Length: five')}hello`,
  `${lines('HTTP/1.1 200 OK', 'Content-Length:')}hello`,
  `${lines('HTTP/1.1 200 OK', 'Content-Length: 00000000000000005')}hello`,
  `${lines('HTTP/1.1 200 OK', 'Content-Length: 5000000000')}hello`,
  `${lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}5\r\nhello\r\na;x=y\r\n0123456789\r\n0\r\n\r\n`,
  `${lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n`,
  `${lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}5\r\nhello\r\nzz\r\n`,
  `${lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}ffffffffff\r\nhello`,
  `${lines('HTTP/1.1 200 OK', 'Content-Encoding: gzip', 'Content-Length: 25')}${gzipSync('hello').toString('latin1')}`,
  `${lines('HTTP/1.1 200 OK', 'Content-Encoding: gzip', 'Content-Length: 5')}hello`,
  lines('HTTP/1.1 304 Not Modified', 'Content-Encoding: gzip'),
  lines('HTTP/1.1 200 OK', ' folded: yes', 'Server : x'),
];

test('a request and its answer as JSON', () => {
  const [request, response] = messagesOf(REQUEST, [RESPONSE]).map((layer) => JSON.parse(jsonOf(layer)).http);
  expect(request).toMatchObject({
    request: {
      value: true,
      method: 'GET',
      uri: { value: '/a?b=1&c', path: '/a', query: { value: 'b=1&c', parameter: ['b=1', 'c'] } },
      version: 'HTTP/1.1',
      full_uri: 'http://www.example.org/a?b=1&c',
    },
    cookie: ['a=1; b=2'],
    cookie_pair: ['a=1', 'b=2'],
    request_number: 1,
  });
  expect(response).toMatchObject({
    response: { value: true, version: 'HTTP/1.1', code: { value: 200, desc: 'OK' }, phrase: 'OK' },
    content_length_header: ['5'],
    content_length: [5],
    server: ['own', 'other'],
    request_in: 4,
    time: 1,
    response_for: { uri: 'http://www.example.org/a?b=1&c' },
  });
});

test.each([...REQUESTS.map((text) => [text, []] as const), ...RESPONSES.map((text) => [REQUEST, [RESPONSE, text]] as const)])(
  '%j %j: straight from the octets as from the walk, also when it is cut',
  (request, answers) => {
    const message = messagesOf(request, answers).at(-1)!;
    for (let held = 0; held <= message.end - message.start; held++) {
      const layer = cut(message, held);
      const quick = jsonOf(layer);
      layer.quickJson = () => false;
      expect(jsonOf(layer)).toBe(quick);
    }
  },
);

test('plain messages need no walk', () => {
  const walk = vi.spyOn(Http.prototype, 'walk');
  const messages = messagesOf(REQUEST, [RESPONSE, RESPONSES[1]!, RESPONSES[13]!]);
  expect(messages).toHaveLength(4);
  for (const layer of messages) jsonOf(layer);
  expect(walk).not.toHaveBeenCalled();
});

const AGAIN = ['Host: a', 'Server: one', 'Content-Length: 0', 'Date: now', 'Cookie: a=1; b'];

/** Often enough that it is known as a whole. */
const often = <T>(value: T): T[] => new Array<T>(12).fill(value);

test.each([
  ['as it was', AGAIN],
  ['with other values', ['Host: a', 'Server: on', 'Content-Length: 00', 'Date: now', 'Cookie: a=1; b=2']],
  ['with longer values', ['Host: a', `Server: ${'one'.repeat(300)}`, 'Content-Length: 0', 'Date: now', `Cookie: ${'a; '.repeat(150)}`]],
  ['with values that are no plain ones', ['Host: ü"', 'Server:', 'Content-Length: +0', 'Date: \t\u001b']],
  ['with credentials', [...AGAIN, 'Authorization: Basic YTpi']],
  ['with other blanks', ['Host: a', 'Server:one', 'Content-Length:\t0', 'Date:  now ', 'Cookie: a=1; b']],
  ['with a folded line', ['Host: a', 'Server: one', ' two', 'Content-Length: 0', '\tnow']],
  ['with other lines', ['Host: a', 'Via: b', 'Content-Length: 0', 'Via: c', 'Host: a']],
  ['with a line that begins as one before', ['Host: a', 'Server: one', 'Content-Length: 0', 'Date: now', 'Cookie: a=1; b\r\r']],
  ['with ends of another kind', ['Host: a\nServer: one\nContent-Length: 0', 'Date: now']],
  ['with the same line twice', [...AGAIN, ...AGAIN]],
])('a head that came before, now %s', (_, changed) => {
  const write = (headers: readonly string[]) => {
    const [message] = messagesOf(lines('GET / HTTP/1.1', ...headers));
    const quick = jsonOf(message!);
    message!.quickJson = () => false;
    expect(quick).toBe(jsonOf(message!));
  };
  for (const headers of [...often(AGAIN), changed, AGAIN, changed, changed, AGAIN, ...often(changed), AGAIN, changed]) write(headers);
});

test('answers with the same head to requests with a body and without', () => {
  const head = lines('HTTP/1.1 200 OK', 'Server: own', 'Content-Type: text/plain', 'Content-Length: 5');
  const write = (method: string, body: string) => {
    const [, answer] = messagesOf(lines(`${method} / HTTP/1.1`, 'Host: a'), [head + body]);
    expect(answer!.bodyLength).toBe(body.length);
    expect(answer!.frame.info).toMatch(/^HTTP\/1\.1 200 OK \(text\/plain\)/);
    const quick = jsonOf(answer!);
    answer!.quickJson = () => false;
    expect(jsonOf(answer!)).toBe(quick);
  };
  for (const method of [...often('GET'), 'HEAD', 'GET', ...often('HEAD'), 'GET', 'HEAD']) write(method, method === 'GET' ? 'hello' : '');
});

test('a request line that came before, of other hosts, and its answers', () => {
  const write = (request: string, answer: string) => {
    for (const message of messagesOf(request, [answer])) {
      const quick = jsonOf(message);
      message.quickJson = () => false;
      expect(quick).toBe(jsonOf(message));
    }
  };
  const hosts = ['Host: a', 'Host: a', 'Host: b', 'Host: a', 'Host: a', 'Host: b', 'Host: b', 'Host: b', 'Host: "', 'Accept: x'];
  for (const host of [...hosts, ...hosts, ...hosts])
    for (const path of ['/again', '/"', `/${'long'.repeat(100)}`])
      write(lines(`GET ${path} HTTP/1.1`, host), lines('HTTP/1.1 200 OK', host));
});

test('what repeats octets is there when asked for', () => {
  expect(JSON.parse(jsonOf(messagesOf(REQUEST, [RESPONSE])[1]!, true)).http.file_data).toBe('68656c6c6f');
});
