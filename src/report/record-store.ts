/**
 * Records of conversations, packed into a few dozen octets each: a flood of SYNs or a scan makes hundreds of thousands
 * of conversations, and all of them belong into the table.
 */

import { Buffer } from 'node:buffer';
import type { ConversationRecord, EndpointRecord } from '../analysis/conversation-record.js';
import type { EndpointState, ResetCause } from '../analysis/tcp-endpoints.js';

/** Octets a page; a record lies in one page. */
const PAGE = 1 << 20;
/** More than a record takes. */
const ROOM = 2048;
/** Characters of a text that stands in its record. */
const LONGEST = 200;
/** Texts that are kept once, by number; further ones stand in their record. */
const POOLED = 4096;

const STATES: readonly EndpointState[] = [
  'CLOSED',
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
];
const CAUSES: readonly ResetCause[] = ['a SYN', 'data', 'a FIN', 'an ACK', 'nothing seen'];
const SIDES = [undefined, 'client', 'server', 'both'] as const;

/** Keeps records in the order in which they came. */
export class RecordStore {
  length = 0;
  private readonly pages: Buffer[] = [];
  private page = Buffer.alloc(0);
  private at = 0;
  private places = new Float64Array(256);
  private readonly pool: string[] = [];
  private readonly pooled = new Map<string, number>();

  add(record: ConversationRecord): void {
    if (this.page.length - this.at < ROOM) {
      // A small run takes little room, a large one grows by whole pages.
      this.page = Buffer.allocUnsafeSlow(PAGE);
      this.pages.push(this.page);
      this.at = 0;
    }
    if (this.length === this.places.length) {
      const bigger = new Float64Array(2 * this.length);
      bigger.set(this.places);
      this.places = bigger;
    }
    this.places[this.length++] = (this.pages.length - 1) * PAGE + this.at;
    const { closedFirst, timeWait, reset, handshake } = record;
    this.number(record.number);
    const flags =
      (record.clientKnown ? 1 : 0) |
      (record.simultaneousOpen ? 2 : 0) |
      (record.simultaneousClose ? 4 : 0) |
      (record.halfClosed ? 8 : 0) |
      (record.begunBefore ? 16 : 0) |
      (record.over ? 32 : 0) |
      (handshake === undefined ? 0 : 64) |
      (reset === undefined ? 0 : 128) |
      (record.timed ? 0 : 256);
    this.number(flags);
    this.number(SIDES.indexOf(closedFirst) | (SIDES.indexOf(timeWait) << 2));
    this.number(record.startFrame);
    this.number(record.startSeconds);
    this.number(record.startNanoseconds);
    this.number(record.lastFrame - record.startFrame);
    this.number(record.duration);
    if (handshake !== undefined) {
      this.number(handshake);
      this.number(record.handshakeServer!);
      this.number(record.handshakeClient!);
    }
    if (reset !== undefined) {
      this.number((reset.by === 'client' ? 0 : 1) | (CAUSES.indexOf(reset.after) << 1));
      this.number(reset.frame);
      this.number(reset.answers);
    }
    this.text(record.opened);
    this.text(record.ended);
    this.endpoint(record.client);
    this.endpoint(record.server);
  }

  /** The record at a place in the order of {@link add}. */
  get(index: number): ConversationRecord {
    const place = this.places[index]!;
    const reader = new Reader(this.pages[Math.floor(place / PAGE)]!, place % PAGE, this.pool);
    const number = reader.number();
    const flags = reader.number();
    const sides = reader.number();
    const startFrame = reader.number();
    const startSeconds = reader.number();
    const startNanoseconds = reader.number();
    const lastFrame = startFrame + reader.number();
    const duration = reader.number();
    const whole = (flags & 64) !== 0;
    const handshake = whole ? reader.number() : undefined;
    const handshakeServer = whole ? reader.number() : undefined;
    const handshakeClient = whole ? reader.number() : undefined;
    let reset: ConversationRecord['reset'];
    if (flags & 128) {
      const how = reader.number();
      reset = { by: how & 1 ? 'server' : 'client', after: CAUSES[how >> 1]!, frame: reader.number(), answers: reader.number() };
    }
    const opened = reader.text();
    const ended = reader.text();
    const client = reader.endpoint(duration);
    const server = reader.endpoint(duration);
    return {
      number,
      client,
      server,
      clientKnown: (flags & 1) !== 0,
      startFrame,
      timed: (flags & 256) === 0,
      startSeconds,
      startNanoseconds,
      lastFrame,
      duration,
      handshake,
      handshakeServer,
      handshakeClient,
      simultaneousOpen: (flags & 2) !== 0,
      simultaneousClose: (flags & 4) !== 0,
      closedFirst: SIDES[sides & 3] as ConversationRecord['closedFirst'],
      timeWait: SIDES[sides >> 2],
      halfClosed: (flags & 8) !== 0,
      begunBefore: (flags & 16) !== 0,
      over: (flags & 32) !== 0,
      reset,
      opened,
      ended,
    };
  }

  private endpoint(side: EndpointRecord): void {
    this.text(side.address);
    this.number(side.port);
    this.number(STATES.indexOf(side.state));
    this.number(side.segments);
    const { rtt } = side;
    const rare = side.octets > 0 || side.retransmissions > 0 || side.reordered > 0 || side.missing > 0 || side.zeroWindows > 0;
    this.number((rare ? 1 : 0) | (rtt === undefined ? 0 : 2));
    if (rare) {
      this.number(side.octets);
      this.number(side.octets - side.fresh);
      this.number(side.retransmissions);
      this.number(side.needless);
      this.number(side.reordered);
      this.number(side.missing);
      this.number(side.zeroWindows);
      this.number(side.stalled);
    }
    if (rtt !== undefined) {
      this.number(rtt.minimum);
      this.number(rtt.median);
      this.number(rtt.maximum);
      this.number(rtt.count);
    }
  }

  /** Seven bits an octet, the low ones first; the sign is the lowest bit. */
  private number(n: number): void {
    const { page } = this;
    let rest = n < 0 ? -2 * n - 1 : 2 * n;
    while (rest > 127) {
      page[this.at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    page[this.at++] = rest;
  }

  private text(text: string): void {
    let number = this.pooled.get(text);
    if (number === undefined && this.pool.length < POOLED) {
      number = this.pool.push(text) - 1;
      this.pooled.set(text, number);
    }
    if (number !== undefined) return this.number(number + 1);
    this.number(0);
    const short = text.slice(0, LONGEST);
    this.number(Buffer.byteLength(short));
    this.at += this.page.write(short, this.at);
  }
}

/** Reads what {@link RecordStore.add} wrote. */
class Reader {
  constructor(
    private readonly page: Buffer,
    private at: number,
    private readonly pool: readonly string[],
  ) {}

  number(): number {
    let n = 0;
    let weight = 1;
    let octet: number;
    do {
      octet = this.page[this.at++]!;
      n += (octet & 127) * weight;
      weight *= 128;
    } while (octet > 127);
    return n % 2 === 1 ? -(n + 1) / 2 : n / 2;
  }

  text(): string {
    const number = this.number();
    if (number > 0) return this.pool[number - 1]!;
    const length = this.number();
    this.at += length;
    return this.page.toString('utf8', this.at - length, this.at);
  }

  endpoint(duration: number): EndpointRecord {
    const address = this.text();
    const port = this.number();
    const state = STATES[this.number()]!;
    const segments = this.number();
    const flags = this.number();
    const [octets, repeated, retransmissions, needless, reordered, missing, zeroWindows, stalled] = flags & 1 ? this.numbers(8) : [];
    const fresh = (octets ?? 0) - (repeated ?? 0);
    let rtt: EndpointRecord['rtt'];
    if (flags & 2) rtt = { minimum: this.number(), median: this.number(), maximum: this.number(), count: this.number() };
    return {
      address,
      port,
      state,
      segments,
      octets: octets ?? 0,
      fresh,
      goodput: duration > 0 ? Math.round((fresh / duration) * 1e9) : 0,
      retransmissions: retransmissions ?? 0,
      needless: needless ?? 0,
      reordered: reordered ?? 0,
      missing: missing ?? 0,
      zeroWindows: zeroWindows ?? 0,
      stalled: stalled ?? 0,
      rtt,
    };
  }

  private numbers(count: number): number[] {
    return Array.from({ length: count }, () => this.number());
  }
}
