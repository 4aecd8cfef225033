/**
 * NFLOG: packets that a Linux netfilter rule logged, with what the kernel knows of them.
 *
 * LINKTYPE_NFLOG of the pcap link types; attributes as in linux/netfilter/nfnetlink_log.h.
 *
 *     0        1         2          4
 *     | family | version | resource | attributes …
 *     attribute: | length (2) | type (2) | value … | filled up to four octets
 *
 * The resource is in network order, lengths and types are in the order of the machine that captured.
 */
import { int32, many, string, uint8, uint16, uint32 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16, u16le } from '../core/octets.js';
import { type Dissect, etherTypes, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';

const HEADER_LENGTH = 4;
const ATTRIBUTE_HEADER = 4;
const FAMILY: Readonly<Record<number, string>> = { 0: 'AF_UNSPEC', 2: 'IP', 7: 'Bridge', 10: 'IPv6' };
const IPV4_FAMILY = 2;
const IPV6_FAMILY = 10;

const ATTRIBUTE: Readonly<Record<number, string>> = {
  1: 'Packet header',
  2: 'Mark',
  3: 'Timestamp',
  4: 'Input interface',
  5: 'Output interface',
  6: 'Physical input interface',
  7: 'Physical output interface',
  8: 'Hardware address',
  9: 'Payload',
  10: 'Prefix',
  11: 'User',
  12: 'Sequence number',
  13: 'Global sequence number',
  14: 'Group',
  15: 'Hardware type',
  16: 'Hardware header',
  17: 'Hardware header length',
};
const PAYLOAD = 9;

const fields = {
  family: uint8('nflog.family', 'Family', 0, { values: FAMILY }),
  version: uint8('nflog.version', 'Version', 1),
  resourceId: uint16('nflog.res_id', 'Resource id', 2),
  attributeLength: many(uint16('nflog.tlv_length', 'Length', { unit: 'bytes' })),
  attributeType: many(uint16('nflog.tlv_type', 'Type', { values: ATTRIBUTE })),
  protocolNumber: uint16('nflog.protocol', 'HW protocol', { base: 'hex' }),
  hook: uint8('nflog.hook', 'Netfilter hook', {
    values: { 0: 'PREROUTING', 1: 'LOCAL_IN', 2: 'FORWARD', 3: 'LOCAL_OUT', 4: 'POSTROUTING' },
  }),
  input: uint32('nflog.ifindex_indev', 'IFINDEX_INDEV'),
  output: uint32('nflog.ifindex_outdev', 'IFINDEX_OUTDEV'),
  physicalInput: uint32('nflog.ifindex_physindev', 'IFINDEX_PHYSINDEV'),
  physicalOutput: uint32('nflog.ifindex_physoutdev', 'IFINDEX_PHYSOUTDEV'),
  prefix: string('nflog.prefix', 'Prefix'),
  user: int32('nflog.uid', 'UID'),
};

/** Visit the attributes: type, and where the value stands. Each is at least its header, so the walk advances. */
function eachAttribute(l: Layer, visit: (type: number, from: number, to: number, length: number) => void): void {
  // The first length in the wrong order is far too large.
  const first = l.start + HEADER_LENGTH;
  const read = u16le(l.bytes, first) <= l.end - first && u16le(l.bytes, first) >= ATTRIBUTE_HEADER ? u16le : u16;
  for (let at = first; at + ATTRIBUTE_HEADER <= l.captured; ) {
    const length = read(l.bytes, at);
    if (length < ATTRIBUTE_HEADER) return;
    visit(read(l.bytes, at + 2) & 0x7fff, at + ATTRIBUTE_HEADER, Math.min(at + length, l.end), length);
    at += (length + 3) & ~3;
  }
}

/** An NFLOG header with its attributes. */
export class Nflog extends layer('nflog', 'Linux Netfilter NFLOG', fields) {
  override walk(tree: Tree): void {
    if (this.start + HEADER_LENGTH > this.captured) return;
    eachAttribute(this, (type, from, to, length) => {
      tree.heading(ATTRIBUTE[type] ?? `Attribute ${type}`, from - ATTRIBUTE_HEADER, length);
      tree.put(fields.attributeLength, length, from - 4, 2);
      tree.put(fields.attributeType, type, from - 2, 2);
      switch (to - from >= 4 || type === 10 ? type : 0) {
        case 1:
          tree.add(fields.protocolNumber, from);
          tree.add(fields.hook, from + 2);
          break;
        case 4:
          tree.add(fields.input, from);
          break;
        case 5:
          tree.add(fields.output, from);
          break;
        case 6:
          tree.add(fields.physicalInput, from);
          break;
        case 7:
          tree.add(fields.physicalOutput, from);
          break;
        case 10: {
          // A C string: its end is a zero.
          const zero = this.bytes.indexOf(0, from);
          tree.add(fields.prefix, from, Math.max(0, (zero >= from && zero < to ? zero : to) - from));
          break;
        }
        case 11:
          tree.add(fields.user, from);
          break;
      }
      tree.close();
    });
  }
  override summary(out: TextBuffer): void {
    out.text(FAMILY[this.bytes[this.start]!] ?? `address family ${this.bytes[this.start]!}`);
  }
}

export const dissectNflog: Dissect = (frame, start, end) => {
  const nflog = new Nflog(frame, start, end);
  if (!frame.add(nflog, HEADER_LENGTH)) return;
  const family = nflog.bytes[start];
  eachAttribute(nflog, (type, from, to) => {
    if (type !== PAYLOAD) return;
    const etherType = family === IPV4_FAMILY ? 0x0800 : family === IPV6_FAMILY ? 0x86dd : -1;
    if (etherType < 0 || !frame.tryDispatch(etherTypes, etherType, from, to)) frame.data(from, to);
  });
};

export const nflog: ProtocolEntry = { name: 'nflog', layers: [Nflog], dissect: dissectNflog, on: [linkTypes.at(239, dissectNflog)] };
