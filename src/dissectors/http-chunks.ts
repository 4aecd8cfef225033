/** Bodies in chunks, each with its length before it (RFC 9112 section 7.1). */
import { lineEnd } from './http-lines.js';

const CR = 13;

/**
 * Call `found` for each chunk in `[from, end)` with its start, the end of its size line, its data, what the line says its
 * size is, and whether all of it is there. Returns where the trailers begin. Each chunk takes octets, so this ends.
 */
export function eachChunk(
  b: Uint8Array,
  from: number,
  end: number,
  found: (at: number, line: number, data: number, stop: number, size: number, whole: boolean) => void,
): number {
  for (let at = from; at < end; ) {
    const line = lineEnd(b, at, Math.min(end, at + MAX_CHUNK_LINE));
    if (line < 0) return end;
    const size = chunkSize(b, at, line);
    if (size < 0) return end;
    const whole = line + size + 2 <= end;
    found(at, line, line, Math.min(line + size, end), size, whole);
    if (size === 0) return line;
    if (!whole) return end;
    at = line + size + (b[line + size] === CR ? 2 : 1);
  }
  return end;
}

/** Octets of a chunk's first line, extensions included. */
export const MAX_CHUNK_LINE = 4096;

/** The size in hex at the start of a chunk's line; -1 when there is none. */
export function chunkSize(b: Uint8Array, from: number, to: number): number {
  let size = 0;
  let at = from;
  for (; at < to; at++) {
    const c = b[at]!;
    const digit = c >= 48 && c <= 57 ? c - 48 : c >= 65 && c <= 70 ? c - 55 : c >= 97 && c <= 102 ? c - 87 : -1;
    if (digit < 0) break;
    size = size * 16 + digit;
    if (at - from > 12) return -1;
  }
  return at === from ? -1 : size;
}
