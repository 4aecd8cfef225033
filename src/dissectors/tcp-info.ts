/** The Info column of TCP: what stands out first, then flags, numbers, window, length and options. */
import { FixedText, FixedTexts, Labels } from '../core/fixed-text.js';
import { i32, u16 } from '../core/octets.js';
import type { Plain } from '../core/plain.js';
import type { TextBuffer } from '../core/text.js';
import { type Nanoseconds, writeDuration } from '../core/time.js';
import type { TcpFacts, TcpVerdict } from './tcp-facts.js';
import * as Facts from './tcp-facts.js';
import { ACK, FIXED_LENGTH, headerLength, marked, numbersOf, payloadLength, scaledWindow, type TcpLayer, URG } from './tcp-header.js';
import { ONLY_TIMESTAMPS, onlyTimestamps, writeOptions } from './tcp-options.js';

/** Write the Info column of a segment. */
export function writeSegmentInfo(out: TextBuffer, l: TcpLayer): void {
  const { bytes: b, start, facts } = l;
  if (start + FIXED_LENGTH > l.captured) {
    out.ascii('header cut short');
    return;
  }
  const header = headerLength(l);
  if (header < FIXED_LENGTH) {
    out.ascii('header length ');
    out.number(header);
    out.ascii(' octets, 20 needed');
    return;
  }
  const flags = b[start + 13]!;
  // Read before anything is written: the engine keeps nothing that it knows of objects across a store.
  const sequence = facts === undefined ? i32(b, start + 4) : facts.sequence | 0;
  const acknowledgment = facts === undefined ? i32(b, start + 8) : facts.acknowledgment | 0;
  const window = scaledWindow(l) | 0;
  const length = payloadLength(l);
  const options = start + FIXED_LENGTH;
  // What nearly all segments of a running connection carry.
  const isTimed = onlyTimestamps(l);
  const value = isTimed ? i32(b, options + 4) : 0;
  const reply = isTimed ? i32(b, options + 8) : 0;
  // What matters comes first: on a narrow terminal the rest is cut off.
  if (facts !== undefined && (facts.verdict !== undefined || (facts.marks & SAID) !== 0)) writeVerdict(out, facts, flags, l.frame.hasTime);
  if (marked(l, Facts.ACCURATE_ECN)) {
    const text = FLAG_TEXT[flags & 0x3f]!;
    out.ascii(text.slice(0, -1));
    out.ascii(', ACE=');
    out.number((u16(b, start + 12) >> 6) & 7);
    out.ascii(']');
  } else if ((b[start + 12]! & 0x0f) === 0) out.chosen(FLAGS, flags);
  else out.ascii(rareFlags(u16(b, start + 12)));
  const { numbers } = NUMBERS;
  numbers[0] = sequence;
  numbers[1] = acknowledgment;
  numbers[2] = window;
  numbers[3] = u16(b, start + 18);
  numbers[4] = length ?? 0;
  numbers[5] = value;
  numbers[6] = reply;
  out.labelled(
    NUMBERS,
    0b101 | (flags & ACK ? 0b10 : 0) | (flags & URG ? 0b1000 : 0) | (length === undefined ? 0 : 0b1_0000) | (isTimed ? 0b110_0000 : 0),
  );
  if (isTimed || header === FIXED_LENGTH) return;
  const peer = l.direction?.peer;
  writeOptions(out, b, options, start + header, l.captured, peer?.baseKnown ? peer.base : 0);
}

/** The same of a plain segment about which nothing else is said: its numbers, which its JSON has, too. */
export const plainInfo: Plain<TcpLayer>['info'] = {
  when: ({ facts }) => facts!.isPlain && facts!.verdict === undefined && (facts!.marks & SAID) === 0,
  parts: [
    { by: { from: 13, count: 1 }, text: ({ bytes: b, start }) => `${FLAG_TEXT[b[start + 13]!]} Seq=` },
    numbersOf.sequence,
    ' Ack=',
    numbersOf.acknowledgment,
    ' Win=',
    numbersOf.window,
    ' Len=',
    numbersOf.length,
    { when: ONLY_TIMESTAMPS, json: [' TSval=', { from: 24, count: 4 }, ' TSecr=', { from: 28, count: 4 }] },
  ],
};

/** What stands behind the flags; sequence number and window always do. */
const NUMBERS = new Labels(' Seq=', ' Ack=', ' Win=', ' Urg=', ' Len=', ' TSval=', ' TSecr=');

/** Marks that the Info column puts into words. */
const SAID =
  Facts.KEEP_ALIVE_ACK |
  Facts.ZERO_WINDOW |
  Facts.ZERO_WINDOW_PROBE |
  Facts.ZERO_WINDOW_PROBE_ACK |
  Facts.WINDOW_UPDATE |
  Facts.WINDOW_FULL |
  Facts.REUSED_PORTS |
  Facts.ACK_LOST_SEGMENT;

/** `retransmission of #7 after 203 ms (timeout 2) · `. */
function writeVerdict(out: TextBuffer, { marks, verdict }: TcpFacts, flags: number, hasTime: boolean): void {
  // A SYN+ACK with another number than the segments before it begins no new conversation.
  if (marks & Facts.REUSED_PORTS) say(out, flags & ACK ? 'its numbers begin elsewhere than before' : 'ports used again');
  if (verdict !== undefined) {
    const { repeat, late, missing, duplicateAck, handshake, needless, note } = verdict;
    if (repeat !== undefined) {
      writeRepeat(out, repeat, hasTime);
      out.dot();
    }
    if (late !== undefined) {
      out.ascii('out of order');
      if (hasTime) writeTime(out, ' by ', late);
      out.dot();
    }
    if (missing !== undefined) {
      out.number(missing);
      say(out, missing === 1 ? ' octet before it not captured' : ' octets before it not captured');
    }
    if (duplicateAck !== undefined) {
      out.fixed(DUPLICATE_ACK);
      out.number(duplicateAck);
      out.fixed(OF);
      out.number(verdict.duplicateOf!);
      out.dot();
    }
    if (handshake !== undefined && hasTime) {
      writeTime(out, 'handshake ', handshake);
      out.dot();
    }
    if (needless !== undefined) {
      out.ascii('#');
      out.number(needless);
      say(out, ' was sent in vain');
    }
    if (note !== undefined) {
      out.unicode(note);
      out.dot();
    }
  }
  if ((marks & SAID) === 0) return;
  if (marks & Facts.ACK_LOST_SEGMENT) say(out, 'acknowledges what was not captured');
  if (marks & Facts.ZERO_WINDOW_PROBE) say(out, 'zero window probe');
  if (marks & Facts.ZERO_WINDOW_PROBE_ACK) say(out, 'answers the probe, zero window');
  else if (marks & Facts.ZERO_WINDOW) say(out, 'zero window');
  if (marks & Facts.WINDOW_FULL) say(out, 'window full');
  if (marks & Facts.WINDOW_UPDATE) say(out, 'window update');
  if (marks & Facts.KEEP_ALIVE_ACK) say(out, 'answers the keep-alive');
}

const DUPLICATE_ACK = new FixedText('duplicate ACK ');
const OF = new FixedText(' of #');
const AGAIN = new FixedText('retransmission of #');

/** `text · ` */
function say(out: TextBuffer, text: string): void {
  out.ascii(text);
  out.dot();
}

function writeTime(out: TextBuffer, before: string, time: Nanoseconds): void {
  out.ascii(before);
  writeDuration(out, time);
}

function writeRepeat(out: TextBuffer, { kind, of, after, timeout }: NonNullable<TcpVerdict['repeat']>, hasTime: boolean): void {
  switch (kind) {
    case 'keep-alive':
      return out.ascii('keep-alive');
    case 'window-probe':
      return out.ascii('zero window probe');
    case 'duplicate-capture':
      out.ascii('same packet as #');
      out.number(of);
      return out.ascii(', captured twice');
  }
  if (of === 0) {
    out.ascii('retransmission, the first was not captured');
    if (hasTime) {
      writeTime(out, ', ', after);
      out.ascii(' after the gap');
    }
  } else {
    out.fixed(AGAIN);
    out.number(of);
    if (hasTime) writeTime(out, ' after ', after);
  }
  switch (kind) {
    case 'timeout':
    case 'syn':
      if (timeout <= 0) return;
      out.ascii(' (timeout ');
      out.number(timeout);
      return out.ascii(')');
    case 'fast':
      return out.ascii(' (fast)');
    case 'sack':
      return out.ascii(' (SACK)');
    case 'tlp':
      return out.ascii(' (tail loss probe)');
    case 'spurious':
      return out.ascii(' (in vain)');
  }
}

const FLAG_NAMES = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'];

/** `[SYN, ACK]` for each value of the flags octet. */
const FLAG_TEXT: readonly string[] = Array.from({ length: 256 }, (_, flags) => {
  const names = FLAG_NAMES.filter((_name, bit) => flags & (1 << bit));
  return `[${names.length ? names.join(', ') : '<None>'}]`;
});

const FLAGS = new FixedTexts(FLAG_TEXT);

/** The same where AE or reserved bits are set. */
function rareFlags(word: number): string {
  const names = FLAG_NAMES.filter((_name, bit) => word & (1 << bit));
  if (word & 0x100) names.push('AE');
  if (word & 0xe00) names.push('Reserved');
  return `[${names.join(', ')}]`;
}
