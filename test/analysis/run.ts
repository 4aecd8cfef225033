/** Runs segments written as text (segments.ts), each with its time in milliseconds, and asks for fields as `-e` prints them. */
import { CaptureRecord } from '../../src/capture/source.js';
import { valueText } from '../../src/core/field.js';
import type { Frame } from '../../src/core/frame.js';
import { eachValue } from '../../src/core/select.js';
import { FIELDS } from '../../src/dissectors/index.js';
import { createSession } from '../../src/frames.js';
import { RAW_IP, segment } from './segments.js';

const C = '192.0.2.1:40000 > 192.0.2.2:80 ';
const S = '192.0.2.2:80 > 192.0.2.1:40000 ';

/** Frames of `'20 > A seq=1 …'` (from the client) and `'20 < A …'` (from the server), or with addresses in full; the time comes first. `each` gets every frame while its conversation stands as it did then. */
export function run(lines: readonly string[], each?: (frame: Frame) => void): Frame[] {
  const session = createSession();
  return lines.map((line) => {
    const [, ms, way, rest] = /^([\d.]+) ([<>]) (.*)$/.exec(line) ?? [];
    const text = way === undefined ? line.slice(line.indexOf(' ') + 1) : `${way === '>' ? C : S}${rest}`;
    const time = Number(ms ?? line.slice(0, line.indexOf(' ')));
    const record = new CaptureRecord();
    record.bytes = segment(text);
    record.captured = record.wireLength = record.bytes.length;
    record.seconds = 1_600_000_000 + Math.floor(time / 1000);
    record.nanoseconds = Math.round((time % 1000) * 1e6);
    record.interface = RAW_IP;
    const frame = session.dissect(record);
    each?.(frame);
    return frame.keep();
  });
}

/** A field's values in a frame as `-e` prints them. */
export function value(frame: Frame, name: string): string {
  const fields = FIELDS.get(name);
  if (fields === undefined) throw new Error(`no field ${name}`);
  const values: string[] = [];
  eachValue(frame, fields, (raw, field) => values.push(valueText(field, raw)));
  return values.join(',');
}

/** A handshake that takes 10 ms, with SACK, window scale 7 and 8; sequence numbers start at 1000 and 5000. */
export const HANDSHAKE = [
  '0 > S seq=1000 win=64240 opt=020405b40402010303070000',
  '9.95 < SA seq=5000 ack=1001 win=65160 opt=020405b40402010303080000',
  '10 > A seq=1001 ack=5001 win=502',
];
