import { expect, test } from 'vitest';
import { DHCP_GIVES, DHCP_HEADINGS, DHCP_RIGHT } from '../../src/report/dhcp.js';
import { HTTP_GIVES, HTTP_HEADINGS, HTTP_RIGHT } from '../../src/report/http.js';
import { type Cell, type Giving, RollingTable } from '../../src/report/rolling-table.js';

const ROWS: readonly (readonly Cell[])[] = [
  HTTP_HEADINGS,
  ['0.020560', '192.168.16.173:35612', '198.244.151.63', 'PROPFIND /webdav/a/long/path', '207', '838 B', '19.5 ms', '1.23 s', 'gzip'],
  ['9.000000', '192.168.16.173:35613', '198.244.151.63', 'GET /', '200', '1.89 kB', '500 µs', '20 ms', ''],
];

/** The rows on so many columns. */
function shown(width: number, rows = ROWS, right = HTTP_RIGHT, gives: readonly Giving[] = HTTP_GIVES, rest?: number): string[] {
  const lines: string[] = [];
  const table = new RollingTable((line) => lines.push(line), { right, gives, width, ...(rest !== undefined && { rest }) });
  for (const row of rows) table.row(row);
  table.release();
  return lines;
}

test('on a narrow terminal the steps of a lease make room, then who answered, so that what came of it is seen', () => {
  const lease = [
    '0.922009',
    '02:00:00:00:04:01',
    '192.168.16.173',
    'discover offer request ack',
    '192.168.16.150 for 10 min 0 s',
    '118 ms',
  ];
  expect(shown(80, [DHCP_HEADINGS, lease], DHCP_RIGHT, DHCP_GIVES, 8)).toEqual([
    '    time  client             messages    outcome                        took',
    '0.922009  02:00:00:00:04:01  discover …  192.168.16.150 for 10 min 0 s  118 ms',
  ]);
});

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
