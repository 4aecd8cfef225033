import { expect, test } from 'vitest';
import { OctetKind, TextBuffer } from '../../src/core/text.js';
import { JsonMemory } from '../../src/output/json-memory.js';
import { JsonTexts } from '../../src/output/json-texts.js';
import { webAssembly } from '../../src/output/webassembly.js';

const ASCII = Uint8Array.from({ length: 64 }, (_, i) => 0x41 + (i % 26));

/** What both ways make of `[from, to)`: whether they copy it, and what stands in the buffer then. */
function copies(kind: OctetKind, octets: Uint8Array, from: number, to: number) {
  const within = new TextBuffer(8);
  within.bytes = ROOM;
  within.writeBy(TEXTS);
  HELD.set(octets);
  return [
    [new TextBuffer(8), octets],
    [within, HELD],
  ].map(([out, source]) => {
    const buffer = out as TextBuffer;
    buffer.ascii('~');
    const isCopied = buffer.octetsIf(kind, source as Uint8Array, from, to);
    return `${isCopied} ${buffer}`;
  });
}

const MEMORY = new JsonMemory(webAssembly!);
const TEXTS = new JsonTexts(MEMORY);
const ROOM = MEMORY.room(256)!;
const HELD = MEMORY.room(256)!;

test('octets of a kind are copied within memory as elsewhere, whatever stands around them', () => {
  for (const kind of [OctetKind.Printable, OctetKind.Plain, OctetKind.Word])
    for (let octet = 0; octet < 256; octet++)
      for (const at of [0, 1, 15, 16, 17, 33]) {
        const octets = ASCII.slice();
        octets[at] = octet;
        for (const [from, to] of [
          [0, 34],
          [0, at],
          [at, at + 1],
          [at + 1, at + 20],
        ] as const) {
          const [one, other] = copies(kind, octets, from, to);
          expect(other, `${OctetKind[kind]}: ${octet} at ${at}, [${from}, ${to})`).toBe(one);
        }
      }
});

test('a word has no blanks and no quotes, what is plain no quotes and backslashes, what is printable all of them', () => {
  const kindsOf = (text: string) =>
    [OctetKind.Printable, OctetKind.Plain, OctetKind.Word].filter((kind) => {
      const octets = new TextEncoder().encode(text);
      const [, within] = copies(kind, octets, 0, octets.length);
      return within === `true ~${text}`;
    });
  expect(kindsOf('user:1')).toEqual([OctetKind.Printable, OctetKind.Plain, OctetKind.Word]);
  expect(kindsOf("it's blank")).toEqual([OctetKind.Printable, OctetKind.Plain]);
  expect(kindsOf('"\\"')).toEqual([OctetKind.Printable]);
  expect(kindsOf('line\n')).toEqual([]);
  expect(kindsOf('über')).toEqual([]);
});

test('what has to be escaped in JSON is found wherever it stands, and nothing behind the end is taken for it', () => {
  for (const [octet, isFree] of [
    [0x22, false],
    [0x5c, false],
    [0x27, true],
    [0xb7, true],
  ] as const)
    for (const at of [2, 15, 16, 17, 18, 33]) {
      const out = new TextBuffer(8);
      out.bytes = ROOM;
      out.raw(Uint8Array.of(0x22, 0x22, ...ASCII.subarray(0, 32)));
      out.bytes[at] = octet;
      expect(TEXTS.isFreeOfEscapes(out, 2), `${octet} at ${at}`).toBe(isFree);
      out.bytes[at] = 0x22;
      out.length = at;
      expect(TEXTS.isFreeOfEscapes(out, 2), `nothing up to ${at}`).toBe(true);
    }
  const elsewhere = new TextBuffer(64);
  elsewhere.ascii('plain');
  expect(TEXTS.isFreeOfEscapes(elsewhere, 0)).toBe(false);
});
