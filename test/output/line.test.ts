import { expect, it } from 'vitest';
import { putRight } from '../../src/core/digits.js';
import { TextBuffer } from '../../src/core/text.js';
import { createSession } from '../../src/frames.js';
import { LINE_DEFAULTS, LineWriter } from '../../src/output/line.js';
import { dissect, hex, IPV4 } from '../packets.js';

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

it('ends that were seen before stand in columns that have become wider since', () => {
  const session = createSession();
  const out = new TextBuffer();
  const writer = new LineWriter({ ...LINE_DEFAULTS, look: 0 });
  const short = hex('45000020 00000000 40110000 c0000201 c0000202 | 0001 0002 000c 0000 61626364');
  const long = hex('45000020 00000000 40110000 cb0071c8 cb0071c9 | ea60 ea61 000c 0000 61626364');
  for (const octets of [short, short, long, short, short]) writer.write(out, dissect(octets, { session, linkType: IPV4 }));
  expect(out.toString().trimEnd().split('\n')).toEqual([
    '    1  0.000000  192.0.2.1:1 → 192.0.2.2:2  UDP    32  1 → 2 Len=4',
    '    2  0.000000  192.0.2.1:1 → 192.0.2.2:2  UDP    32  1 → 2 Len=4',
    '    3  0.000000  203.0.113.200:60000 → 203.0.113.201:60001  UDP    32  60000 → 60001 Len=4',
    '    4  0.000000  192.0.2.1:1         → 192.0.2.2:2          UDP    32  1 → 2 Len=4',
    '    5  0.000000  192.0.2.1:1         → 192.0.2.2:2          UDP    32  1 → 2 Len=4',
  ]);
});

it.each([0, 9, 10, 99, 100, 999, 1000, 9999, 10_000, 99_999, 100_000, 4_294_967_295])('%i is right-aligned by its digits', (n) => {
  const view = new DataView(new ArrayBuffer(64));
  for (const width of [1, 10, 20]) {
    const end = putRight(view, 3, n, width);
    expect(Buffer.from(view.buffer, 3, end - 3).toString()).toBe(String(n).padStart(width));
  }
});
