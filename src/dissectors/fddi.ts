/**
 * FDDI: frames of a fibre ring.
 *
 * ANSI X3.139 (MAC), RFC 1390 (IP over it). Captures of the old BPF kind have every octet of the addresses with its bits
 * in reverse.
 *
 *     0    1             7             13
 *     | fc | destination |   source    | LLC …
 */
import { bits, computed, type Field, uint8 } from '../core/field.js';
import { type Layer, layer } from '../core/layer.js';
import { type Dissect, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectLlc } from './llc.js';

const HEADER_LENGTH = 13;
/** Class, length and format bits of the frame control: asynchronous and synchronous LLC frames. */
const FORMAT = 0xf0;
const LLC_ASYNCHRONOUS = 0x50;
const LLC_SYNCHRONOUS = 0xd0;

const CLASS: Readonly<Record<number, string>> = {
  0: 'Void',
  4: 'SMT',
  5: 'Async LLC',
  8: 'Token',
  12: 'MAC',
  13: 'Sync LLC',
  6: 'Implementor',
};

/** An octet's bits from the other end. */
const REVERSED = Uint8Array.from({ length: 256 }, (_, octet) => {
  let reversed = 0;
  for (let i = 0; i < 8; i++) if (octet & (1 << i)) reversed |= 0x80 >> i;
  return reversed;
});

const addressAt = (l: Layer, offset: number): Uint8Array | undefined => {
  if (l.start + offset + 6 > l.captured) return undefined;
  return l.bytes.subarray(l.start + offset, l.start + offset + 6).map((octet) => REVERSED[octet]!);
};
const address = (name: string, label: string, offset: number): Field<string | undefined> =>
  computed('ether', name, label, (l) => addressAt(l, offset), { also: ['fddi.addr'] });

/** An FDDI header. */
export class Fddi extends layer('fddi', 'Fiber Distributed Data Interface', {
  frameControl: uint8('fddi.fc', 'Frame Control', 0, { base: 'hex' }),
  format: bits('fddi.fc.clf', 'Class/Length/Format', 0, 8, FORMAT, { base: 'hex', values: CLASS }),
  priority: bits('fddi.fc.prio', 'Priority', 0, 8, 0x07),
  destination: address('fddi.dst', 'Destination', 1),
  source: address('fddi.src', 'Source', 7),
}) {
  writeSource(out: TextBuffer): void {
    const octets = addressAt(this, 7);
    if (octets) out.ether(octets, 0);
  }
  writeDestination(out: TextBuffer): void {
    const octets = addressAt(this, 1);
    if (octets) out.ether(octets, 0);
  }
  override summary(out: TextBuffer): void {
    out.ascii(CLASS[this.bytes[this.start]! >> 4] ?? 'Unknown frame class');
    out.ascii(' frame');
  }
}

export const dissectFddi: Dissect = (frame, start, end) => {
  const fddi = new Fddi(frame, start, end);
  if (!frame.add(fddi, HEADER_LENGTH)) return;
  frame.addressing = fddi;
  const format = fddi.bytes[start]! & FORMAT;
  if (format === LLC_ASYNCHRONOUS || format === LLC_SYNCHRONOUS) dissectLlc(frame, start + HEADER_LENGTH, end);
  else frame.data(start + HEADER_LENGTH, end);
};

export const fddi: ProtocolEntry = { name: 'fddi', layers: [Fddi], dissect: dissectFddi, on: [linkTypes.at(10, dissectFddi)] };
