import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { TextBuffer } from '../../src/core/text.js';
import { LineWriter } from '../../src/output/line.js';
import { dissect, everyCut, everyLie, hex, values } from '../packets.js';

const IPV4 = 228;

const INNER = '4500 0018 0000 0000 40 fd 0000 cb007101 cb007102 01020304';
const INNER6 = `60000000 0004 fd 40 ${'20010db8 00000000 00000000 00000001'.repeat(2)} 01020304`;
const MAC = '020000000001';
/** The inner packet as zlib compresses it. */
const DEFLATED = deflateRawSync(hex(INNER)).toString('hex');
const FRAME = `020000000001 020000000002 0800 ${INNER}`;

/** `payload` as IP protocol `protocol` from 192.0.2.1 to 192.0.2.2. */
function ip(protocol: string, payload: string): Uint8Array {
  const length = (20 + hex(payload).length).toString(16).padStart(4, '0');
  return hex(`4500 ${length} 0000 0000 40 ${protocol} 0000 c0000201 c0000202 | ${payload}`);
}
function udp(port: number, payload: string): Uint8Array {
  const length = (8 + hex(payload).length).toString(16).padStart(4, '0');
  return ip('11', `c000 ${port.toString(16).padStart(4, '0')} ${length} 0000 | ${payload}`);
}

const TUNNELS: readonly [what: string, packet: Uint8Array, protocols: string, fields: Record<string, string>][] = [
  ['IPv4 in IPv4', ip('04', INNER), 'ip:ip:data', { 'ip.dst': '192.0.2.2,203.0.113.2' }],
  ['IPv6 in IPv4', ip('29', INNER6), 'ip:ipv6:data', { 'ipv6.dst': '2001:db8::1', 'ip.version': '4,6' }],
  ['GRE', ip('2f', `0000 0800 ${INNER}`), 'ip:gre:ip:data', { 'gre.proto': '0x0800', 'gre.flags.version': '0' }],
  [
    'GRE with all that its flags name',
    ip('2f', `b000 0800 1234 0000 00000007 00000009 ${INNER}`),
    'ip:gre:ip:data',
    { 'gre.checksum': '0x1234', 'gre.offset': '0', 'gre.key': '0x00000007', 'gre.sequence_number': '9' },
  ],
  [
    'PPTP',
    ip('2f', `3081 880b 001d 0005 00000001 00000002 ff030021 ${INNER}`),
    'ip:gre:ppp:ip:data',
    { 'gre.key.payload_length': '29', 'gre.key.call_id': '5', 'gre.sequence_number': '1', 'gre.ack_number': '2' },
  ],
  [
    'GRE of version 1 with something else than PPP',
    ip('2f', `2001 0800 00000007 ${INNER}`),
    'ip:gre:ip:data',
    { 'gre.key': '0x00000007', 'gre.key.call_id': '', 'gre.flags.ack': '' },
  ],
  [
    'L2TP',
    udp(1701, `4a02 0030 0005 0006 0001 0002 0002 abcd | ff03 0021 ${INNER} 9999`),
    'ip:udp:l2tp:ppp:ip:data',
    {
      'l2tp.type': '0',
      'l2tp.length': '48',
      'l2tp.tunnel': '5',
      'l2tp.session': '6',
      'l2tp.Ns': '1',
      'l2tp.Nr': '2',
      'l2tp.offset': '2',
      'ppp.protocol': '0x0021',
    },
  ],
  [
    'a message of L2TP about a tunnel',
    udp(1701, 'c802 001a 0005 0000 0001 0002 | 8008 0000 0000 0006 4006 0000 0024'),
    'ip:udp:l2tp',
    {
      'l2tp.avp.type': '0,36',
      'l2tp.avp.message_type': '6',
      'l2tp.avp.mandatory': '1,0',
      'l2tp.avp.hidden': '0,1',
    },
  ],
  ['L2TP of another version', udp(1701, '0003 0000 00000007 0102'), 'ip:udp:data', { 'l2tp.type': '' }],
  [
    'ERSPAN',
    ip('2f', `1000 88be 00000001 100a 0005 00000003 ${FRAME}`),
    'ip:gre:erspan:eth:ethertype:ip:data',
    { 'erspan.version': '1', 'erspan.vlan': '10', 'erspan.spanid': '5', 'erspan.index': '3' },
  ],
  [
    'Cisco MetaData in GRE',
    ip('2f', `2000 8909 00000028 0800 01 01 0001 0022 ${INNER}`),
    'ip:gre:cmd:ip:data',
    { 'cmd.type': '0x0800', 'cmd.version': '1', 'cmd.length': '1', 'cmd.options': '0x0001', 'cmd.sgt': '34' },
  ],
  [
    'Cisco MetaData behind Ethernet',
    ip('2f', `0000 6558 020000000001 020000000002 8909 01 01 0001 0022 0800 ${INNER}`),
    'ip:gre:eth:ethertype:cmd:ip:data',
    { 'cmd.type': '0x0800', 'cmd.sgt': '34' },
  ],
  [
    'VXLAN with a group policy',
    udp(4789, `8848 0064 00007b 00 ${FRAME}`),
    'ip:udp:vxlan:eth:ethertype:ip:data',
    {
      'vxlan.flags': '0x8848',
      'vxlan.flag_g': '1',
      'vxlan.flag_i': '1',
      'vxlan.flag_d': '1',
      'vxlan.flag_a': '1',
      'vxlan.gbp': '100',
      'vxlan.vni': '123',
    },
  ],
  ['VXLAN-GPE', udp(4790, `0c 0000 01 00007b 00 ${INNER}`), 'ip:udp:vxlan:ip:data', { 'vxlan.next_proto': '1', 'vxlan.p_bit': '1' }],
  [
    'Geneve with an option',
    udp(6081, `02 40 6558 00007b 00 0102 80 01 deadbeef ${FRAME}`),
    'ip:udp:geneve:eth:ethertype:ip:data',
    {
      'geneve.vni': '0x00007b',
      'geneve.flags.critical': '1',
      'geneve.option.class': '0x0102',
      'geneve.option.length': '8',
      'geneve.option.unknown.data': 'deadbeef',
    },
  ],
  ['GTP-U', udp(2152, `30 ff 0018 00000007 ${INNER}`), 'ip:udp:gtp:ip:data', { 'gtp.teid': '0x00000007', 'gtp.message': '0xff' }],
  [
    'GTP-U with a PDU session container',
    udp(2152, `34 ff 0020 00000007 0000 00 85 01 1009 00 ${INNER}`),
    'ip:udp:gtp:ip:data',
    { 'gtp.ext_hdr_type': '133', 'gtp.ext_hdr.pdu_ses_con.pdu_type': '1', 'gtp.ext_hdr.pdu_ses_con.qos_flow_id': '9' },
  ],
  [
    'Teredo with an origin',
    udp(3544, `0000 f227 3ffffdfe ${INNER6}`),
    'ip:udp:teredo:ipv6:data',
    { 'teredo.orig.port': '3544', 'teredo.orig.addr': '192.0.2.1' },
  ],
  [
    'AH',
    ip('33', `04 04 0000 00000100 00000001 0102030405060708090a0b0c ${INNER}`),
    'ip:ah:ip:data',
    { 'ah.spi': '0x00000100', 'ah.sequence': '1', 'ah.icv': '0102030405060708090a0b0c' },
  ],
  ['AH that is shorter than its fixed part', ip('33', `3b 00 0000 00000100`), 'ip:ah', { 'ah.spi': '0x00000100', 'ah.icv': '' }],
  ['AYIYA', udp(5072, `00 00 01 29 00000000 00 ${INNER6}`), 'ip:udp:ayiya:ipv6:data', { 'ayiya.nextheader': '41' }],
  [
    'ERSPAN Type III with a packet',
    ip('2f', `1000 22eb 00000001 200a 0005 00000003 0000 0808 ${INNER}`),
    'ip:gre:erspan:ip:data',
    { 'erspan.version': '2', 'erspan.ft': '2', 'erspan.direction': '1', 'ip.dst': '192.0.2.2,203.0.113.2' },
  ],
  [
    'ERSPAN Type III with what nobody knows',
    ip('2f', `1000 22eb 00000001 200a 0005 00000003 0000 1c00 ${FRAME}`),
    'ip:gre:erspan:data',
    { 'erspan.ft': '7', 'eth.src': '' },
  ],
  [
    'CAPWAP with an 802.11 frame',
    udp(5247, `00 204320 0000 0000 01 04ed4d 00000000 0801 2c00 ${MAC.repeat(3)} 1000 aaaa03 000000 0800 ${INNER}`),
    'ip:udp:capwap.data:wlan:llc:ip:data',
    {
      'capwap.header.length': '4',
      'capwap.header.rid': '1',
      'capwap.header.wbid': '1',
      'capwap.header.flags': '0x000120',
      'capwap.header.length.bad': '1',
    },
  ],
  [
    "CAPWAP with Cisco's order of the frame control's octets, after a radio's address",
    udp(5247, `00 300330 0000 0000 06 ${MAC} 00 04 bf230036 000000 0188 2c00 ${MAC.repeat(3)} 7630 0000 aaaa03 000000 0800 ${INNER}`),
    'ip:udp:capwap.data:wlan:llc:ip:data',
    {
      'capwap.header.mac.eui48': '02:00:00:00:00:01',
      'capwap.header.wireless.data': 'bf230036',
      'capwap.header.wireless.data.ieee80211.fi.rssi': '-65',
      'capwap.header.wireless.data.ieee80211.fi.snr': '35',
      'capwap.header.wireless.data.ieee80211.fi.data_rate': '54',
      'wlan.fc.type_subtype': '0x0028',
      'wlan.fc.tods': '1',
    },
  ],
  [
    'CAPWAP with an 802.3 frame',
    udp(5247, `00 100200 0000 0000 ${FRAME}`),
    'ip:udp:capwap.data:eth:ethertype:ip:data',
    { 'capwap.header.flags.t': '0' },
  ],
  [
    'a fragment in CAPWAP',
    udp(5247, `00 100280 0007 0008 ${FRAME}`),
    'ip:udp:capwap.data:data',
    { 'capwap.header.fragment.id': '7', 'capwap.header.fragment.offset': '1', 'capwap.header.flags.f': '1' },
  ],
  [
    'NSH with fixed metadata',
    udp(4790, `0c 0000 04 00007b 00 2fc6 01 01 000309 07 00000001 00000002 00000003 00000004 ${INNER}`),
    'ip:udp:vxlan:nsh:ip:data',
    {
      'nsh.Obit': '1',
      'nsh.CBit': '0',
      'nsh.ttl': '0x003f',
      'nsh.length': '6',
      'nsh.spi': '777',
      'nsh.si': '7',
      'nsh.contextheader': '00000001,00000002,00000003,00000004',
    },
  ],
  [
    'NSH with metadata of its own length',
    udp(4790, `0c 0000 04 00007b 00 0fc4 02 03 000309 07 0102 05 03 aabbcc00 ${FRAME}`),
    'ip:udp:vxlan:nsh:eth:ethertype:ip:data',
    { 'nsh.metadataclass': '258', 'nsh.metadatatype': '5', 'nsh.metadatalen': '0x03', 'nsh.metadata': 'aabbcc' },
  ],
  [
    'PIM Register',
    ip('67', `2100 5eff 80000000 ${INNER}`),
    'ip:pim:ip:data',
    {
      'pim.type': '1',
      'pim.cksum.status': '1',
      'pim.register_flag': '0x80000000',
      'pim.register_flag.border': '1',
      'pim.register_flag.null_register': '0',
      'pim.ip_version': '4',
    },
  ],
  [
    'IPComp, compressed by DEFLATE',
    ip('6c', `04 00 0002 ${DEFLATED}`),
    'ip:ipcomp:data:ip:data',
    { 'ipcomp.next_header': '0x04', 'ipcomp.flags': '0x00', 'ipcomp.cpi': '0x0002', 'ip.dst': '192.0.2.2,203.0.113.2' },
  ],
  ['IPComp, compressed by what is not known', ip('6c', `04 00 0003 ${DEFLATED}`), 'ip:ipcomp:data', { 'ipcomp.cpi': '0x0003' }],
  ['IPComp with what is no DEFLATE', ip('6c', '04 00 1234 ffffffff'), 'ip:ipcomp:data', { 'ipcomp.cpi': '0x1234' }],
  [
    'GTP of version 0',
    udp(3386, `1e ff 0018 0007 0001 ff ffffff 4200012143658709 ${INNER}`),
    'ip:udp:gtp:ip:data',
    { 'gtp.flags.version': '0', 'gtp.seq_number': '0x0007', 'gtp.flow_label': '0x0001', 'gtp.tid': '2400101234567890' },
  ],
  ['ESP', ip('32', '00000100 00000001 aabbccdd'), 'ip:esp', { 'esp.spi': '0x00000100', 'esp.sequence': '1' }],
];

describe('tunnels', () => {
  it('give addresses the ports that go with them', () => {
    const line = (packet: Uint8Array) => {
      const out = new TextBuffer(256);
      const writer = new LineWriter();
      writer.write(out, dissect(packet, { linkType: IPV4 }));
      writer.release(out);
      return out.toString();
    };
    const icmp = '4500 001c 0000 0000 40 01 0000 cb007101 cb007102 0800 f7ff 0000 0000';
    expect(line(udp(4790, `0c 0000 01 00007b 00 ${icmp}`))).toMatch(/ 203\.0\.113\.1 +→ 203\.0\.113\.2 /);
    const datagram = '4500 001c 0000 0000 40 11 0000 cb007101 cb007102 0007 0009 0008 0000';
    expect(line(udp(4790, `0c 0000 01 00007b 00 ${datagram}`))).toMatch(/ 203\.0\.113\.1:7 +→ 203\.0\.113\.2:9 /);
  });

  it('of CAPWAP are named by their own channel, whatever is inside', () => {
    const datagram = '4500 001c 0000 0000 40 11 0000 cb007101 cb007102 0007 0009 0008 0000';
    const frame = dissect(udp(5247, `00 100200 0000 0000 020000000001 020000000002 0800 ${datagram}`), { linkType: IPV4 });
    expect(frame.protocols).toBe('ip:udp:capwap.data:eth:ethertype:ip:udp');
  });

  it.each(TUNNELS)('%s', (_what, packet, protocols, fields) => {
    const frame = dissect(packet, { linkType: IPV4 });
    expect(frame.protocols).toBe(protocols);
    expect(Object.fromEntries(Object.keys(fields).map((name) => [name, values(frame, name)]))).toEqual(fields);
  });

  it.each(TUNNELS)('%s survives every cut and every lie', (_what, packet) => {
    everyCut(packet, IPV4);
    everyLie(packet, 20, IPV4);
  });
});
