import { expect, test } from 'vitest';
import { HTTP_GIVES, HTTP_HEADINGS, HTTP_RIGHT } from '../../src/report/http.js';
import { type Cell, RollingTable } from '../../src/report/rolling-table.js';

const ROWS: readonly (readonly Cell[])[] = [
  HTTP_HEADINGS,
  ['0.020560', '192.168.16.173:35612', '198.244.151.63', 'PROPFIND /webdav/a/long/path', '207', '838 B', '19.5 ms', '1.23 s', 'gzip'],
  ['9.000000', '192.168.16.173:35613', '198.244.151.63', 'GET /', '200', '1.89 kB', '500 µs', '20 ms', ''],
];

/** The rows on so many columns. */
function shown(width: number): string[] {
  const lines: string[] = [];
  const table = new RollingTable((line) => lines.push(line), { right: HTTP_RIGHT, gives: HTTP_GIVES, width });
  for (const row of ROWS) table.row(row);
  table.release();
  return lines;
}

test('on a narrow terminal the request makes room, then who was asked, so that status and times are seen', () => {
  expect(shown(120)[1]).toBe(
    '0.020560  192.168.16.173:35612  198.244.151.63  PROPFIND /webdav/a/long/path  207       838 B  19.5 ms  1.23 s  gzip',
  );
  expect(shown(80)).toEqual([
    '    time  client                request           status    first    last',
    '0.020560  192.168.16.173:35612  PROPFIND /webda…  207     19.5 ms  1.23 s  gzip',
    '9.000000  192.168.16.173:35613  GET /             200      500 µs   20 ms',
  ]);
});

test('the last column stands at the right where it is of numbers', () => {
  const lines: string[] = [];
  const table = new RollingTable((line) => lines.push(line), { right: new Set([1]) });
  for (const row of [
    ['name', 'max'],
    ['a', '36.7 ms'],
    ['b', '1 s'],
  ])
    table.row(row);
  table.release();
  expect(lines).toEqual(['name      max', 'a     36.7 ms', 'b         1 s']);
});
