/** The short ways through the analysis find what the long one does: segment by segment, field by field. */
import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Conversation, Conversations, type Direction, directionOf } from '../../src/analysis/conversations.js';
import { NO_TCP, OTHER, readPlain, SEGMENT, TUNNEL_PORTS } from '../../src/analysis/plain-road.js';
import { TcpAnalysis } from '../../src/analysis/tcp.js';
import { Segment } from '../../src/analysis/tcp-segment.js';
import { openCapture } from '../../src/capture/open.js';
import { CaptureRecord } from '../../src/capture/source.js';
import { Registry, udpPorts } from '../../src/core/registry.js';
import { Session } from '../../src/core/session.js';
import { PROTOCOLS } from '../../src/dissectors/index.js';
import { Tcp } from '../../src/dissectors/tcp.js';
import { TcpFacts } from '../../src/dissectors/tcp-facts.js';
import { Fragments } from '../../src/reassembly/fragments.js';
import { connections, recordsOf } from './traffic.js';

/** What a way through the analysis made of a record: the facts of each segment in it, and the state that it left behind. */
type Way = (record: CaptureRecord) => { readonly facts: TcpFacts; readonly me: Direction }[];

/** Dissected, and analysed with or without the short way. */
function dissected(quick: boolean): Way {
  const analysis = new TcpAnalysis(new Conversations(), quick);
  const fragments = new Fragments();
  const session = new Session({
    registry: new Registry(PROTOCOLS),
    hooks: {
      tcpHeader: (frame, layer, sized) => analysis.header(frame, layer as Tcp, sized),
      fragment: (frame, fragment) => fragments.add(frame, fragment),
    },
  });
  return (record) =>
    session
      .dissect(record)
      .all(Tcp)
      .flatMap((tcp) => (tcp.facts ? [{ facts: tcp.facts, me: directionOf(tcp)! }] : []));
}

/** By the road for plain packets where it takes them, else dissected; `taken` counts what went by the road. */
function byRoad(taken: { plain: number; none: number; other: number }): Way {
  const analysis = new TcpAnalysis(new Conversations());
  const fragments = new Fragments();
  const session = new Session({
    registry: new Registry(PROTOCOLS),
    hooks: {
      tcpHeader: (frame, layer, sized) => analysis.header(frame, layer as Tcp, sized),
      fragment: (frame, fragment) => fragments.add(frame, fragment),
    },
  });
  const segment = new Segment();
  return (record) => {
    const plain = readPlain(record, segment);
    if (plain === OTHER) {
      taken.other++;
      return session
        .dissect(record)
        .all(Tcp)
        .flatMap((tcp) => (tcp.facts ? [{ facts: tcp.facts, me: directionOf(tcp)! }] : []));
    }
    session.skip(record);
    if (plain === NO_TCP) {
      taken.none++;
      return [];
    }
    taken.plain++;
    segment.number = session.count;
    const facts = new TcpFacts();
    return [{ facts, me: analysis.take(segment, facts) }];
  };
}

/** All that a conversation remembers, as plain values. */
function memory(conversation: Conversation): object {
  const side = (direction: Direction | undefined) => direction && (direction.low ? 'low' : 'high');
  const { older: _o, newer: _n, low, high, opener, first, resetBy, ...rest } = conversation;
  const ends = [low, high].map(({ peer: _p, conversation: _c, ...own }) => own);
  return { ...rest, ends, opener: side(opener), first: side(first), resetBy: side(resetBy) };
}

/** Show the same records to both ways. */
function compare(records: Iterable<CaptureRecord>, one: Way, other: Way): void {
  let number = 0;
  for (const record of records) {
    number++;
    const left = one(record);
    const right = other(record);
    expect(right.length, `segments in frame ${number}`).toBe(left.length);
    left.forEach(({ facts, me }, i) => {
      expect(right[i]!.facts, `facts of frame ${number}`).toEqual(facts);
      expect(memory(right[i]!.me.conversation), `memory after frame ${number}`).toEqual(memory(me.conversation));
    });
  }
}

/** The records of a fixture, each with octets of its own. */
async function fixture(name: string): Promise<CaptureRecord[]> {
  const reader = await openCapture(new URL(`../../fixtures/${name}`, import.meta.url).pathname);
  const records: CaptureRecord[] = [];
  try {
    do {
      for (let record = new CaptureRecord(); reader.next(record); record = new CaptureRecord()) {
        record.bytes = record.bytes.slice(record.start, record.captured);
        record.captured -= record.start;
        record.start = 0;
        records.push(record);
      }
    } while (await reader.fill());
  } finally {
    await reader.close();
  }
  return records;
}

const fixtures = readdirSync(new URL('../../fixtures', import.meta.url)).filter((name) => name.endsWith('.pcap'));

describe('the short way through the analysis', () => {
  test.each(fixtures)('finds in %s what the long way finds', async (name) => {
    compare(await fixture(name), dissected(false), dissected(true));
  });

  test('finds what the long way finds in connections where anything may happen', () => {
    fc.assert(
      fc.property(connections(60), (connection) => compare(recordsOf(connection), dissected(false), dissected(true))),
      { numRuns: 300 },
    );
  });
});

describe('the road for plain packets', () => {
  test.each(fixtures)('finds in %s what dissecting finds', async (name) => {
    compare(await fixture(name), dissected(true), byRoad({ plain: 0, none: 0, other: 0 }));
  });

  test('finds what dissecting finds, however the packets are carried', () => {
    const taken = { plain: 0, none: 0, other: 0 };
    fc.assert(
      fc.property(connections(60), (connection) => compare(recordsOf(connection), dissected(true), byRoad(taken))),
      { numRuns: 300 },
    );
    // Each of its three answers was put to the test.
    expect(Math.min(taken.plain, taken.none, taken.other)).toBeGreaterThan(5);
    expect(taken.plain).toBeGreaterThan(taken.other);
  });

  test('takes an octet for what it is, wherever in a packet it is changed or cut', () => {
    const [, , , plain] = recordsOf({
      version: 4,
      tags: 0,
      starts: [0, 0],
      handshake: true,
      steps: [
        {
          fromServer: false,
          kind: 'data',
          length: 5,
          pause: 1,
          window: 5,
          back: 0,
          options: 'timestamps',
          extraFlags: 8,
          identification: -1,
        },
      ],
    });
    expect(readPlain(plain!, new Segment())).toBe(SEGMENT);
    for (let at = 12; at < plain!.captured; at++)
      for (const value of [0, 1, 4, 0x20, 0x46, 0x55, 0x81, 0xff]) {
        const changed = Object.assign(new CaptureRecord(), plain!, { bytes: plain!.bytes.slice() });
        changed.bytes[at] = value;
        compare([changed], dissected(true), byRoad({ plain: 0, none: 0, other: 0 }));
        const cut = Object.assign(new CaptureRecord(), changed, { captured: at });
        compare([cut], dissected(true), byRoad({ plain: 0, none: 0, other: 0 }));
      }
  });

  test('passes by no UDP port under which IP may travel', () => {
    // Whoever adds a protocol over UDP says here whether it can carry IP; if it can, its ports belong to TUNNEL_PORTS.
    // (OpenVPN's control channel is what is read of it; the packets in its data channel are encrypted.)
    const leaves = [
      'openvpn',
      'dhcp',
      'dhcpv6',
      'dns',
      'mdns',
      'llmnr',
      'nbns',
      'ntp',
      'syslog',
      'tftp',
      'ssdp',
      'stun',
      'dtls',
      'knxip',
      'quic',
    ];
    const others = PROTOCOLS.filter(({ name }) => !leaves.includes(name)).flatMap(({ on = [] }) =>
      on.filter(({ table }) => table === udpPorts).flatMap(({ keys }) => keys),
    );
    expect(others.filter((port) => !TUNNEL_PORTS.has(port))).toEqual([]);
    // On other ports the first octets tell, so none of those may carry IP.
    const recognised = PROTOCOLS.filter(({ recogniser }) => recogniser !== undefined).map(({ name }) => name);
    expect(recognised.filter((name) => !leaves.includes(name))).toEqual([]);
  });
});
