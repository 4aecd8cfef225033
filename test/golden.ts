/** What netlens prints for a capture, in each of its forms; what the golden files of fixtures/ hold. */
import { type ConversationRecord, recordOf } from '../src/analysis/conversation-record.js';
import { Conversations } from '../src/analysis/conversations.js';
import { DhcpKind } from '../src/cli/dhcp.js';
import { DnsKind } from '../src/cli/dns.js';
import { ExchangeLines } from '../src/cli/exchange-lines.js';
import { type ExchangeOptions, type ExchangeReport, runExchanges } from '../src/cli/exchanges.js';
import { HttpKind } from '../src/cli/http.js';
import { PingKind } from '../src/cli/ping.js';
import { RedisKind, SentinelKind } from '../src/cli/redis.js';
import type { Sink } from '../src/cli/sink.js';
import { StatsReport } from '../src/cli/stats.js';
import { listConversations } from '../src/cli/tcp.js';
import { TlsKind } from '../src/cli/tls.js';
import { TextBuffer } from '../src/core/text.js';
import { open } from '../src/frames.js';
import { JsonWriter } from '../src/output/json.js';
import { LINE_DEFAULTS, LineWriter } from '../src/output/line.js';
import { PLAIN } from '../src/output/theme.js';
import { writeTree } from '../src/output/tree.js';
import { ConversationTable } from '../src/report/conversations.js';
import { Ladder } from '../src/report/ladder.js';
import { drawLadder } from '../src/report/ladder-drawing.js';
import { written } from './written.js';

export interface Golden {
  /** A line a frame. */
  readonly txt: string;
  /** All fields of each frame; of a long capture, of the frames that show something for the first time. */
  readonly tree: string;
  /** The same frames as JSON, an object a line. */
  readonly json: string;
  /** The table of TCP conversations and a ladder of each; empty when there is none. */
  readonly ladder: string;
  /** The tables of the commands that have something to say about its protocols, and its statistics. */
  readonly tables: string;
}

/** Frames that are shown with all their fields. Of a longer capture nobody would review as much again and again. */
const ALL_FRAMES = 60;

/** Columns of a ladder. */
const WIDTH = 120;

export async function printed(path: string): Promise<Golden> {
  const [txt, scratch] = [new TextBuffer(), new TextBuffer()];
  const details: Detail[] = [];
  const kinds = new Set<string>();
  const lines = new LineWriter(LINE_DEFAULTS);
  const writer = new JsonWriter();
  const conversations = new Conversations();
  const ladders = new Map<number, Ladder>();
  const over: ConversationRecord[] = [];
  conversations.ended = (conversation) => over.push(recordOf(conversation));
  let start: readonly [number, number] = [0, 0];
  const protocols = new Set<string>();
  for await (const frame of open(path, { conversations })) {
    start = [frame.session.firstSeconds, frame.session.firstNanoseconds];
    for (let number = 0; number < conversations.count; number++) {
      if (!ladders.has(number)) ladders.set(number, new Ladder(number, false));
      ladders.get(number)!.see(frame);
    }
    for (const { protocol } of frame.layers) protocols.add(protocol.name);
    lines.write(txt, frame);
    writeTree(scratch, frame);
    const tree = taken(scratch);
    const known = kinds.size;
    for (const line of tree.split('\n')) kinds.add(kindOf(line));
    writer.write(scratch, frame);
    details.push({ tree, json: taken(scratch), fresh: kinds.size > known });
    frame.session.shown(frame);
  }
  lines.release(txt);
  const records = [...over, ...[...conversations].map((conversation) => recordOf(conversation))].sort((a, b) => a.number - b.number);
  const ladder =
    records.length === 0
      ? ''
      : `${[...table(records, start), ...records.flatMap((record) => ['', ...drawn(ladders.get(record.number)!, record)])].join('\n')}\n`;
  const chosen = details.length <= ALL_FRAMES ? details : details.filter(({ fresh }) => fresh);
  return {
    txt: txt.toString(),
    tree: chosen.map(({ tree }) => tree).join(''),
    json: chosen.map(({ json }) => json).join(''),
    ladder,
    tables: await tables(path, protocols),
  };
}

/** A frame with all its fields, and whether a line of its tree is of a kind that no frame before had. */
interface Detail {
  readonly tree: string;
  readonly json: string;
  readonly fresh: boolean;
}

/** What a line of a tree shows: a field, with its value where that is one of a named few; or text, whatever its numbers. */
function kindOf(line: string): string {
  const [, text, field] = /^ *(.*) {2}([\w.]+)$/.exec(line) ?? [];
  if (text === undefined) return line.replace(/[0-9a-f]*\d[0-9a-f]*/gi, '0');
  return `${field} ${/: .+ \((?:0x[0-9a-f]+|\d+)\)$|: (?:not )?set$/.exec(text)?.[0] ?? ''}`;
}

/** The text of a buffer, which is empty afterwards. */
function taken(buffer: TextBuffer): string {
  const text = buffer.toString();
  buffer.clear();
  return text;
}

const EXCHANGES: ExchangeOptions = { sort: 'time', color: 'never' };

/** Commands by the protocol that they show; `all` is of every capture. */
const COMMANDS: Readonly<Record<string, (sink: Sink, options: ExchangeOptions) => ExchangeReport>> = {
  dns: (sink, options) => new ExchangeLines(new DnsKind(), options, sink),
  resp: (sink, options) => new ExchangeLines(new RedisKind(options), options, sink),
  http: (sink, options) => new ExchangeLines(new HttpKind(), options, sink),
  http3: (sink, options) => new ExchangeLines(new HttpKind(), options, sink),
  tls: (sink, options) => new ExchangeLines(new TlsKind(), options, sink),
  dtls: (sink, options) => new ExchangeLines(new TlsKind(), options, sink),
  dhcp: (sink, options) => new ExchangeLines(new DhcpKind(), options, sink),
  icmp: (sink, options) => new ExchangeLines(new PingKind(), options, sink),
  icmpv6: (sink, options) => new ExchangeLines(new PingKind(), options, sink),
  all: (sink) => new StatsReport({ ...EXCHANGES, top: 10 }, sink),
};

async function tables(path: string, protocols: ReadonlySet<string>): Promise<string> {
  // The locale of who runs this is not the fixtures'.
  process.env.LC_ALL = 'C.UTF-8';
  let shown = '';
  for (const [protocol, report] of Object.entries(COMMANDS)) {
    if (protocol !== 'all' && !protocols.has(protocol)) continue;
    for (const stats of protocol === 'all' ? [false] : [false, true]) {
      const options = stats ? { ...EXCHANGES, stats } : EXCHANGES;
      shown += `${await written((sink) => runExchanges([path], options, report(sink, options), sink))}\n`;
    }
  }
  if (protocols.has('resp')) {
    const options = { ...EXCHANGES, sentinel: true };
    const story = await written((sink) => runExchanges([path], options, new ExchangeLines(new SentinelKind(options), options, sink), sink));
    if (!story.includes('no Sentinel told')) shown += `${story}\n`;
  }
  if (protocols.has('tcp')) shown += await written((sink) => listConversations([path], { sort: 'number', color: 'never' }, sink));
  return shown;
}

function table(records: readonly ConversationRecord[], [startSeconds, startNanoseconds]: readonly [number, number]): string[] {
  const made = new ConversationTable({ width: 0, theme: PLAIN, unicode: true, startSeconds, startNanoseconds });
  for (const record of records) made.measure(record);
  return [made.head(), ...records.map((record) => made.row(record))];
}

const drawn = (ladder: Ladder, record: ConversationRecord): string[] =>
  drawLadder(ladder, record, { width: WIDTH, theme: PLAIN, unicode: true });
