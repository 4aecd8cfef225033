/** Octets copied by WebAssembly within its memory, sixteen at a time: what TextBuffer does elsewhere one by one. */
import { OCTET_KINDS, type OctetKind, type TextEngine } from '../core/text.js';
import type { JsonMemory } from './json-memory.js';

/** Octets that printable ASCII may be forbidden to have. */
const FORBIDDEN = [0x20, 0x22, 0x27, 0x5c];
/** For each kind of octets, and each of those, sixteen times the octet where it is forbidden, else one that is in any case. */
const ENTRY = 16 * FORBIDDEN.length;
const DELETE = 0x7f;

const sixteen = (octet: number): string => `(v128.const ${`0x${octet.toString(16).padStart(2, '0').repeat(8)} `.repeat(2)})`;
const equal = (other: string): string => `(i8x16.eq (local.get $x) ${other})`;

const copyOctets = (table: number): string => `
  (func (export "copy") (param $kind i32) (param $at i32) (param $from i32) (param $length i32) (result i32)
    (local $i i32) (local $x v128) (local $bad v128)
    (local.set $kind (i32.mul (local.get $kind) (i32.const ${ENTRY})))
    (loop $more
      (local.set $x (v128.load (i32.add (local.get $from) (local.get $i))))
      (v128.store (i32.add (local.get $at) (local.get $i)) (local.get $x))
      (local.set $bad
        (v128.or (local.get $bad)
          (v128.and
            ;; Those within the length. All from 128 on are below 32, as they are signed.
            (i8x16.lt_s (v128.const 0x0706050403020100 0x0f0e0d0c0b0a0908) (i8x16.splat (call $least (i32.sub (local.get $length) (local.get $i)))))
            ${[
              `(i8x16.lt_s (local.get $x) ${sixteen(0x20)})`,
              equal(sixteen(DELETE)),
              ...FORBIDDEN.map((_, i) => equal(`(v128.load offset=${table + 16 * i} (local.get $kind))`)),
            ].reduce((one, other) => `(v128.or ${one} ${other})`)})))
      (local.set $i (i32.add (local.get $i) (i32.const 16)))
      (br_if $more (i32.lt_u (local.get $i) (local.get $length))))
    (if (v128.any_true (local.get $bad)) (then (return (i32.const 0))))
    (i32.add (local.get $at) (local.get $length)))`;

/** The functions of one memory. */
export class JsonTexts implements TextEngine {
  private readonly within: (kind: number, at: number, from: number, length: number) => number;

  constructor(private readonly memory: JsonMemory) {
    const table = memory.text(
      Uint8Array.from(OCTET_KINDS.flatMap((isOf) => FORBIDDEN.flatMap((octet) => Array<number>(16).fill(isOf(octet) ? DELETE : octet)))),
    );
    this.within = memory.link(copyOctets(table ?? 0)).copy as JsonTexts['within'];
  }

  copy(kind: OctetKind, at: number, octets: Uint8Array, from: number, to: number): number {
    const place = this.memory.placeOf(octets);
    return place < 0 ? 0 : this.within(kind, at, place + from, to - from);
  }
}
