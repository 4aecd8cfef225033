/** Two hosts on a wire, made of network namespaces, and what of live capture this machine can do. For tests that run as root. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { compileFilter } from '../src/capture/live.js';

export const hasLibpcap = await compileFilter('ip', 1).then(
  () => true,
  () => false,
);

export const hasCap = ((): boolean => {
  try {
    createRequire(import.meta.url)('cap');
    return true;
  } catch {
    return false;
  }
})();

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' });
}

/** Makes the namespaces: `near` has 192.0.2.1 on the device near, `far` 192.0.2.2 on the device far, and a loopback. */
export function connect(near: string, far: string): void {
  ip('netns', 'add', near);
  ip('netns', 'add', far);
  ip('link', 'add', 'near', 'netns', near, 'type', 'veth', 'peer', 'name', 'far', 'netns', far);
  for (const [namespace, device, address] of [
    [near, 'near', '192.0.2.1/24'],
    [far, 'far', '192.0.2.2/24'],
  ] as const) {
    ip('-n', namespace, 'addr', 'add', address, 'dev', device);
    ip('-n', namespace, 'link', 'set', device, 'up');
  }
  ip('-n', far, 'link', 'set', 'lo', 'up');
}

/** Takes the namespaces away, and the wire with them. */
export function disconnect(...namespaces: string[]): void {
  for (const namespace of namespaces) spawnSync('ip', ['netns', 'del', namespace]);
}
