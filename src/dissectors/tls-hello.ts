/**
 * What a hello of TLS says in a few words: versions, cipher suites, extensions; and its fingerprints.
 *
 * RFC 8446 sections 4.1.2 and 4.1.3. JA3 and JA3S: https://github.com/salesforce/ja3;
 * JA4: https://github.com/FoxIO-LLC/ja4 (technical details of JA4).
 *
 *     0        2           34                                  2 or 1: suites   1: compressions
 *     version  random (32) length, session id (≤ 32) [cookie]  cipher suites    compression methods  length, extensions
 */
import type { Cryptography } from '../core/cryptography.js';
import { hexOf, latin1Of, textOf, u16 } from '../core/octets.js';
import { isGrease } from './tls-cipher-suites.js';
import type { Carrier } from './tls-handshake.js';

/** Most numbers of each kind that are kept of a hello. */
const MAX_NUMBERS = 2048;

export interface Hello {
  /** As the message says; TLS 1.3 says 1.2 here and the truth in an extension. */
  readonly version: number;
  /** Positions in the octets that were read. */
  readonly random: number;
  readonly sessionId: readonly [from: number, to: number];
  /** Offered, or the one chosen. */
  readonly cipherSuites: readonly number[];
  readonly extensions: readonly number[];
  readonly groups: readonly number[];
  readonly pointFormats: readonly number[];
  readonly versions: readonly number[];
  readonly signatures: readonly number[];
  readonly alpn: readonly string[];
  readonly serverName: string | undefined;
}

function numbers(b: Uint8Array, from: number, to: number, width: 1 | 2): number[] {
  const found: number[] = [];
  for (let at = from; at + width <= to && found.length < MAX_NUMBERS; at += width) found.push(width === 1 ? b[at]! : u16(b, at));
  return found;
}

/** Drafts of TLS 1.3 whose Server Hello says its version itself and is shorter. */
export const isEarlyDraft = (version: number): boolean => version >> 8 === 0x7f && (version & 0xff) < 22;

/**
 * Read the body of a Client Hello or Server Hello in `[start, end)`; what is beyond a lying length is left out. Undefined when
 * not even version and random are there.
 */
export function readHello(b: Uint8Array, start: number, end: number, fromServer: boolean, hasCookie: boolean): Hello | undefined {
  if (start + 35 > end) return undefined;
  let at = start + 34;
  // Up to draft 21 of TLS 1.3 the server sent neither session nor compression.
  const isDraft = fromServer && isEarlyDraft(u16(b, start));
  const idEnd = isDraft ? at : Math.min(end, at + 1 + b[at]!);
  const sessionId = [Math.min(at + 1, idEnd), idEnd] as const;
  at = idEnd;
  if (hasCookie && !fromServer) at = at < end ? Math.min(end, at + 1 + b[at]!) : end;
  let cipherSuites: number[] = [];
  if (fromServer) {
    if (at + 2 <= end) cipherSuites = [u16(b, at)];
    at += isDraft ? 2 : 3;
  } else if (at + 2 <= end) {
    const stop = Math.min(end, at + 2 + u16(b, at));
    cipherSuites = numbers(b, at + 2, stop, 2);
    at = stop < end ? stop + 1 + b[stop]! : end;
  }
  const hello = {
    version: u16(b, start),
    random: start + 2,
    sessionId,
    cipherSuites,
    extensions: [] as number[],
    groups: [] as number[],
    pointFormats: [] as number[],
    versions: [] as number[],
    signatures: [] as number[],
    alpn: [] as string[],
    serverName: undefined as string | undefined,
  };
  if (at + 2 > end) return hello;
  const stop = Math.min(end, at + 2 + u16(b, at));
  at += 2;
  // Each extension has four octets at least.
  while (at + 4 <= stop && hello.extensions.length < MAX_NUMBERS) {
    const type = u16(b, at);
    const from = at + 4;
    const to = Math.min(stop, from + u16(b, at + 2));
    hello.extensions.push(type);
    switch (type) {
      case 0:
        if (from + 5 <= to && b[from + 2] === 0) hello.serverName = textOf(b, from + 5, Math.min(to, from + 5 + u16(b, from + 3)));
        break;
      case 10:
        hello.groups = numbers(b, from + 2, to, 2);
        break;
      case 11:
        hello.pointFormats = numbers(b, from + 1, to, 1);
        break;
      case 13:
        hello.signatures = numbers(b, from + 2, to, 2);
        break;
      case 16:
        for (let name = from + 2; name < to && hello.alpn.length < 64; name += 1 + b[name]!)
          hello.alpn.push(latin1Of(b, name + 1, Math.min(to, name + 1 + b[name]!)));
        break;
      case 43:
        hello.versions = fromServer ? numbers(b, from, to, 2) : numbers(b, from + 1, to, 2);
        break;
      default:
    }
    at = to;
  }
  return hello;
}

const list = (values: readonly number[]): string => values.filter((n) => !isGrease(n)).join('-');

/** What JA3 is the MD5 of. */
export const ja3Text = (hello: Hello): string =>
  `${hello.version},${list(hello.cipherSuites)},${list(hello.extensions)},${list(hello.groups)},${hello.pointFormats.join('-')}`;

/** What JA3S is the MD5 of. */
export const ja3sText = (hello: Hello): string => `${hello.version},${list(hello.cipherSuites)},${list(hello.extensions)}`;

const JA4_VERSIONS: Readonly<Record<number, string>> = {
  2: 's2',
  768: 's3',
  769: '10',
  770: '11',
  771: '12',
  772: '13',
  65279: 'd1',
  65277: 'd2',
  65276: 'd3',
};
const hex4 = (n: number): string => n.toString(16).padStart(4, '0');
const twoDigits = (n: number): string => String(Math.min(n, 99)).padStart(2, '0');

/** JA4 of a Client Hello: its readable form, and the form with hashes. `carrier` is t for TCP, q for QUIC, d for DTLS. */
export function ja4Texts(hello: Hello, carrier: Carrier, cryptography: Cryptography): { full: string; short: string } {
  const versions = hello.versions.filter((n) => !isGrease(n));
  // The newest; DTLS counts downwards.
  const version = versions.length === 0 ? hello.version : carrier === 'd' ? Math.min(...versions) : Math.max(...versions);
  const suites = hello.cipherSuites.filter((n) => !isGrease(n));
  const extensions = hello.extensions.filter((n) => !isGrease(n));
  const [protocol = ''] = hello.alpn;
  let ends = '00';
  if (protocol.length > 0) {
    const first = protocol[0]!;
    const last = protocol[protocol.length - 1]!;
    if (/^[0-9a-z]{2}$/i.test(first + last)) ends = first + last;
    else {
      const octets = hexOf(Uint8Array.from(protocol, (c) => c.charCodeAt(0)));
      ends = octets[0]! + octets[octets.length - 1]!;
    }
  }
  const head = `${carrier}${JA4_VERSIONS[version] ?? '00'}${hello.extensions.includes(0) ? 'd' : 'i'}${twoDigits(suites.length)}${twoDigits(extensions.length)}${ends}`;
  const suiteText = suites.map(hex4).sort().join(',');
  const sorted = extensions
    .filter((n) => n !== 0 && n !== 16)
    .map(hex4)
    .sort()
    .join(',');
  const signatures = hello.signatures.filter((n) => !isGrease(n)).map(hex4);
  const extensionText = signatures.length > 0 ? `${sorted}_${signatures.join(',')}` : sorted;
  const hash = (text: string): string =>
    text === '' ? '000000000000' : hexOf(cryptography.digest('sha256', new TextEncoder().encode(text)), 0, 6);
  return { full: `${head}_${suiteText}_${extensionText}`, short: `${head}_${hash(suiteText)}_${hash(extensionText)}` };
}
