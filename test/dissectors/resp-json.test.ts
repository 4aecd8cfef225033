import { afterEach, expect, test, vi } from 'vitest';
import type { Frame } from '../../src/core/frame.js';
import type { Layer } from '../../src/core/layer.js';
import { TextBuffer } from '../../src/core/text.js';
import { Resp } from '../../src/dissectors/resp.js';
import { JsonWriter } from '../../src/output/json.js';
import { Talk } from '../reassembly/talk.js';

const jsonOf = (side: 0 | 1, text: string): string[] => {
  const talk = new Talk(6379).open();
  const frame = side === 0 ? talk.client(0, text) : talk.server(0, text);
  return frame.all(Resp).map((layer) => {
    frame.depth = 0;
    frame.push(layer);
    const out = new TextBuffer();
    new JsonWriter().write(out, frame);
    return out.toString();
  });
};

afterEach(() => {
  vi.restoreAllMocks();
});

const MESSAGES = [
  '*3\r\n$3\r\nSET\r\n$6\r\nuser:1\r\n$3\r\nada\r\n',
  '*2\r\n$3\r\nGET\r\n$0\r\n\r\n',
  '*2\r\n$4\r\nAUTH\r\n$3\r\nabc\r\n',
  '*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n',
  '*2\r\n$3\r\nGET\r\n:1\r\n',
  '*2\r\n$3\r\nGET\r\n*1\r\n$1\r\na\r\n',
  '*1\r\n$-1\r\n',
  '*0\r\n',
  '$3\r\na\r\n\r\n',
  '$-1\r\n',
  '$-7\r\n',
  '$3x\r\nada\r\n',
  '+OK\r\n',
  '+"\\\u001b[2J\u00e9\r\n',
  '+\r\n',
  '+OK\n',
  `+${'x'.repeat(400)}\r\n`,
  '-ERR no such key\r\n',
  ':42\r\n',
  ':-42\r\n',
  ':+42\r\n',
  ':007\r\n',
  ':9223372036854775807\r\n',
  ':12a\r\n',
  '_\r\n#t\r\n,3.14\r\n',
];

test('a command and a reply as JSON', () => {
  expect(JSON.parse(jsonOf(0, MESSAGES[0]!)[0]!).resp).toMatchObject({
    command: 'SET',
    key: 'user:1',
    bulk_string: { length: [3, 6, 3], value: ['534554', '757365723a31', '616461'] },
    array: { length: [3] },
  });
  expect(JSON.parse(jsonOf(1, ':42\r\n')[0]!).resp).toMatchObject({ integer: [42] });
});

test.each(MESSAGES)('%j: straight from the octets as from the walk, also when it is cut', (text) => {
  for (const side of [0, 1] as const)
    for (let end = text.length > 60 ? text.length - 3 : 1; end <= text.length; end++) {
      const quick = jsonOf(side, text.slice(0, end));
      const spy = vi.spyOn(Resp.prototype, 'quickJson').mockReturnValue(false);
      expect(jsonOf(side, text.slice(0, end))).toEqual(quick);
      spy.mockRestore();
    }
});

/** A frame that has such messages alone. */
function messagesOf(side: 0 | 1, text: string): Frame {
  const talk = new Talk(6379).open();
  // Replies beyond these answer nothing that is known.
  if (side === 1) talk.client(0, '*1\r\n$4\r\nPING\r\n'.repeat(4));
  const frame = side === 0 ? talk.client(0, text) : talk.server(0, text);
  const messages = frame.all(Resp);
  frame.depth = 0;
  for (const message of messages) frame.push(message);
  return frame;
}

/** The JSON of messages, from octets where `writer` reads them most quickly, and row by row. */
function bothOf(writer: JsonWriter, octets: Uint8Array, side: 0 | 1, text: string): [quick: string, rows: string] {
  const rows = new TextBuffer();
  new JsonWriter({ compileAfter: Number.POSITIVE_INFINITY }).write(rows, messagesOf(side, text));
  const frame = messagesOf(side, text);
  // From anywhere on, as in a chunk.
  octets.fill(0x22).set(frame.own, 3);
  const messages = [...frame.layers];
  frame.depth = 0;
  for (const message of messages) {
    const { bytes, start, end, captured } = message;
    // What was read of it stands elsewhere now, hence a twin.
    const moved = {
      bytes: { value: octets },
      start: { value: start + 3 },
      end: { value: end + 3 },
      captured: { value: captured + 3 },
      ...message.lasting(() => octets, -3),
    };
    frame.push(bytes === frame.own ? (Object.create(message, moved) as Layer) : message);
  }
  const quick = new TextBuffer();
  quick.bytes = writer.room(1 << 15)!;
  writer.write(quick, frame);
  return [quick.toString(), rows.toString()];
}

/** Arrays of strings of these lengths. */
const commandOf = (name: string, ...lengths: readonly number[]): string =>
  `*${lengths.length + 1}\r\n$${name.length}\r\n${name}\r\n${lengths.map((n) => `$${n}\r\n${'k'.repeat(n)}\r\n`).join('')}`;

const OCTETS = [
  ...MESSAGES,
  ...[0, 1, 7, 8, 9, 15, 16, 17, 32, 99, 256, 257].map((n) => commandOf('get', n)),
  commandOf('GET', 0, 0),
  commandOf('MSET', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
  commandOf('SET', 3, 900),
  commandOf('SET', 3, 2100),
  commandOf('EVAL', 5, 1, 4),
  commandOf('x'.repeat(300)),
  commandOf('"\u00e9\u0001', 3),
  '*2\r\n$3\r\nGET\r\n$4\r\na"\\b\r\n',
  '*2\r\n$3\r\nGET\r\n$3\r\n\u007f\u0080z\r\n',
  '*02\r\n$3\r\nGET\r\n$1\r\na\r\n',
  '*2\r\n$03\r\nGET\r\n$1\r\na\r\n',
  '$0\r\n\r\n',
  '*2\r\n$-1\r\n$1\r\na\r\n',
  ':0\r\n:00\r\n:123456789\r\n:1234567890\r\n:\r\n',
  `+${'y'.repeat(256)}\r\n-${'z'.repeat(257)}\r\n+a\rb\r\n`,
  '+OK\r\n$1\r\na\r\n:1\r\n$-1\r\n',
  '>3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n',
  '%2\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$0\r\n\r\n',
  '%1\r\n$1\r\na\r\n',
  '~2\r\n$1\r\na\r\n$1\r\nb\r\n',
  '~0\r\n%0\r\n>0\r\n',
  '|1\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n',
  '%1\r\n$1\r\na\r\n:1\r\n',
];

test.each(OCTETS)('%j: by WebAssembly as row by row', (text) => {
  const writer = new JsonWriter({ compileAfter: 0 });
  const octets = writer.room(1 << 13)!;
  for (const side of [0, 1] as const) {
    const [quick, rows] = bothOf(writer, octets, side, text);
    expect(quick).toBe(rows);
  }
});

test.each([
  // More than go in one call.
  `${'+OK\r\n:1\r\n$3\r\nada\r\n$-1\r\n'.repeat(5)}-ERR\r\n`,
  commandOf('get', 1) +
    commandOf('PING') +
    commandOf('mset', 2, 3, 4, 5) +
    commandOf('GEORADIUSBYMEMBER_ro', 1).repeat(14) +
    commandOf('DEL'),
  // Between others that do not go this way at all.
  commandOf('get', 1) +
    commandOf('auth', 8) +
    commandOf('get', 2) +
    commandOf('XREAD', 7) +
    commandOf('SET', 3, 2100) +
    commandOf('GET', 3),
  `+OK\r\n:-1\r\n+OK\r\n:2\r\n+\u00e9\r\n+OK\r\n_\r\n+OK\r\n`,
  // More octets than go in one call.
  commandOf('SET', 3, 900).repeat(4),
  // The last is not whole.
  `${commandOf('get', 1).repeat(3)}*1\r\n$9\r\nx`,
])('%j: several by WebAssembly as row by row', (text) => {
  const writer = new JsonWriter({ compileAfter: 0 });
  const octets = writer.room(1 << 13)!;
  // First one by one; with the second a function is made for frames of just these.
  for (const side of [0, 1] as const)
    for (let i = 0; i < 3; i++) {
      const [quick, rows] = bothOf(writer, octets, side, text);
      expect(quick).toBe(rows);
    }
});

test('messages in a row are written in one call', () => {
  const writer = new JsonWriter({ compileAfter: 0 });
  const octets = writer.room(1 << 13)!;
  const write = vi.spyOn(Resp.protocol.octetsJson!, 'write');
  for (const [side, text] of [
    [0, commandOf('get', 1) + commandOf('PING') + commandOf('Set', 2, 3) + commandOf('DEL', 20)],
    [1, '+OK\r\n:1\r\n$3\r\nada\r\n$-1\r\n'],
  ] as const) {
    bothOf(writer, octets, side, text);
    write.mockClear();
    bothOf(writer, octets, side, text);
    expect(write.mock.results.map(({ value }) => value)).toEqual([4]);
  }
});

test('other octets in the place of a message are not read beyond its end', () => {
  const writer = new JsonWriter({ compileAfter: 0 });
  const octets = writer.room(1 << 13)!;
  for (const other of [
    '*',
    '$',
    '*9',
    '*2\r\n$',
    '*3\r\n$3\r\n',
    '*2\r\n$99999999\r\n',
    '*99999999999\r\n$1\r\n',
    '*0\r\n',
    '*1\r\n$-1\r\n',
  ]) {
    const frame = messagesOf(0, MESSAGES[0]!);
    const [message] = frame.layers;
    Object.assign(message!, { bytes: octets, start: 0, end: 40, captured: 40 });
    for (let i = 0; i < octets.length; i++) octets[i] = other.charCodeAt(i % other.length);
    const out = new TextBuffer();
    out.bytes = writer.room(1 << 15)!;
    writer.write(out, frame);
    expect(out.length).toBeLessThan(1000);
  }
});

test('plain messages are written by WebAssembly alone', () => {
  const writer = new JsonWriter({ compileAfter: 0 });
  const octets = writer.room(1 << 13)!;
  const quick = vi.spyOn(Resp.prototype, 'quickJson');
  for (const text of [
    '+OK\r\n',
    ':42\r\n',
    '-ERR no such key\r\n',
    '$3\r\nada\r\n',
    '$-1\r\n',
    '%1\r\n$1\r\na\r\n$1\r\nb\r\n',
    '>2\r\n$1\r\na\r\n$1\r\nb\r\n',
    '~1\r\n$1\r\na\r\n',
    MESSAGES[0]!,
  ]) {
    quick.mockClear();
    const [json, rows] = bothOf(writer, octets, text.startsWith('*') ? 0 : 1, text);
    expect(json).toBe(rows);
    // Once by the writer that goes row by row.
    expect(quick).toHaveBeenCalledTimes(1);
  }
});

test('the common forms need no walk', () => {
  const walk = vi.spyOn(Resp.prototype, 'walk');
  for (const text of [MESSAGES[0]!, MESSAGES[1]!, '+OK\r\n', ':42\r\n', '-ERR no such key\r\n', '$3\r\na\r\n\r\n']) jsonOf(1, text);
  expect(walk).not.toHaveBeenCalled();
});
