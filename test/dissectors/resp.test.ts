import { describe, expect, test } from 'vitest';
import type { Frame } from '../../src/core/frame.js';
import { Resp } from '../../src/dissectors/resp.js';
import { respStream } from '../../src/dissectors/resp-stream.js';
import { fieldsOf, readAll, values } from '../packets.js';
import { alone, octets, Talk } from '../reassembly/talk.js';

const infos = (frame: Frame) =>
  frame.all(Resp).map((layer) => {
    frame.depth = 0;
    frame.push(layer);
    return frame.info;
  });

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
const command = (...words: string[]) => `*${words.length}\r\n${words.map(bulk).join('')}`;

const client = (text: string) => new Talk(6379).open().client(0, text);
const server = (text: string) => new Talk(6379).open().server(0, text);

test('a command: its fields and its place', () => {
  const frame = client('*3\r\n$3\r\nSET\r\n$6\r\nuser:1\r\n$3\r\nada\r\n');
  expect(fieldsOf(frame, 'resp')).toEqual({
    'resp.command': 'SET',
    'resp.key': 'user:1',
    'resp.array': '1',
    'resp.array.length': '3',
    'resp.bulk_string': '1,1,1',
    'resp.bulk_string.length': '3,6,3',
    'resp.bulk_string.value': '534554,757365723a31,616461',
  });
  expect(frame.protocols).toBe('ip:tcp:resp');
  const layer = frame.get(Resp)!;
  expect([layer.start, layer.end]).toEqual([40, 74]);
});

test.each([
  [command('SET', 'user:1', 'ada'), 'SET user:1 "ada"'],
  [command('SET', 'k', 'v 1', 'EX', '60', 'NX'), 'SET k "v 1" EX 60 NX'],
  [command('get', 'a"b'), 'get "a\\"b"'],
  [command('SET', 'k', 'x'.repeat(100)), `SET k "${'x'.repeat(64)}"… (100 octets)`],
  [command('ECHO', '\x1b[2J'), 'ECHO "\\x1b[2J"'],
  ['PING\r\n', 'PING'],
  ['SET k "a b"\r\n', 'SET k "a b"'],
])('the line of a command %j', (text, info) => {
  expect(infos(client(text))).toEqual([info]);
});

test.each([
  ['GET k', 'k'],
  ['GET', undefined],
  ['PUBLISH news x', undefined],
  ['bitop AND k other', 'k'],
  ['OBJECT ENCODING k', 'k'],
  ['OBJECT HELP', undefined],
  ['MEMORY USAGE k', 'k'],
  ['MEMORY MALLOC-STATS now', undefined],
  ['DEBUG OBJECT k', 'k'],
  ['DEBUG SLEEP 0', undefined],
  ['XINFO STREAM k', 'k'],
  ['ZUNION 2 k other', 'k'],
  ['BLMPOP 0.5 2 k other LEFT', 'k'],
  ['EVAL script 1 k x', 'k'],
  ['EVALSHA ffff 0 x', undefined],
  ['XREAD COUNT 2 BLOCK 0 STREAMS k other $ $', 'k'],
  ['XREADGROUP GROUP streams me NOACK streams k >', 'k'],
  ['MIGRATE h 6379 k 0 10', 'k'],
  ['MIGRATE h 6379  0 10 COPY KEYS k other', 'k'],
])('the key of %j', (line, key) => {
  const frame = client(command(...line.split(' ')));
  expect(frame.get(Resp)!.keyText).toBe(key);
  expect(fieldsOf(frame, 'resp')['resp.key']).toBe(key);
});

test('commands are told apart by their whole names, also where those begin and end alike', () => {
  // As short ones are found: by their first and their last four octets.
  const names = ['A', 'GE', 'GET', '\nGET', 'GETT', 'ABBBE', 'ABBBBE', 'ABBBBBE', 'get', 'GETRANGE', 'GETRANGES', 'BGREWRITEAOF'];
  const text = names.flatMap((name) => [command(name, 'k'), command(name, ...'abcdefghijk'), command(name)]).join('');
  for (let times = 0; times < 3; times++)
    expect(
      client(text)
        .all(Resp)
        .map((layer) => layer.command),
    ).toEqual(names.flatMap((name) => [name.toUpperCase(), name.toUpperCase(), name.toUpperCase()]));
});

test('empty lines between messages say nothing', () => {
  expect(infos(client('\r\nPING\r\n\r\n\nPING\r\n'))).toEqual(['PING', 'PING']);
  expect(infos(server('+OK\r\n\n'))).toEqual(['OK']);
});

test.each([
  ['+OK\r\n', 'OK'],
  ["-ERR unknown command 'x'\r\n", "ERR unknown command 'x'"],
  [':-42\r\n', '-42'],
  ['$3\r\nada\r\n', '"ada"'],
  ['$0\r\n\r\n', '""'],
  ['$-1\r\n', 'null'],
  ['*-1\r\n', 'null'],
  ['*0\r\n', 'empty array'],
  ['*3\r\n:1\r\n:2\r\n*1\r\n+x\r\n', 'array of 3'],
  ['_\r\n', 'null'],
  ['#t\r\n', 'true'],
  [',3.14\r\n', '3.14'],
  ['(3492890328409238509324850943850943825024385\r\n', '3492890328409238509324850943850943825024385'],
  ['!9\r\nERR wrong\r\n', 'ERR wrong'],
  ['=8\r\ntxt:text\r\n', 'text'],
  ['%1\r\n+a\r\n:1\r\n', 'map of 1'],
  ['~2\r\n+a\r\n+b\r\n', 'set of 2'],
  ['>3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n', 'push of 3: message news "hi"'],
  ['*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n', 'array of 3: message news "hi"'],
  ['|1\r\n+ttl\r\n:3600\r\n*2\r\n:1\r\n:2\r\n', 'attribute of 1, then array of 2'],
  ['$?\r\n;4\r\nsome\r\n;2\r\n o\r\n;0\r\n', 'streamed string'],
  ['*?\r\n:1\r\n:2\r\n.\r\n', 'streamed array'],
])('the line of a reply %j', (text, info) => {
  const frame = server(text);
  readAll(frame);
  expect(infos(frame)).toEqual([info]);
});

test('every type of version 3 has its field', () => {
  const frame = server(
    '*11\r\n_\r\n#f\r\n,1.5\r\n(12345678901234567890\r\n!3\r\nbad\r\n=7\r\nmkd:# A\r\n%1\r\n+a\r\n*2\r\n:1\r\n:2\r\n~1\r\n:3\r\n|1\r\n+p\r\n,inf\r\n$1\r\nx\r\n$?\r\n;2\r\nab\r\n;0\r\n-E\r\n',
  );
  expect(fieldsOf(frame, 'resp')).toEqual({
    'resp.string': 'a,p',
    'resp.error': 'E',
    'resp.integer': '1,2,3',
    'resp.bulk_string': '1,1',
    'resp.bulk_string.length': '1',
    'resp.bulk_string.value': '78',
    'resp.array': '1,1',
    'resp.array.length': '11,2',
    'resp.map': '1',
    'resp.map.length': '1',
    'resp.set': '1',
    'resp.set.length': '1',
    'resp.attribute': '1',
    'resp.attribute.length': '1',
    'resp.null': '1',
    'resp.boolean': '0',
    'resp.double': '1.5,Infinity',
    'resp.big_number': '12345678901234567890',
    'resp.blob_error': 'bad',
    'resp.verbatim_string': '# A',
    'resp.verbatim_string.format': 'mkd',
    'resp.chunk': '6162',
  });
});

test('nested replies are nested in the tree', () => {
  const depths = server('*2\r\n*1\r\n:1\r\n%1\r\n+k\r\n+v\r\n')
    .get(Resp)!
    .nodes.flatMap((n) => (n.field ? [`${n.field.name} ${n.depth}`] : []));
  expect(depths).toEqual([
    'resp.array 0',
    'resp.array.length 1',
    'resp.array 1',
    'resp.array.length 2',
    'resp.integer 2',
    'resp.map 1',
    'resp.map.length 2',
    'resp.string 2',
    'resp.string 2',
  ]);
});

test('pipelined commands are messages of their own', () => {
  expect(infos(client(`PING\r\nPING\r\n${command('GET', 'a')}`))).toEqual(['PING', 'PING', 'GET a']);
});

test('it is recognised on any port', () => {
  const talk = new Talk(7777).open();
  expect(values(talk.client(0, command('GET', 'a')), 'resp.command')).toBe('GET');
  expect(values(talk.server(0, '$-1\r\n'), 'resp.bulk_string.length')).toBe('-1');
});

test.each([
  [['AUTH', 'hunter2'], 'AUTH (secret)'],
  [['AUTH', 'ada', 'hunter2'], 'AUTH ada (secret)'],
  [['HELLO', '3', 'AUTH', 'ada', 'hunter2', 'SETNAME', 'x'], 'HELLO 3 AUTH "ada" (secret) SETNAME "x"'],
  [['CONFIG', 'SET', 'maxmemory', '1', 'requirepass', 'hunter2'], 'CONFIG SET "maxmemory" 1 "requirepass" (secret)'],
  [['MIGRATE', 'h', '6379', 'k', '0', '10', 'AUTH2', 'ada', 'hunter2'], 'MIGRATE h 6379 "k" 0 10 AUTH2 "ada" (secret)'],
  [['ACL', 'SETUSER', 'ada', 'on', '>hunter2', '~*'], 'ACL SETUSER "ada" "on" (secret) ~*'],
])('the secret of %j is not shown', (words, info) => {
  for (const text of [command(...words), `${words.join(' ')}\r\n`]) {
    const frame = client(text);
    const all = JSON.stringify(fieldsOf(frame, 'resp'));
    expect(all).not.toContain('hunter2');
    expect(all).not.toContain(Buffer.from('hunter2').toString('hex'));
    expect(infos(frame)).toEqual([info]);
  }
  expect(values(new Talk(6379, { showSecrets: true }).open().client(0, command(...words)), 'resp.bulk_string.value')).toContain(
    '68756e74657232',
  );
});

test.each([
  ['RESP2', `*4\r\n${bulk('port')}${bulk('6379')}${bulk('requirepass')}${bulk('hunter2')}`],
  ['RESP3', `%2\r\n${bulk('port')}${bulk('6379')}${bulk('masterauth')}${bulk('hunter2')}`],
])('passwords that CONFIG GET tells are masked: %s', (_version, reply) => {
  const told = (question: string, showSecrets: boolean) => {
    const talk = new Talk(6379, { showSecrets }).open();
    if (question !== '') talk.client(0, question);
    const frame = talk.server(0, reply, question.length);
    return (JSON.stringify(fieldsOf(frame, 'resp')).match(/706f7274|36333739|68756e74657232|2873656372657429/g) ?? []).join();
  };
  const [port, number, password, mask] = ['706f7274', '36333739', '68756e74657232', '2873656372657429'];
  const question = command('CONFIG', 'GET', '*');
  expect(told(question, false)).toBe([port, number, mask].join());
  expect(told(question, true)).toBe([port, number, password].join());
  // Where the question was not captured, too; but not in what people keep.
  expect(told('', false)).toBe([port, number, mask].join());
  expect(told(command('HGETALL', 'k'), false)).toBe([port, number, password].join());
});

describe('hashes of passwords, and passwords, that ACL tells are masked', () => {
  const hash = '2f183a4e64493af3f377f745eda502363cd3e7ef6e4d266d444758de0a85fcc8';
  const users = [`user default on nopass ~* &* +@all`, `user ada on sanitize-payload #${hash} #${hash} ~#abc -@all +get`];
  const list = `*2\r\n${users.map(bulk).join('')}`;
  const masked = ['user default on nopass ~* &* +@all', 'user ada on sanitize-payload (secret) (secret) ~#abc -@all +get'];
  const strings = (frame: Frame) =>
    values(frame, 'resp.bulk_string.value')
      .split(',')
      .map((octets) => Buffer.from(octets, 'hex').toString());
  const told = (question: string, reply: string, showSecrets = false) => {
    const talk = new Talk(6379, { showSecrets }).open();
    if (question !== '') talk.client(0, question);
    return talk.server(0, reply, question.length);
  };

  test('ACL LIST, also where the question was not captured', () => {
    expect(strings(told(command('ACL', 'LIST'), list))).toEqual(masked);
    expect(strings(told(command('acl', 'list'), list))).toEqual(masked);
    expect(strings(told('', list))).toEqual(masked);
    expect(strings(told(command('ACL', 'LIST'), list, true))).toEqual(users);
    // Not in what people keep.
    expect(strings(told(command('LRANGE', 'k', '0', '-1'), list))).toEqual(users);
    expect(strings(told(command('ACL', 'USERS'), `*1\r\n${bulk(hash)}`))).toEqual([hash]);
  });

  test.each([
    ['RESP2', `*4\r\n${bulk('passwords')}*2\r\n${bulk(hash)}${bulk(hash)}${bulk('commands')}${bulk('-@all')}`],
    ['RESP3', `%2\r\n${bulk('passwords')}*2\r\n${bulk(hash)}${bulk(hash)}${bulk('commands')}${bulk('-@all')}`],
  ])('ACL GETUSER in %s', (_version, reply) => {
    expect(strings(told(command('ACL', 'GETUSER', 'ada'), reply))).toEqual(['passwords', '(secret)', '(secret)', 'commands', '-@all']);
    expect(strings(told(command('ACL', 'GETUSER', 'ada'), reply, true))).toContain(hash);
  });

  test('ACL GENPASS', () => {
    const frame = told(command('ACL', 'GENPASS', '32'), bulk('90f6aa31'));
    expect([frame.info, ...strings(frame)]).toEqual(['(secret) · 1 s after #4', '(secret)']);
    expect(told(command('ACL', 'GENPASS'), bulk('90f6aa31'), true).info).toMatch(/^"90f6aa31"/);
  });
});

test('the data set of a primary has no end of line behind it', () => {
  const talk = new Talk(6379).open();
  talk.client(0, command('PSYNC', '?', '-1'));
  const stream = `+FULLRESYNC 8de1787ba490483314a4d30f1c628bc5025eb761 0\r\n$5\r\nREDIS${command('PING')}`;
  const frame = talk.server(0, stream);
  expect(values(frame, 'resp.rdb')).toBe('5245444953');
  expect(values(frame, 'resp.array.length')).toBe('1');
  const mark = 'a'.repeat(40);
  const diskless = new Talk(6379).open();
  diskless.client(0, command('PSYNC', '?', '-1'));
  const first = `+FULLRESYNC x 0\r\n$EOF:${mark}\r\nREDIS${mark.slice(0, 10)}`;
  diskless.server(0, first);
  expect(values(diskless.server(first.length, mark.slice(10) + command('PING')), 'resp.array.length')).toBe('1');
});

/** A stream with everything in it. */
const EVERYTHING =
  command('SET', 'user:1', 'ada') +
  'PING\r\n' +
  '*2\r\n%1\r\n+a\r\n*2\r\n:1\r\n$-1\r\n|1\r\n+k\r\n_\r\n~2\r\n#t\r\n,1.5\r\n' +
  '$?\r\n;4\r\nsome\r\n;0\r\n*?\r\n:1\r\n*1\r\n+x\r\n.\r\n>2\r\n+pubsub\r\n=7\r\ntxt:abc\r\n';

test('one octet at a time gives what one segment gives', () => {
  const whole = client(EVERYTHING);
  const talk = new Talk(6379).open();
  const found: Record<string, string[]> = {};
  let layers = 0;
  for (let i = 0; i < EVERYTHING.length; i++) {
    const frame = talk.client(i, EVERYTHING[i]!);
    layers += frame.all(Resp).length;
    for (const [name, text] of Object.entries(fieldsOf(frame, 'resp'))) (found[name] ??= []).push(text);
  }
  expect(layers).toBe(whole.all(Resp).length);
  expect(Object.fromEntries(Object.entries(found).map(([name, texts]) => [name, texts.join(',')]))).toEqual(fieldsOf(whole, 'resp'));
});

test('every cut and every changed octet is survived', () => {
  const text = octets(EVERYTHING);
  for (let i = 0; i <= text.length; i++) readAll(new Talk(6379).open().client(0, text, 0, i));
  let state = 1;
  for (let round = 0; round < 2000; round++) {
    const changed = text.slice();
    for (let i = 0; i < 1 + (round % 4); i++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      const at = (state >>> 8) % changed.length;
      changed[at] = '0123456789$*%\r\n-?x'.charCodeAt((state >>> 4) % 18);
    }
    const talk = new Talk(6379).open();
    const half = round % changed.length;
    readAll(talk.client(0, changed.slice(0, half + 1)));
    readAll(talk.client(half + 1, changed.slice(half + 1)));
  }
});

describe('lengths that lie', () => {
  test('a length of 2^31 costs nothing, and the connection goes on behind it', () => {
    const talk = new Talk(6379).open();
    talk.server(0, '*2147483647\r\n$2147483647\r\nabc');
    talk.send('A', 'client', 0, '', 5000);
    expect(infos(talk.server(1000, '+OK\r\n'))).toEqual(['array of 2147483647 [incomplete]', 'OK']);
  });

  test('60 000 levels of nesting are measured, shown and counted in linear time', () => {
    const deep = `${'*1\r\n'.repeat(60_000)}:1\r\n`;
    const parser = respStream.parser(alone(false));
    const all = octets(deep);
    const started = process.cpuUsage();
    for (let i = 1; i < all.length; i += 7) expect(parser.measure(all, 0, i, false)).toBe(0);
    expect(parser.measure(all, 0, all.length, false)).toBe(all.length);
    const talk = new Talk(6379).open();
    for (let at = 0; at < deep.length; at += 1400) {
      const frame = talk.server(at, deep.slice(at, at + 1400));
      if (at + 1400 >= deep.length) expect(values(frame, 'resp.integer')).toBe('1');
    }
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(5000);
  });
});
