/**
 * PPP over Ethernet: finding an access concentrator (discovery), and the PPP session with it.
 *
 * RFC 2516, RFC 4638 (larger payloads).
 *
 *     0               1      2         4        6
 *     | version, type | code | session | length | tags … or PPP …
 *     tag: | type (2) | length (2) | value … |
 */
import { bits, bytes, expert, type Field, many, string, uint8, uint16 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { type Dissect, etherTypes, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectPpp } from './ppp.js';

const HEADER_LENGTH = 6;
const TAG_HEADER = 4;
/** Octets that an Ethernet frame carries at the least. */
const LEAST_PAYLOAD = 46;

const CODE: Readonly<Record<number, string>> = {
  0: 'Session Data',
  7: 'Active Discovery Offer (PADO)',
  9: 'Active Discovery Initiation (PADI)',
  10: 'Active Discovery Session-Grant (PADG)',
  11: 'Active Discovery Session-Credit Response (PADC)',
  12: 'Active Discovery Quality (PADQ)',
  25: 'Active Discovery Request (PADR)',
  101: 'Active Discovery Session-confirmation (PADS)',
  167: 'Active Discovery Terminate (PADT)',
  211: 'Active Discovery Message (PADM)',
  212: 'Active Discovery Network (PADN)',
};

const TAG: Readonly<Record<number, string>> = {
  0: 'End-Of-List',
  257: 'Service-Name',
  258: 'AC-Name',
  259: 'Host-Uniq',
  260: 'AC-Cookie',
  261: 'Vendor-Specific',
  272: 'Relay-Session-Id',
  288: 'PPP-Max-Payload',
  513: 'Service-Name-Error',
  514: 'AC-System-Error',
  515: 'Generic-Error',
};

/** The header, the same in both stages. */
const header = () => ({
  version: bits('pppoe.version', 'Version', 0, 8, 0xf0),
  type: bits('pppoe.type', 'Type', 0, 8, 0x0f),
  code: uint8('pppoe.code', 'Code', 1, { base: 'hex', values: CODE }),
  sessionId: uint16('pppoe.session_id', 'Session ID', 2, { base: 'hex' }),
  payloadLength: uint16('pppoe.payload_length', 'Payload Length', 4, { unit: 'bytes' }),
});

const tagRows = {
  serviceName: many(string('pppoed.tags.service_name', 'Service-Name')),
  acName: many(string('pppoed.tags.ac_name', 'AC-Name')),
  hostUniq: many(bytes('pppoed.tags.host_uniq', 'Host-Uniq')),
  acCookie: many(bytes('pppoed.tags.ac_cookie', 'AC-Cookie')),
  relaySessionId: many(bytes('pppoed.tags.relay_session_id', 'Relay-Session-Id')),
  maxPayload: many(bytes('pppoed.tags.max_payload', 'PPP-Max-Payload')),
  serviceNameError: many(string('pppoed.tags.service_name_error', 'Service-Name-Error')),
  acSystemError: many(string('pppoed.tags.ac_system_error', 'AC-System-Error')),
  genericError: many(string('pppoed.tags.generic_error', 'Generic-Error')),
  unknown: many(bytes('pppoed.tag.unknown_data', 'Unknown Data')),
};
const TAG_ROW: Readonly<Record<number, Field>> = {
  257: tagRows.serviceName,
  258: tagRows.acName,
  259: tagRows.hostUniq,
  260: tagRows.acCookie,
  272: tagRows.relaySessionId,
  288: tagRows.maxPayload,
  513: tagRows.serviceNameError,
  514: tagRows.acSystemError,
  515: tagRows.genericError,
};
const discoveryRows = {
  ...header(),
  tag: many(uint16('pppoed.tag', 'Tag', { base: 'hex', values: TAG })),
  tagLength: many(uint16('pppoed.tag_length', 'Tag Length', { unit: 'bytes' })),
  ...tagRows,
};

/** Where the payload ends by its own length. */
const payloadEnd = (l: Layer): number => Math.min(l.start + HEADER_LENGTH + u16(l.bytes, l.start + 4), l.end);

function writeCode(out: TextBuffer, l: Layer): void {
  const code = l.bytes[l.start + 1]!;
  out.ascii(CODE[code] ?? `Unknown (0x${code.toString(16).padStart(2, '0')})`);
}

/** The discovery stage. */
export class PppoeDiscovery extends layer('pppoed', 'PPP-over-Ethernet Discovery', discoveryRows, 'PPPoED') {
  override walk(tree: Tree): void {
    if (this.start + HEADER_LENGTH > this.captured) return;
    const end = Math.min(payloadEnd(this), this.captured);
    // Each tag is at least its header, so the walk advances.
    for (let at = this.start + HEADER_LENGTH; at + TAG_HEADER <= end; ) {
      const type = u16(this.bytes, at);
      const length = u16(this.bytes, at + 2);
      tree.heading(TAG[type] ?? 'Unknown tag', at, Math.min(TAG_HEADER + length, end - at));
      tree.add(discoveryRows.tag, at);
      tree.add(discoveryRows.tagLength, at + 2);
      const fits = at + TAG_HEADER + length <= end;
      if (fits && length > 0) tree.add(TAG_ROW[type] ?? tagRows.unknown, at + TAG_HEADER, length);
      tree.close();
      if (type === 0 || !fits) return;
      at += TAG_HEADER + length;
    }
  }
  override summary(out: TextBuffer): void {
    writeCode(out, this);
    const concentrator = this.acName[0];
    if (concentrator !== undefined) out.text(` AC-Name='${concentrator}'`);
  }
}

/** The session stage. */
export class PppoeSession extends layer(
  'pppoes',
  'PPP-over-Ethernet Session',
  {
    ...header(),
    // A short frame is filled up to the least that Ethernet carries.
    badLength: expert(
      'warn',
      'malformed',
      'pppoe.payload_length.bad',
      'Possible bad payload length',
      (l) => {
        if (l.start + HEADER_LENGTH > l.captured) return false;
        const stated = u16(l.bytes, l.start + 4);
        return l.end - l.start > LEAST_PAYLOAD && stated !== l.end - l.start - HEADER_LENGTH;
      },
      { message: (l: Layer) => `Possible bad payload length ${u16(l.bytes, l.start + 4)} != ${l.end - l.start - HEADER_LENGTH}` },
    ),
  },
  'PPPoES',
) {
  override summary(out: TextBuffer): void {
    writeCode(out, this);
  }
}

export const dissectPppoeDiscovery: Dissect = (frame, start, end) => {
  const pppoe = new PppoeDiscovery(frame, start, end);
  if (!frame.add(pppoe, HEADER_LENGTH)) return;
  const stop = start + HEADER_LENGTH + u16(pppoe.bytes, start + 4);
  if (stop > end) frame.malformed(pppoe, stop - start);
};

export const dissectPppoeSession: Dissect = (frame, start, end) => {
  const pppoe = new PppoeSession(frame, start, end);
  if (!frame.add(pppoe, HEADER_LENGTH)) return;
  const stop = payloadEnd(pppoe);
  if (start + HEADER_LENGTH < stop) dissectPpp(frame, start + HEADER_LENGTH, stop);
};

export const pppoeDiscovery: ProtocolEntry = {
  name: 'pppoed',
  layers: [PppoeDiscovery],
  dissect: dissectPppoeDiscovery,
  on: [etherTypes.at(0x8863, dissectPppoeDiscovery)],
};

export const pppoeSession: ProtocolEntry = {
  name: 'pppoes',
  layers: [PppoeSession],
  dissect: dissectPppoeSession,
  on: [etherTypes.at(0x8864, dissectPppoeSession), linkTypes.at(51, dissectPppoeSession)],
};
