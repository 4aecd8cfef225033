/** The streams of an HTTP/2 connection: a request and its response each (RFC 9113 sections 5.1 and 8.1). */
import type { Frame } from '../core/frame.js';
import type { Session } from '../core/session.js';
import { between } from '../core/time.js';
import { dissectDoh, isDnsMessage } from './doh.js';
import { Gathered } from './gathered.js';
import { type GrpcOutcome, grpcOutcome, grpcText } from './grpc.js';
import type { HeaderBlock } from './hpack.js';
import type { HttpEnds, HttpExchange, HttpMessage, HttpRequest } from './http-exchange.js';
import { isInterim, type MessageHead } from './http-head.js';
import { type Http2, statusText, UNKNOWN } from './http2-layer.js';
import { ERRORS } from './http2-rows.js';

/** Most streams of a connection that are open; the oldest is forgotten for another. */
const MAX_STREAMS = 2000;
/** Most octets of a body that are gathered, of all bodies of a connection, and that a compressed one may grow to. */
export const MAX_BODY = 16 << 20;
export const MAX_BODIES = 64 << 20;

/** One direction of a connection, as streams need it. */
export interface Sender {
  /** Stretches of its octets that are not in the capture, so far. */
  readonly holes: number;
}

/** When the first octet of something came. */
export interface Begun {
  readonly startSeconds: number;
  readonly startNanoseconds: number;
}

/** A request as it waits for its answer. */
export class StreamRequest implements HttpRequest {
  frame = 0;
  seconds = 0;
  nanoseconds = 0;
  begun: { readonly head: MessageHead; body: number } | undefined = undefined;
  reset: string | undefined = undefined;
  note: unknown = undefined;
  interim: HttpRequest['interim'] = undefined;
  readonly previous = undefined;
  readonly received = 0;
  private readonly holes: number;

  constructor(
    readonly method: string,
    readonly uri: string,
    /** The stream. */
    readonly ordinal: number,
    private readonly answerer: Sender | undefined,
  ) {
    this.holes = answerer?.holes ?? 0;
  }

  get lost(): boolean {
    return (this.answerer?.holes ?? 0) > this.holes;
  }
}

/** A body as it comes. */
export class Body {
  /** Octets without padding, and those of them that were captured. */
  length = 0;
  captured = 0;
  /** When somebody wants it. */
  gathered: Gathered | undefined;

  constructor(wanted: boolean) {
    this.gathered = wanted ? new Gathered() : undefined;
  }
}

/** The octets of a body that were gathered, decompressed. */
export function contentOf(session: Session, { contentEncoding }: MessageHead, { gathered }: Body): Uint8Array | undefined {
  if (gathered === undefined || gathered.length === 0) return undefined;
  const { octets } = gathered;
  if (contentEncoding === '' || contentEncoding === 'identity') return octets;
  return session.decompress?.(octets, contentEncoding, MAX_BODY) ?? octets;
}

/** A message as analyses see it. */
export class StreamMessage implements HttpMessage {
  readonly pushed: boolean;
  readonly bodyLength: number;
  readonly bodyCaptured: number;
  readonly reason = '';

  constructor(
    private readonly session: Session,
    readonly head: MessageHead,
    readonly exchange: HttpExchange,
    readonly incomplete: boolean,
    private readonly body: Body,
    pushed: boolean,
    readonly ends?: HttpEnds,
    readonly grpc?: GrpcOutcome,
  ) {
    this.pushed = pushed;
    this.bodyLength = body.length;
    this.bodyCaptured = body.captured;
  }

  get content(): Uint8Array | undefined {
    return contentOf(this.session, this.head, this.body);
  }
}

/** What the headers of a block say. */
interface Facts {
  readonly head: MessageHead;
  readonly scheme: string;
  /** Neither a request nor a response: trailers. */
  readonly trailers: boolean;
  readonly grpc: GrpcOutcome | undefined;
}

/** Where does a header stand that may come with parameters? The text before them. */
const plain = (value: string): string => value.split(';', 1)[0]!.trim();

/** What the headers of a message say; `isPromise`: they are a request's, whoever sent them. */
export function factsOf({ headers, unknown }: Pick<HeaderBlock, 'headers' | 'unknown'>, isPromise: boolean, version = 'HTTP/2'): Facts {
  const values = new Map<string, string>();
  let fromClient = isPromise;
  for (const { name, value = UNKNOWN } of headers) {
    if (name === undefined) continue;
    if (name === ':method' || name === ':path' || name === ':scheme' || name === ':authority') fromClient = true;
    if (!values.has(name)) values.set(name, value);
  }
  const status = values.get(':status');
  const code = status !== undefined && /^\d{3}$/.test(status) ? Number(status) : -1;
  const missing = unknown ? UNKNOWN : '';
  return {
    head: {
      kind: fromClient ? 'request' : 'response',
      method: fromClient ? (values.get(':method') ?? missing) : '',
      uri: fromClient ? (values.get(':path') ?? values.get(':authority') ?? missing) : '',
      code,
      version,
      host: values.get(':authority') ?? values.get('host'),
      contentType: plain(values.get('content-type') ?? ''),
      contentEncoding: (values.get('content-encoding') ?? '').trim().toLowerCase(),
      upgrade: '',
    },
    scheme: values.get(':scheme') ?? 'http',
    trailers: !fromClient && code < 0,
    grpc: fromClient ? undefined : grpcOutcome(values.get('grpc-status'), values.get('grpc-message')),
  };
}

/** A request with its response, on a stream of their own. */
class Stream {
  requestHead: MessageHead | undefined = undefined;
  responseHead: MessageHead | undefined = undefined;
  grpc: GrpcOutcome | undefined = undefined;
  requestDone = false;
  responseDone = false;
  readonly requestBody: Body;
  readonly responseBody: Body;
  /** When its response began. */
  response: Begun = { startSeconds: 0, startNanoseconds: 0 };

  constructor(
    /** Who asked; undefined when the request was not captured. */
    readonly asker: Sender | undefined,
    readonly request: HttpRequest | undefined,
    readonly pushed: boolean,
    wanted: boolean,
  ) {
    this.requestBody = new Body(wanted);
    this.responseBody = new Body(wanted);
  }
}

/** Both directions of a connection. */
export class Http2Connection {
  private readonly streams = new Map<number, Stream>();
  private gathered = 0;

  /** Is something under way on this stream? */
  has(id: number): boolean {
    return this.streams.has(id);
  }

  private open(id: number, stream: Stream): Stream {
    if (this.streams.size >= MAX_STREAMS && !this.streams.has(id)) this.drop(this.streams.keys().next().value!);
    this.streams.set(id, stream);
    return stream;
  }

  private drop(id: number): void {
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    this.streams.delete(id);
    for (const { gathered } of [stream.requestBody, stream.responseBody]) this.gathered -= gathered?.length ?? 0;
  }

  /** A request came over HTTP/1 and is answered here, on stream 1 (RFC 7540 section 3.2). */
  upgraded(request: HttpRequest, wanted: boolean): void {
    const stream = this.open(1, new Stream(undefined, request, false, wanted));
    stream.requestDone = true;
  }

  /** A whole block of headers; `promised` is the stream that they open, of PUSH_PROMISE. */
  headers(
    frame: Frame,
    layer: Http2,
    id: number,
    promised: number | undefined,
    block: HeaderBlock,
    ends: boolean,
    from: Sender,
    to: Sender | undefined,
    begun: Begun,
  ): void {
    const isPromise = promised !== undefined;
    const { head, scheme, trailers, grpc } = factsOf(block, isPromise);
    const wanted = frame.session.hooks.httpBodies === true;
    if (trailers) {
      const stream = this.streams.get(id);
      if (grpc !== undefined) {
        layer.says = `grpc ${grpcText(grpc)}`;
        if (stream !== undefined && stream.asker !== from) stream.grpc = grpc;
      }
      if (ends) this.ends(frame, layer, id, from, begun);
      return;
    }
    if (head.kind === 'request') {
      const uri = head.host === undefined || !head.uri.startsWith('/') ? head.uri : `${scheme}://${head.host}${head.uri}`;
      layer.says = `${head.method} ${head.uri}`;
      if (head.host !== undefined) layer.uri = uri;
      const place = isPromise ? promised : id;
      const request = new StreamRequest(head.method, uri, place, isPromise ? from : to);
      const stream = this.open(place, new Stream(isPromise ? to : from, request, isPromise, wanted));
      stream.requestHead = head;
      if (isDnsMessage(head)) stream.requestBody.gathered ??= new Gathered();
      if (ends || isPromise) this.endRequest(frame, stream, begun, false);
      return;
    }
    layer.says = grpc === undefined ? statusText(head.code) : `${statusText(head.code)}, grpc ${grpcText(grpc)}`;
    let stream = this.streams.get(id);
    if (isInterim(head)) {
      const { request } = stream ?? {};
      this.tell(frame, head, { request, asked: undefined }, new Body(false), false, false, begun);
      return;
    }
    stream ??= this.open(id, new Stream(to, undefined, false, wanted));
    stream.responseHead = head;
    if (isDnsMessage(head)) stream.responseBody.gathered ??= new Gathered();
    stream.grpc = grpc;
    stream.response = { startSeconds: begun.startSeconds, startNanoseconds: begun.startNanoseconds };
    if (stream.request !== undefined) stream.request.begun = { head, body: 0 };
    if (ends) this.ends(frame, layer, id, from, begun);
  }

  /** Octets of a body: `[at, to)` of `bytes` were captured, of `length`. */
  data(frame: Frame, layer: Http2, id: number, bytes: Uint8Array, at: number, to: number, length: number, from: Sender): void {
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    const isRequest = stream.asker === from;
    const body = isRequest ? stream.requestBody : stream.responseBody;
    body.length += length;
    body.captured += Math.max(0, to - at);
    const { request } = stream;
    if (!isRequest && request?.begun !== undefined) request.begun = { head: request.begun.head, body: body.captured };
    if (body.gathered !== undefined && to > at) {
      this.gathered += to - at;
      body.gathered.append(bytes, at, to);
      if (body.captured > MAX_BODY || this.gathered > MAX_BODIES) {
        this.gathered -= body.gathered.length;
        body.gathered = undefined;
      }
    }
    if ((layer.bytes[layer.start + 4]! & 1) !== 0) this.ends(frame, layer, id, from, stream.response);
  }

  /** The sender says nothing more on this stream. */
  private ends(frame: Frame, layer: Http2, id: number, from: Sender, begun: Begun): void {
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    if (stream.asker === from) this.endRequest(frame, stream, begun, false);
    else this.endResponse(frame, layer, stream, false);
    if (stream.requestDone && stream.responseDone) this.drop(id);
  }

  /** Either side gave the stream up (RFC 9113 section 6.4). */
  reset(frame: Frame, layer: Http2, id: number, error: number, begun: Begun): void {
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    if (stream.request !== undefined) stream.request.reset = ERRORS[error] ?? `error ${error}`;
    if (!stream.requestDone && stream.requestHead !== undefined) this.endRequest(frame, stream, begun, true);
    if (stream.responseHead !== undefined && !stream.responseDone) this.endResponse(frame, layer, stream, true);
    this.drop(id);
  }

  private endRequest(frame: Frame, stream: Stream, begun: Begun, incomplete: boolean): void {
    const { request, requestHead } = stream;
    if (stream.requestDone || request === undefined || requestHead === undefined) return;
    stream.requestDone = true;
    request.frame = frame.number;
    request.seconds = frame.seconds;
    request.nanoseconds = frame.nanoseconds;
    if (!incomplete) dissectDoh(frame, requestHead, contentOf(frame.session, requestHead, stream.requestBody), request);
    this.tell(frame, requestHead, { request: undefined, asked: request }, stream.requestBody, incomplete, stream.pushed, begun);
  }

  private endResponse(frame: Frame, layer: Http2, stream: Stream, incomplete: boolean): void {
    const { request, responseHead: head } = stream;
    if (stream.responseDone || head === undefined) return;
    stream.responseDone = true;
    layer.bodyType = head.contentType;
    if (request !== undefined && request.frame > 0) {
      const time = between(frame.seconds, frame.nanoseconds, request.seconds, request.nanoseconds);
      layer.request = request.frame;
      layer.elapsed = time;
      frame.answer = { request: request.frame, time };
    }
    const short = stream.responseBody.captured < stream.responseBody.length;
    const { responseBody: body, pushed, response, grpc } = stream;
    if (!incomplete && !short) dissectDoh(frame, head, contentOf(frame.session, head, body), request);
    this.tell(frame, head, { request, asked: undefined }, body, incomplete || short, pushed, response, grpc);
  }

  private tell(
    frame: Frame,
    head: MessageHead,
    { request, asked }: { request: HttpRequest | undefined; asked: HttpRequest | undefined },
    body: Body,
    incomplete: boolean,
    pushed: boolean,
    begun: Begun,
    grpc?: GrpcOutcome,
  ): void {
    const { hooks } = frame.session;
    if (hooks.http === undefined) return;
    const exchange = { number: 0, previousRequest: undefined, previousResponse: undefined, request, asked, time: undefined };
    hooks.http(frame, new StreamMessage(frame.session, head, exchange, incomplete, body, pushed, undefined, grpc), begun);
  }
}
