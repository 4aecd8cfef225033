/** Which response belongs to which request of a connection: HTTP/1 answers in the order of the requests (RFC 9112 section 9.3). */
import type { Frame } from '../core/frame.js';
import { between, type Nanoseconds } from '../core/time.js';
import type { GrpcOutcome } from './grpc.js';
import { fullUri, type Head, isInterim, type MessageHead } from './http-head.js';

/** Most requests that wait for their answers on one connection. */
const MAX_WAITING = 10_000;
/** Most answers without a request that are remembered on one connection. */
const MAX_UNASKED = 16;

/** A request and what is known of it when its answer comes. */
export interface HttpRequest {
  /** The frame that completes it, and its time; 0 while its body is under way. */
  frame: number;
  seconds: number;
  nanoseconds: number;
  readonly method: string;
  /** With scheme and host, where the host is known. */
  readonly uri: string;
  /** Of HTTP/1: what {@link uri} is made of. */
  readonly head?: Head;
  /** Which request of its connection it is: HTTP/2 and HTTP/3 number their streams. 0 while it is under way. */
  readonly ordinal: number;
  /** The frame of the request before it. */
  readonly previous: number | undefined;
  /** Octets of answers that the client had when it sent this; its own answer stands behind them. */
  readonly received: number;
  /** Its answer was lost in a hole of the capture. */
  lost: boolean;
  /** A response that began and never became whole: its head, and the octets of its body that came. */
  begun: { readonly head: MessageHead; readonly body: number } | undefined;
  /** Why either side gave it up (HTTP/2 RST_STREAM), if it did. */
  reset: string | undefined;
  /** Interim answers to it that came before it was whole: 100 as a rule. */
  interim: { readonly code: number; readonly frame: number }[] | undefined;
  /** Whatever an analysis keeps of it. */
  note: unknown;
}

/** A message among the others of its connection. */
export interface HttpExchange {
  /** Which request or response of the connection this is, from 1. */
  readonly number: number;
  readonly previousRequest: number | undefined;
  readonly previousResponse: number | undefined;
  /** For a response: the request that it answers. */
  readonly request: HttpRequest | undefined;
  /** For a request: what waits for its answer; undefined when too many wait. */
  readonly asked: HttpRequest | undefined;
  readonly time: Nanoseconds | undefined;
  /** For a response without a request, if it can be told: what there is instead. */
  readonly instead?: Instead | undefined;
}

/** What a client said that a server responds to without a request: what is no HTTP, or nothing since the last request. */
export type Instead = 'foreign' | 'nothing';

/** Who speaks, where that is no TCP conversation. */
export interface HttpEnds {
  /** What its requests have in common. */
  readonly conversation: { readonly number: number; readonly directions: readonly never[] };
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
}

/** A message as analyses see it: whole, or what came of it. */
export interface HttpMessage {
  readonly head: MessageHead;
  readonly exchange: HttpExchange | undefined;
  /** The rest of it was not captured, or never sent. */
  readonly incomplete: boolean;
  /** The words behind the status code. */
  readonly reason: string;
  /** Octets of its body as they were sent, what chunks add included, and those of them that were captured. */
  readonly bodyLength: number;
  readonly bodyCaptured: number;
  /** The body, put together and decompressed as far as that can be done; valid until the next frame. */
  readonly content: Uint8Array | undefined;
  /** Over QUIC. */
  readonly ends?: HttpEnds | undefined;
  /** A request that the server thought of, sent to the client (RFC 9113 section 8.4). */
  readonly pushed: boolean;
  /** What became of the call, in a response to one of gRPC. */
  readonly grpc?: GrpcOutcome | undefined;
}

/** A request of HTTP/1 that waits for its answer. */
class Asked implements HttpRequest {
  readonly method: string;
  frame = 0;
  ordinal = 0;
  seconds = 0;
  nanoseconds = 0;
  lost = false;
  begun: HttpRequest['begun'] = undefined;
  reset: string | undefined = undefined;
  interim: HttpRequest['interim'] = undefined;
  note: unknown = undefined;

  constructor(
    /** As much of it as came, until it is whole. */
    public head: Head,
    readonly previous: number | undefined,
    readonly received: number,
  ) {
    this.method = head.method;
  }

  /** Made when it is read: no line tells it. */
  get uri(): string {
    return fullUri(this.head);
  }
}

/** What both directions of a connection know. */
export class Connection {
  /** Requests that were not answered yet, oldest first. */
  readonly waiting: HttpRequest[] = [];
  requests = 0;
  responses = 0;
  lastRequest: number | undefined = undefined;
  lastResponse: number | undefined = undefined;

  /** Nothing was said yet. */
  get isNew(): boolean {
    return this.requests === 0 && this.responses === 0 && this.waiting.length === 0;
  }

  /** Where the last whole request ended, in octets from the start of the client's stream. */
  requestEnd = 0;
  /** Answers may be missing: octets were lost since the last one. */
  holed = false;
  /** Where final answers stand that no known request asked for, the oldest first. */
  private unasked: number[] | undefined = undefined;

  /** A request whose first line is there waits for its answer: some come before its head or its body is whole. */
  begin(head: Head, received: number): HttpRequest | undefined {
    if (this.waiting.length >= MAX_WAITING) return undefined;
    const asked = new Asked(head, this.lastRequest, received);
    this.waiting.push(asked);
    return asked;
  }

  request(frame: Frame, head: Head, received = 0, begun?: HttpRequest): HttpExchange {
    const { number, seconds, nanoseconds } = frame;
    const asked = begun ?? this.begin(head, received);
    if (asked !== undefined) {
      if (asked instanceof Asked) {
        asked.head = head;
        asked.ordinal = this.requests + 1;
      }
      asked.frame = number;
      asked.seconds = seconds;
      asked.nanoseconds = nanoseconds;
    }
    if (this.unasked !== undefined && asked !== undefined) this.settle(asked, this.unasked);
    const exchange: HttpExchange = {
      number: ++this.requests,
      previousRequest: this.lastRequest,
      previousResponse: undefined,
      request: undefined,
      asked,
      time: undefined,
    };
    this.lastRequest = number;
    return exchange;
  }

  /**
   * A request that waited behind a hole comes after its answer: one that began no earlier than what the client had when it
   * asked. It waits for no other.
   */
  private settle(asked: HttpRequest, unasked: number[]): void {
    const { waiting } = this;
    while (unasked.length > 0 && unasked[0]! < asked.received) unasked.shift();
    if (unasked.length === 0 || waiting[waiting.length - 1] !== asked) return;
    unasked.shift();
    waiting.pop();
    asked.lost = true;
  }

  /** `position` is where the response begins in its stream; -1 for datagrams. `instead`: what there is if no request is. */
  response(frame: Frame, head: MessageHead, position = -1, instead?: Instead): HttpExchange {
    const { waiting } = this;
    if (this.holed) {
      // A client that had something of the answer to one request when it sent the next is not given both answers later:
      // what it had was that answer, and it was lost to us.
      while (waiting.length > 1 && waiting[1]!.received <= position && waiting[1]!.received > waiting[0]!.received) {
        waiting.shift()!.lost = true;
        this.responses++;
      }
      this.holed = false;
    }
    // An interim answer leaves its request waiting for the final one.
    const request = isInterim(head) ? this.waiting[0] : this.waiting.shift();
    if (request === undefined && instead === undefined && position >= 0 && !isInterim(head)) {
      const unasked = (this.unasked ??= []);
      if (unasked.length >= MAX_UNASKED) unasked.shift();
      unasked.push(position);
    }
    const exchange: HttpExchange = {
      number: ++this.responses,
      previousRequest: request?.previous,
      previousResponse: this.lastResponse,
      request,
      asked: undefined,
      time: request && request.frame > 0 ? between(frame.seconds, frame.nanoseconds, request.seconds, request.nanoseconds) : undefined,
      instead: request === undefined ? instead : undefined,
    };
    this.lastResponse = frame.number;
    return exchange;
  }
}
