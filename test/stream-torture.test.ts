/**
 * Every stream protocol of the registry, however its octets come and whatever became of them: one at a time, with holes,
 * changed, claiming lengths that nobody sends. Samples are the recorded conversations of the fixtures, so a protocol that
 * is added without a fixture fails here.
 *
 * SEED repeats a run; CHANGES says how many octets are changed a protocol.
 */
import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { openCapture } from '../src/capture/open.js';
import type { Frame } from '../src/core/frame.js';
import type { Layer } from '../src/core/layer.js';
import type { ProtocolEntry } from '../src/core/registry.js';
import { PROTOCOLS } from '../src/dissectors/index.js';
import { Stun } from '../src/dissectors/stun.js';
import { Tcp } from '../src/dissectors/tcp.js';
import { createSession, framesOf } from '../src/frames.js';
import type { Side } from '../src/reassembly/stream-options.js';
import { numbers } from './numbers.js';
import { hex, readAll } from './packets.js';
import { Talk } from './reassembly/talk.js';

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const changesWanted = Number(process.env['CHANGES'] ?? 1000);

/** Octets that one side sent in one segment. */
interface Turn {
  readonly fromClient: boolean;
  readonly bytes: Uint8Array;
}

/** A conversation in which a protocol was spoken. */
interface Sample {
  readonly port: number;
  readonly turns: readonly Turn[];
  /** Turns before the first message of the protocol. */
  readonly lead: number;
}

const isOf = (protocol: ProtocolEntry) => (layer: Layer) => protocol.layers.includes(layer.constructor as never);

/** Octets of a conversation that are taken as sample, so that each goes through often. */
const MOST_TURNS = 16;
const MOST_OCTETS = 2500;

const folder = new URL('../fixtures/', import.meta.url);
const speaking = PROTOCOLS.filter(({ stream }) => stream !== undefined);
const samples = new Map<string, Sample[]>(speaking.map(({ name }) => [name, []]));
for (const name of readdirSync(folder).filter((file) => /\.pcap(ng)?$/.test(file))) await gather(name);
// No fixture has these over TCP. STUN there is its messages one after the other (RFC 8489 section 6.2.2).
if (samples.get('stun')?.length === 0) samples.set('stun', [await stunOverTcp()]);
if (samples.get('openvpn')?.length === 0) samples.set('openvpn', [openVpnOverTcp()]);

/** The conversations of a capture, as samples of what they speak. */
async function gather(name: string): Promise<void> {
  const turns = new Map<number, Turn[]>();
  const ports = new Map<number, number>();
  const leads = new Map<number, Map<string, number>>();
  let current = -1;
  const session = createSession({
    follow: (side: Side) => {
      const { number } = side.conversation as unknown as { number: number };
      const mine = turns.get(number) ?? [];
      turns.set(number, mine);
      return {
        octets: (_side, bytes, start, end) => {
          ports.set(number, side.fromClient ? side.dstPort : side.srcPort);
          mine.push({ fromClient: side.fromClient, bytes: bytes.slice(start, end) });
          current = number;
        },
        hole: () => {},
      };
    },
  });
  const reader = await openCapture(new URL(name, folder).pathname);
  for await (const frame of framesOf(reader, session)) {
    const at = frame.layers.findIndex((layer) => layer instanceof Tcp);
    for (const protocol of at < 0 ? [] : speaking) {
      if (!frame.layers.slice(at).some(isOf(protocol))) continue;
      let lead = leads.get(current);
      if (lead === undefined) leads.set(current, (lead = new Map()));
      if (!lead.has(protocol.name)) lead.set(protocol.name, turns.get(current)!.length - 1);
    }
  }
  for (const [number, mine] of turns)
    for (const [protocol, lead] of leads.get(number) ?? []) {
      const taken: Turn[] = [];
      let octets = 0;
      for (const turn of mine.slice(0, lead + MOST_TURNS)) {
        octets += turn.bytes.length;
        if (octets > MOST_OCTETS && taken.length > lead) break;
        taken.push(turn);
      }
      samples.get(protocol)!.push({ port: ports.get(number)!, turns: taken, lead });
    }
}

async function stunOverTcp(): Promise<Sample> {
  const turns: Turn[] = [];
  const reader = await openCapture(new URL('stun.pcap', folder).pathname);
  for await (const frame of framesOf(reader, createSession())) {
    const stun = frame.get(Stun);
    if (stun && turns.length < MOST_TURNS)
      turns.push({ fromClient: turns.length % 2 === 0, bytes: stun.bytes.slice(stun.start, stun.end) });
  }
  return { port: 3478, turns, lead: 0 };
}

/** Both sides' first messages, and a Client Hello in the next. */
function openVpnOverTcp(): Sample {
  const [client, server] = ['11'.repeat(8), '22'.repeat(8)];
  const hello = `16 0301 002f 01 00002b 0303 ${'60'.repeat(32)} 00 0004 c02f 009c 01 00`;
  const turns = [
    { fromClient: true, bytes: hex(`000e 38 ${client} 00 00000000`) },
    { fromClient: false, bytes: hex(`001a 40 ${server} 01 00000000 ${client} 00000000`) },
    { fromClient: true, bytes: hex(`0042 20 ${client} 00 00000001 ${hello}`) },
    { fromClient: false, bytes: hex(`0016 28 ${server} 01 00000001 ${client}`) },
  ];
  return { port: 1194, turns, lead: 0 };
}

/** What becomes of octets on their way. */
interface Road {
  /** Octets of the next segment. */
  length(): number;
  /** Is this segment lost? `sent` counts segments. */
  lost?(sent: number): boolean;
  /** Does the receiver acknowledge all that was sent, so that what is lost stays lost? */
  readonly acknowledged: boolean;
}

/** Play a conversation; `see` is shown each frame with octets. */
function play({ port, turns }: Sample, road: Road, see: (frame: Frame) => void): void {
  const talk = new Talk(port).open();
  const at = { client: 0, server: 0 };
  let sent = 0;
  for (const { fromClient, bytes } of turns) {
    const [from, to] = fromClient ? (['client', 'server'] as const) : (['server', 'client'] as const);
    for (let i = 0; i < bytes.length; sent++) {
      const part = bytes.subarray(i, i + road.length());
      if (!road.lost?.(sent)) see(talk.send('PA', from, at[from], part, road.acknowledged ? at[to] : 0));
      i += part.length;
      at[from] += part.length;
    }
  }
}

/** How many layers of each protocol. */
function layersIn(sample: Sample, length: number): Record<string, number> {
  const found: Record<string, number> = {};
  play(sample, { length: () => length, acknowledged: true }, (frame) => {
    readAll(frame);
    const tcp = frame.layers.findIndex((layer) => layer instanceof Tcp);
    for (const layer of frame.layers.slice(tcp + 1)) {
      const { name } = layer.protocol;
      if (name !== 'data') found[name] = (found[name] ?? 0) + 1;
    }
  });
  return found;
}

const join = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

/** Octets that claim what does not follow, made of how a message of the sample begins. */
function* hostile(first: Uint8Array): Generator<[what: string, make: (octets: number) => Uint8Array]> {
  const repeat = (part: Uint8Array) => (octets: number) => join(Array.from({ length: Math.ceil(octets / part.length) }, () => part));
  const followed = (head: Uint8Array, by: number) => (octets: number) => join([head, new Uint8Array(octets).fill(by)]);
  // Heads without a body, one inside the other, and tokens that never end.
  for (const length of [1, 2, 4, 5, 9, 12, 20, 64].filter((n) => n < first.length)) {
    yield [`${length} octets again and again`, repeat(first.slice(0, length))];
    for (const by of [0, 0x31, 0xff]) yield [`${length} octets, then 0x${by.toString(16)}`, followed(first.slice(0, length), by)];
  }
  yield ['its whole again and again', repeat(first)];
  // Lengths of 2^31 - 1 and 2^32 - 1 in binary of four octets and three.
  for (let at = 0; at + 4 <= first.length && at < 12; at++)
    for (const high of [0x7f, 0xff]) {
      const lying = first.slice();
      lying.set([high, 0xff, 0xff, 0xff], at);
      yield [`a length of 0x${high.toString(16)}ffffff at ${at}`, followed(lying, 0x61)];
      const wide = first.slice();
      wide.set([high, 0xff, 0xff], at);
      if (high === 0xff) yield [`a length of 0x${high.toString(16)}ffff at ${at}`, followed(wide, 0x61)];
    }
  // And in words.
  const text = Buffer.from(first).toString('latin1');
  for (const { index, 0: digits } of [...text.matchAll(/\d+/g)].slice(0, 8)) {
    const lying = `${text.slice(0, index)}2147483648${text.slice(index + digits.length)}`;
    yield [`2147483648 for ${digits} at ${index}`, followed(Uint8Array.from(Buffer.from(lying, 'latin1')), 0x61)];
  }
}

/** Milliseconds of processor time, and octets allocated, that a conversation takes which goes on like this. */
function cost({ port, turns, lead }: Sample, fromClient: boolean, octets: Uint8Array, length: number): { time: number; memory: number } {
  const memory = process.memoryUsage().arrayBuffers;
  const before = process.cpuUsage();
  play(
    { port, turns: [...turns.slice(0, lead), { fromClient, bytes: octets }], lead },
    { length: () => length, acknowledged: true },
    () => {},
  );
  const { user, system } = process.cpuUsage(before);
  return { time: (user + system) / 1000, memory: process.memoryUsage().arrayBuffers - memory };
}

/** What is quick needs no second look. */
const QUICK = 120;
/** Octets that go on like this, and what they may allocate, garbage and all: far below the lengths that are claimed. */
const LONG = 40_000;
const ROOM = 256 << 20;

describe.each(speaking.map((protocol) => [protocol.name, protocol] as const))('%s', (name, protocol) => {
  const mine = samples.get(name)!;
  // The longest say the most.
  const chosen = mine.toSorted((a, b) => b.turns.length - a.turns.length).slice(0, 3);
  let took = 0;
  afterAll(() => {
    if (process.env['CHANGES']) console.log(`${name}: ${took} changes, SEED=${seed}`);
  });

  it('has a recorded conversation', () => {
    expect(mine.length, `a fixture with ${name} over TCP`).toBeGreaterThan(0);
    expect(Object.keys(layersIn(chosen[0]!, 1400)).some((layer) => protocol.layers.some((c) => c.protocol.name === layer))).toBe(true);
  });

  it('is the same one octet at a time', () => {
    for (const sample of chosen) {
      const whole = layersIn(sample, 1400);
      const single = layersIn(sample, 1);
      expect(Object.keys(single).sort()).toEqual(Object.keys(whole).sort());
      // Messages of TLS that came in one segment share a layer.
      for (const [layer, count] of Object.entries(whole)) expect(single[layer], layer).toBeGreaterThanOrEqual(count);
    }
  });

  it('goes on after a hole anywhere', () => {
    for (const length of [1, 40]) {
      const sample = chosen[0]!;
      const segments = sample.turns.reduce((sum, { bytes }) => sum + Math.ceil(bytes.length / length), 0);
      // Every place where it is cheap, at even distances where there are many.
      const step = Math.max(1, Math.floor(segments / 30));
      for (let hole = 0; hole < segments; hole += step)
        for (const acknowledged of [true, false])
          play(sample, { length: () => length, lost: (sent) => sent === hole, acknowledged }, length === 1 ? () => {} : readAll);
    }
  });

  it(`survives ${changesWanted} changes, SEED=${seed}`, { timeout: 3_600_000 }, () => {
    const random = numbers(seed);
    try {
      while (took < changesWanted) {
        const { port, turns, lead } = mine[random(mine.length)]!;
        const changed = turns.map(({ fromClient, bytes }) => ({ fromClient, bytes: bytes.slice() }));
        // What comes before the protocol mostly stays, or it would never be spoken.
        const from = lead < changed.length && random(8) > 0 ? lead : 0;
        for (let i = 1 + random(32); i > 0; i--, took++) {
          const { bytes } = changed[from + random(changed.length - from)]!;
          bytes[random(bytes.length)] = [0, 0xff, 0x7f, 0x80, random(256)][random(5)]!;
        }
        const most = [1, 40, 600, 1400][random(4)]!;
        const losses = random(3) === 0;
        play(
          { port: random(4) === 0 ? 9999 : port, turns: changed, lead },
          { length: () => (most === 1 ? 60 : 1 + random(most)), lost: () => losses && random(12) === 0, acknowledged: random(2) === 0 },
          readAll,
        );
      }
    } catch (error) {
      throw new Error(`SEED=${seed}`, { cause: error });
    }
  });

  it('takes linear time and little room, whatever lengths are claimed', { timeout: 600_000 }, () => {
    const sample = chosen[0]!;
    for (const fromClient of [true, false]) {
      const first = sample.turns
        .slice(sample.lead)
        .find((turn) => turn.fromClient === fromClient)
        ?.bytes.subarray(0, 200);
      if (first === undefined) continue;
      for (const [what, make] of hostile(first)) {
        const whole = cost(sample, fromClient, make(LONG), 1400);
        expect(whole.memory, what).toBeLessThan(ROOM);
        if (whole.time < QUICK) continue;
        const part = Math.min(cost(sample, fromClient, make(LONG / 8), 1400).time, cost(sample, fromClient, make(LONG / 8), 1400).time);
        const again = cost(sample, fromClient, make(LONG), 1400).time;
        // Eight times as much; quadratic would be 64.
        expect(Math.min(again, whole.time), `${what}, ${part} ms for an eighth`).toBeLessThan(Math.max(part, 8) * 24);
      }
    }
  });
});
