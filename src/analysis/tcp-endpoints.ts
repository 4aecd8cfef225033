/**
 * The states of the two endpoints of a conversation, as far as the capture shows them (RFC 9293 section 3.3.2): what was
 * seen is taken for delivered, and an endpoint that answered is taken to have read what it answers.
 */
import { seqAtOrAfter } from '../core/sequence.js';
import type { Direction } from './conversations.js';
import type { Segment } from './tcp-segment.js';

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;

/** RFC 9293's names. */
export type EndpointState =
  | 'CLOSED'
  | 'LISTEN'
  | 'SYN-SENT'
  | 'SYN-RECEIVED'
  | 'ESTABLISHED'
  | 'FIN-WAIT-1'
  | 'FIN-WAIT-2'
  | 'CLOSE-WAIT'
  | 'CLOSING'
  | 'LAST-ACK'
  | 'TIME-WAIT';

/** What a reset answers. */
export type ResetCause = 'a SYN' | 'data' | 'a FIN' | 'an ACK' | 'nothing seen';

/**
 * Take in what a segment means for the endpoints, before the rest of the analysis does. Returns a remark on resets.
 */
export function follow(segment: Segment, me: Direction): string | undefined {
  const { sequence, ack, flags, length, window } = segment;
  const { peer, conversation } = me;
  if (length > 0) {
    me.octets += length;
    if (peer.finFrame !== 0) me.octetsAfterPeerFin += length;
  }
  if (flags & ACK && peer.finFrame !== 0 && !peer.finAcked && (flags & RST) === 0 && seqAtOrAfter(ack, peer.finEnd)) peer.finAcked = true;
  // Who has the other side's FIN needs no more room.
  if ((window === 0 || me.window === 0) && !peer.finAcked) followWindow(segment, me, flags, window);
  if ((flags & (SYN | FIN | RST)) === 0) return undefined;
  if ((flags & (SYN | ACK)) === SYN && peer.syns > 0 && !conversation.synAckSeen) conversation.simultaneousOpen = true;
  // Who accepts did not refuse: the reset before it was another's, or for an older connection.
  if ((flags & (SYN | ACK | RST)) === (SYN | ACK) && conversation.resetBy === me && conversation.resetCause === 'a SYN') {
    conversation.resetFrame = 0;
    conversation.resetBy = undefined;
  }
  if (flags & FIN && me.finFrame === 0) {
    me.finFrame = segment.number;
    me.finEnd = (sequence + length + 1) | 0;
    // A FIN that does not acknowledge the other side's was sent without knowing of it.
    if (peer.finFrame !== 0 && !((flags & ACK) !== 0 && seqAtOrAfter(ack, peer.finEnd))) conversation.simultaneousClose = true;
  }
  if ((flags & RST) === 0 || conversation.resetFrame !== 0) return undefined;
  conversation.resetFrame = segment.number;
  conversation.resetBy = me;
  conversation.resetAnswers = peer.lastFrame;
  conversation.resetCause = causeOf(peer);
  if (conversation.resetCause === 'a SYN') return `refused, answers #${peer.lastFrame}`;
  return peer.lastFrame === 0 ? 'reset, answers nothing that was seen' : `reset, after ${conversation.resetCause} in #${peer.lastFrame}`;
}

function causeOf(peer: Direction): ResetCause {
  if (peer.lastFrame === 0) return 'nothing seen';
  if ((peer.lastFlags & (SYN | ACK)) === SYN) return 'a SYN';
  if (peer.lastLength > 0) return 'data';
  return peer.lastFlags & FIN ? 'a FIN' : 'an ACK';
}

/** Count the times at which a receiver had no room, and how long its sender had to wait. */
function followWindow(segment: Segment, me: Direction, flags: number, window: number): void {
  if (window === 0 && me.window !== 0 && (flags & (SYN | FIN | RST)) === 0) {
    me.zeroWindows++;
    me.zeroSeconds = segment.seconds;
    me.zeroNanoseconds = segment.nanoseconds;
  } else if (window !== 0 && me.zeroWindows > 0)
    me.stalled += (segment.seconds - me.zeroSeconds) * 1e9 + (segment.nanoseconds - me.zeroNanoseconds);
}

/** The state of the endpoint that sends in this direction. */
export function stateOf(me: Direction): EndpointState {
  const { peer, conversation } = me;
  if (conversation.resetFrame !== 0) return 'CLOSED';
  if (me.finFrame !== 0) {
    if (peer.finFrame === 0) return me.finAcked ? 'FIN-WAIT-2' : 'FIN-WAIT-1';
    const passive = me.finRole === 2 && !conversation.simultaneousClose;
    if (passive) return me.finAcked ? 'CLOSED' : 'LAST-ACK';
    return me.finAcked ? 'TIME-WAIT' : 'CLOSING';
  }
  if (peer.finFrame !== 0) return 'CLOSE-WAIT';
  const synAcked = peer.segments > 0 && (conversation.handshakeDone || conversation.synAckSeen);
  if (me.syns > 0) {
    if (peer.syns === 0) return peer.segments > 0 ? 'ESTABLISHED' : 'SYN-SENT';
    if (conversation.opener === me) return synAcked ? 'ESTABLISHED' : 'SYN-RECEIVED';
    return conversation.handshakeDone ? 'ESTABLISHED' : 'SYN-RECEIVED';
  }
  return peer.syns > 0 && me.segments === 0 ? 'LISTEN' : 'ESTABLISHED';
}
