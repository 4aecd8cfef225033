import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openCapture } from '../../src/capture/open.js';
import { CaptureRecord } from '../../src/capture/source.js';
import { computed, expert, gated, group, uint8, uint16, uint32 } from '../../src/core/field.js';
import { FixedText } from '../../src/core/fixed-text.js';
import { FrameLayer } from '../../src/core/frame-layer.js';
import { type Layer, layer, type Protocol } from '../../src/core/layer.js';
import { u32 } from '../../src/core/octets.js';
import { TextBuffer } from '../../src/core/text.js';
import { LAYERS } from '../../src/dissectors/index.js';
import { createSession } from '../../src/frames.js';
import { JsonWriter } from '../../src/output/json.js';
import { compileLayer, compileTogether, sourceOf } from '../../src/output/json-compile.js';
import { layoutOf } from '../../src/output/json-layout.js';
import { JsonMemory } from '../../src/output/json-memory.js';
import { webAssembly } from '../../src/output/webassembly.js';

const isWhole = (l: Layer): boolean => l.start + 8 <= l.captured;
const isUrgent = (l: Layer): boolean => l.bytes[l.start]! > 9;

const beacon = {
  hops: uint8('beacon.hops', 'Hops', 0),
  ...group(
    { serial: uint16('beacon.serial', 'Serial', 2) },
    { status: computed('uint8', 'beacon.serial.status', 'Status', () => 2), odd: expert('note', 'protocol', 'beacon.serial.odd', 'Odd') },
  ),
  age: uint32('beacon.age', 'Age', 4, { when: isWhole }),
  urgent: computed('uint32', 'beacon.urgent', 'Urgent', (l) => l.bytes[l.start], { when: isUrgent }),
};

class Beacon extends layer('beacon', 'Beacon', beacon, 'BEACON', {
  when: isWhole,
  octets: 8,
  holds: [isWhole],
  simply: [[isUrgent, (l) => l.bytes[l.start]! !== 0]],
  values: [[beacon.status, 2]],
}) {
  override summary(): void {}
}

const straightOf = (protocol: Protocol, octets = false) =>
  sourceOf(layoutOf(protocol, octets), new JsonWriter(), new JsonMemory(webAssembly!)).straight;

test('the straight line for plain layers of a small protocol', () => {
  const { script, functions } = straightOf(Beacon.protocol)!;
  expect(script.slice(script.findIndex((line) => line.startsWith('const straight'))).join('\n')).toMatchInlineSnapshot(`
    "const straight = (out, layer, key) => {
      const first = out.length;
      if (out.buffer !== buffer || first + ROOM > out.bytes.length || !isPlain(layer, key)) return general(out, layer, key);
      const from = memory.lend(layer.bytes, layer.start, 8);
      {
        let when = 0;
        let a0 = 0;
        if (c5(layer)) {
          when |= 1;
          a0 = c3(layer) | 0;
        }
        const at = line0(out.base + out.length, from, when, a0);
        if (at === 0) return again(out, layer, key, first);
        out.length = at - out.base;
      }
    };
    return straight;"
  `);
  // Without the digits of the numbers.
  expect(functions.replace(/\s+\(then \s+\(local.set \$quotient[\s\S]*?(?=\s+\(else)/g, ' (then …)')).toMatchInlineSnapshot(`
    "(func $line0 (export "line0") (param $at i32) (param $from i32) (param $when i32) (param $a0 i32) (result i32) (local $octets i32) (local $word i32) (local $quotient i32) (local $digits i64) (local $zeros i64)
      ;; ,"beacon":{"hops":
      (v128.store offset=0 (local.get $at) (v128.load offset=40256 (i32.const 0)))
      (i64.store offset=16 (local.get $at) (i64.const 14882))
      (local.set $word (i32.load8_u offset=0 (local.get $from)))
      
      (if (i32.lt_u (local.get $word) (i32.const 100000000)) (then …)
        (else (local.set $at (call $large (i32.add (local.get $at) (i32.const 18)) (local.get $word)))))
      ;; ,"serial":{"value":
      (v128.store offset=0 (local.get $at) (v128.load offset=40304 (i32.const 0)))
      (i64.store offset=16 (local.get $at) (i64.const 3809893))
      (local.set $word (i32.shr_u (i32.or
          (i32.and (i32.rotl (local.tee $octets (i32.load offset=2 (local.get $from))) (i32.const 8)) (i32.const 16711935))
          (i32.and (i32.rotr (local.get $octets) (i32.const 8)) (i32.const -16711936))) (i32.const 16)))
      
      (if (i32.lt_u (local.get $word) (i32.const 100000000)) (then …)
        (else (local.set $at (call $large (i32.add (local.get $at) (i32.const 19)) (local.get $word)))))
      ;; ,"status":2},"age":
      (v128.store offset=0 (local.get $at) (v128.load offset=40352 (i32.const 0)))
      (i64.store offset=16 (local.get $at) (i64.const 3809893))
      (local.set $word (i32.or
          (i32.and (i32.rotl (local.tee $octets (i32.load offset=4 (local.get $from))) (i32.const 8)) (i32.const 16711935))
          (i32.and (i32.rotr (local.get $octets) (i32.const 8)) (i32.const -16711936))))
      
      (if (i32.lt_u (local.get $word) (i32.const 100000000)) (then …)
        (else (local.set $at (call $large (i32.add (local.get $at) (i32.const 19)) (local.get $word)))))
      (if (i32.and (local.get $when) (i32.const 1)) (then
      ;; ,"urgent":
      (v128.store offset=0 (local.get $at) (v128.load offset=40400 (i32.const 0)))
      (local.set $word (local.get $a0))
      
      (if (i32.lt_u (local.get $word) (i32.const 100000000)) (then …)
        (else (local.set $at (call $large (i32.add (local.get $at) (i32.const 10)) (local.get $word)))))
      ))
      ;; }
      (i64.store offset=0 (local.get $at) (i64.const 125))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.get $at))"
  `);
});

test.each(['in the memory of the writer', 'elsewhere'])('layers whose octets stand %s are written as their rows say', async (where) => {
  for (const name of ['redis', 'http', 'dns', 'vlan', 'fragments', 'ipv6', 'sack']) {
    const written = async (writer: JsonWriter, out: TextBuffer): Promise<string> => {
      const reader = await openCapture(`fixtures/${name}.pcap`);
      const session = createSession();
      const record = new CaptureRecord();
      if (where !== 'elsewhere') reader.holdIn!(writer.room(1 << 16)!);
      do {
        while (reader.next(record)) writer.write(out, session.dissect(record));
      } while (await reader.fill());
      return out.toString();
    };
    const quick = new JsonWriter({ compileAfter: 0 });
    const out = new TextBuffer(64);
    out.bytes = quick.room(1 << 20)!;
    expect(await written(quick, out)).toBe(await written(new JsonWriter({ compileAfter: Number.POSITIVE_INFINITY }), new TextBuffer()));
  }
});

test('layers that stand in each other are written in one go, where all of them may be plain', () => {
  const writer = new JsonWriter();
  const memory = new JsonMemory(webAssembly!);
  const layersOf = (names: readonly string[]) =>
    names.map((name) => {
      const layout = layoutOf([FrameLayer, ...LAYERS].find(({ protocol }) => protocol.name === name)!.protocol, false);
      return { layout, compiled: compileLayer(layout, writer, memory)!, key: new FixedText(layout.key) };
    });
  const together = (...names: string[]) => compileTogether(layersOf(names), writer, memory);
  // ,"eth": and ,"ip": are written in the same call of WebAssembly as what stands between them.
  expect(
    together('eth', 'ip')!
      .toString()
      .match(/= line\d\(/g),
  ).toHaveLength(1);
  expect(together('eth', 'ip', 'tcp')).toBeDefined();
  // A protocol that has no plain layers, and one that writes what it has itself.
  expect(together('eth', 'arp')).toBeUndefined();
  expect(together('ip', 'udp', 'dns')).toBeUndefined();
  // The whole of a frame, where its innermost layer has said what the Info column says.
  const whole = (...names: string[]) =>
    compileTogether(layersOf(['frame', ...names]), writer, memory, { protocols: names.join(':'), within: together(...names)! });
  expect(
    whole('eth', 'ip', 'tcp')!
      .toString()
      .match(/= line\d\(|writer\./g),
  ).toEqual(['= line0(']);
  expect(whole('eth', 'ip')).toBeUndefined();
});

test('no straight line where octets are shown too', () => {
  expect(straightOf(Beacon.protocol, true)).toBeUndefined();
});

const isOdd = (l: Layer): boolean => (l.bytes[l.start]! & 1) === 1;
const isHigh = (l: Layer): boolean => l.bytes[l.start]! > 127;
const isBroken = (l: Layer): boolean => l.bytes[l.start + 1]! > 200;

const lantern = {
  first: uint8('lantern.first', 'First', 0),
  said: computed('string', 'lantern.said', 'Said', (l) => `"${l.bytes[l.start + 1]}"`.repeat(l.bytes[l.start]!), { when: isOdd }),
  ...group(
    { second: computed('none', 'lantern.second', 'Second', () => true, { when: isHigh }) },
    { age: computed('duration', 'lantern.second.age', 'Age', (l) => u32(l.bytes, l.start) * 7 - 2 ** 33, { when: isHigh }) },
  ),
  ...gated(isBroken, {
    dark: expert('note', 'protocol', 'lantern.second.dark', 'Dark', isOdd),
    // Now and then more than is taken from beside a line.
    pieces: computed('string', 'lantern.second.pieces', 'Pieces', (l) => 'piece'.repeat(l.bytes[l.start + 2]!)),
  }),
  third: uint32('lantern.third', 'Third', 0),
  ...gated(isBroken, { broken: expert('warn', 'protocol', 'lantern.broken', 'Broken') }),
  long: computed('duration', 'lantern.long', 'Long', (l) => (l.bytes[l.start + 3]! > 200 ? 2n ** 70n : -1), { when: isOdd }),
  fourth: computed('time', 'lantern.fourth', 'Fourth', () => 0n, { json: (l, out) => out.number(l.bytes[l.start + 2]! << 8) }),
  // Now and then more than a number tells.
  away: computed('duration', 'lantern.away', 'Away', (l) => (l.bytes[l.start + 3]! > 100 ? 2n ** 60n : -5), { when: isOdd }),
  fifth: uint16('lantern.fifth', 'Fifth', 2),
};

class Lantern extends layer('lantern', 'Lantern', lantern, 'LANTERN', {
  when: (l) => l.start + 4 <= l.captured,
  octets: 4,
  rare: [isBroken],
  present: [lantern.fourth],
  json: [
    [lantern.fourth, [{ by: (l) => l.bytes[l.start + 2]!, text: (l) => String(l.bytes[l.start + 2]! * 256) }]],
    [lantern.away, [{ duration: (l) => (l.bytes[l.start + 3]! > 100 ? 2 ** 60 : -5) }]],
  ],
}) {
  override summary(): void {}
}

test('what lies between calls of the writer is a line of its own, and all of it is what rows write', () => {
  const { functions } = straightOf(Lantern.protocol)!;
  expect(functions.match(/\(func /g)).toHaveLength(3);
  const session = createSession();
  const byCode = new JsonWriter({ compileAfter: 0 });
  const byRows = new JsonWriter({ compileAfter: Number.POSITIVE_INFINITY });
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 3, maxLength: 4 }), (octets) => {
      const texts = [byCode, byRows].map((writer) => {
        const frame = session.dissect(new CaptureRecord());
        Object.assign(frame, { bytes: octets, captured: octets.length });
        frame.push(new Lantern(frame, 0, octets.length));
        const out = new TextBuffer();
        writer.write(out, frame);
        return JSON.parse(out.toString()).lantern;
      });
      expect(texts[0]).toEqual(texts[1]);
    }),
    { numRuns: 3000 },
  );
});

const PLAIN = [FrameLayer, ...LAYERS].filter(({ protocol }) => protocol.plain !== undefined);

test.each(PLAIN.map(({ protocol }) => [protocol.name, protocol] as const))('%s: has a straight line', (_name, protocol) => {
  expect(straightOf(protocol)).toBeDefined();
});

/** What a plain layer has otherwise than its protocol says. */
function liesOf(l: Layer): string[] {
  const { plain, fields } = l.protocol;
  const { octets, holds = [], fails = [], rare = [], simply = [], present = [], values = [], walk = [], isQuick } = plain!;
  const lies: string[] = [];
  if (l.start + octets > l.captured) lies.push('octets');
  if (l.unusual) lies.push('unusual');
  for (const condition of holds) if (!condition(l)) lies.push(`does not hold: ${condition}`);
  for (const condition of fails) if (condition(l)) lies.push(`holds: ${condition}`);
  for (const [condition, inPlain] of simply) if (condition(l) !== inPlain(l)) lies.push(`is not simply: ${condition}`);
  for (const row of present) if (row.raw(l) === undefined) lies.push(`${row.name} is not there`);
  for (const [row, value] of values) if (row.raw(l) !== value) lies.push(`${row.name} is ${row.raw(l)}`);
  for (const row of fields)
    if (row.severity !== undefined && !row.walked && !rare.includes(row.options.gate!) && row.raw(l) !== undefined)
      lies.push(`${row.name} is there`);
  if (isQuick) {
    const remark = l.nodes.find(({ field }) => field?.severity !== undefined);
    if (remark !== undefined && l.quickJson(new TextBuffer())) lies.push(`${remark.field!.name} is there`);
  } else if (walk.length === 0 && l.nodes.some(({ field }) => !field?.options.quiet)) lies.push('the walk finds something');
  return lies;
}

test('plain layers are as their protocols say, in every fixture', async () => {
  const found = new Map<string, number>();
  const lies: string[] = [];
  for (const name of readdirSync('fixtures').filter((file) => file.endsWith('.pcap')))
    for (const checksums of [false, true]) {
      const reader = await openCapture(`fixtures/${name}`);
      const session = createSession({ checksums });
      const record = new CaptureRecord();
      do {
        while (reader.next(record)) {
          session.learn(reader.secrets);
          const frame = session.dissect(record);
          for (const l of frame.layers) {
            if (!l.protocol.plain?.when(l)) continue;
            found.set(l.protocol.name, (found.get(l.protocol.name) ?? 0) + 1);
            for (const lie of liesOf(l)) lies.push(`${name} ${frame.number} ${l.protocol.name}: ${lie}`);
          }
        }
      } while (await reader.fill());
      await reader.close();
    }
  expect(lies).toEqual([]);
  for (const { protocol } of PLAIN) expect(found.get(protocol.name) ?? 0, protocol.name).toBeGreaterThan(50);
});

test('a declaration that lies is found', () => {
  const frame = createSession().dissect(new CaptureRecord());
  const l = new Beacon(Object.assign(frame, { bytes: Uint8Array.of(10, 0, 0, 1, 0, 0, 0, 9), captured: 8 }), 0, 8);
  expect(liesOf(l)).toEqual([]);
  l.captured = 7;
  expect(liesOf(l)).toEqual(['octets', `does not hold: ${isWhole}`]);
  Object.assign(l, { captured: 8, bytes: Uint8Array.of(1, 0, 0, 1, 0, 0, 0, 9) });
  expect(liesOf(l)).toEqual([`is not simply: ${isUrgent}`]);
});
