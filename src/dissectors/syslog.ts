/**
 * Syslog: a line for a log, with where it comes from and how bad it is.
 *
 * RFC 3164 (the old form), RFC 5424 (version 1), RFC 5426 (over UDP), RFC 6587 (over TCP), RFC 5425 (over TLS).
 *
 *     <34>Oct 11 22:14:15 mymachine su: failed
 *     <34>1 2003-10-11T22:14:15.003Z mymachine su - ID47 [data] failed
 *
 * Over TCP a message is told from the next by its length before it, or by a line end behind it:
 *
 *     64 <34>1 2003-10-11T22:14:15.003Z mymachine su - ID47 [data] failed
 *     <34>Oct 11 22:14:15 mymachine su: failed\n
 */
import { type Field, group, string, time, uint8, uint32 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { layer, type Tree } from '../core/layer.js';
import { textOf } from '../core/octets.js';
import { type Dissect, type ProtocolEntry, tcpPorts, udpPorts } from '../core/registry.js';
import { ALIEN, MORE, type StreamParser, type StreamProtocol } from '../core/stream.js';
import type { TextBuffer } from '../core/text.js';

const FACILITY_BITS = 3;
/** Facilities from 0 to 23, levels from 0 to 7: no more than 191. */
const MOST_PRIORITY = 191;
const LESS = 0x3c;
const GREATER = 0x3e;
/** What stands for nothing (RFC 5424 section 6). */
const NIL = '-';

const FACILITIES =
  'KERN USER MAIL DAEMON AUTH SYSLOG LPR NEWS UUCP CRON AUTHPRIV FTP NTP LOGAUDIT LOGALERT CRON LOCAL0 LOCAL1 LOCAL2 LOCAL3 LOCAL4 LOCAL5 LOCAL6 LOCAL7'.split(
    ' ',
  );
const LEVELS = 'EMERG ALERT CRIT ERR WARNING NOTICE INFO DEBUG'.split(' ');

const FACILITY_NAMES: Readonly<Record<number, string>> = Object.fromEntries(FACILITIES.entries());
const LEVEL_NAMES: Readonly<Record<number, string>> = Object.fromEntries(LEVELS.entries());

const rows = {
  length: uint32('netlens.syslog.length', 'Message length', { unit: 'octets' }),
  facility: uint8('syslog.facility', 'Facility', { values: FACILITY_NAMES }),
  level: uint8('syslog.level', 'Level', { values: LEVEL_NAMES }),
  ...group(
    { message: string('syslog.msg', 'Message') },
    {
      version: string('syslog.version', 'Syslog version'),
      timestamp: time('syslog.timestamp', 'Syslog timestamp'),
      oldTimestamp: string('syslog.timestamp_rfc3164', 'Syslog timestamp (RFC 3164)'),
      hostname: string('syslog.hostname', 'Syslog hostname'),
      application: string('syslog.appname', 'Syslog app name'),
      processId: string('syslog.procid', 'Syslog process id'),
      messageId: string('syslog.msgid', 'Syslog message id'),
    },
  ),
};

/** The number between the brackets, and where what follows begins. */
interface Priority {
  readonly value: number;
  readonly end: number;
}

function priorityOf(b: Uint8Array, start: number, captured: number): Priority | undefined {
  if (start >= captured || b[start] !== LESS) return undefined;
  let value = 0;
  for (let at = start + 1; at < Math.min(captured, start + 5); at++) {
    if (b[at] === GREATER) return at > start + 1 && value <= MOST_PRIORITY ? { value, end: at + 1 } : undefined;
    if (b[at]! < 0x30 || b[at]! > 0x39) return undefined;
    value = value * 10 + b[at]! - 0x30;
  }
  return undefined;
}

/** A message for a log. */
export class Syslog extends layer('syslog', 'Syslog message', rows, 'Syslog') {
  /** Octets before the message that say how long it is, or line ends that were left over; of the message's own line end. */
  declare before: number;
  declare after: number;

  private get from(): number {
    return Math.min(this.captured, this.start + this.before);
  }
  private get to(): number {
    return Math.max(this.from, Math.min(this.captured, this.end - this.after));
  }

  override walk(tree: Tree): void {
    const { from, to, bytes } = this;
    const counted = countOf(bytes, this.start, from);
    if (counted !== undefined) tree.put(rows.length, counted.length, this.start, counted.end - this.start);
    const priority = priorityOf(bytes, from, to);
    if (priority !== undefined) {
      const { value, end } = priority;
      tree.put(rows.facility, value >> FACILITY_BITS, from, end - from);
      tree.put(rows.level, value & 7, from, end - from);
    }
    const text = priority?.end ?? from;
    tree.openPut(rows.message, textOf(bytes, text, to), text, to - text);
    if (priority !== undefined) this.walkHead(tree, text);
    tree.close();
  }

  private walkHead(tree: Tree, from: number): void {
    // Names, numbers and times are ASCII, so that a character is an octet.
    const head = textOf(this.bytes, from, Math.min(this.to, from + MAX_HEAD));
    const modern = /^(1) (\S+) (\S+) (\S+) (\S+) (\S+)(?: |$)/.exec(head);
    if (modern !== null) {
      let at = from;
      for (const [i, word] of modern.slice(1).entries()) {
        const row = MODERN[i]!;
        if (row === rows.timestamp) {
          const since = timestampOf(word);
          if (since !== undefined) tree.put(row, since, at, word.length);
        } else if (word !== NIL) tree.put(row, word, at, word.length);
        at += word.length + 1;
      }
      return;
    }
    const old = /^([A-Z][a-z]{2} [ 0-3]\d \d\d:\d\d:\d\d) (?:(\S+) )?(?:([^\s:[]+)(?:\[(\d+)\])?:)?/.exec(head);
    if (old === null) return;
    const [, timestamp, hostname, application, processId] = old as unknown as [string, string, string?, string?, string?];
    let at = from;
    for (const [row, word] of [
      [rows.oldTimestamp, timestamp],
      [rows.hostname, hostname],
      [rows.application, application],
      [rows.processId, processId],
    ] as const) {
      if (word === undefined) continue;
      tree.put(row, word, at, word.length);
      at += word.length + 1;
    }
  }

  override summary(out: TextBuffer): void {
    const { to, bytes } = this;
    const priority = priorityOf(bytes, this.from, to);
    const from = priority?.end ?? this.from;
    if (priority !== undefined) {
      out.ascii(`${FACILITIES[priority.value >> FACILITY_BITS]}.${LEVELS[priority.value & 7]}: `);
    }
    out.text(textOf(bytes, from, Math.min(to, from + MAX_SHOWN)));
    if (to > from + MAX_SHOWN) out.unicode('…');
  }
}

/** Octets in which what stands before the text has to be (RFC 5424 section 6: names have bounds that sum up to this). */
const MAX_HEAD = 600;
/** Octets of the text that the Info column shows. */
const MAX_SHOWN = 400;

const MODERN: readonly Field[] = [rows.version, rows.timestamp, rows.hostname, rows.application, rows.processId, rows.messageId];

/** Nanoseconds since 1970 of a time as RFC 3339 writes it; undefined when it is none. */
function timestampOf(text: string): bigint | undefined {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (parts === null) return undefined;
  const milliseconds = Date.parse(`${parts[1]}${parts[3]}`);
  if (Number.isNaN(milliseconds)) return undefined;
  return BigInt(milliseconds) * 1_000_000n + BigInt((parts[2] ?? '').padEnd(9, '0'));
}

function addMessage(frame: Frame, start: number, end: number, before: number, after: number): void {
  const message = new Syslog(frame, start, end);
  message.before = before;
  message.after = after;
  frame.add(message, end - start);
}

export const dissectSyslog: Dissect = (frame, start, end) => addMessage(frame, start, end, 0, 0);

/** More than any message: RFC 5425 section 4.3.1 asks for 8192, programs take more. */
const MOST_OCTETS = 1 << 20;
const SPACE = 0x20;
const LF = 10;
const CR = 13;
const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;
/** What ends a message without a length: mostly LF, NUL with some, and CR before it with others (RFC 6587 section 3.4.2). */
const isEnd = (c: number): boolean => c === LF || c === 0;

/** `MSG-LEN SP` at `start`; undefined where there is none. It has no leading zero (RFC 6587 section 3.4.1). */
function countOf(b: Uint8Array, start: number, end: number): { readonly length: number; readonly end: number } | undefined {
  let length = 0;
  for (let at = start; at < end && at < start + 8; at++) {
    if (b[at] === SPACE) return at > start && length <= MOST_OCTETS ? { length, end: at + 1 } : undefined;
    if (!isDigit(b[at]!) || (at === start && b[at] === 0x30)) return undefined;
    length = length * 10 + b[at]! - 0x30;
  }
  return undefined;
}

/** `[length ]<priority>` and what a message goes on with: its version or the name of a month. */
function recognise(b: Uint8Array, start: number, end: number): boolean {
  const priority = priorityOf(b, countOf(b, start, end)?.end ?? start, end);
  if (priority === undefined) return false;
  const { end: at } = priority;
  if (end >= at + 7 && b[at] === 0x31 && b[at + 1] === SPACE) return isDigit(b[at + 2]!) || (b[at + 2] === 0x2d && b[at + 3] === SPACE);
  return end >= at + 4 && /^(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) $/.test(textOf(b, at, at + 4));
}

/** Messages one after the other, of both kinds of framing. */
class SyslogParser implements StreamParser {
  need = 0;
  /** A message was read: what follows it may be a line of it that was sent by itself. */
  private known = false;
  /** Of the message at hand: octets looked at, before it, and behind it. */
  private looked = 0;
  private before = 0;
  private after = 0;

  measure(b: Uint8Array, start: number, end: number, final: boolean): number {
    this.need = 0;
    this.after = 0;
    let from = start;
    if (this.known) while (from < end && from < start + 4 && (isEnd(b[from]!) || b[from] === CR)) from++;
    if (from === end) return final && end > start ? end - start : MORE;
    const counted = countOf(b, from, end);
    if (counted !== undefined && counted.end < end && (b[counted.end] === LESS || !this.known)) {
      if (b[counted.end] !== LESS || counted.length === 0) return ALIEN;
      this.before = counted.end - start;
      const whole = this.before + counted.length;
      if (end - start >= whole) return whole;
      this.need = start + whole - end;
      return MORE;
    }
    this.before = from - start;
    if (!this.known && b[from] !== LESS) {
      // The digits of a length may still be coming.
      for (let at = from; at < end; at++) if (at >= from + 8 || !(isDigit(b[at]!) || b[at] === SPACE)) return ALIEN;
      return MORE;
    }
    if (!this.known && end - from >= 5 && priorityOf(b, from, end) === undefined) return ALIEN;
    for (let at = Math.max(from, start + this.looked); at < end; at++)
      if (isEnd(b[at]!)) {
        this.after = at > from && b[at - 1] === CR ? 2 : 1;
        return at + 1 - start;
      }
    this.looked = end - start;
    if (this.looked > MOST_OCTETS) return ALIEN;
    return final ? end - start : MORE;
  }

  dissect(frame: Frame, start: number, end: number): void {
    this.known = true;
    addMessage(frame, start, end, this.before, this.after);
    this.forget();
  }

  partial(frame: Frame, start: number, end: number): number {
    const counted = countOf(frame.bytes, start, Math.min(end, frame.captured));
    addMessage(frame, start, end, this.before, 0);
    this.forget();
    return counted === undefined ? 0 : Math.max(0, counted.end + counted.length - end);
  }

  hole(): void {
    this.forget();
  }

  /** Behind a line end, or where a length stands, a message may begin. */
  resync(b: Uint8Array, start: number, end: number): number {
    for (let at = start; at < end; at++) if ((at === start || isEnd(b[at - 1]!) || isDigit(b[at]!)) && recognise(b, at, end)) return at;
    return end;
  }

  private forget(): void {
    this.looked = this.before = this.after = 0;
  }
}

const syslogStream: StreamProtocol = { name: 'syslog', parser: () => new SyslogParser(), recognise };

export const syslog: ProtocolEntry = {
  name: 'syslog',
  layers: [Syslog],
  dissect: dissectSyslog,
  stream: syslogStream,
  // Port 514 is that of rsh, too, which begins with something else; 601 is that of RFC 3195, and what many use.
  on: [udpPorts.at(514, dissectSyslog), tcpPorts.at([514, 601], syslogStream)],
};
