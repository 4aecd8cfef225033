/** Text that is known beforehand and written many times. */
import { DIGITS_ROOM, putWord } from './digits.js';

const encoder = new TextEncoder();

/** Up to eight octets of text as one number, for `view.setFloat64(at, word, true)`. */
export function wordOf(text: string): number {
  const octets = new Uint8Array(8);
  octets.set(encoder.encode(text));
  return new DataView(octets.buffer).getFloat64(0, true);
}

/** Octets of text, ready to be stored eight at a time. No octet of UTF-8 makes a NaN of eight of them, so none is changed. */
export class FixedText {
  private readonly words: number[] = [];
  readonly length: number;

  constructor(text: string | Uint8Array) {
    const octets = typeof text === 'string' ? encoder.encode(text) : text;
    const padded = new DataView(new ArrayBuffer((octets.length + 7) & ~7));
    new Uint8Array(padded.buffer).set(octets);
    this.length = octets.length;
    for (let i = 0; i < padded.byteLength; i += 8) this.words.push(padded.getFloat64(i, true));
  }

  /** Write it, and up to seven octets behind it that are to be written over; returns where it ends. */
  put(view: DataView, at: number): number {
    const { words } = this;
    for (let i = 0, to = at; i < words.length; i++, to += 8) view.setFloat64(to, words[i]!, true);
    return at + this.length;
  }
}

/** Texts of which a number says which one. They stand side by side, so that finding one takes no detour. */
export class FixedTexts {
  private readonly words: Float64Array;
  private readonly lengths: Uint8Array;
  /** Words from one text to the next. */
  private readonly stride: number;
  /** Octets that any of them takes at most. */
  readonly room: number;

  constructor(texts: readonly string[]) {
    const all = texts.map((text) => encoder.encode(text));
    this.lengths = Uint8Array.from(all, (octets) => octets.length);
    this.stride = (Math.max(...this.lengths) + 7) >> 3;
    this.room = 8 * this.stride;
    const side = new Uint8Array(all.length * this.room);
    for (const [i, octets] of all.entries()) side.set(octets, i * this.room);
    const view = new DataView(side.buffer);
    this.words = Float64Array.from({ length: all.length * this.stride }, (_, i) => view.getFloat64(8 * i, true));
  }

  /** Write one, and up to seven octets behind it that are to be written over; returns where it ends. */
  put(view: DataView, at: number, which: number): number {
    const { words } = this;
    const end = at + this.lengths[which]!;
    for (let i = which * this.stride, to = at; to < end; i++, to += 8) view.setFloat64(to, words[i]!, true);
    return end;
  }
}

/** Numbers with text before each that is known beforehand: ` Win=512 Len=0`. */
export class Labels {
  private readonly words: Float64Array;
  private readonly lengths: Uint8Array;
  /** The numbers, as the signed ones of the same 32 bits: whoever writes puts them here first. */
  readonly numbers: Int32Array;
  /** Octets that all of them take at most. */
  readonly room: number;

  /** Labels of eight octets at most. */
  constructor(...labels: readonly string[]) {
    this.words = Float64Array.from(labels, wordOf);
    this.lengths = Uint8Array.from(labels, (label) => label.length);
    this.numbers = new Int32Array(labels.length);
    this.room = labels.length * (8 + DIGITS_ROOM);
  }

  /** Write those for which `which` has a bit, the first in the lowest; returns where they end. */
  put(view: DataView, at: number, which: number): number {
    const { words, lengths, numbers } = this;
    let next = at;
    for (let i = 0, rest = which; rest !== 0; i++, rest >>>= 1) {
      if ((rest & 1) === 0) continue;
      view.setFloat64(next, words[i]!, true);
      next = putWord(view, next + lengths[i]!, numbers[i]!);
    }
    return next;
  }
}
