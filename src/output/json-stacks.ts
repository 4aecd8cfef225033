/** Which layers stand in which, as JSON names them: a capture has a few such stacks, each in many frames. */
import { FixedText } from '../core/fixed-text.js';
import { Layer } from '../core/layer.js';
import type { TextBuffer } from '../core/text.js';
import type { WriteLayer } from './json-compile.js';
import { keyOf, type Layout } from './json-layout.js';

/**
 * Functions for frames of just the layers of a stack. Here each layer has a place of its own in the code, so that the engine
 * knows what it is; where layers of all kinds come by, it has to look.
 */
export interface WholeStack {
  /** Are these the layers? */
  readonly fits: (layers: readonly Layer[]) => boolean;
  readonly write: (out: TextBuffer, layers: readonly Layer[]) => void;
}

/** What is kept for a protocol. */
export class Kept {
  /** `,"ip":`, `,"ip#2":`, … */
  private readonly keys: FixedText[];
  /** Layers written so far, while there is no function. */
  written = 0;
  /** {@link write} will not change any more. */
  isSettled = false;

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

  /** Make the functions for frames of just these layers, once those of all its layers are made. Undefined where code may not be made from text. */
  compile(): WholeStack | undefined {
    const { upTo } = this;
    if (!upTo.every(({ kept }) => kept.isSettled)) return undefined;
    try {
      const named = (prefix: string, values: readonly unknown[]) => values.map((value, i) => [`${prefix}${i}`, value] as const);
      const given = [
        ...named(
          'write',
          upTo.map(({ kept }) => kept.write),
        ),
        ...named(
          'key',
          upTo.map(({ key }) => key),
        ),
        ...named(
          'kind',
          upTo.map(({ kind }) => kind),
        ),
        ...named(
          'chain',
          upTo.map(({ kept }) => kept.chain),
        ),
      ];
      const conditions = upTo.flatMap(({ isPlain, chain }, i) =>
        i === 0
          ? []
          : [`layers[${i}].constructor === kind${i}`, ...(isPlain ? [] : [`chain${i}(layers[${i}]) === ${JSON.stringify(chain)}`])],
      );
      const text = `"use strict";
        return {
          fits: (layers) => layers.length === ${upTo.length}${conditions
            .reverse()
            .map((condition) => ` && ${condition}`)
            .join('')},
          write: (out, layers) => {
            ${upTo.map((_, i) => `write${i}(out, layers[${i}], key${i});`).join(' ')}
          },
        };
        //# sourceURL=json-stack-${this.names.replaceAll(':', '-')}.js`;
      this.whole = new Function(...given.map(([name]) => name), text)(...given.map(([, value]) => value)) as WholeStack;
      return this.whole;
    } catch (error) {
      if (error instanceof EvalError) return undefined;
      throw error;
    }
  }

  private is(layer: Layer): boolean {
    return layer.constructor === this.kind && (this.isPlain || this.kept.chain(layer) === this.chain);
  }
}

/** Nothing of the layer's class makes another chain than the protocol's name. */
function hasPlainChain(layer: Layer): boolean {
  let holder: object = layer;
  while (!Object.hasOwn(holder, 'chain')) holder = Object.getPrototypeOf(holder);
  return holder === Layer.prototype;
}
