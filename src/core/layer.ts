/** Layers: typed, lazy views of one protocol's octets inside a frame, and the tree of what a protocol's walk finds there. */
import { type Field, type Fields, type Properties, presentable, type Raw, readRaw } from './field.js';
import type { Frame } from './frame.js';
import { u16, u32 } from './octets.js';
import type { OctetsJson } from './octets-json.js';
import type { Plain } from './plain.js';
import type { TextBuffer } from './text.js';

/** A protocol as its table declares it. */
export interface Protocol {
  /** Its number among all protocols, for tables by protocol. */
  readonly id: number;
  /** Filter name and JSON key: `tcp`. */
  readonly name: string;
  /** `Transmission Control Protocol`. */
  readonly label: string;
  /** What the protocol column shows: `TCP`. */
  readonly short: string;
  /** All rows in declared order, without the rows of list items. */
  readonly fields: readonly Field[];
  /** All rows, items' rows at any depth included. */
  readonly allFields: readonly Field[];
  /** What most of its layers have in common. */
  readonly plain: Plain | undefined;
  /** What writes them from their octets. */
  readonly octetsJson: OctetsJson | undefined;
}

/** A node of the tree that a walk builds. */
export class TreeNode {
  private words: string | (() => string) | undefined = undefined;
  constructor(
    readonly field: Field | undefined,
    private known: Raw | undefined,
    /** The octets it stands in. */
    readonly bytes: Uint8Array,
    readonly start: number,
    public end: number,
    readonly depth: number,
  ) {}

  /** Said about the node instead of `label: value`; what takes time to put into words may be given as a function. */
  get text(): string | undefined {
    if (typeof this.words === 'function') this.words = this.words();
    return this.words;
  }
  set text(words: string | (() => string) | undefined) {
    this.words = words;
  }

  /** Read from the octets when first asked for: most nodes are never shown, and a writer of octets needs no text. */
  get value(): Raw | undefined {
    if (this.known === undefined && this.field !== undefined)
      this.known = readRaw(this.field, this.bytes, this.start, this.end - this.start);
    return this.known;
  }

  /** True when the value is what its octets say, and nobody has asked for it yet. */
  get isUnread(): boolean {
    return this.known === undefined;
  }
}

/** What a walk writes to. Octet positions are absolute in {@link Tree.bytes}; every method refuses what lies beyond what was captured. */
export class Tree {
  readonly nodes: TreeNode[] = [];
  /** The octets that positions refer to: the layer's own, unless the walk changes it (decompressed, decrypted). */
  bytes: Uint8Array;
  /** One past the last octet that may be read. */
  limit: number;
  private depth = 0;

  constructor(layer: Layer) {
    this.bytes = layer.bytes;
    this.limit = layer.captured;
  }

  /** A field that stands in octets `[at, at + length)`; false, and no node, when they were not all captured. */
  add(field: Field, at: number, length: number = field.length as number): boolean {
    if (at < 0 || length < 0 || at + length > this.limit) return false;
    this.nodes.push(new TreeNode(field, undefined, this.bytes, at, at + length, this.depth));
    return true;
  }

  /** A field whose value was worked out: `value` in raw form. The octets, if any, are only for show. */
  put(field: Field, value: Raw, at = 0, length = 0): void {
    this.nodes.push(new TreeNode(field, value, this.bytes, at, at + length, this.depth));
  }

  /** A field read from its octets with everything up to the matching {@link close} under it; false (and nothing opened) when not captured. */
  open(field: Field, at: number, length: number = field.length as number): boolean {
    if (!this.add(field, at, length)) return false;
    this.depth++;
    return true;
  }

  /** The same for a value that was worked out. */
  openPut(field: Field, value: Raw, at = 0, length = 0): TreeNode {
    this.put(field, value, at, length);
    this.depth++;
    return this.nodes[this.nodes.length - 1]!;
  }

  /** A heading without a field of its own. */
  heading(text: string, at = 0, length = 0): TreeNode {
    const node = new TreeNode(undefined, undefined, this.bytes, at, at + length, this.depth++);
    node.text = text;
    this.nodes.push(node);
    return node;
  }

  /** An item of a list; its rows follow until {@link close}. `text` sums it up for the tree. */
  item(list: Field, at: number, length: number, text?: string | (() => string)): TreeNode {
    const node = new TreeNode(list, true, this.bytes, at, Math.min(at + length, this.limit), this.depth++);
    node.text = text;
    this.nodes.push(node);
    return node;
  }

  /** Ends what {@link open}, {@link heading} or {@link item} began. */
  close(): void {
    this.depth--;
  }

  /** A word and the bits in it: `parent` over the same octets as each of `children` (rows made by `bits` and `flag`). */
  word(parent: Field, at: number, children: readonly Field[]): boolean {
    if (!this.open(parent, at)) return false;
    const length = parent.length as number;
    for (const child of children) this.add(child, at, length);
    this.close();
    return true;
  }
}

/** What a reader should notice about a layer. */
export type Mood = 'opens' | 'closes' | 'resets' | 'trouble';

const NO_NODES: readonly TreeNode[] = [];

/**
 * One protocol's octets in one frame. Nothing is decoded until a property is read.
 * `end` is where the enclosing protocol says the layer stops, `captured` where the octets we hold stop.
 */
export abstract class Layer {
  // Set by the constructor that each protocol has for itself, see `baseClass`.
  declare readonly frame: Frame;
  declare start: number;
  declare end: number;
  /** The frame's own octets, a reassembled datagram, or a stretch of a stream. */
  declare readonly bytes: Uint8Array;
  declare captured: number;
  declare private walked: readonly TreeNode[] | undefined;

  /** What it is a view of; on the prototype of each class. */
  declare readonly protocol: Protocol;

  /** Write the Info column. */
  abstract summary(out: TextBuffer): void;

  /** The same of this layer alone, where the Info column speaks of its neighbours too. */
  line(out: TextBuffer): void {
    this.summary(out);
  }

  /** What the protocol column shows. */
  get shortName(): string {
    return this.protocol.short;
  }

  /** What stands out about it: a connection opening, closing or reset, or trouble. Undefined for almost all. */
  get mood(): Mood | undefined {
    return undefined;
  }

  /** True where rows declared `pure` depend on more than their octets this once. */
  get unusual(): boolean {
    return false;
  }

  /** What the layer adds to `frame.protocols`. */
  get chain(): string {
    return this.protocol.name;
  }

  /** True when the walk would find nothing, told without walking; for layers that are in every frame. */
  get bare(): boolean {
    return false;
  }

  /**
   * Write the JSON of what the walk would find, but for `quiet` rows, each key with a comma before it, where the octets
   * have a common form; false, and nothing written, where not. For protocols that come often: it saves the tree.
   */
  quickJson(_out: TextBuffer): boolean {
    return false;
  }

  /** Find the walked rows. Protocols with walked rows override it. */
  walk(_tree: Tree): void {}

  /**
   * Properties that a copy of the layer needs instead of the original's, because they point into octets that are used
   * again (`copyOf` gives the copy's) or hold positions in the frame's own octets (`shift` is to be taken off them).
   */
  lasting(_copyOf: (octets: Uint8Array) => Uint8Array, _shift: number): PropertyDescriptorMap {
    return {};
  }

  /** What the walk found, in order; found once, when first asked for. */
  get nodes(): readonly TreeNode[] {
    if (this.walked !== undefined) return this.walked;
    if (this.bare || this.walk === Layer.prototype.walk) return (this.walked = NO_NODES);
    const tree = new Tree(this);
    this.walked = tree.nodes;
    this.walk(tree);
    return tree.nodes;
  }
}

let protocols = 0;

type LayerArguments = [frame: Frame, start: number, end: number];

/** A class made by {@link layer}. */
export interface LayerClass<L extends Layer = Layer> {
  new (...args: LayerArguments): L;
  readonly protocol: Protocol;
}

/** Every row of a table and of its lists' items, in order, each once: several lists may have items of the same rows. */
function withItems(fields: readonly Field[], all = new Set<Field>()): Set<Field> {
  for (const field of fields) {
    all.add(field);
    withItems(field.items, all);
  }
  return all;
}

/**
 * Declare a protocol: each key becomes a lazily read property of the layer, each row a filterable, printable, documented
 * field.
 *
 * @example
 * class Beacon extends layer('beacon', 'Beacon', { version: uint8('beacon.version', 'Version', 0) }) {
 *   override summary(out: TextBuffer) {
 *     out.number(this.version);
 *   }
 * }
 * console.log(Beacon.protocol.fields.map((field) => field.name));
 */
export function layer<const F extends Fields, L extends Layer = Layer, W = unknown>(
  name: string,
  label: string,
  fields: F,
  short = name.toUpperCase(),
  plain?: Plain<L>,
  octetsJson?: OctetsJson<L, W>,
) {
  const rows = Object.values(fields);
  const protocol: Protocol = {
    id: protocols++,
    name,
    label,
    short,
    fields: rows,
    allFields: [...withItems(rows)],
    plain: plain as Plain | undefined,
    octetsJson: octetsJson as OctetsJson | undefined,
  };
  let index = 0;
  for (const field of protocol.allFields) {
    field.protocol = protocol;
    field.index = index++;
  }
  const Declared = baseClass(`${name} ${protocol.id}`);
  Object.defineProperty(Declared, 'protocol', { value: protocol, enumerable: true });
  Object.defineProperty(Declared.prototype, 'protocol', { value: protocol });
  for (const key of Object.keys(fields)) makeProperty(Declared.prototype, key, fields[key]!);
  return Declared as unknown as { readonly protocol: Protocol } & (abstract new (...args: LayerArguments) => Layer & Properties<F>);
}

/**
 * The class that a protocol's own extends, made from text: V8 collects what it learns about a constructor by where that
 * stands in the text, and of one that a hundred classes share it learns nothing. `mark` makes each text another one.
 */
function baseClass(mark: string): abstract new (...args: LayerArguments) => Layer {
  try {
    return new Function(
      'Layer',
      `return class extends Layer { // ${mark}
        constructor(frame, start, end) {
          super();
          this.frame = frame;
          this.start = start;
          this.end = end;
          this.bytes = frame.bytes;
          this.captured = end < frame.captured ? end : frame.captured;
          this.walked = undefined;
        }
      };`,
    )(Layer) as ReturnType<typeof baseClass>;
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    // A Content Security Policy, or --disallow-code-generation-from-strings: the same, shared.
    abstract class Declared extends Layer {
      constructor(frame: Frame, start: number, end: number) {
        super();
        const { bytes, captured } = frame;
        Object.assign(this, { frame, start, end, bytes, captured: Math.min(end, captured), walked: undefined });
      }
    }
    return Declared;
  }
}

function makeProperty(prototype: object, key: string, field: Field): void {
  field.key = key;
  Object.defineProperty(prototype, key, { get: getter(field), enumerable: true });
}

/** The property of a row: presentable values, arrays for rows that may occur many times. */
function getter(field: Field): (this: Layer) => unknown {
  const quick = quickGetter(field);
  if (quick !== undefined) return quick;
  if (!field.walked)
    return function () {
      const raw = field.raw(this);
      return raw === undefined ? undefined : presentable(field.type, raw);
    };
  if (field.type === 'list')
    return function () {
      return itemsOf(field, this.nodes, 0, this.nodes.length, 0);
    };
  if (field.many)
    return function () {
      const values: unknown[] = [];
      for (const node of this.nodes) if (node.field === field) values.push(presentable(field.type, node.value!));
      return values;
    };
  return function () {
    for (const node of this.nodes) if (node.field === field) return presentable(field.type, node.value!);
    return undefined;
  };
}

/** The property of a plain number at a fixed place, without a detour; most reading in programs is of these. */
function quickGetter(field: Field): ((this: Layer) => number | undefined) | undefined {
  const { offset } = field;
  const { mask, when, little } = field.options;
  if (typeof offset !== 'number' || mask !== undefined || when !== undefined || little) return undefined;
  switch (field.type) {
    case 'uint8':
      return function () {
        const at = this.start + offset;
        return at < this.captured ? this.bytes[at] : undefined;
      };
    case 'uint16':
      return function () {
        const at = this.start + offset;
        return at + 2 <= this.captured ? u16(this.bytes, at) : undefined;
      };
    case 'uint32':
      return function () {
        const at = this.start + offset;
        return at + 4 <= this.captured ? u32(this.bytes, at) : undefined;
      };
    default:
      return undefined;
  }
}

/** The items of a list among `nodes[from, to)`, each as an object with the properties of its rows. */
function itemsOf(list: Field, nodes: readonly TreeNode[], from: number, to: number, depth: number): object[] {
  const items: object[] = [];
  for (let i = from; i < to; i++) {
    const node = nodes[i]!;
    if (node.field !== list || node.depth < depth) continue;
    let end = i + 1;
    while (end < to && nodes[end]!.depth > node.depth) end++;
    const item: Record<string, unknown> = {};
    for (const row of list.items) {
      if (row.type === 'list') item[row.key] = itemsOf(row, nodes, i + 1, end, node.depth + 1);
      else if (row.many) item[row.key] = nodes.slice(i + 1, end).flatMap((n) => (n.field === row ? [presentable(row.type, n.value!)] : []));
      else {
        for (let j = i + 1; j < end; j++) {
          const inner = nodes[j]!;
          if (inner.field !== row) continue;
          item[row.key] = presentable(row.type, inner.value!);
          break;
        }
      }
    }
    items.push(item);
    // A list may hold items of itself (RESP arrays), so inner ones are left to be found by their own row.
    i = end - 1;
  }
  return items;
}
