/** Which OpenVPN connection a UDP datagram belongs to: one a pair of ends. */
import type { Frame } from '../core/frame.js';
import { OpenVpnTalk } from '../dissectors/openvpn.js';
import { Udp } from '../dissectors/udp.js';

/** Most pairs of ends that are followed; the one that was quiet longest is forgotten first. */
const MAX_TALKS = 10_000;

export class OpenVpnConnections {
  private readonly talks = new Map<number, OpenVpnTalk>();

  /** What goes on between the ends of the datagram under dissection; a quoted one belongs to none. */
  of(frame: Frame): OpenVpnTalk | undefined {
    const udp = frame.transport;
    if (!(udp instanceof Udp) || udp.stream < 0 || frame.quoted > 0) return undefined;
    let talk = this.talks.get(udp.stream);
    if (talk === undefined) {
      talk = new OpenVpnTalk(Math.max(udp.srcPort, udp.dstPort));
      if (this.talks.size >= MAX_TALKS) this.talks.delete(this.talks.keys().next().value!);
    } else this.talks.delete(udp.stream);
    // A map keeps the order of insertion, so the first is the one that was used longest ago.
    this.talks.set(udp.stream, talk);
    return talk;
  }
}
