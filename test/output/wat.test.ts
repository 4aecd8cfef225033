import { expect, test } from 'vitest';
import { assemble, parse } from '../../src/output/wat.js';
import { webAssembly } from '../../src/output/webassembly.js';

/** The exports of a module, with four pages of memory. */
function run(text: string, imports: Record<string, unknown> = {}): Record<string, (...numbers: number[]) => number> {
  const memory = new webAssembly!.Memory({ initial: 4 });
  const instance = new webAssembly!.Instance(new webAssembly!.Module(assemble(parse(text))), { env: { memory, ...imports } });
  return instance.exports as Record<string, (...numbers: number[]) => number>;
}

test('the octets of a small module', () => {
  const octets = assemble(
    parse(`
      (func $double (export "double") (param $n i32) (result i32) ;; n + n
        (i32.shl (local.get $n) (i32.const 1)))`),
  );
  expect(Buffer.from(octets).toString('hex').match(/../g)!.join(' ')).toBe(
    [
      '00 61 73 6d 01 00 00 00',
      '01 06 01 60 01 7f 01 7f',
      '02 01 00',
      '03 02 01 00',
      '07 0a 01 06 64 6f 75 62 6c 65 00 00',
      '0a 09 01 07 00 20 00 41 01 74 0b',
    ].join(' '),
  );
});

test('branches, loops, locals, memory and calls, also to the outside', () => {
  const told: number[] = [];
  const { sum, fill } = run(
    `(import "env" "memory" (memory 4))
      (import "env" "tell" (func $tell (param $n i32)))
      (func $add (param $a i32) (param $b i32) (result i32) (i32.add (local.get $a) (local.get $b)))
      (func $sum (export "sum") (param $n i32) (result i32)
        (local $all i32)
        (if (i32.eqz (local.get $n)) (then (return (i32.const -1))))
        (loop $more
          (local.set $all (call $add (local.get $all) (local.get $n)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br_if $more (local.get $n)))
        (if (i32.ge_u (local.get $all) (i32.const 1000))
          (then (call $tell (local.get $all)))
          (else (return (local.get $all))))
        (i32.const 1000))
      (func $fill (export "fill") (param $at i32) (result i32)
        (i64.store offset=200 (local.get $at) (i64.const -2))
        (v128.store offset=208 (local.get $at) (v128.load offset=200 (local.get $at)))
        (i32.load offset=212 (local.get $at)))`,
    { tell: (n: number) => told.push(n) },
  ) as { sum: (n: number) => number; fill: (at: number) => number };
  expect([sum(0), sum(1), sum(40), sum(100)]).toEqual([-1, 1, 820, 1000]);
  expect(told).toEqual([5050]);
  expect(fill(3)).toBe(-1);
});

test('numbers of every size', () => {
  const sizes = [0, 1, 63, 64, -64, -65, 127, 128, 8191, 8192, 2 ** 31 - 1, -(2 ** 31)];
  const functions = sizes.map((n, i) => `(func $f${i} (export "f${i}") (result i32) (i32.const ${n}))`);
  const made = run(functions.join(' '));
  expect(sizes.map((_, i) => made[`f${i}`]!())).toEqual(sizes);
});

test.each([
  ['(func $f (export "f") (i32.nand (i32.const 1) (i32.const 2)))', 'i32.nand'],
  ['(func $f (export "f") (call $g))', '$g'],
  ['(func $f (export "f") (call $f (local.get $x)))', '$x'],
  ['(func $f', 'brackets'],
])('%s is refused', (text, named) => {
  expect(() => assemble(parse(text))).toThrow(named);
});
