/** What a DNS message asks, and what its records say, in the short forms that people write them in. */
import { ipv4Text, ipv6Text } from '../core/addresses.js';
import { textOf, u16, u32 } from '../core/octets.js';
import { TextBuffer } from '../core/text.js';
import { type Dns, HEADER_LENGTH } from '../dissectors/dns.js';
import { writeData } from '../dissectors/dns-info.js';
import { nameText, skipName } from '../dissectors/dns-names.js';
import { SERVICE_KEYS } from '../dissectors/dns-svcb.js';
import { A, AAAA, CAA, CLASS, DS, HTTPS, NAPTR, OPT, SOA, SSHFP, SVCB, TLSA, TXT, typeName, URI } from '../dissectors/dns-values.js';

/** A record of an answer. */
export interface DnsAnswer {
  readonly name: string;
  readonly type: string;
  /** Seconds. */
  readonly ttl: number;
  /** What it holds, where that has a short form: an address, a name, `10 mx.example`. */
  readonly data: string | undefined;
}

export interface DnsQuestion {
  readonly name: string;
  readonly type: string;
  readonly class: string;
}

/** Records of one answer that are kept. */
export const MOST_ANSWERS = 512;

const scratch = new TextBuffer(1024);

/** The question that stands at `at`; undefined where there is none, or not all of it. */
export function questionAt(dns: Dns, at: number): DnsQuestion | undefined {
  const { bytes: b, start, captured } = dns;
  if (u16(b, start + 4) === 0) return undefined;
  const end = skipName(b, at, captured);
  const name = end < 0 || end + 4 > captured ? undefined : nameText(b, at, start, captured);
  if (name === undefined) return undefined;
  const number = u16(b, end + 2) & (dns.kind === 'mdns' ? 0x7fff : 0xffff);
  return { name, type: typeName(u16(b, end)), class: CLASS[number] ?? String(number) };
}

/** What the records of a message say. */
export interface Records {
  readonly answers: DnsAnswer[];
  /** Of the answer section; {@link answers} has the first of them. */
  readonly count: number;
  /** Serial numbers of the zone, where the first and the last of them are SOA records. */
  readonly serials: { readonly first: number | undefined; readonly last: number | undefined };
  readonly zone: string | undefined;
  /** The upper eight bits of the response code, from EDNS. */
  readonly extendedRcode: number;
}

/** Records of the answer section, the zone of the first SOA record after it, and what EDNS adds to the response code. */
export function recordsOf(dns: Dns): Records {
  const { bytes: b, start, captured } = dns;
  const answers: DnsAnswer[] = [];
  let zone: string | undefined;
  let extendedRcode = 0;
  let first: number | undefined;
  let last: number | undefined;
  let at = start + HEADER_LENGTH;
  for (let left = u16(b, start + 4); left > 0 && at >= 0; left--) {
    at = skipName(b, at, captured);
    if (at >= 0) at += 4;
  }
  const count = u16(b, start + 6);
  const all = count + u16(b, start + 8) + u16(b, start + 10);
  // Each record advances by at least its fixed octets.
  for (let i = 0; i < all && at >= 0; i++) {
    const owner = at;
    at = skipName(b, owner, captured);
    if (at < 0 || at + 10 > captured) break;
    const type = u16(b, at);
    const data = at + 10;
    const end = data + u16(b, at + 8);
    if (end > captured) break;
    if (i < count) {
      // The five numbers at the end of an SOA record begin with the serial number (RFC 1035 section 3.3.13).
      last = type === SOA && end - data >= 22 ? u32(b, end - 20) : undefined;
      if (i === 0) first = last;
    }
    if (i < count && answers.length < MOST_ANSWERS) {
      const name = nameText(b, owner, start, captured) ?? '';
      answers.push({ name, type: typeName(type), ttl: u32(b, at + 4), data: dataOf(dns, type, owner, data, end) });
    } else if (type === SOA && i >= count) zone ??= nameText(b, owner, start, captured);
    else if (type === OPT) extendedRcode = b[at + 4]!;
    at = end;
  }
  return { answers, count, serials: { first, last }, zone, extendedRcode };
}

/** What a record holds, where that has a short form. */
function dataOf({ bytes: b, start, captured }: Dns, type: number, owner: number, data: number, end: number): string | undefined {
  // Most records by far; without the detour over octets.
  if (type === A && end - data === 4) return ipv4Text(u32(b, data));
  if (type === AAAA && end - data === 16) return ipv6Text(b, data);
  scratch.clear();
  if (type === TXT) writeTexts(b, data, end);
  else if (type === CAA) writeAuthorization(b, data, end);
  else if (type === SVCB || type === HTTPS) writeService(b, data, end, start, captured);
  else if (type === URI) writeUri(b, data, end);
  else if (type === NAPTR) writeNamingAuthority(b, data, end, start, captured);
  else if (DIGESTS[type] !== undefined) writeDigest(b, data, end, DIGESTS[type]);
  else writeData(scratch, type, b, owner, data, end, start, captured);
  const text = scratch.toString().trimStart();
  return text === '' ? undefined : text;
}

/** `"v=spf1" "-all"`. */
function writeTexts(b: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; at += 1 + b[at]!) {
    scratch.ascii(at > start ? ' "' : '"');
    scratch.text(textOf(b, at + 1, Math.min(at + 1 + b[at]!, end)));
    scratch.byte(34);
  }
}

/** `0 issue "ca.test"` (RFC 8659 section 4.1.1). */
function writeAuthorization(b: Uint8Array, start: number, end: number): void {
  const value = start + 2 + b[start + 1]!;
  if (value > end) return;
  scratch.number(b[start]!);
  scratch.byte(32);
  scratch.text(textOf(b, start + 2, value));
  scratch.ascii(' "');
  scratch.text(textOf(b, value, end));
  scratch.byte(34);
}

/**
 * `1 svc.test alpn=h2,h3 port=8443`: priority and target, of which the root stands for the name itself, and the parameters
 * (RFC 9460 sections 2.1 and 2.5).
 */
function writeService(b: Uint8Array, start: number, end: number, base: number, limit: number): void {
  const target = start + 3 <= end ? nameText(b, start + 2, base, limit) : undefined;
  if (target === undefined) return;
  scratch.number(u16(b, start));
  scratch.byte(32);
  scratch.text(target === '<Root>' ? '.' : target);
  // Each parameter is at least four octets long.
  for (let at = skipName(b, start + 2, end); at >= 0 && at + 4 <= end; ) {
    const value = at + 4;
    const stop = value + u16(b, at + 2);
    if (stop > end) return;
    writeParameter(b, u16(b, at), value, stop);
    at = stop;
  }
}

const [ALPN, PORT, IPV4_HINT, IPV6_HINT] = [1, 3, 4, 6];

/** ` alpn=h2,h3`; of those whose value is octets the name alone. */
function writeParameter(b: Uint8Array, key: number, start: number, end: number): void {
  scratch.byte(32);
  scratch.text(SERVICE_KEYS[key] ?? `key${key}`);
  const values: string[] = [];
  if (key === ALPN) for (let at = start; at < end; at += 1 + b[at]!) values.push(textOf(b, at + 1, Math.min(at + 1 + b[at]!, end)));
  else if (key === PORT && end - start === 2) values.push(String(u16(b, start)));
  else if (key === IPV4_HINT) for (let at = start; at + 4 <= end; at += 4) values.push(ipv4Text(u32(b, at)));
  else if (key === IPV6_HINT) for (let at = start; at + 16 <= end; at += 16) values.push(ipv6Text(b, at));
  if (values.length > 0) scratch.text(`=${values.join(',')}`);
}

/** `10 1 "https://x.test/"`: priority, weight, target (RFC 7553 section 4.5). */
function writeUri(b: Uint8Array, start: number, end: number): void {
  if (end - start < 4) return;
  scratch.number(u16(b, start));
  scratch.byte(32);
  scratch.number(u16(b, start + 2));
  scratch.ascii(' "');
  scratch.text(textOf(b, start + 4, end));
  scratch.byte(34);
}

/** `100 10 "u" "E2U+sip" "!^.*$!sip:x@x.test!" .`: order, preference, flags, services, expression, replacement (RFC 3403 section 4.1). */
function writeNamingAuthority(b: Uint8Array, start: number, end: number, base: number, limit: number): void {
  if (end - start < 4) return;
  scratch.number(u16(b, start));
  scratch.byte(32);
  scratch.number(u16(b, start + 2));
  let at = start + 4;
  for (let i = 0; i < 3 && at < end; i++, at += 1 + b[at]!) {
    scratch.ascii(' "');
    scratch.text(textOf(b, at + 1, Math.min(at + 1 + b[at]!, end)));
    scratch.byte(34);
  }
  const replacement = at < end ? nameText(b, at, base, limit) : undefined;
  if (replacement === undefined) return;
  scratch.byte(32);
  scratch.text(replacement === '<Root>' ? '.' : replacement);
}

/** Numbers before a digest, by their octets: key tag, algorithm and kind (RFC 4034 section 5.1); algorithm and kind (RFC 4255 section 3.1); usage, selector, matching (RFC 6698 section 2.1). */
const DIGESTS: Readonly<Record<number, readonly number[]>> = { [DS]: [2, 1, 1], [SSHFP]: [1, 1], [TLSA]: [1, 1, 1] };

/** `3 1 1 aabbcc…`. */
function writeDigest(b: Uint8Array, start: number, end: number, sizes: readonly number[]): void {
  let at = start;
  for (const size of sizes) {
    if (at + size > end) return;
    scratch.number(size === 2 ? u16(b, at) : b[at]!);
    scratch.byte(32);
    at += size;
  }
  scratch.hexOctets(b, at, end);
}
