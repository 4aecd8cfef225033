/** What commands that read captures have in common, without what it takes to show a frame. */
import type { LiveSource } from '../capture/live.js';
import type { CaptureReader } from '../capture/source.js';

/** Exit status: the capture ends in mid-record; all whole frames came first. */
export const CUT_SHORT = 3;
/** LINKTYPE_ that a capture filter is checked for when the file has not told its own yet. */
export const ETHERNET = 1;

/** Frames that the kernel dropped while capturing; undefined when the capture does not say. */
export function droppedByKernel(reader: CaptureReader): number | undefined {
  const stats = (reader as Partial<LiveSource>).stats?.();
  if (stats !== undefined) return stats.dropped;
  let dropped: number | undefined;
  // libpcap counts what the kernel drops as the interface's, others as the system's.
  for (const { dropped: byInterface, droppedBySystem } of reader.statistics)
    for (const known of [byInterface, droppedBySystem]) if (known !== undefined) dropped = (dropped ?? 0) + Number(known);
  return dropped;
}
