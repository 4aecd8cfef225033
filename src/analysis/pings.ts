/**
 * Echo requests with what came of them: a reply, an ICMP error, or nothing; and ICMP errors about other traffic with the
 * conversation that they are about. RFC 792, RFC 4443.
 */
import type { Frame } from '../core/frame.js';
import type { Layer } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { TextBuffer } from '../core/text.js';
import { between } from '../core/time.js';
import { Icmp } from '../dissectors/icmp.js';
import { Icmpv6 } from '../dissectors/icmpv6.js';
import { IP_PROTOCOL } from '../dissectors/ip-protocols.js';
import { Ipv4 } from '../dissectors/ipv4.js';
import { Ipv6 } from '../dissectors/ipv6.js';
import { Tcp } from '../dissectors/tcp.js';
import { Udp } from '../dissectors/udp.js';

/** An ICMP error: what it says, and who says it. */
export interface IcmpError {
  /** `Destination unreachable (Port unreachable)`. */
  readonly text: string;
  readonly from: string;
  readonly frame: number;
}

/** An echo request. */
export interface Ping {
  readonly kind: 'ping';
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly source: string;
  readonly target: string;
  readonly identifier: number;
  readonly sequence: number;
  /** Octets that the reply is to repeat. */
  readonly octets: number;
  readonly frame: number;
  outcome: 'answered' | 'unanswered' | 'error';
  replyFrame: number | undefined;
  /** Hops that the reply had left. */
  replyTtl: number | undefined;
  /** Nanoseconds from the request to its reply. */
  latency: number | undefined;
  error: IcmpError | undefined;
}

/** An ICMP error about something else than an echo request. */
export interface Complaint {
  readonly kind: 'complaint';
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly frame: number;
  readonly error: IcmpError;
  /** Who the quoted datagram went from and to, and by which protocol; ports where it has them. */
  readonly protocol: string;
  readonly source: string;
  readonly sourcePort: number | undefined;
  readonly target: string;
  readonly targetPort: number | undefined;
}

/** A ping, or an ICMP error about something else. */
export type PingEvent = Ping | Complaint;

/** What was seen, for the last line. */
export interface PingCounts {
  answered: number;
  unanswered: number;
  /** Requests that an error was the answer to. */
  failed: number;
  /** Replies whose request was not captured, or had its reply. */
  unasked: number;
  /** Errors about other traffic. */
  complaints: number;
}

/** Seconds after which no reply is expected. */
const PATIENCE = 60;
/** Requests that wait at once. */
const MOST_WAITING = 65_536;

const scratch = new TextBuffer(256);

/** Follows a capture's pings; needs a session that pairs echoes. */
export class Pings {
  readonly counts: PingCounts = { answered: 0, unanswered: 0, failed: 0, unasked: 0, complaints: 0 };
  /** In the order of their time. */
  private readonly waiting = new Map<string, Ping>();

  constructor(private readonly emit: (event: PingEvent) => void) {}

  /** The oldest request that waits: nothing before it can come any more. */
  get oldest(): Ping | undefined {
    return this.waiting.values().next().value;
  }

  see(frame: Frame): void {
    let network: Ipv4 | Ipv6 | undefined;
    for (const layer of frame.layers) {
      if (layer instanceof Ipv4 || layer instanceof Ipv6) network = layer;
      else if ((layer instanceof Icmp || layer instanceof Icmpv6) && network !== undefined) {
        if (layer === frame.headline) return this.complaint(frame, layer, network);
        if (layer.start + 8 <= layer.captured) this.echo(frame, layer, network);
      } else if (layer === frame.headline) return; // What follows is a copy of a packet (sFlow), not one.
    }
    for (let first = this.oldest; first !== undefined && first.seconds + PATIENCE < frame.seconds; first = this.oldest) this.giveUp(first);
  }

  /** No more frames come. */
  finish(): void {
    for (const ping of [...this.waiting.values()]) this.giveUp(ping);
  }

  private echo(frame: Frame, layer: Icmp | Icmpv6, network: Ipv4 | Ipv6): void {
    const { source, destination } = network;
    const kind = echoKind(layer);
    if (kind === undefined || source === undefined || destination === undefined) return;
    if (kind === 'request') {
      const ping: Ping = {
        kind: 'ping',
        seconds: frame.seconds,
        nanoseconds: frame.nanoseconds,
        source,
        target: destination,
        identifier: u16(layer.bytes, layer.start + 4),
        sequence: u16(layer.bytes, layer.start + 6),
        octets: Math.max(0, layer.end - layer.start - 8),
        frame: frame.number,
        outcome: 'unanswered',
        replyFrame: undefined,
        replyTtl: undefined,
        latency: undefined,
        error: undefined,
      };
      const key = keyOfEcho(source, destination, layer);
      const before = this.waiting.get(key);
      if (before !== undefined) this.giveUp(before);
      if (this.waiting.size >= MOST_WAITING) this.giveUp(this.oldest!);
      this.waiting.set(key, ping);
      return;
    }
    const key = keyOfEcho(destination, source, layer);
    const ping = this.waiting.get(key);
    if (ping === undefined || layer.request?.frame !== ping.frame) {
      this.counts.unasked++;
      return;
    }
    this.waiting.delete(key);
    ping.outcome = 'answered';
    ping.replyFrame = frame.number;
    ping.replyTtl = network.bytes[network.start + (network instanceof Ipv4 ? 8 : 7)];
    ping.latency = Number(between(frame.seconds, frame.nanoseconds, ping.seconds, ping.nanoseconds));
    this.counts.answered++;
    this.emit(ping);
  }

  private complaint(frame: Frame, layer: Icmp | Icmpv6, network: Ipv4 | Ipv6): void {
    const { layers } = frame;
    const at = layers.indexOf(layer);
    const ip = layers.slice(at + 1).find((inner): inner is Ipv4 | Ipv6 => inner instanceof Ipv4 || inner instanceof Ipv6);
    if (ip === undefined || ip.source === undefined || ip.destination === undefined) return;
    scratch.clear();
    layer.summary(scratch);
    const error: IcmpError = { text: scratch.toString().replace(/\s+/g, ' '), from: network.source ?? '', frame: frame.number };
    const inside = layers[layers.indexOf(ip) + 1];
    if ((inside instanceof Icmp || inside instanceof Icmpv6) && inside.start + 8 <= inside.captured && echoKind(inside) === 'request') {
      const key = keyOfEcho(ip.source, ip.destination, inside);
      const ping = this.waiting.get(key);
      if (ping !== undefined) {
        this.waiting.delete(key);
        ping.outcome = 'error';
        ping.error = error;
        ping.latency = Number(between(frame.seconds, frame.nanoseconds, ping.seconds, ping.nanoseconds));
        this.counts.failed++;
        return this.emit(ping);
      }
    }
    const ports = (inside instanceof Tcp || inside instanceof Udp) && inside.start + 4 <= inside.captured ? inside : undefined;
    this.counts.complaints++;
    this.emit({
      kind: 'complaint',
      seconds: frame.seconds,
      nanoseconds: frame.nanoseconds,
      frame: frame.number,
      error,
      protocol: inside === undefined || inside.protocol.name === 'data' ? carried(ip) : inside.protocol.name,
      source: ip.source,
      sourcePort: ports?.srcPort,
      target: ip.destination,
      targetPort: ports?.dstPort,
    });
  }

  private giveUp(ping: Ping): void {
    this.waiting.delete(keyOf(ping.source, ping.target, ping.identifier, ping.sequence));
    this.counts.unanswered++;
    this.emit(ping);
  }
}

/** What a datagram carries, where that is not dissected: `sctp`, `ip 253`. */
function carried(ip: Ipv4 | Ipv6): string {
  const number = ip instanceof Ipv4 ? ip.protocolNumber : ip.nextHeader;
  return IP_PROTOCOL[number]?.toLowerCase() ?? `ip ${number}`;
}

function echoKind(layer: Layer): 'request' | 'reply' | undefined {
  const type = layer.bytes[layer.start]!;
  if (layer instanceof Icmp) return type === 8 ? 'request' : type === 0 ? 'reply' : undefined;
  return type === 128 ? 'request' : type === 129 ? 'reply' : undefined;
}

/** Who asks whom, with identifier and sequence number. */
const keyOf = (source: string, target: string, identifier: number, sequence: number): string =>
  `${source} ${target} ${identifier} ${sequence}`;
const keyOfEcho = (source: string, target: string, echo: Layer): string =>
  keyOf(source, target, u16(echo.bytes, echo.start + 4), u16(echo.bytes, echo.start + 6));
