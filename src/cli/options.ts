/** Options that reading and capturing share. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { NetlensError } from '../core/errors.js';
import type { DecodeAs } from '../core/registry.js';
import type { TimeFormat } from '../output/line.js';
import type { ColourChoice } from './terminal.js';

export type Format = 'text' | 'tree' | 'json' | 'fields' | 'csv';

export interface ViewOptions {
  readonly filter?: string;
  readonly displayFilter?: string;
  readonly format?: string;
  readonly json?: boolean;
  readonly tree?: boolean;
  readonly octets?: boolean;
  readonly field?: readonly string[];
  readonly set?: readonly string[];
  readonly count?: number;
  readonly write?: string;
  readonly time: TimeFormat;
  readonly quiet?: boolean;
  readonly decodeAs?: readonly string[];
  readonly checksums?: boolean;
  readonly defragment?: boolean;
  readonly keylog?: string;
  readonly color: ColourChoice;
}

export const gather = (value: string, before: readonly string[] | undefined) => [...(before ?? []), value];

export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1) throw new InvalidArgumentError('A whole number from 1 is needed.');
  return Number(text);
}

/** Seconds from `10`, `500ms`, `2m`. */
export function seconds(text: string): number {
  const parts = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  if (!parts) throw new InvalidArgumentError('A time such as 10, 500ms or 2m is needed.');
  return Number(parts[1]) * ({ ms: 0.001, s: 1, m: 60, h: 3600 }[parts[2] ?? 's'] ?? 1);
}

/** The options of `read` and `live`. */
export function viewOptions(command: Command): Command {
  return command
    .option('-f, --filter <expr>', "only packets that match a capture filter, as tcpdump's: 'tcp port 6379'")
    .option('-Y, --display-filter <expr>', "only frames that match a display filter, as Wireshark's: 'tcp.flags.syn == 1'")
    .option('-c, --count <n>', 'stop after n frames', wholeNumber)
    .option('-V, --tree', 'show all fields of each frame')
    .option('-x, --octets', 'show the octets in hex and text')
    .option('--json', 'one JSON object a line for each frame (schema: netlens schema)')
    .option('-T, --format <format>', 'text, tree, json, fields or csv')
    .option('-e, --field <name>', 'a field to print with -T fields or csv; repeat for more', gather)
    .option(
      '-E, --set <key=value>',
      'with -T fields: header=y|n, separator=<char>|/t|/s, quote=d|s|n, aggregator=<char>, occurrence=f|l|a',
      gather,
    )
    .addOption(
      new Option(
        '-t, --time <format>',
        'times: r relative, d delta, dd delta to the line before, a local, ad with date, u UTC, ud with date, e epoch',
      )
        .choices(['r', 'd', 'dd', 'a', 'ad', 'u', 'ud', 'e'])
        .default('r'),
    )
    .option('-w, --write <file>', 'write the packets to a capture: pcap for a name in .pcap, else pcapng; - is standard output')
    .option('-d, --decode-as <rule>', "dissect as, e.g. 'tcp.port==7777,resp'; repeat for more", gather)
    .option('--checksums', 'verify checksums of IP, ICMP, UDP and TCP')
    .option('--no-defragment', 'leave fragments of IP and of 802.11 apart: the first is dissected by itself, the others are data')
    .option('--keylog <file>', 'decrypt TLS and QUIC with the secrets that programs wrote to this file (SSLKEYLOGFILE)')
    .option('-q, --quiet', 'no frames, only what comes at the end')
    .addOption(new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'))
    .addOption(new Option('-n, --no-names', 'numbers instead of names (always so)').hideHelp())
    .addOption(new Option('-l, --line-buffered', 'flush every line (live always does)').hideHelp());
}

/** True when frames are to be shown: not with -q, and with -w only when a format was asked for, as with tcpdump and tshark. */
export function wantsView(options: ViewOptions): boolean {
  if (options.quiet || options.write === '-') return false;
  return options.write === undefined || Boolean(options.json || options.tree || options.octets || options.field || options.format);
}

/** The output format that the options ask for. */
export function formatOf(options: ViewOptions): Format {
  if (options.json) return 'json';
  if (options.format !== undefined) {
    const known: Readonly<Record<string, Format>> = { text: 'text', tree: 'tree', json: 'json', ek: 'json', fields: 'fields', csv: 'csv' };
    const format = known[options.format];
    if (!format) throw new NetlensError('usage', `-T ${options.format}: text, tree, json, fields or csv expected`);
    if ((format === 'fields' || format === 'csv') && !options.field?.length)
      throw new NetlensError('usage', `-T ${format} needs fields: add -e NAME (\`netlens fields\` lists them)`);
    return format;
  }
  if (options.field?.length) return 'fields';
  return options.tree ? 'tree' : 'text';
}

/** True when nothing but the line of each frame is looked at. */
export const showsLines = (options: ViewOptions): boolean =>
  formatOf(options) === 'text' && !options.octets && options.displayFilter === undefined;

/** True when JSON is shown, and no octets in it or beside it are looked at. */
export const showsFacts = (options: ViewOptions): boolean =>
  formatOf(options) === 'json' && !options.octets && options.displayFilter === undefined;

/** `tcp.port==7777,resp` as an order for the registry. */
export function decodeRules(rules: readonly string[] = []): DecodeAs[] {
  return rules.map((rule) => {
    const parts = /^([a-z0-9_.]+)==(0x[0-9a-f]+|\d+),([a-z0-9_-]+)$/i.exec(rule);
    if (!parts) throw new NetlensError('usage', `-d ${rule}: TABLE==NUMBER,PROTOCOL expected, e.g. tcp.port==7777,resp`);
    return { table: parts[1]!, key: Number(parts[2]), protocol: parts[3]!.toLowerCase() };
  });
}
