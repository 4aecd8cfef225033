/**
 * Redis transactions as people think of them: a command with its key and arguments, what came back, and how long it took;
 * and what servers sent without having been asked. Which reply belongs to which command is found in resp-exchanges.ts.
 */
import type { Frame } from '../core/frame.js';
import { textOf } from '../core/octets.js';
import type { StreamContext } from '../core/stream.js';
import { safeText, TextBuffer } from '../core/text.js';
import type { Nanoseconds } from '../core/time.js';
import type { Resp } from '../dissectors/resp.js';
import { SECRET } from '../dissectors/resp-arguments.js';
import type { Tcp } from '../dissectors/tcp.js';
import { type Aged, AgeOrder } from './age-order.js';
import { directionOf } from './conversations.js';
import type { Parties } from './parties.js';
import { type Asked, type NoReply, noCounts, type RespCounts, type RespObserver, type RespTalk, type Unasked } from './resp-exchanges.js';
import { type RespValue, replyValue } from './resp-values.js';
import { type SentinelEvent, sentinelEvent } from './sentinel.js';

/** Arguments of a command that are kept, and octets of each. */
const MOST_ARGUMENTS = 64;
const MOST_OCTETS = 1024;

/** What came of a command. */
export type RespOutcome =
  | 'answered'
  | 'unanswered'
  /** Its reply is in a hole of the capture, or cannot be told from others behind one. */
  | 'lost'
  /** It asked for no reply. */
  | 'silent'
  /** A reply whose command was not captured, or cannot be told from others behind a hole. */
  | 'unasked'
  /** Sent by the server on its own: a message of a channel, a monitored command. */
  | 'pushed'
  /** Sent by a primary to its replica. */
  | 'replicated';

/** Who talks to whom, and in which state. */
export interface RespConnection extends Parties {
  /** The database selected; undefined while nobody knows, as the connection began before the capture. */
  db: number | undefined;
  /** What a SELECT within MULTI will make of it. */
  queuedDb: number | undefined;
  /** Version of the protocol. */
  version: 2 | 3;
}

/** A command with its reply, or what came unasked. */
export interface RespTransaction extends Aged<RespTransaction> {
  readonly connection: RespConnection;
  readonly db: number | undefined;
  readonly version: 2 | 3;
  /** Time of the frame that completes the command; of what came where there is no command. */
  readonly seconds: number;
  readonly nanoseconds: number;
  /** Its place among those of the same frame. */
  readonly place: number;
  /** In capitals, with its subcommand where it has one: `CONFIG SET`; empty without a command. */
  readonly command: string;
  readonly key: string | undefined;
  /** Without the command itself; the first ones, and of each the first octets. Secrets are masked. */
  readonly arguments: readonly string[];
  readonly argumentCount: number;
  /** The command on a line. */
  readonly line: string;
  outcome: RespOutcome;
  /** The reply, or the last one where there are several. */
  reply: RespValue | undefined;
  /** It on a line. */
  answer: string;
  error: string | undefined;
  /** Where a cluster node sends the client: MOVED or ASK. */
  redirect: { readonly kind: 'MOVED' | 'ASK'; readonly slot: number; readonly to: string } | undefined;
  /** What a Sentinel tells with it. */
  readonly event: SentinelEvent | undefined;
  /** It may wait on purpose, so a long time is no trouble. */
  readonly blocking: boolean;
  /** Queued within MULTI: done when EXEC is. */
  queued: boolean;
  /** From the end of the command to the beginning of the first reply. */
  latency: Nanoseconds | undefined;
  readonly frame: number;
  readonly replyFrames: number[];
  readonly octets: number;
  replyOctets: number;
}

/** Commands that may wait until something happens. */
const BLOCKING = /^(BLPOP|BRPOP|BRPOPLPUSH|BLMOVE|BLMPOP|BZPOPMIN|BZPOPMAX|BZMPOP|WAIT|WAITAOF)$/;
/** Commands of which the second word says what they do. */
const CONTAINERS =
  /^(ACL|CLIENT|CLUSTER|COMMAND|CONFIG|DEBUG|FUNCTION|LATENCY|MEMORY|MODULE|OBJECT|PUBSUB|SCRIPT|SENTINEL|SLOWLOG|XGROUP|XINFO)$/;

/** Redis commands of a session with their replies. */
export class RespTransactions implements RespObserver {
  readonly counts: RespCounts = noCounts();
  /** Commands without a reply yet, in the order in which they came. */
  private readonly open = new AgeOrder<RespTransaction>();
  private readonly text = new TextBuffer(4096);
  private lastFrame = 0;
  private place = 0;

  constructor(
    /** Gets each transaction when its (last) reply came, or when it is given up. */
    private readonly emit: (transaction: RespTransaction) => void,
    /** What is to be found out beyond command, key and times. */
    private readonly wants: { readonly lines: boolean; readonly values: boolean } = { lines: true, values: true },
  ) {}

  /** The oldest command without a reply. */
  get oldestOpen(): RespTransaction | undefined {
    return this.open.oldest;
  }

  command(frame: Frame, resp: Resp, talk: RespTalk, _context: StreamContext): RespTransaction {
    const connection = this.connectionOf(frame, resp, talk);
    const count = resp.arguments.length / 2;
    const name = resp.command ?? '';
    const transaction = this.make(frame, resp, connection, 'unanswered');
    transaction.command = CONTAINERS.test(name) && count > 1 ? `${name} ${resp.argument(1).toUpperCase()}` : name;
    transaction.key = resp.keyText;
    if (name === 'SELECT' || name === 'HELLO') transaction.number = Number(resp.argument(1));
    transaction.argumentCount = Math.max(0, resp.argumentCount - 1);
    if (this.wants.values) transaction.arguments = argumentTexts(resp);
    if (this.wants.lines) transaction.line = this.lineOf(resp);
    transaction.blocking = BLOCKING.test(name) || (/^XREAD/.test(name) && hasBlock(resp, count));
    this.open.add(transaction);
    return transaction;
  }

  reply(frame: Frame, resp: Resp, talk: RespTalk, asked: Asked, last: boolean): void {
    const transaction = asked.note as Writable;
    transaction.latency ??= resp.exchange!.time;
    this.answered(transaction, frame, resp);
    if (!last) return;
    transaction.outcome = 'answered';
    // EXEC takes effect also where one of its commands failed.
    if (resp.bytes[resp.start] !== MINUS) this.takeEffect(transaction, resp, talk);
    this.open.remove(transaction);
    this.emit(transaction);
  }

  noReply(note: unknown, _talk: RespTalk, why: NoReply): void {
    const transaction = note as Writable;
    transaction.outcome = why === 'open' ? 'unanswered' : why;
    this.open.remove(transaction);
    this.emit(transaction);
  }

  unasked(frame: Frame, resp: Resp, talk: RespTalk, what: Unasked): void {
    const connection = this.connectionOf(frame, resp, talk);
    const outcome = what === 'stray' ? 'unasked' : what === 'replication' || what === 'data set' ? 'replicated' : 'pushed';
    const transaction = this.make(frame, resp, connection, outcome);
    this.answered(transaction, frame, resp);
    if (what === 'replication' && this.wants.lines)
      transaction.answer = commandLine(replyValue(resp.bytes, resp.start, resp.captured)) ?? transaction.answer;
    if (what === 'message') transaction.event = sentinelEvent(transaction.reply ?? replyValue(resp.bytes, resp.start, resp.captured));
    this.emit(transaction);
  }

  private make(frame: Frame, resp: Resp, connection: RespConnection, outcome: RespOutcome): Writable {
    this.place = frame.number === this.lastFrame ? this.place + 1 : 0;
    this.lastFrame = frame.number;
    return {
      connection,
      place: this.place,
      db: connection.db,
      version: connection.version,
      seconds: frame.seconds,
      nanoseconds: frame.nanoseconds,
      command: '',
      key: undefined,
      arguments: NONE,
      argumentCount: 0,
      line: '',
      outcome,
      reply: undefined,
      answer: '',
      error: undefined,
      redirect: undefined,
      event: undefined,
      blocking: false,
      queued: false,
      latency: undefined,
      frame: frame.number,
      replyFrames: [],
      octets: resp.fromClient ? resp.end - resp.start : 0,
      replyOctets: 0,
      older: undefined,
      newer: undefined,
    };
  }

  private answered(transaction: Writable, frame: Frame, resp: Resp): void {
    const { bytes: b, start, captured } = resp;
    transaction.replyFrames.push(frame.number);
    transaction.replyOctets += resp.end - start;
    if (this.wants.lines) transaction.answer = this.lineOf(resp);
    if (resp.isDataSet) return;
    const isExec = transaction.command === 'EXEC';
    if (this.wants.values || isExec)
      transaction.reply = replyValue(b, start, captured, resp.hides ? (from, to) => resp.instead(from, to) : undefined);
    const type = b[start];
    if (type === PLUS) transaction.queued = captured - start === 9 && textOf(b, start, captured) === '+QUEUED\r\n';
    else if (type === MINUS || type === BANG || type === ATTRIBUTE) {
      const value = transaction.reply ?? replyValue(b, start, captured);
      if (value.type !== 'error') return;
      transaction.error = String(value.value);
      const redirect = /^(MOVED|ASK) (\d+) (\S+)/.exec(transaction.error);
      if (redirect) transaction.redirect = { kind: redirect[1] as 'MOVED' | 'ASK', slot: Number(redirect[2]), to: redirect[3]! };
    } else if (isExec && Array.isArray(transaction.reply?.value)) {
      for (const inner of transaction.reply.value)
        if (typeof inner === 'object' && inner !== null && 'error' in inner) {
          transaction.error = String(inner.error);
          break;
        }
    }
  }

  /** What a command that succeeded changes for those after it. */
  private takeEffect(transaction: Writable, resp: Resp, talk: RespTalk): void {
    const { connection, command } = transaction;
    switch (command) {
      case 'SELECT': {
        const db = transaction.number;
        if (db === undefined || !Number.isInteger(db)) return;
        if (transaction.queued) connection.queuedDb = db;
        else connection.db = db;
        break;
      }
      case 'EXEC':
        if (connection.queuedDb !== undefined && resp.bytes[resp.start] === STAR && !isNull(resp)) connection.db = connection.queuedDb;
        connection.queuedDb = undefined;
        break;
      case 'DISCARD':
        connection.queuedDb = undefined;
        break;
      case 'HELLO':
        if (transaction.number === 2 || transaction.number === 3) connection.version = transaction.number;
        break;
      case 'RESET':
        connection.db = 0;
        connection.version = 2;
        connection.queuedDb = undefined;
        talk.monitoring = false;
    }
  }

  private connectionOf(frame: Frame, resp: Resp, talk: RespTalk): RespConnection {
    if (talk.note !== undefined) return talk.note as RespConnection;
    const direction = directionOf(frame.transport as Tcp)!;
    const way = resp.fromClient ? direction : direction.peer;
    const { conversation } = direction;
    const connection: RespConnection = {
      stream: conversation.number,
      client: way.source,
      clientPort: way.srcPort,
      server: way.destination,
      serverPort: way.dstPort,
      db: conversation.opener === undefined ? undefined : 0,
      queuedDb: undefined,
      version: 2,
    };
    talk.note = connection;
    return connection;
  }

  private lineOf(resp: Resp): string {
    this.text.clear();
    resp.writeMessage(this.text);
    return this.text.toString();
  }
}

/** A transaction while it is made. */
type Writable = { -readonly [K in keyof RespTransaction]: RespTransaction[K] } & {
  /** The argument of SELECT and HELLO. */
  number?: number;
};

const NONE: readonly string[] = [];
const PLUS = 0x2b;
const MINUS = 0x2d;
const BANG = 0x21;
const STAR = 0x2a;
const ATTRIBUTE = 0x7c;

/** A command that a primary passes on, as it would be typed. */
function commandLine({ value }: RespValue): string | undefined {
  return Array.isArray(value) && value.every((word) => typeof word === 'string') ? safeText(value.join(' ')) : undefined;
}

const isNull = (resp: Resp): boolean => resp.bytes[resp.start + 1] === MINUS;

function argumentTexts(resp: Resp): string[] {
  const { arguments: args, secrets, bytes } = resp;
  const texts: string[] = [];
  for (let i = 1; 2 * i < args.length && i <= MOST_ARGUMENTS; i++) {
    const from = args[2 * i]!;
    texts.push(secrets?.has(i) ? SECRET : textOf(bytes, from, Math.min(args[2 * i + 1]!, from + MOST_OCTETS)));
  }
  return texts;
}

function hasBlock(resp: Resp, count: number): boolean {
  for (let i = 1; i < count && i < 12; i++) if (/^block$/i.test(resp.argument(i))) return true;
  return false;
}
