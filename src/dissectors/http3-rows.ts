/** Fields of HTTP/3: its frames, settings and headers, and the names of their numbers (RFC 9114 sections 7 and 11, RFC 9218). */
import { bytes, duration, expert, type Field, frameNumber, list, mark, string, uint16, uint32, uint64 } from '../core/field.js';
import { STATUS } from './http-rows.js';

export const DATA = 0;
export const HEADERS = 1;
export const CANCEL_PUSH = 3;
export const SETTINGS = 4;
export const PUSH_PROMISE = 5;
export const GOAWAY = 7;
export const MAX_PUSH_ID = 0xd;
export const PRIORITY_UPDATE = 0xf0700;
export const PRIORITY_UPDATE_PUSH = 0xf0701;

const TYPES: Readonly<Record<number, string>> = {
  [DATA]: 'DATA',
  [HEADERS]: 'HEADERS',
  [CANCEL_PUSH]: 'CANCEL_PUSH',
  [SETTINGS]: 'SETTINGS',
  [PUSH_PROMISE]: 'PUSH_PROMISE',
  [GOAWAY]: 'GOAWAY',
  [MAX_PUSH_ID]: 'MAX_PUSH_ID',
  [PRIORITY_UPDATE]: 'PRIORITY_UPDATE',
  [PRIORITY_UPDATE_PUSH]: 'PRIORITY_UPDATE',
};

/** The name of a type; those that exist so that nobody trips over unknown ones are called Reserved (section 7.2.8). */
export const frameTypeName = (type: number): string | undefined => TYPES[type] ?? (type % 0x1f === 2 ? 'Reserved' : undefined);

export const CONTROL = 0;
export const PUSH = 1;
export const QPACK_ENCODER = 2;
const QPACK_DECODER = 3;

const STREAM_TYPES: Readonly<Record<number, string>> = {
  [CONTROL]: 'Control Stream',
  [PUSH]: 'Push Stream',
  [QPACK_ENCODER]: 'QPACK Encoder Stream',
  [QPACK_DECODER]: 'QPACK Decoder Stream',
};

export const streamTypeName = (type: number): string | undefined => STREAM_TYPES[type] ?? (type % 0x1f === 2 ? 'Reserved' : undefined);

export const MAX_TABLE_CAPACITY = 1;
const SETTING: Readonly<Record<number, string>> = {
  [MAX_TABLE_CAPACITY]: 'Max Table Capacity',
  6: 'Max Field Section Size',
  7: 'Blocked Streams',
  8: 'Extended CONNECT',
  51: 'H3 DATAGRAM',
};

const ERRORS: Readonly<Record<number, string>> = {
  256: 'H3_NO_ERROR',
  257: 'H3_GENERAL_PROTOCOL_ERROR',
  258: 'H3_INTERNAL_ERROR',
  259: 'H3_STREAM_CREATION_ERROR',
  260: 'H3_CLOSED_CRITICAL_STREAM',
  261: 'H3_FRAME_UNEXPECTED',
  262: 'H3_FRAME_ERROR',
  263: 'H3_EXCESSIVE_LOAD',
  264: 'H3_ID_ERROR',
  265: 'H3_SETTINGS_ERROR',
  266: 'H3_MISSING_SETTINGS',
  267: 'H3_REQUEST_REJECTED',
  268: 'H3_REQUEST_CANCELLED',
  269: 'H3_REQUEST_INCOMPLETE',
  270: 'H3_MESSAGE_ERROR',
  271: 'H3_CONNECT_ERROR',
  272: 'H3_VERSION_FALLBACK',
  512: 'QPACK_DECOMPRESSION_FAILED',
  513: 'QPACK_ENCODER_STREAM_ERROR',
  514: 'QPACK_DECODER_STREAM_ERROR',
};

/** An error that a stream was given up with, in words (RFC 9114 section 8.1, RFC 9204 section 6). */
export const http3Error = (error: number): string => ERRORS[error] ?? `error ${error}`;

export const rows = {
  streamType: uint64('http3.stream_type', 'Stream Type', { values: (type) => streamTypeName(Number(type)) }),
  unknownStream: expert('note', 'protocol', 'http3.unknown_stream_type', 'An unknown stream type was encountered'),
  type: uint64('http3.frame_type', 'Type', { values: (type) => frameTypeName(Number(type)) }),
  length: uint64('http3.frame_length', 'Length', { unit: 'bytes' }),
  payload: bytes('http3.frame_payload', 'Frame Payload', { quiet: true }),
  pushId: uint64('http3.push_id', 'Push ID'),
  settings: list('http3.settings', 'Settings', {
    id: uint64('http3.settings.id', 'Settings Identifier', { values: (id) => SETTING[Number(id)] }),
    value: uint64('http3.settings.value', 'Settings Value'),
    maxTableCapacity: uint64('http3.settings.qpack.max_table_capacity', 'Max Table Capacity'),
    maxSectionSize: uint64('http3.settings.max_field_section_size', 'Max header list size'),
    blockedStreams: uint64('http3.settings.qpack.blocked_streams', 'Blocked Streams'),
    extendedConnect: uint64('http3.settings.extended_connect', 'Extended CONNECT'),
  }),
  goAwayId: uint64('netlens.http3.goaway_id', 'Stream or push that is not served any more'),
  priorityElement: uint64('http3.priority_update_element_id', 'Priority Update Element ID'),
  priorityValue: string('http3.priority_update_field_value', 'Priority Update Field Value'),
  method: string('http3.headers.method', ':method'),
  scheme: string('http3.headers.scheme', ':scheme'),
  authority: string('http3.headers.authority', ':authority'),
  path: string('http3.headers.path', ':path'),
  status: uint16('http3.headers.status', ':status', { values: STATUS }),
  contentType: string('http3.headers.content_type', 'content-type'),
  contentLength: uint64('http3.headers.content_length', 'content-length'),
  contentEncoding: string('http3.headers.content_encoding', 'content-encoding'),
  userAgent: string('http3.headers.user_agent', 'user-agent'),
  server: string('http3.headers.server', 'server'),
  location: string('http3.headers.location', 'location'),
  referer: string('http3.headers.referer', 'referer'),
  cookie: string('http3.headers.cookie', 'cookie'),
  headersCount: uint32('http3.headers.count', 'Headers Count'),
  header: list('http3.headers.header', 'Header', {
    name: string('http3.headers.header.name', 'Name'),
    value: string('http3.headers.header.value', 'Value'),
  }),
  linesExceeded: expert(
    'warn',
    'undecoded',
    'netlens.http3.header_lines_exceeded',
    'There are more headers, or more in them, than is listed',
  ),
  broken: expert(
    'error',
    'protocol',
    'netlens.http3.header_block_broken',
    'The block breaks the rules of QPACK: what follows in it is not known',
  ),
  unknownEntry: expert('note', 'undecoded', 'netlens.http3.unknown_entry', 'Some headers refer to what was said in a hole of the capture'),
  waited: mark('netlens.http3.waited', 'Its headers needed what came later, in this frame'),
  fullUri: string('netlens.http3.full_uri', 'Full request URI'),
  requestIn: frameNumber('netlens.http3.request_in', 'Request in frame'),
  time: duration('netlens.http3.time', 'Time since request', { unit: 'seconds' }),
};

/** Headers with a field of their own. */
// biome-ignore lint/suspicious/noExplicitAny: rows of several value types stand in one table
export const HEADER: Readonly<Record<string, Field<any>>> = {
  ':method': rows.method,
  ':scheme': rows.scheme,
  ':authority': rows.authority,
  ':path': rows.path,
  ':status': rows.status,
  'content-type': rows.contentType,
  'content-length': rows.contentLength,
  'content-encoding': rows.contentEncoding,
  'user-agent': rows.userAgent,
  server: rows.server,
  location: rows.location,
  referer: rows.referer,
  cookie: rows.cookie,
};

/** The row of a setting, by its identifier. */
export const SETTING_ROW: Readonly<Record<number, Field>> = {
  [MAX_TABLE_CAPACITY]: rows.settings.of.maxTableCapacity,
  6: rows.settings.of.maxSectionSize,
  7: rows.settings.of.blockedStreams,
  8: rows.settings.of.extendedConnect,
};
