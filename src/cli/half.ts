/** The second thread of a read in halves: reads the same captures as the first, and hands over what it shows in blocks. */
import { parentPort, workerData } from 'node:worker_threads';
import { Share } from '../analysis/share.js';
import { openCaptures } from '../capture/open.js';
import { TextBuffer } from '../core/text.js';
import { createSession } from '../frames.js';
import { type Block, BlockWriter } from './blocks.js';
import { readHalf } from './half-reader.js';
import { MOST_WAITING, type Order, type Report } from './halves.js';
import { sessionOptions } from './session-options.js';
import { viewFor } from './view.js';

const { files, options } = workerData as Order;
const port = parentPort!;
const share = new Share(1);
const session = createSession({ ...sessionOptions(options), share });
const view = viewFor(options, false);
const head = new TextBuffer(256);
view.begin?.(head);
const blocks = new BlockWriter(view.lines ?? view.frame, head.asciiOnly);

/** Blocks that were written and came back. */
const used: Block[] = [];
/** Blocks that did not come back yet. */
let away = 0;
let wake: (() => void) | undefined;

port.on('message', (block: Block) => {
  used.push(block);
  away--;
  wake?.();
});

async function handOver(through: number): Promise<boolean> {
  const block = blocks.take(used.pop());
  const report: Report = { block, through, faults: blocks.faults };
  port.postMessage(report, block === undefined ? [] : [block.text.buffer as ArrayBuffer, block.marks.buffer as ArrayBuffer]);
  if (block !== undefined) away++;
  while (away > MOST_WAITING) await new Promise<void>((resolve) => (wake = resolve));
  return true;
}

const reader = await openCaptures(files);
await readHalf(reader, session, share, blocks, handOver);
await reader.close();
port.close();
