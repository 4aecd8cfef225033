import { describe, expect, test } from 'vitest';
import { Data } from '../../src/core/data.js';
import type { Frame } from '../../src/core/frame.js';
import { latin1Of } from '../../src/core/octets.js';
import { type ProtocolEntry, tcpPorts } from '../../src/core/registry.js';
import { ALIEN, MORE, type StreamParser, type StreamProtocol } from '../../src/core/stream.js';
import { Tcp } from '../../src/dissectors/tcp.js';
import type { Side, StreamSink } from '../../src/reassembly/stream-options.js';
import { values } from '../packets.js';
import { octets, Talk } from './talk.js';

/** Messages for tests: `<n:text>`, n digits of length. Each is a Data layer over its text. */
class AngleParser implements StreamParser {
  need = 0;
  left = 0;
  measure(b: Uint8Array, start: number, end: number): number {
    this.need = 0;
    if (b[start] !== 0x3c) return ALIEN;
    const text = latin1Of(b, start, Math.min(end, start + 12));
    const colon = text.indexOf(':');
    if (colon < 0) return text.length < 12 ? MORE : ALIEN;
    const length = colon + 1 + Number(text.slice(1, colon)) + 1;
    if (end - start >= length) return length;
    this.need = length - (end - start);
    return MORE;
  }
  dissect(frame: Frame, start: number, end: number): void {
    frame.data(start + latin1Of(frame.bytes, start, start + 12).indexOf(':') + 1, end - 1);
  }
}
const angle: StreamProtocol = {
  name: 'angle',
  sized: true,
  parser: () => new AngleParser(),
  recognise: (b, start, end) => /^<\d+:/.test(latin1Of(b, start, Math.min(end, start + 12))),
};
const angles: ProtocolEntry = { name: 'angle', layers: [], stream: angle, on: [tcpPorts.at(7, angle)] };
const wrap = (text: string) => `<${text.length}:${text}>`;

const hexOf = (text: string) => Buffer.from(text, 'latin1').toString('hex');
const texts = (frame: Frame) => frame.all(Data).map((layer) => latin1Of(layer.bytes, layer.start, layer.captured));
const seen = (frame: Frame) => ({
  texts: texts(frame),
  segments: values(frame, 'tcp.segment'),
  length: values(frame, 'tcp.reassembled.length'),
});

describe('messages and segments', () => {
  test('several messages in a segment are several layers, in place', () => {
    const talk = new Talk(7, { protocols: [angles] }).open();
    const frame = talk.client(0, wrap('one') + wrap('two'));
    expect(texts(frame)).toEqual(['one', 'two']);
    expect(frame.all(Data)[0]!.bytes).toBe(frame.own);
    expect(values(frame, 'tcp.pdu.size')).toBe('7,7');
    expect(values(frame, 'tcp.segments')).toBe('');
  });

  test('a message belongs to the frame that completes it', () => {
    const talk = new Talk(7, { protocols: [angles] }).open();
    const all = wrap('hello, world') + wrap('next');
    expect(seen(talk.client(0, all.slice(0, 1)))).toEqual({ texts: [], segments: '', length: '' });
    expect(seen(talk.client(1, all.slice(1, 10)))).toEqual({ texts: [], segments: '', length: '' });
    // It completes the first message and begins the second.
    const third = talk.client(10, all.slice(10, 20));
    expect(seen(third)).toEqual({ texts: ['hello, world'], segments: '4,5,6', length: '17' });
    expect(values(third, 'tcp.segment.count')).toBe('3');
    expect(Buffer.from(third.get(Tcp)!.reassembledData!).toString()).toBe(wrap('hello, world'));
    expect(seen(talk.client(20, all.slice(20)))).toEqual({ texts: ['next'], segments: '6,7', length: '8' });
  });

  test('both directions are streams of their own, and sequence numbers wrap', () => {
    const talk = new Talk(7, { protocols: [angles] }, 0xffff_fffd).open();
    talk.client(0, '<5:h');
    talk.server(0, '<3:b');
    expect(texts(talk.client(4, 'ello>'))).toEqual(['hello']);
    expect(texts(talk.server(4, 'ye>'))).toEqual(['bye']);
  });

  test('a protocol is known by its first octets on any port, by either side; what nobody knows is data', () => {
    const talk = new Talk(9999, { protocols: [angles] }).open();
    expect(texts(talk.server(0, 'who?'))).toEqual(['who?']);
    expect(values(talk.client(0, wrap('me')), 'tcp.pdu.size')).toBe('6');
    expect(texts(talk.server(4, wrap('hello')))).toEqual(['hello']);
    const forced = new Talk(9999, { protocols: [angles], decodeAs: [{ table: 'tcp.port', key: 9999, protocol: 'angle' }] }).open();
    forced.client(0, '<');
    expect(texts(forced.client(1, '2:me>'))).toEqual(['me']);
  });
});

test('a protocol is recognised also when its first octets come one by one', () => {
  const talk = new Talk(9999, { protocols: [angles] }).open();
  const all = wrap('hello');
  const found = [...all].map((octet, i) => texts(talk.client(i, octet)));
  // What was shown before anybody could know stays data.
  expect(found.slice(0, 4)).toEqual([['<'], ['5'], [], []]);
  expect(found.at(-1)).toEqual(['hello']);
});

test('octets too few to tell a protocol by are shown once when the stream ends with them', () => {
  const talk = new Talk(9999, { protocols: [angles] }).open();
  expect(texts(talk.send('FA', 'client', 0, '<', 0))).toEqual(['<']);
});

describe('first octets that are no message of the protocol that the port is known for', () => {
  const square: StreamProtocol = { ...angle, name: 'square', recognise: (b, start) => b[start] === 0x5b };
  const others: ProtocolEntry = { name: 'square', layers: [], stream: { ...square, parser: () => new SquareParser() }, on: [] };
  class SquareParser extends AngleParser {
    override measure(b: Uint8Array, start: number, end: number): number {
      return b[start] === 0x5b && b[end - 1] === 0x5d ? end - start : ALIEN;
    }
    override dissect(frame: Frame, start: number, end: number): void {
      frame.data(start + 1, end - 1);
    }
  }
  const protocols = [angles, others];

  test('are of the one that they begin', () => {
    const talk = new Talk(7, { protocols }).open();
    expect(texts(talk.client(0, '[one]'))).toEqual(['one']);
    expect(texts(talk.server(0, '[two]'))).toEqual(['two']);
  });

  test('are data where nothing is recognised, and the next message of the port is found', () => {
    const talk = new Talk(7, { protocols }).open();
    expect(texts(talk.client(0, '(one)'))).toEqual(['(one)']);
    expect(texts(talk.client(5, wrap('two')))).toEqual(['two']);
  });

  test('change nothing after a message, or where the user said what the port means', () => {
    const talk = new Talk(7, { protocols }).open();
    talk.client(0, wrap('one'));
    expect(texts(talk.client(7, '[two]'))).toEqual(['[two]']);
    const forced = new Talk(7, { protocols, decodeAs: [{ table: 'tcp.port', key: 7, protocol: 'angle' }] }).open();
    expect(texts(forced.client(0, '[one]'))).toEqual(['[one]']);
  });
});

test('a port that the user named counts more than a lower one', () => {
  const talk = new Talk(80, { protocols: [angles], decodeAs: [{ table: 'tcp.port', key: 40000, protocol: 'angle' }] }).open();
  expect(texts(talk.client(0, wrap('hello')))).toEqual(['hello']);
});

test('a reset shows what there is of the message under way', () => {
  const talk = new Talk(7, { protocols: [angles] }).open();
  talk.client(0, '<9:hel');
  talk.client(20, wrap('later'));
  expect(texts(talk.send('RA', 'client', 29, ''))).toEqual(['<9:hel', 'later']);
});

describe('order', () => {
  test('what comes early is held, and what it completes belongs to the frame that fills the hole', () => {
    const talk = new Talk(7, { protocols: [angles] }).open();
    const all = wrap('one') + wrap('two') + wrap('three');
    expect(texts(talk.client(14, all.slice(14)))).toEqual([]);
    expect(texts(talk.client(7, all.slice(7, 14)))).toEqual([]);
    const last = talk.client(0, all.slice(0, 7));
    expect(seen(last)).toEqual({ texts: ['one', 'two', 'three'], segments: '6,5,4', length: '23' });
    expect(values(last, 'tcp.segment_data')).toBe(hexOf(all.slice(0, 7)));
  });

  test('what fills a hole is part of the message, though that stays incomplete', () => {
    const talk = new Talk(7, { protocols: [angles] }).open();
    const all = wrap('hello, world');
    talk.client(0, all.slice(0, 4));
    talk.client(8, all.slice(8, 12));
    const filler = talk.client(4, all.slice(4, 8));
    expect([texts(filler), values(filler, 'tcp.segment_data')]).toEqual([[], hexOf(all.slice(4, 8))]);
    // A repeat that brings the rest is part of it with all that it carries.
    const last = talk.client(10, all.slice(10));
    expect(seen(last)).toEqual({ texts: ['hello, world'], segments: '4,6,5,7', length: '17' });
    expect(values(last, 'tcp.segment_data')).toBe(hexOf(all.slice(10)));
  });

  test('what comes again is taken once', () => {
    const talk = new Talk(7, { protocols: [angles] }).open();
    const all = wrap('hello, world') + wrap('next');
    talk.client(0, all.slice(0, 8));
    expect(texts(talk.client(0, all.slice(0, 8)))).toEqual([]);
    const third = talk.client(4, all);
    // It claims the octets after the first four to be those of the whole: other octets than before.
    expect(values(third, 'tcp.segment.overlap.conflict')).not.toBe('');
    const again = new Talk(7, { protocols: [angles] }).open();
    again.client(0, all.slice(0, 8));
    const rest = again.client(4, all.slice(4));
    expect(seen(rest)).toEqual({ texts: ['hello, world', 'next'], segments: '4,5', length: '17' });
    expect(values(rest, 'tcp.segment.overlap')).toBe('1');
    expect(texts(again.client(0, all))).toEqual([]);
  });

  test.each([
    ['first', 'HELLO'],
    ['last', 'hello'],
  ] as const)('of octets that differ the %s count, and both are told', (overlap, expected) => {
    const talk = new Talk(7, { protocols: [angles], overlap }).open();
    talk.client(0, '<5:HEL');
    const frame = talk.client(3, overlap === 'first' ? 'helLO>' : 'hello>');
    expect(texts(frame)).toEqual([expected]);
    expect(values(frame, 'tcp.segment.error')).toBe('5');
    const { conflict } = frame.get(Tcp)!.assembly!;
    expect(conflict).toEqual({ position: 3, first: octets('HEL'), last: octets('hel') });
  });
});

describe('octets that came twice and differ', () => {
  /** What a listener is told: position, first version, last version, frame. */
  const listen = (overlap: 'first' | 'last', port = 7) => {
    const told: string[] = [];
    const sink: StreamSink = {
      octets: (_side, bytes, start, end, position) => told.push(`${position} ${latin1Of(bytes, start, end)}`),
      hole: (_side, length, position) => told.push(`hole of ${length} at ${position}`),
      conflict: (_side, position, first, last, frame) =>
        told.push(`#${frame} at ${position}: ${latin1Of(first, 0, first.length)} was ${latin1Of(last, 0, last.length)}`),
    };
    return { talk: new Talk(port, { protocols: [angles], overlap, follow: () => sink }).open(), told };
  };

  test('are told also when the first version was handed on already', () => {
    const { talk, told } = listen('last');
    talk.client(0, wrap('one'));
    talk.client(7, wrap('two'));
    const frame = talk.client(4, 'ONE<3:two>');
    expect(told).toEqual(['0 <3:one>', '7 <3:two>', '#6 at 4: ne><3:two> was ONE<3:two>']);
    expect(frame.get(Tcp)!.assembly!.conflict?.position).toBe(4);
  });

  test.each([
    ['first', '<9:ab', 'cdefGHI', 'abcdefGHI'],
    ['last', '<9:ab', 'cdefghi', 'abcdefghi'],
  ] as const)('behind a hole: the %s count', (overlap, begin, fill, whole) => {
    const { talk, told } = listen(overlap);
    talk.client(0, begin);
    talk.client(9, 'GHI>');
    const frame = talk.client(5, 'cdefghi');
    expect(told).toEqual(['0 <9:ab', '#6 at 9: GHI was ghi', `5 ${fill}`, '12 >']);
    expect(texts(frame)).toEqual([whole]);
    expect(values(frame, 'tcp.segment.error')).toBe('6');
  });

  test('are told of what is held, too', () => {
    const { talk, told } = listen('first');
    talk.client(3, 'def');
    talk.client(5, 'Fgh');
    talk.client(3, 'dEf');
    talk.client(0, 'abc');
    expect(told).toEqual(['#5 at 5: f was F', '#6 at 3: def was dEf', '0 abc', '3 def', '6 gh']);
  });

  test('are none where the octet of a keep-alive differs', () => {
    const { talk, told } = listen('last');
    talk.client(0, '<5:hel');
    talk.client(5, '\0');
    expect(texts(talk.client(6, 'lo>'))).toEqual(['hello']);
    expect(told).toEqual(['0 <5:hel', '6 lo>']);
  });

  test('are compared as far back as 64 KiB, across any segmentation', () => {
    const { talk, told } = listen('first', 9999);
    const all = new Uint8Array(200_000).map((_, i) => (i * 31 + (i >> 8)) & 0xff);
    const below = random(7);
    for (let at = 0; at < all.length; ) {
      const to = Math.min(all.length, at + 1 + below(3000));
      talk.client(at, all.subarray(at, to));
      at = to;
    }
    told.length = 0;
    for (const from of [134_464, 150_000, 196_607, 199_000]) talk.client(from, all.subarray(from, from + 1000));
    expect(told).toEqual([]);
    const other = all.slice(140_000, 140_003);
    other[1]! ^= 1;
    talk.client(140_000, other);
    const [first, last] = [all.subarray(140_000, 140_003), other].map((version) => latin1Of(version, 0, 3));
    expect(told).toEqual([`#${talk.session.count} at 140000: ${first} was ${last}`]);
    told.length = 0;
    talk.client(134_400, new Uint8Array(64));
    expect(told).toEqual([]);
  });
});

test('octets too few to tell a protocol by are data, and no part of a message', () => {
  const talk = new Talk(9999).open();
  for (let i = 0; i < 4; i++) {
    const frame = talk.client(i * 12, 'twelve long\n');
    expect([texts(frame), values(frame, 'tcp.segment_data')]).toEqual([['twelve long\n'], '']);
  }
});

describe('holes', () => {
  test('a hole that the receiver acknowledged is given up at once', () => {
    const talk = new Talk(7, { protocols: [angles] }).open();
    talk.client(0, '<9:lo');
    talk.serverAcknowledges(40);
    const frame = talk.client(30, wrap('after'));
    expect(texts(frame)).toEqual(['<9:lo', 'after']);
    // The octets that turn up late are old by now.
    expect(texts(talk.client(5, 'st message>'))).toEqual([]);
    expect(texts(talk.client(39, wrap('more')))).toEqual(['more']);
  });

  test('what was held when the acknowledgment came is read with the next segment', () => {
    const talk = new Talk(7, { protocols: [angles] }).open();
    expect(texts(talk.client(10, wrap('held')))).toEqual([]);
    talk.serverAcknowledges(18);
    expect(texts(talk.client(18, wrap('next')))).toEqual(['held', 'next']);
  });

  test('a hole that nobody fills does not stop the stream', () => {
    const talk = new Talk(7, { protocols: [angles] }).open();
    let found = 0;
    for (let at = 100, i = 0; i < 100; i++, at += 8) found += texts(talk.client(at, wrap('abcd'))).length;
    expect(found).toBeGreaterThan(90);
    const full = new Talk(7, { protocols: [angles] }).open();
    const bulk = wrap('x'.repeat(60_000));
    let messages = 0;
    for (let at = 100, i = 0; i < 80; i++, at += bulk.length) messages += texts(full.client(at, bulk)).length;
    expect(messages).toBeGreaterThan(65);
  });

  test('a message that never completes gives way to the next', () => {
    const talk = new Talk(7, { protocols: [angles] }).open();
    talk.client(0, '<999999:never');
    talk.serverAcknowledges(2_000_000);
    expect(texts(talk.client(1_000_010, 'xyz'))).toEqual(['<999999:never', 'xyz']);
    expect(texts(talk.client(1_000_013, wrap('next')))).toEqual(['next']);
  });

  test('a segment that was cut by the snapshot length is a hole of known length', () => {
    const talk = new Talk(7, { protocols: [angles] }).open();
    const frame = talk.client(0, wrap('one') + wrap('hello, world'), 0, 12);
    expect(texts(frame)).toEqual(['one', '<12:h']);
    expect(texts(talk.client(24, wrap('two')))).toEqual(['two']);
  });

  test('a capture that begins in the middle has no hole before its first octet', () => {
    const talk = new Talk(7, { protocols: [angles] });
    expect(texts(talk.client(5000, wrap('here')))).toEqual(['here']);
  });
});

describe('following', () => {
  test('a sink gets ordered octets, holes and conflicts, with the time of their segments', () => {
    const events: string[] = [];
    const sink: StreamSink = {
      octets: (side, bytes, start, end, position, frame, seconds) =>
        events.push(`${side.fromClient ? '>' : '<'}${position} ${latin1Of(bytes, start, end)} #${frame} ${seconds}s`),
      hole: (_side, length, position) => events.push(`hole of ${length} at ${position}`),
    };
    const talk = new Talk(9999, { follow: (_side: Side) => sink }).open();
    talk.client(0, 'abc');
    talk.client(6, 'ghi');
    talk.client(3, 'def');
    talk.client(1, 'bc');
    talk.server(0, 'xyz', 9);
    talk.client(20, 'end');
    talk.session.hooks.end?.();
    expect(events).toEqual(['>0 abc #4 3s', '>3 def #6 5s', '>6 ghi #5 4s', '<0 xyz #8 7s', 'hole of 11 at 9', '>20 end #9 8s']);
  });

  test.each([
    ['acknowledged with it', 41, ['hole of 40 at 0']],
    ['not acknowledged', 0, []],
  ])('what is missing before a FIN is told where it was %s', (_how, acknowledged, expected) => {
    const told: string[] = [];
    const sink: StreamSink = { octets: () => {}, hole: (_side, length, position) => told.push(`hole of ${length} at ${position}`) };
    const talk = new Talk(9999, { follow: (_side: Side) => sink }).open();
    talk.send('FA', 'server', 40, '', 0);
    talk.send('A', 'client', 0, '', acknowledged);
    talk.session.hooks.end?.();
    expect(told).toEqual(expected);
  });
});

/** A small generator of random numbers with a seed, so that a failure can be repeated. */
function random(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % below;
  };
}

describe('segments in any order', () => {
  const count = 3000;
  const sent = Array.from({ length: count }, (_, i) => wrap(String(i).padStart(5, '0')));
  const size = sent[0]!.length;
  const orders: Record<string, (next: (below: number) => number) => number[]> = {
    'the last first': () => Array.from({ length: count - 1 }, (_, i) => count - 1 - i),
    'every second, then the others, each the last first': () =>
      Array.from({ length: count - 1 }, (_, i) => i + 1).sort((a, b) => (a % 2) - (b % 2) || b - a),
    shuffled: (next) => {
      const order = Array.from({ length: count - 1 }, (_, i) => i + 1);
      for (let i = order.length - 1; i > 0; i--) {
        const j = next(i + 1);
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
      return order;
    },
  };

  test.each(Object.keys(orders))('%s: what waits is found in its order, and repeats of it are dropped', (name) => {
    const talk = new Talk(7, { protocols: [angles] }, 0xffff_f000).open();
    const order = orders[name]!(random(3));
    for (const i of order) {
      expect(texts(talk.client(i * size, sent[i]!))).toEqual([]);
      if (i % 100 === 0) talk.client(i * size, sent[i]!);
      // The hole stays open for no longer than it may.
      talk.seconds = 0;
    }
    expect(texts(talk.client(0, sent[0]!)).map(Number)).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  test('no more than 65 536 wait, however few octets each has', () => {
    const talk = new Talk(7, { protocols: [angles] }).open();
    for (let i = 0; i <= 65_536; i++) {
      talk.seconds = 0;
      const frame = talk.client(6 + 2 * i, '<2:ab>'.slice(2 * (i % 3), 2 * (i % 3) + 2));
      if (i < 65_536) expect(frame.get(Data)).toBeUndefined();
      else expect(texts(frame)).toEqual(new Array(21_845).fill('ab'));
    }
  });
});

describe('any segmentation', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('the messages of 300 are found, in order, whatever the network does (seed %i)', (seed) => {
    const next = random(seed);
    let all = '';
    const sent = Array.from({ length: 300 }, (_, i) => `${i}:${'m'.repeat(next(200))}`);
    for (const text of sent) all += wrap(text);
    const segments: [number, number][] = [];
    for (let at = 0; at < all.length; ) {
      const length = seed === 1 ? 1 : 1 + next(next(4) === 0 ? 1400 : 60);
      segments.push([at, Math.min(all.length, at + length)]);
      at += length;
    }
    // Swap neighbours, repeat and widen some.
    for (let i = 0; i + 3 < segments.length; i++) if (next(5) === 0) segments.splice(i, 2, segments[i + 1]!, segments[i]!);
    for (let i = segments.length - 1; i > 0; i--)
      if (next(6) === 0) segments.splice(i, 0, [Math.max(0, segments[i]![0] - next(50)), segments[i]![1]]);
    const talk = new Talk(7, { protocols: [angles] }, 0xffff_0000).open();
    const found: string[] = [];
    for (const [from, to] of segments) found.push(...texts(talk.client(from, all.slice(from, to))));
    expect(found).toEqual(sent);
  });
});
