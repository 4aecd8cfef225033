import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/core/frame.js';
import { WebSocket } from '../../src/dissectors/websocket.js';
import { fieldsOf, hex, readAll } from '../packets.js';
import { octets, Talk } from '../reassembly/talk.js';

const KEY = hex('37fa213d');
const masked = (payload: Uint8Array) => payload.map((octet, i) => octet ^ KEY[i & 3]!);
const concat = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
/** A frame as a client sends it, of less than 126 octets. */
const fromClient = (first: number, payload: Uint8Array) => concat(Uint8Array.of(first, 0x80 | payload.length), KEY, masked(payload));
const fromServer = (first: number, payload: Uint8Array) => concat(Uint8Array.of(first, payload.length), payload);

/** A connection after its upgrade, and where both streams go on. */
function upgraded(extensions = ''): { talk: Talk; client: number; server: number } {
  const ask = 'GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
  const more = extensions && `Sec-WebSocket-Extensions: ${extensions}\r\n`;
  const answer = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${more}\r\n`;
  const talk = new Talk(8080).open();
  talk.client(0, ask);
  talk.server(0, answer, ask.length);
  return { talk, client: ask.length, server: answer.length };
}

const infos = (frame: Frame) =>
  frame.all(WebSocket).map((layer) => {
    frame.headline = layer;
    return frame.info;
  });

describe('websocket', () => {
  it('reads all fields of a masked text', () => {
    const { talk, client } = upgraded();
    const frame = talk.client(client, hex('81 85 37fa213d 7f9f4d5158'));
    expect(fieldsOf(frame, 'websocket')).toEqual({
      'websocket.fin': '1',
      'websocket.rsv': '0x00',
      'websocket.opcode': '1',
      'websocket.mask': '1',
      'websocket.payload_length': '5',
      'websocket.masking_key': '37fa213d',
      'websocket.masked_payload': '1',
      'websocket.payload': '1',
      'websocket.payload.text': 'Hello',
    });
  });

  it.each([
    ['8a 02 6869', 'Pong [FIN] 2 octets'],
    ['82 7e 0003 010203', 'Binary [FIN] 3 octets'],
    ['82 7f 0000000000000001 00', 'Binary [FIN] 1 octets'],
    ['88 02 03e8', 'Connection Close [FIN] 1000 Normal Closure'],
    ['88 05 03f3 627567', 'Connection Close [FIN] 1011 Internal Server "bug"'],
    ['88 00', 'Connection Close [FIN]'],
  ])('says what %s means', (text, info) => {
    const { talk, server } = upgraded();
    expect(infos(talk.server(server, hex(text)))).toEqual([info]);
  });

  it('puts fragments together, with a ping between them, wherever segments end', () => {
    const wire = concat(fromClient(0x01, octets('Hel')), fromClient(0x89, octets('?')), fromClient(0x80, octets('lo')));
    const { talk, client } = upgraded();
    let last: Frame | undefined;
    const seen: string[] = [];
    for (let i = 0; i < wire.length; i++) {
      last = talk.client(client + i, wire.subarray(i, i + 1));
      seen.push(...infos(last));
    }
    expect(seen).toEqual(['Text [MASKED] 3 octets', 'Ping [FIN] [MASKED] 1 octets', 'Continuation [FIN] [MASKED] Hello']);
    expect(fieldsOf(last!, 'websocket')).toMatchObject({
      'websocket.fragment.count': '2',
      'websocket.reassembled.length': '5',
      'websocket.payload.text': 'Hello',
    });
  });

  it('decompresses messages that refer to those before them', () => {
    const { talk, client } = upgraded('permessage-deflate');
    // RFC 7692 section 7.2.3.2: the same text twice, the second time as a reference.
    const first = talk.client(client, fromClient(0xc1, hex('f248cdc9c90700')));
    const second = talk.client(client + 13, fromClient(0xc1, hex('f200110000')));
    expect([...infos(first), ...infos(second)]).toEqual(['Text [FIN] [MASKED] Hello', 'Text [FIN] [MASKED] Hello']);
    expect(fieldsOf(second, 'websocket')).toMatchObject({ 'websocket.rsv': '0x04', 'websocket.pmc': '1' });
  });

  it('says so when what a message refers to is lost, and reads on without context', () => {
    const { talk, server } = upgraded('permessage-deflate; server_no_context_takeover');
    const alone = deflateRawSync(octets('alone'), { finishFlush: 2 }).subarray(0, -4);
    expect(infos(talk.server(server, fromServer(0xc1, hex('f200110000'))))).toEqual(['Text [FIN] 5 octets']);
    expect(infos(talk.server(server + 7, fromServer(0xc1, alone)))).toEqual(['Text [FIN] alone']);
  });

  it('survives a length of 2^63 and every cut', () => {
    const { talk, client } = upgraded();
    readAll(talk.client(client, hex('82 ff ffffffffffffffff 00000000 0102')));
    const frame = concat(fromClient(0x81, octets('Hello')), hex('82 fe 0003 37fa213d 010203'));
    for (let captured = 0; captured < frame.length; captured++) {
      const { talk, client } = upgraded();
      readAll(talk.client(client, frame, 0, captured));
      readAll(talk.client(client + frame.length, fromClient(0x89, octets('?'))));
    }
  });
});
