import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { type CommandEntry, candidatesFor } from '../../src/cli/completion.js';
import { fieldsCommand } from '../../src/cli/fields.js';
import { filterCommand } from '../../src/cli/filter.js';
import { readCommand } from '../../src/cli/read.js';

const COMMANDS: readonly CommandEntry[] = [
  { name: 'read', load: async () => readCommand() },
  { name: 'fields', load: async () => fieldsCommand() },
  { name: 'filter', load: async () => filterCommand() },
  { name: 'complete', load: async () => new Command('complete') },
];
const offered = async (...words: string[]) => (await candidatesFor(words, COMMANDS)).map(({ word }) => word);

describe('completion', () => {
  it('offers commands, but not its own', async () => {
    expect(await offered('')).toEqual(['read', 'fields', 'filter']);
    expect(await offered('fi')).toEqual(['fields', 'filter']);
  });
  it('offers options and their choices', async () => {
    expect(await offered('read', '--disp')).toEqual(['--display-filter']);
    expect(await offered('read', 'x.pcap', '--color', 'a')).toEqual(['auto', 'always']);
  });
  it('offers fields where fields stand, inside filters too', async () => {
    expect(await offered('read', '-e', 'ip.dsfield.e')).toEqual(['ip.dsfield.ecn']);
    expect(await offered('read', '-Y', 'tcp.flags.sy')).toEqual(['tcp.flags.syn']);
    expect(await offered('read', '-Y', 'ip && tcp.flags.sy')).toEqual(['ip && tcp.flags.syn']);
    expect(await offered('filter', 'tcp.flags.sy')).toEqual(['tcp.flags.syn']);
    expect(await offered('fields', 'tcp.flags.sy')).toEqual(['tcp.flags.syn']);
  });
  it('leaves files to the shell', async () => {
    expect(await offered('read', '')).toEqual([]);
    expect(await offered('read', '-w', '')).toEqual([]);
    expect(await offered('nothing', '')).toEqual([]);
  });
});
