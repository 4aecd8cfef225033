/** Octets copied and looked through by WebAssembly within its memory, sixteen at a time: what is done elsewhere one by one. */
import { sixteen } from '../core/octets-json.js';
import { OCTET_KINDS, type OctetKind, type TextBuffer, type TextEngine } from '../core/text.js';
import { copyWhole, isOctet, type JsonMemory } from './json-memory.js';

/** Octets that printable ASCII may be forbidden to have. */
const FORBIDDEN = [0x20, 0x22, 0x27, 0x5c];
/** For each kind of octets, and each of those, sixteen times the octet where it is forbidden, else one that is in any case. */
const ENTRY = 16 * FORBIDDEN.length;
const DELETE = 0x7f;

const copyOctets = (table: number): string => `
  (func (export "copy") (param $kind i32) (param $at i32) (param $from i32) (param $length i32) (result i32)
    (local $i i32) (local $x v128) (local $bad v128)
    (local.set $kind (i32.mul (local.get $kind) (i32.const ${ENTRY})))
    ${copyWhole(FORBIDDEN.map((_, i) => isOctet(`(v128.load offset=${table + 16 * i} (local.get $kind))`)))}
    (i32.add (local.get $at) (local.get $length)))`;

/** Octets that are looked at together. */
const WIDTH = 16;

/** 1 when one of the octets is a quote or a backslash, else 0. What is behind the end is made blank first. */
const FIND_ESCAPES = `
  (func (export "escapes") (param $from i32) (param $end i32) (result i32)
    (local $x v128)
    (v128.store (local.get $end) ${sixteen(0x20)})
    (loop $more
      (local.set $x (v128.load (local.get $from)))
      (if (v128.any_true (v128.or ${isOctet(sixteen(0x22))} ${isOctet(sixteen(0x5c))})) (then (return (i32.const 1))))
      (local.set $from (i32.add (local.get $from) (i32.const ${WIDTH})))
      (br_if $more (i32.lt_u (local.get $from) (local.get $end))))
    (i32.const 0))`;

/** The functions of one memory. */
export class JsonTexts implements TextEngine {
  private readonly within: (kind: number, at: number, from: number, length: number) => number;
  private readonly escapes: (from: number, end: number) => number;

  constructor(private readonly memory: JsonMemory) {
    const table = memory.text(
      Uint8Array.from(OCTET_KINDS.flatMap((isOf) => FORBIDDEN.flatMap((octet) => Array<number>(16).fill(isOf(octet) ? DELETE : octet)))),
    );
    const { copy, escapes } = memory.link(copyOctets(table ?? 0) + FIND_ESCAPES);
    this.within = copy as JsonTexts['within'];
    this.escapes = escapes as JsonTexts['escapes'];
  }

  /** True when `out` stands in the memory, and what was written to it from `from` on has neither quotes nor backslashes. */
  isFreeOfEscapes(out: TextBuffer, from: number): boolean {
    out.room(WIDTH);
    return out.buffer === this.memory.buffer && this.escapes(out.base + from, out.base + out.length) === 0;
  }

  copy(kind: OctetKind, at: number, octets: Uint8Array, from: number, to: number): number {
    const place = this.memory.placeOf(octets);
    return place < 0 ? 0 : this.within(kind, at, place + from, to - from);
  }
}
