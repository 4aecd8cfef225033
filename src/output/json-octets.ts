/** Layers whose JSON is written from their octets (core/octets-json.ts). */
import type { FixedText } from '../core/fixed-text.js';
import type { Layer } from '../core/layer.js';
import type { OctetsJson } from '../core/octets-json.js';
import type { TextBuffer } from '../core/text.js';
import type { Layout } from './json-layout.js';
import type { JsonMemory } from './json-memory.js';
import type { WriteLayer } from './json-source.js';

/** What writes the layers of a protocol that says how; undefined for others, and without memory to write in. */
export function octetsWriter({ octetsJson, hasOctets }: Layout, memory: JsonMemory | undefined): OctetsWriter | undefined {
  return octetsJson === undefined || hasOctets || memory === undefined ? undefined : new OctetsWriter(octetsJson, memory);
}

/** Writes layers of one protocol, several in one call where they follow each other. */
export class OctetsWriter {
  private readonly functions: unknown;

  constructor(
    private readonly json: OctetsJson,
    private readonly memory: JsonMemory,
  ) {
    this.functions = memory.link(json.text);
  }

  /** Writes a layer by itself; `general` writes those that do not go this way. */
  alone(general: WriteLayer): WriteLayer {
    return (out, layer, key) => {
      if (this.some(out, [layer], 0, 1, key, 1) === 0) general(out, layer, key);
    };
  }

  /** Writes the layers of a frame from `from` on, one for each of `keys`, of which the first is the `number`th of the protocol in the frame. */
  several(
    from: number,
    keys: readonly FixedText[],
    number: number,
    general: WriteLayer,
  ): (out: TextBuffer, layers: readonly Layer[]) => void {
    const to = from + keys.length;
    return (out, layers) => {
      for (let i = from; i < to; ) {
        const key = keys[i - from]!;
        const next = this.some(out, layers, i, to, key, number + i - from);
        if (next === i) general(out, layers[i++]!, key);
        else i = next;
      }
    };
  }

  /** Write `layers[from]` and those behind it, up to `to`, that go in the same call; where it stopped. */
  private some(out: TextBuffer, layers: readonly Layer[], from: number, to: number, key: FixedText, number: number): number {
    const { json, memory } = this;
    const { length } = out;
    const place = memory.placeOf(layers[from]!.bytes);
    if (place < 0 || out.buffer !== memory.buffer || length + json.room + key.length > out.bytes.length) return from;
    out.length = key.put(out.view, length);
    const stop = json.write(layers, from, to, number, out, place, this.functions);
    if (stop === from) out.length = length;
    return stop;
  }
}
