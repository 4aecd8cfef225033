/** What the name of a Redis command tells. */
import { FixedText } from '../core/fixed-text.js';
import { i32, Recalled, textOf } from '../core/octets.js';
import { TextBuffer } from '../core/text.js';
import { mayHaveSecrets } from './resp-arguments.js';
import { CR, DOLLAR } from './resp-elements.js';
import { keyOf } from './resp-keys.js';

/** What a command means for the replies that follow. */
export enum Effect {
  Plain = 0,
  /** Nothing that Redis takes for a command: an empty line or array. */
  Nothing,
  Subscribe,
  Psubscribe,
  Ssubscribe,
  Unsubscribe,
  Punsubscribe,
  Sunsubscribe,
  Monitor,
  Client,
  Sync,
  Reset,
  Replconf,
  Hello,
  Shutdown,
  Config,
  /** ACL, and those of its subcommands whose replies tell secrets. */
  Acl,
  Users,
  Password,
}

/** By the name in capitals; those of subscribing are also the words that confirm it. */
const EFFECTS = new Map<string, Effect>([
  ['SUBSCRIBE', Effect.Subscribe],
  ['PSUBSCRIBE', Effect.Psubscribe],
  ['SSUBSCRIBE', Effect.Ssubscribe],
  ['UNSUBSCRIBE', Effect.Unsubscribe],
  ['PUNSUBSCRIBE', Effect.Punsubscribe],
  ['SUNSUBSCRIBE', Effect.Sunsubscribe],
  ['MONITOR', Effect.Monitor],
  ['CLIENT', Effect.Client],
  ['PSYNC', Effect.Sync],
  ['SYNC', Effect.Sync],
  ['RESET', Effect.Reset],
  ['REPLCONF', Effect.Replconf],
  ['HELLO', Effect.Hello],
  ['SHUTDOWN', Effect.Shutdown],
  ['CONFIG', Effect.Config],
  ['ACL', Effect.Acl],
]);

/** What a command of this name, in capitals, means for the replies that follow. */
export const effectOf = (name: string): Effect => EFFECTS.get(name) ?? Effect.Plain;

/** What is known of a command by its name. */
export interface CommandName {
  /** In capitals. */
  readonly text: string;
  /** The same as JSON. */
  readonly json: FixedText;
  readonly effect: Effect;
  /** Which argument is its (first) key, as {@link keyOf} says. */
  readonly key: number;
  /** Whether any of its arguments may be a secret. */
  readonly mayHideSecrets: boolean;
}

/** Octets of a name that are looked at. */
const MOST_NAME = 256;

/** Names as they were written, and what they tell: a capture has a few, each many times. */
const names = new Recalled(256, (b, from, to): CommandName => {
  const text = textOf(b, from, to).toUpperCase();
  const out = new TextBuffer(64);
  out.json(text);
  return {
    text,
    json: new FixedText(out.bytes.subarray(0, out.length)),
    effect: effectOf(text),
    key: keyOf(text),
    mayHideSecrets: mayHaveSecrets(text),
  };
});

/** What the name in `[from, to)` tells. */
export const commandName = (b: Uint8Array, from: number, to: number): CommandName =>
  names.of(b, from, to - from > MOST_NAME ? from + MOST_NAME : to);

/** A name of three to eight octets, which nearly all are of: its first four and its last four, and how many there are. */
const SLOTS = 256;
const firsts = new Int32Array(SLOTS);
const lasts = new Int32Array(SLOTS);
const lengths = new Uint8Array(SLOTS);
const short = new Array<CommandName | undefined>(SLOTS).fill(undefined);

/**
 * What the name of the command at `start` tells, `*2\r\n$3\r\nGET\r\n…`: a whole array of bulk strings, the first with a
 * length of one digit. Undefined for others.
 */
export function shortName(b: Uint8Array, start: number): CommandName | undefined {
  // Of up to nine arguments, or up to 99.
  const digit = b[start + 4] === DOLLAR ? start + 5 : start + 6;
  const length = b[digit]! - 48;
  if (b[digit - 1] !== DOLLAR || b[digit + 1] !== CR || length < 3 || length > 8) return undefined;
  const from = digit + 3;
  const first = i32(b, from);
  // Of a name of three octets with the end of the line before it.
  const last = i32(b, from + length - 4);
  const slot = Math.imul(first ^ (last << 3) ^ length, 0x9e3779b1) >>> 24;
  if (firsts[slot] === first && lasts[slot] === last && lengths[slot] === length) return short[slot];
  firsts[slot] = first;
  lasts[slot] = last;
  lengths[slot] = length;
  return (short[slot] = commandName(b, from, from + length));
}
