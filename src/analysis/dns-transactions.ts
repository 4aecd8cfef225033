/**
 * DNS transactions as people think of them: a question, how often it was asked, what came back, how long it took. Unlike
 * `dns.response_to` (dns-exchanges.ts), a repeated question is the same one however late it comes, a truncated answer
 * goes on over TCP, and a multicast question is answered by whoever knows.
 */
import { ipv4Text, ipv6Text } from '../core/addresses.js';
import type { Frame } from '../core/frame.js';
import { u16, u32 } from '../core/octets.js';
import { TextBuffer } from '../core/text.js';
import { between, type Nanoseconds } from '../core/time.js';
import { type Dns, HEADER_LENGTH } from '../dissectors/dns.js';
import { sameName, skipName } from '../dissectors/dns-names.js';
import { A, AAAA, ANY, AXFR, CNAME, IXFR, OPCODE_NAME, QUERY, RCODE_NAME, TYPE, typeName } from '../dissectors/dns-values.js';
import { DnsOverHttps } from '../dissectors/doh.js';
import { Ipv4 } from '../dissectors/ipv4.js';
import { Ipv6 } from '../dissectors/ipv6.js';
import { type Aged, AgeOrder } from './age-order.js';
import { type DnsAnswer, type DnsQuestion, MOST_ANSWERS, questionAt, type Records, recordsOf } from './dns-answers.js';
import { RecentTable } from './recent-table.js';

/** What became of a question. */
export type DnsOutcome = 'answered' | 'unanswered' | 'unasked';

/** A question with its answer: what `netlens dns` prints. Whoever gets one may keep it: it is left alone from then on. */
export interface DnsTransaction {
  /** When the first question was seen, or the answer where no question was captured: seconds since 1970 and nanoseconds. */
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly transport: (typeof TRANSPORTS)[number];
  readonly client: string;
  readonly client_port: number;
  /** Who was asked; for multicast questions who answered, else the group. */
  readonly server: string;
  readonly server_port: number;
  readonly id: number;
  /** `UPDATE`, `NOTIFY`, …; undefined when it only asks. */
  readonly opcode: string | undefined;
  /** Undefined when the message holds none. */
  readonly question: DnsQuestion | undefined;
  readonly outcome: DnsOutcome;
  /** What an ICMP error said of the question: `Destination unreachable (Port unreachable)`. */
  readonly error: string | undefined;
  /** `NOERROR`, `NXDOMAIN`, …; undefined without an answer. */
  readonly rcode: string | undefined;
  readonly answers: readonly DnsAnswer[];
  /** Records of a zone transfer, in all its messages; {@link answers} has the first of them. */
  readonly transferred: number | undefined;
  /** Names that the question was led on to, in order. */
  readonly aliases: readonly string[];
  /** What the last of them, or the question itself, resolves to. */
  readonly addresses: readonly string[];
  /** Zone of the SOA record that comes with a negative answer. */
  readonly zone: string | undefined;
  readonly recursion_desired: boolean;
  readonly recursion_available: boolean;
  readonly authoritative: boolean;
  /** An answer was cut to fit a datagram. */
  readonly truncated: boolean;
  /** From the first question to the answer; the last one where several were needed. */
  readonly latency: Nanoseconds | undefined;
  /** From the first question to the last one, where it was asked again. */
  readonly asked_for: Nanoseconds;
  /** Frames of the questions, in order. */
  readonly question_frames: readonly number[];
  /** Frames of the answers: two where the first was truncated. */
  readonly answer_frames: readonly number[];
  /** Questions after the first, over the same transport. */
  readonly retries: number;
}

/** What was seen, so that nobody takes silence for health. */
export interface DnsCounts {
  /** Messages looked at. */
  messages: number;
  answered: number;
  unanswered: number;
  /** Answers to questions that were not captured. */
  unasked: number;
  /** Answers that came again. */
  repeated: number;
  /** Multicast messages that announce without having been asked. */
  announced: number;
  /** Messages that contradict themselves or were cut by the capture before their question ended. */
  unreadable: number;
  /** Open transactions given up because there were too many. */
  evicted: number;
}

/** How much is remembered, and for how long. */
export interface DnsTransactionLimits {
  /** Open questions remembered at once. */
  readonly most: number;
  /** Answered ones remembered at once, to know answers that come again: at least so many. */
  readonly mostDone: number;
  /** Seconds of packet time after the last question until it counts as unanswered. */
  readonly patience: number;
  /** The same for a truncated answer to be followed by a question over TCP. */
  readonly tcpPatience: number;
}

const LIMITS: DnsTransactionLimits = { most: 65_536, mostDone: 16_384, patience: 30, tcpPatience: 10 };

/** A transaction under way. */
type Lookup = { -readonly [K in keyof DnsTransaction]: DnsTransaction[K] } & {
  readonly question_frames: number[];
};

/** A transaction that waits for something. */
interface Entry extends Aged<Entry> {
  readonly key: string;
  readonly lookup: Lookup;
  /** The truncated answer that it goes on from, told when nothing comes over TCP. */
  readonly held: Lookup | undefined;
  /** Time of the last question; of the answer where that was truncated or goes on. */
  seconds: number;
  /** Of the zone that is transferred, once its first message came. */
  serial: number | undefined;
}

/** Words of a key: who asks, who is asked, their ports, and the transaction id with the transport. */
const KEY = 10;
const PORTS = 8;
const ID = 9;
/** Where the number of the transport stands in {@link ID}. */
const OVER = 16;
const TRANSPORTS = ['udp', 'tcp', 'mdns', 'llmnr', 'quic', 'https', 'http3'] as const;
const MDNS = 2;
const LLMNR = 3;
const QUIC = 4;
const HTTPS = 5;
const HTTP3 = 6;

interface Talk {
  readonly source: string;
  readonly destination: string;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly transport: DnsTransaction['transport'];
}

/** Questions with their answers, whatever they travel in: give it to a session as `dnsTransactions`. */
export class DnsTransactions {
  readonly counts: DnsCounts = {
    messages: 0,
    answered: 0,
    unanswered: 0,
    unasked: 0,
    repeated: 0,
    announced: 0,
    unreadable: 0,
    evicted: 0,
  };
  private readonly pending = new Map<string, Entry>();
  /** They, by the last question. */
  private readonly order = new AgeOrder<Entry>();
  /** When those that are over were answered, in seconds. */
  private readonly done: RecentTable;
  /** Truncated answers by client, server and question, until TCP takes over or {@link DnsTransactionLimits.tcpPatience} ends. */
  private readonly truncated = new Map<string, Entry>();
  private readonly truncatedOrder = new AgeOrder<Entry>();

  constructor(
    /** Gets each transaction when its answer came, or when it is given up. */
    private readonly emit: (transaction: DnsTransaction) => void,
    private readonly limits: DnsTransactionLimits = LIMITS,
  ) {
    this.done = new RecentTable(KEY, 1, limits.mostDone);
  }

  /** Look at a message. */
  see(frame: Frame, dns: Dns): void {
    if (dns.quoted) return this.refused(frame, dns);
    this.counts.messages++;
    this.expire(frame.seconds);
    const { bytes: b, start } = dns;
    const response = (b[start + 2]! & 0x80) !== 0;
    if (frame.stopped?.layer === dns && frame.stopped.reason === 'malformed') {
      this.counts.unreadable++;
      return;
    }
    if (dns.kind === 'mdns') {
      const talk = talkOf(frame, dns, false);
      if (talk.srcPort === talk.dstPort) {
        if (response) this.announce(frame, dns, talk);
        else this.askAll(frame, dns, talk);
        return;
      }
    }
    const key = this.keyOf(frame, dns, response);
    const question = questionAt(dns, start + HEADER_LENGTH);
    if (response) this.answer(frame, dns, key, question);
    else this.ask(frame, dns, key, question);
  }

  /** The capture is over: everything still open is told. */
  finish(): void {
    for (let { oldest } = this.truncatedOrder; oldest !== undefined; oldest = this.truncatedOrder.oldest) this.endTruncated(oldest);
    for (let { oldest } = this.order; oldest !== undefined; oldest = this.order.oldest) this.close(oldest);
  }

  /** A question that an ICMP error quotes: it did not arrive. */
  private refused(frame: Frame, dns: Dns): void {
    if (dns.bytes[dns.start + 2]! & 0x80) return;
    const lookup = this.pending.get(this.keyOf(frame, dns, false))?.lookup;
    if (lookup === undefined) return;
    const icmp = frame.layers.find(({ protocol }) => protocol.name === 'icmp' || protocol.name === 'icmpv6');
    const out = new TextBuffer(256);
    icmp?.summary(out);
    lookup.error = out.toString();
  }

  /** What stands for who asked whom under which id; written into the key of {@link done}, too. */
  private keyOf(frame: Frame, dns: Dns, reversed: boolean): string {
    const { key } = this.done;
    const short = writeKey(key, frame, dns, reversed);
    const ports = key[PORTS]!;
    const id = key[ID]!;
    let text = String.fromCharCode(ports >>> 16, ports & 0xffff, id >>> 16, id & 0xffff);
    for (let i = 0; i < PORTS; i += short ? 4 : 1) text += String.fromCharCode(key[i]! >>> 16, key[i]! & 0xffff);
    return text;
  }

  private ask(frame: Frame, dns: Dns, key: string, question: DnsQuestion | undefined): void {
    const found = this.pending.get(key);
    if (found !== undefined && sameQuestion(found.lookup.question, question)) {
      again(found, found.lookup, frame);
      this.order.touch(found);
      return;
    }
    const done = this.done.find();
    if (done >= 0) this.done.facts[done] = Number.NEGATIVE_INFINITY;
    const talk = talkOf(frame, dns, false);
    const lookup = open(frame, dns, talk, question);
    this.begin(key, lookup, talk.transport === 'tcp' ? this.continueOverTcp(frame, lookup, talk) : undefined, frame.seconds);
  }

  /** Put in a new one, in place of one of its key. */
  private begin(key: string, lookup: Lookup, held: Lookup | undefined, seconds: number): void {
    const before = this.pending.get(key);
    if (before !== undefined) this.close(before);
    const entry: Entry = { key, lookup, held, seconds, serial: undefined, older: undefined, newer: undefined };
    this.pending.set(key, entry);
    this.order.add(entry);
    if (this.pending.size <= this.limits.most) return;
    this.counts.evicted++;
    this.close(this.order.oldest!);
  }

  /** It is not waited for any more. */
  private forget(entry: Entry): void {
    this.pending.delete(entry.key);
    this.order.remove(entry);
  }

  /** The one that has been open the longest; undefined when none is. */
  get oldestOpen(): { readonly seconds: number; readonly nanoseconds: number } | undefined {
    const open = this.order.oldest?.lookup;
    const held = this.truncatedOrder.oldest?.lookup;
    if (open === undefined || held === undefined) return open ?? held;
    return held.seconds < open.seconds || (held.seconds === open.seconds && held.nanoseconds < open.nanoseconds) ? held : open;
  }

  /** Forget one that nothing came of, and tell of it. */
  private close(entry: Entry): void {
    this.forget(entry);
    // A truncated answer whose question over TCP came to nothing is still an answer.
    this.tell(entry.held ?? entry.lookup);
  }

  /** No question over TCP follows a truncated answer: it was all there is. */
  private endTruncated(entry: Entry): void {
    this.forgetTruncated(entry);
    this.tell(entry.lookup);
  }

  private forgetTruncated(entry: Entry): void {
    this.truncated.delete(entry.key);
    this.truncatedOrder.remove(entry);
  }

  /** The truncated answer that led to a question over TCP, if one did. The whole began with the question over UDP. */
  private continueOverTcp(frame: Frame, lookup: Lookup, talk: Talk): Lookup | undefined {
    const entry = this.truncated.get(truncatedKey(talk, lookup.question));
    const before = entry?.lookup;
    if (entry === undefined || before === undefined) return undefined;
    this.forgetTruncated(entry);
    lookup.truncated = true;
    lookup.question_frames.unshift(...before.question_frames);
    lookup.answer_frames = before.answer_frames;
    lookup.retries = before.retries;
    lookup.seconds = before.seconds;
    lookup.nanoseconds = before.nanoseconds;
    lookup.asked_for = between(frame.seconds, frame.nanoseconds, before.seconds, before.nanoseconds);
    return before;
  }

  private answer(frame: Frame, dns: Dns, key: string, question: DnsQuestion | undefined): void {
    const { done } = this;
    const found = this.pending.get(key);
    const known = done.find();
    if (found === undefined && known >= 0 && done.facts[known]! + this.limits.patience > frame.seconds) {
      this.counts.repeated++;
      return;
    }
    const lookup = found?.lookup;
    // The id may have been guessed or used again; an answer to another question answers nothing.
    if (found === undefined || lookup === undefined || (question !== undefined && !sameQuestion(lookup.question, question))) {
      const unasked = open(frame, dns, talkOf(frame, dns, true), question);
      unasked.question_frames.length = 0;
      fill(unasked, frame, dns, 'unasked');
      this.tell(unasked);
      return;
    }
    if (lookup.transport === 'tcp' && isTransfer(lookup.question)) {
      if (this.transfers(found, frame, dns)) return;
    } else fill(lookup, frame, dns, 'answered');
    this.forget(found);
    const at = known < 0 ? done.add() : known;
    done.facts[at] = frame.seconds;
    if (dns.kind !== 'dns') lookup.server = talkOf(frame, dns, true).destination;
    if ((dns.bytes[dns.start + 2]! & 0x02) === 0 || lookup.transport !== 'udp') {
      this.tell(lookup);
      return;
    }
    const talk = talkOf(frame, dns, true);
    const kept = truncatedKey(talk, lookup.question);
    const before = this.truncated.get(kept);
    if (before !== undefined) this.endTruncated(before);
    const entry: Entry = {
      key: kept,
      lookup,
      held: undefined,
      seconds: frame.seconds,
      serial: undefined,
      older: undefined,
      newer: undefined,
    };
    this.truncated.set(kept, entry);
    this.truncatedOrder.add(entry);
    if (this.truncated.size > this.limits.most) this.endTruncated(this.truncatedOrder.oldest!);
  }

  /**
   * A message of a zone transfer; will others follow? It ends with the SOA record that it began with (RFC 5936 section 2.2,
   * RFC 1995 section 4).
   */
  private transfers(entry: Entry, frame: Frame, dns: Dns): boolean {
    const { lookup } = entry;
    const { answers, transferred } = lookup;
    const { serials, count } = fill(lookup, frame, dns, 'answered');
    if (lookup.rcode !== 'NOERROR' || count === 0) return false;
    lookup.transferred = (transferred ?? 0) + count;
    if (transferred !== undefined) lookup.answers = [...answers, ...lookup.answers].slice(0, MOST_ANSWERS);
    const isFirst = entry.serial === undefined;
    if (isFirst) entry.serial = serials.first;
    // One record alone says that there is nothing new, or is the first of a message each (RFC 5936 section 2.2).
    const isAlone = isFirst && count === 1 && lookup.question!.type === TYPE[IXFR];
    if (entry.serial === undefined || isAlone || ((!isFirst || count > 1) && serials.last === entry.serial)) return false;
    entry.seconds = frame.seconds;
    this.order.touch(entry);
    return true;
  }

  /** Every question of a multicast message is a transaction of its own. */
  private askAll(frame: Frame, dns: Dns, talk: Talk): void {
    let at = dns.start + HEADER_LENGTH;
    // Bounded by what was captured: each question advances by at least five octets.
    for (let left = u16(dns.bytes, dns.start + 4); left > 0; left--) {
      const question = questionAt(dns, at);
      const end = skipName(dns.bytes, at, dns.captured);
      if (question === undefined || end < 0) return;
      at = end + 4;
      const key = `mdns ${question.type} ${question.name.toLowerCase()}`;
      const found = this.pending.get(key);
      if (found !== undefined) {
        // Somebody else who asks the same will be served by the same answer.
        if (found.lookup.client === talk.source) again(found, found.lookup, frame);
        continue;
      }
      this.begin(key, open(frame, dns, talk, question), undefined, frame.seconds);
    }
  }

  /** A multicast answer goes to all whose question it answers. */
  private announce(frame: Frame, dns: Dns, talk: Talk): void {
    let any = false;
    for (const { name, type } of recordsOf(dns).answers) {
      for (const asked of [type, typeName(ANY)]) {
        const found = this.pending.get(`mdns ${asked} ${name.toLowerCase()}`);
        if (found === undefined) continue;
        const { lookup } = found;
        any = true;
        this.forget(found);
        lookup.server = talk.source;
        fill(lookup, frame, dns, 'answered');
        this.tell(lookup);
      }
    }
    if (!any) this.counts.announced++;
  }

  private tell(transaction: DnsTransaction): void {
    this.counts[transaction.outcome]++;
    this.emit(transaction);
  }

  private expire(now: number): void {
    const { patience, tcpPatience } = this.limits;
    for (
      let { oldest } = this.truncatedOrder;
      oldest !== undefined && oldest.seconds + tcpPatience <= now;
      oldest = this.truncatedOrder.oldest
    )
      this.endTruncated(oldest);
    for (let { oldest } = this.order; oldest !== undefined && oldest.seconds + patience <= now; oldest = this.order.oldest)
      this.close(oldest);
  }
}

const NONE: readonly never[] = [];

function open(frame: Frame, dns: Dns, talk: Talk, question: DnsQuestion | undefined): Lookup {
  return {
    seconds: frame.seconds,
    nanoseconds: frame.nanoseconds,
    transport: talk.transport,
    client: talk.source,
    client_port: talk.srcPort,
    server: talk.destination,
    server_port: talk.dstPort,
    id: u16(dns.bytes, dns.start),
    opcode: opcodeOf(dns),
    question,
    outcome: 'unanswered',
    error: undefined,
    rcode: undefined,
    answers: NONE,
    transferred: undefined,
    aliases: NONE,
    addresses: NONE,
    zone: undefined,
    recursion_desired: dns.kind === 'dns' && (dns.bytes[dns.start + 2]! & 0x01) !== 0,
    recursion_available: false,
    authoritative: false,
    truncated: false,
    latency: undefined,
    asked_for: 0,
    question_frames: [frame.number],
    answer_frames: NONE,
    retries: 0,
  };
}

/** The same question, asked again. */
function again(entry: Entry, lookup: Lookup, frame: Frame): void {
  lookup.retries++;
  lookup.question_frames.push(frame.number);
  lookup.asked_for = between(frame.seconds, frame.nanoseconds, lookup.seconds, lookup.nanoseconds);
  entry.seconds = frame.seconds;
}

/** Write who asked whom under which id, seen from who asked; true where addresses take a word each. */
function writeKey(key: Uint32Array, frame: Frame, dns: Dns, reversed: boolean): boolean {
  const { addressing: ip, transport } = frame;
  const from = transport === undefined ? 0 : u16(transport.bytes, transport.start);
  const to = transport === undefined ? 0 : u16(transport.bytes, transport.start + 2);
  const over = carrierOf(dns);
  key.fill(0);
  key[PORTS] = reversed ? to * 0x10000 + from : from * 0x10000 + to;
  key[ID] = (over << OVER) | u16(dns.bytes, dns.start);
  if (dns.lane !== undefined) {
    [key[0], key[4]] = dns.lane;
    key[PORTS] = 0;
    return true;
  }
  const asker = reversed ? 4 : 0;
  const asked = 4 - asker;
  const isIpv6 = ip instanceof Ipv6;
  if (ip instanceof Ipv4) {
    key[asker] = u32(ip.bytes, ip.start + 12);
    key[asked] = u32(ip.bytes, ip.start + 16);
  } else if (isIpv6) {
    for (let word = 0; word < 4; word++) {
      key[asker + word] = u32(ip.bytes, ip.start + 8 + 4 * word);
      key[asked + word] = u32(ip.bytes, ip.start + 24 + 4 * word);
    }
  }
  // Whoever knows answers an LLMNR question, or a multicast one of somebody who asks once, from an address of its own.
  if (over === LLMNR || over === MDNS) key.fill(0, 4, PORTS);
  return !isIpv6;
}

/** The index of its transport in {@link TRANSPORTS}. */
const carrierOf = (dns: Dns): number => {
  if (dns.kind !== 'dns') return TRANSPORTS.indexOf(dns.kind);
  if (dns instanceof DnsOverHttps) return dns.overQuic ? HTTP3 : HTTPS;
  if (dns.lane !== undefined) return QUIC;
  return dns.prefixed === undefined ? 0 : 1;
};

const truncatedKey = (talk: Talk, question: DnsQuestion | undefined) =>
  `${talk.source} ${talk.destination} ${question?.type} ${question?.name.toLowerCase()}`;

const sameQuestion = (a: DnsQuestion | undefined, b: DnsQuestion | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.type === b.type && sameName(a.name, b.name));

/** Who talks to whom; the other way round for an answer, as seen from who asked. */
function talkOf(frame: Frame, dns: Dns, reversed: boolean): Talk {
  const { transport: carrier, addressing: ip } = frame;
  const from = carrier === undefined ? 0 : u16(carrier.bytes, carrier.start);
  const to = carrier === undefined ? 0 : u16(carrier.bytes, carrier.start + 2);
  let sender = '';
  let receiver = '';
  if (ip instanceof Ipv4) {
    sender = ipv4Text(u32(ip.bytes, ip.start + 12));
    receiver = ipv4Text(u32(ip.bytes, ip.start + 16));
  } else if (ip instanceof Ipv6) {
    sender = ipv6Text(ip.bytes, ip.start + 8);
    receiver = ipv6Text(ip.bytes, ip.start + 24);
  }
  const transport = TRANSPORTS[carrierOf(dns)]!;
  return reversed
    ? { source: receiver, destination: sender, srcPort: to, dstPort: from, transport }
    : { source: sender, destination: receiver, srcPort: from, dstPort: to, transport };
}

/** What the message does, where that is more than to ask or to answer. */
function opcodeOf({ bytes: b, start }: Dns): string | undefined {
  const opcode = (b[start + 2]! >> 3) & 15;
  return opcode === QUERY ? undefined : (OPCODE_NAME[opcode] ?? `OPCODE${opcode}`);
}

const isTransfer = (question: DnsQuestion | undefined): boolean => question?.type === TYPE[AXFR] || question?.type === TYPE[IXFR];

/** Longest chain of aliases that is followed; resolvers give up about here too. */
const MOST_ALIASES = 16;

/** Follow aliases from the name asked for; each is taken once, so a loop of them ends. */
function follow(lookup: Lookup): void {
  const { question, answers } = lookup;
  const aliases: string[] = [];
  let name = question?.name;
  if (question !== undefined && question.type !== TYPE[CNAME])
    while (aliases.length < MOST_ALIASES) {
      const alias = answers.find(
        (a) => a.type === TYPE[CNAME] && a.data !== undefined && sameName(a.name, name!) && !aliases.includes(a.data),
      );
      if (alias === undefined) break;
      name = alias.data!;
      aliases.push(name);
    }
  const addresses: string[] = [];
  for (const { type, name: owner, data } of answers)
    if ((type === TYPE[A] || type === TYPE[AAAA]) && data !== undefined && (name === undefined || sameName(owner, name)))
      addresses.push(data);
  if (aliases.length > 0) lookup.aliases = aliases;
  if (addresses.length > 0) lookup.addresses = addresses.slice();
}

/** Write the answer in `dns` into the transaction. */
function fill(lookup: Lookup, frame: Frame, dns: Dns, outcome: DnsOutcome): Records {
  const { bytes: b, start } = dns;
  const records = recordsOf(dns);
  const { answers, zone, extendedRcode } = records;
  const rcode = (b[start + 3]! & 15) | (extendedRcode << 4);
  const plain = dns.kind === 'dns';
  lookup.outcome = outcome;
  lookup.rcode = RCODE_NAME[rcode] ?? `RCODE${rcode}`;
  if (answers.length > 0) {
    // A copy has no room to grow, of which an array has most when it holds few things. Many of these may be kept.
    lookup.answers = answers.slice();
    follow(lookup);
  } else lookup.zone = zone;
  lookup.recursion_available = plain && (b[start + 3]! & 0x80) !== 0;
  lookup.authoritative = plain && (b[start + 2]! & 0x04) !== 0;
  if (b[start + 2]! & 0x02) lookup.truncated = true;
  if (outcome === 'answered') lookup.latency = between(frame.seconds, frame.nanoseconds, lookup.seconds, lookup.nanoseconds);
  lookup.answer_frames = lookup.answer_frames.length === 0 ? [frame.number] : [...lookup.answer_frames, frame.number];
  return records;
}
