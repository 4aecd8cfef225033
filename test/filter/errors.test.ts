import { expect, it } from 'vitest';
import { compileDisplayFilter } from '../../src/filter/index.js';

/** The first line of the error without its opening, with the column (from 1) in front. */
function refusal(filter: string): string {
  try {
    compileDisplayFilter(filter);
  } catch (error) {
    return (error as Error).message.split('\n')[0]!.replace(/^display filter, column (\d+): /, '$1 ');
  }
  return 'accepted';
}

it('says what is wrong and where', () => {
  const wrong: Readonly<Record<string, string>> = {
    'tcp.flag.syn == 1': '1 no field tcp.flag.syn; did you mean tcp.flags.syn?',
    'ip.ttl == 300': '11 300 is too big for ip.ttl, which ends at 255',
    'ip.src == 10.77.0': '11 10.77.0 is no IPv4 address',
    'ip.src == localhost': '11 localhost is no IPv4 address (names are not looked up)',
    'ip.src == 10.0.0.0/33': '11 a prefix of an IPv4 address has at most 32 bits, not 33',
    'ip.src == "10.0.0.1"': '11 "10.0.0.1" is no IPv4 address; write it without quotes',
    'eth.src == 00:50:56': '12 00:50:56 is no hardware address: 6 octets expected, not 3',
    'tcp.port == "http"': '13 "http" is no unsigned integer (16 bits)',
    'ip.proto == "TPC"': '13 ip.proto has no value named "TPC"',
    'tcp.flags.syn == maybe': '18 maybe is no boolean; write 1 or 0, True or False',
    'tcp.port = 80': '10 = means nothing here; to compare, write ==',
    'tcp.port 80': '10 80 does not belong here',
    'tcp and': '8 the filter ends too early; a field or a value expected',
    '(tcp': '5 the filter ends too early; ) expected',
    'tcp.port in {80 443}': '17 443 does not belong here; , or } expected',
    '80 == tcp.port': '1 a field or function must stand left of ==',
    'ip.ttl-1 == 63': '1 ip.ttl-1 is read as one word; write ip.ttl - 1',
    'ip.src == tcp.port': '11 an IPv4 address and an unsigned integer (16 bits) cannot be compared',
    'ip.ttl contains "a"': '1 contains looks into text and octets, not into an unsigned integer (8 bits)',
    'ip.src matches "1"': '1 an IPv4 address cannot be matched with a pattern; turn it into text: string(ip.src)',
    'frame matches "("': '15 the pattern cannot be used: missing closing ): `(`',
    'frame matches http': '15 a pattern in double quotes must follow matches',
    'frame contains "a': '16 this string has no closing "',
    'frame contains "\\q"': '17 \\q is no escape of a string; for a backslash write \\\\, or a raw string r"..."',
    'ip.ttl[0] == 40': '1 an unsigned integer (8 bits) cannot be sliced into octets',
    'frame[3-1] == 00': '6 3-1 is no range: it ends before it begins',
    'len(tcp)': '1 len() has a value but is no test; compare it, e.g. len(...) > 1',
    'lenn(tcp) == 1': '1 there is no function lenn; did you mean len?',
    'max() == 1': '1 max() takes one parameter or more, not 0',
    'upper(ip.src) == "A"': '7 upper() takes text, and ip.src is an IPv4 address',
    'ip.src + 1 == 1.2.3.4': '1 + does not work on an IPv4 address',
    'tcp.flags.syn & 1': '1 & does not work on a boolean',
    'frame.time > "yesterday"': '14 "yesterday" is no date and time; write "2026-03-18 19:12:05.5Z" (without Z: local time)',
    'frame.time_delta < 1e-3': '20 1e-3 is no duration in seconds; write seconds, e.g. 0.25',
    'ip.src == ${ip.src}':
      '11 a reference to a field (dollar and braces) means the frame selected in a window; on a command line there is none',
  };
  expect(Object.fromEntries(Object.keys(wrong).map((filter) => [filter, refusal(filter)]))).toEqual(wrong);
});

it('shows the place under the filter', () => {
  expect(() => compileDisplayFilter('udp or tcp.flag.syn == 1')).toThrow(
    [
      'display filter, column 8: no field tcp.flag.syn; did you mean tcp.flags.syn?',
      '    udp or tcp.flag.syn == 1',
      '           ^^^^^^^^^^^^',
    ].join('\n'),
  );
});
