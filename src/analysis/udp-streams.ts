/**
 * UDP streams: datagrams between the same two addresses and ports, in both directions, numbered from 0 as they first come.
 * One that is forgotten (recent-table.ts) gets a new number when it is heard of again.
 */
import type { Frame } from '../core/frame.js';
import type { Layer } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { Ipv4 } from '../dissectors/ipv4.js';
import { Ipv6 } from '../dissectors/ipv6.js';
import { RecentTable } from './recent-table.js';

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

export class UdpStreams {
  private readonly streams: RecentTable;
  private next = 0;

  /** `most`: streams of a generation. */
  constructor(most = 1 << 17) {
    this.streams = new RecentTable(KEY, FACTS, most);
  }

  /** Streams that are held now. */
  get held(): number {
    return this.streams.held;
  }

  /** Tell `udp`, a datagram of `frame`, of its stream. */
  see(frame: Frame, udp: InStream): void {
    const { streams } = this;
    writeKey(streams.key, frame, udp);
    const known = streams.find();
    const at = known < 0 ? streams.add() : known;
    const { facts } = streams;
    const { seconds, nanoseconds } = frame;
    if (known < 0) {
      facts[at + INDEX] = this.next++;
      facts[at + FIRST] = facts[at + LAST] = seconds;
      facts[at + FIRST + 1] = facts[at + LAST + 1] = nanoseconds;
    }
    udp.stream = facts[at + INDEX]!;
    // What an ICMP error quotes was sent before, and counts for no time of the stream.
    if (frame.quoted > 0 || !frame.hasTime) return;
    udp.timed = true;
    udp.firstSeconds = facts[at + FIRST]!;
    udp.firstNanoseconds = facts[at + FIRST + 1]!;
    udp.previousSeconds = facts[at + LAST]!;
    udp.previousNanoseconds = facts[at + LAST + 1]!;
    facts[at + LAST] = seconds;
    facts[at + LAST + 1] = nanoseconds;
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
