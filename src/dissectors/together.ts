/** Layers of one protocol that stand side by side in a frame, each with a line of its own. */
import type { Layer, LayerClass } from '../core/layer.js';
import type { TextBuffer } from '../core/text.js';

/** Octets of the Info column behind which layers are counted, no longer told. */
const MOST_TOLD = 4096;

/**
 * Write the lines of all layers of a class up to and with `last`, with commas between them: the Info column of a frame that
 * completes one message and brings others.
 */
export function writeTogether(out: TextBuffer, last: Layer, Class: LayerClass): void {
  const from = out.length;
  let told = 0;
  let more = 0;
  for (const layer of last.frame.layers) {
    if (!(layer instanceof Class)) continue;
    if (out.length - from > MOST_TOLD) more++;
    else {
      if (told > 0) out.ascii(', ');
      layer.line(out);
      told++;
    }
    if (layer === last) break;
  }
  if (more === 0) return;
  out.ascii(' (+');
  out.number(more);
  out.ascii(' more)');
}
