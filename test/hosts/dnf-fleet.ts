/** Owns the fleet that the documents of the Red Hat and Amazon families are tried on, on real dnf 4 and real dnf 5. */
import type { FamilyRelease } from '../../apps/local/hosts/families/family-fleet.ts';
import type { PackageDescription } from '../../apps/local/hosts/families/package-description.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import type { PlanEntry } from '../../core/plan.ts';
import type { Family } from '../../core/server.ts';
import { createTrials } from '../support/document-trials.ts';
import { createTrialFamilies, plain, type TrialFamilies } from './family-fleet.ts';
import { shell } from './observe.ts';

/** The package managers that a test of dnf runs on, and the release that has each. */
export const dnfs = [
  { manager: 'dnf 4', release: 'rocky-9' },
  { manager: 'dnf 5', release: 'fedora-44' },
] as const satisfies readonly { manager: string; release: FamilyRelease }[];

/** A host of each of these names for each of those releases: `back-rocky-9`. */
export const onEveryDnf = (...names: readonly string[]): Readonly<Record<string, FamilyRelease>> =>
  Object.fromEntries(names.flatMap((name) => dnfs.map(({ release }) => [`${name}-${release}`, release])));

export async function createDnfFleet(options: {
  readonly hosts: Readonly<Record<string, FamilyRelease>>;
  readonly installed: readonly PackageDescription[];
  readonly family?: Family;
}): Promise<TrialFamilies> {
  const releases = new Set(Object.values(options.hosts));
  const families = await createTrialFamilies({
    hosts: options.hosts,
    installed: Object.fromEntries([...releases].map((release) => [release, options.installed])),
  });
  return { ...families, ...createTrials(families.objects, options.family ?? 'rhel') };
}

/** `upgrade tool 1.0-1 1.1-1` of each entry. */
export const changes = (plan: readonly PlanEntry[]) =>
  plan.map(({ action, name, from, to }) => `${action} ${name} ${from ?? '-'} ${to ?? '-'}`);

/** Versions by name; several where they lie beside each other. */
export async function versions(host: Host, names = ''): Promise<Record<string, string>> {
  const { stdout } = await shell(host, `rpm -qa --qf '%{NAME} %{VERSION}-%{RELEASE}\\n' ${names} | sort -u`);
  const found: Record<string, string> = {};
  for (const line of stdout.trim().split('\n')) {
    const [name = '', version = ''] = line.split(' ');
    found[name] = found[name] ? `${found[name]} ${version}` : version;
  }
  return found;
}

/** A kernel that lies beside others and leaves its image in /boot. */
export const kernel = (release: string, name = 'kernel-core'): PackageDescription => ({
  name,
  version: '5.14.0',
  release,
  architecture: 'native',
  provides: ['installonlypkg(kernel)'],
  files: { [`/boot/vmlinuz-5.14.0-${release}.x86_64`]: { content: release } },
});

/** Stops in a script of `slow` until /run/go is there, and says that it ran. */
export const slow = (version: string): PackageDescription =>
  plain('slow', version, {
    scripts: {
      afterInstall:
        'echo ran >>/var/tmp/slow-runs; : >/run/reached; while [ ! -e /run/go ]; do sleep 0.05; done',
    },
  });
