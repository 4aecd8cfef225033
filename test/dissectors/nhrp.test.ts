import { describe, expect, it } from 'vitest';
import { dissect, everyCut, everyLie, hex, IPV4, values } from '../packets.js';

const length = (octets: string, more = 0): string => (hex(octets).length + more).toString(16).padStart(4, '0');

/** A message in GRE from 192.0.2.1; `mandatory` follows the fixed part, `extensions` all of it. */
function nhrp(type: string, checksum: string, mandatory: string, extensions: string): Uint8Array {
  const offset = extensions === '' ? '0000' : length(mandatory, 20);
  const message = `0001 0800 0000000000 ff ${length(mandatory + extensions, 20)} ${checksum} ${offset} 01 ${type} 04 00 | ${mandatory} | ${extensions}`;
  return hex(`4500 ${length(message, 24)} 0000 0000 40 2f 0000 c0000201 c0000202 | 0000 2001 | ${message}`);
}

const ADDRESSES = 'c0000201 cb007101 cb007102';
const ENTRY = '00 20 0000 05dc 1c20 04 00 04 00 c0000201 cb007101';
const REGISTRATION = nhrp('03', '0000', `04 04 8002 00000007 ${ADDRESSES} ${ENTRY}`, '8003 0000 8007 0004 00000001 8000 0000');

describe('nhrp', () => {
  it('reads a registration with its entry and its extensions', () => {
    const frame = dissect(REGISTRATION, { linkType: IPV4 });
    const expected = {
      'nhrp.hdr.afn': '0x0001',
      'nhrp.hdr.pro.type': '0x0800',
      'nhrp.protocol_type': '0000000000',
      'nhrp.hdr.hopcnt': '255',
      'nhrp.hdr.pktsz': '76',
      'nhrp.hdr.extoff': '60',
      'nhrp.hdr.version': '1',
      'nhrp.hdr.op.type': '3',
      'nhrp.hdr.shtl.len': '4',
      'nhrp.hdr.sstl.len': '0',
      'nhrp.src.prot.len': '4',
      'nhrp.dst.prot.len': '4',
      'nhrp.flags': '0x8002',
      'nhrp.reqid': '0x00000007',
      'nhrp.src.nbma.addr': '192.0.2.1',
      'nhrp.src.prot.addr': '203.0.113.1',
      'nhrp.dst.prot.addr': '203.0.113.2',
      'nhrp.code': '0',
      'nhrp.prefix': '32',
      'nhrp.mtu': '1500',
      'nhrp.htime': '7200',
      'nhrp.client.nbma.addr': '192.0.2.1',
      'nhrp.client.prot.addr': '203.0.113.1',
      'nhrp.ext.c': '1,1,1',
      'nhrp.ext.type': '0x0003,0x0007,0x0000',
      'nhrp.ext.len': '0,4,0',
      'nhrp.unknown_ext.value': '00000001',
    };
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, values(frame, name)]))).toEqual(expected);
    expect(frame.info).toBe('NHRP Registration Request, ID=7');
  });

  it('shows the packet that caused a traffic indication', () => {
    const packet = '4500 0064 0005 0000 ff 01 0000 cb007102 cb007101 0800 0000 0001 0000';
    const frame = dissect(nhrp('08', '0000', `04 04 0000 00000000 ${ADDRESSES} ${packet}`, '8000 0000'), { linkType: IPV4 });
    expect(frame.protocols).toBe('ip:gre:nhrp:ip:icmp');
    expect(values(frame, 'icmp.type')).toBe('8');
    expect([frame.info, frame.stopped]).toEqual(['NHRP Traffic Indication', undefined]);
  });

  it('says what is wrong in an error indication, and leaves the message in error alone', () => {
    const frame = dissect(nhrp('07', '0000', `04 04 0000 0006 0010 ${ADDRESSES} 0102`, ''), { linkType: IPV4 });
    expect([frame.protocols, values(frame, 'nhrp.err.code'), values(frame, 'nhrp.err.offset')]).toEqual(['ip:gre:nhrp:data', '6', '16']);
    expect(frame.info).toBe('NHRP Error Indication, Protocol Address Unreachable');
  });

  it('judges the checksum over all of the message', () => {
    const message = (checksum: string) => dissect(nhrp('05', checksum, `04 04 0000 00000001 ${ADDRESSES}`, ''), { linkType: IPV4 });
    const wrong = message('0000');
    expect(values(wrong, 'nhrp.hdr.chksum.status')).toBe('0');
    const { layers } = wrong;
    const nhrpLayer = layers.find((layer) => layer.protocol.name === 'nhrp')!;
    let sum = 0;
    for (let at = nhrpLayer.start; at < nhrpLayer.end; at += 2) sum += (nhrpLayer.bytes[at]! << 8) | nhrpLayer.bytes[at + 1]!;
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    expect(values(message((~sum & 0xffff).toString(16).padStart(4, '0')), 'nhrp.hdr.chksum.status')).toBe('1');
  });

  it('survives every cut and every lie', () => {
    everyCut(REGISTRATION, 20, IPV4);
    everyLie(REGISTRATION, 20, IPV4);
  });
});
