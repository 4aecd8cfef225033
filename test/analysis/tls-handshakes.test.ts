import { describe, expect, test } from 'vitest';
import { type TlsHandshake, TlsHandshakes } from '../../src/analysis/tls-handshakes.js';
import type { Frame } from '../../src/core/frame.js';
import { Tls } from '../../src/dissectors/tls.js';
import { createSession } from '../../src/frames.js';
import { tlsCoverageText, tlsRow } from '../../src/report/tls.js';
import { dissect, hex, IPV4, icmpMessage, udpMessage } from '../packets.js';
import { CLIENT_INITIAL, padded, SERVER_INITIAL, seal } from '../quic-packets.js';
import { Talk } from '../reassembly/talk.js';

const record = (type: string, body: string, version = '0303') => {
  const length = hex(body).length.toString(16).padStart(4, '0');
  return hex(`${type} ${version} ${length} ${body}`);
};
const message = (type: string, body: string) => `${type} ${hex(body).length.toString(16).padStart(6, '0')} ${body}`;
const RANDOM = '11'.repeat(32);
const NAME = '0000 0011 000f 00 000c 6578616d706c652e74657374';
const sized = (text: string) => `${hex(text).length.toString(16).padStart(4, '0')} ${text}`;

const HELLO = record('16', message('01', `0303 ${RANDOM} 00 0004 1301 c02b 01 00 ${sized(`${NAME} 0010 0005 0003 02 6832`)}`), '0301');
const SERVER_13 = record('16', message('02', `0303 ${RANDOM} 00 1301 00 ${sized('002b 0002 0304')}`));
const SERVER_13_RESUMED = record('16', message('02', `0303 ${RANDOM} 00 1301 00 ${sized('002b 0002 0304 0029 0002 0000')}`));
const SERVER_13_CCM_8 = record('16', message('02', `0303 ${RANDOM} 00 1305 00 ${sized('002b 0002 0304')}`));
const SERVER_12 = record('16', message('02', `0303 ${RANDOM} 00 c02b 00 ${sized('0010 0005 0003 02 6832')}`));
const SERVER_DONE = record('16', message('0e', ''));
const CHANGE = record('14', '01');
const SECRET = record('16', 'aa'.repeat(40));
const DATA = record('17', 'bb'.repeat(60));
const SHORT_DATA = record('17', 'bb'.repeat(19));
const alert = (level: number, code: number) => record('15', `0${level} ${code.toString(16).padStart(2, '0')}`);

type Turn = readonly ['client' | 'server', Uint8Array] | readonly ['client' | 'server', 'R' | 'FA'];

/** What comes of turns that are a second apart; the third segment of the opening came at second 2. */
function over(...turns: Turn[]): { found: TlsHandshake[]; coverage: string } {
  const found: TlsHandshake[] = [];
  const handshakes = new TlsHandshakes((handshake) => found.push(handshake));
  const talk = new Talk(443).open();
  const at = { client: 0, server: 0 };
  for (const [from, what] of turns) {
    const other = from === 'client' ? 'server' : 'client';
    const payload = typeof what === 'string' ? '' : what;
    handshakes.see(talk.send(typeof what === 'string' ? what : 'PA', from, at[from], payload, at[other]));
    at[from] += payload.length;
  }
  handshakes.finish();
  return { found, coverage: tlsCoverageText(handshakes.counts, { holes: 0, missing: 0, cut: 0, dropped: 0 }) };
}

const rowOf = (handshake: TlsHandshake) =>
  tlsRow(handshake, [handshake.seconds, handshake.nanoseconds]).map((cell) => (typeof cell === 'string' ? cell : cell.text));

describe('a connection over TCP', () => {
  test.each<readonly [string, readonly Turn[], readonly string[]]>([
    [
      'TLS 1.3: the client’s first encrypted record ends the handshake',
      [
        ['client', HELLO],
        ['server', SERVER_13],
        ['server', DATA],
        ['client', CHANGE],
        ['client', DATA],
        ['server', DATA],
      ],
      ['TLSv1.3', '(h2)', 'ok', '4 s', 'AES_128_GCM_SHA256', ''],
    ],
    [
      'TLS 1.3 resumed',
      [
        ['client', HELLO],
        ['server', SERVER_13_RESUMED],
        ['client', DATA],
      ],
      ['TLSv1.3', '(h2)', 'ok', '2 s', 'AES_128_GCM_SHA256', 'resumed'],
    ],
    [
      'TLS 1.3: the client refuses, in secret',
      [
        ['client', HELLO],
        ['server', SERVER_13],
        ['client', SHORT_DATA],
      ],
      ['TLSv1.3', '(h2)', 'client: encrypted alert', '', 'AES_128_GCM_SHA256', ''],
    ],
    [
      'TLS 1.3: the server refuses the client after its Finished',
      [
        ['client', HELLO],
        ['server', SERVER_13],
        ['client', DATA],
        ['server', SHORT_DATA],
        ['server', 'FA'],
      ],
      ['TLSv1.3', '(h2)', 'server: encrypted alert', '2 s', 'AES_128_GCM_SHA256', ''],
    ],
    [
      'TLS 1.3: two octets of data are as long as an alert, and more follows',
      [
        ['client', HELLO],
        ['server', SERVER_13],
        ['client', DATA],
        ['server', SHORT_DATA],
        ['server', DATA],
        ['server', 'FA'],
      ],
      ['TLSv1.3', '(h2)', 'ok', '2 s', 'AES_128_GCM_SHA256', ''],
    ],
    [
      'TLS 1.3: the server answers a goodbye',
      [
        ['client', HELLO],
        ['server', SERVER_13],
        ['client', DATA],
        ['client', SHORT_DATA],
        ['server', SHORT_DATA],
        ['server', 'FA'],
      ],
      ['TLSv1.3', '(h2)', 'ok', '2 s', 'AES_128_GCM_SHA256', ''],
    ],
    [
      'TLS 1.3: a tag of 8 octets',
      [
        ['client', HELLO],
        ['server', SERVER_13_CCM_8],
        ['client', record('17', 'bb'.repeat(11))],
      ],
      ['TLSv1.3', '(h2)', 'client: encrypted alert', '', 'AES_128_CCM_8_SHA256', ''],
    ],
    [
      'TLS 1.2: the later Finished ends the handshake',
      [
        ['client', HELLO],
        ['server', SERVER_12],
        ['server', SERVER_DONE],
        ['client', CHANGE],
        ['client', SECRET],
        ['server', CHANGE],
        ['server', SECRET],
        ['client', DATA],
      ],
      ['TLSv1.2', 'h2', 'ok', '6 s', 'ECDHE_ECDSA AES_128_GCM_SHA256', ''],
    ],
    [
      'TLS 1.2 resumed: the server finishes first',
      [
        ['client', HELLO],
        ['server', SERVER_12],
        ['server', CHANGE],
        ['server', SECRET],
        ['client', CHANGE],
        ['client', SECRET],
      ],
      ['TLSv1.2', 'h2', 'ok', '5 s', 'ECDHE_ECDSA AES_128_GCM_SHA256', 'resumed'],
    ],
    [
      'refused',
      [
        ['client', HELLO],
        ['server', alert(2, 40)],
      ],
      ['', '(h2)', 'server: Handshake Failure', '', '', ''],
    ],
    [
      'a warning does not end it',
      [
        ['client', HELLO],
        ['server', alert(1, 112)],
        ['server', SERVER_12],
      ],
      ['TLSv1.2', 'h2', 'unfinished', '', 'ECDHE_ECDSA AES_128_GCM_SHA256', ''],
    ],
    [
      'reset',
      [
        ['client', HELLO],
        ['server', 'R'],
      ],
      ['', '(h2)', 'reset', '', '', ''],
    ],
    [
      'closed',
      [
        ['client', HELLO],
        ['server', 'FA'],
      ],
      ['', '(h2)', 'closed', '', '', ''],
    ],
    ['unanswered', [['client', HELLO]], ['', '(h2)', 'no answer', '', '', '']],
  ])('%s', (_, turns, cells) => {
    const { found } = over(...turns);
    expect(found).toHaveLength(1);
    expect(rowOf(found[0]!)).toEqual(['0.000000', '192.0.2.1:40000', '192.0.2.2', 'example.test', ...cells]);
  });

  test('without its Client Hello it is counted', () => {
    const { found, coverage } = over(['server', SERVER_13], ['client', DATA], ['server', DATA]);
    expect(found).toEqual([]);
    expect(coverage).toBe('0 connections · 1 without a captured Client Hello · no holes · 0 frames cut short · 0 dropped by the kernel');
  });
});

test('keys agreed upon anew are no other connection, nor is what an ICMP error quotes', () => {
  const found: TlsHandshake[] = [];
  const handshakes = new TlsHandshakes((handshake) => found.push(handshake));
  const talk = new Talk(443).open();
  handshakes.see(talk.client(0, HELLO));
  handshakes.see(talk.server(0, Uint8Array.from([...SERVER_12, ...SERVER_DONE]), HELLO.length));
  const again = talk.client(HELLO.length, HELLO, SERVER_12.length + SERVER_DONE.length);
  // As if its keys were known.
  again.get(Tls)!.records[0]!.plain = HELLO.subarray(5);
  handshakes.see(again);
  const quoted = udpMessage(5349, 40000, hex('17 fefd 0001 000000000001 0004 aabbccdd'));
  handshakes.see(dissect(icmpMessage(`0303 0000 00000000 ${Buffer.from(quoted).toString('hex')}`), { linkType: IPV4 }));
  handshakes.finish();
  expect(found).toHaveLength(1);
  expect(handshakes.counts).toMatchObject({ connections: 1, headless: 0 });
});

describe('a connection over QUIC', () => {
  const short = hex('40 f067a5502a4262b5 0102030405060708090a0b0c0d0e0f1011121314');
  const close = seal(hex('c1000000010008f067a5502a4262b5004028 0001'), padded(hex('1c 4128 06 05 6e6f706521'), 22), true);
  const versions = hex('80 00000000 00 08 8394c8f03e515708 ff00001d');
  test.each<readonly [string, readonly (readonly ['client' | 'server', Uint8Array])[], readonly string[]]>([
    [
      'done',
      [
        ['client', CLIENT_INITIAL],
        ['server', hex(SERVER_INITIAL)],
        ['client', short],
      ],
      ['QUIC 1', '(alpn)', 'ok', '2 s', 'AES_128_GCM_SHA256', ''],
    ],
    [
      'refused',
      [
        ['client', CLIENT_INITIAL],
        ['server', close],
      ],
      ['QUIC 1', '(alpn)', 'server: CRYPTO_ERROR (Handshake Failure): nope!', '', '', ''],
    ],
    [
      'of another version',
      [
        ['client', CLIENT_INITIAL],
        ['server', versions],
      ],
      ['QUIC 1', '(alpn)', 'other versions offered', '', '', ''],
    ],
    ['unanswered', [['client', CLIENT_INITIAL]], ['QUIC 1', '(alpn)', 'no answer', '', '', '']],
  ])('%s', (_, turns, cells) => {
    const found: TlsHandshake[] = [];
    const handshakes = new TlsHandshakes((handshake) => found.push(handshake));
    const session = createSession();
    turns.forEach(([from, payload], seconds) => {
      const octets = from === 'server' ? udpMessage(443, 50_000, payload, true) : udpMessage(50_000, 443, payload);
      handshakes.see(dissect(octets, { session, linkType: IPV4, seconds }) as Frame);
    });
    handshakes.finish();
    expect(found).toHaveLength(1);
    expect(rowOf(found[0]!)).toEqual(['0.000000', '192.0.2.1:50000', '192.0.2.2', 'example.com', ...cells]);
    expect(found[0]!.ja4).toMatch(/^q13d/);
  });
});
