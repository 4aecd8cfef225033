import { describe, expect, it } from 'vitest';
import { Icmp } from '../../src/dissectors/icmp.js';
import { Udp } from '../../src/dissectors/udp.js';
import { dissect, everyCut, everyLie, fieldsOf, IPV4, icmpMessage, values } from '../packets.js';

const message = (text: string) => dissect(icmpMessage(text), { linkType: IPV4 });

/** A UDP datagram from 192.0.2.2 to 192.0.2.1, as an error quotes it. */
const QUOTED = '4500 0024 0001 0000 4011 0000 c0000202 c0000201 | 1234 8235 0010 0000 | 0102030405060708';
/** The same padded to the 128 octets that come before extensions. */
const PADDED = QUOTED + '00'.repeat(128 - 36);

describe('icmp', () => {
  it('reads all fields of an echo request', () => {
    const frame = dissect(icmpMessage('08 00 0000 0007 0102 | 00e1f505 40e20100 | 1011'), { linkType: IPV4, seconds: 100_000_003 });
    expect(fieldsOf(frame, 'icmp')).toEqual({
      'icmp.type': '8',
      'icmp.code': '0',
      'icmp.checksum': '0xaf1c',
      'icmp.checksum.status': '1',
      'icmp.ident': '7',
      'icmp.ident_le': '1792',
      'icmp.seq': '258',
      'icmp.seq_le': '513',
      'icmp.data_time': 'Mar  3, 1973 09:46:40.123456000 UTC',
      'icmp.data_time_relative': '2.876544000',
    });
    expect(frame.get(Icmp)?.sequence).toBe(258);
    // What ping wrote after the time is data.
    expect(values(frame, 'data.data')).toBe('1011');
  });

  it.each([
    ['00 00 0000 0007 0001', 'Echo (ping) reply    id=0x0007, seq=1/256, ttl=64'],
    ['08 00 0000 0007 0001', 'Echo (ping) request  id=0x0007, seq=1/256, ttl=64'],
    [`03 03 0000 00000000 ${QUOTED}`, 'Destination unreachable (Port unreachable)'],
    [`03 63 0000 00000000 ${QUOTED}`, 'Destination unreachable (Unknown code: 99)'],
    [`05 01 0000 c00002fe ${QUOTED}`, 'Redirect             (Redirect for host)'],
    [`0b 00 0000 00000000 ${QUOTED}`, 'Time-to-live exceeded (Time to live exceeded in transit)'],
    [`0c 00 0000 14000000 ${QUOTED}`, 'Parameter problem    (Pointer indicates the error)'],
    ['0a 00 0000 00000000', 'Router solicitation'],
    ['0d 00 0000 0007 0001 00000001 00000000 00000000', 'Timestamp request    id=0x0007, seq=1/256, ttl=64'],
    ['2b 02 0000 0007 01 64', 'Extended Echo reply  (No Such Interface)'],
    ['fd 00 0000 00000000', 'Unknown ICMP (obsolete or malformed?)'],
  ])('says what %s means', (text, info) => expect(message(text).info).toBe(info));

  it('dissects the quoted datagram without taking it for traffic', () => {
    const frame = message(`03 03 0000 00000000 ${QUOTED}`);
    expect(frame.protocols).toMatch(/ip:icmp:ip:udp/);
    expect(frame.get(Udp)?.srcPort).toBe(0x1234);
    expect(values(frame, 'ip.src')).toBe('192.0.2.1,192.0.2.2');
    expect([frame.top.shortName, frame.transport, frame.stopped, frame.quoted]).toEqual(['ICMP', undefined, undefined, 0]);
    expect(values(frame, 'icmp.unused')).toBe('00000000');
  });

  it('quotes end early by nature', () => {
    const frame = message(`0b 00 0000 00000000 4500 0040 0001 0000 0106 0000 c0000202 c0000201 | 1234 0050 01020304`);
    expect(frame.stopped).toBeUndefined();
    expect(values(frame, 'tcp.srcport')).toBe('4660');
  });

  it('reads the label stack after a quoted datagram (RFC 4950)', () => {
    const frame = message(`0b 00 0000 00 20 0000 ${PADDED} | 2000 0000 | 000c 01 01 00010040 00011101`);
    expect(fieldsOf(frame, 'icmp')).toMatchObject({
      'icmp.unused': '00,0000',
      'icmp.length': '32',
      'icmp.length.original_datagram': '128',
      'icmp.ext.version': '2',
      'icmp.ext.checksum.status': '3',
      'icmp.ext.class': '1',
      'icmp.mpls.label': '16,17',
      'icmp.mpls.s': '0,1',
      'icmp.mpls.ttl': '64,1',
    });
    // Routers that know no length field put it after 128 octets.
    expect(values(message(`0b 00 0000 00000000 ${PADDED} | 2000 0000 | 0008 01 01 00010140`), 'icmp.mpls.label')).toBe('16');
  });

  it('takes no other object of the class for labels', () => {
    const frame = message(`0b 00 0000 00 20 0000 ${PADDED} | 2000 0000 | 0008 01 09 00010140`);
    expect([values(frame, 'icmp.ext.ctype'), values(frame, 'icmp.mpls.label'), values(frame, 'icmp.ext.data')]).toEqual([
      '9',
      '',
      '00010140',
    ]);
  });

  it('reads the interface that a datagram came by (RFC 5837)', () => {
    const object = '0020 02 0f 00000007 0001 0000 c0000209 | 0c 657468302f310000000000 | 000005dc';
    expect(fieldsOf(message(`0b 00 0000 00 20 0000 ${PADDED} | 2000 0000 | ${object}`), 'icmp')).toMatchObject({
      'icmp.int_info.index': '7',
      'icmp.int_info.ipv4': '192.0.2.9',
      'icmp.int_info.name': 'eth0/1',
      'icmp.int_info.mtu': '1500',
      'icmp.reserved': '0000',
    });
  });

  it('reads redirects, masks, timestamps, path MTU and router advertisements', () => {
    expect(values(message(`05 01 0000 c00002fe ${QUOTED}`), 'icmp.redir_gw')).toBe('192.0.2.254');
    expect(values(message('12 00 0000 0001 0002 ffffff00'), 'icmp.address_mask')).toBe('255.255.255.0');
    expect(values(message('0e 00 0000 0001 0002 00000001 00000002 00000003'), 'icmp.transmit_timestamp')).toBe('3');
    expect(values(message(`03 04 0000 0000 05dc ${QUOTED}`), 'icmp.mtu')).toBe('1500');
    expect(fieldsOf(message('09 00 0000 02 02 0708 c0000201 80000000 c0000202 00000005'), 'icmp')).toMatchObject({
      'icmp.lifetime': '1800',
      'icmp.router_address': '192.0.2.1,192.0.2.2',
      'icmp.pref_level': '-2147483648,5',
    });
  });

  it('knows a wrong checksum', () => {
    const frame = message('08 00 1234 0007 0001');
    expect(values(frame, 'icmp.checksum.status') + values(frame, 'icmp.checksum_bad')).toBe('01');
    const cut = dissect(icmpMessage('08 00 0000 0007 0001 01020304').slice(0, 30), { linkType: IPV4, wireLength: 32 });
    expect(values(cut, 'icmp.checksum.status')).toBe('2');
  });

  it('survives every cut and every lie', () => {
    for (const text of [
      `0b 00 0000 00 20 0000 ${PADDED} | 2000 0000 | 000c 01 01 00010040 00011101`,
      '09 10 0000 01 02 0708 c0000201 80000000 | 10 0a 0001 0708 fffe c0000201 | 13 01 08 | 00 | 18 04 01020304',
      '2a 00 0000 0001 02 01 | 2000 0000 000c 03 03 0001 04 00 c0000201',
      `0b 00 0000 00 20 0000 ${PADDED} | 2000 0000 | 0020 02 0f 00000007 0001 0000 c0000209 0c657468302f310000000000 000005dc`,
    ]) {
      everyCut(icmpMessage(text), 20, IPV4);
      everyLie(icmpMessage(text).slice(0, 200), 20, IPV4);
    }
  });
});
