/**
 * IEEE 802.11: frames of a wireless LAN.
 *
 * IEEE 802.11-2020 clauses 9.2 (format), 9.3 (data, control and management frames), 9.4 (bodies).
 *
 *     0         2          4        10       16       22         24
 *     | control | duration | addr 1 | addr 2 | addr 3 | sequence | addr 4 | QoS | HT | body … | FCS |
 *
 * Numbers have the least significant octet first. Which address means what depends on the type and on the two bits that
 * tell whether a frame goes to or comes from the distribution system.
 */
import { bits, bytes, computed, ether, flag, frameNumber, group, list, many, mark, uint8, uint16, uint32, uint64 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { latin1Of, textOf, u16, u16le } from '../core/octets.js';
import { type Dissect, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectLlc } from './llc.js';

const MANAGEMENT = 0;
const CONTROL = 1;
const DATA = 2;
/** Octets of every frame: frame control, duration, receiver. */
const LEAST_HEADER = 10;
const ADDRESSED_HEADER = 24;
const FCS_LENGTH = 4;

/** Names by type and subtype, `type << 4 | subtype`. */
const KIND: Readonly<Record<number, string>> = {
  0: 'Association Request',
  1: 'Association Response',
  2: 'Reassociation Request',
  3: 'Reassociation Response',
  4: 'Probe Request',
  5: 'Probe Response',
  6: 'Timing Advertisement',
  8: 'Beacon frame',
  9: 'ATIM',
  10: 'Disassociate',
  11: 'Authentication',
  12: 'Deauthentication',
  13: 'Action',
  14: 'Action No Ack',
  18: 'Trigger',
  19: 'TACK',
  20: 'Beamforming Report Poll',
  21: 'VHT/HE/EHT/RANGING NDP Announcement',
  22: 'Control Frame Extension',
  23: 'Control Wrapper',
  24: '802.11 Block Ack Req',
  25: '802.11 Block Ack',
  26: 'Power-Save poll',
  27: 'Request-to-send',
  28: 'Clear-to-send',
  29: 'Acknowledgement',
  30: 'CF-End (Control-frame)',
  31: 'CF-End + CF-Ack (Control-frame)',
  32: 'Data',
  33: 'Data + CF-Ack',
  34: 'Data + CF-Poll',
  35: 'Data + CF-Ack + CF-Poll',
  36: 'Null function (No data)',
  37: 'Acknowledgement (No data)',
  38: 'CF-Poll (No data)',
  39: 'CF-Ack/Poll (No data)',
  40: 'QoS Data',
  41: 'QoS Data + CF-Acknowledgment',
  42: 'QoS Data + CF-Poll',
  43: 'QoS Data + CF-Ack + CF-Poll',
  44: 'QoS Null function (No data)',
  46: 'QoS CF-Poll (No Data)',
  47: 'QoS CF-Ack + CF-Poll (No data)',
};
const TYPE = { 0: 'Management frame', 1: 'Control frame', 2: 'Data frame', 3: 'Extension frame' };

const BLOCK_ACK_REQUEST = 0x18;
const POWER_SAVE_POLL = 0x1a;
const REQUEST_TO_SEND = 0x1b;
const CF_END = 0x1e;
const CF_END_ACK = 0x1f;

const ELEMENT: Readonly<Record<number, string>> = {
  0: 'SSID parameter set',
  1: 'Supported Rates',
  3: 'DS Parameter set',
  4: 'CF Parameter Set',
  5: 'Traffic Indication Map (TIM)',
  6: 'IBSS Parameter Set',
  7: 'Country Information',
  11: 'QBSS Load Element',
  16: 'Challenge text',
  32: 'Power Constraint',
  33: 'Power Capability',
  35: 'TPC Report',
  36: 'Supported Channels',
  37: 'Channel Switch Announcement',
  42: 'ERP Information',
  45: 'HT Capabilities',
  46: 'QoS Capability',
  48: 'RSN Information',
  50: 'Extended Supported Rates',
  54: 'Mobility Domain',
  61: 'HT Information',
  70: 'RM Enabled Capabilities',
  74: 'Overlapping BSS Scan Parameters',
  107: 'Interworking',
  114: 'Mesh ID',
  127: 'Extended Capabilities',
  191: 'VHT Capabilities',
  192: 'VHT Operation',
  195: 'VHT Tx Power Envelope',
  221: 'Vendor Specific',
  255: 'Element ID Extension',
};
const SSID = 0;
const RATES = 1;
const CHANNEL = 3;

/** Octets of fixed parameters before the elements, by management subtype. */
const FIXED_LENGTH: Readonly<Record<number, number>> = { 0: 4, 1: 6, 2: 10, 3: 6, 4: 0, 5: 12, 8: 12, 10: 2, 11: 6, 12: 2 };

/** Where the octet of the type stands, and that of the flags: some controllers exchange the two. */
const typeAt = (l: Layer): number => ((l as Layer & { readonly swapped: boolean }).swapped ? 1 : 0);
const flagsAt = (l: Layer): number => 1 - typeAt(l);
const typeOctet = (l: Layer): number => l.bytes[l.start + typeAt(l)]!;
const typeOf = (l: Layer): number => (typeOctet(l) >> 2) & 3;
const kindOf = (l: Layer): number => (typeOf(l) << 4) | (typeOctet(l) >> 4);
const flagsOf = (l: Layer): number => l.bytes[l.start + flagsAt(l)]!;
const TO_DS = 0x01;
const FROM_DS = 0x02;
const MORE_FRAGMENTS = 0x04;
const RETRY = 0x08;
const PROTECTED = 0x40;
const FRAGMENT_NUMBER = 0x000f;
const NO_FRAMES: readonly number[] = [];
const ORDER = 0x80;
const hasQos = (l: Layer): boolean => typeOf(l) === DATA && (typeOctet(l) & 0x80) !== 0;
const hasData = (l: Layer): boolean => typeOf(l) === DATA && (typeOctet(l) & 0x40) === 0;
const fourAddresses = (l: Layer): boolean => typeOf(l) === DATA && (flagsOf(l) & 3) === 3;
const sequenced = (l: Layer): boolean => typeOf(l) !== CONTROL && typeOf(l) !== 3 && l.start + ADDRESSED_HEADER <= l.captured;
const qosAt = (l: Layer): number => (fourAddresses(l) ? 30 : 24);
const qos = (l: Layer): boolean => hasQos(l) && l.start + qosAt(l) + 2 <= l.captured;

/** Octets of the header. */
function headerLength(l: Layer): number {
  const type = typeOf(l);
  const kind = kindOf(l);
  if (type === MANAGEMENT) return ADDRESSED_HEADER + (flagsOf(l) & ORDER ? 4 : 0);
  if (type === DATA) return qosAt(l) + (hasQos(l) ? 2 + (flagsOf(l) & ORDER ? 4 : 0) : 0);
  return transmitterInControl(kind) ? 16 : LEAST_HEADER;
}

const transmitterInControl = (kind: number): boolean =>
  kind === 0x12 ||
  kind === 0x14 ||
  kind === 0x15 ||
  (kind >= BLOCK_ACK_REQUEST && kind <= REQUEST_TO_SEND) ||
  kind === CF_END ||
  kind === CF_END_ACK;

/** Offset of an address by what it means, or -1. */
const transmitterAt = (l: Layer): number =>
  typeOf(l) === CONTROL ? (transmitterInControl(kindOf(l)) && kindOf(l) < CF_END ? 10 : -1) : typeOf(l) === 3 ? -1 : 10;
function destinationAt(l: Layer): number {
  if (typeOf(l) === MANAGEMENT) return 4;
  if (typeOf(l) !== DATA) return -1;
  return flagsOf(l) & TO_DS ? 16 : 4;
}
function sourceAt(l: Layer): number {
  if (typeOf(l) === MANAGEMENT) return 10;
  if (typeOf(l) !== DATA) return -1;
  return (flagsOf(l) & FROM_DS) === 0 ? 10 : flagsOf(l) & TO_DS ? 24 : 16;
}
function bssidAt(l: Layer): number {
  const kind = kindOf(l);
  if (typeOf(l) === MANAGEMENT) return 16;
  if (kind === POWER_SAVE_POLL) return 4;
  if (kind === CF_END || kind === CF_END_ACK) return 10;
  if (typeOf(l) !== DATA) return -1;
  return [16, 4, 10, -1][flagsOf(l) & 3]!;
}

const address = (name: string, label: string, at: (l: Layer) => number) =>
  ether(name, label, at, { also: ['wlan.addr'], when: (l: Layer) => l.start + 2 <= l.captured && at(l) >= 0 });

const LITTLE = { little: true } as const;
const FCS_STATUS = { 0: 'Bad', 1: 'Good', 2: 'Unverified' };

const tagRows = {
  number: uint8('wlan.tag.number', 'Tag Number', { values: ELEMENT }),
  length: uint8('wlan.tag.length', 'Tag length', { unit: 'bytes' }),
  ssid: bytes('wlan.ssid', 'SSID'),
  rates: many(uint8('wlan.supported_rates', 'Supported Rates', { base: 'hex' })),
  channel: uint8('wlan.ds.current_channel', 'Current Channel'),
  data: bytes('wlan.tag.data', 'Tag Data'),
};

const fields = {
  kind: computed('uint16', 'wlan.fc.type_subtype', 'Type/Subtype', (l) => (l.start < l.captured ? kindOf(l) : undefined), {
    base: 'hex',
    values: KIND,
  }),
  ...group(
    { frameControl: uint16('wlan.fc', 'Frame Control Field', 0, { base: 'hex' }) },
    {
      version: bits('wlan.fc.version', 'Version', typeAt, 8, 0x03),
      type: bits('wlan.fc.type', 'Type', typeAt, 8, 0x0c, { values: TYPE }),
      subtype: bits('wlan.fc.subtype', 'Subtype', typeAt, 8, 0xf0),
      ds: bits('wlan.fc.ds', 'DS status', flagsAt, 8, 0x03, { base: 'hex' }),
      toDs: flag('wlan.fc.tods', 'To DS', flagsAt, TO_DS),
      fromDs: flag('wlan.fc.fromds', 'From DS', flagsAt, FROM_DS),
      moreFragments: flag('wlan.fc.frag', 'More Fragments', flagsAt, MORE_FRAGMENTS),
      retry: flag('wlan.fc.retry', 'Retry', flagsAt, RETRY),
      powerManagement: flag('wlan.fc.pwrmgt', 'PWR MGT', flagsAt, 0x10),
      moreData: flag('wlan.fc.moredata', 'More Data', flagsAt, 0x20),
      protected: flag('wlan.fc.protected', 'Protected flag', flagsAt, PROTECTED),
      order: flag('wlan.fc.order', '+HTC/Order flag', flagsAt, ORDER),
    },
  ),
  duration: bits('wlan.duration', 'Duration', 2, 16, 0x7fff, {
    ...LITTLE,
    unit: 'microseconds',
    when: (l) => l.start + 4 <= l.captured && (u16le(l.bytes, l.start + 2) & 0x8000) === 0,
  }),
  associationId: bits('wlan.aid', 'Association ID', 2, 16, 0x3fff, {
    ...LITTLE,
    when: (l) => l.start < l.captured && kindOf(l) === POWER_SAVE_POLL,
  }),
  receiver: address('wlan.ra', 'Receiver address', () => 4),
  transmitter: address('wlan.ta', 'Transmitter address', transmitterAt),
  destination: address('wlan.da', 'Destination address', destinationAt),
  source: address('wlan.sa', 'Source address', sourceAt),
  bssid: address('wlan.bssid', 'BSS Id', bssidAt),
  fragment: bits('wlan.frag', 'Fragment number', 22, 16, FRAGMENT_NUMBER, { ...LITTLE, when: sequenced }),
  sequence: bits('wlan.seq', 'Sequence number', 22, 16, 0xfff0, { ...LITTLE, when: sequenced }),
  ...group(
    { qos: uint16('wlan.qos', 'Qos Control', qosAt, { ...LITTLE, base: 'hex', when: qos }) },
    {
      trafficId: bits('wlan.qos.tid', 'TID', qosAt, 16, 0x000f, { ...LITTLE, when: qos }),
      priority: bits('wlan.qos.priority', 'Priority', qosAt, 16, 0x0007, { ...LITTLE, when: qos }),
      ackPolicy: bits('wlan.qos.ack', 'Ack Policy', qosAt, 16, 0x0060, { ...LITTLE, base: 'hex', when: qos }),
      aggregated: flag('wlan.qos.amsdupresent', 'Payload Type', qosAt, 0x0080, 16, {
        ...LITTLE,
        when: qos,
        flags: ['A-MSDU', 'MSDU'],
      }),
    },
  ),
  ...group(
    { fragments: mark('wlan.fragments', '802.11 Fragments') },
    {
      fragmentFrame: many(frameNumber('wlan.fragment', '802.11 Fragment')),
      fragmentCount: uint32('wlan.fragment.count', '802.11 Fragment count'),
      reassembledLength: uint32('wlan.reassembled.length', 'Reassembled 802.11 length'),
    },
  ),
  timestamp: uint64('wlan.fixed.timestamp', 'Timestamp', LITTLE),
  beaconInterval: uint16('wlan.fixed.beacon', 'Beacon Interval', LITTLE),
  capabilities: uint16('wlan.fixed.capabilities', 'Capabilities Information', { ...LITTLE, base: 'hex' }),
  privacy: flag('wlan.fixed.capabilities.privacy', 'Privacy', undefined, 0x0010, 16, LITTLE),
  listenInterval: uint16('wlan.fixed.listen_ival', 'Listen Interval', { ...LITTLE, base: 'hex' }),
  authentication: uint16('wlan.fixed.auth.alg', 'Authentication Algorithm', {
    ...LITTLE,
    values: { 0: 'Open System', 1: 'Shared key', 2: 'Fast BSS Transition', 3: 'Simultaneous Authentication of Equals (SAE)' },
  }),
  authenticationSequence: uint16('wlan.fixed.auth_seq', 'Authentication SEQ', { ...LITTLE, base: 'hex' }),
  status: uint16('wlan.fixed.status_code', 'Status code', { ...LITTLE, base: 'hex' }),
  reason: uint16('wlan.fixed.reason_code', 'Reason code', { ...LITTLE, base: 'hex' }),
  assignedId: bits('wlan.fixed.aid', 'Association ID', undefined, 16, 0x3fff, LITTLE),
  elements: list('wlan.tag', 'Tag', tagRows),
  ...group(
    { fcs: uint32('wlan.fcs', 'Frame check sequence', { ...LITTLE, base: 'hex' }) },
    { fcsStatus: uint8('wlan.fcs.status', 'FCS Status', { values: FCS_STATUS }) },
  ),
};

/** An IEEE 802.11 header, with the body of management frames. */
export class Wlan extends layer('wlan', 'IEEE 802.11', fields, '802.11') {
  /** 4 when a frame check sequence ends the frame, else 0; set when the layer is made. */
  declare fcsLength: number;
  /** The two octets of the frame control field stand the other way round. */
  swapped = false;
  /** The frames whose fragments this one completes, and the octets of all. */
  fragmentFrames: readonly number[] = NO_FRAMES;
  reassembled = 0;

  writeSource(out: TextBuffer): void {
    const at = sourceAt(this) >= 0 ? sourceAt(this) : transmitterAt(this);
    if (at >= 0 && this.start + at + 6 <= this.captured) out.ether(this.bytes, this.start + at);
  }
  writeDestination(out: TextBuffer): void {
    const at = Math.max(4, destinationAt(this));
    if (this.start + at + 6 <= this.captured) out.ether(this.bytes, this.start + at);
  }

  override walk(tree: Tree): void {
    if (this.start + 2 > this.captured) return;
    const end = Math.min(this.end - this.fcsLength, this.captured);
    if (this.fragmentFrames.length > 0) {
      tree.openPut(fields.fragments, true);
      for (const number of this.fragmentFrames) tree.put(fields.fragmentFrame, number);
      tree.put(fields.fragmentCount, this.fragmentFrames.length);
      tree.put(fields.reassembledLength, this.reassembled);
      tree.close();
    }
    if (typeOf(this) === MANAGEMENT && (flagsOf(this) & PROTECTED) === 0) this.walkManagement(tree, this.start + headerLength(this), end);
    if (this.fcsLength > 0 && tree.add(fields.fcs, this.end - FCS_LENGTH)) tree.put(fields.fcsStatus, 2, this.end - FCS_LENGTH, FCS_LENGTH);
  }

  /** The fixed parameters of the subtype, then its elements. */
  private walkManagement(tree: Tree, start: number, end: number): void {
    const subtype = kindOf(this);
    const fixed = FIXED_LENGTH[subtype];
    if (fixed === undefined || start + fixed > end) return;
    const capabilities = (at: number): void => {
      tree.word(fields.capabilities, at, [fields.privacy]);
    };
    switch (subtype) {
      case 0:
      case 2:
        capabilities(start);
        tree.add(fields.listenInterval, start + 2);
        break;
      case 1:
      case 3:
        capabilities(start);
        tree.add(fields.status, start + 2);
        tree.add(fields.assignedId, start + 4);
        break;
      case 5:
      case 8:
        tree.add(fields.timestamp, start);
        tree.add(fields.beaconInterval, start + 8);
        capabilities(start + 10);
        break;
      case 10:
      case 12:
        tree.add(fields.reason, start);
        break;
      case 11:
        tree.add(fields.authentication, start);
        tree.add(fields.authenticationSequence, start + 2);
        tree.add(fields.status, start + 4);
        break;
    }
    // Each element is at least two octets, so the walk advances.
    for (let at = start + fixed; at + 2 <= end; ) {
      const number = this.bytes[at]!;
      const length = this.bytes[at + 1]!;
      if (at + 2 + length > end) return;
      tree.item(fields.elements, at, 2 + length, ELEMENT[number] ?? `Tag ${number}`);
      tree.add(tagRows.number, at);
      tree.add(tagRows.length, at + 1);
      if (number === SSID) tree.add(tagRows.ssid, at + 2, length);
      else if (number === RATES) for (let i = 0; i < length; i++) tree.add(tagRows.rates, at + 2 + i);
      else if (number === CHANNEL && length === 1) tree.add(tagRows.channel, at + 2);
      else if (length > 0) tree.add(tagRows.data, at + 2, length);
      tree.close();
      at += 2 + length;
    }
  }

  override summary(out: TextBuffer): void {
    if (this.start + 2 > this.captured) return;
    const kind = kindOf(this);
    out.ascii(KIND[kind] ?? 'Unrecognized (Reserved frame)');
    if (sequenced(this)) {
      const control = u16le(this.bytes, this.start + 22);
      out.ascii(', SN=');
      out.number(control >> 4);
      out.ascii(', FN=');
      out.number(control & 15);
    }
    out.ascii(', Flags=');
    const flags = flagsOf(this);
    for (let bit = 0x80, i = 0; bit > 0; bit >>= 1, i++) out.ascii(flags & bit ? 'opmPRMFT'[i]! : '.');
    if (this.fcsLength > 0) out.byte(0x43);
    for (const { field, value, start, end } of this.nodes) {
      if (field === fields.beaconInterval) {
        out.ascii(', BI=');
        out.number(value as number);
      } else if (field === tagRows.ssid) {
        if (start === end) out.ascii(', SSID=Wildcard (Broadcast)');
        else out.text(`, SSID="${textOf(this.bytes, start, end)}"`);
      }
    }
  }
}

const subframeRows = {
  destination: ether('wlan.da', 'Destination address', 0),
  source: ether('wlan.sa', 'Source address', 6),
  length: uint16('wlan_aggregate.a_mdsu.length', 'A-MSDU Length', 12, { unit: 'bytes' }),
};

/** One of several payloads in an aggregated data frame. IEEE 802.11-2020 section 9.3.2.2. */
export class AggregateSubframe extends layer('wlan_aggregate', 'IEEE 802.11 wireless LAN aggregate frame', subframeRows, '802.11') {
  override summary(out: TextBuffer): void {
    out.ascii('A-MSDU subframe');
  }
}

const SUBFRAME_HEADER = 14;

/** Every subframe is at least its header, so the walk advances. */
function dissectAggregate(frame: Frame, start: number, end: number): void {
  const stop = Math.min(end, frame.captured);
  for (let at = start; at + SUBFRAME_HEADER <= stop; ) {
    const length = u16(frame.bytes, at + 12);
    const subframe = new AggregateSubframe(frame, at, Math.min(end, at + SUBFRAME_HEADER + length));
    if (!frame.add(subframe, SUBFRAME_HEADER) || length === 0) return;
    dissectLlc(frame, at + SUBFRAME_HEADER, subframe.end);
    // Each but the last is filled up to four octets.
    at += (SUBFRAME_HEADER + length + 3) & ~3;
  }
}

/**
 * An 802.11 frame. `fcsLength`: octets of FCS at its end; `padded`: the header is filled up to four octets, as some
 * drivers hand it on; `swapped`: the octets of the frame control field are exchanged.
 */
export function dissectWlanFrame(frame: Frame, start: number, end: number, fcsLength: number, padded: boolean, swapped = false): void {
  const wlan = new Wlan(frame, start, end);
  wlan.swapped = swapped;
  wlan.fcsLength = end - start > fcsLength ? fcsLength : 0;
  if (!frame.add(wlan, LEAST_HEADER)) return;
  frame.addressing = wlan;
  const header = headerLength(wlan);
  if (!frame.require(wlan, header)) return;
  if (!hasData(wlan)) return;
  const from = start + (padded ? (header + 3) & ~3 : header);
  const to = end - wlan.fcsLength;
  if (from >= to) return;
  // What is encrypted cannot be read.
  if (flagsOf(wlan) & PROTECTED) frame.data(from, to);
  // Where the octets of the control field are exchanged, those of the sequence control may be, too; such frames were put
  // together before they were handed on.
  else if (!swapped && (flagsOf(wlan) & MORE_FRAGMENTS || u16le(wlan.bytes, start + 22) & FRAGMENT_NUMBER))
    dissectFragment(frame, wlan, from, to);
  else if (qos(wlan) && u16le(wlan.bytes, start + qosAt(wlan)) & 0x80) dissectAggregate(frame, from, to);
  else dissectLlc(frame, from, to);
}

/** A fragment: put it to the others, or, if that is not to be, show what the first one begins. */
function dissectFragment(frame: Frame, wlan: Wlan, from: number, to: number): void {
  const { bytes: b, start } = wlan;
  const control = u16le(b, start + 22);
  const number = control & FRAGMENT_NUMBER;
  const { linkFragment } = frame.session.hooks;
  if (linkFragment === undefined) {
    if (number > 0) return frame.data(from, to);
    const outer = frame.fragment;
    frame.fragment = true;
    dissectLlc(frame, from, to);
    frame.fragment = outer;
    return;
  }
  const whole =
    to <= frame.captured && frame.quoted === 0
      ? linkFragment(frame, {
          // Receiver and transmitter; each kind of traffic has sequence numbers of its own.
          key: `${latin1Of(b, start + 4, start + 16)}${control >> 4} ${qos(wlan) ? b[start + qosAt(wlan)]! & 15 : ''}`,
          number,
          more: (flagsOf(wlan) & MORE_FRAGMENTS) !== 0,
          again: (flagsOf(wlan) & RETRY) !== 0,
          start: from,
          end: to,
        })
      : undefined;
  if (whole === undefined) return frame.data(from, to);
  wlan.fragmentFrames = whole.frames;
  wlan.reassembled = whole.data.length;
  frame.within(whole.data, 0, whole.data.length, dissectLlc);
}

/** An 802.11 frame of which nothing else is known; inside another protocol it has no FCS. */
export const dissectWlan: Dissect = (frame, start, end) => {
  const outermost = frame.depth === 1;
  dissectWlanFrame(frame, start, end, outermost ? (frame.interface_.fcsLength ?? 0) : 0, false);
};

export const wlan: ProtocolEntry = {
  name: 'wlan',
  layers: [Wlan, AggregateSubframe],
  dissect: dissectWlan,
  on: [linkTypes.at(105, dissectWlan)],
};
