/**
 * Packet filters: a program of the BSD Packet Filter machine, checked, and translated into one JavaScript function.
 *
 * McCanne and Jacobson, "The BSD Packet Filter" (1993), with what libpcap's userland machine added since: modulo and xor,
 * and jumps back, which `protochain` needs. As there, a load outside the captured octets rejects the packet.
 */
import { NetlensError } from '../core/errors.js';
import type { BpfInstruction } from './libpcap.js';

/**
 * 0 rejects the packet, anything else selects it. `[start, captured)` are its octets in `bytes`, `wireLength` what it had
 * on the wire.
 */
export type BpfFilter = (bytes: Uint8Array, start: number, captured: number, wireLength: number) => number;

/** Words of scratch memory. */
const MEMORY = 16;
/** Most jumps back in a run: a packet's chain of headers is shorter, and a wrong program ends. */
const MAX_LOOPS = 4096;
/** Most blocks within blocks in the generated text; longer programs become a switch in a loop. */
const MAX_NESTING = 400;

// Instruction classes and their parts; pcap-filter programs are made of nothing else.
const CLASS = 0x07;
const LD = 0;
const LDX = 1;
const ST = 2;
const STX = 3;
const ALU = 4;
const JMP = 5;
const RET = 6;
const SIZE = 0x18;
const HALF = 0x08;
const BYTE = 0x10;
const MODE = 0xe0;
const IMM = 0x00;
const ABS = 0x20;
const IND = 0x40;
const MEM = 0x60;
const LEN = 0x80;
const MSH = 0xa0;
const OPERATION = 0xf0;
const FROM_X = 0x08;
const JUMP_ALWAYS = 0x00;
const RETURN_A = 0x10;
const TXA = 0x80;

const OPERATIONS: Readonly<Record<number, string>> = {
  0: 'add',
  16: 'sub',
  32: 'mul',
  48: 'div',
  64: 'or',
  80: 'and',
  96: 'lsh',
  112: 'rsh',
  128: 'neg',
  144: 'mod',
  160: 'xor',
};
const JUMPS: Readonly<Record<number, string>> = { 16: 'jeq', 32: 'jgt', 48: 'jge', 64: 'jset' };

/** Octets of a load's width. */
const widthOf = (code: number): number => ((code & SIZE) === BYTE ? 1 : (code & SIZE) === HALF ? 2 : 4);

/** Where a JA goes: its operand is signed. */
const farTarget = (index: number, k: number): number => index + 1 + (k | 0);

/** What is wrong with an instruction; undefined when it is one the machine has and all its jumps stay inside. */
function faultOf({ code, jt, jf, k }: BpfInstruction, index: number, length: number): string | undefined {
  const unknown = `code 0x${code.toString(16)} is no instruction`;
  if (code > 0xff) return unknown;
  const mode = code & MODE;
  switch (code & CLASS) {
    case LD: {
      if ((code & SIZE) === SIZE) return unknown;
      if (mode === ABS || mode === IND) return undefined;
      if ((code & SIZE) !== 0) return unknown;
      if (mode === MEM) return k < MEMORY ? undefined : `there is no M[${k}]`;
      return mode === IMM || mode === LEN ? undefined : unknown;
    }
    case LDX: {
      if (mode === MSH) return (code & SIZE) === BYTE ? undefined : unknown;
      if ((code & SIZE) !== 0) return unknown;
      if (mode === MEM) return k < MEMORY ? undefined : `there is no M[${k}]`;
      return mode === IMM || mode === LEN ? undefined : unknown;
    }
    case ST:
    case STX:
      if (code !== ST && code !== STX) return unknown;
      return k < MEMORY ? undefined : `there is no M[${k}]`;
    case ALU: {
      const operation = OPERATIONS[code & OPERATION];
      if (operation === undefined || (operation === 'neg' && code !== (ALU | 0x80))) return unknown;
      return (operation === 'div' || operation === 'mod') && !(code & FROM_X) && k === 0 ? 'it divides by 0' : undefined;
    }
    case JMP: {
      if ((code & OPERATION) === JUMP_ALWAYS) {
        if (code !== JMP) return unknown;
        const target = farTarget(index, k);
        return target >= 0 && target < length ? undefined : 'it jumps out of the program';
      }
      if (!JUMPS[code & OPERATION]) return unknown;
      return index + 1 + Math.max(jt, jf) < length ? undefined : 'it jumps out of the program';
    }
    case RET:
      return code === RET || code === (RET | RETURN_A) ? undefined : unknown;
    default:
      return code === 0x07 || code === (0x07 | TXA) ? undefined : unknown;
  }
}

/**
 * Check a program: instructions that exist, jumps that stay inside, an end that returns.
 * @throws NetlensError `usage`
 */
export function checkBpf(program: readonly BpfInstruction[]): void {
  const { length } = program;
  const fault = (index: number, what: string): never => {
    throw new NetlensError('usage', `packet filter program, instruction ${index}: ${what}`, index);
  };
  if (length === 0) fault(0, 'there is none');
  program.forEach((instruction, index) => {
    const what = faultOf(instruction, index, length);
    if (what) fault(index, what);
  });
  if ((program[length - 1]!.code & CLASS) !== RET) fault(length - 1, 'the program runs over its end');
}

/**
 * Translate a program into a function. Where code generation is forbidden (`node --disallow-code-generation-from-strings`)
 * the program is interpreted instead.
 * @throws NetlensError `usage` for a program that is wrong
 * @example compileBpf(await compileFilter('tcp port 443', 1))
 */
export function compileBpf(program: readonly BpfInstruction[]): BpfFilter {
  checkBpf(program);
  try {
    return new Function(`return function bpf(b, s, e, w) {\n${bpfSource(program)}\n}`)() as BpfFilter;
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    return (bytes, start, captured, wireLength) => interpretBpf(program, bytes, start, captured, wireLength);
  }
}

/** The body of the translated function, of `b` (octets), `s` (start), `e` (captured) and `w` (wire length). */
export function bpfSource(program: readonly BpfInstruction[]): string {
  const targets = new Set<number>();
  let goesBack = false;
  program.forEach(({ code, jt, jf, k }, index) => {
    if ((code & CLASS) !== JMP) return;
    const ends = code === JMP ? [farTarget(index, k)] : [index + 1 + jt, index + 1 + jf];
    for (const end of ends) {
      if (end <= index) goesBack = true;
      if (end !== index + 1) targets.add(end);
    }
  });
  const memory = Array.from({ length: MEMORY }, (_, i) => `M${i} = 0`).join(', ');
  const used = program.some(({ code }) => [ST, STX].includes(code & CLASS) || ((code & CLASS) <= LDX && (code & MODE) === MEM));
  const head = `const n = e - s;\nlet A = 0, X = 0, t = 0${used ? `, ${memory}` : ''};\n`;
  return head + (goesBack || targets.size > MAX_NESTING ? looping(program) : nested(program, targets));
}

/** A block for each target, all begun at the top, the farthest outermost: to jump is to break out of the block that ends there. */
function nested(program: readonly BpfInstruction[], targets: ReadonlySet<number>): string {
  const ordered = [...targets].sort((a, b) => b - a);
  let text = ordered.map((target) => `L${target}: {`).join(' ');
  const jump = (target: number, from: number) => (target === from + 1 ? '' : `break L${target};`);
  program.forEach((instruction, index) => {
    if (targets.has(index)) text += ' }';
    text += `\n${statement(instruction, index, jump)}`;
  });
  return text;
}

/** The general form, for programs with loops. */
function looping(program: readonly BpfInstruction[]): string {
  const jump = (target: number, from: number) =>
    target <= from ? `if (++loops > ${MAX_LOOPS}) return 0; at = ${target}; continue;` : `at = ${target}; continue;`;
  const cases = program.map((instruction, index) => `case ${index}: ${statement(instruction, index, jump)}`).join('\n');
  return `let loops = 0;\nfor (let at = 0; ; ) switch (at) {\n${cases}\n}`;
}

const unsigned = (k: number) => `${k >>> 0}`;

/** An instruction as a statement. A and X are always whole numbers from 0 to 2^32 - 1. */
function statement({ code, jt, jf, k }: BpfInstruction, index: number, jump: (target: number, from: number) => string): string {
  const K = unsigned(k);
  switch (code & CLASS) {
    case LD:
      switch (code & MODE) {
        case IMM:
          return `A = ${K};`;
        case LEN:
          return 'A = w >>> 0;';
        case MEM:
          return `A = M${k};`;
        case ABS:
          return `if (n < ${(k >>> 0) + widthOf(code)}) return 0; t = s + ${K}; A = ${loaded(widthOf(code))};`;
        default:
          return `t = X + ${K}; if (t + ${widthOf(code)} > n) return 0; t += s; A = ${loaded(widthOf(code))};`;
      }
    case LDX:
      switch (code & MODE) {
        case IMM:
          return `X = ${K};`;
        case LEN:
          return 'X = w >>> 0;';
        case MEM:
          return `X = M${k};`;
        default:
          return `if (n <= ${K}) return 0; X = (b[s + ${K}] & 15) << 2;`;
      }
    case ST:
      return `M${k} = A;`;
    case STX:
      return `M${k} = X;`;
    case ALU:
      return arithmetic(OPERATIONS[code & OPERATION]!, code & FROM_X ? 'X' : K, (code & FROM_X) !== 0);
    case JMP: {
      if (code === JMP) return jump(farTarget(index, k), index);
      const [yes, no] = [jump(index + 1 + jt, index), jump(index + 1 + jf, index)];
      if (jt === jf) return yes;
      const right = code & FROM_X ? 'X' : K;
      const operation = JUMPS[code & OPERATION]!;
      const condition = operation === 'jset' ? `(A & ${right}) !== 0` : `A ${{ jeq: '===', jgt: '>', jge: '>=' }[operation]} ${right}`;
      return yes === '' ? `if (!(${condition})) { ${no} }` : `if (${condition}) { ${yes} }${no === '' ? '' : ` else { ${no} }`}`;
    }
    case RET:
      return code === RET ? `return ${K};` : 'return A;';
    default:
      return code === 0x07 ? 'X = A;' : 'A = X;';
  }
}

function loaded(width: number): string {
  if (width === 1) return 'b[t]';
  return width === 2 ? '(b[t] << 8) | b[t + 1]' : '((b[t] << 24) | (b[t + 1] << 16) | (b[t + 2] << 8) | b[t + 3]) >>> 0';
}

function arithmetic(operation: string, right: string, fromX: boolean): string {
  switch (operation) {
    case 'add':
      return `A = (A + ${right}) >>> 0;`;
    case 'sub':
      return `A = (A - ${right}) >>> 0;`;
    case 'mul':
      return `A = Math.imul(A, ${right}) >>> 0;`;
    case 'div':
      return `${fromX ? 'if (X === 0) return 0; ' : ''}A = (A / ${right}) >>> 0;`;
    case 'mod':
      return `${fromX ? 'if (X === 0) return 0; ' : ''}A = (A % ${right}) >>> 0;`;
    case 'lsh':
      return fromX ? 'A = X < 32 ? (A << X) >>> 0 : 0;' : `A = (A << ${right}) >>> 0;`;
    case 'rsh':
      return fromX ? 'A = X < 32 ? A >>> X : 0;' : `A = A >>> ${right};`;
    case 'neg':
      return 'A = -A >>> 0;';
    default:
      return `A = (A ${{ or: '|', and: '&', xor: '^' }[operation]} ${right}) >>> 0;`;
  }
}

/** Run a checked program on a packet, an instruction at a time. */
export function interpretBpf(
  program: readonly BpfInstruction[],
  bytes: Uint8Array,
  start: number,
  captured: number,
  wireLength: number,
): number {
  const length = captured - start;
  const memory = new Uint32Array(MEMORY);
  let a = 0;
  let x = 0;
  let loops = 0;
  for (let at = 0; ; at++) {
    const { code, jt, jf, k } = program[at]!;
    switch (code & CLASS) {
      case LD:
      case LDX: {
        const mode = code & MODE;
        let value: number;
        if (mode === IMM) value = k >>> 0;
        else if (mode === LEN) value = wireLength >>> 0;
        else if (mode === MEM) value = memory[k]!;
        else {
          const width = widthOf(code);
          const offset = (k >>> 0) + (mode === IND ? x : 0);
          if (offset + width > length) return 0;
          value = 0;
          for (let i = 0; i < width; i++) value = value * 256 + bytes[start + offset + i]!;
          if (mode === MSH) value = (value & 15) << 2;
        }
        if ((code & CLASS) === LD) a = value;
        else x = value;
        break;
      }
      case ST:
        memory[k] = a;
        break;
      case STX:
        memory[k] = x;
        break;
      case ALU: {
        const right = code & FROM_X ? x : k >>> 0;
        const operation = OPERATIONS[code & OPERATION]!;
        if ((operation === 'div' || operation === 'mod') && right === 0) return 0;
        a = reckon(operation, a, right, (code & FROM_X) !== 0);
        break;
      }
      case JMP: {
        let by = k | 0;
        if (code !== JMP) {
          const right = code & FROM_X ? x : k >>> 0;
          const operation = JUMPS[code & OPERATION]!;
          const holds =
            operation === 'jeq' ? a === right : operation === 'jgt' ? a > right : operation === 'jge' ? a >= right : (a & right) !== 0;
          by = holds ? jt : jf;
        }
        if (by < 0 && ++loops > MAX_LOOPS) return 0;
        at += by;
        break;
      }
      case RET:
        return code === RET ? k >>> 0 : a;
      default:
        if (code & TXA) a = x;
        else x = a;
    }
  }
}

function reckon(operation: string, a: number, right: number, fromX: boolean): number {
  switch (operation) {
    case 'add':
      return (a + right) >>> 0;
    case 'sub':
      return (a - right) >>> 0;
    case 'mul':
      return Number((BigInt(a) * BigInt(right)) & 0xffffffffn);
    case 'div':
      return Math.floor(a / right);
    case 'mod':
      return a % right;
    case 'or':
      return (a | right) >>> 0;
    case 'and':
      return (a & right) >>> 0;
    case 'xor':
      return (a ^ right) >>> 0;
    case 'lsh':
      // The machine shifts by a register to nothing, and by a constant as processors do.
      return fromX && right >= 32 ? 0 : (a << right) >>> 0;
    case 'rsh':
      return fromX && right >= 32 ? 0 : a >>> right;
    default:
      return -a >>> 0;
  }
}

/** A program as `tcpdump -d` lists it, a line an instruction. */
export function listBpf(program: readonly BpfInstruction[]): string[] {
  return program.map((instruction, index) => {
    const [operation, operand] = listed(instruction, index);
    const line = `(${String(index).padStart(3, '0')}) ${operation.padEnd(8)} `;
    const { code, jt, jf } = instruction;
    if ((code & CLASS) !== JMP || code === JMP) return line + operand;
    return `${line}${operand.padEnd(16)} jt ${index + 1 + jt}\tjf ${index + 1 + jf}`;
  });
}

function listed({ code, k }: BpfInstruction, index: number): [operation: string, operand: string] {
  const hex = `#0x${(k >>> 0).toString(16)}`;
  const suffix = { 1: 'b', 2: 'h', 4: '' }[widthOf(code)]!;
  const mode = code & MODE;
  switch (code & CLASS) {
    case LD:
      if (mode === ABS) return [`ld${suffix}`, `[${k | 0}]`];
      if (mode === IND) return [`ld${suffix}`, `[x + ${k | 0}]`];
      return ['ld', mode === IMM ? hex : mode === LEN ? '#pktlen' : `M[${k}]`];
    case LDX:
      if (mode === MSH) return ['ldxb', `4*([${k | 0}]&0xf)`];
      return ['ldx', mode === IMM ? hex : mode === LEN ? '#pktlen' : `M[${k}]`];
    case ST:
      return ['st', `M[${k}]`];
    case STX:
      return ['stx', `M[${k}]`];
    case ALU: {
      const operation = OPERATIONS[code & OPERATION]!;
      if (operation === 'neg') return [operation, ''];
      if (code & FROM_X) return [operation, 'x'];
      return [operation, operation === 'and' || operation === 'or' || operation === 'xor' ? hex : `#${k | 0}`];
    }
    case JMP:
      if (code === JMP) return ['ja', `${farTarget(index, k)}`];
      return [JUMPS[code & OPERATION]!, code & FROM_X ? 'x' : hex];
    case RET:
      return ['ret', code === RET ? `#${k | 0}` : ''];
    default:
      return [code & TXA ? 'txa' : 'tax', ''];
  }
}
