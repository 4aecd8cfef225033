import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KeyLog } from '../../src/analysis/tls-keylog.js';
import { cryptography } from '../../src/capture/cryptography.js';
import type { Frame } from '../../src/core/frame.js';
import { expandLabel } from '../../src/core/key-derivation.js';
import { Dtls } from '../../src/dissectors/dtls.js';
import { Http } from '../../src/dissectors/http-layer.js';
import { Tls } from '../../src/dissectors/tls.js';
import { open } from '../../src/frames.js';
import { hex, readAll, values } from '../packets.js';

const keyLog = (path: string): KeyLog => {
  const log = new KeyLog();
  log.add(readFileSync(path, 'latin1'));
  return log;
};

/** What `tell` makes of the frames of a capture, without those of which it makes nothing. */
async function told<T>(path: string, log: KeyLog | undefined, tell: (frame: Frame) => T | undefined): Promise<T[]> {
  const found: T[] = [];
  for await (const frame of open(path, log && { keyLog: log })) {
    if (frame.fault) throw frame.fault;
    readAll(frame);
    const one = tell(frame);
    if (one !== undefined && one !== '') found.push(one);
  }
  return found;
}

const uris = (frame: Frame) => values(frame, 'http.request.uri');

/** What record_tls of fixtures/record.sh asked for. */
const ASKED = [
  '/hello.txt?as=tls13',
  '/hello.txt?as=chacha13',
  '/large.txt',
  '/hello.txt?as=gcm12',
  '/hello.txt?as=chacha12',
  '/hello.txt?as=cbc12',
  '/hello.txt?as=rsa12',
  '/updated',
  '/resumed',
];

describe('what curl and openssl said to nginx and openssl', () => {
  test('is decrypted with their key log: every request, in TLS 1.2 and 1.3, after new keys and with a ticket', async () => {
    expect(await told('fixtures/tls.pcap', keyLog('fixtures/tls.keys'), uris)).toEqual(ASKED);
  });

  test('the answers are those of the server', async () => {
    const bodies = await told('fixtures/tls.pcap', keyLog('fixtures/tls.keys'), (frame) => {
      const body = frame.get(Http)?.head.kind === 'response' ? frame.get(Http)!.body : undefined;
      return body && Buffer.from(body).toString('latin1');
    });
    expect(bodies.slice(0, 7)).toEqual(ASKED.slice(0, 7).map((uri) => (uri === '/large.txt' ? 'x'.repeat(60_000) : 'behind TLS\n')));
    expect(bodies).toHaveLength(9);
  });

  test('its handshake is read to the end', async () => {
    const infos = await told('fixtures/tls.pcap', keyLog('fixtures/tls.keys'), (frame) =>
      frame.top instanceof Tls && values(frame, 'tcp.stream') === '0' ? frame.info : undefined,
    );
    expect(infos).toEqual([
      'Client Hello (SNI=tls.example.test)',
      'Server Hello, Change Cipher Spec, Encrypted Extensions, Certificate, Certificate Verify, Finished',
      'Change Cipher Spec, Finished',
      'New Session Ticket',
      'New Session Ticket',
      'Alert (Level: Warning, Description: Close Notify)',
    ]);
  });

  test('without keys it shows names, versions, certificates and alerts, and no request', async () => {
    expect(await told('fixtures/tls.pcap', undefined, uris)).toEqual([]);
    const names = await told('fixtures/tls.pcap', undefined, (frame) => values(frame, 'tls.handshake.extensions_server_name'));
    expect(new Set(names)).toEqual(new Set(['tls.example.test']));
    const alerts = await told('fixtures/tls.pcap', undefined, (frame) =>
      values(frame, 'tls.alert_message.desc') ? frame.info : undefined,
    );
    expect(alerts).toEqual(['Alert (Level: Fatal, Description: Protocol Version)']);
    const [subject] = await told('fixtures/tls.pcap', undefined, (frame) => values(frame, 'netlens.tls.certificate.subject'));
    expect(subject).toBe('CN=tls.example.test,O=Example\\, Ltd,C=DE');
    const [name] = await told('fixtures/tls.pcap', undefined, (frame) => values(frame, 'netlens.tls.certificate.name'));
    expect(name).toBe('tls.example.test,*.example.test,10.99.2.2');
  });

  test('keys of other connections open nothing', async () => {
    const wrong = new KeyLog();
    // The right client randoms with other secrets.
    for (const line of readFileSync('fixtures/tls.keys', 'latin1').split('\n')) wrong.add(line.replace(/..$/, '00'));
    expect(await told('fixtures/tls.pcap', wrong, uris)).toEqual([]);
  });

  test('datagrams are decrypted, too', async () => {
    const plain = await told('fixtures/dtls.pcap', keyLog('fixtures/dtls.keys'), (frame) => {
      const record = frame.get(Dtls)?.records.find(({ plainType }) => plainType === 23);
      return record?.plain && Buffer.from(record.plain).toString('latin1');
    });
    expect(plain).toEqual(['over datagrams\n']);
    const infos = await told('fixtures/dtls.pcap', undefined, (frame) => frame.info);
    expect(infos.slice(0, 7)).toEqual([
      'Client Hello (SNI=dtls.example.test)',
      'Hello Verify Request',
      'Client Hello (SNI=dtls.example.test)',
      'Server Hello, Certificate (fragment)',
      'Certificate (fragment)',
      'Certificate (fragment)',
      'Certificate (reassembled), Server Key Exchange, Server Hello Done',
    ]);
  });

  test('secrets inside a pcapng do as well', async () => {
    const pcap = readFileSync('fixtures/tls.pcap');
    const block = (type: number, body: Buffer) => {
      const padded = Buffer.concat([body, Buffer.alloc(-body.length & 3)]);
      const head = Buffer.alloc(8);
      head.writeUInt32LE(type, 0);
      head.writeUInt32LE(padded.length + 12, 4);
      return Buffer.concat([head, padded, head.subarray(4)]);
    };
    const words = (...values: number[]) => {
      const octets = Buffer.alloc(4 * values.length);
      for (const [i, value] of values.entries()) octets.writeUInt32LE(value, 4 * i);
      return octets;
    };
    const keys = readFileSync('fixtures/tls.keys');
    const blocks = [
      block(0x0a0d0d0a, Buffer.concat([words(0x1a2b3c4d, 1), Buffer.alloc(8, 0xff)])),
      block(1, words(1, 0)),
      block(10, Buffer.concat([words(0x544c534b, keys.length), keys])),
    ];
    for (let at = 24; at < pcap.length; at += 16 + pcap.readUInt32LE(at + 8)) {
      const [seconds, micros, length] = [pcap.readUInt32LE(at), pcap.readUInt32LE(at + 4), pcap.readUInt32LE(at + 8)];
      const ticks = BigInt(seconds) * 1_000_000n + BigInt(micros);
      const head = words(0, Number(ticks >> 32n), Number(ticks & 0xffffffffn), length, pcap.readUInt32LE(at + 12));
      blocks.push(block(6, Buffer.concat([head, pcap.subarray(at + 16, at + 16 + length)])));
    }
    const folder = mkdtempSync(join(tmpdir(), 'netlens-tls-'));
    try {
      writeFileSync(join(folder, 'tls.pcapng'), Buffer.concat(blocks));
      expect(await told(join(folder, 'tls.pcapng'), undefined, uris)).toEqual(ASKED);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test('a key log: what is no secret is passed over', () => {
  const log = new KeyLog();
  const random = 'ab'.repeat(32);
  expect(log.add(`# comment\nCLIENT_RANDOM ${random} ${'01'.repeat(48)}\r\nCLIENT_RANDOM zz 00\n\nRSA 0011 2233\n`)).toBe(1);
  expect(log.find('CLIENT_RANDOM', hex(random))).toEqual(hex('01'.repeat(48)));
  expect(log.find('CLIENT_RANDOM', hex('00'.repeat(32)))).toBeUndefined();
});

test('HKDF-Expand-Label, as RFC 8448 section 3 traces it', () => {
  const secret = hex('b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21');
  expect(expandLabel(cryptography, 'sha256', secret, 'key', 16)).toEqual(hex('dbfaa693d1762c5b666af5d950258d01'));
  expect(expandLabel(cryptography, 'sha256', secret, 'iv', 12)).toEqual(hex('5bd3c71b836e0b76bb73265f'));
});
