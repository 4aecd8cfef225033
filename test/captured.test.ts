import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CaptureRecord } from '../src/capture/source.js';
import { TextBuffer } from '../src/core/text.js';
import { createSession } from '../src/frames.js';
import { openCapture } from '../src/index.js';
import { JsonWriter } from '../src/output/json.js';

const FIXTURES = new URL('../fixtures/', import.meta.url);
/** Frames of a fixture that are looked at, and captures beyond this size are left out: they repeat what others have. */
const FRAMES = 12;
const LARGEST = 1 << 20;
/** Octets behind a frame, which are another frame's in truth. */
const BEHIND = 512;

/** The frame of `record` cut to `keep` octets, with others behind it. */
function cutCopy(record: CaptureRecord, keep: number, behind: (i: number) => number): CaptureRecord {
  const octets = new Uint8Array(keep + BEHIND).map((_, i) => behind(i));
  octets.set(record.bytes.subarray(record.start, record.start + keep));
  return Object.assign(new CaptureRecord(), record, { bytes: octets, start: 0, captured: keep });
}

/** Every frame is cut after each of its first octets, where the headers are. */
const CUTS = 72;

it('what stands behind the captured octets of a frame changes nothing', { timeout: 120_000 }, async () => {
  const differing: string[] = [];
  for (const name of readdirSync(FIXTURES).filter((file) => file.endsWith('.pcap'))) {
    const path = new URL(name, FIXTURES).pathname;
    if (readFileSync(path).length > LARGEST) continue;
    const reader = await openCapture(path);
    const behind = [() => 0, (i: number) => (i * 37 + 11) & 0xff];
    const runs = behind.map((octet) => ({ octet, session: createSession(), writer: new JsonWriter(), out: new TextBuffer() }));
    const record = new CaptureRecord();
    let frame = 0;
    do {
      while (frame < FRAMES && reader.next(record)) {
        frame++;
        for (let keep = 0; keep < Math.min(CUTS, record.captured - record.start); keep++) {
          const [first, second] = runs.map(({ octet, session, writer, out }) => {
            out.clear();
            writer.write(out, session.dissect(cutCopy(record, keep, octet)));
            return out.toString();
          });
          if (first !== second) differing.push(`${name} #${frame}, cut to ${keep}: ${first}${second}`);
        }
      }
    } while (frame < FRAMES && (await reader.fill()));
    await reader.close();
  }
  expect(differing).toEqual([]);
});
