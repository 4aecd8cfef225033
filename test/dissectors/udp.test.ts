import { describe, expect, it } from 'vitest';
import { UdpStreams } from '../../src/analysis/udp-streams.js';
import { Registry } from '../../src/core/registry.js';
import { Session } from '../../src/core/session.js';
import { PROTOCOLS } from '../../src/dissectors/index.js';
import type { Udp } from '../../src/dissectors/udp.js';
import { createSession } from '../../src/frames.js';
import { dissect, everyCut, everyLie, fieldsOf, hex, values } from '../packets.js';

const IPV4 = 228;
const IPV6 = 229;

const port = (n: number) => n.toString(16).padStart(4, '0');
/** A datagram from 192.0.2.1 to 192.0.2.2; `tail` begins after the ports. */
const packet = (from: number, to: number, tail: string, { reply = false, protocol = '11' } = {}) => {
  const length = (24 + hex(tail).length).toString(16).padStart(4, '0');
  const [a, b] = reply ? ['c0000202', 'c0000201'] : ['c0000201', 'c0000202'];
  return hex(`4500 ${length} 0000 0000 40 ${protocol} 0000 ${a} ${b} | ${port(from)} ${port(to)} ${tail}`);
};

describe('udp', () => {
  it('reads all fields', () => {
    expect(fieldsOf(dissect(packet(40000, 50007, '000c 1234 01020304'), { linkType: IPV4 }), 'udp')).toEqual({
      'udp.srcport': '40000',
      'udp.dstport': '50007',
      'udp.length': '12',
      'udp.checksum': '0x1234',
      'udp.checksum.status': '2',
      'udp.stream': '0',
      'udp.time_relative': '0.000000000',
      'udp.time_delta': '0.000000000',
      'udp.payload': '01020304',
    });
  });

  it.each([
    ['000c 0000 01020304', '40000 → 50007 Len=4', { 'udp.checksum.status': '3', 'udp.length.bad': '' }],
    ['000d 1234 01020304', '40000 → 50007 [BAD UDP LENGTH 13 > IP PAYLOAD LENGTH] Len=5', { 'udp.length.bad': '1' }],
    ['0007 1234 01020304', '40000 → 50007 [BAD UDP LENGTH 7 < 8]', { 'udp.length.bad': '1', 'udp.checksum': '' }],
    ['000a 1234 01020304', '40000 → 50007 Len=2', { 'data.data': '0102' }],
    ['0008 1234', '40000 → 50007 Len=0', { 'data.data': '', 'udp.stream': '0' }],
  ])('says of %s: %s', (tail, info, expected) => {
    const frame = dissect(packet(40000, 50007, tail), { linkType: IPV4 });
    expect(frame.info.split(' [malformed')[0]).toBe(info);
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, values(frame, name)]))).toEqual(expected);
  });

  it('verifies checksums over the pseudo-header when asked to', () => {
    const status = (octets: Uint8Array, linkType: number) =>
      values(dissect(octets, { linkType, session: createSession({ checksums: true }) }), 'udp.checksum.status');
    // c000 + 0201 + c000 + 0202 + 0011 + 000a + 9c40 + c357 + 000a + 0102 = 2e4c1, folded e4c3, inverted 1b3c.
    expect(status(packet(40000, 50007, '000a 1b3c 0102'), IPV4)).toBe('1');
    expect(status(packet(40000, 50007, '000a 1b3d 0102'), IPV4)).toBe('0');
    const six = `60000000 0008 11 40 ${'0'.repeat(32)} ${'0'.repeat(32)} 9c40 c357 0008`;
    expect(status(hex(`${six} a046`), IPV6)).toBe('1');
    expect(status(hex(`${six} 0000`), IPV6)).toBe('4');
    // The light variant covers what it says, here the header alone.
    expect(status(packet(40000, 50007, '0008 1bc9 0102', { protocol: '88' }), IPV4)).toBe('1');
    expect(status(packet(40000, 50007, '0008 1bc9 0304', { protocol: '88' }), IPV4)).toBe('1');
    expect(values(dissect(packet(40000, 50007, '0008 1bc9 0102', { protocol: '88' }), { linkType: IPV4 }), 'udp.length')).toBe('10');
  });

  it('knows where traceroute probes', () => {
    expect(values(dissect(packet(40000, 33435, '0008 1234'), { linkType: IPV4 }), 'udp.possible_traceroute')).toBe('1');
    expect(values(dissect(packet(40000, 33434, '0008 1234'), { linkType: IPV4 }), 'udp.possible_traceroute')).toBe('');
  });

  it('survives every cut and every lie', () => {
    everyCut(packet(40000, 50007, '000c 1234 01020304'), IPV4);
    everyLie(packet(40000, 50007, '000c 1234 01020304'), 20, IPV4);
    everyLie(packet(40000, 50007, '000c 1234 01020304', { protocol: '88' }), 20, IPV4);
  });
});

describe('udp streams', () => {
  const seen = (session: Session, octets: Uint8Array, seconds: number) => {
    const frame = dissect(octets, { session, linkType: IPV4, seconds });
    return ['udp.stream', 'udp.time_relative', 'udp.time_delta'].map((name) => values(frame, name));
  };

  it('number pairs of addresses and ports in both directions, and time them', () => {
    const session = createSession();
    expect(seen(session, packet(40000, 50007, '0008 1234'), 10)).toEqual(['0', '0.000000000', '0.000000000']);
    expect(seen(session, packet(40001, 50007, '0008 1234'), 11)).toEqual(['1', '0.000000000', '0.000000000']);
    expect(seen(session, packet(50007, 40000, '0008 1234', { reply: true }), 12)).toEqual(['0', '2.000000000', '2.000000000']);
    expect(seen(session, packet(50007, 40000, '0008 1234'), 13)[0]).toBe('2');
    expect(seen(session, packet(40000, 50007, '0008 1234'), 15)).toEqual(['0', '5.000000000', '3.000000000']);
  });

  it('are bounded, and those in use stay', () => {
    const streams = new UdpStreams(1000);
    const session = new Session({
      registry: new Registry(PROTOCOLS),
      hooks: { udp: (frame, udp) => streams.see(frame, udp as Udp) },
    });
    for (let i = 0; i < 10_000; i++) {
      expect(seen(session, packet(7, 9, '0008 1234'), i)[0]).toBe('0');
      seen(session, packet(10_000 + i, 50007, '0008 1234'), i);
    }
    expect(streams.held).toBeLessThanOrEqual(2000);
    expect(seen(session, packet(10_000, 50007, '0008 1234'), 10_000)[0]).toBe('10001');
  });
});
