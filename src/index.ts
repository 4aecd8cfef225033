/**
 * netlens as a library: captures and interfaces in, typed frames out.
 *
 * @example
 * import { open, Tcp } from 'netlens';
 * for await (const frame of open('fixtures/redis.pcap')) console.log(frame.number, frame.get(Tcp)?.srcPort);
 *
 * @module
 */

// Facts that span frames.
export { type ConversationRecord, type EndpointRecord, recordOf } from './analysis/conversation-record.js';
export {
  CONVERSATION_LIMITS,
  type Conversation,
  type ConversationLimits,
  Conversations,
  type Direction,
  directionOf,
} from './analysis/conversations.js';
export type { DnsAnswer } from './analysis/dns-answers.js';
export {
  type DnsCounts,
  type DnsOutcome,
  type DnsTransaction,
  type DnsTransactionLimits,
  DnsTransactions,
} from './analysis/dns-transactions.js';
export { type HttpTransaction, HttpTransactions } from './analysis/http-transactions.js';
export { type Lease, type LeaseCounts, type LeaseOutcome, type LeaseStep, Leases } from './analysis/leases.js';
export { type Complaint, type IcmpError, type Ping, type PingCounts, type PingEvent, Pings } from './analysis/pings.js';
export { type RespConnection, type RespOutcome, type RespTransaction, RespTransactions } from './analysis/resp-transactions.js';
export { SentinelStory } from './analysis/sentinel-story.js';
export type { EndpointState, ResetCause } from './analysis/tcp-endpoints.js';
export {
  type TlsCertificate,
  type TlsCounts,
  type TlsHandshake,
  TlsHandshakes,
  type TlsOutcome,
} from './analysis/tls-handshakes.js';
export { KeyLog } from './analysis/tls-keylog.js';
// Where octets come from and go to.
export { type BpfFilter, compileBpf, listBpf } from './capture/bpf.js';
export {
  type BpfInstruction,
  compileFilter,
  type InterfaceAddress,
  type LiveOptions,
  type LiveSource,
  type LiveStatistics,
  listInterfaces,
  type NetworkInterface,
  openLive,
} from './capture/live.js';
export { FILE_CHUNK, openCapture, openCaptures } from './capture/open.js';
export { PacketFilter } from './capture/packet-filter.js';
export { type DroppedTo, dropPrivileges } from './capture/privileges.js';
export {
  type CaptureInterface,
  type CaptureProblem,
  type CaptureReader,
  CaptureRecord,
  type InterfaceStatistics,
  type NameRecord,
  type RecordNotes,
  type Secrets,
} from './capture/source.js';
export { type CaptureWriter, openWriter, type WriteOptions } from './capture/write.js';
// Frames, layers, fields.
export { colonText, ipv4Text, ipv6Text, parseIpv4, parseIpv6 } from './core/addresses.js';
export { NetlensError, type NetlensErrorCode } from './core/errors.js';
export { type Field, type FieldType, type Raw, valueText } from './core/field.js';
export type { Frame, Stop } from './core/frame.js';
export { FrameCount } from './core/frame-count.js';
export type { Layer, LayerClass, Protocol, TreeNode } from './core/layer.js';
export type { DecodeAs, ProtocolEntry } from './core/registry.js';
export { eachValue } from './core/select.js';
export type { Session } from './core/session.js';
export { safeText, TextBuffer } from './core/text.js';
export { between, durationText, isoText, type Nanoseconds, secondsText, utcText } from './core/time.js';
export { FIELDS, LAYERS, PROTOCOLS } from './dissectors/index.js';
export * from './dissectors/layers.js';
// Display filters.
export { explainFields, explainTree, explainWork } from './filter/explain.js';
export { compileDisplayFilter, type DisplayFilter, filterNames } from './filter/index.js';
export { FirstLook } from './first-look.js';
export { type FollowOptions, followConversations } from './follow-conversations.js';
export { type AnalysisOptions, createSession, framesOf, live, open } from './frames.js';
// Frames as text.
export { type Column, type ColumnOptions, columnOf, writeColumns } from './output/fields.js';
export { writeHex, writeOctets } from './output/hex.js';
export { type JsonOptions, JsonWriter } from './output/json.js';
export { jsonPaths } from './output/json-layout.js';
export { LINE_DEFAULTS, type LineOptions, LineWriter, type TimeFormat } from './output/line.js';
export { frameSchema, type Schema } from './output/schema.js';
export { Theme, type Tone } from './output/theme.js';
export { writeTree } from './output/tree.js';
export type { OverlapPolicy, Side, StreamCounters, StreamSink } from './reassembly/stream-options.js';
// Whole captures as tables and pictures.
export { communityId } from './report/community-id.js';
export { ConversationTable, conversationJson } from './report/conversations.js';
export { DnsStatistics, dnsRecord, dnsRow, statisticsRecord } from './report/dns.js';
export { Ladder } from './report/ladder.js';
export { drawLadder } from './report/ladder-drawing.js';
export { keyPattern } from './report/redis.js';
