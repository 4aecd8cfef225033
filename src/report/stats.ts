/** A whole capture in numbers: protocols, endpoints, conversations, sizes, rates. Memory does not grow with the capture. */
import type { Frame } from '../core/frame.js';
import type { Layer } from '../core/layer.js';
import { safeText } from '../core/text.js';
import { durationText, isoText } from '../core/time.js';
import { Ethernet } from '../dissectors/ethernet.js';
import { Ipv4 } from '../dissectors/ipv4.js';
import { Ipv6 } from '../dissectors/ipv6.js';
import { Tcp } from '../dissectors/tcp.js';
import { Udp } from '../dissectors/udp.js';
import { communityId } from './community-id.js';
import { dropsText } from './coverage.js';
import { counted, countText, rateText, shareText, sizeText } from './quantities.js';
import { bar, Rates, sparkline } from './rates.js';
import type { Cell } from './rolling-table.js';
import { type Counted, TopTable } from './top-table.js';

/** Where endpoints and conversations are told apart. */
export const LAYERS = ['eth', 'ip', 'tcp', 'udp'] as const;
export type StatsLayer = (typeof LAYERS)[number];

/** Names of the layers, for headings. */
const TITLE: Readonly<Record<StatsLayer, string>> = { eth: 'Ethernet', ip: 'IP', tcp: 'TCP', udp: 'UDP' };

/** Nodes of the protocol hierarchy; deeper ones are counted with what they stand in. */
const MOST_NODES = 4096;

/** A protocol inside another one. Octets are those of the whole frames. */
interface ProtocolNode extends Counted {
  readonly name: string;
  readonly children: Map<number, ProtocolNode>;
  /** The last frame counted, so that each counts once. */
  last: number;
}

export interface Endpoint extends Counted {
  readonly name: string;
  sentFrames: number;
  sentOctets: number;
}

export interface TrafficPair extends Counted {
  readonly a: string;
  readonly b: string;
  readonly protocol: number;
  readonly ends: readonly [addressA: string, portA: number, addressB: string, portB: number] | undefined;
  fromA: number;
  fromB: number;
  octetsFromA: number;
  octetsFromB: number;
  /** Nanoseconds from the first frame of the capture. */
  readonly start: number;
  end: number;
}

interface Traffic {
  readonly endpoints: TopTable<Endpoint>;
  readonly pairs: TopTable<TrafficPair>;
}

/** Upper bounds of the classes of frame lengths. */
const SIZES = [63, 127, 255, 511, 1023, 1518, Number.POSITIVE_INFINITY] as const;

/** Why frames are missing or incomplete. */
export interface Coverage {
  seen: number;
  /** Of which the capture holds a part only. */
  cut: number;
  malformed: number;
  /** Frames that the display filter left out. */
  leftOut: number;
}

export class CaptureStatistics {
  frames = 0;
  octets = 0;
  readonly coverage: Coverage = { seen: 0, cut: 0, malformed: 0, leftOut: 0 };
  private readonly root: ProtocolNode = { name: 'frame', children: new Map(), last: 0, frames: 0, octets: 0 };
  private nodes = 0;
  private readonly traffic: Readonly<Record<StatsLayer, Traffic>> = { eth: traffic(), ip: traffic(), tcp: traffic(), udp: traffic() };
  private readonly sizes = SIZES.map(() => ({ frames: 0, octets: 0 }));
  private readonly rates = new Rates();
  private shortest = Number.POSITIVE_INFINITY;
  private longest = 0;
  /** A frame had a time. */
  private anyTime = false;
  private firstSeconds = 0;
  private firstNanoseconds = 0;
  /** Nanoseconds from the first frame to the latest. */
  private span = 0;

  /** Count a frame that was asked about. */
  add(frame: Frame): void {
    this.see(frame);
    const length = frame.wireLength;
    const { hasTime } = frame;
    if (!this.anyTime && hasTime) {
      this.anyTime = true;
      this.firstSeconds = frame.seconds;
      this.firstNanoseconds = frame.nanoseconds;
    }
    // What has no time counts where the capture stands.
    const since = hasTime ? (frame.seconds - this.firstSeconds) * 1e9 + frame.nanoseconds - this.firstNanoseconds : this.span;
    if (since > this.span) this.span = since;
    this.frames++;
    this.octets += length;
    if (length < this.shortest) this.shortest = length;
    if (length > this.longest) this.longest = length;
    const size = this.sizes[SIZES.findIndex((most) => length <= most)]!;
    size.frames++;
    size.octets += length;
    this.rates.add(since, length);
    this.countLayers(frame, length, since);
  }

  /** Count a frame that a filter left out. */
  skip(frame: Frame): void {
    this.see(frame);
    this.coverage.leftOut++;
  }

  private see(frame: Frame): void {
    this.coverage.seen++;
    if (frame.capturedLength < frame.wireLength) this.coverage.cut++;
    if (frame.stopped?.reason === 'malformed') this.coverage.malformed++;
  }

  private countLayers(frame: Frame, length: number, since: number): void {
    let parent = this.root;
    let node = this.root;
    let before: Layer | undefined;
    let network: Ipv4 | Ipv6 | undefined;
    count(node, frame, length);
    const { layers, headline } = frame;
    for (let i = 1; i < layers.length; i++) {
      const layer = layers[i]!;
      // Several messages of a protocol in a frame stand beside each other, not one in the other.
      const beside =
        before !== undefined && layer.protocol === before.protocol && (layer.bytes !== before.bytes || layer.start >= before.end);
      if (!beside) {
        parent = node;
        let child = parent.children.get(layer.protocol.id);
        if (child === undefined && this.nodes < MOST_NODES) {
          this.nodes++;
          child = { name: layer.protocol.name, children: new Map(), last: 0, frames: 0, octets: 0 };
          parent.children.set(layer.protocol.id, child);
        }
        if (child === undefined) break;
        node = child;
        count(node, frame, length);
      }
      before = layer;
      if (layer instanceof Ethernet) this.pair('eth', layer.source, layer.destination, 0, undefined, length, since);
      else if (layer instanceof Ipv4 || layer instanceof Ipv6) {
        network = layer;
        this.pair('ip', layer.source, layer.destination, 0, undefined, length, since);
      } else if ((layer instanceof Tcp || layer instanceof Udp) && network !== undefined && layer.start + 4 <= layer.captured) {
        const { source: src, destination: dst } = network;
        if (src !== undefined && dst !== undefined)
          this.pair(
            layer instanceof Tcp ? 'tcp' : 'udp',
            endText(src, layer.srcPort),
            endText(dst, layer.dstPort),
            layer instanceof Tcp ? 6 : 17,
            [src, layer.srcPort, dst, layer.dstPort],
            length,
            since,
          );
      }
      // What an ICMP error quotes is no traffic.
      if (layer === headline) break;
    }
  }

  private pair(
    kind: StatsLayer,
    from: string | undefined,
    to: string | undefined,
    protocol: number,
    ends: TrafficPair['ends'],
    length: number,
    since: number,
  ): void {
    if (from === undefined || to === undefined) return;
    const { endpoints, pairs } = this.traffic[kind];
    const sender = endpoints.get(from, () => endpoint(from));
    sender.frames++;
    sender.octets += length;
    sender.sentFrames++;
    sender.sentOctets += length;
    if (from !== to) {
      const receiver = endpoints.get(to, () => endpoint(to));
      receiver.frames++;
      receiver.octets += length;
    }
    const key = from < to ? `${from} ${to}` : `${to} ${from}`;
    const pair = pairs.get(key, () => ({
      a: from,
      b: to,
      protocol,
      ends,
      frames: 0,
      octets: 0,
      fromA: 0,
      fromB: 0,
      octetsFromA: 0,
      octetsFromB: 0,
      start: since,
      end: since,
    }));
    pair.frames++;
    pair.octets += length;
    if (pair.a === from) {
      pair.fromA++;
      pair.octetsFromA += length;
    } else {
      pair.fromB++;
      pair.octetsFromB += length;
    }
    if (since > pair.end) pair.end = since;
  }

  /** JSON records: one `stats`, then protocols, endpoints, conversations, sizes, rates, and `stats_coverage`. */
  *records(top: number, dropped: number | undefined): Generator<object> {
    const seconds = this.span / 1e9;
    yield {
      type: 'stats',
      frames: this.frames,
      octets: this.octets,
      ...(this.anyTime && { start: isoText(this.firstSeconds, this.firstNanoseconds) }),
      duration: seconds,
      ...(seconds > 0 && { frames_per_second: this.frames / seconds, octets_per_second: this.octets / seconds }),
    };
    for (const { path, node } of this.hierarchy()) yield { type: 'stats_protocol', path, frames: node.frames, octets: node.octets };
    for (const kind of LAYERS) {
      const { endpoints, pairs } = this.traffic[kind];
      for (const { name, frames, octets, sentFrames, sentOctets } of endpoints.top(top))
        yield {
          type: 'stats_endpoint',
          layer: kind,
          endpoint: name,
          frames,
          octets,
          frames_sent: sentFrames,
          octets_sent: sentOctets,
          frames_received: frames - sentFrames,
          octets_received: octets - sentOctets,
        };
      for (const pair of pairs.top(top))
        yield {
          type: 'stats_conversation',
          layer: kind,
          a: pair.a,
          b: pair.b,
          ...(pair.ends && { community_id: communityId(pair.protocol, ...pair.ends) }),
          frames: pair.frames,
          octets: pair.octets,
          frames_from_a: pair.fromA,
          frames_from_b: pair.fromB,
          octets_from_a: pair.octetsFromA,
          octets_from_b: pair.octetsFromB,
          start: pair.start / 1e9,
          duration: (pair.end - pair.start) / 1e9,
        };
      const { count: all, folded } = pairs;
      if (all > 0)
        yield { type: 'stats_layer', layer: kind, endpoints: endpoints.count, conversations: all, conversations_folded: folded.things };
    }
    for (const [i, { frames, octets }] of this.sizes.entries())
      yield { type: 'stats_size', from: i === 0 ? 0 : SIZES[i - 1]! + 1, ...(i < SIZES.length - 1 && { to: SIZES[i]! }), frames, octets };
    if (this.anyTime) {
      const { width, steps } = this.rates.over(RATE_COLUMNS);
      yield { type: 'stats_rate', step: width / 1e9, frames: steps.map((s) => s.frames), octets: steps.map((s) => s.octets) };
    }
    const { seen, cut, malformed, leftOut } = this.coverage;
    yield { type: 'stats_coverage', seen, cut_short: cut, malformed, left_out: leftOut, dropped_by_kernel: dropped ?? null };
  }

  private *hierarchy(node = this.root, above = '', depth = 0): Generator<{ path: string; node: ProtocolNode; depth: number }> {
    for (const child of [...node.children.values()].sort((a, b) => b.frames - a.frames || b.octets - a.octets)) {
      const path = above === '' ? child.name : `${above}:${child.name}`;
      yield { path, node: child, depth };
      yield* this.hierarchy(child, path, depth + 1);
    }
  }

  /** The tables for people, one after the other. */
  *sections(top: number, isUnicode: boolean): Generator<Section> {
    const { frames, octets } = this;
    const seconds = this.span / 1e9;
    const rows: Cell[][] = [
      [name('frames'), countText(frames), name(seconds > 0 ? `${countText(Math.round(frames / seconds))}/s` : '')],
      [name('octets'), sizeText(octets), name(seconds > 0 ? rateText(octets / seconds) : '')],
    ];
    if (frames > 0) {
      if (this.anyTime)
        rows.push([name('time'), durationText(this.span), name(`from ${isoText(this.firstSeconds, this.firstNanoseconds)}`)]);
      rows.push([
        name('length'),
        sizeText(octets / frames),
        name(`on average, ${countText(this.shortest)} to ${countText(this.longest)} B`),
      ]);
    }
    yield { title: 'Capture', headings: [], right: new Set([1]), rows };
    if (frames === 0) return;
    if (this.anyTime) yield this.rateSection(isUnicode);
    yield {
      title: 'Protocols',
      headings: ['', 'frames', '', 'octets', '', ''],
      right: new Set([1, 2, 3, 4]),
      rows: [...this.hierarchy()].map(({ node, depth }) => [
        `${'  '.repeat(depth)}${safeText(node.name)}`,
        countText(node.frames),
        name(shareText(node.frames, frames)),
        sizeText(node.octets),
        name(shareText(node.octets, octets)),
        { text: bar(node.octets / octets, 16, isUnicode), tone: 'transport' },
      ]),
    };
    yield {
      title: 'Frame lengths',
      headings: ['octets', 'frames', '', 'octets in all', '', ''],
      right: new Set([0, 1, 2, 3, 4]),
      rows: this.sizes.map((size, i) => [
        i === SIZES.length - 1 ? `from ${SIZES[i - 1]! + 1}` : `${i === 0 ? 0 : SIZES[i - 1]! + 1} to ${SIZES[i]}`,
        countText(size.frames),
        name(shareText(size.frames, frames)),
        sizeText(size.octets),
        name(shareText(size.octets, octets)),
        { text: bar(size.frames / frames, 16, isUnicode), tone: 'transport' },
      ]),
    };
    for (const kind of LAYERS) yield* this.trafficSections(kind, top);
  }

  private rateSection(isUnicode: boolean): Section {
    const { width, steps } = this.rates.over(RATE_COLUMNS);
    const row = (what: string, numbers: readonly number[], most: string): Cell[] => [
      name(what),
      { text: sparkline(numbers, isUnicode), tone: 'note' },
      name(most),
    ];
    const each = width / 1e9;
    const mostFrames = Math.max(...steps.map((s) => s.frames));
    const mostOctets = Math.max(...steps.map((s) => s.octets));
    return {
      title: `Rates, a step ${durationText(width)}`,
      headings: [],
      right: new Set(),
      rows: [
        row(
          'frames',
          steps.map((s) => s.frames),
          `up to ${countText(Math.round(mostFrames / each))}/s`,
        ),
        row(
          'octets',
          steps.map((s) => s.octets),
          `up to ${rateText(mostOctets / each)}`,
        ),
      ],
    };
  }

  private *trafficSections(kind: StatsLayer, top: number): Generator<Section> {
    const { endpoints, pairs } = this.traffic[kind];
    if (pairs.count === 0) return;
    const shown = (all: number) => (all > top ? `, the ${top} largest of ${countText(all)}` : '');
    yield {
      title: `${TITLE[kind]} endpoints${shown(endpoints.count)}`,
      headings: ['', 'frames', 'octets', 'sent', 'received'],
      right: new Set([1, 2, 3, 4]),
      rows: endpoints
        .top(top)
        .map((e) => [e.name, countText(e.frames), sizeText(e.octets), sizeText(e.sentOctets), sizeText(e.octets - e.sentOctets)]),
    };
    yield {
      title: `${TITLE[kind]} conversations${shown(pairs.count)}`,
      headings: ['a', 'b', 'frames', 'a to b', 'b to a', 'start', 'lasted'],
      right: new Set([2, 3, 4, 5, 6]),
      rows: pairs
        .top(top)
        .map((p) => [
          p.a,
          p.b,
          countText(p.frames),
          sizeText(p.octetsFromA),
          sizeText(p.octetsFromB),
          name((p.start / 1e9).toFixed(3)),
          durationText(p.end - p.start),
        ]),
    };
  }

  /** What was seen and what was not. `dropped`: by the kernel, undefined when the capture does not say. */
  coverageText(dropped: number | undefined): string {
    const { seen, cut, malformed, leftOut } = this.coverage;
    const parts = [`${counted(seen, 'frame')} seen`];
    if (leftOut > 0) parts.push(`${countText(leftOut)} left out by the filter`);
    parts.push(`${countText(cut)} cut short`, `${countText(malformed)} malformed`, dropsText(dropped));
    return parts.join(' · ');
  }
}

/** A table with its heading. */
export interface Section {
  readonly title: string;
  readonly headings: readonly string[];
  /** Columns that stand at the right. */
  readonly right: ReadonlySet<number>;
  readonly rows: readonly (readonly Cell[])[];
}

/** Columns of the sparkline: with what stands beside it, a line of 80. */
const RATE_COLUMNS = 50;

const name = (text: string): Cell => ({ text, tone: 'name' });

const traffic = (): Traffic => ({ endpoints: new TopTable(), pairs: new TopTable() });

const endpoint = (of: string): Endpoint => ({ name: of, frames: 0, octets: 0, sentFrames: 0, sentOctets: 0 });

const endText = (address: string, port: number): string => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`);

function count(node: ProtocolNode, frame: Frame, length: number): void {
  if (node.last === frame.number) return;
  node.last = frame.number;
  node.frames++;
  node.octets += length;
}
