/**
 * What X.509 certificates say that people ask for: whose, from whom, for how long, for which names. A reader of just so much
 * DER, which goes through each octet at most once a level and never deeper than a certificate is.
 *
 * RFC 5280 sections 4.1 and 4.2.1.6, ITU-T X.690 (DER), RFC 4514 (names as text), RFC 6962 section 3.3 (SCTs).
 *
 *     Certificate ::= SEQUENCE { tbsCertificate SEQUENCE {
 *       [0] version, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, … [3] extensions }, … }
 */
import { ipv4Text, ipv6Text } from '../core/addresses.js';
import { hexOf, latin1Of, textOf, u32 } from '../core/octets.js';

/** Most names of a certificate that are listed. */
const MAX_NAMES = 1024;

const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const BMP_STRING = 0x1e;
const SEQUENCE = 0x30;
const SET = 0x31;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const UTC_TIME = 0x17;

type Range = readonly [from: number, to: number];

export interface Certificate {
  readonly serial: Range;
  readonly issuer: string;
  readonly subject: string;
  /** Nanoseconds since 1970; undefined where the text is no time. */
  readonly notBefore: bigint | undefined;
  readonly notAfter: bigint | undefined;
  /** Alternative names: hosts, addresses, mailboxes, URIs. */
  readonly names: readonly string[];
  /** Where the list of SCTs stands. */
  readonly scts: Range | undefined;
}

/** Attribute types that names are made of, as RFC 4514 and common use write them. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  '550403': 'CN',
  '550404': 'SN',
  '550405': 'serialNumber',
  '550406': 'C',
  '550407': 'L',
  '550408': 'ST',
  '550409': 'street',
  '55040a': 'O',
  '55040b': 'OU',
  '55040c': 'title',
  '55042a': 'GN',
  '2a864886f70d010901': 'emailAddress',
  '0992268993f22c640119': 'DC',
  '0992268993f22c640101': 'UID',
};

/** An element of DER: its tag and where its content stands. */
interface Element {
  readonly tag: number;
  readonly from: number;
  readonly to: number;
}

/** The element at `at`; undefined when it does not fit before `end` or is not DER. */
function element(b: Uint8Array, at: number, end: number): Element | undefined {
  if (at + 2 > end) return undefined;
  const tag = b[at]!;
  let length = b[at + 1]!;
  let from = at + 2;
  if (length > 0x80) {
    let octets = length & 0x7f;
    if (octets > 4 || from + octets > end) return undefined;
    for (length = 0; octets > 0; octets--) length = length * 256 + b[from++]!;
  } else if (length === 0x80) return undefined;
  return from + length <= end ? { tag, from, to: from + length } : undefined;
}

/** Calls `visit` with each element of `[from, to)` until it returns false. Each has two octets at least. */
function each(b: Uint8Array, from: number, to: number, visit: (found: Element) => boolean | undefined): void {
  for (let at = from; at < to; ) {
    const found = element(b, at, to);
    if (found === undefined || visit(found) === false) return;
    at = found.to;
  }
}

function stringText(b: Uint8Array, { tag, from, to }: Element): string {
  if (tag !== BMP_STRING) return textOf(b, from, to);
  let text = '';
  for (let at = from; at + 2 <= to; at += 2) text += String.fromCharCode((b[at]! << 8) | b[at + 1]!);
  return text;
}

/** A distinguished name `CN=example.test,O=Example`: the most specific part first, as RFC 4514 says. */
export function nameText(b: Uint8Array, from: number, to: number): string {
  const parts: string[] = [];
  each(b, from, to, (set) => {
    if (set.tag !== SET || parts.length >= MAX_NAMES) return false;
    const values: string[] = [];
    each(b, set.from, set.to, (pair) => {
      const type = element(b, pair.from, pair.to);
      if (type === undefined || type.tag !== OBJECT_IDENTIFIER) return false;
      const value = element(b, type.to, pair.to);
      if (value === undefined) return false;
      const oid = hexOf(b, type.from, type.to);
      values.push(`${ATTRIBUTES[oid] ?? `#${oid}`}=${stringText(b, value).replace(/[,+"\\<>;]/g, '\\$&')}`);
      return true;
    });
    parts.push(values.join('+'));
    return true;
  });
  return parts.reverse().join(',');
}

/** UTCTime and GeneralizedTime, which DER writes in whole seconds of UTC. */
function timeOf(b: Uint8Array, { tag, from, to }: Element): bigint | undefined {
  const text = latin1Of(b, from, Math.min(to, from + 20));
  const parts = /^(\d\d)?(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!parts || (parts[1] === undefined) !== (tag === UTC_TIME)) return undefined;
  const [century, year, ...rest] = parts.slice(1).map((part) => (part === undefined ? undefined : Number(part)));
  const [month, day, hour, minute, second] = rest as [number, number, number, number, number];
  // RFC 5280 section 4.1.2.5.1: two digits mean 1950 to 2049.
  const full = century === undefined ? (year! < 50 ? 2000 : 1900) + year! : century * 100 + year!;
  const milliseconds = Date.UTC(full, month - 1, day, hour, minute, second);
  return Number.isNaN(milliseconds) ? undefined : BigInt(milliseconds) * 1_000_000n;
}

function alternativeNames(b: Uint8Array, from: number, to: number): string[] {
  const names: string[] = [];
  each(b, from, to, ({ tag, from, to }) => {
    if (names.length >= MAX_NAMES) return false;
    if (tag === 0x81 || tag === 0x82 || tag === 0x86) names.push(latin1Of(b, from, to));
    else if (tag === 0x87 && to - from === 4) names.push(ipv4Text(u32(b, from)));
    else if (tag === 0x87 && to - from === 16) names.push(ipv6Text(b, from));
    return true;
  });
  return names;
}

/** The certificate in `[start, end)`; undefined when it is none. */
export function readCertificate(b: Uint8Array, start: number, end: number): Certificate | undefined {
  const outer = element(b, start, end);
  const body = outer?.tag === SEQUENCE ? element(b, outer.from, outer.to) : undefined;
  if (body === undefined || body.tag !== SEQUENCE) return undefined;
  const parts: Element[] = [];
  let extensions: Element | undefined;
  each(b, body.from, body.to, (part) => {
    if (part.tag === EXTENSIONS) extensions = part;
    else if (part.tag !== VERSION && parts.length < 6) parts.push(part);
    return true;
  });
  const [serial, , issuer, validity, subject] = parts;
  if (serial === undefined || issuer === undefined || validity === undefined || subject === undefined) return undefined;
  const notBefore = element(b, validity.from, validity.to);
  const notAfter = notBefore && element(b, notBefore.to, validity.to);
  let names: string[] = [];
  let scts: Range | undefined;
  const inner = extensions && element(b, extensions.from, extensions.to);
  if (inner !== undefined)
    each(b, inner.from, inner.to, (extension) => {
      const type = element(b, extension.from, extension.to);
      if (type === undefined || type.tag !== OBJECT_IDENTIFIER) return true;
      // An optional BOOLEAN says whether it is critical; the value is an octet string of DER.
      let value = element(b, type.to, extension.to);
      if (value !== undefined && value.tag !== OCTET_STRING) value = element(b, value.to, extension.to);
      const content = value && element(b, value.from, value.to);
      if (content === undefined) return true;
      const oid = hexOf(b, type.from, type.to);
      if (oid === '551d11') names = alternativeNames(b, content.from, content.to);
      else if (oid === '2b06010401d679020402') scts = [content.from, content.to];
      return true;
    });
  return {
    serial: [serial.from, serial.to],
    issuer: nameText(b, issuer.from, issuer.to),
    subject: nameText(b, subject.from, subject.to),
    notBefore: notBefore && timeOf(b, notBefore),
    notAfter: notAfter && timeOf(b, notAfter),
    names,
    scts,
  };
}
