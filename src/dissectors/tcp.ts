/**
 * Transmission Control Protocol: the header. What spans segments is in analysis/ and reassembly/.
 *
 * RFC 9293 (header), RFC 7323 (window scale, timestamps), RFC 2018 (SACK), RFC 7413 (Fast Open), RFC 8684 (MPTCP),
 * RFC 2385 (MD5), RFC 5482 (user timeout).
 *
 *     0         2         4     8     12            14       16         18       20
 *     | srcport | dstport | seq | ack | hlen,flags  | window | checksum | urgent | options …
 */
import { bits, bytes, computed, flag, group, list, uint8, uint16, uint32 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { type Dissect, ipProtocols, type ProtocolEntry, tcpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';

const FIXED_LENGTH = 20;

const ACK = 0x10;
const URG = 0x20;

const headerLength = (l: Layer) => (l.bytes[l.start + 12]! >> 4) * 4;

/** One letter a bit from the highest: reserved ×3, AE, CWR, ECE, URG, ACK, PSH, RST, SYN, FIN; `·` where it is not set. */
const LETTERS = 'RRRACEUAPRSF';
const flagLetters = (flags: number) => {
  let text = '';
  for (let i = 0; i < 12; i++) text += flags & (0x800 >> i) ? LETTERS[i] : '·';
  return text;
};

const OPTION: Readonly<Record<number, string>> = {
  0: 'End of Option List',
  1: 'No-Operation',
  2: 'Maximum segment size',
  3: 'Window scale',
  4: 'SACK permitted',
  5: 'SACK',
  8: 'Timestamps',
  19: 'MD5 signature',
  28: 'User timeout',
  29: 'Authentication',
  30: 'Multipath TCP',
  34: 'Fast Open cookie',
  253: 'Experimental',
  254: 'Experimental',
};

const optionRows = {
  kind: uint8('tcp.option_kind', 'Kind', { values: OPTION }),
  length: uint8('tcp.option_len', 'Length', { unit: 'bytes' }),
  mss: uint16('tcp.options.mss_val', 'MSS Value'),
  shift: uint8('tcp.options.wscale.shift', 'Shift count'),
  multiplier: uint16('tcp.options.wscale.multiplier', 'Multiplier'),
  tsval: uint32('tcp.options.timestamp.tsval', 'Timestamp value'),
  tsecr: uint32('tcp.options.timestamp.tsecr', 'Timestamp echo reply'),
};

const fields = {
  srcPort: uint16('tcp.srcport', 'Source Port', 0, { also: ['tcp.port'], steady: true }),
  dstPort: uint16('tcp.dstport', 'Destination Port', 2, { also: ['tcp.port'], steady: true }),
  sequence: uint32('tcp.seq_raw', 'Sequence Number (raw)', 4),
  acknowledgment: uint32('tcp.ack_raw', 'Acknowledgment Number (raw)', 8),
  headerLength: computed('uint8', 'tcp.hdr_len', 'Header Length', (l) => (l.start + 12 < l.captured ? headerLength(l) : undefined), {
    unit: 'bytes',
    pure: [12, 13],
  }),
  ...group(
    { flags: bits('tcp.flags', 'Flags', 12, 16, 0x0fff, { base: 'hex' }) },
    {
      reserved: bits('tcp.flags.res', 'Reserved', 12, 16, 0x0e00),
      accurateEcn: flag('tcp.flags.ae', 'Accurate ECN', 12, 0x0100, 16),
      cwr: flag('tcp.flags.cwr', 'Congestion Window Reduced', 12, 0x0080, 16),
      ece: flag('tcp.flags.ece', 'ECN-Echo', 12, 0x0040, 16),
      urg: flag('tcp.flags.urg', 'Urgent', 12, 0x0020, 16),
      ack: flag('tcp.flags.ack', 'Acknowledgment', 12, 0x0010, 16),
      push: flag('tcp.flags.push', 'Push', 12, 0x0008, 16),
      reset: flag('tcp.flags.reset', 'Reset', 12, 0x0004, 16),
      syn: flag('tcp.flags.syn', 'Syn', 12, 0x0002, 16),
      fin: flag('tcp.flags.fin', 'Fin', 12, 0x0001, 16),
      letters: computed(
        'string',
        'tcp.flags.str',
        'TCP Flags',
        (l) => (l.start + 14 <= l.captured ? flagLetters(u16(l.bytes, l.start + 12) & 0xfff) : undefined),
        { pure: [12, 14] },
      ),
    },
  ),
  window: uint16('tcp.window_size_value', 'Window', 14),
  checksum: uint16('tcp.checksum', 'Checksum', 16, { base: 'hex' }),
  urgentPointer: uint16('tcp.urgent_pointer', 'Urgent Pointer', 18, { steady: true }),
  options: list('tcp.options', 'Options', optionRows),
  payload: bytes('tcp.payload', 'TCP payload', headerLength, (l) => l.captured - l.start - headerLength(l), { quiet: true }),
};

/** One direction of a conversation as the analysis keeps it (analysis/conversations.ts), seen from its segments. */
export interface TcpDirection {
  readonly conversation: { readonly number: number };
  readonly peer: TcpDirection;
  /** The sequence number shown as 0. */
  readonly base: number;
  readonly baseKnown: boolean;
}

export class Tcp extends layer('tcp', 'Transmission Control Protocol', fields) {
  /** Who sends to whom; undefined when conversations are not followed. */
  declare direction: TcpDirection | undefined;

  override walk(tree: Tree): void {
    const end = Math.min(this.start + headerLength(this), this.captured);
    for (let at = this.start + FIXED_LENGTH; at < end; ) {
      const kind = this.bytes[at]!;
      const length = kind <= 1 ? 1 : at + 1 < end ? this.bytes[at + 1]! : 0;
      if (length === 0 || (kind > 1 && length < 2) || at + length > end) return;
      tree.item(fields.options, at, length, OPTION[kind] ?? `Option ${kind}`);
      tree.add(optionRows.kind, at);
      if (kind > 1) tree.add(optionRows.length, at + 1);
      if (kind === 2 && length === 4) tree.add(optionRows.mss, at + 2);
      if (kind === 3 && length === 3) {
        tree.add(optionRows.shift, at + 2);
        tree.put(optionRows.multiplier, 1 << Math.min(this.bytes[at + 2]!, 14), at + 2, 1);
      }
      if (kind === 8 && length === 10) {
        tree.add(optionRows.tsval, at + 2);
        tree.add(optionRows.tsecr, at + 6);
      }
      tree.close();
      if (kind === 0) return;
      at += length;
    }
  }

  override summary(out: TextBuffer): void {
    const { bytes: b, start } = this;
    out.ascii(FLAG_TEXT[b[start + 13]! & 0xff]!);
    out.ascii(' Seq=');
    out.number(u32(b, start + 4));
    if (b[start + 13]! & ACK) {
      out.ascii(' Ack=');
      out.number(u32(b, start + 8));
    }
    out.ascii(' Win=');
    out.number(u16(b, start + 14));
    if (b[start + 13]! & URG) {
      out.ascii(' Urg=');
      out.number(u16(b, start + 18));
    }
    out.ascii(' Len=');
    out.number(Math.max(0, this.end - start - headerLength(this)));
  }
}

/** `[SYN, ACK]` for each value of the flags octet. */
const FLAG_TEXT: readonly string[] = Array.from({ length: 256 }, (_, flags) => {
  const names = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'].filter((_name, bit) => flags & (1 << bit));
  return `[${names.length ? names.join(', ') : '<None>'}]`;
});

export const dissectTcp: Dissect = (frame, start, end) => {
  const tcp = new Tcp(frame, start, end);
  if (!frame.add(tcp, FIXED_LENGTH)) return;
  frame.transport = tcp;
  const header = headerLength(tcp);
  const { hooks } = frame.session;
  hooks.tcpHeader?.(frame, tcp, frame.quoted === 0 && !frame.fragment && end - start >= header);
  if (header < FIXED_LENGTH) return frame.malformed(tcp, FIXED_LENGTH);
  if (!frame.require(tcp, header)) return;
  const { tcp: hook } = hooks;
  if (hook && frame.quoted === 0 && !frame.fragment) return hook(frame, tcp, start + header, end);
  const low = Math.min(u16(tcp.bytes, start), u16(tcp.bytes, start + 2));
  if (start + header < end) frame.dispatch(tcpPorts, low, start + header, end);
};

export const tcp: ProtocolEntry = { name: 'tcp', layers: [Tcp], dissect: dissectTcp, on: [ipProtocols.at(6, dissectTcp)] };
