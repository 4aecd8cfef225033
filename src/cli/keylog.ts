/** The file of TLS secrets that `--keylog` names. */
import { openSync, readSync } from 'node:fs';
import { KeyLog } from '../analysis/tls-keylog.js';
import { NetlensError } from '../core/errors.js';

/** Milliseconds between looks at a file that a program may be writing. */
const INTERVAL = 50;
const CHUNK = 1 << 16;

/** A key log file, read to its end; {@link more} takes what was written since. */
export class KeyLogFile {
  readonly log = new KeyLog();
  private position = 0;
  /** Octets of a line whose end is not written yet. */
  private rest = '';
  private looked = 0;
  /** Kept open: whoever captures gives up the right to open it again. */
  private readonly file: number;

  /** @throws NetlensError `unreadable` */
  constructor(path: string) {
    try {
      this.file = openSync(path, 'r');
      this.take();
    } catch (error) {
      throw new NetlensError('unreadable', `${path}: ${(error as Error).message}`);
    }
  }

  /** Read what the file has grown by, not more often than is useful; a file that went away is left at that. */
  more(): void {
    const now = Date.now();
    if (now - this.looked < INTERVAL) return;
    try {
      this.take();
    } catch {
      // It was readable, so what it said stands.
    }
    this.looked = now;
  }

  private take(): void {
    const chunk = Buffer.alloc(CHUNK);
    for (;;) {
      const n = readSync(this.file, chunk, 0, CHUNK, this.position);
      if (n === 0) break;
      this.position += n;
      const text = this.rest + chunk.toString('latin1', 0, n);
      const end = text.lastIndexOf('\n') + 1;
      this.rest = text.slice(end, end + CHUNK);
      this.log.add(text.slice(0, end));
    }
    // The last line of a file may have no end.
    if (this.log.add(this.rest) > 0) this.rest = '';
  }
}
