// A Redis client that writes down all that it asked and was told, to hold netlens' account against: random commands over
// RESP2 and RESP3, one at a time and pipelined, a connection each. It shares no code with netlens.
//   node bench/redis-client.mjs HOST PORT COMMANDS LOG [SEED]
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';

const [host, port, count, log, seed = '1'] = process.argv.slice(2);

/** Numbers that look random and are the same for the same seed (mulberry32). */
let state = Number(seed);
function random(below) {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % below;
}
const pick = (list) => list[random(list.length)];
const WORDS = ['ada', 'bob', '', 'two words', 'ünïcödé ✓', '$5\r\nhello', '*', '0', '-17', '3.25', 'x'.repeat(300), 'end\r\n'];
const key = (kind) => `${kind}:${random(20)}`;
const FIELDS = Array.from({ length: 12 }, (_, i) => `field${i}`);

/** Commands by what their key holds; the first argument is the key, where there is one. */
const COMMANDS = [
  () => ['SET', key('s'), pick(WORDS)],
  () => ['GET', key('s')],
  () => ['get', key('missing')],
  () => ['APPEND', key('a'), pick(['x', 'yz'])],
  () => ['GETRANGE', key('a'), '0', '40'],
  () => ['INCR', key('n')],
  () => ['IncrBy', key('n'), String(random(1000) - 500)],
  () => ['DEL', key('s')],
  () => ['EXISTS', key('n')],
  () => ['MSET', key('s'), pick(WORDS), key('s'), pick(WORDS)],
  () => ['MGET', key('s'), key('s'), key('missing')],
  () => ['HSET', key('h'), pick(FIELDS), pick(WORDS), pick(FIELDS), pick(WORDS)],
  () => ['HGET', key('h'), pick(FIELDS)],
  () => ['HGETALL', key('h')],
  () => ['HDEL', key('h'), pick(FIELDS)],
  () => ['RPUSH', key('l'), pick(WORDS), pick(WORDS)],
  () => ['LRANGE', key('l'), '0', '9'],
  () => ['LPOP', key('l')],
  () => ['SADD', key('set'), pick(FIELDS), pick(FIELDS)],
  () => ['SMEMBERS', key('set')],
  () => ['SISMEMBER', key('set'), pick(FIELDS)],
  () => ['ZADD', key('z'), String(random(1000) / 8), pick(FIELDS)],
  () => ['ZRANGE', key('z'), '0', '3', 'WITHSCORES'],
  () => ['ZSCORE', key('z'), pick(FIELDS)],
  () => ['TTL', key('s')],
  () => ['TYPE', pick(['s:1', 'h:1', 'none'])],
  // Errors: the wrong type, no such command, too few arguments.
  () => ['LPUSH', key('h'), 'x'],
  () => ['NOSUCHCOMMAND', 'x'],
  () => ['GET'],
  () => ['PING'],
  () => ['ECHO', pick(WORDS)],
];
// Of a command that nobody knows the first argument counts as the key.
const KEYLESS = new Set(['PING', 'ECHO', 'MULTI', 'EXEC', 'HELLO']);

/** The next commands that belong together: one, or a transaction. */
function next() {
  if (random(40) > 0) return [pick(COMMANDS)()];
  const inside = Array.from({ length: 1 + random(4) }, () => pick([COMMANDS[0], COMMANDS[1], COMMANDS[5], COMMANDS[22]])());
  return [['MULTI'], ...inside, ['EXEC']];
}

function encode(words) {
  const parts = [`*${words.length}\r\n`];
  for (const word of words) parts.push(`$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return Buffer.from(parts.join(''));
}

/** Reads one reply from `at` on; undefined while it is not whole. */
function decode(b, at) {
  const line = b.indexOf('\r\n', at);
  if (line < 0) return undefined;
  const text = b.toString('utf8', at + 1, line);
  const end = line + 2;
  const n = Number(text);
  switch (b[at]) {
    case 0x2b:
      return { type: 'string', value: text, end };
    case 0x2d:
      return { type: 'error', value: text, end };
    case 0x3a:
      return { type: 'integer', value: n, end };
    case 0x2c:
      return { type: 'double', value: Number.isFinite(n) ? n : text, end };
    case 0x23:
      return { type: 'boolean', value: text === 't', end };
    case 0x5f:
      return { type: 'null', value: null, end };
    case 0x24: {
      if (n < 0) return { type: 'null', value: null, end };
      if (b.length < end + n + 2) return undefined;
      return { type: 'bulk_string', value: b.toString('utf8', end, end + n), end: end + n + 2 };
    }
    case 0x2a:
    case 0x7e:
    case 0x25: {
      if (n < 0) return { type: 'null', value: null, end };
      const type = { 42: 'array', 126: 'set', 37: 'map' }[b[at]];
      const values = [];
      let from = end;
      for (let i = 0; i < (type === 'map' ? 2 * n : n); i++) {
        const inner = decode(b, from);
        if (inner === undefined) return undefined;
        values.push(inner.type === 'error' ? { error: inner.value } : inner.value);
        from = inner.end;
      }
      const value = type === 'map' ? Array.from({ length: n }, (_, i) => values.slice(2 * i, 2 * i + 2)) : values;
      return { type, value, end: from };
    }
    default:
      throw new Error(`a reply begins with octet ${b[at]}`);
  }
}

/** One connection that asks so many commands, at most `most` before it waits for their replies. */
async function talk(version, most, commands) {
  const socket = connect({ host, port: Number(port), noDelay: true });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const asked = [];
  let answered = 0;
  let rest = Buffer.alloc(0);
  /** When the octets of `rest` came, and where those begin that came then. */
  let arrivals = [];
  let wake;
  socket.on('data', (chunk) => {
    const now = process.hrtime.bigint();
    arrivals.push({ from: rest.length, now });
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (at < rest.length) {
      const reply = decode(rest, at);
      if (reply === undefined) break;
      const entry = asked[answered++];
      entry.reply = { type: reply.type, value: reply.value };
      entry.latency = Number(arrivals.findLast(({ from }) => from <= at).now - entry.sent) / 1e9;
      at = reply.end;
    }
    rest = rest.subarray(at);
    arrivals = rest.length === 0 ? [] : [{ from: 0, now: arrivals.findLast(({ from }) => from <= at).now }];
    if (answered === asked.length) wake?.();
  });
  const send = async (batch) => {
    const octets = Buffer.concat(batch.map(encode));
    const sent = process.hrtime.bigint();
    for (const words of batch) {
      const name = words[0].toUpperCase();
      const [, first] = words;
      asked.push({ sent, command: name, key: KEYLESS.has(name) ? undefined : first, arguments: words.slice(1), protocol: version });
    }
    const all = new Promise((resolve) => {
      wake = resolve;
    });
    socket.write(octets);
    await all;
  };
  if (version === 3) await send([['HELLO', '3']]);
  while (asked.length < commands) {
    const batch = next();
    const wanted = Math.min(1 + random(most), commands - asked.length);
    if (most === 1) for (const words of batch) await send([words]);
    else {
      while (batch.length < wanted) batch.push(...next());
      await send(batch);
    }
  }
  const { localPort } = socket;
  socket.end();
  await new Promise((resolve) => socket.once('close', resolve));
  for (const entry of asked) delete entry.sent;
  return { port: localPort, version, pipelined: most > 1, commands: asked };
}

const connections = [];
for (const version of [2, 3]) for (const most of [1, 40]) connections.push(await talk(version, most, Number(count) / 4));
writeFileSync(log, JSON.stringify(connections));
