/**
 * Versions of QUIC: what their packets look like and how the first of them are protected.
 *
 * RFC 9000 and 9001 (version 1), RFC 9369 (version 2), draft-ietf-quic-transport and draft-ietf-quic-tls 22 to 34, Facebook's
 * and Google's versions that follow those drafts.
 */

/** How a version protects its Initial and Retry packets. */
export interface QuicVersion {
  /** Of the drafts; 34 for version 1 and what came after. */
  readonly draft: number;
  /** Which kind the two bits of a long header's type stand for, from 0. */
  readonly types: readonly QuicKind[];
  /** Salts of the Initial secrets (RFC 9001 section 5.2); several where the number does not tell. */
  readonly salts: readonly Uint8Array[];
  /** Type of CRYPTO frames. */
  readonly cryptoFrame: number;
  /** Before `key`, `iv` and `hp` in labels. */
  readonly prefix: string;
  /** Key and nonce of a Retry packet's tag (RFC 9001 section 5.8). */
  readonly retryKey: Uint8Array | undefined;
  readonly retryNonce: Uint8Array | undefined;
}

/** Kinds of packets, as they are named in the Info column. */
export type QuicKind = 'Initial' | '0-RTT' | 'Handshake' | 'Retry' | 'Version Negotiation' | 'Protected Payload' | 'Padding';

const TYPES: readonly QuicKind[] = ['Initial', '0-RTT', 'Handshake', 'Retry'];
/** RFC 9369 section 3.2. */
const TYPES_2: readonly QuicKind[] = ['Retry', 'Initial', '0-RTT', 'Handshake'];

const octets = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g)!, (two) => Number.parseInt(two, 16));

const SALT_22 = octets('7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a');
const SALT_23 = octets('c3eef712c72ebb5a11a7d2432bb46365bef9f502');
const SALT_29 = octets('afbfec289993d24c9e9786f19c6111e04390a899');
const SALT_1 = octets('38762cf7f55934b34d179ae6a4c80cadccbb7f0a');
const SALT_2 = octets('0dede3def700a6db819381be6e269dcbf9bd2ed9');
/** draft-ietf-quic-v2-00 to -09. */
const SALT_2_DRAFT = octets('a707c203a59b47184a1d62ca570406ea7ae3e5d3');
const SALT_T050 = octets('7ff579e5acd072915580304c43a2367c60488310');
const SALT_T051 = octets('7a4edef4e7ccee5fa4506c19124fc8ccda6e033d');

/** Version 1 and its drafts from the 33rd on. */
const ONE: QuicVersion = {
  draft: 34,
  types: TYPES,
  salts: [SALT_1],
  cryptoFrame: 6,
  prefix: 'quic ',
  retryKey: octets('be0c690b9f66575a1d766b54e368c84e'),
  retryNonce: octets('461599d35d632bf2239825bb'),
};
const DRAFT_29: QuicVersion = {
  ...ONE,
  draft: 29,
  salts: [SALT_29],
  retryKey: octets('ccce187ed09a09d05728155a6cb96be1'),
  retryNonce: octets('e54930f97f2136f0530a8c1c'),
};
const DRAFT_25: QuicVersion = {
  ...ONE,
  draft: 25,
  salts: [SALT_23],
  retryKey: octets('4d32ecdb2a2133c841e4043df27d4430'),
  retryNonce: octets('4d1611d05513a552c587d575'),
};
/** Retry packets have no tag before draft 25. */
const DRAFT_23: QuicVersion = { ...DRAFT_25, draft: 23, retryKey: undefined, retryNonce: undefined };
const DRAFT_22: QuicVersion = { ...DRAFT_23, draft: 22, salts: [SALT_22] };
const TWO: QuicVersion = {
  ...ONE,
  types: TYPES_2,
  salts: [SALT_2],
  prefix: 'quicv2 ',
  retryKey: octets('8fb4b01b56ac48e260fbcbcead7ccc92'),
  retryNonce: octets('d86969bc2d7c6d9990efb04a'),
};
/** RFC 9000 section 15: 0x?a?a?a?a provokes a negotiation. Who sends it protects as the version that it would rather speak. */
const GREASE: QuicVersion = { ...ONE, salts: [SALT_29, SALT_1] };

const VERSIONS: ReadonlyMap<number, QuicVersion> = new Map<number, QuicVersion>([
  [0x0000_0001, ONE],
  [0x6b33_43cf, TWO],
  [
    0x709a_50c4,
    {
      ...TWO,
      salts: [SALT_2_DRAFT],
      retryKey: octets('ba858dc7b43de5dbf87617ff4ab253db'),
      retryNonce: octets('141b99c239b03e785d6a2e9f'),
    },
  ],
  [0xface_b001, DRAFT_22],
  [0xface_b002, DRAFT_25],
  [0xface_b00e, DRAFT_25],
  [0x5430_3530, { ...DRAFT_25, salts: [SALT_T050], cryptoFrame: 8 }],
  [0x5430_3531, { ...DRAFT_25, salts: [SALT_T051], cryptoFrame: 8 }],
  // Google's own handshake inside: its packets are named, and not opened.
  [0x5130_3530, { ...DRAFT_25, salts: [] }],
]);

/** What is known of a version; undefined for those that are not QUIC's, or older than draft 22. */
export function quicVersion(version: number): QuicVersion | undefined {
  const known = VERSIONS.get(version);
  if (known !== undefined) return known;
  if (version >>> 8 === 0xff_0000) {
    const draft = version & 0xff;
    if (draft < 22 || draft > 34) return undefined;
    return draft === 22 ? DRAFT_22 : draft < 25 ? DRAFT_23 : draft < 29 ? DRAFT_25 : draft < 33 ? DRAFT_29 : ONE;
  }
  return isReserved(version) ? GREASE : undefined;
}

/** A version that nobody speaks, so that the other side offers those that it does. */
export const isReserved = (version: number): boolean => (version & 0x0f0f_0f0f) === 0x0a0a_0a0a;

/** `1`, `2`, `draft-29`, `Facebook mvfst (draft-27)`: a version in words. */
export function quicVersionName(version: number): string | undefined {
  if (version >>> 8 === 0xff_0000) return `draft-${version & 0xff}`;
  if (isReserved(version)) return 'Forcing Version Negotiation';
  return NAMES[version];
}

const NAMES: Readonly<Record<number, string>> = {
  0: 'Version Negotiation',
  1: '1',
  1798521807: '2',
  1889161412: '2 (draft)',
  4207849473: 'Facebook mvfst (draft-22)',
  4207849474: 'Facebook mvfst (draft-27)',
  4207849486: 'Facebook mvfst (experimental)',
  1362113840: 'Google Q050',
  1412445488: 'Google T050',
  1412445489: 'Google T051',
};
