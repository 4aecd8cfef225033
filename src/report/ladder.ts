/**
 * A conversation as a ladder (drawn by ladder-drawing.ts): a step a segment with what it means. Stretches of plain data are
 * folded, so that what matters stays on the screen.
 */
import { type Conversation, type Direction, directionOf } from '../analysis/conversations.js';
import { Data } from '../core/data.js';
import type { Frame } from '../core/frame.js';
import type { Layer } from '../core/layer.js';
import { u16, u32 } from '../core/octets.js';
import { safeText, TextBuffer } from '../core/text.js';
import { durationText } from '../core/time.js';
import { Dns } from '../dissectors/dns.js';
import { Http } from '../dissectors/http-layer.js';
import { Http2 } from '../dissectors/http2-layer.js';
import { Tcp } from '../dissectors/tcp.js';
import * as Facts from '../dissectors/tcp-facts.js';
import { FAST_OPEN, isDsack, MPTCP, MPTCP_JOIN, MSS, SACK, SACK_PERMITTED, WINDOW_SCALE } from '../dissectors/tcp-option-kinds.js';
import type { Tone } from '../output/theme.js';
import { cut } from './conversations.js';
import { counted } from './quantities.js';

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const PSH = 0x08;
const ACK = 0x10;
const URG = 0x20;

/** A stretch of so many plain segments is folded, except for those at its ends. */
const FOLD_FROM = 10;
const FOLD_HEAD = 4;
const FOLD_TAIL = 3;
/** Segments that are remembered one by one; beyond them what is plain is folded at once. */
const REMEMBERED = 200_000;
/** Characters of a message that are kept. */
const MESSAGE = 200;

/** A segment, or what an ICMP error says of one. */
export interface Step {
  readonly kind: 'segment' | 'error';
  readonly frame: number;
  readonly seconds: number;
  readonly nanoseconds: number;
  /** Sent by the endpoint that compares lower. */
  readonly low: boolean;
  readonly flags: string;
  /** Relative numbers of its octets; `from` is where a segment without data stands. */
  readonly from: number;
  readonly to: number;
  readonly length: number;
  readonly ack: number;
  /** The segment that it acknowledges exactly; 0 for none. */
  readonly acks: number;
  readonly window: number;
  /** SACK blocks, MSS and the like. */
  readonly options: string;
  /** What it says: of several messages the one that tells most. */
  readonly message: string;
  readonly messages: number;
  readonly notes: string[];
  /** What proves the last note, where there is room for it. */
  readonly evidence: string;
  readonly tone: Tone | undefined;
  /** Repeats an earlier segment. */
  readonly again: boolean;
  /** May be folded. */
  plain: boolean;
  duplicateAck: boolean;
  /** Sent again later, and not in vain: it never arrived. */
  lost: boolean;
}

/** Segments that are not drawn one by one. */
export interface Fold {
  readonly kind: 'fold';
  segments: number;
  lowOctets: number;
  highOctets: number;
  messages: number;
  duplicateAcks: number;
  readonly seconds: number;
  readonly nanoseconds: number;
  lastSeconds: number;
  lastNanoseconds: number;
}

/** Gathers the segments of one conversation. */
export class Ladder {
  steps: (Step | Fold)[] = [];
  /** Time of the capture's first frame. */
  firstSeconds = 0;
  firstNanoseconds = 0;
  private conversation: Conversation | undefined = undefined;
  /** By frame, those that may still turn out to be lost. */
  private readonly byFrame = new Map<number, Step>();
  private established = false;

  constructor(
    /** `tcp.stream`. */
    readonly stream: number,
    /** Fold nothing. */
    private readonly all: boolean,
  ) {}

  /** Take in a frame if it belongs to the conversation. */
  see(frame: Frame): void {
    if (frame.transport === undefined) return;
    const { layers } = frame;
    for (let i = 0; i < layers.length; i++) {
      const layer = layers[i]!;
      if (!(layer instanceof Tcp)) continue;
      const me = directionOf(layer);
      if (me === undefined || me.conversation.number !== this.stream) continue;
      this.conversation = me.conversation;
      ({ firstSeconds: this.firstSeconds, firstNanoseconds: this.firstNanoseconds } = frame.session);
      if (frame.headline !== undefined) this.error(frame, me);
      else if (layer.facts !== undefined && layer.start + 20 <= layer.captured) this.segment(frame, layer, me, layer.facts, i);
    }
  }

  private error(frame: Frame, me: Direction): void {
    // The error comes back to the sender of what it quotes.
    this.push({ ...EMPTY, kind: 'error', ...timeOf(frame), low: !me.low, flags: 'ICMP', notes: [safeText(frame.info)], tone: 'resets' });
  }

  private segment(frame: Frame, tcp: Tcp, me: Direction, facts: Facts.TcpFacts, index: number): void {
    const { bytes: b, start } = tcp;
    const flags = b[start + 13]!;
    const { verdict, marks } = facts;
    const length = Math.max(0, facts.length);
    // The SYN takes a number of its own, before its data.
    const from = (facts.sequence + (flags & SYN && length > 0 ? 1 : 0)) >>> 0;
    const messages = frame.layers.slice(index + 1).filter((layer) => !(layer instanceof Data));
    const notes: string[] = [];
    const { hasTime } = frame;
    let tone: Tone | undefined;
    if (marks & Facts.REUSED_PORTS) notes.push(flags & ACK ? 'its numbers begin elsewhere than before' : 'ports used again');
    if (flags & SYN) {
      tone = 'opens';
      if (verdict?.repeat === undefined)
        notes.push(flags & ACK ? 'accepts' : me.conversation.simultaneousOpen ? 'opens too, at once' : 'opens');
    }
    let evidence = '';
    const noRoom = (marks & Facts.ZERO_WINDOW) !== 0 && !me.peer.finAcked;
    if (noRoom) notes.push(this.hadNoRoom.has(me) ? STILL_NO_ROOM : 'no room left');
    const repeat = verdict?.repeat;
    if (repeat !== undefined) {
      notes.push(repeatNote(repeat, hasTime));
      if (
        repeat.kind === 'fast' ||
        repeat.kind === 'sack' ||
        repeat.kind === 'spurious' ||
        (repeat.kind === 'timeout' && repeat.timeout === 0 && hasTime)
      )
        evidence = repeat.evidence;
      tone =
        repeat.kind === 'duplicate-capture' ? 'name' : repeat.kind === 'keep-alive' || repeat.kind === 'window-probe' ? 'note' : 'trouble';
      this.lose(repeat);
    }
    if (verdict !== undefined) {
      if (verdict.late !== undefined) {
        notes.push(`out of order: ${hasTime ? `${durationText(verdict.late)} ` : ''}after #${verdict.overtakenBy}`);
        evidence = verdict.lateEvidence ?? '';
        tone = 'trouble';
      }
      if (verdict.missing !== undefined) {
        notes.push(`${counted(verdict.missing, 'octet')} before it not seen yet`);
        tone = 'trouble';
      }
      if (verdict.duplicateAck !== undefined) notes.push(`duplicate ACK ${verdict.duplicateAck} of #${verdict.duplicateOf}`);
      if (verdict.needless !== undefined) {
        notes.push(`#${verdict.needless} was sent in vain`);
        evidence = verdict.needlessEvidence ?? '';
        this.arrived(verdict.needless);
      }
    }
    const established = !this.established && me.conversation.handshakeDone;
    if (established) {
      this.established = true;
      notes.push(hasTime ? `established in ${durationText(me.conversation.handshake)}` : 'established');
      tone ??= 'opens';
    }
    const conflict = tcp.assembly?.conflict;
    if (conflict !== undefined) {
      // That it repeats something matters less than that it does not say the same.
      notes.length = 0;
      notes.push(`other octets than before: ${quoted(conflict.first)} became ${quoted(conflict.last)}`);
      evidence = '';
      tone = 'trouble';
    }
    if (noRoom) this.hadNoRoom.add(me);
    else if (facts.length >= 0 && (flags & RST) === 0 && u16(b, start + 14) > 0 && this.hadNoRoom.delete(me)) {
      // To who has closed since, room is nothing to wait for.
      if (me.stalled > 0) notes.push(`room again, after ${durationText(me.stalled)} in all`);
    } else if (marks & Facts.WINDOW_UPDATE) notes.push(WINDOW_UPDATE);
    if (marks & Facts.WINDOW_FULL && length > 0) notes.push('fills the window');
    if ((noRoom && notes[0] !== STILL_NO_ROOM) || marks & Facts.WINDOW_FULL) tone ??= 'trouble';
    if (marks & Facts.KEEP_ALIVE_ACK) notes.push('still there');
    if (marks & Facts.ZERO_WINDOW_PROBE_ACK) notes.push('answers the probe');
    if (flags & FIN && me.finFrame === frame.number) {
      const peer = me.peer;
      notes.push(
        peer.finFrame === 0
          ? `${SENDER} closes first`
          : me.conversation.simultaneousClose
            ? `${SENDER} closes at the same time`
            : `${SENDER} closes too`,
      );
    }
    if (flags & FIN) tone ??= 'closes';
    if (flags & RST) {
      tone = 'resets';
      notes.push(verdict?.note ?? 'reset');
    } else if (length > 0 && me.peer.finFrame !== 0 && me.finFrame === 0 && !this.halfClosed) {
      this.halfClosed = true;
      notes.push(`half closed: ${SENDER} still sends`);
    }
    const acked = flags & ACK && !(flags & (SYN | RST)) && me.peer.finAcked && !this.finAcked.has(me.peer);
    if (acked) {
      this.finAcked.add(me.peer);
      const done = me.finAcked && me.peer.finAcked;
      if (done) notes.push('closed');
      else if ((flags & FIN) === 0) notes.push('knows of the close');
      tone ??= 'closes';
    }
    if (frame.remark !== undefined && messages.length > 0) notes.push(safeText(frame.remark.replace(/^ · /, '')));
    const duplicateAck = verdict?.duplicateAck !== undefined && length === 0 && notes.length === 1;
    const unremarkable =
      notes.length === 0 ||
      (notes.length === 1 && USUAL.has(notes[0]!)) ||
      (notes.length === 1 && frame.remark !== undefined && messages.length > 0);
    const step: Step = {
      kind: 'segment',
      ...timeOf(frame),
      low: me.low,
      flags: flagNames(flags, length),
      from,
      to: (from + length) >>> 0,
      length,
      ack: flags & ACK ? facts.acknowledgment >>> 0 : -1,
      acks: facts.acksFrame,
      window: windowOf(b, start, flags, facts.scale),
      options: optionText(b, start, tcp.captured, flags, facts.acknowledgment | 0, me),
      message: messageOf(messages),
      messages: messages.length,
      notes,
      evidence,
      tone: duplicateAck ? 'name' : tone,
      again: repeat !== undefined && repeat.kind !== 'keep-alive' && repeat.kind !== 'window-probe',
      plain: (unremarkable || duplicateAck) && (tone === undefined || duplicateAck),
      duplicateAck,
      lost: false,
    };
    this.push(step);
    if (length > 0 || flags & (SYN | FIN)) this.byFrame.set(frame.number, step);
  }

  /** Sides that said that they had no room left. */
  private readonly hadNoRoom = new Set<Direction>();
  private readonly finAcked = new Set<Direction>();
  private halfClosed = false;

  private push(step: Step): void {
    this.steps.push(step);
    if (this.steps.length <= REMEMBERED || this.all) return;
    // The older half will hardly change any more.
    const half = REMEMBERED / 2;
    this.steps = [...folded(this.steps.slice(0, half)), ...this.steps.slice(half)];
    for (const frame of this.byFrame.keys()) if (frame < step.frame - half) this.byFrame.delete(frame);
  }

  /** A segment is sent again: the one before it was lost, as far as is known by now. */
  private lose({ kind, of }: NonNullable<Facts.TcpVerdict['repeat']>): void {
    if (kind === 'spurious' || kind === 'keep-alive' || kind === 'window-probe' || kind === 'duplicate-capture') return;
    const step = this.byFrame.get(of);
    if (step === undefined) return;
    step.lost = true;
    step.plain = false;
  }

  /** The repeat in `frame` was not needed, so what it repeats had arrived. */
  private arrived(frame: number): void {
    const repeat = this.byFrame.get(frame);
    if (repeat === undefined) return;
    for (const step of this.byFrame.values()) if (step.lost && step.from === repeat.from && step.low === repeat.low) step.lost = false;
  }

  /** True when the client is the endpoint that compares lower. */
  get clientIsLow(): boolean {
    return this.conversation?.client.low ?? true;
  }

  /** What is to be drawn, in order. */
  drawn(): readonly (Step | Fold)[] {
    return this.all ? this.steps : folded(this.steps);
  }
}

/** What is said of a window that changes while it has room; a receiver that keeps up says it all the time. */
const WINDOW_UPDATE = 'window update';
const STILL_NO_ROOM = 'still no room';
/** Remarks that do not keep a segment from being folded. */
const USUAL: ReadonlySet<string> = new Set([WINDOW_UPDATE, STILL_NO_ROOM]);

/** Stands for the name of the side until it is known which one it is. */
export const SENDER = '\u0001';

const EMPTY = {
  flags: '',
  from: 0,
  to: 0,
  length: 0,
  ack: -1,
  acks: 0,
  window: -1,
  options: '',
  message: '',
  messages: 0,
  notes: [],
  evidence: '',
  tone: undefined,
  again: false,
  plain: false,
  duplicateAck: false,
  lost: false,
} as const;

/** A request or a response of HTTP, in whatever version. */
const isExchanged = (layer: Layer): boolean => layer instanceof Http || (layer instanceof Http2 && layer.says !== '');

/** The message that tells most of what stands in a segment: what HTTP asks or answers, else the first of the innermost protocol. */
function messageOf(layers: readonly Layer[]): string {
  const top = layers.at(-1);
  if (top === undefined) return '';
  const exchanged = top instanceof Dns ? undefined : layers.find(isExchanged);
  const told = exchanged ?? layers.find((layer) => layer.protocol === top.protocol)!;
  const out = new TextBuffer(256);
  told.line(out);
  return `${told.shortName} ${cut(out.toString(), MESSAGE, true)}`;
}

/** The beginning of octets as text. */
const quoted = (octets: Uint8Array): string => JSON.stringify(safeText(new TextDecoder('latin1').decode(octets.subarray(0, QUOTED))));
/** Octets that are quoted. */
const QUOTED = 12;

const timeOf = (frame: Frame) => ({ frame: frame.number, seconds: frame.seconds, nanoseconds: frame.nanoseconds });

function repeatNote({ kind, of, after, timeout }: NonNullable<Facts.TcpVerdict['repeat']>, hasTime: boolean): string {
  const waited = hasTime ? `, waited ${durationText(after)}` : '';
  const later = hasTime ? ` after ${durationText(after)}` : '';
  const what = of === 0 ? '' : ` of #${of}`;
  switch (kind) {
    case 'syn':
      return `again${what}, try ${timeout + 1}${waited}`;
    case 'timeout':
      return timeout > 0 ? `retransmission ${timeout}${what}${waited}` : `retransmission${what}${later}`;
    case 'fast':
      return `fast retransmission${what}${later}`;
    case 'sack':
      return `retransmission${what}${later}`;
    case 'tlp':
      return `tail loss probe${what}${later}`;
    case 'spurious':
      return `needless retransmission${what}`;
    case 'keep-alive':
      return `keep-alive${later}`;
    case 'window-probe':
      return `asks for room${later}`;
    case 'duplicate-capture':
      return `the same packet as #${of}, captured twice`;
  }
}

/** ACK is named only where there is nothing else: the number that it goes with says as much. */
function flagNames(flags: number, length: number): string {
  const names: string[] = [];
  if (flags & SYN) names.push('SYN');
  if (flags & FIN) names.push('FIN');
  if (flags & RST) names.push('RST');
  if (flags & PSH) names.push('PSH');
  if (flags & URG) names.push('URG');
  if (flags & ACK && ((names.length === 0 && length === 0) || flags & SYN)) names.push('ACK');
  return names.join(' ');
}

const windowOf = (b: Uint8Array, start: number, flags: number, scale: number): number => {
  const window = u16(b, start + 14);
  return flags & SYN || scale < 0 ? window : window * 2 ** scale;
};

/** Of a SYN what it offers, of an ACK what else arrived. Each step goes past an option or ends. */
function optionText(b: Uint8Array, start: number, captured: number, flags: number, ack: number, me: Direction): string {
  const end = start + (b[start + 12]! >> 4) * 4;
  const stop = Math.min(end, captured);
  const parts: string[] = [];
  for (let at = start + 20; at < stop; ) {
    const kind = b[at]!;
    if (kind === 0) break;
    if (kind === 1) {
      at++;
      continue;
    }
    // What the capture cut ends where it was cut; of a list of blocks each is good by itself.
    const length = at + 1 >= stop || at + b[at + 1]! > end ? 0 : Math.min(b[at + 1]!, stop - at);
    if (length < 2) break;
    if (kind === SACK) {
      const base = me.peer.base;
      const duplicate = isDsack(b, at, length, (ack + base) | 0);
      for (let block = at + 2; block + 8 <= at + length; block += 8) {
        const name = duplicate && block === at + 2 ? 'dsack' : 'sack';
        parts.push(`${name} ${(u32(b, block) - base) >>> 0}..${(u32(b, block + 4) - base) >>> 0}`);
      }
    } else if (flags & SYN) {
      if (kind === MSS && length === 4) parts.push(`mss ${u16(b, at + 2)}`);
      else if (kind === SACK_PERMITTED) parts.push('sack');
      else if (kind === WINDOW_SCALE && length === 3) parts.push(`scale ${b[at + 2]}`);
      else if (kind === MPTCP && length > 2) parts.push(b[at + 2]! >> 4 === MPTCP_JOIN ? 'mptcp join' : 'mptcp');
      else if (kind === FAST_OPEN) parts.push(length > 2 ? 'fast open' : 'asks for fast open');
    }
    at += length;
  }
  return parts.join(' ');
}

/** Put the middle of long plain stretches into folds. */
function folded(steps: readonly (Step | Fold)[]): (Step | Fold)[] {
  const result: (Step | Fold)[] = [];
  let at = 0;
  while (at < steps.length) {
    let end = at;
    while (end < steps.length && isPlain(steps[end]!)) end++;
    const hasFold = steps.slice(at, end).some((step) => step.kind === 'fold');
    if (end - at >= FOLD_FROM || hasFold) {
      const head = steps[at]!.kind === 'fold' ? 0 : FOLD_HEAD;
      const to = Math.max(at + head, end - FOLD_TAIL);
      result.push(...steps.slice(at, at + head));
      const middle = steps.slice(at + head, to);
      if (middle.length > 0) result.push(foldOf(middle));
      result.push(...steps.slice(to, end));
    } else result.push(...steps.slice(at, end));
    if (end < steps.length) result.push(steps[end]!);
    at = end + 1;
  }
  return result;
}

const isPlain = (step: Step | Fold): boolean => step.kind === 'fold' || step.plain;

function foldOf(steps: readonly (Step | Fold)[]): Fold {
  const { seconds, nanoseconds } = steps[0]!;
  const fold: Fold = {
    kind: 'fold',
    segments: 0,
    lowOctets: 0,
    highOctets: 0,
    messages: 0,
    duplicateAcks: 0,
    seconds,
    nanoseconds,
    lastSeconds: seconds,
    lastNanoseconds: nanoseconds,
  };
  for (const step of steps) {
    if (step.kind === 'fold') {
      fold.segments += step.segments;
      fold.lowOctets += step.lowOctets;
      fold.highOctets += step.highOctets;
      fold.messages += step.messages;
      fold.duplicateAcks += step.duplicateAcks;
      fold.lastSeconds = step.lastSeconds;
      fold.lastNanoseconds = step.lastNanoseconds;
      continue;
    }
    fold.segments++;
    if (step.low) fold.lowOctets += step.length;
    else fold.highOctets += step.length;
    fold.messages += step.messages;
    if (step.duplicateAck) fold.duplicateAcks++;
    fold.lastSeconds = step.seconds;
    fold.lastNanoseconds = step.nanoseconds;
  }
  return fold;
}
