/**
 * JSON: one object a frame, one frame a line. The path of a value is the name of its field (`tcp.flags.syn` stands at
 * `.tcp.flags.syn`); inside a list it is the list's name, then what follows of the field's name
 * (`.dns.answers[].resp.name`).
 *
 * Every key is written with a comma before it, also the first of its object; when the object is whole, that comma gives
 * way to the brace that opens it.
 */
import type { FixedText } from '../core/fixed-text.js';
import type { Frame } from '../core/frame.js';
import type { Layer, Protocol, TreeNode } from '../core/layer.js';
import { TextBuffer } from '../core/text.js';
import { compileLayer } from './json-compile.js';
import { Found } from './json-found.js';
import { type Gate, HIDDEN, INFO_KEY, type JsonNode, keyOf, type Layout, layoutOf, NESTED } from './json-layout.js';
import { JsonMemory } from './json-memory.js';
import { writeRemarks } from './json-remarks.js';
import type { RowWriter } from './json-source.js';
import { Kept, Stack, type WholeStack } from './json-stacks.js';
import { JsonTexts } from './json-texts.js';
import { writeJsonValue, writeNodeValue } from './json-values.js';
import { webAssembly } from './webassembly.js';

const VALUE_KEY = keyOf('value');
const LIST_KEY = keyOf('list');
const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 0x5c;
const OPEN = 123;
const CLOSE = 125;

/** A protocol that a capture holds so many layers of is worth a function of its own. */
const WORTH_COMPILING = 16;

/** What goes into the objects. */
export interface JsonOptions {
  /** Also rows that only repeat octets: payloads. Default false. */
  readonly octets?: boolean;
  /** After how many layers of a protocol a function is made for it (see compileLayer); Infinity for never. */
  readonly compileAfter?: number;
}

/** Room for a frame that is written elsewhere first. */
const OWN_ROOM = 1 << 17;

/** Memory for functions of WebAssembly; none where the system has none left, or the engine runs without them. */
function memoryIfAny(): JsonMemory | undefined {
  try {
    return webAssembly && new JsonMemory(webAssembly);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** None on a processor that has no instructions for sixteen octets at a time. */
function textsIfAny(memory: JsonMemory): JsonTexts | undefined {
  try {
    return new JsonTexts(memory);
  } catch (error) {
    if (error instanceof webAssembly!.CompileError) return undefined;
    throw error;
  }
}

/** Stacks that a frame is compared with before its layers are followed one by one. */
const MOST_RECENT = 6;
/** Stacks that are kept at most: a packet that is built to exhaust us may nest anything in anything. */
const MOST_STACKS = 4096;

/**
 * Writes frames as JSON lines.
 * @example
 * const out = new TextBuffer();
 * const writer = new JsonWriter();
 * for await (const frame of open('fixtures/arp.pcap')) writer.write(out, frame);
 * console.log(JSON.parse(out.toString().split('\n')[0]!).arp.opcode);
 */
export class JsonWriter implements RowWriter {
  private readonly kept: (Kept | undefined)[] = [];
  /** One for each depth of lists in lists. */
  private readonly scopes: Found[] = [new Found()];
  private depth = 0;
  /** The stack of the frame alone, which all others begin with. */
  private outermost: Stack | undefined = undefined;
  /** The stack up to each layer of the frame under way, and the whole of it. */
  private readonly upTo: Stack[] = [];
  private stack: Stack | undefined = undefined;
  private stacks = 0;
  /** Whole stacks with functions of their own that were met last. */
  private readonly recent: Stack[] = [];
  private readonly octets: boolean;
  private readonly compileAfter: number;
  /** What functions write in; taken when the first is made, or somebody wants to write there himself. */
  private memory: JsonMemory | undefined = undefined;
  private texts: JsonTexts | undefined = undefined;
  /** Where frames are written that go elsewhere. */
  private own: Uint8Array | undefined = undefined;
  private readonly detour = new TextBuffer(64);

  constructor(options: JsonOptions = {}) {
    this.octets = options.octets ?? false;
    this.compileAfter = options.compileAfter ?? WORTH_COMPILING;
  }

  /** Octets that {@link write} writes to without a detour; undefined where there is no room for them. */
  room(length: number): Uint8Array | undefined {
    this.memory ??= memoryIfAny();
    return this.memory?.room(length);
  }

  /** One frame and a line feed. */
  write(out: TextBuffer, frame: Frame): void {
    const { memory } = this;
    if (memory === undefined) return this.line(out, frame);
    if (out.buffer === memory.buffer) {
      if (this.texts !== undefined) out.writeBy(this.texts);
      return this.line(out, frame);
    }
    const own = (this.own ??= memory.room(OWN_ROOM));
    if (own === undefined) return this.line(out, frame);
    const { detour } = this;
    // A frame that took more moved it elsewhere.
    if (detour.bytes !== own) detour.bytes = own;
    if (this.texts !== undefined) detour.writeBy(this.texts);
    detour.clear();
    detour.asciiOnly = out.asciiOnly;
    this.line(detour, frame);
    out.raw(detour.bytes.subarray(0, detour.length));
  }

  private line(out: TextBuffer, frame: Frame): void {
    const begin = out.length;
    const { roomy } = frame;
    const whole = this.wholeOf(roomy, frame.depth);
    if (whole === undefined) this.layers(out, frame.layers);
    else whole.write(out, roomy);
    out.bytes[begin] = OPEN;
    out.byte(CLOSE);
    out.byte(10);
  }

  /** The functions for frames like this one, if it is like one of the last few. */
  private wholeOf(layers: readonly Layer[], depth: number): WholeStack | undefined {
    const { recent } = this;
    for (let i = 0; i < recent.length; i++) {
      const stack = recent[i]!;
      if (!stack.whole!.fits(layers, depth)) continue;
      if (i > 0) {
        // What comes often moves to the front.
        recent[i] = recent[i - 1]!;
        recent[i - 1] = stack;
      }
      this.stack = stack;
      return stack.whole;
    }
    return undefined;
  }

  /** Any layers, one by one. */
  private layers(out: TextBuffer, layers: readonly Layer[]): void {
    const { upTo } = this;
    let stack = this.outermost ?? this.begin(layers[0]!);
    upTo[0] = stack;
    for (let i = 1; i < layers.length; i++) {
      const layer = layers[i]!;
      stack = stack.known(layer) ?? this.keepStack(stack, layer);
      upTo[i] = stack;
    }
    this.stack = stack;
    for (let i = 0; i < layers.length; i++) {
      const { kept, key } = upTo[i]!;
      kept.write(out, layers[i]!, key);
    }
    if (stack.whole === undefined && ++stack.frames <= this.compileAfter) return;
    if ((stack.whole ?? stack.compile(this, this.memory, layers.indexOf(layers[0]!.frame.top))) === undefined) return;
    const { recent } = this;
    if (recent.length < MOST_RECENT) recent.push(stack);
    else recent[MOST_RECENT - 1] = stack;
  }

  /** The stack of nothing but the frame itself, which `frame.protocols` leaves out. */
  private begin({ protocol, constructor: kind }: Layer): Stack {
    const kept = this.kept[protocol.id] ?? this.keep(protocol);
    this.outermost = new Stack(kept, kept.key(0), kind, '', true, '', undefined);
    return this.outermost;
  }

  private keepStack(stack: Stack, layer: Layer): Stack {
    if (++this.stacks > MOST_STACKS) {
      this.stacks = 0;
      // What is under way still names its layers.
      this.outermost = undefined;
    }
    const { protocol } = layer;
    return stack.add(this.kept[protocol.id] ?? this.keep(protocol), layer);
  }

  private keep(protocol: Protocol): Kept {
    const layout = layoutOf(protocol, this.octets);
    const kept: Kept = new Kept(
      layout,
      protocol.name,
      (out, layer, key) => this.layer(out, kept, layer, key),
      (layer) => layer.chain,
    );
    this.kept[protocol.id] = kept;
    return kept;
  }

  /** One layer, row by row; for protocols that come often a function does it in one go. */
  private layer(out: TextBuffer, kept: Kept, layer: Layer, key: FixedText): void {
    const { layout } = kept;
    if (++kept.written > this.compileAfter) {
      kept.written = Number.NEGATIVE_INFINITY;
      kept.isSettled = true;
      this.memory ??= memoryIfAny();
      this.texts ??= this.memory && textsIfAny(this.memory);
      const compiled = compileLayer(layout, this, this.memory);
      if (compiled !== undefined) {
        kept.compiled = compiled;
        kept.write = compiled.write;
        kept.chain = compiled.chain;
        return compiled.write(out, layer, key);
      }
    }
    out.fixed(key);
    const first = out.length;
    let found: Found | undefined;
    for (const { nodes } of layout.steps)
      for (const node of nodes) {
        if (node.gate !== undefined && !node.gate(layer)) continue;
        if (node.walked) found ??= this.scopeOf(layer);
        this.member(out, node, layer, found);
      }
    if (layout.walked.length > 0 && !layer.bare && (layout.hasOctets || !layer.quickJson(out))) this.walkedKeys(out, layout, layer);
    writeRemarks(out, layout.experts, layer);
    if (layout.hasInfo) {
      out.raw(INFO_KEY);
      this.info(out, layer.frame);
    }
    close(out, first);
  }

  /** Everything that the walk of a layer found. */
  scopeOf(layer: Layer): Found {
    return this.scope(layer.nodes, 0, layer.nodes.length, layer);
  }

  private scope(nodes: readonly TreeNode[], from: number, to: number, layer: Layer): Found {
    const found = (this.scopes[this.depth] ??= new Found());
    found.fill(nodes, from, to, layer.protocol.allFields.length);
    return found;
  }

  /** The keys that only a walk finds. */
  walkedKeys(out: TextBuffer, { nodes, walked }: Layout, layer: Layer): void {
    let gate: Gate | undefined;
    let open = false;
    for (let i = 0; i < walked.length && !open; i++) {
      const node = walked[i]!;
      if (i > 0 && node.gate === gate) continue;
      gate = node.gate;
      open = gate === undefined || gate(layer);
    }
    if (!open || layer.nodes.length === 0) return;
    const found = this.scopeOf(layer);
    const { slots } = found;
    for (let i = 0; i < slots.length; i++) {
      const node = nodes[slots[i]!]!;
      if (node.onlyWalked) this.member(out, node, layer, found);
    }
  }

  /** The Info column as a JSON string but for its first quote; its octets are safe for a terminal, hence for JSON but for quotes and backslashes. */
  info(out: TextBuffer, frame: Frame): void {
    const from = out.length;
    if (frame.writeInfo(out) && this.texts?.isFreeOfEscapes(out, from) !== true) escapeFrom(out, from);
    out.byte(QUOTE);
  }

  /** The names of the layers below the frame, which {@link write} followed. */
  protocols(out: TextBuffer): void {
    out.fixed(this.stack!.text);
  }

  /** One key with its value, if it has one. */
  member(out: TextBuffer, node: JsonNode, layer: Layer, found: Found | undefined): void {
    const { kind } = node;
    if (kind === HIDDEN) return;
    if (kind === NESTED) {
      this.nested(out, node, layer, found);
      return;
    }
    const row = node.row!;
    if (row.walked) this.walked(out, node, node.key, layer, found!);
    else if (row.options.json !== undefined) {
      out.raw(node.key);
      row.options.json(layer, out);
    } else {
      const raw = row.raw(layer);
      if (raw === undefined) return;
      out.raw(node.key);
      writeJsonValue(out, row, raw);
    }
  }

  private nested(out: TextBuffer, node: JsonNode, layer: Layer, found: Found | undefined): void {
    const mark = out.length;
    out.raw(node.key);
    const first = out.length;
    const { row, children } = node;
    // A mark has no value of its own: that there is something below it says it all.
    if (row !== undefined && row.type === 'list') this.walked(out, node, LIST_KEY, layer, found!);
    else if (row !== undefined && row.type !== 'none') {
      if (row.many && row.walked) this.walked(out, node, VALUE_KEY, layer, found!);
      else {
        const raw = row.walked ? found!.value(row) : row.raw(layer);
        if (raw !== undefined) {
          out.raw(VALUE_KEY);
          writeJsonValue(out, row, raw);
        }
      }
    }
    let gate: Gate | undefined;
    let open = true;
    for (let i = 0; i < children.length; i++) {
      const child = children[i]!;
      if (child.gate !== gate) {
        gate = child.gate;
        open = gate === undefined || gate(layer);
      }
      if (open) this.member(out, child, layer, found);
    }
    // Nothing in it applies to this packet: take the key back.
    if (out.length === first) out.length = mark;
    else close(out, first);
  }

  private walked(out: TextBuffer, node: JsonNode, key: Uint8Array, layer: Layer, found: Found): void {
    const row = node.row!;
    const { nodes } = found;
    let at = found.first(row);
    if (at < 0) return;
    out.raw(key);
    if (row.many) {
      out.byte(91);
      const isList = row.type === 'list';
      for (let more = false; at >= 0; at = found.next(at), more = true) {
        if (more) out.byte(COMMA);
        if (isList) this.item(out, node, layer, nodes, at);
        else writeNodeValue(out, row, nodes[at]!);
      }
      out.byte(93);
      return;
    }
    writeNodeValue(out, row, nodes[at]!);
    // More than one where the protocol knows one: the others are kept beside it, as `name#2`.
    for (let occurrence = 2; (at = found.next(at)) >= 0; occurrence++) {
      out.raw(keyOf(`${node.name}#${occurrence}`));
      writeNodeValue(out, row, nodes[at]!);
    }
  }

  private item(out: TextBuffer, node: JsonNode, layer: Layer, nodes: readonly TreeNode[], at: number): void {
    const { depth } = nodes[at]!;
    const from = at + 1;
    let to = from;
    while (to < nodes.length && nodes[to]!.depth > depth) to++;
    const keys = node.item;
    this.depth++;
    const found = this.scope(nodes, from, to, layer);
    const first = out.length;
    // From what was found to the keys: an item has few of the many keys that its kind may have.
    const { slots } = found;
    for (let i = 0; i < slots.length; i++) this.member(out, keys[slots[i]!]!, layer, found);
    this.depth--;
    close(out, first);
  }
}

/** End the object whose keys begin at `first`. */
function close(out: TextBuffer, first: number): void {
  if (out.length === first) out.byte(OPEN);
  else out.bytes[first] = OPEN;
  out.byte(CLOSE);
}

/** Put a backslash before every quote and backslash from `from` on. */
function escapeFrom(out: TextBuffer, from: number): void {
  const first = firstEscape(out, from);
  if (first === out.length) return;
  let extra = 0;
  for (let i = first; i < out.length; i++) if (out.bytes[i] === QUOTE || out.bytes[i] === BACKSLASH) extra++;
  out.room(extra);
  const { bytes } = out;
  let to = out.length + extra;
  // From the last to the first, so that nothing is overwritten before it was read.
  for (let i = out.length - 1; i >= first; i--) {
    const octet = bytes[i]!;
    bytes[--to] = octet;
    if (octet === QUOTE || octet === BACKSLASH) bytes[--to] = BACKSLASH;
  }
  out.length += extra;
}

/** The octets from `from` on are none but others up to there, or up to the end; they are looked at four at a time. */
function firstEscape(out: TextBuffer, from: number): number {
  out.room(4);
  const { view, length } = out;
  // What is behind the end is blank.
  view.setInt32(length, 0x20202020, true);
  for (let i = from; i < length; i += 4) {
    const four = view.getInt32(i, true);
    const quotes = four ^ 0x22222222;
    const backslashes = four ^ 0x5c5c5c5c;
    // The highest bit of an octet is set where it was 0 (and perhaps in those above it).
    if ((((quotes - 0x01010101) & ~quotes) | ((backslashes - 0x01010101) & ~backslashes)) & 0x80808080) return i;
  }
  return length;
}
