import { describe, expect, it } from 'vitest';
import { createSession } from '../../src/frames.js';
import { dissect, everyCut, everyLie, fieldsOf, hex, values } from '../packets.js';

const IPV4 = 228;
const HEADER = hex('4500 0018 1234 4000 40 fd b774 c0000201 c0000202 | 01020304');

/** A header with the given options, padded as they are, over four octets of data. */
function withOptions(options: string): Uint8Array {
  const octets = hex(options);
  const words = 5 + octets.length / 4;
  const length = (words * 4 + 4).toString(16).padStart(4, '0');
  return hex(`4${words.toString(16)}00 ${length} 0000 0000 40 fd 0000 c0000201 c0000202 | ${options} | 01020304`);
}

describe('ipv4', () => {
  it('reads all fields', () => {
    const frame = dissect(HEADER, { linkType: IPV4, session: createSession({ checksums: true }) });
    expect(fieldsOf(frame, 'ip')).toMatchObject({
      'ip.version': '4',
      'ip.hdr_len': '20',
      'ip.dsfield': '0x00',
      'ip.len': '24',
      'ip.id': '0x1234',
      'ip.flags': '0x02',
      'ip.flags.df': '1',
      'ip.frag_offset': '0',
      'ip.ttl': '64',
      'ip.proto': '253',
      'ip.checksum': '0xb774',
      'ip.src': '192.0.2.1',
      'ip.dst': '192.0.2.2',
    });
    expect(values(frame, 'data.data')).toBe('01020304');
  });

  it('verifies the checksum when asked to', () => {
    const status = (octets: Uint8Array, checksums: boolean) =>
      values(dissect(octets, { linkType: IPV4, session: createSession({ checksums }) }), 'ip.checksum.status');
    const right = HEADER.slice();
    const sum = Number.parseInt(
      values(dissect(HEADER, { linkType: IPV4, session: createSession({ checksums: true }) }), 'ip.checksum_calculated'),
      16,
    );
    right[10] = sum >> 8;
    right[11] = sum & 0xff;
    const wrong = right.slice();
    wrong[8] = 63;
    expect([status(right, false), status(right, true), status(wrong, true)]).toEqual(['2', '1', '0']);
  });

  it.each([
    ['router alert', '94040000', { 'ip.opt.type': '148', 'ip.opt.type.copy': '1', 'ip.opt.len': '4', 'ip.opt.ra': '0' }],
    ['record route', '070b08 c0000263 00000000 00', { 'ip.opt.ptr': '8', 'ip.rec_rt': '192.0.2.99', 'ip.empty_rt': '0.0.0.0' }],
    ['strict source route', '890b08 c0000263 c0000264 00', { 'ip.rec_rt': '192.0.2.99', 'ip.cur_rt': '192.0.2.100' }],
    [
      'timestamps',
      '440c0d01 c0000263 0001e240',
      { 'ip.opt.flag': '0x01', 'ip.opt.time_stamp_addr': '192.0.2.99', 'ip.opt.time_stamp': '123456' },
    ],
    ['stream', '88040102', { 'ip.opt.sid': '258' }],
    ['security of RFC 1108', '8204ab00', { 'ip.opt.sec_cl': '0xab', 'ip.opt.sec_prot_auth_flags': '0x00' }],
    ['no operation and end', '01010100', { 'ip.opt.type': '1,1,1,0' }],
    ['four without operation', '01010101', { 'ip.nop': '1' }],
    ['one that goes past the end', '94080000', { 'ip.opt.len.invalid': '1', 'ip.opt.type': '' }],
    [
      'router alert with a length of its own',
      '9405 0000 07 000000',
      { 'ip.opt.len.invalid': '1', 'ip.opt.type': '148,0', 'ip.opt.ra': '0' },
    ],
    ['router alert without a value', '9403 00 00', { 'ip.opt.len.invalid': '1', 'ip.opt.type': '148,0', 'ip.opt.ra': '' }],
    ['security with more than its authorities', '8205ab00 01000000', { 'ip.opt.len.invalid': '1', 'ip.opt.sec_prot_auth_flags': '0x00' }],
    ['timestamps of an unknown kind', '440c0502 00000001 00000002', { 'ip.opt.time_stamp_addr': '', 'ip.opt.time_stamp': '1,2' }],
    ['one of length 0', '07000000', { 'ip.opt.len.invalid': '1' }],
  ])('reads options: %s', (_what, options, expected) => {
    const frame = dissect(withOptions(options), { linkType: IPV4 });
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, values(frame, name)]))).toEqual(expected);
  });

  it.each([
    ['4500 0000', '64 octets of time to live and length 0 are what was captured', { 'data.len': '4', 'ip.bogus_ip_length': '' }],
    ['4500 0100', 'a length beyond the frame', { 'data.len': '4', 'ip.bogus_ip_length': '1' }],
    ['4500 0010', 'a length below the header', { 'ip.len': '16', 'ip.bogus_ip_length': '1', 'ip.id': '' }],
    ['4400 0018', 'a header too short', { 'ip.bogus_header_length': '1', 'ip.len': '' }],
    ['5500 0018', 'another version', { 'ip.bogus_ip_version': '1', 'ip.hdr_len': '' }],
  ])('judges %s: %s', (first, _what, expected) => {
    const octets = HEADER.slice();
    octets.set(hex(first));
    const frame = dissect(octets, { linkType: IPV4 });
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, values(frame, name)]))).toEqual(expected);
  });

  it.each([
    ['e0000016', 1, '', ''],
    ['e0000016', 64, '', '1'],
    ['e00000fb', 255, '', ''],
    ['e00000fb', 1, '', '1'],
    ['e00000fb', 1, '', '', 2],
    ['e0000012', 1, '', '1'],
    ['c0000202', 4, '1', ''],
    ['c0000202', 5, '', ''],
    ['e1000001', 2, '', ''],
  ])('to %s with time to live %i remarks on it or not', (destination, ttl, small, local, protocol = 17) => {
    const octets = HEADER.slice();
    octets.set(hex(destination), 16);
    octets[8] = ttl;
    octets[9] = protocol;
    const frame = dissect(octets, { linkType: IPV4 });
    expect([values(frame, 'ip.ttl.too_small'), values(frame, 'ip.ttl.lncb')]).toEqual([small, local]);
  });

  it('survives every cut and every lie', () => {
    const all = withOptions('94040000 070b08 c0000263 00000000 00 440c0d01 c0000263 0001e240');
    everyCut(all, IPV4);
    everyLie(all, 0, IPV4);
  });
});
