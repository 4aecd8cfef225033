/** The part of `netlens read` that shows frames or asks what is in them. */
import { Share } from '../analysis/share.js';
import { openCaptures } from '../capture/open.js';
import type { CaptureReader } from '../capture/source.js';
import { createSession } from '../frames.js';
import { inHalves, showHalves } from './halves.js';
import { type ViewOptions, wantsView } from './options.js';
import type { OpenSelection } from './selection.js';
import { sessionOptions } from './session-options.js';
import { Sink } from './sink.js';
import { lookTwice } from './two-looks.js';
import { showFrames, type Tally, viewFor } from './view.js';

/** How it went. */
interface Outcome {
  /** Frames that could not be dissected whole because of an error of ours. */
  readonly faults: number;
  /** The reader that came to the end. */
  readonly reader: CaptureReader;
}

/** Shows what was selected. */
type ReadFrames = (reader: CaptureReader, selection: OpenSelection, tally: Tally) => Promise<Outcome>;

/** How frames are to be read. Wrong options are found here, before anything is opened for writing. */
export function frameReader(files: readonly string[], options: ViewOptions, sink = new Sink()): ReadFrames {
  const view = wantsView(options) ? viewFor(options, false) : undefined;
  const found = sessionOptions(options);
  const isShared = view !== undefined && inHalves(files, options);
  return async (reader, selection, tally) => {
    let shown: number | undefined;
    if (isShared) {
      const share = new Share(0);
      const session = createSession({ ...found, share });
      shown = await showHalves(reader, session, share, { files, options }, view, sink, tally);
      if (shown === undefined) return { faults: session.faults, reader };
    }
    const alone = shown === undefined ? reader : await again(files, reader, tally);
    const session = createSession({
      ...found,
      // Where no frame is shown, only what the display filter asks about needs to be found out.
      tcpAnalysis: view !== undefined || selection.needs.tcpAnalysis || selection.needs.streams,
      streams: view !== undefined || selection.needs.streams,
    });
    const sifted = await lookTwice(files, options, selection);
    await showFrames(alone, session, view, sink, sifted, false, tally, shown);
    return { faults: session.faults, reader: alone };
  };
}

/** The captures from the start, after two threads could not read them to the end. */
async function again(files: readonly string[], reader: CaptureReader, tally: Tally): Promise<CaptureReader> {
  await reader.close();
  tally.seen = tally.selected = 0;
  return openCaptures(files);
}
