/** Packets that a message shows a copy of: what an ICMP error quotes, what an sFlow agent sampled. They are no traffic of their own. */
import type { Frame } from '../core/frame.js';
import type { Layer } from '../core/layer.js';
import type { Dissect } from '../core/registry.js';

/**
 * Dissect the copy `[start, end)` that `message` shows. It neither changes conversations nor what the frame is about: the
 * columns go on speaking of `message`, and that a copy is cut short is as it should be.
 */
export function dissectCopy(frame: Frame, message: Layer, start: number, end: number, dissect: Dissect): void {
  if (start >= end || start >= frame.captured) return;
  const { addressing, transport, stopped, fragment } = frame;
  frame.quoted++;
  dissect(frame, start, end);
  frame.quoted--;
  frame.addressing = addressing;
  frame.transport = transport;
  frame.stopped = stopped;
  frame.fragment = fragment;
  frame.headline = message;
}
