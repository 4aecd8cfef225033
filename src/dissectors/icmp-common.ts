/** What ICMP and ICMPv6 have in common: checksum, echo requests with their replies, and the datagram that an error quotes. */
import { foldChecksum, sumWords } from '../core/checksum.js';
import { computed, expert, uint16 } from '../core/field.js';
import type { Frame } from '../core/frame.js';
import type { Layer } from '../core/layer.js';
import { etherTypes } from '../core/registry.js';
import type { TextBuffer } from '../core/text.js';
import { durationText, type Nanoseconds } from '../core/time.js';
import { dissectCopy } from './copied.js';
import { Ipv4 } from './ipv4.js';
import { networkOf } from './pseudo-header.js';

/** Type, code, checksum. */
export const FIXED_LENGTH = 4;
/** With the word that each type uses its own way. */
export const HEADER_LENGTH = 8;

/** RFC 8335 section 3: codes of extended echo replies. */
export const EXTENDED_REPLY_CODE: Readonly<Record<number, string>> = {
  0: 'No error',
  1: 'Malformed Query',
  2: 'No Such Interface',
  3: 'No Such Table Entry',
  4: 'Multiple Interfaces Satisfy Query',
};
/** The same: what is known of the neighbour that was asked for. */
export const NEIGHBOR_STATE: Readonly<Record<number, string>> = {
  0: 'Reserved',
  1: 'Incomplete',
  2: 'Reachable',
  3: 'Stale',
  4: 'Delay',
  5: 'Probe',
  6: 'Failed',
};
export const CHECKSUM_STATUS: Readonly<Record<number, string>> = { 0: 'Bad', 1: 'Good', 2: 'Unverified', 3: 'Not present' };

/** The request that a reply answers. */
export interface EchoRequest {
  /** Its frame's number. */
  readonly frame: number;
  /** Nanoseconds between the two. */
  readonly time: Nanoseconds;
}

/** What is set on the layer from outside; the rows show it. */
export interface Message extends Layer {
  readonly request: EchoRequest | undefined;
  readonly quoted: true | undefined;
}

/**
 * Rows of the checksum. `sum` yields that of the pseudo-header, if there is one; undefined when it is not known. The rest is
 * worked out when it is asked for, so unlike those of IP, UDP and TCP it waits for no option.
 */
export function checksumRows(name: string, bad: string, sum: (l: Message) => number | undefined) {
  /** 1 right, 0 wrong, 2 not to be known because the message was cut short; undefined without a checksum. */
  const state = (l: Message): 0 | 1 | 2 | undefined => {
    const { bytes, start, end, captured } = l;
    if (start + FIXED_LENGTH > captured) return undefined;
    const before = l.quoted || end > captured ? undefined : sum(l);
    if (before === undefined) return 2;
    return foldChecksum(sumWords(bytes, start, end, before)) === 0 ? 1 : 0;
  };
  return {
    checksum: uint16(name, 'Checksum', 2, { base: 'hex' }),
    checksumStatus: computed<'uint8', Message>('uint8', `${name}.status`, 'Checksum Status', state, { values: CHECKSUM_STATUS }),
    checksumBad: expert<Message>('warn', 'checksum', bad, 'Bad checksum', (l) => state(l) === 0),
  };
}

/** Rows of a reply that tell of its request. */
export const responseRows = (protocol: string, to: string, time: string) => ({
  responseTo: computed<'frame', Message>('frame', `${protocol}.resp_to`, to, (l) => l.request?.frame),
  /** Milliseconds. */
  responseTime: computed<'double', Message>(
    'double',
    `${protocol}.resptime`,
    time,
    (l) => (l.request === undefined ? undefined : Number(l.request.time) / 1e6),
    { unit: 'ms' },
  ),
});

/** Which request a reply answers, and how long it took. */
export function writeAnswered(out: TextBuffer, { request }: Message): void {
  if (request === undefined) return;
  out.ascii(' (request in ');
  out.number(request.frame);
  out.unicode(`) · ${durationText(request.time)}`);
}

/** How many hops the datagram around a message has left, after `label`. */
export function writeHops(out: TextBuffer, message: Layer, label: string): void {
  const ip = networkOf(message);
  if (ip === undefined) return;
  out.ascii(label);
  out.number(ip.bytes[ip.start + (ip instanceof Ipv4 ? 8 : 7)]!);
}

/**
 * Dissect the datagram that an error quotes in `[start, end)`. It is no traffic of its own: the columns keep speaking of
 * the error, and that the quote ends early is no fault of the packet.
 */
export function dissectQuoted(frame: Frame, error: Layer, etherType: number, start: number, end: number): void {
  dissectCopy(frame, error, start, end, (inner, from, to) => inner.dispatch(etherTypes, etherType, from, to));
}
