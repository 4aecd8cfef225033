/**
 * What a protocol of your own is written with; hand its entry to `open` as one of `protocols`.
 *
 * @example
 * import { open } from 'netlens';
 * import { layer, type ProtocolEntry, type TextBuffer, uint8, udpPorts } from 'netlens/protocol';
 * class Beacon extends layer('beacon', 'Beacon', { version: uint8('beacon.version', 'Version', 0) }) {
 *   override summary(out: TextBuffer) {
 *     out.ascii('version ');
 *     out.number(this.version);
 *   }
 * }
 * const beacon: ProtocolEntry = {
 *   name: 'beacon',
 *   layers: [Beacon],
 *   on: [udpPorts.at(33434, (frame, start, end) => void frame.add(new Beacon(frame, start, end), 1))],
 * };
 * for await (const frame of open('fixtures/traceroute.pcap', { protocols: [beacon] })) console.log(frame.get(Beacon)?.version);
 *
 * @module
 */
export * from './core/field.js';
export { type Addressing, Frame, type Stop } from './core/frame.js';
export { Layer, type LayerClass, layer, type Mood, type Protocol, Tree, TreeNode } from './core/layer.js';
export { hexOf, latin1Of, textOf, u8, u16, u16le, u24, u24le, u32, u32le, u48, u64, u64le } from './core/octets.js';
export {
  type DecodeAs,
  type Dissect,
  type Entry,
  etherTypes,
  ipProtocols,
  linkTypes,
  llcSaps,
  type ProtocolEntry,
  pppProtocols,
  type Recogniser,
  Registry,
  type Table,
  tcpPorts,
  udpPorts,
} from './core/registry.js';
export { ALIEN, MORE, type StreamContext, type StreamParser, type StreamProtocol } from './core/stream.js';
export { TextBuffer } from './core/text.js';
