/**
 * DNS over HTTPS: a question in the body of a POST or in the address of a GET, the answer in the body of the response, in
 * any version of HTTP.
 *
 * RFC 8484 section 4.1 (`?dns=` has the question in base64url, RFC 4648 section 5, without padding; the id is 0 as a rule, as
 * the exchange of HTTP says which question an answer is for), section 6 (application/dns-message).
 */
import type { Frame } from '../core/frame.js';
import { Dns, dissectDnsMessage, looksLikeDns } from './dns.js';
import type { HttpRequest } from './http-exchange.js';
import type { MessageHead } from './http-head.js';

const DNS_MESSAGE = 'application/dns-message';
/** What has the question in an address. */
const PARAMETER = 'dns=';
/** The longest message, in base64. */
const MAX_QUESTION = Math.ceil((0xffff * 4) / 3);

/** A message in one of HTTP. */
export class DnsOverHttps extends Dns {
  /** The version of HTTP is the third. */
  overQuic = false;

  override get shortName(): string {
    return 'DoH';
  }
}

/** Is the body a DNS message? */
export const isDnsMessage = ({ contentType }: MessageHead): boolean =>
  contentType.length === DNS_MESSAGE.length && contentType.toLowerCase() === DNS_MESSAGE;

/** May such a message carry one of DNS? */
export const mayCarryDns = (head: MessageHead): boolean => isDnsMessage(head) || head.uri.includes(PARAMETER);

/** Fill in what tells an exchange from others. */
function placed(dns: DnsOverHttps, request: HttpRequest | undefined, overQuic: boolean): DnsOverHttps {
  const stream = (dns.frame.transport as { readonly stream?: number } | undefined)?.stream;
  if (request !== undefined && stream !== undefined) dns.lane = [stream, request.ordinal];
  dns.overQuic = overQuic;
  return dns;
}

/**
 * The DNS message that a whole message of HTTP carries, if it does. `body` is what it carries, put together and
 * decompressed; `request` the request that this is, or that it answers.
 */
export function dissectDoh(
  frame: Frame,
  head: MessageHead,
  body: Uint8Array | undefined,
  request: HttpRequest | undefined,
  overQuic = false,
): void {
  const isPost = isDnsMessage(head);
  const message = isPost ? body : head.kind === 'request' ? questionIn(head.uri) : undefined;
  if (message === undefined || message.length === 0) return;
  frame.within(message, 0, message.length, (f, start, end) =>
    dissectDnsMessage(f, placed(new DnsOverHttps(f, start, end), request, overQuic), start, end),
  );
}

/** The question in the address of a GET: octets of a message, as others may call their parameters `dns`, too. */
function questionIn(uri: string): Uint8Array | undefined {
  if (!uri.includes(PARAMETER)) return undefined;
  const found = /[?&]dns=([A-Za-z0-9_-]+)/.exec(uri)?.[1];
  if (found === undefined || found.length > MAX_QUESTION) return undefined;
  const octets = fromBase64Url(found);
  return looksLikeDns(octets, 0, octets.length) ? octets : undefined;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

function fromBase64Url(text: string): Uint8Array {
  const octets = new Uint8Array((text.length * 3) >> 2);
  let bits = 0;
  let have = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    bits = ((bits << 6) | ALPHABET.indexOf(text[i]!)) & 0xffff;
    have += 6;
    if (have >= 8) octets[at++] = (bits >> (have -= 8)) & 255;
  }
  return octets;
}
