/** One run over a capture: which dissectors stand where, what spans frames, and the frames themselves. */
import type { CaptureInterface, CaptureRecord, Secrets } from '../capture/source.js';
import type { Cryptography } from './cryptography.js';
import type { Decryption, SecretLog } from './decryption.js';
import { Expected } from './expected.js';
import { Frame } from './frame.js';
import { FrameCount } from './frame-count.js';
import type { Layer } from './layer.js';
import { linkTypes, type Registry } from './registry.js';
import type { StreamContext } from './stream.js';

/**
 * Undo a content coding (`gzip`, `deflate`, `br`, also several with commas; `deflate-raw` is DEFLATE without a header), to
 * at most `limit` octets; of data that ends early, what there is. `dictionary` is what DEFLATE data may refer back to.
 * Undefined when nothing can be made of it.
 */
export type Decompress = (octets: Uint8Array, coding: string, limit: number, dictionary?: Uint8Array) => Uint8Array | undefined;

/** What a session needs that dissectors cannot know. */
export interface SessionOptions {
  readonly registry: Registry;
  /** Verify checksums of IP, ICMP, UDP and TCP; costs a pass over the octets. */
  readonly checksums?: boolean;
  /** Show passwords in commands instead of masking them. */
  readonly showSecrets?: boolean;
  /**
   * Nothing but the line of each frame is looked at (its ends, the innermost protocol, the Info column, what stands out) and
   * what {@link hooks} make of messages as they come. Octets that no line tells of, as those of HTTP bodies that span segments, are then counted instead of held, the last Redis
   * message of a segment stands for those before it, and nothing is noted of which segments a message came in.
   */
  readonly brief?: boolean;
  readonly decompress?: Decompress;
  /** Digests, for fingerprints. Without it they are left out. */
  readonly cryptography?: Cryptography;
  readonly hooks?: Hooks;
}

/** A fragment of a datagram, as IPv4 or IPv6 found it. */
export interface Fragment {
  readonly layer: FragmentLayer;
  /** Where its payload stands in `frame.bytes`. */
  readonly start: number;
  readonly end: number;
  /** Octets from the start of the datagram's payload. */
  readonly offset: number;
  readonly more: boolean;
  readonly identification: number;
  readonly protocol: number;
  /** What else tells its datagram from others: addresses and, for IPv4, protocol and VLAN. */
  readonly key: string;
}

/** A fragment's part in a datagram. */
export interface FragmentPart {
  /** The frame that brought it. */
  readonly frame: number;
  /** Octets from the start of the datagram's payload. */
  readonly offset: number;
  readonly length: number;
  /** Brings octets that an earlier part (by offset) has. */
  readonly overlap: boolean;
  /** Brings other octets than that part; the first by offset count. */
  readonly conflict: boolean;
  /** Says that the datagram ends elsewhere than the first tail said. */
  readonly otherTail: boolean;
  /** Reaches beyond the end of the datagram. */
  readonly tooLong: boolean;
}

/** A datagram put together from fragments. */
export interface Datagram {
  readonly data: Uint8Array;
  /** In the order of their offsets. */
  readonly parts: readonly FragmentPart[];
}

/** A layer that a {@link Hooks.fragment} hands a whole datagram to. */
export interface FragmentLayer extends Layer {
  /** Set in the frame that completes the datagram. */
  datagram: Datagram | undefined;
}

/** A fragment of a link layer that numbers them from 0. */
export interface LinkFragment {
  /** What tells its frame from others. */
  readonly key: string;
  readonly number: number;
  readonly more: boolean;
  /** It is sent again. */
  readonly again: boolean;
  /** Where its payload stands in `frame.bytes`. */
  readonly start: number;
  readonly end: number;
}

/** The payload of a frame that was put together from such fragments, and the frames that brought them. */
export interface LinkWhole {
  readonly data: Uint8Array;
  readonly frames: readonly number[];
}

/** What stands to the right of the dissectors and is told of their finds. Each is absent when nobody asked for it. */
export interface Hooks {
  /** A fragment; when it completes its datagram, the hook dissects the whole as `protocol` and returns true. */
  fragment?(frame: Frame, fragment: Fragment): boolean;
  /** A fragment of a frame of 802.11; what it completes. */
  linkFragment?(frame: Frame, fragment: LinkFragment): LinkWhole | undefined;
  /**
   * A TCP header of which the first 16 octets are there, before anything else is made of it; also one that an ICMP error
   * quotes or that heads an incomplete datagram. `sized`: the segment's own length is known, so it can be analysed.
   */
  tcpHeader?(frame: Frame, tcp: Layer, sized: boolean): void;
  /** A TCP segment with its payload `[start, end)`: put the stream in order, hand messages on. */
  tcp?(frame: Frame, tcp: Layer, start: number, end: number): void;
  /** A whole ARP message with Ethernet and IPv4 addresses. */
  arp?(frame: Frame, arp: Layer): void;
  /** An ICMP or ICMPv6 echo request or reply. */
  echo?(frame: Frame, echo: Layer, isRequest: boolean): void;
  /** A DNS message whose header is there, of whatever carrier; also one that an ICMP error quotes, which says so. */
  dns?(frame: Frame, dns: Layer): void;
  /** A STUN message with its header. */
  stun?(frame: Frame, stun: Layer): void;
  /** A connection of TLS or DTLS begins: who decrypts it, if anybody can. */
  tls?(): Decryption;
  /** A Redis command, reply or pushed message, whole or not. */
  resp?(frame: Frame, resp: Layer, context: StreamContext): void;
  /** An HTTP request or response of a byte stream, whole or not (`HttpMessage`), and when its first octet came. */
  http?(frame: Frame, message: object, begun: Pick<StreamContext, 'startSeconds' | 'startNanoseconds'>): void;
  /** Gather the bodies that come in pieces among other things (HTTP/2), for {@link http}. */
  httpBodies?: boolean;
  /** The connection that a datagram of DTLS belongs to; none where there is no telling. */
  dtls?(frame: Frame): unknown;
  /** What goes on in QUIC between the ends of the datagram under dissection; none where there is no telling. */
  quic?(frame: Frame): unknown;
  /** Does the UDP payload `[start, end)` go to an end of a QUIC connection that was seen before, by its identifier? */
  quicKnows?(bytes: Uint8Array, start: number, end: number): boolean;
  /** Secrets of TLS connections. */
  keyLog?: SecretLog;
  /** What goes on in OpenVPN between the ends of the datagram under dissection; none where there is no telling. */
  openVpn?(frame: Frame): unknown;
  /** Secrets that came with the capture, before the frames that follow them. */
  secrets?(secrets: Secrets): void;
  /** A UDP datagram, before its payload is dissected. */
  udp?(frame: Frame, udp: Layer): void;
  /** All layers of a frame are known. */
  frame?(frame: Frame): void;
  /** The octets of the records so far will be written over: copy what is still needed of them. Asked of a session that borrows. */
  keepOctets?(): void;
  /** No more frames will come. */
  end?(): void;
}

/** One run over a capture: counts its frames, dissects them, and holds what spans them. */
export class Session extends FrameCount {
  readonly registry: Registry;
  readonly checksums: boolean;
  readonly showSecrets: boolean;
  readonly brief: boolean;
  readonly decompress: Decompress | undefined;
  readonly cryptography: Cryptography | undefined;
  readonly hooks: Hooks;
  /** Datagrams that earlier ones announced. */
  readonly expected = new Expected();
  /** Time of the last frame that was shown; whoever shows frames sets it with {@link shown}. */
  shownSeconds = 0;
  shownNanoseconds = 0;
  private anyShown = false;
  /** Frames whose dissection ended in an exception: bugs of ours. */
  faults = 0;

  constructor(options: SessionOptions) {
    super();
    this.registry = options.registry;
    this.checksums = options.checksums ?? false;
    this.showSecrets = options.showSecrets ?? false;
    this.brief = options.brief ?? false;
    this.decompress = options.decompress;
    this.cryptography = options.cryptography;
    this.hooks = options.hooks ?? {};
  }

  /** Dissect a captured record. The frame is valid until the next one is dissected or its octets are overwritten, which reading the next record does. */
  dissect(record: CaptureRecord): Frame {
    const { seconds, nanoseconds } = record;
    this.skip(record);
    const frame = new Frame(
      this,
      record.bytes,
      record.start,
      record.captured,
      record.wireLength,
      seconds,
      nanoseconds,
      record.interface,
      record.notes,
    );
    frame.number = this.count;
    frame.previousSeconds = this.previousSeconds;
    frame.previousNanoseconds = this.previousNanoseconds;
    this.run(frame, record.interface);
    return frame;
  }

  /** How many of {@link learn}'s secrets are known. */
  learnt = 0;

  /** Take the secrets that came with the capture since the last call; `all` of them only grow in number. */
  learn(all: readonly Secrets[]): void {
    while (this.learnt < all.length) this.hooks.secrets?.(all[this.learnt++]!);
  }

  private run(frame: Frame, from: CaptureInterface): void {
    try {
      if (!frame.tryDispatch(linkTypes, from.linkType, frame.start, frame.end)) frame.data(frame.start, frame.end);
      this.hooks.frame?.(frame);
    } catch (error) {
      // No input may stop the run: the frame keeps what was found, and the run says at its end how often this happened.
      frame.fault = error;
      this.faults++;
    }
  }

  /** Tell the session that a frame was shown, for `frame.time_delta_displayed`. */
  shown(frame: { readonly seconds: number; readonly nanoseconds: number }): void {
    this.shownSeconds = frame.seconds;
    this.shownNanoseconds = frame.nanoseconds;
    this.anyShown = true;
  }

  /** Time of the last shown frame, or of the first frame of all. */
  get displayedBase(): readonly [seconds: number, nanoseconds: number] {
    return this.anyShown ? [this.shownSeconds, this.shownNanoseconds] : [this.firstSeconds, this.firstNanoseconds];
  }

  /**
   * A frame with octets of its own. Its layers are the same kinds at the same places.
   */
  copy(frame: Frame): Frame {
    const own = frame.own.slice(frame.start, frame.ownCaptured);
    const kept = new Frame(this, own, 0, own.length, frame.wireLength, frame.seconds, frame.nanoseconds, frame.interface_, frame.notes);
    kept.number = frame.number;
    kept.previousSeconds = frame.previousSeconds;
    kept.previousNanoseconds = frame.previousNanoseconds;
    kept.displayedBase = frame.displayedBase ?? this.displayedBase;
    kept.stopped = frame.stopped;
    kept.addressing = frame.addressing;
    kept.transport = frame.transport;
    kept.remark = frame.remark;
    kept.answer = frame.answer;
    // Octets that frames share or that are used again: reassembled datagrams, messages of streams.
    const copies = new Map<Uint8Array, Uint8Array>();
    const copyOf = (octets: Uint8Array): Uint8Array => {
      let copy = copies.get(octets);
      if (copy === undefined) copies.set(octets, (copy = octets.slice()));
      return copy;
    };
    kept.depth = 0;
    for (const layer of frame.layers) {
      const isOwn = layer.bytes === frame.own;
      const shift = isOwn ? frame.start : 0;
      const twin = Object.create(layer, {
        frame: { value: kept },
        bytes: { value: isOwn ? own : copyOf(layer.bytes) },
        start: { value: layer.start - shift },
        end: { value: layer.end - shift, writable: true },
        captured: { value: layer.captured - shift },
        walked: { value: undefined, writable: true },
        ...layer.lasting(copyOf, shift),
      }) as Layer;
      kept.push(twin);
      if (frame.addressing === (layer as unknown)) kept.addressing = twin as unknown as NonNullable<Frame['addressing']>;
      if (frame.headline === layer) kept.headline = twin;
      if (frame.unknown === layer) kept.unknown = twin;
      if (frame.transport === layer) kept.transport = twin as NonNullable<Frame['transport']>;
    }
    return kept;
  }
}
