/** Stacks a host's root file system out of the base, what its fleet has in common, and what is its own. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DebFile } from './deb-file.ts';
import { runOnMachine } from './machine-command.ts';
import type { Vessel } from './vessel.ts';

/** What all hosts of a fleet have beside the base. */
export interface Layer {
  /** By absolute path. */
  readonly files: Readonly<Record<string, string | Buffer>>;
  /** Installed by the base's own dpkg, scripts and all. */
  readonly packages: readonly DebFile[];
  /** Names of packages to mark as installed automatically. */
  readonly automatic: readonly string[];
  /** Names of packages that the operator of the hosts holds. */
  readonly held: readonly string[];
}

const INSTALL = `
set -eu
cd /run/fleet/layer
mount -t overlay overlay -o "lowerdir=/run/base,upperdir=$PWD/up,workdir=$PWD/work,$1" root
shift
mount --rbind /dev root/dev
mount --rbind /proc root/proc
mount --bind packages root/mnt
chroot root sh -c 'dpkg --force-unsafe-io --install /mnt/*.deb' >&2
for package in "$@"; do chroot root apt-mark -qq "\${package%%:*}" "\${package#*:}" >&2; done
`;

const MOUNT = `
set -eu
cd "/run/fleet/hosts/$1"
mount -t overlay overlay -o "lowerdir=/run/fleet/layer/up:/run/base,upperdir=$PWD/up,workdir=$PWD/work,$2" root
`;

// Nothing here outlives the run, so nothing needs to reach the disk.
const overlayOptions = (vessel: Vessel) => (vessel.how === 'rootless' ? 'volatile,userxattr' : 'volatile');

const runInside = (vessel: Vessel, words: readonly string[]) =>
  runOnMachine([...vessel.enter, ...words], {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
  });

async function place(root: string, files: Layer['files']): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

export async function writeLayer(vessel: Vessel, layer: Layer): Promise<void> {
  const folder = join(vessel.inside, 'layer');
  for (const name of ['up', 'work', 'root', 'packages']) await mkdir(join(folder, name), { recursive: true });
  await place(join(folder, 'up'), layer.files);
  if (layer.packages.length === 0) return;
  for (const deb of layer.packages) await writeFile(join(folder, 'packages', deb.fileName), deb.content);
  await runInside(vessel, [
    // Its mounts go with its namespace.
    ...['unshare', '--mount', 'sh', '-c', INSTALL, 'sh'],
    overlayOptions(vessel),
    ...layer.automatic.map((name) => `auto:${name}`),
    ...layer.held.map((name) => `hold:${name}`),
  ]);
}

/** Makes the root file system of one host, mounted inside the vessel below `/run/fleet/hosts`. */
export async function writeHostFiles(vessel: Vessel, server: { id: string; name: string }): Promise<void> {
  const folder = join(vessel.inside, 'hosts', server.name);
  for (const name of ['up', 'work', 'root']) await mkdir(join(folder, name), { recursive: true });
  const machineId = createHash('sha256').update(server.id).digest('hex').slice(0, 32);
  await place(join(folder, 'up'), {
    '/etc/hostname': `${server.name}\n`,
    '/etc/machine-id': `${machineId}\n`,
  });
  await runInside(vessel, ['sh', '-c', MOUNT, 'sh', server.name, overlayOptions(vessel)]);
}
