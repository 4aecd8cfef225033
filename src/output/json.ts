/**
 * JSON: one object a frame, one frame a line. The path of a value is the name of its field (`tcp.flags.syn` stands at
 * `.tcp.flags.syn`); inside a list it is the list's name, then what follows of the field's name
 * (`.dns.answers[].resp.name`).
 *
 * The keys of a protocol are laid out once, from its table, as octets; a frame then only adds values.
 */

import { ipv6Text } from '../core/addresses.js';
import { type Field, isNumeric, type Raw } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import type { Layer, Protocol, TreeNode } from '../core/layer.js';
import { TextBuffer } from '../core/text.js';
import { isoText } from '../core/time.js';

/** A key of an object: the row whose value it holds, if any, and the keys below it. */
export interface JsonNode {
  readonly name: string;
  /** `"name":` */
  readonly key: Uint8Array;
  readonly row: Field | undefined;
  readonly children: readonly JsonNode[];
  /** For lists: the layout of an item. */
  readonly item: readonly JsonNode[];
  /** Whether any row in it is found by a walk. */
  readonly walked: boolean;
  /** Ready-made text by the value of the word that everything in it is part of. */
  readonly texts: Map<number, Uint8Array> | undefined;
}

const encoder = new TextEncoder();
const VALUE_KEY = encoder.encode('"value":');
const QUOTE = 34;
const COMMA = 44;
const OPEN = 123;
const CLOSE = 125;
/** Words whose text is kept: more different ones mean that the field is no set of flags. */
const MAX_TEXTS = 4096;

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
    const node = { name, key: encoder.encode(`${JSON.stringify(name)}:`), row, children: below, item };
    const walked = row?.walked === true || below.some((child) => child.walked);
    return {
      ...node,
      walked,
      texts: row !== undefined && below.length > 0 && isWord(row, below) ? new Map<number, Uint8Array>() : undefined,
    };
  });
}

/** True when everything below is part of the row's own word, so that its value decides the text. */
const isWord = (row: Field, below: readonly JsonNode[]): boolean =>
  typeof row.offset === 'number' &&
  isNumeric(row.type) &&
  typeof row.length === 'number' &&
  row.length <= 2 &&
  row.options.when === undefined &&
  below.every(
    ({ row: child, children }) =>
      child !== undefined &&
      children.length === 0 &&
      (child.options.pure === true || (child.offset === row.offset && child.length === row.length && child.options.when === undefined)),
  );

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
      this.object(out, jsonLayout(protocol), layer);
      if (i === 0) {
        if (out.length > first) out.byte(COMMA);
        out.ascii('"info":');
        out.json(infoText(frame));
      }
      out.byte(CLOSE);
    }
    out.ascii('}\n');
  }

  /** The keys of a layer's object. */
  private object(out: TextBuffer, layout: readonly JsonNode[], layer: Layer): void {
    let found: Map<Field, TreeNode[]> | undefined;
    const before = out.length;
    for (let i = 0; i < layout.length; i++) {
      const node = layout[i]!;
      if (node.walked && found === undefined) found = scope(layer.nodes, 0, layer.nodes.length);
      this.member(out, node, layer, found, before);
    }
  }

  /** One key with its value, if it has one. `before` is where the enclosing object began. */
  private member(out: TextBuffer, node: JsonNode, layer: Layer, found: Map<Field, TreeNode[]> | undefined, before: number): void {
    const { row, children } = node;
    if (children.length === 0) {
      if (row!.walked) this.walked(out, node, layer, found!, before);
      else if (!row!.options.quiet || this.options.octets) {
        const raw = row!.raw(layer);
        if (raw === undefined) return;
        if (out.length > before) out.byte(COMMA);
        out.raw(node.key);
        writeJsonValue(out, row!, raw);
      }
      return;
    }
    if (node.texts !== undefined && this.word(out, node, layer, found, before)) return;
    this.nested(out, node, layer, found, before);
  }

  /** A word of flags, from ready-made text; false when its octets were not captured. */
  private word(out: TextBuffer, node: JsonNode, layer: Layer, found: Map<Field, TreeNode[]> | undefined, before: number): boolean {
    const { row, texts } = node;
    const at = layer.start + (row!.offset as number);
    const length = row!.length as number;
    if (at + length > layer.captured) return false;
    const value = length === 1 ? layer.bytes[at]! : (layer.bytes[at]! << 8) | layer.bytes[at + 1]!;
    let text = texts!.get(value);
    if (text === undefined) {
      const scratch = new TextBuffer(512);
      this.nested(scratch, node, layer, found, 0);
      text = scratch.bytes.slice(0, scratch.length);
      if (texts!.size < MAX_TEXTS) texts!.set(value, text);
    }
    if (out.length > before) out.byte(COMMA);
    out.raw(text);
    return true;
  }

  private nested(out: TextBuffer, node: JsonNode, layer: Layer, found: Map<Field, TreeNode[]> | undefined, before: number): void {
    const mark = out.length;
    if (out.length > before) out.byte(COMMA);
    out.raw(node.key);
    out.byte(OPEN);
    const first = out.length;
    const { row, children } = node;
    if (row !== undefined && row.type !== 'list') {
      const raw = row.walked ? found!.get(row)?.[0]?.value : row.raw(layer);
      if (raw !== undefined) {
        out.raw(VALUE_KEY);
        writeJsonValue(out, row, raw);
      }
    } else if (row !== undefined) this.walked(out, { ...node, key: encoder.encode('"list":'), children: [] }, layer, found!, first);
    for (let i = 0; i < children.length; i++) this.member(out, children[i]!, layer, found, first);
    // Nothing in it applies to this packet: take the key back.
    if (out.length === first) out.length = mark;
    else out.byte(CLOSE);
  }

  private walked(out: TextBuffer, node: JsonNode, layer: Layer, found: Map<Field, TreeNode[]>, before: number): void {
    const row = node.row!;
    const nodes = found.get(row);
    if (nodes === undefined || (row.options.quiet && !this.options.octets)) return;
    if (row.many) {
      if (out.length > before) out.byte(COMMA);
      out.raw(node.key);
      out.byte(91);
      for (let i = 0; i < nodes.length; i++) {
        if (i > 0) out.byte(COMMA);
        if (row.type === 'list') this.item(out, node, layer, nodes[i]!);
        else writeJsonValue(out, row, nodes[i]!.value!);
      }
      out.byte(93);
      return;
    }
    // More than one where the protocol knows one: the others are kept beside it, as `name#2`.
    for (let i = 0; i < nodes.length; i++) {
      if (out.length > before) out.byte(COMMA);
      if (i === 0) out.raw(node.key);
      else out.ascii(`${JSON.stringify(`${node.name}#${i + 1}`)}:`);
      writeJsonValue(out, row, nodes[i]!.value!);
    }
  }

  private item(out: TextBuffer, node: JsonNode, layer: Layer, at: TreeNode): void {
    const { nodes } = layer;
    const from = nodes.indexOf(at) + 1;
    let to = from;
    while (to < nodes.length && nodes[to]!.depth > at.depth) to++;
    const found = scope(nodes, from, to);
    out.byte(OPEN);
    const first = out.length;
    for (const child of node.item) this.member(out, child, layer, found, first);
    out.byte(CLOSE);
  }
}

/** The nodes of `nodes[from, to)` by row; what stands inside the items of a list belongs to those items. */
function scope(nodes: readonly TreeNode[], from: number, to: number): Map<Field, TreeNode[]> {
  const found = new Map<Field, TreeNode[]>();
  for (let i = from; i < to; i++) {
    const node = nodes[i]!;
    const { field } = node;
    if (field === undefined) continue;
    const known = found.get(field);
    if (known) known.push(node);
    else found.set(field, [node]);
    if (field.type === 'list') while (i + 1 < to && nodes[i + 1]!.depth > node.depth) i++;
  }
  return found;
}

const info = new TextBuffer(1024);

function infoText(frame: Frame): string {
  info.clear();
  frame.writeInfo(info);
  return info.toString();
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
