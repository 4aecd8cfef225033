/** Layers of one protocol that stand side by side in a frame, each with a line of its own. */
import type { Layer, LayerClass } from '../core/layer.js';
import type { TextBuffer } from '../core/text.js';

/**
 * Write the lines of all layers of a class up to and with `last`, with commas between them: the Info column of a frame that
 * completes one message and brings others.
 */
export function writeTogether(out: TextBuffer, last: Layer, Class: LayerClass): void {
  let any = false;
  for (const layer of last.frame.layers) {
    if (!(layer instanceof Class)) continue;
    if (any) out.ascii(', ');
    layer.line(out);
    any = true;
    if (layer === last) break;
  }
}
