import { expect, test } from 'vitest';
import { type RespTransaction, RespTransactions } from '../../src/analysis/resp-transactions.js';
import { replyValue } from '../../src/analysis/resp-values.js';
import { sentinelEvent } from '../../src/analysis/sentinel.js';
import { keyPattern, redisRow } from '../../src/report/redis.js';
import { octets, Talk } from '../reassembly/talk.js';

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
const command = (...words: string[]) => `*${words.length}\r\n${words.map(bulk).join('')}`;

/** Each pair of command and reply as one transaction. */
function exchanged(pairs: readonly (readonly [string, string])[], showSecrets = false): RespTransaction[] {
  const found: RespTransaction[] = [];
  const talk = new Talk(6379, { respObserver: new RespTransactions((t) => void found.push(t)), showSecrets }).open();
  let asked = 0;
  let got = 0;
  for (const [question, answer] of pairs) {
    talk.client(asked, question, got);
    asked += question.length;
    if (answer !== '') talk.server(got, answer, asked);
    got += answer.length;
  }
  talk.session.hooks.end?.();
  return found;
}

const shown = (t: RespTransaction) =>
  redisRow(t, [0, 0])
    .slice(3)
    .map((cell) => (typeof cell === 'string' ? cell : cell.text))
    .join(' | ');

test('the database, the version of the protocol and transactions are followed', () => {
  const found = exchanged([
    [command('SELECT', '3'), '+OK\r\n'],
    [command('SELECT', '99'), '-ERR DB index is out of range\r\n'],
    [command('HELLO', '3'), '%1\r\n$5\r\nproto\r\n:3\r\n'],
    [command('MULTI'), '+OK\r\n'],
    [command('SELECT', '5'), '+QUEUED\r\n'],
    [command('INCR', 'n'), '+QUEUED\r\n'],
    [command('EXEC'), '*2\r\n+OK\r\n-ERR value is not an integer\r\n'],
    [command('GET', 'k'), '_\r\n'],
  ]);
  expect(found.map((t) => [t.command, t.db, t.version, t.queued, t.error])).toEqual([
    ['SELECT', 0, 2, false, undefined],
    ['SELECT', 3, 2, false, 'ERR DB index is out of range'],
    ['HELLO', 3, 2, false, undefined],
    ['MULTI', 3, 3, false, undefined],
    ['SELECT', 3, 3, true, undefined],
    ['INCR', 3, 3, true, undefined],
    ['EXEC', 3, 3, false, 'ERR value is not an integer'],
    ['GET', 5, 3, false, undefined],
  ]);
});

test('rows', () => {
  const found = exchanged([
    [command('CONFIG', 'SET', 'requirepass', 'hunter2'), '+OK\r\n'],
    [command('GET', 'k'), '-MOVED 3999 192.0.2.9:6381\r\n'],
    [command('BLPOP', 'q', '0'), '*2\r\n$1\r\nq\r\n$1\r\nv\r\n'],
    [command('SUBSCRIBE', 'news'), '*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n'],
    [command('PING'), ''],
  ]);
  expect(found.map(shown)).toEqual([
    'CONFIG SET "requirepass" (secret) | OK | 1 s | ',
    'GET k | MOVED 3999 192.0.2.9:6381 | 1 s | ',
    'BLPOP q 0 | array of 2 | 1 s | may wait',
    'SUBSCRIBE news | array of 3: subscribe news 1 | 1 s | ',
    ' | message news "hi" |  | ',
    'PING | no reply |  | ',
  ]);
  expect(found[0]!.arguments).toEqual(['SET', 'requirepass', '(secret)']);
  expect(found[1]!.redirect).toEqual({ kind: 'MOVED', slot: 3999, to: '192.0.2.9:6381' });
  expect(exchanged([[command('AUTH', 'hunter2'), '+OK\r\n']], true)[0]!.arguments).toEqual(['hunter2']);
});

test.each<[string, unknown]>([
  ['+OK\r\n', { type: 'string', value: 'OK' }],
  [':9007199254740993\r\n', { type: 'integer', value: '9007199254740993' }],
  ['$3\r\nada\r\n', { type: 'bulk_string', value: 'ada', length: 3 }],
  ['$-1\r\n', { type: 'null', value: null }],
  ['=7\r\ntxt:ada\r\n', { type: 'verbatim_string', value: 'ada', length: 3 }],
  ['!5\r\nERR x\r\n', { type: 'error', value: 'ERR x' }],
  ['*2\r\n:1\r\n-ERR\r\n', { type: 'array', value: [1, { error: 'ERR' }], length: 2 }],
  ['%1\r\n+a\r\n*1\r\n#t\r\n', { type: 'map', value: [['a', [true]]], length: 1 }],
  ['|1\r\n+ttl\r\n:9\r\n,1.5\r\n', { type: 'double', value: 1.5 }],
  ['$?\r\n;2\r\nab\r\n;1\r\nc\r\n;0\r\n', { type: 'bulk_string', value: 'abc', length: 3 }],
  ['*?\r\n:1\r\n:2\r\n.\r\n', { type: 'array', value: [1, 2], length: 2 }],
  ['*2147483647\r\n:1\r\n', { type: 'array', value: [1], length: 2147483647 }],
  ['$2147483647\r\nab', { type: 'cut short', value: null }],
])('the value of %j', (text, value) => {
  const b = octets(text);
  expect(replyValue(b, 0, b.length)).toEqual(value);
});

test('passwords that CONFIG GET tells are masked', () => {
  const get: [string, string] = [command('CONFIG', 'GET', 'requirepass'), `*2\r\n${bulk('requirepass')}${bulk('hunter2')}`];
  expect(exchanged([get])[0]!.reply!.value).toEqual(['requirepass', '(secret)']);
  expect(exchanged([get], true)[0]!.reply!.value).toEqual(['requirepass', 'hunter2']);
});

test('hashes of passwords that ACL tells are masked, in values and on lines', () => {
  const hash = 'ab'.repeat(32);
  const list: [string, string] = [command('ACL', 'LIST'), `*1\r\n${bulk(`user ada on #${hash} +@all`)}`];
  expect(exchanged([list])[0]!.reply!.value).toEqual(['user ada on (secret) +@all']);
  expect(exchanged([list], true)[0]!.reply!.value).toEqual([`user ada on #${hash} +@all`]);
  const made = exchanged([[command('ACL', 'GENPASS', '16'), bulk('b00c')]])[0]!;
  expect([made.answer, made.reply!.value]).toEqual(['(secret)', '(secret)']);
});

test('deep nesting is cut', () => {
  const b = octets(`*2\r\n${'*1\r\n'.repeat(60_000)}`);
  expect(JSON.stringify(replyValue(b, 0, b.length).value)).toBe('[[[[[[[[[]]]]]]]]]');
});

test('what Sentinels tell', () => {
  const told = (channel: string, text: string) => sentinelEvent({ type: 'array', value: ['message', channel, text] });
  expect(told('+switch-master', 'mymaster 192.0.2.1 6379 192.0.2.2 6380')).toEqual({
    event: '+switch-master',
    primary: 'mymaster',
    address: '192.0.2.1',
    port: 6379,
    newAddress: '192.0.2.2',
    newPort: 6380,
  });
  expect(told('+odown', 'master mymaster 192.0.2.1 6379 #quorum 2/2')).toEqual({
    event: '+odown',
    primary: 'mymaster',
    address: '192.0.2.1',
    port: 6379,
    detail: '#quorum 2/2',
  });
  expect(told('+sdown', 'slave 192.0.2.2:6380 192.0.2.2 6380 @ mymaster 192.0.2.1 6379')).toMatchObject({
    primary: 'mymaster',
    instance: { role: 'slave', address: '192.0.2.2', port: 6380 },
  });
  expect(told('__sentinel__:hello', `192.0.2.3,26379,${'a'.repeat(40)},7,mymaster,192.0.2.1,6379,7`)).toMatchObject({
    event: 'hello',
    sentinel: { address: '192.0.2.3', port: 26379, epoch: 7 },
    configEpoch: 7,
  });
  expect([told('news', 'hi'), told('+sdown', 'x'), told('+switch-master', 'x 1')]).toEqual([undefined, undefined, undefined]);
});

test.each([
  ['user:1842:cart', 'user:*:cart'],
  ['session:550e8400-e29b-41d4-a716-446655440000', 'session:*'],
  ['etag:deadbeef01', 'etag:*'],
  ['plain', 'plain'],
])('the pattern of %s', (key, pattern) => {
  expect(keyPattern(key)).toBe(pattern);
});
