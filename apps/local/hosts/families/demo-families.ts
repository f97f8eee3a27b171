/** The demonstration on servers of every family: what they have installed, and what waits for them, by release. */
import type { Family } from '../../../../core/server.ts';
import { harborServer } from '../demo-fleet.ts';
import type { FamilyFleetOptions, FamilyRelease } from './family-fleet.ts';
import type { FamilyRepository } from './family-repository.ts';
import type { PackageDescription } from './package-description.ts';
import { RELEASES, type ReleaseName } from './releases.ts';

/** What a server of a family is in the demonstration: releases whose end does not come soon. */
export const demoReleases = {
  debian: 'debian-13',
  rhel: 'rocky-9',
  amazon: 'amazon-2023',
  suse: 'tumbleweed',
  arch: 'arch',
} as const satisfies Record<Family, ReleaseName>;

/** Families of servers that nobody chose: one for each package manager, in turn. */
export const demoFamilies: readonly Family[] = ['debian', 'rhel', 'suse', 'arch'];

/** As web servers do it: a configuration that the new version does not take lets its upgrade fail. */
const CONFIG_TEST =
  'if grep -q "^legacy-tls" /etc/harbor/harbor.conf; then\n' +
  '  echo "harbor-httpd: /etc/harbor/harbor.conf: legacy-tls is not known any more" >&2; exit 1\nfi\n';

const httpd = (release: string, refuses = false): PackageDescription => ({
  name: 'harbor-httpd',
  version: '2.4.57',
  release,
  description: 'web server of the harbor, restarted by its own upgrade',
  requires: ['libharbor2 >= 2.4.0', 'harbor-common'],
  files: {
    '/usr/sbin/harbor-httpd': { mode: 0o755, content: harborServer(release, refuses) },
    '/usr/lib/systemd/system/harbor-httpd.service': {
      content:
        '[Unit]\nDescription=Harbor web server\n\n[Service]\nExecStart=/usr/sbin/harbor-httpd\n\n' +
        '[Install]\nWantedBy=multi-user.target\n',
    },
  },
  scripts: {
    afterInstall: `${CONFIG_TEST}systemctl -q enable harbor-httpd.service\n[ -d /run/systemd/system ] || exit 0\nsystemctl daemon-reload\nsystemctl restart harbor-httpd.service`,
  },
});

const library = (release: string): PackageDescription => ({
  name: 'libharbor2',
  version: '2.4.1',
  release,
  architecture: 'native',
  description: 'library that parses what the harbor is sent',
  files: { '/usr/lib/harbor/libharbor.so.2': { content: `${release}\n`.repeat(4000) } },
});

const common = (version: string): PackageDescription => ({
  name: 'harbor-common',
  version,
  description: 'configuration of the harbor, with a file that operators change',
  files: { '/etc/harbor/harbor.conf': { config: true, content: 'port = 80\nworkers = 4\n' } },
});

/** Each family's own way to have a kernel: beside the one before, or in its place with all its modules. */
function kernel(release: FamilyRelease, version: string): PackageDescription {
  const image = { content: `${version}\n`.repeat(20_000) };
  const native = { version, architecture: 'native', description: 'takes effect at the next boot' } as const;
  if (RELEASES[release].tools === 'pacman') {
    const modules = `/usr/lib/modules/${version}-arch1-1`;
    return {
      ...native,
      name: 'linux',
      files: { [`${modules}/pkgbase`]: { content: 'linux\n' }, [`${modules}/vmlinuz`]: image },
    };
  }
  const isSuse = RELEASES[release].tools === 'zypper';
  return {
    ...native,
    name: isSuse ? 'kernel-default' : 'kernel-core',
    provides: isSuse ? ['multiversion(kernel)', 'kernel'] : ['installonlypkg(kernel)'],
    files: { [`/boot/vmlinuz-${version}-1.x86_64`]: image },
  };
}

const plain = (name: string, version: string, requires: readonly string[] = []): PackageDescription => ({
  name,
  version,
  requires,
  files: { [`/usr/share/${name}/version`]: { content: `${version}\n` } },
});

const installed = (release: FamilyRelease): PackageDescription[] => [
  httpd('1'),
  library('3'),
  common('1.8'),
  kernel(release, '6.12.27'),
  plain('lighthouse-agent', '3.1.0', ['libbuoy0']),
  plain('libbuoy0', '0.9.4'),
  plain('tide-tables', '2026a'),
  { ...plain('anchor-tools', '5.2'), epoch: 1 },
  plain('cargo-manifest', '4.0.2'),
];

/** What hosts of these releases have installed from the start. */
export function demoInstalled(releases: Iterable<ReleaseName>): FamilyFleetOptions['installed'] {
  return Object.fromEntries([...ofFamilies(releases)].map((release) => [release, installed(release)]));
}

/** Publishes the updates that the demonstration's hosts of a release will find pending. */
export async function publishFamilyUpdates(
  release: FamilyRelease,
  repository: FamilyRepository,
): Promise<void> {
  // As archives do, which keep versions that servers may have to go back to.
  await repository.publish('main', installed(release));
  const security = [library('4'), kernel(release, '6.12.30'), { ...plain('anchor-tools', '5.3'), epoch: 1 }];
  await repository.publish(
    'main',
    [
      httpd('2', true),
      common('1.9'),
      plain('lighthouse-agent', '3.2.0', ['libbuoy0', 'libbuoy-data']),
      plain('libbuoy-data', '0.9.5'),
      plain('tide-tables', '2026b'),
      ...security,
    ],
    {
      advisories: [
        {
          id: 'HARBOR-2026:0117',
          type: 'security',
          severity: 'Important',
          cves: ['CVE-2026-0117'],
          packages: security.map(({ name }) => name),
          rebootSuggested: true,
        },
      ],
    },
  );
}

/** Releases whose hosts have no apt, each once. */
export function* ofFamilies(releases: Iterable<ReleaseName>): Generator<FamilyRelease> {
  for (const release of new Set(releases)) if (release !== 'debian-13') yield release;
}
