/** From options to what a session finds out. */
import type { AnalysisOptions } from '../frames.js';
import { KeyLogFile } from './keylog.js';
import { decodeRules, showsFacts, showsLines, type ViewOptions } from './options.js';

/** What the options of `read` say about dissection. */
export function sessionOptions(options: ViewOptions): AnalysisOptions {
  return {
    checksums: options.checksums ?? false,
    defragment: options.defragment ?? true,
    brief: showsLines(options),
    lends: showsFacts(options),
    decodeAs: decodeRules(options.decodeAs),
    ...(options.keylog !== undefined && { keyLog: new KeyLogFile(options.keylog).log }),
  };
}
