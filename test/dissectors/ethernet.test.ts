import { describe, expect, it } from 'vitest';
import { CaptureRecord } from '../../src/capture/source.js';
import type { Frame } from '../../src/core/frame.js';
import { TextBuffer } from '../../src/core/text.js';
import { Ethernet } from '../../src/dissectors/ethernet.js';
import { createSession } from '../../src/frames.js';
import { dissect, everyCut, everyLie, fieldsOf, hex, ipv4, values } from '../packets.js';

const ADDRESSES = '020000000002 020000000001';
const HEADER = `${ADDRESSES} 0800`;
const DATAGRAM = ipv4(17, hex('0035 0035 0008 0000'));
const inEthernet = (...parts: (string | Uint8Array)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...(typeof part === 'string' ? hex(part) : part)]));

/** On an interface that says how long its frame check sequences are. */
function withFcs(octets: Uint8Array, fcsLength: number): Frame {
  const record = new CaptureRecord();
  Object.assign(record, { bytes: octets, captured: octets.length, wireLength: octets.length });
  record.interface = { ...record.interface, linkType: 1, fcsLength };
  return createSession().dissect(record);
}

describe('ethernet', () => {
  it('reads all fields of a header', () => {
    const frame = dissect(inEthernet('033300000002 010000000001 0800', DATAGRAM));
    expect(fieldsOf(frame, 'eth')).toEqual({
      'eth.dst': '03:33:00:00:00:02',
      'eth.dst.lg': '1',
      'eth.dst.ig': '1',
      'eth.src': '01:00:00:00:00:01',
      'eth.src.lg': '0',
      'eth.src.ig': '1',
      'eth.type': '0x0800',
      'eth.src_not_group': '1',
    });
    expect(frame.protocols).toBe('eth:ethertype:ip:udp');
    expect(frame.get(Ethernet)?.source).toBe('01:00:00:00:00:01');
  });

  const zeros = (n: number) => '00'.repeat(n);
  it.each([
    ['a whole frame', inEthernet(HEADER, DATAGRAM), '', '', ''],
    ['zeros up to 60 octets', inEthernet(HEADER, DATAGRAM, zeros(18)), zeros(18), '', ''],
    ['zeros up to 60 octets, then four more', inEthernet(HEADER, DATAGRAM, zeros(18), '01020304'), zeros(18), '', '0x01020304'],
    ['a trailer between padding and FCS', inEthernet(HEADER, DATAGRAM, zeros(18), 'aabb 01020304'), zeros(18), 'aabb', '0x01020304'],
    ['less than four octets more', inEthernet(HEADER, DATAGRAM, zeros(18), 'aabb'), zeros(18), 'aabb', ''],
    ['a short frame, which nobody filled up', inEthernet(HEADER, DATAGRAM, zeros(10)), '', zeros(10), ''],
    ['octets in the padding', inEthernet(HEADER, DATAGRAM, `${zeros(17)}01`), '', `${zeros(17)}01`, ''],
    ['a long frame', inEthernet(HEADER, ipv4(17, new Uint8Array(100)), 'aabbccdd'), '', '', '0xaabbccdd'],
  ])('tells what follows the payload: %s', (_what, octets, padding, trailer, fcs) => {
    const frame = dissect(octets);
    expect([values(frame, 'eth.padding'), values(frame, 'eth.trailer'), values(frame, 'eth.fcs')]).toEqual([padding, trailer, fcs]);
    expect(values(frame, 'eth.fcs.status')).toBe(fcs && '2');
    expect(values(frame, 'eth.padding_bad')).toBe(trailer.endsWith('01') ? '1' : '');
  });

  it('believes the capture about the frame check sequence', () => {
    const short = inEthernet(HEADER, DATAGRAM, 'aabbccdd');
    expect(values(withFcs(short, 4), 'eth.fcs')).toBe('0xaabbccdd');
    expect(values(withFcs(short, 4), 'eth.trailer')).toBe('');
    const long = inEthernet(HEADER, ipv4(17, new Uint8Array(100)), 'aabbccdd');
    expect(values(withFcs(long, 0), 'eth.fcs')).toBe('');
    expect(values(withFcs(long, 0), 'eth.trailer')).toBe('aabbccdd');
  });

  it('leaves padding that was cut off unnamed', () => {
    const padded = inEthernet(HEADER, DATAGRAM, zeros(18));
    expect(values(dissect(padded.slice(0, 50), { wireLength: 60 }), 'eth.padding')).toBe('');
  });

  it('does not believe a packet that contradicts itself', () => {
    const octets = inEthernet(HEADER, DATAGRAM, zeros(18));
    octets[14] = 0x41;
    expect(values(dissect(octets), 'eth.padding')).toBe('');
  });

  it('takes up to 1500 for a length', () => {
    const frame = dissect(inEthernet(ADDRESSES, '0005', '4242 03 0000', '01020304'));
    expect(values(frame, 'eth.len')).toBe('5');
    expect(values(frame, 'eth.type')).toBe('');
    expect(values(frame, 'eth.trailer')).toBe('01020304');
    expect(frame.protocols).toBe('eth:llc:data');
    expect(frame.top.shortName).toBe('STP');
    const lying = dissect(inEthernet(ADDRESSES, '0009', '4242 03 0000'));
    expect(values(lying, 'eth.len.past_end')).toBe('1');
    expect(values(lying, 'llc.dsap')).toBe('0x42');
  });

  it.each([
    ['88b5 01020304', '0x88b5', 'Ethernet II, 4 octets'],
    ['88cc 0205 07 c0000201 0000 aabb', 'LLDP', 'Link Layer Discovery Protocol, 9 octets'],
    ['888e 01 01 0002 aabb ccdd', 'EAPOL', '802.1X Authentication, 6 octets'],
    ['0009 ffff 0000', 'IPX', '4 octets'],
    ['05dd 0000', 'Ethernet', 'Invalid length/type: 0x05dd'],
  ])('names what nobody dissects: %s', (rest, protocol, info) => {
    const frame = dissect(hex(`${ADDRESSES} ${rest}`));
    expect([frame.top.shortName, frame.info]).toEqual([protocol, info]);
  });

  it('unwraps FabricPath, whose header only looks like Ethernet', () => {
    const frame = dissect(inEthernet('020abd000000 020abc000000 8903 4020', HEADER, DATAGRAM, zeros(10), '01030307'));
    expect(frame.protocols).toBe('cfp:eth:ethertype:ip:udp');
    expect(fieldsOf(frame, 'cfp')).toMatchObject({ 'cfp.ftag': '256', 'cfp.ttl': '32', 'cfp.fcs': '0x01030307' });
    expect(values(frame, 'eth.src')).toBe('02:00:00:00:00:01');
  });

  it('unwraps ISL, whose frame keeps its FCS', () => {
    const frame = dissect(
      hex(`01000c0000 00 020000000001 002b aaaa03 00000c 0003 0000 0000 | ${ADDRESSES} 0005 4242 03 0000 | aa | 01020304`),
    );
    expect(frame.protocols).toBe('isl:eth:llc:data');
    expect(fieldsOf(frame, 'isl')).toMatchObject({ 'isl.vlan_id': '1', 'isl.bpdu': '1', 'isl.len': '43' });
    expect([values(frame, 'eth.trailer'), values(frame, 'eth.fcs')]).toEqual(['aa', '0x01020304']);
  });

  it('reads no type behind the octets that were captured', () => {
    const record = new CaptureRecord();
    Object.assign(record, { bytes: hex(HEADER), captured: 13, wireLength: 60 });
    record.interface = { ...record.interface, linkType: 1 };
    const out = new TextBuffer();
    createSession().dissect(record).get(Ethernet)!.summary(out);
    expect(out.toString()).toBe('header cut short');
  });

  it('survives every cut and every lie', () => {
    for (const octets of [
      inEthernet(HEADER, DATAGRAM, zeros(18), 'aabb 01020304'),
      hex(`${ADDRESSES} 88cc 0205 07 c0000201 0000 aabb`),
      inEthernet('020abd000000 020abc000000 8903 4020', HEADER, DATAGRAM),
      hex(`01000c0000 00 020000000001 002b aaaa03 00000c 0003 0000 0000 | ${ADDRESSES} 0005 4242 03 0000 | aa | 01020304`),
    ]) {
      everyCut(octets, 0);
      everyLie(octets, 0);
    }
  });
});
