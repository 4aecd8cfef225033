/** Vectors in TLS: a length and so many octets (RFC 8446 section 3.4). What lies about its length is cut to what there is. */
import type { Field } from '../core/field.js';
import type { Tree } from '../core/layer.js';
import { u16, u24 } from '../core/octets.js';
import type { TlsRows } from './tls-rows.js';

/** Walks the octets of one message. Positions are absolute; every read is checked against {@link stop}. */
export class Walk {
  constructor(
    readonly tree: Tree,
    readonly rows: TlsRows,
    readonly bytes: Uint8Array,
    /** Where the walk stands. */
    public at: number,
    /** One past the last octet that may be read. */
    public stop: number,
  ) {}

  get left(): number {
    return this.stop - this.at;
  }

  number(octets: 1 | 2 | 3): number {
    const { bytes, at } = this;
    return octets === 1 ? bytes[at]! : octets === 2 ? u16(bytes, at) : u24(bytes, at);
  }

  /** A field of `octets` octets; false, with a remark, when they are not there. */
  field(row: Field, octets: number): boolean {
    if (octets > this.left) {
      this.tree.put(this.rows.tooSmall, true);
      this.at = this.stop;
      return false;
    }
    this.tree.add(row, this.at, octets);
    this.at += octets;
    return true;
  }

  /** A number of another width than its row has. */
  narrow(row: Field, octets: 1 | 2 | 3): number {
    if (octets > this.left) {
      this.tree.put(this.rows.tooSmall, true);
      this.at = this.stop;
      return 0;
    }
    const n = this.number(octets);
    this.tree.put(row, n, this.at, octets);
    this.at += octets;
    return n;
  }

  /** The length of a vector, of `octets` octets; returns the vector's length, at most what there is. */
  length(row: Field, octets: 1 | 2 | 3, least = 0): number {
    const { tree, rows } = this;
    if (octets > this.left) {
      tree.put(rows.tooSmall, true);
      this.at = this.stop;
      return 0;
    }
    const n = this.number(octets);
    const opened = tree.openPut(row, n, this.at, octets);
    this.at += octets;
    if (n < least) tree.put(rows.badVector, true);
    const length = Math.min(n, this.left);
    if (length < n) tree.put(rows.tooSmall, true);
    tree.close();
    opened.end = this.at;
    return length;
  }

  /** A vector of octets: its length and, unless it is empty, what it holds. */
  vector(lengthRow: Field, row: Field, octets: 1 | 2 | 3, least = 0): number {
    const n = this.length(lengthRow, octets, least);
    if (n > 0) this.field(row, n);
    return n;
  }

  /** The length of a vector whose content is not shown. */
  skip(row: Field, octets: 1 | 2 | 3): void {
    const n = this.length(row, octets);
    this.at += n;
  }

  /** Numbers of `width` octets in the next `length` octets, each a `row`; `under` heads them. */
  numbers(under: Field | undefined, row: Field, length: number, width: 1 | 2 | 3): void {
    if (under !== undefined) this.tree.open(under, this.at, length);
    const end = this.at + length;
    while (this.at + width <= end) this.field(row, width);
    if (this.at < end) this.tree.put(this.rows.trailing, true);
    this.at = end;
    if (under !== undefined) this.tree.close();
  }

  /** Names, each behind its length of one octet. */
  strings(under: Field, lengthRow: Field, row: Field, length: number): void {
    const { tree, stop } = this;
    tree.open(under, this.at, length);
    this.stop = this.at + length;
    while (this.left > 0) this.vector(lengthRow, row, 1);
    this.stop = stop;
    tree.close();
  }
}
