/**
 * The JSON of the messages that most of DNS is made of, straight from their octets: what Dns's walk finds, without the
 * tree. Questions of any type are among them, records whose data is an address, a name, the start of a zone, a mail
 * exchange or text, and EDNS with cookies.
 */
import { ipv6Text } from '../core/addresses.js';
import { putWhole } from '../core/digits.js';
import { FixedText } from '../core/fixed-text.js';
import { u16, u32 } from '../core/octets.js';
import type { TextBuffer } from '../core/text.js';
import { skipName, writeJsonName } from './dns-names.js';
import { A, AAAA, CNAME, COOKIE, MX, NS, OPT, PTR, SOA, TXT } from './dns-values.js';

/** What is written of a message: its octets `[start, end)`, of which those up to `captured` are there. */
export interface PlainDns {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly captured: number;
  /** Whether the highest bit of a class has a meaning of its own (RFC 6762 sections 5.4 and 10.2). */
  readonly multicast: boolean;
}

const HEADER_LENGTH = 12;
const RECORD_FIXED = 10;
const OPTION_FIXED = 4;
const QUESTION_FIXED = 4;
const CLIENT_COOKIE = 8;
const SOA_NUMBERS = 20;

const DOT = 0x2e;
const COMMA = 0x2c;
const QUOTE = 0x22;
const END_LIST = 0x5d;
const END_OBJECT = 0x7d;

/** In the order of their counts. */
const SECTIONS = ['queries', 'answers', 'authorities', 'additionals'].map((name) => new FixedText(`,"${name}":[`));

const QUESTION = new FixedText('{"qry":{"name":{"value":');
const NAME_LENGTH = new FixedText(',"len":');
const QUESTION_TYPE = new FixedText('},"type":');
const CLASS = new FixedText(',"class":');
const UNICAST = new FixedText(',"qu":');
const LABELS = new FixedText('},"count":{"labels":');
const RECORD = new FixedText('{"resp":{"name":');
const TYPE = new FixedText(',"type":');
const CACHE_FLUSH = new FixedText(',"cache_flush":');
const TTL = new FixedText(',"ttl":');
const EXTENDED_RCODE = new FixedText(',"ext_rcode":');
const EDNS_VERSION = new FixedText(',"edns0_version":');
const EDNS_FLAGS = new FixedText(',"z":{"value":');
const DNSSEC_OK = new FixedText(',"do":');
const RESERVED = new FixedText(',"reserved":');
const LENGTH = new FixedText(',"len":');
const PAYLOAD_SIZE = new FixedText('},"rr":{"udp_payload_size":');
const OPTIONS = new FixedText(',"opt":[');
const OPTION_CODE = new FixedText('{"code":');
const OPTION_DATA = new FixedText(',"data":');
const CLIENT = new FixedText(',"cookie":{"client":');
const SERVER = new FixedText(',"server":');
const END_OBJECTS = new FixedText('}}');
/** What the numbers of a question or a record take, with their keys. */
const FACTS_ROOM = 512;
const TRUE = new FixedText('true');
const FALSE = new FixedText('false');

/**
 * Write the JSON of all sections of a message that has nothing in it but what is named above; false, and nothing written,
 * for all others.
 */
export function writePlainDns(out: TextBuffer, dns: PlainDns): boolean {
  const { bytes: b, start, end, captured, multicast } = dns;
  const mark = out.length;
  let at = start + HEADER_LENGTH;
  for (let section = 0; at > 0 && at <= captured && section < SECTIONS.length; section++) {
    const count = u16(b, start + 4 + 2 * section);
    if (count === 0) continue;
    out.fixed(SECTIONS[section]!);
    // Each question and each record advances by at least its fixed octets, or ends it.
    for (let i = 0; i < count && at > 0; i++) {
      if (i > 0) out.byte(COMMA);
      at = section === 0 ? writeQuestion(out, b, at, start, captured, multicast) : writeRecord(out, b, at, start, captured, multicast);
    }
    out.byte(END_LIST);
  }
  if (at === end || (at > 0 && at === captured)) return true;
  out.length = mark;
  return false;
}

/** The question at `start`; where it ends, or -1 when it is cut. */
function writeQuestion(out: TextBuffer, b: Uint8Array, start: number, base: number, limit: number, multicast: boolean): number {
  const at = skipName(b, start, limit);
  if (at < 0 || at + QUESTION_FIXED > limit) return -1;
  out.fixed(QUESTION);
  const mark = out.length;
  const length = writeJsonName(out, b, start, base, limit);
  if (length < 0) return -1;
  const labels = length === 0 ? 0 : partsOf(out, mark);
  const bits = u16(b, at + 2);
  out.room(FACTS_ROOM);
  const { view } = out;
  let to = putNumber(view, out.length, NAME_LENGTH, length);
  to = putNumber(view, to, QUESTION_TYPE, u16(b, at));
  to = putNumber(view, to, CLASS, multicast ? bits & 0x7fff : bits);
  if (multicast) to = putFlag(view, to, UNICAST, bits & 0x8000);
  to = putNumber(view, to, LABELS, labels);
  out.length = END_OBJECTS.put(view, to);
  return at + QUESTION_FIXED;
}

/** Parts between dots of what was written from `from` on. */
function partsOf({ bytes, length }: TextBuffer, from: number): number {
  let parts = 1;
  for (let i = from; i < length; i++) if (bytes[i] === DOT) parts++;
  return parts;
}

/** The record at `start`; where it ends, or -1 when it is cut or of another kind. */
function writeRecord(out: TextBuffer, b: Uint8Array, start: number, base: number, limit: number, multicast: boolean): number {
  const at = skipName(b, start, limit);
  if (at < 0 || at + RECORD_FIXED > limit) return -1;
  const type = u16(b, at);
  const data = at + RECORD_FIXED;
  const length = u16(b, at + 8);
  const end = data + length;
  const isOptions = type === OPT;
  const write = isOptions ? writeOptions : DATA[type];
  // A TTL of so many years gets a remark.
  if (end > limit || write === undefined || (!isOptions && b[at + 4]! & 0x80)) return -1;
  out.fixed(RECORD);
  if (writeJsonName(out, b, start, base, limit) < 0) return -1;
  const bits = u16(b, at + 2);
  const low = multicast ? bits & 0x7fff : bits;
  out.room(FACTS_ROOM);
  const { view } = out;
  let to = putNumber(view, out.length, TYPE, type);
  if (!isOptions) to = putNumber(view, to, CLASS, low);
  if (multicast) to = putFlag(view, to, CACHE_FLUSH, bits & 0x8000);
  to = isOptions ? putEdns(view, to, b, at + 4) : putNumber(view, to, TTL, u32(b, at + 4));
  to = putNumber(view, to, LENGTH, length);
  if (isOptions) to = putNumber(view, to, PAYLOAD_SIZE, low);
  out.length = to;
  out.byte(END_OBJECT);
  if (length > 0 && !write(out, b, data, end, base, limit)) return -1;
  out.byte(END_OBJECT);
  return end;
}

/** What stands in place of a TTL (RFC 6891 section 6.1.3). */
function putEdns(view: DataView, at: number, b: Uint8Array, from: number): number {
  const bits = u16(b, from + 2);
  let to = putNumber(view, at, EXTENDED_RCODE, b[from]!);
  to = putNumber(view, to, EDNS_VERSION, b[from + 1]!);
  to = putNumber(view, to, EDNS_FLAGS, bits);
  to = putFlag(view, to, DNSSEC_OK, bits & 0x8000);
  to = putNumber(view, to, RESERVED, bits & 0x7fff);
  view.setUint8(to, END_OBJECT);
  return to + 1;
}

/** Writes the data `[at, end)` of a record; names may point anywhere in the message `[base, limit)`. False when it is no plain one. */
type WriteData = (out: TextBuffer, b: Uint8Array, at: number, end: number, base: number, limit: number) => boolean;

/** Cookies; no other option is common. */
const writeOptions: WriteData = (out, b, start, end) => {
  if (start + OPTION_FIXED > end) return true;
  out.fixed(OPTIONS);
  // Each option advances by at least its fixed octets.
  for (let at = start; at + OPTION_FIXED <= end; ) {
    const length = u16(b, at + 2);
    const data = at + OPTION_FIXED;
    const next = data + length;
    if (u16(b, at) !== COOKIE || next > end || length < CLIENT_COOKIE) return false;
    if (at > start) out.byte(COMMA);
    writeNumber(out, OPTION_CODE, COOKIE);
    writeNumber(out, LENGTH, length);
    writeOctets(out, OPTION_DATA, b, data, next);
    writeOctets(out, CLIENT, b, data, data + CLIENT_COOKIE);
    writeOctets(out, SERVER, b, data + CLIENT_COOKIE, next);
    out.byte(END_OBJECT);
    out.byte(END_OBJECT);
    at = next;
  }
  out.byte(END_LIST);
  return true;
};

/** Data that begins with a name, which is written under `key`; what stands before and behind it is of the caller. */
function writeName(out: TextBuffer, key: FixedText, b: Uint8Array, at: number, end: number, base: number, limit: number): number {
  const next = at < end ? skipName(b, at, end) : -1;
  if (next < 0) return -1;
  out.fixed(key);
  return writeJsonName(out, b, at, base, limit) < 0 ? -1 : next;
}

/** Data that is one name. */
function oneName(key: string): WriteData {
  const text = new FixedText(key);
  return (out, b, at, end, base, limit) => writeName(out, text, b, at, end, base, limit) > 0;
}

const ADDRESS = new FixedText(',"a":"');
const writeA: WriteData = (out, b, at, end) => {
  if (end - at !== 4) return false;
  out.fixed(ADDRESS);
  out.ipv4(u32(b, at));
  out.byte(QUOTE);
  return true;
};

const ADDRESS6 = new FixedText(',"aaaa":"');
const writeAaaa: WriteData = (out, b, at, end) => {
  if (end - at !== 16) return false;
  out.fixed(ADDRESS6);
  out.ascii(ipv6Text(b, at));
  out.byte(QUOTE);
  return true;
};

const DOMAIN = new FixedText(',"ptr":{"domain_name":');
const writePtr: WriteData = (out, b, at, end, base, limit) => {
  const next = writeName(out, DOMAIN, b, at, end, base, limit);
  out.byte(END_OBJECT);
  return next > 0;
};

const PREFERENCE = new FixedText(',"mx":{"preference":');
const EXCHANGE = new FixedText(',"mail_exchange":');
const writeMx: WriteData = (out, b, at, end, base, limit) => {
  if (at + 2 > end) return false;
  writeNumber(out, PREFERENCE, u16(b, at));
  const next = writeName(out, EXCHANGE, b, at + 2, end, base, limit);
  out.byte(END_OBJECT);
  return next > 0;
};

const PRIMARY = new FixedText(',"soa":{"mname":');
const MAILBOX = new FixedText(',"rname":');
const ZONE_NUMBERS = ['serial_number', 'refresh_interval', 'retry_interval', 'expire_limit', 'minimum_ttl'].map(
  (name) => new FixedText(`,"${name}":`),
);
const writeSoa: WriteData = (out, b, start, end, base, limit) => {
  const mailbox = writeName(out, PRIMARY, b, start, end, base, limit);
  if (mailbox < 0) return false;
  const at = writeName(out, MAILBOX, b, mailbox, end, base, limit);
  if (at < 0 || at + SOA_NUMBERS > end) return false;
  for (let i = 0; i < ZONE_NUMBERS.length; i++) writeNumber(out, ZONE_NUMBERS[i]!, u32(b, at + 4 * i));
  out.byte(END_OBJECT);
  return true;
};

const TEXTS = new FixedText(',"txt":{"value":[');
const TEXT_LENGTHS = new FixedText('],"length":[');
const writeTxt: WriteData = (out, b, start, end) => {
  out.fixed(TEXTS);
  // Each text advances by at least the octet that says how long it is.
  for (let at = start; at < end; ) {
    if (at > start) out.byte(COMMA);
    const next = at + 1 + b[at]!;
    if (next > end) return false;
    out.jsonText(b, at + 1, next);
    at = next;
  }
  out.fixed(TEXT_LENGTHS);
  for (let at = start; at < end; at += 1 + b[at]!) {
    if (at > start) out.byte(COMMA);
    out.number(b[at]!);
  }
  out.byte(END_LIST);
  out.byte(END_OBJECT);
  return true;
};

const DATA: Readonly<Record<number, WriteData>> = {
  [A]: writeA,
  [NS]: oneName(',"ns":'),
  [CNAME]: oneName(',"cname":'),
  [SOA]: writeSoa,
  [PTR]: writePtr,
  [MX]: writeMx,
  [TXT]: writeTxt,
  [AAAA]: writeAaaa,
};

function writeNumber(out: TextBuffer, key: FixedText, n: number): void {
  out.fixed(key);
  out.number(n);
}

/** A key with a number, and one with what a bit says; the caller has made room for them. */
const putNumber = (view: DataView, at: number, key: FixedText, n: number): number => putWhole(view, key.put(view, at), n);
const putFlag = (view: DataView, at: number, key: FixedText, bit: number): number =>
  (bit === 0 ? FALSE : TRUE).put(view, key.put(view, at));

function writeOctets(out: TextBuffer, key: FixedText, b: Uint8Array, from: number, to: number): void {
  out.fixed(key);
  out.byte(QUOTE);
  out.hexOctets(b, from, to);
  out.byte(QUOTE);
}
