import { describe, expect, test } from 'vitest';
import type { Frame } from '../../src/core/frame.js';
import { OpenVpn } from '../../src/dissectors/openvpn.js';
import { createSession } from '../../src/frames.js';
import { dissect, everyCut, everyLie, fieldsOf, hex, IPV4, udpMessage, values } from '../packets.js';
import { Talk } from '../reassembly/talk.js';

const CLIENT = '1111111111111111';
const SERVER = '2222222222222222';
const RESET = `38 ${CLIENT} 00 00000000`;
const RESET_ANSWER = `40 ${SERVER} 01 00000000 ${CLIENT} 00000000`;
/** A Client Hello of 43 octets in a record, in three parts. */
const HELLO = Buffer.from(hex(`16 0301 002f 01 00002b 0303 ${'60'.repeat(32)} 00 0004 c02f 009c 01 00`)).toString('hex');
const PARTS = [HELLO.slice(0, 20), HELLO.slice(20, 60), HELLO.slice(60)];
const control = (session: string, id: number, body: string) => `20 ${session} 00 ${id.toString(16).padStart(8, '0')} ${body}`;

function over(...messages: (readonly [fromServer: boolean, text: string])[]): Frame[] {
  const session = createSession();
  return messages.map(([fromServer, text]) =>
    dissect(fromServer ? udpMessage(1194, 40000, hex(text), true) : udpMessage(40000, 1194, hex(text)), { session, linkType: IPV4 }),
  );
}

describe('openvpn', () => {
  test('a message with all that a header can have', () => {
    const [frame] = over([false, `20 ${CLIENT} ${'ab'.repeat(20)} 00000003 5e0be100 02 00000001 00000002 ${SERVER} 00000001 1603`]);
    expect(fieldsOf(frame!, 'openvpn')).toEqual({
      'openvpn.type': '0x20',
      'openvpn.opcode': '0x04',
      'openvpn.keyid': '0',
      'openvpn.sessionid': String(0x1111111111111111n),
      'openvpn.hmac': 'ab'.repeat(20),
      'openvpn.pid': '3',
      'openvpn.net_time': 'Jan  1, 2020 00:00:00.000000000 UTC',
      'openvpn.mpidarraylength': '2',
      'openvpn.mpidarrayelement': '1,2',
      'openvpn.rsessionid': String(0x2222222222222222n),
      'openvpn.mpid': '1',
      'openvpn.data': '1603',
    });
  });

  test.each([
    [RESET, 'MessageType: P_CONTROL_HARD_RESET_CLIENT_V2', '0'],
    [`28 ${CLIENT} 01 00000000 ${SERVER}`, 'MessageType: P_ACK_V1', ''],
    ['30 abcdef', 'MessageType: P_DATA_V1', ''],
    ['48 000001 abcdef', 'MessageType: P_DATA_V2', ''],
    // With tls-crypt nothing behind the session can be read.
    [`38 ${CLIENT} ${'fe'.repeat(60)}`, 'MessageType: P_CONTROL_HARD_RESET_CLIENT_V2', ''],
  ])('%s', (text, info, number) => {
    const [frame] = over([false, text]);
    expect(frame!.info).toBe(info);
    expect(values(frame!, 'openvpn.mpid')).toBe(number);
  });

  test('TLS in several messages, one of which overtakes and one of which comes twice', () => {
    const frames = over(
      [false, RESET],
      [true, RESET_ANSWER],
      [false, control(CLIENT, 1, PARTS[0]!)],
      [false, control(CLIENT, 3, PARTS[2]!)],
      [false, control(CLIENT, 1, PARTS[0]!)],
      [false, control(CLIENT, 2, PARTS[1]!)],
    );
    expect(frames.map((frame) => values(frame, 'tls.handshake.ciphersuite'))).toEqual(['', '', '', '', '', '0xc02f,0x009c']);
  });

  test('over TCP each message has its length', () => {
    const talk = new Talk(1194).open();
    const messages = [RESET, control(CLIENT, 1, HELLO)].map((text) => {
      const { length } = hex(text);
      return `${length.toString(16).padStart(4, '0')} ${text}`;
    });
    const frame = talk.send('PA', 'client', 0, hex(messages.join('')), 0);
    expect(frame.all(OpenVpn)).toHaveLength(2);
    expect(values(frame, 'openvpn.plen')).toBe(`14,${14 + HELLO.length / 2}`);
    expect(values(frame, 'tls.handshake.type')).toBe('1');
  });

  test('cut anywhere, and with any octet changed', () => {
    const message = udpMessage(40000, 1194, hex(`20 ${CLIENT} 01 00000001 ${SERVER} 00000001 ${HELLO}`));
    everyCut(message, 28, IPV4);
    everyLie(message, 28, IPV4);
  });
});
