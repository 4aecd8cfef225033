/**
 * QPACK: how HTTP/3 compresses headers. Each end keeps a table of headers, which a stream of its own fills, so that blocks may come
 * in any order: each says how many entries it needs.
 *
 * RFC 9204 (encoder instructions: section 4.3; blocks: 4.5; static table: appendix A). Integers, strings and the Huffman code
 * are HPACK's.
 *
 *     1Txxxxxx  insert, name from a table      01Hxxxxx  insert, name in letters        on the encoder's stream
 *     001xxxxx  the table's capacity           000xxxxx  insert an entry again
 *
 *     1Txxxxxx  an entry                       01NTxxxx  name from a table              in a block, behind its prefix
 *     0001xxxx  an entry behind the base       0000Nxxx  name of an entry behind it     001NHxxx  name in letters
 */
import { Cursor, type HeaderField, type Representation } from './hpack.js';

/** RFC 9204 appendix A. */
const STATIC: readonly (readonly [name: string, value: string])[] = (
  ':authority|:path=/|age=0|content-disposition|content-length=0|cookie|date|etag|if-modified-since|if-none-match|' +
  'last-modified|link|location|referer|set-cookie|:method=CONNECT|:method=DELETE|:method=GET|:method=HEAD|:method=OPTIONS|' +
  ':method=POST|:method=PUT|:scheme=http|:scheme=https|:status=103|:status=200|:status=304|:status=404|:status=503|' +
  'accept=*/*|accept=application/dns-message|accept-encoding=gzip, deflate, br|accept-ranges=bytes|' +
  'access-control-allow-headers=cache-control|access-control-allow-headers=content-type|access-control-allow-origin=*|' +
  'cache-control=max-age=0|cache-control=max-age=2592000|cache-control=max-age=604800|cache-control=no-cache|' +
  'cache-control=no-store|cache-control=public, max-age=31536000|content-encoding=br|content-encoding=gzip|' +
  'content-type=application/dns-message|content-type=application/javascript|content-type=application/json|' +
  'content-type=application/x-www-form-urlencoded|content-type=image/gif|content-type=image/jpeg|content-type=image/png|' +
  'content-type=text/css|content-type=text/html; charset=utf-8|content-type=text/plain|content-type=text/plain;charset=utf-8|' +
  'range=bytes=0-|strict-transport-security=max-age=31536000|strict-transport-security=max-age=31536000; includesubdomains|' +
  'strict-transport-security=max-age=31536000; includesubdomains; preload|vary=accept-encoding|vary=origin|' +
  'x-content-type-options=nosniff|x-xss-protection=1; mode=block|:status=100|:status=204|:status=206|:status=302|:status=400|' +
  ':status=403|:status=421|:status=425|:status=500|accept-language|access-control-allow-credentials=FALSE|' +
  'access-control-allow-credentials=TRUE|access-control-allow-headers=*|access-control-allow-methods=get|' +
  'access-control-allow-methods=get, post, options|access-control-allow-methods=options|' +
  'access-control-expose-headers=content-length|access-control-request-headers=content-type|access-control-request-method=get|' +
  "access-control-request-method=post|alt-svc=clear|authorization|content-security-policy=script-src 'none'; object-src 'none'; " +
  "base-uri 'none'|early-data=1|expect-ct|forwarded|if-range|origin|purpose=prefetch|server|timing-allow-origin=*|" +
  'upgrade-insecure-requests=1|user-agent|x-forwarded-for|x-frame-options=deny|x-frame-options=sameorigin'
)
  .split('|')
  .map((entry) => [entry.split('=', 1)[0]!, entry.includes('=') ? entry.slice(entry.indexOf('=') + 1) : ''] as const);

/** What an entry costs beside its octets (section 3.2.1). */
const ENTRY = 32;
/** Largest table that is kept. */
const MAX_TABLE = 1 << 20;
/** Most headers of a block that are listed, and most characters in them: an octet may stand for thousands of them. */
const MAX_LINES = 200;
const MAX_SIZE = 262_144;

interface Entry {
  readonly name: string;
  readonly value: string;
  readonly nameLength: number;
  readonly valueLength: number;
}

const STATIC_ENTRIES: readonly Entry[] = STATIC.map(([name, value]) => ({
  name,
  value,
  nameLength: name.length,
  valueLength: value.length,
}));

/** What a block says. */
export interface FieldSection {
  readonly headers: readonly HeaderField[];
  /** The block breaks the rules at this place; what follows is not known. */
  readonly broken: number | undefined;
  /** More headers, or more octets of them, than are listed. */
  readonly exceeded: 'lines' | 'size' | undefined;
  /** Some of it refers to entries that nobody saw. */
  readonly unknown: boolean;
}

/** {@link QpackDecoder.decode}: entries that the block needs have not come yet. */
export const BLOCKED = 'blocked';

/** Decodes the blocks of one direction. */
export class QpackDecoder {
  /** The oldest first, from {@link first} on. */
  private entries: Entry[] = [];
  private first = 0;
  private size = 0;
  /** Entries that were made so far. */
  private inserted = 0;
  private capacity = 0;
  /** What was said on the encoder's stream is not all known. */
  private lost = false;
  /** The largest capacity that the other end allows (SETTINGS_QPACK_MAX_TABLE_CAPACITY), once it said so. */
  limit: number | undefined = undefined;

  /** Instructions of the encoder's stream were lost: nobody knows what the table holds. */
  forget(): void {
    this.entries = [];
    this.first = 0;
    this.size = 0;
    this.lost = true;
  }

  /** The instructions in `[from, to)` (section 4.3): where the first stands that is not whole. Each takes an octet at least. */
  instruct(b: Uint8Array, from: number, to: number): number {
    const cursor = new Cursor(b, from, to);
    let at = from;
    while (at < to && !this.lost) {
      cursor.at = at;
      const octet = b[at]!;
      if (octet >= 0x80) {
        const index = cursor.integer(6);
        const value = cursor.string(false);
        if (cursor.failed) break;
        const named = (octet & 0x40) !== 0 ? STATIC_ENTRIES[index] : this.entry(this.inserted - 1 - index);
        this.insert(named && { name: named.name, value, nameLength: named.nameLength, valueLength: cursor.octets });
      } else if (octet >= 0x40) {
        const name = cursor.string(true, 5);
        const nameLength = cursor.octets;
        const value = cursor.string(false);
        if (cursor.failed) break;
        this.insert({ name, value, nameLength, valueLength: cursor.octets });
      } else {
        const number = cursor.integer(5);
        if (cursor.failed) break;
        if (octet >= 0x20) this.resize(number);
        else this.insert(this.entry(this.inserted - 1 - number));
      }
      at = cursor.at;
    }
    return this.lost ? to : at;
  }

  private resize(capacity: number): void {
    this.capacity = Math.min(capacity, MAX_TABLE);
    if (capacity > MAX_TABLE) return this.forget();
    this.evict();
  }

  private insert(entry: Entry | undefined): void {
    if (entry === undefined) return this.forget();
    this.entries.push(entry);
    this.inserted++;
    this.size += ENTRY + entry.nameLength + entry.valueLength;
    this.evict();
  }

  private evict(): void {
    while (this.size > this.capacity && this.first < this.entries.length) {
      const { nameLength, valueLength } = this.entries[this.first++]!;
      this.size -= ENTRY + nameLength + valueLength;
    }
    // Moving the rest to the front costs no more than was taken out.
    if (this.first > 64 && this.first * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.first);
      this.first = 0;
    }
  }

  /** By its number among all that were made. */
  private entry(absolute: number): Entry | undefined {
    const at = this.entries.length - (this.inserted - absolute);
    return at < this.first || absolute >= this.inserted ? undefined : this.entries[at];
  }

  /** How many entries a block needs (section 4.5.1.1); undefined when it says what cannot be. */
  private required(encoded: number): number | undefined {
    if (encoded === 0) return 0;
    // What was not said yet is, in early data, what was agreed on before; then the encoder's own capacity is as good.
    const most = Math.floor((this.limit ?? this.capacity) / ENTRY);
    const range = 2 * most;
    if (encoded > range) return undefined;
    const largest = this.inserted + most;
    const required = Math.floor(largest / range) * range + encoded - 1;
    if (required <= largest) return required > 0 ? required : undefined;
    return required > range ? required - range : undefined;
  }

  /** The block `[from, to)`. Each step takes an octet at least. */
  decode(b: Uint8Array, from: number, to: number): FieldSection | typeof BLOCKED {
    const headers: HeaderField[] = [];
    const cursor = new Cursor(b, from, to);
    const section = (broken?: number, exceeded?: FieldSection['exceeded'], unknown = false): FieldSection => ({
      headers,
      broken: broken === undefined ? undefined : broken - from,
      exceeded,
      unknown,
    });
    if (from >= to) return section(from);
    const encoded = cursor.integer(8);
    if (cursor.failed || cursor.at >= to) return section(from);
    const isBelow = (b[cursor.at]! & 0x80) !== 0;
    const delta = cursor.integer(7);
    if (cursor.failed) return section(from);
    const required = this.lost ? Number.NaN : this.required(encoded);
    if (required === undefined) return encoded > 0 && this.limit === undefined && this.capacity === 0 ? BLOCKED : section(from);
    if (required > this.inserted) return BLOCKED;
    const base = isBelow ? required - delta - 1 : required + delta;
    let exceeded: FieldSection['exceeded'];
    let unknown = false;
    let total = 0;
    while (cursor.at < to) {
      const { at } = cursor;
      const octet = b[at]!;
      let known: Entry | undefined;
      let index = -1;
      let representation: Representation = 'indexed';
      let isStatic = false;
      if (octet >= 0x80) {
        index = cursor.integer(6);
        isStatic = (octet & 0x40) !== 0;
        known = isStatic ? STATIC_ENTRIES[index] : this.entry(base - 1 - index);
      } else if (octet >= 0x40) {
        index = cursor.integer(4);
        isStatic = (octet & 0x10) !== 0;
        known = isStatic ? STATIC_ENTRIES[index] : this.entry(base - 1 - index);
        representation = (octet & 0x20) !== 0 ? 'never' : 'plain';
      } else if (octet >= 0x20) representation = (octet & 0x10) !== 0 ? 'never' : 'plain';
      else if (octet >= 0x10) {
        index = cursor.integer(4);
        known = this.entry(base + index);
      } else {
        index = cursor.integer(3);
        known = this.entry(base + index);
        representation = (octet & 0x08) !== 0 ? 'never' : 'plain';
      }
      let name = known?.name;
      let value = known?.value;
      let nameLength = known?.nameLength ?? 0;
      let valueLength = known?.valueLength ?? 0;
      if (representation !== 'indexed') {
        if (index < 0) {
          name = cursor.string(true, 3);
          nameLength = cursor.octets;
        }
        value = cursor.string(false);
        valueLength = cursor.octets;
      }
      if (cursor.failed || (index >= 0 && known === undefined && (isStatic || !this.lost))) return section(at, exceeded, unknown);
      if (name === undefined || value === undefined) unknown = true;
      total += nameLength + valueLength;
      if (headers.length >= MAX_LINES) exceeded ??= 'lines';
      else if (total > MAX_SIZE) exceeded ??= 'size';
      else headers.push({ name, value, nameLength, valueLength, representation, index, at: at - from, length: cursor.at - at });
    }
    return section(undefined, exceeded, unknown);
  }
}
