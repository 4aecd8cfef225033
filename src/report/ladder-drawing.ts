/** Draws what a {@link Ladder} gathered: two lifelines, arrows between them, and words beside or under the arrows. */
import type { ConversationRecord } from '../analysis/conversation-record.js';
import { durationText } from '../core/time.js';
import type { Theme, Tone } from '../output/theme.js';
import { cut, endpointText, storyOf } from './conversations.js';
import { type Fold, type Ladder, SENDER, type Step } from './ladder.js';
import { counted, countText, sizeText, spreadText } from './quantities.js';
import { textWidth } from './table.js';

/** A pause that is shown. Nanoseconds. */
const SILENCE = 1e9;

export interface LadderOptions {
  /** Columns that a line may take. */
  readonly width: number;
  readonly theme: Theme;
  readonly unicode: boolean;
}

interface Signs {
  readonly life: string;
  readonly gap: string;
  readonly line: string;
  readonly again: string;
  readonly right: string;
  readonly left: string;
  readonly lost: string;
  readonly dot: string;
}

const UNICODE: Signs = { life: '│', gap: '┆', line: '─', again: '╌', right: '▶', left: '◀', lost: '✗', dot: '·' };
const ASCII: Signs = { life: '|', gap: ':', line: '-', again: '-', right: '>', left: '<', lost: 'X', dot: '-' };

/** Where notes stand beside the ladder; in a narrower terminal they stand under their arrows. */
const WIDE = 100;
/** Columns between the lifelines at most. */
const MOST = 84;

/** The ladder as lines, which may hold colours. */
export function drawLadder(ladder: Ladder, record: ConversationRecord, options: LadderOptions): string[] {
  return new Drawing(ladder, record, options).lines();
}

/** How many messages a segment has beside the one that is told. */
const others = ({ messages }: Step): string => (messages > 1 ? ` (+${messages - 1} more)` : '');

const widest = (steps: readonly Step[], least: number, width: (step: Step) => number): number =>
  steps.reduce((most, step) => Math.max(most, width(step)), least);

class Drawing {
  private readonly out: string[] = [];
  private readonly signs: Signs;
  private readonly steps: readonly (Step | Fold)[];
  private readonly frameWidth: number;
  private readonly timeWidth: number;
  /** Columns before the left lifeline, and between the lifelines. */
  private readonly margin: number;
  private readonly inner: number;
  private readonly beside: boolean;
  private readonly clientIsLow: boolean;

  constructor(
    private readonly ladder: Ladder,
    private readonly record: ConversationRecord,
    private readonly options: LadderOptions,
  ) {
    this.signs = options.unicode ? UNICODE : ASCII;
    this.steps = ladder.drawn();
    this.clientIsLow = ladder.clientIsLow;
    const drawn = this.steps.filter((step): step is Step => step.kind !== 'fold');
    this.frameWidth = widest(drawn, 2, (step) => String(step.frame).length + 1);
    this.timeWidth = record.timed ? widest(drawn, 8, (step) => this.time(step).length) : 0;
    this.margin = this.frameWidth + (record.timed ? this.timeWidth + 3 : 1);
    const room = options.width - this.margin - 2;
    this.beside = options.width >= WIDE;
    const notes = this.beside ? widest(drawn, 26, (step) => textWidth(this.notes(step))) + 2 : 0;
    const needed = widest(drawn, 44, (step) => textWidth(this.pieces(step).join('  ')) + 12);
    // Notes are worth more than the window, which is what a label does without first.
    this.inner = Math.max(24, Math.min(MOST, needed, Math.max(room - notes, 52)));
    if (!this.beside) this.inner = Math.max(24, Math.min(MOST, room));
  }

  lines(): string[] {
    const { steps, record } = this;
    this.head();
    let before: { readonly seconds: number; readonly nanoseconds: number } | undefined;
    for (const step of steps) {
      if (before !== undefined) {
        const pause = (step.seconds - before.seconds) * 1e9 + step.nanoseconds - before.nanoseconds;
        if (pause >= SILENCE) this.between(`${durationText(pause)} of silence`);
      }
      if (step.kind === 'fold') {
        this.fold(step);
        before = { seconds: step.lastSeconds, nanoseconds: step.lastNanoseconds };
      } else {
        this.arrow(step);
        before = step;
      }
    }
    this.rung(undefined, '', this.signs.life);
    const tone: Tone = record.reset !== undefined ? 'resets' : record.over ? 'closes' : 'heading';
    this.text([storyOf(record)], tone);
    this.text(this.totals(), 'name');
    return this.out;
  }

  /** Both endpoints over their lifelines. */
  private head(): void {
    const { record, options, margin, inner } = this;
    const { theme, width } = options;
    const client = `${endpointText(record.client)} (client)`;
    const server = `${endpointText(record.server)} (server)`;
    const right = margin + inner + 1;
    const from = Math.max(0, Math.min(margin, margin - (client.length >> 1)));
    const to = Math.min(Math.max(0, right - (server.length >> 1)), Math.max(0, width - server.length));
    if (from + client.length + 2 <= to)
      this.out.push(
        ' '.repeat(from) + theme.paint(client, 'client') + ' '.repeat(to - from - client.length) + theme.paint(server, 'server'),
      );
    else this.out.push(' '.repeat(from) + theme.paint(client, 'client'), ' '.repeat(to) + theme.paint(server, 'server'));
    this.rung(undefined, '', this.signs.life);
  }

  /** What is written on the arrow, the dispensable last. */
  private pieces(step: Step): string[] {
    const { flags, from, to, length, ack, acks, window, options, message } = step;
    const parts: string[] = [];
    const place = length > 0 ? `${from}..${to} (${countText(length)})` : String(from);
    if (step.kind === 'error') return [flags];
    parts.push(flags === '' ? place : `${flags} ${place}`);
    if (message !== '') parts.push(message + others(step));
    if (ack >= 0 && !(flags === 'RST' && ack === 0)) parts.push(acks > 0 ? `ack ${ack} (#${acks})` : `ack ${ack}`);
    if (options !== '') parts.push(options);
    if (!flags.startsWith('RST')) parts.push(`win ${window}`);
    return parts;
  }

  /** The words that fit on `width` columns: the window goes first, then what the message says is cut. */
  private label(step: Step, width: number): string {
    const parts = this.pieces(step);
    const full = parts.join('  ');
    if (textWidth(full) <= width) return full;
    const window = parts.at(-1)!.startsWith('win ') && step.window !== 0;
    if (window) parts.pop();
    const shorter = parts.join('  ');
    if (textWidth(shorter) <= width) return shorter;
    if (step.message !== '') {
      const rest = textWidth(shorter) - textWidth(parts[1]!);
      const more = others(step);
      // That there are others is said where there is room for the message, too.
      if (width - rest >= 2 * more.length + 8) {
        parts[1] = cut(step.message, width - rest - more.length, this.options.unicode) + more;
        return parts.join('  ');
      }
      if (width - rest >= 8) {
        parts[1] = cut(parts[1]!, width - rest, this.options.unicode);
        return parts.join('  ');
      }
      // The message says more than the number that is acknowledged.
      parts.splice(2);
      if (textWidth(parts.join('  ')) <= width) return parts.join('  ');
    }
    return cut(parts.join('  '), width, this.options.unicode);
  }

  /** What is said about a step, with its evidence where that fits into `room` columns. */
  private notes(step: Step, room = 0): string {
    const sender = step.low === this.clientIsLow ? 'client' : 'server';
    const notes = step.notes.map((note) => note.replaceAll(SENDER, sender));
    if (step.lost && notes.length === 0) notes.push('lost');
    const said = notes.join(` ${this.signs.dot} `);
    const proved = `${said}: ${step.evidence}`;
    return step.evidence !== '' && textWidth(proved) <= room ? proved : said;
  }

  private arrow(step: Step): void {
    const { signs, inner } = this;
    const toRight = step.low === this.clientIsLow;
    const line = step.again ? signs.again : signs.line;
    const short = step.lost ? Math.max(6, inner >> 3) : 0;
    const head = step.lost ? signs.lost : toRight ? signs.right : signs.left;
    const room = inner - short - 7;
    const said = this.beside ? '' : this.notes(step);
    // In a narrow terminal a note stands on its arrow, in place of the window, or else under it; the sign says that it is lost.
    const without = this.pieces(step)
      .filter((piece) => !piece.startsWith('win ') || step.window === 0)
      .join('  ');
    const together = said === '' || said === 'lost' ? '' : `${without}  ${signs.dot} ${said}`;
    const joined = together !== '' && textWidth(together) <= room;
    const label = joined ? together : this.label(step, room);
    const shaft = line.repeat(Math.max(1, inner - short - 5 - textWidth(label)));
    const body = toRight
      ? `${line.repeat(2)} ${label} ${shaft}${head}${' '.repeat(short)}`
      : `${' '.repeat(short)}${head}${shaft} ${label} ${line.repeat(2)}`;
    const tone = step.lost ? 'trouble' : (step.tone ?? (toRight ? 'client' : 'server'));
    const notes = this.notes(step, this.beside ? this.options.width - this.margin - inner - 4 : inner - 6);
    if (this.beside) this.rung(step, body, signs.life, tone, notes);
    else {
      this.rung(step, body, signs.life, tone);
      if (notes !== '' && !joined && notes !== 'lost') {
        const words = cut(notes, inner - 6, this.options.unicode);
        const blanks = ' '.repeat(Math.max(0, inner - 3 - textWidth(words)));
        this.rung(undefined, toRight ? `   ${words}${blanks}` : `${blanks}${words}   `, signs.life, tone);
      }
    }
  }

  private fold(fold: Fold): void {
    const { clientIsLow } = this;
    const client = clientIsLow ? fold.lowOctets : fold.highOctets;
    const server = clientIsLow ? fold.highOctets : fold.lowOctets;
    const took = (fold.lastSeconds - fold.seconds) * 1e9 + fold.lastNanoseconds - fold.nanoseconds;
    const messages = fold.messages > 0 ? counted(fold.messages, 'message') : '';
    const duration = took > 0 ? durationText(took) : '';
    const lasting = [
      fold.duplicateAcks > 0 ? counted(fold.duplicateAcks, 'duplicate ACK') : '',
      client > 0 ? `client ${sizeText(client)}` : '',
      server > 0 ? `server ${sizeText(server)}` : '',
    ];
    const segments = counted(fold.segments, 'segment');
    // Messages are told by their octets, too, and the time by the frames around the fold.
    const sayings = [
      [`${segments} folded`, messages, ...lasting, duration],
      [`${segments} folded`, ...lasting, duration],
      [`${segments} folded`, ...lasting],
      [segments, ...lasting],
    ].map((parts) => parts.filter((part) => part !== '').join(', '));
    this.between(sayings.find((saying) => textWidth(saying) <= this.inner - 4) ?? sayings.at(-1)!);
  }

  /** Words between lifelines that are interrupted. */
  private between(text: string): void {
    const words = cut(text, this.inner - 4, this.options.unicode);
    const left = (this.inner - textWidth(words)) >> 1;
    this.rung(undefined, ' '.repeat(left) + words + ' '.repeat(this.inner - left - textWidth(words)), this.signs.gap, 'name');
  }

  private rung(step: Step | undefined, body: string, life: string, tone?: Tone, notes = ''): void {
    const { theme, width, unicode } = this.options;
    const time = step !== undefined && this.record.timed ? `  ${this.time(step).padStart(this.timeWidth)}` : '';
    const margin =
      step === undefined ? ' '.repeat(this.margin) : `${theme.paint(`#${step.frame}`.padStart(this.frameWidth), 'name')}${time} `;
    const filled = body === '' ? ' '.repeat(this.inner) : body;
    const painted = tone === undefined ? filled : theme.paint(filled, tone);
    const words = notes === '' ? '' : cut(notes, width - this.margin - this.inner - 4, unicode);
    const beside =
      words === '' ? '' : `  ${tone === undefined || tone === 'client' || tone === 'server' ? words : theme.paint(words, tone)}`;
    this.out.push(`${margin}${life}${painted}${life}${beside}`.trimEnd());
  }

  /** Words under the ladder; parts that have no room on a line begin the next. */
  private text(parts: readonly string[], tone: Tone): void {
    const { theme, width, unicode } = this.options;
    let line = '';
    for (const part of parts) {
      const longer = line === '' ? part : `${line} ${this.signs.dot} ${part}`;
      if (line === '' || textWidth(longer) <= width) line = longer;
      else {
        this.out.push(theme.paint(cut(line, width, unicode), tone));
        line = part;
      }
    }
    this.out.push(theme.paint(cut(line, width, unicode), tone));
  }

  private totals(): string[] {
    const { client, server, handshake, duration, timed } = this.record;
    const parts = [
      `client ${sizeText(client.octets)} in ${counted(client.segments, 'segment')}`,
      `server ${sizeText(server.octets)} in ${counted(server.segments, 'segment')}`,
    ];
    if (duration > 0) parts.push(durationText(duration));
    if (handshake !== undefined && timed) parts.push(`handshake ${durationText(handshake)}`);
    for (const [name, { rtt }] of [['to server', client] as const, ['to client', server] as const])
      if (rtt !== undefined && timed) parts.push(`rtt ${name} ${spreadText(rtt.minimum, rtt.median, rtt.maximum)}`);
    const again = client.retransmissions + server.retransmissions;
    if (again > 0) parts.push(`${countText(again)} resent`);
    return parts;
  }

  /** Seconds since the capture's first frame. */
  private time({ seconds, nanoseconds }: { readonly seconds: number; readonly nanoseconds: number }): string {
    const { firstSeconds, firstNanoseconds } = this.ladder;
    return (seconds - firstSeconds + (nanoseconds - firstNanoseconds) / 1e9).toFixed(6);
  }
}
