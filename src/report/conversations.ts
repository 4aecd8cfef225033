/** The table of TCP conversations: who with whom, how long, how much, how fast, what was lost, how it went. */
import type { ConversationRecord, EndpointRecord } from '../analysis/conversation-record.js';
import { durationText } from '../core/time.js';
import type { Theme, Tone } from '../output/theme.js';
import { communityId } from './community-id.js';
import { type Losses, lossRecord, lossTexts } from './coverage.js';
import { counted, countText, rateText, shareText, sizeText, spreadText } from './quantities.js';
import { type Align, textWidth } from './table.js';

const NONE = '–';

/** What the table can be sorted by, and whether the largest come first. */
const ORDERS = {
  number: { key: (r: Row) => r.number, down: false },
  start: { key: (r: Row) => r.startFrame, down: false },
  duration: { key: (r: Row) => r.duration, down: true },
  handshake: { key: (r: Row) => r.handshake ?? -1, down: true },
  rtt: { key: (r: Row) => farther(r)?.rtt?.median ?? -1, down: true },
  bytes: { key: (r: Row) => r.client.octets + r.server.octets, down: true },
  sent: { key: (r: Row) => r.client.octets, down: true },
  received: { key: (r: Row) => r.server.octets, down: true },
  packets: { key: (r: Row) => r.client.segments + r.server.segments, down: true },
  goodput: { key: (r: Row) => Math.max(r.client.goodput, r.server.goodput), down: true },
  resent: { key: (r: Row) => r.client.retransmissions + r.server.retransmissions, down: true },
  zero: { key: (r: Row) => r.client.stalled + r.server.stalled, down: true },
} as const;

type Row = ConversationRecord;

export type ConversationOrder = keyof typeof ORDERS;
export const CONVERSATION_ORDERS = Object.keys(ORDERS) as ConversationOrder[];

/** Records by place, fewer than 2^22: arrays and packed stores alike. */
export interface Records {
  readonly length: number;
  get(index: number): ConversationRecord;
}

/** The places of records in the order wanted; those alike stay as they came in the capture. */
export function sortedPlaces(records: Records, order: ConversationOrder): Uint32Array {
  const { key, down } = ORDERS[order];
  if (order === 'number') return placesByNumber(records);
  const keys = new Float64Array(records.length);
  const numbers = new Uint32Array(records.length);
  const places = new Uint32Array(records.length);
  for (let i = 0; i < records.length; i++) {
    const record = records.get(i);
    keys[i] = down ? -key(record) : key(record);
    numbers[i] = record.number;
    places[i] = i;
  }
  return places.sort((a, b) => keys[a]! - keys[b]! || numbers[a]! - numbers[b]!);
}

/** The usual order, in which a large table needs no more room than its numbers and places: both fit into one double. */
function placesByNumber(records: Records): Uint32Array {
  const pairs = new Float64Array(records.length);
  for (let i = 0; i < records.length; i++) pairs[i] = records.get(i).number * 2 ** 22 + i;
  return Uint32Array.from(pairs.sort(), (pair) => pair % 2 ** 22);
}

/** `192.0.2.1:80`, `[2001:db8::1]:80`. */
export const endpointText = ({ address, port }: { readonly address: string; readonly port: number }): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

/** The side whose segments take the longer way to their ACKs: a capture beside one host sees a round trip of the path on one side only. */
function farther({ client, server }: Row): EndpointRecord | undefined {
  if (client.rtt === undefined) return server.rtt === undefined ? undefined : server;
  return server.rtt === undefined || client.rtt.median >= server.rtt.median ? client : server;
}

/** How a conversation went, in a sentence: what stands out of its opening and course, then its end. */
export const storyOf = (record: Row): string => storyParts(record).join(', ');

function storyParts(record: Row): string[] {
  const { client, server, opened, ended } = record;
  const parts: string[] = [];
  if (record.begunBefore) parts.push('begun before the capture');
  if (record.simultaneousOpen) parts.push('opened by both at once');
  const isHalf = client.segments === 0;
  if (isHalf) parts.push('client not captured');
  else if (opened === 'opened by client before the capture') parts.push('SYN not captured');
  const tries = /after \d+ SYNs$/.exec(opened);
  if (tries !== null && record.handshake !== undefined) parts.push(`opened ${tries[0]}`);
  else if (parts.length === 0 && record.handshake === undefined && ended !== 'refused' && server.segments > 0)
    parts.push('handshake not completed');
  for (const [side, name] of [
    [client, 'client'],
    [server, 'server'],
  ] as const) {
    if (side.zeroWindows > 0)
      parts.push(side.stalled > 0 ? `stalled ${durationText(side.stalled)} by ${name} (zero window)` : `zero window at ${name}`);
    if (side.missing > 0) parts.push(`${sizeText(side.missing)} of ${name} not captured`);
  }
  parts.push(ended);
  return parts;
}

/** The story in at most `room` columns: in fewer words first, then without its beginning. How it ended is said last and matters most. */
function storyWithin(record: Row, room: number, unicode: boolean): string {
  const parts = storyParts(record);
  const whole = parts.join(', ');
  if (textWidth(whole) <= room) return whole;
  const few = parts.map(shorter);
  // That it began before is also told by the sign between the endpoints.
  const dispensable = record.begunBefore ? 1 : 0;
  for (let left = 0; left < few.length; left++) {
    const text = few.slice(left).join(', ');
    const told = left <= dispensable ? text : `${unicode ? '…' : '...'}, ${text}`;
    if (textWidth(told) <= room) return told;
  }
  return cut(few.at(-1)!, room, unicode);
}

/** How the story is to be seen. */
function storyTone({ reset, ended, server, begunBefore }: Row): Tone | undefined {
  if (reset !== undefined) return 'resets';
  if (ended.startsWith('lost') || (server.segments === 0 && !begunBefore)) return 'trouble';
  return undefined;
}

interface Column {
  readonly title: string;
  readonly align: Align;
  cell(record: Row, look: Look): string;
  tone?(record: Row): Tone | undefined;
  /** Leaves first where there is no room for all: 0 stays. */
  readonly leaves: number;
}

interface Look {
  readonly startSeconds: number;
  readonly startNanoseconds: number;
  readonly unicode: boolean;
}

const resent = ({ client, server }: Row): number => client.retransmissions + server.retransmissions;

const COLUMNS: readonly Column[] = [
  { title: '#', align: 'right', leaves: 0, cell: (r) => String(r.number), tone: () => 'name' },
  { title: 'client', align: 'left', leaves: 0, cell: (r) => endpointText(r.client), tone: () => 'client' },
  { title: '', align: 'left', leaves: 0, cell: (r, look) => (look.unicode ? (r.clientKnown ? '→' : '–') : r.clientKnown ? '>' : '-') },
  { title: 'server', align: 'left', leaves: 0, cell: (r) => endpointText(r.server), tone: () => 'server' },
  {
    title: 'start',
    align: 'right',
    leaves: 9,
    cell: (r, look) =>
      r.timed ? (r.startSeconds - look.startSeconds + (r.startNanoseconds - look.startNanoseconds) / 1e9).toFixed(3) : NONE,
    tone: () => 'name',
  },
  { title: 'lasted', align: 'right', leaves: 2, cell: (r) => (r.duration === 0 ? NONE : durationText(r.duration)) },
  {
    title: 'handshake',
    align: 'right',
    leaves: 7,
    cell: (r) => (r.handshake === undefined || !r.timed ? NONE : durationText(r.handshake)),
  },
  {
    title: 'rtt min/med/max',
    align: 'right',
    leaves: 8,
    cell: (r) => {
      const rtt = farther(r)?.rtt;
      return rtt === undefined || !r.timed ? NONE : spreadText(rtt.minimum, rtt.median, rtt.maximum);
    },
  },
  { title: 'sent', align: 'right', leaves: 4, cell: (r) => sizeText(r.client.octets) },
  { title: 'pkts', align: 'right', leaves: 11, cell: (r) => countText(r.client.segments), tone: () => 'name' },
  { title: 'received', align: 'right', leaves: 4, cell: (r) => sizeText(r.server.octets) },
  { title: 'pkts', align: 'right', leaves: 11, cell: (r) => countText(r.server.segments), tone: () => 'name' },
  { title: 'goodput', align: 'right', leaves: 10, cell: (r) => rateText(Math.max(r.client.goodput, r.server.goodput)) },
  {
    title: 'resent',
    align: 'right',
    leaves: 5,
    cell: (r) => {
      const again = resent(r);
      if (again === 0) return r.client.segments + r.server.segments < 2 ? NONE : '0';
      const { client, server } = r;
      const of = (client.retransmissions > 0 ? client.segments : 0) + (server.retransmissions > 0 ? server.segments : 0);
      return `${countText(again)} (${shareText(again, of)})`;
    },
    tone: (r) => (resent(r) > 0 ? 'trouble' : undefined),
  },
  {
    title: 'zero windows',
    align: 'right',
    leaves: 12,
    cell: (r) => countText(r.client.zeroWindows + r.server.zeroWindows),
    tone: (r) => (r.client.zeroWindows + r.server.zeroWindows > 0 ? 'trouble' : undefined),
  },
];

/** Columns that the story should have at least, and at most while others could leave for it. */
const STORY = 28;
const FULL_STORY = 60;
/** What leaves from this place on is worth less than the rest of the story. */
const LESSER = 9;
const GAP = 2;

export interface TableOptions {
  /** Columns of the terminal; columns leave and the story is cut to fit. 0: everything is shown. */
  readonly width: number;
  readonly theme: Theme;
  readonly unicode: boolean;
  /** Time of the first frame, from which starts count. */
  readonly startSeconds: number;
  readonly startNanoseconds: number;
}

/** Writes the table row by row. Widths come from the rows that {@link ConversationTable.measure} is shown, and only ever grow. */
export class ConversationTable {
  private readonly widths = COLUMNS.map((column) => textWidth(column.title));
  private columns: number[] = COLUMNS.map((_, i) => i);
  /** Columns that the longest story takes. */
  private story = STORY;

  constructor(private readonly options: TableOptions) {}

  /** Look at a row before the first is written. */
  measure(record: ConversationRecord): void {
    for (const [i, column] of COLUMNS.entries()) this.grow(i, column.cell(record, this.options));
    this.story = Math.min(FULL_STORY, Math.max(this.story, textWidth(storyOf(record))));
  }

  /** Choose the columns that there is room for, and write their titles. */
  head(): string {
    const { width, theme } = this.options;
    if (width > 0) {
      const shown = new Set(this.columns);
      const byLeaving = [...this.columns].sort((a, b) => COLUMNS[b]!.leaves - COLUMNS[a]!.leaves);
      for (const i of byLeaving) {
        if (!shown.has(i)) continue;
        const taken = [...shown].reduce((sum, k) => sum + this.widths[k]! + GAP, 0);
        const { leaves } = COLUMNS[i]!;
        if (leaves === 0 || taken + (leaves >= LESSER ? this.story : STORY) <= width) break;
        for (const k of this.columns) if (COLUMNS[k]!.leaves === leaves) shown.delete(k);
      }
      this.columns = this.columns.filter((i) => shown.has(i));
    }
    const titles = this.columns.map((i) => fill(COLUMNS[i]!.title, this.widths[i]!, COLUMNS[i]!.align));
    return theme.paint([...titles, 'how it went'].join(' '.repeat(GAP)), 'heading');
  }

  row(record: ConversationRecord): string {
    const { theme, width, unicode } = this.options;
    let line = '';
    let taken = 0;
    for (const i of this.columns) {
      const column = COLUMNS[i]!;
      const cell = column.cell(record, this.options);
      this.grow(i, cell);
      const filled = fill(cell, this.widths[i]!, column.align);
      const tone = column.tone?.(record);
      line += (tone === undefined ? filled : theme.paint(filled, tone)) + ' '.repeat(GAP);
      taken += textWidth(filled) + GAP;
    }
    const room = width === 0 ? Number.POSITIVE_INFINITY : Math.max(8, width - taken);
    const story = storyWithin(record, room, unicode);
    const tone = storyTone(record);
    return line + (tone === undefined ? story : theme.paint(story, tone));
  }

  private grow(i: number, cell: string): void {
    const width = textWidth(cell);
    if (width > this.widths[i]!) this.widths[i] = width;
  }
}

/** A part of a story in fewer words. */
const shorter = (part: string): string =>
  part
    .replace(/, TIME-WAIT at .*/, '')
    .replace(/ in #\d+$/, '')
    .replace('open at the end of the capture', 'still open')
    .replace(/ of (client|server) not captured/, ' not captured')
    .replace(' by client (zero window)', ' by client')
    .replace(' by server (zero window)', ' by server')
    .replace('begun before the capture', 'begun before')
    .replace(/^lost: (\w+) unanswered through (\d+) timeouts$/, 'lost: $2 timeouts of $1');

function fill(text: string, width: number, align: Align): string {
  const blanks = ' '.repeat(Math.max(0, width - textWidth(text)));
  return align === 'right' ? blanks + text : text + blanks;
}

/** `text` in at most `width` columns. */
export function cut(text: string, width: number, unicode: boolean): string {
  if (textWidth(text) <= width) return text;
  const sign = unicode ? '…' : '...';
  let kept = '';
  let taken = sign.length;
  for (const c of text) {
    taken += textWidth(c);
    if (taken > width) break;
    kept += c;
  }
  return kept.trimEnd() + sign;
}

/** What the capture lost, as far as the conversations do not know it themselves. */
interface TableLosses {
  /** Frames that were captured in part. */
  readonly cut: number;
  /** Packets that the kernel dropped; undefined when the capture does not say. */
  readonly dropped: number | undefined;
  /** Conversations that were only counted. */
  readonly unlisted: number;
}

/** What was not captured of the conversations is told by its octets: acknowledged ranges that were never seen. */
const OWN_HOLES: Pick<Losses, 'holes' | 'missing'> = { holes: undefined, missing: 0 };

/** What there was to see, counted over the conversations that are listed. */
export class Coverage {
  private conversations = 0;
  private segments = 0;
  private whole = 0;
  private before = 0;
  private open = 0;
  private unanswered = 0;
  private missing = 0;

  add(record: ConversationRecord): void {
    this.conversations++;
    this.segments += record.client.segments + record.server.segments;
    this.missing += record.client.missing + record.server.missing;
    if (record.begunBefore) this.before++;
    else if (record.over) this.whole++;
    else if (record.server.segments === 0) this.unanswered++;
    if (!record.over && record.server.segments > 0) this.open++;
  }

  /** `4 conversations, 1 842 segments · seen whole 3, begun before the capture 1 · 0 frames cut short · 0 dropped by the kernel`. */
  text(losses: TableLosses): string {
    const seen = [
      [this.whole, 'seen whole'],
      [this.before, 'begun before the capture'],
      [this.open, 'open at its end'],
      [this.unanswered, 'never answered'],
    ] as const;
    const course = seen.flatMap(([count, what]) => (count > 0 ? [`${what} ${countText(count)}`] : [])).join(', ');
    const parts = [`${counted(this.conversations, 'conversation')}, ${counted(this.segments, 'segment')}`];
    if (course !== '') parts.push(course);
    if (this.missing > 0) parts.push(`${sizeText(this.missing)} not captured`);
    if (losses.unlisted > 0) parts.push(`${countText(losses.unlisted)} more not listed`);
    return [...parts, ...lossTexts({ ...losses, ...OWN_HOLES })].join(' · ');
  }

  /** The same as a record. */
  json(losses: TableLosses): object {
    return {
      type: 'tcp_coverage',
      conversations: this.conversations,
      packets: this.segments,
      seen_whole: this.whole,
      begun_before_capture: this.before,
      open_at_end: this.open,
      never_answered: this.unanswered,
      missing_bytes: this.missing,
      ...(losses.unlisted > 0 && { not_listed: losses.unlisted }),
      ...lossRecord({ ...losses, ...OWN_HOLES }),
    };
  }
}

const seconds = (nanoseconds: number): number => nanoseconds / 1e9;

/** A conversation as a JSON record: times in seconds, rates in octets a second. */
export function conversationJson(record: ConversationRecord): object {
  const { client, server, reset, timed } = record;
  return {
    type: 'tcp',
    stream: record.number,
    community_id: communityId(6, client.address, client.port, server.address, server.port),
    ...(timed && {
      start: `${record.startSeconds}.${String(record.startNanoseconds).padStart(9, '0')}`,
      duration: seconds(record.duration),
    }),
    first_frame: record.startFrame,
    last_frame: record.lastFrame,
    client: endpointJson(client, timed),
    server: endpointJson(server, timed),
    client_known: record.clientKnown,
    ...(timed &&
      record.handshake !== undefined && {
        handshake: seconds(record.handshake),
        handshake_server: seconds(record.handshakeServer!),
        handshake_client: seconds(record.handshakeClient!),
      }),
    opened: record.opened,
    ended: record.ended,
    summary: storyOf(record),
    begun_before_capture: record.begunBefore,
    over: record.over,
    simultaneous_open: record.simultaneousOpen,
    simultaneous_close: record.simultaneousClose,
    half_closed: record.halfClosed,
    ...(record.closedFirst && { closed_first: record.closedFirst }),
    ...(record.timeWait && { time_wait: record.timeWait }),
    ...(reset && { reset: { by: reset.by, frame: reset.frame, after: reset.after, ...(reset.answers > 0 && { answers: reset.answers }) } }),
  };
}

function endpointJson(side: EndpointRecord, timed: boolean): object {
  const { rtt } = side;
  return {
    address: side.address,
    port: side.port,
    state: side.state,
    packets: side.segments,
    bytes: side.octets,
    unique_bytes: side.fresh,
    ...(timed && { goodput: side.goodput }),
    retransmissions: side.retransmissions,
    needless_retransmissions: side.needless,
    reordered: side.reordered,
    missing_bytes: side.missing,
    zero_windows: side.zeroWindows,
    ...(timed && { zero_window_time: seconds(side.stalled) }),
    ...(timed && rtt && { rtt: { min: seconds(rtt.minimum), median: seconds(rtt.median), max: seconds(rtt.maximum), samples: rtt.count } }),
  };
}
