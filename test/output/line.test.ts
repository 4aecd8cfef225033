import { expect, it } from 'vitest';
import { TextBuffer } from '../../src/core/text.js';
import { LINE_DEFAULTS, LineWriter } from '../../src/output/line.js';
import { dissect, hex } from '../packets.js';

/** LINKTYPE_USER0: nobody knows what is in it. */
const UNKNOWN = 147;

it.each([0, 50])('a frame without addresses has no arrow between them (%i frames looked at first)', (look) => {
  const out = new TextBuffer();
  const writer = new LineWriter({ ...LINE_DEFAULTS, look });
  writer.write(out, dissect(hex('01 02 03'), { linkType: UNKNOWN }));
  writer.release(out);
  expect(out.toString()).toContain('3 octets');
  expect(out.toString()).not.toContain('→');
});
