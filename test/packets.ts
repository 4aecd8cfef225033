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
export const RAW_IP = 101;

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

/** Cut `octets` at every length, as a capture with a snaplen does and as a packet that ends early does; read everything each time. */
export function everyCut(octets: Uint8Array, linkType = ETHERNET): void {
  for (let length = 0; length < octets.length; length++)
    for (const wireLength of [length, octets.length]) readAll(dissect(octets.slice(0, length), { linkType, wireLength }));
}

/** Read every field and the Info text. */
export function readAll(frame: Frame): void {
  for (const fields of FIELDS.values()) eachValue(frame, fields, (raw, field) => valueText(field, raw));
  if (frame.info.includes('undefined') || frame.info.includes('NaN')) throw new Error(`#${frame.number}: ${frame.info}`);
}

/** Each octet set to a few telling values in turn; read everything each time. */
export function everyLie(octets: Uint8Array, from: number, linkType = ETHERNET): void {
  for (let at = from; at < octets.length; at++)
    for (const octet of [0, 1, 0x7f, 0x80, 0xff]) {
      const lying = octets.slice();
      lying[at] = octet;
      readAll(dissect(lying, { linkType }));
    }
}
