/**
 * User Datagram Protocol, and its light variant whose checksum covers only a part.
 *
 * RFC 768, RFC 2675 section 4 (jumbograms), RFC 3828 (UDP-Lite), RFC 6935 (no checksum over IPv6).
 *
 *     0         2         4        6          8
 *     | srcport | dstport | length | checksum | payload …        UDP-Lite: checksum coverage in place of length
 */
import { bytes, computed, expert, type FieldOptions, group, many, uint16, uint32 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import { type Layer, layer, type Tree } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import type { Plain } from '../core/plain.js';
import { type Dissect, ipProtocols, type ProtocolEntry, udpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { between } from '../core/time.js';
import { CHECKSUM_STATUS } from './ip-protocols.js';
import { Ipv4 } from './ipv4.js';
import { Ipv6 } from './ipv6.js';
import { networkOf, transportChecksum } from './pseudo-header.js';

const HEADER_LENGTH = 8;
const UDP = 17;
const UDP_LITE = 136;
const IS_BAD = 0;
const NOT_CHECKED = 2;
const NOT_PRESENT = 3;
const ILLEGAL = 4;

/** What the stream table says of a datagram; both layer classes have it. */
interface InStream extends Layer {
  /** Index of the stream, -1 when nobody counted. */
  stream: number;
  /** Whether the times are known: of the stream's first datagram and of the one before this. */
  timed: boolean;
  firstSeconds: number;
  firstNanoseconds: number;
  previousSeconds: number;
  previousNanoseconds: number;
}

const port = (name: string, label: string, at: number): ReturnType<typeof uint16> & { readonly property: number } =>
  uint16(name, label, at, { also: ['udp.port'] } as FieldOptions);

/** Rows that both variants have, with what stands where the length is. */
const streamRows = () => ({
  streamIndex: computed('uint32', 'udp.stream', 'Stream index', (l: InStream) => (l.stream >= 0 ? l.stream : undefined)),
  timeRelative: computed('duration', 'udp.time_relative', 'Time since first frame', (l: InStream) =>
    !l.timed ? undefined : between(l.frame.seconds, l.frame.nanoseconds, l.firstSeconds, l.firstNanoseconds),
  ),
  timeDelta: computed('duration', 'udp.time_delta', 'Time since previous frame', (l: InStream) =>
    !l.timed ? undefined : between(l.frame.seconds, l.frame.nanoseconds, l.previousSeconds, l.previousNanoseconds),
  ),
  payload: bytes('udp.payload', 'Payload', HEADER_LENGTH, (l) => Math.min(l.end, l.captured) - l.start - HEADER_LENGTH, {
    quiet: true,
    when: (l: Layer) => l.captured > l.start + HEADER_LENGTH,
  }),
});

/** Octets that the length field gives; 0 stands for all there are where a jumbogram may be (RFC 2675). */
const lengthOf = (l: Layer): number => u16(l.bytes, l.start + 4);

/** Lengths of the messages in a datagram, where their protocol says how long each is. */
const pduSize = many(uint32('udp.pdu.size', 'PDU Size', { unit: 'bytes' }));

const fields = {
  srcPort: port('udp.srcport', 'Source Port', 0),
  dstPort: port('udp.dstport', 'Destination Port', 2),
  ...group(
    { length: uint16('udp.length', 'Length', 4, { unit: 'bytes' }) },
    {
      badLength: expert('error', 'malformed', 'udp.length.bad', 'Bad length value', (l: Quoted) => badLength(l) !== 0, {
        message: badLengthText,
      }),
      badZero: expert('error', 'protocol', 'udp.length.bad_zero', 'Length is zero but payload < 65536', (l: Quoted) => isBadZero(l)),
    },
  ),
  ...group(
    { checksum: uint16('udp.checksum', 'Checksum', 6, { base: 'hex' }) },
    {
      checksumStatus: computed('uint8', 'udp.checksum.status', 'Checksum Status', (l: Quoted) => checksumStatus(l), {
        values: CHECKSUM_STATUS,
      }),
      checksumZero: expert(
        'error',
        'checksum',
        'udp.checksum.zero',
        'Illegal checksum value (0)',
        (l: Quoted) => checksumStatus(l) === ILLEGAL,
      ),
      checksumBad: expert('error', 'checksum', 'udp.checksum.bad', 'Bad checksum', (l: Quoted) => checksumStatus(l) === IS_BAD),
    },
  ),
  ...streamRows(),
  traceroute: expert('chat', 'sequence', 'udp.possible_traceroute', 'Possible traceroute', (l) => isTraceroute(l)),
  pduSize,
};

/** A datagram as long as what carries it, in a stream, with a checksum that nobody verified. */
const plain: Plain<InStream & Quoted> = {
  when: (l) => {
    const { bytes: b, start } = l;
    if (start + HEADER_LENGTH > l.captured || l.stream < 0 || !l.timed || l.partial !== undefined || !l.bare) return false;
    const length = lengthOf(l);
    return length >= HEADER_LENGTH && length <= l.end - start && u16(b, start + 6) !== 0 && !l.frame.session.checksums && !isTraceroute(l);
  },
  octets: HEADER_LENGTH,
  present: [fields.streamIndex, fields.timeRelative, fields.timeDelta],
  values: [[fields.checksumStatus, NOT_CHECKED]],
};

/** A UDP header. */
export class Udp extends layer('udp', 'User Datagram Protocol', fields, 'UDP', plain) {
  stream = -1;
  timed = false;
  firstSeconds = 0;
  firstNanoseconds = 0;
  previousSeconds = 0;
  previousNanoseconds = 0;
  /** Quoted in an ICMP error, or the first of several fragments: the length tells of octets that are not here. */
  declare partial: true | undefined;
  private lengths: number[] | undefined = undefined;

  /** Lengths that the messages in it announce; their dissector adds to it. */
  get messageLengths(): number[] {
    return (this.lengths ??= []);
  }
  override get bare(): boolean {
    return this.lengths === undefined;
  }
  override walk(tree: Tree): void {
    for (const length of this.messageLengths) tree.put(pduSize, length);
  }

  override summary(out: TextBuffer): void {
    writePorts(out, this);
    const bad = badLength(this);
    if (bad !== 0) {
      out.ascii(' [BAD UDP LENGTH ');
      out.number(lengthOf(this));
      if (bad < 0) out.ascii(' < 8]');
      else {
        out.ascii(' > IP PAYLOAD LENGTH]');
      }
      if (bad < 0) return;
    }
    out.ascii(' Len=');
    out.number((isBadZero(this) ? this.end - this.start : lengthOf(this)) - HEADER_LENGTH);
  }
}

/** What a row may know of its layer besides the octets. */
interface Quoted extends Layer {
  readonly partial: true | undefined;
}

function writePorts(out: TextBuffer, { bytes: b, start }: Layer): void {
  out.number(u16(b, start));
  out.unicode(' → ');
  out.number(u16(b, start + 2));
}

/** -1: shorter than the header, 1: longer than what carries it. */
function badLength(l: Quoted): -1 | 0 | 1 {
  if (l.start + 6 > l.captured) return 0;
  const length = lengthOf(l);
  if (length < HEADER_LENGTH) return length === 0 && networkOf(l) instanceof Ipv6 ? 0 : -1;
  return l.partial === undefined && length > l.end - l.start ? 1 : 0;
}

function badLengthText(l: Quoted): string {
  return `Bad length value ${lengthOf(l)} ${badLength(l) < 0 ? `< ${HEADER_LENGTH}` : '> IP payload length'}`;
}

const isBadZero = (l: Quoted): boolean =>
  l.start + HEADER_LENGTH <= l.captured && lengthOf(l) === 0 && l.end - l.start < 0x10000 && networkOf(l) instanceof Ipv6;

function checksumStatus(l: Quoted): number | undefined {
  if (l.start + HEADER_LENGTH > l.captured) return undefined;
  if (u16(l.bytes, l.start + 6) === 0) return networkOf(l) instanceof Ipv6 ? ILLEGAL : NOT_PRESENT;
  if (l.partial || !l.frame.session.checksums) return NOT_CHECKED;
  const length = lengthOf(l);
  const end = length === 0 ? l.end : l.start + length;
  return end > l.end ? NOT_CHECKED : transportChecksum(l, UDP, l.start, end);
}

/** The ports that traceroute counts up from, three probes for each of ten hops. */
const TRACEROUTE = 33434;
const isProbe = (port: number): boolean => port > TRACEROUTE && port <= TRACEROUTE + 30;
const isTraceroute = (l: Layer): boolean =>
  l.start + 4 <= l.captured && (isProbe(u16(l.bytes, l.start)) || isProbe(u16(l.bytes, l.start + 2)));

/** A UDP-Lite header. */
export class UdpLite extends layer(
  'udplite',
  'Lightweight User Datagram Protocol',
  {
    srcPort: port('udp.srcport', 'Source Port', 0),
    dstPort: port('udp.dstport', 'Destination Port', 2),
    /** Not in the header: IP says it. */
    length: computed('uint16', 'udp.length', 'Length', (l: Layer) => l.end - l.start),
    ...group(
      { coverage: uint16('udp.checksum_coverage', 'Checksum coverage', 4) },
      {
        badCoverage: expert('error', 'protocol', 'udplite.checksum_coverage.bad', 'Bad checksum coverage length value', (l) =>
          isBadCoverage(l),
        ),
      },
    ),
    ...group(
      { checksum: uint16('udp.checksum', 'Checksum', 6, { base: 'hex' }) },
      {
        checksumStatus: computed('uint8', 'udp.checksum.status', 'Checksum Status', (l: Layer) => liteStatus(l), {
          values: CHECKSUM_STATUS,
        }),
        checksumZero: expert('error', 'checksum', 'udp.checksum.zero', 'Illegal checksum value (0)', (l) => liteStatus(l) === ILLEGAL),
        checksumBad: expert('error', 'checksum', 'udp.checksum.bad', 'Bad checksum', (l) => liteStatus(l) === IS_BAD),
      },
    ),
    ...streamRows(),
  },
  'UDP-Lite',
) {
  stream = -1;
  timed = false;
  firstSeconds = 0;
  firstNanoseconds = 0;
  previousSeconds = 0;
  previousNanoseconds = 0;

  override summary(out: TextBuffer): void {
    writePorts(out, this);
    out.ascii(' Len=');
    out.number(Math.max(0, this.end - this.start - HEADER_LENGTH));
  }
}

/** RFC 3828 section 3.1: 0 for all, else from the header on and no more than there is. */
const isBadCoverage = (l: Layer): boolean => {
  if (l.start + 6 > l.captured) return false;
  const coverage = lengthOf(l);
  return coverage !== 0 && (coverage < HEADER_LENGTH || coverage > l.end - l.start);
};

function liteStatus(l: Layer): number | undefined {
  if (l.start + HEADER_LENGTH > l.captured) return undefined;
  if (u16(l.bytes, l.start + 6) === 0) return ILLEGAL;
  if (isBadCoverage(l)) return NOT_CHECKED;
  const coverage = lengthOf(l);
  return transportChecksum(l, UDP_LITE, l.start, coverage === 0 ? l.end : l.start + coverage, l.end - l.start);
}

export const dissectUdp: Dissect = (frame, start, end) => {
  const { bytes: b, captured } = frame;
  const length = start + 6 <= captured ? u16(b, start + 4) : HEADER_LENGTH;
  if (length < HEADER_LENGTH && !(length === 0 && frame.addressing instanceof Ipv6)) {
    // Nothing after the length can be believed, so nothing after it is shown.
    const udp = new Udp(frame, start, start + 6);
    frame.add(udp, 6);
    return frame.malformed(udp, HEADER_LENGTH);
  }
  const udp = new Udp(frame, start, end);
  if (frame.quoted > 0 || frame.fragment) udp.partial = true;
  if (!frame.add(udp, HEADER_LENGTH, udp.captured - start)) return;
  frame.transport = udp;
  const stop = length !== 0 && start + length < end ? start + length : end;
  frame.session.hooks.udp?.(frame, udp);
  dissectPayload(frame, u16(b, start), u16(b, start + 2), start + HEADER_LENGTH, stop);
};

export const dissectUdpLite: Dissect = (frame, start, end) => {
  const udp = new UdpLite(frame, start, end);
  if (!frame.add(udp, HEADER_LENGTH)) return;
  frame.transport = udp;
  frame.session.hooks.udp?.(frame, udp);
  dissectPayload(frame, udp.srcPort, udp.dstPort, start + HEADER_LENGTH, end);
};

/** The payload of a datagram by its ports, the lower first (the server's, as a rule), else by its first octets. */
function dissectPayload(frame: Frame, srcPort: number, dstPort: number, start: number, end: number): void {
  if (end <= start) return;
  const low = Math.min(srcPort, dstPort);
  if (frame.tryDispatch(udpPorts, low, start, end) || frame.tryDispatch(udpPorts, srcPort + dstPort - low, start, end)) return;
  const { expected, registry } = frame.session;
  const claimed = expected.claimed((frame.transport as Udp).stream);
  if (claimed !== undefined) return claimed(frame, start, end);
  const { addressing } = frame;
  if (expected.any && (addressing instanceof Ipv4 || addressing instanceof Ipv6)) {
    const announced = expected.find(addressing.source, srcPort, addressing.destination, dstPort);
    if (announced !== undefined) return announced(frame, start, end);
  }
  const { udpRecognisers } = registry;
  for (let i = 0; i < udpRecognisers.length; i++) {
    const { recognise, dissect } = udpRecognisers[i]!;
    if (recognise(frame.bytes, start, Math.min(end, frame.captured), frame)) return dissect(frame, start, end);
  }
  frame.data(start, end);
}

export const udp: ProtocolEntry = { name: 'udp', layers: [Udp], dissect: dissectUdp, on: [ipProtocols.at(UDP, dissectUdp)] };

export const udpLite: ProtocolEntry = {
  name: 'udplite',
  layers: [UdpLite],
  dissect: dissectUdpLite,
  on: [ipProtocols.at(UDP_LITE, dissectUdpLite)],
};
