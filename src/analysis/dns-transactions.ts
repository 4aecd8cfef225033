/**
 * DNS transactions as people think of them: a question, how often it was asked, what came back, how long it took. Unlike
 * `dns.response_to` (dns-exchanges.ts), a repeated question is the same one however late it comes, a truncated answer
 * goes on over TCP, and a multicast question is answered by whoever knows.
 */
import { ipv4Text, ipv6Text } from '../core/addresses.js';
import type { Frame } from '../core/frame.js';
import type { Layer } from '../core/layer.js';
import { textOf, u16, u32 } from '../core/octets.js';
import { TextBuffer } from '../core/text.js';
import { between, isoText, type Nanoseconds } from '../core/time.js';
import { type Dns, HEADER_LENGTH } from '../dissectors/dns.js';
import { writeData } from '../dissectors/dns-info.js';
import { nameText, sameName, skipName } from '../dissectors/dns-names.js';
import { A, AAAA, ANY, CAA, CLASS, CNAME, HTTPS, OPT, RCODE_NAME, SOA, SVCB, TXT, typeName } from '../dissectors/dns-values.js';
import { type Aged, AgeOrder } from './age-order.js';

/** A record of an answer. */
export interface DnsAnswer {
  readonly name: string;
  readonly type: string;
  /** Seconds. */
  readonly ttl: number;
  /** What it holds, where that has a short form: an address, a name, `10 mx.example`. */
  readonly data?: string;
}

/** What became of a question. */
export type DnsOutcome = 'answered' | 'unanswered' | 'unasked';

/** A question with its answer: what `netlens dns` prints, and with `--json` a line each. */
export interface DnsTransaction {
  readonly type: 'dns';
  /** First question, or the answer where no question was captured; ISO 8601 UTC. */
  readonly time: string;
  /** The same in seconds since 1970, nine decimals. */
  readonly time_epoch: string;
  readonly transport: 'udp' | 'tcp' | 'mdns' | 'llmnr';
  readonly client: string;
  readonly client_port: number;
  /** Who was asked; for multicast questions who answered, else the group. */
  readonly server: string;
  readonly server_port: number;
  readonly id: number;
  /** Undefined when the message holds none. */
  readonly question: { readonly name: string; readonly type: string; readonly class: string } | undefined;
  readonly outcome: DnsOutcome;
  /** What an ICMP error said of the question: `Destination unreachable (Port unreachable)`. */
  readonly error: string | undefined;
  /** `NOERROR`, `NXDOMAIN`, …; undefined without an answer. */
  readonly rcode: string | undefined;
  readonly answers: readonly DnsAnswer[];
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
  /** Answered ones remembered at once, to know answers that come again. */
  readonly mostDone: number;
  /** Seconds of packet time after the last question until it counts as unanswered. */
  readonly patience: number;
  /** The same for a truncated answer to be followed by a question over TCP. */
  readonly tcpPatience: number;
}

const LIMITS: DnsTransactionLimits = { most: 65_536, mostDone: 16_384, patience: 30, tcpPatience: 10 };

/** Records of one answer that are kept. */
const MOST_ANSWERS = 512;

interface Pending extends Aged<Pending> {
  readonly key: string;
  readonly transport: DnsTransaction['transport'];
  readonly client: string;
  readonly clientPort: number;
  server: string;
  readonly serverPort: number;
  readonly id: number;
  readonly question: DnsTransaction['question'];
  readonly recursionDesired: boolean;
  /** The first question. */
  seconds: number;
  nanoseconds: number;
  /** The last one. */
  lastSeconds: number;
  lastNanoseconds: number;
  readonly questionFrames: number[];
  readonly answerFrames: number[];
  retries: number;
  truncated: boolean;
  error: string | undefined;
  /** Told already; kept so that answers that come again are known. */
  done: boolean;
  /** A truncated answer, told when no question over TCP follows. */
  held: DnsTransaction | undefined;
}

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
  private readonly pending = new Map<string, Pending>();
  /** Those that are open, by the last question. */
  private readonly order = new AgeOrder<Pending>();
  /** Those that were answered, by the answer. */
  private readonly doneOrder = new AgeOrder<Pending>();
  private doneCount = 0;
  /** Truncated answers by client, server and question, until TCP takes over or {@link DnsTransactionLimits.tcpPatience} ends. */
  private readonly truncated = new Map<string, Pending>();
  private readonly truncatedOrder = new AgeOrder<Pending>();

  constructor(
    /** Gets each transaction when its answer came, or when it is given up. */
    private readonly emit: (transaction: DnsTransaction) => void,
    private readonly limits: DnsTransactionLimits = LIMITS,
  ) {}

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
    const talk = talkOf(frame, dns);
    if (dns.kind === 'mdns' && talk.srcPort === talk.dstPort) {
      if (response) this.announce(frame, dns, talk);
      else this.askAll(frame, dns, talk);
      return;
    }
    const asked = response ? reversed(talk) : talk;
    const id = u16(b, start);
    const key = keyOf(asked, id);
    const question = questionAt(dns, start + HEADER_LENGTH);
    if (response) this.answer(frame, dns, asked, key, id, question);
    else this.ask(frame, dns, asked, key, id, question);
  }

  /** The capture is over: everything still open is told. */
  finish(): void {
    for (let { oldest } = this.truncatedOrder; oldest !== undefined; oldest = this.truncatedOrder.oldest) this.endTruncated(oldest);
    for (let { oldest } = this.order; oldest !== undefined; oldest = this.order.oldest) this.close(oldest);
  }

  /** A question that an ICMP error quotes: it did not arrive. */
  private refused(frame: Frame, dns: Dns): void {
    if (dns.bytes[dns.start + 2]! & 0x80) return;
    const pending = this.pending.get(keyOf(talkOf(frame, dns), u16(dns.bytes, dns.start)));
    if (pending === undefined || pending.done) return;
    const icmp = frame.layers.find(({ protocol }) => protocol.name === 'icmp' || protocol.name === 'icmpv6');
    scratch.clear();
    icmp?.summary(scratch);
    pending.error = scratch.toString();
  }

  private ask(frame: Frame, dns: Dns, talk: Talk, key: string, id: number, question: DnsTransaction['question']): void {
    const found = this.pending.get(key);
    if (found !== undefined && !found.done && sameQuestion(found.question, question)) {
      again(found, frame);
      this.order.touch(found);
      return;
    }
    const pending = open(frame, dns, talk, key, id, question);
    if (talk.transport === 'tcp') this.continueOverTcp(pending, talk);
    this.begin(pending);
  }

  /** Put in a new one, in place of one of its key. */
  private begin(pending: Pending): void {
    const before = this.pending.get(pending.key);
    if (before !== undefined) this.close(before);
    this.pending.set(pending.key, pending);
    this.order.add(pending);
    if (this.pending.size - this.doneCount <= this.limits.most) return;
    this.counts.evicted++;
    this.close(this.order.oldest!);
  }

  /** It was answered; remembered for a while, as answers come again. */
  private settle(pending: Pending): void {
    pending.done = true;
    this.order.remove(pending);
    this.doneOrder.add(pending);
    if (++this.doneCount > this.limits.mostDone) this.close(this.doneOrder.oldest!);
  }

  /** Time of the first question of the one that has been open the longest; undefined when none is. */
  get oldestOpen(): { readonly seconds: number; readonly nanoseconds: number } | undefined {
    const open = this.order.oldest;
    const held = this.truncatedOrder.oldest;
    if (open === undefined || held === undefined) return open ?? held;
    return held.seconds < open.seconds || (held.seconds === open.seconds && held.nanoseconds < open.nanoseconds) ? held : open;
  }

  /** Forget one, and tell of it if nothing came. */
  private close(pending: Pending): void {
    this.pending.delete(pending.key);
    if (pending.done) {
      this.doneOrder.remove(pending);
      this.doneCount--;
      return;
    }
    this.order.remove(pending);
    // A truncated answer whose question over TCP came to nothing is still an answer.
    this.tell(pending.held ?? unanswered(pending));
  }

  /** No question over TCP follows a truncated answer: it was all there is. */
  private endTruncated(pending: Pending): void {
    this.forgetTruncated(pending);
    this.tell(pending.held!);
  }

  private forgetTruncated(pending: Pending): void {
    this.truncated.delete(pending.key);
    this.truncatedOrder.remove(pending);
  }

  /** A question over TCP that a truncated answer led to. */
  private continueOverTcp(pending: Pending, talk: Talk): void {
    const key = truncatedKey(talk, pending.question);
    const before = this.truncated.get(key);
    if (before === undefined) return;
    this.forgetTruncated(before);
    pending.truncated = true;
    pending.questionFrames.unshift(...before.questionFrames);
    pending.answerFrames.push(...before.answerFrames);
    pending.retries = before.retries;
    pending.held = before.held;
    // The whole began with the question over UDP.
    pending.seconds = before.seconds;
    pending.nanoseconds = before.nanoseconds;
  }

  private answer(frame: Frame, dns: Dns, talk: Talk, key: string, id: number, question: DnsTransaction['question']): void {
    let found = this.pending.get(key);
    if (found?.done) {
      this.counts.repeated++;
      return;
    }
    // The id may have been guessed or used again; an answer to another question answers nothing.
    if (found !== undefined && question !== undefined && !sameQuestion(found.question, question)) found = undefined;
    if (found === undefined) {
      const unasked = open(frame, dns, talk, key, id, question);
      unasked.questionFrames.length = 0;
      unasked.answerFrames.push(frame.number);
      this.tell(answered(frame, dns, unasked, 'unasked'));
      return;
    }
    if (talk.transport === 'llmnr') found.server = talk.destination;
    found.answerFrames.push(frame.number);
    this.settle(found);
    const truncated = (dns.bytes[dns.start + 2]! & 0x02) !== 0;
    if (truncated) found.truncated = true;
    const transaction = answered(frame, dns, found, 'answered');
    found.held = undefined;
    if (truncated && talk.transport === 'udp') {
      const key = truncatedKey(talk, found.question);
      const before = this.truncated.get(key);
      if (before !== undefined) this.endTruncated(before);
      const held = { ...found, key, held: transaction, lastSeconds: frame.seconds, older: undefined, newer: undefined };
      this.truncated.set(key, held);
      this.truncatedOrder.add(held);
      if (this.truncated.size > this.limits.most) this.endTruncated(this.truncatedOrder.oldest!);
    } else this.tell(transaction);
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
      if (found !== undefined && !found.done) {
        // Somebody else who asks the same will be served by the same answer.
        if (found.client === talk.source) again(found, frame);
        continue;
      }
      this.begin(open(frame, dns, talk, key, u16(dns.bytes, dns.start), question));
    }
  }

  /** A multicast answer goes to all whose question it answers. */
  private announce(frame: Frame, dns: Dns, talk: Talk): void {
    let any = false;
    for (const { name, type } of recordsOf(dns).answers) {
      for (const asked of [type, typeName(ANY)]) {
        const found = this.pending.get(`mdns ${asked} ${name.toLowerCase()}`);
        if (found === undefined || found.done) continue;
        any = true;
        this.settle(found);
        found.server = talk.source;
        found.answerFrames.push(frame.number);
        this.tell(answered(frame, dns, found, 'answered'));
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
      oldest !== undefined && oldest.lastSeconds + tcpPatience <= now;
      oldest = this.truncatedOrder.oldest
    )
      this.endTruncated(oldest);
    for (let { oldest } = this.order; oldest !== undefined && oldest.lastSeconds + patience <= now; oldest = this.order.oldest)
      this.close(oldest);
    for (let { oldest } = this.doneOrder; oldest !== undefined && oldest.lastSeconds + patience <= now; oldest = this.doneOrder.oldest)
      this.close(oldest);
  }
}

function open(frame: Frame, dns: Dns, talk: Talk, key: string, id: number, question: DnsTransaction['question']): Pending {
  return {
    key,
    transport: talk.transport,
    client: talk.source,
    clientPort: talk.srcPort,
    server: talk.destination,
    serverPort: talk.dstPort,
    id,
    question,
    recursionDesired: dns.kind === 'dns' && (dns.bytes[dns.start + 2]! & 0x01) !== 0,
    seconds: frame.seconds,
    nanoseconds: frame.nanoseconds,
    lastSeconds: frame.seconds,
    lastNanoseconds: frame.nanoseconds,
    questionFrames: [frame.number],
    answerFrames: [],
    retries: 0,
    truncated: false,
    error: undefined,
    done: false,
    held: undefined,
    older: undefined,
    newer: undefined,
  };
}

function again(pending: Pending, frame: Frame): void {
  pending.retries++;
  pending.questionFrames.push(frame.number);
  pending.lastSeconds = frame.seconds;
  pending.lastNanoseconds = frame.nanoseconds;
}

/** Whoever knows answers an LLMNR question, from an address of its own. */
const keyOf = ({ transport, source, srcPort, destination, dstPort }: Talk, id: number) =>
  `${transport} ${source} ${srcPort} ${transport === 'llmnr' ? '' : destination} ${dstPort} ${id}`;

const truncatedKey = (talk: Talk, question: DnsTransaction['question']) =>
  `${talk.source} ${talk.destination} ${question?.type} ${question?.name.toLowerCase()}`;

const sameQuestion = (a: DnsTransaction['question'], b: DnsTransaction['question']): boolean =>
  a === b || (a !== undefined && b !== undefined && a.type === b.type && sameName(a.name, b.name));

const reversed = (talk: Talk): Talk => ({
  source: talk.destination,
  destination: talk.source,
  srcPort: talk.dstPort,
  dstPort: talk.srcPort,
  transport: talk.transport,
});

function talkOf(frame: Frame, dns: Dns): Talk {
  const { transport } = frame;
  const srcPort = transport === undefined ? 0 : u16(transport.bytes, transport.start);
  const dstPort = transport === undefined ? 0 : u16(transport.bytes, transport.start + 2);
  const over = dns.kind !== 'dns' ? dns.kind : dns.prefixed === undefined ? 'udp' : 'tcp';
  const ip = frame.addressing as unknown as Layer | undefined;
  if (ip?.protocol.name === 'ip')
    return {
      source: ipv4Text(u32(ip.bytes, ip.start + 12)),
      destination: ipv4Text(u32(ip.bytes, ip.start + 16)),
      srcPort,
      dstPort,
      transport: over,
    };
  if (ip?.protocol.name === 'ipv6')
    return { source: ipv6Text(ip.bytes, ip.start + 8), destination: ipv6Text(ip.bytes, ip.start + 24), srcPort, dstPort, transport: over };
  return { source: '', destination: '', srcPort, dstPort, transport: over };
}

function questionAt(dns: Dns, at: number): DnsTransaction['question'] {
  const { bytes: b, start, captured } = dns;
  if (u16(b, start + 4) === 0) return undefined;
  const end = skipName(b, at, captured);
  const name = end < 0 || end + 4 > captured ? undefined : nameText(b, at, start, captured);
  if (name === undefined) return undefined;
  const number = u16(b, end + 2) & (dns.kind === 'mdns' ? 0x7fff : 0xffff);
  return { name, type: typeName(u16(b, end)), class: CLASS[number] ?? String(number) };
}

const scratch = new TextBuffer(1024);

interface Records {
  readonly answers: DnsAnswer[];
  readonly zone: string | undefined;
  /** The upper eight bits of the response code, from EDNS. */
  readonly extendedRcode: number;
}

/** Records of the answer section, the zone of the first SOA record after it, and what EDNS adds to the response code. */
function recordsOf(dns: Dns): Records {
  const { bytes: b, start, captured } = dns;
  const answers: DnsAnswer[] = [];
  let zone: string | undefined;
  let extendedRcode = 0;
  let at = start + HEADER_LENGTH;
  for (let left = u16(b, start + 4); left > 0 && at >= 0; left--) {
    at = skipName(b, at, captured);
    if (at >= 0) at += 4;
  }
  const count = u16(b, start + 6);
  const all = count + u16(b, start + 8) + u16(b, start + 10);
  // Each record advances by at least its fixed octets.
  for (let i = 0; i < all && at >= 0; i++) {
    const owner = at;
    at = skipName(b, owner, captured);
    if (at < 0 || at + 10 > captured) break;
    const type = u16(b, at);
    const data = at + 10;
    const end = data + u16(b, at + 8);
    if (end > captured) break;
    if (i < count && answers.length < MOST_ANSWERS) {
      scratch.clear();
      if (type === TXT) writeTexts(b, data, end);
      else if (type === CAA) writeAuthorization(b, data, end);
      else if (type === SVCB || type === HTTPS) writeService(b, data, end, start, captured);
      else writeData(scratch, type, b, owner, data, end, start, captured);
      const text = scratch.toString().trimStart();
      answers.push({
        name: nameText(b, owner, start, captured) ?? '',
        type: typeName(type),
        ttl: u32(b, at + 4),
        ...(text !== '' && { data: text }),
      });
    } else if (type === SOA) zone ??= nameText(b, owner, start, captured);
    else if (type === OPT) extendedRcode = b[at + 4]!;
    at = end;
  }
  return { answers, zone, extendedRcode };
}

/** `"v=spf1" "-all"`. */
function writeTexts(b: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; at += 1 + b[at]!) {
    scratch.ascii(at > start ? ' "' : '"');
    scratch.text(textOf(b, at + 1, Math.min(at + 1 + b[at]!, end)));
    scratch.byte(34);
  }
}

/** `0 issue "ca.test"` (RFC 8659 section 4.1.1). */
function writeAuthorization(b: Uint8Array, start: number, end: number): void {
  const value = start + 2 + b[start + 1]!;
  if (value > end) return;
  scratch.number(b[start]!);
  scratch.byte(32);
  scratch.text(textOf(b, start + 2, value));
  scratch.ascii(' "');
  scratch.text(textOf(b, value, end));
  scratch.byte(34);
}

/** `1 svc.test`: priority and target, of which the root stands for the name itself (RFC 9460 section 2.5). */
function writeService(b: Uint8Array, start: number, end: number, base: number, limit: number): void {
  const target = start + 3 <= end ? nameText(b, start + 2, base, limit) : undefined;
  if (target === undefined) return;
  scratch.number(u16(b, start));
  scratch.byte(32);
  scratch.text(target === '<Root>' ? '.' : target);
}

/** Follow aliases from the name asked for; each is taken once, so a loop of them ends. */
function follow(question: DnsTransaction['question'], answers: readonly DnsAnswer[]): { aliases: string[]; addresses: string[] } {
  const aliases: string[] = [];
  let name = question?.name;
  if (name !== undefined)
    for (let i = 0; i < answers.length; i++) {
      const alias = answers.find((a) => a.type === 'CNAME' && a.data !== undefined && sameName(a.name, name!) && !aliases.includes(a.data));
      if (alias === undefined || question!.type === typeName(CNAME)) break;
      aliases.push(alias.data!);
      name = alias.data!;
    }
  const all = answers.filter((a) => a.type === typeName(A) || a.type === typeName(AAAA));
  const own = all.filter((a) => name === undefined || sameName(a.name, name));
  return { aliases, addresses: own.flatMap((a) => a.data ?? []) };
}

function answered(frame: Frame, dns: Dns, pending: Pending, outcome: DnsOutcome): DnsTransaction {
  const { bytes: b, start } = dns;
  const { answers, zone, extendedRcode } = recordsOf(dns);
  const rcode = (b[start + 3]! & 15) | (extendedRcode << 4);
  const plain = dns.kind === 'dns';
  return {
    ...common(pending, outcome),
    rcode: RCODE_NAME[rcode] ?? `RCODE${rcode}`,
    answers,
    ...follow(pending.question, answers),
    zone: answers.length === 0 ? zone : undefined,
    recursion_available: plain && (b[start + 3]! & 0x80) !== 0,
    authoritative: plain && (b[start + 2]! & 0x04) !== 0,
    latency: outcome === 'unasked' ? undefined : between(frame.seconds, frame.nanoseconds, pending.seconds, pending.nanoseconds),
  };
}

const unanswered = (pending: Pending): DnsTransaction => ({
  ...common(pending, 'unanswered'),
  rcode: undefined,
  answers: [],
  aliases: [],
  addresses: [],
  zone: undefined,
  recursion_available: false,
  authoritative: false,
  latency: undefined,
});

function common(pending: Pending, outcome: DnsOutcome) {
  const { seconds, nanoseconds } = pending;
  return {
    type: 'dns' as const,
    time: isoText(seconds, nanoseconds),
    time_epoch: `${seconds}.${String(nanoseconds).padStart(9, '0')}`,
    transport: pending.transport,
    client: pending.client,
    client_port: pending.clientPort,
    server: pending.server,
    server_port: pending.serverPort,
    id: pending.id,
    question: pending.question,
    outcome,
    recursion_desired: pending.recursionDesired,
    truncated: pending.truncated,
    error: pending.error,
    asked_for: between(pending.lastSeconds, pending.lastNanoseconds, seconds, nanoseconds),
    question_frames: [...pending.questionFrames],
    answer_frames: [...pending.answerFrames],
    retries: pending.retries,
  };
}
