/** What the Info column says of a resource record: its type, and its data where that is short. */
import { ipv6Text } from '../core/addresses.js';
import { textOf, u16, u32 } from '../core/octets.js';
import type { TextBuffer } from '../core/text.js';
import { skipName, writeName } from './dns-names.js';
import { A, AAAA, TYPE, typeName } from './dns-values.js';

const RECORD_FIXED = 10;
const WKS = 11;

/** How the data of a type is told: N a name, S a length octet and text, 1, 2 and 4 numbers of as many octets. */
const SHAPE: Readonly<Record<number, string>> = {
  2: 'N',
  3: 'N',
  4: 'N',
  5: 'N',
  6: 'N',
  7: 'N',
  8: 'N',
  9: 'N',
  12: 'N',
  13: 'SS',
  14: 'NN',
  15: '2N',
  17: 'NN',
  18: '2N',
  19: 'S',
  20: 'S',
  21: '2N',
  23: 'N',
  26: '2NN',
  27: 'SSS',
  30: 'N',
  33: '222N',
  35: '22S',
  36: '2N',
  39: 'N',
  47: 'N',
  107: '2N',
};

/** Write the record at `start` after a blank; where the next begins, or -1 when it is cut. */
export function writeRecord(out: TextBuffer, b: Uint8Array, start: number, base: number, limit: number, multicast: boolean): number {
  const at = skipName(b, start, limit);
  if (at < 0 || at + RECORD_FIXED > limit) return -1;
  const type = u16(b, at);
  const data = at + RECORD_FIXED;
  const end = data + u16(b, at + 8);
  out.byte(32);
  out.ascii(TYPE[type] ?? typeName(type));
  if (multicast && type !== 41 && b[at + 2]! & 0x80) out.ascii(', cache flush');
  if (end > limit) return -1;
  writeData(out, type, b, start, data, end, base, limit);
  return end;
}

/** Write the data of a record of `type`, each part after a blank; nothing where it has no short form. */
export function writeData(
  out: TextBuffer,
  type: number,
  b: Uint8Array,
  owner: number,
  data: number,
  end: number,
  base: number,
  limit: number,
): void {
  if (type === A || type === WKS) {
    if (end - data >= 4) {
      out.byte(32);
      out.ipv4(u32(b, data));
    }
  } else if (type === AAAA) {
    if (end - data >= 16) {
      out.byte(32);
      out.ascii(ipv6Text(b, data));
    }
  } else if (type === 10) {
    out.byte(32);
    writeName(out, b, owner, base, limit);
  } else {
    const shape = SHAPE[type];
    if (shape !== undefined) writeShape(out, shape, b, data, end, base, limit);
  }
}

function writeShape(out: TextBuffer, shape: string, b: Uint8Array, data: number, end: number, base: number, limit: number): void {
  let at = data;
  for (let i = 0; i < shape.length; i++) {
    if (at >= end) return;
    out.byte(32);
    switch (shape.charCodeAt(i)) {
      case 78: {
        const after = skipName(b, at, end);
        if (after < 0) return;
        writeName(out, b, at, base, limit);
        at = after;
        break;
      }
      case 83: {
        const after = at + 1 + b[at]!;
        if (after > end) return;
        out.text(textOf(b, at + 1, after));
        at = after;
        break;
      }
      default:
        if (at + 2 > end) return;
        out.number(u16(b, at));
        at += 2;
    }
  }
}
