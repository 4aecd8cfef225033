/** `netlens filter`: what a filter means. */
import { Command, InvalidArgumentError } from 'commander';
import { listBpf } from '../capture/bpf.js';
import { compileFilter } from '../capture/live.js';
import { NetlensError } from '../core/errors.js';
import { explainFields, explainTree, explainWork } from '../filter/explain.js';
import { compileDisplayFilter, type DisplayFilter } from '../filter/index.js';
import { Sink } from './sink.js';
import { isUnicodeLocale } from './terminal.js';

interface FilterOptions {
  readonly display?: boolean;
  readonly capture?: boolean;
  readonly linkType: number;
}

/** LINKTYPE_ of Ethernet. */
const ETHERNET = 1;

function linkTypeNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('A LINKTYPE_ number is needed, e.g. 1 for Ethernet.');
  return Number(text);
}

export function filterCommand(): Command {
  return new Command('filter')
    .description('explain a filter: its language, its tree, the fields it reads, the program it becomes')
    .argument('<expr...>', 'a display filter (-Y) or a capture filter (-f); quote it')
    .option('-Y, --display', 'take it for a display filter')
    .option('-f, --capture', 'take it for a capture filter')
    .option('--link-type <n>', 'LINKTYPE_ number that a capture filter is compiled for', linkTypeNumber, ETHERNET)
    .addHelpText(
      'after',
      `
Without -Y or -f, it is explained in each language that takes it. Exit status 2
when none does.

Examples:
  netlens filter 'tcp.flags.syn == 1 && ip.dst == 10.77.0.2'
  netlens filter -f 'tcp port 6379'
  netlens fields dns.qry      names of fields

docs/filters.md teaches both languages.`,
    )
    .action(async (words: string[], options: FilterOptions) => {
      const text = words.join(' ');
      const both = options.display === options.capture;
      const display = both || options.display ? tried(() => compileDisplayFilter(text)) : undefined;
      const program = both || options.capture ? await triedLater(() => compileFilter(text, options.linkType)) : undefined;
      const errors = [display, program].flatMap((result) => (result instanceof NetlensError ? [result] : []));
      const refused = [display, program].filter((result) => result !== undefined).length === errors.length;
      if (refused) throw new NetlensError('usage', errors.map((error) => error.message).join('\n'));
      const sink = new Sink();
      if (display && !(display instanceof NetlensError)) for (const line of displayLines(display)) sink.line(line);
      if (program && !(program instanceof NetlensError)) {
        sink.line(`capture filter (-f), on link type ${options.linkType}:`);
        // Made of numbers and names of instructions, with tcpdump's tabs.
        for (const line of listBpf(program)) sink.out.unicode(`  ${line}\n`);
      }
      await sink.end();
    });
}

function displayLines(filter: DisplayFilter): string[] {
  const lines = ['display filter (-Y):'];
  if (filter.condition) lines.push(...explainTree(filter.condition, isUnicodeLocale()).map((line) => `  ${line}`));
  const fields = explainFields(filter);
  if (fields.length > 0) {
    const wide = (key: 'name' | 'type') => Math.max(...fields.map((field) => field[key].length));
    const [name, type] = [wide('name'), wide('type')];
    lines.push('fields:', ...fields.map((field) => `  ${field.name.padEnd(name)}  ${field.type.padEnd(type)}  ${field.label}`));
  }
  lines.push(`needs: ${explainWork(filter)}`, '');
  return lines;
}

/** The result, or the user's error as a value. */
function tried<T>(run: () => T): T | NetlensError {
  try {
    return run();
  } catch (error) {
    if (error instanceof NetlensError) return error;
    throw error;
  }
}

async function triedLater<T>(run: () => Promise<T>): Promise<T | NetlensError> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof NetlensError) return error;
    throw error;
  }
}
