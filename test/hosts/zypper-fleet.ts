/** Owns the fleet that the documents of the SUSE family are tried on. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FamilyRelease } from '../../apps/local/hosts/families/family-fleet.ts';
import type { PackageDescription } from '../../apps/local/hosts/families/package-description.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import type { PlanEntry } from '../../core/plan.ts';
import { createTrials } from '../support/document-trials.ts';
import { createTrialFamilies, type TrialFamilies } from './family-fleet.ts';
import { shell } from './observe.ts';

export async function createZypperFleet(options: {
  readonly hosts: Readonly<Record<string, FamilyRelease>>;
  readonly installed: readonly PackageDescription[];
}): Promise<TrialFamilies> {
  const releases = new Set(Object.values(options.hosts));
  const families = await createTrialFamilies({
    hosts: options.hosts,
    installed: Object.fromEntries([...releases].map((release) => [release, options.installed])),
  });
  return { ...families, ...createTrials(families.objects, 'suse') };
}

/** `upgrade tool 1.0-1 1.1-1` of each entry. */
export const changes = (plan: readonly PlanEntry[]) =>
  plan.map(({ action, name, from, to }) => `${action} ${name} ${from ?? '-'} ${to ?? '-'}`);

/** Versions of packages on a host; several where they lie beside each other, nothing where there is none. */
export async function versions(host: Host, ...names: readonly string[]): Promise<Record<string, string>> {
  const { stdout } = await shell(host, `rpm -qa --qf '%{NAME} %{VERSION}-%{RELEASE}\\n' ${names.join(' ')}`);
  const found: Record<string, string> = {};
  for (const line of stdout.trim().split('\n').toSorted()) {
    const [name = '', version = ''] = line.split(' ');
    if (name) found[name] = found[name] ? `${found[name]} ${version}` : version;
  }
  return found;
}

/** What a package that stops in a script until /run/go is there says of itself, once for each run. */
export const waitingScript = (last = ':') =>
  `echo "$1" >>/var/tmp/slow-runs\n: >/run/reached\nwhile [ ! -e /run/go ]; do sleep 0.05; done\n${last}\n`;

export async function until(host: Host, path: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if ((await host.readFile(path)) !== undefined) return;
    await sleep(50);
  }
  throw new Error(`${path} never came to be on ${host.name}`);
}
