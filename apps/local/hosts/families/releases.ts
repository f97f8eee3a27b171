/** The distributions that hosts can pass for: what they call themselves, and where their packages come from. */
import type { Channel } from './family-repository.ts';

export type FamilyTools = 'apt' | 'dnf' | 'dnf5' | 'zypper' | 'pacman';

export interface Release {
  /** Whose package manager the hosts have. */
  readonly tools: FamilyTools;
  /** What `/etc/os-release` says. */
  readonly identity: Readonly<Record<string, string>>;
  /** What `$releasever` comes to, on hosts with dnf. */
  readonly releasever: string;
  /** Who distributes the packages. */
  readonly vendor: string;
  /** The ids of the repositories. */
  readonly channels: Readonly<Record<Channel, string>>;
  /** Commands of that package manager that this distribution has not. */
  readonly without?: readonly string[];
}

const RED_HAT = { ID_LIKE: 'rhel centos fedora' };
const SUSE = { ID_LIKE: 'suse opensuse' };

const dnf = (
  identity: Release['identity'],
  vendor: string,
  channels: Release['channels'],
  without?: readonly string[],
): Release => ({
  tools: 'dnf',
  identity,
  releasever: identity.VERSION_ID ?? '',
  vendor,
  channels,
  ...(without && { without }),
});

const zypper = (identity: Release['identity'], vendor: string): Release => ({
  tools: 'zypper',
  identity,
  releasever: identity.VERSION_ID ?? '',
  vendor,
  channels: { main: 'repo-update', extra: 'repo-extra' },
});

const pacman = (identity: Release['identity'], vendor: string): Release => ({
  tools: 'pacman',
  identity,
  releasever: '',
  vendor,
  channels: { main: 'core', extra: 'extra' },
});

export const RELEASES = {
  'debian-13': {
    tools: 'apt',
    identity: { ID: 'debian', VERSION_ID: '13', VERSION_CODENAME: 'trixie', NAME: 'Debian GNU/Linux' },
    releasever: '',
    vendor: 'Debian',
    channels: { main: 'trixie', extra: 'trixie-security' },
  },
  'rocky-9': dnf(
    { ID: 'rocky', VERSION_ID: '9.6', NAME: 'Rocky Linux', PLATFORM_ID: 'platform:el9', ...RED_HAT },
    'Rocky Enterprise Software Foundation',
    { main: 'baseos', extra: 'appstream' },
  ),
  'rhel-8': dnf(
    { ID: 'rhel', VERSION_ID: '8.10', NAME: 'Red Hat Enterprise Linux', PLATFORM_ID: 'platform:el8' },
    'Red Hat, Inc.',
    { main: 'rhel-8-baseos-rhui-rpms', extra: 'rhel-8-appstream-rhui-rpms' },
  ),
  /** yum here is dnf under its old name, which takes yum 4's words: yum 3 itself is not to be had. */
  'centos-7': dnf(
    { ID: 'centos', VERSION_ID: '7', NAME: 'CentOS Linux', ...RED_HAT },
    'CentOS',
    { main: 'base', extra: 'updates' },
    ['dnf', 'dnf-3'],
  ),
  'fedora-44': {
    ...dnf(
      { ID: 'fedora', VERSION_ID: '44', NAME: 'Fedora Linux', PLATFORM_ID: 'platform:f44' },
      'Fedora Project',
      {
        main: 'fedora',
        extra: 'updates',
      },
    ),
    tools: 'dnf5',
  },
  'amazon-2023': dnf(
    {
      ID: 'amzn',
      VERSION_ID: '2023',
      NAME: 'Amazon Linux',
      PLATFORM_ID: 'platform:al2023',
      ID_LIKE: 'fedora',
    },
    'Amazon Linux',
    { main: 'amazonlinux', extra: 'kernel-livepatch' },
  ),
  'amazon-2': dnf(
    { ID: 'amzn', VERSION_ID: '2', NAME: 'Amazon Linux', ID_LIKE: 'centos rhel fedora' },
    'Amazon Linux',
    { main: 'amzn2-core', extra: 'amzn2extra-docker' },
    ['dnf', 'dnf-3'],
  ),
  'leap-15': zypper({ ID: 'opensuse-leap', VERSION_ID: '15.6', NAME: 'openSUSE Leap', ...SUSE }, 'openSUSE'),
  'sles-15': zypper({ ID: 'sles', VERSION_ID: '15.6', NAME: 'SLES', ID_LIKE: 'suse' }, 'SUSE LLC'),
  tumbleweed: zypper(
    { ID: 'opensuse-tumbleweed', VERSION_ID: '20261118', NAME: 'openSUSE Tumbleweed', ...SUSE },
    'openSUSE',
  ),
  'sle-micro-5': zypper(
    { ID: 'sle-micro', VERSION_ID: '5.5', NAME: 'SLE Micro', ID_LIKE: 'suse' },
    'SUSE LLC',
  ),
  arch: pacman({ ID: 'arch', NAME: 'Arch Linux' }, 'Arch Linux'),
  manjaro: pacman({ ID: 'manjaro', NAME: 'Manjaro Linux', ID_LIKE: 'arch' }, 'Manjaro'),
  endeavouros: pacman({ ID: 'endeavouros', NAME: 'EndeavourOS', ID_LIKE: 'arch' }, 'EndeavourOS'),
} as const satisfies Record<string, Release>;

export type ReleaseName = keyof typeof RELEASES;

/** The contents of `/etc/os-release`; its pretty name says what the host is in truth. */
export function osRelease({ identity }: Release): string {
  const pretty = `${identity.NAME} ${identity.VERSION_ID ?? ''}`.trim();
  const fields = { ...identity, PRETTY_NAME: `${pretty} (package manager on a Debian userland)` };
  return Object.entries(fields)
    .map(([name, value]) => `${name}="${value}"\n`)
    .join('');
}
