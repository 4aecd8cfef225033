/** `netlens follow`: what the two sides of one TCP conversation said. */
import { closeSync, openSync } from 'node:fs';
import { Command, Option } from 'commander';
import { Conversations, type Direction, directionOf } from '../analysis/conversations.js';
import { openCaptures } from '../capture/open.js';
import { ipv6Text, parseIpv4, parseIpv6 } from '../core/addresses.js';
import { Data } from '../core/data.js';
import { NetlensError } from '../core/errors.js';
import type { Frame } from '../core/frame.js';
import { safeText, TextBuffer } from '../core/text.js';
import { Tcp } from '../dissectors/tcp.js';
import { createSession } from '../frames.js';
import type { OverlapPolicy, Side, StreamSink } from '../reassembly/stream-options.js';
import { endpointText } from '../report/conversations.js';
import { counted, countText } from '../report/quantities.js';
import { Transcript } from '../report/transcript.js';
import { CUT_SHORT } from './limits.js';
import { decodeRules, gather } from './options.js';
import { Sink } from './sink.js';
import { streamNumber } from './tcp.js';
import { type ColourChoice, isTerminal, isUnicodeLocale, say, themeFor } from './terminal.js';
import { showFrames, type Tally } from './view.js';

interface FollowOptions {
  readonly stream?: number;
  readonly address?: readonly Endpoint[];
  readonly hex?: boolean;
  readonly raw?: boolean;
  readonly messages?: boolean;
  readonly side: 'client' | 'server' | 'both';
  readonly write?: string;
  readonly overlap: OverlapPolicy;
  readonly decodeAs?: readonly string[];
  readonly color: ColourChoice;
}

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** `192.0.2.1:80` or `[2001:db8::1]:80`, also two of them with a comma. */
function endpoints(text: string): readonly Endpoint[] {
  const found = text.split(',').map((part): Endpoint | undefined => {
    const [, six, four, port] = /^\s*(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})\s*$/.exec(part) ?? [];
    if (port === undefined || Number(port) > 65535) return undefined;
    if (four !== undefined) return parseIpv4(four) === undefined ? undefined : { address: four, port: Number(port) };
    const octets = parseIpv6(six!);
    return octets && { address: ipv6Text(octets, 0), port: Number(port) };
  });
  if (found.length > 2 || found.some((one) => one === undefined))
    throw new NetlensError(
      'usage',
      `--address ${text}: ADDRESS:PORT expected, or two of them with a comma, e.g. 192.0.2.1:80 or [2001:db8::1]:80`,
    );
  return found as Endpoint[];
}

export function followCommand(): Command {
  return new Command('follow')
    .description('show what the two sides of a TCP conversation said, in order and without repeats')
    .argument('<files...>', 'captures; - is standard input')
    .option('--stream <n>', 'the number of the conversation, as `netlens tcp` lists it', streamNumber)
    .option('--address <endpoint>', 'the first conversation of an endpoint, or of two: 192.0.2.1:80,192.0.2.2:5000', endpoints)
    .option('--hex', 'octets in hex, with their frames and times')
    .option('--messages', 'messages of the protocol that is spoken, a line each')
    .option('--raw', 'the octets as they are: of one --side to standard output, or of both to files (-w)')
    .addOption(new Option('--side <which>', 'only what this side sent').choices(['client', 'server', 'both']).default('both'))
    .option('-w, --write <prefix>', 'with --raw: write PREFIX.client and PREFIX.server')
    .addOption(
      new Option('--overlap <policy>', 'octets that came twice and differ: which count').choices(['first', 'last']).default('first'),
    )
    .option('-d, --decode-as <rule>', "with --messages: dissect as, e.g. 'tcp.port==7777,resp'; repeat for more", gather)
    .addOption(new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'))
    .action(async (files: string[], options: FollowOptions) => {
      if ((options.stream === undefined) === (options.address === undefined))
        throw new NetlensError('usage', 'which conversation? --stream N (`netlens tcp` numbers them) or --address ADDRESS:PORT');
      if ([options.hex, options.raw, options.messages].filter(Boolean).length > 1)
        throw new NetlensError('usage', 'only one of --hex, --raw and --messages');
      if (options.write !== undefined && !options.raw) throw new NetlensError('usage', '-w writes octets as they are: add --raw');
      if (options.raw && options.write === undefined) {
        if (options.side === 'both')
          throw new NetlensError('usage', '--raw needs --side client or --side server, or -w PREFIX to write both to files');
        if (isTerminal())
          throw new NetlensError(
            'usage',
            '--raw would send octets of the wire to this terminal: redirect standard output, or use -w PREFIX',
          );
      }
      await new Follow(options).go(files);
    });
}

/** One run of the command. */
class Follow {
  private readonly conversations = new Conversations();
  private readonly sink = new Sink();
  /** The conversation that was found, and others to which the address fits as well. */
  private number: number | undefined;
  private readonly others = new Set<number>();
  private found: Direction | undefined = undefined;
  private readonly transcript: Transcript | undefined;
  /** Where the octets of each side go as they are. */
  private readonly files: { readonly client: Sink | undefined; readonly server: Sink | undefined };
  private readonly descriptors: number[] = [];
  private readonly holes: string[] = [];
  private holeCount = 0;

  constructor(private readonly options: FollowOptions) {
    this.number = options.stream;
    const unicode = isUnicodeLocale();
    this.sink.out.asciiOnly = !unicode;
    const { raw, messages, hex, side, write } = options;
    this.transcript =
      raw || messages
        ? undefined
        : new Transcript((line) => this.sink.unicodeLine(line), { form: hex ? 'hex' : 'text', theme: themeFor(options.color), unicode });
    const fileOf = (which: 'client' | 'server'): Sink | undefined => {
      if (!raw || (side !== 'both' && side !== which)) return undefined;
      if (write === undefined) return this.sink;
      return new Sink(this.create(`${write}.${which}`));
    };
    this.files = { client: fileOf('client'), server: fileOf('server') };
  }

  private create(path: string): number {
    try {
      const descriptor = openSync(path, 'w');
      this.descriptors.push(descriptor);
      return descriptor;
    } catch (error) {
      throw new NetlensError('unreadable', `${path}: ${(error as Error).message}`);
    }
  }

  async go(paths: readonly string[]): Promise<void> {
    const { options, sink } = this;
    const reader = await openCaptures([...paths]);
    const session = createSession({
      conversations: this.conversations,
      overlap: options.overlap,
      decodeAs: decodeRules(options.decodeAs),
      follow: (side) => this.follow(side, session.firstSeconds, session.firstNanoseconds),
    });
    const tally: Tally = { seen: 0, selected: 0 };
    try {
      const display = (frame: Frame): boolean => {
        this.see(frame);
        return false;
      };
      await showFrames(reader, session, undefined, sink, { display, settle: () => this.flush() }, false, tally);
      session.hooks.end?.();
      if (this.found === undefined) throw this.notFound();
      this.transcript?.finish();
      // Closed while a write is under way, a file would lack its last octets.
      for (const sink of this.sinks()) await sink.end();
    } finally {
      for (const descriptor of this.descriptors) closeSync(descriptor);
      await reader.close();
    }
    for (const hole of this.holes) say(hole);
    if (this.holeCount > this.holes.length) say(`${counted(this.holeCount - this.holes.length, 'hole')} more`);
    if (this.others.size > 0)
      say(
        `this is conversation ${this.number}; ${countText(this.others.size)} more fit: --stream ${[...this.others].slice(0, 5).join(', ')}${this.others.size > 5 ? ', …' : ''}`,
      );
    for (const problem of reader.problems) {
      say(`${problem.message} (${tally.seen} whole frames before it)`);
      process.exitCode = CUT_SHORT;
    }
  }

  private sinks(): Set<Sink> {
    const { client = this.sink, server = this.sink } = this.files;
    return new Set([this.sink, client, server]);
  }

  private async flush(): Promise<void> {
    for (const sink of this.sinks()) if (sink.out.length > 0) await sink.flush();
  }

  /** Is it the conversation that was asked for? The first that fits an address is. */
  private wanted(direction: Direction): boolean {
    const { conversation } = direction;
    if (this.number === undefined || (this.options.address !== undefined && this.number !== conversation.number)) {
      if (!fits(direction, this.options.address!)) return false;
      if (this.number === undefined) this.number = conversation.number;
      else {
        this.others.add(conversation.number);
        return false;
      }
    }
    if (this.number !== conversation.number) return false;
    this.found ??= direction;
    return true;
  }

  private follow(side: Side, firstSeconds: number, firstNanoseconds: number): StreamSink | undefined {
    const direction = side as Direction;
    if (!this.wanted(direction)) return undefined;
    const { raw, messages, side: which } = this.options;
    if (messages) return undefined;
    // Who the client is may become known with a later SYN only, so it is asked each time.
    const heard = () => which === 'both' || (which === 'client') === direction.fromClient;
    if (raw) {
      const file = () => this.files[direction.fromClient ? 'client' : 'server'];
      return {
        octets: (_side, bytes, start, end) => {
          const out = file()?.out;
          if (out === undefined) return;
          out.raw(bytes.subarray(start, end));
        },
        hole: (_side, length, position) => {
          if (!heard()) return;
          // The octets of a file have no place for a hole, so it is told beside it.
          if (this.holeCount++ < MOST_HOLES)
            this.holes.push(
              `${counted(length, 'octet')} of the ${direction.fromClient ? 'client' : 'server'} missing, from ${position} on: left out`,
            );
        },
      };
    }
    const { transcript } = this;
    return {
      octets: (_side, bytes, start, end, position, frame, seconds, nanoseconds) => {
        const time = seconds - firstSeconds + (nanoseconds - firstNanoseconds) / 1e9;
        if (heard()) transcript!.octets(direction.fromClient, bytes, start, end, position, frame, time);
      },
      hole: (_side, length, position) => {
        if (heard()) transcript!.hole(direction.fromClient, length, position);
      },
      conflict: (_side, position, first, last, frame) => {
        if (heard()) transcript!.conflict(direction.fromClient, position, first, last, frame);
      },
    };
  }

  /** Frames of the conversation: with --messages, a line for each message. */
  private see(frame: Frame): void {
    if (frame.transport === undefined || frame.headline !== undefined) return;
    const { layers } = frame;
    for (let i = 0; i < layers.length; i++) {
      const tcp = layers[i]!;
      if (!(tcp instanceof Tcp)) continue;
      const direction = directionOf(tcp);
      if (direction === undefined || !this.wanted(direction) || !this.options.messages) continue;
      const { fromClient } = direction;
      if (this.options.side !== 'both' && (this.options.side === 'client') !== fromClient) continue;
      this.messages(frame, i + 1, fromClient);
      if (layers.length > i + 1) break;
    }
  }

  private messages(frame: Frame, from: number, fromClient: boolean): void {
    const { sink, options } = this;
    const theme = themeFor(options.color);
    const { firstSeconds, firstNanoseconds } = frame.session;
    const time = (frame.seconds - firstSeconds + (frame.nanoseconds - firstNanoseconds) / 1e9).toFixed(6);
    const shown = frame.layers.slice(from);
    for (const [i, layer] of shown.entries()) {
      const out = new TextBuffer(256);
      layer.line(out);
      let text = layer instanceof Data ? `${counted(layer.end - layer.start, 'octet')} that are no message known here` : out.toString();
      if (i === shown.length - 1 && frame.remark !== undefined) text += safeText(frame.remark);
      const head = theme.paint(`${time}  #${frame.number}`, 'name');
      sink.unicodeLine(
        `${fromClient ? '→' : '←'} ${head}  ${theme.paint(`${layer.shortName}  ${text}`, fromClient ? 'client' : 'server')}`,
      );
    }
  }

  private notFound(): NetlensError {
    const { count } = this.conversations;
    const { stream, address } = this.options;
    const there =
      count === 0 ? 'the capture has no TCP conversation' : `the capture has ${counted(count, 'conversation')}; \`netlens tcp\` lists them`;
    return new NetlensError(
      'usage',
      stream === undefined
        ? `--address ${address!.map(endpointText).join(',')}: no conversation; ${there}`
        : `--stream ${stream}: no such conversation; ${there}`,
    );
  }
}

/** Holes that are told one by one. */
const MOST_HOLES = 20;

/** Are these the endpoints, or is this one of them? */
function fits(direction: Direction, wanted: readonly Endpoint[]): boolean {
  const ends = [
    { address: direction.source, port: direction.srcPort },
    { address: direction.destination, port: direction.dstPort },
  ];
  const is = (a: Endpoint, b: Endpoint) => a.port === b.port && a.address === b.address;
  const [first, second] = wanted;
  return ends.some((end, i) => is(end, first!) && (second === undefined || is(ends[1 - i]!, second)));
}
