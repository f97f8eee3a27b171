/** The packages of the demonstration: what its hosts have installed, and what waits for them in the repository. */
import type { PackageSpec } from './deb-file.ts';
import type { Host } from './host.ts';
import type { Repository } from './repository.ts';
import type { SandboxFleetOptions } from './sandbox-fleet.ts';

/** Maintainer scripts find their system below DPKG_ROOT, which dpkg leaves empty on the system it runs on. */
const READY = '[ -d "$DPKG_ROOT/run/systemd/system" ] || exit 0';

/** As web servers do it: a configuration that the new version does not take lets its upgrade fail. */
const CONFIG_TEST =
  'if grep -q "^legacy-tls" "$DPKG_ROOT/etc/harbor/harbor.conf"; then\n' +
  '  echo "harbor-httpd: /etc/harbor/harbor.conf: legacy-tls is not known any more" >&2; exit 1\nfi\n';

/** What the server itself makes of a setting that only the version before takes: it ends, and its package did not see it. */
export const harborServer = (version: string, refuses: boolean): string =>
  [
    '#!/bin/sh',
    `# ${version}`,
    ...(refuses
      ? [
          "if grep -qs '^weak-ciphers' /etc/harbor/site.conf; then",
          '  echo "harbor-httpd: /etc/harbor/site.conf: weak-ciphers is not known any more" >&2; exit 78',
          'fi',
        ]
      : []),
    'exec sleep infinity',
    '',
  ].join('\n');

/** What the demonstration's policy asks of every server where systemd runs. */
export const demoService = 'harbor-httpd.service';

function httpd(version: string, refuses = false): PackageSpec {
  return {
    name: 'harbor-httpd',
    version,
    depends: 'libharbor2 (>= 2.4.0), harbor-common',
    section: 'web',
    description: 'web server of the harbor, restarted by its own upgrade',
    files: {
      '/usr/sbin/harbor-httpd': { mode: 0o755, content: harborServer(version, refuses) },
      '/usr/lib/systemd/system/harbor-httpd.service': {
        content:
          '[Unit]\nDescription=Harbor web server\n\n[Service]\nExecStart=/usr/sbin/harbor-httpd\n\n' +
          '[Install]\nWantedBy=multi-user.target\n',
      },
    },
    scripts: {
      postinst: `#!/bin/sh\nset -e\n${CONFIG_TEST}systemctl -q enable harbor-httpd.service\n${READY}\nsystemctl daemon-reload\nsystemctl restart harbor-httpd.service\n`,
    },
  };
}

const library = (version: string): PackageSpec => ({
  name: 'libharbor2',
  version,
  architecture: 'native',
  section: 'libs',
  description: 'library that parses what the harbor is sent',
  files: { '/usr/lib/harbor/libharbor.so.2': { content: `${version}\n`.repeat(4000) } },
});

const common = (version: string, port: number): PackageSpec => ({
  name: 'harbor-common',
  version,
  section: 'admin',
  description: 'configuration of the harbor, with a file that operators change',
  files: { '/etc/harbor/harbor.conf': { conffile: true, content: `port = ${port}\nworkers = 4\n` } },
});

const kernel = (version: string): PackageSpec => ({
  name: 'harbor-kernel',
  version,
  architecture: 'native',
  section: 'kernel',
  description: 'stands for a kernel: takes effect at the next boot',
  files: { '/usr/lib/harbor/kernel': { content: `${version}\n`.repeat(20_000) } },
  scripts: {
    // As update-notifier does it on a real server, and only where this is an upgrade.
    postinst: `#!/bin/sh\nset -e\n[ -n "$2" ] || exit 0\n: >"$DPKG_ROOT/run/reboot-required"\necho harbor-kernel >>"$DPKG_ROOT/run/reboot-required.pkgs"\n`,
  },
});

const plain = (name: string, version: string, section = 'utils', depends?: string): PackageSpec => ({
  name,
  version,
  section,
  ...(depends !== undefined && { depends }),
  files: { [`/usr/share/${name}/version`]: { content: `${version}\n` } },
});

export const demoPackages: Pick<SandboxFleetOptions, 'installed' | 'automatic' | 'held'> = {
  installed: [
    httpd('2.4.57-1'),
    library('2.4.1-3'),
    common('1.8-1', 80),
    kernel('6.12.27-1'),
    plain('lighthouse-agent', '3.1.0-1', 'admin', 'libbuoy0'),
    plain('libbuoy0', '0.9.4-1', 'libs'),
    plain('tide-tables', '2026a-0+deb13u1', 'localization'),
    plain('anchor-tools', '1:5.2-2'),
    plain('cargo-manifest', '4.0.2-1', 'database'),
    plain('fog-signal', '1.2-4'),
  ],
  automatic: ['libharbor2', 'libbuoy0', 'harbor-common'],
  held: ['fog-signal'],
};

/** Publishes the updates that the demonstration's hosts will find pending. */
export async function publishDemoUpdates(repository: Pick<Repository, 'publish'>): Promise<void> {
  // As archives do, which keep versions that servers may have to go back to.
  await repository.publish('stable', demoPackages.installed);
  await repository.publish('stable', [
    httpd('2.4.57-2', true),
    common('1.9-1', 80),
    plain('lighthouse-agent', '3.2.0-1', 'admin', 'libbuoy0, libbuoy-data'),
    plain('libbuoy-data', '0.9.5-1', 'libs'),
    plain('tide-tables', '2026b-0+deb13u1', 'localization'),
    plain('cargo-manifest', '4.0.2-1', 'database'),
    plain('fog-signal', '1.3-1'),
  ]);
  await repository.publish('stable-security', [
    library('2.4.1-3+deb13u1'),
    kernel('6.12.30-1'),
    plain('anchor-tools', '1:5.2-2+deb13u1'),
  ]);
}

/** Leaves a setting on a host that the new web server refuses once it runs: its patch goes well, and it is not well. */
export async function breakDemoService(host: Host): Promise<void> {
  await host.writeFile('/etc/harbor/site.conf', 'weak-ciphers = yes\n', 0o644);
}

/** Leaves a setting on a host with which the new web server will not start, so that its patch fails there. */
export async function breakDemoPatch(host: Host): Promise<void> {
  const path = '/etc/harbor/harbor.conf';
  const before = (await host.readFile(path)) ?? '';
  await host.writeFile(path, `${before}legacy-tls = yes\n`, 0o644);
}
