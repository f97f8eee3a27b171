/**
 * A fleet of several families at once, each host with its real package manager on a Debian userland.
 *
 * Every release that a server names has its own signed repository, published into while hosts run:
 *
 *     const fleet = await createFamilyFleet({ servers: [{ id, name, release: 'rocky-9' }], installed: { 'rocky-9': [...] }, ... });
 *     await fleet.repository('rocky-9').publish('main', [{ name: 'tool', version: '1.1' }], { advisories: [...] });
 *
 * A host gets another mirror by `serveRepository`: a stale one is `await fleet.repository(release).stale()`, a broken
 * one is any listener. Hosts fetch `${MIRROR_URL}/main/` and `/extra/`, under the ids that `RELEASES` gives them.
 */
import { join } from 'node:path';
import { cacheFolder, type Progress } from '../base-cache.ts';
import { type Endpoints, type Fleet, type FleetServer, MIRROR_URL, startFleet } from '../fleet.ts';
import type { Layer } from '../host-layers.ts';
import { findDebianMirror } from '../machine-apt.ts';
import { createSigningKey, type SigningKey } from '../openpgp.ts';
import { familyBase } from '../sandbox-base.ts';
import { type How, openVessel } from '../vessel.ts';
import { familyLayer } from './family-layer.ts';
import type { FamilyRepository, FamilyRepositoryOptions } from './family-repository.ts';
import type { PackageDescription } from './package-description.ts';
import { createPacmanRepository } from './pacman-repository.ts';
import { RELEASES, type Release, type ReleaseName } from './releases.ts';
import { createRpmRepository } from './rpm-repository.ts';

export type FamilyRelease = Exclude<ReleaseName, 'debian-13'>;

export interface FamilyServer extends FleetServer {
  readonly release: FamilyRelease;
}

export interface FamilyFleetOptions {
  readonly servers: readonly FamilyServer[];
  readonly how: How;
  /** What the hosts of a release have installed from the start. */
  readonly installed: Readonly<Partial<Record<FamilyRelease, readonly PackageDescription[]>>>;
  readonly endpoints: Endpoints;
  readonly progress: Progress;
  /** The machine's own time. */
  readonly now: () => Date;
  readonly cache?: string;
}

export interface FamilyFleet extends Fleet {
  /** Signs the repositories and their packages; every host trusts it. */
  readonly key: SigningKey;
  repository(release: FamilyRelease): FamilyRepository;
}

/** Metadata, caches and databases of the package managers; the packages themselves are tiny. */
const CHANGES_PER_HOST = 128 * 2 ** 20;

function createRepositoryOf(release: Release, options: FamilyRepositoryOptions): Promise<FamilyRepository> {
  if (release.tools === 'pacman') return createPacmanRepository({ ...options, names: release.channels });
  return createRpmRepository({ ...options, vendor: release.vendor, suse: release.tools === 'zypper' });
}

export async function createFamilyFleet(options: FamilyFleetOptions): Promise<FamilyFleet> {
  const { servers, how, installed, endpoints, progress, now, cache = cacheFolder() } = options;
  const mirror = await findDebianMirror();
  if ('reason' in mirror) throw new Error(`no sandbox hosts on this machine: ${mirror.reason}`);
  const base = await familyBase(mirror, progress, cache);
  const changes = servers.length * CHANGES_PER_HOST;
  const vessel = await openVessel({ how, tools: base, base, cache, changes });
  const key = createSigningKey('Fleet archive', now());
  const repositories = new Map<string, FamilyRepository>();
  const layers = new Map<string, Layer>();
  for (const name of new Set(servers.map((server) => server.release))) {
    const release: Release = RELEASES[name];
    const folder = join(vessel.folder, 'repositories', name);
    repositories.set(name, await createRepositoryOf(release, { folder, key, now }));
    const packages = installed[name] ?? [];
    layers.set(name, familyLayer({ name, release, installed: packages, key, url: MIRROR_URL, at: now() }));
  }
  const releaseOf = new Map(servers.map((server) => [server.id, server.release]));
  const of = <T>(found: ReadonlyMap<string, T>, release: string | undefined): T => {
    const value = found.get(release ?? '');
    if (!value) throw new Error(`no host of this fleet is "${release}": name a release that a server has`);
    return value;
  };
  progress(`starting ${servers.length} ${how} hosts`);
  const fleet = await startFleet(vessel, {
    servers,
    endpoints,
    repository: ({ id }) => of(repositories, releaseOf.get(id)).listener,
    layer: ({ id }) => of(layers, releaseOf.get(id)),
  });
  return { ...fleet, key, repository: (release) => of(repositories, release) };
}
