/**
 * Hypertext Transfer Protocol 1.0 and 1.1, over TCP and, as SSDP, over UDP.
 *
 * RFC 9110 (semantics), RFC 9112 (HTTP/1.1: messages, their bodies and where they end), RFC 6265 (cookies),
 * RFC 7617 (Basic credentials).
 *
 *     GET /path?query HTTP/1.1\r\n      or      HTTP/1.1 200 OK\r\n
 *     Name: value\r\n
 *     …
 *     \r\n
 *     body: as long as Content-Length says, in chunks, until the sender closes, or none
 */
import type { Frame } from '../core/frame.js';
import { latin1Of } from '../core/octets.js';
import { type Dissect, type ProtocolEntry, tcpPorts, udpPorts } from '../core/registry.js';
import { ALIEN, MORE, type StreamContext, type StreamParser, type StreamProtocol } from '../core/stream.js';
import { dissectDoh, isDnsMessage, mayCarryDns } from './doh.js';
import { chunkSize, MAX_CHUNK_LINE } from './http-chunks.js';
import { Connection, type HttpRequest, type Instead } from './http-exchange.js';
import { FirstLine, firstLine, type Kind, kindOf } from './http-first-line.js';
import { type Head, HTTP2_UPGRADE, readHead } from './http-head.js';
import { headers } from './http-header-lines.js';
import { Http } from './http-layer.js';
import { COLON, isBlank, isHeadEnd, isToken, lineEnd, wordEnd } from './http-lines.js';
import { http2After, http2Stream, opensHttp2 } from './http2.js';

/** Most octets of a head; servers accept some tens of thousands. */
const MAX_HEAD = 262_144;

class HttpParser implements StreamParser {
  need = 0;
  private head: Head | undefined = undefined;
  /** What its first line begins, and that line once it is whole. */
  private kind: Kind | undefined = undefined;
  private first: FirstLine | undefined = undefined;
  /** Where the search for the end of the head, or the next chunk, goes on; from the start of the message. */
  private at = 0;
  /** The last chunk came; what is left are trailers. */
  private trailers = false;
  /** Reads the first message of a conversation that turns out to be HTTP/2. */
  private newer: StreamParser | undefined = undefined;
  /** What waits for the answer to the request under way. */
  private begun: HttpRequest | undefined = undefined;
  /** The last octets of this direction are no message of HTTP. */
  private foreign = false;
  /** There is a hole before those octets: they may be the rest of a message. */
  private holed = false;

  constructor(private readonly context: StreamContext) {}

  /** Lines tell nothing of bodies, but for those of DNS; JSON also tells which cannot be decompressed. */
  get told(): number | undefined {
    const { head } = this;
    if (head === undefined || isDnsMessage(head) || (head.contentEncoding !== '' && this.context.brief !== true)) return undefined;
    return head.length;
  }

  private get connection(): Connection {
    const { shared } = this.context;
    return shared instanceof Connection ? shared : (this.context.shared = new Connection());
  }

  measure(b: Uint8Array, start: number, end: number, final: boolean): number {
    this.need = 0;
    if (this.head === undefined) {
      if (this.newer === undefined && opensHttp2(b, start, end) && this.connection.isNew) this.newer = http2Stream.parser(this.context);
      if (this.newer !== undefined) {
        const length = this.newer.measure(b, start, end, final);
        this.need = this.newer.need ?? 0;
        return length;
      }
      const known = this.at === 0 ? headers.known(b, start, end) : undefined;
      if (known?.isFor(this.asked(known.kind))) this.head = known;
      else {
        const length = this.headLength(b, start, end);
        if (length <= 0) {
          this.foreign = this.kind === undefined && !this.holed;
          // A server may answer before the head is whole: that it takes too long, or is too large.
          if (length === MORE && this.kind === 'request' && this.at > 0)
            this.begun ??= this.connection.begin(readHead(b, start, this.at, this.first!, undefined), this.context.received);
          return length;
        }
        this.head = readHead(b, start, length, this.first!, this.asked(this.kind), headers);
      }
      this.at = this.head.length;
    }
    const length = this.lengthOf(b, start, end, final);
    const { head } = this;
    if (length === MORE && head.kind === 'request' && this.begun === undefined)
      this.begun = this.connection.begin(head, this.context.received);
    return length;
  }

  /** The method of the request that a message answers, if it is a response. */
  private asked(kind: Kind | undefined): string | undefined {
    return kind === 'response' ? this.connection.waiting[0]?.method : undefined;
  }

  private lengthOf(b: Uint8Array, start: number, end: number, final: boolean): number {
    const head = this.head!;
    const have = end - start;
    switch (head.framing) {
      case 'none':
        return head.length;
      case 'length': {
        const length = head.length + head.contentLength;
        if (have >= length) return length;
        this.need = length - have;
        return MORE;
      }
      case 'close':
        if (final) return have;
        this.need = Infinity;
        return MORE;
      case 'chunked':
        return this.chunks(b, start, end);
    }
  }

  /** Octets of the head; {@link MORE} or {@link ALIEN}. Each octet is looked at once. */
  private headLength(b: Uint8Array, start: number, end: number): number {
    let at = start + this.at;
    headers.forget();
    if (at === start) {
      const c = b[start]!;
      // All that HTTP begins with are capital letters.
      const next = c >= 0x41 && c <= 0x5a ? lineEnd(b, start, end) : -1;
      const first = next < 0 ? undefined : firstLine(b, start, next);
      this.kind = first === undefined ? kindOf(b, start, end) : first.kind;
      if (this.kind === undefined) {
        // A method is known when the blank behind it came, another one when its line is whole.
        if (end - start >= 24 && lineEnd(b, start, Math.min(end, start + 4096)) >= 0) return ALIEN;
        if (end - start >= 4096 || !isToken(b, start, wordEnd(b, start, Math.min(end, start + 24)))) return ALIEN;
        return lineEnd(b, start, end) >= 0 ? ALIEN : MORE;
      }
      if (first === undefined) return end - start > MAX_HEAD ? ALIEN : MORE;
      this.first = first;
      // HTTP/0.9 is one line without a version, and nothing like a header after it.
      if (first.isSimple) {
        const header = lineEnd(b, next, end);
        if (header < 0 ? next === end : !b.subarray(next, header).includes(COLON)) return first.length;
      }
      at = headers.read(b, start, next, end);
      if (headers.length > 0) return headers.length;
    }
    for (;;) {
      const next = lineEnd(b, at, end);
      if (next < 0) {
        this.at = at - start;
        return end - start > MAX_HEAD ? ALIEN : MORE;
      }
      const blank = isBlank(b, at, next);
      at = next;
      if (blank) return at - start;
    }
  }

  private chunks(b: Uint8Array, start: number, end: number): number {
    let at = start + this.at;
    for (;;) {
      const line = lineEnd(b, at, end);
      if (line < 0) {
        this.at = at - start;
        return end - at > MAX_CHUNK_LINE ? this.broken(at - start) : MORE;
      }
      if (this.trailers) {
        const blank = isBlank(b, at, line);
        at = line;
        this.at = at - start;
        if (blank) return at - start;
        continue;
      }
      const size = chunkSize(b, at, line);
      if (size < 0) return this.broken(at - start);
      if (size === 0) {
        this.trailers = true;
        at = line;
        continue;
      }
      const stop = line + size + 2;
      if (stop > end) {
        this.at = at - start;
        return MORE;
      }
      at = stop;
    }
  }

  /** The chunks stop making sense: the message ends before that. */
  private broken(length: number): number {
    return length > 0 ? length : ALIEN;
  }

  dissect(frame: Frame, start: number, end: number): void {
    const { newer } = this;
    if (newer !== undefined) {
      this.context.shared = undefined;
      newer.dissect(frame, start, end);
      this.context.become(http2Stream, this.context.shared);
      return;
    }
    this.add(frame, start, end, false);
  }

  partial(frame: Frame, start: number, end: number): number {
    const held = Math.min(end, frame.captured);
    const { head } = this;
    if (head === undefined) {
      const kind = kindOf(frame.bytes, start, held);
      if (kind === undefined) frame.data(start, end);
      else {
        this.head = readHead(frame.bytes, start, held - start, firstOf(frame.bytes, start, held, kind), undefined);
        this.add(frame, start, end, true);
      }
      this.reset();
      return 0;
    }
    this.add(frame, start, end, true);
    if (head.framing === 'close') return Infinity;
    return head.framing === 'length' ? Math.max(0, start + head.length + head.contentLength - end) : 0;
  }

  private add(frame: Frame, start: number, end: number, incomplete: boolean): void {
    const head = this.head!;
    const { begun } = this;
    this.reset();
    this.foreign = this.holed = false;
    const http = new Http(frame, start, end);
    http.head = head;
    http.incomplete = incomplete;
    const { connection } = this;
    if (head.kind === 'response') {
      const instead = connection.waiting.length === 0 ? this.instead : undefined;
      http.exchange = connection.response(frame, head, this.context.messageStart, instead);
      const { request, time } = http.exchange;
      if (time !== undefined) frame.answer = { request: request!.frame, time };
      if (http.exchange.request?.method === 'CONNECT' && head.code >= 200 && head.code < 300)
        this.context.become(undefined, undefined, portOf(http.exchange.request.uri));
      else if (head.code === 101) {
        const toHttp2 = head.upgrade === HTTP2_UPGRADE;
        const name = toHttp2 ? 'http2' : head.upgrade;
        const next = frame.session.registry.protocols.find((p) => p.name === name && p.stream)?.stream;
        const { request } = http.exchange;
        this.context.become(
          next,
          toHttp2 ? http2After(request, frame.session.hooks.httpBodies === true) : http.webSocketExtensions.join(', '),
        );
      }
    } else {
      http.exchange = connection.request(frame, head, this.context.received, begun);
      connection.requestEnd = this.context.messageStart + end - start;
    }
    frame.push(http);
    if (!incomplete && (head.hasDns ??= mayCarryDns(head)))
      dissectDoh(frame, head, isDnsMessage(head) ? http.content : undefined, http.exchange.asked ?? http.exchange.request);
    frame.session.hooks.http?.(frame, http, this.context);
  }

  /** Of a server: what its client said since its last request, if that is told by what was captured. */
  private get instead(): Instead | undefined {
    const { peer, received } = this.context;
    if (peer instanceof HttpParser && peer.foreign) return 'foreign';
    return received === this.connection.requestEnd ? 'nothing' : undefined;
  }

  hole(): void {
    this.connection.holed = true;
    this.foreign = false;
    this.holed = true;
    this.reset();
  }

  alien(): void {
    this.connection.holed = true;
    this.reset();
  }

  private reset(): void {
    this.head = undefined;
    this.first = undefined;
    this.at = 0;
    this.trailers = false;
    this.need = 0;
    this.begun = undefined;
  }

  abandoned(length: number): void {
    const { head } = this;
    const request = this.connection.waiting[0];
    if (head?.kind === 'response' && request !== undefined) request.begun = { head, body: Math.max(0, length - head.length) };
  }

  /** At the start of a line that looks like the first one of a message. */
  resync(b: Uint8Array, start: number, end: number): number {
    const found = nextMessage(b, start, end);
    this.foreign = found > start && !this.holed;
    return found;
  }
}

/** The first line at `start`, which ends before `end`, if not there. */
function firstOf(b: Uint8Array, start: number, end: number, kind: Kind): FirstLine {
  const next = lineEnd(b, start, end);
  return new FirstLine(b, start, next < 0 ? end : next, kind);
}

/** Where in `[start, end)` a line begins that looks like the first one of a message; `end` where none does. */
function nextMessage(b: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; ) {
    const c = b[at]!;
    if (c >= 0x41 && c <= 0x5a && recognise(b, at, end)) return at;
    const next = lineEnd(b, at, end);
    if (next < 0) return end;
    at = next;
  }
  return end;
}

/** The port in the `host:port` that a proxy is asked for (RFC 9110 section 9.3.6). */
function portOf(authority: string): number | undefined {
  const port = Number(/:(\d{1,5})$/.exec(authority)?.[1]);
  return port > 0 && port < 65_536 ? port : undefined;
}

/** A request line of a known method, or a status line. */
function recognise(b: Uint8Array, start: number, end: number): boolean {
  if (end - start < 9) return false;
  const kind = kindOf(b, start, end);
  if (kind === undefined) return false;
  if (kind === 'response') return b[start + 5]! >= 0x30 && b[start + 5]! <= 0x39 && b[start + 6] === 0x2e;
  const line = lineEnd(b, start, Math.min(end, start + 8192));
  // A line that is not whole yet is believed; one that is has to end in a version.
  return line < 0 ? !b.subarray(start, Math.min(end, start + 256)).some((c) => c < 0x20) : / HTTP\/\d/.test(latin1Of(b, start, line));
}

/** SSDP and its kin: one message a datagram. */
const dissectDatagram: Dissect = (frame, start, end) => {
  const b = frame.bytes;
  const stop = Math.min(end, frame.captured);
  const kind = kindOf(b, start, stop);
  if (kind === undefined) return frame.data(start, end);
  let at = start;
  for (let next = lineEnd(b, at, stop); next >= 0; next = lineEnd(b, at, stop)) {
    const blank = isBlank(b, at, next);
    at = next;
    if (blank) break;
  }
  const http = new Http(frame, start, end);
  const length = (lineEnd(b, at, stop) < 0 && !isHeadEnd(b, start, at) ? stop : at) - start;
  http.head = readHead(b, start, length, firstOf(b, start, start + length, kind), undefined);
  http.datagram = true;
  const stream = (frame.transport as { stream?: number } | undefined)?.stream ?? -1;
  if (stream >= 0 && kind !== 'notification') {
    const connection = datagramsOf(frame, stream);
    http.exchange = kind === 'response' ? connection.response(frame, http.head) : connection.request(frame, http.head);
  }
  frame.push(http);
};

/** Most streams of datagrams that are remembered. */
const MAX_STREAMS = 4096;
const datagrams = new WeakMap<object, Map<number, Connection>>();

/** What was asked and answered in a stream of datagrams. */
function datagramsOf(frame: Frame, stream: number): Connection {
  let known = datagrams.get(frame.session);
  if (known === undefined) datagrams.set(frame.session, (known = new Map()));
  let connection = known.get(stream);
  if (connection === undefined) {
    if (known.size >= MAX_STREAMS) known.delete(known.keys().next().value!);
    known.set(stream, (connection = new Connection()));
  }
  return connection;
}

export const httpStream: StreamProtocol = { name: 'http', parser: (context) => new HttpParser(context), recognise };

export const http: ProtocolEntry = {
  name: 'http',
  layers: [Http],
  stream: httpStream,
  on: [tcpPorts.at([80, 1900, 2710, 2869, 3128, 3132, 5985, 8080, 8088, 11371], httpStream)],
};

export const ssdp: ProtocolEntry = { name: 'ssdp', layers: [Http], dissect: dissectDatagram, on: [udpPorts.at(1900, dissectDatagram)] };
