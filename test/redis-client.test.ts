/**
 * What `netlens redis` says against what a client wrote down that asked a real redis-server over a link that loses packets:
 * bench/redis-check.sh in small.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../bench/redis-check.sh', import.meta.url));
const COMMANDS = 2000;

/** Why the script cannot run here; undefined when it can. */
function missing(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root';
  const programs = ['redis-server', 'python3', 'tcpdump', 'nft', 'ip', 'ethtool'];
  const lacking = programs.filter((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0);
  if (lacking.length > 0) return `not installed: ${lacking.join(', ')}`;
  return spawnSync('unshare', ['--net', 'true']).status === 0 ? undefined : 'no right to make network namespaces';
}
const why = missing();

test.skipIf(why !== undefined)(
  `2000 random commands are told as the client knows them${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    const { status, stdout, stderr } = spawnSync('bash', [SCRIPT, String(COMMANDS), '2'], { encoding: 'utf8', timeout: 60_000 });
    expect(stdout, stderr).toMatch(/^\d+ segments, [1-9]\d* sent again, 0 octets missing/m);
    // HELLO 3 comes on top on two connections.
    const [, paired, asked, differences] = /^(\d+) of (\d+) paired; (\d+) differences/m.exec(stdout) ?? [];
    expect(Number(asked)).toBeGreaterThanOrEqual(COMMANDS);
    expect([paired, differences], stdout).toEqual([asked, '0']);
    const close = [...stdout.matchAll(/within 0\.5 ms: (\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
    // A busy machine may keep the client from reading what came out of order.
    expect(close / Number(asked)).toBeGreaterThan(0.95);
    expect(status).toBe(0);
  },
);
