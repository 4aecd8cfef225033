/**
 * The grammar of display filters, loosest first:
 *
 *     or:      xor  { ('or' | '||') xor }
 *     xor:     and  { ('xor' | '^^') and }
 *     and:     not  { ('and' | '&&') not }
 *     not:     ('not' | '!') not | test
 *     test:    ['any' | 'all'] value { comparison value | ['not'] 'in' set } | '(' or ')'
 *     value:   sum { '&' sum };  sum: product { ('+' | '-') product };  product: unary { ('*' | '/' | '%') unary }
 *     unary:   ('-' | '+') unary | literal | field [#layers] [slice] | function '(' value, … ')' [slice] | '{' value '}'
 *
 * Wireshark 4.0 groups arithmetic in braces only; later versions take parentheses too, and so does this.
 */
import { FilterError, type Span } from './errors.js';
import { lex, type Token } from './lex.js';

export type Comparison = '==' | '!=' | '===' | '!==' | '>' | '>=' | '<' | '<=' | 'contains' | 'matches';
export type Arithmetic = '&' | '+' | '-' | '*' | '/' | '%';
export type Quantifier = 'any' | 'all';

/** A stretch of a range list: `[from:length]`, `[from-to]`, `[from]`; negative numbers count from the end. */
export interface Stretch {
  readonly from: number;
  /** Octets, or, with a minus, how many stay before the end; `undefined`: to the end. */
  readonly length: number | undefined;
  /** The last octet, for `[i-j]`. */
  readonly last: number | undefined;
}

export type Value = Span &
  (
    | { readonly kind: 'literal'; readonly token: Token }
    | { readonly kind: 'field'; readonly name: string; readonly layers: readonly Stretch[] | undefined }
    | { readonly kind: 'slice'; readonly of: Value; readonly stretches: readonly Stretch[] }
    | { readonly kind: 'function'; readonly name: string; readonly parameters: readonly Value[] }
    | { readonly kind: 'arithmetic'; readonly operator: Arithmetic; readonly left: Value; readonly right: Value }
    | { readonly kind: 'negative'; readonly of: Value }
  );

export interface SetElement {
  readonly from: Value;
  /** The end of a range, itself included. */
  readonly to: Value | undefined;
}

export type Expression = Span &
  (
    | { readonly kind: 'and' | 'or' | 'xor'; readonly left: Expression; readonly right: Expression }
    | { readonly kind: 'not'; readonly of: Expression }
    | { readonly kind: 'test'; readonly value: Value }
    | {
        readonly kind: 'compare';
        readonly operator: Comparison;
        readonly quantifier: Quantifier | undefined;
        readonly left: Value;
        readonly right: Value;
        readonly sign: Span;
      }
    | {
        readonly kind: 'in';
        readonly quantifier: Quantifier | undefined;
        readonly negated: boolean;
        readonly left: Value;
        readonly set: readonly SetElement[];
      }
  );

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  '==': '==',
  eq: '==',
  any_eq: '==',
  '!=': '!=',
  ne: '!=',
  all_ne: '!=',
  '===': '===',
  all_eq: '===',
  '!==': '!==',
  '~=': '!==',
  any_ne: '!==',
  '>': '>',
  gt: '>',
  '>=': '>=',
  ge: '>=',
  '<': '<',
  lt: '<',
  '<=': '<=',
  le: '<=',
  contains: 'contains',
  matches: 'matches',
  '~': 'matches',
};

const RESERVED = new Set([...Object.keys(COMPARISONS), 'and', 'or', 'xor', 'not', 'in', 'any', 'all', 'bitwise_and']);

/** Brackets within brackets: far more than anyone writes, few enough for the stack. */
const MAX_DEPTH = 200;

/** The tree of a filter; undefined for an empty one, which selects everything. */
export function parse(text: string): Expression | undefined {
  const tokens = lex(text);
  return tokens.length === 1 ? undefined : new Parser(tokens).whole();
}

class Parser {
  private at = 0;
  private depth = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  whole(): Expression {
    const expression = this.or();
    if (this.token.kind !== 'end') this.unexpected();
    return expression;
  }

  private get token(): Token {
    return this.tokens[this.at]!;
  }

  private unexpected(wanted?: string): never {
    const { token } = this;
    const after = wanted ? `; ${wanted} expected` : '';
    if (token.kind === 'end') throw new FilterError(`the filter ends too early${after}`, { from: token.from, to: token.from + 1 });
    const word =
      token.kind === 'word' || token.kind === 'sign'
        ? token.text
        : { range: 'a bracket', layer: '#', string: 'a string', char: 'a character' }[token.kind];
    throw new FilterError(`${word} does not belong here${after}`, token);
  }

  /** Take the next token when it is one of these words or signs. */
  private take(...texts: readonly string[]): Token | undefined {
    const { token } = this;
    if ((token.kind !== 'word' && token.kind !== 'sign') || !texts.includes(token.text)) return undefined;
    this.at++;
    return token;
  }

  private need(sign: string): Token {
    return this.take(sign) ?? this.unexpected(sign);
  }

  private nested<T>(parse: () => T): T {
    if (++this.depth > MAX_DEPTH) throw new FilterError('the filter nests too deeply', this.token);
    const result = parse();
    this.depth--;
    return result;
  }

  private or(): Expression {
    return this.chain('or', ['or', '||'], () => this.chain('xor', ['xor', '^^'], () => this.chain('and', ['and', '&&'], () => this.not())));
  }

  private chain(kind: 'and' | 'or' | 'xor', words: readonly string[], operand: () => Expression): Expression {
    let left = operand();
    while (this.take(...words)) {
      const right = operand();
      left = { kind, left, right, from: left.from, to: right.to };
    }
    return left;
  }

  private not(): Expression {
    const sign = this.take('not', '!');
    if (!sign) return this.test();
    const of = this.nested(() => this.not());
    return { kind: 'not', of, from: sign.from, to: of.to };
  }

  private test(): Expression {
    const { token } = this;
    const quantifier = this.take('any', 'all')?.text as Quantifier | undefined;
    if (quantifier === undefined && this.take('(')) {
      const inner = this.nested(() => this.or());
      const close = this.need(')');
      // `(tcp.flags & 2) == 2`: what looked like a test in parentheses is the left side of one.
      if (inner.kind !== 'test' || !this.goesOn()) return { ...inner, from: token.from, to: close.to };
      return this.comparisons(this.value(inner.value), undefined);
    }
    return this.comparisons(this.value(), quantifier);
  }

  /** True before a sign that makes what came before a value. */
  private goesOn(): boolean {
    const { kind, text } = this.token;
    if (kind !== 'word' && kind !== 'sign') return false;
    return text in COMPARISONS || ['in', '&', 'bitwise_and', '+', '-', '*', '/', '%'].includes(text);
  }

  /** `a < b <= c` is `a < b and b <= c`. */
  private comparisons(first: Value, quantifier: Quantifier | undefined): Expression {
    let left = first;
    let result: Expression | undefined;
    const join = (next: Expression) => {
      result = result ? { kind: 'and', left: result, right: next, from: result.from, to: next.to } : next;
    };
    for (;;) {
      const { token } = this;
      const known = token.kind === 'word' || token.kind === 'sign' ? COMPARISONS[token.text] : undefined;
      if (known) {
        this.at++;
        const right = this.value();
        join({ kind: 'compare', operator: known, quantifier, left, right, sign: token, from: left.from, to: right.to });
        left = right;
        continue;
      }
      const negated = token.text === 'not' && this.tokens[this.at + 1]?.text === 'in' ? this.take('not') !== undefined : false;
      if (this.take('in')) {
        const set = this.set();
        join({ kind: 'in', quantifier, negated, left, set, from: left.from, to: this.tokens[this.at - 1]!.to });
        return result!;
      }
      if (result) return result;
      if (quantifier) this.unexpected('a comparison');
      return { kind: 'test', value: left, from: left.from, to: left.to };
    }
  }

  private set(): SetElement[] {
    const elements: SetElement[] = [];
    this.need('{');
    do {
      const from = this.value();
      elements.push({ from, to: this.take('..') ? this.value() : undefined });
    } while (this.take(','));
    if (!this.take('}')) this.unexpected(', or }');
    return elements;
  }

  private value(first?: Value): Value {
    return this.operation(['&', 'bitwise_and'], first, (f) =>
      this.operation(['+', '-'], f, (g) => this.operation(['*', '/', '%'], g, (h) => h ?? this.unary())),
    );
  }

  private operation(signs: readonly string[], first: Value | undefined, operand: (first?: Value) => Value): Value {
    let left = operand(first);
    for (let sign = this.take(...signs); sign; sign = this.take(...signs)) {
      const right = operand();
      const operator = (sign.text === 'bitwise_and' ? '&' : sign.text) as Arithmetic;
      left = { kind: 'arithmetic', operator, left, right, from: left.from, to: right.to };
    }
    return left;
  }

  private unary(): Value {
    const { token } = this;
    if (this.take('-')) {
      const of = this.nested(() => this.unary());
      return { kind: 'negative', of, from: token.from, to: of.to };
    }
    if (this.take('+')) return this.nested(() => this.unary());
    if (this.take('{')) {
      const inner = this.nested(() => this.value());
      const close = this.need('}');
      return { ...inner, from: token.from, to: close.to };
    }
    if (this.take('(')) {
      const inner = this.nested(() => this.value());
      const close = this.need(')');
      return { ...inner, from: token.from, to: close.to };
    }
    if (token.kind === 'string' || token.kind === 'char') {
      this.at++;
      return { kind: 'literal', token, from: token.from, to: token.to };
    }
    if (token.kind !== 'word' || RESERVED.has(token.text)) this.unexpected('a field or a value');
    this.at++;
    if (this.token.text === '(' && this.token.from === token.to && /^[a-z_]+$/i.test(token.text)) return this.sliced(this.call(token));
    return this.sliced(this.word(token));
  }

  private call(name: Token): Value {
    this.need('(');
    const parameters: Value[] = [];
    if (this.token.text !== ')' || this.token.kind !== 'sign') {
      do parameters.push(this.nested(() => this.value()));
      while (this.take(','));
    }
    const close = this.need(')');
    return { kind: 'function', name: name.text, parameters, from: name.from, to: close.to };
  }

  /** A name or a bare literal; which of the two, the checker knows. */
  private word(token: Token): Value {
    const { token: next } = this;
    if (next.kind === 'layer' && next.from === token.to) {
      this.at++;
      return { kind: 'field', name: token.text, layers: stretches(next), from: token.from, to: next.to };
    }
    return { kind: 'literal', token, from: token.from, to: token.to };
  }

  private sliced(of: Value): Value {
    const { token } = this;
    if (token.kind !== 'range') return of;
    this.at++;
    return { kind: 'slice', of, stretches: stretches(token), from: of.from, to: token.to };
  }
}

/** `1,3-5,9:` as stretches. */
function stretches(token: Token): Stretch[] {
  return token.text.split(',').map((part) => {
    const text = part.trim();
    const parts = /^(-?\d+)?\s*(?:(:)\s*(-?\d+)?|(?:-\s*(-?\d+)))?$/.exec(text);
    if (!parts || text === '')
      throw new FilterError(`${text || 'nothing'} is no range; write [i:length], [i-j], [i], [:length] or [i:]`, token);
    const from = Number(parts[1] ?? 0);
    if (parts[2]) {
      const length = parts[3] === undefined ? undefined : Number(parts[3]);
      if (length !== undefined && length <= 0) throw new FilterError(`${text} is no range: its length must be above 0`, token);
      return { from, length, last: undefined };
    }
    if (parts[4] !== undefined) {
      const last = Number(parts[4]);
      if (from < 0 === last < 0 && from > last) throw new FilterError(`${text} is no range: it ends before it begins`, token);
      return { from, length: undefined, last };
    }
    if (parts[1] === undefined) throw new FilterError(`${text} is no range`, token);
    return { from, length: 1, last: undefined };
  });
}
