/**
 * netlens as a library: captures and interfaces in, typed frames out.
 *
 * @example
 * import { open, Tcp } from 'netlens';
 * for await (const frame of open('fixtures/redis.pcap')) console.log(frame.number, frame.get(Tcp)?.srcPort);
 *
 * @module
 */
export { type ConversationRecord, type EndpointRecord, recordOf } from './analysis/conversation-record.js';
export { type Conversation, type ConversationLimits, Conversations, type Direction, directionOf } from './analysis/conversations.js';
export type { EndpointState, ResetCause } from './analysis/tcp-endpoints.js';
export { type BpfFilter, compileBpf } from './capture/bpf.js';
export { type BpfInstruction, compileFilter, type LiveOptions, type LiveSource, listInterfaces, openLive } from './capture/live.js';
export { openCapture, openCaptures } from './capture/open.js';
export { PacketFilter } from './capture/packet-filter.js';
export { type CaptureInterface, type CaptureProblem, type CaptureReader, CaptureRecord, type RecordNotes } from './capture/source.js';
export { type CaptureWriter, openWriter } from './capture/write.js';
export { NetlensError } from './core/errors.js';
export { type Field, type FieldType, type Raw, valueText } from './core/field.js';
export type { Frame, Stop } from './core/frame.js';
export type { Layer, LayerClass, Protocol, TreeNode } from './core/layer.js';
export { eachValue } from './core/select.js';
export type { Session } from './core/session.js';
export { TextBuffer } from './core/text.js';
export { FIELDS, LAYERS, PROTOCOLS } from './dissectors/index.js';
export * from './dissectors/layers.js';
export { compileDisplayFilter, type DisplayFilter } from './filter/index.js';
export { type AnalysisOptions, createSession, framesOf, live, open } from './frames.js';
export { type Column, type ColumnOptions, columnOf, writeColumns } from './output/fields.js';
export { writeHex, writeOctets } from './output/hex.js';
export { JsonWriter } from './output/json.js';
export { LINE_DEFAULTS, type LineOptions, LineWriter, type TimeFormat } from './output/line.js';
export { frameSchema } from './output/schema.js';
export { Theme } from './output/theme.js';
export { writeTree } from './output/tree.js';
