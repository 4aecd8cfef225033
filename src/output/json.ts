/**
 * JSON: one object a frame, one frame a line. The path of a value is the name of its field (`tcp.flags.syn` stands at
 * `.tcp.flags.syn`); inside a list it is the list's name, then what follows of the field's name
 * (`.dns.answers[].resp.name`).
 */
import { ipv6Text } from '../core/addresses.js';
import type { Field, Raw } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import type { Layer, TreeNode } from '../core/layer.js';
import { putNumber, TextBuffer } from '../core/text.js';
import { isoText } from '../core/time.js';
import {
  COMPUTED,
  COMPUTED_DURATION,
  COMPUTED_NUMBER,
  DIRECT,
  ETHER,
  type Gate,
  HIDDEN,
  IPV4,
  type JsonNode,
  KEPT,
  type Layout,
  layoutOf,
  NESTED,
  OCTET,
  RUN,
  type Step,
  WORD16,
  WORD32,
} from './json-layout.js';

const encoder = new TextEncoder();
const VALUE_KEY = encoder.encode('"value":');
/** The same where there may be several. */
const VALUES_KEY = encoder.encode(',"value":');
const LIST_KEY = encoder.encode(',"list":');
const EXPERT_KEY = encoder.encode(',"expert":');
const QUOTE = 34;
const COMMA = 44;
const OPEN = 123;
const CLOSE = 125;

/** Octets that a key with a short value takes at most: longer keys do not exist. */
const ROOM = 512;

/** What goes into the objects. */
export interface JsonOptions {
  /** Also rows that only repeat octets: payloads. */
  readonly octets: boolean;
}

/**
 * Writes frames as JSON lines.
 * @example
 * const out = new TextBuffer();
 * const writer = new JsonWriter();
 * for await (const frame of open('fixtures/arp.pcap')) writer.write(out, frame);
 * console.log(JSON.parse(out.toString().split('\n')[0]!).arp.opcode);
 */
export class JsonWriter {
  /** One for each depth of lists in lists. */
  private readonly scopes: Found[] = [new Found()];
  private depth = 0;

  constructor(private readonly options: JsonOptions = { octets: false }) {}

  private scope(nodes: readonly TreeNode[], from: number, to: number, layer: Layer): Found {
    const found = (this.scopes[this.depth] ??= new Found());
    return found.fill(nodes, from, to, layer.protocol.allFields.length);
  }

  /** One frame and a line feed. */
  write(out: TextBuffer, frame: Frame): void {
    const { layers } = frame;
    const begin = out.length;
    for (let i = 0; i < layers.length; i++) {
      const layer = layers[i]!;
      const { protocol } = layer;
      const layout = layoutOf(protocol, this.options.octets);
      const { opening, experts } = layout;
      let occurrence = 1;
      for (let j = 0; j < i; j++) if (layers[j]!.protocol === protocol) occurrence++;
      if (occurrence === 1) out.raw(opening);
      else out.ascii(`,${JSON.stringify(`${protocol.name}#${occurrence}`)}:{`);
      const first = out.length;
      this.object(out, layout.steps, layer);
      if (layout.walked.length > 0 && !layer.bare) this.found(out, layout, layer, first);
      if (experts.length > 0) this.experts(out, experts, layer, first);
      if (i === 0) {
        if (out.length > first) out.byte(COMMA);
        out.ascii('"info":');
        writeInfo(out, frame);
      }
      out.byte(CLOSE);
    }
    // The comma before the first layer gives way to the brace.
    out.bytes[begin] = OPEN;
    out.byte(CLOSE);
    out.byte(10);
  }

  /** The names of the remarks that apply. */
  private experts(out: TextBuffer, experts: readonly Field[], layer: Layer, before: number): void {
    let any = false;
    let gate: Gate | undefined;
    let open = true;
    for (let i = 0; i < experts.length; i++) {
      const row = experts[i]!;
      if (row.options.gate !== gate) {
        gate = row.options.gate;
        open = gate === undefined || gate(layer);
      }
      if (!open) continue;
      if (row.compute ? row.compute(layer) === undefined : !layer.nodes.some((node) => node.field === row)) continue;
      if (any) out.byte(COMMA);
      else {
        writeKey(out, EXPERT_KEY, before);
        out.byte(91);
      }
      any = true;
      out.byte(QUOTE);
      out.ascii(row.name);
      out.byte(QUOTE);
    }
    if (any) out.byte(93);
  }

  /** The keys of a layer's object. What needs no detour is written here, with position and octets in local variables. */
  private object(out: TextBuffer, steps: readonly Step[], layer: Layer): void {
    const { bytes, start, captured } = layer;
    const before = out.length;
    out.room(ROOM);
    let target = out.bytes;
    let at = before;
    let found: Found | undefined;
    let gate: Gate | undefined;
    let open = true;
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!;
      const { kind } = step;
      if (step.gate !== gate) {
        gate = step.gate;
        open = gate === undefined || gate(layer);
      }
      if (!open) continue;
      if (kind >= OCTET && kind <= ETHER) {
        const from = start + step.offset;
        if (from + WIDTH[kind]! > captured || (step.when !== undefined && !step.when(layer))) continue;
        if (at + ROOM > target.length) {
          out.length = at;
          out.room(ROOM);
          target = out.bytes;
        }
        const { key } = step;
        for (let k = at > before ? 0 : 1; k < key.length; k++) target[at++] = key[k]!;
        if (kind === OCTET) at = putNumber(target, at, bytes[from]!);
        else if (kind === WORD16) at = putNumber(target, at, (bytes[from]! << 8) | bytes[from + 1]!);
        else if (kind === WORD32)
          at = putNumber(target, at, ((bytes[from]! << 24) | (bytes[from + 1]! << 16) | (bytes[from + 2]! << 8) | bytes[from + 3]!) >>> 0);
        else {
          out.length = at;
          out.byte(QUOTE);
          if (kind === IPV4) out.ipv4(((bytes[from]! << 24) | (bytes[from + 1]! << 16) | (bytes[from + 2]! << 8) | bytes[from + 3]!) >>> 0);
          else out.ether(bytes, from);
          out.byte(QUOTE);
          at = out.length;
        }
        continue;
      }
      out.length = at;
      if (kind === RUN) this.run(out, step, layer, bytes, start, captured, before);
      else if (kind === COMPUTED || kind === COMPUTED_NUMBER || kind === COMPUTED_DURATION)
        this.computed(out, kind, step.row!, step.key, layer, before);
      else {
        if (step.walked) found ??= this.scope(layer.nodes, 0, layer.nodes.length, layer);
        this.member(out, step.nodes[0]!, layer, found, before);
      }
      at = out.length;
      target = out.bytes;
    }
    out.length = at;
  }

  private computed(out: TextBuffer, kind: number, row: Field, key: Uint8Array, layer: Layer, before: number): void {
    const raw = row.compute!(layer);
    if (raw === undefined) return;
    writeKey(out, key, before);
    if (kind === COMPUTED_NUMBER) out.number(raw as number);
    else if (kind === COMPUTED_DURATION) writeSeconds(out, raw as number | bigint);
    else writeJsonValue(out, row, raw);
  }

  /** What the walk found: from the nodes to the keys, since most keys of most protocols are not there. */
  private found(out: TextBuffer, { nodes, walked }: Layout, layer: Layer, before: number): void {
    let quick = -1;
    let any = false;
    for (let i = 0; i < walked.length; i++) {
      const step = walked[i]!;
      if (step.gate !== undefined && !step.gate(layer)) continue;
      if (step.row?.options.quickList !== undefined && this.quickList(out, step, layer, before)) quick = step.slot;
      else {
        any = true;
        break;
      }
    }
    if (!any || layer.nodes.length === 0) return;
    const found = this.scope(layer.nodes, 0, layer.nodes.length, layer);
    const { slots } = found;
    for (let i = 0; i < slots.length; i++) {
      const node = nodes[slots[i]!]!;
      if (node.onlyWalked && slots[i] !== quick) this.member(out, node, layer, found, before);
    }
  }

  /** A list whose octets have a common form; false, and nothing written, when they have not. */
  private quickList(out: TextBuffer, step: Step, layer: Layer, before: number): boolean {
    const mark = out.length;
    writeKey(out, step.key, before);
    if (step.row!.options.quickList!(layer, out)) return true;
    out.length = mark;
    return false;
  }

  /** Neighbouring keys, from kept text where their octets were met before. */
  private run(out: TextBuffer, run: Step, layer: Layer, bytes: Uint8Array, start: number, captured: number, before: number): void {
    const { kept } = run;
    const from = start + run.offset;
    const to = start + run.end;
    if (to > captured || layer.unusual) {
      for (const node of run.nodes) this.member(out, node, layer, undefined, before);
      return;
    }
    let hash = 0;
    for (let i = from; i < to; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
    const slot = (hash ^ (hash >>> 9)) & (KEPT - 1);
    let entry = kept[slot];
    if (entry === undefined || !matches(entry.octets, bytes, from)) {
      scratch.clear();
      // Not the first keys, so that the text begins with a comma.
      for (const node of run.nodes) this.member(scratch, node, layer, undefined, -1);
      entry = { octets: bytes.slice(from, to), text: scratch.bytes.slice(0, scratch.length) };
      kept[slot] = entry;
    }
    writeKey(out, entry.text, before);
  }

  /** One key with its value, if it has one. `before` is where the enclosing object began. */
  private member(out: TextBuffer, node: JsonNode, layer: Layer, found: Found | undefined, before: number): void {
    if (node.kind === HIDDEN) return;
    if (node.kind === NESTED) {
      this.nested(out, node, layer, found, before);
      return;
    }
    const row = node.row!;
    if (node.kind === COMPUTED || node.kind === COMPUTED_NUMBER || node.kind === COMPUTED_DURATION)
      this.computed(out, node.kind, row, node.key, layer, before);
    else if (row.walked) this.walked(out, node, layer, found!, before);
    else if (node.kind === DIRECT) {
      writeKey(out, node.key, before);
      row.options.json!(layer, out);
    } else {
      const raw = row.raw(layer);
      if (raw === undefined) return;
      writeKey(out, node.key, before);
      writeJsonValue(out, row, raw);
    }
  }

  private nested(out: TextBuffer, node: JsonNode, layer: Layer, found: Found | undefined, before: number): void {
    const mark = out.length;
    writeKey(out, node.key, before);
    out.byte(OPEN);
    const first = out.length;
    const { row, children } = node;
    // A mark has no value of its own: that there is something below it says it all.
    if (row !== undefined && row.type !== 'list' && row.type !== 'none') {
      const raw = row.walked ? found!.first(row)?.value : row.raw(layer);
      if (row.many && row.walked) this.walked(out, { ...node, key: VALUES_KEY, children: [] }, layer, found!, first);
      else if (raw !== undefined) {
        out.raw(VALUE_KEY);
        writeJsonValue(out, row, raw);
      }
    } else if (row?.type === 'list') this.walked(out, { ...node, key: LIST_KEY, children: [] }, layer, found!, first);
    let gate: Gate | undefined;
    let open = true;
    for (let i = 0; i < children.length; i++) {
      const child = children[i]!;
      if (child.gate !== gate) {
        gate = child.gate;
        open = gate === undefined || gate(layer);
      }
      if (open) this.member(out, child, layer, found, first);
    }
    // Nothing in it applies to this packet: take the key back.
    if (out.length === first) out.length = mark;
    else out.byte(CLOSE);
  }

  private walked(out: TextBuffer, node: JsonNode, layer: Layer, found: Found, before: number): void {
    const row = node.row!;
    const first = found.first(row);
    if (first === undefined) return;
    if (row.many) {
      writeKey(out, node.key, before);
      out.byte(91);
      const from = out.length;
      found.each(row, (at, position) => {
        if (out.length > from) out.byte(COMMA);
        if (row.type === 'list') this.item(out, node, layer, at, position);
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

  private item(out: TextBuffer, node: JsonNode, layer: Layer, at: TreeNode, position: number): void {
    const { nodes } = layer;
    const from = position + 1;
    let to = from;
    while (to < nodes.length && nodes[to]!.depth > at.depth) to++;
    this.depth++;
    const found = this.scope(nodes, from, to, layer);
    out.byte(OPEN);
    const first = out.length;
    // From what was found to the keys: an item has few of the many keys that its kind may have.
    const { slots } = found;
    for (let i = 0; i < slots.length; i++) this.member(out, node.item[slots[i]!]!, layer, found, first);
    this.depth--;
    out.byte(CLOSE);
  }
}

/** Octets of the kinds that are written without a detour. */
const WIDTH: readonly number[] = [0, 1, 2, 4, 4, 6];

const scratch = new TextBuffer(4096);

const matches = (octets: Uint8Array, bytes: Uint8Array, at: number): boolean => {
  for (let i = 0; i < octets.length; i++) if (octets[i] !== bytes[at + i]) return false;
  return true;
};

/** Text that begins with a comma, without it when it is the first of its object. */
function writeKey(out: TextBuffer, key: Uint8Array, before: number): void {
  const at = out.length;
  if (at > before) {
    out.raw(key);
    return;
  }
  // Written over the octet before, which is put back: cheaper than a view of the key without its comma.
  const last = out.bytes[at - 1]!;
  out.length = at - 1;
  out.raw(key);
  out.bytes[at - 1] = last;
}

/**
 * What a walk found in a scope: a layer, or an item of a list. What stands inside the items of a list belongs to those
 * items. Rows are looked up by their index, in arrays that are kept from frame to frame: a stamp says whether what stands
 * there is of this scope.
 */
class Found {
  private stamp = 0;
  private stamps = new Int32Array(64);
  /** Position of a row's first node. */
  private heads = new Int32Array(64);
  /** From a node to the next one of its row; -1 ends. */
  private nexts = new Int32Array(64);
  private nodes: readonly TreeNode[] = [];
  private readonly positions: number[] = [];
  /** The keys that the nodes belong to, in the keys' order. */
  readonly slots: number[] = [];

  /** Take in the nodes of `nodes[from, to)`. */
  fill(nodes: readonly TreeNode[], from: number, to: number, rows: number): this {
    this.nodes = nodes;
    this.stamp++;
    if (rows > this.stamps.length) {
      this.stamps = new Int32Array(2 * rows);
      this.heads = new Int32Array(2 * rows);
    }
    if (nodes.length > this.nexts.length) this.nexts = new Int32Array(2 * nodes.length);
    const { positions, slots, stamps, heads, nexts, stamp } = this;
    let count = 0;
    for (let i = from; i < to; i++) {
      const node = nodes[i]!;
      const { field } = node;
      if (field === undefined) continue;
      positions[count++] = i;
      if (field.type === 'list') while (i + 1 < to && nodes[i + 1]!.depth > node.depth) i++;
    }
    slots.length = 0;
    // From the last to the first, so that each row's chain begins with its first node.
    for (let k = count - 1; k >= 0; k--) {
      const at = positions[k]!;
      const { index, slot } = nodes[at]!.field!;
      nexts[at] = stamps[index] === stamp ? heads[index]! : -1;
      heads[index] = at;
      stamps[index] = stamp;
      if (slot >= 0 && !slots.includes(slot)) slots.push(slot);
    }
    slots.sort(ascending);
    return this;
  }

  /** The first node of a row. */
  first(row: Field): TreeNode | undefined {
    return this.stamps[row.index] === this.stamp ? this.nodes[this.heads[row.index]!] : undefined;
  }

  /** Every node of a row. */
  each(row: Field, visit: (node: TreeNode, at: number) => void): void {
    if (this.stamps[row.index] !== this.stamp) return;
    for (let at = this.heads[row.index]!; at >= 0; at = this.nexts[at]!) visit(this.nodes[at]!, at);
  }
}

const ascending = (a: number, b: number) => a - b;

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
