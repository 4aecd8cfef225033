/** From options to what selects frames and what becomes of them. */
import type { CaptureReader } from '../capture/source.js';
import type { ViewOptions } from './options.js';
import type { Selection } from './view.js';

/** The filters and the writer that the options ask for; `close` finishes the written file. */
export async function selectionFor(options: ViewOptions, _reader: CaptureReader): Promise<Selection & { close(): Promise<void> }> {
  return { count: options.count, close: async () => {} };
}
