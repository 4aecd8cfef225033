import { describe, expect, it } from 'vitest';
import { Nbns } from '../../src/dissectors/nbns.js';
import { datagram } from '../analysis/dns-messages.js';
import { dissect, everyCut, everyLie, values } from '../packets.js';

const PORTS = { from: 1, to: 2, srcPort: 137, dstPort: 137 };
/** `FILES<20>`: F is 0x46, written as E and G. */
const FILES = '20 4547 454a 454d 4546 4644 4341 4341 4341 4341 4341 4341 4341 4341 4341 4341 4341 00';
const STATUS = `20a8 8400 0000 0001 0000 0000 | ${FILES} 0021 0001 00000000 0041 |
  01 46494c45532020202020202020202020 8400 | 020000000009 00 00 0100 0000 ${'0000'.repeat(4)} 00000007 00000008 ${'0000'.repeat(8)}`;

const read = (message: string) => dissect(datagram(message, PORTS));

describe('nbns', () => {
  it('reads names, flags and the numbers of an adapter', () => {
    const frame = read(STATUS);
    expect(frame.get(Nbns)!.answers).toMatchObject([
      {
        name: 'FILES<20>',
        type: 33,
        nameCount: 1,
        names: [{ name: 'FILES<20>', flags: 0x8400, nameGroup: true, active: true, conflict: false }],
        unitId: '02:00:00:00:00:09',
        version: 0x0100,
        goodSends: 7,
        goodReceives: 8,
      },
    ]);
    expect(values(frame, 'nbns.netbios_name')).toBe('FILES<20>');
  });

  it.each([
    [`0001 0110 0001 0000 0000 0000 | ${FILES} 0020 0001`, 'Name query NB FILES<20>'],
    [`0001 0110 0001 0000 0000 0000 | ${FILES.slice(0, -2)} 0178 00 0020 0001`, 'Name query NB FILES<20>.x'],
    [`0001 8500 0000 0001 0000 0000 | ${FILES} 0020 0001 00000000 0006 0000 c0000205`, 'Name query response NB 192.0.2.5'],
    [`0001 8583 0000 0000 0000 0000`, 'Name query response, Requested name does not exist'],
    [`0001 2910 0001 0000 0000 0001 | ${FILES} 0020 0001 | c00c 0020 0001 00000000 0006 0000 c0000205`, 'Registration NB FILES<20>'],
  ])('says what %s means', (message, info) => {
    const frame = read(message);
    expect([frame.top.shortName, frame.info]).toEqual(['NBNS', info]);
  });

  it('survives every cut and every lie', () => {
    everyCut(datagram(STATUS, PORTS), 42);
    everyLie(datagram(STATUS, PORTS), 42);
  });
});
