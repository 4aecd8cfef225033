/** What a walk found, by row: from the nodes to the keys, since most keys of most protocols are not there. */
import type { Field, Raw } from '../core/field.js';
import type { TreeNode } from '../core/layer.js';

/**
 * What a walk found in a scope: a layer, or an item of a list. What stands inside the items of a list belongs to those
 * items. Rows are looked up by their index, in arrays that are kept from frame to frame: a stamp says whether what stands
 * there is of this scope.
 */
export class Found {
  private stamp = 0;
  private stamps = new Int32Array(64);
  /** Position of a row's first node. */
  private heads = new Int32Array(64);
  /** From a node to the next one of its row; -1 ends. */
  private nexts = new Int32Array(64);
  private readonly positions: number[] = [];
  nodes: readonly TreeNode[] = [];
  /** The keys that the nodes belong to, in the keys' order. */
  readonly slots: number[] = [];

  /** Take in the nodes of `nodes[from, to)`; `rows` is how many there may be. */
  fill(nodes: readonly TreeNode[], from: number, to: number, rows: number): void {
    this.nodes = nodes;
    const stamp = ++this.stamp;
    if (rows > this.stamps.length) {
      this.stamps = new Int32Array(2 * rows);
      this.heads = new Int32Array(2 * rows);
    }
    if (nodes.length > this.nexts.length) this.nexts = new Int32Array(2 * nodes.length);
    const { positions, slots, stamps, heads, nexts } = this;
    let count = 0;
    for (let i = from; i < to; i++) {
      const node = nodes[i]!;
      const { field } = node;
      if (field === undefined) continue;
      positions[count++] = i;
      if (field.type === 'list') while (i + 1 < to && nodes[i + 1]!.depth > node.depth) i++;
    }
    slots.length = 0;
    // From the last to the first, so that each row's chain begins with its first node.
    for (let k = count - 1; k >= 0; k--) {
      const at = positions[k]!;
      const { index, slot } = nodes[at]!.field!;
      if (stamps[index] === stamp) nexts[at] = heads[index]!;
      else {
        stamps[index] = stamp;
        nexts[at] = -1;
        if (slot >= 0) this.list(slot);
      }
      heads[index] = at;
    }
  }

  /** Put a key into its place among the others; they come nearly in order. */
  private list(slot: number): void {
    const { slots } = this;
    let at = 0;
    while (at < slots.length && slots[at]! < slot) at++;
    if (slots[at] === slot) return;
    slots.push(slot);
    for (let i = slots.length - 1; i > at; i--) slots[i] = slots[i - 1]!;
    slots[at] = slot;
  }

  /** Position of a row's first node; -1 when there is none. */
  first(row: Field): number {
    return this.stamps[row.index] === this.stamp ? this.heads[row.index]! : -1;
  }

  /** The value of a row's first node. */
  value(row: Field): Raw | undefined {
    const at = this.first(row);
    return at < 0 ? undefined : this.nodes[at]!.value;
  }

  /** Position of the next node of the same row; -1 when there is none. */
  next(at: number): number {
    return this.nexts[at]!;
  }
}
