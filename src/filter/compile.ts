/**
 * Closures from a checked filter. What most filters are made of (a number in a header against a number, a protocol, a
 * field's presence) becomes a closure of its own that reads octets and allocates nothing; the rest goes by lists of values.
 */
import type { Field, Raw } from '../core/field.js';
import { valueText } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import type { Layer, Protocol } from '../core/layer.js';
import type { Condition, TypedValue } from './check.js';
import { integerBits, isOctets, type Type } from './literals.js';
import type { Comparison, Quantifier } from './parse.js';
import { binaryOfText, binaryText } from './pattern.js';
import { eachLayer, eachRaw, finder, layerEnd, networkOrder, type Order, octetsOfRaw, orderOf, sliceOf, spanOf } from './values.js';

export type Test = (frame: Frame) => boolean;

/** Put the values into `out`, which is empty; false when there is nothing that could have one. Arithmetic may fail and leave `out` empty. */
type Fill = (frame: Frame, out: Raw[]) => boolean;

export function compile(condition: Condition): Test {
  switch (condition.kind) {
    case 'and': {
      const [left, right] = [compile(condition.left), compile(condition.right)];
      return (frame) => left(frame) && right(frame);
    }
    case 'or': {
      const [left, right] = [compile(condition.left), compile(condition.right)];
      return (frame) => left(frame) || right(frame);
    }
    case 'xor': {
      const [left, right] = [compile(condition.left), compile(condition.right)];
      return (frame) => left(frame) !== right(frame);
    }
    case 'not': {
      const of = compile(condition.of);
      return (frame) => !of(frame);
    }
    case 'test':
      return presence(condition.value);
    case 'compare':
      return condition.operator === 'contains' ? contains(condition) : comparison(condition);
    case 'matches': {
      const { left, pattern, quantifier } = condition;
      return search(
        left,
        quantifier,
        (bytes, from, to) => pattern(binaryText(bytes, from, to)),
        (text) => pattern(binaryOfText(text)),
      );
    }
    case 'in':
      return membership(condition);
  }
}

// Presence -----------------------------------------------------------------------------------------------------------

function presence(value: TypedValue): Test {
  switch (value.kind) {
    case 'protocol': {
      const { protocols, chain, layers } = value;
      const [only] = protocols;
      if (layers === undefined && chain === undefined && protocols.size === 1) return (frame) => hasProtocol(frame, only!);
      return (frame) => eachLayer(frame, value, yes) === true;
    }
    case 'field': {
      const { fields, layers } = value;
      return (frame) => eachRaw(frame, fields, layers, yes) === true;
    }
    case 'slice':
      return some(value, (raw) => (raw as Uint8Array).length > 0);
    case 'arithmetic': {
      const { left, right, operator } = value;
      if (operator === '&' && left.kind === 'field' && right.kind === 'constant' && typeof right.value === 'number') {
        const mask = right.value;
        const test = numberTest(left, (n) => (n & mask) !== 0, false);
        if (test) return test;
      }
      return some(value, isNotZero);
    }
    default:
      return some(value, isNotZero);
  }
}

const yes = () => true;

function hasProtocol({ layers }: Frame, protocol: Protocol): boolean {
  for (let i = 0; i < layers.length; i++) if (layers[i]!.protocol === protocol) return true;
  return false;
}

function isNotZero(raw: Raw): boolean {
  if (!(raw instanceof Uint8Array)) return Boolean(raw);
  for (let i = 0; i < raw.length; i++) if (raw[i] !== 0) return true;
  return false;
}

function some(value: TypedValue, holds: (raw: Raw) => boolean): Test {
  const fill = values(value);
  const found: Raw[] = [];
  return (frame) => {
    found.length = 0;
    return fill(frame, found) && found.some(holds);
  };
}

// Comparisons --------------------------------------------------------------------------------------------------------

/** How a comparison runs over several values: does one hold, do all, or does none hold of the opposite. */
interface Rule {
  readonly holds: (order: number) => boolean;
  /** `any`: one suffices. `all`: every one, and there must be none that fails; true of no values at all. */
  readonly over: Quantifier;
}

const isEqual = (order: number) => order === 0;
const isUnequal = (order: number) => order < 0 || order > 0;
const isBelow = (order: number) => order < 0;
const isAbove = (order: number) => order > 0;
const isAtMost = (order: number) => order <= 0;
const isAtLeast = (order: number) => order >= 0;

/** The rule of an operator: == and the orders ask for any, != and === for all, !== for any; `any` and `all` before it decide. */
function ruleOf(operator: Exclude<Comparison, 'matches' | 'contains'>, quantifier: Quantifier | undefined): Rule {
  switch (operator) {
    case '==':
      return quantifier === 'all' ? ALL_EQUAL : ANY_EQUAL;
    case '===':
      return quantifier === 'any' ? ANY_EQUAL : ALL_EQUAL;
    case '!=':
      return quantifier === 'any' ? ANY_UNEQUAL : ALL_UNEQUAL;
    case '!==':
      return quantifier === 'all' ? ALL_UNEQUAL : ANY_UNEQUAL;
    case '<':
      return { holds: isBelow, over: quantifier ?? 'any' };
    case '<=':
      return { holds: isAtMost, over: quantifier ?? 'any' };
    case '>':
      return { holds: isAbove, over: quantifier ?? 'any' };
    case '>=':
      return { holds: isAtLeast, over: quantifier ?? 'any' };
  }
}

const ANY_EQUAL: Rule = { holds: isEqual, over: 'any' };
const ANY_UNEQUAL: Rule = { holds: isUnequal, over: 'any' };
/** "All are unequal" is "none is equal": values without an order are neither. */
const ALL_UNEQUAL: Rule = { holds: (order) => order !== 0, over: 'all' };
const ALL_EQUAL: Rule = { holds: (order) => !isUnequal(order), over: 'all' };

function comparison(condition: Condition & { kind: 'compare' }): Test {
  const { left, right, operator, quantifier } = condition;
  const rule = ruleOf(operator as Exclude<Comparison, 'matches' | 'contains'>, quantifier);
  const fast = numberComparison(left, right, rule);
  if (fast) return fast;
  const order = orderBetween(left, right);
  const { holds } = rule;
  const all = rule.over === 'all';
  if (right.kind === 'constant') {
    const { value } = right;
    const decides = (raw: Raw) => holds(order(raw, value)) !== all;
    if (left.kind === 'field') {
      const { fields, layers } = left;
      return (frame) => {
        const ended = eachRaw(frame, fields, layers, decides);
        return ended !== undefined && ended !== all;
      };
    }
  }
  const [fillLeft, fillRight] = [values(left), values(right)];
  const [as, bs]: [Raw[], Raw[]] = [[], []];
  return (frame) => {
    as.length = bs.length = 0;
    if (!fillLeft(frame, as) || !fillRight(frame, bs)) return false;
    for (const a of as) for (const b of bs) if (holds(order(a, b)) !== all) return !all;
    return all;
  };
}

/** The order for two values that meet in a comparison. */
function orderBetween(left: TypedValue, right: TypedValue): Order {
  if (right.kind === 'constant' && right.prefix !== undefined) return networkOrder(right.prefix);
  if (left.type !== right.type && (isOctets(left.type) || isOctets(right.type))) return orderOf('bytes');
  return orderOf(left.type);
}

function membership({ left, set, negated, quantifier }: Condition & { kind: 'in' }): Test {
  const elements = set.map(({ from, to }) => {
    const [low, high] = [values(from), to && values(to)];
    const constant = from.kind === 'constant' && (to === undefined || to.kind === 'constant');
    return {
      low,
      high,
      constant,
      lowOrder: orderBetween(left, from),
      highOrder: to && orderBetween(left, to),
      lows: [] as Raw[],
      highs: [] as Raw[],
    };
  });
  const all = quantifier === 'all';
  // "All are in the set" is, as in Wireshark, "one element of the set has them all".
  const numbers = all && set.length > 1 ? undefined : numberSet(left, set);
  if (numbers) {
    const test = numberTest(left as TypedValue & { kind: 'field' }, numbers, all);
    if (test) return negated ? (frame) => !test(frame) : test;
  }
  const fill = values(left);
  const found: Raw[] = [];
  const isIn = (raw: Raw, { lows, highs, high, lowOrder, highOrder }: (typeof elements)[number]) =>
    high
      ? lows.some((low) => lowOrder(raw, low) >= 0) && highs.some((to) => highOrder!(raw, to) <= 0)
      : lows.some((low) => lowOrder(raw, low) === 0);
  return (frame) => {
    found.length = 0;
    if (!fill(frame, found)) return negated;
    for (const element of elements) {
      // Constants stay from the first frame on.
      if (element.constant && element.lows.length > 0) continue;
      element.lows.length = element.highs.length = 0;
      element.low(frame, element.lows);
      element.high?.(frame, element.highs);
    }
    const member = elements.some((element) => (all ? found.every((raw) => isIn(raw, element)) : found.some((raw) => isIn(raw, element))));
    return member !== negated;
  };
}

function contains({ left, right, quantifier }: Condition & { kind: 'compare' }): Test {
  if (right.kind === 'constant') {
    const needle = octetsOfRaw(right.value);
    const find = finder(needle);
    const text = right.value;
    // As in Wireshark: text and protocols never contain nothing, octets always do.
    const finds = needle.length === 0 && isOctets(left.type) && left.type !== 'protocol' ? yes : find;
    return search(left, quantifier, finds, (value) =>
      typeof text === 'string' ? text !== '' && value.includes(text) : finds(octetsOfRaw(value), 0, octetsOfRaw(value).length),
    );
  }
  const [fillLeft, fillRight] = [values(left), values(right)];
  const [as, bs]: [Raw[], Raw[]] = [[], []];
  return (frame) => {
    as.length = bs.length = 0;
    if (!fillLeft(frame, as) || !fillRight(frame, bs)) return false;
    const holds = (a: Raw) =>
      bs.some((b) => {
        const octets = octetsOfRaw(a);
        return finder(octetsOfRaw(b))(octets, 0, octets.length);
      });
    return quantifier === 'all' ? as.every(holds) : as.some(holds);
  };
}

/** `contains` and `matches`: a look into octets or text. A protocol is looked at with its payload. */
function search(
  left: TypedValue,
  quantifier: Quantifier | undefined,
  inOctets: (bytes: Uint8Array, from: number, to: number) => boolean,
  inText: (text: string) => boolean,
): Test {
  const all = quantifier === 'all';
  if (left.kind === 'protocol') {
    const decides = (layer: Layer) => inOctets(layer.bytes, layer.start, layerEnd(layer)) !== all;
    return (frame) => {
      const ended = eachLayer(frame, left, decides);
      return ended !== undefined && ended !== all;
    };
  }
  const holds = (raw: Raw) => {
    if (typeof raw === 'string') return inText(raw);
    const octets = octetsOfRaw(raw);
    return inOctets(octets, 0, octets.length);
  };
  if (left.kind === 'field') {
    const { fields, layers } = left;
    const decides = (raw: Raw) => holds(raw) !== all;
    return (frame) => {
      const ended = eachRaw(frame, fields, layers, decides);
      return ended !== undefined && ended !== all;
    };
  }
  const fill = values(left);
  const found: Raw[] = [];
  return (frame) => {
    found.length = 0;
    if (!fill(frame, found)) return false;
    return all ? found.every(holds) : found.some(holds);
  };
}

// Numbers in headers -------------------------------------------------------------------------------------------------

/** A row of at most four octets, most significant first, at a place that its layer's start decides. */
interface NumberRow {
  readonly protocol: Protocol;
  readonly offset: number;
  readonly width: number;
  readonly mask: number;
  readonly shift: number;
  /** Bits to shift out and back to carry the sign; 0 for unsigned. */
  readonly sign: number;
  readonly flag: boolean;
  readonly when: ((layer: Layer) => boolean) | undefined;
}

function numberRow(field: Field): NumberRow | undefined {
  const { type, offset, length, options } = field;
  if (typeof offset !== 'number' || typeof length !== 'number' || length < 1 || length > 4 || options.little) return undefined;
  const integer = integerBits(type);
  if (!(integer && integer.bits <= 32) && type !== 'bool' && type !== 'ipv4') return undefined;
  return {
    protocol: field.protocol,
    offset,
    width: length,
    mask: options.mask ?? 0xffffffff,
    shift: field.shift,
    sign: integer?.signed && options.mask === undefined ? 32 - 8 * length : -1,
    flag: type === 'bool',
    when: options.when,
  };
}

/** The rows of a field that are plain numbers, and the others; undefined when there are none of the first. */
function numberRows(value: TypedValue): { readonly rows: readonly NumberRow[]; readonly others: readonly Field[] } | undefined {
  if (value.kind !== 'field' || value.layers !== undefined) return undefined;
  const rows: NumberRow[] = [];
  const others: Field[] = [];
  for (const field of value.fields) {
    const row = numberRow(field);
    if (row) rows.push(row);
    else others.push(field);
  }
  return rows.length > 0 ? { rows, others } : undefined;
}

/** Test every number that `rows` have in a frame. `all`: one at least, and each holds. */
function numberTest(value: TypedValue & { kind: 'field' }, holds: (n: number) => boolean, all: boolean): Test | undefined {
  const found = numberRows(value);
  if (!found) return undefined;
  const { rows, others } = found;
  if (others.length === 0) return rowsTest(rows, holds, all);
  // Addresses in options, say: rare, so they are looked for when the header has not decided.
  const inRows = rowsTest(rows, (n) => holds(n) !== all, false);
  const fails = (raw: Raw) => holds(Number(raw)) !== all;
  const decided: Test = (frame) => inRows(frame) || eachRaw(frame, others, undefined, fails) === true;
  if (!all) return decided;
  const present = rowsTest(rows, yes, false);
  return (frame) => !decided(frame) && (present(frame) || eachRaw(frame, others, undefined, yes) === true);
}

function rowsTest(rows: readonly NumberRow[], holds: (n: number) => boolean, all: boolean): Test {
  if (rows.length === 1) {
    const [row] = rows;
    const { protocol } = row!;
    return ({ layers }) => {
      let found = false;
      for (let i = 0; i < layers.length; i++) {
        const layer = layers[i]!;
        if (layer.protocol !== protocol) continue;
        const n = numberIn(layer, row!);
        if (Number.isNaN(n)) continue;
        found = true;
        if (holds(n) !== all) return !all;
      }
      return found && all;
    };
  }
  return ({ layers }) => {
    let found = false;
    for (let i = 0; i < layers.length; i++) {
      const layer = layers[i]!;
      const { protocol } = layer;
      for (let j = 0; j < rows.length; j++) {
        const row = rows[j]!;
        if (row.protocol !== protocol) continue;
        const n = numberIn(layer, row);
        if (Number.isNaN(n)) continue;
        found = true;
        if (holds(n) !== all) return !all;
      }
    }
    return found && all;
  };
}

/** The number of a row in a layer; NaN when it is not there. */
function numberIn(layer: Layer, { offset, width, mask, shift, sign, flag, when }: NumberRow): number {
  const at = layer.start + offset;
  if (at + width > layer.captured || (when !== undefined && !when(layer))) return Number.NaN;
  const b = layer.bytes;
  let n: number;
  switch (width) {
    case 1:
      n = b[at]!;
      break;
    case 2:
      n = (b[at]! << 8) | b[at + 1]!;
      break;
    case 3:
      n = (b[at]! << 16) | (b[at + 1]! << 8) | b[at + 2]!;
      break;
    default:
      n = (b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!;
  }
  if (flag) return (n & mask) === 0 ? 0 : 1;
  return sign >= 0 ? (n << sign) >> sign : (n & mask) >>> shift;
}

/** A number field against a number, without a list. */
function numberComparison(left: TypedValue, right: TypedValue, { holds, over }: Rule): Test | undefined {
  const all = over === 'all';
  if (left.kind === 'field' && right.kind === 'constant') {
    const against = numberAgainst(right, holds);
    return against && numberTest(left, against, all);
  }
  // `tcp.flags & 0x12 == 0x02`
  if (
    left.kind === 'arithmetic' &&
    left.operator === '&' &&
    left.left.kind === 'field' &&
    left.right.kind === 'constant' &&
    right.kind === 'constant'
  ) {
    const { value: mask } = left.right;
    const against = numberAgainst(right, holds);
    if (!against || typeof mask !== 'number' || left.right.prefix !== undefined) return undefined;
    return numberTest(left.left, (n) => against((n & mask) >>> 0), all);
  }
  return undefined;
}

/** A test of numbers against a constant; undefined when the constant is no number. */
function numberAgainst(
  { value, prefix, type }: TypedValue & { kind: 'constant' },
  holds: (order: number) => boolean,
): ((n: number) => boolean) | undefined {
  if (typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  if (type === 'double') return undefined;
  const wanted = Number(value);
  if (prefix !== undefined) {
    const order = networkOrder(prefix);
    return (n) => holds(order(n, wanted));
  }
  if (holds === isEqual) return (n) => n === wanted;
  if (holds === isUnequal || holds === ALL_UNEQUAL.holds) return (n) => n !== wanted;
  return (n) => holds(n < wanted ? -1 : n > wanted ? 1 : 0);
}

/** A test for being in a set of numbers, when all of it is numbers. */
function numberSet(
  left: TypedValue,
  set: readonly { readonly from: TypedValue; readonly to: TypedValue | undefined }[],
): ((n: number) => boolean) | undefined {
  if (!numberRows(left)) return undefined;
  const singles = new Set<number>();
  const tests: ((n: number) => boolean)[] = [];
  for (const { from, to } of set) {
    if (from.kind !== 'constant' || (to && to.kind !== 'constant')) return undefined;
    if (!to && from.prefix === undefined && typeof from.value !== 'object') {
      singles.add(Number(from.value));
      continue;
    }
    const low = numberAgainst(from, to ? isAtLeast : isEqual);
    const high = to && numberAgainst(to, isAtMost);
    if (!low || (to && !high)) return undefined;
    tests.push(high ? (n) => low(n) && high(n) : low);
  }
  if (tests.length === 0) return (n) => singles.has(n);
  return (n) => {
    if (singles.has(n)) return true;
    for (const test of tests) if (test(n)) return true;
    return false;
  };
}

// Values -------------------------------------------------------------------------------------------------------------

function values(value: TypedValue): Fill {
  switch (value.kind) {
    case 'constant': {
      const { value: constant } = value;
      return (_frame, out) => {
        out.push(constant);
        return true;
      };
    }
    case 'field': {
      const { fields, layers } = value;
      let target: Raw[] = [];
      const visit = (raw: Raw) => {
        target.push(raw);
        return false;
      };
      return (frame, out) => {
        target = out;
        return eachRaw(frame, fields, layers, visit) !== undefined;
      };
    }
    case 'protocol':
      return (frame, out) =>
        eachLayer(frame, value, (layer) => {
          out.push(spanOf(layer));
          return false;
        }) !== undefined;
    case 'slice': {
      const { stretches } = value;
      return mapped(values(value.of), (raw) => sliceOf(octetsOfRaw(raw), stretches));
    }
    case 'negative':
      return mapped(values(value.of), (raw) => (typeof raw === 'bigint' ? -raw : -Number(raw)));
    case 'arithmetic':
      return arithmetic(value);
    case 'function':
      return call(value);
  }
}

/** Each value turned into another; undefined drops it. */
function mapped(fill: Fill, map: (raw: Raw) => Raw | undefined): Fill {
  const found: Raw[] = [];
  return (frame, out) => {
    found.length = 0;
    if (!fill(frame, found)) return false;
    for (const raw of found) {
      const value = map(raw);
      if (value !== undefined) out.push(value);
    }
    return true;
  };
}

function arithmetic({ left, right, operator, type }: TypedValue & { kind: 'arithmetic' }): Fill {
  const [fillLeft, fillRight] = [values(left), values(right)];
  const [as, bs]: [Raw[], Raw[]] = [[], []];
  const reckon = operator === '&' ? (isOctets(type) || type === 'ipv6' ? andOctets : andNumbers) : reckonIn(operator, type);
  return (frame, out) => {
    as.length = bs.length = 0;
    if (!fillLeft(frame, as) || !fillRight(frame, bs)) return false;
    for (const a of as)
      for (const b of bs) {
        const value = reckon(a, b);
        if (value !== undefined) out.push(value);
      }
    return true;
  };
}

function andOctets(a: Raw, b: Raw): Raw {
  const [x, y] = [octetsOfRaw(a), octetsOfRaw(b)];
  // As far as the shorter goes.
  return (x.length <= y.length ? x : x.subarray(0, y.length)).map((octet, i) => octet & y[i]!);
}

function andNumbers(a: Raw, b: Raw): Raw {
  if (typeof a === 'number' && typeof b === 'number' && a <= 0xffffffff && b <= 0xffffffff) return (a & b) >>> 0;
  return BigInt(a as number) & BigInt(b as number);
}

/** + - * / % within the width of the type: what leaves it, and division by zero, has no value. */
function reckonIn(operator: '+' | '-' | '*' | '/' | '%', type: Type): (a: Raw, b: Raw) => Raw | undefined {
  if (type === 'double') {
    const on = OPERATIONS[operator];
    return (a, b) => on(Number(a), Number(b));
  }
  const integer = integerBits(type);
  const bits = integer ? Math.max(32, integer.bits) : 64;
  const most = 2 ** (integer?.signed === false ? bits : bits - 1) - 1;
  const least = -(2 ** (bits - 1));
  const on = OPERATIONS[operator];
  return (a, b) => {
    const divides = operator === '/' || operator === '%';
    if (divides && Number(b) === 0) return undefined;
    if (typeof a === 'number' && typeof b === 'number') {
      const n = Math.trunc(on(a, b));
      if (Number.isSafeInteger(n)) return n > most || n < least ? undefined : n;
    }
    const [x, y] = [BigInt(a as number), BigInt(b as number)];
    const n = operator === '+' ? x + y : operator === '-' ? x - y : operator === '*' ? x * y : operator === '/' ? x / y : x % y;
    const limit = 1n << BigInt(integer?.signed === false ? bits : bits - 1);
    return n >= limit || n < -limit ? undefined : n;
  };
}

const OPERATIONS = {
  '+': (a: number, b: number) => a + b,
  '-': (a: number, b: number) => a - b,
  '*': (a: number, b: number) => a * b,
  '/': (a: number, b: number) => a / b,
  '%': (a: number, b: number) => a % b,
} as const;

function call({ name, parameters }: TypedValue & { kind: 'function' }): Fill {
  const [first] = parameters;
  const fill = values(first!);
  switch (name) {
    case 'upper':
      return mapped(fill, (raw) => (raw as string).replace(/[a-z]+/g, (letters) => letters.toUpperCase()));
    case 'lower':
      return mapped(fill, (raw) => (raw as string).replace(/[A-Z]+/g, (letters) => letters.toLowerCase()));
    case 'len': {
      const octets = lengthOf(first!.type);
      return mapped(fill, (raw) => octets ?? octetsOfRaw(raw).length);
    }
    case 'count': {
      const found: Raw[] = [];
      return (frame, out) => {
        found.length = 0;
        if (!fill(frame, found)) return false;
        out.push(found.length);
        return true;
      };
    }
    case 'string': {
      const text = textOfType(first!);
      return mapped(fill, text);
    }
    case 'abs':
      return mapped(fill, (raw) => (typeof raw === 'bigint' ? (raw < 0n ? -raw : raw) : Math.abs(Number(raw))));
    case 'max':
    case 'min': {
      const fills = parameters.map(values);
      const order = orderOf(first!.type);
      const sign = name === 'max' ? 1 : -1;
      const found: Raw[] = [];
      return (frame, out) => {
        found.length = 0;
        let any = false;
        for (const fill of fills) if (fill(frame, found)) any = true;
        if (!any || found.length === 0) return false;
        out.push(found.reduce((best, raw) => (order(raw, best) * sign > 0 ? raw : best)));
        return true;
      };
    }
  }
}

/** Octets of a type whose values are no octets; undefined when each value has its own length. */
function lengthOf(type: Type): number | undefined {
  const integer = integerBits(type);
  if (integer) return integer.bits / 8;
  return { bool: 1, double: 8, ipv4: 4, time: 16, duration: 16 }[type as string];
}

/** `string()`: numbers in decimal whatever their base, addresses as they are written. */
function textOfType(value: TypedValue): (raw: Raw) => string {
  if (integerBits(value.type) || value.kind !== 'field') return String;
  const [field] = value.fields;
  return (raw) => valueText(field!, raw);
}
