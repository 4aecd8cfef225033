/** Connections for tests that compare two ways through the analysis: mostly plain, with all that can go wrong on the way. */
import fc from 'fast-check';
import { CaptureRecord } from '../../src/capture/source.js';

const ETHERNET_INTERFACE = { ...new CaptureRecord().interface, linkType: 1 };

/** One step of a connection, from the side that takes it. */
interface Step {
  readonly fromServer: boolean;
  readonly kind: 'data' | 'ack' | 'hole' | 'again' | 'late' | 'probe' | 'syn' | 'fin' | 'rst' | 'copy' | 'ping' | 'cut';
  readonly length: number;
  /** Microseconds since the step before. */
  readonly pause: number;
  readonly window: number;
  /** How far back in what was sent, or in what is acknowledged. */
  readonly back: number;
  readonly options: 'none' | 'timestamps' | 'sack' | 'odd' | 'scale';
  readonly extraFlags: number;
  readonly identification: number;
}

/** How packets are carried. */
interface Carrier {
  readonly version: 4 | 6;
  readonly tags: number;
  /** Sequence numbers that the two sides begin with. */
  readonly starts: readonly [number, number];
  readonly handshake: boolean;
  readonly steps: readonly Step[];
}

const mostly = <T>(usual: T, ...others: T[]) =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const step: fc.Arbitrary<Step> = fc.record({
  fromServer: fc.boolean(),
  kind: fc.oneof(
    { weight: 24, arbitrary: fc.constant('data' as const) },
    { weight: 16, arbitrary: fc.constant('ack' as const) },
    { weight: 2, arbitrary: fc.constant('ping' as const) },
    { weight: 9, arbitrary: fc.constantFrom<Step['kind']>('hole', 'again', 'late', 'probe', 'syn', 'fin', 'rst', 'copy', 'cut') },
  ),
  length: fc.oneof(fc.constantFrom(1, 10, 1448), fc.integer({ min: 1, max: 3000 })),
  pause: fc.constantFrom(1, 10, 300, 5000, 250_000, 2_000_000),
  window: mostly(500, 0, 1, 65535),
  back: mostly(0, 1, 2, 3, 1000),
  options: mostly('timestamps', 'none', 'sack', 'odd', 'scale'),
  extraFlags: mostly(8, 0, 0x20, 0x40, 0x80, 0x48),
  identification: mostly(-1, 0, 7),
});

/** Connections of up to `most` steps. */
export const connections = (most: number): fc.Arbitrary<Carrier> =>
  fc.record({
    version: fc.constantFrom(4, 4, 6),
    tags: fc.constantFrom(0, 0, 1, 2, 3),
    starts: fc.tuple(fc.constantFrom(0, 1000, 0x7fffff00, 0xffffff00, 0xffffffff), fc.constantFrom(0, 5000, 0x7ffffff0, 0xfffffff0)),
    handshake: fc.boolean(),
    steps: fc.array(step, { minLength: 1, maxLength: most }),
  });

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;

/** The records of a connection, in the order in which they were captured. */
export function recordsOf({ version, tags, starts, handshake, steps }: Carrier): CaptureRecord[] {
  const records: CaptureRecord[] = [];
  // What each side has sent: the start and length of each stretch, and one past the last.
  const sent: [start: number, length: number][][] = [[], []];
  const next = [starts[0], starts[1]];
  let microseconds = 0;
  let identification = 100;
  const emit = (side: number, flags: number, sequence: number, length: number, how: Partial<Step> = {}) => {
    const acked = (next[1 - side]! - (how.back === undefined ? 0 : how.kind === 'ack' ? how.back : 0)) >>> 0;
    const octets = packet(version, tags, side, flags, sequence >>> 0, flags & ACK ? acked : 0, length, how, identification++ & 0xffff);
    const record = new CaptureRecord();
    record.bytes = octets;
    record.wireLength = octets.length;
    record.captured = how.kind === 'cut' ? octets.length - (how.length! % octets.length) : octets.length;
    record.seconds = 1_700_000_000 + Math.floor(microseconds / 1e6);
    record.nanoseconds = (microseconds % 1e6) * 1000;
    record.interface = ETHERNET_INTERFACE;
    records.push(record);
  };
  if (handshake) {
    emit(0, SYN, next[0]!, 0, { options: 'scale' });
    next[0]!++;
    microseconds += 100;
    emit(1, SYN | ACK, next[1]!, 0, { options: 'scale' });
    next[1]!++;
    microseconds += 100;
    emit(0, ACK, next[0]!, 0, { options: 'timestamps' });
  }
  for (const how of steps) {
    microseconds += how.pause;
    const side = how.fromServer ? 1 : 0;
    const mine = sent[side]!;
    const at = next[side]!;
    const earlier = mine[mine.length - 1 - (how.back % 5)] ?? ([at, how.length] as const);
    switch (how.kind) {
      case 'ack':
        emit(side, ACK | (how.extraFlags & 0xe0), at, 0, how);
        break;
      case 'hole':
        mine.push([at, how.length]);
        next[side] = (at + how.length) >>> 0;
        break;
      case 'again':
        emit(side, ACK, earlier[0], earlier[1], how);
        break;
      case 'late':
        if (records.length > 1)
          records.splice(
            -2,
            2,
            records.at(-1)!,
            Object.assign(records.at(-2)!, { seconds: records.at(-1)!.seconds, nanoseconds: records.at(-1)!.nanoseconds }),
          );
        break;
      case 'probe':
        emit(side, ACK, at - 1, how.length & 1, how);
        break;
      case 'syn':
        emit(side, how.back === 0 ? SYN : SYN | ACK, how.back === 1 ? at + 5000 : starts[side]!, 0, { ...how, options: 'scale' });
        break;
      case 'fin':
        emit(side, ACK | FIN, at, how.back === 0 ? 0 : how.length, how);
        next[side] = (at + 1 + (how.back === 0 ? 0 : how.length)) >>> 0;
        break;
      case 'rst':
        emit(side, RST | (how.back === 0 ? ACK : 0), at, 0, how);
        break;
      case 'copy':
        if (records.length > 0) records.push(Object.assign(new CaptureRecord(), records.at(-1)!));
        break;
      case 'ping':
        emit(side, -1, at, how.length, how);
        break;
      default:
        emit(side, ACK | how.extraFlags, at, how.length, how);
        mine.push([at, how.length]);
        next[side] = (at + how.length) >>> 0;
    }
  }
  return records;
}

const OPTIONS = {
  none: '',
  timestamps: '0101080a0000100000002000',
  sack: '0101050a0000100000002000',
  // Window scale in the wrong place, MPTCP, Accurate ECN, and one that lies about its length.
  odd: '1e0c0081000000000000000000ac0901',
  scale: '020405b40402080a000010000000000001030307',
} as const;

/** An Ethernet frame; `flags` of -1 makes it one that carries no TCP. */
function packet(
  version: 4 | 6,
  tags: number,
  side: number,
  flags: number,
  sequence: number,
  ack: number,
  length: number,
  how: Partial<Step>,
  counted: number,
): Uint8Array {
  const options = Buffer.from(OPTIONS[how.options ?? 'none'], 'hex');
  const ip = 14 + 4 * tags;
  const tcp = ip + (version === 4 ? 20 : 40);
  const payload = tcp + 20 + options.length;
  const b = Buffer.alloc(payload + length, 0x61);
  b.fill(0, 0, payload);
  for (let tag = 0; tag < tags; tag++) b.writeUInt16BE(tag === 1 ? 0x88a8 : 0x8100, 12 + 4 * tag);
  b.writeUInt16BE(version === 4 ? 0x0800 : 0x86dd, ip - 2);
  const protocol = flags >= 0 ? 6 : length % 3 === 0 ? 17 : length % 3 === 1 ? (version === 4 ? 1 : 58) : 47;
  if (version === 4) {
    b[ip] = 0x45;
    b.writeUInt16BE(b.length - ip, ip + 2);
    const identification = how.identification ?? -1;
    b.writeUInt16BE(identification < 0 ? counted : identification, ip + 4);
    // Some are fragments.
    if (how.kind === 'data' && how.length === 777) b[ip + 6] = 0x20;
    b[ip + 9] = protocol;
    b.writeUInt32BE(0xc0000201 + side, ip + 12);
    b.writeUInt32BE(0xc0000202 - side, ip + 16);
  } else {
    b[ip] = 0x60;
    b.writeUInt16BE(b.length - tcp, ip + 4);
    b[ip + 6] = protocol;
    b[ip + 8] = b[ip + 24] = 0x20;
    b[ip + 23] = 1 + side;
    b[ip + 39] = 2 - side;
  }
  if (flags < 0) {
    b[tcp] = [0, 3, 8, 135, 128][length % 5]!;
    return b;
  }
  b.writeUInt16BE(side === 0 ? 40000 : 80, tcp);
  b.writeUInt16BE(side === 0 ? 80 : 40000, tcp + 2);
  b.writeUInt32BE(sequence, tcp + 4);
  b.writeUInt32BE(ack, tcp + 8);
  b[tcp + 12] = ((20 + options.length) / 4) << 4;
  b[tcp + 13] = flags;
  b.writeUInt16BE(how.window ?? 500, tcp + 14);
  b.writeUInt16BE((sequence ^ ack ^ flags ^ length) & 0xffff, tcp + 16);
  options.copy(b, tcp + 20);
  return b;
}
