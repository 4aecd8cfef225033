/**
 * A line a frame: number, time, source, destination, protocol, length, info, in columns that stay put. Their widths come
 * from the first frames and only ever grow.
 */

import { DIGITS_ROOM, digitsOf, putRight, putSix, putWhole } from '../core/digits.js';
import { FixedText } from '../core/fixed-text.js';
import type { Addressing, Frame } from '../core/frame.js';
import type { Layer } from '../core/layer.js';
import { u16 } from '../core/octets.js';
import { TextBuffer } from '../core/text.js';
import { KnownEnds, NOT_KEPT } from './known-ends.js';
import { PLAIN, type Theme, type Tone } from './theme.js';

/** Which time a line shows, by tshark's letters. */
export type TimeFormat = 'r' | 'd' | 'dd' | 'a' | 'ad' | 'u' | 'ud' | 'e';

/** How lines are laid out. */
export interface LineOptions {
  readonly time: TimeFormat;
  /** Columns of the terminal; lines are cut there. 0: not a terminal, nothing is cut. */
  readonly width: number;
  readonly theme: Theme;
  /** Arrows and dots beyond ASCII. */
  readonly unicode: boolean;
  /** Frames to look at before the first line is written, so that the columns fit; 0 for live traffic. */
  readonly look: number;
}

/** Relative times, nothing cut, no colours. */
export const LINE_DEFAULTS: LineOptions = { time: 'r', width: 0, theme: PLAIN, unicode: true, look: 50 };

/** One of the first lines, which wait until the widths of the columns are known: its cells, one behind the other. */
interface HeldLine {
  readonly text: Uint8Array;
  /** Where each of the cells ends in {@link text}. */
  readonly ends: readonly number[];
  readonly tone: Tone | undefined;
  readonly protocolTone: Tone;
}

const NUMBER = 0;
const TIME = 1;
const SOURCE = 2;
const DESTINATION = 3;
const PROTOCOL = 4;
const LENGTH = 5;
const INFO = 6;

/** A protocol's short name, filled up with blanks to the width of its column, and with a blank behind that. */
interface ShortName {
  readonly name: string;
  readonly padded: FixedText;
  readonly spaced: FixedText;
}

const ARROW = new FixedText(' → ');
const ASCII_ARROW = new FixedText(' > ');
/** In place of an arrow where there is nobody at either end. */
const NO_ARROW = new FixedText('   ');
const ELLIPSIS = new TextEncoder().encode('…');

/** Colour of a protocol by what kind it is. */
const KIND: Readonly<Record<string, Tone>> = {
  eth: 'link',
  arp: 'link',
  llc: 'link',
  vlan: 'link',
  stp: 'link',
  data: 'network',
  ip: 'network',
  ipv6: 'network',
  igmp: 'control',
  icmp: 'control',
  icmpv6: 'control',
  tcp: 'transport',
  udp: 'transport',
};

/** The ports that go with the addresses: those of a tunnel's outer datagram do not go with the addresses inside. */
function portsOf({ transport }: Frame, addressing: Layer): Frame['transport'] {
  return transport !== undefined && transport.bytes === addressing.bytes && transport.start < addressing.start ? undefined : transport;
}

/** An IPv6 address and a port are told apart by brackets (RFC 5952 section 6). */
const hasBrackets = (addressing: Addressing | undefined, transport: Frame['transport']): boolean =>
  transport !== undefined && (addressing as unknown as Layer).protocol.name === 'ipv6';

/** An end of the conversation: its address, and its port where there is one. */
function writeEndpoint(out: TextBuffer, addressing: Addressing, transport: Frame['transport'], brackets: boolean, source: boolean): void {
  if (brackets) out.byte(91);
  if (source) addressing.writeSource(out);
  else addressing.writeDestination(out);
  if (brackets) out.byte(93);
  if (transport === undefined) return;
  out.room(DIGITS_ROOM);
  const { view } = out;
  view.setUint8(out.length, 58);
  // Source and destination port are the first two words of every transport header that has ports.
  out.length = putWhole(view, out.length + 1, u16(transport.bytes, transport.start + (source ? 0 : 2)));
}

/** Two blanks, between columns. */
function blanks(view: DataView, at: number): number {
  view.setUint16(at, 0x2020);
  return at + 2;
}

/**
 * Writes frames as lines.
 * @example
 * const out = new TextBuffer();
 * const writer = new LineWriter(LINE_DEFAULTS);
 * for await (const frame of open('fixtures/arp.pcap')) writer.write(out, frame);
 * writer.release(out);
 * console.log(out.toString());
 */
export class LineWriter {
  private readonly widths = [5, 0, 0, 0, 4, 4, 0];
  private held: HeldLine[] | undefined;
  private localSeconds = Number.NaN;
  private localOffset = 0;
  private readonly knownEnds = new KnownEnds();
  /** By the numbers of the protocols: their short names as wide as their column. */
  private readonly names: (ShortName | undefined)[] = [];

  constructor(private readonly options: LineOptions = LINE_DEFAULTS) {
    this.held = options.look > 0 ? [] : undefined;
  }

  /** Write a frame's line, or hold it until enough are known to lay out the columns. */
  write(out: TextBuffer, frame: Frame): void {
    if (this.held === undefined) {
      this.direct(out, frame);
      return;
    }
    this.held.push(this.hold(frame));
    if (this.held.length >= this.options.look) this.release(out);
  }

  /** The cells of a frame's line; the columns become as wide as these are. */
  private hold(frame: Frame): HeldLine {
    const cells = new TextBuffer(256);
    cells.asciiOnly = !this.options.unicode;
    const ends: number[] = [];
    const ended = (): void => {
      const column = ends.length;
      const width = cells.length - (ends[column - 1] ?? 0);
      ends.push(cells.length);
      if (column < INFO && width > this.widths[column]!) this.widen(column, width);
    };
    cells.number(frame.number);
    ended();
    this.time(cells, frame);
    ended();
    const { addressing } = frame;
    const transport = addressing && portsOf(frame, addressing as unknown as Layer);
    const brackets = hasBrackets(addressing, transport);
    for (const isSource of [true, false]) {
      if (addressing !== undefined) writeEndpoint(cells, addressing, transport, brackets, isSource);
      ended();
    }
    cells.text(frame.top.shortName);
    ended();
    cells.number(frame.wireLength);
    ended();
    frame.writeInfo(cells);
    ended();
    return { text: cells.bytes.slice(0, cells.length), ends, tone: this.toneOf(frame), protocolTone: this.protocolToneOf(frame) };
  }

  /** What stands out about a frame, where colours show it. */
  private toneOf(frame: Frame): Tone | undefined {
    return this.options.theme.colours ? toneOf(frame) : undefined;
  }

  /** The colour of a frame's protocol. */
  private protocolToneOf(frame: Frame): Tone {
    return this.options.theme.colours ? (KIND[frame.top.protocol.name] ?? 'application') : 'application';
  }

  /** Write the lines that are held; at the end of a source, or when it pauses. */
  release(out: TextBuffer): void {
    const { held } = this;
    if (held === undefined) return;
    this.held = undefined;
    for (const cells of held) this.lay(out, cells);
  }

  /** Column widths only ever grow; those of addresses no further than a narrow screen allows, where longer ones stand out of line. */
  private widen(column: number, width: number): void {
    const { width: screen } = this.options;
    const most = screen > 0 && screen < WIDE && (column === SOURCE || column === DESTINATION) ? MOST_ENDPOINT : width;
    if (width <= this.widths[column]!) return;
    this.widths[column] = Math.max(this.widths[column]!, Math.min(width, most));
    // What was laid out for narrower columns is of no use now.
    if (column === SOURCE || column === DESTINATION) this.knownEnds.forget();
    else if (column === PROTOCOL) this.names.length = 0;
  }

  /** A line straight into the output: each cell is written where it stands, then filled up to its column's width. */
  private direct(out: TextBuffer, frame: Frame): void {
    const { widths } = this;
    const { theme, unicode, width: screen } = this.options;
    const { colours } = theme;
    const { asciiOnly } = out;
    out.asciiOnly = !unicode;
    out.room(LINE_ROOM);
    if (colours) theme.open(out, 'name');
    out.length = blanks(out.view, putRight(out.view, out.length, frame.number, widths[NUMBER]!));
    if (this.options.time !== 'r' || !this.sinceFirst(out, frame)) this.right(out, TIME, frame);
    if (colours) theme.close(out, 'name');
    out.length = blanks(out.view, out.length);
    const { addressing } = frame;
    const transport = addressing && portsOf(frame, addressing as unknown as Layer);
    const endpoints = out.length;
    let over = 0;
    let endpointsEnd = 0;
    // Ends that were written before; lines that may be cut have to know where each of them ends.
    const known = screen === 0 && transport !== undefined ? this.knownEnds.find(addressing as unknown as Layer, transport) : NOT_KEPT;
    if (known >= 0) out.length = this.knownEnds.put(known, out.view, endpoints);
    else {
      const brackets = hasBrackets(addressing, transport);
      if (addressing !== undefined) writeEndpoint(out, addressing, transport, brackets, true);
      let width = out.length - endpoints;
      if (width > widths[SOURCE]!) this.widen(SOURCE, width);
      over = width - widths[SOURCE]!;
      if (over < 0) out.pad(endpoints, widths[SOURCE]!);
      out.fixed(addressing === undefined ? NO_ARROW : unicode ? ARROW : ASCII_ARROW);
      const destination = out.length;
      if (addressing !== undefined) writeEndpoint(out, addressing, transport, brackets, false);
      width = out.length - destination;
      if (width > widths[DESTINATION]!) this.widen(DESTINATION, width);
      over = Math.max(0, over) + Math.max(0, width - widths[DESTINATION]!);
      endpointsEnd = out.length;
      out.room(widths[DESTINATION]! + LINE_ROOM);
      out.pad(destination, widths[DESTINATION]!);
      out.length = blanks(out.view, out.length);
      if (known !== NOT_KEPT) this.knownEnds.keep(addressing as unknown as Layer, transport!, out.bytes, endpoints, out.length);
    }
    const { top } = frame;
    const tone = colours ? this.toneOf(frame) : undefined;
    if (colours) {
      const protocolTone = tone ?? this.protocolToneOf(frame);
      theme.open(out, protocolTone);
      out.fixed(this.nameOf(top).padded);
      theme.close(out, protocolTone);
      out.byte(32);
      out.room(LINE_ROOM);
    } else out.length = this.nameOf(top).spaced.put(out.view, out.length);
    const { view } = out;
    out.length = blanks(view, putRight(view, out.length, frame.wireLength, widths[LENGTH]!));
    if (tone !== undefined) theme.open(out, tone);
    const from = out.length;
    frame.writeInfo(out, top);
    if (screen === 0 || this.cut(out, endpoints, endpointsEnd, from, screen, over)) if (tone !== undefined) theme.close(out, tone);
    out.byte(10);
    out.asciiOnly = asciiOnly;
  }

  /** The name that the protocol column shows, as wide as the column. */
  private nameOf(top: Layer): ShortName {
    const { shortName } = top;
    const { id } = top.protocol;
    const known = this.names[id];
    return known !== undefined && known.name === shortName ? known : this.newName(id, shortName);
  }

  /** Most layers of a protocol are called by the same name. */
  private newName(id: number, name: string): ShortName {
    this.widen(PROTOCOL, name.length);
    const padded = name.padEnd(this.widths[PROTOCOL]!);
    while (this.names.length <= id) this.names.push(undefined);
    return (this.names[id] = { name, padded: new FixedText(padded), spaced: new FixedText(`${padded} `) });
  }

  /** The time since the first frame, right-aligned; false, and nothing written, for what is rare. */
  private sinceFirst(out: TextBuffer, frame: Frame): boolean {
    const { session } = frame;
    let seconds = frame.seconds - session.firstSeconds;
    let nanoseconds = frame.nanoseconds - session.firstNanoseconds;
    if (nanoseconds < 0) {
      seconds--;
      nanoseconds += 1_000_000_000;
    }
    if (seconds < 0 || seconds > 0xffff_ffff || !frame.hasTime) return false;
    const { widths } = this;
    // Without a branch, which the engine would meet for the first time after ten seconds, and compile all of this anew.
    widths[TIME] = Math.max(widths[TIME]!, digitsOf(seconds) + FRACTION);
    const { view } = out;
    const point = putRight(view, out.length, seconds, widths[TIME]! - FRACTION);
    view.setUint8(point, 46);
    out.length = putSix(view, point + 1, (nanoseconds / 1000) | 0);
    return true;
  }

  /**
   * Cut a line to the screen: its info from `from` on, or, when the columns before it are `over` their widths by so much
   * that nothing is left for it, everything after the endpoints, and of these what does not fit. False when that was needed.
   */
  private cut(out: TextBuffer, endpoints: number, endpointsEnd: number, from: number, screen: number, over: number): boolean {
    const { widths } = this;
    let used = GAPS + over;
    for (let i = NUMBER; i < INFO; i++) used += widths[i]!;
    const hasInfo = screen > used;
    if (!hasInfo) out.length = endpointsEnd;
    const begin = hasInfo ? from : endpoints;
    const room = hasInfo ? screen - used : screen - widths[NUMBER]! - widths[TIME]! - 4;
    const cut = fitting(out.bytes, begin, out.length, Math.max(1, room));
    if (cut === out.length) return hasInfo;
    out.length = cut;
    out.raw(this.options.unicode ? ELLIPSIS : DOT);
    return hasInfo;
  }

  /** The time, right-aligned. */
  private right(out: TextBuffer, column: number, frame: Frame): void {
    const from = out.length;
    this.time(out, frame);
    const width = out.length - from;
    this.widen(column, width);
    const missing = this.widths[column]! - width;
    if (missing <= 0) return;
    out.room(missing);
    out.bytes.copyWithin(from + missing, from, out.length);
    out.bytes.fill(32, from, from + missing);
    out.length += missing;
  }

  private lay(out: TextBuffer, { text, ends, tone, protocolTone }: HeldLine): void {
    const { widths } = this;
    const { theme, width: screen, unicode } = this.options;
    const { colours } = theme;
    out.room(ends[INFO]! + 256 + screen);
    if (colours) theme.open(out, 'name');
    copyRight(out, text, 0, ends[NUMBER]!, widths[NUMBER]!);
    out.byte(32);
    out.byte(32);
    copyRight(out, text, ends[NUMBER]!, ends[TIME]!, widths[TIME]!);
    if (colours) theme.close(out, 'name');
    out.byte(32);
    out.byte(32);
    const endpoints = out.length;
    copyLeft(out, text, ends[TIME]!, ends[SOURCE]!, widths[SOURCE]!);
    let over = Math.max(0, ends[SOURCE]! - ends[TIME]! - widths[SOURCE]!);
    out.fixed(ends[TIME] === ends[DESTINATION] ? NO_ARROW : unicode ? ARROW : ASCII_ARROW);
    const destination = out.length + ends[DESTINATION]! - ends[SOURCE]!;
    copyLeft(out, text, ends[SOURCE]!, ends[DESTINATION]!, widths[DESTINATION]!);
    over += Math.max(0, ends[DESTINATION]! - ends[SOURCE]! - widths[DESTINATION]!);
    out.byte(32);
    out.byte(32);
    if (colours) theme.open(out, tone ?? protocolTone);
    copyLeft(out, text, ends[DESTINATION]!, ends[PROTOCOL]!, widths[PROTOCOL]!);
    if (colours) theme.close(out, tone ?? protocolTone);
    out.byte(32);
    copyRight(out, text, ends[PROTOCOL]!, ends[LENGTH]!, widths[LENGTH]!);
    out.byte(32);
    out.byte(32);
    if (tone !== undefined) theme.open(out, tone);
    const from = out.length;
    copyLeft(out, text, ends[LENGTH]!, ends[INFO]!, 0);
    if (screen === 0 || this.cut(out, endpoints, destination, from, screen, over)) if (tone !== undefined) theme.close(out, tone);
    out.byte(10);
  }

  private time(cells: TextBuffer, frame: Frame): void {
    const { session } = frame;
    if (!frame.hasTime) return;
    switch (this.options.time) {
      case 'r':
        span(cells, frame.seconds - session.firstSeconds, frame.nanoseconds - session.firstNanoseconds);
        return;
      case 'd':
        span(cells, frame.seconds - session.previousSeconds, frame.nanoseconds - session.previousNanoseconds);
        return;
      case 'dd': {
        const [seconds, nanoseconds] = session.displayedBase;
        span(cells, frame.seconds - seconds, frame.nanoseconds - nanoseconds);
        return;
      }
      case 'e':
        cells.number(frame.seconds);
        cells.byte(46);
        cells.padded(frame.nanoseconds, 9);
        return;
      case 'u':
        clock(cells, frame.seconds, frame.nanoseconds, false);
        return;
      case 'ud':
        clock(cells, frame.seconds, frame.nanoseconds, true);
        return;
      default:
        clock(cells, frame.seconds + this.zone(frame.seconds), frame.nanoseconds, this.options.time === 'ad');
    }
  }

  /** Seconds that local time is ahead of UTC; asked once a quarter of an hour, as zones change on those. */
  private zone(seconds: number): number {
    const quarter = Math.floor(seconds / 900);
    if (quarter !== this.localSeconds) {
      this.localSeconds = quarter;
      this.localOffset = -new Date(seconds * 1000).getTimezoneOffset() * 60;
    }
    return this.localOffset;
  }
}

/** Characters of a point and microseconds. */
const FRACTION = 7;
/** Octets that the columns before the info take, endpoints excepted, and then some. */
const LINE_ROOM = 512;
const DOT = new Uint8Array([46]);
/** Columns of a screen on which the longest addresses leave room for the info. */
const WIDE = 130;
/** Columns for an endpoint on a narrower one: every IPv4 address with its port fits. */
const MOST_ENDPOINT = 21;
/** Blanks and the arrow between the columns. */
const GAPS = 12;

/** Seconds with six decimals, rounded down as the clock was read. */
function span(out: TextBuffer, seconds: number, nanoseconds: number): void {
  let s = seconds;
  let n = nanoseconds;
  if (s < 0 || (s === 0 && n < 0)) {
    out.byte(45);
    s = -s;
    n = -n;
  }
  if (n < 0) {
    s--;
    n += 1e9;
  }
  if (s > 0xffff_ffff) out.number(s);
  out.room(2 * DIGITS_ROOM);
  const { view } = out;
  const point = s > 0xffff_ffff ? out.length : putWhole(view, out.length, s);
  view.setUint8(point, 46);
  out.length = putSix(view, point + 1, (n / 1000) | 0);
}

function clock(out: TextBuffer, seconds: number, nanoseconds: number, date: boolean): void {
  const day = ((seconds % 86400) + 86400) % 86400;
  if (date) {
    const when = new Date((seconds - day) * 1000);
    out.padded(when.getUTCFullYear(), 4);
    out.byte(45);
    out.padded(when.getUTCMonth() + 1, 2);
    out.byte(45);
    out.padded(when.getUTCDate(), 2);
    out.byte(32);
  }
  out.padded(Math.floor(day / 3600), 2);
  out.byte(58);
  out.padded(Math.floor(day / 60) % 60, 2);
  out.byte(58);
  out.padded(day % 60, 2);
  out.byte(46);
  out.padded(Math.floor(nanoseconds / 1000), 6);
}

function copyLeft(out: TextBuffer, text: Uint8Array, from: number, to: number, width: number): void {
  const { bytes } = out;
  let at = out.length;
  for (let i = from; i < to; i++) bytes[at++] = text[i]!;
  for (let i = to - from; i < width; i++) bytes[at++] = 32;
  out.length = at;
}

function copyRight(out: TextBuffer, text: Uint8Array, from: number, to: number, width: number): void {
  const { bytes } = out;
  let at = out.length;
  for (let i = to - from; i < width; i++) bytes[at++] = 32;
  for (let i = from; i < to; i++) bytes[at++] = text[i]!;
  out.length = at;
}

/** One past the last octet of `text[from, to)` that `columns` columns hold, with room for the sign of the cut. */
function fitting(text: Uint8Array, from: number, to: number, columns: number): number {
  let used = 0;
  let last = from;
  for (let i = from; i < to; i++) {
    // A UTF-8 sequence is one column, counted at its first octet.
    if ((text[i]! & 0xc0) === 0x80) continue;
    if (used === columns - 1) last = i;
    if (used >= columns) return Math.max(last, from);
    used++;
  }
  return to;
}

/** What stands out: a connection's opening and closing, resets, trouble. */
function toneOf(frame: Frame): Tone | undefined {
  if (frame.stopped?.reason === 'malformed') return 'trouble';
  for (let i = frame.depth - 1; i > 0; i--) {
    const { mood } = frame.at(i)!;
    if (mood !== undefined) return mood;
  }
  return undefined;
}
