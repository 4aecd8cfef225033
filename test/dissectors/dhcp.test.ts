import { describe, expect, it } from 'vitest';
import { Dhcp } from '../../src/dissectors/dhcp.js';
import { dissect, everyCut, everyLie, fieldsOf, hex, IPV4, udpMessage, values } from '../packets.js';

const HEADER = '01 01 06 00 | 00003d1d | 0005 8000 | 00000000 00000000 00000000 00000000 | 020000000001 00000000000000000000';
const EMPTY = '00'.repeat(192);
const message = (options: string, fixed = EMPTY) => udpMessage(68, 67, hex(`${HEADER} ${fixed} 63825363 ${options}`));
const see = (options: string, fixed = EMPTY) => dissect(message(options, fixed), { linkType: IPV4 });

const DISCOVER = '35 01 01 | 3d 07 01 020000000001 | 32 04 c0000205 | 37 04 01 03 06 2a | ff | 0000';

describe('dhcp', () => {
  it('reads all fields of a discover', () => {
    const frame = see(DISCOVER);
    expect(fieldsOf(frame, 'dhcp')).toEqual({
      'dhcp.type': '1',
      'dhcp.hw.type': '0x01,0x01',
      'dhcp.hw.len': '6',
      'dhcp.hops': '0',
      'dhcp.id': '0x00003d1d',
      'dhcp.secs': '5',
      'dhcp.flags': '0x8000',
      'dhcp.flags.bc': '1',
      'dhcp.flags.reserved': '0x0000',
      'dhcp.ip.client': '0.0.0.0',
      'dhcp.ip.your': '0.0.0.0',
      'dhcp.ip.server': '0.0.0.0',
      'dhcp.ip.relay': '0.0.0.0',
      'dhcp.hw.mac_addr': '02:00:00:00:00:01,02:00:00:00:00:01',
      'dhcp.hw.addr_padding': '00000000000000000000',
      'dhcp.cookie': '99.130.83.99',
      'dhcp.option.type': '53,61,50,55,0',
      'dhcp.option.length': '1,7,4,4',
      'dhcp.option.value': '01,01020000000001,c0000205,0103062a',
      'dhcp.option.dhcp': '1',
      'dhcp.option.requested_ip_address': '192.0.2.5',
      'dhcp.option.request_list_item': '1,3,6,42',
      'dhcp.option.end': '255',
      'dhcp.option.padding': '0000',
    });
    expect(frame.get(Dhcp)?.requestedAddress).toBe('192.0.2.5');
  });

  it.each([
    ['35 01 01 ff', 'DHCP', 'DHCP Discover - Transaction ID 0x3d1d'],
    ['35 01 05 ff', 'DHCP', 'DHCP ACK      - Transaction ID 0x3d1d'],
    ['35 01 06 38 02 6e6f ff', 'DHCP', 'DHCP NAK      - Transaction ID 0x3d1d'],
    ['ff', 'BOOTP', 'Boot Request from 02:00:00:00:00:01'],
  ])('says what %s means', (options, protocol, info) => {
    const frame = see(options);
    expect([frame.top.shortName, frame.info]).toEqual([protocol, info]);
  });

  it('finds options in the fields for names when they are overloaded', () => {
    const file = '0c026869ff'.padEnd(256, '0');
    const frame = see('35 01 02 34 01 01 ff', '00'.repeat(64) + file);
    expect([values(frame, 'dhcp.option.hostname'), values(frame, 'dhcp.file')]).toEqual(['hi', '']);
    expect(values(see('35 01 02 ff', '00'.repeat(64) + '6263'.padEnd(256, '0')), 'dhcp.file')).toBe('bc');
  });

  it('reads suboptions as far as they go', () => {
    const relay = see('52 07 01 02 6162 02 09 63 ff');
    expect(values(relay, 'dhcp.option.agent_information_option.suboption')).toBe('1,2');
    expect(values(relay, 'dhcp.option.suboption_length')).toBe('2,9');
    expect(values(relay, 'dhcp.option.agent_information_option.value')).toBe('6162');
    const boot = see('3c 09 505845436c69656e74 2b 07 06 01 08 0a 02 0041 ff');
    expect(values(boot, 'dhcp.option.vendor.pxeclient.suboption')).toBe('6,10');
    expect(values(boot, 'dhcp.option.vendor.value')).toBe('08,0041');
    expect(values(see('2b 02 0102 ff'), 'dhcp.option.vendor.value')).toBe('0102');
    const enterprise = see('7d 09 00000de9 04 01 02 6162 ff');
    expect(values(enterprise, 'dhcp.option.vi.tr111.suboption')).toBe('1');
    expect(values(enterprise, 'dhcp.option.vi.value')).toBe('6162');
  });

  it('takes no value of a length that its option cannot have', () => {
    expect(values(see('01 08 ffffff00 ffffff00 ff'), 'dhcp.option.subnet_mask')).toBe('');
    expect(values(see('03 08 c0000201 c0000202 ff'), 'dhcp.option.router')).toBe('192.0.2.1,192.0.2.2');
  });

  it.each([
    ['51 07 04 0000 03 666f6f', 'foo'],
    ['51 0c 05 0000 03 666f6f 03 626172 00', 'foo.bar'],
    ['51 0b 05 0000 03 666f6f 03 626172', 'foo.bar'],
    ['51 04 04 0000 00', '<Root>'],
    ['51 06 00 0000 666f6f', 'foo'],
  ])('reads the name in %s (RFC 4702)', (option, name) => {
    expect(values(see(`${option} ff`), 'dhcp.fqdn.name')).toBe(name);
  });

  it('joins what is too long for one option (RFC 3396)', () => {
    // "example.com", then "www" with a pointer to it, torn within the pointer.
    const first = '77 12 07 6578616d706c65 03 636f6d 00 03 777777 c0';
    expect(values(see(`35 01 02 ${first} 77 01 00 ff`), 'dhcp.option.dhcp_dns_domain_search_list_fqdn')).toBe(
      'example.com,www.example.com',
    );
  });

  it('reads identifiers, routes, relays and user classes', () => {
    expect(fieldsOf(see('3d 13 ff 8f9aaebd 0001 0001 1fcb37ce 020000000001 ff'), 'dhcp')).toMatchObject({
      'dhcp.client_id.iaid': '8f9aaebd',
      'dhcp.client_id.time': '533411790',
      'dhcp.client_id.link_layer_address': '02:00:00:00:00:01',
    });
    expect(fieldsOf(see('52 09 01 03 616263 02 02 3132 ff'), 'dhcp')).toMatchObject({
      'dhcp.option.agent_information_option.suboption': '1,2',
      'dhcp.option.agent_information_option.value': '616263,3132',
    });
    expect(values(see('79 0d 18 c00002 c0000201 00 c0000202 ff'), 'dhcp.option.classless_static_route')).toBe(
      '18c00002c0000201,00c0000202',
    );
    expect(values(see('4d 05 02 6869 01 21 ff'), 'dhcp.option.user_class.data')).toBe('6869,21');
  });

  it('survives every cut and every lie', () => {
    const octets = message(
      `${DISCOVER.slice(0, -9)} 77 04 01 61 c0 00 77 02 c0 02 52 04 01 02 6162 51 04 04 00 00 00 3d 05 ff 00000000 ff`,
    );
    everyCut(octets, 28, IPV4);
    everyLie(octets.slice(0), 28 + 230, IPV4);
  });
});
