import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openCapture } from '../../src/capture/open.js';
import { CaptureRecord } from '../../src/capture/source.js';
import { computed, expert, group, uint8, uint16, uint32 } from '../../src/core/field.js';
import { type Layer, layer } from '../../src/core/layer.js';
import { LAYERS } from '../../src/dissectors/index.js';
import { createSession } from '../../src/frames.js';
import { sourceOf } from '../../src/output/json-compile.js';
import { layoutOf } from '../../src/output/json-layout.js';

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
  values: [[beacon.status, 2]],
}) {
  override summary(): void {}
}

test('the straight line for plain layers of a small protocol', () => {
  const { text } = sourceOf(layoutOf(Beacon.protocol, false));
  expect(text.slice(text.lastIndexOf('return (out, layer, key)'))).toMatchInlineSnapshot(`
    "return (out, layer, key) => {
      if (key.length !== 10 || !c1(layer)) return general(out, layer, key);
      const { bytes, start } = layer;
      const n0 = bytes[start];
      const n1 = ((bytes[start + 2] << 8) | bytes[start + 3]);
      const n2 = ((bytes[start + 4] << 24) | (bytes[start + 5] << 16) | (bytes[start + 6] << 8) | bytes[start + 7]);
      const ROOM = 435;
      out.room(ROOM);
      let view = out.view;
      let at = out.length;
      let x;
      view.setFloat64(at, 9.076810625388875e+223, true); view.setFloat64(at + 8, 1.1491348114769068e+248, true); view.setInt32(at + 16, 14882, true); // ,"beacon":{"hops":
      at = putShort(view, at + 18, n0);
      view.setFloat64(at, 1.1723388130080556e+214, true); view.setFloat64(at + 8, 4.2613729849482317e+257, true); view.setInt32(at + 16, 3809893, true); // ,"serial":{"value":
      at = putWord(view, at + 19, n1);
      view.setFloat64(at, 1.5000892893591484e+248, true); view.setFloat64(at + 8, 9.542301861856395e+189, true); view.setInt32(at + 16, 3809893, true); // ,"status":2},"age":
      at = putWord(view, at + 19, n2);
      if (c2(layer)) {
        view.setFloat64(at, 6.9640901278446766e+252, true); view.setInt32(at + 8, 14882, true); // ,"urgent":
        at = putWord(view, at + 10, c3(layer) | 0);
      }
      view.setInt32(at, 125, true); // }
      at = at + 1;
      out.length = at;
    };"
  `);
});

test('no straight line where octets are shown too', () => {
  expect(sourceOf(layoutOf(Beacon.protocol, true)).text).not.toContain('general');
});

const PLAIN = LAYERS.filter(({ protocol }) => protocol.plain !== undefined);

test.each(PLAIN.map(({ protocol }) => [protocol.name, protocol] as const))('%s: has a straight line', (_name, protocol) => {
  expect(sourceOf(layoutOf(protocol, false)).text).toContain('return general(out, layer, key)');
});

/** What a plain layer has otherwise than its protocol says. */
function liesOf(l: Layer): string[] {
  const { plain, fields } = l.protocol;
  const { octets, holds = [], fails = [], present = [], values = [], walk = [] } = plain!;
  const lies: string[] = [];
  if (l.start + octets > l.captured) lies.push('octets');
  if (l.unusual) lies.push('unusual');
  for (const condition of holds) if (!condition(l)) lies.push(`does not hold: ${condition}`);
  for (const condition of fails) if (condition(l)) lies.push(`holds: ${condition}`);
  for (const row of present) if (row.raw(l) === undefined) lies.push(`${row.name} is not there`);
  for (const [row, value] of values) if (row.raw(l) !== value) lies.push(`${row.name} is ${row.raw(l)}`);
  for (const row of fields) if (row.severity !== undefined && !row.walked && row.raw(l) !== undefined) lies.push(`${row.name} is there`);
  if (walk.length === 0 && l.nodes.some(({ field }) => !field?.options.quiet)) lies.push('the walk finds something');
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
});
