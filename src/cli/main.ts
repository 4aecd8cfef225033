/** The command line: one file a command, each loaded only when it is called. */
import { Command, CommanderError } from 'commander';
import { NetlensError } from '../core/errors.js';
import { say } from './terminal.js';

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

/** Run the command that `args` name, and set the exit status. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    await run(args);
  } catch (error) {
    if (error instanceof NetlensError) {
      say(error.message);
      process.exitCode = EXIT[error.code];
    } else if (error instanceof CommanderError) {
      // commander has printed its message; anything but a request for help is wrong usage.
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    } else throw error;
  }
}

async function run(args: readonly string[]): Promise<void> {
  const [wanted] = args;
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
  await program.parseAsync(args, { from: 'user' });
}

/** Messages of commander begin as all others do. */
const inOurWords = (text: string, write: (text: string) => void): void => write(text.replace(/^error: /, 'netlens: '));
