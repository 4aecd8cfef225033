/** Octets of no known protocol. */
import { bytes, computed } from './field.js';
import type { Frame } from './frame.js';
import { layer } from './layer.js';
import type { TextBuffer } from './text.js';

/** `data`: what no dissector claims. */
export class Data extends layer(
  'data',
  'Data',
  {
    data: bytes('data.data', 'Data', 0, (l) => l.captured - l.start, { quiet: true }),
    length: computed('uint32', 'data.len', 'Length', (l) => l.captured - l.start),
  },
  'data',
) {
  constructor(
    frame: Frame,
    start: number,
    end: number,
    /** What the octets are, where that is known though nobody dissects it: `LLDP`. */
    readonly what?: string,
  ) {
    super(frame, start, end);
  }

  override get shortName(): string {
    return this.what ?? super.shortName;
  }

  /** What the Info column says before the size, where the protocol column has but a short name or a number. */
  declare title: string | undefined;

  override summary(out: TextBuffer): void {
    if (this.title !== undefined) {
      out.text(this.title);
      out.ascii(', ');
    }
    out.number(this.end - this.start);
    out.ascii(this.end - this.start === 1 ? ' octet' : ' octets');
  }
}
