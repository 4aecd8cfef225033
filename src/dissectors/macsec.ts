/**
 * MAC security: Ethernet frames that are authenticated, and mostly encrypted, from one station to the next.
 *
 * IEEE 802.1AE-2018 clauses 9.3 to 9.9 (SecTAG), 10.5 (which octets are covered).
 *
 *     0        1    2               6          14
 *     | TCI,AN | SL | packet number | SCI (8)  | type | payload … | ICV (16)
 *                                     only where the SC bit is set
 */
import { bits, bytes, ether, flag, group, uint8, uint16, uint32 } from '../core/field.js';
import { type Layer, layer } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { type Dissect, etherTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dispatchEtherType, ETHERTYPE } from './ethertypes.js';

const MACSEC = 0x88e5;
const TAG_LENGTH = 6;
const SCI_LENGTH = 8;
/** Octets of the check value of the default cipher suites (clause 14.5). */
const ICV_LENGTH = 16;
const SC = 0x20;
const ENCRYPTED = 0x08;
const CHANGED = 0x04;

const tciOf = (l: Layer): number => (l.start < l.captured ? l.bytes[l.start]! : 0);
const hasSci = (l: Layer): boolean => (tciOf(l) & SC) !== 0;
const headerLength = (l: Layer): number => TAG_LENGTH + (hasSci(l) ? SCI_LENGTH : 0);
/** The payload stands there as it was: neither encrypted nor otherwise changed. */
const isPlain = (l: Layer): boolean => l.start < l.captured && (tciOf(l) & (ENCRYPTED | CHANGED)) === 0;
/** Where the check value begins: behind the short payload that the tag tells the length of, else at the end. */
function icvAt(l: Layer): number {
  const short = l.bytes[l.start + 1]! & 0x3f;
  const behind = l.start + headerLength(l) + short;
  return short > 0 && behind + ICV_LENGTH <= l.end ? behind : l.end - ICV_LENGTH;
}

/** A security tag (SecTAG) with the check value at the end. */
export class Macsec extends layer(
  'macsec',
  '802.1AE Security tag',
  {
    ...group(
      { tci: bits('macsec.TCI', 'TCI', 0, 8, 0xfc, { base: 'hex' }) },
      {
        version: bits('macsec.TCI.V', 'VER', 0, 8, 0x80, { base: 'hex' }),
        endStation: flag('macsec.TCI.ES', 'ES', 0, 0x40),
        hasSci: flag('macsec.TCI.SC', 'SC', 0, SC),
        broadcast: flag('macsec.TCI.SCB', 'SCB', 0, 0x10),
        encrypted: flag('macsec.TCI.E', 'E', 0, ENCRYPTED),
        changed: flag('macsec.TCI.C', 'C', 0, CHANGED),
      },
    ),
    association: bits('macsec.AN', 'AN', 0, 8, 0x03, { base: 'hex' }),
    shortLength: uint8('macsec.SL', 'Short length', 1),
    packetNumber: uint32('macsec.PN', 'Packet number', 2),
    systemId: ether('macsec.SCI.system_identifier', 'System Identifier', TAG_LENGTH, { when: hasSci }),
    portId: uint16('macsec.SCI.port_identifier', 'Port Identifier', TAG_LENGTH + 6, { when: hasSci }),
    type: uint16('macsec.etype', 'Ethertype', headerLength, { base: 'hex', values: ETHERTYPE, when: isPlain }),
    icv: bytes('macsec.ICV', 'ICV', (l) => icvAt(l) - l.start, ICV_LENGTH, {
      when: (l: Layer) => l.start + 2 <= l.captured && icvAt(l) >= l.start + headerLength(l),
    }),
  },
  'MACSEC',
) {
  override summary(out: TextBuffer): void {
    out.ascii('MACsec');
    if ((tciOf(this) & ENCRYPTED) !== 0) out.ascii(', encrypted');
    out.ascii(', packet ');
    out.number(u32(this.bytes, this.start + 2));
  }
}

export const dissectMacsec: Dissect = (frame, start, end) => {
  const macsec = new Macsec(frame, start, end);
  if (!frame.add(macsec, TAG_LENGTH)) return;
  const header = headerLength(macsec);
  if (!frame.require(macsec, header)) return;
  const stop = icvAt(macsec);
  // The frame must have room for a type and the check value.
  if (stop < start + header + 2) return frame.malformed(macsec, header + 2 + ICV_LENGTH);
  if (!isPlain(macsec)) return frame.data(start + header, stop);
  if (!frame.require(macsec, header + 2)) return;
  dispatchEtherType(frame, u16(macsec.bytes, start + header), start + header + 2, stop);
};

export const macsec: ProtocolEntry = {
  name: 'macsec',
  layers: [Macsec],
  dissect: dissectMacsec,
  on: [etherTypes.at(MACSEC, dissectMacsec)],
};
