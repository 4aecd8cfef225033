/**
 * The JSON of the messages that Redis traffic is made of, in WebAssembly: straight from their octets, of which
 * {@link plainLength} has found that they are plain. Where octets are not as they have to be the functions return 0.
 */
import { sixteen, storeText } from '../core/octets-json.js';
import { COLON, DOLLAR, LF, MAP, MINUS, PLUS, PUSH, SET, STAR } from './resp-elements.js';

/** Octets that are written in one call at most; larger messages are few, and most of their time is hex. */
export const MOST_OCTETS = 2048;
/** Messages at most. */
export const MOST_MESSAGES = 16;
/** What they take at most: twice as much in hex and as much again in lengths and keys, and for each its own keys, and what it answers. */
const MOST_WRITTEN = 4 * MOST_OCTETS + 256 * MOST_MESSAGES;
/** Behind that is noted where the strings of a message stand, of which each takes four octets at least. */
export const ROOM = MOST_WRITTEN + 8 * (MOST_OCTETS / 4);

export interface RespFunctions {
  /**
   * Messages in `[from, end)`, `count` of them, of which the first is the `number`th in its frame: strings, errors, numbers of
   * at most nine digits, bulk strings, and arrays, maps, sets and pushes of these. Of commands also the name and, for those
   * that have a bit in `keys`, the lowest for the first of them, the argument behind it, which is the key; of others, unless
   * `request` is 0, the frame and time of the command that they answer.
   */
  readonly messages: (
    at: number,
    from: number,
    end: number,
    count: number,
    number: number,
    commands: number,
    keys: number,
    request: number,
    time: number,
  ) => number;
}

/**
 * Read the length behind the octet at `$p`, which is then behind the end of its line. Of -1, the only one below 0, the sign
 * is taken for a digit of -3.
 */
const LENGTH = `
      (local.set $n (i32.sub (i32.load8_u offset=1 (local.get $p)) (i32.const 48)))
      (local.set $p (i32.add (local.get $p) (i32.const 2)))
      (loop $digits
        (local.set $digit (i32.sub (i32.load8_u (local.get $p)) (i32.const 48)))
        (local.set $p (i32.add (local.get $p) (i32.const 1)))
        (if (i32.lt_u (local.get $digit) (i32.const 10))
          (then (local.set $n (i32.add (i32.mul (local.get $n) (i32.const 10)) (local.get $digit)))))
        (br_if $digits (i32.lt_u (local.get $digit) (i32.const 10))))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))`;

const put = (octet: string): string => `
      (i32.store8 (local.get $at) (i32.const ${octet.charCodeAt(0)}))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))`;

/** Over the comma behind the last item of a list. */
const END_LIST = '(i32.store8 (i32.sub (local.get $at) (i32.const 1)) (i32.const 93))';

const aggregateKey = (type: number, name: string): string => `
  (if (i32.eq (local.get $type) (i32.const ${type})) (then ${storeText(`,"${name}":{"length":[`)}))`;

/** A name or a key, the string that is noted as the `i`th: one that is longer is not told as a whole. */
const quoted = (i: number): string => `
      (local.set $from (i32.load offset=${8 * i + 4} (local.get $places)))
      (local.set $n (i32.sub (i32.load offset=${8 * i + 8} (local.get $places)) (i32.add (local.get $from) (i32.const 2))))
      (if (i32.lt_u (i32.const 256) (local.get $n)) (then (return (i32.const 0))))
      (local.set $at (call $quoted (local.get $at) (local.get $from) (local.get $n)))
      (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))`;

/** Small letters from `$name` on as capitals; what is behind `$at` is written over. */
const CAPITALS = `
      (loop $capitals
        (local.set $x (v128.load (local.get $name)))
        (v128.store (local.get $name)
          (v128.bitselect
            (v128.and (local.get $x) ${sixteen(0xdf)})
            (local.get $x)
            (v128.and (i8x16.lt_s ${sixteen(0x60)} (local.get $x)) (i8x16.lt_s (local.get $x) ${sixteen(0x7b)}))))
        (local.set $name (i32.add (local.get $name) (i32.const 16)))
        (br_if $capitals (i32.lt_u (local.get $name) (local.get $at))))`;

const isType = (...types: readonly number[]): string =>
  types.map((type) => `(i32.eq (local.get $type) (i32.const ${type}))`).reduce((one, other) => `(i32.or ${one} ${other})`);

/** The string, the error or the number at `$p`. */
const LINE = `
      (local.set $from (i32.add (local.get $p) (i32.const 1)))
      (loop $octets
        (local.set $p (i32.add (local.get $p) (i32.const 1)))
        (if (i32.lt_u (local.get $end) (i32.add (local.get $p) (i32.const 2))) (then (return (i32.const 0))))
        (br_if $octets (i32.ne (i32.load8_u offset=1 (local.get $p)) (i32.const ${LF}))))
      (local.set $n (i32.sub (local.get $p) (local.get $from)))
      (local.set $p (i32.add (local.get $p) (i32.const 2)))
      (if ${isType(COLON)}
        (then
          ;; Only what has neither a sign nor leading zeros is written as it stands.
          (if (i32.lt_u (i32.const 8) (i32.sub (local.get $n) (i32.const 1))) (then (return (i32.const 0))))
          (if (i32.and (i32.eq (i32.load8_u (local.get $from)) (i32.const 48)) (i32.lt_u (i32.const 1) (local.get $n)))
            (then (return (i32.const 0))))
          (local.set $i (i32.const 0))
          (loop $digits
            (if (i32.lt_u (i32.const 9) (i32.sub (i32.load8_u (i32.add (local.get $from) (local.get $i))) (i32.const 48)))
              (then (return (i32.const 0))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $digits (i32.lt_u (local.get $i) (local.get $n))))
          ${storeText(',"integer":[')}
          (v128.store (local.get $at) (v128.load (local.get $from)))
          (local.set $at (i32.add (local.get $at) (local.get $n))))
        (else
          (if ${isType(PLUS)}
            (then ${storeText(',"string":[')})
            (else ${storeText(',"error":[')}))
          (if (i32.lt_u (i32.const 256) (local.get $n)) (then (return (i32.const 0))))
          (local.set $at (call $quoted (local.get $at) (local.get $from) (local.get $n)))
          (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))))
      ${put(']')}`;

/**
 * The bulk string at `$p`, or several with the header of their array, map, set or push. Noted are first, from `$places` on,
 * where the header of each stands and where its octets do.
 */
const STRINGS = `
      (local.set $n (i32.const 1))
      (if (i32.ne (local.get $type) (i32.const ${DOLLAR})) (then ${LENGTH}))
      (local.set $length (local.get $n))
      (local.set $i (i32.shl (local.get $n) ${isType(MAP)}))
      (local.set $any (i32.const 0))
      (local.set $place (local.get $places))
      (loop $strings
        (i32.store (local.get $place) (local.get $p))
        ${LENGTH}
        (i32.store offset=4 (local.get $place) (local.get $p))
        (if (i32.ge_s (local.get $n) (i32.const 0))
          (then
            (local.set $any (i32.or (local.get $any) (local.get $n)))
            (local.set $p (i32.add (local.get $p) (i32.add (local.get $n) (i32.const 2))))))
        ;; Never beyond the message: whoever keeps a frame longer than he may finds other octets in its place.
        (if (i32.lt_u (local.get $end) (local.get $p)) (then (return (i32.const 0))))
        (local.set $place (i32.add (local.get $place) (i32.const 8)))
        (local.set $i (i32.sub (local.get $i) (i32.const 1)))
        (br_if $strings (local.get $i)))
      (local.set $last (local.get $place))
      (i32.store (local.get $last) (local.get $p))
      (if (local.get $commands)
        (then
          ${storeText(',"command":')}
          (local.set $name (local.get $at))
          ${quoted(0)}
          ${CAPITALS}
          (if (i32.and (local.get $keys) (i32.lt_u (i32.const 1) (local.get $length)))
            (then
              ${storeText(',"key":')}
              ${quoted(1)}))))
      ${storeText(',"bulk_string":{"length":[')}
      (local.set $place (local.get $places))
      (loop $lengths
        ;; The digits stand between the mark and the end of the line.
        (local.set $from (i32.load (local.get $place)))
        (i64.store (local.get $at) (i64.load offset=1 (local.get $from)))
        (local.set $at
          (i32.add (local.get $at) (i32.sub (i32.sub (i32.load offset=4 (local.get $place)) (local.get $from)) (i32.const 3))))
        ${put(',')}
        (local.set $place (i32.add (local.get $place) (i32.const 8)))
        (br_if $lengths (i32.lt_u (local.get $place) (local.get $last))))
      ${END_LIST}
      (if (local.get $any)
        (then
          ${storeText(',"value":[')}
          (local.set $place (local.get $places))
          (loop $values
            (local.set $from (i32.load offset=4 (local.get $place)))
            (local.set $n (i32.sub (i32.load offset=8 (local.get $place)) (i32.add (local.get $from) (i32.const 2))))
            (if (i32.lt_s (i32.const 0) (local.get $n))
              (then
                ${put('"')}
                (local.set $at (call $hex (local.get $at) (local.get $from) (local.get $n)))
                ${storeText('",')}))
            (local.set $place (i32.add (local.get $place) (i32.const 8)))
            (br_if $values (i32.lt_u (local.get $place) (local.get $last))))
          ${END_LIST}))
      ${put('}')}
      (if (i32.ne (local.get $type) (i32.const ${DOLLAR}))
        (then
          ${aggregateKey(STAR, 'array')}
          ${aggregateKey(MAP, 'map')}
          ${aggregateKey(SET, 'set')}
          ${aggregateKey(PUSH, 'push')}
          (local.set $at (call $word (local.get $at) (local.get $length)))
          ${storeText(']}')}))`;

/** What the message answers, as it was written for the first. */
const ANSWER = `
      (if (local.get $answered)
        (then (local.set $at (call $copy (local.get $at) (local.get $answer) (local.get $answered))))
        (else
          (local.set $answer (local.get $at))
          ${storeText(',"response_to":')}
          (local.set $at (call $word (local.get $at) (local.get $request)))
          ${storeText(',"time":')}
          (local.set $at (call $seconds (local.get $at) (local.get $time)))
          (local.set $answered (i32.sub (local.get $at) (local.get $answer)))))`;

export const FUNCTIONS = `
  (func $messages (export "messages")
    (param $at i32) (param $p i32) (param $end i32) (param $left i32) (param $number i32) (param $commands i32) (param $keys i32)
    (param $request i32) (param $time f64) (result i32)
    (local $begin i32) (local $from i32) (local $type i32) (local $n i32) (local $digit i32) (local $i i32) (local $length i32)
    (local $any i32) (local $name i32) (local $x v128) (local $answer i32) (local $answered i32)
    (local $places i32) (local $place i32) (local $last i32)
    (local.set $places (i32.add (local.get $at) (i32.const ${MOST_WRITTEN})))
    (loop $messages
      (local.set $begin (local.get $at))
      (local.set $type (i32.load8_u (local.get $p)))
      (if ${isType(PLUS, MINUS, COLON)} (then ${LINE}) (else ${STRINGS}))
      (if (local.get $request) (then ${ANSWER}))
      ;; In place of the comma.
      (i32.store8 (local.get $begin) (i32.const ${'{'.charCodeAt(0)}))
      ${put('}')}
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (if (local.get $left)
        (then
          (local.set $keys (i32.shr_u (local.get $keys) (i32.const 1)))
          (local.set $number (i32.add (local.get $number) (i32.const 1)))
          ${storeText(',"resp#')}
          (local.set $at (call $word (local.get $at) (local.get $number)))
          ${storeText('":')}))
      (br_if $messages (local.get $left)))
    (if (i32.ne (local.get $p) (local.get $end)) (then (return (i32.const 0))))
    (local.get $at))
`;
