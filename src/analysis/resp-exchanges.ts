/**
 * Which Redis reply belongs to which command. Replies come in the order of the commands, and carry nothing else to tell them
 * by; what has to be known is which commands get none (CLIENT REPLY), which get several (SUBSCRIBE a b), and what the
 * server sends without having been asked (messages of channels, MONITOR, what a primary streams to its replica).
 *
 * After octets were lost nobody knows how many commands or replies were among them. Acknowledgments tell where a new count
 * begins: the reply right behind what a client had when it sent a command is the answer to that command, if the client
 * waits for the answers to what it has asked together. Until there replies are told without a command, and commands
 * without a reply: a pair that is wrong would shift all that follow. A capture that begins in the middle of a connection
 * is no different: commands before it may have replies to come.
 */
import type { Frame } from '../core/frame.js';
import { latin1Of } from '../core/octets.js';
import type { StreamContext } from '../core/stream.js';
import { between } from '../core/time.js';
import type { Resp } from '../dissectors/resp.js';
import { Tells } from '../dissectors/resp-arguments.js';
import { Effect, effectOf } from '../dissectors/resp-commands.js';
import { type RespShared, sharedOf } from '../dissectors/resp-stream.js';

/** Commands of one connection that wait for their replies; further ones are counted alone. */
const MOST_WAITING = 100_000;
/** The same of all connections. */
const MOST_IN_ALL = 1_000_000;
/** Commands that waited at once on a connection whose queue is kept to be filled again when it runs empty. */
const MOST_KEPT = 32;

/** Of a connection that began before the capture: how often all has to be answered until nothing from before can be to come. */
const SETTLED = 8;

/** A command that waits for its reply. */
export class Asked {
  kind = Effect.Plain;
  frame = 0;
  seconds = 0;
  nanoseconds = 0;
  /** Octets of replies that the client had acknowledged by then. */
  received = 0;
  /** Where the command ends in its stream. */
  end = 0;
  /** Holes in the stream of commands before it. */
  holes = 0;
  /** Replies that it gets; Infinity: until nothing is subscribed to. */
  left = 1;
  /** The observer's. */
  note: unknown = undefined;
}

/** Why a command has no reply. */
export type NoReply =
  /** It asked for none: CLIENT REPLY, an acknowledgment of a replica, or the end of the server. */
  | 'silent'
  /** Its reply was lost in a hole of the capture or cannot be told from others behind it, or too many commands wait. */
  | 'lost'
  /** The connection or the capture ended. */
  | 'open';

/** What the server sends unasked. */
export type Unasked =
  | 'message'
  | 'monitor'
  | 'replication'
  | 'data set'
  /** An error instead of a conversation: too many clients, or none from elsewhere. */
  | 'refusal'
  | 'stray';

/** Gets what is found out about each message. */
export interface RespObserver {
  /** Where things are counted; {@link noCounts} to begin with. */
  readonly counts: RespCounts;
  /** A command; what is returned becomes {@link Asked.note}. */
  command(frame: Frame, resp: Resp, talk: RespTalk, context: StreamContext): unknown;
  /** A reply; `last` is false while more confirmations of the same command are to come. `asked` is valid during the call. */
  reply(frame: Frame, resp: Resp, talk: RespTalk, asked: Readonly<Asked>, last: boolean): void;
  noReply(note: unknown, talk: RespTalk, why: NoReply): void;
  unasked(frame: Frame, resp: Resp, talk: RespTalk, what: Unasked): void;
}

export interface RespCounts {
  commands: number;
  replies: number;
  paired: number;
  /** Commands without a reply when the connection or the capture ended. */
  unanswered: number;
  /** Commands that get no reply. */
  silent: number;
  /** Commands whose replies were lost in holes, and replies to commands that were not captured; also where they cannot be told apart. */
  lostReplies: number;
  strayReplies: number;
  /** What servers sent unasked: messages of channels, monitored commands, commands for replicas. */
  pushed: number;
  /** Commands that were only counted, as too many waited. */
  evicted: number;
}

export const noCounts = (): RespCounts => ({
  commands: 0,
  replies: 0,
  paired: 0,
  unanswered: 0,
  silent: 0,
  lostReplies: 0,
  strayReplies: 0,
  pushed: 0,
  evicted: 0,
});

/** One connection. */
export class RespTalk {
  /** Commands that wait: those of `[first, end)`. The others no longer do, and are filled again. */
  private queue: Asked[] = [];
  private first = 0;
  private end = 0;
  /** Commands behind those of {@link queue} of which nothing is known. */
  beyond = 0;
  /** Replies were lost since the last that is known to belong to its command. */
  adrift = false;
  /** Holes in the stream of commands behind which such a reply was found. */
  holes = 0;
  /** It is not known how many replies are to come to commands before the capture. */
  unsure = !this.whole;
  /** How often, while that is so, all commands seen would have been answered, with no reply left over since. */
  settled = 0;
  /** CLIENT REPLY OFF is in force. */
  muted = false;
  /** CLIENT REPLY SKIP: the next command gets no reply. */
  skipNext = false;
  monitoring = false;
  /** What the server sends unasked has a type of its own (RESP3), so that no array is such. */
  pushes = false;
  /** The server is a primary that streams commands to its replica. */
  replicating = false;
  /** Channels, patterns and shard channels that the client is subscribed to. */
  channels = 0;
  patterns = 0;
  shards = 0;
  /** The observer's. */
  note: unknown = undefined;

  /** `whole`: how the connection began was captured. */
  constructor(readonly whole: boolean) {}

  get waiting(): number {
    return this.end - this.first;
  }
  get head(): Asked | undefined {
    return this.first < this.end ? this.queue[this.first] : undefined;
  }
  /** Of the commands that the server had, when it had so many octets, the last for which the client had no more than `position` of the replies. */
  lastAsked(position: number, octets: number): Asked | undefined {
    const { queue } = this;
    let low = this.first;
    let high = this.end;
    // Neither number ever falls.
    while (low < high) {
      const middle = (low + high) >> 1;
      const { received, end } = queue[middle]!;
      if (received <= position && end <= octets) low = middle + 1;
      else high = middle;
    }
    return low > this.first ? queue[low - 1] : undefined;
  }
  /** One more waits: what is known of it is to be put in. */
  push(): Asked {
    const { queue, end } = this;
    this.end = end + 1;
    return (queue[end] ??= new Asked());
  }
  shift(): Asked {
    const asked = this.queue[this.first++]!;
    if (this.first === this.end) {
      // Short queues keep their memory; one that was long gives it back.
      if (this.queue.length > MOST_KEPT) this.queue = [];
      this.first = this.end = 0;
    } else if (this.first > MOST_KEPT && this.first * 2 > this.end) {
      this.queue = this.queue.slice(this.first).concat(this.queue.slice(0, this.first));
      this.end -= this.first;
      this.first = 0;
    }
    return asked;
  }
  get subscribed(): boolean {
    return this.channels + this.patterns + this.shards > 0;
  }
  /** What there is to leave for a command without names: UNSUBSCRIBE and its kin. */
  subscriptions(kind: Effect): number {
    return kind === Effect.Unsubscribe ? this.channels : kind === Effect.Punsubscribe ? this.patterns : this.shards;
  }
}

export class RespExchanges {
  readonly counts: RespCounts;
  /** Commands that wait on all connections. */
  private waiting = 0;
  /** Connections with an observer who wants to know of their end. */
  private readonly talks = new Map<unknown, RespTalk>();

  constructor(private readonly observer?: RespObserver) {
    this.counts = observer?.counts ?? noCounts();
  }

  /** Look at a message, and tell it and its frame of the command it answers. */
  see(frame: Frame, resp: Resp, context: StreamContext): void {
    const shared = sharedOf(context);
    const talk = (shared.talk as RespTalk | undefined) ?? this.begin(frame, shared);
    if (resp.fromClient) this.command(frame, resp, context, talk, shared);
    else this.reply(frame, resp, context, talk, shared);
  }

  private begin(frame: Frame, shared: RespShared): RespTalk {
    const conversation = conversationOf(frame);
    const talk = new RespTalk(conversation?.opener !== undefined);
    shared.talk = talk;
    if (this.observer !== undefined) {
      const before = this.talks.get(conversation);
      if (before !== undefined) this.close(before);
      this.talks.set(conversation, talk);
    }
    return talk;
  }

  /** A TCP conversation is over: its commands that wait will get no reply. */
  ended(conversation: unknown): void {
    const talk = this.talks.get(conversation);
    if (talk === undefined) return;
    this.close(talk);
    this.talks.delete(conversation);
  }

  /** No more will come. */
  finish(): void {
    for (const talk of this.talks.values()) this.close(talk);
    this.talks.clear();
  }

  private close(talk: RespTalk): void {
    while (talk.waiting > 0) {
      // A server that shuts down says so by closing the connection.
      const silent = talk.head!.kind === Effect.Shutdown;
      if (silent) this.counts.silent++;
      else this.counts.unanswered++;
      this.noReply(talk, silent ? 'silent' : 'open');
    }
  }

  private noReply(talk: RespTalk, why: NoReply): void {
    this.waiting--;
    const asked = talk.shift();
    this.observer?.noReply(asked.note, talk, why);
    asked.note = undefined;
  }

  private command(frame: Frame, resp: Resp, context: StreamContext, talk: RespTalk, shared: RespShared): void {
    const kind = effectOfCommand(resp);
    if (kind === Effect.Nothing) return;
    const { counts, observer } = this;
    counts.commands++;
    const note = observer?.command(frame, resp, talk, context);
    if (this.isSilent(resp, kind, talk)) {
      counts.silent++;
      observer?.noReply(note, talk, 'silent');
      return;
    }
    if (talk.beyond > 0 || talk.waiting >= MOST_WAITING || this.waiting >= MOST_IN_ALL) {
      talk.beyond++;
      counts.evicted++;
      observer?.noReply(note, talk, 'lost');
      return;
    }
    this.waiting++;
    const asked = talk.push();
    asked.kind = kind === Effect.Acl ? aclKind(resp) : kind;
    asked.frame = frame.number;
    asked.seconds = frame.seconds;
    asked.nanoseconds = frame.nanoseconds;
    asked.received = context.received;
    asked.end = context.messageStart + (resp.end - resp.start);
    asked.holes = shared.commandHoles;
    asked.left = kind >= Effect.Subscribe && kind <= Effect.Sunsubscribe ? confirmations(resp, kind, talk) : 1;
    asked.note = note;
  }

  /** Commands that get no reply. */
  private isSilent(resp: Resp, kind: Effect, talk: RespTalk): boolean {
    // Only who replicates acknowledges, also where the capture has not seen how that began.
    if (kind === Effect.Replconf && /^ack$/i.test(resp.argument(1))) talk.replicating = true;
    if (talk.replicating) return true;
    if (kind === Effect.Reset) {
      talk.muted = talk.skipNext = false;
      return false;
    }
    if (talk.skipNext) {
      talk.skipNext = false;
      return true;
    }
    if (kind !== Effect.Client || !/^reply$/i.test(resp.argument(1))) return talk.muted;
    switch (resp.argument(2).toUpperCase()) {
      case 'OFF':
        talk.muted = true;
        return true;
      case 'SKIP':
        talk.skipNext = !talk.muted;
        return true;
      case 'ON':
        talk.muted = false;
    }
    return talk.muted;
  }

  private reply(frame: Frame, resp: Resp, context: StreamContext, talk: RespTalk, shared: RespShared): void {
    const { bytes: b, start } = resp;
    const type = b[start];
    // A primary that has nothing to say yet keeps its replica waiting with line ends.
    if (type === LF || type === CR) return;
    const { counts, observer } = this;
    let { head } = talk;
    if (resp.isDataSet) {
      // SYNC is answered with the data set; PSYNC was answered with a line before.
      talk.replicating = true;
      if (head?.kind !== Effect.Sync) {
        counts.pushed++;
        observer?.unasked(frame, resp, talk, 'data set');
        return;
      }
    } else if (talk.replicating) {
      counts.pushed++;
      observer?.unasked(frame, resp, talk, 'replication');
      return;
    } else if (type === PUSH) {
      talk.pushes = true;
      const kind = this.confirmation(resp, talk);
      if (kind === undefined || head === undefined || !confirms(kind, head)) return this.unasked(frame, resp, talk, 'message');
    } else if (type === STAR && !talk.pushes && (talk.subscribed || head === undefined || isSubscription(head.kind))) {
      const word = firstWord(b, start, resp.captured);
      if (MESSAGE.test(word)) return this.unasked(frame, resp, talk, 'message');
      const kind = this.confirmation(resp, talk);
      if (kind !== undefined && (head === undefined || !confirms(kind, head))) return this.unasked(frame, resp, talk, 'message');
    } else if (talk.monitoring && type === PLUS && isDigit(b[start + 1]!)) return this.unasked(frame, resp, talk, 'monitor');
    else if (type === MINUS && head === undefined && talk.whole && context.received === 0)
      return this.unasked(frame, resp, talk, 'refusal');
    counts.replies++;
    if (shared.holed) {
      shared.holed = false;
      talk.adrift = true;
    }
    if (talk.adrift || (head !== undefined && head.holes !== talk.holes)) {
      if (!this.begins(talk, context)) return this.stray(frame, resp, talk);
      head = talk.head;
    } else if (talk.unsure) {
      if (!this.joins(talk, context)) return this.stray(frame, resp, talk);
      head = talk.head;
    }
    if (head === undefined) {
      if (talk.beyond > 0) talk.beyond--;
      else this.stray(frame, resp, talk);
      return;
    }
    const { seconds, nanoseconds } = head;
    const time = between(context.startSeconds, context.startNanoseconds, seconds, nanoseconds);
    const { answer } = frame;
    if (answer !== undefined && answer.request === head.frame && answer.time === time) resp.exchange = answer;
    else frame.answer = resp.exchange = { request: head.frame, time };
    if (head.kind >= Effect.Config) resp.tells = toldBy(head.kind);
    const failed = type === MINUS;
    const last = failed || (head.left === Infinity ? talk.subscriptions(head.kind) === 0 : --head.left <= 0);
    if (last) {
      counts.paired++;
      this.waiting--;
      talk.shift();
      if (head.kind >= Effect.Monitor && !failed) this.took(talk, head.kind, type);
    }
    observer?.reply(frame, resp, talk, head, last);
    if (last) head.note = undefined;
  }

  /** A command with lasting effect was accepted. */
  private took(talk: RespTalk, kind: Effect, type: number | undefined): void {
    if (kind === Effect.Monitor) talk.monitoring = true;
    else if (kind === Effect.Sync) talk.replicating = true;
    else if (kind === Effect.Reset) {
      talk.monitoring = talk.pushes = false;
      talk.channels = talk.patterns = talk.shards = 0;
    } else if (kind === Effect.Hello) talk.pushes = type === MAP;
  }

  private unasked(frame: Frame, resp: Resp, talk: RespTalk, what: Unasked): void {
    this.counts.pushed++;
    this.observer?.unasked(frame, resp, talk, what);
  }

  private stray(frame: Frame, resp: Resp, talk: RespTalk): void {
    this.counts.strayReplies++;
    // Of what, nobody knows.
    resp.tells = Tells.Anything;
    this.observer?.unasked(frame, resp, talk, 'stray');
  }

  /** After a hole: true when this reply begins a new count. Commands that were answered before it are given up. */
  private begins(talk: RespTalk, { messageStart: position, received }: Pick<StreamContext, 'messageStart' | 'received'>): boolean {
    const last = talk.lastAsked(position, received);
    if (last === undefined) return false;
    while (talk.head!.received < last.received) {
      this.counts.lostReplies++;
      this.noReply(talk, 'lost');
    }
    if (last.received !== position) return false;
    talk.adrift = talk.unsure = false;
    talk.holes = talk.head!.holes;
    return true;
  }

  /**
   * Of a connection that began before the capture: true when this reply is known to be the one to the oldest command that
   * waits, or to the one that it leaves the oldest. Commands before the capture may have replies to come; acknowledgments
   * tell, as in {@link begins}, or that the server had answered all that was seen, time and again, with no reply left over.
   */
  private joins(talk: RespTalk, { messageStart: position, received }: StreamContext): boolean {
    if (talk.lastAsked(position, received)?.received === position) return this.begins(talk, { messageStart: position, received });
    const { head } = talk;
    // The server had not received it when it sent this.
    if (head === undefined || head.end > received) {
      talk.settled = 0;
      return false;
    }
    if (--head.left > 0) return false;
    this.counts.lostReplies++;
    this.noReply(talk, 'lost');
    if (talk.waiting === 0 && ++talk.settled === SETTLED) talk.unsure = false;
    return false;
  }

  /** The kind of command that a confirmation of (un)subscribing answers; keeps count of what is subscribed to. */
  private confirmation(resp: Resp, talk: RespTalk): Effect | undefined {
    const kind = effectOf(firstWord(resp.bytes, resp.start, resp.captured).toUpperCase());
    if (!isSubscription(kind)) return undefined;
    const count = lastInteger(resp.bytes, resp.start, resp.captured);
    // The count is of channels and patterns together; shard channels have their own.
    if (kind === Effect.Ssubscribe || kind === Effect.Sunsubscribe) talk.shards = count;
    else if (kind === Effect.Psubscribe || kind === Effect.Punsubscribe) talk.patterns = Math.max(0, count - talk.channels);
    else talk.channels = Math.max(0, count - talk.patterns);
    return kind;
  }
}

const CR = 13;
const LF = 10;
const PLUS = 0x2b;
const MINUS = 0x2d;
const STAR = 0x2a;
const MAP = 0x25;
const DOLLAR = 0x24;
const COLON = 0x3a;
const PUSH = 0x3e;

const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;
const isSubscription = (kind: Effect): boolean => kind >= Effect.Subscribe && kind <= Effect.Sunsubscribe;
const confirms = (kind: Effect, asked: Asked): boolean => asked.kind === kind;

/** What ACL asks for. */
function aclKind(resp: Resp): Effect {
  const what = resp.argument(1).toLowerCase();
  if (what === 'list' || what === 'getuser') return Effect.Users;
  return what === 'genpass' ? Effect.Password : Effect.Plain;
}

/** What secrets the reply to a command of this kind may tell. */
const toldBy = (kind: Effect): Tells =>
  kind === Effect.Config ? Tells.Settings : kind === Effect.Users ? Tells.Users : kind === Effect.Password ? Tells.Password : Tells.Nothing;

const MESSAGE = /^[ps]?message$/;

/** What the TCP layer knows its conversation by. */
function conversationOf(frame: Frame): { readonly opener: unknown } | undefined {
  return (frame.transport as { direction?: { conversation: { opener: unknown } } } | undefined)?.direction?.conversation;
}

/** Confirmations that a command gets: one a channel, and one when there is nothing to leave. */
function confirmations(resp: Resp, kind: Effect, talk: RespTalk): number {
  const named = resp.argumentCount - 1;
  if (named > 0) return named;
  // Commands before it may change what there is to leave; where not all of that is known, what is known is left.
  return talk.whole ? Infinity : Math.max(1, talk.subscriptions(kind));
}

/** The bulk string that an array begins with, in lower case; at most 16 octets. */
function firstWord(b: Uint8Array, start: number, end: number): string {
  let at = start;
  while (at < end && b[at] !== LF) at++;
  if (b[++at] !== DOLLAR) return '';
  let length = 0;
  for (at++; at < end && isDigit(b[at]!) && length < 100; at++) length = length * 10 + b[at]! - 48;
  return length > 16 ? '' : latin1Of(b, at + 2, Math.min(end, at + 2 + length)).toLowerCase();
}

/** The integer that a message ends with: `:2\r\n`; 0 when there is none. */
function lastInteger(b: Uint8Array, start: number, end: number): number {
  let n = 0;
  let weight = 1;
  for (let at = end - 3; at > start && at > end - 14; at--) {
    if (b[at] === COLON) return n;
    if (!isDigit(b[at]!)) return 0;
    n += (b[at]! - 48) * weight;
    weight *= 10;
  }
  return 0;
}

/** What a command means for what follows; looks at nothing but its name. */
function effectOfCommand(resp: Resp): Effect {
  const { name } = resp;
  if (name !== undefined) return name.effect;
  const { bytes: b, start, captured } = resp;
  return captured - start < 4 || b[start] !== STAR || !(b[start + 1]! > 0x30) ? Effect.Nothing : Effect.Plain;
}
