/**
 * The short way through the analysis, for what nearly all segments of a running connection are: the next octets in order,
 * or an ACK that moves on, in a conversation in which nothing is amiss. It asks everything first and changes nothing
 * until it is sure, then does what tcp.ts and tcp-verdict.ts do in the same case; every other segment goes their way.
 * Beside the steps that it saves, it spares the engine: the long way has many branches that are taken late and seldom,
 * each of which would have the code of every segment compiled anew.
 */
import { i32 } from '../core/octets.js';
import { elapsed } from '../core/time.js';
import * as Facts from '../dissectors/tcp-facts.js';
import { WITH_TIMESTAMPS } from '../dissectors/tcp-option-kinds.js';
import type { Direction } from './conversations.js';
import { LIMIT } from './tcp-outstanding.js';
import type { Segment } from './tcp-segment.js';
import { FARTHEST } from './tcp-sent.js';

const FIN = 0x01;
const PSH = 0x08;

/**
 * Analyse and judge a segment; false, and nothing done, when it is not a plain one. Sequence numbers are signed 32-bit
 * integers.
 */
export function analyseQuickly(segment: Segment, me: Direction, facts: Facts.TcpFacts): boolean {
  const { conversation, peer, sent } = me;
  if (!facts.isPlain || conversation.isSteady === false) return false;
  const { sequence, ack, length, window, identity, flags } = segment;
  const theirs = peer.sent;
  let advance = 0;
  if (theirs !== undefined) {
    // Asked first, as what was sent lies farthest away in memory.
    if (((theirs.high - ack) | 0) < 0) return false;
    advance = (ack - theirs.acked) | 0;
    if (advance > 0 && (theirs.recovery !== 0 || theirs.isResent(theirs.unacknowledged))) return false;
    // Without data it should acknowledge something.
    if ((advance | length) === 0) return false;
  }
  // In order, after something, with room and more to come.
  if (sequence !== me.next || sequence === 0 || window === 0 || (flags & FIN) !== 0) return false;
  if (peer.maxAckable !== 0 && ((ack - peer.maxAckable) | 0) > 0) return false;
  const end = (sequence + length) | 0;
  if (length > 0) {
    if (sent === undefined || sent.high !== sequence || (sequence - sent.acked) >>> 0 > FARTHEST || sent.waiting >= LIMIT) return false;
    if ((end - me.base) >>> 0 < (sequence - me.base) >>> 0) return false;
    if (peer.lastAck !== 0 && ((end - peer.lastAck) | 0) <= 0) return false;
    if (peer.scale !== -1 && peer.window >= 0) {
      const shift = peer.scale < 0 || peer.firstAckPending === true ? 0 : peer.scale;
      if (end === ((peer.lastAck + (peer.window << shift)) | 0)) return false;
    }
  } else if (ack === me.lastAck) return false;
  // The segment before once more.
  if (((identity ^ me.lastIdentity) | (sequence ^ me.lastSequence) | (length ^ me.lastLength)) === 0) return false;

  const { number, seconds, nanoseconds } = segment;
  let marks = 0;
  // As the verdicts do.
  if (advance > 0) {
    const found = theirs!.acknowledge(ack, seconds, nanoseconds);
    if (found >= 0) {
      theirs!.tell(found, facts);
      facts.sinceAcked = elapsed(seconds, nanoseconds, facts.acksSeconds, facts.acksNanoseconds);
      marks = Facts.RECORD;
    }
    theirs!.duplicates = 0;
    theirs!.ackFrame = number;
    peer.timeoutsInARow = 0;
  }
  me.lastFrame = number;
  me.lastSequence = sequence;
  me.lastIdentity = identity;
  me.lastLength = length;
  me.lastFlags = flags;

  // As the analysis does.
  peer.countBytesInFlight = true;
  me.firstAckPending = false;
  if (ack !== me.lastAck) {
    me.lastNonDuplicate = number;
    me.duplicates = 0;
    me.lastAck = ack;
  }
  if (me.maxAckable === 0 || sequence === me.maxAckable) me.maxAckable = end;
  me.window = window;
  me.lastSeconds = seconds;
  me.lastNanoseconds = nanoseconds;
  me.lastMarks = 0;
  me.multipathSeen = conversation.multipathOperations;
  if (length === 0) conversation.completeness |= 4;
  else {
    conversation.completeness |= 8;
    const tsval = segment.header === WITH_TIMESTAMPS ? i32(segment.bytes, segment.start + 24) : 0;
    sent!.add(sequence, end, number, seconds, nanoseconds, identity, tsval);
    me.octets += length;
    me.next = end;
    me.nextFrame = number;
    me.nextSeconds = seconds;
    me.nextNanoseconds = nanoseconds;
    if (me.countBytesInFlight) {
      marks = Facts.RECORD;
      // As often as not there is nothing else in flight.
      const inFlight = (sent!.waiting === 1 ? length : sent!.span()) - peer.sackedOctets;
      if (inFlight > 0 && inFlight < 2_000_000_000) facts.bytesInFlight = inFlight;
      me.pushBytes = me.lastPushed ? length : me.pushBytes + length;
      me.lastPushed = (flags & PSH) !== 0;
      facts.pushBytes = me.pushBytes;
    }
  }
  me.sackedOctets = 0;
  facts.marks = marks;
  return true;
}
