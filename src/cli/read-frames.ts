/** The part of `netlens read` that shows frames or asks what is in them. */
import type { CaptureReader } from '../capture/source.js';
import { createSession } from '../frames.js';
import { KeyLogFile } from './keylog.js';
import { decodeRules, type ViewOptions, wantsView } from './options.js';
import type { OpenSelection } from './selection.js';
import { Sink } from './sink.js';
import { showFrames, type Tally, viewFor } from './view.js';

/** Shows what was selected; returns how many frames could not be dissected whole because of an error of ours. */
type ReadFrames = (reader: CaptureReader, selection: OpenSelection, tally: Tally) => Promise<number>;

/** How frames are to be read. Wrong options are found here, before anything is opened for writing. */
export function frameReader(options: ViewOptions): ReadFrames {
  const view = wantsView(options) ? viewFor(options, false) : undefined;
  const keyLog = options.keylog === undefined ? undefined : new KeyLogFile(options.keylog).log;
  const decodeAs = decodeRules(options.decodeAs);
  return async (reader, selection, tally) => {
    const session = createSession({
      checksums: options.checksums ?? false,
      decodeAs,
      ...(keyLog && { keyLog }),
      // Where no frame is shown, only what the display filter asks about needs to be found out.
      tcpAnalysis: view !== undefined || selection.needs.tcpAnalysis || selection.needs.streams,
      streams: view !== undefined || selection.needs.streams,
    });
    await showFrames(reader, session, view, new Sink(), selection, false, tally);
    return session.faults;
  };
}
