/** A display filter told in words: its tree, and what each part asks. */
import { type Field, type Raw, valueText } from '../core/field.js';
import { hexOf } from '../core/octets.js';
import type { Condition, TypedValue } from './check.js';
import type { DisplayFilter } from './index.js';
import { typeName } from './literals.js';
import type { Stretch } from './parse.js';

/** The filter's tree, a line a node; `unicode`: draw lines. */
export function explainTree(condition: Condition, unicode: boolean): string[] {
  const signs = unicode ? { middle: '├─ ', last: '└─ ', beside: '│  ' } : { middle: '|- ', last: '`- ', beside: '|  ' };
  const lines: string[] = [];
  const walk = (c: Condition, lead: string, below: string): void => {
    const parts = partsOf(c);
    lines.push(lead + headOf(c));
    parts.forEach((part, i) => {
      const last = i === parts.length - 1;
      walk(part, below + (last ? signs.last : signs.middle), below + (last ? '   ' : signs.beside));
    });
  };
  walk(condition, '', '');
  return lines;
}

/** The rows a filter reads: name, type, label. */
export function explainFields({ fields }: DisplayFilter): { readonly name: string; readonly type: string; readonly label: string }[] {
  return fields.map((field) => ({ name: field.name, type: typeName(field.type), label: field.label }));
}

/** What must be done to each frame before the filter can answer. */
export function explainWork({ condition, needsStreams, needsTcpAnalysis }: DisplayFilter): string {
  if (!condition) return 'nothing: it is empty and selects every frame';
  if (needsStreams) return 'dissection, TCP analysis and TCP streams put in order';
  return needsTcpAnalysis ? 'dissection and TCP analysis' : 'dissection alone; no TCP streams are put in order for it';
}

/** The operands of a chain of the same operator stand side by side. */
function partsOf(c: Condition): Condition[] {
  switch (c.kind) {
    case 'and':
    case 'or':
    case 'xor': {
      const left = c.left.kind === c.kind ? partsOf(c.left) : [c.left];
      return [...left, ...(c.right.kind === c.kind ? partsOf(c.right) : [c.right])];
    }
    case 'not':
      return [c.of];
    default:
      return [];
  }
}

function headOf(c: Condition): string {
  switch (c.kind) {
    case 'and':
      return 'all of these';
    case 'or':
      return 'any of these';
    case 'xor':
      return 'an odd number of these';
    case 'not':
      return 'not';
    case 'test':
      return presenceText(c.value);
    case 'compare': {
      const all = c.quantifier === 'all' || (c.quantifier === undefined && (c.operator === '!=' || c.operator === '==='));
      const operator = c.operator === '===' ? '==' : c.operator === '!==' ? '!=' : c.operator;
      return `${several(c.left, all)}${textOf(c.left)} ${operator} ${textOf(c.right, fieldIn(c.left))}`;
    }
    case 'matches':
      return `${several(c.left, c.quantifier === 'all')}${textOf(c.left)} matches "${c.text}"`;
    case 'in': {
      const elements = c.set.map(({ from, to }) => textOf(from, fieldIn(c.left)) + (to ? `..${textOf(to, fieldIn(c.left))}` : ''));
      const text = `${several(c.left, c.quantifier === 'all')}${textOf(c.left)} in {${elements.join(', ')}}`;
      return c.negated ? `not ${text}` : text;
    }
  }
}

function presenceText(value: TypedValue): string {
  const text = textOf(value);
  return value.kind === 'arithmetic' || value.kind === 'negative' ? `${text} is not zero` : `${text} is there`;
}

/** Which of several values must hold, where there can be several. */
function several(value: TypedValue, all: boolean): string {
  if (value.kind === 'field' && value.fields.length > 1)
    return `${all ? 'each' : 'any'} of ${value.fields.map((field) => field.name).join(', ')}: `;
  return all && fieldIn(value) ? 'each ' : '';
}

function fieldIn(value: TypedValue): Field | undefined {
  switch (value.kind) {
    case 'field':
      return value.fields[0];
    case 'slice':
    case 'negative':
      return fieldIn(value.of);
    case 'arithmetic':
      return fieldIn(value.left) ?? fieldIn(value.right);
    default:
      return undefined;
  }
}

function textOf(value: TypedValue, field?: Field): string {
  switch (value.kind) {
    case 'constant':
      return constantText(value.value, value.prefix, value.type, field);
    case 'field':
    case 'protocol':
      return value.name + (value.layers ? `#[${stretchText(value.layers)}]` : '');
    case 'slice':
      return `${textOf(value.of)}[${stretchText(value.stretches)}]`;
    case 'function':
      return `${value.name}(${value.parameters.map((parameter) => textOf(parameter)).join(', ')})`;
    case 'negative':
      return `-${textOf(value.of)}`;
    case 'arithmetic':
      return `{${textOf(value.left)} ${value.operator} ${textOf(value.right)}}`;
  }
}

const stretchText = (stretches: readonly Stretch[]): string =>
  stretches
    .map(({ from, length, last }) => (last !== undefined ? `${from}-${last}` : length === 1 ? `${from}` : `${from}:${length ?? ''}`))
    .join(',');

function constantText(value: Raw, prefix: number | undefined, type: TypedValue['type'], field: Field | undefined): string {
  const tail = prefix === undefined ? '' : `/${prefix}`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (field && field.type === type) {
    const name = typeof value === 'number' ? field.nameOf(value) : undefined;
    return valueText(field, value) + tail + (name ? ` (${name})` : '');
  }
  return (value instanceof Uint8Array ? hexOf(value, 0, value.length, ':') : String(value)) + tail;
}
