/**
 * sFlow: a switch or host tells a collector of packets that it sampled, with their first octets, and of its counters.
 *
 * "sFlow Version 5" (sFlow.org, July 2004) section 5: datagrams, samples, records, all in XDR.
 *
 *     0         4              8        8+a          12+a       16+a     20+a
 *     | version | address type | agent  | sub-agent  | sequence | uptime | samples: format (4), length (4), …
 *
 *     flow sample:    | sequence | source | rate | pool | drops | input | output | records: format, length, …
 *     counter sample: | sequence | source | records …                     source and interfaces in two words if expanded
 *     raw header:     | protocol | frame length | stripped | header length | header …
 */
import { bits, bytes, flag, ipv4, ipv6, list, uint32, uint64 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u32 } from '../core/octets.js';
import { type Dissect, etherTypes, linkTypes, type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { dissectCopy } from './copied.js';

const PORT = 6343;
const VERSION = 5;
const IPV4_AGENT = 1;
const IPV6_AGENT = 2;

const FLOW = 1;
const COUNTERS = 2;
const EXPANDED_FLOW = 3;
const EXPANDED_COUNTERS = 4;
const SAMPLE: Readonly<Record<number, string>> = {
  [FLOW]: 'Flow sample',
  [COUNTERS]: 'Counters sample',
  [EXPANDED_FLOW]: 'Expanded flow sample',
  [EXPANDED_COUNTERS]: 'Expanded counters sample',
};
const RAW_HEADER = 1;
const FLOW_RECORD: Readonly<Record<number, string>> = {
  [RAW_HEADER]: 'Raw packet header',
  2: 'Ethernet frame data',
  3: 'IPv4 data',
  4: 'IPv6 data',
  1001: 'Extended switch data',
  1002: 'Extended router data',
  1003: 'Extended gateway data',
  1004: 'Extended user data',
  1005: 'Extended URL data',
  1006: 'Extended MPLS data',
  1007: 'Extended NAT data',
};
const INTERFACE_COUNTERS = 1;
const COUNTERS_RECORD: Readonly<Record<number, string>> = {
  [INTERFACE_COUNTERS]: 'Generic interface counters',
  2: 'Ethernet interface counters',
  3: 'Token ring counters',
  4: '100 Base VG interface counters',
  5: 'VLAN counters',
  1001: 'Processor information',
};
const HEADER: Readonly<Record<number, string>> = {
  1: 'Ethernet',
  2: 'Token bus',
  3: 'Token ring',
  4: 'FDDI',
  5: 'Frame Relay',
  6: 'X.25',
  7: 'PPP',
  8: 'SMDS',
  9: 'AAL5',
  10: 'AAL5-IP',
  11: 'IPv4',
  12: 'IPv6',
  13: 'MPLS',
  14: 'POS',
};
/** Link types of sampled headers, and EtherTypes of those that are packets without one. */
const HEADER_LINK: Readonly<Record<number, number>> = { 1: 1, 4: 10, 5: 107, 7: 9, 14: 50 };
const HEADER_TYPE: Readonly<Record<number, number>> = { 11: 0x0800, 12: 0x86dd, 13: 0x8847 };

/** The organisation in the upper 20 bits of a format, 0 for sFlow.org; the number in the lower 12. */
const enterpriseOf = (format: number): number => format >>> 12;
const numberOf = (format: number): number => format & 0xfff;

/** Octets of the fixed part of a sample, and where in it the number of its records stands. */
const SAMPLE_LENGTH: Readonly<Record<number, number>> = { [FLOW]: 32, [COUNTERS]: 12, [EXPANDED_FLOW]: 44, [EXPANDED_COUNTERS]: 16 };
const isFlow = (kind: number): boolean => kind === FLOW || kind === EXPANDED_FLOW;

const record = {
  enterprise: bits('sflow.enterprise', 'Enterprise', undefined, 32, 0xfffff000),
  flowFormat: bits('sflow_245.flow_record_format', 'Format', undefined, 32, 0x00000fff, { values: FLOW_RECORD }),
  countersFormat: bits('sflow_245.counters_record_format', 'Format', undefined, 32, 0x00000fff, { values: COUNTERS_RECORD }),
  length: uint32('sflow.enterprise.length', 'Length', { unit: 'bytes' }),
  headerProtocol: uint32('sflow_245.header_protocol', 'Header protocol', { values: HEADER }),
  frameLength: uint32('sflow_245.header.frame_length', 'Frame Length', { unit: 'bytes' }),
  stripped: uint32('sflow_245.header.payload_stripped', 'Payload stripped', { unit: 'bytes' }),
  headerLength: uint32('sflow_245.header.sampled_header_length', 'Sampled header length', { unit: 'bytes' }),
  header: bytes('sflow_245.header', 'Header of sampled packet'),
  interface: uint32('sflow_245.ifindex', 'Interface index'),
  interfaceType: uint32('sflow_245.iftype', 'Interface Type'),
  speed: uint64('sflow_245.ifspeed', 'Interface Speed'),
  direction: uint32('sflow_245.ifdirection', 'Interface Direction', { values: { 1: 'Full-Duplex', 2: 'Half-Duplex', 3: 'In', 4: 'Out' } }),
  adminStatus: flag('sflow_245.ifadmin_status', 'IfAdminStatus', undefined, 1, 32, { flags: ['Up', 'Down'] }),
  operationStatus: flag('sflow_245.ifoper_status', 'IfOperStatus', undefined, 2, 32, { flags: ['Up', 'Down'] }),
  inOctets: uint64('sflow_245.ifinoct', 'Input Octets'),
  inPackets: uint32('sflow_245.ifinpkt', 'Input Packets'),
  inMulticast: uint32('sflow_245.ifinmcast', 'Input Multicast Packets'),
  inBroadcast: uint32('sflow_245.ifinbcast', 'Input Broadcast Packets'),
  inDiscards: uint32('sflow_245.ifindisc', 'Input Discarded Packets'),
  inErrors: uint32('sflow_245.ifinerr', 'Input Errors'),
  inUnknown: uint32('sflow_245.ifinunk', 'Input Unknown Protocol Packets'),
  outOctets: uint64('sflow_245.ifoutoct', 'Output Octets'),
  outPackets: uint32('sflow_245.ifoutpkt', 'Output Packets'),
  outMulticast: uint32('sflow_245.ifoutmcast', 'Output Multicast Packets'),
  outBroadcast: uint32('sflow_245.ifoutbcast', 'Output Broadcast Packets'),
  outDiscards: uint32('sflow_245.ifoutdisc', 'Output Discarded Packets'),
  outErrors: uint32('sflow_245.ifouterr', 'Output Errors'),
  promiscuous: uint32('sflow_245.ifpromisc', 'Promiscuous Mode'),
  data: bytes('sflow.enterprise.data', 'Data'),
};
const records = list('netlens.sflow.record', 'Records', record);

const sample = {
  enterprise: bits('sflow.enterprise', 'Enterprise', undefined, 32, 0xfffff000),
  type: bits('sflow_245.sampletype', 'sFlow sample type', undefined, 32, 0x00000fff, { values: SAMPLE }),
  length: uint32('sflow_5.sample_length', 'Sample length (byte)', { unit: 'bytes' }),
  flowSequence: uint32('sflow.flow_sample.sequence_number', 'Sequence number'),
  flowSourceClass: bits('sflow.flow_sample.source_id_class', 'Source ID class', undefined, 32, 0xff000000),
  flowIndex: bits('sflow.flow_sample.index', 'Index', undefined, 32, 0x00ffffff),
  flowSourceType: uint32('sflow.flow_sample.source_id_type', 'Source ID type'),
  flowSourceIndex: uint32('sflow.flow_sample.source_id_index', 'Source ID index'),
  rate: uint32('sflow.flow_sample.sampling_rate', 'Sampling rate', { unit: 'packets a sample' }),
  pool: uint32('sflow.flow_sample.sample_pool', 'Sample pool', { unit: 'packets' }),
  drops: uint32('sflow.flow_sample.dropped_packets', 'Dropped packets'),
  input: uint32('sflow.flow_sample.input_interface', 'Input interface (ifIndex)'),
  severalOutputs: flag('sflow.flow_sample.multiple_outputs', 'Multiple outputs', undefined, 0x80000000, 32),
  output: bits('sflow.flow_sample.output_interface', 'Output interface (ifIndex)', undefined, 32, 0x7fffffff),
  inputFormat: uint32('sflow.flow_sample.input_interface_format', 'Input interface format'),
  inputValue: uint32('sflow.flow_sample.input_interface_value', 'Input interface value'),
  outputFormat: uint32('sflow.flow_sample.output_interface_format', 'Output interface format'),
  outputValue: uint32('sflow.flow_sample.output_interface_value', 'Output interface value'),
  flowRecords: uint32('sflow.flow_sample.flow_record', 'Flow record'),
  countersSequence: uint32('sflow.counters_sample.sequence_number', 'Sequence number'),
  countersSourceType: bits('sflow.counters_sample.source_id_type', 'Source ID type', undefined, 32, 0xff000000),
  countersSourceIndex: bits('sflow.counters_sample.source_id_index', 'Source ID index', undefined, 32, 0x00ffffff),
  countersSourceClass: uint32('sflow.counters_sample.source_id_class', 'Source ID class'),
  countersIndex: uint32('sflow.counters_sample.index', 'Index'),
  countersRecords: uint32('sflow.counters_sample.counters_records', 'Counters records'),
  records,
};
const samples = list('netlens.sflow.sample', 'Samples', sample);

/** Octets of the agent's address; undefined for a type that does not exist. */
function agentLength(l: Layer): number | undefined {
  if (l.start + 8 > l.captured) return undefined;
  const type = u32(l.bytes, l.start + 4);
  return type === IPV4_AGENT ? 4 : type === IPV6_AGENT ? 16 : undefined;
}
const behindAgent = (l: Layer): number => 8 + (agentLength(l) ?? 0);
/** Fixed rows of version 5 stand behind an address of one of two lengths. */
const KNOWN = { when: (l: Layer) => u32(l.bytes, l.start) === VERSION && agentLength(l) !== undefined } as const;

const fields = {
  version: uint32('sflow_245.version', 'Datagram version', 0),
  agentType: uint32('sflow_245.agenttype', 'Agent address type', 4, { values: { 1: 'IPv4', 2: 'IPv6' } }),
  agent4: ipv4('sflow_245.agent', 'Agent address', 8, { when: (l) => agentLength(l) === 4 }),
  agent6: ipv6('sflow_245.agent.v6', 'Agent address', 8, { when: (l) => agentLength(l) === 16 }),
  subAgent: uint32('sflow_245.sub_agent_id', 'Sub-agent ID', behindAgent, KNOWN),
  sequence: uint32('sflow_245.sequence_number', 'Sequence number', (l) => behindAgent(l) + 4, KNOWN),
  uptime: uint32('sflow_245.sysuptime', 'SysUptime', (l) => behindAgent(l) + 8, { ...KNOWN, unit: 'ms' }),
  sampleCount: uint32('sflow_245.numsamples', 'NumSamples', (l) => behindAgent(l) + 12, KNOWN),
  samples,
};

/** An sFlow datagram with its samples. */
export class Sflow extends layer('sflow', 'InMon sFlow', fields, 'sFlow') {
  override walk(tree: Tree): void {
    eachSample(this, (at, format, length) => {
      const kind = enterpriseOf(format) === 0 ? numberOf(format) : 0;
      tree.item(samples, at, 8 + length, SAMPLE[kind] ?? `Sample of format ${enterpriseOf(format)}.${numberOf(format)}`);
      tree.add(sample.enterprise, at, 4);
      tree.add(sample.type, at, 4);
      tree.add(sample.length, at + 4);
      if (isFlow(kind)) walkFlow(tree, at + 8, kind === EXPANDED_FLOW);
      else if (SAMPLE[kind] !== undefined) walkCounters(tree, at + 8, kind === EXPANDED_COUNTERS);
      if (SAMPLE[kind] !== undefined)
        eachRecord(this, at + 8, kind, length, (from, what, size) => this.walkRecord(tree, from, what, size, isFlow(kind)));
      tree.close();
    });
  }

  private walkRecord(tree: Tree, at: number, format: number, size: number, flow: boolean): void {
    const kind = enterpriseOf(format) === 0 ? numberOf(format) : -1;
    const name = (flow ? FLOW_RECORD : COUNTERS_RECORD)[kind];
    tree.item(records, at, 8 + size, name ?? `Record of format ${enterpriseOf(format)}.${numberOf(format)}`);
    tree.add(record.enterprise, at, 4);
    tree.add(flow ? record.flowFormat : record.countersFormat, at, 4);
    tree.add(record.length, at + 4);
    const from = at + 8;
    if (flow && kind === RAW_HEADER && size >= 16) {
      tree.add(record.headerProtocol, from);
      tree.add(record.frameLength, from + 4);
      tree.add(record.stripped, from + 8);
      if (tree.add(record.headerLength, from + 12))
        tree.add(record.header, from + 16, Math.min(u32(this.bytes, from + 12), size - 16, this.captured - from - 16));
    } else if (!flow && kind === INTERFACE_COUNTERS && size >= 88) walkInterface(tree, from);
    else if (size > 0) tree.add(record.data, from, size);
    tree.close();
  }

  override summary(out: TextBuffer): void {
    out.ascii('V');
    out.number(this.version);
    const { agent4, agent6, sequence, sampleCount } = this;
    if (sampleCount === undefined) return;
    out.ascii(', agent ');
    out.ascii(agent4 ?? agent6 ?? '');
    out.ascii(', seq ');
    out.number(sequence ?? 0);
    out.ascii(', ');
    out.number(sampleCount);
    out.ascii(sampleCount === 1 ? ' sample' : ' samples');
  }
}

function walkFlow(tree: Tree, at: number, expanded: boolean): void {
  tree.add(sample.flowSequence, at);
  if (expanded) {
    tree.add(sample.flowSourceType, at + 4);
    tree.add(sample.flowSourceIndex, at + 8);
  } else {
    tree.add(sample.flowSourceClass, at + 4, 4);
    tree.add(sample.flowIndex, at + 4, 4);
  }
  const from = at + (expanded ? 12 : 8);
  tree.add(sample.rate, from);
  tree.add(sample.pool, from + 4);
  tree.add(sample.drops, from + 8);
  if (expanded) {
    tree.add(sample.inputFormat, from + 12);
    tree.add(sample.inputValue, from + 16);
    tree.add(sample.outputFormat, from + 20);
    tree.add(sample.outputValue, from + 24);
    tree.add(sample.flowRecords, from + 28);
  } else {
    tree.add(sample.input, from + 12);
    tree.add(sample.severalOutputs, from + 16, 4);
    tree.add(sample.output, from + 16, 4);
    tree.add(sample.flowRecords, from + 20);
  }
}

function walkCounters(tree: Tree, at: number, expanded: boolean): void {
  tree.add(sample.countersSequence, at);
  if (expanded) {
    tree.add(sample.countersSourceClass, at + 4);
    tree.add(sample.countersIndex, at + 8);
    tree.add(sample.countersRecords, at + 12);
  } else {
    tree.add(sample.countersSourceType, at + 4, 4);
    tree.add(sample.countersSourceIndex, at + 4, 4);
    tree.add(sample.countersRecords, at + 8);
  }
}

/** RFC 2233's counters of an interface, as section 5.3 of version 5 lays them out. */
function walkInterface(tree: Tree, at: number): void {
  tree.add(record.interface, at);
  tree.add(record.interfaceType, at + 4);
  tree.add(record.speed, at + 8);
  tree.add(record.direction, at + 16);
  tree.add(record.adminStatus, at + 20, 4);
  tree.add(record.operationStatus, at + 20, 4);
  tree.add(record.inOctets, at + 24);
  const inward = [record.inPackets, record.inMulticast, record.inBroadcast, record.inDiscards, record.inErrors, record.inUnknown];
  for (const [i, row] of inward.entries()) tree.add(row, at + 32 + 4 * i);
  tree.add(record.outOctets, at + 56);
  const outward = [record.outPackets, record.outMulticast, record.outBroadcast, record.outDiscards, record.outErrors, record.promiscuous];
  for (const [i, row] of outward.entries()) tree.add(row, at + 64 + 4 * i);
}

/** Each sample whose head was captured: where it begins, its format, the octets behind format and length. It advances by eight at least. */
function eachSample(l: Layer, visit: (at: number, format: number, length: number) => void): void {
  const from = behindAgent(l) + 16;
  if (!KNOWN.when(l) || l.start + from > l.captured) return;
  let left = u32(l.bytes, l.start + from - 4);
  for (let at = l.start + from; left > 0 && at + 8 <= l.captured; left--) {
    const length = u32(l.bytes, at + 4);
    visit(at, u32(l.bytes, at), length);
    at += 8 + length;
  }
}

/** The same for the records of the sample whose fixed part is at `from`. */
function eachRecord(l: Layer, from: number, kind: number, length: number, visit: (at: number, format: number, size: number) => void): void {
  const fixed = SAMPLE_LENGTH[kind]!;
  if (length < fixed || from + fixed > l.captured) return;
  const limit = Math.min(l.captured, from + length);
  let left = u32(l.bytes, from + fixed - 4);
  for (let at = from + fixed; left > 0 && at + 8 <= limit; left--) {
    const size = u32(l.bytes, at + 4);
    visit(at, u32(l.bytes, at), size);
    at += 8 + size;
  }
}

/** A sampled header: a copy of the frame's first octets, with the length that the frame had. */
function dissectHeader(frame: Frame, sflow: Sflow, at: number, size: number): void {
  const { bytes: b, captured } = frame;
  if (size < 16 || at + 16 > captured) return;
  const protocol = u32(b, at);
  const length = u32(b, at + 12);
  if (length > size - 16) return;
  const from = at + 16;
  frame.captured = Math.min(captured, from + length);
  dissectCopy(frame, sflow, from, from + Math.max(length, u32(b, at + 4)), (inner, start, end) => {
    const link = HEADER_LINK[protocol];
    const type = HEADER_TYPE[protocol];
    if (type !== undefined) inner.dispatch(etherTypes, type, start, end);
    else if (link === undefined || !inner.tryDispatch(linkTypes, link, start, end)) inner.data(start, end);
  });
  frame.captured = captured;
}

export const dissectSflow: Dissect = (frame, start, end) => {
  const sflow = new Sflow(frame, start, end);
  if (!frame.add(sflow, 8) || sflow.version !== VERSION) return;
  if (agentLength(sflow) === undefined) return frame.malformed(sflow, 8);
  if (!frame.require(sflow, behindAgent(sflow) + 16)) return;
  eachSample(sflow, (at, format, length) => {
    if (!isFlow(format)) return;
    eachRecord(sflow, at + 8, format, length, (from, what, size) => {
      if (what === RAW_HEADER) dissectHeader(frame, sflow, from + 8, size);
    });
  });
};

export const sflow: ProtocolEntry = { name: 'sflow', layers: [Sflow], dissect: dissectSflow, on: [udpPorts.at(PORT, dissectSflow)] };
