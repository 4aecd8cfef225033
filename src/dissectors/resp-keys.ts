/** Which argument of a Redis command is its key: mostly the first; https://redis.io/docs/latest/develop/reference/key-specs/ */

/** The command has no key. */
export const NO_KEY = 0;

const KEYLESS =
  /^(ACL|ASKING|AUTH|BGREWRITEAOF|BGSAVE|CLIENT|CLUSTER|COMMAND|CONFIG|DBSIZE|DISCARD|ECHO|EXEC|FAILOVER|FLUSHALL|FLUSHDB|FUNCTION|HELLO|INFO|KEYS|LASTSAVE|LATENCY|LOLWUT|MODULE|MONITOR|MULTI|PING|PSUBSCRIBE|PSYNC|PUBLISH|PUBSUB|PUNSUBSCRIBE|QUIT|RANDOMKEY|READONLY|READWRITE|REPLCONF|REPLICAOF|RESET|ROLE|SAVE|SCAN|SCRIPT|SELECT|SENTINEL|SHUTDOWN|SLAVEOF|SLOWLOG|SUBSCRIBE|SPUBLISH|SSUBSCRIBE|SUNSUBSCRIBE|SWAPDB|SYNC|TIME|UNSUBSCRIBE|UNWATCH|WAIT|WAITAOF)$/;

/** Commands whose first key stands elsewhere than in front. */
const ELSEWHERE = new Map<string, number>([
  ...['BITOP', 'DEBUG', 'MEMORY', 'OBJECT', 'XGROUP', 'XINFO'].map((name) => [name, 2] as const),
  // Behind how many there are.
  ...['LMPOP', 'SINTERCARD', 'ZDIFF', 'ZINTER', 'ZINTERCARD', 'ZMPOP', 'ZUNION'].map((name) => [name, 2] as const),
  ...['BLMPOP', 'BZMPOP'].map((name) => [name, 3] as const),
  ...['EVAL', 'EVALSHA', 'EVALSHA_RO', 'EVAL_RO', 'FCALL', 'FCALL_RO', 'MIGRATE'].map((name) => [name, 3] as const),
  // Behind a word, which may stand before this place.
  ['XREAD', 2],
  ['XREADGROUP', 5],
]);

/** Options that are looked through for the word before the key. */
const MOST_OPTIONS = 16;

/** Which argument of a command is its first key, 0 being the name, in capitals: {@link NO_KEY}, 1, or where {@link keyAmong} has to look. */
export const keyOf = (name: string): number => (KEYLESS.test(name) ? NO_KEY : (ELSEWHERE.get(name) ?? 1));

/** The same by the arguments, of which there are so many; `place` is what {@link keyOf} said. */
export function keyAmong(name: string, place: number, count: number, argument: (i: number) => string): number {
  switch (name) {
    case 'MEMORY':
      return /^usage$/i.test(argument(1)) ? place : NO_KEY;
    case 'DEBUG':
      return /^object$/i.test(argument(1)) ? place : NO_KEY;
    case 'XREAD':
    case 'XREADGROUP':
      return behind(/^streams$/i, place - 1, count, argument);
    case 'MIGRATE':
      // An empty key says that several follow behind KEYS.
      return argument(place) === '' ? behind(/^keys$/i, place + 3, count, argument) : place;
    case 'EVAL':
    case 'EVALSHA':
    case 'EVAL_RO':
    case 'EVALSHA_RO':
    case 'FCALL':
    case 'FCALL_RO':
      return Number(argument(2)) > 0 ? place : NO_KEY;
    default:
      return place;
  }
}

function behind(word: RegExp, from: number, count: number, argument: (i: number) => string): number {
  for (let i = from; i < count && i < MOST_OPTIONS; i++) if (word.test(argument(i))) return i + 1;
  return NO_KEY;
}
