import { afterEach, expect, test, vi } from 'vitest';
import { TextBuffer } from '../../src/core/text.js';
import { Resp } from '../../src/dissectors/resp.js';
import { JsonWriter } from '../../src/output/json.js';
import { Talk } from '../reassembly/talk.js';

const jsonOf = (side: 0 | 1, text: string): string[] => {
  const talk = new Talk(6379).open();
  const frame = side === 0 ? talk.client(0, text) : talk.server(0, text);
  return frame.all(Resp).map((layer) => {
    frame.layers.splice(0, frame.layers.length, layer);
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

test('the common forms need no walk', () => {
  const walk = vi.spyOn(Resp.prototype, 'walk');
  for (const text of [MESSAGES[0]!, MESSAGES[1]!, '+OK\r\n', ':42\r\n', '-ERR no such key\r\n', '$3\r\na\r\n\r\n']) jsonOf(1, text);
  expect(walk).not.toHaveBeenCalled();
});
