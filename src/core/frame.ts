/** A captured frame and the layers found in it. */
import type { CaptureInterface, RecordNotes } from '../capture/source.js';
import { Data } from './data.js';
import { FixedText } from './fixed-text.js';
import { FrameLayer } from './frame-layer.js';
import type { Layer, LayerClass } from './layer.js';
import type { Dissect, Table } from './registry.js';
import type { Session } from './session.js';
import { TextBuffer } from './text.js';
import { durationText, type Nanoseconds, writeDuration } from './time.js';

/** Why dissection stopped early. `truncated`: the capture was cut short; `malformed`: the packet itself is wrong. */
export interface Stop {
  readonly reason: 'truncated' | 'malformed';
  readonly layer: Layer;
  /** Octets the layer needs, from its start. */
  readonly need: number;
  /** Octets there are. */
  readonly have: number;
}

/** A layer that says who talks to whom, for the source and destination columns. */
export interface Addressing {
  writeSource(out: TextBuffer): void;
  writeDestination(out: TextBuffer): void;
}

/** What a frame answers, and how long after it. */
export interface Answer {
  /** The frame of the request. */
  readonly request: number;
  readonly time: Nanoseconds;
}

const AFTER = new FixedText(' after #');

/** Most layers in a frame: a packet that nests deeper is built to exhaust us. */
const MAX_LAYERS = 64;

/** Room for the layers of most frames. */
const NONE: Layer | undefined = undefined;
const ROOM: readonly (Layer | undefined)[] = [NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE];

/** A captured frame: its octets, its place in the capture, its layers. Valid until the next one is read; {@link Frame.keep} lasts. */
export class Frame {
  /** From 1, in the order of the capture. */
  number = 0;
  /**
   * The octets under dissection: the frame's own, or, while a reassembled datagram or a stream message is dissected,
   * those. Each layer keeps the octets that it stands in.
   */
  bytes: Uint8Array;
  /** One past the last octet of {@link bytes} that we hold. */
  captured: number;
  /** The frame's first octet in its own octets. */
  readonly start: number;
  /** One past its last octet on the wire. */
  readonly end: number;
  /**
   * The first {@link depth} of these are the {@link layers}, but the first of all is made when somebody asks for it: lines
   * speak of those inside. There is room for the layers of most frames, as a list that grows is made anew.
   *
   * A copy, as of lists that are written out V8 notes how many outlive a collection of garbage: where one comes in the first
   * frames it takes them for lasting, puts them with what is old, and all layers that they list stay with them.
   */
  private readonly stack: (Layer | undefined)[] = ROOM.slice();
  /** How many layers there are, the frame itself among them. */
  depth = 1;
  stopped: Stop | undefined = undefined;
  /** The last layer of octets that nobody has a name for. */
  unknown: Layer | undefined = undefined;
  /** The layer whose fixed header is not whole, so that there is nothing to sum it up by. */
  private headless: Layer | undefined = undefined;
  /** The innermost layer that knows addresses. */
  addressing: Addressing | undefined = undefined;
  /** The innermost transport layer. */
  transport: (Layer & { readonly srcPort: number; readonly dstPort: number }) | undefined = undefined;
  /** Above 0 while a datagram quoted in an ICMP error is dissected: it is no traffic of its own. */
  quoted = 0;
  /** The layer that the columns speak of where that is not the innermost: an ICMP error, not what it quotes. */
  headline: Layer | undefined = undefined;
  /** True while the payload under dissection is the first of several fragments that were not put together. */
  fragment = false;
  /** Time of the frame before it. */
  previousSeconds = 0;
  previousNanoseconds = 0;
  /** Of a kept frame: the time that `frame.time_delta_displayed` counts from. */
  displayedBase: readonly [seconds: number, nanoseconds: number] | undefined = undefined;
  /** An exception that a dissector let slip: a bug of ours. The layers before it stand. */
  fault: unknown = undefined;
  /** Set by what spans frames: text that goes to the end of the Info column, e.g. ` · 61 µs after #4`. */
  get remark(): string | undefined {
    const { answer } = this;
    // Made when it is read: most frames are never shown.
    return answer === undefined || !this.hasTime ? this.words : ` · ${durationText(answer.time)} after #${answer.request}`;
  }
  set remark(words: string | undefined) {
    this.words = words;
  }
  private words: string | undefined = undefined;
  /** Set by what pairs requests with answers, in place of {@link remark}. */
  answer: Answer | undefined = undefined;

  constructor(
    readonly session: Session,
    /** The octets of the chunk the frame was captured into. */
    readonly own: Uint8Array,
    start: number,
    captured: number,
    readonly wireLength: number,
    /** Whole seconds since 1970 UTC. */
    readonly seconds: number,
    /** 0 to 999 999 999. */
    readonly nanoseconds: number,
    readonly interface_: CaptureInterface,
    readonly notes: RecordNotes | undefined,
  ) {
    this.bytes = own;
    this.start = start;
    this.captured = captured;
    this.end = start + wireLength;
    this.ownCaptured = captured;
  }

  /** One past the last captured octet of {@link own}. */
  readonly ownCaptured: number;

  /** What was found, outermost first; the first layer is the frame itself. */
  get layers(): readonly Layer[] {
    const { stack, depth } = this;
    while (stack.length > depth) stack.pop();
    return this.roomy;
  }

  /** The same with room behind the last. */
  get roomy(): readonly Layer[] {
    this.stack[0] ??= this.itself();
    return this.stack as Layer[];
  }

  /** The layer at a place among {@link layers}, below the frame itself. */
  at(place: number): Layer | undefined {
    return this.stack[place];
  }

  /** List a layer that is known to be there. */
  push(layer: Layer): void {
    const { stack, depth } = this;
    if (depth < stack.length) stack[depth] = layer;
    else stack.push(layer);
    this.depth = depth + 1;
  }

  /** Take the last layer back. */
  pop(): void {
    this.stack[--this.depth] = undefined;
  }

  private itself(): FrameLayer {
    const { bytes, captured } = this;
    this.bytes = this.own;
    this.captured = this.ownCaptured;
    const layer = new FrameLayer(this, this.start, this.end);
    this.bytes = bytes;
    this.captured = captured;
    return layer;
  }

  /** Octets that were captured. */
  get capturedLength(): number {
    return this.ownCaptured - this.start;
  }

  /** False where the capture does not say when the frame came (a pcapng Simple Packet Block); its seconds then mean nothing. */
  get hasTime(): boolean {
    return this.notes === undefined || this.notes.timeless !== true;
  }

  /** Nanoseconds since 1970 UTC; of no meaning where {@link hasTime} is false. */
  get time(): bigint {
    return BigInt(this.seconds) * 1_000_000_000n + BigInt(this.nanoseconds);
  }

  /**
   * List `layer`, and say whether its first `need` octets are there. When they are not, record the stop;
   * the layer stays listed and the fields that fit can be read. `have`: octets of it that are held; whoever made the layer
   * has them at hand, while here, where layers of all classes come by, they have to be looked for.
   */
  add(layer: Layer, need: number, have = layer.captured - layer.start): boolean {
    this.push(layer);
    if (need <= have) return true;
    this.headless ??= layer;
    return this.require(layer, need);
  }

  /** Check for a length learnt from the layer itself, e.g. a header length field. */
  require(layer: Layer, need: number): boolean {
    const have = Math.max(0, layer.captured - layer.start);
    if (need <= have) return true;
    this.stopped ??= { reason: layer.start + need <= layer.end ? 'truncated' : 'malformed', layer, need, have };
    return false;
  }

  /** The packet contradicts itself in `layer`: what follows cannot be read. */
  malformed(layer: Layer, need = 0): void {
    this.stopped ??= { reason: 'malformed', layer, need, have: Math.max(0, layer.captured - layer.start) };
  }

  /** Hand `[start, end)` to what `table` has for `key`; false when it has nothing (the octets are then nobody's). */
  tryDispatch(table: Table, key: number, start: number, end: number): boolean {
    const dissect = this.session.registry.get(table, key);
    if (typeof dissect !== 'function' || this.depth >= MAX_LAYERS) return false;
    dissect(this, start, end);
    return true;
  }

  /** The same; octets that nobody knows become a `data` layer. */
  dispatch(table: Table, key: number, start: number, end: number): void {
    if (!this.tryDispatch(table, key, start, end)) this.data(start, end);
  }

  /** Octets that nobody dissects; `what` names them where that is known. Nothing is listed for none. */
  data(start: number, end: number, what?: string): void {
    if (end <= start || start > this.captured) return;
    const data = new Data(this, start, end, what);
    this.push(data);
    if (what === undefined) this.unknown = data;
  }

  /** Dissect other octets (a reassembled datagram, a stream message, plain text of a cipher) as part of this frame. */
  within(bytes: Uint8Array, start: number, end: number, dissect: Dissect): void {
    const { bytes: outerBytes, captured } = this;
    this.bytes = bytes;
    this.captured = Math.min(end, bytes.length);
    dissect(this, start, end);
    this.bytes = outerBytes;
    this.captured = captured;
  }

  /** First layer of a class: `frame.get(Tcp)?.srcPort`. */
  get<L extends Layer>(Class: LayerClass<L>): L | undefined {
    const { layers } = this;
    for (let i = 0; i < layers.length; i++) if (layers[i] instanceof Class) return layers[i] as L;
    return undefined;
  }

  /** All layers of a class, outermost first. */
  all<L extends Layer>(Class: LayerClass<L>): L[] {
    return this.layers.filter((layer): layer is L => layer instanceof Class);
  }

  /** The layer that the protocol and Info columns speak of: the innermost one that is known. */
  get top(): Layer {
    if (this.headline !== undefined) return this.headline;
    const { stack, depth } = this;
    const top = stack[depth - 1];
    if (top === this.unknown && depth > 2) return stack[depth - 2]!;
    return top ?? this.roomy[0]!;
  }

  /** Names of the protocols, outermost first: `eth:ethertype:ip:tcp`. */
  get protocols(): string {
    let text = '';
    for (let i = 1; i < this.layers.length; i++) text += (i > 1 ? ':' : '') + this.layers[i]!.chain;
    return text;
  }

  /** The Info column as text. */
  get info(): string {
    const out = new TextBuffer(256);
    this.writeInfo(out);
    return out.toString();
  }

  /**
   * Write the Info column; for those who know {@link top} already. False when it is numbers and words of ours alone, as
   * transport layers tell them: nobody need look for quotes and backslashes in it.
   */
  writeInfo(out: TextBuffer, top = this.top): boolean {
    const { transport } = this;
    if (top !== this.headless) {
      // Of transport layers alone there are so few kinds that the engine knows them.
      if (top === transport) transport.summary(out);
      else top.summary(out);
      if (this.stopped) out.byte(0x20);
    }
    if (this.stopped) {
      if (this.stopped.reason === 'malformed') out.text(`[malformed ${this.stopped.layer.shortName}]`);
      else out.text(`[cut short: ${this.stopped.layer.shortName} needs ${this.stopped.need} octets, ${this.stopped.have} captured]`);
    }
    const { answer } = this;
    if (answer !== undefined && this.hasTime) {
      out.dot();
      writeDuration(out, answer.time);
      out.fixed(AFTER);
      out.number(answer.request);
    } else if (this.words !== undefined) {
      out.text(this.words);
      return true;
    }
    return top !== transport;
  }

  /** True when the Info column is what `layer` says of itself, and nothing more. */
  isSummedUpBy(layer: Layer): boolean {
    return this.stopped === undefined && this.answer === undefined && this.words === undefined && this.top === layer;
  }

  /** A copy that stays valid when the next frame is read. */
  keep(): Frame {
    return this.session.copy(this);
  }
}
