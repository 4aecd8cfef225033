/**
 * Network Service Header: which path through a chain of services (firewall, balancer) a packet takes.
 *
 * RFC 8300 sections 2.2 (base header), 2.3 (service path header), 2.4 and 2.5 (metadata of type 1 and 2).
 *
 *     0                     2         3      4              7       8
 *     | v, O, TTL, length   | MD type | next | service path | index | metadata … | payload …        length in fours
 */
import { bits, bytes, expert, group, list, many, uint8, uint16, uint24 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16, u24 } from '../core/octets.js';
import { type Dissect, etherTypes, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';

const NSH = 0x894f;
const FIXED_LENGTH = 8;
const ETHERNET = 1;
/** Metadata of four words of no declared meaning. */
const FIXED_METADATA = 1;
/** Metadata of elements with a class, a type and a length. */
const VARIABLE_METADATA = 2;

/** Octets of the header with its metadata. */
const headerLength = (l: Layer): number => (l.bytes[l.start + 1]! & 0x3f) * 4;

const NEXT: Readonly<Record<number, string>> = {
  1: 'IPv4',
  2: 'IPv6',
  3: 'Ethernet',
  4: 'NSH',
  5: 'MPLS',
  254: 'Experiment 1',
  255: 'Experiment 2',
};
/** EtherTypes of what may follow. */
const NEXT_TYPE: Readonly<Record<number, number>> = { 1: 0x0800, 2: 0x86dd, 4: NSH, 5: 0x8847 };

const metadata = {
  class: uint16('nsh.metadataclass', 'TLV Class'),
  type: uint8('nsh.metadatatype', 'Type'),
  ...group(
    { unassigned: bits('nsh.metadataunassignedbit', 'Unassigned Bit', undefined, 8, 0x80, { base: 'hex' }) },
    { length: bits('nsh.metadatalen', 'Length', undefined, 8, 0x7f, { base: 'hex' }) },
  ),
  value: bytes('nsh.metadata', 'Variable Metadata'),
};
const elements = list('netlens.nsh.metadata', 'Metadata', metadata);

const fields = {
  version: bits('nsh.version', 'Version', 0, 16, 0xc000),
  oam: bits('nsh.Obit', 'O Bit', 0, 16, 0x2000),
  critical: bits('nsh.CBit', 'C Bit', 0, 16, 0x1000),
  ttl: bits('nsh.ttl', 'Time to live', 0, 16, 0x0fc0, { base: 'hex' }),
  length: bits('nsh.length', 'Length', 0, 16, 0x003f, { unit: '* 4 bytes' }),
  invalidLength: expert(
    'warn',
    'protocol',
    'nsh.length.invalid',
    'Invalid total length',
    (l) => l.start + 2 <= l.captured && headerLength(l) < FIXED_LENGTH,
  ),
  metadataType: uint8('nsh.mdtype', 'MD Type', 2),
  next: uint8('nsh.nextproto', 'Next Protocol', 3, { values: NEXT }),
  path: uint24('nsh.spi', 'SPI', 4),
  index: uint8('nsh.si', 'SI', 7),
  context: many(bytes('nsh.contextheader', 'Context Header')),
  elements,
};

/** A network service header with its metadata. */
export class Nsh extends layer('nsh', 'Network Service Header', fields) {
  override walk(tree: Tree): void {
    const { bytes: b, start } = this;
    if (start + FIXED_LENGTH > this.captured) return;
    const end = Math.min(start + headerLength(this), this.captured);
    const kind = b[start + 2]!;
    if (kind === FIXED_METADATA) for (let at = start + FIXED_LENGTH; at + 4 <= end; at += 4) tree.add(fields.context, at, 4);
    if (kind !== VARIABLE_METADATA) return;
    // Each element takes four octets at least; its value is filled up to four.
    for (let at = start + FIXED_LENGTH; at + 4 <= end; ) {
      const length = b[at + 3]! & 0x7f;
      tree.item(elements, at, 4 + length, `class 0x${u16(b, at).toString(16).padStart(4, '0')}, type ${b[at + 2]}`);
      tree.add(metadata.class, at);
      tree.add(metadata.type, at + 2);
      tree.add(metadata.unassigned, at + 3, 1);
      tree.add(metadata.length, at + 3, 1);
      if (length > 0 && at + 4 + length <= end) tree.add(metadata.value, at + 4, length);
      tree.close();
      at += 4 + ((length + 3) & ~3);
    }
  }

  override summary(out: TextBuffer): void {
    out.ascii('Service path ');
    out.number(u24(this.bytes, this.start + 4));
    out.ascii(', index ');
    out.number(this.bytes[this.start + 7]!);
  }
}

export const dissectNsh: Dissect = (frame, start, end) => {
  const nsh = new Nsh(frame, start, end);
  if (!frame.add(nsh, FIXED_LENGTH)) return;
  const header = headerLength(nsh);
  if (header < FIXED_LENGTH) return frame.malformed(nsh, FIXED_LENGTH);
  if (!frame.require(nsh, header)) return;
  const next = nsh.bytes[start + 3]!;
  const type = NEXT_TYPE[next];
  const from = start + header;
  if (type !== undefined) frame.dispatch(etherTypes, type, from, end);
  else if (next !== 3 || !frame.tryDispatch(linkTypes, ETHERNET, from, end)) frame.data(from, end);
};

export const nsh: ProtocolEntry = { name: 'nsh', layers: [Nsh], dissect: dissectNsh, on: [etherTypes.at(NSH, dissectNsh)] };
