import { describe, expect, it } from 'vitest';
import { Dhcpv6 } from '../../src/dissectors/dhcpv6.js';
import { dissect, everyCut, everyLie, fieldsOf, hex, IPV6, ipv6, values } from '../packets.js';

const message = (text: string) => {
  const payload = hex(text);
  const length = (8 + payload.length).toString(16).padStart(4, '0');
  return ipv6(17, Uint8Array.from([...hex(`0222 0223 ${length} 0000`), ...payload]));
};
const see = (text: string) => dissect(message(text), { linkType: IPV6 });

const ADDRESS = '20010db8000000000000000000000005';
const CLIENT = '0001 000e 0001 0001 1db8e6fb 020000000001';
const LEASE = `0003 0028 00000007 00000e10 00001518 | 0005 0018 ${ADDRESS} 00004650 00007080`;
const REPLY = `07 28b040 | ${CLIENT} | ${LEASE} | 0017 0010 ${ADDRESS}`;
const RELAYED = `0c 00 ${ADDRESS} ${ADDRESS} | 0009 001c 01 28b040 | ${CLIENT} | 0008 0002 0064`;

describe('dhcpv6', () => {
  it('reads all fields of a reply', () => {
    const frame = see(REPLY);
    expect(fieldsOf(frame, 'dhcpv6')).toEqual({
      'dhcpv6.msgtype': '7',
      'dhcpv6.xid': '0x28b040',
      'dhcpv6.option.type': '1,3,5,23',
      'dhcpv6.option.type_str': 'Client Identifier,Identity Association for Non-temporary Address,IA Address,DNS recursive name server',
      'dhcpv6.option.length': '14,40,24,16',
      'dhcpv6.duid.bytes': '000100011db8e6fb020000000001',
      'dhcpv6.duid.type': '1',
      'dhcpv6.duidllt.hwtype': '1',
      'dhcpv6.duidllt.time': 'Oct 20, 2015 11:50:19.000000000 UTC',
      'dhcpv6.duidllt.link_layer_addr': '02:00:00:00:00:01',
      'dhcpv6.iaid': '00000007',
      'dhcpv6.iaid.t1': '3600',
      'dhcpv6.iaid.t2': '5400',
      'dhcpv6.iaaddr.ip': '2001:db8::5',
      'dhcpv6.iaaddr.pref_lifetime': '18000',
      'dhcpv6.iaaddr.valid_lifetime': '28800',
      'dhcpv6.dns_server': '2001:db8::5',
    });
    expect(frame.get(Dhcpv6)?.address).toEqual(['2001:db8::5']);
  });

  it.each([
    ['01 28b040', 'Solicit XID: 0x28b040'],
    [REPLY, 'Reply XID: 0x28b040 CID: 000100011db8e6fb020000000001 IAA: 2001:db8::5'],
    [RELAYED, 'Relay-forw L: 2001:db8::5 Solicit XID: 0x28b040 CID: 000100011db8e6fb020000000001'],
  ])('says what %s means', (text, info) => expect(see(text).info).toBe(info));

  it('reads messages inside relays', () => {
    expect(fieldsOf(see(RELAYED), 'dhcpv6')).toMatchObject({
      'dhcpv6.msgtype': '12,1',
      'dhcpv6.hopcount': '0',
      'dhcpv6.elapsed_time': '1000',
    });
  });

  it('reads names, whole and partial', () => {
    expect(values(see('07 28b040 0018 000d 07 6578616d706c65 03 636f6d 00'), 'dhcpv6.search_list_entry')).toBe('example.com.');
    expect(values(see('01 28b040 0027 0006 01 04 686f7374'), 'dhcpv6.client_domain')).toBe('host');
  });

  it('reads options inside containers, and addresses that are not Ethernet', () => {
    const address = '20010db8000000000000000000000005 0000000a 00000014';
    const client = see(`0f 28b040 002d 0026 0001 0006 0003 0020 abcd 0005 0018 ${address}`);
    expect(values(client, 'dhcpv6.option.type')).toBe('45,1,5');
    expect(values(client, 'dhcpv6.duidll.link_layer_addr')).toBe('abcd');
    expect(values(client, 'dhcpv6.iaaddr.ip')).toBe('2001:db8::5');
    const query = see(`0e 28b040 002c 0017 02 ${'00'.repeat(16)} 0006 0002 0017`);
    expect(values(query, 'dhcpv6.requested_option_code')).toBe('23');
    expect(values(see('01 28b040 002b 0002 0001'), 'dhcpv6.requested_option_code')).toBe('1');
  });

  it('marks options that lie', () => {
    expect(values(see('01 28b040 0008 0001 00'), 'dhcpv6.malformed_option')).toBe('1');
    expect(values(see('01 28b040 0008 00ff 0000'), 'dhcpv6.malformed_option')).toBe('1');
  });

  it('survives every cut and every lie, and relays without end', () => {
    for (const text of [REPLY, RELAYED]) {
      everyCut(message(text), 48, IPV6);
      everyLie(message(text), 48, IPV6);
    }
    let nested = '01 28b040'.replace(' ', '');
    for (let i = 0; i < 100; i++) nested = `0c00${ADDRESS}${ADDRESS}0009${(nested.length / 2).toString(16).padStart(4, '0')}${nested}`;
    expect(see(nested).info.match(/Relay-forw/g)).toHaveLength(33);
  });
});
