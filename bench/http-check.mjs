// Compares nginx's access log with what `netlens http --json --save` told, for bench/http-check.sh.
//   node bench/http-check.mjs FOLDER     (access.log, http.json, bodies/, www/)
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const folder = process.argv[2];
const sum = (octets) => createHash('sha256').update(octets).digest('hex');
const linesOf = (name) => readFileSync(`${folder}/${name}`, 'utf8').trim().split('\n');

/** Requests of each connection in the order in which they were made, by the client's port; connections by their age. */
const logged = new Map();
for (const line of linesOf('access.log')) {
  const [connection, request, port, method, path, status, octets, version] = line.split('\t');
  const connections = logged.get(port) ?? new Map();
  logged.set(port, connections);
  const requests = connections.get(connection) ?? [];
  connections.set(connection, requests);
  requests.push({ request: Number(request), method, path, status: Number(status), octets: Number(octets), version });
}
const told = new Map();
let coverage;
for (const line of linesOf('http.json')) {
  const record = JSON.parse(line);
  if (record.type === 'http_coverage') coverage = record;
  if (record.type !== 'http') continue;
  const streams = told.get(String(record.client_port)) ?? new Map();
  told.set(String(record.client_port), streams);
  const list = streams.get(record.stream) ?? [];
  streams.set(record.stream, list);
  list.push(record);
}

const counts = { lines: 0, agree: 0, aborted: 0, differ: 0, bodies: 0, bodiesDiffer: 0, byVersion: {} };
const examples = [];
const differs = (what, log, record) => {
  counts.differ++;
  if (examples.length < 20) examples.push(`${what}: nginx ${JSON.stringify(log)}, netlens ${JSON.stringify(record)}`);
};
for (const [port, connections] of logged) {
  const streams = [...(told.get(port)?.values() ?? [])];
  const ordered = [...connections].sort(([a], [b]) => Number(a) - Number(b)).map(([, requests]) => requests);
  for (const [i, requests] of ordered.entries()) {
    requests.sort((a, b) => a.request - b.request);
    const records = streams[i] ?? [];
    for (const [k, log] of requests.entries()) {
      counts.lines++;
      const record = records[k];
      if (record === undefined) {
        differs('missing', log, record);
        continue;
      }
      const same = record.method === log.method && record.path === log.path;
      // The client left: nginx logs what it wrote, of which the rest never came. Nothing comes behind it, except side by side.
      const left = record.broken_off || record.status === undefined;
      if (left && log.version !== 'HTTP/2.0' && records.slice(k + 1).some((later) => later.status !== undefined)) {
        differs('no whole answer, but later ones', log, record);
        continue;
      }
      if (same && left && (record.status === undefined || (record.status === log.status && record.body_octets <= log.octets))) {
        counts.aborted++;
        continue;
      }
      if (!same || record.status !== log.status || record.body_octets !== log.octets) {
        differs(`port ${port} request ${k + 1} of ${requests.length}`, log, record);
        continue;
      }
      counts.agree++;
      counts.byVersion[log.version] = (counts.byVersion[log.version] ?? 0) + 1;
      if (record.status === 200 && record.method === 'GET' && log.octets > 0) {
        const file = readFileSync(`${folder}/www${log.path.split('?')[0]}`, { flag: 'r' });
        counts.bodies++;
        if (record.saved === undefined || sum(readFileSync(record.saved)) !== sum(file)) {
          counts.bodiesDiffer++;
          if (examples.length < 20) examples.push(`body of ${log.path}: ${JSON.stringify(record)}`);
        }
      }
    }
    if (records.length > requests.length) {
      const more = records.slice(requests.length).filter((record) => record.status !== undefined);
      for (const record of more) differs('not in the log', undefined, record);
    }
  }
}
for (const example of examples) console.log(example);
console.log(JSON.stringify({ ...counts, coverage }));
process.exitCode = counts.lines > 0 && counts.differ === 0 && counts.bodiesDiffer === 0 ? 0 : 1;
