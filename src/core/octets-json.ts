/**
 * JSON of layers straight from their octets, by functions of WebAssembly: for protocols whose messages are text of a few
 * forms and come often. They see octets that stand in the writer's memory alone, as those of a capture do that is read
 * there (`CaptureReader.holdIn`); layers elsewhere are written row by row, with the same octets as outcome.
 */
import type { Layer } from './layer.js';
import type { TextBuffer } from './text.js';

/** What writes the JSON of a protocol's layers from octets in memory. */
export interface OctetsJson<L extends Layer = Layer, F = unknown> {
  /**
   * Functions in the text format of WebAssembly, beside those of json-memory.ts. What they write at `$at` may have up to 32
   * octets behind it written over, and of what they read as many may be looked at.
   */
  readonly text: string;
  /** Octets that {@link write} adds at most. */
  readonly room: number;
  /**
   * Write `layers[from]` as an object, and those behind it, up to `to`, that may be written in the same call; all are of the
   * protocol. Returns where in `layers` it stopped; `from`, and nothing written, when that layer is none of those forms. The
   * key of the first is there, and says that it is the `number`th of the protocol. `place`: where the octet 0 of
   * `layers[from].bytes` stands; `functions`: what `text` exports.
   */
  readonly write: (layers: readonly L[], from: number, to: number, number: number, out: TextBuffer, place: number, functions: F) => number;
}

const encoder = new TextEncoder();

/** Instructions that write known text at `$at` and go on behind it. */
export function storeText(text: string): string {
  const octets = encoder.encode(text);
  const padded = new DataView(new ArrayBuffer((octets.length + 7) & ~7));
  new Uint8Array(padded.buffer).set(octets);
  const stores: string[] = [];
  for (let i = 0; i < octets.length; i += 8)
    stores.push(`(i64.store offset=${i} (local.get $at) (i64.const ${padded.getBigInt64(i, true)}))`);
  return `${stores.join('\n')} ;; ${text}
    (local.set $at (i32.add (local.get $at) (i32.const ${octets.length})))`;
}

/** An octet sixteen times, as a constant of WebAssembly. */
export const sixteen = (octet: number): string => `(v128.const ${`0x${octet.toString(16).padStart(2, '0').repeat(8)} `.repeat(2)})`;
