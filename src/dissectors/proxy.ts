/**
 * PROXY protocol: what a load balancer says of the connection that it passes on, before the first octet of it: who the client is
 * and whom it called. HAProxy, nginx, Envoy and the balancers of clouds send it.
 *
 * https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt (version 1 is one line of text, version 2 is binary)
 *
 *     PROXY TCP4 192.0.2.1 192.0.2.2 52176 443\r\n        or TCP6, or UNKNOWN with or without more
 *
 *     0           12          13        14       16
 *     signature   2  command  af  type  length   addresses and ports     TLVs: type 1, length 2, value
 *                 4  4        4   4
 *
 * What follows is what the port says, else what it begins with.
 */
import { ipv4Text, ipv6Text, parseIpv4, parseIpv6 } from '../core/addresses.js';
import { bits, bytes, group, ipv4, ipv6, many, mark, string, uint8, uint16, uint32 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { layer, type Tree } from '../core/layer.js';
import { latin1Of, u16, u32 } from '../core/octets.js';
import { type ProtocolEntry, tcpPorts } from '../core/registry.js';
import { ALIEN, MORE, type StreamContext, type StreamParser, type StreamProtocol } from '../core/stream.js';
import type { TextBuffer } from '../core/text.js';

/** Longest line of version 1, with its end. */
const MAX_LINE = 107;
const WORD = 'PROXY ';
const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const HEADER_LENGTH = 16;
/** More than any sender has to say. */
const MAX_LENGTH = 4096;

const COMMANDS = { 0: 'Local', 1: 'Proxy' };
const FAMILIES = { 0: 'Unspecified', 1: 'IPv4', 2: 'IPv6', 3: 'UNIX' };
const TYPES = { 0: 'Unspecified', 1: 'Stream', 2: 'Datagram' };
const SSL = 0x20;
const TLV_TYPES: Readonly<Record<number, string>> = {
  1: 'ALPN',
  2: 'AUTHORITY',
  3: 'CRC32C',
  4: 'NOOP',
  5: 'UNIQUE_ID',
  [SSL]: 'SSL',
  33: 'SSL VERSION',
  34: 'SSL CN',
  35: 'SSL CIPHER',
  36: 'SSL SIG ALG',
  37: 'SSL KEY ALG',
  48: 'NETNS',
  234: 'AWS',
};
/** Octets of both addresses and ports by address family. */
const ADDRESSES: Readonly<Record<number, number>> = { 1: 12, 2: 36, 3: 216 };

const rows = {
  magic1: mark('proxy.v1.magic', 'PROXY v1 magic'),
  protocol1: string('proxy.v1.proto', 'Protocol'),
  unknown1: string('proxy.v1.unknown', 'Unknown data'),
  magic2: bytes('proxy.v2.magic', 'Magic'),
  version2: bits('proxy.v2.version', 'Version', undefined, 8, 0xf0),
  command: bits('proxy.v2.cmd', 'Command', undefined, 8, 0x0f, { values: COMMANDS }),
  ...group(
    { kind: uint8('proxy.v2.addr_family_protocol', 'Address Family Protocol', { base: 'hex' }) },
    {
      family: bits('proxy.v2.addr_family', 'Address Family', undefined, 8, 0xf0, { base: 'hex', values: FAMILIES }),
      protocol2: bits('proxy.v2.protocol', 'Protocol', undefined, 8, 0x0f, { base: 'hex', values: TYPES }),
    },
  ),
  length: uint16('proxy.v2.length', 'Length', { unit: 'bytes' }),
  source4: ipv4('proxy.src.ipv4', 'Source Address'),
  destination4: ipv4('proxy.dst.ipv4', 'Destination Address'),
  source6: ipv6('proxy.src.ipv6', 'Source Address'),
  destination6: ipv6('proxy.dst.ipv6', 'Destination Address'),
  sourceUnix: bytes('proxy.v2.src.unix', 'Source Address'),
  destinationUnix: bytes('proxy.v2.dst.unix', 'Destination Address'),
  sourcePort: uint16('proxy.srcport', 'Source Port'),
  destinationPort: uint16('proxy.dstport', 'Destination Port'),
  unknown2: bytes('proxy.v2.unknown', 'Unknown data'),
  tlv: many(mark('proxy.v2.tlv', 'TLV')),
  tlvType: many(uint8('proxy.v2.tlv.type', 'Type', { base: 'hex', values: TLV_TYPES })),
  tlvLength: many(uint16('proxy.v2.tlv.length', 'Length')),
  tlvValue: many(bytes('proxy.v2.tlv.value', 'Value')),
  client: many(uint8('proxy.v2.tlv.ssl.client', 'Client', { base: 'hex' })),
  verify: many(uint32('proxy.v2.tlv.ssl.verify', 'Verify', { base: 'hex' })),
  sslVersion: many(string('proxy.v2.tlv.ssl.version', 'Version')),
  sslName: many(string('proxy.v2.tlv.ssl.cn', 'CN')),
  sslCipher: many(string('proxy.v2.tlv.ssl.cipher', 'Cipher')),
  sslSignature: many(string('proxy.v2.tlv.ssl.sig_alg', 'SIG ALG')),
  // Wireshark's name has this slip.
  sslKey: many(string('proxy.v2.tlv.ssl.keu_alg', 'Key ALG')),
};

const TEXTS: Readonly<Record<number, typeof rows.sslVersion>> = {
  33: rows.sslVersion,
  34: rows.sslName,
  35: rows.sslCipher,
  36: rows.sslSignature,
  37: rows.sslKey,
};

/** The words of a line of version 1 behind the first: protocol, addresses, ports. */
const LINE = /^PROXY (TCP4|TCP6) ([0-9A-Fa-f.:]{2,45}) ([0-9A-Fa-f.:]{2,45}) (\d{1,5}) (\d{1,5})$/;

/** The header of either version. */
export class ProxyHeader extends layer('proxy', 'PROXY Protocol', rows, 'PROXY') {
  /** What version 1 says, without the end of the line. */
  private get words(): string {
    return latin1Of(this.bytes, this.start, Math.min(this.end, this.captured)).trimEnd();
  }

  private get isText(): boolean {
    return this.bytes[this.start] === 0x50;
  }

  override get shortName(): string {
    return this.isText ? 'PROXYv1' : 'PROXYv2';
  }

  override walk(tree: Tree): void {
    if (this.isText) this.walkText(tree);
    else this.walkBinary(tree);
  }

  private walkText(tree: Tree): void {
    const { words: line, start } = this;
    tree.put(rows.magic1, true, start, WORD.length - 1);
    const at = start + WORD.length;
    const parts = LINE.exec(line);
    const protocol = parts?.[1] ?? line.slice(WORD.length).split(' ')[0]!;
    tree.put(rows.protocol1, protocol, at, protocol.length);
    let from = at + protocol.length + 1;
    if (parts === null) {
      if (from < start + line.length) tree.add(rows.unknown1, from, start + line.length - from);
      return;
    }
    const is4 = protocol === 'TCP4';
    for (const [i, row] of [
      [2, is4 ? rows.source4 : rows.source6],
      [3, is4 ? rows.destination4 : rows.destination6],
    ] as const) {
      const value = is4 ? parseIpv4(parts[i]!) : parseIpv6(parts[i]!);
      if (value !== undefined) tree.put(row, value, from, parts[i]!.length);
      from += parts[i]!.length + 1;
    }
    for (const [i, row] of [
      [4, rows.sourcePort],
      [5, rows.destinationPort],
    ] as const) {
      if (Number(parts[i]) < 65_536) tree.put(row, Number(parts[i]), from, parts[i]!.length);
      from += parts[i]!.length + 1;
    }
  }

  private walkBinary(tree: Tree): void {
    const { bytes: b, start, captured } = this;
    tree.add(rows.magic2, start, SIGNATURE.length);
    tree.add(rows.version2, start + 12);
    tree.add(rows.command, start + 12);
    if (tree.open(rows.kind, start + 13)) {
      tree.add(rows.family, start + 13);
      tree.add(rows.protocol2, start + 13);
      tree.close();
    }
    tree.add(rows.length, start + 14);
    const end = Math.min(this.end, captured);
    const family = b[start + 13]! >> 4;
    let at = start + HEADER_LENGTH;
    const length = ADDRESSES[family];
    if (length === undefined || at + length > end) {
      if (at < end) tree.add(rows.unknown2, at, end - at);
      return;
    }
    if (family === 3) {
      tree.add(rows.sourceUnix, at, 108);
      tree.add(rows.destinationUnix, at + 108, 108);
    } else {
      const size = family === 1 ? 4 : 16;
      tree.add(family === 1 ? rows.source4 : rows.source6, at);
      tree.add(family === 1 ? rows.destination4 : rows.destination6, at + size);
      tree.add(rows.sourcePort, at + 2 * size);
      tree.add(rows.destinationPort, at + 2 * size + 2);
    }
    at += length;
    walkTlvs(tree, b, at, end);
  }

  /** `TCP4 192.0.2.1:52176 → 192.0.2.2:443` */
  override summary(out: TextBuffer): void {
    if (this.isText) {
      const parts = LINE.exec(this.words);
      if (parts === null) return out.text(this.words);
      out.ascii(`${parts[1]} `);
      writeEnds(out, parts[2]!, Number(parts[4]), parts[3]!, Number(parts[5]));
      return;
    }
    const { bytes: b, start, captured } = this;
    const family = captured >= start + HEADER_LENGTH ? b[start + 13]! >> 4 : 0;
    const at = start + HEADER_LENGTH;
    const length = family === 1 || family === 2 ? ADDRESSES[family]! : Infinity;
    if ((b[start + 12]! & 15) === 0) return out.ascii('Local');
    if (at + length > Math.min(this.end, captured)) return out.ascii('PROXY');
    const size = family === 1 ? 4 : 16;
    const text = (from: number): string => (family === 1 ? ipv4Text(u32(b, from)) : ipv6Text(b, from));
    out.ascii((b[start + 13]! & 15) === 2 ? 'UDP' : 'TCP');
    out.ascii(family === 1 ? '4 ' : '6 ');
    writeEnds(out, text(at), u16(b, at + 2 * size), text(at + size), u16(b, at + 2 * size + 2));
  }
}

function writeEnds(out: TextBuffer, source: string, srcPort: number, destination: string, dstPort: number): void {
  const end = (address: string, port: number): string => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`);
  out.ascii(end(source, srcPort));
  out.unicode(' → ');
  out.ascii(end(destination, dstPort));
}

/** What else version 2 says; each is three octets long at least. */
function walkTlvs(tree: Tree, b: Uint8Array, start: number, end: number, nested = false): void {
  for (let at = start; at + 3 <= end; ) {
    const type = b[at]!;
    const length = u16(b, at + 1);
    const from = at + 3;
    const stop = Math.min(end, from + length);
    tree.openPut(rows.tlv, true, at, stop - at).text = `TLV: ${TLV_TYPES[type] ?? type}`;
    tree.add(rows.tlvType, at);
    tree.add(rows.tlvLength, at + 1);
    if (type === SSL && !nested && stop - from >= 5) {
      tree.add(rows.client, from);
      tree.add(rows.verify, from + 1);
      walkTlvs(tree, b, from + 5, stop, true);
    } else if (stop > from) tree.add(TEXTS[type] ?? rows.tlvValue, from, stop - from);
    tree.close();
    at = from + length;
  }
}

/** How many octets of the signature of version 2 stand at `start`. */
function signed(b: Uint8Array, start: number, end: number): number {
  let n = 0;
  while (n < SIGNATURE.length && start + n < end && b[start + n] === SIGNATURE[n]) n++;
  return n;
}

class ProxyParser implements StreamParser {
  need = 0;

  constructor(private readonly context: StreamContext) {}

  measure(b: Uint8Array, start: number, end: number): number {
    const have = end - start;
    this.need = 0;
    if (b[start] === 0x50) {
      const text = latin1Of(b, start, Math.min(end, start + MAX_LINE));
      if (!WORD.startsWith(text.slice(0, WORD.length))) return ALIEN;
      const line = text.indexOf('\r\n');
      return line >= 0 ? line + 2 : have < MAX_LINE ? MORE : ALIEN;
    }
    const n = signed(b, start, end);
    if (n < Math.min(have, SIGNATURE.length)) return ALIEN;
    if (have < HEADER_LENGTH) {
      this.need = HEADER_LENGTH - have;
      return MORE;
    }
    const length = HEADER_LENGTH + u16(b, start + 14);
    if (b[start + 12]! >> 4 !== 2 || length > MAX_LENGTH) return ALIEN;
    this.need = Math.max(0, length - have);
    return this.need > 0 ? MORE : length;
  }

  dissect(frame: Frame, start: number, end: number): void {
    const proxy = new ProxyHeader(frame, start, end);
    frame.add(proxy, end - start);
    const known = frame.session.registry.get(tcpPorts, this.context.dstPort);
    this.context.become(typeof known === 'object' && known !== proxyStream ? known : undefined);
  }
}

const proxyStream: StreamProtocol = {
  name: 'proxy',
  parser: (context) => new ProxyParser(context),
  recognise: (b, start, end) =>
    signed(b, start, end) === SIGNATURE.length || /^PROXY (TCP[46] |UNKNOWN[ \r])/.test(latin1Of(b, start, Math.min(end, start + 16))),
};

export const proxy: ProtocolEntry = { name: 'proxy', layers: [ProxyHeader], stream: proxyStream };
