/** Extensions of TLS messages (RFC 8446 section 4.2 and the RFCs named below), as rows. */
import { u16 } from '../core/octets.js';
import { extensionName } from './tls-names.js';
import { walkQuicParameters } from './tls-quic-parameters.js';
import type { Walk } from './tls-vectors.js';

const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const NEW_SESSION_TICKET = 4;
const CERTIFICATE = 11;
/** A Server Hello that asks for another Client Hello; no message type on the wire. */
export const HELLO_RETRY = 6;

/** The extensions with their length before them; `message` is the type of the handshake message that they stand in. */
export function walkExtensions(walk: Walk, message: number): void {
  const { rows, tree, stop } = walk;
  const end = walk.length(rows.extensionsLength, 2) + walk.at;
  walk.stop = end;
  // Each extension has four octets at least.
  while (walk.left >= 4) {
    const type = walk.number(2);
    const length = u16(walk.bytes, walk.at + 2);
    tree.heading(`Extension: ${extensionName(type) ?? `Unknown type ${type}`} (len=${length})`, walk.at, Math.min(4 + length, walk.left));
    walk.field(rows.extensionType, 2);
    walk.stop = walk.length(rows.extensionLength, 2) + walk.at;
    walkExtension(walk, type, message);
    if (walk.left > 0) tree.put(rows.trailing, true, walk.at, walk.left);
    walk.at = walk.stop;
    walk.stop = end;
    tree.close();
  }
  walk.at = end;
  walk.stop = stop;
}

/** RFC 6962 section 3.3: certificates' presence in public logs. */
export function walkScts(walk: Walk): void {
  const { rows, stop } = walk;
  const end = walk.length(rows.sctsLength, 2) + walk.at;
  walk.stop = end;
  while (walk.left >= 2) {
    walk.stop = walk.length(rows.sctLength, 2) + walk.at;
    if (walk.left >= 43) {
      walk.field(rows.sctVersion, 1);
      walk.field(rows.sctLog, 32);
      const { bytes: b, at } = walk;
      const milliseconds = b.subarray(at, at + 8).reduce((n, octet) => n * 256n + BigInt(octet), 0n);
      walk.tree.put(rows.sctTime, BigInt.asIntN(64, milliseconds * 1_000_000n), at, 8);
      walk.at += 8;
      walk.skip(rows.sctExtensionsLength, 2);
      walkSignatureAlgorithm(walk);
      walk.vector(rows.sctSignatureLength, rows.sctSignature, 2);
    }
    walk.at = walk.stop;
    walk.stop = end;
  }
  walk.at = end;
  walk.stop = stop;
}

/** A signature algorithm and, as TLS 1.2 saw it, the hash and the signature in its two octets. */
export function walkSignatureAlgorithm(walk: Walk): void {
  const { tree, rows } = walk;
  if (walk.left < 2) {
    tree.put(rows.tooSmall, true);
    walk.at = walk.stop;
    return;
  }
  tree.open(rows.signatureAlgorithm, walk.at, 2);
  tree.add(rows.signatureHash, walk.at, 1);
  tree.add(rows.signatureSign, walk.at + 1, 1);
  tree.close();
  walk.at += 2;
}

/** Signature algorithms with the length before them. */
export function walkSignatureAlgorithms(walk: Walk): void {
  const { tree, rows } = walk;
  const n = walk.length(rows.signaturesLength, 2, 2);
  const end = walk.at + n;
  tree.open(rows.signatures, walk.at, n);
  while (walk.at + 2 <= end) walkSignatureAlgorithm(walk);
  tree.close();
  walk.at = end;
}

function walkExtension(walk: Walk, type: number, message: number): void {
  const { rows, tree } = walk;
  const isClient = message === CLIENT_HELLO;
  switch (type) {
    case 0:
      // RFC 6066 section 3; a server only says that it took the name.
      if (walk.left > 0) {
        walk.stop = walk.length(rows.serverNamesLength, 2) + walk.at;
        while (walk.left >= 3) {
          walk.field(rows.serverNameType, 1);
          walk.vector(rows.serverNameLength, rows.serverName, 2);
        }
      }
      return;
    case 5: {
      // RFC 6066 section 8.
      if (isClient) {
        if (walk.left === 0) return;
        walk.field(rows.statusType, 1);
        walk.skip(rows.respondersLength, 2);
        walk.skip(rows.requestExtensionsLength, 2);
      } else if (message === CERTIFICATE) {
        walk.field(rows.statusType, 1);
        walk.skip(rows.ocspLength, 3);
      }
      return;
    }
    case 10: {
      const n = walk.length(rows.groupsLength, 2, 2);
      return walk.numbers(rows.groups, rows.supportedGroup, n, 2);
    }
    case 11: {
      const n = walk.length(rows.pointFormatsLength, 1, 1);
      return walk.numbers(rows.pointFormats, rows.pointFormat, n, 1);
    }
    case 13:
    case 50:
      return walkSignatureAlgorithms(walk);
    case 15:
      walk.field(rows.heartbeatMode, 1);
      return;
    case 16: {
      const n = walk.length(rows.alpnLength, 2, 2);
      return walk.strings(rows.alpnList, rows.alpnNameLength, rows.alpn, n);
    }
    case 17: {
      // RFC 6961: several requests.
      if (!isClient) return;
      walk.stop = walk.length(rows.statusListLength, 2) + walk.at;
      while (walk.left >= 3) {
        walk.field(rows.statusType, 1);
        walk.narrow(rows.statusLength, 2);
        walk.skip(rows.respondersLength, 2);
        walk.skip(rows.requestExtensionsLength, 2);
      }
      return;
    }
    case 18:
      if (walk.left > 0) walkScts(walk);
      return;
    case 21:
      if (walk.left > 0) walk.field(rows.padding, walk.left);
      return;
    case 22:
    case 23:
    case 49:
      return;
    case 27: {
      const n = walk.length(rows.compressAlgorithmsLength, 1, 2);
      return walk.numbers(undefined, rows.compressAlgorithm, n, 2);
    }
    case 28:
      walk.field(rows.recordSizeLimit, 2);
      return;
    case 34:
      return walkSignatureAlgorithms(walk);
    case 41: {
      if (message === SERVER_HELLO) {
        walk.field(rows.pskSelected, 2);
        return;
      }
      const { stop } = walk;
      walk.stop = walk.length(rows.pskIdentitiesLength, 2, 7) + walk.at;
      while (walk.left >= 2) {
        walk.vector(rows.pskIdentityLength, rows.pskIdentity, 2, 1);
        if (!walk.field(rows.pskAge, 4)) break;
      }
      walk.stop = stop;
      const n = walk.length(rows.pskBindersLength, 2, 33);
      if (n > 0) walk.field(rows.pskBinders, n);
      return;
    }
    case 42:
      if (message === NEW_SESSION_TICKET) walk.field(rows.earlyDataSize, 4);
      return;
    case 43:
      if (isClient) {
        const n = walk.length(rows.versionsLength, 1, 2);
        walk.numbers(undefined, rows.supportedVersion, n, 2);
      } else walk.field(rows.supportedVersion, 2);
      return;
    case 45: {
      const n = walk.length(rows.pskModesLength, 1, 1);
      return walk.numbers(undefined, rows.pskMode, n, 1);
    }
    // 40 in the drafts before the 23rd.
    case 40:
    case 51: {
      if (message === HELLO_RETRY || (message === SERVER_HELLO && walk.left === 2)) {
        walk.field(rows.keyShareSelected, 2);
        return;
      }
      if (isClient) walk.stop = walk.length(rows.keyShareLength, 2) + walk.at;
      while (walk.left >= 4) {
        tree.heading('Key Share Entry', walk.at, Math.min(walk.left, 4 + u16(walk.bytes, walk.at + 2)));
        walk.field(rows.keyShareGroup, 2);
        walk.vector(rows.keyExchangeLength, rows.keyExchange, 2, 1);
        tree.close();
      }
      return;
    }
    case 13172:
      if (walk.left > 0) while (walk.left > 0) walk.vector(rows.npnLength, rows.npn, 1);
      return;
    case 17513: {
      const n = walk.length(rows.alpsLength, 2);
      return walk.strings(rows.alpsList, rows.alpsNameLength, rows.alps, n);
    }
    // 65445 in the drafts before the 33rd.
    case 57:
    case 65445:
      return walkQuicParameters(walk);
    case 65281:
      walk.vector(rows.renegotiationLength, rows.renegotiation, 1);
      return;
    case 65486:
      // draft-ietf-tls-esni-01 to -03; the server sends a nonce.
      if (!isClient) break;
      walk.field(rows.esniSuite, 2);
      walk.field(rows.keyShareGroup, 2);
      walk.vector(rows.keyExchangeLength, rows.keyExchange, 2, 1);
      walk.vector(rows.esniDigestLength, rows.esniDigest, 2);
      walk.vector(rows.esniLength, rows.esni, 2, 1);
      return;
    default:
  }
  tree.add(rows.extensionData, walk.at, walk.left);
  walk.at = walk.stop;
}
