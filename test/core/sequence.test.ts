import { expect, test } from 'vitest';
import { seqAfter, seqAtOrBefore, seqBefore, seqDistance, seqMax, seqRelative } from '../../src/core/sequence.js';

test.each([
  // before or at 2^32
  [0xffffffff, 0, 1],
  [0xfffffff0, 0x10, 0x20],
  [0, 1, 1],
  // up to 2^31 apart, whether written signed or unsigned
  [0x7fffffff, 0x80000000, 1],
  [-1, 0, 1],
  [0x80000000, -1, 0x7fffffff],
])('%i comes before %i, %i octets earlier', (a, b, distance) => {
  expect(seqBefore(a, b)).toBe(true);
  expect(seqAfter(b, a)).toBe(true);
  expect(seqAfter(a, b)).toBe(false);
  expect(seqAtOrBefore(a, b)).toBe(true);
  expect(seqDistance(b, a)).toBe(distance);
  expect(seqMax(a, b)).toBe(b);
  expect(seqRelative(b, a)).toBe(distance);
});

test('a number is not before itself, whatever its sign', () => {
  expect(seqBefore(0xffffffff, -1)).toBe(false);
  expect(seqAtOrBefore(0xffffffff, -1)).toBe(true);
});
