/** The fields of HTTP/1, with the names of status codes and of the headers that have a field of their own. */
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
import type { Layer, TreeNode } from '../core/layer.js';
import { Texts, textOf } from '../core/octets.js';

export const STATUS: Readonly<Record<number, string>> = {
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

/** What computed rows read of the class below. */
interface HttpLayer extends Layer {
  readonly bodyLength: number;
}

/** Port of HTTP over TLS. */
const HTTPS = 443;

/** The first line with its end, spelled out. */
const lineText = (_: Layer, node: TreeNode | undefined): string =>
  textOf(node!.bytes, node!.start, node!.end).replace('\r', '\\r').replace('\n', '\\n');

export const rows = {
  ...group(
    { chat: many(expert('chat', 'sequence', 'http.chat', 'First line', undefined, { message: lineText })) },
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
  encryptedPort: expert<Layer>('warn', 'protocol', 'http.tls_port', 'Unencrypted HTTP on the port of encrypted HTTP', (l) => {
    const { transport } = l.frame;
    return transport !== undefined && (transport.srcPort === HTTPS || transport.dstPort === HTTPS);
  }),
  bodyFailed: expert('note', 'malformed', 'http.subdissector_failed', 'The body is not what its headers say'),
  ...group(
    { proxyHost: string('http.proxy_connect_host', 'Proxy-Connect-Hostname') },
    { proxyPort: uint16('http.proxy_connect_port', 'Proxy-Connect-Port') },
  ),
  badHeaderName: many(expert('warn', 'protocol', 'http.bad_header_name', 'Illegal characters found in header name')),
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

/** Names of headers as they are written, and what they mean; few programs write a name in more than one way. */
const names = new Texts(512);
const known = new Map<string, Field<readonly string[]> | undefined>();
const MOST_KNOWN = 1024;
/** Octets of the longest name above. */
const LONGEST_NAME = Math.max(...Object.keys(HEADER).map((name) => name.length));

/** The row of the header whose name stands in `[from, to)`; undefined when it has none. */
export function headerRow(b: Uint8Array, from: number, to: number): Field<readonly string[]> | undefined {
  if (to - from > LONGEST_NAME) return undefined;
  const name = names.of(b, from, to);
  const row = known.get(name);
  if (row !== undefined || known.has(name)) return row;
  if (known.size >= MOST_KNOWN) known.clear();
  const found = /^[!-~]+$/.test(name) && Object.hasOwn(HEADER, name.toLowerCase()) ? HEADER[name.toLowerCase()] : undefined;
  known.set(name, found);
  return found;
}
