/**
 * IP fragments put together to datagrams.
 *
 * RFC 791 section 3.2, RFC 8200 section 4.5. Where fragments overlap, the octets of the one with the lower offset count;
 * the others are reported. A datagram is complete when octets 0 to the end that the first tail gave are all there; it is
 * then forgotten, so a fragment that comes again opens a new one.
 */
import type { Frame } from '../core/frame.js';
import { ipProtocols } from '../core/registry.js';
import type { Datagram, Fragment, FragmentPart } from '../core/session.js';

export interface FragmentLimits {
  /** Octets kept of all unfinished datagrams. Default 32 MiB. */
  readonly octets?: number;
  /** Unfinished datagrams. Default 16 384. */
  readonly datagrams?: number;
  /** Seconds of packet time after its first fragment for which a datagram is waited for. Default 60 (RFC 8200 section 4.5). */
  readonly seconds?: number;
}

/** A datagram of 65 535 octets in the smallest fragments, and as many repeats again; more is an attack. */
const MOST_PARTS = 16_384;
/** What a kept fragment costs besides its octets. */
const OVERHEAD = 96;

interface Kept {
  readonly frame: number;
  readonly offset: number;
  readonly data: Uint8Array;
  readonly otherTail: boolean;
}

class Unfinished {
  /** By offset; equal ones as they came. */
  readonly parts: Kept[] = [];
  /** Where the first tail ends; -1 before it came. */
  length = -1;
  /** Octets of all parts. */
  held = 0;
  constructor(
    readonly key: string,
    /** Packet time in seconds of the first fragment. */
    readonly since: number,
  ) {}
}

/** The unfinished datagrams of a session. */
export class Fragments {
  private readonly unfinished = new Map<string, Unfinished>();
  private readonly most: Required<FragmentLimits>;
  private held = 0;
  /** Datagrams given up: too old, or too many. */
  dropped = 0;

  constructor(limits: FragmentLimits = {}) {
    this.most = { octets: limits.octets ?? 32 << 20, datagrams: limits.datagrams ?? 16_384, seconds: limits.seconds ?? 60 };
  }

  /** Datagrams that are waited for, and the memory they take in octets. */
  get waiting(): { readonly datagrams: number; readonly octets: number } {
    return { datagrams: this.unfinished.size, octets: this.held };
  }

  /** Take a fragment; when its datagram is whole, dissect it as part of `frame` and return true. */
  add(frame: Frame, fragment: Fragment): boolean {
    const whole = this.take(frame, fragment);
    if (!whole) return false;
    fragment.layer.datagram = whole;
    frame.within(whole.data, 0, whole.data.length, (inner, start, end) => inner.dispatch(ipProtocols, fragment.protocol, start, end));
    return true;
  }

  private take(frame: Frame, { layer, start, end, offset, more, key }: Fragment): Datagram | undefined {
    let entry = this.unfinished.get(key);
    if (entry && frame.seconds - entry.since > this.most.seconds) {
      this.drop(entry);
      entry = undefined;
    }
    if (!entry) {
      entry = new Unfinished(key, frame.seconds);
      this.unfinished.set(key, entry);
    }
    const length = end - start;
    let otherTail = false;
    if (!more) {
      if (entry.length < 0) entry.length = offset + length;
      else otherTail = entry.length !== offset + length;
    }
    // The octets are copied: the frame's are overwritten by the next read.
    insert(entry.parts, { frame: frame.number, offset, data: layer.bytes.slice(start, end), otherTail });
    entry.held += length;
    this.held += length + OVERHEAD;
    if (isWhole(entry)) {
      this.forget(entry);
      return putTogether(entry);
    }
    if (entry.parts.length >= MOST_PARTS) this.drop(entry);
    this.makeRoom(frame.seconds);
    return undefined;
  }

  /** Give up what is too old, and the oldest when there is too much. The map is in the order of first fragments. */
  private makeRoom(now: number): void {
    for (const entry of this.unfinished.values()) {
      const tooMuch = this.unfinished.size > this.most.datagrams || this.held > this.most.octets;
      if (!tooMuch && now - entry.since <= this.most.seconds) return;
      this.drop(entry);
    }
  }

  private drop(entry: Unfinished): void {
    this.dropped++;
    this.forget(entry);
  }

  private forget(entry: Unfinished): void {
    this.unfinished.delete(entry.key);
    this.held -= entry.held + entry.parts.length * OVERHEAD;
  }
}

/** Into its place by offset, behind equal ones. Fragments come in order as a rule, so the place is sought from the end. */
function insert(parts: Kept[], part: Kept): void {
  let at = parts.length;
  while (at > 0 && parts[at - 1]!.offset > part.offset) at--;
  if (at === parts.length) parts.push(part);
  else parts.splice(at, 0, part);
}

/** Are octets 0 to the end there without a gap? */
function isWhole({ parts, length, held }: Unfinished): boolean {
  if (length < 0 || held < length) return false;
  let reached = 0;
  for (const { offset, data } of parts) {
    if (offset > reached) break;
    reached = Math.max(reached, offset + data.length);
  }
  return reached >= length;
}

/** The datagram of parts that cover it. */
function putTogether({ parts, length }: Unfinished): Datagram {
  const data = new Uint8Array(length);
  let reached = 0;
  const said: FragmentPart[] = parts.map(({ frame, offset, data: octets, otherTail }) => {
    const tooLong = offset + octets.length > length;
    let overlap = false;
    let conflict = false;
    if (offset < length) {
      const fits = Math.min(octets.length, length - offset);
      const twice = Math.min(fits, reached - offset);
      overlap = twice > 0;
      for (let i = 0; i < twice && !conflict; i++) conflict = data[offset + i] !== octets[i];
      if (offset + fits > reached) {
        data.set(octets.subarray(reached - offset, fits), reached);
        reached = offset + fits;
      }
    }
    return { frame, offset, length: octets.length, overlap, conflict, otherTail, tooLong };
  });
  return { data, parts: said };
}
