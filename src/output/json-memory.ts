/**
 * Memory that functions of WebAssembly write JSON in (json-straight.ts), and what they have in common: digits, texts that
 * are known, texts of runs. They write a store for what takes V8's JavaScript a dozen instructions.
 *
 *     0        40 000
 *     | digits | texts, kept texts of runs, output: as they are asked for …
 */
import { FOUR } from '../core/digits.js';
import type { Layer } from '../core/layer.js';
import { sixteen } from '../core/octets-json.js';
import { assemble, type Expression, parse } from './wat.js';
import type { Memory, webAssembly } from './webassembly.js';

const PAGE = 65_536;
/** 8 MB: three buffers of output, and what some dozen protocols keep. Of it the system gives what is used. */
const PAGES = 128;

/** Texts kept for a run; a power of two. */
const KEPT = 512;
/** Before each text stand the four words that decide it, and its length; 0 for no text yet. */
const HEAD = 20;
const LENGTH = 16;

/** Most octets of a layer that are read at fixed places. */
export const LEND = 256;

/** The text of a run for octets that were not met before, in one of these layers. */
export type Render = (layers: readonly Layer[]) => Uint8Array;

/** A run that keeps its texts in memory. */
interface KeptRun {
  /** Where its texts stand, and how far they are apart. */
  readonly table: number;
  readonly stride: number;
  readonly render: Render;
}

/** A text that is to be made for the four words that decide it, and kept in a slot. */
interface Missing {
  readonly run: KeptRun;
  readonly slot: number;
  readonly words: readonly number[];
}

/** Memory of a fixed size, whose buffer therefore stays the same. */
export class JsonMemory {
  readonly buffer: ArrayBuffer;
  private readonly octets: Uint8Array;
  private readonly memory: Memory;
  private next = FOUR.byteLength;
  private readonly runs: KeptRun[] = [];
  /** What the function that returned 0 last found no text for, if that was why. */
  private missing: Missing | undefined = undefined;
  /** Octets of which it was asked last whether they stand here, and where. */
  private asked: Uint8Array | undefined = undefined;
  private place = -1;
  /** Where octets are copied to that stand elsewhere. */
  private readonly lent: number;

  /** Throws a RangeError where there is no memory to be had. */
  constructor(private readonly engine: NonNullable<typeof webAssembly>) {
    this.memory = new engine.Memory({ initial: PAGES, maximum: PAGES });
    this.buffer = this.memory.buffer;
    this.octets = new Uint8Array(this.buffer);
    this.octets.set(new Uint8Array(FOUR.buffer));
    this.lent = this.take(LEND)!;
  }

  /** Where `length` octets are free, which are then taken; undefined when there are not so many. */
  take(length: number): number | undefined {
    const at = this.next;
    const end = (at + length + 15) & ~15;
    if (end > PAGES * PAGE) return undefined;
    this.next = end;
    return at;
  }

  /** So many octets to write output in, or to read a capture into; undefined when there is no room. Some of those behind them are read, too. */
  room(length: number): Uint8Array | undefined {
    const at = this.take(length + 32);
    return at === undefined ? undefined : new Uint8Array(this.buffer, at, length);
  }

  /** Where the first of these octets stands; -1 when they are elsewhere. Layers of a capture stand in the same ones. */
  placeOf(octets: Uint8Array): number {
    if (octets !== this.asked) {
      this.asked = octets;
      this.place = octets.buffer === this.buffer ? octets.byteOffset : -1;
    }
    return this.place;
  }

  /** Where `octets` from `start` on stand, or else a copy of the first `length` of them, until this is asked again. Some of those behind are read, too. */
  lend(octets: Uint8Array, start: number, length: number): number {
    const place = this.placeOf(octets);
    if (place >= 0) return place + start;
    for (let i = 0; i < length; i++) this.octets[this.lent + i] = octets[start + i]!;
    return this.lent;
  }

  /** Octets that are known beforehand; some of those behind them are read, too. */
  text(octets: Uint8Array): number | undefined {
    const at = this.take(octets.length + 16);
    if (at !== undefined) this.octets.set(octets, at);
    return at;
  }

  /** A run of texts of at most `most` octets; the instruction that writes one at `$at`, or undefined where there is no room. */
  run(most: number, render: Render): ((words: readonly string[]) => string) | undefined {
    const stride = (HEAD + most + 63) & ~63;
    const table = this.take(KEPT * stride + 16);
    if (table === undefined) return undefined;
    const id = this.runs.push({ table, stride, render }) - 1;
    return (words) =>
      `(call $run${words.length} (local.get $at) ${words.join(' ')} (i32.const ${table}) (i32.const ${stride}) (i32.const ${id}))`;
  }

  /** The functions of a module that consists of `text` and what stands below. */
  link(text: string): Readonly<Record<string, unknown>> {
    common ??= parse(IMPORTS + COMMON);
    const module = new this.engine.Module(assemble([...common, ...parse(text)]));
    const miss = (id: number, slot: number, ...words: number[]): void => {
      this.missing = { run: this.runs[id]!, slot, words };
    };
    return new this.engine.Instance(module, { env: { memory: this.memory, miss } }).exports;
  }

  /**
   * After a function returned 0: make the text that it did not find, of these layers, and keep it, so that it will find it the
   * next time; false when there was another reason, or the text is too long.
   */
  learn(...layers: readonly Layer[]): boolean {
    const { missing } = this;
    if (missing === undefined) return false;
    this.missing = undefined;
    const { table, stride, render } = missing.run;
    const text = render(layers);
    if (text.length > stride - HEAD) return false;
    const at = table + missing.slot * stride;
    // What was there takes the place of what has not been asked for since.
    this.octets.copyWithin(table + (missing.slot ^ 1) * stride, at, at + stride);
    const head = new DataView(this.buffer, at, HEAD);
    for (let i = 0; i < 4; i++) head.setInt32(4 * i, missing.words[i]!, true);
    head.setInt32(LENGTH, text.length, true);
    this.octets.set(text, at + HEAD);
    return true;
  }
}

const IMPORTS = `
  (import "env" "memory" (memory ${PAGES}))
  (import "env" "miss" (func $miss (param $run i32) (param $slot i32) (param i32) (param i32) (param i32) (param i32)))`;

/** What the instructions of {@link writeWord} need beside `$at`. */
export const WORD_LOCALS = '(local $quotient i32) (local $digits i64) (local $zeros i64)';

/**
 * Instructions that write an unsigned number `ahead` octets behind `$at`, and set `$at` to where it ends. A call would take
 * as long again as a number of few digits does.
 */
export const writeWord = (n: string, ahead: number): string => `
  (if (i32.lt_u ${n} (i32.const 100000000))
    (then ${belowEightDigits(n, ahead)})
    (else (local.set $at (call $large (i32.add (local.get $at) (i32.const ${ahead})) ${n}))))`;

/**
 * The same below 100 000 000, without a branch, which would be foretold wrongly every other time: eight digits, of which
 * those before the first that is not 0 are shifted out.
 */
function belowEightDigits(n: string, ahead: number): string {
  return `
    (local.set $quotient (i32.div_u ${n} (i32.const 10000)))
    (local.set $digits
      (i64.or
        (i64.load32_u (i32.shl (local.get $quotient) (i32.const 2)))
        (i64.shl
          (i64.load32_u (i32.shl (i32.sub ${n} (i32.mul (local.get $quotient) (i32.const 10000))) (i32.const 2)))
          (i64.const 32))))
    (local.set $zeros
      (i64.and
        (i64.ctz (i64.or (i64.and (local.get $digits) (i64.const ${0x0f0f0f0f0f0f0f0fn})) (i64.const ${1n << 56n})))
        (i64.const 56)))
    (i64.store offset=${ahead} (local.get $at) (i64.shr_u (local.get $digits) (local.get $zeros)))
    (local.set $at
      (i32.sub (i32.add (local.get $at) (i32.const ${ahead + 8})) (i32.shr_u (i32.wrap_i64 (local.get $zeros)) (i32.const 3))))`;
}

/** Eight digits of a number below 100 000 000, with leading zeros, `ahead` octets behind `$at`; `high` is a local to work with. */
const eightDigits = (high: string, n: string, ahead: number): string => `
    (local.set ${high} (i32.div_u (local.get ${n}) (i32.const 10000)))
    (i32.store offset=${ahead} (local.get $at) (i32.load (i32.shl (local.get ${high}) (i32.const 2))))
    (i32.store offset=${ahead + 4} (local.get $at)
      (i32.load (i32.shl (i32.sub (local.get ${n}) (i32.mul (local.get ${high}) (i32.const 10000))) (i32.const 2))))`;

/** Odd numbers that the words of a run are multiplied with, so that all their bits count. */
const SPREAD = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f];

/**
 * The function `$run1`, `$run2`, … that writes the text of a run for so many words, and returns 0 when it can not be kept.
 * There are two places for each, so that two that come in turn do not push each other out.
 */
function findText(count: number): string {
  const words = Array.from({ length: count }, (_, i) => `$w${i}`);
  const all = (parts: readonly string[], how: string): string => parts.reduce((one, other) => `(${how} ${one} ${other})`);
  const differs = all(
    words.map((word, i) => `(i32.xor (i32.load offset=${4 * i} (local.get $entry)) (local.get ${word}))`),
    'i32.or',
  );
  // No text is of no octets, which is what a place says where none is kept yet.
  const isOther = `(i32.or (i32.ne ${differs} (i32.const 0)) (i32.eqz (i32.load offset=${LENGTH} (local.get $entry))))`;
  return `
  (func $run${count}
    (param $at i32) ${words.map((word) => `(param ${word} i32)`).join(' ')} (param $table i32) (param $stride i32) (param $id i32) (result i32)
    (local $slot i32) (local $entry i32)
    (local.set $slot
      ${all(
        words.map((word, i) => `(i32.mul (local.get ${word}) (i32.const ${SPREAD[i]! | 0}))`),
        'i32.xor',
      )})
    (local.set $slot (i32.shr_u (local.get $slot) (i32.const ${32 - Math.log2(KEPT)})))
    (local.set $entry (i32.add (local.get $table) (i32.mul (local.get $slot) (local.get $stride))))
    (if ${isOther}
      (then
        (local.set $entry
          (i32.add (local.get $table) (i32.mul (i32.xor (local.get $slot) (i32.const 1)) (local.get $stride))))
        (if ${isOther}
          (then
            (call $miss (local.get $id) (local.get $slot) ${words.map((word) => `(local.get ${word})`).join(' ')} ${'(i32.const 0) '.repeat(4 - count)})
            (return (i32.const 0))))))
    (call $copy (local.get $at) (i32.add (local.get $entry) (i32.const ${HEAD})) (i32.load offset=${LENGTH} (local.get $entry))))
`;
}

/** Which of the sixteen octets under way are those of `other`. */
export const isOctet = (other: string): string => `(i8x16.eq (local.get $x) ${other})`;

/**
 * Instructions that copy `$length` octets from `$from` to `$at`, sixteen at a time by way of `$x`, and return 0 when there
 * are others among them than ASCII with a glyph or a blank, or one that `forbidden` tells. They need `$i` and `$bad`, too.
 */
export const copyWhole = (forbidden: readonly string[]): string => `
    (loop $more
      (local.set $x (v128.load (i32.add (local.get $from) (local.get $i))))
      (v128.store (i32.add (local.get $at) (local.get $i)) (local.get $x))
      (local.set $bad
        (v128.or (local.get $bad)
          (v128.and
            ;; Those within the length. All from 128 on are below 32, as they are signed.
            (i8x16.lt_s (v128.const 0x0706050403020100 0x0f0e0d0c0b0a0908) (i8x16.splat (call $least (i32.sub (local.get $length) (local.get $i)))))
            ${[`(i8x16.lt_s (local.get $x) ${sixteen(0x20)})`, isOctet(sixteen(0x7f)), ...forbidden].reduce((one, other) => `(v128.or ${one} ${other})`)})))
      (local.set $i (i32.add (local.get $i) (i32.const 16)))
      (br_if $more (i32.lt_u (local.get $i) (local.get $length))))
    (if (v128.any_true (local.get $bad)) (then (return (i32.const 0))))`;

/**
 * Every function writes at `$at` and returns where that ends; what is behind the end is written over, too. The digits of a
 * number below 10 000, with leading zeros, stand at four times the number.
 */
const COMMON = `
  ;; A number below 10 000. Its digits are counted without a branch, which would be foretold wrongly every other time.
  (func $short (param $at i32) (param $n i32) (result i32)
    (local $zeros i32)
    (local.set $zeros
      (i32.add (i32.lt_u (local.get $n) (i32.const 10))
        (i32.add (i32.lt_u (local.get $n) (i32.const 100)) (i32.lt_u (local.get $n) (i32.const 1000)))))
    (i32.store (local.get $at)
      (i32.shr_u (i32.load (i32.shl (local.get $n) (i32.const 2))) (i32.shl (local.get $zeros) (i32.const 3))))
    (i32.sub (i32.add (local.get $at) (i32.const 4)) (local.get $zeros)))

  ;; A number of 100 000 000 or more: one digit or two, then eight.
  (func $large (param $at i32) (param $n i32) (result i32)
    (local $high i32) (local $low i32) (local $single i32)
    (local.set $high (i32.div_u (local.get $n) (i32.const 100000000)))
    (local.set $low (i32.sub (local.get $n) (i32.mul (local.get $high) (i32.const 100000000))))
    (local.set $single (i32.lt_u (local.get $high) (i32.const 10)))
    (i32.store (local.get $at)
      (i32.shr_u (i32.load (i32.shl (local.get $high) (i32.const 2)))
        (i32.add (i32.const 16) (i32.shl (local.get $single) (i32.const 3)))))
    (local.set $at (i32.sub (i32.add (local.get $at) (i32.const 2)) (local.get $single)))
    ${eightDigits('$high', '$low', 0)}
    (i32.add (local.get $at) (i32.const 8)))

  ;; An unsigned number.
  (func $word (param $at i32) (param $n i32) (result i32)
    ${WORD_LOCALS}
    (if (i32.ge_u (local.get $n) (i32.const 100000000)) (then (return (call $large (local.get $at) (local.get $n)))))
    ${belowEightDigits('(local.get $n)', 0)}
    (local.get $at))

  ;; A signed number.
  (func $int (param $at i32) (param $n i32) (result i32)
    (if (i32.lt_s (local.get $n) (i32.const 0))
      (then
        (i32.store8 (local.get $at) (i32.const 45))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $n (i32.sub (i32.const 0) (local.get $n)))))
    (call $word (local.get $at) (local.get $n)))

  ;; true or false
  (func $bool (param $at i32) (param $value i32) (result i32)
    (i64.store (local.get $at) (i64.const ${wordOf('false')}))
    (if (local.get $value) (then (i32.store (local.get $at) (i32.const ${wordOf('true')}))))
    (i32.sub (i32.add (local.get $at) (i32.const 5)) (i32.ne (local.get $value) (i32.const 0))))

  ;; One octet of an address with what stands behind it.
  (func $part (param $at i32) (param $n i32) (param $end i32) (result i32)
    (local.set $at (call $short (local.get $at) (i32.and (local.get $n) (i32.const 255))))
    (i32.store8 (local.get $at) (local.get $end))
    (i32.add (local.get $at) (i32.const 1)))

  ;; An IPv4 address in quotes.
  (func $ipv4 (param $at i32) (param $n i32) (result i32)
    (i32.store8 (local.get $at) (i32.const 34))
    (local.set $at
      (call $part (i32.add (local.get $at) (i32.const 1)) (i32.shr_u (local.get $n) (i32.const 24)) (i32.const 46)))
    (local.set $at (call $part (local.get $at) (i32.shr_u (local.get $n) (i32.const 16)) (i32.const 46)))
    (local.set $at (call $part (local.get $at) (i32.shr_u (local.get $n) (i32.const 8)) (i32.const 46)))
    (call $part (local.get $at) (local.get $n) (i32.const 34)))

  ;; A number below 1 000 000 000, with leading zeros to nine digits.
  (func $nine (param $at i32) (param $n i32) (result i32)
    (local $high i32)
    (local.set $high (i32.div_u (local.get $n) (i32.const 100000000)))
    (i32.store8 (local.get $at) (i32.add (i32.const 48) (local.get $high)))
    (local.set $n (i32.sub (local.get $n) (i32.mul (local.get $high) (i32.const 100000000))))
    ${eightDigits('$high', '$n', 1)}
    (i32.add (local.get $at) (i32.const 9)))

  ;; Nanoseconds as seconds with nine decimals.
  (func $seconds (param $at i32) (param $time f64) (result i32)
    (local $floor f64) (local $whole i32)
    ;; The nearest whole number, of two the higher one.
    (local.set $floor (f64.floor (local.get $time)))
    (if (f64.ge (f64.sub (local.get $time) (local.get $floor)) (f64.const 0.5))
      (then (local.set $floor (f64.add (local.get $floor) (f64.const 1)))))
    (if (f64.lt (local.get $floor) (f64.const 0))
      (then
        (i32.store8 (local.get $at) (i32.const 45))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $floor (f64.sub (f64.const 0) (local.get $floor)))))
    (if (f64.lt (local.get $floor) (f64.const 1000000000))
      (then
        (i32.store (local.get $at) (i32.const ${wordOf('0.')}))
        (return (call $nine (i32.add (local.get $at) (i32.const 2)) (i32.trunc_sat_f64_u (local.get $floor))))))
    (local.set $whole (i32.trunc_sat_f64_u (f64.div (local.get $floor) (f64.const 1000000000))))
    (local.set $floor (f64.sub (local.get $floor) (f64.mul (f64.convert_i32_u (local.get $whole)) (f64.const 1000000000))))
    ;; The division may have come out as the next whole number.
    (if (f64.lt (local.get $floor) (f64.const 0))
      (then
        (local.set $whole (i32.sub (local.get $whole) (i32.const 1)))
        (local.set $floor (f64.add (local.get $floor) (f64.const 1000000000)))))
    (local.set $at (call $word (local.get $at) (local.get $whole)))
    (i32.store8 (local.get $at) (i32.const 46))
    (call $nine (i32.add (local.get $at) (i32.const 1)) (i32.trunc_sat_f64_u (local.get $floor))))

  ;; Octets from elsewhere, sixteen at a time.
  (func $copy (param $at i32) (param $from i32) (param $length i32) (result i32)
    (local $to i32)
    (local.set $to (local.get $at))
    (loop $more
      (v128.store (local.get $to) (v128.load (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (br_if $more (i32.lt_u (i32.sub (local.get $to) (local.get $at)) (local.get $length))))
    (i32.add (local.get $at) (local.get $length)))

  ;; Octets from elsewhere in hex, two digits each, eight at a time.
  (func $hex (param $at i32) (param $from i32) (param $length i32) (result i32)
    (local $i i32) (local $x v128)
    (loop $more
      ;; Each octet twice: of the first the upper four bits, of the second the lower ones.
      (local.set $x (v128.load64_zero (i32.add (local.get $from) (local.get $i))))
      (local.set $x (i8x16.shuffle 0 0 1 1 2 2 3 3 4 4 5 5 6 6 7 7 (local.get $x) (local.get $x)))
      (local.set $x
        (v128.bitselect
          (i8x16.shr_u (local.get $x) (i32.const 4))
          (v128.and (local.get $x) (v128.const 0x0f0f0f0f0f0f0f0f 0x0f0f0f0f0f0f0f0f))
          (v128.const 0x00ff00ff00ff00ff 0x00ff00ff00ff00ff)))
      (v128.store (i32.add (local.get $at) (i32.shl (local.get $i) (i32.const 1)))
        (i8x16.swizzle (v128.const ${wordOf('01234567')} ${wordOf('89abcdef')}) (local.get $x)))
      (local.set $i (i32.add (local.get $i) (i32.const 8)))
      (br_if $more (i32.lt_u (local.get $i) (local.get $length))))
    (i32.add (local.get $at) (i32.shl (local.get $length) (i32.const 1))))

  ;; Octets from elsewhere as a string; 0 when there are others among them than those that stand for themselves in JSON.
  (func $quoted (param $at i32) (param $from i32) (param $length i32) (result i32)
    (local $i i32) (local $x v128) (local $bad v128)
    (i32.store8 (local.get $at) (i32.const 34))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    ${copyWhole([isOctet(sixteen(0x22)), isOctet(sixteen(0x5c))])}
    (i32.store8 (i32.add (local.get $at) (local.get $length)) (i32.const 34))
    (i32.add (local.get $at) (i32.add (local.get $length) (i32.const 1))))

  ;; A length, sixteen at most.
  (func $least (param $n i32) (result i32)
    (if (i32.lt_u (i32.const 16) (local.get $n)) (then (return (i32.const 16))))
    (local.get $n))

  ${[1, 2, 3, 4].map(findText).join('')}
`;

/** All of this, parsed when it is first needed. */
let common: readonly Expression[] | undefined;

/** Up to eight octets of text as the number that they are in memory. */
function wordOf(text: string): bigint {
  const octets = new Uint8Array(8);
  new TextEncoder().encodeInto(text, octets);
  return new DataView(octets.buffer).getBigInt64(0, true);
}
