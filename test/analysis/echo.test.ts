import { describe, expect, it } from 'vitest';
import { createSession } from '../../src/frames.js';
import { dissect, IPV4, icmpMessage, values } from '../packets.js';

const PAYLOAD = '0102030405060708';

describe('echo pairs', () => {
  it('gives each reply its request and the time between, once', () => {
    const session = createSession();
    let ms = 0;
    const see = (text: string, turned = false) =>
      dissect(icmpMessage(text, turned), { session, linkType: IPV4, seconds: 1, nanoseconds: (ms += 0.5) * 1e6 });
    see(`08 00 0000 0007 0001 ${PAYLOAD}`);
    see(`08 00 0000 0007 0001 ${PAYLOAD}`);
    const reply = see(`00 00 0000 0007 0001 ${PAYLOAD}`, true);
    // The latest of two equal requests is the one that is answered, and only the first reply counts.
    expect([values(reply, 'icmp.resp_to'), values(reply, 'icmp.resptime')]).toEqual(['2', '0.5']);
    expect(reply.info).toMatch(/^Echo \(ping\) reply {4}id=0x0007, seq=1\/256, ttl=64 \(request in 2\)/);
    expect(values(see(`00 00 0000 0007 0001 ${PAYLOAD}`, true), 'icmp.resp_to')).toBe('');
  });

  it('wants the same payload, number and peers', () => {
    const session = createSession();
    const see = (text: string, turned = false) => dissect(icmpMessage(text, turned), { session, linkType: IPV4 });
    see(`08 00 0000 0007 0001 ${PAYLOAD}`);
    for (const other of [`00 00 0000 0007 0002 ${PAYLOAD}`, `00 00 0000 0008 0001 ${PAYLOAD}`, '00 00 0000 0007 0001 0102030405060709'])
      expect(values(see(other, true), 'icmp.resp_to')).toBe('');
    expect(values(see(`00 00 0000 0007 0001 ${PAYLOAD}`, true), 'icmp.resp_to')).toBe('1');
  });

  it('matches checksums around zero', () => {
    // The request's checksum is 0x07ff, so the reply's is 0x0fff; and 0x0000 against 0x0800.
    for (const pad of ['f000', 'f7ff', 'f7fe']) {
      const session = createSession();
      dissect(icmpMessage(`08 00 0000 0000 0000 ${pad}`), { session, linkType: IPV4 });
      const reply = dissect(icmpMessage(`00 00 0000 0000 0000 ${pad}`, true), { session, linkType: IPV4 });
      expect(values(reply, 'icmp.resp_to')).toBe('1');
    }
  });
});
