import { expect, test } from 'vitest';
import { TextBuffer } from '../../src/core/text.js';
import { durationText, writeDuration } from '../../src/core/time.js';

test.each([
  [0, '0'],
  [999, '999 ns'],
  [1000, '1 µs'],
  [1480, '1.48 µs'],
  [1500, '1.5 µs'],
  [9994, '9.99 µs'],
  [9995, '10 µs'],
  [12_340, '12.3 µs'],
  [99_949, '99.9 µs'],
  [99_950, '100 µs'],
  [999_499, '999 µs'],
  [999_500, '1 ms'],
  [203_000_000, '203 ms'],
  [99_949_999_999, '99.9 s'],
  [99_950_000_000, '1 min 40 s'],
  [-1500, '−1.5 µs'],
  [12_345_678_901_234_567n, '142 d 21 h'],
])('%d ns is %s', (time, text) => {
  expect(durationText(time)).toBe(text);
  const out = new TextBuffer(1);
  writeDuration(out, time);
  expect(out.toString()).toBe(text);
});
