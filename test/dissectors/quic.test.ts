import { describe, expect, test } from 'vitest';
import { cryptography } from '../../src/capture/cryptography.js';
import { Quic } from '../../src/dissectors/quic.js';
import { CryptoStream } from '../../src/dissectors/quic-crypto-stream.js';
import { initialKeys, packetNumber } from '../../src/dissectors/quic-protection.js';
import { quicVersion } from '../../src/dissectors/quic-versions.js';
import { Tls } from '../../src/dissectors/tls.js';
import { createSession } from '../../src/frames.js';
import { dissect, everyCut, everyLie, fieldsOf, hex, IPV4, readAll, udpMessage, values } from '../packets.js';
import {
  CLIENT_CRYPTO,
  CLIENT_INITIAL,
  CLIENT_INITIAL_2,
  DESTINATION,
  join,
  padded,
  RETRY,
  RETRY_2,
  SERVER_INITIAL,
  SERVER_INITIAL_2,
  seal,
} from '../quic-packets.js';

/** Datagrams between two ends, in turn: of the client, or of the server. */
function talk(...turns: (readonly ['client' | 'server', Uint8Array])[]) {
  const session = createSession();
  return turns.map(([from, payload]) => {
    const turned = from === 'server';
    const octets = turned ? udpMessage(443, 50_000, payload, true) : udpMessage(50_000, 443, payload);
    return dissect(octets, { session, linkType: IPV4 });
  });
}

test('the keys of the appendices', () => {
  const text = (octets: Uint8Array) => Buffer.from(octets).toString('hex');
  const [client, server] = initialKeys(cryptography, quicVersion(1)!, quicVersion(1)!.salts[0]!, DESTINATION);
  expect([client.key, client.iv, client.mask].map(text)).toEqual([
    '1f369613dd76d5467730efcbe3b1a22d',
    'fa044b2f42a3fd3b46fb255c',
    '9f50449e04a0e810283a1e9933adedd2',
  ]);
  expect([server.key, server.iv, server.mask].map(text)).toEqual([
    'cf3a5331653c364c88f0f379b6067e37',
    '0ac1493ca1905853b0bba03e',
    'c206b8d9b9f0f37644430b490eeaa314',
  ]);
  const two = initialKeys(cryptography, quicVersion(0x6b3343cf)!, quicVersion(0x6b3343cf)!.salts[0]!, DESTINATION);
  expect([two[0].key, two[0].iv, two[0].mask].map(text)).toEqual([
    '8b1a0bc121284290a29e0971b5cd045d',
    '91f73e2351d8fa91660e909f',
    '45b95e15235d6f45a6b19cbcb0294ba9',
  ]);
  // The packet that these keys make is the appendix's.
  expect(text(CLIENT_INITIAL.subarray(0, 38))).toBe('c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b');
  expect(text(CLIENT_INITIAL.subarray(-16))).toBe('e221af44860018ab0856972e194cd934');
});

test('an Initial packet: its fields, and the Client Hello inside', () => {
  const [frame] = talk(['client', CLIENT_INITIAL]);
  expect(frame!.protocols).toBe('ip:udp:quic:tls');
  const { 'quic.payload': payload, ...fields } = fieldsOf(frame!, 'quic');
  expect(payload!.length).toBe(2 * 1178);
  expect(fields).toEqual({
    'quic.connection.number': '0',
    'quic.packet_length': '1200',
    'quic.header_form': '1',
    'quic.fixed_bit': '1',
    'quic.long.packet_type': '0',
    'quic.long.reserved': '0',
    'quic.packet_number_length': '3',
    'quic.version': '0x00000001',
    'quic.dcil': '8',
    'quic.dcid': '8394c8f03e515708',
    'quic.scil': '0',
    'quic.token_length': '0',
    'quic.length': '1182',
    'quic.packet_number': '2',
    'quic.frame': '1,1',
    'quic.frame_type': '6,0',
    'quic.crypto.offset': '0',
    'quic.crypto.length': '241',
    'quic.crypto.crypto_data': '1',
    'quic.padding_length': '917',
  });
  expect(values(frame!, 'tls.handshake.extensions_server_name')).toBe('example.com');
  expect(values(frame!, 'tls.handshake.extensions_alpn_str')).toBe('alpn');
  expect(values(frame!, 'tls.record')).toBe('');
  expect(values(frame!, 'tls.handshake.ja4')).toMatch(/^q13d0211an_/);
  expect(values(frame!, 'tls.quic.parameter.type')).toBe('4,5,7,8,1,9,15,6');
  expect(values(frame!, 'tls.quic.parameter.initial_max_data')).toBe('4611686018427387903');
  expect(values(frame!, 'tls.quic.parameter.max_idle_timeout')).toBe('30000');
  expect(values(frame!, 'tls.quic.parameter.initial_source_connection_id')).toBe('8394c8f03e515708');
});

describe('what the Info column says', () => {
  const short = hex('40 aabbccdd eeff');
  test.each<readonly [string, readonly (readonly ['client' | 'server', Uint8Array])[], string]>([
    [
      'the first packet',
      [['client', CLIENT_INITIAL]],
      'Initial, DCID=8394c8f03e515708, PKN: 2, CRYPTO (Client Hello (SNI=example.com)), PADDING',
    ],
    [
      'the answer',
      [
        ['client', CLIENT_INITIAL],
        ['server', hex(SERVER_INITIAL)],
      ],
      'Initial, SCID=f067a5502a4262b5, PKN: 1, ACK, CRYPTO (Server Hello)',
    ],
    [
      'the answer in version 2',
      [
        ['client', CLIENT_INITIAL_2],
        ['server', hex(SERVER_INITIAL_2)],
      ],
      'Initial, SCID=f067a5502a4262b5, PKN: 1, ACK, CRYPTO (Server Hello)',
    ],
    [
      'an answer in another version than was asked in (RFC 9368)',
      [
        ['client', CLIENT_INITIAL],
        ['server', hex(SERVER_INITIAL_2)],
      ],
      'Initial, SCID=f067a5502a4262b5, PKN: 1, ACK, CRYPTO (Server Hello)',
    ],
    ['the answer alone: nobody knows its keys', [['server', hex(SERVER_INITIAL)]], 'Initial, SCID=f067a5502a4262b5'],
    [
      'a Retry',
      [
        ['client', CLIENT_INITIAL],
        ['server', hex(RETRY)],
      ],
      'Retry, SCID=f067a5502a4262b5',
    ],
    [
      'a Retry of version 2',
      [
        ['client', CLIENT_INITIAL_2],
        ['server', hex(RETRY_2)],
      ],
      'Retry, SCID=f067a5502a4262b5',
    ],
    [
      'packets of one datagram',
      [
        ['client', CLIENT_INITIAL],
        ['server', join(hex(SERVER_INITIAL), hex('e0000000010008f067a5502a4262b5 04 01020304'), short)],
      ],
      'Initial, SCID=f067a5502a4262b5, PKN: 1, ACK, CRYPTO (Server Hello) | Handshake, SCID=f067a5502a4262b5 | Protected Payload (KP0)',
    ],
    [
      'a short header, whose destination the server chose',
      [
        ['client', CLIENT_INITIAL],
        ['server', hex(SERVER_INITIAL)],
        ['client', hex('40 f067a5502a4262b5 0102030405060708090a0b0c0d0e0f10111213')],
      ],
      'Protected Payload (KP0), DCID=f067a5502a4262b5',
    ],
    [
      'what a server speaks',
      [['server', hex('80 00000000 00 04 01020304 0a1a2a3a 00000001 6b3343cf')]],
      'Version Negotiation, SCID=01020304',
    ],
    [
      'the end of a connection',
      [
        ['client', CLIENT_INITIAL],
        ['server', seal(hex('c1000000010008f067a5502a4262b5004028 0001'), padded(hex('1c 4128 06 05 6e6f706521'), 22), true)],
      ],
      'Initial, SCID=f067a5502a4262b5, PKN: 1, CC, PADDING',
    ],
  ])('%s', (_, turns, info) => {
    const frames = talk(...turns);
    for (const frame of frames) readAll(frame);
    expect(frames[frames.length - 1]!.info).toBe(info);
  });

  test('octets that are no QUIC stay what they are', () => {
    for (const octets of ['c0 00000007 00 00', 'c0 ff000010 0801020304', '80 00000000 00 00 12345678', '40 0102030405', 'c0 00000001 ff00'])
      expect(talk(['client', hex(octets)])[0]!.get(Quic)).toBeUndefined();
  });
});

test('why a server ended the connection', () => {
  const close = seal(hex('c1000000010008f067a5502a4262b5004028 0001'), padded(hex('1c 4128 06 05 6e6f706521'), 22), true);
  const [, frame] = talk(['client', CLIENT_INITIAL], ['server', close]);
  expect(values(frame!, 'quic.cc.error_code')).toBe('296');
  expect(values(frame!, 'quic.cc.error_code.tls_alert')).toBe('40');
  expect(values(frame!, 'quic.cc.reason_phrase')).toBe('nope!');
});

test('a Retry: what it says is checked, and the keys of what follows come from it', () => {
  const wrong = hex(RETRY);
  wrong[wrong.length - 1]! ^= 1;
  const [, good, bad] = talk(['client', CLIENT_INITIAL], ['server', hex(RETRY)], ['server', wrong]);
  expect([values(good!, 'quic.retry_token'), values(good!, 'quic.retry_integrity_tag')]).toEqual([
    '746f6b656e',
    '04a265ba2eff4d829058fb3f0f2496ba',
  ]);
  expect([values(good!, 'quic.bad_retry'), values(bad!, 'quic.bad_retry')]).toEqual(['', '1']);
  const again = hex('c300000001 08 f067a5502a4262b5 00 05 746f6b656e 449e 00000003');
  const retried = seal(again, padded(hex(CLIENT_CRYPTO), 1162), false, hex('f067a5502a4262b5'));
  const [, , frame] = talk(['client', CLIENT_INITIAL], ['server', hex(RETRY)], ['client', retried]);
  expect(values(frame!, 'quic.token')).toBe('746f6b656e');
  expect(values(frame!, 'quic.packet_number')).toBe('3');
  // The same connection, and the same Client Hello.
  expect(values(frame!, 'quic.connection.number')).toBe('0');
  expect(values(frame!, 'quic.retransmission')).toBe('1');
  expect(frame!.get(Tls)).toBeUndefined();
});

test('what a Retry told is known when the octets of the frame that said so are overwritten', () => {
  const session = createSession();
  const one = (payload: Uint8Array, turned: boolean) =>
    dissect(turned ? udpMessage(443, 50_000, payload, true) : udpMessage(50_000, 443, payload), { session, linkType: IPV4 });
  const numbered = (number: number) =>
    seal(hex(`c300000001 08 f067a5502a4262b5 00 00 449e 0000000${number}`), padded(hex('01'), 1162), false, hex('f067a5502a4262b5'));
  for (const frame of [one(CLIENT_INITIAL, false), one(hex(RETRY), true), one(numbered(3), false)]) frame.own.fill(0);
  const frame = one(numbered(4), false);
  expect(['quic.packet_number', 'quic.connection.number'].map((name) => values(frame, name))).toEqual(['4', '0']);
});

test('a Client Hello in pieces, out of order, over two packets', () => {
  const hello = hex(CLIENT_CRYPTO).subarray(4);
  const varint = (n: number) => [0x40 | (n >> 8), n & 255];
  const piece = (from: number, to: number) => Uint8Array.from([6, ...varint(from), ...varint(to - from), ...hello.subarray(from, to)]);
  const packet = (number: number, ...frames: Uint8Array[]) =>
    seal(hex(`c000000001 08 8394c8f03e515708 00 00 4411 ${number.toString(16).padStart(2, '0')}`), padded(join(...frames), 1024));
  const [first, second] = talk(
    ['client', packet(0, piece(200, 241), piece(0, 50))],
    ['client', packet(1, piece(120, 200), piece(50, 120))],
  );
  expect(values(first!, 'quic.crypto.offset')).toBe('200,0');
  expect(first!.get(Tls)).toBeUndefined();
  expect(values(second!, 'tls.handshake.extensions_server_name')).toBe('example.com');
  expect(values(second!, 'quic.crypto.fragment')).toBe('1,2,2,1');
});

test('a version that nobody speaks is protected as the one that its sender would rather speak', () => {
  const octets = seal(hex('c3 1a2a3a4a 08 8394c8f03e515708 00 00 449e 00000002'), padded(hex(CLIENT_CRYPTO), 1162));
  expect(values(talk(['client', octets])[0]!, 'tls.handshake.extensions_server_name')).toBe('example.com');
});

test('octets in order, whatever their order was', () => {
  const octets = Uint8Array.from({ length: 64 }, (_, i) => i);
  for (const order of [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [2, 0, 3, 1],
    [1, 3, 0, 2, 1, 0],
  ]) {
    const stream = new CryptoStream();
    // A message of more than these octets, so that nothing is handed on before a gap is filled.
    const got = order.flatMap((i) => [...(stream.add(i * 16, octets.subarray(i * 16, i * 16 + 20), 1)?.octets ?? [])]);
    expect(got).toEqual([...octets]);
  }
  const flood = new CryptoStream();
  for (let i = 0; i < 100_000; i++) flood.add(10 + 2 * i, octets.subarray(0, 1), 1);
  expect(flood.has(10, 1)).toBe(true);
  expect(flood.has(150_000, 1)).toBe(false);
});

test('packet numbers (RFC 9000 appendix A.3)', () => {
  expect(packetNumber(0x9b32, 2, 0xa82f30ea)).toBe(0xa82f9b32);
  expect(packetNumber(0, 1, 255)).toBe(256);
  expect(packetNumber(255, 1, 256)).toBe(255);
  expect(packetNumber(7, 4, -1)).toBe(7);
});

test('cut short after any octet, and any octet wrong', () => {
  const first = udpMessage(50_000, 443, CLIENT_INITIAL);
  everyCut(first.subarray(0, 300), 28, IPV4);
  everyLie(udpMessage(443, 50_000, hex(SERVER_INITIAL), true), 28, IPV4);
  everyLie(udpMessage(443, 50_000, hex(RETRY), true), 28, IPV4);
  everyLie(udpMessage(50_000, 443, CLIENT_INITIAL.subarray(0, 120)), 28, IPV4);
});

test('lying frames inside a packet that is genuine', () => {
  const plain = padded(hex('02 05 00 01 01 00 02 | 1c 0a 00 03 616263 | 01 | 06 00 04 01000000'), 60);
  for (let at = 0; at < 24; at++)
    for (const octet of [0, 1, 6, 0x1c, 0x3f, 0x7f, 0xbf, 0xff]) {
      const lying = plain.slice();
      lying[at] = octet;
      const [frame] = talk(['client', seal(hex('c000000001 08 8394c8f03e515708 00 00 404d 00'), lying)]);
      readAll(frame!);
      expect(frame!.get(Quic)).toBeDefined();
    }
});

test('parameters of the drafts that say their length in two octets', () => {
  const extension = 'ffa5 0014 0012 0001 0004 80007530 0003 0002 45ac 0020 0000';
  const body = `0303 ${'11'.repeat(32)} 00 0002 1301 01 00 0018 ${extension}`;
  const length = hex(body).length;
  const crypto = hex(`06 00 ${(0x4000 + length + 4).toString(16)} 01 0000${length.toString(16)} ${body}`);
  const [frame] = talk(['client', seal(hex('c3ff000018 08 8394c8f03e515708 00 00 449e 00000002'), padded(crypto, 1162))]);
  expect(values(frame!, 'tls.quic.len')).toBe('18');
  expect(values(frame!, 'tls.quic.parameter.type')).toBe('1,3,32');
  expect(values(frame!, 'tls.quic.parameter.lengt.old')).toBe('4,2,0');
  expect(values(frame!, 'tls.quic.parameter.max_idle_timeout')).toBe('30000');
  expect(values(frame!, 'tls.quic.parameter.max_udp_payload_size')).toBe('1452');
});
