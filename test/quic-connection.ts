/** A QUIC connection whose secrets are known: packets of it, protected, and the frames that become of them. */
import { KeyLog } from '../src/analysis/tls-keylog.js';
import { cryptography } from '../src/capture/cryptography.js';
import { type PacketKeys, packetKeys, packetSuite } from '../src/dissectors/quic-protection.js';
import { quicVersion } from '../src/dissectors/quic-versions.js';
import { type AnalysisOptions, createSession } from '../src/frames.js';
import { dissect, hex, IPV4, udpMessage } from './packets.js';
import { CLIENT_INITIAL, join, padded, SERVER_INITIAL, sealWith } from './quic-packets.js';

/** The random of the Client Hello of RFC 9001 appendix A. */
const RANDOM = 'ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c';
/** Who the server is, as its Initial packet says; the client has no identifier. */
export const SERVER = 'f067a5502a4262b5';
export const ONE = quicVersion(1)!;
export const AES = packetSuite(0x1301)!;

const SECRETS = {
  CLIENT_HANDSHAKE_TRAFFIC_SECRET: 'a1',
  SERVER_HANDSHAKE_TRAFFIC_SECRET: 'a2',
  CLIENT_TRAFFIC_SECRET_0: 'a3',
  SERVER_TRAFFIC_SECRET_0: 'a4',
  CLIENT_EARLY_TRAFFIC_SECRET: 'a5',
};
export const secretOf = (label: keyof typeof SECRETS): Uint8Array => hex(SECRETS[label].repeat(32));
export const keysOf = (label: keyof typeof SECRETS): PacketKeys => packetKeys(cryptography, ONE, AES, secretOf(label));
export const CLIENT = keysOf('CLIENT_TRAFFIC_SECRET_0');

export function logged(): KeyLog {
  const log = new KeyLog();
  for (const [label, octet] of Object.entries(SECRETS)) log.add(`${label} ${RANDOM} ${octet.repeat(32)}`);
  return log;
}

type Turn = readonly [from: 'client' | 'server', payload: Uint8Array, clientPort?: number];

/** Datagrams of a connection whose hellos came, in turn. */
export function talk(keyLog: KeyLog, ...turns: Turn[]) {
  return talkIn({ keyLog }, ...turns);
}

/** The same with other options. */
export function talkIn(options: AnalysisOptions, ...turns: Turn[]) {
  const session = createSession(options);
  const all: readonly Turn[] = [['client', CLIENT_INITIAL], ['server', hex(SERVER_INITIAL)], ...turns];
  return all
    .map(([from, payload, port = 50_000]) => {
      const octets = from === 'server' ? udpMessage(443, port, payload, true) : udpMessage(port, 443, payload);
      return dissect(octets, { session, linkType: IPV4 });
    })
    .slice(2);
}

/** A 1-RTT packet of the client: its number in one octet, `plain` with PADDING up to `length` octets. */
export const data = (number: number, plain: string, keys = CLIENT, first = 0x40, id = SERVER, length = 40): Uint8Array =>
  sealWith(keys, join(Uint8Array.of(first), hex(id), Uint8Array.of(number)), padded(hex(plain), length));
