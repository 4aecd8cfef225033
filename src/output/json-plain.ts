/**
 * The straight line for plain layers (core/plain.ts): no condition is asked that is known to hold, no row is written that is
 * known to be absent, and what stands between two numbers is one text.
 */
import { DIGITS_ROOM } from '../core/digits.js';
import type { Field } from '../core/field.js';
import type { Plain, PlainWalk } from '../core/plain.js';
import { TextBuffer } from '../core/text.js';
import { type Gate, HIDDEN, type JsonNode, keyOf, type Layout, NESTED, type Step } from './json-layout.js';
import { RunText, type RunTexts } from './json-runs.js';
import { MOST_RUN_TEXT, type RowWriter, readInPlace, shown, storesOf, UNSIGNED, VALUE_ROOM, wordAt } from './json-source.js';
import { writeJsonValue } from './json-values.js';

const encoder = new TextEncoder();
const VALUE_KEY = keyOf('value');
const OPEN = 123;
const CLOSE = Uint8Array.of(125);

/** What is written one after the other. */
type Piece =
  | { readonly kind: 'text'; readonly octets: readonly number[] }
  /** An expression that writes at the place that it is given, and says where it ends. */
  | { readonly kind: 'put'; readonly call: (place: string) => string }
  | { readonly kind: 'run'; readonly step: Step; readonly isFirst: boolean }
  /** Statements that find `at` where the octets before end. */
  | { readonly kind: 'lines'; readonly lines: readonly string[] }
  | { readonly kind: 'open'; readonly condition: string }
  | { readonly kind: 'close' };

/** A key with its value: whether it is in every plain layer, and what writes it. */
interface Member {
  readonly isSure: boolean;
  readonly write: () => void;
}

/** Make the text of a run; what stands before and behind it in every layer goes with it. */
export function renderRun(
  texts: RunTexts,
  words: readonly [number, number, number, number],
  { nodes, isFirst, before, after }: RunParts,
  layer: Parameters<RowWriter['member']>[2],
  writer: RowWriter,
): RunText {
  scratch.clear();
  scratch.raw(before);
  for (const node of nodes) writer.member(scratch, node, layer, undefined);
  if (isFirst) scratch.bytes[before.length] = OPEN;
  scratch.raw(after);
  const text = new RunText(...words, scratch.bytes.subarray(0, scratch.length));
  if (text.length <= MOST_RUN_TEXT) texts.keep(text);
  return text;
}

const scratch = new TextBuffer(4096);

interface RunParts {
  readonly nodes: readonly JsonNode[];
  /** The first key follows the brace of its object. */
  readonly isFirst: boolean;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/**
 * The body of a function of (out, layer) for the plain layers of a protocol that are the first of theirs in a frame;
 * undefined where the protocol has not said enough. `use` names an object, `newTexts` one for the texts of a run.
 */
export function plainBody(layout: Layout, use: (value: unknown) => string, newTexts: () => string): readonly string[] | undefined {
  const { plain } = layout;
  if (plain === undefined || layout.hasOctets || layout.hasInfo) return undefined;
  const line = new PlainLine(plain, use, newTexts);
  return line.layer(layout) ? line.body() : undefined;
}

class PlainLine {
  private readonly pieces: Piece[] = [];
  /** Read before anything is written: the engine keeps nothing that it knows of objects across a store. */
  private readonly reads: string[] = [];
  private readonly holds: ReadonlySet<Gate>;
  private readonly fails: ReadonlySet<Gate>;
  private readonly present: ReadonlySet<Field>;
  private readonly values: ReadonlyMap<Field, unknown>;
  /** The next key is the first of its object. */
  private isFirst = false;
  private marks = 0;
  private room = 0;

  constructor(
    private readonly plain: Plain,
    private readonly use: (value: unknown) => string,
    private readonly newTexts: () => string,
  ) {
    this.holds = new Set(plain.holds);
    this.fails = new Set(plain.fails);
    this.present = new Set(plain.present);
    this.values = new Map(plain.values);
  }

  /** False when something may come first that is not in every layer, or only a walk tells. */
  layer(layout: Layout): boolean {
    const { steps } = layout;
    if (steps.some(({ nodes }) => nodes.some((node) => node.walked))) return false;
    const members = steps.flatMap((step) => (step.range === undefined ? this.members(step.nodes) : this.run(step)));
    if (members[0]?.isSure !== true) return false;
    this.key(layout.key);
    this.isFirst = true;
    for (const member of members) member.write();
    for (const found of this.plain.walk ?? []) this.walk(found);
    this.text(CLOSE);
    return true;
  }

  private members(nodes: readonly JsonNode[]): Member[] {
    return nodes.flatMap((node) => {
      if (node.kind === HIDDEN) return [];
      return node.kind === NESTED ? this.object(node) : this.leaf(node.row!, node.key);
    });
  }

  private run(step: Step): Member[] {
    const write = () => {
      this.pieces.push({ kind: 'run', step, isFirst: this.isFirst });
      this.isFirst = false;
    };
    return [{ isSure: true, write }];
  }

  private object({ key, row, children }: JsonNode): Member[] {
    // A mark has no value of its own: that there is something below it says it all.
    const own = row === undefined || row.type === 'none' ? [] : this.leaf(row, VALUE_KEY);
    const members = [...own, ...this.members(children)];
    if (members.length === 0) return [];
    const isSure = members.some((member) => member.isSure);
    const write = () => {
      this.key(key);
      this.isFirst = members[0]!.isSure;
      if (this.isFirst) {
        for (const member of members) member.write();
        this.text(CLOSE);
        return;
      }
      const mark = `m${this.marks++}`;
      this.lines(`const ${mark} = at;`);
      for (const member of members) member.write();
      if (isSure) this.lines(`view.setUint8(${mark}, ${OPEN});`, 'view.setUint8(at++, 125);');
      // Nothing in it applies to this packet: take the key back.
      else
        this.lines(
          `if (at === ${mark}) at = ${mark} - ${key.length};`,
          'else {',
          `  view.setUint8(${mark}, ${OPEN});`,
          '  view.setUint8(at++, 125);',
          '}',
        );
    };
    return [{ isSure, write }];
  }

  private leaf(row: Field, key: Uint8Array): Member[] {
    const { gate, when, json } = row.options;
    const asked = [...new Set([gate, when])].filter((condition) => condition !== undefined && !this.holds.has(condition)) as Gate[];
    const isKnown = this.values.has(row);
    const value = this.values.get(row);
    if (row.severity !== undefined || asked.some((condition) => this.fails.has(condition)) || (isKnown && value === undefined)) return [];
    const member = (isSure: boolean, write: () => void): Member[] => [
      {
        isSure: isSure && asked.length === 0,
        write: () => {
          for (const condition of asked) this.pieces.push({ kind: 'open', condition: `${this.use(condition)}(layer)` });
          write();
          for (const _ of asked) this.pieces.push({ kind: 'close' });
        },
      },
    ];
    if (isKnown) return member(true, () => this.constant(row, key, value));
    if (json !== undefined)
      return member(true, () => {
        this.key(key);
        this.handOver(`${this.use(json)}(layer, out);`);
      });
    const isSure = row.value === undefined ? readInPlace(row, 'start') !== undefined : when !== undefined || this.present.has(row);
    if (!isSure)
      return member(false, () => {
        this.lines(`x = ${this.use(row)}.raw(layer);`);
        this.pieces.push({ kind: 'open', condition: 'x !== undefined' });
        this.key(key);
        this.handOver(`writeJsonValue(out, ${this.use(row)}, x);`);
        this.pieces.push({ kind: 'close' });
      });
    return member(true, () => {
      this.room += VALUE_ROOM;
      this.key(key);
      if (row.value !== undefined) this.computed(row, row.value, asked.length === 0);
      else this.inPlace(row);
    });
  }

  private constant(row: Field, key: Uint8Array, value: unknown): void {
    scratch.clear();
    writeJsonValue(scratch, row, value as Parameters<typeof writeJsonValue>[2]);
    this.key(key);
    this.text(scratch.bytes.slice(0, scratch.length));
  }

  private inPlace(row: Field): void {
    const { number, call } = readInPlace(row, 'start')!;
    if (number === undefined) this.put((place) => call!(place));
    else this.number(this.read(number), 8 * (row.length as number));
  }

  private computed(row: Field, value: NonNullable<Field['value']>, isSure: boolean): void {
    const { type } = row;
    const get = `${this.use(value)}(layer)`;
    if (type === 'none') return this.text(encoder.encode('true'));
    if (UNSIGNED.test(type)) return this.number(isSure ? this.read(`${get} | 0`) : `${get} | 0`, type === 'uint8' ? 8 : 32);
    const x = isSure ? this.read(get) : 'x';
    if (!isSure) this.lines(`x = ${get};`);
    if (/^int(8|16|32)$/.test(type)) this.put((place) => `putNumeral(view, ${place}, ${x})`);
    else if (type === 'bool') this.put((place) => `putBoolean(view, ${place}, ${x})`);
    else if (type === 'duration') {
      // Only those of many years are no numbers.
      this.put((place) => `typeof ${x} === 'number' ? putSeconds(view, ${place}, ${x}) : putLong(out, ${place}, ${this.use(row)}, ${x})`);
    } else this.handOver(`writeJsonValue(out, ${this.use(row)}, ${x});`);
  }

  private walk({ when, json = [], write }: PlainWalk): void {
    this.pieces.push({ kind: 'open', condition: `${this.use(when)}(layer)` });
    for (const part of json) {
      if (typeof part === 'string') this.text(encoder.encode(part));
      else this.number(`${this.use(part)}(layer)`, 32);
    }
    if (write !== undefined) this.handOver(`${this.use(write)}(layer, out);`);
    this.pieces.push({ kind: 'close' });
  }

  /** The digits of an unsigned number of so many bits. */
  private number(value: string, bits: number): void {
    this.room += DIGITS_ROOM;
    this.put((place) => `${bits === 8 ? 'putShort' : 'putWord'}(view, ${place}, ${value})`);
  }

  /** The name of a value that is read beforehand. */
  private read(value: string): string {
    return `n${this.reads.push(value) - 1}`;
  }

  private put(call: (place: string) => string): void {
    this.pieces.push({ kind: 'put', call });
  }

  private lines(...lines: string[]): void {
    this.pieces.push({ kind: 'lines', lines });
  }

  /** A statement that writes to `out` itself. */
  private handOver(statement: string): void {
    this.lines('out.length = at;', statement, 'out.room(ROOM);', 'view = out.view;', 'at = out.length;');
  }

  private key(key: Uint8Array): void {
    this.text(this.isFirst ? Uint8Array.of(OPEN, ...key.subarray(1)) : key);
    this.isFirst = false;
  }

  private text(octets: Uint8Array): void {
    this.room += octets.length + 8;
    this.pieces.push({ kind: 'text', octets: [...octets] });
  }

  /** The pieces as code. */
  body(): string[] {
    const lines: string[] = [];
    const pieces = merged(this.pieces);
    let indent = '  ';
    let pending: Uint8Array = new Uint8Array(0);
    const say = (text: string) => lines.push(indent + text);
    /** Store what is pending; where it ends. */
    const place = (): string => {
      if (pending.length === 0) return 'at';
      say(`${storesOf(pending)}${shown(pending)}`);
      const end = `at + ${pending.length}`;
      pending = new Uint8Array(0);
      return end;
    };
    const settle = () => {
      const end = place();
      if (end !== 'at') say(`at = ${end};`);
    };
    for (let i = 0; i < pieces.length; i++) {
      const piece = pieces[i]!;
      if (piece.kind === 'text') pending = Uint8Array.from(piece.octets);
      else if (piece.kind === 'put') say(`at = ${piece.call(place())};`);
      else if (piece.kind === 'run') {
        const next = pieces[i + 1];
        const after = next?.kind === 'text' ? Uint8Array.from(next.octets) : new Uint8Array(0);
        if (next?.kind === 'text') i++;
        for (const line of this.find(piece.step, { nodes: piece.step.nodes, isFirst: piece.isFirst, before: pending, after })) say(line);
        pending = new Uint8Array(0);
      } else {
        settle();
        if (piece.kind === 'lines') for (const line of piece.lines) say(line);
        else if (piece.kind === 'open') {
          say(`if (${piece.condition}) {`);
          indent += '  ';
        } else {
          indent = indent.slice(2);
          say('}');
        }
      }
    }
    settle();
    return [
      '  const { bytes, start } = layer;',
      ...this.reads.map((value, i) => `  const n${i} = ${value};`),
      `  const ROOM = ${this.room};`,
      '  out.room(ROOM);',
      '  let view = out.view;',
      '  let at = out.length;',
      '  let x;',
      ...lines,
      '  out.length = at;',
    ];
  }

  /** Write the text of a run. */
  private find({ nodes, range }: Step, parts: RunParts): string[] {
    const [from, to] = range!;
    const words = [0, 1, 2, 3].map((i) => {
      const octets = Math.min(4, to - from - 4 * i);
      return octets <= 0 ? '0' : this.read(wordAt('start', from + 4 * i, octets));
    });
    const texts = this.newTexts();
    this.room += MOST_RUN_TEXT;
    return [
      `// ${nodes.map((node) => node.name).join(', ')}`,
      `x = ${texts}.find(${words.join(', ')});`,
      'if (x === undefined) {',
      `  x = renderPlainRun(${texts}, [${words.join(', ')}], ${this.use(parts)}, layer, writer);`,
      '  out.length = at;',
      '  out.room(ROOM + x.length);',
      '  view = out.view;',
      '}',
      'at = x.put(view, at);',
    ];
  }
}

/** Neighbouring texts as one, and neighbours below one condition below it together. */
function merged(pieces: readonly Piece[]): Piece[] {
  const together: Piece[] = [];
  for (const piece of pieces) {
    const last = together.at(-1);
    if (piece.kind === 'text' && last?.kind === 'text') together.splice(-1, 1, { kind: 'text', octets: [...last.octets, ...piece.octets] });
    else if (piece.kind === 'open' && last?.kind === 'close' && conditionBefore(together) === piece.condition) together.pop();
    else together.push(piece);
  }
  return together;
}

/** The condition of the block that the last piece ends. */
function conditionBefore(pieces: readonly Piece[]): string | undefined {
  let depth = 0;
  for (let i = pieces.length - 1; i >= 0; i--) {
    const piece = pieces[i]!;
    if (piece.kind === 'close') depth++;
    else if (piece.kind === 'open' && --depth === 0) return piece.condition;
  }
  return undefined;
}
