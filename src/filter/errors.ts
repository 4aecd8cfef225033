/** Errors in a display filter: what is wrong, in which column, with the place marked under the filter. */
import { NetlensError } from '../core/errors.js';

/** A stretch of the filter's text, columns from 0. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Thrown by lexer, parser and checker; {@link located} adds the picture. */
export class FilterError extends Error {
  constructor(
    message: string,
    readonly span: Span,
  ) {
    super(message);
  }
}

/** The error as a user sees it: the message, the filter, and a mark under the words that are meant. */
export function located(error: FilterError, text: string): NetlensError {
  const { from, to } = error.span;
  const shown = text.replace(/[\r\n\t]/g, ' ');
  const marks = '^'.repeat(Math.max(1, Math.min(to, text.length) - from));
  return new NetlensError(
    'usage',
    `display filter, column ${from + 1}: ${error.message}\n    ${shown}\n    ${' '.repeat(from)}${marks}`,
    from,
  );
}
