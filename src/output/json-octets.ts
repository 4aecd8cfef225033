/** Functions for layers whose JSON is written from their octets (core/octets-json.ts). */

import type { Layout } from './json-layout.js';
import type { JsonMemory } from './json-memory.js';
import type { Straight } from './json-straight.js';

/** The function for the layers of a protocol that has said how. `use` names an object. */
export function fromOctets({ octetsJson, hasOctets }: Layout, memory: JsonMemory, use: (value: unknown) => string): Straight | undefined {
  if (octetsJson === undefined || hasOctets) return undefined;
  const { text, room, write } = octetsJson;
  const script = [
    `const memory = ${use(memory)}, buffer = memory.buffer, functions = ${use(memory.link(text))}, write = ${use(write)};`,
    'return (out, layer, key) => {',
    '  const first = out.length;',
    '  const place = memory.placeOf(layer.bytes);',
    `  if (place >= 0 && out.buffer === buffer && first + ${room} + key.length <= out.bytes.length) {`,
    '    const begin = key.put(out.view, first);',
    '    out.length = begin;',
    '    if (write(layer, out, place, functions)) {',
    '      out.view.setUint8(begin, 123);',
    '      out.byte(125);',
    '      return;',
    '    }',
    '    out.length = first;',
    '  }',
    '  general(out, layer, key);',
    '};',
  ];
  return { script, functions: text };
}
