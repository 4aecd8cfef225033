import type { Frame } from '../core/frame.js';
import type { Tcp } from '../dissectors/tcp.js';
import type { TcpFacts } from '../dissectors/tcp-facts.js';
import type { Direction } from './conversations.js';
import type { OptionFacts } from './tcp.js';
export function judge(
  _frame: Frame,
  _tcp: Tcp,
  _me: Direction,
  _facts: TcpFacts,
  _options: OptionFacts,
  _sequence: number,
  _ack: number,
  _flags: number,
  _length: number,
): void {}
