/** DNS transactions for people and programs: a row each, statistics by name and type, and what was seen of it all. */
import type { DnsCounts, DnsTransaction } from '../analysis/dns-transactions.js';
import { safeText } from '../core/text.js';
import { durationText, isoText } from '../core/time.js';
import type { Tone } from '../output/theme.js';
import { communityId } from './community-id.js';
import { type Losses, lossRecord, lossTexts } from './coverage.js';
import { type Group, Groups, PERCENTILES } from './groups.js';
import { Latencies } from './latency.js';
import type { Cell, Giving } from './rolling-table.js';
import { cut, inSeconds, plural, relativeTime, type Signs, type Start, UNICODE_SIGNS, withoutMu } from './signs.js';

export const DNS_HEADINGS = ['time', 'client', 'server', 'question', 'answer', 'took', ''] as const;
/** The columns that stand at the right. */
export const DNS_RIGHT: ReadonlySet<number> = new Set([0, 5]);
/** On a narrow terminal answer and name make room for the rest. */
export const DNS_GIVES: readonly Giving[] = [
  { column: 4, least: 24 },
  { column: 3, least: 24 },
  { column: 4, least: 10 },
  { column: 2, least: 0 },
  { column: 1, least: 12 },
];

/** Addresses or records that a line names; the others are counted. */
const MOST_NAMED = 6;
/** Characters of an answer on a line; `--json` has all of it. */
const MOST_ANSWER = 90;
/** Ports that need no mention. */
const USUAL_PORTS = new Set([53, 5353, 5355]);

/** True when nothing came, or something else than the answer. */
export const isDnsError = ({ outcome, rcode }: DnsTransaction): boolean => outcome === 'unanswered' || rcode !== 'NOERROR';

/** The row of a transaction; `start` is the time of the first frame. */
export function dnsRow(t: DnsTransaction, start: Start, signs: Signs = UNICODE_SIGNS): Cell[] {
  const tone = toneOf(t);
  const answer = cut(safeText(answerText(t, signs)), MOST_ANSWER, signs);
  return [
    { text: relativeTime(t, start), tone: 'name' },
    { text: t.client, tone: 'client' },
    { text: USUAL_PORTS.has(t.server_port) ? t.server : `${t.server}:${t.server_port}`, tone: 'server' },
    t.question === undefined ? '' : `${(t.opcode ?? t.question.type).padEnd(5)} ${safeText(t.question.name)}`,
    tone === undefined ? answer : { text: answer, tone },
    t.latency === undefined ? '' : withoutMu(durationText(t.latency), signs),
    { text: notes(t).join(', '), tone: 'name' },
  ];
}

function toneOf({ outcome, rcode }: DnsTransaction): Tone | undefined {
  if (outcome === 'unanswered') return 'resets';
  if (rcode === 'NOERROR') return undefined;
  return rcode === 'NXDOMAIN' ? 'trouble' : 'resets';
}

/** `CNAME shop.cdn.test → 192.0.2.7, 192.0.2.8`, `NXDOMAIN (SOA test)`, `no answer, asked 3 times over 10 s`. */
function answerText(t: DnsTransaction, signs: Signs): string {
  if (t.outcome === 'unanswered') {
    const why = t.error === undefined ? '' : `: ${t.error}`;
    if (t.retries === 0) return `no answer${why}`;
    const over = t.asked_for === 0 ? '' : ` over ${withoutMu(durationText(t.asked_for), signs)}`;
    return `no answer${why}, asked ${t.retries + 1} times${over}`;
  }
  const zone = t.zone === undefined ? '' : ` (SOA ${t.zone})`;
  const aliases = aliasText(t.aliases, signs);
  // What is not a question has no records for an answer.
  if (t.opcode !== undefined) return `${t.rcode}`;
  if (t.transferred !== undefined) return t.transferred === 1 ? 'nothing new' : `${t.transferred} records`;
  if (t.rcode !== 'NOERROR') return `${aliases}${t.rcode}${zone}`;
  if (t.addresses.length > 0) return aliases + named(t.addresses);
  const type = t.question?.type;
  const wanted = t.answers.filter((a) => a.type !== 'CNAME' || type === 'CNAME' || type === 'ANY');
  const records = wanted.filter((a) => a.type === type || type === 'ANY' || t.question === undefined);
  if (records.length > 0) {
    const data = records.flatMap((a) => (a.data === undefined ? [] : type === 'ANY' ? [`${a.type} ${a.data}`] : [a.data]));
    return aliases + (data.length > 0 ? named(data) : `${records.length} ${records.length === 1 ? 'record' : 'records'}`);
  }
  if (t.answers.length > 0 && aliases === '') return `${t.answers.length} other records`;
  return aliases + (t.truncated ? 'nothing (truncated)' : `no such record${zone}`);
}

/** `CNAME a → b → `; of more than two the first and the last. */
function aliasText(aliases: readonly string[], signs: Signs): string {
  if (aliases.length === 0) return '';
  const shown = aliases.length > 2 ? [aliases[0], signs.ellipsis, aliases.at(-1)] : aliases;
  return `CNAME ${shown.join(` ${signs.arrow} `)} ${signs.arrow} `;
}

const named = (texts: readonly string[]) =>
  texts.length <= MOST_NAMED ? texts.join(', ') : `${texts.slice(0, MOST_NAMED).join(', ')}, ${texts.length - MOST_NAMED} more`;

function notes(t: DnsTransaction): string[] {
  const found: string[] = [];
  if (t.outcome === 'unasked') found.push('question not captured');
  if (t.authoritative) found.push('authoritative');
  else if (t.recursion_desired && t.recursion_available) found.push('recursive');
  if (t.truncated) found.push(t.transport === 'tcp' ? 'truncated, then TCP' : 'truncated');
  else if (t.transport !== 'udp')
    found.push({ tcp: 'TCP', mdns: 'mDNS', llmnr: 'LLMNR', quic: 'QUIC', https: 'DoH', http3: 'DoH over HTTP/3' }[t.transport]);
  if (t.retries > 0 && t.outcome === 'answered') found.push(`asked ${t.retries + 1} times`);
  return found;
}

/** IP's numbers of what has one flow for question and answer; those sent to a group have two. */
const FLOW: Readonly<Partial<Record<DnsTransaction['transport'], number>>> = {
  udp: 17,
  tcp: 6,
  quic: 17,
  https: 6,
  http3: 17,
};

/** A transaction as a JSON record: durations in seconds. */
export function dnsRecord(t: DnsTransaction): object {
  const flow = FLOW[t.transport];
  // Written out, as spreading a record makes a slow object of it: 25 µs each.
  return {
    type: 'dns',
    time: isoText(t.seconds, t.nanoseconds),
    time_epoch: `${t.seconds}.${String(t.nanoseconds).padStart(9, '0')}`,
    transport: t.transport,
    community_id: flow === undefined ? undefined : communityId(flow, t.client, t.client_port, t.server, t.server_port),
    client: t.client,
    client_port: t.client_port,
    server: t.server,
    server_port: t.server_port,
    id: t.id,
    opcode: t.opcode,
    question: t.question,
    outcome: t.outcome,
    error: t.error,
    rcode: t.rcode,
    answers: t.answers,
    transferred: t.transferred,
    aliases: t.aliases,
    addresses: t.addresses,
    zone: t.zone,
    recursion_desired: t.recursion_desired,
    recursion_available: t.recursion_available,
    authoritative: t.authoritative,
    truncated: t.truncated,
    latency: inSeconds(t.latency),
    asked_for: inSeconds(t.asked_for),
    question_frames: t.question_frames,
    answer_frames: t.answer_frames,
    retries: t.retries,
  };
}

// Statistics ---------------------------------------------------------------------------------------------------------

/** Questions for one name and type. */
export interface DnsGroup extends Group {
  readonly name: string;
  readonly type: string;
  errors: number;
  unanswered: number;
}

const OTHERS = '(other names)';

/** Counts by name and type. Names differ in case alone no more than they do for servers (RFC 4343). */
export class DnsStatistics {
  private readonly groups = new Groups<DnsGroup>(
    (into, from) => {
      into.errors += from.errors;
      into.unanswered += from.unanswered;
    },
    () => group(OTHERS, ''),
  );
  readonly total: DnsGroup = group('(all)', '');

  add(t: DnsTransaction): void {
    const { question } = t;
    if (question === undefined) return;
    const name = question.name.toLowerCase();
    const type = t.opcode ?? question.type;
    const found = this.groups.of(`${type} ${name}`, () => group(name, type));
    for (const counted of [found, this.total]) {
      counted.count++;
      if (t.outcome === 'unanswered') counted.unanswered++;
      else if (isDnsError(t)) counted.errors++;
      if (t.latency !== undefined) counted.latencies.add(Number(t.latency));
    }
  }

  /** All groups, those asked most first; with `slowest` those with the highest 95th percentile. */
  sorted(slowest: boolean): DnsGroup[] {
    return this.groups.sorted(slowest, (g) => `${g.name} ${g.type}`);
  }
}

const group = (name: string, type: string): DnsGroup => ({ name, type, count: 0, errors: 0, unanswered: 0, latencies: new Latencies() });

export const STATISTICS_HEADINGS = ['name', 'type', 'asked', 'errors', 'unanswered', 'p50', 'p95', 'p99', 'max'] as const;
/** On a narrow terminal long names make room, then what tells least. */
export const STATISTICS_GIVES: readonly Giving[] = [
  { column: 0, least: 24 },
  { column: 7, least: 0 },
  { column: 0, least: 12 },
];
export const STATISTICS_RIGHT: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 7, 8]);

export function statisticsRow(g: DnsGroup, signs: Signs = UNICODE_SIGNS): Cell[] {
  const times = [...PERCENTILES.map((share) => g.latencies.percentile(share)), g.latencies.count > 0 ? g.latencies.max : undefined];
  return [
    safeText(g.name),
    g.type,
    String(g.count),
    g.errors > 0 ? { text: String(g.errors), tone: 'trouble' } : '0',
    g.unanswered > 0 ? { text: String(g.unanswered), tone: 'resets' } : '0',
    ...times.map((time) => (time === undefined ? signs.dash : withoutMu(durationText(time), signs))),
  ];
}

/** A group as a JSON record: durations in seconds. */
export function statisticsRecord({ name, type, count: asked, errors, unanswered, latencies }: DnsGroup): object {
  const [p50, p95, p99] = PERCENTILES.map((share) => inSeconds(latencies.percentile(share)));
  const max = latencies.count > 0 ? latencies.max / 1e9 : undefined;
  return { type: 'dns_statistics', name, question_type: type, asked, errors, unanswered, p50, p95, p99, max };
}

// Coverage -----------------------------------------------------------------------------------------------------------

/** What was seen and what was not: `12 questions: 10 answered, 2 unanswered · 24 messages · no holes · …`. */
export function coverageText(counts: DnsCounts, losses: Losses, signs: Signs = UNICODE_SIGNS, shown?: number): string {
  const { messages, answered, unanswered, unasked, repeated, announced, unreadable, evicted } = counts;
  const questions = answered + unanswered;
  const parts = [`${plural(questions, 'question')}: ${answered} answered, ${unanswered} unanswered`];
  if (shown !== undefined) parts.push(`${shown} shown`);
  if (unasked > 0) parts.push(`${plural(unasked, 'answer')} without a captured question`);
  if (repeated > 0) parts.push(`${plural(repeated, 'answer')} sent again`);
  if (announced > 0) parts.push(`${plural(announced, 'multicast announcement')}`);
  if (unreadable > 0) parts.push(`${plural(unreadable, 'unreadable message')}`);
  if (evicted > 0) parts.push(`${plural(evicted, 'question')} given up early: too many at once`);
  parts.push(plural(messages, 'message'));
  return [...parts, ...lossTexts(losses)].join(` ${signs.dot} `);
}

/** The same as a JSON record. */
export const coverageRecord = (counts: DnsCounts, losses: Losses): object => ({ type: 'dns_coverage', ...counts, ...lossRecord(losses) });
