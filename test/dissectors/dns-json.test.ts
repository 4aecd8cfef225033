import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { TextBuffer } from '../../src/core/text.js';
import { Dns } from '../../src/dissectors/dns.js';
import { createSession } from '../../src/frames.js';
import { JsonWriter } from '../../src/output/json.js';
import { dissect, hex } from '../packets.js';

const hex2 = (n: number) => n.toString(16).padStart(4, '0');

const session = createSession();

/** The DNS in a datagram with this message, all of it or what fits into `held` octets of it. */
function messageIn(message: Uint8Array, port = 53, held = message.length): Dns {
  const udp = `9c40 ${hex2(port)} ${hex2(8 + message.length)} 0000`;
  const head = hex(`020000000002 020000000001 0800 | 45 00 ${hex2(28 + message.length)} 0001 0000 40 11 0000 c0000201 c0000235 | ${udp}`);
  const octets = Uint8Array.from([...head, ...message.subarray(0, held)]);
  return dissect(octets, { session, wireLength: head.length + message.length }).get(Dns)!;
}

function jsonOf(dns: Dns): string {
  const { frame } = dns;
  frame.depth = 0;
  frame.push(dns);
  const out = new TextBuffer(64);
  new JsonWriter().write(out, frame);
  return out.toString();
}

/** Both ways to its JSON say the same. */
function expectSame(dns: Dns): void {
  const quick = jsonOf(dns);
  dns.quickJson = () => false;
  expect(jsonOf(dns)).toBe(quick);
}

/** `www.x.test` as labels; c00c points to it, c010 to `x.test`. */
const NAME = '03777777 0178 0474657374 00';
const QUESTION = `1234 0120 0001 0000 0000 0000 | ${NAME} 0001 0001`;
const answers = (...records: string[]) => `1234 8180 0001 ${hex2(records.length)} 0000 0000 | ${NAME} 00ff 0001 | ${records.join(' | ')}`;
/** A record of `www.x.test`. */
const record = (type: number, data: string, owner = 'c00c', ttl = '0000003c') =>
  `${owner} ${hex2(type)} 0001 ${ttl} ${hex2(hex(data).length)} ${data}`;
const SOA = '026e73 c010 | 0161 00 | 00000001 00000002 00000003 00000004 ffffffff';

const PLAIN = [
  QUESTION,
  '1234 0000 0000 0000 0000 0000',
  // The root, a name of one octet, names with quotes, dots, control characters and octets beyond ASCII.
  '1234 0000 0005 0000 0000 0000 | 00 0002 0001 | 0161 00 0001 0001 | 0422 5c 2e 62 00 0001 0003 | 03 0a 1b 7f 00 0001 00ff | 02 c3a9 01ff 00 1234 0001',
  answers(record(5, '036364 6e c010'), record(1, 'c0000201', 'c028')),
  answers(record(28, '20010db8 00000000 00000000 00000001'), record(28, '00000000 00000000 0000ffff c0000201')),
  answers(record(2, '026e73 c010'), record(12, 'c00c'), record(15, '000a 026d78 c010'), record(16, '02 6869 00 03 22 1b e9')),
  `1234 8183 0001 0000 0001 0001 | ${NAME} 0001 0001 | ${record(6, SOA, 'c010')} | 00 0029 04d0 01 00 8000 0000`,
  // Nothing in it, as in an update (RFC 2136 section 2.5.2).
  answers(record(1, ''), record(6, ''), record(16, '')),
  `1234 0120 0001 0000 0000 0001 | ${NAME} 001c 0001 | 00 0029 04d0 00 00 0000 000c | 000a 0008 0102030405060708`,
  `1234 0120 0001 0000 0000 0001 | ${NAME} 001c 0001 | 00 0029 04d0 00 00 ffff 001c | 000a 0018 0102030405060708 00112233445566778899aabbccddeeff`,
];

const OTHERS = [
  // Records of other kinds, and data that is not what its type says.
  answers(record(1, 'c0000201'), record(33, '0001 0002 0185 c010', '055f6c646170 045f746370 c00c')),
  answers(record(65, '0001 00 | 0001 0003 02 6832')),
  answers(record(4711, '0102')),
  answers(record(1, 'c00002')),
  answers(record(1, 'c0000201 00')),
  answers(record(28, 'c0000201')),
  answers(record(5, '05 61')),
  answers(record(5, '40')),
  answers(record(15, '00')),
  answers(record(16, '05 6869')),
  answers(record(6, SOA.slice(0, -8))),
  // A TTL of 136 years, a name that points to itself, an unknown label, a pointer out of the message.
  answers(record(1, 'c0000201', 'c00c', 'ffffffff')),
  answers(record(1, 'c0000201', 'c01c')),
  answers(record(1, 'c0000201', '41 ff 00')),
  answers(record(1, 'c0000201', 'c0ff')),
  // Options other than cookies, and one that runs out of its record.
  `1234 0120 0001 0000 0000 0001 | ${NAME} 001c 0001 | 00 0029 04d0 00 00 8000 000c | 000c 0008 0000000000000000`,
  `1234 0120 0001 0000 0000 0001 | ${NAME} 001c 0001 | 00 0029 04d0 00 00 8000 0006 | 000a 0008 0102`,
  `1234 0120 0001 0000 0000 0001 | ${NAME} 001c 0001 | 00 0029 04d0 00 00 8000 0003 | 000a 00`,
  // Octets behind the last record, counts that lie, stateful operations.
  `${QUESTION} 0102`,
  `1234 0120 0002 0000 0000 0000 | ${NAME} 0001 0001`,
  `1234 8180 0001 ffff 0000 0000 | ${NAME} 0001 0001 | ${record(1, 'c0000201')}`,
  '1234 3000 0000 0000 0000 0000 | 0001 0008 00000001 00000002',
];

afterEach(() => {
  vi.restoreAllMocks();
});

test('a question and its answers as JSON', () => {
  expect(JSON.parse(jsonOf(messageIn(hex(PLAIN[6]!)))).dns).toMatchObject({
    queries: [{ qry: { name: { value: 'www.x.test', len: 10 }, type: 1, class: 1 }, count: { labels: 3 } }],
    authorities: [
      {
        resp: { name: 'x.test', type: 6, class: 1, ttl: 60, len: 28 },
        soa: { mname: 'ns.x.test', rname: 'a', serial_number: 1, minimum_ttl: 4294967295 },
      },
    ],
    additionals: [
      {
        resp: { name: '<Root>', type: 41, ext_rcode: 1, z: { value: 32768, do: true, reserved: 0 }, len: 0 },
        rr: { udp_payload_size: 1232 },
      },
    ],
  });
});

test.each([...PLAIN, ...OTHERS])('%s: straight from the octets as from the walk, also when it is cut', (text) => {
  const message = hex(text);
  for (const port of [53, 5353, 5355])
    for (let held = 12; held <= message.length; held++) {
      expectSame(messageIn(message, port, held));
      expectSame(messageIn(message.subarray(0, held), port));
    }
});

test('whatever octets are changed, both say the same', () => {
  const change = fc.record({ at: fc.nat(), octet: fc.oneof(fc.constantFrom(0, 1, 3, 0x3f, 0xc0, 0xff), fc.integer({ min: 0, max: 255 })) });
  fc.assert(
    fc.property(
      fc.constantFrom(...PLAIN, ...OTHERS),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      fc.constantFrom(53, 5353),
      (text, changes, port) => {
        const message = hex(text);
        for (const { at, octet } of changes) message[at % message.length] = octet;
        expectSame(messageIn(message, port));
      },
    ),
    { numRuns: 1000 },
  );
});

test('plain messages need no walk', () => {
  const walk = vi.spyOn(Dns.prototype, 'walk');
  for (const text of PLAIN) jsonOf(messageIn(hex(text)));
  expect(walk).not.toHaveBeenCalled();
});
