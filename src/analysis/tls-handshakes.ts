/**
 * Connections of TLS, over TCP, QUIC and datagrams: who asked for what, what was agreed on, how long the handshake took, and
 * how it ended.
 */
import type { Cryptography } from '../core/cryptography.js';
import type { Frame } from '../core/frame.js';
import { hexOf } from '../core/octets.js';
import { between, type Nanoseconds } from '../core/time.js';
import { Dtls } from '../dissectors/dtls.js';
import { Ipv4 } from '../dissectors/ipv4.js';
import { Ipv6 } from '../dissectors/ipv6.js';
import { Quic } from '../dissectors/quic.js';
import { quicErrorName } from '../dissectors/quic-frames.js';
import { closeIn, type QuicPacket } from '../dissectors/quic-packet.js';
import { Tcp } from '../dissectors/tcp.js';
import { Tls } from '../dissectors/tls.js';
import { readCertificate } from '../dissectors/tls-certificates.js';
import type { TlsConnection, TlsRecord } from '../dissectors/tls-connection.js';
import { type Carrier, DTLS_HEADER, isNewest, isRetry, type Message, TLS_HEADER } from '../dissectors/tls-handshake.js';
import { type Hello, ja3sText, ja3Text, ja4Texts, readHello } from '../dissectors/tls-hello.js';
import { ALERTS } from '../dissectors/tls-names.js';
import { type Aged, AgeOrder } from './age-order.js';
import { directionOf } from './conversations.js';
import type { Parties } from './parties.js';

/** Handshakes under way at once; the one that was quiet longest is given up. */
const MOST_OPEN = 65_536;

const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;

const FATAL = 2;
const CLOSE_NOTIFY = 0;
const USER_CANCELED = 90;
/**
 * Octets of an encrypted alert of TLS 1.3: level and description, the type inside, and the tag of the cipher suite, which is
 * 16 octets, or 8 for TLS_AES_128_CCM_8_SHA256. No handshake message that is sent alone is so short; data may be.
 */
const alertLength = (cipherSuite: number): number => (cipherSuite === 0x1305 ? 11 : 19);

const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const CERTIFICATE = 11;
const FINISHED = 20;

const PRE_SHARED_KEY = 41;
const EARLY_DATA = 42;

const FIN = 1;
const RST = 4;

/**
 * `ok`: both sides finished; `alert`: one of them refused; `reset`, `closed`: the connection ended before; `negotiation`: the
 * server speaks other versions of QUIC; `unanswered`: no word of the server; `unfinished`: the capture ends before the handshake.
 */
export type TlsOutcome = 'ok' | 'alert' | 'reset' | 'closed' | 'negotiation' | 'unanswered' | 'unfinished';

/** What is known of a server's first certificate. */
export interface TlsCertificate {
  readonly subject: string;
  readonly issuer: string;
  /** Nanoseconds since 1970. */
  readonly notBefore: bigint | undefined;
  readonly notAfter: bigint | undefined;
  readonly names: readonly string[];
}

/** A connection, from its Client Hello. */
export interface TlsHandshake extends Parties, Aged<TlsHandshake> {
  readonly carrier: Carrier;
  /** When the Client Hello was whole. */
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly frame: number;
  readonly serverName: string | undefined;
  /** Protocols that the client speaks inside, in its order. */
  readonly offered: readonly string[];
  readonly ja3: string | undefined;
  readonly ja4: string | undefined;
  /** Agreed on; 0 before the Server Hello. As TLS numbers it: 0x0304 for 1.3. */
  version: number;
  /** The version of QUIC; 0 elsewhere. */
  quicVersion: number;
  /** -1 before the Server Hello. */
  cipherSuite: number;
  /** What is spoken inside, where that could be read. */
  alpn: string | undefined;
  /** The server asked for another Client Hello. */
  retried: boolean;
  /** It goes on with keys of an earlier session; undefined when that is not known. */
  resumed: boolean | undefined;
  ja3s: string | undefined;
  certificate: TlsCertificate | undefined;
  outcome: TlsOutcome;
  /** Of an alert: what it says, and who sent it. */
  alert: string | undefined;
  alertFromServer: boolean;
  /** From the Client Hello to the end of the handshake: see {@link TlsHandshakes}. */
  duration: Nanoseconds | undefined;
  /** From the Client Hello to the Server Hello. */
  firstAnswer: Nanoseconds | undefined;
  /** Frames that took part: with hellos, certificates and the end. */
  readonly frames: number[];
}

/** What was seen of all connections. */
export interface TlsCounts {
  /** With their Client Hello. */
  connections: number;
  readonly outcomes: Record<TlsOutcome, number>;
  /** Of which the Client Hello was not captured. */
  headless: number;
  /** Given up because there were too many at once. */
  evicted: number;
}

/** What is under way. */
class State {
  readonly changed = [false, false];
  readonly finished = [false, false];
  /** Both sides finished; what comes next settles how it went. */
  done = false;
  /** Then the client's last record, and the first of the server, could each be an alert by their lengths. */
  clientSuspect = false;
  serverSuspect = false;
  constructor(
    readonly handshake: TlsHandshake,
    /** The client sends data before the server has answered: they look like what it says next. */
    readonly early: boolean,
    /** The TCP conversation below. */
    readonly conversation: object | undefined,
  ) {}
}

/**
 * Makes a record of each connection. Its duration ends with the message that ends the handshake: before TLS 1.3 the later of
 * the two Finished messages; in TLS 1.3, which hides them, the client's first encrypted record after the Server Hello, which
 * has its Finished in it; in QUIC the client's first packet with a short header.
 */
export class TlsHandshakes {
  readonly counts: TlsCounts = {
    connections: 0,
    outcomes: { ok: 0, alert: 0, reset: 0, closed: 0, negotiation: 0, unanswered: 0, unfinished: 0 },
    headless: 0,
    evicted: 0,
  };
  private readonly order = new AgeOrder<TlsHandshake>();
  private readonly states = new Map<TlsConnection, State>();
  private readonly keys = new Map<TlsHandshake, TlsConnection>();
  /** TLS on top of a TCP conversation, for its resets. */
  private readonly conversations = new Map<object, TlsConnection>();
  /** Connections that were told of, or that have no Client Hello. */
  private readonly seen = new WeakSet<TlsConnection>();

  constructor(
    /** Gets each connection when its handshake is over, or the capture. */
    private readonly emit: (handshake: TlsHandshake) => void,
  ) {}

  /** The oldest handshake that is not over. */
  get oldest(): TlsHandshake | undefined {
    return this.order.oldest;
  }

  /** Look at a frame, all layers of which are known. */
  see(frame: Frame): void {
    const { layers } = frame;
    let quic: Quic | undefined;
    for (let i = 2; i < layers.length; i++) {
      const layer = layers[i]!;
      if (layer instanceof Quic) quic = layer;
      else if ((layer instanceof Tls || layer instanceof Dtls) && layer.connection !== undefined)
        for (const record of layer.records) this.record(frame, layer.connection, record, layer.bytes, layer.captured);
    }
    if (quic !== undefined) for (const packet of quic.packets ?? []) this.packet(frame, packet);
    if (this.conversations.size > 0 && frame.transport instanceof Tcp) this.segment(frame, frame.transport);
  }

  /** No more will come. */
  finish(): void {
    for (const [key, state] of [...this.states]) this.close(key, state);
  }

  private record(frame: Frame, key: TlsConnection, record: TlsRecord, bytes: Uint8Array, captured: number): void {
    // Keys that are agreed upon anew, inside a connection, make no other one of it.
    for (const message of record.messages)
      if (message.type !== CLIENT_HELLO || record.plain === undefined) this.message(frame, key, message);
    const state = this.states.get(key);
    if (state === undefined) {
      if (this.seen.has(key)) return;
      this.seen.add(key);
      this.counts.headless++;
      return;
    }
    const { handshake } = state;
    const { fromServer, plain } = record;
    if (state.done) {
      const suspect = isSuspect(handshake, record);
      if (!fromServer) {
        state.clientSuspect = suspect;
        return;
      }
      // Two octets of data are as long as an alert: whether the server then hangs up tells which it was.
      if (suspect && !state.serverSuspect) {
        state.serverSuspect = true;
        return;
      }
      // What the server says first, if it is no complaint, shows that it agrees.
      if (suspect || !this.complaint(state, record, bytes, captured)) this.close(key, state);
      else this.end(frame, key, state);
      return;
    }
    if (this.complaint(state, record, bytes, captured)) return this.end(frame, key, state);
    const side = fromServer ? 1 : 0;
    if (handshake.version === 0) return;
    if (isNewest(handshake.version)) {
      const ends = plain === undefined ? record.type === APPLICATION_DATA : record.messages.some(({ type }) => type === FINISHED);
      if (!fromServer && ends) this.done(frame, state);
      return;
    }
    if (record.type === CHANGE_CIPHER_SPEC) {
      state.changed[side] = true;
      if (record.resumed) handshake.resumed = true;
    } else if (record.type === HANDSHAKE && state.changed[side]) state.finished[side] = true;
    if ((state.finished[0] && state.finished[1]) || record.type === APPLICATION_DATA) this.done(frame, state);
  }

  /** Does a record refuse to go on? */
  private complaint(state: State, record: TlsRecord, bytes: Uint8Array, captured: number): boolean {
    const { handshake } = state;
    const { plain, fromServer } = record;
    const newest = isNewest(handshake.version);
    // The messages that come before Finished are longer than an alert; early data may be as short.
    const hidden = isSuspect(handshake, record) && (fromServer || !state.early);
    if (!hidden && record.plainType !== ALERT) return false;
    if (hidden || record.encrypted) {
      // Before TLS 1.3 an encrypted alert after the handshake is the usual goodbye.
      if (!hidden && state.done) return false;
      handshake.alert = 'encrypted alert';
    } else {
      const octets = plain ?? bytes;
      const at = plain === undefined ? record.at + record.header : 0;
      if (at + 2 > (plain === undefined ? captured : plain.length)) return false;
      const [level, code] = [octets[at]!, octets[at + 1]!];
      const isGoodbye = code === CLOSE_NOTIFY || code === USER_CANCELED;
      // RFC 8446 section 6: all others are fatal, whatever their level.
      if (isGoodbye ? state.done : level !== FATAL && !newest) return false;
      handshake.alert = ALERTS[code] ?? String(code);
    }
    handshake.alertFromServer = fromServer;
    handshake.outcome = 'alert';
    return true;
  }

  private end(frame: Frame, key: TlsConnection, state: State): void {
    note(state.handshake, frame);
    this.close(key, state);
  }

  private done(frame: Frame, state: State): void {
    const { handshake } = state;
    state.done = true;
    handshake.outcome = 'ok';
    handshake.duration = between(frame.seconds, frame.nanoseconds, handshake.seconds, handshake.nanoseconds);
    handshake.resumed ??= false;
    note(handshake, frame);
  }

  private message(frame: Frame, key: TlsConnection, { bytes: b, start, end, type, facts }: Message): void {
    const header = facts.carrier === 'd' ? DTLS_HEADER : TLS_HEADER;
    const body = start + header;
    if (type === CLIENT_HELLO) {
      const hello = readHello(b, body, end, false, facts.carrier === 'd');
      // A part of a fragmented message of DTLS says no more than its length.
      if (hello !== undefined && (hello.cipherSuites.length > 0 || facts.carrier !== 'd')) this.begin(frame, key, hello, facts.carrier);
      return;
    }
    const handshake = this.states.get(key)?.handshake;
    if (handshake === undefined) return;
    if (type === SERVER_HELLO) {
      const hello = readHello(b, body, end, true, facts.carrier === 'd');
      if (hello === undefined) return;
      if (isRetry(b, body)) handshake.retried = true;
      else this.answer(frame, handshake, hello);
    } else if (type === CERTIFICATE && facts.fromServer && handshake.certificate === undefined) {
      handshake.certificate = firstCertificate(b, body, end, isNewest(facts.version));
      note(handshake, frame);
    } else if (type === 8 && key.agreedProtocol !== undefined) handshake.alpn = key.agreedProtocol;
  }

  private begin(frame: Frame, key: TlsConnection, hello: Hello, carrier: Carrier): void {
    // A second one answers a Hello Retry Request or a Hello Verify Request, or comes again; after the end another begins.
    const known = this.states.get(key);
    if (known !== undefined && !known.done) return note(known.handshake, frame);
    if (known !== undefined) this.close(key, known);
    const { addressing: ip, transport } = frame;
    if (transport === undefined || !(ip instanceof Ipv4 || ip instanceof Ipv6)) return;
    const { cryptography } = frame.session;
    const conversation = transport instanceof Tcp ? directionOf(transport)?.conversation : undefined;
    const handshake: TlsHandshake = {
      older: undefined,
      newer: undefined,
      carrier,
      stream: conversation?.number ?? (transport as unknown as { readonly stream?: number }).stream ?? -1,
      client: ip.source,
      clientPort: transport.srcPort,
      server: ip.destination,
      serverPort: transport.dstPort,
      seconds: frame.seconds,
      nanoseconds: frame.nanoseconds,
      frame: frame.number,
      serverName: hello.serverName,
      offered: hello.alpn,
      ja3: cryptography && md5(cryptography, ja3Text(hello)),
      ja4: cryptography && ja4Texts(hello, carrier, cryptography).short,
      version: 0,
      quicVersion: 0,
      cipherSuite: -1,
      alpn: undefined,
      retried: false,
      resumed: undefined,
      ja3s: undefined,
      certificate: undefined,
      outcome: 'unanswered',
      alert: undefined,
      alertFromServer: false,
      duration: undefined,
      firstAnswer: undefined,
      frames: [frame.number],
    };
    this.counts.connections++;
    this.states.set(key, new State(handshake, hello.extensions.includes(EARLY_DATA), conversation));
    this.keys.set(handshake, key);
    this.seen.add(key);
    this.order.add(handshake);
    if (conversation !== undefined) this.conversations.set(conversation, key);
    if (this.states.size > MOST_OPEN) {
      const { oldest } = this.order;
      const oldKey = oldest && this.keys.get(oldest);
      const state = oldKey && this.states.get(oldKey);
      this.counts.evicted++;
      if (oldKey !== undefined && state !== undefined) this.close(oldKey, state);
    }
  }

  private answer(frame: Frame, handshake: TlsHandshake, hello: Hello): void {
    const { cryptography } = frame.session;
    handshake.version = hello.versions[0] ?? hello.version;
    handshake.cipherSuite = hello.cipherSuites[0] ?? -1;
    handshake.alpn = hello.alpn[0];
    handshake.outcome = 'unfinished';
    handshake.ja3s = cryptography && md5(cryptography, ja3sText(hello));
    handshake.firstAnswer = between(frame.seconds, frame.nanoseconds, handshake.seconds, handshake.nanoseconds);
    if (isNewest(handshake.version)) handshake.resumed = hello.extensions.includes(PRE_SHARED_KEY);
    note(handshake, frame);
  }

  /** A packet of QUIC: what its hellos do not say. */
  private packet(frame: Frame, packet: QuicPacket): void {
    const key = packet.connection?.tls;
    const state = key && this.states.get(key);
    if (key === undefined || state === undefined || packet.connection === undefined) return;
    const { handshake } = state;
    handshake.quicVersion = packet.connection.version;
    if (packet.kind === 'Version Negotiation' && handshake.version === 0) {
      handshake.outcome = 'negotiation';
      return this.end(frame, key, state);
    }
    const close = closeIn(packet);
    if (close !== undefined && close.code !== 0) {
      handshake.outcome = 'alert';
      handshake.alert =
        close.reason === ''
          ? (quicErrorName(close.code) ?? `error ${close.code}`)
          : `${quicErrorName(close.code) ?? close.code}: ${close.reason}`;
      handshake.alertFromServer = packet.fromServer === true;
      return this.end(frame, key, state);
    }
    if (packet.kind !== 'Protected Payload' || packet.fromServer !== false || handshake.version === 0) return;
    this.done(frame, state);
    this.close(key, state);
  }

  /** A segment that ends its conversation. */
  private segment(frame: Frame, tcp: Tcp): void {
    const flags = tcp.start + 14 <= tcp.captured ? tcp.bytes[tcp.start + 13]! : 0;
    if ((flags & (FIN | RST)) === 0 || frame.quoted > 0) return;
    const conversation = directionOf(tcp)?.conversation;
    const key = conversation && this.conversations.get(conversation);
    const state = key && this.states.get(key);
    if (key === undefined || state === undefined) return;
    if (!state.done) {
      state.handshake.outcome = (flags & RST) !== 0 ? 'reset' : 'closed';
      note(state.handshake, frame);
    } else if (state.serverSuspect && !state.clientSuspect && tcp.srcPort === state.handshake.serverPort) {
      // Who answers a goodbye says no more than the same; who hangs up on a client that did not say it complains.
      state.handshake.outcome = 'alert';
      state.handshake.alert = 'encrypted alert';
      state.handshake.alertFromServer = true;
      note(state.handshake, frame);
    }
    this.close(key, state);
  }

  /** The handshake is over, as far as it got. */
  private close(key: TlsConnection, state: State): void {
    const { handshake } = state;
    this.states.delete(key);
    this.keys.delete(handshake);
    this.order.remove(handshake);
    if (state.conversation !== undefined && this.conversations.get(state.conversation) === key)
      this.conversations.delete(state.conversation);
    this.counts.outcomes[handshake.outcome]++;
    this.emit(handshake);
  }
}

/** As long as an alert, and hidden by TLS 1.3. */
const isSuspect = ({ version, cipherSuite }: TlsHandshake, record: TlsRecord): boolean =>
  record.type === APPLICATION_DATA &&
  record.plain === undefined &&
  isNewest(version) &&
  record.end - record.at - record.header === alertLength(cipherSuite);

const md5 = (crypto: Cryptography, text: string): string => hexOf(crypto.digest('md5', new TextEncoder().encode(text)));

function note(handshake: TlsHandshake, { number }: Frame): void {
  if (handshake.frames[handshake.frames.length - 1] !== number && handshake.frames.length < 64) handshake.frames.push(number);
}

/** The server's own certificate, which comes first (RFC 5246 section 7.4.2, RFC 8446 section 4.4.2). */
function firstCertificate(b: Uint8Array, body: number, end: number, is13: boolean): TlsCertificate | undefined {
  const at = body + (is13 ? 1 + (b[body] ?? 0) : 0) + 3;
  if (at + 3 > end) return undefined;
  const length = (b[at]! << 16) | (b[at + 1]! << 8) | b[at + 2]!;
  const found = readCertificate(b, at + 3, Math.min(end, at + 3 + length));
  if (found === undefined) return undefined;
  const { subject, issuer, notBefore, notAfter, names } = found;
  return { subject, issuer, notBefore, notAfter, names };
}
