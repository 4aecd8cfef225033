/** Giving up root for good: capturing needs it, dissecting what strangers sent must not have it. */
import { readdirSync, readFileSync } from 'node:fs';
import { NetlensError } from '../core/errors.js';

/** Who the process is after root was given up. */
export interface DroppedTo {
  readonly user: number;
  readonly group: number;
}

/**
 * Gives up root for good, in all threads: to `user` (a name or a number), else to whoever called sudo, else to `nobody`.
 * To be called once devices and output files are open and before the first frame is read. Does nothing, and returns
 * undefined, if the process is not root or the system has no users.
 * @throws NetlensError `usage` for an unknown user, `interface` if root could be had again
 */
export function dropPrivileges(user?: string): DroppedTo | undefined {
  const { getuid, geteuid, setgid, setgroups, setuid } = process;
  if (!getuid || !geteuid || !setgid || !setgroups || !setuid) return undefined;
  if (getuid() !== 0 && geteuid() !== 0) {
    if (user !== undefined) throw new NetlensError('usage', '--user: only root can become another user');
    return undefined;
  }
  const to = target(user);
  if (to.user === 0) throw new NetlensError('usage', '--user: root is what is to be given up');
  setgroups([to.group]);
  setgid(to.group);
  // From 0 to another number sets the real, effective and saved id, and the kernel takes all capabilities with them.
  setuid(to.user);
  verify(to);
  return to;
}

function target(user: string | undefined): DroppedTo {
  if (user !== undefined) {
    const found = /^\d+$/.test(user) ? account((_, number) => number === Number(user)) : account((name) => name === user);
    if (found) return found;
    if (/^\d+$/.test(user)) return { user: Number(user), group: Number(user) };
    throw new NetlensError('usage', `--user ${JSON.stringify(user)}: no such user`);
  }
  const { SUDO_UID, SUDO_GID } = process.env;
  if (SUDO_UID && SUDO_GID && /^\d+$/.test(SUDO_UID) && /^\d+$/.test(SUDO_GID) && SUDO_UID !== '0') {
    return { user: Number(SUDO_UID), group: Number(SUDO_GID) };
  }
  return account((name) => name === 'nobody') ?? { user: 65534, group: 65534 };
}

/** Looks into /etc/passwd, which Node has no call for. `name:password:user:group:...` */
function account(matches: (name: string, user: number) => boolean): DroppedTo | undefined {
  let lines: string[];
  try {
    lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  } catch {
    return undefined;
  }
  for (const line of lines) {
    const [name, , user, group] = line.split(':');
    if (name === undefined || !user || !group || !matches(name, Number(user))) continue;
    return { user: Number(user), group: Number(group) };
  }
  return undefined;
}

/** Makes sure of it: no way back, and no thread left behind. */
function verify(to: DroppedTo): void {
  let isBack = true;
  try {
    process.setuid!(0);
  } catch {
    isBack = false;
  }
  if (isBack) throw new NetlensError('interface', 'root could not be given up: the system gives it back');
  if (process.platform !== 'linux') return;
  for (const thread of readdirSync('/proc/self/task')) {
    let status: string;
    try {
      status = readFileSync(`/proc/self/task/${thread}/status`, 'utf8');
    } catch {
      continue; // ended meanwhile
    }
    const users = /^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$/m.exec(status)?.slice(1) ?? [];
    const isOther = users.some((one) => Number(one) !== to.user);
    const capabilities = /^Cap(?:Prm|Eff|Amb):\t0*[1-9a-f]/m.test(status);
    if (isOther || capabilities) throw new NetlensError('interface', `root could not be given up in thread ${thread}`);
  }
}
