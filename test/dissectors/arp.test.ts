import { describe, expect, it } from 'vitest';
import { Arp } from '../../src/dissectors/arp.js';
import { createSession } from '../../src/frames.js';
import { dissect, everyCut, everyLie, fieldsOf, hex, values } from '../packets.js';

const ETH = 'ffffffffffff 020000000001 0806';
const REQUEST = hex(`${ETH} | 0001 0800 06 04 0001 | 020000000001 c0000201 | 000000000000 c0000202`);

describe('arp', () => {
  it('reads all fields of a request', () => {
    const frame = dissect(REQUEST);
    expect(fieldsOf(frame, 'arp')).toEqual({
      'arp.hw.type': '1',
      'arp.proto.type': '0x0800',
      'arp.hw.size': '6',
      'arp.proto.size': '4',
      'arp.opcode': '1',
      'arp.src.hw_mac': '02:00:00:00:00:01',
      'arp.src.proto_ipv4': '192.0.2.1',
      'arp.dst.hw_mac': '00:00:00:00:00:00',
      'arp.dst.proto_ipv4': '192.0.2.2',
    });
    expect(frame.get(Arp)?.senderIp).toBe('192.0.2.1');
  });

  it.each([
    ['0001 | 020000000001 c0000201 | 000000000000 c0000202', 'ARP', 'Who has 192.0.2.2? Tell 192.0.2.1'],
    ['0002 | 020000000002 c0000202 | 020000000001 c0000201', 'ARP', '192.0.2.2 is at 02:00:00:00:00:02'],
    ['0001 | 020000000001 00000000 | 000000000000 c0000202', 'ARP', 'Who has 192.0.2.2? (ARP Probe)'],
    ['0001 | 020000000001 c0000201 | 000000000000 c0000201', 'ARP', 'ARP Announcement for 192.0.2.1'],
    ['0001 | 020000000001 c0000201 | ffffffffffff c0000201', 'ARP', 'Gratuitous ARP for 192.0.2.1 (Request)'],
    ['0002 | 020000000001 c0000201 | 020000000001 c0000201', 'ARP', 'Gratuitous ARP for 192.0.2.1 (Reply)'],
    ['0003 | 020000000001 00000000 | 020000000001 00000000', 'RARP', 'Who is 02:00:00:00:00:01? Tell 02:00:00:00:00:01'],
    ['0004 | 020000000002 c0000202 | 020000000001 c0000201', 'RARP', '02:00:00:00:00:01 is at 192.0.2.1'],
    ['0008 | 020000000001 c0000201 | 020000000002 00000000', 'Inverse ARP', 'Who is 02:00:00:00:00:02? Tell 02:00:00:00:00:01'],
    ['0009 | 020000000002 c0000202 | 020000000001 c0000201', 'Inverse ARP', '02:00:00:00:00:02 is at 192.0.2.2'],
  ])('says what %s means', (message, protocol, info) => {
    const frame = dissect(hex(`${ETH} | 0001 0800 06 04 ${message}`));
    expect([frame.top.shortName, frame.info]).toEqual([protocol, info]);
  });

  it('takes addresses of any size as octets', () => {
    const frame = dissect(hex(`${ETH} | 0007 0800 01 04 0001 | 05 c0000201 | 00 c0000202`));
    expect(values(frame, 'arp.src.hw')).toBe('05');
    expect(values(frame, 'arp.src.hw_mac')).toBe('');
    expect(frame.info).toBe('Who has 192.0.2.2? Tell 192.0.2.1');
    expect(dissect(hex(`${ETH} | 0001 9000 06 02 0001 | 020000000001 0102 | 000000000000 0103`)).info).toBe('Who has 0103? Tell 0102');
  });

  it('keeps what fits when the sizes lie', () => {
    const lying = REQUEST.slice();
    lying[18] = 200;
    const frame = dissect(lying);
    expect(frame.stopped).toMatchObject({ reason: 'malformed', need: 416, have: 28 });
    expect(values(frame, 'arp.opcode')).toBe('1');
    expect(values(frame, 'arp.src.hw_mac')).toBe('');
    expect(values(frame, 'arp.dst.proto_ipv4')).toBe('');
  });

  it('shows what a capture that was cut short has of the addresses', () => {
    const frame = dissect(REQUEST.slice(0, 32), { wireLength: REQUEST.length });
    expect(values(frame, 'arp.src.hw_mac')).not.toBe('');
    expect(values(frame, 'arp.src.proto_ipv4')).not.toBe('');
    expect(values(frame, 'arp.dst.hw_mac')).toBe('');
  });

  it('survives every cut and every lie', () => {
    everyCut(REQUEST, 14);
    everyLie(REQUEST, 14);
  });

  it('tells of an address that another has claimed before, and when', () => {
    const session = createSession();
    const at = (seconds: number, message: string) => dissect(hex(`${ETH} | 0001 0800 06 04 ${message}`), { session, seconds });
    at(10, '0001 | 020000000001 c0000201 | 000000000000 c0000209');
    const reply = at(13, '0002 | 020000000002 c0000202 | 020000000003 c0000201');
    expect(reply.info).toBe('192.0.2.2 is at 02:00:00:00:00:02 (duplicate use of 192.0.2.1 detected!)');
    expect(fieldsOf(reply, 'arp')).toMatchObject({
      'arp.duplicate-address-detected': '1',
      'arp.duplicate-address-frame': '1',
      'arp.seconds-since-duplicate-address-frame': '3',
    });
    // Both addresses are in dispute: the sender's first.
    const both = at(20, '0002 | 020000000004 c0000202 | 020000000004 c0000201');
    expect(values(both, 'arp.duplicate-address-frame')).toBe('2,1');
    // A probe claims nothing, and the first claim still stands.
    expect(values(at(21, '0001 | 020000000005 00000000 | 000000000000 c0000201'), 'arp.duplicate-address-frame')).toBe('');
    // Hosts of a cluster may share the hardware address of a group.
    expect(values(at(21, '0001 | 030000000005 c0000201 | 000000000000 c0000209'), 'arp.duplicate-address-frame')).toBe('');
    expect(values(at(22, '0001 | 020000000001 c0000201 | 000000000000 c0000209'), 'arp.duplicate-address-frame')).toBe('');
  });
});
