/**
 * Anything In Anything: IPv6 in UDP with a signature, as tunnel brokers used it.
 *
 * draft-massar-v6ops-ayiya section 3.
 *
 *     0                         1                             2                    3      4       8
 *     | identity length, type   | signature length/4, method  | auth method, op    | next | epoch | identity, signature, payload …
 *       length as a power of 2
 */
import { bits, bytes, uint8, uint32 } from '../core/field.js';
import { type Layer, layer } from '../core/layer.js';
import { type Dissect, ipProtocols, type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { IP_PROTOCOL } from './ip-protocols.js';

const FIXED_LENGTH = 8;
const FORWARD = 1;

const identityLength = (l: Layer): number => 1 << (l.bytes[l.start]! >> 4);
const signatureLength = (l: Layer): number => (l.bytes[l.start + 1]! >> 4) * 4;

/** An AYIYA header. */
export class Ayiya extends layer('ayiya', 'Anything in Anything Protocol', {
  identityLength: bits('ayiya.idlen', 'Identity field length', 0, 8, 0xf0),
  identityType: bits('ayiya.idtype', 'Identity field type', 0, 8, 0x0f),
  signatureLength: bits('ayiya.siglen', 'Signature Length', 1, 8, 0xf0),
  hash: bits('ayiya.hashmethod', 'Hash method', 1, 8, 0x0f),
  authentication: bits('ayiya.authmethod', 'Authentication method', 2, 8, 0xf0),
  operation: bits('ayiya.opcode', 'Operation Code', 2, 8, 0x0f),
  nextHeader: uint8('ayiya.nextheader', 'Next Header', 3, { values: IP_PROTOCOL }),
  epoch: uint32('ayiya.epoch', 'Epoch', 4),
  identity: bytes('ayiya.identity', 'Identity', FIXED_LENGTH, identityLength),
  signature: bytes('ayiya.signature', 'Signature', (l) => FIXED_LENGTH + identityLength(l), signatureLength),
}) {
  override summary(out: TextBuffer): void {
    out.ascii('AYIYA operation ');
    out.number(this.bytes[this.start + 2]! & 15);
  }
}

export const dissectAyiya: Dissect = (frame, start, end) => {
  const ayiya = new Ayiya(frame, start, end);
  if (!frame.add(ayiya, FIXED_LENGTH)) return;
  const header = FIXED_LENGTH + identityLength(ayiya) + signatureLength(ayiya);
  if (!frame.require(ayiya, header)) return;
  const { bytes: b } = ayiya;
  if ((b[start + 2]! & 15) === FORWARD) frame.dispatch(ipProtocols, b[start + 3]!, start + header, end);
};

export const ayiya: ProtocolEntry = { name: 'ayiya', layers: [Ayiya], dissect: dissectAyiya, on: [udpPorts.at(5072, dissectAyiya)] };
