/** Display filters on files: whether two looks are worth it, and the first of them. */
import { stat } from 'node:fs/promises';
import { openCaptures } from '../capture/open.js';
import type { CaptureRecord } from '../capture/source.js';
import { FirstLook } from '../first-look.js';
import { formatOf, type ViewOptions, wantsView } from './options.js';
import type { OpenSelection } from './selection.js';

/** More octets are not looked at twice: somebody waits for the first line. */
const MOST_OCTETS = 4e9;

/** The selection, without what a first look at the files finds to be of no matter to it. */
export async function lookTwice(files: readonly string[], options: ViewOptions, selection: OpenSelection): Promise<OpenSelection> {
  const { filter, packet } = selection;
  if (filter?.possible === undefined || !dependsOnOwn(options) || !(await canBeReadTwice(files))) return selection;
  const reader = await openCaptures(files);
  let look: FirstLook | undefined;
  try {
    look = await FirstLook.at(reader, filter);
  } finally {
    await reader.close();
  }
  if (look === undefined) return selection;
  const wants = (record: CaptureRecord): boolean => {
    const wanted = look.wants(record);
    return (packet === undefined || packet(record)) && wanted;
  };
  return { ...selection, packet: wants, remark: undefined };
}

/**
 * True where what is shown of a frame depends on no conversation but its own: numbers of conversations do, and secrets may
 * serve several. Who wants only the first frames does not wait for a look at all.
 */
function dependsOnOwn(options: ViewOptions): boolean {
  const { count, keylog, decodeAs } = options;
  if (count !== undefined || keylog !== undefined || decodeAs !== undefined) return false;
  return !wantsView(options) || formatOf(options) === 'text';
}

async function canBeReadTwice(files: readonly string[]): Promise<boolean> {
  if (files.includes('-')) return false;
  let octets = 0;
  for (const file of files) {
    const status = await stat(file);
    if (!status.isFile()) return false;
    octets += status.size;
  }
  return octets <= MOST_OCTETS;
}
