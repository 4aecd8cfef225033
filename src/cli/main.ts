#!/usr/bin/env node
/** The command line: one file a command, each loaded only when it is called. */
import { Command } from 'commander';

declare const __VERSION__: string;

const program = new Command('netlens');
program.description('Captures packets and explains them.').version(__VERSION__, '-v, --version', 'print the version');
program.parse();
