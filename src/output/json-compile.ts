/**
 * A function of its own for the objects of a protocol, made from its table with `new Function`: what JsonWriter does row by
 * row stands there in a straight line. A key is a few stores of eight octets at a time, a number in the packet is read
 * where the table says it is, a condition that rows share is asked once, and what a few octets decide is copied from text
 * made before (json-runs.ts). What has no short form (text, lists, what a walk found) goes back to the writer. Both write
 * the same octets.
 *
 * For `uint8('ip.ttl', 'Time to Live', 8)` the function says
 *
 *     p = start + 8;
 *     if (p + 1 <= captured) {
 *       view.setFloat64(at, 1.4537780049095308e-307, true); at += 7; // ,"ttl":
 *       at = putShort(view, at, bytes[p]);
 *     }
 */
import { putNumeral, putSeconds, putShort, putWord } from '../core/digits.js';
import type { Field } from '../core/field.js';
import type { FixedText } from '../core/fixed-text.js';
import type { Layer } from '../core/layer.js';
import { TextBuffer } from '../core/text.js';
import { type Gate, INFO_KEY, type JsonNode, keyOf, type Layout, NESTED, type Step } from './json-layout.js';
import type { JsonMemory } from './json-memory.js';
import { type OctetsWriter, octetsWriter } from './json-octets.js';
import { type Inside, infoPieces, plainPieces } from './json-plain.js';
import { hasNode, nodesOf, writeRemark } from './json-remarks.js';
import { RunText, RunTexts } from './json-runs.js';
import {
  KEY_ROOM,
  MOST_RUN_TEXT,
  type RowWriter,
  readInPlace,
  shown,
  storesOf,
  UNSIGNED,
  VALUE_ROOM,
  type WriteLayer,
  wordAt,
} from './json-source.js';
import { type Straight, type StraightLayer, straightLayers, straightLine } from './json-straight.js';
import { putBoolean, putIpv4, writeJsonValue } from './json-values.js';
import { webAssembly } from './webassembly.js';

/** So many rows that one condition decides make a function of their own: most are of rare packets. */
const WORTH_A_FUNCTION = 3;

const VALUE_KEY = keyOf('value');
const TRUE = new TextEncoder().encode('true');

/** What is made for a protocol: a call of its own also of `chain` costs less than one that all protocols share. */
export interface Compiled {
  readonly write: WriteLayer;
  readonly chain: (layer: Layer) => string;
  /** What writes several in a row from their octets, if the protocol has said how. */
  readonly octets: OctetsWriter | undefined;
  /** Functions for rare keys, by the first of them; undefined where there is no straight line for plain layers. */
  readonly rare: ReadonlyMap<JsonNode, unknown> | undefined;
}

/** A layer among those that {@link compileTogether} makes a function for. */
export interface Together {
  readonly layout: Layout;
  readonly compiled: Compiled;
  /** What it stands under. */
  readonly key: FixedText;
}

/** Writes layers that stand one after the other. */
export type WriteTogether = (out: TextBuffer, ...layers: readonly Layer[]) => void;

/** What is known of a frame that is written in one go. */
export interface WholeFrame {
  /** The names of all its layers. */
  readonly protocols: string;
  /** Writes the layers in it, where the whole cannot be. */
  readonly within: WriteTogether;
}

/** Make the functions for the objects that `layout` tells of; undefined where code may not be made from text. */
export function compileLayer(layout: Layout, writer: RowWriter, memory: JsonMemory | undefined): Compiled | undefined {
  const { text, constants, rare, octets } = sourceIfAny(layout, writer, memory);
  try {
    const named = `${text}\n//# sourceURL=json-${nameOf(layout)}.js`;
    const make = new Function(...Object.keys(HELPERS), 'writer', 'c', named) as (...given: unknown[]) => WriteLayer;
    const write = make(...Object.values(HELPERS), writer, constants);
    return {
      write: octets === undefined ? write : octets.alone(write),
      octets,
      rare,
      // The comment makes each text another one: what has the same text would share what V8 learns about it.
      chain: new Function('layer', `return layer.chain; // ${decoder.decode(layout.key)}`) as Compiled['chain'],
    };
  } catch (error) {
    // A Content Security Policy, or --disallow-code-generation-from-strings.
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}

/**
 * Make one function for layers that stand one after the other: what they have in common is asked once, and they are written
 * in one call. Undefined where one of them is never plain, or writes what it has in a way of its own.
 *
 * With `whole` the first layer is the frame itself, and the last one the one that its Info column speaks of.
 */
export function compileTogether(
  layers: readonly Together[],
  writer: RowWriter,
  memory: JsonMemory,
  whole?: WholeFrame,
): WriteTogether | undefined {
  const constants = new Constants();
  const use = (value: unknown) => constants.use(value);
  const names = layers.map((_, i) => `layer${i + 1}`);
  const inside = whole && insideOf(layers.at(-1)!.layout, whole.protocols, names.at(-1)!, use);
  if (inside === undefined && whole !== undefined) return undefined;
  const lines: StraightLayer[] = [];
  for (const [i, { layout, compiled }] of layers.entries()) {
    const { plain } = layout;
    if (compiled.rare === undefined || plain === undefined || plain.isQuick) return undefined;
    const name = names[i]!;
    const rare = new Map([...compiled.rare].map(([node, write]) => [node, use(write)]));
    const pieces = plainPieces(layout, use, rare, name, i === 0 ? inside : undefined);
    if (pieces === undefined) return undefined;
    const info = i === layers.length - 1 ? inside && plain.info : undefined;
    const isPlain = `${use(plain.when)}(${name})${info ? ` && ${names[0]}.frame.isSummedUpBy(${name}) && ${use(info.when)}(${name})` : ''}`;
    lines.push({ name, pieces, isPlain });
  }
  const straight = straightLayers(lines, { memory, writer, use });
  if (straight === undefined) return undefined;
  // What is not plain in all of it may be so but for the frame, or what is said of it.
  const alone = whole === undefined ? layers : layers.slice(0, 1);
  const general = alone.map(({ compiled, key }, i) => `${use(compiled.write)}(out, ${names[i]}, ${use(key)});`);
  if (whole !== undefined) general.push(`${use(whole.within)}(out, ${names.slice(1).join(', ')});`);
  const text = [
    '"use strict";',
    constants.script,
    `const general = (out, ${names.join(', ')}) => { ${general.join(' ')} };`,
    ...straight.script,
    `//# sourceURL=json-${layers.map(({ layout }) => nameOf(layout)).join('-')}.js`,
  ].join('\n');
  return new Function('writeJsonValue', 'writer', 'c', text)(writeJsonValue, writer, constants.all) as WriteTogether;
}

/** What stands in a frame that speaks of its layer `top`; undefined where that has not said what it says. */
function insideOf(layout: Layout, protocols: string, top: string, use: (value: unknown) => string): Inside | undefined {
  const info = infoPieces(layout, use, top);
  return info && { protocols, info, top };
}

const nameOf = ({ key }: Layout): string => decoder.decode(key).slice(2, -2);

/** Objects that functions name `c0`, `c1`, … */
class Constants {
  readonly all: unknown[] = [];

  use(value: unknown): string {
    const known = this.all.indexOf(value);
    return `c${known >= 0 ? known : this.all.push(value) - 1}`;
  }

  /** What gives them their names. */
  get script(): string {
    return `const [${this.all.map((_, i) => `c${i}`).join(', ')}] = c;`;
  }
}

/** A function as text, the objects that it names `c0`, `c1`, …, and what it has for plain layers. */
export interface SourceText {
  readonly text: string;
  readonly constants: readonly unknown[];
  readonly straight: Straight | undefined;
  readonly rare: Compiled['rare'];
  readonly octets: OctetsWriter | undefined;
}

/** Without what is for plain layers on a processor that has no instructions for sixteen octets at a time. */
function sourceIfAny(layout: Layout, writer: RowWriter, memory: JsonMemory | undefined): SourceText {
  try {
    return sourceOf(layout, writer, memory);
  } catch (error) {
    if (webAssembly !== undefined && error instanceof webAssembly.CompileError) return sourceOf(layout, writer, undefined);
    throw error;
  }
}

/** The text of the function; without `memory` there is none for plain layers. */
export function sourceOf(layout: Layout, writer: RowWriter, memory: JsonMemory | undefined): SourceText {
  // What is asked more than once is known when all was written once.
  const draft = new Source(new Constants(), new Map(), new Set());
  draft.layer(layout);
  const source = new Source(new Constants(), new Map(), new Set([...draft.asks].filter(([, times]) => times > 1).map(([gate]) => gate)));
  source.layer(layout);
  const use = (value: unknown) => source.use(value);
  const pieces = memory && plainPieces(layout, use, source.parts);
  const straight = pieces && straightLine(pieces, { memory, writer, use });
  const rare = straight && new Map<JsonNode, unknown>();
  return {
    text: source.text(layout, straight, rare),
    constants: source.constants.all,
    straight,
    rare,
    octets: octetsWriter(layout, memory),
  };
}

/** The text for octets that were not met before. Undefined when it is too long to keep. */
function renderRun(nodes: readonly JsonNode[], layer: Layer, writer: RowWriter): Uint8Array | undefined {
  scratch.clear();
  for (const node of nodes) writer.member(scratch, node, layer, undefined);
  return scratch.length > MOST_RUN_TEXT ? undefined : scratch.bytes.subarray(0, scratch.length);
}

const scratch = new TextBuffer(4096);

/** What the functions call by name. */
const HELPERS = {
  putBoolean,
  putIpv4,
  putNumeral,
  putSeconds,
  putShort,
  putWord,
  writeJsonValue,
  RunText,
  renderRun,
  hasNode,
  nodesOf,
  writeRemark,
};

/** The lines of a function, and of those that it calls for rare packets. */
class Source {
  private readonly lines: string[] = [];
  private indent = '  ';
  private marks = 0;
  /** Octets that all that stands between two calls of the writer takes at most. */
  private room = 0;
  private usesFound = false;
  /** The conditions that the code under way stands below; the first `floor` of them are those of the objects around it. */
  private readonly under: Gate[] = [];
  private floor = 0;
  private readonly functions: string[] = [];
  /** The names of those functions, by the first of the keys that they write. */
  readonly parts = new Map<JsonNode, string>();
  private rare: ReadonlySet<Gate | undefined> = new Set();

  constructor(
    readonly constants: Constants,
    /** How often each condition is asked. */
    readonly asks: Map<Gate, number>,
    /** Conditions that are asked once, at the start. */
    private readonly shared: ReadonlySet<Gate>,
    private readonly isPart = false,
  ) {}

  /** The whole; functions for rare keys are also put into `rare`. */
  text(layout: Layout, straight: Straight | undefined, rare: SourceText['rare']): string {
    const general = ['(out, layer, key) => {', ...this.body(), '};'];
    const functions =
      straight === undefined
        ? [`return ${general[0]}`, ...general.slice(1)]
        : [
            `const general = ${general[0]}`,
            ...general.slice(1),
            `const isPlain = (layer, key) => key.length === ${layout.key.length} && ${this.use(layout.plain!.when)}(layer);`,
            ...(rare === undefined ? [] : [...this.parts].map(([node, name]) => `${this.use(rare)}.set(${this.use(node)}, ${name});`)),
            ...straight.script,
          ];
    return ['"use strict";', this.constants.script, ...this.functions, ...functions].join('\n');
  }

  private body(): string[] {
    return [
      '  const { bytes, start, captured } = layer;',
      `  const ROOM = ${this.room};`,
      '  out.room(ROOM);',
      '  let view = out.view;',
      this.isPart ? '  let at = out.length;' : '  let at = key.put(view, out.length);',
      ...(this.isPart ? [] : ['  const first = at;']),
      `  let p, x, w0, w1, w2, w3${this.usesFound ? ', found' : ''};`,
      ...[...this.shared].map((gate) => `  const g${this.use(gate)} = ${this.use(gate)}(layer);`),
      ...this.lines,
      '  out.length = at;',
    ];
  }

  layer(layout: Layout): void {
    this.rare = new Set(layout.plain?.rare);
    this.room += layout.key.length + KEY_ROOM;
    this.steps(layout.steps);
    this.line('out.length = at;');
    if (layout.walked.length > 0)
      this.line(
        layout.hasOctets
          ? `if (!layer.bare) writer.walkedKeys(out, ${this.use(layout)}, layer);`
          : `if (!layer.bare && !layer.quickJson(out)) writer.walkedKeys(out, ${this.use(layout)}, layer);`,
      );
    if (layout.experts.length > 0) this.remarks(layout.experts);
    if (layout.hasInfo) this.line(`out.raw(${this.use(INFO_KEY)}); writer.info(out, layer.frame);`);
    this.reload();
    this.line('if (at === first) view.setUint8(at++, 123);');
    this.line('else view.setUint8(first, 123);');
    this.line('view.setUint8(at++, 125);');
    this.room += 2;
  }

  private remarks(experts: readonly Field[]): void {
    this.line('let any = false, nodes;');
    for (const row of experts)
      this.below([row.options.gate, row.options.when], () => {
        const remark = `any = writeRemark(out, ${JSON.stringify(row.name)}, any);`;
        if (row.compute === undefined) this.line(`if (hasNode((nodes ??= nodesOf(layer)), ${this.use(row)})) ${remark}`);
        else if (row.options.when === undefined) this.line(`if (${this.use(row.compute)}(layer) !== undefined) ${remark}`);
        else this.line(remark);
      });
    this.below([]);
    this.line('if (any) out.byte(0x5d);');
  }

  private steps(steps: readonly Step[]): void {
    for (let i = 0; i < steps.length; ) {
      const { nodes, range } = steps[i]!;
      if (range !== undefined) {
        this.below([]);
        this.run(nodes, ...range);
        i++;
        continue;
      }
      const gate = nodes[0]!.gate;
      let end = i + 1;
      while (end < steps.length && steps[end]!.range === undefined && steps[end]!.nodes[0]!.gate === gate) end++;
      this.gated(
        gate,
        steps.slice(i, end).map((step) => step.nodes[0]!),
      );
      i = end;
    }
    this.below([]);
  }

  private nodes(nodes: readonly JsonNode[]): void {
    for (let i = 0; i < nodes.length; ) {
      const { gate } = nodes[i]!;
      let end = i + 1;
      while (end < nodes.length && nodes[end]!.gate === gate) end++;
      this.gated(gate, nodes.slice(i, end));
      i = end;
    }
  }

  /** Neighbours with one gate. */
  private gated(gate: Gate | undefined, nodes: readonly JsonNode[]): void {
    const isWorthIt = this.rare.has(gate) || nodes.reduce((sum, node) => sum + leavesOf(node), 0) >= WORTH_A_FUNCTION;
    if (gate === undefined || this.isPart || !isWorthIt) {
      for (const node of nodes) this.below([gate, node.kind === NESTED ? undefined : node.row!.options.when], () => this.node(node));
      return;
    }
    const part = new Source(this.constants, new Map(), new Set(), true);
    for (const node of nodes) part.below([node.kind === NESTED ? undefined : node.row!.options.when], () => part.node(node));
    part.below([]);
    const name = `rare${this.functions.length}`;
    this.parts.set(nodes[0]!, name);
    this.functions.push(`const ${name} = (out, layer) => {`, ...part.body(), '};');
    this.below([gate], () => this.handOver(`${name}(out, layer);`));
  }

  /** Write what stands below conditions; neighbours below the same ones share them. */
  private below(conditions: readonly (Gate | undefined)[], write?: () => void): void {
    const { under, floor } = this;
    const wanted: Gate[] = [];
    for (const gate of conditions) {
      // What was asked for the object around it need not be asked again.
      const known = gate === undefined || wanted.includes(gate) || under.slice(0, floor).includes(gate);
      if (!known) wanted.push(gate);
    }
    let same = 0;
    while (same < wanted.length && under[floor + same] === wanted[same]) same++;
    while (under.length > floor + same) {
      under.pop();
      this.close();
    }
    for (const gate of wanted.slice(same)) {
      under.push(gate);
      this.open(`if (${this.ask(gate)}) {`);
    }
    write?.();
  }

  private ask(gate: Gate): string {
    this.asks.set(gate, (this.asks.get(gate) ?? 0) + 1);
    return this.shared.has(gate) ? `g${this.use(gate)}` : `${this.use(gate)}(layer)`;
  }

  private run(nodes: readonly JsonNode[], from: number, to: number): void {
    const texts = this.use(new RunTexts());
    const of = this.use(nodes);
    this.room += MOST_RUN_TEXT;
    this.line(`// ${nodes.map((node) => node.name).join(', ')}`);
    this.line(`p = start + ${from};`);
    this.line('x = undefined;');
    this.open(`if (p + ${to - from} <= captured && !layer.unusual) {`);
    const words = [0, 1, 2, 3].filter((i) => 4 * i < to - from);
    for (const i of words) this.line(`w${i} = ${wordAt('p', 4 * i, Math.min(4, to - from - 4 * i))};`);
    const key = [0, 1, 2, 3].map((i) => (words.includes(i) ? `w${i}` : '0')).join(', ');
    this.line(`x = ${texts}.find(${key});`);
    this.open('if (x === undefined) {');
    this.line(`x = renderRun(${of}, layer, writer);`);
    this.line(`if (x !== undefined) ${texts}.keep((x = new RunText(${key}, x)));`);
    this.close();
    this.close();
    this.line('if (x !== undefined) at = x.put(view, at);');
    this.open('else {');
    this.handOver(`for (const node of ${of}) writer.member(out, node, layer, undefined);`);
    this.close();
  }

  /** A key alone. */
  private node(node: JsonNode): void {
    if (node.kind !== NESTED) this.leaf(node, node.key);
    else if (node.walked || node.row?.type === 'list') this.member(node);
    else this.nested(node);
  }

  private nested({ key, row, children }: JsonNode): void {
    const mark = `m${this.marks++}`;
    this.line(`const ${mark} = at;`);
    this.key(key);
    const { floor } = this;
    this.floor = this.under.length;
    // A mark has no value of its own: that there is something below it says it all.
    if (row !== undefined && row.type !== 'none') this.below([row.options.when], () => this.value(row, VALUE_KEY));
    this.nodes(children);
    this.below([]);
    this.floor = floor;
    // Nothing in it applies to this packet: take the key back.
    this.line(`if (at === ${mark} + ${key.length}) at = ${mark};`);
    this.open('else {');
    this.line(`view.setUint8(${mark} + ${key.length}, 123);`);
    this.line('view.setUint8(at++, 125);');
    this.close();
    this.room += 1;
  }

  private leaf(node: JsonNode, key: Uint8Array): void {
    const row = node.row!;
    if (row.walked) this.member(node);
    else if (row.name === 'frame.protocols') {
      this.key(key);
      this.handOver('writer.protocols(out);');
    } else if (row.options.json !== undefined) {
      this.key(key);
      this.handOver(`${this.use(row.options.json)}(layer, out);`);
    } else this.value(row, key);
  }

  /** The key and the value of a row that is computed or stands in place; its condition is known to hold. */
  private value(row: Field, key: Uint8Array): void {
    if (row.value !== undefined) this.computed(row, row.value, key);
    else this.inPlace(row, key);
    this.room += VALUE_ROOM;
  }

  private inPlace(row: Field, key: Uint8Array): void {
    const value = readInPlace(row);
    if (value === undefined) {
      this.line(`x = ${this.use(row)}.raw(layer);`);
      this.open('if (x !== undefined) {');
      this.key(key);
      this.handOver(`writeJsonValue(out, ${this.use(row)}, x);`);
    } else {
      this.line(`p = start + ${row.offset as number};`);
      this.open(`if (p + ${row.length as number} <= captured) {`);
      this.key(key);
      if (value.how === 'word') this.number(value.value, 8 * (row.length as number));
      else this.line(`at = ${value.how === 'bool' ? 'putBoolean' : 'putIpv4'}(view, at, ${value.value});`);
    }
    this.close();
  }

  /** The digits of an unsigned number of so many bits. */
  private number(value: string, bits: number): void {
    this.line(`at = ${bits === 8 ? 'putShort' : 'putWord'}(view, at, ${value});`);
  }

  private computed(row: Field, value: NonNullable<Field['value']>, key: Uint8Array): void {
    const { type } = row;
    const get = `${this.use(value)}(layer)`;
    // A row with a condition has a value wherever that holds.
    const isThere = row.options.when !== undefined;
    if (isThere && type === 'none') {
      this.key(Uint8Array.of(...key, ...TRUE));
      return;
    }
    if (isThere && UNSIGNED.test(type)) {
      this.key(key);
      this.number(`${get} | 0`, type === 'uint8' ? 8 : 32);
      return;
    }
    this.line(`x = ${get};`);
    if (!isThere) this.open('if (x !== undefined) {');
    this.key(key);
    if (/^u?int(8|16|24|32)$|^frame$/.test(type)) this.line('at = putNumeral(view, at, x);');
    else if (type === 'bool' || type === 'none') this.line('at = putBoolean(view, at, x);');
    else {
      const isDuration = type === 'duration';
      if (isDuration) {
        this.line("if (typeof x === 'number') at = putSeconds(view, at, x);");
        this.open('else {');
      }
      this.handOver(`writeJsonValue(out, ${this.use(row)}, x);`);
      if (isDuration) this.close();
    }
    if (!isThere) this.close();
  }

  private member(node: JsonNode): void {
    if (node.walked) {
      this.usesFound = true;
      this.line('if (found === undefined) found = writer.scopeOf(layer);');
    }
    this.handOver(`writer.member(out, ${this.use(node)}, layer, ${node.walked ? 'found' : 'undefined'});`);
  }

  /** A statement that writes to `out` itself; behind it there is room for all that follows. */
  private handOver(statement: string): void {
    this.line('out.length = at;');
    this.line(statement);
    this.reload();
  }

  private reload(): void {
    this.line('out.room(ROOM);');
    this.line('view = out.view;');
    this.line('at = out.length;');
  }

  private key(key: Uint8Array): void {
    this.line(`${storesOf(key)}at += ${key.length}; ${shown(key)}`);
    this.room += key.length + 8;
  }

  /** The name of an object. */
  use(value: unknown): string {
    return this.constants.use(value);
  }

  private line(text: string): void {
    this.lines.push(this.indent + text);
  }
  private open(text: string): void {
    this.line(text);
    this.indent += '  ';
  }
  private close(): void {
    this.indent = this.indent.slice(2);
    this.line('}');
  }
}

const decoder = new TextDecoder();

const leavesOf = (node: JsonNode): number => (node.kind === NESTED ? node.children.reduce((sum, child) => sum + leavesOf(child), 1) : 1);
