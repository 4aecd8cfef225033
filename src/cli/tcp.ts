/** `netlens tcp`: the TCP conversations of captures or of an interface, as a table or one of them as a ladder. */
import { setFlagsFromString } from 'node:v8';
import { Command, Option } from 'commander';
import { type ConversationRecord, recordOf } from '../analysis/conversation-record.js';
import { CONVERSATION_LIMITS, Conversations } from '../analysis/conversations.js';
import type { LiveSource } from '../capture/live.js';
import { openCaptures } from '../capture/open.js';
import type { PacketFilter } from '../capture/packet-filter.js';
import type { CaptureReader, CaptureRecord } from '../capture/source.js';
import { NetlensError } from '../core/errors.js';
import { FrameCount } from '../core/frame-count.js';
import { followConversations } from '../follow-conversations.js';
import {
  CONVERSATION_ORDERS,
  type ConversationOrder,
  ConversationTable,
  Coverage,
  conversationJson,
  sortedPlaces,
} from '../report/conversations.js';
import { folded } from '../report/coverage.js';
import { countText } from '../report/quantities.js';
import { RecordStore } from '../report/record-store.js';
import { CUT_SHORT, droppedByKernel, ETHERNET } from './limits.js';
import { gather, seconds, wholeNumber } from './options.js';
import { Sink } from './sink.js';
import type { TcpLook } from './tcp-look.js';
import { type ColourChoice, isTerminal, isUnicodeLocale, say, terminalWidth, themeFor } from './terminal.js';

/** Conversations that are listed; of a capture that never ends the later ones are only counted. */
const LISTED = 2_000_000;
/** SYNs without answer that are waited for; the older ones' rows are final, which takes less room. */
const SHELVED = 100_000;
/** Rows whose cells say how wide the columns are, before the first is written. */
const LOOK = 2000;

export interface TcpOptions {
  readonly interface?: string;
  readonly filter?: string;
  readonly displayFilter?: string;
  readonly stream?: number;
  readonly all?: boolean;
  readonly sort: ConversationOrder;
  readonly top?: number;
  readonly json?: boolean;
  readonly interval?: number;
  readonly duration?: number;
  readonly decodeAs?: readonly string[];
  readonly user?: string;
  readonly color: ColourChoice;
}

/** From so many conversations on, memory matters more than the last fifth of speed. */
const MANY = 2000;

/** Collect garbage in small steps: the conversations of a flood outlive the nursery, which would grow, and soon are garbage. */
function stayLean(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=30');
}

/** A conversation's number, from 0. */
export function streamNumber(text: string): number {
  if (!/^\d+$/.test(text))
    throw new NetlensError(
      'usage',
      `--stream ${text}: the number of a conversation expected, as the first column of \`netlens tcp\` has it`,
    );
  return Number(text);
}

export function tcpCommand(): Command {
  return new Command('tcp')
    .description('list TCP conversations: times, sizes, losses, and how each opened and ended; or draw one as a ladder')
    .argument('[files...]', 'captures; - is standard input')
    .option('-i, --interface <name>', 'capture from an interface instead; the table comes with Ctrl-C')
    .option('--interval <time>', 'with -i: the table every so often: 2, 500ms', seconds)
    .option('-a, --duration <time>', 'with -i: stop after this time: 10, 2m', seconds)
    .option('-f, --filter <expr>', "only packets that match a capture filter: 'tcp port 6379'")
    .option('-Y, --display-filter <expr>', 'only conversations with a frame that matches a display filter')
    .option('--stream <n>', 'draw this conversation as a ladder', streamNumber)
    .option('--all', 'with --stream: every segment, nothing folded')
    .addOption(new Option('--sort <by>', 'the order of the table').choices(CONVERSATION_ORDERS).default('number'))
    .option('--top <n>', 'only the first n of that order', wholeNumber)
    .option('--json', 'one JSON object a conversation')
    .option('-d, --decode-as <rule>', "with --stream: dissect as, e.g. 'tcp.port==7777,resp'; repeat for more", gather)
    .option('--user <name>', 'with -i: the user to become once the interface is open')
    .addOption(new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'))
    .action(async (files: string[], options: TcpOptions) => {
      if (options.interface === undefined && files.length === 0)
        throw new NetlensError('usage', 'which captures? Name files, or an interface with -i');
      if (options.interface !== undefined && files.length > 0)
        throw new NetlensError('usage', `files or an interface (-i ${options.interface}), not both`);
      await listConversations(files, options, new Sink());
    });
}

/** Read to the end, and write the table or the ladder. */
export const listConversations = (files: readonly string[], options: TcpOptions, sink: Sink): Promise<void> =>
  new Run(options, sink).go(files);

/** One run of the command. */
class Run {
  private readonly conversations = new Conversations({ ...CONVERSATION_LIMITS, unanswered: 64, shelved: SHELVED });
  private readonly over = new RecordStore();
  /** Over, but more than are listed. */
  private unlisted = 0;
  private frames = new FrameCount();
  /** Frames that were captured in part. */
  private cut = 0;
  /** Some frame has a time. */
  private timed = false;
  /** Looks at dissected frames, where octets alone do not answer what was asked. */
  private look: TcpLook | undefined;

  constructor(
    private readonly options: TcpOptions,
    private readonly sink: Sink,
  ) {
    this.conversations.ended = (conversation) => this.ended(() => recordOf(conversation, { timed: this.timed }), conversation.number);
    this.sink.out.asciiOnly = !isUnicodeLocale();
  }

  private wanted(number: number): boolean {
    if (this.options.stream !== undefined) return number === this.options.stream;
    return this.look?.chosen?.has(number) ?? true;
  }

  private ended(record: () => ConversationRecord, number: number): void {
    if (!this.wanted(number)) return;
    if (this.over.length < LISTED) this.over.add(record());
    else this.unlisted++;
  }

  async go(files: readonly string[]): Promise<void> {
    const { options, conversations } = this;
    const { stream, displayFilter, json, decodeAs } = options;
    if (displayFilter !== undefined || decodeAs !== undefined || (stream !== undefined && !json)) {
      const { TcpLook } = await import('./tcp-look.js');
      this.look = new TcpLook(options, conversations, this.sink);
      this.frames = this.look.frames;
    }
    const live = options.interface === undefined ? undefined : await this.openLive(options.interface);
    const reader: CaptureReader = live ?? (await openCaptures(files));
    const packets = options.filter === undefined || live !== undefined ? undefined : await this.packetFilter(options.filter, reader);
    const wanted = (record: CaptureRecord) => {
      if (record.hasTime) this.timed = true;
      if (packets !== undefined && !packets.test(record)) return false;
      if (record.captured - record.start < record.wireLength) this.cut++;
      return true;
    };
    const stop = live === undefined ? undefined : this.watch(live);
    let faults: number;
    try {
      faults =
        this.look === undefined
          ? await followConversations(reader, conversations, { wanted, frames: this.frames, many: { from: MANY, call: stayLean } })
          : await this.look.read(reader, wanted);
    } finally {
      stop?.();
      await reader.close();
    }
    const ladder = this.look?.ladder;
    if (ladder === undefined) await this.showTable(reader);
    else {
      const record = this.recordOfLadder(ladder.stream);
      if (record === undefined) throw this.noSuch();
      await this.look!.showLadder(ladder, record);
    }
    if (faults > 0) say(`${faults} frames could not be dissected whole because of an error in netlens; please report it with the capture`);
    if (packets?.remark !== undefined) say(packets.remark);
    for (const problem of reader.problems) {
      say(`${problem.message} (${this.frames.count} whole frames before it)`);
      process.exitCode = CUT_SHORT;
    }
  }

  private async packetFilter(expression: string, reader: CaptureReader): Promise<PacketFilter> {
    const { PacketFilter } = await import('../capture/packet-filter.js');
    return PacketFilter.create(expression, reader.interfaces[0]?.linkType ?? ETHERNET);
  }

  private async openLive(device: string): Promise<LiveSource> {
    const { openLive } = await import('../capture/live.js');
    const { dropPrivileges } = await import('../capture/privileges.js');
    const source = await openLive(device, { ...(this.options.filter !== undefined && { filter: this.options.filter }) });
    dropPrivileges(this.options.user);
    for (const warning of source.warnings) say(warning);
    return source;
  }

  /** Ends on Ctrl-C, SIGTERM and time; shows the table in between. Returns what takes the watch away. */
  private watch(source: LiveSource): () => void {
    const { interval, duration } = this.options;
    let asked = false;
    const stop = () => {
      if (asked) process.exit(130);
      asked = true;
      source.stop();
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
    let drawing = false;
    const refresh = async () => {
      if (drawing || this.sink.closed || asked) return;
      drawing = true;
      if (isTerminal()) this.sink.out.ascii('\u001b[H\u001b[2J');
      await this.showTable(source);
      if (!isTerminal() && !this.options.json) this.sink.line('');
      await this.sink.flush();
      drawing = false;
    };
    const timer = interval === undefined ? undefined : setInterval(() => void refresh(), interval * 1000);
    const end = duration === undefined ? undefined : setTimeout(() => source.stop(), duration * 1000);
    return () => {
      clearInterval(timer);
      clearTimeout(end);
      process.off('SIGINT', stop).off('SIGTERM', stop);
    };
  }

  /** The conversations that are over and those that are not. */
  private async showTable(reader: CaptureReader): Promise<void> {
    const { over, sink, frames, options, unlisted } = this;
    const running = new RecordStore();
    for (const conversation of this.conversations)
      if (this.wanted(conversation.number)) running.add(recordOf(conversation, { timed: this.timed }));
    if (options.stream !== undefined && over.length + running.length === 0) throw this.noSuch();
    const records = {
      length: over.length + running.length,
      get: (i: number) => (i < over.length ? over.get(i) : running.get(i - over.length)),
    };
    const coverage = new Coverage();
    for (let i = 0; i < records.length; i++) coverage.add(records.get(i));
    let places = sortedPlaces(records, options.sort);
    if (options.top !== undefined) places = places.subarray(0, options.top);
    if (options.json)
      for (const place of places) {
        sink.record(conversationJson(records.get(place)));
        if (sink.full) await sink.flush();
      }
    else if (places.length > 0) {
      const table = new ConversationTable({
        width: terminalWidth(),
        theme: themeFor(options.color),
        unicode: isUnicodeLocale(),
        startSeconds: frames.firstSeconds,
        startNanoseconds: frames.firstNanoseconds,
      });
      for (const place of places.subarray(0, LOOK)) table.measure(records.get(place));
      sink.unicodeLine(table.head());
      for (const place of places) {
        sink.unicodeLine(table.row(records.get(place)));
        if (sink.full) await sink.flush();
        if (sink.closed) return;
      }
    }
    const losses = { cut: this.cut, dropped: droppedByKernel(reader), unlisted };
    if (options.json) sink.record(coverage.json(losses));
    else sink.unicodeLine(folded(coverage.text(losses), terminalWidth()));
    await sink.end();
  }

  /** The conversation that a ladder shows, which may be over. */
  private recordOfLadder(stream: number): ConversationRecord | undefined {
    const { over } = this;
    let record = over.length > 0 ? over.get(over.length - 1) : undefined;
    for (const conversation of this.conversations)
      if (conversation.number === stream) record = recordOf(conversation, { timed: this.timed });
    return record;
  }

  private noSuch(): NetlensError {
    const { count } = this.conversations;
    const there =
      count === 0 ? 'no TCP conversation' : count === 1 ? 'one, number 0' : `${countText(count)}, numbered from 0 to ${count - 1}`;
    return new NetlensError('usage', `--stream ${this.options.stream}: no such conversation; the capture has ${there}`);
  }
}
