import { describe, expect, it } from 'vitest';
import { createSession } from '../../src/frames.js';
import { dissect, everyCut, everyLie, fieldsOf, hex, ipv4, ipv6, values } from '../packets.js';

const UDP = hex('0035 0035 0008 0000');
const V4 = Buffer.from(ipv4(17, UDP)).toString('hex');
const V6 = Buffer.from(ipv6(17, UDP)).toString('hex');
const ETH = '020000000002 020000000001';

/** Layers, protocol column and Info of a frame of a link type. */
const told = (linkType: number, octets: string): string[] => {
  const frame = dissect(hex(octets), { linkType });
  return [frame.protocols, frame.top.shortName, frame.info];
};

describe('llc', () => {
  it('reads all fields of SNAP', () => {
    const frame = dissect(hex(`${ETH} 0024 | aa aa 03 000000 0800 | ${V4}`));
    expect(fieldsOf(frame, 'llc')).toEqual({
      'llc.dsap': '0xaa',
      'llc.dsap.sap': '0x55',
      'llc.dsap.ig': '0',
      'llc.ssap': '0xaa',
      'llc.ssap.sap': '0x55',
      'llc.ssap.cr': '0',
      'llc.control': '0x0003',
      'llc.control.u_modifier_cmd': '0x00',
      'llc.control.ftype': '0x0003',
      'llc.oui': '0x000000',
      'llc.type': '0x0800',
    });
    expect(frame.protocols).toBe('eth:llc:ip:udp');
  });

  it('reads numbered control fields, the low octet first', () => {
    const information = dissect(hex(`${ETH} 0006 | f0 f1 02 05 0102`));
    expect(fieldsOf(information, 'llc')).toMatchObject({
      'llc.control': '0x0502',
      'llc.control.n_r': '2',
      'llc.control.n_s': '1',
      'llc.control.f': '1',
      'llc.control.ftype': '0x0000',
    });
    expect(values(dissect(hex(`${ETH} 0004 | f0 f0 05 06`)), 'llc.control.s_ftype')).toBe('0x0001');
  });

  it.each([
    ['0004 | f0 f0 05 07', 'LLC', 'S P, func=RNR, N(R)=3; DSAP NetBIOS Individual, SSAP NetBIOS Command'],
    ['0006 | 00 01 af 81 01 00', 'LLC', 'U, func=XID; DSAP NULL LSAP Individual, SSAP NULL LSAP Response'],
    ['0003 | f0 f1 73', 'LLC', 'U F, func=UA; DSAP NetBIOS Individual, SSAP NetBIOS Response'],
    ['000a | aa aa 03 00000c 2000 0102', 'CDP', '2 octets'],
    ['0008 | aa aa 03 00000c 2000', 'LLC', 'U, func=UI; SNAP, OUI 0x00000c (Cisco), PID 0x2000'],
  ])('says what %s is', (rest, protocol, info) => {
    const frame = dissect(hex(`${ETH} ${rest}`));
    expect([frame.top.shortName, frame.info]).toEqual([protocol, info]);
  });

  it('unwraps IP behind its own service access point', () => {
    expect(told(1, `${ETH} 001f | 06 06 03 | ${V4}`)[0]).toBe('eth:llc:ip:udp');
  });

  it('unwraps bridged Ethernet', () => {
    expect(told(1, `${ETH} 0060 | aa aa 03 0080c2 0007 | ${ETH} 0800 ${V4}`)[0]).toBe('eth:llc:eth:ethertype:ip:udp');
  });
});

describe('vlan', () => {
  it('reads tags in tags', () => {
    const frame = dissect(hex(`${ETH} 88a8 07d1 8100 | b00a 0800 | ${V4} ${'00'.repeat(10)} aabb`));
    expect(fieldsOf(frame, 'ieee8021ad')).toEqual({
      'ieee8021ad.priority': '0',
      'ieee8021ad.dei': '0',
      'ieee8021ad.id': '2001',
      'ieee8021ah.etype': '0x8100',
    });
    expect(values(frame, 'vlan.priority')).toBe('5');
    expect(values(frame, 'vlan.dei')).toBe('1');
    expect(values(frame, 'vlan.id')).toBe('10');
    expect(values(frame, 'vlan.etype')).toBe('0x0800');
    expect(values(frame, 'eth.padding')).toBe('00'.repeat(10));
    expect(values(frame, 'vlan.trailer')).toBe('aabb');
    expect(frame.protocols).toBe('eth:ethertype:ieee8021ad:ethertype:vlan:ethertype:ip:udp');
  });

  it.each([
    ['8100 0005 0005 | 4242 03 0000', 'eth:ethertype:vlan:llc:data', 'STP', '2 octets'],
    ['8100 a005 88b5', 'eth:ethertype:vlan:ethertype', 'VLAN', 'PRI: 5  DEI: 0  ID: 5'],
    [`88e7 00000007 | ${ETH} 0800 | ${V4}`, 'eth:ethertype:ieee8021ah:ethertype:ip:udp', 'UDP', ''],
    [`8926 40010002 8100 | 000b 0800 | ${V4}`, 'eth:ethertype:vntag:vlan:ethertype:ip:udp', 'UDP', ''],
  ])('finds what %s carries', (rest, protocols, protocol, info) => {
    const frame = told(1, `${ETH} ${rest}`);
    expect(frame.slice(0, 2)).toEqual([protocols, protocol]);
    if (info) expect(frame[2]).toBe(info);
  });
});

describe('sll', () => {
  it('reads all fields of version 1', () => {
    const frame = dissect(hex(`0004 0001 0006 020000000001 aabb 0800 | ${V4} cc`), { linkType: 113 });
    expect(fieldsOf(frame, 'sll')).toEqual({
      'sll.pkttype': '4',
      'sll.hatype': '1',
      'sll.halen': '6',
      'sll.src.eth': '02:00:00:00:00:01',
      'sll.unused': 'aabb',
      'sll.etype': '0x0800',
      'sll.trailer': 'cc',
    });
  });

  it('reads all fields of version 2', () => {
    const frame = dissect(hex(`86dd 0000 00000003 0304 00 00 0000000000000000 | ${V6}`), { linkType: 276 });
    expect(fieldsOf(frame, 'sll')).toEqual({
      'sll.pkttype': '0',
      'sll.hatype': '772',
      'sll.halen': '0',
      'sll.ifindex': '3',
      'sll.unused': '0000000000000000',
      'sll.etype': '0x86dd',
    });
    expect(frame.protocols).toBe('sll:ethertype:ipv6:udp');
  });

  it.each([
    ['0000 030a 0004 c0000201 00000000 0800', 'sll.gretype', '0x0800'],
    ['0000 0300 0004 c0000201 00000000 0800', 'sll.src.ipv4', '192.0.2.1'],
    ['0000 0020 0014 0102030405060708 0800', 'sll.src.other', '0102030405060708'],
    ['0000 0001 0006 020000000001 0000 0004', 'sll.ltype', '0x0004'],
  ])('reads %s', (octets, name, value) => {
    const rest = octets.endsWith('0004') ? '4242 03 0000' : V4;
    const frame = dissect(hex(`${octets} | ${rest}`), { linkType: 113 });
    expect(values(frame, name)).toBe(value || '');
  });
});

describe('links without addresses', () => {
  it.each([
    [0, `02000000 ${V4}`, 'null:ip:udp', '2'],
    [0, `00000002 ${V4}`, 'null:ip:udp', '2'],
    [108, `0000001e ${V6}`, 'null:ipv6:udp', '30'],
    [0, `1c000000 ${V6}`, 'null:ipv6:udp', '28'],
    [0, `00080000 ${V4}`, 'null:ip:udp', ''],
    [0, `ff03 0021 ${V4}`, 'ppp:ip:udp', ''],
  ])('null/loopback under %i: %s', (linkType, octets, protocols, family) => {
    const frame = dissect(hex(octets), { linkType });
    expect([frame.protocols, values(frame, 'null.family')]).toEqual([protocols, family]);
  });

  it.each([
    [101, V4, 'ip:udp'],
    [12, V6, 'ipv6:udp'],
    [14, V4, 'ip:udp'],
    [101, 'f0', 'data'],
    [101, '', ''],
  ])('raw IP under %i', (linkType, octets, protocols) => expect(dissect(hex(octets), { linkType }).protocols).toBe(protocols));
});

describe('ppp', () => {
  it('reads framed, bare and compressed headers', () => {
    const framed = dissect(hex(`ff03 0021 ${V4}`), { linkType: 9 });
    expect(fieldsOf(framed, 'ppp')).toEqual({ 'ppp.address': '0xff', 'ppp.control': '0x03', 'ppp.protocol': '0x0021' });
    expect(told(50, `0021 ${V4}`)[0]).toBe('ppp:ip:udp');
    expect(told(9, `21 ${V4}`)[0]).toBe('ppp:ip:udp');
    expect(told(9, `0f00 0800 ${V4}`)[0]).toBe('chdlc:ip:udp');
  });

  it.each([
    ['c021 01 07 000e | 01 04 05d4 | 05 06 01020304', 'PPP LCP', 'Configuration Request', 'lcp.opt.magic_number', '0x01020304'],
    ['c021 09 01 0008 01020304', 'PPP LCP', 'Echo Request', 'lcp.magic_number', '0x01020304'],
    ['c021 08 01 0008 8057 0102', 'PPP LCP', 'Protocol Reject', 'lcp.rej_proto', '0x8057'],
    ['8021 03 02 000a | 03 06 c0000201', 'PPP IPCP', 'Configuration Nak', 'ipcp.opt.ip_address', '192.0.2.1'],
    ['8021 01 02 000a | 03 05 c0000201', 'PPP IPCP', 'Configuration Request', 'ppp.opt.len.invalid', '1'],
    ['8021 01 02 0008 | 03 06 c000', 'PPP IPCP', 'Configuration Request', 'ppp.opt.len.invalid', '1'],
    ['8057 01 03 000e | 01 0a 0102030405060708', 'PPP IPV6CP', 'Configuration Request', 'ipv6cp.interface_identifier', '0102030405060708'],
    ['80fd 05 04 0004', 'PPP CCP', 'Termination Request', 'ppp.code', '5'],
    ['802b 01 04 0004', 'PPP CP', 'Configuration Request', 'ppp.code', '1'],
    ['c023 01 05 000b 02 6d65 03 616263', 'PPP PAP', "Authenticate-Request (Peer-ID='me', Password='abc')", 'pap.password', 'abc'],
    ['c223 01 06 000b 02 0102 6e6173 00', 'PPP CHAP', "Challenge (NAME='nas\\x00')", 'chap.value', '0102'],
    ['c223 03 06 0006 6f6b', 'PPP CHAP', "Success (MESSAGE='ok')", 'chap.message', 'ok'],
  ])('negotiates: %s', (octets, protocol, info, name, value) => {
    const frame = dissect(hex(octets), { linkType: 50 });
    expect([frame.top.shortName, frame.info, values(frame, name)]).toEqual([protocol, info, value]);
  });

  it('calls a length malformed that cannot be', () => {
    expect(dissect(hex('c021 01 07 0003'), { linkType: 50 }).stopped?.reason).toBe('malformed');
    expect(dissect(hex('c021 01 07 0100'), { linkType: 50 }).stopped?.reason).toBe('malformed');
  });
});

describe('pppoe', () => {
  it('reads discovery with its tags', () => {
    const frame = dissect(hex(`${ETH} 8863 | 11 07 0000 0013 | 0101 0000 | 0102 0003 6e6173 | 0103 0004 01020304`));
    expect(fieldsOf(frame, 'pppoed')).toEqual({
      'pppoe.version': '1',
      'pppoe.type': '1',
      'pppoe.code': '0x07',
      'pppoe.session_id': '0x0000',
      'pppoe.payload_length': '19',
      'pppoed.tag': '0x0101,0x0102,0x0103',
      'pppoed.tag_length': '0,3,4',
      'pppoed.tags.ac_name': 'nas',
      'pppoed.tags.host_uniq': '01020304',
    });
    expect([frame.top.shortName, frame.info]).toEqual(['PPPoED', "Active Discovery Offer (PADO) AC-Name='nas'"]);
  });

  it('reads a session, and complains of a length only where no padding explains it', () => {
    const header = `${ETH} 8864 | 11 00 0005`;
    expect(told(1, `${header} 001e | 0021 ${V4}`)[0]).toBe('eth:ethertype:pppoes:ppp:ip:udp');
    expect(values(dissect(hex(`${header} 001e | 0021 ${V4} ${'00'.repeat(10)}`)), 'pppoe.payload_length.bad')).toBe('');
    expect(values(dissect(hex(`${header} 001e | 0021 ${V4} ${'00'.repeat(11)}`)), 'pppoe.payload_length.bad')).toBe('1');
  });
});

describe('other carriers', () => {
  it.each([
    [104, `0f00 0800 ${V4}`, 'chdlc:ip:udp', 'chdlc.protocol', '0x0800'],
    [104, '8f00 8035 00000002 00000007 00000006 ffff', 'chdlc:slarp', 'slarp.mysequence', '7'],
    [104, '8f00 8035 00000001 c0000201 ffffff00 ffff', 'chdlc:slarp', 'slarp.address', '192.0.2.1'],
    [1, `${ETH} 8847 | 000100ff 00020140 | ${V4}`, 'eth:ethertype:mpls:mpls:ip:udp', 'mpls.label', '16,32'],
    [1, `${ETH} 8847 | 00002140 | ${V6}`, 'eth:ethertype:mpls:ipv6:udp', 'mpls.label', '2'],
    [1, `${ETH} 8847 | 00010140 | 00000001 ${ETH} 0800 ${V4}`, 'eth:ethertype:mpls:eth:ethertype:ip:udp', 'mpls.bottom', '1'],
    [1, `${ETH} 8847 | 00010140 | 10000007 0102`, 'eth:ethertype:mpls:data', 'mpls.ttl', '64'],
    [1, `${ETH} 8847 | 00010140 | 10000021 0102`, 'eth:ethertype:mpls:ip', 'mpls.ttl', '64'],
    [107, `1841 03 cc ${V4}`, 'fr:ip:udp', 'fr.dlci', '100'],
    [107, `1841 0800 ${V4}`, 'fr:ip:udp', 'fr.chdlctype', '0x0800'],
    [107, `1841 03 00 80 000000 0800 ${V4}`, 'fr:ip:udp', 'fr.snap.pid', '0x0800'],
    [10, `50 400000000040 400000000080 | aa aa 03 000000 0800 ${V4}`, 'fddi:llc:ip:udp', 'fddi.src', '02:00:00:00:00:01'],
    [239, `02 00 0001 | 0800 0a00 6c6f6700 | 2000 0900 ${V4}`, 'nflog:ip:udp', 'nflog.prefix', 'log'],
    [239, `02 00 0001 | 0008 0004 00000003 | 0020 0009 ${V4}`, 'nflog:ip:udp', 'nflog.ifindex_indev', '3'],
    [129, `be 00 ea08 d4 00 0165 ${V4}`, 'arcnet:ip:udp', 'arcnet.sequence', '357'],
    [129, `be 00 ed08 f0 ${V4}`, 'arcnet:ip:udp', 'arcnet.protID', '0xf0'],
    [226, `01 02 0000 0000001c 00000002 00000000 ffffffff 00000000 ${V4}`, 'ipnet:ip:udp', 'ipnet.ifindex', '2'],
    [242, `${'00'.repeat(20)} 80000550 fe80000000000000 0010e000664ab451 0800 0000 ${V4}`, 'ipoib:ip:udp', 'ipoib.daddr.qpn', '0x000550'],
    [258, `6c000000 01000000 01000000 656e30${'00'.repeat(93)} ${ETH} 0800 ${V4}`, 'pktap:eth:ethertype:ip:udp', 'pktap.ifname', 'en0'],
  ])('unwraps link type %i: %s', (linkType, octets, protocols, name, value) => {
    const frame = dissect(hex(octets), { linkType });
    expect([frame.protocols, values(frame, name)]).toEqual([protocols, value]);
    everyCut(hex(octets), 0, linkType);
    everyLie(hex(octets), 0, linkType);
  });

  it('ends a stack of labels without a bottom', () => {
    const frame = dissect(hex(`${ETH} 8847 ${'00010040'.repeat(1000)}`));
    expect(frame.layers.length).toBeLessThan(70);
  });

  it('lets Ethernet know where a packet below labels ends', () => {
    const frame = dissect(hex(`${ETH} 8847 | 00010140 | ${V4} ${'00'.repeat(14)}`));
    expect(values(frame, 'eth.padding')).toBe('00'.repeat(14));
  });
});

describe('headers before a type', () => {
  const ICV = '0102030405060708090a0b0c0d0e0f10';

  it('reads what MACsec left unencrypted', () => {
    const frame = dissect(hex(`${ETH} 88e5 | 20 1e 00000044 020000000001 0001 | 0800 ${V4} | ${ICV} 0000`));
    expect(frame.protocols).toBe('eth:ethertype:macsec:ip:udp');
    expect(fieldsOf(frame, 'macsec')).toEqual({
      'macsec.TCI': '0x08',
      'macsec.TCI.V': '0x00',
      'macsec.TCI.ES': '0',
      'macsec.TCI.SC': '1',
      'macsec.TCI.SCB': '0',
      'macsec.TCI.E': '0',
      'macsec.TCI.C': '0',
      'macsec.AN': '0x00',
      'macsec.SL': '30',
      'macsec.PN': '68',
      'macsec.SCI.system_identifier': '02:00:00:00:00:01',
      'macsec.SCI.port_identifier': '1',
      'macsec.etype': '0x0800',
      'macsec.ICV': ICV,
    });
  });

  it("reads Arista's time of both widths", () => {
    const wide = dissect(hex(`${ETH} d28b | 0001 0010 5ceeed5a 0606fe7c | 0800 ${V4}`));
    expect(fieldsOf(wide, 'avsp')).toEqual({
      'avsp.sub_type': '1',
      'avsp.ver': '0x0010',
      'avsp.64ts': '1',
      'avsp.64sec': '1559162202',
      'avsp.64ns': '101121660',
      'avsp.etype': '0x0800',
    });
    const narrow = dissect(hex(`${ETH} d28b | 0001 0120 ed5a 0606fe7c | 0800 ${V4}`));
    expect([narrow.protocols, values(narrow, 'avsp.48sec'), values(narrow, 'avsp.48ns')]).toEqual([
      'eth:ethertype:avsp:ip:udp',
      '60762',
      '101121660',
    ]);
  });

  describe('ATA over Ethernet', () => {
    const write = `${ETH} 88a2 | 10 00 0014 02 00 00000a70 | 43 00 02 34 100000000100 0000 | 0102`;

    it('reads all fields', () => {
      expect(fieldsOf(dissect(hex(write)), 'aoe')).toEqual({
        'aoe.version': '1',
        'aoe.response': '0',
        'aoe.flags_error': '0',
        'aoe.major': '0x0014',
        'aoe.minor': '0x02',
        'aoe.cmd': '0',
        'aoe.tag': '0x00000a70',
        'aoe.aflags.e': '1',
        'aoe.aflags.d': '0',
        'aoe.aflags.a': '1',
        'aoe.aflags.w': '1',
        'aoe.err_feature': '0x00',
        'aoe.sector_count': '2',
        'aoe.ata.cmd': '0x34',
        'aoe.lba': '0x0000000100000010',
      });
      const refused = fieldsOf(dissect(hex(`${ETH} 88a2 | 1c 03 0014 02 00 00000a70 | 00 04 00 41 000000000000 0000`)), 'aoe');
      expect(refused).toMatchObject({ 'aoe.response': '1', 'aoe.error': '3', 'aoe.ata.status': '0x41', 'aoe.aflags.e': '0' });
    });

    it.each([
      ['10 00 0014 02 00 00000a70 | 40 00 02 34 100000000000 0000', 'Issue ATA Command Request ATA:Write ext'],
      ['10 00 0014 02 00 00000a70 | 40 00 02 f9 100000000000 0000', 'Issue ATA Command Request ATA:0xf9'],
      ['18 00 0014 02 00 00000a70 | 40 00 02 40 100000000000 0000', 'Issue ATA Command Response'],
      ['1c 03 0014 02 00 00000a70 | 40 00 02 40 100000000000 0000', 'Issue ATA Command Response (Device unavailable)'],
      ['10 00 ffff ff 01 00000000', 'Query Config Information Request'],
      ['00 00 0014 02 00 00000a70', 'Version 0'],
    ])('%s is told as %s', (octets, info) => {
      expect(told(1, `${ETH} 88a2 | ${octets}`)).toEqual(['eth:ethertype:aoe', 'AoE', info]);
    });

    it('survives every cut and every lie', () => {
      everyCut(hex(write), 14);
      everyLie(hex(write), 14);
    });
  });

  it.each([16, 18, 19, 106])('reads IP over ATM without a header (link type %i)', (linkType) => {
    expect(told(linkType, V4)[0]).toBe('ip:udp');
    expect(told(linkType, V6)[0]).toBe('ipv6:udp');
  });

  it('reads the head that Juniper routers write', () => {
    const frame = dissect(hex(`4d4743 81 0008 01010e 0302 0000 00 | ${ETH} 0800 ${V4}`), { linkType: 178 });
    expect(frame.protocols).toBe('juniper:eth:ethertype:ip:udp');
    expect(fieldsOf(frame, 'juniper')).toEqual({
      'juniper.magic-number': '0x4d4743',
      'juniper.direction': '0x01',
      'juniper.l2hdr': '0x00',
      'juniper.ext_total_len': '8',
      'netlens.juniper.extension': '1,1',
      'netlens.juniper.extension.type': '1,3',
      'netlens.juniper.extension.length': '1,2',
      'netlens.juniper.extension.value': '0e,0000',
    });
  });

  it.each([
    [1, `${ETH} 88e5 | 2c 00 00000048 020000000001 0001 | 0102030405 | ${ICV}`, 'MACSEC', 'MACsec, encrypted, packet 72'],
    [1, `${ETH} 88e5 | 00 00 00000048 | 0800 ${V4} | ${ICV}`, 'UDP', '53 → 53 Len=0'],
    [1, `${ETH} 88e5 | 20 00 0000003e`, 'MACSEC', 'MACsec, packet 62 [malformed MACSEC]'],
    [1, `${ETH} d28b | 0002 0010 0102`, 'AVSP', 'Arista timestamp'],
    [178, `4d4743 02 00000002 ${V4}`, 'UDP', '53 → 53 Len=0'],
    [181, `4d4743 00 0f00 0800 ${V4}`, 'UDP', '53 → 53 Len=0'],
    [178, `000000 00 0102`, 'Juniper', 'Juniper, out'],
  ])('link type %i, %s', (linkType, octets, protocol, info) => expect(told(linkType, octets).slice(1)).toEqual([protocol, info]));
});

describe('wlan', () => {
  const LLC = `aa aa 03 000000 0800 ${V4}`;
  const ADDRESSES = '020000000001 020000000002 020000000003';

  it('reads all fields of a data frame behind radiotap', () => {
    const frame = dissect(
      hex(`00 00 1900 6f080000 | 0807060504030201 10 02 8509 a000 d8 a9 01 | 8802 2c00 ${ADDRESSES} 3012 0500 | ${LLC} | 01020304`),
      {
        linkType: 127,
      },
    );
    expect(frame.protocols).toBe('radiotap:wlan:llc:ip:udp');
    expect(fieldsOf(frame, 'radiotap')).toMatchObject({
      'radiotap.length': '25',
      'radiotap.present.word': '0x0000086f',
      'radiotap.mactime': '72623859790382856',
      'radiotap.flags': '0x10',
      'radiotap.flags.fcs': '1',
      'radiotap.datarate': '1',
      'radiotap.channel.freq': '2437',
      'radiotap.dbm_antsignal': '-40',
      'radiotap.dbm_antnoise': '-87',
      'radiotap.antenna': '1',
    });
    expect(fieldsOf(frame, 'wlan')).toMatchObject({
      'wlan.fc': '0x8802',
      'wlan.fc.type_subtype': '0x0028',
      'wlan.duration': '44',
      'wlan.ra': '02:00:00:00:00:01',
      'wlan.ta': '02:00:00:00:00:02',
      'wlan.da': '02:00:00:00:00:01',
      'wlan.sa': '02:00:00:00:00:03',
      'wlan.bssid': '02:00:00:00:00:02',
      'wlan.seq': '291',
      'wlan.frag': '0',
      'wlan.qos.tid': '5',
      'wlan.fcs': '0x04030201',
    });
  });

  it.each([
    [
      `8000 0000 ${ADDRESSES} 2000 | 0000000000000000 6400 0104 | 00 04 686f6d65 | 03 01 06`,
      'Beacon frame, SN=2, FN=0, Flags=........, BI=100, SSID="home"',
    ],
    [`4000 0000 ${ADDRESSES} 3000 | 00 00`, 'Probe Request, SN=3, FN=0, Flags=........, SSID=Wildcard (Broadcast)'],
    [`c000 0000 ${ADDRESSES} 3000 | 0300`, 'Deauthentication, SN=3, FN=0, Flags=........'],
    ['d400 0000 020000000001', 'Acknowledgement, Flags=........'],
    ['b408 0000 020000000001 020000000002', 'Request-to-send, Flags=....R...'],
    [`0841 0000 ${ADDRESSES} 1000 | 0102030405060708`, 'Data, SN=1, FN=0, Flags=.p.....T'],
    [`4801 0000 ${ADDRESSES} 1000`, 'Null function (No data), SN=1, FN=0, Flags=.......T'],
  ])('says what %s is', (octets, info) => {
    expect(dissect(hex(octets), { linkType: 105 }).info).toBe(info);
    everyCut(hex(octets), 0, 105);
    everyLie(hex(octets), 0, 105);
  });

  it.each([
    ['0800', 24, '16', '01', '02'],
    ['0801', 24, '0a', '03', '02'],
    ['0802', 24, '04', '01', '03'],
    ['0803', 30, '', '03', '04'],
  ])('knows the addresses of %s by the distribution system', (control, header, _bssid, destination, source) => {
    const frame = dissect(hex(`${control} 0000 ${ADDRESSES} 1000 ${header === 30 ? '020000000004' : ''} ${LLC}`), { linkType: 105 });
    expect([values(frame, 'wlan.da').slice(-2), values(frame, 'wlan.sa').slice(-2)]).toEqual([destination, source]);
    expect(frame.protocols).toBe('wlan:llc:ip:udp');
  });

  it('unwraps aggregates', () => {
    const subframe = `020000000001 020000000003 0024 ${LLC}`;
    const frame = dissect(hex(`8802 0000 ${ADDRESSES} 1000 8500 | ${subframe} 0000 | ${subframe}`), { linkType: 105 });
    expect(frame.protocols).toBe('wlan:wlan_aggregate:llc:ip:udp:wlan_aggregate:llc:ip:udp');
  });

  it('finds 802.11 behind the headers of other cards', () => {
    const data = `0802 0000 ${ADDRESSES} 1000 ${LLC}`;
    expect(told(163, `80211001 00000040 ${'00'.repeat(56)} ${data}`)[0]).toBe('wlancap:wlan:llc:ip:udp');
    expect(told(119, `44000000 90000000 ${'00'.repeat(136)} ${data}`)[0]).toBe('prism:wlan:llc:ip:udp');
    expect(told(192, `00 00 0800 69000000 ${data}`)[0]).toBe('ppi:wlan:llc:ip:udp');
    expect(told(192, `00 00 0800 01000000 ${ETH} 0800 ${V4}`)[0]).toBe('ppi:eth:ethertype:ip:udp');
  });
});

describe('every link layer', () => {
  it('survives every cut and every lie', () => {
    const frames: readonly [number, string][] = [
      [1, `${ETH} 0024 | aa aa 03 000000 0800 | ${V4}`],
      [1, `${ETH} 88a8 07d1 8100 b00a 0800 | ${V4} 0000 aabb`],
      [1, `${ETH} 88e5 | 20 1e 00000044 020000000001 0001 | 0800 ${V4} | ${'00'.repeat(16)}`],
      [1, `${ETH} d28b | 0001 0010 5ceeed5a 0606fe7c | 0800 ${V4}`],
      [178, `4d4743 81 0008 01010e 0302 0000 00 | ${ETH} 0800 ${V4}`],
      [1, `${ETH} 88e7 00000007 | ${ETH} 0800 | ${V4}`],
      [1, `${ETH} 8926 40010002 8100 | 000b 0800 | ${V4}`],
      [1, `${ETH} 8863 | 11 07 0000 000f | 0101 0000 | 0102 0003 6e6173 | 0103 0004 01020304`],
      [1, `${ETH} 8864 | 11 00 0005 001e | 0021 ${V4}`],
      [113, `0004 0001 0006 020000000001 aabb 0800 | ${V4} cc`],
      [276, `86dd 0000 00000003 0304 00 00 0000000000000000 | ${V6}`],
      [0, `02000000 ${V4}`],
      [101, V4],
      [9, `ff03 0021 ${V4}`],
      [50, 'c021 01 07 000e | 01 04 05d4 | 05 06 01020304'],
      [50, '8021 03 02 000a | 03 06 c0000201'],
      [50, 'c023 01 05 000b 02 6d65 03 616263'],
      [50, 'c223 01 06 000b 02 0102 6e6173 00'],
      [
        127,
        `00 00 1900 6f080000 | 0807060504030201 10 02 8509 a000 d8 a9 01 | 8802 2c00 ${'020000000001'.repeat(3)} 3012 8500 | ${ETH} 0008 aa aa 03 000000 0800 | 01020304`,
      ],
      [192, `00 00 2000 69000000 0200 1400 ${'00'.repeat(20)} 0802 0000 ${'020000000001'.repeat(3)} 1000`],
    ];
    for (const [linkType, octets] of frames) {
      everyCut(hex(octets), 0, linkType);
      everyLie(hex(octets), 0, linkType);
    }
  });
});

describe('pflog', () => {
  const NAMES = '656d30 00000000000000000000000000 6c616e 00000000000000000000000000';
  const HEADER = `3d 02 01 00 ${NAMES} 00000005 ffffffff e8030000 2a000000 00000000 01000000 02 000000`;

  it('reads all fields', () => {
    const frame = dissect(hex(`${HEADER} ${V4}`), { linkType: 117 });
    expect(fieldsOf(frame, 'pflog')).toEqual({
      'pflog.length': '61',
      'pflog.af': '2',
      'pflog.action': '1',
      'pflog.reason': '0',
      'pflog.ifname': 'em0',
      'pflog.ruleset': 'lan',
      'pflog.rulenr': '5',
      'pflog.subrulenr': '-1',
      'pflog.uid': '1000',
      'pflog.pid': '42',
      'pflog.rule_uid': '0',
      'pflog.rule_pid': '1',
      'pflog.dir': '2',
    });
    expect(frame.protocols).toBe('pflog:ip:udp');
  });

  it('knows the header before users were in it, and the one with what a packet was rewritten to', () => {
    const old = dissect(hex(`2d 18 00 00 ${NAMES} 00000005 ffffffff 01 000000 ${V6}`), { linkType: 117 });
    expect(fieldsOf(old, 'pflog')).toMatchObject({ 'pflog.dir': '1', 'pflog.af': '24' });
    expect(old.protocols).toBe('pflog:ipv6:udp');
    const pad = '000000000000000000000000';
    const rewritten = HEADER.replace('3d', '64').replace('02 000000', '02 01 0000');
    const translated = dissect(hex(`${rewritten} c0000201 ${pad} c0000202 ${pad} 0050 01bb ${V4}`), { linkType: 117 });
    expect(fieldsOf(translated, 'pflog')).toMatchObject({
      'pflog.rewritten': '1',
      'pflog.saddr.ipv4': '192.0.2.1',
      'pflog.daddr.ipv4': '192.0.2.2',
      'pflog.sport': '80',
      'pflog.dport': '443',
    });
    expect(translated.protocols).toBe('pflog:ip:udp');
  });

  it('reads what is there when cut or lying', () => {
    everyCut(hex(`${HEADER} ${V4}`), 0, 117);
    everyLie(hex(`${HEADER} ${V4}`), 0, 117);
  });
});

describe('enc', () => {
  it.each([
    ['02000000 00001234 00040000', V4, 'ip'],
    ['00000018 00001234 00000400', V6, 'ipv6'],
  ])('reads %s, in either order of octets', (header, packet, carried) => {
    const frame = dissect(hex(`${header} ${packet}`), { linkType: 109 });
    expect(fieldsOf(frame, 'enc')).toMatchObject({
      'enc.spi': '0x00001234',
      'enc.flags': '0x00000400',
      'enc.flags.payload_enc': '1',
      'enc.flags.payload_auth': '0',
    });
    expect(frame.protocols).toBe(`enc:${carried}:udp`);
  });
});

describe('other numbers of links that are known', () => {
  it.each([
    [11, `aaaa03 000000 0800 ${V4}`, 'llc:ip:udp'],
    [51, `11 00 0007 001e 0021 ${V4}`, 'pppoes:ppp:ip:udp'],
    [100, `aaaa03 000000 0800 ${V4}`, 'llc:ip:udp'],
    [112, `0f00 0800 ${V4}`, 'chdlc:ip:udp'],
    [204, `01 ff03 0021 ${V4}`, 'ppp:ip:udp'],
  ])('link type %i', (linkType, octets, protocols) => {
    expect(told(linkType, octets)[0]).toBe(protocols);
  });
});

describe('fragments of 802.11', () => {
  const WHOLE = hex(`aaaa03 000000 0800 | ${V4}`);
  /** A data frame to the third station: `type` and `flags` of its frame control, sequence and fragment number, traffic identifier. */
  const fragment = (flags: number, sequence: number, number: number, from: number, to: number, tid = -1): Uint8Array => {
    const head = hex('0800 0000 020000000001 020000000002 020000000003 0000');
    head[1] = flags;
    head[22] = ((sequence & 15) << 4) | number;
    head[23] = sequence >> 4;
    if (tid >= 0) head[0] = 0x88;
    return Uint8Array.from([...head, ...(tid >= 0 ? [tid, 0] : []), ...WHOLE.subarray(from, to)]);
  };
  const MORE = 0x04;
  const AGAIN = 0x0c;
  const { length } = WHOLE;
  const protocols = (packets: readonly Uint8Array[], options: Parameters<typeof createSession>[0] = {}) => {
    const session = createSession(options);
    return packets.map((packet, seconds) => dissect(packet, { session, linkType: 105, seconds }).protocols);
  };

  it('are put together in the frame of the last', () => {
    const session = createSession();
    const frames = [fragment(MORE, 300, 0, 0, 10), fragment(MORE, 300, 1, 10, 20), fragment(0, 300, 2, 20, length)].map((packet) =>
      dissect(packet, { session, linkType: 105 }),
    );
    expect(frames.map(({ protocols, info }) => [protocols, info.replace(/, Flags.*/, '')])).toEqual([
      ['wlan:data', 'Data, SN=300, FN=0'],
      ['wlan:data', 'Data, SN=300, FN=1'],
      ['wlan:llc:ip:udp', '53 → 53 Len=0'],
    ]);
    expect(
      ['wlan.fragment', 'wlan.fragments', 'wlan.fragment.count', 'wlan.reassembled.length'].map((name) => values(frames[2]!, name)),
    ).toEqual(['1,2,3', '1', '3', String(length)]);
    expect(values(frames[0]!, 'wlan.fragment')).toBe('');
  });

  it('that come again, or to two frames at once, are told apart', () => {
    const [a, b] = [fragment(MORE, 7, 0, 0, 10), fragment(0, 7, 1, 10, length)];
    expect(protocols([a, fragment(AGAIN, 7, 0, 0, 10), b])).toEqual(['wlan:data', 'wlan:data', 'wlan:llc:ip:udp']);
    const [c, d] = [fragment(MORE, 7, 0, 0, 20, 3), fragment(0, 7, 1, 20, length, 3)];
    expect(protocols([a, c, b, d]).slice(2)).toEqual(['wlan:llc:ip:udp', 'wlan:llc:ip:udp']);
    // The numbers begin anew.
    expect(protocols([fragment(MORE, 7, 0, 0, 4), a, b]).at(-1)).toBe('wlan:llc:ip:udp');
  });

  it('make nothing where one is missing, cut, encrypted or much later', () => {
    const [a, b] = [fragment(MORE, 7, 0, 0, 10), fragment(0, 7, 1, 10, length)];
    const nothing = ['wlan:data', 'wlan:data'];
    expect(protocols([a, fragment(0, 7, 2, 10, length)])).toEqual(nothing);
    expect(protocols([b, a])).toEqual(nothing);
    expect(protocols([fragment(MORE | 0x40, 7, 0, 0, 10), b])).toEqual(nothing);
    const session = createSession();
    expect(dissect(a.subarray(0, 30), { session, linkType: 105, wireLength: a.length }).protocols).toBe('wlan:data');
    expect(dissect(b, { session, linkType: 105 }).protocols).toBe('wlan:data');
    const late = createSession();
    dissect(a, { session: late, linkType: 105 });
    expect(dissect(b, { session: late, linkType: 105, seconds: 11 }).protocols).toBe('wlan:data');
  });

  it('are left apart where that is asked for: the first is dissected by itself', () => {
    const found = protocols([fragment(MORE, 7, 0, 0, 10), fragment(0, 7, 1, 10, length)], { defragment: false });
    expect(found).toEqual(['wlan:llc:ip', 'wlan:data']);
  });

  it('are forgotten, the oldest first, where too many never become whole', () => {
    const many = Array.from({ length: 1025 }, (_, sequence) => fragment(MORE, sequence, 0, 0, 10));
    const session = createSession();
    for (const packet of many) dissect(packet, { session, linkType: 105 });
    const ended = [0, 1].map((sequence) => dissect(fragment(0, sequence, 1, 10, length), { session, linkType: 105 }).protocols);
    expect(ended).toEqual(['wlan:data', 'wlan:llc:ip:udp']);
  });
});
