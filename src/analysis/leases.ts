/**
 * DHCP exchanges: the messages by which a client gets, keeps, gives back or is refused its address, as one transaction.
 * RFC 2131 section 3 (discover, offer, request, ack), RFC 8415 section 5 (solicit, advertise, request, reply).
 */
import type { Frame } from '../core/frame.js';
import { hexOf } from '../core/octets.js';
import { between } from '../core/time.js';
import { Dhcp } from '../dissectors/dhcp.js';
import { clientIdOf, Dhcpv6 } from '../dissectors/dhcpv6.js';
import { Ipv4 } from '../dissectors/ipv4.js';
import { Ipv6 } from '../dissectors/ipv6.js';

/** What came of it. */
export type LeaseOutcome = 'leased' | 'refused' | 'unanswered' | 'offered' | 'released' | 'declined' | 'informed' | 'unasked';

/** A message of a transaction. */
export interface LeaseStep {
  /** `discover`, `offer`, `request`, `ack`; `solicit`, `advertise`, … */
  readonly name: string;
  readonly frame: number;
  /** Nanoseconds since the first message. */
  readonly after: number;
}

/** A transaction between a client and the servers of its network. */
export interface Lease {
  readonly version: 4 | 6;
  readonly seconds: number;
  readonly nanoseconds: number;
  /** Hardware address, or in DHCPv6 the DUID in hex. */
  readonly client: string;
  hostname: string | undefined;
  server: string | undefined;
  /** The address that was given, else the one asked for or offered. */
  address: string | undefined;
  /** The prefix that came, too, `2001:db8:7::/48`; a prefix alone is the address. */
  prefix: string | undefined;
  /** Seconds that it is the client's. */
  duration: number | undefined;
  /** Why it was refused, where the server says so. */
  reason: string | undefined;
  readonly steps: LeaseStep[];
  /** Messages of the client that came again for want of an answer. */
  retries: number;
  outcome: LeaseOutcome;
  /** Nanoseconds from the first message to the last answer. */
  latency: number | undefined;
}

/** What was seen, counted. */
export interface LeaseCounts {
  /** Transactions by outcome. */
  readonly outcomes: Record<LeaseOutcome, number>;
  messages: number;
  /** Messages that do not say what they are, or from whom. */
  unreadable: number;
}

/** Steps listed of a transaction; one that goes on and on is counted by its retries. */
const MOST_STEPS = 32;
/** Answers that are remembered for their copies. */
const MOST_ANSWERED = 4096;
/** Transactions that are open at once. */
const MOST_OPEN = 16_384;
/** Seconds without a message after which a transaction is over: clients wait 64 s at most between tries (RFC 2131 section 4.1). */
const PATIENCE = 70;

const MESSAGES_4: Readonly<Record<number, string>> = {
  1: 'discover',
  2: 'offer',
  3: 'request',
  4: 'decline',
  5: 'ack',
  6: 'nak',
  7: 'release',
  8: 'inform',
};
const MESSAGES_6: Readonly<Record<number, string>> = {
  1: 'solicit',
  2: 'advertise',
  3: 'request',
  4: 'confirm',
  5: 'renew',
  6: 'rebind',
  7: 'reply',
  8: 'release',
  9: 'decline',
  11: 'inform',
};
const ANSWERS: ReadonlySet<string> = new Set(['offer', 'ack', 'nak', 'advertise', 'reply']);
const OFFERS: ReadonlySet<string> = new Set(['offer', 'advertise']);

interface Message {
  readonly version: 4 | 6;
  readonly name: string;
  readonly client: string;
  /** What keeps transactions of one client apart: xid in DHCPv4; a DHCPv6 client changes it from step to step. */
  readonly key: string;
  readonly hostname: string | undefined;
  readonly server: string | undefined;
  readonly address: string | undefined;
  readonly prefix: string | undefined;
  readonly duration: number | undefined;
  readonly reason: string | undefined;
  readonly failed: boolean;
  /** Relays that it went through. */
  readonly relays: number;
}

interface Open {
  readonly lease: Lease;
  /** Seconds of its last message. */
  last: number;
  /** Relays that the client's last message, not counting copies of it, went through. */
  relays: number;
}

/** DHCP transactions of a session: questions with the answers and what came of them. */
export class Leases {
  readonly counts: LeaseCounts = {
    outcomes: { leased: 0, refused: 0, unanswered: 0, offered: 0, released: 0, declined: 0, informed: 0, unasked: 0 },
    messages: 0,
    unreadable: 0,
  };
  /** In the order of their first messages. */
  private readonly open = new Map<string, Open>();
  /** The last answers of those that are over, and the seconds in which they came, oldest first. */
  private readonly answered = new Map<string, number>();
  /** The second in which those that are over were looked for. */
  private swept = -1;

  constructor(private readonly emit: (lease: Lease) => void) {}

  /** The oldest transaction that is open: nothing before it can come any more. */
  get oldest(): Lease | undefined {
    return this.open.values().next().value?.lease;
  }

  see(frame: Frame): void {
    for (const layer of frame.layers) {
      if (!(layer instanceof Dhcp || layer instanceof Dhcpv6)) continue;
      this.counts.messages++;
      const message = layer instanceof Dhcp ? readDhcp(frame, layer) : readDhcpv6(frame, layer);
      if (message === undefined) this.counts.unreadable++;
      else this.take(frame, message);
    }
    if (frame.seconds === this.swept) return;
    this.swept = frame.seconds;
    for (const [key, { lease, last }] of this.open) if (last + PATIENCE < frame.seconds) this.close(key, lease);
  }

  /** No more frames come. */
  finish(): void {
    for (const [key, { lease }] of this.open) this.close(key, lease);
  }

  private take(frame: Frame, message: Message): void {
    const { key, name } = message;
    let open = this.open.get(key);
    // Who begins anew has given up what was before.
    const begins = name === 'discover' || name === 'solicit';
    if (open !== undefined && begins && open.lease.steps.some((step) => !OFFERS.has(step.name) && step.name !== name)) {
      this.close(key, open.lease);
      open = undefined;
    }
    if (open === undefined) {
      if (this.open.size >= MOST_OPEN) {
        const [oldest, { lease }] = this.open.entries().next().value!;
        this.close(oldest, lease);
      }
      const again = this.answered.get(answerKey(message));
      if (ANSWERS.has(name) && again !== undefined && again + PATIENCE >= frame.seconds) return;
      open = { lease: begin(frame, message), last: frame.seconds, relays: message.relays };
      if (ANSWERS.has(name)) {
        // An answer to what was not captured, or that came again.
        this.step(frame, open.lease, message);
        open.lease.outcome = 'unasked';
        this.counts.outcomes.unasked++;
        return this.emit(open.lease);
      }
      this.open.set(key, open);
    } else {
      open.last = frame.seconds;
      if (isCopy(open, message)) return;
      if (!ANSWERS.has(name)) open.relays = message.relays;
    }
    const { lease } = open;
    this.step(frame, lease, message);
    const outcome = outcomeOf(lease, message);
    if (outcome === undefined) return;
    lease.outcome = outcome;
    if (ANSWERS.has(name)) {
      const answer = answerKey(message);
      this.answered.delete(answer);
      this.answered.set(answer, frame.seconds);
      if (this.answered.size > MOST_ANSWERED) this.answered.delete(this.answered.keys().next().value!);
    }
    this.close(key, lease);
  }

  private step(frame: Frame, lease: Lease, message: Message): void {
    const { name } = message;
    const after = Number(between(frame.seconds, frame.nanoseconds, lease.seconds, lease.nanoseconds));
    if (!ANSWERS.has(name) && lease.steps.at(-1)?.name === name) lease.retries++;
    else if (lease.steps.length < MOST_STEPS) lease.steps.push({ name, frame: frame.number, after });
    lease.hostname ??= message.hostname;
    lease.address = message.address ?? lease.address;
    lease.prefix = message.prefix ?? lease.prefix;
    if (!ANSWERS.has(name)) return;
    lease.server = message.server ?? lease.server;
    lease.duration = message.duration ?? lease.duration;
    lease.reason = message.reason ?? lease.reason;
    lease.latency = after;
    if (OFFERS.has(name)) lease.outcome = 'offered';
  }

  private close(key: string, lease: Lease): void {
    this.open.delete(key);
    this.counts.outcomes[lease.outcome]++;
    this.emit(lease);
  }
}

/** What an answer has in common with its copy on the other side of a relay. */
const answerKey = ({ key, name, address }: Message): string => `${key} ${name} ${address ?? ''}`;

/** The message before, seen a second time on the other side of a relay. */
function isCopy({ lease, relays }: Open, message: Message): boolean {
  if (lease.steps.at(-1)?.name !== message.name) return false;
  if (!ANSWERS.has(message.name)) return message.relays > relays;
  return lease.address === message.address && (message.version === 6 || lease.server === message.server);
}

const begin = (frame: Frame, { version, client }: Message): Lease => ({
  version,
  seconds: frame.seconds,
  nanoseconds: frame.nanoseconds,
  client,
  hostname: undefined,
  server: undefined,
  address: undefined,
  prefix: undefined,
  duration: undefined,
  reason: undefined,
  steps: [],
  retries: 0,
  outcome: 'unanswered',
  latency: undefined,
});

/** What a message makes of its transaction, when it ends it. */
function outcomeOf(lease: Lease, { version, name, failed }: Message): LeaseOutcome | undefined {
  const asked = lease.steps.findLast((step) => !ANSWERS.has(step.name))?.name;
  if (name === 'nak') return 'refused';
  if (name === 'ack' || name === 'reply') {
    if (failed) return 'refused';
    return asked === 'inform' ? 'informed' : asked === 'release' ? 'released' : asked === 'decline' ? 'declined' : 'leased';
  }
  // In DHCPv4 nobody answers these; in DHCPv6 a reply follows.
  if (version === 4 && name === 'release') return 'released';
  if (version === 4 && name === 'decline') return 'declined';
  return undefined;
}

/** An address that is one. */
const real = (address: string | undefined): string | undefined => (address === '0.0.0.0' ? undefined : address);

function readDhcp(frame: Frame, dhcp: Dhcp): Message | undefined {
  const name = MESSAGES_4[dhcp.message ?? 0];
  const client = dhcp.clientMac ?? (dhcp.clientHardware && hexOf(dhcp.clientHardware));
  if (name === undefined || client === undefined) return undefined;
  const isAnswer = ANSWERS.has(name);
  return {
    version: 4,
    name,
    client,
    key: `4 ${client} ${dhcp.transactionId}`,
    hostname: isAnswer ? undefined : dhcp.hostName,
    server: isAnswer ? (dhcp.serverId ?? frame.get(Ipv4)?.source) : undefined,
    address: real(isAnswer ? dhcp.yourAddress : undefined) ?? real(dhcp.requestedAddress) ?? real(dhcp.clientAddress),
    prefix: undefined,
    duration: dhcp.leaseTime,
    reason: name === 'nak' ? dhcp.messageText : undefined,
    failed: false,
    relays: dhcp.relayAddress === '0.0.0.0' ? 0 : 1 + dhcp.hops,
  };
}

function readDhcpv6(frame: Frame, dhcp: Dhcpv6): Message | undefined {
  // What relays carry has its own message type behind theirs.
  const name = MESSAGES_6[dhcp.message.at(-1) ?? 0];
  const duid = clientIdOf(dhcp);
  if (name === undefined) return undefined;
  const client = duid ?? frame.get(Ipv6)?.source;
  if (client === undefined) return undefined;
  const isAnswer = ANSWERS.has(name);
  const prefix = dhcp.prefix.length > 0 ? `${dhcp.prefix[0]}/${dhcp.prefixLength[0]}` : undefined;
  const status = dhcp.status.find((code) => code !== 0);
  return {
    version: 6,
    name,
    client,
    key: `6 ${client}`,
    hostname: isAnswer ? undefined : dhcp.fqdn[0],
    server: isAnswer ? frame.get(Ipv6)?.source : undefined,
    address: dhcp.address[0] ?? prefix,
    prefix: dhcp.address.length > 0 ? prefix : undefined,
    duration: isAnswer ? (dhcp.addressValid[0] ?? dhcp.prefixValid[0]) : undefined,
    reason: isAnswer && status !== undefined ? (dhcp.statusText[0] ?? `status ${status}`) : undefined,
    failed: status !== undefined,
    relays: dhcp.message.length - 1,
  };
}
