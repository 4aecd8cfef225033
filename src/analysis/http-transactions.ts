/**
 * HTTP transactions as people think of them: a request, its response, how long until the first and the last octet of it.
 * Which response belongs to which request is found by the dissector, in the order of each connection (RFC 9112 section 9.3).
 */
import type { Frame } from '../core/frame.js';
import type { StreamContext } from '../core/stream.js';
import { between, type Nanoseconds } from '../core/time.js';
import type { GrpcOutcome } from '../dissectors/grpc.js';
import type { HttpEnds, HttpMessage, HttpRequest } from '../dissectors/http-exchange.js';
import { isInterim } from '../dissectors/http-head.js';
import type { Tcp } from '../dissectors/tcp.js';
import { type Aged, AgeOrder } from './age-order.js';
import { type Conversation, directionOf } from './conversations.js';
import type { Parties } from './parties.js';

/** Requests without an answer that are remembered; beyond it the oldest are given up. */
const MOST_OPEN = 200_000;

export type HttpOutcome =
  | 'answered'
  | 'unanswered'
  /** The response is in a hole of the capture. */
  | 'lost'
  /** A response whose request was not captured. */
  | 'unasked'
  /** A response to what is no request of HTTP. */
  | 'foreign'
  /** A response to nothing: a server says that it waited too long, as a rule. */
  | 'unprompted';

/** An HTTP request with its response, or one of them where the other is not in the capture. Times are nanoseconds. */
export interface HttpTransaction extends Parties, Aged<HttpTransaction> {
  /** Over QUIC, so that {@link Parties.stream} is `udp.stream`. */
  readonly overQuic: boolean;
  /** Time of the frame that completes the request; of the response where there is no request. */
  readonly seconds: number;
  readonly nanoseconds: number;
  /** Its place among those of the same frame. */
  readonly place: number;
  /** Empty without a request. */
  method: string;
  host: string | undefined;
  /** As in the request line. */
  path: string;
  requestVersion: string;
  /** The server thought of the request itself (HTTP/2 PUSH_PROMISE). */
  readonly pushed: boolean;
  /** Octets of the request's body as sent. */
  requestBody: number;
  outcome: HttpOutcome;
  status: number | undefined;
  reason: string;
  /** What became of the call, where it is one of gRPC. */
  grpc: GrpcOutcome | undefined;
  /** Interim answers before it: 100, 103. */
  readonly interim: number[];
  contentType: string;
  contentEncoding: string;
  /** Octets of the response's body as they came, what chunks add included. */
  body: number;
  /** The response broke off: its sender or the capture lost the rest. */
  cut: boolean;
  /** Why either side gave it up, if it did: HTTP/2's word for the error. */
  reset: string | undefined;
  /** From the end of the request to the first and to the last octet of the response, where they come later. */
  latency: Nanoseconds | undefined;
  duration: Nanoseconds | undefined;
  /** The response's body, put together and decompressed, where it was asked for; in the frame that ends it alone. */
  content: Uint8Array | undefined;
  /** The file that it was written to. */
  saved: string | undefined;
  readonly frame: number;
  readonly responseFrames: number[];
}

export interface HttpCounts {
  requests: number;
  responses: number;
  answered: number;
  unanswered: number;
  lost: number;
  unasked: number;
  foreign: number;
  unprompted: number;
  cut: number;
  evicted: number;
}

/** Makes transactions of requests and responses; each is handed on when it is over. */
export class HttpTransactions {
  readonly counts: HttpCounts = {
    requests: 0,
    responses: 0,
    answered: 0,
    unanswered: 0,
    lost: 0,
    unasked: 0,
    foreign: 0,
    unprompted: 0,
    cut: 0,
    evicted: 0,
  };
  private readonly order = new AgeOrder<HttpTransaction>();
  /** Those without an answer, by their conversation. */
  private readonly open = new Map<unknown, Map<HttpTransaction, HttpRequest>>();
  private opened = 0;
  private lastFrame = 0;
  private place = 0;

  constructor(
    /** Gets each transaction when its final response is whole, or when it is given up. */
    private readonly emit: (transaction: HttpTransaction) => void,
    /** Shall transactions carry the body of their response? */
    readonly bodies = false,
  ) {}

  /** The oldest request without an answer. */
  get oldestOpen(): HttpTransaction | undefined {
    return this.order.oldest;
  }

  /** Look at a message of a byte stream. */
  see(frame: Frame, http: HttpMessage, begun: Pick<StreamContext, 'startSeconds' | 'startNanoseconds'>): void {
    const conversation = http.ends?.conversation ?? directionOf(frame.transport as Tcp)?.conversation;
    if (conversation === undefined) return;
    const { head, exchange } = http;
    if (head.kind !== 'response') {
      this.counts.requests++;
      const asked = exchange?.asked;
      const transaction = this.make(frame, http, conversation);
      if (asked === undefined) {
        this.counts.evicted++;
        this.emit(transaction);
        return;
      }
      for (const { code, frame } of asked.interim ?? []) {
        transaction.interim.push(code);
        transaction.responseFrames.push(frame);
      }
      const early = asked.note as HttpTransaction | undefined;
      if (early !== undefined) {
        // Its answer came before the last octet of it.
        const { method, host, path, requestVersion, requestBody, interim } = transaction;
        Object.assign(early, { method, host, path, requestVersion, requestBody });
        early.interim.unshift(...interim);
        this.close(early, conversation);
        this.emit(early);
        return;
      }
      asked.note = transaction;
      this.keep(transaction, asked, conversation);
      return;
    }
    const request = exchange?.request;
    const known = request?.note as HttpTransaction | undefined;
    if (isInterim(head)) {
      if (known !== undefined) {
        known.interim.push(head.code);
        known.responseFrames.push(frame.number);
      } else if (request !== undefined) (request.interim ??= []).push({ code: head.code, frame: frame.number });
      return;
    }
    this.counts.responses++;
    const transaction = known ?? this.make(frame, http, conversation);
    const early = request !== undefined && request.frame === 0;
    if (early) {
      transaction.method = request.method;
      transaction.path = request.uri;
      transaction.outcome = 'answered';
      this.counts.answered++;
    } else if (known === undefined) {
      // Only of a connection that was seen from its beginning it is known that nothing came before.
      const instead = (conversation as Partial<Conversation>).opener === undefined ? undefined : exchange?.instead;
      transaction.outcome = instead === undefined ? 'unasked' : instead === 'foreign' ? 'foreign' : 'unprompted';
      this.counts[transaction.outcome]++;
    } else {
      transaction.outcome = 'answered';
      this.counts.answered++;
      const latency = between(begun.startSeconds, begun.startNanoseconds, known.seconds, known.nanoseconds);
      // A server may begin to answer before it has all of the request.
      if (latency >= 0) transaction.latency = latency;
      transaction.duration = between(frame.seconds, frame.nanoseconds, known.seconds, known.nanoseconds);
      this.close(known, conversation);
    }
    transaction.status = head.code;
    transaction.reason = http.reason;
    transaction.grpc = http.grpc;
    transaction.contentType = head.contentType;
    transaction.contentEncoding = head.contentEncoding;
    transaction.body = http.bodyCaptured;
    transaction.cut = http.incomplete;
    if (http.incomplete) transaction.reset = request?.reset;
    if (this.bodies) transaction.content = http.content;
    if (http.incomplete) this.counts.cut++;
    transaction.responseFrames.push(frame.number);
    if (early) {
      // It is told in a later frame.
      transaction.content = transaction.content?.slice();
      request.note = transaction;
      this.keep(transaction, request, conversation);
    } else this.emit(transaction);
  }

  private keep(transaction: HttpTransaction, request: HttpRequest, conversation: unknown): void {
    let those = this.open.get(conversation);
    if (those === undefined) this.open.set(conversation, (those = new Map()));
    those.set(transaction, request);
    this.order.add(transaction);
    this.opened++;
    if (this.opened > MOST_OPEN) this.evict();
  }

  /** A TCP conversation is over: what waits in it gets no answer. */
  ended(conversation: unknown): void {
    const those = this.open.get(conversation);
    if (those === undefined) return;
    for (const [transaction, { lost, begun, reset }] of those) {
      if (transaction.outcome !== 'answered') transaction.reset = reset;
      if (transaction.outcome === 'answered') {
        // Its request never became whole.
      } else if (begun !== undefined) {
        transaction.outcome = 'answered';
        transaction.cut = true;
        transaction.status = begun.head.code;
        transaction.contentType = begun.head.contentType;
        transaction.contentEncoding = begun.head.contentEncoding;
        transaction.body = begun.body;
        this.counts.answered++;
        this.counts.cut++;
      } else if (lost) {
        transaction.outcome = 'lost';
        this.counts.lost++;
      } else this.counts.unanswered++;
      this.close(transaction, conversation);
      this.emit(transaction);
    }
  }

  /** Conversations with requests that wait. */
  get waiting(): Iterable<unknown> {
    return this.open.keys();
  }

  /** No more will come. */
  finish(): void {
    for (const conversation of [...this.open.keys()]) this.ended(conversation);
  }

  private close(transaction: HttpTransaction, conversation: unknown): void {
    const those = this.open.get(conversation);
    if (!those?.delete(transaction)) return;
    if (those.size === 0) this.open.delete(conversation);
    this.order.remove(transaction);
    this.opened--;
  }

  /** Too many wait: give up the oldest. */
  private evict(): void {
    const { oldest } = this.order;
    if (oldest === undefined) return;
    this.counts.evicted++;
    for (const [conversation, those] of this.open)
      if (those.has(oldest)) {
        this.close(oldest, conversation);
        break;
      }
    this.emit(oldest);
  }

  private make(frame: Frame, http: HttpMessage, conversation: { readonly number: number }): HttpTransaction {
    this.place = frame.number === this.lastFrame ? this.place + 1 : 0;
    this.lastFrame = frame.number;
    const { head } = http;
    const isRequest = head.kind !== 'response';
    const ends = http.ends ?? endsOf(frame.transport as Tcp, isRequest !== http.pushed);
    return {
      stream: conversation.number,
      client: ends.client,
      clientPort: ends.clientPort,
      server: ends.server,
      serverPort: ends.serverPort,
      overQuic: http.ends !== undefined,
      seconds: frame.seconds,
      nanoseconds: frame.nanoseconds,
      place: this.place,
      method: head.method,
      host: head.host,
      path: head.uri,
      requestVersion: isRequest ? head.version : '',
      pushed: http.pushed,
      requestBody: isRequest ? http.bodyLength : 0,
      outcome: 'unanswered',
      status: undefined,
      reason: '',
      grpc: undefined,
      interim: [],
      contentType: '',
      contentEncoding: '',
      body: 0,
      cut: false,
      reset: undefined,
      content: undefined,
      saved: undefined,
      latency: undefined,
      duration: undefined,
      frame: frame.number,
      responseFrames: [],
      older: undefined,
      newer: undefined,
    };
  }
}

/** Who asks and who answers, in a segment of either. A pushed request is written by the server. */
function endsOf(tcp: Tcp, fromClient: boolean): Omit<HttpEnds, 'conversation'> {
  const direction = directionOf(tcp)!;
  const { source, srcPort, destination, dstPort } = fromClient ? direction : direction.peer;
  return { client: source, clientPort: srcPort, server: destination, serverPort: dstPort };
}
