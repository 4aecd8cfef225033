/**
 * An assembler of WebAssembly: from its text format to its binary one. What json-straight.ts needs is understood: a memory
 * and functions from outside, functions with parameters and locals, folded instructions.
 *
 * WebAssembly Core Specification 2.0, sections 5 (binary format) and 6 (text format).
 *
 *     (import "env" "memory" (memory 1))
 *     (func $double (export "double") (param $n i32) (result i32)
 *       (i32.shl (local.get $n) (i32.const 1)))
 */

/** A word of the text, or what stands in a pair of brackets. */
export type Expression = string | readonly Expression[];

const TYPES: Readonly<Record<string, number>> = { i32: 0x7f, i64: 0x7e, f64: 0x7c, v128: 0x7b };

/** Instructions whose operands stand before them and which have nothing else to say. */
const PLAIN: Readonly<Record<string, readonly number[]>> = {
  return: [0x0f],
  'f64.add': [0xa0],
  'f64.convert_i32_u': [0xb8],
  'f64.div': [0xa3],
  'f64.floor': [0x9c],
  'f64.ge': [0x66],
  'f64.lt': [0x63],
  'f64.mul': [0xa2],
  'f64.sub': [0xa1],
  'i32.add': [0x6a],
  'i32.and': [0x71],
  'i32.div_u': [0x6e],
  'i32.eq': [0x46],
  'i32.eqz': [0x45],
  'i32.ge_s': [0x4e],
  'i32.ge_u': [0x4f],
  'i32.lt_s': [0x48],
  'i32.lt_u': [0x49],
  'i32.mul': [0x6c],
  'i32.ne': [0x47],
  'i32.or': [0x72],
  'i32.rotl': [0x77],
  'i32.rotr': [0x78],
  'i32.shl': [0x74],
  'i32.shr_u': [0x76],
  'i32.sub': [0x6b],
  'i32.trunc_sat_f64_u': [0xfc, 3],
  'i32.wrap_i64': [0xa7],
  'i32.xor': [0x73],
  'i64.and': [0x83],
  'i64.ctz': [0x7a],
  'i64.or': [0x84],
  'i64.shl': [0x86],
  'i64.shr_u': [0x88],
  'i8x16.eq': [0xfd, 35],
  'i8x16.lt_s': [0xfd, 37],
  'i8x16.shr_u': [0xfd, 109],
  'i8x16.splat': [0xfd, 15],
  'i8x16.swizzle': [0xfd, 14],
  'v128.and': [0xfd, 78],
  'v128.any_true': [0xfd, 83],
  'v128.bitselect': [0xfd, 82],
  'v128.or': [0xfd, 80],
};

/** Instructions that read or write memory; `offset=` may stand behind them. None says how its place is aligned. */
const MEMORY: Readonly<Record<string, readonly number[]>> = {
  'i32.load': [0x28],
  'i32.load8_u': [0x2d],
  'i32.store': [0x36],
  'i32.store8': [0x3a],
  'i64.load': [0x29],
  'i64.load32_u': [0x35],
  'i64.store': [0x37],
  'v128.load': [0xfd, 0],
  'v128.load64_zero': [0xfd, 93],
  'v128.store': [0xfd, 11],
};

const EMPTY_BLOCK = 0x40;

/** The binary form of the module `(module …)` of these fields. Throws where they name what is not known here. */
export function assemble(fields: readonly Expression[]): Uint8Array<ArrayBuffer> {
  return new Assembler().module(fields);
}

/** What the text consists of: what stands in brackets as lists of words and lists. */
export function parse(text: string): readonly Expression[] {
  const top: Expression[] = [];
  const open: Expression[][] = [top];
  for (const [word] of text.replace(/;;.*/g, '').matchAll(/[()]|[^\s()]+/g)) {
    const inner = open.at(-1)!;
    if (word === '(') {
      const list: Expression[] = [];
      inner.push(list);
      open.push(list);
    } else if (word === ')') open.pop();
    else inner.push(word);
  }
  if (open.length !== 1) throw new SyntaxError('brackets that are not closed, or closed twice');
  return top;
}

/** What a function takes and gives. */
interface Signature {
  readonly params: readonly string[];
  readonly results: readonly string[];
}

/** What a function consists of, and what it calls by which number. */
interface Code {
  readonly octets: readonly number[];
  readonly calls: readonly (readonly [name: string, index: number])[];
}

const bodies = new WeakMap<readonly Expression[], Code>();

/** Of a function that nobody calls: no locals, `unreachable`. It keeps the number that others of the same text have. */
const EMPTY_BODY = [3, 0, 0x00, 0x0b];

class Assembler {
  private readonly types: string[] = [];
  private readonly signatures: number[][] = [];
  private readonly functions = new Map<string, number>();

  module(fields: readonly Expression[]): Uint8Array<ArrayBuffer> {
    const imports = fields.filter((field) => field[0] === 'import') as (readonly Expression[])[];
    const functions = fields.filter((field) => field[0] === 'func') as (readonly Expression[])[];
    const imported = imports.map((field) => this.import(field));
    for (const field of functions) this.functions.set(field[1] as string, this.functions.size);
    const types = functions.map((field) => unsigned(this.typeOf(signatureOf(field))));
    const exported = functions.flatMap((field) => {
      const name = clauses(field, 'export')[0]?.[1];
      return name === undefined ? [] : [[...named(name), 0, ...unsigned(this.functions.get(field[1] as string)!)]];
    });
    const reached = this.reachedFrom(functions);
    const code = functions.map((field) => reached.get(field) ?? EMPTY_BODY);
    return Uint8Array.from([
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, this.signatures),
      ...section(2, imported),
      ...section(3, types),
      ...section(7, exported),
      ...section(10, code),
    ]);
  }

  /** The code of those functions that others may call, and of what they call. */
  private reachedFrom(functions: readonly (readonly Expression[])[]): ReadonlyMap<readonly Expression[], readonly number[]> {
    const byName = new Map(functions.map((field) => [field[1] as string, field]));
    const reached = new Map<readonly Expression[], readonly number[]>();
    const open = functions.filter((field) => clauses(field, 'export').length > 0);
    for (let field = open.pop(); field !== undefined; field = open.pop()) {
      if (reached.has(field)) continue;
      const { octets, calls } = this.bodyOf(field);
      reached.set(field, octets);
      for (const [name] of calls) if (byName.has(name)) open.push(byName.get(name)!);
    }
    return reached;
  }

  /** The code of a function; what several modules have in common is put together once. */
  private bodyOf(field: readonly Expression[]): Code {
    const known = bodies.get(field);
    if (known?.calls.every(([name, index]) => this.functions.get(name) === index)) return known;
    const body = new Body(field, this.functions);
    const made = { octets: sized(body.octets()), calls: body.calls };
    bodies.set(field, made);
    return made;
  }

  /** `(import "env" "memory" (memory 1))` or `(import "env" "miss" (func $miss (param i32) (result i32)))` */
  private import([, module, name, what]: readonly Expression[]): number[] {
    const [kind, detail] = what as readonly Expression[];
    const from = [...named(module!), ...named(name!)];
    if (kind === 'memory') return [...from, 2, 0, ...unsigned(Number(detail))];
    this.functions.set(detail as string, this.functions.size);
    return [...from, 0, ...unsigned(this.typeOf(signatureOf(what as readonly Expression[])))];
  }

  private typeOf({ params, results }: Signature): number {
    const name = `${params} ${results}`;
    const known = this.types.indexOf(name);
    if (known >= 0) return known;
    this.signatures.push([0x60, ...listOf(params.map((type) => [TYPES[type]!])), ...listOf(results.map((type) => [TYPES[type]!]))]);
    return this.types.push(name) - 1;
  }
}

/** The code of one function. */
class Body {
  private readonly code: number[] = [];
  private readonly locals = new Map<string, number>();
  private readonly labels: string[] = [];
  private readonly own: string[];
  /** The functions that it calls. */
  readonly calls: [name: string, index: number][] = [];

  constructor(
    private readonly field: readonly Expression[],
    private readonly functions: ReadonlyMap<string, number>,
  ) {
    const named = (clause: string) => clauses(field, clause).map(([, name]) => name as string);
    for (const name of [...named('param'), ...named('local')]) this.locals.set(name, this.locals.size);
    this.own = clauses(field, 'local').map(([, , type]) => type as string);
  }

  octets(): number[] {
    for (const part of this.field.slice(2)) if (!isClause(part)) this.instruction(part);
    return [...listOf(this.own.map((type) => [1, TYPES[type]!])), ...this.code, 0x0b];
  }

  private instruction(expression: Expression): void {
    const [name, ...rest] = typeof expression === 'string' ? [expression] : (expression as readonly [string, ...Expression[]]);
    const plain = PLAIN[name!];
    const memory = MEMORY[name!];
    if (plain !== undefined) this.put(rest, plain);
    else if (memory !== undefined) {
      const said = /^offset=(\d+)$/.exec(String(rest[0]));
      this.put(said === null ? rest : rest.slice(1), [...memory, 0, ...unsigned(Number(said?.[1] ?? 0))]);
    } else
      switch (name) {
        case 'i32.const':
          return this.put([], [0x41, ...signed(BigInt(rest[0] as string))]);
        case 'i64.const':
          return this.put([], [0x42, ...signed(BigInt(rest[0] as string))]);
        case 'f64.const':
          return this.put([], [0x44, ...new Uint8Array(Float64Array.of(Number(rest[0])).buffer)]);
        // As two words of eight octets, the lower one first.
        case 'v128.const':
          return this.put(
            [],
            [0xfd, 12, ...new Uint8Array(BigUint64Array.from(rest.slice(0, 2), (word) => BigInt(word as string)).buffer)],
          );
        case 'i8x16.shuffle':
          return this.put(rest.slice(16), [0xfd, 13, ...rest.slice(0, 16).map(Number)]);
        case 'local.get':
          return this.put([], [0x20, ...this.local(rest[0]!)]);
        case 'local.set':
          return this.put(rest.slice(1), [0x21, ...this.local(rest[0]!)]);
        case 'local.tee':
          return this.put(rest.slice(1), [0x22, ...this.local(rest[0]!)]);
        case 'call':
          return this.put(rest.slice(1), [0x10, ...unsigned(this.called(rest[0]!))]);
        case 'if':
          return this.branch(rest);
        case 'loop':
          this.labels.push(rest[0] as string);
          this.put([], [0x03, EMPTY_BLOCK]);
          this.put(rest.slice(1), [0x0b]);
          this.labels.pop();
          return;
        case 'br_if': {
          const depth = this.labels.length - 1 - this.labels.lastIndexOf(rest[0] as string);
          return this.put(rest.slice(1), [0x0d, ...unsigned(depth)]);
        }
        default:
          throw new SyntaxError(`no such instruction here: ${name}`);
      }
  }

  /** What stands first, then the instruction itself. */
  private put(operands: readonly Expression[], octets: readonly number[]): void {
    for (const operand of operands) this.instruction(operand);
    this.code.push(...octets);
  }

  /** `(if condition (then …) (else …))` */
  private branch([condition, then, otherwise]: readonly Expression[]): void {
    this.labels.push('');
    this.put([condition!], [0x04, EMPTY_BLOCK]);
    this.put((then as readonly Expression[]).slice(1), []);
    if (otherwise !== undefined) this.put([], [0x05]);
    this.put(((otherwise ?? []) as readonly Expression[]).slice(1), [0x0b]);
    this.labels.pop();
  }

  private called(name: Expression): number {
    const index = known(this.functions, name);
    this.calls.push([name as string, index]);
    return index;
  }

  private local(name: Expression): number[] {
    return unsigned(known(this.locals, name));
  }
}

function known(numbers: ReadonlyMap<string, number>, name: Expression): number {
  const number = numbers.get(name as string);
  if (number === undefined) throw new SyntaxError(`nothing is named ${name}`);
  return number;
}

/** Parts of a function that are no instructions. */
const CLAUSES = new Set<Expression>(['export', 'param', 'result', 'local']);

const isClause = (part: Expression): boolean => typeof part !== 'string' && CLAUSES.has(part[0]!);

/** The clauses of one kind. */
const clauses = (field: readonly Expression[], kind: string): (readonly Expression[])[] =>
  field.filter((part): part is readonly Expression[] => typeof part !== 'string' && part[0] === kind);

function signatureOf(field: readonly Expression[]): Signature {
  const types = (kind: string) => clauses(field, kind).map((clause) => clause.at(-1) as string);
  return { params: types('param'), results: types('result') };
}

const encoder = new TextEncoder();

/** Octets with their number before them. */
const sized = (octets: readonly number[]): number[] => [...unsigned(octets.length), ...octets];

/** A name in quotes. */
const named = (name: Expression): number[] => sized([...encoder.encode((name as string).slice(1, -1))]);

const listOf = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()];

const section = (id: number, items: readonly (readonly number[])[]): number[] => [id, ...sized(listOf(items))];

/** LEB128. */
function unsigned(value: number): number[] {
  const octets: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) octets.push((rest & 0x7f) | 0x80);
  octets.push(rest);
  return octets;
}

function signed(value: bigint): number[] {
  const octets: number[] = [];
  let rest = value;
  for (; rest > 63n || rest < -64n; rest >>= 7n) octets.push(Number(rest & 0x7fn) | 0x80);
  octets.push(Number(rest & 0x7fn));
  return octets;
}
