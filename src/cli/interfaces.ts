/** `netlens interfaces`: what can be captured from. */
import { Command } from 'commander';
import { listInterfaces, type NetworkInterface } from '../capture/live.js';
import { alignColumns } from '../report/table.js';
import { Sink } from './sink.js';

const flagText = (flags: NetworkInterface['flags']): string =>
  [
    flags.up ? 'up' : 'down',
    flags.running && 'running',
    flags.loopback && 'loopback',
    flags.wireless && 'wireless',
    flags.connected === false && 'disconnected',
  ]
    .filter((flag) => flag !== false)
    .join(', ');

export function interfacesCommand(): Command {
  return new Command('interfaces')
    .description('list the interfaces that can be captured from')
    .option('--json', 'one JSON object a line')
    .action(async (options: { json?: boolean }) => {
      const interfaces = await listInterfaces();
      const sink = new Sink();
      const rows = interfaces.map(({ name, flags, addresses, description }) => [
        name,
        flagText(flags),
        addresses.map((a) => (a.prefixLength === undefined ? a.address : `${a.address}/${a.prefixLength}`)).join(' '),
        description ?? '',
      ]);
      if (options.json)
        for (const [name, flags, addresses, description] of rows)
          sink.record({ type: 'interface', name, flags: flags!.split(', '), addresses: addresses!.split(' '), description });
      else for (const line of alignColumns(rows)) sink.line(line);
      await sink.end();
    });
}
