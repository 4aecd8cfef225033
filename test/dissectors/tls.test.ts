import { describe, expect, test } from 'vitest';
import type { Frame } from '../../src/core/frame.js';
import { Tls } from '../../src/dissectors/tls.js';
import { readCertificate } from '../../src/dissectors/tls-certificates.js';
import { readHello } from '../../src/dissectors/tls-hello.js';
import { fieldsOf, hex, readAll, values } from '../packets.js';
import { Talk } from '../reassembly/talk.js';

/** `hex`, with the record header before it. */
const record = (type: number, body: string, version = '0303'): Uint8Array => {
  const content = hex(body);
  return hex(`${type.toString(16)} ${version} ${content.length.toString(16).padStart(4, '0')} ${Buffer.from(content).toString('hex')}`);
};
const message = (type: number, body: string): string => {
  const content = hex(body);
  return `${type.toString(16).padStart(2, '0')}${content.length.toString(16).padStart(6, '0')}${Buffer.from(content).toString('hex')}`;
};
const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

const RANDOM = '60000000 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c';
const EXTENSIONS = `
  0a0a 0000 |
  0000 0011 000f 00 000c 6578616d706c652e74657374 |
  000a 0008 0006 1a1a 001d 0017 | 000b 0002 01 00 |
  000d 0006 0004 0403 0804 |
  0010 000e 000c 02 6832 08 687474702f312e31 |
  0033 0026 0024 001d 0020 ${'ab'.repeat(32)} |
  002d 0002 01 01 | 002b 0005 04 0304 0303 | ff01 0001 00`;
const extensions = (text: string) => {
  const { length } = hex(text);
  return `${length.toString(16).padStart(4, '0')} ${text}`;
};
const CLIENT_HELLO = message(1, `0303 ${RANDOM} 04 deadbeef 0006 2a2a 1301 c02b 01 00 ${extensions(EXTENSIONS)}`);
const SERVER_HELLO_13 = message(2, `0303 ${RANDOM} 00 1301 00 ${extensions(`002b 0002 0304 | 0033 0024 001d 0020 ${'cd'.repeat(32)}`)}`);
const SERVER_HELLO_12 = message(2, `0303 ${RANDOM} 00 c02b 00 ${extensions('ff01 0001 00 | 0010 000b 0009 08 687474702f312e31')}`);
const SERVER_HELLO_RSA = message(2, `0301 ${RANDOM} 00 002f 00`);

const talk = (port = 8443) => new Talk(port).open();
/** Records of each side, a segment each, and the frames they are in. */
const said = (...turns: ['client' | 'server', Uint8Array][]): Frame[] => {
  const conversation = talk();
  const at = { client: 0, server: 0 };
  return turns.map(([from, octets]) => {
    const other = from === 'client' ? 'server' : 'client';
    const frame = conversation.send('PA', from, at[from], octets, at[other]);
    at[from] += octets.length;
    return frame;
  });
};

test('a Client Hello: its fields and its place', () => {
  const [frame] = said(['client', record(22, CLIENT_HELLO, '0301')]);
  expect(fieldsOf(frame!, 'tls')).toEqual({
    'tls.record': '1',
    'tls.record.content_type': '22',
    'tls.record.version': '0x0301',
    'tls.record.length': '188',
    'tls.handshake': '1',
    'tls.handshake.type': '1',
    'tls.handshake.length': '184',
    'tls.handshake.version': '0x0303',
    'tls.handshake.random': RANDOM.replace(/ /g, ''),
    'tls.handshake.random_time': 'Jan 14, 2021 08:25:36.000000000 UTC',
    'tls.handshake.random_bytes': RANDOM.slice(9),
    'tls.handshake.session_id_length': '4',
    'tls.handshake.session_id': 'deadbeef',
    'tls.handshake.cipher_suites_length': '6',
    'tls.handshake.ciphersuites': '1',
    'tls.handshake.ciphersuite': '0x2a2a,0x1301,0xc02b',
    'tls.handshake.comp_methods_length': '1',
    'tls.handshake.comp_methods': '1',
    'tls.handshake.comp_method': '0',
    'tls.handshake.extensions_length': '133',
    'tls.handshake.extension.type': '2570,0,10,11,13,16,51,45,43,65281',
    'tls.handshake.extension.len': '0,17,8,2,6,14,38,2,5,1',
    'tls.handshake.extension.data': '<MISSING>',
    'tls.handshake.extensions_server_name_list_len': '15',
    'tls.handshake.extensions_server_name_type': '0',
    'tls.handshake.extensions_server_name_len': '12',
    'tls.handshake.extensions_server_name': 'example.test',
    'tls.handshake.extensions_supported_groups_length': '6',
    'tls.handshake.extensions_supported_groups': '1',
    'tls.handshake.extensions_supported_group': '0x1a1a,0x001d,0x0017',
    'tls.handshake.extensions_ec_point_formats_length': '1',
    'tls.handshake.extensions_ec_point_formats': '1',
    'tls.handshake.extensions_ec_point_format': '0',
    'tls.handshake.sig_hash_alg_len': '4',
    'tls.handshake.sig_hash_algs': '1',
    'tls.handshake.sig_hash_alg': '0x0403,0x0804',
    'tls.handshake.sig_hash_hash': '4,8',
    'tls.handshake.sig_hash_sig': '3,4',
    'tls.handshake.extensions_alpn_len': '12',
    'tls.handshake.extensions_alpn_list': '1',
    'tls.handshake.extensions_alpn_str_len': '2,8',
    'tls.handshake.extensions_alpn_str': 'h2,http/1.1',
    'tls.handshake.extensions_key_share_client_length': '36',
    'tls.handshake.extensions_key_share_group': '29',
    'tls.handshake.extensions_key_share_key_exchange_length': '32',
    'tls.handshake.extensions_key_share_key_exchange': 'ab'.repeat(32),
    'tls.extension.psk_ke_modes_length': '1',
    'tls.extension.psk_ke_mode': '1',
    'tls.handshake.extensions.supported_versions_len': '4',
    'tls.handshake.extensions.supported_version': '0x0304,0x0303',
    'tls.handshake.extensions_reneg_info_len': '0',
    // MD5 of the text, by md5sum; numbers that begin and end in a are left out.
    'tls.handshake.ja3_full': '771,4865-49195,0-10-11-13-16-51-45-43-65281,29-23,0',
    'tls.handshake.ja3': '2f8c9b2f645469ffa3db5acb1badeb8e',
    'tls.handshake.ja4_r': 't13d0209h2_1301,c02b_000a,000b,000d,002b,002d,0033,ff01_0403,0804',
    'tls.handshake.ja4': 't13d0209h2_777cda164f4b_9d8884e243a4',
  });
  expect(frame!.protocols).toBe('ip:tcp:tls');
  expect(frame!.info).toBe('Client Hello (SNI=example.test)');
  const layer = frame!.get(Tls)!;
  expect([layer.start, layer.end]).toEqual([40, 40 + 193]);
});

test('the line and the protocol of each record', () => {
  const encrypted = record(22, '0000000000000001 aabbccddeeff');
  const frames = said(
    ['client', record(22, CLIENT_HELLO)],
    ['server', record(22, SERVER_HELLO_12 + message(14, ''))],
    ['client', join(record(22, message(16, '04 aabbccdd')), record(20, '01'), encrypted)],
    ['server', join(record(20, '01'), encrypted)],
    ['client', join(record(23, '0102030405060708090a'), record(23, '01'))],
    ['server', record(21, '0102030405060708')],
    ['server', record(24, '0102030405060708')],
  );
  expect(frames.map((frame) => [frame.top.shortName, frame.info])).toEqual([
    ['TLSv1.2', 'Client Hello (SNI=example.test)'],
    ['TLSv1.2', 'Server Hello, Server Hello Done'],
    ['TLSv1.2', 'Client Key Exchange, Change Cipher Spec, Encrypted Handshake Message'],
    ['TLSv1.2', 'Change Cipher Spec, Encrypted Handshake Message'],
    ['TLSv1.2', 'Application Data, Application Data'],
    ['TLSv1.2', 'Encrypted Alert'],
    ['TLSv1.2', 'Encrypted Heartbeat'],
  ]);
  expect(values(frames[2]!, 'tls.handshake.client_point')).toBe('aabbccdd');
  expect(values(frames[4]!, 'tls.app_data_proto')).toBe('Hypertext Transfer Protocol,Hypertext Transfer Protocol');
});

test('alerts and heartbeats in the clear', () => {
  const [, alert, heartbeat] = said(
    ['client', record(22, CLIENT_HELLO)],
    ['server', record(21, '0246')],
    ['client', record(24, '01 4000 00')],
  );
  expect(alert!.info).toBe('Alert (Level: Fatal, Description: Protocol Version)');
  expect(heartbeat!.info).toBe('Heartbeat Request');
  expect(values(heartbeat!, 'tls.heartbeat_message.payload_length.invalid')).toBe('1');
});

test('TLS 1.3 hides what its records are, and its Change Cipher Spec hides nothing', () => {
  const [, answer, again] = said(
    ['client', record(22, CLIENT_HELLO)],
    ['server', join(record(22, SERVER_HELLO_13), record(20, '01'), record(23, 'aabbcc'))],
    ['client', join(record(20, '01'), record(22, CLIENT_HELLO))],
  );
  expect(answer!.info).toBe('Server Hello, Change Cipher Spec, Application Data');
  expect(answer!.top.shortName).toBe('TLSv1.3');
  expect([values(answer!, 'tls.record.content_type'), values(answer!, 'tls.record.opaque_type')]).toEqual(['22,20', '23']);
  expect(values(answer!, 'tls.handshake.ja3s_full')).toBe('771,4865,43-51');
  expect(again!.info).toBe('Change Cipher Spec, Client Hello (SNI=example.test)');
});

test('keys by RSA, and a session that goes on without a new exchange', () => {
  const [, , keys] = said(
    ['client', record(22, CLIENT_HELLO)],
    ['server', record(22, SERVER_HELLO_RSA + message(14, ''), '0301')],
    ['client', record(22, message(16, '0002 aabb'), '0301')],
  );
  expect(values(keys!, 'tls.handshake.epms')).toBe('aabb');
  const [, resumed] = said(
    ['client', record(22, CLIENT_HELLO)],
    ['server', join(record(22, SERVER_HELLO_12), record(20, '01'), record(22, '00000000000000017788'))],
  );
  expect(values(resumed!, 'tls.resumed')).toBe('1');
});

test('a message that spans records and segments is shown where it ends', () => {
  const hello = hex(CLIENT_HELLO);
  const [first, second, third] = [hello.slice(0, 2), hello.slice(2, 100), hello.slice(100)].map((part) =>
    record(22, Buffer.from(part).toString('hex')),
  );
  const whole = join(first!, second!, third!);
  const frames = said(['client', whole.slice(0, 50)], ['client', whole.slice(50)]);
  expect(frames[0]!.info).toBe('Client Hello (fragment)');
  expect(frames[1]!.info).toBe('Client Hello (fragment), Client Hello (SNI=example.test)');
  expect(values(frames[1]!, 'tls.handshake.fragment.count')).toBe('3');
  expect(values(frames[1]!, 'tls.handshake.extensions_server_name')).toBe('example.test');
});

test('one octet at a time gives what one segment gives', () => {
  const octets = join(record(22, CLIENT_HELLO), record(23, 'aabb'));
  const [once] = said(['client', octets]);
  const conversation = talk();
  const frames = [...octets].map((octet, i) => conversation.send('PA', 'client', i, Uint8Array.of(octet), 0).keep());
  const names = ['tls.handshake.type', 'tls.handshake.extensions_server_name', 'tls.handshake.ja3', 'tls.app_data'];
  for (const name of names) expect(frames.map((frame) => values(frame, name)).filter(Boolean)).toEqual([values(once!, name)]);
});

test('found on any port; a stream that is none is left alone', () => {
  const on = (port: number, octets: Uint8Array) => talk(port).send('PA', 'client', 0, octets, 0).protocols;
  expect(on(7777, record(22, CLIENT_HELLO))).toBe('ip:tcp:tls');
  expect(on(7777, record(23, '00'.repeat(20)))).toBe('ip:tcp:tls');
  expect(on(7777, join(record(23, '00'.repeat(20)), hex('00 11 22 33 44 55')))).toBe('ip:tcp:data');
  expect(on(7777, hex('16 0303 ffff 01 000000'))).toBe('ip:tcp:data');
  expect(on(443, Buffer.from('SSH-2.0-x\r\n'))).toBe('ip:tcp:data');
});

test('a port of TLS that speaks HTTP, and ports of others that speak TLS', () => {
  const on = (port: number, octets: Uint8Array) => talk(port).send('PA', 'client', 0, octets, 0);
  const plain = on(443, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  expect(plain.protocols).toBe('ip:tcp:http');
  expect(values(plain, 'http.tls_port')).toBe('1');
  for (const port of [80, 502, 802, 6379]) expect(on(port, record(22, CLIENT_HELLO)).protocols).toBe('ip:tcp:tls');
});

test('a cipher suite without a cipher hides nothing', () => {
  const mac = '5a'.repeat(20);
  const frames = said(
    ['client', record(22, CLIENT_HELLO)],
    ['server', record(22, message(2, `0301 ${RANDOM} 00 0002 00`))],
    ['client', join(record(20, '01'), record(22, message(20, '11'.repeat(12)) + mac))],
    ['client', record(23, Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex') + mac)],
  );
  expect(frames[2]!.info).toBe('Change Cipher Spec, Finished');
  expect(values(frames[2]!, 'tls.handshake.verify_data')).toBe('1');
  expect(values(frames[3]!, 'http.request.method')).toBe('GET');
});

test('what is no record between records is said to be none, and the next segment counts again', () => {
  const frames = said(['client', record(22, CLIENT_HELLO)], ['client', hex('00'.repeat(30))], ['client', record(23, 'aabb')]);
  expect(frames.map((frame) => frame.info)).toEqual(['Client Hello (SNI=example.test)', 'Ignored Unknown Record', 'Application Data']);
});

test('the hello of SSL 2.0', () => {
  const [frame] = said(['client', hex(`802b 01 0301 0012 0000 0010 ${'000039 000038 000035 0700c0 030080 000004'} ${'77'.repeat(16)}`)]);
  expect(frame!.info).toBe('Client Hello');
  expect(frame!.top.shortName).toBe('SSLv2');
  expect(values(frame!, 'tls.handshake.cipherspec')).toBe('0x000039,0x000038,0x000035,0x0700c0,0x030080,0x000004');
  expect(values(frame!, 'tls.record.version')).toBe('0x0002');
});

describe('what is cut off or lies', () => {
  const octets = join(record(22, CLIENT_HELLO + message(24, '00')), record(21, '0228'));
  test('every cut of a segment shows what there is', () => {
    const whole = said(['client', octets])[0]!;
    for (let captured = 0; captured < octets.length; captured++) {
      const frame = talk().send('PA', 'client', 0, octets, 0, captured);
      readAll(frame);
      expect(values(whole, 'tls.handshake.ciphersuite').startsWith(values(frame, 'tls.handshake.ciphersuite'))).toBe(true);
    }
  });
  test('every length that is made to lie ends in an answer', () => {
    for (let at = 5; at < octets.length; at++)
      for (const value of [0, 0xff]) {
        const lie = octets.slice();
        lie[at] = value;
        const frame = said(['client', lie])[0]!;
        readAll(frame);
        expect(frame.info.length).toBeLessThan(2000);
      }
  });
  test('a vector that is longer than its message is cut to it, and said so', () => {
    const [frame] = said(['client', record(22, message(1, `0303 ${RANDOM} 00 ffff 1301 1302`))]);
    expect(values(frame!, 'tls.handshake.ciphersuite')).toBe('0x1301,0x1302');
    expect(values(frame!, 'tls.malformed.buffer_too_small')).toContain('1');
  });
  test('seeded changes never throw and take no time', () => {
    let seed = 12345;
    const random = (n: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % n;
    };
    const began = Date.now();
    for (let round = 0; round < 600; round++) {
      const broken = octets.slice();
      for (let i = 0; i < 1 + random(8); i++) broken[random(broken.length)] = random(256);
      for (const frame of said(['client', broken], ['server', record(22, SERVER_HELLO_12)])) readAll(frame);
    }
    expect(Date.now() - began).toBeLessThan(20_000);
  });
});

test('a hello reader and a certificate reader that meet anything', () => {
  let seed = 99;
  for (let round = 0; round < 5000; round++) {
    const octets = Uint8Array.from({ length: round % 200 }, () => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return round % 2 ? (seed >>> 16) & 255 : [0x30, 0x82, 0x31, 0x06, 0x81, 0][(seed >>> 16) % 6]!;
    });
    readHello(octets, 0, octets.length, round % 3 === 0, round % 5 === 0);
    readCertificate(octets, 0, octets.length);
  }
  expect(readCertificate(hex('30 80 30 80'), 0, 4)).toBeUndefined();
});

test('early data: TLS 1.3 before the server has said so', () => {
  const hello = message(1, `0303 ${RANDOM} 00 0002 1301 01 00 ${extensions('002a 0000')}`);
  const [, early] = said(['client', record(22, hello, '0301')], ['client', join(record(20, '01'), record(23, 'ab'.repeat(40)))]);
  expect(values(early!, 'tls.record.content_type')).toBe('20');
  expect(values(early!, 'tls.record.opaque_type')).toBe('23');
});

test('text behind records is another protocol', () => {
  const [, , text] = said(
    ['client', record(22, CLIENT_HELLO, '0301')],
    ['server', record(22, SERVER_HELLO_12)],
    ['server', Buffer.from('227 Entering Passive Mode\r\n')],
  );
  expect(text!.get(Tls)).toBeUndefined();
});

test('through a proxy: HTTP, if the client offers nothing else', () => {
  for (const [port, text] of [
    [1080, 'Hypertext Transfer Protocol'],
    [9443, ''],
  ] as const) {
    const conversation = talk(port);
    conversation.send('PA', 'client', 0, record(22, CLIENT_HELLO, '0301'), 0);
    const data = conversation.send('PA', 'client', record(22, CLIENT_HELLO, '0301').length, record(23, 'ab'.repeat(40)), 0);
    expect(values(data, 'tls.app_data_proto') ?? '').toBe(text);
  }
});
