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
import {
  bool,
  bytes,
  computed,
  duration,
  expert,
  type Field,
  frameNumber,
  group,
  many,
  string,
  uint16,
  uint32,
  uint64,
} from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { latin1Of, Texts, textOf } from '../core/octets.js';
import { type Dissect, type ProtocolEntry, tcpPorts, udpPorts } from '../core/registry.js';
import { ALIEN, MORE, type StreamContext, type StreamParser, type StreamProtocol } from '../core/stream.js';
import type { TextBuffer } from '../core/text.js';
import { between, type Nanoseconds } from '../core/time.js';

/** Most octets of a head; servers accept some tens of thousands. */
const MAX_HEAD = 262_144;
/** Most requests that wait for their answers on one connection. */
const MAX_WAITING = 10_000;
/** Most octets that a compressed body may grow to. */
const MAX_CONTENT = 16 << 20;

const CR = 13;
const LF = 10;
const SPACE = 32;
const COLON = 0x3a;

const STATUS: Readonly<Record<number, string>> = {
  100: 'Continue',
  101: 'Switching Protocols',
  102: 'Processing',
  103: 'Early Hints',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  203: 'Non-authoritative Information',
  204: 'No Content',
  205: 'Reset Content',
  206: 'Partial Content',
  207: 'Multi-Status',
  208: 'Already Reported',
  226: 'IM Used',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  305: 'Use Proxy',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Time-out',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Request Entity Too Large',
  414: 'Request-URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Requested Range Not Satisfiable',
  417: 'Expectation Failed',
  418: "I'm a teapot",
  421: 'Misdirected Request',
  422: 'Unprocessable Entity',
  423: 'Locked',
  424: 'Failed Dependency',
  425: 'Too Early',
  426: 'Upgrade Required',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  451: 'Unavailable For Legal Reasons',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Time-out',
  505: 'HTTP Version not supported',
  507: 'Insufficient Storage',
  508: 'Loop Detected',
  511: 'Network Authentication Required',
};

/** Methods that begin a request: of HTTP, WebDAV, UPnP and RTSP-like kin. Others are believed when the line ends in a version. */
const METHODS = new Set(
  'GET PUT POST HEAD LOCK MOVE COPY POLL BIND BCOPY MKCOL TRACE LABEL MERGE PATCH DELETE SEARCH UNLOCK REPORT UPDATE NOTIFY BDELETE CONNECT OPTIONS CHECKIN PROPFIND CHECKOUT M-SEARCH SUBSCRIBE PROPPATCH BPROPFIND UNCHECKOUT MKACTIVITY MKWORKSPACE UNSUBSCRIBE RPC_CONNECT VERSION-CONTROL BASELINE-CONTROL CCM_POST RPC_IN_DATA RPC_OUT_DATA SUBSCRIBE_NOTIFY'.split(
    ' ',
  ),
);

/** Port of HTTP over TLS. */
const HTTPS = 443;

const rows = {
  ...group(
    { chat: many(expert('chat', 'http.chat', 'First line')) },
    {
      method: string('http.request.method', 'Request Method'),
      ...group(
        { uri: string('http.request.uri', 'Request URI') },
        {
          uriPath: string('http.request.uri.path', 'Request URI Path'),
          ...group(
            { uriQuery: string('http.request.uri.query', 'Request URI Query') },
            { uriParameter: many(string('http.request.uri.query.parameter', 'Request URI Query Parameter')) },
          ),
        },
      ),
      requestVersion: string('http.request.version', 'Request Version'),
      responseVersion: string('http.response.version', 'Response Version'),
      ...group(
        { code: uint16('http.response.code', 'Status Code', { values: STATUS }) },
        { codeDescription: string('http.response.code.desc', 'Status Code Description') },
      ),
      phrase: string('http.response.phrase', 'Response Phrase'),
    },
  ),
  requestLine: many(string('http.request.line', 'Request line', { quiet: true })),
  responseLine: many(string('http.response.line', 'Response line', { quiet: true })),
  unknownHeader: many(string('http.unknown_header', 'Unknown header')),
  encryptedPort: expert<Layer>('warn', 'http.tls_port', 'Unencrypted HTTP on the port of encrypted HTTP', (l) => {
    const { transport } = l.frame;
    return transport !== undefined && (transport.srcPort === HTTPS || transport.dstPort === HTTPS);
  }),
  bodyFailed: expert('note', 'http.subdissector_failed', 'The body is not what its headers say'),
  ...group(
    { proxyHost: string('http.proxy_connect_host', 'Proxy-Connect-Hostname') },
    { proxyPort: uint16('http.proxy_connect_port', 'Proxy-Connect-Port') },
  ),
  badHeaderName: many(expert('warn', 'http.bad_header_name', 'Illegal characters found in header name')),
  host: many(string('http.host', 'Host')),
  userAgent: many(string('http.user_agent', 'User-Agent')),
  connection: many(string('http.connection', 'Connection')),
  ...group(
    { contentLengthHeader: many(string('http.content_length_header', 'Content-Length')) },
    { contentLength: many(uint64('http.content_length', 'Content length', { unit: 'bytes' })) },
  ),
  contentType: many(string('http.content_type', 'Content-Type')),
  contentEncoding: many(string('http.content_encoding', 'Content-Encoding')),
  contentRange: many(string('http.content_range', 'Content-Range')),
  transferEncoding: many(string('http.transfer_encoding', 'Transfer-Encoding')),
  accept: many(string('http.accept', 'Accept')),
  acceptLanguage: many(string('http.accept_language', 'Accept-Language')),
  acceptEncoding: many(string('http.accept_encoding', 'Accept Encoding')),
  referer: many(string('http.referer', 'Referer')),
  range: many(string('http.range', 'Range')),
  cacheControl: many(string('http.cache_control', 'Cache-Control')),
  date: many(string('http.date', 'Date')),
  server: many(string('http.server', 'Server')),
  location: many(string('http.location', 'Location')),
  lastModified: many(string('http.last_modified', 'Last-Modified')),
  upgrade: many(string('http.upgrade', 'Upgrade')),
  ...group({ cookie: many(string('http.cookie', 'Cookie')) }, { cookiePair: many(string('http.cookie_pair', 'Cookie pair')) }),
  setCookie: many(string('http.set_cookie', 'Set-Cookie')),
  ...group(
    { authorization: many(string('http.authorization', 'Authorization')) },
    { authBasic: many(string('http.authbasic', 'Credentials')) },
  ),
  proxyAuthorization: many(string('http.proxy_authorization', 'Proxy-Authorization')),
  wwwAuthenticate: many(string('http.www_authenticate', 'WWW-Authenticate')),
  proxyAuthenticate: many(string('http.proxy_authenticate', 'Proxy-Authenticate')),
  forwardedFor: many(string('http.x_forwarded_for', 'X-Forwarded-For')),
  webSocketAccept: many(string('http.sec_websocket_accept', 'Sec-WebSocket-Accept')),
  webSocketExtensions: many(string('http.sec_websocket_extensions', 'Sec-WebSocket-Extensions')),
  webSocketKey: many(string('http.sec_websocket_key', 'Sec-WebSocket-Key')),
  webSocketProtocol: many(string('http.sec_websocket_protocol', 'Sec-WebSocket-Protocol')),
  webSocketVersion: many(string('http.sec_websocket_version', 'Sec-WebSocket-Version')),
  http2Settings: many(string('http.http2_settings', 'HTTP2-Settings')),
  fullUri: string('http.request.full_uri', 'Full request URI'),
  isRequest: bool('http.request', 'Request'),
  isResponse: bool('http.response', 'Response'),
  isNotification: bool('http.notification', 'Notification'),
  requestNumber: uint32('http.request_number', 'Request number'),
  responseNumber: uint32('http.response_number', 'Response number'),
  previousRequest: frameNumber('http.prev_request_in', 'Prev request in frame'),
  previousResponse: frameNumber('http.prev_response_in', 'Prev response in frame'),
  requestIn: frameNumber('http.request_in', 'Request in frame'),
  time: duration('http.time', 'Time since request', { unit: 'seconds' }),
  responseFor: string('http.response_for.uri', 'Request URI'),
  chunkSize: many(uint32('http.chunk_size', 'Chunk size', { unit: 'octets' })),
  chunkData: many(bytes('http.chunk_data', 'Chunk data', { quiet: true })),
  chunkBoundary: many(bytes('http.chunk_boundary', 'Chunk boundary', { quiet: true })),
  trailer: many(string('http.trailer', 'Trailer')),
  bodyOctets: computed('uint32', 'http.body_length', 'Body octets on the wire', (l) => (l as HttpLayer).bodyLength, { unit: 'bytes' }),
  fileData: bytes('http.file_data', 'File Data', { quiet: true }),
};

/** Headers with a field of their own, by their name in lower case. */
const HEADER: Readonly<Record<string, Field<readonly string[]>>> = {
  host: rows.host,
  'user-agent': rows.userAgent,
  connection: rows.connection,
  'content-length': rows.contentLengthHeader,
  'content-type': rows.contentType,
  'content-encoding': rows.contentEncoding,
  'content-range': rows.contentRange,
  'transfer-encoding': rows.transferEncoding,
  accept: rows.accept,
  'accept-language': rows.acceptLanguage,
  'accept-encoding': rows.acceptEncoding,
  referer: rows.referer,
  range: rows.range,
  'cache-control': rows.cacheControl,
  date: rows.date,
  server: rows.server,
  location: rows.location,
  'last-modified': rows.lastModified,
  upgrade: rows.upgrade,
  cookie: rows.cookie,
  'set-cookie': rows.setCookie,
  authorization: rows.authorization,
  'proxy-authorization': rows.proxyAuthorization,
  'www-authenticate': rows.wwwAuthenticate,
  'proxy-authenticate': rows.proxyAuthenticate,
  'x-forwarded-for': rows.forwardedFor,
  'sec-websocket-accept': rows.webSocketAccept,
  'sec-websocket-extensions': rows.webSocketExtensions,
  'sec-websocket-key': rows.webSocketKey,
  'sec-websocket-protocol': rows.webSocketProtocol,
  'sec-websocket-version': rows.webSocketVersion,
  'http2-settings': rows.http2Settings,
};

type Kind = 'request' | 'response' | 'notification';

/** How the end of a body is found. */
type Framing = 'none' | 'length' | 'chunked' | 'close';

/** What the head of a message says that matters for its parsing. Offsets count from its first octet. */
export interface Head {
  readonly kind: Kind;
  /** Octets of the first line, its end included, and of the whole head. */
  readonly line: number;
  readonly length: number;
  readonly method: string;
  readonly uri: string;
  readonly code: number;
  readonly version: string;
  readonly host: string | undefined;
  readonly framing: Framing;
  readonly contentLength: number;
  readonly contentType: string;
  readonly contentEncoding: string;
  readonly upgrade: string;
}

/** A request and what is known of it when its answer comes. */
export interface HttpRequest {
  /** The frame that completes it, and its time; 0 while its body is under way. */
  frame: number;
  seconds: number;
  nanoseconds: number;
  readonly method: string;
  /** With scheme and host, where the host is known. */
  readonly uri: string;
  /** The frame of the request before it. */
  readonly previous: number | undefined;
  /** Octets of answers that the client had when it sent this; its own answer stands behind them. */
  readonly received: number;
  /** Its answer was lost in a hole of the capture. */
  lost: boolean;
  /** A response that began and never became whole: its head, and the octets of its body that came. */
  begun: { readonly head: Head; readonly body: number } | undefined;
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
}

/** What computed rows read of the class below. */
interface HttpLayer extends Layer {
  readonly bodyLength: number;
}

/** A request, a response, or an announcement of SSDP. */
export class Http extends layer('http', 'Hypertext Transfer Protocol', rows) {
  /** What its head says. */
  declare head: Head;
  declare exchange: HttpExchange | undefined;
  /** The rest of it was not captured. */
  declare incomplete: boolean;
  /** It came in a datagram. */
  declare datagram: boolean;

  override get shortName(): string {
    return this.datagram ? 'SSDP' : 'HTTP';
  }
  override get chain(): string {
    return this.datagram ? 'ssdp' : 'http';
  }

  /** Octets of the body as it came, chunk headers included. */
  get bodyLength(): number {
    return Math.max(0, this.end - this.start - this.head.length);
  }

  /** The octets of the body that were captured, without what chunks add; undefined when there is none. */
  get body(): Uint8Array | undefined {
    const from = this.start + this.head.length;
    if (from >= this.captured) return undefined;
    if (this.head.framing !== 'chunked') return this.bytes.subarray(from, this.captured);
    const pieces: Uint8Array[] = [];
    let length = 0;
    eachChunk(this.bytes, from, this.captured, (_at, _line, data, stop) => {
      pieces.push(this.bytes.subarray(data, stop));
      length += stop - data;
    });
    const body = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      body.set(piece, at);
      at += piece.length;
    }
    return body;
  }

  /** The body as it was before it was compressed, as far as it was captured; at most 16 MiB. */
  get content(): Uint8Array | undefined {
    const { body } = this;
    const { contentEncoding } = this.head;
    if (body === undefined || contentEncoding === '' || contentEncoding === 'identity') return body;
    return this.frame.session.decompress?.(body, contentEncoding, MAX_CONTENT) ?? body;
  }

  override walk(tree: Tree): void {
    const { bytes: b, start, captured, head, exchange } = this;
    const headEnd = Math.min(start + head.length, captured);
    this.walkFirstLine(tree);
    for (let at = start + head.line; at < headEnd; ) {
      let next = lineEnd(b, at, headEnd);
      if (next < 0) next = headEnd;
      // A line that begins with a blank belongs to the header above it (RFC 9112 section 5.2).
      while (next < headEnd && (b[next] === SPACE || b[next] === 9) && !isBlank(b, at, next)) {
        const more = lineEnd(b, next, headEnd);
        if (more < 0) break;
        next = more;
      }
      if (isBlank(b, at, next)) break;
      this.walkHeader(tree, at, next);
      at = next;
    }
    const { kind } = head;
    if (kind !== 'response' && head.host !== undefined) tree.put(rows.fullUri, fullUri(head));
    if (kind === 'notification') tree.put(rows.isNotification, true);
    else tree.put(kind === 'request' ? rows.isRequest : rows.isResponse, true);
    if (exchange !== undefined) {
      tree.put(kind === 'response' ? rows.responseNumber : rows.requestNumber, exchange.number);
      if (exchange.time !== undefined) tree.put(rows.time, exchange.time);
      if (exchange.previousRequest !== undefined) tree.put(rows.previousRequest, exchange.previousRequest);
      if (exchange.request !== undefined && exchange.request.frame > 0) {
        tree.put(rows.requestIn, exchange.request.frame);
        tree.put(rows.responseFor, exchange.request.uri);
      }
      if (exchange.previousResponse !== undefined) tree.put(rows.previousResponse, exchange.previousResponse);
    }
    if (start + head.length < captured) this.walkBody(tree, start + head.length);
  }

  /** Host and port that a proxy is asked for (RFC 9110 section 9.3.6). */
  private walkAuthority(tree: Tree, from: number, to: number): void {
    const parts = /^(.*):(\d{1,5})$/.exec(textOf(this.bytes, from, to));
    if (!parts || Number(parts[2]) > 65535) return;
    tree.openPut(rows.proxyHost, parts[1]!, from, parts[1]!.length);
    tree.put(rows.proxyPort, Number(parts[2]), from + parts[1]!.length + 1, parts[2]!.length);
    tree.close();
  }

  private walkFirstLine(tree: Tree): void {
    const { bytes: b, start, captured, head } = this;
    const end = Math.min(start + head.line, captured);
    const stop = trimmed(b, start, end);
    const node = tree.openPut(rows.chat, true, start, end - start);
    node.text = textOf(b, start, stop);
    const first = wordEnd(b, start, stop);
    const second = wordEnd(b, Math.min(first + 1, stop), stop);
    if (head.kind === 'response') {
      tree.add(rows.responseVersion, start, first - start);
      const { code } = head;
      if (code >= 0) {
        tree.openPut(rows.code, code, first + 1, second - first - 1);
        tree.put(rows.codeDescription, STATUS[code] ?? `Unknown (${code})`, first + 1, second - first - 1);
        tree.close();
      }
      if (second + 1 < stop) tree.add(rows.phrase, second + 1, stop - second - 1);
    } else {
      tree.add(rows.method, start, first - start);
      if (first < stop) this.walkUri(tree, first + 1, second);
      if (head.method === 'CONNECT') this.walkAuthority(tree, first + 1, second);
      if (second < stop) tree.add(rows.requestVersion, second + 1, stop - second - 1);
    }
    tree.close();
  }

  private walkUri(tree: Tree, from: number, to: number): void {
    const { bytes: b } = this;
    if (!tree.open(rows.uri, from, to - from)) return;
    let question = from;
    while (question < to && b[question] !== 0x3f) question++;
    if (question < to) {
      tree.add(rows.uriPath, from, question - from);
      tree.open(rows.uriQuery, question + 1, to - question - 1);
      for (let at = question + 1; at < to; ) {
        let next = at;
        while (next < to && b[next] !== 0x26) next++;
        if (next > at) tree.add(rows.uriParameter, at, next - at);
        at = next + 1;
      }
      tree.close();
    }
    tree.close();
  }

  /** The header line `[from, to)`, its end included. */
  private walkHeader(tree: Tree, from: number, to: number): void {
    const { bytes: b, head } = this;
    const colon = b.subarray(from, to).indexOf(COLON) + from;
    if (colon < from) {
      tree.add(lineRow(head.kind), from, to - from);
      return;
    }
    let name = colon;
    while (name > from && (b[name - 1] === SPACE || b[name - 1] === 9)) name--;
    let value = colon + 1;
    const stop = trimmed(b, from, to);
    while (value < stop && (b[value] === SPACE || b[value] === 9)) value++;
    // Blanks behind the value stay, as in Wireshark.
    const last = stop;
    const row = HEADER[latin1Of(b, from, Math.min(name, from + 32)).toLowerCase()];
    if (!isToken(b, from, colon)) tree.put(rows.badHeaderName, true, from, name - from);
    if (row === undefined) {
      tree.add(lineRow(head.kind), from, to - from);
      return;
    }
    tree.open(row, value, last - value);
    switch (row) {
      case rows.contentLengthHeader: {
        const text = latin1Of(b, value, last);
        if (/^0*\d{1,19}$/.test(text)) tree.put(rows.contentLength, BigInt(text), value, last - value);
        break;
      }
      case rows.cookie:
        for (let at = value; at < last; ) {
          let next = at;
          while (next < last && b[next] !== 0x3b) next++;
          while (at < next && b[at] === SPACE) at++;
          if (next > at) tree.add(rows.cookiePair, at, next - at);
          at = next + 1;
        }
        break;
      case rows.authorization:
      case rows.proxyAuthorization: {
        const basic = /^basic +([A-Za-z0-9+/=]+)$/i.exec(latin1Of(b, value, Math.min(last, value + 4096)));
        const credentials = basic ? decodeBase64(basic[1]!) : undefined;
        if (credentials !== undefined) tree.put(rows.authBasic, credentials, value, last - value);
        break;
      }
    }
    tree.close();
    if (head.kind !== 'notification') tree.add(lineRow(head.kind), from, to - from);
  }

  private walkBody(tree: Tree, from: number): void {
    const { bytes: b, captured, head } = this;
    if (head.framing === 'chunked') {
      const end = eachChunk(b, from, captured, (at, line, data, stop, size, whole) => {
        tree.put(rows.chunkSize, Math.min(size, 0xffff_ffff), at, line - at);
        if (stop > data) tree.add(rows.chunkData, data, stop - data);
        if (whole && size > 0) tree.add(rows.chunkBoundary, stop, 2);
      });
      for (let at = end; at < captured; ) {
        const next = lineEnd(b, at, captured);
        if (next < 0 || isBlank(b, at, next)) break;
        tree.add(rows.trailer, at, trimmed(b, at, next) - at);
        at = next;
      }
    }
    const { content, body } = this;
    const { contentEncoding } = head;
    const encoded = contentEncoding !== '' && contentEncoding !== 'identity' && body !== undefined && body.length > 0;
    if (encoded && content?.length === body.length && !this.incomplete && this.frame.session.decompress !== undefined)
      tree.put(rows.bodyFailed, true, from, captured - from);
    if (content !== undefined && content.length > 0) tree.put(rows.fileData, content, from, captured - from);
  }

  override summary(out: TextBuffer): void {
    const { bytes: b, start, captured, head } = this;
    const stop = trimmed(b, start, Math.min(start + head.line, captured));
    out.octets(b, start, Math.min(stop, start + 512));
    if (stop > start + 512) out.unicode('…');
    if (head.contentType !== '') {
      out.ascii(' (');
      out.text(head.contentType);
      out.byte(0x29);
    }
    if (this.incomplete) out.ascii(' [incomplete]');
  }
}

const lineRow = (kind: Kind): Field<readonly string[]> =>
  kind === 'request' ? rows.requestLine : kind === 'response' ? rows.responseLine : rows.unknownHeader;

function fullUri(head: Head): string {
  const { uri, host } = head;
  return host === undefined || head.method === 'CONNECT' || /^(https?|about):/i.test(uri) ? uri : `http://${host}${uri}`;
}

/** Index behind the LF that ends the line at `from`, or -1. */
function lineEnd(b: Uint8Array, from: number, end: number): number {
  for (let i = from; i < end; i++) if (b[i] === LF) return i + 1;
  return -1;
}

/** The end of a line without CR and LF. */
function trimmed(b: Uint8Array, from: number, end: number): number {
  let stop = end;
  if (stop > from && b[stop - 1] === LF) stop--;
  if (stop > from && b[stop - 1] === CR) stop--;
  return stop;
}

const isBlank = (b: Uint8Array, from: number, end: number): boolean => trimmed(b, from, end) === from;

function wordEnd(b: Uint8Array, from: number, end: number): number {
  for (let i = from; i < end; i++) if (b[i] === SPACE) return i;
  return end;
}

/** RFC 9110 section 5.6.2. */
const TOKEN = new Uint8Array(256);
for (const c of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") TOKEN[c.charCodeAt(0)] = 1;

function isToken(b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (TOKEN[b[i]!] === 0) return false;
  return to > from;
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The text of base64 (RFC 4648 section 4), or undefined. */
function decodeBase64(text: string): string | undefined {
  const octets: number[] = [];
  let bits = 0;
  let have = 0;
  for (const c of text) {
    if (c === '=') break;
    bits = ((bits << 6) | BASE64.indexOf(c)) & 0xffffff;
    have += 6;
    if (have >= 8) octets.push((bits >> (have -= 8)) & 255);
  }
  return octets.length > 0 ? textOf(Uint8Array.from(octets), 0, octets.length) : undefined;
}

/**
 * Call `found` for each chunk in `[from, end)` with its start, the end of its size line, its data, what the line says its
 * size is, and whether all of it is there. Returns where the trailers begin. Each chunk takes octets, so this ends.
 */
function eachChunk(
  b: Uint8Array,
  from: number,
  end: number,
  found: (at: number, line: number, data: number, stop: number, size: number, whole: boolean) => void,
): number {
  for (let at = from; at < end; ) {
    const line = lineEnd(b, at, Math.min(end, at + MAX_CHUNK_LINE));
    if (line < 0) return end;
    const size = chunkSize(b, at, line);
    if (size < 0) return end;
    const whole = line + size + 2 <= end;
    found(at, line, line, Math.min(line + size, end), size, whole);
    if (size === 0) return line;
    if (!whole) return end;
    at = line + size + (b[line + size] === CR ? 2 : 1);
  }
  return end;
}

/** Octets of a chunk's first line, extensions included. */
const MAX_CHUNK_LINE = 4096;

/** The size in hex at the start of a chunk's line; -1 when there is none. */
function chunkSize(b: Uint8Array, from: number, to: number): number {
  let size = 0;
  let at = from;
  for (; at < to; at++) {
    const c = b[at]!;
    const digit = c >= 48 && c <= 57 ? c - 48 : c >= 65 && c <= 70 ? c - 55 : c >= 97 && c <= 102 ? c - 87 : -1;
    if (digit < 0) break;
    size = size * 16 + digit;
    if (at - from > 12) return -1;
  }
  return at === from ? -1 : size;
}

const isVersion = (b: Uint8Array, at: number): boolean =>
  b[at] === 0x48 && b[at + 1] === 0x54 && b[at + 2] === 0x54 && b[at + 3] === 0x50 && b[at + 4] === 0x2f;

/** Does the request line `[start, next)` tell a version? */
function hasVersion(b: Uint8Array, start: number, next: number): boolean {
  const stop = trimmed(b, start, next);
  // It stands at the end in all but the odd one.
  if (stop - start > 9 && b[stop - 9] === SPACE && isVersion(b, stop - 8)) return true;
  return / HTTP\/\d/.test(latin1Of(b, start, next));
}

/** What the first line at `start` begins: undefined when nothing of HTTP. `end` may be before the end of the line. */
function kindOf(b: Uint8Array, start: number, end: number): Kind | undefined {
  if (end - start >= 5 && isVersion(b, start)) return 'response';
  const word = wordEnd(b, start, Math.min(end, start + 24));
  if (word - start < 3 || word >= Math.min(end, start + 24)) return undefined;
  const c = b[start]!;
  if (c < 0x41 || c > 0x5a || !isToken(b, start, word)) return undefined;
  const method = texts.of(b, start, word);
  if (METHODS.has(method)) return method === 'NOTIFY' ? 'notification' : 'request';
  const line = lineEnd(b, start, Math.min(end, start + 4096));
  if (line < 0) return undefined;
  return / HTTP\/1\.[01]$/.test(latin1Of(b, start, trimmed(b, start, line))) ? 'request' : undefined;
}

/** Is the header at `at` called `name` (in lower case)? */
function named(b: Uint8Array, at: number, name: string): boolean {
  const n = name.length;
  if (b[at + n] !== COLON) return false;
  for (let i = 0; i < n; i++) if ((b[at + i]! | 0x20) !== name.charCodeAt(i)) return false;
  return true;
}

const texts = new Texts(1024);

/** The value of the header `[at, next)` whose name has `name` octets, without the blanks around it; its first 2 KiB. */
function headerValue(b: Uint8Array, at: number, next: number, name: number): string {
  let from = at + name + 1;
  let to = Math.min(trimmed(b, at, next), at + 2048);
  while (from < to && (b[from] === SPACE || b[from] === 9)) from++;
  while (to > from && (b[to - 1] === SPACE || b[to - 1] === 9)) to--;
  return texts.of(b, from, to);
}

/** Read the head `[start, start + length)`. `method` is that of the request which a response answers. */
function readHead(b: Uint8Array, start: number, length: number, kind: Kind, method: string | undefined): Head {
  const end = start + length;
  let line = lineEnd(b, start, end);
  if (line < 0) line = end;
  const stop = trimmed(b, start, line);
  const first = wordEnd(b, start, stop);
  const second = wordEnd(b, Math.min(first + 1, stop), stop);
  let host: string | undefined;
  let contentLength = -1;
  let chunked = false;
  let contentType = '';
  let contentEncoding = '';
  let upgrade = '';
  for (let at = line; at < end; ) {
    let next = lineEnd(b, at, end);
    if (next < 0) next = end;
    // The first letter rules out most.
    switch (b[at]! | 0x20) {
      case 0x68:
        if (host === undefined && named(b, at, 'host')) host = headerValue(b, at, next, 4);
        break;
      case 0x75:
        if (named(b, at, 'upgrade')) upgrade = headerValue(b, at, next, 7).toLowerCase();
        break;
      case 0x63:
        if (named(b, at, 'content-type')) {
          contentType = headerValue(b, at, next, 12);
          const semicolon = contentType.indexOf(';');
          if (semicolon >= 0) contentType = contentType.slice(0, semicolon).trim();
        } else if (named(b, at, 'content-length')) {
          const text = headerValue(b, at, next, 14);
          if (/^0*\d{1,15}$/.test(text)) contentLength = Number(text);
        } else if (named(b, at, 'content-encoding')) contentEncoding = headerValue(b, at, next, 16).toLowerCase();
        break;
      case 0x74:
        if (named(b, at, 'transfer-encoding')) chunked = /chunked/i.test(headerValue(b, at, next, 17));
    }
    at = next;
  }
  const isResponse = kind === 'response';
  const version = isResponse ? texts.of(b, start, first) : texts.of(b, Math.min(second + 1, stop), stop);
  const code = isResponse && second - first === 4 ? Number(texts.of(b, first + 1, second)) : -1;
  let framing: Framing = 'none';
  if (isResponse) {
    const bodiless =
      (code >= 100 && code < 200) || code === 204 || code === 304 || method === 'HEAD' || (method === 'CONNECT' && code < 300);
    if (!bodiless) framing = chunked ? 'chunked' : contentLength >= 0 ? 'length' : 'close';
  } else if (chunked) framing = 'chunked';
  else if (contentLength > 0) framing = 'length';
  return {
    kind,
    line: line - start,
    length,
    method: isResponse ? '' : texts.of(b, start, first),
    uri: isResponse ? '' : texts.of(b, Math.min(first + 1, stop), second),
    code: Number.isNaN(code) ? -1 : code,
    version,
    host,
    framing,
    contentLength,
    contentType,
    contentEncoding,
    upgrade,
  };
}

/** What both directions of a connection know. */
class Connection {
  /** Requests that were not answered yet, oldest first. */
  readonly waiting: HttpRequest[] = [];
  requests = 0;
  responses = 0;
  lastRequest: number | undefined = undefined;
  lastResponse: number | undefined = undefined;

  /** Answers may be missing: octets were lost since the last one. */
  holed = false;

  /** A request whose head is there waits for its answer: some come before its body is whole. */
  begin(head: Head, received: number): HttpRequest | undefined {
    if (this.waiting.length >= MAX_WAITING) return undefined;
    // Written out: a spread here cost 3 µs a request.
    const asked: HttpRequest = {
      frame: 0,
      seconds: 0,
      nanoseconds: 0,
      method: head.method,
      uri: fullUri(head),
      previous: this.lastRequest,
      received,
      lost: false,
      begun: undefined,
      note: undefined,
    };
    this.waiting.push(asked);
    return asked;
  }

  request(frame: Frame, head: Head, received = 0, begun?: HttpRequest): HttpExchange {
    const { number, seconds, nanoseconds } = frame;
    const asked = begun ?? this.begin(head, received);
    if (asked !== undefined) {
      asked.frame = number;
      asked.seconds = seconds;
      asked.nanoseconds = nanoseconds;
    }
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

  /** `position` is where the response begins in its stream. */
  response(frame: Frame, head: Head, position = 0): HttpExchange {
    const { waiting } = this;
    if (this.holed) {
      // A client that had something of the answer to one request when it sent the next is not given both answers later:
      // what it had was that answer, and it was lost to us.
      while (waiting.length > 1 && waiting[1]!.received <= position && waiting[1]!.received > waiting[0]!.received)
        waiting.shift()!.lost = true;
      this.holed = false;
    }
    // An interim answer leaves its request waiting for the final one (RFC 9110 section 15.2).
    const interim = head.code >= 100 && head.code < 200 && head.code !== 101;
    const request = interim ? this.waiting[0] : this.waiting.shift();
    const exchange: HttpExchange = {
      number: ++this.responses,
      previousRequest: request?.previous,
      previousResponse: this.lastResponse,
      request,
      asked: undefined,
      time: request && request.frame > 0 ? between(frame.seconds, frame.nanoseconds, request.seconds, request.nanoseconds) : undefined,
    };
    this.lastResponse = frame.number;
    return exchange;
  }
}

class HttpParser implements StreamParser {
  need = 0;
  private head: Head | undefined = undefined;
  /** Where the search for the end of the head, or the next chunk, goes on; from the start of the message. */
  private at = 0;
  /** The last chunk came; what is left are trailers. */
  private trailers = false;
  /** What waits for the answer to the request under way. */
  private begun: HttpRequest | undefined = undefined;

  constructor(private readonly context: StreamContext) {}

  private get connection(): Connection {
    if (!(this.context.shared instanceof Connection)) this.context.shared = new Connection();
    return this.context.shared as Connection;
  }

  measure(b: Uint8Array, start: number, end: number, final: boolean): number {
    this.need = 0;
    if (this.head === undefined) {
      const length = this.headLength(b, start, end);
      if (length <= 0) return length;
      const kind = kindOf(b, start, end)!;
      this.head = readHead(b, start, length, kind, kind === 'response' ? this.connection.waiting[0]?.method : undefined);
      this.at = length;
    }
    const length = this.lengthOf(b, start, end, final);
    const { head } = this;
    if (length === MORE && head.kind === 'request' && this.begun === undefined)
      this.begun = this.connection.begin(head, this.context.received);
    return length;
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
    if (at === start) {
      if (kindOf(b, start, end) === undefined) {
        // A method is known when the blank behind it came, another one when its line is whole.
        if (end - start >= 24 && lineEnd(b, start, Math.min(end, start + 4096)) >= 0) return ALIEN;
        if (end - start >= 4096 || !isToken(b, start, wordEnd(b, start, Math.min(end, start + 24)))) return ALIEN;
        return lineEnd(b, start, end) >= 0 ? ALIEN : MORE;
      }
    }
    for (;;) {
      const next = lineEnd(b, at, end);
      if (next < 0) {
        this.at = at - start;
        return end - start > MAX_HEAD ? ALIEN : MORE;
      }
      const blank = isBlank(b, at, next);
      // HTTP/0.9 is one line without a version, and nothing like a header after it.
      if (at === start && b[start] !== 0x48 && !blank && next - start < 8192 && !hasVersion(b, start, next)) {
        const header = lineEnd(b, next, end);
        if (header < 0 ? next === end : !b.subarray(next, header).includes(COLON)) return next - start;
      }
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
    this.add(frame, start, end, false);
  }

  partial(frame: Frame, start: number, end: number): number {
    const held = Math.min(end, frame.captured);
    const { head } = this;
    if (head === undefined) {
      const kind = kindOf(frame.bytes, start, held);
      if (kind === undefined) frame.data(start, end);
      else {
        this.head = readHead(frame.bytes, start, held - start, kind, undefined);
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
    const http = new Http(frame, start, end);
    http.head = head;
    http.incomplete = incomplete;
    const { connection } = this;
    if (head.kind === 'response') {
      http.exchange = connection.response(frame, head, this.context.messageStart);
      const { request, time } = http.exchange;
      if (time !== undefined) frame.answer = { request: request!.frame, time };
      if (http.exchange.request?.method === 'CONNECT' && head.code >= 200 && head.code < 300) this.context.become(undefined);
      else if (head.code === 101) {
        const next = frame.session.registry.protocols.find((p) => p.name === head.upgrade && p.stream)?.stream;
        this.context.become(next, http.webSocketExtensions.join(', '));
      }
    } else http.exchange = connection.request(frame, head, this.context.received, begun);
    if (incomplete) frame.layers.push(http);
    else frame.add(http, end - start);
    frame.session.hooks.http?.(frame, http, this.context);
  }

  hole(): void {
    this.connection.holed = true;
    this.reset();
  }

  private reset(): void {
    this.head = undefined;
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
    for (let at = start; at < end; ) {
      const c = b[at]!;
      if (c >= 0x41 && c <= 0x5a && recognise(b, at, end)) return at;
      const next = lineEnd(b, at, end);
      if (next < 0) return end;
      at = next;
    }
    return end;
  }
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
  http.head = readHead(b, start, (lineEnd(b, at, stop) < 0 && !isHeadEnd(b, start, at) ? stop : at) - start, kind, undefined);
  http.datagram = true;
  const stream = (frame.transport as { stream?: number } | undefined)?.stream ?? -1;
  if (stream >= 0 && kind !== 'notification') {
    const connection = datagramsOf(frame, stream);
    http.exchange = kind === 'response' ? connection.response(frame, http.head) : connection.request(frame, http.head);
  }
  frame.layers.push(http);
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

const isHeadEnd = (b: Uint8Array, start: number, at: number): boolean =>
  at - start >= 2 && b[at - 1] === LF && (b[at - 2] === LF || (b[at - 2] === CR && b[at - 3] === LF));

export const httpStream: StreamProtocol = { name: 'http', parser: (context) => new HttpParser(context), recognise };

export const http: ProtocolEntry = {
  name: 'http',
  layers: [Http],
  stream: httpStream,
  on: [tcpPorts.at([80, 1900, 2710, 2869, 3128, 3132, 5985, 8080, 8088, 11371], httpStream)],
};

export const ssdp: ProtocolEntry = { name: 'ssdp', layers: [Http], dissect: dissectDatagram, on: [udpPorts.at(1900, dissectDatagram)] };
