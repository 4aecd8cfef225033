/** What is spoken inside TLS: plain text, record by record, for the stream protocols that dissect it. */
import type { Frame } from '../core/frame.js';
import type { Registry } from '../core/registry.js';
import { ALIEN, MORE, type StreamContext, type StreamParser, type StreamProtocol } from '../core/stream.js';

/** Most octets of a message that are gathered, a direction. */
const MAX_PENDING = 4 << 20;
/** Records in which the protocol is looked for. */
const MAX_TRIES = 8;

/** Protocols by the name that ALPN gives them. */
const BY_ALPN: Readonly<Record<string, string>> = { 'http/1.0': 'http', 'http/1.1': 'http', h2: 'http2', dot: 'dns' };
const BY_PORT: Readonly<Record<number, string>> = { 802: 'modbus', 853: 'dns' };

const NOTHING = new Uint8Array(0);

/** Both directions. */
export class Inside {
  protocol: StreamProtocol | undefined;
  shared: unknown = undefined;
  tries = 0;
  private readonly directions: readonly [Direction, Direction];

  constructor(
    readonly registry: Registry,
    alpn: string | undefined,
    readonly srcPort: number,
    readonly dstPort: number,
    private readonly datagram: boolean,
  ) {
    const name = (alpn === undefined ? undefined : BY_ALPN[alpn]) ?? BY_PORT[Math.min(srcPort, dstPort)];
    this.protocol = name === undefined ? undefined : registry.protocols.find((entry) => entry.name === name)?.stream;
    this.directions = [new Direction(this, true), new Direction(this, false)];
  }

  /** Plain text of a record. */
  feed(frame: Frame, bytes: Uint8Array, fromServer: boolean): void {
    // Datagrams stand alone, and nothing that is spoken over streams fits them.
    if (this.datagram) frame.within(bytes, 0, bytes.length, (f, start, end) => f.data(start, end));
    else this.directions[fromServer ? 1 : 0].feed(frame, bytes);
  }

  gap(fromServer: boolean): void {
    this.directions[fromServer ? 1 : 0].gap();
  }

  /** This side will send no more. */
  close(frame: Frame, fromServer: boolean): void {
    this.directions[fromServer ? 1 : 0].close(frame);
  }

  totalOf(fromClient: boolean): number {
    return this.directions[fromClient ? 0 : 1].total;
  }

  peerOf(direction: Direction): StreamParser | undefined {
    return this.directions[direction.fromClient ? 1 : 0].parser;
  }
}

/** One direction: the message under way, and the parser that reads it. */
class Direction implements StreamContext {
  parser: StreamParser | undefined = undefined;
  /** What {@link parser} was made for. */
  private speaks: StreamProtocol | undefined = undefined;
  private pending = NOTHING;
  private length = 0;
  /** Octets that must have come before the parser is asked again. */
  private wanted = 0;
  /** Octets of plain text so far. */
  total = 0;
  messageStart = 0;
  startSeconds = 0;
  startNanoseconds = 0;
  /** Octets to come of a message that was given up. */
  private skip = 0;

  constructor(
    private readonly inside: Inside,
    readonly fromClient: boolean,
  ) {}

  get peer(): StreamParser | undefined {
    return this.inside.peerOf(this);
  }
  /** Whoever sends has read what came before, as far as can be told. */
  get received(): number {
    return this.inside.totalOf(!this.fromClient);
  }
  get shared(): unknown {
    return this.inside.shared;
  }
  set shared(value: unknown) {
    this.inside.shared = value;
  }
  get srcPort(): number {
    return this.fromClient ? this.inside.srcPort : this.inside.dstPort;
  }
  get dstPort(): number {
    return this.fromClient ? this.inside.dstPort : this.inside.srcPort;
  }

  become(protocol: StreamProtocol | undefined, shared?: unknown): void {
    this.inside.protocol = protocol;
    this.inside.shared = shared;
    this.inside.tries = 0;
  }

  feed(frame: Frame, bytes: Uint8Array): void {
    this.total += bytes.length;
    if (this.length === 0) {
      this.begins(frame);
      return this.parse(frame, bytes, 0, bytes.length, false);
    }
    this.append(bytes, 0, bytes.length);
    if (this.length < this.wanted && this.length <= MAX_PENDING) return;
    this.parse(frame, this.pending, 0, this.length, false);
  }

  /** The next message begins in this frame. */
  private begins(frame: Frame): void {
    this.startSeconds = frame.seconds;
    this.startNanoseconds = frame.nanoseconds;
  }

  gap(): void {
    this.drop();
    this.skip = 0;
    this.parser?.hole?.(undefined);
  }

  close(frame: Frame): void {
    if (this.length > 0) this.parse(frame, this.pending, 0, this.length, true);
  }

  private drop(): void {
    this.pending = NOTHING;
    this.length = this.wanted = 0;
  }

  private append(bytes: Uint8Array, from: number, to: number): void {
    const length = this.length + to - from;
    if (length > this.pending.length) {
      // Grows with what came, twofold.
      const bigger = new Uint8Array(Math.max(2 * length, 512));
      bigger.set(this.pending.subarray(0, this.length));
      this.pending = bigger;
    }
    this.pending.set(bytes.subarray(from, to), this.length);
    this.length = length;
  }

  private choose(bytes: Uint8Array, start: number, end: number): StreamParser | undefined {
    const { inside } = this;
    if (inside.protocol === undefined && inside.tries < MAX_TRIES) {
      inside.tries++;
      for (const protocol of inside.registry.streams)
        if (protocol.recognise!(bytes, start, end)) {
          inside.protocol = protocol;
          break;
        }
    }
    if (inside.protocol === undefined) return undefined;
    if (this.speaks !== inside.protocol) {
      this.speaks = inside.protocol;
      this.parser = inside.protocol.parser(this);
    }
    return this.parser;
  }

  /** The messages in `[start, end)`; each takes an octet at least. */
  private parse(frame: Frame, bytes: Uint8Array, start: number, end: number, final: boolean): void {
    let at = start + Math.min(this.skip, end - start);
    this.skip -= at - start;
    while (at < end) {
      const parser = this.choose(bytes, at, end);
      if (parser === undefined) break;
      const n = parser.measure(bytes, at, end, final);
      if (n === MORE) {
        if (final || end - at > MAX_PENDING) {
          this.drop();
          return this.cut(frame, parser, bytes, at, end);
        }
        const need = parser.need ?? 0;
        // What waits already is not copied again; layers may hold what was dissected.
        if (bytes !== this.pending || at > 0) {
          this.drop();
          this.append(bytes, at, end);
        }
        this.wanted = need > 0 ? this.length + need : 0;
        return;
      }
      if (n === ALIEN) {
        parser.hole?.(undefined);
        break;
      }
      this.messageStart = this.total - (end - at);
      frame.within(bytes, at, at + n, (f, from, to) => parser.dissect(f, from, to));
      at += n;
      this.begins(frame);
    }
    this.drop();
    if (at < end) frame.within(bytes, at, end, (f, from, to) => f.data(from, to));
  }

  /** Show what there is of a message that will not be whole. */
  private cut(frame: Frame, parser: StreamParser, bytes: Uint8Array, at: number, end: number): void {
    frame.within(bytes, at, end, (f, from, to) => {
      if (parser.partial) this.skip = parser.partial(f, from, to);
      else f.data(from, to);
    });
    if (this.skip === 0) parser.hole?.(undefined);
  }
}
