import { expect, test } from 'vitest';
import { Tcp } from '../../src/dissectors/tcp.js';
import { createSession } from '../../src/frames.js';
import { dissect, everyCut, everyLie, fieldsOf, hex, IPV4, values } from '../packets.js';

/** An IPv4 header for a segment of so many octets, from 192.0.2.1 to 192.0.2.2. */
const ip = (length: number) => `4500 ${(20 + length).toString(16).padStart(4, '0')} 0007 4000 40 06 0000 c0000201 c0000202`;
/** Source port, destination port, sequence and acknowledgment number. */
const PORTS = '9c40 c357 000003e8 00000000';

const SYN = hex(`${ip(40)} | ${PORTS} | a002 faf0 91a7 0000 | 020405b4 0402 080a 00000001 00000000 01 030307`);

test('all fields of a SYN', () => {
  const frame = dissect(SYN, { linkType: IPV4 });
  expect(fieldsOf(frame, 'tcp')).toMatchObject({
    'tcp.srcport': '40000',
    'tcp.dstport': '50007',
    'tcp.stream': '0',
    'tcp.completeness': '0',
    'tcp.len': '0',
    'tcp.seq': '0',
    'tcp.seq_raw': '1000',
    'tcp.nxtseq': '1',
    'tcp.ack': '0',
    'tcp.ack_raw': '0',
    'tcp.hdr_len': '40',
    'tcp.flags': '0x0002',
    'tcp.flags.syn': '1',
    'tcp.flags.ack': '0',
    'tcp.flags.str': '··········S·',
    'tcp.connection.syn': '1',
    'tcp.window_size_value': '64240',
    'tcp.window_size': '64240',
    'tcp.checksum': '0x91a7',
    'tcp.checksum.status': '2',
    'tcp.urgent_pointer': '0',
    'tcp.options': '020405b40402080a000000010000000001030307',
    'tcp.option_kind': '2,4,8,1,3',
    'tcp.option_len': '4,2,10,3',
    'tcp.options.mss_val': '1460',
    'tcp.options.timestamp.tsval': '1',
    'tcp.options.timestamp.tsecr': '0',
    'tcp.options.wscale.shift': '7',
    'tcp.options.wscale.multiplier': '128',
    'tcp.time_relative': '0.000000000',
    'tcp.time_delta': '0.000000000',
  });
  const tcp = frame.get(Tcp)!;
  expect([tcp.srcPort, tcp.syn, tcp.ack, tcp.options.map((option) => option.kind)]).toEqual([40000, true, false, [2, 4, 8, 1, 3]]);
});

/** A header of `flags` with these options and payload; nothing of it was seen before. */
const segment = (flags: string, options = '', payload = '', window = '01f6', urgent = '0000') => {
  const optionOctets = options.replaceAll(' ', '').length / 2;
  const words = (5 + optionOctets / 4).toString(16);
  return hex(
    `${ip(20 + optionOctets + payload.length / 2)} | 9c40c357 000003e9 00001389 ${words}${flags} ${window} 0000 ${urgent} | ${options} | ${payload}`,
  );
};

test.each([
  ['[ACK] Seq=1 Ack=1 Win=502 Len=0', segment('010')],
  ['[PSH, ACK] Seq=1 Ack=1 Win=502 Len=3 TSval=2 TSecr=1', segment('018', '0101080a 00000002 00000001', '616263')],
  ['[PSH, ACK, URG] Seq=1 Ack=1 Win=502 Urg=5 Len=0', segment('038', '', '', '01f6', '0005')],
  ['[FIN, ACK, ECE, CWR, AE, Reserved] Seq=1 Ack=1 Win=502 Len=0', segment('bd1')],
  ['[<None>] Seq=1 Win=502 Len=0', segment('000')],
  ['[ACK] Seq=1 Ack=1 Win=502 Len=0 SLE=300 SRE=400 SLE=100 SRE=200', segment('010', '0101 0512 000014b4 00001518 000013ec 00001450')],
  ['[SYN] Seq=0 Win=502 Len=0 TFO=R', segment('002', '2202 0101')],
  ['[SYN] Seq=0 Win=502 Len=0 TFO=C', segment('002', '220a 0102030405060708 0101')],
  ['[SYN] Seq=0 Win=502 Len=0 ExID=1234 USER_TO=10', segment('002', 'fd06 1234 dead 1c04 800a 0000')],
  ['reset, answers nothing that was seen · [RST] Seq=1 Win=502 Len=3', segment('004', '', '627965')],
  ['header length 16 octets, 20 needed [malformed TCP]', hex(`${ip(20)} 9c40c357 000003e9 00001389 4010 01f6 0000 0000`)],
])('%s', (info, octets) => {
  expect(dissect(octets, { linkType: IPV4 }).info).toBe(info);
});

test.each<[string, string, Record<string, string>]>([
  ['Fast Open with a cookie', '2206 01020304 0000', { 'tcp.options.tfo.cookie': '01020304', 'tcp.analysis.tfo_syn': '1' }],
  [
    'Fast Open in its experiment',
    'fe08 f989 01020304',
    { 'tcp.options.experimental.exid': '0xf989', 'tcp.options.tfo.cookie': '01020304' },
  ],
  ['an experiment', 'fd06 1234 dead 0000', { 'tcp.options.experimental.exid': '0x1234', 'tcp.options.experimental.data': 'dead' }],
  ['MD5', '1312 000102030405060708090a0b0c0d0e0f 0101', { 'tcp.options.md5.digest': '000102030405060708090a0b0c0d0e0f' }],
  ['a user timeout', '1c04 800a', { 'tcp.options.user_to_granularity': '1', 'tcp.options.user_to_val': '10' }],
  [
    'authentication',
    '1d08 0102 aabbccdd',
    { 'tcp.options.ao.keyid': '1', 'tcp.options.ao.rnextkeyid': '2', 'tcp.options.ao.mac': 'aabbccdd' },
  ],
  ['an unknown option', '4d04 aabb', { 'tcp.option_kind': '77', 'tcp.options.unknown.payload': 'aabb' }],
  [
    'MPTCP capable',
    '1e0c 0081 000102030405a6b7',
    {
      'tcp.options.mptcp.subtype': '0',
      'tcp.options.mptcp.version': '0',
      'tcp.options.mptcp.checksumreq.flags': '1',
      'tcp.options.mptcp.sha1.flag': '1',
      'tcp.options.mptcp.sendkey': String(0x000102030405a6b7n),
    },
  ],
  [
    'MPTCP data sequence signal',
    '1e14 2005 00000001 00000002 00000003 0004 abcd',
    {
      'tcp.options.mptcp.subtype': '2',
      'tcp.options.mptcp.rawdataack': '1',
      'tcp.options.mptcp.rawdataseqno': '2',
      'tcp.options.mptcp.subflowseqno': '3',
      'tcp.options.mptcp.datalvllen': '4',
      'tcp.options.mptcp.checksum': '0xabcd',
    },
  ],
  [
    'a length that is wrong',
    '0205 05b4 00 01 0101',
    { 'tcp.option_kind': '2,1,1,1', 'tcp.option.len.invalid': '1', 'tcp.options.mss_val': '' },
  ],
  ['authentication without a code', '1d04 0102', { 'tcp.options.ao.keyid': '1', 'tcp.options.ao.mac': '', 'tcp.option.len.invalid': '' }],
  ['authentication that is too short', '1d02 0101', { 'tcp.options.ao.keyid': '', 'tcp.option.len.invalid': '1' }],
  ['an experiment without a name', 'fd03 0101', { 'tcp.option_kind': '253,1', 'tcp.option.len.invalid': '1' }],
  ['a length below 2', '0301 0101', { 'tcp.option_kind': '', 'tcp.option.len.invalid': '1' }],
  ['a length past the header', '080a 0101', { 'tcp.option_kind': '', 'tcp.option.len.invalid': '1' }],
  ['padding that is not zero', '0000 0001', { 'tcp.option_kind': '0,0,0', 'tcp.non_zero_bytes_after_eol': '1' }],
  ['four no-operations', '01010101', { 'tcp.nop': '1' }],
  [
    'a shift beyond 14',
    '03030f 00',
    { 'tcp.options.wscale.shift': '15', 'tcp.options.wscale.multiplier': '16384', 'tcp.options.wscale.shift.invalid': '1' },
  ],
])('option: %s', (_title, options, expected) => {
  const frame = dissect(segment('002', options), { linkType: IPV4 });
  for (const [name, text] of Object.entries(expected)) expect(`${name}=${values(frame, name)}`).toBe(`${name}=${text}`);
});

/** Two SACK blocks, of which the capture keeps so many octets of the header. */
test.each([
  [34, { left: '1000', right: '1104' }, '5', ' SLE=1000 SRE=1104'],
  [36, { left: '1000,1200', right: '1104' }, '5', ' SLE=1000 SRE=1104'],
  [28, { left: '1000', right: '' }, '5', ''],
  [24, { left: '', right: '' }, '5', ''],
  [23, { left: '', right: '' }, '5', ''],
])('options cut by the capture after %i octets: what is there is shown', (kept, { left, right }, kind, info) => {
  const whole = segment('010', '0101 0512 00001770 000017d8 00001838 000018a0');
  const frame = dissect(whole.slice(0, 20 + kept), { linkType: IPV4, wireLength: whole.length });
  expect(values(frame, 'tcp.option_kind')).toBe(`1,1,${kind}`);
  expect(values(frame, 'tcp.options.sack_le')).toBe(left);
  expect(values(frame, 'tcp.options.sack_re')).toBe(right);
  expect([values(frame, 'tcp.options.sack.count'), values(frame, 'tcp.option.len.invalid')]).toEqual(['', '']);
  expect(values(frame, 'tcp.time_relative')).toBe('0.000000000');
  expect(frame.info).toContain(`Len=0${info} [cut short`);
});

test('a window scale that the capture cut off may have been there', () => {
  const session = createSession();
  dissect(SYN.slice(0, 20 + 30), { session, linkType: IPV4, wireLength: SYN.length });
  const after = dissect(segment('010'), { session, linkType: IPV4 });
  expect(values(after, 'tcp.window_size_scalefactor')).toBe('-1');
});

test('payload, and what a reset says', () => {
  expect(values(dissect(segment('018', '', '616263'), { linkType: IPV4 }), 'tcp.payload')).toBe('616263');
  const reset = dissect(segment('004', '', '627965'), { linkType: IPV4 });
  expect([values(reset, 'tcp.payload'), values(reset, 'tcp.reset_cause')]).toEqual(['', 'bye']);
});

test('every cut, and octets that lie', () => {
  everyCut(SYN, 20, IPV4);
  everyLie(SYN, 20, IPV4);
  const sack = segment('018', '0101 050a 00001770 00001838', '616263');
  everyCut(sack, 20, IPV4);
  everyLie(sack, 20, IPV4);
});
