/**
 * Texts of runs: neighbouring keys that the same few octets decide (an Ethernet header, a pair of addresses, a word of
 * flags). Frames of one conversation repeat them, so each is rendered once and then copied.
 */
import { FixedText } from '../core/fixed-text.js';

/** The text of a run for some value of its octets, as four words. */
export class RunText extends FixedText {
  constructor(
    readonly a: number,
    readonly b: number,
    readonly c: number,
    readonly d: number,
    text: Uint8Array,
  ) {
    super(text);
  }
}

/** Texts kept for a run; a power of two. */
const KEPT = 512;

/** The texts of one run, by its octets as four words of 32 bits. What comes last takes the place of what was there. */
export class RunTexts {
  private readonly texts = new Array<RunText | undefined>(KEPT).fill(undefined);

  /** The text for these octets, if they were met before. */
  find(a: number, b: number, c: number, d: number): RunText | undefined {
    const text = this.texts[place(a, b, c, d)];
    return text !== undefined && text.a === a && text.b === b && text.c === c && text.d === d ? text : undefined;
  }

  keep(text: RunText): void {
    this.texts[place(text.a, text.b, text.c, text.d)] = text;
  }
}

function place(a: number, b: number, c: number, d: number): number {
  const hash = Math.imul(Math.imul(Math.imul(a, 0x9e3779b1) ^ b, 0x85ebca6b) ^ c, 0xc2b2ae35) ^ d;
  return (hash ^ (hash >>> 11) ^ (hash >>> 20)) & (KEPT - 1);
}
