/**
 * What really happened to a segment, with the evidence.
 *
 * Two questions decide, and neither is a matter of time: were its octets seen before (then it repeats them), and if they
 * were not though later ones were, was it overtaken or sent again after a loss? A repeat is then sorted by what made the
 * sender repeat: a timer, ACKs that did not move (RFC 5681), SACK (RFC 6675), a probe for a lost tail (RFC 8985), or
 * nothing at all because all of it had arrived (RFC 2883, RFC 4015). Copies that the capture itself made are told by
 * their IP identification and checksum and kept out of the state.
 */
import { i32 } from '../core/octets.js';
import { seqAfter, seqAtOrAfter, seqAtOrBefore, seqBefore } from '../core/sequence.js';
import { durationText } from '../core/time.js';
import type { RepeatKind, TcpFacts, TcpVerdict } from '../dissectors/tcp-facts.js';
import { isDsack } from '../dissectors/tcp-option-kinds.js';
import type { Direction } from './conversations.js';
import { follow } from './tcp-endpoints.js';
import type { OptionFacts } from './tcp-option-facts.js';
import type { Segment } from './tcp-segment.js';
import { NEEDLESS, RESENT, SACKED, SentLog } from './tcp-sent.js';

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;

/** The shortest time after which a sender's timer repeats a segment, beyond the round trip (Linux: 200 ms). Nanoseconds. */
const MINIMUM_TIMEOUT = 200e6;
/** A copy of a packet made by the capture comes within this. Nanoseconds. */
const COPY_TIME = 100e6;
/** The same where the packet bears no identification. */
const BLIND_COPY_TIME = 200e3;
/** While nothing else tells, what comes this late was overtaken, and what comes later was sent again. Nanoseconds. */
const REORDERING_TIME = 3e6;
/** Pure ACKs one octet back are keep-alives only after a pause. Nanoseconds. */
const KEEP_ALIVE_PAUSE = 500e6;
/** Ranges that are marked for a SACK block at most, each time it is reported. */
const SACK_STEPS = 64;

/** Judge a segment, before the rest of the analysis takes it in, and remember it for those to come. */
export function judge(segment: Segment, me: Direction, facts: TcpFacts, options: OptionFacts): void {
  const { sequence, ack, flags, length, window, identity } = segment;
  if (isCopy(segment, me)) {
    facts.verdict = {
      repeat: {
        kind: 'duplicate-capture',
        of: me.lastFrame,
        first: me.lastFrame,
        after: sinceLast(segment, me),
        timeout: 0,
        evidence: identity >>> 16 === 0 ? 'same checksum, at once' : 'same IP identification and checksum',
      },
    };
    return;
  }
  const note = follow(segment, me);
  let verdict: TcpVerdict | undefined = note === undefined ? undefined : { note };
  if (flags & SYN) {
    verdict = judgeSyn(segment, me, flags);
    if (length > 0 && me.sent === undefined) openWithData(segment, me, options);
  } else if ((flags & RST) === 0 && (length > 0 || flags & FIN))
    verdict = judgeData(segment, me, options, sequence, flags & FIN ? length + 1 : length, length, identity);
  else if (length === 0 && me.next !== 0 && ((sequence - me.next) | 0) === -1) verdict = judgeProbe(segment, me, sequence);
  if (flags & ACK && (flags & (SYN | RST)) !== SYN) {
    const { sent } = me.peer;
    if (sent !== undefined) {
      const told = judgeAck(segment, me, sent, facts, options, ack, flags, length, window);
      if (told !== undefined) verdict = verdict === undefined ? told : { ...verdict, ...told };
    }
    if (!me.conversation.handshakeDone && (flags & (SYN | RST)) === 0) {
      const told = judgeHandshake(segment, me, ack);
      if (told !== undefined) verdict = verdict === undefined ? told : { ...verdict, ...told };
    }
  }
  facts.verdict = verdict;
  me.lastFrame = segment.number;
  me.lastSequence = sequence;
  me.lastIdentity = identity;
  me.lastLength = length;
  me.lastFlags = flags;
}

const sinceLast = (segment: Segment, me: Direction): number =>
  (segment.seconds - me.lastSeconds) * 1e9 + (segment.nanoseconds - me.lastNanoseconds);

/** The packet before in this direction once more: a mirror port that copies both ways, or a router seen on both sides. */
export function isCopy(segment: Segment, me: Direction): boolean {
  const { identity, sequence, flags, length } = segment;
  if (me.lastFrame === 0 || identity !== me.lastIdentity || sequence !== me.lastSequence || length !== me.lastLength) return false;
  // The checksum covers flags, window and time stamps; a receiver that asks again at once does not change any of them either.
  const since = sinceLast(segment, me);
  if (identity >>> 16 !== 0) return since >= 0 && since < COPY_TIME;
  return since >= 0 && since < BLIND_COPY_TIME && length > 0 && (flags & (SYN | FIN | RST)) === 0;
}

/** The answer that was seen came before the last SYN. */
const isBefore = ({ synAckSeconds, synSeconds, synAckNanoseconds, synNanoseconds }: Direction['conversation']): boolean =>
  synAckSeconds < synSeconds || (synAckSeconds === synSeconds && synAckNanoseconds < synNanoseconds);

function judgeSyn(segment: Segment, me: Direction, flags: number): TcpVerdict | undefined {
  const { conversation } = me;
  // Of answers that came again the first counts, unless the SYN came again after it.
  if (flags & ACK && (!conversation.synAckSeen || (conversation.synSeen && isBefore(conversation)))) {
    conversation.synAckSeen = true;
    conversation.synAckSeconds = segment.seconds;
    conversation.synAckNanoseconds = segment.nanoseconds;
  }
  const of = me.synFrame;
  const after = (segment.seconds - me.synSeconds) * 1e9 + (segment.nanoseconds - me.synNanoseconds);
  me.synFrame = segment.number;
  me.synSeconds = segment.seconds;
  me.synNanoseconds = segment.nanoseconds;
  me.syns++;
  if (of === 0) {
    me.firstSynFrame = segment.number;
    return undefined;
  }
  me.resent++;
  const what = flags & ACK ? 'SYN+ACK' : 'SYN';
  return {
    repeat: { kind: 'syn', of, first: me.firstSynFrame, after, timeout: me.syns - 1, evidence: `the same ${what} as #${me.firstSynFrame}` },
  };
}

/** The first SYN carries data (RFC 7413), which begins behind the number that the SYN takes. */
function openWithData(segment: Segment, me: Direction, options: OptionFacts): void {
  const { number, seconds, nanoseconds, sequence, length, identity } = segment;
  const from = (sequence + 1) | 0;
  me.sent = new SentLog(from);
  me.sent.add(from, (from + length) | 0, number, seconds, nanoseconds, identity, options.timestamps ? options.tsval | 0 : 0);
}

/** A segment without data, one octet before what was sent last: it asks whether the other side is still there. */
function judgeProbe(segment: Segment, me: Direction, sequence: number): TcpVerdict | undefined {
  const { sent, peer } = me;
  if (sent === undefined ? false : seqBefore(sent.acked, sent.high)) return undefined;
  if (me.lastFrame === 0 || sinceLast(segment, me) < KEEP_ALIVE_PAUSE / (peer.window === 0 ? 5 : 1)) return undefined;
  return probe(segment, me, peer.window === 0 ? 'window-probe' : 'keep-alive', sequence);
}

function probe(segment: Segment, me: Direction, kind: 'keep-alive' | 'window-probe', sequence: number): TcpVerdict {
  const { sent } = me;
  const i = sent === undefined ? -1 : sent.find(sequence);
  return {
    repeat: {
      kind,
      of: i < 0 ? 0 : sent!.lastFrame(i),
      first: i < 0 ? 0 : sent!.firstFrame(i),
      after: sinceLast(segment, me),
      timeout: 0,
      evidence:
        kind === 'keep-alive'
          ? `one octet back, all acknowledged, after ${durationText(sinceLast(segment, me))} of silence`
          : 'one octet back, the receiver has no room',
    },
  };
}

/** A segment that takes `size` sequence numbers, `length` of them octets of data. */
function judgeData(
  segment: Segment,
  me: Direction,
  options: OptionFacts,
  sequence: number,
  size: number,
  length: number,
  identity: number,
): TcpVerdict | undefined {
  const { number, seconds, nanoseconds } = segment;
  const end = (sequence + size) | 0;
  const tsval = options.timestamps ? options.tsval | 0 : 0;
  let { sent } = me;
  if (sent === undefined) {
    // What the SYN promised comes first; without a SYN the stream begins here.
    sent = me.sent = new SentLog(me.synFrame !== 0 ? (me.base + 1) | 0 : sequence);
  }
  switch (sent.relation(sequence)) {
    case 'next':
      sent.add(sequence, end, number, seconds, nanoseconds, identity, tsval);
      return undefined;
    case 'ahead': {
      const missing = (sequence - sent.high) | 0;
      me.missing += missing;
      sent.add(sequence, end, number, seconds, nanoseconds, identity, tsval);
      return { missing };
    }
    case 'forgotten':
      return judgeForgotten(segment, me, sent, sequence, end, length);
    case 'fills': {
      const verdict = judgeFiller(segment, me, sent, options, sequence, end, identity);
      addUnseen(sent, sequence, end, segment, identity, tsval);
      return verdict;
    }
    case 'repeat': {
      const verdict = judgeRepeat(segment, me, sent, sequence, end, length, identity);
      if (verdict.repeat?.kind === 'duplicate-capture') return verdict;
      const first = sent.find(sequence);
      let to = first;
      while (to < sent.count && seqBefore(sent.start(to), end)) to++;
      me.repeatedOctets += Math.min(length, (sent.end(to - 1) - sequence) | 0);
      sent.resend(first, to, number, seconds, nanoseconds, identity, tsval);
      addUnseen(sent, sequence, end, segment, identity, tsval);
      return verdict;
    }
  }
}

/** Enter those parts of `[start, end)` that were not seen yet. Each step goes past a range or ends. */
function addUnseen(sent: SentLog, start: number, end: number, segment: Segment, identity: number, tsval: number): void {
  let at = start;
  while (seqBefore(at, end)) {
    const holder = sent.find(at);
    if (holder >= 0) {
      at = sent.end(holder);
      continue;
    }
    const next = sent.after(at);
    const stop = next < sent.count && seqBefore(sent.start(next), end) ? sent.start(next) : end;
    sent.add(at, stop, segment.number, segment.seconds, segment.nanoseconds, identity, tsval);
    at = stop;
  }
}

/** Before all that is remembered: acknowledged long ago, or sent before the capture began. */
function judgeForgotten(
  segment: Segment,
  me: Direction,
  sent: SentLog,
  sequence: number,
  end: number,
  length: number,
): TcpVerdict | undefined {
  if (!seqAtOrBefore(end, sent.acked)) return undefined;
  // At the number of the SYN nothing was sent but the SYN.
  if (me.synFrame !== 0 && sequence === me.base) return undefined;
  if (length === 1 && (segment.flags & FIN) === 0 && sequence === ((sent.high - 1) | 0))
    return probe(segment, me, me.peer.window === 0 ? 'window-probe' : 'keep-alive', sequence);
  me.resent++;
  me.needless++;
  me.repeatedOctets += length;
  return { repeat: { kind: 'spurious', of: 0, first: 0, after: sinceLast(segment, me), timeout: 0, evidence: 'acknowledged before' } };
}

/** Octets that were not seen though later ones were: overtaken on the way, or lost before the capture and sent again. */
function judgeFiller(
  segment: Segment,
  me: Direction,
  sent: SentLog,
  options: OptionFacts,
  sequence: number,
  end: number,
  identity: number,
): TcpVerdict | undefined {
  const over = sent.after(sequence);
  if (over >= sent.count) return undefined;
  const late = sent.since(over, segment.seconds, segment.nanoseconds);
  me.missing -= Math.min(me.missing, Math.max(0, (end - sequence) | 0));
  const overtaker = sent.firstFrame(over);
  let again: boolean | undefined;
  let evidence = '';
  const others = sent.tsval(over);
  if (options.timestamps && (sent.marks(over) & RESENT) === 0 && (options.tsval | 0) !== others) {
    again = seqAfter(options.tsval, others);
    evidence = again ? `its time stamp is later than that of #${overtaker}` : `its time stamp is earlier than that of #${overtaker}`;
  }
  const id = identity >>> 16;
  const otherId = sent.identity(over) >>> 16;
  if (again === undefined && id !== 0 && otherId !== 0 && id !== otherId && (sent.marks(over) & RESENT) === 0) {
    const step = ((id - otherId) << 16) >> 16;
    // Identifications that count up tell the order; random ones lie far apart.
    if (step > -1000 && step < 1000) {
      again = step > 0;
      evidence = again
        ? `its IP identification comes after that of #${overtaker}`
        : `its IP identification comes before that of #${overtaker}`;
    }
  }
  if (again === undefined && seqAtOrBefore(end, sent.acked)) {
    again = true;
    evidence = 'acknowledged before it was captured';
  }
  if (again === undefined) {
    const rtt = Math.max(me.conversation.initialRtt, sent.smoothedRtt);
    const asked = sent.duplicates >= 3 || (sent.sackFrame > overtaker && seqAfter(sent.sackHigh, sequence));
    again = asked ? late > Math.max(rtt / 2, 50e3) : late > Math.max(rtt, REORDERING_TIME);
    evidence = asked ? `asked for in #${Math.max(sent.ackFrame, sent.sackFrame)}` : `${durationText(late)} after the gap`;
  }
  if (!again) {
    me.reordered++;
    return { late, overtakenBy: overtaker, lateEvidence: evidence };
  }
  me.resent++;
  const kind = causeOf(segment, me, sent, -1, sequence, late);
  return { repeat: { kind, of: 0, first: 0, after: late, timeout: 0, evidence: `not captured before; ${evidence}` } };
}

/** Octets that were seen before. */
function judgeRepeat(
  segment: Segment,
  me: Direction,
  sent: SentLog,
  sequence: number,
  end: number,
  length: number,
  identity: number,
): TcpVerdict {
  const i = sent.find(sequence);
  const of = sent.lastFrame(i);
  const first = sent.firstFrame(i);
  const after = sent.since(i, segment.seconds, segment.nanoseconds);
  const repeat = (kind: RepeatKind, evidence: string, timeout = 0): TcpVerdict => ({
    repeat: { kind, of, first, after, timeout, evidence },
  });
  if (identity === sent.identity(i) && identity >>> 16 !== 0 && after >= 0 && after < COPY_TIME)
    return repeat('duplicate-capture', 'same IP identification and checksum');
  const { peer } = me;
  const allAcked = seqAtOrBefore(sent.high, sent.acked);
  // An octet alone; a FIN by itself comes again because its ACK did not come.
  if (length === 1 && (segment.flags & FIN) === 0 && allAcked && sequence === ((sent.high - 1) | 0))
    return probe(segment, me, peer.window === 0 ? 'window-probe' : 'keep-alive', sequence);
  me.resent++;
  if (seqAtOrBefore(end, sent.acked) || (sent.marks(i) & SACKED && seqAtOrBefore(end, sent.end(i)))) {
    me.needless++;
    sent.mark(i, NEEDLESS);
  }
  if (seqAtOrBefore(end, sent.acked)) return repeat('spurious', `acknowledged in #${sent.ackFrame} before`);
  if (sent.marks(i) & SACKED && seqAtOrBefore(end, sent.end(i))) return repeat('spurious', `reported by SACK in #${sent.sackFrame} before`);
  const kind = causeOf(segment, me, sent, i, sequence, after);
  switch (kind) {
    case 'tlp':
      sent.probedHigh = sent.high;
      return repeat(kind, `the last segment sent, ${durationText(after)} without an ACK, before a timeout could be`);
    case 'timeout': {
      if (sent.recovery === 2 && seqBefore(sent.acked, sent.recoverHigh) && quiet(segment, me) < patience(me, sent))
        return repeat(kind, `follows the timeout of #${sent.recoveryFrame}`);
      const timeout = sent.countTimeout(i);
      me.timeoutsInARow = timeout;
      sent.recovery = 2;
      sent.recoverHigh = sent.high;
      sent.recoveryFrame = segment.number;
      return repeat(kind, `${durationText(quiet(segment, me))} since the receiver was heard`, timeout);
    }
    case 'fast': {
      const asked =
        sent.duplicates > 0
          ? `${sent.duplicates} duplicate ${sent.duplicates === 1 ? 'ACK' : 'ACKs'} of #${sent.ackFrame}`
          : sent.sackFrame > 0
            ? `SACK in #${sent.sackFrame}`
            : 'nothing asked for it, and it is too soon for a timeout';
      const evidence =
        sent.recovery === 1 ? `ACK in #${sent.ackFrame} that stops at it, in the repair begun by #${sent.recoveryFrame}` : asked;
      if (sent.recovery !== 1) {
        sent.recovery = 1;
        sent.recoverHigh = sent.high;
        sent.recoveryFrame = segment.number;
      }
      return repeat(kind, evidence);
    }
    default:
      if (sent.recovery === 0) {
        sent.recovery = 1;
        sent.recoverHigh = sent.high;
        sent.recoveryFrame = segment.number;
      }
      return repeat(kind, `SACK in #${sent.sackFrame} of octets beyond it`);
  }
}

/** Nanoseconds since the receiver was last heard of. */
const quiet = (segment: Segment, me: Direction): number => sinceLast(segment, me.peer);

/** How long what the receiver says may still be what makes the sender send again: one and a half round trips, and some. */
const patience = (me: Direction, sent: SentLog): number => 1.5 * Math.max(me.conversation.initialRtt, sent.smoothedRtt) + 1.5e6;

/** What made the sender send the range `i` (-1: one that was not captured) again, `after` nanoseconds after the last time. */
function causeOf(segment: Segment, me: Direction, sent: SentLog, i: number, sequence: number, after: number): RepeatKind {
  const { peer } = me;
  if (peer.lastFrame === 0) return after >= MINIMUM_TIMEOUT * 0.95 ? 'timeout' : 'fast';
  const sackAbove = sent.sackFrame !== 0 && seqAfter(sent.sackHigh, sequence) && seqAfter(sent.sackHigh, sent.acked);
  const heard = quiet(segment, me);
  const rtt = Math.max(me.conversation.initialRtt, sent.smoothedRtt);
  const byTimer = heard > patience(me, sent) && after > patience(me, sent);
  const tail = i >= 0 && sent.end(i) === sent.high;
  if (byTimer) {
    const timeout = rtt + Math.max(MINIMUM_TIMEOUT, 4 * sent.rttVariation);
    if (tail && !sackAbove && sent.probedHigh !== sent.high && sent.timeouts(i) === 0 && after < timeout * 0.93) return 'tlp';
    if (!sackAbove || after >= MINIMUM_TIMEOUT * 0.95) return 'timeout';
  }
  const atEdge = sequence === sent.acked;
  if (sent.recovery === 2 && seqBefore(sent.acked, sent.recoverHigh) && seqBefore(sequence, sent.recoverHigh) && !sackAbove)
    return 'timeout';
  if (sackAbove)
    return atEdge && (sent.recovery === 0 || sent.duplicates >= 3) && (i < 0 || (sent.marks(i) & RESENT) === 0) ? 'fast' : 'sack';
  if (atEdge && (sent.duplicates > 0 || sent.recovery === 1)) return 'fast';
  if (tail && sent.probedHigh !== sent.high) return 'tlp';
  return after >= MINIMUM_TIMEOUT * 0.95 ? 'timeout' : 'fast';
}

/** What an ACK tells of the data that goes the other way. */
function judgeAck(
  segment: Segment,
  me: Direction,
  sent: SentLog,
  facts: TcpFacts,
  options: OptionFacts,
  ack: number,
  flags: number,
  length: number,
  window: number,
): TcpVerdict | undefined {
  let verdict: TcpVerdict | undefined;
  const advance = (ack - sent.acked) | 0;
  let dsack = false;
  let news = false;
  if (options.sackLength >= 10) {
    const { bytes: b } = segment;
    const at = options.sackAt;
    dsack = isDsack(b, at, options.sackLength, ack);
    if (dsack) verdict = needless(segment, me.peer, sent, i32(b, at + 2), 'D-SACK: it came twice');
    for (let block = dsack ? 1 : 0; 10 + 8 * block <= options.sackLength; block++) {
      const left = i32(b, at + 2 + 8 * block);
      const right = i32(b, at + 6 + 8 * block);
      if (!seqAfter(right, left) || !seqAtOrBefore(right, sent.high)) continue;
      if (seqAfter(right, sent.sackHigh)) {
        sent.sackHigh = right;
        news = true;
      }
      sent.sack(left, right, SACK_STEPS);
      sent.sackFrame = segment.number;
    }
  }
  if (advance > 0) {
    if (seqAtOrBefore(ack, sent.high)) {
      if (sent.unacknowledged < sent.count) verdict ??= judgeEcho(segment, me.peer, sent, sent.unacknowledged, options);
      const found = sent.acknowledge(ack, segment.seconds, segment.nanoseconds);
      if (found >= 0 && me.peer.outstanding === undefined) sent.tell(found, facts);
    } else sent.acked = ack;
    sent.duplicates = 0;
    me.peer.timeoutsInARow = 0;
    sent.ackFrame = segment.number;
    if (sent.recovery !== 0 && seqAtOrAfter(ack, sent.recoverHigh)) sent.recovery = 0;
    return verdict;
  }
  if (advance < 0 || length > 0 || flags & FIN || window === 0 || dsack || !seqAfter(sent.high, sent.acked)) return verdict;
  // RFC 5681 asks for an unchanged window; one that brings news by SACK counts all the same (RFC 6675).
  if (me.window !== window && !news) return verdict;
  if (sent.ackFrame === 0) return verdict;
  sent.duplicates++;
  return { ...verdict, duplicateAck: sent.duplicates, duplicateOf: sent.ackFrame };
}

/** The repeat that carried `octet` last was not needed. */
function needless(segment: Segment, sender: Direction, sent: SentLog, octet: number, evidence: string): TcpVerdict | undefined {
  const i = sent.find(octet);
  if (i < 0 || (sent.marks(i) & (RESENT | NEEDLESS)) !== RESENT || sent.lastFrame(i) === segment.number) return undefined;
  sent.mark(i, NEEDLESS);
  sender.needless++;
  return { needless: sent.lastFrame(i), needlessEvidence: evidence };
}

/** RFC 4015 (Eifel): the ACK of a range that was sent again echoes a time stamp older than the repeat's, so the first one had arrived. */
function judgeEcho(segment: Segment, sender: Direction, sent: SentLog, i: number, options: OptionFacts): TcpVerdict | undefined {
  if (!options.timestamps || options.tsecr === 0 || (sent.marks(i) & (RESENT | NEEDLESS)) !== RESENT) return undefined;
  if (sent.tsval(i) === 0 || !seqBefore(options.tsecr, sent.tsval(i))) return undefined;
  return needless(segment, sender, sent, sent.start(i), 'its ACK echoes the time stamp of the first one');
}

/** The ACK with which the side that opened completes the handshake. */
function judgeHandshake(segment: Segment, me: Direction, ack: number): TcpVerdict | undefined {
  const { conversation, peer } = me;
  if (!conversation.synAckSeen || conversation.opener !== me || !conversation.synSeen || peer.synFrame === 0) return undefined;
  // A SYN+ACK with data is acknowledged with it.
  const { sent } = peer;
  const withData = sent !== undefined && sent.count === 1 && sent.firstFrame(0) === peer.synFrame && ack === sent.high;
  if (ack !== ((peer.base + 1) | 0) && !withData) return undefined;
  conversation.handshakeDone = true;
  const sinceSyn = (segment.seconds - conversation.synSeconds) * 1e9 + (segment.nanoseconds - conversation.synNanoseconds);
  const sinceAnswer = (segment.seconds - conversation.synAckSeconds) * 1e9 + (segment.nanoseconds - conversation.synAckNanoseconds);
  // A capture may have the answer before the SYN.
  const handshake = me.syns === 1 ? Math.max(sinceSyn, sinceAnswer) : sinceSyn;
  conversation.handshake = handshake;
  return { handshake };
}
