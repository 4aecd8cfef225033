/**
 * The straight line for plain layers (core/plain.ts), as the pieces that it consists of: no condition is asked that is known
 * to hold, no row is written that is known to be absent, and what stands between two numbers is one text.
 */
import type { Field } from '../core/field.js';
import type { Layer } from '../core/layer.js';
import type { KnownOctets, Plain, PlainPart, PlainWalk } from '../core/plain.js';
import { TextBuffer } from '../core/text.js';
import { type Gate, HIDDEN, INFO_KEY, type JsonNode, keyOf, type Layout, NESTED, type Step } from './json-layout.js';
import { type InPlace, inPlace, type Octets, UNSIGNED, type ValueKind } from './json-source.js';
import { writeJsonValue } from './json-values.js';

const encoder = new TextEncoder();
const VALUE_KEY = keyOf('value');
const QUOTE = Uint8Array.of(34);
const OPEN = 123;
const CLOSE = Uint8Array.of(125);

/** What is written one after the other. Expressions are of JavaScript, and name the layer. */
export type Piece =
  | { readonly kind: 'text'; readonly octets: Uint8Array }
  | { readonly kind: 'value'; readonly how: ValueKind; readonly value: string | InPlace }
  | { readonly kind: 'nanoseconds'; readonly value: string }
  | { readonly kind: 'duration'; readonly value: string }
  | { readonly kind: 'run'; readonly run: Run }
  /** What a function of (out, layer) writes. */
  | { readonly kind: 'part'; readonly name: string }
  /** A statement that writes to `out` itself. */
  | { readonly kind: 'call'; readonly statement: string }
  | { readonly kind: 'open'; readonly condition: Condition }
  | { readonly kind: 'close' }
  /** An object of which nobody knows yet whether anything is in it; `key` stands before it. */
  | { readonly kind: 'object'; readonly key: Uint8Array }
  /** Its end. */
  | { readonly kind: 'end' }
  /** What follows is of this layer. */
  | { readonly kind: 'layer'; readonly name: string };

/** An expression, or what octets of the layer are. */
export type Condition = string | readonly KnownOctets[];

/** Text that four words decide, for which it is made once. */
export interface Run {
  readonly words: readonly (string | Octets)[];
  /** So many octets at most, as far as can be told. */
  readonly most: number;
  /** Keys with their values. */
  readonly nodes: readonly JsonNode[];
  /** What follows them. */
  readonly more: readonly (Uint8Array | ((layer: Layer) => string))[];
  /** The first key follows the brace of its object. */
  readonly isFirst: boolean;
}

/** What stands in a frame whose layers are all known, as it is written in the object of the frame itself. */
export interface Inside {
  /** The names of the layers. */
  readonly protocols: string;
  /** The Info column, which is that of this layer. */
  readonly info: readonly Piece[];
  readonly top: string;
}

/** A key with its value: whether it is in every plain layer, and what writes it. */
interface Member {
  readonly isSure: boolean;
  readonly write: () => void;
}

const scratch = new TextBuffer(256);

/**
 * The pieces of the object of a protocol's plain layers that are the first of theirs in a frame; undefined where the
 * protocol has not said enough. `use` names an object, `parts` the functions for rare keys, by the first of them, and `name`
 * the layer.
 */
export function plainPieces(
  layout: Layout,
  use: (value: unknown) => string,
  parts: ReadonlyMap<JsonNode, string>,
  name = 'layer',
  inside?: Inside,
): readonly Piece[] | undefined {
  const { plain } = layout;
  return plain === undefined || layout.hasOctets ? undefined : new PlainLine(plain, use, parts, name, inside).layer(layout);
}

/** The pieces of the Info column of a protocol's plain layers, if it has said what they are. */
export function infoPieces({ plain }: Layout, use: (value: unknown) => string, name: string): readonly Piece[] | undefined {
  return plain?.info && new PlainLine(plain, use, new Map(), name).info(plain.info.parts);
}

class PlainLine {
  private readonly pieces: Piece[] = [];
  private readonly holds: ReadonlySet<Gate>;
  private readonly fails: ReadonlySet<Gate>;
  private readonly rare: ReadonlySet<Gate | undefined>;
  private readonly simply: ReadonlyMap<Gate, unknown>;
  private readonly present: ReadonlySet<Field>;
  private readonly values: ReadonlyMap<Field, unknown>;
  private readonly json: ReadonlyMap<Field, readonly PlainPart[]>;
  private readonly decided: ReadonlySet<Field | undefined>;
  /** The next key is the first of its object. */
  private isFirst = false;

  constructor(
    private readonly plain: Plain,
    private readonly use: (value: unknown) => string,
    private readonly rareParts: ReadonlyMap<JsonNode, string>,
    private readonly name: string,
    private readonly inside?: Inside,
  ) {
    this.holds = new Set(plain.holds);
    this.fails = new Set(plain.fails);
    this.rare = new Set(plain.rare);
    this.simply = new Map(plain.simply);
    this.present = new Set(plain.present);
    this.values = new Map(plain.values);
    this.json = new Map(plain.json);
    this.decided = new Set(plain.decided?.rows);
  }

  /** Undefined when something may come first that is not in every layer, or only a walk tells. */
  layer({ steps, key, hasInfo }: Layout): readonly Piece[] | undefined {
    if (steps.some(({ nodes }) => nodes.some((node) => node.walked))) return undefined;
    const isDecided = ({ nodes }: Step) => this.decided.has(nodes[0]!.row);
    const first = steps.findIndex(isDecided);
    const members = steps.flatMap((step, i) => {
      if (isDecided(step)) return i === first ? this.decidedRun(steps.filter(isDecided).flatMap(({ nodes }) => nodes)) : [];
      return step.range === undefined ? this.members(step.nodes) : this.run(step);
    });
    if (members[0]?.isSure !== true) return undefined;
    this.key(key);
    this.isFirst = true;
    for (const member of members) member.write();
    for (const walk of this.plain.walk ?? []) this.walk(walk);
    if (this.plain.isQuick) this.call('if (!layer.quickJson(out)) return again(out, layer, key, first);');
    if (hasInfo) this.infoOf(this.inside);
    this.text(CLOSE);
    return merged(this.pieces);
  }

  info(parts: NonNullable<Plain['info']>['parts']): readonly Piece[] {
    for (const part of parts)
      if (typeof part === 'object' && 'when' in part) this.walk(part);
      else this.parts([part]);
    return this.pieces;
  }

  private infoOf(inside: Inside | undefined): void {
    this.text(INFO_KEY);
    if (inside === undefined) return this.call(`writer.info(out, ${this.name}.frame);`);
    this.pieces.push({ kind: 'layer', name: inside.top }, ...inside.info, { kind: 'layer', name: this.name });
    this.text(QUOTE);
  }

  private walk({ when, json = [], write }: PlainWalk): void {
    this.open(typeof when === 'function' ? `${this.use(when)}(${this.name})` : when);
    this.parts(json);
    if (write !== undefined) this.call(`${this.use(write)}(${this.name}, out);`);
    this.close();
  }

  private members(nodes: readonly JsonNode[]): Member[] {
    return nodes.flatMap((node) => {
      if (node.kind === HIDDEN) return [];
      if (this.rare.has(node.gate)) return this.part(node);
      return node.kind === NESTED ? this.object(node) : this.leaf(node.row!, node.key);
    });
  }

  /** Keys below one gate, with the first of them. */
  private part(node: JsonNode): Member[] {
    const name = this.rareParts.get(node);
    if (name === undefined) return [];
    const write = () => {
      this.open(this.ask(node.gate!));
      this.pieces.push({ kind: 'part', name });
      this.close();
    };
    return [{ isSure: false, write }];
  }

  private run({ nodes, range }: Step): Member[] {
    const [from, to] = range!;
    const words: Octets[] = [];
    for (let at = from; at < to; at += 4) words.push({ from: at, count: Math.min(4, to - at) });
    return [{ isSure: true, write: () => this.decide(words, nodes, []) }];
  }

  /** Keys that may all be absent: the one behind them, which never is, stands in the same text. */
  private decidedRun(nodes: readonly JsonNode[]): Member[] {
    return [{ isSure: true, write: () => this.decide([`${this.use(this.plain.decided!.by)}(${this.name})`], nodes, []) }];
  }

  private decide(words: Run['words'], nodes: readonly JsonNode[], more: Run['more']): void {
    const { isFirst } = this;
    this.isFirst = false;
    this.pieces.push({ kind: 'run', run: { words, most: mostOf(nodes) + more.length * MOST_TEXT, nodes, more, isFirst } });
  }

  private object({ key, row, children }: JsonNode): Member[] {
    // A mark has no value of its own: that there is something below it says it all.
    const own = row === undefined || row.type === 'none' ? [] : this.leaf(row, VALUE_KEY);
    const members = [...own, ...this.members(children)];
    if (members.length === 0) return [];
    const isSure = members[0]!.isSure;
    const write = () => {
      if (isSure) this.key(key);
      else this.pieces.push({ kind: 'object', key: this.openKey(key) });
      this.isFirst = isSure;
      for (const member of members) member.write();
      if (isSure) this.text(CLOSE);
      else this.pieces.push({ kind: 'end' });
    };
    return [{ isSure: isSure || members.some((member) => member.isSure), write }];
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
          for (const condition of asked) this.open(this.ask(condition));
          write();
          for (const _ of asked) this.close();
        },
      },
    ];
    if (isKnown) return member(true, () => this.constant(row, key, value));
    const parts = this.json.get(row);
    if (parts !== undefined || row.name === 'frame.protocols')
      return member(true, () => {
        this.key(key);
        if (parts !== undefined) this.parts(parts);
        else if (this.inside !== undefined) this.text(encoder.encode(JSON.stringify(this.inside.protocols)));
        // What stands in what is the writer's to know.
        else this.call('writer.protocols(out);');
      });
    if (json !== undefined)
      return member(true, () => {
        this.key(key);
        this.call(`${this.use(json)}(${this.name}, out);`);
      });
    const found = row.value === undefined ? inPlace(row) : undefined;
    const isSure = found !== undefined || (row.value !== undefined && (when !== undefined || this.present.has(row)));
    if (!isSure)
      return member(false, () => {
        this.open(`${this.use(row)}.raw(${this.name}) !== undefined`);
        this.key(key);
        this.call(`writeJsonValue(out, ${this.use(row)}, ${this.use(row)}.raw(${this.name}));`);
        this.close();
      });
    return member(true, () => {
      this.key(key);
      if (found !== undefined) this.value(found.how, found);
      else this.computed(row, row.value!);
    });
  }

  private constant(row: Field, key: Uint8Array, value: unknown): void {
    scratch.clear();
    writeJsonValue(scratch, row, value as Parameters<typeof writeJsonValue>[2]);
    this.key(key);
    this.text(scratch.bytes.slice(0, scratch.length));
  }

  private computed(row: Field, value: NonNullable<Field['value']>): void {
    const { type } = row;
    const get = `${this.use(value)}(${this.name})`;
    if (type === 'none') this.text(encoder.encode('true'));
    else if (UNSIGNED.test(type)) this.value('word', get);
    else if (/^int(8|16|32)$/.test(type)) this.value('int', get);
    else if (type === 'bool') this.value('bool', get);
    else if (type === 'duration') this.value('seconds', get);
    else this.call(`writeJsonValue(out, ${this.use(row)}, ${get});`);
  }

  private parts(parts: readonly PlainPart[]): void {
    for (const part of parts) {
      if (typeof part === 'string') this.text(encoder.encode(part));
      else if (typeof part === 'function') this.value('word', `${this.use(part)}(${this.name})`);
      else if ('from' in part) this.value('word', { how: 'word', octets: part, mask: undefined, shift: 0 });
      else if ('nanoseconds' in part) this.pieces.push({ kind: 'nanoseconds', value: `${this.use(part.nanoseconds)}(${this.name})` });
      else if ('duration' in part) this.pieces.push({ kind: 'duration', value: `${this.use(part.duration)}(${this.name})` });
      else this.decide([typeof part.by === 'function' ? `${this.use(part.by)}(${this.name})` : part.by], [], [part.text]);
    }
  }

  private value(how: ValueKind, value: string | InPlace): void {
    this.pieces.push({ kind: 'value', how, value });
  }

  private call(statement: string): void {
    this.pieces.push({ kind: 'call', statement });
  }

  private ask(condition: Gate): string {
    return `${this.use(this.simply.get(condition) ?? condition)}(${this.name})`;
  }

  private open(condition: Condition): void {
    this.pieces.push({ kind: 'open', condition });
  }

  private close(): void {
    this.pieces.push({ kind: 'close' });
  }

  private key(key: Uint8Array): void {
    this.text(this.openKey(key));
  }

  /** A key, after the brace of its object where it is the first in it. */
  private openKey(key: Uint8Array): Uint8Array {
    const isFirst = this.isFirst;
    this.isFirst = false;
    return isFirst ? Uint8Array.of(OPEN, ...key.subarray(1)) : key;
  }

  private text(octets: Uint8Array): void {
    this.pieces.push({ kind: 'text', octets });
  }
}

/** Octets of a value as text, by its type; of text so many are assumed. */
const LENGTHS: Readonly<Record<string, number>> = { bool: 5, none: 4, uint8: 3, uint16: 5, uint24: 8, uint32: 10, ether: 19, ipv4: 17 };
const MOST_TEXT = 64;

/** Octets that keys with their values take at most. */
function mostOf(nodes: readonly JsonNode[]): number {
  let most = 0;
  for (const { key, kind, row, children } of nodes) {
    most += key.length + (kind === NESTED ? 12 + mostOf(children) : 0);
    if (row !== undefined && row.severity === undefined) most += LENGTHS[row.type] ?? MOST_TEXT;
  }
  return most;
}

/** Neighbouring texts as one, also behind a run, and neighbours below one condition below it together. */
export function merged(pieces: readonly Piece[]): Piece[] {
  const together: Piece[] = [];
  for (const piece of pieces) {
    // A text may as well be the layer's before.
    const turn = piece.kind === 'text' && together.at(-1)?.kind === 'layer' ? together.pop() : undefined;
    const last = together.at(-1);
    if (piece.kind === 'text' && last?.kind === 'text')
      together.splice(-1, 1, { kind: 'text', octets: Uint8Array.of(...last.octets, ...piece.octets) });
    else if (piece.kind === 'text' && last?.kind === 'run') {
      const { run } = last;
      const more = [...run.more, piece.octets];
      together.splice(-1, 1, { kind: 'run', run: { ...run, most: run.most + piece.octets.length, more } });
    } else if (piece.kind === 'open' && last?.kind === 'close' && conditionBefore(together) === piece.condition) together.pop();
    else together.push(piece);
    if (turn !== undefined) together.push(turn);
  }
  return together;
}

/** The condition of the block that the last piece ends. */
function conditionBefore(pieces: readonly Piece[]): Condition | undefined {
  let depth = 0;
  for (let i = pieces.length - 1; i >= 0; i--) {
    const piece = pieces[i]!;
    if (piece.kind === 'close') depth++;
    else if (piece.kind === 'open' && --depth === 0) return piece.condition;
  }
  return undefined;
}
