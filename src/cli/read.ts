/** `netlens read`: captures from files or standard input. */
import { Command } from 'commander';
import { openCaptures } from '../capture/open.js';
import { createSession } from '../frames.js';
import { KeyLogFile } from './keylog.js';
import { CUT_SHORT, ETHERNET } from './limits.js';
import { decodeRules, type ViewOptions, viewOptions } from './options.js';
import { selectionFor } from './selection.js';
import { Sink } from './sink.js';
import { say } from './terminal.js';
import { showFrames, viewFor, wantsView } from './view.js';

export function readCommand(): Command {
  return viewOptions(new Command('read'))
    .description('show the packets of captures: pcap, pcapng or snoop, also compressed')
    .argument('<files...>', 'captures; - is standard input')
    .action(async (files: string[], options: ViewOptions) => {
      const view = wantsView(options) ? viewFor(options, false) : undefined;
      const reader = await openCaptures(files);
      const selection = await selectionFor(options, { inputs: files, linkType: reader.interfaces[0]?.linkType ?? ETHERNET });
      const session = createSession({
        checksums: options.checksums ?? false,
        decodeAs: decodeRules(options.decodeAs),
        ...(options.keylog !== undefined && { keyLog: new KeyLogFile(options.keylog).log }),
        // Where no frame is shown, only what the display filter asks about needs to be found out.
        tcpAnalysis: view !== undefined || selection.needs.tcpAnalysis || selection.needs.streams,
        streams: view !== undefined || selection.needs.streams,
      });
      const sink = new Sink();
      const tally = { seen: 0, selected: 0 };
      try {
        await showFrames(reader, session, view, sink, selection, false, tally);
      } finally {
        await selection.close();
        await reader.close();
      }
      if (session.faults > 0)
        say(`${session.faults} frames could not be dissected whole because of an error in netlens; please report it with the capture`);
      if (selection.remark !== undefined) say(selection.remark);
      for (const problem of reader.problems) {
        say(`${problem.message} (${tally.seen} whole frames before it)`);
        process.exitCode = CUT_SHORT;
      }
    });
}
