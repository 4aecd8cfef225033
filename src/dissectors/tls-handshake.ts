/**
 * Handshake messages of TLS and DTLS, as rows.
 *
 * RFC 8446 section 4, RFC 5246 section 7.4, RFC 8422 section 5 (elliptic curves), RFC 6066 section 8 (status), RFC 8879
 * (compressed certificates), RFC 6347 section 4.2.2 (DTLS).
 *
 *     0      1          4
 *     type   length     body                                             TLS
 *     type   length     sequence (2)  offset (3)  length (3)  body       DTLS
 */
import type { Layer, Tree } from '../core/layer.js';
import { hexOf, u24, u32 } from '../core/octets.js';
import { readCertificate } from './tls-certificates.js';
import { HELLO_RETRY, walkExtensions, walkScts, walkSignatureAlgorithm, walkSignatureAlgorithms } from './tls-extensions.js';
import { isEarlyDraft, ja3sText, ja3Text, ja4Texts, readHello } from './tls-hello.js';
import { HANDSHAKE_TYPES } from './tls-names.js';
import type { TlsRows } from './tls-rows.js';
import { Walk } from './tls-vectors.js';

/** How a session exchanges its keys, as far as it matters for the messages that do so. */
export type KeyExchange = 'rsa' | 'dh' | 'ecdh' | undefined;

/** What is known of a session when a message of it comes. */
export interface Facts {
  /** Agreed on; 0 when unknown. */
  readonly version: number;
  readonly keyExchange: KeyExchange;
  readonly fromServer: boolean;
  readonly carrier: Carrier;
}

/** What carries TLS: TCP (or another stream), QUIC, datagrams. The letters are JA4's. */
export type Carrier = 't' | 'q' | 'd';

/** A whole message, or the part of one that a DTLS record carries. */
export interface Message {
  readonly bytes: Uint8Array;
  readonly start: number;
  /** One past its last octet that there is. */
  readonly end: number;
  readonly type: number;
  readonly facts: Facts;
  /** Frames of the records that it came in, when there were several. */
  readonly pieces: readonly number[];
}

/** Octets before a message's body. */
export const TLS_HEADER = 4;
export const DTLS_HEADER = 12;

/** SHA-256 of "HelloRetryRequest": the random of a Server Hello that is one (RFC 8446 section 4.1.3). */
const RETRY_RANDOM = 'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c';

/** True for a Server Hello, its body at `at`, that asks for another Client Hello. */
export const isRetry = (b: Uint8Array, at: number): boolean => b[at + 2] === 0xcf && hexOf(b, at + 2, at + 34) === RETRY_RANDOM;

/** TLS 1.3, also its drafts (0xfb.. are Facebook's), and DTLS 1.3. */
export const isNewest = (version: number): boolean =>
  version === 0x0304 || version >> 8 === 0x7f || version >> 8 === 0xfb || version === 0xfefc;

/** The name of a message. */
export function messageName(message: Message, header: number): string {
  const { type, bytes, start } = message;
  if (type === 2 && start + header + 34 <= message.end && isRetry(bytes, start + header)) return 'Hello Retry Request';
  return HANDSHAKE_TYPES[type] ?? `Handshake type ${type}`;
}

/** True for a part of a message of DTLS. */
export const isFragment = ({ bytes: b, start, end }: Message): boolean =>
  start + DTLS_HEADER <= end && u24(b, start + 9) < u24(b, start + 1);

/** Show a message. */
export function walkMessage(tree: Tree, rows: TlsRows, message: Message, layer: Layer, datagram: boolean): void {
  const { bytes: b, start, end } = message;
  const { bytes: own, limit } = tree;
  const header = datagram ? DTLS_HEADER : TLS_HEADER;
  tree.bytes = b;
  tree.limit = end;
  tree.openPut(rows.handshake, true, start, end - start).text = `Handshake Protocol: ${messageName(message, header)}`;
  if (message.pieces.length > 1) {
    tree.openPut(rows.fragments, true);
    for (const piece of message.pieces) tree.put(rows.fragment, piece);
    tree.put(rows.fragmentCount, message.pieces.length);
    tree.close();
  }
  const walk = new Walk(tree, rows, b, start, end);
  if (walk.field(rows.type, 1) && walk.field(rows.length, 3)) {
    let whole = true;
    if (datagram) {
      walk.field(rows.sequence, 2);
      const offset = walk.left >= 3 ? walk.number(3) : 0;
      walk.field(rows.fragmentOffset, 3);
      const part = walk.left >= 3 ? walk.number(3) : 0;
      walk.field(rows.fragmentLength, 3);
      whole = offset === 0 && part >= u24(b, start + 1);
    }
    if (whole) body(walk, message, layer, datagram);
  }
  tree.close();
  tree.bytes = own;
  tree.limit = limit;
}

function body(walk: Walk, message: Message, layer: Layer, datagram: boolean): void {
  const { rows, bytes: b } = walk;
  const { version } = message.facts;
  const is13 = isNewest(version);
  const atLeast12 = datagram ? version <= 0xfefd : version >= 0x0303;
  switch (message.type) {
    case 1:
    case 2:
    case HELLO_RETRY:
      return hello(walk, message, layer, datagram);
    case 3:
      walk.field(rows.version, 2);
      walk.vector(rows.cookieLength, rows.cookie, 1);
      return;
    case 4:
      walk.field(rows.ticketLifetime, 4);
      if (is13) {
        walk.field(rows.ticketAgeAdd, 4);
        if (walk.vector(rows.ticketNonceLength, rows.ticketNonce, 1) === 0) walk.tree.add(rows.ticketNonce, walk.at, 0);
      }
      walk.vector(rows.ticketLength, rows.ticket, 2);
      if (is13) walkExtensions(walk, 4);
      return;
    case 8:
      return walkExtensions(walk, 8);
    case 11:
      return certificates(walk, is13);
    case 12:
      return serverKeys(walk, message, atLeast12);
    case 13:
      if (is13) {
        walk.vector(rows.requestContextLength, rows.requestContext, 1);
        return walkExtensions(walk, 13);
      }
      walk.numbers(rows.certificateTypes, rows.certificateType, walk.length(rows.certificateTypesCount, 1, 1), 1);
      if (atLeast12) walkSignatureAlgorithms(walk);
      return distinguishedNames(walk);
    case 15:
      if (atLeast12) walkSignatureAlgorithm(walk);
      walk.vector(rows.verifyLength, rows.verify, 2);
      return;
    case 16:
      return clientKeys(walk, message);
    case 20:
      if (walk.left > 0) walk.field(rows.verifyData, walk.left);
      return;
    case 22:
      walk.field(rows.statusType, 1);
      if (b[walk.at - 1] === 2) {
        walk.stop = walk.length(rows.ocspListLength, 3) + walk.at;
        while (walk.left >= 3) walk.skip(rows.ocspLength, 3);
      } else walk.skip(rows.ocspLength, 3);
      return;
    case 24:
      if (walk.left > 0) walk.field(rows.keyUpdate, 1);
      return;
    case 25:
      walk.field(rows.compressAlgorithm, 2);
      walk.field(rows.uncompressedLength, 3);
      walk.vector(rows.compressedLength, rows.compressed, 3);
      return;
    default:
  }
}

function hello(walk: Walk, message: Message, layer: Layer, datagram: boolean): void {
  const { rows, tree, bytes: b } = walk;
  const isClient = message.type === 1;
  const start = walk.at;
  if (!walk.field(rows.version, 2)) return;
  if (walk.left < 32) return tree.put(rows.tooSmall, true);
  const random = walk.at;
  tree.open(rows.random, random, 32);
  // Wireshark shows the time only where TLS 1.3 has not been agreed on.
  const found = readHello(b, start, walk.stop, !isClient, datagram);
  if (!isNewest(message.facts.version)) {
    tree.put(rows.randomTime, BigInt(u32(b, random)) * 1_000_000_000n, random, 4);
    tree.add(rows.randomBytes, random + 4, 28);
  }
  tree.close();
  walk.at = random + 32;
  const isDraft = !isClient && found !== undefined && isEarlyDraft(found.version);
  const idLength = isDraft ? 0 : Math.min(walk.narrow(rows.sessionIdLength, 1), walk.left);
  if (idLength > 0) walk.field(rows.sessionId, idLength);
  if (datagram && isClient) walk.vector(rows.cookieLength, rows.cookie, 1);
  if (isClient) {
    walk.numbers(rows.cipherSuites, rows.cipherSuite, walk.length(rows.cipherSuitesLength, 2, 2), 2);
    walk.numbers(rows.compressions, rows.compression, walk.length(rows.compressionsLength, 1, 1), 1);
  } else {
    walk.field(rows.cipherSuite, 2);
    if (!isDraft) walk.field(rows.compression, 1);
  }
  if (walk.left > 0) walkExtensions(walk, isClient ? 1 : isRetry(b, start) ? HELLO_RETRY : 2);
  const { cryptography } = layer.frame.session;
  if (found === undefined || cryptography === undefined) return;
  const md5 = (text: string) => hexOf(cryptography.digest('md5', new TextEncoder().encode(text)));
  if (isClient) {
    const text = ja3Text(found);
    tree.put(rows.ja3Full, text);
    tree.put(rows.ja3, md5(text));
    const ja4 = ja4Texts(found, message.facts.carrier, cryptography);
    tree.put(rows.ja4, ja4.short);
    tree.put(rows.ja4Full, ja4.full);
  } else {
    const text = ja3sText(found);
    tree.put(rows.ja3sFull, text);
    tree.put(rows.ja3s, md5(text));
  }
}

function certificates(walk: Walk, is13: boolean): void {
  const { rows, tree, bytes: b } = walk;
  if (is13) walk.vector(rows.requestContextLength, rows.requestContext, 1);
  const n = walk.length(rows.certificatesLength, 3);
  if (n === 0) return;
  tree.open(rows.certificates, walk.at, n);
  walk.stop = walk.at + n;
  // Each certificate has a length of three octets at least.
  while (walk.left >= 3) {
    const length = walk.length(rows.certificateLength, 3);
    const from = walk.at;
    if (length > 0) {
      tree.open(rows.certificate, from, length);
      const facts = readCertificate(b, from, from + length);
      if (facts !== undefined) {
        tree.item(rows.certificateFacts, from, length, `${facts.subject} issued by ${facts.issuer}`);
        const of = rows.certificateFacts.of;
        tree.put(of.subject, facts.subject);
        tree.put(of.issuer, facts.issuer);
        tree.add(of.serial, facts.serial[0], facts.serial[1] - facts.serial[0]);
        if (facts.notBefore !== undefined) tree.put(of.notBefore, facts.notBefore);
        if (facts.notAfter !== undefined) tree.put(of.notAfter, facts.notAfter);
        for (const name of facts.names) tree.put(of.name, name);
        tree.close();
        if (facts.scts !== undefined) walkScts(new Walk(tree, rows, b, facts.scts[0], facts.scts[1]));
      }
      tree.close();
    }
    walk.at = from + length;
    if (is13) walkExtensions(walk, 11);
  }
  tree.close();
}

function distinguishedNames(walk: Walk): void {
  const { rows, tree } = walk;
  const n = walk.length(rows.namesLength, 2);
  if (n === 0) return;
  tree.open(rows.names, walk.at, n);
  walk.stop = walk.at + n;
  while (walk.left >= 2) {
    const length = walk.length(rows.nameLength, 2);
    if (length > 0) walk.field(rows.name, length);
  }
  tree.close();
}

function serverKeys(walk: Walk, message: Message, atLeast12: boolean): void {
  const { rows, tree, bytes: b } = walk;
  switch (message.facts.keyExchange) {
    case 'ecdh':
      tree.heading('EC Diffie-Hellman Server Params', walk.at, walk.left);
      walk.field(rows.curveType, 1);
      if (b[walk.at - 1] === 3) {
        walk.field(rows.namedCurve, 2);
        walk.vector(rows.serverPointLength, rows.serverPoint, 1);
      } else walk.at = walk.stop;
      break;
    case 'dh':
      tree.heading('Diffie-Hellman Server Params', walk.at, walk.left);
      walk.vector(rows.pLength, rows.p, 2);
      walk.vector(rows.gLength, rows.g, 2);
      walk.vector(rows.ysLength, rows.ys, 2);
      break;
    default:
      return;
  }
  // Anonymous suites sign nothing.
  if (walk.left > 0) {
    if (atLeast12) walkSignatureAlgorithm(walk);
    walk.vector(rows.signatureLength, rows.signature, 2);
  }
  tree.close();
}

function clientKeys(walk: Walk, message: Message): void {
  const { rows, tree } = walk;
  switch (message.facts.keyExchange) {
    case 'ecdh':
      tree.heading('EC Diffie-Hellman Client Params', walk.at, walk.left);
      walk.vector(rows.clientPointLength, rows.clientPoint, 1);
      break;
    case 'dh':
      tree.heading('Diffie-Hellman Client Params', walk.at, walk.left);
      walk.vector(rows.ycLength, rows.yc, 2);
      break;
    case 'rsa':
      tree.heading('RSA Encrypted PreMaster Secret', walk.at, walk.left);
      // SSL 3.0 has no length before it.
      if (message.facts.version === 0x0300) walk.field(rows.preMaster, walk.left);
      else walk.vector(rows.preMasterLength, rows.preMaster, 2);
      break;
    default:
      return;
  }
  tree.close();
}
