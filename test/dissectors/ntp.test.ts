import { describe, expect, it } from 'vitest';
import { Ntp } from '../../src/dissectors/ntp.js';
import { dissect, everyCut, everyLie, fieldsOf, hex, IPV4, udpMessage, values } from '../packets.js';

const message = (text: string) => udpMessage(123, 123, hex(text));
const see = (text: string) => dissect(message(text), { linkType: IPV4 });

const TIMES = '00000000 00000000 | e69ebe05 80000000 | e69ebe06 00000000 | 00000001 00000000';
const HEADER = `24 03 06 ec | 0000045f 00000030 0a1f0880 | ${TIMES}`;

describe('ntp', () => {
  it('reads all fields of an answer', () => {
    const frame = see(HEADER);
    expect(fieldsOf(frame, 'ntp')).toEqual({
      'ntp.flags': '0x24',
      'ntp.flags.li': '0',
      'ntp.flags.vn': '4',
      'ntp.flags.mode': '4',
      'ntp.stratum': '3',
      'ntp.ppoll': '6',
      'ntp.precision': '236',
      'ntp.rootdelay': '1119',
      'ntp.rootdispersion': '48',
      'ntp.refid': '0a1f0880',
      'ntp.reftime': 'NULL',
      'ntp.org': 'Aug 10, 2022 23:30:13.500000000 UTC',
      'ntp.rec': 'Aug 10, 2022 23:30:14.000000000 UTC',
      // Seconds begin anew in 2036.
      'ntp.xmt': 'Feb  7, 2036 06:28:17.000000000 UTC',
    });
    expect(frame.get(Ntp)?.stratum).toBe(3);
  });

  it.each([
    [HEADER, 'NTP Version 4, server'],
    [`1b${HEADER.slice(2)}`, 'NTP Version 3, client'],
    ['97 00 03 2a 0001 0000', 'NTP Version 2, private, Response, MON_GETLIST_1'],
    ['16 02 0001 0000 0000 0000 0000', 'NTP Version 2, control'],
  ])('says what %s means', (text, info) => expect(see(text).info).toBe(info));

  it('tells extensions from a digest', () => {
    const extension = `0104 0010 ${'ab'.repeat(12)}`;
    const mac = `00000001 ${'cd'.repeat(16)}`;
    expect(fieldsOf(see(`${HEADER} ${extension} ${mac}`), 'ntp')).toMatchObject({
      'ntp.ext': '1',
      'ntp.ext.type': '0x0104',
      'ntp.ext.length': '16',
      'ntp.keyid': '00000001',
      'ntp.mac': 'cd'.repeat(16),
    });
    expect(values(see(`1b${HEADER.slice(2)} ${mac}`), 'ntp.keyid')).toBe('00000001');
    expect(fieldsOf(see(`${HEADER} ${extension}`), 'ntp')).toMatchObject({ 'ntp.ext.length': '16', 'ntp.ext.type': '0x0104' });
    expect(values(see(`${HEADER} ${extension}`), 'ntp.keyid')).toBe('');
  });

  it('survives every cut and every lie', () => {
    for (const text of [
      `${HEADER} 0104 0010 ${'ab'.repeat(12)} 0204 0014 ${'ab'.repeat(16)}`,
      '97 00 03 2a 0001 0000',
      '16 02 0001 0000 0000 0000 0000',
    ]) {
      everyCut(message(text), 28, IPV4);
      everyLie(message(text), 28, IPV4);
    }
  });
});
