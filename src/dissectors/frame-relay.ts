/**
 * Frame Relay: a virtual circuit's number before a packet, and what kind of packet it is.
 *
 * RFC 2427 (multiprotocol encapsulation); Cisco's own encapsulation has an EtherType in place of control and NLPID.
 *
 *     0              2         3       4
 *     | address      | control | NLPID | payload …              RFC 2427; a pad of 00 may stand before the NLPID
 *     | address      | EtherType       | payload …              Cisco
 *
 * The address is two octets, three or four; the lowest bit of its last octet is set.
 */
import { computed, flag, uint8, uint16, uint24 } from '../core/field.js';
import { type Layer, layer } from '../core/layer.js';
import { u16, u24 } from '../core/octets.js';
import { type Dissect, etherTypes, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectEthernet } from './ethernet.js';
import { dispatchEtherType, ETHERTYPE, LEAST_TYPE } from './ethertypes.js';

const NLPID: Readonly<Record<number, string>> = {
  8: 'Q.933',
  128: 'SNAP',
  129: 'CLNP',
  130: 'ES-IS',
  131: 'IS-IS',
  142: 'IPv6',
  176: 'FRF.9',
  177: 'FRF.12',
  204: 'IP',
  207: 'PPP',
};
const UNNUMBERED_INFORMATION = 0x03;
const SNAP = 0x80;
const SNAP_LENGTH = 5;
const IEEE_802_1 = 0x0080c2;
const ETHERTYPE_OF: Readonly<Record<number, number>> = { 204: 0x0800, 142: 0x86dd };

/** Octets of the address: up to the one whose lowest bit is set, at most four. */
function addressLength(l: Layer): number {
  for (let i = 1; i < 4; i++) if (l.bytes[l.start + i]! & 1) return i + 1;
  return 4;
}
const whole = (l: Layer): boolean => l.start + 4 <= l.captured;
/** Cisco's frames have an EtherType where others have a control octet of 03. */
const cisco = (l: Layer): boolean => whole(l) && l.bytes[l.start + addressLength(l)] !== UNNUMBERED_INFORMATION;
const nlpidAt = (l: Layer): number => {
  const at = addressLength(l) + 1;
  return l.bytes[l.start + at] === 0 ? at + 1 : at;
};
const snap = (l: Layer): boolean => whole(l) && !cisco(l) && l.bytes[l.start + nlpidAt(l)] === SNAP;

function circuit(l: Layer): number {
  const { bytes: b, start } = l;
  const upper = ((b[start]! & 0xfc) << 2) | (b[start + 1]! >> 4);
  const length = addressLength(l);
  if (length === 2) return upper;
  const third = (upper << 7) | (b[start + 2]! >> 1);
  return length === 3 ? (upper << 6) | (b[start + 2]! >> 2) : (third << 6) | (b[start + 3]! >> 2);
}

/** A Frame Relay header. */
export class FrameRelay extends layer(
  'fr',
  'Frame Relay',
  {
    circuit: computed('uint32', 'fr.dlci', 'DLCI', (l) => (whole(l) ? circuit(l) : undefined)),
    command: flag('fr.cr', 'CR', 0, 0x02),
    forwardCongestion: flag('fr.fecn', 'FECN', 1, 0x08),
    backwardCongestion: flag('fr.becn', 'BECN', 1, 0x04),
    discardEligible: flag('fr.de', 'DE', 1, 0x02),
    control: uint8('fr.control', 'Control Field', addressLength, { base: 'hex', when: (l) => whole(l) && !cisco(l) }),
    nlpid: uint8('fr.nlpid', 'NLPID', nlpidAt, { base: 'hex', values: NLPID, when: (l) => whole(l) && !cisco(l) }),
    organisation: uint24('fr.snap.oui', 'Organization Code', (l) => nlpidAt(l) + 1, { base: 'hex', when: snap }),
    protocolId: uint16('fr.snap.pid', 'Protocol ID', (l) => nlpidAt(l) + 4, { base: 'hex', when: snap }),
    type: uint16('fr.chdlctype', 'Type', addressLength, { base: 'hex', values: ETHERTYPE, when: cisco }),
  },
  'FR',
) {
  override summary(out: TextBuffer): void {
    out.ascii('DLCI ');
    out.number(circuit(this));
  }
}

export const dissectFrameRelay: Dissect = (frame, start, end) => {
  const relay = new FrameRelay(frame, start, end);
  if (!frame.add(relay, 4)) return;
  const address = addressLength(relay);
  if (!frame.require(relay, address + 2)) return;
  if (cisco(relay)) {
    const type = u16(relay.bytes, start + address);
    if (type >= LEAST_TYPE) dispatchEtherType(frame, type, start + address + 2, end);
    else frame.data(start + address, end);
    return;
  }
  const at = nlpidAt(relay);
  if (!frame.require(relay, at + 1)) return;
  const nlpid = relay.bytes[start + at]!;
  const from = start + at + 1;
  if (nlpid === SNAP) {
    if (!frame.require(relay, at + 1 + SNAP_LENGTH)) return;
    const organisation = u24(relay.bytes, from);
    const protocol = u16(relay.bytes, from + 3);
    if (organisation === 0) dispatchEtherType(frame, protocol, from + SNAP_LENGTH, end);
    // Bridged Ethernet: 1 with FCS, 7 without.
    else if (organisation === IEEE_802_1 && (protocol === 1 || protocol === 7))
      dissectEthernet(frame, from + SNAP_LENGTH, protocol === 1 ? end - 4 : end);
    else frame.data(from + SNAP_LENGTH, end);
    return;
  }
  const etherType = ETHERTYPE_OF[nlpid];
  if (etherType === undefined || !frame.tryDispatch(etherTypes, etherType, from, end)) frame.data(from, end, NLPID[nlpid]);
};

export const frameRelay: ProtocolEntry = {
  name: 'fr',
  layers: [FrameRelay],
  dissect: dissectFrameRelay,
  on: [linkTypes.at(107, dissectFrameRelay), etherTypes.at(0x6559, dissectFrameRelay)],
};
