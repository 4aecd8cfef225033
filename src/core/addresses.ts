/** Addresses as text and back. Raw forms: IPv4 a number, IPv6 and hardware addresses octets. */
import { HEX, u16, u32 } from './octets.js';

/** `192.0.2.1` from a 32-bit number. */
export const ipv4Text = (n: number): string => `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`;

/** Octets with colons, two hex digits each: `02:00:00:00:00:01`. */
export function colonText(b: Uint8Array, at: number, length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) text += (i ? ':' : '') + HEX[b[at + i]!];
  return text;
}

/** RFC 5952 text of the 16 octets at `at`; addresses that embed IPv4 (::ffff:0:0/96 and ::/96) end in dotted form, as inet_ntop writes them. */
export function ipv6Text(b: Uint8Array, at: number): string {
  let runAt = -1;
  let runLength = 1;
  for (let i = 0; i < 8; i++) {
    let j = i;
    while (j < 8 && u16(b, at + 2 * j) === 0) j++;
    if (j - i > runLength) {
      runAt = i;
      runLength = j - i;
    }
    if (j > i) i = j - 1;
  }
  const mapped = runAt === 0 && runLength === 5 && u16(b, at + 10) === 0xffff;
  const compatible = runAt === 0 && runLength === 6;
  const groups = mapped || compatible ? 6 : 8;
  let text = '';
  for (let i = 0; i < groups; i++) {
    if (i === runAt) {
      text += i === 0 ? '::' : ':';
      i += runLength - 1;
      continue;
    }
    text += u16(b, at + 2 * i).toString(16);
    if (i < 7) text += ':';
  }
  return groups === 6 ? text + ipv4Text(u32(b, at + 12)) : text;
}

/** The number of a dotted address, or undefined when it is none. */
export function parseIpv4(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!parts) return undefined;
  let n = 0;
  for (let i = 1; i <= 4; i++) {
    const octet = Number(parts[i]);
    if (octet > 255) return undefined;
    n = n * 256 + octet;
  }
  return n;
}

/** The 16 octets of an IPv6 address in any of RFC 4291's forms, or undefined. */
export function parseIpv6(text: string): Uint8Array | undefined {
  let rest = text;
  const tail: number[] = [];
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(rest);
  if (dotted) {
    const v4 = parseIpv4(dotted[2]!);
    if (v4 === undefined) return undefined;
    tail.push(v4 >>> 16, v4 & 0xffff);
    rest = dotted[1]!.endsWith('::') ? dotted[1]! : dotted[1]!.slice(0, -1);
  }
  const halves = rest.split('::');
  if (halves.length > 2) return undefined;
  const groups = (half: string): number[] | undefined => {
    if (half === '') return [];
    const numbers: number[] = [];
    for (const part of half.split(':')) {
      if (!/^[0-9a-f]{1,4}$/i.test(part)) return undefined;
      numbers.push(Number.parseInt(part, 16));
    }
    return numbers;
  };
  const head = groups(halves[0]!);
  const end = halves.length === 2 ? groups(halves[1]!) : [];
  if (!head || !end) return undefined;
  const known = head.length + end.length + tail.length;
  if (halves.length === 2 ? known > 7 : known !== 8) return undefined;
  const all = [...head, ...new Array<number>(8 - known).fill(0), ...end, ...tail];
  const octets = new Uint8Array(16);
  all.forEach((group, i) => {
    octets[2 * i] = group >> 8;
    octets[2 * i + 1] = group & 255;
  });
  return octets;
}
