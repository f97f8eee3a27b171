/** Builds the root file systems that sandbox hosts share: Debian's userland, extracted and not configured. */
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, cacheFolder, type Progress } from './base-cache.ts';
import { nativeArchitecture } from './deb-file.ts';
import { extractDebs, LEFT_OUT } from './extract-debs.ts';
import { type DebianMirror, privateApt } from './machine-apt.ts';
import { runOnMachine } from './machine-command.ts';

/** Raise when the steps below change what they build. */
const RECIPE_VERSION = 2;
const SUITE = 'trixie';
/** Of Debian's releases the first with dnf 5; it moves until it is released, and a cached base keeps what it found. */
const DNF5_SUITE = 'forky';
const PACKAGES = (
  'apt base-files base-passwd bash bsdutils ca-certificates coreutils curl dash dbus debianutils ' +
  'diffutils dpkg findutils grep gzip hostname init-system-helpers iproute2 libc-bin login.defs ' +
  'mawk mount ncurses-base ncurses-bin openssl passwd perl-base procps sed systemd systemd-container ' +
  'systemd-sysv sysvinit-utils tar util-linux xz-utils'
).split(' ');
/** What hosts of other families run on: Debian packages the package managers of all of them. */
const MANAGERS =
  'dnf dnf-plugins-core gnupg libarchive-tools pacman-package-manager python3 python3-systemd rpm xz-utils zstd zypper'.split(
    ' ',
  );
const DNF5_MANAGERS = ['dnf5', 'gnupg', 'python3', 'rpm', 'zstd'];
/** Folders that base-files and dpkg make when they are configured, or that this file writes to. */
const FOLDERS = (
  'etc/systemd/system media mnt opt root srv usr/local/bin usr/local/lib usr/local/sbin usr/local/share ' +
  'var/lib/dpkg/info var/lib/dpkg/triggers var/lib/dpkg/updates var/log var/tmp'
).split(' ');
/** Units that only cost time where there is no hardware, no terminal and nothing to rebuild. */
const MASKED = [
  'console-getty.service',
  'dev-hugepages.mount',
  'ldconfig.service',
  'sys-fs-fuse-connections.mount',
  'systemd-journal-catalog-update.service',
  'systemd-update-done.service',
];

/** What the packages' own scripts would have done, as far as a host needs it. */
async function finish(root: string): Promise<void> {
  const at = (path: string) => join(root, path);
  await copyFile(at('usr/share/base-passwd/passwd.master'), at('etc/passwd'));
  await copyFile(at('usr/share/base-passwd/group.master'), at('etc/group'));
  await copyFile(at('usr/share/libc-bin/nsswitch.conf'), at('etc/nsswitch.conf'));
  await symlink('mawk', at('usr/bin/awk'));
  await writeFile(at('etc/machine-id'), '');
  const authorities = at('usr/share/ca-certificates/mozilla');
  const certificates = await Promise.all(
    (await readdir(authorities)).map((name) => readFile(join(authorities, name), 'utf8')),
  );
  await writeFile(at('etc/ssl/certs/ca-certificates.crt'), certificates.join(''));
  for (const folder of FOLDERS) await mkdir(at(folder), { recursive: true });
  // An empty database: what the fleet installs is all that a host's package manager knows of.
  for (const file of ['var/lib/dpkg/status', 'var/lib/dpkg/available']) await writeFile(at(file), '');
  // debconf came as a dependency and is not in the database, so its hook in apt only complains.
  await rm(at('etc/apt/apt.conf.d/70debconf'), { force: true });
  for (const unit of MASKED) await symlink('/dev/null', at(`etc/systemd/system/${unit}`));
  const inside = process.getuid?.() === 0 ? ['chroot'] : ['unshare', '--user', '--map-root-user', 'chroot'];
  await runOnMachine(['env', ...inside, root, '/sbin/ldconfig']);
  await runOnMachine(['env', ...inside, root, '/usr/bin/systemd-sysusers']);
}

/** The folder of the base, built first where the cache has none. */
export function sandboxBase(
  mirror: DebianMirror,
  progress: Progress,
  cache = cacheFolder(),
): Promise<string> {
  return build('sandbox-base', SUITE, PACKAGES, 50, mirror, progress, cache);
}

/** The same with dnf, zypper and pacman beside apt: what a fleet of several families is stacked on. */
export function familyBase(mirror: DebianMirror, progress: Progress, cache = cacheFolder()): Promise<string> {
  return build('family-base', SUITE, [...PACKAGES, ...MANAGERS], 90, mirror, progress, cache);
}

/** A later Debian with dnf 5, whose libraries and rpm are not those that go with dnf 4. */
export function dnf5Base(mirror: DebianMirror, progress: Progress, cache = cacheFolder()): Promise<string> {
  return build('dnf5-base', DNF5_SUITE, [...PACKAGES, ...DNF5_MANAGERS], 80, mirror, progress, cache);
}

function build(
  name: string,
  suite: string,
  packages: readonly string[],
  megabytes: number,
  mirror: DebianMirror,
  progress: Progress,
  cache: string,
): Promise<string> {
  const recipe = {
    RECIPE_VERSION,
    SUITE: suite,
    PACKAGES: packages,
    LEFT_OUT,
    FOLDERS,
    MASKED,
    architecture: nativeArchitecture(),
  };
  return cached(
    name,
    recipe,
    async (folder) => {
      const work = await mkdtemp(join(cache, `${name}-packages-`));
      try {
        progress(`fetching Debian ${suite} packages for the sandbox hosts (once, about ${megabytes} MB)`);
        const apt = await privateApt(work, mirror, [{ uri: mirror.main, suite }]);
        await apt.update();
        const archives = await apt.download(packages);
        progress(`extracting ${archives.length} packages`);
        await extractDebs(archives, folder);
        await finish(folder);
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    },
    cache,
  );
}
