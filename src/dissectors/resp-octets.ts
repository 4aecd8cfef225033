/**
 * The JSON of the messages that Redis traffic is made of, in WebAssembly: straight from their octets, of which
 * {@link plainLength} has found that they are plain. Where octets are not as they have to be the functions return 0.
 */
import { storeText } from '../core/octets-json.js';
import { DOLLAR, MAP, PUSH, SET, STAR } from './resp-elements.js';

/** Longest message that is written so; larger ones are few, and most of their time is hex. */
export const MOST_OCTETS = 2048;
/** What it takes at most: twice as much in hex and lengths, six times the first octets of a name that is to be escaped, a key. */
export const ROOM = 4 * MOST_OCTETS;

export interface RespFunctions {
  /**
   * Bulk strings in `[from, end)`, with the header of their array, map, set or push, or a single one: at most one key, that of argument `key` where that is
   * not 0, their lengths and octets, and the frame and time of the command that they answer, unless `request` is 0.
   */
  readonly strings: (at: number, from: number, end: number, key: number, request: number, time: number) => number;
  /** A string, an error or a number of at most nine digits in `[from, end)`. */
  readonly line: (at: number, from: number, end: number, request: number, time: number) => number;
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

/** Never beyond the message: whoever keeps a frame longer than he may finds other octets in its place. */
const CHECK = '(if (i32.lt_u (local.get $end) (i32.add (local.get $p) (local.get $n))) (then (return (i32.const 0))))';

/** Go on behind the string at `$p`, if there is one. */
const SKIP =
  '(if (i32.ge_s (local.get $n) (i32.const 0)) (then (local.set $p (i32.add (local.get $p) (i32.add (local.get $n) (i32.const 2))))))';

const put = (octet: string): string => `
      (i32.store8 (local.get $at) (i32.const ${octet.charCodeAt(0)}))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))`;

/** Over the comma behind the last item of a list. */
const END_LIST = '(i32.store8 (i32.sub (local.get $at) (i32.const 1)) (i32.const 93))';

const aggregateKey = (type: number, name: string): string => `
  (if (i32.eq (local.get $type) (i32.const ${type})) (then ${storeText(`,"${name}":{"length":[`)}))`;

export const FUNCTIONS = `
  (func $answer (param $at i32) (param $request i32) (param $time f64) (result i32)
    ${storeText(',"response_to":')}
    (local.set $at (call $word (local.get $at) (local.get $request)))
    ${storeText(',"time":')}
    (call $seconds (local.get $at) (local.get $time)))

  (func $strings (export "strings")
    (param $at i32) (param $from i32) (param $end i32) (param $key i32) (param $request i32) (param $time f64) (result i32)
    (local $p i32) (local $n i32) (local $digit i32) (local $count i32) (local $i i32) (local $any i32) (local $line i32)
    (local $type i32) (local $length i32)
    (local.set $p (local.get $from))
    (local.set $n (i32.const 1))
    (local.set $type (i32.load8_u (local.get $p)))
    (if (i32.ne (local.get $type) (i32.const ${DOLLAR})) (then ${LENGTH}))
    (local.set $length (local.get $n))
    (local.set $count (i32.shl (local.get $n) (i32.eq (local.get $type) (i32.const ${MAP}))))
    (local.set $from (local.get $p))
    (if (local.get $key)
      (then
        (loop $arguments
          ${LENGTH}
          ${CHECK}
          (if (i32.ne (local.get $i) (local.get $key)) (then (local.set $p (i32.add (local.get $p) (i32.add (local.get $n) (i32.const 2))))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $arguments (i32.ge_u (local.get $key) (local.get $i))))
        (if (i32.lt_u (i32.const 256) (local.get $n)) (then (return (i32.const 0))))
        ${storeText(',"key":')}
        (local.set $at (call $quoted (local.get $at) (local.get $p) (local.get $n)))
        (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))))
    ${storeText(',"bulk_string":{"length":[')}
    (local.set $p (local.get $from))
    (local.set $i (local.get $count))
    (loop $lengths
      (local.set $line (local.get $p))
      (i64.store (local.get $at) (i64.load offset=1 (local.get $p)))
      ${LENGTH}
      ${CHECK}
      ;; The digits stand between the mark and the end of the line.
      (local.set $at (i32.add (local.get $at) (i32.sub (i32.sub (local.get $p) (local.get $line)) (i32.const 3))))
      ${put(',')}
      (local.set $any (i32.or (local.get $any) (i32.lt_s (i32.const 0) (local.get $n))))
      ${SKIP}
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (br_if $lengths (local.get $i)))
    ${END_LIST}
    (if (local.get $any)
      (then
        ${storeText(',"value":[')}
        (local.set $p (local.get $from))
        (local.set $i (local.get $count))
        (loop $values
          ${LENGTH}
          (if (i32.lt_s (i32.const 0) (local.get $n))
            (then
              ${put('"')}
              (local.set $at (call $hex (local.get $at) (local.get $p) (local.get $n)))
              ${storeText('",')}))
          ${SKIP}
          (local.set $i (i32.sub (local.get $i) (i32.const 1)))
          (br_if $values (local.get $i)))
        ${END_LIST}))
    ${put('}')}
    (if (i32.ne (local.get $type) (i32.const ${DOLLAR}))
      (then
        ${aggregateKey(STAR, 'array')}
        ${aggregateKey(MAP, 'map')}
        ${aggregateKey(SET, 'set')}
        ${aggregateKey(PUSH, 'push')}
        (local.set $at (call $word (local.get $at) (local.get $length)))
        ${storeText(']}')}))
    (if (local.get $request) (then (return (call $answer (local.get $at) (local.get $request) (local.get $time)))))
    (local.get $at))

  (func $line (export "line")
    (param $at i32) (param $from i32) (param $end i32) (param $request i32) (param $time f64) (result i32)
    (local $type i32) (local $n i32) (local $i i32)
    (local.set $type (i32.load8_u (local.get $from)))
    (local.set $from (i32.add (local.get $from) (i32.const 1)))
    (local.set $n (i32.sub (i32.sub (local.get $end) (local.get $from)) (i32.const 2)))
    (if (i32.eq (local.get $type) (i32.const ${':'.charCodeAt(0)}))
      (then
        ;; Only what has neither a sign nor leading zeros is written as it stands.
        (if (i32.lt_u (i32.const 8) (i32.sub (local.get $n) (i32.const 1))) (then (return (i32.const 0))))
        (if (i32.and (i32.eq (i32.load8_u (local.get $from)) (i32.const 48)) (i32.lt_u (i32.const 1) (local.get $n)))
          (then (return (i32.const 0))))
        (loop $digits
          (if (i32.lt_u (i32.const 9) (i32.sub (i32.load8_u (i32.add (local.get $from) (local.get $i))) (i32.const 48)))
            (then (return (i32.const 0))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $digits (i32.lt_u (local.get $i) (local.get $n))))
        ${storeText(',"integer":[')}
        (v128.store (local.get $at) (v128.load (local.get $from)))
        (local.set $at (i32.add (local.get $at) (local.get $n))))
      (else
        (if (i32.eq (local.get $type) (i32.const ${'+'.charCodeAt(0)}))
          (then ${storeText(',"string":[')})
          (else ${storeText(',"error":[')}))
        (if (i32.lt_u (i32.const 256) (local.get $n)) (then (return (i32.const 0))))
        (local.set $at (call $quoted (local.get $at) (local.get $from) (local.get $n)))
        (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))))
    ${put(']')}
    (if (local.get $request) (then (return (call $answer (local.get $at) (local.get $request) (local.get $time)))))
    (local.get $at))
`;
