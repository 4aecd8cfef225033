import { expect, test } from 'vitest';
import { type HttpTransaction, HttpTransactions } from '../../src/analysis/http-transactions.js';
import { Talk } from '../reassembly/talk.js';

const GET = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`;
const OK = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

function watched(): { talk: Talk; found: HttpTransaction[]; transactions: HttpTransactions } {
  const found: HttpTransaction[] = [];
  const transactions = new HttpTransactions((t) => void found.push(t));
  return { talk: new Talk(80, { httpTransactions: transactions }).open(), found, transactions };
}

const brief = (t: HttpTransaction) => [t.method, t.path, t.outcome, t.status, t.body, t.cut];

test('pipelined requests, an interim answer, and the times to the first and the last octet', () => {
  const { talk, found } = watched();
  const asked = GET('/1') + GET('/2');
  talk.client(0, asked); // at 3 s
  const interim = 'HTTP/1.1 103 Early Hints\r\n\r\n';
  const answers = OK('one') + OK('four');
  talk.server(0, interim, asked.length); // 4 s
  talk.server(interim.length, answers.slice(0, 60), asked.length); // 5 s
  talk.server(interim.length + 60, answers.slice(60), asked.length); // 6 s
  expect(found.map(brief)).toEqual([
    ['GET', '/1', 'answered', 200, 3, false],
    ['GET', '/2', 'answered', 200, 4, false],
  ]);
  expect(found.map((t) => [t.latency, t.duration, t.interim])).toEqual([
    [2e9, 2e9, [103]],
    [2e9, 3e9, []],
  ]);
});

test('what is never answered, breaks off, or was asked before the capture', () => {
  const { talk, found, transactions } = watched();
  // It acknowledges octets that are not there.
  talk.server(0, OK('stray'), 9);
  const asked = GET('/cut');
  talk.client(0, asked, 43);
  talk.server(43, 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', asked.length);
  talk.send('R', 'server', 86, '');
  talk.client(asked.length, GET('/never'), 86);
  talk.session.hooks.end?.();
  expect(found.map(brief)).toEqual([
    ['', '', 'unasked', 200, 5, false],
    ['GET', '/cut', 'answered', 200, 4, true],
    ['GET', '/never', 'unanswered', undefined, 0, false],
  ]);
  expect(transactions.counts).toMatchObject({ requests: 2, answered: 1, unanswered: 1, unasked: 1, cut: 1 });
});

test('an answer that comes before the request is whole, and one that is under way at the end', () => {
  const { talk, found } = watched();
  const put = 'PUT /up HTTP/1.1\r\nContent-Length: 4\r\n\r\n';
  talk.client(0, `${put}ab`);
  talk.server(0, OK('no'), put.length + 2);
  const asked = `cd${GET('/slow')}`;
  talk.client(put.length + 2, asked, OK('no').length);
  talk.server(OK('no').length, 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsom', put.length + 2 + asked.length);
  talk.session.hooks.end?.();
  expect(found.map(brief)).toEqual([
    ['PUT', '/up', 'answered', 200, 2, false],
    ['GET', '/slow', 'answered', 200, 3, true],
  ]);
});

test('an answer that comes before the head of the request is whole', () => {
  const { talk, found } = watched();
  const line = 'GET /long HTTP/1.1\r\nHost: a.te';
  const refusal = 'HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n';
  talk.client(0, line);
  talk.server(0, refusal, line.length);
  talk.client(line.length, 'st\r\n\r\n', refusal.length);
  const never = 'GET /never HTTP/1.1\r\nX: ';
  talk.client(line.length + 6, never, refusal.length);
  talk.server(refusal.length, refusal, line.length + 6 + never.length);
  talk.session.hooks.end?.();
  expect(found.map(brief)).toEqual([
    ['GET', '/long', 'answered', 408, 0, false],
    ['GET', '/never', 'answered', 408, 0, false],
  ]);
  expect(found[0]!.host).toBe('a.test');
});

test('100 Continue comes before the request is whole', () => {
  const { talk, found } = watched();
  const head = 'PUT /up HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n';
  const carryOn = 'HTTP/1.1 100 Continue\r\n\r\n';
  const body = '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n';
  talk.client(0, head);
  talk.server(0, carryOn, head.length);
  talk.client(head.length, body, carryOn.length);
  talk.server(carryOn.length, `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`, head.length + body.length);
  expect(found.map(({ requestBody, body, interim, responseFrames }) => [requestBody, body, interim, responseFrames])).toEqual([
    [body.length, body.length, [100], [5, 7]],
  ]);
});

test('a response to what is no HTTP, to nothing, and to a request that was not captured', () => {
  const bad = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n';
  const of = (steps: (talk: Talk) => void, opened = true) => {
    const found: HttpTransaction[] = [];
    const talk = new Talk(80, { httpTransactions: new HttpTransactions((t) => void found.push(t)) });
    steps(opened ? talk.open() : talk);
    talk.session.hooks.end?.();
    return found.map((t) => `${t.method} ${t.outcome} ${t.status}`.trim());
  };
  const asked = GET('/');
  for (const garbage of ['hello there\r\n\r\n', '\x01\x02\x03\x04', 'GE', 'what'])
    expect(
      of((talk) => {
        talk.client(0, garbage);
        talk.server(0, bad, garbage.length);
      }),
    ).toEqual(['foreign 400']);
  // After a request that was answered, garbage in two segments.
  expect(
    of((talk) => {
      talk.client(0, asked);
      talk.server(0, OK(''), asked.length);
      talk.client(asked.length, 'hello ', OK('').length);
      talk.client(asked.length + 6, 'there\r\n\r\n', OK('').length);
      talk.server(OK('').length, bad, asked.length + 15);
    }),
  ).toEqual(['GET answered 200', 'foreign 400']);
  // Nothing, or nothing more.
  expect(of((talk) => talk.server(0, bad))).toEqual(['unprompted 400']);
  expect(
    of((talk) => {
      talk.client(0, asked);
      talk.server(0, OK(''), asked.length);
      talk.server(OK('').length, bad, asked.length);
    }),
  ).toEqual(['GET answered 200', 'unprompted 400']);
  // The server has octets that we have not.
  expect(of((talk) => talk.server(0, OK(''), 40))).toEqual(['unasked 200']);
  // The first octets behind a hole may be the rest of a request.
  expect(
    of((talk) => {
      talk.client(100, 'rest of a body\r\n');
      talk.serverAcknowledges(116);
      talk.client(116, 'more\r\n');
      talk.server(0, OK(''), 122);
    }),
  ).toEqual(['unasked 200']);
  // Nothing is known of what came before the capture.
  expect(
    of((talk) => {
      talk.client(0, 'rest of a body\r\n\r\n');
      talk.server(0, OK(''), 18);
    }, false),
  ).toEqual(['unasked 200']);
});
