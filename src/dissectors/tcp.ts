/**
 * Transmission Control Protocol: the header, and the fields that tell what the analysis (analysis/tcp.ts) made of it.
 *
 * RFC 9293 (header, states), RFC 7323 (window scale, timestamps), RFC 3168 and draft-ietf-tcpm-accurate-ecn (ECN).
 *
 *     0         2         4     8     12            14       16         18       20
 *     | srcport | dstport | seq | ack | hlen,flags  | window | checksum | urgent | options …
 */
import { foldChecksum, sumWords } from '../core/checksum.js';
import { bits, bytes, computed, expert, type Field, flag, gated, group, uint16, uint32 } from '../core/field.js';
import { type Layer, layer, type Mood, type Tree } from '../core/layer.js';
import { textOf, u16, u32 } from '../core/octets.js';
import type { Plain } from '../core/plain.js';
import { type Dissect, ipProtocols, type ProtocolEntry, tcpPorts } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { between } from '../core/time.js';
import type { TcpFacts } from './tcp-facts.js';
import * as Facts from './tcp-facts.js';
import {
  ACK,
  FIN,
  FIXED_LENGTH,
  flagsOf,
  headerLength,
  lengthOf,
  marked,
  measured,
  numbersOf,
  PSH,
  RST,
  SYN,
  scaledWindow,
  type TcpDirection,
  type TcpLayer,
  URG,
  whole,
} from './tcp-header.js';
import { plainInfo, writeSegmentInfo } from './tcp-info.js';
import { hasUsualOptions, isPlainStream, optionsJson, timestampsJson, writePlainSegment, writeStreamNotes } from './tcp-json.js';
import { MSS } from './tcp-option-kinds.js';
import { hasOption, onlyTimestamps, optionExperts, optionList, peerBaseOf, walkOptions } from './tcp-options.js';
import { type StreamNotes, streamRows, walkStream } from './tcp-stream.js';

/** One letter a bit from the highest: reserved ×3, AE, CWR, ECE, URG, ACK, PSH, RST, SYN, FIN; `·` where it is not set. */
const LETTERS = 'RRRACEUAPRSF';
function flagLetters(l: TcpLayer): string {
  const flags = u16(l.bytes, l.start + 12) & 0xfff;
  let text = '';
  for (let i = 0; i < 12; i++) text += flags & (0x800 >> i) ? LETTERS[i] : '·';
  // With Accurate ECN the three bits are one number, 0 to 7.
  return marked(l, Facts.ACCURATE_ECN) ? `${text.slice(0, 3)}-${(flags >> 6) & 7}-${text.slice(6)}` : text;
}

/** True when the header was captured to its end: only then Wireshark shows its analysis. */
const readable = (l: TcpLayer): boolean => l.facts !== undefined && whole(l) && l.start + headerLength(l) <= l.captured;

/** True when a segment's place in time can be told: all that is fixed in its header was captured. */
const timed = (l: TcpLayer): boolean => l.facts !== undefined && l.start + FIXED_LENGTH <= l.captured && whole(l) && l.frame.hasTime;

/** True when tcp.analysis has something to show; Wireshark says nothing after options that it could not read. */
const analysed = (l: TcpLayer): boolean => readable(l) && (l.facts!.marks & (Facts.RECORD | Facts.BROKEN_OPTIONS)) === Facts.RECORD;

/** True when what a segment acknowledges came before it, and not at the same time. */
const tookTime = ({ facts }: TcpLayer): boolean => facts!.sinceAcked !== 0;

/** True when the conversation's handshake was seen, up to this frame. */
function knowsRoundTrip(l: TcpLayer): boolean {
  const { initialRtt, initialRttFrame } = l.direction!.conversation;
  return initialRtt !== 0 && initialRttFrame <= l.frame.number;
}

/** True when the analysis remarked on the segment. */
const remarked = (l: TcpLayer): boolean => l.facts !== undefined && (l.facts.marks & ~Facts.RECORD) !== 0;

// What rows ask of their layer. Those that ask the same share one function, so that it is asked once for all of them.

const followed = (l: TcpLayer): boolean => l.facts !== undefined;
const upToFlags = (l: Layer): boolean => l.start + 13 <= l.captured && whole(l);
const upToWindow = (l: Layer): boolean => l.start + 16 <= l.captured && whole(l);
const hasStream = (l: TcpLayer): boolean => l.direction !== undefined;
const upToSequence = (l: Layer): boolean => l.start + 8 <= l.captured;
const upToAcknowledgment = (l: Layer): boolean => l.start + 12 <= l.captured;
const upToChecksum = (l: Layer): boolean => l.start + 18 <= l.captured && whole(l);
const endsKnown = (l: TcpLayer): boolean => followed(l) && measured(l) && whole(l);
const isScaled = (l: TcpLayer): boolean => upToWindow(l) && (flagsOf(l) & SYN) === 0 && followed(l);
const givesReason = (l: Layer): boolean => (flagsOf(l) & RST) !== 0 && whole(l) && l.start + headerLength(l) < l.captured;
const opensOrEnds = (l: Layer): boolean => (flagsOf(l) & (SYN | FIN | RST)) !== 0;
const isJudged = (l: TcpLayer): boolean => l.facts?.verdict !== undefined;
const acknowledges = (l: TcpLayer): boolean => analysed(l) && l.facts!.acksFrame !== 0;
const showsRoundTrip = (l: TcpLayer): boolean => acknowledges(l) && tookTime(l);
const showsInitialRoundTrip = (l: TcpLayer): boolean => analysed(l) && knowsRoundTrip(l);
const isInFlight = (l: TcpLayer): boolean => analysed(l) && l.facts!.bytesInFlight !== 0;
const timedOut = (l: TcpLayer): boolean => analysed(l) && marked(l, Facts.RETRANSMISSION) && l.facts!.reference !== 0;
const repeatsAck = (l: TcpLayer): boolean => analysed(l) && marked(l, Facts.DUPLICATE_ACK);

const analysisMark = (
  name: string,
  label: string,
  mark: number,
  severity: 'chat' | 'note' | 'warn',
  message?: (l: TcpLayer) => string,
): Field<true | undefined> =>
  expert<TcpLayer>(severity, 'sequence', `tcp.analysis.${name}`, label, (l) => analysed(l) && marked(l, mark), {
    ...(message && { message }),
  });

const ANY_RETRANSMISSION = Facts.RETRANSMISSION | Facts.FAST_RETRANSMISSION | Facts.SPURIOUS_RETRANSMISSION;

const SHORT_SEGMENT =
  'Short segment. Segment/fragment does not contain a full TCP header (might be NMAP or someone else deliberately sending unusual packets)';

const CHECKSUM_STATUS = { 0: 'Bad', 1: 'Good', 2: 'Unverified' };

const COMPLETENESS: Readonly<Record<number, string>> = {
  1: 'Incomplete, SYN_SENT',
  3: 'Incomplete, CLIENT_ESTABLISHED',
  7: 'Incomplete, ESTABLISHED',
  15: 'Incomplete, DATA',
  23: 'Complete, NO_DATA',
  31: 'Complete, WITH_DATA',
  39: 'Complete, NO_DATA',
  47: 'Complete, WITH_DATA',
  55: 'Complete, NO_DATA',
  63: 'Complete, WITH_DATA',
};

/** Kinds of repeats that a sender's kernel counts as retransmitted segments. */
const RESENT: ReadonlySet<string> = new Set(['timeout', 'fast', 'sack', 'tlp', 'spurious', 'syn']);

const repeatOf = (l: TcpLayer) => l.facts?.verdict?.repeat;

const fields = {
  srcPort: uint16('tcp.srcport', 'Source Port', 0, { also: ['tcp.port'] }),
  dstPort: uint16('tcp.dstport', 'Destination Port', 2, { also: ['tcp.port'] }),
  stream: computed<'uint32', TcpLayer>('uint32', 'tcp.stream', 'Stream index', (l) => l.direction!.conversation.number, {
    when: hasStream,
  }),
  completeness: computed<'uint8', TcpLayer>('uint8', 'tcp.completeness', 'Conversation completeness', (l) => l.facts!.completeness, {
    values: (value) => COMPLETENESS[value] ?? 'Incomplete',
    when: followed,
  }),
  length: computed<'uint32', TcpLayer>('uint32', 'tcp.len', 'TCP Segment Len', lengthOf, { unit: 'bytes', when: measured }),
  relativeSequence: computed<'uint32', TcpLayer>(
    'uint32',
    'tcp.seq',
    'Sequence Number',
    (l) => (l.facts === undefined ? u32(l.bytes, l.start + 4) : l.facts.sequence >>> 0),
    { when: upToSequence },
  ),
  // Of eight octets that an ICMP error quotes Wireshark shows the relative number alone.
  sequence: uint32('tcp.seq_raw', 'Sequence Number (raw)', 4, { when: upToAcknowledgment }),
  nextSequence: computed<'uint32', TcpLayer>(
    'uint32',
    'tcp.nxtseq',
    'Next Sequence Number',
    (l) => (l.facts!.sequence + l.facts!.length + ((flagsOf(l) & (SYN | FIN)) !== 0 ? 1 : 0)) >>> 0,
    { when: endsKnown },
  ),
  relativeAcknowledgment: computed<'uint32', TcpLayer>(
    'uint32',
    'tcp.ack',
    'Acknowledgment Number',
    (l) => (l.facts === undefined ? u32(l.bytes, l.start + 8) : l.facts.acknowledgment >>> 0),
    { when: upToFlags },
  ),
  acknowledgment: uint32('tcp.ack_raw', 'Acknowledgment Number (raw)', 8, { when: upToFlags }),
  headerLength: computed('uint8', 'tcp.hdr_len', 'Header Length', (l) => (l.start + 13 <= l.captured ? headerLength(l) : undefined), {
    unit: 'bytes',
    pure: [12, 13],
  }),
  ...group(
    { flags: bits('tcp.flags', 'Flags', 12, 16, 0x0fff, { base: 'hex', when: whole, pure: [12, 14] }) },
    {
      reserved: flag('tcp.flags.res', 'Reserved', 12, 0x0e00, 16, { when: whole, pure: [12, 14] }),
      accurateEcn: flag('tcp.flags.ae', 'Accurate ECN', 12, 0x0100, 16, { when: threeBits, pure: [12, 14] }),
      cwr: flag('tcp.flags.cwr', 'Congestion Window Reduced', 12, 0x0080, 16, { when: threeBits, pure: [12, 14] }),
      ece: flag('tcp.flags.ece', 'ECN-Echo', 12, 0x0040, 16, { when: threeBits, pure: [12, 14] }),
      ace: computed<'uint8', TcpLayer>(
        'uint8',
        'tcp.flags.ace',
        'ACE',
        (l) => (marked(l, Facts.ACCURATE_ECN) ? (u16(l.bytes, l.start + 12) >> 6) & 7 : undefined),
        { pure: [12, 14] },
      ),
      urg: flag('tcp.flags.urg', 'Urgent', 12, 0x0020, 16, { when: whole, pure: [12, 14] }),
      ack: flag('tcp.flags.ack', 'Acknowledgment', 12, 0x0010, 16, { when: whole, pure: [12, 14] }),
      push: flag('tcp.flags.push', 'Push', 12, 0x0008, 16, { when: whole, pure: [12, 14] }),
      reset: flag('tcp.flags.reset', 'Reset', 12, 0x0004, 16, { when: whole, pure: [12, 14] }),
      syn: flag('tcp.flags.syn', 'Syn', 12, 0x0002, 16, { when: whole, pure: [12, 14] }),
      fin: flag('tcp.flags.fin', 'Fin', 12, 0x0001, 16, { when: whole, pure: [12, 14] }),
      letters: computed<'string', TcpLayer>(
        'string',
        'tcp.flags.str',
        'TCP Flags',
        (l) => (l.start + 14 <= l.captured && whole(l) ? flagLetters(l) : undefined),
        { pure: [12, 14] },
      ),
    },
  ),
  ...gated(opensOrEnds, {
    connectionSyn: expert(
      'chat',
      'sequence',
      'tcp.connection.syn',
      'Connection establish request (SYN)',
      (l) => whole(l) && (flagsOf(l) & (SYN | ACK)) === SYN,
      { message: (l: Layer) => `Connection establish request (SYN): server port ${u16(l.bytes, l.start + 2)}` },
    ),
    connectionSynAck: expert(
      'chat',
      'sequence',
      'tcp.connection.synack',
      'Connection establish acknowledge (SYN+ACK)',
      (l) => whole(l) && (flagsOf(l) & (SYN | ACK)) === (SYN | ACK),
      { message: (l: Layer) => `Connection establish acknowledge (SYN+ACK): server port ${u16(l.bytes, l.start)}` },
    ),
    connectionFin: expert('chat', 'sequence', 'tcp.connection.fin', 'Connection finish (FIN)', (l) => whole(l) && (flagsOf(l) & FIN) !== 0),
    connectionReset: expert(
      'warn',
      'sequence',
      'tcp.connection.rst',
      'Connection reset (RST)',
      (l) => whole(l) && (flagsOf(l) & RST) !== 0,
    ),
    finActive: expert<TcpLayer>('note', 'sequence', 'tcp.connection.fin_active', 'This frame initiates the connection closing', (l) =>
      marked(l, Facts.FIN_ACTIVE),
    ),
    finPassive: expert<TcpLayer>('note', 'sequence', 'tcp.connection.fin_passive', 'This frame undergoes the connection closing', (l) =>
      marked(l, Facts.FIN_PASSIVE),
    ),
  }),
  window: uint16('tcp.window_size_value', 'Window', 14, { when: whole }),
  windowSize: computed<'uint32', TcpLayer>('uint32', 'tcp.window_size', 'Calculated window size', scaledWindow, {
    unit: 'bytes',
    when: upToWindow,
  }),
  windowScale: computed<'int32', TcpLayer>(
    'int32',
    'tcp.window_size_scalefactor',
    'Window size scaling factor',
    (l) => {
      const { scale } = l.facts!;
      return scale < 0 ? scale : 1 << scale;
    },
    { when: isScaled },
  ),
  ...group(
    { checksum: uint16('tcp.checksum', 'Checksum', 16, { base: 'hex', when: whole }) },
    {
      checksumStatus: computed<'uint8', TcpLayer>('uint8', 'tcp.checksum.status', 'Checksum Status', checksumStatus, {
        values: CHECKSUM_STATUS,
        when: upToChecksum,
      }),
      checksumBad: expert(
        'error',
        'checksum',
        'tcp.checksum_bad.expert',
        'Bad checksum',
        (l) => l.frame.session.checksums && checksumStatus(l) === 0,
      ),
    },
  ),
  urgentPointer: uint16('tcp.urgent_pointer', 'Urgent Pointer', 18, { when: whole }),
  ...gated(whole, {
    urgentWithoutFlag: expert(
      'note',
      'protocol',
      'tcp.urgent_pointer.non_zero',
      'The urgent pointer field is nonzero while the URG flag is not set',
      (l) => l.start + FIXED_LENGTH <= l.captured && whole(l) && (flagsOf(l) & URG) === 0 && u16(l.bytes, l.start + 18) !== 0,
    ),
    ackWithoutFlag: expert(
      'note',
      'protocol',
      'tcp.ack.nonzero',
      'The acknowledgment number field is nonzero while the ACK flag is not set',
      (l) => l.start + 14 <= l.captured && whole(l) && (flagsOf(l) & ACK) === 0 && u32(l.bytes, l.start + 8) !== 0,
    ),
  }),
  shortSegment: expert('warn', 'malformed', 'tcp.short_segment', 'Short segment', (l) => shortSegment(l), { message: () => SHORT_SEGMENT }),
  bogusHeader: expert(
    'error',
    'protocol',
    'tcp.bogus_header_length',
    'Bogus TCP Header length',
    (l) => l.start + 13 <= l.captured && !whole(l),
    { message: (l: Layer) => `Bogus TCP header length (${headerLength(l)}, must be at least ${FIXED_LENGTH})` },
  ),
  allOptions: bytes('tcp.options', 'Options', FIXED_LENGTH, (l) => optionsLength(l), { quiet: true, when: (l) => optionsLength(l) > 0 }),
  options: optionList,
  ...gated((l: Layer) => optionsLength(l) > 0 && !onlyTimestamps(l), {
    ...optionExperts,
    noMss: expert('note', 'protocol', 'tcp.options.mss.absent', 'The SYN packet does not contain a MSS option', (l) => mssMissing(l)),
    mssAfterSyn: expert<TcpLayer>(
      'note',
      'protocol',
      'tcp.options.mss.present',
      'The non-SYN packet does contain a MSS option',
      (l) => (flagsOf(l) & SYN) === 0 && optionsLength(l) > 0 && hasMss(l),
    ),
  }),
  timeRelative: computed<'duration', TcpLayer>(
    'duration',
    'tcp.time_relative',
    'Time since first frame in this TCP stream',
    (l) => {
      const { startSeconds, startNanoseconds } = l.direction!.conversation;
      return between(l.frame.seconds, l.frame.nanoseconds, startSeconds, startNanoseconds);
    },
    { unit: 'seconds', when: timed },
  ),
  timeDelta: computed<'duration', TcpLayer>(
    'duration',
    'tcp.time_delta',
    'Time since previous frame in this TCP stream',
    (l) => between(l.frame.seconds, l.frame.nanoseconds, l.facts!.previousSeconds, l.facts!.previousNanoseconds),
    { unit: 'seconds', when: timed },
  ),
  ...group(
    { analysis: computed<'none', TcpLayer>('none', 'tcp.analysis', 'SEQ/ACK analysis', (l) => (analysed(l) ? true : undefined)) },
    {
      acksFrame: computed<'frame', TcpLayer>(
        'frame',
        'tcp.analysis.acks_frame',
        'This is an ACK to the segment in frame',
        (l) => l.facts!.acksFrame,
        { when: acknowledges },
      ),
      ackRtt: computed<'duration', TcpLayer>(
        'duration',
        'tcp.analysis.ack_rtt',
        'The RTT to ACK the segment was',
        (l) => between(l.frame.seconds, l.frame.nanoseconds, l.facts!.acksSeconds, l.facts!.acksNanoseconds),
        {
          unit: 'seconds',
          when: showsRoundTrip,
        },
      ),
      initialRtt: computed<'duration', TcpLayer>(
        'duration',
        'tcp.analysis.initial_rtt',
        'iRTT',
        (l) => l.direction!.conversation.initialRtt,
        {
          unit: 'seconds',
          when: showsInitialRoundTrip,
        },
      ),
      bytesInFlight: computed<'uint32', TcpLayer>(
        'uint32',
        'tcp.analysis.bytes_in_flight',
        'Bytes in flight',
        (l) => l.facts!.bytesInFlight,
        { unit: 'bytes', when: isInFlight },
      ),
      pushBytesSent: computed<'uint32', TcpLayer>(
        'uint32',
        'tcp.analysis.push_bytes_sent',
        'Bytes sent since last PSH flag',
        (l) => l.facts!.pushBytes,
        { unit: 'bytes', when: isInFlight },
      ),
      ...gated(remarked, {
        rto: computed<'duration', TcpLayer>('duration', 'tcp.analysis.rto', 'The RTO for this segment was', (l) => l.facts!.timeout, {
          unit: 'seconds',
          when: timedOut,
        }),
        rtoFrame: computed<'frame', TcpLayer>(
          'frame',
          'tcp.analysis.rto_frame',
          'RTO based on delta from frame',
          (l) => l.facts!.reference,
          { when: timedOut },
        ),
        analysisFlags: computed<'none', TcpLayer>('none', 'tcp.analysis.flags', 'TCP Analysis Flags', (l) =>
          analysed(l) && marked(l, Facts.ANALYSIS_FLAGS) ? true : undefined,
        ),
        reusedPorts: analysisMark(
          'reused_ports',
          'A new tcp session is started with the same ports as an earlier session in this trace',
          Facts.REUSED_PORTS,
          'note',
        ),
        fastRetransmission: analysisMark(
          'fast_retransmission',
          'This frame is a (suspected) fast retransmission',
          Facts.FAST_RETRANSMISSION,
          'note',
        ),
        spuriousRetransmission: analysisMark(
          'spurious_retransmission',
          'This frame is a (suspected) spurious retransmission',
          Facts.SPURIOUS_RETRANSMISSION,
          'note',
        ),
        retransmission: analysisMark('retransmission', 'This frame is a (suspected) retransmission', ANY_RETRANSMISSION, 'note'),
        outOfOrder: analysisMark('out_of_order', 'This frame is a (suspected) out-of-order segment', Facts.OUT_OF_ORDER, 'warn'),
        lostSegment: analysisMark('lost_segment', 'Previous segment(s) not captured (common at capture start)', Facts.LOST_SEGMENT, 'warn'),
        ackLostSegment: analysisMark(
          'ack_lost_segment',
          "ACKed segment that wasn't captured (common at capture start)",
          Facts.ACK_LOST_SEGMENT,
          'warn',
        ),
        windowUpdate: analysisMark('window_update', 'TCP window update', Facts.WINDOW_UPDATE, 'chat'),
        windowFull: analysisMark('window_full', 'TCP window specified by the receiver is now completely full', Facts.WINDOW_FULL, 'warn'),
        keepAlive: analysisMark('keep_alive', 'TCP keep-alive segment', Facts.KEEP_ALIVE, 'note'),
        keepAliveAck: analysisMark('keep_alive_ack', 'ACK to a TCP keep-alive segment', Facts.KEEP_ALIVE_ACK, 'note'),
        duplicateAck: analysisMark(
          'duplicate_ack',
          'Duplicate ACK',
          Facts.DUPLICATE_ACK,
          'note',
          (l) => `Duplicate ACK (#${l.facts!.duplicateAckNumber})`,
        ),
        duplicateAckNumber: computed<'uint32', TcpLayer>(
          'uint32',
          'tcp.analysis.duplicate_ack_num',
          'Duplicate ACK #',
          (l) => l.facts!.duplicateAckNumber,
          { when: repeatsAck },
        ),
        duplicateAckFrame: computed<'frame', TcpLayer>(
          'frame',
          'tcp.analysis.duplicate_ack_frame',
          'Duplicate to the ACK in frame',
          (l) => l.facts!.reference,
          { when: repeatsAck },
        ),
        zeroWindowProbe: analysisMark('zero_window_probe', 'TCP Zero Window Probe', Facts.ZERO_WINDOW_PROBE, 'note'),
        zeroWindow: analysisMark('zero_window', 'TCP Zero Window segment', Facts.ZERO_WINDOW, 'warn'),
        zeroWindowProbeAck: analysisMark('zero_window_probe_ack', 'ACK to a TCP Zero Window Probe', Facts.ZERO_WINDOW_PROBE_ACK, 'note'),
      }),
    },
  ),
  ...gated((l: Layer) => (flagsOf(l) & SYN) !== 0, {
    fastOpenSyn: expert<TcpLayer>('note', 'sequence', 'tcp.analysis.tfo_syn', 'TCP SYN with TFO Cookie', (l) =>
      marked(l, Facts.FAST_OPEN_SYN),
    ),
    fastOpenAck: expert<TcpLayer>('note', 'sequence', 'tcp.analysis.tfo_ack', 'TCP SYN-ACK accepting TFO data', (l) =>
      marked(l, Facts.FAST_OPEN_ACK),
    ),
    fastOpenIgnored: expert<TcpLayer>('note', 'sequence', 'tcp.analysis.tfo_ignored', 'TCP SYN-ACK ignoring TFO data', (l) =>
      marked(l, Facts.FAST_OPEN_IGNORED),
    ),
  }),
  payload: bytes('tcp.payload', 'TCP payload', headerLength, (l) => l.captured - l.start - headerLength(l), {
    quiet: true,
    when: (l) => l.start + headerLength(l) < l.captured && whole(l) && (flagsOf(l) & RST) === 0,
  }),
  ...streamRows,
  resetCause: computed('string', 'tcp.reset_cause', 'Reset cause', (l) => textOf(l.bytes, l.start + headerLength(l), l.captured), {
    when: givesReason,
  }),
  ...gated(isJudged, verdictRows()),
};

/** What is remarked on elsewhere than among the analysis' own remarks. */
const REMARKED_ELSEWHERE = Facts.ACCURATE_ECN | Facts.BROKEN_OPTIONS | Facts.FAST_OPEN_SYN | Facts.FAST_OPEN_ACK | Facts.FAST_OPEN_IGNORED;

/** Flags of segments that open a connection, or break it off without saying why; those without ACK acknowledge nothing. */
function opensOrBreaksOff(l: Layer, flags: number): boolean {
  if (flags !== (SYN | ACK) && flags !== (RST | ACK) && ((flags !== SYN && flags !== RST) || u32(l.bytes, l.start + 8) !== 0)) return false;
  return (flags & RST) === 0 || l.start + headerLength(l) >= l.captured;
}

/** Options that are usual for such a segment, and nothing to remark on them. */
const hasPlainOptions = (l: Layer, flags: number): boolean => hasUsualOptions(l) && hasMss(l) === ((flags & SYN) !== 0);

/** Not as plain as most headers, but nothing that has to be asked for one by one. */
function hasPlainHeader(l: TcpLayer, facts: TcpFacts): boolean {
  const { bytes: b, start } = l;
  if (facts.length < 0 || start + FIXED_LENGTH > l.captured) return false;
  // Nothing of the reserved bits, and of the flags mostly ACK, with PSH and FIN or without.
  const flags = b[start + 13]!;
  if ((b[start + 12]! & 0x0f) !== 0 || u16(b, start + 18) !== 0) return false;
  if ((flags & ~(PSH | FIN)) !== ACK && !opensOrBreaksOff(l, flags)) return false;
  const header = headerLength(l);
  return header === FIXED_LENGTH || (header > FIXED_LENGTH && (onlyTimestamps(l) || hasPlainOptions(l, flags)));
}

/** Segments of a connection with options that are usual. Short functions: the engine puts them into the one that calls them all. */
const plain: Plain<TcpLayer> = {
  when: (l) => {
    const { frame, facts, assembly } = l;
    if (facts === undefined || (facts.marks & REMARKED_ELSEWHERE) !== 0 || frame.session.checksums || !frame.hasTime) return false;
    return (facts.isPlain || hasPlainHeader(l, facts)) && (assembly === undefined || isPlainStream(assembly));
  },
  octets: FIXED_LENGTH,
  holds: [hasStream, followed, measured, upToSequence, upToAcknowledgment, endsKnown, upToFlags, whole, upToWindow, upToChecksum, timed],
  fails: [givesReason],
  rare: [opensOrEnds, remarked, isJudged],
  // What is acknowledged or in flight is told in a record.
  simply: [
    [acknowledges, (l) => l.facts!.acksFrame !== 0],
    [showsRoundTrip, (l) => l.facts!.acksFrame !== 0 && tookTime(l)],
    [showsInitialRoundTrip, (l) => (l.facts!.marks & Facts.RECORD) !== 0 && knowsRoundTrip(l)],
    [isInFlight, (l) => l.facts!.bytesInFlight !== 0],
    [opensOrEnds, (l) => (l.bytes[l.start + 13]! & (SYN | FIN | RST)) !== 0],
    [isScaled, (l) => (l.bytes[l.start + 13]! & SYN) === 0],
    [remarked, (l) => (l.facts!.marks & ~Facts.RECORD) !== 0],
    [isJudged, (l) => l.facts!.verdict !== undefined],
  ],
  values: [
    [fields.checksumStatus, 2],
    [fields.urgentPointer, 0],
  ],
  json: [
    [fields.length, [numbersOf.length]],
    [fields.relativeSequence, [numbersOf.sequence]],
    [fields.nextSequence, [(l) => l.facts!.sequence + l.facts!.length + ((l.bytes[l.start + 13]! & (SYN | FIN)) === 0 ? 0 : 1)]],
    [fields.relativeAcknowledgment, [numbersOf.acknowledgment]],
    [fields.windowSize, [numbersOf.window]],
    [fields.timeRelative, [{ duration: (l) => l.facts!.sinceStart }]],
    [fields.timeDelta, [{ duration: (l) => l.facts!.sincePrevious }]],
    [fields.ackRtt, [{ duration: (l) => l.facts!.sinceAcked }]],
    [fields.initialRtt, [{ duration: (l) => l.direction!.conversation.initialRtt }]],
  ],
  info: plainInfo,
  walk: [timestampsJson, optionsJson, { when: (l) => l.assembly !== undefined, write: (l, out) => writeStreamNotes(out, l.assembly!) }],
};

/** Rows of netlens' own: what really happened, with the evidence. */
function verdictRows() {
  return {
    resent: expert<TcpLayer>('note', 'protocol', 'netlens.tcp.retransmission', 'Sent again', (l) => RESENT.has(repeatOf(l)?.kind ?? '')),
    repeatKind: computed<'string', TcpLayer>('string', 'netlens.tcp.repeat.kind', 'Kind of repeat', (l) => repeatOf(l)?.kind),
    repeatOf: computed<'frame', TcpLayer>('frame', 'netlens.tcp.repeat.of', 'Repeats frame', (l) => repeatOf(l)?.of || undefined),
    repeatFirst: computed<'frame', TcpLayer>(
      'frame',
      'netlens.tcp.repeat.first',
      'First sent in frame',
      (l) => repeatOf(l)?.first || undefined,
    ),
    repeatAfter: computed<'duration', TcpLayer>(
      'duration',
      'netlens.tcp.repeat.after',
      'Time since it was last sent',
      (l) => repeatOf(l)?.after,
      {
        unit: 'seconds',
      },
    ),
    repeatTimeout: computed<'uint32', TcpLayer>(
      'uint32',
      'netlens.tcp.repeat.timeout',
      'Timeouts in a row',
      (l) => repeatOf(l)?.timeout || undefined,
    ),
    repeatEvidence: computed<'string', TcpLayer>('string', 'netlens.tcp.repeat.evidence', 'Evidence', (l) => repeatOf(l)?.evidence),
    late: computed<'duration', TcpLayer>('duration', 'netlens.tcp.out_of_order', 'Out of order by', (l) => l.facts?.verdict?.late, {
      unit: 'seconds',
    }),
    overtakenBy: computed<'frame', TcpLayer>(
      'frame',
      'netlens.tcp.out_of_order.frame',
      'Overtaken by frame',
      (l) => l.facts?.verdict?.overtakenBy,
    ),
    lateEvidence: computed<'string', TcpLayer>(
      'string',
      'netlens.tcp.out_of_order.evidence',
      'Evidence',
      (l) => l.facts?.verdict?.lateEvidence,
    ),
    missing: computed<'uint32', TcpLayer>(
      'uint32',
      'netlens.tcp.missing',
      'Octets before it that were not seen',
      (l) => l.facts?.verdict?.missing,
      {
        unit: 'bytes',
      },
    ),
    trueDuplicateAck: computed<'uint32', TcpLayer>(
      'uint32',
      'netlens.tcp.duplicate_ack',
      'Duplicate ACK in a row',
      (l) => l.facts?.verdict?.duplicateAck,
    ),
    trueDuplicateOf: computed<'frame', TcpLayer>(
      'frame',
      'netlens.tcp.duplicate_ack.of',
      'Same as the ACK in frame',
      (l) => l.facts?.verdict?.duplicateOf,
    ),
    handshake: computed<'duration', TcpLayer>('duration', 'netlens.tcp.handshake', 'Handshake took', (l) => l.facts?.verdict?.handshake, {
      unit: 'seconds',
    }),
    needless: computed<'frame', TcpLayer>(
      'frame',
      'netlens.tcp.needless',
      'Shows as needless the retransmission in frame',
      (l) => l.facts?.verdict?.needless,
    ),
    needlessEvidence: computed<'string', TcpLayer>(
      'string',
      'netlens.tcp.needless.evidence',
      'Evidence',
      (l) => l.facts?.verdict?.needlessEvidence,
    ),
    note: computed<'string', TcpLayer>('string', 'netlens.tcp.note', 'Remark', (l) => l.facts?.verdict?.note),
  };
}

/** True when the three ECN bits mean what their names say. */
function threeBits(l: TcpLayer): boolean {
  return whole(l) && !marked(l, Facts.ACCURATE_ECN);
}

/** Octets of options in the header that were captured. */
function optionsLength(l: Layer): number {
  if (l.start + FIXED_LENGTH > l.captured) return 0;
  return Math.min(l.start + headerLength(l), l.captured) - l.start - FIXED_LENGTH;
}

function shortSegment(l: Layer): boolean {
  return !(l as TcpLayer).partial && l.start + 13 <= l.captured && l.end - l.start < headerLength(l);
}

/** A SYN whose options name no MSS. */
function mssMissing(l: Layer): boolean {
  return (flagsOf(l) & SYN) !== 0 && optionsLength(l) > 0 && !hasMss(l);
}

const hasMss = (l: Layer): boolean => hasOption(l.bytes, l.start + FIXED_LENGTH, l.start + FIXED_LENGTH + optionsLength(l), MSS);

/** 0 bad, 1 good, 2 not verified: not asked for, or not all octets there. */
function checksumStatus(l: Layer): number | undefined {
  if (l.start + 18 > l.captured || !whole(l)) return undefined;
  const { frame } = l;
  if (!frame.session.checksums || (l as TcpLayer).partial || l.end > l.captured) return 2;
  const ip = frame.addressing as unknown as Layer | undefined;
  if (ip === undefined) return 2;
  const { name } = ip.protocol;
  let sum: number;
  if (name === 'ip') sum = sumWords(ip.bytes, ip.start + 12, ip.start + 20);
  else if (name === 'ipv6') sum = sumWords(ip.bytes, ip.start + 8, ip.start + 40);
  else return 2;
  return foldChecksum(sum + 6 + (l.end - l.start) + sumWords(l.bytes, l.start, l.end)) === 0 ? 1 : 0;
}

/** A TCP header with its options, and what the conversation so far says about it. */
export class Tcp extends layer('tcp', 'Transmission Control Protocol', fields, 'TCP', plain) {
  /** Who sends to whom; undefined when conversations are not followed. */
  direction: TcpDirection | undefined = undefined;
  /** What putting the stream in order made of the segment (reassembly/streams.ts). */
  assembly: StreamNotes | undefined = undefined;
  /** What the analysis found out; undefined when it is off. */
  facts: TcpFacts | undefined = undefined;
  /** Quoted in an ICMP error, or the head of a datagram that is not complete: how long the segment is stands nowhere. */
  declare partial: boolean;

  override get mood(): Mood | undefined {
    const flags = flagsOf(this);
    if (flags & RST) return 'resets';
    if (flags & SYN) return this.facts?.verdict?.repeat === undefined ? 'opens' : 'trouble';
    if (this.facts !== undefined && troubled(this.facts)) return 'trouble';
    return flags & FIN ? 'closes' : undefined;
  }

  override get chain(): string {
    return marked(this, Facts.MULTIPATH) ? 'tcp:mptcp' : 'tcp';
  }

  override lasting(copyOf: (octets: Uint8Array) => Uint8Array, shift: number): PropertyDescriptorMap {
    const { assembly, facts } = this;
    const own: PropertyDescriptorMap = { facts: { value: facts && { ...facts } } };
    if (assembly === undefined) return own;
    const { reassembled, segmentData } = assembly;
    const value: StreamNotes = {
      ...assembly,
      segmentData: segmentData.map(([from, to]) => [from - shift, to - shift] as const),
      reassembled: reassembled && { ...reassembled, bytes: copyOf(reassembled.bytes), parts: reassembled.parts.copy() },
    };
    return { ...own, assembly: { value } };
  }

  override get unusual(): boolean {
    return marked(this, Facts.ACCURATE_ECN);
  }

  override quickJson(out: TextBuffer): boolean {
    return writePlainSegment(out, this);
  }

  override walk(tree: Tree): void {
    if (this.start + FIXED_LENGTH > this.captured) return;
    walkOptions(tree, this.start + FIXED_LENGTH, this.start + headerLength(this), {
      peerBase: peerBaseOf(this),
      acknowledgment: u32(this.bytes, this.start + 8),
    });
    if (this.assembly !== undefined) walkStream(tree, this.assembly);
  }

  override summary(out: TextBuffer): void {
    writeSegmentInfo(out, this);
  }
}

/** Something went wrong on the way, or nothing can go on. */
const troubled = ({ marks, verdict }: TcpFacts): boolean =>
  (marks & (Facts.ZERO_WINDOW | Facts.WINDOW_FULL)) !== 0 ||
  (verdict !== undefined &&
    (verdict.repeat !== undefined || verdict.late !== undefined || verdict.missing !== undefined || verdict.duplicateAck !== undefined));

Tcp.prototype.partial = false;

export const dissectTcp: Dissect = (frame, start, end) => {
  const tcp = new Tcp(frame, start, end);
  const complete = frame.add(tcp, FIXED_LENGTH, tcp.captured - start);
  // Up to the window is enough for a segment to be part of its conversation.
  if (start + 16 > tcp.captured) return;
  frame.transport = tcp;
  const header = headerLength(tcp);
  const { hooks } = frame.session;
  const partial = frame.quoted > 0 || frame.fragment;
  if (partial) tcp.partial = true;
  hooks.tcpHeader?.(frame, tcp, !partial && end - start >= header);
  if (!complete) return;
  if (header < FIXED_LENGTH) return frame.malformed(tcp, FIXED_LENGTH);
  if (start + header > tcp.captured && !frame.require(tcp, header)) return;
  if (tcp.facts !== undefined && tcp.facts.marks & Facts.BROKEN_OPTIONS) return frame.malformed(tcp, header);
  const { tcp: hook } = hooks;
  if (hook !== undefined && !partial) return hook(frame, tcp, start + header, end);
  const low = Math.min(u16(tcp.bytes, start), u16(tcp.bytes, start + 2));
  if (start + header < end) frame.dispatch(tcpPorts, low, start + header, end);
};

export const tcp: ProtocolEntry = { name: 'tcp', layers: [Tcp], dissect: dissectTcp, on: [ipProtocols.at(6, dissectTcp)] };
