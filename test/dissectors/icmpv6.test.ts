import { describe, expect, it } from 'vitest';
import { Icmpv6 } from '../../src/dissectors/icmpv6.js';
import { Udp } from '../../src/dissectors/udp.js';
import { createSession } from '../../src/frames.js';
import { dissect, everyCut, everyLie, fieldsOf, IPV6, icmpv6Message, values } from '../packets.js';

const message = (text: string) => dissect(icmpv6Message(text), { linkType: IPV6 });

const TARGET = '20010db8000000000000000000000005';
const SOURCE_LINK = '01 01 020000000001';
const TARGET_LINK = '02 01 020000000001';
const PREFIX = '03 04 40 c0 00015180 00003840 00000000 20010db8000000000000000000000000';
const ADVERTISEMENT = '86 00 0000 40 c8 0708 00007530 000003e8';
/** A UDP datagram as an error quotes it. */
const QUOTED = `60000000 0010 1140 fe800000000000000000000000000002 fe800000000000000000000000000001 | 1234 8235 0010 0000 0102030405060708`;

describe('icmpv6', () => {
  it('reads all fields of a router advertisement', () => {
    const frame = message(`${ADVERTISEMENT} ${SOURCE_LINK} 05 01 0000 000005dc ${PREFIX}`);
    expect(fieldsOf(frame, 'icmpv6')).toEqual({
      'icmpv6.type': '134',
      'icmpv6.code': '0',
      'icmpv6.checksum': '0x5409',
      'icmpv6.checksum.status': '1',
      'icmpv6.nd.ra.cur_hop_limit': '64',
      'icmpv6.nd.ra.flag': '0xc8',
      'icmpv6.nd.ra.flag.m': '1',
      'icmpv6.nd.ra.flag.o': '1',
      'icmpv6.nd.ra.flag.h': '0',
      'icmpv6.nd.ra.flag.prf': '1',
      'icmpv6.nd.ra.flag.p': '0',
      'icmpv6.nd.ra.flag.rsv': '0',
      'icmpv6.nd.ra.router_lifetime': '1800',
      'icmpv6.nd.ra.reachable_time': '30000',
      'icmpv6.nd.ra.retrans_timer': '1000',
      'icmpv6.opt': '1,1,1',
      'icmpv6.opt.type': '1,5,3',
      'icmpv6.opt.length': '1,1,4',
      'icmpv6.opt.linkaddr': '02:00:00:00:00:01',
      'icmpv6.opt.src_linkaddr': '02:00:00:00:00:01',
      'icmpv6.opt.reserved': '1,1',
      'icmpv6.opt.mtu': '1500',
      'icmpv6.opt.prefix.length': '64',
      'icmpv6.opt.prefix.flag': '0xc0',
      'icmpv6.opt.prefix.flag.l': '1',
      'icmpv6.opt.prefix.flag.a': '1',
      'icmpv6.opt.prefix.flag.r': '0',
      'icmpv6.opt.prefix.flag.reserved': '0',
      'icmpv6.opt.prefix.valid_lifetime': '86400',
      'icmpv6.opt.prefix.preferred_lifetime': '14400',
      'icmpv6.opt.prefix': '2001:db8::',
    });
    expect(frame.get(Icmpv6)?.options?.map((option) => option.type)).toEqual([1, 5, 3]);
  });

  it.each([
    ['80 00 0000 0007 0001', 'Echo (ping) request id=0x0007, seq=1, hop limit=255'],
    [`85 00 0000 00000000 ${SOURCE_LINK}`, 'Router Solicitation from 02:00:00:00:00:01'],
    [`${ADVERTISEMENT} ${SOURCE_LINK}`, 'Router Advertisement from 02:00:00:00:00:01'],
    [`87 00 0000 00000000 ${TARGET}`, 'Neighbor Solicitation for 2001:db8::5'],
    [`87 00 0000 00000000 ${TARGET} ${SOURCE_LINK}`, 'Neighbor Solicitation for 2001:db8::5 from 02:00:00:00:00:01'],
    [`88 00 0000 60000000 ${TARGET} ${TARGET_LINK}`, 'Neighbor Advertisement 2001:db8::5 (sol, ovr) is at 02:00:00:00:00:01'],
    [`88 00 0000 00000000 ${TARGET}`, 'Neighbor Advertisement 2001:db8::5 (none)'],
    [`01 04 0000 00000000 ${QUOTED}`, 'Destination Unreachable (Port unreachable)'],
    [`02 00 0000 00000500 ${QUOTED}`, 'Packet Too Big'],
    ['8f 00 0000 0000 0000', 'Multicast Listener Report Message v2'],
    ['9b 01 0000', 'RPL Control (DODAG Information Object)'],
    ['9a 00 0000 04 00 0007', 'FMIPv6 (Handover Initiate)'],
  ])('says what %s means', (text, info) => expect(message(text).info).toBe(info));

  it('dissects what an error quotes, and what a redirect is about', () => {
    const error = message(`01 04 0000 00000000 ${QUOTED}`);
    expect([error.get(Udp)?.srcPort, error.top.shortName, error.stopped]).toEqual([0x1234, 'ICMPv6', undefined]);
    const redirect = message(`89 00 0000 00000000 ${TARGET} ${TARGET} ${TARGET_LINK} 04 09 000000000000 ${QUOTED}`);
    expect([redirect.get(Udp)?.srcPort, redirect.info]).toEqual([0x1234, 'Redirect is at 02:00:00:00:00:01']);
  });

  it('reads routes, DNS, NAT64 and captive portals that routers announce', () => {
    const options = [
      '18 02 40 18 00000e10 20010db800010000',
      `19 03 0000 00000e10 ${TARGET}`,
      '1f 03 0000 00000e10 07 6578616d706c65 03 636f6d 00 000000',
      '26 02 0708 0064ff9b0000000000000000',
      '25 02 68747470733a2f2f782f 00000000',
    ].join('');
    expect(fieldsOf(message(ADVERTISEMENT + options), 'icmpv6')).toMatchObject({
      'icmpv6.opt.route_info.flag.route_preference': '3',
      'icmpv6.opt.prefix': '2001:db8:1::',
      'icmpv6.opt.rdnss': '2001:db8::5',
      'icmpv6.opt.dnssl': 'example.com',
      'icmpv6.opt.padding': '1',
      'icmpv6.opt.pref64.prefix': '64:ff9b::',
      'icmpv6.opt.pref64.scaled_lifetime': '225',
      'icmpv6.opt.captive_portal': 'https://x/',
    });
  });

  it('reads what groups are listened to', () => {
    const query = message(`82 00 0000 2710 0000 ${TARGET} 0a 7d 0001 ${TARGET}`);
    expect(fieldsOf(query, 'icmpv6')).toMatchObject({ 'icmpv6.mld.maximum_response_code': '10000', 'icmpv6.mld.flag.qrv': '2' });
    expect(values(message(`82 00 0000 2710 0000 ${TARGET}`), 'icmpv6.mld.maximum_response_delay')).toBe('10000');
    const report = message(`8f 00 0000 0000 0002 04 00 0000 ${TARGET} 03 01 0001 ${TARGET} ${TARGET} 01020304`);
    expect(fieldsOf(report, 'icmpv6')).toMatchObject({
      'icmpv6.mldr.mar': '1,1',
      'icmpv6.mldr.mar.record_type': '4,3',
      'icmpv6.mldr.mar.nb_sources': '0,1',
      'icmpv6.mldr.mar.source_address': '2001:db8::5',
      'icmpv6.mldr.mar.auxiliary_data': '01020304',
    });
  });

  it('reads node information, registrations and RPL', () => {
    expect(values(message('8c 00 0000 0002 0000 0102030405060708 00000e10 05686f737431 00 00'), 'icmpv6.ni.reply.node_name')).toBe('host1');
    expect(values(message(`9d 00 0000 00 00 0010 0001020304050607 ${TARGET}`), 'icmpv6.6lowpannd.da.eui64')).toBe(
      '00:01:02:03:04:05:06:07',
    );
    expect(fieldsOf(message(`9b 02 0000 1e 40 00 01 ${TARGET} 05 12 00 80 ${TARGET} 63 01 00`), 'icmpv6')).toMatchObject({
      'icmpv6.rpl.dao.dodagid': '2001:db8::5',
      'icmpv6.rpl.opt.target.prefix': '2001:db8::5',
      'icmpv6.undecoded.rpl_option': '1',
    });
  });

  it('stops at an option of no length', () => {
    const frame = message(`87 00 0000 00000000 ${TARGET} 01 00 020000000001`);
    expect(values(frame, 'icmpv6.invalid_option_length')).toBe('1');
    expect(frame.info).toBe('Neighbor Solicitation for 2001:db8::5');
  });

  it('pairs echoes', () => {
    const session = createSession();
    dissect(icmpv6Message('80 00 0000 0007 0001 01020304'), { session, linkType: IPV6 });
    const reply = dissect(icmpv6Message('81 00 0000 0007 0001 01020304', true), { session, linkType: IPV6, nanoseconds: 1_234_000 });
    expect([values(reply, 'icmpv6.resp_to'), values(reply, 'icmpv6.resptime')]).toEqual(['1', '1.234']);
  });

  it('survives every cut and every lie', () => {
    for (const text of [
      `${ADVERTISEMENT} ${SOURCE_LINK} ${PREFIX} 1f 03 0000 00000e10 07 6578616d706c65 03 636f6d 00 000000`,
      `89 00 0000 00000000 ${TARGET} ${TARGET} ${TARGET_LINK} 04 09 000000000000 ${QUOTED}`,
      `8f 00 0000 0000 0001 03 01 0001 ${TARGET} ${TARGET} 01020304`,
      `9b 02 0000 1e 40 00 01 ${TARGET} 05 12 00 80 ${TARGET} 06 04 01020304`,
      `8a 00 0000 00000000 00 00 0000 00000000 | 01 07 00 40 00 80 0000 ${TARGET} | 40 00 c0 c0 00000001 00000002 00000000 ${TARGET}`,
      '8c 00 0000 0002 0000 0102030405060708 00000e10 05686f737431 00 00',
    ]) {
      everyCut(icmpv6Message(text), 40, IPV6);
      everyLie(icmpv6Message(text), 40, IPV6);
    }
  });
});
