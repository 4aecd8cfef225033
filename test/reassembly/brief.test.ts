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

describe('lines are the same whatever the network does', () => {
  const number = (below: number, next: (below: number) => number): number => 1 + next(below);
  const http = (next: (below: number) => number): [client: string, server: string] => {
    let client = '';
    let server = '';
    for (let i = 0; i < 40; i++) {
      const posted = next(3) === 0 ? 'p'.repeat(number(3000, next)) : '';
      client += `${posted === '' ? 'GET' : 'POST'} /${i} HTTP/1.1\r\nHost: h.example\r\n${posted === '' ? '' : `Content-Length: ${posted.length}\r\n`}\r\n${posted}`;
      const body = 'HTTP/1.1 b\r\n'.repeat(next(400));
      if (next(4) === 0)
        server += `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n${body === '' ? '' : '0\r\n\r\n'}`;
      else server += `HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    }
    return [client, `${server}HTTP/1.1 200 OK\r\n\r\n${'until the end '.repeat(200)}`];
  };
  const redis = (next: (below: number) => number): [client: string, server: string] => {
    let client = '';
    let server = '';
    for (let i = 0; i < 200; i++) {
      const value = 'v\r\n'.repeat(next(next(8) === 0 ? 900 : 4));
      client += `*3\r\n$3\r\nSET\r\n$${String(i).length}\r\n${i}\r\n$${value.length}\r\n${value}\r\n`;
      server += ['+OK\r\n', `$${value.length}\r\n${value}\r\n`, '-ERR no\r\n', ':1\r\n', '*2\r\n$1\r\na\r\n*0\r\n', '_\r\n'][next(6)]!;
    }
    return [client, server];
  };

  test.each([1, 2, 3, 4, 5, 6])('seed %i', (seed) => {
    for (const [port, make] of [
      [80, http],
      [6379, redis],
    ] as const) {
      const next = random(seed);
      const streams = make(next);
      const way = (i: number) => (i === 0 ? 'client' : 'server');
      const segments: [way: number, from: number, to: number, captured: number | undefined][] = [];
      for (let at = [0, 0]; at[0]! < streams[0].length || at[1]! < streams[1].length; ) {
        const i = at[0]! / streams[0].length <= at[1]! / streams[1].length ? 0 : 1;
        const to = Math.min(streams[i]!.length, at[i]! + number(next(3) === 0 ? 60 : 1400, next));
        segments.push([i, at[i]!, to, next(60) === 0 ? next(to - at[i]!) : undefined]);
        at = at.with(i, to);
      }
      // Swap some, repeat and widen some, lose some.
      for (let i = 0; i + 3 < segments.length; i++) if (next(9) === 0) segments.splice(i, 2, segments[i + 1]!, segments[i]!);
      for (let i = segments.length - 1; i > 0; i--) {
        const [to, from, end] = segments[i]!;
        if (next(9) === 0) segments.splice(i, 0, [to, Math.max(0, from - next(400)), end, undefined]);
        else if (next(40) === 0) segments.splice(i, 1);
      }
      const full = new Talk(port).open();
      const brief = new Talk(port, BRIEF).open();
      const have = [0, 0];
      for (const [i, from, to, captured] of segments) {
        have[i] = Math.max(have[i]!, to);
        const payload = streams[i]!.slice(from, to);
        const acknowledges = Math.max(0, have[1 - i]! - next(2) * 500);
        const line = full.send('PA', way(i), from, payload, acknowledges, captured).info;
        expect(brief.send('PA', way(i), from, payload, acknowledges, captured).info).toBe(line);
      }
      for (const i of [0, 1]) {
        const line = full.send('FA', way(i), streams[i]!.length, '', have[1 - i]).info;
        expect(brief.send('FA', way(i), streams[i]!.length, '', have[1 - i]).info).toBe(line);
      }
    }
  });
});

/** Numbers from 0 to below the argument, always the same for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed * 2654435761;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
