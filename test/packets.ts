/** Packets for tests, written as octets, and what netlens makes of them. */
import { CaptureRecord } from '../src/capture/source.js';
import { valueText } from '../src/core/field.js';
import type { Frame } from '../src/core/frame.js';
import { eachValue } from '../src/core/select.js';
import type { Session } from '../src/core/session.js';
import { FIELDS } from '../src/dissectors/index.js';
import { createSession } from '../src/frames.js';

/** Octets from hex; spaces, line breaks and `|` are for the reader. */
export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/[\s|]/g, ''), 'hex'));

export const ETHERNET = 1;
/** Link types without a link header. */
export const IPV4 = 228;
export const IPV6 = 229;

const interfaces = new Map<number, CaptureRecord['interface']>();

/** One frame of a session. `seconds` is its time, `wireLength` what it had on the wire where the capture was cut. */
export function dissect(
  octets: Uint8Array,
  {
    session = createSession(),
    linkType = ETHERNET,
    seconds = 0,
    nanoseconds = 0,
    wireLength = octets.length,
  }: { session?: Session; linkType?: number; seconds?: number; nanoseconds?: number; wireLength?: number } = {},
): Frame {
  const record = new CaptureRecord();
  record.bytes = octets;
  record.captured = octets.length;
  record.wireLength = wireLength;
  record.seconds = seconds;
  record.nanoseconds = nanoseconds;
  let from = interfaces.get(linkType);
  if (!from) interfaces.set(linkType, (from = { ...record.interface, linkType }));
  record.interface = from;
  const frame = session.dissect(record);
  if (frame.fault) throw frame.fault;
  return frame;
}

/** The values of a field as `-e` prints them. */
export function values(frame: Frame, name: string): string {
  const found: string[] = [];
  eachValue(frame, FIELDS.get(name)!, (raw, field) => found.push(valueText(field, raw)));
  return found.join(',');
}

/** Every field of a layer with a value, as `-e` prints it, in table order. */
export function fieldsOf(frame: Frame, protocol: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, fields] of FIELDS)
    if (fields[0]!.protocol.name === protocol && fields[0]!.name === name) {
      const text = values(frame, name);
      if (text !== '') found[name] = text;
    }
  return found;
}

/** Cut `octets` at every length from `from` on, as a capture with a snaplen does and as a packet that ends early does; read everything each time. */
export function everyCut(octets: Uint8Array, from: number, linkType = ETHERNET): void {
  const session = createSession();
  for (let length = from; length < octets.length; length++)
    for (const wireLength of [length, octets.length]) readAll(dissect(octets.slice(0, length), { session, linkType, wireLength }));
}

/** Read every field and the Info text. */
export function readAll(frame: Frame): void {
  for (const layer of frame.layers) {
    for (const field of layer.protocol.fields) {
      const raw = field.walked ? undefined : field.raw(layer);
      if (raw !== undefined) valueText(field, raw);
    }
    for (const { field, value } of layer.nodes) if (field && value !== undefined) valueText(field, value);
  }
  if (frame.info.includes('undefined') || frame.info.includes('NaN')) throw new Error(`#${frame.number}: ${frame.info}`);
}

/** Each octet from `from` on set to a few telling values in turn; read everything each time. */
export function everyLie(octets: Uint8Array, from: number, linkType = ETHERNET): void {
  const session = createSession();
  for (let at = from; at < octets.length; at++)
    for (const octet of [0, 1, 0x7f, 0x80, 0xff]) {
      const lying = octets.slice();
      lying[at] = octet;
      readAll(dissect(lying, { session, linkType }));
    }
}

/** Fold the Internet checksum of `octets` into the word at `at`. */
function setChecksum(octets: Uint8Array, at: number, sum = 0): void {
  let total = sum;
  for (let i = 0; i < octets.length; i += 2) total += (octets[i]! << 8) | (octets[i + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000);
  octets[at] = (~total & 0xffff) >> 8;
  octets[at + 1] = ~total & 0xff;
}

/** An IPv4 datagram from 192.0.2.1 to 192.0.2.2, TTL 64, with a payload; `turned` the other way. */
export function ipv4(protocol: number, payload: Uint8Array, turned = false): Uint8Array {
  const header = hex(
    `4500 0000 0001 0000 40 ${protocol.toString(16).padStart(2, '0')} 0000 ${turned ? 'c0000202 c0000201' : 'c0000201 c0000202'}`,
  );
  header[2] = (20 + payload.length) >> 8;
  header[3] = (20 + payload.length) & 255;
  setChecksum(header, 10);
  return Uint8Array.from([...header, ...payload]);
}

/** An ICMP message in a datagram; a checksum of 0 is made right. */
export function icmpMessage(text: string, turned = false): Uint8Array {
  const message = hex(text);
  if (message[2] === 0 && message[3] === 0) setChecksum(message, 2);
  return ipv4(1, message, turned);
}

/** An IPv6 datagram from 2001:db8::1 to 2001:db8::2, hop limit 255, with a payload; `turned` the other way. */
export function ipv6(protocol: number, payload: Uint8Array, turned = false): Uint8Array {
  const [a, b] = ['20010db8000000000000000000000001', '20010db8000000000000000000000002'];
  const length = payload.length.toString(16).padStart(4, '0');
  const header = hex(`60000000 ${length} ${protocol.toString(16).padStart(2, '0')} ff ${turned ? b + a : a + b}`);
  return Uint8Array.from([...header, ...payload]);
}

/** An ICMPv6 message in a datagram; a checksum of 0 is made right. */
export function icmpv6Message(text: string, turned = false): Uint8Array {
  const message = hex(text);
  // Both addresses add the same whichever way round: 2 × (2001 + 0db8) + 1 + 2, then length and protocol.
  if (message[2] === 0 && message[3] === 0) setChecksum(message, 2, 2 * (0x2001 + 0x0db8) + 3 + message.length + 58);
  return ipv6(58, message, turned);
}

/** A UDP datagram in IPv4, with no checksum. */
export function udpMessage(srcPort: number, dstPort: number, payload: Uint8Array, turned = false): Uint8Array {
  const word = (n: number) => [n >> 8, n & 255];
  return ipv4(17, Uint8Array.from([...word(srcPort), ...word(dstPort), ...word(8 + payload.length), 0, 0, ...payload]), turned);
}
