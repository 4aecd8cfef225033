/** What there is to say of a TCP conversation as a whole: numbers, and in words how it opened and how it ended. */
import { seqAfter } from '../core/sequence.js';
import { durationText } from '../core/time.js';
import type { Conversation, Direction } from './conversations.js';
import { type EndpointState, type ResetCause, stateOf } from './tcp-endpoints.js';

/** One side of a conversation and what it sent. */
export interface EndpointRecord {
  readonly address: string;
  readonly port: number;
  readonly state: EndpointState;
  readonly segments: number;
  /** Octets of payload, those sent again included. */
  readonly octets: number;
  /** Octets of payload that were sent for the first time. */
  readonly fresh: number;
  /** {@link fresh} octets a second, over the whole conversation; 0 when it took no time. */
  readonly goodput: number;
  /** Segments sent again, as the sender's kernel counts them. */
  readonly retransmissions: number;
  /** Those among them that were shown to have been needless. */
  readonly needless: number;
  /** Segments that others overtook on the way. */
  readonly reordered: number;
  /** Octets that the capture lacks. */
  readonly missing: number;
  /** How often this side had no room left for more, and for how long in all. Nanoseconds. */
  readonly zeroWindows: number;
  readonly stalled: number;
  /** From a segment of this side to its ACK, in nanoseconds, segments sent again left out; undefined when none was measured. */
  readonly rtt: { readonly minimum: number; readonly median: number; readonly maximum: number; readonly count: number } | undefined;
}

/** A conversation as a whole. */
export interface ConversationRecord {
  /** `tcp.stream`. */
  readonly number: number;
  readonly client: EndpointRecord;
  readonly server: EndpointRecord;
  /** True when the client is known to be the one that opened; else it is a guess from the ports. */
  readonly clientKnown: boolean;
  readonly startFrame: number;
  /** The capture says when its segments came; without that all times and durations mean nothing. */
  readonly timed: boolean;
  readonly startSeconds: number;
  readonly startNanoseconds: number;
  readonly lastFrame: number;
  /** Nanoseconds from the first segment to the last. */
  readonly duration: number;
  /** Nanoseconds from the last SYN to the ACK that completes the handshake; undefined when it was not seen. */
  readonly handshake: number | undefined;
  /** The part of it that the server's answer took, and the part that the client's took, seen from where the capture was made. */
  readonly handshakeServer: number | undefined;
  readonly handshakeClient: number | undefined;
  readonly simultaneousOpen: boolean;
  readonly simultaneousClose: boolean;
  /** Who sent the first FIN. */
  readonly closedFirst: 'client' | 'server' | undefined;
  /** Who still holds the connection in TIME-WAIT. */
  readonly timeWait: 'client' | 'server' | 'both' | undefined;
  /** After the first FIN the other side went on sending data. */
  readonly halfClosed: boolean;
  readonly reset:
    | { readonly by: 'client' | 'server'; readonly frame: number; readonly after: ResetCause; readonly answers: number }
    | undefined;
  /** No SYN was seen: it was there before the capture. */
  readonly begunBefore: boolean;
  /** Closed by both sides, reset or refused. */
  readonly over: boolean;
  /** How it opened, in words. */
  readonly opened: string;
  /** How it ended, in words. */
  readonly ended: string;
}

/** The record of a conversation as it stands now; `timed`: its frames have times. */
export function recordOf(conversation: Conversation, { timed = true }: { readonly timed?: boolean } = {}): ConversationRecord {
  const client = conversation.client;
  const server = client.peer;
  const duration =
    (conversation.lastSeconds - conversation.startSeconds) * 1e9 + (conversation.lastNanoseconds - conversation.startNanoseconds);
  const side = (direction: Direction): 'client' | 'server' => (direction === client ? 'client' : 'server');
  const first = client.finRole === 1 ? client : server.finRole === 1 ? server : undefined;
  const waits = [client, server].filter((direction) => stateOf(direction) === 'TIME-WAIT');
  const { handshakeDone, handshake, resetBy } = conversation;
  const serverPart = Math.max(
    0,
    (conversation.synAckSeconds - conversation.synSeconds) * 1e9 + (conversation.synAckNanoseconds - conversation.synNanoseconds),
  );
  return {
    number: conversation.number,
    client: endpoint(client, duration),
    server: endpoint(server, duration),
    clientKnown: conversation.opener !== undefined,
    startFrame: conversation.startFrame,
    timed,
    startSeconds: conversation.startSeconds,
    startNanoseconds: conversation.startNanoseconds,
    lastFrame: conversation.lastFrame,
    duration,
    handshake: handshakeDone ? handshake : undefined,
    handshakeServer: handshakeDone ? serverPart : undefined,
    handshakeClient: handshakeDone ? handshake - serverPart : undefined,
    simultaneousOpen: conversation.simultaneousOpen,
    simultaneousClose: conversation.simultaneousClose,
    closedFirst: first && side(first),
    timeWait: waits.length === 2 ? 'both' : waits[0] && side(waits[0]),
    halfClosed: first !== undefined && first.peer.octetsAfterPeerFin > 0,
    reset: resetBy && {
      by: side(resetBy),
      frame: conversation.resetFrame,
      after: conversation.resetCause,
      answers: conversation.resetAnswers,
    },
    begunBefore: client.syns === 0 && server.syns === 0,
    over: resetBy !== undefined || (client.finFrame !== 0 && server.finFrame !== 0),
    opened: openedText(conversation, client, timed),
    ended: endedText(conversation, client, timed ? duration : undefined),
  };
}

function endpoint(me: Direction, duration: number): EndpointRecord {
  const { sent } = me;
  const fresh = me.octets - me.repeatedOctets;
  return {
    address: me.source,
    port: me.srcPort,
    state: stateOf(me),
    segments: me.segments,
    octets: me.octets,
    fresh,
    goodput: duration > 0 ? Math.round((fresh / duration) * 1e9) : 0,
    retransmissions: me.resent,
    needless: me.needless,
    reordered: me.reordered,
    missing: me.missing,
    zeroWindows: me.zeroWindows,
    stalled: me.stalled,
    rtt:
      sent !== undefined && sent.rttCount > 0
        ? { minimum: sent.rttMinimum, median: sent.rttMedian, maximum: sent.rttMaximum, count: sent.rttCount }
        : undefined,
  };
}

function openedText(conversation: Conversation, client: Direction, timed: boolean): string {
  const { peer: server } = client;
  if (conversation.simultaneousOpen) return 'opened by both at once';
  if (client.syns === 0 && server.syns === 0) return 'begun before the capture';
  const { resetBy, resetCause } = conversation;
  if (resetBy !== undefined && resetCause === 'a SYN') return 'refused';
  if (server.segments === 0) return 'never answered';
  const how = conversation.handshakeDone
    ? timed
      ? `opened by client in ${durationText(conversation.handshake)}`
      : 'opened by client'
    : client.syns === 0
      ? 'opened by client before the capture'
      : 'opened by client, handshake not completed';
  return client.syns > 1 ? `${how}, after ${client.syns} SYNs` : how;
}

function endedText(conversation: Conversation, client: Direction, duration: number | undefined): string {
  const { peer: server } = client;
  const { resetBy, resetCause, resetAnswers } = conversation;
  const name = (direction: Direction) => (direction === client ? 'client' : 'server');
  if (resetBy !== undefined) {
    if (resetCause === 'a SYN') return 'refused';
    return resetAnswers === 0 ? `reset by ${name(resetBy)}` : `reset by ${name(resetBy)} after ${resetCause} in #${resetAnswers}`;
  }
  if (server.segments === 0 && client.syns > 0) {
    const tries = client.syns === 1 ? '1 try' : `${client.syns} tries`;
    return `SYN unanswered, ${tries}${client.syns === 1 || duration === undefined ? '' : ` over ${durationText(duration)}`}`;
  }
  if (client.finFrame !== 0 && server.finFrame !== 0) {
    const first = client.finRole === 1 ? client : server;
    const who = conversation.simultaneousClose ? 'both at once' : name(first);
    const waits = [client, server].filter((direction) => stateOf(direction) === 'TIME-WAIT').map(name);
    if (waits.length > 0) return `closed by ${who}, TIME-WAIT at ${waits.join(' and ')}`;
    return `closed by ${who}, last ACK not seen`;
  }
  for (const direction of [client, server]) {
    const { sent } = direction;
    if (sent === undefined || !seqAfter(sent.high, sent.acked) || direction.timeoutsInARow < 2) continue;
    return `lost: ${name(direction)} unanswered through ${direction.timeoutsInARow} timeouts`;
  }
  if (client.finFrame !== 0) return 'half closed by client';
  if (server.finFrame !== 0) return 'half closed by server';
  return 'open at the end of the capture';
}
