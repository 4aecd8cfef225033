import { describe, expect, test } from 'vitest';
import type { Asked, NoReply, RespObserver, Unasked } from '../../src/analysis/resp-exchanges.js';
import { noCounts } from '../../src/analysis/resp-exchanges.js';
import type { Frame } from '../../src/core/frame.js';
import type { Resp } from '../../src/dissectors/resp.js';
import { Talk } from '../reassembly/talk.js';
import { value } from './run.js';

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
const command = (words: string) => {
  const list = words.split(' ');
  return `*${list.length}\r\n${list.map(bulk).join('')}`;
};

/** Writes down what it is told: `GET a = "1"`, `GET a: lost`, `! message news "x"`. */
class Notes implements RespObserver {
  readonly counts = noCounts();
  readonly lines: string[] = [];
  command(_frame: Frame, resp: Resp): string {
    return textOf(resp);
  }
  reply(_frame: Frame, resp: Resp, _talk: unknown, asked: Asked, last: boolean): void {
    this.lines.push(`${asked.note as string} ${last ? '=' : '~'} ${textOf(resp)}`);
  }
  noReply(note: unknown, _talk: unknown, why: NoReply): void {
    this.lines.push(`${note as string}: ${why}`);
  }
  unasked(_frame: Frame, resp: Resp, _talk: unknown, what: Unasked): void {
    this.lines.push(`! ${what}: ${textOf(resp)}`);
  }
}

const textOf = (resp: Resp) =>
  Buffer.from(resp.bytes.subarray(resp.start, resp.captured))
    .toString('latin1')
    .replaceAll(/\$\d+\r\n/g, '')
    .replaceAll('\r\n', ' ')
    .trim();

/** Says lines of `> command` and `< reply` in turn, each in a segment of its own, and returns what was found out. */
function said(...lines: string[]): string[] {
  const notes = new Notes();
  const talk = new Talk(6379, { respObserver: notes }).open();
  const at = { '>': 0, '<': 0 };
  for (const line of lines) {
    const way = line[0] as '>' | '<';
    const text = way === '>' ? command(line.slice(2)) : line.slice(2).replaceAll('|', '\r\n');
    const missing = text.startsWith('lost ');
    const octets = missing ? '.'.repeat(Number(text.slice(5))) : text;
    if (!missing) talk[way === '>' ? 'client' : 'server'](at[way], octets, at[way === '>' ? '<' : '>']);
    at[way] += octets.length;
  }
  talk.session.hooks.end?.();
  return notes.lines;
}

test('a reply tells its command and the time it took', () => {
  const talk = new Talk(6379).open();
  talk.client(0, command('GET a') + command('GET b'));
  const frame = talk.server(0, '$1\r\n1\r\n$1\r\n2\r\n', 40);
  expect(frame.info).toBe('"2" · 1 s after #4');
  expect([value(frame, 'resp.response_to'), value(frame, 'resp.time')]).toEqual(['4,4', '1.000000000,1.000000000']);
});

test('the time is from the end of the command to the beginning of the reply', () => {
  const talk = new Talk(6379).open();
  const text = command('GET a');
  talk.client(0, text.slice(0, 8)); // at 3 s
  talk.client(8, text.slice(8)); // 4 s
  talk.server(0, '$6\r\nab', 40); // 5 s
  const frame = talk.server(6, 'cdef\r\n', 40);
  expect(frame.info).toBe('"abcdef" · 1 s after #5');
});

describe('who answers whom', () => {
  test.each<[string, string[], string[]]>([
    [
      'pipelined, with errors',
      ['> SET a 1', '> LPUSH a x', '> GET a', '< +OK|', '< -WRONGTYPE no|$1|1|'],
      ['*3 SET a 1 = +OK', '*3 LPUSH a x = -WRONGTYPE no', '*2 GET a = 1'],
    ],
    [
      'transactions',
      ['> MULTI', '> INCR n', '> EXEC', '< +OK|+QUEUED|*1|:1|'],
      ['*1 MULTI = +OK', '*2 INCR n = +QUEUED', '*1 EXEC = *1 :1'],
    ],
    [
      'several confirmations, then messages, also between replies',
      [
        '> SUBSCRIBE a b',
        '< *3|$9|subscribe|$1|a|:1|*3|$9|subscribe|$1|b|:2|',
        '< *3|$7|message|$1|a|$2|hi|',
        '> UNSUBSCRIBE',
        '< *3|$7|message|$1|b|$2|ho|*3|$11|unsubscribe|$1|a|:1|*3|$11|unsubscribe|$1|b|:0|',
        '> LRANGE l 0 -1',
        '< *2|$7|message|$1|x|',
      ],
      [
        '*3 SUBSCRIBE a b ~ *3 subscribe a :1',
        '*3 SUBSCRIBE a b = *3 subscribe b :2',
        '! message: *3 message a hi',
        '! message: *3 message b ho',
        '*1 UNSUBSCRIBE ~ *3 unsubscribe a :1',
        '*1 UNSUBSCRIBE = *3 unsubscribe b :0',
        '*4 LRANGE l 0 -1 = *2 message x',
      ],
    ],
    [
      'RESP3 pushes',
      ['> SUBSCRIBE a', '> GET k', '< >3|$9|subscribe|$1|a|:1|>3|$7|message|$1|a|$1|m|$1|v|', '< >2|$10|invalidate|*1|$1|k|'],
      ['*2 SUBSCRIBE a = >3 subscribe a :1', '! message: >3 message a m', '*2 GET k = v', '! message: >2 invalidate *1 k'],
    ],
    [
      'arrays of RESP3 are no pushes, whatever they say',
      ['> HELLO 3', '< %1|$5|proto|:3|', '> SUBSCRIBE a', '< >3|$9|subscribe|$1|a|:1|', '> LRANGE l 0 -1', '< *2|$7|message|$1|a|'],
      ['*2 HELLO 3 = %1 proto :3', '*2 SUBSCRIBE a = >3 subscribe a :1', '*4 LRANGE l 0 -1 = *2 message a'],
    ],
    [
      'what there is to leave is known when it is left',
      [
        '> SUBSCRIBE a b',
        '> UNSUBSCRIBE',
        '> PUNSUBSCRIBE',
        '< *3|$9|subscribe|$1|a|:1|*3|$9|subscribe|$1|b|:2|*3|$11|unsubscribe|$1|b|:1|*3|$11|unsubscribe|$1|a|:0|',
        '< *3|$12|punsubscribe|$-1|:0|',
        '> PING',
        '< +PONG|',
      ],
      [
        '*3 SUBSCRIBE a b ~ *3 subscribe a :1',
        '*3 SUBSCRIBE a b = *3 subscribe b :2',
        '*1 UNSUBSCRIBE ~ *3 unsubscribe b :1',
        '*1 UNSUBSCRIBE = *3 unsubscribe a :0',
        '*1 PUNSUBSCRIBE = *3 punsubscribe $-1 :0',
        '*1 PING = +PONG',
      ],
    ],
    [
      'RESET ends CLIENT REPLY OFF and monitoring',
      ['> CLIENT REPLY OFF', '> RESET', '< +RESET|', '> MONITOR', '< +OK|', '> RESET', '< +RESET|', '> ECHO 1', '< +1|'],
      ['*3 CLIENT REPLY OFF: silent', '*1 RESET = +RESET', '*1 MONITOR = +OK', '*1 RESET = +RESET', '*2 ECHO 1 = +1'],
    ],
    ['a server that shuts down', ['> GET a', '> SHUTDOWN'], ['*2 GET a: open', '*1 SHUTDOWN: silent']],
    ['a server that refuses clients', ['< -ERR max number of clients reached|'], ['! refusal: -ERR max number of clients reached']],
    [
      'a monitor',
      ['> MONITOR', '< +OK|+1.5 [0 c] "PING"|', '> PING', '< +PONG|'],
      ['*1 MONITOR = +OK', '! monitor: +1.5 [0 c] "PING"', '*1 PING = +PONG'],
    ],
    [
      'CLIENT REPLY',
      ['> CLIENT REPLY SKIP', '> SET a 1', '> GET a', '< $1|1|', '> client reply off', '> SET a 2', '> CLIENT REPLY ON', '< +OK|'],
      [
        '*3 CLIENT REPLY SKIP: silent',
        '*3 SET a 1: silent',
        '*2 GET a = 1',
        '*3 client reply off: silent',
        '*3 SET a 2: silent',
        '*3 CLIENT REPLY ON = +OK',
      ],
    ],
    [
      'a replica',
      ['> PSYNC ? -1', '< +FULLRESYNC abc 0|', '< $4|REDI', '< *1|$4|PING|', '> REPLCONF ACK 14'],
      ['*3 PSYNC ? -1 = +FULLRESYNC abc 0', '! data set: REDI', '! replication: *1 PING', '*3 REPLCONF ACK 14: silent'],
    ],
    ['the end of the capture', ['> BLPOP q 0'], ['*3 BLPOP q 0: open']],
    ['a reply alone', ['< +OK|', '> PING', '< +PONG|'], ['! stray: +OK', '*1 PING = +PONG']],
  ])('%s', (_what, lines, found) => {
    expect(said(...lines)).toEqual(found);
  });

  test('a hole that swallows a reply costs that command its reply and no other', () => {
    const notes = new Notes();
    const talk = new Talk(6379, { respObserver: notes }).open();
    const [a, b] = [command('GET a'), command('GET b')];
    talk.client(0, a, 0);
    // The reply to the first, `$1\r\n1\r\n`, is not in the capture, but the client has it when it goes on.
    talk.client(a.length, b, 7);
    talk.server(7, '$1\r\n2\r\n', a.length + b.length);
    talk.send('A', 'client', a.length + b.length, '', 14);
    talk.client(a.length + b.length, command('PING'), 14);
    talk.server(14, '+PONG\r\n', a.length + b.length + 14);
    expect(notes.lines).toEqual(['*2 GET a: lost', '*2 GET b = 2', '*1 PING = +PONG']);
    expect(notes.counts).toMatchObject({ paired: 2, lostReplies: 1, strayReplies: 0 });
  });

  test('a hole that swallows a command leaves its reply alone', () => {
    const notes = new Notes();
    const talk = new Talk(6379, { respObserver: notes }).open();
    const [a, b] = [command('GET a'), command('GET b')];
    talk.client(0, a, 0);
    talk.server(0, '$1\r\n1\r\n', a.length);
    // `GET b` is not in the capture; `GET c` is sent before its reply comes.
    const after = a.length + b.length;
    talk.send('A', 'server', 7, '', after);
    talk.client(after, command('GET c'), 7);
    talk.server(7, '$1\r\n2\r\n', after);
    // Whether this is of `GET c` or of another that is not in the capture, nobody knows; `GET d` is sent when all has come.
    talk.server(14, '$1\r\n3\r\n', after + b.length);
    talk.client(after + b.length, command('GET d'), 21);
    talk.server(21, '$1\r\n4\r\n', after + 2 * b.length);
    expect(notes.lines).toEqual(['*2 GET a = 1', '! stray: 2', '! stray: 3', '*2 GET c: lost', '*2 GET d = 4']);
  });

  test('a command that waits behind a hole until its reply has come takes no other', () => {
    const notes = new Notes();
    const talk = new Talk(6379, { respObserver: notes }).open();
    const [a, b] = [command('GET a'), command('GET b')];
    talk.client(0, a, 0);
    talk.server(0, '$1\r\n1\r\n', a.length);
    // `GET b` and its reply are not in the capture.
    const after = a.length + b.length;
    talk.client(after, command('GET c'), 14);
    talk.server(14, '$1\r\n3\r\n', after + b.length);
    talk.client(after + b.length, command('GET d').slice(0, 5), 21);
    talk.client(after + b.length + 5, command('GET d').slice(5), 21);
    talk.server(21, '$1\r\n4\r\n', after + 2 * b.length);
    talk.session.hooks.end?.();
    expect(notes.lines).toEqual(['*2 GET a = 1', '! stray: 3', '*2 GET c: lost', '*2 GET d = 4']);
  });
});

test('arrays without elements are no commands, and those with very many get all their confirmations', () => {
  const notes = new Notes();
  const talk = new Talk(6379, { respObserver: notes }).open();
  const names = Array.from({ length: 1500 }, (_, i) => `c${i}`);
  const subscribe = command(`SUBSCRIBE ${names.join(' ')}`);
  talk.client(0, '*-1\r\n*0\r\n*1\r\n$4\r\nPING\r\n');
  talk.server(0, '+PONG\r\n', 23);
  talk.client(23, subscribe, 7);
  talk.server(7, names.map((name, i) => `*3\r\n$9\r\nsubscribe\r\n${bulk(name)}:${i + 1}\r\n`).join(''), 23 + subscribe.length);
  expect(notes.lines[0]).toBe('*1 PING = +PONG');
  expect(notes.lines.filter((line) => line.includes(' = '))).toHaveLength(2);
  expect(notes.counts).toMatchObject({ commands: 2, paired: 2, strayReplies: 0, pushed: 0 });
});

test('replies to commands that were asked together are not told apart behind a hole; those asked after them are', () => {
  const notes = new Notes();
  const talk = new Talk(6379, { respObserver: notes }).open();
  const together = ['GET a', 'GET b', 'GET c', 'GET d'].map(command).join('');
  const sent = 2 * together.length;
  talk.client(0, together, 0);
  talk.server(0, '$1\r\n1\r\n', together.length);
  // `$1\r\n2\r\n` is not in the capture, and whether it was one reply or more cannot be known.
  talk.send('A', 'client', together.length, '', 14);
  talk.server(14, '$1\r\n3\r\n$1\r\n4\r\n', together.length);
  talk.client(together.length, together, 28);
  talk.server(28, '$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n', sent);
  expect(notes.lines).toEqual([
    '*2 GET a = 1',
    '! stray: 3',
    '! stray: 4',
    '*2 GET b: lost',
    '*2 GET c: lost',
    '*2 GET d: lost',
    '*2 GET a = 1',
    '*2 GET b = 2',
    '*2 GET c = 3',
    '*2 GET d = 4',
  ]);
  expect(notes.counts).toMatchObject({ paired: 5, lostReplies: 3, strayReplies: 2 });
});

test('commands behind a hole in what was asked together get no replies of others', () => {
  const notes = new Notes();
  const talk = new Talk(6379, { respObserver: notes }).open();
  const [a, b, c] = ['GET a', 'GET b', 'GET c'].map(command) as [string, string, string];
  const sent = a.length + b.length + c.length;
  talk.client(0, a, 0);
  // `GET b` is not in the capture.
  talk.send('A', 'server', 0, '', a.length + b.length);
  talk.client(a.length + b.length, c, 0);
  talk.server(0, '$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n', sent);
  talk.client(sent, command('PING'), 21);
  talk.server(21, '+PONG\r\n', sent + 14);
  expect(notes.lines).toEqual(['*2 GET a = 1', '! stray: 2', '! stray: 3', '*2 GET c: lost', '*1 PING = +PONG']);
});

test('a replica shows itself by its acknowledgments, also where the capture begins later', () => {
  expect(said('> REPLCONF ACK 14', `< ${command('SET k v').replaceAll('\r\n', '|')}`, '> REPLCONF ACK 40')).toEqual([
    '*3 REPLCONF ACK 14: silent',
    '! replication: *3 SET k v',
    '*3 REPLCONF ACK 40: silent',
  ]);
});

describe('a connection that began before the capture', () => {
  /** Octets of `GET a` and of a reply of one character. */
  const asks = command('GET a').length;
  const one = (text: string) => `$1\r\n${text}\r\n`;
  const joined = () => {
    const notes = new Notes();
    return { notes, talk: new Talk(6379, { respObserver: notes }) };
  };

  test('what a client asks that has every reply is answered next', () => {
    const { notes, talk } = joined();
    talk.server(0, one('0'), 0);
    talk.client(0, command('GET a'), 7);
    talk.server(7, one('1'), asks);
    talk.client(asks, command('GET b') + command('GET c'), 14);
    talk.server(14, one('2') + one('3'), 3 * asks);
    expect(notes.lines).toEqual(['! stray: 0', '*2 GET a = 1', '*2 GET b = 2', '*2 GET c = 3']);
  });

  test('in the middle of a batch nobody knows what is answered, until its end', () => {
    const { notes, talk } = joined();
    // Two commands before it have replies to come: one was sent before the server had `GET a`, one after.
    talk.server(0, one('x'), 0);
    talk.client(0, command('GET a'), 0);
    talk.server(7, one('y'), 0);
    talk.server(14, one('z'), asks);
    talk.client(asks, command('GET b'), 7);
    talk.server(21, one('1') + one('2'), 2 * asks);
    talk.client(2 * asks, command('GET c'), 35);
    talk.server(35, one('3'), 3 * asks);
    talk.session.hooks.end?.();
    expect(notes.lines.filter((line) => line.includes('='))).toEqual(['*2 GET c = 3']);
    expect(notes.counts).toMatchObject({ commands: 3, replies: 6, paired: 1, lostReplies: 2, strayReplies: 5, unanswered: 0 });
  });

  test('where acknowledgments come late, a server that has answered all that it has, time and again, owes nothing', () => {
    const { notes, talk } = joined();
    talk.server(0, one('0'), 0);
    // The client has never yet received the reply before when it asks.
    for (let i = 0; i < 12; i++) {
      talk.client(i * asks, command('GET a'), i * 7);
      talk.server(7 + i * 7, one(String(i % 10)), (i + 1) * asks);
    }
    expect(notes.lines.slice(-6)).toEqual(['*2 GET a: lost', '! stray: 7', '*2 GET a = 8', '*2 GET a = 9', '*2 GET a = 0', '*2 GET a = 1']);
    expect(notes.counts).toMatchObject({ paired: 4, lostReplies: 8, strayReplies: 9 });
  });
});
