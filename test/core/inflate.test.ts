import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { inflate } from '../../src/core/inflate.js';

const MOST = 65535;
const text = Buffer.from('the same again, and the same again, and then something else. '.repeat(40));
/** Octets without a pattern, the same in each run. */
const noise = Uint8Array.from({ length: 3000 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 13) & 0xff);

describe('inflate', () => {
  it.each([
    ['stored octets', text, { level: 0 }],
    ['the fixed code', text, { strategy: constants.Z_FIXED }],
    ['codes of its own', Buffer.concat([text, noise]), { level: 9 }],
    ['literals alone', noise, { strategy: constants.Z_HUFFMAN_ONLY }],
    ['runs', new Uint8Array(5000).fill(7), {}],
    ['nothing', new Uint8Array(0), {}],
  ])('reads %s', (_what, octets, options) => {
    const deflated = deflateRawSync(octets, options);
    const framed = Uint8Array.from([0xff, 0xff, ...deflated, 0xff]);
    expect(Buffer.from(inflate(framed, 2, 2 + deflated.length, MOST)!)).toEqual(Buffer.from(octets));
  });

  it('gives up what ends early, and what grows beyond its bound', () => {
    const deflated = deflateRawSync(text);
    for (let length = 0; length < deflated.length; length++) expect(inflate(deflated, 0, length, MOST)).toBeUndefined();
    expect(inflate(deflated, 0, deflated.length, text.length)).toHaveLength(text.length);
    expect(inflate(deflated, 0, deflated.length, text.length - 1)).toBeUndefined();
  });

  it('survives every changed octet', () => {
    const deflated = deflateRawSync(Buffer.concat([text, noise.subarray(0, 100)]));
    for (let at = 0; at < deflated.length; at++)
      for (const bit of [1, 8, 128]) {
        const wrong = Uint8Array.from(deflated);
        wrong[at]! ^= bit;
        expect((inflate(wrong, 0, wrong.length, MOST) ?? []).length).toBeLessThanOrEqual(MOST);
      }
  });

  it('refuses the block type that does not exist, and lengths that contradict each other', () => {
    expect(inflate(Uint8Array.of(0x07), 0, 1, MOST)).toBeUndefined();
    expect(inflate(Uint8Array.of(0x01, 4, 0, 0, 0, 1, 2, 3, 4), 0, 9, MOST)).toBeUndefined();
  });
});
