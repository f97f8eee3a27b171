/** Turns the base that has every package manager into one distribution: one manager, its settings and its packages. */
import type { Layer } from '../host-layers.ts';
import type { SigningKey } from '../openpgp.ts';
import type { Channel } from './family-repository.ts';
import type { PackageDescription } from './package-description.ts';
import { buildPacmanPackage } from './pacman-file.ts';
import { type FamilyTools, osRelease, type Release } from './releases.ts';
import { buildRpm } from './rpm-file.ts';

/** The commands of each manager, as far as anything looks for them. */
const COMMANDS: Readonly<Record<FamilyTools, readonly string[]>> = {
  apt: ['apt', 'apt-cache', 'apt-config', 'apt-get', 'apt-mark', 'dpkg', 'dpkg-deb', 'dpkg-query'],
  dnf: ['dnf', 'dnf-3', 'yum'],
  dnf5: ['dnf5', 'dnf', 'yum'],
  zypper: ['zypper', 'needs-restarting'],
  pacman: ['pacman', 'pacman-conf', 'pacman-db-upgrade', 'pacman-key'],
};
const RPM_COMMANDS = ['rpm', 'rpmdb', 'rpmkeys', 'rpmquery', 'rpmverify'];

function hiddenCommands({ tools, without = [] }: Release): string[] {
  const own = COMMANDS[tools];
  const others = Object.values(COMMANDS)
    .flat()
    .filter((command) => !own.includes(command) && !(tools === 'dnf' && command === 'needs-restarting'));
  const rpm = tools === 'pacman' ? RPM_COMMANDS : [];
  return [...others, ...rpm, ...without].map((command) => `/usr/bin/${command}`);
}

// The commands to hide come as words: an overlay keeps a file's removal in its layer, in a user namespace too.
const SETUPS: Readonly<Record<Exclude<FamilyTools, 'apt'>, string>> = {
  dnf: `
cp /usr/bin/dnf-3 /usr/bin/yum
printf '#!/bin/sh\\nexec %s needs-restarting "$@"\\n' "$1" >/usr/bin/needs-restarting
shift
rm -f /etc/dnf/plugins/local.conf /usr/lib/python3/dist-packages/dnf-plugins/local.py /etc/debian_version
rpm --import /etc/pki/rpm-gpg/RPM-GPG-KEY-fleet
rpm --upgrade --nodeps /mnt/*.rpm
rm -f -- "$@"
`,
  dnf5: `
ln -s dnf5 /usr/bin/dnf
ln -s dnf5 /usr/bin/yum
rm -f /etc/dnf/libdnf5-plugins/local.conf /etc/debian_version
rpm --import /etc/pki/rpm-gpg/RPM-GPG-KEY-fleet
rpm --upgrade --nodeps /mnt/*.rpm
rm -f -- "$@"
`,
  zypper: `
rm -f /etc/debian_version
rpm --import /etc/pki/rpm-gpg/RPM-GPG-KEY-fleet
rpm --upgrade --nodeps /mnt/*.rpm
rm -f -- "$@"
`,
  pacman: `
rm -f /etc/debian_version
install -d -m 755 /etc/pacman.d/gnupg /var/lib/pacman /var/cache/pacman/pkg
# pacman looks for the keyring under its old name.
: >/etc/pacman.d/gnupg/pubring.gpg
keyring() { gpg --homedir /etc/pacman.d/gnupg --batch --quiet --no-tty --no-permission-warning "$@"; }
keyring --import /usr/share/pacman/keyrings/fleet.gpg
keyring --import-ownertrust /usr/share/pacman/keyrings/fleet-trusted
chmod 644 /etc/pacman.d/gnupg/pubring.gpg /etc/pacman.d/gnupg/trustdb.gpg
rm -f /etc/pacman.d/gnupg/S.* /etc/pacman.d/gnupg/*~
ln -sf ../proc/self/mounts /etc/mtab
# Free space is not to be found out in a root that is not a mount point of its own.
grep -v ^CheckSpace /etc/pacman.conf >/root/setup.conf
if [ -e /mnt/install ]; then
  pacman --config /root/setup.conf --upgrade --noconfirm --nodeps --nodeps /mnt/*.pkg.tar.gz
fi
rm -f /root/setup.conf
rm -f -- "$@"
`,
};

/** What ties repositories, dnf's variables and scripts to a distribution, as its own release package does. */
function releasePackage(release: Release): PackageDescription {
  return {
    name: `${release.identity.ID}-release`,
    version: release.releasever,
    description: 'identity of the distribution',
    provides: [
      ...[`system-release = ${release.releasever}`, `system-release(releasever) = ${release.releasever}`],
      ...['/bin/sh', '/bin/bash', '/usr/bin/sh', '/usr/bin/bash'],
    ],
    files: { '/etc/system-release': { content: `${release.identity.NAME} ${release.releasever}\n` } },
  };
}

const KEY_FILE = '/etc/pki/rpm-gpg/RPM-GPG-KEY-fleet';

function dnfFiles(release: Release, url: string): Layer['files'] {
  const major = release.releasever.split('.')[0] ?? '';
  const section = (channel: Channel) =>
    `[${release.channels[channel]}]\nname=${release.channels[channel]}\nbaseurl=${url}/${channel}/\nenabled=1\ngpgcheck=1\ngpgkey=file://${KEY_FILE}\n\n`;
  return {
    '/etc/dnf/dnf.conf':
      '[main]\ngpgcheck=1\ninstallonly_limit=3\nclean_requirements_on_remove=True\nbest=True\nskip_if_unavailable=False\n',
    '/etc/dnf/vars/releasever': `${major}\n`,
    '/etc/yum.repos.d/fleet.repo': section('main') + section('extra'),
  };
}

function zypperFiles(release: Release, url: string): Layer['files'] {
  const file = (channel: Channel) => {
    const id = release.channels[channel];
    return [
      `/etc/zypp/repos.d/${id}.repo`,
      `[${id}]\nname=${id}\nenabled=1\nautorefresh=1\nbaseurl=${url}/${channel}/\ntype=rpm-md\ngpgcheck=1\ngpgkey=file://${KEY_FILE}\n`,
    ];
  };
  return Object.fromEntries([file('main'), file('extra')]);
}

function pacmanFiles(release: Release, key: SigningKey, url: string): Layer['files'] {
  const section = (channel: Channel) => `[${release.channels[channel]}]\nServer = ${url}/${channel}\n\n`;
  return {
    '/etc/pacman.conf': `[options]\nHoldPkg = pacman glibc\nArchitecture = auto\nCheckSpace\nSigLevel = Required DatabaseOptional\nLocalFileSigLevel = Optional\n\n${section('main')}${section('extra')}`,
    '/usr/share/pacman/keyrings/fleet.gpg': key.keyring,
    // Six is gpg's number for "ultimately".
    '/usr/share/pacman/keyrings/fleet-trusted': `${key.fingerprint}:6:\n`,
  };
}

export interface FamilyLayerOptions {
  readonly name: string;
  readonly release: Release;
  /** Root file system that has the release's package manager. */
  readonly base: string;
  readonly installed: readonly PackageDescription[];
  readonly key: SigningKey;
  /** Where the channels of the repository are. */
  readonly url: string;
  /** Instant of build and signature. */
  readonly at: Date;
}

export function familyLayer(options: FamilyLayerOptions): Layer {
  const { name, release, base, installed, key, url, at } = options;
  const { tools, vendor } = release;
  if (tools === 'apt') throw new Error(`layer "${name}" is apt's: make it with debianSetup`);
  const files = { '/etc/os-release': osRelease(release), '/usr/lib/os-release': osRelease(release) };
  // On hosts with dnf first the command that needs-restarting is a part of.
  const manager = tools === 'dnf' ? [release.without?.includes('dnf') ? 'yum' : 'dnf'] : [];
  const words = [...manager, ...hiddenCommands(release)];
  const script = SETUPS[tools];
  if (tools === 'pacman') {
    const packages = installed.map((spec) => buildPacmanPackage(spec, Math.floor(at.getTime() / 1000)));
    // Its presence tells the script that there are packages.
    const mark = { fileName: 'install', content: Buffer.alloc(0) };
    const archives = packages.length > 0 ? [...packages, mark] : [];
    return {
      name,
      base,
      files: { ...files, ...pacmanFiles(release, key, url) },
      setup: { script, words, archives },
    };
  }
  const settings = tools === 'zypper' ? zypperFiles(release, url) : dnfFiles(release, url);
  const archives = [releasePackage(release), ...installed].map((spec) => buildRpm(spec, { key, at, vendor }));
  return {
    name,
    base,
    files: { ...files, ...settings, [KEY_FILE]: key.armoredKey },
    setup: { script, words, archives },
  };
}
