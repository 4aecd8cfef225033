/**
 * OpenVPN: its control channel, which is TLS in numbered and acknowledged messages, and the data beside it, which is encrypted.
 *
 * https://openvpn.net/community-resources/openvpn-protocol/ and draft-schmidt-openvpn-wire-protocol; over TCP each message
 * has its length, two octets, before it. The HMAC and what follows it up to the count are there with `tls-auth`, which
 * nothing in the message says: {@link layoutOf} tries.
 *
 *     0          1            9        9+h         13+h   17+h    18+h            …               …
 *     | op | key | session id | [HMAC] | [replay id | time] | count | acknowledged… | remote session | message id | TLS …
 *       5    3     8            h        4            4       1       4 each          8, if any        4
 */
import { bits, bytes, many, time, uint8, uint16, uint24, uint32, uint64 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { layer, type Tree } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { type Dissect, type ProtocolEntry, tcpPorts, udpPorts } from '../core/registry.js';
import { ALIEN, MORE, type StreamContext, type StreamParser, type StreamProtocol } from '../core/stream.js';
import type { TextBuffer } from '../core/text.js';
import { tlsStream } from './tls.js';
import { Inside } from './tls-inside.js';

const PORT = 1194;
const SESSION_END = 9;
const CLIENT_RESETS: ReadonlySet<number> = new Set([1, 7, 10]);
const RESETS: ReadonlySet<number> = new Set([1, 2, 3, 7, 8, 10]);
const ACK = 5;
const DATA_V1 = 6;
const DATA_V2 = 9;

const OPCODES: Readonly<Record<number, string>> = {
  1: 'P_CONTROL_HARD_RESET_CLIENT_V1',
  2: 'P_CONTROL_HARD_RESET_SERVER_V1',
  3: 'P_CONTROL_SOFT_RESET_V1',
  4: 'P_CONTROL_V1',
  [ACK]: 'P_ACK_V1',
  [DATA_V1]: 'P_DATA_V1',
  7: 'P_CONTROL_HARD_RESET_CLIENT_V2',
  8: 'P_CONTROL_HARD_RESET_SERVER_V2',
  [DATA_V2]: 'P_DATA_V2',
  10: 'P_CONTROL_HARD_RESET_CLIENT_V3',
  11: 'P_CONTROL_WKC_V1',
};

/** Lengths of the HMACs that are tried: none, SHA-1, SHA-256, SHA-512, MD5, SHA-224, SHA-384. */
const HMACS = [0, 20, 32, 64, 16, 28, 48];
/** Most messages that are acknowledged in one. */
const MAX_ACKS = 8;
/** Numbers of messages and replay ids start at 0 or 1 and stay below this; an HMAC in their place seldom does. */
const MAX_ID = 1 << 16;
/** Most messages that wait for one before them; senders have fewer under way. */
const MAX_HELD = 16;

const rows = {
  packetLength: uint16('openvpn.plen', 'Packet Length'),
  type: uint8('openvpn.type', 'Type', { base: 'hex' }),
  opcode: bits('openvpn.opcode', 'Opcode', 0, 8, 0xf8, { base: 'hex', values: OPCODES }),
  keyId: bits('openvpn.keyid', 'Key ID', 0, 8, 0x07),
  peer: uint24('openvpn.peerid', 'Peer ID'),
  session: uint64('openvpn.sessionid', 'Session ID'),
  hmac: bytes('openvpn.hmac', 'HMAC'),
  replayId: uint32('openvpn.pid', 'Replay-Packet-ID'),
  netTime: time('openvpn.net_time', 'Net Time'),
  count: uint8('openvpn.mpidarraylength', 'Message Packet-ID Array Length'),
  acknowledged: many(uint32('openvpn.mpidarrayelement', 'Message Packet-ID Array Element')),
  remoteSession: uint64('openvpn.rsessionid', 'Remote Session ID'),
  messageId: uint32('openvpn.mpid', 'Message Packet-ID'),
  data: bytes('openvpn.data', 'Data'),
};

/** Where the parts of a control message are. */
interface Layout {
  /** Octets of its HMAC; 0 without `tls-auth`. */
  readonly hmac: number;
  /** The count of what it acknowledges. */
  readonly count: number;
  /** Its number; the end of the header for an acknowledgement, which has none. */
  readonly messageId: number;
  /** What follows the header. */
  readonly body: number;
}

/**
 * The layout of the control message in `[start, end)` that its numbers agree with; undefined when none does, as with
 * `tls-crypt`, which hides them.
 */
function layoutOf(b: Uint8Array, start: number, end: number): Layout | undefined {
  const op = b[start]! >> 3;
  for (const hmac of HMACS) {
    const count = start + SESSION_END + (hmac === 0 ? 0 : hmac + 8);
    if (count >= end) return undefined;
    const n = b[count]!;
    const messageId = count + 1 + (n > 0 ? 4 * n + 8 : 0);
    const body = messageId + (op === ACK ? 0 : 4);
    if (n > MAX_ACKS || body > end || (op === ACK && (n === 0 || body !== end))) continue;
    let fits = (op === ACK || u32(b, messageId) < MAX_ID) && (hmac === 0 || u32(b, start + SESSION_END + hmac) < MAX_ID);
    for (let i = 0; i < n; i++) fits &&= u32(b, count + 1 + 4 * i) < MAX_ID;
    if (fits) return { hmac, count, messageId, body };
  }
  return undefined;
}

/** A message. */
export class OpenVpn extends layer('openvpn', 'OpenVPN Protocol', rows, 'OpenVPN') {
  /** Octets of the length before it: 2 over TCP. */
  declare prefix: number;
  /** None of data, and where it cannot be told. */
  declare layout: Layout | undefined;

  override walk(tree: Tree): void {
    const { bytes: b, captured, layout, prefix } = this;
    if (prefix > 0) tree.add(rows.packetLength, this.start);
    const start = this.start + prefix;
    if (start >= captured) return;
    const op = b[start]! >> 3;
    if (tree.open(rows.type, start)) {
      tree.add(rows.opcode, start);
      tree.add(rows.keyId, start);
      tree.close();
    }
    if (op === DATA_V1 || op === DATA_V2) {
      const from = start + (op === DATA_V2 ? 4 : 1);
      if (op === DATA_V2) tree.add(rows.peer, start + 1);
      if (from < captured) tree.add(rows.data, from, captured - from);
      return;
    }
    tree.add(rows.session, start + 1);
    if (layout === undefined) {
      if (start + SESSION_END < captured) tree.add(rows.data, start + SESSION_END, captured - start - SESSION_END);
      return;
    }
    if (layout.hmac > 0) {
      const replay = start + SESSION_END + layout.hmac;
      tree.add(rows.hmac, start + SESSION_END, layout.hmac);
      tree.add(rows.replayId, replay);
      tree.put(rows.netTime, BigInt(u32(b, replay + 4)) * 1_000_000_000n, replay + 4, 4);
    }
    const n = b[layout.count]!;
    tree.add(rows.count, layout.count);
    for (let i = 0; i < n; i++) tree.add(rows.acknowledged, layout.count + 1 + 4 * i);
    if (n > 0) tree.add(rows.remoteSession, layout.count + 1 + 4 * n);
    if (op !== ACK) tree.add(rows.messageId, layout.messageId);
    if (layout.body < captured) tree.add(rows.data, layout.body, captured - layout.body);
  }

  override summary(out: TextBuffer): void {
    const op = this.bytes[this.start + this.prefix]! >> 3;
    out.ascii('MessageType: ');
    out.ascii(OPCODES[op] ?? `Unknown (${op})`);
  }
}

/** The messages of one direction and key, in their order. */
class Channel {
  /** Number of the message that comes next; undefined before the first. */
  next: number | undefined = undefined;
  readonly held = new Map<number, Uint8Array>();
}

/** A TLS connection inside: there is one for each key that the sides agree on. */
class Key {
  readonly channels = [new Channel(), new Channel()] as const;
  readonly inside: Inside;
  constructor(frame: Frame, srcPort: number, dstPort: number) {
    this.inside = new Inside(frame.session.registry, undefined, srcPort, dstPort, false);
    this.inside.protocol = tlsStream;
  }
}

/** What goes on between two ends. */
export class OpenVpnTalk {
  private readonly keys: (Key | undefined)[] = [];
  constructor(private clientPort: number) {}

  /** A control message that says its number: hand on the TLS in it, and what waited for it. */
  see(frame: Frame, b: Uint8Array, start: number, end: number, layout: Layout, srcPort: number, dstPort: number): void {
    const op = b[start]! >> 3;
    const keyId = b[start]! & 7;
    if (CLIENT_RESETS.has(op)) {
      this.clientPort = srcPort;
      // Sent again, it begins nothing anew.
      if (this.keys[keyId]?.channels[1].next !== undefined || this.keys[keyId]?.channels[0].next !== 1) this.keys[keyId] = undefined;
    }
    const fromServer = srcPort !== this.clientPort;
    this.keys[keyId] ??= fromServer ? new Key(frame, dstPort, srcPort) : new Key(frame, srcPort, dstPort);
    const { channels, inside } = this.keys[keyId];
    const channel = channels[fromServer ? 1 : 0];
    const id = u32(b, layout.messageId);
    if (RESETS.has(op)) {
      channel.next = id + 1;
      return;
    }
    channel.next ??= id;
    if (id < channel.next) return;
    if (id > channel.next) {
      if (channel.held.size < MAX_HELD) {
        channel.held.set(id, b.slice(layout.body, end));
        return;
      }
      channel.held.clear();
      inside.gap(fromServer);
    }
    let message: Uint8Array | undefined = b.subarray(layout.body, end);
    let next = id;
    // Each round takes one message that was held.
    while (message !== undefined) {
      channel.held.delete(next);
      if (message.length > 0) inside.feed(frame, message, fromServer);
      message = channel.held.get(++next);
    }
    channel.next = next;
  }
}

/** The message in `[start, end)`, `prefix` octets of which are its length. */
function add(frame: Frame, start: number, end: number, prefix: number, talk: OpenVpnTalk | undefined, src: number, dst: number): void {
  const vpn = new OpenVpn(frame, start, end);
  vpn.prefix = prefix;
  vpn.layout = undefined;
  if (!frame.add(vpn, prefix + 1)) return;
  const { bytes: b } = frame;
  const from = start + prefix;
  const op = b[from]! >> 3;
  if (op === DATA_V1 || op === DATA_V2) return;
  if (!frame.require(vpn, prefix + SESSION_END) || frame.captured < end) return;
  vpn.layout = layoutOf(b, from, end);
  if (vpn.layout !== undefined && op !== ACK) talk?.see(frame, b, from, end, vpn.layout, src, dst);
}

export const dissectOpenVpn: Dissect = (frame, start, end) => {
  const op = start < frame.captured ? frame.bytes[start]! >> 3 : 0;
  const { transport } = frame;
  if (OPCODES[op] === undefined || transport === undefined) return frame.data(start, end);
  const talk = frame.session.hooks.openVpn?.(frame) as OpenVpnTalk | undefined;
  add(frame, start, end, 0, talk, transport.srcPort, transport.dstPort);
};

class OpenVpnParser implements StreamParser {
  need = 0;
  private first = true;
  constructor(private readonly context: StreamContext) {}

  measure(b: Uint8Array, start: number, end: number): number {
    this.need = Math.max(0, 3 - (end - start));
    if (this.need > 0) return MORE;
    const length = 2 + u16(b, start);
    if (length === 2 || OPCODES[b[start + 2]! >> 3] === undefined) {
      if (this.first) this.context.become(undefined);
      return ALIEN;
    }
    this.need = Math.max(0, start + length - end);
    return this.need > 0 ? MORE : length;
  }

  dissect(frame: Frame, start: number, end: number): void {
    this.first = false;
    const { context } = this;
    const { srcPort, dstPort } = context;
    const talk = (context.shared ??= new OpenVpnTalk(context.fromClient ? srcPort : dstPort)) as OpenVpnTalk;
    add(frame, start, end, 2, talk, srcPort, dstPort);
  }
}

/** A client's first message, alone: its number is 0, and there is nothing to acknowledge. */
function recognise(b: Uint8Array, start: number, end: number): boolean {
  if (end - start < 16 || b[start + 2] !== 7 << 3 || u16(b, start) !== end - start - 2) return false;
  const layout = layoutOf(b, start + 2, end);
  return layout !== undefined && layout.body === end && b[layout.count] === 0 && u32(b, layout.messageId) === 0;
}

const openVpnStream: StreamProtocol = { name: 'openvpn', parser: (context) => new OpenVpnParser(context), recognise, sized: true };

export const openVpn: ProtocolEntry = {
  name: 'openvpn',
  layers: [OpenVpn],
  dissect: dissectOpenVpn,
  stream: openVpnStream,
  on: [udpPorts.at(PORT, dissectOpenVpn), tcpPorts.at(PORT, openVpnStream)],
};
