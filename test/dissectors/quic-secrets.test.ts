import { expect, test } from 'vitest';
import { KeyLog } from '../../src/analysis/tls-keylog.js';
import { cryptography } from '../../src/capture/cryptography.js';
import { Quic } from '../../src/dissectors/quic.js';
import {
  nextSecret,
  openHeader,
  openPayload,
  type PacketKeys,
  packetKeys,
  packetNumber,
  packetSuite,
} from '../../src/dissectors/quic-protection.js';
import { fieldsOf, hex, readAll, values } from '../packets.js';
import { AES, CLIENT, data, keysOf, logged, ONE, SERVER, secretOf, talk } from '../quic-connection.js';
import { join, padded, sealWith } from '../quic-packets.js';

test('the packet of RFC 9001 appendix A.5, under ChaCha20', () => {
  const secret = hex('9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b');
  const keys = packetKeys(cryptography, ONE, packetSuite(0x1303)!, secret);
  const text = (octets: Uint8Array) => Buffer.from(octets).toString('hex');
  expect(text(keys.mask)).toBe('25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4');
  expect(text(nextSecret(cryptography, ONE, packetSuite(0x1303)!, secret))).toBe(
    '1223504755036d556342ee9361d253421a826c9ecdf3c7148684b36b714881f9',
  );
  const packet = hex('4cfe4189655e5cd55c41f69080575d7999c25a5bfb');
  const header = openHeader(cryptography, keys, packet, 0, 1, packet.length)!;
  expect(text(header.octets)).toBe('4200bff4');
  const number = packetNumber(header.truncated, header.numberLength, 654_360_563);
  expect(number).toBe(654_360_564);
  expect(text(openPayload(cryptography, keys, packet, 1, packet.length, header, number)!.plain)).toBe('01');
});

test('a 1-RTT packet: its header and all its frames', () => {
  const [frame] = talk(logged(), ['client', data(7, '04 04 4100 05 | 05 08 06 | 07 02 aabb | 0b 00 03 313233', CLIENT, 0x60)]);
  const { 'quic.protected_payload': hidden, ...fields } = fieldsOf(frame!, 'quic');
  expect(hidden!.length).toBe(2 * 56);
  expect(fields).toEqual({
    'quic.connection.number': '0',
    'quic.packet_length': '66',
    'quic.short': '1',
    'quic.header_form': '0',
    'quic.fixed_bit': '1',
    'quic.spin_bit': '1',
    'quic.short.reserved': '0',
    'quic.key_phase': '0',
    'quic.packet_number_length': '0',
    'quic.dcid': SERVER,
    'quic.packet_number': '7',
    'quic.frame': '1,1,1,1,1',
    'quic.frame_type': '4,5,7,11,0',
    'quic.rsts.stream_id': '4',
    'quic.rsts.application_error_code': '256',
    'quic.rsts.final_size': '5',
    'quic.ss.stream_id': '8',
    'quic.ss.application_error_code': '6',
    'quic.nt.length': '2',
    'quic.nt.token': 'aabb',
    'quic.stream.fin': '1',
    'quic.stream.len': '1',
    'quic.stream.off': '0',
    'quic.stream.stream_id': '0',
    'quic.stream.initiator': '0',
    'quic.stream.direction': '0',
    'quic.stream.length': '3',
    'quic.stream_data': '313233',
    'quic.padding_length': '22',
  });
  const says = (text: string, ...names: string[]) => {
    const [other] = talk(logged(), ['client', data(8, text)]);
    return [other!.info.replace(/.*PKN: 8, /, ''), ...names.map((name) => values(other!, name))];
  };
  expect(says('10 4400 | 11 04 05 | 12 09 | 14 07 | 15 04 08 | 16 03', 'quic.md.maximum_data', 'quic.msd.maximum_stream_data')).toEqual([
    'MD, MSD, MS, DB, SDB, SB, PADDING',
    '1024',
    '5',
  ]);
  expect(says('19 02 | 1a 0102030405060708 | 1b 1112131415161718', 'quic.rci.sequence', 'quic.path_response.data')).toEqual([
    'RC, PC, PR, PADDING',
    '2',
    '1112131415161718',
  ]);
  expect(says('31 02 aabb | 30 cc', 'quic.dg.length', 'quic.frame_type')).toEqual(['DG', '2', '49,48']);
  expect(says('40af 01 02 03 03 | 42f5 09 | 1e', 'quic.af.ignore_order', 'quic.ts')).toEqual(['AF, TS, DONE, PADDING', '1', '9']);
  expect(says('1d 4100 02 6f6b', 'quic.cc.error_code.app', 'quic.cc.reason_phrase')).toEqual(['CC, PADDING', '256', 'ok']);
  expect(says('33', 'quic.ft.unknown')).toEqual(['Unknown frame', '1']);
});

test('Handshake and 0-RTT packets', () => {
  const long = (first: string, keys: PacketKeys, plain: string) =>
    sealWith(keys, hex(`${first} 00000001 08 ${SERVER} 00 4039 05`), padded(hex(plain), 40));
  const [handshake, early] = talk(
    logged(),
    ['client', long('e0', keysOf('CLIENT_HANDSHAKE_TRAFFIC_SECRET'), '06 00 08 14000004 01020304')],
    ['client', long('d0', keysOf('CLIENT_EARLY_TRAFFIC_SECRET'), '0a 04 02 6869')],
  );
  expect(handshake!.info).toBe(`Handshake, DCID=${SERVER}, PKN: 5, CRYPTO (Finished), PADDING`);
  expect(handshake!.protocols).toBe('ip:udp:quic:tls');
  expect(early!.info).toBe(`0-RTT, DCID=${SERVER}, PKN: 5, STREAM(4), PADDING`);
});

test('without secrets a packet stays closed, and says no more', () => {
  const [frame] = talk(new KeyLog(), ['client', data(7, '01')]);
  expect(frame!.info).toBe(`Protected Payload (KP0), DCID=${SERVER}`);
  expect(values(frame!, 'quic.frame_type')).toBe('');
  expect(frame!.stopped).toBeUndefined();
});

test('keys turn, and packets that were overtaken are opened with those before', () => {
  const next = packetKeys(cryptography, ONE, AES, nextSecret(cryptography, ONE, AES, secretOf('CLIENT_TRAFFIC_SECRET_0')), CLIENT.mask);
  const frames = talk(
    logged(),
    ['client', data(1, '01')],
    ['client', data(4, '01', next, 0x44)],
    ['client', data(2, '01')],
    ['client', data(3, '01', next, 0x44)],
    // Neither of the keys.
    ['client', data(5, '01', keysOf('SERVER_TRAFFIC_SECRET_0'))],
  );
  expect(frames.map((frame) => values(frame, 'quic.packet_number'))).toEqual(['1', '4', '2', '3', '']);
  expect(frames.map((frame) => values(frame, 'quic.key_phase'))).toEqual(['0', '1', '0', '1', '']);
});

test('a client goes on from another port, with an identifier that it was told of', () => {
  const other = '0102030405060708';
  const server = sealWith(keysOf('SERVER_TRAFFIC_SECRET_0'), hex('40 00'), padded(hex(`18 01 00 08 ${other} ${'ee'.repeat(16)}`), 40));
  const [told, moved, answer, alien] = talk(
    logged(),
    ['server', server],
    ['client', data(9, '01', CLIENT, 0x40, other), 50_001],
    ['server', sealWith(keysOf('SERVER_TRAFFIC_SECRET_0'), hex('40 01'), padded(hex('01'), 40)), 50_001],
    ['client', data(10, '01', CLIENT, 0x40, '1112131415161718'), 50_002],
  );
  expect(values(told!, 'quic.nci.connection_id')).toBe(other);
  expect(moved!.info).toBe(`Protected Payload (KP0), DCID=${other}, PKN: 9, PING, PADDING`);
  expect(answer!.info).toBe('Protected Payload (KP0), PKN: 1, PING, PADDING');
  expect(alien!.get(Quic)).toBeUndefined();
});

test('the end that a server which forgot all about it makes', () => {
  const token = 'ee'.repeat(16);
  const server = sealWith(keysOf('SERVER_TRAFFIC_SECRET_0'), hex('40 00'), padded(hex(`18 01 00 08 0102030405060708 ${token}`), 40));
  const [, reset] = talk(logged(), ['server', server], ['server', hex(`51 ${'ab'.repeat(20)} ${token}`)]);
  expect(reset!.info).toBe('Stateless Reset');
  expect([values(reset!, 'quic.unpredictable_bits'), values(reset!, 'quic.stateless_reset_token')]).toEqual(['ab'.repeat(20), token]);
});

test('datagrams that were captured before the sender cut them', () => {
  const [frame] = talk(logged(), ['client', join(data(1, '01'), data(2, '01'), data(3, '01', CLIENT, 0x40, SERVER, 20))]);
  expect(values(frame!, 'quic.packet_number')).toBe('1,2,3');
  expect(values(frame!, 'quic.packet_length')).toBe('66,66,46');
});

test('any octet of the plain text wrong', () => {
  const plain = hex(`02 05 00 01 01 00 02 18 01 00 08 0102030405060708 ${'ee'.repeat(16)} 0f 04 05 02 6869 07 02 aabb 1d 41 00 02 6f6b 1a`);
  for (let at = 0; at < plain.length; at++)
    for (const octet of [0, 8, 0x0e, 0x18, 0x30, 0x7f, 0xbf, 0xff]) {
      const lying = plain.slice();
      lying[at] = octet;
      const [frame] = talk(logged(), ['client', sealWith(CLIENT, hex(`40 ${SERVER} 01`), lying)]);
      readAll(frame!);
      expect(values(frame!, 'quic.packet_number')).toBe('1');
    }
});

test("the identifier of the server's preferred address, and the tokens of its parameters", () => {
  const preferred = `0d 31 ${'00'.repeat(24)} 08 2122232425262728 ${'dd'.repeat(16)}`;
  const parameters = `02 10 ${'ee'.repeat(16)} ${preferred}`;
  const body = hex(`0039 0045 ${parameters}`);
  const crypto = hex(`06 00 404f 0800004b 0049 ${Buffer.from(body).toString('hex')}`);
  const packet = (octets: Uint8Array) =>
    sealWith(keysOf('SERVER_HANDSHAKE_TRAFFIC_SECRET'), hex(`e0 00000001 00 08 ${SERVER} 4079 00`), padded(octets, 104));
  const [hello, moved, reset] = talk(
    logged(),
    ['server', packet(crypto)],
    ['client', data(9, '01', CLIENT, 0x40, '2122232425262728'), 50_001],
    ['server', hex(`51 ${'ab'.repeat(20)} ${'ee'.repeat(16)}`)],
  );
  expect(values(hello!, 'tls.quic.parameter.stateless_reset_token')).toBe('ee'.repeat(16));
  expect(moved!.info).toBe('Protected Payload (KP0), DCID=2122232425262728, PKN: 9, PING, PADDING');
  expect(reset!.info).toBe('Stateless Reset');
  // A parameter that claims more than there is, and identifiers that are too long, add nothing.
  for (let at = 0; at < crypto.length; at++)
    for (const octet of [0, 0x3f, 0xff]) {
      const lying = crypto.slice();
      lying[at] = octet;
      readAll(talk(logged(), ['server', packet(lying)])[0]!);
    }
});
