/**
 * Internet Protocol version 4.
 *
 * RFC 791 (header, options), RFC 2474 (DSCP), RFC 3168 (ECN).
 *
 *     0     1     2        4    6              8     9       10         12    16    20
 *     | v,h | dsf | length | id | flags,offset | ttl | proto | checksum | src | dst | options …
 */
import { foldChecksum, sumWords } from '../core/checksum.js';
import { bits, computed, flag, group, ipv4, uint8, uint16 } from '../core/field.js';
import { type Layer, layer } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { type Dissect, etherTypes, ipProtocols, linkTypes, type ProtocolEntry } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';

export const IP_PROTOCOL: Readonly<Record<number, string>> = {
  1: 'ICMP',
  2: 'IGMP',
  6: 'TCP',
  17: 'UDP',
  41: 'IPv6',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'ICMPv6',
};
const CHECKSUM_STATUS = { 0: 'Bad', 1: 'Good', 2: 'Unverified' };

const FIXED_LENGTH = 20;

export class Ipv4 extends layer(
  'ip',
  'Internet Protocol Version 4',
  {
    version: bits('ip.version', 'Version', 0, 8, 0xf0),
    headerLength: computed('uint8', 'ip.hdr_len', 'Header Length', (l) => (l.start < l.captured ? headerLength(l) : undefined), {
      unit: 'bytes',
      pure: [0, 1],
    }),
    ...group(
      { dsField: uint8('ip.dsfield', 'Differentiated Services Field', 1, { base: 'hex' }) },
      {
        dscp: bits('ip.dsfield.dscp', 'Differentiated Services Codepoint', 1, 8, 0xfc),
        ecn: bits('ip.dsfield.ecn', 'Explicit Congestion Notification', 1, 8, 0x03),
      },
    ),
    totalLength: uint16('ip.len', 'Total Length', 2, { unit: 'bytes' }),
    id: uint16('ip.id', 'Identification', 4, { base: 'hex' }),
    ...group(
      { flags: bits('ip.flags', 'Flags', 6, 8, 0xe0, { base: 'hex' }) },
      {
        reserved: flag('ip.flags.rb', 'Reserved bit', 6, 0x80),
        dontFragment: flag('ip.flags.df', "Don't fragment", 6, 0x40),
        moreFragments: flag('ip.flags.mf', 'More fragments', 6, 0x20),
      },
    ),
    fragmentOffset: bits('ip.frag_offset', 'Fragment Offset', 6, 16, 0x1fff),
    ttl: uint8('ip.ttl', 'Time to Live', 8),
    protocolNumber: uint8('ip.proto', 'Protocol', 9, { values: IP_PROTOCOL }),
    ...group(
      { checksum: uint16('ip.checksum', 'Header Checksum', 10, { base: 'hex' }) },
      {
        checksumStatus: computed('uint8', 'ip.checksum.status', 'Header checksum status', (l) => checksumStatus(l), {
          values: CHECKSUM_STATUS,
        }),
      },
    ),
    source: ipv4('ip.src', 'Source Address', 12, { also: ['ip.addr'] }),
    destination: ipv4('ip.dst', 'Destination Address', 16, { also: ['ip.addr'] }),
  },
  'IPv4',
) {
  writeSource(out: TextBuffer): void {
    out.ipv4(u32(this.bytes, this.start + 12));
  }
  writeDestination(out: TextBuffer): void {
    out.ipv4(u32(this.bytes, this.start + 16));
  }
  override summary(out: TextBuffer): void {
    const protocol = this.bytes[this.start + 9]!;
    out.text(IP_PROTOCOL[protocol] ?? `protocol ${protocol}`);
  }
}

const headerLength = (l: Layer) => (l.bytes[l.start]! & 0x0f) * 4;

const checksumStatus = (l: Layer): number | undefined => {
  const end = l.start + headerLength(l);
  if (l.start + 12 > l.captured) return undefined;
  if (!l.frame.session.checksums || end > l.captured) return 2;
  return foldChecksum(sumWords(l.bytes, l.start, end)) === 0 ? 1 : 0;
};

export const dissectIpv4: Dissect = (frame, start, end) => {
  const ip = new Ipv4(frame, start, end);
  if (!frame.add(ip, FIXED_LENGTH)) return;
  frame.addressing = ip;
  const { bytes } = ip;
  const header = headerLength(ip);
  if (header < FIXED_LENGTH) return frame.malformed(ip, FIXED_LENGTH);
  if (!frame.require(ip, header)) return;
  const total = u16(bytes, start + 2);
  // 0: the network card was to cut the packet up (segmentation offload), so the length is what was captured.
  const stop = total >= header && start + total <= end ? start + total : end;
  ip.end = stop;
  if ((u16(bytes, start + 6) & 0x1fff) !== 0) return frame.data(start + header, stop);
  frame.dispatch(ipProtocols, bytes[start + 9]!, start + header, stop);
};

export const ipv4Protocol: ProtocolEntry = {
  name: 'ip',
  layers: [Ipv4],
  dissect: dissectIpv4,
  on: [etherTypes.at(0x0800, dissectIpv4), ipProtocols.at(4, dissectIpv4), linkTypes.at([12, 101, 228], dissectIpv4)],
};
