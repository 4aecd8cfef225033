import { describe, expect, it } from 'vitest';
import { dissect, everyCut, everyLie, hex, values } from '../packets.js';

const IPV4 = 228;

function ip(message: string): Uint8Array {
  const length = (20 + hex(message).length).toString(16).padStart(4, '0');
  return hex(`4500 ${length} 0000 0000 01 02 0000 c0000201 e0000016 | ${message}`);
}

const QUERY = '11 8a 0000 ef010101 0b 7d 0001 c0000263';
const REPORT = '22 00 0000 0000 0003 | 04 00 0000 ef010101 | 03 00 0000 ef010102 | 05 01 0001 ef010103 c0000263 deadbeef';

describe('igmp', () => {
  it.each([
    [
      '11 00 eeff 00000000',
      'IGMPv1',
      'Membership Query, general',
      { 'igmp.version': '1', 'igmp.reserved': '00', 'igmp.checksum.status': '1' },
    ],
    ['11 64 0000 00000000', 'IGMPv2', 'Membership Query, general', { 'igmp.max_resp': '100', 'igmp.checksum.status': '0' }],
    ['11 64 0000 ef010101', 'IGMPv2', 'Membership Query, specific for group 239.1.1.1', { 'igmp.maddr': '239.1.1.1' }],
    ['16 00 0000 ef010101', 'IGMPv2', 'Membership Report group 239.1.1.1', { 'igmp.type': '0x16' }],
    ['17 00 0000 ef010101', 'IGMPv2', 'Leave Group 239.1.1.1', { 'igmp.version': '2' }],
    [
      QUERY,
      'IGMPv3',
      'Membership Query, specific for group 239.1.1.1, source {192.0.2.99}',
      {
        'igmp.max_resp': '208',
        'igmp.max_resp.exp': '0x00',
        'igmp.max_resp.mant': '0x0a',
        'igmp.s': '1',
        'igmp.qrv': '3',
        'igmp.qqic': '125',
        'igmp.saddr': '192.0.2.99',
      },
    ],
    [
      REPORT,
      'IGMPv3',
      'Membership Report / Join group 239.1.1.1 for any sources / Leave group 239.1.1.2 / New source {192.0.2.99} for group 239.1.1.3',
      {
        'igmp.num_grp_recs': '3',
        'igmp.record_type': '4,3,5',
        'igmp.num_src': '0,0,1',
        'igmp.maddr': '239.1.1.1,239.1.1.2,239.1.1.3',
        'igmp.aux_data': 'deadbeef',
        'igmp.reserved': '00,0000',
      },
    ],
    ['99 01 0203 00000000', 'IGMP', 'Unknown Type:0x99', { 'igmp.type': '0x99', 'igmp.checksum': '', 'igmp.data': '01020300000000' }],
    ['13 01 0000 00000000', 'IGMP', 'DVMRP Protocol', { 'igmp.type': '' }],
  ])('reads %s', (message, protocol, info, fields) => {
    const frame = dissect(ip(message), { linkType: IPV4 });
    expect([frame.top.shortName, frame.info]).toEqual([protocol, info]);
    expect(Object.fromEntries(Object.keys(fields).map((name) => [name, values(frame, name)]))).toEqual(fields);
  });

  it('survives every cut and every lie', () => {
    for (const message of [QUERY, REPORT, `1f 20 0000 ${'00'.repeat(52)}`]) {
      everyCut(ip(message), IPV4);
      everyLie(ip(message), 20, IPV4);
    }
  });
});
