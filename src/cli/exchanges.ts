/**
 * What the commands have in common that show requests with their answers (`dns`, `redis`, `http`, …): their options, and the
 * road from files or an interface to what they report.
 */
import { setFlagsFromString } from 'node:v8';
import { type Command, Option } from 'commander';
import { openLive } from '../capture/live.js';
import { openCaptures } from '../capture/open.js';
import { dropPrivileges } from '../capture/privileges.js';
import type { CaptureReader } from '../capture/source.js';
import { NetlensError } from '../core/errors.js';
import type { Frame } from '../core/frame.js';
import { type AnalysisOptions, createSession } from '../frames.js';
import { KeyLogFile } from './keylog.js';
import { CUT_SHORT, ETHERNET } from './limits.js';
import { counters, watch } from './live.js';
import { decodeRules, gather, seconds, type ViewOptions, wholeNumber } from './options.js';
import { selectionFor } from './selection.js';
import type { Sink } from './sink.js';
import { type ColourChoice, say } from './terminal.js';
import { showFrames, type Tally } from './view.js';

export interface ExchangeOptions {
  readonly interface?: string;
  readonly filter?: string;
  readonly displayFilter?: string;
  /** Seconds. */
  readonly slow?: number;
  readonly errors?: boolean;
  readonly stats?: boolean;
  readonly sort: 'time' | 'took';
  readonly json?: boolean;
  readonly count?: number;
  readonly duration?: number;
  readonly decodeAs?: readonly string[];
  readonly keylog?: string;
  readonly color: ColourChoice;
  readonly user?: string;
}

/** Their options. `what` names one exchange for the help: `lookup`, `command`. */
export function exchangeOptions(command: Command, what: string): Command {
  return command
    .argument('[files...]', 'captures; - is standard input')
    .option('-i, --interface <name>', 'live, from this interface instead of files')
    .option('-f, --filter <expr>', "only packets that match a capture filter, as tcpdump's: 'host 10.0.0.7'")
    .option('-Y, --display-filter <expr>', `only ${what}s with a frame that matches a display filter, as Wireshark's`)
    .option('--slow <time>', `only ${what}s that took so long or were never answered: 10ms, 1s`, seconds)
    .option('--errors', `only ${what}s that failed or were never answered`)
    .option('--stats', 'counts, errors and latency percentiles instead of a line each')
    .addOption(new Option('--sort <order>', 'by time, or the slowest first').choices(['time', 'took']).default('time'))
    .option('--json', 'one JSON object a line')
    .option('-c, --count <n>', 'stop after n frames', wholeNumber)
    .option('-a, --duration <time>', 'live: stop after this time: 10, 500ms, 2m', seconds)
    .option('-d, --decode-as <rule>', "dissect as, e.g. 'udp.port==8053,dns'; repeat for more", gather)
    .option('--keylog <file>', 'decrypt TLS and QUIC with the secrets that programs wrote to this file (SSLKEYLOGFILE)')
    .option('--user <name>', 'live: the user to become once the interface is open')
    .addOption(new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'));
}

/** What a command makes of the frames. */
export interface ExchangeReport {
  /** What the session is to find out. */
  readonly analysis: AnalysisOptions;
  /** A frame that passed the filters, with all its layers. */
  frame?(frame: Frame): void;
  /** A frame that did not pass the display filter. */
  skipped?(frame: Frame): void;
  /** The source has ended: write what is left. `reader` knows what the capturing program lost. */
  finish(reader: CaptureReader): void;
}

/**
 * Per cent that the heap may grow by before it is collected. What waits for its answer survives young collections and then is
 * garbage: left to itself, V8 lets four times of what is alive gather. This takes half the memory for a tenth more time.
 */
const HEAP_GROWTH = 40;

/** Read files, or capture, to the end, and report. */
export async function runExchanges(files: readonly string[], options: ExchangeOptions, report: ExchangeReport, sink: Sink): Promise<void> {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH}`);
  const device = options.interface;
  const keylog = options.keylog === undefined ? undefined : new KeyLogFile(options.keylog);
  if ((device === undefined) === (files.length === 0)) throw new NetlensError('usage', 'either captures or an interface (-i) are needed');
  const { filter } = options;
  const live = device === undefined ? undefined : await openLive(device, filter === undefined ? {} : { filter });
  const reader = live ?? (await openCaptures([...files]));
  const view: ViewOptions = { ...options, time: 'r' };
  const selection = await selectionFor(view, live ? {} : { inputs: files, linkType: reader.interfaces[0]?.linkType ?? ETHERNET });
  if (live) {
    dropPrivileges(options.user);
    for (const warning of live.warnings) say(warning);
  }
  // Programs write to it while their traffic is captured.
  if (live && keylog) keylog.log.refresh = () => keylog.more();
  const session = createSession({
    ...report.analysis,
    // A display filter may ask for anything.
    brief: report.analysis.brief === true && options.displayFilter === undefined,
    decodeAs: decodeRules(options.decodeAs),
    ...(keylog && { keyLog: keylog.log }),
  });
  const tally: Tally = { seen: 0, selected: 0 };
  const done = live ? watch(live, tally, options.duration) : undefined;
  const display = (frame: Frame): boolean => {
    if (selection.display && !selection.display(frame)) {
      report.skipped?.(frame);
      return false;
    }
    report.frame?.(frame);
    return true;
  };
  const sifted = { ...selection, display, remark: undefined };
  try {
    await showFrames(reader, session, { frame: () => undefined }, sink, sifted, live !== undefined, tally);
    session.hooks.end?.();
    report.finish(reader);
    await sink.end();
  } finally {
    done?.();
    const summary = live && counters(live, tally);
    await selection.close();
    await reader.close();
    if (summary && !sink.closed) say(summary);
  }
  if (session.faults > 0)
    say(`${session.faults} frames could not be dissected whole because of an error in netlens; please report it with the capture`);
  if (selection.remark !== undefined) say(selection.remark);
  for (const problem of reader.problems) {
    say(`${problem.message} (${tally.seen} whole frames before it)`);
    process.exitCode = CUT_SHORT;
  }
}
