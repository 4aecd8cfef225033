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

/**
 * The texts of one run, by its octets as four words of 32 bits. There are two places for each, so that two that come in turn
 * do not push each other out; what comes last takes the place of what has not been asked for since.
 */
export class RunTexts {
  private readonly texts = new Array<RunText | undefined>(KEPT).fill(undefined);

  /** The text for these octets, if they were met before. */
  find(a: number, b: number, c: number, d: number): RunText | undefined {
    const { texts } = this;
    const first = place(a, b, c, d);
    let text = texts[first];
    if (text !== undefined && text.a === a && text.b === b && text.c === c && text.d === d) return text;
    text = texts[first ^ 1];
    return text !== undefined && text.a === a && text.b === b && text.c === c && text.d === d ? text : undefined;
  }

  keep(text: RunText): void {
    const { texts } = this;
    const first = place(text.a, text.b, text.c, text.d);
    texts[first ^ 1] = texts[first];
    texts[first] = text;
  }
}

function place(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ Math.imul(d, 0x27d4eb2f);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ (hash >>> 12)) & (KEPT - 1);
}
