/**
 * How two threads that read the same capture share the work: the frames of each TCP connection are put in order and shown
 * by one of them. Both follow every connection, so both come to the same decisions in the same order without a word
 * between them: a connection goes, when it begins, to the thread that had the fewer frames so far; what belongs to no
 * connection is the first one's.
 */
import type { CaptureRecord } from '../capture/source.js';
import type { Frame } from '../core/frame.js';
import type { Tcp } from '../dissectors/tcp.js';
import { TcpFacts } from '../dissectors/tcp-facts.js';
import { Conversations, type Direction } from './conversations.js';
import { NO_TCP, OTHER, readPlain } from './plain-road.js';
import { TcpAnalysis } from './tcp.js';
import { Segment } from './tcp-segment.js';

/** One thread's part in the frames of a capture. */
export class Share {
  readonly conversations = new Conversations();
  /** The frame carries segments of connections of both threads: neither can show it whole. */
  torn = false;
  private readonly analysis = new TcpAnalysis(this.conversations);
  private readonly segment = new Segment();
  /** Frames that each thread had to show. */
  private readonly shown = [0, 0];
  /** The thread of each conversation, by its number. */
  private owners = new Uint8Array(1024);
  private known = 0;
  /** The frame that was met last, and, where it is a plain segment, what was found out about it already. */
  private number = 0;
  private direction: Direction | undefined;
  private facts: TcpFacts | undefined;

  /** `half`: which of the two this thread is. */
  constructor(readonly half: 0 | 1) {}

  /** Has this thread anything to do with frame `number`? If not, all that there is to do was done. */
  wants(record: CaptureRecord, number: number): boolean {
    const { segment } = this;
    this.direction = undefined;
    const plain = readPlain(record, segment);
    if (plain === OTHER) return true;
    let owner = 0;
    if (plain !== NO_TCP) {
      segment.number = number;
      this.facts = new TcpFacts();
      this.direction = this.analysis.take(segment, this.facts);
      this.number = number;
      owner = this.ownerOf(this.direction);
    }
    if (owner === this.half) return true;
    this.shown[owner]!++;
    return false;
  }

  /** A segment in a frame that is dissected. */
  header(frame: Frame, tcp: Tcp, sized: boolean): void {
    const { direction } = this;
    if (direction !== undefined) {
      tcp.direction = direction;
      tcp.facts = this.facts;
      frame.half = this.ownerOf(direction);
      return;
    }
    this.analysis.header(frame, tcp, sized);
    if (frame.quoted > 0) return;
    const owner = this.ownerOf(tcp.direction as Direction);
    if (frame.number === this.number && owner !== frame.half) this.torn = true;
    this.number = frame.number;
    frame.half = owner;
  }

  /** Is this the thread that shows the frame? Asked once of each frame that it {@link wants}, when its layers are known. */
  takes(frame: Frame): boolean {
    this.shown[frame.half]!++;
    return frame.half === this.half;
  }

  private ownerOf({ conversation: { number } }: Direction): number {
    if (number >= this.known) this.begin(number);
    return this.owners[number]!;
  }

  private begin(number: number): void {
    if (number >= this.owners.length) {
      const more = new Uint8Array(2 * number);
      more.set(this.owners);
      this.owners = more;
    }
    // Numbers are given in order, so that there is one to begin as a rule.
    this.owners.fill(this.shown[1]! < this.shown[0]! ? 1 : 0, this.known, number + 1);
    this.known = number + 1;
  }
}
