/**
 * Internet Protocol version 6. Its extension headers are in ipv6-extensions.ts.
 *
 * RFC 8200, RFC 2675 (jumbograms), RFC 6052 (embedded IPv4), RFC 3056 (6to4), RFC 4380 (Teredo), RFC 5214 (ISATAP).
 *
 *     0                        4        6      7           8     24    40
 *     | version, class, flow  | length | next | hop limit | src | dst | payload …
 */

import { ipv6Text } from '../core/addresses.js';
import { bits, computed, expert, group, ipv4, ipv6, type Raw, uint8, uint16 } from '../core/field.js';
import { type Layer, layer } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { type Dissect, etherTypes, ipProtocols, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dscpName, ECN, IP_PROTOCOL, ipProtocolName } from './ip-protocols.js';

const HEADER_LENGTH = 40;
const SOURCE = 8;
const DESTINATION = 24;
const HOP_BY_HOP = 0;
const NO_NEXT_HEADER = 59;

const version = (l: Layer): number => l.bytes[l.start]! >> 4;

/** Rows for what an address has inside: those of the source, and the same of the destination. */
function inside(end: 'src' | 'dst', which: string, offset: number) {
  const at = (l: Layer): number => l.start + offset;
  const held = (l: Layer): boolean => at(l) + 16 <= l.captured;
  const isWellKnown = (l: Layer): boolean =>
    held(l) && u32(l.bytes, at(l)) === 0x0064ff9b && u32(l.bytes, at(l) + 4) === 0 && u32(l.bytes, at(l) + 8) === 0;
  const is6to4 = (l: Layer): boolean => held(l) && u16(l.bytes, at(l)) === 0x2002;
  const isTeredo = (l: Layer): boolean => held(l) && u32(l.bytes, at(l)) === 0x20010000;
  const isIsatap = (l: Layer): boolean => held(l) && (u32(l.bytes, at(l) + 8) & 0xfdffffff) >>> 0 === 0x00005efe;
  const isSlaac = (l: Layer): boolean => held(l) && l.bytes[at(l) + 11] === 0xff && l.bytes[at(l) + 12] === 0xfe;
  const quiet = { quiet: true } as const;
  return {
    slaac: computed(
      'ether',
      `ipv6.${end}_slaac_mac`,
      `${which} SLAAC MAC`,
      (l): Raw | undefined => {
        if (!isSlaac(l)) return undefined;
        const i = at(l) + 8;
        return Uint8Array.of(l.bytes[i]! ^ 2, l.bytes[i + 1]!, l.bytes[i + 2]!, l.bytes[i + 5]!, l.bytes[i + 6]!, l.bytes[i + 7]!);
      },
      { ...quiet, also: ['ipv6.slaac_mac'] },
    ),
    isatap: ipv4(`ipv6.${end}_isatap_ipv4`, `${which} ISATAP IPv4`, offset + 12, { when: isIsatap, ...quiet, also: ['ipv6.isatap_ipv4'] }),
    gateway: ipv4(`ipv6.${end}_6to4_gw_ipv4`, `${which} 6to4 Gateway IPv4`, offset + 2, {
      when: is6to4,
      ...quiet,
      also: ['ipv6.6to4_gw_ipv4'],
    }),
    sla: uint16(`ipv6.${end}_6to4_sla_id`, `${which} 6to4 SLA ID`, offset + 6, { when: is6to4, ...quiet, also: ['ipv6.6to4_sla_id'] }),
    teredoServer: ipv4(`ipv6.${end}_ts_ipv4`, `${which} Teredo Server IPv4`, offset + 4, {
      when: isTeredo,
      ...quiet,
      also: ['ipv6.ts_ipv4'],
    }),
    teredoPort: computed(
      'uint16',
      `ipv6.${end}_tc_port`,
      `${which} Teredo Port`,
      (l) => (isTeredo(l) ? u16(l.bytes, at(l) + 10) ^ 0xffff : undefined),
      { ...quiet, also: ['ipv6.tc_port'] },
    ),
    teredoClient: computed(
      'ipv4',
      `ipv6.${end}_tc_ipv4`,
      `${which} Teredo Client IPv4`,
      (l) => (isTeredo(l) ? ~u32(l.bytes, at(l) + 12) >>> 0 : undefined),
      { ...quiet, also: ['ipv6.tc_ipv4'] },
    ),
    embedded: ipv4(`ipv6.${end}_embed_ipv4`, `${which} Embedded IPv4`, offset + 12, {
      when: isWellKnown,
      ...quiet,
      also: ['ipv6.embed_ipv4'],
    }),
  };
}

/** What a row may know of its layer besides the octets. */
interface Carried extends Layer {
  readonly jumbo: number | undefined;
  readonly quoted: true | undefined;
}

/** The same rows under property names of their own. */
const source = inside('src', 'Source', SOURCE);
const destination = inside('dst', 'Destination', DESTINATION);

/** The fixed header of IPv6. */
export class Ipv6 extends layer(
  'ipv6',
  'Internet Protocol Version 6',
  {
    ...group(
      { version: bits('ipv6.version', 'Version', 0, 8, 0xf0) },
      {
        ipVersion: bits('ip.version', 'Version', 0, 8, 0xf0, { quiet: true }),
        invalidHeader: expert(
          'error',
          'malformed',
          'ipv6.invalid_header',
          'Invalid IPv6 header',
          (l) => l.start < l.captured && version(l) === 6 && l.end - l.start < HEADER_LENGTH,
        ),
        bogusVersion: expert(
          'error',
          'malformed',
          'ipv6.bogus_ipv6_version',
          'Bogus IP version',
          (l) => l.start < l.captured && version(l) !== 6,
        ),
      },
    ),
    ...group(
      { trafficClass: bits('ipv6.tclass', 'Traffic Class', 0, 32, 0x0ff00000, { base: 'hex' }) },
      {
        dscp: bits('ipv6.tclass.dscp', 'Differentiated Services Codepoint', 0, 32, 0x0fc00000, { values: dscpName }),
        ecn: bits('ipv6.tclass.ecn', 'Explicit Congestion Notification', 0, 32, 0x00300000, { values: ECN }),
      },
    ),
    flowLabel: bits('ipv6.flow', 'Flow Label', 1, 24, 0x0fffff, { base: 'hex' }),
    ...group(
      { payloadLength: uint16('ipv6.plen', 'Payload Length', 4) },
      {
        lengthZero: expert(
          'chat',
          'protocol',
          'ipv6.plen_zero',
          'IPv6 payload length equals 0 (maybe because of "TCP segmentation offload" (TSO))',
          (l: Carried) => isWhole(l) && u16(l.bytes, l.start + 4) === 0 && l.bytes[l.start + 6] !== NO_NEXT_HEADER && l.jumbo === undefined,
        ),
        lengthExceeds: expert(
          'warn',
          'protocol',
          'ipv6.plen_exceeds_framing',
          'IPv6 payload length does not match expected framing length',
          (l: Carried) => isWhole(l) && l.quoted === undefined && lengthOf(l) > l.end - l.start - HEADER_LENGTH,
        ),
        jumboMissing: expert(
          'error',
          'protocol',
          'ipv6.opt.jumbo.missing',
          'IPv6 payload length equals 0 and Hop-By-Hop present and Jumbo Payload option missing',
          (l: Carried) => isWhole(l) && l.bytes[l.start + 6] === HOP_BY_HOP && u16(l.bytes, l.start + 4) === 0 && l.jumbo === undefined,
        ),
      },
    ),
    nextHeader: uint8('ipv6.nxt', 'Next Header', 6, { values: IP_PROTOCOL }),
    hopLimit: uint8('ipv6.hlim', 'Hop Limit', 7),
    source: ipv6('ipv6.src', 'Source Address', SOURCE, { also: ['ipv6.addr'] }),
    destination: ipv6('ipv6.dst', 'Destination Address', DESTINATION, { also: ['ipv6.addr'] }),
    sourceSlaac: source.slaac,
    sourceIsatap: source.isatap,
    source6to4Gateway: source.gateway,
    source6to4Sla: source.sla,
    sourceTeredoServer: source.teredoServer,
    sourceTeredoPort: source.teredoPort,
    sourceTeredoClient: source.teredoClient,
    sourceEmbedded: source.embedded,
    destinationSlaac: destination.slaac,
    destinationIsatap: destination.isatap,
    destination6to4Gateway: destination.gateway,
    destination6to4Sla: destination.sla,
    destinationTeredoServer: destination.teredoServer,
    destinationTeredoPort: destination.teredoPort,
    destinationTeredoClient: destination.teredoClient,
    destinationEmbedded: destination.embedded,
  },
  'IPv6',
) {
  /** The length that a jumbo payload option gives. */
  declare jumbo: number | undefined;
  /** The last stop of a routing header that is not yet reached. */
  declare route: { readonly bytes: Uint8Array; readonly at: number } | undefined;
  /** Part of what an ICMPv6 error quotes: its length tells of a datagram that is not here. */
  declare quoted: true | undefined;

  writeSource(out: TextBuffer): void {
    out.ascii(ipv6Text(this.bytes, this.start + SOURCE));
  }
  writeDestination(out: TextBuffer): void {
    const { route } = this;
    out.ascii(route ? ipv6Text(route.bytes, route.at) : ipv6Text(this.bytes, this.start + DESTINATION));
  }
  override summary(out: TextBuffer): void {
    if (version(this) !== 6) {
      out.ascii('Bogus IPv6 version (');
      out.number(version(this));
      out.ascii(', must be 6)');
      return;
    }
    writeNextHeader(out, this.bytes[this.start + 6]!);
  }
}

/** What the Info column says of octets under a header whose next header nobody knows. */
export function writeNextHeader(out: TextBuffer, next: number): void {
  if (next === NO_NEXT_HEADER) {
    out.ascii('IPv6 no next header');
    return;
  }
  out.ascii(ipProtocolName(next));
  out.ascii(' (');
  out.number(next);
  out.ascii(')');
}

const isWhole = (l: Layer): boolean => l.start + HEADER_LENGTH <= l.captured;
const lengthOf = (l: Carried): number => l.jumbo ?? u16(l.bytes, l.start + 4);

const JUMBO = 0xc2;
const TCP = 6;
const UDP = 17;
/** Octets that an IPv6 packet has at most without a jumbo payload option (RFC 8200 section 3). */
const MOST_LENGTH = 40 + 65535;

/** The length that a jumbo payload option in the hop-by-hop header at `start` gives (RFC 2675), if there is one. */
function findJumbo(b: Uint8Array, start: number, captured: number): number | undefined {
  const end = Math.min(start + (b[start + 1]! + 1) * 8, captured);
  // Each turn takes an octet at least.
  for (let at = start + 2; at + 1 < end; ) {
    if (b[at] === 0) at++;
    else if (b[at] === JUMBO && b[at + 1] === 4 && at + 6 <= end) return u32(b, at + 2);
    else at += 2 + b[at + 1]!;
  }
  return undefined;
}

export const dissectIpv6: Dissect = (frame, start, end) => {
  const { bytes: b, captured } = frame;
  if (start < captured && b[start]! >> 4 !== 6) {
    // Nothing else can be believed, so nothing else is shown.
    const ip = new Ipv6(frame, start, start + 1);
    frame.add(ip, 1);
    return frame.malformed(ip, HEADER_LENGTH);
  }
  let length = start + 6 <= captured ? u16(b, start + 4) : 0;
  let jumbo: number | undefined;
  if (length === 0 && start + HEADER_LENGTH + 8 <= captured && b[start + 6] === HOP_BY_HOP) {
    jumbo = findJumbo(b, start + HEADER_LENGTH, captured);
    length = jumbo ?? 0;
  }
  // 0: the network card was to cut the packet up (segmentation offload), so the length is what was captured. Cards do that
  // for TCP and UDP; elsewhere 0 means what it says, unless the packet is longer than the field can tell.
  const offloaded =
    length === 0 && (b[start + 6] === TCP || b[start + 6] === UDP || end - start > MOST_LENGTH || start + HEADER_LENGTH > captured);
  const stop = !offloaded && start + HEADER_LENGTH + length <= end ? start + HEADER_LENGTH + length : end;
  const ip = new Ipv6(frame, start, stop);
  if (jumbo !== undefined) ip.jumbo = jumbo;
  if (frame.quoted > 0) ip.quoted = true;
  if (!frame.add(ip, HEADER_LENGTH, ip.captured - start)) return;
  frame.addressing = ip;
  frame.dispatch(ipProtocols, b[start + 6]!, start + HEADER_LENGTH, stop);
};

export const ipv6Protocol: ProtocolEntry = {
  name: 'ipv6',
  layers: [Ipv6],
  dissect: dissectIpv6,
  on: [etherTypes.at(0x86dd, dissectIpv6), ipProtocols.at(41, dissectIpv6), linkTypes.at(229, dissectIpv6)],
};
