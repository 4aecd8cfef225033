/**
 * Which DNS answer belongs to which question, by the rules that Wireshark has: a conversation (a pair of endpoints, or a TCP
 * stream) and a transaction id, whatever the name and type. It tells each message, as `dns.response_to`, `dns.time`,
 * `dns.retransmission` and `dns.unsolicited`. For what people ask for (names, retries, CNAME chains) see dns-transactions.ts.
 */
import type { Frame } from '../core/frame.js';
import type { Layer } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { between, durationText, type Nanoseconds } from '../core/time.js';
import type { Dns } from '../dissectors/dns.js';
import { Tcp } from '../dissectors/tcp.js';
import { type Aged, AgeOrder } from './age-order.js';

/** A question repeated sooner than this is the same one again; later it begins an exchange of its own. */
const REPEAT_TIME = 5e9;
/** Exchanges remembered; beyond it the oldest go first. */
const MOST_EXCHANGES = 65_536;
/** Up to so many, age does not matter. */
const RESTFUL = 4096;
/** Seconds of packet time after which an exchange may be forgotten. */
const IDLE_SECONDS = 600;

const TCP_KIND = 1;

interface Exchange extends Aged<Exchange> {
  /** Its key in {@link DnsExchanges.exchanges}. */
  readonly hash: number;
  /** 4, 6, or {@link TCP_KIND} when a stream number stands in place of addresses and ports. */
  readonly kind: number;
  readonly low: number;
  readonly high: number;
  readonly ports: number;
  readonly id: number;
  /** IPv6: both addresses, the lower first. */
  readonly addresses: Uint8Array | undefined;
  /** The first question. */
  frame: number;
  seconds: number;
  nanoseconds: number;
  /** Frame of the first answer; 0 while there is none. */
  answer: number;
}

/** Who a message is between and its id; filled anew for each message, so that looking up allocates nothing. */
const key = { kind: 0, low: 0, high: 0, ports: 0, id: 0, ip: undefined as Layer | undefined, swapped: false };

export class DnsExchanges {
  private readonly exchanges = new Map<number, Exchange>();
  private readonly order = new AgeOrder<Exchange>();
  /** Forgotten because there were too many or they were too old. */
  evicted = 0;

  /** Look at a message and tell it, and the frame's Info column, of its place. */
  see(frame: Frame, dns: Dns): void {
    if (dns.quoted) return;
    identify(frame, dns);
    let hash = hashOfKey();
    // Exchanges are spread over 2^32 numbers, so this ends at once almost always, and at most after all of them.
    let found = this.exchanges.get(hash);
    while (found !== undefined && !isKey(found)) {
      hash = (hash + 1) | 0;
      found = this.exchanges.get(hash);
    }
    if (dns.bytes[dns.start + 2]! & 0x80) this.answer(frame, dns, found);
    else this.ask(frame, dns, hash, found);
    // A message that contradicts itself, or whose other fragments never came, takes its place but claims nothing; one that
    // the capture cut short was whole on the wire.
    if (!dns.whole && dns.captured === dns.end) dns.exchange = undefined;
  }

  private ask(frame: Frame, dns: Dns, hash: number, found: Exchange | undefined): void {
    if (found !== undefined && found.answer === 0) {
      const age = between(frame.seconds, frame.nanoseconds, found.seconds, found.nanoseconds);
      if (age < REPEAT_TIME) {
        dns.exchange = { repeats: found.frame };
        frame.remark = ` · asked in #${found.frame} already`;
        return;
      }
    }
    if (found !== undefined) {
      found.frame = frame.number;
      found.seconds = frame.seconds;
      found.nanoseconds = frame.nanoseconds;
      found.answer = 0;
      this.order.touch(found);
      return;
    }
    const { kind, low, high, ports, id } = key;
    const addresses = kind === 6 ? addressPair() : undefined;
    const { number, seconds, nanoseconds } = frame;
    const older = undefined;
    const exchange = { hash, kind, low, high, ports, id, addresses, frame: number, seconds, nanoseconds, answer: 0, older, newer: older };
    this.exchanges.set(hash, exchange);
    this.order.add(exchange);
    if (this.exchanges.size > RESTFUL) this.forget(seconds);
  }

  private answer(frame: Frame, dns: Dns, found: Exchange | undefined): void {
    if (found === undefined) {
      dns.exchange = { unsolicited: true };
    } else if (found.answer === 0) {
      found.answer = frame.number;
      const time: Nanoseconds = between(frame.seconds, frame.nanoseconds, found.seconds, found.nanoseconds);
      dns.exchange = { request: found.frame, time };
      frame.remark = ` · ${durationText(time)} after #${found.frame}`;
    } else {
      dns.exchange = { repeats: found.answer };
      frame.remark = ` · answered in #${found.answer} already`;
    }
  }

  /** Drop the oldest while there are too many, or while they are too old. At most two for each that comes. */
  private forget(now: number): void {
    for (let i = 0; i < 2; i++) {
      const { oldest } = this.order;
      if (oldest === undefined || (this.exchanges.size <= MOST_EXCHANGES && oldest.seconds + IDLE_SECONDS > now)) return;
      this.order.remove(oldest);
      this.exchanges.delete(oldest.hash);
      this.evicted++;
    }
  }
}

function identify(frame: Frame, dns: Dns): void {
  key.id = u16(dns.bytes, dns.start);
  key.ip = undefined;
  const { transport } = frame;
  const direction = transport instanceof Tcp ? transport.direction : undefined;
  if (direction !== undefined) {
    key.kind = TCP_KIND;
    key.low = direction.conversation.number;
    key.high = key.ports = 0;
    return;
  }
  const ip = frame.addressing as unknown as Layer | undefined;
  const name = ip === undefined ? '' : ip.protocol.name;
  const srcPort = transport === undefined ? 0 : u16(transport.bytes, transport.start);
  const dstPort = transport === undefined ? 0 : u16(transport.bytes, transport.start + 2);
  key.kind = key.low = key.high = 0;
  let swapped = srcPort > dstPort;
  if (name === 'ip') {
    const { bytes, start } = ip!;
    const source = u32(bytes, start + 12);
    const destination = u32(bytes, start + 16);
    key.kind = 4;
    if (source !== destination) swapped = source > destination;
    key.low = swapped ? destination : source;
    key.high = swapped ? source : destination;
  } else if (name === 'ipv6') {
    const { bytes, start } = ip!;
    key.kind = 6;
    key.ip = ip;
    for (let i = start + 8; i < start + 24; i++) {
      if (bytes[i] === bytes[i + 16]) continue;
      swapped = bytes[i]! > bytes[i + 16]!;
      break;
    }
    key.low = hash16(bytes, start + (swapped ? 24 : 8));
    key.high = hash16(bytes, start + (swapped ? 8 : 24));
  }
  key.swapped = swapped;
  key.ports = swapped ? dstPort * 65536 + srcPort : srcPort * 65536 + dstPort;
}

function hash16(bytes: Uint8Array, at: number): number {
  let hash = 0;
  for (let i = at; i < at + 16; i += 4) hash = Math.imul(hash ^ u32(bytes, i), 0x9e3779b1) ^ (hash >>> 15);
  return hash;
}

function hashOfKey(): number {
  let hash = Math.imul(
    key.low ^ Math.imul(key.high, 0x9e3779b1) ^ Math.imul(key.ports, 0x85ebca6b) ^ (key.id * 0x10001 + key.kind),
    0xc2b2ae35,
  );
  hash ^= hash >>> 15;
  return hash | 0;
}

function isKey(e: Exchange): boolean {
  if (e.id !== key.id || e.ports !== key.ports || e.low !== key.low || e.high !== key.high || e.kind !== key.kind) return false;
  if (e.addresses === undefined) return true;
  const pair = addressPair();
  for (let i = 0; i < 32; i++) if (e.addresses[i] !== pair[i]) return false;
  return true;
}

function addressPair(): Uint8Array {
  const { bytes, start } = key.ip!;
  const pair = bytes.slice(start + 8, start + 40);
  if (key.swapped) pair.copyWithin(0, 16).set(bytes.subarray(start + 8, start + 24), 16);
  return pair;
}
