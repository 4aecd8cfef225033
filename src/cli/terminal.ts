/** What the terminal is like: colour, width, signs. */
import { isatty } from 'node:tty';
import { safeText } from '../core/text.js';
import { Theme } from '../output/theme.js';

/**
 * Is standard output a terminal? Asking `process.stdout` would make a stream of it, and a pipe then no longer waits for its
 * reader: who writes to it himself is told to try again later.
 */
export const isTerminal = (): boolean => isatty(1);

export type ColourChoice = 'auto' | 'always' | 'never';

/** Colours for standard output: the option wins, then NO_COLOR, FORCE_COLOR, then whether it is a terminal that has them. */
export function themeFor(choice: ColourChoice, isColoured = isTerminal()): Theme {
  return new Theme(colourLevel(choice, isColoured));
}

function colourLevel(choice: ColourChoice, isTerminal: boolean): 0 | 1 {
  const { env } = process;
  if (choice === 'never') return 0;
  if (choice === 'always') return 1;
  if (env.NO_COLOR) return 0;
  if (env.FORCE_COLOR || env.CLICOLOR_FORCE) return env.FORCE_COLOR === '0' ? 0 : 1;
  return isTerminal && env.TERM !== 'dumb' ? 1 : 0;
}

/** Columns of the terminal, or 0 when output goes elsewhere. */
export const terminalWidth = (): number => (isTerminal() ? (process.stdout.columns ?? 80) : 0);

/** True when the locale can show signs beyond ASCII. */
export const isUnicodeLocale = (): boolean => {
  const { LC_ALL, LC_CTYPE, LANG } = process.env;
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');
};

/** A message for people, on standard error. */
export function say(message: string): void {
  process.stderr.write(`netlens: ${message.split('\n').map(safeText).join('\n')}\n`);
}
