/** From options to what a session finds out. */
import type { AnalysisOptions } from '../frames.js';
import { KeyLogFile } from './keylog.js';
import { decodeRules, type ViewOptions } from './options.js';

/** What the options of `read` say about dissection. */
export function sessionOptions(options: ViewOptions): AnalysisOptions {
  return {
    checksums: options.checksums ?? false,
    defragment: options.defragment ?? true,
    decodeAs: decodeRules(options.decodeAs),
    ...(options.keylog !== undefined && { keyLog: new KeyLogFile(options.keylog).log }),
  };
}
