/** The Info column of TCP: what stands out first, then flags, numbers, window, length and options. */
import { putWord } from '../core/digits.js';
import { FixedText, wordOf } from '../core/fixed-text.js';
import { i32, u16 } from '../core/octets.js';
import type { TextBuffer } from '../core/text.js';
import { durationText } from '../core/time.js';
import type { TcpFacts, TcpVerdict } from './tcp-facts.js';
import * as Facts from './tcp-facts.js';
import { ACK, FIXED_LENGTH, headerLength, marked, payloadLength, scaledWindow, type TcpLayer, URG } from './tcp-header.js';
import { onlyTimestamps, putTimestamps, writeOptions } from './tcp-options.js';

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
  } else if ((b[start + 12]! & 0x0f) === 0) out.fixed(FLAG_FIXED[flags]!);
  else out.ascii(rareFlags(u16(b, start + 12)));
  out.room(SUMMARY_ROOM);
  const { view } = out;
  let at = out.length;
  view.setFloat64(at, SEQ_IS, true);
  at = putWord(view, at + 5, sequence);
  if (flags & ACK) {
    view.setFloat64(at, ACK_IS, true);
    at = putWord(view, at + 5, acknowledgment);
  }
  view.setFloat64(at, WIN_IS, true);
  at = putWord(view, at + 5, window);
  if (flags & URG) {
    view.setFloat64(at, URG_IS, true);
    at = putWord(view, at + 5, u16(b, start + 18));
  }
  if (length !== undefined) {
    view.setFloat64(at, LEN_IS, true);
    at = putWord(view, at + 5, length);
  }
  if (isTimed) out.length = putTimestamps(view, at, value, reply);
  else {
    out.length = at;
    if (header === FIXED_LENGTH) return;
    const peer = l.direction?.peer;
    writeOptions(out, b, options, start + header, l.captured, peer?.baseKnown ? peer.base : 0);
  }
}

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
  const say = (text: string) => {
    out.unicode(text);
    out.unicode(' · ');
  };
  // A SYN+ACK with another number than the segments before it begins no new conversation.
  if (marks & Facts.REUSED_PORTS) say(flags & ACK ? 'its numbers begin elsewhere than before' : 'ports used again');
  if (verdict !== undefined) {
    const { repeat, late, missing, duplicateAck, handshake, needless, note } = verdict;
    if (repeat !== undefined) say(repeatText(repeat, hasTime));
    if (late !== undefined) say(hasTime ? `out of order by ${durationText(late)}` : 'out of order');
    if (missing !== undefined) say(missing === 1 ? '1 octet before it not captured' : `${missing} octets before it not captured`);
    if (duplicateAck !== undefined) say(`duplicate ACK ${duplicateAck} of #${verdict.duplicateOf}`);
    if (handshake !== undefined && hasTime) say(`handshake ${durationText(handshake)}`);
    if (needless !== undefined) say(`#${needless} was sent in vain`);
    if (note !== undefined) say(note);
  }
  if ((marks & SAID) === 0) return;
  if (marks & Facts.ACK_LOST_SEGMENT) say('acknowledges what was not captured');
  if (marks & Facts.ZERO_WINDOW_PROBE) say('zero window probe');
  if (marks & Facts.ZERO_WINDOW_PROBE_ACK) say('answers the probe, zero window');
  else if (marks & Facts.ZERO_WINDOW) say('zero window');
  if (marks & Facts.WINDOW_FULL) say('window full');
  if (marks & Facts.WINDOW_UPDATE) say('window update');
  if (marks & Facts.KEEP_ALIVE_ACK) say('answers the keep-alive');
}

function repeatText({ kind, of, after, timeout }: NonNullable<TcpVerdict['repeat']>, hasTime: boolean): string {
  switch (kind) {
    case 'keep-alive':
      return 'keep-alive';
    case 'window-probe':
      return 'zero window probe';
    case 'duplicate-capture':
      return `same packet as #${of}, captured twice`;
  }
  const time = hasTime ? durationText(after) : '';
  const gap = hasTime ? `, ${time} after the gap` : '';
  const what = of === 0 ? `retransmission, the first was not captured${gap}` : `retransmission of #${of}${hasTime ? ` after ${time}` : ''}`;
  switch (kind) {
    case 'timeout':
    case 'syn':
      return timeout > 0 ? `${what} (timeout ${timeout})` : what;
    case 'fast':
      return `${what} (fast)`;
    case 'sack':
      return `${what} (SACK)`;
    case 'tlp':
      return `${what} (tail loss probe)`;
    case 'spurious':
      return `${what} (in vain)`;
  }
}

const FLAG_NAMES = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'];

/** `[SYN, ACK]` for each value of the flags octet. */
const FLAG_TEXT: readonly string[] = Array.from({ length: 256 }, (_, flags) => {
  const names = FLAG_NAMES.filter((_name, bit) => flags & (1 << bit));
  return `[${names.length ? names.join(', ') : '<None>'}]`;
});

const FLAG_FIXED = FLAG_TEXT.map((text) => new FixedText(text));

const SEQ_IS = wordOf(' Seq=');
const ACK_IS = wordOf(' Ack=');
const WIN_IS = wordOf(' Win=');
const URG_IS = wordOf(' Urg=');
const LEN_IS = wordOf(' Len=');
/** Octets that five of these with their numbers take, and time stamps, and then some. */
const SUMMARY_ROOM = 192;

/** The same where AE or reserved bits are set. */
function rareFlags(word: number): string {
  const names = FLAG_NAMES.filter((_name, bit) => word & (1 << bit));
  if (word & 0x100) names.push('AE');
  if (word & 0xe00) names.push('Reserved');
  return `[${names.join(', ')}]`;
}
