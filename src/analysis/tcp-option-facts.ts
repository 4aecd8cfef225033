/** What the analysis reads from a TCP header's options. */
import { u16, u32 } from '../core/octets.js';
import * as Option from '../dissectors/tcp-option-kinds.js';

/** Octets of a SACK option up to the end of its first block. */
const FIRST_BLOCK = 10;

/** Of a segment's options what the analysis needs; one object for all segments, filled anew for each. */
export class OptionFacts {
  timestamps = false;
  tsval = 0;
  tsecr = 0;
  /** Where the SACK option stands and how long it is; 0 when there is none. */
  sackAt = 0;
  sackLength = 0;
  /** Octets in the first three SACK blocks. */
  sackedOctets = 0;
  windowScale = -1;
  mss = 0;
  fastOpenCookie = false;
  accurateEcn = false;
  multipath = 0;
  /** Reading stopped at something that Wireshark's parser cannot bear. */
  broken = false;
  /** The capture cut the options, so what they offer is not known to its end. */
  cut = false;

  clear(): void {
    this.timestamps = false;
    this.sackAt = this.sackLength = this.sackedOctets = this.multipath = this.mss = 0;
    this.windowScale = -1;
    this.fastOpenCookie = this.accurateEcn = this.broken = this.cut = false;
  }

  /** Read options `[from, end)` as far as they were captured. Each step goes at least one octet forward. */
  read(b: Uint8Array, from: number, end: number, captured: number): void {
    const stop = end <= captured ? end : captured;
    this.cut = stop < end;
    // NOP NOP timestamps: what nearly all segments of a running connection carry.
    if (stop - from === 12 && b[from] === 1 && b[from + 1] === 1 && b[from + 2] === 8 && b[from + 3] === 10) {
      this.timestamps = true;
      this.tsval = u32(b, from + 4);
      this.tsecr = u32(b, from + 8);
      return;
    }
    for (let at = from; at < stop; ) {
      const kind = b[at]!;
      if (kind === Option.END) return;
      if (kind === Option.NOP) {
        at++;
        continue;
      }
      const length = at + 1 < stop ? b[at + 1]! : 0;
      if (length < 2 || at + length > end) return;
      if (at + length > stop) {
        // Of a list of blocks each is good by itself.
        if (kind === Option.SACK && at + FIRST_BLOCK <= stop) this.takeBlocks(b, at, stop - at);
        return;
      }
      this.take(b, kind, at, length);
      if (this.broken) return;
      at += length;
    }
  }

  private take(b: Uint8Array, kind: number, at: number, length: number): void {
    switch (kind) {
      case Option.TIMESTAMPS:
        if (length !== 10) return;
        this.timestamps = true;
        this.tsval = u32(b, at + 2);
        this.tsecr = u32(b, at + 6);
        return;
      case Option.SACK:
        this.broken = length < FIRST_BLOCK;
        this.takeBlocks(b, at, length);
        return;
      case Option.WINDOW_SCALE:
        if (length === 3) this.windowScale = Math.min(b[at + 2]!, 14);
        return;
      case Option.MSS:
        if (length === 4) this.mss = u16(b, at + 2);
        return;
      case Option.FAST_OPEN:
        this.fastOpenCookie = length > 2;
        return;
      case Option.EXPERIMENT_1:
      case Option.EXPERIMENT_2:
        if (length > 4 && u16(b, at + 2) === Option.FAST_OPEN_EXPERIMENT) this.fastOpenCookie = true;
        return;
      case Option.ACCURATE_ECN_0:
      case Option.ACCURATE_ECN_1:
        this.accurateEcn = true;
        return;
      case Option.MPTCP:
        if (length >= 3) this.multipath |= 1 << (b[at + 2]! >> 4);
        return;
    }
  }
  private takeBlocks(b: Uint8Array, at: number, length: number): void {
    this.sackAt = at;
    this.sackLength = length;
    for (let i = 0; i < 3 && 2 + 8 * (i + 1) <= length; i++) this.sackedOctets += (u32(b, at + 6 + 8 * i) - u32(b, at + 2 + 8 * i)) | 0;
  }
}
