import { expect, test, vi } from 'vitest';
import { CaptureRecord } from '../../src/capture/source.js';
import type { Frame } from '../../src/core/frame.js';
import { TextBuffer } from '../../src/core/text.js';
import { Tcp } from '../../src/dissectors/tcp.js';
import { createSession } from '../../src/frames.js';
import { JsonWriter } from '../../src/output/json.js';
import { RAW_IP, segment } from '../analysis/segments.js';
import { octets } from '../reassembly/talk.js';

const TIMESTAMPS = 'opt=0101080a00000064ffffffff';

/** The client's segments of a conversation of Redis, then those that open it: their options, where their payload goes in its stream, the payload. */
function talk(options: string, ...parts: readonly (readonly [position: number, text: string])[]): Frame[] {
  const session = createSession();
  const send = (line: string, payload = '', cut = 0): Frame => {
    const packet = segment(`${line} len=${payload.length} ${options}`);
    packet.set(octets(payload), packet.length - payload.length);
    const record = new CaptureRecord();
    record.bytes = packet;
    record.captured = packet.length - cut;
    record.wireLength = packet.length;
    record.interface = RAW_IP;
    return session.dissect(record).keep();
  };
  const from = '192.0.2.1:40000 > 192.0.2.2:6379';
  const opening = [send(`${from} S seq=999`), send('192.0.2.2:6379 > 192.0.2.1:40000 SA seq=4999 ack=1000')];
  const whole = parts.map(([position, text]) => send(`${from} PA seq=${1000 + position} ack=5000`, text));
  // The last one again and again, with less of it captured each time.
  const [position, text] = parts.at(-1)!;
  const cuts = Array.from({ length: 60 }, (_, cut) => send(`${from} PA seq=${1000 + position} ack=5000`, text, cut + 1));
  return [...whole, ...cuts, ...opening];
}

const tcpJson = (layer: Tcp): string => {
  const { frame } = layer;
  frame.depth = 0;
  frame.push(layer);
  const out = new TextBuffer(64);
  new JsonWriter().write(out, frame);
  return out.toString();
};

const GET = '*2\r\n$3\r\nGET\r\n$4\r\nname\r\n';
const PARTS = [
  [[0, GET]],
  [[0, GET + GET.slice(0, 9)]],
  [
    [0, GET.slice(0, 9)],
    [9, GET.slice(9)],
  ],
  [
    [0, GET.slice(0, 9)],
    [14, GET.slice(14)],
    [9, GET.slice(9, 14)],
  ],
  [
    [0, GET.slice(0, 9)],
    [9, GET.slice(9, 14)],
    [4, GET.slice(4, 20)],
    [20, GET.slice(20)],
  ],
  [
    [0, GET.slice(0, 9)],
    [4, 'other'],
    [9, GET.slice(9)],
  ],
] as const;

const OPTIONS = [
  '',
  TIMESTAMPS,
  `${TIMESTAMPS}01010101`,
  'opt=080a00000064ffffffff0101',
  'opt=01010101',
  'opt=00000000',
  'opt=0101050a000000010000000a',
  // SACK of one block and of three, and D-SACK of what was acknowledged, and of what the second block tells of, too.
  `${TIMESTAMPS}0101050a0000200000002100`,
  'opt=0101051a000020000000210000003000000031000000400000004100',
  `${TIMESTAMPS}0101050a0000001000000020`,
  `${TIMESTAMPS}0101051200002000000021000000200000002200`,
  // SACK that ends within a block, and one of none.
  'opt=0101050600002000',
  'opt=01010502',
  // What a SYN has, and after it the end with more of them, or something else.
  'opt=020405b40402080a00000064ffffffff0103030e',
  'opt=020405b40103030700000000',
  'opt=020405b40103030700000100',
  'opt=020405b40103030f',
  'opt=02040000010101010101010101010101',
  // Lengths that are not the kind's, that are none, and that go beyond the header.
  'opt=0203000101040301',
  'opt=01010800',
  'opt=0101080b000000640000000000',
];

test('a segment with timestamps that completes a message', () => {
  const tcp = talk(TIMESTAMPS, ...PARTS[2])[1]!.get(Tcp)!;
  expect(JSON.parse(tcpJson(tcp)).tcp).toMatchObject({
    options: [{ option_kind: 1 }, { option_kind: 1 }, { option_kind: 8, option_len: 10, timestamp: { tsval: 100, tsecr: 4294967295 } }],
    segments: true,
    segment: { value: [3, 4], count: 2 },
    reassembled: { length: GET.length },
  });
});

test.each(OPTIONS)('options %j: straight from the octets as from the walk, also when it is cut', (options) => {
  for (const parts of PARTS)
    for (const frame of talk(options, ...parts)) {
      const tcp = frame.get(Tcp);
      if (tcp === undefined) continue;
      // By the walk first; the quick way takes nothing from it.
      tcp.quickJson = () => false;
      const walked = tcpJson(tcp);
      Reflect.deleteProperty(tcp, 'quickJson');
      expect(tcpJson(tcp)).toBe(walked);
    }
});

test('a header shorter than the shortest has no options', () => {
  const tcp = talk(TIMESTAMPS, [0, GET])[0]!.get(Tcp)!;
  tcp.bytes[tcp.start + 12] = 0x20;
  expect(JSON.parse(tcpJson(tcp)).tcp).not.toHaveProperty('options');
});

test('plain segments need no walk', () => {
  const walk = vi.spyOn(Tcp.prototype, 'walk');
  for (const options of ['', TIMESTAMPS, `${TIMESTAMPS}0101050a0000200000002100`])
    for (const frame of talk(options, ...PARTS[2]).slice(0, 2)) tcpJson(frame.get(Tcp)!);
  expect(walk).not.toHaveBeenCalled();
  walk.mockRestore();
});
