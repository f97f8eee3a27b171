/** Owns the fleet of several families that documents are tried on: real package managers, S3 and instance metadata. */
import { createEndpoints, type Endpoints } from '../../apps/local/aws/endpoints.ts';
import {
  createFamilyFleet,
  type FamilyFleet,
  type FamilyFleetOptions,
  type FamilyRelease,
} from '../../apps/local/hosts/families/family-fleet.ts';
import type { Channel, Publication } from '../../apps/local/hosts/families/family-repository.ts';
import { fullVersion, type PackageDescription } from '../../apps/local/hosts/families/package-description.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import type { How } from '../../apps/local/hosts/vessel.ts';
import { createMemoryObjects } from '../../apps/local/memory-objects.ts';
import type { Objects } from '../../core/ports.ts';
import { backupBucket, bucket, createTrials, place, type Trials } from '../support/document-trials.ts';

export interface TrialFamilies extends Trials {
  readonly fleet: FamilyFleet;
  readonly endpoints: Endpoints;
  readonly objects: Objects;
  readonly backups: Objects;
  host(name: string): Host;
  /** Has packages published while `work` runs, and gone afterwards. */
  whilePublished<T>(
    release: FamilyRelease,
    packages: readonly PackageDescription[],
    work: () => Promise<T>,
    more?: Publication & { readonly channel?: Channel },
  ): Promise<T>;
  close(): Promise<void>;
}

/** @param hosts release of each host, by host name */
export async function createTrialFamilies(options: {
  readonly hosts: Readonly<Record<string, FamilyRelease | 'debian-13'>>;
  readonly installed: FamilyFleetOptions['installed'];
  readonly debian?: NonNullable<FamilyFleetOptions['debian']>;
  readonly how?: How;
}): Promise<TrialFamilies> {
  const objects = createMemoryObjects(bucket, place.region);
  const backups = createMemoryObjects(backupBucket, place.region);
  const endpoints = createEndpoints({ objects, backups, clock: { now: () => Date.now() } });
  const servers = Object.entries(options.hosts).map(([name, release], index) => ({
    id: `i-0${index.toString(16).padStart(16, '0')}`,
    name,
    release,
  }));
  const fleet = await createFamilyFleet({
    servers,
    how: options.how ?? 'booted',
    installed: options.installed,
    ...(options.debian && { debian: options.debian }),
    endpoints: (id) => endpoints.listenersFor({ id, place }),
    progress: () => {},
    now: () => new Date(),
  });
  return {
    fleet,
    endpoints,
    objects,
    backups,
    host(name) {
      const host = fleet.hosts.find((candidate) => candidate.name === name);
      if (!host) throw new Error(`no host ${name}`);
      return host;
    },
    ...createTrials(objects),
    async whilePublished(release, packages, work, { channel = 'main', ...more } = {}) {
      const repository = fleet.repository(release);
      await repository.publish(channel, packages, more);
      try {
        return await work();
      } finally {
        // Both halves of a multilib pair go at once.
        const published = new Map(packages.map((spec) => [`${spec.name} ${fullVersion(spec)}`, spec]));
        for (const spec of published.values())
          await repository.withdraw(channel, spec.name, fullVersion(spec));
      }
    },
    close: () => fleet.close(),
  };
}

/** A package that only exists, at some version. */
export const plain = (
  name: string,
  version: string,
  more: Partial<PackageDescription> = {},
): PackageDescription => ({
  name,
  version,
  files: { [`/usr/share/${name}/version`]: { content: `${version}\n` } },
  ...more,
});
