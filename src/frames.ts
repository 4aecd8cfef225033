/** From octets to frames: a source of records, a session with everything that was asked for, and the frames one by one. */
import { ArpBindings } from './analysis/arp-bindings.js';
import { type Conversation, type Conversations, directionOf } from './analysis/conversations.js';
import { DnsExchanges } from './analysis/dns-exchanges.js';
import type { DnsTransactions } from './analysis/dns-transactions.js';
import { DtlsConnections } from './analysis/dtls-connections.js';
import { EchoPairs } from './analysis/echo.js';
import type { HttpTransactions } from './analysis/http-transactions.js';
import { OpenVpnConnections } from './analysis/openvpn-connections.js';
import { QuicConnections } from './analysis/quic-connections.js';
import { RespExchanges, type RespObserver } from './analysis/resp-exchanges.js';
import { StunExchanges } from './analysis/stun-exchanges.js';
import { TcpAnalysis } from './analysis/tcp.js';
import { TlsDecryption } from './analysis/tls-decryption.js';
import { KeyLog, TLS_KEY_LOG } from './analysis/tls-keylog.js';
import { UdpStreams } from './analysis/udp-streams.js';
import { cryptography } from './capture/cryptography.js';
import { decompress } from './capture/decompress.js';
import { type LiveOptions, openLive } from './capture/live.js';
import { openCaptures } from './capture/open.js';
import { type CaptureReader, CaptureRecord } from './capture/source.js';
import type { Frame } from './core/frame.js';
import { latin1Of } from './core/octets.js';
import { type DecodeAs, type ProtocolEntry, Registry } from './core/registry.js';
import { type Hooks, Session } from './core/session.js';
import type { Arp } from './dissectors/arp.js';
import type { Dns } from './dissectors/dns.js';
import type { HttpMessage } from './dissectors/http-exchange.js';
import type { Icmp } from './dissectors/icmp.js';
import type { Icmpv6 } from './dissectors/icmpv6.js';
import { PROTOCOLS } from './dissectors/index.js';
import type { Resp } from './dissectors/resp.js';
import type { Stun } from './dissectors/stun.js';
import type { Tcp } from './dissectors/tcp.js';
import type { Udp } from './dissectors/udp.js';
import { Fragments } from './reassembly/fragments.js';
import { LinkFragments } from './reassembly/link-fragments.js';
import type { OverlapPolicy, Side, StreamCounters, StreamSink } from './reassembly/stream-options.js';
import { Streams } from './reassembly/streams.js';

/** What a run should find out; each `false` saves its work. */
export interface AnalysisOptions {
  /** Verify checksums of IP, ICMP, UDP and TCP. Default false. */
  readonly checksums?: boolean;
  /**
   * Put IP fragments together and dissect the whole in the frame that completes it, as Wireshark does with `ip.defragment`
   * and `ipv6.defragment`; those of 802.11, too. Default true; otherwise the first fragment is dissected by itself, and the others are data.
   */
  readonly defragment?: boolean;
  /** Follow TCP conversations and analyse them: tcp.stream, relative numbers, tcp.analysis.*, netlens.tcp.*. Default true. */
  readonly tcpAnalysis?: boolean;
  /** Where TCP conversations are kept, for those who want to look at them as a whole: `recordOf` sums one up. */
  readonly conversations?: Conversations;
  /** Put TCP byte streams in order and dissect the messages in them; needs {@link tcpAnalysis}. Default true. */
  readonly streams?: boolean;
  /** Which version counts of octets that came twice and differ. Default `first`. */
  readonly overlap?: OverlapPolicy;
  /** Gets the ordered octets of the directions it answers for. */
  readonly follow?: (side: Side) => StreamSink | undefined;
  /** Gets every DNS message, to make transactions of them. */
  readonly dnsTransactions?: Pick<DnsTransactions, 'see' | 'finish'>;
  /** Gets HTTP requests and responses, to make transactions of them. */
  readonly httpTransactions?: Pick<HttpTransactions, 'see' | 'ended' | 'finish' | 'waiting'> & { readonly bodies?: boolean };
  /** Where is counted what byte streams lack. */
  readonly streamCounters?: StreamCounters;
  /** Gets Redis commands with their replies. */
  readonly respObserver?: RespObserver;
  /** Secrets of TLS connections, to decrypt them; those that come with a capture are added. */
  readonly keyLog?: KeyLog;
  /** Show passwords in commands instead of masking them. Default false. */
  readonly showSecrets?: boolean;
  /** Frames are shown as lines or not at all, so that what no line tells need not be found out (`SessionOptions.brief`). Default false. */
  readonly brief?: boolean;
  /**
   * Nobody asks for octets, as of bodies in `http.file_data`, which then need not be put together: all but them is as it is
   * otherwise. Whoever reads calls `session.hooks.keepOctets` before the octets of records are written over. Default false.
   */
  readonly lends?: boolean;
  /** Protocols of your own, in addition to those that netlens knows; they come first. */
  readonly protocols?: readonly ProtocolEntry[];
  /** Dissect these ports, EtherTypes, … as a named protocol. */
  readonly decodeAs?: readonly DecodeAs[];
}

/**
 * A session with the dissectors and whatever spans frames, as the options ask.
 * @example
 * const conversations = new Conversations();
 * for await (const frame of framesOf(await openCapture('fixtures/http.pcap'), createSession({ conversations }))) {
 *   const tcp = frame.get(Tcp);
 *   if (tcp && directionOf(tcp)) console.log(recordOf(directionOf(tcp)!.conversation).opened);
 * }
 */
export function createSession(options: AnalysisOptions = {}): Session {
  const hooks: Hooks = {};
  const registry = new Registry([...(options.protocols ?? []), ...PROTOCOLS], options.decodeAs);
  if (options.defragment ?? true) {
    const fragments = new Fragments();
    hooks.fragment = (frame, fragment) => fragments.add(frame, fragment);
    const linkFragments = new LinkFragments();
    hooks.linkFragment = (frame, fragment) => linkFragments.add(frame, fragment);
  }
  const udpStreams = new UdpStreams();
  hooks.udp = (frame, udp) => udpStreams.see(frame, udp as Udp);
  const arpBindings = new ArpBindings();
  hooks.arp = (frame, arp) => arpBindings.see(frame, arp as Arp);
  const echoPairs = new EchoPairs();
  hooks.echo = (frame, echo, isRequest) => echoPairs.see(frame, echo as Icmp | Icmpv6, isRequest);
  const dnsExchanges = new DnsExchanges();
  const { dnsTransactions } = options;
  hooks.dns = (frame, dns) => {
    dnsExchanges.see(frame, dns as Dns);
    dnsTransactions?.see(frame, dns as Dns);
  };
  const keyLog = options.keyLog ?? new KeyLog();
  hooks.tls = () => new TlsDecryption(keyLog, cryptography);
  const dtlsConnections = new DtlsConnections();
  hooks.dtls = (frame) => dtlsConnections.of(frame);
  const quicConnections = new QuicConnections();
  hooks.quic = (frame) => quicConnections.of(frame);
  hooks.quicKnows = (bytes, start, end) => quicConnections.knows(bytes, start, end);
  hooks.keyLog = keyLog;
  const openVpnConnections = new OpenVpnConnections();
  hooks.openVpn = (frame) => openVpnConnections.of(frame);
  hooks.secrets = ({ type, data }) => {
    if (type === TLS_KEY_LOG) keyLog.add(latin1Of(data, 0, data.length));
  };
  let finishStreams: (() => void) | undefined;
  const stunExchanges = new StunExchanges();
  hooks.stun = (frame, stun) => stunExchanges.see(frame, stun as Stun);
  if (options.tcpAnalysis ?? true) {
    const analysis = new TcpAnalysis(options.conversations);
    hooks.tcpHeader = (frame, tcp, sized) => analysis.header(frame, tcp as Tcp, sized);
    if (options.streams ?? true) {
      const respExchanges = new RespExchanges(options.respObserver);
      const { httpTransactions } = options;
      if (httpTransactions?.bodies) hooks.httpBodies = true;
      if (httpTransactions !== undefined)
        hooks.http = (frame, message, begun) => httpTransactions.see(frame, message as HttpMessage, begun);
      hooks.resp = (frame, resp, context) => respExchanges.see(frame, resp as Resp, context);
      const streams = new Streams({
        registry,
        ...(options.overlap && { overlap: options.overlap }),
        ...(options.follow && { sink: options.follow }),
        ...(options.streamCounters && { counters: options.streamCounters }),
        brief: options.brief ?? false,
        lends: options.lends ?? false,
      });
      if (options.lends) hooks.keepOctets = () => streams.gather();
      hooks.tcp = (frame, tcp, start, end) => streams.segment(frame, tcp as Tcp, directionOf(tcp as Tcp)!, start, end);
      const { ended } = analysis.conversations;
      analysis.conversations.ended = (conversation) => {
        for (const side of conversation.directions) streams.forget(side);
        respExchanges.ended(conversation);
        httpTransactions?.ended(conversation);
        ended?.(conversation);
      };
      finishStreams = () => {
        streams.finish();
        respExchanges.finish();
        if (httpTransactions === undefined) return;
        // What is under way is told apart from what never began.
        for (const conversation of httpTransactions.waiting)
          for (const side of (conversation as Conversation).directions) streams.forget(side);
        httpTransactions.finish();
      };
    }
  }
  hooks.end = () => {
    // What ends streams may complete messages, so it comes first.
    finishStreams?.();
    dnsTransactions?.finish();
  };
  return new Session({
    registry,
    checksums: options.checksums ?? false,
    showSecrets: options.showSecrets ?? false,
    brief: options.brief ?? false,
    decompress,
    cryptography,
    hooks,
  });
}

/**
 * Every frame of a source, dissected. A frame is valid until the next one is asked for; `frame.keep()` lasts.
 * @example
 * const kept = [];
 * for await (const frame of framesOf(await openCapture('fixtures/dns.pcap'), createSession())) kept.push(frame.keep());
 * console.log(kept.map((frame) => frame.get(Dns)?.id));
 */
export async function* framesOf(reader: CaptureReader, session: Session): AsyncGenerator<Frame, void, undefined> {
  const record = new CaptureRecord();
  try {
    do {
      while (reader.next(record)) {
        if (reader.secrets.length !== session.learnt) session.learn(reader.secrets);
        yield session.dissect(record);
      }
      session.hooks.keepOctets?.();
    } while (await reader.fill());
    session.hooks.end?.();
  } finally {
    await reader.close();
  }
}

/**
 * The frames of a capture file: pcap, pcapng or snoop, also compressed; `-` is standard input. Ends at the last whole
 * frame of a capture that was cut short.
 * @throws NetlensError `unreadable` or `unknown-format`, before the first frame
 * @example
 * for await (const frame of open('fixtures/redis.pcap')) console.log(frame.number, frame.info);
 */
export async function* open(path: string | readonly string[], options: AnalysisOptions = {}): AsyncGenerator<Frame, void, undefined> {
  yield* framesOf(await openCaptures(typeof path === 'string' ? [path] : path), createSession(options));
}

/**
 * The frames of an interface, as they come, until the caller stops asking.
 * @throws NetlensError `interface` when there is no such interface or no permission, `usage` for a wrong filter
 * @example
 * for await (const frame of live('lo', { filter: 'icmp' })) {
 *   console.log(frame.info);
 *   break;
 * }
 */
export async function* live(device: string, options: AnalysisOptions & LiveOptions = {}): AsyncGenerator<Frame, void, undefined> {
  yield* framesOf(await openLive(device, options), createSession(options));
}
