/**
 * TCP analysis as Wireshark 4.0 defines it: tcp.analysis.*, completeness, scaled windows, round trips.
 *
 * The order of the steps matters and so do Wireshark's own notions (a retransmission is what it calls one); what really
 * happened is told by the verdicts beside it (tcp-verdict.ts). Every segment counts, in the order of the capture.
 */
import type { Frame } from '../core/frame.js';
import { between, elapsed } from '../core/time.js';
import type { Tcp } from '../dissectors/tcp.js';
import * as Facts from '../dissectors/tcp-facts.js';
import { type Conversation, Conversations, type Direction } from './conversations.js';
import { OptionFacts } from './tcp-option-facts.js';
import { acknowledgeListed, prepare } from './tcp-outstanding.js';
import { analyseQuickly } from './tcp-quick.js';
import { Segment } from './tcp-segment.js';
import { isCopy, judge } from './tcp-verdict.js';

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const PSH = 0x08;
const ACK = 0x10;
const ECE = 0x40;
const CWR = 0x80;

/** Within this time of the peer's last ACK a repeat counts as a fast retransmission. Nanoseconds. */
const FAST_RETRANSMISSION_TIME = 20e6;
/** What counts as "at once" for reordering while no round trip is known. Nanoseconds. */
const REORDERING_TIME = 3e6;

/**
 * Accurate ECN is asked for by a SYN with AE, CWR and ECE, and agreed to by a SYN+ACK with CWR and without AE, or with AE
 * and without ECE.
 */
function negotiateEcn(conversation: Conversation, flags: number, accurate: boolean): void {
  const cwr = (flags & CWR) !== 0;
  const ece = (flags & ECE) !== 0;
  if ((flags & ACK) === 0) {
    if (accurate && cwr && ece) conversation.accurateEcn ||= 1;
  } else if (conversation.accurateEcn === 1 && (accurate ? !ece : cwr)) conversation.accurateEcn = 2;
}

/** The short way (tcp-quick.ts) may go on with what the long way has left behind. */
function isSteady({ accurateEcn, synSeen, synAckSeen, handshakeDone, initialRtt, low, high }: Conversation): boolean {
  if (accurateEcn === 2 || (synSeen && (initialRtt === 0 || (synAckSeen && !handshakeDone)))) return false;
  return canGoOn(low) && canGoOn(high);
}

/** Where its numbers begin is known, its sender has room and has not finished, and the log tells of what is outstanding. */
const canGoOn = ({ baseKnown, window, finFrame, outstanding }: Direction): boolean =>
  baseKnown && window !== 0 && finFrame === 0 && outstanding === undefined;

/** Analyses the TCP segments of one session, in the order of the capture. */
export class TcpAnalysis {
  private readonly options = new OptionFacts();
  private readonly segment = new Segment();
  private readonly facts = new Facts.TcpFacts();
  /** The frame that has {@link facts}. */
  private frame = 0;

  /** `quick` false: every segment goes the long way, for tests that compare both. */
  constructor(
    readonly conversations = new Conversations(),
    private readonly quick = true,
  ) {}

  /** Take in a dissected header of which at least 16 octets were captured; `sized` when its payload's length is known. */
  header(frame: Frame, tcp: Tcp, sized: boolean): void {
    // Seldom there are more TCP headers than one in a frame.
    const facts = this.frame === frame.number ? new Facts.TcpFacts() : this.facts;
    this.frame = frame.number;
    tcp.facts = facts;
    tcp.direction = this.take(this.segment.ofLayers(frame, tcp, sized), facts);
  }

  /** Take in a segment, and put what there is to say of it into `facts`. */
  take(segment: Segment, facts: Facts.TcpFacts): Direction {
    const me = this.conversations.of(segment);
    const { conversation, peer, scale } = me;
    const { flags, length, sequence, ack, window, seconds, nanoseconds } = segment;
    const sized = length >= 0;
    facts.completeness = conversation.completeness;
    facts.previousSeconds = conversation.previousSeconds;
    facts.previousNanoseconds = conversation.previousNanoseconds;
    facts.sincePrevious = elapsed(seconds, nanoseconds, conversation.previousSeconds, conversation.previousNanoseconds);
    facts.sinceStart = elapsed(seconds, nanoseconds, conversation.startSeconds, conversation.startNanoseconds);
    facts.length = length;
    facts.sequence = sized ? (sequence - me.base) | 0 : sequence;
    facts.acknowledgment = sized && flags & ACK ? (ack - peer.base) | 0 : ack;
    facts.scale = scale;
    facts.window = sized && scale > 0 && (flags & SYN) === 0 ? window << scale : window;
    facts.isPlain = sized && segment.isPlain;
    facts.clear();
    if (!this.quick || !analyseQuickly(segment, me, facts)) this.analyseFully(segment, me, facts);
    return me;
  }

  /** The long way: whatever a segment may be. */
  private analyseFully(segment: Segment, me: Direction, facts: Facts.TcpFacts): void {
    const { bytes: b, start, header, flags, length } = segment;
    const { conversation } = me;
    const isNew = me.segments === 1 && me.peer.segments === 0;
    conversation.isSteady = false;
    const whole = header >= 20;
    const { options } = this;
    options.clear();
    if (whole && header > 20) options.read(b, start + 20, start + header, segment.captured);
    me.sackedOctets = 0;
    const opening = (flags & (SYN | ACK)) === SYN;
    if (length >= 0) {
      prepare(segment, me, isCopy(segment, me));
      judge(segment, me, facts, options);
      this.analyse(segment, me, facts, opening && !isNew && me.segments > 1);
    }
    if (!whole) return;

    if (flags & SYN) me.firstAckPending = true;
    else if (flags & ACK) me.firstAckPending = false;
    if (opening) {
      conversation.synSeen = true;
      conversation.synSeconds = segment.seconds;
      conversation.synNanoseconds = segment.nanoseconds;
    } else if ((flags & (SYN | ACK)) === ACK && conversation.initialRtt === 0 && conversation.synSeen) {
      conversation.initialRtt = (segment.seconds - conversation.synSeconds) * 1e9 + (segment.nanoseconds - conversation.synNanoseconds);
      conversation.initialRttFrame = segment.number;
    }
    this.afterOptions(conversation, me, facts, flags, (b[start + 12]! & 1) !== 0, length, isNew);
    conversation.isSteady = isSteady(conversation);
  }

  /** What the options and flags mean for what comes later. */
  private afterOptions(
    conversation: Conversation,
    me: Direction,
    facts: Facts.TcpFacts,
    flags: number,
    accurate: boolean,
    length: number,
    isNew: boolean,
  ): void {
    const { options } = this;
    const { peer } = me;
    if (options.broken) facts.marks |= Facts.BROKEN_OPTIONS;
    if (options.windowScale >= 0) me.scale = options.windowScale;
    if (flags & SYN) {
      if (me.scale === -1 && !options.cut) me.scale = peer.scale = -2;
      else if (flags & ACK && peer.scale === -2) me.scale = -2;
    }
    me.sackedOctets = options.sackedOctets;
    if (options.multipath !== 0) {
      conversation.multipathOperations |= options.multipath;
      facts.marks |= Facts.MULTIPATH;
    }
    if (flags & SYN) this.fastOpen(conversation, facts, flags, length);
    if (options.accurateEcn) conversation.accurateEcn = 2;
    if (flags & SYN) negotiateEcn(conversation, flags, accurate);
    else if (conversation.accurateEcn === 2) facts.marks |= Facts.ACCURATE_ECN;
    if (flags & FIN) {
      if (me.finRole === 0) me.finRole = peer.finRole === 0 ? 1 : 2;
      facts.marks |= me.finRole === 1 ? Facts.FIN_ACTIVE : Facts.FIN_PASSIVE;
    }
    if (isNew) {
      if (!conversation.reused) conversation.completeness = (flags & (SYN | ACK)) === SYN ? (length > 0 ? 9 : 1) : 0;
      return;
    }
    let bits = 0;
    if ((flags & (SYN | ACK)) === (SYN | ACK)) bits |= 2;
    if ((flags & (SYN | ACK)) === ACK) bits |= length > 0 ? 8 : 4;
    if ((flags & (FIN | ACK)) === (FIN | ACK)) bits |= 16;
    if (flags & RST) bits |= 32;
    conversation.completeness |= bits;
  }

  private fastOpen(conversation: Conversation, facts: Facts.TcpFacts, flags: number, length: number): void {
    if ((flags & ACK) === 0) {
      if (!this.options.fastOpenCookie) return;
      facts.marks |= Facts.FAST_OPEN_SYN;
      if (length > 0) conversation.fastOpenData = true;
    } else if (facts.acknowledgment > 1) facts.marks |= Facts.FAST_OPEN_ACK;
    else if (conversation.fastOpenData) facts.marks |= Facts.FAST_OPEN_IGNORED;
  }

  /** The flags and numbers of tcp.analysis, then the state for the next segment. Signed sequence numbers throughout. */
  private analyse(segment: Segment, me: Direction, facts: Facts.TcpFacts, again: boolean): void {
    const { peer, conversation } = me;
    const { seconds, nanoseconds, number, window, sequence, ack, flags, length } = segment;
    let marks = 0;
    let record = false;
    if (conversation.reusedAt === number) {
      marks |= Facts.REUSED_PORTS;
      if (flags & ACK) me.outstanding?.rebase(me.base);
    }
    if (again) me.next = me.maxAckable;
    if (flags & ACK) peer.countBytesInFlight = true;
    const control = flags & (SYN | FIN | RST);
    const counts = flags & (SYN | FIN) ? 1 : 0;
    const distance = (sequence - me.next) | 0;
    const known = me.next !== 0;

    if (length === 1 && sequence === me.next && peer.window === 0) marks |= Facts.ZERO_WINDOW_PROBE;
    else {
      if (window === 0 && control === 0) marks |= Facts.ZERO_WINDOW;
      if (known && distance > 0 && (flags & RST) === 0) {
        marks |= Facts.LOST_SEGMENT;
        me.countBytesInFlight = false;
      }
      if (control === 0) {
        if (length <= 1 && distance === -1) marks |= Facts.KEEP_ALIVE;
        const atEdge = length === 0 && distance === 0 && ack === me.lastAck;
        if (atEdge && window !== 0 && window !== me.window) marks |= Facts.WINDOW_UPDATE;
        if (length > 0 && peer.scale !== -1) {
          const shift = peer.firstAckPending || peer.scale < 0 ? 0 : peer.scale;
          if (((sequence + length) | 0) === ((peer.lastAck + (peer.window < 0 ? 0 : peer.window << shift)) | 0) && peer.window >= 0)
            marks |= Facts.WINDOW_FULL;
        }
        if (atEdge && window === me.window) {
          if (window !== 0 && peer.lastMarks & Facts.KEEP_ALIVE) marks |= Facts.KEEP_ALIVE_ACK;
          else if (window === 0 && peer.lastMarks & Facts.ZERO_WINDOW_PROBE) marks |= Facts.ZERO_WINDOW_PROBE_ACK;
          else if (window !== 0 && conversation.multipathOperations === me.multipathSeen) {
            marks |= Facts.DUPLICATE_ACK;
            me.duplicates = me.duplicates < 0 ? 1 : me.duplicates + 1;
            facts.reference = me.lastNonDuplicate;
            facts.duplicateAckNumber = me.duplicates;
          }
        }
      }
    }
    if (ack !== me.lastAck) {
      me.lastNonDuplicate = number;
      me.duplicates = 0;
    }
    if (peer.maxAckable !== 0 && flags & ACK && ((ack - peer.maxAckable) | 0) > 0) {
      record = true;
      if (((peer.maxAckable - peer.next) | 0) < 0) {
        marks |= Facts.ACK_LOST_SEGMENT;
        peer.maxAckable = peer.next;
      } else {
        if (peer.duplicates === 0) marks |= Facts.ACK_LOST_SEGMENT;
        peer.duplicates = -1;
      }
    }
    if ((length > 0 || counts !== 0) && (marks & Facts.KEEP_ALIVE) === 0) {
      const old = known && distance < 0 && !(length > 1 && distance === -1);
      if (length > 0 && peer.lastAck !== 0 && ((sequence + length - peer.lastAck) | 0) <= 0) marks |= Facts.SPURIOUS_RETRANSMISSION;
      else if (old) marks |= this.repeated(segment, me, facts, counts);
    }

    // State for what follows.
    let end = (sequence + length) | 0;
    const { outstanding } = me;
    if (outstanding === undefined) end = (end + counts) | 0;
    else if ((length > 0 || counts !== 0) && !outstanding.full) {
      end = (end + counts) | 0;
      outstanding.add(number, sequence, end, seconds, nanoseconds, me.base);
    }
    const probe = (marks & Facts.ZERO_WINDOW_PROBE) !== 0;
    if (!probe) {
      if (me.next === 0 || ((end - me.next) | 0) > 0) {
        me.next = end;
        me.nextFrame = number;
        me.nextSeconds = seconds;
        me.nextNanoseconds = nanoseconds;
      }
      if (me.maxAckable === 0 || sequence === me.maxAckable) me.maxAckable = me.next;
    }
    me.window = window;
    me.lastAck = ack;
    me.lastSeconds = seconds;
    me.lastNanoseconds = nanoseconds;
    me.lastMarks = marks;
    me.multipathSeen = conversation.multipathOperations;
    if (peer.outstanding !== undefined) acknowledgeListed(peer, peer.outstanding, ack, facts);
    if (facts.acksFrame !== 0) {
      record = true;
      facts.sinceAcked = elapsed(seconds, nanoseconds, facts.acksSeconds, facts.acksNanoseconds);
    }
    if (length > 0 && me.countBytesInFlight) {
      record = true;
      const inFlight = (outstanding ?? me.sent!).span() - peer.sackedOctets;
      if (inFlight > 0 && inFlight < 2_000_000_000) facts.bytesInFlight = inFlight - counts;
      me.pushBytes = me.lastPushed ? length : me.pushBytes + length;
      me.lastPushed = (flags & PSH) !== 0;
      facts.pushBytes = me.pushBytes;
    }
    if (marks !== 0 || record) marks |= Facts.RECORD;
    facts.marks = marks;
  }

  /** Which kind of repeat Wireshark takes a segment below the highest sequence number for. */
  private repeated(segment: Segment, me: Direction, facts: Facts.TcpFacts, counts: number): number {
    const { peer, conversation, outstanding } = me;
    const { seconds, nanoseconds, sequence, length } = segment;
    if ((peer.duplicates >= 2 || peer.duplicates < 0) && sequence === peer.lastAck) {
      const since = (seconds - peer.lastSeconds) * 1e9 + (nanoseconds - peer.lastNanoseconds);
      if (since >= 0 && since < FAST_RETRANSMISSION_TIME) return Facts.FAST_RETRANSMISSION;
    }
    const since = (seconds - me.nextSeconds) * 1e9 + (nanoseconds - me.nextNanoseconds);
    const limit = conversation.initialRtt === 0 ? REORDERING_TIME : conversation.initialRtt;
    if (since >= 0 && since < limit && ((sequence + length + counts) | 0) !== me.next) return Facts.OUT_OF_ORDER;
    const listed = outstanding !== undefined && outstanding.count > 0;
    const from = listed ? outstanding.oldestSeconds : me.nextSeconds;
    const fromNanoseconds = listed ? outstanding.oldestNanoseconds : me.nextNanoseconds;
    facts.timeout = between(seconds, nanoseconds, from, fromNanoseconds);
    if (Number(facts.timeout) !== 0) facts.reference = listed ? outstanding.oldestFrame : me.nextFrame;
    return Facts.RETRANSMISSION;
  }
}
