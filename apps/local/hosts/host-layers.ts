/** Stacks a host's root file system out of the base, what it has in common with others, and what is its own. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { runOnMachine } from './machine-command.ts';
import type { Vessel } from './vessel.ts';

/** What hosts of a kind have beside the base. */
export interface Layer {
  /** Tells it from the other layers of its fleet. */
  readonly name: string;
  /** One of the vessel's bases. */
  readonly base: string;
  /** By absolute path. */
  readonly files: Readonly<Record<string, string | Buffer>>;
  /** What is done once to a root with these files, by its own tools. */
  readonly setup?: LayerSetup;
}

export interface LayerSetup {
  /** For sh, run as root in that root, with the archives in `/mnt`. */
  readonly script: string;
  readonly words: readonly string[];
  readonly archives: readonly { readonly fileName: string; readonly content: Buffer }[];
}

const SETUP = `
set -eu
cd "/run/fleet/layer/$1"
mount -t overlay overlay -o "lowerdir=/run/base/$3,upperdir=$PWD/up,workdir=$PWD/work,$2" root
script=$4
shift 4
mount --rbind /dev root/dev
mount --rbind /proc root/proc
mount --bind archives root/mnt
chroot root sh -euc "$script" sh "$@" >&2
`;

const MOUNT = `
set -eu
cd "/run/fleet/hosts/$1"
mount -t overlay overlay -o "lowerdir=/run/fleet/layer/$3/up:/run/base/$4,upperdir=$PWD/up,workdir=$PWD/work,$2" root
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

export async function writeLayer(vessel: Vessel, { name, base, files, setup }: Layer): Promise<void> {
  const folder = join(vessel.inside, 'layer', name);
  for (const part of ['up', 'work', 'root', 'archives']) await mkdir(join(folder, part), { recursive: true });
  await place(join(folder, 'up'), files);
  if (!setup) return;
  for (const { fileName, content } of setup.archives)
    await writeFile(join(folder, 'archives', fileName), content);
  // Its mounts go with its namespace.
  const words = [name, overlayOptions(vessel), basename(base), setup.script, ...setup.words];
  await runInside(vessel, ['unshare', '--mount', 'sh', '-c', SETUP, 'sh', ...words]);
}

/** Makes the root file system of one host, mounted inside the vessel below `/run/fleet/hosts`. */
export async function writeHostFiles(
  vessel: Vessel,
  server: { id: string; name: string },
  layer: Layer,
): Promise<void> {
  const folder = join(vessel.inside, 'hosts', server.name);
  for (const name of ['up', 'work', 'root']) await mkdir(join(folder, name), { recursive: true });
  const machineId = createHash('sha256').update(server.id).digest('hex').slice(0, 32);
  await place(join(folder, 'up'), {
    '/etc/hostname': `${server.name}\n`,
    '/etc/machine-id': `${machineId}\n`,
  });
  const words = [server.name, overlayOptions(vessel), layer.name, basename(layer.base)];
  await runInside(vessel, ['sh', '-c', MOUNT, 'sh', ...words]);
}
