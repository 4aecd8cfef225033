/** The checksum of ICMP and what is said about it. */
import { foldChecksum, sumWords } from '../core/checksum.js';
import type { Layer } from '../core/layer.js';

export const CHECKSUM_STATUS: Readonly<Record<number, string>> = { 0: 'Bad', 1: 'Good', 2: 'Unverified', 3: 'Not present' };

/**
 * 1 right, 0 wrong, 2 not to be known because the message was cut short. `sum` is that of a pseudo-header. It is worked
 * out when it is asked for, so unlike those of IP, UDP and TCP it waits for no option.
 */
export function icmpChecksumStatus(message: Layer, sum = 0): 0 | 1 | 2 {
  const { start, end } = message;
  if (end > message.captured) return 2;
  return foldChecksum(sumWords(message.bytes, start, end, sum)) === 0 ? 1 : 0;
}
