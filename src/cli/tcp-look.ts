/** What `netlens tcp` finds only in dissected frames: a ladder, and the conversations that a display filter chooses. */
import type { ConversationRecord } from '../analysis/conversation-record.js';
import { type Conversations, type Direction, directionOf } from '../analysis/conversations.js';
import type { CaptureReader, CaptureRecord } from '../capture/source.js';
import type { Frame } from '../core/frame.js';
import type { FrameCount } from '../core/frame-count.js';
import type { Session } from '../core/session.js';
import { Tcp } from '../dissectors/tcp.js';
import { compileDisplayFilter } from '../filter/index.js';
import { createSession } from '../frames.js';
import type { Side, StreamSink } from '../reassembly/stream-options.js';
import { Ladder } from '../report/ladder.js';
import { drawLadder } from '../report/ladder-drawing.js';
import { decodeRules } from './options.js';
import type { Sink } from './sink.js';
import type { TcpOptions } from './tcp.js';
import { isUnicodeLocale, terminalWidth, themeFor } from './terminal.js';
import { showFrames, type Tally } from './view.js';

/** Columns of a ladder that goes to no terminal. */
const LADDER_WIDTH = 120;

/** Nobody takes the octets; that somebody listens makes conflicts known also with octets that were handed on long ago. */
const LISTENER: StreamSink = { octets: () => {}, hole: () => {}, conflict: () => {} };

/** Looks at every frame of a run. */
export class TcpLook {
  /** Conversations of which the display filter selected a frame; undefined without one. */
  readonly chosen: Chosen | undefined;
  readonly ladder: Ladder | undefined;
  private readonly display: ((frame: Frame) => boolean) | undefined;
  private readonly session: Session;

  constructor(
    private readonly options: TcpOptions,
    conversations: Conversations,
    private readonly sink: Sink,
  ) {
    const display = options.displayFilter === undefined ? undefined : compileDisplayFilter(options.displayFilter);
    this.display = display?.test;
    this.chosen = display && new Chosen();
    this.ladder = options.stream === undefined || options.json ? undefined : new Ladder(options.stream, options.all ?? false);
    this.session = createSession({
      conversations,
      streams: this.ladder !== undefined || (display?.needsStreams ?? false),
      decodeAs: decodeRules(options.decodeAs),
      ...(this.ladder !== undefined && {
        follow: (side: Side) => ((side as Direction).conversation.number === options.stream ? LISTENER : undefined),
      }),
    });
  }

  /** How many frames there were so far, and when. */
  get frames(): FrameCount {
    return this.session;
  }

  /** Read to the end; records that are not `wanted` are only counted. Returns how many frames could not be dissected because of an error of ours. */
  async read(reader: CaptureReader, wanted: ((record: CaptureRecord) => boolean) | undefined): Promise<number> {
    const { session, sink } = this;
    const tally: Tally = { seen: 0, selected: 0 };
    const look = (frame: Frame) => {
      this.see(frame);
      return false;
    };
    await showFrames(reader, session, undefined, sink, { packet: wanted, display: look }, false, tally);
    session.hooks.end?.();
    return session.faults;
  }

  private see(frame: Frame): void {
    const { display, chosen, ladder } = this;
    if (display !== undefined && !display(frame)) return;
    ladder?.see(frame);
    if (chosen !== undefined)
      for (const layer of frame.layers)
        if (layer instanceof Tcp) {
          const number = directionOf(layer)?.conversation.number;
          if (number !== undefined) chosen.add(number);
        }
  }

  async showLadder(ladder: Ladder, record: ConversationRecord): Promise<void> {
    const { sink, options } = this;
    const lines = drawLadder(ladder, record, {
      width: terminalWidth() || LADDER_WIDTH,
      theme: themeFor(options.color),
      unicode: isUnicodeLocale(),
    });
    for (const line of lines) {
      sink.unicodeLine(line);
      if (sink.full) await sink.flush();
    }
    await sink.end();
  }
}

/** Numbers of conversations that a frame was chosen of, a bit each. */
class Chosen {
  private bits = new Uint8Array(1024);

  add(number: number): void {
    const at = number >> 3;
    if (at >= this.bits.length) {
      const bigger = new Uint8Array(Math.max(at + 1, this.bits.length * 2));
      bigger.set(this.bits);
      this.bits = bigger;
    }
    this.bits[at]! |= 1 << (number & 7);
  }

  has(number: number): boolean {
    return ((this.bits[number >> 3] ?? 0) & (1 << (number & 7))) !== 0;
  }
}
