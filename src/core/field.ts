/**
 * Fields: one row of a protocol's table says what a field is called, what type it has and where it stands. The typed
 * property, `-e`, display filters, JSON, the tree and the reference page all read that row.
 *
 * Three kinds of rows:
 *   - in place: at a known offset of its layer: `uint8('ip.ttl', 'Time to Live', 8)`;
 *   - computed: `computed('bool', 'arp.isprobe', 'Is probe', (arp) => …)`;
 *   - walked: without an offset; the protocol's `walk` finds it: `many(uint16('dns.qry.type', 'Type'))`.
 */
import { colonText, ipv4Text, ipv6Text } from './addresses.js';
import type { Frame } from './frame.js';
import type { Layer, Protocol, TreeNode } from './layer.js';
import { hexOf, textOf, u8, u16, u16le, u24, u24le, u32, u32le, u48, u64, u64le } from './octets.js';
import type { TextBuffer } from './text.js';
import { secondsText, utcText } from './time.js';

/**
 * What kind of value a field holds, named as Wireshark's filter manual does in lower case.
 * `time` is a point in time, `duration` a span, `frame` the number of another frame, `none` a mark that is there or not.
 */
export type FieldType =
  | 'uint8'
  | 'uint16'
  | 'uint24'
  | 'uint32'
  | 'uint48'
  | 'uint64'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'double'
  | 'bool'
  | 'bytes'
  | 'string'
  | 'ipv4'
  | 'ipv6'
  | 'ether'
  | 'eui64'
  | 'guid'
  | 'time'
  | 'duration'
  | 'frame'
  | 'none'
  | 'list';

/**
 * The comparable form of a value: numbers, also for IPv4 addresses; bigint for 64 bits, for points in time (nanoseconds
 * since 1970) and for durations (nanoseconds) that a number cannot hold; octets for IPv6, hardware addresses and bytes.
 */
export type Raw = number | bigint | boolean | string | Uint8Array;

/** How `-e` and the tree print a number. */
export type Base = 'dec' | 'hex' | 'oct';

/** Names for values: a record, or a function where they come in ranges. */
export type ValueNames = Readonly<Record<number, string>> | ((value: number) => string | undefined);

/** Seriousness of an expert field, as Wireshark grades it. */
export type Severity = 'chat' | 'note' | 'warn' | 'error';

/** What an expert field is about, as Wireshark groups them. */
export type ExpertGroup =
  | 'checksum'
  | 'sequence'
  | 'response'
  | 'request'
  | 'undecoded'
  | 'malformed'
  | 'protocol'
  | 'comment'
  | 'decryption'
  | 'deprecated';

/** What a row may say beyond name, label and place. */
export interface FieldOptions {
  readonly base?: Base;
  readonly values?: ValueNames;
  /** What a value counts, for the tree: `seconds`, `bytes`. */
  readonly unit?: string;
  /** Filter names that stand for several fields and include this one: `ip.addr`, `tcp.port`. */
  readonly also?: readonly string[];
  /** Least significant octet first. */
  readonly little?: boolean;
  /** The bits that count; the value is shifted down to the lowest of them. */
  readonly mask?: number;
  /**
   * Present only when this holds; an in-place or a computed row. Rows of a layer that give the same function are asked
   * together, so that a computed row with a condition should have a value whenever it holds.
   */
  // biome-ignore lint/suspicious/noExplicitAny: a row is declared before the class of its layer exists, so its author names the layer type
  readonly when?: (layer: any) => boolean;
  /** Texts for true and false in the tree, e.g. Set / Not set. */
  readonly flags?: readonly [on: string, off: string];
  /** Left out of JSON because it repeats what another field of the layer says. */
  readonly quiet?: boolean;
  /** Writes the JSON value straight into octets, where making the raw form first would cost too much. */
  readonly json?: (layer: Layer, out: TextBuffer) => void;
  /** A computed row, or one with a condition, that depends on nothing but these octets of its layer: `[from, to)`. */
  readonly pure?: readonly [from: number, to: number];
  /**
   * A cheap test that rows share: where it is false none of them applies, and none is asked. It changes nothing but the
   * time that rarely present rows cost.
   */
  // biome-ignore lint/suspicious/noExplicitAny: as for `when`
  readonly gate?: (layer: any) => boolean;
  /** What an expert field says of a layer, or of a node of its walk, where that is more than its label or the node's text. */
  // biome-ignore lint/suspicious/noExplicitAny: as for `when`
  readonly message?: (layer: any, node: TreeNode | undefined) => string;
  /** What `-e` prints for octets that are there but none, where tshark does not say `<MISSING>`. */
  readonly empty?: string;
}

type Count = number | ((layer: Layer) => number);

/** Octets of a type with a fixed length. */
const WIDTH: Partial<Record<FieldType, number>> = {
  uint8: 1,
  uint16: 2,
  uint24: 3,
  uint32: 4,
  uint48: 6,
  uint64: 8,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  bool: 1,
  ipv4: 4,
  ipv6: 16,
  ether: 6,
  eui64: 8,
  guid: 16,
};

const NO_ITEMS: readonly Field[] = [];

/** A row of a protocol's table. `V` is what its typed property yields. */
export class Field<V = unknown> {
  /** The protocol that declares it. Set when the table is made into a layer class. */
  protocol!: Protocol;
  /** Its position in {@link Protocol.fields}. */
  index = -1;
  /** The property of the layer class. */
  key = '';
  /** The key of its JSON object that it belongs to; set when the object is laid out. */
  slot = -1;
  /** The row it is shown under in the tree. */
  parent: Field | undefined = undefined;
  /** For a list: the rows of an item. */
  readonly items: readonly Field[];
  /** May occur more than once in a layer (or in a list's item); JSON then has an array, the property too. */
  readonly many: boolean;
  /** Where an in-place row starts, in octets from the start of its layer. */
  readonly offset: Count | undefined;
  /** Octets of an in-place row. */
  readonly length: Count;
  /** Found by the protocol's walk. */
  readonly walked: boolean;
  readonly compute: ((layer: Layer) => Raw | undefined) | undefined;
  /** What {@link compute} yields once {@link FieldOptions.when} is known to hold. */
  readonly value: ((layer: Layer) => Raw | undefined) | undefined;
  readonly severity: Severity | undefined;
  /** Of an expert field. */
  readonly group: ExpertGroup | undefined;
  /** Values of a row that sums up rows of others, in the order of the tree; it belongs to no layer. */
  readonly gather: ((frame: Frame) => readonly Raw[]) | undefined;
  readonly base: Base;
  readonly values: ValueNames | undefined;
  /** Right shift that goes with {@link FieldOptions.mask}. */
  readonly shift: number;
  declare readonly property: V;

  constructor(
    readonly name: string,
    readonly label: string,
    readonly type: FieldType,
    public options: FieldOptions,
    place: {
      offset?: Count | undefined;
      length?: Count | undefined;
      compute?: ((layer: Layer) => Raw | undefined) | undefined;
      many?: boolean;
      items?: readonly Field[];
      severity?: Severity;
      group?: ExpertGroup;
      gather?: (frame: Frame) => readonly Raw[];
    },
  ) {
    this.offset = place.offset;
    this.length = place.length ?? WIDTH[type] ?? 0;
    const { compute } = place;
    const { when } = options;
    this.value = compute;
    this.compute = compute === undefined || when === undefined ? compute : (layer) => (when(layer) ? compute(layer) : undefined);
    this.many = place.many ?? false;
    this.items = place.items ?? NO_ITEMS;
    this.severity = place.severity;
    this.group = place.group;
    this.gather = place.gather;
    this.walked = place.offset === undefined && place.compute === undefined && place.gather === undefined;
    this.base = options.base ?? 'dec';
    this.values = options.values;
    this.shift = options.mask ? 31 - Math.clz32(options.mask & -options.mask) : 0;
    for (const item of this.items) item.parent ??= this;
  }

  /** The comparable value in a layer; undefined when the row does not apply or its octets were not captured. Not for walked rows. */
  raw(layer: Layer): Raw | undefined {
    if (this.compute) return this.compute(layer);
    const { offset, length } = this;
    if (this.options.when !== undefined && !this.options.when(layer)) return undefined;
    const at = layer.start + (typeof offset === 'number' ? offset : offset!(layer));
    const octets = typeof length === 'number' ? length : length(layer);
    if (octets < 0 || at < layer.start || at + octets > layer.captured) return undefined;
    return readRaw(this, layer.bytes, at, octets);
  }

  /** Octets `[start, end)` in the layer's bytes, for the octet pane; undefined for computed and absent rows. */
  range(layer: Layer): readonly [start: number, end: number] | undefined {
    if (this.offset === undefined || this.raw(layer) === undefined) return undefined;
    const at = layer.start + (typeof this.offset === 'number' ? this.offset : this.offset(layer));
    return [at, at + (typeof this.length === 'number' ? this.length : this.length(layer))];
  }

  /** The name of a number, where the table has one. */
  nameOf(value: number): string | undefined {
    const { values } = this;
    return typeof values === 'function' ? values(value) : values?.[value];
  }
}

/** Read a field of known place from octets, by its type. The caller has checked the bounds. */
export function readRaw(field: Field, bytes: Uint8Array, at: number, length: number): Raw {
  const { little, mask } = field.options;
  if (mask !== undefined) {
    const word = readUnsigned(bytes, at, length, little === true);
    const bits =
      mask < 0 || mask > 0x7fffffff || word > 0x7fffffff
        ? Number((BigInt(word) & BigInt(mask)) >> BigInt(field.shift))
        : (word & mask) >> field.shift;
    return field.type === 'bool' ? bits !== 0 : bits;
  }
  switch (field.type) {
    case 'uint8':
      return bytes[at]!;
    case 'uint16':
    case 'uint24':
    case 'uint32':
    case 'uint48':
    case 'frame':
      return readUnsigned(bytes, at, length, little === true);
    case 'uint64':
      if (length === 8) return little ? u64le(bytes, at) : u64(bytes, at);
      return BigInt(readUnsigned(bytes, at, length, little === true));
    case 'int8':
      return (bytes[at]! << 24) >> 24;
    case 'int16':
      return ((little ? u16le(bytes, at) : u16(bytes, at)) << 16) >> 16;
    case 'int32':
      return (little ? u32le(bytes, at) : u32(bytes, at)) | 0;
    case 'int64':
      return BigInt.asIntN(64, little ? u64le(bytes, at) : u64(bytes, at));
    case 'bool':
      return readUnsigned(bytes, at, length, little === true) !== 0;
    case 'ipv4':
      return little ? u32le(bytes, at) : u32(bytes, at);
    case 'string':
      return textOf(bytes, at, at + length);
    case 'none':
    case 'list':
      return true;
    default:
      return bytes.subarray(at, at + length);
  }
}

function readUnsigned(bytes: Uint8Array, at: number, length: number, little: boolean): number {
  switch (length) {
    case 1:
      return u8(bytes, at);
    case 2:
      return little ? u16le(bytes, at) : u16(bytes, at);
    case 3:
      return little ? u24le(bytes, at) : u24(bytes, at);
    case 4:
      return little ? u32le(bytes, at) : u32(bytes, at);
    case 6:
      return u48(bytes, at);
    default: {
      let n = 0;
      for (let i = 0; i < length; i++) n = n * 256 + bytes[little ? at + length - 1 - i : at + i]!;
      return n;
    }
  }
}

/** What the typed property yields for a raw value: addresses and hardware addresses as text, all else as it is. */
export function presentable(type: FieldType, raw: Raw): unknown {
  switch (type) {
    case 'ipv4':
    case 'ipv6':
    case 'ether':
    case 'eui64':
    case 'guid':
      return plainText(type, raw);
    default:
      return raw;
  }
}

function plainText(type: FieldType, raw: Raw): string {
  switch (type) {
    case 'ipv4':
      return ipv4Text(raw as number);
    case 'ipv6':
      return ipv6Text(raw as Uint8Array, 0);
    case 'ether':
    case 'eui64':
      return colonText(raw as Uint8Array, 0, (raw as Uint8Array).length);
    case 'guid': {
      const b = raw as Uint8Array;
      return `${hexOf(b, 0, 4)}-${hexOf(b, 4, 6)}-${hexOf(b, 6, 8)}-${hexOf(b, 8, 10)}-${hexOf(b, 10, 16)}`;
    }
    default:
      return String(raw);
  }
}

/** The text of a value as `tshark -T fields` prints it: `0x0800`, `1`, `192.0.2.1`, `0402`, `0.001000000`. */
export function valueText(field: Field, raw: Raw): string {
  switch (field.type) {
    case 'ipv4':
    case 'ipv6':
    case 'ether':
    case 'eui64':
    case 'guid':
      return plainText(field.type, raw);
    case 'bool':
    case 'none':
    case 'list':
      return raw ? '1' : '0';
    case 'bytes':
      // Octets that are there but none: tshark's word for it.
      return typeof raw === 'string' ? raw : hexOf(raw as Uint8Array) || (field.options.empty ?? '<MISSING>');
    case 'duration':
      return secondsText(raw as number | bigint);
    case 'time':
      // A point in time may have a name of its own: 0 is no time in NTP.
      if (raw === 0n && field.values !== undefined) return field.nameOf(0) ?? utcText(0, 0);
      return utcText(Number((raw as bigint) / 1_000_000_000n), Number((raw as bigint) % 1_000_000_000n));
    case 'string': {
      // tshark's text ends at a zero octet; JSON and the tree show what comes after it.
      const end = (raw as string).indexOf('\0');
      return end < 0 ? (raw as string) : (raw as string).slice(0, end);
    }
    default:
      if (field.base === 'hex') return `0x${(raw as number).toString(16).padStart(2 * (WIDTH[field.type] ?? 1), '0')}`;
      if (field.base === 'oct') return `0${(raw as number).toString(8)}`;
      return String(raw);
  }
}

// Declaring rows -----------------------------------------------------------------------------------------------------

/** A table of rows, each under the name of the property it becomes. */
// biome-ignore lint/suspicious/noExplicitAny: rows of all value types stand in one table
export type Fields = Readonly<Record<string, Field<any>>>;

/** What the properties of a table are. */
export type Properties<F extends Fields> = { readonly [K in keyof F]: F[K]['property'] };

/** Declares rows of a type: in place when an offset is given, walked otherwise. */
export interface Declare<V> {
  (name: string, label: string, options?: FieldOptions): Field<V | undefined>;
  (
    name: string,
    label: string,
    offset: Count,
    options: FieldOptions & { readonly when: NonNullable<FieldOptions['when']> },
  ): Field<V | undefined>;
  (name: string, label: string, offset: Count, options?: FieldOptions): Field<V>;
}

function declare<V>(type: FieldType, defaults: FieldOptions = {}): Declare<V> {
  return (name: string, label: string, offsetOrOptions?: Count | FieldOptions, options: FieldOptions = {}) => {
    const inPlace = typeof offsetOrOptions === 'number' || typeof offsetOrOptions === 'function';
    const chosen = { ...defaults, ...(inPlace ? options : offsetOrOptions) };
    return new Field<V>(name, label, type, chosen, { offset: inPlace ? offsetOrOptions : undefined });
  };
}

/** An unsigned octet. */
export const uint8 = declare<number>('uint8');
/** Unsigned, two octets; network order unless `little` is set, as in all that follow. */
export const uint16 = declare<number>('uint16');
/** Unsigned, three octets. */
export const uint24 = declare<number>('uint24');
/** Unsigned, four octets. */
export const uint32 = declare<number>('uint32');
/** Unsigned, six octets. */
export const uint48 = declare<number>('uint48');
/** Unsigned, eight octets. */
export const uint64 = declare<bigint>('uint64');
/** Signed, one octet. */
export const int8 = declare<number>('int8');
/** Signed, two octets. */
export const int16 = declare<number>('int16');
/** Signed, four octets. */
export const int32 = declare<number>('int32');
/** Signed, eight octets. */
export const int64 = declare<bigint>('int64');
/** Yes or no; in place: whether the octet is not zero. */
export const bool = declare<boolean>('bool');
/** An IPv4 address; the property is dotted text. */
export const ipv4 = declare<string>('ipv4');
/** An IPv6 address; the property is text as in RFC 5952. */
export const ipv6 = declare<string>('ipv6');
/** A 48-bit hardware address; the property is hex with colons. */
export const ether = declare<string>('ether');
/** A 64-bit hardware address; the property is hex with colons. */
export const eui64 = declare<string>('eui64');
/** A UUID of 16 octets. */
export const guid = declare<string>('guid');
/** Nanoseconds since 1970 UTC; walked or computed. */
export const time = declare<bigint>('time');
/** Nanoseconds; walked or computed. */
export const duration = declare<number | bigint>('duration');
/** Number of another frame; walked or computed. */
export const frameNumber = declare<number>('frame');
/** A floating-point number; walked or computed. */
export const double = declare<number>('double');
/** A mark: there or not. */
export const mark = declare<true>('none');

/** Octets or text: with offset and length in place, else walked. */
interface DeclareRun<V> {
  (name: string, label: string, options?: FieldOptions): Field<V | undefined>;
  (name: string, label: string, offset: Count, length: Count, options?: FieldOptions): Field<V>;
}

function declareRun<V>(type: FieldType): DeclareRun<V> {
  return (name: string, label: string, offsetOrOptions?: Count | FieldOptions, length?: Count, options: FieldOptions = {}) => {
    if (typeof offsetOrOptions === 'number' || typeof offsetOrOptions === 'function')
      return new Field<V>(name, label, type, options, { offset: offsetOrOptions, length });
    return new Field<V>(name, label, type, offsetOrOptions ?? {}, {});
  };
}

/** Octets; the property shares memory with the frame. */
export const bytes = declareRun<Uint8Array>('bytes');
/** UTF-8 text. */
export const string = declareRun<string>('string');

const WORD: Readonly<Record<number, FieldType>> = { 8: 'uint8', 16: 'uint16', 24: 'uint24', 32: 'uint32', 48: 'uint48', 64: 'uint64' };

/** Some bits of the `width`-bit word at `offset`: those of `mask`, shifted down. Without an offset: walked. */
export const bits = (
  name: string,
  label: string,
  offset: Count | undefined,
  width: 8 | 16 | 24 | 32,
  mask: number,
  options: FieldOptions = {},
): Field<number> => new Field<number>(name, label, WORD[width]!, { ...options, mask }, { offset, length: width / 8 });

/** One bit of the `width`-bit word at `offset`. Without an offset: walked. */
export const flag = (
  name: string,
  label: string,
  offset: Count | undefined,
  mask: number,
  width: 8 | 16 | 24 | 32 = 8,
  options: FieldOptions = {},
): Field<boolean> => new Field<boolean>(name, label, 'bool', { ...options, mask }, { offset, length: width / 8 });

interface ValueOf {
  uint8: number;
  uint16: number;
  uint24: number;
  uint32: number;
  uint48: number;
  uint64: bigint;
  int8: number;
  int16: number;
  int32: number;
  int64: bigint;
  double: number;
  bool: boolean;
  bytes: Uint8Array;
  string: string;
  ipv4: string;
  ipv6: string;
  ether: string;
  eui64: string;
  guid: string;
  time: bigint;
  duration: number | bigint;
  frame: number;
  none: true;
  list: never;
}

/** A value worked out from other fields or from other frames; undefined means absent. `get` yields the raw form. */
export const computed = <T extends FieldType, L extends Layer = Layer>(
  type: T,
  name: string,
  label: string,
  get: (layer: L) => Raw | undefined,
  options: FieldOptions = {},
): Field<ValueOf[T] | undefined> => new Field(name, label, type, options, { compute: get as (layer: Layer) => Raw | undefined });

/**
 * A remark of Wireshark's expert system: there or not. With a condition it is computed, without it the walk puts it.
 */
export const expert = <L extends Layer = Layer>(
  severity: Severity,
  group: ExpertGroup,
  name: string,
  label: string,
  when?: (layer: L) => boolean,
  options: FieldOptions = {},
): Field<true | undefined> =>
  new Field<true | undefined>(name, label, 'none', when === undefined ? options : { ...options, when }, {
    severity,
    group,
    compute: when && (() => true),
  });

/** A walked row that may occur many times. */
export const many = <V>(field: Field<V>): Field<readonly NonNullable<V>[]> =>
  new Field(field.name, field.label, field.type, field.options, {
    length: field.length,
    many: true,
    items: field.items,
    ...(field.severity && { severity: field.severity }),
    ...(field.group && { group: field.group }),
  });

/** Rows that share a cheap test, see {@link FieldOptions.gate}. */
export function gated<F extends Fields, L extends Layer = Layer>(gate: (layer: L) => boolean, rows: F): F {
  for (const row of Object.values(rows)) row.options = { ...row.options, gate };
  return rows;
}

/** Rows shown under another row: `...group({ flags: uint16(…) }, { syn: flag(…) })`. */
export function group<P extends Fields, C extends Fields>(parent: P, children: C): P & C {
  const above = Object.values(parent)[0]!;
  for (const child of Object.values(children)) child.parent ??= above;
  return { ...parent, ...children };
}

/**
 * A list whose items have rows of their own, e.g. the answers of a DNS message: JSON has an array of objects under the
 * list's name, the property an array of objects with the rows' properties. The walk opens an item with `tree.item(list, …)`.
 */
export const list = <F extends Fields>(
  name: string,
  label: string,
  fields: F,
  options: FieldOptions = {},
): Field<readonly Partial<Properties<F>>[]> & { readonly of: F } => {
  for (const [key, field] of Object.entries(fields)) field.key = key;
  const row = new Field<readonly Partial<Properties<F>>[]>(name, label, 'list', options, { many: true, items: Object.values(fields) });
  return Object.assign(row, { of: fields });
};
