/** What netlens prints for a capture, in each of its forms; what the golden files of fixtures/ hold. */
import { TextBuffer } from '../src/core/text.js';
import { open } from '../src/frames.js';
import { JsonWriter } from '../src/output/json.js';
import { LINE_DEFAULTS, LineWriter } from '../src/output/line.js';
import { writeTree } from '../src/output/tree.js';

export interface Golden {
  /** A line a frame. */
  readonly txt: string;
  /** All fields of each frame. */
  readonly tree: string;
  /** One JSON object a line. */
  readonly json: string;
}

export async function printed(path: string): Promise<Golden> {
  const [txt, tree, json] = [new TextBuffer(), new TextBuffer(), new TextBuffer()];
  const lines = new LineWriter(LINE_DEFAULTS);
  const writer = new JsonWriter();
  for await (const frame of open(path)) {
    lines.write(txt, frame);
    writeTree(tree, frame);
    writer.write(json, frame);
    frame.session.shown(frame);
  }
  lines.release(txt);
  return { txt: txt.toString(), tree: tree.toString(), json: json.toString() };
}
