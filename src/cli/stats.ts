/** `netlens stats`: a whole capture in numbers. */
import { Command, Option } from 'commander';
import type { CaptureReader } from '../capture/source.js';
import type { Frame } from '../core/frame.js';
import { folded } from '../report/coverage.js';
import { RollingTable } from '../report/rolling-table.js';
import { CaptureStatistics } from '../report/stats.js';
import { type ExchangeOptions, type ExchangeReport, runExchanges } from './exchanges.js';
import { droppedByKernel } from './limits.js';
import { gather, seconds, wholeNumber } from './options.js';
import { Sink } from './sink.js';
import { isUnicodeLocale, terminalWidth, themeFor } from './terminal.js';

export interface StatsOptions extends Omit<ExchangeOptions, 'sort'> {
  readonly top: number;
}

export function statsCommand(): Command {
  return new Command('stats')
    .description('sum a capture up: protocols, endpoints, conversations at each layer, frame lengths, rates over time')
    .argument('[files...]', 'captures; - is standard input')
    .option('-i, --interface <name>', 'live, from this interface instead of files; the numbers come with Ctrl-C')
    .option('-f, --filter <expr>', "only packets that match a capture filter, as tcpdump's: 'host 10.0.0.7'")
    .option('-Y, --display-filter <expr>', "only frames that match a display filter, as Wireshark's")
    .option('--top <n>', 'rows of each table of endpoints and conversations', wholeNumber, 10)
    .option('--json', 'one JSON object a line')
    .option('-c, --count <n>', 'stop after n frames', wholeNumber)
    .option('-a, --duration <time>', 'live: stop after this time: 10, 500ms, 2m', seconds)
    .option('-d, --decode-as <rule>', "dissect as, e.g. 'udp.port==8053,dns'; repeat for more", gather)
    .option('--user <name>', 'live: the user to become once the interface is open')
    .addOption(new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'))
    .action(async (files: string[], options: StatsOptions) => {
      const sink = new Sink();
      await runExchanges(files, { ...options, sort: 'time' }, new StatsReport(options, sink), sink);
    });
}

/** From frames to sums, as the options ask. */
export class StatsReport implements ExchangeReport {
  readonly analysis = {};
  private readonly statistics = new CaptureStatistics();

  constructor(
    private readonly options: StatsOptions,
    private readonly sink: Sink,
  ) {}

  frame(frame: Frame): void {
    this.statistics.add(frame);
  }

  skipped(frame: Frame): void {
    this.statistics.skip(frame);
  }

  finish(reader: CaptureReader): void {
    const { statistics, sink } = this;
    const { json, top, color } = this.options;
    const dropped = droppedByKernel(reader);
    if (json) {
      for (const record of statistics.records(top, dropped)) sink.record(record);
      return;
    }
    const isUnicode = isUnicodeLocale();
    sink.out.asciiOnly = !isUnicode;
    const theme = themeFor(color);
    for (const { title, headings, right, rows } of statistics.sections(top, isUnicode)) {
      sink.unicodeLine(theme.paint(title, 'heading'));
      const table = new RollingTable((line) => sink.unicodeLine(`  ${line}`), { theme, right, width: Math.max(0, terminalWidth() - 2) });
      if (headings.length > 0) table.row(headings.map((text) => ({ text, tone: 'name' })));
      for (const row of rows) table.row(row);
      table.release();
      sink.unicodeLine('');
    }
    sink.unicodeLine(folded(statistics.coverageText(dropped), terminalWidth()));
  }
}
