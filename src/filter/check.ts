/** What a filter means: names resolved, literals read by the type they are compared with, types checked before any packet is read. */
import type { Field } from '../core/field.js';
import type { Protocol } from '../core/layer.js';
import { didYouMean } from '../core/near.js';
import { FilterError, type Span } from './errors.js';
import type { Token } from './lex.js';
import { type Constant, integerBits, isOctets, parseLiteral, type Type, typeName } from './literals.js';
import type { Arithmetic, Comparison, Expression, Quantifier, SetElement, Stretch, Value } from './parse.js';
import { compilePattern, type Matcher } from './pattern.js';

export type TypedValue = { readonly type: Type } & (
  | ({ readonly kind: 'constant' } & Constant)
  | { readonly kind: 'field'; readonly name: string; readonly fields: readonly Field[]; readonly layers: readonly Stretch[] | undefined }
  | {
      readonly kind: 'protocol';
      readonly name: string;
      readonly protocols: ReadonlySet<Protocol>;
      /** Of their layers, those that go by this name in frame.protocols; undefined: all of them. */
      readonly chain: string | undefined;
      readonly layers: readonly Stretch[] | undefined;
    }
  | { readonly kind: 'slice'; readonly of: TypedValue; readonly stretches: readonly Stretch[] }
  | { readonly kind: 'function'; readonly name: FunctionName; readonly parameters: readonly TypedValue[] }
  | { readonly kind: 'arithmetic'; readonly operator: Arithmetic; readonly left: TypedValue; readonly right: TypedValue }
  | { readonly kind: 'negative'; readonly of: TypedValue }
);

export type Condition =
  | { readonly kind: 'and' | 'or' | 'xor'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'test'; readonly value: TypedValue }
  | {
      readonly kind: 'compare';
      readonly operator: Exclude<Comparison, 'matches'>;
      readonly quantifier: Quantifier | undefined;
      readonly left: TypedValue;
      readonly right: TypedValue;
    }
  | {
      readonly kind: 'matches';
      readonly quantifier: Quantifier | undefined;
      readonly left: TypedValue;
      readonly pattern: Matcher;
      readonly text: string;
    }
  | {
      readonly kind: 'in';
      readonly quantifier: Quantifier | undefined;
      readonly negated: boolean;
      readonly left: TypedValue;
      readonly set: readonly { readonly from: TypedValue; readonly to: TypedValue | undefined }[];
    };

export type FunctionName = 'len' | 'count' | 'upper' | 'lower' | 'string' | 'max' | 'min' | 'abs';

/** Parameters of functions: least and most. */
const FUNCTIONS: Readonly<Record<FunctionName, readonly [least: number, most: number]>> = {
  len: [1, 1],
  count: [1, 1],
  upper: [1, 1],
  lower: [1, 1],
  string: [1, 1],
  max: [1, 64],
  min: [1, 64],
  abs: [1, 1],
};

/** What names mean: fields by filter name, protocols by name. */
export interface Names {
  readonly fields: ReadonlyMap<string, readonly Field[]>;
  readonly protocols: ReadonlyMap<string, ReadonlySet<Protocol>>;
  /** Names of protocols whose layers go by several: there, frame.protocols tells which are meant. */
  readonly byChain: ReadonlySet<string>;
}

/** Columns that Wireshark from 4.2 on treats as fields. */
const COLUMNS: ReadonlySet<string> = new Set(['_ws.col.info', '_ws.col.protocol']);

/** Check `expression`; throws a {@link FilterError} for what cannot be meant. */
export function check(expression: Expression, names: Names): Condition {
  return new Checker(names).condition(expression);
}

/** What a literal is read as. */
interface Target {
  readonly type: Type;
  readonly field: Field | undefined;
}

class Checker {
  constructor(private readonly names: Names) {}

  condition(e: Expression): Condition {
    switch (e.kind) {
      case 'and':
      case 'or':
      case 'xor':
        return { kind: e.kind, left: this.condition(e.left), right: this.condition(e.right) };
      case 'not':
        return { kind: 'not', of: this.condition(e.of) };
      case 'test':
        return this.presence(e.value);
      case 'compare':
        return this.comparison(e);
      case 'in': {
        const left = this.leftSide(e.left, 'in');
        return { kind: 'in', quantifier: e.quantifier, negated: e.negated, left, set: e.set.map((element) => this.element(element, left)) };
      }
    }
  }

  private presence(value: Value): Condition {
    if (value.kind === 'function')
      throw new FilterError(`${value.name}() has a value but is no test; compare it, e.g. ${value.name}(...) > 1`, value);
    const typed = this.resolve(value);
    if (!typed) {
      this.refuseNames(value);
      throw new FilterError('a value alone says nothing; compare a field with it', value);
    }
    return { kind: 'test', value: typed };
  }

  /** The left side of a comparison must be something that a frame has. */
  private leftSide(value: Value, operator: string): TypedValue {
    const typed = this.resolve(value);
    if (typed) {
      if (typed.type === 'none' && typed.kind === 'field')
        throw new FilterError(`${typed.name} has no value to compare; it is only there or not`, value);
      return typed;
    }
    this.refuseNames(value);
    throw new FilterError(`a field or function must stand left of ${operator}`, value);
  }

  private comparison(e: Expression & { kind: 'compare' }): Condition {
    const left = this.leftSide(e.left, e.operator);
    const { operator, quantifier } = e;
    if (operator === 'matches') {
      if (left.type !== 'string' && !isOctets(left.type))
        throw new FilterError(`${aType(left.type)} cannot be matched with a pattern; turn it into text: string(${nameOf(left)})`, e.left);
      const { right } = e;
      if (right.kind !== 'literal' || right.token.kind !== 'string')
        throw new FilterError('a pattern in double quotes must follow matches', right);
      return { kind: 'matches', quantifier, left, pattern: compilePattern(right.token), text: right.token.text };
    }
    if (operator === 'contains') {
      if (left.type !== 'string' && !isOctets(left.type))
        throw new FilterError(`contains looks into text and octets, not into ${aType(left.type)}`, e.left);
      if ((left.type === 'ether' || left.type === 'eui64') && e.right.kind === 'literal' && e.right.token.kind !== 'word')
        throw new FilterError(`${aType(left.type)} contains octets, e.g. 50:56`, e.right);
      // Part of an address is no address.
      return {
        kind: 'compare',
        operator,
        quantifier,
        left,
        right: this.rightSide(e.right, isOctets(left.type) ? { ...left, type: 'bytes' } : left, e.sign),
      };
    }
    return { kind: 'compare', operator, quantifier, left, right: this.rightSide(e.right, left, e.sign) };
  }

  private rightSide(value: Value, left: TypedValue, sign: Span): TypedValue {
    const right = this.resolve(value, targetOf(left));
    if (!right) return this.literal(value, targetOf(left));
    if (!compatible(left, right))
      throw new FilterError(`${aType(left.type)} and ${aType(right.type)} cannot be compared`, value.kind === 'literal' ? value : sign);
    return right;
  }

  private element({ from, to }: SetElement, left: TypedValue): { from: TypedValue; to: TypedValue | undefined } {
    return { from: this.rightSide(from, left, from), to: to && this.rightSide(to, left, to) };
  }

  /** A value that has a type of its own; undefined for literals, whose type comes from what they are compared with. */
  private resolve(value: Value, target?: Target): TypedValue | undefined {
    switch (value.kind) {
      case 'literal':
        return value.token.kind === 'word' ? this.named(value.token.text, undefined) : undefined;
      case 'field':
        return this.named(value.name, value.layers) ?? this.unknown(value.name, value);
      case 'slice': {
        const of = this.resolve(value.of);
        if (!of) {
          if (value.of.kind === 'literal' && value.of.token.kind === 'word') this.unknown(value.of.token.text, value.of);
          throw new FilterError('only a field, a protocol or a function can be sliced', value.of);
        }
        if (!isOctets(of.type) && of.type !== 'string' && of.type !== 'ipv4' && of.type !== 'ipv6')
          throw new FilterError(`${aType(of.type)} cannot be sliced into octets`, value.of);
        return { kind: 'slice', of, stretches: value.stretches, type: 'bytes' };
      }
      case 'function':
        return this.call(value);
      case 'negative': {
        const of = this.resolve(value.of, target);
        if (!of) return undefined;
        if (!isCountable(of.type)) throw new FilterError(`${aType(of.type)} has no negative`, value);
        return { kind: 'negative', of, type: of.type };
      }
      case 'arithmetic': {
        let left = this.resolve(value.left, target);
        let right = this.resolve(value.right, target);
        if (!left && !right) return undefined;
        this.reckonable(value.operator, left ?? right!, left ? value.left : value.right);
        left ??= this.literal(value.left, targetOf(right!));
        right ??= this.literal(value.right, targetOf(left));
        return this.arithmetic(value, left, right);
      }
    }
  }

  private arithmetic(value: Value & { kind: 'arithmetic' }, left: TypedValue, right: TypedValue): TypedValue {
    const { operator } = value;
    this.reckonable(operator, left, value.left);
    this.reckonable(operator, right, value.right);
    if (!compatible(left, right))
      throw new FilterError(`${operator} does not work between ${aType(left.type)} and ${aType(right.type)}`, value);
    return { kind: 'arithmetic', operator, left, right, type: isOctets(left.type) ? 'bytes' : left.type };
  }

  /** Refuse types that `operator` does not work on. */
  private reckonable(operator: Arithmetic, { type, kind }: TypedValue, span: Span): void {
    const possible =
      operator === '&'
        ? integerBits(type) !== undefined || type === 'ipv4' || type === 'ipv6' || (isOctets(type) && kind !== 'protocol')
        : isCountable(type) && (operator === '+' || operator === '-' || type !== 'duration');
    if (!possible) throw new FilterError(`${operator} does not work on ${aType(type)}`, span);
  }

  private call(value: Value & { kind: 'function' }): TypedValue {
    const { name } = value;
    const span = { from: value.from, to: value.from + name.length };
    if (!isFunction(name)) throw new FilterError(`there is no function ${name}${didYouMean(name, Object.keys(FUNCTIONS))}`, span);
    const [least, most] = FUNCTIONS[name];
    const { length } = value.parameters;
    if (length < least || length > most)
      throw new FilterError(`${name}() takes ${most === 1 ? 'one parameter' : 'one parameter or more'}, not ${length}`, span);
    const resolved = value.parameters.map((parameter) => this.resolve(parameter));
    const model = resolved.find((r) => r !== undefined);
    const [first] = value.parameters;
    if (!model) {
      if (first?.kind === 'literal' && first.token.kind === 'word' && looksLikeName(first.token.text))
        this.unknown(first.token.text, first);
      throw new FilterError(`${name}() needs a field`, first ?? span);
    }
    const parameters = resolved.map((r, i) => r ?? this.literal(value.parameters[i]!, targetOf(model)));
    const refuse = (what: string): never => {
      throw new FilterError(`${name}() takes ${what}, and ${nameOf(model)} is ${aType(model.type)}`, first!);
    };
    switch (name) {
      case 'len':
      case 'count':
        if (name === 'count' && model.kind !== 'field' && model.kind !== 'protocol') refuse('a field');
        return { kind: 'function', name, parameters, type: 'uint32' };
      case 'upper':
      case 'lower':
        if (model.type !== 'string') refuse('text');
        return { kind: 'function', name, parameters, type: 'string' };
      case 'string':
        if (integerBits(model.type) === undefined && !['double', 'ipv4', 'ipv6', 'ether', 'eui64', 'guid'].includes(model.type))
          refuse('numbers and addresses');
        return { kind: 'function', name, parameters, type: 'string' };
      case 'abs':
        if (!isCountable(model.type)) refuse('numbers');
        return { kind: 'function', name, parameters, type: model.type };
      case 'max':
      case 'min':
        for (const [i, parameter] of parameters.entries())
          if (!compatible(model, parameter))
            throw new FilterError(`all parameters of ${name}() must have the same type`, value.parameters[i]!);
        return { kind: 'function', name, parameters, type: model.type };
    }
  }

  /** A literal, or arithmetic on literals, as `target` says. */
  private literal(value: Value, target: Target): TypedValue {
    const { type, field } = target;
    switch (value.kind) {
      case 'literal': {
        const { token } = value;
        this.refuseName(token, target);
        return { kind: 'constant', type, ...parseLiteral(token, type, field) };
      }
      case 'negative': {
        const of = this.literal(value.of, target);
        if (!isCountable(type)) throw new FilterError(`${aType(type)} has no negative`, value);
        return { kind: 'negative', of, type };
      }
      case 'arithmetic':
        return this.arithmetic(value, this.literal(value.left, target), this.literal(value.right, target));
      default:
        throw new FilterError('a value must stand here', value);
    }
  }

  /** A word that can only be a name (it has a dot, and is no literal of the type) is taken for a misspelt one. */
  private refuseName(token: Token, { type }: Target): void {
    if (token.kind !== 'word' || type === 'string' || !/^[a-z_][a-z0-9_]*(\.[a-z0-9_]+)+$/i.test(token.text)) return;
    if (isOctets(type) && /^[0-9a-f.]+$/i.test(token.text)) return;
    const near = didYouMean(token.text, this.names.fields.keys());
    if (near) throw new FilterError(`no field ${token.text}${near}`, token);
  }

  private named(name: string, layers: readonly Stretch[] | undefined): TypedValue | undefined {
    const fields = this.names.fields.get(COLUMNS.has(name.toLowerCase()) ? name.toLowerCase() : name);
    if (fields) return { kind: 'field', name, fields, layers, type: typeOf(fields) };
    const protocols = this.names.protocols.get(name);
    const chain = this.names.byChain.has(name) ? name : undefined;
    return protocols && { kind: 'protocol', name, protocols, chain, layers, type: 'protocol' };
  }

  /** Where a field must stand, words that look like one are misspelt names. */
  private refuseNames(value: Value): void {
    if (value.kind === 'literal' && value.token.kind === 'word' && looksLikeName(value.token.text)) this.unknown(value.token.text, value);
    if (value.kind === 'negative') this.refuseNames(value.of);
    if (value.kind !== 'arithmetic') return;
    this.refuseNames(value.left);
    this.refuseNames(value.right);
  }

  private unknown(name: string, span: Span): never {
    const spaced = /^(.*[a-z0-9_])-(\d+)$/i.exec(name);
    if (spaced && this.names.fields.has(spaced[1]!))
      throw new FilterError(`${name} is read as one word; write ${spaced[1]} - ${spaced[2]}`, span);
    const near = didYouMean(name, [...this.names.fields.keys(), ...this.names.protocols.keys()]);
    throw new FilterError(name.includes('.') ? `no field ${name}${near}` : `no field or protocol ${name}${near}`, span);
  }
}

/** `an IPv4 address`, `a boolean`. */
const aType = (type: Type): string => `${/^[aeiou]/i.test(typeName(type)) ? 'an' : 'a'} ${typeName(type)}`;

const looksLikeName = (text: string): boolean => /^[a-z_][a-z0-9_.-]*$/i.test(text);

const isFunction = (name: string): name is FunctionName => Object.hasOwn(FUNCTIONS, name);

/** Types to reckon with. */
const isCountable = (type: Type): boolean => integerBits(type) !== undefined || type === 'double' || type === 'duration';

/** Rows that share a name may differ in width (`udp.port`, say); the widest takes every literal. */
function typeOf(fields: readonly Field[]): Type {
  const types = fields.map((field) => field.type);
  return types.reduce((widest, type) => ((integerBits(type)?.bits ?? 0) > (integerBits(widest)?.bits ?? 0) ? type : widest));
}

/** What a literal is read as when it meets `value`. */
function targetOf(value: TypedValue): Target {
  switch (value.kind) {
    case 'field':
      return { type: value.type, field: value.fields.find((field) => field.values !== undefined) ?? value.fields[0] };
    case 'arithmetic':
      return { type: value.type, field: targetOf(value.left).field ?? targetOf(value.right).field };
    case 'negative':
      return { type: value.type, field: targetOf(value.of).field };
    case 'function':
      return value.name === 'max' || value.name === 'min' || value.name === 'abs'
        ? { type: value.type, field: targetOf(value.parameters[0]!).field }
        : { type: value.type, field: undefined };
    default:
      return { type: value.type, field: undefined };
  }
}

const nameOf = (value: TypedValue): string => (value.kind === 'field' || value.kind === 'protocol' ? value.name : `this ${value.kind}`);

function compatible(left: TypedValue, right: TypedValue): boolean {
  const [a, b] = [left.type, right.type];
  if (a === b) return true;
  if (integerBits(a) && integerBits(b))
    return integerBits(a)!.signed === integerBits(b)!.signed || left.kind !== 'field' || right.kind !== 'field';
  if (isOctets(a) && isOctets(b)) return true;
  // A slice is octets, and so are addresses that meet one.
  const sliced = (x: TypedValue, other: Type) => x.kind === 'slice' && (other === 'ipv4' || other === 'ipv6' || other === 'string');
  return sliced(left, b) || sliced(right, a);
}
