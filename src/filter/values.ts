/** Values of a frame while a filter looks at it: finding them, ordering them, slicing them. */
import type { Field, Raw } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import type { Layer, Protocol } from '../core/layer.js';
import { compareOctets } from '../core/octets.js';
import type { TypedValue } from './check.js';
import type { Type } from './literals.js';
import type { Stretch } from './parse.js';

/** Below, at and above zero as of sorting; NaN when two values cannot be put in order, so that no comparison of them holds. */
export type Order = (a: Raw, b: Raw) => number;

const simple: Order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

const utf8 = new TextEncoder();

/** Any value as octets. */
export function octetsOfRaw(raw: Raw): Uint8Array {
  if (raw instanceof Uint8Array) return raw;
  if (typeof raw === 'string') return utf8.encode(raw);
  // Of numbers, only IPv4 addresses are looked at as octets.
  const n = Number(raw);
  return Uint8Array.of(n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255);
}

/** The longer run of octets is the greater, as in Wireshark; among equals the first difference decides. */
const octetOrder: Order = (a, b) => {
  const [x, y] = [octetsOfRaw(a), octetsOfRaw(b)];
  return x.length - y.length || compareOctets(x, y);
};

/** How values of a type are put in order. */
export function orderOf(type: Type): Order {
  switch (type) {
    case 'bool':
      return (a, b) => Number(a) - Number(b);
    case 'string':
      return (a, b) => (typeof a === 'string' && typeof b === 'string' ? simple(a, b) : octetOrder(a, b));
    case 'ipv6':
    case 'bytes':
    case 'ether':
    case 'eui64':
    case 'guid':
    case 'protocol':
    case 'list':
      return octetOrder;
    case 'uint8':
    case 'uint16':
    case 'uint24':
    case 'uint32':
    case 'uint48':
    case 'uint64':
    case 'frame':
      // As in Wireshark, an unsigned number is not put in order with a negative one on the right.
      return (a, b) => (Number(b) < 0 && Number(a) >= 0 ? Number.NaN : simple(a, b));
    default:
      return simple;
  }
}

/** The order of addresses to a network: 0 inside it. Both are looked at as far as the prefix goes. */
export function networkOrder(prefix: number): Order {
  if (prefix === 0) return () => 0;
  return (a, b) => {
    if (typeof a === 'number' && typeof b === 'number') return simple(a >>> (32 - prefix), b >>> (32 - prefix));
    const [x, y] = [octetsOfRaw(a), octetsOfRaw(b)];
    const whole = prefix >> 3;
    for (let i = 0; i < whole; i++) if (x[i] !== y[i]) return x[i]! - y[i]!;
    const shift = 8 - (prefix & 7);
    return shift === 8 ? 0 : (x[whole]! >> shift) - (y[whole]! >> shift);
  };
}

/** True when layer number `n` of `count` (from 1) is among `stretches`; negative numbers count from the last. */
export function inLayers(stretches: readonly Stretch[], n: number, count: number): boolean {
  for (const { from, length, last } of stretches) {
    const first = from < 0 ? count + from + 1 : from;
    const end = last !== undefined ? (last < 0 ? count + last + 1 : last) : length === undefined ? count : first + length - 1;
    if (n >= first && n <= end) return true;
  }
  return false;
}

/** Octets of `stretches` of `octets`, joined. A stretch that begins outside yields nothing, one that ends outside what there is. */
export function sliceOf(octets: Uint8Array, stretches: readonly Stretch[]): Uint8Array {
  if (stretches.length === 1) return stretchOf(octets, stretches[0]!);
  const parts = stretches.map((stretch) => stretchOf(octets, stretch));
  const joined = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

const EMPTY = new Uint8Array(0);

function stretchOf(octets: Uint8Array, { from, length, last }: Stretch): Uint8Array {
  const n = octets.length;
  const start = from < 0 ? n + from : from;
  if (start < 0 || start >= n) return EMPTY;
  const end = last !== undefined ? (last < 0 ? n + last : last) + 1 : length === undefined ? n : start + length;
  // Half a stretch is none: `frame[100-199]` says that the frame is that long.
  return end > n || end <= start ? EMPTY : octets.subarray(start, end);
}

/**
 * Protocols that are their header alone: their length and slices end with it, as in Wireshark. All others reach to their
 * end. `contains` and `matches` see the payload in either case.
 */
const HEADERS: Readonly<Record<string, (layer: Layer) => number>> = {
  eth: () => 14,
  ip: (layer) => (layer.bytes[layer.start]! & 0x0f) * 4,
  ipv6: () => 40,
  udp: () => 8,
};

/** The octets of a layer for lengths and slices. */
export function spanOf(layer: Layer): Uint8Array {
  const header = HEADERS[layer.protocol.name];
  const end = layerEnd(layer);
  return layer.bytes.subarray(layer.start, header ? Math.min(end, layer.start + header(layer)) : end);
}

/** One past the last octet of a layer that we hold. */
export const layerEnd = (layer: Layer): number => Math.max(layer.start, layer.end < layer.captured ? layer.end : layer.captured);

/** Call `visit` for each value of `fields` until it returns true; undefined when there was none, else whether a visit ended it. */
export function eachRaw(
  frame: Frame,
  fields: readonly Field[],
  stretches: readonly Stretch[] | undefined,
  visit: (raw: Raw) => boolean,
): boolean | undefined {
  const { layers } = frame;
  const gather = fields.length === 1 ? fields[0]!.gather : undefined;
  if (gather !== undefined) {
    const gathered = gather(frame);
    return gathered.length === 0 ? undefined : gathered.some(visit);
  }
  let found: false | undefined;
  for (let i = 0; i < layers.length; i++) {
    const layer = layers[i]!;
    const { protocol } = layer;
    let walked = false;
    let counted = stretches === undefined;
    for (let j = 0; j < fields.length; j++) {
      const field = fields[j]!;
      if (field.protocol !== protocol) continue;
      if (!counted) {
        if (!isLayerWanted(frame, protocol, i, stretches!)) break;
        counted = true;
      }
      if (field.walked) {
        walked = true;
        continue;
      }
      const raw = field.raw(layer);
      if (raw === undefined) continue;
      found = false;
      if (visit(raw)) return true;
    }
    if (!walked) continue;
    const { nodes } = layer;
    for (let k = 0; k < nodes.length; k++) {
      const node = nodes[k]!;
      if (node.field === undefined || !fields.includes(node.field)) continue;
      found = false;
      // An item of a list is the octets it stands in.
      if (visit(node.field.type === 'list' ? node.bytes.subarray(node.start, node.end) : node.value!)) return true;
    }
  }
  return found;
}

/** The layers that a name stands for. */
export type Named = Pick<Extract<TypedValue, { kind: 'protocol' }>, 'protocols' | 'chain' | 'layers'>;

/** The same for the layers of protocols. */
export function eachLayer(
  frame: Frame,
  { protocols, chain, layers: stretches }: Named,
  visit: (layer: Layer) => boolean,
): boolean | undefined {
  const { layers } = frame;
  let found: false | undefined;
  for (let i = 0; i < layers.length; i++) {
    const layer = layers[i]!;
    if (!protocols.has(layer.protocol) || (chain !== undefined && layer.chain !== chain)) continue;
    if (stretches !== undefined && !isLayerWanted(frame, layer.protocol, i, stretches)) continue;
    found = false;
    if (visit(layer)) return true;
  }
  return found;
}

/** Whether the layer at `index`, the n-th of its protocol, is among the asked ones. */
function isLayerWanted(frame: Frame, protocol: Protocol, index: number, stretches: readonly Stretch[]): boolean {
  let number = 0;
  let count = 0;
  for (let i = 0; i < frame.layers.length; i++) {
    if (frame.layers[i]!.protocol !== protocol) continue;
    count++;
    if (i <= index) number++;
  }
  return inLayers(stretches, number, count);
}

/** A search for `needle` in octets `[from, to)`: the needle's last octet decides how far to go on (Horspool). */
export function finder(needle: Uint8Array): (bytes: Uint8Array, from: number, to: number) => boolean {
  const last = needle.length - 1;
  if (last < 0) return () => false;
  const skip = new Uint32Array(256).fill(needle.length);
  for (let i = 0; i < last; i++) skip[needle[i]!] = last - i;
  const final = needle[last]!;
  return (bytes, from, to) => {
    for (let at = from + last; at < to; ) {
      const octet = bytes[at]!;
      if (octet === final) {
        let i = 0;
        while (i < last && bytes[at - last + i] === needle[i]) i++;
        if (i === last) return true;
      }
      at += skip[octet]!;
    }
    return false;
  };
}
