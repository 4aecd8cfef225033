/** TCP segments for tests, written as `192.0.2.1:40000 > 192.0.2.2:80 SA seq=1 ack=2 win=1000 len=5 ttl=64 id=7 opt=020405b4`. */
import type { CaptureInterface } from '../../src/capture/source.js';
import { parseIpv4 } from '../../src/core/addresses.js';

/** IPv4 without a link header. */
export const RAW_IP: CaptureInterface = {
  id: undefined,
  linkType: 228,
  snapLength: 0,
  name: undefined,
  description: undefined,
  section: undefined,
  fcsLength: undefined,
};

const FLAGS = 'FSRPAUECN';

/** An IPv4 datagram with a segment; `len` octets of payload that count up from the sequence number. Options are padded with zeros. */
export function segment(line: string): Uint8Array {
  const [, source, sport, destination, dport, letters, rest] = /^(\S+):(\d+) > (\S+):(\d+) ([A-Z]+|-)\s*(.*)$/.exec(line)!;
  const value = (name: string, otherwise: number) => Number(new RegExp(`\\b${name}=(\\d+)`).exec(rest!)?.[1] ?? otherwise);
  const options = /\bopt=([0-9a-f]+)/.exec(rest!)?.[1] ?? '';
  const optionLength = Math.ceil(options.length / 8) * 4;
  const length = value('len', 0);
  const octets = new Uint8Array(40 + optionLength + length);
  const view = new DataView(octets.buffer);
  octets[0] = 0x45;
  view.setUint16(2, octets.length);
  view.setUint16(4, value('id', 0));
  octets[8] = value('ttl', 64);
  octets[9] = 6;
  view.setUint32(12, parseIpv4(source!)!);
  view.setUint32(16, parseIpv4(destination!)!);
  view.setUint16(20, Number(sport));
  view.setUint16(22, Number(dport));
  view.setUint32(24, value('seq', 0));
  view.setUint32(28, value('ack', 0));
  let flags = 0;
  for (const letter of letters!) if (letter !== '-') flags |= 1 << FLAGS.indexOf(letter);
  view.setUint16(32, ((20 + optionLength) << 10) | flags);
  view.setUint16(34, value('win', 1000));
  for (let i = 0; i < options.length; i += 2) octets[40 + i / 2] = Number.parseInt(options.slice(i, i + 2), 16);
  for (let i = 0; i < length; i++) octets[40 + optionLength + i] = value('seq', 0) + i;
  return octets;
}
