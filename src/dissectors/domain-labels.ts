/**
 * Domain names as labels outside of DNS messages: in neighbour discovery, DHCP and node information.
 *
 * RFC 1035 section 3.1; pointers (section 4.1.4) where a format allows them (RFC 3397).
 */
import { textOf } from '../core/octets.js';

/** RFC 1035 section 2.3.4. */
const LONGEST_NAME = 255;

export interface LabelledName {
  /** Labels with dots between them; empty for the root. */
  readonly name: string;
  /** Where the octets after the name are. */
  readonly next: number;
}

/**
 * The name at `at`, which ends before `end`; undefined when its labels run past it or it is longer than a name can be.
 * With `base`, pointers count from there. They go backwards only, so each octet is read at most once.
 */
export function readLabels(bytes: Uint8Array, at: number, end: number, base?: number): LabelledName | undefined {
  let name = '';
  let next: number | undefined;
  let total = 0;
  let lowest = at;
  for (let i = at; i < end; ) {
    const length = bytes[i]!;
    if (length === 0) return { name, next: next ?? i + 1 };
    if (length >= 0xc0 && base !== undefined && i + 1 < end) {
      const target = base + (((length & 0x3f) << 8) | bytes[i + 1]!);
      if (target >= lowest) return undefined;
      next ??= i + 2;
      i = lowest = target;
      continue;
    }
    total += length + 1;
    if (length > 63 || i + 1 + length > end || total > LONGEST_NAME) return undefined;
    name += (name === '' ? '' : '.') + textOf(bytes, i + 1, i + 1 + length);
    i += 1 + length;
  }
  return undefined;
}
