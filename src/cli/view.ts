/** Showing frames as they were asked for: the part that `read` and `live` share. */
import type { CaptureReader } from '../capture/source.js';
import { CaptureRecord } from '../capture/source.js';
import { NetlensError } from '../core/errors.js';
import type { Frame } from '../core/frame.js';
import type { Session } from '../core/session.js';
import type { TextBuffer } from '../core/text.js';
import { FIELDS } from '../dissectors/index.js';
import { type ColumnOptions, columnOf, writeColumns } from '../output/fields.js';
import { writeOctets } from '../output/hex.js';
import { JsonWriter } from '../output/json.js';
import { LINE_DEFAULTS, LineWriter } from '../output/line.js';
import { writeTree } from '../output/tree.js';
import { formatOf, type ViewOptions } from './options.js';
import type { Sink } from './sink.js';
import { isUnicodeLocale, terminalWidth, themeFor } from './terminal.js';

/** A way to show frames. */
export interface View {
  /** Before the first frame. */
  begin?(out: TextBuffer): void;
  frame(out: TextBuffer, frame: Frame): void;
  /** Show what is held back: the source pauses or has ended. */
  release?(out: TextBuffer): void;
  /** So many octets that it writes to most quickly. */
  room?(length: number): Uint8Array | undefined;
}

/** The view that the options ask for. `live`: no frame is held back to lay out the columns. */
export function viewFor(options: ViewOptions, live: boolean): View {
  const format = formatOf(options);
  switch (format) {
    case 'json': {
      const writer = new JsonWriter({ octets: options.octets ?? false });
      return { frame: (out, frame) => writer.write(out, frame), room: (length) => writer.room(length) };
    }
    case 'fields':
    case 'csv': {
      const columns = options.field!.map((name) => columnOf(name, FIELDS));
      const { header, ...how } = columnOptions(options.set ?? [], format === 'csv');
      return {
        begin: (out) => {
          if (!header) return;
          out.unicode(columns.map((c) => how.quote + c.name + how.quote).join(how.separator));
          out.byte(10);
        },
        frame: (out, frame) => writeColumns(out, frame, columns, how),
      };
    }
    default: {
      const theme = themeFor(options.color);
      const unicode = isUnicodeLocale();
      const lines = new LineWriter({
        ...LINE_DEFAULTS,
        time: options.time,
        width: terminalWidth(),
        theme,
        unicode,
        look: live || options.octets ? 0 : LINE_DEFAULTS.look,
      });
      if (format === 'text')
        return {
          frame: (out, frame) => {
            lines.write(out, frame);
            if (options.octets) writeOctets(out, frame);
          },
          release: (out) => lines.release(out),
        };
      return {
        begin: (out) => {
          out.asciiOnly = !unicode;
        },
        frame: (out, frame) => {
          writeTree(out, frame, theme);
          if (options.octets) writeOctets(out, frame);
        },
      };
    }
  }
}

const SEPARATORS: Readonly<Record<string, string>> = { '/t': '\t', '/s': ' ' };

/** tshark's `-E` settings. */
function columnOptions(settings: readonly string[], csv: boolean): ColumnOptions & { header: boolean } {
  let header = csv;
  let separator = csv ? ',' : '\t';
  let quote: '' | '"' | "'" = csv ? '"' : '';
  let aggregator = ',';
  let occurrence: 'a' | 'f' | 'l' = 'a';
  for (const setting of settings) {
    const [key, value = ''] = setting.split(/=(.*)/s);
    if (key === 'header') header = value === 'y';
    else if (key === 'separator') separator = SEPARATORS[value] ?? value;
    else if (key === 'aggregator') aggregator = SEPARATORS[value] ?? value;
    else if (key === 'quote') quote = ({ d: '"', s: "'" } as const)[value as 'd' | 's'] ?? '';
    else if (key === 'occurrence' && /^[afl]$/.test(value)) occurrence = value as 'a' | 'f' | 'l';
    else throw new NetlensError('usage', `-E ${setting}: header, separator, quote, aggregator or occurrence expected`);
  }
  return { header, separator, quote, aggregator, occurrence };
}

/** What decides which frames are shown and written. */
export interface Selection {
  /** On the octets, before dissection; false leaves the packet out of everything but the count. */
  readonly packet?: ((record: CaptureRecord) => boolean) | undefined;
  /** On the dissected frame. */
  readonly display?: ((frame: Frame) => boolean) | undefined;
  /** Called with every packet that was selected, e.g. to write it. */
  readonly chosen?: ((record: CaptureRecord) => void) | undefined;
  /** Once, before the first frame: for what came with the capture. */
  readonly begin?: ((reader: CaptureReader) => void) | undefined;
  /** Work that waits, e.g. a write; awaited once a chunk. */
  readonly settle?: (() => Promise<void>) | undefined;
  /** Stop after so many selected frames. */
  readonly count?: number | undefined;
}

/** Frames seen and frames selected. */
export interface Tally {
  seen: number;
  selected: number;
}

/** Read to the end (or the count, or a closed output) and show. `perLine`: every line is to be seen at once. */
export async function showFrames(
  reader: CaptureReader,
  session: Session,
  view: View | undefined,
  sink: Sink,
  selection: Selection,
  perLine: boolean,
  tally: Tally,
): Promise<void> {
  const record = new CaptureRecord();
  const { out } = sink;
  const { packet, display, chosen, settle, count = Number.POSITIVE_INFINITY } = selection;
  if (view?.room !== undefined) sink.writeIn(view.room);
  view?.begin?.(out);
  let begun = false;
  /** Show the frames that are held; true when what they made has to be written first. It waits for nothing: the engine begins anew with a function that does. */
  const showHeld = (): boolean => {
    while (tally.selected < count && reader.next(record)) {
      if (!begun) {
        begun = true;
        selection.begin?.(reader);
      }
      if (reader.secrets.length !== session.learnt) session.learn(reader.secrets);
      tally.seen++;
      if (packet !== undefined && !packet(record)) {
        session.skip(record);
        continue;
      }
      if (view === undefined && display === undefined && chosen !== undefined) {
        // Nobody looks at the frames, as in `live -w`: then writing them is all there is to do.
        tally.selected++;
        chosen(record);
        continue;
      }
      const frame = session.dissect(record);
      if (display !== undefined && !display(frame)) continue;
      tally.selected++;
      view?.frame(out, frame);
      session.shown(frame);
      chosen?.(record);
      if (sink.full) return true;
    }
    return false;
  };
  do {
    while (!sink.closed && showHeld()) await sink.flush();
    if (perLine && out.length > 0) await sink.flush();
    if (settle !== undefined) await settle();
    session.hooks.keepOctets?.();
  } while (tally.selected < count && !sink.closed && (await sink.during(reader.fill(), () => view?.release?.(out))));
  view?.release?.(out);
  await sink.end();
}
