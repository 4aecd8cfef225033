/** A request of HTTP/3 and its response, on a stream of their own (RFC 9114 section 4). */
import type { Frame } from '../core/frame.js';
import { between } from '../core/time.js';
import { dissectDoh, isDnsMessage } from './doh.js';
import { type GrpcOutcome, grpcText } from './grpc.js';
import type { HttpEnds } from './http-exchange.js';
import { isInterim, type MessageHead } from './http-head.js';
import { statusText } from './http2-layer.js';
import { Body, contentOf, factsOf, MAX_BODIES, MAX_BODY, StreamMessage, StreamRequest } from './http2-streams.js';
import type { Http3 } from './http3-layer.js';
import { Ipv4 } from './ipv4.js';
import { Ipv6 } from './ipv6.js';
import type { FieldSection } from './qpack.js';

/** Who speaks over a connection. */
export class Ends {
  private conversation: HttpEnds['conversation'] | undefined = undefined;
  /** Octets of bodies that are gathered. */
  gathered = 0;

  /** As the frame says, which either side sent: the client may have moved. */
  of(frame: Frame, fromServer: boolean): HttpEnds | undefined {
    const { addressing: ip, transport } = frame;
    if (transport === undefined || !(ip instanceof Ipv4 || ip instanceof Ipv6)) return undefined;
    this.conversation ??= { number: (transport as unknown as { readonly stream?: number }).stream ?? -1, directions: [] };
    const { conversation } = this;
    const [source, destination] = [
      { address: ip.source, port: transport.srcPort },
      { address: ip.destination, port: transport.dstPort },
    ];
    const [client, server] = fromServer ? [destination, source] : [source, destination];
    return { conversation, client: client.address, clientPort: client.port, server: server.address, serverPort: server.port };
  }
}

interface Begun {
  readonly startSeconds: number;
  readonly startNanoseconds: number;
}

/** A request with its response. */
export class Exchange {
  private request: StreamRequest | undefined = undefined;
  private requestHead: MessageHead | undefined = undefined;
  private responseHead: MessageHead | undefined = undefined;
  private grpc: GrpcOutcome | undefined = undefined;
  private requestDone = false;
  private responseDone = false;
  private requestBody: Body | undefined = undefined;
  private responseBody: Body | undefined = undefined;
  /** When the response began. */
  private response: Begun = { startSeconds: 0, startNanoseconds: 0 };

  constructor(
    private readonly peers: Ends,
    private readonly id: number,
  ) {}

  /** A block of headers came. */
  headers(frame: Frame, layer: Http3, section: FieldSection, fromServer: boolean, isPromise: boolean): void {
    const { head, scheme, trailers, grpc } = factsOf(section, isPromise, 'HTTP/3');
    if (grpc !== undefined && fromServer) this.grpc = grpc;
    if (trailers) {
      if (grpc !== undefined) layer.says = `grpc ${grpcText(grpc)}`;
      return;
    }
    if (head.kind === 'request') {
      layer.says = `${head.method} ${head.uri}`;
      const uri = head.host === undefined || !head.uri.startsWith('/') ? head.uri : `${scheme}://${head.host}${head.uri}`;
      if (head.host !== undefined) layer.uri = uri;
      // What the server thought of comes on another stream.
      if (isPromise || fromServer || this.requestHead !== undefined) return;
      this.requestHead = head;
      this.request = new StreamRequest(head.method, uri, this.id, undefined);
      return;
    }
    layer.says = grpc === undefined ? statusText(head.code) : `${statusText(head.code)}, grpc ${grpcText(grpc)}`;
    if (!fromServer) return;
    const begun = { startSeconds: frame.seconds, startNanoseconds: frame.nanoseconds };
    if (isInterim(head)) return this.tell(frame, head, fromServer, new Body(false), false, begun);
    this.responseHead = head;
    this.response = begun;
    if (this.request !== undefined) this.request.begun = { head, body: 0 };
  }

  private body(frame: Frame, fromServer: boolean): Body {
    const head = fromServer ? this.responseHead : this.requestHead;
    const wanted = frame.session.hooks.httpBodies === true || (head !== undefined && isDnsMessage(head));
    if (fromServer) return (this.responseBody ??= new Body(wanted));
    return (this.requestBody ??= new Body(wanted));
  }

  /** Octets of a body: `[at, to)` of `bytes`, of `length`. */
  data(bytes: Uint8Array, at: number, to: number, length: number, fromServer: boolean, frame: Frame): void {
    const body = this.body(frame, fromServer);
    const { peers } = this;
    body.length += length;
    body.captured += to - at;
    if (fromServer && this.request?.begun !== undefined) this.request.begun = { head: this.request.begun.head, body: body.captured };
    if (body.gathered === undefined || to <= at) return;
    peers.gathered += to - at;
    body.gathered.append(bytes, at, to);
    if (body.captured > MAX_BODY || peers.gathered > MAX_BODIES) this.release(body);
  }

  private release(body: Body | undefined): void {
    if (body?.gathered === undefined) return;
    this.peers.gathered -= body.gathered.length;
    body.gathered = undefined;
  }

  /** Octets of a body are not in the capture. */
  missing(length: number, fromServer: boolean): void {
    const body = fromServer ? this.responseBody : this.requestBody;
    if (body !== undefined) body.length += length;
  }

  /** The sender says nothing more. `layer`: its last frame, if it is in this packet. */
  ends(frame: Frame, layer: Http3 | undefined, fromServer: boolean): void {
    if (fromServer) this.endResponse(frame, layer, false);
    else this.endRequest(frame, false);
  }

  /** The sender gave up. */
  reset(frame: Frame, error: string, fromServer: boolean): void {
    if (this.request !== undefined) this.request.reset = error;
    if (!fromServer) return this.endRequest(frame, true);
    if (this.responseHead !== undefined) this.endResponse(frame, undefined, true);
  }

  private endRequest(frame: Frame, incomplete: boolean): void {
    const { request, requestHead } = this;
    if (this.requestDone || request === undefined || requestHead === undefined) return;
    this.requestDone = true;
    request.frame = frame.number;
    request.seconds = frame.seconds;
    request.nanoseconds = frame.nanoseconds;
    const body = this.requestBody ?? new Body(false);
    if (!incomplete) dissectDoh(frame, requestHead, contentOf(frame.session, requestHead, body), request, true);
    this.tell(frame, requestHead, false, body, incomplete, {
      startSeconds: frame.seconds,
      startNanoseconds: frame.nanoseconds,
    });
    this.release(this.requestBody);
  }

  private endResponse(frame: Frame, layer: Http3 | undefined, incomplete: boolean): void {
    const { request, responseHead: head } = this;
    if (this.responseDone || head === undefined) return;
    this.responseDone = true;
    if (request !== undefined && request.frame > 0) {
      const time = between(frame.seconds, frame.nanoseconds, request.seconds, request.nanoseconds);
      if (layer !== undefined) {
        layer.request = request.frame;
        layer.elapsed = time;
      }
      frame.answer = { request: request.frame, time };
    }
    const body = this.responseBody ?? new Body(false);
    const cut = incomplete || body.captured < body.length;
    if (!cut) dissectDoh(frame, head, contentOf(frame.session, head, body), request, true);
    this.tell(frame, head, true, body, cut, this.response);
    this.release(this.responseBody);
  }

  private tell(frame: Frame, head: MessageHead, fromServer: boolean, body: Body, incomplete: boolean, begun: Begun): void {
    const { hooks } = frame.session;
    const ends = hooks.http === undefined ? undefined : this.peers.of(frame, fromServer);
    if (ends === undefined) return;
    const { request } = this;
    const exchange = {
      number: 0,
      previousRequest: undefined,
      previousResponse: undefined,
      request: fromServer ? request : undefined,
      asked: fromServer ? undefined : request,
      time: undefined,
    };
    hooks.http?.(
      frame,
      new StreamMessage(frame.session, head, exchange, incomplete, body, false, ends, fromServer ? this.grpc : undefined),
      begun,
    );
  }
}
