/**
 * Generic Network Virtualization Encapsulation.
 *
 * RFC 8926.
 *
 *     0                 1       2      4     7          8
 *     | version, length | flags | type | VNI | reserved | options … | payload …
 *     option: | class (2) | type (1) | reserved, length in units of 4 (1) | data … |
 */
import { bits, bytes, expert, flag, group, list, uint8, uint16, uint24 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16, u24 } from '../core/octets.js';
import { type Dissect, etherTypes, linkTypes, type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { ETHERTYPE } from './ethertypes.js';

const FIXED_LENGTH = 8;
const ETHERNET_BRIDGED = 0x6558;
const ETHERNET = 1;

/** Octets of all options. */
const optionsLength = (l: Layer): number => (l.bytes[l.start]! & 0x3f) * 4;

/** Ranges of option classes, as IANA gave them to organisations. */
const CLASSES: readonly (readonly [from: number, to: number, name: string])[] = [
  [0x0000, 0x00ff, 'Standard'],
  [0x0100, 0x0100, 'Linux'],
  [0x0101, 0x0101, 'Open vSwitch (OVS)'],
  [0x0102, 0x0102, 'Open Virtual Networking (OVN)'],
  [0x0103, 0x0103, 'In-band Network Telemetry (INT)'],
  [0x0104, 0x0104, 'VMware'],
  [0x0105, 0x010b, 'Amazon.com, Inc.'],
  [0x0110, 0x0113, 'Cisco Systems, Inc.'],
  [0x0114, 0x0115, 'Oracle Corporation'],
  [0x012c, 0x0131, 'Google LLC'],
  [0xff00, 0xffff, 'Experimental'],
];
const className = (value: number): string | undefined => CLASSES.find(([from, to]) => value >= from && value <= to)?.[2];

const option = {
  class: uint16('geneve.option.class', 'Class', { base: 'hex', values: className }),
  ...group(
    { type: uint8('geneve.option.type', 'Type', { base: 'hex' }) },
    { critical: flag('geneve.option.type.critical', 'Critical Option', undefined, 0x80) },
  ),
  flags: bits('geneve.option.flags', 'Flags', undefined, 8, 0xe0, { base: 'hex' }),
  length: uint8('geneve.option.length', 'Length', { unit: 'bytes' }),
  invalidLength: expert('warn', 'protocol', 'geneve.option.length.invalid', 'Invalid length for option'),
  data: bytes('geneve.option.unknown.data', 'Unknown Option Data'),
};
const options = list('geneve.option', 'Options', option);

const rows = {
  version: bits('geneve.version', 'Version', 0, 8, 0xc0),
  unknownVersion: expert(
    'warn',
    'protocol',
    'geneve.version.unknown',
    'Unknown version',
    (l) => l.start < l.captured && l.bytes[l.start]! >> 6 !== 0,
  ),
  ...group(
    { flags: uint8('geneve.flags', 'Flags', 1, { base: 'hex' }) },
    {
      oam: flag('geneve.flags.oam', 'Operations, Administration and Management Frame', 1, 0x80),
      critical: flag('geneve.flags.critical', 'Critical Options Present', 1, 0x40),
      reservedFlags: flag('geneve.flags.reserved', 'Reserved', 1, 0x3f),
    },
  ),
  type: uint16('geneve.proto_type', 'Protocol Type', 2, {
    base: 'hex',
    values: { ...ETHERTYPE, [ETHERNET_BRIDGED]: 'Transparent Ethernet bridging' },
  }),
  network: uint24('geneve.vni', 'Virtual Network Identifier (VNI)', 4, { base: 'hex' }),
  reserved: uint8('geneve.reserved', 'Reserved', 7, { base: 'hex' }),
  optionOctets: bytes('geneve.options', 'Geneve Options', FIXED_LENGTH, optionsLength, {
    quiet: true,
    when: (l: Layer) => l.start < l.captured && optionsLength(l) > 0,
  }),
  options,
};

/** A Geneve header with its options. */
export class Geneve extends layer('geneve', 'Generic Network Virtualization Encapsulation', rows, 'Geneve') {
  override walk(tree: Tree): void {
    const { bytes: b, start } = this;
    const end = Math.min(start + FIXED_LENGTH + optionsLength(this), this.captured);
    // Each option takes four octets at least.
    for (let at = start + FIXED_LENGTH; at + 4 <= end; ) {
      const size = 4 + (b[at + 3]! & 0x1f) * 4;
      tree.item(options, at, size, `${className(u16(b, at)) ?? 'Unknown'}, type 0x${(b[at + 2]! & 0x7f).toString(16).padStart(2, '0')}`);
      tree.add(option.class, at);
      tree.open(option.type, at + 2);
      tree.add(option.critical, at + 2, 1);
      tree.close();
      tree.add(option.flags, at + 3, 1);
      tree.put(option.length, size, at + 3, 1);
      if (at + size > end) tree.put(option.invalidLength, true, at + 3, 1);
      else if (size > 4) tree.add(option.data, at + 4, size - 4);
      tree.close();
      at += size;
    }
  }

  override summary(out: TextBuffer): void {
    const type = u16(this.bytes, this.start + 2);
    out.ascii('Encapsulated ');
    out.text(type === ETHERNET_BRIDGED ? 'Transparent Ethernet bridging' : (ETHERTYPE[type] ?? `0x${type.toString(16).padStart(4, '0')}`));
    out.ascii(', network ');
    out.number(u24(this.bytes, this.start + 4));
  }
}

export const dissectGeneve: Dissect = (frame, start, end) => {
  const geneve = new Geneve(frame, start, end);
  if (!frame.add(geneve, FIXED_LENGTH)) return;
  if (geneve.bytes[start]! >> 6 !== 0) return;
  const header = FIXED_LENGTH + optionsLength(geneve);
  if (!frame.require(geneve, header)) return;
  const type = u16(geneve.bytes, start + 2);
  if (type !== ETHERNET_BRIDGED) frame.dispatch(etherTypes, type, start + header, end);
  else if (!frame.tryDispatch(linkTypes, ETHERNET, start + header, end)) frame.data(start + header, end);
};

export const geneve: ProtocolEntry = { name: 'geneve', layers: [Geneve], dissect: dissectGeneve, on: [udpPorts.at(6081, dissectGeneve)] };
