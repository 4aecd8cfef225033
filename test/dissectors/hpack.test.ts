import { describe, expect, test } from 'vitest';
import { decodeHuffman, HpackDecoder } from '../../src/dissectors/hpack.js';
import { hex } from '../packets.js';

const lines = (decoder: HpackDecoder, block: string) => {
  const octets = hex(block);
  return decoder.decode(octets, 0, octets.length).headers.map(({ name, value }) => `${name}: ${value}`);
};
const table = (decoder: HpackDecoder) => decoder.table.map(({ name, value }) => `${name}: ${value}`);

const REQUESTS: readonly (readonly [headers: readonly string[], size: number, table: readonly string[]])[] = [
  [[':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'], 57, [':authority: www.example.com']],
  [
    [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com', 'cache-control: no-cache'],
    110,
    ['cache-control: no-cache', ':authority: www.example.com'],
  ],
  [
    [':method: GET', ':scheme: https', ':path: /index.html', ':authority: www.example.com', 'custom-key: custom-value'],
    164,
    ['custom-key: custom-value', 'cache-control: no-cache', ':authority: www.example.com'],
  ],
];
const DATES = ['Mon, 21 Oct 2013 20:13:21 GMT', 'Mon, 21 Oct 2013 20:13:22 GMT'];
const COOKIE = 'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';
const RESPONSES: typeof REQUESTS = [
  [
    [':status: 302', 'cache-control: private', `date: ${DATES[0]}`, 'location: https://www.example.com'],
    222,
    ['location: https://www.example.com', `date: ${DATES[0]}`, 'cache-control: private', ':status: 302'],
  ],
  [
    [':status: 307', 'cache-control: private', `date: ${DATES[0]}`, 'location: https://www.example.com'],
    222,
    [':status: 307', 'location: https://www.example.com', `date: ${DATES[0]}`, 'cache-control: private'],
  ],
  [
    [':status: 200', 'cache-control: private', `date: ${DATES[1]}`, 'location: https://www.example.com', 'content-encoding: gzip', COOKIE],
    215,
    [COOKIE, 'content-encoding: gzip', `date: ${DATES[1]}`],
  ],
];

describe('the examples of RFC 7541', () => {
  test.each([
    ['C.2.1 with indexing', '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', 'custom-key: custom-header', 55],
    ['C.2.2 without indexing', '040c 2f73 616d 706c 652f 7061 7468', ':path: /sample/path', 0],
    ['C.2.3 never indexed', '1008 7061 7373 776f 7264 0673 6563 7265 74', 'password: secret', 0],
    ['C.2.4 indexed', '82', ':method: GET', 0],
  ])('%s', (_name, block, header, size) => {
    const decoder = new HpackDecoder();
    expect([lines(decoder, block), decoder.tableSize]).toEqual([[header], size]);
  });

  test.each([
    [
      'C.3 requests without Huffman coding',
      '',
      REQUESTS,
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
    ],
    [
      'C.4 requests with it',
      '',
      REQUESTS,
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
    ],
    [
      'C.5 responses without it, in a table of 256 octets',
      '3fe101',
      RESPONSES,
      [
        `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 54
         6e17 6874 7470 733a 2f2f 7777 772e 6578 616d 706c 652e 636f 6d`,
        '4803 3330 37c1 c0bf',
        `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970
         7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b
         2076 6572 7369 6f6e 3d31`,
      ],
    ],
    [
      'C.6 responses with it',
      '3fe101',
      RESPONSES,
      [
        `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff
         6e91 9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3`,
        '4883 640e ffc1 c0bf',
        `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7
         b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
      ],
    ],
  ])('%s', (_name, before, expected, blocks) => {
    const decoder = new HpackDecoder();
    lines(decoder, before);
    blocks.forEach((block, i) => {
      expect(lines(decoder, block)).toEqual(expected[i]![0]);
      expect([decoder.tableSize, table(decoder)]).toEqual(expected[i]!.slice(1));
    });
  });
});

const decode = (block: string, decoder = new HpackDecoder()) => {
  const octets = hex(block);
  return decoder.decode(octets, 0, octets.length);
};

test('of what came before it was there it knows nothing, and of what comes after it everything', () => {
  const decoder = new HpackDecoder();
  decoder.forget();
  const block = decode('82 be c1 40 01 61 01 62', decoder);
  expect(block.headers.map(({ name, value }) => [name, value])).toEqual([
    [':method', 'GET'],
    [undefined, undefined],
    [undefined, undefined],
    ['a', 'b'],
  ]);
  expect([block.unknown, block.broken]).toEqual([true, undefined]);
  // The new entry stands before all that are not known; a name that is not known enters the table as such.
  expect(lines(decoder, 'be 7f00 01 78')).toEqual(['a: b', 'undefined: x']);
  // An emptied table is known again, whatever was in it.
  expect(decode('20 3fe11f be', decoder)).toMatchObject({ broken: 4, unknown: false });
});

test.each([
  ['an entry that is not there', '82 be', 1],
  ['entry 0', '80', 1],
  ['a name without a value', '82 40 01 61', 1],
  ['a string longer than the block', '82 00 7f 80 80 80 80 04', 1],
  ['a number of more than 31 bits', '82 ff 80 80 80 80 80 80', 7],
  ['the end of the string in the Huffman code', '00 84 ff ff ff ff 00', 0],
  ['eight bits of padding', '00 82 1f ff 00', 0],
  ['padding that is not ones', '00 81 18 00', 0],
])('%s breaks the rules', (_name, block, at) => {
  expect(decode(block).broken).toBe(at);
});

test('each octet in the Huffman code is read back', () => {
  // All 256 octets in their order, as another implementation (the hpack package of Python) writes them.
  const coded = hex(
    'ffc7fffd8fffffe2fffffe3fffffe4fffffe5fffffe6fffffe7fffffe8ffffeafffffff3fffffa7fffffabffffffdfffffebfffffecfff' +
      'ffedfffffeefffffefffffff0ffffff1ffffff2fffffffbfffffcffffffd3fffffd7fffffdbfffffdffffffe3fffffe7fffffebfffffed' +
      '4fe3f9ffaffcabf1febfafefe7fdfd2cbb00089969b71d79fb9f7fff20ffbff3ff50ddbd7f061c58f265cd9f469d5af66dddbf871e5f9c' +
      'ff7ff7fffc3ff9ffe45fff4719242cb34e6e9d68a6a3d7dac426defe3cfaf7fffbfe7ffbffdffffffcfffe6ffff4bfff9ffffa3fffd3ff' +
      'ff53fffd5ffffb3fffeb7fffdaffffb7ffff73fffeeffffdeffffebffffbfffffd9ffffdbfffebffffe0ffffeeffffc3ffff8bffff1fff' +
      'fe4fffee7fffb1ffff97fffd9ffffcdffff9fffffbffffdafffeeffff4ffffb7fffee7fffe8ffffd3fffdeffffd5fffeeffffbdffffe1f' +
      'ffdfffff7fffff5ffffecffff07fff87fffe0ffff17fffedffff87ffff77fffeffffeaffff8bfffe3ffff93ffff87fffcbffff37ffff1f' +
      'ffff83ffffe1fffebfffe3ffff3fffff2ffffa3ffffd9fffff17ffffc7fffff27ffffdefffffbffffff2fffff8fffffb7fff97fff8ffff' +
      'fe6fffffc1fffff87ffffe7fffffc5ffffe5fffe4ffff2fffffd1fffff4ffffffefffffe3fffffc9fffff97fffb3ffffcffffb7fffcdff' +
      'ff4ffff9ffffd1ffffcffffeaffffafffffddffffeffffff4fffff5fffffabffffa7ffffd7fffff9bffffecfffffb7fffff3fffffe8fff' +
      'ffd3fffffabfffff5fffffff7ffffecfffffdbfffffbbfffff7ffffff0fffffbbf',
  );
  expect([...decodeHuffman(coded, 0, coded.length)!]).toEqual(Array.from({ length: 256 }, (_, octet) => octet));
});

test('a block of few octets that stands for many is cut, and the table stays right', () => {
  const decoder = new HpackDecoder();
  // An entry of 3 000 octets, then a thousand references to it, then a new entry.
  const big = `40 01 61 7f b9 16 ${'62'.repeat(3000)}`;
  const block = decode(`${big} ${'be'.repeat(1000)} 40 01 63 01 64`, decoder);
  expect([block.headers.length, block.exceeded]).toEqual([87, 'size']);
  expect(table(decoder)[0]).toBe('c: d');
  expect(decode('82'.repeat(500)).exceeded).toBe('lines');
});

test('the table is as small as it was made, and no larger than our own limit', () => {
  const decoder = new HpackDecoder();
  // 2^30 octets are announced; entries of 37 000 octets each follow.
  decode('3f e1 ff ff ff 03', decoder);
  for (let i = 0; i < 40; i++) decode(`40 01 61 7f 81 a0 02 ${'62'.repeat(36_992)}`, decoder);
  expect(decoder.tableSize).toBeLessThanOrEqual(1 << 20);
  expect(decode('ff 00', decoder)).toMatchObject({ unknown: true, broken: undefined });
  decode('20', decoder);
  expect(decoder.tableSize).toBe(0);
});
