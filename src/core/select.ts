/** Finding the values of fields in a frame: what `-e`, filters and tables are built on. */
import type { Field, Raw } from './field.js';
import type { Frame } from './frame.js';
import type { Layer, TreeNode } from './layer.js';

/** A value found: its field, its layer, and the node when a walk found it. */
export type Visit = (raw: Raw, field: Field, layer: Layer, node: TreeNode | undefined) => void;

/** Call `visit` for every value of any of `fields`, in the order of the layers, and of the rows or of the walk within a layer. */
export function eachValue(frame: Frame, fields: readonly Field[], visit: Visit): void {
  const { layers } = frame;
  const gather = fields.length === 1 ? fields[0]!.gather : undefined;
  if (gather !== undefined) {
    for (const raw of gather(frame)) visit(raw, fields[0]!, layers[0]!, undefined);
    return;
  }
  for (let i = 0; i < layers.length; i++) {
    const layer = layers[i]!;
    const { protocol } = layer;
    let walked = false;
    for (let j = 0; j < fields.length; j++) {
      const field = fields[j]!;
      if (field.protocol !== protocol) continue;
      if (field.walked) walked = true;
      else {
        const raw = field.raw(layer);
        if (raw !== undefined) visit(raw, field, layer, undefined);
      }
    }
    if (!walked) continue;
    const { nodes } = layer;
    for (let k = 0; k < nodes.length; k++) {
      const node = nodes[k]!;
      if (node.field !== undefined && fields.includes(node.field)) visit(node.value!, node.field, layer, node);
    }
  }
}
