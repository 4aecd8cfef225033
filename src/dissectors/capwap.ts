/**
 * Control And Provisioning of Wireless Access Points: what access points and their controller say to each other, and the
 * stations' frames between them.
 *
 * RFC 5415 sections 4.1 (preamble), 4.2 (DTLS header), 4.3 (header); RFC 5416 section 4 (IEEE 802.11).
 *
 *     0          1                      4             6               8
 *     | preamble | HLEN RID WBID flags  | fragment id | offset (13)   | radio MAC, wireless information … | payload …
 *                                                                       each with its length, filled up to 4 octets
 */
import { bits, bytes, ether, eui64, expert, flag, group, int8, uint8, uint16 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16, u24 } from '../core/octets.js';
import { type Dissect, linkTypes, type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectDtls } from './dtls.js';
import { dissectWlanFrame } from './wlan.js';

const FIXED_LENGTH = 8;
const DTLS_HEADER_LENGTH = 4;
const CONTROL_PORT = 5246;
const DATA_PORT = 5247;
const ETHERNET = 1;
const IEEE_802_11 = 1;
/** Bits of the three octets behind the preamble. */
const NATIVE = 0x100;
const FRAGMENT = 0x080;
const WIRELESS = 0x020;
const RADIO_MAC = 0x010;
const KEEP_ALIVE = 0x008;

const isDtls = (l: Layer): boolean => l.start < l.captured && (l.bytes[l.start]! & 0x0f) === 1;
const isPlain = (l: Layer): boolean => l.start < l.captured && (l.bytes[l.start]! & 0x0f) === 0;
const wordOf = (l: Layer): number => u24(l.bytes, l.start + 1);
const bindingOf = (l: Layer): number => (wordOf(l) >> 9) & 0x1f;
const PLAIN = { when: isPlain } as const;

const BINDING = { 0: 'Reserved', 1: 'IEEE 802.11', 2: 'Reserved', 3: 'EPCGlobal' };

const fields = {
  version: bits('capwap.preamble.version', 'Version', 0, 8, 0xf0),
  type: bits('capwap.preamble.type', 'Type', 0, 8, 0x0f, { values: { 0: 'CAPWAP Header', 1: 'CAPWAP DTLS Header' } }),
  reserved: bits('capwap.preamble.reserved', 'Reserved', 1, 24, 0xffffff, { when: isDtls }),
  headerLength: bits('capwap.header.length', 'Header Length', 1, 24, 0xf80000, PLAIN),
  wrongLength: expert('warn', 'malformed', 'capwap.header.length.bad', 'Wrong calculate length =! header length', (l) => {
    const optional = optionalLength(l);
    return optional !== undefined && optional !== headerLength(l);
  }),
  radio: bits('capwap.header.rid', 'Radio ID', 1, 24, 0x07c000, PLAIN),
  binding: bits('capwap.header.wbid', 'Wireless Binding ID', 1, 24, 0x003e00, { ...PLAIN, values: BINDING }),
  ...group(
    { flags: bits('capwap.header.flags', 'Header Flags', 1, 24, 0x0001ff, { ...PLAIN, base: 'hex' }) },
    {
      native: flag('capwap.header.flags.t', 'Payload Type', 1, NATIVE, 24, {
        ...PLAIN,
        flags: ['Native frame format (see Wireless Binding ID field)', 'IEEE 802.3 frame'],
      }),
      fragment: flag('capwap.header.flags.f', 'Fragment', 1, FRAGMENT, 24, PLAIN),
      last: flag('capwap.header.flags.l', 'Last Fragment', 1, 0x040, 24, PLAIN),
      hasWireless: flag('capwap.header.flags.w', 'Wireless header', 1, WIRELESS, 24, PLAIN),
      hasRadioMac: flag('capwap.header.flags.m', 'Radio MAC header', 1, RADIO_MAC, 24, PLAIN),
      keepAlive: flag('capwap.header.flags.k', 'Keep-Alive', 1, KEEP_ALIVE, 24, PLAIN),
      reservedFlags: bits('capwap.header.flags.r', 'Reserved', 1, 24, 0x000007, { ...PLAIN, base: 'hex' }),
    },
  ),
  fragmentId: uint16('capwap.header.fragment.id', 'Fragment ID', 4, PLAIN),
  fragmentOffset: bits('capwap.header.fragment.offset', 'Fragment Offset', 6, 16, 0xfff8, PLAIN),
  fragmentReserved: bits('capwap.header.fragment.reserved', 'Reserved', 6, 16, 0x0007, PLAIN),
  macLength: uint8('capwap.header.mac.length', 'MAC length'),
  mac48: ether('capwap.header.mac.eui48', 'MAC address'),
  mac64: eui64('capwap.header.mac.eui64', 'MAC address'),
  macOctets: bytes('capwap.header.mac.data', 'MAC address'),
  wirelessLength: uint8('capwap.header.wireless.length', 'Wireless length'),
  wirelessData: bytes('capwap.header.wireless.data', 'Wireless data'),
  rssi: int8('capwap.header.wireless.data.ieee80211.fi.rssi', 'Wireless data ieee80211 RSSI (dBm)'),
  snr: uint8('capwap.header.wireless.data.ieee80211.fi.snr', 'Wireless data ieee80211 SNR (dB)'),
  rate: uint16('capwap.header.wireless.data.ieee80211.fi.data_rate', 'Wireless data ieee80211 Data Rate (Mbps)'),
};

/** Octets of a length, its value, and what fills them up to four. */
const filled = (length: number): number => (1 + length + 3) & ~3;

/** Octets that the header has by what its flags add; undefined where they were not captured. */
function optionalLength(l: Layer): number | undefined {
  if (l.start + FIXED_LENGTH > l.captured || !isPlain(l)) return undefined;
  let length = FIXED_LENGTH;
  for (const mask of [RADIO_MAC, WIRELESS]) {
    if ((wordOf(l) & mask) === 0) continue;
    if (l.start + length >= l.captured) return undefined;
    length += filled(l.bytes[l.start + length]!);
  }
  return length;
}

/** Octets of the header, by its own word; it counts in fours. */
const headerLength = (l: Layer): number => (l.bytes[l.start + 1]! >> 3) * 4;

/** A CAPWAP header, of the control or of the data channel. */
export class Capwap extends layer('capwap', 'Control And Provisioning of Wireless Access Points', fields, 'CAPWAP') {
  /** It came by the data channel. */
  isData = false;

  override get chain(): string {
    return this.isData ? 'capwap.data' : 'capwap';
  }

  override walk(tree: Tree): void {
    if (optionalLength(this) === undefined) return;
    const flags = wordOf(this);
    let at = this.start + FIXED_LENGTH;
    if (flags & RADIO_MAC) {
      const length = this.bytes[at]!;
      tree.add(fields.macLength, at);
      if (length === 6) tree.add(fields.mac48, at + 1);
      else if (length === 8) tree.add(fields.mac64, at + 1);
      else tree.add(fields.macOctets, at + 1, length);
      at += filled(length);
    }
    if (flags & WIRELESS) {
      const length = this.bytes[at]!;
      tree.add(fields.wirelessLength, at);
      tree.add(fields.wirelessData, at + 1, length);
      if (bindingOf(this) === IEEE_802_11 && length >= 4) {
        tree.add(fields.rssi, at + 1);
        tree.add(fields.snr, at + 2);
        tree.add(fields.rate, at + 3);
      }
    }
  }

  override summary(out: TextBuffer): void {
    out.ascii(this.isData ? 'CAPWAP-Data' : 'CAPWAP-Control');
    if (isDtls(this)) out.ascii(', DTLS');
    else if (this.keepAlive) out.ascii(' Keep-Alive');
    else if (this.fragment) {
      out.ascii(' (Fragment ID: ');
      out.number(u16(this.bytes, this.start + 4));
      out.ascii(', Fragment Offset: ');
      out.number(this.fragmentOffset);
      out.ascii(')');
    }
  }
}

/** The header; where what it carries begins, or undefined when that cannot be read. */
function dissectHeader(
  frame: Frame,
  start: number,
  end: number,
  isData: boolean,
): { readonly flags: number; readonly from: number } | undefined {
  const capwap = new Capwap(frame, start, end);
  capwap.isData = isData;
  if (!frame.add(capwap, DTLS_HEADER_LENGTH)) return undefined;
  if (isDtls(capwap)) {
    dissectDtls(frame, start + DTLS_HEADER_LENGTH, end);
    return undefined;
  }
  if (!isPlain(capwap) || !frame.require(capwap, FIXED_LENGTH)) return undefined;
  const header = headerLength(capwap);
  if (header < FIXED_LENGTH) {
    frame.malformed(capwap, FIXED_LENGTH);
    return undefined;
  }
  return frame.require(capwap, header) ? { flags: wordOf(capwap), from: start + header } : undefined;
}

export const dissectCapwapControl: Dissect = (frame, start, end) => {
  const header = dissectHeader(frame, start, end, false);
  if (header !== undefined) frame.data(header.from, end, 'CAPWAP');
};

export const dissectCapwapData: Dissect = (frame, start, end) => {
  const header = dissectHeader(frame, start, end, true);
  if (header === undefined) return;
  const { flags, from } = header;
  if (flags & (KEEP_ALIVE | FRAGMENT)) frame.data(from, end, 'CAPWAP');
  else if ((flags & NATIVE) === 0) {
    if (!frame.tryDispatch(linkTypes, ETHERNET, from, end)) frame.data(from, end);
  } else if (((flags >> 9) & 0x1f) === IEEE_802_11) dissectWlanFrame(frame, from, end, 0, false, isSwapped(frame, from));
  else frame.data(from, end);
};

/**
 * Whether the octets of an 802.11 frame control field stand the wrong way round, as Cisco's access points send them. The
 * right way, the first octet ends with the version, 0; the other way round it has the flags, which in data frames tell a
 * direction in the same bits. Where both readings have version 0, flags of none are the more likely ones.
 */
function isSwapped(frame: Frame, at: number): boolean {
  if (at + 2 > frame.captured) return false;
  const control = u16(frame.bytes, at);
  if ((control & 0x0003) !== 0) return false;
  return (control & 0x0300) !== 0 || (control & 0x00ff) !== 0;
}

export const capwap: ProtocolEntry = {
  name: 'capwap',
  layers: [Capwap],
  dissect: dissectCapwapData,
  on: [udpPorts.at(CONTROL_PORT, dissectCapwapControl), udpPorts.at(DATA_PORT, dissectCapwapData)],
};
