import { describe, expect, it } from 'vitest';
import { ALIEN, MORE } from '../../src/core/stream.js';
import { Stun, stun as stunProtocol } from '../../src/dissectors/stun.js';
import { createSession } from '../../src/frames.js';
import { dissect, everyCut, everyLie, fieldsOf, hex, IPV4, udpMessage, values } from '../packets.js';
import { alone } from '../reassembly/talk.js';

const ID = '0102030405060708090a0b0c';
const head = (type: string, body: string) =>
  `${type} ${(body.replace(/[\s|]/g, '').length / 2).toString(16).padStart(4, '0')} 2112a442 ${ID}`;
const stun = (type: string, body: string) => hex(`${head(type, body)} ${body}`);
const see = (type: string, body: string, port = 3478) => dissect(udpMessage(40000, port, stun(type, body)), { linkType: IPV4 });

/** 192.0.2.1:50006 under the cookie. */
const XOR_MAPPED = '0020 0008 00 01 e244 e112a643';

describe('stun', () => {
  it('reads all fields of a binding response, on any port', () => {
    const frame = see('0101', XOR_MAPPED, 50000);
    expect(fieldsOf(frame, 'stun')).toEqual({
      'stun.type': '0x0101',
      'stun.type.class': '0x0010',
      'stun.type.method': '0x0001',
      'stun.type.method-assignment': '0x0000',
      'stun.length': '12',
      'stun.cookie': '2112a442',
      'stun.id': ID,
      'stun.network_version': '3',
      'stun.attributes': '1',
      'stun.attribute': '0x0020',
      'stun.att.type': '0x0020',
      'stun.att.type.comprehension': '0x0000',
      'stun.att.type.assignment': '0x0000',
      'stun.att.length': '8',
      'stun.att.reserved': '00',
      'stun.att.family': '0x01',
      'stun.att.port-xord': 'e244',
      'stun.att.port': '50006',
      'stun.att.ipv4-xord': 'e112a643',
      'stun.att.ipv4': '192.0.2.1',
    });
    expect(frame.get(Stun)?.port).toEqual([50006]);
  });

  it.each([
    ['0001', '', 'Binding Request'],
    ['0101', XOR_MAPPED, 'Binding Success Response XOR-MAPPED-ADDRESS: 192.0.2.1:50006'],
    ['0001', '0006 0003 613a62 00', 'Binding Request user: a:b'],
    ['0003', '0019 0004 11000000', 'Allocate Request UDP'],
    ['0113', '0009 0006 0000 0401 6e6f 0000', 'Allocate Error Response error-code: 401 (Unauthenticated) no'],
    ['0104', '000d 0004 00000258', 'Refresh Success Response lifetime: 600'],
  ])('says what %s %s means', (type, body, info) => expect(see(type, body).info).toBe(info));

  it('reads algorithms of passwords, and addresses of which the end is missing', () => {
    const challenge = see('0113', '8002 000c 0002 0002 6162 0000 0001 0000');
    expect(values(challenge, 'stun.att.pw_alg')).toBe('2,1');
    expect(values(challenge, 'stun.att.pw_alg_len')).toBe('2,0');
    expect(values(challenge, 'stun.att.pw_alg_data')).toBe('6162');
    const short = see('0101', '0001 0004 0001 1388');
    expect(values(short, 'stun.att.port') + values(short, 'stun.att.ipv4')).toBe('5000');
  });

  it('checks the fingerprint', () => {
    // CRC-32 of the header with length 8, XORed with "STUN".
    const good = see('0001', '8028 0004 00000000');
    expect(values(good, 'stun.att.crc32.status') + values(good, 'stun.att.crc32.bad')).toBe('01');
  });

  it('reads channel data and messages of RFC 3489 on its port, and leaves the rest', () => {
    const at3478 = (text: string) => dissect(udpMessage(40000, 3478, hex(text)), { linkType: IPV4 });
    expect(values(at3478('4003 0002 6869 0000'), 'stun.channel')).toBe('0x4003');
    expect(values(at3478(`000e 0000 2112a442 ${'00'.repeat(12)}`), 'stun.type.method')).toBe('0x000e');
    // 0x2ef has method 0xff, 0x400 method 0x100.
    expect(at3478(`02ef 0000 2112a442 ${'00'.repeat(12)}`).get(Stun)).toBeDefined();
    expect(at3478(`0400 0000 2112a442 ${'00'.repeat(12)}`).get(Stun)).toBeUndefined();
    expect(values(at3478(`0001 0000 ${'00'.repeat(16)}`), 'stun.id')).toBe('00'.repeat(16));
    expect(at3478('16fefd 0000000000000000 0000').get(Stun)).toBeUndefined();
  });

  it('reads channel data on any port, once a message came between the same ends', () => {
    const session = createSession();
    const at = (octets: Uint8Array) => dissect(udpMessage(40000, 50000, octets), { linkType: IPV4, session });
    const channel = hex('4003 0002 6869 0000');
    expect(at(channel).get(Stun)).toBeUndefined();
    at(stun('0001', ''));
    expect(values(at(channel), 'stun.channel')).toBe('0x4003');
    for (const other of ['4003 0009 6869 0000', '5003 0002 6869 0000', '4003 00']) expect(at(hex(other)).get(Stun)).toBeUndefined();
    expect(at(stun('0101', XOR_MAPPED)).get(Stun)).toBeDefined();
  });

  it('gives a response its request and its time, and knows repeated requests', () => {
    const session = createSession();
    const at = (ms: number, octets: Uint8Array) => dissect(octets, { session, linkType: IPV4, nanoseconds: ms * 1e6 });
    const request = udpMessage(40000, 3478, stun('0001', ''));
    at(0, request);
    expect(values(at(500, request), 'stun.reqduplicate')).toBe('1');
    const response = udpMessage(3478, 40000, stun('0101', XOR_MAPPED), true);
    const frame = at(520, response);
    expect([values(frame, 'stun.response-to'), values(frame, 'stun.time')]).toEqual(['1', '0.520000000']);
    expect(values(at(600, response), 'stun.reqduplicate')).toBe('3');
  });

  it('finds channel data in a byte stream, also of the numbers that RFC 5766 had', () => {
    const parser = stunProtocol.stream!.parser(alone(true, 3478, 40000));
    const channel = hex('56aa 0002 6869 0000 0000 0000');
    expect(parser.measure(channel, 0, 12, false)).toBe(ALIEN);
    const frame = dissect(udpMessage(40000, 3478, stun('0101', XOR_MAPPED)), { linkType: IPV4 });
    parser.dissect(frame, 28, frame.captured);
    expect(parser.measure(channel, 0, 7, false)).toBe(MORE);
    expect(parser.measure(channel, 0, 8, false)).toBe(8);
    expect(parser.measure(hex('8003 0002 6869 0000 0000 0000'), 0, 12, false)).toBe(ALIEN);
  });

  it('finds messages in a byte stream, octet by octet, with and without a length before them', () => {
    const message = stun('0101', XOR_MAPPED);
    const parser = stunProtocol.stream!.parser(alone(true, 3478, 40000));
    const framed = Uint8Array.from([0, message.length, ...message]);
    for (const octets of [message, framed, hex('4003 0002 6869 0000')]) {
      for (let end = 0; end < octets.length; end++) expect(parser.measure(octets, 0, end, false)).toBe(MORE);
      expect(parser.measure(octets, 0, octets.length, false)).toBe(octets.length);
    }
    expect(parser.measure(hex('504f5354202f20485454502f312e31'), 0, 14, false)).toBe(ALIEN);
  });

  it('survives every cut and every lie', () => {
    const octets = udpMessage(40000, 3478, stun('0113', `${XOR_MAPPED} 0009 0006 0000 0401 6e6f 0000 8028 0004 00000000`));
    everyCut(octets, 28, IPV4);
    everyLie(octets, 28, IPV4);
  });
});
