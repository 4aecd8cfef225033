/**
 * The streams of a QUIC connection, each direction in order for what is spoken over them.
 *
 * RFC 9000 sections 2.1 (identifiers), 2.2 (octets come in any order, and twice), 4.5 (the end of a stream).
 */
import type { Frame } from '../core/frame.js';

/** Most streams of a connection that are followed; the oldest is forgotten for another. */
const MAX_STREAMS = 1024;
/** Most octets that wait in one direction of a stream, and most pieces: beyond that, what is missing was not captured. */
const MAX_WAITING = 4 << 20;
const MAX_PIECES = 4096;
/** Most octets that wait in all streams of all connections. */
const MAX_HELD = 64 << 20;

/** Who begins streams, and whether both sides send: the two lowest bits. */
const KINDS = 4;
export const isBidirectional = (id: number): boolean => (id & 2) === 0;

/** Reads one direction of a stream. */
export interface StreamReader {
  /** The next octets, of `frame`, which nobody changes afterwards; `final`: there are no more. */
  read(frame: Frame, octets: Uint8Array, final: boolean): void;
  /** So many octets are not in the capture. */
  hole(length: number): void;
  /** The sender gave it up (RESET_STREAM). */
  reset(frame: Frame, error: number): void;
}

export type StreamReaders = readonly [client: StreamReader | undefined, server: StreamReader | undefined];

export const NO_READERS: StreamReaders = [undefined, undefined];

/** What is spoken over a connection. */
export interface QuicApplication {
  /** Who reads the directions of a stream, the client's and the server's; undefined where nobody does. */
  readers(id: number): StreamReaders;
}

/** Octets that wait in all streams of a run. */
export class Held {
  octets = 0;
}

const NOTHING = new Uint8Array(0);

interface Piece {
  readonly offset: number;
  readonly octets: Uint8Array;
}

/** One direction of a stream. */
class Direction {
  /** Octets handed on so far. */
  private next = 0;
  /** By offset; each ends behind the one before it. */
  private waiting: Piece[] = [];
  private held = 0;
  /** Where the stream ends; Infinity while that is not known. */
  private end = Number.POSITIVE_INFINITY;
  private over = false;

  constructor(
    private readonly reader: StreamReader | undefined,
    private readonly all: Held,
  ) {}

  /** Octets at `offset` came; true when all of them had come before. */
  add(frame: Frame, offset: number, octets: Uint8Array, fin: boolean): boolean {
    const stop = offset + octets.length;
    if (fin && this.end === Number.POSITIVE_INFINITY) this.end = stop;
    if (this.over) return octets.length > 0;
    if (stop <= this.next && octets.length > 0) {
      if (this.next >= this.end) this.hand(frame, NOTHING);
      return true;
    }
    if (offset <= this.next && this.waiting.length === 0) {
      // As almost always.
      const fresh = octets.subarray(this.next - offset);
      this.next = stop;
      this.hand(frame, fresh);
      return false;
    }
    const again = this.wait(offset, octets);
    this.drain(frame);
    if (this.held > MAX_WAITING || this.waiting.length > MAX_PIECES || this.all.octets > MAX_HELD) {
      const [first] = this.waiting;
      if (first !== undefined) {
        this.reader?.hole(first.offset - this.next);
        this.next = first.offset;
        this.drain(frame);
      }
    }
    return again;
  }

  /** Hand on what is in order now. */
  private drain(frame: Frame): void {
    const { waiting } = this;
    let count = 0;
    for (; count < waiting.length && waiting[count]!.offset <= this.next; count++) {
      const { offset, octets } = waiting[count]!;
      this.forget(octets.length);
      if (offset + octets.length <= this.next) continue;
      const fresh = octets.subarray(this.next - offset);
      this.next = offset + octets.length;
      this.hand(frame, fresh);
    }
    waiting.splice(0, count);
  }

  private hand(frame: Frame, octets: Uint8Array): void {
    const final = this.next >= this.end;
    if (octets.length > 0 || final) this.reader?.read(frame, octets, final);
    if (final) this.close();
  }

  private wait(offset: number, octets: Uint8Array): boolean {
    const { waiting } = this;
    let at = waiting.length;
    while (at > 0 && waiting[at - 1]!.offset > offset) at--;
    const before = waiting[at - 1];
    // What comes again does not wait twice.
    if (before !== undefined && before.offset + before.octets.length >= offset + octets.length) return true;
    let covered = at;
    while (covered < waiting.length && waiting[covered]!.offset + waiting[covered]!.octets.length <= offset + octets.length) covered++;
    for (const gone of waiting.splice(at, covered - at, { offset, octets })) this.forget(gone.octets.length);
    this.held += octets.length;
    this.all.octets += octets.length;
    return false;
  }

  private forget(octets: number): void {
    this.held -= octets;
    this.all.octets -= octets;
  }

  reset(frame: Frame, error: number): void {
    if (!this.over) this.reader?.reset(frame, error);
    this.close();
  }

  /** Nothing more is expected of it. */
  close(): void {
    this.over = true;
    this.forget(this.held);
    this.waiting = [];
  }
}

/** The streams of a connection. */
export class QuicStreams {
  /** By identifier: the client's direction and the server's. */
  private readonly streams = new Map<number, readonly [Direction, Direction]>();
  /** Of each kind, those up to this identifier are forgotten. */
  private readonly forgotten = new Array<number>(KINDS).fill(-1);

  constructor(private readonly all: Held) {}

  private direction(id: number, fromServer: boolean, application: QuicApplication | undefined): Direction | undefined {
    let stream = this.streams.get(id);
    if (stream === undefined) {
      if (id <= this.forgotten[id % KINDS]!) return undefined;
      if (this.streams.size >= MAX_STREAMS) this.drop(this.streams.keys().next().value!);
      const [client, server] = application?.readers(id) ?? NO_READERS;
      stream = [new Direction(client, this.all), new Direction(server, this.all)];
      this.streams.set(id, stream);
    }
    return stream[fromServer ? 1 : 0];
  }

  private drop(id: number): void {
    for (const direction of this.streams.get(id)!) direction.close();
    this.streams.delete(id);
    const kind = id % KINDS;
    this.forgotten[kind] = Math.max(this.forgotten[kind]!, id);
  }

  /** Octets of a stream; true when all of them had come before. */
  add(
    frame: Frame,
    id: number,
    fromServer: boolean,
    offset: number,
    octets: Uint8Array,
    fin: boolean,
    application: QuicApplication | undefined,
  ): boolean {
    return this.direction(id, fromServer, application)?.add(frame, offset, octets, fin) ?? false;
  }

  /** This side gave a stream up. */
  reset(frame: Frame, id: number, fromServer: boolean, error: number, application: QuicApplication | undefined): void {
    this.direction(id, fromServer, application)?.reset(frame, error);
  }

  /** The connection is forgotten. */
  close(): void {
    for (const directions of this.streams.values()) for (const direction of directions) direction.close();
    this.streams.clear();
  }
}
