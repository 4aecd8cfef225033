/** Content codings of messages (RFC 9110 section 8.4), undone with bounds, for dissectors that may not reach for Node themselves. */
import { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import type { Decompress } from '../core/session.js';

/** Codings one over the other that are undone; more are not met in earnest. */
const MAX_CODINGS = 3;

export const decompress: Decompress = (octets, coding, limit, dictionary) => {
  let result: Uint8Array | undefined = octets;
  // The last coding was applied last.
  const codings = coding.split(',').map((name) => name.trim());
  if (codings.length > MAX_CODINGS) return undefined;
  for (const name of codings.reverse()) {
    if (result === undefined) return undefined;
    if (name !== '' && name !== 'identity') result = undo(result, name, limit, dictionary);
  }
  return result;
};

function undo(octets: Uint8Array, coding: string, limit: number, dictionary: Uint8Array | undefined): Uint8Array | undefined {
  // What was cut short is decompressed as far as it goes.
  const zlib = { maxOutputLength: limit, finishFlush: constants.Z_SYNC_FLUSH };
  try {
    switch (coding) {
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(octets, zlib);
      case 'deflate':
        // Meant with a zlib header (RFC 1950), sent by some without one.
        return (octets[0]! & 0x0f) === 8 && ((octets[0]! << 8) | octets[1]!) % 31 === 0
          ? inflateSync(octets, zlib)
          : inflateRawSync(octets, zlib);
      case 'deflate-raw':
        return inflateRawSync(octets, dictionary?.length ? { ...zlib, dictionary } : zlib);
      case 'br':
        return brotliDecompressSync(octets, { maxOutputLength: limit, finishFlush: constants.BROTLI_OPERATION_FLUSH });
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}
