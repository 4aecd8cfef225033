/**
 * WebSocket: messages both ways over the connection of an HTTP request, after the server agreed to the upgrade.
 *
 * RFC 6455 (framing: section 5.2; masking: 5.3; fragments: 5.4; control frames: 5.5; close codes: 7.4),
 * RFC 7692 (permessage-deflate).
 *
 *     0  fin, three reserved bits (the first: compressed), opcode      1  masked, payload length or 126 or 127
 *     2  for 126 the length in 2 octets, for 127 in 8
 *     .  masking key in 4 octets, when masked
 *     .  payload
 */
import { bits, bytes, expert, flag, frameNumber, group, many, mark, string, uint16, uint32, uint64 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { textOf, u16, u32 } from '../core/octets.js';
import type { ProtocolEntry } from '../core/registry.js';
import { ALIEN, MORE, type StreamContext, type StreamParser, type StreamProtocol } from '../core/stream.js';
import type { TextBuffer } from '../core/text.js';

const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

const OPCODES: Readonly<Record<number, string>> = {
  [CONTINUATION]: 'Continuation',
  [TEXT]: 'Text',
  [BINARY]: 'Binary',
  [CLOSE]: 'Connection Close',
  [PING]: 'Ping',
  [PONG]: 'Pong',
};

/** RFC 6455 section 7.4.1 and the registry that it founded. */
const CLOSE_CODES: Readonly<Record<number, string>> = {
  1000: 'Normal Closure',
  1001: 'Going Away',
  1002: 'Protocol error',
  1003: 'Unsupported Data',
  1004: 'Reserved',
  1005: 'No Status Rcvd',
  1006: 'Abnormal Closure',
  1007: 'Invalid frame payload data',
  1008: 'Policy Violation',
  1009: 'Message Too Big',
  1010: 'Mandatory Ext.',
  1011: 'Internal Server',
  1012: 'Service Restart',
  1013: 'Try Again Later',
  1014: 'Bad Gateway',
  1015: 'TLS handshake',
};

/** Most octets of a message that is put together from fragments, or that a compressed one may grow to. */
const MAX_MESSAGE = 16 << 20;
/** Most fragments of a message that are listed. */
const MAX_FRAGMENTS = 65_536;
/** What DEFLATE may refer back to (RFC 1951 section 2). */
const WINDOW = 32_768;
/** Text that the Info column shows. */
const MAX_SHOWN = 200;

const lengthCode = (l: Layer): number => (l.start + 1 < l.captured ? l.bytes[l.start + 1]! & 0x7f : 0);
const extended = (l: Layer): number => (lengthCode(l) === 126 ? 2 : lengthCode(l) === 127 ? 8 : 0);
const isMasked = (l: Layer): boolean => l.start + 1 < l.captured && l.bytes[l.start + 1]! >= 0x80;

const agreedToCompress = (l: Layer & { deflates?: boolean }): boolean => l.deflates === true;

const rows = {
  fin: flag('websocket.fin', 'Fin', 0, 0x80),
  ...group(
    { reserved: bits('websocket.rsv', 'Reserved', 0, 8, 0x70, { base: 'hex' }) },
    {
      compressed: flag('websocket.pmc', 'Per-Message Compressed', 0, 0x40, 8, { when: agreedToCompress }),
    },
  ),
  opcode: bits('websocket.opcode', 'Opcode', 0, 8, 0x0f, { values: OPCODES }),
  masked: flag('websocket.mask', 'Mask', 1, 0x80),
  payloadLength: bits('websocket.payload_length', 'Payload length', 1, 8, 0x7f, { unit: 'bytes' }),
  payloadLength16: uint16('websocket.payload_length_ext_16', 'Extended Payload length (16 bits)', 2, {
    when: (l) => lengthCode(l) === 126,
  }),
  payloadLength64: uint64('websocket.payload_length_ext_64', 'Extended Payload length (64 bits)', 2, {
    when: (l) => lengthCode(l) === 127,
  }),
  maskingKey: bytes('websocket.masking_key', 'Masking-Key', (l) => 2 + extended(l), 4, { when: isMasked }),
  maskedPayload: mark('websocket.masked_payload', 'Masked payload'),
  decompressionFailed: expert('note', 'protocol', 'websocket.decompression.failed.expert', 'Decompression failed'),
  ...group(
    { fragments: mark('websocket.fragments', 'Fragments of the message') },
    {
      fragment: many(frameNumber('websocket.fragment', 'Fragment')),
      fragmentCount: uint32('websocket.fragment.count', 'Fragment count'),
      reassembledLength: uint32('websocket.reassembled.length', 'Length of the whole message', { unit: 'bytes' }),
    },
  ),
  ...group(
    { payload: mark('websocket.payload', 'Payload') },
    {
      continued: bytes('websocket.payload.continue', 'Continue'),
      text: string('websocket.payload.text', 'Text'),
      ...group(
        { close: mark('websocket.payload.close', 'Close') },
        {
          closeCode: uint16('websocket.payload.close.status_code', 'Status code', { values: CLOSE_CODES }),
          closeReason: string('websocket.payload.close.reason', 'Reason'),
        },
      ),
      ping: bytes('websocket.payload.ping', 'Ping'),
      pong: bytes('websocket.payload.pong', 'Pong'),
    },
  ),
};

/** What a frame's payload says, worked out when it came because later messages may refer to it. */
interface Content {
  /** The opcode of the message: for the last of several fragments that of the first. */
  readonly opcode: number;
  /** Unmasked, put together and decompressed. */
  readonly octets: Uint8Array;
  /** Frames that brought the fragments of a message that came in several; in the last alone. */
  readonly fragments: readonly number[] | undefined;
  /** Octets of the fragments together, before decompression. */
  readonly joined: number;
  /** Neither the last fragment nor whole. */
  readonly isPart: boolean;
  readonly failed: boolean;
}

/** A frame of a WebSocket. */
export class WebSocket extends layer('websocket', 'WebSocket', rows, 'WebSocket') {
  declare content: Content | undefined;
  /** The two ends agreed to compress messages. */
  declare deflates: boolean;

  /** The unmasked payload; of the last of several fragments, and of a compressed message, what it all comes to. */
  get octets(): Uint8Array | undefined {
    return this.content?.octets;
  }

  override walk(tree: Tree): void {
    const { content } = this;
    if (content === undefined) return;
    const from = Math.min(this.captured, this.start + headerLength(this.bytes, this.start));
    const length = this.captured - from;
    if (isMasked(this) && length > 0) tree.put(rows.maskedPayload, true, from, length);
    const { opcode, octets, fragments } = content;
    if (fragments !== undefined) {
      tree.openPut(rows.fragments, true);
      for (const frame of fragments) tree.put(rows.fragment, frame);
      tree.put(rows.fragmentCount, fragments.length);
      tree.put(rows.reassembledLength, content.joined);
      tree.close();
    }
    if (content.failed) tree.put(rows.decompressionFailed, true);
    if (octets.length === 0 && opcode !== CLOSE) return;
    tree.openPut(rows.payload, true, from, length);
    if (content.isPart) {
      if (opcode === CONTINUATION) tree.put(rows.continued, octets, from, length);
    } else if (opcode === TEXT) tree.put(rows.text, textOf(octets, 0, octets.length), from, length);
    else if (opcode === PING) tree.put(rows.ping, octets, from, length);
    else if (opcode === PONG) tree.put(rows.pong, octets, from, length);
    else if (opcode === CLOSE && octets.length > 0) {
      tree.openPut(rows.close, true, from, length);
      if (octets.length >= 2) tree.put(rows.closeCode, u16(octets, 0), from, 2);
      if (octets.length > 2) tree.put(rows.closeReason, textOf(octets, 2, octets.length), from + 2, length - 2);
      tree.close();
    }
    tree.close();
  }

  override summary(out: TextBuffer): void {
    const { opcode, content } = this;
    out.ascii(OPCODES[opcode] ?? `Opcode ${opcode}`);
    if (this.fin) out.ascii(' [FIN]');
    if (this.masked) out.ascii(' [MASKED]');
    if (content === undefined) return;
    const { octets } = content;
    if (content.opcode === CLOSE && octets.length >= 2) {
      const code = u16(octets, 0);
      out.byte(0x20);
      out.number(code);
      if (CLOSE_CODES[code] !== undefined) out.ascii(` ${CLOSE_CODES[code]}`);
      if (octets.length > 2) out.text(` "${textOf(octets, 2, octets.length)}"`);
    } else if (content.opcode === TEXT && !content.isPart) {
      out.byte(0x20);
      out.text(textOf(octets, 0, Math.min(octets.length, MAX_SHOWN)));
      if (octets.length > MAX_SHOWN) out.unicode('…');
    } else if (octets.length > 0) out.ascii(` ${octets.length} octets`);
  }
}

/** Octets before the payload; its first two have to be there. */
function headerLength(b: Uint8Array, start: number): number {
  const code = b[start + 1]! & 0x7f;
  return 2 + (code === 126 ? 2 : code === 127 ? 8 : 0) + (b[start + 1]! >= 0x80 ? 4 : 0);
}

/** What the two ends agreed on (RFC 7692 section 7.1). */
interface Agreement {
  readonly deflates: boolean;
  readonly clientForgets: boolean;
  readonly serverForgets: boolean;
}

const NO_EXTENSION: Agreement = { deflates: false, clientForgets: false, serverForgets: false };

/** From the value of Sec-WebSocket-Extensions in the server's answer. */
function agreementOf(extensions: string): Agreement {
  const deflate = extensions.split(',').find((extension) => /^\s*permessage-deflate\b/i.test(extension));
  return deflate === undefined
    ? NO_EXTENSION
    : {
        deflates: true,
        clientForgets: /\bclient_no_context_takeover\b/i.test(deflate),
        serverForgets: /\bserver_no_context_takeover\b/i.test(deflate),
      };
}

/** What ends each message's DEFLATE data, left out on the wire (RFC 7692 section 7.2.2). */
const FLUSH = [0x00, 0x00, 0xff, 0xff];
const NONE = new Uint8Array(0);

class WebSocketParser implements StreamParser {
  need = 0;
  /** Fragments of the message under way, unmasked. */
  private pieces: Uint8Array[] = [];
  private joined = 0;
  private opcode = -1;
  private compressed = false;
  private frames: number[] = [];
  /** The end of what was decompressed before, which the next message may refer to; undefined when some of it is lost. */
  private window: Uint8Array | undefined = NONE;
  private readonly agreement: Agreement;

  constructor(private readonly context: StreamContext) {
    this.agreement = typeof context.shared === 'string' ? agreementOf(context.shared) : NO_EXTENSION;
  }

  measure(b: Uint8Array, start: number, end: number): number {
    const have = end - start;
    this.need = 0;
    if (have < 2) return MORE;
    const opcode = b[start]! & 0x0f;
    const code = b[start + 1]! & 0x7f;
    // Of the reserved bits one has a meaning; control frames are whole (section 5.5).
    if ((b[start]! & 0x30) !== 0 || OPCODES[opcode] === undefined) return ALIEN;
    if (opcode >= CLOSE && b[start]! < 0x80) return ALIEN;
    const header = headerLength(b, start);
    if (have < header) {
      this.need = header - have;
      return MORE;
    }
    const length =
      header + (code === 126 ? u16(b, start + 2) : code === 127 ? u32(b, start + 2) * 0x1_0000_0000 + u32(b, start + 6) : code);
    if (have >= length) return length;
    this.need = length - have;
    return MORE;
  }

  dissect(frame: Frame, start: number, end: number): void {
    const socket = this.socket(frame, start, end);
    frame.add(socket, end - start);
    // Control frames are short (section 5.5): the receiver will fail the connection.
    if (socket.opcode >= CLOSE && socket.payloadLength > 125) frame.malformed(socket);
    const from = start + headerLength(frame.bytes, start);
    const payload = unmasked(frame.bytes, start, from, end);
    const content = this.take(frame, socket, payload);
    socket.content = content;
    if (!content.isPart && content.opcode === BINARY && content.octets.length > 0)
      frame.within(content.octets, 0, content.octets.length, (f, s, e) => f.data(s, e));
  }

  partial(frame: Frame, start: number, end: number): number {
    const held = Math.min(end, frame.captured);
    const socket = this.socket(frame, start, end);
    this.forget();
    if (held - start < 2) {
      frame.data(start, end);
      return 0;
    }
    const header = headerLength(frame.bytes, start);
    frame.push(socket);
    if (held - start < header) return 0;
    const { need } = this;
    this.need = 0;
    const octets = unmasked(frame.bytes, start, start + header, held);
    socket.content = { opcode: socket.opcode, octets, fragments: undefined, joined: octets.length, isPart: true, failed: false };
    return Math.max(0, need - (end - held));
  }

  hole(): void {
    this.forget();
  }

  private socket(frame: Frame, start: number, end: number): WebSocket {
    const socket = new WebSocket(frame, start, end);
    socket.deflates = this.agreement.deflates;
    return socket;
  }

  private forget(): void {
    this.pieces = [];
    this.frames = [];
    this.joined = 0;
    this.opcode = -1;
    this.window = undefined;
  }

  /** What a whole frame says; remembers fragments until the last one. */
  private take(frame: Frame, socket: WebSocket, payload: Uint8Array): Content {
    const { opcode } = socket;
    const whole = { opcode, octets: payload, fragments: undefined, joined: payload.length, isPart: false, failed: false };
    // Control frames may come between fragments, and are never compressed.
    if (opcode >= CLOSE) return whole;
    if (opcode !== CONTINUATION) {
      this.pieces = [];
      this.frames = [];
      this.joined = 0;
      this.opcode = opcode;
      this.compressed = this.agreement.deflates && (socket.bytes[socket.start]! & 0x40) !== 0;
    }
    const known = this.opcode >= 0 && this.joined + payload.length <= MAX_MESSAGE;
    if (known) {
      this.pieces.push(payload);
      this.joined += payload.length;
      if (this.frames.length < MAX_FRAGMENTS) this.frames.push(frame.number);
    } else this.opcode = -1;
    if (!socket.fin || !known) return { ...whole, isPart: true };
    const { frames, joined, opcode: kind } = this;
    let octets = this.pieces.length === 1 ? payload : join(this.pieces, joined);
    let failed = false;
    if (this.compressed) {
      const plain = this.inflate(frame, octets);
      failed = plain === undefined;
      octets = plain ?? octets;
    }
    this.pieces = [];
    this.frames = [];
    this.joined = 0;
    this.opcode = -1;
    return { opcode: failed ? BINARY : kind, octets, fragments: frames.length > 1 ? frames : undefined, joined, isPart: false, failed };
  }

  private inflate(frame: Frame, octets: Uint8Array): Uint8Array | undefined {
    const { decompress } = frame.session;
    if (octets.length === 0 || decompress === undefined) return octets.length === 0 ? octets : undefined;
    const { clientForgets, serverForgets } = this.agreement;
    const forgets = this.context.fromClient ? clientForgets : serverForgets;
    const data = new Uint8Array(octets.length + FLUSH.length);
    data.set(octets);
    data.set(FLUSH, octets.length);
    const plain = decompress(data, 'deflate-raw', MAX_MESSAGE, forgets ? NONE : (this.window ?? NONE));
    if (!forgets && this.window !== undefined)
      this.window =
        plain === undefined ? undefined : plain.length >= WINDOW ? plain.slice(-WINDOW) : join([this.window, plain]).slice(-WINDOW);
    return plain;
  }
}

function join(pieces: readonly Uint8Array[], length = pieces.reduce((sum, piece) => sum + piece.length, 0)): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** The payload `[from, end)` of the frame at `start`: each octet exclusive-or one of the key's four (section 5.3). */
function unmasked(b: Uint8Array, start: number, from: number, end: number): Uint8Array {
  if (b[start + 1]! < 0x80) return b.slice(from, end);
  const payload = new Uint8Array(Math.max(0, end - from));
  for (let i = 0; i < payload.length; i++) payload[i] = b[from + i]! ^ b[from - 4 + (i & 3)]!;
  return payload;
}

export const webSocketStream: StreamProtocol = { name: 'websocket', sized: true, parser: (context) => new WebSocketParser(context) };

export const websocket: ProtocolEntry = { name: 'websocket', layers: [WebSocket], stream: webSocketStream };
