/** Values as they are written in display filters, by the type of the field they are compared with. */
import type { Field, FieldType, Raw } from '../core/field.js';
import { textOf } from '../core/octets.js';
import { FilterError } from './errors.js';
import type { Token } from './lex.js';

/** Types of values in filters: those of fields, and whole protocols. */
export type Type = FieldType | 'protocol';

/** A value that stands in the filter itself. */
export interface Constant {
  readonly value: Raw;
  /** Leading bits that count, for addresses written with a prefix length. */
  readonly prefix: number | undefined;
}

/** Types that are runs of octets and compare with one another. */
export const isOctets = (type: Type): boolean => OCTETS.has(type);
const OCTETS: ReadonlySet<Type> = new Set(['bytes', 'ether', 'eui64', 'guid', 'protocol', 'list']);

/** Whole numbers, with their sign and size; undefined for other types. */
export function integerBits(type: Type): { readonly signed: boolean; readonly bits: number } | undefined {
  if (type === 'frame') return { signed: false, bits: 32 };
  const parts = /^(u?)int(\d+)$/.exec(type);
  return parts ? { signed: parts[1] === '', bits: Number(parts[2]) } : undefined;
}

/** What people call a type. */
export function typeName(type: Type): string {
  const integer = integerBits(type);
  if (integer && type !== 'frame') return `${integer.signed ? 'signed' : 'unsigned'} integer (${integer.bits} bits)`;
  return TYPE_NAMES[type] ?? type;
}

const TYPE_NAMES: Readonly<Partial<Record<Type, string>>> = {
  frame: 'frame number',
  double: 'decimal number',
  bool: 'boolean',
  bytes: 'octets',
  string: 'text',
  ipv4: 'IPv4 address',
  ipv6: 'IPv6 address',
  ether: 'hardware address',
  eui64: 'EUI-64 address',
  guid: 'GUID',
  time: 'date and time',
  duration: 'duration in seconds',
  none: 'mark without a value',
  list: 'octets',
  protocol: 'protocol',
};

/** Read `token` as a value of `type`. `field` lends its value names. */
export function parseLiteral(token: Token, type: Type, field: Field | undefined): Constant {
  const value = (raw: Raw): Constant => ({ value: raw, prefix: undefined });
  const integer = integerBits(type);
  if (integer) return value(integerOf(token, integer, type, field));
  switch (type) {
    case 'bool':
      return value(boolOf(token, field));
    case 'double': {
      if (token.kind === 'word' && /^\d+(\.\d+)?(e[+-]?\d+)?$/i.test(token.text)) return value(Number(token.text));
      return refuse(token, type);
    }
    case 'string':
      if (token.kind === 'word' && token.text.startsWith(':')) return refuse(token, type, '; put it in double quotes');
      return value(token.kind === 'word' ? token.text : textOf(token.octets, 0, token.octets.length));
    case 'bytes':
    case 'protocol':
    case 'list':
      return value(octetsOf(token));
    case 'ether':
    case 'eui64':
      return value(addressOf(token, type));
    case 'guid': {
      if (token.kind !== 'word' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(token.text)) return refuse(token, type);
      return value(octetsFromHex(token.text.replaceAll('-', '')));
    }
    case 'ipv4':
    case 'ipv6':
      return networkOf(token, type);
    case 'time':
      return value(timeOf(token));
    case 'duration':
      return value(durationOf(token));
    default:
      throw new FilterError(`${field?.name ?? 'this'} has no value to compare; it is only there or not`, token);
  }
}

const written = (token: Token): string =>
  token.kind === 'string' ? `"${token.text}"` : token.kind === 'char' ? `'${token.text}'` : token.text;

function refuse(token: Token, type: Type, hint = ''): never {
  throw new FilterError(`${written(token)} is no ${typeName(type)}${hint}`, token);
}

/** `80`, `0x50`, `0120`, `0b1010000`; undefined when it is none of these. */
function numberOf(text: string): bigint | undefined {
  if (/^(0x[0-9a-f]+|0b[01]+)$/i.test(text)) return BigInt(text);
  if (/^0[0-7]+$/.test(text)) return BigInt(`0o${text.slice(1)}`);
  return /^(0|[1-9]\d*)$/.test(text) ? BigInt(text) : undefined;
}

function integerOf(token: Token, { signed, bits }: { signed: boolean; bits: number }, type: Type, field: Field | undefined): Raw {
  let n: bigint | undefined;
  if (token.kind === 'char') n = BigInt(token.octets[0]!);
  else if (token.kind === 'word') n = numberOf(token.text);
  if (n === undefined) {
    const named = namedValue(token, field, 1 << Math.min(bits, 16));
    if (named !== undefined) return bits === 64 ? BigInt(named) : named;
    if (field?.values !== undefined && !/^\d/.test(token.text))
      throw new FilterError(`${field.name} has no value named ${written(token)}`, token);
    return refuse(token, type, token.kind === 'string' && numberOf(token.text) !== undefined ? '; write it without quotes' : '');
  }
  const most = (1n << BigInt(signed ? bits - 1 : bits)) - 1n;
  if (n > most) throw new FilterError(`${token.text} is too big for ${field?.name ?? `a ${typeName(type)}`}, which ends at ${most}`, token);
  return bits === 64 ? n : Number(n);
}

/** The number that a field's table calls by this name; case does not matter. */
function namedValue(token: Token, field: Field | undefined, tried: number): number | undefined {
  const values = field?.values;
  if (values === undefined || token.kind === 'char') return undefined;
  const wanted = (token.kind === 'string' ? textOf(token.octets, 0, token.octets.length) : token.text).toLowerCase();
  if (typeof values !== 'function') {
    for (const [number, name] of Object.entries(values)) if (name.toLowerCase() === wanted) return Number(number);
    return undefined;
  }
  // Names that come in ranges: every 16-bit number is asked for its own.
  for (let n = 0; n < tried; n++) if (values(n)?.toLowerCase() === wanted) return n;
  return undefined;
}

function boolOf(token: Token, field: Field | undefined): boolean {
  const text = token.kind === 'string' ? textOf(token.octets, 0, token.octets.length) : token.text;
  if (token.kind === 'word') {
    const n = numberOf(text);
    if (n !== undefined) return n !== 0n;
    if (/^true$/i.test(text)) return true;
    if (/^false$/i.test(text)) return false;
  }
  const [on = 'True', off = 'False'] = field?.options.flags ?? [];
  if (text.toLowerCase() === on.toLowerCase()) return true;
  if (text.toLowerCase() === off.toLowerCase()) return false;
  // The words that most tables use for a bit.
  if (!field?.options.flags && /^(not )?set$/i.test(text)) return !/^not/i.test(text);
  throw new FilterError(`${written(token)} is no boolean; write 1 or 0, True or False`, token);
}

const octetsFromHex = (digits: string): Uint8Array =>
  Uint8Array.from({ length: Math.ceil(digits.length / 2) }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));

/** `47:45:54`, `47-45-54`, `47.45.54`, `474554`, `0050.569f`, `0x47`, `7`, or a string. */
export function octetsOf(token: Token): Uint8Array {
  if (token.kind !== 'word') return token.octets;
  const text = token.text.replace(/^:/, '');
  const single = /^0x([0-9a-f]{1,2})$/i.exec(text);
  if (single) return octetsFromHex(single[1]!.padStart(2, '0'));
  if (/^[0-9a-f]+$/i.test(text)) return octetsFromHex(text.length === 1 ? `0${text}` : text);
  if (/^[0-9a-f]{1,2}([:.-][0-9a-f]{1,2})+$/i.test(text))
    return octetsFromHex(
      text
        .split(/[:.-]/)
        .map((part) => part.padStart(2, '0'))
        .join(''),
    );
  if (/^[0-9a-f]{4}([:.-][0-9a-f]{4})+$/i.test(text)) return octetsFromHex(text.replace(/[:.-]/g, ''));
  throw new FilterError(`${token.text} is no run of octets; write hex as 47:45:54, or text in double quotes`, token);
}

function addressOf(token: Token, type: 'ether' | 'eui64'): Uint8Array {
  const length = type === 'ether' ? 6 : 8;
  if (token.kind !== 'word') return refuse(token, type, '; write it without quotes');
  const octets = octetsOf(token);
  if (octets.length !== length)
    throw new FilterError(`${token.text} is no ${typeName(type)}: ${length} octets expected, not ${octets.length}`, token);
  return octets;
}

/** `192.0.2.1` as a number. */
export function ipv4Of(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1);
  // A leading zero would be octal to some and decimal to others.
  if (!parts || parts.some((part) => Number(part) > 255 || (part.length > 1 && part[0] === '0'))) return undefined;
  return parts.reduce((n, part) => n * 256 + Number(part), 0);
}

/** `2001:db8::1` as 16 octets, also with an IPv4 address at its end. */
export function ipv6Of(text: string): Uint8Array | undefined {
  let rest = text;
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (tail) {
    const v4 = ipv4Of(tail[2]!);
    if (v4 === undefined) return undefined;
    rest = `${tail[1]}${(v4 >>> 16).toString(16)}:${(v4 & 0xffff).toString(16)}`;
  }
  const halves = rest.split('::');
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const count = groups.reduce((n, g) => n + g.length, 0);
  if (groups.flat().some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  if (halves.length === 1 ? count !== 8 : count > 7) return undefined;
  const all = halves.length === 1 ? groups[0]! : [...groups[0]!, ...new Array<string>(8 - count).fill('0'), ...groups[1]!];
  return octetsFromHex(all.map((group) => group.padStart(4, '0')).join(''));
}

function networkOf(token: Token, type: 'ipv4' | 'ipv6'): Constant {
  if (token.kind !== 'word') return refuse(token, type, '; write it without quotes');
  const [address = '', length] = token.text.split('/');
  const value = type === 'ipv4' ? ipv4Of(address) : ipv6Of(address);
  if (value === undefined)
    return refuse(token, type, /[g-z]/i.test(address) && /^[\w.-]+$/.test(address) ? ' (names are not looked up)' : '');
  const bits = type === 'ipv4' ? 32 : 128;
  if (length !== undefined && Number(length) > bits)
    throw new FilterError(`a prefix of an ${typeName(type)} has at most ${bits} bits, not ${length}`, token);
  return { value, prefix: length === undefined ? undefined : Number(length) };
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** ISO 8601 or `Sep 26, 2004 23:18:04.954975`; without a zone the time is local. Yields nanoseconds since 1970. */
function timeOf(token: Token): bigint {
  const text = token.kind === 'word' ? token.text : textOf(token.octets, 0, token.octets.length);
  const clock = String.raw`(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?`;
  const iso = new RegExp(String.raw`^(\d{4})-(\d{2})-(\d{2})(?:[T ]+${clock})?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$`, 'i').exec(text);
  const old = iso ? null : new RegExp(String.raw`^([a-z]{3}) +(\d{1,2}), *(\d{4}) +${clock}\s*(Z|UTC|[+-]\d{2}:?\d{2})?$`, 'i').exec(text);
  const month = iso ? Number(iso[2]) : MONTHS.indexOf(old?.[1]?.toLowerCase() ?? '') + 1;
  const found = iso ?? old;
  if (!found || month < 1 || month > 12) return refuse(token, 'time', '; write "2026-03-18 19:12:05.5Z" (without Z: local time)');
  const year = Number(iso ? iso[1] : old![3]);
  const day = Number(iso ? iso[3] : old![2]);
  const [hour, minute, second] = [Number(found[4] ?? 0), Number(found[5] ?? 0), Number(found[6] ?? 0)];
  const nanoseconds = BigInt((found[7] ?? '').padEnd(9, '0'));
  if (day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return refuse(token, 'time');
  const zone = found[8];
  let milliseconds: number;
  if (zone === undefined) milliseconds = new Date(year, month - 1, day, hour, minute, second).getTime();
  else {
    const offset = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
    const minutes = offset ? (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3])) : 0;
    milliseconds = Date.UTC(year, month - 1, day, hour, minute, second) - minutes * 60_000;
  }
  return BigInt(milliseconds) * 1_000_000n + nanoseconds;
}

/** Seconds with up to nine decimals, as nanoseconds. */
function durationOf(token: Token): bigint {
  const parts = token.kind === 'word' ? /^(\d+)(?:\.(\d{1,9}))?s?$/.exec(token.text) : null;
  if (!parts) return refuse(token, 'duration', '; write seconds, e.g. 0.25');
  return BigInt(parts[1]!) * 1_000_000_000n + BigInt((parts[2] ?? '').padEnd(9, '0'));
}
