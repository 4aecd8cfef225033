/** Kinds of TCP options (IANA), and what a SACK option tells: what the analysis needs without the rows that show options. */
import { u32 } from '../core/octets.js';
import { seqAtOrAfter, seqAtOrBefore, seqBefore } from '../core/sequence.js';

export const END = 0;
export const NOP = 1;
export const MSS = 2;
export const WINDOW_SCALE = 3;
export const SACK_PERMITTED = 4;
export const SACK = 5;
export const ECHO = 6;
export const ECHO_REPLY = 7;
export const TIMESTAMPS = 8;
export const CC = 11;
export const CC_NEW = 12;
export const CC_ECHO = 13;
export const MD5 = 19;
export const QUICK_START = 27;
export const USER_TIMEOUT = 28;
export const AUTHENTICATION = 29;
export const MPTCP = 30;
export const FAST_OPEN = 34;
export const ACCURATE_ECN_0 = 172;
export const ACCURATE_ECN_1 = 174;
export const EXPERIMENT_1 = 253;
export const EXPERIMENT_2 = 254;

/** Octets of a header whose options are two NOPs and timestamps: most segments there are. */
export const WITH_TIMESTAMPS = 32;
export const NOPS_AND_TIMESTAMPS = 0x0101080a;

/** The subtype of an MPTCP option by which a connection joins another one (RFC 8684 section 8). */
export const MPTCP_JOIN = 1;
/** The experiment identifier under which Fast Open began (RFC 7413 appendix A). */
export const FAST_OPEN_EXPERIMENT = 0xf989;

/**
 * True when the first block of the SACK option at `at` tells of octets that came twice (RFC 2883 section 4): it lies
 * before the acknowledgment, or within the second block.
 */
export function isDsack(b: Uint8Array, at: number, length: number, acknowledgment: number): boolean {
  if (length < 10) return false;
  const right = u32(b, at + 6);
  if (seqAtOrBefore(right, acknowledgment)) return true;
  if (length < 18) return false;
  return seqBefore(u32(b, at + 10), right) && seqAtOrAfter(u32(b, at + 14), right);
}
