/** Tables that pick the next dissector, named as Wireshark names them, and what a protocol says about its place in them. */
import type { Frame } from './frame.js';
import type { LayerClass } from './layer.js';
import type { StreamProtocol } from './stream.js';

/** Octets `[start, end)` of `frame.bytes` to layers of `frame`. Never throws. */
export type Dissect = (frame: Frame, start: number, end: number) => void;

let tables = 0;

/** A named table of numbers: EtherTypes, IP protocols, ports. What stands in it belongs to a {@link Registry}. */
export class Table {
  readonly id = tables++;
  constructor(
    readonly name: string,
    /** Numbers it has room for, from 0. */
    readonly size: number,
  ) {}

  /** An entry: `key` is dissected by `dissect`. */
  at(key: number | readonly number[], dissect: Dissect | StreamProtocol): Entry {
    return { table: this, keys: typeof key === 'number' ? [key] : key, dissect };
  }
}

/** A place in a table. */
export interface Entry {
  readonly table: Table;
  readonly keys: readonly number[];
  readonly dissect: Dissect | StreamProtocol;
}

/** LINKTYPE_ numbers of captures. */
export const linkTypes = new Table('wtap_encap', 512);
/** EtherTypes. */
export const etherTypes = new Table('ethertype', 65536);
/** Protocol numbers of IPv4 and IPv6. */
export const ipProtocols = new Table('ip.proto', 256);
/** UDP ports, of either side. */
export const udpPorts = new Table('udp.port', 65536);
/** TCP ports, of either side; what stands there reads byte streams. */
export const tcpPorts = new Table('tcp.port', 65536);
/** Protocol numbers of PPP. */
export const pppProtocols = new Table('ppp.protocol', 65536);
/** Service access points of 802.2. */
export const llcSaps = new Table('llc.dsap', 256);

/** Says by the first octets of a UDP payload whether it is a protocol's. Cheap and strict: it sees all unknown traffic. */
export interface Recogniser {
  readonly over: 'udp';
  /** The order in which recognisers are asked; lower first. */
  readonly order?: number;
  recognise(bytes: Uint8Array, start: number, end: number, frame: Frame): boolean;
}

/** What a protocol's file exports: who it is and where it stands. One list in dissectors/index.ts names them all. */
export interface ProtocolEntry {
  /** The name that `--decode-as` takes. */
  readonly name: string;
  /** Its layer classes; their rows are the fields that netlens knows. */
  readonly layers: readonly LayerClass[];
  /** How to dissect it where a user asks for it by name. */
  readonly dissect?: Dissect;
  /** How to dissect it in a byte stream. */
  readonly stream?: StreamProtocol;
  readonly on?: readonly Entry[];
  readonly recogniser?: Recogniser;
}

/** `tcp.port==7777,resp` as an order: in `table`, `key` is `protocol`. */
export interface DecodeAs {
  readonly table: string;
  readonly key: number;
  readonly protocol: string;
}

/** The tables filled in: one object a configuration, shared by all frames of a session. */
export class Registry {
  private readonly ordered = new Set<string>();
  private readonly entries: (Dissect | StreamProtocol | undefined)[][] = [];
  readonly udpRecognisers: { readonly recognise: Recogniser['recognise']; readonly dissect: Dissect }[] = [];
  /** Stream protocols that can be told by their first octets, in the order of the protocol list. */
  readonly streams: StreamProtocol[] = [];

  constructor(
    readonly protocols: readonly ProtocolEntry[],
    decodeAs: readonly DecodeAs[] = [],
  ) {
    const byName = new Map<string, Table>();
    for (const { on = [] } of protocols)
      for (const { table, keys, dissect } of on) {
        byName.set(table.name, table);
        for (const key of keys) this.set(table, key, dissect);
      }
    for (const protocol of protocols) {
      if (protocol.recogniser && protocol.dissect)
        this.udpRecognisers.push({ recognise: protocol.recogniser.recognise, dissect: protocol.dissect });
      if (protocol.stream?.recognise) this.streams.push(protocol.stream);
    }
    for (const { table: name, key, protocol } of decodeAs) {
      const table = byName.get(name);
      const entry = protocols.find((p) => p.name === protocol);
      const dissect = table === tcpPorts ? (entry?.stream ?? entry?.dissect) : entry?.dissect;
      if (table && dissect) {
        this.set(table, key, dissect);
        this.ordered.add(`${table.name}==${key}`);
      }
    }
  }

  private set(table: Table, key: number, dissect: Dissect | StreamProtocol): void {
    let row = this.entries[table.id];
    if (row === undefined) row = this.entries[table.id] = new Array(table.size).fill(undefined);
    row[key] = dissect;
  }

  /** True when {@link DecodeAs} says what stands there. */
  isOrdered(table: Table, key: number): boolean {
    return this.ordered.size > 0 && this.ordered.has(`${table.name}==${key}`);
  }

  /** What stands in `table` at `key`. */
  get(table: Table, key: number): Dissect | StreamProtocol | undefined {
    return this.entries[table.id]?.[key];
  }

  /** Names of the tables that have entries. */
  tableNames(): string[] {
    return [...new Set(this.protocols.flatMap((p) => (p.on ?? []).map((e) => e.table.name)))].sort();
  }
}
