/** Remarks: the names of those that apply to a layer stand together, under `expert`. */
import type { Field } from '../core/field.js';
import { FixedText } from '../core/fixed-text.js';
import type { Layer, TreeNode } from '../core/layer.js';
import type { TextBuffer } from '../core/text.js';
import { type Gate, keyOf } from './json-layout.js';

const EXPERT_KEY = new FixedText(keyOf('expert'));

/** Write `,"expert":["tcp.connection.syn"]`, or nothing when none applies. */
export function writeRemarks(out: TextBuffer, experts: readonly Field[], layer: Layer): void {
  let any = false;
  let gate: Gate | undefined;
  let open = true;
  for (const row of experts) {
    if (row.options.gate !== gate) {
      gate = row.options.gate;
      open = gate === undefined || gate(layer);
    }
    if (open && (row.compute ? row.compute(layer) !== undefined : hasNode(nodesOf(layer), row))) any = writeRemark(out, row.name, any);
  }
  if (any) out.byte(0x5d);
}

/** Write a name into the array, which its first one opens. */
export function writeRemark(out: TextBuffer, name: string, any: boolean): true {
  if (any) out.byte(0x2c);
  else {
    out.fixed(EXPERT_KEY);
    out.byte(0x5b);
  }
  out.byte(0x22);
  out.ascii(name);
  out.byte(0x22);
  return true;
}

const NO_NODES: readonly TreeNode[] = [];

/** What the walk of a layer found. */
export const nodesOf = (layer: Layer): readonly TreeNode[] => (layer.bare ? NO_NODES : layer.nodes);

/** True when the walk found a node of this row. */
export function hasNode(nodes: readonly TreeNode[], row: Field): boolean {
  for (let i = 0; i < nodes.length; i++) if (nodes[i]!.field === row) return true;
  return false;
}
