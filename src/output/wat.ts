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
const PLAIN = tableOf({
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
});

/** Instructions that read or write memory; `offset=` may stand behind them. None says how its place is aligned. */
const MEMORY = tableOf({
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
});

/** Words cut out of a text are found in a map faster than among an object's properties. */
function tableOf(instructions: Readonly<Record<string, readonly number[]>>): ReadonlyMap<Expression, readonly number[]> {
  return new Map(Object.entries(instructions));
}

const EMPTY_BLOCK = 0x40;

/** The binary form of the module `(module …)` of these fields. Throws where they name what is not known here. */
export function assemble(fields: readonly Expression[]): Uint8Array<ArrayBuffer> {
  return new Assembler().module(fields);
}

const OPEN = 0x28;
const CLOSE = 0x29;
const SEMICOLON = 0x3b;
const SPACE = 0x20;

/** What the text consists of: what stands in brackets as lists of words and lists. Remarks (`;; …`) are left out. */
export function parse(text: string): readonly Expression[] {
  const top: Expression[] = [];
  const outer: Expression[][] = [];
  let inner = top;
  for (let i = 0; i < text.length; ) {
    const code = text.charCodeAt(i);
    if (code <= SPACE) i++;
    else if (code === OPEN) {
      const list: Expression[] = [];
      inner.push(list);
      outer.push(inner);
      inner = list;
      i++;
    } else if (code === CLOSE) {
      inner = outer.pop() ?? unbalanced();
      i++;
    } else if (code === SEMICOLON) {
      const end = text.indexOf('\n', i);
      i = end < 0 ? text.length : end;
    } else {
      const end = wordEnd(text, i);
      inner.push(text.slice(i, end));
      i = end;
    }
  }
  return outer.length === 0 ? top : unbalanced();
}

function wordEnd(text: string, from: number): number {
  let end = from + 1;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    if (code <= SPACE || code === OPEN || code === CLOSE) break;
    end++;
  }
  return end;
}

function unbalanced(): never {
  throw new SyntaxError('brackets that are not closed, or closed twice');
}

/** What a function takes and gives. */
interface Signature {
  readonly params: readonly string[];
  readonly results: readonly string[];
}

/** What a function consists of, with its length before it, and what it calls by which number. */
interface Code {
  readonly octets: Uint8Array;
  readonly calls: readonly (readonly [name: string, index: number])[];
}

const bodies = new WeakMap<readonly Expression[], Code>();

/** Of a function that nobody calls: no locals, `unreachable`. It keeps the number that others of the same text have. */
const EMPTY_BODY = Uint8Array.of(3, 0, 0x00, 0x0b);

/** Octets that are put one behind the other. */
class Octets {
  private octets = new Uint8Array(256);
  private length = 0;

  put(octet: number): void {
    if (this.length === this.octets.length) this.grow(1);
    this.octets[this.length++] = octet;
  }

  all(octets: ArrayLike<number>): void {
    if (this.length + octets.length > this.octets.length) this.grow(octets.length);
    this.octets.set(octets, this.length);
    this.length += octets.length;
  }

  /** LEB128. */
  unsigned(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.put((rest & 0x7f) | 0x80);
    this.put(rest);
  }

  signed(value: bigint): void {
    let rest = value;
    for (; rest > 63n || rest < -64n; rest >>= 7n) this.put(Number(rest & 0x7fn) | 0x80);
    this.put(Number(rest & 0x7fn));
  }

  /** With their number before them. */
  sized(octets: ArrayLike<number>): void {
    this.unsigned(octets.length);
    this.all(octets);
  }

  /** A name in quotes. */
  name(name: Expression): void {
    this.sized(encoder.encode((name as string).slice(1, -1)));
  }

  get taken(): Uint8Array<ArrayBuffer> {
    return this.octets.slice(0, this.length);
  }

  private grow(by: number): void {
    const wider = new Uint8Array(2 * (this.length + by));
    wider.set(this.octets);
    this.octets = wider;
  }
}

const encoder = new TextEncoder();

class Assembler {
  private readonly signatures: string[] = [];
  private readonly types = new Octets();
  private readonly functions = new Map<string, number>();

  module(fields: readonly Expression[]): Uint8Array<ArrayBuffer> {
    const imports = fields.filter((field) => field[0] === 'import') as (readonly Expression[])[];
    const functions = fields.filter((field) => field[0] === 'func') as (readonly Expression[])[];
    const imported = new Octets();
    for (const field of imports) this.import(imported, field);
    const declared = new Octets();
    const exported = new Octets();
    let exports = 0;
    for (const field of functions) {
      const index = this.functions.size;
      this.functions.set(field[1] as string, index);
      declared.unsigned(this.typeOf(signatureOf(field)));
      for (const [, name] of clauses(field, 'export')) {
        exported.name(name!);
        exported.put(0);
        exported.unsigned(index);
        exports++;
      }
    }
    const reached = this.reachedFrom(functions);
    const code = new Octets();
    for (const field of functions) code.all(reached.get(field) ?? EMPTY_BODY);
    const out = new Octets();
    out.all([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    section(out, 1, this.signatures.length, this.types);
    section(out, 2, imports.length, imported);
    section(out, 3, functions.length, declared);
    section(out, 7, exports, exported);
    section(out, 10, functions.length, code);
    return out.taken;
  }

  /** The code of those functions that others may call, and of what they call. */
  private reachedFrom(functions: readonly (readonly Expression[])[]): ReadonlyMap<readonly Expression[], Uint8Array> {
    const byName = new Map(functions.map((field) => [field[1] as string, field]));
    const reached = new Map<readonly Expression[], Uint8Array>();
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
    const octets = new Octets();
    octets.sized(body.octets());
    const made = { octets: octets.taken, calls: body.calls };
    bodies.set(field, made);
    return made;
  }

  /** `(import "env" "memory" (memory 1))` or `(import "env" "miss" (func $miss (param i32) (result i32)))` */
  private import(out: Octets, [, module, name, what]: readonly Expression[]): void {
    const [kind, detail] = what as readonly Expression[];
    out.name(module!);
    out.name(name!);
    if (kind === 'memory') {
      out.all([2, 0]);
      out.unsigned(Number(detail));
      return;
    }
    this.functions.set(detail as string, this.functions.size);
    out.put(0);
    out.unsigned(this.typeOf(signatureOf(what as readonly Expression[])));
  }

  private typeOf({ params, results }: Signature): number {
    const name = `${params} ${results}`;
    const known = this.signatures.indexOf(name);
    if (known >= 0) return known;
    this.types.put(0x60);
    this.types.sized(params.map((type) => TYPES[type]!));
    this.types.sized(results.map((type) => TYPES[type]!));
    return this.signatures.push(name) - 1;
  }
}

function section(out: Octets, id: number, items: number, octets: Octets): void {
  const whole = new Octets();
  whole.unsigned(items);
  whole.all(octets.taken);
  out.put(id);
  out.sized(whole.taken);
}

/** The code of one function. */
class Body {
  private readonly code = new Octets();
  private readonly locals = new Map<Expression, number>();
  private readonly labels: Expression[] = [];
  /** The functions that it calls. */
  readonly calls: [name: string, index: number][] = [];

  constructor(
    private readonly field: readonly Expression[],
    private readonly functions: ReadonlyMap<Expression, number>,
  ) {
    for (const kind of ['param', 'local']) for (const [, name] of clauses(field, kind)) this.locals.set(name!, this.locals.size);
  }

  octets(): Uint8Array {
    const { code, field } = this;
    const own = clauses(field, 'local');
    code.unsigned(own.length);
    for (const [, , type] of own) code.all([1, TYPES[type as string]!]);
    for (let i = 2; i < field.length; i++) if (!isClause(field[i]!)) this.instruction(field[i]!);
    code.put(0x0b);
    return code.taken;
  }

  private instruction(expression: Expression): void {
    const { code } = this;
    const words: readonly Expression[] = typeof expression === 'string' ? [expression] : expression;
    const name = words[0]!;
    const plain = PLAIN.get(name);
    if (plain !== undefined) {
      this.operands(words, 1);
      code.all(plain);
      return;
    }
    const memory = MEMORY.get(name);
    if (memory !== undefined) return this.access(words, memory);
    switch (name) {
      case 'i32.const':
      case 'i64.const':
        code.put(name === 'i32.const' ? 0x41 : 0x42);
        return code.signed(BigInt(words[1] as string));
      case 'f64.const':
        code.put(0x44);
        return code.all(new Uint8Array(Float64Array.of(Number(words[1])).buffer));
      // As two words of eight octets, the lower one first.
      case 'v128.const':
        code.all([0xfd, 12]);
        return code.all(new Uint8Array(BigUint64Array.from(words.slice(1, 3), (word) => BigInt(word as string)).buffer));
      case 'i8x16.shuffle':
        this.operands(words, 17);
        code.all([0xfd, 13]);
        return code.all(words.slice(1, 17).map(Number));
      case 'local.get':
        return this.named(0x20, this.locals, words[1]!);
      case 'local.set':
        this.operands(words, 2);
        return this.named(0x21, this.locals, words[1]!);
      case 'local.tee':
        this.operands(words, 2);
        return this.named(0x22, this.locals, words[1]!);
      case 'call':
        this.operands(words, 2);
        this.named(0x10, this.functions, words[1]!);
        this.calls.push([words[1] as string, this.functions.get(words[1]!)!]);
        return;
      case 'if':
        return this.branch(words);
      case 'loop':
        this.labels.push(words[1]!);
        code.all([0x03, EMPTY_BLOCK]);
        this.operands(words, 2);
        code.put(0x0b);
        this.labels.pop();
        return;
      case 'br_if':
        this.operands(words, 2);
        code.put(0x0d);
        return code.unsigned(this.labels.length - 1 - this.labels.lastIndexOf(words[1]!));
      default:
        throw new SyntaxError(`no such instruction here: ${name}`);
    }
  }

  /** What stands before an instruction: its words from `from` on. */
  private operands(words: readonly Expression[], from: number): void {
    for (let i = from; i < words.length; i++) this.instruction(words[i]!);
  }

  private access(words: readonly Expression[], octets: readonly number[]): void {
    const offset = words[1];
    const said = typeof offset === 'string' && offset.startsWith(OFFSET);
    this.operands(words, said ? 2 : 1);
    this.code.all(octets);
    this.code.put(0);
    this.code.unsigned(said ? Number(offset.slice(OFFSET.length)) : 0);
  }

  /** `(if condition (then …) (else …))` */
  private branch([, condition, then, otherwise]: readonly Expression[]): void {
    const { code } = this;
    this.labels.push('');
    this.instruction(condition!);
    code.all([0x04, EMPTY_BLOCK]);
    this.operands(then as readonly Expression[], 1);
    if (otherwise !== undefined) {
      code.put(0x05);
      this.operands(otherwise as readonly Expression[], 1);
    }
    code.put(0x0b);
    this.labels.pop();
  }

  private named(octet: number, numbers: ReadonlyMap<Expression, number>, name: Expression): void {
    const number = numbers.get(name);
    if (number === undefined) throw new SyntaxError(`nothing is named ${name}`);
    this.code.put(octet);
    this.code.unsigned(number);
  }
}

const OFFSET = 'offset=';

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
