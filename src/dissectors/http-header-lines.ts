/**
 * Header lines that come again and again: the heads of a connection are nearly the same, line by line. Each line is compared
 * with the one that came last behind the same lines; only where it differs are its name, its value and its end looked for.
 */
import type { Field } from '../core/field.js';
import type { FixedText } from '../core/fixed-text.js';
import { COLON, isBlank, lineEnd, SPACE, tokenEnd, trimmed } from './http-lines.js';
import { headerRow } from './http-rows.js';

const TAB = 9;

/** Lines of a head at most. */
const MOST_LINES = 64;
/** Octets of the longest line that is kept; of longer ones only the name is. */
const LONGEST_LINE = 512;
/** Lines that are kept at most, in all and behind the same lines. */
const MOST_KEPT = 1024;
const MOST_BESIDE = 16;
/** A line that came so often without a change is worth a text of its own. */
const WORTH_KEEPING = 4;

const isIndent = (octet: number | undefined): boolean => octet === SPACE || octet === TAB;

/** A line behind certain others, as it came last. */
export class HeaderLine {
  /** The field of its header, if that has one of its own. */
  readonly row: Field | undefined;
  /** Where its value begins and ends, from the line's start. */
  value = 0;
  stop = 0;
  /** What a writer makes of it, which holds until the line comes with another value. */
  text: FixedText | undefined = undefined;
  /** Of heads whose last line it is: which of their lines have a field, in the order of the fields. */
  order: readonly number[] | undefined = undefined;
  private octets: Uint8Array;
  private length: number;
  /** Octets by which it is the one at the place where it was looked for last. */
  private same = 0;
  private times = 0;
  /** The line that came last behind this one, and those that came there before. */
  private behind: HeaderLine | undefined = undefined;
  private beside: HeaderLine | undefined = undefined;

  /** The first `name` octets from `at` on are its name, the colon, and the blanks behind that. */
  constructor(
    b: Uint8Array,
    at: number,
    colon: number,
    private readonly name: number,
  ) {
    this.row = headerRow(b, at, colon);
    this.octets = b.slice(at, at + name);
    this.length = name;
  }

  /** It came often enough as it is. */
  get isSteady(): boolean {
    return this.times === WORTH_KEEPING;
  }

  /** The line at `at`, if one of its name came behind this one before. */
  next(b: Uint8Array, at: number): HeaderLine | undefined {
    let line = this.behind;
    if (line === undefined || line.isAt(b, at)) return line;
    for (let i = 1; i < MOST_BESIDE; i++) {
      const before: HeaderLine = line;
      line = before.beside;
      if (line === undefined) return undefined;
      if (!line.isAt(b, at)) continue;
      before.beside = line.beside;
      this.add(line);
      return line;
    }
    line.beside = undefined;
    return undefined;
  }

  /** `line` came behind this one. */
  add(line: HeaderLine): void {
    line.beside = this.behind;
    this.behind = line;
  }

  /** Forget what came behind it. */
  clear(): void {
    this.behind = undefined;
  }

  private isAt(b: Uint8Array, at: number): boolean {
    const { octets, length } = this;
    let same = 0;
    while (same < length && octets[same] === b[at + same]) same++;
    this.same = same;
    return same >= this.name;
  }

  /** Take in the line at `at`, where {@link next} found it; where it ends, or -1 when it is folded or cut. */
  read(b: Uint8Array, at: number, end: number): number {
    const { same } = this;
    const isKnown = same === this.length && same > this.name;
    const next = isKnown ? at + same : lineEnd(b, at + same, end);
    if (next < 0 || next > end || (next < end && isIndent(b[next]))) return -1;
    if (!isKnown) this.keep(b, at, next);
    else if (this.times < WORTH_KEEPING) this.times++;
    return next;
  }

  private keep(b: Uint8Array, at: number, end: number): void {
    let value = at + this.name;
    while (isIndent(b[value])) value++;
    this.value = value - at;
    this.stop = trimmed(b, value, end) - at;
    this.text = undefined;
    this.times = 0;
    const length = end - at;
    if (length > LONGEST_LINE) this.length = this.name;
    else {
      if (length > this.octets.length) this.octets = b.slice(at, at + 2 * length);
      else for (let i = this.same; i < length; i++) this.octets[i] = b[at + i]!;
      this.length = length;
    }
  }
}

/** The lines of the head that was read last, and of those before it. */
export class HeaderLines {
  readonly lines: HeaderLine[] = [];
  private readonly starts = new Int32Array(MOST_LINES);
  /** Which of them have a field, in the order of the fields. */
  order: readonly number[] = [];
  private readonly first = new HeaderLine(new Uint8Array(0), 0, 0, 0);
  private kept = 0;

  /** Read the lines `[from, end)`, up to an empty one; false when there is something unusual. */
  read(b: Uint8Array, from: number, end: number): boolean {
    let line = this.first;
    let count = 0;
    for (let at = from; at < end; ) {
      // No name begins with a blank or the end of a line.
      let next = b[at]! > SPACE ? line.next(b, at) : undefined;
      if (next === undefined) {
        const colon = tokenEnd(b, at, end);
        if (b[colon] !== COLON || colon === at) {
          const stop = lineEnd(b, at, end);
          if (stop < 0 || !isBlank(b, at, stop)) return false;
          break;
        }
        next = this.keep(line, b, at, colon);
      }
      const stop = next.read(b, at, end);
      if (stop < 0 || count === MOST_LINES) return false;
      this.lines[count] = next;
      this.starts[count++] = at;
      line = next;
      at = stop;
    }
    this.order = line.order ??= this.orderOf(count);
    return true;
  }

  /** Where the value of one of the {@link order} begins and ends. */
  startOf(i: number): number {
    const n = this.order[i]!;
    return this.starts[n]! + this.lines[n]!.value;
  }
  endOf(i: number): number {
    const n = this.order[i]!;
    return this.starts[n]! + this.lines[n]!.stop;
  }

  private keep(before: HeaderLine, b: Uint8Array, at: number, colon: number): HeaderLine {
    if (this.kept++ === MOST_KEPT) {
      this.kept = 0;
      this.first.clear();
    }
    let value = colon + 1;
    while (isIndent(b[value])) value++;
    const line = new HeaderLine(b, at, colon, value - at);
    before.add(line);
    return line;
  }

  private orderOf(count: number): readonly number[] {
    const { lines } = this;
    return Array.from({ length: count }, (_, i) => i)
      .filter((i) => lines[i]!.row !== undefined)
      .sort((i, j) => lines[i]!.row!.index - lines[j]!.row!.index);
  }
}
