/** `netlens live`: packets of an interface as they come. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { type LiveSource, openLive } from '../capture/live.js';
import { dropPrivileges } from '../capture/privileges.js';
import { NetlensError } from '../core/errors.js';
import { createSession } from '../frames.js';
import { KeyLogFile } from './keylog.js';
import { decodeRules, seconds, showsLines, type ViewOptions, viewOptions, wantsView, wholeNumber } from './options.js';
import { selectionFor } from './selection.js';
import { Sink } from './sink.js';
import { say } from './terminal.js';
import { showFrames, type Tally, viewFor } from './view.js';

interface LiveCommandOptions extends ViewOptions {
  readonly interface?: string;
  readonly snaplen?: number;
  readonly promisc: boolean;
  readonly bufferSize?: number;
  readonly duration?: number;
  readonly driver: 'auto' | 'libpcap' | 'cap';
  readonly user?: string;
}

/** Octets from `8M`, `512K` or a plain number. */
function octets(text: string): number {
  const parts = /^(\d+)([KMG])?i?B?$/i.exec(text);
  if (!parts) throw new InvalidArgumentError('A size such as 64M is needed.');
  return Number(parts[1]) * ({ K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[(parts[2] ?? '').toUpperCase()] ?? 1);
}

export function liveCommand(): Command {
  return viewOptions(new Command('live'))
    .description('show the packets of an interface as they come')
    .argument('[interface]', '`netlens interfaces` lists them; any is all of them')
    .option('-i, --interface <name>', 'the interface, instead of the argument')
    .option('-s, --snaplen <octets>', 'keep so many octets of a packet', wholeNumber)
    .option('-p, --no-promisc', 'only packets to and from this machine')
    .option('-B, --buffer-size <size>', "the kernel's buffer: 64M", octets)
    .option('-a, --duration <time>', 'stop after this time: 10, 500ms, 2m', seconds)
    .addOption(new Option('--driver <name>', 'how to capture').choices(['auto', 'libpcap', 'cap']).default('auto'))
    .option('--user <name>', 'the user to become once the interface is open (else who called sudo, else nobody)')
    .action(async (argument: string | undefined, options: LiveCommandOptions) => {
      const device = argument ?? options.interface;
      if (device === undefined) throw new NetlensError('usage', 'which interface? `netlens interfaces` lists them');
      await capture(device, options);
    });
}

async function capture(device: string, options: LiveCommandOptions): Promise<void> {
  const view = wantsView(options) ? viewFor(options, true) : undefined;
  const keylog = options.keylog === undefined ? undefined : new KeyLogFile(options.keylog);
  // Programs write the secrets of a connection while it is being captured.
  if (keylog !== undefined) keylog.log.refresh = () => keylog.more();
  const session = createSession({
    checksums: options.checksums ?? false,
    defragment: options.defragment ?? true,
    brief: showsLines(options),
    decodeAs: decodeRules(options.decodeAs),
    ...(keylog && { keyLog: keylog.log }),
  });
  const source = await openLive(device, {
    ...(options.filter !== undefined && { filter: options.filter }),
    ...(options.snaplen !== undefined && { snapLength: options.snaplen }),
    ...(options.bufferSize !== undefined && { bufferSize: options.bufferSize }),
    promiscuous: options.promisc,
    driver: options.driver,
  });
  const selection = await selectionFor(options);
  // Device and files are open: from here on nothing needs root, and no octet from the wire is read with it.
  dropPrivileges(options.user);
  for (const warning of source.warnings) say(warning);
  const tally: Tally = { seen: 0, selected: 0 };
  const done = watch(source, tally, options.duration);
  const sink = new Sink(undefined, true);
  try {
    await showFrames(source, session, view, sink, selection, true, tally);
  } finally {
    done();
    const summary = counters(source, tally);
    await selection.close();
    await source.close();
    if (!sink.closed) say(summary);
  }
  if (session.faults > 0) say(`${session.faults} frames could not be dissected whole because of an error in netlens; please report it`);
}

/** Ends on Ctrl-C, SIGTERM and time; a second Ctrl-C ends at once. Prints counters on SIGUSR1. Returns what takes the watch away. */
export function watch(source: LiveSource, tally: Tally, duration: number | undefined): () => void {
  let asked = false;
  const stop = () => {
    if (asked) process.exit(130);
    asked = true;
    source.stop();
  };
  const report = () => say(counters(source, tally));
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGUSR1', report);
  const timer = duration === undefined ? undefined : setTimeout(() => source.stop(), duration * 1000);
  return () => {
    clearTimeout(timer);
    process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGUSR1', report);
  };
}

/** `1000 captured, 1000 received by the filter, 0 dropped by the kernel`. */
export function counters(source: LiveSource, tally: Tally): string {
  const { received, dropped, droppedByInterface } = source.stats();
  const parts = [`${tally.seen} captured`];
  if (tally.selected !== tally.seen) parts.push(`${tally.selected} shown`);
  parts.push(
    dropped === undefined
      ? `${received} received, dropped not known to this driver`
      : `${received} received, ${dropped} dropped by the kernel`,
  );
  if (droppedByInterface) parts.push(`${droppedByInterface} dropped by the interface`);
  return parts.join(', ');
}
