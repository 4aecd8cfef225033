/** Conversations of HTTP and Redis as a bad network delivers them: segments swapped, repeated, widened, lost, cut by the snapshot length. */
import type { Talk } from './talk.js';

const number = (below: number, next: (below: number) => number): number => 1 + next(below);
/** Requests and responses, of all framings. */
const http = (next: (below: number) => number): [client: string, server: string] => {
  let client = '';
  let server = '';
  for (let i = 0; i < 40; i++) {
    const posted = next(3) === 0 ? 'p'.repeat(number(3000, next)) : '';
    client += `${posted === '' ? 'GET' : 'POST'} /${i} HTTP/1.1\r\nHost: h.example\r\n${posted === '' ? '' : `Content-Length: ${posted.length}\r\n`}\r\n${posted}`;
    const body = 'HTTP/1.1 b\r\n'.repeat(next(400));
    if (next(4) === 0)
      server += `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n${body === '' ? '' : '0\r\n\r\n'}`;
    else server += `HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  }
  return [client, `${server}HTTP/1.1 200 OK\r\n\r\n${'until the end '.repeat(200)}`];
};
/** Commands and replies. */
const redis = (next: (below: number) => number): [client: string, server: string] => {
  let client = '';
  let server = '';
  for (let i = 0; i < 200; i++) {
    const value = 'v\r\n'.repeat(next(next(8) === 0 ? 900 : 4));
    client += `*3\r\n$3\r\nSET\r\n$${String(i).length}\r\n${i}\r\n$${value.length}\r\n${value}\r\n`;
    server += ['+OK\r\n', `$${value.length}\r\n${value}\r\n`, '-ERR no\r\n', ':1\r\n', '*2\r\n$1\r\na\r\n*0\r\n', '_\r\n'][next(6)]!;
  }
  return [client, server];
};

/** A segment as {@link Talk.send} takes it. */
export type Sent = Parameters<Talk['send']>;

/** The segments of two conversations, one of either protocol, always the same for the same seed. With `altered`, some repeats bring other octets. */
export function roughTalks(seed: number, altered = false): { readonly port: number; readonly sent: readonly Sent[] }[] {
  return [
    { port: 80, sent: roughTalk(random(seed), http, altered) },
    { port: 6379, sent: roughTalk(random(seed), redis, altered) },
  ];
}

function roughTalk(next: (below: number) => number, make: typeof http, altered: boolean): Sent[] {
  const streams = make(next);
  const segments: [way: number, from: number, to: number, captured: number | undefined, isAltered?: boolean][] = [];
  for (let at = [0, 0]; at[0]! < streams[0].length || at[1]! < streams[1].length; ) {
    const i = at[0]! / streams[0].length <= at[1]! / streams[1].length ? 0 : 1;
    const to = Math.min(streams[i]!.length, at[i]! + number(next(3) === 0 ? 60 : 1400, next));
    segments.push([i, at[i]!, to, next(60) === 0 ? next(to - at[i]!) : undefined]);
    at = at.with(i, to);
  }
  // Swap some, repeat and widen some, lose some.
  for (let i = 0; i + 3 < segments.length; i++) if (next(9) === 0) segments.splice(i, 2, segments[i + 1]!, segments[i]!);
  for (let i = segments.length - 1; i > 0; i--) {
    const [to, from, end] = segments[i]!;
    if (next(9) === 0)
      segments.splice(altered ? i + 1 : i, 0, [to, Math.max(0, from - next(400)), end, undefined, altered && next(2) === 0]);
    else if (next(40) === 0) segments.splice(i, 1);
  }
  const have = [0, 0];
  const way = (i: number) => (i === 0 ? 'client' : 'server');
  const sent: Sent[] = segments.map(([i, from, to, captured, isAltered]) => {
    have[i] = Math.max(have[i]!, to);
    const payload = streams[i]!.slice(from, to);
    const changed = isAltered ? payload.replace(/.$/s, '~') : payload;
    return ['PA', way(i), from, changed, Math.max(0, have[1 - i]! - next(2) * 500), captured];
  });
  for (const i of [0, 1]) sent.push(['FA', way(i), streams[i]!.length, '', have[1 - i]!, undefined]);
  return sent;
}

/** Numbers from 0 to below the argument, always the same for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed * 2654435761;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
