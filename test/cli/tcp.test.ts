/** `netlens tcp` and `netlens follow`, as a shell runs them. */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'netlens-tcp-'));
afterAll(() => rmSync(folder, { recursive: true }));

function netlens(command: string, env: NodeJS.ProcessEnv = {}): { status: number | null; out: string; octets: Buffer; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'dist/netlens.js'), ...command.split(' ')], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: folder, LC_ALL: 'C.UTF-8', ...env },
  });
  return { status, out: stdout.toString(), octets: stdout, said: stderr.toString() };
}
const lines = (text: string): string[] => text.trimEnd().split('\n');
const records = (text: string) => lines(text).map((line) => JSON.parse(line) as Record<string, unknown>);

describe('netlens tcp', () => {
  it('lists conversations and ends with what there was to see', () => {
    const { status, out } = netlens('tcp fixtures/reset.pcap');
    expect(status).toBe(0);
    const [head, ...rest] = lines(out);
    expect(head).toMatch(/^# {2}client .* how it went$/);
    expect(rest.slice(0, -1).map((line) => line.replace(/.* {2}/, ''))).toEqual([
      expect.stringMatching(/^reset by client after data in #\d+$/),
      expect.stringMatching(/^reset by server after data in #\d+$/),
      expect.stringMatching(/^reset by client after data in #\d+$/),
    ]);
    expect(rest.at(-1)).toMatch(/^3 conversations, \d+ segments · seen whole 3 · 0 frames cut short · drops by the kernel not recorded$/);
  });

  it.skipIf(!existsSync('/dev/full'))('says so when there is no room for what it prints', () => {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'dist/netlens.js'), 'tcp', 'fixtures/http.pcap'], {
      cwd: root,
      stdio: ['ignore', full, 'pipe'],
    });
    closeSync(full);
    expect(status).toBe(2);
    expect(stderr.toString()).toMatch(/^netlens: what netlens prints could not be written: ENOSPC: .*\n$/);
  });

  it('sorts, and takes the first of that order', () => {
    const { out } = netlens('tcp fixtures/http.pcap --json --sort received --top 2');
    const [first, second, coverage] = records(out);
    expect((first!.server as { bytes: number }).bytes).toBeGreaterThan((second!.server as { bytes: number }).bytes);
    expect(coverage).toMatchObject({ type: 'tcp_coverage', conversations: 5 });
  });

  it('chooses conversations of which a frame matches a display filter', () => {
    const { out } = netlens('tcp fixtures/http.pcap --json -Y http.response.code==301');
    const chosen = records(out).slice(0, -1);
    expect(chosen.length).toBe(1);
    expect(chosen[0]).toMatchObject({ type: 'tcp', community_id: expect.stringMatching(/^1:.{27}=$/) });
  });

  it('draws in ASCII where the locale has nothing else', () => {
    const { out } = netlens('tcp fixtures/lost.pcap --stream 0', { LC_ALL: 'C' });
    expect(out).toMatch(/^[\x20-\x7e\n]*$/);
    expect(out).toContain('|-- SYN 0');
    expect(out).toMatch(/-X +\| {2}lost/);
  });

  it('says which conversations there are when there is no such one', () => {
    expect(netlens('tcp fixtures/redis.pcap --stream 99')).toMatchObject({
      status: 2,
      said: 'netlens: --stream 99: no such conversation; the capture has 11, numbered from 0 to 10\n',
    });
    expect(netlens('tcp').status).toBe(2);
  });
});

describe('netlens follow', () => {
  const file = 'x'.repeat(20_000);

  it('gives the octets of one side as they were sent', () => {
    const big = records(netlens('tcp fixtures/http.pcap --json --sort received --top 1').out)[0]!;
    const { octets } = netlens(`follow fixtures/http.pcap --raw --side server --stream ${big.stream}`);
    expect(octets.subarray(octets.indexOf('\r\n\r\n') + 4).toString()).toBe(file);
    const prefix = join(folder, 'both');
    expect(netlens(`follow fixtures/http.pcap --raw -w ${prefix} --stream ${big.stream}`)).toMatchObject({ status: 0, out: '' });
    expect(readFileSync(`${prefix}.server`).equals(octets)).toBe(true);
    expect(readFileSync(`${prefix}.client`, 'latin1')).toMatch(/^GET \/x\.txt HTTP\/1\.1\r\n/);
  });

  it('puts overtaken segments in order and leaves repeats out', () => {
    const { out } = netlens('follow fixtures/reorder.pcap --raw --side client --stream 0');
    expect(out).toBe([...'ABCDEFGH'].map((letter) => letter.repeat(100)).join(''));
  });

  it('finds a conversation by its endpoints and says that there are more', () => {
    const { out, said } = netlens('follow fixtures/redis.pcap --address 10.99.2.2:6379 --messages');
    expect(lines(out)[0]).toMatch(/^→ \d\.\d{6} {2}#4 {2}RESP {2}SET user:1 "ada"$/);
    expect(said).toContain('this is conversation 0; 10 more fit');
  });

  it('tells both versions of octets that came twice and differ', () => {
    expect(netlens('follow fixtures/overlap.pcap --stream 0').out).toContain('first "alice", then "carol"');
  });

  it.each([
    ['follow fixtures/redis.pcap', 'which conversation?'],
    ['follow fixtures/redis.pcap --stream 0 --raw', '--raw needs --side'],
    ['follow fixtures/redis.pcap --stream 0 --raw --hex', 'only one of'],
    ['follow fixtures/redis.pcap --address 10.0.0.300:1', 'ADDRESS:PORT expected'],
    ['follow fixtures/redis.pcap --stream 99', 'no such conversation'],
  ])('%s: says what is wrong', (command, words) => {
    const { status, said } = netlens(command);
    expect(status).toBe(2);
    expect(said).toContain(words);
  });
});
