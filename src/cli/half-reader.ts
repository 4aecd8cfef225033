/** What both threads of a read in halves do. */
import type { Share } from '../analysis/share.js';
import { type CaptureReader, CaptureRecord } from '../capture/source.js';
import type { Session } from '../core/session.js';
import type { BlockWriter } from './blocks.js';

/** Frames after which the other thread hears how far this one has come, though there is nothing to show. */
const FAR = 16_384;

/**
 * Read to the end and put what this thread shows into blocks. `handOver(through)` is called when a block is full and at the
 * end: all frames up to `through` have been seen to, all that there will be when it is Infinity; it says whether to go on.
 * Where a frame belongs to both threads the reading ends without that.
 */
export async function readHalf(
  reader: CaptureReader,
  session: Session,
  share: Share,
  blocks: BlockWriter,
  handOver: (through: number) => Promise<boolean>,
): Promise<void> {
  const record = new CaptureRecord();
  let told = 0;
  do {
    while (reader.next(record)) {
      if (reader.secrets.length !== session.learnt) session.learn(reader.secrets);
      if (!share.wants(record, session.count + 1)) {
        session.skip(record);
        session.shown(record);
        continue;
      }
      const frame = session.dissect(record);
      if (share.torn) return;
      if (share.takes(frame)) blocks.add(frame);
      session.shown(frame);
      if (!blocks.full) continue;
      told = frame.number;
      if (!(await handOver(told))) return;
    }
    if (session.count - told < FAR) continue;
    told = session.count;
    if (!(await handOver(told))) return;
  } while (await reader.fill());
  await handOver(Number.POSITIVE_INFINITY);
}
