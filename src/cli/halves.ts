/**
 * Reading a capture with two threads, where that is asked for. Both read all of it and follow its connections, which is
 * the lesser part of the work; the streams of each connection are put in order, dissected and shown by one of them (see
 * Share), and what they show is put together in the order of the frames. That costs more than half as much processor time
 * again, so it can only pay where there are two whole cores to spare (see bench/README.md).
 */
import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Share } from '../analysis/share.js';
import type { CaptureReader } from '../capture/source.js';
import type { Session } from '../core/session.js';
import { type Block, BlockWriter, Merge } from './blocks.js';
import { readHalf } from './half-reader.js';
import type { ViewOptions } from './options.js';
import type { Sink } from './sink.js';
import type { Tally, View } from './view.js';

/** Blocks of a thread that may wait to be written. */
export const MOST_WAITING = 6;

/** What is new is short-lived in the second thread: room for little of it (MB) keeps both within the memory that one may take. */
const LIMITS = { maxYoungGenerationSizeMb: 6 };

/** What the second thread is told at its start. */
export interface Order {
  readonly files: readonly string[];
  readonly options: ViewOptions;
}

/** What it says: a block, how far it came, and how many of the frames that it showed were at fault. */
export interface Report {
  readonly block: Block | undefined;
  readonly through: number;
  readonly faults: number;
}

/** Are two threads asked for, and is there something for the second to do? Not where frames are counted or chosen one after another. */
export function inHalves(files: readonly string[], options: ViewOptions): boolean {
  const { filter, displayFilter, count, write, quiet, octets, decodeAs, threads } = options;
  if (threads !== '2' || process.stdout.isTTY) return false;
  if (filter !== undefined || displayFilter !== undefined || count !== undefined || write !== undefined || quiet || octets) return false;
  // What is plain to both threads (see Share) may not be once a port is decoded as a tunnel.
  if (decodeAs !== undefined) return false;
  return files.every((file) => file !== '-' && statSync(file, { throwIfNoEntry: false })?.isFile());
}

/** The second thread, as the first sees it. */
class Second {
  faults = 0;
  /** It has said all it has to say, or died. */
  ended = false;
  failed = false;
  private readonly worker: Worker;
  private wake: (() => void) | undefined;

  constructor(order: Order, take: (block: Block | undefined, through: number) => void) {
    // The bundle of this command stands one folder below.
    this.worker = new Worker(new URL('../half.js', import.meta.url), { workerData: order, resourceLimits: LIMITS });
    this.worker.on('message', ({ block, through, faults }: Report) => {
      this.faults = faults;
      this.ended = through === Number.POSITIVE_INFINITY;
      take(block, through);
      this.wake?.();
    });
    const end = (): void => {
      this.failed = !this.ended;
      this.ended = true;
      this.wake?.();
    };
    this.worker.on('error', end).on('exit', end);
  }

  /** Waits until it says something. */
  async word(): Promise<void> {
    if (!this.ended) await new Promise<void>((resolve) => (this.wake = resolve));
  }

  /** A block that was written is filled again. */
  giveBack(block: Block): void {
    if (!this.ended) this.worker.postMessage(block, [block.text.buffer as ArrayBuffer, block.marks.buffer as ArrayBuffer]);
  }

  async stop(): Promise<void> {
    this.ended = true;
    await this.worker.terminate();
  }
}

/**
 * Read to the end and show. Returns undefined, or up to which frame all is shown when the capture cannot be shared (a
 * frame carries segments of connections of both threads) or the second thread died: then one thread has to show the rest.
 */
export async function showHalves(
  reader: CaptureReader,
  session: Session,
  share: Share,
  order: Order,
  view: View,
  sink: Sink,
  tally: Tally,
): Promise<number | undefined> {
  const used: Block[] = [];
  const merge = new Merge(view.lines, (half, block) => {
    if (half === 1) second.giveBack(block);
    else used.push(block);
  });
  const second = new Second(order, (block, through) => merge.offer(1, block, through));
  view.begin?.(sink.out);
  const own = new BlockWriter(view.lines ?? view.frame, sink.out.asciiOnly);
  const write = async (): Promise<void> => {
    while (merge.write(sink.out, sink.batch)) await sink.flush();
  };
  const isOver = (): boolean => second.failed || sink.closed;
  try {
    await readHalf(reader, session, share, own, async (through) => {
      merge.offer(0, own.take(used.pop()), through);
      // The other thread gets a word in.
      await new Promise(setImmediate);
      await write();
      while ((through === Number.POSITIVE_INFINITY ? !second.ended : merge.waiting(0) > MOST_WAITING) && !isOver()) {
        await second.word();
        await write();
      }
      return !isOver();
    });
    tally.seen = session.count;
    if (sink.closed) return undefined;
    if (merge.written < session.count) return merge.written;
    view.release?.(sink.out);
    await sink.end();
    session.faults = own.faults + second.faults;
    return undefined;
  } finally {
    await second.stop();
  }
}
