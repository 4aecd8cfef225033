import { expect, test } from 'vitest';
import { firstLine } from '../../src/dissectors/http-first-line.js';
import { type Head, readHead } from '../../src/dissectors/http-head.js';
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

/** The head of a message, read line by line. */
function headOf(headers: HeaderLines, line: string, rest: string): Head {
  const octets = new TextEncoder().encode(line + rest);
  const first = firstLine(octets, 0, line.length)!;
  headers.read(octets, 0, line.length, octets.length);
  return readHead(octets, 0, octets.length, first, undefined, headers);
}

test('a head that comes often is known as a whole, and no other', () => {
  const headers = new HeaderLines();
  const rest = 'Host: a\r\nX-Own: 1\r\n\r\n';
  const known = (text: string, at = 0, end = text.length) => headers.known(new TextEncoder().encode(text), at, end);
  const heads = Array.from({ length: 12 }, () => headOf(headers, 'GET /often HTTP/1.1\r\n', rest));
  const head = heads.at(-1)!;
  expect(heads.filter((other) => other === head).length).toBeGreaterThan(4);
  const text = `GET /often HTTP/1.1\r\n${rest}`;
  expect(known(`${text}and more`)).toBe(head);
  expect(known(`..${text}`, 2)).toBe(head);
  expect(known(text, 0, text.length - 1)).toBe(undefined);
  for (let i = 0; i < text.length; i++) expect(known(`${text.slice(0, i)}~${text.slice(i + 1)}`)).toBe(undefined);
  // One with another value is another head, and the old one is still known.
  expect(headOf(headers, 'GET /often HTTP/1.1\r\n', rest.replace('a', 'b'))).toMatchObject({ host: 'b', times: 0 });
  expect(headOf(headers, 'GET /often HTTP/1.1\r\n', rest)).toMatchObject({ host: 'a', times: 0 });
  expect(known(text)).toBe(head);
});

test('of the heads that come often only some are known, and none with octets that are 0', () => {
  const headers = new HeaderLines();
  const text = (i: number, own: string) => [`GET /${i} HTTP/1.1\r\n`, `X-Own: ${own}\r\n\r\n`] as const;
  const isKnown = (i: number, own: string) => {
    const octets = new TextEncoder().encode(text(i, own).join(''));
    return headers.known(octets, 0, octets.length) !== undefined;
  };
  for (let i = 0; i < 40; i++) for (let n = 0; n < 12; n++) headOf(headers, ...text(i, '1'));
  expect(Array.from({ length: 40 }, (_, i) => isKnown(i, '1')).filter(Boolean)).toHaveLength(8);
  for (let n = 0; n < 12; n++) headOf(headers, ...text(40, '\0\0\0\0\0\0\0\0\0'));
  expect(isKnown(40, '\0\0\0\0\0\0\0\0\0')).toBe(false);
});
