/**
 * VLAN tags: 802.1Q tags, provider tags (802.1ad, "QinQ") and backbone tags (802.1ah, "MAC in MAC").
 *
 * IEEE 802.1Q clauses 9.6 (tag control information) and 9.7 (I-TAG).
 *
 *     0                       2             4
 *     | priority, DEI, VLAN   | type/length | payload …
 *
 *     0                       4               10         16     18
 *     | priority, flags, ISID | destination   | source   | type | payload …
 */
import { bits, bytes, ether, expert, flag, uint16 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { type Dissect, etherTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectLengthPayload } from './ethernet.js';
import { dispatchEtherType, ETHERTYPE, MOST_LENGTH } from './ethertypes.js';
import { paddingBad, payloadEnd, walkTrailer } from './trailer.js';

const TAG_LENGTH = 4;

const PRIORITY: Readonly<Record<number, string>> = {
  0: 'Best Effort (default)',
  1: 'Background',
  2: 'Spare',
  3: 'Excellent Effort',
  4: 'Controlled Load',
  5: 'Video, < 100ms latency and jitter',
  6: 'Voice, < 10ms latency and jitter',
  7: 'Network Control',
};

const typeOf = (l: Layer): number => u16(l.bytes, l.start + 2);

const fields = {
  priority: bits('vlan.priority', 'Priority', 0, 16, 0xe000, { values: PRIORITY }),
  dropEligible: flag('vlan.dei', 'DEI', 0, 0x1000, 16, { flags: ['Eligible', 'Ineligible'] }),
  id: bits('vlan.id', 'ID', 0, 16, 0x0fff),
  type: uint16('vlan.etype', 'Type', 2, { base: 'hex', values: ETHERTYPE, when: (l) => typeOf(l) > MOST_LENGTH }),
  length: uint16('vlan.len', 'Length', 2, { unit: 'bytes', when: (l) => typeOf(l) <= MOST_LENGTH }),
  padding: bytes('eth.padding', 'Padding'),
  trailer: bytes('vlan.trailer', 'Trailer'),
  lengthPastEnd: expert('error', 'malformed', 'vlan.len.past_end', 'Length field value goes past the end of the payload', (l) => {
    return l.start + TAG_LENGTH <= l.captured && typeOf(l) <= MOST_LENGTH && l.start + TAG_LENGTH + typeOf(l) > l.end;
  }),
  paddingBad: paddingBad(),
};

/** `PRI: 0  DEI: 0  ID: 5`. */
function writeTag(out: TextBuffer, tag: number): void {
  out.ascii('PRI: ');
  out.number(tag >> 13);
  out.ascii('  DEI: ');
  out.number((tag >> 12) & 1);
  out.ascii('  ID: ');
  out.number(tag & 0x0fff);
}

/** An 802.1Q tag. */
export class Vlan extends layer('vlan', '802.1Q Virtual LAN', fields) {
  override get chain(): string {
    return this.start + TAG_LENGTH <= this.captured && typeOf(this) > MOST_LENGTH ? 'vlan:ethertype' : 'vlan';
  }

  override walk(tree: Tree): void {
    if (this.start + TAG_LENGTH > this.captured) return;
    const type = typeOf(this);
    const to = type > MOST_LENGTH ? payloadEnd(this, this.end) : Math.min(this.end, this.start + TAG_LENGTH + type);
    walkTrailer(tree, this, to, this.end, 0, fields);
  }

  override summary(out: TextBuffer): void {
    writeTag(out, u16(this.bytes, this.start));
  }
}

export const dissectVlan: Dissect = (frame, start, end) => {
  const vlan = new Vlan(frame, start, end);
  if (!frame.add(vlan, TAG_LENGTH)) return;
  const type = typeOf(vlan);
  if (type > MOST_LENGTH) dispatchEtherType(frame, type, start + TAG_LENGTH, end);
  else dissectLengthPayload(frame, start + TAG_LENGTH, Math.min(end, start + TAG_LENGTH + type));
};

/** The tag that a provider puts before the customer's. */
export class ProviderTag extends layer(
  'ieee8021ad',
  '802.1ad Provider Bridge',
  {
    priority: bits('ieee8021ad.priority', 'Priority', 0, 16, 0xe000, { values: PRIORITY }),
    dropEligible: bits('ieee8021ad.dei', 'DEI', 0, 16, 0x1000),
    id: bits('ieee8021ad.id', 'ID', 0, 16, 0x0fff),
    type: uint16('ieee8021ah.etype', 'Type', 2, { base: 'hex', values: ETHERTYPE }),
  },
  '802.1ad',
) {
  override get chain(): string {
    return 'ieee8021ad:ethertype';
  }
  override summary(out: TextBuffer): void {
    writeTag(out, u16(this.bytes, this.start));
  }
}

export const dissectProviderTag: Dissect = (frame, start, end) => {
  const tag = new ProviderTag(frame, start, end);
  if (!frame.add(tag, TAG_LENGTH)) return;
  dispatchEtherType(frame, typeOf(tag), start + TAG_LENGTH, end);
};

const BACKBONE_LENGTH = 18;
const WORD = 0x01000000;

const backboneFields = {
  priority: bits('ieee8021ah.priority', 'Priority', 0, 8, 0xe0, { values: PRIORITY }),
  drop: bits('ieee8021ah.drop', 'DROP', 0, 8, 0x10),
  noCustomerAddresses: bits('ieee8021ah.nca', 'NCA', 0, 8, 0x08),
  serviceId: bits('ieee8021ah.isid', 'I-SID', 0, 32, WORD - 1),
  destination: ether('ieee8021ah.cdst', 'C-Destination', 4),
  source: ether('ieee8021ah.csrc', 'C-Source', 10),
  type: uint16('ieee8021ah.etype', 'Type', 16, { base: 'hex', values: ETHERTYPE }),
  padding: bytes('eth.padding', 'Padding'),
  trailer: bytes('ieee8021ah.trailer', 'Trailer'),
  paddingBad: paddingBad(),
};

/** The tag of a backbone, with the addresses of the customer's frame after it. */
export class BackboneTag extends layer('ieee8021ah', '802.1ah Provider Backbone Bridge', backboneFields, '802.1ah') {
  override get chain(): string {
    return 'ieee8021ah:ethertype';
  }
  writeSource(out: TextBuffer): void {
    out.ether(this.bytes, this.start + 10);
  }
  writeDestination(out: TextBuffer): void {
    out.ether(this.bytes, this.start + 4);
  }
  override walk(tree: Tree): void {
    if (this.start + BACKBONE_LENGTH <= this.captured) walkTrailer(tree, this, payloadEnd(this, this.end), this.end, 0, backboneFields);
  }
  override summary(out: TextBuffer): void {
    out.ascii('PRI: ');
    out.number(this.bytes[this.start]! >> 5);
    out.ascii('  I-SID: ');
    out.number(this.serviceId);
  }
}

export const dissectBackboneTag: Dissect = (frame, start, end) => {
  const tag = new BackboneTag(frame, start, end);
  if (!frame.add(tag, BACKBONE_LENGTH)) return;
  frame.addressing = tag;
  const type = u16(tag.bytes, start + 16);
  if (type > MOST_LENGTH) dispatchEtherType(frame, type, start + BACKBONE_LENGTH, end);
  else dissectLengthPayload(frame, start + BACKBONE_LENGTH, Math.min(end, start + BACKBONE_LENGTH + type));
};

const VN_TAG_LENGTH = 6;

/** The tag between a switch and the virtual ports that it serves. */
export class VnTag extends layer(
  'vntag',
  'VN-Tag',
  {
    direction: bits('vntag.dir', 'Direction', 0, 8, 0x80, { values: { 0: 'To Bridge', 1: 'From Bridge' } }),
    pointer: bits('vntag.ptr', 'Pointer', 0, 8, 0x40, { values: { 0: 'vif_id', 1: 'vif_list_id' } }),
    destination: bits('vntag.dst', 'Destination', 0, 16, 0x3fff),
    looped: flag('vntag.looped', 'Looped', 2, 0x80),
    version: bits('vntag.version', 'Version', 2, 8, 0x30),
    source: bits('vntag.src', 'Source', 2, 16, 0x0fff),
    type: uint16('vntag.etype', 'Type', 4, { base: 'hex', values: ETHERTYPE }),
  },
  'VNTAG',
) {
  override summary(out: TextBuffer): void {
    out.ascii('Source: ');
    out.number(this.source);
    out.ascii('  Destination: ');
    out.number(this.destination);
  }
}

export const dissectVnTag: Dissect = (frame, start, end) => {
  const tag = new VnTag(frame, start, end);
  if (!frame.add(tag, VN_TAG_LENGTH)) return;
  const type = u16(tag.bytes, start + 4);
  if (type > MOST_LENGTH) dispatchEtherType(frame, type, start + VN_TAG_LENGTH, end);
  else dissectLengthPayload(frame, start + VN_TAG_LENGTH, Math.min(end, start + VN_TAG_LENGTH + type));
};

export const vnTag: ProtocolEntry = {
  name: 'vntag',
  layers: [VnTag],
  dissect: dissectVnTag,
  on: [etherTypes.at(0x8926, dissectVnTag)],
};

export const vlan: ProtocolEntry = {
  name: 'vlan',
  layers: [Vlan],
  dissect: dissectVlan,
  // 0x9100 and 0x9200: tags before 802.1ad gave them a number.
  on: [etherTypes.at([0x8100, 0x9100, 0x9200], dissectVlan)],
};

export const providerTag: ProtocolEntry = {
  name: 'ieee8021ad',
  layers: [ProviderTag],
  dissect: dissectProviderTag,
  on: [etherTypes.at(0x88a8, dissectProviderTag)],
};

export const backboneTag: ProtocolEntry = {
  name: 'ieee8021ah',
  layers: [BackboneTag],
  dissect: dissectBackboneTag,
  on: [etherTypes.at(0x88e7, dissectBackboneTag)],
};
