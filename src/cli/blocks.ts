/** What a thread has to show, in blocks that can be handed to another: text, and where in it each frame's part ends. */
import type { Frame } from '../core/frame.js';
import { TextBuffer } from '../core/text.js';
import { CELLS, type Cells, type LineWriter } from '../output/line.js';
import type { Tone } from '../output/theme.js';

/** Some frames' text in the order of their numbers. */
export interface Block {
  readonly text: Uint8Array;
  /** For each frame {@link Blocks.stride} numbers: its own, then where its cells end in {@link text}; of a line, its tones before that. */
  readonly marks: Int32Array;
  readonly frames: number;
}

/** Numbers that are kept of a frame whose text is of one piece. */
const PLAIN = 2;
/** The same of a line: its number, two tones, the ends of its cells. */
const LINE = 3 + CELLS;

/** Octets of text in a block, and frames at most. */
const BATCH = 1 << 18;
const FRAMES = 4096;

const TONES: readonly (Tone | undefined)[] = [
  undefined,
  ...(['heading', 'name', 'note', 'trouble', 'opens', 'closes', 'resets'] as const),
  ...(['client', 'server', 'link', 'network', 'control', 'transport', 'application'] as const),
];

const NOTHING = new Uint8Array(0);

/** Fills blocks with what a view writes; of lines with their cells, as their columns depend on the other thread's lines, too. */
export class BlockWriter {
  private text = new TextBuffer(2 * BATCH);
  private marks: Int32Array;
  private frames = 0;
  /** Frames that could not be dissected whole because of an error of ours. */
  faults = 0;
  private readonly stride: number;

  constructor(
    private readonly view: LineWriter | ((out: TextBuffer, frame: Frame) => void),
    private readonly asciiOnly: boolean,
  ) {
    this.text.asciiOnly = asciiOnly;
    this.stride = typeof view === 'function' ? PLAIN : LINE;
    this.marks = new Int32Array(FRAMES * this.stride);
  }

  get full(): boolean {
    return this.text.length >= BATCH || this.frames === FRAMES;
  }

  add(frame: Frame): void {
    const { view, text, marks } = this;
    const at = this.frames++ * this.stride;
    marks[at] = frame.number;
    if (frame.fault !== undefined) this.faults++;
    if (typeof view === 'function') {
      view(text, frame);
      marks[at + 1] = text.length;
    } else {
      const tone = view.toneOf(frame);
      marks[at + 1] = tone === undefined ? 0 : TONES.indexOf(tone);
      marks[at + 2] = TONES.indexOf(view.protocolToneOf(frame));
      view.writeCells(text, marks, at + 3, frame);
    }
  }

  /** The block so far, and a new one begun in `used`, which nobody reads any more; undefined when there is nothing in it. */
  take(used?: Block): Block | undefined {
    const { text, marks, frames } = this;
    if (frames === 0) return undefined;
    this.text = new TextBuffer(used ? 0 : 2 * BATCH);
    this.text.asciiOnly = this.asciiOnly;
    if (used) this.text.bytes = used.text;
    this.marks = used?.marks ?? new Int32Array(marks.length);
    this.frames = 0;
    return { text: text.bytes, marks, frames };
  }
}

/** One thread's blocks as they wait to be written. */
interface Queue {
  readonly blocks: Block[];
  /** The frame of the first block that is next. */
  next: number;
  /** The thread has handed over all that it shows up to this frame. */
  through: number;
}

/** Puts the blocks of two threads in the order of the frames. */
export class Merge {
  private readonly queues: readonly [Queue, Queue] = [
    { blocks: [], next: 0, through: 0 },
    { blocks: [], next: 0, through: 0 },
  ];
  /** The cells of the line under way. */
  private readonly cells: Cells = { text: NOTHING, ends: [], at: 0, start: 0, tone: undefined, protocolTone: 'application' };
  /** All frames up to this one were written. */
  written = 0;

  /**
   * @param lines lays the lines out; undefined where frames' texts are whole
   * @param done called with each block when all of it was written
   */
  constructor(
    private readonly lines: LineWriter | undefined,
    private readonly done: (half: 0 | 1, block: Block) => void,
  ) {}

  /** A block of one thread, if there is one, and how far the thread has come: no frame up to `through` will follow. */
  offer(half: 0 | 1, block: Block | undefined, through: number): void {
    const queue = this.queues[half];
    if (block !== undefined) queue.blocks.push(block);
    queue.through = through;
  }

  /** Blocks of a thread that wait. */
  waiting(half: 0 | 1): number {
    return this.queues[half].blocks.length;
  }

  /** Write what can be written until `out` holds `most` octets; false when that was all for now. */
  write(out: TextBuffer, most: number): boolean {
    const [first, second] = this.queues;
    for (;;) {
      const a = nextOf(first, this.stride);
      const b = nextOf(second, this.stride);
      const half = a < b ? 0 : 1;
      const queue = this.queues[half];
      const limit = half === 0 ? b : a;
      if (queue.blocks.length === 0) {
        this.written = Math.min(first.through, second.through);
        return false;
      }
      this.run(out, half, queue, limit, most);
      if (out.length >= most) return true;
    }
  }

  private get stride(): number {
    return this.lines === undefined ? PLAIN : LINE;
  }

  /** Write frames of the first block that come before frame `limit`. */
  private run(out: TextBuffer, half: 0 | 1, queue: Queue, limit: number, most: number): void {
    const block = queue.blocks[0]!;
    const { text, marks, frames } = block;
    const { lines, stride } = this;
    let at = queue.next;
    let start = at === 0 ? 0 : marks[at * stride - 1]!;
    if (lines === undefined) {
      while (at < frames && marks[at * PLAIN]! < limit) at++;
      out.raw(text.subarray(start, marks[at * PLAIN - 1]!));
    } else {
      const { cells } = this;
      cells.text = text;
      cells.ends = marks;
      while (at < frames && marks[at * LINE]! < limit && out.length < most) {
        const mark = at * LINE;
        cells.start = start;
        cells.at = mark + 3;
        cells.tone = TONES[marks[mark + 1]!];
        cells.protocolTone = TONES[marks[mark + 2]!]!;
        lines.writeLine(out, cells);
        start = marks[mark + 2 + CELLS]!;
        at++;
      }
    }
    this.written = marks[(at - 1) * stride]!;
    queue.next = at;
    if (at < frames) return;
    queue.blocks.shift();
    queue.next = 0;
    this.done(half, block);
  }
}

/** The number of the frame that a thread shows next, as far as is known: it is none before that. */
const nextOf = ({ blocks, next, through }: Queue, stride: number): number =>
  blocks.length > 0 ? blocks[0]!.marks[next * stride]! : through + 0.5;
