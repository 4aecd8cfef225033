/** `netlens read`: captures from files or standard input. */
import { Command } from 'commander';
import { openCaptures } from '../capture/open.js';
import { copyFrames } from './copy.js';
import { CUT_SHORT, ETHERNET } from './limits.js';
import { type ViewOptions, viewOptions, wantsView } from './options.js';
import { selectionFor } from './selection.js';
import { say } from './terminal.js';

export function readCommand(): Command {
  return viewOptions(new Command('read'))
    .description('show the packets of captures: pcap, pcapng or snoop, also compressed')
    .argument('<files...>', 'captures; - is standard input')
    .action(async (files: string[], options: ViewOptions) => {
      // The dissectors take as long to load as a small capture to read, so a mere copy does without them.
      const copies = !wantsView(options) && options.displayFilter === undefined;
      const readFrames = copies ? undefined : (await import('./read-frames.js')).frameReader(files, options);
      const reader = await openCaptures(files);
      const selection = await selectionFor(options, { inputs: files, linkType: reader.interfaces[0]?.linkType ?? ETHERNET });
      const tally = { seen: 0, selected: 0 };
      let faults = 0;
      try {
        if (readFrames === undefined) await copyFrames(reader, selection, tally);
        else faults = await readFrames(reader, selection, tally);
      } finally {
        await selection.close();
        await reader.close();
      }
      if (faults > 0)
        say(`${faults} frames could not be dissected whole because of an error in netlens; please report it with the capture`);
      if (selection.remark !== undefined) say(selection.remark);
      for (const problem of reader.problems) {
        say(`${problem.message} (${tally.seen} whole frames before it)`);
        process.exitCode = CUT_SHORT;
      }
    });
}
