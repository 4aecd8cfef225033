#!/usr/bin/env node
/** The command line: one file a command, each loaded only when it is called, so that the program starts as fast as Node does. */
import type { Command, CommanderError } from 'commander';

declare const __VERSION__: string;

/** Exit status of each kind of error. */
const EXIT = { usage: 2, unreadable: 2, 'unknown-format': 2, interface: 4 } as const;

/** What completion scripts call; no command for people. */
const COMPLETE = 'complete';

/** Commands by name: what each is, and how to load it. */
const COMMANDS: readonly { readonly name: string; readonly load: () => Promise<Command> }[] = [
  { name: 'read', load: async () => (await import('./read.js')).readCommand() },
  { name: 'live', load: async () => (await import('./live.js')).liveCommand() },
  { name: 'dns', load: async () => (await import('./dns.js')).dnsCommand() },
  { name: 'ping', load: async () => (await import('./ping.js')).pingCommand() },
  { name: 'dhcp', load: async () => (await import('./dhcp.js')).dhcpCommand() },
  { name: 'redis', load: async () => (await import('./redis.js')).redisCommand() },
  { name: 'http', load: async () => (await import('./http.js')).httpCommand() },
  { name: 'tls', load: async () => (await import('./tls.js')).tlsCommand() },
  { name: 'tcp', load: async () => (await import('./tcp.js')).tcpCommand() },
  { name: 'follow', load: async () => (await import('./follow.js')).followCommand() },
  { name: 'stats', load: async () => (await import('./stats.js')).statsCommand() },
  { name: 'interfaces', load: async () => (await import('./interfaces.js')).interfacesCommand() },
  { name: 'fields', load: async () => (await import('./fields.js')).fieldsCommand() },
  { name: 'schema', load: async () => (await import('./schema.js')).schemaCommand() },
  { name: 'filter', load: async () => (await import('./filter.js')).filterCommand() },
  { name: 'completion', load: async () => (await import('./completion.js')).completionCommand() },
  { name: COMPLETE, load: async () => (await import('./completion.js')).completeCommand(COMMANDS) },
];

async function main(): Promise<void> {
  const [wanted] = process.argv.slice(2);
  if (wanted === '-v' || wanted === '--version' || wanted === '-V') {
    process.stdout.write(`${__VERSION__}\n`);
    return;
  }
  const { setFlagsFromString } = await import('node:v8');
  // Next to nothing survives a young collection, so that threads to share it cost more than they save: a twentieth of `read`.
  setFlagsFromString('--no-parallel-scavenge');
  const { Command } = await import('commander');
  const program = new Command('netlens')
    .description('Captures packets and explains them.')
    .version(__VERSION__, '-v, --version', 'print the version')
    .showHelpAfterError('(netlens --help shows the commands)')
    .configureOutput({ outputError: inOurWords })
    .exitOverride();
  const chosen = COMMANDS.filter((command) => command.name === wanted);
  for (const { name, load } of chosen.length > 0 ? chosen : COMMANDS) {
    const command = await load();
    command.showHelpAfterError(`(netlens ${name} --help shows its options)`).configureOutput({ outputError: inOurWords });
    program.addCommand(command.exitOverride(), { hidden: name === COMPLETE });
  }
  await program.parseAsync();
}

/** Messages of commander begin as all others do. */
const inOurWords = (text: string, write: (text: string) => void): void => write(text.replace(/^error: /, 'netlens: '));

/** Known by its code, so that commander is loaded only by what needs it. */
function isOfCommander(error: unknown): error is CommanderError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('commander.');
}

try {
  await main();
} catch (error) {
  // Loaded when it is needed: the version is told in less time than two more files take to load.
  const { NetlensError } = await import('../core/errors.js');
  if (error instanceof NetlensError) {
    const { say } = await import('./terminal.js');
    say(error.message);
    process.exitCode = EXIT[error.code];
  } else if (isOfCommander(error)) {
    // commander has printed its message; anything but a request for help is wrong usage.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else throw error;
}
