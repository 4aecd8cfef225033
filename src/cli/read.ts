/** `netlens read`: captures from files or standard input. */
import { Command } from 'commander';
import { openCaptures } from '../capture/open.js';
import { createSession } from '../frames.js';
import { decodeRules, type ViewOptions, viewOptions } from './options.js';
import { selectionFor } from './selection.js';
import { Sink } from './sink.js';
import { say } from './terminal.js';
import { showFrames, viewFor } from './view.js';

/** Exit status: the capture ends in mid-record; all whole frames came first. */
const CUT_SHORT = 3;

export function readCommand(): Command {
  return viewOptions(new Command('read'))
    .description('show the packets of captures: pcap, pcapng or snoop, also compressed')
    .argument('<files...>', 'captures; - is standard input')
    .action(async (files: string[], options: ViewOptions) => {
      const view = options.quiet || options.write === '-' ? undefined : viewFor(options, false);
      const session = createSession({ checksums: options.checksums ?? false, decodeAs: decodeRules(options.decodeAs) });
      const reader = await openCaptures(files);
      const sink = new Sink();
      const tally = { seen: 0, selected: 0 };
      const selection = await selectionFor(options, files);
      try {
        await showFrames(reader, session, view, sink, selection, false, tally);
      } finally {
        await selection.close();
        await reader.close();
      }
      if (session.faults > 0)
        say(`${session.faults} frames could not be dissected whole because of an error in netlens; please report it with the capture`);
      for (const problem of reader.problems) {
        say(`${problem.message} (${tally.seen} whole frames before it)`);
        process.exitCode = CUT_SHORT;
      }
    });
}
