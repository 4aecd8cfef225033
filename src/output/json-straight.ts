/**
 * The straight line for plain layers as code: what the layer knows is read in JavaScript, and written by WebAssembly, in one
 * call for all that stands between two calls of the writer. Text that is known is a few stores of sixteen octets, a number
 * some twenty instructions.
 *
 * For `,"hops":` with a number and, where a condition holds, `,"urgent":true` the parts say
 *
 *     const a0 = c1(layer) | 0;                    (i64.store (local.get $at) (i64.const …)) ;; ,"hops":
 *     let when = 0;                                (local.set $at (call $word (i32.add (local.get $at) (i32.const 8)) (local.get $a0)))
 *     if (c2(layer)) {                             (if (i32.and (local.get $when) (i32.const 1)) (then
 *       when |= 1;                                   (v128.store (local.get $at) (v128.load offset=40000 (i32.const 0))) ;; ,"urgent":true
 *     }                                              (local.set $at (i32.add (local.get $at) (i32.const 14)))))
 *     const at = line0(out.base + out.length, from, when, a0);
 *
 * What stands at a fixed place in the layer is read by WebAssembly itself, from `from` on: most layers stand in the chunk of
 * the capture that was read into its memory, and of others the head is copied there.
 */
import type { Layer } from '../core/layer.js';
import type { KnownOctets } from '../core/plain.js';
import { TextBuffer } from '../core/text.js';
import { type JsonMemory, LEND, WORD_LOCALS, writeWord } from './json-memory.js';
import { type Condition, merged, type Piece, type Run } from './json-plain.js';
import { type InPlace, type Octets, type RowWriter, VALUE_ROOM, type ValueKind } from './json-source.js';

const decoder = new TextDecoder();
const OPEN = 123;

/** Octets at a time that text is copied in; so many are written over behind each text. */
const WIDTH = 16;
/** Octets for what is written beside a line, and so many of them at most are copied. */
const BESIDE = 4096;
const MOST_BESIDE = 1024;
/** Most conditions that one function is told of. */
const MOST_CONDITIONS = 30;

/** Pieces below a condition, or in an object that may turn out empty. */
interface Block {
  readonly kind: 'block';
  /** Undefined for an object. */
  readonly condition: Condition | undefined;
  readonly key: Uint8Array | undefined;
  readonly inner: readonly Part[];
}

type Part = Exclude<Piece, { kind: 'open' | 'close' | 'object' | 'end' }> | Block;

/** What the code is made with. */
export interface StraightParts {
  readonly memory: JsonMemory;
  readonly writer: RowWriter;
  /** Names an object. */
  readonly use: (value: unknown) => string;
}

/** A layer in a line that several have in common: what it is called, what is written of it, and whether it is plain. */
export interface StraightLayer {
  readonly name: string;
  readonly pieces: readonly Piece[];
  readonly isPlain: string;
}

/** A function in its two languages. */
export interface Straight {
  /** Lines that end with the function of (out, layer, key); `general` is the one for all layers, `isPlain` tells which are plain. */
  readonly script: readonly string[];
  /** What it calls, in the text format of WebAssembly. */
  readonly functions: string;
}

/** The function that writes `pieces`. Undefined where there is no room for it in memory, or an object has a call in it. */
export function straightLine(pieces: readonly Piece[], parts: StraightParts): Straight | undefined {
  const script = new Script(parts, ['layer'], 'layer, key');
  return script.parts(treeOf(pieces)) ? script.finish() : undefined;
}

/**
 * The same for layers that stand one after the other: a function of (out, …layers), with `general` for those of which not all
 * are plain, or stand in the writer's memory.
 */
export function straightLayers(layers: readonly StraightLayer[], parts: StraightParts): Straight | undefined {
  const names = layers.map(({ name }) => name);
  const script = new Script(parts, names, names.join(', '));
  const pieces = layers.flatMap(({ name, pieces }): Piece[] => [{ kind: 'layer', name }, ...pieces]);
  return script.parts(treeOf(merged(pieces))) ? script.finishLayers(layers) : undefined;
}

function treeOf(pieces: readonly Piece[]): readonly Part[] {
  const top: Part[] = [];
  const open: Part[][] = [top];
  for (const piece of pieces)
    if (piece.kind === 'close' || piece.kind === 'end') open.pop();
    else if (piece.kind === 'open' || piece.kind === 'object') {
      const inner: Part[] = [];
      const isObject = piece.kind === 'object';
      open.at(-1)!.push({ kind: 'block', condition: isObject ? undefined : piece.condition, key: isObject ? piece.key : undefined, inner });
      open.push(inner);
    } else open.at(-1)!.push(piece);
  return top;
}

const hasCall = (part: Part): boolean => part.kind === 'call' || (part.kind === 'block' && part.inner.some(hasCall));

/** The function's JavaScript, between whose calls of the writer stand calls of WebAssembly. */
class Script {
  private readonly lines: string[] = [];
  private readonly functions: string[] = [];
  private room = 0;
  private indent = '  ';
  /** So many octets are read in place, by the names of layers. */
  private readonly read = new Map<string, number>();
  private readonly again: string;

  /** The layer that is written next. */
  private layer: string;

  /** `all`: what the function is called with. */
  constructor(
    private readonly given: StraightParts,
    private readonly layers: readonly string[],
    private readonly all: string,
  ) {
    this.again = `return again(out, ${all}, first);`;
    this.layer = layers[0]!;
  }

  /** Write parts one after the other; false where there is no room for them in memory. */
  parts(parts: readonly Part[]): boolean {
    for (let i = 0; i < parts.length; ) {
      const part = parts[i]!;
      if (part.kind === 'call') {
        this.say(part.statement);
        i++;
      } else if (hasCall(part)) {
        const { condition, inner } = part as Block;
        // Where an object begins is not known on both sides of a call, and what the octets are only within one.
        if (typeof condition !== 'string') return false;
        this.say(`if (${condition}) {`);
        this.indent += '  ';
        if (!this.parts(inner)) return false;
        this.indent = this.indent.slice(2);
        this.say('}');
        i++;
      } else {
        let end = i + 1;
        while (end < parts.length && !hasCall(parts[end]!)) end++;
        if (!this.line(parts.slice(i, end))) return false;
        i = end;
      }
    }
    return true;
  }

  /** Write parts in one call. */
  private line(parts: readonly Part[]): boolean {
    const only = parts[0]!;
    if (parts.length === 1 && only.kind === 'text' && only.octets.length === 1) {
      this.say(`out.byte(${only.octets[0]});`);
      return true;
    }
    const line = new Line(this.given, this.layers, this.read, this.layer, `line${this.functions.length}`, this.again);
    if (!line.parts(parts)) return false;
    this.layer = line.layer;
    this.functions.push(line.text());
    this.room = Math.max(this.room, line.room);
    // A call before it may have taken the room, or moved all that was written.
    if (this.functions.length > 1) this.say(`if (out.buffer !== buffer || out.length + ROOM > out.bytes.length) ${this.again}`);
    this.say('{');
    for (const text of line.reads) this.say(`  ${text}`);
    this.say(`  const at = ${line.name}(${line.arguments.join(', ')});`);
    this.say(`  if (at === 0) ${this.again}`);
    this.say('  out.length = at - out.base;');
    this.say('}');
    return true;
  }

  private say(text: string): void {
    this.lines.push(this.indent + text);
  }

  finish(): Straight {
    const reach = this.read.get(this.layer) ?? 0;
    return this.function([
      `  if (out.buffer !== buffer || first + ROOM > out.bytes.length || !isPlain(layer, key)) return general(out, layer, key);`,
      ...(reach === 0 ? [] : [`  const from = memory.lend(layer.bytes, layer.start, ${reach});`]),
    ]);
  }

  finishLayers(layers: readonly StraightLayer[]): Straight {
    const [outermost, ...others] = layers;
    const conditions = [
      'place < 0',
      'out.buffer !== buffer',
      'first + ROOM > out.bytes.length',
      ...others.map(({ name }) => `${name}.bytes !== ${outermost!.name}.bytes`),
      ...layers.map(({ isPlain }) => `!(${isPlain})`),
    ];
    return this.function([
      `  const place = memory.placeOf(${outermost!.name}.bytes);`,
      `  if (${conditions.join(' || ')}) return general(out, ${this.all});`,
      ...[...this.read.keys()].map((name) => `  const ${fromOf(name)} = place + ${name}.start;`),
    ]);
  }

  /** The function that begins with these lines. */
  private function(begin: readonly string[]): Straight {
    const { memory, use } = this.given;
    const functions = this.functions.join('\n');
    const script = [
      `const memory = ${use(memory)}, buffer = memory.buffer, ROOM = ${this.room};`,
      ...Object.entries(memory.link(functions)).map(([name, made]) => `const ${name} = ${use(made)};`),
      `const again = (out, ${this.all}, first) => {`,
      '  out.length = first;',
      // From the beginning, where nothing was in the way but a text that is known now.
      `  return (memory.learn(${this.layers.join(', ')}) ? straight : general)(out, ${this.all});`,
      '};',
      `const straight = (out, ${this.all}) => {`,
      '  const first = out.length;',
      ...begin,
      ...this.lines,
      '};',
      'return straight;',
    ];
    return { script, functions };
  }
}

/** Where the first octet of a layer stands. */
const fromOf = (layer: string): string => layer.replace('layer', 'from');

/** One function of WebAssembly, and what JavaScript reads for it. */
class Line {
  private readonly declared: string[] = [];
  private asked: string[] = [];
  /** What is written beside: after all reads, so that the engine need not read again what it has changed nothing of. */
  private readonly beside: string[] = [];
  private readonly handed: string[] = [];
  /** The names of values, by the expressions that they are read with. */
  private readonly names = new Map<string, string>();
  private readonly parameters: string[] = [];
  private readonly code: string[] = [];
  private marks = 0;
  private conditions = 0;
  /** How far behind `$at` the next octet stands. */
  private ahead = 0;
  /** Octets that it takes at most. */
  room = WIDTH;
  /** The layers of which it reads octets in place. */
  private readonly from = new Set<string>();
  private depth = 0;
  private isWhole = true;

  /** `layer` is the layer that comes first, `again` what JavaScript says when it will not do. */
  constructor(
    private readonly given: StraightParts,
    private readonly layers: readonly string[],
    private readonly read: Map<string, number>,
    public layer: string,
    readonly name: string,
    private readonly again: string,
  ) {}

  parts(parts: readonly Part[]): boolean {
    for (const part of parts) this.part(part);
    return this.isWhole && this.conditions <= MOST_CONDITIONS;
  }

  /** What JavaScript says before the call. */
  get reads(): readonly string[] {
    return [...this.declared, ...this.asked, ...this.beside];
  }

  /** What the function is called with. */
  get arguments(): readonly string[] {
    return ['out.base + out.length', ...this.common, ...this.handed];
  }

  /** What it is called with if it has use for it. */
  private get common(): readonly string[] {
    return [...[...this.from].map(fromOf), ...(this.conditions > 0 ? ['when'] : [])];
  }

  /** In the text format. */
  text(): string {
    this.settle();
    const locals = ['(local $octets i32) (local $word i32)', ...Array.from({ length: this.marks }, (_, i) => `(local $m${i} i32)`)];
    const parameters = [...this.common.map((name) => `(param $${name} i32)`), ...this.parameters];
    return [
      `(func $${this.name} (export "${this.name}") (param $at i32) ${parameters.join(' ')} (result i32) ${locals.join(' ')} ${WORD_LOCALS}`,
      ...this.code,
      '(local.get $at))',
    ].join('\n  ');
  }

  private part(part: Part): void {
    switch (part.kind) {
      case 'text':
        return this.known(part.octets);
      case 'value':
        return this.value(part.how, part.value);
      case 'nanoseconds':
        this.room += VALUE_ROOM;
        return this.put(`(call $nine ${this.place()} (local.get $${this.ask('i32', part.value)}))`);
      case 'duration':
        return this.duration(part.value);
      case 'run':
        return this.run(part.run);
      case 'part':
        return this.copy(part.name);
      case 'layer':
        this.layer = part.name;
        return;
      case 'block':
        return this.block(part);
    }
  }

  private block(block: Block): void {
    const { condition, inner } = block;
    if (condition === undefined) this.object(block);
    else if (typeof condition === 'string') this.below(condition, inner);
    else this.where(condition, inner);
  }

  private value(how: ValueKind, value: string | InPlace): void {
    this.room += VALUE_ROOM;
    if (how === 'word') {
      this.code.push(`(local.set $word ${this.valueOf(how, value)})`, writeWord('(local.get $word)', this.ahead));
      this.ahead = 0;
    } else this.put(`(call $${how} ${this.place()} ${this.valueOf(how, value)})`);
  }

  /** Nanoseconds that JavaScript counts. */
  private duration(value: string): void {
    this.room += VALUE_ROOM;
    const name = this.ask('f64', value);
    this.asked.push(`${this.margin()}if (!(${name} <= ${Number.MAX_SAFE_INTEGER} && ${name} >= ${Number.MIN_SAFE_INTEGER})) ${this.again}`);
    this.put(`(call $seconds ${this.place()} (local.get $${name}))`);
  }

  private valueOf(how: ValueKind, value: string | InPlace): string {
    if (typeof value !== 'string') return this.inPlace(value);
    const name = this.ask(how === 'seconds' ? 'f64' : 'i32', READS[how](value));
    if (how === 'seconds') this.asked.push(`${this.margin()}if (typeof ${name} !== 'number') ${this.again}`);
    return `(local.get $${name})`;
  }

  private known(octets: Uint8Array): void {
    const { length } = octets;
    this.code.push(`;; ${decoder.decode(octets)}`);
    const padded = new DataView(new ArrayBuffer((length + WIDTH) & ~7));
    new Uint8Array(padded.buffer).set(octets);
    let literal: number | undefined;
    for (let i = 0; i < length; ) {
      const at = `offset=${this.ahead + i} (local.get $at)`;
      if (length - i <= 8) {
        this.code.push(`(i64.store ${at} (i64.const ${padded.getBigInt64(i, true)}))`);
        i += 8;
      } else {
        literal ??= this.given.memory.text(octets);
        if (literal === undefined) this.isWhole = false;
        this.code.push(`(v128.store ${at} (v128.load offset=${(literal ?? 0) + i} (i32.const 0)))`);
        i += WIDTH;
      }
    }
    this.ahead += length;
    this.room += length;
  }

  private run(run: Run): void {
    this.room += run.most + WIDTH;
    this.settle();
    const { writer, memory } = this.given;
    const place = this.layers.indexOf(this.layer);
    const call = memory.run(run.most, (layers) => textOf(run, layers[place]!, writer));
    if (call === undefined) {
      this.isWhole = false;
      return;
    }
    const words = run.words.map((word) => (typeof word === 'string' ? `(local.get $${this.ask('i32', word)})` : this.octets(word)));
    this.code.push(`;; ${run.nodes.map((node) => node.name).join(', ')}`);
    this.put(call(words));
    this.code.push('(if (i32.eqz (local.get $at)) (then (return (i32.const 0))))');
  }

  /** What a function writes beside the line, from where it is copied. */
  private copy(name: string): void {
    const { memory, use } = this.given;
    const octets = memory.room(BESIDE);
    if (octets === undefined) {
      this.isWhole = false;
      return;
    }
    const length = this.ask('i32', `${use(besideIn(octets))}(${name}, ${this.layer}, out)`);
    this.asked.push(`${this.margin()}if (${length} < 0) ${this.again}`);
    this.code.push(`;; ${name}`);
    this.put(`(call $copy ${this.place()} (i32.const ${octets.byteOffset}) (local.get $${length}))`);
    this.room += MOST_BESIDE;
  }

  /** What stands below a condition, which JavaScript asks. */
  private below(condition: string, inner: readonly Part[]): void {
    if (this.conditions === 0) this.declared.push('let when = 0;');
    const bit = 1 << this.conditions++;
    this.settle();
    const { asked } = this;
    if (inner.some(({ kind }) => kind === 'part')) this.asked = this.beside;
    this.asked.push(`${this.margin()}if (${condition}) {`, `${this.margin()}  when |= ${bit};`);
    this.depth++;
    this.code.push(`(if (i32.and (local.get $when) (i32.const ${bit})) (then`);
    for (const part of inner) this.part(part);
    this.settle();
    this.code.push('))');
    this.depth--;
    this.asked.push(`${this.margin()}}`);
    this.asked = asked;
  }

  /** What stands where octets of the layer are these. */
  private where(known: readonly KnownOctets[], inner: readonly Part[]): void {
    this.settle();
    const asked = known.map((octets) => {
      const { count, is, mask } = octets;
      const word = this.octets(octets);
      const masked = mask === undefined ? word : `(i32.and ${word} (i32.const ${inMemory(mask, count)}))`;
      return `(i32.eq ${masked} (i32.const ${inMemory(is, count)}))`;
    });
    this.code.push(`(if ${asked.reduce((one, other) => `(i32.and ${one} ${other})`)} (then`);
    for (const part of inner) this.part(part);
    this.settle();
    this.code.push('))');
  }

  /** What may turn out to be nothing. */
  private object({ key, inner }: Block): void {
    const mark = `$m${this.marks++}`;
    this.known(key!);
    this.settle();
    this.code.push(`(local.set ${mark} (local.get $at))`);
    for (const part of inner) this.part(part);
    this.settle();
    this.code.push(
      `(if (i32.eq (local.get $at) (local.get ${mark}))`,
      // Nothing in it applies to this packet: take the key back.
      `  (then (local.set $at (i32.sub (local.get ${mark}) (i32.const ${key!.length}))))`,
      '  (else',
      `    (i32.store8 (local.get ${mark}) (i32.const ${OPEN}))`,
      '    (i32.store8 (local.get $at) (i32.const 125))',
      '    (local.set $at (i32.add (local.get $at) (i32.const 1)))))',
    );
    this.room += 2;
  }

  /** The instruction for a value in place. */
  private inPlace({ how, octets, mask, shift }: InPlace): string {
    const word = this.number(octets);
    if (mask === undefined) return word;
    const masked = `(i32.and ${word} (i32.const ${mask}))`;
    return how === 'bool' || shift === 0 ? masked : `(i32.shr_u ${masked} (i32.const ${shift}))`;
  }

  /** The one for octets as they stand in memory: the first one lowest. */
  private octets({ from, count }: Octets): string {
    const first = `offset=${from} (local.get $${this.reaching(from + count)})`;
    if (count === 1) return `(i32.load8_u ${first})`;
    const four = `(i32.load ${first})`;
    return count === 4 ? four : `(i32.and ${four} (i32.const ${(1 << (8 * count)) - 1}))`;
  }

  /** The one for them as a number: the first one highest. */
  private number(octets: Octets): string {
    const { from, count } = octets;
    if (count === 1) return this.octets(octets);
    const place = this.reaching(from + count);
    // Every other octet a place up, every other one a place down.
    const four = `(i32.or
      (i32.and (i32.rotl (local.tee $octets (i32.load offset=${from} (local.get $${place}))) (i32.const 8)) (i32.const ${0x00ff00ff}))
      (i32.and (i32.rotr (local.get $octets) (i32.const 8)) (i32.const ${0xff00ff00 | 0})))`;
    return count === 4 ? four : `(i32.shr_u ${four} (i32.const ${32 - 8 * count}))`;
  }

  /** The name of where the layer begins, of which so many octets are read. */
  private reaching(reach: number): string {
    this.read.set(this.layer, Math.max(this.read.get(this.layer) ?? 0, reach));
    if (reach > LEND) this.isWhole = false;
    this.from.add(this.layer);
    return fromOf(this.layer);
  }

  /** The name of a value that is read beforehand. */
  private ask(type: string, value: string): string {
    const known = this.names.get(value);
    if (known !== undefined) return known;
    const name = `a${this.parameters.length}`;
    // What stands in several places is read once, but what a condition decides for each of them.
    if (this.depth === 0) this.names.set(value, name);
    this.parameters.push(`(param $${name} ${type})`);
    this.handed.push(name);
    // What a condition decides has a value in any case.
    if (this.depth > 0) this.declared.push(`let ${name} = 0;`);
    this.asked.push(this.depth > 0 ? `${this.margin()}${name} = ${value};` : `const ${name} = ${value};`);
    return name;
  }

  private margin(): string {
    return '  '.repeat(this.depth);
  }

  private place(): string {
    return this.ahead === 0 ? '(local.get $at)' : `(i32.add (local.get $at) (i32.const ${this.ahead}))`;
  }

  /** Go on where `instruction` says that it has ended. */
  private put(instruction: string): void {
    this.code.push(`(local.set $at ${instruction})`);
    this.ahead = 0;
  }

  private settle(): void {
    if (this.ahead > 0) this.put(this.place());
  }
}

/** A number of so many octets, the first one highest, as the number that is read with the first one lowest. */
function inMemory(n: number, count: number): number {
  const octets = new DataView(new ArrayBuffer(4));
  octets.setUint32(0, n << (8 * (4 - count)));
  return octets.getInt32(0, true);
}

/** How values are handed over. */
const READS = {
  word: (value: string) => `${value} | 0`,
  int: (value: string) => `${value} | 0`,
  ipv4: (value: string) => `${value} | 0`,
  bool: (value: string) => `${value} ? 1 : 0`,
  seconds: (value: string) => value,
};

/** Has something written to `octets`, and tells how long it is; -1 when it is too long. */
function besideIn(octets: Uint8Array): (write: (out: TextBuffer, layer: Layer) => void, layer: Layer, out: TextBuffer) => number {
  const beside = new TextBuffer(0);
  return (write, layer, { asciiOnly }) => {
    // What took more moved it elsewhere.
    if (beside.bytes !== octets) beside.bytes = octets;
    beside.clear();
    beside.asciiOnly = asciiOnly;
    write(beside, layer);
    return beside.bytes === octets && beside.length <= MOST_BESIDE ? beside.length : -1;
  };
}

/** The text of a run in a layer. */
function textOf({ nodes, more, isFirst }: Run, layer: Layer, writer: RowWriter): Uint8Array {
  scratch.clear();
  for (const node of nodes) writer.member(scratch, node, layer, undefined);
  for (const part of more) {
    if (typeof part === 'function') scratch.ascii(part(layer));
    else scratch.raw(part);
  }
  if (isFirst) scratch.bytes[0] = OPEN;
  return scratch.bytes.subarray(0, scratch.length);
}

const scratch = new TextBuffer(4096);
