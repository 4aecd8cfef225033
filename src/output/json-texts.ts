/** Octets copied by WebAssembly within its memory, sixteen at a time: what TextBuffer does elsewhere one by one. */
import { OCTET_KINDS, type OctetKind, type TextEngine } from '../core/text.js';
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
