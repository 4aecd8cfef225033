/**
 * STUN requests and the responses to them, by transaction number and the two ends (RFC 8489 section 6.3.1). A request
 * may be repeated with its number until it is answered.
 */
import type { Frame } from '../core/frame.js';
import { u16, u32 } from '../core/octets.js';
import { between } from '../core/time.js';
import { Ipv4 } from '../dissectors/ipv4.js';
import { networkOf } from '../dissectors/pseudo-header.js';
import type { Stun } from '../dissectors/stun.js';

/** Transactions remembered; beyond it the oldest is given up. */
const MOST_EXCHANGES = 65536;

interface Exchange {
  request: number | undefined;
  response: number | undefined;
  readonly seconds: number;
  readonly nanoseconds: number;
}

export class StunExchanges {
  private readonly exchanges = new Map<string, Exchange>();

  /** Tell a message of the request it answers, of the response it has had, or of the one it repeats. */
  see(frame: Frame, stun: Stun): void {
    const key = keyOf(frame, stun);
    if (key === undefined) return;
    let exchange = this.exchanges.get(key);
    if (exchange === undefined) {
      if (this.exchanges.size >= MOST_EXCHANGES) this.exchanges.delete(this.exchanges.keys().next().value!);
      exchange = { request: undefined, response: undefined, seconds: frame.seconds, nanoseconds: frame.nanoseconds };
      this.exchanges.set(key, exchange);
    }
    const kind = u16(stun.bytes, stun.start) & 0x0110;
    if (kind === 0) {
      const original = exchange.request;
      exchange.request ??= frame.number;
      if (original !== undefined || exchange.response !== undefined)
        stun.exchange = { request: undefined, response: exchange.response, original, time: undefined };
      return;
    }
    const original = exchange.response;
    exchange.response ??= frame.number;
    if (kind === 0x0010) return;
    const { request } = exchange;
    const time = request === undefined ? undefined : between(frame.seconds, frame.nanoseconds, exchange.seconds, exchange.nanoseconds);
    if (request !== undefined || original !== undefined) stun.exchange = { request, response: undefined, original, time };
  }
}

/** Transaction number and both ends, the lower first, as text of 16-bit characters; undefined without addresses. */
function keyOf(frame: Frame, stun: Stun): string | undefined {
  const ip = networkOf(stun);
  const { transport } = frame;
  if (ip === undefined || transport === undefined) return undefined;
  const length = ip instanceof Ipv4 ? 4 : 16;
  const source = ip.start + (ip instanceof Ipv4 ? 12 : 8);
  const from = words(ip.bytes, source, length) + String.fromCharCode(transport.srcPort);
  const to = words(ip.bytes, source + length, length) + String.fromCharCode(transport.dstPort);
  const ends = from < to ? from + to : to + from;
  const isClassic = u32(stun.bytes, stun.start + 4) !== 0x2112a442;
  return ends + words(stun.bytes, stun.start + (isClassic ? 4 : 8), isClassic ? 16 : 12);
}

function words(bytes: Uint8Array, at: number, length: number): string {
  let text = '';
  for (let i = 0; i < length; i += 2) text += String.fromCharCode(u16(bytes, at + i));
  return text;
}
