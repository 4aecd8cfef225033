/**
 * HPACK: how HTTP/2 compresses headers. Each end keeps a table of headers that were sent before, and refers to them by
 * number.
 *
 * RFC 7541 (integers: section 5.1; strings: 5.2; representations: 6; static table: appendix A; Huffman code: appendix B).
 *
 *     1xxxxxxx  an entry of the table          01xxxxxx  a header that enters the table
 *     001xxxxx  the table's new size           0000xxxx  one that does not, 0001xxxx one that never may
 *
 * What a decoder knows depends on all that came before: one that was not there from the beginning knows some entries only,
 * and says so.
 */
import { latin1Of, textOf } from '../core/octets.js';

/** RFC 7541 appendix A; names alone have no value. */
const STATIC: readonly (readonly [name: string, value: string])[] = (
  ':authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|' +
  ':status=206|:status=304|:status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|accept-language|' +
  'accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|' +
  'content-encoding|content-language|content-length|content-location|content-range|content-type|cookie|date|etag|expect|' +
  'expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|link|location|' +
  'max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|server|set-cookie|' +
  'strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate'
)
  .split('|')
  .map((entry) => [entry.split('=', 1)[0]!, entry.includes('=') ? entry.slice(entry.indexOf('=') + 1) : ''] as const);

/** Bits of the code of each octet, and of the end of the string (RFC 7541 appendix B); the codes follow, as the code is canonical. */
const CODE_LENGTHS: readonly number[] = (
  '13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28 ' +
  '6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10 ' +
  '13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6 ' +
  '15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28 ' +
  '20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24 ' +
  '22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23 ' +
  '26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27 ' +
  '20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26 ' +
  '30'
)
  .split(' ')
  .map(Number);

const END_OF_STRING = 256;
/** Nodes of the code's tree, two numbers each: where a 0 and a 1 lead. Above 0: another node; else the symbol, negated, less one. */
const TREE = new Int16Array(2 * END_OF_STRING);
{
  const symbols = CODE_LENGTHS.map((length, symbol) => ({ length, symbol })).sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  let nodes = 1;
  let code = 0;
  let before = symbols[0]!.length;
  for (const { length, symbol } of symbols) {
    code *= 2 ** (length - before);
    before = length;
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const way = 2 * node + ((code >>> bit) & 1);
      if (TREE[way] === 0) TREE[way] = nodes++;
      node = TREE[way]!;
    }
    TREE[2 * node + (code & 1)] = -symbol - 1;
    code++;
  }
}

/** The octets of a string in the Huffman code; undefined when it breaks the code's rules (RFC 7541 section 5.2). */
export function decodeHuffman(b: Uint8Array, from: number, to: number): Uint8Array | undefined {
  // No code is shorter than 5 bits.
  const octets = new Uint8Array(Math.floor(((to - from) * 8) / 5));
  let length = 0;
  let node = 0;
  /** Bits since the last symbol, and whether all of them were ones. */
  let bits = 0;
  let ones = true;
  for (let at = from; at < to; at++) {
    const octet = b[at]!;
    for (let shift = 7; shift >= 0; shift--) {
      const bit = (octet >> shift) & 1;
      const next = TREE[2 * node + bit]!;
      bits++;
      if (bit === 0) ones = false;
      if (next > 0) {
        node = next;
        continue;
      }
      if (next === -END_OF_STRING - 1) return undefined;
      octets[length++] = -next - 1;
      node = bits = 0;
      ones = true;
    }
  }
  // What fills the last octet is the beginning of the end's code, which is ones.
  return bits > 7 || !ones ? undefined : octets.subarray(0, length);
}

/** How a header was written (RFC 7541 section 6). */
export type Representation = 'indexed' | 'incremental' | 'plain' | 'never';

/** A header as it came. */
export interface HeaderField {
  /** Undefined when it stood in the table before the decoder was there. */
  readonly name: string | undefined;
  readonly value: string | undefined;
  /** Octets of name and value; 0 where they are not known. */
  readonly nameLength: number;
  readonly valueLength: number;
  readonly representation: Representation;
  /** Which entry of the table it refers to, for its name or for all; 0: none. */
  readonly index: number;
  /** Where it stands in the block, and its octets there. */
  readonly at: number;
  readonly length: number;
}

/** What a block says. */
export interface HeaderBlock {
  readonly headers: readonly HeaderField[];
  /** New sizes for the table, and where each stands. */
  readonly sizes: readonly { readonly at: number; readonly length: number; readonly size: number }[];
  /** The block breaks the rules at this place; what follows is not known. */
  readonly broken: number | undefined;
  /** More headers, or more octets of them, than are listed. */
  readonly exceeded: 'lines' | 'size' | undefined;
  /** Some of it refers to what came before the decoder was there. */
  readonly unknown: boolean;
}

/** Most headers of a block that are listed, and most characters in them: an octet may stand for thousands of them. */
const MAX_LINES = 200;
const MAX_SIZE = 262_144;
/** Largest table that is kept, in octets as RFC 7541 section 4.1 counts them. */
const MAX_TABLE = 1 << 20;
/** Size of a table of which nothing was said (RFC 9113 section 6.5.2). */
const DEFAULT_TABLE = 4096;
/** What an entry costs beside its octets. */
const ENTRY = 32;

interface Entry {
  readonly name: string | undefined;
  readonly value: string | undefined;
  readonly nameLength: number;
  readonly valueLength: number;
}

const STATIC_ENTRIES: readonly Entry[] = STATIC.map(([name, value]) => ({
  name,
  value,
  nameLength: name.length,
  valueLength: value.length,
}));

const sizeOf = ({ nameLength, valueLength }: Entry): number => ENTRY + nameLength + valueLength;

/** Decodes the blocks of one direction, in their order. */
export class HpackDecoder {
  /** The oldest first, from {@link first} on. */
  private entries: Entry[] = [];
  private first = 0;
  private size = 0;
  private limit = DEFAULT_TABLE;
  /** Entries that were made before we looked may stand behind those that we know. */
  private partial = false;

  /** Octets of what is in the table, each entry counted with 32 more. */
  get tableSize(): number {
    return this.size;
  }

  /** The newest first. */
  get table(): { readonly name: string | undefined; readonly value: string | undefined }[] {
    return this.entries.slice(this.first).reverse();
  }

  /** Blocks were lost, or came before the first: what the table holds is not known. */
  forget(): void {
    this.entries = [];
    this.first = 0;
    this.size = 0;
    this.partial = true;
    // What was agreed on is not known either; too large a table does no harm.
    this.limit = MAX_TABLE;
  }

  /** The block `[from, to)`. Each step takes an octet at least. */
  decode(b: Uint8Array, from: number, to: number): HeaderBlock {
    const headers: HeaderField[] = [];
    const sizes: { at: number; length: number; size: number }[] = [];
    let exceeded: HeaderBlock['exceeded'];
    let broken: number | undefined;
    let unknown = false;
    let total = 0;
    const cursor = new Cursor(b, from, to);
    while (cursor.at < to) {
      const { at } = cursor;
      const octet = b[at]!;
      if ((octet & 0xe0) === 0x20) {
        const size = cursor.integer(5);
        if (cursor.failed) break;
        this.resize(size);
        sizes.push({ at, length: cursor.at - at, size });
        continue;
      }
      const representation: Representation = octet >= 0x80 ? 'indexed' : octet >= 0x40 ? 'incremental' : octet >= 0x10 ? 'never' : 'plain';
      const index = cursor.integer(octet >= 0x80 ? 7 : octet >= 0x40 ? 6 : 4);
      if (cursor.failed || (index === 0 && octet >= 0x80)) {
        cursor.failed = true;
        break;
      }
      const known = index === 0 ? undefined : this.entry(index);
      if (index > 0 && known === undefined && !this.partial) {
        broken = at;
        break;
      }
      let name = known?.name;
      let value = known?.value;
      let nameLength = known?.nameLength ?? 0;
      let valueLength = known?.valueLength ?? 0;
      if (octet < 0x80) {
        if (index === 0) {
          name = cursor.string(true);
          nameLength = cursor.octets;
        }
        value = cursor.string(false);
        valueLength = cursor.octets;
        if (cursor.failed) {
          broken = at;
          break;
        }
        if (octet >= 0x40) this.insert({ name, value, nameLength, valueLength });
      }
      if (name === undefined || value === undefined) unknown = true;
      total += nameLength + valueLength;
      if (headers.length >= MAX_LINES) exceeded ??= 'lines';
      else if (total > MAX_SIZE) exceeded ??= 'size';
      else headers.push({ name, value, nameLength, valueLength, representation, index, at: at - from, length: cursor.at - at });
    }
    if (cursor.failed) broken ??= cursor.at;
    // After a fault the two tables are no longer the same (section 3.2).
    if (broken !== undefined) this.forget();
    return { headers, sizes, broken: broken === undefined ? undefined : broken - from, exceeded, unknown };
  }

  private entry(index: number): Entry | undefined {
    if (index <= STATIC_ENTRIES.length) return STATIC_ENTRIES[index - 1];
    const at = this.entries.length - (index - STATIC_ENTRIES.length);
    return at < this.first ? undefined : this.entries[at];
  }

  private resize(size: number): void {
    this.limit = Math.min(size, MAX_TABLE);
    // Entries beyond our own limit are not known when they are referred to.
    if (size > MAX_TABLE) this.partial = true;
    this.evict();
    // An empty table is known whatever was in it.
    if (size === 0) this.partial = false;
  }

  private insert(entry: Entry): void {
    this.entries.push(entry);
    this.size += sizeOf(entry);
    this.evict();
  }

  private evict(): void {
    while (this.size > this.limit) this.size -= sizeOf(this.entries[this.first++]!);
    // Moving the rest to the front costs no more than was taken out.
    if (this.first > 64 && this.first * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.first);
      this.first = 0;
    }
  }
}

/** Reads a block from left to right; QPACK is written with the same integers and strings (RFC 9204 section 4.1). */
export class Cursor {
  /** What stands at {@link at} is no HPACK. */
  failed = false;
  /** Of the last string, decoded. */
  octets = 0;

  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
    private readonly end: number,
  ) {}

  /** An integer with a prefix of so many bits (section 5.1); beyond 2^31 it fails. */
  integer(prefix: number): number {
    const most = (1 << prefix) - 1;
    let n = this.bytes[this.at++]! & most;
    if (n < most) return n;
    for (let shift = 0; shift < 31; shift += 7) {
      if (this.at >= this.end) break;
      const octet = this.bytes[this.at++]!;
      n += (octet & 0x7f) * 2 ** shift;
      if (octet < 0x80) {
        if (n < 0x8000_0000) return n;
        break;
      }
    }
    this.failed = true;
    return 0;
  }

  /** A string (section 5.2) whose length has a prefix of so many bits, below the bit that says how it is written. Names are ASCII. */
  string(isName: boolean, prefix = 7): string {
    if (this.failed || this.at >= this.end) {
      this.failed = true;
      return '';
    }
    const coded = (this.bytes[this.at]! & (1 << prefix)) !== 0;
    const length = this.integer(prefix);
    const from = this.at;
    if (this.failed || from + length > this.end) {
      this.failed = true;
      return '';
    }
    this.at = from + length;
    const text = isName ? latin1Of : textOf;
    if (!coded) {
      this.octets = length;
      return text(this.bytes, from, this.at);
    }
    const octets = decodeHuffman(this.bytes, from, this.at);
    if (octets === undefined) {
      this.failed = true;
      return '';
    }
    this.octets = octets.length;
    return text(octets, 0, octets.length);
  }
}
