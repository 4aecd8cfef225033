/**
 * Syslog over UDP: a line for a log, with where it comes from and how bad it is.
 *
 * RFC 3164 (the old form), RFC 5424 (version 1), RFC 5426 (over UDP).
 *
 *     <34>Oct 11 22:14:15 mymachine su: failed
 *     <34>1 2003-10-11T22:14:15.003Z mymachine su - ID47 [data] failed
 */
import { type Field, group, string, time, uint8 } from '../core/field.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { textOf } from '../core/octets.js';
import { type Dissect, type ProtocolEntry, udpPorts } from '../core/registry.js';
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

function priorityOf({ bytes: b, start, captured }: Layer): Priority | undefined {
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
  override walk(tree: Tree): void {
    const priority = priorityOf(this);
    if (priority !== undefined) {
      const { value, end } = priority;
      tree.put(rows.facility, value >> FACILITY_BITS, this.start, end - this.start);
      tree.put(rows.level, value & 7, this.start, end - this.start);
    }
    const from = priority?.end ?? this.start;
    const text = textOf(this.bytes, from, this.captured);
    tree.openPut(rows.message, text, from, this.captured - from);
    if (priority !== undefined) this.walkHead(tree, from);
    tree.close();
  }

  private walkHead(tree: Tree, from: number): void {
    // Names, numbers and times are ASCII, so that a character is an octet.
    const head = textOf(this.bytes, from, Math.min(this.captured, from + MAX_HEAD));
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
    const priority = priorityOf(this);
    const from = priority?.end ?? this.start;
    if (priority !== undefined) {
      out.ascii(`${FACILITIES[priority.value >> FACILITY_BITS]}.${LEVELS[priority.value & 7]}: `);
    }
    out.text(textOf(this.bytes, from, Math.min(this.captured, from + MAX_SHOWN)));
    if (this.captured > from + MAX_SHOWN) out.unicode('…');
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

export const dissectSyslog: Dissect = (frame, start, end) => {
  frame.add(new Syslog(frame, start, end), end - start);
};

export const syslog: ProtocolEntry = {
  name: 'syslog',
  layers: [Syslog],
  dissect: dissectSyslog,
  on: [udpPorts.at(514, dissectSyslog)],
};
