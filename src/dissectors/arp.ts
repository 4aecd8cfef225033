/**
 * Address Resolution Protocol: which hardware address answers for this protocol address?
 *
 * RFC 826 (request, reply), RFC 903 (reverse), RFC 1931 (dynamic reverse), RFC 2390 (inverse), RFC 5227 (probe,
 * announcement).
 *
 *     0       2       4   5   6        8       8+h     8+h+p   8+2h+p  8+2h+2p
 *     | htype | ptype | h | p | opcode |  sha  |  spa  |  tha  |  tpa  |
 */
import { ipv4Text } from '../core/addresses.js';
import { bytes, computed, ether, expert, frameNumber, ipv4, many, uint8, uint16, uint32 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u8, u16, u32 } from '../core/octets.js';
import { type Dissect, etherTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';

/** Numbers of the IANA registry "ARP Parameters". */
const HARDWARE: Readonly<Record<number, string>> = {
  1: 'Ethernet',
  2: 'Experimental Ethernet',
  3: 'AX.25',
  4: 'ProNET',
  5: 'Chaos',
  6: 'IEEE 802',
  7: 'ARCNET',
  15: 'Frame Relay',
  16: 'ATM',
  17: 'HDLC',
  18: 'Fibre Channel',
  19: 'ATM (RFC 2225)',
  20: 'Serial Line',
  24: 'IEEE 1394',
  27: 'EUI-64',
  32: 'InfiniBand',
};
const PROTOCOL: Readonly<Record<number, string>> = { 2048: 'IPv4', 34525: 'IPv6' };
const OPCODE: Readonly<Record<number, string>> = {
  1: 'request',
  2: 'reply',
  3: 'reverse request',
  4: 'reverse reply',
  5: 'drarp request',
  6: 'drarp reply',
  7: 'drarp error',
  8: 'inverse request',
  9: 'inverse reply',
  10: 'arp nak',
  11: 'mars request',
  12: 'mars multi',
  13: 'mars mserv',
  14: 'mars join',
  15: 'mars leave',
  16: 'mars nak',
  17: 'mars unserv',
  18: 'mars sjoin',
  19: 'mars sleave',
  20: 'mars grouplist request',
  21: 'mars grouplist reply',
  22: 'mars redirect map',
  23: 'mapos unarp',
  24: 'experimental 1',
  25: 'experimental 2',
};
const REQUEST = 1;
const REPLY = 2;
const REVERSE_REQUEST = 3;
const REVERSE_REPLY = 4;
const DYNAMIC_REQUEST = 5;
const DYNAMIC_REPLY = 6;
const DYNAMIC_ERROR = 7;
const INVERSE_REQUEST = 8;
const INVERSE_REPLY = 9;

const ETHERNET = 1;
const IEEE_802 = 6;
const IPV4 = 0x0800;

/** Octets before the addresses. */
const FIXED_LENGTH = 8;

// Sizes and places of the addresses follow from the two size octets. Rows ask for them only when those octets are there.
const h = (arp: Layer) => u8(arp.bytes, arp.start + 4);
const p = (arp: Layer) => u8(arp.bytes, arp.start + 5);
const spa = (arp: Layer) => FIXED_LENGTH + h(arp);
const tha = (arp: Layer) => spa(arp) + p(arp);
const tpa = (arp: Layer) => tha(arp) + h(arp);
const whole = (arp: Layer) => arp.start + FIXED_LENGTH <= arp.captured && arp.start + tpa(arp) + p(arp) <= arp.captured;

const opcode = (arp: Layer) => u16(arp.bytes, arp.start + 6);
const hardwareType = (arp: Layer) => u16(arp.bytes, arp.start);
/**
 * Sizes that reach beyond the message lie, and the addresses are not where they say. A message that only the capture cut
 * short is another matter: what there is of it is true.
 */
const believable = (arp: Layer) => arp.start + tpa(arp) + p(arp) <= arp.end;
const hasMacs = (arp: Layer) => h(arp) === 6 && (hardwareType(arp) === ETHERNET || hardwareType(arp) === IEEE_802);
const hasOthers = (arp: Layer) => h(arp) > 0 && !hasMacs(arp);
const hasIps = (arp: Layer) => p(arp) === 4 && u16(arp.bytes, arp.start + 2) === IPV4;
const hasOtherNames = (arp: Layer) => p(arp) > 0 && !hasIps(arp);

/** A row of an address that is of this kind. */
const shown = (kind: (arp: Layer) => boolean) => (arp: Layer) => kind(arp) && believable(arp);

const allZero = (arp: Layer, at: number, length: number) => {
  for (let i = arp.start + at; i < arp.start + at + length; i++) if (arp.bytes[i] !== 0) return false;
  return true;
};

/** Sender and target have the same protocol address: the sender tells of itself. */
const gratuitous = (arp: Layer): true | undefined => {
  if (!whole(arp) || (opcode(arp) !== REQUEST && opcode(arp) !== REPLY)) return undefined;
  const sender = arp.start + spa(arp);
  const target = arp.start + tpa(arp);
  for (let i = 0; i < p(arp); i++) if (arp.bytes[sender + i] !== arp.bytes[target + i]) return undefined;
  return true;
};
/** A request for nobody's hardware address, as RFC 5227 sections 2.1.1 and 2.3 have probes and announcements. */
const fromNobody = (arp: Layer) => whole(arp) && opcode(arp) === REQUEST && allZero(arp, tha(arp), h(arp));
/** Asked before the address is in use, so from 0.0.0.0 (RFC 5227 section 2.1.1). */
const probe = (arp: Layer): true | undefined => (fromNobody(arp) && allZero(arp, spa(arp), p(arp)) && !gratuitous(arp) ? true : undefined);
/** Claims the address that was probed (RFC 5227 section 2.3). */
const announcement = (arp: Layer): true | undefined => (fromNobody(arp) && gratuitous(arp) ? true : undefined);

/** An earlier frame in which another hardware address held an IPv4 address that this message gives away anew. */
export interface DuplicateUse {
  /** The IPv4 address as a number. */
  readonly address: number;
  /** Number of the earlier frame. */
  readonly frame: number;
  /** Whole seconds since that frame. */
  readonly seconds: number;
}

const fields = {
  hardwareType: uint16('arp.hw.type', 'Hardware type', 0, { values: HARDWARE }),
  protocolType: uint16('arp.proto.type', 'Protocol type', 2, { base: 'hex', values: PROTOCOL }),
  hardwareSize: uint8('arp.hw.size', 'Hardware size', 4),
  protocolSize: uint8('arp.proto.size', 'Protocol size', 5),
  opcode: uint16('arp.opcode', 'Opcode', 6, { values: OPCODE }),
  isGratuitous: computed('bool', 'arp.isgratuitous', 'Is gratuitous', gratuitous),
  isProbe: computed('bool', 'arp.isprobe', 'Is probe', probe),
  isAnnouncement: computed('bool', 'arp.isannouncement', 'Is announcement', announcement),
  senderHardware: bytes('arp.src.hw', 'Sender hardware address', FIXED_LENGTH, h, { when: shown(hasOthers) }),
  senderMac: ether('arp.src.hw_mac', 'Sender MAC address', FIXED_LENGTH, { when: shown(hasMacs) }),
  senderProtocol: bytes('arp.src.proto', 'Sender protocol address', spa, p, { when: shown(hasOtherNames) }),
  senderIp: ipv4('arp.src.proto_ipv4', 'Sender IP address', spa, { when: shown(hasIps) }),
  targetHardware: bytes('arp.dst.hw', 'Target hardware address', tha, h, { when: shown(hasOthers) }),
  targetMac: ether('arp.dst.hw_mac', 'Target MAC address', tha, { when: shown(hasMacs) }),
  targetProtocol: bytes('arp.dst.proto', 'Target protocol address', tpa, p, { when: shown(hasOtherNames) }),
  targetIp: ipv4('arp.dst.proto_ipv4', 'Target IP address', tpa, { when: shown(hasIps) }),
  duplicates: many(expert('warn', 'sequence', 'arp.duplicate-address-detected', 'Duplicate IP address configured')),
  duplicateFrames: many(frameNumber('arp.duplicate-address-frame', 'Frame showing earlier use of IP address')),
  duplicateSeconds: many(uint32('arp.seconds-since-duplicate-address-frame', 'Seconds since earlier frame seen')),
};

/** An ARP, RARP, DRARP or Inverse ARP message. */
export class Arp extends layer('arp', 'Address Resolution Protocol', fields) {
  /** What analysis/arp-bindings found out about the addresses in this message. */
  declare duplicateUses: readonly DuplicateUse[] | undefined;
  /** The address whose duplicate use the last check found. */
  declare disputed: number | undefined;

  /** Octets of the whole message, from its own size fields. */
  get length(): number {
    return FIXED_LENGTH + 2 * (h(this) + p(this));
  }

  override get shortName(): string {
    const code = this.start + FIXED_LENGTH <= this.captured ? opcode(this) : 0;
    if (code === REVERSE_REQUEST || code === REVERSE_REPLY) return 'RARP';
    if (code >= DYNAMIC_REQUEST && code <= DYNAMIC_ERROR) return 'DRARP';
    if (code === INVERSE_REQUEST || code === INVERSE_REPLY) return 'Inverse ARP';
    return 'ARP';
  }

  /** Addresses in doubt; all else stands in place. */
  override walk(tree: Tree): void {
    for (const { frame, seconds, address } of this.duplicateUses ?? []) {
      tree.openPut(fields.duplicates, true).text = () => `Duplicate IP address configured (${ipv4Text(address)})`;
      tree.put(fields.duplicateFrames, frame);
      tree.put(fields.duplicateSeconds, seconds);
      tree.close();
    }
  }

  /** `Who has 192.0.2.2? Tell 192.0.2.1`. */
  override summary(out: TextBuffer): void {
    if (!whole(this)) return out.ascii('ARP');
    const code = opcode(this);
    if (announcement(this)) {
      out.ascii('ARP Announcement for ');
      this.writeName(out, tpa(this));
    } else if (gratuitous(this)) {
      out.ascii('Gratuitous ARP for ');
      this.writeName(out, tpa(this));
      out.ascii(code === REPLY ? ' (Reply)' : ' (Request)');
    } else if (code === REQUEST) {
      out.ascii('Who has ');
      this.writeName(out, tpa(this));
      if (probe(this)) out.ascii('? (ARP Probe)');
      else {
        out.ascii('? Tell ');
        this.writeName(out, spa(this));
      }
    } else if (code === REPLY || code === INVERSE_REPLY) {
      this.writePair(out, spa(this), FIXED_LENGTH, code === INVERSE_REPLY);
    } else if (code === REVERSE_REPLY || code === DYNAMIC_REPLY) {
      this.writePair(out, tpa(this), tha(this), true);
    } else if (code === REVERSE_REQUEST || code === DYNAMIC_REQUEST || code === INVERSE_REQUEST) {
      out.ascii('Who is ');
      this.writeHardware(out, tha(this));
      out.ascii('? Tell ');
      this.writeHardware(out, FIXED_LENGTH);
    } else if (code === DYNAMIC_ERROR) out.ascii('DRARP Error');
    else {
      out.text(OPCODE[code]?.replace(/^(arp|mars|mapos)/, (name) => name.toUpperCase()) ?? `Unknown ARP opcode ${code}`);
      out.ascii(' from ');
      this.writePair(out, spa(this), FIXED_LENGTH, true, ' at ');
    }
    if (this.disputed !== undefined) {
      out.ascii(' (duplicate use of ');
      out.ipv4(this.disputed);
      out.ascii(' detected!)');
    }
  }

  /** `192.0.2.1 is at 02:00:00:00:00:01`, or the hardware address first. */
  private writePair(out: TextBuffer, name: number, hardware: number, hardwareFirst: boolean, between = ' is at '): void {
    if (hardwareFirst) this.writeHardware(out, hardware);
    else this.writeName(out, name);
    out.ascii(between);
    if (hardwareFirst) this.writeName(out, name);
    else this.writeHardware(out, hardware);
  }

  private writeName(out: TextBuffer, at: number): void {
    if (hasIps(this)) out.ipv4(u32(this.bytes, this.start + at));
    else if (p(this) === 0) out.ascii('<No address>');
    else out.hexOctets(this.bytes, this.start + at, this.start + at + p(this));
  }

  private writeHardware(out: TextBuffer, at: number): void {
    if (hasMacs(this)) out.ether(this.bytes, this.start + at);
    else if (h(this) === 0) out.ascii('<No address>');
    else out.hexOctets(this.bytes, this.start + at, this.start + at + h(this));
  }
}

export const dissectArp: Dissect = (frame, start, end) => {
  const arp = new Arp(frame, start, end);
  if (!frame.add(arp, FIXED_LENGTH)) return;
  // What follows is padding of the link layer.
  if (frame.require(arp, arp.length)) arp.end = Math.min(end, start + arp.length);
  else return;
  if (hasIps(arp) && hasMacs(arp)) frame.session.hooks.arp?.(frame, arp);
};

export const arp: ProtocolEntry = {
  name: 'arp',
  layers: [Arp],
  dissect: dissectArp,
  on: [etherTypes.at([0x0806, 0x8035], dissectArp)],
};
