/**
 * Which hardware address holds which IPv4 address, as ARP messages say, and who says otherwise later.
 *
 * RFC 5227 section 2.4: a conflict is a message whose sender address is ours and whose hardware address is not.
 */
import type { Frame } from '../core/frame.js';
import { u16, u32, u48 } from '../core/octets.js';
import type { Arp, DuplicateUse } from '../dissectors/arp.js';

/** IPv4 addresses remembered; beyond it those forgotten first are the ones seen first. */
const MOST_BINDINGS = 65536;

const REQUEST = 1;
const REPLY = 2;
const BROADCAST = 0xffff_ffff_ffff;
/** Of a hardware address: it is that of a group. */
const GROUP_BIT = 0x0100_0000_0000;

interface Binding {
  readonly hardware: number;
  frame: number;
  seconds: number;
}

/** One table for a capture, whatever VLAN or interface a message came by. */
export class ArpBindings {
  private readonly bindings = new Map<number, Binding>();

  /** Look at a whole message with Ethernet and IPv4 addresses, and tell it of the conflicts found. */
  see(frame: Frame, arp: Arp): void {
    const { bytes, start } = arp;
    const opcode = u16(bytes, start + 6);
    if (opcode !== REQUEST && opcode !== REPLY) return;
    const senderIp = u32(bytes, start + 14);
    const targetHardware = u48(bytes, start + 18);
    const targetIp = u32(bytes, start + 24);
    const found: DuplicateUse[] = [];
    let last = this.check(frame, senderIp, u48(bytes, start + 8), found);
    // A reply names its receiver too; a request's target hardware address means nothing.
    if (opcode === REPLY && senderIp !== targetIp && targetHardware !== 0 && targetHardware !== BROADCAST)
      last = this.check(frame, targetIp, targetHardware, found);
    if (found.length > 0) arp.duplicateUses = found;
    if (last) arp.disputed = found[found.length - 1]!.address;
  }

  /** True, and a find more, when `address` is bound to other hardware. */
  private check(frame: Frame, address: number, hardware: number, found: DuplicateUse[]): boolean {
    // A probe comes from 0.0.0.0, which is nobody's; a group's hardware address is shared on purpose by a cluster of hosts.
    if (address === 0 || Math.floor(hardware / GROUP_BIT) % 2 === 1) return false;
    const binding = this.bindings.get(address);
    if (binding === undefined) {
      if (this.bindings.size >= MOST_BINDINGS) this.bindings.delete(this.bindings.keys().next().value!);
      this.bindings.set(address, { hardware, frame: frame.number, seconds: frame.seconds });
      return false;
    }
    if (binding.hardware === hardware) {
      binding.frame = frame.number;
      binding.seconds = frame.seconds;
      return false;
    }
    // The first claim stands: whoever comes later is the one in conflict, each time.
    found.push({ address, frame: binding.frame, seconds: Math.max(0, frame.seconds - binding.seconds) });
    return true;
  }
}
