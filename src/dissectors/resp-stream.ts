/** The Redis protocol over TCP: from ordered octets to messages. What a message says is in resp.ts. */
import type { Frame } from '../core/frame.js';
import { latin1Of } from '../core/octets.js';
import { type ProtocolEntry, tcpPorts } from '../core/registry.js';
import { ALIEN, MORE, type StreamContext, type StreamParser, type StreamProtocol } from '../core/stream.js';
import { Mark, Resp } from './resp.js';
import { Effect } from './resp-commands.js';
import { CR, DOLLAR, decimal, Elements, KIND, Kind, LF, lineEnd, MINUS, PLUS, plainLength, STAR } from './resp-elements.js';

/** What both directions know. */
export interface RespShared {
  /** The client asked for the data set, which comes as the next bulk string. */
  syncing: boolean;
  /** Octets were lost of replies since the last one came. */
  holed: boolean;
  /** Holes in the stream of commands. */
  commandHoles: number;
  /** Whatever the analysis that pairs commands with replies keeps for the connection. */
  talk: unknown;
}

/** What the two parsers of a connection have in common. */
export const sharedOf = (context: StreamContext): RespShared =>
  (context.shared ??= { syncing: false, holed: false, commandHoles: 0, talk: undefined }) as RespShared;

class RespParser implements StreamParser {
  /** Looks closely at messages that are not plain; undefined until there was one. */
  private elements: Elements | undefined = undefined;
  /** Octets of a data set, header included; 0 when none is under way, Infinity while only a mark at its end is known. */
  private dataSet = 0;
  private endMark: Uint8Array | undefined = undefined;
  private looked = 0;
  /** What is known of the message that was measured last: {@link Mark.Plain}, or nothing. */
  private plain = 0;
  /** The frame that the last whole message is of. */
  private seen = 0;
  /** The mark of the messages of that frame if they come from the client. */
  private fromClient = 0;

  constructor(private readonly context: StreamContext) {}

  get need(): number {
    // Within an aggregate there is more to come than the string that is under way.
    return this.elements?.flat ? this.elements.need : 0;
  }

  private get shared(): RespShared {
    return sharedOf(this.context);
  }

  measure(b: Uint8Array, start: number, end: number): number {
    this.plain = 0;
    if (b[start] === DOLLAR && this.shared.syncing && !this.context.fromClient) return this.measureDataSet(b, start, end);
    if (this.elements === undefined || this.elements.untouched) {
      const length = plainLength(b, start, end);
      if (length > 0) {
        this.plain = Mark.Plain;
        return length;
      }
    }
    this.elements ??= new Elements();
    const n = this.elements.measure(b, start, end);
    if (n !== MORE && n !== ALIEN) this.elements.reset();
    return n;
  }

  /** `$<length>\r\n<octets>`, or `$EOF:<mark of 40>\r\n<octets><mark>`; nothing follows either. */
  private measureDataSet(b: Uint8Array, start: number, end: number): number {
    const elements = (this.elements ??= new Elements());
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
    // Of those nothing is noted.
    if (this.plain !== 0) return this.add(frame, start, end, this.plain);
    // Redis ignores empty lines.
    if (end - start > 2 || frame.bytes[end - 1] !== LF || (end - start === 2 && frame.bytes[start] !== CR))
      this.add(frame, start, end, this.dataSet > 0 ? Mark.DataSet : 0);
    this.reset();
  }

  /** A message of which those marks are known that its octets tell. */
  private add(frame: Frame, start: number, end: number, known: number): void {
    const resp = this.layerOf(frame, start, end, known);
    if (resp.isDataSet) this.shared.syncing = false;
    else if (resp.fromClient && resp.name?.effect === Effect.Sync) this.shared.syncing = true;
    frame.session.hooks.resp?.(frame, resp, this.context);
  }

  /** The layer for a message, which is listed in its frame. */
  private layerOf(frame: Frame, start: number, end: number, known: number): Resp {
    const again = this.seen === frame.number;
    if (!again) {
      this.seen = frame.number;
      this.fromClient = this.context.fromClient ? Mark.FromClient : 0;
    }
    const marks = this.fromClient | known;
    if (again && frame.session.brief && marks < Mark.DataSet) {
      // The line is about the last message alone.
      const last = frame.at(frame.depth - 1);
      if (last instanceof Resp && last.bytes === frame.bytes && last.marks < Mark.DataSet) {
        last.moveTo(start, end);
        last.marks = marks;
        return last;
      }
    }
    const resp = new Resp(frame, start, end);
    resp.marks = marks;
    frame.push(resp);
    return resp;
  }

  partial(frame: Frame, start: number, end: number): number {
    const held = Math.min(end, frame.captured);
    const left = this.dataSet > 0 ? start + this.dataSet - end : this.need > 0 ? this.need - (end - held) : 0;
    this.add(frame, start, end, Mark.Incomplete | (this.dataSet > 0 ? Mark.DataSet : 0));
    this.reset();
    return Math.max(0, left);
  }

  hole(): void {
    if (this.context.fromClient) this.shared.commandHoles++;
    else this.shared.holed = true;
    this.reset();
  }

  private reset(): void {
    this.elements?.reset();
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
