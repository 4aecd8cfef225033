import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, statSync, symlinkSync } from 'node:fs';

import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileFilter, listInterfaces, openLive } from '../../src/capture/live.js';
import { connect, disconnect, hasCap, hasLibpcap } from '../wire.js';
import { readFile, type Seen, scratch } from './octets.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const has = (command: string, ...args: string[]): boolean => spawnSync(command, args).error === undefined;
const canCapture =
  process.platform === 'linux' && process.getuid?.() === 0 && has('ip', '-V') && has('ping', '-V') && has('tcpdump', '--version');

/** Two hosts on a wire, and a capturing process at the second. */
const near = `nltest${process.pid}a`;
const far = `nltest${process.pid}b`;
const folder = scratch();
const children: ChildProcess[] = [];

function start(command: string, args: string[], options: { uid?: number; gid?: number } = {}): ChildProcess {
  const child = spawn('ip', ['netns', 'exec', far, command, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  children.push(child);
  return child;
}

/** Waits for words on a child's standard error, which is read on to the end: tcpdump says its first line in pieces, and goes when nobody takes one. */
async function until(child: ChildProcess, words: string): Promise<void> {
  let seen = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr!.on('data', (piece) => {
      seen += String(piece);
      if (seen.includes(words)) resolve();
    });
    child.once('close', () => reject(new Error(`ended without ${JSON.stringify(words)}: ${seen}`)));
  });
}

interface Outcome {
  count: number;
  stats: { received: number; dropped?: number };
  driver: string;
  warnings: string[];
  problems: unknown[];
  linkType: number;
  to: { user: number; group: number };
  threads: string[];
}

/** Captures while `traffic` runs; what the process said, and what it wrote. */
async function capture(
  job: { device: string; user?: string; options: object },
  traffic: () => Promise<void>,
): Promise<{ outcome: Outcome; seen: Seen[]; mode: number }> {
  const out = folder.path(`live-${children.length}.pcapng`);
  const child = start(process.execPath, [folder.path('live-child.mjs'), JSON.stringify({ ...job, out })]);
  const lines: string[] = [];
  let ready = (): void => {};
  const isReady = new Promise<void>((resolve) => {
    ready = resolve;
  });
  let errors = '';
  child.stderr!.on('data', (piece) => {
    errors += String(piece);
  });
  child.stdout!.on('data', (piece) => {
    lines.push(...String(piece).split('\n').filter(Boolean));
    ready();
  });
  await Promise.race([isReady, once(child, 'exit')]);
  await traffic();
  child.kill('SIGINT');
  if (child.exitCode === null) await once(child, 'close');
  const last = lines.at(-1);
  if (lines[0] !== 'ready' || last === undefined) throw new Error(`capture failed: ${lines.join(' ')} ${errors}`);
  const { seen } = await readFile(out);
  return { outcome: JSON.parse(last) as Outcome, seen, mode: statSync(out).mode & 0o777 };
}

/** Pings the capturing host from the other. */
async function ping(address: string, count: number, from = near): Promise<void> {
  await once(spawn('ip', ['netns', 'exec', from, 'ping', '-q', '-n', '-c', String(count), '-i', '0.02', address]), 'exit');
}

const isIcmp = (one: Seen): boolean => one.octets.slice(24, 28) === '0800' && one.octets.slice(46, 48) === '01';

describe.skipIf(!canCapture || !hasLibpcap)('a live capture', () => {
  beforeAll(async () => {
    connect(near, far);
    await build({
      entryPoints: [fileURLToPath(new URL('live-child.ts', import.meta.url))],
      outfile: folder.path('live-child.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['koffi', 'cap'],
      logLevel: 'error',
    });
    symlinkSync(`${repository}/node_modules`, folder.path('node_modules'));
    chmodSync(folder.path('.'), 0o755); // for the test without root
  });

  afterAll(() => {
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
    disconnect(near, far);
    folder[Symbol.dispose]();
  });

  it('sees what tcpdump sees, at the same times, without root', async () => {
    const reference = folder.path('tcpdump.pcap');
    const tcpdump = start('tcpdump', ['-i', 'far', '--immediate-mode', '-U', '--time-stamp-precision=nano', '-Z', 'root', '-w', reference]);
    await until(tcpdump, 'listening on');
    const { outcome, seen, mode } = await capture({ device: 'far', options: {} }, () => ping('192.0.2.2', 10));
    tcpdump.kill('SIGINT');
    await once(tcpdump, 'close');

    const wanted = (await readFile(reference)).seen.filter(isIcmp);
    const got = seen.filter(isIcmp);
    expect(wanted).toHaveLength(20);
    expect(got.map((one) => one.octets)).toEqual(wanted.map((one) => one.octets));
    const nanoseconds = (one: Seen): bigint => BigInt(one.time!.replace('.', ''));
    const apart = got.map((one, index) => Math.abs(Number(nanoseconds(one) - nanoseconds(wanted[index]!))));
    expect(Math.max(...apart)).toBeLessThan(1000);

    expect(outcome).toMatchObject({ driver: 'libpcap', linkType: 1, warnings: [], problems: [], count: seen.length });
    // A neighbour solicitation may come between the last packet that is read and the count.
    expect(outcome.stats.received).toBeGreaterThanOrEqual(outcome.count);
    expect(outcome.stats).toMatchObject({ dropped: 0, droppedByInterface: 0 });
    expect(new Set(seen.map((one) => one.interface))).toEqual(new Set(['far']));
    // Every thread, those of the pool too: another user, no capabilities.
    const { user, group } = outcome.to;
    expect(user).toBeGreaterThan(0);
    const four = (id: number): string => [id, id, id, id].join('\t');
    expect(outcome.threads).toEqual([`${four(user)} | ${four(group)} | ${group} | 0000000000000000 | 0000000000000000`]);
    expect(mode).toBe(0o600);
  });

  it('keeps to filter and snapshot length', async () => {
    const options = { filter: 'icmp[icmptype] == icmp-echo', snapLength: 50 };
    const { seen, outcome } = await capture({ device: 'far', user: 'nobody', options }, () => ping('192.0.2.2', 3));
    expect(seen.map((one) => [one.octets.length / 2, one.wire])).toEqual([
      [50, 98],
      [50, 98],
      [50, 98],
    ]);
    // The kernel counts what came before the filter was in place, too.
    expect(outcome.stats.received).toBeGreaterThanOrEqual(3);
  });

  it('captures on any as Linux cooked v2', async () => {
    const { seen, outcome } = await capture({ device: 'any', options: { filter: 'icmp' } }, async () => {
      await ping('192.0.2.2', 2);
      await ping('127.0.0.1', 2, far);
    });
    expect(outcome.linkType).toBe(276);
    // Protocol 0800 first, the interface's index at 4, IPv4 from 20 on.
    expect(seen.every((one) => one.octets.startsWith('0800') && one.octets.slice(40, 42) === '45')).toBe(true);
    expect(new Set(seen.map((one) => one.octets.slice(8, 16))).size).toBe(2);
  });

  it('can be stopped before anything came, and at once', async () => {
    const { seen, outcome } = await capture({ device: 'far', options: { filter: 'tcp' } }, async () => {});
    expect([seen, outcome.problems]).toEqual([[], []]);
  });

  it.skipIf(!hasCap)('works with the cap driver, times apart', async () => {
    const { seen, outcome } = await capture({ device: 'far', options: { driver: 'cap', filter: 'icmp' } }, () => ping('192.0.2.2', 10));
    expect(outcome).toMatchObject({ driver: 'cap', linkType: 1, count: 20 });
    expect(seen.filter(isIcmp)).toHaveLength(20);
    expect(Math.abs(Number(seen[0]!.time) - Date.now() / 1000)).toBeLessThan(10);
  });

  it('says what helps without permission', async () => {
    const args = [folder.path('live-child.mjs'), JSON.stringify({ device: 'lo', out: '/dev/null', options: {} })];
    const { stdout, status } = spawnSync(process.execPath, args, { uid: 65534, gid: 65534, encoding: 'utf8' });
    expect(JSON.parse(stdout)).toEqual({
      code: 'interface',
      message: 'lo: no permission: capturing needs CAP_NET_RAW: run `sudo netlens live lo`',
    });
    expect(status).toBe(4);
  });
});

describe.skipIf(!hasLibpcap)('libpcap', () => {
  it('lists interfaces with addresses and flags', async () => {
    const loopback = (await listInterfaces()).find((one) => one.flags.loopback)!;
    expect(loopback.flags.up).toBe(true);
    expect(loopback.addresses).toContainEqual({ family: 'IPv4', address: '127.0.0.1', prefixLength: 8 });
  });

  it('compiles a filter: load the type, compare, accept or refuse', async () => {
    expect(await compileFilter('arp', 1, 100)).toEqual([
      { code: 0x28, jt: 0, jf: 0, k: 12 },
      { code: 0x15, jt: 0, jf: 1, k: 0x0806 },
      { code: 0x06, jt: 0, jf: 0, k: 100 },
      { code: 0x06, jt: 0, jf: 0, k: 0 },
    ]);
    // Raw IP is 101 in files and 12 in libpcap: the version is in the first octet.
    expect((await compileFilter('ip', 101))[0]).toEqual({ code: 0x30, jt: 0, jf: 0, k: 0 });
  });

  it('passes on what is wrong with a filter', async () => {
    await expect(compileFilter('tcp prot 80', 1)).rejects.toMatchObject({
      code: 'usage',
      message: 'filter "tcp prot 80": can\'t parse filter expression: syntax error',
    });
    await expect(compileFilter('vlan and tcp', 0)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('no VLAN support'),
    });
  });

  it.skipIf(process.getuid?.() !== 0)('names the interfaces there are', async () => {
    await expect(openLive('nope\x1b0')).rejects.toMatchObject({
      code: 'interface',
      message: expect.stringMatching(/^nope\\x1b0: no such interface; there are .*\blo\b/),
    });
  });
});
