/** What a conversation speaks, which both directions share: by its ports, else by its first octets. */
import { type Dissect, type Registry, tcpPorts } from '../core/registry.js';
import type { StreamProtocol } from '../core/stream.js';
import type { Side } from './stream-options.js';

/** A stream protocol, a dissector for each segment alone, not known yet, or nothing that we know. */
export type Speaks = StreamProtocol | Dissect | undefined | null;

/** How often another protocol than the port's is looked for: in the first octets of each direction. */
const MAX_REPLACEMENTS = 2;

export class Talk {
  protocol: Speaks = undefined;
  shared: unknown = undefined;
  /** The server's port behind a proxy. */
  tunnelPort: number | undefined = undefined;
  /** A message came: its protocol is the right one. */
  settled = false;
  private tries = 0;
  /** Ports say nothing (any more): the conversation changed its protocol. */
  private changed = false;

  /** From now on another protocol is spoken; undefined: it has to be recognised. */
  become(protocol: StreamProtocol | undefined, shared: unknown): void {
    this.protocol = protocol;
    this.shared = shared;
    this.tries = 0;
    this.changed = true;
    this.settled = false;
  }

  /**
   * The first octets are no message of the protocol that the port is known for: put the one that they begin in its place,
   * unless the user said what the port means.
   */
  replace(registry: Registry, { srcPort, dstPort }: Side, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.settled || this.tries >= MAX_REPLACEMENTS) return false;
    if (registry.isOrdered(tcpPorts, srcPort) || registry.isOrdered(tcpPorts, dstPort)) return false;
    this.tries++;
    for (const protocol of registry.streams)
      if (protocol !== this.protocol && protocol.recognise!(bytes, start, end)) {
        this.become(protocol, undefined);
        return true;
      }
    return false;
  }

  /** Look for the protocol in the first octets of a message, at most `tries` times. */
  find(registry: Registry, side: Side, tries: number, bytes: Uint8Array, start: number, end: number): Speaks {
    if (this.protocol !== undefined) return this.protocol;
    if (this.tries === 0 && !this.changed) this.protocol = byPort(registry, side);
    if (this.protocol !== undefined) return this.protocol;
    for (const protocol of registry.streams) if (protocol.recognise!(bytes, start, end)) return (this.protocol = protocol);
    if (++this.tries >= tries) this.protocol = null;
    return this.protocol;
  }
}

/** What stands in the table of TCP ports, the lower port first: it is the server's as a rule. */
function byPort(registry: Registry, { srcPort, dstPort }: Side): Speaks {
  const low = Math.min(srcPort, dstPort);
  const high = srcPort + dstPort - low;
  if (registry.isOrdered(tcpPorts, high) && !registry.isOrdered(tcpPorts, low)) return registry.get(tcpPorts, high);
  return registry.get(tcpPorts, low) ?? registry.get(tcpPorts, high);
}
