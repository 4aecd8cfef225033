import fc from 'fast-check';
import { expect, test } from 'vitest';
import { putNumeral, putSeconds } from '../../src/core/digits.js';
import { JsonMemory, WORD_LOCALS, writeWord } from '../../src/output/json-memory.js';
import { putBoolean, putIpv4 } from '../../src/output/json-values.js';
import { webAssembly } from '../../src/output/webassembly.js';

const KINDS = { word: 'i32', int: 'i32', bool: 'i32', ipv4: 'i32', seconds: 'f64' };
const memory = new JsonMemory(webAssembly!);
const made = memory.link(
  Object.entries(KINDS)
    .map(
      ([kind, type]) =>
        `(func $one_${kind} (export "${kind}") (param $at i32) (param $n ${type}) (result i32) (call $${kind} (local.get $at) (local.get $n)))`,
    )
    .join('\n') +
    `(func $in_place (export "inPlace") (param $at i32) (param $n i32) (result i32) ${WORD_LOCALS}
      (local.set $at (i32.sub (local.get $at) (i32.const 5)))
      ${writeWord('(local.get $n)', 5)}
      (local.get $at))`,
) as Record<keyof typeof KINDS | 'inPlace', (at: number, n: number) => number>;
const room = memory.room(256)!;

/** What a function of WebAssembly writes, over octets that were there before. */
function wasm(kind: keyof typeof made, n: number): string {
  room.fill(63);
  const end = made[kind](room.byteOffset + 8, n);
  return Buffer.from(room.subarray(8, end - room.byteOffset)).toString('latin1');
}

/** What its like in JavaScript writes. */
function script(put: (view: DataView, at: number) => number): string {
  const octets = new Uint8Array(64);
  return Buffer.from(octets.subarray(0, put(new DataView(octets.buffer), 0))).toString('latin1');
}

test('values are written as JavaScript writes them', () => {
  const edges = [0, 9, 10, 99, 100, 999, 1000, 9999, 10_000, 99_999_999, 100_000_000, 999_999_999, 1_000_000_000, 0xffff_ffff];
  const word = fc.oneof(fc.constantFrom(...edges), fc.nat(), fc.nat(70_000), fc.integer({ min: 0, max: 0xffff_ffff }));
  fc.assert(
    fc.property(word, (n) => {
      expect(wasm('word', n)).toBe(String(n));
      expect(wasm('inPlace', n)).toBe(String(n));
      expect(wasm('int', n | 0)).toBe(String(n | 0));
      expect(wasm('int', n | 0)).toBe(script((view, at) => putNumeral(view, at, n | 0)));
      expect(wasm('ipv4', n)).toBe(script((view, at) => putIpv4(view, at, n)));
      expect(wasm('bool', n & 1)).toBe(script((view, at) => putBoolean(view, at, (n & 1) === 1)));
    }),
    { numRuns: 20_000 },
  );
  const time = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.constantFrom(-0, -1, 1e9, 1e9 - 1, -1e9, 4e18 / 1024, 0.25, -0.25, 1.75));
  fc.assert(
    fc.property(time, (n) => {
      expect(wasm('seconds', n)).toBe(script((view, at) => putSeconds(view, at, n)));
    }),
    { numRuns: 20_000 },
  );
});

test('the texts of a run are made once, kept for the two last that share a place, and made anew when they are needed again', () => {
  const rendered: number[] = [];
  let asked = 0;
  const call = memory.run(40, () => {
    rendered.push(asked);
    return new TextEncoder().encode(asked < 0 ? 'x'.repeat(200) : `<${asked}>`.padStart((asked % 37) + 1, '-'));
  })!;
  const { run } = memory.link(`
    (func $one_run (export "run") (param $at i32) (param $a i32) (result i32)
      ${call(['(local.get $a)', '(i32.const 1)', '(i32.const 2)', '(i32.const 3)'])})`) as { run: (at: number, a: number) => number };
  const text = (a: number): string => {
    asked = a;
    const end = run(room.byteOffset, a) || (memory.learn() ? run(room.byteOffset, a) : 0);
    return Buffer.from(room.subarray(0, end - room.byteOffset)).toString();
  };
  for (let round = 0; round < 3; round++) for (let a = 0; a < 2000; a++) expect(text(a)).toBe(`<${a}>`.padStart((a % 37) + 1, '-'));
  for (let i = 0; i < 100; i++) text(5);
  expect(new Set(rendered).size).toBe(2000);
  expect(rendered.filter((a) => a === 5).length).toBeLessThanOrEqual(4);
  // One that is too long is not kept, and where nothing was asked for there is nothing to learn.
  asked = -1;
  expect([run(room.byteOffset, -1), memory.learn(), run(room.byteOffset, -1), memory.learn(), memory.learn()]).toEqual([
    0,
    false,
    0,
    false,
    false,
  ]);
});

test('there is room for so much and no more', () => {
  const small = new JsonMemory(webAssembly!);
  const rooms = Array.from({ length: 20 }, () => small.room(1 << 20)).filter((octets) => octets !== undefined);
  expect(rooms.length).toBe(7);
  expect(new Set(rooms.map((octets) => octets.byteOffset)).size).toBe(7);
  expect(small.run(2000, () => new Uint8Array())).toBeUndefined();
});

test('octets in hex and as strings, of every length and with every octet', () => {
  const { hex, quoted } = memory.link(`
    (func $one_hex (export "hex") (param $at i32) (param $from i32) (param $n i32) (result i32)
      (call $hex (local.get $at) (local.get $from) (local.get $n)))
    (func $one_quoted (export "quoted") (param $at i32) (param $from i32) (param $n i32) (result i32)
      (call $quoted (local.get $at) (local.get $from) (local.get $n)))`) as Record<string, (at: number, from: number, n: number) => number>;
  const octets = memory.room(512)!;
  const out = memory.room(1024)!;
  const written = (end: number) => Buffer.from(out.subarray(0, end - out.byteOffset)).toString('latin1');
  for (let i = 0; i < 256; i++) octets[i] = octets[256 + i] = i;
  for (let from = 0; from < 256; from++)
    for (const length of [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 90]) {
      const text = octets.subarray(from, from + length);
      if (length > 0) expect(written(hex!(out.byteOffset, text.byteOffset, length))).toBe(Buffer.from(text).toString('hex'));
      const isPlain = text.every((octet) => octet >= 0x20 && octet < 0x7f && octet !== 0x22 && octet !== 0x5c);
      const end = quoted!(out.byteOffset, text.byteOffset, length);
      if (isPlain) expect(written(end)).toBe(JSON.stringify(Buffer.from(text).toString('latin1')));
      else expect(end).toBe(0);
    }
  expect([memory.placeOf(octets), memory.placeOf(new Uint8Array(4)), memory.placeOf(octets)]).toEqual([
    octets.byteOffset,
    -1,
    octets.byteOffset,
  ]);
});
