/**
 * The short way through the analysis, for what nearly all segments of a running connection are: the next octets in order,
 * or an ACK that moves on, in a conversation in which nothing is amiss. It asks everything first and changes nothing
 * until it is sure, then does what tcp.ts and tcp-verdict.ts do in the same case; every other segment goes their way.
 * Beside the steps that it saves, it spares the engine: the long way has many branches that are taken late and seldom,
 * each of which would have the code of every segment compiled anew.
 */
import { i32, u32 } from '../core/octets.js';
import * as Facts from '../dissectors/tcp-facts.js';
import type { Direction } from './conversations.js';
import { acknowledgeListed, LIMIT } from './tcp-outstanding.js';
import type { Segment } from './tcp-segment.js';
import { FARTHEST, RESENT } from './tcp-sent.js';
import { acknowledges } from './tcp-verdict.js';

const PSH = 0x08;
const ACK = 0x10;

/** NOP, NOP, time stamps of 10 octets: the only options that the short way reads. */
const TIMESTAMPS = 0x0101080a;

/**
 * Analyse and judge a sized segment of a conversation that is not new; false, and nothing done, when it is not a plain
 * one. Sequence numbers are signed 32-bit integers.
 */
export function analyseQuickly(segment: Segment, me: Direction, facts: Facts.TcpFacts): boolean {
  const { flags, header, sequence, ack, length, window, identity } = segment;
  if ((flags & ~PSH) !== ACK) return false;
  const { bytes: b, start } = segment;
  let tsval = 0;
  if (header !== 20) {
    if (header !== 32 || start + 32 > segment.captured || u32(b, start + 20) !== TIMESTAMPS) return false;
    tsval = i32(b, start + 24);
  }
  const { peer, conversation, sent, outstanding } = me;
  // In order, after something, with room on both sides.
  if (sequence !== me.next || sequence === 0 || me.lastFrame === 0) return false;
  if (window === 0 || me.window === 0 || peer.window === 0 || peer.finFrame !== 0) return false;
  if (conversation.accurateEcn === 2 || (conversation.initialRtt === 0 && conversation.synSeen)) return false;
  if (!conversation.handshakeDone && conversation.synAckSeen && conversation.synSeen) return false;
  if (peer.maxAckable !== 0 && ((ack - peer.maxAckable) | 0) > 0) return false;
  const end = (sequence + length) | 0;
  if (length > 0) {
    if (sent === undefined || sent.high !== sequence || (sequence - sent.acked) >>> 0 > FARTHEST) return false;
    // What is outstanding is listed, or in the log alone (tcp-outstanding.ts).
    if (outstanding === undefined ? sent.waiting >= LIMIT : outstanding.full) return false;
    if ((end - me.base) >>> 0 < (sequence - me.base) >>> 0) return false;
    if (peer.lastAck !== 0 && ((end - peer.lastAck) | 0) <= 0) return false;
    if (peer.scale !== -1 && peer.window >= 0) {
      const shift = peer.firstAckPending || peer.scale < 0 ? 0 : peer.scale;
      if (end === ((peer.lastAck + (peer.window << shift)) | 0)) return false;
    }
  } else if (ack === me.lastAck) return false;
  if (identity === me.lastIdentity && sequence === me.lastSequence && length === me.lastLength) return false;
  const theirs = peer.sent;
  const advance = theirs === undefined ? 0 : (ack - theirs.acked) | 0;
  if (theirs !== undefined) {
    if (((theirs.high - ack) | 0) < 0) return false;
    if (advance > 0) {
      if (theirs.recovery !== 0) return false;
      const first = theirs.unacknowledged;
      if (first < theirs.count && theirs.marks(first) & RESENT) return false;
    } else if (advance === 0 && length === 0 && theirs.high !== ack && me.window === window) return false;
  }

  const { number, seconds, nanoseconds } = segment;
  // As the verdicts do.
  if (length > 0) {
    me.octets += length;
    sent!.add(sequence, end, number, seconds, nanoseconds, identity, tsval);
  }
  if (advance > 0) {
    const found = theirs!.acknowledge(ack, seconds, nanoseconds);
    if (found >= 0 && peer.outstanding === undefined) acknowledges(facts, theirs!, found);
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
  let marks = 0;
  peer.countBytesInFlight = true;
  me.firstAckPending = false;
  if (ack !== me.lastAck) {
    me.lastNonDuplicate = number;
    me.duplicates = 0;
    me.lastAck = ack;
  }
  if (length > 0) {
    outstanding?.add(number, sequence, end, seconds, nanoseconds, me.base);
    me.next = end;
    me.nextFrame = number;
    me.nextSeconds = seconds;
    me.nextNanoseconds = nanoseconds;
    conversation.completeness |= 8;
  } else conversation.completeness |= 4;
  if (me.maxAckable === 0 || sequence === me.maxAckable) me.maxAckable = end;
  me.window = window;
  me.lastSeconds = seconds;
  me.lastNanoseconds = nanoseconds;
  me.lastMarks = 0;
  me.multipathSeen = conversation.multipathOperations;
  if (peer.outstanding !== undefined) acknowledgeListed(peer, peer.outstanding, ack, facts);
  if (facts.acksFrame !== 0) marks = Facts.RECORD;
  if (length > 0 && me.countBytesInFlight) {
    marks = Facts.RECORD;
    const inFlight = (outstanding === undefined ? sent!.span() : outstanding.span()) - peer.sackedOctets;
    if (inFlight > 0 && inFlight < 2_000_000_000) facts.bytesInFlight = inFlight;
    me.pushBytes = me.lastPushed ? length : me.pushBytes + length;
    me.lastPushed = (flags & PSH) !== 0;
    facts.pushBytes = me.pushBytes;
  }
  me.sackedOctets = 0;
  facts.marks = marks;
  return true;
}
