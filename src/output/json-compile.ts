/**
 * A function of its own for the keys of a protocol, made from its table with `new Function`: what JsonWriter does row by
 * row stands there in a straight line. A key is a few stores of eight octets at a time, a number in the packet is read
 * where the table says it is, and what a few octets decide is copied from text made before (json-runs.ts). What has no
 * short form (text, lists, what a walk found) goes back to the writer. Both write the same octets.
 *
 * For `uint8('ip.ttl', 'Time to Live', 8)` the function says
 *
 *     p = start + 8;
 *     if (p + 1 <= captured) {
 *       view.setFloat64(at, 1.4537780049095308e-307, true); at += 7; // ,"ttl":
 *       at = putWhole(view, at, bytes[p]);
 *     }
 */
import { DIGITS_ROOM, putNumeral, putSeconds, putWhole } from '../core/digits.js';
import type { Field } from '../core/field.js';
import type { Layer } from '../core/layer.js';
import { TextBuffer } from '../core/text.js';
import type { Found } from './json-found.js';
import { type Gate, type JsonNode, keyOf, NESTED, type Step } from './json-layout.js';
import { hasNode, nodesOf, writeRemark } from './json-remarks.js';
import { RunText, RunTexts } from './json-runs.js';
import { putBoolean, putIpv4, writeJsonValue } from './json-values.js';

/** Writes something of a layer: keys, each with a comma before it. */
export type WriteLayer = (out: TextBuffer, layer: Layer) => void;

/** What the functions leave to the writer. */
export interface RowWriter {
  member(out: TextBuffer, node: JsonNode, layer: Layer, found: Found | undefined): void;
  scopeOf(layer: Layer): Found;
}

/** Longest text of a run that is kept; octets that a run takes at most. */
const MOST_RUN_TEXT = 2048;
/** Octets that the value of a row takes at most, where it is written in place. */
const VALUE_ROOM = 2 * DIGITS_ROOM;

const VALUE_KEY = keyOf('value');

/** Make the function for the keys that `steps` tell of; undefined where code may not be made from text. */
export function compileKeys(steps: readonly Step[], writer: RowWriter): WriteLayer | undefined {
  const source = new Source();
  source.steps(steps);
  return functionOf(source.text(), source.constants, writer);
}

/** Make the function for the remarks, see writeRemarks; undefined where code may not be made from text. */
export function compileRemarks(experts: readonly Field[]): WriteLayer | undefined {
  const source = new Source();
  source.remarks(experts);
  return functionOf(source.remarksText(), source.constants, undefined);
}

function functionOf(text: string, constants: readonly unknown[], writer: RowWriter | undefined): WriteLayer | undefined {
  try {
    const make = new Function(...Object.keys(HELPERS), 'writer', 'c', text) as (...given: unknown[]) => WriteLayer;
    return make(...Object.values(HELPERS), writer, constants);
  } catch (error) {
    // A Content Security Policy, or --disallow-code-generation-from-strings.
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}

/** The text of the function for keys, for those who want to read it. */
export function sourceOf(steps: readonly Step[]): string {
  const source = new Source();
  source.steps(steps);
  return source.text();
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
  putWhole,
  writeJsonValue,
  RunText,
  renderRun,
  hasNode,
  nodesOf,
  writeRemark,
};

/** The lines of a function, and the objects that they name `c[0]`, `c[1]`, … */
class Source {
  readonly constants: unknown[] = [];
  private readonly lines: string[] = [];
  private indent = '  ';
  private marks = 0;
  /** Octets that all that stands between two calls of the writer takes at most. */
  private room = 0;
  private usesFound = false;
  /** The questions that the code under way stands below. */
  private readonly asked: Gate[] = [];

  text(): string {
    return [
      '"use strict";',
      `const [${this.constants.map((_, i) => `c${i}`).join(', ')}] = c;`,
      'return (out, layer) => {',
      '  const { bytes, start, captured } = layer;',
      `  const ROOM = ${this.room};`,
      '  out.room(ROOM);',
      '  let view = out.view;',
      '  let at = out.length;',
      `  let p, x, w0, w1, w2, w3${this.usesFound ? ', found' : ''};`,
      ...this.lines,
      '  out.length = at;',
      '};',
    ].join('\n');
  }

  remarksText(): string {
    return [
      '"use strict";',
      `const [${this.constants.map((_, i) => `c${i}`).join(', ')}] = c;`,
      'return (out, layer) => {',
      '  let any = false, nodes;',
      ...this.lines,
      '  if (any) out.byte(0x5d);',
      '};',
    ].join('\n');
  }

  remarks(experts: readonly Field[]): void {
    let gate: Gate | undefined;
    for (const row of experts) {
      gate = this.gate(gate, row.options.gate);
      const applies = row.compute
        ? `${this.use(row.compute)}(layer) !== undefined`
        : `hasNode((nodes ??= nodesOf(layer)), ${this.use(row)})`;
      this.line(`if (${applies}) any = writeRemark(out, ${JSON.stringify(row.name)}, any);`);
    }
    this.gate(gate, undefined);
  }

  steps(steps: readonly Step[]): void {
    let gate: Gate | undefined;
    for (const { nodes, range } of steps) {
      const own = range === undefined ? nodes[0]!.gate : undefined;
      gate = this.gate(gate, own);
      if (range !== undefined) this.run(nodes, ...range);
      else this.node(nodes[0]!);
    }
    this.gate(gate, undefined);
  }

  /** From what `before` asks to what `next` asks; neighbours with one gate share the question. */
  private gate(before: Gate | undefined, next: Gate | undefined): Gate | undefined {
    // What was asked for the object around it need not be asked again.
    const question = next !== undefined && this.asked.includes(next) && before !== next ? undefined : next;
    if (before === question) return question;
    if (before !== undefined) {
      this.asked.pop();
      this.close();
    }
    if (question !== undefined) {
      this.asked.push(question);
      this.open(`if (${this.use(question)}(layer)) {`);
    }
    return question;
  }

  private run(nodes: readonly JsonNode[], from: number, to: number): void {
    const texts = this.use(new RunTexts());
    const of = this.use(nodes);
    this.room += MOST_RUN_TEXT;
    this.line(`// ${nodes.map((node) => node.name).join(', ')}`);
    this.line(`p = start + ${from};`);
    this.line('x = undefined;');
    this.open(`if (p + ${to - from} <= captured && !layer.unusual) {`);
    for (let i = 0; i < 4; i++) this.line(`w${i} = ${wordAt('p', 4 * i, Math.min(4, to - from - 4 * i))};`);
    this.line(`x = ${texts}.find(w0, w1, w2, w3);`);
    this.open('if (x === undefined) {');
    this.line(`x = renderRun(${of}, layer, writer);`);
    this.line(`if (x !== undefined) ${texts}.keep((x = new RunText(w0, w1, w2, w3, x)));`);
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
    // A mark has no value of its own: that there is something below it says it all.
    if (row !== undefined && row.type !== 'none') this.value(row, VALUE_KEY);
    let gate: Gate | undefined;
    for (const child of children) {
      gate = this.gate(gate, child.gate);
      this.node(child);
    }
    this.gate(gate, undefined);
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
    else if (row.options.json !== undefined) {
      this.key(key);
      this.handOver(`${this.use(row.options.json)}(layer, out);`);
    } else this.value(row, key);
  }

  /** The key and the value of a row that is computed or stands in place. */
  private value(row: Field, key: Uint8Array): void {
    const inPlace = row.compute === undefined ? readInPlace(row) : undefined;
    if (row.compute === undefined && inPlace === undefined) {
      this.line(`x = ${this.use(row)}.raw(layer);`);
      this.open('if (x !== undefined) {');
      this.key(key);
      this.handOver(`writeJsonValue(out, ${this.use(row)}, x);`);
      this.close();
      return;
    }
    if (inPlace !== undefined) {
      const { when } = row.options;
      this.line(`p = start + ${row.offset as number};`);
      this.open(`if (p + ${row.length as number} <= captured${when === undefined ? '' : ` && ${this.use(when)}(layer)`}) {`);
      this.key(key);
      this.line(`at = ${inPlace};`);
    } else {
      this.line(`x = ${this.use(row.compute)}(layer);`);
      this.open('if (x !== undefined) {');
      this.key(key);
      if (/^u?int(8|16|24|32)$|^frame$/.test(row.type)) this.line('at = putNumeral(view, at, x);');
      else if (row.type === 'bool' || row.type === 'none') this.line('at = putBoolean(view, at, x);');
      else {
        const isDuration = row.type === 'duration';
        if (isDuration) {
          this.line("if (typeof x === 'number') at = putSeconds(view, at, x);");
          this.open('else {');
        }
        this.handOver(`writeJsonValue(out, ${this.use(row)}, x);`);
        if (isDuration) this.close();
      }
    }
    this.room += VALUE_ROOM;
    this.close();
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
    this.line('out.room(ROOM);');
    this.line('view = out.view;');
    this.line('at = out.length;');
  }

  /** Octets known beforehand: eight at a time, the last of them with some that are then overwritten. */
  private key(key: Uint8Array): void {
    const padded = new DataView(new ArrayBuffer((key.length + 7) & ~7));
    new Uint8Array(padded.buffer).set(key);
    let stores = '';
    for (let i = 0; i < key.length; i += 8) {
      const place = i === 0 ? 'at' : `at + ${i}`;
      // A short rest as a number that the reader of the code can tell; neither kind of number is changed on its way.
      if (key.length - i <= 4) stores += `view.setInt32(${place}, ${padded.getInt32(i, true)}, true); `;
      else stores += `view.setFloat64(${place}, ${padded.getFloat64(i, true)}, true); `;
    }
    this.line(`${stores}at += ${key.length}; // ${decoder.decode(key)}`);
    this.room += key.length + 8;
  }

  private use(value: unknown): string {
    const known = this.constants.indexOf(value);
    return `c${known >= 0 ? known : this.constants.push(value) - 1}`;
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

/** `octets` octets behind `p` as a word, the first one highest; 0 for none. */
function wordAt(p: string, from: number, octets: number): string {
  if (octets <= 0) return '0';
  const parts = Array.from({ length: octets }, (_, i) => {
    const shift = 8 * (octets - 1 - i);
    const octet = `bytes[${p}${from + i === 0 ? '' : ` + ${from + i}`}]`;
    return shift === 0 ? octet : `(${octet} << ${shift})`;
  });
  return parts.length === 1 ? parts[0]! : `(${parts.join(' | ')})`;
}

/** How a number, flag or address at a fixed place is written, given `p`; undefined where there is more to it. */
function readInPlace(row: Field): string | undefined {
  const { offset, length, type } = row;
  const { mask, little } = row.options;
  if (typeof offset !== 'number' || offset < 0 || typeof length !== 'number' || length > 4 || little) return undefined;
  const word = wordAt('p', 0, length);
  const unsigned = length === 4 ? `${word} >>> 0` : word;
  if (type === 'ipv4') return mask === undefined ? `putIpv4(view, at, ${word})` : undefined;
  if (type !== 'bool' && !/^uint(8|16|24|32)$/.test(type)) return undefined;
  if (mask !== undefined && (mask <= 0 || mask > 0x7fff_ffff)) return undefined;
  const masked = mask === undefined ? unsigned : `(${word} & ${mask}) >>> ${row.shift}`;
  return type === 'bool' ? `putBoolean(view, at, (${masked}) !== 0)` : `putWhole(view, at, ${masked})`;
}
