/**
 * Cisco MetaData (CMD): the security group of the sender, put before a packet by TrustSec switches and routers.
 *
 * draft-smith-kandula-sxp (groups); the octets as Cisco's devices send them. In GRE the type comes first.
 *
 *     0         1        2         4       6
 *     | version | length | options | group | type | payload …          Ethernet
 *     0      2         3        4         6       8
 *     | type | version | length | options | group | payload …          GRE
 */
import { uint8, uint16 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { type Dissect, etherTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { ETHERTYPE } from './ethertypes.js';
import { greProtocols } from './gre.js';

const CISCO_METADATA = 0x8909;
const HEADER_LENGTH = 8;

/** Where version, length, options and group begin. */
const tagAt = (l: Layer): number => ((l as Layer & { readonly typeFirst: boolean }).typeFirst ? 2 : 0);
const typeAt = (l: Layer): number => (tagAt(l) === 2 ? 0 : 6);

/** A Cisco MetaData header. */
export class CiscoMetadata extends layer('cmd', 'Cisco MetaData', {
  type: uint16('cmd.type', 'Type', typeAt, { base: 'hex', values: ETHERTYPE }),
  version: uint8('cmd.version', 'Version', tagAt),
  length: uint8('cmd.length', 'Length', (l) => tagAt(l) + 1),
  options: uint16('cmd.options', 'Options', (l) => tagAt(l) + 2, { base: 'hex' }),
  group: uint16('cmd.sgt', 'SGT', (l) => tagAt(l) + 4),
}) {
  /** Within GRE the type comes first. */
  declare typeFirst: boolean;

  override summary(out: TextBuffer): void {
    out.ascii('Security group ');
    out.number(u16(this.bytes, this.start + tagAt(this) + 4));
  }
}

function dissectTag(frame: Frame, start: number, end: number, typeFirst: boolean): void {
  const tag = new CiscoMetadata(frame, start, end);
  tag.typeFirst = typeFirst;
  if (!frame.add(tag, HEADER_LENGTH)) return;
  frame.dispatch(etherTypes, u16(tag.bytes, start + typeAt(tag)), start + HEADER_LENGTH, end);
}

export const dissectCiscoMetadata: Dissect = (frame, start, end) => dissectTag(frame, start, end, false);
const dissectInGre: Dissect = (frame, start, end) => dissectTag(frame, start, end, true);

export const ciscoMetadata: ProtocolEntry = {
  name: 'cmd',
  layers: [CiscoMetadata],
  dissect: dissectCiscoMetadata,
  on: [etherTypes.at(CISCO_METADATA, dissectCiscoMetadata), greProtocols.at(CISCO_METADATA, dissectInGre)],
};
