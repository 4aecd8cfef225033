import { expect, test } from 'vitest';
import { HeaderLines } from '../../src/dissectors/http-header-lines.js';
// Its table gives the fields their order.
import '../../src/dissectors/http-layer.js';

/** The fields of a head with the values of their lines. */
function valuesOf(headers: HeaderLines, head: string): string[] | undefined {
  const octets = new TextEncoder().encode(head);
  headers.read(octets, 0, 0, octets.length);
  if (headers.length === 0) return undefined;
  return headers.order.map((n, i) => `${headers.lines[n]!.row!.name} ${head.slice(headers.startOf(i), headers.endOf(i))}`);
}

test('values in the order of the fields, of a head that came before, too', () => {
  const headers = new HeaderLines();
  for (const server of ['one', 'one', 'other', 'on', 'on'])
    expect(valuesOf(headers, `X-Own: 1\r\nServer: ${server}\r\nHost: a\r\nServer:\t2\r\n\r\n`)).toEqual([
      'http.host a',
      `http.server ${server}`,
      'http.server 2',
    ]);
  expect(valuesOf(headers, 'X-Own: 1\r\nServer: on\r\n folded\r\n\r\n')).toBe(undefined);
  expect(valuesOf(headers, 'X-Own: 1\r\nServer: on\r\nHos')).toBe(undefined);
  expect(valuesOf(headers, 'X-Own: 1\r\nServer: on')).toBe(undefined);
  expect(valuesOf(headers, 'X-Own: 1\r\nServer: on\r\n\r\n')).toEqual(['http.server on']);
});

test('a value that does not change is steady', () => {
  const headers = new HeaderLines();
  const steady = ['a', 'a', 'a', 'a', 'a', 'b', 'b', 'b', 'b', 'b'].map((host) => {
    valuesOf(headers, `Host: ${host}\r\n\r\n`);
    return headers.lines[0]!.isSteady;
  });
  expect(steady).toEqual([false, false, false, false, true, false, false, false, false, true]);
});

test('of very many lines those are forgotten that came long ago', () => {
  const headers = new HeaderLines();
  for (let i = 0; i < 5000; i++) expect(valuesOf(headers, `X-${i % 40}: a\r\nX-${i}: b\r\nHost: ${i}\r\n\r\n`)).toEqual([`http.host ${i}`]);
  expect(valuesOf(headers, `${'Host: a\r\n'.repeat(65)}\r\n`)).toBe(undefined);
});
