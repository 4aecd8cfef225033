/** What the two sides of a conversation said. */
import { expect, test } from 'vitest';
import { Transcript, type TranscriptForm } from '../../src/report/transcript.js';

type Event = readonly [side: 'c' | 's', what: string | Uint8Array | number];

function transcript(form: TranscriptForm, events: readonly Event[], unicode = true): string[] {
  const lines: string[] = [];
  const made = new Transcript((line) => lines.push(line), { form, unicode });
  const positions = { c: 0, s: 0 };
  for (const [side, what] of events) {
    if (typeof what === 'number') {
      made.hole(side === 'c', what, positions[side]);
      positions[side] += what;
      continue;
    }
    const octets = typeof what === 'string' ? new TextEncoder().encode(`xx${what}`) : Uint8Array.of(0, 0, ...what);
    made.octets(side === 'c', octets, 2, octets.length, positions[side], 7, 0.25);
    positions[side] += octets.length - 2;
  }
  made.finish();
  return lines;
}

test('joins lines that came in pieces, and breaks them where the other side speaks', () => {
  expect(
    transcript('text', [
      ['c', 'GET /'],
      ['c', ' HTTP/1.1\r\n\r\nmo'],
      ['s', 'HTTP/1.1 200 OK\r\nno end'],
    ]),
  ).toEqual(['→ GET / HTTP/1.1', '→', '→ mo', '← HTTP/1.1 200 OK', '← no end', 'client 20 B · server 23 B']);
});

test('puts letters together whose octets came in two segments', () => {
  expect(
    transcript('text', [
      ['c', Uint8Array.of(0x67, 0x72, 0xc3)],
      ['c', Uint8Array.of(0xbc, 0xc3, 0x9f, 0x0a)],
    ])[0],
  ).toBe('→ grüß');
});

test('nothing that the wire brings reaches the terminal as a command', () => {
  const [line] = transcript('text', [['s', 'a\u001b[2J\u0007b\u202ec\td\n']]);
  expect(line).toBe('← a\\x1b[2J\\x07b\\u202ec    d');
});

test('shows holes as holes', () => {
  expect(
    transcript('text', [
      ['s', 'before '],
      ['s', 1460],
      ['s', 'after\n'],
    ]),
  ).toEqual(['← before ', '← [1 460 octets missing, from 7 on]', '← after', 'client 0 B · server 13 B · 1 hole of 1.46 kB']);
});

test('shows octets with their places in the stream, signs in ASCII where that is asked for', () => {
  expect(
    transcript(
      'hex',
      [
        ['c', Uint8Array.of(...Array.from({ length: 18 }, (_, i) => i + 0x3c))],
        ['c', 5],
        ['c', Uint8Array.of(0xff)],
      ],
      false,
    ),
  ).toEqual([
    '> #7  0.250000  client, 18 octets',
    '> 00000000  3c 3d 3e 3f 40 41 42 43  44 45 46 47 48 49 4a 4b  <=>?@ABCDEFGHIJK',
    '> 00000010  4c 4d                                             LM',
    '> [5 octets missing, from 18 on]',
    '> #7  0.250000  client, 1 octet',
    '> 00000017  ff                                                .',
    'client 19 B · server 0 B · 1 hole of 5 B',
  ]);
});
