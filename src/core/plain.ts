/**
 * Plain layers: what nearly all layers of a protocol have in common, so that writers need not ask each of them for what
 * only a few have. A protocol says it beside its table; a test holds every layer of every fixture against it.
 */
import type { Field, FieldOptions, Raw } from './field.js';
import type { Layer } from './layer.js';
import type { TextBuffer } from './text.js';

type Condition = NonNullable<FieldOptions['when']>;

/** What holds for the plain layers of a protocol, of which `L` is what its rows know. */
export interface Plain<L extends Layer = Layer> {
  /** Whether a layer is plain: asked once for each, it spares all that stands below. No plain layer has a remark but below what is {@link rare}. */
  readonly when: (layer: L) => boolean;
  /** So many octets of it were captured. */
  readonly octets: number;
  /** Conditions of rows (`when`, `gate`) that hold. */
  readonly holds?: readonly Condition[];
  /** Conditions that do not. */
  readonly fails?: readonly Condition[];
  /** Gates (`gate`) that hold for a few of them: below these, rows are asked one by one, and may be remarks. */
  readonly rare?: readonly Condition[];
  /** Conditions of rows, and what tells the same of a plain layer for less. */
  readonly simply?: readonly (readonly [condition: Condition, inPlain: (layer: L) => boolean])[];
  /** Computed rows without a condition that have a value. */
  readonly present?: readonly Field[];
  /** Values that are always the same; undefined: there is none. */
  readonly values?: readonly (readonly [row: Field, value: Raw | undefined])[];
  /** The JSON of rows that write it in their own way (`FieldOptions.json`). */
  readonly json?: readonly (readonly [row: Field, parts: readonly PlainPart<L>[]])[];
  /** Neighbouring rows of which a number of 32 bits decides whether they are there, and with what values. */
  readonly decided?: { readonly rows: readonly Field[]; readonly by: (layer: L) => number };
  /** The JSON of what the walk finds, in order; it finds nothing else. */
  readonly walk?: readonly PlainWalk<L>[];
  /**
   * The Info column of those that `when` holds for, in words of ours and numbers: {@link Layer.summary} writes the same. It is
   * theirs where they are the innermost layer that is known, and there is nothing to add.
   */
  readonly info?: { readonly when: (layer: L) => boolean; readonly parts: readonly (PlainPart<L> | PlainWalk<L>)[] };
  /** The layer's `quickJson` writes what the walk finds; where it cannot, the layer is not plain. */
  readonly isQuick?: true;
}

/**
 * A piece of JSON: text, an unsigned number (as the signed one of the same 32 bits), one that stands at a fixed place, nine
 * digits of nanoseconds, nanoseconds as seconds (exact, or the layer is not plain), or a text that a number of 32 bits decides.
 */
export type PlainPart<L extends Layer = Layer> =
  | string
  | ((layer: L) => number)
  | PlainOctets
  | { readonly nanoseconds: (layer: L) => number }
  | { readonly duration: (layer: L) => number }
  | { readonly by: ((layer: L) => number) | PlainOctets; readonly text: (layer: L) => string };

/** One to four octets of a layer, so many behind its first one, as an unsigned number. */
export interface PlainOctets {
  readonly from: number;
  readonly count: number;
}

/** What octets of a layer are, or those bits of them that `mask` has. */
export interface KnownOctets extends PlainOctets {
  readonly is: number;
  readonly mask?: number;
}

/** JSON that stands in a plain layer where `when` holds, or its octets are these. */
export interface PlainWalk<L extends Layer = Layer> {
  readonly when: ((layer: L) => boolean) | readonly KnownOctets[];
  /** Keys with a comma before each, and their values. */
  readonly json?: readonly PlainPart<L>[];
  /** Writes it, where that is more than keys and numbers; asked for by a function alone. */
  readonly write?: (layer: L, out: TextBuffer) => void;
}
