/** Builds a real Debian: bookworm as first released to its mirrors' main suite, installed by its own dpkg. */
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, cacheFolder, type Progress } from './base-cache.ts';
import { nativeArchitecture } from './deb-file.ts';
import { extractDebs, LEFT_OUT } from './extract-debs.ts';
import { MIRROR_URL } from './fleet.ts';
import { type DebianMirror, privateApt } from './machine-apt.ts';
import { runOnMachine } from './machine-command.ts';

/** Raise when the steps below change what they build. */
const RECIPE_VERSION = 1;
const SUITE = 'bookworm';
/** What stays marked as installed by hand; the rest came as dependencies. */
const PACKAGES = (
  'apt apt-utils base-files base-passwd bash bsdutils ca-certificates coreutils curl dash dbus debconf ' +
  'debian-archive-keyring debianutils diffutils dpkg findutils gpgv grep gzip hostname init-system-helpers ' +
  'iproute2 libc-bin login mawk mount ncurses-base ncurses-bin nginx-light openssl passwd perl-base procps ' +
  'sed systemd systemd-sysv sysvinit-utils tar tzdata util-linux vim-tiny xz-utils'
).split(' ');
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Where hosts find Debian's archives behind the fleet's mirror. */
export const ARCHIVES = { main: '/debian/', security: '/debian-security/' } as const;

const sourcesIn = (main: string, security: string) => [
  { uri: main, suite: SUITE },
  { uri: main, suite: `${SUITE}-updates` },
  { uri: security, suite: `${SUITE}-security` },
];

/**
 * Run inside the root, whose files are already unpacked so that dpkg and the shell work. base-passwd goes first:
 * others ask for the users that it makes. Nothing may start a service.
 */
const INSTALL = `
set -eu
export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
dpkg --force-depends --force-unsafe-io --install /mnt/base-passwd_*.deb
dpkg --force-depends --force-unsafe-io --unpack /mnt/*.deb
dpkg --force-unsafe-io --configure --pending
dpkg --audit
apt-mark -qq auto $(dpkg-query -W -f '\${Package}\\n') >/dev/null
apt-mark -qq manual "$@" >/dev/null
rm /usr/sbin/policy-rc.d
`;

const ENTER = `
set -eu
mount --make-rprivate /
root=$1 archives=$2
shift 2
mount --bind "$archives" "$root/mnt"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
exec chroot "$root" /bin/sh -c "$@"
`;

async function installInto(root: string, archives: string): Promise<void> {
  const at = (path: string) => join(root, path);
  for (const folder of ['mnt', 'var/lib/dpkg/info', 'var/lib/dpkg/updates'])
    await mkdir(at(folder), { recursive: true });
  for (const file of ['var/lib/dpkg/status', 'var/lib/dpkg/available']) await writeFile(at(file), '');
  const unread = LEFT_OUT.map((pattern) => `path-exclude=${pattern}\n`);
  await writeFile(at('etc/dpkg/dpkg.cfg.d/left-out'), unread.join(''));
  // Before base-passwd is configured there must already be a root to configure it.
  await copyFile(at('usr/share/base-passwd/passwd.master'), at('etc/passwd'));
  await copyFile(at('usr/share/base-passwd/group.master'), at('etc/group'));
  await runOnMachine(['ln', '-sf', 'mawk', at('usr/bin/awk')]);
  const namespaces = ['--mount', '--pid', '--uts', '--ipc', '--net', '--fork', '--kill-child'];
  const words = ['sh', '-c', ENTER, 'sh', root, archives, INSTALL, 'sh', ...PACKAGES];
  await runOnMachine(['unshare', ...namespaces, ...words], {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
}

/** Puts the lists where the hosts' apt looks for them, so that its first update has little left to do. */
async function seedLists(
  root: string,
  lists: string,
  archives: Record<keyof typeof ARCHIVES, string>,
): Promise<void> {
  const fileName = (uri: string) => uri.replace(/^[a-z]+:\/\//, '').replaceAll('/', '_');
  const folder = join(root, 'var/lib/apt/lists');
  await mkdir(join(folder, 'partial'), { recursive: true });
  for (const archive of ['main', 'security'] as const) {
    const prefix = fileName(`${archives[archive]}dists/`);
    const ours = fileName(`${MIRROR_URL}${ARCHIVES[archive]}dists/`);
    for (const name of await readdir(lists))
      if (name.startsWith(prefix))
        await copyFile(join(lists, name), join(folder, ours + name.slice(prefix.length)));
  }
}

/** The folder of the base, built first where the cache has none; takes about a minute and needs root. */
export function debianBase(
  mirror: DebianMirror & { readonly security: string },
  progress: Progress,
  cache = cacheFolder(),
): Promise<string> {
  const recipe = {
    RECIPE_VERSION,
    SUITE,
    PACKAGES,
    LEFT_OUT,
    MIRROR_URL,
    architecture: nativeArchitecture(),
  };
  return cached(
    'debian-base',
    recipe,
    async (folder) => {
      const work = await mkdtemp(join(cache, 'debian-base-packages-'));
      try {
        progress(`fetching Debian ${SUITE} as it was at its last point release (once, about 60 MB)`);
        const released = await privateApt(join(work, 'released'), mirror, [
          { uri: mirror.main, suite: SUITE },
        ]);
        await released.update();
        const archives = await released.download(PACKAGES);
        progress(`installing ${archives.length} packages with their own dpkg`);
        await extractDebs(archives, folder);
        await installInto(folder, join(work, 'released/archives'));
        const current = await privateApt(
          join(work, 'current'),
          mirror,
          sourcesIn(mirror.main, mirror.security),
        );
        await current.update();
        await seedLists(folder, current.lists, mirror);
        const source = sourcesIn(`${MIRROR_URL}${ARCHIVES.main}`, `${MIRROR_URL}${ARCHIVES.security}`);
        const lines = source.map(({ uri, suite }) => `deb [signed-by=${KEYRING}] ${uri} ${suite} main\n`);
        await writeFile(join(folder, 'etc/apt/sources.list'), lines.join(''));
        // As Debian's container images do: descriptions in other languages are most of an update otherwise.
        await writeFile(join(folder, 'etc/apt/apt.conf.d/90languages'), 'Acquire::Languages "none";\n');
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    },
    cache,
  );
}
