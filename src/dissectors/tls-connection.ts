/**
 * What a TLS connection has agreed on so far, and its records one by one: which messages are in them, and their plain text
 * where there are keys. TLS and DTLS share it.
 *
 * RFC 8446 section 5 (records; a message may span records), RFC 5246 section 7.1 (change of cipher).
 */
import type { Decryption, PlainRecord } from '../core/decryption.js';
import type { Frame } from '../core/frame.js';
import { latin1Of, u16, u24 } from '../core/octets.js';
import { cipherSuiteName } from './tls-cipher-suites.js';
import { type Carrier, DTLS_HEADER, type Facts, isNewest, isRetry, type KeyExchange, type Message, TLS_HEADER } from './tls-handshake.js';
import { type Hello, readHello } from './tls-hello.js';
import { Inside } from './tls-inside.js';
import { APPLICATIONS, HANDSHAKE_TYPES, PORT_APPLICATIONS } from './tls-names.js';

/** Most octets of a handshake message that are gathered: certificates are the largest, and far below. */
const MAX_MESSAGE = 1 << 18;
/** Most messages of DTLS whose fragments are gathered at a time, a direction, and most fragments of one. */
const MAX_GATHERED = 4;
const MAX_PARTS = 256;
/** Most messages of one record that are looked at. */
const MAX_MESSAGES = 256;

const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
/** TLS 1.3. */
const NEWEST = 0x0304;
const EARLY_DATA = 42;
/** Where proxies for HTTP and SOCKS listen. */
const PROXY_PORTS: ReadonlySet<number> = new Set([80, 1080, 3128, 8080]);

/** A record and what is known of it. Positions are those of the layer's octets. */
export interface TlsRecord {
  readonly at: number;
  /** Octets before its content; 0 for a handshake without records. */
  readonly header: number;
  /** Where it ends, as its header says. */
  readonly end: number;
  readonly fromServer: boolean;
  /** Content type on the wire. */
  readonly type: number;
  /** The version agreed on; before that, the one in the header. */
  version: number;
  /** Its content cannot be read. */
  encrypted: boolean;
  /** What is in it, decrypted or plain; handshake messages that end in it. */
  messages: readonly Message[];
  /** Type of the message that it has only a part of. */
  fragment: number | undefined;
  /** Decrypted, with the type inside. */
  plain: Uint8Array | undefined;
  plainType: number;
  /** The server goes on with keys of an earlier session. */
  resumed: boolean;
  /** What is spoken inside, for application data. */
  application: string | undefined;
}

const NO_MESSAGES: readonly Message[] = [];
const NOTHING = new Uint8Array(0);
const NO_PIECES: readonly number[] = [];

/** A message of DTLS of which some fragments came, by their places. */
interface Gathered {
  readonly type: number;
  readonly sequence: number;
  readonly total: number;
  readonly parts: { readonly offset: number; readonly bytes: Uint8Array; readonly frame: number }[];
  octets: number;
}

/** One direction. */
class Side {
  /** Said Change Cipher Spec: what follows is encrypted. */
  ciphered = false;
  /** The part of a handshake message that earlier records brought. */
  pending = NOTHING;
  length = 0;
  /** The frames that brought it. */
  pieces: number[] = [];
  /** Messages of DTLS in fragments, the oldest first. */
  readonly gathered: Gathered[] = [];
}

const noteOf = (at: number, header: number, end: number, fromServer: boolean, type: number, version: number): TlsRecord => ({
  at,
  header,
  end,
  fromServer,
  type,
  version,
  encrypted: false,
  messages: NO_MESSAGES,
  fragment: undefined,
  plain: undefined,
  plainType: type,
  resumed: false,
  application: undefined,
});

function keyExchangeOf(suite: number): KeyExchange {
  const name = cipherSuiteName(suite) ?? '';
  if (/^TLS_ECDHE?_(RSA|ECDSA|anon)/.test(name)) return 'ecdh';
  if (/^TLS_DHE?_(RSA|DSS|anon)/.test(name)) return 'dh';
  return name.startsWith('TLS_RSA_') && !name.startsWith('TLS_RSA_PSK') ? 'rsa' : undefined;
}

/** How long the MAC of a cipher suite without a cipher is; undefined for the others. */
function bareMacLength(suite: number): number | undefined {
  const mac = /_WITH_NULL_(NULL|MD5|SHA|SHA256|SHA384)$/.exec(cipherSuiteName(suite) ?? '')?.[1];
  return mac === undefined ? undefined : { NULL: 0, MD5: 16, SHA: 20, SHA256: 32, SHA384: 48 }[mac];
}

export class TlsConnection {
  /** Agreed on; 0 before the Server Hello. */
  version = 0;
  /** By the record under way. */
  private said = 0;
  /** Agreed on; -1 before the Server Hello. */
  cipherSuite = -1;
  private keyExchange: KeyExchange = undefined;
  /** Octets behind the content of each record, where the cipher suite has no cipher (RFC 5246 section 6.2.3.1). */
  private macLength: number | undefined = undefined;
  private alpn: string | undefined = undefined;
  /** All protocols that the client offered are HTTP's. */
  private offersHttp = false;
  /** The client said that it sends early data, which is of TLS 1.3 alone (RFC 8446 section 4.2.10). */
  private early = false;
  private readonly sides = [new Side(), new Side()] as const;
  /** Of the Client Hello, which names the connection in key logs; none before it came. */
  clientRandom = NOTHING;
  /** What the client offered. */
  offeredSuites: readonly number[] = [];
  offeredProtocols: readonly string[] = [];
  /** What comes without records, by its encryption: messages do not go from one to the next (RFC 9001 section 4.1.3). */
  private readonly bareSides: readonly (readonly [Side, Side])[] = [this.sides, [new Side(), new Side()], [new Side(), new Side()]];
  /** The server went through the steps of a whole handshake. */
  private full = true;
  private readonly decryption: Decryption | undefined;
  private inside: Inside | undefined = undefined;
  /** Number of the frame whose records come. */
  frame = 0;

  constructor(
    frame: Frame,
    private readonly carrier: Carrier,
    private readonly srcPort: number,
    private readonly dstPort: number,
  ) {
    this.decryption = frame.session.hooks.tls?.();
    // QUIC has no older one (RFC 9001 section 4.2).
    if (carrier === 'q') this.version = NEWEST;
  }

  /** Handshake messages come in fragments that say their place, as in DTLS. */
  private get datagram(): boolean {
    return this.carrier === 'd';
  }

  /** The protocol that both sides agreed on by ALPN, once that could be read. */
  get agreedProtocol(): string | undefined {
    return this.alpn;
  }

  /** What is spoken inside, as far as it is known: by ALPN, else by the port. */
  get application(): string | undefined {
    if (this.alpn !== undefined) return APPLICATIONS[this.alpn] ?? (this.alpn.startsWith('spdy') ? 'SPDY' : this.byPort);
    return this.byPort;
  }
  private get byPort(): string | undefined {
    const port = Math.min(this.srcPort, this.dstPort);
    // In a tunnel the port is the proxy's, and TLS 1.3 hides which of the offered protocols the server chose.
    return PORT_APPLICATIONS[port] ?? (this.offersHttp && PROXY_PORTS.has(port) ? APPLICATIONS['http/1.1'] : undefined);
  }

  /** Octets of a direction are missing. */
  gap(fromServer: boolean): void {
    const side = this.sides[fromServer ? 1 : 0];
    side.pending = NOTHING;
    side.length = 0;
    side.pieces = [];
    this.decryption?.gap(fromServer);
    this.inside?.gap(fromServer);
  }

  /**
   * The record at `at`, whose header of `header` octets is there; its content ends at `end`, of which the octets before
   * `captured` are there. Plain text of applications becomes `frame`'s layers when {@link deliver} is called.
   */
  record(b: Uint8Array, at: number, header: number, end: number, captured: number, fromServer: boolean): TlsRecord {
    const side = this.sides[fromServer ? 1 : 0];
    const type = b[at]!;
    this.said = u16(b, at + 1);
    const isEarly = this.early && !fromServer && this.version === 0 && type !== HANDSHAKE;
    const note = noteOf(at, header, end, fromServer, type, this.version || (isEarly ? NEWEST : this.said));
    const from = at + header;
    const stop = Math.min(end, captured);
    const protectedNow = side.ciphered || type === APPLICATION_DATA;
    if (protectedNow && end <= captured && type !== CHANGE_CIPHER_SPEC) {
      const plain = this.plainOf(side, b, at, header, end, fromServer);
      if (plain !== undefined) {
        note.plain = plain.content;
        note.plainType = plain.type;
        if (plain.type === HANDSHAKE) this.handshake(note, side, plain.content, 0, plain.content.length, plain.content.length, fromServer);
        else if (plain.type === APPLICATION_DATA) note.application = this.application;
        return note;
      }
    }
    switch (type) {
      case CHANGE_CIPHER_SPEC:
        // In TLS 1.3 it means nothing and is sent to please what stands between.
        if (!isNewest(note.version)) {
          side.ciphered = true;
          this.decryption?.changed(fromServer);
          note.resumed = fromServer && !this.full;
        }
        break;
      case ALERT:
        note.encrypted = end - from !== 2;
        break;
      case HANDSHAKE:
        if (side.ciphered || (side.length === 0 && !looksPlain(b, from, stop))) note.encrypted = true;
        else this.handshake(note, side, b, from, end, stop, fromServer);
        break;
      case APPLICATION_DATA:
        note.encrypted = true;
        note.application = this.application;
        break;
      default:
        note.encrypted = side.ciphered;
    }
    return note;
  }

  /** A record without its protection, if it has none but a MAC or there are keys for it. */
  private plainOf(side: Side, b: Uint8Array, at: number, header: number, end: number, fromServer: boolean): PlainRecord | undefined {
    if (!side.ciphered || this.macLength === undefined) return this.decryption?.record(fromServer, b, at, header, end);
    const stop = end - this.macLength;
    return stop < at + header ? undefined : { type: b[at]!, content: b.subarray(at + header, stop) };
  }

  /**
   * Octets `[from, end)` of a handshake that come without records, as in CRYPTO frames of QUIC (RFC 9001 section 4.1.3);
   * `level` counts the keys that hide them, from those of Initial packets on.
   */
  bare(b: Uint8Array, from: number, end: number, fromServer: boolean, level: number): TlsRecord {
    const note = noteOf(from, 0, end, fromServer, HANDSHAKE, this.version);
    this.handshake(note, this.bareSides[level]![fromServer ? 1 : 0], b, from, end, end, fromServer);
    note.version = this.version;
    return note;
  }

  /** Hand the application data of a record to what is spoken inside. */
  deliver(frame: Frame, note: TlsRecord, fromServer: boolean): void {
    if (note.plain === undefined) return;
    if (note.plainType === APPLICATION_DATA && note.plain.length > 0) {
      this.inside ??= new Inside(frame.session.registry, this.alpn, this.srcPort, this.dstPort, this.datagram);
      this.inside.feed(frame, note.plain, fromServer);
    } else if (note.plainType === ALERT && note.plain[1] === 0) this.inside?.close(frame, fromServer);
  }

  private facts(fromServer: boolean): Facts {
    return { version: this.version || this.said, keyExchange: this.keyExchange, fromServer, carrier: this.carrier };
  }

  /** The handshake messages in `[from, end)`, of which the octets before `stop` are there. */
  private handshake(note: TlsRecord, side: Side, b: Uint8Array, from: number, end: number, stop: number, fromServer: boolean): void {
    const messages: Message[] = [];
    let at = from;
    const header = this.datagram ? DTLS_HEADER : TLS_HEADER;
    while (at < stop && messages.length < MAX_MESSAGES) {
      if (side.length > 0 && !this.datagram) {
        at = this.continue(side, messages, b, at, stop, fromServer);
        if (side.length > 0) note.fragment = side.pending[0];
        continue;
      }
      if (this.datagram) {
        // A record of DTLS holds whole fragments.
        if (at + header > stop) break;
        const next = Math.min(stop, at + header + u24(b, at + 9));
        messages.push(this.message(b, at, next, fromServer, NO_PIECES));
        const whole = this.gather(side, b, at, next, fromServer);
        if (whole !== undefined) messages.push(whole);
        at = next;
        continue;
      }
      const next = at + header + (at + header <= stop ? u24(b, at + 1) : 0);
      if (at + header <= stop && (next <= stop || stop < end)) {
        // What was cut off by the capture is shown as far as it goes.
        messages.push(this.message(b, at, Math.min(next, stop), fromServer, NO_PIECES));
        at = next;
        continue;
      }
      if (stop === end) {
        note.fragment = b[at];
        side.pending = b.slice(at, stop);
        side.length = stop - at;
        side.pieces = [this.frame];
      }
      break;
    }
    note.messages = messages;
  }

  /**
   * A fragment of a DTLS message (RFC 6347 section 4.2.3) at `at`: the message, as if it had come in one, when this is the
   * last that it lacked. Fragments come in any order, again, and between those of other messages.
   */
  private gather(side: Side, b: Uint8Array, at: number, end: number, fromServer: boolean): Message | undefined {
    const total = u24(b, at + 1);
    const offset = u24(b, at + 6);
    const from = at + DTLS_HEADER;
    const length = end - from;
    if ((offset === 0 && length >= total) || total > MAX_MESSAGE || length === 0 || length < u24(b, at + 9)) return undefined;
    if (offset + length > total) return undefined;
    const { gathered } = side;
    let index = gathered.findIndex((one) => one.sequence === u16(b, at + 4) && one.type === b[at] && one.total === total);
    if (index < 0) {
      if (gathered.length >= MAX_GATHERED) gathered.shift();
      index = gathered.push({ type: b[at]!, sequence: u16(b, at + 4), total, parts: [], octets: 0 }) - 1;
    }
    const one = gathered[index]!;
    const { parts } = one;
    let place = parts.length;
    while (place > 0 && parts[place - 1]!.offset > offset) place--;
    const before = parts[place - 1];
    if (before !== undefined && before.offset + before.bytes.length >= offset + length) return undefined;
    parts.splice(place, 0, { offset, bytes: b.slice(from, end), frame: this.frame });
    one.octets += length;
    let reach = 0;
    for (const part of parts) if (part.offset <= reach) reach = Math.max(reach, part.offset + part.bytes.length);
    if (reach < total) {
      if (parts.length >= MAX_PARTS || one.octets > MAX_MESSAGE) gathered.splice(index, 1);
      return undefined;
    }
    gathered.splice(index, 1);
    const whole = new Uint8Array(DTLS_HEADER + total);
    whole.set(b.subarray(at, at + 6));
    whole.set(b.subarray(at + 1, at + 4), 9);
    for (const part of parts) whole.set(part.bytes, DTLS_HEADER + part.offset);
    const frames = parts.map((part) => part.frame);
    return this.message(whole, 0, whole.length, fromServer, frames);
  }

  /** More of a message that began in an earlier record; returns where it ends. */
  private continue(side: Side, messages: Message[], b: Uint8Array, at: number, stop: number, fromServer: boolean): number {
    side.pieces.push(this.frame);
    let from = at;
    // The length of the message may itself be in two records.
    while (side.length < TLS_HEADER && from < stop) this.append(side, b, from, ++from);
    if (side.length < TLS_HEADER) return from;
    const whole = TLS_HEADER + u24(side.pending, 1);
    const take = Math.min(stop - from, whole - side.length);
    if (whole > MAX_MESSAGE) {
      side.length = 0;
      return stop;
    }
    this.append(side, b, from, from + take);
    if (side.length === whole) {
      const { pending, pieces } = side;
      side.pending = NOTHING;
      side.length = 0;
      side.pieces = [];
      messages.push(this.message(pending, 0, whole, fromServer, pieces));
    }
    return from + take;
  }

  private append(side: Side, b: Uint8Array, from: number, to: number): void {
    const length = side.length + to - from;
    if (length > side.pending.length) {
      // Grows with what came, twofold.
      const bigger = new Uint8Array(Math.max(2 * length, 256));
      bigger.set(side.pending.subarray(0, side.length));
      side.pending = bigger;
    }
    side.pending.set(b.subarray(from, to), side.length);
    side.length = length;
  }

  /** A handshake message: what it says for the connection. */
  private message(bytes: Uint8Array, start: number, end: number, fromServer: boolean, pieces: readonly number[]): Message {
    const type = bytes[start]!;
    const body = start + (this.datagram ? DTLS_HEADER : TLS_HEADER);
    const whole = !this.datagram || (u24(bytes, start + 6) === 0 && u24(bytes, start + 9) === u24(bytes, start + 1));
    if (whole) {
      if (type === 1 && body + 34 <= end) this.clientHello(bytes, body, end);
      else if (type === 2 && body + 34 <= end) this.serverHello(bytes, body, end);
      else if (fromServer && (type === 11 || type === 12 || type === 14)) this.full = true;
      else if (type === 8) this.encryptedExtensions(bytes, body, end);
      else if (type === 24 && isNewest(this.version)) this.decryption?.updated(fromServer);
    }
    return { bytes, start, end, type, facts: this.facts(fromServer), pieces };
  }

  private clientHello(b: Uint8Array, body: number, end: number): void {
    const hello = readHello(b, body, end, false, this.datagram);
    if (hello === undefined) return;
    this.clientRandom = b.slice(hello.random, hello.random + 32);
    this.early = hello.extensions.includes(EARLY_DATA);
    this.offeredSuites = hello.cipherSuites;
    this.offeredProtocols = hello.alpn;
    this.offersHttp = hello.alpn.length > 0 && hello.alpn.every((name) => name === 'h2' || name.startsWith('http/1.'));
    this.decryption?.offered(this.clientRandom, hello.cipherSuites);
  }

  private serverHello(b: Uint8Array, body: number, end: number): void {
    const hello = readHello(b, body, end, true, this.datagram);
    if (hello === undefined) return;
    this.version = hello.versions[0] ?? hello.version;
    this.cipherSuite = hello.cipherSuites[0] ?? -1;
    this.keyExchange = keyExchangeOf(this.cipherSuite);
    this.macLength = bareMacLength(this.cipherSuite);
    this.full = false;
    if (hello.alpn.length > 0) this.alpn = hello.alpn[0];
    if (!isRetry(b, body)) this.agree(hello, b);
  }

  private agree(hello: Hello, b: Uint8Array): void {
    this.decryption?.agreed({
      version: isNewest(this.version) && this.version !== 0xfefc ? 0x0304 : this.version,
      cipherSuite: this.cipherSuite,
      clientRandom: this.clientRandom,
      serverRandom: b.slice(hello.random, hello.random + 32),
      encryptThenMac: hello.extensions.includes(22),
    });
  }

  /** In TLS 1.3 the application's protocol is said here. */
  private encryptedExtensions(b: Uint8Array, body: number, end: number): void {
    const stop = Math.min(end, body + 2 + u16(b, body));
    for (let at = body + 2; at + 4 <= stop; at += 4 + u16(b, at + 2)) {
      if (u16(b, at) !== 16 || at + 7 > stop) continue;
      const length = b[at + 6]!;
      if (at + 7 + length <= stop) this.alpn = latin1Of(b, at + 7, at + 7 + length);
    }
  }
}

/** Could these be handshake messages in the clear? A known type and a length that a message may have. */
function looksPlain(b: Uint8Array, from: number, stop: number): boolean {
  if (from >= stop) return true;
  const type = b[from]!;
  if (HANDSHAKE_TYPES[type] === undefined) return false;
  if (from + 4 > stop) return true;
  const length = u24(b, from + 1);
  // A Hello Request stands alone: zeros that go on are the start of an encrypted message.
  if (type === 0) return length === 0 && stop - from === 4;
  return type === 14 ? length === 0 : length < MAX_MESSAGE;
}
