/** What netlens prints for a capture, in each of its forms; what the golden files of fixtures/ hold. */
import { type ConversationRecord, recordOf } from '../src/analysis/conversation-record.js';
import { Conversations } from '../src/analysis/conversations.js';
import { TextBuffer } from '../src/core/text.js';
import { open } from '../src/frames.js';
import { JsonWriter } from '../src/output/json.js';
import { LINE_DEFAULTS, LineWriter } from '../src/output/line.js';
import { PLAIN } from '../src/output/theme.js';
import { writeTree } from '../src/output/tree.js';
import { ConversationTable } from '../src/report/conversations.js';
import { drawLadder, Ladder } from '../src/report/ladder.js';

export interface Golden {
  /** A line a frame. */
  readonly txt: string;
  /** All fields of each frame. */
  readonly tree: string;
  /** One JSON object a line. */
  readonly json: string;
  /** The table of TCP conversations and a ladder of each; empty when there is none. */
  readonly ladder: string;
}

/** Columns of a ladder. */
const WIDTH = 120;

export async function printed(path: string): Promise<Golden> {
  const [txt, tree, json] = [new TextBuffer(), new TextBuffer(), new TextBuffer()];
  const lines = new LineWriter(LINE_DEFAULTS);
  const writer = new JsonWriter();
  const conversations = new Conversations();
  const ladders = new Map<number, Ladder>();
  const over: ConversationRecord[] = [];
  conversations.ended = (conversation) => over.push(recordOf(conversation));
  let start: readonly [number, number] = [0, 0];
  for await (const frame of open(path, { conversations })) {
    start = [frame.session.firstSeconds, frame.session.firstNanoseconds];
    for (let number = 0; number < conversations.count; number++) {
      if (!ladders.has(number)) ladders.set(number, new Ladder(number, false));
      ladders.get(number)!.see(frame);
    }
    lines.write(txt, frame);
    writeTree(tree, frame);
    writer.write(json, frame);
    frame.session.shown(frame);
  }
  lines.release(txt);
  const records = [...over, ...[...conversations].map(recordOf)].sort((a, b) => a.number - b.number);
  const ladder =
    records.length === 0
      ? ''
      : `${[...table(records, start), ...records.flatMap((record) => ['', ...drawn(ladders.get(record.number)!, record)])].join('\n')}\n`;
  return { txt: txt.toString(), tree: tree.toString(), json: json.toString(), ladder };
}

function table(records: readonly ConversationRecord[], [startSeconds, startNanoseconds]: readonly [number, number]): string[] {
  const made = new ConversationTable({ width: 0, theme: PLAIN, unicode: true, startSeconds, startNanoseconds });
  for (const record of records) made.measure(record);
  return [made.head(), ...records.map((record) => made.row(record))];
}

const drawn = (ladder: Ladder, record: ConversationRecord): string[] =>
  drawLadder(ladder, record, { width: WIDTH, theme: PLAIN, unicode: true });
