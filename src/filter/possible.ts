/**
 * What a display filter may select among plain TCP packets, told from their headers alone: a quick no, never a yes. What
 * it knows are comparisons of addresses, ports and flags, and protocols that cannot be in such a packet; of everything
 * else it takes the best for granted.
 */
import type { Segment } from '../analysis/tcp-segment.js';
import type { Raw } from '../core/field.js';
import type { Protocol } from '../core/layer.js';
import { i32, u16 } from '../core/octets.js';
import type { Condition, TypedValue } from './check.js';

/** False for packets that the filter does not select. */
export type Possible = (segment: Segment) => boolean;

/** A number of a packet, -1 where it has none. */
type Reader = (segment: Segment) => number;

const address =
  (offset: number): Reader =>
  ({ version, ipBytes, ipStart }) =>
    version === 4 ? i32(ipBytes, ipStart + offset) >>> 0 : -1;

const port =
  (offset: number): Reader =>
  ({ bytes, start }) =>
    u16(bytes, start + offset);

const flag =
  (mask: number): Reader =>
  ({ flags }) =>
    flags & mask ? 1 : 0;

const READERS: Readonly<Record<string, readonly Reader[]>> = {
  'ip.src': [address(12)],
  'ip.dst': [address(16)],
  'ip.addr': [address(12), address(16)],
  'tcp.srcport': [port(0)],
  'tcp.dstport': [port(2)],
  'tcp.port': [port(0), port(2)],
  'tcp.flags.fin': [flag(0x01)],
  'tcp.flags.syn': [flag(0x02)],
  'tcp.flags.reset': [flag(0x04)],
  'tcp.flags.push': [flag(0x08)],
  'tcp.flags.ack': [flag(0x10)],
  'tcp.flags.urg': [flag(0x20)],
};

/** Protocols that a plain TCP packet may be made of, beside those in its stream. */
const LOWER: ReadonlySet<string> = new Set(['frame', 'eth', 'vlan', 'ieee8021ad', 'ip', 'ipv6', 'tcp', 'mptcp', 'data']);

/** Undefined when the filter may select any of them. `inStreams`: protocols that may stand in a byte stream. */
export function possibleIn(condition: Condition, inStreams: ReadonlySet<Protocol>): Possible | undefined {
  switch (condition.kind) {
    case 'and': {
      const left = possibleIn(condition.left, inStreams);
      const right = possibleIn(condition.right, inStreams);
      return left && right ? (segment) => left(segment) && right(segment) : (left ?? right);
    }
    case 'or': {
      const left = possibleIn(condition.left, inStreams);
      const right = possibleIn(condition.right, inStreams);
      return left && right && ((segment) => left(segment) || right(segment));
    }
    case 'test': {
      const { value } = condition;
      if (value.kind !== 'protocol' || value.layers !== undefined) return undefined;
      return [...value.protocols].some((protocol) => LOWER.has(protocol.name) || inStreams.has(protocol)) ? undefined : never;
    }
    case 'compare':
      return condition.operator === '==' && condition.quantifier === undefined ? equal(condition.left, [condition.right]) : undefined;
    case 'in':
      if (condition.quantifier !== undefined || condition.negated || condition.set.some(({ to }) => to !== undefined)) return undefined;
      return equal(
        condition.left,
        condition.set.map(({ from }) => from),
      );
    default:
      return undefined;
  }
}

/** True when no frame without a TCP header is selected. */
export function demandsTcp(condition: Condition): boolean {
  switch (condition.kind) {
    case 'and':
      return demandsTcp(condition.left) || demandsTcp(condition.right);
    case 'or':
      return demandsTcp(condition.left) && demandsTcp(condition.right);
    case 'test':
      return isOfTcp(condition.value);
    case 'compare':
      return isOfTcp(condition.left);
    case 'in':
      return !condition.negated && isOfTcp(condition.left);
    default:
      return false;
  }
}

/** A value that only a TCP header has; what has no value compares with nothing. */
const isOfTcp = (value: TypedValue): boolean =>
  (value.kind === 'field' && value.fields.every(({ protocol }) => protocol.name === 'tcp')) ||
  (value.kind === 'protocol' && value.name === 'tcp');

const never: Possible = () => false;

/** True where one of the left side's numbers is one of the right side's. */
function equal(left: TypedValue, right: readonly TypedValue[]): Possible | undefined {
  if (left.kind !== 'field' || left.layers !== undefined || !Object.hasOwn(READERS, left.name)) return undefined;
  const wanted: number[] = [];
  for (const value of right) {
    if (value.kind !== 'constant' || value.prefix !== undefined) return undefined;
    const number = numberOf(value.value);
    if (number === undefined) return undefined;
    wanted.push(number);
  }
  const [first, second] = READERS[left.name]!;
  const [only] = wanted;
  if (second === undefined)
    return wanted.length === 1 ? (segment) => first!(segment) === only : (segment) => wanted.includes(first!(segment));
  return (segment) => wanted.includes(first!(segment)) || wanted.includes(second(segment));
}

const numberOf = (raw: Raw): number | undefined => (typeof raw === 'number' ? raw : typeof raw === 'boolean' ? Number(raw) : undefined);
