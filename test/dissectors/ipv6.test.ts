import { describe, expect, it } from 'vitest';
import { Ipv6 } from '../../src/dissectors/ipv6.js';
import { createSession } from '../../src/frames.js';
import { dissect, everyCut, everyLie, hex, values } from '../packets.js';

const IPV6 = 229;
const A = '20010db8 00000000 00000000 00000001';
const B = '20010db8 00000000 00000000 00000002';
const C = '20010db8 00000000 00000000 00000003';

/** A header with next header and payload, in hex. */
function packet(next: string, payload: string, source = A): Uint8Array {
  const length = hex(payload).length.toString(16).padStart(4, '0');
  return hex(`6b812345 ${length} ${next} 40 ${source} ${B} | ${payload}`);
}

const of = (octets: Uint8Array, ...names: string[]) => {
  const frame = dissect(octets, { linkType: IPV6 });
  return names.map((name) => values(frame, name));
};

describe('ipv6', () => {
  it('reads all fields of the header', () => {
    const names = ['ipv6.version', 'ip.version', 'ipv6.tclass', 'ipv6.tclass.dscp', 'ipv6.flow', 'ipv6.plen', 'ipv6.nxt', 'ipv6.hlim'];
    const packet59 = packet('3b', '');
    expect(of(packet59, ...names)).toEqual(['6', '6', '0x000000b8', '46', '0x012345', '0', '59', '64']);
    expect(of(packet59, 'ipv6.src', 'ipv6.dst')).toEqual(['2001:db8::1', '2001:db8::2']);
    expect(dissect(packet59, { linkType: IPV6 }).info).toBe('IPv6 no next header');
  });

  it.each([
    ['0064ff9b 00000000 00000000 c0000201', 'ipv6.src_embed_ipv4', '192.0.2.1'],
    ['2002c000 02010007 00000000 00000001', 'ipv6.src_6to4_gw_ipv4', '192.0.2.1'],
    ['2002c000 02010007 00000000 00000001', 'ipv6.src_6to4_sla_id', '7'],
    ['20010000 c0000201 0000f227 3ffffdfd', 'ipv6.src_tc_port', '3544'],
    ['20010000 c0000201 0000f227 3ffffdfd', 'ipv6.src_tc_ipv4', '192.0.2.2'],
    ['fe800000 00000000 00005efe c0000201', 'ipv6.src_isatap_ipv4', '192.0.2.1'],
    ['fe800000 00000000 000000ff fe000001', 'ipv6.src_slaac_mac', '02:00:00:00:00:01'],
  ])('finds what is inside the address %s: %s', (source, name, value) => {
    expect(of(packet('3b', '', source), name)).toEqual([value]);
  });

  it.each([
    ['05020000 0100', { 'ipv6.opt.type': '0x05,0x01', 'ipv6.opt.router_alert': '0' }],
    ['c204 00010000', { 'ipv6.opt.jumbo': '65536' }],
    ['000000000000', { 'ipv6.opt.type': '0x00,0x00,0x00,0x00,0x00,0x00', 'ipv6.opt.length': '' }],
    ['3004 05dc0501', { 'ipv6.opt.pmtu.min': '1500', 'ipv6.opt.pmtu.rtn': '1280', 'ipv6.opt.pmtu.r_flag': '1' }],
    ['0410 01020304', { 'ipv6.opt.invalid_len': '1', 'ipv6.opt.tel': '' }],
    ['1d04 01020304', { 'ipv6.opt.unknown': '01020304' }],
  ])('reads options %s', (options, expected) => {
    const frame = dissect(packet('00', `3b00 ${options}`), { linkType: IPV6 });
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, values(frame, name)]))).toEqual(expected);
    expect(values(frame, 'ipv6.hopopts.len_oct')).toBe('8');
  });

  it('follows routing headers, and sends the datagram to the last stop', () => {
    const segments = packet('2b', `3b04 04 01 01 00 0000 ${C} ${B}`);
    expect(of(segments, 'ipv6.routing.type', 'ipv6.routing.segleft', 'ipv6.routing.srh.addr')).toEqual([
      '4',
      '1',
      '2001:db8::3,2001:db8::2',
    ]);
    const frame = dissect(segments, { linkType: IPV6 });
    expect(frame.get(Ipv6)?.route?.at).toBe(48);
    expect(of(packet('2b', `3b02 00 01 00000000 ${C}`), 'ipv6.routing.src.addr', 'ipv6.routing.deprecated')).toEqual(['2001:db8::3', '1']);
    expect(of(packet('2b', `3b02 02 01 00000000 ${C}`), 'ipv6.routing.mipv6.home_address')).toEqual(['2001:db8::3']);
    expect(of(packet('2b', '3b01 03 02 ff 00 0000 07 09 000000000000'), 'ipv6.routing.rpl.full_address')).toEqual([
      '2001:db8::7,2001:db8::9,2001:db8::,2001:db8::,2001:db8::,2001:db8::,2001:db8::,2001:db8::',
    ]);
  });

  it('puts fragments together, and leaves one that is alone as it is', () => {
    const session = createSession();
    const first = dissect(packet('2c', '11 00 0001 00000007 | 9c40 c357 0010 0000'), { session, linkType: IPV6 });
    expect(first.info).toBe('IPv6 fragment (off=0 more=y ident=0x00000007 nxt=17)');
    const last = dissect(packet('2c', '11 00 0008 00000007 | 0102030405060708'), { session, linkType: IPV6 });
    expect([values(last, 'ipv6.fragment'), values(last, 'ipv6.reassembled.length')]).toEqual(['1,2', '16']);
    expect(last.info).toBe('40000 → 50007 Len=8');
    expect(of(packet('2c', '11 00 0000 00000007 | 9c40 c357 0008 0000'), 'udp.srcport', 'ipv6.fragment')).toEqual(['40000', '']);
  });

  it('judges lengths', () => {
    const zero = packet('fd', '01020304');
    zero[5] = 0;
    expect(of(zero, 'ipv6.plen_zero', 'data.len')).toEqual(['1', '']);
    // Segments of TCP and datagrams of UDP are what network cards cut up.
    const offloaded = packet('11', '00350035 0008 0000');
    offloaded[5] = 0;
    expect(of(offloaded, 'ipv6.plen_zero', 'udp.length')).toEqual(['1', '8']);
    const long = packet('fd', '01020304');
    long[5] = 5;
    expect(of(long, 'ipv6.plen_exceeds_framing', 'data.len')).toEqual(['1', '4']);
    const other = packet('fd', '');
    other[0] = 0x50;
    expect(of(other, 'ipv6.bogus_ipv6_version', 'ipv6.plen')).toEqual(['1', '']);
  });

  it('survives every cut and every lie', () => {
    const all = packet(
      '00',
      `2b00 05020000 0100 | 3c04 04 01 01 00 0000 ${C} ${B} | 2c00 c204 00010000 | 8700 0001 00000007 | 3b00 05 00 0000 0000`,
    );
    everyCut(all, IPV6);
    everyLie(all, 0, IPV6);
  });
});
