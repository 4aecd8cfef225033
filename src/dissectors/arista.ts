/**
 * Arista Vendor Specific Protocol: the time at which a switch mirrored a frame, put before its EtherType.
 *
 * Arista EOS manual, "Ingress/Egress timestamping in mirrored packets": version 0x0010 has 32 bits of seconds, 0x0020 has
 * 16; the upper octet of the version names the hardware.
 *
 *     0          2         4
 *     | sub type | version | seconds (4 or 2) | nanoseconds (4) | type | payload …
 */
import { group, mark, uint16, uint32 } from '../core/field.js';
import { type Layer, layer } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { type Dissect, etherTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dispatchEtherType, ETHERTYPE } from './ethertypes.js';

const AVSP = 0xd28b;
const TIMESTAMP = 1;
const FIXED_LENGTH = 4;
const WIDE = 0x10;
const NARROW = 0x20;

/** Octets of the time stamp; 0 where its form is not known. */
function stampLength(l: Layer): number {
  if (l.start + FIXED_LENGTH > l.captured || u16(l.bytes, l.start) !== TIMESTAMP) return 0;
  const form = l.bytes[l.start + 3]!;
  return form === WIDE ? 8 : form === NARROW ? 6 : 0;
}
const isWide = (l: Layer): boolean => stampLength(l) === 8;
const isNarrow = (l: Layer): boolean => stampLength(l) === 6;
const typeAt = (l: Layer): number => FIXED_LENGTH + stampLength(l);

/** A mirrored frame's time stamp. */
export class Arista extends layer(
  'avsp',
  'Arista Vendor Specific Protocol',
  {
    subType: uint16('avsp.sub_type', 'Sub Type', 0, { values: { 1: 'timestamp' } }),
    version: uint16('avsp.ver', 'Version', 2, { base: 'hex', values: { 16: 'Version 1', 32: 'Version 2' } }),
    ...group(
      { wide: mark('avsp.64ts', 'Timestamp (TAI)', FIXED_LENGTH, { when: isWide }) },
      {
        wideSeconds: uint32('avsp.64sec', 'Seconds', FIXED_LENGTH, { when: isWide }),
        wideNanoseconds: uint32('avsp.64ns', 'Nanoseconds', FIXED_LENGTH + 4, { when: isWide }),
      },
    ),
    ...group(
      { narrow: mark('avsp.48ts', 'Timestamp (TAI)', FIXED_LENGTH, { when: isNarrow }) },
      {
        narrowSeconds: uint16('avsp.48sec', 'Seconds', FIXED_LENGTH, { when: isNarrow }),
        narrowNanoseconds: uint32('avsp.48ns', 'Nanoseconds', FIXED_LENGTH + 2, { when: isNarrow }),
      },
    ),
    type: uint16('avsp.etype', 'Type', typeAt, { base: 'hex', values: ETHERTYPE, when: (l) => stampLength(l) > 0 }),
  },
  'AVSP',
) {
  override summary(out: TextBuffer): void {
    const seconds = this.wideSeconds ?? this.narrowSeconds;
    const nanoseconds = this.wideNanoseconds ?? this.narrowNanoseconds;
    out.ascii('Arista timestamp');
    if (seconds === undefined || nanoseconds === undefined) return;
    out.ascii(' ');
    out.number(seconds);
    out.ascii(`.${String(nanoseconds).padStart(9, '0')}`);
  }
}

export const dissectArista: Dissect = (frame, start, end) => {
  const stamp = new Arista(frame, start, end);
  if (!frame.add(stamp, FIXED_LENGTH)) return;
  const length = stampLength(stamp);
  if (length === 0) return frame.data(start + FIXED_LENGTH, end);
  const header = FIXED_LENGTH + length + 2;
  if (!frame.require(stamp, header)) return;
  dispatchEtherType(frame, u16(stamp.bytes, start + header - 2), start + header, end);
};

export const arista: ProtocolEntry = { name: 'avsp', layers: [Arista], dissect: dissectArista, on: [etherTypes.at(AVSP, dissectArista)] };
