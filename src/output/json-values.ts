/** Values as JSON: numbers as numbers, flags as booleans, octets as hex text, durations in seconds. */
import { ipv6Text } from '../core/addresses.js';
import { DIGITS_ROOM, putNumeral, putSeconds, putShort } from '../core/digits.js';
import type { Field, Raw } from '../core/field.js';
import type { TreeNode } from '../core/layer.js';
import type { TextBuffer } from '../core/text.js';
import { isoText } from '../core/time.js';

const QUOTE = 34;
const MAX_EXACT = BigInt(Number.MAX_SAFE_INTEGER);
const MIN_EXACT = BigInt(Number.MIN_SAFE_INTEGER);

/** A value in raw form; integers above 2^53, and what JSON has no number for, as text. */
export function writeJsonValue(out: TextBuffer, field: Field, raw: Raw): void {
  switch (field.type) {
    case 'ipv4':
      out.byte(QUOTE);
      out.ipv4(raw as number);
      out.byte(QUOTE);
      return;
    case 'ether':
    case 'eui64':
      out.byte(QUOTE);
      out.ether(raw as Uint8Array, 0, (raw as Uint8Array).length);
      out.byte(QUOTE);
      return;
    case 'ipv6':
      out.byte(QUOTE);
      out.ascii(ipv6Text(raw as Uint8Array, 0));
      out.byte(QUOTE);
      return;
    case 'bool':
    case 'none':
      out.ascii(raw ? 'true' : 'false');
      return;
    case 'duration':
      writeSeconds(out, raw as number | bigint);
      return;
    case 'time':
      out.byte(QUOTE);
      out.ascii(isoText(Number((raw as bigint) / 1_000_000_000n), Number((raw as bigint) % 1_000_000_000n)));
      out.byte(QUOTE);
      return;
  }
  if (typeof raw === 'number') {
    if (Number.isFinite(raw)) writeNumber(out, raw);
    else out.ascii(`"${raw}"`);
  } else if (typeof raw === 'string') out.json(raw);
  else if (typeof raw === 'bigint') {
    if (raw <= MAX_EXACT && raw >= MIN_EXACT) writeNumber(out, Number(raw));
    else out.ascii(`"${raw}"`);
  } else if (typeof raw === 'boolean') out.ascii(raw ? 'true' : 'false');
  else {
    out.byte(QUOTE);
    out.hexOctets(raw);
    out.byte(QUOTE);
  }
}

/** The value of a node that a walk found; octets and text straight from where they stand. */
export function writeNodeValue(out: TextBuffer, field: Field, node: TreeNode): void {
  if (node.isUnread) {
    if (field.type === 'bytes') {
      out.byte(QUOTE);
      out.hexOctets(node.bytes, node.start, node.end);
      out.byte(QUOTE);
      return;
    }
    if (field.type === 'string') {
      out.jsonText(node.bytes, node.start, node.end);
      return;
    }
  }
  writeJsonValue(out, field, node.value!);
}

function writeNumber(out: TextBuffer, n: number): void {
  out.room(DIGITS_ROOM + 8);
  out.length = putNumeral(out.view, out.length, n);
}

/** Nanoseconds as seconds with nine decimals; what a JSON number would round (a bigint) as text. */
function writeSeconds(out: TextBuffer, time: number | bigint): void {
  if (typeof time === 'bigint') {
    const negative = time < 0n;
    const n = negative ? -time : time;
    out.ascii(`"${negative ? '-' : ''}${n / 1_000_000_000n}.${String(n % 1_000_000_000n).padStart(9, '0')}"`);
    return;
  }
  out.room(2 * DIGITS_ROOM);
  out.length = putSeconds(out.view, out.length, time);
}

/** An IPv4 address in quotes. */
export function putIpv4(view: DataView, at: number, n: number): number {
  view.setUint8(at, QUOTE);
  let next = putShort(view, at + 1, n >>> 24);
  view.setUint8(next, 46);
  next = putShort(view, next + 1, (n >>> 16) & 255);
  view.setUint8(next, 46);
  next = putShort(view, next + 1, (n >>> 8) & 255);
  view.setUint8(next, 46);
  next = putShort(view, next + 1, n & 255);
  view.setUint8(next, QUOTE);
  return next + 1;
}

/** `true` or `false`. */
export function putBoolean(view: DataView, at: number, value: boolean): number {
  if (value) {
    view.setUint32(at, 0x65757274, true);
    return at + 4;
  }
  view.setUint32(at, 0x736c6166, true);
  view.setUint8(at + 4, 0x65);
  return at + 5;
}
