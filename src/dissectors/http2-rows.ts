/** The fields of HTTP/2, and the names of its numbers (RFC 9113 sections 6, 7 and 11). */
import {
  bits,
  bytes,
  computed,
  duration,
  expert,
  type Field,
  flag,
  frameNumber,
  group,
  list,
  many,
  mark,
  string,
  uint8,
  uint16,
  uint24,
  uint32,
  uint64,
} from '../core/field.js';
import type { Layer } from '../core/layer.js';
import { STATUS } from './http-rows.js';

/** Octets before the payload of a frame. */
export const FRAME_HEADER = 9;

export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PUSH_PROMISE = 5;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;
export const ALTSVC = 10;
export const ORIGIN = 12;
export const PRIORITY_UPDATE = 16;

/** RFC 9113 section 11.2, RFC 7838 section 4, RFC 8336 section 2, RFC 9218 section 7.1. */
export const TYPES: Readonly<Record<number, string>> = {
  [DATA]: 'DATA',
  [HEADERS]: 'HEADERS',
  [PRIORITY]: 'PRIORITY',
  [RST_STREAM]: 'RST_STREAM',
  [SETTINGS]: 'SETTINGS',
  [PUSH_PROMISE]: 'PUSH_PROMISE',
  [PING]: 'PING',
  [GOAWAY]: 'GOAWAY',
  [WINDOW_UPDATE]: 'WINDOW_UPDATE',
  [CONTINUATION]: 'CONTINUATION',
  [ALTSVC]: 'ALTSVC',
  [ORIGIN]: 'ORIGIN',
  [PRIORITY_UPDATE]: 'PRIORITY_UPDATE',
};

/** RFC 9113 section 7. */
export const ERRORS: Readonly<Record<number, string>> = {
  0: 'NO_ERROR',
  1: 'PROTOCOL_ERROR',
  2: 'INTERNAL_ERROR',
  3: 'FLOW_CONTROL_ERROR',
  4: 'SETTINGS_TIMEOUT',
  5: 'STREAM_CLOSED',
  6: 'FRAME_SIZE_ERROR',
  7: 'REFUSED_STREAM',
  8: 'CANCEL',
  9: 'COMPRESSION_ERROR',
  10: 'CONNECT_ERROR',
  11: 'ENHANCE_YOUR_CALM',
  12: 'INADEQUATE_SECURITY',
  13: 'HTTP_1_1_REQUIRED',
};

/** RFC 9113 section 6.5.2, RFC 8441 section 3. */
const SETTING: Readonly<Record<number, string>> = {
  1: 'Header table size',
  2: 'Enable PUSH',
  3: 'Max concurrent streams',
  4: 'Initial Windows size',
  5: 'Max frame size',
  6: 'Max header list size',
  8: 'Extended CONNECT',
};

export const END_STREAM = 0x01;
export const ACK = 0x01;
export const END_HEADERS = 0x04;
export const PADDED = 0x08;
export const HAS_PRIORITY = 0x20;

/** What rows read of the class that they belong to. */
interface FrameLayer extends Layer {
  readonly isMagic: boolean;
}

const isFrame = (l: FrameLayer): boolean => !l.isMagic;
const typeOf = (l: Layer): number => (l.start + 3 < l.captured ? l.bytes[l.start + 3]! : -1);
/** Frames of these types. */
const of =
  (...types: readonly number[]) =>
  (l: FrameLayer): boolean =>
    !l.isMagic && types.includes(typeOf(l));
/** The bits of a type's flags that mean nothing. */
const unused = (name: string, mask: number, ...types: readonly number[]) =>
  bits(`http2.flags.${name}`, 'Unused', 4, 8, mask, { base: 'hex', quiet: true, when: of(...types) });

export const rows = {
  stream: computed('none', 'http2.stream', 'Stream', () => true, { quiet: true }),
  magic: string('http2.magic', 'Magic', 0, 24, { when: (l: FrameLayer) => l.isMagic }),
  payloadLength: uint24('http2.length', 'Length', 0, { when: isFrame, unit: 'bytes' }),
  type: uint8('http2.type', 'Type', 3, { when: isFrame, values: TYPES }),
  ...group(
    { flags: uint8('http2.flags', 'Flags', 4, { base: 'hex', when: isFrame }) },
    {
      unusedSettings: unused('unused_settings', 0xfe, SETTINGS),
      unusedPing: unused('unused_ping', 0xfe, PING),
      unusedHeaders: unused('unused_headers', 0xd2, HEADERS),
      unusedData: unused('unused_data', 0xf6, DATA),
      unusedPush: unused('unused_push_promise', 0xf3, PUSH_PROMISE),
      unusedContinuation: unused('unused_continuation', 0xfb, CONTINUATION),
      unusedFlags: bits('http2.flags.unused', 'Unused', 4, 8, 0xff, {
        base: 'hex',
        quiet: true,
        when: (l: FrameLayer) => !l.isMagic && ![DATA, HEADERS, SETTINGS, PUSH_PROMISE, PING, CONTINUATION].includes(typeOf(l)),
      }),
      hasPriority: flag('http2.flags.priority', 'Priority', 4, HAS_PRIORITY, 8, { when: of(HEADERS) }),
      padded: flag('http2.flags.padded', 'Padded', 4, PADDED, 8, { when: of(DATA, HEADERS, PUSH_PROMISE) }),
      endHeaders: flag('http2.flags.eh', 'End Headers', 4, END_HEADERS, 8, { when: of(HEADERS, PUSH_PROMISE, CONTINUATION) }),
      endStream: flag('http2.flags.end_stream', 'End Stream', 4, END_STREAM, 8, { when: of(DATA, HEADERS) }),
      settingsAck: flag('http2.flags.ack.settings', 'ACK', 4, ACK, 8, { when: of(SETTINGS) }),
      pingAck: flag('http2.flags.ack.ping', 'ACK', 4, ACK, 8, { when: of(PING) }),
    },
  ),
  reserved: bits('http2.r', 'Reserved', 5, 32, 0x80000000, { base: 'hex', when: isFrame }),
  streamId: bits('http2.streamid', 'Stream Identifier', 5, 32, 0x7fffffff, { when: isFrame }),
  padding: uint8('http2.padding', 'Pad Length', { base: 'hex' }),
  padLength: uint16('http2.pad_length', 'Pad Length', { quiet: true }),
  exclusive: flag('http2.exclusive', 'Exclusive', undefined, 0x80000000, 32),
  dependency: bits('http2.stream_dependency', 'Stream Dependency', undefined, 32, 0x7fffffff),
  weight: uint8('http2.headers.weight', 'Weight'),
  weightReal: uint16('http2.headers.weight_real', 'Weight real', { quiet: true }),
  data: bytes('http2.data.data', 'Data', { quiet: true }),
  dataPadding: bytes('http2.data.padding', 'Padding', { quiet: true }),
  ...group(
    { headerBlock: bytes('http2.headers', 'Header Block Fragment', { quiet: true }) },
    {
      method: string('http2.headers.method', ':method'),
      scheme: string('http2.headers.scheme', ':scheme'),
      authority: string('http2.headers.authority', ':authority'),
      path: string('http2.headers.path', ':path'),
      status: uint16('http2.headers.status', ':status', { values: STATUS }),
      accept: many(string('http2.headers.accept', 'accept')),
      acceptCharset: many(string('http2.headers.accept_charset', 'accept-charset')),
      acceptEncoding: many(string('http2.headers.accept_encoding', 'accept-encoding')),
      acceptLanguage: many(string('http2.headers.accept_language', 'accept-language')),
      acceptRanges: many(string('http2.headers.accept_ranges', 'accept-ranges')),
      accessControlAllowOrigin: many(string('http2.headers.access_control_allow_origin', 'access-control-allow-origin')),
      age: many(uint64('http2.headers.age', 'age')),
      allow: many(string('http2.headers.allow', 'allow')),
      authorization: many(string('http2.headers.authorization', 'authorization')),
      cacheControl: many(string('http2.headers.cache_control', 'cache-control')),
      contentDisposition: many(string('http2.headers.content_disposition', 'content-disposition')),
      contentEncoding: many(string('http2.headers.content_encoding', 'content-encoding')),
      contentLanguage: many(string('http2.headers.content_language', 'content-language')),
      contentLength: many(uint64('http2.headers.content_length', 'content-length')),
      contentLocation: many(string('http2.headers.content_location', 'content-location')),
      contentRange: many(string('http2.headers.content_range', 'content-range')),
      contentType: many(string('http2.headers.content_type', 'content-type')),
      cookie: many(string('http2.headers.cookie', 'cookie')),
      date: many(string('http2.headers.date', 'date')),
      etag: many(string('http2.headers.etag', 'etag')),
      expect: many(string('http2.headers.expect', 'expect')),
      expires: many(string('http2.headers.expires', 'expires')),
      from: many(string('http2.headers.from', 'from')),
      ifMatch: many(string('http2.headers.if_match', 'if-match')),
      ifModifiedSince: many(string('http2.headers.if_modified_since', 'if-modified-since')),
      ifNoneMatch: many(string('http2.headers.if_none_match', 'if-none-match')),
      ifRange: many(string('http2.headers.if_range', 'if-range')),
      ifUnmodifiedSince: many(string('http2.headers.if_unmodified_since', 'if-unmodified-since')),
      lastModified: many(string('http2.headers.last_modified', 'last-modified')),
      link: many(string('http2.headers.link', 'link')),
      location: many(string('http2.headers.location', 'location')),
      maxForwards: many(uint64('http2.headers.max_forwards', 'max-forwards')),
      proxyAuthenticate: many(string('http2.headers.proxy_authenticate', 'proxy-authenticate')),
      proxyAuthorization: many(string('http2.headers.proxy_authorization', 'proxy-authorization')),
      range: many(string('http2.headers.range', 'range')),
      referer: many(string('http2.headers.referer', 'referer')),
      refresh: many(string('http2.headers.refresh', 'refresh')),
      retryAfter: many(string('http2.headers.retry_after', 'retry-after')),
      server: many(string('http2.headers.server', 'server')),
      setCookie: many(string('http2.headers.set_cookie', 'set-cookie')),
      strictTransportSecurity: many(string('http2.headers.strict_transport_security', 'strict-transport-security')),
      userAgent: many(string('http2.headers.user_agent', 'user-agent')),
      vary: many(string('http2.headers.vary', 'vary')),
      via: many(string('http2.headers.via', 'via')),
      wwwAuthenticate: many(string('http2.headers.www_authenticate', 'www-authenticate')),
    },
  ),
  headersPadding: bytes('http2.headers.padding', 'Padding', { quiet: true }),
  promiseReserved: bits('http2.push_promise.r', 'Reserved', undefined, 32, 0x80000000, { base: 'hex' }),
  promisedStream: bits('http2.push_promise.promised_stream_id', 'Promised-Stream-ID', undefined, 32, 0x7fffffff),
  promiseBlock: bytes('http2.push_promise.header', 'Header Block Fragment', { quiet: true }),
  promisePadding: bytes('http2.push_promise.padding', 'Padding', { quiet: true }),
  continuationBlock: bytes('http2.continuation.header', 'Continuation Header', { quiet: true }),
  ...group(
    { sizeUpdate: many(mark('http2.header_table_size_update', 'Header table size update')) },
    { tableSize: many(uint32('http2.header_table_size_update.header_table_size', 'Header table size')) },
  ),
  headersLength: uint32('http2.header.length', 'Header Length', { quiet: true }),
  headersCount: uint32('http2.header.count', 'Header Count'),
  header: list('http2.header', 'Header', {
    nameLength: uint32('http2.header.name.length', 'Name Length', { quiet: true }),
    name: string('http2.header.name', 'Name'),
    valueLength: uint32('http2.header.value.length', 'Value Length', { quiet: true }),
    value: string('http2.header.value', 'Value'),
    representation: string('http2.header.repr', 'Representation'),
    index: uint32('http2.header.index', 'Index'),
  }),
  sizeExceeded: expert('warn', 'undecoded', 'http2.header_size_exceeded', 'The headers are larger than is listed'),
  linesExceeded: expert('warn', 'undecoded', 'http2.header_lines_exceeded', 'There are more headers than are listed'),
  broken: expert(
    'error',
    'undecoded',
    'netlens.http2.header_block_broken',
    'The block breaks the rules of HPACK: what follows in it is not known',
  ),
  unknownEntry: expert(
    'note',
    'protocol',
    'netlens.http2.unknown_entry',
    'Some headers refer to what was said before the capture began, or in a hole of it',
  ),
  fullUri: string('http2.request.full_uri', 'Full request URI'),
  requestIn: frameNumber('netlens.http2.request_in', 'Request in frame'),
  time: duration('netlens.http2.time', 'Time since request', { unit: 'seconds' }),
  resetError: uint32('http2.rst_stream.error', 'Error', { values: ERRORS }),
  settings: list('http2.settings', 'Settings', {
    id: uint16('http2.settings.id', 'Settings Identifier', { values: SETTING }),
    headerTableSize: uint32('http2.settings.header_table_size', 'Header table size'),
    enablePush: uint32('http2.settings.enable_push', 'Enable PUSH'),
    maxConcurrentStreams: uint32('http2.settings.max_concurrent_streams', 'Max concurrent streams'),
    initialWindowSize: uint32('http2.settings.initial_window_size', 'Initial Windows Size'),
    maxFrameSize: uint32('http2.settings.max_frame_size', 'Max frame size'),
    maxHeaderListSize: uint32('http2.settings.max_header_list_size', 'Max header list size'),
    extendedConnect: uint32('http2.settings.extended_connect', 'Extended CONNECT'),
    unknown: uint32('http2.settings.unknown', 'Unknown Settings'),
  }),
  ping: bytes('http2.ping', 'Ping'),
  pong: bytes('http2.pong', 'Pong'),
  goAwayReserved: bits('http2.goway.r', 'Reserved', undefined, 32, 0x80000000, { base: 'hex' }),
  lastStream: bits('http2.goaway.last_stream_id', 'Last-Stream-ID', undefined, 32, 0x7fffffff),
  goAwayError: uint32('http2.goaway.error', 'Error', { values: ERRORS }),
  goAwayData: bytes('http2.goaway.addata', 'Additional Debug Data'),
  windowReserved: bits('http2.window_update.r', 'Reserved', undefined, 32, 0x80000000, { base: 'hex' }),
  windowIncrement: bits('http2.window_update.window_size_increment', 'Window Size Increment', undefined, 32, 0x7fffffff),
  altSvcOriginLength: uint16('http2.altsvc.origin.len', 'Origin Length'),
  altSvcOrigin: string('http2.altsvc.origin', 'Origin'),
  altSvcValue: string('http2.altsvc.field_value', 'Field/Value'),
  origin: list('http2.origin', 'Origin', {
    length: uint16('http2.origin.origin_len', 'Origin Length'),
    origin: string('http2.origin.origin', 'Origin'),
  }),
  priorityUpdateStream: uint64('http2.priority_update_stream_id', 'Priority Update Stream ID'),
  priorityUpdateValue: string('http2.priority_update_field_value', 'Priority Update Field Value'),
  unknown: bytes('http2.unknown', 'Unknown'),
};

/** Headers with a field of their own. */
// biome-ignore lint/suspicious/noExplicitAny: rows of several value types stand in one table
export const HEADER: Readonly<Record<string, Field<any>>> = {
  ':method': rows.method,
  ':scheme': rows.scheme,
  ':authority': rows.authority,
  ':path': rows.path,
  ':status': rows.status,
  accept: rows.accept,
  'accept-charset': rows.acceptCharset,
  'accept-encoding': rows.acceptEncoding,
  'accept-language': rows.acceptLanguage,
  'accept-ranges': rows.acceptRanges,
  'access-control-allow-origin': rows.accessControlAllowOrigin,
  age: rows.age,
  allow: rows.allow,
  authorization: rows.authorization,
  'cache-control': rows.cacheControl,
  'content-disposition': rows.contentDisposition,
  'content-encoding': rows.contentEncoding,
  'content-language': rows.contentLanguage,
  'content-length': rows.contentLength,
  'content-location': rows.contentLocation,
  'content-range': rows.contentRange,
  'content-type': rows.contentType,
  cookie: rows.cookie,
  date: rows.date,
  etag: rows.etag,
  expect: rows.expect,
  expires: rows.expires,
  from: rows.from,
  'if-match': rows.ifMatch,
  'if-modified-since': rows.ifModifiedSince,
  'if-none-match': rows.ifNoneMatch,
  'if-range': rows.ifRange,
  'if-unmodified-since': rows.ifUnmodifiedSince,
  'last-modified': rows.lastModified,
  link: rows.link,
  location: rows.location,
  'max-forwards': rows.maxForwards,
  'proxy-authenticate': rows.proxyAuthenticate,
  'proxy-authorization': rows.proxyAuthorization,
  range: rows.range,
  referer: rows.referer,
  refresh: rows.refresh,
  'retry-after': rows.retryAfter,
  server: rows.server,
  'set-cookie': rows.setCookie,
  'strict-transport-security': rows.strictTransportSecurity,
  'user-agent': rows.userAgent,
  vary: rows.vary,
  via: rows.via,
  'www-authenticate': rows.wwwAuthenticate,
};

/** The row of a setting, by its identifier. */
export const SETTING_ROW: Readonly<Record<number, Field>> = {
  1: rows.settings.of.headerTableSize,
  2: rows.settings.of.enablePush,
  3: rows.settings.of.maxConcurrentStreams,
  4: rows.settings.of.initialWindowSize,
  5: rows.settings.of.maxFrameSize,
  6: rows.settings.of.maxHeaderListSize,
  8: rows.settings.of.extendedConnect,
};
