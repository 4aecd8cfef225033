/** Cut and changed captures: nothing throws, nothing hangs, whatever is asked of the frames. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openCapture } from '../src/capture/open.js';
import { CaptureRecord } from '../src/capture/source.js';
import type { Frame } from '../src/core/frame.js';
import { eachValue } from '../src/core/select.js';
import { TextBuffer } from '../src/core/text.js';
import { FIELDS } from '../src/dissectors/index.js';
import { createSession } from '../src/frames.js';
import { JsonWriter } from '../src/output/json.js';
import { LINE_DEFAULTS, LineWriter } from '../src/output/line.js';
import { writeTree } from '../src/output/tree.js';
import { numbers } from './numbers.js';

const folder = new URL('../fixtures/', import.meta.url);
const captures = readdirSync(folder).filter((name) => /\.pcap(ng)?$/.test(name));
const everyField = [...FIELDS.values()].flat().filter((field) => field.gather === undefined);
/** Those that stand for all layers are asked one by one. */
const gathered = [...FIELDS.values()].flat().filter((field) => field.gather !== undefined);

/** The records of a capture with octets of their own. */
async function recordsOf(capture: string): Promise<CaptureRecord[]> {
  const reader = await openCapture(new URL(capture, folder).pathname);
  const records: CaptureRecord[] = [];
  do {
    for (let record = new CaptureRecord(); reader.next(record); record = new CaptureRecord()) {
      record.bytes = record.bytes.slice(record.start, record.captured);
      record.captured -= record.start;
      record.start = 0;
      records.push(record);
    }
  } while (await reader.fill());
  await reader.close();
  return records;
}

const all = new Map(await Promise.all(captures.map(async (name) => [name, await recordsOf(name)] as const)));

const out = new TextBuffer();
const lines = new LineWriter({ ...LINE_DEFAULTS, look: 0, width: 80 });
const json = new JsonWriter({ octets: true });

/** Ask a frame for everything it can say. */
function exhaust(frame: Frame): void {
  out.clear();
  lines.write(out, frame);
  writeTree(out, frame);
  const from = out.length;
  json.write(out, frame);
  JSON.parse(out.toString(from));
  eachValue(frame, everyField, () => {});
  for (const field of gathered) eachValue(frame, [field], () => {});
  // The original carries the stack, which an expectation would hide.
  if (frame.fault !== undefined) throw frame.fault;
}

describe('a frame cut at any octet', () => {
  it.each(captures)('%s', { timeout: 120_000 }, (capture) => {
    const records = all.get(capture)!;
    const session = createSession({ checksums: true });
    for (const whole of records)
      for (let length = 0; length <= whole.captured; length += length < 200 ? 1 : 37) {
        const cut = Object.assign(new CaptureRecord(), whole, { bytes: whole.bytes.subarray(0, length), captured: length });
        exhaust(session.dissect(cut));
      }
  });
});

describe('a frame with changed octets', () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  it(`100 000 changes, SEED=${seed}`, { timeout: 600_000 }, () => {
    const random = numbers(seed);
    const records = [...all.values()].flat();
    let session = createSession({ checksums: true });
    for (let change = 0; change < 100_000; ) {
      // A new session now and then, so that state of one does not hide what another would do.
      if (change % 5000 < 3) session = createSession({ checksums: true });
      const whole = records[random(records.length)]!;
      const bytes = whole.bytes.slice();
      const times = 1 + random(3);
      for (let i = 0; i < times; i++, change++) bytes[random(bytes.length)] = [0, 0xff, 0x7f, 0x80, random(256)][random(5)]!;
      exhaust(session.dissect(Object.assign(new CaptureRecord(), whole, { bytes })));
    }
  });
});

describe('a file cut at any octet', () => {
  it.each(captures.filter((name) => name.endsWith('.pcap')))('%s', { timeout: 120_000 }, async (capture) => {
    const file = readFileSync(new URL(capture, folder));
    const records = all.get(capture)!.length;
    const { readCaptureOctets } = await import('./capture-octets.js');
    // Where each record of a pcap ends: 24 octets of file header, 16 of each record's.
    const ends = [24];
    for (const { captured } of all.get(capture)!) ends.push(ends.at(-1)! + 16 + captured);
    for (let length = 24; length <= file.length; length += length < 2000 ? 1 : 211) {
      const { frames, problems } = await readCaptureOctets(file.subarray(0, length));
      const whole = ends.findLastIndex((end) => end <= length);
      expect({ length, frames, problems }).toEqual({ length, frames: whole, problems: ends[whole] === length ? 0 : 1 });
    }
    expect((await readCaptureOctets(file)).frames).toBe(records);
  });
});
