import { expect, test } from 'vitest';
import { everyCut, everyLie, fieldsOf, hex, values } from '../packets.js';
import { octets, Talk } from '../reassembly/talk.js';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const LINE = 'PROXY TCP4 198.51.100.7 203.0.113.9 52176 443\r\n';
/** Local addresses and ports, the name of the server (AUTHORITY), and what TLS the balancer spoke. */
const BINARY = `${SIGNATURE} 21 11 0029 c6336407 cb007109 cbd0 01bb | 02 0004 682e6578 | 20 0013 01 00000000 21 0003 312e33 23 0005 4145532d31`;
const REQUEST = 'GET / HTTP/1.1\r\n\r\n';

const first = (payload: string | Uint8Array, port = 8000) => new Talk(port).open().client(0, payload);
const both = (header: Uint8Array) => Uint8Array.from([...header, ...octets(REQUEST)]);

test('version 1: all fields, and what follows', () => {
  const frame = first(LINE + REQUEST);
  expect(fieldsOf(frame, 'proxy')).toEqual({
    'proxy.v1.magic': '1',
    'proxy.v1.proto': 'TCP4',
    'proxy.src.ipv4': '198.51.100.7',
    'proxy.dst.ipv4': '203.0.113.9',
    'proxy.srcport': '52176',
    'proxy.dstport': '443',
  });
  expect(frame.protocols).toBe('ip:tcp:proxy:http');
  expect(values(first('PROXY TCP6 2001:db8::7 2001:db8::9 1 2\r\n'), 'proxy.src.ipv6')).toBe('2001:db8::7');
  expect(values(first('PROXY UNKNOWN and more\r\n'), 'proxy.v1.unknown')).toBe('and more');
});

test('version 2: all fields, and what follows', () => {
  const frame = first(both(hex(BINARY)));
  expect(fieldsOf(frame, 'proxy')).toEqual({
    'proxy.v2.magic': SIGNATURE,
    'proxy.v2.version': '2',
    'proxy.v2.cmd': '1',
    'proxy.v2.addr_family_protocol': '0x11',
    'proxy.v2.addr_family': '0x01',
    'proxy.v2.protocol': '0x01',
    'proxy.v2.length': '41',
    'proxy.src.ipv4': '198.51.100.7',
    'proxy.dst.ipv4': '203.0.113.9',
    'proxy.srcport': '52176',
    'proxy.dstport': '443',
    'proxy.v2.tlv': '1,1,1,1',
    'proxy.v2.tlv.type': '0x02,0x20,0x21,0x23',
    'proxy.v2.tlv.length': '4,19,3,5',
    'proxy.v2.tlv.value': '682e6578',
    'proxy.v2.tlv.ssl.client': '0x01',
    'proxy.v2.tlv.ssl.verify': '0x00000000',
    'proxy.v2.tlv.ssl.version': '1.3',
    'proxy.v2.tlv.ssl.cipher': 'AES-1',
  });
  expect(frame.protocols).toBe('ip:tcp:proxy:http');
});

test.each([
  [LINE, 'TCP4 198.51.100.7:52176 → 203.0.113.9:443'],
  ['PROXY TCP6 2001:db8::7 2001:db8::9 1 2\r\n', 'TCP6 [2001:db8::7]:1 → [2001:db8::9]:2'],
  ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN'],
  [hex(BINARY), 'TCP4 198.51.100.7:52176 → 203.0.113.9:443'],
  [hex(`${SIGNATURE} 20 00 0000`), 'Local'],
  [
    hex(`${SIGNATURE} 21 21 0024 ${'20010db8000000000000000000000007'} ${'20010db8000000000000000000000009'} 0001 0002`),
    'TCP6 [2001:db8::7]:1 → [2001:db8::9]:2',
  ],
])('says whose connection it is', (payload, info) => expect(first(payload).info).toBe(info));

test('is found on ports of others, which then speak what they are for', () => {
  const talk = new Talk(443).open();
  expect(talk.client(0, LINE).protocols).toBe('ip:tcp:proxy');
  const hello = hex('16 0301 0004 0e000000');
  expect(talk.client(LINE.length, hello).protocols).toBe('ip:tcp:tls');
});

test('comes octet by octet', () => {
  for (const header of [octets(LINE), hex(BINARY)]) {
    const talk = new Talk(8000, { decodeAs: [{ table: 'tcp.port', key: 8000, protocol: 'proxy' }] }).open();
    const found = [...header].map((octet, i) => talk.client(i, Uint8Array.of(octet)).protocols);
    expect(found.flatMap((protocols, i) => (protocols.endsWith(':proxy') ? [i] : []))).toEqual([header.length - 1]);
    expect(talk.client(header.length, REQUEST).protocols).toBe('ip:tcp:http');
  }
});

test('what only begins like it is not it', () => {
  for (const other of ['PROXY\r\n', 'PROXY TCP5 1 2\r\n', 'PROXYING\r\n']) expect(first(other).protocols).toBe('ip:tcp:data');
  // A length beyond all reason, and version 3.
  for (const lie of [`${SIGNATURE} 21 11 ffff`, `${SIGNATURE} 31 11 0000`]) expect(first(hex(lie)).protocols).toBe('ip:tcp:data');
});

test('every cut and every lie', () => {
  for (const payload of [octets(LINE + REQUEST), both(hex(BINARY))]) {
    const packet = hex(
      `4500 ${(40 + payload.length).toString(16).padStart(4, '0')} 0001 0000 4006 0000 c0000201 c0000202 | 9c40 1f40 00000001 00000001 5018 ffff 0000 0000`,
    );
    everyCut(Uint8Array.from([...packet, ...payload]), 40, 228);
    everyLie(Uint8Array.from([...packet, ...payload]), 40, 228);
  }
});
