import { expect, it } from 'vitest';
import type { Frame } from '../src/core/frame.js';
import { TextBuffer } from '../src/core/text.js';
import { open } from '../src/frames.js';
import { writeOctets } from '../src/output/hex.js';
import { JsonWriter } from '../src/output/json.js';

const json = new JsonWriter({ octets: true });

/** All that a frame says, with its octets. */
function everything(frame: Frame): string {
  const out = new TextBuffer();
  json.write(out, frame);
  writeOctets(out, frame);
  return out.toString();
}

it.each(['http', 'fragments', 'redis', 'dns', 'quic', 'tls', 'dtls', 'stun', 'proxy', 'websocket', 'modbus', 'http2', 'http3'])(
  'a kept frame of %s says the same when the capture has moved on',
  async (name) => {
    const path = new URL(`../fixtures/${name}.pcap${name === 'http3' ? 'ng' : ''}`, import.meta.url).pathname;
    const said: string[] = [];
    const kept: Frame[] = [];
    for await (const frame of open(path)) {
      said.push(everything(frame));
      kept.push(frame.keep());
      // The reader may use these octets for anything now.
      frame.own.fill(0xee, frame.start, frame.ownCaptured);
    }
    for (const [i, frame] of kept.entries()) expect(everything(frame)).toBe(said[i]);
  },
);
