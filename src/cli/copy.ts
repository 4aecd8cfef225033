/** Frames from a capture into another without a look inside: what `read -w` does when no frame is shown. */
import { type CaptureReader, CaptureRecord } from '../capture/source.js';
import type { Selection, Tally } from './view.js';

/** Read to the end, or to the count. */
export async function copyFrames(reader: CaptureReader, selection: Selection, tally: Tally): Promise<void> {
  const { packet, chosen, settle, count = Number.POSITIVE_INFINITY } = selection;
  const record = new CaptureRecord();
  let { seen, selected } = tally;
  let begun = false;
  try {
    do {
      while (selected < count && reader.next(record)) {
        if (!begun) {
          begun = true;
          selection.begin?.(reader);
        }
        seen++;
        if (packet !== undefined && !packet(record)) continue;
        selected++;
        chosen?.(record);
      }
      tally.seen = seen;
      tally.selected = selected;
      if (settle !== undefined) await settle();
    } while (selected < count && (await reader.fill()));
  } finally {
    tally.seen = seen;
    tally.selected = selected;
  }
}
