// Holds what `netlens redis --json` says against what the client of redis-client.py wrote down; exit 1 when they differ.
//   node bench/redis-compare.mjs LOG NETLENS-JSON
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

/** Seconds by which the latencies may differ. */
const CLOSE = 0.0005;

const [log, json] = process.argv.slice(2);
const connections = JSON.parse(readFileSync(log, 'utf8'));
const records = readFileSync(json, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
const coverage = records.pop();
const byPort = Map.groupBy?.(records, (r) => r.client_port) ?? grouped(records);

function grouped(list) {
  const found = new Map();
  for (const r of list) found.set(r.client_port, [...(found.get(r.client_port) ?? []), r]);
  return found;
}

let wrong = 0;
function differs(what, here, there) {
  if (wrong++ < 10) console.log(`${what}: client ${JSON.stringify(here)?.slice(0, 200)}, netlens ${JSON.stringify(there)?.slice(0, 200)}`);
}

let asked = 0;
let paired = 0;
for (const { port, version, pipelined, read_late: late, commands } of connections) {
  const seen = byPort.get(port) ?? [];
  const name = `RESP${version}, ${pipelined ? 'pipelined' : 'one at a time'}`;
  const apart = [];
  const byClock = [];
  if (seen.length !== commands.length) differs(`${name}: commands`, commands.length, seen.length);
  for (const [i, here] of commands.entries()) {
    asked++;
    const there = seen[i];
    if (there?.outcome !== 'answered') {
      differs(`${name}, command ${i}: outcome`, 'answered', there?.outcome);
      continue;
    }
    paired++;
    // What HELLO is answered with is netlens' to read, but in RESP3 already.
    const { type, value } = there.reply;
    for (const [what, a, b] of [
      ['command', here.command, there.command],
      ['key', here.key, there.key],
      ['arguments', here.arguments, there.arguments],
      ['protocol', here.command === 'HELLO' ? 2 : here.protocol, there.protocol],
      ['reply', here.reply, { type, value }],
    ])
      if (!isDeepStrictEqual(a, b)) differs(`${name}, command ${i}: ${what}`, a, b);
    apart.push(here.latency - there.latency);
    byClock.push(here.clock_latency - there.latency);
  }
  apart.sort((a, b) => a - b);
  const at = (share) => `${(apart[Math.min(apart.length - 1, Math.floor(share * apart.length))] * 1e6).toFixed(0)} µs`;
  const close = (list) => list.filter((d) => Math.abs(d) <= CLOSE).length;
  console.log(
    `${name}: ${commands.length} commands, ${late} of them answered over segments out of order; the client's latency is longer by ${at(0)} at least, ${at(0.5)} (median), ${at(0.99)} (p99), ${at(1)} at most; within 0.5 ms: ${close(apart)}, by its clock before send() ${close(byClock)}`,
  );
  // A packet is captured after the client has written it and before the client reads it.
  if (apart[0] < -0.0001) differs(`${name}: shortest by which the client's latency is longer`, 0, apart[0]);
}
console.log(`${paired} of ${asked} paired; ${wrong} differences; coverage ${JSON.stringify(coverage)}`);
process.exitCode = wrong === 0 && paired === asked ? 0 : 1;
