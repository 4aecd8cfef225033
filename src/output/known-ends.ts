/** The ends of conversations as they stand in the columns of lines: those seen last are copied, not put into words again. */
import type { Layer } from '../core/layer.js';
import { i32 } from '../core/octets.js';

/** Directions of conversations that are remembered, a power of two: one for each value of a hash; with hundreds at a time few share one. */
const PLACES = 4096;
/** Octets of two ends with blanks and an arrow: those of IPv4 need 49. */
const ROOM = 64;
const WORDS = ROOM / 8;

/** {@link KnownEnds.find}: not remembered yet. */
const UNKNOWN = -1;
/** {@link KnownEnds.find}: not of the kind that is remembered. */
export const NOT_KEPT = -2;

/** Remembers IPv4 addresses with ports. */
export class KnownEnds {
  /** Both addresses and the ports. */
  private readonly keys = new Int32Array(3 * PLACES);
  /** Octets of text; 0 where nothing is remembered. */
  private readonly lengths = new Uint8Array(PLACES);
  private readonly words = new Float64Array(WORDS * PLACES);
  private readonly octets = new Uint8Array(this.words.buffer);
  private readonly view = new DataView(this.words.buffer);

  /** Where the ends of a datagram are remembered, {@link UNKNOWN}, or {@link NOT_KEPT}. */
  find(ip: Layer, transport: Layer): number {
    if (ip.protocol.name !== 'ip') return NOT_KEPT;
    const { bytes, start } = ip;
    const source = i32(bytes, start + 12);
    const destination = i32(bytes, start + 16);
    const ports = i32(transport.bytes, transport.start);
    const place = placeOf(source, destination, ports);
    const { keys } = this;
    const at = 3 * place;
    if (keys[at] !== source || keys[at + 1] !== destination || keys[at + 2] !== ports || this.lengths[place] === 0) return UNKNOWN;
    return place;
  }

  /** Write what is remembered at `place`, and up to seven octets behind it that are to be written over; returns where it ends. */
  put(place: number, view: DataView, at: number): number {
    const { view: words } = this;
    const length = this.lengths[place]!;
    const from = place * ROOM;
    // No octet of text makes a NaN of eight of them, so none is changed.
    for (let i = 0; i < length; i += 8) view.setFloat64(at + i, words.getFloat64(from + i, true), true);
    return at + length;
  }

  /** Remember `text[from, to)`, unless it is too long. */
  keep(ip: Layer, transport: Layer, text: Uint8Array, from: number, to: number): void {
    if (to - from > ROOM) return;
    const { bytes, start } = ip;
    const source = i32(bytes, start + 12);
    const destination = i32(bytes, start + 16);
    const ports = i32(transport.bytes, transport.start);
    const place = placeOf(source, destination, ports);
    this.keys[3 * place] = source;
    this.keys[3 * place + 1] = destination;
    this.keys[3 * place + 2] = ports;
    const { octets } = this;
    for (let i = from, at = place * ROOM; i < to; i++, at++) octets[at] = text[i]!;
    this.lengths[place] = to - from;
  }

  /** The columns are others now. */
  forget(): void {
    this.lengths.fill(0);
  }
}

function placeOf(source: number, destination: number, ports: number): number {
  const hash = Math.imul(source ^ Math.imul(destination, 0x9e3779b1) ^ Math.imul(ports, 0x85ebca6b), 0xc2b2ae35);
  return (hash ^ (hash >>> 15)) & (PLACES - 1);
}
