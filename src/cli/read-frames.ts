/** The part of `netlens read` that shows frames or asks what is in them. */
import { FILE_CHUNK } from '../capture/open.js';
import type { CaptureReader } from '../capture/source.js';
import { createSession } from '../frames.js';
import { type ViewOptions, wantsView } from './options.js';
import type { OpenSelection } from './selection.js';
import { sessionOptions } from './session-options.js';
import { Sink } from './sink.js';
import { lookTwice } from './two-looks.js';
import { showFrames, type Tally, viewFor } from './view.js';

/** Shows what was selected; resolves with how many frames could not be dissected whole because of an error of ours. */
type ReadFrames = (reader: CaptureReader, selection: OpenSelection, tally: Tally) => Promise<number>;

/** How frames are to be read. Wrong options are found here, before anything is opened for writing. */
export function frameReader(files: readonly string[], options: ViewOptions, sink = new Sink()): ReadFrames {
  const view = wantsView(options) ? viewFor(options, false) : undefined;
  const found = sessionOptions(options);
  return async (reader, selection, tally) => {
    const session = createSession({
      ...found,
      // Where no frame is shown, only what the display filter asks about needs to be found out.
      tcpAnalysis: view !== undefined || selection.needs.tcpAnalysis || selection.needs.streams,
      streams: view !== undefined || selection.needs.streams,
    });
    const sifted = await lookTwice(files, options, selection);
    const octets = view?.room?.(FILE_CHUNK);
    if (octets !== undefined) reader.holdIn?.(octets);
    await showFrames(reader, session, view, sink, sifted, false, tally);
    return session.faults;
  };
}
