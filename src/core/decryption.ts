/** What the dissectors of TLS and QUIC ask of whoever has the keys of a connection. Nothing here throws. */

/** Secrets of connections by the random of their Client Hello, as a key log has them. */
export interface SecretLog {
  /** Secrets so far: whoever did not find one need not look again before this has grown. */
  readonly count: number;
  /** Adds what was written since; to be called when secrets are looked for. */
  readonly refresh: (() => void) | undefined;
  /** The secret that is called `label` of the connection whose client began with `random`. */
  find(label: string, random: Uint8Array): Uint8Array | undefined;
}

/** What both sides agreed on in their hellos. */
export interface Agreement {
  /** 0x0303 for TLS 1.2, 0x0304 for 1.3, 0xfefd for DTLS 1.2. */
  readonly version: number;
  readonly cipherSuite: number;
  readonly clientRandom: Uint8Array;
  readonly serverRandom: Uint8Array;
  readonly encryptThenMac: boolean;
}

/** Plain text of a record. */
export interface PlainRecord {
  /** Content type: of TLS 1.3 the one inside. */
  readonly type: number;
  readonly content: Uint8Array;
}

/** The keys of one connection. */
export interface Decryption {
  /** A Client Hello with this random came; early data may follow. */
  offered(clientRandom: Uint8Array, cipherSuites: readonly number[]): void;
  agreed(agreement: Agreement): void;
  /** This side said Change Cipher Spec. */
  changed(fromServer: boolean): void;
  /** This side announced new keys (TLS 1.3). */
  updated(fromServer: boolean): void;
  /** Octets of this side are missing: records may have been lost. */
  gap(fromServer: boolean): void;
  /**
   * The record whose header is at `at` and whose content ends at `end`; undefined when there are no keys for it.
   * `header` counts the octets before the content.
   */
  record(fromServer: boolean, bytes: Uint8Array, at: number, header: number, end: number): PlainRecord | undefined;
}
