/** Reads a capture that stands in memory, by way of a file, as a user would. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCapture } from '../src/capture/open.js';
import { CaptureRecord } from '../src/capture/source.js';

const folder = mkdtempSync(join(tmpdir(), 'netlens-test-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

export async function readCaptureOctets(octets: Uint8Array): Promise<{ frames: number; problems: number }> {
  const path = join(folder, 'cut.pcap');
  writeFileSync(path, octets);
  const reader = await openCapture(path);
  const record = new CaptureRecord();
  let frames = 0;
  do while (reader.next(record)) frames++;
  while (await reader.fill());
  await reader.close();
  return { frames, problems: reader.problems.length };
}
