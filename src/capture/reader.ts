/** What the readers of files have in common: problems, the end, and letting go. */
import type { Chunks } from './chunks.js';
import type { CaptureInterface, CaptureProblem, CaptureReader, CaptureRecord, InterfaceStatistics, NameRecord, Secrets } from './source.js';

/** A reader that parses in {@link Chunks}. A subclass parses what is held and says what it needs next. */
export abstract class ReaderBase implements CaptureReader {
  abstract readonly format: string;
  problems: CaptureProblem[] = [];
  interfaces: CaptureInterface[] = [];
  secrets: Secrets[] = [];
  names: NameRecord[] = [];
  statistics: InterfaceStatistics[] = [];
  /** Octets from the chunks' position on without which nothing more can be read. */
  protected need = 1;
  private finished = false;

  constructor(
    protected readonly chunks: Chunks,
    protected readonly label: string,
  ) {}

  abstract next(record: CaptureRecord): boolean;

  /** What is being read, for messages: `record 17`. */
  protected abstract what(): string;

  async fill(): Promise<boolean> {
    if (this.finished) return false;
    if (await this.chunks.more(this.need)) return true;
    if (this.finished) return false;
    this.finished = true;
    const { chunks } = this;
    const problem = chunks.source.problem;
    const held = chunks.end - chunks.position;
    if (problem) {
      this.problems.push({ code: problem.code, message: `${this.label}: ${problem.message}`, offset: chunks.base + chunks.end });
    } else if (held > 0) {
      const message = `${this.label}: ends in the middle of ${this.what()} at octet ${chunks.offset}: ${held} octets of ${this.need} are there`;
      this.problems.push({ code: 'cut-short', message, offset: chunks.offset });
    }
    return false;
  }

  /** Stop here: what follows cannot be true. Returns false, for `return this.damaged(...)` in `next`. */
  protected damaged(message: string): false {
    if (!this.finished) {
      this.finished = true;
      this.problems.push({ code: 'damaged', message: `${this.label}: ${message}`, offset: this.chunks.offset });
    }
    return false;
  }

  /** Goes on where another reader ended: what it found and what this one finds stand in the same lists. */
  follow(before: ReaderBase): void {
    before.interfaces.push(...this.interfaces);
    this.problems = before.problems;
    this.interfaces = before.interfaces;
    this.secrets = before.secrets;
    this.names = before.names;
    this.statistics = before.statistics;
  }

  holdIn(octets: Uint8Array): void {
    if (!this.finished) this.chunks.moveTo(octets);
  }

  async close(): Promise<void> {
    this.finished = true;
    await this.chunks.source.close();
    this.chunks.release();
  }
}
