/**
 * Layer Two Tunneling Protocol, version 2: PPP through UDP, and the messages that set its tunnels up.
 *
 * RFC 2661 section 3.1 (header), section 4 (attribute value pairs).
 *
 *     0        2          4        6         8        10       12
 *     | flags  | (length) | tunnel | session | (Ns    | Nr)    | (offset size, padding) | PPP, or pairs
 *
 * What stands in parentheses is there when a flag says so.
 */
import { bits, flag, group, list, uint16 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { type Dissect, type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectPppHdlc } from './ppp.js';

const CONTROL = 0x8000;
const HAS_LENGTH = 0x4000;
const HAS_SEQUENCE = 0x0800;
const HAS_OFFSET = 0x0200;
const VERSION = 2;
/** Octets of flags, tunnel and session. */
const FIXED_LENGTH = 6;
const PAIR_HEADER = 6;

const MESSAGE: Readonly<Record<number, string>> = {
  1: 'Start-Control-Connection-Request',
  2: 'Start-Control-Connection-Reply',
  3: 'Start-Control-Connection-Connected',
  4: 'Stop-Control-Connection-Notification',
  6: 'Hello',
  7: 'Outgoing-Call-Request',
  8: 'Outgoing-Call-Reply',
  9: 'Outgoing-Call-Connected',
  10: 'Incoming-Call-Request',
  11: 'Incoming-Call-Reply',
  12: 'Incoming-Call-Connected',
  14: 'Call-Disconnect-Notify',
  15: 'WAN-Error-Notify',
  16: 'Set-Link-Info',
};

const flagsOf = (l: Layer): number => (l.start + 2 <= l.captured ? u16(l.bytes, l.start) : 0);
/** Where the tunnel's number stands in the header. */
const tunnelAt = (l: Layer): number => (flagsOf(l) & HAS_LENGTH ? 4 : 2);
const sequenceAt = (l: Layer): number => tunnelAt(l) + 4;
const offsetAt = (l: Layer): number => sequenceAt(l) + (flagsOf(l) & HAS_SEQUENCE ? 4 : 0);
const has = (mask: number) => (l: Layer) => (flagsOf(l) & mask) !== 0;

/** Octets before what is carried, with the padding that the offset asks for; more than there is, when that is not held. */
function headerLength(l: Layer): number {
  const at = offsetAt(l);
  if ((flagsOf(l) & HAS_OFFSET) === 0) return at;
  return at + 2 + (l.start + at + 2 <= l.captured ? u16(l.bytes, l.start + at) : 0);
}

const pairRows = {
  mandatory: flag('l2tp.avp.mandatory', 'Mandatory', undefined, 0x8000, 16),
  hidden: flag('l2tp.avp.hidden', 'Hidden', undefined, 0x4000, 16),
  length: bits('l2tp.avp.length', 'Length', undefined, 16, 0x03ff),
  vendor: uint16('l2tp.avp.vendor_id', 'Vendor ID'),
  type: uint16('l2tp.avp.type', 'AVP Type'),
  message: uint16('l2tp.avp.message_type', 'Message Type', { values: MESSAGE }),
};
const pairs = list('netlens.l2tp.avp', 'Attribute Value Pair', pairRows);

const fields = {
  ...group(
    { flags: uint16('netlens.l2tp.flags', 'Flags', 0, { base: 'hex' }) },
    {
      type: bits('l2tp.type', 'Type', 0, 16, CONTROL, { values: { 0: 'Data Message', 1: 'Control Message' } }),
      hasLength: flag('l2tp.length_bit', 'Length Bit', 0, HAS_LENGTH, 16),
      hasSequence: flag('l2tp.seq_bit', 'Sequence Bit', 0, HAS_SEQUENCE, 16),
      hasOffset: flag('l2tp.offset_bit', 'Offset bit', 0, HAS_OFFSET, 16),
      priority: flag('l2tp.priority', 'Priority', 0, 0x0100, 16),
      version: bits('l2tp.version', 'Version', 0, 16, 0x000f),
    },
  ),
  length: uint16('l2tp.length', 'Length', 2, { when: has(HAS_LENGTH) }),
  tunnel: uint16('l2tp.tunnel', 'Tunnel ID', tunnelAt),
  session: uint16('l2tp.session', 'Session ID', (l: Layer) => tunnelAt(l) + 2),
  sent: uint16('l2tp.Ns', 'Ns', sequenceAt, { when: has(HAS_SEQUENCE) }),
  received: uint16('l2tp.Nr', 'Nr', (l: Layer) => sequenceAt(l) + 2, { when: has(HAS_SEQUENCE) }),
  offset: uint16('l2tp.offset', 'Offset', offsetAt, { when: has(HAS_OFFSET) }),
  pairs,
};

/** An L2TP message. */
export class L2tp extends layer('l2tp', 'Layer 2 Tunneling Protocol', fields) {
  override walk(tree: Tree): void {
    if ((flagsOf(this) & CONTROL) === 0) return;
    const end = Math.min(this.end, this.captured);
    // Each pair has a header of six octets at least.
    for (let at = this.start + headerLength(this); at + PAIR_HEADER <= end; ) {
      const length = u16(this.bytes, at) & 0x03ff;
      tree.item(pairs, at, length, `Attribute ${u16(this.bytes, at + 4)}`);
      for (const row of [pairRows.mandatory, pairRows.hidden, pairRows.length]) tree.add(row, at, 2);
      tree.add(pairRows.vendor, at + 2);
      tree.add(pairRows.type, at + 4);
      // Attribute 0 of the IETF names the message; it comes first (section 4.4.1).
      const isMessage = u16(this.bytes, at + 2) === 0 && u16(this.bytes, at + 4) === 0;
      if (isMessage && length >= PAIR_HEADER + 2 && at + PAIR_HEADER + 2 <= end) tree.add(pairRows.message, at + PAIR_HEADER);
      tree.close();
      if (length < PAIR_HEADER) return;
      at += length;
    }
  }

  /** The number of a control message's kind; undefined for one that only acknowledges. */
  private get message(): number | undefined {
    const at = this.start + headerLength(this);
    return at + PAIR_HEADER + 2 <= Math.min(this.end, this.captured) ? u16(this.bytes, at + PAIR_HEADER) : undefined;
  }

  override summary(out: TextBuffer): void {
    const { message } = this;
    if ((flagsOf(this) & CONTROL) === 0) out.ascii('Data Message');
    else out.text(`Control Message - ${message === undefined ? 'Zero Length Body' : (MESSAGE[message] ?? `type ${message}`)}`);
    const tunnel = this.start + tunnelAt(this);
    if (tunnel + 4 > this.captured) return;
    out.ascii(' (tunnel id=');
    out.number(u16(this.bytes, tunnel));
    out.ascii(', session id=');
    out.number(u16(this.bytes, tunnel + 2));
    out.ascii(')');
  }
}

export const dissectL2tp: Dissect = (frame, start, end) => {
  // Version 1 is L2F, version 3 has other headers (RFC 3931).
  if (start + 2 > frame.captured || (u16(frame.bytes, start) & 0x000f) !== VERSION) return frame.data(start, end);
  const l2tp = new L2tp(frame, start, end);
  if (!frame.add(l2tp, FIXED_LENGTH) || !frame.require(l2tp, headerLength(l2tp))) return;
  const flags = flagsOf(l2tp);
  if (flags & HAS_LENGTH) l2tp.end = Math.min(end, start + Math.max(u16(l2tp.bytes, start + 2), headerLength(l2tp)));
  const from = start + headerLength(l2tp);
  if ((flags & CONTROL) === 0 && from < l2tp.end) dissectPppHdlc(frame, from, l2tp.end);
};

export const l2tp: ProtocolEntry = { name: 'l2tp', layers: [L2tp], dissect: dissectL2tp, on: [udpPorts.at(1701, dissectL2tp)] };
