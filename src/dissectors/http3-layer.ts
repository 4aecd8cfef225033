/** A frame of HTTP/3, or what the first octets of a stream say, as a layer: its tree and its line. */
import { layer, type Mood, type Tree } from '../core/layer.js';
import type { TextBuffer } from '../core/text.js';
import type { Nanoseconds } from '../core/time.js';
import { UNKNOWN } from './http2-layer.js';
import {
  CANCEL_PUSH,
  frameTypeName,
  GOAWAY,
  HEADER,
  HEADERS,
  MAX_PUSH_ID,
  PRIORITY_UPDATE,
  PRIORITY_UPDATE_PUSH,
  PUSH_PROMISE,
  rows,
  SETTING_ROW,
  SETTINGS,
  streamTypeName,
} from './http3-rows.js';
import type { FieldSection } from './qpack.js';
import { bigVarint, varint, varintLength } from './quic-varint.js';
import { writeTogether } from './together.js';

/** A frame, of which the payload may go on in later packets; or the type of a stream. */
export class Http3 extends layer('http3', 'Hypertext Transfer Protocol Version 3', rows, 'HTTP3') {
  /** The octets are the type of a stream. */
  declare isStreamType: boolean;
  /** The stream. */
  declare stream: number;
  /** The headers of a frame that has some. */
  declare section: FieldSection | undefined;
  /** They needed entries of the table that came later. */
  declare late: boolean;
  /** Request line or status, for the line. */
  declare says: string;
  declare uri: string | undefined;
  /** Of a frame that ends a response: the request, and the time since. */
  declare request: number | undefined;
  declare elapsed: Nanoseconds | undefined;

  private get frameType(): number {
    return varint(this.bytes, this.start);
  }

  override get mood(): Mood | undefined {
    return undefined;
  }

  override walk(tree: Tree): void {
    const { bytes: b, start, captured } = this;
    if (this.isStreamType) {
      const type = varint(b, start);
      tree.put(rows.streamType, bigVarint(b, start), start, varintLength(b, start));
      if (streamTypeName(type) === undefined) tree.put(rows.unknownStream, true);
      const at = start + varintLength(b, start);
      if (at < captured) tree.put(rows.pushId, bigVarint(b, at), at, captured - at);
      return;
    }
    const lengthAt = start + varintLength(b, start);
    const from = lengthAt + varintLength(b, lengthAt);
    const end = Math.min(this.end, captured);
    tree.put(rows.type, bigVarint(b, start), start, lengthAt - start);
    tree.put(rows.length, bigVarint(b, lengthAt), lengthAt, from - lengthAt);
    if (end > from) tree.add(rows.payload, from, end - from);
    // A number that is not whole is not shown.
    const number = (row: typeof rows.pushId, at: number): number => {
      if (at >= end || at + varintLength(b, at) > end) return end;
      tree.put(row, bigVarint(b, at), at, varintLength(b, at));
      return at + varintLength(b, at);
    };
    switch (this.frameType) {
      case HEADERS:
      case PUSH_PROMISE:
        if (this.frameType === PUSH_PROMISE) number(rows.pushId, from);
        this.walkHeaders(tree);
        break;
      case CANCEL_PUSH:
      case MAX_PUSH_ID:
        number(rows.pushId, from);
        break;
      case SETTINGS:
        walkSettings(tree, b, from, end);
        break;
      case GOAWAY:
        number(rows.goAwayId, from);
        break;
      case PRIORITY_UPDATE:
      case PRIORITY_UPDATE_PUSH: {
        const at = number(rows.priorityElement, from);
        if (at < end) tree.add(rows.priorityValue, at, end - at);
        break;
      }
      default:
    }
    if (this.uri !== undefined) tree.put(rows.fullUri, this.uri);
    if (this.request !== undefined) tree.put(rows.requestIn, this.request);
    if (this.elapsed !== undefined) tree.put(rows.time, this.elapsed);
  }

  private walkHeaders(tree: Tree): void {
    const { section } = this;
    if (section === undefined) return;
    const single = new Set<unknown>();
    for (const { name, value } of section.headers) {
      const header = name === undefined ? undefined : HEADER[name];
      if (header === undefined || value === undefined || single.has(header)) continue;
      single.add(header);
      if (header.type === 'string') tree.put(header, value);
      else if (/^\d{1,18}$/.test(value)) tree.put(header, header.type === 'uint64' ? BigInt(value) : Number(value) & 0xffff);
    }
    tree.put(rows.headersCount, section.headers.length);
    const of = rows.header.of;
    for (const { name = UNKNOWN, value = UNKNOWN } of section.headers) {
      tree.item(rows.header, 0, 0, `Header: ${name}: ${value}`);
      tree.put(of.name, name);
      tree.put(of.value, value);
      tree.close();
    }
    if (section.exceeded !== undefined) tree.put(rows.linesExceeded, true);
    if (section.broken !== undefined) tree.put(rows.broken, true);
    if (section.unknown) tree.put(rows.unknownEntry, true);
    if (this.late) tree.put(rows.waited, true);
  }

  override summary(out: TextBuffer): void {
    writeTogether(out, this, Http3);
  }

  override line(out: TextBuffer): void {
    const { bytes: b, start } = this;
    const type = varint(b, start);
    if (this.isStreamType) out.ascii(streamTypeName(type) ?? `Stream of type ${type}`);
    else out.ascii(frameTypeName(type) ?? `UNKNOWN ${type}`);
    out.byte(0x5b);
    out.number(this.stream);
    out.byte(0x5d);
    if (this.says === '') return;
    out.ascii(': ');
    out.text(this.says);
  }
}

/** RFC 9114 section 7.2.4: pairs of numbers. */
function walkSettings(tree: Tree, b: Uint8Array, from: number, end: number): void {
  const { of } = rows.settings;
  // Each pair has two octets at least.
  for (let at = from; at < end; ) {
    const valueAt = at + varintLength(b, at);
    if (valueAt >= end || valueAt + varintLength(b, valueAt) > end) return;
    const next = valueAt + varintLength(b, valueAt);
    const id = varint(b, at);
    const value = bigVarint(b, valueAt);
    tree.item(rows.settings, at, next - at, `Settings - ${of.id.nameOf(id) ?? (id % 0x1f === 2 ? 'Reserved' : 'Unknown')} : ${value}`);
    tree.put(of.id, bigVarint(b, at), at, valueAt - at);
    tree.put(of.value, value, valueAt, next - valueAt);
    const row = SETTING_ROW[id];
    if (row !== undefined) tree.put(row, value, valueAt, next - valueAt);
    tree.close();
    at = next;
  }
}
