import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NetlensError } from '../../src/core/errors.js';
import { compileDisplayFilter, filterNames } from '../../src/filter/index.js';
import { dissect, hex } from '../packets.js';

/** 192.0.2.1:51514 → 192.0.2.7:6379, PSH ACK, "GET /a" and an octet 0x80; frame 1, at 2026-03-18 19:12:05.5 UTC. */
const TCP = hex(`
  02005e000201 00505600002a 0800
  45 b8 002f 1234 40 00 40 06 0000 c0000201 c0000207
  c93a 18eb fffffff0 00000001 5018 fa00 0000 0000
  474554202f61 80`);
const frame = dissect(TCP, { seconds: Date.UTC(2026, 2, 18, 19, 12, 5) / 1000, nanoseconds: 500_000_000 });
/** IPv4 in IPv4, UDP inside: 198.51.100.1 → .2, then 192.0.2.1 → 192.0.2.7. */
const TUNNEL = hex(`
  02005e000201 02005e000202 0800
  45 00 0030 0001 00 00 20 04 0000 c6336401 c6336402
  45 00 001c 0002 00 00 3f 11 0000 c0000201 c0000207
  0400 0035 0008 0000`);
const tunnel = dissect(TUNNEL);

/** The same addresses over UDP port 5353: multicast DNS, a query of nothing. */
const MDNS = hex(`
  01005e0000fb 00505600002a 0800
  45 00 0028 1234 40 00 ff 11 0000 c0000201 e00000fb
  14e9 14e9 0014 0000
  0000 0000 0000 0000 0000 0000`);

const selects = (filter: string, of = frame) => compileDisplayFilter(filter).test(of);

/** Filters that select {@link frame}, and filters that do not. */
const CASES: Readonly<Record<string, readonly [yes: readonly string[], no: readonly string[]]>> = {
  'presence of protocols and fields': [
    ['', 'tcp', 'ip and tcp', 'tcp.flags.syn', 'eth.type', '!udp', 'not udp.port', 'tcp#1', 'ip.src#1', 'frame.number'],
    ['udp', '!tcp', 'eth.len', 'tcp#2', 'tcp.port#2'],
  ],
  'numbers in all bases': [
    [
      'ip.ttl == 64',
      'ip.ttl == 0x40',
      'ip.ttl == 0100',
      'ip.ttl == 0b1000000',
      "ip.ttl == '@'",
      String.raw`ip.ttl == '\x40'`,
      'ip.ttl eq 64',
      'ip.id == 0x1234',
    ],
    ['ip.ttl == 63', 'ip.ttl != 64', 'ip.ttl gt 64', 'ip.ttl < 64'],
  ],
  'fields that stand for several, with any and all': [
    [
      'tcp.port == 6379',
      'tcp.port !== 6379',
      'any tcp.port != 6379',
      'all tcp.port > 6000',
      'tcp.port ~= 6379',
      'ip.addr == 192.0.2.7',
      '!(udp.port == 5)',
      'tcp.port any_ne 6379',
    ],
    [
      'tcp.port != 6379',
      'tcp.port === 6379',
      'all tcp.port == 6379',
      'tcp.port all_eq 6379',
      'udp.port != 5',
      'not tcp.port == 6379',
      'tcp.port ne 6379',
    ],
  ],
  'sets and ranges': [
    [
      'tcp.port in {80, 6000..6400}',
      'tcp.port in{6379}',
      'ip.src in {192.0.2.0/24}',
      'ip.src in {192.0.2.0 .. 192.0.2.1}',
      'udp.port not in {5}',
      'not ip.ttl in {60..63}',
      'all tcp.port in {1..65535}',
      'ip.ttl in {ip.ttl .. 70}',
      'frame.time_delta in {0 .. 0.5}',
    ],
    ['tcp.port in {80, 443}', 'ip.ttl in {70..60}', 'tcp.port not in {6379}', 'all tcp.port in {6379}'],
  ],
  addresses: [
    [
      'ip.src == 192.0.2.1',
      'ip.src == 192.0.2.0/24',
      'ip.src == 192.0.2.77/24',
      'ip.src < 192.0.2.2',
      'ip.src & 255.0.0.0 == 192.0.0.0',
      'eth.src == 00:50:56:00:00:2a',
      'eth.src == 00-50-56-00-00-2a',
      'eth.src == 0050.5600.002a',
      'eth.src[0:3] == 00:50:56',
      'eth.src contains 50:56',
      'eth.addr == 02:00:5e:00:02:01',
      'ip[12:4] == ip.src',
      'ip.src[0] == c0',
    ],
    [
      'ip.src == 192.0.2.128/25',
      'ip.src != 192.0.2.0/24',
      'ip.src > 192.0.2.0/24',
      'eth.src > 00:50:57:00:00:00',
      'eth.src[0:3] == eth.dst[0:3]',
    ],
  ],
  'octets, text and slices': [
    [
      'frame contains "GET"',
      'tcp contains 47:45:54',
      'ip contains "GET"',
      'frame contains 0x80',
      String.raw`frame contains "\x80"`,
      'tcp.payload[0:3] == "GET"',
      'tcp.payload[0:3] == 474554',
      'tcp.payload[0] == 0x47',
      'tcp.payload[-1] == 80',
      'tcp.payload[1-2] == "ET"',
      'tcp.payload[0,2] == "GT"',
      'tcp.payload[:3] == "GET"',
      'tcp.payload[6:] == 80',
      'tcp[13] & 0x10 == 0x10',
      'ip[8] == 40',
      'frame[-1:] == 80',
      'tcp[99] != 00',
      'eth[12:2] == 08:00',
    ],
    [
      'frame contains "get"',
      'tcp.payload[0:3] == "PUT"',
      'tcp[13] & 2',
      'tcp[99] == 00',
      'tcp[99]',
      'frame[50-999]',
      'eth[14] == 45',
      'ip[20] == c9',
      'frame contains ""',
    ],
  ],
  patterns: [
    [
      'frame matches "get /"',
      'tcp.payload matches "^get"',
      String.raw`frame matches r"GET /\w\x80"`,
      'frame ~ "(?-i)GET"',
      String.raw`string(ip.src) matches r"^192\.0\.2\.\d$"`,
      'string(frame.number) matches "[13579]$"',
      'tcp.flags.str matches "A"',
      'tcp.payload[0:3] matches "[[:alpha:]]{3}"',
      String.raw`eth.src matches r"^\x00P"`,
    ],
    ['tcp.payload matches "^et"', 'frame matches "(?-i)get"', 'tcp.payload matches r"a$"'],
  ],
  'booleans and value names': [
    [
      'tcp.flags.push == 1',
      'tcp.flags.push == True',
      'tcp.flags.push == TRUE',
      'tcp.flags.push == 7',
      'tcp.flags.syn == False',
      'tcp.flags.syn != True',
      'ip.proto == "tcp"',
      'ip.proto == TCP',
      'eth.type == IPv4',
      'ip.proto in {"UDP", "TCP"}',
      'tcp.flags.push == tcp.flags.ack',
    ],
    ['tcp.flags.syn == 1', 'ip.proto == "UDP"', 'tcp.flags.syn > 0'],
  ],
  'bits and arithmetic': [
    [
      'tcp.flags & 0x10',
      'tcp.flags & 0x12 == 0x10',
      'tcp.flags bitwise_and 8',
      '(tcp.flags & 0x12) == 0x10',
      '{tcp.flags & 0x12} == 16',
      'ip.ttl - 1 == 63',
      'ip.ttl -1 == 63',
      '{ip.ttl - 1} * 2 == 126',
      '-ip.ttl == -64',
      'ip.ttl - 100 < 0',
      'ip.ttl == 60 + 4',
      'ip.ttl >= 4 * {3 + 2}',
      'tcp.srcport > tcp.dstport + 1',
      'tcp.srcport & 1 + 1',
      'ip.ttl % 5 == 4',
      'ip.ttl / 7 == 9',
      'ip.len == frame.len - 14',
    ],
    [
      'tcp.flags & 2',
      'ip.ttl - 64',
      'ip.ttl / 0 == 1',
      'ip.ttl > -1',
      'ip.ttl == -1',
      'tcp.seq_raw * 2 > 5',
      'tcp.seq_raw + 4294967295 > 0',
    ],
  ],
  functions: [
    [
      'len(frame) == 61',
      'len(eth) == 14',
      'len(ip) == 20',
      'len(tcp) == 27',
      'len(tcp.payload) == 7',
      'len(ip.src) == 4',
      'count(tcp.port) == 2',
      'count(ip) == 1',
      'max(tcp.srcport, tcp.dstport) == 51514',
      'min(tcp.port) == 6379',
      'max(tcp.srcport, udp.srcport) > 1',
      'abs(ip.ttl - 100) == 36',
      'string(ip.ttl) == "64"',
      'string(ip.id) == "4660"',
      'upper(frame.protocols) contains "TCP"',
      'lower(tcp.flags.str) contains "ap"',
      'lower(frame.protocols)[0:3] == "eth"',
    ],
    ['count(udp) == 0', 'len(udp.port) == 0', 'string(tcp.port) == "80"'],
  ],
  times: [
    [
      'frame.time > "2026-03-18 19:12:05Z"',
      'frame.time == "2026-03-18T19:12:05.5Z"',
      'frame.time == "2026-03-18T20:12:05.5+01:00"',
      'frame.time < "Mar 18, 2026 19:12:06 UTC"',
      'frame.time_epoch > 1773861125',
      'frame.time_epoch == 1773861125.5',
      'frame.time_delta == 0',
      'frame.time_delta < 0.5',
      'frame.time_relative + 1 > 0.5',
      'frame.time_delta > -1.5',
    ],
    ['frame.time > "2026-03-19"', 'frame.time_delta > 0', 'frame.time_epoch < 1773861125.25'],
  ],
  logic: [
    [
      'tcp or udp',
      'udp or tcp and ip',
      'tcp xor udp',
      'tcp ^^ udp',
      'not udp and tcp',
      '!(udp)',
      'tcp.port==6379&&ip.ttl==64',
      '(tcp)and(ip)',
      'ip.ttl > 1 and not ip.ttl > 64',
      'ip.ttl >= ip.version <= ip.id',
    ],
    ['tcp and udp', 'tcp xor ip', 'tcp and udp or arp', 'not (tcp or udp)'],
  ],
};

describe('display filters', () => {
  for (const [about, [yes, no]] of Object.entries(CASES)) {
    it(about, () => {
      expect(yes.filter((filter) => !selects(filter))).toEqual([]);
      expect(no.filter((filter) => selects(filter))).toEqual([]);
    });
  }

  it('tells layers of a tunnel apart', () => {
    const yes = [
      'ip.src#1 == 198.51.100.1',
      'ip.src#2 == 192.0.2.1',
      'ip.addr#[2] == 192.0.2.7',
      'ip.ttl#[-1] == 63',
      'ip.ttl#[1-2] == 32',
      'count(ip.src) == 2',
      'all ip.ttl < 64',
      'ip.src == 192.0.2.1',
      'ip#2[8] == 3f',
      'len(udp) == 8',
    ];
    const no = ['ip.src#2 == 198.51.100.1', 'ip.src#3', 'ip.ttl === 32', 'ip.src != 192.0.2.1'];
    expect(yes.filter((filter) => !selects(filter, tunnel))).toEqual([]);
    expect(no.filter((filter) => selects(filter, tunnel))).toEqual([]);
  });

  it('sees no field that was cut off', () => {
    const cut = dissect(TCP.slice(0, 40), { wireLength: TCP.length });
    expect(selects('tcp.srcport == 51514', cut)).toBe(true);
    for (const filter of ['tcp.flags.push == 1', 'tcp.flags.push == 0', 'tcp.flags', 'tcp[13] == 18', 'tcp.flags & 8'])
      expect([filter, selects(filter, cut)]).toEqual([filter, false]);
  });

  it('says which work it needs', () => {
    const needs = (filter: string) => {
      const { needsStreams, needsTcpAnalysis } = compileDisplayFilter(filter);
      return [needsStreams, needsTcpAnalysis];
    };
    expect(needs('tcp.flags.syn == 1 && ip.dst == 10.77.0.2')).toEqual([false, false]);
    expect(needs('frame contains "x" or eth.addr == 02:00:00:00:00:01 or udp')).toEqual([false, false]);
    expect(needs('frame.protocols contains "http"')[0]).toBe(true);
    expect(needs('data')[0]).toBe(true);
    expect(needs('tcp.analysis.retransmission or tcp.stream == 0')).toEqual([false, true]);
    expect(needs('tcp.segment_data')).toEqual([true, true]);
    expect(needs('tcp.len > 0 and tcp.option_kind == 8 and tcp.hdr_len > 20')).toEqual([false, false]);
    expect(compileDisplayFilter('tcp.port == 80 or ip.ttl > tcp.srcport').fields.map((f) => f.name)).toEqual([
      'tcp.srcport',
      'tcp.dstport',
      'ip.ttl',
    ]);
  });

  it('is not hung by a hostile pattern', () => {
    const octets = new Uint8Array(60_000).fill(0x61);
    octets.set(TCP.subarray(0, 54));
    const hostile = dissect(octets);
    const begun = performance.now();
    for (const pattern of ['(a+)+$x', '(a|aa)+b', '(.*a){12}b', '^(([a-z])+.)+[A-Z]([a-z])+$'])
      selects(`frame matches "${pattern}"`, hostile);
    expect(performance.now() - begun).toBeLessThan(5000);
  });

  it('throws nothing but NetlensError, whatever is typed', () => {
    const words = fc.constantFrom(
      ...filterNames().slice(0, 80),
      '==',
      '!=',
      'in',
      '{',
      '}',
      '(',
      ')',
      '[0:2]',
      '#1',
      '..',
      ',',
      'not',
      'any',
      '&',
      '-',
      '1',
      '0x2',
      '"a"',
      "'b'",
      'len',
      'max',
      '1.2.3.4/8',
      'matches',
      'contains',
      '&&',
      'or',
      'xor',
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(words, { maxLength: 12 }).map((parts) => parts.join(' ')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          compileDisplayFilter(text).test(frame);
        } catch (error) {
          if (!(error instanceof NetlensError) || error.code !== 'usage') throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });
});

it('takes protocols that share their fields by the name that the frame has for them', () => {
  const mdns = dissect(MDNS);
  for (const filter of ['mdns', 'dns.flags', 'len(mdns) == 12', 'mdns contains 00:00', 'mdns#1', 'not dns', 'not llmnr'])
    expect(selects(filter, mdns), filter).toBe(true);
  for (const filter of ['dns', 'llmnr', 'len(dns) == 12', 'dns contains 00:00', 'dns#1', 'ssdp'])
    expect(selects(filter, mdns), filter).toBe(false);
});
