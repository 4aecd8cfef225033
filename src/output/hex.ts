/** Octets as hex and text beside it: `-x`. */
import type { Frame } from '../core/frame.js';
import type { TextBuffer } from '../core/text.js';

const ROW = 16;

/** Write `bytes[from, to)`, sixteen octets a line, and an empty line. */
export function writeHex(out: TextBuffer, bytes: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to; at += ROW) {
    out.hex(at - from, 4);
    out.ascii('  ');
    const end = Math.min(at + ROW, to);
    for (let i = at; i < at + ROW; i++) {
      if (i < end) out.hex(bytes[i]!, 2);
      else out.ascii('  ');
      out.ascii(i === at + 7 ? '  ' : ' ');
    }
    out.byte(32);
    for (let i = at; i < end; i++) out.byte(bytes[i]! >= 0x20 && bytes[i]! < 0x7f ? bytes[i]! : 46);
    out.byte(10);
  }
  out.byte(10);
}

/** The octets of a frame, then those of every reassembled source that its layers stand in. */
export function writeOctets(out: TextBuffer, frame: Frame): void {
  writeHex(out, frame.own, frame.start, frame.ownCaptured);
  const seen = new Set([frame.own]);
  for (const layer of frame.layers) {
    if (seen.has(layer.bytes)) continue;
    seen.add(layer.bytes);
    out.text(`reassembled, from ${layer.protocol.label} on:`);
    out.byte(10);
    writeHex(out, layer.bytes, layer.start, layer.captured);
  }
}
