/**
 * Which DNS answer belongs to which question, by the rules that Wireshark has: a conversation (a pair of endpoints, or a TCP
 * stream) and a transaction id, whatever the name and type. It tells each message, as `dns.response_to`, `dns.time`,
 * `dns.retransmission` and `dns.unsolicited`. For what people ask for (names, retries, CNAME chains) see dns-transactions.ts.
 */
import type { Answer, Frame } from '../core/frame.js';
import { u16, u32 } from '../core/octets.js';
import { between } from '../core/time.js';
import type { Dns } from '../dissectors/dns.js';
import { DnsOverHttps } from '../dissectors/doh.js';
import { Ipv4 } from '../dissectors/ipv4.js';
import { Ipv6 } from '../dissectors/ipv6.js';
import { Tcp } from '../dissectors/tcp.js';
import { RecentTable } from './recent-table.js';

/** A question repeated sooner than this is the same one again; later it begins an exchange of its own. */
const REPEAT_TIME = 5e9;
/** Exchanges of a generation: between so many and twice that are remembered. */
const MOST_EXCHANGES = 32_768;

/** Words of a key: the lower address, the higher, or a TCP stream in place of both; ports; transaction id and what is in place. */
const KEY = 10;
const PORTS = 8;
const ID = 9;
/** What stands in a key: addresses of four octets, of sixteen, or the number of a TCP stream. */
const IPV4_KIND = 4 << 16;
const IPV6_KIND = 6 << 16;
const TCP_KIND = 1 << 16;
const QUIC_KIND = 2 << 16;
/** A request of HTTP, over TCP and over QUIC. */
const HTTP_KIND = 3 << 16;
const HTTP3_KIND = 5 << 16;

/** What is known of an exchange: the frame of its first question and when that came, and the frame of the first answer, 0 while there is none. */
const QUESTION = 0;
const SECONDS = 1;
const NANOSECONDS = 2;
const ANSWER = 3;
/** Whether the question asks for a zone, which takes as many answers as it needs. */
const TRANSFER = 4;
const FACTS = 5;

const IXFR = 251;
const AXFR = 252;

export class DnsExchanges {
  private readonly exchanges = new RecentTable(KEY, FACTS, MOST_EXCHANGES);

  /** Exchanges that are remembered. */
  get held(): number {
    return this.exchanges.held;
  }

  /** Look at a message and tell it, and the frame's Info column, of its place. */
  see(frame: Frame, dns: Dns): void {
    if (dns.quoted) return;
    identify(this.exchanges.key, frame, dns);
    const known = this.exchanges.find();
    if (dns.bytes[dns.start + 2]! & 0x80) this.answer(frame, dns, known);
    else this.ask(frame, dns, known);
    // A message that contradicts itself, or whose other fragments never came, takes its place but claims nothing; one that
    // the capture cut short was whole on the wire.
    if (!dns.whole && dns.captured === dns.end) dns.exchange = undefined;
  }

  private ask(frame: Frame, dns: Dns, known: number): void {
    const { exchanges } = this;
    const at = known < 0 ? exchanges.add() : known;
    const { facts } = exchanges;
    const { number, seconds, nanoseconds } = frame;
    if (
      known >= 0 &&
      facts[at + ANSWER] === 0 &&
      between(seconds, nanoseconds, facts[at + SECONDS]!, facts[at + NANOSECONDS]!) < REPEAT_TIME
    ) {
      const repeats = facts[at + QUESTION]!;
      dns.exchange = { repeats };
      frame.remark = ` · asked in #${repeats} already`;
      return;
    }
    facts[at + QUESTION] = number;
    facts[at + SECONDS] = seconds;
    facts[at + NANOSECONDS] = nanoseconds;
    facts[at + ANSWER] = 0;
    facts[at + TRANSFER] = asksForZone(dns) ? 1 : 0;
  }

  private answer(frame: Frame, dns: Dns, at: number): void {
    if (at < 0) {
      dns.exchange = { unsolicited: true };
      return;
    }
    const { facts } = this.exchanges;
    const answered = facts[at + ANSWER]!;
    if (answered !== 0 && facts[at + TRANSFER] === 0) {
      dns.exchange = { repeats: answered };
      frame.remark = ` · answered in #${answered} already`;
      return;
    }
    if (answered === 0) facts[at + ANSWER] = frame.number;
    const time = between(frame.seconds, frame.nanoseconds, facts[at + SECONDS]!, facts[at + NANOSECONDS]!);
    const answer: Answer = { request: facts[at + QUESTION]!, time };
    dns.exchange = frame.answer = answer;
  }
}

/** A zone comes in several messages with one id (RFC 5936 section 2.2, RFC 1995 section 4); is that what is asked for? */
function asksForZone(dns: Dns): boolean {
  const { bytes, start } = dns;
  const end = Math.min(dns.end, dns.captured);
  if (start + 6 > end || u16(bytes, start + 4) === 0) return false;
  // Names in questions are whole; each label takes two octets at least.
  let at = start + 12;
  while (at < end && bytes[at]! > 0 && bytes[at]! < 64) at += 1 + bytes[at]!;
  if (at + 3 > end) return false;
  const type = u16(bytes, at + 1);
  return type === AXFR || type === IXFR;
}

/** Who a message is between and its id, the same for both directions: the lower address (or port) comes first. */
function identify(key: Uint32Array, frame: Frame, dns: Dns): void {
  const id = u16(dns.bytes, dns.start);
  const { transport } = frame;
  key.fill(0);
  if (dns.lane !== undefined) {
    [key[0], key[4]] = dns.lane;
    key[ID] = (dns instanceof DnsOverHttps ? (dns.overQuic ? HTTP3_KIND : HTTP_KIND) : QUIC_KIND) | id;
    return;
  }
  const direction = transport instanceof Tcp ? transport.direction : undefined;
  if (direction !== undefined) {
    key[0] = direction.conversation.number;
    key[ID] = TCP_KIND | id;
    return;
  }
  const from = transport === undefined ? 0 : u16(transport.bytes, transport.start);
  const to = transport === undefined ? 0 : u16(transport.bytes, transport.start + 2);
  const ip = frame.addressing;
  let swapped = from > to;
  key[ID] = id;
  if (ip instanceof Ipv4) {
    const source = u32(ip.bytes, ip.start + 12);
    const destination = u32(ip.bytes, ip.start + 16);
    if (source !== destination) swapped = source > destination;
    key[0] = swapped ? destination : source;
    key[4] = swapped ? source : destination;
    key[ID] = IPV4_KIND | id;
  } else if (ip instanceof Ipv6) {
    const { bytes, start } = ip;
    for (let i = start + 8; i < start + 24; i++) {
      if (bytes[i] === bytes[i + 16]) continue;
      swapped = bytes[i]! > bytes[i + 16]!;
      break;
    }
    for (let word = 0; word < 4; word++) {
      key[(swapped ? 4 : 0) + word] = u32(bytes, start + 8 + 4 * word);
      key[(swapped ? 0 : 4) + word] = u32(bytes, start + 24 + 4 * word);
    }
    key[ID] = IPV6_KIND | id;
  }
  key[PORTS] = swapped ? to * 0x10000 + from : from * 0x10000 + to;
}
