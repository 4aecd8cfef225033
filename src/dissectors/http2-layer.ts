/** A frame of HTTP/2 as a layer: its tree and its line. */
import { layer, type Mood, type Tree } from '../core/layer.js';
import { textOf, u16, u32 } from '../core/octets.js';
import type { TextBuffer } from '../core/text.js';
import type { Nanoseconds } from '../core/time.js';
import type { HeaderBlock, Representation } from './hpack.js';
import { STATUS } from './http-rows.js';
import {
  ACK,
  ALTSVC,
  CONTINUATION,
  DATA,
  ERRORS,
  FRAME_HEADER,
  GOAWAY,
  HAS_PRIORITY,
  HEADER,
  HEADERS,
  ORIGIN,
  PADDED,
  PING,
  PRIORITY,
  PRIORITY_UPDATE,
  PUSH_PROMISE,
  RST_STREAM,
  rows,
  SETTING_ROW,
  SETTINGS,
  TYPES,
  WINDOW_UPDATE,
} from './http2-rows.js';
import { writeTogether } from './together.js';

/** Wireshark's words for how a header was written (RFC 7541 section 6). */
const REPRESENTATION: Readonly<Record<Representation, string>> = {
  indexed: 'Indexed Header Field',
  incremental: 'Literal Header Field with Incremental Indexing',
  plain: 'Literal Header Field without Indexing',
  never: 'Literal Header Field never Indexed',
};

/** What stands where a header is not known. */
export const UNKNOWN = '<unknown>';

/** Where the parts of a frame's payload stand, once padding and priority are taken off. */
export interface Payload {
  readonly from: number;
  readonly to: number;
  /** What it says about itself does not fit into it. */
  readonly wrong: boolean;
}

/** The data or the header block in the frame `[start, end)` (RFC 9113 sections 6.1, 6.2, 6.6 and 6.10). */
export function payloadOf(b: Uint8Array, start: number, end: number): Payload {
  const type = b[start + 3]!;
  const flags = b[start + 4]!;
  let from = start + FRAME_HEADER;
  let pad = 0;
  if ((flags & PADDED) !== 0 && (type === DATA || type === HEADERS || type === PUSH_PROMISE) && from < end) pad = b[from++]!;
  if (type === HEADERS && (flags & HAS_PRIORITY) !== 0) from += 5;
  if (type === PUSH_PROMISE) from += 4;
  const to = end - pad;
  return to < from ? { from: Math.min(from, end), to: Math.min(from, end), wrong: true } : { from, to, wrong: false };
}

/** A frame, or the words that a client opens the connection with. */
export class Http2 extends layer('http2', 'HyperText Transfer Protocol 2', rows, 'HTTP2') {
  /** The client's first words, no frame. */
  declare isMagic: boolean;
  /** The headers of the frame that ends a block. */
  declare block: HeaderBlock | undefined;
  /** Request line or status, for the line. */
  declare says: string;
  /** Of a frame that ends the body: its type. */
  declare bodyType: string;
  declare uri: string | undefined;
  /** Of a frame that ends a response: the request, and the time since. */
  declare request: number | undefined;
  declare elapsed: Nanoseconds | undefined;
  /** The rest of it was not captured. */
  declare incomplete: boolean;

  private get payload(): Payload {
    return payloadOf(this.bytes, this.start, this.end);
  }

  override get mood(): Mood | undefined {
    const error = this.resetError ?? this.goAwayError;
    return error === undefined || error === 0 ? undefined : 'trouble';
  }

  override walk(tree: Tree): void {
    if (this.isMagic || this.start + FRAME_HEADER > this.captured) return;
    const { bytes: b, start, captured, type } = this;
    const from = start + FRAME_HEADER;
    const end = Math.min(this.end, captured);
    switch (type) {
      case DATA: {
        this.walkPadding(tree, from);
        const { payload } = this;
        const stop = Math.min(payload.to, captured);
        if (stop > payload.from) tree.add(rows.data, payload.from, stop - payload.from);
        if (payload.to < end) tree.add(rows.dataPadding, payload.to, end - payload.to);
        break;
      }
      case HEADERS: {
        let at = this.walkPadding(tree, from);
        if (this.hasPriority) at = walkPriority(tree, at);
        this.walkBlock(tree, rows.headerBlock);
        const { payload } = this;
        if (payload.to < end && !payload.wrong) tree.add(rows.headersPadding, payload.to, end - payload.to);
        break;
      }
      case PRIORITY:
        walkPriority(tree, from);
        break;
      case RST_STREAM:
        tree.add(rows.resetError, from);
        break;
      case SETTINGS:
        for (let at = from; at + 6 <= end; at += 6) {
          const id = u16(b, at);
          tree.item(rows.settings, at, 6, `Settings - ${rows.settings.of.id.nameOf(id) ?? 'Unknown'} : ${u32(b, at + 2)}`);
          tree.add(rows.settings.of.id, at);
          tree.add(SETTING_ROW[id] ?? rows.settings.of.unknown, at + 2);
          tree.close();
        }
        break;
      case PUSH_PROMISE: {
        const at = this.walkPadding(tree, from);
        tree.add(rows.promiseReserved, at);
        tree.add(rows.promisedStream, at);
        this.walkBlock(tree, rows.promiseBlock);
        const { payload } = this;
        if (payload.to < end && !payload.wrong) tree.add(rows.promisePadding, payload.to, end - payload.to);
        break;
      }
      case PING:
        if (end - from >= 8) tree.add(this.pingAck ? rows.pong : rows.ping, from, 8);
        break;
      case GOAWAY:
        tree.add(rows.goAwayReserved, from);
        tree.add(rows.lastStream, from);
        tree.add(rows.goAwayError, from + 4);
        if (end > from + 8) tree.add(rows.goAwayData, from + 8, end - from - 8);
        break;
      case WINDOW_UPDATE:
        tree.add(rows.windowReserved, from);
        tree.add(rows.windowIncrement, from);
        break;
      case CONTINUATION:
        tree.put(rows.padLength, 0);
        this.walkBlock(tree, rows.continuationBlock);
        break;
      case ALTSVC:
        this.walkAlternative(tree, from, end);
        break;
      case ORIGIN:
        for (let at = from; at + 2 <= end; ) {
          const length = u16(b, at);
          if (at + 2 + length > end) break;
          tree.item(rows.origin, at, 2 + length, `Origin: ${textOf(b, at + 2, at + 2 + length)}`);
          tree.add(rows.origin.of.length, at);
          tree.add(rows.origin.of.origin, at + 2, length);
          tree.close();
          at += 2 + length;
        }
        break;
      case PRIORITY_UPDATE:
        if (end - from < 4) break;
        tree.put(rows.priorityUpdateStream, BigInt(u32(b, from) & 0x7fff_ffff), from, 4);
        tree.add(rows.priorityUpdateValue, from + 4, end - from - 4);
        break;
      default:
        if (end > from) tree.add(rows.unknown, from, end - from);
    }
    if (this.uri !== undefined) tree.put(rows.fullUri, this.uri);
    if (this.request !== undefined) tree.put(rows.requestIn, this.request);
    if (this.elapsed !== undefined) tree.put(rows.time, this.elapsed);
  }

  /** Returns where the rest begins. */
  private walkPadding(tree: Tree, from: number): number {
    const padded = (this.bytes[this.start + 4]! & PADDED) !== 0;
    if (padded) tree.add(rows.padding, from);
    const length = padded && from < this.captured ? this.bytes[from]! : 0;
    tree.put(rows.padLength, length, from, padded ? 1 : 0);
    return padded ? from + 1 : from;
  }

  /** The header block, and what it says when it ends here. */
  private walkBlock(tree: Tree, row: typeof rows.headerBlock | typeof rows.promiseBlock): void {
    const { block, captured } = this;
    const { from, to } = this.payload;
    const stop = Math.min(to, captured);
    const opened = stop > from && tree.open(row, from, stop - from);
    if (block === undefined) {
      if (opened) tree.close();
      return;
    }
    const single = new Set<unknown>();
    for (const { name, value } of block.headers) {
      const header = name === undefined ? undefined : HEADER[name];
      if (header === undefined || value === undefined || single.has(header)) continue;
      if (!header.many) single.add(header);
      if (header.type === 'string') tree.put(header, value);
      else if (/^\d{1,18}$/.test(value)) tree.put(header, header.type === 'uint64' ? BigInt(value) : Number(value) & 0xffff);
    }
    if (opened) tree.close();
    // Positions are those in the block: in the frame only when all of it is here.
    const base = this.type === CONTINUATION ? -1 : from;
    const at = (position: number) => (base < 0 ? 0 : base + position);
    const octets = (length: number) => (base < 0 ? 0 : length);
    for (const { at: position, length, size } of block.sizes) {
      tree.openPut(rows.sizeUpdate, true, at(position), octets(length));
      tree.put(rows.tableSize, size, at(position), octets(length));
      tree.close();
    }
    const { header } = rows;
    let total = 0;
    for (const { nameLength, valueLength } of block.headers) total += 8 + nameLength + valueLength;
    tree.put(rows.headersLength, total);
    tree.put(rows.headersCount, block.headers.length);
    for (const found of block.headers) {
      const { name = UNKNOWN, value = UNKNOWN, index } = found;
      const node = tree.item(header, at(found.at), octets(found.length), `Header: ${name}: ${value}`);
      tree.put(header.of.nameLength, found.nameLength, node.start, octets(found.length));
      tree.put(header.of.name, name, node.start, octets(found.length));
      tree.put(header.of.valueLength, found.valueLength, node.start, octets(found.length));
      tree.put(header.of.value, value, node.start, octets(found.length));
      const way = REPRESENTATION[found.representation];
      tree.put(header.of.representation, found.representation === 'indexed' ? way : `${way} - ${index > 0 ? 'Indexed' : 'New'} Name`);
      if (index > 0) tree.put(header.of.index, index);
      tree.close();
    }
    if (block.exceeded === 'lines') tree.put(rows.linesExceeded, true);
    if (block.exceeded === 'size') tree.put(rows.sizeExceeded, true);
    if (block.broken !== undefined) tree.put(rows.broken, true, at(block.broken));
    if (block.unknown) tree.put(rows.unknownEntry, true);
  }

  /** RFC 7838 section 4. */
  private walkAlternative(tree: Tree, from: number, end: number): void {
    if (!tree.add(rows.altSvcOriginLength, from)) return;
    const stop = from + 2 + u16(this.bytes, from);
    if (stop > end) return;
    tree.add(rows.altSvcOrigin, from + 2, stop - from - 2);
    tree.add(rows.altSvcValue, stop, end - stop);
  }

  override summary(out: TextBuffer): void {
    writeTogether(out, this, Http2);
  }

  override line(out: TextBuffer): void {
    const { bytes: b, start, captured } = this;
    if (this.isMagic) return out.ascii('Magic');
    if (start + FRAME_HEADER > captured) return out.ascii('[incomplete]');
    const type = b[start + 3]!;
    const at = start + FRAME_HEADER;
    out.ascii(TYPES[type] ?? `UNKNOWN ${type}`);
    out.byte(0x5b);
    out.number(u32(b, start + 5) & 0x7fff_ffff);
    out.byte(0x5d);
    if ((type === SETTINGS || type === PING) && (b[start + 4]! & ACK) !== 0) out.ascii(' ACK');
    if (this.says !== '') {
      out.ascii(': ');
      out.text(this.says);
    }
    const error = type === RST_STREAM ? at : type === GOAWAY ? at + 4 : -1;
    if (error > 0 && error + 4 <= captured) {
      const code = u32(b, error);
      out.ascii(`: ${ERRORS[code] ?? `error ${code}`}`);
    }
    if (this.bodyType !== '') {
      out.ascii(' (');
      out.text(this.bodyType);
      out.byte(0x29);
    }
    if (this.incomplete) out.ascii(' [incomplete]');
  }
}

/** Returns where the rest begins (RFC 9113 section 5.3.2). */
function walkPriority(tree: Tree, at: number): number {
  tree.add(rows.exclusive, at);
  tree.add(rows.dependency, at);
  if (tree.add(rows.weight, at + 4)) tree.put(rows.weightReal, tree.bytes[at + 4]! + 1, at + 4, 1);
  return at + 5;
}

/** The words of a status. */
export const statusText = (code: number): string => `${code} ${STATUS[code] ?? 'Unknown'}`;
