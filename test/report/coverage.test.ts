import { expect, it } from 'vitest';
import { folded } from '../../src/report/coverage.js';

const LINE = '9 connections: 8 ok, 1 refused by an alert · no holes · 0 frames cut short · drops by the kernel not recorded';

it.each([
  [0, LINE],
  [200, LINE],
  [80, '9 connections: 8 ok, 1 refused by an alert · no holes · 0 frames cut short ·\n  drops by the kernel not recorded'],
  [50, '9 connections: 8 ok, 1 refused by an alert ·\n  no holes · 0 frames cut short ·\n  drops by the kernel not recorded'],
  [10, '9 connections: 8 ok, 1 refused by an alert ·\n  no holes ·\n  0 frames cut short ·\n  drops by the kernel not recorded'],
])('a last line is broken between its parts on %i columns', (width, lines) => {
  expect(folded(LINE, width)).toBe(lines);
});
