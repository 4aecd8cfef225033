/** What a command writes to its sink. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sink } from '../src/cli/sink.js';

/** What goes into a sink, as text. */
export async function written(run: (sink: Sink) => Promise<void>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'netlens-'));
  const path = join(folder, 'out');
  const descriptor = openSync(path, 'w');
  const sink = new Sink(descriptor);
  try {
    await run(sink);
    await sink.end();
    return readFileSync(path, 'utf8');
  } finally {
    closeSync(descriptor);
    rmSync(folder, { recursive: true });
  }
}
