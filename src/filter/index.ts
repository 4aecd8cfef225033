/**
 * Display filters: Wireshark's language over every field that netlens has.
 *
 *     const filter = compileDisplayFilter('tcp.flags.syn == 1 && ip.dst == 192.0.2.7');
 *     for await (const frame of frames) if (filter.test(frame)) …
 */
import { computed, type Field } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { FrameLayer } from '../core/frame-layer.js';
import type { Protocol } from '../core/layer.js';
import { etherTypes, ipProtocols, linkTypes, llcSaps, type ProtocolEntry, pppProtocols, type Table, udpPorts } from '../core/registry.js';
import { REMARK_ROWS } from '../core/remarks.js';
import { greProtocols } from '../dissectors/gre.js';
import { FIELDS, LAYERS, PROTOCOLS } from '../dissectors/index.js';
import { type Condition, check, type Names, type TypedValue } from './check.js';
import { compile, type Test } from './compile.js';
import { FilterError, located } from './errors.js';
import { parse } from './parse.js';
import { demandsTcp, type Possible, possibleIn } from './possible.js';

/** A display filter, ready to be asked about frames. */
export interface DisplayFilter {
  /** The filter as it was written. */
  readonly text: string;
  /** True when the frame is selected. */
  readonly test: (frame: Frame) => boolean;
  /** The rows it reads, each once. */
  readonly fields: readonly Field[];
  /** It asks about something that stands in TCP byte streams, or that cannot be told without them. */
  readonly needsStreams: boolean;
  /** It asks about a TCP fact that spans segments: tcp.stream, relative numbers, tcp.analysis.*, expert fields. */
  readonly needsTcpAnalysis: boolean;
  /** Of plain TCP packets, those that it may select, told from their headers; undefined when it may select any. */
  readonly possible: Possible | undefined;
  /** No frame without a TCP header is selected. */
  readonly demandsTcp: boolean;
  /** What it means, for explanations; undefined for the empty filter. */
  readonly condition: Condition | undefined;
}

/**
 * Compile a display filter. Throws a NetlensError of code `usage` whose message names the column and shows the place.
 *
 * @example compileDisplayFilter('tcp.port in {80, 8000..8080} and !http')
 */
export function compileDisplayFilter(text: string): DisplayFilter {
  let condition: Condition | undefined;
  try {
    const expression = parse(text);
    condition = expression && check(expression, NAMES);
  } catch (error) {
    throw error instanceof FilterError ? located(error, text) : error;
  }
  const test: Test = condition ? compile(condition) : () => true;
  const fields = new Set<Field>();
  const protocols = new Set<Protocol>();
  if (condition)
    eachValueOf(condition, (value) => {
      if (value.kind === 'field')
        for (const field of value.fields) {
          fields.add(field);
          protocols.add(field.protocol);
        }
      if (value.kind === 'protocol') for (const protocol of value.protocols) protocols.add(protocol);
    });
  const rows = [...fields];
  const needsStreams = [...protocols].some((protocol) => !BELOW_STREAMS.has(protocol)) || rows.some(standsInStreams);
  return {
    text,
    test,
    fields: rows,
    needsStreams,
    needsTcpAnalysis: needsStreams || rows.some(spansSegments),
    possible: condition && possibleIn(condition, IN_STREAMS),
    demandsTcp: condition !== undefined && demandsTcp(condition),
    condition,
  };
}

/** Every name that filters know, for completion and suggestions: fields, then protocols. */
export function filterNames(): string[] {
  return [...new Set([...NAMES.fields.keys(), ...NAMES.protocols.keys()])];
}

/** Call `visit` for each value in a filter, the parts of values included. */
export function eachValueOf(condition: Condition, visit: (value: TypedValue) => void): void {
  const value = (v: TypedValue): void => {
    visit(v);
    if (v.kind === 'slice' || v.kind === 'negative') value(v.of);
    if (v.kind === 'arithmetic') {
      value(v.left);
      value(v.right);
    }
    if (v.kind === 'function') v.parameters.forEach(value);
  };
  const walk = (c: Condition): void => {
    switch (c.kind) {
      case 'and':
      case 'or':
      case 'xor':
        walk(c.left);
        walk(c.right);
        break;
      case 'not':
        walk(c.of);
        break;
      case 'test':
        value(c.value);
        break;
      case 'compare':
        value(c.left);
        value(c.right);
        break;
      case 'matches':
        value(c.left);
        break;
      case 'in':
        value(c.left);
        for (const { from, to } of c.set) {
          value(from);
          if (to) value(to);
        }
    }
  };
  walk(condition);
}

/** Tables below byte streams: what stands only in these is found in a single frame. */
const LOWER: ReadonlySet<Table> = new Set([linkTypes, etherTypes, llcSaps, pppProtocols, ipProtocols, udpPorts, greProtocols]);

/** True when an entry's protocol is found in a single frame. */
const isBelowStreams = ({ name, on = [], stream }: ProtocolEntry): boolean =>
  name === 'frame' || (on.length > 0 && !stream && on.every(({ table }) => LOWER.has(table)));

const protocolsOf = (entries: readonly ProtocolEntry[]): Protocol[] =>
  entries.flatMap(({ layers }) => layers.map((layer) => layer.protocol));

/** Protocols of entries that may stand in a byte stream. */
const IN_STREAMS: ReadonlySet<Protocol> = new Set(protocolsOf(PROTOCOLS.filter((entry) => !isBelowStreams(entry))));
/** Protocols that never do: a layer may belong to several entries, as HTTP's to that of SSDP. */
const BELOW_STREAMS: ReadonlySet<Protocol> = new Set(protocolsOf(PROTOCOLS).filter((protocol) => !IN_STREAMS.has(protocol)));

/** Rows of the lower layers that tell what stands in streams. */
function standsInStreams(field: Field): boolean {
  if (field.protocol === FrameLayer.protocol) return field.name === 'frame.protocols' || field.name.startsWith('_ws.');
  return /^tcp\.(segment|reassembled|pdu)/.test(field.name);
}

/** Rows of TCP about the conversation; what stands in a header or is worked out from it alone is not. */
const spansSegments = (field: Field): boolean =>
  field.protocol.name === 'tcp' && field.compute !== undefined && !TCP_HEADER.has(field.name);

/** Computed from the header alone. */
const TCP_HEADER: ReadonlySet<string> = new Set(['tcp.hdr_len', 'tcp.len', 'tcp.flags.str', 'tcp.flags.ace', 'tcp.checksum.status']);

/** The columns of the frame line as fields, as in Wireshark from 4.2 on. */
const columns = {
  info: computed('string', '_ws.col.info', 'Info column', (layer) => layer.frame.info),
  protocol: computed('string', '_ws.col.protocol', 'Protocol column', (layer) => layer.frame.top.shortName),
};
for (const field of Object.values(columns)) field.protocol = FrameLayer.protocol;

/** Protocols whose layers go by other names too, each of which stands for its own. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = { capwap: ['capwap.data'], dns: ['mdns', 'llmnr'], http: ['ssdp'] };

const NAMES: Names = {
  fields: new Map<string, readonly Field[]>([
    ...FIELDS,
    ...Object.values(columns).map((field): [string, Field[]] => [field.name, [field]]),
    // Any remark on a packet, whoever makes it; that the capture was cut says nothing about the packet.
    [REMARK_ROWS.any.name, [REMARK_ROWS.any]],
  ]),
  protocols: protocolsByName(),
  byChain: new Set(Object.entries(OTHER_NAMES).flat(2)),
};

function protocolsByName(): Map<string, Set<Protocol>> {
  const found = new Map<string, Set<Protocol>>();
  for (const { protocol } of LAYERS) {
    const same = found.get(protocol.name);
    if (same) same.add(protocol);
    else found.set(protocol.name, new Set([protocol]));
  }
  for (const [name, others] of Object.entries(OTHER_NAMES)) for (const other of others) found.set(other, found.get(name)!);
  return found;
}
