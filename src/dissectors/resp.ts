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
import {
  bool,
  bytes,
  computed,
  double,
  duration,
  expert,
  frameNumber,
  gated,
  group,
  int32,
  int64,
  many,
  mark,
  string,
} from '../core/field.js';
import type { Answer } from '../core/frame.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { latin1Of, textOf } from '../core/octets.js';
import { OctetKind, type TextBuffer } from '../core/text.js';
import {
  argumentsOf,
  MAX_ARGUMENTS,
  NO_ARGUMENTS,
  SECRET,
  secretSettings,
  secretsOf,
  settingsOf,
  Tells,
  withoutSecrets,
} from './resp-arguments.js';
import { type CommandName, commandName, shortName } from './resp-commands.js';
import {
  ATTRIBUTE,
  behind,
  COLON,
  CR,
  DOLLAR,
  decimal,
  integer,
  isMapLike,
  KIND,
  Kind,
  lineEnd,
  MAP,
  MINUS,
  PLUS,
  PUSH,
  QUESTION,
  SEMICOLON,
  SET,
  STAR,
  STREAMED,
} from './resp-elements.js';
import { writeAnswer, writeLine, writeStrings } from './resp-json.js';
import { keyAmong, NO_KEY } from './resp-keys.js';
import { FUNCTIONS, MOST_MESSAGES, MOST_OCTETS, type RespFunctions, ROOM } from './resp-octets.js';
import { BulkStrings } from './resp-strings.js';
import type { StreamNotes } from './tcp-stream.js';

/** Deepest nesting that the tree shows as such. */
const SHOWN_DEPTH = 100;

const aggregateLength = () => many(int64('resp.array.length', 'Length'));

/** What the class below finds out about a command. */
interface Command extends Layer {
  readonly isCommand: boolean;
  readonly hasKey: boolean;
  readonly command: string | undefined;
  readonly keyText: string | undefined;
  /** Both as JSON. */
  writeCommand(out: TextBuffer): void;
  writeKey(out: TextBuffer): void;
}

/** True for the last message of a segment that begins another one and does not end it. */
function isContinued(l: Layer): boolean {
  const { frame } = l;
  const { transport } = frame;
  const assembly = (transport as { assembly?: StreamNotes } | undefined)?.assembly;
  if (assembly === undefined || frame.at(frame.depth - 1) !== l) return false;
  // The first stretch belongs to the message that the segment completed, if it completed one that began earlier.
  const begun = assembly.segmentData.slice(assembly.reassembled === undefined ? 0 : 1);
  return begun.some(([, to]) => to === transport!.end);
}

const fields = {
  ...gated((l: Command) => l.isCommand, {
    commandRow: computed('string', 'resp.command', 'Command', (l: Command) => l.command, {
      json: (l, out) => (l as Command).writeCommand(out),
    }),
  }),
  ...gated((l: Command) => l.hasKey, {
    keyRow: computed('string', 'resp.key', 'Key', (l: Command) => l.keyText, { json: (l, out) => (l as Command).writeKey(out) }),
  }),
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
  malformedLength: many(expert('error', 'malformed', 'resp.malformed_length', 'Malformed length specified')),
};

/** What the class below knows of any message. */
interface Message extends Command {
  readonly marks: number;
  readonly tells: Tells;
  readonly exchange: Answer | undefined;
  readonly name: CommandName | undefined;
}

/** Plain messages of one side, one behind the other, that tell no secret and answer the same, if anything. */
function writeFromOctets(
  layers: readonly Message[],
  from: number,
  to: number,
  number: number,
  out: TextBuffer,
  place: number,
  { messages }: RespFunctions,
): number {
  const { bytes: b, start, marks, exchange } = layers[from]!;
  const time = exchange === undefined ? 0 : exchange.time;
  if ((marks & Mark.Plain) === 0 || typeof time !== 'number') return from;
  const fromClient = marks & Mark.FromClient;
  const stop = Math.min(isContinued(layers[to - 1]!) ? to - 1 : to, from + MOST_MESSAGES);
  let end = start;
  let keys = 0;
  let i = from;
  for (; i < stop; i++) {
    const l = layers[i]!;
    if (l.marks !== marks || l.start !== end || l.bytes !== b || l.captured - start > MOST_OCTETS) break;
    if (l.exchange !== exchange || l.tells !== Tells.Nothing) break;
    if (fromClient !== 0) {
      const { name } = l;
      if (name === undefined || name.mayHideSecrets || name.key > 1) break;
      keys |= name.key << (i - from);
    }
    end = l.captured;
  }
  if (i === from) return from;
  const at = out.base + out.length;
  const request = exchange === undefined ? 0 : exchange.request;
  const behind = messages(at, place + start, place + end, i - from, number, fromClient, keys, request, time);
  if (behind === 0) return from;
  out.length = behind - out.base;
  return i;
}

const utf8 = new TextEncoder();
/** Most arguments that are shown in the Info column. */
const MAX_SHOWN = 24;

/** The strings of the message that was asked for them last: all that is told of one is asked in a row. */
const strings = new BulkStrings();
let readOf: Resp | undefined;

/** What is known of a message from where it stands; several may hold. */
export enum Mark {
  /** The client sent it. */
  FromClient = 1,
  /** It is one of those that `plainLength` knows, and whole. */
  Plain = 2,
  /** The octets are the data set of a primary, not elements. */
  DataSet = 4,
  /** The rest of it was not captured. */
  Incomplete = 8,
}

/** What few messages have, or are asked for. */
class Details {
  /** For a reply: what secrets it may tell. */
  tells = Tells.Nothing;
  /** Where its arguments stand. */
  found: readonly number[] | undefined = undefined;
  hidden: Set<number> | undefined | null = undefined;
}

/** A message: a command, a reply, or what the server sends on its own. */
export class Resp extends layer('resp', 'REdis Serialization Protocol', fields, 'RESP', undefined, {
  text: FUNCTIONS,
  room: ROOM,
  write: writeFromOctets,
}) {
  /** Any of {@link Mark}. */
  marks = 0;
  /** For a reply: the command that it answers. */
  exchange: Answer | undefined = undefined;
  private named: CommandName | undefined = undefined;
  private details: Details | undefined = undefined;

  /** True when the client sent it. */
  get fromClient(): boolean {
    return (this.marks & Mark.FromClient) !== 0;
  }
  get isPlain(): boolean {
    return (this.marks & Mark.Plain) !== 0;
  }
  get isDataSet(): boolean {
    return (this.marks & Mark.DataSet) !== 0;
  }
  get incomplete(): boolean {
    return (this.marks & Mark.Incomplete) !== 0;
  }

  /** For a reply: what secrets it may tell. */
  get tells(): Tells {
    return this.details === undefined ? Tells.Nothing : this.details.tells;
  }
  set tells(tells: Tells) {
    (this.details ??= new Details()).tells = tells;
  }

  /** Stand for the whole message `[start, end)` of the same octets instead. */
  moveTo(start: number, end: number): void {
    const place = this as { -readonly [K in keyof Layer]: Layer[K] };
    place.start = start;
    place.captured = this.end = end;
    this.exchange = this.named = this.details = undefined;
    if (readOf === this) readOf = undefined;
  }

  override lasting(): PropertyDescriptorMap {
    // All but this are found anew where the octets then stand.
    const details = new Details();
    details.tells = this.tells;
    return { details: { value: details, writable: true } };
  }

  /** How many there are in {@link strings} if the message is a bulk string or an array of them; else 0. */
  private get stringCount(): number {
    if (readOf !== this) {
      readOf = this;
      strings.read(this.bytes, this.start, this.captured);
    }
    return strings.count;
  }

  /**
   * Where the arguments of a command stand: start and end of each, in turn; none when it is no command. At most the first
   * 1024 are listed.
   */
  get arguments(): readonly number[] {
    const details = (this.details ??= new Details());
    return (details.found ??= this.isDataSet ? NO_ARGUMENTS : argumentsOf(this.bytes, this.start, this.captured));
  }

  /** How many there are, the name included, also where {@link arguments} does not list all. */
  get argumentCount(): number {
    const { bytes: b, start } = this;
    const isArray = b[start] === STAR;
    const count = isArray ? this.stringCount : 0;
    if (count > 0) return count;
    const listed = this.arguments.length / 2;
    return listed < MAX_ARGUMENTS || !isArray ? listed : decimal(b, start + 1, lineEnd(b, start, this.captured) - 2);
  }

  /** One of the {@link arguments}. */
  private place(i: number): number {
    return this.stringCount > 0 ? strings.places[i]! : this.arguments[i]!;
  }

  /** The arguments that are secrets and not to be shown, by their number. */
  get secrets(): Set<number> | undefined {
    if (this.tells === Tells.Nothing && (!this.fromClient || this.name?.mayHideSecrets !== true)) return undefined;
    const details = (this.details ??= new Details());
    if (details.hidden === undefined) details.hidden = this.findSecrets(details) ?? null;
    return details.hidden ?? undefined;
  }

  private findSecrets(details: Details): Set<number> | undefined {
    if (this.frame.session.showSecrets) return undefined;
    if (details.tells === Tells.Settings || details.tells === Tells.Anything) {
      const found = settingsOf(this.bytes, this.start, this.captured);
      details.found = found;
      return secretSettings((i) => textOf(this.bytes, found[2 * i]!, found[2 * i + 1]!), found.length / 2);
    }
    if (!this.fromClient || this.argumentCount < 2) return undefined;
    return secretsOf((i) => this.argument(i), this.arguments.length / 2);
  }

  /** Whether some of its strings may be secrets and not to be shown. */
  get hides(): boolean {
    if (this.tells > Tells.Settings && !this.frame.session.showSecrets && (this.tells !== Tells.Anything || this.mayListUsers)) return true;
    return this.secrets !== undefined;
  }

  /** An array whose first string begins as those of ACL LIST do. */
  private get mayListUsers(): boolean {
    const { bytes: b, start, captured } = this;
    const line = b[start] === STAR ? lineEnd(b, start, captured) : -1;
    const first = line > 0 && b[line] === DOLLAR ? lineEnd(b, line, captured) : -1;
    return first > 0 && first + 5 <= captured && latin1Of(b, first, first + 5) === 'user ';
  }

  /** What is shown in place of its string `[from, to)`; undefined for what is no secret. Where {@link hides} is false none is. */
  instead(from: number, to: number): string | undefined {
    const { secrets, tells } = this;
    if (secrets !== undefined) for (const i of secrets) if (this.arguments[2 * i] === from) return SECRET;
    return tells > Tells.Settings ? withoutSecrets(textOf(this.bytes, from, to), tells) : undefined;
  }

  /** An argument as text, its first 256 octets at most; empty when there is none. */
  argument(i: number): string {
    const { arguments: args } = this;
    if (2 * i >= args.length) return '';
    return textOf(this.bytes, args[2 * i]!, Math.min(args[2 * i + 1]!, args[2 * i]! + 256));
  }
  /** What the name of the command tells; undefined where the message is none. */
  get name(): CommandName | undefined {
    return this.named ?? this.findName();
  }
  private findName(): CommandName | undefined {
    const { bytes: b, start } = this;
    if (!this.fromClient) return undefined;
    if (this.isPlain && b[start] === STAR) this.named = shortName(b, start);
    if (this.named === undefined && this.argumentCount > 0) this.named = commandName(b, this.place(0), this.place(1));
    return this.named;
  }

  /** The name of the command in capitals. */
  get command(): string | undefined {
    return this.name?.text;
  }

  /** The (first) key that the command is about. */
  get keyText(): string | undefined {
    const i = this.key;
    return i > 0 ? this.argument(i) : undefined;
  }

  get isCommand(): boolean {
    return this.name !== undefined;
  }
  get hasKey(): boolean {
    return this.key > 0;
  }
  /** Which argument is its first key; 0 when none is. */
  private get key(): number {
    const { name } = this;
    if (name === undefined || this.argumentCount < 2) return NO_KEY;
    const { key } = name;
    if (key <= 1) return key;
    const i = keyAmong(name.text, key, this.arguments.length / 2, (n) => this.argument(n));
    return 2 * i < this.arguments.length ? i : NO_KEY;
  }

  writeCommand(out: TextBuffer): void {
    out.fixed(this.name!.json);
  }
  writeKey(out: TextBuffer): void {
    const { key } = this;
    const from = this.place(2 * key);
    out.jsonText(this.bytes, from, Math.min(this.place(2 * key + 1), from + 256));
  }

  override quickJson(out: TextBuffer): boolean {
    const { bytes: b, start, exchange } = this;
    if (this.isDataSet || this.hides || typeof exchange?.time === 'bigint') return false;
    const type = b[start];
    if (type === STAR || type === DOLLAR) {
      if (this.stringCount === 0) return false;
      writeStrings(out, b, strings, type === STAR);
    } else if (!writeLine(out, b, start, this.captured)) return false;
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
    const { hides } = this;
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
          walkBulk(tree, type, at, line, length, whole, hides && whole ? this.instead(line, line + length) : undefined);
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
    else for (let i = 0; 2 * i < args.length; i++) text += (i ? ' ' : '') + (secrets.has(i) ? SECRET : this.argument(i));
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
    const { name } = this;
    if (this.isPlain && name !== undefined && !name.mayHideSecrets) return writeArguments(out, b, start, captured);
    const count = name === undefined ? 0 : this.argumentCount;
    if (count > 0) {
      const { secrets } = this;
      for (let i = 0; i < count && i < MAX_SHOWN; i++) {
        if (i > 0) out.byte(32);
        if (secrets?.has(i)) out.ascii(SECRET);
        else writeArgument(out, b, this.place(2 * i), this.place(2 * i + 1), i);
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
          const instead = this.tells > Tells.Settings && this.hides ? this.instead(line, Math.min(line + length, captured)) : undefined;
          if (instead !== undefined) return out.text(instead);
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
            if (type === PUSH || isMessage(b, line, captured)) this.writePushed(out, line, captured, length);
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
  [SET]: [fields.set, fields.setLength],
  [PUSH]: [fields.push, fields.pushLength],
  [MAP]: [fields.map, fields.mapLength],
  [ATTRIBUTE]: [fields.attribute, fields.attributeLength],
};
const AGGREGATE_NAME: Readonly<Record<number, string>> = {
  [STAR]: 'array',
  [SET]: 'set',
  [PUSH]: 'push',
  [MAP]: 'map',
  [ATTRIBUTE]: 'attribute',
};

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

function walkBulk(tree: Tree, type: number, at: number, line: number, length: number, whole: boolean, instead: string | undefined): void {
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
    if (instead !== undefined) tree.put(fields.bulkValue, utf8.encode(instead), line, length);
    else tree.add(fields.bulkValue, line, length);
  }
  tree.close();
}

/** The arguments of a plain command that tell no secret; `plainLength` has looked at their lengths. */
function writeArguments(out: TextBuffer, b: Uint8Array, start: number, end: number): void {
  let at = lineEnd(b, start, end);
  for (let i = 0; at < end; i++) {
    if (i === MAX_SHOWN) return out.unicode(' …');
    let length = b[at + 1]! - 48;
    for (at += 2; at < end && b[at]! >= 48; at++) length = length * 10 + b[at]! - 48;
    at += 2;
    if (i > 0) out.byte(32);
    writeArgument(out, b, at, Math.min(at + length, end), i);
    at += length + 2;
  }
}

/** Names, keys, numbers and options as they are, values in quotes: `SET user:1 "ada" EX 60`. */
function writeArgument(out: TextBuffer, b: Uint8Array, from: number, to: number, index: number): void {
  const length = to - from;
  const isBare = length > 0 && (index < 2 ? length <= 200 : length < 24 && !hasSmallLetter(b, from, to));
  if (!isBare || !out.octetsIf(OctetKind.Word, b, from, to)) writeQuoted(out, b, from, to);
}

/** Capitals, digits and signs make an option or a number. */
function hasSmallLetter(b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (b[i]! >= 0x61 && b[i]! <= 0x7a) return true;
  return false;
}

/** Octets as text in quotes, the first 64. */
function writeQuoted(out: TextBuffer, b: Uint8Array, from: number, to: number): void {
  const stop = Math.min(to, from + 64);
  out.byte(0x22);
  if (!out.octetsIf(OctetKind.Plain, b, from, stop)) out.text(textOf(b, from, stop).replaceAll('\\', '\\\\').replaceAll('"', '\\"'));
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
