/** Colour with meaning: what a text is decides how it looks, and without a terminal nothing is written for it. */
import { Chalk, type ChalkInstance } from 'chalk';
import type { TextBuffer } from '../core/text.js';

/** What a text is. */
export type Tone =
  /** A layer of the tree, a head of a table. */
  | 'heading'
  /** Names of fields, numbers of frames: there when looked for, quiet otherwise. */
  | 'name'
  | 'note'
  /** Retransmissions, losses, errors. */
  | 'trouble'
  /** A connection opens. */
  | 'opens'
  /** A connection is closed in order. */
  | 'closes'
  /** A connection is reset or refused. */
  | 'resets'
  | 'client'
  | 'server'
  | 'link'
  | 'network'
  | 'control'
  | 'transport'
  | 'application';

const STYLES: Readonly<Record<Tone, (c: ChalkInstance) => ChalkInstance>> = {
  heading: (c) => c.bold,
  name: (c) => c.dim,
  note: (c) => c.cyan,
  trouble: (c) => c.yellow,
  opens: (c) => c.green,
  closes: (c) => c.blue,
  resets: (c) => c.red,
  client: (c) => c.magenta,
  server: (c) => c.blue,
  link: (c) => c.dim,
  network: (c) => c.white,
  control: (c) => c.magenta,
  transport: (c) => c.blue,
  application: (c) => c.cyan,
};

/** Puts octets before and after a text. */
export class Theme {
  private readonly before = new Map<Tone, Uint8Array>();
  private readonly after = new Map<Tone, Uint8Array>();
  readonly colours: boolean;

  /** `level` is chalk's: 0 none, 1 sixteen colours, 2 and 3 more. */
  constructor(level: 0 | 1 | 2 | 3) {
    this.colours = level > 0;
    if (level === 0) return;
    const chalk = new Chalk({ level });
    const encoder = new TextEncoder();
    for (const [tone, style] of Object.entries(STYLES) as [Tone, (c: ChalkInstance) => ChalkInstance][]) {
      const [before = '', after = ''] = style(chalk)('|').split('|');
      this.before.set(tone, encoder.encode(before));
      this.after.set(tone, encoder.encode(after));
    }
  }

  open(out: TextBuffer, tone: Tone): void {
    if (this.colours) out.raw(this.before.get(tone)!);
  }

  close(out: TextBuffer, tone: Tone): void {
    if (this.colours) out.raw(this.after.get(tone)!);
  }

  /** A text in its tone, for tables that are put together from strings. */
  paint(text: string, tone: Tone): string {
    if (!this.colours) return text;
    const decoder = new TextDecoder();
    return decoder.decode(this.before.get(tone)) + text + decoder.decode(this.after.get(tone));
  }
}

/** No colour at all. */
export const PLAIN = new Theme(0);
