/**
 * The secrets of TLS connections, as programs write them when SSLKEYLOGFILE is set, and as pcapng carries them.
 *
 * draft-ietf-tls-keylogfile (RFC 9850): one line a secret, `LABEL <client random> <secret>`, both in hex; `#` begins a comment.
 */
import { hexOf } from '../core/octets.js';

/** Secrets type of a TLS key log in pcapng's Decryption Secrets Block. */
export const TLS_KEY_LOG = 0x544c534b;
/** Most connections that secrets are kept of. */
const MAX_CONNECTIONS = 1 << 20;

const LINE = /^([A-Z0-9_]{1,64}) ([0-9a-fA-F]{64}) ((?:[0-9a-fA-F]{2}){16,64})$/;

/** Secrets of TLS connections, as key log files have them. */
export class KeyLog {
  private readonly connections = new Map<string, Map<string, Uint8Array>>();
  /** Secrets so far: whoever did not find one need not look again before this has grown. */
  count = 0;
  /** Adds what was written since; called when secrets are looked for. */
  refresh: (() => void) | undefined = undefined;

  /** Take the lines of `text`; what is no secret is passed over. Returns how many there were. */
  add(text: string): number {
    const before = this.count;
    for (const line of text.split(/\r?\n/)) {
      const parts = LINE.exec(line.trim());
      if (!parts) continue;
      const random = parts[2]!.toLowerCase();
      let labels = this.connections.get(random);
      if (labels === undefined) {
        if (this.connections.size >= MAX_CONNECTIONS) break;
        this.connections.set(random, (labels = new Map()));
      }
      const secret = new Uint8Array(parts[3]!.length / 2);
      for (let i = 0; i < secret.length; i++) secret[i] = Number.parseInt(parts[3]!.slice(2 * i, 2 * i + 2), 16);
      labels.set(parts[1]!, secret);
      this.count++;
    }
    return this.count - before;
  }

  /** The secret that is called `label` of the connection whose client began with `random`. */
  find(label: string, random: Uint8Array): Uint8Array | undefined {
    return this.count === 0 ? undefined : this.connections.get(hexOf(random))?.get(label);
  }
}
