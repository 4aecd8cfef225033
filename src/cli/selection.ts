/** From options to what selects frames and what becomes of them. */
import { openWriter } from '../capture/write.js';
import { compileDisplayFilter } from '../filter/index.js';
import type { ViewOptions } from './options.js';
import type { Selection } from './view.js';

/** A selection that holds a file open. */
export type OpenSelection = Selection & { close(): Promise<void> };

/** The filters and the writer that the options ask for; `close` finishes the written file. `inputs` must not be written over. */
export async function selectionFor(options: ViewOptions, inputs: readonly string[] = []): Promise<OpenSelection> {
  const { count, write } = options;
  const display = options.displayFilter === undefined ? undefined : compileDisplayFilter(options.displayFilter);
  const chosen = { count, display: display?.test };
  if (write === undefined) return { ...chosen, close: async () => {} };
  const writer = await openWriter(write, { inputs, application: `netlens ${__VERSION__}` });
  return {
    ...chosen,
    chosen: (record) => writer.write(record),
    settle: () => writer.drain(),
    begin: (reader) => writer.keep(reader),
    close: () => writer.close(),
  };
}

declare const __VERSION__: string;
