/** What the two sides of a conversation said, in the order in which it was sent: as text, or octet by octet. */
import { safeText } from '../core/text.js';
import { PLAIN, type Theme, type Tone } from '../output/theme.js';
import { counted, sizeText } from './quantities.js';

export type TranscriptForm = 'text' | 'hex';

export interface TranscriptOptions {
  readonly form: TranscriptForm;
  readonly theme?: Theme;
  readonly unicode?: boolean;
}

/** Octets a row of hex. */
const ROW = 16;
/** Octets of a second version that are shown. */
const SHOWN = 48;

/** One side's part. */
class Voice {
  readonly decoder = new TextDecoder('utf-8');
  octets = 0;
  constructor(
    readonly name: 'client' | 'server',
    readonly sign: string,
  ) {}
}

/** Turns the ordered octets of both sides into lines, each behind the sign of its side, safe on a terminal. */
export class Transcript {
  private readonly theme: Theme;
  private readonly client: Voice;
  private readonly server: Voice;
  /** Who speaks, and the line that is not over yet. */
  private speaker: Voice | undefined = undefined;
  private line = '';
  holes = 0;
  missing = 0;

  constructor(
    private readonly write: (line: string) => void,
    private readonly options: TranscriptOptions,
  ) {
    this.theme = options.theme ?? PLAIN;
    const unicode = options.unicode ?? true;
    this.client = new Voice('client', unicode ? '→' : '>');
    this.server = new Voice('server', unicode ? '←' : '<');
  }

  /** The next octets `[start, end)` of a side; `position` counts from its first octet, `seconds` from the start of the capture. */
  octets(fromClient: boolean, bytes: Uint8Array, start: number, end: number, position: number, frame: number, seconds: number): void {
    const voice = this.turn(fromClient);
    voice.octets += end - start;
    if (this.options.form === 'hex') {
      const from = `#${frame}  ${seconds.toFixed(6)}  ${voice.name}`;
      this.write(this.theme.paint(`${voice.sign} ${from}, ${counted(end - start, 'octet')}`, 'name'));
      for (const row of hexRows(bytes, start, end, position)) this.write(`${voice.sign} ${this.theme.paint(row, voice.name)}`);
      return;
    }
    this.say(voice, voice.decoder.decode(bytes.subarray(start, end), { stream: true }));
  }

  /** `length` octets of a side are missing. */
  hole(fromClient: boolean, length: number, position: number): void {
    const voice = this.turn(fromClient);
    this.finishLine();
    this.holes++;
    this.missing += length;
    this.note(voice, `[${counted(length, 'octet')} missing, from ${position} on]`, 'trouble');
  }

  /** Octets came again and differ. */
  conflict(fromClient: boolean, position: number, first: Uint8Array, last: Uint8Array, frame: number): void {
    const voice = this.turn(fromClient);
    this.finishLine();
    const [was, is] = [first, last].map((octets) => JSON.stringify(plain(octets.subarray(0, SHOWN))));
    this.note(voice, `[#${frame} says otherwise from octet ${position} on: first ${was}, then ${is}]`, 'trouble');
  }

  /** No more will come. */
  finish(): void {
    this.finishLine();
    const { client, server, holes } = this;
    const parts = [`client ${sizeText(client.octets)}`, `server ${sizeText(server.octets)}`];
    if (holes > 0) parts.push(`${counted(holes, 'hole')} of ${sizeText(this.missing)}`);
    this.write(this.theme.paint(parts.join(' · '), 'name'));
  }

  /** A side begins to speak: what the other had begun stands as it is. */
  private turn(fromClient: boolean): Voice {
    const voice = fromClient ? this.client : this.server;
    if (this.speaker !== voice) this.finishLine();
    this.speaker = voice;
    return voice;
  }

  private say(voice: Voice, text: string): void {
    const lines = (this.line + text).split('\n');
    this.line = lines.pop()!;
    for (const line of lines) this.spoken(voice, line);
    // A peer that never ends its line fills no memory.
    if (this.line.length > 65_536) this.finishLine();
  }

  private spoken(voice: Voice, line: string): void {
    const words = safeText((line.endsWith('\r') ? line.slice(0, -1) : line).replaceAll('\t', '    ')).replaceAll('\ufffd', '.');
    this.write(words === '' ? voice.sign : `${voice.sign} ${this.theme.paint(words, voice.name)}`);
  }

  private finishLine(): void {
    if (this.line === '' || this.speaker === undefined) return;
    const { line } = this;
    this.line = '';
    this.spoken(this.speaker, line);
  }

  private note(voice: Voice, text: string, tone: Tone): void {
    this.write(`${voice.sign} ${this.theme.paint(text, tone)}`);
  }
}

const plain = (octets: Uint8Array): string => safeText(new TextDecoder().decode(octets)).replaceAll('\ufffd', '.');

/** `00000010  48 65 6c 6c 6f                                    Hello`. */
function* hexRows(bytes: Uint8Array, start: number, end: number, position: number): Generator<string, void, undefined> {
  for (let at = start; at < end; at += ROW) {
    const stop = Math.min(at + ROW, end);
    let hex = '';
    let text = '';
    for (let i = at; i < at + ROW; i++) {
      if (i < stop) {
        const octet = bytes[i]!;
        hex += octet.toString(16).padStart(2, '0');
        text += octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : '.';
      } else hex += '  ';
      hex += i === at + 7 ? '  ' : ' ';
    }
    yield `${(position + at - start).toString(16).padStart(8, '0')}  ${hex} ${text}`;
  }
}
