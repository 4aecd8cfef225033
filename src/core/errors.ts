/** Errors that a user can act on. */

/** What kind of trouble; the CLI turns it into an exit status. */
export type NetlensErrorCode =
  /** Wrong options or arguments, wrong filter: exit 2. */
  | 'usage'
  /** A file that cannot be opened or read: exit 2. */
  | 'unreadable'
  /** Not a capture, or a kind that is not known: exit 2. */
  | 'unknown-format'
  /** No such interface, no permission, no driver: exit 4. */
  | 'interface';

/** Bad input or options. The message says what, where and what to do; nothing else needs to be printed. */
export class NetlensError extends Error {
  constructor(
    readonly code: NetlensErrorCode,
    message: string,
    /** Where in the input: octet of a file, column of a filter (from 0). */
    readonly at?: number,
  ) {
    super(message);
    this.name = 'NetlensError';
  }
}
