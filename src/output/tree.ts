/** The tree of all fields of a frame: `-V`. One heading a layer, its fields under it with their names. */
import { type Field, type Raw, valueText } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import type { Layer, TreeNode } from '../core/layer.js';
import type { TextBuffer } from '../core/text.js';
import { isoText } from '../core/time.js';
import { PLAIN, type Theme } from './theme.js';

/** Octets shown of a long value; `-x` shows them all. */
const MOST_OCTETS = 64;

/** Write every field of every layer, and an empty line. */
export function writeTree(out: TextBuffer, frame: Frame, theme: Theme = PLAIN): void {
  for (const layer of frame.layers) {
    theme.open(out, 'heading');
    out.text(layer.protocol.label);
    theme.close(out, 'heading');
    out.ascii(', ');
    layer.summary(out);
    out.byte(10);
    writeRows(out, layer, theme);
  }
  if (frame.stopped) {
    const { reason, layer, need, have } = frame.stopped;
    theme.open(out, 'trouble');
    if (reason === 'truncated') out.text(`[${layer.protocol.label} was cut short by the capture: ${need} octets needed, ${have} captured]`);
    else
      out.text(`[${layer.protocol.label} is malformed: ${need > have ? `${need} octets needed, ${have} there` : 'it contradicts itself'}]`);
    theme.close(out, 'trouble');
    out.byte(10);
  }
  out.byte(10);
}

/** In-place and computed rows in declared order; what the walk found stands where its first row is declared. */
function writeRows(out: TextBuffer, layer: Layer, theme: Theme): void {
  let walked = false;
  for (const field of layer.protocol.fields) {
    if (field.walked) {
      if (!walked) for (const node of layer.nodes) writeNode(out, node, theme);
      walked = true;
      continue;
    }
    const raw = field.raw(layer);
    if (raw !== undefined) writeField(out, field, raw, depthOf(field), undefined, theme);
  }
}

function depthOf(field: Field): number {
  let depth = 0;
  for (let above = field.parent; above !== undefined; above = above.parent) depth++;
  return depth;
}

function writeNode(out: TextBuffer, node: TreeNode, theme: Theme): void {
  if (node.field && node.field.type !== 'list') {
    writeField(out, node.field, node.value!, node.depth, node.text, theme);
    return;
  }
  indent(out, node.depth);
  out.text(node.text ?? node.field?.label ?? '');
  out.byte(10);
}

function writeField(out: TextBuffer, field: Field, raw: Raw, depth: number, text: string | undefined, theme: Theme): void {
  indent(out, depth);
  if (field.severity) {
    const tone = field.severity === 'warn' || field.severity === 'error' ? 'trouble' : 'note';
    theme.open(out, tone);
    out.text(`[${field.severity}: ${text ?? field.label}]`);
    theme.close(out, tone);
    out.byte(10);
    return;
  }
  if (text !== undefined) {
    out.text(text);
    out.byte(10);
    return;
  }
  out.text(field.label);
  if (field.type !== 'none') {
    out.ascii(': ');
    out.text(shownValue(field, raw));
  }
  theme.open(out, 'name');
  out.ascii('  ');
  out.ascii(field.name);
  theme.close(out, 'name');
  out.byte(10);
}

/** A value for people: the name first, then the number; flags in words; units. */
export function shownValue(field: Field, raw: Raw): string {
  const { unit, flags } = field.options;
  if (field.type === 'bool') return flags ? flags[raw ? 0 : 1] : raw ? 'set' : 'not set';
  if (field.type === 'bytes' && typeof raw !== 'string') {
    const octets = raw as Uint8Array;
    const shown = valueText(field, octets.length > MOST_OCTETS ? octets.subarray(0, MOST_OCTETS) : octets);
    return octets.length > MOST_OCTETS ? `${shown}… (${octets.length} octets)` : shown;
  }
  if (field.type === 'time') return isoText(Number((raw as bigint) / 1_000_000_000n), Number((raw as bigint) % 1_000_000_000n));
  const text = valueText(field, raw);
  const name = typeof raw === 'number' || typeof raw === 'bigint' ? field.nameOf(Number(raw)) : undefined;
  if (name !== undefined) return `${name} (${text})`;
  return unit ? `${text} ${unit}` : text;
}

function indent(out: TextBuffer, depth: number): void {
  for (let i = 0; i <= depth; i++) out.ascii('    ');
}
