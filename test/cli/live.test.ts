/** `netlens live` as root runs it, on a wire between two namespaces: what it sees, how it ends, what it says. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, disconnect, hasCap, hasLibpcap } from '../wire.js';

const program = fileURLToPath(new URL('../../dist/netlens.js', import.meta.url));
const has = (command: string): boolean => spawnSync(command, ['--version']).error === undefined;
const isReady = process.platform === 'linux' && process.getuid?.() === 0 && ['ip', 'ping', 'curl', 'tcpdump'].every(has);

const near = `nlcli${process.pid}a`;
const far = `nlcli${process.pid}b`;
const folder = mkdtempSync(join(tmpdir(), 'netlens-live-'));
const children: ChildProcess[] = [];

interface Running {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly said: () => string;
  /** Its exit status, once it has ended. */
  readonly ended: Promise<number | null>;
}

function start(namespace: string, command: string, args: readonly string[]): Running {
  const child = spawn('ip', ['netns', 'exec', namespace, command, ...args], { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
  children.push(child);
  let out = '';
  let said = '';
  child.stdout.on('data', (piece) => {
    out += String(piece);
  });
  child.stderr.on('data', (piece) => {
    said += String(piece);
  });
  return { child, out: () => out, said: () => said, ended: once(child, 'close').then(([status]) => status as number | null) };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 20) {
    if (holds()) return;
    await sleep(20);
  }
  throw new Error(`waited in vain until ${what}`);
}

const statusOf = (pid: number): string => readFileSync(`/proc/${pid}/status`, 'utf8');
const lineOf = (status: string, key: string): string => new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';

/** A running capture: the interface is open once root was given up. `ip netns exec` has become the program by then. */
const live = (...args: string[]): Promise<Running> => capturing('live', 'far', ...args);

async function capturing(...args: string[]): Promise<Running> {
  const running = start(far, process.execPath, [program, ...args]);
  await until('root is given up', () => running.child.exitCode !== null || !/^0\b/.test(lineOf(statusOf(running.child.pid!), 'Uid')));
  return running;
}

/** Traffic in both directions: a ping and a page. */
async function talk(): Promise<void> {
  await start(near, 'ping', ['-q', '-n', '-c', '5', '-i', '0.05', '192.0.2.2']).ended;
  expect(await start(near, 'curl', ['-s', '-o', '/dev/null', 'http://192.0.2.2:8080/']).ended).toBe(0);
  await sleep(300);
}

const COLUMNS = ['frame.time_epoch', 'frame.len', 'ip.src', 'ip.id', 'tcp.flags', 'icmp.seq'].flatMap((name) => ['-e', name]);
const rows = (text: string): string[][] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));

describe.skipIf(!isReady || !hasLibpcap)('netlens live', { timeout: 60_000 }, () => {
  beforeAll(async () => {
    chmodSync(folder, 0o755);
    connect(near, far);
    // As long as any socket asks for times, as ping's does, the kernel stamps a packet once for all who capture it.
    start(far, 'ping', ['-q', '-n', '-i', '0.5', '127.0.0.1']);
    const page = "require('http').createServer((_, answer) => answer.end('x'.repeat(20000))).listen(8080, () => console.log('up'))";
    const server = start(far, process.execPath, ['-e', page]);
    await until('the server listens', () => server.out().includes('up'));
  });

  afterAll(() => {
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
    disconnect(near, far);
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['libpcap', 0.000001],
    ['cap', 5],
  ] as const)('sees with %s every packet that tcpdump sees, both ways', async (driver, apart) => {
    if (driver === 'cap' && !hasCap) return;
    const reference = join(folder, `${driver}.pcap`);
    const tcpdump = start(far, 'tcpdump', [
      '-i',
      'far',
      '--immediate-mode',
      '-U',
      '--time-stamp-precision=nano',
      '-Z',
      'root',
      '-w',
      reference,
      'ip',
    ]);
    await until('tcpdump listens', () => tcpdump.said().includes('listening on'));
    const running = await live('--driver', driver, '-f', 'ip', ...COLUMNS);
    await talk();
    // A connection's last segments may come late; both are stopped when they have the same number of packets.
    const referenced = () => rows(execFileSync(process.execPath, [program, 'read', reference, ...COLUMNS], { encoding: 'utf8' })).length;
    await until('both have seen all', () => rows(running.out()).length === referenced());
    running.child.kill('SIGINT');
    tcpdump.child.kill('SIGINT');
    expect(await running.ended).toBe(0);
    await tcpdump.ended;

    const seen = rows(running.out());
    const wanted = rows(execFileSync(process.execPath, [program, 'read', reference, ...COLUMNS], { encoding: 'utf8' }));
    expect(seen.map((row) => row.slice(1))).toEqual(wanted.map((row) => row.slice(1)));
    expect(seen.length).toBeGreaterThan(20);
    expect(new Set(seen.map((row) => row[2]))).toEqual(new Set(['192.0.2.1', '192.0.2.2']));
    const between = (a: string, b: string): number => {
      const nanoseconds = (text: string) => BigInt(text.replace('.', ''));
      return Math.abs(Number(nanoseconds(a) - nanoseconds(b))) / 1e9;
    };
    const differences = seen.map((row, index) => ({ row, difference: between(row[0]!, wanted[index]![0]!) }));
    // A TCP segment that comes over a veth pair carries its sender's pacing time instead of a stamp, so that each capture
    // gets the time at which its own copy was made: two tcpdumps differ there, too.
    const isStamped = (row: readonly string[]): boolean => row[2] === '192.0.2.2' || row[5] !== '';
    // The kernel begins to stamp packets for all a moment after the first capture was opened; until then each capture takes
    // the time for itself, too. So one packet may be further apart, all others may not.
    const distant = differences.filter(({ row, difference }) => isStamped(row) && difference >= apart);
    expect(distant.length).toBeLessThanOrEqual(1);
    expect(Math.max(...differences.map(({ difference }) => difference))).toBeLessThan(driver === 'cap' ? apart : 0.001);
    const [, captured, received] = /(\d+) captured, (\d+) received, (?:0 )?dropped/.exec(running.said())!.map(Number);
    expect(captured).toBe(seen.length);
    // A packet that comes while the counters are asked for is received, and nobody's any more.
    expect(received! - captured!).toBeOneOf([0, 1, 2]);
  });

  it('lists exchanges as they end; Ctrl-C sums them up', async () => {
    const [ping, http] = await Promise.all([capturing('ping', '-i', 'far'), capturing('http', '-i', 'far', '--json')]);
    await talk();
    await until('each ping and the request are listed', () => ping.out().split('\n').length > 6 && http.out().includes('"path":"/"'));
    for (const { child } of [ping, http]) child.kill('SIGINT');
    expect(await Promise.all([ping.ended, http.ended])).toEqual([0, 0]);
    const [row] = ping
      .out()
      .split('\n')
      .filter((line) => line.includes('echo 1,'));
    expect(row).toMatch(/192\.0\.2\.1 +192\.0\.2\.2 +echo 1, 56 B +reply, ttl 64 /);
    expect(ping.out()).toMatch(
      /\n192\.0\.2\.2 +5 +5 +0 +0 % .*\n5 requests: 5 answered, .* 0 frames cut short · 0 dropped by the kernel\n$/,
    );
    expect(ping.said()).toMatch(/\d+ captured, \d+ received, 0 dropped by the kernel/);
    const records = rows(http.out()).map(([line]) => JSON.parse(line!) as Record<string, unknown>);
    expect(records).toMatchObject([
      { type: 'http', status: 200, body_octets: 20000 },
      { type: 'http_coverage', answered: 1, holes: 0, dropped_by_kernel: 0 },
    ]);
  });

  it('ends quietly when nobody reads the list any more', async () => {
    const ping = await capturing('ping', '-i', 'far');
    ping.child.stdout!.destroy();
    await talk();
    expect(await ping.ended).toBe(0);
    expect(ping.said()).toBe('');
  });

  it('has no root, and no capabilities, while it reads packets', async () => {
    const running = await live('-q');
    const status = statusOf(running.child.pid!);
    for (const key of ['Uid', 'Gid']) expect(lineOf(status, key)).toMatch(/^([1-9]\d*)\t\1\t\1\t\1$/);
    for (const key of ['CapPrm', 'CapEff', 'CapInh', 'CapAmb']) expect(lineOf(status, key)).toMatch(/^0+$/);
    running.child.kill('SIGTERM');
    expect(await running.ended).toBe(0);
    expect(running.said()).toMatch(/netlens: \d+ captured, \d+ received, 0 dropped by the kernel\n$/);
  });

  it('shows each line at once, and its counters on SIGUSR1', async () => {
    const running = await live('-f', 'icmp');
    await start(near, 'ping', ['-q', '-n', '-c', '2', '-i', '0.05', '192.0.2.2']).ended;
    await until('four lines are there', () => running.out().split('\n').length > 4);
    running.child.kill('SIGUSR1');
    await until('counters are there', () => running.said().includes('4 captured, 4 received, 0 dropped by the kernel'));
    expect(running.child.exitCode).toBe(null);
    running.child.kill('SIGINT');
    expect(await running.ended).toBe(0);
    expect(running.said().match(/4 captured/g)).toHaveLength(2);
  });

  it('ends by itself after --duration, and after -c frames', async () => {
    const before = performance.now();
    const timed = await live('--duration', '500ms', '-q');
    expect(await timed.ended).toBe(0);
    expect(performance.now() - before).toBeGreaterThan(500);
    const counted = await live('-f', 'icmp', '-c', '3', '-e', 'icmp.type');
    await start(near, 'ping', ['-q', '-n', '-c', '4', '-i', '0.05', '192.0.2.2']).ended;
    expect(await counted.ended).toBe(0);
    expect(counted.out()).toBe('8\n0\n8\n');
  });

  it('writes what it captured, and nothing else, to standard output with -w -', async () => {
    const running = start(far, 'bash', [
      '-c',
      `'${process.execPath}' '${program}' live far -f icmp -c 4 -w - > '${join(folder, 'out.pcapng')}'`,
    ]);
    await sleep(1500);
    await start(near, 'ping', ['-q', '-n', '-c', '2', '-i', '0.05', '192.0.2.2']).ended;
    expect(await running.ended).toBe(0);
    const read = execFileSync(
      process.execPath,
      [program, 'read', join(folder, 'out.pcapng'), '-e', 'frame.interface_name', '-e', 'icmp.type'],
      { encoding: 'utf8' },
    );
    expect(read).toBe('far\t8\nfar\t0\nfar\t8\nfar\t0\n');
  });
});
