/**
 * GPRS Tunnelling Protocol, version 1: the user plane with the packets it carries, and the header of the control plane.
 * Version 0, which has both on one port, has a header of its own.
 *
 * GSM 09.60 (version 0), 3GPP TS 29.281 (user plane), 3GPP TS 29.060 (control plane), 3GPP TS 38.415 (PDU session container).
 *
 *     0       1      2        4      8          10     11
 *     | flags | type | length | TEID | sequence | NPDU | next header | extension headers … | payload …
 *                                    from here on only where a flag says so
 */
import { bits, bytes, computed, type Fields, flag, group, list, uint8, uint16, uint32 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { type Dissect, ipProtocols, linkTypes, type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';

const FIXED_LENGTH = 8;
const OPTIONAL_LENGTH = 4;
const HAS_OPTIONAL = 0x07;
const HAS_EXTENSION = 0x04;
const T_PDU = 255;

const MESSAGE: Readonly<Record<number, string>> = {
  1: 'Echo request',
  2: 'Echo response',
  3: 'Version not supported',
  4: 'Node alive request',
  5: 'Node alive response',
  6: 'Redirection request',
  7: 'Redirection response',
  16: 'Create PDP context request',
  17: 'Create PDP context response',
  18: 'Update PDP context request',
  19: 'Update PDP context response',
  20: 'Delete PDP context request',
  21: 'Delete PDP context response',
  22: 'Initiate PDP Context Activation Request',
  23: 'Initiate PDP Context Activation Response',
  26: 'Error indication',
  27: 'PDU notification request',
  28: 'PDU notification response',
  29: 'PDU notification reject request',
  30: 'PDU notification reject response',
  31: 'Supported extension header notification',
  32: 'Send routing information for GPRS request',
  33: 'Send routing information for GPRS response',
  34: 'Failure report request',
  35: 'Failure report response',
  36: 'Note MS GPRS present request',
  37: 'Note MS GPRS present response',
  48: 'Identification request',
  49: 'Identification response',
  50: 'SGSN context request',
  51: 'SGSN context response',
  52: 'SGSN context acknowledgement',
  53: 'Forward relocation request',
  54: 'Forward relocation response',
  55: 'Forward relocation complete',
  56: 'Relocation cancel request',
  57: 'Relocation cancel response',
  58: 'Forward SRNS context',
  59: 'Forward relocation complete acknowledge',
  60: 'Forward SRNS context acknowledge',
  70: 'RAN Information Relay',
  240: 'Data record transfer request',
  241: 'Data record transfer response',
  254: 'End Marker',
  [T_PDU]: 'T-PDU',
};

const EXTENSION: Readonly<Record<number, string>> = {
  0: 'No more extension headers',
  1: 'MBMS support indication',
  2: 'MS Info Change Reporting support indication',
  3: 'Long PDCP PDU Number',
  32: 'Service Class Indicator',
  64: 'UDP Port number',
  129: 'RAN container',
  130: 'Long PDCP PDU number',
  131: 'Xw RAN container',
  132: 'NR RAN container',
  133: 'PDU Session container',
  192: 'PDCP PDU number',
  193: 'Suspend Request',
  194: 'Suspend Response',
};
const UDP_PORT = 64;
const RAN_CONTAINER = 129;
const PDU_SESSION = 133;
const PDCP_NUMBER = 192;

const has = (l: Layer, mask: number): boolean => l.start < l.captured && (l.bytes[l.start]! & mask) !== 0;
const hasOptional = (l: Layer): boolean => has(l, HAS_OPTIONAL);

const extension = {
  type: uint8('gtp.ext_hdr_type', 'Extension Header Type', { values: EXTENSION }),
  length: uint8('gtp.ext_hdr.length', 'Extension Header Length'),
  udpPort: uint16('gtp.ext_hdr.udp_port', 'UDP Port'),
  pdcpNumber: uint16('gtp.ext_hdr.pdcp_sn', 'PDCP Sequence Number'),
  ranContainer: bytes('gtp.ext_hdr.ran_cont', 'RAN Container'),
  pduType: bits('gtp.ext_hdr.pdu_ses_con.pdu_type', 'PDU Type', undefined, 8, 0xf0, {
    values: { 0: 'DL PDU SESSION INFORMATION', 1: 'UL PDU SESSION INFORMATION' },
  }),
  paging: flag('gtp.ext_hdr.pdu_ses_cont.ppp', 'Paging Policy Presence (PPP)', undefined, 0x80),
  reflective: flag('gtp.ext_hdr.pdu_ses_cont.rqi', 'Reflective QoS Indicator (RQI)', undefined, 0x40),
  flow: bits('gtp.ext_hdr.pdu_ses_con.qos_flow_id', 'QoS Flow Identifier (QFI)', undefined, 8, 0x3f),
  data: bytes('gtp.ext_hdr.spare_bytes', 'Spare'),
  next: uint8('gtp.ext_hdr.next', 'Next extension header type', { base: 'hex', values: EXTENSION }),
};
const extensions = list('gtp.ext_hdr', 'Extension headers', extension);

/** What headers of both versions begin with; `reserved` and `own` are the flags in which they differ. */
const beginning = <F extends Fields>(reserved: number, own: F) => ({
  ...group(
    { flags: uint8('gtp.flags', 'Flags', 0, { base: 'hex' }) },
    {
      version: bits('gtp.flags.version', 'Version', 0, 8, 0xe0),
      protocolType: bits('gtp.flags.payload', 'Protocol type', 0, 8, 0x10, { values: { 0: "GTP'", 1: 'GTP' } }),
      reserved: bits('gtp.flags.reserved', 'Reserved', 0, 8, reserved),
      ...own,
    },
  ),
  message: uint8('gtp.message', 'Message Type', 1, { base: 'hex', values: MESSAGE }),
  length: uint16('gtp.length', 'Length', 2),
});

/** A GTP header of version 1, user or control plane. */
export class Gtp extends layer(
  'gtp',
  'GPRS Tunneling Protocol',
  {
    ...beginning(0x08, {
      hasExtension: flag('gtp.flags.e', 'Is Next Extension Header present?', 0, 0x04),
      hasSequence: flag('gtp.flags.s', 'Is Sequence Number present?', 0, 0x02),
      hasNpdu: flag('gtp.flags.pn', 'Is N-PDU number present?', 0, 0x01),
    }),
    teid: uint32('gtp.teid', 'TEID', 4, { base: 'hex' }),
    sequence: uint16('gtp.seq_number', 'Sequence number', 8, { base: 'hex', when: (l) => has(l, 0x02) }),
    npdu: uint8('gtp.npdu_number', 'N-PDU Number', 10, { base: 'hex', when: (l) => has(l, 0x01) }),
    extensionType: uint8('gtp.next', 'Next extension header type', 11, { base: 'hex', values: EXTENSION, when: hasOptional }),
    extensions,
  },
  'GTP',
) {
  override walk(tree: Tree): void {
    if (!has(this, HAS_EXTENSION)) return;
    const { bytes: b, start, captured } = this;
    let type = b[start + 11]!;
    // Each header takes four octets at least.
    for (let at = start + FIXED_LENGTH + OPTIONAL_LENGTH; type !== 0 && at + 4 <= captured; ) {
      const size = b[at]! * 4;
      if (size === 0 || at + size > captured) return;
      tree.item(extensions, at, size, EXTENSION[type] ?? `Extension header ${type}`);
      tree.put(extension.type, type);
      tree.add(extension.length, at);
      if (type === UDP_PORT) tree.add(extension.udpPort, at + 1);
      else if (type === PDCP_NUMBER) tree.add(extension.pdcpNumber, at + 1);
      else if (type === RAN_CONTAINER) tree.add(extension.ranContainer, at + 1, size - 2);
      else if (type === PDU_SESSION) {
        tree.add(extension.pduType, at + 1, 1);
        if (b[at + 1]! >> 4 === 0) {
          tree.add(extension.paging, at + 2, 1);
          tree.add(extension.reflective, at + 2, 1);
        }
        tree.add(extension.flow, at + 2, 1);
      } else tree.add(extension.data, at + 1, size - 2);
      tree.add(extension.next, at + size - 1);
      tree.close();
      type = b[at + size - 1]!;
      at += size;
    }
  }

  override summary(out: TextBuffer): void {
    const type = this.bytes[this.start + 1]!;
    out.text(MESSAGE[type] ?? `Message ${type}`);
    out.ascii(', TEID 0x');
    out.hex(u32(this.bytes, this.start + 4), 8);
  }
}

const VERSION_0_LENGTH = 20;

/** A GTP header of version 0 (GSM 09.60 section 6), of which GPRS networks of the first releases speak. */
export class GtpVersion0 extends layer(
  'gtp',
  'GPRS Tunneling Protocol (version 0)',
  {
    ...beginning(0x0e, { hasNpdu: flag('gtp.flags.snn', 'Is SNDCP N-PDU included?', 0, 0x01) }),
    sequence: uint16('gtp.seq_number', 'Sequence number', 4, { base: 'hex' }),
    flowLabel: uint16('gtp.flow_label', 'Flow label', 6, { base: 'hex' }),
    npdu: uint8('gtp.sndcp_number', 'SNDCP N-PDU LLC Number', 8, { base: 'hex' }),
    tunnel: computed('string', 'gtp.tid', 'TID', (l) => (l.start + VERSION_0_LENGTH <= l.captured ? tunnelOf(l) : undefined)),
  },
  'GTP',
) {
  override summary(out: TextBuffer): void {
    const type = this.bytes[this.start + 1]!;
    out.text(MESSAGE[type] ?? `Message ${type}`);
  }
}

/** The tunnel: the digits of IMSI and NSAPI, two an octet, the first in the lower half (GSM 09.60 section 6). */
function tunnelOf(l: Layer): string {
  let digits = '';
  for (let at = l.start + 12; at < l.start + VERSION_0_LENGTH; at++) {
    const octet = l.bytes[at]!;
    digits += (octet & 0x0f).toString(16) + (octet >> 4).toString(16);
  }
  return digits;
}

export const dissectGtpVersion0: Dissect = (frame, start, end) => {
  // Version 0 with the bit that tells GTP from GTP', the charging protocol on the same port.
  if (start >= frame.captured || (frame.bytes[start]! & 0xf0) !== 0x10) return frame.data(start, end);
  const gtp = new GtpVersion0(frame, start, end);
  if (!frame.add(gtp, VERSION_0_LENGTH)) return;
  const stop = Math.min(end, start + VERSION_0_LENGTH + gtp.length);
  gtp.end = stop;
  if (gtp.message === T_PDU) dissectPacket(frame, start + VERSION_0_LENGTH, stop);
  else frame.data(start + VERSION_0_LENGTH, stop, 'GTP');
};

const PPP = 9;

/** The tunnel does not say what it carries; the first octet does, for all but PPP by a version (TS 29.281 section 4.2). */
function dissectPacket(frame: Frame, start: number, end: number): void {
  if (start >= end || start >= frame.captured) return;
  const first = frame.bytes[start]!;
  if (first >> 4 === 4) frame.dispatch(ipProtocols, 4, start, end);
  else if (first >> 4 === 6) frame.dispatch(ipProtocols, 41, start, end);
  else if (first !== 0xff || !frame.tryDispatch(linkTypes, PPP, start, end)) frame.data(start, end);
}

export const dissectGtp: Dissect = (frame, start, end) => {
  const { bytes: b } = frame;
  // Version 1 with the bit that tells GTP from GTP'; version 2 is another protocol, version 0 long gone.
  if (start >= frame.captured || (b[start]! & 0xf0) !== 0x30) return frame.data(start, end);
  const gtp = new Gtp(frame, start, end);
  if (!frame.add(gtp, FIXED_LENGTH)) return;
  const stop = Math.min(end, start + FIXED_LENGTH + u16(b, start + 2));
  gtp.end = stop;
  let from = start + FIXED_LENGTH;
  if (hasOptional(gtp)) {
    if (!frame.require(gtp, FIXED_LENGTH + OPTIONAL_LENGTH)) return;
    from += OPTIONAL_LENGTH;
    if (has(gtp, HAS_EXTENSION)) {
      let type = b[start + 11]!;
      // Each header takes four octets at least.
      while (type !== 0) {
        if (!frame.require(gtp, from - start + 1)) return;
        const size = b[from]! * 4;
        if (size === 0) return frame.malformed(gtp, from - start + 4);
        if (!frame.require(gtp, from - start + size)) return;
        type = b[from + size - 1]!;
        from += size;
      }
    }
  }
  if (b[start + 1] === T_PDU) dissectPacket(frame, from, stop);
};

export const gtp: ProtocolEntry = {
  name: 'gtp',
  layers: [Gtp, GtpVersion0],
  dissect: dissectGtp,
  on: [udpPorts.at([2123, 2152], dissectGtp), udpPorts.at(3386, dissectGtpVersion0)],
};
