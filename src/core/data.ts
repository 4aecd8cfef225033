/** Octets of no known protocol. */
import { bytes, computed } from './field.js';
import { layer } from './layer.js';
import type { TextBuffer } from './text.js';

/** `data`: what no dissector claims. */
export class Data extends layer(
  'data',
  'Data',
  {
    data: bytes('data.data', 'Data', 0, (l) => l.captured - l.start, { quiet: true }),
    length: computed('uint32', 'data.len', 'Length', (l) => l.end - l.start),
  },
  'data',
) {
  override summary(out: TextBuffer): void {
    out.number(this.end - this.start);
    out.ascii(this.end - this.start === 1 ? ' octet' : ' octets');
  }
}
