/** Which layers stand in which, as JSON names them: a capture has a few such stacks, each in many frames. */
import { FixedText } from '../core/fixed-text.js';
import { Layer } from '../core/layer.js';
import type { TextBuffer } from '../core/text.js';
import { type Compiled, compileTogether, type Together, type WriteTogether } from './json-compile.js';
import { keyOf, type Layout } from './json-layout.js';
import type { JsonMemory } from './json-memory.js';
import type { RowWriter, WriteLayer } from './json-source.js';

/**
 * Functions for frames of just the layers of a stack. Here each layer has a place of its own in the code, so that the engine
 * knows what it is; where layers of all kinds come by, it has to look.
 */
export interface WholeStack {
  /** Are the first `depth` of these the layers? */
  readonly fits: (layers: readonly Layer[], depth: number) => boolean;
  readonly write: (out: TextBuffer, layers: readonly Layer[]) => void;
}

/** What the text of a function names. */
type Given = readonly (readonly [name: string, value: unknown])[];

/** A call that writes layers: its text, and the place of the first layer behind them. */
interface Call {
  readonly text: string;
  readonly given: Given;
  readonly to: number;
}

/** What is kept for a protocol. */
export class Kept {
  /** `,"ip":`, `,"ip#2":`, … */
  private readonly keys: FixedText[];
  /** Layers written so far, while there is no function. */
  written = 0;
  /** {@link write} will not change any more. */
  isSettled = false;
  /** Where {@link write} came from. */
  compiled: Compiled | undefined = undefined;

  constructor(
    readonly layout: Layout,
    readonly name: string,
    public write: WriteLayer,
    /** What a layer adds to `frame.protocols`. */
    public chain: (layer: Layer) => string,
  ) {
    this.keys = [new FixedText(layout.key)];
  }

  /** The key of a layer that so many others of the protocol are around. */
  key(before: number): FixedText {
    return (this.keys[before] ??= new FixedText(keyOf(`${this.name}#${before + 1}`)));
  }
}

/** A layer in those around it. */
export class Stack {
  /** Frames met with nothing else in them. */
  frames = 0;
  /** Writes the layers of such a frame. */
  whole: WholeStack | undefined = undefined;
  /** See {@link together}; null while not made. */
  private written: WriteTogether | undefined | null = null;
  private readonly inner = new Map<unknown, Stack[]>();
  /** The layers that were met last in it: what a connection carries, and what the one beside it does. */
  private last: Stack | undefined = undefined;
  private other: Stack | undefined = undefined;
  /** The names of the layers as JSON, outermost first. */
  readonly text: FixedText;

  constructor(
    readonly kept: Kept,
    readonly key: FixedText,
    /** The class of the layer. */
    private readonly kind: unknown,
    private readonly chain: string,
    /** Every layer of the class has the same chain. */
    private readonly isPlain: boolean,
    private readonly names: string,
    private readonly around: Stack | undefined,
  ) {
    this.text = new FixedText(`"${names}"`);
  }

  /** The stack with `layer` in it, if that was met before. */
  known(layer: Layer): Stack | undefined {
    const { last } = this;
    if (last?.is(layer)) return last;
    const { other } = this;
    const next = other?.is(layer) ? other : this.inner.get(layer.constructor)?.find((stack) => stack.is(layer));
    if (next === undefined) return undefined;
    this.other = last;
    this.last = next;
    return next;
  }

  add(kept: Kept, layer: Layer): Stack {
    const { chain, constructor: kind } = layer;
    let before = 0;
    for (let stack: Stack | undefined = this; stack !== undefined; stack = stack.around) if (stack.kept === kept) before++;
    const next = new Stack(
      kept,
      kept.key(before),
      kind,
      chain,
      hasPlainChain(layer),
      this.names === '' ? chain : `${this.names}:${chain}`,
      this,
    );
    const same = this.inner.get(kind);
    if (same === undefined) this.inner.set(kind, [next]);
    else same.push(next);
    return next;
  }

  /** The stacks up to this one, outermost first. */
  private get upTo(): Stack[] {
    return [...(this.around?.upTo ?? []), this];
  }

  /**
   * Make the functions for frames of just these layers, once those of all its layers are made. `top`: the place of the layer
   * that the Info column of most of them speaks of. Undefined where code may not be made from text.
   */
  compile(writer: RowWriter, memory: JsonMemory | undefined, top: number): WholeStack | undefined {
    const { upTo } = this;
    if (!upTo.every(({ kept }) => kept.isSettled)) return undefined;
    try {
      const conditions = upTo.flatMap(({ isPlain, chain }, i) =>
        i === 0
          ? []
          : [`layers[${i}].constructor === kind${i}`, ...(isPlain ? [] : [`chain${i}(layers[${i}]) === ${JSON.stringify(chain)}`])],
      );
      const outer = this.outerCalls(upTo, writer, memory, top);
      const calls = [...outer, ...innerCalls(upTo, outer.at(-1)?.to ?? 0)];
      const text = `"use strict";
        return {
          fits: (layers, depth) => depth === ${upTo.length}${conditions
            .reverse()
            .map((condition) => ` && ${condition}`)
            .join('')},
          write: (out, layers) => {
            ${calls.map(({ text }) => text).join(' ')}
          },
        };
        //# sourceURL=json-stack-${this.names.replaceAll(':', '-')}.js`;
      const given = [
        ...upTo.flatMap(
          ({ kept, kind }, i): Given => [
            [`kind${i}`, kind],
            [`chain${i}`, kept.chain],
          ],
        ),
        ...calls.flatMap((call) => call.given),
      ];
      this.whole = new Function(...given.map(([name]) => name), text)(...given.map(([, value]) => value)) as WholeStack;
      return this.whole;
    } catch (error) {
      if (error instanceof EvalError) return undefined;
      throw error;
    }
  }

  /** The calls for the frame itself, and for layers in it that are written together. */
  private outerCalls(upTo: readonly Stack[], writer: RowWriter, memory: JsonMemory | undefined, top: number): Call[] {
    const last = memory === undefined ? -1 : upTo.findLastIndex((stack) => stack.together(writer, memory) !== undefined);
    if (last < 0) return [];
    const layers = (from: number) => upTo.slice(from, last + 1).map((_, i) => `layers[${from + i}]`);
    const together = (from: number, write: unknown): Call => ({
      text: `together(out, ${layers(from)});`,
      given: [['together', write]],
      to: last + 1,
    });
    // With the frame in one go, where the Info column speaks of the last of them.
    const whole = last === top ? upTo[last]!.compileFrame(writer, memory!, this.names) : undefined;
    return whole === undefined ? [alone(upTo, 0), together(1, upTo[last]!.written)] : [together(0, whole)];
  }

  /** What writes the layers in the frame up to this one in one go, if there are several and all of them may be plain. */
  private together(writer: RowWriter, memory: JsonMemory): WriteTogether | undefined {
    if (this.written === null) {
      this.written = undefined;
      const layers = this.upTo.slice(1).map(({ kept, key }) => ({ layout: kept.layout, compiled: kept.compiled, key }));
      if (layers.length > 1 && layers.every(isFirstOfItsKind)) this.written = compileTogether(layers, writer, memory);
    }
    return this.written;
  }

  /**
   * What writes a frame and the layers in it up to this one, of which the Info column speaks, in one go; `protocols` are all
   * that are in it.
   */
  private compileFrame(writer: RowWriter, memory: JsonMemory, protocols: string): WriteTogether | undefined {
    const within = this.together(writer, memory);
    const layers = this.upTo.map(({ kept, key }) => ({ layout: kept.layout, compiled: kept.compiled, key }));
    return within && layers.every(isFirstOfItsKind) ? compileTogether(layers, writer, memory, { protocols, within }) : undefined;
  }

  private is(layer: Layer): boolean {
    return layer.constructor === this.kind && (this.isPlain || this.kept.chain(layer) === this.chain);
  }
}

/** The calls for the layers from `from` on, those of one protocol that follow each other in one go where it writes octets. */
function innerCalls(upTo: readonly Stack[], from: number): Call[] {
  const calls: Call[] = [];
  for (let i = from, to = i; i < upTo.length; i = to) {
    const { kept } = upTo[i]!;
    while (upTo[to]?.kept === kept) to++;
    const octets = kept.compiled?.octets;
    if (octets === undefined) for (let at = i; at < to; at++) calls.push(alone(upTo, at));
    else {
      const keys = upTo.slice(i, to).map(({ key }) => key);
      const number = 1 + upTo.slice(0, i).filter((stack) => stack.kept === kept).length;
      calls.push({ text: `several${i}(out, layers);`, given: [[`several${i}`, octets.several(i, keys, number, kept.write)]], to });
    }
  }
  return calls;
}

/** The call for one layer. */
function alone(upTo: readonly Stack[], i: number): Call {
  const { kept, key } = upTo[i]!;
  return {
    text: `write${i}(out, layers[${i}], key${i});`,
    given: [
      [`write${i}`, kept.write],
      [`key${i}`, key],
    ],
    to: i + 1,
  };
}

/** A layer that a function was made for, and that is the first of its protocol in the frame, as plain ones are. */
const isFirstOfItsKind = (layer: { layout: Layout; compiled: Compiled | undefined; key: FixedText }): layer is Together =>
  layer.compiled !== undefined && layer.key.length === layer.layout.key.length;

/** Nothing of the layer's class makes another chain than the protocol's name. */
function hasPlainChain(layer: Layer): boolean {
  let holder: object = layer;
  while (!Object.hasOwn(holder, 'chain')) holder = Object.getPrototypeOf(holder);
  return holder === Layer.prototype;
}
