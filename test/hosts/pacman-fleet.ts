/** Owns the fleet that the documents of Arch are tried on: real pacman, signed repositories, S3 and instance metadata. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FamilyRelease } from '../../apps/local/hosts/families/family-fleet.ts';
import type { FamilyRepository } from '../../apps/local/hosts/families/family-repository.ts';
import type { PackageDescription } from '../../apps/local/hosts/families/package-description.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import type { PlanEntry } from '../../core/plan.ts';
import { createTrials, type Trials } from '../support/document-trials.ts';
import { createTrialFamilies, plain, type TrialFamilies } from './family-fleet.ts';
import { shell } from './observe.ts';

export interface PacmanFleet extends Trials {
  readonly families: TrialFamilies;
  readonly repository: FamilyRepository;
  host(name: string): Host;
  /** Has packages published while `work` runs, and gone afterwards. */
  whilePublished<T>(
    packages: readonly PackageDescription[],
    work: () => Promise<T>,
    more?: Parameters<TrialFamilies['whilePublished']>[3],
  ): Promise<T>;
  close(): Promise<void>;
}

/** A repository that lists nothing is a problem of its own: this one always has something. */
const ballast = plain('ballast', '1.0');

/** @param hosts release of each host, by host name; all have the packages of the same repository */
export async function createPacmanFleet(
  names: readonly string[],
  installed: readonly PackageDescription[],
  release: FamilyRelease = 'arch',
): Promise<PacmanFleet> {
  const families = await createTrialFamilies({
    hosts: Object.fromEntries(names.map((name) => [name, release])),
    installed: { [release]: [ballast, ...installed] },
  });
  const repository = families.fleet.repository(release);
  await repository.publish('main', [ballast]);
  return {
    families,
    repository,
    host: (name) => families.host(name),
    ...createTrials(families.objects, 'arch'),
    whilePublished: (packages, work, more) => families.whilePublished(release, packages, work, more),
    close: () => families.close(),
  };
}

/** A kernel as Arch packages it: modules in a folder that goes with the package, and no second version beside it. */
export const kernel = (version: string, name = 'linux'): PackageDescription =>
  plain(name, version, {
    files: {
      [`/usr/lib/modules/${version}-${name}/pkgbase`]: { content: `${name}\n` },
      [`/usr/lib/modules/${version}-${name}/vmlinuz`]: { content: `${name} ${version}\n` },
    },
  });

/** Stops in a script until /run/go is there. */
export const waiting = (version: string, script: 'beforeInstall' | 'afterInstall'): PackageDescription =>
  plain('slow', version, {
    files: {
      '/usr/share/slow/version': { content: `${version}\n` },
      [`/usr/share/slow/${version}`]: { content: '' },
    },
    scripts: {
      [script]: 'echo run >>/var/tmp/slow-runs; : >/run/reached; while [ ! -e /run/go ]; do sleep 0.05; done',
    },
  });

/** What pacman has installed, `{ tool: '1.0-1' }`. */
export const installedOn = async (host: Host): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await shell(host, 'pacman -Q')).stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ')),
  );

export const changes = (plan: readonly PlanEntry[]) =>
  plan.map(({ action, name, from, to }) => `${action} ${name} ${from ?? '-'} ${to ?? '-'}`);

export const codes = (reasons: readonly { readonly code: string }[]) => reasons.map(({ code }) => code);

export async function until(host: Host, path: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if ((await host.readFile(path)) !== undefined) return;
    await sleep(50);
  }
  throw new Error(`${path} never came to be on ${host.name}`);
}

export { plain, shell };
