/**
 * UDP streams: datagrams between the same two addresses and ports, in both directions, numbered from 0 as they first come.
 *
 * The table is bounded: it holds two generations of streams. A new stream goes into the younger; when that is full, the
 * elder is forgotten and the younger takes its place, and a stream seen again moves back to the younger. So what was not
 * heard of for a whole generation is forgotten, and would get a new number.
 */
import type { Frame } from '../core/frame.js';
import type { Layer } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { Ipv4 } from '../dissectors/ipv4.js';
import { Ipv6 } from '../dissectors/ipv6.js';

/** The layer that is told of its stream. */
export interface InStream extends Layer {
  stream: number;
  timed: boolean;
  firstSeconds: number;
  firstNanoseconds: number;
  previousSeconds: number;
  previousNanoseconds: number;
}

/** Words of a key: the lower address, the higher, their ports. */
const KEY = 9;
/** What is known of a stream: its index, seconds and nanoseconds of its first datagram and of its last. */
const INDEX = 0;
const FIRST = 1;
const LAST = 3;
const FACTS = 5;

/** Streams with their keys in one array of numbers, found by open addressing. */
class Generation {
  private keys = new Uint32Array(256 * KEY);
  /** {@link FACTS} for each stream, in the order of the keys. */
  facts = new Float64Array(256 * FACTS);
  /** 1 + the position of a stream, 0 for none. At most half full. */
  private slots = new Uint32Array(512);
  count = 0;

  /** The position of the stream with this key; -1 when it is not there. */
  find(key: Uint32Array, hash: number): number {
    const { slots, keys } = this;
    const mask = slots.length - 1;
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const at = (slots[slot]! - 1) * KEY;
      let i = 0;
      while (i < KEY && keys[at + i] === key[i]) i++;
      if (i === KEY) return slots[slot]! - 1;
    }
    return -1;
  }

  /** A new stream with this key; its position. */
  add(key: Uint32Array, hash: number): number {
    if (this.count * 2 >= this.slots.length) this.grow();
    this.keys.set(key, this.count * KEY);
    this.place(hash, ++this.count);
    return this.count - 1;
  }

  private place(hash: number, entry: number): void {
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = entry;
  }

  private grow(): void {
    const { keys, facts } = this;
    this.keys = new Uint32Array(keys.length * 2);
    this.keys.set(keys);
    this.facts = new Float64Array(facts.length * 2);
    this.facts.set(facts);
    this.slots = new Uint32Array(this.slots.length * 2);
    for (let i = 0; i < this.count; i++) this.place(hashOf(this.keys, i * KEY), i + 1);
  }
}

/** Murmur's mixing step for each word of a key. */
function hashOf(words: Uint32Array, at: number): number {
  let hash = 0;
  for (let i = at; i < at + KEY; i++) {
    let k = Math.imul(words[i]!, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    hash ^= Math.imul(k, 0x1b873593);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  return (hash ^ (hash >>> 15)) >>> 0;
}

export class UdpStreams {
  private younger = new Generation();
  private elder = new Generation();
  private next = 0;
  private readonly key = new Uint32Array(KEY);

  /** `most`: streams of a generation. */
  constructor(private readonly most = 1 << 17) {}

  /** Streams that are held now. */
  get held(): number {
    return this.younger.count + this.elder.count;
  }

  /** Tell `udp`, a datagram of `frame`, of its stream. */
  see(frame: Frame, udp: InStream): void {
    const { key } = this;
    writeKey(key, frame, udp);
    const hash = hashOf(key, 0);
    let position = this.younger.find(key, hash);
    if (position < 0) position = this.renew(frame, hash);
    const { facts } = this.younger;
    const at = position * FACTS;
    udp.stream = facts[at + INDEX]!;
    // What an ICMP error quotes was sent before, and counts for no time of the stream.
    if (frame.quoted > 0) return;
    udp.timed = true;
    udp.firstSeconds = facts[at + FIRST]!;
    udp.firstNanoseconds = facts[at + FIRST + 1]!;
    udp.previousSeconds = facts[at + LAST]!;
    udp.previousNanoseconds = facts[at + LAST + 1]!;
    facts[at + LAST] = frame.seconds;
    facts[at + LAST + 1] = frame.nanoseconds;
  }

  /** Into the younger generation: from the elder, or as a new stream. Its position there. */
  private renew(frame: Frame, hash: number): number {
    const old = this.elder.find(this.key, hash);
    const known = old >= 0 ? this.elder.facts.slice(old * FACTS, (old + 1) * FACTS) : undefined;
    if (this.younger.count >= this.most) {
      this.elder = this.younger;
      this.younger = new Generation();
    }
    const position = this.younger.add(this.key, hash);
    const { seconds, nanoseconds } = frame;
    this.younger.facts.set(known ?? [this.next++, seconds, nanoseconds, seconds, nanoseconds], position * FACTS);
    return position;
  }
}

/** Both directions have one key: the lower address (or port) comes first. */
function writeKey(key: Uint32Array, frame: Frame, udp: Layer): void {
  const { bytes: b, start } = udp;
  const from = u16(b, start);
  const to = u16(b, start + 2);
  const ip = frame.addressing;
  key.fill(0);
  if (ip instanceof Ipv4) {
    const source = u32(ip.bytes, ip.start + 12);
    const destination = u32(ip.bytes, ip.start + 16);
    const swap = source > destination || (source === destination && from > to);
    key[0] = swap ? destination : source;
    key[4] = swap ? source : destination;
    key[8] = swap ? to * 0x10000 + from : from * 0x10000 + to;
    return;
  }
  let swap = from > to;
  if (ip instanceof Ipv6) {
    const { bytes: a, start: at } = ip;
    const { bytes: d, at: final } = ip.route ?? { bytes: a, at: at + 24 };
    let i = 0;
    while (i < 16 && a[at + 8 + i] === d[final + i]) i++;
    if (i < 16) swap = a[at + 8 + i]! > d[final + i]!;
    for (let word = 0; word < 4; word++) {
      key[(swap ? 4 : 0) + word] = u32(a, at + 8 + 4 * word);
      key[(swap ? 0 : 4) + word] = u32(d, final + 4 * word);
    }
  }
  key[8] = swap ? to * 0x10000 + from : from * 0x10000 + to;
}
