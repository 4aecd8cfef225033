/** What is outstanding, told by the log of what was sent or by a list of its own: always what the plainest of lists tells. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Conversations, type Direction, directionOf } from '../../src/analysis/conversations.js';
import { TcpAnalysis } from '../../src/analysis/tcp.js';
import type { CaptureRecord } from '../../src/capture/source.js';
import { i32 } from '../../src/core/octets.js';
import { Registry } from '../../src/core/registry.js';
import { Session } from '../../src/core/session.js';
import { PROTOCOLS } from '../../src/dissectors/index.js';
import { Tcp } from '../../src/dissectors/tcp.js';
import { connections, recordsOf } from './traffic.js';

const FIN = 0x01;
const SYN = 0x02;

/** Segments as Wireshark lists them: each as it comes, off when an ACK covers it, its start moved by one within it. */
class PlainList {
  private segments: { readonly frame: number; start: number; readonly end: number }[] = [];

  add(frame: number, start: number, end: number): void {
    this.segments.push({ frame, start, end });
  }

  /** The frame of the first segment that ends at `ack`; 0 for none. */
  acknowledge(ack: number): number {
    const found = this.segments.find(({ end }) => end === ack)?.frame ?? 0;
    this.segments = this.segments.filter(({ end }) => ((end - ack) | 0) > 0);
    for (const segment of this.segments) if (((segment.start - ack) | 0) < 0) segment.start = ack;
    return found;
  }

  /** From the lowest start to the highest end, both relative to `base`. */
  span(base: number): number {
    const low = Math.min(...this.segments.map(({ start }) => (start - base) >>> 0));
    const high = Math.max(...this.segments.map(({ end }) => (end - base) >>> 0));
    return (high - low) >>> 0;
  }
}

/** Go through a connection and hold what the analysis says against the lists; how many of its segments left all to the log, and how many did not. */
function compare(records: Iterable<CaptureRecord>, told: { byLog: number; byList: number }): void {
  const analysis = new TcpAnalysis(new Conversations());
  const session = new Session({
    registry: new Registry(PROTOCOLS),
    hooks: { tcpHeader: (frame, layer, sized) => analysis.header(frame, layer as Tcp, sized) },
  });
  const lists = new Map<Direction, PlainList>();
  const listOf = (direction: Direction): PlainList => {
    let list = lists.get(direction);
    if (list === undefined) lists.set(direction, (list = new PlainList()));
    return list;
  };
  for (const record of records) {
    const frame = session.dissect(record);
    expect(frame.fault).toBeUndefined();
    for (const tcp of frame.all(Tcp)) {
      const { facts } = tcp;
      if (facts === undefined || facts.length < 0) continue;
      const me = directionOf(tcp)!;
      const { peer } = me;
      const { bytes, start } = tcp;
      const counts = bytes[start + 13]! & (SYN | FIN) ? 1 : 0;
      const sequence = i32(bytes, start + 4);
      const mine = listOf(me);
      if (facts.length + counts > 0) mine.add(frame.number, sequence, (sequence + facts.length + counts) | 0);
      expect(facts.acksFrame, `acknowledged by frame ${frame.number}`).toBe(listOf(peer).acknowledge(i32(bytes, start + 8)));
      told[me.outstanding === undefined && peer.outstanding === undefined ? 'byLog' : 'byList']++;
      if (facts.length === 0 || !me.countBytesInFlight) continue;
      const inFlight = mine.span(me.base) - peer.sackedOctets;
      expect(facts.bytesInFlight, `in flight in frame ${frame.number}`).toBe(
        inFlight > 0 && inFlight < 2_000_000_000 ? inFlight - counts : 0,
      );
    }
  }
}

test('what is acknowledged and in flight is what a plain list tells, whatever happens', () => {
  const told = { byLog: 0, byList: 0 };
  fc.assert(
    fc.property(connections(60), (connection) => compare(recordsOf(connection), told)),
    { numRuns: 300 },
  );
  // Both the log and lists were put to the test.
  expect(Math.min(told.byLog, told.byList)).toBeGreaterThan(100);
});
