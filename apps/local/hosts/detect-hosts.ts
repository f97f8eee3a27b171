/** Finds out which kinds of real hosts this machine can run, and says why where it cannot. */
import { accessSync, constants } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from './base-cache.ts';
import { cgroupRefusal, findCgroupRoot } from './cgroup.ts';
import { findDebianMirror } from './machine-apt.ts';
import { runOnMachine } from './machine-command.ts';
import type { How } from './vessel.ts';

export type Availability =
  | { readonly available: true; readonly how: How; readonly reason: string }
  | { readonly available: false; readonly reason: string };

export interface HostKinds {
  readonly sandbox: Availability;
  readonly debian: Availability;
}

const TOOLS = ['apt-get', 'dpkg-deb', 'flock', 'mount', 'nsenter', 'pivot_root', 'setpriv', 'tar', 'unshare'];

/** All that a vessel needs and a machine may refuse, in namespaces that end with it. */
const PROBE = `
set -eu
PATH=$PATH:/usr/sbin:/sbin
mount --make-rprivate /
mkdir -p "$1"
sh "$3" "$1" "$2" || { mount -t tmpfs tmpfs "$1" && sh "$3" "$1" "$2"; } || { echo 'cannot mount overlays' >&2; exit 1; }
mount -t tmpfs tmpfs "$1"
mount -t proc proc "$1"
mount -t sysfs sysfs "$1"
! command -v ip >/dev/null || ip link add probe0 type veth peer name probe1
`;

function missingTools(): string[] {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  return TOOLS.filter((tool) => !folders.some((folder) => isExecutable(join(folder, tool))));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Why hosts of this kind cannot run here; undefined where they can. */
async function refusal(how: How, cache: string): Promise<string | undefined> {
  if (how === 'booted') {
    if (process.getuid?.() !== 0) return 'not root';
    const cgroups = await findCgroupRoot();
    if (!cgroups) return 'the unified control group tree is not mounted';
    const refused = await cgroupRefusal(cgroups);
    if (refused) return refused;
  }
  const user = how === 'rootless' ? ['--user', '--map-root-user'] : [];
  const namespaces = ['--mount', '--pid', '--net', '--uts', '--ipc', '--fork', '--kill-child'];
  const script = join(import.meta.dirname, 'probe-overlay.sh');
  const probe = join(cache, `probe-${process.pid}`);
  try {
    await runOnMachine(['unshare', ...user, ...namespaces, 'sh', '-c', PROBE, 'sh', probe, how, script]);
    return undefined;
  } catch (error) {
    return `namespaces are refused (${(error as Error).message.replace(/^.*ended with/s, 'ended with')})`;
  } finally {
    await runOnMachine(['rm', '-rf', '--', probe]);
  }
}

export async function detectHosts(cache: string = cacheFolder()): Promise<HostKinds> {
  const none = (reason: string): HostKinds => ({
    sandbox: { available: false, reason },
    debian: { available: false, reason },
  });
  if (process.platform !== 'linux') return none(`real hosts need Linux, this is ${process.platform}`);
  const missing = missingTools();
  if (missing.length > 0) return none(`programs are missing on this machine: ${missing.join(', ')}`);
  const mirror = await findDebianMirror();
  if ('reason' in mirror) return none(mirror.reason);
  try {
    await mkdir(cache, { recursive: true });
  } catch (error) {
    return none(`cannot make the cache folder (${(error as Error).message}): set XDG_CACHE_HOME`);
  }

  const notBooted = await refusal('booted', cache);
  if (!notBooted) {
    const reason = 'root, and systemd boots in a control group of its own';
    return {
      sandbox: { available: true, how: 'booted', reason },
      debian: mirror.security
        ? { available: true, how: 'booted', reason }
        : { available: false, reason: "the apt of this machine knows no mirror of Debian's security suite" },
    };
  }
  const notRootless = await refusal('rootless', cache);
  const debian = { available: false, reason: `needs root to install real packages: ${notBooted}` } as const;
  if (notRootless)
    return {
      sandbox: {
        available: false,
        reason: `no booted hosts: ${notBooted}; no rootless hosts: ${notRootless}`,
      },
      debian,
    };
  const reason = `user namespaces, without systemd (no booted hosts: ${notBooted})`;
  return { sandbox: { available: true, how: 'rootless', reason }, debian };
}
