/**
 * Header lines that come again and again: the heads of a connection are nearly the same, line by line. Each line is compared
 * with the one that came last behind the same lines; only where it differs are its name, its value and its end looked for.
 */
import type { Field } from '../core/field.js';
import type { FixedText } from '../core/fixed-text.js';
import type { FirstLine } from './http-first-line.js';
import { type Head, type Saying, sayingOf } from './http-head.js';
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
/** Heads that are known as a whole, and octets of the longest one. */
const MOST_HEADS = 8;
const LONGEST_HEAD = 1024;

/** How often a line came with another value than before: a clock, by which is told whether one did since. */
let changes = 0;

const viewOf = (b: Uint8Array): DataView => new DataView(b.buffer, b.byteOffset, b.length);

/** The octets of a head, eight at a time; the last eight are also those before the end. */
function wordsOf(octets: Uint8Array): Float64Array {
  const view = viewOf(octets);
  return Float64Array.from({ length: Math.ceil(octets.length / 8) }, (_, i) => view.getFloat64(Math.min(8 * i, octets.length - 8), true));
}

/**
 * Do the octets of `words`, none of which is 0, stand at `start`? So many are there. As numbers, eight octets that are equal
 * are the same, but for 0 and -0; some that are the same are not equal, and read line by line each time.
 */
function isSame(words: Float64Array, view: DataView, start: number, length: number): boolean {
  const last = words.length - 1;
  for (let i = 0, at = start; i < last; i++, at += 8) if (words[i] !== view.getFloat64(at, true)) return false;
  return words[last] === view.getFloat64(start + length - 8, true);
}

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
  /** What it says of its message. */
  saying: Saying | undefined = undefined;
  /** Of heads whose last line it is: which of their lines have a field, in the order of the fields. */
  order: readonly number[] | undefined = undefined;
  /** Of the same heads: the last one. */
  head: Head | undefined = undefined;
  /** By the clock of {@link changes}: when it came with this value first. */
  changed = 0;
  private octets: Uint8Array;
  /** Over {@link octets}. */
  private view: DataView;
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
    this.view = viewOf(this.octets);
    this.length = name;
  }

  /** It came often enough as it is. */
  get isSteady(): boolean {
    return this.times === WORTH_KEEPING;
  }

  /** The line at `at`, if one of its name came behind this one before. */
  next(b: Uint8Array, view: DataView, at: number): HeaderLine | undefined {
    let line = this.behind;
    if (line === undefined || line.isAt(b, view, at)) return line;
    for (let i = 1; i < MOST_BESIDE; i++) {
      const before: HeaderLine = line;
      line = before.beside;
      if (line === undefined) return undefined;
      if (!line.isAt(b, view, at)) continue;
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

  private isAt(b: Uint8Array, view: DataView, at: number): boolean {
    const { octets, length } = this;
    const most = Math.min(length, b.length - at) - 4;
    let same = 0;
    while (same <= most && this.view.getInt32(same, true) === view.getInt32(at + same, true)) same += 4;
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
    this.saying = sayingOf(b, at, end);
    this.times = 0;
    this.changed = ++changes;
    const length = end - at;
    if (length > LONGEST_LINE) this.length = this.name;
    else {
      if (length > this.octets.length) {
        this.octets = b.slice(at, at + 2 * length);
        this.view = viewOf(this.octets);
      } else for (let i = this.same; i < length; i++) this.octets[i] = b[at + i]!;
      this.length = length;
    }
  }
}

/** The lines of the head that was read last, and of those before it. Offsets count from the head's first octet. */
export class HeaderLines {
  readonly lines: HeaderLine[] = [];
  /** Octets of that head, its empty line included; 0 when it is not whole, or has something unusual. */
  length = 0;
  /** Which of its lines have a field, in the order of the fields. */
  order: readonly number[] = [];
  /** What was made of that head. */
  private head: Head | undefined = undefined;
  /** Its last line, and when one of its lines changed last. */
  private last: HeaderLine;
  private changed = 0;
  /** Heads that come again and again, octet for octet; roughly in the order in which they came last. */
  private readonly often: Head[] = [];
  private count = 0;
  private readonly starts = new Int32Array(MOST_LINES);
  private readonly first = new HeaderLine(new Uint8Array(0), 0, 0, 0);
  private kept = 0;
  /** What heads are read from, and a view over it. */
  private bytes: Uint8Array = new Uint8Array(0);
  private view = viewOf(this.bytes);

  constructor() {
    this.last = this.first;
  }

  /** One of the heads that come often, if it stands at `start`, whole. */
  known(b: Uint8Array, start: number, end: number): Head | undefined {
    const { often } = this;
    if (often.length === 0) return undefined;
    this.look(b);
    for (let i = 0; i < often.length; i++) {
      const head = often[i]!;
      if (start + head.length > end || !isSame(head.words!, this.view, start, head.length)) continue;
      if (i > 0) {
        often[i] = often[i - 1]!;
        often[i - 1] = head;
      }
      return head;
    }
    return undefined;
  }

  /** The head that was read last, if it is the same as one before it, which begins with the `first` line. */
  again(b: Uint8Array, start: number, first: FirstLine): Head | undefined {
    const { head } = this.last;
    if (head === undefined || head.first !== first || head.length !== this.length || head.since < this.changed) return undefined;
    this.head = head;
    if (++head.times === WORTH_KEEPING && head.length <= LONGEST_HEAD) this.keepHead(head, b.slice(start, start + head.length));
    return head;
  }

  private keepHead(head: Head, octets: Uint8Array): void {
    if (octets.includes(0)) return;
    head.words = wordsOf(octets);
    this.often[Math.min(this.often.length, MOST_HEADS - 1)] = head;
  }

  /** Read the lines of the `head` in `[start, end)`, which may be cut; false when there is something unusual. */
  readAll(b: Uint8Array, start: number, end: number, head: Head): boolean {
    if (this.head === head) return true;
    const stop = this.read(b, start, start + head.first.length, end);
    if (stop < end && this.length === 0) return false;
    this.head = head;
    return true;
  }

  /**
   * Read lines of the head that begins at `start`, from the one at `from` up to an empty one. Where they end: behind that,
   * or before the first one that is not whole, or is unusual.
   */
  read(b: Uint8Array, start: number, from: number, end: number): number {
    this.look(b);
    this.forget();
    let line = this.first;
    let count = 0;
    let at = from;
    let changed = 0;
    while (at < end && count < MOST_LINES) {
      // No name begins with a blank or the end of a line.
      let next = b[at]! > SPACE ? line.next(b, this.view, at) : undefined;
      if (next === undefined) {
        const colon = tokenEnd(b, at, end);
        if (b[colon] !== COLON || colon === at) {
          const stop = lineEnd(b, at, end);
          if (stop < 0 || !isBlank(b, at, stop)) return at;
          at = stop;
          this.length = at - start;
          break;
        }
        next = this.keep(line, b, at, colon);
      }
      const stop = next.read(b, at, end);
      if (stop < 0) return at;
      this.lines[count] = next;
      this.starts[count++] = at - start;
      if (next.changed > changed) changed = next.changed;
      line = next;
      at = stop;
    }
    this.last = line;
    this.changed = changed;
    this.count = count;
    this.order = line.order ??= this.orderOf(count);
    return at;
  }

  private look(b: Uint8Array): void {
    if (b === this.bytes) return;
    this.bytes = b;
    this.view = viewOf(b);
  }

  /** No head was read. */
  forget(): void {
    this.head = undefined;
    this.length = 0;
  }

  /** Tell the `head` that was read what its lines say. */
  tell(head: Head): void {
    const { lines, count } = this;
    for (let i = 0; i < count; i++) lines[i]!.saying?.(head);
    head.since = changes;
    this.last.head = this.head = head;
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

/** Those of all heads, as connections to the same servers, and of the same programs, resemble one another. */
export const headers = new HeaderLines();
