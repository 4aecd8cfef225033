/**
 * Ethernet: frames between two stations of one link.
 *
 * IEEE 802.3 (length and LLC; padding, FCS), Ethernet II (type).
 *
 *     0             6             12            14
 *     | destination |   source    | type/length | payload … | padding, trailer, FCS |
 */
import { bytes, ether, expert, flag, group, uint8, uint16, uint32 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer, type Tree, type TreeNode } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import type { Plain } from '../core/plain.js';
import { type Dissect, etherTypes, ipProtocols, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dispatchEtherType, ETHERTYPE, LEAST_TYPE, MOST_LENGTH } from './ethertypes.js';
import { dissectFabricPath, FABRIC_PATH } from './fabric-path.js';
import { dissectIsl, Isl, isIsl } from './isl.js';
import { dissectLlc } from './llc.js';
import { paddingBad, payloadEnd, walkTrailer } from './trailer.js';

const HEADER_LENGTH = 14;

const LG = { flags: ['Locally administered address', 'Globally unique address'] } as const;
const IG = { flags: ['Group address', 'Individual address'] } as const;

const NO_NODES: readonly TreeNode[] = [];

/** The type or length field. */
const typeOf = (l: Layer): number => u16(l.bytes, l.start + 12);
/** 0 is a length of nothing, which no station sends; it is taken for an unknown type. */
const isLength = (type: number): boolean => type > 0 && type <= MOST_LENGTH;
const isType = (type: number): boolean => type >= LEAST_TYPE || type === 0;
const GROUP_BIT = 0x01;
/** eth.fcs.status: what is known of a check sequence. */
const FCS_STATUS = { 0: 'Bad', 1: 'Good', 2: 'Unverified' };

const fields = {
  ...group(
    { destination: ether('eth.dst', 'Destination', 0, { also: ['eth.addr'] }) },
    {
      destinationLg: flag('eth.dst.lg', 'LG bit', 0, 0x020000, 24, { ...LG, also: ['eth.lg'] }),
      destinationIg: flag('eth.dst.ig', 'IG bit', 0, 0x010000, 24, { ...IG, also: ['eth.ig'] }),
    },
  ),
  ...group(
    { source: ether('eth.src', 'Source', 6, { also: ['eth.addr'] }) },
    {
      sourceLg: flag('eth.src.lg', 'LG bit', 6, 0x020000, 24, { ...LG, also: ['eth.lg'] }),
      sourceIg: flag('eth.src.ig', 'IG bit', 6, 0x010000, 24, { ...IG, also: ['eth.ig'] }),
    },
  ),
  type: uint16('eth.type', 'Type', 12, {
    base: 'hex',
    values: ETHERTYPE,
    when: (l) => isType(typeOf(l)),
    pure: [12, 14],
  }),
  length: uint16('eth.len', 'Length', 12, { unit: 'bytes', when: (l) => isLength(typeOf(l)), pure: [12, 14] }),
  invalidType: uint16('eth.invalid_lentype', 'Invalid length/type', 12, {
    base: 'hex',
    pure: [12, 14],
    when: (l) => typeOf(l) > MOST_LENGTH && typeOf(l) < LEAST_TYPE,
  }),
  padding: bytes('eth.padding', 'Padding'),
  trailer: bytes('eth.trailer', 'Trailer'),
  ...group(
    { fcs: uint32('eth.fcs', 'Frame check sequence', { base: 'hex' }) },
    { fcsStatus: uint8('eth.fcs.status', 'FCS Status', { values: FCS_STATUS }) },
  ),
  sourceGroup: expert('warn', 'protocol', 'eth.src_not_group', 'Source MAC must not be a group address: IEEE 802.3-2002, Section 3.2.3(b)'),
  lengthPastEnd: expert('error', 'malformed', 'eth.len.past_end', 'Length field value goes past the end of the payload'),
  paddingBad: paddingBad(),
};

/** A frame of a known type whose payload ends where the frame does, from a station: nothing to say beyond the header. */
function isBare(eth: Layer): boolean {
  const { frame } = eth;
  const next = frame.at(frame.at(1) === eth ? 2 : frame.layers.indexOf(eth) + 1);
  return (
    next !== undefined &&
    next.end === eth.end &&
    next.start === eth.start + HEADER_LENGTH &&
    next.bytes === eth.bytes &&
    isType(typeOf(eth)) &&
    (eth.bytes[eth.start + 6]! & GROUP_BIT) === 0 &&
    fcsLengthOf(eth) === undefined
  );
}

const plain: Plain = { when: (l) => l.start + HEADER_LENGTH <= l.captured && isBare(l), octets: HEADER_LENGTH };

/** An Ethernet header, with padding and frame check sequence where they were captured. */
export class Ethernet extends layer('eth', 'Ethernet', fields, 'Ethernet', plain) {
  override get chain(): string {
    return this.start + HEADER_LENGTH <= this.captured && isType(typeOf(this)) ? 'eth:ethertype' : 'eth';
  }
  writeSource(out: TextBuffer): void {
    out.ether(this.bytes, this.start + 6);
  }
  writeDestination(out: TextBuffer): void {
    out.ether(this.bytes, this.start);
  }

  /** Nearly every frame ends with its payload: nothing is walked, and no tree made, for those. */
  override get nodes(): readonly TreeNode[] {
    return this.plain ? NO_NODES : super.nodes;
  }

  private get plain(): boolean {
    const from = this.start + HEADER_LENGTH;
    if (from > this.captured || typeOf(this) < LEAST_TYPE || this.bytes[this.start + 6]! & GROUP_BIT) return false;
    return payloadEnd(this, from + payloadRoom(this)) === this.end;
  }

  override get bare(): boolean {
    return isBare(this);
  }

  override walk(tree: Tree): void {
    const from = this.start + HEADER_LENGTH;
    if (from > this.captured) return;
    const type = typeOf(this);
    const room = payloadRoom(this);
    let to = this.end;
    if (isLength(type)) {
      to = from + Math.min(type, room);
      if (type > room) tree.put(fields.lengthPastEnd, true, from - 2, 2);
    } else if (isType(type)) to = payloadEnd(this, from + room);
    if (this.bytes[this.start + 6]! & GROUP_BIT) tree.put(fields.sourceGroup, true, this.start + 6, 6);
    walkTrailer(tree, this, to, this.end, fcsLengthOf(this), fields);
  }

  override summary(out: TextBuffer): void {
    if (this.captured < this.start + 14) return out.ascii('header cut short');
    const type = typeOf(this);
    if (isType(type)) {
      out.ascii('Ethernet II, ');
      out.text(typeText(type));
    } else if (type > MOST_LENGTH) {
      out.ascii('Invalid length/type: 0x');
      out.hex(type, 4);
    } else out.ascii('IEEE 802.3 Ethernet');
  }
}

const typeText = (type: number): string => {
  const name = fields.type.nameOf(type);
  const hex = `0x${type.toString(16).padStart(4, '0')}`;
  return name === undefined ? `type ${hex}` : `${name} (${hex})`;
};

/** Octets of FCS at the end: 4, 0, or undefined when nobody knows. Inside another protocol only ISL keeps it. */
function fcsLengthOf(eth: Layer): number | undefined {
  const { frame } = eth;
  if (frame.at(1) === eth) return frame.interface_.fcsLength;
  const { layers } = frame;
  return layers[layers.indexOf(eth) - 1] instanceof Isl ? 4 : 0;
}

/** Octets between the header and an FCS that is known to be there. */
function payloadRoom(eth: Layer): number {
  const room = Math.max(0, eth.end - eth.start - HEADER_LENGTH);
  const fcs = fcsLengthOf(eth) ?? 0;
  return room >= fcs ? room - fcs : room;
}

export const dissectEthernet: Dissect = (frame, start, end) => {
  const eth = new Ethernet(frame, start, end);
  if (!frame.add(eth, HEADER_LENGTH, eth.captured - start)) return;
  const type = u16(eth.bytes, start + 12);
  // Two headers look like Ethernet's and are none.
  if (type === FABRIC_PATH) {
    frame.pop();
    return dissectFabricPath(frame, start, end);
  }
  if (type <= MOST_LENGTH && isIsl(eth.bytes, start)) {
    frame.pop();
    return dissectIsl(frame, start, end);
  }
  frame.addressing = eth;
  const outermost = frame.depth === 2;
  const stop = outermost && frame.interface_.fcsLength === undefined ? end : start + HEADER_LENGTH + payloadRoom(eth);
  if (type >= LEAST_TYPE) dispatchEtherType(frame, type, start + HEADER_LENGTH, stop);
  else if (isLength(type)) dissectLengthPayload(frame, start + HEADER_LENGTH, Math.min(stop, start + HEADER_LENGTH + type));
  else frame.data(start + HEADER_LENGTH, end);
};

/** What follows a length field: LLC, or Novell's raw IPX, which begins with a checksum of ffff. */
export function dissectLengthPayload(frame: Frame, start: number, end: number): void {
  if (start + 2 <= end && start + 2 <= frame.captured && u16(frame.bytes, start) === 0xffff) frame.data(start, end, 'IPX');
  else dissectLlc(frame, start, end);
}

export const ethernet: ProtocolEntry = {
  name: 'eth',
  layers: [Ethernet],
  dissect: dissectEthernet,
  // 0x6558: Transparent Ethernet Bridging (RFC 1701); IP protocol 143: RFC 8986.
  on: [linkTypes.at(1, dissectEthernet), etherTypes.at(0x6558, dissectEthernet), ipProtocols.at(143, dissectEthernet)],
};
