/** Shell completion: `netlens completion bash|zsh|fish` prints a script that asks `netlens complete` what could stand here. */
import { type Argument, Command, type Option } from 'commander';
import { listInterfaces } from '../capture/live.js';
import { NetlensError } from '../core/errors.js';
import { LAYERS } from '../dissectors/index.js';
import { filterNames } from '../filter/index.js';
import { Sink } from './sink.js';

/** A command that is loaded when it is called. */
export interface CommandEntry {
  readonly name: string;
  readonly load: () => Promise<Command>;
}

/** A word that could stand at the cursor. */
interface Candidate {
  readonly word: string;
  readonly about: string;
}

const COMPLETE = 'complete';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** What each shell runs. No candidates: the shell offers files. */
const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = {
  bash: `_netlens() {
  local IFS=$'\\n' words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  # An opening quote is not part of the word.
  words[COMP_CWORD-1]=\${words[COMP_CWORD-1]#[\\'\\"]}
  COMPREPLY=($(netlens complete -- "\${words[@]}" 2>/dev/null | cut -f1))
}
complete -o default -F _netlens netlens
`,
  zsh: `#compdef netlens
_netlens() {
  local -a lines words_ about
  lines=(\${(f)"$(netlens complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  (( \${#lines} )) || { _files; return }
  local line
  for line in $lines; do
    words_+=("\${line%%$'\\t'*}")
    about+=("\${line/$'\\t'/  }")
  done
  compadd -l -d about -a words_
}
compdef _netlens netlens
`,
  fish: `function __netlens_complete
  set -l words (commandline -opc) (commandline -ct)
  netlens complete -- $words[2..-1] 2>/dev/null
end
complete -c netlens -f -a '(__netlens_complete)'
complete -c netlens -F -n '__fish_seen_subcommand_from read'
`,
};

export function completionCommand(): Command {
  return new Command('completion')
    .description('print a completion script for a shell')
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText(
      'after',
      '\nbash:  source <(netlens completion bash)\nzsh:   source <(netlens completion zsh)\nfish:  netlens completion fish | source\nPut the line into ~/.bashrc, ~/.zshrc or ~/.config/fish/config.fish to keep it.',
    )
    .action(async (shell: string) => {
      const script = SCRIPTS[shell as keyof typeof SCRIPTS];
      if (!script) throw new NetlensError('usage', `no completion for ${shell}; there is one for ${SHELLS.join(', ')}`);
      const sink = new Sink();
      sink.out.unicode(script);
      await sink.end();
    });
}

/** What the scripts call: the words after `netlens`, the last of them unfinished. */
export function completeCommand(commands: readonly CommandEntry[]): Command {
  return new Command(COMPLETE).argument('[words...]').action(async (words: string[]) => {
    const sink = new Sink();
    for (const { word, about } of await candidatesFor(words, commands)) sink.out.unicode(about ? `${word}\t${about}\n` : `${word}\n`);
    await sink.end();
  });
}

/** What could stand where the last of `words` stands; empty for files and for what nobody can know. */
export async function candidatesFor(words: readonly string[], commands: readonly CommandEntry[]): Promise<Candidate[]> {
  const last = words[words.length - 1] ?? '';
  const startsSo = ({ word }: Candidate) => word.startsWith(last);
  if (words.length <= 1) {
    const known = await Promise.all(
      commands.filter(({ name }) => name !== COMPLETE).map(async ({ name, load }) => ({ word: name, about: (await load()).description() })),
    );
    return known.filter(startsSo);
  }
  const entry = commands.find(({ name }) => name === words[0]);
  if (!entry) return [];
  const command = await entry.load();
  const option = valueOption(command, words[words.length - 2]!);
  if (option) return optionValues(option, last);
  if (last.startsWith('-')) {
    const options = command.options
      .filter((o) => !o.hidden)
      .flatMap((o) => [o.long, o.short].flatMap((word) => (word ? [{ word, about: o.description }] : [])));
    return options.filter(startsSo);
  }
  const before = words.slice(1, -1).filter((word, i, all) => !word.startsWith('-') && !valueOption(command, all[i - 1] ?? ''));
  const argument = command.registeredArguments[Math.min(before.length, command.registeredArguments.length - 1)];
  return argument && (argument.variadic || before.length < command.registeredArguments.length) ? argumentValues(argument, last) : [];
}

/** The option that a word names, when a value must follow it. */
const valueOption = (command: Command, word: string): Option | undefined =>
  word.startsWith('-') ? command.options.find((option) => option.required && (option.short === word || option.long === word)) : undefined;

async function optionValues(option: Option, last: string): Promise<Candidate[]> {
  if (option.argChoices) return option.argChoices.filter((word) => word.startsWith(last)).map((word) => ({ word, about: '' }));
  switch (option.long) {
    case '--field':
      return names(last);
    case '--interface':
      return interfaceNames(last);
    case '--display-filter':
      return namesInFilter(last);
    default:
      return [];
  }
}

async function argumentValues(argument: Argument, last: string): Promise<Candidate[]> {
  if (argument.argChoices) return argument.argChoices.filter((word) => word.startsWith(last)).map((word) => ({ word, about: '' }));
  switch (argument.name()) {
    case 'interface':
      return interfaceNames(last);
    case 'pattern':
      return names(last);
    case 'expr':
      return namesInFilter(last);
    case 'shell':
      return SHELLS.filter((shell) => shell.startsWith(last)).map((word) => ({ word, about: '' }));
    default:
      return [];
  }
}

async function interfaceNames(start: string): Promise<Candidate[]> {
  const interfaces = await listInterfaces().catch(() => []);
  return interfaces.filter(({ name }) => name.startsWith(start)).map(({ name, description }) => ({ word: name, about: description ?? '' }));
}

/** Fields and protocols that begin so. */
function names(start: string): Candidate[] {
  const labels = new Map<string, string>();
  for (const { protocol } of LAYERS) {
    labels.set(protocol.name, protocol.label);
    for (const field of protocol.allFields) labels.set(field.name, field.label);
  }
  return filterNames()
    .filter((name) => name.startsWith(start))
    .sort()
    .map((word) => ({ word, about: labels.get(word) ?? '' }));
}

/** Names for the last word of an unfinished filter, with what stands before it. */
function namesInFilter(text: string): Candidate[] {
  const parts = /^(.*?)([a-z_][\w.]*)?$/s.exec(text)!;
  const [, before = '', start = ''] = parts;
  if (start === '' && before !== '') return [];
  return names(start).map(({ word, about }) => ({ word: before + word, about }));
}
