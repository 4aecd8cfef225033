/**
 * Redis serialization protocol, versions 2 and 3: commands as arrays of bulk strings or as lines, and their replies.
 *
 * https://redis.io/docs/latest/develop/reference/protocol-spec/; replication: PSYNC, whose answer carries the data set as
 * a bulk string without the CRLF behind it.
 *
 *     *2\r\n $3\r\nGET\r\n $6\r\nuser:1\r\n            a command: array of 2 bulk strings
 *     +OK\r\n   -ERR …\r\n   :42\r\n   $3\r\nada\r\n   $-1\r\n   *-1\r\n
 *     _\r\n   #t\r\n   ,3.14\r\n   (123…\r\n   !5\r\n…\r\n   =8\r\ntxt:text\r\n   %n   ~n   >n   |n      since version 3
 *     $?\r\n ;4\r\nsome\r\n ;0\r\n   *?\r\n … .\r\n                                      streamed strings and aggregates
 */
import { bool, bytes, computed, double, duration, expert, frameNumber, group, int32, int64, many, mark, string } from '../core/field.js';
import type { Answer, Frame } from '../core/frame.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { latin1Of, Texts, textOf } from '../core/octets.js';
import { type ProtocolEntry, tcpPorts } from '../core/registry.js';
import { ALIEN, MORE, type StreamContext, type StreamParser, type StreamProtocol } from '../core/stream.js';
import type { TextBuffer } from '../core/text.js';
import { writeAnswer, writePlainMessage } from './resp-json.js';
import type { StreamNotes } from './tcp-stream.js';

/** Longest line: Redis refuses inline commands beyond 64 KiB; error texts and the like are far below. */
const MAX_LINE = 65_536;
/** Deepest nesting that is followed, as often as it costs memory: the last element of an aggregate is free. */
const MAX_DEPTH = 65_536;
/** Deepest nesting that the tree shows as such. */
const SHOWN_DEPTH = 100;

const CR = 13;
const LF = 10;
const STAR = 0x2a;
const DOLLAR = 0x24;
const PLUS = 0x2b;
const MINUS = 0x2d;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const DOT = 0x2e;
const QUESTION = 0x3f;

/** An aggregate whose end is marked instead of counted. */
const STREAMED = -1;

/** What the first octet of an element announces. */
enum Kind {
  None = 0,
  Line = 1,
  Bulk = 2,
  Aggregate = 3,
  Chunk = 4,
  End = 5,
}

const KIND = new Uint8Array(256);
for (const c of '+-:_#,(') KIND[c.charCodeAt(0)] = Kind.Line;
for (const c of '$!=') KIND[c.charCodeAt(0)] = Kind.Bulk;
for (const c of '*~>%|') KIND[c.charCodeAt(0)] = Kind.Aggregate;
KIND[SEMICOLON] = Kind.Chunk;
KIND[DOT] = Kind.End;

const isMapLike = (type: number): boolean => type === 0x25 || type === 0x7c;
const ATTRIBUTE = 0x7c;

/** Index behind the LF that ends the line at `from`, or -1. */
function lineEnd(b: Uint8Array, from: number, end: number): number {
  for (let i = from; i < end; i++) if (b[i] === LF) return i + 1;
  return -1;
}

/** The decimal number in `[from, to)`; NaN when there is none. Exact up to 2^53, and of the right size beyond. */
function decimal(b: Uint8Array, from: number, to: number): number {
  let at = from;
  const negative = b[at] === MINUS;
  if (negative || b[at] === PLUS) at++;
  if (at >= to) return Number.NaN;
  let n = 0;
  for (; at < to; at++) {
    const digit = b[at]! - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    n = n * 10 + digit;
  }
  return negative ? -n : n;
}

const MAX_INT64 = 0x7fff_ffff_ffff_ffffn;

/** The 64-bit number in `[from, to)`, the largest there is when it does not fit, 0 when it is none. */
function integer(b: Uint8Array, from: number, to: number): bigint {
  if (to - from < 16) {
    const n = decimal(b, from, to);
    return Number.isNaN(n) ? 0n : BigInt(n);
  }
  const text = latin1Of(b, from, Math.min(to, from + 4096));
  if (!/^[+-]?\d+$/.test(text)) return 0n;
  // More digits than 64 bits can hold are not worth converting.
  const n = text.length > 40 ? (text[0] === '-' ? -MAX_INT64 - 1n : MAX_INT64) : BigInt(text.replace('+', ''));
  return n > MAX_INT64 ? MAX_INT64 : n < -MAX_INT64 - 1n ? -MAX_INT64 - 1n : n;
}

const aggregateLength = () => many(int64('resp.array.length', 'Length'));

/** What the class below finds out about a command. */
interface Command extends Layer {
  readonly command: string | undefined;
  readonly keyText: string | undefined;
}

/** True for the last message of a segment that begins another one and does not end it. */
function isContinued(l: Layer): boolean {
  const { layers, transport } = l.frame;
  const assembly = (transport as { assembly?: StreamNotes } | undefined)?.assembly;
  if (assembly === undefined || layers[layers.length - 1] !== l) return false;
  // The first stretch belongs to the message that the segment completed, if it completed one that began earlier.
  const begun = assembly.segmentData.slice(assembly.reassembled === undefined ? 0 : 1);
  return begun.some(([, to]) => to === transport!.end);
}

const fields = {
  commandRow: computed('string', 'resp.command', 'Command', (l: Command) => l.command),
  keyRow: computed('string', 'resp.key', 'Key', (l: Command) => l.keyText),
  inline: many(string('resp.inline', 'Inline command')),
  fragment: many(mark('resp.fragment', 'Fragment')),
  continued: computed('none', 'resp.reassembled_in_next_frame', 'The segment ends inside the message after this one', (l) =>
    isContinued(l) ? true : undefined,
  ),
  string: many(string('resp.string', 'String')),
  error: many(string('resp.error', 'Error')),
  integer: many(int64('resp.integer', 'Integer')),
  ...group(
    { bulkString: many(mark('resp.bulk_string', 'Bulk String')) },
    {
      bulkLength: many(int32('resp.bulk_string.length', 'Length')),
      bulkValue: many(bytes('resp.bulk_string.value', 'Value')),
    },
  ),
  ...group({ array: many(mark('resp.array', 'Array')) }, { arrayLength: aggregateLength() }),
  ...group({ map: many(mark('resp.map', 'Map')) }, { mapLength: many(int64('resp.map.length', 'Pairs')) }),
  ...group({ set: many(mark('resp.set', 'Set')) }, { setLength: many(int64('resp.set.length', 'Length')) }),
  ...group({ push: many(mark('resp.push', 'Push')) }, { pushLength: many(int64('resp.push.length', 'Length')) }),
  ...group({ attribute: many(mark('resp.attribute', 'Attribute')) }, { attributeLength: many(int64('resp.attribute.length', 'Pairs')) }),
  nullValue: many(mark('resp.null', 'Null')),
  boolean: many(bool('resp.boolean', 'Boolean')),
  double: many(double('resp.double', 'Double')),
  bigNumber: many(string('resp.big_number', 'Big number')),
  blobError: many(string('resp.blob_error', 'Bulk error')),
  ...group(
    { verbatim: many(string('resp.verbatim_string', 'Verbatim string')) },
    { verbatimFormat: many(string('resp.verbatim_string.format', 'Format')) },
  ),
  chunk: many(bytes('resp.chunk', 'Chunk')),
  responseTo: frameNumber('resp.response_to', 'Reply to the command in frame'),
  time: duration('resp.time', 'From the end of the command to the beginning of the reply', { unit: 'seconds' }),
  dataSet: bytes('resp.rdb', 'Data set of the primary (RDB)'),
  malformedLength: many(expert('error', 'resp.malformed_length', 'Malformed length specified')),
};

/** What stands where a secret was. */
const SECRET = Uint8Array.from('(secret)', (c) => c.charCodeAt(0));
/** Settings whose value is a password. */
const SECRET_SETTING = /^(requirepass|masterauth|tls-key-file-pass|tls-client-key-file-pass|auth-pass|sentinel-pass)$/i;

const MAY_HAVE_SECRETS = new Set(['AUTH', 'HELLO', 'MIGRATE', 'CONFIG', 'SENTINEL', 'ACL']);

/** Which arguments of a command are secrets. `arg(i)` is text, argument 0 the name of the command. */
function secretsOf(arg: (i: number) => string, count: number): Set<number> | undefined {
  const name = arg(0).toUpperCase();
  if (!MAY_HAVE_SECRETS.has(name)) return undefined;
  const secrets = new Set<number>();
  switch (name) {
    case 'AUTH':
      secrets.add(count > 2 ? 2 : 1);
      break;
    case 'HELLO':
      for (let i = 2; i < count; i++) if (/^auth$/i.test(arg(i))) secrets.add(i + 2);
      break;
    case 'MIGRATE':
      for (let i = 6; i < count; i++) {
        if (/^keys$/i.test(arg(i))) break;
        if (/^auth$/i.test(arg(i))) secrets.add(++i);
        else if (/^auth2$/i.test(arg(i))) secrets.add((i += 2));
      }
      break;
    case 'CONFIG':
      if (/^set$/i.test(arg(1))) for (let i = 2; i < count; i += 2) if (SECRET_SETTING.test(arg(i))) secrets.add(i + 1);
      break;
    case 'SENTINEL':
      if (/^(set|config)$/i.test(arg(1))) for (let i = 2; i < count; i++) if (SECRET_SETTING.test(arg(i))) secrets.add(i + 1);
      break;
    case 'ACL':
      // Rules that add or remove a password, as it is or hashed.
      if (/^setuser$/i.test(arg(1))) for (let i = 3; i < count; i++) if (/^[><#!]/.test(arg(i))) secrets.add(i);
      break;
    default:
      return undefined;
  }
  return secrets.size > 0 ? secrets : undefined;
}

/** Most arguments that are looked at for secrets and shown in the Info column. */
const MAX_ARGUMENTS = 1024;
const MAX_SHOWN = 24;

const NO_ARGUMENTS: readonly number[] = [];

/** Commands whose first argument is no key. */
const KEYLESS =
  /^(ACL|ASKING|AUTH|BGREWRITEAOF|BGSAVE|CLIENT|CLUSTER|COMMAND|CONFIG|DBSIZE|DEBUG|DISCARD|ECHO|EVAL|EVALSHA|EVAL_RO|EVALSHA_RO|EXEC|FAILOVER|FCALL|FCALL_RO|FLUSHALL|FLUSHDB|FUNCTION|HELLO|INFO|KEYS|LASTSAVE|LATENCY|LOLWUT|MEMORY|MIGRATE|MODULE|MONITOR|MULTI|OBJECT|PING|PSUBSCRIBE|PSYNC|PUBLISH|PUBSUB|PUNSUBSCRIBE|QUIT|RANDOMKEY|READONLY|READWRITE|REPLCONF|REPLICAOF|RESET|ROLE|SAVE|SCAN|SCRIPT|SELECT|SENTINEL|SHUTDOWN|SLAVEOF|SLOWLOG|SUBSCRIBE|SPUBLISH|SSUBSCRIBE|SUNSUBSCRIBE|SWAPDB|SYNC|TIME|UNSUBSCRIBE|UNWATCH|WAIT|WAITAOF|XGROUP|XINFO|XREAD|XREADGROUP)$/;

/** What the name of a command tells. */
interface CommandName {
  /** In capitals. */
  readonly text: string;
  /** Whether its first argument is a key. */
  readonly hasKey: boolean;
}

/** Names as they were written, and what they tell: a capture has a few, each many times. */
const names = new Texts();
const knownNames = new Map<string, CommandName>();
const MOST_NAMES = 1024;

function nameOf(b: Uint8Array, from: number, to: number): CommandName {
  const written = names.of(b, from, to);
  let name = knownNames.get(written);
  if (name === undefined) {
    if (knownNames.size >= MOST_NAMES) knownNames.clear();
    const text = written.toUpperCase();
    knownNames.set(written, (name = { text, hasKey: !KEYLESS.test(text) }));
  }
  return name;
}

/** A message: a command, a reply, or what the server sends on its own. */
export class Resp extends layer('resp', 'REdis Serialization Protocol', fields) {
  /** True when the client sent it. */
  declare fromClient: boolean;
  /** The octets are the data set of a primary, not elements. */
  declare isDataSet: boolean;
  /** The rest of it was not captured. */
  declare incomplete: boolean;
  /** For a reply: the command that it answers. */
  declare exchange: Answer | undefined;
  private found: readonly number[] | undefined;
  private hidden: Set<number> | undefined | null;

  override lasting(): PropertyDescriptorMap {
    // Both are found anew where the octets then stand.
    return { found: { value: undefined, writable: true }, hidden: { value: undefined, writable: true } };
  }

  /**
   * Where the arguments of a command stand: start and end of each, in turn; none when it is no command. At most the first
   * 1024 are listed.
   */
  get arguments(): readonly number[] {
    this.found ??= this.isDataSet ? NO_ARGUMENTS : argumentsOf(this.bytes, this.start, this.captured);
    return this.found;
  }

  /** The arguments that are secrets and not to be shown, by their number. */
  get secrets(): Set<number> | undefined {
    if (this.hidden === undefined) {
      const { arguments: args } = this;
      const count = args.length / 2;
      this.hidden =
        count < 2 || this.frame.session.showSecrets || !this.fromClient ? null : (secretsOf((i) => this.argument(i), count) ?? null);
    }
    return this.hidden ?? undefined;
  }

  /** An argument as text, its first 256 octets at most; empty when there is none. */
  argument(i: number): string {
    const { arguments: args } = this;
    if (2 * i >= args.length) return '';
    return textOf(this.bytes, args[2 * i]!, Math.min(args[2 * i + 1]!, args[2 * i]! + 256));
  }

  private get name(): CommandName {
    const { arguments: args } = this;
    return nameOf(this.bytes, args[0]!, Math.min(args[1]!, args[0]! + 256));
  }

  /** The name of the command in capitals. */
  get command(): string | undefined {
    return this.fromClient && this.arguments.length > 0 ? this.name.text : undefined;
  }

  /** The (first) key that the command is about. */
  get keyText(): string | undefined {
    return this.fromClient && this.arguments.length > 2 && this.name.hasKey ? this.argument(1) : undefined;
  }

  override quickJson(out: TextBuffer): boolean {
    const { exchange } = this;
    if (this.isDataSet || this.secrets !== undefined || typeof exchange?.time === 'bigint') return false;
    if (!writePlainMessage(out, this.bytes, this.start, this.captured)) return false;
    if (exchange !== undefined) writeAnswer(out, exchange);
    return true;
  }

  override walk(tree: Tree): void {
    this.walkElements(tree);
    const { exchange } = this;
    if (exchange === undefined) return;
    tree.put(fields.responseTo, exchange.request);
    tree.put(fields.time, exchange.time);
  }

  private walkElements(tree: Tree): void {
    const { bytes: b, captured } = this;
    if (this.isDataSet) {
      const at = lineEnd(b, this.start, captured);
      if (at > 0) tree.add(fields.dataSet, at, captured - at);
      return;
    }
    const { secrets } = this;
    const isSecret = (from: number): boolean => {
      if (secrets === undefined) return false;
      for (const i of secrets) if (this.found![2 * i] === from) return true;
      return false;
    };
    // Elements still to come of each open aggregate.
    const open: number[] = [];
    let closing = 0;
    for (let at = this.start; at < captured; ) {
      const line = lineEnd(b, at, captured);
      if (line < 0) break;
      const type = b[at]!;
      const stop = b[line - 2] === CR && line - 2 > at ? line - 2 : line - 1;
      const count = open.length;
      switch (KIND[type]) {
        case Kind.Line:
          walkLine(tree, type, b, at + 1, stop);
          at = line;
          break;
        case Kind.Bulk:
        case Kind.Chunk: {
          const length = decimal(b, at + 1, stop);
          if (b[at + 1] === QUESTION) {
            tree.openPut(fields.bulkString, true, at, line - at);
            open.push(STREAMED);
            at = line;
            continue;
          }
          if (type === SEMICOLON) {
            if (length > 0) tree.add(fields.chunk, line, Math.min(length, captured - line));
            else this.closeOne(tree, open);
            at = length > 0 ? line + length + 2 : line;
            if (length > 0) continue;
            break;
          }
          const whole = length >= 0 && line + length <= captured;
          walkBulk(tree, type, at, line, length, whole, isSecret(line));
          at = length >= 0 ? line + length + 2 : line;
          break;
        }
        case Kind.Aggregate: {
          const streamed = b[at + 1] === QUESTION;
          const length = streamed ? 0 : decimal(b, at + 1, stop);
          const [row, lengthRow] = AGGREGATE[type]!;
          if (count < SHOWN_DEPTH) tree.openPut(row, true, at, line - at);
          else tree.put(row, true, at, line - at);
          if (!streamed && !Number.isNaN(length)) tree.put(lengthRow, integer(b, at + 1, stop), at + 1, stop - at - 1);
          if (length < -1) tree.put(fields.malformedLength, true, at, line - at);
          at = line;
          if (type === ATTRIBUTE && count > 0 && open[count - 1]! > 0) open[count - 1]!++;
          if (streamed || length > 0) {
            open.push(streamed ? STREAMED : isMapLike(type) ? 2 * length : length);
            continue;
          }
          if (count < SHOWN_DEPTH) tree.close();
          break;
        }
        case Kind.End:
          this.closeOne(tree, open);
          at = line;
          break;
        default:
          this.walkInline(tree, at, line, stop);
          at = line;
      }
      // An element is complete; so are the aggregates that it was the last of.
      closing = open.length;
      while (closing > 0 && open[closing - 1] !== STREAMED && --open[closing - 1]! === 0) {
        this.closeOne(tree, open);
        closing--;
      }
    }
    while (open.length > 0) this.closeOne(tree, open);
  }

  private closeOne(tree: Tree, open: number[]): void {
    if (open.length === 0) return;
    open.pop();
    if (open.length < SHOWN_DEPTH) tree.close();
  }

  private walkInline(tree: Tree, at: number, line: number, stop: number): void {
    // Redis ignores empty lines.
    if (stop === at) return;
    tree.put(fields.fragment, true, at, line - at);
    let text = '';
    const { arguments: args, secrets } = this;
    if (secrets === undefined) text = textOf(this.bytes, at, stop);
    else for (let i = 0; 2 * i < args.length; i++) text += (i ? ' ' : '') + (secrets.has(i) ? '(secret)' : this.argument(i));
    tree.put(fields.inline, text, at, line - at);
  }

  override summary(out: TextBuffer): void {
    this.writeMessage(out);
    if (this.incomplete) out.ascii(' [incomplete]');
  }

  /** The command or the reply on a line, as in the Info column. */
  writeMessage(out: TextBuffer): void {
    const { bytes: b, start, captured } = this;
    if (this.isDataSet) {
      out.ascii('data set of ');
      out.number(this.end - start);
      return out.ascii(' octets');
    }
    const { arguments: args, secrets } = this;
    if (this.fromClient && args.length > 0) {
      const count = args.length / 2;
      for (let i = 0; i < count && i < MAX_SHOWN; i++) {
        if (i > 0) out.byte(32);
        if (secrets?.has(i)) out.ascii('(secret)');
        else writeArgument(out, b, args[2 * i]!, args[2 * i + 1]!, i);
      }
      if (count > MAX_SHOWN) out.unicode(' …');
      return;
    }
    this.writeReply(out, start, captured);
  }

  private writeReply(out: TextBuffer, start: number, captured: number): void {
    const { bytes: b } = this;
    let at = start;
    // An attribute says something about the reply that follows it: both are told.
    for (let first = true; ; first = false) {
      const line = lineEnd(b, at, captured);
      if (line < 0) return out.ascii('cut short');
      const stop = b[line - 2] === CR ? line - 2 : line - 1;
      const type = b[at]!;
      if (!first) out.ascii(', then ');
      switch (KIND[type]) {
        case Kind.Line:
          if (type === 0x5f) return out.ascii('null');
          if (type === 0x23) return out.ascii(b[at + 1] === 0x74 ? 'true' : 'false');
          return out.octets(b, at + 1, Math.min(stop, at + 1 + 256));
        case Kind.Bulk: {
          const length = decimal(b, at + 1, stop);
          if (b[at + 1] === QUESTION) return out.ascii('streamed string');
          if (!(length >= 0)) return out.ascii('null');
          if (type === DOLLAR) return writeQuoted(out, b, line, Math.min(line + length, captured));
          const skip = type === 0x3d ? 4 : 0;
          return out.octets(b, line + skip, Math.min(line + length, captured, line + 256));
        }
        case Kind.Aggregate: {
          const name = AGGREGATE_NAME[type]!;
          const length = decimal(b, at + 1, stop);
          if (b[at + 1] === QUESTION) out.ascii(`streamed ${name}`);
          else if (length < 0) return out.ascii('null');
          else if (length === 0) out.ascii(`empty ${name}`);
          else {
            out.ascii(`${name} of `);
            out.number(length);
            if (type === 0x3e || isMessage(b, line, captured)) this.writePushed(out, line, captured, length);
          }
          if (type !== ATTRIBUTE) return;
          at = behind(b, at, captured);
          if (at < 0 || at >= captured) return;
          break;
        }
        default:
          return out.octets(b, at, Math.min(stop, at + 256));
      }
    }
  }

  /** The words of a pushed message: `message channel "text"`. */
  private writePushed(out: TextBuffer, start: number, captured: number, count: number): void {
    const { bytes: b } = this;
    out.ascii(':');
    for (let i = 0, at = start; i < count && i < 5 && at < captured; i++) {
      const line = lineEnd(b, at, captured);
      if (line < 0) return;
      const length = decimal(b, at + 1, line - 2);
      out.byte(32);
      if (b[at] === DOLLAR && length >= 0) {
        writeArgument(out, b, line, Math.min(line + length, captured), i);
        at = line + length + 2;
      } else {
        out.octets(b, at + 1, Math.min(line - 2, at + 64));
        at = line;
        if (KIND[b[at]!] === Kind.Aggregate) return;
      }
    }
  }
}

const AGGREGATE: Readonly<Record<number, readonly [typeof fields.array, typeof fields.arrayLength]>> = {
  [STAR]: [fields.array, fields.arrayLength],
  126: [fields.set, fields.setLength],
  62: [fields.push, fields.pushLength],
  37: [fields.map, fields.mapLength],
  [ATTRIBUTE]: [fields.attribute, fields.attributeLength],
};
const AGGREGATE_NAME: Readonly<Record<number, string>> = { [STAR]: 'array', 126: 'set', 62: 'push', 37: 'map', [ATTRIBUTE]: 'attribute' };

function walkLine(tree: Tree, type: number, b: Uint8Array, from: number, to: number): void {
  const length = to - from;
  switch (type) {
    case PLUS:
      tree.add(fields.string, from, length);
      break;
    case MINUS:
      tree.add(fields.error, from, length);
      break;
    case COLON:
      tree.put(fields.integer, integer(b, from, to), from, length);
      break;
    case 0x5f:
      tree.put(fields.nullValue, true, from - 1, length + 1);
      break;
    case 0x23:
      tree.put(fields.boolean, b[from] === 0x74, from, length);
      break;
    case 0x2c: {
      const text = latin1Of(b, from, Math.min(to, from + 64)).toLowerCase();
      tree.put(fields.double, text === 'inf' ? Infinity : text === '-inf' ? -Infinity : Number(text), from, length);
      break;
    }
    default:
      tree.add(fields.bigNumber, from, length);
  }
}

function walkBulk(tree: Tree, type: number, at: number, line: number, length: number, whole: boolean, secret: boolean): void {
  if (type === 0x21) {
    if (whole) tree.add(fields.blobError, line, length);
    return;
  }
  if (type === 0x3d) {
    if (!whole || length < 4) return;
    tree.open(fields.verbatim, line + 4, length - 4);
    tree.add(fields.verbatimFormat, line, 3);
    tree.close();
    return;
  }
  tree.openPut(fields.bulkString, true, at, line - at + (whole ? length : 0));
  if (!Number.isNaN(length)) tree.put(fields.bulkLength, Math.max(-0x8000_0000, Math.min(length, 0x7fff_ffff)), at + 1, line - at - 3);
  if (length < -1 || Number.isNaN(length)) tree.put(fields.malformedLength, true, at, line - at);
  if (whole && length > 0) {
    if (secret) tree.put(fields.bulkValue, SECRET, line, length);
    else tree.add(fields.bulkValue, line, length);
  }
  tree.close();
}

const isWord = (c: number): boolean => c > 0x20 && c < 0x7f && c !== 0x22 && c !== 0x27 && c !== 0x5c;

/** Names, keys, numbers and options as they are, values in quotes: `SET user:1 "ada" EX 60`. */
function writeArgument(out: TextBuffer, b: Uint8Array, from: number, to: number, index: number): void {
  const length = to - from;
  let bare = length > 0 && length <= 200;
  let plain = true;
  for (let i = from; bare && i < to; i++) {
    const c = b[i]!;
    if (!isWord(c)) bare = false;
    // Capitals, digits and signs make an option or a number.
    if (c >= 0x61 && c <= 0x7a) plain = false;
  }
  if (bare && (index < 2 || (plain && length < 24))) out.octets(b, from, to);
  else writeQuoted(out, b, from, to);
}

/** Octets as text in quotes, the first 64. */
function writeQuoted(out: TextBuffer, b: Uint8Array, from: number, to: number): void {
  const stop = Math.min(to, from + 64);
  out.byte(0x22);
  let escapes = false;
  for (let i = from; i < stop; i++) if (b[i] === 0x22 || b[i] === 0x5c) escapes = true;
  if (escapes) out.text(textOf(b, from, stop).replaceAll('\\', '\\\\').replaceAll('"', '\\"'));
  else out.octets(b, from, stop);
  out.byte(0x22);
  if (stop < to) {
    out.unicode('… (');
    out.number(to - from);
    out.ascii(' octets)');
  }
}

/** Does an array of RESP2 begin with the name of a pushed message? */
function isMessage(b: Uint8Array, at: number, end: number): boolean {
  const line = lineEnd(b, at, Math.min(end, at + 8));
  if (line < 0 || b[at] !== DOLLAR) return false;
  return /^(p|s)?(message|subscribe|unsubscribe)\r\n/.test(latin1Of(b, line, Math.min(end, line + 16)));
}

/** The arguments in an array of bulk strings, or in a line; none when the octets are something else. */
function argumentsOf(b: Uint8Array, start: number, end: number): readonly number[] {
  const found: number[] = [];
  let line = lineEnd(b, start, end);
  if (line < 0) return NO_ARGUMENTS;
  if (b[start] !== STAR) {
    if (KIND[b[start]!] !== Kind.None) return NO_ARGUMENTS;
    for (let at = start; at < line && found.length < 2 * MAX_ARGUMENTS; ) {
      while (at < line && b[at]! <= 0x20) at++;
      const from = at;
      // A quoted argument may hold spaces (RESP has no escapes that matter here).
      const quote = b[at] === 0x22 || b[at] === 0x27 ? b[at] : 0;
      if (quote) {
        at++;
        while (at < line && b[at] !== quote) at += b[at] === 0x5c ? 2 : 1;
        at = Math.min(at, line);
        found.push(from + 1, at);
        at++;
      } else {
        while (at < line && b[at]! > 0x20) at++;
        if (at > from) found.push(from, at);
      }
    }
    return found;
  }
  const count = decimal(b, start + 1, line - 2);
  for (let i = 0, at = line; i < count && i < MAX_ARGUMENTS; i++) {
    line = lineEnd(b, at, end);
    if (line < 0) break;
    const length = decimal(b, at + 1, line - 2);
    if (b[at] !== DOLLAR || !(length >= 0)) return NO_ARGUMENTS;
    if (line + length > end) break;
    found.push(line, line + length);
    at = line + length + 2;
  }
  return found;
}

/** Where the element at `start` ends, or -1. */
function behind(b: Uint8Array, start: number, end: number): number {
  const parser = new Elements();
  // Without what follows an attribute, whose own elements are what is asked for.
  return parser.measure(b, start, end, true) > 0 ? start + parser.length : -1;
}

/** Finds the end of an element, step by step. */
class Elements {
  /** Octets of whole elements so far. */
  length = 0;
  /** Octets that are known to hold no end of a line, beyond {@link length}. */
  private looked = 0;
  /** Elements still to come of each open aggregate; those from {@link depth} on are left over from earlier messages. */
  private readonly open: number[] = [];
  private depth = 0;
  /** Octets that are missing, where a length says so. */
  need = 0;

  /** Nothing of the message was taken but, perhaps, a bulk string in part. */
  get flat(): boolean {
    return this.depth === 0;
  }

  reset(): void {
    this.length = 0;
    this.looked = 0;
    this.depth = 0;
    this.need = 0;
  }

  /** As {@link StreamParser.measure}; with `single` an attribute is an element of its own. Each octet is looked at once. */
  measure(b: Uint8Array, start: number, end: number, single = false): number {
    const { open } = this;
    let at = start + this.length;
    for (;;) {
      const line = lineEnd(b, Math.max(at, start + this.looked), end);
      if (line < 0) {
        this.looked = end - start;
        this.length = at - start;
        this.need = 0;
        return end - at > MAX_LINE ? ALIEN : MORE;
      }
      const type = b[at]!;
      const kind = KIND[type]!;
      let leaf = true;
      if (kind === Kind.None) {
        // A line by itself is a command, if it is text; within an aggregate it is nothing.
        if (this.depth > 0 || !isText(b, at, line)) return ALIEN;
        at = line;
      } else {
        if (b[line - 2] !== CR || line - 2 <= at - (type === DOT ? 0 : 1)) return ALIEN;
        if (kind === Kind.Line) at = line;
        else if (kind === Kind.End) {
          if (this.depth === 0 || open[this.depth - 1] !== STREAMED) return ALIEN;
          this.depth--;
          at = line;
        } else if (b[at + 1] === QUESTION && line === at + 4 && type !== SEMICOLON) {
          this.count();
          if (this.depth >= MAX_DEPTH) return ALIEN;
          open[this.depth++] = STREAMED;
          at = line;
          continue;
        } else {
          const n = decimal(b, at + 1, line - 2);
          if (Number.isNaN(n)) return ALIEN;
          if (kind === Kind.Aggregate) {
            at = line;
            if (n > 0) {
              leaf = false;
              if (type !== ATTRIBUTE) this.count();
              else if (this.depth === 0 && !single) open[this.depth++] = 1;
              if (this.depth >= MAX_DEPTH) return ALIEN;
              open[this.depth++] = isMapLike(type) ? 2 * n : n;
            } else if (type === ATTRIBUTE && !single) leaf = false;
          } else if (kind === Kind.Chunk && n <= 0) {
            if (this.depth === 0 || open[this.depth - 1] !== STREAMED) return ALIEN;
            this.depth--;
            at = line;
          } else if (n < 0) at = line;
          else {
            const stop = line + n + 2;
            if (stop > end) {
              this.looked = this.length = at - start;
              this.need = stop - end;
              return MORE;
            }
            if (b[stop - 2] !== CR || b[stop - 1] !== LF) return ALIEN;
            at = stop;
            if (kind === Kind.Chunk) leaf = false;
          }
        }
      }
      if (leaf) this.count();
      if (this.depth === 0 && (leaf || single)) {
        this.length = at - start;
        return this.length;
      }
    }
  }

  /** An element is there: count it in the aggregate it stands in, which is closed with its last one. */
  private count(): void {
    const { open } = this;
    const top = this.depth - 1;
    if (top >= 0 && open[top]! > 0 && --open[top]! === 0) this.depth = top;
  }
}

function isText(b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (b[i]! < 0x20 && b[i] !== CR && b[i] !== LF && b[i] !== 9) return false;
  return true;
}

/** `*3\r\n$5\r\nP…`, `*1\r\n$4\r\nS…`. */
function mayBeSync(b: Uint8Array, start: number, end: number): boolean {
  const letter = b[start + 8]! | 0x20;
  return b[start] === STAR && end - start < 128 && (letter === 0x70 || letter === 0x73) && (b[start + 5] === 0x34 || b[start + 5] === 0x35);
}

/** What both directions know. */
export interface RespShared {
  /** The client asked for the data set, which comes as the next bulk string. */
  syncing: boolean;
  /** Octets were lost since the last reply was paired: commands or replies may be missing. */
  holed: boolean;
  /** Whatever the analysis that pairs commands with replies keeps for the connection. */
  talk: unknown;
}

class RespParser implements StreamParser {
  private readonly elements = new Elements();
  /** Octets of a data set, header included; 0 when none is under way, Infinity while only a mark at its end is known. */
  private dataSet = 0;
  private endMark: Uint8Array | undefined = undefined;
  private looked = 0;

  constructor(private readonly context: StreamContext) {}

  get need(): number {
    // Within an aggregate there is more to come than the string that is under way.
    return this.elements.flat ? this.elements.need : 0;
  }

  private get shared(): RespShared {
    return ((this.context.shared as RespShared | undefined) ??
      (this.context.shared = { syncing: false, holed: false, talk: undefined })) as RespShared;
  }

  measure(b: Uint8Array, start: number, end: number): number {
    if (b[start] === DOLLAR && !this.context.fromClient && this.shared.syncing) return this.measureDataSet(b, start, end);
    const n = this.elements.measure(b, start, end);
    if (n !== MORE && n !== ALIEN) this.elements.reset();
    return n;
  }

  /** `$<length>\r\n<octets>`, or `$EOF:<mark of 40>\r\n<octets><mark>`; nothing follows either. */
  private measureDataSet(b: Uint8Array, start: number, end: number): number {
    const { elements } = this;
    elements.need = 0;
    if (this.dataSet === 0) {
      const line = lineEnd(b, start, Math.min(end, start + 64));
      if (line < 0) return end - start >= 64 ? ALIEN : MORE;
      if (b[start + 1] === 0x45 && line - start === 47) {
        this.endMark = b.slice(start + 5, start + 45);
        this.dataSet = Infinity;
        this.looked = line - start;
      } else {
        const n = decimal(b, start + 1, line - 2);
        if (!(n >= 0)) return ALIEN;
        this.dataSet = line - start + n;
      }
    }
    if (this.endMark !== undefined) {
      const mark = this.endMark;
      for (let at = start + this.looked; at + 40 <= end; at++) {
        let same = 0;
        while (same < 40 && b[at + same] === mark[same]) same++;
        if (same === 40) return at + 40 - start;
      }
      this.looked = Math.max(this.looked, end - start - 39);
      return MORE;
    }
    if (start + this.dataSet <= end) return this.dataSet;
    elements.need = start + this.dataSet - end;
    return MORE;
  }

  dissect(frame: Frame, start: number, end: number): void {
    this.add(frame, start, end, false);
    this.reset();
  }

  private add(frame: Frame, start: number, end: number, incomplete: boolean): void {
    const resp = new Resp(frame, start, end);
    resp.fromClient = this.context.fromClient;
    resp.isDataSet = this.dataSet > 0;
    resp.incomplete = incomplete;
    if (incomplete) frame.layers.push(resp);
    else frame.add(resp, end - start);
    const { shared } = this;
    if (resp.isDataSet) shared.syncing = false;
    // Only what may be PSYNC or SYNC by its letters is looked at closely.
    else if (resp.fromClient && mayBeSync(frame.bytes, start, end) && /^P?SYNC$/.test(resp.command ?? '')) shared.syncing = true;
    frame.session.hooks.resp?.(frame, resp, this.context);
  }

  partial(frame: Frame, start: number, end: number): number {
    const { elements } = this;
    const held = Math.min(end, frame.captured);
    const left = this.dataSet > 0 ? start + this.dataSet - end : elements.flat && elements.need > 0 ? elements.need - (end - held) : 0;
    this.add(frame, start, end, true);
    this.reset();
    return Math.max(0, left);
  }

  hole(): void {
    this.shared.holed = true;
    this.reset();
  }

  private reset(): void {
    this.elements.reset();
    this.dataSet = 0;
    this.endMark = undefined;
    this.looked = 0;
  }

  /** Behind any end of a line, if the octets there look like an element. */
  resync(b: Uint8Array, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      if (at === start || (b[at - 1] === LF && b[at - 2] === CR)) {
        const kind = KIND[b[at]!]!;
        if (kind === Kind.Line || kind === Kind.Bulk || kind === Kind.Aggregate) {
          const line = lineEnd(b, at, Math.min(end, at + 24));
          if (line > 0 && b[line - 2] === CR && (kind === Kind.Line || !Number.isNaN(decimal(b, at + 1, line - 2)))) return at;
        }
      }
    }
    return end;
  }
}

/** A command's array of bulk strings, or one of the replies that nothing else begins with (`+OK` and `-ERR` are POP3's, too). */
function recognise(b: Uint8Array, start: number, end: number): boolean {
  if (end - start < 4) return false;
  if (b[start] === PLUS || b[start] === MINUS)
    return /^(\+PONG\r\n|-(NOAUTH|WRONGPASS|MOVED|ASK|LOADING) )/.test(latin1Of(b, start, Math.min(end, start + 12)));
  if (b[start] !== STAR) return false;
  const line = lineEnd(b, start, Math.min(end, start + 10));
  if (line < 0 || b[line - 2] !== CR || !(decimal(b, start + 1, line - 2) >= 1) || line >= end || b[line] !== DOLLAR) return false;
  const next = lineEnd(b, line, Math.min(end, line + 12));
  return next > 0 && b[next - 2] === CR && decimal(b, line + 1, next - 2) >= 0;
}

export const respStream: StreamProtocol = { name: 'resp', parser: (context) => new RespParser(context), recognise };

export const resp: ProtocolEntry = { name: 'resp', layers: [Resp], stream: respStream, on: [tcpPorts.at(6379, respStream)] };
