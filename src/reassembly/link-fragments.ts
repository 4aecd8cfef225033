/**
 * Fragments of a link layer that numbers them and sends them one after the other, put together: 802.11.
 *
 * IEEE 802.11-2020 section 10.5 (defragmentation): in order, each acknowledged before the next is sent, and no more than
 * sixteen of a frame.
 */
import type { Frame } from '../core/frame.js';
import type { LinkFragment, LinkWhole } from '../core/session.js';

/** Unfinished frames that are remembered; the oldest makes room. */
const MOST_FRAMES = 1024;
/** Octets of a fragment, and of all that are kept. */
const MOST_OCTETS = 1 << 16;
const MOST_HELD = 8 << 20;
/** Seconds of packet time for which a frame is waited for: stations give up after half a second. */
const PATIENCE = 10;

interface Unfinished {
  readonly seconds: number;
  readonly frames: number[];
  readonly parts: Uint8Array[];
  length: number;
}

/** The unfinished frames of a session. */
export class LinkFragments {
  /** In the order of their first fragments. */
  private readonly unfinished = new Map<string, Unfinished>();
  private held = 0;

  /** Take a fragment, all of which was captured; what it completes, if it does. */
  add(frame: Frame, { key, number, more, again, start, end }: LinkFragment): LinkWhole | undefined {
    let entry = this.unfinished.get(key);
    if (entry !== undefined && (frame.seconds - entry.seconds > PATIENCE || (number === 0 && !again))) {
      this.forget(key, entry);
      entry = undefined;
    }
    // What came already was not heard by its receiver.
    if (entry !== undefined && number < entry.parts.length) return undefined;
    if (entry === undefined) {
      if (number > 0 || !more) return undefined;
      this.unfinished.set(key, (entry = { seconds: frame.seconds, frames: [], parts: [], length: 0 }));
    }
    if (number !== entry.parts.length || end - start > MOST_OCTETS) {
      this.forget(key, entry);
      return undefined;
    }
    // Copied: the frame's octets are overwritten by the next read.
    entry.parts.push(frame.bytes.slice(start, end));
    entry.frames.push(frame.number);
    entry.length += end - start;
    this.held += end - start;
    if (more) {
      this.makeRoom();
      return undefined;
    }
    this.forget(key, entry);
    return { data: putTogether(entry), frames: entry.frames };
  }

  private makeRoom(): void {
    for (const [key, entry] of this.unfinished) {
      if (this.unfinished.size <= MOST_FRAMES && this.held <= MOST_HELD) return;
      this.forget(key, entry);
    }
  }

  private forget(key: string, entry: Unfinished): void {
    this.unfinished.delete(key);
    this.held -= entry.length;
  }
}

function putTogether({ parts, length }: Unfinished): Uint8Array {
  const data = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return data;
}
