/**
 * Hypertext Transfer Protocol 2: requests and responses side by side on one connection, in frames, each on a stream of its
 * own, with compressed headers.
 *
 * RFC 9113 (HTTP/2; frames: section 4.1 and 6), RFC 7541 (HPACK, in hpack.ts), RFC 7540 section 3.2 (Upgrade: h2c),
 * RFC 7838 (ALTSVC), RFC 8336 (ORIGIN), RFC 9218 (PRIORITY_UPDATE).
 *
 *     0        3      4       5           9
 *     | length | type | flags | stream id | payload: `length` octets
 *
 *     PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n     the client's first words, before its frames
 */
import type { Frame } from '../core/frame.js';
import { u16, u24, u32 } from '../core/octets.js';
import type { ProtocolEntry } from '../core/registry.js';
import { ALIEN, MORE, type StreamContext, type StreamParser, type StreamProtocol } from '../core/stream.js';
import { Gathered } from './gathered.js';
import { HpackDecoder } from './hpack.js';
import type { HttpRequest } from './http-exchange.js';
import { Http2, payloadOf } from './http2-layer.js';
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  FRAME_HEADER,
  GOAWAY,
  HEADERS,
  PADDED,
  PING,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  TYPES,
  WINDOW_UPDATE,
} from './http2-rows.js';
import { Http2Connection, type Sender } from './http2-streams.js';

const MAGIC = Uint8Array.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', (c) => c.charCodeAt(0));
/** Largest payload unless the receiver allows more (RFC 9113 section 4.2). */
const USUAL_PAYLOAD = 16_384;
/** Most octets of a block of headers that comes in several frames. */
const MAX_BLOCK = 1 << 20;
/** Frames that have to follow each other for the first to be believed, where nothing else speaks for it. */
const CHAIN = 3;

/** Flags that mean something, by type. */
const FLAGS: readonly number[] = [0x09, 0x2d, 0, 0, 0x01, 0x0c, 0x01, 0, 0, 0x04];
/** Lengths that a payload has to have, by type; 0: any. */
const LENGTHS: readonly number[] = [0, 0, 5, 4, 0, 0, 8, 0, 4, 0];

/** Could these nine octets head a frame of RFC 9113, by all the rules? */
function isHeader(b: Uint8Array, at: number, longest: number): boolean {
  const type = b[at + 3]!;
  if (type > CONTINUATION || b[at + 5]! >= 0x80 || (b[at + 4]! & ~FLAGS[type]!) !== 0) return false;
  const length = u24(b, at);
  const id = u32(b, at + 5);
  if (LENGTHS[type] !== 0 && length !== LENGTHS[type]) return false;
  switch (type) {
    case SETTINGS:
      return id === 0 && length % 6 === 0 && length <= 6 * 32 && ((b[at + 4]! & ACK) === 0 || length === 0);
    case PING:
      return id === 0;
    case GOAWAY:
      return id === 0 && length >= 8 && length <= longest;
    case WINDOW_UPDATE:
      return true;
    case HEADERS:
    case PUSH_PROMISE:
      return id > 0 && length > 0 && length <= longest;
    default:
      return id > 0 && length <= longest;
  }
}

/** Do frames begin at `at` that follow each other to the end, or far enough to be believed? `whole`: to the end exactly. */
function isChain(b: Uint8Array, start: number, end: number, longest: number, whole: boolean): boolean {
  let at = start;
  for (let frames = 0; at + FRAME_HEADER <= end; frames++) {
    if (frames >= CHAIN) return true;
    if (!isHeader(b, at, longest)) return false;
    at += FRAME_HEADER + u24(b, at);
    if (at === end) return true;
  }
  return (
    !whole &&
    at > end &&
    at - start < end - start + longest &&
    at !== start &&
    isHeader(b, start, longest) &&
    start + FRAME_HEADER + u24(b, start) < end
  );
}

/** The octets of {@link MAGIC} that `[start, end)` begins with are all that it has of them. */
function beginsMagic(b: Uint8Array, start: number, end: number): boolean {
  const stop = Math.min(end, start + MAGIC.length);
  for (let at = start; at < stop; at++) if (b[at] !== MAGIC[at - start]) return false;
  return stop > start;
}

class Http2Parser implements StreamParser, Sender {
  need = 0;
  holes = 0;
  private readonly hpack = new HpackDecoder();
  /** Nothing was read in this direction yet. */
  private fresh = true;
  /** Largest payload that this side is willing to receive, once it said so. */
  private accepts: number | undefined = undefined;
  /** A block of headers under way: its stream, its first frame's layer's marks, and its octets so far. */
  private block = new Gathered();
  private blockStream = -1;
  private blockEnds = false;

  constructor(private readonly context: StreamContext) {}

  private get connection(): Http2Connection {
    const { shared } = this.context;
    if (shared instanceof Http2Connection) return shared;
    const made = new Http2Connection();
    this.context.shared = made;
    return made;
  }

  private get other(): Http2Parser | undefined {
    const { peer } = this.context;
    return peer instanceof Http2Parser ? peer : undefined;
  }

  private get longest(): number {
    return Math.max(this.other?.accepts ?? USUAL_PAYLOAD, USUAL_PAYLOAD);
  }

  measure(b: Uint8Array, start: number, end: number): number {
    this.need = 0;
    const have = end - start;
    if (beginsMagic(b, start, end)) {
      if (have >= MAGIC.length) return MAGIC.length;
      this.need = MAGIC.length - have;
      return MORE;
    }
    if (have < FRAME_HEADER) {
      this.need = FRAME_HEADER - have;
      return MORE;
    }
    const length = u24(b, start);
    const known = TYPES[b[start + 3]!] !== undefined;
    if (length > (known && this.other?.accepts === undefined ? 0xff_ffff : this.longest)) return ALIEN;
    if (!known && length > USUAL_PAYLOAD) return ALIEN;
    if (have >= FRAME_HEADER + length) return FRAME_HEADER + length;
    this.need = FRAME_HEADER + length - have;
    return MORE;
  }

  dissect(frame: Frame, start: number, end: number): void {
    const http2 = this.layer(frame, start, end);
    frame.add(http2, end - start);
    const { bytes: b } = frame;
    if (http2.isMagic) {
      this.fresh = false;
      return;
    }
    this.first(b, start);
    const type = b[start + 3]!;
    const flags = b[start + 4]!;
    const id = u32(b, start + 5) & 0x7fff_ffff;
    const length = end - start - FRAME_HEADER;
    if ((LENGTHS[type] ?? 0) !== 0 && length !== LENGTHS[type]) return frame.malformed(http2, FRAME_HEADER + LENGTHS[type]!);
    switch (type) {
      case DATA: {
        const { from, to, wrong } = payloadOf(b, start, end);
        if (wrong) return frame.malformed(http2);
        this.connection.data(frame, http2, id, b, from, to, to - from, this);
        break;
      }
      case HEADERS:
      case PUSH_PROMISE:
      case CONTINUATION:
        this.headers(frame, http2, type, flags, id, start, end);
        break;
      case RST_STREAM:
        this.connection.reset(frame, http2, id, u32(b, start + FRAME_HEADER), this.context);
        break;
      case SETTINGS:
        if (length % 6 !== 0) return frame.malformed(http2);
        if ((flags & ACK) === 0) this.settings(b, start + FRAME_HEADER, end);
        break;
      case GOAWAY:
        if (length < 8) frame.malformed(http2, FRAME_HEADER + 8);
    }
  }

  private layer(frame: Frame, start: number, end: number): Http2 {
    const http2 = new Http2(frame, start, end);
    http2.isMagic = end - start >= MAGIC.length && beginsMagic(frame.bytes, start, Math.min(end, frame.captured));
    http2.block = undefined;
    http2.says = '';
    http2.bodyType = '';
    http2.uri = undefined;
    http2.request = undefined;
    http2.elapsed = undefined;
    http2.incomplete = false;
    return http2;
  }

  /** A connection begins with SETTINGS (section 3.4); one that does not began before the capture. */
  private first(b: Uint8Array, start: number): void {
    if (!this.fresh) return;
    this.fresh = false;
    if (b[start + 3] !== SETTINGS || (b[start + 4]! & ACK) !== 0) this.hpack.forget();
  }

  /** RFC 9113 section 6.5.2. */
  private settings(b: Uint8Array, from: number, to: number): void {
    this.accepts ??= USUAL_PAYLOAD;
    for (let at = from; at + 6 <= to; at += 6) if (u16(b, at) === 5) this.accepts = Math.min(u32(b, at + 2), 0xff_ffff);
  }

  private headers(frame: Frame, http2: Http2, type: number, flags: number, id: number, start: number, end: number): void {
    const { bytes: b } = frame;
    const { from, to, wrong } = payloadOf(b, start, end);
    if (wrong || (type === CONTINUATION && id !== this.blockStream)) {
      // Without this piece the table is not what the sender's is.
      if (wrong) frame.malformed(http2);
      this.lose();
      return;
    }
    if (type !== CONTINUATION) {
      if (this.blockStream >= 0) this.lose();
      this.blockEnds = type === HEADERS && (flags & END_STREAM) !== 0;
      // Not by its row: the walk comes after the headers are known.
      this.promised = type === PUSH_PROMISE && from >= start + FRAME_HEADER + 4 ? u32(b, from - 4) & 0x7fff_ffff : undefined;
    }
    const ends = (flags & END_HEADERS) !== 0;
    if (ends && this.block.length === 0) {
      this.blockStream = -1;
      http2.block = this.hpack.decode(b, from, to);
    } else {
      this.blockStream = id;
      this.block.append(b, from, to);
      if (this.block.length > MAX_BLOCK) return this.lose();
      if (!ends) return;
      const { octets } = this.block;
      this.forgetBlock();
      http2.block = this.hpack.decode(octets, 0, octets.length);
    }
    const { context, other } = this;
    this.connection.headers(frame, http2, id, this.promised, http2.block, this.blockEnds, this, other, context);
  }

  /** Of the block under way: the stream that it opens. */
  private promised: number | undefined = undefined;

  private forgetBlock(): void {
    if (this.block.length > 0) this.block = new Gathered();
    this.blockStream = -1;
  }

  /** Headers are missing, so the table is not known any more. */
  private lose(): void {
    this.forgetBlock();
    this.hpack.forget();
  }

  partial(frame: Frame, start: number, end: number): number {
    const { bytes: b } = frame;
    const held = Math.min(end, frame.captured);
    if (held - start < FRAME_HEADER || beginsMagic(b, start, held)) {
      frame.data(start, end);
      this.lose();
      return 0;
    }
    this.first(b, start);
    const http2 = this.layer(frame, start, end);
    http2.incomplete = true;
    frame.push(http2);
    const type = b[start + 3]!;
    const total = FRAME_HEADER + u24(b, start);
    if (type === HEADERS || type === PUSH_PROMISE || type === CONTINUATION) this.lose();
    else if (type === DATA) {
      const padded = (b[start + 4]! & PADDED) !== 0;
      const from = start + FRAME_HEADER + (padded ? 1 : 0);
      const pad = padded && from <= held ? b[from - 1]! : 0;
      const length = Math.max(0, start + total - from - pad);
      const id = u32(b, start + 5) & 0x7fff_ffff;
      this.connection.data(frame, http2, id, b, from, Math.max(from, Math.min(held, from + length)), length, this);
    }
    return Math.max(0, total - (end - start));
  }

  hole(): void {
    this.holes++;
    this.fresh = false;
    this.need = 0;
    this.lose();
  }

  /** Where a frame begins: one of a stream that is known, or several after each other. */
  resync(b: Uint8Array, start: number, end: number): number {
    const { connection, longest } = this;
    for (let at = start; at + FRAME_HEADER <= end; at++) {
      if (!isHeader(b, at, longest)) continue;
      const type = b[at + 3]!;
      if (type === DATA && connection.has(u32(b, at + 5))) return at;
      if (isChain(b, at, end, longest, false)) return at;
    }
    return end;
  }
}

/** The client's first words, or frames that fill the octets exactly: of a connection that began before the capture. */
function recognise(b: Uint8Array, start: number, end: number): boolean {
  if (end - start >= MAGIC.length && beginsMagic(b, start, end)) return true;
  return end - start >= FRAME_HEADER && isChain(b, start, end, USUAL_PAYLOAD, true);
}

/**
 * Does a stream on a port of HTTP/1 speak HTTP/2 instead, with prior knowledge (RFC 9113 section 3.3)? As many octets of the
 * client's first words as no request of HTTP/1 begins with, or the server's SETTINGS.
 */
export const opensHttp2 = (b: Uint8Array, start: number, end: number): boolean =>
  (end - start >= 4 && beginsMagic(b, start, end)) || (b[start] === 0 && recognise(b, start, end));

export const http2Stream: StreamProtocol = { name: 'http2', parser: (context) => new Http2Parser(context), recognise };

/** The parsers of a connection on which `request` was made with Upgrade: h2c. */
export function http2After(request: HttpRequest | undefined, wanted: boolean): Http2Connection {
  const connection = new Http2Connection();
  if (request !== undefined) connection.upgraded(request, wanted);
  return connection;
}

export const http2: ProtocolEntry = { name: 'http2', layers: [Http2], stream: http2Stream };
