/** A session for lines alone: it holds less, and its lines are the same. */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type HttpTransaction, HttpTransactions } from '../../src/analysis/http-transactions.js';
import { type RespTransaction, RespTransactions } from '../../src/analysis/resp-transactions.js';
import { openCapture } from '../../src/capture/open.js';
import { TextBuffer } from '../../src/core/text.js';
import { Http } from '../../src/dissectors/http-layer.js';
import { Resp } from '../../src/dissectors/resp.js';
import { Tcp } from '../../src/dissectors/tcp.js';
import { createSession, framesOf } from '../../src/frames.js';
import { LINE_DEFAULTS, LineWriter } from '../../src/output/line.js';
import { roughTalks } from './rough.js';
import { Talk } from './talk.js';

const BRIEF = { brief: true };

async function linesOf(path: string, brief: boolean): Promise<string> {
  const out = new TextBuffer();
  const writer = new LineWriter(LINE_DEFAULTS);
  for await (const frame of framesOf(await openCapture(path), createSession({ brief }))) writer.write(out, frame);
  writer.release(out);
  return out.toString();
}

const captures = readdirSync('fixtures').filter((name) => name.endsWith('.pcap'));

test.each(captures)('%s has the same lines', async (name) => {
  expect(await linesOf(`fixtures/${name}`, true)).toBe(await linesOf(`fixtures/${name}`, false));
});

/** Everything that is told of the requests and commands of a capture. */
async function transactionsOf(path: string, brief: boolean): Promise<object[]> {
  const told: object[] = [];
  const tell = ({ older: _older, newer: _newer, ...rest }: HttpTransaction | RespTransaction) => void told.push(rest);
  const session = createSession({ brief, httpTransactions: new HttpTransactions(tell), respObserver: new RespTransactions(tell) });
  for await (const _frame of framesOf(await openCapture(path), session));
  return told;
}

test.each(captures)('%s has the same transactions', async (name) => {
  expect(await transactionsOf(`fixtures/${name}`, true)).toEqual(await transactionsOf(`fixtures/${name}`, false));
});

describe('what no line tells', () => {
  test('the body of a message of several segments is counted', () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n';
    for (const brief of [false, true]) {
      const talk = new Talk(80, { brief }).open();
      talk.client(0, 'GET / HTTP/1.1\r\n\r\n');
      let at = 0;
      let frame = talk.server(at, head, 18);
      for (at += head.length; frame.get(Http) === undefined; at += 1000) frame = talk.server(at, 'b'.repeat(1000), 18);
      const http = frame.get(Http)!;
      expect(at).toBe(head.length + 100_000);
      expect([http.bodyLength, http.bodyCaptured]).toEqual([100_000, 100_000]);
      expect(http.bytes.length < 4096).toBe(brief);
      expect(frame.get(Tcp)!.assembly === undefined).toBe(brief);
    }
  });

  test('what follows such a body in the same segment is a message', () => {
    const first = 'HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n';
    const next = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n';
    const talk = new Talk(80, BRIEF).open();
    talk.server(0, first + 'b'.repeat(1000));
    // Held, and then joined to what it follows: all octets go to those that wait.
    talk.server(first.length + 2000, 'b'.repeat(1000) + next);
    const frame = talk.server(first.length + 1000, 'b'.repeat(1000));
    expect(frame.all(Http).map(({ head, bodyLength }) => [head.code, bodyLength])).toEqual([
      [200, 3000],
      [404, 0],
    ]);
    expect(frame.info).toBe('HTTP/1.1 200 OK, HTTP/1.1 404 Not Found');
  });

  test('the last Redis message of a segment stands for those before it', () => {
    const talk = new Talk(6379, BRIEF).open();
    const asks = talk.client(0, '*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n');
    expect(asks.all(Resp).map(({ command }) => command)).toEqual(['ECHO']);
    expect(asks.info).toBe('ECHO hi');
    const answers = talk.server(0, '+PONG\r\n$-1\r\n$2\r\nhi\r\n', 54);
    expect(answers.all(Resp).map(({ exchange }) => exchange?.request)).toEqual([asks.number]);
    expect(answers.info).toBe(`"hi" · 1 s after #${asks.number}`);
  });
});

test.each([1, 2, 3, 4, 5, 6])('lines are the same whatever the network does, seed %i', (seed) => {
  for (const { port, sent } of roughTalks(seed)) {
    const full = new Talk(port).open();
    const brief = new Talk(port, BRIEF).open();
    for (const one of sent) expect(brief.send(...one).info).toBe(full.send(...one).info);
  }
});
