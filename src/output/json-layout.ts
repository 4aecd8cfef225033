/**
 * How a protocol's fields are laid out in JSON: worked out once from its table, with the keys as octets, and neighbouring
 * fields that a few octets decide gathered into runs whose text is kept.
 */
import type { Field, FieldOptions } from '../core/field.js';
import type { Protocol } from '../core/layer.js';
import type { OctetsJson } from '../core/octets-json.js';
import type { Plain } from '../core/plain.js';

const encoder = new TextEncoder();

/** A value and nothing below it. */
export const LEAF = 0;
/** Fields below it, a value of its own perhaps. */
export const NESTED = 1;
/** Left out: it only repeats what stands elsewhere. */
export const HIDDEN = 2;

/** A key of an object: the row whose value it holds, if any, and the keys below it. */
export interface JsonNode {
  readonly name: string;
  /** `,"name":`; when its object is whole, the first comma of it gives way to the brace. */
  readonly key: Uint8Array;
  /** One of the kinds above. */
  readonly kind: number;
  readonly row: Field | undefined;
  /** See FieldOptions.gate; of a key with others below it, the one that all of them share. */
  readonly gate: Gate | undefined;
  readonly children: readonly JsonNode[];
  /** For lists: the layout of an item; its rows know their slots from when it is first asked for. */
  readonly item: readonly JsonNode[];
  /** Whether any row in it is found by a walk. */
  readonly walked: boolean;
  readonly onlyWalked: boolean;
  /** Which of its object's keys it is. */
  readonly slot: number;
  /** The octets that decide its text, when those few alone do and are likely to be met again. */
  readonly octets: Range | undefined;
}

export type Gate = NonNullable<FieldOptions['gate']>;

/** Octets `[from, to)` from the start of a layer. */
type Range = readonly [from: number, to: number];

/**
 * Neighbouring keys that are written in one go: a key alone, or a run of keys whose text the same few octets decide, such
 * as an Ethernet header, a pair of addresses, a word of flags. A run's text can be made once for each value of its octets.
 */
export interface Step {
  readonly nodes: readonly JsonNode[];
  /** The octets that decide a run's text; undefined for a key alone. */
  readonly range: Range | undefined;
}

/** A run of more octets would rarely meet the same again; so many make four words. */
const MOST_RUN_OCTETS = 14;

/** A protocol's object. */
export interface Layout {
  /** Remarks: their names stand together in `expert`, so that what they are about stays a plain value. */
  readonly experts: readonly Field[];
  readonly nodes: readonly JsonNode[];
  /** What is not found by a walk alone. */
  readonly steps: readonly Step[];
  /** What only a walk finds. */
  readonly walked: readonly JsonNode[];
  /** `,"ip":` */
  readonly key: Uint8Array;
  /** Also what only repeats octets. */
  readonly hasOctets: boolean;
  /** The frame's own object, which ends with the Info column. */
  readonly hasInfo: boolean;
  /** What most layers of the protocol have in common. */
  readonly plain: Plain | undefined;
  /** What writes them from their octets. */
  readonly octetsJson: OctetsJson | undefined;
}

const layouts: (Layout | undefined)[] = [];
const layoutsWithOctets: (Layout | undefined)[] = [];

/** The layout of a protocol's object; with `octets` also the fields that only repeat octets or other fields. */
export function layoutOf(protocol: Protocol, octets: boolean): Layout {
  return ((octets ? layoutsWithOctets : layouts)[protocol.id] ??= layOut(protocol, octets));
}

function layOut(protocol: Protocol, octets: boolean): Layout {
  const nodes = arrange(protocol.fields, [protocol.name], (field) => octets || !field.options.quiet);
  const shown = nodes.filter((node) => node.kind !== HIDDEN);
  return {
    experts: remarksOnValues(protocol.fields),
    nodes,
    steps: gatherRuns(shown.filter((node) => !node.onlyWalked)),
    walked: shown.filter((node) => node.onlyWalked),
    key: keyOf(protocol.name),
    hasOctets: octets,
    hasInfo: protocol.name === 'frame',
    plain: protocol.plain,
    octetsJson: protocol.octetsJson,
  };
}

/** `,"name":` */
export const keyOf = (name: string): Uint8Array => encoder.encode(`,${JSON.stringify(name)}:`);

/** Stands before what {@link RowWriter.info} writes. */
export const INFO_KEY = encoder.encode(',"info":"');

function gatherRuns(nodes: readonly JsonNode[]): Step[] {
  const steps: Step[] = [];
  let run: JsonNode[] = [];
  let range: Range = [0, 0];
  const finishRun = () => {
    if (isWorthKeeping(run)) steps.push({ nodes: run, range });
    else for (const node of run) steps.push({ nodes: [node], range: undefined });
    run = [];
  };
  for (const node of nodes) {
    if (node.octets === undefined) {
      finishRun();
      steps.push({ nodes: [node], range: undefined });
      continue;
    }
    if (run.length > 0) {
      const wider = union(range, node.octets);
      if (wider[1] - wider[0] > MOST_RUN_OCTETS) finishRun();
      else range = wider;
    }
    if (run.length === 0) range = node.octets;
    run.push(node);
  }
  finishRun();
  return steps;
}

/** One or two numbers are written as quickly as their text is found. */
const isWorthKeeping = (run: readonly JsonNode[]): boolean =>
  run.length > 2 || run.some(({ kind, row }) => kind === NESTED || row?.type === 'ether' || row?.type === 'ipv4');

const union = (a: Range, b: Range): Range => [Math.min(a[0], b[0]), Math.max(a[1], b[1])];

/** What remains of a field's name under the first of `prefixes` that it has. */
function pathOf({ name }: Field, prefixes: readonly string[]): string[] {
  // Facts of our own about a protocol stand in its object, under `netlens`.
  if (isUnder(name, 'netlens')) {
    const own = `netlens.${prefixes.at(-1)}`;
    if (isUnder(name, own)) return ['netlens', ...name.slice(own.length + 1).split('.')];
  }
  for (const prefix of prefixes) if (isUnder(name, prefix)) return name.slice(prefix.length + 1).split('.');
  return name === prefixes[0] ? ['value'] : name.split('.');
}

/** `tcp.options.mss` is under `tcp.options`. */
const isUnder = (name: string, above: string): boolean => name.charCodeAt(above.length) === 0x2e && name.startsWith(above);

interface Draft {
  row: Field | undefined;
  readonly children: Map<string, Draft>;
}

/**
 * Remarks named under a field that has a value of its own: as a key below it, each would turn that value into an object.
 * They stand together, see Layout.experts.
 */
function remarksOnValues(fields: readonly Field[]): readonly Field[] {
  const remarks = fields.filter(({ severity }) => severity !== undefined);
  if (remarks.length === 0) return remarks;
  const values = new Set<string>();
  for (const { name, severity, type } of fields) if (severity === undefined && type !== 'none') values.add(name);
  return remarks.filter(({ name }) => name.endsWith('.expert') || namesAbove(name).some((above) => values.has(above)));
}

/** `tcp` and `tcp.options` of `tcp.options.mss`. */
function namesAbove(name: string): string[] {
  const above: string[] = [];
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) above.push(name.slice(0, dot));
  return above;
}

function arrange(fields: readonly Field[], prefixes: readonly string[], shown: (field: Field) => boolean): JsonNode[] {
  const root: Draft = { row: undefined, children: new Map() };
  // Which key of the scope a field belongs to, so that a writer can go from what it found to the keys.
  const slots = new Map<string, number>();
  const apart = new Set(remarksOnValues(fields));
  for (const field of fields) {
    if (apart.has(field)) continue;
    const path = pathOf(field, prefixes);
    let at = root;
    for (const part of path) {
      let next = at.children.get(part);
      if (next === undefined) {
        if (at === root) slots.set(part, slots.size);
        at.children.set(part, (next = { row: undefined, children: new Map() }));
      }
      at = next;
    }
    field.slot = slots.get(path[0]!)!;
    // Where a list and its octets have one name, the list is it.
    if (shown(field) && (at.row === undefined || field.type === 'list')) at.row = field;
  }
  for (const field of apart) field.slot = slots.get(pathOf(field, prefixes)[0]!) ?? -1;
  return finish(root, prefixes, shown);
}

function finish(draft: Draft, prefixes: readonly string[], shown: (field: Field) => boolean): JsonNode[] {
  const nodes: JsonNode[] = [];
  for (const [name, { row, children }] of draft.children) {
    const below = children.size === 0 ? NOTHING : finish({ row: undefined, children }, prefixes, shown).filter(isShown);
    // Of a hundred kinds of lists a capture has a few.
    const layItem = row?.type === 'list' ? () => arrange(row.items, [row.name, ...prefixes], shown) : undefined;
    nodes.push(new Key(name, nodes.length, row, below, layItem));
  }
  return nodes;
}

const NOTHING: readonly JsonNode[] = [];

const isShown = ({ kind }: JsonNode): boolean => kind !== HIDDEN;

class Key implements JsonNode {
  readonly key: Uint8Array;
  readonly kind: number;
  readonly gate: Gate | undefined;
  readonly walked: boolean;
  readonly onlyWalked: boolean;
  readonly octets: Range | undefined;
  private laid: readonly JsonNode[] | undefined = undefined;

  constructor(
    readonly name: string,
    readonly slot: number,
    readonly row: Field | undefined,
    readonly children: readonly JsonNode[],
    private readonly layItem: (() => readonly JsonNode[]) | undefined,
  ) {
    this.key = keyOf(name);
    this.kind = children.length > 0 ? NESTED : row === undefined ? HIDDEN : LEAF;
    this.gate = sharedGate(row, children);
    this.walked = row?.walked === true || children.some((child) => child.walked);
    this.onlyWalked = (row === undefined || row.walked) && children.every((child) => child.onlyWalked);
    this.octets = decidingOctets(row, children);
  }

  get item(): readonly JsonNode[] {
    return (this.laid ??= this.layItem?.() ?? NOTHING);
  }
}

function sharedGate(row: Field | undefined, below: readonly JsonNode[]): Gate | undefined {
  const gate = row === undefined ? below[0]?.gate : row.options.gate;
  return below.every((child) => child.gate === gate) ? gate : undefined;
}

/** The octets that decide the text of a row and of what stands under it, or undefined when there is more to it. */
function decidingOctets(row: Field | undefined, below: readonly JsonNode[]): Range | undefined {
  let range = row === undefined ? undefined : ownOctets(row);
  if (row !== undefined && range === undefined) return undefined;
  for (const child of below) {
    if (child.octets === undefined) return undefined;
    range = range === undefined ? child.octets : union(range, child.octets);
  }
  return range !== undefined && range[1] - range[0] <= MOST_RUN_OCTETS ? range : undefined;
}

/** Types whose values repeat from frame to frame: addresses, single octets, flags. */
const STEADY = new Set<Field['type']>(['uint8', 'bool', 'ether', 'ipv4']);

function ownOctets(row: Field): Range | undefined {
  const { pure, mask, when } = row.options;
  if (row.walked) return undefined;
  if (pure) return pure;
  if (typeof row.offset !== 'number' || typeof row.length !== 'number' || when !== undefined) return undefined;
  return mask !== undefined || STEADY.has(row.type) ? [row.offset, row.offset + row.length] : undefined;
}

/**
 * The JSON path of every field of a protocol, for `netlens fields`: `.dns.answers[].resp.name`. A field that several lists
 * share has the paths of all of them, with commas between as jq takes them.
 */
export function jsonPaths(protocol: Protocol): Map<Field, string> {
  const paths = new Map<Field, string>();
  const visit = (nodes: readonly JsonNode[], above: string) => {
    for (const node of nodes) {
      const path = `${above}.${/^[a-z_][a-z0-9_]*$/i.test(node.name) ? node.name : JSON.stringify(node.name)}`;
      if (node.row) {
        const own = node.row.type === 'list' || node.row.many ? `${path}[]` : path;
        const found = node.children.length > 0 && node.row.type !== 'list' && node.row.type !== 'none' ? `${path}.value` : own;
        const before = paths.get(node.row);
        paths.set(node.row, before === undefined ? found : `${before}, ${found}`);
        visit(node.item, own);
      }
      visit(node.children, path);
    }
  };
  visit(layoutOf(protocol, true).nodes, `.${protocol.name}`);
  for (const field of protocol.allFields)
    if (field.severity !== undefined && !paths.has(field)) paths.set(field, `.${protocol.name}.expert[]`);
  return paths;
}
