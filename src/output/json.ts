/**
 * JSON: one object a frame, one frame a line. The path of a value is the name of its field (`tcp.flags.syn` stands at
 * `.tcp.flags.syn`); inside a list it is the list's name, then what follows of the field's name
 * (`.dns.answers[].resp.name`).
 *
 * The keys of a protocol are laid out once, from its table, as octets; a frame then only adds values.
 */

import { ipv6Text } from '../core/addresses.js';
import type { Field, Raw } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import type { Layer, Protocol, TreeNode } from '../core/layer.js';
import { u32 } from '../core/octets.js';
import { TextBuffer } from '../core/text.js';
import { isoText } from '../core/time.js';

/** How a leaf is written: the common in-place kinds without a detour. */
const GENERIC = 0;
const OCTET = 1;
const WORD16 = 2;
const WORD32 = 3;
const IPV4 = 4;
const ETHER = 5;
const DIRECT = 6;

/** A key of an object: the row whose value it holds, if any, and the keys below it. */
export interface JsonNode {
  readonly run: false;
  readonly name: string;
  /** `,"name":`; the first key of an object leaves the comma out. */
  readonly key: Uint8Array;
  /** One of the kinds above. */
  readonly kind: number;
  /** Where an in-place leaf stands. */
  readonly offset: number;
  readonly row: Field | undefined;
  readonly children: readonly JsonNode[];
  /** For lists: the layout of an item. */
  readonly item: readonly JsonNode[];
  /** Whether any row in it is found by a walk. */
  readonly walked: boolean;
  /** The octets that decide its text, when those few alone do and are likely to be met again. */
  readonly octets: Range | undefined;
}

/** Octets `[from, to)` from the start of a layer. */
type Range = readonly [from: number, to: number];

/**
 * Neighbouring keys whose text the same few octets decide: an Ethernet header, a pair of addresses, a word of flags. The
 * text is made once for each value of those octets and then copied.
 */
interface Run {
  readonly run: true;
  readonly nodes: readonly JsonNode[];
  readonly range: Range;
  readonly kept: (KeptText | undefined)[];
}

interface KeptText {
  readonly octets: Uint8Array;
  readonly text: Uint8Array;
}

/** Texts kept for a run; a power of two. */
const KEPT = 512;
/** A run of more octets would rarely meet the same again. */
const MOST_RUN_OCTETS = 14;

/** A protocol's object: single keys and runs of them, in order. */
type Step = JsonNode | Run;

const encoder = new TextEncoder();
const VALUE_KEY = encoder.encode('"value":');
const LIST_KEY = encoder.encode(',"list":');
const QUOTE = 34;
const COMMA = 44;
const OPEN = 123;
const CLOSE = 125;

const layouts = new Map<Protocol, readonly JsonNode[]>();

/** The layout of a protocol's object. */
export function jsonLayout(protocol: Protocol): readonly JsonNode[] {
  let layout = layouts.get(protocol);
  if (layout === undefined) {
    layout = arrange(protocol.fields, [protocol.name]);
    layouts.set(protocol, layout);
  }
  return layout;
}

const allSteps = new Map<Protocol, readonly Step[]>();

/** The layout with neighbouring keys gathered into runs. */
function stepsOf(protocol: Protocol): readonly Step[] {
  let steps = allSteps.get(protocol);
  if (steps === undefined) {
    steps = gatherRuns(jsonLayout(protocol));
    allSteps.set(protocol, steps);
  }
  return steps;
}

function gatherRuns(layout: readonly JsonNode[]): Step[] {
  const steps: Step[] = [];
  let nodes: JsonNode[] = [];
  let range: Range = [0, 0];
  const end = () => {
    if (nodes.length > 0) steps.push({ run: true, nodes, range, kept: new Array<KeptText | undefined>(KEPT).fill(undefined) });
    nodes = [];
  };
  for (const node of layout) {
    if (node.octets === undefined) {
      end();
      steps.push(node);
      continue;
    }
    const wider: Range = nodes.length === 0 ? node.octets : union(range, node.octets);
    if (wider[1] - wider[0] > MOST_RUN_OCTETS) end();
    range = nodes.length === 0 ? node.octets : wider;
    nodes.push(node);
  }
  end();
  return steps;
}

const union = (a: Range, b: Range): Range => [Math.min(a[0], b[0]), Math.max(a[1], b[1])];

/** What remains of a field's name under the first of `prefixes` that it has. */
function pathOf(field: Field, prefixes: readonly string[]): string[] {
  for (const prefix of prefixes) if (field.name.startsWith(`${prefix}.`)) return field.name.slice(prefix.length + 1).split('.');
  return field.name === prefixes[0] ? ['value'] : field.name.split('.');
}

interface Draft {
  row: Field | undefined;
  readonly children: Map<string, Draft>;
}

function arrange(fields: readonly Field[], prefixes: readonly string[]): JsonNode[] {
  const root: Draft = { row: undefined, children: new Map() };
  for (const field of fields) {
    let at = root;
    for (const part of pathOf(field, prefixes)) {
      let next = at.children.get(part);
      if (next === undefined) at.children.set(part, (next = { row: undefined, children: new Map() }));
      at = next;
    }
    at.row ??= field;
  }
  return finish(root, prefixes);
}

function finish(draft: Draft, prefixes: readonly string[]): JsonNode[] {
  return [...draft.children].map(([name, { row, children }]) => {
    const below = finish({ row: undefined, children }, prefixes);
    const item = row?.type === 'list' ? arrange(row.items, [row.name, ...prefixes]) : [];
    const node = {
      name,
      key: encoder.encode(`,${JSON.stringify(name)}:`),
      kind: kindOf(row),
      offset: typeof row?.offset === 'number' ? row.offset : 0,
      row,
      children: below,
      item,
    };
    const walked = row?.walked === true || below.some((child) => child.walked);
    return { run: false, ...node, walked, octets: decidingOctets(row, below) };
  });
}

function kindOf(row: Field | undefined): number {
  if (row?.options.json) return DIRECT;
  if (row === undefined || typeof row.offset !== 'number') return GENERIC;
  const { when, mask, little, quiet } = row.options;
  if (when !== undefined || mask !== undefined || little || quiet) return GENERIC;
  const kinds: Readonly<Record<string, number>> = { uint8: OCTET, uint16: WORD16, uint32: WORD32, ipv4: IPV4, ether: ETHER };
  return kinds[row.type] ?? GENERIC;
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

/** Types that are steady by nature: addresses, single octets, flags. */
const STEADY = new Set<Field['type']>(['uint8', 'bool', 'ether', 'ipv4']);

function ownOctets(row: Field): Range | undefined {
  const { pure, steady, mask, when, quiet } = row.options;
  if (quiet || row.walked) return undefined;
  if (pure) return pure;
  if (typeof row.offset !== 'number' || typeof row.length !== 'number' || when !== undefined) return undefined;
  return steady || mask !== undefined || STEADY.has(row.type) ? [row.offset, row.offset + row.length] : undefined;
}

/** The JSON path of every field of a protocol, for `netlens fields`: `.dns.answers[].resp.name`. */
export function jsonPaths(protocol: Protocol): Map<Field, string> {
  const paths = new Map<Field, string>();
  const visit = (nodes: readonly JsonNode[], above: string) => {
    for (const node of nodes) {
      const path = `${above}.${/^[a-z_][a-z0-9_]*$/i.test(node.name) ? node.name : JSON.stringify(node.name)}`;
      if (node.row) {
        const own = node.row.type === 'list' || node.row.many ? `${path}[]` : path;
        paths.set(node.row, node.children.length > 0 && node.row.type !== 'list' ? `${path}.value` : own);
        visit(node.item, own);
      }
      visit(node.children, path);
    }
  };
  visit(jsonLayout(protocol), `.${protocol.name}`);
  return paths;
}

export interface JsonOptions {
  /** Also rows that only repeat octets: payloads. */
  readonly octets: boolean;
}

/** Writes frames as JSON lines. */
export class JsonWriter {
  constructor(private readonly options: JsonOptions = { octets: false }) {}

  /** One frame and a line feed. */
  write(out: TextBuffer, frame: Frame): void {
    out.byte(OPEN);
    const { layers } = frame;
    for (let i = 0; i < layers.length; i++) {
      const layer = layers[i]!;
      const { protocol } = layer;
      if (i > 0) out.byte(COMMA);
      let occurrence = 1;
      for (let j = 0; j < i; j++) if (layers[j]!.protocol === protocol) occurrence++;
      out.byte(QUOTE);
      out.ascii(protocol.name);
      if (occurrence > 1) {
        out.byte(35);
        out.number(occurrence);
      }
      out.ascii('":{');
      const first = out.length;
      this.object(out, stepsOf(protocol), layer);
      if (i === 0) {
        if (out.length > first) out.byte(COMMA);
        out.ascii('"info":');
        writeInfo(out, frame);
      }
      out.byte(CLOSE);
    }
    out.ascii('}\n');
  }

  /** The keys of a layer's object. */
  private object(out: TextBuffer, steps: readonly Step[], layer: Layer): void {
    let found: Found | undefined;
    const before = out.length;
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!;
      if (step.run) {
        this.run(out, step, layer, before);
        continue;
      }
      if (step.walked && found === undefined) found = new Found(layer.nodes, 0, layer.nodes.length);
      this.member(out, step, layer, found, before);
    }
  }

  /** Neighbouring keys, from kept text where their octets were met before. */
  private run(out: TextBuffer, run: Run, layer: Layer, before: number): void {
    const { nodes, kept, range } = run;
    const { bytes } = layer;
    const from = layer.start + range[0];
    const to = layer.start + range[1];
    if (to > layer.captured) {
      for (let i = 0; i < nodes.length; i++) this.member(out, nodes[i]!, layer, undefined, before);
      return;
    }
    let hash = 0;
    for (let i = from; i < to; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
    const slot = (hash ^ (hash >>> 9)) & (KEPT - 1);
    let entry = kept[slot];
    if (entry === undefined || !matches(entry.octets, bytes, from)) {
      const scratch = new TextBuffer(1024);
      // Not the first keys, so that the text begins with a comma.
      for (let i = 0; i < nodes.length; i++) this.member(scratch, nodes[i]!, layer, undefined, -1);
      entry = { octets: bytes.slice(from, to), text: scratch.bytes.slice(0, scratch.length) };
      kept[slot] = entry;
    }
    writeKey(out, entry.text, before);
  }

  /** One key with its value, if it has one. `before` is where the enclosing object began. */
  private member(out: TextBuffer, node: JsonNode, layer: Layer, found: Found | undefined, before: number): void {
    const { row, children } = node;
    if (children.length === 0) {
      if (node.kind !== GENERIC) this.plain(out, node, layer, before);
      else if (row!.walked) this.walked(out, node, layer, found!, before);
      else if (!row!.options.quiet || this.options.octets) {
        const raw = row!.raw(layer);
        if (raw === undefined) return;
        writeKey(out, node.key, before);
        writeJsonValue(out, row!, raw);
      }
      return;
    }
    this.nested(out, node, layer, found, before);
  }

  /** A leaf of a common kind. */
  private plain(out: TextBuffer, node: JsonNode, layer: Layer, before: number): void {
    const { bytes, captured } = layer;
    const at = layer.start + node.offset;
    switch (node.kind) {
      case OCTET:
        if (at >= captured) return;
        writeKey(out, node.key, before);
        out.number(bytes[at]!);
        return;
      case WORD16:
        if (at + 2 > captured) return;
        writeKey(out, node.key, before);
        out.number((bytes[at]! << 8) | bytes[at + 1]!);
        return;
      case WORD32:
        if (at + 4 > captured) return;
        writeKey(out, node.key, before);
        out.number(u32(bytes, at));
        return;
      case IPV4:
        if (at + 4 > captured) return;
        writeKey(out, node.key, before);
        out.byte(QUOTE);
        out.ipv4(u32(bytes, at));
        out.byte(QUOTE);
        return;
      case ETHER:
        if (at + 6 > captured) return;
        writeKey(out, node.key, before);
        out.byte(QUOTE);
        out.ether(bytes, at);
        out.byte(QUOTE);
        return;
      default:
        writeKey(out, node.key, before);
        node.row!.options.json!(layer, out);
    }
  }

  private nested(out: TextBuffer, node: JsonNode, layer: Layer, found: Found | undefined, before: number): void {
    const mark = out.length;
    writeKey(out, node.key, before);
    out.byte(OPEN);
    const first = out.length;
    const { row, children } = node;
    if (row !== undefined && row.type !== 'list') {
      const raw = row.walked ? found!.first(row)?.value : row.raw(layer);
      if (raw !== undefined) {
        out.raw(VALUE_KEY);
        writeJsonValue(out, row, raw);
      }
    } else if (row !== undefined) this.walked(out, { ...node, key: LIST_KEY, children: [] }, layer, found!, first);
    for (let i = 0; i < children.length; i++) this.member(out, children[i]!, layer, found, first);
    // Nothing in it applies to this packet: take the key back.
    if (out.length === first) out.length = mark;
    else out.byte(CLOSE);
  }

  private walked(out: TextBuffer, node: JsonNode, layer: Layer, found: Found, before: number): void {
    const row = node.row!;
    if (row.options.quiet && !this.options.octets) return;
    const first = found.first(row);
    if (first === undefined) return;
    if (row.many) {
      writeKey(out, node.key, before);
      out.byte(91);
      const from = out.length;
      found.each(row, (at) => {
        if (out.length > from) out.byte(COMMA);
        if (row.type === 'list') this.item(out, node, layer, at);
        else writeJsonValue(out, row, at.value!);
      });
      out.byte(93);
      return;
    }
    writeKey(out, node.key, before);
    writeJsonValue(out, row, first.value!);
    // More than one where the protocol knows one: the others are kept beside it, as `name#2`.
    let occurrence = 0;
    found.each(row, (at) => {
      if (++occurrence === 1) return;
      out.ascii(`,${JSON.stringify(`${node.name}#${occurrence}`)}:`);
      writeJsonValue(out, row, at.value!);
    });
  }

  private item(out: TextBuffer, node: JsonNode, layer: Layer, at: TreeNode): void {
    const { nodes } = layer;
    const from = nodes.indexOf(at) + 1;
    let to = from;
    while (to < nodes.length && nodes[to]!.depth > at.depth) to++;
    const found = new Found(nodes, from, to);
    out.byte(OPEN);
    const first = out.length;
    const { item } = node;
    for (let i = 0; i < item.length; i++) this.member(out, item[i]!, layer, found, first);
    out.byte(CLOSE);
  }
}

const matches = (octets: Uint8Array, bytes: Uint8Array, at: number): boolean => {
  for (let i = 0; i < octets.length; i++) if (octets[i] !== bytes[at + i]) return false;
  return true;
};

/** Text that begins with a comma, without it when it is the first of its object. */
function writeKey(out: TextBuffer, key: Uint8Array, before: number): void {
  const first = out.length > before ? 0 : 1;
  const n = key.length;
  if (n > 48) {
    out.raw(first === 0 ? key : key.subarray(1));
    return;
  }
  out.room(n);
  const { bytes } = out;
  let at = out.length;
  for (let i = first; i < n; i++) bytes[at++] = key[i]!;
  out.length = at;
}

/** The nodes of `nodes[from, to)`; what stands inside the items of a list belongs to those items and is not among them. */
class Found {
  constructor(
    private readonly nodes: readonly TreeNode[],
    private readonly from: number,
    private readonly to: number,
  ) {}

  /** The first node of a row. */
  first(row: Field): TreeNode | undefined {
    const { nodes, to } = this;
    for (let i = this.from; i < to; i++) {
      const node = nodes[i]!;
      if (node.field === row) return node;
      if (node.field?.type === 'list') i = this.after(i) - 1;
    }
    return undefined;
  }

  /** Every node of a row. */
  each(row: Field, visit: (node: TreeNode) => void): void {
    for (let i = this.from; i < this.to; i++) {
      const node = this.nodes[i]!;
      if (node.field === row) visit(node);
      if (node.field?.type === 'list') i = this.after(i) - 1;
    }
  }

  private after(item: number): number {
    const { depth } = this.nodes[item]!;
    let end = item + 1;
    while (end < this.to && this.nodes[end]!.depth > depth) end++;
    return end;
  }
}

const info = new TextBuffer(1024);

/** The Info column as a JSON string; its octets are safe for a terminal, hence for JSON but for quotes and backslashes. */
function writeInfo(out: TextBuffer, frame: Frame): void {
  info.clear();
  frame.writeInfo(info);
  out.jsonOctets(info.bytes, info.length);
}

/** A value as JSON: numbers as numbers (above 2^53 as text), flags as booleans, octets as hex, durations as seconds. */
export function writeJsonValue(out: TextBuffer, field: Field, raw: Raw): void {
  switch (field.type) {
    case 'ipv4':
      out.byte(QUOTE);
      out.ipv4(raw as number);
      out.byte(QUOTE);
      return;
    case 'ether':
    case 'eui64':
      out.byte(QUOTE);
      out.ether(raw as Uint8Array, 0, (raw as Uint8Array).length);
      out.byte(QUOTE);
      return;
    case 'ipv6':
      out.byte(QUOTE);
      out.ascii(ipv6Text(raw as Uint8Array, 0));
      out.byte(QUOTE);
      return;
    case 'bool':
    case 'none':
      out.ascii(raw ? 'true' : 'false');
      return;
    case 'duration':
      writeSeconds(out, raw as number | bigint);
      return;
    case 'time':
      out.byte(QUOTE);
      out.ascii(isoText(Number((raw as bigint) / 1_000_000_000n), Number((raw as bigint) % 1_000_000_000n)));
      out.byte(QUOTE);
      return;
  }
  if (typeof raw === 'number') {
    if (Number.isFinite(raw)) out.number(raw);
    else out.ascii(`"${raw}"`);
  } else if (typeof raw === 'string') out.json(raw);
  else if (typeof raw === 'bigint') {
    const exact = raw <= BigInt(Number.MAX_SAFE_INTEGER) && raw >= BigInt(Number.MIN_SAFE_INTEGER);
    out.ascii(exact ? String(raw) : `"${raw}"`);
  } else if (typeof raw === 'boolean') out.ascii(raw ? 'true' : 'false');
  else {
    out.byte(QUOTE);
    out.hexOctets(raw);
    out.byte(QUOTE);
  }
}

/** Nanoseconds as seconds with nine decimals; what a JSON number would round (a bigint) as text. */
function writeSeconds(out: TextBuffer, time: number | bigint): void {
  if (typeof time === 'bigint') {
    const negative = time < 0n;
    const n = negative ? -time : time;
    out.ascii(`"${negative ? '-' : ''}${n / 1_000_000_000n}.${String(n % 1_000_000_000n).padStart(9, '0')}"`);
    return;
  }
  let n = time;
  if (n < 0) {
    out.byte(45);
    n = -n;
  }
  const seconds = Math.floor(n / 1e9);
  out.number(seconds);
  out.byte(46);
  out.padded(Math.round(n - seconds * 1e9), 9);
}
