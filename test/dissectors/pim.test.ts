import { describe, expect, it } from 'vitest';
import { dissect, everyCut, everyLie, hex, IPV4, IPV6, values } from '../packets.js';

/** `message` from 192.0.2.1 to the routers of the link. */
function pim(message: string): Uint8Array {
  const length = (20 + hex(message).length).toString(16).padStart(4, '0');
  return hex(`4500 ${length} 0000 0000 01 67 0000 c0000201 e000000d | ${message}`);
}

const HELLO = pim('2000 4154 | 0001 0002 0069 | 0002 0004 81f4 09c4 | 0013 0004 00000001 | 0014 0004 5eed0001 | fdea 0002 abcd');

describe('pim', () => {
  it('reads the options of a Hello', () => {
    const frame = dissect(HELLO, { linkType: IPV4 });
    const expected = {
      'pim.version': '2',
      'pim.type': '0',
      'pim.cksum': '0x4154',
      'pim.optiontype': '1,2,19,20,65002',
      'pim.optionlength': '2,4,4,4,2',
      'pim.holdtime': '105',
      'pim.t': '1',
      'pim.propagation_delay': '500',
      'pim.override_interval': '2500',
      'pim.dr_priority': '1',
      'pim.generation_id': '1592590337',
      'pim.optionvalue': 'abcd',
    };
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, values(frame, name)]))).toEqual(expected);
    expect(frame.info).toBe('Hello');
  });

  it.each([
    ['Register-stop', pim('2200 f8e5 | 0100 0020 ef010203 | 0100 cb007101')],
    ['Register, null', pim('2100 9eff 40000000')],
    ['Join/Prune', pim('2300 0000 00000000')],
    ['PIM version 1', pim('1000 0000')],
  ])('%s', (info, packet) => expect(dissect(packet, { linkType: IPV4 }).info).toBe(info));

  it('reads group and source of a Register-Stop', () => {
    const frame = dissect(pim('2200 f8e5 | 0100 0020 ef010203 | 0100 cb007101'), { linkType: IPV4 });
    expect(values(frame, 'pim.group')).toBe('239.1.2.3');
    expect(values(frame, 'pim.source')).toBe('203.0.113.1');
  });

  it('takes the checksum of a Register over its head or over all of it', () => {
    const inner = '4500 0014 0000 0000 40 fd 0000 cb007101 cb007102';
    expect(values(dissect(pim(`2100 deff 00000000 ${inner}`), { linkType: IPV4 }), 'pim.cksum.status')).toBe('1');
    expect(values(dissect(pim(`2100 def0 00000000 ${inner}`), { linkType: IPV4 }), 'pim.bad_checksum')).toBe('1');
  });

  it('sums up the pseudo-header of IPv6', () => {
    const packet = hex(`60000000 0004 67 01 20010db8000000000000000000000001 ff02000000000000000000000000000d 2000 b2ca`);
    expect(values(dissect(packet, { linkType: IPV6 }), 'pim.cksum.status')).toBe('1');
  });

  it('survives every cut and every lie', () => {
    everyCut(HELLO, 20, IPV4);
    everyLie(HELLO, 20, IPV4);
  });
});
