/**
 * Hypertext Transfer Protocol 3: HTTP over the streams of QUIC, a request with its response on each, with compressed headers.
 *
 * RFC 9114 (streams: section 6, frames: section 7), RFC 9204 (QPACK, in qpack.ts), RFC 9218 (PRIORITY_UPDATE).
 *
 *     type (1 to 8)   length (1 to 8)   payload: `length` octets          a frame
 *     type (1 to 8)   frames, or what the type says                       a stream of one direction
 *
 *     0 control: SETTINGS, GOAWAY, …   1 push   2, 3 what fills the tables of QPACK, and what was taken from it
 */
import type { Frame } from '../core/frame.js';
import type { ProtocolEntry } from '../core/registry.js';
import { Gathered } from './gathered.js';
import { Http3 } from './http3-layer.js';
import { CONTROL, DATA, HEADERS, http3Error, MAX_TABLE_CAPACITY, PUSH, PUSH_PROMISE, QPACK_ENCODER, SETTINGS } from './http3-rows.js';
import { Ends, Exchange } from './http3-streams.js';
import { BLOCKED, type FieldSection, QpackDecoder } from './qpack.js';
import { isBidirectional, type QuicApplication, type StreamReader, type StreamReaders } from './quic-streams.js';
import { varint, varintLength } from './quic-varint.js';

/** Largest frame, other than DATA, that is gathered. */
const MAX_FRAME = 1 << 20;
/** DATA frames up to this are shown when they are whole, larger ones when they begin. */
const MAX_SHOWN = 1 << 16;
/** Most octets that are gathered for frames of a connection; beyond it DATA frames are shown when they begin. */
const MAX_GATHERED = 4 << 20;
/** Most streams that wait for entries of a table. */
const MAX_BLOCKED = 256;
/** Octets of a number of variable length, at most. */
const MAX_NUMBER = 8;

const NOTHING = new Uint8Array(0);

/** Octets of the number at `at`; 0 when it does not end before `end`. */
function numberLength(b: Uint8Array, at: number, end: number): number {
  if (at >= end) return 0;
  const length = varintLength(b, at);
  return at + length > end ? 0 : length;
}

/** What both ends of a connection said. */
export class Http3Connection implements QuicApplication {
  /** Of the client's blocks and of the server's. */
  private readonly decoders = [new QpackDecoder(), new QpackDecoder()] as const;
  private readonly blocked = [new Set<FrameReader>(), new Set<FrameReader>()] as const;
  /** Octets that are held for frames. */
  gathered = 0;
  private readonly ends = new Ends();

  readers(id: number): StreamReaders {
    if (isBidirectional(id)) {
      const exchange = new Exchange(this.ends, id);
      return [new FrameReader(this, id, false, exchange), new FrameReader(this, id, true, exchange)];
    }
    const fromServer = (id & 1) === 1;
    const reader = new OneWayReader(this, id, fromServer);
    return fromServer ? [undefined, reader] : [reader, undefined];
  }

  decoder(fromServer: boolean): QpackDecoder {
    return this.decoders[fromServer ? 1 : 0];
  }

  /** Wait for entries; false when too many do. */
  block(reader: FrameReader, fromServer: boolean): boolean {
    const waiting = this.blocked[fromServer ? 1 : 0];
    if (waiting.size >= MAX_BLOCKED) return false;
    waiting.add(reader);
    return true;
  }

  /** Entries came: those that waited go on, in `frame`. */
  unblock(frame: Frame, fromServer: boolean): void {
    const waiting = this.blocked[fromServer ? 1 : 0];
    const all = [...waiting];
    waiting.clear();
    for (const reader of all) reader.resume(frame);
  }

  /** A block of headers. */
  decode(b: Uint8Array, from: number, to: number, fromServer: boolean): FieldSection | typeof BLOCKED {
    return this.decoder(fromServer).decode(b, from, to);
  }

  /** SETTINGS of one side, which say how large a table the other may fill (RFC 9204 section 5). */
  settings(b: Uint8Array, from: number, to: number, fromServer: boolean): void {
    const { 0: client, 1: server } = this.decoders;
    const decoder = fromServer ? client : server;
    decoder.limit ??= 0;
    // Each pair has two octets at least.
    for (let at = from; at < to; ) {
      const valueAt = at + numberLength(b, at, to);
      const length = numberLength(b, valueAt, to);
      if (valueAt === at || length === 0) return;
      if (varint(b, at) === MAX_TABLE_CAPACITY) decoder.limit = varint(b, valueAt);
      at = valueAt + length;
    }
  }

  /** The layer of octets `[start, end)`, of which `bytes` may have fewer. */
  layer(frame: Frame, bytes: Uint8Array, start: number, end: number, stream: number, fill: (layer: Http3) => void): void {
    frame.within(bytes, start, end, (f) => {
      const http3 = new Http3(f, start, end);
      http3.isStreamType = false;
      http3.stream = stream;
      http3.section = undefined;
      http3.late = false;
      http3.says = '';
      http3.uri = undefined;
      http3.request = undefined;
      http3.elapsed = undefined;
      f.push(http3);
      fill(http3);
    });
  }
}

/** Reads the frames of one direction of a stream. */
class FrameReader implements StreamReader {
  private pending: Gathered | undefined = undefined;
  /** Octets to come of a DATA frame that was shown. */
  private left = 0;
  /** Where a frame begins is not known any more. */
  private lost = false;
  private final = false;
  private late = false;
  private last: Http3 | undefined = undefined;

  constructor(
    private readonly connection: Http3Connection,
    private readonly id: number,
    private readonly fromServer: boolean,
    /** Of a stream for a request. */
    private readonly exchange: Exchange | undefined,
  ) {}

  private waiting = false;

  read(frame: Frame, octets: Uint8Array, final: boolean): void {
    this.final ||= final;
    if (this.lost) return;
    let bytes = octets;
    if (this.pending !== undefined) {
      this.gather(octets, 0);
      if (this.waiting) {
        if (this.pending.length > MAX_FRAME) this.lose();
        return;
      }
      bytes = this.take();
    }
    this.parse(frame, bytes);
  }

  private gather(bytes: Uint8Array, from: number): void {
    this.pending ??= new Gathered();
    this.pending.append(bytes, from, bytes.length);
    this.connection.gathered += bytes.length - from;
  }

  /** What was gathered, which layers may keep. */
  private take(): Uint8Array {
    const octets = this.pending?.octets ?? NOTHING;
    this.pending = undefined;
    this.connection.gathered -= octets.length;
    return octets;
  }

  private lose(): void {
    this.take();
    this.lost = true;
  }

  /** What it waited for came. */
  resume(frame: Frame): void {
    this.waiting = false;
    this.late = true;
    if (!this.lost) this.parse(frame, this.take());
    this.late = false;
  }

  /** The frames in `bytes`; each has two octets at least. */
  private parse(frame: Frame, bytes: Uint8Array): void {
    const end = bytes.length;
    this.last = undefined;
    for (let at = 0; at < end && !this.lost; ) {
      if (this.left > 0) {
        const n = Math.min(this.left, end - at);
        this.exchange?.data(bytes, at, at + n, n, this.fromServer, frame);
        this.left -= n;
        at += n;
        continue;
      }
      const typeLength = numberLength(bytes, at, end);
      const lengthLength = typeLength === 0 ? 0 : numberLength(bytes, at + typeLength, end);
      if (lengthLength === 0) {
        this.gather(bytes, at);
        return;
      }
      const type = varint(bytes, at);
      const from = at + typeLength + lengthLength;
      const length = varint(bytes, at + typeLength);
      const to = from + length;
      if (to > end) {
        const isBody = type === DATA && this.exchange !== undefined;
        if (isBody && (length > MAX_SHOWN || this.connection.gathered > MAX_GATHERED)) {
          this.connection.layer(frame, bytes, at, to, this.id, () => {});
          this.left = length;
          at = from;
          continue;
        }
        if (length > MAX_FRAME) return this.lose();
        this.gather(bytes, at);
        return;
      }
      if (!this.frame(frame, bytes, at, from, to, type)) {
        this.gather(bytes, at);
        return;
      }
      at = to;
    }
    if (this.final && this.left === 0) this.exchange?.ends(frame, this.last, this.fromServer);
  }

  /** A whole frame; false when it has to wait. */
  private frame(frame: Frame, bytes: Uint8Array, at: number, from: number, to: number, type: number): boolean {
    const { connection, fromServer } = this;
    let section: FieldSection | undefined;
    if (type === HEADERS || type === PUSH_PROMISE) {
      const found = connection.decode(bytes, from + (type === PUSH_PROMISE ? numberLength(bytes, from, to) : 0), to, fromServer);
      if (found === BLOCKED) {
        this.waiting = connection.block(this, fromServer);
        if (this.waiting) return false;
      } else section = found;
    } else if (type === SETTINGS) connection.settings(bytes, from, to, fromServer);
    connection.layer(frame, bytes, at, to, this.id, (http3) => {
      this.last = http3;
      http3.section = section;
      http3.late = this.late;
      if (section !== undefined) this.exchange?.headers(frame, http3, section, fromServer, type === PUSH_PROMISE);
    });
    if (type === DATA) this.exchange?.data(bytes, from, to, to - from, fromServer, frame);
    return true;
  }

  hole(length: number): void {
    if (this.left < length || this.pending !== undefined) return this.lose();
    this.left -= length;
    this.exchange?.missing(length, this.fromServer);
  }

  reset(frame: Frame, error: number): void {
    this.lose();
    this.exchange?.reset(frame, http3Error(error), this.fromServer);
  }
}

/** Reads a stream of one direction: its type, and what follows from it. */
class OneWayReader implements StreamReader {
  private readonly head = new Gathered();
  private rest: StreamReader | undefined = undefined;
  /** Nothing in it is read. */
  private closed = false;

  constructor(
    private readonly connection: Http3Connection,
    private readonly id: number,
    private readonly fromServer: boolean,
  ) {}

  read(frame: Frame, octets: Uint8Array, final: boolean): void {
    if (this.closed) return;
    if (this.rest !== undefined) return this.rest.read(frame, octets, final);
    const { head } = this;
    head.append(octets, 0, Math.min(octets.length, 2 * MAX_NUMBER));
    const before = head.length - Math.min(octets.length, 2 * MAX_NUMBER);
    const b = head.octets;
    let length = numberLength(b, 0, b.length);
    if (length === 0) return;
    const type = varint(b, 0);
    if (type === PUSH) {
      const idLength = numberLength(b, length, b.length);
      if (idLength === 0) return;
      length += idLength;
    }
    this.connection.layer(frame, b, 0, length, this.id, (http3) => {
      http3.isStreamType = true;
    });
    if (type === CONTROL || type === PUSH) this.rest = new FrameReader(this.connection, this.id, this.fromServer, undefined);
    else if (type === QPACK_ENCODER) this.rest = new EncoderReader(this.connection, this.fromServer);
    else this.closed = true;
    const used = length - before;
    if (used < octets.length) this.rest?.read(frame, octets.subarray(used), final);
  }

  hole(length: number): void {
    if (this.rest === undefined) this.closed = true;
    this.rest?.hole(length);
  }

  reset(frame: Frame, error: number): void {
    this.closed = true;
    this.rest?.reset(frame, error);
  }
}

/** Reads the stream that fills the table of one direction. */
class EncoderReader implements StreamReader {
  private pending: Gathered | undefined = undefined;

  constructor(
    private readonly connection: Http3Connection,
    private readonly fromServer: boolean,
  ) {}

  read(frame: Frame, octets: Uint8Array): void {
    let bytes = octets;
    if (this.pending !== undefined) {
      this.pending.append(octets, 0, octets.length);
      bytes = this.pending.octets;
    }
    const decoder = this.connection.decoder(this.fromServer);
    const at = decoder.instruct(bytes, 0, bytes.length);
    if (at === 0 && this.pending !== undefined && this.pending.length <= MAX_FRAME) return;
    this.pending = undefined;
    if (bytes.length - at > MAX_FRAME) decoder.forget();
    else if (at < bytes.length) {
      this.pending = new Gathered();
      this.pending.append(bytes, at, bytes.length);
    }
    if (at > 0) this.connection.unblock(frame, this.fromServer);
  }

  hole(): void {
    this.pending = undefined;
    this.connection.decoder(this.fromServer).forget();
  }

  reset(frame: Frame): void {
    this.hole();
    this.connection.unblock(frame, this.fromServer);
  }
}

export const http3: ProtocolEntry = { name: 'http3', layers: [Http3] };
